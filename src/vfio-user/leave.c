// SPDX-License-Identifier: GPL-2.0-or-later
#include "vfio-user/leave.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "vfio-user/shed.h"
#include "vfio-user/wire.h"

/*
 * The first descriptor that a client can send. Before Linux 6.12 close_range(2) with
 * CLOSE_RANGE_UNSHARE copies a table in steps of 64 and closes the rest of the last step
 * (fs/file.c, sane_fdtable_size()): nothing is closed when the range begins at a multiple of 64.
 */
#define FIRST 64

/*
 * For what a server needs behind that: a client, the room for its replies, another process, some
 * eventfds.
 */
#define SPARE 16

/* If the server dies just then, nobody opens the gate. */
#define GATE_MS 10000

#define STACK 16384

/*
 * Every number below FIRST is taken from here on, so that a client's descriptor has none of them.
 */
static int fill_gaps(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	} while (fd >= 0 && fd < FIRST);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

void vu_leave_drop(struct vu_leave *l)
{
	cleanup_fd(&l->gate);
	cleanup_fd(&l->open_gate);
	l->gate = l->open_gate = -1;
}

int vu_leave_init(struct vu_leave *l)
{
	struct rlimit rl;
	int gate[2], rc;

	if (pipe2(gate, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	l->gate = gate[0];
	l->open_gate = gate[1];
	rc = getrlimit(RLIMIT_NOFILE, &rl) < 0 ? -errno : 0;
	/* Before gaps are filled: who goes on without needs the descriptors. */
	if (rc == 0 && (l->gate >= FIRST || l->open_gate >= FIRST || rl.rlim_cur < FIRST + SPARE))
		rc = -EMFILE;
	if (rc == 0)
		rc = fill_gaps();
	if (rc) {
		vu_leave_drop(l);
		return rc;
	}
	l->limit = rl.rlim_cur < UINT_MAX ? (unsigned int)rl.rlim_cur : UINT_MAX;
	l->top = FIRST;
	l->kept = 0;
	return 0;
}

void vu_leave_close(struct vu_leave *l, int fd)
{
	if (l && l->gate >= 0 && !l->harmless(l->owner, fd))
		l->kept++;
	else
		close(fd);
}

void vu_leave_seen(struct vu_leave *l, int fd)
{
	if (l && fd > (int)l->top)
		l->top = (unsigned int)fd;
}

int vu_leave_room(const struct vu_leave *l, int sock, size_t bytes, unsigned int begun)
{
	int rc;

	if (l && l->kept > VU_MAX_KEPT)
		return -EPROTO;
	if (!l || l->gate < 0 || l->limit - l->top > VU_MAX_FDS)
		return -1;
	/* The keeper closes what it inherits. */
	if (l->kept || begun)
		return -EPROTO;
	rc = vu_shed_keep(sock, bytes);
	return rc == -1 ? -EIO : rc;
}

/*
 * The whole table is this process' alone when the server has its copy; it may take as long as it
 * likes.
 */
static int close_table(void *arg)
{
	const struct vu_leave *l = arg;
	struct pollfd gate = { .fd = l->gate, .events = POLLIN };
	sigset_t none;

	prctl(PR_SET_NAME, "msictl-shed");
	/* The byte stays: it comes when no process shares our table, and is for all that wait. */
	while (poll(&gate, 1, GATE_MS) < 0 && errno == EINTR)
		continue;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close_range(0, FIRST - 1, 0);
	_exit(0);
}

void vu_leave_now(struct vu_leave *l)
{
	_Alignas(16) char stack[STACK];
	char byte;

	/*
	 * A process that had no turn yet has left its byte. It does without: by now the table is
	 * its own.
	 */
	while (read(l->gate, &byte, 1) > 0)
		continue;
	/*
	 * Those of former clients that are through; they are told apart by having no signal at
	 * their end.
	 */
	while (waitpid(-1, NULL, __WCLONE | WNOHANG) > 0)
		continue;
	/*
	 * Without CLONE_VM the stack is a copy. When it fails, all stays open until the next client
	 * has gone.
	 */
	if (clone(close_table, stack + sizeof(stack), CLONE_FILES, l) < 0)
		return;
	if (close_range(FIRST, ~0u, CLOSE_RANGE_UNSHARE) == 0)
		l->kept = 0;
	l->top = FIRST;
	/* An empty pipe has room. */
	while (write(l->open_gate, "", 1) < 0 && errno == EINTR)
		continue;
}

void vu_leave_socket(struct vu_leave *l, int sock)
{
	int unread = 0;

	/* Nothing comes after that. */
	shutdown(sock, SHUT_RDWR);
	if (l->gate >= 0 && (l->kept || ioctl(sock, FIONREAD, &unread) < 0 || unread > 0))
		l->kept++;
	else
		close(sock);
}
