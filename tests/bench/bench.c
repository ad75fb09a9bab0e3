// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench MSICTL - figures of msictl beside those of bare C programs that do the same
 *
 * Most are of rounds in which both take turns: the median of each, and the median and the quartiles of
 * the ratios of the single rounds. So the ratio compares figures of the same moment, it lies between the
 * quartiles, and it can differ from the ratio of the two medians. A row without quartiles has the ratio of
 * its two figures. BENCH_ONLY=serving,waking runs these parts alone, BENCH_SECONDS=60 counts that long in
 * one go.
 */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench.h"
#include "base/util.h"

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
	row_heads();
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (!only || strstr(only, parts[i].word))
			parts[i].run(argv[1]);
	return 0;
}
