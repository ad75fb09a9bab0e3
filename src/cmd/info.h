/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of info: each fills its member of the document and prints its lines. */
#ifndef MSICTL_CMD_INFO_H
#define MSICTL_CMD_INFO_H

#include "cli/session.h"
#include "cmd/vectors.h"
#include "host/function.h"

struct info {
	struct session *s;
	struct function f; /* all zeros but caps when the device has no PCI address */
	bool addressed;
	struct host_irqs host;
	struct vector_set used; /* MSI-X vectors with a Linux IRQ */
	struct device *device;	/* to ask; NULL when it could not be opened */
	bool opened;		/* by us, to be closed again */
	struct error why;	/* why not; message "" when nobody tried */
	/* what told of the capabilities: "sysfs", or the back end's name */
	const char *caps_source;
	bool caps_virtual; /* by VFIO, which keeps Enable, address and data of MSI to itself */
};

/* cmd/info-reason.c */

/**
 * info_because() - tell why a part is missing: @key and @hint_key of the document, and a line that
 * begins with @what.
 */
void info_because(struct info *i, const char *what, const char *key, const char *hint_key,
		  const struct error *why);

/* cmd/info-capabilities.c */

/** info_function() - names, driver, group, power, the Command register. */
void info_function(struct info *i);

/** info_capabilities() - MSI and MSI-X as they stand in config space. */
void info_capabilities(struct info *i);

/* cmd/info-irqs.c */

/** info_open() - open an idle device, so that VFIO can be asked; else i->why says why not. */
void info_open(struct info *i, const char *spec, bool allowed);

/** info_indexes() - VFIO's five indexes, or why they can't be told. 0 or -ENOMEM. */
int info_indexes(struct info *i);

/* cmd/info-table.c */

/** info_table() - the MSI-X table and pending bits, or why they can't be read. 0 or -ENOMEM. */
int info_table(struct info *i, bool all);

#endif
