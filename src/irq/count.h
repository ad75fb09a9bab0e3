/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Linux counted of an IRQ, CPU by CPU, and the one rule for the difference
 * of two readings. Pure.
 *
 * The kernel has an unsigned int for each IRQ and possible CPU (kstat_irqs in
 * include/linux/irqdesc.h). /sys/kernel/irq/N/per_cpu_count prints those of all
 * possible CPUs, /proc/interrupts only those of CPUs that are online. So:
 *  - a difference is taken CPU by CPU, modulo 2^32, and of one source only;
 *  - a CPU that goes keeps the value it had, and goes on from there when it is
 *    back: while offline it counts nothing;
 *  - what a CPU counted before it was seen first is no new count;
 *  - a counter that fell by less than 2^31 did not wrap but began anew.
 */
#ifndef MSICTL_IRQ_COUNT_H
#define MSICTL_IRQ_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which of the kernel's texts told of an IRQ. */
enum host_irq_source {
	HOST_IRQ_UNSEEN, /* none could be read */
	HOST_IRQ_SYSFS,	 /* /sys/kernel/irq/N: counts of all possible CPUs */
	HOST_IRQ_PROC,	 /* /proc/interrupts: counts of CPUs that are online */
};

struct cpu_count {
	uint32_t cpu, count;
};

/* One reading of one IRQ. Who reads again and again uses the same one, for its room. */
struct irq_counts {
	enum host_irq_source source;
	/* the CPU of each column, ascending, borrowed; NULL: 0, 1, 2 ... */
	const unsigned int *column;
	size_t columns;
	struct cpu_count *cpu; /* those that counted, ascending */
	size_t n, room;
};

/**
 * irq_counts_parse() - per_cpu_count: "1,20,0\n", whose newline says that it is whole. 0; -EBADMSG:
 * cut off by the kernel's page, or malformed; -ENOMEM.
 */
int irq_counts_parse(struct irq_counts *c, const char *text);

/** irq_counts_add() - the value of the next CPU. 0 or -ENOMEM. */
int irq_counts_add(struct irq_counts *c, unsigned int cpu, uint32_t count);

/** irq_counts_sum() - all CPUs that the reading has. */
uint64_t irq_counts_sum(const struct irq_counts *c);

void irq_counts_free(struct irq_counts *c);

/* What is remembered of one IRQ from reading to reading. Begins with zeros. */
struct irq_counter {
	enum host_irq_source source; /* of the last reading; UNSEEN: there was none */
	bool anew; /* the IRQ was allocated since it was looked for: its first reading is all new */
	uint64_t total;		/* the sum of the first reading, and all that came since */
	struct cpu_count *last; /* of each CPU that ever counted, ascending */
	size_t n, room;
	uint64_t *known; /* a bit for each CPU that had a column */
	size_t words;
};

/**
 * irq_counter_take() - take the next reading
 * @fresh: what came since the reading before; 0 when that can't be told
 *
 * It can't be told of the first reading unless the IRQ is new, of one from another source than the
 * one before, and when a counter began anew. Then @now is where the next
 * difference begins, and the total stays as it was.
 * Returns: 1 when @fresh is known, 0 when not, -ENOMEM.
 */
int irq_counter_take(struct irq_counter *c, const struct irq_counts *now, uint64_t *fresh);

void irq_counter_free(struct irq_counter *c);

/**
 * cpu_list_missing() - how many CPUs of @list ("0-3,8", as /sys/devices/system/cpu/present has it)
 * have no column in @c. -1: it is no such list.
 */
int cpu_list_missing(const char *list, const struct irq_counts *c);

#endif
