/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking a capture: what src/capture/rules names of a root, written as text. */
#ifndef MSICTL_CAPTURE_TAKE_H
#define MSICTL_CAPTURE_TAKE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "host/pci.h"
#include "root/reader.h"

struct capture_options {
	/* this function, its bridges and IOMMU group alone; NULL: all */
	const struct pci_addr *device;
	bool vpd, serials;
	const char *version; /* of this program, for the head */
};

struct capture_result {
	unsigned int files, links, unread;
	unsigned int outside; /* links that lead out of the root, left out */
};

/**
 * capture_take() - write a capture of a root
 * Reads alone. Memory: the largest file and the longest list of names.
 * Returns: 0; -ENODEV: no such function; -errno of what could not be written or had no memory, with
 * a sentence.
 */
int capture_take(const struct root *r, const struct capture_options *opt, FILE *to,
		 struct capture_result *result, struct error *e);

/** capture_script() - print the same as a script for POSIX shells. 0 or -errno. */
int capture_script(const char *version, FILE *to);

#endif
