// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * msictl simulate beside a bare server, asked by the same bare client.
 * BENCH_SERVER=PROGRAM: beside PROGRAM SOCKET too, a server with 2048 MSI-X
 * vectors and their doorbell at 4 of region 0.
 */
#include <linux/vfio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "plain.h"
#include "base/util.h"

#define ARM (VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER)

#define ROUNDS	  15
#define BELLS	  100000u /* a round */
#define TRIPS	  3000	  /* a round */
#define RUNG	  64u	  /* vectors of them */
#define COMMAND	  4u	  /* linux/pci_regs.h: PCI_COMMAND */
#define MEMORY_BM 6u

struct server {
	char path[64];
	pid_t pid;
};

static void make_eventfds(int *fd, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		fd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		must(fd[i] >= 0, "eventfd");
	}
}

static void close_eventfds(const int *fd, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		close(fd[i]);
}

static void arm(int sock, const int *fd, unsigned int n, unsigned int chunk)
{
	for (unsigned int at = 0; at < n; at += chunk) {
		unsigned int some = n - at < chunk ? n - at : chunk;

		plain_set_irqs(sock, ARM, at, some, fd + at, some);
	}
}

/* Milliseconds for all vectors, @chunk descriptors in a message. */
static double arming(const struct server *s, unsigned int chunk)
{
	int fd[PLAIN_VECTORS], sock = plain_dial(s->path);
	uint64_t begin;
	double ms;

	make_eventfds(fd, PLAIN_VECTORS);
	plain_greet(sock);
	begin = now_ns();
	arm(sock, fd, PLAIN_VECTORS, chunk);
	ms = (double)(now_ns() - begin) / 1e6;
	close_eventfds(fd, PLAIN_VECTORS);
	close(sock);
	return ms;
}

static double arming_by_8(const struct server *s)
{
	return arming(s, 8);
}

static double arming_by_253(const struct server *s)
{
	return arming(s, 253);
}

static int ready_to_ring(const struct server *s, int *fd)
{
	int sock = plain_dial(s->path);

	make_eventfds(fd, RUNG);
	plain_greet(sock);
	plain_write(sock, VFIO_PCI_CONFIG_REGION_INDEX, COMMAND, MEMORY_BM, 0);
	arm(sock, fd, RUNG, RUNG);
	return sock;
}

/* Nanoseconds on a CPU until now. */
static double cpu_of(pid_t pid)
{
	double ns = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
	f = fopen(path, "r");
	must(f && fscanf(f, "%lf", &ns) == 1, path);
	fclose(f);
	return ns;
}

/* Rung without waiting for answers; @ns: what the server's CPU had to do with each. */
static double ring_all(const struct server *s, double *ns)
{
	int fd[RUNG], sock = ready_to_ring(s, fd);
	uint64_t begin = now_ns(), sum = 0, n;
	double seconds, before = cpu_of(s->pid);

	for (unsigned int i = 0; i < BELLS; i++)
		plain_write(sock, 0, PLAIN_DOORBELL, i % RUNG, 1);
	plain_read(sock, 0, 0);
	seconds = (double)(now_ns() - begin) / 1e9;
	*ns = (cpu_of(s->pid) - before) / BELLS;
	for (unsigned int i = 0; i < RUNG; i++)
		sum += read(fd[i], &n, sizeof(n)) == sizeof(n) ? n : 0;
	must(sum == BELLS, "a doorbell was lost");
	close_eventfds(fd, RUNG);
	close(sock);
	return BELLS / seconds / 1e3;
}

static double posted(const struct server *s)
{
	double ns;

	return ring_all(s, &ns);
}

static double posted_cpu(const struct server *s)
{
	double ns;

	ring_all(s, &ns);
	return ns;
}

/* Microseconds from a doorbell to its count, one at a time. */
static double trip(const struct server *s)
{
	int fd[RUNG], sock = ready_to_ring(s, fd);
	double us[TRIPS];
	uint64_t n;

	for (unsigned int i = 0; i < TRIPS; i++) {
		struct pollfd p = { .fd = fd[i % RUNG], .events = POLLIN };
		uint64_t begin = now_ns();

		plain_write(sock, 0, PLAIN_DOORBELL, i % RUNG, 1);
		must(poll(&p, 1, 1000) == 1 && read(p.fd, &n, sizeof(n)) == sizeof(n), "count");
		us[i] = (double)(now_ns() - begin) / 1e3;
	}
	close_eventfds(fd, RUNG);
	close(sock);
	return median(us, TRIPS);
}

static const struct figure {
	const char *what, *unit, *demanded;
	double (*measure)(const struct server *s);
} figures[] = {
	{ "simulate: arming 2048 vectors, 8 a message", "ms", "<= 1.2", arming_by_8 },
	{ "simulate: arming 2048 vectors, 253 a message", "ms", "<= 1.2", arming_by_253 },
	{ "simulate: posted doorbells", "thousand/s", ">= 1.0", posted },
	{ "simulate: CPU of a posted doorbell", "ns", "<= 1.0", posted_cpu },
	{ "simulate: doorbell to count, median", "us", "<= 1.2", trip },
};

static void compare(const struct server *ours, const struct server *other)
{
	for (size_t f = 0; f < ARRAY_SIZE(figures); f++) {
		double us[ROUNDS], them[ROUNDS];

		for (int i = 0; i < ROUNDS; i++) {
			us[i] = figures[f].measure(ours);
			them[i] = figures[f].measure(other);
		}
		row_spread(figures[f].what, us, them, ROUNDS, figures[f].unit, figures[f].demanded);
	}
}

static void stop(struct server *s)
{
	kill(s->pid, SIGTERM);
	waitpid(s->pid, NULL, 0);
	unlink(s->path);
}

void bench_serving(const char *msictl)
{
	const char *program = getenv("BENCH_SERVER");
	char dir[] = "/tmp/msictl-bench-XXXXXX";
	struct server ours, bare, third;

	must(mkdtemp(dir) != NULL, "set up");
	snprintf(ours.path, sizeof(ours.path), "%s/ours", dir);
	snprintf(bare.path, sizeof(bare.path), "%s/bare", dir);
	snprintf(third.path, sizeof(third.path), "%s/third", dir);
	ours.pid = plain_simulate(msictl, ours.path);
	bare.pid = plain_bare(bare.path);
	compare(&ours, &bare);
	stop(&bare);
	if (program && *program) {
		third.pid = plain_program(program, third.path);
		printf("beside %s:\n", program);
		compare(&ours, &third);
		stop(&third);
	}
	stop(&ours);
	rmdir(dir);
}
