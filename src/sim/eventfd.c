// SPDX-License-Identifier: GPL-2.0-or-later
/* Eventfds that a client sent: taken only when they are some, and never waited for. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/eventfd.h"
#include "base/util.h"
#include "sim/internal.h"

/*
 * proc(5): the link of a descriptor without a file is "anon_inode:" and its kind; a file's begins
 * with a slash.
 */
static int check_eventfd(int fd)
{
	static const char kind[] = "anon_inode:[eventfd]";
	char path[32], link[sizeof(kind) + 1];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, link, sizeof(link));
	if (n == (ssize_t)strlen(kind) && memcmp(link, kind, strlen(kind)) == 0)
		return 0;
	return -EINVAL;
}

/* 0, -EBADF, -EINVAL */
static int check_descriptor(const struct sim_device *d, int fd)
{
	int rc = sim_aio_is_eventfd(&d->aio, fd);

	if (rc == -ENOSYS)
		rc = fcntl(fd, F_GETFL) < 0 ? -EBADF : check_eventfd(fd);
	return rc;
}

bool sim_is_eventfd(const struct sim_device *d, int fd)
{
	return check_descriptor(d, fd) == 0;
}

int sim_eventfd_take(const struct sim_device *d, struct sim_eventfd *to, int32_t *fd)
{
	int rc = check_descriptor(d, *fd);

	if (rc)
		return rc;
	*to = (struct sim_eventfd){ .fd = take_fd(fd) };
	return 0;
}

void sim_eventfd_drop(struct sim_eventfd *e)
{
	cleanup_fd(&e->fd);
	*e = (struct sim_eventfd){ .fd = -1 };
}

static bool has_room(const struct sim_eventfd *e)
{
	struct pollfd room = { .fd = e->fd, .events = POLLOUT };

	return poll(&room, 1, 0) == 1 && room.revents & POLLOUT;
}

/*
 * Whether the flag is set now. The client has the file description too and can clear the flag at
 * any time.
 */
static bool never_blocks(const struct sim_eventfd *e)
{
	int flags = fcntl(e->fd, F_GETFL);

	return flags >= 0 && flags & O_NONBLOCK;
}

/*
 * Without AIO: add @n, or as much as the counter has room for. eventfd(2): a write blocks when the
 * counter would pass 2^64-2, and POLLOUT says that 1 can be added. The flags of the client's file
 * description are left alone. A client that changes the flags just between the look and the write
 * holds this process up.
 */
static void write_carefully(const struct sim_eventfd *e, uint64_t n)
{
	uint64_t most = never_blocks(e) ? n : 1;

	while (n && most && (most > 1 || has_room(e))) {
		uint64_t some = n < most ? n : most;

		if (write(e->fd, &some, sizeof(some)) == sizeof(some))
			n -= some;
		else
			most = some / 2;
	}
}

void sim_eventfd_signal(struct sim_device *d, const struct sim_eventfd *e, uint64_t n)
{
	if (e->fd < 0)
		return;
	n -= sim_aio_signal(&d->aio, e->fd, n);
	write_carefully(e, n);
}

bool sim_eventfd_clear(const struct sim_eventfd *e)
{
	uint64_t value;

	return e->fd >= 0 && eventfd_take(e->fd, &value) == 1;
}
