// SPDX-License-Identifier: GPL-2.0-or-later
#include "vfio/words.h"

#include <linux/vfio.h>
#include <stdio.h>

#include "base/util.h"

void vfio_device_words(const void *info, char *buf, size_t size)
{
	static const struct flag_word words[] = { { VFIO_DEVICE_FLAGS_RESET, "RESET" },
						  { VFIO_DEVICE_FLAGS_PCI, "PCI" } };
	const struct vfio_device_info *di = info;

	snprintf(buf, size, "regions=%u irqs=%u flags=", di->num_regions, di->num_irqs);
	append_flags(buf, size, words, ARRAY_SIZE(words), di->flags);
}

void vfio_irq_words(const void *info, char *buf, size_t size)
{
	struct flag_word words[32];
	const struct vfio_irq_info *ii = info;
	unsigned int n = 0;

	for (const char *word; n < ARRAY_SIZE(words) && (word = irq_flag_word(n)); n++)
		words[n] = (struct flag_word){ 1u << n, word };
	snprintf(buf, size, "count=%u flags=", ii->count);
	append_flags(buf, size, words, n, ii->flags);
}

void vfio_region_words(const void *info, char *buf, size_t size)
{
	static const struct flag_word words[] = { { VFIO_REGION_INFO_FLAG_READ, "READ" },
						  { VFIO_REGION_INFO_FLAG_WRITE, "WRITE" },
						  { VFIO_REGION_INFO_FLAG_MMAP, "MMAP" },
						  { VFIO_REGION_INFO_FLAG_CAPS, "CAPS" } };
	const struct vfio_region_info *ri = info;

	snprintf(buf, size, "size=0x%llx offset=0x%llx flags=", (unsigned long long)ri->size,
		 (unsigned long long)ri->offset);
	append_flags(buf, size, words, ARRAY_SIZE(words), ri->flags);
}

uint32_t vfio_set_flags(const struct irq_set *s)
{
	static const uint32_t action[] = {
		[IRQ_ACTION_TRIGGER] = VFIO_IRQ_SET_ACTION_TRIGGER,
		[IRQ_ACTION_MASK] = VFIO_IRQ_SET_ACTION_MASK,
		[IRQ_ACTION_UNMASK] = VFIO_IRQ_SET_ACTION_UNMASK,
	};
	static const uint32_t data[] = {
		[IRQ_DATA_NONE] = VFIO_IRQ_SET_DATA_NONE,
		[IRQ_DATA_BOOL] = VFIO_IRQ_SET_DATA_BOOL,
		[IRQ_DATA_EVENTFD] = VFIO_IRQ_SET_DATA_EVENTFD,
	};

	return action[s->action] | data[s->data];
}
