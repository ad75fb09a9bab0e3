// SPDX-License-Identifier: GPL-2.0-or-later
/* To be preloaded: a program that believes that it listens to REQ and does not. */
#include <linux/vfio.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

int ioctl(int fd, unsigned long request, ...)
{
	const struct vfio_irq_set *set;
	va_list ap;

	va_start(ap, request);
	set = va_arg(ap, void *);
	va_end(ap);
	if (request == VFIO_DEVICE_SET_IRQS && set->index == VFIO_PCI_REQ_IRQ_INDEX)
		return 0;
	return (int)syscall(SYS_ioctl, fd, request, set);
}
