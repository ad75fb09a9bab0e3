// SPDX-License-Identifier: GPL-2.0-or-later
/* Descriptors that nobody asked for: a process of its own keeps them, so that closing them holds up nobody. */
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "descriptors.h"
#include "vu-peer.h"
#include "vfio-user/shed.h"

/* fork(2) as it is when a user has no more processes, from the @failing-th call on; 0: it is not. */
static int forks, failing;

pid_t fork(void)
{
	forks++;
	if (failing && forks >= failing) {
		errno = EAGAIN;
		return -1;
	}
	return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

/* Processes that fork(2) made end by _exit(2); this one does not, and its status tells. */
#undef _exit /* a map of coverage has made a macro of it */
void _exit(int status)
{
	static const char said[] = "the test itself has called _exit()\n";

	if (getpid() == descriptors_before.pid) {
		status = write(STDERR_FILENO, said, sizeof(said) - 1) < 0 ? 2 : 1;
	}
	for (;;)
		syscall(SYS_exit_group, status);
}

struct line {
	int sock[2]; /* of the peer, ours */
	int lives;   /* the read end of a pipe, whose write end lies unread in @sock */
};

static int setup(void **state)
{
	static struct line l;
	int ends[2];

	forks = failing = 0;
	pair(l.sock);
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	put(l.sock[0], "x", 1, &ends[1], 1);
	close(ends[1]);
	l.lives = ends[0];
	*state = &l;
	return 0;
}

static int teardown(void **state)
{
	struct line *l = *state;

	cleanup_fd(&l->sock[0]);
	cleanup_fd(&l->sock[1]);
	cleanup_fd(&l->lives);
	return 0;
}

/* Whether nobody has the pipe's write end any more, within @ms. */
static bool let_go(const struct line *l, int ms)
{
	struct pollfd p = { .fd = l->lives };

	return poll(&p, 1, ms) == 1 && p.revents & POLLHUP;
}

/* What comes is read without room for what it brings. */
static void read_bare(int sock)
{
	char byte;

	assert_int_equal(recv(sock, &byte, 1, MSG_DONTWAIT), 1);
	assert_int_equal(byte, 'x');
}

static void kept_by_another(void **state)
{
	struct line *l = *state;
	struct vu_shed s = { 0 };
	int keeper;

	/* that an earlier call was interrupted says nothing of this one */
	errno = EINTR;
	keeper = vu_shed_take(&s, l->sock[1], 1);
	assert_true(keeper > 2);
	assert_int_equal(fcntl(keeper, F_GETFD), FD_CLOEXEC);
	read_bare(l->sock[1]);
	assert_false(let_go(l, 0));
	close(keeper);
	assert_true(let_go(l, 10000));
	/* it is no child of ours */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* nohup, cron and shells start programs with signals ignored. */
static void child_signal_ignored(void **state)
{
	struct line *l = *state;
	struct vu_shed s = { 0 };
	int keeper;

	signal(SIGCHLD, SIG_IGN);
	keeper = vu_shed_take(&s, l->sock[1], 1);
	signal(SIGCHLD, SIG_DFL);
	assert_true(keeper > 2);
	read_bare(l->sock[1]);
	assert_false(let_go(l, 0));
	close(keeper);
	assert_true(let_go(l, 10000));
}

/* A peer that goes on and on is cut off. */
static void only_a_few(void **state)
{
	struct line *l = *state;
	struct vu_shed s = { 0 };

	for (int i = 0; i < 4; i++) {
		int keeper = vu_shed_take(&s, l->sock[1], 1);

		assert_true(keeper > 2);
		close(keeper);
	}
	forks = 0;
	assert_int_equal(vu_shed_take(&s, l->sock[1], 1), -EPROTO);
	assert_int_equal(forks, 0);
}

static void no_process(void **state)
{
	struct line *l = *state;

	for (failing = 1; failing <= 2; failing++) {
		struct vu_shed s = { 0 };

		forks = 0;
		assert_int_equal(vu_shed_take(&s, l->sock[1], 1), -EAGAIN);
	}
}

static void nothing_to_keep(void **state)
{
	struct line *l = *state;
	struct vu_shed s = { 0 };

	read_bare(l->sock[1]);
	assert_int_equal(vu_shed_take(&s, l->sock[1], 1), -EIO);
}

static void closes_what_was_not_read(void **state)
{
	struct line *l = *state;

	vu_shed_close(take_fd(&l->sock[1]));
	assert_int_equal(forks, 1);
	assert_true(let_go(l, 10000));
	assert_int_equal(send(l->sock[0], "x", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
}

/* The peer hears of it, also when another process has the socket too; without bytes there is nothing to keep. */
static void closes_an_empty_one(void **state)
{
	struct line *l = *state;
	_cleanup_fd_ int other = fcntl(l->sock[1], F_DUPFD_CLOEXEC, 3);

	assert_true(other >= 0);
	read_bare(l->sock[1]);
	vu_shed_close(take_fd(&l->sock[1]));
	assert_int_equal(forks, 0);
	assert_int_equal(send(l->sock[0], "x", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(kept_by_another, setup, teardown),
		cmocka_unit_test_setup_teardown(child_signal_ignored, setup, teardown),
		cmocka_unit_test_setup_teardown(only_a_few, setup, teardown),
		cmocka_unit_test_setup_teardown(no_process, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_to_keep, setup, teardown),
		cmocka_unit_test_setup_teardown(closes_what_was_not_read, setup, teardown),
		cmocka_unit_test_setup_teardown(closes_an_empty_one, setup, teardown),
	};

	return cmocka_run_group_tests_name("vu-shed", tests, NULL, NULL);
}
