// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/histogram.h"

#define PARTS (1u << HISTOGRAM_BITS)

/*
 * Values below 64 have a bucket each; from there on the first bit says which power of two, the next
 * six which part.
 */
static unsigned int bucket_of(uint64_t value)
{
	unsigned int shift;

	if (value < PARTS)
		return (unsigned int)value;
	shift = 63 - (unsigned int)__builtin_clzll(value) - HISTOGRAM_BITS;
	return ((shift + 1) << HISTOGRAM_BITS) + (unsigned int)(value >> shift) - PARTS;
}

/* The largest value of a bucket. */
static uint64_t upper(unsigned int bucket)
{
	unsigned int shift = bucket >> HISTOGRAM_BITS;
	uint64_t part = (bucket & (PARTS - 1)) + PARTS;

	if (!shift)
		return bucket;
	return (part << (shift - 1)) + ((UINT64_C(1) << (shift - 1)) - 1);
}

void histogram_add(struct histogram *h, uint64_t value)
{
	if (!h->n || value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->n++;
	h->bucket[bucket_of(value)]++;
}

uint64_t histogram_at(const struct histogram *h, double part)
{
	double want = part * (double)h->n;
	uint64_t seen = 0;

	for (unsigned int i = 0; h->n && i < HISTOGRAM_BUCKETS; i++) {
		uint64_t value = upper(i);

		seen += h->bucket[i];
		if (!seen || (double)seen < want)
			continue;
		if (value < h->min)
			return h->min;
		return value < h->max ? value : h->max;
	}
	return h->max;
}

uint64_t histogram_between(const struct histogram *h, uint64_t from, uint64_t to)
{
	uint64_t n = 0;

	for (unsigned int i = bucket_of(from); i < HISTOGRAM_BUCKETS && upper(i) < to; i++)
		n += h->bucket[i];
	return n;
}
