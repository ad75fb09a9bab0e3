// SPDX-License-Identifier: GPL-2.0-or-later
/* BARs and config space of an opened device, bus mastering, reset. */
#include <errno.h>
#include <inttypes.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "device/internal.h"
#include "host/function.h"

int device_config16(struct device *d, unsigned int pos, uint16_t *value)
{
	uint8_t raw[2];
	ssize_t n = d->ops->region_read(d->handle, REGION_CONFIG, raw, sizeof(raw), pos);

	if (n != sizeof(raw))
		return n < 0 ? (int)n : -EIO;
	*value = le16(raw);
	return 0;
}

bool device_would_write(const struct device *d, enum region_index region, uint64_t offset,
			const void *raw, size_t n)
{
	char text[96];

	if (!d->trace->dry_run)
		return false;
	region_text(region, offset, n, text, sizeof(text));
	region_value(raw, n, " value=", text, sizeof(text));
	return trace_would(d->trace, "pwrite", text);
}

int device_config16_put(struct device *d, unsigned int pos, uint16_t value)
{
	uint8_t raw[2] = { (uint8_t)value, (uint8_t)(value >> 8) };
	ssize_t n;

	if (device_would_write(d, REGION_CONFIG, pos, raw, sizeof(raw)))
		return 0;
	n = d->ops->region_write(d->handle, REGION_CONFIG, raw, sizeof(raw), pos);
	if (n != sizeof(raw))
		return n < 0 ? (int)n : -EIO;
	return 0;
}

int device_bus_master(struct device *d, bool on)
{
	uint16_t cmd;
	int rc;

	if (!on && !d->bus_master_on)
		return 0;
	rc = device_config16(d, PCI_COMMAND, &cmd);
	if (rc)
		return rc;
	if (d->trace->dry_run && d->bus_master_on)
		cmd |= PCI_COMMAND_MASTER; /* so it would read by now */
	if (!!(cmd & PCI_COMMAND_MASTER) == on) {
		/*
		 * A second change finds it on: still ours to put back. Off without us: somebody
		 * decided meanwhile.
		 */
		if (!on)
			d->bus_master_on = false;
		return 0;
	}
	cmd ^= PCI_COMMAND_MASTER;
	rc = device_config16_put(d, PCI_COMMAND, cmd);
	if (rc)
		return rc;
	d->bus_master_on = on;
	return 1;
}

bool device_fill_caps(const struct device *d, struct function *f)
{
	const uint16_t command = f->caps.command, status = f->caps.status;
	uint8_t raw[256];
	ssize_t n;

	if (f->caps.problem != CAPS_SHORT_CONFIG || !d || !d->handle || !d->ops->host_irqs)
		return false;
	n = d->ops->region_read(d->handle, REGION_CONFIG, raw, sizeof(raw), 0);
	if (n <= 0 || (size_t)n <= f->config_len)
		return false;
	caps_decode(raw, (size_t)n, &f->caps);
	/* The header was the device's own. */
	f->caps.command = command;
	f->caps.status = status;
	return true;
}

/*
 * PCI Power Management 1.2, section 3.2.4. 0 also where the register can't be read: then nothing is
 * known.
 */
static uint16_t power_control(struct device *d)
{
	uint16_t pm = 0;

	return d->caps.has_pm && device_config16(d, d->caps.pm_pos + PCI_PM_CTRL, &pm) == 0 ? pm
											    : 0;
}

int device_awake(struct device *d, enum irq_index index, struct error *e)
{
	static const char *const state[] = { "D0", "D1", "D2", "D3hot" };
	uint16_t pm = index == IRQ_MSI || index == IRQ_MSIX ? power_control(d) : 0;
	int rc;

	/* Of ones the kernel's answer tells more. */
	if (!(pm & PCI_PM_CTRL_STATE_MASK) || pm == 0xffff)
		return 0;
	rc = fail(e, CAUSE_FAILED, EIO,
		  "the device is in %s, a low-power state, where no %s vector is armed in it",
		  state[pm & PCI_PM_CTRL_STATE_MASK], irq_index_word(index));
	hint(e, "write config 0x%x w 0", d->caps.pm_pos + PCI_PM_CTRL);
	return rc;
}

int device_memory_on(struct device *d, struct error *e)
{
	uint16_t cmd = 0, pm = power_control(d);
	int rc;

	if (pm & PCI_PM_CTRL_STATE_MASK) {
		rc = fail(e, CAUSE_FAILED, EIO, "the device is in %s",
			  pm == 0xffff ? "D3cold or gone" : "a low-power state (not D0)");
		hint(e, "write config 0x%x w 0", d->caps.pm_pos + PCI_PM_CTRL);
		return rc;
	}
	rc = device_config16(d, PCI_COMMAND, &cmd);
	if (rc && device_lost(d, "REGION_READ of config space", e))
		return rc;
	if (rc)
		return fail(e, device_cause(d, -rc), -rc,
			    "the device's config space can't be read");
	if (cmd & PCI_COMMAND_MEMORY)
		return 0;
	rc = fail(e, CAUSE_FAILED, EIO,
		  "memory decode is off (Command 0x%04x), so BARs do not answer", cmd);
	hint(e, "write config 0x4 w 0x%x", cmd | PCI_COMMAND_MEMORY);
	return rc;
}

static bool overlaps(uint64_t a, uint64_t an, uint64_t b, uint64_t bn)
{
	return an && bn && a < b + bn && b < a + an;
}

/* The bytes that a capability takes in config space (PCI Local Bus 3.0, figures 6-9 and 6-10). */
static unsigned int msi_cap_size(const struct msi_cap *m)
{
	return (m->is64 ? 14u : 10u) + (m->maskable ? 10u : 0u);
}

const char *device_cap_at(const struct device *d, enum region_index region, uint64_t offset,
			  unsigned int width)
{
	const struct pci_caps *c = &d->caps;

	if (region != REGION_CONFIG)
		return NULL;
	if (c->has_msi && overlaps(offset, width, c->msi.pos, msi_cap_size(&c->msi)))
		return irq_index_word(IRQ_MSI);
	if (c->has_msix && overlaps(offset, width, c->msix.pos, 12))
		return irq_index_word(IRQ_MSIX);
	return NULL;
}

/*
 * Of a device of this host the kernel writes the capabilities and the table; of a peer nobody else
 * may do so.
 */
static int refuse_write(const struct device *d, enum region_index region, uint64_t offset,
			unsigned int width, struct error *e)
{
	const struct pci_caps *c = &d->caps;
	const char *which = device_cap_at(d, region, offset, width);
	int rc;

	if (!d->ops->kernel_registers)
		return 0;
	if (which) {
		rc = fail(
			e, CAUSE_FAILED, 0,
			"0x%" PRIx64
			" is in the %s capability, which the platform writes: a write here loses interrupts silently",
			offset, which);
		hint(e, "enable %s COUNT, disable %s, or mask %s VECTORS", which, which, which);
		return rc;
	}
	if (!c->has_msix || region != (enum region_index)c->msix.table_bar ||
	    !overlaps(offset, width, c->msix.table_offset,
		      (uint64_t)c->msix.count * MSIX_ENTRY_SIZE))
		return 0;
	rc = fail(e, CAUSE_FAILED, 0,
		  "%s 0x%" PRIx64 " is in the MSI-X table, where the kernel drops writes",
		  region_word(region), offset);
	hint(e, "mask msix VECTORS --by table");
	return rc;
}

static int check_access(struct device *d, enum region_index region, uint64_t offset,
			unsigned int width, struct error *e)
{
	struct region_info info = { 0 };
	int rc = device_here(d, e);

	if (rc)
		return rc;
	rc = d->ops->region_info(d->handle, region, &info);
	if (rc && device_lost(d, "GET_REGION_INFO", e))
		return rc;
	if (rc && rc != -EINVAL)
		return fail(e, device_cause(d, -rc), -rc,
			    "VFIO_DEVICE_GET_REGION_INFO of %s failed", region_word(region));
	if (rc || info.size == 0)
		return fail(e, CAUSE_FAILED, 0, "the device has no %s", region_word(region));
	if (width > info.size || offset > info.size - width)
		return fail(e, CAUSE_USAGE, 0, "%s ends at 0x%" PRIx64 ", 0x%" PRIx64 " is beyond",
			    region_word(region), info.size, offset);
	if (offset % width)
		return fail(e, CAUSE_USAGE, 0, "0x%" PRIx64 " is not aligned to %u bytes", offset,
			    width);
	return 0;
}

int device_bar_mapped(struct device *d, enum region_index bar, struct error *e)
{
	unsigned int at = PCI_BASE_ADDRESS_0 + 4 * (unsigned int)bar;
	const uint32_t mem64 = PCI_BASE_ADDRESS_MEM_TYPE_64;
	uint32_t low, high = 0;
	uint16_t command;
	uint8_t raw[8] = { 0 };
	size_t n = bar == REGION_BAR5 ? 4 : 8;
	bool io;
	int rc;

	if (d->ops->region_read(d->handle, REGION_CONFIG, raw, n, at) != (ssize_t)n ||
	    device_config16(d, PCI_COMMAND, &command))
		return 0;
	low = le32(raw);
	io = low & PCI_BASE_ADDRESS_SPACE_IO;
	if (!io && device_memory_on(d, e))
		return -EIO;
	if (io && !(command & PCI_COMMAND_IO)) {
		rc = fail(e, CAUSE_FAILED, EIO,
			  "I/O decode is off (Command 0x%04x), so %s does not answer", command,
			  region_word(bar));
		hint(e, "write config 0x4 w 0x%x", command | PCI_COMMAND_IO);
		return rc;
	}
	if (!io && (low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == mem64)
		high = le32(raw + 4);
	if (high || low & (uint32_t)(io ? PCI_BASE_ADDRESS_IO_MASK : PCI_BASE_ADDRESS_MEM_MASK))
		return 0;
	rc = fail(e, CAUSE_FAILED, EIO,
		  "%s has no address (config 0x%x reads 0x%x), so it does not answer",
		  region_word(bar), at, low);
	hint(e, "write config 0x%x l 0x%x   or another address", at,
	     io ? 0x1000u * (1 + (unsigned int)bar)
		: 0x80000000u + 0x10000000u * (unsigned int)bar);
	return rc;
}

/*
 * The kernel says EIO of a BAR that does not decode, peers say what they like: QEMU's server
 * EINVAL.
 */
static int explain_access(struct device *d, enum region_index region, uint64_t offset, ssize_t rc,
			  struct error *e)
{
	int err = rc < 0 ? (int)-rc : EIO, lost = device_lost(d, "region access", e);
	bool why = false;

	if (lost)
		return lost;
	if (!d->ops->decode_first && region <= REGION_BAR5)
		why = device_bar_mapped(d, region, e);
	else if (err == EIO && region != REGION_CONFIG)
		why = device_memory_on(d, e);
	if (why) {
		e->err = err;
		return -err;
	}
	return fail(e, err == EIO ? CAUSE_FAILED : device_cause(d, err), err,
		    "%s 0x%" PRIx64 " can't be accessed", region_word(region), offset);
}

int device_read(struct device *d, enum region_index region, uint64_t offset, unsigned int width,
		uint64_t *value, struct error *e)
{
	uint8_t raw[8] = { 0 };
	ssize_t n;
	int rc = check_access(d, region, offset, width, e);

	if (rc)
		return rc;
	n = d->ops->region_read(d->handle, region, raw, width, offset);
	if (n != (ssize_t)width)
		return explain_access(d, region, offset, n, e);
	*value = le32(raw) | (uint64_t)le32(raw + 4) << 32;
	return 0;
}

int device_write(struct device *d, enum region_index region, uint64_t offset, unsigned int width,
		 uint64_t value, struct error *e)
{
	uint8_t raw[8];
	ssize_t n;
	int rc = check_access(d, region, offset, width, e);

	if (rc == 0)
		rc = refuse_write(d, region, offset, width, e);
	if (rc)
		return rc;
	if (width < 8 && value >> (width * 8))
		return fail(e, CAUSE_USAGE, 0, "0x%" PRIx64 " does not fit into %u byte%s", value,
			    width, width == 1 ? "" : "s");
	for (unsigned int i = 0; i < width; i++)
		raw[i] = (uint8_t)(value >> (8 * i));
	if (device_would_write(d, region, offset, raw, width))
		return 0;
	n = d->ops->region_write(d->handle, region, raw, width, offset);
	return n == (ssize_t)width ? 0 : explain_access(d, region, offset, n, e);
}
