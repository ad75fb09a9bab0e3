// SPDX-License-Identifier: GPL-2.0-or-later
/* trigger */
#include <errno.h>

#include "base/util.h"
#include "cli/vectors.h"
#include "cli/report.h"
#include "cli/session.h"
#include "cmd/all.h"
#include "device/handle.h"

/*
 * Others have their turn after so long, whatever the number of vectors: a holder has callers and
 * REQ to hear. Undrained eventfds lose nothing, but counters should move.
 */
#define TURN_US 2000

enum {
	TRIGGER_COUNT,
	TRIGGER_RATE
};

struct triggering {
	enum irq_index index;
	struct vector_set which;
	uint64_t count, rate; /* rate 0: as fast as it goes */
	uint64_t begin, done;
};

static uint64_t next_due(const struct triggering *t)
{
	/* Without rounding errors that add up, and without an overflow at the highest rate. */
	uint64_t seconds = t->rate ? t->done / t->rate : 0, rest = t->rate ? t->done % t->rate : 0;

	return t->rate ? t->begin + seconds * 1000000 + rest * 1000000 / t->rate : 0;
}

static const struct line triggered[] = {
	{ LINE_PART,
	  "{index}: {dry?would trigger}{dry!triggered} {vectors:128}, {times} time{times~} " },
	{ LINE_TEXT, "(loopback: proves the eventfds, not the device)" },
};

static void tell(struct out *o, const struct triggering *t, bool dry)
{
	node *doc = out_doc(o);

	doc_text(doc, "command", "trigger");
	doc_text(doc, "index", irq_index_word(t->index));
	doc_vectors(doc, "vectors", &t->which);
	doc_number(doc, "times", t->done);
	doc_bool(doc, "loopback", true);
	doc_bool(out_aside(o), "dry", dry);
	out_lines(o, doc, triggered, ARRAY_SIZE(triggered));
}

/* What was done is told also when the rest fails. */
static int end(struct session *s, const struct triggering *t, int rc)
{
	if (rc == 0 || t->done)
		tell(s->out, t, s->trace.dry_run);
	return rc;
}

static int step(struct session *s, void *state, uint64_t *due, struct error *e)
{
	struct triggering *t = state;
	uint64_t until = now_us() + TURN_US;

	if (s->loop && loop_stopped(s->loop))
		return end(s, t, session_stopped(s, e));
	/* Each would be the same call, and none is counted. */
	if (s->trace.dry_run) {
		int rc = device_trigger(s->device, t->index, &t->which, e);

		t->done = rc ? 0 : t->count;
		return end(s, t, rc);
	}
	while (t->done < t->count && now_us() < until) {
		int rc;

		*due = next_due(t);
		if (t->rate && now_us() < *due)
			return 1;
		rc = device_trigger(s->device, t->index, &t->which, e);
		if (rc)
			return end(s, t, rc);
		t->done++;
	}
	*due = next_due(t);
	if (t->done < t->count)
		return 1;
	return end(s, t, device_drain(s->device) == -EINTR ? session_stopped(s, e) : 0);
}

static int run_trigger(struct session *s, const struct args *a, struct error *e)
{
	const struct value *count = &a->option[TRIGGER_COUNT], *rate = &a->option[TRIGGER_RATE];
	struct triggering *t;
	int rc;

	if (count->given && !count->number)
		return fail(e, CAUSE_USAGE, 0, "--count 0 triggers nothing");
	t = calloc(1, sizeof(*t));
	if (!t)
		return fail_memory(e);
	t->index = a->param[1].index;
	t->count = count->given ? count->number : 1;
	t->rate = rate->number;
	t->begin = now_us();
	rc = resolve_armed(s->device, t->index, &a->param[2], &t->which, e);
	if (rc) {
		free(t);
		return rc;
	}
	session_stay(s, step, NULL, t);
	s->job.exit_reason = true;
	return 0;
}

const struct command cmd_trigger = {
	.word = "trigger",
	.summary = "let the kernel signal eventfds (loopback)",
	.help = "The kernel, or the peer that serves the device, signals the eventfds itself. "
		"This proves the way from VFIO to the eventfd and nothing of the device, its masks, bus mastering or remapping; "
		"it does not count in /proc/interrupts. "
		"To make the device fire, write its registers.",
	.family = FAMILY_CHANGE,
	.flags = CMD_OPENS | CMD_CHANGES | CMD_LIVE_HOST,
	COMMAND_PARAMS({ .type = ARG_DEVICE }, { .type = ARG_INDEX }, { .type = ARG_VECTORS }),
	COMMAND_OPTIONS([TRIGGER_COUNT] = { "count", 0, ARG_COUNT, "N", NULL, "so many times (1)" },
			[TRIGGER_RATE] = { "rate", 0, ARG_RATE, "HZ", NULL,
					   "so many times a second (as fast as it goes)" }),
	.run = run_trigger,
};
