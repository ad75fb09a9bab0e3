// SPDX-License-Identifier: GPL-2.0-or-later
/* A simulated function served by msictl simulate: msictl's device against a bare vfio-user client. */
#include <linux/vfio.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends.h"
#include "bench.h"
#include "device/handle.h"
#include "base/histogram.h"
#include "plain.h"
#include "vfio-user/wire.h"

#define VECTORS 2048u
#define TRIPS	3000 /* a round */
#define ROUNDS	7
#define OFFERED 253u /* max_msg_fds of simulate to a client that takes as many */

/* The room first, then as many descriptors a message as the server offers: the messages that msictl sends. */
static void arm_bare(int sock, int epoll, int *fd)
{
	const uint32_t flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;

	for (unsigned int i = 0; i < VECTORS; i++) {
		struct epoll_event ev = { .events = EPOLLIN, .data.fd = 0 };

		fd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		ev.data.fd = fd[i];
		must(fd[i] >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, fd[i], &ev), "eventfd");
	}
	plain_set_irqs(sock, flags, 0, VECTORS, NULL, 0);
	for (unsigned int at = 0; at < VECTORS;) {
		unsigned int n = VECTORS - at < OFFERED ? VECTORS - at : OFFERED;

		plain_set_irqs(sock, flags, at, n, fd + at, n);
		at += n;
	}
}

static double bare(const char *path, struct histogram *h)
{
	int sock = plain_dial(path), epoll = epoll_create1(EPOLL_CLOEXEC), fd[VECTORS];
	uint64_t begin, us, n;

	plain_greet(sock);
	begin = now_ns();
	arm_bare(sock, epoll, fd);
	us = (now_ns() - begin) / 1000;
	for (int i = 0; h && i < TRIPS; i++) {
		struct epoll_event ev;

		begin = now_ns();
		plain_set_irqs(sock, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, 7, 1,
			       NULL, 0);
		must(epoll_wait(epoll, &ev, 1, 1000) == 1 &&
			     read(ev.data.fd, &n, sizeof(n)) == sizeof(n),
		     "count");
		histogram_add(h, now_ns() - begin);
	}
	for (unsigned int i = 0; i < VECTORS; i++)
		close(fd[i]);
	close(epoll);
	close(sock);
	return (double)us;
}

static double ours(const char *path, struct histogram *h)
{
	const struct trace quiet = { 0 };
	const struct root r = { .fd = -1, .path = "/", .live = true };
	struct vector_set all = { 0 }, one = { 0 };
	struct change c = { 0 };
	struct device *d = NULL;
	struct loop *loop = NULL;
	struct error e = { 0 };
	char spec[128];
	struct open_request req = {
		.spec = spec, .root = &r, .backends = backends, .trace = &quiet
	};
	uint64_t begin, us;

	snprintf(spec, sizeof(spec), "vfio-user:%s", path);
	must(!loop_new(&loop) && !device_open(&d, &req, loop, NULL, &e), e.message);
	vector_set_add_range(&all, 0, VECTORS);
	vector_set_add(&one, 7);
	begin = now_ns();
	must(!device_enable(d, IRQ_MSIX, &all, (struct change_how){ 0 }, &c, &e), e.message);
	us = (now_ns() - begin) / 1000;
	for (int i = 0; h && i < TRIPS; i++) {
		const struct vector *v = d->irq[IRQ_MSIX].vector[7];
		uint64_t count = v->count;

		begin = now_ns();
		must(!device_trigger(d, IRQ_MSIX, &one, &e), e.message);
		while (v->count == count)
			loop_wait(loop, UINT64_MAX);
		histogram_add(h, now_ns() - begin);
	}
	device_close(d);
	loop_free(loop);
	return (double)us;
}

void bench_sim(const char *msictl)
{
	struct histogram *mine = calloc(1, sizeof(*mine)), *his = calloc(1, sizeof(*his));
	char dir[] = "/tmp/msictl-bench-XXXXXX", path[64];
	double arm[ROUNDS], arm_his[ROUNDS];
	pid_t server;

	must(mine && his && mkdtemp(dir), "set up");
	snprintf(path, sizeof(path), "%s/sock", dir);
	server = plain_simulate(msictl, path);
	/* the first round waits for the server and warms up */
	bare(path, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		arm[i] = ours(path, mine);
		arm_his[i] = bare(path, his);
	}
	row("arming 2048 vectors over vfio-user", median(arm, ROUNDS) / 1e3,
	    median(arm_his, ROUNDS) / 1e3, "ms", "<= 1.5");
	row("trigger to count over vfio-user, median", (double)histogram_at(mine, 0.5) / 1e3,
	    (double)histogram_at(his, 0.5) / 1e3, "us", "<= 1.5");
	row("trigger to count over vfio-user, 99th perc.", (double)histogram_at(mine, 0.99) / 1e3,
	    (double)histogram_at(his, 0.99) / 1e3, "us", "<= 1.5");
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	rmdir(dir);
	free(mine);
	free(his);
}
