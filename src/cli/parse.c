// SPDX-License-Identifier: GPL-2.0-or-later
/* Words on a line -> struct args, by the row of the command. */
#include <errno.h>
#include <string.h>

#include <getopt.h>

#include "base/nearest.h"
#include "base/util.h"
#include "cli/arg-type.h"
#include "cli/command.h"
#include "cli/global-options.h"

/*
 * What getopt_long() returns for the long option at position 0; letters and its own answers are
 * below.
 */
#define FIRST 0x100

#define MAX_KNOWN (MAX_OPTIONS + MAX_GLOBALS)

/*
 * One walk through an argv. The command's own options come first and win over global ones of the
 * same name.
 */
struct parse {
	const struct command *cmd; /* NULL: only global options are known */
	bool inside;
	const struct command_option *known[MAX_KNOWN];
	size_t own, n;
	struct option row[MAX_KNOWN + 1];
	char letters[2 + 2 * MAX_KNOWN + 1];
	struct globals *g;
	struct args *a;
	struct error *e;
};

static void know(struct parse *p, const struct command_option *o)
{
	struct option *row = &p->row[p->n];
	bool value = o->type != ARG_FLAG;

	p->known[p->n] = o;
	row->name = o->word;
	row->has_arg = value ? required_argument : no_argument;
	row->val = FIRST + (int)p->n++;
	if (o->letter)
		append(p->letters, sizeof(p->letters), "%c%s", o->letter, value ? ":" : "");
}

/*
 * @order: '-' every word is told in its order, '+' stop at the first one; ':' leaves the sentences
 * to us.
 */
static void prepare(struct parse *p, char order)
{
	append(p->letters, sizeof(p->letters), "%c:", order);
	for (size_t i = 0; p->cmd && i < p->cmd->noption && i < MAX_OPTIONS; i++)
		know(p, &p->cmd->option[i]);
	p->own = p->n;
	for (size_t i = 0; global_at(i); i++)
		know(p, global_at(i));
	optind = 0; /* glibc: forget what an earlier walk remembered */
}

/* Returns the position in p->known of what getopt_long() answered, or p->n. */
static size_t position(const struct parse *p, int answer)
{
	size_t i = 0;

	if (answer >= FIRST)
		return (size_t)(answer - FIRST);
	while (i < p->n && p->known[i]->letter != answer)
		i++;
	return i;
}

static void usage_hint(const struct parse *p, const char *first)
{
	char usage[384];

	if (p->cmd)
		hint(p->e, "%susage: %s%s", first, p->inside ? "" : "msictl ",
		     command_usage(p->cmd, p->inside, usage, sizeof(usage)));
	else
		hint(p->e,
		     "%susage: msictl [OPTION...] COMMAND [WORD...]; msictl help lists the commands",
		     first);
}

static int unknown(const struct parse *p, const char *word)
{
	_cleanup_free_ char *typed = NULL;
	char first[64] = ""; /* with one of our own words */
	struct nearest near;

	if (optopt) {
		fail(p->e, CAUSE_USAGE, 0, "there is no option -%c", optopt);
		usage_hint(p, "");
		return -EINVAL;
	}
	word += strspn(word, "-");
	typed = strndup(word, strcspn(word, "="));
	if (!typed)
		return fail_memory(p->e);
	near = (struct nearest){ .typed = typed };
	for (size_t i = 0; i < p->n; i++)
		if (p->known[i]->help)
			nearest_try(&near, p->known[i]->word);
	if (near.word)
		append(first, sizeof(first), "did you mean --%s? ", near.word);
	fail(p->e, CAUSE_USAGE, 0, "there is no option --%s", typed);
	usage_hint(p, first);
	return -EINVAL;
}

static int bad_option(const struct parse *p, int answer, const char *word)
{
	size_t i = position(p, optopt);

	if (answer == ':' && i < p->n) {
		const struct command_option *o = p->known[i];

		fail(p->e, CAUSE_USAGE, 0, "--%s needs a value: %s", o->word,
		     arg_type_name(o->type, o->name, o->choices));
	} else if (optopt >= FIRST && i < p->n) {
		fail(p->e, CAUSE_USAGE, 0, "--%s takes no value", p->known[i]->word);
	} else {
		return unknown(p, word);
	}
	usage_hint(p, "");
	return -EINVAL;
}

static int take_option(struct parse *p, size_t i, const char *text)
{
	const struct command_option *o = p->known[i];
	char label[40] = "--";
	int rc;

	if (i >= p->own && p->g->held && !global_in_session(i - p->own))
		return 0;
	if (i >= p->own) {
		if (p->inside && !global_in_session(i - p->own))
			return fail(p->e, CAUSE_USAGE, 0,
				    "--%s cannot be changed inside run and shell", o->word);
		rc = global_set(p->g, i - p->own, text, p->e);
	} else {
		append(label, sizeof(label), "%s", o->word);
		rc = arg_type_parse(o->type, o->choices, label, text, &p->a->option[i], p->e);
	}
	if (rc)
		usage_hint(p, "");
	return rc;
}

int globals_parse(int argc, char **argv, struct globals *g, int *argi, struct error *e)
{
	struct parse p = { .g = g, .e = e };
	int answer;

	prepare(&p, '+');
	while ((answer = getopt_long(argc, argv, p.letters, p.row, NULL)) != -1) {
		size_t i = position(&p, answer);
		int rc = i < p.n ? take_option(&p, i, optarg)
				 : bad_option(&p, answer, argv[optind - 1]);

		if (rc)
			return rc;
	}
	*argi = optind;
	return 0;
}

/*
 * All options are taken and the other words moved together to argv[1]... After
 * a first mistake the walk goes on for the sake of options that say how the
 * mistake is to be told (--json).
 */
static int walk(struct parse *p, int argc, char **argv, int *nword)
{
	struct error later, *first = p->e;
	int answer, bad = 0;

	*nword = 0;
	while ((answer = getopt_long(argc, argv, p->letters, p->row, NULL)) != -1) {
		size_t i = position(p, answer);
		int rc = 0;

		if (answer == 1)
			argv[1 + (*nword)++] = optarg;
		else
			rc = i < p->n ? take_option(p, i, optarg)
				      : bad_option(p, answer, argv[optind - 1]);
		if (rc) {
			bad = rc;
			p->e = &later;
		}
	}
	while (optind < argc)
		argv[1 + (*nword)++] = argv[optind++];
	p->e = first;
	return bad;
}

static int too_few(const struct parse *p, const struct param *param)
{
	fail(p->e, CAUSE_USAGE, 0, "%s is missing",
	     arg_type_name(param->type, param->name, param->choices));
	usage_hint(p, "");
	return -EINVAL;
}

static int too_many(const struct parse *p, const char *word)
{
	fail(p->e, CAUSE_USAGE, 0, "one word too many: \"%s\"", word);
	usage_hint(p, "");
	return -EINVAL;
}

static int take_words(struct parse *p, char **word, int n)
{
	const struct command *cmd = p->cmd;
	int used = 0;

	for (size_t i = 0; i < cmd->nparam && i < MAX_PARAMS; i++) {
		const struct param *param = &cmd->param[i];
		int rc;

		if (p->inside && param->type == ARG_DEVICE)
			continue;
		if (used == n) {
			if (param->optional)
				continue;
			return too_few(p, param);
		}
		rc = arg_type_parse(param->type, param->choices,
				    arg_type_name(param->type, param->name, param->choices),
				    word[used++], &p->a->param[i], p->e);
		if (rc) {
			usage_hint(p, "");
			return rc;
		}
		if (param->many) {
			p->a->rest = word + used;
			p->a->nrest = (size_t)(n - used);
			used = n;
		}
	}
	return used < n ? too_many(p, word[used]) : 0;
}

static int check_columns(const struct parse *p)
{
	if (!p->g->columns)
		return 0;
	if (p->cmd->table)
		return out_check_columns(p->cmd->table, p->g->columns, p->e);
	return fail(p->e, CAUSE_USAGE, 0, "--output: this command has no columns");
}

int command_parse(const struct command *cmd, int argc, char **argv, bool inside, struct globals *g,
		  struct args *a, struct error *e)
{
	struct parse p = { .cmd = cmd, .inside = inside, .g = g, .a = a, .e = e };
	int n, rc;

	*a = (struct args){ .command = cmd };
	prepare(&p, '-');
	rc = walk(&p, argc, argv, &n);
	if (rc)
		return rc;
	/* Who asks for help does not know the words yet. */
	if (g->help || g->version)
		return 0;
	rc = take_words(&p, argv + 1, n);
	return rc ? rc : check_columns(&p);
}
