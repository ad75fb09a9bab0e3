/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Linux IRQs of a function, read again and again at little cost: one file
 * per IRQ while nothing changes, whatever else the host has.
 */
#ifndef MSICTL_HOST_IRQ_WATCH_H
#define MSICTL_HOST_IRQ_WATCH_H

#include <stdint.h>

#include "host/irq.h"

/* What is remembered of one IRQ. */
struct host_counted {
	uint64_t incarnation; /* differs when it is another IRQ, also with the same number */
	struct irq_counter counter;
	int cpus_missing; /* CPUs that the first reading left out */
	bool proc;     /* its file does not tell the counts of all CPUs: /proc/interrupts is read */
	bool compared; /* @fresh is known, and came since the reading before */
	uint64_t fresh; /* what came since it was counted last; 0 while that can't be told */
	bool gap;	/* there was no count the last time */
};

struct host_watch {
	struct pci_addr addr;
	/*
	 * As of the last reading; affinity included. A count is that of the first reading and all
	 * that came since: it never falls, and does not rise by what a CPU that comes online has
	 * counted before.
	 */
	struct host_irqs irqs;
	struct host_counted *counted; /* of each */
	struct listed *listed;	      /* what msi_irqs/ held */
	size_t nlisted;
	bool begun; /* it was read once: an IRQ that was not there then is new */
	bool gap;   /* it could not be read the last time */
	unsigned int age;
	unsigned int changes;	  /* so often there was another list of IRQs than before */
	char *page;		  /* scratch */
	struct irq_counts counts; /* scratch */
	int err;		  /* of a callback */
};

/**
 * host_watch_read() - 0 or -errno, after which it can be read again. @w begins with its address and
 * zeros.
 */
int host_watch_read(const struct root *r, struct host_watch *w);

void host_watch_free(struct host_watch *w);

#endif
