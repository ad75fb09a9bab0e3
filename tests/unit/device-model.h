/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device that a test fills in itself: its indexes, and what is left of them at the end. */
#ifndef TEST_DEVICE_MODEL_H
#define TEST_DEVICE_MODEL_H

#include <stdlib.h>

#include "device/internal.h"

/* Every index is there, with @count vectors each and @flags (IRQ_EVENTFD, ...). */
static inline void model_indexes(struct device *d, const unsigned int count[NR_IRQ_INDEX],
				 uint32_t flags)
{
	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++)
		d->irq[i] = (struct index){ .device = d,
					    .index = i,
					    .present = true,
					    .info = { .count = count[i], .flags = flags } };
}

/* The vectors, their eventfds and the loop; @d itself is the test's. */
static inline void model_free(struct device *d)
{
	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++) {
		struct index *ix = &d->irq[i];

		for (unsigned int v = 0; ix->vector && v < ix->info.count; v++) {
			if (!ix->vector[v])
				continue;
			vector_disarm(ix->vector[v]);
			free(ix->vector[v]);
		}
		free(ix->vector);
	}
	loop_free(d->loop);
}

#endif
