// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include "base/util.h"

#define BATCH 64

struct loop {
	int epoll;
	struct source signals;
	sigset_t before; /* the mask to give back */
	int stopped;
	unsigned int sources;
	/* The events being handled: loop_del() takes a dying source out of them. */
	struct epoll_event event[BATCH];
	int n;
};

static void on_signal(struct source *s)
{
	struct loop *l = s->owner;
	struct signalfd_siginfo si;

	while (read(s->fd, &si, sizeof(si)) == sizeof(si))
		if (l->stopped == 0 || l->stopped == SIGINT)
			l->stopped = (int)si.ssi_signo;
}

/*
 * Signals that ask to stop. SIGINT may be ignored on purpose (nohup, background jobs): leave it so.
 */
static void stop_set(sigset_t *set)
{
	static const int stops[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa;

	sigemptyset(set);
	for (size_t i = 0; i < ARRAY_SIZE(stops); i++)
		if (sigaction(stops[i], NULL, &sa) == 0 && sa.sa_handler != SIG_IGN)
			sigaddset(set, stops[i]);
}

int loop_new(struct loop **out)
{
	struct loop *l = calloc(1, sizeof(*l));
	sigset_t set;
	int rc;

	if (!l)
		return -ENOMEM;
	stop_set(&set);
	sigprocmask(SIG_BLOCK, &set, &l->before);
	l->signals = (struct source){ .ready = on_signal, .owner = l };
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (l->epoll < 0 || l->signals.fd < 0)
		rc = -errno;
	else
		rc = loop_add(l, &l->signals);
	if (rc < 0) {
		loop_free(l);
		return rc;
	}
	*out = l;
	return 0;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	cleanup_fd(&l->epoll);
	cleanup_fd(&l->signals.fd);
	sigprocmask(SIG_SETMASK, &l->before, NULL);
	free(l);
}

static int control(struct loop *l, int op, struct source *s)
{
	struct epoll_event ev = { .events = s->events ? s->events : EPOLLIN, .data.ptr = s };

	return epoll_ctl(l->epoll, op, s->fd, &ev) < 0 ? -errno : 0;
}

int loop_add(struct loop *l, struct source *s)
{
	int rc = control(l, EPOLL_CTL_ADD, s);

	l->sources += rc == 0;
	return rc;
}

int loop_mod(struct loop *l, struct source *s)
{
	return control(l, EPOLL_CTL_MOD, s);
}

void loop_del(struct loop *l, struct source *s)
{
	if (epoll_ctl(l->epoll, EPOLL_CTL_DEL, s->fd, NULL) == 0)
		l->sources--;
	for (int i = 0; i < l->n; i++)
		if (l->event[i].data.ptr == s)
			l->event[i].data.ptr = NULL;
}

static int timeout_ms(uint64_t until)
{
	uint64_t now;

	if (until == UINT64_MAX)
		return -1;
	now = now_us();
	if (until <= now)
		return 0;
	/* Round up: waking early would spin until the time is there. */
	until = (until - now + 999) / 1000;
	return until > 1000000 ? 1000000 : (int)until;
}

/* One batch. The number of callbacks run or -errno; *@more: others may be ready behind it. */
static int run_batch(struct loop *l, uint64_t until, bool *more)
{
	int done = 0;

	l->n = epoll_wait(l->epoll, l->event, BATCH, timeout_ms(until));
	*more = l->n == BATCH;
	if (l->n < 0) {
		int err = errno;

		l->n = 0;
		return err == EINTR ? 0 : -err;
	}
	for (int i = 0; i < l->n; i++) {
		struct source *s = l->event[i].data.ptr;

		if (!s)
			continue;
		s->ready(s);
		done++;
	}
	l->n = 0;
	return done;
}

int loop_wait(struct loop *l, uint64_t until)
{
	/*
	 * The kernel lets all that are ready have their turn, batch by batch: behind so many
	 * batches nobody is left who was ready at the beginning, be it a signal behind thousands of
	 * eventfds; and those that are ready for ever do not keep us.
	 */
	unsigned int batches = l->sources / BATCH + 1;
	int rc, done = 0;
	bool more;

	if (l->stopped)
		return -EINTR;
	do {
		rc = run_batch(l, done ? 0 : until, &more);
		if (rc < 0)
			return rc;
		done += rc;
	} while (more && !l->stopped && --batches);
	return l->stopped ? -EINTR : done;
}

int loop_stopped(const struct loop *l)
{
	return l->stopped;
}

int loop_signals(const struct loop *l)
{
	return l->signals.fd;
}

int loop_hear(struct loop *l)
{
	on_signal(&l->signals);
	return l->stopped;
}

void loop_clear(struct loop *l)
{
	if (l->stopped == SIGINT)
		l->stopped = 0;
}

void loop_forget(struct loop *l)
{
	l->stopped = 0;
}
