// SPDX-License-Identifier: GPL-2.0-or-later
/* reopen */
#include "cmd.h"
#include "session.h"

static int run_reopen(struct session *s, const struct args *a, struct error *e)
{
	int rc = session_reopen(s, e);

	if (rc)
		return rc;
	doc_text(out_doc(s->out), "command", a->command->word);
	doc_text(out_doc(s->out), "device", s->device->spec);
	out_text(s->out, "%s is open again, nothing is armed", s->device->name);
	return 0;
}

const struct command cmd_reopen = {
	.word = "reopen",
	.summary = "close the device and open it again",
	.help = "After the process that serves a vfio-user device went away and came back. Whatever was armed or "
		"masked is not.",
	.family = FAMILY_SCRIPT,
	.flags = CMD_INSIDE | CMD_HELD | CMD_LIVE_HOST,
	.run = run_reopen,
};
