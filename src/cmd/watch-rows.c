// SPDX-License-Identifier: GPL-2.0-or-later
/* The rows of a page of watch, and their order. */
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "cmd/watch-page.h"

typedef int (*comparison)(const struct row *x, const struct row *y);

static int more_first(double x, double y)
{
	return (x < y) - (x > y);
}

static int by_irq(const struct row *x, const struct row *y)
{
	unsigned int a = x->v ? x->v->now.irq : 0, b = y->v ? y->v->now.irq : 0;

	return (a > b) - (a < b);
}

/* What is not known is last, as is a rate. */
static int by_count(const struct row *x, const struct row *y)
{
	uint64_t a = x->count == UINT64_MAX ? 0 : x->count,
		 b = y->count == UINT64_MAX ? 0 : y->count;

	return (a < b) - (a > b);
}

static int by_rate(const struct row *x, const struct row *y)
{
	int rc = more_first(x->compared ? x->trend->rate : -1, y->compared ? y->trend->rate : -1);

	return rc ? rc : by_count(x, y);
}

static int by_delta(const struct row *x, const struct row *y)
{
	return (x->trend->delta < y->trend->delta) - (x->trend->delta > y->trend->delta);
}

static const comparison comparisons[NR_SORT] = {
	[SORT_IRQ] = by_irq,
	[SORT_RATE] = by_rate,
	[SORT_COUNT] = by_count,
	[SORT_DELTA] = by_delta,
};

static int compare(const void *a, const void *b, void *how)
{
	const struct row *x = a, *y = b;
	int rc = *(const comparison *)how ? (*(const comparison *)how)(x, y) : 0;

	/* they were gathered in the order of devices, indexes and vectors */
	return rc ? rc : (x->place > y->place) - (x->place < y->place);
}

void page_sort(struct page *p, enum sort_key key)
{
	comparison how = comparisons[key];

	if (p->n)
		qsort_r(p->row, p->n, sizeof(*p->row), compare, &how);
}

static int push(struct page *p, const struct row *row)
{
	/* the array's room is the next power of two */
	if (!(p->n & (p->n - 1))) {
		struct row *more = reallocarray(p->row, p->n ? p->n * 2 : 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		p->row = more;
	}
	p->row[p->n] = *row;
	p->row[p->n].place = p->n;
	p->n++;
	return 0;
}

/*
 * Nothing is known of it but its being there: of many such one line is enough, unless they were
 * asked for by number.
 */
static bool silent(const struct watch *w, const struct sampled *v)
{
	return !w->vectors.given && v->now.counted && !v->now.count;
}

static int add_silent(struct page *p, const char *between, const char *name, const char *vectors)
{
	_cleanup_free_ char *before = p->silent_text;

	if (asprintf(&p->silent_text, "%s%s%s%s%s", before ? before : "", before ? between : "",
		     name, *name && *vectors ? " " : "", vectors) >= 0)
		return 0;
	p->silent_text = NULL;
	return -ENOMEM;
}

static int tell_silent(struct page *p, const struct watched *d, unsigned int index,
		       const struct vector_set *set)
{
	char text[96], vectors[sizeof(text) + 8];

	if (vector_set_empty(set))
		return 0;
	snprintf(vectors, sizeof(vectors), "%s %s", irq_index_word(index),
		 vector_set_text(set, text, sizeof(text)));
	return add_silent(p, "; ", p->w->n > 1 ? d->name : "", vectors);
}

static int gather_vectors(struct page *p, const struct watched *d, bool fold)
{
	struct vector_set quiet[NR_IRQ_INDEX] = { 0 };

	for (size_t i = 0; i < d->samples.n; i++) {
		const struct sampled *v = &d->samples.v[i];
		const struct row row = { .d = d,
					 .v = v,
					 .trend = &v->trend,
					 .count = v->now.count,
					 .compared = v->compared };

		if (!v->present)
			continue;
		p->vectors++;
		p->active += v->trend.delta != 0;
		if (!fold || !silent(p->w, v)) {
			if (push(p, &row))
				return -ENOMEM;
			continue;
		}
		p->silent++;
		if (v->now.vector >= 0)
			vector_set_add(&quiet[v->now.index], (unsigned int)v->now.vector);
	}
	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++)
		if (tell_silent(p, d, i, &quiet[i]))
			return -ENOMEM;
	return 0;
}

unsigned int page_vectors(const struct watched *d, unsigned int *active, uint64_t *count)
{
	bool counted = true;
	unsigned int n = 0;

	*active = 0;
	*count = 0;
	for (size_t i = 0; i < d->samples.n; i++) {
		const struct sampled *v = &d->samples.v[i];

		if (!v->present)
			continue;
		n++;
		*active += v->trend.delta != 0;
		add_count(count, v->now.count);
		counted = counted && v->now.counted;
	}
	if (!counted)
		*count = UINT64_MAX;
	return n;
}

static int gather_device(struct page *p, const struct watched *d, bool fold)
{
	struct row row = { .d = d, .trend = &d->samples.total, .compared = d->samples.taken > 1 };
	unsigned int active, n = page_vectors(d, &active, &row.count);

	if (!n)
		return 0;
	row.compared = row.compared && row.count != UINT64_MAX;
	p->vectors += n;
	p->active += active;
	if (!fold || row.count || d->posted.possible)
		return push(p, &row);
	p->silent++;
	return add_silent(p, ", ", d->name, "");
}

int page_gather(struct page *p, bool fold)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < p->w->n; i++) {
		const struct watched *d = &p->w->device[i];

		add_count(&p->delta, d->samples.total.delta);
		rc = p->w->every ? gather_device(p, d, fold) : gather_vectors(p, d, fold);
	}
	return rc;
}
