// SPDX-License-Identifier: GPL-2.0-or-later
/* The text of a capture from a file or a pipe. */
#include "root/capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct loading {
	char *text;
	size_t size, room, line; /* @line: where the last line begins */
};

static int make_room(struct loading *l)
{
	size_t room = l->room ? l->room * 2 : 1u << 16;
	char *more;

	if (l->size + 1 < l->room)
		return 0;
	more = realloc(l->text, room);
	if (!more)
		return -ENOMEM;
	l->text = more;
	l->room = room;
	return 0;
}

/* Up to the end, or to where the parser finds too much of it. */
static int read_all(int fd, struct loading *l)
{
	while (l->size <= CAPTURE_MAX && l->size - l->line <= CAPTURE_LINE_MAX) {
		int rc = make_room(l);
		const char *end;
		ssize_t n;

		if (rc)
			return rc;
		n = read(fd, l->text + l->size, l->room - 1 - l->size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		end = memrchr(l->text + l->size, '\n', (size_t)n);
		l->size += (size_t)n;
		if (end)
			l->line = (size_t)(end - l->text) + 1;
	}
	return 0;
}

int capture_load(int fd, const char *name, struct capture **c, struct error *e)
{
	struct loading l = { .text = NULL };
	int rc = read_all(fd, &l);

	*c = NULL;
	if (!rc && l.size > CAPTURE_MAX)
		rc = -EFBIG;
	if (rc) {
		free(l.text);
		return fail(e, CAUSE_FAILED, -rc, "cannot read the capture %s", name);
	}
	return capture_parse(l.text, l.size, name, c, e);
}
