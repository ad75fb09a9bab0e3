/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes that close descriptors in another one's place, as tests play them. */
#ifndef TEST_VU_APART_H
#define TEST_VU_APART_H

#include <dlfcn.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "vu-peer.h"

/* A client's descriptors have this number or a higher one. */
#define FIRST 64

static struct {
	pid_t last; /* the process that clone(2) made last */
	bool fails; /* there are no more processes */
	bool dawdles; /* whoever called clone(2) goes on when the new process has ended, or after a while */
	bool holds; /* it does not end */
	int fork_errno, open_errno;
	unsigned int clones;
} play;

/* Files can't be opened, by play.open_errno. */
int open(const char *path, int flags, ...)
{
	if (play.open_errno) {
		errno = play.open_errno;
		return -1;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
}

/* The end of a process that closes for somebody else may wait: here it does so for a while. */
#undef _exit /* a map of coverage has made a macro of it */
void _exit(int status)
{
	if (play.holds)
		poll(NULL, 0, 20000);
	for (;;)
		syscall(SYS_exit_group, status);
}

int clone(int (*fn)(void *), void *stack, int flags, void *arg, ...)
{
	static int (*real)(int (*)(void *), void *, int, void *, ...);

	if (play.fails) {
		errno = EAGAIN;
		return -1;
	}
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "clone");
	play.clones++;
	play.last = real(fn, stack, flags, arg);
	for (int i = 0; play.dawdles && i < 20; i++)
		if (waitpid(play.last, NULL, __WCLONE | WNOHANG) == 0)
			usleep(10000);
	return play.last;
}

pid_t fork(void)
{
	static pid_t (*real)(void);

	if (play.fork_errno) {
		errno = play.fork_errno;
		return -1;
	}
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "fork");
	return real();
}

/* It has descriptors of its own, and knows no clone(2) that shares the table alone. */
static inline bool under_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload && strstr(preload, "vgpreload");
}

static inline bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* Whether nobody has the other end of the pipe any more, within @ms. */
static inline bool let_go(int fd, int ms)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, ms) == 1 && p.revents & POLLHUP;
}

/* A pipe whose ends come behind all others. */
static inline void make_pipe(int end[2])
{
	assert_int_equal(pipe2(end, O_CLOEXEC | O_NONBLOCK), 0);
}

/* @run in a process of its own, whose descriptors are the tests' alone. */
static inline int run_apart(int (*run)(void))
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		if (!under_valgrind())
			close_range(FIRST, ~0u, 0);
		exit(run());
	}
	waitpid(child, &status, 0);
	return child < 0 || !WIFEXITED(status) ? 1 : WEXITSTATUS(status);
}

#endif
