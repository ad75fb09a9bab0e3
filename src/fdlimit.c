// SPDX-License-Identifier: GPL-2.0-or-later
#include "fdlimit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Descriptors that libraries and the shell may open besides. */
#define SPARE 32

int fdlimit_raise(unsigned int need, uint64_t *limit)
{
	struct rlimit rl;
	uint64_t want;
	int lowest;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
		return -errno;
	/* The lowest free descriptor bounds how many are in use from below; ours are dense. */
	lowest = fcntl(0, F_DUPFD_CLOEXEC, 0);
	if (lowest >= 0)
		close(lowest);
	want = (uint64_t)(lowest >= 0 ? lowest : (int64_t)rl.rlim_cur) + need + SPARE;
	*limit = rl.rlim_cur;
	if (want <= rl.rlim_cur)
		return 0;
	if (want > rl.rlim_max)
		rl.rlim_max = want; /* only CAP_SYS_RESOURCE may, up to /proc/sys/fs/nr_open */
	rl.rlim_cur = want;
	if (setrlimit(RLIMIT_NOFILE, &rl) < 0)
		return -EMFILE;
	*limit = want;
	return 1;
}
