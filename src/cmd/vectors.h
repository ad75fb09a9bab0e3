/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vectors of a function as rows: what the host says of each, beside what this session did. */
#ifndef MSICTL_CMD_VECTORS_H
#define MSICTL_CMD_VECTORS_H

#include "cli/command.h"
#include "device/handle.h"
#include "host/irq.h"
#include "irq/msi-cap.h"
#include "out/printer.h"

struct vector_row {
	enum irq_index index;
	int vector; /* -1: the host does not tell */
	const char *
		/* none, allocated, armed, masked; unknown: a Linux IRQ that nothing tells of */
		state;
	const char *masked_by;	     /* by what; NULL unless masked */
	const struct host_irq *host; /* NULL: no Linux IRQ */
	const struct vector *own;    /* NULL: never armed by this session */
	bool committed; /* allocated by our books, where the host has no IRQs to tell it by */
};

struct vector_rows {
	struct vector_row *row;
	size_t n;
	struct vector_set none[IRQ_MSIX + 1]; /* vectors of the device that are in no row */
};

/* All borrowed; the rows borrow from it. */
struct vector_source {
	const struct pci_caps *caps;
	const struct host_irqs *host;
	const struct device *device; /* NULL outside of run and shell */
};

/**
 * vector_capacity() - vectors that the device has of @index; 0: none, or its config space cannot be
 * read.
 */
unsigned int vector_capacity(const struct vector_source *src, enum irq_index index);

/**
 * vectors_most() - the vectors of its index that has most; UINT_MAX: its config space can't be
 * read.
 */
unsigned int vectors_most(const struct vector_source *src);

/**
 * vectors_within() - VECTORS listed beyond @most, which no index has, are a mistake worth telling:
 * "the device has vectors 0-4, 9 is beyond". 0 or -EINVAL (CAUSE_USAGE).
 */
int vectors_within(const struct value *v, unsigned int most, const char *who_has, struct error *e);

/**
 * vector_rows() - those with a Linux IRQ or armed by this session, or @all. 0 or -ENOMEM;
 * free(rows->row).
 */
int vector_rows(const struct vector_source *src, bool all, struct vector_rows *rows);

/**
 * doc_count_source() - "count_source" (sysfs or proc) and "cpus_missing", the CPUs that are not in
 * its count, null when it is not known how many; both null without a count.
 */
void doc_count_source(node *o, const struct host_irq *irq);

/**
 * partial_append() - the sentence on @irqs IRQs of @who whose counts leave CPUs out; nothing of 0.
 */
void partial_append(char *buf, size_t size, const char *who, unsigned int irqs, int cpus_missing);

/**
 * doc_vector_row() - append a row in the words that scripts know
 *
 * With a device "count" is what the eventfd counted and "host" the interrupts
 * that Linux saw; without one "count" is Linux' own.
 */
void doc_vector_row(node *array, const struct vector_source *src, const struct vector_row *row);

#endif
