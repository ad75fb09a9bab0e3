/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The five interrupt indexes of a VFIO PCI device and their words. Values are linux/vfio.h's. */
#ifndef MSICTL_IRQ_INDEX_H
#define MSICTL_IRQ_INDEX_H

#include <stdint.h>

enum irq_index {
	IRQ_INTX, /* VFIO_PCI_INTX_IRQ_INDEX */
	IRQ_MSI,
	IRQ_MSIX,
	IRQ_ERR,
	IRQ_REQ,
	NR_IRQ_INDEX,
};

/* enum bits of struct irq_info.flags, VFIO_IRQ_INFO_* of linux/vfio.h. */
#define IRQ_EVENTFD    (1u << 0)
#define IRQ_MASKABLE   (1u << 1)
#define IRQ_AUTOMASKED (1u << 2)
#define IRQ_NORESIZE   (1u << 3)

/** irq_index_word() - "intx", "msi", "msix", "err", "req". */
const char *irq_index_word(enum irq_index index);

/** irq_index_parse() - 0 or -EINVAL. */
int irq_index_parse(const char *text, enum irq_index *index);

/**
 * irq_flag_word() - the word of flag bit @bit (0..31), NULL for one that linux/vfio.h does not
 * name.
 */
const char *irq_flag_word(unsigned int bit);

#endif
