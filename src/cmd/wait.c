// SPDX-License-Identifier: GPL-2.0-or-later
/* wait: for vectors that count, or for an event of the device */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/util.h"
#include "cli/vectors.h"
#include "cli/report.h"
#include "cli/session.h"
#include "cmd/all.h"
#include "cmd/vectors.h"
#include "cmd/wait.h"
#include "device/handle.h"
#include "host/function.h"
#include "host/irq-watch.h"

/* The kernel tells nobody when a foreign driver's IRQ counts: only looking again does. */
#define HOST_SAMPLE_US 50000

enum {
	WAIT_AT_LEAST,
	WAIT_EVENT,
	WAIT_TIMEOUT
};

#define WAIT_US 10000000

/* Where the counts come from: the eventfds of our own device, or the host's IRQs of anybody's. */
struct expectation {
	enum irq_index index;
	struct vector_set which;
	uint64_t at_least, begin, limit;
	struct host_watch host;
	uint64_t fresh[MAX_VECTORS]; /* what Linux counted of each since the beginning */
};

static uint64_t count_of(const struct expectation *x, const struct device *d, unsigned int v)
{
	if (d)
		return d->irq[x->index].vector && d->irq[x->index].vector[v]
			       ? d->irq[x->index].vector[v]->count
			       : 0;
	return x->fresh[v];
}

/* Only what is known to have come since the last look counts. */
static int look_at_host(const struct session *s, struct expectation *x)
{
	int rc = host_watch_read(&s->root, &x->host);

	for (size_t i = 0; !rc && i < x->host.irqs.n; i++) {
		const struct host_irq *irq = &x->host.irqs.irq[i];

		if (irq->index == x->index && irq->vector >= 0 && irq->vector < (int)MAX_VECTORS)
			x->fresh[irq->vector] += x->host.counted[i].fresh;
	}
	return rc;
}

/* Vectors that have not counted enough yet; -errno. */
static int missing(const struct session *s, struct expectation *x, struct vector_set *short_of)
{
	int rc = s->device ? 0 : look_at_host(s, x);
	unsigned int v;

	*short_of = (struct vector_set){ .bits = { 0 } };
	for_each_vector (v, &x->which)
		if (count_of(x, s->device, v) < x->at_least)
			vector_set_add(short_of, v);
	return rc;
}

static int tell(struct out *o, const struct expectation *x, const struct vector_set *short_of,
		struct error *e)
{
	node *doc = out_doc(o);
	char text[128];

	doc_text(doc, "command", "wait");
	doc_text(doc, "index", irq_index_word(x->index));
	doc_vectors(doc, "vectors", &x->which);
	doc_vectors(doc, "missing", short_of);
	doc_number(doc, "at_least", x->at_least);
	doc_number(doc, "us", now_us() - x->begin);
	if (vector_set_empty(short_of)) {
		out_text(o, "%s: %s counted at least %" PRIu64, irq_index_word(x->index),
			 vector_set_text(&x->which, text, sizeof(text)), x->at_least);
		return 0;
	}
	return fail(e, CAUSE_EXPECTATION, 0, "%s %s did not count %" PRIu64 " within %.3g s",
		    irq_index_word(x->index), vector_set_text(short_of, text, sizeof(text)),
		    x->at_least, (double)x->limit / 1e6);
}

static int step(struct session *s, void *state, uint64_t *due, struct error *e)
{
	struct expectation *x = state;
	uint64_t now, until = x->begin + x->limit;
	struct vector_set short_of;
	int rc = missing(s, x, &short_of);

	if (rc)
		return fail(e, cause_of_errno(-rc), -rc, "the host's IRQs can't be read");
	now = now_us();
	if (vector_set_empty(&short_of) || now >= until)
		return tell(s->out, x, &short_of, e);
	*due = s->device || until - now < HOST_SAMPLE_US ? until : now + HOST_SAMPLE_US;
	return s->device && device_here(s->device, e) ? -ENODEV : 1;
}

static void end(void *state)
{
	struct expectation *x = state;

	host_watch_free(&x->host);
	free(x);
}

/* What the function does not have would be waited for in vain. */
static int check_host(const struct session *s, const struct expectation *x, const struct args *a,
		      struct error *e)
{
	_cleanup_free_ struct function *f = NULL;
	const char *word = irq_index_word(x->index);
	struct vector_source src = { 0 };
	unsigned int n, end = vector_set_end(&a->param[2].vectors);
	int rc;

	if (x->index > IRQ_MSIX) {
		_cleanup_free_ char *device = quote_word_dup(a->param[0].text);

		rc = fail(e, CAUSE_USAGE, 0, "Linux has no IRQ for %s, so it counts none", word);
		hint(e, "msictl run %s -c 'enable %s 1; wait %s 0'   counts its eventfd",
		     device ? device : a->param[0].text, word, word);
		return rc;
	}
	f = calloc(1, sizeof(*f));
	if (!f)
		return fail_memory(e);
	rc = function_peek(&s->root, &x->host.addr, f, e);
	if (rc)
		return rc;
	src.caps = &f->caps;
	n = vector_capacity(&src, x->index);
	if (f->caps.problem != CAPS_OK)
		return 0;
	if (!n)
		return fail(e, CAUSE_FAILED, 0, "the device has no %s", word);
	if (end <= n)
		return 0;
	return fail(e, CAUSE_USAGE, 0, "%s has vectors 0-%u, %u is beyond", word, n - 1, end - 1);
}

/* A foreign device: the vectors are those that the host knows now. */
static int expect_host(const struct session *s, struct expectation *x, const struct args *a,
		       struct error *e)
{
	int rc = session_address(s, a->param[0].text, &x->host.addr, e);
	unsigned int misses = root_misses(&s->root);
	char bdf[PCI_ADDR_LEN];

	if (rc)
		return rc;
	if (!root_exists(&s->root, "sys/bus/pci/devices/%s", pci_addr_full(&x->host.addr, bdf)))
		return root_missed(&s->root, misses)
			       ? root_fail_missed(&s->root, e)
			       : fail(e, CAUSE_NO_DEVICE, ENODEV, "no such PCI function");
	rc = check_host(s, x, a, e);
	if (rc)
		return rc;
	rc = host_watch_read(&s->root, &x->host);
	if (rc)
		return fail(e, cause_of_errno(-rc), -rc, "the host's IRQs can't be read");
	x->which = a->param[2].vectors;
	if (a->param[2].word == VECTORS_LISTED)
		return 0;
	x->which = host_irqs_armed(&x->host.irqs, x->index);
	if (!vector_set_empty(&x->which))
		return 0;
	return fail(e, CAUSE_FAILED, 0, "no %s vector is armed", irq_index_word(x->index));
}

static int expect(struct session *s, struct expectation *x, const struct args *a, struct error *e)
{
	if (!session_loop(s, e))
		return -ENOMEM;
	if (!s->device)
		return expect_host(s, x, a, e);
	return resolve_armed(s->device, x->index, &a->param[2], &x->which, e);
}

/* Whatever a dry run would have let count does not come. */
static int tell_dry(struct session *s, struct expectation *x)
{
	node *doc = out_doc(s->out);

	doc_bool(doc, "dry_run", true);
	doc_text(doc, "command", "wait");
	doc_text(doc, "index", irq_index_word(x->index));
	doc_vectors(doc, "vectors", &x->which);
	out_note(s->out, "a dry run waits for nothing");
	end(x);
	return 0;
}

static int wait_vectors(struct session *s, const struct args *a, uint64_t limit, struct error *e)
{
	const struct value *at_least = &a->option[WAIT_AT_LEAST];
	struct expectation *x = calloc(1, sizeof(*x));
	int rc;

	if (!x)
		return fail_memory(e);
	x->index = a->param[1].index;
	x->at_least = at_least->given ? at_least->number : 1;
	x->begin = now_us();
	x->limit = limit;
	rc = expect(s, x, a, e);
	if (!rc && s->device && s->trace.dry_run)
		return tell_dry(s, x);
	if (!rc)
		return session_stay(s, step, end, x);
	end(x);
	return rc;
}

static int wrong_words(const struct args *a, bool inside, struct error *e)
{
	char usage[256];
	int rc;

	if (a->option[WAIT_EVENT].given)
		rc = fail(
			e, CAUSE_USAGE, 0,
			"vectors (INDEX, VECTORS, --at-least) and --event are waited for one at a time");
	else if (a->param[1].given)
		rc = fail(e, CAUSE_USAGE, 0, "VECTORS is missing");
	else
		rc = fail(e, CAUSE_USAGE, 0,
			  "what to wait for is missing: INDEX VECTORS, or --event");
	hint(e, "usage: %s%s", inside ? "" : "msictl ",
	     command_usage(a->command, inside, usage, sizeof(usage)));
	return rc;
}

static int run_wait(struct session *s, const struct args *a, struct error *e)
{
	const struct value *event = &a->option[WAIT_EVENT], *timeout = &a->option[WAIT_TIMEOUT];
	uint64_t limit = timeout->given ? timeout->number : WAIT_US;

	if (event->given ? a->param[1].given || a->option[WAIT_AT_LEAST].given : !a->param[2].given)
		return wrong_words(a, s->inside, e);
	return event->given ? wait_event(s, a->param[0].text, event->text, limit, e)
			    : wait_vectors(s, a, limit, e);
}

/* The kernel's events go on when the device and its holder have gone. */
static bool needs_device(const struct args *a)
{
	return !a->option[WAIT_EVENT].given;
}

const struct command cmd_wait = {
	.word = "wait",
	.summary = "wait until vectors have counted, or for an event; exit 8 when it does not come",
	.help = "INDEX VECTORS: inside run and shell the eventfds are counted, from the moment a vector was armed. "
		"Outside, on a device that another driver or a VM owns, the host's counts from now on.\n"
		"--event: until the kernel says that the function came (add), went (remove), got a driver (bind) or "
		"lost it (unbind). An event is an event: what is so already, or happened before the command listened, "
		"does not count.",
	.family = FAMILY_SCRIPT,
	.flags = CMD_HELD | CMD_LIVE_HOST,
	COMMAND_PARAMS({ .type = ARG_DEVICE }, { .type = ARG_INDEX, .optional = true },
		       { .type = ARG_VECTORS, .optional = true }),
	COMMAND_OPTIONS([WAIT_AT_LEAST] = { "at-least", 0, ARG_COUNT, "N", NULL,
					    "each vector's count (1)" },
			[WAIT_EVENT] = { "event", 0, ARG_CHOICE, "EVENT", "bind|unbind|add|remove",
					 "bind, unbind, add or remove" },
			[WAIT_TIMEOUT] = { "timeout", 0, ARG_PERIOD, "T", NULL,
					   "give up after T: 500ms, 2s, 1m (10s)" }),
	.needs_device = needs_device,
	.run = run_wait,
};
