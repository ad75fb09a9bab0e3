/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples that a test of watch fills in itself. */
#ifndef TEST_WATCH_MODEL_H
#define TEST_WATCH_MODEL_H

#include "cmd/watch.h"

/* A count that could not be read. */
#define NOT_KNOWN UINT64_MAX

/* An MSI-X vector that was counted in this sample and in the one before, and came @delta times in between. */
static inline struct sampled model_vector(int number, unsigned int irq, uint64_t count,
					  uint64_t delta)
{
	return (struct sampled){ .now = { .index = IRQ_MSIX,
					  .vector = number,
					  .has_irq = true,
					  .irq = irq,
					  .counted = count != NOT_KNOWN,
					  .count = count == NOT_KNOWN ? 0 : count },
				 .present = true,
				 .seen = true,
				 .compared = true,
				 .trend = { .delta = delta, .rate = (double)delta } };
}

/* A function of the host after two samples. @name: not a copy. */
static inline struct watched model_device(const char *name, struct sampled *v, size_t n)
{
	return (struct watched){ .name = (char *)name,
				 .full = (char *)name,
				 .here = true,
				 .samples = { .v = v, .n = n, .sorted = n, .taken = 2 } };
}

#endif
