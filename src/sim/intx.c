// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * INTx of the simulated function: the line, and what Linux 6.12 does with it
 * in drivers/vfio/pci/vfio_pci_intrs.c, whose function is named at each step.
 */
#include <errno.h>

#include "sim/internal.h"

/*
 * vfio_intx_handler(): masks the line and signals; whoever has no eventfd there still has it
 * masked.
 */
static void intx_level(struct sim_device *d)
{
	if (d->on != IRQ_INTX || !d->asserted || d->intx_masked)
		return;
	d->intx_masked = !d->spec.client_enable;
	sim_eventfd_signal(d, &d->intx, 1);
}

void sim_intx_line(struct sim_device *d, bool asserted)
{
	if (d->spec.no_intx || d->asserted == asserted)
		return;
	d->asserted = asserted;
	d->fired += asserted;
	sim_show_intx(d);
	intx_level(d);
}

/* vfio_intx_disable() */
void sim_intx_disable(struct sim_device *d)
{
	sim_eventfd_drop(&d->unmask);
	sim_eventfd_drop(&d->intx);
	sim_delay_forget(d);
	d->on = NR_IRQ_INDEX;
}

void sim_intx_mask(struct sim_device *d)
{
	if (d->on == IRQ_INTX)
		d->intx_masked = true;
}

/* vfio_pci_intx_unmask_handler(): a line that is still asserted is sent again and stays masked. */
void sim_intx_unmask(struct sim_device *d)
{
	if (d->on != IRQ_INTX || !d->intx_masked || sim_intx_disabled(d))
		return;
	d->intx_masked = false;
	intx_level(d);
}

/* vfio_send_intx_eventfd() */
static void intx_signal(struct sim_device *d)
{
	if (!sim_intx_disabled(d))
		sim_eventfd_signal(d, &d->intx, 1);
}

/* vfio_intx_set_signal() and vfio_intx_enable(); without an eventfd the index is on too. */
static int intx_attach(struct sim_device *d, int32_t *fd)
{
	struct sim_eventfd got = { .fd = -1 };
	int rc = fd && *fd >= 0 ? sim_eventfd_take(d, &got, fd) : 0;

	if (rc)
		return rc;
	sim_eventfd_drop(&d->intx);
	d->intx = got;
	if (d->on == IRQ_INTX)
		return 0;
	d->on = IRQ_INTX;
	d->intx_masked = sim_intx_disabled(d);
	intx_level(d);
	return 0;
}

/* vfio_pci_set_intx_trigger() */
int sim_intx_trigger(struct sim_device *d, const struct sim_call *c)
{
	if (d->on == IRQ_INTX && c->count == 0 && c->data == IRQ_DATA_NONE) {
		sim_intx_disable(d);
		return 0;
	}
	if ((d->on != IRQ_INTX && d->on != NR_IRQ_INDEX) || c->count != 1)
		return -EINVAL;
	if (c->data == IRQ_DATA_EVENTFD)
		return intx_attach(d, c->fd);
	if (d->on != IRQ_INTX)
		return -EINVAL;
	if (sim_wanted(c, 0))
		intx_signal(d);
	return 0;
}

/* vfio_pci_set_intx_mask() */
int sim_intx_mask_action(struct sim_device *d, const struct sim_call *c)
{
	if (d->on != IRQ_INTX || c->count != 1)
		return -EINVAL;
	if (c->data == IRQ_DATA_EVENTFD)
		return -ENOTTY;
	if (sim_wanted(c, 0))
		sim_intx_mask(d);
	return 0;
}

/* vfio_virqfd_enable() looks at the descriptor before it looks whether there is one. */
static int set_unmask(struct sim_device *d, int32_t *fd)
{
	struct sim_eventfd got;
	int rc;

	if (!fd || *fd < 0) {
		sim_eventfd_drop(&d->unmask);
		return 0;
	}
	rc = sim_eventfd_take(d, &got, fd);
	if (rc == 0 && d->unmask.fd >= 0) {
		sim_eventfd_drop(&got);
		rc = -EBUSY;
	}
	if (rc == 0)
		d->unmask = got;
	return rc;
}

/* vfio_pci_set_intx_unmask() */
int sim_intx_unmask_action(struct sim_device *d, const struct sim_call *c)
{
	if (d->on != IRQ_INTX || c->count != 1)
		return -EINVAL;
	if (c->data == IRQ_DATA_EVENTFD)
		return set_unmask(d, c->fd);
	if (sim_wanted(c, 0))
		sim_intx_unmask(d);
	return 0;
}
