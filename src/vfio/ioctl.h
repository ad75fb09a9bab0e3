/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every kernel VFIO device descriptor can do, however it was got.
 * vfio_call() is the one door to ioctl(2); no kernel struct leaves vfio*.c.
 */
#ifndef MSICTL_VFIO_IOCTL_H
#define MSICTL_VFIO_IOCTL_H

#include "device/backend.h"

/* Leads every handle of a kernel back end, so that the operations below fit into its row. */
struct vfio {
	int device;
	const struct trace *trace;
	uint64_t region_offset[NR_REGION];
	uint64_t region_size[NR_REGION];
	struct pci_addr addr;
};

/* One ioctl(2) of linux/vfio.h and what the trace says of it: NAME(detail) = answer. */
struct vfio_request {
	unsigned long number;
	const char *name;
	void *arg;	    /* borrowed; read and written as the request has it */
	const char *detail; /* NULL: none */
	/* puts what the kernel has written to arg into words; NULL: it writes nothing */
	void (*answer)(const void *arg, char *buf, size_t size);
};

/* VFIO_REQUEST(VFIO_DEVICE_RESET, .arg = NULL): the number and its name, then the other members. */
#define VFIO_REQUEST(which, ...) \
	(&(struct vfio_request){ .number = which, .name = #which, __VA_ARGS__ })

/**
 * vfio_call() - one ioctl(2), told to the trace
 * @fd: of a container, a group or a device
 *
 * Returns: its value, 0 or above; -errno.
 */
int vfio_call(const struct trace *t, int fd, const struct vfio_request *r);

/* Of every kernel back end, whose handles begin with struct vfio. */
extern const struct device_ops vfio_ops;

/* The operations of struct backend (device/backend.h); each handle begins with struct vfio. */

/** vfio_device_info() - VFIO_DEVICE_GET_INFO. 0, or -errno and a sentence. */
int vfio_device_info(void *handle, struct device_info *info, struct error *e);

/** vfio_irq_info() - VFIO_DEVICE_GET_IRQ_INFO. 0; -EINVAL: no such index; -errno. */
int vfio_irq_info(void *handle, enum irq_index index, struct irq_info *info);

/** vfio_set_irqs() - VFIO_DEVICE_SET_IRQS. 0; positive: so many could be had; -errno. */
int vfio_set_irqs(void *handle, const struct irq_set *s, const int32_t *eventfd,
		  struct set_outcome *o);

/** vfio_region_info() - VFIO_DEVICE_GET_REGION_INFO, remembered in struct vfio. 0 or -errno. */
int vfio_region_info(void *handle, enum region_index region, struct region_info *info);

/** vfio_region_read() - pread(2) of @n bytes. Bytes; -ERANGE: past the region; -errno. */
ssize_t vfio_region_read(void *handle, enum region_index region, void *buf, size_t n,
			 uint64_t offset);

/** vfio_region_write() - pwrite(2) of @n bytes. Returns: as vfio_region_read(). */
ssize_t vfio_region_write(void *handle, enum region_index region, const void *buf, size_t n,
			  uint64_t offset);

/** vfio_region_map() - mmap(2) at page-aligned @offset; the caller's to munmap(). 0 or -errno. */
int vfio_region_map(void *handle, enum region_index region, uint64_t offset, size_t n, void **map);

/** vfio_reset() - VFIO_DEVICE_RESET. 0; -ENOTTY: the function has no reset; -errno. */
int vfio_reset(void *handle);

/** vfio_address() - the PCI address of the function. Always 0. */
int vfio_address(void *handle, struct pci_addr *addr);

/**
 * group_not_viable() - name the members whose drivers are in the way. Always -EPERM,
 * CAUSE_NOT_VIABLE.
 */
int group_not_viable(const struct root *r, int group, struct error *e);

extern const struct backend vfio_group_backend;

#endif
