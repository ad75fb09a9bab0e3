// SPDX-License-Identifier: GPL-2.0-or-later
/* What a trace says of regions, their bytes, and the structs of linux/vfio.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#undef fail /* cmocka's; the tool has its own */
#include <linux/vfio.h>

#include "irq/region.h"
#include "base/util.h"
#include "vfio/words.h"

static void test_region_word(void **state)
{
	(void)state;
	assert_string_equal(region_word(REGION_BAR0), "bar0");
	assert_string_equal(region_word((enum region_index)VFIO_PCI_ROM_REGION_INDEX), "rom");
	assert_string_equal(region_word((enum region_index)VFIO_PCI_CONFIG_REGION_INDEX), "config");
	assert_string_equal(region_word((enum region_index)VFIO_PCI_VGA_REGION_INDEX), "vga");
	assert_null(region_word(NR_REGION));
}

static void test_region_text(void **state)
{
	static const uint8_t raw[9] = { 6, 0, 0, 0, 0, 0, 0, 0x80 };
	char text[96];

	(void)state;
	assert_string_equal(region_text(REGION_CONFIG, 4, 2, text, sizeof(text)),
			    "config offset=0x4 size=2");
	region_value(raw, 2, " value=", text, sizeof(text));
	assert_string_equal(text, "config offset=0x4 size=2 value=0x0006");
	text[0] = '\0';
	region_value(raw, 8, "", text, sizeof(text));
	assert_string_equal(text, "0x8000000000000006");
	/* more is no number */
	region_value(raw, 9, " more=", text, sizeof(text));
	assert_string_equal(text, "0x8000000000000006");
	/* no room: cut, never past the end */
	region_text(REGION_BAR5, UINT64_MAX, 8, text, 10);
	region_value(raw, 8, " value=", text, 10);
	assert_string_equal(text, "bar5 offs");
}

static void test_structs(void **state)
{
	const struct vfio_device_info di = { .flags = VFIO_DEVICE_FLAGS_PCI |
						      VFIO_DEVICE_FLAGS_RESET | 1u << 31,
					     .num_regions = 9,
					     .num_irqs = 5 };
	const struct vfio_irq_info ii = { .count = 64,
					  .flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE };
	const struct vfio_region_info ri = { .size = 0x1000, .offset = 0x20000000000 };
	char text[160];

	(void)state;
	vfio_device_words(&di, text, sizeof(text));
	assert_string_equal(text, "regions=9 irqs=5 flags=RESET|PCI|0x80000000");
	vfio_irq_words(&ii, text, sizeof(text));
	assert_string_equal(text, "count=64 flags=EVENTFD|NORESIZE");
	vfio_region_words(&ri, text, sizeof(text));
	assert_string_equal(text, "size=0x1000 offset=0x20000000000 flags=0");
}

static void test_set_flags(void **state)
{
	const struct irq_set fire = { .action = IRQ_ACTION_TRIGGER, .data = IRQ_DATA_BOOL };
	const struct irq_set unmask = { .action = IRQ_ACTION_UNMASK, .data = IRQ_DATA_EVENTFD };
	const struct irq_set mask = { .action = IRQ_ACTION_MASK, .data = IRQ_DATA_NONE };

	(void)state;
	assert_int_equal(vfio_set_flags(&fire),
			 VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_BOOL);
	assert_int_equal(vfio_set_flags(&unmask),
			 VFIO_IRQ_SET_ACTION_UNMASK | VFIO_IRQ_SET_DATA_EVENTFD);
	assert_int_equal(vfio_set_flags(&mask), VFIO_IRQ_SET_ACTION_MASK | VFIO_IRQ_SET_DATA_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_region_word),
		cmocka_unit_test(test_region_text),
		cmocka_unit_test(test_structs),
		cmocka_unit_test(test_set_flags),
	};

	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
