// SPDX-License-Identifier: GPL-2.0-or-later
/* events */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "presence.h"
#include "session.h"
#include "uevent.h"
#include "util.h"

enum {
	EVENTS_COUNT,
	EVENTS_TIMEOUT
};

struct watched {
	struct pci_addr addr;
	int group; /* the last one known: the events of a group that goes come when the link has gone */
};

struct watch {
	struct session *s;
	struct watched *device;
	size_t n;	     /* 0: all devices */
	uint64_t want, seen; /* want 0: as many as come */
	bool deaf;	     /* nobody reads the output any more */
};

/* An event carries no time of its own: this is when it was read. */
static void tell_time(struct out *o, char *text, size_t size)
{
	struct timespec ts;
	char day[32] = "";
	struct tm tm;
	int ms;

	clock_gettime(CLOCK_REALTIME, &ts);
	ms = (int)(ts.tv_nsec / 1000000);
	if (gmtime_r(&ts.tv_sec, &tm))
		strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	doc_textf(out_doc(o), "time", "%s.%03dZ", day, ms);
	text[0] = '\0';
	if (localtime_r(&ts.tv_sec, &tm))
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

/* The same members in every row, so that a reader needs no cases. Left open for one more. */
static void tell(struct out *o, const struct uevent *u, const char *more)
{
	char at[32], bdf[PCI_ADDR_LEN], device[32];
	node *doc;

	tell_time(o, at, sizeof(at));
	doc = out_doc(o);
	doc_text(doc, "action", u->action);
	doc_text(doc, "subsystem", u->subsystem);
	doc_text(doc, "device", u->has_addr ? pci_addr_full(&u->addr, bdf) : NULL);
	doc_text(doc, "driver", u->driver);
	doc_text(doc, "devpath", u->devpath);
	if (u->devpath)
		doc_number(doc, "seqnum", u->seqnum);
	else
		doc_null(doc, "seqnum");
	if (u->group >= 0)
		doc_number(doc, "group", (uint64_t)u->group);
	else
		doc_null(doc, "group");
	doc_bool(doc, "synthetic", u->synthetic);
	out_text(o, "%s  %-7s  %-8s  %-10s  %s%s", at, u->action, u->subsystem ? u->subsystem : "-",
		 device_text(u, device, sizeof(device)), u->driver ? u->driver : "-", more);
}

/* A stream is read as it comes; a reader that has gone is noticed at the next row, and main.c says so. */
static void tell_end(struct watch *w)
{
	struct error ignored;

	out_end(w->s->out);
	if (out_flush(w->s->out, &ignored))
		w->deaf = true;
}

static int group_of(const struct session *s, struct watched *d)
{
	struct presence p;

	presence_read(&s->root, &d->addr, &p);
	if (p.group >= 0)
		d->group = p.group;
	return d->group;
}

static bool wanted(const struct watch *w, const struct uevent *u)
{
	for (size_t i = 0; i < w->n; i++) {
		if (u->has_addr && !pci_addr_cmp(&w->device[i].addr, &u->addr))
			return true;
		if (u->group >= 0 && u->group == group_of(w->s, &w->device[i]))
			return true;
	}
	return w->n == 0;
}

static bool finished(const struct watch *w)
{
	return w->deaf || (w->want && w->seen >= w->want);
}

static void on_event(void *ctx, const struct uevent *u)
{
	struct watch *w = ctx;

	if (finished(w) || !wanted(w, u))
		return;
	w->seen++;
	tell(w->s->out, u, u->synthetic ? "  (asked for by user space)" : "");
	tell_end(w);
}

/* What the lost events would have said in the end. */
static void tell_state(struct watch *w, const struct pci_addr *a)
{
	struct uevent row = { .action = "state", .subsystem = "pci", .has_addr = true, .addr = *a, .group = -1 };
	struct presence p;

	presence_read(&w->s->root, a, &p);
	row.driver = p.driver[0] ? p.driver : NULL;
	tell(w->s->out, &row, p.here ? "" : "  (not there)");
	doc_bool(out_doc(w->s->out), "present", p.here);
	tell_end(w);
}

static void on_overrun(void *ctx)
{
	const struct uevent row = { .action = "overrun", .group = -1 };
	struct watch *w = ctx;

	if (finished(w))
		return;
	out_note(w->s->out, "msictl: the kernel had more events than there was room for: some were lost here");
	tell(w->s->out, &row, "  (events were lost)");
	tell_end(w);
	for (size_t i = 0; i < w->n && !w->deaf; i++)
		tell_state(w, &w->device[i].addr);
}

static int choose(struct watch *w, const struct args *a, struct error *e)
{
	size_t n = a->param[0].given ? 1 + a->nrest : w->s->inside;

	if (!n)
		return 0;
	w->device = calloc(n, sizeof(*w->device));
	if (!w->device)
		return fail(e, CAUSE_FAILED, ENOMEM, "out of memory");
	for (; w->n < n; w->n++) {
		struct watched *d = &w->device[w->n];
		int rc = session_address(w->s, w->n ? a->rest[w->n - 1] : a->param[0].text, &d->addr, e);

		if (rc)
			return rc;
		d->group = -1;
		group_of(w->s, d);
	}
	return 0;
}

static int follow(const struct watch *w, uint64_t begin, const struct value *timeout, struct error *e)
{
	uint64_t until = timeout->given ? begin + timeout->number : UINT64_MAX;
	struct session *s = w->s;

	while (!finished(w) && now_us() < until) {
		int rc = loop_wait(s->loop, until);

		/* Without an expectation the end was asked for. */
		if (rc == -EINTR)
			return w->want ? session_stopped(s, e) : 0;
		if (rc < 0)
			return fail(e, CAUSE_FAILED, -rc, "waiting for events failed");
		if (s->interactive && s->released)
			return device_here(s->device, e);
	}
	if (finished(w) || !w->want)
		return 0;
	return fail(e, CAUSE_EXPECTATION, 0, "%" PRIu64 " of %" PRIu64 " events came within %.3g s", w->seen, w->want,
		    (double)timeout->number / 1e6);
}

static int listen_to(struct watch *w, const struct args *a, struct error *e)
{
	const struct uevent_handler h = { .event = on_event, .overrun = on_overrun, .ctx = w };
	struct loop *loop = session_loop(w->s, e);
	uint64_t begin = now_us(), strangers;
	struct uevents *u = NULL;
	int rc;

	if (!loop)
		return -e->err;
	rc = uevents_open(&u, loop, &h);
	if (rc)
		return fail(e, cause_of_errno(-rc), -rc, "the kernel's events can't be listened to");
	/* Whoever makes the events may begin now. */
	out_note(w->s->out, "msictl: listening to the kernel's events");
	rc = follow(w, begin, &a->option[EVENTS_TIMEOUT], e);
	strangers = uevents_disbelieved(u);
	uevents_close(u);
	if (strangers)
		out_note(w->s->out, "msictl: %" PRIu64 " messages were not from the kernel and were ignored",
			 strangers);
	return rc;
}

static int run_events(struct session *s, const struct args *a, struct error *e)
{
	const struct value *count = &a->option[EVENTS_COUNT];
	struct watch w = { .s = s, .want = count->number };
	int rc;

	if (count->given && !count->number)
		return fail(e, CAUSE_USAGE, 0, "--count: at least 1 event is counted");
	rc = choose(&w, a, e);
	if (!rc)
		rc = listen_to(&w, a, e);
	free(w.device);
	return rc;
}

const struct command cmd_events = {
	.word = "events",
	.summary = "show devices come, go and change drivers as it happens",
	.help = "The kernel's own events (uevents) of pci, vfio and vfio-dev: add, remove, bind, unbind, change; of "
		"DEVICE "
		"those of its IOMMU group too. A device need not be there yet. What another process sends is ignored; "
		"what one had the kernel say (udevadm trigger) is marked, because nothing happened to the device.\n"
		"The time is that of reading. When the kernel had to drop events, the row overrun says where, and rows "
		"named state say what is true of each DEVICE then; they do not count for -n. "
		"Ctrl-C ends it.\n"
		"vfio-dev remove means that the kernel wants a function back that a program holds (Linux 6.1 sends it "
		"only when the function was let go).",
	.family = FAMILY_SCRIPT,
	.flags = CMD_LIVE_HOST,
	.param = (const struct param[]){ { .kind = KIND_DEVICE, .optional = true, .many = true } },
	.nparam = 1,
	.option =
		(const struct option[]){
			[EVENTS_COUNT] = { "count", 'n', KIND_COUNT, "N", NULL,
					   "end after N events; exit 8 when --timeout comes first" },
			[EVENTS_TIMEOUT] = { "timeout", 0, KIND_PERIOD, "T", NULL, "end after T: 500ms, 2s, 1m" },
		},
	.noption = 2,
	.run = run_events,
};
