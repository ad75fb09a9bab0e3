// SPDX-License-Identifier: GPL-2.0-or-later
/* Descriptors of clients that the server must not close: which stay, when they go, and who waits for them. */
#include <sys/resource.h>

#include "descriptors.h"
#include "vfio-user/leave.h"
#include "vu-apart.h"

/* Eventfds are harmless here when the owner says so. */
static bool harmless(const void *owner, int fd)
{
	return fd == *(const int *)owner;
}

struct world {
	struct vu_leave l;
	int harmless;
	bool before[DESCRIPTORS];
	struct rlimit limit;
};

static int setup(void **state)
{
	static struct world w;

	for (int fd = 0; fd < DESCRIPTORS; fd++)
		w.before[fd] = fcntl(fd, F_GETFD) >= 0;
	memset(&play, 0, sizeof(play));
	w.harmless = -1;
	memset(&w.l, 0x5a, sizeof(w.l));
	w.l.harmless = harmless;
	w.l.owner = &w.harmless;
	getrlimit(RLIMIT_NOFILE, &w.limit);
	*state = under_valgrind() ? NULL : &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	if (!w)
		return 0;
	setrlimit(RLIMIT_NOFILE, &w->limit);
	play.holds = false;
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		if (!w->before[fd])
			close(fd);
	while (waitpid(-1, NULL, __WALL | WNOHANG) > 0)
		continue;
	alarm(0);
	return 0;
}

/* A world in which descriptors are kept. */
static struct world *begun(void **state)
{
	struct world *w = *state;

	if (!w) {
		skip();
		return NULL;
	}
	alarm(60);
	assert_int_equal(vu_leave_init(&w->l), 0);
	return w;
}

static void numbers_lie_behind(void **state)
{
	int next = fcntl(0, F_DUPFD_CLOEXEC, FIRST), fd;
	struct world *w;

	close(next);
	w = begun(state);
	assert_in_range(w->l.gate, 3, FIRST - 1);
	assert_in_range(w->l.open_gate, 3, FIRST - 1);
	assert_int_equal(w->l.kept, 0);
	for (fd = 0; fd < FIRST; fd++) {
		assert_true(is_open(fd));
		if (!w->before[fd])
			assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	}
	fd = dup(0);
	assert_int_equal(fd, next);
	close(fd);
	vu_leave_drop(&w->l);
	assert_int_equal(w->l.gate, -1);
	assert_int_equal(w->l.open_gate, -1);
	vu_leave_drop(&w->l);
	/* two numbers are free again, and they are no client's business any more */
	fd = dup(0);
	assert_in_range(fd, 3, FIRST - 1);
	close(fd);
}

/* Where numbers are scarce descriptors are closed as usual, and none is spent on filling gaps. */
static void few_descriptors(void **state)
{
	struct world *w = *state;
	rlim_t limits[] = { 20, FIRST - 1, FIRST, FIRST + 1, FIRST + 3, FIRST + 15 };
	int next = dup(0), other;

	close(next);
	if (!w) {
		skip();
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct rlimit few = { limits[i], w->limit.rlim_max };

		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		assert_int_equal(vu_leave_init(&w->l), -EMFILE);
		assert_int_equal(w->l.gate, -1);
		assert_int_equal(w->l.open_gate, -1);
		other = dup(0);
		assert_int_equal(other, next);
		close(other);
	}
	assert_int_equal(
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){ FIRST + 16, w->limit.rlim_max }), 0);
	assert_int_equal(vu_leave_init(&w->l), 0);
}

/* So many were inherited that the gate itself lies behind the limit of what is the server's. */
static void inherited_many(void **state)
{
	struct world *w = *state;

	if (!w) {
		skip();
		return;
	}
	for (int missing = 0; missing <= 1; missing++) {
		while (dup(0) < FIRST - missing)
			continue;
		if (missing)
			close(FIRST - 1);
		close(FIRST);
		assert_int_equal(vu_leave_init(&w->l), -EMFILE);
		assert_int_equal(w->l.gate, -1);
		assert_int_equal(w->l.open_gate, -1);
		assert_false(is_open(FIRST));
		assert_false(is_open(FIRST + 1));
	}
}

/* Without anything to fill gaps with, clients' descriptors are closed as usual. */
static void gaps_stay(void **state)
{
	struct world *w = *state;

	if (!w) {
		skip();
		return;
	}
	play.open_errno = ENOENT;
	assert_int_equal(vu_leave_init(&w->l), -ENOENT);
	play.open_errno = 0;
	assert_int_equal(w->l.gate, -1);
	assert_int_equal(w->l.open_gate, -1);
}

/* What is harmless is closed, and so is all where nothing is kept. */
static void keeps_what_may_wait(void **state)
{
	struct world *w = begun(state);
	struct vu_leave none = {
		.gate = -1, .open_gate = -1, .harmless = harmless, .owner = &w->harmless
	};
	int fd[4];

	eventfds(fd, ARRAY_SIZE(fd));
	w->harmless = fd[0];
	vu_leave_close(&w->l, fd[0]);
	assert_false(is_open(fd[0]));
	assert_int_equal(w->l.kept, 0);
	vu_leave_close(&w->l, fd[1]);
	assert_true(is_open(fd[1]));
	assert_int_equal(w->l.kept, 1);
	vu_leave_close(&none, fd[2]);
	assert_false(is_open(fd[2]));
	assert_int_equal(none.kept, 0);
	vu_leave_close(NULL, fd[3]);
	assert_false(is_open(fd[3]));
	vu_leave_now(&w->l);
}

/* A client's socket is shut down whoever has it; it is kept when closing it could close what nobody has read. */
static void keeps_sockets(void **state)
{
	struct world *w = begun(state);
	struct vu_leave none = {
		.gate = -1, .open_gate = -1, .harmless = harmless, .owner = &w->harmless
	};
	static const struct {
		bool unread, distrusted;
		unsigned int kept;
		bool stays;
	} cases[] = {
		{ false, true, 0, false }, { true, true, 0, true },   { false, true, 1, true },
		{ true, true, 3, true },   { true, false, 0, false }, { false, false, 0, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vu_leave *l = cases[i].distrusted ? &w->l : &none;
		int sock[2];
		char byte;

		pair(sock);
		if (cases[i].unread)
			assert_int_equal(send(sock[0], "x", 1, 0), 1);
		l->kept = cases[i].kept;
		vu_leave_socket(l, sock[1]);
		assert_int_equal(is_open(sock[1]), cases[i].stays);
		assert_int_equal(l->kept, cases[i].kept + cases[i].stays);
		assert_true(recv(sock[0], &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET);
		assert_int_equal(send(sock[0], "x", 1, MSG_NOSIGNAL), -1);
		close(sock[0]);
		close(sock[1]);
	}
	w->l.kept = 0;
}

/* There is room for a message's descriptors, or another process has references of its own before they come. */
static void room_for_a_message(void **state)
{
	struct vu_leave none = { .gate = -1, .open_gate = -1, .kept = VU_MAX_KEPT };
	struct world *w = begun(state);
	int sock[2], rc;

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 1024, w->limit.rlim_max }), 0);
	vu_leave_drop(&w->l);
	assert_int_equal(vu_leave_init(&w->l), 0);
	pair(sock);
	assert_int_equal(send(sock[0], "x", 1, 0), 1);
	assert_int_equal(vu_leave_room(NULL, sock[1], 1, 0), -1);
	assert_int_equal(vu_leave_room(&none, sock[1], 1, 9), -1);
	none.kept++;
	assert_int_equal(vu_leave_room(&none, sock[1], 1, 0), -EPROTO);
	/* nothing has come: there is */
	assert_int_equal(vu_leave_room(&w->l, sock[1], 1, 5), -1);
	vu_leave_seen(NULL, 1024);
	vu_leave_seen(&w->l, 1024 - VU_MAX_FDS - 1);
	vu_leave_seen(&w->l, 70);
	w->l.kept = VU_MAX_KEPT;
	assert_int_equal(vu_leave_room(&w->l, sock[1], 1, 0), -1);
	w->l.kept++;
	assert_int_equal(vu_leave_room(&w->l, sock[1], 1, 0), -EPROTO);
	w->l.kept = 0;
	/* one more: there is not */
	vu_leave_seen(&w->l, 1024 - VU_MAX_FDS);
	rc = vu_leave_room(&w->l, sock[1], 1, 0);
	assert_true(rc >= 0 && is_open(rc));
	close(rc);
	assert_int_equal(vu_leave_room(&w->l, sock[1], 1, 1), -EPROTO);
	w->l.kept = 1;
	assert_int_equal(vu_leave_room(&w->l, sock[1], 1, 0), -EPROTO);
	w->l.kept = 0;
	/* that there can be no other process is no room, whatever the errno */
	play.fork_errno = EAGAIN;
	assert_int_equal(vu_leave_room(&w->l, sock[1], 1, 0), -EAGAIN);
	play.fork_errno = EPERM;
	assert_int_equal(vu_leave_room(&w->l, sock[1], 1, 0), -EIO);
	play.fork_errno = 0;
	/* and when all of it has been left, there is room again */
	vu_leave_now(&w->l);
	assert_int_equal(vu_leave_room(&w->l, -1, 1, 1), -1);
}

/* All that a client may have sent goes to another process, which has nothing of ours when it waits. */
static void leaves_all(void **state)
{
	int low[2], high[2], in = fcntl(0, F_DUPFD_CLOEXEC, 3), last[2];
	char path[64], name[32] = "";
	struct world *w;
	FILE *f;

	if (!*state) {
		close(in);
		skip();
	}
	make_pipe(low);
	make_pipe(last);
	w = begun(state);
	make_pipe(high);
	dup2(high[0], FIRST - 2);
	dup2(last[1], FIRST - 1);
	dup2(low[1], 0);
	vu_leave_close(&w->l, high[1]);
	vu_leave_seen(&w->l, high[1]);
	play.holds = true;
	vu_leave_now(&w->l);
	dup2(in, 0);
	close(low[1]);
	close(last[1]);
	close(FIRST - 1);
	assert_int_equal(w->l.kept, 0);
	for (int fd = 0; fd < 200; fd++)
		assert_int_equal(is_open(fd), fd < FIRST - 1 && fd != low[1] && fd != last[1]);
	/* it has neither our first descriptor nor our last one any more, and all of the client's */
	assert_true(let_go(low[0], 10000));
	assert_true(let_go(last[0], 10000));
	assert_false(let_go(FIRST - 2, 0));
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)play.last);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(fgets(name, sizeof(name), f));
	fclose(f);
	assert_string_equal(name, "msictl-shed\n");
	assert_int_equal(kill(play.last, SIGKILL), 0);
	assert_true(let_go(FIRST - 2, 10000));
}

/* The server has blocked the signals that end it; who waits in its place can be ended by them. */
static void ended_by_a_signal(void **state)
{
	struct world *w = begun(state);
	sigset_t term, before;
	int end[2], status;

	make_pipe(end);
	dup2(end[0], FIRST - 2);
	dup2(end[1], FIRST - 1);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &before);
	play.holds = true;
	vu_leave_now(&w->l);
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_int_equal(kill(play.last, SIGTERM), 0);
	assert_int_equal(waitpid(play.last, &status, __WCLONE), play.last);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

/* No more processes: what was kept stays open, and goes with what the next client has sent. */
static void no_process(void **state)
{
	struct world *w = begun(state);
	int end[2];

	make_pipe(end);
	dup2(end[0], FIRST - 3);
	vu_leave_close(&w->l, end[1]);
	vu_leave_seen(&w->l, end[1]);
	play.fails = true;
	vu_leave_now(&w->l);
	assert_int_equal(w->l.kept, 1);
	assert_int_equal(w->l.top, end[1]);
	assert_true(is_open(end[1]));
	assert_false(let_go(FIRST - 3, 0));
	play.fails = false;
	vu_leave_now(&w->l);
	assert_int_equal(w->l.kept, 0);
	assert_true(let_go(FIRST - 3, 10000));
}

/* Processes that have ended are reaped with the next client, all of them; one that still waits is not waited for. */
static void reaps(void **state)
{
	struct world *w = begun(state);
	pid_t pid[3];

	for (size_t i = 0; i < ARRAY_SIZE(pid); i++) {
		siginfo_t info;

		play.holds = true;
		vu_leave_now(&w->l);
		pid[i] = play.last;
		/* it ends, and is not reaped yet */
		if (i == 1)
			for (int k = 0; k < 2; k++) {
				assert_int_equal(kill(pid[k], SIGKILL), 0);
				assert_int_equal(waitid(P_PID, (id_t)pid[k], &info,
							WEXITED | WNOWAIT | __WCLONE),
						 0);
			}
	}
	for (int k = 0; k < 2; k++)
		assert_int_equal(waitpid(pid[k], NULL, __WCLONE | WNOHANG), -1);
	vu_leave_now(&w->l);
	assert_int_equal(waitpid(pid[2], NULL, __WCLONE | WNOHANG), 0);
	kill(pid[2], SIGKILL);
	kill(play.last, SIGKILL);
}

/* A byte for a former process that had no turn yet opens the gate to no later one: the table is still the server's. */
static void a_byte_too_many(void **state)
{
	struct world *w = begun(state);

	assert_int_equal(write(w->l.open_gate, "", 1), 1);
	play.dawdles = true;
	vu_leave_now(&w->l);
	for (int fd = 0; fd < FIRST; fd++)
		assert_true(is_open(fd));
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(numbers_lie_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(few_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(inherited_many, setup, teardown),
		cmocka_unit_test_setup_teardown(gaps_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(keeps_what_may_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(keeps_sockets, setup, teardown),
		cmocka_unit_test_setup_teardown(room_for_a_message, setup, teardown),
		cmocka_unit_test_setup_teardown(leaves_all, setup, teardown),
		cmocka_unit_test_setup_teardown(ended_by_a_signal, setup, teardown),
		cmocka_unit_test_setup_teardown(no_process, setup, teardown),
		cmocka_unit_test_setup_teardown(reaps, setup, teardown),
		cmocka_unit_test_setup_teardown(a_byte_too_many, setup, teardown),
	};

	return cmocka_run_group_tests_name("vu-leave", tests, NULL, NULL);
}

int main(void)
{
	return run_apart(run);
}
