// SPDX-License-Identifier: GPL-2.0-or-later
/* A planned SET_IRQS on its way to the back end, and the state after it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fdlimit.h"
#include "base/util.h"
#include "device/internal.h"

static bool shares_pins(enum irq_index index)
{
	return index == IRQ_INTX || index == IRQ_MSI || index == IRQ_MSIX;
}

static bool has_eventfd(const struct index *ix, unsigned int v)
{
	return ix->vector && ix->vector[v] && ix->vector[v]->source.fd >= 0;
}

static unsigned int without_eventfd(const struct index *ix, const struct vector_set *which)
{
	unsigned int n = 0, v;

	for_each_vector (v, which)
		n += !has_eventfd(ix, v);
	return n;
}

static int no_descriptors(unsigned int need, int rc, uint64_t limit, struct error *e)
{
	rc = fail(e, CAUSE_FAILED, -rc,
		  "%u %s needed, the descriptor limit of %llu can't be raised so far", need,
		  need == 1 ? "eventfd is" : "eventfds are", (unsigned long long)limit);
	hint(e, "ulimit -Hn; as root it can be raised up to /proc/sys/fs/nr_open");
	return rc;
}

/*
 * Heard by the loop, or none at all: a vector that nobody listens to must not be taken for armed.
 */
static int make_eventfd(struct vector *v)
{
	int rc;

	v->source.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (v->source.fd < 0)
		return -errno;
	rc = loop_add(v->index->device->loop, &v->source);
	if (rc) {
		close(v->source.fd);
		v->source.fd = -1;
	}
	return rc;
}

int device_ready(struct device *d, enum irq_index index, const struct vector_set *which,
		 struct change *c, struct error *e)
{
	struct index *ix = &d->irq[index];
	unsigned int need = without_eventfd(ix, which), v;
	/* A dry run arms nothing. */
	bool dry = d->trace->dry_run;
	int rc = dry || !need ? 0 : fdlimit_raise(need, &c->fd_limit);

	if (rc < 0)
		return no_descriptors(need, rc, c->fd_limit, e);
	c->fd_limit_raised |= rc == 1;
	for_each_vector (v, which) {
		struct vector *vec = vector_get(ix, v);

		if (!vec)
			return fail(e, CAUSE_FAILED, ENOMEM, "no memory for vector %u", v);
		if (vec->source.fd >= 0 || dry)
			continue;
		rc = make_eventfd(vec);
		if (rc == -EMFILE && fdlimit_full(without_eventfd(ix, which), &c->fd_limit) == 1) {
			c->fd_limit_raised = true;
			rc = make_eventfd(vec);
		}
		if (rc)
			return fail(e, CAUSE_FAILED, -rc, "no eventfd for vector %u", v);
	}
	return 0;
}

static int32_t *eventfds_of(const struct index *ix, const struct irq_set *set)
{
	int32_t *fd = malloc(set->count * sizeof(*fd));

	for (unsigned int i = 0; fd && i < set->count; i++) {
		unsigned int v = set->start + i;

		fd[i] = vector_set_has(&set->attach, v) ? ix->vector[v]->source.fd : -1;
	}
	return fd;
}

/*
 * In a dry run it is armed as before, whatever the state say; a rebuild gives it the same eventfd
 * again.
 */
static void disarm(struct vector *v)
{
	if (v->index->device->trace->dry_run || v->index->rebuilding)
		v->armed = false;
	else
		vector_disarm(v);
}

static void commit_disable(struct index *ix)
{
	for (unsigned int v = 0; ix->vector && v < ix->info.count; v++) {
		if (!ix->vector[v])
			continue;
		disarm(ix->vector[v]);
		ix->vector[v]->masked = MASK_NOT;
	}
	ix->enabled = false;
	ix->allocated = (struct vector_set){ .bits = { 0 } };
}

/*
 * What a call that succeeded did. The enabling call allocates all up to its
 * last vector; a later one on a dynamic index only those that it attaches.
 */
static void commit_state(struct index *ix, const struct irq_set *set)
{
	if (set->data == IRQ_DATA_NONE && set->count == 0) {
		commit_disable(ix);
		return;
	}
	if (set->data != IRQ_DATA_EVENTFD || set->action != IRQ_ACTION_TRIGGER)
		return;
	if (!ix->enabled)
		vector_set_add_range(&ix->allocated, 0, set->start + set->count);
	ix->enabled = true;
	for (unsigned int v = set->start; v < set->start + set->count; v++) {
		struct vector *vec = ix->vector ? ix->vector[v] : NULL;

		if (vec && vector_set_has(&set->attach, v)) {
			vector_set_add(&ix->allocated, v);
			vec->armed = true;
			/*
			 * Attaching clears the vector control bit (measured; pci_write_msg_msix()).
			 */
			vec->masked = MASK_NOT;
		} else if (vec) {
			/*
			 * What is no longer armed is not held back either; taking the eventfd off
			 * to mask says so after us.
			 */
			if (vec->armed)
				disarm(vec);
			vec->masked = MASK_NOT;
		}
	}
	/* ERR and REQ are on only while they have an eventfd. */
	if (!shares_pins(ix->index) && vector_set_empty(&set->attach))
		ix->enabled = false;
}

void device_close_idle(struct index *ix)
{
	for (unsigned int v = 0; ix->vector && v < ix->info.count; v++)
		if (has_eventfd(ix, v) && !ix->vector[v]->armed)
			vector_disarm(ix->vector[v]);
}

int device_send(struct device *d, const struct irq_set *set, struct change *c)
{
	struct index *ix = &d->irq[set->index];
	_cleanup_free_ int32_t *fd = NULL;
	char text[256];
	uint64_t begin;
	int rc;

	if (set->data == IRQ_DATA_EVENTFD) {
		fd = eventfds_of(ix, set);
		if (!fd)
			return -ENOMEM;
	}
	if (trace_would(d->trace, "VFIO_DEVICE_SET_IRQS", irq_set_text(set, text, sizeof(text)))) {
		c->calls++;
		commit_state(ix, set);
		return 0;
	}
	begin = now_us();
	c->outcome =
		(struct set_outcome){ .messages = 1, .start = set->start, .count = set->count };
	rc = d->ops->set_irqs(d->handle, set, fd, &c->outcome);
	c->us += now_us() - begin;
	c->calls += c->outcome.messages;
	if (rc == 0)
		commit_state(ix, set);
	return rc;
}

void device_commit_failed(struct device *d, const struct irq_set *set, bool keep_armed)
{
	struct index *ix = &d->irq[set->index];

	if (set->data != IRQ_DATA_EVENTFD)
		return;
	for (unsigned int v = set->start; ix->vector && v < set->start + set->count; v++)
		if (ix->vector[v] && !(keep_armed && ix->vector[v]->armed))
			vector_disarm(ix->vector[v]);
}

void device_after_failed(struct device *d, const struct irq_set *set, struct change *c)
{
	struct vector_set armed;
	int rc = device_read_back(d, set->index, &c->unknown);

	if (rc == 0)
		return;
	device_commit_failed(d, set, rc != -EOPNOTSUPP);
	if (rc == -EOPNOTSUPP)
		return;
	c->unread = -rc;
	armed = device_armed(d, set->index);
	c->unknown = vector_set_or(&c->unknown, &armed);
}

/* A vector whose number no IRQ tells may be one of those: what is assumed of it stays assumed. */
static void commit_allocated(struct index *ix, const struct host_irqs *h)
{
	struct vector_set assumed = ix->allocated;
	bool unplaced = false;

	ix->allocated = (struct vector_set){ .bits = { 0 } };
	ix->enabled = false;
	for (size_t i = 0; i < h->n; i++) {
		if (h->irq[i].index != ix->index)
			continue;
		ix->enabled = true;
		unplaced = unplaced || h->irq[i].vector < 0;
		if (h->irq[i].vector >= 0)
			vector_set_add(&ix->allocated, (unsigned int)h->irq[i].vector);
	}
	if (unplaced)
		ix->allocated = vector_set_or(&ix->allocated, &assumed);
}

static void commit_host(struct index *ix, const struct host_irqs *h, struct vector_set *unknown)
{
	struct vector_set armed = host_irqs_armed(h, ix->index);
	unsigned int unseen = host_irqs_unseen(h, ix->index);

	commit_allocated(ix, h);
	for (unsigned int v = 0; ix->vector && v < ix->info.count; v++) {
		struct vector *vec = ix->vector[v];

		if (!vec || vec->source.fd < 0 || vector_set_has(&armed, v))
			continue;
		/*
		 * What was armed and may be armed still keeps its eventfd: closed, it could not be
		 * had back.
		 */
		if (vec->armed && unseen)
			vector_set_add(unknown, v);
		else
			vector_disarm(vec);
	}
}

int device_read_back(struct device *d, enum irq_index index, struct vector_set *unknown)
{
	struct host_irqs h = { 0 };
	int rc;

	if (!d->ops->host_irqs || !d->has_addr || !shares_pins(index))
		return -EOPNOTSUPP;
	if (d->trace->dry_run)
		return 0;
	rc = host_irqs_read(d->root, &d->addr, HOST_IRQ_BRIEF, &h);
	if (rc == 0)
		commit_host(&d->irq[index], &h, unknown);
	host_irqs_free(&h);
	return rc;
}
