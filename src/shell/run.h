/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running a script on one opened device: run, and shell without a terminal. */
#ifndef MSICTL_SHELL_RUN_H
#define MSICTL_SHELL_RUN_H

#include "cli/session.h"

/**
 * run_stream() - run the lines of a script
 * @name: a file, or "-" for standard input
 * Returns: 0; -ECANCELED with only @e->cause set when a command failed and was told already;
 * -errno.
 */
int run_stream(struct session *s, const char *device, const char *name, bool keep_going,
	       struct error *e);

#endif
