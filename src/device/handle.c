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

/* The kernel asks once and then blocks whoever unbinds until we let go: so at once. */
static void let_go(struct device *d)
{
	snprintf(d->why, sizeof(d->why), "the %s took the device back", d->ops->keeper);
	d->gone = d->why;
	device_undo(d, false);
	if (d->events.released)
		d->events.released(d->events.ctx);
}

void device_requested(struct device *d)
{
	if (d->handle)
		let_go(d);
}

void device_vector_ready(struct source *s)
{
	struct vector *v = s->owner;
	struct index *ix = v->index;
	struct device *d = ix->device;
	uint64_t n, own;

	if (!vector_take(v, &n, &own))
		return;
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

void device_peer_ready(struct source *s)
{
	struct device *d = s->owner;
	struct error why;

	if (d->ops->peer_ready(d->handle) == 0)
		return;
	d->ops->peer_end(d->handle, &why);
	copy_text(d->why, sizeof(d->why), why.message);
	d->gone = d->why;
	d->gone_cause = why.cause;
	device_undo(d, false);
	if (d->events.lost)
		d->events.lost(d->events.ctx);
}

int device_peer_listen(struct device *d, struct error *e)
{
	int rc;

	if (!d->ops->peer_fd)
		return 0;
	d->peer.fd = d->ops->peer_fd(d->handle);
	rc = loop_add(d->loop, &d->peer);
	if (rc == 0)
		return 0;
	d->peer.fd = -1;
	return fail(e, CAUSE_FAILED, -rc, "the peer can't be listened to");
}

/* An index that the kernel does not have is EINVAL; peers have other numbers for that, or none. */
static int ask_index(struct device *d, struct index *ix, struct error *e)
{
	static const unsigned int most[NR_IRQ_INDEX] = {
		[IRQ_INTX] = 1, [IRQ_MSI] = 32, [IRQ_MSIX] = MAX_VECTORS,
		[IRQ_ERR] = 1,	[IRQ_REQ] = 1,
	};
	int rc = d->ops->irq_info(d->handle, ix->index, &ix->info);

	ix->present = rc == 0;
	if (rc < 0 && rc != -EINVAL && d->ops->kernel_errno)
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
	ssize_t n = d->ops->region_read(d->handle, REGION_CONFIG, cfg, sizeof(cfg), 0);

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
	if (rc == 0 || d->ops->kernel_errno)
		return rc ? fail(e, device_cause(d, -rc), -rc,
				 "cannot listen to the kernel's requests (REQ)")
			  : 0;
	/*
	 * A peer that will not say that it wants the device back can be used all the same; info
	 * names it.
	 */
	device_commit_failed(d, &set, false);
	return device_lost(d, "SET_IRQS of req", e);
}

static int name_device(struct device *d, struct error *e)
{
	char bdf[PCI_ADDR_LEN];

	d->has_addr = d->ops->address && d->ops->address(d->handle, &d->addr) == 0;
	d->name = strdup(d->has_addr ? pci_addr_short(&d->addr, bdf) : d->spec);
	return d->name ? 0 : fail_memory(e);
}

static int set_up(struct device *d, const struct open_request *req, struct error *e)
{
	struct open_request heard = *req;
	int rc;

	heard.loop = d->loop;
	rc = d->backend->open(&heard, &d->handle, e);
	if (rc == 0)
		rc = d->ops->device_info(d->handle, &d->info, e);
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
	const struct backend *be = backend_find(req->backends, req->spec);
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
		return fail_memory(e);
	d->backend = be;
	d->ops = be->ops;
	d->root = req->root;
	d->opened = now_us();
	d->trace = req->trace;
	d->dry = req->trace->dry_run;
	d->loop = loop;
	d->ready = device_vector_ready;
	d->peer = (struct source){ .fd = -1, .ready = device_peer_ready, .owner = d };
	d->spec = strdup(req->spec);
	rc = d->spec ? set_up(d, req, e) : fail_memory(e);
	if (rc) {
		device_close(d);
		return rc;
	}
	if (ev)
		d->events = *ev;
	*out = d;
	return 0;
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
