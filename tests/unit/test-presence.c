// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "host/bind-state.h"
#include "tree.h"

#define DEV "sys/bus/pci/devices/0000:04:00.0"

static const struct pci_addr nvme = { 0, 4, 0, 0 };

static void as_it_is(void **state)
{
	struct tree *t = *state;
	struct bind_state p;

	assert_int_equal(bind_state_read(&t->root, &nvme, &p), 0);
	assert_false(p.here);
	tree_folder(t, DEV);
	assert_int_equal(bind_state_read(&t->root, &nvme, &p), 0);
	assert_true(p.here);
	assert_string_equal(p.driver, "");
	assert_int_equal(p.group, -1);
	tree_folder(t, "sys/bus/pci/drivers/vfio-pci");
	tree_folder(t, "sys/kernel/iommu_groups/11");
	tree_link(t, DEV "/driver", "../../drivers/vfio-pci");
	tree_link(t, DEV "/iommu_group", "../../../../kernel/iommu_groups/11");
	assert_int_equal(bind_state_read(&t->root, &nvme, &p), 0);
	assert_string_equal(p.driver, "vfio-pci");
	assert_int_equal(p.group, 11);
}

/* As long as a folder's name can be. */
static void long_name(void **state)
{
	struct tree *t = *state;
	char name[NAME_MAX + 1], path[PATH_MAX];
	struct bind_state p;

	memset(name, 'n', NAME_MAX);
	name[NAME_MAX] = '\0';
	snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s", name);
	tree_folder(t, path);
	tree_folder(t, DEV);
	snprintf(path, sizeof(path), "../../drivers/%s", name);
	tree_link(t, DEV "/driver", path);
	assert_int_equal(bind_state_read(&t->root, &nvme, &p), 0);
	assert_string_equal(p.driver, name);
}

/* A device is not handed back, nor told as gone, because there was no descriptor to look with. */
static void without_descriptors(void **state)
{
	struct tree *t = *state;
	struct bind_state p;

	tree_folder(t, "sys/bus/pci/drivers/vfio-pci");
	tree_folder(t, DEV);
	tree_link(t, DEV "/driver", "../../drivers/vfio-pci");
	for (unsigned int spare = 0; spare < 4; spare++) {
		struct rlimit before = tree_exhaust(spare);
		int rc = bind_state_read(&t->root, &nvme, &p);

		tree_plenty(&before);
		assert_int_equal(rc, spare < 1 ? -EMFILE : 0);
		assert_true(rc || (p.here && p.driver[0]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(as_it_is, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(long_name, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(without_descriptors, tree_setup, tree_teardown),
	};

	return cmocka_run_group_tests_name("presence", tests, NULL, NULL);
}
