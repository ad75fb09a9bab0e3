/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What shell.c and shell-type.c share. */
#ifndef MSICTL_SHELL_PARTS_H
#define MSICTL_SHELL_PARTS_H

#include <signal.h>

#include "live.h"
#include "session.h"

struct shell {
	struct session *s;
	struct live *live;
	struct source input;
	struct source signals; /* of the terminal, heard while the prompt is up */
	sigset_t terminal_signals;
	char *line; /* typed, not yet run */
	bool eof;
	bool keep;	  /* go on without a device that was taken back */
	bool ready;	  /* the prompt is up */
	uint64_t resized; /* when to begin anew on a terminal of another size, 0: it has not changed */
	char history[512];
};

/* shell.c */

/** shell_step_aside() - the terminal is for others; shell_step_back() - the cursor is at the beginning of a line again,
 * and readline shows its own. */
void shell_step_aside(struct shell *sh);
void shell_step_back(struct shell *sh);

/* shell-type.c: completion, history, keys of our own */

/** type_begin() - readline works for @sh from now on. */
void type_begin(struct shell *sh);

/** typing() - whom readline works for. */
struct shell *typing(void);

/** type_end() - keep the history. */
void type_end(struct shell *sh);

#endif
