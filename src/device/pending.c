// SPDX-License-Identifier: GPL-2.0-or-later
/* What a device would have sent of the vectors that are held back. */
#include <errno.h>
#include <linux/pci_regs.h>

#include "base/util.h"
#include "device/internal.h"

static int pending_msix(struct device *d, struct vector_set *pending, struct error *e)
{
	const struct msix_cap *m = &d->caps.msix;
	uint8_t pba[MAX_VECTORS / 8] = { 0 };
	size_t size = ((size_t)m->count + 63) / 64 * 8;
	ssize_t n;
	int rc = d->ops->decode_first ? device_memory_on(d, e) : 0;

	if (rc)
		return rc;
	if (m->truncated || m->pba_bar > 5)
		return fail(e, CAUSE_FAILED, 0,
			    "the device has no pending bit array that can be reached");
	/* The kernel keeps the table from being read, not the PBA. */
	n = d->ops->region_read(d->handle, m->pba_bar, pba, size, m->pba_offset);
	if (n != (ssize_t)size && device_lost(d, "region access", e))
		return -EIO;
	if (n != (ssize_t)size && !d->ops->decode_first &&
	    device_bar_mapped(d, (enum region_index)m->pba_bar, e))
		return -EIO;
	if (n != (ssize_t)size)
		return fail(e, CAUSE_FAILED, n < 0 ? (int)-n : EIO,
			    "the pending bit array in bar%u can't be read", m->pba_bar);
	for (unsigned int v = 0; v < m->count; v++)
		if (pba[v / 8] >> (v % 8) & 1)
			vector_set_add(pending, v);
	return 0;
}

static int pending_msi(struct device *d, struct vector_set *pending, struct error *e)
{
	const struct msi_cap *m = &d->caps.msi;
	uint8_t raw[4];
	ssize_t n;

	if (!m->maskable)
		return fail(e, CAUSE_FAILED, EOPNOTSUPP, "the MSI capability has no pending bits");
	n = d->ops->region_read(d->handle, REGION_CONFIG, raw, sizeof(raw), m->mask_pos + 4u);
	if (n != sizeof(raw))
		return device_region_failed(d, n, "the MSI pending bits can't be read", e);
	pending->bits[0] = le32(raw);
	return 0;
}

static int pending_intx(struct device *d, struct vector_set *pending, struct error *e)
{
	uint8_t raw[2];
	ssize_t n = d->ops->region_read(d->handle, REGION_CONFIG, raw, sizeof(raw), PCI_STATUS);

	if (n != sizeof(raw))
		return device_region_failed(d, n, "the PCI status register can't be read", e);
	pending->bits[0] = !!(le16(raw) & PCI_STATUS_INTERRUPT);
	return 0;
}

int device_pending(struct device *d, enum irq_index index, struct vector_set *pending,
		   struct error *e)
{
	static int (*const ask[])(struct device *, struct vector_set *, struct error *) = {
		[IRQ_INTX] = pending_intx, [IRQ_MSI] = pending_msi, [IRQ_MSIX] = pending_msix
	};

	*pending = (struct vector_set){ .bits = { 0 } };
	if (!device_index(d, index, e))
		return -ENODEV;
	if (index >= ARRAY_SIZE(ask))
		return fail(e, CAUSE_FAILED, EOPNOTSUPP, "%s has no pending bits",
			    irq_index_word(index));
	return ask[index](d, pending, e);
}
