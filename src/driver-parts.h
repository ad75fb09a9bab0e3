/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What driver.c is made of; nobody else includes this. */
#ifndef MSICTL_DRIVER_PARTS_H
#define MSICTL_DRIVER_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "pci.h"
#include "root.h"

/*
 * driver-former.c: which driver a function had, in /run/msictl/former/BDF.
 * The folder is root's alone, and what is read back is still only believed
 * when it can be a driver's name.
 */

/** former_save() - @driver "" is remembered too: it had none. 0 or -errno. */
int former_save(const struct root *r, const struct pci_addr *a, const char *driver);

/** former_load() - 0 and the name ("": none); -ENOENT: nothing is remembered; -EINVAL: no driver's name; -EPERM: not
 * ours.
 */
int former_load(const struct root *r, const struct pci_addr *a, char *driver, size_t size);
void former_forget(const struct root *r, const struct pci_addr *a);

/* driver-node.c */

/**
 * node_wait() - until /dev/vfio/N of the group is there
 * Returns: 0, -ETIMEDOUT, -errno.
 */
int node_wait(const struct root *r, int group, bool noiommu, uint64_t timeout_us);

#endif
