// SPDX-License-Identifier: GPL-2.0-or-later
#include "term/panel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "irq/vector-set.h"

/* A tenth of a second between two drawings at least; a rate is that of a second. */
#define DRAW_US 100000
#define RATE_US 1000000

#define EVENTS	3
#define SHOWN	256
#define RULE	"--- live off hides this "
#define CELLGAP 3

struct entry {
	enum irq_index index;
	unsigned int vector;
	uint64_t count, fresh; /* fresh: in the second that runs */
	uint64_t rate;	       /* of the second before it */
	bool active;	       /* in panel.active */
	bool shown;	       /* in panel.shown */
};

struct event {
	time_t at;
	char text[160];
};

struct total {
	struct panel_index state;
	uint64_t count, fresh, rate;
	time_t last;
	struct entry *entry; /* MAX_VECTORS, NULL until one counts */
};

struct panel {
	struct total index[NR_IRQ_INDEX];
	struct entry **active; /* counted in this second or the one before it */
	size_t nactive, room;
	struct entry *shown[SHOWN]; /* the busiest; they stay until others are busier */
	size_t nshown;
	struct event event[EVENTS]; /* the latest first */
	unsigned int nevents;
	uint64_t since; /* when the second that runs began, 0: none does */
	uint64_t drawn;
	bool changed;
};

/* How a number of rows is given out. */
struct split {
	unsigned int indexes, vectors, events;
};

struct widths {
	int name, count, rate;
};

int panel_new(struct panel **p)
{
	*p = calloc(1, sizeof(**p));
	return *p ? 0 : -ENOMEM;
}

void panel_forget(struct panel *p)
{
	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++) {
		free(p->index[i].entry);
		p->index[i] = (struct total){ 0 };
	}
	p->nactive = p->nshown = 0;
	p->since = 0;
	p->changed = true;
}

void panel_free(struct panel *p)
{
	if (!p)
		return;
	panel_forget(p);
	free(p->active);
	free(p);
}

void panel_set(struct panel *p, enum irq_index index, const struct panel_index *state)
{
	p->index[index].state = *state;
	p->changed = true;
}

static struct entry *entry_get(struct panel *p, enum irq_index index, unsigned int vector)
{
	struct total *t = &p->index[index];

	if (!t->entry)
		t->entry = calloc(MAX_VECTORS, sizeof(*t->entry));
	if (!t->entry)
		return NULL;
	t->entry[vector].index = index;
	t->entry[vector].vector = vector;
	return &t->entry[vector];
}

static int activate(struct panel *p, struct entry *v)
{
	if (v->active)
		return 0;
	if (p->nactive == p->room) {
		size_t room = p->room ? p->room * 2 : 16;
		struct entry **more = reallocarray(p->active, room, sizeof(struct entry *));

		if (!more)
			return -ENOMEM;
		p->active = more;
		p->room = room;
	}
	p->active[p->nactive++] = v;
	v->active = true;
	return 0;
}

int panel_count(struct panel *p, const struct panel_count *c, uint64_t now, time_t at)
{
	struct entry *v = c->vector < MAX_VECTORS ? entry_get(p, c->index, c->vector) : NULL;
	struct total *t = &p->index[c->index];

	if (!v || activate(p, v))
		return -ENOMEM;
	add_count(&t->count, c->total - v->count);
	v->count = c->total;
	add_count(&v->fresh, c->n);
	add_count(&t->fresh, c->n);
	if (c->n)
		t->last = at;
	if (!p->since)
		p->since = now;
	p->changed = true;
	return 0;
}

void panel_event(struct panel *p, time_t at, const char *text)
{
	memmove(p->event + 1, p->event, (EVENTS - 1) * sizeof(p->event[0]));
	p->event[0].at = at;
	escape_text(text, p->event[0].text, sizeof(p->event[0].text));
	p->nevents += p->nevents < EVENTS;
	p->changed = true;
}

uint64_t panel_due(const struct panel *p)
{
	uint64_t second = p->since ? p->since + RATE_US : UINT64_MAX;
	uint64_t draw = p->changed ? p->drawn + DRAW_US : UINT64_MAX;

	return draw < second ? draw : second;
}

static uint64_t per_second(uint64_t n, uint64_t us)
{
	return (uint64_t)((double)n * 1e6 / (double)us + 0.5);
}

/* A second is over: what counted in it has a rate, what did not is active no more. */
static void roll(struct panel *p, uint64_t now)
{
	uint64_t us = p->since ? now - p->since : 0;
	size_t n = 0;

	if (!p->since || us < RATE_US)
		return;
	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++) {
		p->index[i].rate = per_second(p->index[i].fresh, us);
		p->index[i].fresh = 0;
	}
	for (size_t i = 0; i < p->nactive; i++) {
		struct entry *v = p->active[i];

		v->rate = per_second(v->fresh, us);
		v->active = v->fresh > 0;
		v->fresh = 0;
		if (v->active)
			p->active[n++] = v;
	}
	p->nactive = n;
	p->since = n ? now : 0;
}

static int busier(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;
	uint64_t m = x->fresh + x->rate, n = y->fresh + y->rate;

	if (m != n)
		return m < n ? 1 : -1;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	/* Who is on the screen stays there. */
	return (int)y->shown - (int)x->shown;
}

static int by_number(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;

	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	return (x->vector > y->vector) - (x->vector < y->vector);
}

/* The others have one vector each, and the line of their index says all of it. */
static bool has_many(enum irq_index index)
{
	return index == IRQ_MSI || index == IRQ_MSIX;
}

/* The busiest @most; those that are quiet now keep what room is left. */
static void choose(struct panel *p, size_t most)
{
	struct entry *before[SHOWN];
	size_t n = p->nshown, chosen = 0;

	memcpy(before, p->shown, n * sizeof(struct entry *));
	most = most < SHOWN ? most : SHOWN;
	if (p->nactive > 1)
		qsort(p->active, p->nactive, sizeof(struct entry *), busier);
	for (size_t i = 0; i < n; i++)
		before[i]->shown = false;
	for (size_t i = 0; i < p->nactive && chosen < most; i++) {
		if (!has_many(p->active[i]->index))
			continue;
		p->active[i]->shown = true;
		p->shown[chosen++] = p->active[i];
	}
	for (size_t i = 0; i < n && chosen < most; i++) {
		if (before[i]->shown)
			continue;
		before[i]->shown = true;
		p->shown[chosen++] = before[i];
	}
	p->nshown = chosen;
}

static int digits(uint64_t n)
{
	int d = 1;

	while (n /= 10)
		d++;
	return d;
}

static void widen(int *width, int to)
{
	if (*width < to)
		*width = to;
}

static struct widths measure(const struct panel *p)
{
	struct widths w = { 0 };

	for (size_t i = 0; i < p->nshown; i++) {
		const struct entry *v = p->shown[i];

		widen(&w.name, (int)strlen(irq_index_word(v->index)) + 1 + digits(v->vector));
		widen(&w.count, digits(v->count));
		widen(&w.rate, digits(v->rate));
	}
	return w;
}

/* How many vectors are side by side; "msix 12  4711  100/s". */
static unsigned int side_by_side(const struct widths *w, unsigned int columns)
{
	unsigned int cell = (unsigned int)(w->name + 2 + w->count + 2 + w->rate + 2);
	unsigned int n = (columns + CELLGAP) / (cell + CELLGAP);

	return n ? n : 1;
}

static bool listed(const struct total *t)
{
	return t->state.on || t->count;
}

static unsigned int take(unsigned int *room, unsigned int want)
{
	unsigned int n = want < *room ? want : *room;

	*room -= n;
	return n;
}

/* @rows without the rule. Each kind gets a line before the others get more. */
static struct split give_out(struct panel *p, unsigned int rows, unsigned int columns)
{
	unsigned int indexes = 0, lines, per_line;
	struct split s = { 0 };
	struct widths w;

	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++)
		indexes += listed(&p->index[i]);
	choose(p, SHOWN);
	w = measure(p);
	per_line = side_by_side(&w, columns);
	lines = ((unsigned int)p->nshown + per_line - 1) / per_line;
	s.indexes = take(&rows, indexes);
	s.events = take(&rows, p->nevents ? 1 : 0);
	s.vectors = take(&rows, lines ? 1 : 0);
	s.events += take(&rows, p->nevents - s.events);
	s.vectors += take(&rows, lines - s.vectors);
	return s;
}

unsigned int panel_rows(struct panel *p, unsigned int most, unsigned int columns)
{
	struct split s = { 0 };

	if (most > 1)
		s = give_out(p, most - 1, columns);
	return s.indexes + s.vectors + s.events ? s.indexes + s.vectors + s.events + 1 : 0;
}

static void clock_text(time_t at, char buf[16])
{
	struct tm tm;

	buf[0] = '\0';
	if (localtime_r(&at, &tm))
		strftime(buf, 16, "%H:%M:%S", &tm);
}

static void index_line(const struct total *t, unsigned int index, char *line, size_t size)
{
	char armed[32] = "off", at[16];

	line[0] = '\0';
	if (t->state.on)
		snprintf(armed, sizeof(armed), "%u of %u armed", t->state.armed, t->state.of);
	append(line, size, "%-4s  %-18s  %10" PRIu64 " counted  %8" PRIu64 "/s",
	       irq_index_word(index), armed, t->count, t->rate);
	if (!t->last)
		return;
	clock_text(t->last, at);
	append(line, size, "  last at %s", at);
}

static void put_indexes(FILE *f, const struct panel *p, unsigned int rows)
{
	for (unsigned int i = 0; i < NR_IRQ_INDEX && rows; i++) {
		char line[128];

		if (!listed(&p->index[i]))
			continue;
		index_line(&p->index[i], i, line, sizeof(line));
		fprintf(f, "%s\n", line);
		rows--;
	}
}

static void put_vectors(FILE *f, struct panel *p, unsigned int rows, unsigned int columns)
{
	struct widths w = measure(p);
	unsigned int per_line = side_by_side(&w, columns);

	/* Those that fit are in the order of their numbers, so that an eye finds them again. */
	choose(p, (size_t)rows * per_line);
	w = measure(p);
	qsort(p->shown, p->nshown, sizeof(struct entry *), by_number);
	for (unsigned int r = 0; r < rows; r++) {
		char line[1024] = "";

		for (size_t i = (size_t)r * per_line;
		     i < p->nshown && i < ((size_t)r + 1) * per_line; i++) {
			const struct entry *v = p->shown[i];
			char name[32];

			snprintf(name, sizeof(name), "%s %u", irq_index_word(v->index), v->vector);
			append(line, sizeof(line), "%s%-*s  %*" PRIu64 "  %*" PRIu64 "/s",
			       i % per_line ? "   " : "", w.name, name, w.count, v->count, w.rate,
			       v->rate);
		}
		fprintf(f, "%s\n", line);
	}
}

static void put_events(FILE *f, const struct panel *p, unsigned int rows)
{
	while (rows--) {
		char at[16];

		clock_text(p->event[rows].at, at);
		fprintf(f, "%s  %s\n", at, p->event[rows].text);
	}
}

static void put_rule(FILE *f, unsigned int columns)
{
	for (unsigned int i = 0; i < columns; i++)
		fputc(i < sizeof(RULE) - 1 ? RULE[i] : '-', f);
	fputc('\n', f);
}

char *panel_draw(struct panel *p, uint64_t now, unsigned int rows, unsigned int columns)
{
	struct split s;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	/* Who was active is remembered as such, however long nobody drew. */
	choose(p, SHOWN);
	roll(p, now);
	p->drawn = now;
	p->changed = false;
	s = give_out(p, rows ? rows - 1 : 0, columns);
	put_indexes(f, p, s.indexes);
	put_vectors(f, p, s.vectors, columns);
	put_events(f, p, s.events);
	for (unsigned int i = s.indexes + s.vectors + s.events + 1; i < rows; i++)
		fputc('\n', f);
	if (rows)
		put_rule(f, columns);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}
