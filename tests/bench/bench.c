// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench MSICTL - figures of msictl beside those of bare C programs that do the same
 *
 * Most are of rounds in which both take turns: the median of each, the ratio of the medians, and the quartiles of the
 * ratios of single rounds, which tell how much the figure varies. BENCH_ONLY=serving,waking runs these parts alone,
 * BENCH_SECONDS=60 counts that long in one go.
 */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench.h"
#include "util.h"

void row(const char *what, double ours, double peer, const char *unit, const char *demanded)
{
	if (peer > 0)
		printf("%-46s %12.2f %12.2f  %-10s %8.2f  %-12s %s\n", what, ours, peer, unit, ours / peer, "",
		       demanded);
	else
		printf("%-46s %12.2f %12s  %-10s %8s  %-12s %s\n", what, ours, "", unit, "", "", demanded);
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

void row_spread(const char *what, const double *ours, const double *peer, int n, const char *unit, const char *demanded)
{
	double o[MOST_ROUNDS], p[MOST_ROUNDS], ratio[MOST_ROUNDS];
	char spread[32];

	must(n <= MOST_ROUNDS, "rounds");
	for (int i = 0; i < n; i++) {
		o[i] = ours[i];
		p[i] = peer[i];
		ratio[i] = ours[i] / peer[i];
	}
	median(ratio, n);
	snprintf(spread, sizeof(spread), "%.2f..%.2f", ratio[n / 4], ratio[n - 1 - n / 4]);
	printf("%-46s %12.3f %12.3f  %-10s %8.2f  %-12s %s\n", what, median(o, n), median(p, n), unit,
	       median(o, n) / median(p, n), spread, demanded);
	fflush(stdout);
}

static const struct {
	const char *word;
	void (*run)(const char *msictl);
} parts[] = {
	{ "counting", bench_counting }, { "waking", bench_waking },   { "cpu", bench_cpu },
	{ "watching", bench_watching }, { "sim", bench_sim },	      { "serving", bench_serving },
	{ "starting", bench_starting }, { "resting", bench_resting },
};

int main(int argc, char **argv)
{
	const char *only = getenv("BENCH_ONLY");
	struct rlimit limit;
	struct utsname u;

	if (argc != 2) {
		fprintf(stderr, "usage: bench MSICTL\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	must(!getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	must(!setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
	must(!uname(&u), "uname");
	printf("%s %s, %ld CPUs\n\n", u.sysname, u.release, sysconf(_SC_NPROCESSORS_ONLN));
	printf("%-46s %12s %12s  %-10s %8s  %-12s %s\n", "", "msictl", "peer", "", "ratio", "quartiles", "demanded");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (!only || strstr(only, parts[i].word))
			parts[i].run(argv[1]);
	return 0;
}
