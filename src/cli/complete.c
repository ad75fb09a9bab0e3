// SPDX-License-Identifier: GPL-2.0-or-later
/* Candidates for the word being typed, from the rows. */
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "cli/arg-type.h"
#include "cli/command.h"
#include "cli/global-options.h"

/* Behind it DEVICE is a SPEC. */
#define SIMULATED "sim:"

struct complete {
	const struct commands *c;
	bool inside;
	const struct completion_source *src;
	void (*add)(void *to, const char *word, const char *help);
	void *to;

	/* Where on the line we are. */
	const struct command *cmd;
	const struct command_option *pending; /* the word before wants a value */
	bool literal;			      /* behind -- */
	size_t nword;			      /* words behind the command's that are no options */

	/*
	 * The word being typed: what a candidate keeps of it, and what a candidate must begin with.
	 */
	char lead[512];
	const char *typed;
};

static void offer(void *ctx, const char *word, const char *help)
{
	struct complete *k = ctx;
	char whole[sizeof(k->lead) + 256];

	if (strncasecmp(word, k->typed, strlen(k->typed)) != 0)
		return;
	copy_text(whole, sizeof(whole), k->lead);
	append(whole, sizeof(whole), "%s", word);
	k->add(k->to, whole, help);
}

/* What lies before @typed stays as it is. */
static void set_lead(struct complete *k, const char *word, const char *typed)
{
	size_t n = (size_t)(typed - word);

	copy_text(k->lead, n < sizeof(k->lead) ? n + 1 : sizeof(k->lead), word);
	k->typed = typed;
}

static const struct command_option *nth_option(const struct complete *k, size_t i)
{
	size_t own = k->cmd ? k->cmd->noption : 0;

	if (i < own)
		return &k->cmd->option[i];
	return global_at(i - own);
}

/* Every option once: what a command calls its own hides a global one of that name. */
static bool offered(const struct complete *k, size_t i)
{
	size_t own = k->cmd ? k->cmd->noption : 0;
	const struct command_option *o = nth_option(k, i);

	if (!o->help || i < own)
		return o->help;
	for (size_t n = 0; n < own; n++)
		if (!strcmp(k->cmd->option[n].word, o->word))
			return false;
	return !k->inside || global_in_session(i - own);
}

static const struct command_option *find_long(const struct complete *k, const char *word,
					      size_t len)
{
	const struct command_option *o;

	for (size_t i = 0; (o = nth_option(k, i)); i++)
		if (strlen(o->word) == len && !strncmp(o->word, word, len))
			return o;
	return NULL;
}

static const struct command_option *find_letter(const struct complete *k, char letter)
{
	const struct command_option *o;

	for (size_t i = 0; (o = nth_option(k, i)); i++)
		if (o->letter == letter)
			return o;
	return NULL;
}

/* The option in @word whose value is the next word. */
static const struct command_option *wants_value(const struct complete *k, const char *word)
{
	const struct command_option *o = NULL;

	if (word[1] == '-') {
		o = find_long(k, word + 2, strlen(word + 2));
		return o && o->type != ARG_FLAG ? o : NULL;
	}
	for (word++; *word; word++) {
		o = find_letter(k, *word);
		if (o && o->type != ARG_FLAG)
			return word[1] ? NULL : o;
	}
	return NULL;
}

static const struct command *find_command(const struct complete *k, const char *word)
{
	for (size_t i = 0; i < k->c->n; i++)
		if (!strcmp(k->c->row[i]->word, word))
			return k->c->row[i];
	return NULL;
}

/* Returns false when no candidate can be told. */
static bool pass_word(struct complete *k, const char *word)
{
	if (k->pending) {
		k->pending = NULL;
	} else if (!k->literal && word[0] == '-' && word[1]) {
		if (!strcmp(word, "--"))
			k->literal = true;
		else
			k->pending = wants_value(k, word);
	} else if (!k->cmd) {
		k->cmd = find_command(k, word);
		return k->cmd;
	} else {
		k->nword++;
	}
	return true;
}

static void offer_commands(struct complete *k)
{
	for (size_t i = 0; i < k->c->n; i++) {
		const struct command *cmd = k->c->row[i];

		if (!(cmd->flags & (CMD_HIDDEN | (k->inside ? CMD_OUTSIDE : CMD_INSIDE))))
			offer(k, cmd->word, cmd->summary);
	}
}

static void offer_options(struct complete *k, const char *word)
{
	const struct command_option *o;

	copy_text(k->lead, sizeof(k->lead), "--");
	k->typed = word[1] == '-' ? word + 2 : word + 1;
	for (size_t i = 0; (o = nth_option(k, i)); i++)
		if (offered(k, i))
			offer(k, o->word, o->help);
}

/* "-o A,B" typed so far: whether @name is in it. */
static bool listed(const char *list, const char *name)
{
	list += *list == '+';
	for (;;) {
		size_t n = strcspn(list, ",");

		if (n == strlen(name) && !strncasecmp(list, name, n))
			return true;
		if (!list[n])
			return false;
		list += n + 1;
	}
}

static void offer_columns(struct complete *k, const char *word, const char *list)
{
	const struct table *t = k->cmd ? k->cmd->table : NULL;

	if (*k->typed == '+')
		set_lead(k, word, k->typed + 1);
	for (size_t i = 0; t && i < t->n; i++)
		if (!listed(list, t->column[i].name))
			offer(k, t->column[i].name, t->column[i].help);
}

/* @word is of @type from @from on. */
static void offer_type(struct complete *k, enum arg_type type, const char *choices,
		       const char *word, const char *from)
{
	const char *comma;

	if (type == ARG_DEVICE && !strncmp(from, SIMULATED, strlen(SIMULATED))) {
		type = ARG_SPEC;
		from += strlen(SIMULATED);
	}
	comma = arg_type_is_list(type) ? strrchr(from, ',') : NULL;
	set_lead(k, word, comma ? comma + 1 : from);
	if (type == ARG_COLUMNS) {
		offer_columns(k, word, from);
		return;
	}
	if (type == ARG_COMMAND)
		offer_commands(k);
	if (type == ARG_FILE || (type == ARG_DEVICE && strchr(from, '/')))
		k->add(k->to, "", "file");
	arg_type_words(type, choices, offer, k);
	if (k->src && k->src->candidates)
		k->src->candidates(k->src->ctx, type, k->typed, offer, k);
}

static void offer_param(struct complete *k, const char *word)
{
	const struct param *p = NULL;
	size_t n = 0;

	for (size_t i = 0; i < k->cmd->nparam; i++) {
		if (k->inside && k->cmd->param[i].type == ARG_DEVICE)
			continue;
		p = &k->cmd->param[i];
		if (n++ == k->nword || p->many)
			break;
		p = NULL;
	}
	if (p)
		offer_type(k, p->type, p->choices, word, word);
}

static void offer_last(struct complete *k, const char *word)
{
	const char *equals = strchr(word, '=');
	const struct command_option *o;

	if (k->pending) {
		offer_type(k, k->pending->type, k->pending->choices, word, word);
	} else if (!k->literal && !strncmp(word, "--", 2) && equals) {
		o = find_long(k, word + 2, (size_t)(equals - word) - 2);
		if (o && o->type != ARG_FLAG)
			offer_type(k, o->type, o->choices, word, equals + 1);
	} else if (!k->literal && word[0] == '-') {
		offer_options(k, word);
	} else if (!k->cmd) {
		set_lead(k, word, word);
		offer_commands(k);
	} else {
		offer_param(k, word);
	}
}

void command_complete(const struct commands *c, int argc, char **argv, bool inside,
		      const struct completion_source *src,
		      void (*add)(void *to, const char *word, const char *help), void *to)
{
	struct complete k = { .c = c, .inside = inside, .src = src, .add = add, .to = to };

	if (argc < 1)
		return;
	for (int i = 0; i < argc - 1; i++)
		if (!pass_word(&k, argv[i]))
			return;
	offer_last(&k, argv[argc - 1]);
}
