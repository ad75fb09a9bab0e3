// SPDX-License-Identifier: GPL-2.0-or-later
/* What the rows say of themselves, in the macros of man(7). */
#include <string.h>

#include "command.h"
#include "globals.h"
#include "help-text.h"
#include "kind.h"
#include "util.h"

#define TEXT 2048

/* A line of text for roff: no escape, request or typographic dash by accident. Returns @buf. */
static char *roff(const char *text, size_t n, char buf[TEXT])
{
	buf[0] = '\0';
	if (n && (*text == '.' || *text == '\''))
		append(buf, TEXT, "\\&");
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\\')
			append(buf, TEXT, "\\e");
		else if (text[i] == '-')
			append(buf, TEXT, "\\-");
		else
			append(buf, TEXT, "%c", text[i]);
	}
	return buf;
}

static void line(struct out *o, const char *text)
{
	char buf[TEXT];

	out_text(o, "%s", roff(text, strlen(text), buf));
}

/* Inside of .TP: paragraphs after the first need .IP to keep their indentation. */
static void man_help(struct out *o, const char *help)
{
	struct paragraph p;
	char buf[TEXT];

	while (help && next_paragraph(&help, &p)) {
		const char *text;
		size_t n;

		out_text(o, ".IP");
		if (p.example)
			out_text(o, ".nf");
		while (next_line(&p, &text, &n))
			out_text(o, "%s", roff(text, n, buf));
		if (p.example)
			out_text(o, ".fi");
	}
}

static void man_option(struct out *o, const struct option *opt)
{
	const char *value = opt->kind == KIND_FLAG ? "" : kind_name(opt->kind, opt->name, opt->choices);
	char word[TEXT], name[TEXT];

	roff(opt->word, strlen(opt->word), word);
	roff(value, strlen(value), name);
	out_text(o, ".TP");
	if (opt->letter)
		out_text(o, "\\fB\\-%c\\fP, \\fB\\-\\-%s\\fP%s\\fI%s\\fP", opt->letter, word, *value ? " " : "", name);
	else
		out_text(o, "\\fB\\-\\-%s\\fP%s\\fI%s\\fP", word, *value ? " " : "", name);
	line(o, opt->help);
}

static void man_command(struct out *o, const struct command *cmd)
{
	char usage[TEXT], buf[TEXT];
	size_t n = strlen(cmd->word);

	command_usage(cmd, false, usage, sizeof(usage));
	out_text(o, ".TP");
	out_text(o, "\\fB%.*s\\fP%s", (int)n, usage, roff(usage + n, strlen(usage + n), buf));
	line(o, cmd->summary);
	man_help(o, cmd->help);
	if (!cmd->noption)
		return;
	out_text(o, ".RS");
	for (size_t i = 0; i < cmd->noption; i++)
		if (cmd->option[i].help)
			man_option(o, &cmd->option[i]);
	out_text(o, ".RE");
}

static void man_columns(struct out *o, const struct command *cmd)
{
	const struct table *t = cmd->table;
	char text[TEXT] = "";

	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++)
		append(text, sizeof(text), "%s%s", i ? ", " : "", t->column[i].name);
	out_text(o, ".TP");
	out_text(o, ".B %s", cmd->word);
	line(o, text);
}

void command_man(const struct commands *c, struct out *o)
{
	out_text(o, ".SH COMMANDS");
	for (int f = 0; f < NR_FAMILY; f++) {
		out_text(o, ".SS %s", family_title((enum family)f));
		for (size_t i = 0; i < c->n; i++)
			if (c->row[i]->family == (enum family)f && !(c->row[i]->flags & CMD_HIDDEN))
				man_command(o, c->row[i]);
	}
	out_text(o, ".SH OPTIONS");
	out_text(o, "Every command takes these, in front of its word or behind it.");
	for (size_t i = 0; global_at(i); i++)
		man_option(o, global_at(i));
	out_text(o, ".SH COLUMNS");
	out_text(o, "The names that \\fB\\-\\-output\\fP takes, in any case.");
	for (size_t i = 0; i < c->n; i++)
		man_columns(o, c->row[i]);
	out_text(o, ".SH EXIT STATUS");
	for (int i = 0; cause_help((enum cause)i); i++) {
		out_text(o, ".TP");
		out_text(o, ".B %d", i);
		line(o, cause_help((enum cause)i));
	}
}
