// SPDX-License-Identifier: GPL-2.0-or-later
/* events */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "cli/session.h"
#include "cmd/all.h"
#include "host/function.h"
#include "host/bind-state.h"

enum {
	EVENTS_COUNT,
	EVENTS_TIMEOUT
};

struct watched {
	struct pci_addr addr;
	/* the last one known: the events of a group that goes come when the link has gone */
	int group;
};

/* An event that was heard and not told yet; its texts lie behind it. */
struct heard {
	struct heard *next;
	struct timespec at; /* of reading: an event carries no time of its own */
	struct uevent event;
	char text[];
};

/* The job. What is heard between two steps is told in the next one. */
struct watch {
	struct uevents *uevents;
	struct heard *first, **last;
	bool overrun; /* after those */
	struct watched *device;
	size_t n;	     /* 0: all devices */
	uint64_t want, seen; /* want 0: as many as come */
	uint64_t timeout_us, until;
	bool deaf;	/* nobody reads the output any more */
	bool strangers; /* told of messages that were not from the kernel */
};

static size_t size_of(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static const char *keep(const char *text, char **to)
{
	char *at = *to;

	if (!text)
		return NULL;
	memcpy(at, text, size_of(text));
	*to += size_of(text);
	return at;
}

static void on_event(void *ctx, const struct uevent *u)
{
	size_t size = size_of(u->action) + size_of(u->subsystem) + size_of(u->devpath) +
		      size_of(u->driver);
	struct heard *h = malloc(sizeof(*h) + size);
	struct watch *w = ctx;
	char *to;

	if (!h) {
		w->overrun = true;
		return;
	}
	to = h->text;
	h->next = NULL;
	clock_gettime(CLOCK_REALTIME, &h->at);
	h->event = *u;
	h->event.action = keep(u->action, &to);
	h->event.subsystem = keep(u->subsystem, &to);
	h->event.devpath = keep(u->devpath, &to);
	h->event.driver = keep(u->driver, &to);
	*w->last = h;
	w->last = &h->next;
}

static void on_overrun(void *ctx)
{
	struct watch *w = ctx;

	w->overrun = true;
}

static void tell_time(struct out *o, const struct timespec *at, char *text, size_t size)
{
	int ms = (int)(at->tv_nsec / 1000000);
	char day[32] = "";
	struct tm tm;

	if (gmtime_r(&at->tv_sec, &tm))
		strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	doc_textf(out_doc(o), "time", "%s.%03dZ", day, ms);
	text[0] = '\0';
	if (localtime_r(&at->tv_sec, &tm))
		strftime(text, size, "%H:%M:%S", &tm);
	append(text, size, ".%03d", ms);
}

static const char *device_text(const struct uevent *u, char *buf, size_t size)
{
	char bdf[PCI_ADDR_LEN];

	buf[0] = '\0';
	if (u->has_addr)
		append(buf, size, "%s", pci_addr_short(&u->addr, bdf));
	else if (u->group >= 0)
		append(buf, size, "group %d", u->group);
	else
		return u->devpath ? u->devpath : "-";
	return buf;
}

/*
 * The same members in every row, so that a reader needs no cases; the object stays open for one
 * more.
 */
static void tell(struct out *o, const struct timespec *when, const struct uevent *u,
		 const char *more)
{
	char at[32], bdf[PCI_ADDR_LEN], device[32];
	node *doc;

	tell_time(o, when, at, sizeof(at));
	doc = out_doc(o);
	doc_text(doc, "action", u->action);
	doc_text(doc, "subsystem", u->subsystem);
	doc_text(doc, "device", u->has_addr ? pci_addr_full(&u->addr, bdf) : NULL);
	doc_text(doc, "driver", u->driver);
	doc_text(doc, "devpath", u->devpath);
	doc_number_if(doc, "seqnum", u->devpath != NULL, u->seqnum);
	doc_number_if(doc, "group", u->group >= 0, (uint64_t)u->group);
	doc_bool(doc, "synthetic", u->synthetic);
	out_text(o, "%s  %-7s  %-8s  %-10s  %s%s", at, u->action, u->subsystem ? u->subsystem : "-",
		 device_text(u, device, sizeof(device)), u->driver ? u->driver : "-", more);
}

/*
 * A stream is read as it comes; a reader that has gone is noticed at the next row, and main.c says
 * so.
 */
static void tell_end(struct out *o, struct watch *w)
{
	struct error ignored;

	out_end(o);
	if (out_flush(o, &ignored))
		w->deaf = true;
}

static int group_of(const struct root *r, struct watched *d)
{
	struct bind_state p;

	if (!bind_state_read(r, &d->addr, &p) && p.group >= 0)
		d->group = p.group;
	return d->group;
}

static bool wanted(const struct root *r, const struct watch *w, const struct uevent *u)
{
	for (size_t i = 0; i < w->n; i++) {
		if (u->has_addr && !pci_addr_cmp(&w->device[i].addr, &u->addr))
			return true;
		if (u->group >= 0 && u->group == group_of(r, &w->device[i]))
			return true;
	}
	return w->n == 0;
}

static bool finished(const struct watch *w)
{
	return w->deaf || (w->want && w->seen >= w->want);
}

/* What the lost events would have said in the end. */
static void tell_state(struct session *s, struct watch *w, const struct timespec *at,
		       const struct pci_addr *a)
{
	struct uevent row = {
		.action = "state", .subsystem = "pci", .has_addr = true, .addr = *a, .group = -1
	};
	struct bind_state p;
	int rc = bind_state_read(&s->root, a, &p);

	row.driver = p.driver[0] ? p.driver : NULL;
	tell(s->out, at, &row, rc ? "  (cannot be looked at)" : p.here ? "" : "  (not there)");
	if (rc)
		doc_null(out_doc(s->out), "present");
	else
		doc_bool(out_doc(s->out), "present", p.here);
	tell_end(s->out, w);
}

/* Without DEVICE: the functions that VFIO has, whose events these are. */
static void tell_all_states(struct session *s, struct watch *w, const struct timespec *at)
{
	_cleanup_free_ struct pci_addr *list = NULL;
	struct error ignored;
	ssize_t n = function_scan(&s->root, &list, &ignored);

	for (ssize_t i = 0; i < n && !w->deaf; i++) {
		struct bind_state p;

		if (bind_state_read(&s->root, &list[i], &p) || driver_is_vfio(p.driver))
			tell_state(s, w, at, &list[i]);
	}
}

static void tell_overrun(struct session *s, struct watch *w)
{
	const struct uevent row = { .action = "overrun", .group = -1 };
	struct timespec at;

	clock_gettime(CLOCK_REALTIME, &at);
	out_note(s->out,
		 "msictl: the kernel had more events than there was room for: some were lost here");
	tell(s->out, &at, &row, "  (events were lost)");
	tell_end(s->out, w);
	for (size_t i = 0; i < w->n && !w->deaf; i++)
		tell_state(s, w, &at, &w->device[i].addr);
	if (!w->n)
		tell_all_states(s, w, &at);
}

static struct heard *take_first(struct watch *w)
{
	struct heard *h = w->first;

	if (!h)
		return NULL;
	w->first = h->next;
	if (!w->first)
		w->last = &w->first;
	return h;
}

static void tell_heard(struct session *s, struct watch *w)
{
	struct heard *h;

	while ((h = take_first(w))) {
		if (!finished(w) && wanted(&s->root, w, &h->event)) {
			w->seen++;
			tell(s->out, &h->at, &h->event,
			     h->event.synthetic ? "  (asked for by user space)" : "");
			tell_end(s->out, w);
		}
		free(h);
	}
	if (w->overrun && !finished(w))
		tell_overrun(s, w);
	w->overrun = false;
	if (uevents_disbelieved(w->uevents) && !w->strangers)
		out_note(
			s->out,
			"msictl: a message that is not from the kernel was ignored, and so will others be");
	w->strangers = uevents_disbelieved(w->uevents);
}

static int step(struct session *s, void *state, uint64_t *due, struct error *e)
{
	struct watch *w = state;

	tell_heard(s, w);
	if (finished(w))
		return 0;
	if (s->interactive && s->released)
		return device_here(s->device, e);
	*due = w->until;
	if (now_us() < w->until)
		return 1;
	if (!w->want)
		return 0;
	return fail(e, CAUSE_EXPECTATION, 0, "%" PRIu64 " of %" PRIu64 " events came within %.3g s",
		    w->seen, w->want, (double)w->timeout_us / 1e6);
}

static void end(void *state)
{
	struct watch *w = state;
	struct heard *h;

	uevents_close(w->uevents);
	while ((h = take_first(w)))
		free(h);
	free(w->device);
	free(w);
}

static int choose(const struct session *s, struct watch *w, const struct args *a, struct error *e)
{
	size_t n = a->param[0].given ? 1 + a->nrest : s->inside;

	if (!n)
		return 0;
	w->device = calloc(n, sizeof(*w->device));
	if (!w->device)
		return fail_memory(e);
	for (; w->n < n; w->n++) {
		struct watched *d = &w->device[w->n];
		int rc = session_address(s, w->n ? a->rest[w->n - 1] : a->param[0].text, &d->addr,
					 e);

		if (rc)
			return rc;
		d->group = -1;
		group_of(&s->root, d);
	}
	return 0;
}

static int subscribe(struct session *s, struct watch *w, struct error *e)
{
	const struct uevent_handler h = { .event = on_event, .overrun = on_overrun, .ctx = w };
	int rc = session_uevents(s, &h, &w->uevents, e);

	if (rc)
		return rc;
	/* Whoever makes the events may begin now. */
	out_note(s->out, "msictl: listening to the kernel's events");
	return 0;
}

static int run_events(struct session *s, const struct args *a, struct error *e)
{
	const struct value *count = &a->option[EVENTS_COUNT], *timeout = &a->option[EVENTS_TIMEOUT];
	struct watch *w;
	int rc;

	if (count->given && !count->number)
		return fail(e, CAUSE_USAGE, 0, "--count: at least 1 event is counted");
	w = calloc(1, sizeof(*w));
	if (!w)
		return fail_memory(e);
	w->last = &w->first;
	w->want = count->number;
	w->timeout_us = timeout->number;
	w->until = timeout->given ? now_us() + timeout->number : UINT64_MAX;
	rc = choose(s, w, a, e);
	if (!rc)
		rc = subscribe(s, w, e);
	if (rc) {
		end(w);
		return rc;
	}
	session_stay(s, step, end, w);
	s->job.open_ended = !w->want;
	return 0;
}

const struct command cmd_events = {
	.word = "events",
	.summary = "show devices come, go and change drivers as it happens",
	.help = "The kernel's own events (uevents) of pci, vfio and vfio-dev: "
		"add, remove, bind, unbind, change; of DEVICE those of its IOMMU group too. "
		"A device need not be there yet. What another process sends is ignored; "
		"what one had the kernel say (udevadm trigger) is marked, because nothing happened to the device.\n"
		"The time is that of reading. "
		"When the kernel had to drop events, the row overrun says where, and rows named state say what is true of each DEVICE then, or of each function that a vfio driver has; "
		"they do not count for -n. Ctrl-C ends it.\n"
		"vfio-dev remove means that the kernel wants a function back that a program holds (Linux 6.1 sends it only when the function was let go).",
	.family = FAMILY_SCRIPT,
	.flags = CMD_LIVE_HOST,
	COMMAND_PARAMS({ .type = ARG_DEVICE, .optional = true, .many = true }),
	COMMAND_OPTIONS(
		[EVENTS_COUNT] = { "count", 'n', ARG_COUNT, "N", NULL,
				   "end after N events; exit 8 when --timeout comes first" },
		[EVENTS_TIMEOUT] = { "timeout", 0, ARG_PERIOD, "T", NULL,
				     "end after T: 500ms, 2s, 1m" }),
	.run = run_events,
};
