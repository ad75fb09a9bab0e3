/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading and writing a mapped BAR without dying of it: an access with memory
 * decode off, in D3hot or after the device vanished is a SIGBUS.
 */
#ifndef MSICTL_BASE_SIGBUS_H
#define MSICTL_BASE_SIGBUS_H

#include <stddef.h>
#include <stdint.h>

/** mmio_read32() - @n dwords from a mapping. 0 or -EFAULT when the access faulted. */
int mmio_read32(const volatile uint32_t *from, uint32_t *to, size_t n);

/**
 * mmio_read32_every() - @n dwords that lie @step dwords apart. 0 or -EFAULT when an access faulted.
 */
int mmio_read32_every(const volatile uint32_t *from, size_t step, uint32_t *to, size_t n);

/** mmio_write32() - one dword. 0 or -EFAULT. */
int mmio_write32(volatile uint32_t *to, uint32_t value);

#endif
