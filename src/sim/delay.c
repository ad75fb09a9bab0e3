// SPDX-License-Identifier: GPL-2.0-or-later
/* Doorbells that were rung and have not fired yet (latency=): a queue in the order of time. */
#include "base/util.h"
#include "sim/internal.h"

/*
 * A vector that is under way already takes the new doorbell along: the queue is bounded, and none
 * is lost.
 */
void sim_delay_push(struct sim_device *d, unsigned int v)
{
	if (d->waiting[v]++ == 0)
		d->delayed[(d->delayed_first + d->delayed_count++) % MAX_VECTORS] =
			(struct sim_delayed){ .due = now_us() + d->spec.latency_us, .vector = v };
}

uint64_t sim_due(const struct sim_device *d)
{
	return d->delayed_count ? d->delayed[d->delayed_first].due : UINT64_MAX;
}

bool sim_delay_pop(struct sim_device *d, uint64_t now, unsigned int *v, uint64_t *n)
{
	if (!d->delayed_count || sim_due(d) > now)
		return false;
	*v = d->delayed[d->delayed_first].vector;
	*n = d->waiting[*v];
	d->waiting[*v] = 0;
	d->delayed_first = (d->delayed_first + 1) % MAX_VECTORS;
	d->delayed_count--;
	return true;
}

void sim_delay_forget(struct sim_device *d)
{
	for (unsigned int i = 0; i < d->delayed_count; i++)
		d->waiting[d->delayed[(d->delayed_first + i) % MAX_VECTORS].vector] = 0;
	d->delayed_first = d->delayed_count = 0;
}
