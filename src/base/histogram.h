/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many durations, kept to within 1/64 of their value: powers of two, each cut into equal parts.
 * Pure.
 */
#ifndef MSICTL_BASE_HISTOGRAM_H
#define MSICTL_BASE_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BITS	  6 /* parts of a power of two: 64 */
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_BITS + 1) << HISTOGRAM_BITS)

struct histogram {
	uint64_t n, min, max;
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t value);

/** histogram_at() - the value that @part (0 to 1) of all do not exceed; 0 when there are none. */
uint64_t histogram_at(const struct histogram *h, double part);

/**
 * histogram_between() - how many are @from or more and below @to, both multiples of a power of
 * two's parts.
 */
uint64_t histogram_between(const struct histogram *h, uint64_t from, uint64_t to);

#endif
