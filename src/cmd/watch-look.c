// SPDX-License-Identifier: GPL-2.0-or-later
/* Where watch gets its counts: the eventfds of our own device, or the host's IRQs of anybody's. */
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "cmd/watch.h"
#include "host/function.h"
#include "host/bind-state.h"

static void forget(struct watched *d)
{
	host_watch_free(&d->host);
	samples_free(&d->samples);
	watch_held_forget(d);
	free(d->held);
	free(d->full);
	free(d->name);
}

void watch_forget(struct watch *w)
{
	for (size_t i = 0; i < w->n; i++)
		forget(&w->device[i]);
	free(w->device);
	w->device = NULL;
	w->n = 0;
}

const struct host_irq *watched_irq(const struct watched *d, const struct reading *r)
{
	const struct host_irqs *h = &d->host.irqs;

	if (!r->has_irq)
		return r->vector < 0 ? NULL : host_irqs_find(h, r->index, (unsigned int)r->vector);
	for (size_t i = 0; i < h->n; i++)
		if (h->irq[i].irq == r->irq)
			return &h->irq[i];
	return NULL;
}

static int look_own(struct watch *w, struct watched *d)
{
	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++) {
		const struct index *ix = &d->own->irq[i];

		for (unsigned int v = 0; ix->vector && v < ix->info.count; v++) {
			const struct vector *vec = ix->vector[v];
			struct reading r = { .index = i, .vector = (int)v, .counted = true };

			if (!vec)
				continue;
			r.count = vec->count;
			r.wakeups = vec->wakeups;
			if (watch_takes(&w->vectors, &r, vec->armed) &&
			    samples_add(&d->samples, &r))
				return -ENOMEM;
		}
	}
	return 0;
}

static int look_host(struct watch *w, struct watched *d)
{
	const struct host_irqs *h = &d->host.irqs;

	for (size_t i = 0; i < h->n; i++) {
		const struct host_irq *irq = &h->irq[i];
		struct reading r = {
			.index = irq->index, .vector = irq->vector, .has_irq = true, .irq = irq->irq
		};

		if (!watch_selects(&w->vectors, &r, irq->armed))
			continue;
		/* two IRQs that claim one vector are told apart by their numbers */
		if (i && h->irq[i - 1].index == irq->index && h->irq[i - 1].vector == irq->vector)
			r.vector = -1;
		r.from = COUNT_HOST;
		r.compared = d->host.counted[i].compared;
		r.fresh = d->host.counted[i].fresh;
		r.counted = irq->counted;
		r.count = irq->count;
		if (samples_add(&d->samples, &r))
			return -ENOMEM;
	}
	return 0;
}

static int read_host(const struct root *r, struct watched *d, uint64_t now)
{
	struct bind_state p;
	int rc;

	d->unread = 0;
	if (!d->addressed || (watched_ours(d) && d->host_us && now - d->host_us < HOST_EVERY_US))
		return 0;
	d->host_us = now;
	rc = bind_state_read(r, &d->host.addr, &p);
	if (!rc) {
		d->here = p.here;
		d->group = p.group;
		copy_text(d->driver, sizeof(d->driver), p.driver);
		rc = host_watch_read(r, &d->host);
	}
	if (!rc || rc == -ENOMEM)
		return rc;
	/* it went in the middle of it */
	if (root_absent(rc))
		host_watch_free(&d->host);
	else
		d->unread = -rc;
	return 0;
}

static int look_counts(struct session *s, struct watch *w, struct watched *d, struct error *e)
{
	int rc;

	if (d->held)
		return watch_look_held(s, w, d, e);
	rc = d->own ? look_own(w, d) : look_host(w, d);
	return rc ? fail_memory(e) : 0;
}

static int look(struct session *s, struct watch *w, struct watched *d, uint64_t now,
		struct error *e)
{
	int rc = read_host(&s->root, d, now);

	if (rc)
		return fail_memory(e);
	samples_begin(&d->samples, now);
	if (d->unread && !watched_ours(d))
		samples_blind(&d->samples);
	else
		rc = look_counts(s, w, d, e);
	samples_end(&d->samples);
	return rc;
}

static int by_addr(const void *a, const void *b)
{
	const struct watched *x = a, *y = b;

	return pci_addr_cmp(&x->host.addr, &y->host.addr);
}

/* Functions come and go; the others keep their past. */
static int rescan(struct session *s, struct watch *w, struct error *e)
{
	struct pci_addr *list;
	ssize_t n = function_scan(&s->root, &list, e);
	size_t kept = 0, known;
	int rc = 0;

	if (n < 0)
		return (int)n;
	for (size_t i = 0; i < w->n; i++)
		w->device[i].marked = false;
	known = w->n;
	for (ssize_t i = 0; !rc && i < n; i++) {
		const struct watched key = { .host.addr = list[i] };
		struct watched *d = known ? bsearch(&key, w->device, known, sizeof(key), by_addr)
					  : NULL;

		if (!d)
			rc = watch_add(w, &list[i], NULL);
		if (!rc)
			(d ? d : &w->device[w->n - 1])->marked = true;
	}
	free(list);
	for (size_t i = 0; i < w->n; i++) {
		if (!w->device[i].marked)
			forget(&w->device[i]);
		else
			w->device[kept++] = w->device[i];
	}
	w->n = kept;
	if (kept)
		qsort(w->device, kept, sizeof(*w->device), by_addr);
	return rc ? fail_memory(e) : 0;
}

int watch_look(struct session *s, struct watch *w, struct error *e)
{
	uint64_t now;
	int rc = w->every ? rescan(s, w, e) : 0;

	if (!rc)
		rc = watch_ask_held(s, w, e);
	if (rc)
		return rc;
	now = now_us();
	for (size_t i = 0; !rc && i < w->n; i++)
		rc = look(s, w, &w->device[i], now, e);
	return rc ? rc : watch_look_posted(s, w, now, e);
}
