// SPDX-License-Identifier: GPL-2.0-or-later
/* The MSI-X table of an opened device: mapped, or read and written as a part of its BAR. */
#include <errno.h>
#include <linux/pci_regs.h>
#include <unistd.h>

#include "base/sigbus.h"
#include "base/util.h"
#include "device/internal.h"

/* Map the pages that hold the table; needs VFIO_REGION_INFO_CAP_MSIX_MAPPABLE (Linux 4.16). */
static int map_table(struct device *d, struct error *e)
{
	const struct msix_cap *m = &d->caps.msix;
	size_t page = (size_t)sysconf(_SC_PAGESIZE), skip = m->table_offset % page;
	size_t size = (skip + (size_t)m->count * MSIX_ENTRY_SIZE + page - 1) / page * page;
	struct region_info info = { 0 };
	int rc;

	if (d->table)
		return 0;
	rc = d->ops->region_info(d->handle, m->table_bar, &info);
	if (rc)
		return fail(e, device_cause(d, -rc), -rc,
			    "bar%u, which holds the MSI-X table, can't be asked for", m->table_bar);
	if (!info.map || !info.msix_mappable || !d->ops->region_map)
		return fail(e, CAUSE_FAILED, EOPNOTSUPP,
			    "the kernel does not let the MSI-X table in bar%u be mapped",
			    m->table_bar);
	if (m->table_offset - skip + size > info.size)
		return fail(e, CAUSE_FAILED, ERANGE,
			    "the MSI-X table at 0x%x runs over the end of bar%u", m->table_offset,
			    m->table_bar);
	rc = d->ops->region_map(d->handle, m->table_bar, m->table_offset - skip, size, &d->table);
	if (rc) {
		d->table = NULL;
		return fail(e, device_cause(d, -rc), -rc, "the MSI-X table can't be mapped");
	}
	d->table_map = size;
	d->table_skip = skip;
	return 0;
}

int device_table_reach(struct device *d, struct error *e)
{
	const struct msix_cap *m = &d->caps.msix;
	int rc = d->ops->decode_first ? device_memory_on(d, e) : 0;
	uint32_t first;

	if (rc)
		return rc;
	if (!d->caps.has_msix || m->truncated || m->table_bar > 5)
		return fail(e, CAUSE_FAILED, 0,
			    "the device has no MSI-X table that can be reached");
	if (!d->ops->table_by_region)
		return map_table(d, e);
	/*
	 * Whether a BAR answers without memory decode is the peer's own matter: libvfio-user's do.
	 */
	return device_entry_read(d, 0, 0, &first, 1) ? device_table_fault(d, e) : 0;
}

static volatile uint32_t *entry_at(const struct device *d, unsigned int vector)
{
	return (volatile uint32_t *)((char *)d->table + d->table_skip +
				     (size_t)vector * MSIX_ENTRY_SIZE);
}

int device_table_fault(struct device *d, struct error *e)
{
	int rc = device_lost(d, "access to the MSI-X table", e);
	uint16_t vendor;

	if (rc)
		return rc;
	if (d->ops->decode_first && device_memory_on(d, e))
		return -e->err;
	if (!d->ops->decode_first &&
	    device_bar_mapped(d, (enum region_index)d->caps.msix.table_bar, e))
		return -EIO;
	if (!d->ops->kernel_errno)
		return fail(e, CAUSE_FAILED, EIO,
			    "the %s refuses access to the MSI-X table in its BAR", d->ops->keeper);
	return fail(e, device_answers(d, &vendor) ? CAUSE_FAILED : CAUSE_NO_DEVICE, EFAULT,
		    "the MSI-X table in the device's BAR does not answer");
}

int device_entry_read(struct device *d, unsigned int vector, unsigned int first, uint32_t *to,
		      size_t n)
{
	const struct msix_cap *m = &d->caps.msix;
	uint64_t at = m->table_offset + (uint64_t)vector * MSIX_ENTRY_SIZE + (uint64_t)first * 4;
	uint8_t raw[MSIX_ENTRY_SIZE];

	if (!d->ops->table_by_region)
		return mmio_read32(entry_at(d, vector) + first, to, n);
	if (d->ops->region_read(d->handle, m->table_bar, raw, n * 4, at) != (ssize_t)(n * 4))
		return -EIO;
	for (size_t i = 0; i < n; i++)
		to[i] = le32(raw + i * 4);
	return 0;
}

int device_table_addresses(struct device *d, unsigned int start, uint32_t *low, size_t n)
{
	int rc = 0;

	if (!d->ops->table_by_region)
		return mmio_read32_every(entry_at(d, start), MSIX_ENTRY_SIZE / 4, low, n);
	for (unsigned int i = 0; rc == 0 && i < n; i++)
		rc = device_entry_read(d, start + i, 0, &low[i], 1);
	return rc;
}

int device_entry_control(struct device *d, unsigned int vector, uint32_t value)
{
	const struct msix_cap *m = &d->caps.msix;
	uint64_t at = m->table_offset + (uint64_t)vector * MSIX_ENTRY_SIZE + 12u;
	uint8_t raw[4] = { (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
			   (uint8_t)(value >> 24) };

	if (!d->ops->table_by_region)
		return mmio_write32(entry_at(d, vector) + 3, value);
	return d->ops->region_write(d->handle, m->table_bar, raw, sizeof(raw), at) == sizeof(raw)
		       ? 0
		       : -EIO;
}

int device_table_check(const struct device *d, unsigned int vector, struct error *e)
{
	if (vector < d->caps.msix.count)
		return 0;
	return fail(e, CAUSE_USAGE, 0, "the MSI-X table has %u entries", d->caps.msix.count);
}

int device_table_read(struct device *d, unsigned int vector, struct msix_entry *entry,
		      struct error *e)
{
	uint32_t raw[MSIX_ENTRY_SIZE / 4];
	int rc = device_here(d, e);

	if (rc == 0)
		rc = device_table_reach(d, e);
	if (rc == 0)
		rc = device_table_check(d, vector, e);
	if (rc)
		return rc;
	if (device_entry_read(d, vector, 0, raw, ARRAY_SIZE(raw)))
		return device_table_fault(d, e);
	msix_entry_decode((const uint8_t *)raw, entry);
	return 0;
}
