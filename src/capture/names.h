/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A growing list of names. */
#ifndef MSICTL_CAPTURE_NAMES_H
#define MSICTL_CAPTURE_NAMES_H

#include "root/reader.h"

struct names {
	/* each is owned */
	char **name;
	size_t n, room;
};

/** names_free() - free the names; @l itself is the caller's. */
void names_free(struct names *l);

/** names_add() - a copy of @name at the end. 0 or -ENOMEM. */
int names_add(struct names *l, const char *name);

/** names_sort() - by their bytes. */
void names_sort(struct names *l);

/**
 * names_of() - what a shell's pattern "*" finds in a folder: sorted, without the names that begin
 * with a dot
 * @l: empty; for names_free(), after an error too
 * Returns: 0 or -errno.
 */
int names_of(const struct root *r, const char *folder, struct names *l);

#endif
