/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of a script or of the shell: the same rows as on the command line, without DEVICE. */
#ifndef MSICTL_SHELL_LINE_H
#define MSICTL_SHELL_LINE_H

#include "cli/session.h"

/**
 * line_open() - make the session drive @device: by its holder (s->attached), else by opening it
 * Returns: 0 or -errno with @e.
 */
int line_open(struct session *s, const char *device, const struct device_events *ev,
	      struct error *e);

/**
 * line_hang_up() - close the connection that line_open() has kept for the first command: it may be
 * long in coming, and a holder must not take it for a caller until then.
 */
void line_hang_up(struct session *s);

/** line_close() - the end of line_open(). */
void line_close(struct session *s);

/**
 * line_run() - run the commands of a line, separated by ;
 * @line: changed in place
 * @where: in front of an error: "FILE:7", NULL in the shell
 * @keep_going: go on after a failure
 * @status: the first failure's cause, left alone when there is none
 * Returns: 0, or -errno of the failure that stopped the line.
 */
int line_run(struct session *s, char *line, const char *where, bool keep_going, enum cause *status);

#endif
