// SPDX-License-Identifier: GPL-2.0-or-later
#include "device/handle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/eventfd.h"
#include "base/util.h"
#include "device/internal.h"

int device_here(const struct device *d, struct error *e)
{
	int rc;

	if (d->handle)
		return 0;
	rc = fail(e, d->gone_cause ? d->gone_cause : CAUSE_NO_DEVICE, ENODEV, "%s",
		  d->gone ? d->gone : "the device is no longer open");
	hint(e, "reopen   once it is back");
	return rc;
}

struct index *device_index(struct device *d, enum irq_index index, struct error *e)
{
	struct index *ix = &d->irq[index];
	const char *word = irq_index_word(index);

	if (device_here(d, e))
		return NULL;
	if (ix->present && ix->info.count > 0)
		return ix;
	if (!ix->present && index == IRQ_ERR && !device_served(d))
		fail(e, CAUSE_FAILED, 0, "the device has no err: it is not PCI Express");
	else
		fail(e, CAUSE_FAILED, 0, "the device has no %s", word);
	return NULL;
}

struct vector_set device_armed(const struct device *d, enum irq_index index)
{
	const struct index *ix = &d->irq[index];
	struct vector_set s = { 0 };

	for (unsigned int v = 0; ix->vector && v < ix->info.count; v++)
		if (ix->vector[v] && ix->vector[v]->armed)
			vector_set_add(&s, v);
	return s;
}

struct vector_set device_masked(const struct device *d, enum irq_index index)
{
	const struct index *ix = &d->irq[index];
	struct vector_set s = { 0 };

	for (unsigned int v = 0; ix->vector && v < ix->info.count; v++)
		if (ix->vector[v] && ix->vector[v]->masked != MASK_NOT)
			vector_set_add(&s, v);
	return s;
}

void device_state(const struct device *d, enum irq_index index, struct irq_state *st)
{
	const struct index *ix = &d->irq[index];

	*st = (struct irq_state){ .index = index,
				  .count = ix->info.count,
				  .flags = ix->info.flags,
				  .enabled = ix->enabled,
				  .allocated = ix->allocated,
				  .armed = device_armed(d, index) };
}

/* The kernel asks once and then blocks whoever unbinds until we let go: so at once. */
static void let_go(struct device *d)
{
	d->gone = device_served(d) ? "the peer took the device back"
				   : "the kernel took the device back";
	device_undo(d, false);
	if (d->events.released)
		d->events.released(d->events.ctx);
}

void device_wanted_back(struct device *d)
{
	if (d->handle)
		let_go(d);
}

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

static void on_eventfd(struct source *s)
{
	struct vector *v = s->owner;
	struct index *ix = v->index;
	struct device *d = ix->device;
	uint64_t n, own;

	if (!take(v, &n))
		return;
	own = n < v->expected ? n : v->expected;
	v->expected -= own;
	add_count(&v->loopback, own);
	if (!add_count(&v->count, n))
		v->saturated = true;
	v->wakeups++;
	if (ix->index == IRQ_REQ && n > own) {
		let_go(d);
		return;
	}
	/*
	 * A level interrupt is masked by the kernel until it is told to UNMASK
	 * (VFIO_IRQ_INFO_AUTOMASKED).
	 */
	if ((ix->info.flags & IRQ_AUTOMASKED) && n > own && v->armed)
		v->masked = MASK_ACTION;
	if (d->events.counted)
		d->events.counted(d->events.ctx, ix, v, n);
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
	v->shared = device_served(ix->device);
	v->source = (struct source){ .fd = -1, .ready = on_eventfd, .owner = v };
	return ix->vector[number] = v;
}

void vector_disarm(struct vector *v)
{
	v->armed = false;
	if (v->source.fd < 0)
		return;
	loop_del(v->index->device->loop, &v->source);
	/* What was signalled before the release still counts. */
	if (v->index->index != IRQ_REQ)
		on_eventfd(&v->source);
	v->expected = 0;
	close(v->source.fd);
	v->source.fd = -1;
}

/* An index that the kernel does not have is EINVAL; peers have other numbers for that, or none. */
static int ask_index(struct device *d, struct index *ix, struct error *e)
{
	static const unsigned int most[NR_IRQ_INDEX] = {
		[IRQ_INTX] = 1, [IRQ_MSI] = 32, [IRQ_MSIX] = MAX_VECTORS,
		[IRQ_ERR] = 1,	[IRQ_REQ] = 1,
	};
	int rc = d->backend->irq_info(d->handle, ix->index, &ix->info);

	ix->present = rc == 0;
	if (rc < 0 && rc != -EINVAL && !device_served(d))
		return fail(e, device_cause(d, -rc), -rc, "VFIO_DEVICE_GET_IRQ_INFO failed");
	if (rc < 0)
		return device_lost(d, "GET_IRQ_INFO", e);
	if (ix->info.count <= most[ix->index])
		return 0;
	return fail(e, CAUSE_FAILED, EPROTO,
		    "the device says that it has %u vectors of %s, PCI allows %u", ix->info.count,
		    irq_index_word(ix->index), most[ix->index]);
}

static int ask_indexes(struct device *d, struct error *e)
{
	int rc = 0;

	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++) {
		d->irq[i].device = d;
		d->irq[i].index = i;
		if (rc == 0 && i < d->info.irqs)
			rc = ask_index(d, &d->irq[i], e);
	}
	return rc;
}

static int read_caps(struct device *d, struct error *e)
{
	uint8_t cfg[256];
	ssize_t n = d->backend->region_read(d->handle, REGION_CONFIG, cfg, sizeof(cfg), 0);

	caps_decode(cfg, n > 0 ? (size_t)n : 0, &d->caps);
	return device_lost(d, "REGION_READ of config space", e);
}

/* The kernel's wish to have the device back is heard from the first moment. */
static int listen_to_req(struct device *d, struct error *e)
{
	struct vector_set zero = { .bits = { 1 } };
	struct irq_set set = {
		.index = IRQ_REQ, .data = IRQ_DATA_EVENTFD, .count = 1, .attach = zero
	};
	struct trace quiet = { 0 };
	const struct trace *t = d->trace;
	struct change c = { 0 };
	int rc;

	if (!d->irq[IRQ_REQ].present || d->irq[IRQ_REQ].info.count == 0)
		return 0;
	/* Also in a dry run: opening is no change, and an open device must be able to let go. */
	if (t->dry_run)
		d->trace = &quiet;
	rc = device_ready(d, IRQ_REQ, &zero, &c, e);
	if (rc) {
		d->trace = t;
		return rc;
	}
	rc = device_send(d, &set, &c);
	d->trace = t;
	if (rc == 0 || !device_served(d))
		return rc ? fail(e, device_cause(d, -rc), -rc,
				 "cannot listen to the kernel's requests (REQ)")
			  : 0;
	/*
	 * A peer that will not say that it wants the device back can be used all the same; info
	 * names it.
	 */
	device_book_failed(d, &set, false);
	return device_lost(d, "SET_IRQS of req", e);
}

static int name_device(struct device *d, struct error *e)
{
	char bdf[PCI_ADDR_LEN];

	d->has_addr = d->backend->address && d->backend->address(d->handle, &d->addr) == 0;
	d->name = strdup(d->has_addr ? pci_addr_short(&d->addr, bdf) : d->spec);
	return d->name ? 0 : fail(e, CAUSE_FAILED, ENOMEM, "no memory");
}

static int set_up(struct device *d, const struct open_request *req, struct error *e)
{
	struct open_request heard = *req;
	int rc;

	heard.loop = d->loop;
	rc = d->backend->open(&heard, &d->handle, e);
	if (rc == 0)
		rc = d->backend->device_info(d->handle, &d->info, e);
	if (rc == 0)
		rc = ask_indexes(d, e);
	if (rc == 0)
		rc = name_device(d, e);
	if (rc)
		return rc;
	rc = read_caps(d, e);
	if (rc == 0)
		rc = listen_to_req(d, e);
	return rc ? rc : device_peer_listen(d, e);
}

int device_open(struct device **out, const struct open_request *req, struct loop *loop,
		const struct device_events *ev, struct error *e)
{
	const struct backend *be = backend_find(req->spec);
	struct device *d;
	int rc;

	if (!be) {
		struct pci_addr a;

		rc = pci_addr_parse(req->spec, &a, e);
		return rc ? rc : fail(e, CAUSE_USAGE, 0, "no back end takes this DEVICE");
	}
	if (!req->root->live) {
		fail(e, CAUSE_FAILED, 0, "a captured tree has no device to open");
		hint(e, "leave out --root on the machine itself");
		return -EINVAL;
	}
	d = calloc(1, sizeof(*d));
	if (!d)
		return fail(e, CAUSE_FAILED, ENOMEM, "no memory");
	d->backend = be;
	d->root = req->root;
	d->opened = now_us();
	d->trace = req->trace;
	d->dry = req->trace->dry_run;
	d->loop = loop;
	d->peer = (struct source){ .fd = -1, .ready = device_peer_ready, .owner = d };
	d->spec = strdup(req->spec);
	rc = d->spec ? set_up(d, req, e) : fail(e, CAUSE_FAILED, ENOMEM, "no memory");
	if (rc) {
		device_close(d);
		return rc;
	}
	if (ev)
		d->events = *ev;
	*out = d;
	return 0;
}

void device_left(struct device *d, const char *what, int err)
{
	append(d->left, sizeof(d->left), "%s%s (%s)", d->left[0] ? ", " : "", what, strerror(err));
}

/* Whatever is on goes off. The vector that the device's own wish comes by is nobody's change. */
static void disable_all(struct device *d)
{
	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++) {
		struct irq_set off = { .index = i,
				       .action = IRQ_ACTION_TRIGGER,
				       .data = IRQ_DATA_NONE };
		char what[64];
		int rc;

		if (!d->irq[i].enabled || d->trace->dry_run)
			continue;
		rc = d->backend->set_irqs(d->handle, &off, NULL);
		snprintf(what, sizeof(what), "%s could not be turned off", irq_index_word(i));
		if (rc < 0 && i != IRQ_REQ)
			device_left(d, what, -rc);
	}
}

static void put_back_registers(struct device *d)
{
	int rc;

	for (unsigned int i = IRQ_MSI; i <= IRQ_MSIX; i++) {
		struct change c = { 0 };

		device_cap_undo(d, i, &c);
		if (c.cap_left)
			device_left(d,
				    i == IRQ_MSI ? "Enable or masks of msi"
						 : "Enable or masks of msix",
				    EIO);
	}
	rc = device_bus_master(d, false);
	if (rc < 0)
		device_left(d, "bus mastering", -rc);
}

void device_undo(struct device *d, bool polite)
{
	if (!d->handle)
		return;
	if (polite) {
		device_unmask_all(d);
		disable_all(d);
		put_back_registers(d);
	}
	d->cut |= !polite;
	if (d->peer.fd >= 0)
		loop_del(d->loop, &d->peer);
	d->peer.fd = -1;
	if (d->table)
		munmap(d->table, d->table_map);
	d->table = NULL;
	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++) {
		struct index *ix = &d->irq[i];

		for (unsigned int v = 0; ix->vector && v < ix->info.count; v++)
			if (ix->vector[v])
				vector_disarm(ix->vector[v]);
		ix->enabled = false;
		ix->allocated = (struct vector_set){ .bits = { 0 } };
		ix->wrote = (struct cap_writes){ 0 };
	}
	d->backend->close(d->handle);
	d->handle = NULL;
}

void device_shut(struct device *d, const char *why)
{
	device_undo(d, true);
	d->gone = why;
}

void device_close(struct device *d)
{
	if (!d)
		return;
	d->events = (struct device_events){ 0 };
	device_undo(d, true);
	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++) {
		struct index *ix = &d->irq[i];

		for (unsigned int v = 0; ix->vector && v < ix->info.count; v++)
			free(ix->vector[v]);
		free(ix->vector);
	}
	free(d->real);
	free(d->spec);
	free(d->name);
	free(d);
}

int device_drain(struct device *d)
{
	/*
	 * Once: a device that fires all the time is never drained. What comes belongs into the
	 * books that are true.
	 */
	int rc = d->real ? 0 : loop_wait(d->loop, 0);

	/*
	 * Of a trigger that was not signalled by now nothing is expected any more: the kernel's
	 * wish must be heard.
	 */
	if (!d->real && d->irq[IRQ_REQ].vector && d->irq[IRQ_REQ].vector[0])
		d->irq[IRQ_REQ].vector[0]->expected = 0;
	return rc < 0 ? rc : 0;
}
