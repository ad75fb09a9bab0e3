// SPDX-License-Identifier: GPL-2.0-or-later
/* Who holds a group: in a captured tree by the names of descriptors, on a running system by the device numbers. */
#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "host/group-holder.h"
#include "tree.h"
#include "base/util.h"

#define DEV "sys/bus/pci/devices/"

/* A link as in sysfs: to a folder that is there. */
static void link_to(const struct tree *t, const char *path, const char *target)
{
	tree_folder(t, target + 1);
	tree_link(t, path, target);
}

/* Descriptors as /proc shows them: links whose targets need not be there. */
static void holders(void **state)
{
	struct tree *t = *state;
	char path[PATH_MAX];
	struct group_holder h;
	struct error e;

	assert_int_equal(group_holder(&t->root, 7, &h), -ENOENT);
	tree_link(t, "proc/self/fd/3", "/dev/vfio/7");
	tree_link(t, "proc/100/fd/3", "/dev/vfio/77");
	tree_link(t, "proc/100/fd/4", "/dev/vfio/vfio");
	tree_link(t, "proc/100/fd/5", "/dev/vfio/7 (deleted)");
	tree_link(t, "proc/100/fd/6", "socket:[7]");
	assert_int_equal(group_holder(&t->root, 7, &h), -ENOENT);
	assert_int_equal(h.pid, 0);
	tree_link(t, "proc/4242/fd/9", "/dev/vfio/7");
	tree_text(t, "proc/4242/comm", "qemu-system-x86\n");
	assert_int_equal(group_holder(&t->root, 7, &h), 0);
	assert_int_equal(h.pid, 4242);
	assert_string_equal(h.comm, "qemu-system-x86");
	assert_int_equal(group_refuse(7, &h, &e), -EBUSY);
	assert_string_equal(e.message, "IOMMU group 7 is held by pid 4242 (qemu-system-x86)");
	/* a virtual machine is nothing to kill */
	assert_null(strstr(e.hint, "kill"));
	if (geteuid() == 0) {
		assert_int_equal(chown(tree_path(t, "proc/4242", path), 65534, 65534), 0);
		assert_int_equal(group_holder(&t->root, 7, &h), 0);
		assert_int_equal(h.uid, 65534);
	}
	h.ours = true;
	h.uid = geteuid();
	group_refuse(7, &h, &e);
	assert_non_null(strstr(e.hint, "msictl release"));
	assert_int_equal(group_holder(&t->root, -1, &h), -ENOENT);
}

static void holders_of_many(void **state)
{
	struct group_use use[] = {
		{ .group = 8 }, { .group = -1 }, { .group = 7 }, { .group = 7 }, { .group = 9 }
	};
	struct tree *t = *state;

	tree_link(t, "proc/4242/fd/9", "/dev/vfio/7");
	tree_link(t, "proc/4242/fd/10", "/dev/vfio/8");
	tree_text(t, "proc/4242/comm", "qemu-system-x86\n");
	tree_link(t, "proc/4243/fd/3", "/dev/vfio/10");
	assert_int_equal(group_holders(&t->root, use, 5), 0);
	assert_int_equal(use[0].by.pid, 4242);
	assert_int_equal(use[1].by.pid, 0);
	assert_int_equal(use[2].by.pid, 4242);
	assert_string_equal(use[3].by.comm, "qemu-system-x86");
	assert_int_equal(use[4].by.pid, 0);
}

static void holders_by_device(void **state)
{
	struct tree *t = *state;
	struct group_holder h;

	link_to(t, DEV "0000:04:00.0/iommu_group", "/sys/kernel/iommu_groups/11");
	tree_link(t, "proc/5/fd/3", "anon_inode:[vfio-device]");
	assert_int_equal(group_holder(&t->root, 11, &h), -ENOENT);
	tree_text(
		t, "proc/5/fdinfo/3",
		"pos:\t0\nflags:\t02\nvfio-device-syspath: /sys/devices/pci0000:00/0000:00:01.0/0000:04:00.0\n");
	assert_int_equal(group_holder(&t->root, 11, &h), 0);
	assert_int_equal(h.pid, 5);
	assert_int_equal(group_holder(&t->root, 12, &h), -ENOENT);
	tree_link(t, "proc/6/fd/3", "/dev/vfio/devices/vfio2");
	link_to(t, "sys/class/vfio-dev/vfio2/device", "/sys/devices/pci0000:00/0000:05:00.0");
	link_to(t, DEV "0000:05:00.0/iommu_group", "/sys/kernel/iommu_groups/12");
	assert_int_equal(group_holder(&t->root, 12, &h), 0);
	assert_int_equal(h.pid, 6);
	tree_link(t, "proc/8/fd/3", "/dev/vfio/noiommu-3");
	assert_int_equal(group_holder(&t->root, 3, &h), 0);
	assert_int_equal(h.pid, 8);
}

/* ---- on a running system */

/*
 * The tree stands for the running system. A character device that any system
 * has is the node of group 9 in it, with the number that @node has.
 */
static void group_node(struct tree *t, const char *node)
{
	char path[64], full[PATH_MAX];
	struct stat st;

	t->root.live = true;
	assert_int_equal(stat(node, &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	tree_folder(t, "sys/devices/virtual/vfio/9/");
	tree_folder(t, "sys/class/vfio/");
	tree_link(t, "sys/devices/virtual/vfio/9/subsystem", "../../../../class/vfio");
	snprintf(path, sizeof(path), "sys/dev/char/%u:%u", major(st.st_rdev), minor(st.st_rdev));
	tree_link(t, path, "../../devices/virtual/vfio/9");
	unlink(tree_path(t, "dev/vfio/9", full));
	tree_link(t, "dev/vfio/9", node);
}

/* Descriptor @fd of process @pid is the tree's file @path, opened with @flags. */
static void has_open(const struct tree *t, const char *pid, const char *fd, const char *path,
		     const char *flags)
{
	char link[64], info[64], text[64], full[PATH_MAX];

	snprintf(link, sizeof(link), "proc/%s/fd/%s", pid, fd);
	snprintf(info, sizeof(info), "proc/%s/fdinfo/%s", pid, fd);
	snprintf(text, sizeof(text), "pos:\t0\nflags:\t%s\nmnt_id:\t24\n", flags);
	tree_link(t, link, tree_path(t, path, full));
	tree_text(t, info, text);
}

static void node_by_number(void **state)
{
	struct tree *t = *state;
	struct group_holder h;

	group_node(t, "/dev/null");
	has_open(t, "100", "3", "dev/vfio/9", "02");
	assert_int_equal(group_holder(&t->root, 9, &h), 0);
	assert_int_equal(h.pid, 100);
	assert_int_equal(group_holder(&t->root, 1, &h), -ENOENT);
}

/* The name of the node is not its number: a container may have the node of group 9 elsewhere. */
static void node_by_another_name(void **state)
{
	struct tree *t = *state;
	struct group_holder h;

	group_node(t, "/dev/null");
	tree_link(t, "container/dev/vfio/1", "/dev/null");
	has_open(t, "100", "3", "container/dev/vfio/1", "02");
	assert_int_equal(group_holder(&t->root, 9, &h), 0);
	assert_int_equal(h.pid, 100);
	assert_int_equal(group_holder(&t->root, 1, &h), -ENOENT);
}

/* What any user can have open, and what holds nothing. */
static void forged_nodes(void **state)
{
	struct tree *t = *state;
	char full[PATH_MAX];
	struct group_holder h;

	group_node(t, "/dev/null");
	/* another character device */
	tree_link(t, "zero/dev/vfio/9", "/dev/zero");
	has_open(t, "100", "3", "zero/dev/vfio/9", "02");
	/* a regular file, a folder */
	tree_text(t, "file/dev/vfio/9", "");
	has_open(t, "100", "4", "file/dev/vfio/9", "02");
	tree_folder(t, "folder/dev/vfio/9/");
	has_open(t, "100", "5", "folder/dev/vfio/9", "0200000");
	/* the node itself, by O_PATH, which no permission is needed for */
	has_open(t, "100", "6", "dev/vfio/9", "012000000");
	/* a name that is no path of this system */
	tree_link(t, "proc/100/fd/7", "/dev/vfio/9");
	/* a file named like a device's descriptor, and the words of one in the wrong file */
	tree_text(t, "anon_inode:[vfio-device]", "");
	tree_link(t, "proc/100/fd/8", tree_path(t, "anon_inode:[vfio-device]", full));
	tree_text(t, "proc/100/fdinfo/8",
		  "vfio-device-syspath: /sys/devices/pci0000:00/0000:04:00.0\n");
	link_to(t, DEV "0000:04:00.0/iommu_group", "/sys/kernel/iommu_groups/9");
	assert_int_equal(group_holder(&t->root, 9, &h), -ENOENT);
	assert_int_equal(h.pid, 0);
}

/* The kernel writes a line for each lock above the line of the device, and a path has any length. */
static void device_behind_many_lines(void **state)
{
	static const char lock[] = "lock:\t1: POSIX  ADVISORY  WRITE 4711 00:0f:1057 0 0\n";
	_cleanup_free_ char *text = calloc(200, sizeof(lock));
	struct tree *t = *state;
	struct group_holder h;

	assert_non_null(text);
	for (int i = 0; i < 100; i++)
		append(text, 200 * sizeof(lock), "%s", lock);
	append(text, 200 * sizeof(lock), "vfio-device-syspath: /sys/devices/%0500d/0000:04:00.0\n",
	       0);
	t->root.live = true;
	tree_link(t, "proc/100/fd/3", "anon_inode:[vfio-device]");
	tree_text(t, "proc/100/fdinfo/3", text);
	link_to(t, DEV "0000:04:00.0/iommu_group", "/sys/kernel/iommu_groups/9");
	assert_int_equal(group_holder(&t->root, 9, &h), 0);
	assert_int_equal(h.pid, 100);
}

/* Any process may call itself msictl (PR_SET_NAME): its executable file decides. */
static void comm_is_not_believed(void **state)
{
	struct tree *t = *state;
	char full[PATH_MAX];
	struct group_holder h;
	struct error e;

	group_node(t, "/dev/null");
	has_open(t, "100", "3", "dev/vfio/9", "02");
	tree_text(t, "proc/100/comm", "msictl\n");
	tree_text(t, "usr/bin/qemu", "");
	tree_link(t, "proc/100/exe", tree_path(t, "usr/bin/qemu", full));
	assert_int_equal(group_holder(&t->root, 9, &h), 0);
	assert_false(h.ours);
	group_refuse(9, &h, &e);
	assert_non_null(strstr(e.hint, "ps -fp 100"));
	/* this program */
	unlink(tree_path(t, "proc/100/exe", full));
	tree_link(t, "proc/100/exe", "/proc/self/exe");
	assert_int_equal(group_holder(&t->root, 9, &h), 0);
	assert_true(h.ours);
	assert_int_equal(h.uid, geteuid());
	group_refuse(9, &h, &e);
	assert_non_null(strstr(e.hint, "msictl release"));
	/* release does not find the holder of another user */
	h.uid = geteuid() + 1000;
	group_refuse(9, &h, &e);
	assert_null(strstr(e.hint, "msictl release"));
	assert_non_null(strstr(e.hint, geteuid() ? "ps -fp 100" : "kill 100 "));
}

/* Another msictl, as after an upgrade, is believed when root alone can have put it there. */
static void another_msictl(void **state)
{
	struct tree *t = *state;
	char full[PATH_MAX];
	struct group_holder h;

	group_node(t, "/dev/null");
	has_open(t, "100", "3", "dev/vfio/9", "02");
	tree_text(t, "usr/bin/msictl", "");
	tree_link(t, "proc/100/exe", tree_path(t, "usr/bin/msictl", full));
	assert_int_equal(chmod(tree_path(t, "usr/bin/msictl", full), 0755), 0);
	assert_int_equal(group_holder(&t->root, 9, &h), 0);
	assert_int_equal(h.ours, geteuid() == 0);
	assert_int_equal(chmod(full, 0777), 0);
	assert_int_equal(group_holder(&t->root, 9, &h), 0);
	assert_false(h.ours);
}

/* Out of descriptors, at whatever step, is not "nobody". */
static void no_descriptors(void **state)
{
	struct tree *t = *state;
	struct rlimit rl, low;
	int first = dup(0), found = 0;
	struct group_holder h;

	group_node(t, "/dev/null");
	has_open(t, "100", "3", "dev/vfio/9", "02");
	assert_true(first >= 0);
	close(first);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &rl), 0);
	for (int i = 0; i <= 4; i++) {
		int rc;

		low = (struct rlimit){ .rlim_cur = (rlim_t)(first + i), .rlim_max = rl.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
		rc = group_holder(&t->root, 9, &h);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &rl), 0);
		if (rc)
			assert_int_equal(rc, -EMFILE);
		else
			assert_int_equal(h.pid, 100);
		found += rc == 0;
	}
	assert_in_range(found, 1, 4);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(holders),
		TEST(holders_of_many),
		TEST(holders_by_device),
		TEST(node_by_number),
		TEST(node_by_another_name),
		TEST(forged_nodes),
		TEST(device_behind_many_lines),
		TEST(comm_is_not_believed),
		TEST(another_msictl),
		TEST(no_descriptors),
	};

	return cmocka_run_group_tests_name("group-holder", tests, NULL, NULL);
}
