// SPDX-License-Identifier: GPL-2.0-or-later
/* Counting and waking: msictl's own loop and vectors against a bare epoll and read. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench.h"
#include "device/handle.h"
#include "base/histogram.h"
#include "base/util.h"
#include "vectors.h"

#define ROUNDS	    15
#define ROUND_MS    300
#define WAKES	    2000 /* a round */
#define WAKE_ROUNDS 11

struct writer {
	const int *fd;
	unsigned int n;
	uint64_t until_ns, written;
	atomic_bool done;
};

static void *write_all(void *arg)
{
	struct writer *w = arg;
	uint64_t one = 1;

	while (now_ns() < w->until_ns)
		for (unsigned int i = 0; i < w->n; i++)
			w->written += write(w->fd[i], &one, sizeof(one)) == sizeof(one);
	atomic_store(&w->done, true);
	return NULL;
}

static uint64_t sum_of(const struct device *d)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < d->irq[IRQ_MSIX].info.count; i++)
		sum += d->irq[IRQ_MSIX].vector[i]->count;
	return sum;
}

static double count_ours(unsigned int n, unsigned int ms, uint64_t *lost)
{
	struct writer w = { .n = n };
	struct device d = { 0 };
	int fd[MAX_VECTORS];
	uint64_t begin;
	pthread_t t;

	vectors_ours(&d, VECTORS_KERNEL, n, fd);
	w.fd = fd;
	begin = now_ns();
	w.until_ns = begin + (uint64_t)ms * 1000000u;
	must(!pthread_create(&t, NULL, write_all, &w), "thread");
	while (!atomic_load(&w.done))
		loop_wait(d.loop, w.until_ns / 1000 + 10000);
	while (loop_wait(d.loop, 0) > 0)
		;
	pthread_join(t, NULL);
	begin = now_ns() - begin;
	*lost = w.written - sum_of(&d);
	vectors_drop_ours(&d);
	return (double)w.written * 1e9 / (double)begin;
}

static double count_bare(unsigned int n, unsigned int ms, uint64_t *lost)
{
	uint64_t *count = calloc(n, sizeof(*count)), sum = 0, begin;
	int fd[MAX_VECTORS], epoll = vectors_bare(n, fd);
	struct writer w = { .fd = fd, .n = n };
	pthread_t t;

	must(count != NULL, "memory");
	begin = now_ns();
	w.until_ns = begin + (uint64_t)ms * 1000000u;
	must(!pthread_create(&t, NULL, write_all, &w), "thread");
	while (!atomic_load(&w.done))
		vectors_take(epoll, count, 10);
	while (vectors_take(epoll, count, 0) > 0)
		;
	pthread_join(t, NULL);
	begin = now_ns() - begin;
	for (unsigned int i = 0; i < n; i++)
		sum += count[i];
	*lost = w.written - sum;
	vectors_drop_bare(epoll, fd, n);
	free(count);
	return (double)w.written * 1e9 / (double)begin;
}

/* Short runs take turns, so that what else the machine does falls on both. */
static void count_size(unsigned int n, unsigned int ms, int rounds)
{
	double ours[ROUNDS], bare[ROUNDS];
	uint64_t lost = 0, lost_bare = 0;
	char what[64];

	for (int i = 0; i < rounds; i++) {
		uint64_t l;

		ours[i] = count_ours(n, ms, &l) / 1e6;
		lost += l;
		bare[i] = count_bare(n, ms, &l) / 1e6;
		lost_bare += l;
	}
	snprintf(what, sizeof(what), "counting %4u vectors, lost %llu and %llu", n,
		 (unsigned long long)lost, (unsigned long long)lost_bare);
	row_spread(what, ours, bare, rounds, "million/s", ">= 0.95, lost 0");
}

void bench_counting(const char *msictl)
{
	static const unsigned int sizes[] = { 1, 64, 2048 };
	const char *given = getenv("BENCH_SECONDS");
	int seconds = given && atoi(given) > 0 ? atoi(given) : 0;

	(void)msictl;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		count_size(sizes[i], seconds ? (unsigned int)seconds * 1000 : ROUND_MS,
			   seconds ? 1 : ROUNDS);
}

/* One write at a time, each when the one before was counted. */
struct waker {
	int fd;
	_Atomic uint64_t began; /* when the last write was made */
	_Atomic uint64_t seen;
};

static void *wake(void *arg)
{
	const struct timespec pause = { 0, 20000 };
	struct waker *w = arg;
	uint64_t one = 1;

	for (uint64_t i = 0; i < WAKES; i++) {
		while (atomic_load(&w->seen) != i)
			sched_yield();
		nanosleep(&pause, NULL);
		atomic_store(&w->began, now_ns());
		must(write(w->fd, &one, sizeof(one)) == sizeof(one), "write");
	}
	return NULL;
}

static void wake_ours(struct histogram *h)
{
	struct waker w = { 0 };
	struct device d = { 0 };
	pthread_t t;
	int fd[1];

	vectors_ours(&d, VECTORS_KERNEL, 1, fd);
	w.fd = fd[0];
	must(!pthread_create(&t, NULL, wake, &w), "thread");
	for (uint64_t i = 0; i < WAKES; i++) {
		while (sum_of(&d) == i)
			loop_wait(d.loop, UINT64_MAX);
		histogram_add(h, now_ns() - atomic_load(&w.began));
		atomic_store(&w.seen, i + 1);
	}
	pthread_join(t, NULL);
	vectors_drop_ours(&d);
}

static void wake_bare(struct histogram *h)
{
	struct waker w = { 0 };
	uint64_t count = 0;
	int fd[1], epoll = vectors_bare(1, fd);
	pthread_t t;

	w.fd = fd[0];
	must(!pthread_create(&t, NULL, wake, &w), "thread");
	for (uint64_t i = 0; i < WAKES; i++) {
		while (count == i)
			vectors_take(epoll, &count, -1);
		histogram_add(h, now_ns() - atomic_load(&w.began));
		atomic_store(&w.seen, i + 1);
	}
	pthread_join(t, NULL);
	vectors_drop_bare(epoll, fd, 1);
}

/* Of each round its own figures: what else the machine did in one of them is not msictl's. */
void bench_waking(const char *msictl)
{
	static const struct {
		const char *what;
		double part;
	} figure[] = { { "waking: write to count, median", 0.5 },
		       { "waking: write to count, 99th percentile", 0.99 } };
	struct histogram *h = calloc(2 * (size_t)WAKE_ROUNDS, sizeof(*h));
	double ours[WAKE_ROUNDS], bare[WAKE_ROUNDS];

	(void)msictl;
	must(h != NULL, "memory");
	for (size_t i = 0; i < WAKE_ROUNDS; i++) {
		wake_ours(&h[2 * i]);
		wake_bare(&h[2 * i + 1]);
	}
	for (size_t f = 0; f < ARRAY_SIZE(figure); f++) {
		for (size_t i = 0; i < WAKE_ROUNDS; i++) {
			ours[i] = (double)histogram_at(&h[2 * i], figure[f].part) / 1e3;
			bare[i] = (double)histogram_at(&h[2 * i + 1], figure[f].part) / 1e3;
		}
		row_spread(figure[f].what, ours, bare, WAKE_ROUNDS, "us", "<= 1.2");
	}
	free(h);
}
