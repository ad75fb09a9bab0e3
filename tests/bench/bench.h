/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the bench share. Figures only: nothing here asserts a time. */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A peer or a set-up that does not work makes the figures worthless. */
static inline void must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

/** row_heads() - what the columns are. */
void row_heads(void);

/** row() - one line: our figure, the peer's (0: there is none), their ratio and what was demanded of it. */
void row(const char *what, double ours, double peer, const char *unit, const char *demanded);

/**
 * row_spread() - of @n rounds that took turns: the median of each side; the median and the quartiles of
 * the ratios of the single rounds
 */
void row_spread(const char *what, const double *ours, const double *peer, int n, const char *unit,
		const char *demanded);

/** median() - sorts @v. */
double median(double *v, int n);

void bench_counting(const char *msictl);
void bench_waking(const char *msictl);
void bench_cpu(const char *msictl);
void bench_watching(const char *msictl);
void bench_sim(const char *msictl);
void bench_serving(const char *msictl);
void bench_starting(const char *msictl);
void bench_resting(const char *msictl);

#endif
