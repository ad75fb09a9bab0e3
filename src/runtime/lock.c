// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lock of the folder of sockets: whoever has it may take a name for stale. Any process of the
 * user can lock the folder too (flock(2) needs no more than a descriptor), so nothing here waits
 * without a limit.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "runtime/holders.h"

/* The timer goes on, for the case that it ran out before flock(2) slept. */
#define AGAIN_NS 10000000

/* flock(2) returns with EINTR for it. */
static void on_alarm(int signal)
{
	(void)signal;
}

/* @us: not 0, which would stop it. */
static int start_timer(timer_t *timer, uint64_t us)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	const struct itimerspec when = { .it_value = { .tv_sec = (time_t)(us / 1000000),
						       .tv_nsec = (long)(us % 1000000) * 1000 },
					 .it_interval = { .tv_nsec = AGAIN_NS } };

	if (timer_create(CLOCK_MONOTONIC, &ev, timer) < 0)
		return -errno;
	if (timer_settime(*timer, 0, &when, NULL) == 0)
		return 0;
	timer_delete(*timer);
	return -EINVAL;
}

/* With SIGALRM caught and not blocked. */
static int wait_for_lock(int dir, uint64_t patience_us)
{
	const uint64_t until = now_us() + patience_us;
	timer_t timer;
	int rc = start_timer(&timer, patience_us);

	if (rc)
		return rc;
	do
		rc = flock(dir, LOCK_EX) < 0 ? -errno : 0;
	while (rc == -EINTR && now_us() < until);
	timer_delete(timer);
	return rc == -EINTR ? -ETIMEDOUT : rc;
}

int hold_lock(int dir, uint64_t patience_us)
{
	const struct sigaction heard = { .sa_handler = on_alarm };
	struct sigaction before;
	sigset_t alarm, mask;
	int rc;

	if (flock(dir, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return -errno;
	if (!patience_us)
		return -ETIMEDOUT;
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigaction(SIGALRM, &heard, &before);
	sigprocmask(SIG_UNBLOCK, &alarm, &mask);
	rc = wait_for_lock(dir, patience_us);
	sigaction(SIGALRM, &before, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return rc;
}

void hold_unlock(int dir)
{
	flock(dir, LOCK_UN);
}

/*
 * "1: FLOCK  ADVISORY  WRITE 4711 fe:01:1234 0 EOF", a process that waits has "->" before FLOCK:
 * proc(5). 0: the process is not told, or it is in a PID namespace that is not ours.
 */
static pid_t lock_owner(int dir)
{
	_cleanup_file_ FILE *f = fopen("/proc/locks", "re");
	_cleanup_free_ char *line = NULL;
	unsigned int upper, lower;
	size_t room = 0;
	struct stat st;
	uint64_t inode;
	int pid;

	if (!f || fstat(dir, &st) < 0)
		return 0;
	while (getline(&line, &room, f) >= 0)
		if (sscanf(line, "%*u: FLOCK %*s %*s %d %x:%x:%" SCNu64, &pid, &upper, &lower,
			   &inode) == 4 &&
		    pid > 0 && upper == major(st.st_dev) && lower == minor(st.st_dev) &&
		    inode == st.st_ino)
			return pid;
	return 0;
}

/* " (NAME)" of a process, free() it; NULL: not told. */
static char *name_of(pid_t pid)
{
	_cleanup_free_ char *path = NULL, *line = NULL, *clean = NULL;
	_cleanup_file_ FILE *f = NULL;
	size_t room = 0;
	char *name;

	if (asprintf(&path, "/proc/%d/comm", pid) < 0) {
		path = NULL;
		return NULL;
	}
	f = fopen(path, "re");
	if (!f || getline(&line, &room, f) < 0)
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	clean = escape_text_dup(line);
	return !clean || asprintf(&name, " (%s)", clean) < 0 ? NULL : name;
}

int hold_locked(int dir, int rc, struct error *e)
{
	_cleanup_free_ char *name = NULL;
	pid_t pid;

	if (rc != -ETIMEDOUT)
		return fail(e, CAUSE_FAILED, -rc, "the folder of sockets can't be locked");
	pid = lock_owner(dir);
	if (!pid) {
		fail(e, CAUSE_BUSY, ETIMEDOUT, "another process has locked the folder of sockets");
		hint(e, "lslocks   lists locks and the processes that have them");
		return -ETIMEDOUT;
	}
	name = name_of(pid);
	fail(e, CAUSE_BUSY, ETIMEDOUT, "pid %d%s has locked the folder of sockets", pid,
	     name ? name : "");
	hint(e, "ps -o pid,stat,args -p %d   shows the process that has the lock", pid);
	return -ETIMEDOUT;
}
