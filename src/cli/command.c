// SPDX-License-Identifier: GPL-2.0-or-later
/* The list of rows: finding one, and its usage line. */
#include "cli/command.h"

#include <errno.h>
#include <string.h>

#include "base/nearest.h"
#include "base/util.h"
#include "cli/arg-type.h"

static bool fits(const struct command *cmd, bool inside)
{
	return !(cmd->flags & (inside ? CMD_OUTSIDE : CMD_INSIDE));
}

static const struct command *wrong_place(const struct command *cmd, bool inside, struct error *e)
{
	if (inside) {
		fail(e, CAUSE_USAGE, 0, "%s is not offered inside run and shell", cmd->word);
		hint(e, "type it as a command of its own: msictl %s", cmd->word);
	} else {
		fail(e, CAUSE_USAGE, 0, "%s is only offered inside run and shell", cmd->word);
		hint(e, "msictl shell DEVICE");
	}
	return NULL;
}

const struct command *command_find(const struct commands *c, const char *word, bool inside,
				   struct error *e)
{
	const char *list = inside ? "help lists the commands" : "msictl help lists the commands";
	struct nearest near = { .typed = word };

	for (size_t i = 0; i < c->n; i++) {
		if (!strcmp(c->row[i]->word, word))
			return fits(c->row[i], inside) ? c->row[i]
						       : wrong_place(c->row[i], inside, e);
		if (fits(c->row[i], inside) && !(c->row[i]->flags & CMD_HIDDEN))
			nearest_try(&near, c->row[i]->word);
	}
	fail(e, CAUSE_USAGE, 0, "there is no command \"%s\"", word);
	if (near.word)
		hint(e, "did you mean %s? %s", near.word, list);
	else
		hint(e, "%s", list);
	return NULL;
}

char *command_usage(const struct command *cmd, bool inside, char *buf, size_t size)
{
	copy_text(buf, size, cmd->word);
	for (size_t i = 0; i < cmd->nparam; i++) {
		const struct param *p = &cmd->param[i];

		if (inside && p->type == ARG_DEVICE)
			continue;
		append(buf, size, p->optional ? " [%s%s]" : " %s%s",
		       arg_type_name(p->type, p->name, p->choices), p->many ? "..." : "");
	}
	for (size_t i = 0; i < cmd->noption; i++) {
		const struct command_option *o = &cmd->option[i];

		if (!o->help)
			continue;
		append(buf, size, " [--%s%s%s]", o->word, o->type == ARG_FLAG ? "" : " ",
		       arg_type_name(o->type, o->name, o->choices));
	}
	return buf;
}

bool command_for_holder(const struct args *a)
{
	const struct command *cmd = a->command;

	if (!(cmd->flags & (CMD_OPENS | CMD_HELD)))
		return false;
	return !cmd->needs_device || cmd->needs_device(a);
}
