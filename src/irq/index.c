// SPDX-License-Identifier: GPL-2.0-or-later
#include "irq/index.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

static const char *const words[NR_IRQ_INDEX] = {
	[IRQ_INTX] = "intx", [IRQ_MSI] = "msi", [IRQ_MSIX] = "msix",
	[IRQ_ERR] = "err",   [IRQ_REQ] = "req",
};

static const char *const flags[] = { "EVENTFD", "MASKABLE", "AUTOMASKED", "NORESIZE" };

const char *irq_index_word(enum irq_index index)
{
	return (size_t)index < ARRAY_SIZE(words) ? words[index] : "?";
}

int irq_index_parse(const char *text, enum irq_index *index)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(text, words[i]) != 0)
			continue;
		*index = (enum irq_index)i;
		return 0;
	}
	return -EINVAL;
}

const char *irq_flag_word(unsigned int bit)
{
	return bit < ARRAY_SIZE(flags) ? flags[bit] : NULL;
}
