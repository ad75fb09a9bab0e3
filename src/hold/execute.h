/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of a script or of the shell: the same rows as on the command line, without DEVICE. */
#ifndef MSICTL_HOLD_EXECUTE_H
#define MSICTL_HOLD_EXECUTE_H

#include "cli/session.h"

/**
 * execute_open() - make the session drive @device: by its holder (s->attached), else by opening it
 * Returns: 0 or -errno with @e.
 */
int execute_open(struct session *s, const char *device, const struct device_events *ev,
		 struct error *e);

/**
 * execute_line() - run the commands of a line, separated by ;
 * @line: changed in place
 * @where: in front of an error: "FILE:7", NULL in the shell
 * @keep_going: go on after a failure
 * @status: the first failure's cause, left alone when there is none
 * Returns: 0, or -errno of the failure that stopped the line.
 */
int execute_line(struct session *s, char *line, const char *where, bool keep_going,
		 enum cause *status);

/**
 * execute_command() - run a command that was parsed; a job may be left behind. 0 or -errno with @e.
 */
int execute_command(struct session *s, const struct args *a, struct error *e);

/**
 * execute_begin() - in a holder: parse one command's words and run it; a job may be left behind
 * @word: @n words and a NULL; may be reordered
 * @what: set to the command's word as soon as it is known
 * The globals found stay applied. Returns: 0 or -errno with @e.
 */
int execute_begin(struct session *s, int n, char **word, const char **what, struct error *e);

#endif
