// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/eventfd.h"

#include <errno.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

static ssize_t read_polled(int fd, uint64_t *n)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int rc = poll(&p, 1, 0);

	if (rc == 0)
		errno = EAGAIN;
	return rc > 0 ? read(fd, n, sizeof(*n)) : -1;
}

int eventfd_take(int fd, uint64_t *n)
{
	struct iovec to = { .iov_base = n, .iov_len = sizeof(*n) };
	ssize_t rc = preadv2(fd, &to, 1, -1, RWF_NOWAIT);

	if (rc < 0 && errno == EOPNOTSUPP)
		rc = read_polled(fd, n);
	if (rc < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return rc == sizeof(*n) ? 1 : -EIO;
}
