/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/interrupts, for kernels without /sys/kernel/irq and for counts that do
 * not fit into a page there. The header says how many CPUs have a column; no
 * other column is found by its position.
 */
#ifndef MSICTL_PROC_IRQ_H
#define MSICTL_PROC_IRQ_H

#include <stdbool.h>
#include <stdint.h>

#include "root.h"

struct proc_irq {
	unsigned int irq;
	uint64_t count;	   /* all CPUs */
	unsigned int cpus; /* those that have counted */
	bool has_hwirq;
	uint64_t hwirq;
	char chip[64], action[128]; /* action "": no handler */
};

/** proc_irq_cpus() - CPU columns that the header line announces. */
unsigned int proc_irq_cpus(const char *header);

/** proc_irq_parse() - one line below it; false: no numbered IRQ, or malformed. */
bool proc_irq_parse(const char *line, unsigned int cpus, struct proc_irq *p);

/** proc_irq_walk() - all lines. 0 or -errno. */
int proc_irq_walk(const struct root *r, void (*each)(void *ctx, const struct proc_irq *p), void *ctx);

/** proc_irq_pick() - the lines of the @n IRQs that @wanted names, and no further; of others not a column is parsed,
 * which is what costs on a host of many CPUs. 0: an IRQ that @each was not called for has no line; -EBADMSG: a line
 * that was asked for is malformed; -errno. */
int proc_irq_pick(const struct root *r, size_t n, bool (*wanted)(const void *ctx, unsigned int irq),
		  void (*each)(void *ctx, const struct proc_irq *p), void *ctx);

#endif
