// SPDX-License-Identifier: GPL-2.0-or-later
/* One vector: its eventfd and what was counted. */
#include <stdlib.h>
#include <unistd.h>

#include "base/eventfd.h"
#include "base/util.h"
#include "device/internal.h"

/*
 * The counter, and whether there was something. An eventfd that only the kernel
 * has besides us keeps its O_NONBLOCK, and read() takes a tenth less time than
 * eventfd_take(), which makes sure whatever a peer does with the flag.
 */
static bool take(const struct vector *v, uint64_t *n)
{
	if (v->shared)
		return eventfd_take(v->source.fd, n) == 1;
	return read(v->source.fd, n, sizeof(*n)) == sizeof(*n);
}

bool vector_take(struct vector *v, uint64_t *n, uint64_t *own)
{
	if (!take(v, n))
		return false;
	*own = *n < v->expected ? *n : v->expected;
	v->expected -= *own;
	add_count(&v->loopback, *own);
	if (!add_count(&v->count, *n))
		v->saturated = true;
	v->wakeups++;
	return true;
}

/* What was signalled before the release still counts. A late REQ asks for nothing any more. */
static void take_left(struct vector *v)
{
	const struct device_events *ev = &v->index->device->events;
	uint64_t n, own;

	if (v->index->index != IRQ_REQ && vector_take(v, &n, &own) && ev->counted)
		ev->counted(ev->ctx, v->index, v, n);
}

struct vector *vector_get(struct index *ix, unsigned int number)
{
	struct vector *v;

	if (!ix->vector)
		ix->vector = calloc(ix->info.count, sizeof(struct vector *));
	if (!ix->vector)
		return NULL;
	if (ix->vector[number])
		return ix->vector[number];
	v = calloc(1, sizeof(*v));
	if (!v)
		return NULL;
	v->index = ix;
	v->number = number;
	v->shared = ix->device->ops->eventfd_shared;
	v->source = (struct source){ .fd = -1, .ready = ix->device->ready, .owner = v };
	return ix->vector[number] = v;
}

void vector_disarm(struct vector *v)
{
	v->armed = false;
	if (v->source.fd < 0)
		return;
	loop_del(v->index->device->loop, &v->source);
	take_left(v);
	v->expected = 0;
	close(v->source.fd);
	v->source.fd = -1;
}
