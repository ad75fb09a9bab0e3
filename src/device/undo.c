// SPDX-License-Identifier: GPL-2.0-or-later
/* Putting back what a session changed, and closing the device. */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/util.h"
#include "device/internal.h"

/* Whatever is on goes off. The vector that the device's own wish comes by is nobody's change. */
static void disable_all(struct device *d)
{
	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++) {
		struct irq_set off = { .index = i,
				       .action = IRQ_ACTION_TRIGGER,
				       .data = IRQ_DATA_NONE };
		struct set_outcome ignored;
		char what[64];
		int rc;

		if (!d->irq[i].enabled || d->trace->dry_run)
			continue;
		rc = d->ops->set_irqs(d->handle, &off, NULL, &ignored);
		snprintf(what, sizeof(what), "%s could not be turned off", irq_index_word(i));
		if (rc < 0 && i != IRQ_REQ)
			device_left(d, what, -rc);
	}
}

static void put_back_registers(struct device *d)
{
	int rc;

	for (unsigned int i = IRQ_MSI; i <= IRQ_MSIX; i++) {
		struct change c = { 0 };

		device_cap_undo(d, i, &c);
		if (c.cap_left)
			device_left(d,
				    i == IRQ_MSI ? "Enable or masks of msi"
						 : "Enable or masks of msix",
				    EIO);
	}
	rc = device_bus_master(d, false);
	if (rc < 0)
		device_left(d, "bus mastering", -rc);
}

void device_undo(struct device *d, bool polite)
{
	if (!d->handle)
		return;
	if (polite) {
		device_unmask_all(d);
		disable_all(d);
		put_back_registers(d);
	}
	d->cut |= !polite;
	if (d->peer.fd >= 0)
		loop_del(d->loop, &d->peer);
	d->peer.fd = -1;
	if (d->table)
		munmap(d->table, d->table_map);
	d->table = NULL;
	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++) {
		struct index *ix = &d->irq[i];

		for (unsigned int v = 0; ix->vector && v < ix->info.count; v++)
			if (ix->vector[v])
				vector_disarm(ix->vector[v]);
		ix->enabled = false;
		ix->allocated = (struct vector_set){ .bits = { 0 } };
		ix->wrote = (struct cap_writes){ 0 };
	}
	d->backend->close(d->handle);
	d->handle = NULL;
}
