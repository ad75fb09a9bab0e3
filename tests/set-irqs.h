/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What VFIO_DEVICE_SET_IRQS answers; there is no data but eventfds, which are -1.
 * Asked of the simulation by tests/unit/test-sim-device.c and of the kernel by
 * tests/lab/answers.c.
 */
#ifndef TEST_SET_IRQS_H
#define TEST_SET_IRQS_H

#include <errno.h>
#include <linux/vfio.h>
#include <stdint.h>

#define NONE	(VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER)
#define BOOL	(VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_TRIGGER)
#define EVENTFD (VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER)
#define MASK	VFIO_IRQ_SET_ACTION_MASK
#define UNMASK	VFIO_IRQ_SET_ACTION_UNMASK

#define INTX VFIO_PCI_INTX_IRQ_INDEX
#define MSI  VFIO_PCI_MSI_IRQ_INDEX
#define MSIX VFIO_PCI_MSIX_IRQ_INDEX
#define ERR  VFIO_PCI_ERR_IRQ_INDEX
#define REQ  VFIO_PCI_REQ_IRQ_INDEX

/* Of a device with 65 MSI-X vectors, or of one with 16 MSI vectors where the index is MSI. */
static const struct answer {
	uint32_t flags, index, start, count;
	int off;   /* nothing enabled */
	int on;	   /* MSI-X 0..3 armed */
	int fixed; /* the same where MSI-X is NORESIZE: before Linux 6.5 */
} answers[] = {
	{ NONE, 5, 0, 1, -EINVAL, -EINVAL, -EINVAL },
	{ NONE, UINT32_MAX, 0, 1, -EINVAL, -EINVAL, -EINVAL },
	{ EVENTFD, MSIX, 65, 1, -EINVAL, -EINVAL, -EINVAL },
	{ EVENTFD, MSIX, 64, 2, -EINVAL, -EINVAL, -EINVAL },
	{ EVENTFD, MSIX, 0, 66, -EINVAL, -EINVAL, -EINVAL },
	{ EVENTFD, MSIX, UINT32_MAX, 1, -EINVAL, -EINVAL, -EINVAL },
	{ EVENTFD, MSIX, 0, UINT32_MAX, -EINVAL, -EINVAL, -EINVAL },
	{ EVENTFD, MSIX, 1, UINT32_MAX, -EINVAL, -EINVAL, -EINVAL },
	{ EVENTFD, MSIX, 0, 0, -ERANGE, 0, 0 },
	{ NONE, MSIX, 65, 0, -EINVAL, -EINVAL, -EINVAL },
	{ NONE, MSIX, 0, 0, -EINVAL, 0, 0 },
	{ NONE, MSIX, 2, 0, -EINVAL, 0, 0 },
	{ BOOL, MSIX, 0, 0, -EINVAL, 0, 0 },
	{ BOOL, MSIX, 0, 1, -EINVAL, -EINVAL, -EINVAL }, /* without data */
	{ NONE, MSIX, 0, 65, -EINVAL, 0, -EINVAL },
	{ 0x20, MSIX, 0, 1, -EINVAL, -EINVAL, -EINVAL },
	{ 0x23, MSIX, 0, 1, -EINVAL, -EINVAL, -EINVAL },
	{ 0x27, MSIX, 0, 1, -EINVAL, -EINVAL, -EINVAL },
	{ 0x38, MSIX, 0, 1, -EINVAL, -EINVAL, -EINVAL },
	{ 0x44, MSIX, 0, 1, -EINVAL, -EINVAL, -EINVAL },
	{ 0x64, MSIX, 0, 1, -EINVAL, -EINVAL, -EINVAL },
	{ 0x04, MSIX, 0, 1, -ENOTTY, -ENOTTY, -ENOTTY },
	{ 0x01, MSIX, 0, 1, -ENOTTY, -ENOTTY, -ENOTTY },
	{ 0x31, MSIX, 0, 1, -ENOTTY, -ENOTTY, -ENOTTY },
	{ 0x39, MSIX, 0, 1, -ENOTTY, -ENOTTY, -ENOTTY },
	{ MASK | 1, MSIX, 0, 1, -ENOTTY, -ENOTTY, -ENOTTY },
	{ MASK | 1, MSIX, 0, 0, -ENOTTY, -ENOTTY, -ENOTTY },
	{ UNMASK | 1, MSIX, 0, 1, -ENOTTY, -ENOTTY, -ENOTTY },
	{ MASK | 1, MSI, 0, 1, -ENOTTY, -ENOTTY, -ENOTTY },
	{ UNMASK | 1, ERR, 0, 1, -ENOTTY, -ENOTTY, -ENOTTY },
	{ MASK | 1, REQ, 0, 1, -ENOTTY, -ENOTTY, -ENOTTY },
	{ MASK | 1, INTX, 0, 1, -EINVAL, -EINVAL, -EINVAL },
	{ UNMASK | 1, INTX, 0, 1, -EINVAL, -EINVAL, -EINVAL },
	{ MASK | 4, INTX, 0, 1, -EINVAL, -EINVAL, -EINVAL },
	{ NONE, INTX, 0, 1, -EINVAL, -EINVAL, -EINVAL },
	{ NONE, INTX, 0, 0, -EINVAL, -EINVAL, -EINVAL },
	{ EVENTFD, INTX, 0, 2, -EINVAL, -EINVAL, -EINVAL },
	{ EVENTFD, INTX, 1, 1, -EINVAL, -EINVAL, -EINVAL },
	{ EVENTFD, INTX, 0, 0, -EINVAL, -EINVAL, -EINVAL },
	{ NONE, MSI, 0, 0, -EINVAL, -EINVAL, -EINVAL },
	{ EVENTFD, MSI, 0, 0, -ERANGE, -EINVAL, -EINVAL },
	{ EVENTFD, MSI, 0, 17, -EINVAL, -EINVAL, -EINVAL },
	{ EVENTFD, ERR, 0, 2, -EINVAL, -EINVAL, -EINVAL },
	{ EVENTFD, ERR, 0, 0, -EINVAL, -EINVAL, -EINVAL },
	{ NONE, REQ, 0, 1, -EINVAL, -EINVAL, -EINVAL },
	{ NONE, REQ, 0, 0, -EINVAL, -EINVAL, -EINVAL },
};

#undef INTX
#undef MSI
#undef MSIX
#undef ERR
#undef REQ

#endif
