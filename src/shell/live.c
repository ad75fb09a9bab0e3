// SPDX-License-Identifier: GPL-2.0-or-later
#include "shell/live.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "hold/event-stream.h"
#include "host/bind-state.h"
#include "host/uevent.h"
#include "term/banner.h"
#include "term/panel.h"

/* A smaller terminal is for the prompt alone; a larger one is not for the panel alone. */
#define MIN_LINES   10
#define MIN_COLUMNS 40
#define MAX_ROWS    16

/* As lines, counts are told at most this often. */
#define TELL_EVERY_US 250000
#define TELL_VECTORS  8

/* A terminal that was stopped (Ctrl-S) is asked again. */
#define RETRY_US 100000

struct live {
	struct session *s;
	struct panel *panel;
	struct banner banner;
	uint64_t opened; /* whose counts the panel has, by when it was opened; 0: another's */
	struct uevents *uevents; /* NULL: the device is none that the kernel tells of */
	struct pci_addr addr;
	struct event_stream *feed; /* of a device that is held; NULL: there is none now */
	uint64_t retry;		   /* not before; 0: at any time */

	/* Of the lines. */
	uint64_t tell; /* when to tell of counts, 0: nothing new */
	struct {
		enum irq_index index;
		unsigned int vector;
		uint64_t n, total;
	} fresh[TELL_VECTORS];
	unsigned int nfresh;
	uint64_t more; /* counts of vectors beyond those */
};

static bool panelled(const struct live *l)
{
	return l->s->live == LIVE_ON && l->banner.lines >= MIN_LINES &&
	       l->banner.columns >= MIN_COLUMNS;
}

static void clock_text(char *buf, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(buf, size, "%H:%M:%S", &tm);
}

static void __attribute__((format(printf, 2, 3))) happened(struct live *l, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	char at[16];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL;
		return;
	}
	panel_event(l->panel, time(NULL), text);
	clock_text(at, sizeof(at));
	if (!panelled(l))
		out_note(l->s->out, "%s %s", at, text);
}

static void on_uevent(void *ctx, const struct uevent *u)
{
	struct live *l = ctx;

	if (!u->has_addr || pci_addr_cmp(&u->addr, &l->addr))
		return;
	happened(l, "kernel: %s %s%s%s%s", u->action, u->subsystem ? u->subsystem : "",
		 u->driver ? ", driver " : "", u->driver ? u->driver : "",
		 u->synthetic ? " (asked for by user space)" : "");
}

static void on_overrun(void *ctx)
{
	struct live *l = ctx;
	struct bind_state p;

	if (bind_state_read(&l->s->root, &l->addr, &p))
		copy_text(p.driver, sizeof(p.driver), "not known, it cannot be looked at");
	else if (!p.here)
		copy_text(p.driver, sizeof(p.driver), "none, it is not there");
	happened(l, "kernel: had more events than there was room for; driver now: %s",
		 p.driver[0] ? p.driver : "none");
}

/* A device that is held has its holder for its counts, but the kernel tells everybody. */
static bool has_address(struct live *l)
{
	struct error ignored;

	if (l->s->device) {
		l->addr = l->s->device->addr;
		return l->s->device->has_addr;
	}
	return pci_addr_parse(l->s->attached, &l->addr, &ignored) == 0;
}

int live_open(struct live **out, struct session *s, int fd)
{
	struct live *l = calloc(1, sizeof(*l));
	const struct uevent_handler h = { .event = on_uevent, .overrun = on_overrun, .ctx = l };

	if (!l)
		return -ENOMEM;
	if (panel_new(&l->panel)) {
		free(l);
		return -ENOMEM;
	}
	l->s = s;
	l->opened = s->device ? s->device->opened : 0;
	l->banner.terminal = fd;
	banner_measure(&l->banner);
	s->live = banner_can(getenv("TERM")) ? LIVE_ON : LIVE_OFF;
	/* Without the socket there is less to tell. */
	if (has_address(l) && uevents_open(&l->uevents, s->loop, &h))
		l->uevents = NULL;
	*out = l;
	return 0;
}

void live_close(struct live *l)
{
	if (!l)
		return;
	l->s->live = LIVE_NONE;
	stream_close(l->feed);
	uevents_close(l->uevents);
	panel_free(l->panel);
	free(l);
}

/* For those that are told as a line. */
static void remember(struct live *l, const struct panel_count *c)
{
	if (!l->tell)
		l->tell = now_us() + TELL_EVERY_US;
	for (unsigned int i = 0; i < l->nfresh; i++) {
		if (l->fresh[i].index != c->index || l->fresh[i].vector != c->vector)
			continue;
		l->fresh[i].n += c->n;
		l->fresh[i].total = c->total;
		return;
	}
	if (l->nfresh == TELL_VECTORS) {
		l->more += c->n;
		return;
	}
	l->fresh[l->nfresh].index = c->index;
	l->fresh[l->nfresh].vector = c->vector;
	l->fresh[l->nfresh].total = c->total;
	l->fresh[l->nfresh++].n = c->n;
}

static void forget_lines(struct live *l)
{
	l->tell = l->nfresh = l->more = 0;
}

/* reopen makes a device that counts from 0; it may well have the address of an earlier one. */
static void look_at(struct live *l, const struct device *d)
{
	if (l->opened == d->opened)
		return;
	l->opened = d->opened;
	panel_forget(l->panel);
	forget_lines(l);
}

void live_counted(struct live *l, struct index *ix, struct vector *v, uint64_t n)
{
	const struct panel_count c = {
		.index = ix->index, .vector = v->number, .n = n, .total = v->count
	};

	look_at(l, ix->device);
	/* Without memory a count is missing on the screen, and nowhere else. */
	panel_count(l->panel, &c, now_us(), time(NULL));
	if (ix->index == IRQ_ERR)
		happened(l, "err: signalled, %" PRIu64 " in all", v->count);
	if (!panelled(l))
		remember(l, &c);
}

void live_lost(struct live *l, const char *why)
{
	forget_lines(l);
	panel_event(l->panel, time(NULL), why);
}

static void tell_lines(struct live *l)
{
	char line[512];

	clock_text(line, sizeof(line));
	for (unsigned int i = 0; i < l->nfresh; i++)
		append(line, sizeof(line), "  %s %u +%" PRIu64 " (%" PRIu64 ")",
		       irq_index_word(l->fresh[i].index), l->fresh[i].vector, l->fresh[i].n,
		       l->fresh[i].total);
	if (l->more)
		append(line, sizeof(line), "  others +%" PRIu64, l->more);
	forget_lines(l);
	out_note(l->s->out, "%s", line);
}

uint64_t live_due(const struct live *l)
{
	uint64_t due;

	if (!panelled(l))
		return l->tell ? l->tell : UINT64_MAX;
	/* What the terminal did not take is drawn already: the panel itself waits for nothing. */
	due = panel_due(l->panel);
	return l->retry ? l->retry : due;
}

static unsigned int wanted_rows(struct live *l)
{
	unsigned int most = l->banner.lines / 3;

	return panel_rows(l->panel, most < MAX_ROWS ? most : MAX_ROWS, l->banner.columns);
}

static void paint(struct live *l, uint64_t now)
{
	_cleanup_free_ char *text = panel_draw(l->panel, now, l->banner.rows, l->banner.columns);

	l->retry = text && l->banner.rows && banner_paint(&l->banner, text) == -EAGAIN
			   ? now + RETRY_US
			   : 0;
}

bool live_update(struct live *l)
{
	uint64_t now = now_us();

	if (now < live_due(l))
		return false;
	if (!panelled(l)) {
		tell_lines(l);
		return false;
	}
	if (wanted_rows(l) > l->banner.rows)
		return true;
	paint(l, now);
	return false;
}

static void on_fed_anew(void *ctx)
{
	panel_forget(((struct live *)ctx)->panel);
}

static void on_fed_index(void *ctx, enum irq_index index, const struct panel_index *state)
{
	panel_set(((struct live *)ctx)->panel, index, state);
}

static void on_fed_vector(void *ctx, const struct panel_count *c)
{
	struct live *l = ctx;

	panel_count(l->panel, c, now_us(), time(NULL));
	if (c->index == IRQ_ERR && c->n)
		happened(l, "err: signalled, %" PRIu64 " in all", c->total);
}

static void on_fed_end(void *ctx)
{
	happened(ctx, "the holder has let the device go");
}

/* Whoever holds it now may be another one than before. */
static void ask_holder(struct live *l)
{
	const struct stream_handler h = { .anew = on_fed_anew,
					  .index = on_fed_index,
					  .vector = on_fed_vector,
					  .ended = on_fed_end,
					  .ctx = l };

	if (l->feed && !stream_ended(l->feed))
		return;
	stream_close(l->feed);
	l->feed = NULL;
	panel_forget(l->panel);
	if (stream_open(&l->feed, l->s->loop, l->s->attached, &h))
		l->feed = NULL;
}

/* What commands may have changed. */
static void ask_device(struct live *l)
{
	const struct device *d = l->s->device;

	if (!d) {
		ask_holder(l);
		return;
	}
	look_at(l, d);
	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++) {
		struct vector_set armed = device_armed(d, i);
		const struct panel_index state = {
			/* REQ is always listened to, and ends the session. */
			.on = d->irq[i].enabled && i != IRQ_REQ,
			.armed = vector_set_count(&armed),
			.of = d->irq[i].info.count,
		};

		panel_set(l->panel, i, &state);
	}
}

void live_place(struct live *l)
{
	_cleanup_free_ char *text = NULL;
	unsigned int rows;

	live_lift(l);
	banner_measure(&l->banner);
	ask_device(l);
	rows = panelled(l) ? wanted_rows(l) : 0;
	text = panel_draw(l->panel, now_us(), rows, l->banner.columns);
	l->retry = 0;
	if (text && rows)
		banner_put(&l->banner, rows, text);
}

void live_lift(struct live *l)
{
	banner_lift(&l->banner);
}

bool live_shown(const struct live *l)
{
	return l->banner.rows > 0;
}

void live_clear(struct live *l)
{
	banner_clear(&l->banner);
}

void live_resized(struct live *l)
{
	banner_lost(&l->banner);
}

void live_room(const struct live *l, int *lines, int *columns)
{
	*lines = (int)(l->banner.lines - l->banner.rows);
	*columns = (int)l->banner.columns;
}
