// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka.h makes fail() a macro: our headers come first */
#include "cmd/vectors.h"
#include "base/util.h"

#include <cmocka.h>

/* "msix 3 armed, ..." of all rows. */
static const char *text_of(const struct vector_source *src, bool all)
{
	static char text[65536];
	struct vector_rows rows;

	text[0] = '\0';
	assert_int_equal(vector_rows(src, all, &rows), 0);
	for (size_t i = 0; i < rows.n; i++) {
		const struct vector_row *r = &rows.row[i];

		append(text, sizeof(text), "%s%s %d %s", i ? ", " : "", irq_index_word(r->index),
		       r->vector, r->state);
		if (r->masked_by)
			append(text, sizeof(text), " %s", r->masked_by);
	}
	free(rows.row);
	return text;
}

static void from_the_host(void **state)
{
	struct host_irq irq[] = {
		{ .irq = 40,
		  .source = HOST_IRQ_SYSFS,
		  .index = IRQ_MSIX,
		  .vector = -1,
		  .armed = true },
		{ .irq = 33,
		  .source = HOST_IRQ_SYSFS,
		  .index = IRQ_MSIX,
		  .vector = 0,
		  .armed = true },
		{ .irq = 34, .source = HOST_IRQ_SYSFS, .index = IRQ_MSIX, .vector = 2 },
		{ .irq = 35,
		  .source = HOST_IRQ_SYSFS,
		  .index = IRQ_MSIX,
		  .vector = 2,
		  .armed = true }, /* says the same as another */
		{ .irq = 36,
		  .source = HOST_IRQ_SYSFS,
		  .index = IRQ_MSIX,
		  .vector = 9,
		  .armed = true }, /* beyond the table */
	};
	struct host_irqs h = { .irq = irq, .n = ARRAY_SIZE(irq) };
	struct pci_caps caps = { .has_msix = true,
				 .msix = { .count = 4, .enabled = true },
				 .int_pin = 1 };
	struct vector_source src = { .caps = &caps, .host = &h };
	struct vector_rows rows;
	char none[32];

	(void)state;
	assert_true(!strstr(text_of(&src, true), "msix 4"));
	assert_string_equal(
		text_of(&src, false),
		"msix -1 armed, msix -1 armed, msix 0 armed, msix 2 allocated, msix 9 armed");
	assert_int_equal(vector_rows(&src, false, &rows), 0);
	/* 4 to 8 are nobody's */
	assert_string_equal(vector_set_text(&rows.none[IRQ_MSIX], none, sizeof(none)), "1,3");
	assert_string_equal(vector_set_text(&rows.none[IRQ_INTX], none, sizeof(none)), "0");
	assert_true(vector_set_empty(&rows.none[IRQ_MSI]));
	free(rows.row);
}

/* Nothing tells of the IRQ: that is neither allocated nor none. What this session armed stays armed. */
static void not_seen(void **state)
{
	struct vector v[] = { { .number = 0, .armed = true } }, *msix[] = { &v[0], NULL };
	struct host_irq irq[] = {
		{ .irq = 34, .index = IRQ_MSIX, .vector = -1 },
		{ .irq = 33, .index = IRQ_MSIX, .vector = 0 },
	};
	static const struct device_ops host_knows = { .host_irqs = true };
	struct host_irqs h = { .irq = irq, .n = ARRAY_SIZE(irq) };
	struct pci_caps caps = { .has_msix = true, .msix = { .count = 2 } };
	struct device d = { .ops = &host_knows };
	struct vector_source src = { .caps = &caps, .host = &h };

	(void)state;
	assert_string_equal(text_of(&src, false), "msix -1 unknown, msix 0 unknown");
	d.irq[IRQ_MSIX].info.count = 2;
	d.irq[IRQ_MSIX].vector = msix;
	src.device = &d;
	assert_string_equal(text_of(&src, false), "msix -1 unknown, msix 0 armed");
}

static void all_of_them(void **state)
{
	struct host_irqs h = { 0 };
	struct pci_caps caps = { .has_msi = true, .msi = { .capable = 2 }, .int_pin = 1 };
	struct vector_source src = { .caps = &caps, .host = &h };

	(void)state;
	assert_string_equal(text_of(&src, true), "intx 0 none, msi 0 none, msi 1 none");
	assert_string_equal(text_of(&src, false), "");
	caps = (struct pci_caps){ .has_msix = true, .msix = { .count = 2048 } };
	assert_int_equal(vector_capacity(&src, IRQ_MSIX), 2048);
	assert_non_null(strstr(text_of(&src, true), "msix 2047 none"));
}

static void masked_by_the_device(void **state)
{
	struct host_irq irq[] = {
		{ .irq = 22,
		  .source = HOST_IRQ_SYSFS,
		  .index = IRQ_INTX,
		  .vector = 0,
		  .armed = true },
		{ .irq = 30,
		  .source = HOST_IRQ_SYSFS,
		  .index = IRQ_MSI,
		  .vector = 0,
		  .armed = true },
		{ .irq = 31,
		  .source = HOST_IRQ_SYSFS,
		  .index = IRQ_MSI,
		  .vector = 1,
		  .armed = true },
		{ .irq = 32,
		  .source = HOST_IRQ_SYSFS,
		  .index = IRQ_MSIX,
		  .vector = 0,
		  .armed = true },
		{ .irq = 33, .source = HOST_IRQ_SYSFS, .index = IRQ_MSIX, .vector = 1 },
	};
	struct host_irqs h = { .irq = irq, .n = ARRAY_SIZE(irq) };
	struct pci_caps caps = {
		.command = 0x0400,
		.int_pin = 1,
		.has_msi = true,
		.msi = { .capable = 2, .maskable = true, .mask_pos = 0x60, .mask = 0x2 },
		.has_msix = true,
		.msix = { .count = 2, .enabled = true, .function_mask = true },
	};
	struct vector_source src = { .caps = &caps, .host = &h };

	(void)state;
	assert_string_equal(text_of(&src, false),
			    "intx 0 masked disintx, msi 0 armed, msi 1 masked bits, "
			    "msix 0 masked function, msix 1 allocated");
}

/* A session: what we hold back, what the host says against our books, and notices. */
static void in_a_session(void **state)
{
	static const struct device_ops host_knows = { .host_irqs = true }, host_knows_not = { 0 };
	struct vector v[] = { { .number = 0, .armed = true, .count = 5 },
			      { .number = 1, .armed = true, .masked = MASK_TABLE },
			      { .number = 2, .armed = true },
			      { .number = 3, .masked = MASK_EVENTFD } };
	struct vector *msix[] = { &v[0], &v[1], &v[2], &v[3], NULL }, err = { .armed = true },
		      req = { .armed = true };
	struct vector *errs[] = { &err }, *reqs[] = { &req };
	struct host_irq irq[] = {
		{ .irq = 33,
		  .source = HOST_IRQ_SYSFS,
		  .index = IRQ_MSIX,
		  .vector = 0,
		  .armed = true },
		{ .irq = 34,
		  .source = HOST_IRQ_SYSFS,
		  .index = IRQ_MSIX,
		  .vector = 1,
		  .armed = true },
		{ .irq = 35,
		  .source = HOST_IRQ_SYSFS,
		  .index = IRQ_MSIX,
		  .vector = 2 }, /* the kernel dropped it */
	};
	struct host_irqs h = { .irq = irq, .n = ARRAY_SIZE(irq) }, nothing = { 0 };
	struct pci_caps caps = { 0 };
	struct device d = { .ops = &host_knows };
	struct vector_source src = { .caps = &caps, .host = &h, .device = &d };

	(void)state;
	d.irq[IRQ_MSIX].info.count = 5;
	d.irq[IRQ_MSIX].vector = msix;
	d.irq[IRQ_ERR].info.count = 1;
	d.irq[IRQ_ERR].vector = errs;
	d.irq[IRQ_REQ].info.count = 1;
	d.irq[IRQ_REQ].vector = reqs;
	assert_string_equal(text_of(&src, false),
			    "msix 0 armed, msix 1 masked table, msix 2 allocated, "
			    "msix 3 masked eventfd, err 0 armed");
	req.count = 1;
	assert_non_null(strstr(text_of(&src, false), "req 0 armed"));

	d.ops = &host_knows_not;
	src.host = &nothing;
	vector_set_add_range(&d.irq[IRQ_MSIX].allocated, 0, 5);
	assert_string_equal(text_of(&src, false),
			    "msix 0 armed, msix 1 masked table, msix 2 armed, "
			    "msix 3 masked eventfd, msix 4 allocated, err 0 armed, req 0 armed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_the_host), cmocka_unit_test(not_seen),
		cmocka_unit_test(all_of_them),	 cmocka_unit_test(masked_by_the_device),
		cmocka_unit_test(in_a_session),
	};

	return cmocka_run_group_tests_name("cmd-vectors", tests, NULL, NULL);
}
