// SPDX-License-Identifier: GPL-2.0-or-later
/* wait --event */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cmd-wait.h"
#include "presence.h"
#include "uevent.h"
#include "util.h"

struct event_wait {
	struct session *s;
	struct pci_addr addr;
	const char *word;
	struct presence before; /* when we began to listen, or last read /sys */
	bool come;
	bool has_seqnum; /* heard, not concluded from /sys */
	uint64_t seqnum;
	char driver[64];
};

static bool has_come(const struct presence *before, const struct presence *now)
{
	return !before->here && now->here;
}

static bool has_gone(const struct presence *before, const struct presence *now)
{
	return before->here && !now->here;
}

static bool was_bound(const struct presence *before, const struct presence *now)
{
	return now->driver[0] && strcmp(before->driver, now->driver) != 0;
}

static bool was_unbound(const struct presence *before, const struct presence *now)
{
	return before->driver[0] && strcmp(before->driver, now->driver) != 0;
}

/* What two looks at /sys prove: the only way when the event itself was lost. */
static const struct proof {
	const char *word;
	bool (*happened)(const struct presence *before, const struct presence *now);
} proofs[] = {
	{ "add", has_come },
	{ "remove", has_gone },
	{ "bind", was_bound },
	{ "unbind", was_unbound },
};

/* The function's own, not that of its vfio-dev child; and a synthetic one tells of nothing. */
static void on_event(void *ctx, const struct uevent *u)
{
	struct event_wait *w = ctx;

	if (w->come || u->synthetic || !u->has_addr || strcmp(u->subsystem, "pci") != 0 ||
	    strcmp(u->action, w->word) != 0 || pci_addr_cmp(&u->addr, &w->addr) != 0)
		return;
	w->come = w->has_seqnum = true;
	w->seqnum = u->seqnum;
	copy_text(w->driver, sizeof(w->driver), u->driver ? u->driver : "");
}

static void on_overrun(void *ctx)
{
	struct event_wait *w = ctx;
	struct presence now;

	if (w->come)
		return;
	out_note(w->s->out, "msictl: the kernel had more events than there was room for: /sys is looked at instead");
	presence_read(&w->s->root, &w->addr, &now);
	for (size_t i = 0; i < ARRAY_SIZE(proofs); i++)
		if (!strcmp(proofs[i].word, w->word))
			w->come = proofs[i].happened(&w->before, &now);
	copy_text(w->driver, sizeof(w->driver), now.driver);
	w->before = now;
}

static int listen_for(struct event_wait *w, uint64_t until, struct error *e)
{
	const struct uevent_handler h = { .event = on_event, .overrun = on_overrun, .ctx = w };
	struct uevents *u = NULL;
	int rc = uevents_open(&u, w->s->loop, &h);

	if (rc)
		return fail(e, cause_of_errno(-rc), -rc, "the kernel's events can't be listened to");
	presence_read(&w->s->root, &w->addr, &w->before);
	while (!w->come) {
		rc = loop_wait(w->s->loop, until);
		if (rc < 0 || (rc == 0 && now_us() >= until))
			break;
	}
	uevents_close(u);
	if (rc == -EINTR && !w->come)
		return session_stopped(w->s, e);
	return rc < 0 && !w->come ? fail(e, CAUSE_FAILED, -rc, "waiting for events failed") : 0;
}

static int not_come(const struct event_wait *w, uint64_t limit, struct error *e)
{
	char bdf[PCI_ADDR_LEN], now[96] = "it is not there";
	struct presence p;

	presence_read(&w->s->root, &w->addr, &p);
	if (p.here)
		copy_text(now, sizeof(now), "it is there without a driver");
	if (p.driver[0])
		snprintf(now, sizeof(now), "its driver is %s", p.driver);
	return fail(e, CAUSE_EXPECTATION, 0, "no %s event of %s came within %.3g s; %s", w->word,
		    pci_addr_full(&w->addr, bdf), (double)limit / 1e6, now);
}

static void tell(const struct event_wait *w, uint64_t us)
{
	struct out *o = w->s->out;
	char bdf[PCI_ADDR_LEN];
	node *doc = out_doc(o);

	doc_text(doc, "event", w->word);
	doc_text(doc, "device", pci_addr_full(&w->addr, bdf));
	doc_text(doc, "driver", w->driver[0] ? w->driver : NULL);
	if (w->has_seqnum)
		doc_number(doc, "seqnum", w->seqnum);
	else
		doc_null(doc, "seqnum");
	doc_number(doc, "us", us);
	out_text(o, "%s: %s%s%s after %.3f s", pci_addr_short(&w->addr, bdf), w->word, w->driver[0] ? " " : "",
		 w->driver, (double)us / 1e6);
}

int wait_event(struct session *s, const struct args *a, const struct value *word, uint64_t limit, struct error *e)
{
	struct event_wait w = { .s = s, .word = word->text };
	int rc = session_address(s, a->param[0].text, &w.addr, e);
	uint64_t begin = now_us();

	if (!rc && !session_loop(s, e))
		rc = -ENOMEM;
	if (!rc)
		rc = listen_for(&w, begin + limit, e);
	if (rc)
		return rc;
	doc_text(out_doc(s->out), "command", a->command->word);
	if (!w.come) {
		doc_null(out_doc(s->out), "event");
		return not_come(&w, limit, e);
	}
	tell(&w, now_us() - begin);
	return 0;
}
