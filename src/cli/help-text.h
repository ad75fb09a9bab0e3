/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What help and the manual have in common: paragraphs of a row, and the exit statuses that matter
 * for it.
 */
#ifndef MSICTL_CLI_HELP_TEXT_H
#define MSICTL_CLI_HELP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/command.h"

struct paragraph {
	const char *text;
	size_t n;
	bool example; /* keeps its lines */
};

/** next_paragraph() - take one from *@at. False: there is none. */
bool next_paragraph(const char **at, struct paragraph *p);

/** next_line() - take a line from @p. False: there is none. */
bool next_line(struct paragraph *p, const char **line, size_t *n);

/** family_title() - the heading above a family of commands. */
const char *family_title(enum family f);

/** command_listed() - whether it is offered here, and not hidden. */
bool command_listed(const struct command *cmd, bool inside);

/** command_ends_with() - whether scripts should expect this exit status of it. */
bool command_ends_with(const struct command *cmd, enum cause cause);

#endif
