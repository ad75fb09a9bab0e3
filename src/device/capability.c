// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The MSI and MSI-X capabilities of a peer that leaves them to its client. On a
 * device of this host the kernel writes Message Control and the masks. A peer may
 * do the same (simulate), or leave both to the guest's driver behind its client
 * (QEMU's x-vfio-user-server): then they are written here as Linux' driver core
 * does, msix_capability_init() and __msi_capability_init() in
 * drivers/pci/msi/msi.c. Address and data stay as they are: the peer signals
 * eventfds and sends no message.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>

#include "base/util.h"
#include "device/internal.h"

/*
 * PCI Local Bus 3.0, sections 6.8.1.3 and 6.8.2.3: the bits of Message Control that are software's.
 */
static const struct {
	uint16_t enable, writable;
} control_bits[] = {
	[IRQ_MSI] = { PCI_MSI_FLAGS_ENABLE, PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE },
	[IRQ_MSIX] = { PCI_MSIX_FLAGS_ENABLE, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL },
};

static unsigned int control_at(const struct device *d, enum irq_index index)
{
	return (index == IRQ_MSI ? d->caps.msi.pos : d->caps.msix.pos) + PCI_MSI_FLAGS;
}

static bool has_cap(const struct device *d, enum irq_index index)
{
	return index == IRQ_MSI ? d->caps.has_msi : d->caps.has_msix;
}

/*
 * Enable was set already when the device was opened: a client before us left it so, not the peer.
 */
static bool left_to_us(const struct device *d, enum irq_index index)
{
	bool at_open = index == IRQ_MSI ? d->caps.msi.enabled : d->caps.msix.enabled;

	return !d->ops->kernel_registers && (at_open || d->irq[index].wrote.control);
}

void device_cap_touch(struct device *d, enum irq_index index, unsigned int vector, bool masked)
{
	struct cap_writes *w = &d->irq[index].wrote;

	if (d->trace->dry_run || !left_to_us(d, index) || vector_set_has(&w->touched, vector))
		return;
	vector_set_add(&w->touched, vector);
	if (masked)
		vector_set_add(&w->masked, vector);
}

/* One access for all entries from the first of @which to its last. */
static int read_entries(struct device *d, const struct vector_set *which, struct vector_set *masked)
{
	const struct msix_cap *m = &d->caps.msix;
	unsigned int first, count, v;
	_cleanup_free_ uint8_t *raw = NULL;
	ssize_t got;
	size_t n;

	vector_set_next_run(which, 0, &first, &count);
	n = (size_t)(vector_set_end(which) - first) * MSIX_ENTRY_SIZE;
	raw = malloc(n);
	if (!raw)
		return -ENOMEM;
	got = d->ops->region_read(d->handle, m->table_bar, raw, n,
				  m->table_offset + (uint64_t)first * MSIX_ENTRY_SIZE);
	if (got != (ssize_t)n)
		return -EIO;
	for_each_vector (v, which)
		if (raw[(size_t)(v - first) * MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL] &
		    PCI_MSIX_ENTRY_CTRL_MASKBIT)
			vector_set_add(masked, v);
	return 0;
}

static int map_entries(struct device *d, const struct vector_set *which, struct vector_set *masked)
{
	uint32_t control = 0;
	unsigned int v;

	for_each_vector (v, which) {
		int rc = device_entry_read(d, v, 3, &control, 1);

		if (rc)
			return rc;
		if (control & PCI_MSIX_ENTRY_CTRL_MASKBIT)
			vector_set_add(masked, v);
	}
	return 0;
}

static int masks_of_msix(struct device *d, const struct vector_set *which,
			 struct vector_set *masked, struct error *e)
{
	int rc = device_table_reach(d, e);

	if (rc == 0)
		rc = device_table_check(d, vector_set_end(which) - 1, e);
	if (rc)
		return rc;
	rc = d->ops->table_by_region ? read_entries(d, which, masked)
				     : map_entries(d, which, masked);
	return rc ? device_table_fault(d, e) : 0;
}

static int masks_of_msi(struct device *d, const struct vector_set *which, struct vector_set *masked,
			struct error *e)
{
	uint8_t raw[4];
	ssize_t n;

	if (!d->caps.has_msi || !d->caps.msi.maskable)
		return fail(e, CAUSE_FAILED, EOPNOTSUPP, "the MSI capability has no mask bits");
	n = d->ops->region_read(d->handle, REGION_CONFIG, raw, sizeof(raw), d->caps.msi.mask_pos);
	if (n != sizeof(raw))
		return device_region_failed(d, n, "the MSI mask bits can't be read", e);
	masked->bits[0] = le32(raw) & which->bits[0];
	return 0;
}

int device_masks_read(struct device *d, enum irq_index index, const struct vector_set *which,
		      struct vector_set *masked, struct error *e)
{
	*masked = (struct vector_set){ .bits = { 0 } };
	if (vector_set_empty(which))
		return 0;
	if (index == IRQ_MSIX)
		return masks_of_msix(d, which, masked, e);
	if (index == IRQ_MSI)
		return masks_of_msi(d, which, masked, e);
	return fail(e, CAUSE_FAILED, EOPNOTSUPP, "%s has no mask bits in the device",
		    irq_index_word(index));
}

static int write_entry(struct device *d, unsigned int v, bool mask)
{
	uint32_t control = 0;
	int rc = device_entry_read(d, v, 3, &control, 1);

	if (rc)
		return rc;
	control &= ~(uint32_t)PCI_MSIX_ENTRY_CTRL_MASKBIT;
	return device_entry_control(d, v, control | (mask ? PCI_MSIX_ENTRY_CTRL_MASKBIT : 0));
}

static int write_bits(struct device *d, const struct vector_set *which, bool mask)
{
	unsigned int at = d->caps.msi.mask_pos;
	uint32_t set = (uint32_t)which->bits[0], bits;
	uint8_t raw[4];

	if (d->ops->region_read(d->handle, REGION_CONFIG, raw, sizeof(raw), at) != sizeof(raw))
		return -EIO;
	bits = mask ? le32(raw) | set : le32(raw) & ~set;
	for (unsigned int i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)(bits >> (8 * i));
	return d->ops->region_write(d->handle, REGION_CONFIG, raw, sizeof(raw), at) == sizeof(raw)
		       ? 0
		       : -EIO;
}

static int write_masks(struct device *d, enum irq_index index, const struct vector_set *which,
		       bool mask)
{
	struct error ignored;
	unsigned int v;
	int rc;

	if (vector_set_empty(which))
		return 0;
	if (index == IRQ_MSI)
		return write_bits(d, which, mask);
	rc = device_table_reach(d, &ignored);
	for_each_vector (v, which)
		if (rc == 0)
			rc = write_entry(d, v, mask);
	return rc;
}

/* MASK or UNMASK of 0 to below @end: QEMU's server takes the count of a range for its end. */
static int send_action(struct device *d, enum irq_index index, enum irq_action action,
		       unsigned int end, struct change *c)
{
	const struct irq_set set = {
		.index = index, .action = action, .data = IRQ_DATA_NONE, .count = end
	};

	return end ? device_send(d, &set, c) : 0;
}

/* The peer's own UNMASK, unless it would reach a vector that is to stay masked. */
static void unmask_by_action(struct device *d, enum irq_index index, unsigned int end,
			     struct change *c)
{
	struct cap_writes *w = &d->irq[index].wrote;
	struct vector_set held = device_masked(d, index);

	if (vector_set_empty(&held) && send_action(d, index, IRQ_ACTION_UNMASK, end, c) == 0 &&
	    w->acted < end)
		w->acted = end;
}

/* By the mask bits, which are read back; where they can't be read, by the peer's action. */
static void unmask(struct device *d, enum irq_index index, const struct vector_set *which,
		   struct change *c)
{
	struct vector_set masked, left;
	struct error ignored;
	unsigned int v;

	if (index == IRQ_MSI && !d->caps.msi.maskable)
		return;
	if (device_masks_read(d, index, which, &masked, &ignored)) {
		c->masks_unseen = true;
		unmask_by_action(d, index, vector_set_end(which), c);
		return;
	}
	for_each_vector (v, &masked)
		device_cap_touch(d, index, v, true);
	write_masks(d, index, &masked, false);
	if (device_masks_read(d, index, &masked, &left, &ignored) == 0 && !vector_set_empty(&left))
		unmask_by_action(d, index, vector_set_end(&left), c);
	c->masks_unseen = device_masks_read(d, index, &masked, &left, &ignored) != 0;
	c->unmasked = vector_set_minus(&masked, &left);
	c->still_masked = left;
}

/* Multiple Message Enable for @n vectors, no more than Multiple Message Capable offers. */
static uint16_t with_vectors(uint16_t control, unsigned int n)
{
	unsigned int most = (control & PCI_MSI_FLAGS_QMASK) >> 1, field = 0;

	while (field < most && 1u << field < n)
		field++;
	return (uint16_t)((control & ~PCI_MSI_FLAGS_QSIZE) | field << 4);
}

/* Enabled with all masked, then unmasked, then let go. */
static void ready_msix(struct device *d, uint16_t control, const struct vector_set *attached,
		       struct change *c)
{
	uint16_t on = control | PCI_MSIX_FLAGS_ENABLE;
	bool clear = on != control;

	if (clear)
		device_config16_put(d, control_at(d, IRQ_MSIX), on | PCI_MSIX_FLAGS_MASKALL);
	unmask(d, IRQ_MSIX, attached, c);
	if (clear)
		device_config16_put(d, control_at(d, IRQ_MSIX),
				    (uint16_t)(on & ~PCI_MSIX_FLAGS_MASKALL));
}

static void ready_msi(struct device *d, uint16_t control, const struct vector_set *attached,
		      struct change *c)
{
	uint16_t wanted = with_vectors(control, vector_set_end(&d->irq[IRQ_MSI].allocated));

	/* Fewer than it has been enabled with are no reason to change it while it is on. */
	if (control & PCI_MSI_FLAGS_ENABLE && wanted < control)
		wanted = control;
	wanted |= PCI_MSI_FLAGS_ENABLE;
	unmask(d, IRQ_MSI, attached, c);
	if (wanted != control)
		device_config16_put(d, control_at(d, IRQ_MSI), wanted);
}

void device_cap_ready(struct device *d, enum irq_index index, const struct vector_set *attached,
		      struct change *c)
{
	struct cap_writes *w = &d->irq[index].wrote;
	uint16_t control, enable = control_bits[index].enable;
	bool clear;

	if (d->ops->kernel_registers || d->trace->dry_run || !has_cap(d, index) ||
	    device_config16(d, control_at(d, index), &control))
		return;
	clear = !(control & enable);
	if (!clear && !left_to_us(d, index))
		return;
	if (!w->control)
		w->before = control;
	w->control = true;
	if (index == IRQ_MSIX)
		ready_msix(d, control, attached, c);
	else
		ready_msi(d, control, attached, c);
	if (device_config16(d, control_at(d, index), &control))
		control = 0;
	c->enable_clear = !(control & enable);
	c->enable_written = clear && !c->enable_clear;
}

static int put_back_masks(struct device *d, enum irq_index index, const struct cap_writes *w)
{
	struct vector_set open = vector_set_minus(&w->touched, &w->masked);
	struct change c = { 0 };
	int rc = write_masks(d, index, &w->masked, true);

	if (rc == 0)
		rc = write_masks(d, index, &open, false);
	if (rc == 0)
		rc = send_action(d, index, IRQ_ACTION_MASK, w->acted, &c);
	return rc;
}

void device_cap_undo(struct device *d, enum irq_index index, struct change *c)
{
	struct cap_writes *w = &d->irq[index].wrote;
	uint16_t control, ours = control_bits[index].writable;
	int masks = 0, rc;

	if (!w->control)
		return;
	if (!d->trace->dry_run)
		masks = put_back_masks(d, index, w);
	rc = device_config16(d, control_at(d, index), &control);
	if (rc == 0 && (control & ours) != (w->before & ours))
		rc = device_config16_put(d, control_at(d, index),
					 (uint16_t)((control & ~ours) | (w->before & ours)));
	if (c) {
		c->cap_put_back = rc == 0 && masks == 0;
		c->cap_left = !c->cap_put_back;
	}
	if (!d->trace->dry_run)
		*w = (struct cap_writes){ 0 };
}
