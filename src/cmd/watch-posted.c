// SPDX-License-Identifier: GPL-2.0-or-later
/* Which of the functions that are looked at may be a VM's, as VMs start and end. */
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "cmd/vectors.h"
#include "cmd/watch.h"
#include "host/function.h"

/* So many are named in the note. */
#define NAMED 3

/* In the view of all functions those without vectors have no row. */
static bool asks(const struct watch *w, const struct watched *d)
{
	return !watched_ours(d) && d->here && d->group >= 0 && driver_is_vfio(d->driver) &&
	       (!w->every || d->host.irqs.n);
}

static bool in_use(const struct watched *d)
{
	for (size_t i = 0; i < d->host.irqs.n; i++)
		if (d->host.irqs.irq[i].armed)
			return true;
	return false;
}

/*
 * A walk through all processes: after some time, and at once when somebody did something to such a
 * device.
 */
static bool is_due(struct watch *w, uint64_t now, size_t *asking)
{
	bool due = !w->posted_us || now - w->posted_us >= HOST_EVERY_US;

	*asking = 0;
	for (size_t i = 0; i < w->n; i++) {
		struct watched *d = &w->device[i];
		bool asked = asks(w, d);

		due = due || asked != d->asked || (asked && d->asked_at != d->host.changes);
		*asking += asked;
		d->asked = asked;
		d->asked_at = d->host.changes;
	}
	return due;
}

/* Counts that leave CPUs out: of one device, for all have the same CPUs. */
static void tell_partial(struct watch *w)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct watched *d = &w->device[i];
		unsigned int irqs;
		int missing;

		irqs = watched_ours(d) ? 0 : host_irqs_partial(&d->host.irqs, &missing);
		if (!irqs)
			continue;
		partial_append(w->note, sizeof(w->note), d->name, irqs, missing);
		return;
	}
}

static void compose(struct watch *w)
{
	size_t named = 0, more = 0;

	w->note[0] = '\0';
	for (size_t i = 0; i < w->n; i++) {
		const struct watched *d = &w->device[i];

		if (!d->posted.possible)
			continue;
		if (named++ < NAMED)
			posted_append(w->note, sizeof(w->note), d->name, &d->posted);
		else
			more++;
	}
	if (more)
		append(w->note, sizeof(w->note), ", %zu more by others", more);
	if (named)
		append(w->note, sizeof(w->note), ": " POSTED_MEANS);
	tell_partial(w);
}

static int judge(struct session *s, struct watch *w)
{
	_cleanup_free_ struct group_use *use = w->n ? calloc(w->n, sizeof(*use)) : NULL;
	int rc;

	if (!use)
		return -ENOMEM;
	for (size_t i = 0; i < w->n; i++)
		use[i].group = w->device[i].asked ? w->device[i].group : -1;
	rc = group_holders(&s->root, use, w->n);
	for (size_t i = 0; i < w->n; i++) {
		struct watched *d = &w->device[i];

		if (d->asked)
			d->posted = posted_judge(&use[i].by, rc < 0, in_use(d));
	}
	return 0;
}

int watch_look_posted(struct session *s, struct watch *w, uint64_t now, struct error *e)
{
	size_t asking;
	int rc = 0;

	if (is_due(w, now, &asking)) {
		w->posted_us = now;
		for (size_t i = 0; i < w->n; i++)
			w->device[i].posted = (struct posted){ 0 };
		if (asking)
			rc = judge(s, w);
	}
	compose(w);
	return rc ? fail_memory(e) : 0;
}
