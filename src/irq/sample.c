// SPDX-License-Identifier: GPL-2.0-or-later
#include "irq/sample.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* A vector that is gone for so many samples is forgotten. */
#define FORGET_AFTER TREND_LENGTH

/* Shorter silence after a first event is no sign of anything. */
#define ONCE_AFTER_US 5000000

void samples_free(struct samples *s)
{
	free(s->v);
	*s = (struct samples){ 0 };
}

static int by_key(const struct reading *x, const struct reading *y)
{
	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	if (x->vector != y->vector)
		return x->vector < y->vector ? -1 : 1;
	return x->vector >= 0 ? 0 : (x->irq > y->irq) - (x->irq < y->irq);
}

static int compare(const void *a, const void *b)
{
	const struct sampled *x = a, *y = b;

	return by_key(&x->now, &y->now);
}

bool trend_quiet(const struct trend *t)
{
	for (unsigned int i = 0; i < t->n; i++)
		if (t->history[i] > 0)
			return false;
	return true;
}

static void trend_push(struct trend *t, uint64_t delta, uint64_t now, uint64_t interval)
{
	t->delta = delta;
	t->rate = interval ? (double)delta * 1e6 / (double)interval : 0;
	if (delta)
		t->last_us = now;
	if (t->n == TREND_LENGTH)
		memmove(t->history, t->history + 1, sizeof(t->history) - sizeof(t->history[0]));
	else
		t->n++;
	t->history[t->n - 1] = t->rate;
}

void samples_begin(struct samples *s, uint64_t now)
{
	s->before_us = s->at_us;
	s->at_us = now;
	s->was_blind = s->blind;
	s->blind = false;
	for (size_t i = 0; i < s->n; i++)
		s->v[i].present = s->v[i].seen = false;
}

void samples_blind(struct samples *s)
{
	s->blind = true;
}

static struct sampled *find(const struct samples *s, const struct reading *r)
{
	const struct sampled key = { .now = *r };

	return s->sorted ? bsearch(&key, s->v, s->sorted, sizeof(key), compare) : NULL;
}

static struct sampled *push(struct samples *s, const struct reading *r)
{
	struct sampled *v;

	if (s->n == s->room) {
		size_t room = s->room ? s->room * 2 : 8;
		struct sampled *more = reallocarray(s->v, room, sizeof(*more));

		if (!more)
			return NULL;
		s->v = more;
		s->room = room;
	}
	v = &s->v[s->n++];
	*v = (struct sampled){ .now = *r, .since_us = s->at_us };
	return v;
}

/* What an eventfd counted since the reading before. */
static bool since(const struct samples *s, const struct sampled *v, const struct reading *r,
		  uint64_t *fresh)
{
	/* An eventfd that was not there: of those only what never counted is left out. */
	bool anew = v->absent && !s->was_blind;

	*fresh = r->count;
	if (!r->counted || anew)
		return r->counted;
	/* it began anew */
	if (r->count >= v->now.count)
		*fresh = r->count - v->now.count;
	/* what came while it could not be read is not of this time */
	return v->now.counted && !v->absent;
}

/* The same of what the host counts, whose reader compared it. */
static bool since_of_host(const struct samples *s, const struct reading *r, uint64_t *fresh)
{
	*fresh = r->fresh;
	return r->counted && r->compared && !s->was_blind;
}

static void update(struct samples *s, struct sampled *v, const struct reading *r)
{
	uint64_t fresh, woken = r->wakeups;
	bool compared = r->from == COUNT_HOST ? since_of_host(s, r, &fresh)
					      : since(s, v, r, &fresh);
	bool anew = v->absent && !s->was_blind;

	if (r->counted) {
		if (!anew && r->wakeups >= v->now.wakeups)
			woken -= v->now.wakeups;
		v->wakeup_delta = woken;
		v->now = *r;
	} else {
		v->now.counted = false;
	}
	v->compared = compared;
	trend_push(&v->trend, compared ? fresh : 0, s->at_us, s->at_us - s->before_us);
}

/* What is new since the sample before has counted all that it has in between; if there was one. */
static void first(struct samples *s, struct sampled *v, const struct reading *r)
{
	bool all = r->counted && !s->was_blind;
	uint64_t fresh = r->count;

	if (!s->taken)
		return;
	if (r->from == COUNT_HOST)
		all = since_of_host(s, r, &fresh);
	v->compared = all;
	v->wakeup_delta = all ? r->wakeups : 0;
	trend_push(&v->trend, all ? fresh : 0, s->at_us, s->at_us - s->before_us);
}

int samples_add(struct samples *s, const struct reading *r)
{
	struct sampled *v = find(s, r);

	if (v) {
		update(s, v, r);
	} else {
		v = push(s, r);
		if (!v)
			return -ENOMEM;
		first(s, v, r);
	}
	v->seen = true;
	v->present = !r->hidden;
	v->absent = 0;
	return 0;
}

void samples_end(struct samples *s)
{
	uint64_t delta = 0;
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct sampled *v = &s->v[i];

		if (!v->seen) {
			if (++v->absent > FORGET_AFTER)
				continue;
			v->compared = false;
			trend_push(&v->trend, 0, s->at_us, s->at_us - s->before_us);
		}
		add_count(&delta, v->present ? v->trend.delta : 0);
		if (kept != i)
			s->v[kept] = *v;
		kept++;
	}
	if (kept)
		qsort(s->v, kept, sizeof(*s->v), compare);
	s->n = s->sorted = kept;
	if (s->taken++)
		trend_push(&s->total, delta, s->at_us, s->at_us - s->before_us);
}

enum mark sampled_mark(const struct samples *s, const struct sampled *v, double storm)
{
	uint64_t last = v->trend.last_us ? v->trend.last_us : v->since_us;

	if (v->trend.n && v->trend.rate > storm)
		return MARK_STORM;
	if (v->now.counted && v->now.count == 1 && s->at_us - last >= ONCE_AFTER_US)
		return MARK_ONCE;
	return MARK_NONE;
}

const char *mark_word(enum mark mark)
{
	static const char *const words[] = { [MARK_STORM] = "storm", [MARK_ONCE] = "once" };

	return words[mark];
}
