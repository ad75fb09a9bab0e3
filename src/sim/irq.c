// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VFIO_DEVICE_SET_IRQS of the simulated function, step by step as Linux 6.12
 * has it in drivers/vfio/pci/vfio_pci_intrs.c, whose function is named at each
 * step; MSI-X with noresize= refuses to grow as Linux 6.1 does.
 */
#include <errno.h>
#include <linux/vfio.h>
#include <string.h>

#include "base/util.h"
#include "sim/internal.h"

static void release_vector(struct sim_device *d, unsigned int v)
{
	if (d->vector[v].fd < 0)
		return;
	sim_eventfd_drop(&d->vector[v]);
	if (d->spec.client_enable)
		return;
	if (d->on == IRQ_MSIX)
		sim_entry_clear(d, v);
	else
		sim_msi_set_mask(d, v, true);
}

/* The kernel gives a vector its message and leaves it masked until a handler is there. */
static int allocate(struct sim_device *d, unsigned int v)
{
	if (d->spec.host && d->nallocated >= d->spec.host)
		return -ENOSPC;
	vector_set_add(&d->allocated, v);
	d->nallocated++;
	if (d->on == IRQ_MSIX && !d->spec.client_enable)
		sim_entry_set(d, v, true);
	return 0;
}

/* vfio_msi_alloc_irq(): only a dynamic MSI-X gets Linux IRQs while it is on. */
static int allocate_more(struct sim_device *d, unsigned int v)
{
	if (vector_set_has(&d->allocated, v))
		return 0;
	if (d->on != IRQ_MSIX || d->spec.noresize)
		return -EINVAL;
	return allocate(d, v);
}

/* vfio_msi_set_vector_signal(). That a host has no more is found when the handler is requested. */
static int attach_vector(struct sim_device *d, unsigned int v, int32_t *fd)
{
	struct sim_eventfd got;
	int rc;

	release_vector(d, v);
	if (*fd < 0)
		return 0;
	rc = allocate_more(d, v);
	if (rc == 0)
		rc = sim_eventfd_take(d, &got, fd);
	if (rc)
		return rc;
	if (v >= d->spec.fail_at) {
		sim_eventfd_drop(&got);
		return -ENOSPC;
	}
	d->vector[v] = got;
	if (d->spec.client_enable)
		return 0;
	if (d->on == IRQ_MSIX)
		sim_entry_set(d, v, false);
	else
		sim_msi_set_mask(d, v, false);
	/* Nothing else was unmasked, and to look through all that may be pending is dear. */
	if (d->on == IRQ_MSI || vector_set_has(&d->pending, v))
		sim_deliver(d);
	return 0;
}

/* Linux 6.1 has no vectors but those that it was enabled with. */
static bool beyond_enabled(const struct sim_device *d, const struct sim_call *c)
{
	return c->index == IRQ_MSIX && d->spec.noresize &&
	       c->start + c->count > vector_set_end(&d->allocated);
}

/*
 * Whether the call is one more piece of the enabling: see sim_accept_pieces().
 * A call that reaches behind the allocation and also names a live vector is
 * the growth that NORESIZE excludes.
 */
static bool is_piece(const struct sim_device *d, const struct sim_call *c)
{
	if (!d->pieces || (d->on == IRQ_MSIX && !d->spec.noresize))
		return false;
	if (c->start + c->count <= vector_set_end(&d->allocated))
		return false;
	for (unsigned int v = c->start; v < c->start + c->count; v++)
		if (d->vector[v].fd >= 0)
			return false;
	return true;
}

/* Allocate as one call for all pieces until now would have: 0, or the short count of the host. */
static int widen_allocation(struct sim_device *d, unsigned int n)
{
	if (d->spec.host && n > d->spec.host)
		return (int)d->spec.host;
	if (d->on == IRQ_MSI)
		sim_msi_widen(d, n);
	for (unsigned int v = vector_set_end(&d->allocated); v < n; v++)
		allocate(d, v);
	return 0;
}

/*
 * vfio_msi_set_block(): what fails takes the vectors before it along, those behind it stay as they
 * are.
 */
static int set_block(struct sim_device *d, const struct sim_call *c)
{
	int rc = is_piece(d, c) ? widen_allocation(d, c->start + c->count) : 0;
	int32_t none = -1;
	unsigned int done;

	if (rc)
		return rc;
	if (beyond_enabled(d, c))
		return -EINVAL;
	for (done = 0; done < c->count && rc == 0; done++)
		rc = attach_vector(d, c->start + done, c->fd ? &c->fd[done] : &none);
	for (unsigned int i = 0; rc && i < done; i++)
		release_vector(d, c->start + i);
	return rc;
}

/* vfio_msi_disable(); a pending bit is the device's and stays, as does what it says about MME. */
static void msi_disable(struct sim_device *d)
{
	unsigned int v;

	for_each_vector (v, &d->allocated)
		release_vector(d, v);
	if (d->on == IRQ_MSIX)
		sim_msix_set_enable(d, false);
	else
		sim_msi_disable(d);
	sim_delay_forget(d);
	d->allocated = (struct vector_set){ .bits = { 0 } };
	d->nallocated = 0;
	d->on = NR_IRQ_INDEX;
}

/* vfio_msi_enable(), pci_alloc_irq_vectors(1, @n) in it. */
static int msi_enable(struct sim_device *d, enum irq_index index, unsigned int n)
{
	if (n == 0)
		return -ERANGE;
	if (!sim_in_d0(d))
		return -EINVAL;
	if (d->spec.host && n > d->spec.host)
		return (int)d->spec.host;
	d->on = index;
	if (index == IRQ_MSI)
		sim_msi_enable(d, n);
	else
		sim_msix_set_enable(d, true);
	for (unsigned int v = 0; v < n; v++)
		allocate(d, v);
	return 0;
}

static int msi_attach(struct sim_device *d, const struct sim_call *c)
{
	int rc;

	if (d->on == c->index)
		return set_block(d, c);
	rc = msi_enable(d, c->index, c->start + c->count);
	if (rc)
		return rc;
	rc = set_block(d, c);
	if (rc)
		msi_disable(d);
	return rc;
}

/* vfio_pci_set_msi_trigger(). The loopback goes around the device: masks do not hold it. */
static int msi_trigger(struct sim_device *d, const struct sim_call *c)
{
	if (d->on == c->index && c->count == 0 && c->data == IRQ_DATA_NONE) {
		msi_disable(d);
		return 0;
	}
	if (d->on != c->index && d->on != NR_IRQ_INDEX)
		return -EINVAL;
	if (c->data == IRQ_DATA_EVENTFD)
		return msi_attach(d, c);
	if (d->on != c->index || beyond_enabled(d, c))
		return -EINVAL;
	for (unsigned int i = 0; i < c->count; i++)
		if (sim_wanted(c, i))
			sim_eventfd_signal(d, &d->vector[c->start + i], 1);
	return 0;
}

static int single_attach(const struct sim_device *d, struct sim_eventfd *to, int32_t *fd)
{
	struct sim_eventfd got = { .fd = -1 };
	int rc = 0;

	if (fd && *fd < -1)
		return -EINVAL;
	if (fd && *fd >= 0)
		rc = sim_eventfd_take(d, &got, fd);
	if (rc)
		return rc;
	sim_eventfd_drop(to);
	*to = got;
	return 0;
}

/* vfio_pci_set_ctx_trigger_single(): ERR and REQ, at all times besides the others. */
static int single_trigger(struct sim_device *d, const struct sim_call *c)
{
	struct sim_eventfd *e = c->index == IRQ_ERR ? &d->err : &d->req;

	if (c->data == IRQ_DATA_NONE) {
		if (e->fd < 0)
			return -EINVAL;
		if (c->count)
			sim_eventfd_signal(d, e, 1);
		else
			sim_eventfd_drop(e);
		return 0;
	}
	if (c->count == 0)
		return -EINVAL;
	if (c->data == IRQ_DATA_EVENTFD)
		return single_attach(d, e, c->fd);
	if (sim_wanted(c, 0))
		sim_eventfd_signal(d, e, 1);
	return 0;
}

/*
 * vfu_msix_irq_state() and vfu_msi_irq_state() of QEMU 7.2 to 10.0, hw/remote/vfio-user-obj.c: from
 * start to below count, so nothing of most ranges that do not begin at 0. Success all the same, for
 * INTx without any effect.
 */
static int set_masks(struct sim_device *d, const struct sim_call *c, bool mask)
{
	for (unsigned int v = c->start; v < c->count; v++) {
		if (c->index == IRQ_MSIX)
			sim_entry_mask(d, v, mask);
		else if (c->index == IRQ_MSI)
			sim_msi_set_mask(d, v, mask);
	}
	sim_deliver(d);
	return 0;
}

static int mask_vectors(struct sim_device *d, const struct sim_call *c)
{
	return set_masks(d, c, true);
}

static int unmask_vectors(struct sim_device *d, const struct sim_call *c)
{
	return set_masks(d, c, false);
}

/*
 * Flags and counts as vfio_pci_ioctl_get_irq_info() gives them: an MSI-X that is not there says
 * NORESIZE too.
 */
int sim_irq_info(const struct sim_device *d, unsigned int index, struct irq_info *info)
{
	const unsigned int count[NR_IRQ_INDEX] = {
		[IRQ_INTX] = !d->spec.no_intx,
		[IRQ_MSI] = d->spec.msi,
		[IRQ_MSIX] = d->spec.msix,
		[IRQ_ERR] = 1,
		[IRQ_REQ] = 1,
	};

	if (index >= NR_IRQ_INDEX)
		return -EINVAL;
	*info = (struct irq_info){ .count = count[index], .flags = IRQ_EVENTFD };
	if (d->spec.client_enable)
		return 0;
	if (index == IRQ_INTX)
		info->flags |= IRQ_MASKABLE | IRQ_AUTOMASKED;
	else if (index != IRQ_MSIX || d->spec.noresize || !d->spec.msix)
		info->flags |= IRQ_NORESIZE;
	return 0;
}

typedef int (*action)(struct sim_device *d, const struct sim_call *c);

/* vfio_pci_set_irqs_ioctl(): no action, two, or one that the index does not have is ENOTTY. */
static action find_action(const struct sim_device *d, unsigned int index, uint32_t flags)
{
	static const struct {
		uint32_t flag;
		action of[NR_IRQ_INDEX];
	} actions[] = {
		{ VFIO_IRQ_SET_ACTION_TRIGGER,
		  { sim_intx_trigger, msi_trigger, msi_trigger, single_trigger, single_trigger } },
		{ VFIO_IRQ_SET_ACTION_MASK, { sim_intx_mask_action } },
		{ VFIO_IRQ_SET_ACTION_UNMASK, { sim_intx_unmask_action } },
	};
	uint32_t type = flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;

	if (d->spec.client_enable && index <= IRQ_MSIX && type == VFIO_IRQ_SET_ACTION_MASK)
		return mask_vectors;
	if (d->spec.client_enable && index <= IRQ_MSIX && type == VFIO_IRQ_SET_ACTION_UNMASK)
		return unmask_vectors;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (type == actions[i].flag)
			return actions[i].of[index];
	return NULL;
}

/* vfio_set_irqs_validate_and_prepare() */
static int check_set(const struct sim_device *d, uint32_t flags, const struct sim_call *c)
{
	struct irq_info info;

	if (flags & ~(uint32_t)(VFIO_IRQ_SET_DATA_TYPE_MASK | VFIO_IRQ_SET_ACTION_TYPE_MASK))
		return -EINVAL;
	if (sim_irq_info(d, c->index, &info))
		return -EINVAL;
	if (c->start >= info.count || c->count > info.count - c->start)
		return -EINVAL;
	return c->data == IRQ_DATA_BOOL && c->count && !c->bools ? -EINVAL : 0;
}

static int run_action(struct sim_device *d, uint32_t flags, const struct sim_call *c)
{
	action act = find_action(d, c->index, flags);

	return act ? act(d, c) : -ENOTTY;
}

/* Exactly one kind of data. */
static int data_of(uint32_t flags, enum irq_data *data)
{
	static const uint32_t flag[] = {
		[IRQ_DATA_NONE] = VFIO_IRQ_SET_DATA_NONE,
		[IRQ_DATA_BOOL] = VFIO_IRQ_SET_DATA_BOOL,
		[IRQ_DATA_EVENTFD] = VFIO_IRQ_SET_DATA_EVENTFD,
	};

	for (size_t i = 0; i < ARRAY_SIZE(flag); i++)
		if ((flags & VFIO_IRQ_SET_DATA_TYPE_MASK) == flag[i]) {
			*data = (enum irq_data)i;
			return 0;
		}
	return -EINVAL;
}

int sim_set_irqs(struct sim_device *d, const struct sim_set *s)
{
	struct sim_call c = { .index = s->index, .start = s->start, .count = s->count };
	int rc = data_of(s->flags, &c.data);

	if (rc)
		return rc;
	if (s->fd && c.data != IRQ_DATA_EVENTFD)
		return -EINVAL;
	c.fd = s->fd;
	c.bools = c.data == IRQ_DATA_BOOL ? s->bools : NULL;
	rc = check_set(d, s->flags, &c);
	return rc ? rc : run_action(d, s->flags, &c);
}

void sim_irq_init(struct sim_device *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(d->vector); i++)
		d->vector[i].fd = -1;
	d->intx.fd = d->unmask.fd = d->err.fd = d->req.fd = -1;
	d->on = NR_IRQ_INDEX;
}

void sim_irq_off(struct sim_device *d)
{
	if (d->on == IRQ_INTX)
		sim_intx_disable(d);
	else if (d->on != NR_IRQ_INDEX)
		msi_disable(d);
	sim_eventfd_drop(&d->err);
	sim_eventfd_drop(&d->req);
}
