// SPDX-License-Identifier: GPL-2.0-or-later
#include "holder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "driver.h"
#include "fdlimit.h"
#include "holder-parts.h"
#include "util.h"

/* More callers at once than any script has. */
#define MAX_CALLERS 512

/* Until the group's node is there: udev may be busy, but not for long. */
#define NODE_TIMEOUT_US 5000000

/* How long the last words of a holder that ends may take to be read. */
#define LINGER_US 1000000

static int accept_one(struct held *d, int sock)
{
	struct holder *h = d->holder;
	struct caller *c;
	pid_t pid;
	int rc;

	if (!hold_peer_allowed(sock, &pid)) {
		close(sock);
		return -EPERM;
	}
	if (h->ncallers >= MAX_CALLERS) {
		call_refuse(sock, "msictl: the holder has all the callers that it can have; try again\n", CAUSE_BUSY);
		return -EBUSY;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		close(sock);
		return -ENOMEM;
	}
	c->held = d;
	rc = call_new(&c->call, sock, h->s->loop);
	if (rc) {
		free(c);
		return rc;
	}
	copy_text(c->name, sizeof(c->name), d->s.device->name);
	c->next = h->callers;
	h->callers = c;
	h->ncallers++;
	return 0;
}

/* Only takes callers in: the loop that called us must not run commands. */
static void on_listener(struct source *s)
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
	d->deaf = true;
}

static void hear_again(struct holder *h)
{
	for (struct held *d = h->first; d; d = d->next)
		if (d->deaf && loop_add(h->s->loop, &d->listener) == 0)
			d->deaf = false;
}

/* Runs inside of the loop: the rest is done outside. */
static void on_released(void *ctx)
{
	struct held *d = ctx;

	d->gone = true;
	out_note(d->holder->s->out, "msictl: %s: the kernel wants the device back: released", d->spec);
}

static void on_lost(void *ctx)
{
	struct held *d = ctx;

	d->gone = true;
	out_note(d->holder->s->out, "msictl: %s: %s", d->spec, d->s.device->gone);
}

static int list_siblings(struct holder *h)
{
	size_t n = 1;

	for (const struct held *d = h->first; d; d = d->next)
		n++;
	if (n > h->room) {
		struct sibling *more = reallocarray(h->sibling, n, sizeof(*more));

		if (!more)
			return -ENOMEM;
		h->sibling = more;
		h->room = n;
	}
	n = 0;
	for (const struct held *d = h->first; d; d = d->next)
		if (d->s.device && d->s.device->handle)
			h->sibling[n++] = (struct sibling){ d->s.device->backend, d->s.device->handle };
	h->siblings = (struct siblings){ .at = h->sibling, .n = n };
	return 0;
}

static int bind_device(struct held *d, struct error *e)
{
	struct session *s = d->holder->s;
	struct driver_change c;
	struct pci_addr addr;
	int rc = session_address(s, d->spec, &addr, e);

	if (rc == 0)
		rc = driver_bind(&s->root, &addr, false, NODE_TIMEOUT_US, &s->trace, &c, e);
	if (rc)
		return rc;
	d->bound = c.changed;
	if (c.note[0])
		out_note(s->out, "%s", c.note);
	return 0;
}

static int unbind_device(struct held *d, struct error *e)
{
	struct session *s = d->holder->s;
	struct driver_change c;
	struct pci_addr addr;
	int rc = session_address(s, d->spec, &addr, e);

	d->bound = false;
	return rc ? rc : driver_unbind(&s->root, &addr, &s->trace, &c, e);
}

static int open_device(struct held *d, bool bind, struct error *e)
{
	const struct device_events ev = { .released = on_released, .lost = on_lost, .ctx = d };
	struct holder *h = d->holder;
	int rc;

	d->s = (struct session){ .commands = h->s->commands,
				 .root = h->s->root,
				 .out = h->s->out,
				 .loop = h->s->loop,
				 .trace = h->s->trace,
				 .device_trace = &h->s->trace,
				 .siblings = &h->siblings,
				 .inside = true,
				 .globals = h->s->globals };
	if (list_siblings(h))
		return fail(e, CAUSE_FAILED, ENOMEM, "no memory");
	rc = bind ? bind_device(d, e) : 0;
	return rc ? rc : session_open(&d->s, d->spec, &ev, e);
}

static int listen_for(struct held *d, struct error *e)
{
	struct holder *h = d->holder;
	int rc = hold_listen(h->dir, d->name, e);

	if (rc < 0)
		return rc;
	d->listener.fd = rc;
	rc = loop_add(h->s->loop, &d->listener);
	return rc ? fail(e, CAUSE_FAILED, -rc, "its callers can't be listened to") : 0;
}

/* The name goes first: who comes now is told that nobody holds it. */
static void stop_listening(struct held *d)
{
	if (d->listener.fd < 0)
		return;
	hold_unlink(d->holder->dir, d->name);
	if (!d->deaf)
		loop_del(d->holder->s->loop, &d->listener);
	close(d->listener.fd);
	d->listener.fd = -1;
}

static int held_close(struct held *d, struct error *e)
{
	int rc;

	stop_listening(d);
	/* The loop is the holder's. */
	d->s.loop = NULL;
	session_close(&d->s);
	/* What the kernel took is in other hands. */
	rc = d->bound && !d->gone ? unbind_device(d, e) : 0;
	free(d->spec);
	free(d);
	return rc;
}

int held_release(struct held *d, struct error *e)
{
	struct held **at = &d->holder->first;

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	return held_close(d, e);
}

int holder_take(struct holder *h, const char *device, bool bind, struct error *e)
{
	struct held *d = calloc(1, sizeof(*d)), **last = &h->first;
	struct error ignored;
	int rc;

	if (!d)
		return fail(e, CAUSE_FAILED, ENOMEM, "no memory");
	d->holder = h;
	d->listener = (struct source){ .fd = -1, .ready = on_listener, .owner = d };
	d->since = time(NULL);
	hold_name(device, d->name);
	d->spec = strdup(device);
	rc = d->spec ? open_device(d, bind, e) : fail(e, CAUSE_FAILED, ENOMEM, "no memory");
	if (rc == 0)
		rc = listen_for(d, e);
	if (rc) {
		held_close(d, &ignored);
		return rc;
	}
	while (*last)
		last = &(*last)->next;
	*last = d;
	return 0;
}

int holder_new(struct holder **out, struct session *s, bool keep, struct error *e)
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
		return fail(e, CAUSE_FAILED, ENOMEM, "no memory");
	}
	fdlimit_raise(2 * MAX_CALLERS, &limit);
	h->s = s;
	h->quiet = s->trace;
	h->keep = keep;
	h->dir = dir;
	*out = h;
	return 0;
}

/* Nobody's command goes on without the device; who asked for its release is told when that is done. */
static void end_callers(struct held *d, const struct error *e)
{
	for (struct caller *c = d->holder->callers; c; c = c->next)
		if (c->held == d && c->call->whole && !c->releases)
			caller_end(c, -ENODEV, e);
}

static void let_go(struct held *d, const struct error *why)
{
	struct holder *h = d->holder;
	struct error e = { 0 };
	int rc;

	end_callers(d, why);
	for (struct caller *c = h->callers; c; c = c->next)
		if (c->held == d)
			c->held = NULL;
	rc = held_release(d, &e);
	for (struct caller *c = h->callers; c; c = c->next)
		if (c->releases && !c->held)
			caller_end(c, rc, &e);
	if (rc)
		out_error(h->s->out, "release", &e);
}

/* Without --keep the holder has no use for it any more. */
static void taken_away(struct held *d)
{
	struct error e;

	device_here(d->s.device, &e);
	if (!d->holder->keep) {
		hint(&e, "msictl hold %s   once it is back", d->spec);
		let_go(d, &e);
		return;
	}
	end_callers(d, &e);
	d->gone = false;
}

static void look_after_devices(struct holder *h)
{
	struct error e;
	struct held *next;

	for (struct held *d = h->first; d; d = next) {
		next = d->next;
		if (d->release) {
			fail(&e, CAUSE_NO_DEVICE, ENODEV, "the holder was asked to release the device");
			let_go(d, &e);
		} else if (d->gone) {
			taken_away(d);
		}
	}
}

static void drop_callers(struct holder *h)
{
	struct caller **at = &h->callers;
	bool any = false;

	while (*at) {
		struct caller *c = *at;

		if (!call_over(c->call)) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		h->ncallers--;
		caller_free(c);
		any = true;
	}
	if (any)
		hear_again(h);
}

/* One turn: what has come is begun, what stays goes on. Returns when to be back. */
static uint64_t turn(struct holder *h)
{
	uint64_t due = UINT64_MAX;

	look_after_devices(h);
	for (struct caller *c = h->callers; c; c = c->next) {
		caller_run(c);
		if (c->s.job.step && c->due < due)
			due = c->due;
	}
	/* What was heard in the middle of commands has its turn at once. */
	for (const struct held *d = h->first; d; d = d->next)
		if (d->release || d->gone)
			due = 0;
	for (const struct caller *c = h->callers; c; c = c->next)
		if (c->call->whole && !c->begun)
			due = 0;
	drop_callers(h);
	return due;
}

/* The last words may take a moment to be read. */
static void linger(struct holder *h)
{
	uint64_t until = now_us() + LINGER_US;

	for (drop_callers(h); h->callers && now_us() < until; drop_callers(h))
		if (loop_wait(h->s->loop, until) < 0)
			return;
}

int holder_serve(struct holder *h)
{
	int rc = 0;

	h->quiet = h->s->trace;
	while (rc >= 0 && h->first) {
		uint64_t due = turn(h);

		if (h->first)
			rc = loop_wait(h->s->loop, due);
	}
	return rc == -EINTR || rc > 0 ? 0 : rc;
}

static void say_farewell(struct holder *h)
{
	int signal = loop_stopped(h->s->loop);
	struct error e;

	fail(&e, CAUSE_NO_DEVICE, ENODEV, "the holder was stopped by %s", signal ? strsignal(signal) : "a failure");
	while (h->first)
		let_go(h->first, &e);
	for (struct caller *c = h->callers; c; c = c->next)
		if (!c->call->whole)
			caller_end(c, -ENODEV, &e);
	linger(h);
}

void holder_free(struct holder *h)
{
	if (!h)
		return;
	say_farewell(h);
	while (h->callers) {
		struct caller *c = h->callers;

		h->callers = c->next;
		caller_free(c);
	}
	free(h->sibling);
	close(h->dir);
	free(h);
}
