/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A page of watch: its rows, and what is told of all of them. */
#ifndef MSICTL_CMD_WATCH_PAGE_H
#define MSICTL_CMD_WATCH_PAGE_H

#include "cmd/watch.h"

struct row {
	const struct watched *d;
	const struct sampled *v; /* NULL: all of the device */
	const struct trend *trend;
	uint64_t count; /* of all of a device: UINT64_MAX: not known */
	bool compared;
	size_t place;
};

struct page {
	struct watch *w;
	struct row *row;
	size_t n, silent;
	char *silent_text; /* NULL: none has a name */
	uint64_t delta, active, vectors;
};

/**
 * page_gather() - the rows of @p->w's last sample; free(p->row) and p->silent_text. @fold: what is
 * silent is told in one line. 0 or -ENOMEM.
 */
int page_gather(struct page *p, bool fold);

/** page_sort() - those that are equal by @key stay in the order of devices, indexes and vectors. */
void page_sort(struct page *p, enum sort_key key);

/**
 * page_vectors() - how many vectors a device had in the sample; those that counted since the one
 * before, and the sum; UINT64_MAX: one of them could not be read.
 */
unsigned int page_vectors(const struct watched *d, unsigned int *active, uint64_t *count);

#endif
