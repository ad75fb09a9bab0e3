// SPDX-License-Identifier: GPL-2.0-or-later
#include "hold/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "base/fdlimit.h"
#include "base/util.h"
#include "hold/server-internal.h"
#include "hold/wire.h"
#include "runtime/find.h"

/* More callers at once than any script has. */
#define MAX_CLIENTS 512

/* When a socket is asked again for whose callers there was no descriptor, or no memory. */
#define PAUSE_US 1000000

/* How long the last words of a holder that ends may take to be read. */
#define LINGER_US 1000000

/* Where the next one is put: commands run in the order in which their callers came. */
static struct client **end_of_clients(struct holder *h)
{
	struct client **at = &h->callers;

	while (*at)
		at = &(*at)->next;
	return at;
}

/* A client that can be taken in, or else is told why not, or hung up on. */
static void accept_one(struct held *d, int sock)
{
	struct holder *h = d->holder;
	struct client *c;
	pid_t pid;

	if (!hold_peer_allowed(sock, &pid)) {
		close(sock);
		return;
	}
	if (h->nclients >= MAX_CLIENTS) {
		request_refuse(
			sock,
			"msictl: the holder has all the callers that it can have; try again\n",
			CAUSE_BUSY);
		return;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		close(sock);
		return;
	}
	c->held = d;
	if (request_new(&c->call, sock, h->s->loop)) {
		free(c);
		return;
	}
	c->device = strdup(d->spec);
	c->name = strdup(d->s.device->name);
	if (!c->device || !c->name) {
		client_free(c);
		return;
	}
	*end_of_clients(h) = c;
	h->nclients++;
}

/* Only takes callers in: the loop that called us must not run commands. */
static void held_listen(struct source *s)
{
	struct held *d = s->owner;
	int sock = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (sock >= 0) {
		accept_one(d, sock);
		return;
	}
	if (errno != EMFILE && errno != ENFILE && errno != ENOMEM && errno != ENOBUFS)
		return;
	/* It would be ready for ever. */
	loop_del(d->holder->s->loop, s);
	d->paused_until = now_us() + PAUSE_US;
}

/*
 * Those whose time is there at @now. Returns when the next one is to be heard; without one there is
 * no timer.
 */
static uint64_t hear_again(struct holder *h, uint64_t now)
{
	uint64_t due = UINT64_MAX;

	for (struct held *d = h->first; d; d = d->next) {
		if (!d->paused_until)
			continue;
		if (d->paused_until <= now)
			d->paused_until = loop_add(h->s->loop, &d->listener) ? now_us() + PAUSE_US
									     : 0;
		if (d->paused_until && d->paused_until < due)
			due = d->paused_until;
	}
	return due;
}

int holder_new(struct holder **out, struct session *s, struct error *e)
{
	struct holder *h;
	uint64_t limit;
	int dir;

	if (!session_loop(s, e))
		return -e->err;
	dir = hold_dir_open(true, e);
	if (dir < 0)
		return dir;
	h = calloc(1, sizeof(*h));
	if (!h) {
		close(dir);
		return fail_memory(e);
	}
	fdlimit_raise(2 * MAX_CLIENTS, &limit);
	h->s = s;
	h->quiet = s->trace;
	h->dir = dir;
	h->ready = held_listen;
	h->reopening = clients_reopened;
	*out = h;
	return 0;
}

/*
 * Nobody's command goes on without the device; who asked for its release is told when that is done.
 */
static void end_clients(struct held *d, const struct error *e)
{
	for (struct client *c = d->holder->callers; c; c = c->next)
		if (c->held == d && c->call->whole && !c->releases)
			client_end(c, -ENODEV, e);
}

static void tell_released(struct client *c, int rc, const struct error *e)
{
	struct error why = { 0 };

	if (rc > 0 && !c->call->finished)
		fputs(HOLD_LATER, c->call->data);
	if (rc < 0) {
		fail(&why, e->cause, e->err,
		     "it is let go, but its driver could not be given back: %s", e->message);
		hint(&why, "msictl unbind %s", c->device);
	}
	client_end(c, rc < 0 ? rc : 0, &why);
}

/*
 * Clients wait in the listener's queue while the device is taken away, and closing the listener
 * would reset them before they have read a reason. The name goes first, so that the queue has an
 * end.
 */
static void take_in_last(struct held *d)
{
	int sock;

	held_unlink(d);
	while (d->listener.fd >= 0) {
		sock = accept4(d->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (sock >= 0)
			accept_one(d, sock);
		else if (errno != EINTR && errno != ECONNABORTED)
			break;
	}
	for (struct client *c = d->holder->callers; c; c = c->next)
		if (c->held == d)
			request_hear(c->call);
}

static void let_go(struct held *d, const struct error *why)
{
	struct holder *h = d->holder;
	struct error e = { 0 };
	int rc;

	take_in_last(d);
	end_clients(d, why);
	for (struct client *c = h->callers; c; c = c->next)
		if (c->held == d)
			c->held = NULL;
	rc = held_release(d, &e);
	for (struct client *c = h->callers; c; c = c->next)
		if (c->releases && !c->held)
			tell_released(c, rc, &e);
}

/* Nobody reads what a holder in the background says. */
static void set_exit_reason(const struct held *d, const struct error *why)
{
	/* A newline in a socket's name would begin another message. */
	_cleanup_free_ char *device = escape_text_dup(d->spec);

	hold_set_exit_reason(d->holder->dir, d->name, why->message);
	openlog("msictl", LOG_PID, LOG_DAEMON);
	syslog(LOG_NOTICE, "%s is held no more: %s", device ? device : "a device", why->message);
	closelog();
}

/* Without --keep the holder has no use for it any more. */
static void taken_away(struct held *d)
{
	_cleanup_free_ char *word = quote_word_dup(d->spec);
	struct error e;

	d->gone = false;
	/* Opened anew since then. */
	if (!device_here(d->s.device, &e))
		return;
	if (!d->keep) {
		hint(&e, "msictl hold %s   once it is back", word ? word : d->spec);
		set_exit_reason(d, &e);
		let_go(d, &e);
		return;
	}
	end_clients(d, &e);
	bound_settle(d->holder, NULL, &e);
}

static void look_after_devices(struct holder *h)
{
	struct error e;
	struct held *next;

	for (struct held *d = h->first; d; d = next) {
		next = d->next;
		if (d->release) {
			fail(&e, CAUSE_NO_DEVICE, ENODEV,
			     "the holder was asked to release the device");
			let_go(d, &e);
		} else if (d->gone) {
			taken_away(d);
		}
	}
}

static void drop_clients(struct holder *h)
{
	struct client **at = &h->callers;
	bool any = false;

	while (*at) {
		struct client *c = *at;

		if (!request_over(c->call)) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		h->nclients--;
		client_free(c);
		any = true;
	}
	/* He has left a descriptor behind. */
	if (any)
		hear_again(h, UINT64_MAX);
}

/*
 * Those that come meanwhile are not for this turn: it would have no end while they come. What stays
 * looks after what was begun, for that may be all that it waits for.
 */
static uint64_t run_clients(struct holder *h)
{
	struct client *const *end = end_of_clients(h);
	uint64_t due = UINT64_MAX;

	for (struct client **at = &h->callers; at != end; at = &(*at)->next)
		if (!(*at)->begun)
			client_run(*at);
	for (struct client **at = &h->callers; at != end; at = &(*at)->next) {
		if ((*at)->begun)
			client_run(*at);
		if ((*at)->s.job.step && (*at)->due < due)
			due = (*at)->due;
	}
	return due;
}

/* One turn: what has come is begun, what stays goes on. Returns when to be back. */
static uint64_t turn(struct holder *h)
{
	uint64_t due, hear;

	look_after_devices(h);
	due = run_clients(h);
	/* What was heard in the middle of commands has its turn at once. */
	for (const struct held *d = h->first; d; d = d->next)
		if (d->release || d->gone)
			due = 0;
	for (const struct client *c = h->callers; c; c = c->next)
		if (c->call->whole && !c->begun)
			due = 0;
	drop_clients(h);
	hear = hear_again(h, now_us());
	return hear < due ? hear : due;
}

/* The last words may take a moment to be read. */
static void linger(struct holder *h)
{
	uint64_t until = now_us() + LINGER_US;

	for (drop_clients(h); h->callers && now_us() < until; drop_clients(h)) {
		/* It ends as it was asked to; that must not cut what is being read. */
		loop_forget(h->s->loop);
		if (loop_wait(h->s->loop, until) < 0 && !loop_stopped(h->s->loop))
			return;
	}
}

int holder_serve(struct holder *h)
{
	int rc = 0;

	h->quiet = h->s->trace;
	h->serving = true;
	while (rc >= 0 && h->first) {
		uint64_t due = turn(h);

		if (h->first)
			rc = loop_wait(h->s->loop, due);
	}
	return rc == -EINTR || rc > 0 ? 0 : rc;
}

/* The reason that was left for clients that come later holds for this one too. */
static void end_half_said(struct client *c, const struct error *farewell)
{
	_cleanup_free_ char *word = attach_exit_reason(c->device);
	struct error e = *farewell;

	if (word)
		attach_nobody(c->device, &e);
	client_end(c, -ENODEV, &e);
}

static void say_farewell(struct holder *h)
{
	int signal = loop_stopped(h->s->loop);
	struct error e;

	if (signal)
		fail(&e, CAUSE_NO_DEVICE, ENODEV, "the holder was stopped by %s",
		     strsignal(signal));
	else if (h->first)
		fail(&e, CAUSE_NO_DEVICE, ENODEV, "the holder was stopped by a failure");
	else
		fail(&e, CAUSE_NO_DEVICE, ENODEV, "the device was let go meanwhile");
	while (h->first)
		let_go(h->first, &e);
	/* Also those whose request was not whole when the device was let go. */
	for (struct client *c = h->callers; c; c = c->next)
		end_half_said(c, &e);
	linger(h);
}

int holder_free(struct holder *h, struct error *e)
{
	int rc;

	say_farewell(h);
	while (h->callers) {
		struct client *c = h->callers;

		h->callers = c->next;
		client_free(c);
	}
	rc = h->left.cause ? -h->left.err : 0;
	if (rc)
		*e = h->left;
	free(h->sibling);
	close(h->dir);
	free(h);
	return rc;
}
