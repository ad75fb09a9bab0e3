// SPDX-License-Identifier: GPL-2.0-or-later
/* trigger */
#include <errno.h>
#include <inttypes.h>

#include "cmd.h"
#include "device.h"
#include "report.h"
#include "session.h"
#include "util.h"

/* Undrained eventfds lose nothing, but the shell's counters should move. */
#define DRAIN_EVERY 1024

enum {
	TRIGGER_COUNT,
	TRIGGER_RATE
};

static int fire(struct session *s, enum irq_index index, const struct vector_set *which, uint64_t count, uint64_t rate,
		uint64_t *done, struct error *e)
{
	uint64_t begin = now_us();
	int rc;

	for (*done = 0; *done < count; ++*done) {
		uint64_t due = rate ? begin + *done * 1000000 / rate : 0;

		while (rate && now_us() < due)
			if (loop_wait(s->loop, due) == -EINTR)
				return session_stopped(s, e);
		rc = device_trigger(s->device, index, which, e);
		if (rc)
			return rc;
		if (*done % DRAIN_EVERY == 0 && device_drain(s->device) == -EINTR)
			return session_stopped(s, e);
	}
	return device_drain(s->device) == -EINTR ? session_stopped(s, e) : 0;
}

static int run_trigger(struct session *s, const struct args *a, struct error *e)
{
	const struct value *count = &a->option[TRIGGER_COUNT], *rate = &a->option[TRIGGER_RATE];
	enum irq_index index = a->param[1].index;
	struct vector_set which;
	uint64_t done = 0;
	char text[128];
	node *doc;
	int rc;

	rc = resolve_vectors(s->device, index, a->param[2].word, &a->param[2].vectors, &which, e);
	if (rc)
		return rc;
	rc = fire(s, index, &which, count->given ? count->number : 1, rate->given ? rate->number : 0, &done, e);
	if (rc && !done)
		return rc;
	doc = out_doc(s->out);
	doc_text(doc, "command", a->command->word);
	doc_text(doc, "index", irq_index_word(index));
	doc_vectors(doc, "vectors", &which);
	doc_number(doc, "times", done);
	doc_bool(doc, "loopback", true);
	vector_set_text(&which, text, sizeof(text));
	out_text(s->out, "%s: triggered %s, %" PRIu64 " time%s (loopback: proves the eventfds, not the device)",
		 irq_index_word(index), text, done, done == 1 ? "" : "s");
	return rc;
}

const struct command cmd_trigger = {
	.word = "trigger",
	.summary = "let the kernel signal eventfds (loopback)",
	.help = "The kernel signals the eventfds itself. This proves the way from VFIO to the eventfd and nothing of "
		"the device, "
		"its masks, bus mastering or remapping; it does not count in /proc/interrupts. To make the device "
		"fire, write "
		"its registers.",
	.family = FAMILY_CHANGE,
	.flags = CMD_OPENS | CMD_CHANGES | CMD_LIVE_HOST,
	.param = (const struct param[]){ { .kind = KIND_DEVICE }, { .kind = KIND_INDEX }, { .kind = KIND_VECTORS } },
	.nparam = 3,
	.option =
		(const struct option[]){
			[TRIGGER_COUNT] = { "count", 0, KIND_COUNT, "N", NULL, "so many times (1)" },
			[TRIGGER_RATE] = { "rate", 0, KIND_RATE, "HZ", NULL,
					   "so many times a second (as fast as it goes)" },
		},
	.noption = 2,
	.run = run_trigger,
};
