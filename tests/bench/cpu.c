// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What counting costs: CPU time of the thread that reads, for each wake-up and
 * for each of many that are ready at once, without and with the shell's panel.
 */
#include <pthread.h>
#include <pty.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "bench.h"
#include "shell/live.h"
#include "base/util.h"
#include "vectors.h"

#define ROUNDS 11
#define WAKES  1000 /* a round */
#define COUNTS 20000u

/* One write at a time, to one vector after another, when the one before was counted and the reader sleeps again. */
struct ringer {
	const int *fd;
	unsigned int n;
	_Atomic uint64_t seen;
};

static void *ring(void *arg)
{
	const struct timespec pause = { 0, 20000 };
	struct ringer *r = arg;
	uint64_t one = 1;

	for (uint64_t i = 0; i < WAKES; i++) {
		while (atomic_load(&r->seen) != i)
			sched_yield();
		nanosleep(&pause, NULL);
		must(write(r->fd[i % r->n], &one, sizeof(one)) == sizeof(one), "write");
	}
	return NULL;
}

/* Nanoseconds of this thread on a CPU. */
static double cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Whoever reads: waits for something and returns how many vectors counted. */
struct reader {
	int (*wait)(struct reader *r, bool block);
	struct device d;
	struct live *live;
	int epoll;
	uint64_t count[MAX_VECTORS];
};

static int wait_ours(struct reader *r, bool block)
{
	return loop_wait(r->d.loop, block ? UINT64_MAX : 0);
}

/* As the shell does at its prompt. */
static int wait_with_panel(struct reader *r, bool block)
{
	int n = loop_wait(r->d.loop, block ? live_due(r->live) : 0);

	if (live_update(r->live)) {
		live_lift(r->live);
		live_place(r->live);
	}
	return n;
}

static int wait_bare(struct reader *r, bool block)
{
	return vectors_take(r->epoll, r->count, block ? -1 : 0);
}

/* One round, nanoseconds for each wake-up. */
static double wakes(struct reader *r, const int *fd, unsigned int n)
{
	struct ringer ringer = { .fd = fd, .n = n };
	double begin = cpu_now(), ns;
	pthread_t t;

	must(!pthread_create(&t, NULL, ring, &ringer), "thread");
	for (uint64_t i = 0; i < WAKES; i++) {
		int rc = 0;

		while (rc == 0)
			rc = r->wait(r, true);
		must(rc == 1, "one wake-up");
		atomic_store(&ringer.seen, i + 1);
	}
	ns = (cpu_now() - begin) / WAKES;
	pthread_join(t, NULL);
	return ns;
}

/*
 * The same of vectors that are all ready: nanoseconds for each, until none is
 * ready any more. A level-triggered epoll looks once more at all that it has told
 * of, and whoever waits pays for that sooner or later.
 */
static double counts(struct reader *r, const int *fd, unsigned int n)
{
	unsigned int done;
	double ns = 0;
	uint64_t one = 1;

	for (done = 0; done < COUNTS; done += n) {
		unsigned int got = 0;
		double begin;
		int more;

		for (unsigned int v = 0; v < n; v++)
			must(write(fd[v], &one, sizeof(one)) == sizeof(one), "write");
		begin = cpu_now();
		while ((more = r->wait(r, got < n)) > 0)
			got += (unsigned int)more;
		must(got == n, "counts");
		ns += cpu_now() - begin;
	}
	return ns / done;
}

typedef double (*measure)(struct reader *r, const int *fd, unsigned int n);

static double of_device(const char *spec, measure m, unsigned int n)
{
	struct reader r = { .wait = wait_ours };
	int fd[MAX_VECTORS];
	double ns;

	vectors_ours(&r.d, spec, n, fd);
	ns = m(&r, fd, n);
	vectors_drop_ours(&r.d);
	return ns;
}

static double of_bare(measure m, unsigned int n)
{
	struct reader r = { .wait = wait_bare };
	int fd[MAX_VECTORS];
	double ns;

	r.epoll = vectors_bare(n, fd);
	ns = m(&r, fd, n);
	vectors_drop_bare(r.epoll, fd, n);
	return ns;
}

/* What the panel writes; ends when the terminal is closed. */
static void *watch_terminal(void *arg)
{
	const int *fd = arg;
	char text[4096];

	while (read(*fd, text, sizeof(text)) > 0)
		continue;
	return NULL;
}

static void on_counted(void *ctx, struct index *ix, struct vector *v, uint64_t n)
{
	live_counted(ctx, ix, v, n);
}

static double of_panel(measure m, unsigned int n)
{
	const struct winsize size = { .ws_row = 24, .ws_col = 80 };
	struct reader r = { .wait = wait_with_panel };
	struct session s = { .device = &r.d };
	int fd[MAX_VECTORS], person, terminal;
	pthread_t t;
	double ns;

	vectors_ours(&r.d, VECTORS_KERNEL, n, fd);
	r.d.opened = now_us();
	r.d.irq[IRQ_MSIX].enabled = true;
	s.loop = r.d.loop;
	setenv("TERM", "xterm", 1);
	must(!openpty(&person, &terminal, NULL, NULL, &size), "terminal");
	must(!pthread_create(&t, NULL, watch_terminal, &person), "thread");
	must(!live_open(&r.live, &s, terminal), "panel");
	r.d.events = (struct device_events){ .counted = on_counted, .ctx = r.live };
	live_place(r.live);
	ns = m(&r, fd, n);
	must(live_shown(r.live), "no panel");
	live_lift(r.live);
	live_close(r.live);
	close(terminal);
	pthread_join(t, NULL);
	close(person);
	vectors_drop_ours(&r.d);
	return ns;
}

static void compare(const char *what, measure m, unsigned int n)
{
	double ours[ROUNDS], peer[ROUNDS], panel[ROUNDS], bare[ROUNDS];
	char text[64];

	for (int i = 0; i < ROUNDS; i++) {
		ours[i] = of_device(VECTORS_KERNEL, m, n);
		bare[i] = of_bare(m, n);
		peer[i] = of_device(VECTORS_PEER, m, n);
		panel[i] = of_panel(m, n);
	}
	snprintf(text, sizeof(text), "CPU per %s, %u vector%s", what, n, n == 1 ? "" : "s");
	row_spread(text, ours, bare, ROUNDS, "ns", "<= 1.1");
	row_spread("  of a device that a peer serves", peer, bare, ROUNDS, "ns", "");
	row_spread("  with the panel", panel, bare, ROUNDS, "ns", "");
}

void bench_cpu(const char *msictl)
{
	static const unsigned int sizes[] = { 1, 64, 2048 };

	(void)msictl;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		compare("wake-up", wakes, sizes[i]);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		compare("count, all at once", counts, sizes[i]);
}
