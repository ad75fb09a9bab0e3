// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <sys/resource.h>

#include "host/function.h"
#include "tree.h"
#include "base/util.h"

#define DEV "sys/bus/pci/devices/"

static const struct pci_addr nvme = { 0, 4, 0, 0 };

/* A link as in sysfs: to a folder that is there. */
static void link_to(const struct tree *t, const char *path, const char *target)
{
	tree_folder(t, target + 1);
	tree_link(t, path, target);
}

static void reads_all(void **state)
{
	static const uint8_t config[64] = { 0x36, 0x1b, 0x10, 0x00, 0x06, 0x04 };
	struct tree *t = *state;
	struct function f;
	struct error e;
	char *override;

	tree_text(t, DEV "0000:04:00.0/vendor", "0x1b36\n");
	tree_text(t, DEV "0000:04:00.0/device", "0x0010\n");
	tree_text(t, DEV "0000:04:00.0/class", "0x010802\n");
	tree_text(t, DEV "0000:04:00.0/driver_override", "vfio-pci\n");
	tree_text(t, DEV "0000:04:00.0/power_state", "D3hot\n");
	tree_text(t, DEV "0000:04:00.0/power/runtime_status", "suspended\n");
	tree_text(t, DEV "0000:04:00.0/boot_vga", "1\n");
	tree_bytes(t, DEV "0000:04:00.0/config", config, sizeof(config));
	link_to(t, DEV "0000:04:00.0/driver", "/sys/bus/pci/drivers/vfio-pci");
	link_to(t, DEV "0000:04:00.0/iommu_group", "/sys/kernel/iommu_groups/11");
	tree_text(t, "sys/kernel/iommu_groups/11/name", "vfio-noiommu\n");
	assert_int_equal(function_read(&t->root, &nvme, &f, &e), 0);
	assert_int_equal(f.vendor, 0x1b36);
	assert_int_equal(f.device, 0x10);
	assert_int_equal(f.class, 0x010802);
	assert_string_equal(f.driver, "vfio-pci");
	assert_int_equal(function_override(&t->root, &nvme, &override), 0);
	assert_string_equal(override, "vfio-pci");
	free(override);
	assert_string_equal(f.power_state, "D3hot");
	assert_string_equal(f.runtime, "suspended");
	assert_int_equal(f.group, 11);
	assert_true(f.noiommu);
	assert_true(f.boot_vga);
	assert_int_equal(f.config_len, 64);
	assert_int_equal(f.caps.command, 0x0406);
}

static void knows_little(void **state)
{
	struct tree *t = *state;
	struct function f;
	struct error e;
	char *override;

	assert_int_equal(function_read(&t->root, &nvme, &f, &e), -ENODEV);
	assert_int_equal(e.cause, CAUSE_NO_DEVICE);
	assert_non_null(strstr(e.message, "0000:04:00.0"));
	tree_folder(t, DEV "0000:04:00.0");
	tree_text(t, DEV "0000:04:00.0/driver_override", "(null)\n");
	tree_text(t, DEV "0000:04:00.0/vendor", "99999999\n");
	tree_text(t, DEV "0000:04:00.0/class", "-5\n");
	tree_text(t, DEV "0000:04:00.0/iommu_group", "7\n"); /* no link */
	tree_folder(t, DEV "0000:04:00.0/config");
	assert_int_equal(function_read(&t->root, &nvme, &f, &e), 0);
	assert_int_equal(f.group, -1);
	assert_string_equal(f.driver, "");
	assert_int_equal(function_override(&t->root, &nvme, &override), 0);
	assert_string_equal(override, "");
	free(override);
	assert_int_equal(f.vendor, 0);
	assert_int_equal(f.class, 0);
	assert_int_equal(f.config_len, 0);
	assert_int_equal(f.caps.problem, CAPS_SHORT_CONFIG);
}

/* NAME_MAX bytes, as a folder's name can have; driver_override has a page. */
static void long_names(void **state)
{
	struct tree *t = *state;
	char name[NAME_MAX + 1], path[PATH_MAX], text[2001];
	struct group_member *list;
	struct function f;
	struct error e;
	char *override;

	memset(name, 'n', NAME_MAX);
	name[NAME_MAX] = '\0';
	memset(text, 'o', 2000);
	text[2000] = '\0';
	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s", name);
	link_to(t, DEV "0000:04:00.0/driver", path);
	link_to(t, DEV "0000:04:00.0/iommu_group", "/sys/kernel/iommu_groups/11");
	link_to(t, "sys/kernel/iommu_groups/11/devices/0000:04:00.0", "/" DEV "0000:04:00.0");
	tree_text(t, "sys/kernel/iommu_groups/11/name", "vfio-noiommu-not\n");
	tree_text(t, DEV "0000:04:00.0/driver_override", text);
	assert_int_equal(function_read(&t->root, &nvme, &f, &e), 0);
	assert_string_equal(f.driver, name);
	assert_false(f.noiommu);
	assert_int_equal(function_override(&t->root, &nvme, &override), 0);
	assert_string_equal(override, text);
	free(override);
	assert_int_equal(group_members(&t->root, 11, &list), 1);
	assert_string_equal(list[0].driver, name);
	free(list);
}

static void group_link_must_be_a_number(void **state)
{
	static const char *const name[] = { "x", "-1", "1x", "99999999999", "0x5", " 5" };
	struct tree *t = *state;
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(name) + 1; i++) {
		bool good = i == ARRAY_SIZE(name);
		struct function f;
		struct error e;

		snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%s", good ? "5" : name[i]);
		link_to(t, DEV "0000:04:00.0/iommu_group", path);
		assert_int_equal(function_read(&t->root, &nvme, &f, &e), 0);
		assert_int_equal(f.group, good ? 5 : -1);
		assert_int_equal(unlink(tree_path(t, DEV "0000:04:00.0/iommu_group", path)), 0);
	}
}

static void scans(void **state)
{
	static const char *const name[] = { "0000:04:00.0",
					    "0000:00:1f.2",
					    "10000:00:00.0",
					    "0000:04:00.1",
					    "04:00.0",
					    "0000:04:00.9",
					    "x",
					    "00000:04:00.0" };
	struct tree *t = *state;
	struct pci_addr *list;
	struct error e;
	char path[128], buf[PCI_ADDR_LEN];

	assert_int_equal(function_scan(&t->root, &list, &e), -ENOENT);
	assert_int_equal(e.cause, CAUSE_NO_DEVICE);
	assert_null(list);
	tree_folder(t, "sys/bus/pci/devices");
	assert_int_equal(function_scan(&t->root, &list, &e), 0);
	free(list);
	for (size_t i = 0; i < ARRAY_SIZE(name); i++) {
		snprintf(path, sizeof(path), DEV "%s", name[i]);
		tree_folder(t, path);
	}
	assert_int_equal(function_scan(&t->root, &list, &e), 4);
	assert_string_equal(pci_addr_full(&list[0], buf), "0000:00:1f.2");
	assert_string_equal(pci_addr_full(&list[2], buf), "0000:04:00.1");
	assert_string_equal(pci_addr_full(&list[3], buf), "10000:00:00.0");
	free(list);
}

static void member(const struct tree *t, const char *bdf, const char *driver, const char *class)
{
	char path[128], target[128];

	snprintf(path, sizeof(path), "sys/kernel/iommu_groups/7/devices/%s", bdf);
	snprintf(target, sizeof(target), "../../../../bus/pci/devices/%s", bdf);
	tree_link(t, path, target);
	snprintf(path, sizeof(path), DEV "%s/class", bdf);
	tree_text(t, path, class);
	if (!driver)
		return;
	snprintf(path, sizeof(path), DEV "%s/driver", bdf);
	snprintf(target, sizeof(target), "/sys/bus/pci/drivers/%s", driver);
	link_to(t, path, target);
}

static void members(void **state)
{
	static const struct {
		const char *driver, *class;
		bool blocks, bridge;
	} row[] = {
		{ "vfio-pci", "0x010802\n", false, false },
		{ NULL, "0x010802\n", false, false },
		{ "pcieport", "0x060400\n", false, true },
		{ "pci-stub", "0x020000\n", false, false },
		{ "virtio-pci", "0x00ff00\n", true, false },
		{ "mlx5_vfio_pci", "0x020000\n", false, false },
		{ "shpchp", "0x060400\n", true, true },
	};
	struct tree *t = *state;
	struct group_member *list;
	char bdf[32];

	assert_int_equal(group_members(&t->root, 7, &list), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		snprintf(bdf, sizeof(bdf), "0000:08:00.%zu", i);
		member(t, bdf, row[i].driver, row[i].class);
	}
	tree_folder(t, "sys/kernel/iommu_groups/7/devices/platform-thing");
	assert_int_equal(group_members(&t->root, 7, &list), ARRAY_SIZE(row));
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		assert_int_equal(list[i].addr.fn, i);
		assert_string_equal(list[i].driver, row[i].driver ? row[i].driver : "");
		assert_int_equal(list[i].blocks, row[i].blocks);
		assert_int_equal(list[i].bridge, row[i].bridge);
	}
	free(list);
}

static void drivers(void **state)
{
	(void)state;
	assert_true(driver_is_vfio("vfio-pci"));
	assert_true(driver_is_vfio("mlx5_vfio_pci"));
	assert_false(driver_is_vfio("pci-stub"));
	assert_false(driver_is_vfio(""));
}

/* Without a descriptor to look with, nothing is said about whether it is there. */
static void no_descriptors(void **state)
{
	struct tree *t = *state;
	struct rlimit rl, none;
	struct function f;
	struct error e;
	int rc;

	tree_text(t, DEV "0000:04:00.0/vendor", "0x1b36\n");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &rl), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = rl.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	rc = function_read(&t->root, &nvme, &f, &e);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &rl), 0);
	assert_int_equal(rc, -EMFILE);
	assert_int_equal(e.cause, CAUSE_FAILED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_all), TEST(knows_little), TEST(group_link_must_be_a_number),
		TEST(scans),	 TEST(members),	     TEST(no_descriptors),
		TEST(drivers),	 TEST(long_names),
	};

	return cmocka_run_group_tests_name("function", tests, NULL, NULL);
}
