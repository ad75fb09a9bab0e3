/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counts as a page of Prometheus' text format, as node_exporter's textfile
 * collector reads it (https://prometheus.io/docs/instrumenting/exposition_formats/).
 */
#ifndef MSICTL_OUT_METRICS_H
#define MSICTL_OUT_METRICS_H

#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "irq/sample.h"

struct metrics {
	FILE *f;
	char *text; /* complete after metrics_end() */
	size_t size;
	bool posted, missing; /* their headings are there */
};

/* What counted. */
enum metrics_source {
	METRICS_HOST,	 /* Linux, interrupts */
	METRICS_EVENTFD, /* a session, signals of the vector's eventfd: loopback triggers too */
};

/** metrics_begin() - 0 or -ENOMEM. */
int metrics_begin(struct metrics *m);

/**
 * metrics_add() - a counter; one that could not be read is left out. @device as a user knows it.
 */
void metrics_add(struct metrics *m, const char *device, enum metrics_source source,
		 const struct reading *r);

/**
 * metrics_add_posted() - whether the host's counters of @device may be bypassed; behind all
 * counters.
 */
void metrics_add_posted(struct metrics *m, const char *device, bool possible);

/**
 * metrics_add_missing() - how many CPUs the counters of @device leave out; -1: not known. Behind
 * all of the above.
 */
void metrics_add_missing(struct metrics *m, const char *device, int cpus);

/** metrics_end() - no more come: m->text and m->size hold the page. 0 or -ENOMEM. */
int metrics_end(struct metrics *m);

/**
 * metrics_write() - put the page into @path at once: a reader sees the former one or this one. 0 or
 * -errno.
 */
int metrics_write(const struct metrics *m, const char *path, struct error *e);

/** metrics_free() - also without metrics_end(). */
void metrics_free(struct metrics *m);

#endif
