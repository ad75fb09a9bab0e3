// SPDX-License-Identifier: GPL-2.0-or-later
/* The lock of the folder of sockets: waiting for it, and who has it. */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "runtime/holders.h"
#include "tree.h"
#include "base/util.h"

static int timer_fault; /* errno of timer_create(), or -1: timer_settime() fails */

int timer_create(clockid_t clock, struct sigevent *ev, timer_t *timer)
{
	int (*real)(clockid_t, struct sigevent *, timer_t *) = dlsym(RTLD_NEXT, "timer_create");

	if (timer_fault <= 0)
		return real(clock, ev, timer);
	errno = timer_fault;
	return -1;
}

int timer_settime(timer_t timer, int flags, const struct itimerspec *when,
		  struct itimerspec *before)
{
	int (*real)(timer_t, int, const struct itimerspec *, struct itimerspec *) =
		dlsym(RTLD_NEXT, "timer_settime");

	return timer_fault < 0 ? -1 : real(timer, flags, when, before);
}

static int folder(const struct tree *t)
{
	int dir = open(t->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(dir >= 0);
	return dir;
}

/* No timer of a wait that is over goes on. */
static bool alarm_comes(void)
{
	const struct timespec limit = { .tv_nsec = 30000000 };
	sigset_t alarm;

	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	return sigtimedwait(&alarm, NULL, &limit) == SIGALRM;
}

/* The time is over also where SIGALRM was blocked and ignored, and that is so afterwards. */
static void times_out(void **state)
{
	static const uint64_t patience[] = { 1, 999, 20000 };
	struct tree *t = *state;
	int dir = folder(t), other = folder(t);
	sigset_t alarm, before, now;
	struct sigaction sa;

	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigprocmask(SIG_BLOCK, &alarm, &before);
	signal(SIGALRM, SIG_IGN);
	assert_int_equal(hold_lock(other, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(patience); i++) {
		uint64_t begin = now_us();

		assert_int_equal(hold_lock(dir, patience[i]), -ETIMEDOUT);
		assert_true(now_us() - begin >= patience[i]);
	}
	sigprocmask(SIG_SETMASK, NULL, &now);
	assert_true(sigismember(&now, SIGALRM));
	assert_int_equal(sigaction(SIGALRM, NULL, &sa), 0);
	assert_true(sa.sa_handler == SIG_IGN);
	signal(SIGALRM, SIG_DFL);
	assert_false(alarm_comes());
	timer_fault = EAGAIN;
	assert_int_equal(hold_lock(dir, 20000), -EAGAIN);
	timer_fault = -1;
	assert_int_equal(hold_lock(dir, 20000), -EINVAL);
	timer_fault = 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(dir);
	close(other);
}

/* Whether @pid waits for a lock now: "-> FLOCK ... PID" in /proc/locks. */
static bool waits(pid_t pid)
{
	FILE *f = fopen("/proc/locks", "re");
	char line[128];
	bool found = false;
	int who;

	while (f && fgets(line, sizeof(line), f))
		found = found ||
			(sscanf(line, "%*u: -> FLOCK %*s %*s %d", &who) == 1 && who == pid);
	if (f)
		fclose(f);
	return found;
}

static void on_signal(int signal)
{
	(void)signal;
}

/* A lock that becomes free is taken at once; a signal on the way does not end the waiting. */
static void waits_for_it(void **state)
{
	static const uint64_t patience[] = { 1000000, 60000000 };
	const struct sigaction heard = { .sa_handler = on_signal };
	struct tree *t = *state;
	int dir = folder(t), status, ready[2];

	assert_int_equal(sigaction(SIGUSR1, &heard, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(patience); i++) {
		pid_t child, parent = getpid();

		assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
		child = fork();
		if (child == 0) {
			int mine = folder(t);

			if (flock(mine, LOCK_EX) || write(ready[1], "", 1) != 1)
				_exit(1);
			while (!waits(parent) && getppid() == parent)
				usleep(1000);
			kill(parent, SIGUSR1);
			while (!waits(parent) && getppid() == parent)
				usleep(1000);
			_exit(0);
		}
		assert_int_equal(read(ready[0], &(char){ 0 }, 1), 1);
		assert_int_equal(hold_lock(dir, patience[i]), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		hold_unlock(dir);
		close(ready[0]);
		close(ready[1]);
	}
	close(dir);
}

/* The process that has this folder's lock is told by its name, which may hold anything; no other lock is meant. */
static void tells_who(void **state)
{
	struct tree *t = *state;
	int dir = folder(t), file;
	struct error e = { 0 };
	char want[128], path[PATH_MAX];

	file = open(tree_path(t, "other", path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(file >= 0);
	assert_int_equal(flock(file, LOCK_EX), 0);
	assert_int_equal(hold_locked(dir, -ETIMEDOUT, &e), -ETIMEDOUT);
	assert_string_equal(e.message, "another process has locked the folder of sockets");
	assert_int_equal(e.err, ETIMEDOUT);
	assert_int_equal(hold_lock(dir, 0), 0);
	assert_int_equal(prctl(PR_SET_NAME, "a\tb (c)"), 0);
	assert_int_equal(hold_locked(dir, -ETIMEDOUT, &e), -ETIMEDOUT);
	snprintf(want, sizeof(want), "pid %d (a\\x09b (c)) has locked the folder of sockets",
		 getpid());
	assert_string_equal(e.message, want);
	snprintf(want, sizeof(want),
		 "ps -o pid,stat,args -p %d   shows the process that has the lock", getpid());
	assert_string_equal(e.hint, want);
	assert_int_equal(e.cause, CAUSE_BUSY);
	assert_int_equal(hold_locked(dir, -EIO, &e), -EIO);
	assert_string_equal(e.message, "the folder of sockets can't be locked");
	close(file);
	close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(times_out, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(waits_for_it, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(tells_who, tree_setup, tree_teardown),
	};

	return cmocka_run_group_tests_name("hold-lock", tests, NULL, NULL);
}
