// SPDX-License-Identifier: GPL-2.0-or-later
/* What watch shows of a sample. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "cmd/vectors.h"
#include "cmd/watch-page.h"

/*
 * Which columns are shown unless -o says otherwise: of one device or several, of all with a line
 * each, of our own. A terminal of 80 columns cuts off what is last: where interrupts go, not
 * whether they come.
 */
#define COLUMNS(one, every, own)                                                                    \
	(const struct column[])                                                                     \
	{                                                                                           \
		{ "DEVICE", "slot", CELL_TEXT, "bus:dev.fn", one },                                 \
			{ "ADDRESS", "device", CELL_TEXT, "the full address", true },               \
			{ "DRIVER", "driver", CELL_TEXT, "the bound driver", !(every) },            \
			{ "VECTORS", "vectors", CELL_NUMBER, "its vectors, a line per function",    \
			  !(every) },                                                               \
			{ "ACTIVE", "active", CELL_NUMBER,                                          \
			  "those that counted since the last refresh", !(every) },                  \
			{ "INDEX", "index", CELL_TEXT, "intx, msi, msix, err or req", every },      \
			{ "VECTOR", "vector", CELL_NUMBER, "the number within the index", every },  \
			{ "COUNT", "count", CELL_NUMBER,                                            \
			  "eventfd counts in a session, else interrupts", false },                  \
			{ "DELTA", "delta", CELL_NUMBER, "since the last refresh", false },         \
			{ "RATE", "rate", CELL_NUMBER, "per second since the last refresh",         \
			  false },                                                                  \
			{ "IDLE", "idle_us", CELL_TIME,                                             \
			  "since the last refresh that saw an event", false },                      \
			{ "TREND", "history", CELL_TREND, "the last 8 rates", false },              \
			{ "MARK", "mark", CELL_TEXT,                                                \
			  "storm: above --storm; once: one event and none since; posted: see help", \
			  false },                                                                  \
			{ "COALESCED", "coalesced", CELL_NUMBER,                                    \
			  "counts that shared a wake-up, in a session", !(own) },                   \
			{ "IRQ", "irq", CELL_NUMBER, "the Linux IRQ", every },                      \
			{ "CPUS", "cpus", CELL_NUMBER, "CPUs that ever took it",                    \
			  (every) || (own) },                                                       \
			{ "MISSING", "cpus_missing", CELL_NUMBER,                                   \
			  "CPUs whose interrupts are not in COUNT", true },                         \
			{ "CPU", "effective", CELL_TEXT, "the CPUs in effect", every },             \
			{ "AFFINITY", "affinity", CELL_TEXT, "the CPUs wanted", true },             \
			{ "ACTION", "action", CELL_TEXT, "the handler's name", true },              \
			{ "HOLDER", "held_by.command", CELL_TEXT,                                   \
			  "the program that holds it on VFIO", true },                              \
	}

#define NR_COLUMNS 21

const struct table watch_table = { .array = "vectors",
				   .column = COLUMNS(true, false, false),
				   .n = NR_COLUMNS };
static const struct table own_table = { .array = "vectors",
					.column = COLUMNS(true, false, true),
					.n = NR_COLUMNS };
static const struct table many_table = { .array = "vectors",
					 .column = COLUMNS(false, false, false),
					 .n = NR_COLUMNS };
static const struct table every_table = { .array = "devices",
					  .column = COLUMNS(false, true, false),
					  .n = NR_COLUMNS };

static void doc_trend(node *o, const struct row *row, uint64_t now)
{
	const struct trend *t = row->trend;
	node *history;

	doc_number_if(o, "delta", row->compared, t->delta);
	if (row->compared)
		doc_real(o, "rate", t->rate);
	else
		doc_null(o, "rate");
	doc_number_if(o, "idle_us", t->last_us, now - t->last_us);
	history = doc_array(o, "history");
	for (unsigned int i = 0; i < t->n; i++)
		doc_push_real(history, t->history[i]);
}

static void doc_irq(node *o, const struct row *row)
{
	const struct host_irq *irq = watched_irq(row->d, &row->v->now);
	unsigned int cpus = irq && irq->counted ? irq->cpus : 0;

	doc_number_if(o, "irq", irq, irq ? irq->irq : 0);
	doc_number_if(o, "cpus", cpus, cpus);
	doc_count_source(o, irq);
	doc_word(o, "affinity", irq ? irq->affinity : NULL);
	doc_word(o, "effective", irq ? irq->effective : NULL);
	doc_word(o, "action", irq ? irq->action : NULL);
}

/* Of a VM's vector silence means nothing. */
static const char *mark_of(const struct watch *w, const struct row *row)
{
	enum mark mark = sampled_mark(&row->d->samples, row->v, w->storm);

	return row->d->posted.possible && mark == MARK_ONCE ? NULL : mark_word(mark);
}

static void doc_vector(node *o, const struct watch *w, const struct row *row)
{
	const struct reading *r = &row->v->now;

	doc_text(o, "index", irq_index_word(r->index));
	doc_number_if(o, "vector", r->vector >= 0, (uint64_t)r->vector);
	doc_number_if(o, "count", r->counted, r->count);
	if (watched_ours(row->d)) {
		doc_number(o, "wakeups", r->wakeups);
		doc_number(o, "coalesced", r->count > r->wakeups ? r->count - r->wakeups : 0);
	}
	doc_irq(o, row);
	doc_text(o, "mark", mark_of(w, row));
}

static void doc_device(node *o, const struct row *row)
{
	unsigned int active, n;
	uint64_t count;
	int missing;

	n = page_vectors(row->d, &active, &count);
	doc_word(o, "driver", row->d->driver);
	doc_number(o, "vectors", n);
	doc_number(o, "active", active);
	doc_number_if(o, "count", count != UINT64_MAX, count);
	host_irqs_partial(&row->d->host.irqs, &missing);
	doc_number_if(o, "cpus_missing", count != UINT64_MAX && missing >= 0, (uint64_t)missing);
	doc_text(o, "mark", row->d->posted.possible ? "posted" : NULL);
}

static void doc_row_of(node *array, const struct watch *w, const struct row *row)
{
	node *o = doc_row(array);

	doc_text(o, "device", row->d->full);
	doc_text(o, "slot", row->d->name);
	if (row->v)
		doc_vector(o, w, row);
	else
		doc_device(o, row);
	if (!watched_ours(row->d))
		doc_posted(o, &row->d->posted);
	doc_trend(o, row, row->d->samples.at_us);
}

static void doc_head(node *doc, const struct page *p, char clock[16])
{
	const struct samples *s = p->w->n ? &p->w->device[0].samples : NULL;
	bool compared = s && s->taken > 1;
	struct timespec at;
	char day[32] = "";
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &at);
	if (gmtime_r(&at.tv_sec, &tm))
		strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	clock[0] = '\0';
	if (localtime_r(&at.tv_sec, &tm))
		strftime(clock, 16, "%H:%M:%S", &tm);
	doc_textf(doc, "time", "%s.%03dZ", day, (int)(at.tv_nsec / 1000000));
	doc_number_if(doc, "interval_us", compared, compared ? s->at_us - s->before_us : 0);
}

/* Nothing is told of it now. */
static bool is_missing(const struct watched *d)
{
	return !d->own && (!d->here || (d->unread && !d->held));
}

static void doc_missing(node *doc, const struct watch *w)
{
	node *missing = doc_array(doc, "missing");

	for (size_t i = 0; i < w->n; i++)
		if (is_missing(&w->device[i]))
			doc_push_text(missing, w->device[i].full);
}

static void head_line(struct out *o, const struct page *p, const char *clock)
{
	const struct watch *w = p->w;
	const struct samples *s = w->n ? &w->device[0].samples : NULL;
	uint64_t interval = s && s->taken > 1 ? s->at_us - s->before_us : 0;
	const char *who = w->every ? "all functions" : w->device[0].name;
	char rate[32] = "";

	if (interval)
		snprintf(rate, sizeof(rate), "  %.1f/s", (double)p->delta * 1e6 / (double)interval);
	out_bold(o, "%s  %s%s  %" PRIu64 " vectors, %" PRIu64 " active%s%s", clock, who,
		 !w->every && w->n > 1 ? ", ..." : "", p->vectors, p->active, rate,
		 w->screen ? "  q quits, sort: v i r c d" : "");
}

static const char *absence(const struct watched *d)
{
	if (d->unread && !d->held)
		return " cannot be looked at";
	if (d->unresponsive)
		return ": its holder does not answer";
	return d->held ? " is held no more" : " is not there";
}

static void notes(struct out *o, const struct page *p)
{
	const struct watch *w = p->w;

	if (p->silent)
		out_text(o, "%zu silent: %s", p->silent,
			 p->silent_text ? p->silent_text : "vectors not known");
	for (size_t i = 0; i < w->n; i++)
		if (is_missing(&w->device[i]))
			out_text(o, "%s%s", w->device[i].name, absence(&w->device[i]));
	if (w->screen && w->note[0])
		out_text(o, "%s", w->note);
}

/* Lines that the page takes besides its rows. */
static unsigned int fixed_lines(const struct page *p)
{
	unsigned int n = 2 + (p->silent != 0) + (p->w->note[0] != 0);

	for (size_t i = 0; i < p->w->n; i++)
		n += is_missing(&p->w->device[i]);
	return n;
}

/* The busiest first when not all fit. Returns how many are left out. */
static size_t fit(struct page *p, unsigned int limit)
{
	unsigned int fixed = fixed_lines(p), room = limit > fixed + 2 ? limit - fixed : 2;
	size_t out;

	if (!limit || p->n <= room)
		return 0;
	if (!p->w->sorted)
		page_sort(p, SORT_RATE);
	out = p->n - (room - 1);
	p->n = room - 1;
	return out;
}

static const struct table *table_for(const struct watch *w)
{
	if (w->every)
		return &every_table;
	if (w->n > 1)
		return &many_table;
	return watched_ours(&w->device[0]) ? &own_table : &watch_table;
}

static int tell(struct out *o, struct page *p, unsigned int limit)
{
	const struct table *t = table_for(p->w);
	node *doc = out_doc(o), *array;
	char clock[16];
	size_t more, quiet = 0;
	int rc;

	doc_head(doc, p, clock);
	array = doc_array(doc, t->array);
	page_sort(p, p->w->sort);
	more = fit(p, limit);
	for (size_t i = 0; i < more; i++)
		quiet += trend_quiet(p->row[p->n + i].trend);
	for (size_t i = 0; i < p->n; i++)
		doc_row_of(array, p->w, &p->row[i]);
	doc_missing(doc, p->w);
	head_line(o, p, clock);
	rc = out_table(o, t);
	if (more)
		out_text(o, "%zu more, %zu of them quiet", more, quiet);
	notes(o, p);
	return rc;
}

int watch_tell(struct out *o, struct watch *w, unsigned int limit)
{
	struct page p = { .w = w };
	int rc = page_gather(&p, !out_is_json(o));

	if (!rc)
		rc = tell(o, &p, limit);
	free(p.row);
	free(p.silent_text);
	return rc;
}
