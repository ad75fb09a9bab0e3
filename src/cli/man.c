// SPDX-License-Identifier: GPL-2.0-or-later
/* What the rows say of themselves, in the macros of man(7). */
#include <string.h>

#include "base/util.h"
#include "cli/arg-type.h"
#include "cli/command.h"
#include "cli/global-options.h"
#include "cli/help-text.h"

#define TEXT  1024
#define WIDTH 72

/* Text for roff: no escape, request or typographic dash by accident. Returns @buf. */
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

static void line(struct out *o, const char *text, size_t n)
{
	char buf[TEXT];

	out_text(o, "%s", roff(text, n, buf));
}

/* A source line ends with its sentence, else near WIDTH, as man-pages(7) wants it. */
static void prose(struct out *o, const char *text, size_t n)
{
	while (n) {
		size_t len = 0;

		while (len < n) {
			size_t word = 1;

			while (len + word < n && text[len + word] != ' ')
				word++;
			if (len && len + word > WIDTH)
				break;
			len += word;
			if (strchr(".!?", text[len - 1]))
				break;
		}
		line(o, text, len);
		while (len < n && text[len] == ' ')
			len++;
		text += len;
		n -= len;
	}
}

/* Inside of .TP: paragraphs after the first need .IP to keep their indentation. */
static void man_help(struct out *o, const char *help)
{
	struct paragraph p;

	while (help && next_paragraph(&help, &p)) {
		const char *text;
		size_t n;

		out_text(o, ".IP");
		if (!p.example)
			prose(o, p.text, p.n);
		if (p.example)
			out_text(o, ".nf");
		while (p.example && next_line(&p, &text, &n))
			line(o, text, n);
		if (p.example)
			out_text(o, ".fi");
	}
}

static void man_option(struct out *o, const struct command_option *opt)
{
	char head[TEXT] = "", part[TEXT];

	if (opt->letter)
		append(head, sizeof(head), "\\fB\\-%c\\fP, ", opt->letter);
	append(head, sizeof(head), "\\fB\\-\\-%s\\fP", roff(opt->word, strlen(opt->word), part));
	if (opt->type != ARG_FLAG) {
		const char *value = arg_type_name(opt->type, opt->name, opt->choices);

		append(head, sizeof(head), " \\fI%s\\fP", roff(value, strlen(value), part));
	}
	out_text(o, ".TP");
	out_text(o, "%s", head);
	prose(o, opt->help, strlen(opt->help));
}

static void man_glossary(struct out *o, const struct glossary *g)
{
	const char *word, *help;
	char part[TEXT];

	if (!g->title)
		return;
	out_text(o, ".IP");
	out_text(o, "%s:", roff(g->title, strlen(g->title), part));
	out_text(o, ".RS");
	for (unsigned int i = 0; (word = g->word_at(i, &help)); i++) {
		out_text(o, ".TP");
		out_text(o, ".B %s", roff(word, strlen(word), part));
		prose(o, help, strlen(help));
	}
	out_text(o, ".RE");
}

static void man_command(struct out *o, const struct command *cmd)
{
	char usage[TEXT], buf[TEXT];
	size_t n = strlen(cmd->word);
	bool any = false;

	command_usage(cmd, false, usage, sizeof(usage));
	out_text(o, ".TP");
	out_text(o, "\\fB%.*s\\fP%s", (int)n, usage, roff(usage + n, strlen(usage + n), buf));
	prose(o, cmd->summary, strlen(cmd->summary));
	man_help(o, cmd->help);
	for (size_t i = 0; i < ARRAY_SIZE(cmd->glossary); i++)
		man_glossary(o, &cmd->glossary[i]);
	for (size_t i = 0; i < cmd->noption; i++) {
		if (!cmd->option[i].help)
			continue;
		if (!any)
			out_text(o, ".RS");
		any = true;
		man_option(o, &cmd->option[i]);
	}
	if (any)
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
	prose(o, text, strlen(text));
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
		line(o, cause_help((enum cause)i), strlen(cause_help((enum cause)i)));
	}
}
