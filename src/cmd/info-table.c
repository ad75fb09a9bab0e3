// SPDX-License-Identifier: GPL-2.0-or-later
/* info --table: the MSI-X table and the pending bits. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cmd/info.h"
#include "host/bar.h"

#define ENTRY_MASKED 0x1u /* Vector Control, PCI Local Bus 3.0, section 6.8.2.9 */

static const struct table entry_table = {
	.array = "table",
	TABLE_COLUMNS({ "ENTRY", "vector", CELL_NUMBER, "the vector", false },
		      { "ADDRESS", "address", CELL_HEX, "Message Address", false },
		      { "DATA", "data", CELL_HEX, "Message Data", false },
		      { "CONTROL", "control", CELL_HEX, "Vector Control", false },
		      { "MASKED", "masked", CELL_FLAG, "bit 0 of Vector Control", false },
		      { "PENDING", "pending", CELL_FLAG, "the bit in the PBA", false }),
};

struct entries {
	struct msix_entry entry[MAX_VECTORS];
	unsigned int n;
	struct vector_set pending;
};

static int by_device(struct info *i, struct entries *t, struct error *e)
{
	for (unsigned int v = 0; v < t->n; v++) {
		int rc = device_table_read(i->device, v, &t->entry[v], e);

		if (rc)
			return rc;
	}
	return device_pending(i->device, IRQ_MSIX, &t->pending, e);
}

/* Pending bits lie in quadwords of their own (PCI Local Bus 3.0, section 6.8.2.10). */
static int pending_by_bar(struct info *i, struct entries *t, struct error *e)
{
	const struct msix_cap *m = &i->f.caps.msix;
	uint32_t bits[MAX_VECTORS / 32];
	int rc = bar_read(&i->s->root, &i->f, m->pba_bar, m->pba_offset, bits,
			  (size_t)(t->n + 63) / 64 * 8, e);

	/* the table has answered just now, so ones are what they say */
	if (rc && rc != -ENXIO)
		return rc;
	for (unsigned int v = 0; v < t->n; v++) {
		if (le32((const uint8_t *)&bits[v / 32]) >> (v % 32) & 1)
			vector_set_add(&t->pending, v);
	}
	return 0;
}

static int by_bar(struct info *i, struct entries *t, struct error *e)
{
	const struct msix_cap *m = &i->f.caps.msix;
	size_t size = (size_t)t->n * MSIX_ENTRY_SIZE;
	uint8_t *raw = malloc(size);
	int rc;

	if (!raw)
		return fail_memory(e);
	rc = bar_read(&i->s->root, &i->f, m->table_bar, m->table_offset, raw, size, e);
	for (unsigned int v = 0; !rc && v < t->n; v++)
		msix_entry_decode(raw + (size_t)v * MSIX_ENTRY_SIZE, &t->entry[v]);
	free(raw);
	return rc ? rc : pending_by_bar(i, t, e);
}

static int read_entries(struct info *i, struct entries *t, struct error *e)
{
	const struct msix_cap *m = &i->f.caps.msix;

	if (!i->f.caps.has_msix) {
		const char *why = caps_problem_text(i->f.caps.problem);

		return fail(e, CAUSE_FAILED, 0, "no MSI-X capability%s%s",
			    why ? " was found: " : "", why ? why : "");
	}
	if (m->truncated)
		return fail(e, CAUSE_FAILED, 0, "config space ends inside the MSI-X capability");
	t->n = m->count;
	return i->device ? by_device(i, t, e) : by_bar(i, t, e);
}

/* An entry in its state after reset, of a vector without a Linux IRQ: nothing to tell. */
static bool idle(const struct info *i, const struct entries *t, unsigned int v)
{
	const struct msix_entry *x = &t->entry[v];

	return !x->address && !x->data && x->control == ENTRY_MASKED &&
	       !vector_set_has(&t->pending, v) && !vector_set_has(&i->used, v);
}

static void doc_entry(node *array, const struct entries *t, unsigned int v)
{
	const struct msix_entry *x = &t->entry[v];
	node *row = doc_row(array);

	doc_number(row, "vector", v);
	doc_number(row, "address", x->address);
	doc_number(row, "data", x->data);
	doc_number(row, "control", x->control);
	doc_bool(row, "masked", x->control & ENTRY_MASKED);
	doc_bool(row, "pending", vector_set_has(&t->pending, v));
}

static int tell(struct info *i, const struct entries *t, bool all)
{
	node *array = doc_array(out_doc(i->s->out), "table");
	struct vector_set left = { .bits = { 0 } };
	char text[256];
	int rc = 0;

	for (unsigned int v = 0; v < t->n; v++) {
		if (!all && idle(i, t, v))
			vector_set_add(&left, v);
		else
			doc_entry(array, t, v);
	}
	if (vector_set_count(&left) < t->n || out_is_json(i->s->out))
		rc = out_table(i->s->out, &entry_table);
	if (!vector_set_empty(&left))
		out_text(i->s->out, "table entries %s: zero and masked",
			 vector_set_text(&left, text, sizeof(text)));
	return rc;
}

int info_table(struct info *i, bool all)
{
	struct entries *t = calloc(1, sizeof(*t));
	struct error why = { 0 };
	int rc = 0;

	if (!t)
		return -ENOMEM;
	out_text(i->s->out, "%s", "");
	if (!read_entries(i, t, &why)) {
		rc = tell(i, t, all);
	} else {
		doc_array(out_doc(i->s->out), "table");
		info_because(i, "MSI-X table not read", "table_reason", "table_hint", &why);
	}
	free(t);
	return rc;
}
