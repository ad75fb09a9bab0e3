// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * answers GROUP DEVICE - asks the kernel what tests/set-irqs.h says that it answers.
 * A line for each row that this device is fit for; exit 1 when an answer is another.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../set-irqs.h"

#define NR_ROWS	 (sizeof(answers) / sizeof(answers[0]))
#define ARMED	 4u
#define MOST	 66u
#define NR_INDEX 5u

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static int open_device(const char *group, const char *name)
{
	int container = open("/dev/vfio/vfio", O_RDWR), fd, device;
	char path[64];

	snprintf(path, sizeof(path), "/dev/vfio/%s", group);
	fd = open(path, O_RDWR);
	if (container < 0 || fd < 0)
		die(path);
	if (ioctl(fd, VFIO_GROUP_SET_CONTAINER, &container) || ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		die("container");
	device = ioctl(fd, VFIO_GROUP_GET_DEVICE_FD, name);
	if (device < 0)
		die(name);
	return device;
}

/* Eventfds are data of the call and there, with -1 for none; Bools are not. */
static int set(int device, uint32_t flags, uint32_t index, uint32_t start, uint32_t count)
{
	char buf[sizeof(struct vfio_irq_set) + MOST * sizeof(int32_t)];
	struct vfio_irq_set s = { .argsz = sizeof(s), .flags = flags, .index = index, .start = start, .count = count };

	if (flags & VFIO_IRQ_SET_DATA_EVENTFD && count <= MOST)
		s.argsz += (uint32_t)(count * sizeof(int32_t));
	memset(buf, 0xff, sizeof(buf));
	memcpy(buf, &s, sizeof(s));
	return ioctl(device, VFIO_DEVICE_SET_IRQS, buf) ? -errno : 0;
}

static void arm(int device)
{
	char buf[sizeof(struct vfio_irq_set) + ARMED * sizeof(int32_t)];
	struct vfio_irq_set s = {
		.argsz = sizeof(buf), .flags = EVENTFD, .index = VFIO_PCI_MSIX_IRQ_INDEX, .count = ARMED
	};
	int32_t fd[ARMED];

	for (unsigned int i = 0; i < ARMED; i++)
		fd[i] = eventfd(0, EFD_NONBLOCK);
	memcpy(buf, &s, sizeof(s));
	memcpy(buf + sizeof(s), fd, sizeof(fd));
	if (ioctl(device, VFIO_DEVICE_SET_IRQS, buf))
		die("arm");
	for (unsigned int i = 0; i < ARMED; i++)
		close(fd[i]);
}

/* A row may have left anything on; what is off says EINVAL. */
static void all_off(int device)
{
	for (uint32_t i = 0; i < NR_INDEX; i++)
		set(device, NONE, i, 0, 0);
}

static struct vfio_irq_info ask(int device, uint32_t index)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = index };

	if (ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &info))
		die("VFIO_DEVICE_GET_IRQ_INFO");
	return info;
}

static bool same(size_t row, const char *state, int got, int want)
{
	if (got != want)
		printf("row %zu, %s: %d instead of %d\n", row, state, got, want);
	return got == want;
}

int main(int argc, char **argv)
{
	int device = argc == 3 ? open_device(argv[1], argv[2])
			       : (fprintf(stderr, "usage: answers GROUP DEVICE\n"), exit(2), -1);
	struct vfio_irq_info msix = ask(device, VFIO_PCI_MSIX_IRQ_INDEX), msi = ask(device, VFIO_PCI_MSI_IRQ_INDEX);
	bool fixed = msix.flags & VFIO_IRQ_INFO_NORESIZE, good = true;

	for (size_t i = 0; i < NR_ROWS; i++) {
		const struct answer *a = &answers[i];

		if (a->index == VFIO_PCI_MSI_IRQ_INDEX ? msi.count != 16 : msix.count != 65)
			continue;
		all_off(device);
		good &= same(i, "disabled", set(device, a->flags, a->index, a->start, a->count), a->off);
		all_off(device);
		arm(device);
		good &= same(i, "enabled", set(device, a->flags, a->index, a->start, a->count),
			     fixed ? a->fixed : a->on);
		printf("asked %zu of %zu\n", i, NR_ROWS);
	}
	return good ? 0 : 1;
}
