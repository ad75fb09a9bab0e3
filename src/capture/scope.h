/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One function with its bridges and IOMMU group, of all that a host has. */
#ifndef MSICTL_CAPTURE_SCOPE_H
#define MSICTL_CAPTURE_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "host/pci.h"
#include "root/reader.h"

struct capture_scope {
	struct pci_addr *function;
	unsigned int *irq;
	int *group;
	size_t nfunction, nirq, ngroup; /* no function: all of the host is wanted */
};

/** scope_read() - what belongs to a function. 0; -ENODEV with a sentence; -ENOMEM. */
int scope_read(struct capture_scope *s, const struct root *r, const struct pci_addr *a,
	       struct error *e);
void scope_free(struct capture_scope *s);

bool scope_has_irq(const struct capture_scope *s, unsigned int irq);

/** scope_wants() - whether an entry of a folder belongs to it. */
bool scope_wants(const struct capture_scope *s, const char *folder, const char *name);

#endif
