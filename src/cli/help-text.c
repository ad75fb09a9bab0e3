// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/help-text.h"

#include <string.h>

bool next_paragraph(const char **at, struct paragraph *p)
{
	*at += strspn(*at, "\n");
	p->text = *at;
	p->example = **at == ' ';
	do {
		*at += strcspn(*at, "\n");
		p->n = (size_t)(*at - p->text);
		*at += **at == '\n';
	} while (p->example && **at == ' ');
	return p->n;
}

bool next_line(struct paragraph *p, const char **line, size_t *n)
{
	const char *end = p->n ? memchr(p->text, '\n', p->n) : NULL;
	size_t used;

	if (!p->n)
		return false;
	*line = p->text;
	*n = end ? (size_t)(end - p->text) : p->n;
	used = *n + (end ? 1 : 0);
	p->text += used;
	p->n -= used;
	return true;
}

const char *family_title(enum family f)
{
	static const char *const titles[NR_FAMILY] = {
		[FAMILY_LOOK] = "Look",
		[FAMILY_CHANGE] = "Change",
		[FAMILY_SCRIPT] = "Script and shell",
	};

	return titles[f];
}

bool command_listed(const struct command *cmd, bool inside)
{
	return !(cmd->flags & (CMD_HIDDEN | (inside ? CMD_OUTSIDE : CMD_INSIDE)));
}

static bool takes_device(const struct command *cmd)
{
	for (size_t i = 0; i < cmd->nparam; i++)
		if (cmd->param[i].type == ARG_DEVICE)
			return true;
	return false;
}

bool command_ends_with(const struct command *cmd, enum cause cause)
{
	if (cmd->ends >> cause & 1)
		return true;
	switch (cause) {
	case CAUSE_NO_DEVICE:
	case CAUSE_PERMISSION:
		return takes_device(cmd);
	case CAUSE_BUSY:
	case CAUSE_NOT_VIABLE:
		return takes_device(cmd) && cmd->family != FAMILY_LOOK;
	case CAUSE_SHORT:
	case CAUSE_EXPECTATION:
	case CAUSE_DISTURB:
		return cmd->flags & CMD_CHANGES ||
		       (takes_device(cmd) && cmd->family == FAMILY_SCRIPT);
	default:
		return true;
	}
}
