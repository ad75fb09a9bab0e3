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

#include "host/pci.h"
#include "irq/count.h"
#include "irq/index.h"
#include "irq/vector-set.h"
#include "root/reader.h"

struct host_irq {
	unsigned int irq;
	enum irq_index index; /* IRQ_INTX, IRQ_MSI or IRQ_MSIX */
	int vector;	      /* -1: the host does not tell */
	/*
	 * Who told handler, chip and vector: /proc/interrupts where the folder in /sys/kernel/irq
	 * is missing; UNSEEN: an IRQ of which nothing is known but its number.
	 */
	enum host_irq_source source;
	bool armed;   /* has a handler; false also while source is HOST_IRQ_UNSEEN */
	bool counted; /* count could be read */
	enum host_irq_source
		counted_by; /* who told count: /proc/interrupts also where a file was cut off */
	int cpus_missing;   /* CPUs whose interrupts are not in count; -1: not known how many */
	unsigned int cpus;  /* those that counted */
	uint64_t count; /* interrupts since the IRQ was allocated, on all CPUs but the missing */
	/*
	 * Of host_irqs_read(), never NULL there: "" is not told, or not asked for. The last two are
	 * CPU lists.
	 */
	const char *chip, *action, *affinity, *effective;
};

struct host_irqs {
	struct host_irq *irq; /* sorted by index, vector, irq */
	size_t n;
	char **text; /* what their words point to, owned */
	size_t ntexts;
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
 * The kernel goes on without the folder of an IRQ that it could not make
 * (alloc_descs() in kernel/irq/irqdesc.c warns at most), so each missing one is
 * filled from /proc/interrupts. show_interrupts() in kernel/irq/proc.c prints
 * every IRQ that has a handler: without a line there is none.
 * Returns: 0 (also with none) or -errno. The caller frees @h.
 */
int host_irqs_read(const struct root *r, const struct pci_addr *a, unsigned int want,
		   struct host_irqs *h);

/**
 * host_irqs_partial() - IRQs whose count leaves CPUs out, and the most that one leaves out: -1, not
 * known how many.
 */
unsigned int host_irqs_partial(const struct host_irqs *h, int *cpus_missing);

/** host_irq_source_word() - "sysfs", "proc"; NULL: the IRQ was not seen. */
const char *host_irq_source_word(enum host_irq_source source);

/*
 * A page of sysfs and a NUL: the largest text of per_cpu_count (per_cpu_count_show() in
 * kernel/irq/irqdesc.c).
 */
#define HOST_IRQ_PAGE 65537

/**
 * host_irq_counts() - read /sys/kernel/irq/@irq/per_cpu_count; @page is scratch. 0, -EBADMSG: cut
 * off or malformed, -errno.
 */
int host_irq_counts(const struct root *r, unsigned int irq, char page[HOST_IRQ_PAGE],
		    struct irq_counts *c);

/** host_irq_count() - take a reading as the IRQ's count. */
void host_irq_count(struct host_irq *irq, const struct irq_counts *c, int cpus_missing);

/** host_irqs_armed() - vectors of @index that have a handler. */
struct vector_set host_irqs_armed(const struct host_irqs *h, enum irq_index index);

/**
 * host_irqs_unseen() - how many IRQs of @index are known by number alone: any vector may be one of
 * them.
 */
unsigned int host_irqs_unseen(const struct host_irqs *h, enum irq_index index);

/** host_irqs_find() - NULL when the host has none for that vector. */
const struct host_irq *host_irqs_find(const struct host_irqs *h, enum irq_index index,
				      unsigned int vector);

/**
 * host_irqs_any_chip() - whether any Linux IRQ's chip name begins with @prefix; *n counts those
 * looked at, *hits those that do.
 */
int host_irqs_chips(const struct root *r, const char *prefix, unsigned int *n, unsigned int *hits);

#endif
