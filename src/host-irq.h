/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Linux IRQs of a PCI function, whoever drives it: msi_irqs/ names them,
 * /sys/kernel/irq/N tells of each, /proc/interrupts where that is missing.
 * The number is the key; a position in a kernel text is never trusted.
 */
#ifndef MSICTL_HOST_IRQ_H
#define MSICTL_HOST_IRQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "irq-index.h"
#include "pci.h"
#include "root.h"
#include "vector-set.h"

struct host_irq {
	unsigned int irq;
	enum irq_index index; /* IRQ_INTX, IRQ_MSI or IRQ_MSIX */
	int vector;	      /* -1: the host does not tell */
	bool armed;	      /* has a handler */
	bool counted;	      /* count could be read */
	uint64_t count;	      /* interrupts since the IRQ was allocated, all CPUs */
	char chip[64], action[128];
	char affinity[128], effective[128]; /* CPU lists, "" when not asked for or not readable */
};

struct host_irqs {
	struct host_irq *irq; /* sorted by index, vector, irq */
	size_t n;
};

void host_irqs_free(struct host_irqs *h);

enum host_irq_want {
	HOST_IRQ_BRIEF = 0,
	HOST_IRQ_AFFINITY = 1 << 0, /* /proc/irq/N too */
};

/**
 * host_irqs_read() - all Linux IRQs of @a
 *
 * The vector comes from the action (vfio-msix[3](BDF)), else from hwirq: the
 * index itself under per-device domains, or in its low 11 bits (devid << 11 |
 * index; drivers/pci/msi/irqdomain.c pci_msi_domain_calc_hwirq()).
 * INTx (the function's "irq" file) is listed only while no msi_irqs/ is there
 * and a handler names it.
 * Returns: 0 (also with none) or -errno. The caller frees @h.
 */
int host_irqs_read(const struct root *r, const struct pci_addr *a, unsigned int want, struct host_irqs *h);

/** host_irqs_armed() - vectors of @index that have a handler. */
struct vector_set host_irqs_armed(const struct host_irqs *h, enum irq_index index);

/** host_irqs_find() - NULL when the host has none for that vector. */
const struct host_irq *host_irqs_find(const struct host_irqs *h, enum irq_index index, unsigned int vector);

/** host_irqs_any_chip() - whether any Linux IRQ's chip name begins with @prefix; *n counts those looked at, *hits those
 * that do. */
int host_irqs_chips(const struct root *r, const char *prefix, unsigned int *n, unsigned int *hits);

#endif
