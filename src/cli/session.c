// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/session.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "device/backend.h"
#include "host/bind-state.h"

struct loop *session_loop(struct session *s, struct error *e)
{
	int rc = s->loop ? 0 : loop_new(&s->loop);

	if (!rc)
		return s->loop;
	fail(e, CAUSE_FAILED, -rc, "the event loop: %s", strerror(-rc));
	s->loop = NULL;
	return NULL;
}

int session_uevents(struct session *s, const struct uevent_handler *h, struct uevents **u,
		    struct error *e)
{
	struct loop *loop = session_loop(s, e);
	int rc;

	if (!loop)
		return -ENOMEM;
	rc = uevents_open(u, loop, h);
	return rc ? fail(e, cause_of_errno(-rc), -rc, "the kernel's events can't be listened to")
		  : 0;
}

int session_stopped(const struct session *s, struct error *e)
{
	return fail(e, CAUSE_FAILED, EINTR, "stopped by %s", strsignal(loop_stopped(s->loop)));
}

int session_address(const struct session *s, const char *text, struct pci_addr *a, struct error *e)
{
	if (!text && !s->device)
		text = s->attached;
	if (text) {
		int rc = pci_addr_parse(text, a, e);

		/* It is a device all right. */
		if (rc && backend_find(s->backends, text))
			fail(e, CAUSE_USAGE, 0,
			     "it is no PCI function of this host: it has no driver and no kernel events here");
		return rc;
	}
	if (!s->device || !s->device->has_addr)
		return fail(e, CAUSE_FAILED, 0, "the device has no PCI address here");
	*a = s->device->addr;
	return 0;
}

/*
 * The driver's link is gone before the event is sent, and while a device is
 * held it comes back for nobody (driver_sysfs_remove() in drivers/base/dd.c):
 * so an event that is old, or was not meant so, does no harm.
 */
static void give_back(struct session *s)
{
	struct bind_state p;

	if (!s->device || !s->device->handle)
		return;
	/* what can't be looked at may have its driver: VFIO's REQ tells as well */
	if (!bind_state_read(&s->root, &s->device->addr, &p) && !p.driver[0])
		device_requested(s->device);
}

static void on_uevent(void *ctx, const struct uevent *u)
{
	struct session *s = ctx;

	if (s->device && u->has_addr && !pci_addr_cmp(&u->addr, &s->device->addr) &&
	    !strcmp(u->subsystem, "vfio-dev") && !strcmp(u->action, "remove"))
		give_back(s);
}

static void on_overrun(void *ctx)
{
	give_back(ctx);
}

/* REQ tells the same on most kernels; without the socket it has to do. */
static void listen_to_kernel(struct session *s)
{
	const struct uevent_handler h = { .event = on_uevent, .overrun = on_overrun, .ctx = s };

	if (!s->device || s->uevents || !s->device->has_addr || !s->root.live ||
	    uevents_open(&s->uevents, s->loop, &h))
		return;
	/* What was said before we listened. */
	give_back(s);
}

/* For a command typed alone; run and shell listen themselves. */
static void released(void *ctx)
{
	struct session *s = ctx;

	s->released = true;
	out_note(s->out, "msictl: the %s wants the device back: released", s->device->ops->keeper);
}

static int open_into(struct session *s, const char *spec, struct device **d, struct error *e)
{
	const struct siblings none = { 0 };
	struct open_request req = { .spec = spec,
				    .backends = s->backends,
				    .root = &s->root,
				    .trace = s->device_trace ? s->device_trace : &s->trace,
				    .siblings = s->siblings ? *s->siblings : none,
				    .noiommu = s->globals.noiommu,
				    .timeout_us = s->globals.timeout_us };
	struct loop *loop = session_loop(s, e);

	return loop ? device_open(d, &req, loop, &s->events, e) : -e->err;
}

int session_open(struct session *s, const char *spec, const struct device_events *ev,
		 struct error *e)
{
	const struct device_events alone = { .released = released, .ctx = s };
	int rc;

	s->events = ev ? *ev : alone;
	rc = open_into(s, spec, &s->device, e);
	if (!rc)
		listen_to_kernel(s);
	return rc;
}

int session_reopen(struct session *s, struct error *e)
{
	/* The new device and who listens to the kernel for it outlive a caller's session. */
	struct session *own = s->owner ? s->owner : s;
	struct device *again = NULL;
	int rc;

	device_shut(s->device, "the device could not be opened again");
	rc = own->reopening ? own->reopening(own->held, e) : 0;
	if (rc == 0)
		rc = open_into(own, s->device->spec, &again, e);
	if (rc)
		return rc;
	device_close(s->device);
	own->device = s->device = again;
	listen_to_kernel(own);
	return 0;
}

const char *session_undone(struct session *s)
{
	struct device *d = s->device;
	char why[ERROR_TEXT];

	if (s->attached)
		return "";
	if (d && d->handle)
		device_shut(d, "it was closed");
	if (!d || !d->left[0])
		return d && d->cut ? "" : "; everything was put back";
	copy_text(why, sizeof(why), d->left);
	d->left[0] = '\0';
	copy_text(s->undone, sizeof(s->undone), "; not everything was put back: ");
	append(s->undone, sizeof(s->undone), "%s", why);
	return s->undone;
}

void session_close(struct session *s)
{
	if (s->device && s->device->handle)
		device_shut(s->device, "it was closed");
	if (s->device && s->device->left[0])
		out_note(s->out, "warning: not everything was put back: %s", s->device->left);
	device_close(s->device);
	s->device = NULL;
	uevents_close(s->uevents);
	s->uevents = NULL;
	loop_free(s->loop);
	s->loop = NULL;
}

static bool want_color(const struct globals *g)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (g->color && strcmp(g->color, "auto") != 0)
		return !strcmp(g->color, "always");
	/* https://no-color.org: any value but the empty one. */
	return !(no && *no) && term && strcmp(term, "dumb") != 0 && isatty(STDOUT_FILENO);
}

void session_apply(struct session *s)
{
	const struct globals *g = &s->globals;
	struct out_options opt = { .json = g->json,
				   .noheadings = g->noheadings,
				   .color = want_color(g),
				   .columns = g->columns };

	out_set_options(s->out, &opt);
	s->trace.on = g->trace;
	s->trace.dry_run = g->dry_run;
	if (s->device_trace)
		*s->device_trace = s->trace;
}

int session_stay(struct session *s,
		 int (*step)(struct session *s, void *state, uint64_t *due, struct error *e),
		 void (*end)(void *state), void *state)
{
	s->job = (struct job){ .step = step, .end = end, .state = state };
	return 0;
}

void session_unstay(struct session *s)
{
	struct job job = s->job;

	s->job = (struct job){ 0 };
	if (!job.step)
		return;
	if (job.end)
		job.end(job.state);
	else
		free(job.state);
}

int session_seen(struct session *s, int rc, struct error *e)
{
	if (!rc && root_missed(&s->root, s->misses))
		return root_fail_missed(&s->root, e);
	root_forgive(&s->root);
	return rc;
}

int session_step(struct session *s, uint64_t *due, struct error *e)
{
	int rc = s->job.step ? s->job.step(s, s->job.state, due, e) : 0;

	if (rc <= 0)
		session_unstay(s);
	return rc > 0 ? rc : session_seen(s, rc, e);
}

int session_drive(struct session *s, struct error *e)
{
	for (;;) {
		uint64_t due = UINT64_MAX;
		int rc = session_step(s, &due, e);
		bool open_ended;

		if (rc <= 0)
			return rc;
		rc = loop_wait(s->loop, due);
		if (rc >= 0)
			continue;
		if (rc == -EINTR && s->job.exit_reason)
			return session_step(s, &due, e);
		open_ended = s->job.open_ended;
		session_unstay(s);
		if (rc == -EINTR)
			return open_ended ? 0 : session_stopped(s, e);
		return fail(e, CAUSE_FAILED, -rc, "waiting for events failed");
	}
}
