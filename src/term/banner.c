// SPDX-License-Identifier: GPL-2.0-or-later
#include "term/banner.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "term/screen.h"

/*
 * A VT102's control sequences, which xterm and all that followed it take. The
 * cursor goes to the first row whenever the margins are set, so it is saved.
 */
#define SAVE	    "\0337"
#define RESTORE	    "\0338"
#define HOME	    "\033[H"
#define ERASE_REST  "\033[J"
#define NO_MARGINS  "\033[r"
#define MARGINS	    "\033[%u;%ur"
#define INSERT	    "\033[%uL"
#define DELETE	    "\033[%uM"
#define UP	    "\033[%uA"
#define DOWN	    "\033[%uB"
#define ROW	    "\033[%u;1H"
#define NO_EMPHASIS "\033[m"

bool banner_can(const char *term)
{
	return term && *term && strcmp(term, "dumb") != 0;
}

void banner_measure(struct banner *b)
{
	struct winsize w = { 0 };

	ioctl(b->terminal, TIOCGWINSZ, &w);
	b->lines = w.ws_row;
	b->columns = w.ws_col;
}

static int write_all(int fd, const char *bytes, size_t n)
{
	while (n) {
		ssize_t done = write(fd, bytes, n);

		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			bytes += done;
			n -= (size_t)done;
		}
	}
	return 0;
}

/* What is shown in one go is written in one go. */
struct page {
	FILE *f;
	char *text;
	size_t size;
};

static int page_begin(struct page *p)
{
	p->f = open_memstream(&p->text, &p->size);
	return p->f ? 0 : -ENOMEM;
}

static int page_end(struct page *p, const struct banner *b)
{
	int rc = fclose(p->f) ? -ENOMEM : write_all(b->terminal, p->text, p->size);

	free(p->text);
	return rc;
}

static void put_text(FILE *f, const struct banner *b, const char *text)
{
	for (unsigned int row = 1; row <= b->rows; row++) {
		size_t n = strcspn(text, "\n");

		fprintf(f, ROW, row);
		screen_put_line(f, text, n, b->columns);
		text += n + (text[n] == '\n');
	}
}

int banner_put(struct banner *b, unsigned int rows, const char *text)
{
	struct page p;

	if (page_begin(&p))
		return -ENOMEM;
	b->rows = rows;
	fputs(ERASE_REST, p.f);
	/* Room below the cursor, so that nothing is pushed out at the bottom. */
	for (unsigned int i = 0; i < rows; i++)
		fputc('\n', p.f);
	fprintf(p.f, UP SAVE HOME INSERT, rows, rows);
	fputs(NO_EMPHASIS, p.f);
	put_text(p.f, b, text);
	fprintf(p.f, MARGINS RESTORE DOWN, rows + 1, b->lines, rows);
	return page_end(&p, b);
}

int banner_paint(struct banner *b, const char *text)
{
	struct pollfd room = { .fd = b->terminal, .events = POLLOUT };
	struct page p;

	if (poll(&room, 1, 0) != 1 || !(room.revents & POLLOUT))
		return -EAGAIN;
	if (page_begin(&p))
		return -ENOMEM;
	fputs(SAVE NO_EMPHASIS, p.f);
	put_text(p.f, b, text);
	fputs(RESTORE, p.f);
	return page_end(&p, b);
}

int banner_lift(struct banner *b)
{
	unsigned int rows = b->rows;
	struct page p;

	if (!rows)
		return 0;
	if (page_begin(&p))
		return -ENOMEM;
	b->rows = 0;
	fprintf(p.f, SAVE NO_MARGINS HOME DELETE RESTORE UP, rows, rows);
	return page_end(&p, b);
}

int banner_clear(struct banner *b)
{
	struct page p;

	if (page_begin(&p))
		return -ENOMEM;
	fprintf(p.f, ROW ERASE_REST, b->rows + 1);
	return page_end(&p, b);
}

int banner_lost(struct banner *b)
{
	struct page p;

	if (page_begin(&p))
		return -ENOMEM;
	banner_measure(b);
	b->rows = 0;
	fputs(SAVE NO_MARGINS RESTORE "\r" ERASE_REST, p.f);
	/* The cursor's line becomes the first one. */
	for (unsigned int i = 1; i < b->lines; i++)
		fputc('\n', p.f);
	fputs(HOME ERASE_REST, p.f);
	return page_end(&p, b);
}
