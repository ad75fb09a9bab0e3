/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a PCI function is there and who drives it: a few links of /sys, nothing is woken. */
#ifndef MSICTL_HOST_BIND_STATE_H
#define MSICTL_HOST_BIND_STATE_H

#include <stdbool.h>

#include "host/pci.h"
#include "root/reader.h"

struct bind_state {
	bool here;
	char driver[ROOT_NAME]; /* "" when none */
	int group;		/* IOMMU group, -1: none */
};

/**
 * bind_state_read() - as it is now. 0; -errno: it can't be looked at, and @p says that nothing is
 * there.
 */
__attribute__((warn_unused_result)) int
bind_state_read(const struct root *r, const struct pci_addr *a, struct bind_state *p);

#endif
