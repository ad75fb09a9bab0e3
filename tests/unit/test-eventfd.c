// SPDX-License-Identifier: GPL-2.0-or-later
/* Eventfds whose file description somebody else has too: read without waiting, whatever the flags are. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/eventfd.h"
#include "base/util.h"

/* Last: it has a macro fail() of its own. */
#include <cmocka.h>

/* A read that waits is ended by SIGALRM, and the test with it. */
#define PATIENCE 10

static int read_all(int flags)
{
	uint64_t n = 0;
	int fd = eventfd(5, EFD_CLOEXEC | flags), rc;

	alarm(PATIENCE);
	rc = eventfd_take(fd, &n) == 1 && n == 5 && eventfd_take(fd, &n) == 0;
	/* what a peer does in the end */
	rc = rc && fcntl(fd, F_SETFL, 0) == 0 && eventfd_take(fd, &n) == 0;
	rc = rc && eventfd_write(fd, UINT64_MAX - 1) == 0 && eventfd_take(fd, &n) == 1 &&
	     n == UINT64_MAX - 1;
	alarm(0);
	close(fd);
	return rc;
}

static void never_waits(void **state)
{
	(void)state;
	assert_true(read_all(0));
	assert_true(read_all(EFD_NONBLOCK));
}

static void says_what_is_wrong(void **state)
{
	uint64_t n;

	(void)state;
	assert_int_equal(eventfd_take(-1, &n), -EBADF);
}

/* As Linux before 5.8 answers. */
static int refuse_preadv2(void)
{
	struct sock_filter rule[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_preadv2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = ARRAY_SIZE(rule), .filter = rule };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void older_kernels(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		if (refuse_preadv2())
			_exit(77);
		_exit(read_all(0) && read_all(EFD_NONBLOCK) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_waits),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(older_kernels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
