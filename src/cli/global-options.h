/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options that every command takes, as rows. */
#ifndef MSICTL_CLI_GLOBAL_OPTIONS_H
#define MSICTL_CLI_GLOBAL_OPTIONS_H

#include "cli/command.h"

#define MAX_GLOBALS 12

/** global_at() - the row at @i, NULL past the end. */
const struct command_option *global_at(size_t i);

/**
 * global_given() - whether the row at @i is set in @g; global_text() its value as typed, NULL for a
 * flag.
 */
bool global_given(const struct globals *g, size_t i);
const char *global_text(const struct globals *g, size_t i);

/**
 * global_in_session() - whether the row at @i may be given to a single command of run and shell.
 */
bool global_in_session(size_t i);

/** global_set() - take the row at @i, with @text as its value. 0 or -EINVAL (CAUSE_USAGE). */
int global_set(struct globals *g, size_t i, const char *text, struct error *e);

#endif
