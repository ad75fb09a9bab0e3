/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a BAR of a function that somebody else drives: sysfs' resourceN, never where it could
 * hurt.
 */
#ifndef MSICTL_HOST_BAR_H
#define MSICTL_HOST_BAR_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "host/function.h"
#include "root/reader.h"

struct bar {
	uint64_t size;
	bool memory, io;
};

/** bar_parse() - line @number of sysfs' "resource" text. 0 or -EINVAL. */
int bar_parse(const char *text, unsigned int number, struct bar *b);

/**
 * bar_read() - @len bytes at @offset of a memory BAR; both are multiples of 4
 * @f: read just before; what it says of power and memory decode is believed
 *
 * Refused on a captured tree, with memory decode off, below D0, for an I/O BAR
 * and outside the BAR.
 * Returns: 0; -ENXIO when all of it reads as ones: nobody answered; -errno. A
 * sentence in @e.
 */
int bar_read(const struct root *r, const struct function *f, unsigned int number, uint64_t offset,
	     void *buf, size_t len, struct error *e);

#endif
