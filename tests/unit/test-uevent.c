// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka.h makes fail() a macro: our headers come first */
#include "host/uevent.h"
#include "base/util.h"

#include <cmocka.h>

/* A message as the kernel sends it: a literal holds its last NUL too. */
#define MESSAGE(text) (text), sizeof(text)

#define FUNCTION "/devices/pci0000:00/0000:00:04.0/0000:04:00.0"

/* As recorded from Linux 6.12. */
static const char bind[] =
	"bind@" FUNCTION "\0ACTION=bind\0DEVPATH=" FUNCTION "\0SUBSYSTEM=pci\0DRIVER=vfio-pci\0"
	"PCI_CLASS=10802\0PCI_ID=1B36:0010\0PCI_SUBSYS_ID=1AF4:1100\0PCI_SLOT_NAME=0000:04:00.0\0"
	"MODALIAS=pci:v00001B36d00000010sv00001AF4sd00001100bc01sc08i02\0SEQNUM=814";

static void function(void **state)
{
	static const struct pci_addr nvme = { .bus = 4 };
	struct uevent u;

	(void)state;
	assert_int_equal(uevent_parse(bind, sizeof(bind), &u), 0);
	assert_string_equal(u.action, "bind");
	assert_string_equal(u.subsystem, "pci");
	assert_string_equal(u.devpath, FUNCTION);
	assert_string_equal(u.driver, "vfio-pci");
	assert_int_equal(u.seqnum, 814);
	assert_true(u.has_addr);
	assert_int_equal(pci_addr_cmp(&u.addr, &nvme), 0);
	assert_int_equal(u.group, -1);
	assert_false(u.synthetic);
	assert_true(uevent_of_interest(&u));
}

static void unbound(void **state)
{
	struct uevent u;

	(void)state;
	assert_int_equal(
		uevent_parse(MESSAGE("unbind@" FUNCTION "\0ACTION=unbind\0DEVPATH=" FUNCTION
				     "\0SUBSYSTEM=pci\0PCI_SLOT_NAME=0000:04:00.0\0SEQNUM=823"),
			     &u),
		0);
	assert_null(u.driver);
	assert_true(u.has_addr);
}

/* Documentation/ABI/testing/sysfs-uevent: 0 stands for a UUID that was not given. */
static void synthetic(void **state)
{
	struct uevent u;

	(void)state;
	assert_int_equal(
		uevent_parse(MESSAGE("remove@" FUNCTION "\0ACTION=remove\0DEVPATH=" FUNCTION
				     "\0SUBSYSTEM=pci\0SYNTH_UUID=0\0SEQNUM=18446744073709551615"),
			     &u),
		0);
	assert_true(u.synthetic);
	assert_true(u.seqnum == UINT64_MAX);
}

#define MAX_MSG 512

/* @msg: what @u borrows from */
static int parse_path(char msg[MAX_MSG], const char *subsystem, const char *path, struct uevent *u)
{
	int n = snprintf(msg, MAX_MSG, "add@%s%cACTION=add%cDEVPATH=%s%cSUBSYSTEM=%s%cSEQNUM=1",
			 path, 0, 0, path, 0, subsystem, 0);

	assert_in_range(n, 1, MAX_MSG - 1);
	return uevent_parse(msg, (size_t)n + 1, u);
}

static void paths(void **state)
{
	static const struct {
		const char *subsystem, *path;
		const char *address; /* NULL: names no function */
		int group;
	} row[] = {
		{ "pci", "/devices/pci0000:00/0000:00:1f.7", "0000:00:1f.7", -1 },
		{ "pci", "/devices/pci10000:e0/10000:e0:06.0", "10000:e0:06.0", -1 },
		{ "vfio-dev", FUNCTION "/vfio-dev/vfio0", "0000:04:00.0", -1 },
		{ "vfio", "/devices/virtual/vfio/11", NULL, 11 },
		{ "vfio", "/devices/virtual/vfio/noiommu-0", NULL, 0 },
		/* A mediated device is no function, and its parent did nothing. */
		{ "vfio-dev", FUNCTION "/83b8f4f2-509f-382f-3c1e-e6bfe0fa1001/vfio-dev/vfio1", NULL,
		  -1 },
		{ "vfio-dev", FUNCTION "/elsewhere/vfio0", NULL, -1 },
		{ "vfio-dev", "/vfio-dev/vfio0", NULL, -1 },
		{ "vfio-dev", "/vfio0", NULL, -1 },
		{ "net", FUNCTION, NULL, -1 },
		/* Not as the kernel writes it, so it is the name of something else. */
		{ "pci", "/devices/4:0.0", NULL, -1 },
		{ "pci", "/devices/0000:04:00.8", NULL, -1 },
		{ "pci", "/devices/0000:04:00.0/", NULL, -1 },
		{ "pci", "/devices/0000:04:00.0000000000000000000000000000", NULL, -1 },
		{ "pci", "/", NULL, -1 },
		{ "vfio", "/devices/virtual/vfio/", NULL, -1 },
		{ "vfio", "/devices/virtual/vfio/99999999999", NULL, -1 },
		{ "vfio", "/devices/virtual/vfio/-1", NULL, -1 },
		{ "vfio", "/devices/vfio/11", NULL, -1 },
		{ "pci", "/devices/virtual/vfio/11", NULL, -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		char bdf[PCI_ADDR_LEN], msg[MAX_MSG];
		struct uevent u;

		assert_int_equal(parse_path(msg, row[i].subsystem, row[i].path, &u), 0);
		assert_int_equal(u.has_addr, row[i].address != NULL);
		assert_int_equal(u.group, row[i].group);
		if (u.has_addr)
			assert_string_equal(pci_addr_full(&u.addr, bdf), row[i].address);
	}
}

static void interest(void **state)
{
	static const char *const other[] = { "", "net", "pci_bus", "vfio-de", "vfio-devs", "PCI" };
	char msg[MAX_MSG];
	struct uevent u;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		assert_int_equal(parse_path(msg, other[i], "/devices/x", &u), 0);
		assert_false(uevent_of_interest(&u));
	}
	assert_int_equal(parse_path(msg, "vfio", "/devices/x", &u), 0);
	assert_true(uevent_of_interest(&u));
}

static void refused(void **state)
{
	static const struct {
		const char *msg;
		size_t len;
	} row[] = {
		{ "", 0 },
		{ MESSAGE("") },
		{ MESSAGE("\0\0\0") },
		{ MESSAGE("add@/x") },
		/* no end */
		{ "add@/x\0ACTION=add\0DEVPATH=/x\0SUBSYSTEM=pci\0SEQNUM=1",
		  sizeof("add@/x\0ACTION=add\0DEVPATH=/x\0SUBSYSTEM=pci\0SEQNUM=1") - 1 },
		/* each of the keys that every event has */
		{ MESSAGE("add@/x\0DEVPATH=/x\0SUBSYSTEM=pci\0SEQNUM=1") },
		{ MESSAGE("add@/x\0ACTION=add\0SUBSYSTEM=pci\0SEQNUM=1") },
		{ MESSAGE("add@/x\0ACTION=add\0DEVPATH=/x\0SEQNUM=1") },
		{ MESSAGE("add@/x\0ACTION=add\0DEVPATH=/x\0SUBSYSTEM=pci") },
		/* said twice */
		{ MESSAGE("add@/x\0ACTION=add\0ACTION=add\0DEVPATH=/x\0SUBSYSTEM=pci\0SEQNUM=1") },
		{ MESSAGE(
			"add@/x\0ACTION=add\0DEVPATH=/x\0SUBSYSTEM=pci\0DRIVER=a\0DRIVER=b\0SEQNUM=1") },
		/* the first string says something else */
		{ MESSAGE("remove@/x\0ACTION=add\0DEVPATH=/x\0SUBSYSTEM=pci\0SEQNUM=1") },
		{ MESSAGE("add@/y\0ACTION=add\0DEVPATH=/x\0SUBSYSTEM=pci\0SEQNUM=1") },
		{ MESSAGE("add/x\0ACTION=add\0DEVPATH=/x\0SUBSYSTEM=pci\0SEQNUM=1") },
		{ MESSAGE("add@/xx\0ACTION=add\0DEVPATH=/x\0SUBSYSTEM=pci\0SEQNUM=1") },
		{ MESSAGE("libudev\0ACTION=add\0DEVPATH=/x\0SUBSYSTEM=pci\0SEQNUM=1") },
		{ MESSAGE("@/x\0ACTION=\0DEVPATH=/x\0SUBSYSTEM=pci\0SEQNUM=1") },
		{ MESSAGE("add@\0ACTION=add\0DEVPATH=\0SUBSYSTEM=pci\0SEQNUM=1") },
		{ MESSAGE("add@x\0ACTION=add\0DEVPATH=x\0SUBSYSTEM=pci\0SEQNUM=1") },
		/* no number */
		{ MESSAGE("add@/x\0ACTION=add\0DEVPATH=/x\0SUBSYSTEM=pci\0SEQNUM=") },
		{ MESSAGE("add@/x\0ACTION=add\0DEVPATH=/x\0SUBSYSTEM=pci\0SEQNUM=-1") },
		{ MESSAGE(
			"add@/x\0ACTION=add\0DEVPATH=/x\0SUBSYSTEM=pci\0SEQNUM=18446744073709551616") },
	};
	struct uevent u;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++)
		if (uevent_parse(row[i].msg, row[i].len, &u) != -EINVAL)
			fail_msg("row %zu was taken", i);
}

/* What is not ours may look as it likes. */
static void strange_neighbours(void **state)
{
	struct uevent u;

	(void)state;
	assert_int_equal(
		uevent_parse(
			MESSAGE("add@/x\0\0=\0ACTIO=n\0ACTION2=n\0no pair\0A=1\0A=2\0ACTION=add\0"
				"DEVPATH=/x\0SUBSYSTEM=pci\0DRIVER=\0SEQNUM=1\0"),
			&u),
		0);
	assert_string_equal(u.action, "add");
	assert_null(u.driver);
}

/* Every cut and every changed byte, in memory of just that length: sanitizers and valgrind see a step beyond. */
static void damaged(void **state)
{
	(void)state;
	for (size_t len = 0; len <= sizeof(bind); len++) {
		char *copy = malloc(len ? len : 1);
		struct uevent u;

		assert_non_null(copy);
		memcpy(copy, bind, len);
		assert_int_equal(uevent_parse(copy, len, &u), len == sizeof(bind) ? 0 : -EINVAL);
		for (size_t i = 0; i < len; i++) {
			copy[i] ^= (char)(1 + i % 255);
			if (!uevent_parse(copy, len, &u))
				assert_true(u.devpath > copy &&
					    u.devpath + strlen(u.devpath) < copy + len);
			copy[i] = bind[i];
		}
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(function),	      cmocka_unit_test(unbound),
		cmocka_unit_test(synthetic),	      cmocka_unit_test(paths),
		cmocka_unit_test(interest),	      cmocka_unit_test(refused),
		cmocka_unit_test(strange_neighbours), cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests_name("uevent", tests, NULL, NULL);
}
