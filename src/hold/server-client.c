// SPDX-License-Identifier: GPL-2.0-or-later
/* A caller's command in a holder: the same rows as everywhere, in a session of its own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/execute.h"
#include "hold/lines.h"
#include "hold/server-internal.h"
#include "hold/wire.h"
#include "runtime/find.h"

/* The device tells the caller what it does, for the time of his command. */
static void enter(struct client *c)
{
	*c->held->s.device_trace = c->s.trace;
	c->s.device = c->held->s.device;
}

/* reopen makes a new device: all who share the old one get it. */
static void leave(struct client *c)
{
	struct held *d = c->held;

	*d->s.device_trace = d->holder->quiet;
	d->s.device = c->s.device;
	for (struct client *o = d->holder->callers; o; o = o->next)
		if (o->held == d)
			o->s.device = d->s.device;
}

/*
 * A question about the device is no command on it: two of them must not count each other. What has
 * only connected, or has not sent all its words, runs no command yet.
 */
static bool is_command(const struct client *c)
{
	return c->begun && !c->call->finished && strcmp(c->call->word[0], HOLD_STATE) != 0 &&
	       strcmp(c->call->word[0], HOLD_COUNTS) != 0;
}

static unsigned int count_commands(const struct held *d)
{
	unsigned int n = 0;

	for (const struct client *c = d->holder->callers; c; c = c->next)
		n += c->held == d && is_command(c);
	return n;
}

static int tell_line(struct client *c, const struct hold_line *l, struct error *e)
{
	_cleanup_free_ char *text = hold_line_text(l);

	if (!text)
		return fail_memory(e);
	fputs(text, c->call->data);
	putc('\n', c->call->data);
	return 0;
}

static int tell_state(struct client *c, struct error *e)
{
	const struct device *d = c->held->s.device;
	const struct hold_line all = { .of = LINE_DEVICE,
				       .device = c->held->spec,
				       .since = (uint64_t)c->held->since,
				       .callers = count_commands(c->held),
				       .open = d->handle };
	int rc = tell_line(c, &all, e);

	for (unsigned int i = 0; i < NR_IRQ_INDEX && !rc; i++) {
		const struct hold_line index = hold_line_index(d, i);

		if (d->irq[i].present && d->irq[i].info.count)
			rc = tell_line(c, &index, e);
	}
	return rc;
}

/* What never counted and is not armed has nothing to tell. */
static int tell_index_counts(struct client *c, const struct index *ix, struct error *e)
{
	int rc = 0;

	for (unsigned int v = 0; ix->vector && v < ix->info.count && !rc; v++) {
		const struct hold_line l = hold_line_vector(ix, v);

		if (l.armed || l.count)
			rc = tell_line(c, &l, e);
	}
	return rc;
}

static int tell_counts(struct client *c, struct error *e)
{
	struct device *d = c->held->s.device;
	int rc = device_here(d, e);

	if (rc)
		return rc;
	device_drain(d);
	for (unsigned int i = 0; i < NR_IRQ_INDEX && !rc; i++)
		rc = tell_index_counts(c, &d->irq[i], e);
	return rc;
}

static int take(struct client *c, struct error *e)
{
	const struct request *call = c->call;
	struct holding how = { 0 };

	if (call->nword < 2)
		return fail(e, CAUSE_USAGE, 0, "DEVICE is missing");
	for (int i = 2; i < call->nword; i++) {
		how.bind |= !strcmp(call->word[i], HOLD_WORD_BIND);
		how.keep |= !strcmp(call->word[i], HOLD_WORD_KEEP);
	}
	return holder_take(c->held->holder, (const char *const[]){ call->word[1] }, 1, &how, e);
}

/* The answer comes when everything is put back. */
static int release(struct client *c, struct error *e)
{
	(void)e;
	c->releases = c->held->release = true;
	return 1;
}

static const struct verb {
	const char *word, *name;
	int (*run)(struct client *c, struct error *e); /* 1: it is not over yet */
} verbs[] = {
	{ HOLD_STATE, "holders", tell_state },
	{ HOLD_COUNTS, "watch", tell_counts },
	{ HOLD_TAKE, "hold", take },
	{ HOLD_RELEASE, "release", release },
};

static const struct verb *find_verb(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(word, verbs[i].word))
			return &verbs[i];
	return NULL;
}

/*
 * What a person at a prompt would type is no command of its own; and a holder that ends has no use
 * for it.
 */
static void say_how(const struct held *d, struct error *e)
{
	_cleanup_free_ char *word = d ? quote_word_dup(d->spec) : NULL;

	if (!word || !d->s.device || d->s.device->handle || e->err != ENODEV)
		return;
	if (d->keep)
		hint(e, "msictl run %s -c reopen   once it is back", word);
	else
		hint(e, "msictl hold %s   once it is back", word);
}

static void say_why(struct client *c, const struct error *e)
{
	/* Nothing of it is known before the request is whole. */
	const char *from = c->call->whole ? c->call->where : "";
	_cleanup_free_ char *where = NULL;
	struct error why = *e;

	say_how(c->held, &why);
	/* Who used a holder's own word has a sentence of his own to put it into. */
	if (c->call->whole && find_verb(c->call->word[0])) {
		fprintf(c->call->data, "%s%c%s%c", why.message, '\0', why.hint, '\0');
		return;
	}
	if (asprintf(&where, "%s%s%s%s%s", from, from[0] ? ": " : "", c->name, c->what ? ": " : "",
		     c->what ? c->what : "") < 0)
		where = NULL;
	out_error(c->call->out, where, &why);
}

void client_end(struct client *c, int rc, const struct error *e)
{
	if (c->call->finished)
		return;
	session_unstay(&c->s);
	if (rc)
		say_why(c, e);
	request_finish(c->call, rc ? (e->cause ? (int)e->cause : CAUSE_FAILED) : 0);
}

/* What a shell is told of counts: it looks for a new device itself, and says so. */
static bool is_stream(const struct client *c)
{
	return c->what && !strcmp(c->what, STREAM_WORD);
}

void clients_reopened(const struct held *d)
{
	_cleanup_free_ char *word = quote_word_dup(d->spec);
	struct error e;
	int rc = fail(&e, CAUSE_NO_DEVICE, 0,
		      "another caller's reopen closed the device, and nothing is armed any more");

	hint(&e, "msictl run %s -c '...'   its vectors have to be enabled again first",
	     word ? word : d->spec);
	for (struct client *c = d->holder->callers; c; c = c->next)
		if (c->held == d && c->s.job.step && !is_stream(c))
			client_end(c, rc, &e);
}

static void set_up(struct client *c)
{
	struct held *d = c->held;
	uint32_t flags = c->call->flags;

	c->s = d->s;
	c->s.owner = &d->s;
	c->s.out = c->call->out;
	c->s.trace = d->holder->quiet;
	c->s.trace.ctx = &c->s;
	c->s.globals = (struct globals){ .held = true,
					 .json = flags & HOLD_JSON,
					 .noheadings = flags & HOLD_NOHEADINGS,
					 .trace = flags & HOLD_TRACE,
					 .dry_run = flags & HOLD_DRY_RUN,
					 .noiommu = d->s.globals.noiommu,
					 .timeout_us = d->s.globals.timeout_us,
					 .color = flags & HOLD_COLOR ? "always" : "never" };
	session_apply(&c->s);
}

/*
 * Callers run all else themselves. What stays and looks at the device meanwhile would here see
 * another caller reopen it; only the feed, which no person types, is made for that.
 */
static int check_held(const struct args *a, struct error *e)
{
	if (command_for_holder(a) || a->command->flags & CMD_HIDDEN)
		return 0;
	return fail(e, CAUSE_USAGE, 0, "%s is not for a holder to run", a->command->word);
}

static int run_words(struct client *c, struct error *e)
{
	/* as main() has it, and what comes first is no option */
	char *argv[HOLD_MAX_WORDS + 2] = { (char *)c->call->where };
	int argc = 1 + c->call->nword, at = argc, rc;
	struct args args;

	memcpy(argv + 1, c->call->word, sizeof(c->call->word));
	rc = globals_parse(argc, argv, &c->s.globals, &at, e);
	if (rc == 0 && at == argc)
		rc = fail(e, CAUSE_USAGE, 0, "a command is missing");
	if (rc == 0)
		rc = execute_parse(&c->s, argc - at, argv + at, &c->what, &args, e);
	if (rc == 0)
		rc = check_held(&args, e);
	return rc ? rc : execute_row(&c->s, &args, e);
}

static int begin(struct client *c, struct error *e)
{
	int rc;

	set_up(c);
	/* What has arrived meanwhile is counted before the command looks. */
	if (c->s.device->handle)
		device_drain(c->s.device);
	enter(c);
	rc = run_words(c, e);
	leave(c);
	return rc == 0 && c->s.job.step ? 1 : rc;
}

static int begin_any(struct client *c, struct error *e)
{
	const struct verb *v = find_verb(c->call->word[0]);

	c->begun = true;
	if (!v)
		return begin(c, e);
	c->what = v->name;
	c->due = UINT64_MAX;
	return v->run(c, e);
}

static int step(struct client *c, struct error *e)
{
	int rc;

	c->due = UINT64_MAX;
	enter(c);
	rc = session_step(&c->s, &c->due, e);
	leave(c);
	return rc;
}

void client_run(struct client *c)
{
	struct error e = { 0 };
	int rc = 1;

	if (!c->call->whole || c->call->finished || !request_here(c->call))
		return;
	/* Whoever has given up must not find later that it was done all the same. */
	if (!c->begun && !request_look(c->call))
		return;
	if (!c->held && !c->releases)
		rc = attach_nobody(c->device, &e);
	else if (c->held && !c->begun)
		rc = begin_any(c, &e);
	if (rc > 0 && c->held && c->s.job.step)
		rc = step(c, &e);
	if (rc <= 0)
		client_end(c, rc, &e);
}

void client_free(struct client *c)
{
	session_unstay(&c->s);
	request_free(c->call);
	free(c->device);
	free(c->name);
	free(c);
}
