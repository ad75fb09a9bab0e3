/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Linux IRQs of a function, read again and again at little cost: one file
 * per IRQ while nothing changes, whatever else the host has.
 */
#ifndef MSICTL_HOST_WATCH_H
#define MSICTL_HOST_WATCH_H

#include <stdint.h>

#include "host-irq.h"

struct host_watch {
	struct pci_addr addr;
	struct host_irqs irqs; /* as of the last reading; affinity included */
	uint64_t *incarnation; /* of each: differs when it is another IRQ, also with the same number */
	unsigned int *cpus;    /* of each: CPUs that have counted; 0: none, or not known */
	struct listed *listed; /* what msi_irqs/ held */
	size_t nlisted;
	unsigned int age;
	unsigned int changes; /* so often there was another list of IRQs than before */
	char *page;	      /* scratch */
	bool from_proc;	      /* counts are those of /proc/interrupts */
};

/** host_watch_read() - 0 or -errno. @w begins with its address and zeros. */
int host_watch_read(const struct root *r, struct host_watch *w);

void host_watch_free(struct host_watch *w);

#endif
