// SPDX-License-Identifier: GPL-2.0-or-later
/* How far the devices that others are made of are followed, and that what is not followed to its end is not free. */
#include <errno.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "driver-bench.h"

#define BLOCK "sys/devices/virtual/block"
#define DISK  HOME "/nvme/nvme0/nvme0n1"
#define DISK_0 \
	"../../../../pci0000:00/0000:00:04.0/0000:04:00.0/nvme/nvme0/nvme0n1" /* from BLOCK/NAME/slaves */

/* The @failing-th readlink(2) of /proc/self/fd/N says @failing_errno; 0: none does. */
static unsigned int calls, failing;
static int failing_errno;

ssize_t readlink(const char *path, char *buf, size_t size)
{
	if (!strncmp(path, "/proc/", 6) && ++calls == failing) {
		errno = failing_errno;
		return -1;
	}
	return syscall(SYS_readlink, path, buf, size);
}

static int in_use(struct bench *b)
{
	b->e = (struct error){ 0 };
	return driver_in_use(&b->t.root, &nvme, &b->e);
}

static void is_free(struct bench *b)
{
	if (in_use(b))
		fail_msg("%s", b->e.message);
}

static void carries(struct bench *b, const char *what)
{
	assert_int_equal(in_use(b), -EBUSY);
	if (!strstr(b->e.message, what))
		fail_msg("%s", b->e.message);
}

/* A link in the folder "slaves" of a block device. */
static void slave(const struct bench *b, const char *device, const char *name, const char *target)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), BLOCK "/%s/slaves/%s", device, name);
	tree_link(&b->t, path, target);
}

static void folder(const struct bench *b, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), BLOCK "/%s/", name);
	tree_folder(&b->t, path);
}

/* dm-@i gets the slave dm-@i+1. */
static void one_layer_more(const struct bench *b, int i)
{
	char upper[16], lower[16], target[32];

	snprintf(upper, sizeof(upper), "dm-%d", i);
	snprintf(lower, sizeof(lower), "dm-%d", i + 1);
	snprintf(target, sizeof(target), "../../%s", lower);
	folder(b, lower);
	slave(b, upper, lower, target);
}

/* 32 layers are followed to their end, and what is below them is not known. */
static void most_layers(void **state)
{
	struct bench *b = *state;

	disk(b, "254:0", BLOCK "/dm-0");
	mounts(b, "23 22 254:0 / /home rw - ext4 /dev/mapper/home rw\n");
	for (int i = 0; i < 31; i++)
		one_layer_more(b, i);
	is_free(b);
	one_layer_more(b, 31);
	carries(b, "mounted on /home");
}

static void most_layers_of_a_btrfs(void **state)
{
	struct bench *b = *state;

	folder(b, "dm-0");
	tree_link(&b->t, "sys/fs/btrfs/0f0f/devices/dm-0",
		  "../../../../devices/virtual/block/dm-0");
	tree_folder(&b->t, "sys/fs/btrfs/features/");
	for (int i = 0; i < 31; i++)
		one_layer_more(b, i);
	is_free(b);
	one_layer_more(b, 31);
	carries(b, "a part of the mounted btrfs 0f0f");
}

/* md@i gets a partition of md@i+1 as a slave. */
static void one_partition_more(const struct bench *b, int i)
{
	char disk[16], part[16], path[64], target[64];

	snprintf(disk, sizeof(disk), "md%d", i);
	snprintf(part, sizeof(part), "md%dp1", i + 1);
	snprintf(path, sizeof(path), BLOCK "/md%d/%s/partition", i + 1, part);
	tree_text(&b->t, path, "1\n");
	snprintf(target, sizeof(target), "../../md%d/%s", i + 1, part);
	slave(b, disk, part, target);
}

static void most_layers_of_partitions(void **state)
{
	struct bench *b = *state;

	disk(b, "9:1", BLOCK "/md0/md0p1");
	tree_text(&b->t, BLOCK "/md0/md0p1/partition", "1\n");
	mounts(b, "23 22 9:1 / /srv rw - ext4 /dev/md0p1 rw\n");
	for (int i = 0; i < 31; i++)
		one_partition_more(b, i);
	is_free(b);
	one_partition_more(b, 31);
	carries(b, "mounted on /srv");
}

/* The slaves of the folder above are those of a partition's disk alone. */
static void no_partition(void **state)
{
	struct bench *b = *state;

	disk(b, "9:1", BLOCK "/md0/child");
	tree_folder(&b->t, DISK "/");
	slave(b, "md0", "nvme0n1", DISK_0);
	mounts(b, "23 22 9:1 / /srv rw - ext4 /dev/md0p1 rw\n");
	is_free(b);
	tree_text(&b->t, BLOCK "/md0/child/partition", "1\n");
	carries(b, "mounted on /srv");
}

/* @n links from the folder @path to a block device. */
static void links(const struct bench *b, const char *path, int n, const char *target)
{
	char link[PATH_MAX];

	for (int i = 0; i < n; i++) {
		snprintf(link, sizeof(link), "%s/s%d", path, i);
		tree_link(&b->t, link, target);
	}
}

/* 4096 devices are looked at for each mount and each btrfs: where there are more, nobody knows. */
static void most_devices(void **state)
{
	struct bench *b = *state;
	struct dependency below;

	/* dm-0, 63 times dm-1, and for each of these 64 times dm-2: 1 + 63 + 63 * 64 */
	disk(b, "254:0", BLOCK "/dm-0");
	links(b, BLOCK "/dm-0/slaves", 63, "../../dm-1");
	links(b, BLOCK "/dm-1/slaves", 64, "../../dm-2");
	folder(b, "dm-2");
	links(b, "sys/fs/btrfs/0f0f/devices", 63, "../../../../devices/virtual/block/dm-1");
	tree_link(&b->t, "sys/fs/btrfs/0f0f/devices/s63", "../../../../devices/virtual/block/dm-2");
	assert_int_equal(depend_begin(&below, &b->t.root, &nvme), 0);
	assert_false(device_depends(&below, 254, 0));
	assert_false(devices_depend(&below, "sys/fs/btrfs/0f0f/devices"));
	assert_false(device_depends(&below, 254, 0));
	slave(b, "dm-0", "s63", "../../dm-2");
	assert_true(device_depends(&below, 254, 0));
	assert_int_equal(below.error, 0);
}

/* The path of the last of @n layers gets @length bytes, in names of 240 bytes and what is left. */
static void path_of(const struct bench *b, size_t length)
{
	size_t used = strlen("sys/dev/block/254:0");
	char name[NAME_MAX + 1], upper[16], target[32];

	for (int i = 0; used < length; i++) {
		size_t len = length - used - strlen("/slaves/");

		/* and room for one more */
		if (len > 240)
			len = len - 240 > 2 * strlen("/slaves/") ? 240 : 120;
		memset(name, 'n', len);
		name[len] = '\0';
		snprintf(upper, sizeof(upper), "dm-%d", i);
		snprintf(target, sizeof(target), "../../dm-%d", i + 1);
		slave(b, upper, name, target);
		folder(b, target + strlen("../../"));
		used += strlen("/slaves/") + len;
	}
	assert_int_equal(used, length);
}

/* Where the path of a link has no room for another name, the look ends as it ends below too many layers. */
static void longest_path(void **state)
{
	struct bench *b = *state;
	const size_t longest = PATH_MAX - NAME_MAX - 16;

	mounts(b, "23 22 254:0 / /home rw - ext4 /dev/mapper/home rw\n");
	disk(b, "254:0", BLOCK "/dm-0");
	path_of(b, longest);
	is_free(b);
}

static void path_that_is_too_long(void **state)
{
	struct bench *b = *state;
	const size_t longest = PATH_MAX - NAME_MAX - 16;

	mounts(b, "23 22 254:0 / /home rw - ext4 /dev/mapper/home rw\n");
	disk(b, "254:0", BLOCK "/dm-0");
	path_of(b, longest + 1);
	carries(b, "mounted on /home");
}

/* Whatever cannot be told of a link that leads to the function, the function is not free. */
static void links_that_cannot_be_read(void **state)
{
	static const int err[] = { ENOMEM, EIO };
	struct bench *b = *state;

	disk(b, "254:0", BLOCK "/dm-0");
	tree_folder(&b->t, DISK "/");
	slave(b, "dm-0", "nvme0n1", DISK_0);
	mounts(b, "23 22 254:0 / /home rw - ext4 /dev/mapper/home rw\n");
	for (size_t i = 0; i < ARRAY_SIZE(err); i++) {
		unsigned int told = 0;

		failing_errno = err[i];
		do {
			failing++;
			calls = 0;
			assert_true(in_use(b) < 0);
			told += b->e.err == err[i];
		} while (calls >= failing);
		failing = 0;
		/* the function's own folder, and the link: that reason is told */
		assert_in_range(told, 2, 100);
		carries(b, "mounted on /home");
	}
}

/* A disk of more than one path is below all functions that its subsystem links, and below no other. */
static void controllers_of_a_subsystem(void **state)
{
	struct bench *b = *state;

	tree_folder(&b->t, HOME "/nvme/nvme0/");
	disk(b, "259:1", "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1");
	mounts(b, "23 22 259:1 / /home rw - ext4 /dev/nvme0n1 rw\n");
	tree_link(&b->t, "sys/devices/virtual/nvme-subsystem/nvme-subsys0/another",
		  "../../../pci0000:00/0000:00:04.0/0000:04:00.0/nvme/nvme0");
	tree_folder(&b->t, "sys/devices/pci0000:00/0000:00:05.0/nvme/nvme1/");
	tree_link(&b->t, "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme1",
		  "../../../pci0000:00/0000:00:05.0/nvme/nvme1");
	is_free(b);
	tree_link(&b->t, "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme2",
		  "../../../pci0000:00/0000:00:04.0/0000:04:00.0/nvme/nvme0");
	carries(b, "mounted on /home");
	/* no other folder's links count */
	disk(b, "259:2", "sys/devices/virtual/other/subsys0/nvme0n1");
	tree_link(&b->t, "sys/devices/virtual/other/subsys0/nvme2",
		  "../../../pci0000:00/0000:00:04.0/0000:04:00.0/nvme/nvme0");
	mounts(b, "23 22 259:2 / /home rw - ext4 /dev/nvme0n1 rw\n");
	is_free(b);
}

/* Paths of several lengths, one after the other: none is mistaken for the function's folder, which neither is. */
static void folders_of_other_lengths(void **state)
{
	struct bench *b = *state;
	char link[PATH_MAX];

	tree_folder(&b->t, "sys/devices/pci0000:99/0000:00:04.0/0000:04:00.0/");
	disk(b, "259:1", "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1");
	mounts(b, "23 22 259:1 / /home rw - ext4 /dev/nvme0n1 rw\n");
	for (int i = 0; i < 16; i++) {
		snprintf(link, sizeof(link),
			 "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme%d", i);
		tree_link(&b->t, link,
			  i % 2 ? "../../../pci0000:99/0000:00:04.0/0000:04:00.0"
				: "../../../pci0000:00");
	}
	is_free(b);
}

/* Of swap spaces those count that are block devices: not files, nor a character device of the same number. */
static void kinds_of_nodes(void **state)
{
	struct bench *b = *state;
	char full[PATH_MAX];

	disk(b, "259:3", DISK "/nvme0n1p3");
	disk(b, "0:0", DISK "/none");
	tree_text(&b->t, "swapfile", "");
	tree_text(&b->t, "proc/swaps", "/swapfile file 100 0 -2\n/dev/gone partition 100 0 -2\n");
	is_free(b);
	if (mknod(tree_path(&b->t, "dev/swap", full), S_IFCHR | 0600, makedev(259, 3)))
		skip();
	tree_text(&b->t, "proc/swaps", "/dev/swap partition 100 0 -2\n");
	is_free(b);
	unlink(full);
	assert_int_equal(mknod(full, S_IFBLK | 0600, makedev(259, 3)), 0);
	carries(b, "swap space /dev/swap");
	unlink(full);
	assert_int_equal(mknod(full, S_IFBLK | 0600, makedev(3, 259)), 0);
	is_free(b);
}

#define AT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT(most_layers),
		AT(most_layers_of_a_btrfs),
		AT(most_layers_of_partitions),
		AT(no_partition),
		AT(most_devices),
		AT(longest_path),
		AT(path_that_is_too_long),
		AT(links_that_cannot_be_read),
		AT(controllers_of_a_subsystem),
		AT(folders_of_other_lengths),
		AT(kinds_of_nodes),
	};

	return cmocka_run_group_tests_name("driver-depends", tests, NULL, NULL);
}
