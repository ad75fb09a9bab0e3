/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One command of a session: its words are parsed, its row is run. */
#ifndef MSICTL_CLI_EXECUTE_H
#define MSICTL_CLI_EXECUTE_H

#include "cli/session.h"

/**
 * execute_command() - run a command that was parsed; a job may be left behind. 0 or -errno with @e.
 */
int execute_command(struct session *s, const struct args *a, struct error *e);

/**
 * execute_parse() - parse the words of one command, without DEVICE
 * @word: @n words and a NULL; may be reordered
 * @what: set to the command's word as soon as it is known
 * The globals found stay applied. Returns: 0 or -errno with @e.
 */
int execute_parse(struct session *s, int n, char **word, const char **what, struct args *args,
		  struct error *e);

/**
 * execute_row() - as execute_command(), of execute_parse(): --help is answered, and the device has
 * to be here. 0 or -errno with @e.
 */
int execute_row(struct session *s, const struct args *a, struct error *e);

#endif
