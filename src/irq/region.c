// SPDX-License-Identifier: GPL-2.0-or-later
#include "irq/region.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

static const char *const words[NR_REGION] = {
	"bar0",
	"bar1",
	"bar2",
	"bar3",
	"bar4",
	"bar5",
	[REGION_ROM] = "rom",
	[REGION_CONFIG] = "config",
	[REGION_VGA] = "vga",
};

const char *region_word(enum region_index region)
{
	return (size_t)region < ARRAY_SIZE(words) ? words[region] : NULL;
}

char *region_text(enum region_index region, uint64_t offset, size_t n, char *buf, size_t size)
{
	snprintf(buf, size, "%s offset=0x%" PRIx64 " size=%zu", region_word(region), offset, n);
	return buf;
}

void region_value(const void *raw, size_t n, const char *before, char *buf, size_t size)
{
	uint64_t number = 0;

	if (n > sizeof(number))
		return;
	memcpy(&number, raw, n);
	append(buf, size, "%s0x%0*" PRIx64, before, (int)(2 * n), le64toh(number));
}
