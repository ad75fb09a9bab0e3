// SPDX-License-Identifier: GPL-2.0-or-later
/* wait --event */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cmd/wait.h"
#include "host/bind-state.h"
#include "host/uevent.h"

struct event_wait {
	struct uevents *uevents;
	struct pci_addr addr;
	const struct proof *proof; /* its word is the event waited for */
	uint64_t begin, limit;
	struct bind_state before; /* when we began to listen, or last read /sys */
	bool overrun;		  /* since the last step */
	bool come;
	bool has_seqnum; /* heard, not concluded from /sys */
	uint64_t seqnum;
	char driver[ROOT_NAME];
};

static bool has_come(const struct bind_state *before, const struct bind_state *now)
{
	return !before->here && now->here;
}

static bool has_gone(const struct bind_state *before, const struct bind_state *now)
{
	return before->here && !now->here;
}

static bool was_bound(const struct bind_state *before, const struct bind_state *now)
{
	return now->driver[0] && strcmp(before->driver, now->driver) != 0;
}

static bool was_unbound(const struct bind_state *before, const struct bind_state *now)
{
	return before->driver[0] && strcmp(before->driver, now->driver) != 0;
}

/* What two looks at /sys prove: the only way when the event itself was lost. */
static const struct proof {
	const char *word;
	bool (*happened)(const struct bind_state *before, const struct bind_state *now);
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
	    strcmp(u->action, w->proof->word) != 0 || pci_addr_cmp(&u->addr, &w->addr) != 0)
		return;
	w->come = w->has_seqnum = true;
	w->seqnum = u->seqnum;
	copy_text(w->driver, sizeof(w->driver), u->driver ? u->driver : "");
}

static void on_overrun(void *ctx)
{
	struct event_wait *w = ctx;

	w->overrun = true;
}

static int look_instead(struct session *s, struct event_wait *w, struct error *e)
{
	struct bind_state now;

	out_note(
		s->out,
		"msictl: the kernel had more events than there was room for: /sys is looked at instead");
	if (bind_state_read(&s->root, &w->addr, &now))
		return root_fail_missed(&s->root, e);
	w->come = w->proof->happened(&w->before, &now);
	copy_text(w->driver, sizeof(w->driver), now.driver);
	w->before = now;
	w->overrun = false;
	return 0;
}

static int not_come(struct session *s, const struct event_wait *w, struct error *e)
{
	char bdf[PCI_ADDR_LEN], now[ROOT_NAME + 16] = "it is not there";
	struct bind_state p;

	if (bind_state_read(&s->root, &w->addr, &p))
		copy_text(now, sizeof(now), "how it is cannot be read");
	if (p.here)
		copy_text(now, sizeof(now), "it is there without a driver");
	if (p.driver[0])
		snprintf(now, sizeof(now), "its driver is %s", p.driver);
	return fail(e, CAUSE_EXPECTATION, 0, "no %s event of %s came within %.3g s; %s",
		    w->proof->word, pci_addr_full(&w->addr, bdf), (double)w->limit / 1e6, now);
}

static void tell(struct out *o, const struct event_wait *w)
{
	uint64_t us = now_us() - w->begin;
	char bdf[PCI_ADDR_LEN];
	node *doc = out_doc(o);

	doc_text(doc, "command", "wait");
	doc_text(doc, "device", pci_addr_full(&w->addr, bdf));
	doc_text(doc, "event", w->proof->word);
	doc_word(doc, "driver", w->driver);
	doc_number_if(doc, "seqnum", w->has_seqnum, w->seqnum);
	doc_number(doc, "us", us);
	out_text(o, "%s: %s%s%s after %.3f s", pci_addr_short(&w->addr, bdf), w->proof->word,
		 w->driver[0] ? " " : "", w->driver, (double)us / 1e6);
}

static int step(struct session *s, void *state, uint64_t *due, struct error *e)
{
	struct event_wait *w = state;

	int rc = w->overrun && !w->come ? look_instead(s, w, e) : 0;

	if (rc)
		return rc;
	if (w->come) {
		tell(s->out, w);
		return 0;
	}
	*due = w->begin + w->limit;
	return now_us() < *due ? 1 : not_come(s, w, e);
}

static void end(void *state)
{
	struct event_wait *w = state;

	uevents_close(w->uevents);
	free(w);
}

/* State is read after subscribing, so that no change falls between. */
static int subscribe(struct session *s, struct event_wait *w, struct error *e)
{
	const struct uevent_handler h = { .event = on_event, .overrun = on_overrun, .ctx = w };
	int rc = session_uevents(s, &h, &w->uevents, e);

	if (rc)
		return rc;
	if (bind_state_read(&s->root, &w->addr, &w->before))
		return root_fail_missed(&s->root, e);
	/* Whoever makes the event may begin now. */
	out_note(s->out, "msictl: listening to the kernel's events");
	return 0;
}

int wait_event(struct session *s, const char *device, const char *word, uint64_t limit,
	       struct error *e)
{
	struct event_wait *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return fail_memory(e);
	w->begin = now_us();
	w->limit = limit;
	/* Of what was typed nothing may be kept; the row of the choice can. */
	for (size_t i = 0; i < ARRAY_SIZE(proofs); i++)
		if (!strcmp(proofs[i].word, word))
			w->proof = &proofs[i];
	rc = session_address(s, device, &w->addr, e);
	if (!rc)
		rc = subscribe(s, w, e);
	if (rc) {
		end(w);
		return rc;
	}
	return session_stay(s, step, end, w);
}
