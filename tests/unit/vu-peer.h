/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tests of vfio-user need: socket pairs, counted descriptors, messages that are wrong on purpose. */
#ifndef TEST_VU_PEER_H
#define TEST_VU_PEER_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "vfio-user/wire.h"

/* Behind base/error.h: it makes a macro of fail(). */
#include <cmocka.h>

#define SECOND UINT64_C(1000000)

static inline unsigned int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static inline void pair(int sock[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
}

/* @n bytes with @nfds descriptors on them, in one segment. */
static inline void put(int sock, const void *data, size_t n, const int *fd, unsigned int nfds)
{
	struct iovec iov = { (void *)(uintptr_t)data, n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(VU_MAX_FDS * sizeof(int))];
	} c = { 0 };

	assert_true(nfds <= VU_MAX_FDS);
	if (nfds) {
		struct cmsghdr *cmsg;

		msg.msg_control = c.room;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fd, nfds * sizeof(int));
	}
	assert_int_equal(sendmsg(sock, &msg, MSG_NOSIGNAL), (ssize_t)n);
}

static inline void eventfds(int *fd, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		fd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		assert_true(fd[i] >= 0);
	}
}

static inline void close_all(const int *fd, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		close(fd[i]);
}

/* What an eventfd has counted since it was last read. */
static inline uint64_t counted(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

#endif
