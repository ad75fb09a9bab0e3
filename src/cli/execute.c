// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/execute.h"

#include <errno.h>

#include "base/util.h"

int execute_command(struct session *s, const struct args *a, struct error *e)
{
	int rc = 0;

	s->misses = root_misses(&s->root);
	if (s->trace.dry_run && a->command->flags & CMD_CHANGES)
		doc_bool(out_doc(s->out), "dry_run", true);
	if (s->device)
		rc = device_dry_begin(s->device, e);
	if (rc == 0)
		rc = a->command->run(s, a, e);
	if (s->device)
		device_dry_end(s->device);
	/* a command that stays has not looked at all yet */
	return s->job.step ? rc : session_seen(s, rc, e);
}

int execute_row(struct session *s, const struct args *a, struct error *e)
{
	int rc;

	if (s->globals.help) {
		command_help(s->commands, a->command, true, s->out);
		return 0;
	}
	if (a->command->flags & CMD_OPENS && s->device) {
		rc = device_here(s->device, e);
		if (rc)
			return rc;
	}
	return execute_command(s, a, e);
}

int execute_parse(struct session *s, int n, char **word, const char **what, struct args *args,
		  struct error *e)
{
	const struct command *cmd = command_find(s->commands, word[0], true, e);
	struct globals g = s->globals;
	int rc;

	if (!cmd)
		return -EINVAL;
	*what = cmd->word;
	rc = command_parse(cmd, n, word, true, &g, args, e);
	/* How it is to be told holds for a mistake behind it, too. */
	if (rc)
		s->globals.json = g.json;
	else
		s->globals = g;
	session_apply(s);
	return rc;
}
