// SPDX-License-Identifier: GPL-2.0-or-later
/* What the rows say of themselves, for people at a terminal. */
#include <string.h>

#include "base/util.h"
#include "cli/arg-type.h"
#include "cli/command.h"
#include "cli/global-options.h"
#include "cli/help-text.h"

#define WIDTH 79
#define USAGE 512

/* Where the second column begins. */
#define WORD_WIDTH   14
#define OPTION_WIDTH 27

/*
 * Print the words of @text, @n bytes, in lines of WIDTH columns from column @indent on; @lead
 * stands left of them.
 */
static void fill(struct out *o, const char *lead, int indent, const char *text, size_t n)
{
	char line[4 * WIDTH] = "";
	const char *end = text + n;
	bool begun = false;

	append(line, sizeof(line), "%-*s", indent, lead);
	while (text < end) {
		size_t used = strlen(line), len = strcspn(text, " \n");

		if (len > (size_t)(end - text))
			len = (size_t)(end - text);
		if (begun && used + 1 + len > WIDTH) {
			out_text(o, "%s", line);
			line[0] = '\0';
			append(line, sizeof(line), "%*s", indent, "");
			begun = false;
		}
		append(line, sizeof(line), "%s%.*s", begun ? " " : "", (int)len, text);
		begun = true;
		text += len;
		text += strspn(text, " \n");
	}
	out_text(o, "%s", line);
}

static void item(struct out *o, const char *lead, int indent, const char *text)
{
	fill(o, lead, indent, text ? text : "", text ? strlen(text) : 0);
}

static void print_help(struct out *o, const char *help)
{
	struct paragraph p;

	while (help && next_paragraph(&help, &p)) {
		const char *line;
		size_t n;

		out_text(o, "%s", "");
		if (!p.example)
			fill(o, "", 0, p.text, p.n);
		while (p.example && next_line(&p, &line, &n))
			out_text(o, "%.*s", (int)n, line);
	}
}

static const char *option_lead(const struct command_option *opt, char *buf, size_t size)
{
	buf[0] = '\0';
	append(buf, size, opt->letter ? "  -%c, " : "      ", opt->letter);
	append(buf, size, "--%s%s%s ", opt->word, opt->type == ARG_FLAG ? "" : " ",
	       arg_type_name(opt->type, opt->name, opt->choices));
	return buf;
}

static void print_options(struct out *o, const char *title,
			  const struct command_option *(*at)(const void *ctx, size_t i),
			  const void *ctx)
{
	const struct command_option *opt;
	bool any = false;

	for (size_t i = 0; (opt = at(ctx, i)); i++) {
		char lead[96];

		if (!opt->help)
			continue;
		if (!any) {
			out_text(o, "%s", "");
			out_bold(o, "%s", title);
		}
		any = true;
		item(o, option_lead(opt, lead, sizeof(lead)), OPTION_WIDTH, opt->help);
	}
}

static const struct command_option *own_at(const void *ctx, size_t i)
{
	const struct command *cmd = ctx;

	return i < cmd->noption ? &cmd->option[i] : NULL;
}

static const struct command_option *any_at(const void *ctx, size_t i)
{
	(void)ctx;
	return global_at(i);
}

static const struct command_option *inside_at(const void *ctx, size_t i)
{
	(void)ctx;
	for (size_t seen = 0, at = 0; global_at(at); at++)
		if (global_in_session(at) && seen++ == i)
			return global_at(at);
	return NULL;
}

static void print_columns(struct out *o, const struct table *t)
{
	if (!t)
		return;
	out_text(o, "%s", "");
	out_bold(o, "Columns for --output");
	for (size_t i = 0; i < t->n; i++) {
		const struct column *c = &t->column[i];
		char lead[40] = "  ", text[256] = "";

		append(lead, sizeof(lead), "%s ", c->name);
		append(text, sizeof(text), "%s%s", c->help ? c->help : "",
		       c->extra ? " (only when asked for)" : "");
		item(o, lead, WORD_WIDTH, text);
	}
}

static void print_glossary(struct out *o, const struct glossary *g)
{
	const char *word, *help;

	if (!g->title)
		return;
	out_text(o, "%s", "");
	out_bold(o, "%s", g->title);
	for (unsigned int i = 0; (word = g->word_at(i, &help)); i++) {
		char lead[40] = "  ";

		append(lead, sizeof(lead), "%s ", word);
		item(o, lead, OPTION_WIDTH, help);
	}
}

static void print_statuses(struct out *o, const struct command *cmd)
{
	out_text(o, "%s", "");
	out_bold(o, "Exit status");
	for (int c = 0; cause_help((enum cause)c); c++)
		if (!cmd || command_ends_with(cmd, (enum cause)c))
			out_text(o, "  %d  %s", c, cause_help((enum cause)c));
}

static void doc_command(node *row, const struct command *cmd, bool inside)
{
	char usage[USAGE];

	doc_text(row, "command", cmd->word);
	doc_text(row, "usage", command_usage(cmd, inside, usage, sizeof(usage)));
	doc_text(row, "summary", cmd->summary);
}

static void help_one(const struct command *cmd, bool inside, struct out *o)
{
	char usage[USAGE];

	doc_command(out_doc(o), cmd, inside);
	out_text(o, "usage: %s%s", inside ? "" : "msictl ",
		 command_usage(cmd, inside, usage, sizeof(usage)));
	out_text(o, "%s", "");
	item(o, "", 0, cmd->summary);
	print_help(o, cmd->help);
	for (size_t i = 0; i < ARRAY_SIZE(cmd->glossary); i++)
		print_glossary(o, &cmd->glossary[i]);
	print_options(o, "Options", own_at, cmd);
	print_columns(o, cmd->table);
	print_statuses(o, cmd);
	out_text(o, "%s", "");
	out_text(o, "Options that every command takes: %s", inside ? "help" : "msictl help");
}

static void help_family(const struct commands *c, enum family f, bool inside, struct out *o,
			node *rows)
{
	bool any = false;

	for (size_t i = 0; i < c->n; i++) {
		const struct command *cmd = c->row[i];
		char lead[40] = "  ";

		if (cmd->family != f || !command_listed(cmd, inside))
			continue;
		if (!any) {
			out_text(o, "%s", "");
			out_bold(o, "%s", family_title(f));
		}
		any = true;
		doc_command(doc_row(rows), cmd, inside);
		append(lead, sizeof(lead), "%s ", cmd->word);
		item(o, lead, WORD_WIDTH, cmd->summary);
	}
}

void command_help(const struct commands *c, const struct command *cmd, bool inside, struct out *o)
{
	node *rows;

	if (cmd) {
		help_one(cmd, inside, o);
		return;
	}
	rows = doc_array(out_doc(o), "commands");
	out_text(o, "usage: %s",
		 inside ? "COMMAND [WORD...]" : "msictl [OPTION...] COMMAND [WORD...]");
	for (int f = 0; f < NR_FAMILY; f++)
		help_family(c, (enum family)f, inside, o, rows);
	print_options(o, "Options of every command", inside ? inside_at : any_at, NULL);
	if (!inside)
		print_statuses(o, NULL);
	out_text(o, "%s", "");
	out_text(o, "%s COMMAND tells more of one.", inside ? "help" : "msictl help");
}
