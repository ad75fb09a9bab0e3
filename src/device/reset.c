// SPDX-License-Identifier: GPL-2.0-or-later
/* VFIO_DEVICE_RESET, and what armed vectors need after it. */
#include <linux/pci_regs.h>

#include "base/util.h"
#include "device/internal.h"

/*
 * A reset clears the table's mask bits (measured); what was masked by the eventfd or by VFIO stays
 * so.
 */
static void forget_device_masks(struct device *d)
{
	for (unsigned int i = IRQ_MSI; i <= IRQ_MSIX; i++) {
		struct index *ix = &d->irq[i];

		for (unsigned int v = 0; ix->vector && v < ix->info.count; v++)
			if (ix->vector[v] && (ix->vector[v]->masked == MASK_TABLE ||
					      ix->vector[v]->masked == MASK_BITS))
				ix->vector[v]->masked = MASK_NOT;
	}
}

/*
 * The kernel restores config space after the reset of a function, pci_restore_state(). A peer's may
 * be as after power-on, so what the armed vectors need is set again.
 */
static void restore_after_reset(struct device *d, uint16_t command, struct change *c)
{
	for (unsigned int i = IRQ_MSI; i <= IRQ_MSIX; i++) {
		struct vector_set armed = device_armed(d, i), held = device_masked(d, i);

		if (d->ops->kernel_registers || !d->irq[i].enabled)
			continue;
		if (command & PCI_COMMAND_MASTER)
			c->bus_master_on = device_bus_master(d, true) == 1;
		armed = vector_set_minus(&armed, &held);
		device_cap_ready(d, i, &armed, c);
	}
}

int device_reset(struct device *d, struct change *c, struct error *e)
{
	uint16_t command = 0;
	int rc = device_here(d, e);

	if (rc)
		return rc;
	if (!d->info.reset)
		return fail(e, CAUSE_FAILED, 0,
			    "the device offers no reset (VFIO_DEVICE_FLAGS_RESET is clear)");
	if (trace_would(d->trace, "VFIO_DEVICE_RESET", "")) {
		forget_device_masks(d);
		return 0;
	}
	if (!d->ops->kernel_registers && device_config16(d, PCI_COMMAND, &command))
		command = 0;
	rc = d->ops->reset(d->handle);
	if (rc < 0 && d->ops->explain)
		return d->ops->explain(d->handle, rc, "DEVICE_RESET", e);
	if (rc < 0)
		return fail(e, device_cause(d, -rc), -rc, "VFIO_DEVICE_RESET failed");
	forget_device_masks(d);
	restore_after_reset(d, command, c);
	return 0;
}
