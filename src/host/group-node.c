// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/group-node.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

#define CLASS	    "sys/class/vfio"
#define CLASS_CDEV  "sys/class/vfio-dev"
#define CLASS_MISC  "sys/class/misc"
#define CONTAINER   "vfio"
#define DEVICE_CDEV "sys/bus/pci/devices/%s/vfio-dev"

char *group_node(int group, bool noiommu, char buf[GROUP_NODE])
{
	snprintf(buf, GROUP_NODE, "%s%d", noiommu ? "noiommu-" : "", group);
	return buf;
}

bool groups_offered(const struct root *r)
{
	return root_exists(r, CLASS) || !root_exists(r, CLASS_CDEV);
}

/* "vfio3": the only entry of the folder vfio-dev of a device, since Linux 6.1. */
static bool read_cdev(const struct root *r, const struct pci_addr *a, char *buf, size_t size)
{
	char bdf[PCI_ADDR_LEN];
	_cleanup_root_dir_ struct root_dir *dir =
		root_opendir(r, DEVICE_CDEV, pci_addr_full(a, bdf));
	struct dirent *entry;

	while (dir && (entry = root_next(dir))) {
		if (strncmp(entry->d_name, "vfio", 4) != 0)
			continue;
		/* without CONFIG_VFIO_DEVICE_CDEV the folder has no character device */
		if (!root_exists(r, DEVICE_CDEV "/%s/dev", bdf, entry->d_name))
			return false;
		escape_text(entry->d_name, buf, size);
		return true;
	}
	return false;
}

int groups_refuse(const struct root *r, const struct pci_addr *a, struct error *e)
{
	char cdev[80], node[128] = "/dev/vfio/devices/vfioN";
	int rc;

	if (a && read_cdev(r, a, cdev, sizeof(cdev)))
		snprintf(node, sizeof(node), "/dev/vfio/devices/%s", cdev);
	rc = fail(
		e, CAUSE_FAILED, ENOENT,
		"this kernel offers no VFIO groups (CONFIG_VFIO_GROUP is off), only %s, and msictl opens devices by "
		"their groups",
		node);
	hint(e, "boot a kernel that has CONFIG_VFIO_GROUP=y: grep CONFIG_VFIO /boot/config-*");
	return rc;
}

static const char *absence(int err)
{
	return err == ETIMEDOUT ? "did not appear" : "is not there";
}

/*
 * The kernel has made the device, so udev, devtmpfs or a container's own /dev is what lacks the
 * node.
 */
static int refuse_hidden(const char *node, const char *number, int err, struct error *e)
{
	unsigned int major, minor;
	int rc = fail(e, CAUSE_FAILED, err,
		      "the kernel has the VFIO device %s (%s), but /dev/vfio/%s %s", node, number,
		      node, absence(err));

	if (sscanf(number, "%u:%u", &major, &minor) == 2)
		hint(e,
		     "mkdir -p /dev/vfio; mknod -m 600 /dev/vfio/%s c %u %u   (in a container: pass the node in)",
		     node, major, minor);
	return rc;
}

int group_missing(struct error *e)
{
	int rc = fail(e, CAUSE_NOT_VIABLE, 0,
		      "no IOMMU group: the platform's IOMMU is off or absent");

	hint(e,
	     "boot with intel_iommu=on (Intel alone needs it), and the IOMMU on in the firmware");
	return rc;
}

int node_refuse(const struct root *r, const struct pci_addr *a, const char *node, int err,
		struct error *e)
{
	bool container = !strcmp(node, CONTAINER);
	char number[32];
	int rc;

	/* drivers/vfio/container.c: the container is a device of the class misc */
	if (root_text(r, number, sizeof(number), "%s/%s/dev", container ? CLASS_MISC : CLASS,
		      node) > 0)
		return refuse_hidden(node, number, err, e);
	if (!groups_offered(r))
		return groups_refuse(r, a, e);
	if (container) {
		rc = fail(e, CAUSE_FAILED, err,
			  "this kernel offers no VFIO container: there is no /dev/vfio/vfio");
		hint(e, "grep VFIO_CONTAINER= /boot/config-*   (VFIO's own, or that of iommufd)");
		return rc;
	}
	rc = fail(e, CAUSE_FAILED, err, "/dev/vfio/%s %s", node, absence(err));
	hint(e, "ls -l /dev/vfio /sys/class/vfio; dmesg | grep -i vfio");
	return rc;
}
