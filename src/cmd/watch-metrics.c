// SPDX-License-Identifier: GPL-2.0-or-later
/* A sample as a page of counters, for whoever gathers them. */
#include <errno.h>

#include "base/util.h"
#include "cmd/watch.h"
#include "out/metrics.h"

static void add_device(struct metrics *m, const struct watched *d)
{
	enum metrics_source source = watched_ours(d) ? METRICS_EVENTFD : METRICS_HOST;

	for (size_t v = 0; v < d->samples.n; v++) {
		struct reading r = d->samples.v[v].now;
		const struct host_irq *irq = watched_irq(d, &r);

		r.has_irq = irq;
		r.irq = irq ? irq->irq : 0;
		if (d->samples.v[v].present)
			metrics_add(m, d->full, source, &r);
	}
}

static int make_page(const struct watch *w, struct metrics *m)
{
	int rc = metrics_begin(m);

	if (rc)
		return rc;
	for (size_t i = 0; i < w->n; i++)
		add_device(m, &w->device[i]);
	for (size_t i = 0; i < w->n; i++) {
		const struct watched *d = &w->device[i];

		if (!watched_ours(d) && d->samples.n)
			metrics_add_posted(m, d->full, d->posted.possible);
	}
	for (size_t i = 0; i < w->n; i++) {
		const struct watched *d = &w->device[i];
		int missing;

		if (!watched_ours(d) && host_irqs_partial(&d->host.irqs, &missing))
			metrics_add_missing(m, d->full, missing);
	}
	return metrics_end(m);
}

int watch_write_metrics(const struct watch *w, struct error *e)
{
	struct metrics m;
	int rc = make_page(w, &m);

	rc = rc ? fail_memory(e) : metrics_write(&m, w->metrics, e);
	metrics_free(&m);
	return rc;
}

/* One that can't be asked leaves a gap that is told of. */
static int print(struct session *s, const struct watch *w, struct error *e)
{
	struct metrics m;
	int rc = make_page(w, &m);

	if (w->note[0])
		out_note(s->out, "msictl: %s", w->note);
	for (size_t i = 0; i < w->n; i++)
		if (!w->device[i].own && (!w->device[i].here || w->device[i].unread))
			out_note(s->out, "msictl: %s is not told of: %s", w->device[i].name,
				 w->device[i].unread ? "it cannot be looked at"
						     : "it went, or its holder does not answer");
	if (!rc)
		out_raw(s->out, false, m.text, m.size);
	metrics_free(&m);
	return rc ? fail_memory(e) : 0;
}

int watch_print_metrics(struct session *s, const struct args *a, struct error *e)
{
	struct watch w = { 0 };
	int rc = watch_choose(s, &w, a, e);

	if (!rc)
		rc = watch_look(s, &w, e);
	/* what was asked of a holder was given up, and is not known */
	if (!rc && s->loop && loop_stopped(s->loop))
		rc = session_stopped(s, e);
	if (!rc)
		rc = print(s, &w, e);
	watch_forget(&w);
	return rc;
}
