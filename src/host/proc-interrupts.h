/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/interrupts, for kernels without /sys/kernel/irq and for counts that do
 * not fit into a page there. The header says how many CPUs have a column; no
 * other column is found by its position.
 */
#ifndef MSICTL_HOST_PROC_INTERRUPTS_H
#define MSICTL_HOST_PROC_INTERRUPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "irq/count.h"
#include "root/reader.h"

struct proc_irq {
	unsigned int irq;
	struct irq_counts counts; /* of the CPUs that have a column */
	bool has_hwirq;
	uint64_t hwirq;
	const char *chip,
		*action; /* action "": no handler; both there until the next line is parsed */
	char *words;	 /* what they point into, owned */
	size_t room;
};

/**
 * proc_irq_columns() - the CPUs that the header line announces, ascending
 * Returns: 0; the caller frees *@cpu. -EINVAL: no such line; -ENOMEM.
 */
int proc_irq_columns(const char *header, unsigned int **cpu, size_t *n);

/**
 * proc_irq_parse() - one line below it
 * @p: its counts know their columns, and keep their room from line to line
 * Returns: 0; -EBADMSG: no numbered IRQ, or malformed; -ENOMEM. proc_irq_free() after the last
 * line.
 */
int proc_irq_parse(const char *line, struct proc_irq *p);

void proc_irq_free(struct proc_irq *p);

/** proc_irq_walk() - all lines. What @each is given is there while it runs. 0 or -errno. */
int proc_irq_walk(const struct root *r, void (*each)(void *ctx, const struct proc_irq *p),
		  void *ctx);

/**
 * proc_irq_pick() - the lines of the @n IRQs that @wanted names, and no further; of others not a
 * column is parsed, which is what costs on a host of many CPUs. 0: an IRQ that @each was not called
 * for has no line; -EBADMSG: a line that was asked for is malformed; -errno.
 */
int proc_irq_pick(const struct root *r, size_t n, bool (*wanted)(const void *ctx, unsigned int irq),
		  void (*each)(void *ctx, const struct proc_irq *p), void *ctx);

/**
 * proc_irq_missing() - CPUs that are there and have no column in @c: what they
 * counted is not told. /sys/devices/system/cpu/present, or possible, has them.
 * Returns: their number; -1: not known.
 */
int proc_irq_missing(const struct root *r, const struct irq_counts *c);

#endif
