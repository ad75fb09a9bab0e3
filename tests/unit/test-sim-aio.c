// SPDX-License-Identifier: GPL-2.0-or-later
/* Signals of a device that distrusts its clients, where the kernel's AIO works, and where a sandbox answers for it. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "sim-world.h"

/* The pages of a context that was not destroyed. */
static bool has_context(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512];
	bool found = false;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		found = found || strstr(line, "[aio]");
	fclose(f);
	return found;
}

static void context_ends_with_the_device(void **state)
{
	struct world *w = world_new("");

	(void)state;
	assert_false(has_context());
	sim_distrust_clients(w->d);
	if (!has_context()) {
		world_free(w);
		skip(); /* none to spare */
	}
	world_free(w);
	assert_false(has_context());
}

/* Counts of any size, also when many of them follow each other. */
static void counts(void **state)
{
	static const unsigned int n[] = { 1, 63, 64, 65, 127, 128, 129, 1000 };
	struct world *w = world_new("latency=1s");

	(void)state;
	sim_distrust_clients(w->d);
	master(w, true);
	assert_int_equal(attach(w, IRQ_MSIX, 0, 2), 0);
	for (size_t i = 0; i < ARRAY_SIZE(n); i++) {
		for (unsigned int k = 0; k < n[i]; k++)
			ring(w, 0);
		ring(w, 1);
		sim_tick(w->d, UINT64_MAX);
		assert_int_equal(got(w, 0), n[i]);
		assert_int_equal(got(w, 1), 1);
	}
	world_free(w);
}

/* From now on the system call @nr of this process does nothing and fails with @err, or returns 0 when that is 0. */
static bool replace(unsigned int nr, unsigned int err)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | err),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog all = { .len = ARRAY_SIZE(filter), .filter = filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all) == 0;
}

#define NO_SANDBOX 77

/* In a process of its own: 0, or the line of what was not as it should be. */
static int in_sandbox(unsigned int nr, unsigned int err)
{
	struct world *w = world_new("msix=4,latency=1s");
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), closed = 900;
	const uint64_t full = UINT64_MAX - 1;

	if (!replace(nr, err))
		return NO_SANDBOX;
	alarm(20);
	sim_distrust_clients(w->d);
	master(w, true);
	if (set_fd(w, EVENTFD, IRQ_MSIX, 0, closed) != -EBADF)
		return 1;
	if (set_fd(w, EVENTFD, IRQ_MSIX, 0, null) != -EINVAL)
		return 2;
	if (attach(w, IRQ_MSIX, 0, 4))
		return 3;
	for (unsigned int i = 0; i < 100; i++)
		ring(w, 1);
	sim_tick(w->d, UINT64_MAX);
	if (got(w, 1) != 100 || got(w, 0))
		return 4;
	if (write(w->fd[1], &full, sizeof(full)) != sizeof(full) || set(w, NONE, IRQ_MSIX, 0, 4))
		return 5;
	if (got(w, 0) != 1 || got(w, 1) < full)
		return 6;
	world_free(w);
	return 0;
}

/* Whatever stands between: eventfds alone are taken, and all signals arrive. */
static void sandboxes(void **state)
{
	static const struct {
		unsigned int nr, err;
	} row[] = {
		{ SYS_io_setup, ENOSYS },      { SYS_io_setup, EPERM },
		{ SYS_io_setup, EAGAIN },      { SYS_io_setup, 0 },
		{ SYS_io_submit, ENOSYS },     { SYS_io_submit, EPERM },
		{ SYS_io_submit, EINVAL },     { SYS_io_submit, EBADF },
		{ SYS_io_submit, EOPNOTSUPP }, { SYS_io_submit, 0 },
		{ SYS_io_getevents, ENOSYS },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0)
			_exit(in_sandbox(row[i].nr, row[i].err));
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status) && WEXITSTATUS(status) == NO_SANDBOX)
			skip();
		if (status)
			fail_msg("system call %u, errno %u: status 0x%x", row[i].nr, row[i].err,
				 status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(context_ends_with_the_device),
		cmocka_unit_test(counts),
		cmocka_unit_test(sandboxes),
	};

	return cmocka_run_group_tests_name("sim-aio", tests, NULL, NULL);
}
