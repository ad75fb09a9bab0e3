/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One intended SET_IRQS as a value, and the plans made of them. Pure: planned
 * here, shown by --dry-run, compared in unit tests, sent by a back end.
 */
#ifndef MSICTL_IRQ_SET_IRQS_H
#define MSICTL_IRQ_SET_IRQS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "irq/index.h"
#include "irq/vector-set.h"

enum irq_action {
	IRQ_ACTION_TRIGGER,
	IRQ_ACTION_MASK,
	IRQ_ACTION_UNMASK,
};

enum irq_data {
	IRQ_DATA_NONE,	  /* act on start..start+count-1; TRIGGER with count 0 disables the index */
	IRQ_DATA_BOOL,	  /* act on those of them that are in attach */
	IRQ_DATA_EVENTFD, /* members of attach get their eventfd, the others -1 (released) */
};

struct irq_set {
	enum irq_index index;
	enum irq_action action;
	enum irq_data data;
	unsigned int start, count;
	struct vector_set attach;
};

/* What is known of an index when a plan is made. */
struct irq_state {
	enum irq_index index;
	unsigned int count;	     /* what the device offers: irq_info.count */
	uint32_t flags;		     /* IRQ_* of irq/index.h */
	bool enabled;		     /* the index is on, with or without armed vectors */
	struct vector_set allocated; /* vectors that have a Linux IRQ while enabled */
	struct vector_set armed;
	/* masked: an eventfd given anew would let them go, so a change gives them none */
	struct vector_set held;
};

/* Owned by the caller; plan_free() it. */
struct plan {
	struct irq_set *set;
	size_t n;
	bool rebuild; /* live vectors are torn down on the way */
};

void plan_free(struct plan *p);

/**
 * plan_enable() - arm @want besides what is armed; a request that would disturb live vectors is
 * refused (CAUSE_DISTURB).
 */
int plan_enable(const struct irq_state *have, const struct vector_set *want, struct plan *p,
		struct error *e);

/**
 * plan_enable_none() - the zero-vector enable: vector @room-1 allocated with eventfd -1, nothing
 * armed. @room is 1 or more.
 */
int plan_enable_none(const struct irq_state *have, unsigned int room, struct plan *p,
		     struct error *e);

int plan_disable(const struct irq_state *have, struct plan *p, struct error *e);

struct resize_how {
	bool rebuild; /* may disable and enable where the index says NORESIZE */
	bool release; /* give Linux IRQs back, by a rebuild */
};

/**
 * plan_resize() - armed, or held, becomes 0..@n-1. Growth touches only new vectors, in one set per
 * contiguous run.
 */
int plan_resize(const struct irq_state *have, unsigned int n, struct resize_how how, struct plan *p,
		struct error *e);

/**
 * plan_attach() - re-arm @lost, vectors that a failed call dropped: one set per contiguous run, or
 * the index anew.
 */
int plan_attach(const struct irq_state *have, const struct vector_set *lost, struct plan *p);

/** plan_release() - take the eventfd off @which, which stay allocated. */
int plan_release(const struct irq_state *have, const struct vector_set *which, struct plan *p);

/**
 * irq_set_text() - the call in words: "index=msix start=4 count=4 DATA_EVENTFD|ACTION_TRIGGER
 * eventfds=4-7". Returns @buf.
 */
char *irq_set_text(const struct irq_set *s, char *buf, size_t size);

#endif
