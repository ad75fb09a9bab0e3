// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether the device is still there, and so why something failed. */
#include <errno.h>
#include <linux/pci_regs.h>

#include "base/util.h"
#include "device/internal.h"

/* Out of descriptors the folder can't be looked at, which does not say that it is not there. */
static bool folder_gone(const struct device *d)
{
	char bdf[PCI_ADDR_LEN];

	return d->has_addr && root_look(d->root, "sys/bus/pci/devices/%s",
					pci_addr_full(&d->addr, bdf)) == -ENOENT;
}

bool device_answers(struct device *d, uint16_t *vendor)
{
	uint8_t raw[2];

	if (!d->handle || folder_gone(d) ||
	    d->ops->region_read(d->handle, REGION_CONFIG, raw, sizeof(raw), PCI_VENDOR_ID) !=
		    sizeof(raw))
		return false;
	*vendor = le16(raw);
	/*
	 * PCI Local Bus 3.0, section 6.1: no device has that ID, and nobody answers to a read with
	 * it.
	 */
	return *vendor != 0xffff;
}

enum cause device_cause(struct device *d, int err)
{
	enum cause cause = cause_of_errno(err);
	uint16_t vendor;

	/*
	 * That a peer has gone or is silent is said before by device_lost(): this one answered, and
	 * refused.
	 */
	if (!d->ops->kernel_errno)
		return CAUSE_FAILED;
	return cause == CAUSE_NO_DEVICE && device_answers(d, &vendor) ? CAUSE_FAILED : cause;
}
