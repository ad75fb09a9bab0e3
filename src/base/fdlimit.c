// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/fdlimit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

/*
 * Descriptors that libraries and the shell may open besides; and what it takes to read how things
 * are on the host.
 */
#define SPARE	       32
#define SPARE_AT_LEAST 8

/*
 * The lowest free descriptor bounds how many are in use from below: there may be more beyond a gap.
 */
static uint64_t in_use(const struct rlimit *rl)
{
	int lowest = fcntl(0, F_DUPFD_CLOEXEC, 0);

	if (lowest < 0)
		return rl->rlim_cur;
	close(lowest);
	return (uint64_t)lowest;
}

/* Beyond the hard limit only CAP_SYS_RESOURCE gets, up to /proc/sys/fs/nr_open. */
static bool raise_to(const struct rlimit *rl, uint64_t want)
{
	struct rlimit higher = { .rlim_cur = want,
				 .rlim_max = want > rl->rlim_max ? want : rl->rlim_max };

	return want > rl->rlim_cur && !setrlimit(RLIMIT_NOFILE, &higher);
}

/* @used of the descriptors that the limit allows are taken. */
static int make_room(const struct rlimit *rl, uint64_t used, unsigned int need, uint64_t *limit)
{
	uint64_t want = used + need + SPARE;

	*limit = rl->rlim_cur;
	if (want <= rl->rlim_cur)
		return 0;
	/* the hard limit may leave room for all but some of the spare ones */
	if (!raise_to(rl, want)) {
		want -= SPARE - SPARE_AT_LEAST;
		if (want <= rl->rlim_cur)
			return 0;
		if (want > rl->rlim_max || !raise_to(rl, rl->rlim_max))
			return -EMFILE;
		want = rl->rlim_max;
	}
	*limit = want;
	return 1;
}

int fdlimit_raise(unsigned int need, uint64_t *limit)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
		return -errno;
	return make_room(&rl, in_use(&rl), need, limit);
}

int fdlimit_full(unsigned int need, uint64_t *limit)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
		return -errno;
	return make_room(&rl, rl.rlim_cur, need, limit);
}
