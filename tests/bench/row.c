// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "bench.h"

void row_heads(void)
{
	printf("%-46s %12s %12s  %-10s %8s  %-12s %s\n", "", "msictl", "peer", "", "ratio",
	       "quartiles", "demanded");
}

void row(const char *what, double ours, double peer, const char *unit, const char *demanded)
{
	if (peer > 0)
		printf("%-46s %12.2f %12.2f  %-10s %8.2f  %-12s %s\n", what, ours, peer, unit,
		       ours / peer, "", demanded);
	else
		printf("%-46s %12.2f %12s  %-10s %8s  %-12s %s\n", what, ours, "", unit, "", "",
		       demanded);
	fflush(stdout);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), by_value);
	return v[n / 2];
}

#define MOST_ROUNDS 64

void row_spread(const char *what, const double *ours, const double *peer, int n, const char *unit,
		const char *demanded)
{
	double o[MOST_ROUNDS], p[MOST_ROUNDS], ratio[MOST_ROUNDS];
	char spread[32];
	double middle;

	must(n <= MOST_ROUNDS, "rounds");
	for (int i = 0; i < n; i++) {
		o[i] = ours[i];
		p[i] = peer[i];
		ratio[i] = ours[i] / peer[i];
	}
	/* The medians may come from different rounds: their ratio can lie outside of the quartiles. */
	middle = median(ratio, n);
	snprintf(spread, sizeof(spread), "%.2f..%.2f", ratio[n / 4], ratio[n - 1 - n / 4]);
	printf("%-46s %12.3f %12.3f  %-10s %8.2f  %-12s %s\n", what, median(o, n), median(p, n),
	       unit, middle, spread, demanded);
	fflush(stdout);
}
