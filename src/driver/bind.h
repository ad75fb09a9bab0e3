/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Binding to vfio-pci and back: driver_override only, never new_id
 * (Documentation/ABI/testing/sysfs-bus-pci).
 */
#ifndef MSICTL_DRIVER_BIND_H
#define MSICTL_DRIVER_BIND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/trace.h"
#include "host/pci.h"
#include "root/reader.h"

struct driver_change {
	char from[ROOT_NAME], to[ROOT_NAME]; /* "" is no driver */
	bool changed;			     /* false: it was so already */
	/* What a user should know besides, with at most one driver's name in it; "". */
	char note[256 + ROOT_NAME_ESCAPED];
};

/**
 * driver_bind() - hand a function to @driver ("vfio-pci"), remembering what it had
 *
 * Refused (CAUSE_BUSY) for a function that carries a mounted file system or swap,
 * a disk that is claimed (open(2) with O_EXCL), an interface that is up, or the
 * boot display, unless @force; for a bridge always.
 * Waits up to @timeout_us for the group's node (/dev/vfio/N). On failure the
 * former state is put back.
 */
int driver_bind(const struct root *r, const struct pci_addr *a, bool force, uint64_t timeout_us,
		const struct trace *t, struct driver_change *c, struct error *e);

/** driver_unbind() - take it from vfio-pci and give it back to the driver it had. */
int driver_unbind(const struct root *r, const struct pci_addr *a, const struct trace *t,
		  struct driver_change *c, struct error *e);

/**
 * driver_in_use() - why the function must not be taken away: 0 free, -EBUSY with a sentence in @e.
 */
int driver_in_use(const struct root *r, const struct pci_addr *a, struct error *e);

#endif
