// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/bind-state.h"

#include <limits.h>

#include "base/util.h"

#define DEVICES "sys/bus/pci/devices"

int bind_state_read(const struct root *r, const struct pci_addr *a, struct bind_state *p)
{
	char bdf[PCI_ADDR_LEN], group[32];
	unsigned int misses = root_misses(r);
	uint64_t n;

	*p = (struct bind_state){ .group = -1 };
	pci_addr_full(a, bdf);
	p->here = root_exists(r, DEVICES "/%s", bdf);
	root_link(r, p->driver, sizeof(p->driver), DEVICES "/%s/driver", bdf);
	if (root_link(r, group, sizeof(group), DEVICES "/%s/iommu_group", bdf) > 0 &&
	    !parse_u64(group, 10, INT_MAX, &n))
		p->group = (int)n;
	return root_missed(r, misses);
}
