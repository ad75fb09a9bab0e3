// SPDX-License-Identifier: GPL-2.0-or-later
/* The entries of the MSI-X table (PCI Local Bus 3.0, section 6.8.2), as the kernel fills them. */
#include <linux/pci_regs.h>
#include <string.h>

#include "base/util.h"
#include "sim/internal.h"

static void store32(uint8_t *p, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

/* Remappable format (Intel VT-d, section 5.1.2.2): the address carries a handle, data is 0. */
static uint32_t message_address(unsigned int v)
{
	return 0xfee00018u | (0x100u + v) << 5;
}

static uint8_t *entry_bytes(struct sim_device *d, unsigned int v)
{
	return d->table + (size_t)v * MSIX_ENTRY_SIZE;
}

void sim_entry_set(struct sim_device *d, unsigned int v, bool mask)
{
	uint8_t *p = entry_bytes(d, v);

	memset(p, 0, MSIX_ENTRY_SIZE);
	store32(p + PCI_MSIX_ENTRY_LOWER_ADDR, message_address(v));
	store32(p + PCI_MSIX_ENTRY_VECTOR_CTRL, mask ? PCI_MSIX_ENTRY_CTRL_MASKBIT : 0);
}

void sim_entry_clear(struct sim_device *d, unsigned int v)
{
	uint8_t *p = entry_bytes(d, v);

	memset(p, 0, MSIX_ENTRY_SIZE);
	store32(p + PCI_MSIX_ENTRY_VECTOR_CTRL, PCI_MSIX_ENTRY_CTRL_MASKBIT);
}

void sim_entry_mask(struct sim_device *d, unsigned int v, bool mask)
{
	store32(entry_bytes(d, v) + PCI_MSIX_ENTRY_VECTOR_CTRL,
		mask ? PCI_MSIX_ENTRY_CTRL_MASKBIT : 0);
}

bool sim_entry_masked(const struct sim_device *d, unsigned int v)
{
	return d->table[v * MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL] &
	       PCI_MSIX_ENTRY_CTRL_MASKBIT;
}

bool sim_entry_reaches(const struct sim_device *d, unsigned int v)
{
	const uint8_t *p = d->table + (size_t)v * MSIX_ENTRY_SIZE;

	/* QEMU's server has messages of its own and never looks at what is in the entry. */
	if (d->spec.client_enable)
		return true;
	return le32(p) == message_address(v) && le32(p + PCI_MSIX_ENTRY_UPPER_ADDR) == 0 &&
	       le32(p + PCI_MSIX_ENTRY_DATA) == 0;
}
