// SPDX-License-Identifier: GPL-2.0-or-later
/* reopen */
#include "cli/session.h"
#include "cmd/all.h"

/* To be closed is to lose what is armed: what follows in a dry run finds it so. */
static int disable_all(struct device *d, struct error *e)
{
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && d->handle && i < NR_IRQ_INDEX; i++) {
		struct change c = { 0 };

		if (i != IRQ_REQ && d->irq[i].enabled)
			rc = device_disable(d, i, &c, e);
	}
	return rc;
}

static int reopen(struct session *s, struct error *e)
{
	if (!trace_would(&s->trace, "reopen", s->device->spec))
		return session_reopen(s, e);
	return disable_all(s->device, e);
}

static int run_reopen(struct session *s, const struct args *a, struct error *e)
{
	int rc = reopen(s, e);

	if (rc)
		return rc;
	doc_text(out_doc(s->out), "command", a->command->word);
	doc_text(out_doc(s->out), "device", s->device->spec);
	out_text(s->out, "%s %s again, nothing %s armed", s->device->name,
		 s->trace.dry_run ? "would be opened" : "is open",
		 s->trace.dry_run ? "would be" : "is");
	return 0;
}

const struct command cmd_reopen = {
	.word = "reopen",
	.summary = "close the device and open it again",
	.help = "After the process that serves a vfio-user device went away and came back. "
		"Whatever was armed or masked is not.",
	.family = FAMILY_SCRIPT,
	.flags = CMD_INSIDE | CMD_HELD | CMD_CHANGES | CMD_LIVE_HOST,
	.run = run_reopen,
};
