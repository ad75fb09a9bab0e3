// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/script-reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

/* No command is that long: what has no newline is no script. */
#define MAX_LINE 65536u
#define CHUNK	 4096u

static void on_readable(struct source *s)
{
	struct lines *l = s->owner;

	l->readable = true;
}

int lines_of_text(struct lines *l, const char *text, struct error *e)
{
	*l = (struct lines){ .source = { .fd = -1 } };
	l->used = strlen(text);
	l->size = l->used + 1;
	l->text = strdup(text);
	return l->text ? 0 : fail_memory(e);
}

int lines_of_file(struct lines *l, const char *name, struct error *e)
{
	struct stat st;
	int fd = strcmp(name, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
					: open(name, O_RDONLY | O_CLOEXEC);

	*l = (struct lines){ .source = { .fd = fd, .ready = on_readable, .owner = l } };
	if (fd < 0)
		return fail(e, CAUSE_FAILED, errno, "cannot read the script %s", name);
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		lines_close(l);
		return fail(e, CAUSE_FAILED, EISDIR, "cannot read the script %s", name);
	}
	return 0;
}

void lines_close(struct lines *l)
{
	cleanup_fd(&l->source.fd);
	l->source.fd = -1;
	free(l->text);
	l->text = NULL;
}

static int wait_for_input(struct lines *l, struct loop *loop)
{
	int rc = loop_add(loop, &l->source);

	/* epoll_ctl(2): regular files, which never make anybody wait. */
	if (rc == -EPERM)
		return 0;
	l->readable = false;
	while (rc >= 0 && !l->readable)
		rc = loop_wait(loop, UINT64_MAX);
	loop_del(loop, &l->source);
	return rc < 0 ? rc : 0;
}

/* Room for another chunk and the NUL behind it; what was handed out is dropped. */
static int make_room(struct lines *l)
{
	char *text;

	if (l->at) {
		l->used -= l->at;
		memmove(l->text, l->text + l->at, l->used);
		l->at = 0;
	}
	if (l->used > MAX_LINE)
		return -E2BIG;
	if (l->size >= l->used + CHUNK + 1)
		return 0;
	text = realloc(l->text, l->used + CHUNK + 1);
	if (!text)
		return -ENOMEM;
	l->text = text;
	l->size = l->used + CHUNK + 1;
	return 0;
}

static int read_more(struct lines *l, struct loop *loop)
{
	int rc = make_room(l);
	ssize_t n;

	if (rc == 0)
		rc = wait_for_input(l, loop);
	if (rc)
		return rc;
	n = read(l->source.fd, l->text + l->used, CHUNK);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0) {
		cleanup_fd(&l->source.fd);
		l->source.fd = -1;
	}
	l->used += (size_t)n;
	return 0;
}

int lines_next(struct lines *l, struct loop *loop, char **line, size_t *len)
{
	char *end;

	while (!(end = l->used > l->at ? memchr(l->text + l->at, '\n', l->used - l->at) : NULL) &&
	       l->source.fd >= 0) {
		int rc = read_more(l, loop);

		if (rc)
			return rc;
	}
	if (l->at == l->used)
		return 0;
	*line = l->text + l->at;
	*len = end ? (size_t)(end - *line) : l->used - l->at;
	(*line)[*len] = '\0';
	l->at += *len + (end ? 1 : 0);
	return 1;
}
