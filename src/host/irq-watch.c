// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/irq-watch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "host/proc-interrupts.h"

/*
 * Handlers and affinity change without a trace in msi_irqs/: they are read again after so many
 * counts.
 */
#define DETAILS_EVERY 16

/*
 * An IRQ that was freed and allocated again may have its number again, but its
 * file in msi_irqs/ is another one.
 */
struct listed {
	unsigned int irq;
	uint64_t ino;
};

static int by_irq(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	return (x->irq > y->irq) - (x->irq < y->irq);
}

static void free_counted(struct host_counted *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		irq_counter_free(&c[i].counter);
	free(c);
}

void host_watch_free(struct host_watch *w)
{
	free_counted(w->counted, w->irqs.n);
	host_irqs_free(&w->irqs);
	irq_counts_free(&w->counts);
	free(w->listed);
	free(w->page);
	*w = (struct host_watch){ .addr = w->addr, .changes = w->changes + 1 };
}

static int push(struct listed **list, size_t *n, unsigned int irq, uint64_t ino)
{
	/* the array's room is the next power of two */
	if (!(*n & (*n - 1))) {
		struct listed *more = reallocarray(*list, *n ? *n * 2 : 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		*list = more;
	}
	(*list)[(*n)++] = (struct listed){ irq, ino };
	return 0;
}

static int list(const struct root *r, const struct pci_addr *a, struct listed **found, size_t *n)
{
	char bdf[PCI_ADDR_LEN];
	struct root_dir *d =
		root_opendir(r, "sys/bus/pci/devices/%s/msi_irqs", pci_addr_full(a, bdf));
	struct dirent *entry;
	int rc = 0;

	*found = NULL;
	*n = 0;
	if (!d)
		return root_absent(-errno) ? 0 : -errno;
	while (!rc && *n < MAX_VECTORS && root_readdir(d, &entry, &rc)) {
		uint64_t irq;

		if (!parse_u64(entry->d_name, 10, UINT_MAX, &irq))
			rc = push(found, n, (unsigned int)irq, entry->d_ino);
	}
	root_closedir(d);
	if (*n)
		qsort(*found, *n, sizeof(**found), by_irq);
	return rc;
}

static bool same(const struct host_watch *w, const struct listed *list, size_t n)
{
	if (n != w->nlisted)
		return false;
	for (size_t i = 0; i < n; i++)
		if (list[i].irq != w->listed[i].irq || list[i].ino != w->listed[i].ino)
			return false;
	return true;
}

static uint64_t incarnation_of(const struct host_watch *w, unsigned int irq)
{
	const struct listed key = { .irq = irq },
			    *found = w->nlisted ? bsearch(&key, w->listed, w->nlisted, sizeof(key),
							  by_irq)
						: NULL;

	return found && found->ino ? found->ino : irq;
}

/* The IRQ that @irq was before, most likely at @place; NULL: it is new. */
static struct host_counted *find(const struct host_watch *w, const struct host_irq *irq,
				 uint64_t incarnation, size_t place)
{
	for (size_t n = 0; n < w->irqs.n; n++) {
		size_t i = (place + n) % w->irqs.n;

		if (w->irqs.irq[i].irq == irq->irq && w->counted[i].incarnation == incarnation)
			return &w->counted[i];
	}
	return NULL;
}

/*
 * An MSI that was not listed before was allocated since, so all that it counted
 * is new. The line of INTx is others' too, and was there before: of it nothing
 * is known.
 */
static void begin(const struct host_watch *w, const struct host_irq *irq, struct host_counted *c)
{
	c->gap = true;
	if (!w->begun || irq->index == IRQ_INTX)
		return;
	c->gap = w->gap;
	c->counter.anew = true;
}

/* Everything anew, but what is remembered of IRQs that stay. */
static int read_details(const struct root *r, struct host_watch *w)
{
	struct host_irqs now;
	struct host_counted *counted;
	int rc = host_irqs_read(r, &w->addr, HOST_IRQ_AFFINITY, &now);

	if (rc)
		return rc;
	counted = calloc(now.n ? now.n : 1, sizeof(*counted));
	if (!counted) {
		host_irqs_free(&now);
		return -ENOMEM;
	}
	for (size_t i = 0; i < now.n; i++) {
		uint64_t incarnation = incarnation_of(w, now.irq[i].irq);
		struct host_counted *was = find(w, &now.irq[i], incarnation, i);

		if (was) {
			counted[i] = *was;
			*was = (struct host_counted){ 0 };
		} else {
			begin(w, &now.irq[i], &counted[i]);
		}
		counted[i].incarnation = incarnation;
		counted[i].proc = false;
	}
	free_counted(w->counted, w->irqs.n);
	host_irqs_free(&w->irqs);
	w->irqs = now;
	w->counted = counted;
	return 0;
}

static int take(struct host_watch *w, size_t i, const struct irq_counts *c, int cpus_missing)
{
	struct host_counted *k = &w->counted[i];
	struct host_irq *irq = &w->irqs.irq[i];
	bool first = k->counter.source == HOST_IRQ_UNSEEN;
	int rc = irq_counter_take(&k->counter, c, &k->fresh);

	if (rc < 0)
		return rc;
	/* what was left out at the beginning stays so */
	if (first)
		k->cpus_missing = cpus_missing;
	host_irq_count(irq, c, k->cpus_missing);
	irq->count = k->counter.total;
	irq->cpus = (unsigned int)k->counter.n;
	k->compared = rc && !k->gap;
	return 0;
}

static int read_file(const struct root *r, struct host_watch *w, size_t i)
{
	struct host_counted *k = &w->counted[i];
	int rc;

	if (k->proc)
		return 0;
	rc = host_irq_counts(r, w->irqs.irq[i].irq, w->page, &w->counts);
	if (!rc)
		return take(w, i, &w->counts, 0);
	/* there are no such files before Linux 4.9, and a text that was cut off gets no shorter */
	k->proc = true;
	return root_exhausted(rc) ? rc : 0;
}

struct lines {
	const struct root *r;
	struct host_watch *w;
	bool asked; /* how many CPUs /proc/interrupts leaves out */
	int cpus_missing;
};

static bool is_ours(const void *ctx, unsigned int irq)
{
	const struct host_watch *w = ((const struct lines *)ctx)->w;
	const struct listed key = { .irq = irq };

	if (w->nlisted)
		return bsearch(&key, w->listed, w->nlisted, sizeof(key), by_irq) != NULL;
	return w->irqs.n && w->irqs.irq[0].irq == irq;
}

static void count_from_proc(void *ctx, const struct proc_irq *p)
{
	struct lines *l = ctx;
	struct host_watch *w = l->w;

	for (size_t i = 0; !w->err && i < w->irqs.n; i++) {
		if (w->irqs.irq[i].irq != p->irq || w->irqs.irq[i].counted || !w->counted[i].proc)
			continue;
		if (!l->asked && w->counted[i].counter.source == HOST_IRQ_UNSEEN) {
			l->cpus_missing = proc_irq_missing(l->r, &p->counts);
			l->asked = true;
		}
		w->err = take(w, i, &p->counts, l->cpus_missing);
	}
}

static int read_lines(const struct root *r, struct host_watch *w)
{
	struct lines l = { .r = r, .w = w };
	int rc;

	w->err = 0;
	rc = proc_irq_pick(r, w->irqs.n, is_ours, count_from_proc, &l);
	if (w->err)
		return w->err;
	return root_exhausted(rc) ? rc : 0;
}

static int read_counts(const struct root *r, struct host_watch *w)
{
	bool proc = false;
	int rc = 0;

	if (!w->page)
		w->page = malloc(HOST_IRQ_PAGE);
	if (!w->page)
		return -ENOMEM;
	for (size_t i = 0; !rc && i < w->irqs.n; i++) {
		w->irqs.irq[i].counted = w->counted[i].compared = false;
		w->counted[i].fresh = 0;
		rc = read_file(r, w, i);
		proc = proc || w->counted[i].proc;
	}
	return rc || !proc ? rc : read_lines(r, w);
}

/* What has no count now is compared with nothing when it has one. */
static void mark_gaps(struct host_watch *w, bool all)
{
	for (size_t i = 0; i < w->irqs.n; i++)
		w->counted[i].gap = all || !w->irqs.irq[i].counted;
}

static int read_listed(const struct root *r, struct host_watch *w, struct listed *found, size_t n)
{
	bool listed = same(w, found, n),
	     known = listed && n && w->irqs.n == n && ++w->age < DETAILS_EVERY;
	int rc = 0;

	w->changes += !listed;
	free(w->listed);
	w->listed = found;
	w->nlisted = n;
	if (!known) {
		rc = read_details(r, w);
		/* what failed is tried again */
		w->age = rc ? DETAILS_EVERY : 0;
	}
	return rc ? rc : read_counts(r, w);
}

int host_watch_read(const struct root *r, struct host_watch *w)
{
	struct listed *found;
	size_t n;
	int rc = list(r, &w->addr, &found, &n);

	if (rc)
		free(found);
	else
		rc = read_listed(r, w, found, n);
	mark_gaps(w, rc);
	w->begun = w->begun || !rc;
	w->gap = rc;
	return rc;
}
