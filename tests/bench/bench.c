// SPDX-License-Identifier: GPL-2.0-or-later
/* bench MSICTL - figures of msictl beside those of bare C programs that do the same. BENCH_SECONDS=60 counts that long
 * in one go.
 */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench.h"

void row(const char *what, double ours, double peer, const char *unit, const char *demanded)
{
	if (peer > 0)
		printf("%-46s %12.2f %12.2f  %-10s %8.2f  %s\n", what, ours, peer, unit, ours / peer, demanded);
	else
		printf("%-46s %12.2f %12s  %-10s %8s  %s\n", what, ours, "", unit, "", demanded);
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

int main(int argc, char **argv)
{
	const char *seconds = getenv("BENCH_SECONDS");
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
	printf("%-46s %12s %12s  %-10s %8s  %s\n", "", "msictl", "peer", "", "ratio", "demanded");
	bench_counting(seconds && atoi(seconds) > 0 ? atoi(seconds) : 0);
	bench_waking();
	bench_watching(argv[1]);
	bench_sim(argv[1]);
	bench_starting(argv[1]);
	bench_resting(argv[1]);
	return 0;
}
