/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The structs of linux/vfio.h, which ioctls and vfio-user's messages share: in words for a trace,
 * and from a plan.
 */
#ifndef MSICTL_VFIO_WORDS_H
#define MSICTL_VFIO_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "irq/set-irqs.h"

/** vfio_device_words() - "regions=9 irqs=5 flags=RESET|PCI" of a struct vfio_device_info. */
void vfio_device_words(const void *info, char *buf, size_t size);

/** vfio_irq_words() - "count=64 flags=EVENTFD|NORESIZE" of a struct vfio_irq_info. */
void vfio_irq_words(const void *info, char *buf, size_t size);

/** vfio_region_words() - "size=0x1000 offset=0x0 flags=READ|WRITE" of a struct vfio_region_info. */
void vfio_region_words(const void *info, char *buf, size_t size);

/** vfio_set_flags() - VFIO_IRQ_SET_DATA_* and VFIO_IRQ_SET_ACTION_* of @s. */
uint32_t vfio_set_flags(const struct irq_set *s);

#endif
