// SPDX-License-Identifier: GPL-2.0-or-later
/* latency */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/histogram.h"
#include "base/util.h"
#include "cli/vectors.h"
#include "cli/report.h"
#include "cli/session.h"
#include "cmd/all.h"
#include "device/handle.h"

#define TIMES	  1000
#define MOST	  10000000
#define PATIENCE  1000000 /* us for one signal */
#define PER_STEP  256	  /* then others have their turn */
#define BAR_WIDTH 40

/* Halves of powers of two that are drawn: 64 ns to 18 minutes. */
#define FIRST_BOUND 12u
#define LAST_BOUND  80u

enum {
	LATENCY_TIMES
};

struct latency {
	enum irq_index index;
	struct vector_set which;
	const struct vector *vector;
	uint64_t want;
	struct histogram h; /* nanoseconds */
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int lost(const struct latency *l, struct error *e)
{
	return fail(e, CAUSE_EXPECTATION, 0, "%s %u did not count a trigger within 1 s",
		    irq_index_word(l->index), l->vector->number);
}

static int round_trip(struct session *s, struct latency *l, struct error *e)
{
	uint64_t count = l->vector->count, begin = now_ns(), until = now_us() + PATIENCE;
	int rc = device_trigger(s->device, l->index, &l->which, e);

	if (rc)
		return rc;
	while (l->vector->count == count) {
		rc = loop_wait(s->loop, until);
		if (rc == -EINTR)
			return session_stopped(s, e);
		if (rc >= 0)
			rc = device_here(s->device, e);
		if (rc < 0)
			return rc;
		if (l->vector->count == count && now_us() >= until)
			return lost(l, e);
	}
	histogram_add(&l->h, now_ns() - begin);
	return 0;
}

static const struct quantile {
	const char *key, *name;
	double part;
} quantiles[] = {
	{ "min_ns", "min", 0 },	   { "p50_ns", "p50", 0.5 },	   { "p90_ns", "p90", 0.9 },
	{ "p99_ns", "p99", 0.99 }, { "p99_9_ns", "p99.9", 0.999 }, { "max_ns", "max", 1 },
};

static void draw(struct out *o, uint64_t from, uint64_t n, uint64_t most)
{
	char bar[BAR_WIDTH + 1] = "";
	uint64_t width = (n * BAR_WIDTH + most - 1) / most;

	for (uint64_t i = 0; i < width; i++)
		append(bar, sizeof(bar), "#");
	out_text(o, "%12.1f us  %10" PRIu64 "  %s", (double)from / 1e3, n, bar);
}

/* The i-th half of a power of two. */
static uint64_t bound(unsigned int i)
{
	uint64_t power = UINT64_C(1) << (i / 2);

	return i % 2 ? power + power / 2 : power;
}

static uint64_t highest(const struct histogram *h)
{
	uint64_t most = 1;

	for (unsigned int i = FIRST_BOUND; i < LAST_BOUND; i++) {
		uint64_t n = histogram_between(h, bound(i), bound(i + 1));

		most = n > most ? n : most;
	}
	return most;
}

/* From the first that has something to the last. */
static void tell_histogram(struct out *o, node *doc, const struct histogram *h)
{
	node *rows = doc_array(doc, "histogram");
	uint64_t most = highest(h);

	for (unsigned int i = FIRST_BOUND; i < LAST_BOUND; i++) {
		uint64_t from = bound(i), to = bound(i + 1), n = histogram_between(h, from, to);
		node *row;

		if (from > h->max || to <= h->min)
			continue;
		row = doc_row(rows);
		doc_number(row, "from_ns", from);
		doc_number(row, "to_ns", to);
		doc_number(row, "count", n);
		draw(o, from, n, most);
	}
}

static void tell(struct out *o, const struct latency *l)
{
	node *doc = out_doc(o);
	char line[256] = "";

	doc_text(doc, "command", "latency");
	doc_text(doc, "index", irq_index_word(l->index));
	doc_number(doc, "vector", l->vector->number);
	doc_number(doc, "times", l->h.n);
	doc_bool(doc, "loopback", true);
	for (size_t i = 0; i < ARRAY_SIZE(quantiles); i++) {
		uint64_t ns = quantiles[i].part > 0 ? histogram_at(&l->h, quantiles[i].part)
						    : l->h.min;

		doc_number(doc, quantiles[i].key, ns);
		append(line, sizeof(line), "  %s %.1f", quantiles[i].name, (double)ns / 1e3);
	}
	out_text(o, "%s %u: %" PRIu64 " round trips (loopback: trigger to count), microseconds",
		 irq_index_word(l->index), l->vector->number, l->h.n);
	out_text(o, "%s", line);
	tell_histogram(o, doc, &l->h);
}

static int step(struct session *s, void *state, uint64_t *due, struct error *e)
{
	struct latency *l = state;
	int rc = device_here(s->device, e);

	for (unsigned int i = 0; !rc && i < PER_STEP && l->h.n < l->want; i++)
		rc = round_trip(s, l, e);
	if (rc)
		return rc;
	*due = 0;
	if (l->h.n < l->want)
		return 1;
	tell(s->out, l);
	return 0;
}

static int choose(struct session *s, struct latency *l, const struct args *a, struct error *e)
{
	struct vector_set armed;
	int rc = resolve_armed(s->device, l->index, &a->param[2], &l->which, e);
	unsigned int v;

	if (rc)
		return rc;
	v = vector_set_next(&l->which, 0);
	if (vector_set_count(&l->which) != 1)
		return fail(e, CAUSE_USAGE, 0, "one vector at a time is measured");
	armed = device_armed(s->device, l->index);
	if (!vector_set_has(&armed, v)) {
		rc = fail(e, CAUSE_FAILED, 0, "%s %u is not armed", irq_index_word(l->index), v);
		hint(e, "enable %s %u", irq_index_word(l->index), v + 1);
		return rc;
	}
	l->vector = s->device->irq[l->index].vector[v];
	return 0;
}

static int run_latency(struct session *s, const struct args *a, struct error *e)
{
	const struct value *times = &a->option[LATENCY_TIMES];
	struct latency *l;
	int rc;

	if (times->given && (!times->number || times->number > MOST))
		return fail(e, CAUSE_USAGE, 0, "--times: 1 to %d", MOST);
	l = calloc(1, sizeof(*l));
	if (!l)
		return fail_memory(e);
	l->index = a->param[1].index;
	l->want = times->given ? times->number : TIMES;
	rc = choose(s, l, a, e);
	if (!rc && s->trace.dry_run) {
		out_note(s->out, "a dry run triggers nothing, so nothing is measured");
		free(l);
		return 0;
	}
	/* what came before is not measured */
	if (!rc && device_drain(s->device) == -EINTR)
		rc = session_stopped(s, e);
	if (!rc)
		return session_stay(s, step, NULL, l);
	free(l);
	return rc;
}

const struct command cmd_latency = {
	.word = "latency",
	.summary = "measure the time from a trigger to its count (loopback)",
	.help = "Triggers one armed vector, waits until it has counted, and does so again. The time holds the call "
		"that "
		"triggers, the wake-up and the read of the eventfd; of the device it says nothing. Counts that the "
		"device "
		"makes meanwhile are taken for answers: measure a quiet vector.\n"
		"    msictl run 01:00.0 -c 'enable msix 1; latency msix 0 --times 100000'",
	.family = FAMILY_SCRIPT,
	.flags = CMD_OPENS | CMD_CHANGES | CMD_LIVE_HOST,
	COMMAND_PARAMS({ .type = ARG_DEVICE }, { .type = ARG_INDEX },
		       { .type = ARG_VECTORS, .name = "VECTOR" }),
	COMMAND_OPTIONS([LATENCY_TIMES] = { "times", 'n', ARG_COUNT, "N", NULL,
					    "round trips (1000)" }),
	.run = run_latency,
};
