/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One epoll: descriptors, timers and signals -> callbacks. Nothing here polls. */
#ifndef MSICTL_BASE_LOOP_H
#define MSICTL_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* Something that wakes the loop; embedded in its owner, which keeps it alive while added. */
struct source {
	int fd;
	uint32_t events; /* of epoll_ctl(2); 0: EPOLLIN */
	void (*ready)(struct source *s);
	void *owner;
};

/**
 * loop_new() - blocks SIGINT, SIGTERM, SIGHUP (unless ignored) and hears them by signalfd. 0 or
 * -errno.
 */
int loop_new(struct loop **l);

/** loop_free() - gives the signals back. NULL is fine. */
void loop_free(struct loop *l);

/** loop_add() - 0 or -errno; @s->fd must be set. */
int loop_add(struct loop *l, struct source *s);

/** loop_mod() - @s->events changed. 0 or -errno. */
int loop_mod(struct loop *l, struct source *s);
void loop_del(struct loop *l, struct source *s);

/**
 * loop_wait() - sleep until something came or @until (CLOCK_MONOTONIC, us; 0 return at once,
 * UINT64_MAX for ever), run the callbacks of all that are ready, however many they are
 * Returns: the number of callbacks run, 0 when the time is over, -EINTR: the user asked to stop,
 * -errno.
 */
int loop_wait(struct loop *l, uint64_t until);

/**
 * loop_stopped() - the signal (SIGINT, SIGTERM, SIGHUP) that asked to stop, 0: none. Stays until
 * loop_clear().
 */
int loop_stopped(const struct loop *l);

/**
 * loop_signals() - a descriptor that is readable while such a signal waits to be heard: for who
 * waits elsewhere,
 */
int loop_signals(const struct loop *l);

/** loop_hear() - and hears it: loop_stopped() then says which. */
int loop_hear(struct loop *l);

/** loop_clear() - the shell forgets a Ctrl-C; SIGTERM and SIGHUP stay. */
void loop_clear(struct loop *l);

/**
 * loop_forget() - forget any signal: for who does end, and waits a last time, not for long, to get
 * his words out.
 */
void loop_forget(struct loop *l);

#endif
