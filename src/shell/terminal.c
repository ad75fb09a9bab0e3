// SPDX-License-Identifier: GPL-2.0-or-later
/* The lines of the terminal, which the panel and readline share. */
#include "shell/internal.h"

#include <stdio.h>

#include <readline/readline.h>

static void tell_room(const struct shell *sh)
{
	int lines, columns;

	live_room(sh->live, &lines, &columns);
	if (lines > 0 && columns > 0)
		rl_set_screen_size(lines, columns);
}

void shell_place(struct shell *sh)
{
	fflush(rl_outstream);
	live_place(sh->live);
	tell_room(sh);
}

void shell_step_aside(struct shell *sh)
{
	fflush(rl_outstream);
	live_lift(sh->live);
	tell_room(sh);
}

void shell_step_back(struct shell *sh)
{
	shell_place(sh);
	rl_forced_update_display();
}
