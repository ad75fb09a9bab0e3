/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of a script. While the next one has not come, the loop runs: a
 * script that is typed or piped must not make a device deaf to the kernel.
 */
#ifndef MSICTL_CLI_SCRIPT_READER_H
#define MSICTL_CLI_SCRIPT_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/loop.h"

struct lines {
	struct source source; /* fd -1: all there is has been read */
	char *text;	      /* owned: read, and from @at on not yet handed out */
	size_t at, used, size;
	bool readable;
};

/** lines_of_text() - those of @text, which is copied. 0 or -errno. */
int lines_of_text(struct lines *l, const char *text, struct error *e);

/** lines_of_file() - those of a file, "-" is standard input. 0 or -errno. */
int lines_of_file(struct lines *l, const char *name, struct error *e);

/**
 * lines_next() - wait for a line
 * @line: terminated, without its newline; may be changed, is good until the next call
 * @len: its bytes; a NUL may be among them
 * Returns: 1 a line, 0 the end, -EINTR the user asked to stop, -E2BIG, -errno.
 */
int lines_next(struct lines *l, struct loop *loop, char **line, size_t *len);

void lines_close(struct lines *l);

#endif
