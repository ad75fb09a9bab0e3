// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* cmocka.h makes fail() a macro: our headers come first */
#include "host/pci.h"
#include "base/util.h"

#include <cmocka.h>

static void addresses(void **state)
{
	static const struct {
		const char *in, *full, *brief;
	} good[] = {
		{ "01:00.0", "0000:01:00.0", "01:00.0" },
		{ "0:1f.7", "0000:00:1f.7", "00:1f.7" },
		{ "0000:0a:1F.3", "0000:0a:1f.3", "0a:1f.3" },
		{ "10000:e1:00.0", "10000:e1:00.0", "10000:e1:00.0" },
		{ "ffffffff:ff:1f.7", "ffffffff:ff:1f.7", "ffffffff:ff:1f.7" },
		{ "/sys/bus/pci/devices/0000:01:00.0", "0000:01:00.0", "01:00.0" },
		{ "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/", "0000:01:00.0", "01:00.0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		char buf[PCI_ADDR_LEN];
		struct pci_addr a;
		struct error e;

		assert_int_equal(pci_addr_parse(good[i].in, &a, &e), 0);
		assert_string_equal(pci_addr_full(&a, buf), good[i].full);
		assert_string_equal(pci_addr_short(&a, buf), good[i].brief);
	}
}

static void nonsense_addresses(void **state)
{
	static const char *const bad[] = { "",
					   "nonsense",
					   "01:00",
					   "01:00.",
					   "01:00.8",
					   "01:20.0",
					   "100:00.0",
					   "01.00.0",
					   "01:00.0 ",
					   " 01:00.0",
					   "+1:00.0",
					   "0x1:00.0",
					   ":01:00.0",
					   "0000:",
					   "::.",
					   "01:-1.0",
					   "1:2:3:00.0",
					   "/",
					   "g1:00.0",
					   "01:00.0/x",
					   "01:00.00.0",
					   "100000000:01:00.0",
					   "/sys/bus/pci/devices/",
					   "01:00.0\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct pci_addr a;
		struct error e = { 0 };

		assert_true(pci_addr_parse(bad[i], &a, &e) < 0);
		assert_int_equal(e.cause, CAUSE_USAGE);
		assert_non_null(strstr(e.message, "bus:dev.fn"));
		assert_null(strchr(e.message, '\n'));
	}
}

static void long_address(void **state)
{
	char text[5000];
	struct pci_addr a;
	struct error e;

	(void)state;
	memset(text, '0', sizeof(text));
	copy_text(text + sizeof(text) - 16, 16, "1:00.0");
	assert_true(pci_addr_parse(text, &a, &e) < 0);
	assert_int_equal(e.cause, CAUSE_USAGE);
}

static void order(void **state)
{
	struct pci_addr a = { 0, 1, 0, 0 }, b = { 0, 0x10, 0, 0 }, c = { 1, 0, 0, 0 },
			d = { 0, 1, 0, 1 };

	(void)state;
	assert_int_equal(pci_addr_cmp(&a, &a), 0);
	assert_true(pci_addr_cmp(&a, &b) < 0);
	assert_true(pci_addr_cmp(&b, &c) < 0);
	assert_true(pci_addr_cmp(&d, &a) > 0);
}

static void names(void **state)
{
	struct pci_names *n = pci_names_open();
	char buf[128], tiny[8];

	(void)state;
	assert_non_null(n);
	pci_name(n, 0x8086, 0x10d3, buf, sizeof(buf));
	/* with the list or without: never empty */
	assert_true(strstr(buf, "82574L") || !strcmp(buf, "Device 8086:10d3"));
	pci_name(n, 0xfff0, 0x1234, buf, sizeof(buf));
	assert_non_null(strstr(buf, "fff0:1234"));
	assert_true(strlen(pci_name(n, 0x8086, 0x10d3, tiny, sizeof(tiny))) < sizeof(tiny));
	pci_names_close(n);
	pci_names_close(NULL);
	assert_string_equal(pci_name(NULL, 1, 2, buf, sizeof(buf)), "Device 0001:0002");
}

/* A single look must say what libpci says: known and unknown vendors and devices, first and last of the list. */
static void one_name(void **state)
{
	static const uint16_t id[][2] = {
		{ 0x8086, 0x10d3 }, { 0x8086, 0xfff3 }, { 0xfff0, 0x1234 }, { 0x1033, 0x0194 },
		{ 0x1b36, 0x0010 }, { 0x1af4, 0x1041 }, { 0x0001, 0x0001 }, { 0xffff, 0xffff },
		{ 0x10de, 0x1eb8 }, { 0x1022, 0x1481 }, { 0x0e11, 0x0001 }, { 0, 0 },
	};
	struct pci_names *n = pci_names_open();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(id); i++) {
		char listed[128], once[128];

		pci_name(n, id[i][0], id[i][1], listed, sizeof(listed));
		assert_string_equal(pci_name_once(id[i][0], id[i][1], once, sizeof(once)), listed);
	}
	pci_names_close(n);
}

static bool match(const char *slot, const char *id)
{
	struct pci_match m = { .slot = slot, .id = id };
	struct pci_addr a = { 0, 3, 2, 1 };
	struct error e;

	assert_int_equal(pci_match_check(&m, &e), 0);
	return pci_matches(&m, &a, 0x8086, 0x10d3, 0x020000);
}

static void filters(void **state)
{
	(void)state;
	assert_true(match(NULL, NULL));
	assert_true(match("03:", NULL));
	assert_true(match(".1", NULL));
	assert_true(match("0000:03:02.1", NULL));
	assert_true(match("*:03:*.1", NULL));
	assert_false(match("04:", NULL));
	assert_false(match("1:03:02.1", NULL));
	assert_true(match(NULL, "8086:"));
	assert_true(match(NULL, "8086:10d3"));
	assert_true(match(NULL, "::0200"));
	assert_false(match(NULL, "::0106"));
	assert_false(match(NULL, "1af4:"));
	assert_false(match("03:", "1af4:"));
}

static void bad_filters(void **state)
{
	static const struct pci_match bad[] = {
		{ .slot = "zz:" }, { .slot = "00:40" }, { .slot = "1:2:3:4" },
		{ .id = "xyz" },   { .id = "12345:" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error e = { 0 };

		assert_true(pci_match_check(&bad[i], &e) < 0);
		assert_int_equal(e.cause, CAUSE_USAGE);
		assert_non_null(strstr(e.message, bad[i].slot ? bad[i].slot : bad[i].id));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),	cmocka_unit_test(nonsense_addresses),
		cmocka_unit_test(long_address), cmocka_unit_test(order),
		cmocka_unit_test(names),	cmocka_unit_test(one_name),
		cmocka_unit_test(filters),	cmocka_unit_test(bad_filters),
	};

	return cmocka_run_group_tests_name("pci", tests, NULL, NULL);
}
