// SPDX-License-Identifier: GPL-2.0-or-later
/* At rest: wake-ups of a holder and of a shell that nobody uses, and the memory of 2048 armed vectors that are watched.
 */
#include <ctype.h>
#include <dirent.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define IDLE_SECONDS   10
#define SETTLE_SECONDS 5

/* The number behind @key in /proc/PID/status; 0: there is none. */
static unsigned long status_of(pid_t pid, const char *key)
{
	char path[64], line[256];
	unsigned long value = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			value = strtoul(line + strlen(key), NULL, 10);
	if (f)
		fclose(f);
	return value;
}

/* A process and its children: the simulated device is one. */
static unsigned long sum_of_family(pid_t pid, const char *key)
{
	unsigned long sum = status_of(pid, key);
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	must(proc != NULL, "/proc");
	while ((entry = readdir(proc))) {
		pid_t child = (pid_t)atoi(entry->d_name);

		if (isdigit((unsigned char)entry->d_name[0]) &&
		    status_of(child, "PPid:") == (unsigned long)pid)
			sum += status_of(child, key);
	}
	closedir(proc);
	return sum;
}

static unsigned long switches(pid_t pid)
{
	return sum_of_family(pid, "voluntary_ctxt_switches:") +
	       sum_of_family(pid, "nonvoluntary_ctxt_switches:");
}

/* @times have to be seen before it returns; the terminal holds all that comes behind. */
static void read_until(int fd, const char *text, int times)
{
	char buf[1 << 16];
	size_t used = 0;

	while (times) {
		ssize_t n = read(fd, buf + used, sizeof(buf) - 1 - used);
		const char *at;

		must(n > 0, text);
		used += (size_t)n;
		buf[used] = '\0';
		at = strstr(buf, text);
		if (at) {
			times--;
			used -= (size_t)(at - buf) + strlen(text);
			memmove(buf, at + strlen(text), used);
		} else if (used > sizeof(buf) / 2) {
			/* keep what may be the beginning of it */
			memmove(buf, buf + used - strlen(text), strlen(text));
			used = strlen(text);
		}
	}
}

static pid_t start(char *const *argv, int *fd)
{
	const struct winsize size = { .ws_row = 24, .ws_col = 80 };
	pid_t pid = forkpty(fd, NULL, NULL, &size);

	if (pid == 0) {
		setenv("TERM", "xterm", 1);
		setenv("XDG_STATE_HOME", "/dev/null", 1);
		execv(argv[0], argv);
		_exit(127);
	}
	must(pid > 0, "forkpty");
	return pid;
}

static void stop(pid_t pid, int fd)
{
	kill(pid, SIGTERM);
	close(fd);
	waitpid(pid, NULL, 0);
}

static void idle(const char *what, char *const *argv, const char *ready, const char *typed,
		 const char *answer)
{
	unsigned long before;
	int fd;
	pid_t pid = start(argv, &fd);

	read_until(fd, ready, 1);
	if (typed) {
		must(write(fd, typed, strlen(typed)) == (ssize_t)strlen(typed), "typing");
		read_until(fd, answer, 1);
	}
	/* what it does right behind its last words, and while rates fall to 0, is no idling */
	sleep(SETTLE_SECONDS);
	before = switches(pid);
	must(before > 0, "context switches");
	sleep(IDLE_SECONDS);
	row(what, (double)(switches(pid) - before), 0, "wake-ups", "0");
	stop(pid, fd);
}

static void memory(const char *msictl)
{
	char *const argv[] = { (char *)(uintptr_t)msictl,
			       "run",
			       "sim:msix=2048",
			       "-c",
			       "enable msix 2048; trigger msix 0-2047; watch --delay 100ms",
			       NULL };
	unsigned long ours, family;
	int fd;
	pid_t pid = start(argv, &fd);

	read_until(fd, "2048 vectors", 4);
	ours = status_of(pid, "VmHWM:");
	family = sum_of_family(pid, "VmHWM:");
	row("2048 vectors armed and watched: most resident", (double)ours / 1024, 0, "MiB", "< 8");
	row("  the process that simulates the device too", (double)family / 1024, 0, "MiB", "");
	stop(pid, fd);
}

void bench_resting(const char *msictl)
{
	char spec[32];
	char *const shell[] = { (char *)(uintptr_t)msictl, "shell", "sim", NULL };
	char *const hold[] = { (char *)(uintptr_t)msictl, "hold", "--foreground", spec, NULL };

	/* a device that nobody else holds */
	snprintf(spec, sizeof(spec), "sim:seed=%d", (int)getpid());
	memory(msictl);
	idle("an idle shell, 64 vectors armed, 10 s", shell, "> ",
	     "enable msix 64\rtrigger msix 0-63\r", "loopback: ");
	idle("an idle holder, 10 s", hold, "held by", NULL, NULL);
}
