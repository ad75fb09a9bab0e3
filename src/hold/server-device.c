// SPDX-License-Identifier: GPL-2.0-or-later
/* A device that is held: opened, listened for, put back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "hold/server-internal.h"

/*
 * How long the lock of the folder of sockets is waited for: without --timeout, and in a holder that
 * serves.
 */
#define LOCK_US		5000000
#define SERVING_LOCK_US 200000

/* Runs inside of the loop: the rest is done outside. */
static void on_released(void *ctx)
{
	struct held *d = ctx;

	d->gone = true;
	/* It is in other hands from now on, also when it is opened anew: they give it back. */
	free(d->bound);
	d->bound = NULL;
	out_note(d->holder->s->out, "msictl: %s: the %s wants the device back: released", d->spec,
		 d->s.device->ops->keeper);
}

static void on_lost(void *ctx)
{
	struct held *d = ctx;

	d->gone = true;
	out_note(d->holder->s->out, "msictl: %s: %s", d->spec, d->s.device->gone);
}

/* Before each opening: a group is shared with devices that are open now, not with one that was. */
static int list_siblings(struct holder *h, struct error *e)
{
	size_t n = 1;

	for (const struct held *d = h->first; d; d = d->next)
		n++;
	if (n > h->room) {
		struct sibling *more = reallocarray(h->sibling, n, sizeof(*more));

		if (!more)
			return fail_memory(e);
		h->sibling = more;
		h->room = n;
	}
	n = 0;
	for (const struct held *d = h->first; d; d = d->next)
		if (d->s.device && d->s.device->handle)
			h->sibling[n++] =
				(struct sibling){ d->s.device->backend, d->s.device->handle };
	h->siblings = (struct siblings){ .at = h->sibling, .n = n };
	return 0;
}

static int on_reopening(struct held *d, struct error *e)
{
	d->holder->reopening(d);
	return list_siblings(d->holder, e);
}

static int open_device(struct held *d, struct error *e)
{
	const struct device_events ev = { .released = on_released, .lost = on_lost, .ctx = d };
	struct holder *h = d->holder;
	int rc;

	d->s = (struct session){ .commands = h->s->commands,
				 .backends = h->s->backends,
				 .root = h->s->root,
				 .out = h->s->out,
				 .loop = h->s->loop,
				 .trace = h->s->trace,
				 .device_trace = &h->s->trace,
				 .siblings = &h->siblings,
				 .held = d,
				 .reopening = on_reopening,
				 .inside = true,
				 .globals = h->s->globals };
	rc = list_siblings(h, e);
	return rc ? rc : session_open(&d->s, d->spec, &ev, e);
}

static int listen_for(struct held *d, struct error *e)
{
	struct holder *h = d->holder;
	/* Devices that are served already must not go unheard. */
	uint64_t patience = h->serving ? SERVING_LOCK_US : h->s->globals.timeout_us;
	int rc = hold_listen(h->dir, d->name, patience ? patience : LOCK_US, e);

	if (rc < 0)
		return rc;
	d->listener.fd = rc;
	rc = loop_add(h->s->loop, &d->listener);
	return rc ? fail(e, CAUSE_FAILED, -rc, "its callers can't be listened to") : 0;
}

/* Without a listener the name is another holder's. */
void held_unlink(struct held *d)
{
	if (d->listener.fd >= 0)
		hold_unlink(d->holder->dir, d->name);
}

static void stop_listening(struct held *d)
{
	if (d->listener.fd < 0)
		return;
	held_unlink(d);
	if (!d->paused_until)
		loop_del(d->holder->s->loop, &d->listener);
	close(d->listener.fd);
	d->listener.fd = -1;
}

static int held_close(struct held *d, struct error *e)
{
	struct holder *h = d->holder;
	struct bound *b = d->bound;

	stop_listening(d);
	/* The loop is the holder's. */
	d->s.loop = NULL;
	session_close(&d->s);
	free(d->spec);
	free(d);
	return bound_settle(h, b, e);
}

int held_release(struct held *d, struct error *e)
{
	struct held **at = &d->holder->first;

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	return held_close(d, e);
}

/* Not opened yet; it is among the others all the same, the last one. */
static struct held *held_new(struct holder *h, const char *device, const struct holding *how)
{
	struct held *d = calloc(1, sizeof(*d)), **last = &h->first;

	if (!d)
		return NULL;
	d->holder = h;
	d->keep = how->keep;
	d->listener = (struct source){ .fd = -1, .ready = h->ready, .owner = d };
	d->since = time(NULL);
	hold_name(device, d->name);
	d->spec = strdup(device);
	if (!d->spec) {
		free(d);
		return NULL;
	}
	while (*last)
		last = &(*last)->next;
	*last = d;
	return d;
}

/* A group can be opened when all of its functions have vfio-pci, so all of them get it first. */
static int bind_all(struct holder *h, const char *const *device, size_t n,
		    const struct holding *how, struct error *e)
{
	for (size_t i = 0; i < n; i++) {
		struct held *d = held_new(h, device[i], how);
		int rc;

		if (!d)
			return fail_memory(e);
		rc = how->bind ? bound_take(d, e) : 0;
		if (rc)
			return rc;
		d->group = bound_group(d);
	}
	return 0;
}

static int open_all(struct held *d, struct error *e)
{
	int rc = 0;

	for (; rc == 0 && d; d = d->next) {
		rc = open_device(d, e);
		if (rc == 0)
			rc = listen_for(d, e);
	}
	return rc;
}

/* What is told is why nothing was taken; and what is left behind all the same. */
static void undo(struct held *d, struct error *e)
{
	while (d) {
		struct held *next = d->next;
		struct error why;

		if (held_release(d, &why) < 0)
			append(e->message, sizeof(e->message),
			       "; and a driver could not be given back: %s", why.message);
		d = next;
	}
}

int holder_take(struct holder *h, const char *const *device, size_t n, const struct holding *how,
		struct error *e)
{
	struct held **mine = &h->first;
	int rc;

	while (*mine)
		mine = &(*mine)->next;
	rc = bind_all(h, device, n, how, e);
	if (rc == 0)
		rc = open_all(*mine, e);
	if (rc)
		undo(*mine, e);
	return rc;
}
