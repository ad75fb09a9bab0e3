// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/vectors.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/util.h"

#define COMMAND_DISINTX 0x0400 /* PCI Local Bus 3.0, section 6.2.2: Interrupt Disable */

unsigned int vector_capacity(const struct vector_source *src, enum irq_index index)
{
	const struct pci_caps *c = src->caps;

	if (src->device)
		return src->device->irq[index].info.count;
	if (index == IRQ_INTX)
		return c->int_pin ? 1 : 0;
	if (index == IRQ_MSI)
		return c->has_msi ? c->msi.capable : 0;
	return index == IRQ_MSIX && c->has_msix ? c->msix.count : 0;
}

unsigned int vectors_most(const struct vector_source *src)
{
	unsigned int most = 0;

	if (src->caps->problem != CAPS_OK)
		return UINT_MAX;
	for (unsigned int i = IRQ_INTX; i <= IRQ_MSIX; i++) {
		unsigned int n = vector_capacity(src, i);

		most = n > most ? n : most;
	}
	return most;
}

int vectors_within(const struct value *v, unsigned int most, const char *who_has, struct error *e)
{
	unsigned int end = vector_set_end(&v->vectors);

	if (!v->given || v->word != VECTORS_LISTED || end <= most)
		return 0;
	if (!most)
		return fail(e, CAUSE_USAGE, 0, "%s no interrupt vectors", who_has);
	return fail(e, CAUSE_USAGE, 0, "%s vectors 0-%u, %u is beyond", who_has, most - 1, end - 1);
}

static const char *masked_by(const struct pci_caps *c, const struct vector_row *row)
{
	unsigned int v = (unsigned int)row->vector;

	if (row->own && row->own->masked != MASK_NOT)
		return mask_way_word(row->own->masked);
	switch (row->index) {
	case IRQ_INTX:
		return c->command & COMMAND_DISINTX ? "disintx" : NULL;
	case IRQ_MSI:
		return c->has_msi && c->msi.mask_pos && v < 32 && c->msi.mask >> v & 1 ? "bits"
										       : NULL;
	case IRQ_MSIX:
		return c->has_msix && c->msix.enabled && c->msix.function_mask ? "function" : NULL;
	default:
		return NULL;
	}
}

/* Handlers are the host's to tell; our own books count where it knows nothing. */
static void set_state(const struct pci_caps *c, struct vector_row *row)
{
	bool held = row->own && row->own->masked != MASK_NOT;
	bool seen = row->host && row->host->source != HOST_IRQ_UNSEEN;
	bool armed = seen ? row->host->armed : row->own && row->own->armed;

	row->masked_by = armed || held ? masked_by(c, row) : NULL;
	if (row->masked_by)
		row->state = "masked";
	else if (armed)
		row->state = "armed";
	else if (row->host && !seen)
		row->state = "unknown";
	else
		row->state = row->host || row->committed ? "allocated" : "none";
}

static int push(const struct vector_source *src, struct vector_rows *rows,
		const struct vector_row *row)
{
	/* the array's room is the next power of two */
	if (!(rows->n & (rows->n - 1))) {
		struct vector_row *more =
			reallocarray(rows->row, rows->n ? rows->n * 2 : 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		rows->row = more;
	}
	rows->row[rows->n] = *row;
	set_state(src->caps, &rows->row[rows->n++]);
	return 0;
}

static const struct vector *own_vector(const struct vector_source *src, enum irq_index index,
				       unsigned int v)
{
	const struct index *ix = src->device ? &src->device->irq[index] : NULL;
	const struct vector *own = ix && ix->vector && v < ix->info.count ? ix->vector[v] : NULL;

	return own && (own->armed || own->count || own->masked != MASK_NOT) ? own : NULL;
}

/* Of a back end whose vectors are no Linux IRQs only our books say what is allocated. */
static bool committed(const struct vector_source *src, enum irq_index index, unsigned int v)
{
	const struct device *d = src->device;

	return d && !d->ops->host_irqs && vector_set_has(&d->irq[index].allocated, v);
}

/* The Linux IRQs of @index by vector; those of an unknown vector become rows at once. */
static int sort_host(const struct vector_source *src, enum irq_index index,
		     const struct host_irq **at, unsigned int *end, struct vector_rows *rows)
{
	for (size_t i = 0; i < src->host->n; i++) {
		const struct host_irq *irq = &src->host->irq[i];
		struct vector_row row = { .index = index, .vector = -1, .host = irq };

		if (irq->index != index)
			continue;
		if (irq->vector >= 0 && irq->vector < (int)MAX_VECTORS && !at[irq->vector]) {
			at[irq->vector] = irq;
			if (*end <= (unsigned int)irq->vector)
				*end = (unsigned int)irq->vector + 1;
		} else if (push(src, rows, &row)) {
			return -ENOMEM;
		}
	}
	return 0;
}

static int rows_of_index(const struct vector_source *src, enum irq_index index, bool all,
			 struct vector_rows *rows)
{
	const struct host_irq *at[MAX_VECTORS] = { NULL };
	unsigned int capacity = vector_capacity(src, index), end = capacity;

	if (sort_host(src, index, at, &end, rows))
		return -ENOMEM;
	for (unsigned int v = 0; v < end && v < MAX_VECTORS; v++) {
		struct vector_row row = { .index = index,
					  .vector = (int)v,
					  .host = at[v],
					  .own = own_vector(src, index, v),
					  .committed = committed(src, index, v) };

		bool known = row.host || row.own || row.committed;

		if (!known && v >= capacity)
			continue;
		if (!known && !all)
			vector_set_add(&rows->none[index], v);
		else if (push(src, rows, &row))
			return -ENOMEM;
	}
	return 0;
}

/*
 * ERR and REQ have no Linux IRQ. REQ is always listened to: it is worth a row when something came.
 */
static int rows_of_notices(const struct vector_source *src, struct vector_rows *rows)
{
	for (unsigned int i = IRQ_ERR; src->device && i <= IRQ_REQ; i++) {
		struct vector_row row = { .index = i, .own = own_vector(src, i, 0) };

		if (!row.own || (i == IRQ_REQ && !row.own->count))
			continue;
		if (push(src, rows, &row))
			return -ENOMEM;
	}
	return 0;
}

int vector_rows(const struct vector_source *src, bool all, struct vector_rows *rows)
{
	int rc = 0;

	*rows = (struct vector_rows){ 0 };
	for (unsigned int i = IRQ_INTX; !rc && i <= IRQ_MSIX; i++)
		rc = rows_of_index(src, i, all, rows);
	if (!rc)
		rc = rows_of_notices(src, rows);
	if (!rc)
		return 0;
	free(rows->row);
	rows->row = NULL;
	return rc;
}

static void doc_host(node *o, const struct host_irq *h)
{
	doc_number_if(o, "irq", h, h ? h->irq : 0);
	doc_word(o, "chip", h ? h->chip : NULL);
	doc_word(o, "action", h ? h->action : NULL);
	doc_word(o, "affinity", h ? h->affinity : NULL);
	doc_word(o, "effective", h ? h->effective : NULL);
	doc_word(o, "source", h ? host_irq_source_word(h->source) : NULL);
}

void doc_count_source(node *o, const struct host_irq *irq)
{
	bool counted = irq && irq->counted;

	doc_word(o, "count_source", counted ? host_irq_source_word(irq->counted_by) : NULL);
	doc_number_if(o, "cpus_missing", counted && irq->cpus_missing >= 0,
		      counted ? (uint64_t)irq->cpus_missing : 0);
}

void partial_append(char *buf, size_t size, const char *who, unsigned int irqs, int cpus_missing)
{
	char missing[32] = "an unknown number of";

	if (!irqs)
		return;
	if (cpus_missing > 0)
		snprintf(missing, sizeof(missing), "%d", cpus_missing);
	append(buf, size,
	       "%s%s: the counts of %u Linux IRQ%s are those of /proc/interrupts, which has no column for %s CPU%s",
	       buf[0] ? "; " : "", who, irqs, irqs == 1 ? "" : "s", missing,
	       cpus_missing == 1 ? "" : "s");
}

void doc_vector_row(node *array, const struct vector_source *src, const struct vector_row *row)
{
	bool counted = row->host && row->host->counted;
	uint64_t seen = counted ? row->host->count : 0;
	node *o = doc_row(array);

	doc_text(o, "index", irq_index_word(row->index));
	doc_number_if(o, "vector", row->vector >= 0, (uint64_t)row->vector);
	doc_text(o, "state", row->state);
	if (row->masked_by)
		doc_text(o, "masked_by", row->masked_by);
	doc_host(o, row->host);
	doc_count_source(o, row->host);
	if (!src->device) {
		doc_number_if(o, "count", counted, seen);
		return;
	}
	doc_number(o, "count", row->own ? row->own->count : 0);
	doc_number_if(o, "host", counted, seen);
	doc_number(o, "loopback", row->own ? row->own->loopback : 0);
	doc_bool(o, "saturated", row->own && row->own->saturated);
}
