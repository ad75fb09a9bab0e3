/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of watch: looking at counts, and telling of them. */
#ifndef MSICTL_CMD_WATCH_H
#define MSICTL_CMD_WATCH_H

#include "cli/session.h"
#include "host/irq-watch.h"
#include "host/posted.h"
#include "irq/sample.h"
#include "term/screen.h"

enum sort_key { /* in the order of --sort's words */
	SORT_VECTOR,
	SORT_IRQ,
	SORT_RATE,
	SORT_COUNT,
	SORT_DELTA,
	NR_SORT,
};

#define SORT_WORDS "vector|irq|rate|count|delta"

/* A function that is looked at, or the session's device. */
struct watched {
	const struct device *own; /* the session's */
	/* DEVICE of a holder that is asked; both NULL: the host's counts are looked at */
	char *held;
	struct host_watch host;
	bool addressed;	  /* it is a function of this host */
	uint64_t host_us; /* when host was read, of a device whose eventfds count */
	struct samples samples;
	char *name; /* as people read it */
	char *full; /* as machines do */
	char driver[ROOT_NAME];
	bool here, marked;
	int unread;	   /* errno: the host could not be looked at this time */
	bool unresponsive; /* its holder is there and does not answer */
	struct watch_asked *asked_holder;
	int group;	       /* as of the last look at the host, -1: none */
	struct posted posted;  /* of a function of the host */
	bool asked;	       /* it can be in another program's hands */
	unsigned int asked_at; /* host.changes then */
};

struct watch {
	struct watched *device;
	size_t n;
	bool every; /* all functions of the host, a line each */
	struct value vectors;
	enum sort_key sort;
	bool sorted; /* by the user's wish */
	double storm;
	uint64_t delay_us, due, left; /* left: refreshes to come, UINT64_MAX without an end */
	const char *metrics;	      /* borrowed */
	char *metrics_copy;
	struct screen *screen;	    /* NULL: batch */
	uint64_t posted_us;	    /* when it was asked last who holds them */
	char note[512], noted[512]; /* on posted interrupts: now, and as it was told */
};

/* In a session Linux' IRQs are told beside the counts, and seldom change; nor do holders. */
#define HOST_EVERY_US 5000000

/* cmd/watched.c */

/** watch_add() - one more, a function at @a or with NULL another, called @text. 0 or -ENOMEM. */
int watch_add(struct watch *w, const struct pci_addr *a, const char *text);

/**
 * watch_selects() - whether a vector is among the VECTORS that were asked for, now (else it is
 * r->hidden) or later
 * @armed: it is armed at this look
 */
bool watch_selects(const struct value *vectors, struct reading *r, bool armed);

/**
 * watch_takes() - whether a vector of eventfds is among the VECTORS that were asked for, now (else
 * it is r->hidden) or later, and worth a row.
 */
bool watch_takes(const struct value *vectors, struct reading *r, bool armed);

/** watched_ours() - whether eventfds are counted, not the host's interrupts. */
bool watched_ours(const struct watched *d);

/* cmd/watch-choose.c */

/** watch_choose() - what is to be looked at: words of DEVICE and VECTORS. 0 or -errno. */
int watch_choose(struct session *s, struct watch *w, const struct args *a, struct error *e);

/* cmd/watch-look.c */

/** watch_look() - take a sample of all. 0 or -errno. */
int watch_look(struct session *s, struct watch *w, struct error *e);

/** watch_forget() - free what was looked at. */
void watch_forget(struct watch *w);

/** watched_irq() - the Linux IRQ behind a vector; NULL: none, or not known. */
const struct host_irq *watched_irq(const struct watched *d, const struct reading *r);

/* cmd/watch-posted.c */

/** watch_look_posted() - who holds them; d->posted and w->note. 0 or -ENOMEM. */
int watch_look_posted(struct session *s, struct watch *w, uint64_t now, struct error *e);

/* cmd/watch-held.c */

/** watch_is_held() - 1: a holder has DEVICE; 0; -errno: that can't be looked at. */
int watch_is_held(const char *device, struct error *e);

/**
 * watch_held_most() - the vectors that the device has of one index at most; UINT_MAX: its holder
 * does not tell.
 */
unsigned int watch_held_most(struct session *s, const struct watched *d);

/**
 * watch_ask_held() - put a question to all holders, and give them all together a while to answer. 0
 * or -errno.
 */
int watch_ask_held(struct session *s, struct watch *w, struct error *e);

/** watch_held_forget() - the question that is on its way. */
void watch_held_forget(struct watched *d);

/**
 * watch_look_held() - the readings that its holder tells. 0 or -errno; one of several that can't be
 * had is not here.
 */
int watch_look_held(struct session *s, struct watch *w, struct watched *d, struct error *e);

/* cmd/watch-metrics.c */

/** watch_write_metrics() - the sample into w->metrics. 0 or -errno. */
int watch_write_metrics(const struct watch *w, struct error *e);

/** watch_print_metrics() - the page of one look at DEVICEs, or at all, on stdout. 0 or -errno. */
int watch_print_metrics(struct session *s, const struct args *a, struct error *e);

/* cmd/watch-page.c */

extern const struct table watch_table;

/**
 * watch_tell() - the document of a sample, as a table or an object; @limit lines of text at most,
 * 0: all. 0 or -ENOMEM
 */
int watch_tell(struct out *o, struct watch *w, unsigned int limit);

#endif
