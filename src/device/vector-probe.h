/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many vectors the kernel really grants, found out by asking: an index is
 * enabled, disabled again, and nothing is left behind. VFIO's count is only
 * what the device's capability says (vfio_pci_get_irq_count()).
 */
#ifndef MSICTL_DEVICE_VECTOR_PROBE_H
#define MSICTL_DEVICE_VECTOR_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "device/handle.h"
#include "platform/evidence.h"

struct probe_limits {
	unsigned int most; /* never ask for more; 0: the host has none to spare */
	bool powers;	   /* ask for powers of two only */
	char why[160];	   /* what set most, in words */
};

/**
 * probe_limits() - how far a probe may go on this host
 * @reserve: vectors that have to stay free for others; 0: run into the host's own limit
 * @cap: the most that are tried whatever is free
 */
void probe_limits(const struct platform *p, enum irq_index index, unsigned int reserve,
		  unsigned int cap, struct probe_limits *lim);

struct grant {
	bool measured;		 /* false in a dry run */
	unsigned int capability; /* what the device offers: irq_info.count */
	unsigned int asked;	 /* the first question, the largest */
	int answer;		 /* to it: 0, the count that could be had, or -errno */
	unsigned int granted;	 /* the most that was had, and was given back */
	bool capped;		 /* more may be had: nobody asked */
	bool powers;		 /* because powers of two alone were asked for */
	unsigned int asks;	 /* SET_IRQS that enable */
	uint64_t us;		 /* time of all calls */
};

/**
 * vector_probe() - measure @index (MSI or MSI-X) of a device that has no index enabled
 *
 * The books in d->irq[] stay as they are: disabled before, disabled after.
 * Returns: 0; -EBUSY when an index is enabled (CAUSE_DISTURB); -ENODEV when the
 * device does not offer the index; -errno of what went wrong, with a sentence.
 */
int vector_probe(struct device *d, enum irq_index index, const struct probe_limits *lim,
		 struct grant *g, struct error *e);

#endif
