// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A dry run of one command on a device whose vectors are live: its books are written as if, and put
 * back after it.
 */
#include <errno.h>
#include <stdlib.h>

#include "device/internal.h"

struct books {
	bool bus_master_on;
	struct {
		bool enabled;
		struct vector_set allocated, armed;
		unsigned char masked[MAX_VECTORS]; /* enum mask_way */
	} index[NR_IRQ_INDEX];
};

static bool has_vector(const struct index *ix, unsigned int v)
{
	return ix->vector && v < ix->info.count && ix->vector[v];
}

int device_dry_begin(struct device *d, struct error *e)
{
	struct books *b;

	/* What was opened by a dry run has no other books. */
	if (!d->trace->dry_run || d->dry || d->real)
		return 0;
	b = calloc(1, sizeof(*b));
	if (!b)
		return fail_memory(e);
	b->bus_master_on = d->bus_master_on;
	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++) {
		const struct index *ix = &d->irq[i];

		b->index[i].enabled = ix->enabled;
		b->index[i].allocated = ix->allocated;
		b->index[i].armed = device_armed(d, i);
		for (unsigned int v = 0; v < ix->info.count; v++)
			if (has_vector(ix, v))
				b->index[i].masked[v] = (unsigned char)ix->vector[v]->masked;
	}
	d->real = b;
	return 0;
}

void device_dry_end(struct device *d)
{
	const struct books *b = d->real;

	for (unsigned int i = 0; b && i < NR_IRQ_INDEX; i++) {
		struct index *ix = &d->irq[i];

		ix->enabled = b->index[i].enabled;
		ix->allocated = b->index[i].allocated;
		for (unsigned int v = 0; v < ix->info.count; v++) {
			if (!has_vector(ix, v))
				continue;
			ix->vector[v]->armed = vector_set_has(&b->index[i].armed, v);
			ix->vector[v]->masked = (enum mask_way)b->index[i].masked[v];
		}
	}
	if (b)
		d->bus_master_on = b->bus_master_on;
	free(d->real);
	d->real = NULL;
}
