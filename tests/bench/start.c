// SPDX-License-Identifier: GPL-2.0-or-later
/* How long a person waits: the first prompt, and info beside lspci. */
#include <dirent.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define ROUNDS 15

/* From exec to the end, microseconds; -1: it failed. */
static double run(char *const *argv)
{
	uint64_t begin = now_ns();
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		for (int fd = 0; fd <= 2; fd++)
			dup2(null, fd);
		execvp(argv[0], argv);
		_exit(127);
	}
	must(pid > 0 && waitpid(pid, &status, 0) == pid, "run");
	return status ? -1 : (double)(now_ns() - begin) / 1e3;
}

static double median_of(char *const *argv)
{
	double us[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		us[i] = run(argv);
		if (us[i] < 0)
			return -1;
	}
	return median(us, ROUNDS);
}

static int prompts(int fd)
{
	char text[4096];
	size_t used = 0;
	ssize_t n;

	while (used < sizeof(text) - 1 &&
	       (n = read(fd, text + used, sizeof(text) - 1 - used)) > 0) {
		used += (size_t)n;
		text[used] = '\0';
		if (strstr(text, "> "))
			return 1;
	}
	return 0;
}

static double prompt(const char *msictl)
{
	uint64_t begin = now_ns();
	double us;
	int fd, good;
	const struct winsize size = { .ws_row = 24, .ws_col = 80 };
	pid_t pid = forkpty(&fd, NULL, NULL, &size);

	if (pid == 0) {
		setenv("TERM", "xterm", 1);
		setenv("XDG_STATE_HOME", "/dev/null", 1);
		execl(msictl, msictl, "shell", "sim", (char *)NULL);
		_exit(127);
	}
	must(pid > 0, "forkpty");
	good = prompts(fd);
	us = (double)(now_ns() - begin) / 1e3;
	must(good, "no prompt");
	/* it puts the device back, and what it writes then must not block it */
	kill(pid, SIGTERM);
	close(fd);
	waitpid(pid, NULL, 0);
	return us;
}

static void bench_prompt(const char *msictl)
{
	char *const version[] = { (char *)(uintptr_t)msictl, "--version", NULL };
	double us[ROUNDS], peer[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		us[i] = prompt(msictl);
		peer[i] = run(version);
	}
	row("shell sim: exec to prompt (peer: --version)", median(us, ROUNDS) / 1e3,
	    median(peer, ROUNDS) / 1e3, "ms", "<= 3");
}

/* A function with MSI or MSI-X in use, else any; 0: none. */
static int some_function(char *bdf, size_t size)
{
	DIR *d = opendir("/sys/bus/pci/devices");
	struct dirent *entry;
	int found = 0;

	while (d && found < 2 && (entry = readdir(d))) {
		char path[300];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.64s/msi_irqs", entry->d_name);
		if (found && access(path, F_OK))
			continue;
		found = access(path, F_OK) ? 1 : 2;
		snprintf(bdf, size, "%.30s", entry->d_name);
	}
	if (d)
		closedir(d);
	return found;
}

static void bench_info(const char *msictl)
{
	char bdf[32];
	char *const info[] = { (char *)(uintptr_t)msictl, "info", bdf, NULL };
	char *const lspci[] = { "lspci", "-vv", "-s", bdf, NULL };
	double ours, his;

	if (!some_function(bdf, sizeof(bdf))) {
		printf("info: no PCI function here\n");
		return;
	}
	ours = median_of(info);
	his = median_of(lspci);
	if (ours < 0 || his < 0)
		printf("info %s: %s failed\n", bdf, ours < 0 ? "msictl" : "lspci");
	else
		row("info of a function (peer: lspci -vv -s)", ours / 1e3, his / 1e3, "ms",
		    "<= 1.0");
}

void bench_starting(const char *msictl)
{
	bench_prompt(msictl);
	bench_info(msictl);
}
