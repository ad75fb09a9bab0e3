// SPDX-License-Identifier: GPL-2.0-or-later
/* What is said of a node in /dev/vfio that is not there. */
#include <errno.h>

#include "host/group-node.h"
#include "tree.h"
#include "base/util.h"

#define HOME "sys/bus/pci/devices/0000:04:00.0"

static const struct pci_addr nvme = { 0, 4, 0, 0 };

static void refused(const struct tree *t, const char *node, int err, const char *message,
		    const char *advice)
{
	struct error e;
	int rc = node_refuse(&t->root, &nvme, node, err, &e);

	assert_int_equal(rc, -e.err);
	assert_int_equal(e.cause, CAUSE_FAILED);
	if (!strstr(e.message, message) || !strstr(e.hint, advice))
		fail_msg("%s / %s", e.message, e.hint);
	/* the driver is bound, so its module is loaded */
	assert_null(strstr(e.hint, "modprobe"));
}

static void names(void **state)
{
	char buf[GROUP_NODE];

	(void)state;
	assert_string_equal(group_node(9, false, buf), "9");
	assert_string_equal(group_node(INT_MAX, true, buf), "noiommu-2147483647");
}

/* A kernel with CONFIG_VFIO_GROUP=n has the class vfio-dev and no class vfio. */
static void no_groups(void **state)
{
	struct tree *t = *state;
	struct error e;

	/* vfio is not loaded, or older than 6.1: nothing is known */
	assert_true(groups_offered(&t->root));
	tree_folder(t, "sys/class/vfio-dev/");
	assert_false(groups_offered(&t->root));
	refused(t, "9", ETIMEDOUT, "CONFIG_VFIO_GROUP is off), only /dev/vfio/devices/vfioN, and",
		"CONFIG_VFIO_GROUP=y");
	tree_text(t, HOME "/vfio-dev/vfio3/dev", "511:3\n");
	refused(t, "9", ENOENT, "only /dev/vfio/devices/vfio3, and", "CONFIG_VFIO_GROUP=y");
	refused(t, "vfio", ENOENT, "only /dev/vfio/devices/vfio3, and", "CONFIG_VFIO_GROUP=y");
	assert_int_equal(groups_refuse(&t->root, &nvme, &e), -ENOENT);

	tree_folder(t, "sys/class/vfio/");
	assert_true(groups_offered(&t->root));
}

static void hidden(void **state)
{
	struct tree *t = *state;

	tree_folder(t, "sys/class/vfio-dev/");
	tree_text(t, "sys/class/vfio/9/dev", "237:1\n");
	tree_text(t, "sys/class/vfio/noiommu-3/dev", "237:2\n");
	tree_text(t, "sys/class/misc/vfio/dev", "10:196\n");
	refused(t, "9", ETIMEDOUT,
		"the kernel has the VFIO device 9 (237:1), but /dev/vfio/9 did not appear",
		"mknod -m 600 /dev/vfio/9 c 237 1 ");
	refused(t, "noiommu-3", ENOENT, "but /dev/vfio/noiommu-3 is not there",
		"mknod -m 600 /dev/vfio/noiommu-3 c 237 2 ");
	refused(t, "vfio", ENOENT, "but /dev/vfio/vfio is not there",
		"mknod -m 600 /dev/vfio/vfio c 10 196 ");
}

static void not_made(void **state)
{
	struct tree *t = *state;

	tree_folder(t, "sys/class/vfio/");
	refused(t, "9", ETIMEDOUT, "/dev/vfio/9 did not appear", "/sys/class/vfio");
	refused(t, "vfio", ENOENT, "this kernel offers no VFIO container", "VFIO_CONTAINER=");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(names), TEST(no_groups), TEST(hidden),
					    TEST(not_made) };

	return cmocka_run_group_tests_name("group-node", tests, NULL, NULL);
}
