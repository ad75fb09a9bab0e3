/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What shell/interactive.c and shell/keys.c share. */
#ifndef MSICTL_SHELL_INTERNAL_H
#define MSICTL_SHELL_INTERNAL_H

#include <signal.h>

#include "cli/session.h"
#include "shell/live.h"

struct shell {
	struct session *s;
	struct live *live;
	struct source input;
	struct source signals; /* of the terminal, heard while the prompt is up */
	sigset_t terminal_signals;
	char *line; /* typed, not yet run */
	bool eof;
	bool keep;  /* go on without a device that was taken back */
	bool ready; /* the prompt is up */
	/* when to begin anew on a terminal of another size, 0: it has not changed */
	uint64_t resized;
	bool history; /* it was read, or is new: to be kept at the end */
};

/* shell/terminal.c */

/**
 * shell_place() - the panel above the line at the cursor, and readline told of the room below it.
 */
void shell_place(struct shell *sh);

/**
 * shell_step_aside() - the terminal is for others; shell_step_back() - the cursor is at the
 * beginning of a line again, and readline shows its own.
 */
void shell_step_aside(struct shell *sh);
void shell_step_back(struct shell *sh);

/* shell/inputrc.c */

/**
 * history_load() - each line of $XDG_STATE_HOME/msictl/history (without the variable
 * ~/.local/state), the oldest first
 * @why: a sentence on failure, free() it; NULL: no memory for one
 * Returns: 0, also when there is none yet; -errno when it must not be used or could not be read.
 */
int history_load(void (*add)(const char *line), char **why);

/**
 * history_save() - write @n lines anew, and then in place of the old file, which is whole until
 * then. As history_load().
 */
int history_save(const char *const *line, size_t n, char **why);

/**
 * keys_usable() - whether readline may read its key bindings from @path, which is absolute. 0,
 * -ENOENT: there is no such file, -errno with @why as above.
 */
int keys_usable(const char *path, char **why);

/* shell/keys.c: completion, history, keys of our own */

/** type_begin() - readline works for @sh from now on. */
void type_begin(struct shell *sh);

/** typing() - whom readline works for. */
struct shell *typing(void);

/** type_end() - keep the history. */
void type_end(struct shell *sh);

#endif
