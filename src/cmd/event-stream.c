// SPDX-License-Identifier: GPL-2.0-or-later
/* What a holder tells a shell of counts; hidden, for no person types it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cmd/all.h"
#include "cli/session.h"
#include "hold/lines.h"
#include "hold/wire.h"

/* A tenth of a second between two looks at least; who looks is woken by whatever comes. */
#define LOOK_US 100000

struct told {
	uint64_t opened; /* the device told of, by when it was opened; 0: none yet */
	uint64_t next;
	struct hold_line index[NR_IRQ_INDEX];
	struct {
		uint64_t *of; /* of each vector, NULL: all 0 */
		unsigned int n;
	} count[NR_IRQ_INDEX];
	bool begun;
};

static void forget(struct told *t)
{
	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++) {
		free(t->count[i].of);
		t->count[i].of = NULL;
		t->count[i].n = 0;
		t->index[i] = (struct hold_line){ 0 };
	}
}

static void end(void *state)
{
	forget(state);
	free(state);
}

static int send_line(struct session *s, const struct hold_line *l)
{
	_cleanup_free_ char *text = hold_line_text(l);

	if (!text)
		return -ENOMEM;
	out_text(s->out, "%s", text);
	return 0;
}

static int tell_index(struct session *s, struct told *t, const struct index *ix)
{
	const struct hold_line l = hold_line_index(s->device, ix->index);
	struct hold_line *told = &t->index[ix->index];

	if (l.on == told->on && l.narmed == told->narmed && l.vectors == told->vectors)
		return 0;
	*told = l;
	return send_line(s, &l);
}

static int remember(struct told *t, const struct index *ix)
{
	if (t->count[ix->index].of)
		return 0;
	t->count[ix->index].of = calloc(ix->info.count, sizeof(*t->count[ix->index].of));
	if (!t->count[ix->index].of)
		return -ENOMEM;
	t->count[ix->index].n = ix->info.count;
	return 0;
}

static int tell_vectors(struct session *s, struct told *t, const struct index *ix)
{
	if (!ix->vector)
		return 0;
	if (remember(t, ix))
		return -ENOMEM;
	for (unsigned int v = 0; v < ix->info.count && v < t->count[ix->index].n; v++) {
		struct hold_line l = hold_line_vector(ix, v);
		uint64_t *told = &t->count[ix->index].of[v];

		if (l.count == *told)
			continue;
		l.more = t->begun ? l.count - *told : 0;
		*told = l.count;
		if (send_line(s, &l))
			return -ENOMEM;
	}
	return 0;
}

static int look(struct session *s, struct told *t)
{
	const struct hold_line another = { .of = LINE_DEVICE,
					   .device = s->device->spec,
					   .open = s->device->handle };
	int rc = 0;

	/* its address is no sign: that of the one before may have come back */
	if (t->opened && t->opened != s->device->opened) {
		forget(t);
		rc = send_line(s, &another);
	}
	t->opened = s->device->opened;
	for (unsigned int i = 0; i < NR_IRQ_INDEX && !rc; i++) {
		rc = tell_index(s, t, &s->device->irq[i]);
		if (!rc)
			rc = tell_vectors(s, t, &s->device->irq[i]);
	}
	t->begun = true;
	out_end(s->out);
	return rc;
}

static int step(struct session *s, void *state, uint64_t *due, struct error *e)
{
	struct told *t = state;
	uint64_t now = now_us();
	int rc;

	if (now < t->next) {
		*due = t->next;
		return 1;
	}
	t->next = now + LOOK_US;
	rc = look(s, t);
	return rc ? fail_memory(e) : 1;
}

static int run_stream_command(struct session *s, const struct args *a, struct error *e)
{
	struct told *t;

	(void)a;
	/* Elsewhere it would wait for what comes to others. */
	if (!s->siblings)
		return fail(e, CAUSE_USAGE, 0, "only a holder tells it");
	t = calloc(1, sizeof(*t));
	return t ? session_stay(s, step, end, t) : fail_memory(e);
}

const struct command cmd_event_stream = {
	.word = STREAM_WORD,
	.summary = "tell counts as they come, for the shell",
	.family = FAMILY_SCRIPT,
	.flags = CMD_INSIDE | CMD_HIDDEN,
	.run = run_stream_command,
};
