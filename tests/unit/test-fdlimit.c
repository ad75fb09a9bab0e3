// SPDX-License-Identifier: GPL-2.0-or-later
/* Room for eventfds, also where the hard limit leaves little. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fdlimit.h"

/* Last: it has a macro fail() of its own. */
#include <cmocka.h>

/* What fdlimit_raise() may do and what came of it; @used descriptors are open from 0 on. */
struct limits {
	uint64_t soft, hard; /* before */
	unsigned int need;
	int rc;
	uint64_t limit; /* told, and in force */
};

#define USED 10

#define CANT_TELL 77

/* Root could raise a hard limit, and the tests may run as root. */
static int give_up_root(void)
{
	return geteuid() ? 0 : (int)syscall(SYS_setresuid, 65534, 65534, 65534);
}

static int raise_in_child(const struct limits *l)
{
	struct rlimit rl = { .rlim_cur = l->soft, .rlim_max = l->hard };
	uint64_t limit;

	if (close_range(USED, ~0U, 0))
		return 1;
	for (int fd = 0; fd < USED; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
			return 2;
	/* valgrind keeps limits to itself and has its own mind about them */
	if (setrlimit(RLIMIT_NOFILE, &rl))
		return CANT_TELL;
	if (give_up_root())
		return 3;
	if (fdlimit_raise(l->need, &limit) != l->rc)
		return 4;
	if (getrlimit(RLIMIT_NOFILE, &rl) || limit != l->limit || rl.rlim_cur != l->limit ||
	    rl.rlim_max != l->hard)
		return 5;
	return 0;
}

/* Limits can't be raised again: a process of its own. */
static void check(const struct limits *l)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(raise_in_child(l));
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == CANT_TELL)
		skip();
	assert_int_equal(status, 0);
}

static void enough(void **state)
{
	(void)state;
	check(&(struct limits){ .soft = 100, .hard = 200, .need = 58, .rc = 0, .limit = 100 });
}

static void raised_with_room_to_spare(void **state)
{
	(void)state;
	check(&(struct limits){
		.soft = 100, .hard = 4096, .need = 2048, .rc = 1, .limit = USED + 2048 + 32 });
}

static void raised_as_far_as_it_goes(void **state)
{
	(void)state;
	check(&(struct limits){ .soft = 64, .hard = 100, .need = 80, .rc = 1, .limit = 100 });
}

/* What is spare may be missing, what others read and write with may not. */
static void tight(void **state)
{
	(void)state;
	check(&(struct limits){ .soft = 40, .hard = 40, .need = 22, .rc = 0, .limit = 40 });
	check(&(struct limits){ .soft = 40, .hard = 40, .need = 23, .rc = -EMFILE, .limit = 40 });
}

static void never(void **state)
{
	(void)state;
	check(&(struct limits){ .soft = 40, .hard = 40, .need = 65, .rc = -EMFILE, .limit = 40 });
	check(&(struct limits){ .soft = 30, .hard = 40, .need = 65, .rc = -EMFILE, .limit = 30 });
	/* not one is free */
	check(&(struct limits){
		.soft = USED, .hard = USED, .need = 1, .rc = -EMFILE, .limit = USED });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enough),
		cmocka_unit_test(raised_with_room_to_spare),
		cmocka_unit_test(raised_as_far_as_it_goes),
		cmocka_unit_test(tight),
		cmocka_unit_test(never),
	};

	return cmocka_run_group_tests_name("fdlimit", tests, NULL, NULL);
}
