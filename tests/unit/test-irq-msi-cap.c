// SPDX-License-Identifier: GPL-2.0-or-later
/* Capabilities that are cut off at each length, and lists of extended ones with odd pointers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "irq/msi-cap.h"

#include <cmocka.h>

static void put32(uint8_t *at, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

/* In memory of exactly that size: valgrind and ASan see an access beyond it. */
static struct pci_caps decode(const uint8_t *cfg, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);
	struct pci_caps c;

	memcpy(exact, cfg, len);
	caps_decode(exact, len, &c);
	free(exact);
	return c;
}

/* 64 bytes are a header, 63 are none. */
static void a_header(void **state)
{
	uint8_t cfg[64] = { 0x86, 0x80, 0x34, 0x12, 0x06, 0x04 };

	(void)state;
	assert_int_equal(decode(cfg, 64).problem, CAPS_OK);
	assert_int_equal(decode(cfg, 64).vendor, 0x8086);
	assert_int_equal(decode(cfg, 64).command, 0x0406);
	assert_int_equal(decode(cfg, 63).problem, CAPS_SHORT_CONFIG);
	assert_int_equal(decode(cfg, 63).vendor, 0);
}

/* Each form of the MSI capability and the bytes that it needs; one less, and it is cut off. */
static void an_msi_capability_that_is_cut(void **state)
{
	static const struct {
		uint16_t control;
		unsigned int needs;
		uint32_t data;
	} forms[] = {
		{ 0x0000, 10, 0xbbaa },	    { 0x0080, 14, 0xffee },	{ 0x0400, 12, 0xddccbbaa },
		{ 0x0480, 16, 0x2211ffee }, { 0x0100, 20, 0xbbaa },	{ 0x0180, 24, 0xffee },
		{ 0x0500, 20, 0xddccbbaa }, { 0x0580, 24, 0x2211ffee },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		uint8_t cfg[256] = { 0x86, 0x80, [6] = 0x10, [0x34] = 0x40, [0x40] = 0x05 };
		struct pci_caps c;

		cfg[0x42] = (uint8_t)forms[i].control;
		cfg[0x43] = (uint8_t)(forms[i].control >> 8);
		for (unsigned int n = 0; n < 20; n++)
			cfg[0x44 + n] =
				"\x10\x20\x30\x40\xaa\xbb\xcc\xdd\xee\xff\x11\x22\x33\x44\x55\x66\x77\x88\x99\x09"
					[n];
		c = decode(cfg, 0x40 + forms[i].needs);
		assert_int_equal(c.problem, CAPS_OK);
		assert_true(c.has_msi && !c.msi.truncated);
		assert_int_equal(c.msi.data, forms[i].data);
		c = decode(cfg, 0x40 + forms[i].needs - 1);
		assert_true(c.has_msi && c.msi.truncated);
		assert_int_equal(c.msi.data, 0);
	}
}

static void dvsec(uint8_t *at, unsigned int next, uint32_t capabilities)
{
	put32(at, 0x0023 | 1u << 16 | next << 20);
	put32(at + 4, 0x8086 | 0x18u << 20);
	put32(at + 8, 5);
	put32(at + 0x14, capabilities);
}

/* The low two bits of a pointer are reserved, and the first DVSEC of a kind counts. */
static void a_list_of_extended_ones(void **state)
{
	struct siov_dvsec s;

	(void)state;
	for (unsigned int low = 0; low < 4; low++) {
		uint8_t cfg[4096] = { 0 };

		put32(cfg + 0x100, 0x0001 | 1u << 16 | (0x200 + low) << 20);
		dvsec(cfg + 0x200, 0x300, 0x1);
		dvsec(cfg + 0x300, 0x100, 0x2);
		siov_decode(cfg, sizeof(cfg), &s);
		assert_true(s.found && s.ims && !s.cyclic);
		assert_int_equal(s.pos, 0x200);
		assert_int_equal(s.capabilities, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header),
		cmocka_unit_test(an_msi_capability_that_is_cut),
		cmocka_unit_test(a_list_of_extended_ones),
	};

	return cmocka_run_group_tests_name("irq-msi-cap", tests, NULL, NULL);
}
