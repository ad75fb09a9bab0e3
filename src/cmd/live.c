// SPDX-License-Identifier: GPL-2.0-or-later
/* live */
#include <stdlib.h>

#include "cli/session.h"
#include "cmd/all.h"
#include "term/banner.h"

/* The order of choices in the row below. */
enum {
	CHOICE_ON,
	CHOICE_OFF
};

static int turn_on(struct session *s, struct error *e)
{
	const char *term = getenv("TERM");

	if (!banner_can(term)) {
		int rc = fail(e, CAUSE_FAILED, 0,
			      "this terminal can't keep lines above the prompt: TERM is %s",
			      term && *term ? term : "not set");

		hint(e, "counters   shows the counts of now");
		return rc;
	}
	s->live = LIVE_ON;
	return 0;
}

static int run_live(struct session *s, const struct args *a, struct error *e)
{
	if (s->live == LIVE_NONE)
		return fail(e, CAUSE_FAILED, 0,
			    "only the shell on a terminal has a prompt to keep them above");
	if (a->param[0].given && a->param[0].number == CHOICE_ON)
		return turn_on(s, e);
	if (a->param[0].given)
		s->live = LIVE_OFF;
	else
		out_text(s->out, "live is %s", s->live == LIVE_ON ? "on" : "off");
	doc_bool(out_doc(s->out), "live", s->live == LIVE_ON);
	return 0;
}

const struct command cmd_live = {
	.word = "live",
	.summary = "keep counts and events above the prompt, or tell them as lines",
	.help = "On, a panel above the prompt has a line for each index that is on (vectors armed, counts, counts in the last second, the time of the latest), the busiest vectors, and the latest events of the kernel and of the device. "
		"It changes ten times a second at most and only when something counted; "
		"it takes a third of the terminal at most, makes way for the output of commands, and is not shown on less than 10 lines or 40 columns.\n"
		"Off, and where TERM is dumb, counts and events are told as lines. "
		"Without a word it says which.\n"
		"Of a device that is held the counts are its holder's; "
		"they are in the panel, and not among the lines.",
	.family = FAMILY_SCRIPT,
	.flags = CMD_INSIDE,
	COMMAND_PARAMS({ .type = ARG_CHOICE, .choices = "on|off", .optional = true }),
	.run = run_live,
};
