/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which node in /dev/vfio opens an IOMMU group, and why a node is missing. */
#ifndef MSICTL_HOST_GROUP_NODE_H
#define MSICTL_HOST_GROUP_NODE_H

#include <stdbool.h>

#include "base/error.h"
#include "host/pci.h"
#include "root/reader.h"

/* Room for "noiommu-" and a group's number. */
#define GROUP_NODE 24

/**
 * group_node() - "9", or "noiommu-9": the name in /dev/vfio and in /sys/class/vfio. Returns @buf.
 */
char *group_node(int group, bool noiommu, char buf[GROUP_NODE]);

/**
 * group_missing() - the sentence and the hint for a function without an IOMMU group
 *
 * Returns: -EINVAL, CAUSE_NOT_VIABLE.
 */
int group_missing(struct error *e);

/**
 * groups_offered() - whether this kernel opens devices by their groups (CONFIG_VFIO_GROUP)
 * Known once the module vfio is loaded, with or without a device: drivers/vfio/vfio_main.c
 * registers the class vfio-dev always, group.c the class vfio when it is compiled in.
 * Returns: false only when /sys shows that there are no groups.
 */
bool groups_offered(const struct root *r);

/**
 * groups_refuse() - the sentence for a kernel without groups. @a: names the device's own node;
 * NULL. Always -ENOENT.
 */
int groups_refuse(const struct root *r, const struct pci_addr *a, struct error *e);

/**
 * node_refuse() - why /dev/vfio/@node of a function with a driver of VFIO is not there
 * @node: of group_node(), or "vfio", the container
 * @err: ENOENT, or ETIMEDOUT after waiting for it
 * Returns: -@err, or what groups_refuse() returns.
 */
int node_refuse(const struct root *r, const struct pci_addr *a, const char *node, int err,
		struct error *e);

#endif
