// SPDX-License-Identifier: GPL-2.0-or-later
/* The group's node comes from devtmpfs and udev, some time after the driver took the function. */
#include "driver/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/util.h"

static int watch(const struct root *r, int notify, const char *folder)
{
	_cleanup_fd_ int fd = root_openf(r, O_PATH | O_DIRECTORY, "%s", folder);
	char path[48];

	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return inotify_add_watch(notify, path, IN_CREATE | IN_MOVED_TO | IN_ATTRIB) < 0 ? -errno
											: 0;
}

/* 0: something happened, look again. */
static int sleep_until(int notify, uint64_t deadline)
{
	char events[4096];
	uint64_t now = now_us(), left = deadline > now ? deadline - now : 0;
	struct pollfd p = { .fd = notify, .events = POLLIN };
	int rc;

	if (!left)
		return -ETIMEDOUT;
	rc = poll(&p, 1, left / 1000 < INT_MAX - 1 ? (int)(left / 1000) + 1 : INT_MAX);
	if (rc < 0)
		return -errno;
	while (read(notify, events, sizeof(events)) > 0)
		;
	return 0;
}

int node_wait(const struct root *r, int group, bool noiommu, uint64_t timeout_us)
{
	_cleanup_fd_ int notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	uint64_t deadline = now_us() + timeout_us;
	int rc;

	if (notify < 0)
		return -errno;
	for (;;) {
		/*
		 * Watched first, looked at second; dev/vfio itself may come late. Watching twice is
		 * watching once.
		 */
		rc = watch(r, notify, "dev/vfio");
		if (rc == -ENOENT)
			rc = watch(r, notify, "dev");
		if (rc)
			return rc;
		if (root_exists(r, "dev/vfio/%s%d", noiommu ? "noiommu-" : "", group))
			return 0;
		rc = sleep_until(notify, deadline);
		if (rc)
			return rc;
	}
}
