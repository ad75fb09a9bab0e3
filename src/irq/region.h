/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The regions of a VFIO PCI device and their words. Values are linux/vfio.h's. */
#ifndef MSICTL_IRQ_REGION_H
#define MSICTL_IRQ_REGION_H

#include <stddef.h>
#include <stdint.h>

/* VFIO_PCI_*_REGION_INDEX of linux/vfio.h. */
enum region_index {
	REGION_BAR0,
	REGION_BAR5 = 5,
	REGION_ROM,
	REGION_CONFIG,
	REGION_VGA,
	NR_REGION,
};

/** region_word() - "bar0".."bar5", "rom", "config", "vga"; NULL for no region. */
const char *region_word(enum region_index region);

/** region_text() - what is reached for, for a trace: "config offset=0x4 size=2". Returns @buf. */
char *region_text(enum region_index region, uint64_t offset, size_t n, char *buf, size_t size);

/**
 * region_value() - append @before and the number in @n little-endian bytes of @raw, "0x0006";
 * nothing for more than 8.
 */
void region_value(const void *raw, size_t n, const char *before, char *buf, size_t size);

#endif
