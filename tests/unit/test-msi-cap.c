// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "irq/msi-cap.h"
#include "base/util.h"

static void put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v & 0xffff);
	put16(p + 2, v >> 16);
}

/* A function with a capability list that begins at @first. */
static void header(uint8_t cfg[256], uint8_t first)
{
	memset(cfg, 0, 256);
	put16(cfg, 0x8086);
	put16(cfg + 2, 0x10d3);
	put16(cfg + 4, 0x0506);
	put16(cfg + 6, 0x0010);
	cfg[0x0e] = 0x80;
	cfg[0x34] = first;
	cfg[0x3d] = 1;
}

/* Decodes a heap copy of exactly @len bytes, so that sanitizers and valgrind see any read past it. */
static struct pci_caps decode(const uint8_t *cfg, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);
	struct pci_caps caps;

	assert_non_null(exact);
	memcpy(exact, cfg, len);
	caps_decode(exact, len, &caps);
	free(exact);
	return caps;
}

static void header_fields(void **state)
{
	uint8_t cfg[256];
	struct pci_caps c;

	(void)state;
	header(cfg, 0);
	c = decode(cfg, 256);
	assert_int_equal(c.problem, CAPS_OK);
	assert_null(caps_problem_text(c.problem));
	assert_int_equal(c.vendor, 0x8086);
	assert_int_equal(c.device, 0x10d3);
	assert_int_equal(c.command, 0x0506);
	assert_int_equal(c.header_type, 0);
	assert_int_equal(c.int_pin, 1);
	assert_false(c.has_msi || c.has_msix || c.has_pcie || c.has_pm);
}

/* The xhci's capability while 16 vectors were live, as sysfs showed it: 05 00 c9 00 18 04 e0 fe. */
static void msi_of_the_lab(void **state)
{
	static const uint8_t raw[] = { 0x05, 0, 0xc9, 0, 0x18, 0x04, 0xe0,
				       0xfe, 0, 0,    0, 0,    0x21, 0x43 };
	uint8_t cfg[256];
	struct pci_caps c;

	(void)state;
	header(cfg, 0x70);
	memcpy(cfg + 0x70, raw, sizeof(raw));
	c = decode(cfg, 256);
	assert_int_equal(c.problem, CAPS_OK);
	assert_true(c.has_msi);
	assert_true(c.msi.enabled);
	assert_int_equal(c.msi.pos, 0x70);
	assert_int_equal(c.msi.control, 0xc9);
	assert_int_equal(c.msi.capable, 16);
	assert_int_equal(c.msi.allocated, 16);
	assert_true(c.msi.is64);
	assert_false(c.msi.maskable);
	assert_int_equal(c.msi.mask_pos, 0);
	assert_int_equal(c.msi.reserved, 0);
	assert_int_equal(c.msi.address, 0xfee00418);
	assert_int_equal(c.msi.data, 0x4321);
	assert_false(c.msi.truncated);
}

static void msi_layouts(void **state)
{
	uint8_t cfg[256];
	struct pci_caps c;

	(void)state;
	/* 32 bit, maskable: mask at 0x0c, pending at 0x10 */
	header(cfg, 0x50);
	cfg[0x50] = 5;
	put16(cfg + 0x52, 0x0100);
	put32(cfg + 0x54, 0xfee00000);
	put32(cfg + 0x58, 0xffff1234);
	put32(cfg + 0x5c, 0xa);
	put32(cfg + 0x60, 0x2);
	c = decode(cfg, 256);
	assert_int_equal(c.msi.address, 0xfee00000);
	assert_int_equal(c.msi.data, 0x1234);
	assert_int_equal(c.msi.mask_pos, 0x5c);
	assert_int_equal(c.msi.mask, 0xa);
	assert_int_equal(c.msi.pending, 0x2);
	/* 64 bit, maskable: 0x10 and 0x14; extended data */
	header(cfg, 0x50);
	cfg[0x50] = 5;
	put16(cfg + 0x52, 0x0780);
	put32(cfg + 0x58, 0x12);
	put32(cfg + 0x5c, 0xdead1234);
	put32(cfg + 0x60, 0xb);
	put32(cfg + 0x64, 0x3);
	c = decode(cfg, 256);
	assert_int_equal(c.msi.address, 0x1200000000);
	assert_int_equal(c.msi.data, 0xdead1234);
	assert_int_equal(c.msi.mask_pos, 0x60);
	assert_int_equal(c.msi.mask, 0xb);
	assert_int_equal(c.msi.pending, 0x3);
	assert_int_equal(c.msi.reserved, 0);
}

static void msi_reserved(void **state)
{
	uint8_t cfg[256];
	struct pci_caps c;

	(void)state;
	header(cfg, 0x50);
	cfg[0x50] = 5;
	put16(cfg + 0x52, 0xf800 | 6 << 1 | 7 << 4);
	c = decode(cfg, 256);
	assert_int_equal(c.msi.capable, 0);
	assert_int_equal(c.msi.allocated, 0);
	assert_int_equal(c.msi.reserved, 0xf800);
}

static void msix_fields(void **state)
{
	uint8_t cfg[256];
	struct pci_caps c;

	(void)state;
	header(cfg, 0x50);
	cfg[0x50] = 0x11;
	put16(cfg + 0x52, 0xc000 | 0x3800 | 64);
	put32(cfg + 0x54, 0x00012003);
	put32(cfg + 0x58, 0x00013004);
	c = decode(cfg, 256);
	assert_true(c.has_msix);
	assert_true(c.msix.enabled);
	assert_true(c.msix.function_mask);
	assert_int_equal(c.msix.count, 65);
	assert_int_equal(c.msix.reserved, 0x3800);
	assert_int_equal(c.msix.table_bar, 3);
	assert_int_equal(c.msix.table_offset, 0x12000);
	assert_int_equal(c.msix.pba_bar, 4);
	assert_int_equal(c.msix.pba_offset, 0x13000);
	put16(cfg + 0x52, 0x07ff);
	c = decode(cfg, 256);
	assert_int_equal(c.msix.count, 2048);
}

static void first_of_a_kind_counts(void **state)
{
	uint8_t cfg[256];
	struct pci_caps c;

	(void)state;
	header(cfg, 0x43); /* low bits are reserved */
	cfg[0x40] = 1;
	cfg[0x41] = 0x50;
	cfg[0x50] = 5;
	cfg[0x51] = 0x61;
	cfg[0x60] = 0x10;
	cfg[0x61] = 0x80;
	cfg[0x80] = 5;
	put16(cfg + 0x82, 1);
	c = decode(cfg, 256);
	assert_int_equal(c.problem, CAPS_OK);
	assert_true(c.has_pm && c.has_pcie && c.has_msi);
	assert_int_equal(c.pm_pos, 0x40);
	assert_int_equal(c.pcie_pos, 0x60);
	assert_int_equal(c.msi.pos, 0x50);
	assert_false(c.msi.enabled);
}

static void cardbus_pointer(void **state)
{
	uint8_t cfg[256];

	(void)state;
	header(cfg, 0);
	cfg[0x0e] = 2;
	cfg[0x14] = 0x50;
	cfg[0x50] = 5;
	assert_true(decode(cfg, 256).has_msi);
}

static void hostile_lists(void **state)
{
	uint8_t cfg[256];
	struct pci_caps c;

	(void)state;
	header(cfg, 0x40);
	cfg[0x40] = 5;
	cfg[0x41] = 0x50;
	cfg[0x50] = 1;
	cfg[0x51] = 0x40;
	c = decode(cfg, 256);
	assert_int_equal(c.problem, CAPS_CYCLIC);
	assert_true(c.has_msi); /* what was found on the way is kept */
	cfg[0x51] = 0x50;
	assert_int_equal(decode(cfg, 256).problem, CAPS_CYCLIC);
	cfg[0x51] = 0x3c;
	assert_int_equal(decode(cfg, 256).problem, CAPS_BAD_POINTER);
	cfg[0x51] = 0x90;
	cfg[0x90] = 0xff;
	assert_int_equal(decode(cfg, 256).problem, CAPS_BAD_POINTER);
	/* no list announced: the pointer means nothing */
	cfg[6] = 0;
	c = decode(cfg, 256);
	assert_int_equal(c.problem, CAPS_OK);
	assert_false(c.has_msi);
}

static void truncated_config(void **state)
{
	uint8_t cfg[256];
	struct pci_caps c;

	(void)state;
	header(cfg, 0x50);
	cfg[0x50] = 5;
	put16(cfg + 0x52, 0x0180);
	for (size_t len = 0; len <= 256; len++) {
		c = decode(cfg, len);
		assert_int_equal(c.problem, len < 0x52 ? CAPS_SHORT_CONFIG : CAPS_OK);
		assert_int_equal(c.has_msi, len >= 0x52);
		assert_int_equal(c.has_msi && c.msi.truncated, len >= 0x52 && len < 0x50 + 24);
	}
	header(cfg, 0xfc);
	cfg[0xfc] = 0x11;
	put16(cfg + 0xfe, 0x8001);
	c = decode(cfg, 256);
	assert_true(c.has_msix && c.msix.truncated && c.msix.enabled);
	assert_int_equal(c.msix.count, 2);
	header(cfg, 0xfc);
	cfg[0xfc] = 0x05;
	assert_true(decode(cfg, 256).msi.truncated);
}

static void gone_device(void **state)
{
	uint8_t cfg[256];

	(void)state;
	memset(cfg, 0xff, sizeof(cfg));
	assert_int_equal(decode(cfg, 256).problem, CAPS_ALL_ONES);
	assert_non_null(strstr(caps_problem_text(CAPS_ALL_ONES), "D3cold"));
	/* a virtual function: only vendor and device are ones */
	header(cfg, 0x50);
	memset(cfg, 0xff, 4);
	cfg[0x50] = 0x11;
	assert_true(decode(cfg, 256).has_msix);
}

static void guest_control(void **state)
{
	(void)state;
	assert_int_equal(msi_guest_control(0x0088, 1), 0x0080);
	assert_int_equal(msi_guest_control(0x0088, 0), 0x0080);
	assert_int_equal(msi_guest_control(0x0088, 16), 0x0088);
	assert_int_equal(msi_guest_control(0x0088, 15), 0x0086);
	assert_int_equal(msi_guest_control(0x0088, 4096),
			 0x0088); /* never more than the device has */
	assert_int_equal(msi_guest_control(0x01c9, 4),
			 0x0184); /* enable and MME are the guest's to set */
	assert_int_equal(msi_guest_control(0x000a, 32), 0x000a);
	assert_int_equal(msi_guest_control(0x000e, 64),
			 0x000a); /* a reserved encoding is not passed on */
}

static void table_entry(void **state)
{
	static const uint8_t raw[MSIX_ENTRY_SIZE] = { 0x78, 0x03, 0xe0, 0xfe, 1, 0, 0,	  0,
						      0x21, 0x43, 0,	0,    1, 0, 0xaa, 0 };
	struct msix_entry e;

	(void)state;
	msix_entry_decode(raw, &e);
	assert_int_equal(e.address, 0x1fee00378);
	assert_int_equal(e.data, 0x4321);
	assert_int_equal(e.control, 0x00aa0001);
}

static struct siov_dvsec siov(const uint8_t *cfg, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);
	struct siov_dvsec s;

	assert_non_null(exact);
	memcpy(exact, cfg, len);
	siov_decode(exact, len, &s);
	free(exact);
	return s;
}

static void put_dvsec(uint8_t *p, unsigned int next, unsigned int vendor, unsigned int len,
		      unsigned int id, uint32_t caps)
{
	put32(p, (uint32_t)next << 20 | 1u << 16 | 0x23);
	put32(p + 4, (uint32_t)len << 20 | vendor);
	put16(p + 8, id);
	put32(p + 0x14, caps);
}

static void siov_found(void **state)
{
	static uint8_t cfg[4096];
	struct siov_dvsec s;

	(void)state;
	put32(cfg + 0x100, 0x14010001);
	put_dvsec(cfg + 0x140, 0x200, 0x1234, 0x18, 5, 1); /* another vendor's */
	put_dvsec(cfg + 0x200, 0x300, 0x8086, 0x18, 4, 1); /* another of Intel's */
	put_dvsec(cfg + 0x300, 0xfe8, 0x8086, 0x14, 5, 1); /* too short to hold the register */
	put_dvsec(cfg + 0xfe8, 0, 0x8086, 0x18, 5, 0x80000001);
	s = siov(cfg, 4096);
	assert_true(s.readable && s.found && s.ims);
	assert_false(s.cyclic);
	assert_int_equal(s.pos, 0xfe8);
	assert_int_equal(s.capabilities, 0x80000001);
	cfg[0xfe8 + 0x14] = 0;
	s = siov(cfg, 4096);
	assert_true(s.found);
	assert_false(s.ims);
	s = siov(cfg, 4095); /* cut inside it */
	assert_true(s.readable);
	assert_false(s.found);
}

static void siov_hostile(void **state)
{
	static uint8_t cfg[4096];
	struct siov_dvsec s;

	(void)state;
	put32(cfg + 0x100, 0x20010001);
	put32(cfg + 0x200, 0x10010001);
	s = siov(cfg, 4096);
	assert_true(s.cyclic);
	assert_false(s.found);
	put32(cfg + 0x200, 0x04010001); /* leads out of extended space */
	s = siov(cfg, 4096);
	assert_false(s.cyclic || s.found);
	put32(cfg + 0x100, 0xffffffff);
	assert_false(siov(cfg, 4096).found);
	/* a device that does not answer reads as ones all over, which is no chain in a circle */
	memset(cfg, 0xff, sizeof(cfg));
	s = siov(cfg, 4096);
	assert_false(s.cyclic || s.found);
	assert_true(siov(cfg, 0x104).readable);
	assert_false(siov(cfg, 0x103).readable);
	assert_false(siov(cfg, 64).readable);
	assert_false(siov(cfg, 0).readable);
}

/* Whatever the bytes: no read outside (sanitizers, valgrind), an end, fields in range. */
static void noise(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		size_t len = (size_t)(round % 300);
		uint8_t cfg[300];
		struct pci_caps c;

		for (size_t i = 0; i < sizeof(cfg); i++) {
			seed = seed * 1103515245 + 12345;
			cfg[i] = (uint8_t)(seed >> 16);
		}
		cfg[6] |= 0x10;
		c = decode(cfg, len);
		assert_true(c.msi.capable <= 32 && c.msix.count <= 2048 && c.msix.table_bar < 8);
		siov(cfg, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_fields),
		cmocka_unit_test(msi_of_the_lab),
		cmocka_unit_test(msi_layouts),
		cmocka_unit_test(msi_reserved),
		cmocka_unit_test(msix_fields),
		cmocka_unit_test(first_of_a_kind_counts),
		cmocka_unit_test(cardbus_pointer),
		cmocka_unit_test(hostile_lists),
		cmocka_unit_test(truncated_config),
		cmocka_unit_test(gone_device),
		cmocka_unit_test(guest_control),
		cmocka_unit_test(table_entry),
		cmocka_unit_test(siov_found),
		cmocka_unit_test(siov_hostile),
		cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests_name("msi-cap", tests, NULL, NULL);
}
