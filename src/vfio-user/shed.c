// SPDX-License-Identifier: GPL-2.0-or-later
#include "vfio-user/shed.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "vfio-user/wire.h"

/* What a peer does out of carelessness; each may leave a process behind until the peer ends. */
#define MAX_SHED 4

/* A look is enough to have references of one's own; they go with the process. */
static bool borrow_descriptors(int sock, size_t bytes)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(VU_MAX_FDS * sizeof(int))];
	} control;
	char *ignored = malloc(bytes);
	struct iovec iov = { ignored, bytes };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.room,
			      .msg_controllen = sizeof(control.room) };
	ssize_t n = ignored ? recvmsg(sock, &msg, MSG_PEEK | MSG_DONTWAIT) : -1;

	free(ignored);
	return n >= 0;
}

/* Nothing of ours is kept: this process may stay for as long as the peer likes. */
static void keep_references(int sock, int other, size_t bytes)
{
	char byte = 0;

	prctl(PR_SET_NAME, "msictl-shed");
	if (dup2(sock, 0) < 0 || dup2(other, 1) < 0 || close_range(2, ~0u, 0) < 0)
		_exit(1);
	if (bytes && !borrow_descriptors(0, bytes))
		_exit(1);
	if (write(1, &byte, 1) == 1)
		while (read(1, &byte, 1) < 0 && errno == EINTR)
			continue;
	_exit(0);
}

/* Init reaps it: it ends when it can. */
static int start_keeper(int sock, int other, size_t bytes)
{
	pid_t child = fork();
	int status = 0;

	if (child < 0)
		return -errno;
	if (child == 0) {
		pid_t keeper = fork();

		if (keeper == 0)
			keep_references(sock, other, bytes);
		_exit(keeper < 0);
	}
	/*
	 * ECHILD: msictl was started with SIGCHLD ignored, and the keeper's byte tells of it all
	 * the same
	 */
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	return status ? -EAGAIN : 0;
}

/* A descriptor that the keeper waits for the closing of; the keeper has its references. */
int vu_shed_keep(int sock, size_t bytes)
{
	_cleanup_fd_ int ours = -1, theirs = -1;
	int pair[2], rc;
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	ours = pair[0];
	theirs = pair[1];
	rc = start_keeper(sock, theirs, bytes);
	if (rc)
		return rc;
	close(take_fd(&theirs));
	while ((rc = (int)read(ours, &byte, 1)) < 0 && errno == EINTR)
		continue;
	return rc == 1 ? take_fd(&ours) : -EIO;
}

int vu_shed_take(struct vu_shed *s, int sock, size_t bytes)
{
	if (++s->n > MAX_SHED)
		return -EPROTO;
	return vu_shed_keep(sock, bytes);
}

void vu_shed_close(int sock)
{
	int keeper = -1, unread = 0;

	/* Nothing comes after that. */
	shutdown(sock, SHUT_RDWR);
	if (ioctl(sock, FIONREAD, &unread) == 0 && unread > 0)
		keeper = vu_shed_keep(sock, 0);
	close(sock);
	cleanup_fd(&keeper);
}
