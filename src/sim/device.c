// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/device.h"

#include <errno.h>
#include <stdlib.h>

#include "sim/internal.h"

/*
 * Entries of vectors that have no handler are masked from power-on (PCI Local Bus 3.0, section
 * 6.8.2.9).
 */
static void clear_table(struct sim_device *d)
{
	for (unsigned int v = 0; v < MAX_VECTORS; v++)
		sim_entry_clear(d, v);
}

static void power_on(struct sim_device *d)
{
	d->intx_masked = false;
	d->msi_max = 0;
	sim_config_init(d);
	clear_table(d);
	sim_fire_reset(d);
}

int sim_device_new(struct sim_device **d, const struct sim_spec *spec)
{
	*d = calloc(1, sizeof(**d));
	if (!*d)
		return -ENOMEM;
	(*d)->spec = *spec;
	(*d)->aio.null = -1;
	sim_irq_init(*d);
	power_on(*d);
	return 0;
}

void sim_accept_pieces(struct sim_device *d)
{
	d->pieces = true;
}

void sim_distrust_clients(struct sim_device *d)
{
	if (!d->aio.context)
		sim_aio_init(&d->aio);
}

void sim_device_free(struct sim_device *d)
{
	if (!d)
		return;
	sim_irq_off(d);
	sim_aio_drop(&d->aio);
	free(d);
}

void sim_device_disconnect(struct sim_device *d)
{
	sim_irq_off(d);
	power_on(d);
}

void sim_device_info(const struct sim_device *d, struct device_info *info)
{
	(void)d;
	*info = (struct device_info){ .regions = NR_REGION, .irqs = NR_IRQ_INDEX, .reset = true };
}

int sim_region_info(const struct sim_device *d, unsigned int region, struct region_info *info)
{
	if (region >= NR_REGION)
		return -EINVAL;
	*info = (struct region_info){ .size = region == REGION_CONFIG ? SIM_CONFIG_SIZE
								      : sim_bar_size(d, region) };
	info->read = info->write = info->size != 0;
	return 0;
}

ssize_t sim_region_read(struct sim_device *d, unsigned int region, void *buf, size_t n,
			uint64_t offset)
{
	if (region >= NR_REGION)
		return -EINVAL;
	if (n == 0)
		return 0;
	return region == REGION_CONFIG ? sim_config_read(d, buf, n, offset)
				       : sim_bar_read(d, region, buf, n, offset);
}

/*
 * The kernel's pci_restore_state() puts back what it gave the device: messages, and no mask on what
 * is attached.
 */
static void restore_entry(struct sim_device *d, unsigned int v)
{
	if (d->spec.client_enable)
		return;
	if (d->on == IRQ_MSIX && d->vector[v].fd >= 0)
		sim_entry_set(d, v, false);
	else if (vector_set_has(&d->allocated, v) && sim_entry_reaches(d, v))
		sim_entry_set(d, v, true);
	else
		sim_entry_clear(d, v);
}

int sim_reset(struct sim_device *d)
{
	sim_fire_reset(d);
	sim_config_reset(d);
	for (unsigned int v = 0; v < d->spec.msix; v++)
		restore_entry(d, v);
	return 0;
}

/* The kernel keeps Interrupt Disable from the device and masks by it: vfio_basic_config_write(). */
static ssize_t write_config(struct sim_device *d, const void *buf, size_t n, uint64_t offset)
{
	struct sim_config_change c;
	ssize_t got = sim_config_write(d, buf, n, offset, &c);

	if (got < 0)
		return got;
	if (c.intx_off)
		sim_intx_mask(d);
	if (c.intx_on)
		sim_intx_unmask(d);
	if (c.reset)
		sim_reset(d);
	sim_deliver(d);
	return got;
}

ssize_t sim_region_write(struct sim_device *d, unsigned int region, const void *buf, size_t n,
			 uint64_t offset)
{
	if (region >= NR_REGION)
		return -EINVAL;
	if (n == 0)
		return 0;
	return region == REGION_CONFIG ? write_config(d, buf, n, offset)
				       : sim_bar_write(d, region, buf, n, offset);
}

int sim_unmask_fd(const struct sim_device *d)
{
	return d->unmask.fd;
}

void sim_unmask(struct sim_device *d)
{
	if (sim_eventfd_clear(&d->unmask))
		sim_intx_unmask(d);
}
