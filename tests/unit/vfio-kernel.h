/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's VFIO as tests play it: open(2) of /dev/vfio/ and ioctl(2) end here, and what was asked is
 * compared as text. The device's descriptor is a file, each region a mebibyte of it.
 */
#ifndef TEST_VFIO_KERNEL_H
#define TEST_VFIO_KERNEL_H

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "device/backend.h"
#include "tree.h"
#include "vfio/ioctl.h"

#define DEV	    "sys/bus/pci/devices/"
#define MIB	    (1ull << 20)
#define REGION_SIZE 0x2000u
#define CAP_OFFSET  0x30u

struct kernel {
	int container, group, device; /* descriptors given out; -1: none yet */
	int node_errno;		      /* of open(2) of the group's node */
	int api;
	uint32_t status, device_flags;
	unsigned long type; /* of the IOMMU that it has */
	int set_iommu_errno, group_errno;
	int join_errno, give_errno, enable_errno, region_errno, device_errno;
	int container_errno; /* of open(2) of the container's node */
	uint32_t cap_next;
	unsigned int
		cap_hops; /* capabilities of BAR2 before the one that says that the table can be mapped */
	uint32_t cap_at;	   /* where the first one is; 0: at CAP_OFFSET */
	bool cap_lies;		   /* it is far behind the end of the answer */
	bool cap_half;		   /* the answer ends in the middle of it */
	bool no_caps;		   /* GET_REGION_INFO says that there are none */
	uint32_t argsz;		   /* what GET_REGION_INFO says that it takes; 0: what was given */
	int irq_errno, info_errno; /* of SET_IRQS, of GET_IRQ_INFO */
	unsigned int vectors[VFIO_PCI_NUM_IRQS];
	int dups,
		failing_dup; /* of the calls that duplicate a descriptor, the one that fails; 0: none */
	char set[256];	     /* the last SET_IRQS */
	char log[1024];
	char trace[2048];
};

static struct kernel k;

static inline void note(const char *text)
{
	append(k.log, sizeof(k.log), "%s%s", k.log[0] ? " " : "", text);
}

static inline int give(int *fd, const char *name)
{
	*fd = memfd_create(name, MFD_CLOEXEC);
	return *fd;
}

/* The tool's and the test's own: whatever is not below /dev/vfio/ is the real one's. */
int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	if (strncmp(path, "/dev/vfio/", 10) != 0)
		return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	note(path);
	if (!strcmp(path, "/dev/vfio/vfio") && k.container_errno) {
		errno = k.container_errno;
		return -1;
	}
	if (!strcmp(path, "/dev/vfio/vfio"))
		return give(&k.container, "container");
	if (k.node_errno) {
		errno = k.node_errno;
		return -1;
	}
	return give(&k.group, "group");
}

static inline int says(int err)
{
	errno = err;
	return err ? -1 : 0;
}

static inline int get_region_info(struct vfio_region_info *ri)
{
	struct vfio_info_cap_header cap = { .id = VFIO_REGION_INFO_CAP_MSIX_MAPPABLE,
					    .next = k.cap_next };
	const struct vfio_info_cap_header other = { .id = VFIO_REGION_INFO_CAP_TYPE };
	uint32_t room = ri->argsz, at = k.cap_at ? k.cap_at : CAP_OFFSET;
	uint32_t end = at + (k.cap_hops + 1) * (uint32_t)sizeof(cap);

	if (k.region_errno || ri->index >= VFIO_PCI_NUM_REGIONS)
		return says(k.region_errno ? k.region_errno : EINVAL);
	ri->flags = VFIO_REGION_INFO_FLAG_READ |
		    (ri->index != VFIO_PCI_ROM_REGION_INDEX ? VFIO_REGION_INFO_FLAG_WRITE : 0);
	ri->offset = MIB * (ri->index + 1);
	ri->size = REGION_SIZE;
	if (ri->index != VFIO_PCI_BAR2_REGION_INDEX)
		return 0;
	ri->flags |= VFIO_REGION_INFO_FLAG_MMAP | (k.no_caps ? 0 : VFIO_REGION_INFO_FLAG_CAPS);
	ri->argsz = k.argsz ? k.argsz : end;
	if (k.cap_lies)
		ri->cap_offset = 1u << 29;
	if (k.cap_half) {
		ri->cap_offset = at;
		if (room >= at + sizeof(cap) / 2)
			memcpy((char *)ri + at, &cap, sizeof(cap) / 2);
		return 0;
	}
	if (room < end || k.cap_lies)
		return 0;
	ri->cap_offset = at;
	for (unsigned int i = 0; i < k.cap_hops; i++, at += sizeof(cap)) {
		memcpy((char *)ri + at, &other, sizeof(other));
		((struct vfio_info_cap_header *)((char *)ri + at))->next =
			at + (uint32_t)sizeof(cap);
	}
	memcpy((char *)ri + at, &cap, sizeof(cap));
	return 0;
}

static inline int set_irqs(const struct vfio_irq_set *s)
{
	size_t data = s->argsz - sizeof(*s);

	snprintf(k.set, sizeof(k.set), "index=%u start=%u count=%u flags=0x%x:", s->index, s->start,
		 s->count, s->flags);
	for (size_t i = 0; s->flags & VFIO_IRQ_SET_DATA_BOOL && i < data; i++)
		append(k.set, sizeof(k.set), " %u", s->data[i]);
	for (size_t i = 0; s->flags & VFIO_IRQ_SET_DATA_EVENTFD && i < data / 4; i++)
		append(k.set, sizeof(k.set), " %d", ((const int32_t *)s->data)[i]);
	return says(k.irq_errno);
}

static inline int ask_device(unsigned long request, void *arg)
{
	struct vfio_device_info *di = arg;
	struct vfio_irq_info *ii = arg;

	switch (request) {
	case VFIO_DEVICE_GET_INFO:
		di->flags = k.device_flags;
		di->num_regions = 9;
		di->num_irqs = 5;
		return says(di->argsz == sizeof(*di) ? k.device_errno : EINVAL);
	case VFIO_DEVICE_GET_IRQ_INFO:
		ii->count = ii->index < VFIO_PCI_NUM_IRQS ? k.vectors[ii->index] : 0;
		ii->flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
		return says(ii->index == VFIO_PCI_ERR_IRQ_INDEX ? EINVAL : k.info_errno);
	case VFIO_DEVICE_GET_REGION_INFO:
		return get_region_info(arg);
	case VFIO_DEVICE_SET_IRQS:
		return set_irqs(arg);
	case VFIO_DEVICE_RESET:
		note("RESET");
		return 0;
	}
	return says(ENOTTY);
}

static inline int ask_group(unsigned long request, void *arg)
{
	struct vfio_group_status *status = arg;

	switch (request) {
	case VFIO_GROUP_GET_STATUS:
		note("STATUS");
		status->flags = k.status;
		return says(status->argsz == sizeof(*status) ? k.group_errno : EINVAL);
	case VFIO_GROUP_SET_CONTAINER:
		note("JOIN");
		return says(*(int *)arg == k.container ? k.join_errno : EBADF);
	case VFIO_GROUP_GET_DEVICE_FD:
		note(arg);
		if (k.give_errno)
			return says(k.give_errno);
		if (give(&k.device, "device") >= 0)
			fcntl(k.device, F_SETFD, 0);
		return k.device;
	}
	return says(ENOTTY);
}

static inline int ask_container(unsigned long request, unsigned long arg)
{
	char text[32];

	switch (request) {
	case VFIO_GET_API_VERSION:
		return k.api;
	case VFIO_CHECK_EXTENSION:
		return arg == k.type || (k.type == VFIO_TYPE1v2_IOMMU && arg == VFIO_TYPE1_IOMMU);
	case VFIO_SET_IOMMU:
		snprintf(text, sizeof(text), "IOMMU:%lu", arg);
		note(text);
		return says(arg == k.type ? k.set_iommu_errno : 0);
	case VFIO_IOMMU_ENABLE:
		note("ENABLE");
		return says(k.enable_errno);
	}
	return says(ENOTTY);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (fd == k.device)
		return ask_device(request, arg);
	if (fd == k.group)
		return ask_group(request, arg);
	return fd == k.container ? ask_container(request, (unsigned long)arg) : says(EBADF);
}

int fcntl(int fd, int cmd, ...)
{
	unsigned long arg;
	va_list ap;

	va_start(ap, cmd);
	arg = va_arg(ap, unsigned long);
	va_end(ap);
	if (cmd == F_DUPFD_CLOEXEC && ++k.dups == k.failing_dup)
		return says(EMFILE);
	return (int)syscall(SYS_fcntl, fd, cmd, arg);
}

static inline void traced(void *ctx, const char *text)
{
	(void)ctx;
	append(k.trace, sizeof(k.trace), "%s\n", text);
}

static inline void linked(const struct tree *t, const char *path, const char *target)
{
	tree_folder(t, target + 1);
	tree_link(t, path, target);
}

/* A function on @driver in IOMMU group 7, with a sibling that has none. */
static inline int setup(void **state)
{
	static struct tree t;

	k = (struct kernel){ .container = -1,
			     .group = -1,
			     .device = -1,
			     .status = VFIO_GROUP_FLAGS_VIABLE,
			     .device_flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET,
			     .type = VFIO_TYPE1v2_IOMMU,
			     .vectors = { 1, 1, 33, 1, 1 } };
	tree_new(&t);
	tree_text(&t, DEV "0000:04:00.0/vendor", "0x1b36\n");
	tree_text(&t, DEV "0000:04:00.1/vendor", "0x1b36\n");
	tree_text(&t, DEV "0000:04:00.1/class", "0x020000\n");
	linked(&t, DEV "0000:04:00.0/driver", "/sys/bus/pci/drivers/vfio-pci");
	linked(&t, DEV "0000:04:00.0/iommu_group", "/sys/kernel/iommu_groups/7");
	tree_folder(&t, "sys/kernel/iommu_groups/7/devices");
	linked(&t, "sys/kernel/iommu_groups/7/devices/0000:04:00.0", "/" DEV "0000:04:00.0");
	*state = &t;
	return 0;
}

static inline int teardown(void **state)
{
	tree_free(*state);
	return 0;
}

static struct trace quiet, loud = { .on = true, .line = traced };

static inline int open_it(const struct tree *t, const struct trace *trace, void **handle,
			  struct error *e)
{
	const struct open_request req = { .spec = "04:00.0", .root = &t->root, .trace = trace };

	*e = (struct error){ 0 };
	*handle = NULL;
	return vfio_group_backend.open(&req, handle, e);
}

static inline void *opened(const struct tree *t, const struct trace *trace)
{
	struct error e;
	void *handle;

	assert_int_equal(open_it(t, trace, &handle, &e), 0);
	assert_non_null(handle);
	return handle;
}

static inline bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* A failed open leaves nothing open. */
static inline void refused(void **state, enum cause cause, const char *message, const char *hinted)
{
	struct error e;
	void *handle;

	assert_true(open_it(*state, &quiet, &handle, &e) < 0);
	/* an errno is the kernel's answer, and none of what was found without asking the kernel */
	if (!k.log[0])
		assert_int_equal(e.err, 0);
	if (!strstr(e.message, message) || !strstr(e.hint, hinted))
		fail_msg("expected \"%s\" and \"%s\", got \"%s\" and \"%s\"", message, hinted,
			 e.message, e.hint);
	assert_int_equal(e.cause, cause);
	assert_null(handle);
	assert_false(is_open(k.device));
	assert_false(is_open(k.group));
	assert_false(is_open(k.container));
}

#endif
