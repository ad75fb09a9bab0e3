// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether what the kernel says is armed stands in the device's MSI-X table too. */
#include <stdlib.h>

#include "base/util.h"
#include "device/internal.h"

/*
 * An address whose low half is 0 is legal: the whole message decides. An unreadable entry is not
 * called empty.
 */
static void judge_zero(struct device *d, unsigned int v, struct change *c)
{
	struct msix_entry entry;
	struct error ignored;

	if (device_table_read(d, v, &entry, &ignored))
		vector_set_add(&c->entries_unread, v);
	else if (!entry.address && !entry.data)
		vector_set_add(&c->empty, v);
}

static void check_run(struct device *d, unsigned int start, unsigned int n, struct change *c)
{
	_cleanup_free_ uint32_t *low = malloc(n * sizeof(*low));

	if (!low || device_table_addresses(d, start, low, n)) {
		vector_set_add_range(&c->entries_unread, start, n);
		return;
	}
	for (unsigned int i = 0; i < n; i++)
		if (!low[i])
			judge_zero(d, start + i, c);
}

/*
 * One register of each entry is read, and one after the other: that costs less than the making of
 * its eventfd.
 */
static void check(struct device *d, const struct vector_set *which, struct change *c)
{
	unsigned int start = 0, n, v;
	struct error ignored;

	if (device_table_reach(d, &ignored)) {
		c->entries_unread = *which;
		return;
	}
	while (vector_set_next_run(which, start, &start, &n)) {
		v = start + n;
		/*
		 * An index of more vectors than the table has entries: PCI has no entry for them.
		 */
		if (start < d->caps.msix.count)
			check_run(d, start,
				  (v < d->caps.msix.count ? v : d->caps.msix.count) - start, c);
		start = v;
	}
}

void device_check_entries(struct device *d, struct change *c)
{
	struct index *ix = &d->irq[IRQ_MSIX];
	struct vector_set armed = device_armed(d, IRQ_MSIX), which;

	/* Whoever serves a device keeps its table in its own way. */
	if (!d->handle || d->trace->dry_run || !d->ops->kernel_registers)
		return;
	/* A rebuild and a repair write the entries of all that they arm. */
	which = vector_set_or(&ix->doubtful, &c->added);
	which = vector_set_or(&which, &c->repaired);
	if (c->rebuilt)
		which = armed;
	which = vector_set_and(&which, &armed);
	if (!vector_set_empty(&which))
		check(d, &which, c);
	ix->doubtful = vector_set_or(&c->empty, &c->entries_unread);
}
