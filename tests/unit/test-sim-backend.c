// SPDX-License-Identifier: GPL-2.0-or-later
/* "sim[:SPEC]": which names are its own, and the process that serves it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/util.h"
#include "device/backend.h"
#include "base/trace.h"
#include "root/reader.h"
#include "sim/backend.h"

/* cmocka.h makes fail() a macro: our headers come first */
#include <cmocka.h>

static void names(void **state)
{
	static const char *const mine[] = { "sim", "sim:", "sim:msix=8", "sim:nonsense" };
	static const char *const other[] = { "",     "s",	 "si",
					     "sims", "sim.sock", "simulation:msix=8",
					     "xsim", "Sim" };

	(void)state;
	assert_string_equal(sim_backend.name, "sim");
	for (size_t i = 0; i < ARRAY_SIZE(mine); i++)
		assert_true(sim_backend.claims(mine[i]));
	for (size_t i = 0; i < ARRAY_SIZE(other); i++)
		assert_false(sim_backend.claims(other[i]));
}

static int sim_open(const char *spec, void **handle, struct error *e)
{
	static const struct trace quiet = { 0 };
	struct open_request req = { .spec = spec, .trace = &quiet };

	return sim_backend.open(&req, handle, e);
}

static unsigned int msix_of(const char *spec)
{
	struct irq_info info = { 0 };
	struct error e = { 0 };
	void *handle;

	if (sim_open(spec, &handle, &e))
		fail_msg("%s: %s", spec, e.message);
	assert_int_equal(sim_backend.ops->irq_info(handle, IRQ_MSIX, &info), 0);
	sim_backend.close(handle);
	return info.count;
}

static void specs(void **state)
{
	struct error e = { 0 };
	void *handle;

	(void)state;
	assert_int_equal(msix_of("sim"), 64);
	assert_int_equal(msix_of("sim:"), 64);
	assert_int_equal(msix_of("sim:msix=7"), 7);
	assert_int_equal(sim_open("sim:x", &handle, &e), -EINVAL);
	assert_int_equal(e.cause, CAUSE_USAGE);
	assert_string_equal(e.message, "simulation: 'x' is no word of a simulation");
}

/* Nothing stays open or running, and the reason is told. */
static void no_descriptor(void **state)
{
	struct rlimit before, none;
	struct error e = { 0 };
	void *handle;
	const char *preload = getenv("LD_PRELOAD");
	int next, rc;

	(void)state;
	/* it has limits of its own */
	if (preload && strstr(preload, "vgpreload"))
		skip();
	next = dup(STDERR_FILENO);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ .rlim_cur = (rlim_t)next, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	rc = sim_open("sim", &handle, &e);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(rc, -EMFILE);
	assert_int_equal(e.cause, CAUSE_FAILED);
	assert_non_null(strstr(e.message, "no socket pair for the simulation"));
}

/* The only child of this process. */
static pid_t child(void)
{
	char path[64];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	f = fopen(path, "re");
	if (!f)
		skip();
	if (fscanf(f, "%d", &pid) != 1)
		pid = 0;
	fclose(f);
	return pid;
}

/* A line of a file of the process's folder, as the field at its begin names it. */
static void line_of(pid_t pid, const char *file, const char *field, char *to, size_t size)
{
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	f = fopen(path, "re");
	assert_non_null(f);
	to[0] = '\0';
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, field, strlen(field)))
			copy_text(to, size, line + strlen(field));
	fclose(f);
}

static uint64_t signals(pid_t pid, const char *field)
{
	char text[256];

	line_of(pid, "status", field, text, sizeof(text));
	return strtoull(text, NULL, 16);
}

static uint64_t bit(int sig)
{
	return UINT64_C(1) << (sig - 1);
}

static void links_of(pid_t pid, int fd, char to[256])
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	n = readlink(path, to, 255);
	to[n < 0 ? 0 : n] = '\0';
}

static unsigned int sockets_of(pid_t pid)
{
	char target[256];
	unsigned int n = 0;

	for (int fd = 0; fd < 64; fd++) {
		links_of(pid, fd, target);
		n += !strncmp(target, "socket:", 7);
	}
	return n;
}

/* It answers, so what it does first is done: what it keeps of its parent, and which signals end it. */
static void process(void **state)
{
	char text[256], file[] = "/tmp/msictl-unit-XXXXXX";
	int kept = mkstemp(file), high;
	struct irq_info info;
	struct error e = { 0 };
	sigset_t block, before;
	struct rlimit all, few;
	struct pollfd end;
	void *handle;
	pid_t pid;

	(void)state;
	unlink(file);
	high = fcntl(kept, F_DUPFD, 40);
	assert_true(high >= 40);
	sigfillset(&block);
	sigprocmask(SIG_BLOCK, &block, &before);
	signal(SIGTERM, SIG_IGN);
	/* a shell's job in the background begins with it ignored */
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	few = (struct rlimit){ .rlim_cur = 256, .rlim_max = all.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(sim_open("sim", &handle, &e), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
	signal(SIGTERM, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_int_equal(sim_backend.ops->irq_info(handle, IRQ_MSIX, &info), 0);
	pid = child();
	assert_true(pid > 0);
	line_of(pid, "comm", "", text, sizeof(text));
	assert_string_equal(text, "msictl-sim\n");
	for (int fd = 0; fd <= 1; fd++) {
		links_of(pid, fd, text);
		assert_string_equal(text, "/dev/null");
	}
	links_of(pid, 3, text);
	assert_true(!strncmp(text, "socket:", 7));
	assert_int_equal(sockets_of(pid), 1);
	for (int fd = 4; fd < 64; fd++) {
		links_of(pid, fd, text);
		assert_null(strstr(text, "msictl-unit"));
	}
	/* its loop takes SIGTERM */
	assert_int_equal(signals(pid, "SigBlk:") & ~bit(SIGTERM), 0);
	assert_int_equal(signals(pid, "SigIgn:") &
				 (bit(SIGTERM) | bit(SIGINT) | bit(SIGHUP) | bit(SIGPIPE)),
			 bit(SIGINT) | bit(SIGHUP) | bit(SIGPIPE));
	line_of(pid, "limits", "Max open files", text, sizeof(text));
	if (all.rlim_max >= 2 * 2048 + 64)
		assert_true(strtoull(text, NULL, 10) >= 2 * 2048ull);
	assert_int_equal(kill(pid, SIGTERM), 0);
	end = (struct pollfd){ .fd = sim_backend.ops->peer_fd(handle), .events = POLLIN };
	assert_int_equal(poll(&end, 1, 20000), 1);
	assert_true(end.revents & POLLHUP);
	sim_backend.close(handle);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(child(), 0);
	close(kept);
	close(high);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(specs),
		cmocka_unit_test(no_descriptor),
		cmocka_unit_test(process),
	};

	return cmocka_run_group_tests_name("sim-backend", tests, NULL, NULL);
}
