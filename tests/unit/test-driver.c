// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Binding as far as it goes without a kernel behind /sys: what is refused and
 * why, which files would be written and in which order, what is remembered and
 * how little of that is believed. The lab binds real functions.
 */
#include <dlfcn.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "driver-bench.h"

/* mkdirat(2) as it is on a full file system. */
static bool no_room;

int mkdirat(int at, const char *name, mode_t mode)
{
	if (no_room) {
		errno = ENOSPC;
		return -1;
	}
	return (int)syscall(SYS_mkdirat, at, name, mode);
}

/* readlink(2) of /proc/self/fd/N as it is where /proc is not mounted. */
static bool no_proc;

ssize_t readlink(const char *path, char *buf, size_t size)
{
	if (no_proc && !strncmp(path, "/proc/", 6)) {
		errno = ENOENT;
		return -1;
	}
	return syscall(SYS_readlink, path, buf, size);
}

/* What a kernel without memory, or another error of it, answers to the @failing-th of these calls; 0: to none. */
static unsigned int calls, failing;
static int failing_errno = ENOMEM;

static bool fails_now(void)
{
	errno = failing_errno;
	return ++calls == failing;
}

DIR *fdopendir(int fd)
{
	DIR *(*real)(int fd) = dlsym(RTLD_NEXT, "fdopendir");

	return fails_now() ? NULL : real(fd);
}

/* Of the folders that are walked through */
int openat(int dir, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	if (flags & O_DIRECTORY && flags & O_NOFOLLOW && fails_now())
		return -1;
	return (int)syscall(SYS_openat, dir, path, flags, mode);
}

/* Of folders */
int fstat(int fd, struct stat *st)
{
	int rc = fstatat(fd, "", st, AT_EMPTY_PATH);

	return rc == 0 && S_ISDIR(st->st_mode) && fails_now() ? -1 : rc;
}

int fsmount(int fd, unsigned int flags, unsigned int attributes)
{
	return fails_now() ? -1 : (int)syscall(SYS_fsmount, fd, flags, attributes);
}

/*
 * Something uses the function: whatever cannot be looked at, it is not taken for free. Where @says is not said, the
 * reason is.
 */
static void assert_never_free_by(struct bench *b, const char *says, int err)
{
	char name[16];
	bool done = false;

	failing_errno = err;
	for (failing = 1; !done; failing++) {
		unsigned int at = failing;
		char what[16];

		calls = 0;
		snprintf(what, sizeof(what), "call %u", at);
		b->e = (struct error){ 0 };
		if (driver_in_use(&b->t.root, &nvme, &b->e) >= 0)
			fail_msg("free when %s fails", what);
		done = calls < at;
		if (!strstr(b->e.message, says) && b->e.err != err &&
		    !strstr(b->e.message, errno_name(err, name)))
			fail_msg("%s fails: %s", what, b->e.message);
		assert_true(!done || strstr(b->e.message, says));
	}
	failing = 0;
	failing_errno = ENOMEM;
	assert_true(calls > 0);
}

static void assert_never_free(struct bench *b, const char *says)
{
	assert_never_free_by(b, says, ENOMEM);
	assert_never_free_by(b, says, EIO);
}

/* ---- bind */

static void dry_run_tells_the_steps(void **state)
{
	struct bench *b = *state;

	b->trace.dry_run = true;
	assert_int_equal(bind_it(b, false), 0);
	assert_true(b->c.changed);
	assert_string_equal(b->c.from, "nvme");
	assert_string_equal(b->c.to, "vfio-pci");
	assert_string_equal(b->lines, "would: write(/run/msictl/former/0000:04:00.0: nvme)\n"
				      "would: write(/" DEV "/driver_override: vfio-pci)\n"
				      "would: write(/" DEV "/driver/unbind: 0000:04:00.0)\n"
				      "would: write(/sys/bus/pci/drivers_probe: 0000:04:00.0)\n");
	assert_file(b, HOME "/driver_override", "(null)\n");
	assert_false(root_exists(&b->t.root, "run/msictl"));
}

/* No kernel moves the link here: vfio-pci "did not take it", and all is put back. */
static void failure_is_put_back(void **state)
{
	struct bench *b = *state;

	tree_text(&b->t, HOME "/driver_override", "");
	b->trace.on = true;
	assert_true(bind_it(b, false) < 0);
	assert_non_null(strstr(b->e.message, "nvme took it"));
	assert_file(b, "sys/bus/pci/drivers/nvme/unbind", "0000:04:00.0");
	assert_file(b, "sys/bus/pci/drivers_probe", "0000:04:00.0");
	assert_non_null(strstr(b->lines, "driver_override: vfio-pci) = 0"));
	assert_non_null(strstr(b->lines, "driver_override: \\n) = 0"));
	assert_false(root_exists(&b->t.root, FORMER));
}

static void bound_already(void **state)
{
	struct bench *b = *state;

	is_driven_by(b, "vfio-pci");
	assert_int_equal(bind_it(b, false), 0);
	assert_false(b->c.changed);
	assert_string_equal(b->c.from, "vfio-pci");
	assert_file(b, HOME "/driver_override", "(null)\n");
	assert_false(root_exists(&b->t.root, FORMER));
}

static void node_missing(void **state)
{
	struct bench *b = *state;
	char full[PATH_MAX];

	is_driven_by(b, "vfio-pci");
	unlink(tree_path(&b->t, "dev/vfio/9", full));
	assert_int_equal(bind_it(b, false), -ETIMEDOUT);
	assert_non_null(strstr(b->e.message, "/dev/vfio/9 did not appear"));
	tree_text(&b->t, "sys/class/vfio/9/dev", "237:0\n");
	assert_int_equal(bind_it(b, false), -ETIMEDOUT);
	assert_non_null(strstr(b->e.message, "the kernel has the VFIO device 9 (237:0)"));
	assert_non_null(strstr(b->e.hint, "mknod -m 600 /dev/vfio/9 c 237 0"));
}

/* A kernel that has character devices of functions only: the node of the group is not waited for. */
static void no_groups(void **state)
{
	struct bench *b = *state;
	char full[PATH_MAX];

	unlink(tree_path(&b->t, "dev/vfio/9", full));
	tree_folder(&b->t, "sys/class/vfio-dev/");
	assert_refused(b, CAUSE_FAILED, "offers no VFIO groups", "CONFIG_VFIO_GROUP=y");
	is_driven_by(b, "vfio-pci");
	tree_text(&b->t, HOME "/vfio-dev/vfio3/dev", "511:3\n");
	assert_int_equal(driver_bind(&b->t.root, &nvme, false, UINT64_MAX / 2, &b->trace, &b->c,
				     &b->e),
			 -ENOENT);
	assert_non_null(strstr(b->e.message, "only /dev/vfio/devices/vfio3"));
}

/* VFIO without an IOMMU is told with its price. */
static void noiommu_is_told(void **state)
{
	struct bench *b = *state;
	char full[PATH_MAX];

	is_driven_by(b, "vfio-pci");
	tree_text(&b->t, "sys/kernel/iommu_groups/9/name", "vfio-noiommu\n");
	tree_text(&b->t, "dev/vfio/noiommu-9", "");
	tree_text(&b->t, "proc/sys/kernel/tainted", "4096\n");
	assert_int_equal(bind_it(b, false), 0);
	assert_non_null(strstr(b->c.note, "unsafe noiommu mode"));
	assert_null(strstr(b->c.note, "tainted"));
	tree_text(&b->t, "proc/sys/kernel/tainted", "4160\n");
	assert_int_equal(bind_it(b, false), 0);
	assert_non_null(strstr(b->c.note, "tainted (U)"));

	/* before it is so */
	is_driven_by(b, "nvme");
	unlink(tree_path(&b->t, HOME "/iommu_group", full));
	rmdir(tree_path(&b->t, "sys/class/iommu/dmar0", full));
	tree_text(&b->t, "sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n");
	b->trace.dry_run = true;
	assert_int_equal(bind_it(b, false), 0);
	assert_non_null(strstr(b->c.note, "would take it in unsafe noiommu mode"));
	tree_folder(&b->t, "sys/class/iommu/dmar0/");
	assert_int_equal(bind_it(b, false), 0);
	assert_string_equal(b->c.note, "");
}

static void another_member_blocks(void **state)
{
	struct bench *b = *state;

	is_driven_by(b, "vfio-pci");
	tree_link(&b->t, "sys/kernel/iommu_groups/9/devices/0000:04:00.0",
		  "../../../../bus/pci/devices/0000:04:00.0");
	tree_folder(&b->t, "sys/bus/pci/devices/0000:04:00.1/");
	tree_link(&b->t, "sys/bus/pci/devices/0000:04:00.1/driver", "../../drivers/e1000e");
	tree_link(&b->t, "sys/kernel/iommu_groups/9/devices/0000:04:00.1",
		  "../../../../bus/pci/devices/0000:04:00.1");
	assert_int_equal(bind_it(b, false), 0);
	assert_non_null(strstr(b->c.note, "04:00.1 has e1000e"));
}

static void refusals(void **state)
{
	struct bench *b = *state;
	char full[PATH_MAX];

	tree_text(&b->t, HOME "/class", "0x060400\n");
	assert_refused(b, CAUSE_FAILED, "bridge", "");
	assert_true(bind_it(b, true) < 0);
	tree_text(&b->t, HOME "/class", "0x010802\n");

	unlink(tree_path(&b->t, HOME "/iommu_group", full));
	rmdir(tree_path(&b->t, "sys/class/iommu/dmar0", full));
	assert_refused(b, CAUSE_NOT_VIABLE, "no IOMMU group", "intel_iommu=on");

	unlink(tree_path(&b->t, "sys/bus/pci/drivers/vfio-pci/bind", full));
	unlink(tree_path(&b->t, "sys/bus/pci/drivers/vfio-pci/unbind", full));
	rmdir(tree_path(&b->t, "sys/bus/pci/drivers/vfio-pci", full));
	assert_refused(b, CAUSE_FAILED, "not loaded", "modprobe vfio-pci");
}

static void captured_tree_is_refused(void **state)
{
	struct bench *b = *state;

	b->t.root.live = false;
	assert_true(bind_it(b, true) < 0);
	assert_non_null(strstr(b->e.message, "captured"));
	assert_true(unbind_it(b) < 0);
}

static void no_such_function(void **state)
{
	struct pci_addr none = { 0, 0x77, 0, 0 };
	struct bench *b = *state;

	assert_int_equal(driver_bind(&b->t.root, &none, true, 0, &b->trace, &b->c, &b->e), -ENODEV);
	assert_int_equal(b->e.cause, CAUSE_NO_DEVICE);
}

/* ---- in use */

static void mounted_partition(void **state)
{
	struct bench *b = *state;

	disk(b, "259:1", HOME "/nvme/nvme0/nvme0n1/nvme0n1p1");
	mounts(b,
	       "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 259:1 / /my\\040data rw shared:7 - xfs /dev/nvme0n1p1 rw\n");
	assert_refused(b, CAUSE_BUSY, "mounted on /my data", "umount /my data");
	/* a line without words is none */
	mounts(b, "\n23 22 259:1 / /mnt rw - xfs /dev/nvme0n1p1 rw\n");
	assert_refused(b, CAUSE_BUSY, "mounted on /mnt", "umount /mnt");
	b->trace.dry_run = true;
	assert_int_equal(bind_it(b, true), 0);
}

/* A check that could not look refuses, as one that found something. */
static void mounted_and_no_descriptors(void **state)
{
	struct bench *b = *state;
	bool found = false, blind = false;

	disk(b, "254:0", "sys/devices/virtual/block/dm-0");
	disk(b, "259:1", HOME "/nvme/nvme0/nvme0n1/nvme0n1p1");
	tree_link(&b->t, "sys/devices/virtual/block/dm-0/slaves/nvme0n1p1",
		  "../../../../pci0000:00/0000:00:04.0/0000:04:00.0/nvme/nvme0/nvme0n1/nvme0n1p1");
	mounts(b, "23 22 254:0 / /home rw - ext4 /dev/mapper/home rw\n");
	for (unsigned int spare = 0; spare < 12; spare++) {
		struct rlimit before = tree_exhaust(spare);
		int rc = driver_in_use(&b->t.root, &nvme, &b->e);

		tree_plenty(&before);
		blind = blind || rc == -EMFILE;
		found = rc == -EBUSY;
		assert_true(rc == -EMFILE || rc == -EBUSY);
	}
	assert_true(blind && found);
}

static void mounted_elsewhere(void **state)
{
	struct bench *b = *state;

	/* another function whose path begins alike */
	disk(b, "259:1", HOME "0/nvme/nvme1/nvme1n1");
	mounts(b,
	       "23 22 259:1 / /home rw - xfs /dev/nvme1n1 rw\nnonsense\n1 2 3 4 5 -\n1 2 x:y / /z rw - a b c\n");
	assert_int_equal(driver_in_use(&b->t.root, &nvme, &b->e), 0);
}

/* LVM on LUKS on a partition. */
static void mounted_through_layers(void **state)
{
	struct bench *b = *state;

	disk(b, "259:1", HOME "/nvme/nvme0/nvme0n1/nvme0n1p1");
	disk(b, "254:0", "sys/devices/virtual/block/dm-0");
	disk(b, "254:1", "sys/devices/virtual/block/dm-1");
	tree_link(&b->t, "sys/devices/virtual/block/dm-1/slaves/dm-0", "../../dm-0");
	mounts(b, "23 22 254:1 / /home rw - ext4 /dev/mapper/home rw\n");
	assert_int_equal(driver_in_use(&b->t.root, &nvme, &b->e), 0);
	tree_link(&b->t, "sys/devices/virtual/block/dm-0/slaves/nvme0n1p1",
		  "../../../../pci0000:00/0000:00:04.0/0000:04:00.0/nvme/nvme0/nvme0n1/nvme0n1p1");
	assert_refused(b, CAUSE_BUSY, "mounted on /home", "umount");
	/* behind lines that say nothing */
	mounts(b, "\n23 22 254:1 / /home rw - ext4 /dev/mapper/home rw\n");
	assert_never_free(b, "mounted on /home");
}

/* A partition of a RAID: the disk has the slaves. */
static void mounted_partition_of_raid(void **state)
{
	struct bench *b = *state;

	tree_folder(&b->t, HOME "/nvme/nvme0/nvme0n1/");
	disk(b, "259:9", "sys/devices/virtual/block/md0/md0p1");
	tree_text(&b->t, "sys/devices/virtual/block/md0/md0p1/partition", "1\n");
	tree_link(&b->t, "sys/devices/virtual/block/md0/slaves/nvme0n1",
		  "../../../../pci0000:00/0000:00:04.0/0000:04:00.0/nvme/nvme0/nvme0n1");
	mounts(b, "23 22 259:9 / /srv rw - ext4 /dev/md0p1 rw\n");
	assert_refused(b, CAUSE_BUSY, "mounted on /srv", "umount");
}

/* A disk below twelve layers of device mapper carries a mount all the same. */
static void layers_of_a_deep_stack(void **state)
{
	struct bench *b = *state;
	char path[64], link[96], to[32];

	disk(b, "254:0", "sys/devices/virtual/block/dm-0");
	for (int i = 0; i < 12; i++) {
		snprintf(path, sizeof(path), "sys/devices/virtual/block/dm-%d/", i + 1);
		tree_folder(&b->t, path);
		snprintf(link, sizeof(link), "sys/devices/virtual/block/dm-%d/slaves/dm-%d", i,
			 i + 1);
		snprintf(to, sizeof(to), "../../dm-%d", i + 1);
		tree_link(&b->t, link, to);
	}
	mounts(b, "23 22 254:0 / /home rw - ext4 /dev/mapper/home rw\n");
	assert_int_equal(driver_in_use(&b->t.root, &nvme, &b->e), 0);
	tree_folder(&b->t, HOME "/nvme/nvme0/nvme0n1/");
	tree_link(&b->t, "sys/devices/virtual/block/dm-12/slaves/nvme0n1",
		  "../../../../pci0000:00/0000:00:04.0/0000:04:00.0/nvme/nvme0/nvme0n1");
	assert_refused(b, CAUSE_BUSY, "mounted on /home", "umount");
}

/* Devices that are each other's slaves end the walk, not the process; what was not followed to its end is not free. */
static void layers_in_a_circle(void **state)
{
	struct bench *b = *state;

	disk(b, "254:0", "sys/devices/virtual/block/dm-0");
	disk(b, "254:1", "sys/devices/virtual/block/dm-1");
	tree_link(&b->t, "sys/devices/virtual/block/dm-0/slaves/dm-1", "../../dm-1");
	tree_link(&b->t, "sys/devices/virtual/block/dm-1/slaves/dm-0", "../../dm-0");
	mounts(b, "23 22 254:1 / /home rw - ext4 /dev/mapper/home rw\n");
	assert_refused(b, CAUSE_BUSY, "mounted on /home", "umount");
	/* a partition that is its own disk's slave */
	disk(b, "259:9", "sys/devices/virtual/block/md0/md0p1");
	tree_text(&b->t, "sys/devices/virtual/block/md0/md0p1/partition", "1\n");
	tree_link(&b->t, "sys/devices/virtual/block/md0/slaves/md0p1", "../md0p1");
	mounts(b, "23 22 259:9 / /home rw - ext4 /dev/md0p1 rw\n");
	assert_refused(b, CAUSE_BUSY, "mounted on /home", "umount");
}

static void mounted_multipath_nvme(void **state)
{
	struct bench *b = *state;

	tree_folder(&b->t, HOME "/nvme/nvme0/");
	disk(b, "259:1", "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1");
	disk(b, "259:2", "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p1");
	mounts(b, "23 22 259:2 / /home rw - ext4 /dev/nvme0n1p1 rw\n");
	assert_int_equal(driver_in_use(&b->t.root, &nvme, &b->e), 0);
	tree_link(&b->t, "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0",
		  "../../../pci0000:00/0000:00:04.0/0000:04:00.0/nvme/nvme0");
	assert_refused(b, CAUSE_BUSY, "mounted on /home", "umount");
	assert_never_free(b, "mounted on /home");
	mounts(b, "23 22 259:1 / /home rw - ext4 /dev/nvme0n1 rw\n");
	assert_refused(b, CAUSE_BUSY, "mounted on /home", "umount");
	assert_never_free(b, "mounted on /home");
}

static void part_of_a_btrfs(void **state)
{
	struct bench *b = *state;

	tree_folder(&b->t, HOME "/nvme/nvme0/nvme0n1/");
	mounts(b, "23 22 0:30 / /home rw - btrfs /dev/sda1 rw\n");
	tree_link(&b->t, "sys/fs/btrfs/0f0f/devices/nvme0n1",
		  "../../../../devices/pci0000:00/0000:00:04.0/0000:04:00.0/nvme/nvme0/nvme0n1");
	assert_refused(b, CAUSE_BUSY, "btrfs 0f0f", "umount");
}

static void mounted_9p(void **state)
{
	struct bench *b = *state;

	tree_text(&b->t, HOME "/virtio3/mount_tag", "share");
	tree_link(&b->t, "sys/bus/virtio/drivers/9pnet_virtio/virtio3",
		  "../../../../devices/pci0000:00/0000:00:04.0/0000:04:00.0/virtio3");
	mounts(b, "23 22 0:30 / /other rw - 9p other rw\n");
	assert_int_equal(driver_in_use(&b->t.root, &nvme, &b->e), 0);
	mounts(b, "23 22 0:30 / /share rw - 9p share rw\n");
	assert_refused(b, CAUSE_BUSY, "mounted on /share", "umount");
}

/* The tag has no limit but its 16-bit length (net/9p/trans_virtio.c); the path in the advice is typed as it stands. */
static void mounted_9p_of_long_names(void **state)
{
	struct bench *b = *state;
	char tag[201], point[1001], line[1300];

	memset(tag, 't', 200);
	tag[200] = '\0';
	point[0] = '\0';
	for (unsigned int i = 0; i < 10; i++)
		append(point, sizeof(point), "/%099u", i);
	tree_text(&b->t, HOME "/virtio3/mount_tag", tag);
	tree_link(&b->t, "sys/bus/virtio/drivers/9pnet_virtio/virtio3",
		  "../../../../devices/pci0000:00/0000:00:04.0/0000:04:00.0/virtio3");
	snprintf(line, sizeof(line), "23 22 0:30 / %s rw - 9p %s rw\n", point, tag);
	mounts(b, line);
	snprintf(line, sizeof(line), "umount %s ", point);
	assert_refused(b, CAUSE_BUSY, point, line);
}

static void swap_space(void **state)
{
	struct bench *b = *state;
	char full[PATH_MAX];

	if (mknod(tree_path(&b->t, "dev/nvme swap", full), S_IFBLK | 0600, makedev(259, 3)))
		skip();
	disk(b, "259:3", HOME "/nvme/nvme0/nvme0n1/nvme0n1p3");
	tree_text(
		&b->t, "proc/swaps",
		"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/nvme\\040swap  partition\t100\t0\t-2\n");
	assert_refused(b, CAUSE_BUSY, "swap space /dev/nvme swap", "swapoff");
}

static void interface_up(void **state)
{
	struct bench *b = *state;

	tree_folder(&b->t, HOME "/net/eth0/");
	tree_text(&b->t, HOME "/net/eth0/flags", "0x1002\n");
	tree_link(&b->t, HOME "/net/eth0/device", "../..");
	tree_link(&b->t, "sys/class/net/eth0",
		  "../../devices/pci0000:00/0000:00:04.0/0000:04:00.0/net/eth0");
	tree_text(&b->t, "sys/class/net/lo/flags", "0x9\n");
	assert_int_equal(driver_in_use(&b->t.root, &nvme, &b->e), 0);
	tree_text(&b->t, HOME "/net/eth0/flags", "0x1003\n");
	assert_refused(b, CAUSE_BUSY, "interface is up: eth0", "ip link set down dev eth0");
}

/* The folder "net" stays while an interface is in any namespace. */
static void interface_in_another_namespace(void **state)
{
	struct bench *b = *state;
	char full[PATH_MAX];

	tree_folder(&b->t, HOME "/net/");
	assert_refused(
		b, CAUSE_BUSY,
		"1 of its network interfaces may be up in a network namespace that cannot be looked "
		"at: ENOENT",
		"bind 04:00.0 --force");
	tree_folder(&b->t, "proc/");
	assert_refused(
		b, CAUSE_BUSY,
		"1 of its network interfaces may be up in a network namespace that was not found",
		"bind 04:00.0 --force");
	/* below the function, as of a virtio or USB device */
	rmdir(tree_path(&b->t, HOME "/net", full));
	assert_int_equal(driver_in_use(&b->t.root, &nvme, &b->e), 0);
	tree_folder(&b->t, HOME "/usb1/1-2/1-2:1.0/net/");
	assert_refused(b, CAUSE_BUSY, "1 of its network interfaces", "lsns -t net");
	b->trace.dry_run = true;
	assert_int_equal(bind_it(b, true), 0);
}

/* Another namespace's sysfs: eth0 of the function is down, eth1 and what is not the function's are up. */
static void interfaces_of_a_namespace(void **state)
{
	struct bench *b = *state;
	struct net_elsewhere n = { .total = 2 };
	_cleanup_fd_ int sysfs = -1;

	tree_text(&b->t, HOME "/net/eth0/flags", "0x1002\n");
	tree_link(&b->t, "sys/class/net/eth0",
		  "../../devices/pci0000:00/0000:00:04.0/0000:04:00.0/net/eth0");
	tree_text(&b->t, "sys/devices/pci0000:00/0000:00:04.0/0000:04:00.01/net/eth9/flags",
		  "0x1003\n");
	tree_link(&b->t, "sys/class/net/eth9",
		  "../../devices/pci0000:00/0000:00:04.0/0000:04:00.01/net/eth9");
	tree_text(&b->t, "sys/devices/virtual/net/lo/flags", "0x9\n");
	tree_link(&b->t, "sys/class/net/lo", "../../devices/virtual/net/lo");
	tree_text(&b->t, "sys/class/net/bonding_masters", "\n");
	sysfs = root_openf(&b->t.root, O_PATH, "sys");
	assert_true(sysfs >= 0);
	n.home = strdup("devices/pci0000:00/0000:00:04.0/0000:04:00.0");
	assert_int_equal(netns_look(&n, sysfs, "/proc/7/ns/net"), 0);
	assert_int_equal(n.found, 1);
	assert_null(n.up);

	/* one whose state cannot be read is none that was found */
	tree_folder(&b->t, HOME "/net/eth1/");
	tree_link(&b->t, "sys/class/net/eth1",
		  "../../devices/pci0000:00/0000:00:04.0/0000:04:00.0/net/eth1");
	n.found = 0;
	assert_int_equal(netns_look(&n, sysfs, "/proc/7/ns/net"), 0);
	assert_int_equal(n.found, 1);
	assert_null(n.up);

	tree_text(&b->t, HOME "/net/eth1/flags", "0x1003\n");
	assert_int_equal(netns_look(&n, sysfs, "/proc/7/ns/net"), 0);
	assert_string_equal(n.up, "eth1");
	assert_string_equal(n.where, "/proc/7/ns/net");
	net_elsewhere_free(&n);
}

/* A real namespace: its sysfs has its own lo, and no interface of a device; this thread stays where it is. */
static void sysfs_of_a_namespace(void **state)
{
	_cleanup_fd_ int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), there = -1,
			 sysfs = -1;
	struct stat before, after;

	(void)state;
	if (unshare(CLONE_NEWNET))
		skip(); /* not root */
	there = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	assert_int_equal(stat("/proc/thread-self/ns/net", &before), 0);
	sysfs = netns_sysfs(there);
	if (sysfs == -ENOSYS || sysfs == -EPERM)
		skip(); /* Linux before 5.2, a container */
	assert_true(sysfs >= 0);
	assert_int_equal(faccessat(sysfs, "class/net/lo/flags", F_OK, 0), 0);
	assert_true(faccessat(sysfs, "class/net/eth0", F_OK, 0) < 0);
	assert_int_equal(stat("/proc/thread-self/ns/net", &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	calls = 0;
	failing = 1;
	assert_int_equal(netns_sysfs(there), -ENOMEM);
	failing = 0;
}

/* With too few descriptors to look, a disk that is mounted does not pass for a free one. */
static void no_descriptors(void **state)
{
	struct bench *b = *state;
	int first = dup(0), refused = 0;
	struct rlimit rl, low;

	disk(b, "259:3", HOME "/nvme/nvme0/nvme0n1/nvme0n1p3");
	mounts(b, "23 22 259:3 / /home rw - ext4 /dev/nvme0n1p3 rw\n");
	close(first);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &rl), 0);
	for (int i = 0; i < 6; i++) {
		low = (struct rlimit){ .rlim_cur = (rlim_t)(first + i), .rlim_max = rl.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
		refused += driver_in_use(&b->t.root, &nvme, &b->e) < 0;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &rl), 0);
	}
	assert_int_equal(refused, 6);
	assert_int_equal(b->e.err, EBUSY);
}

static void put_up(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_UP };
	_cleanup_fd_ int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	copy_text(request.ifr_name, sizeof(request.ifr_name), name);
	assert_int_equal(ioctl(sock, SIOCSIFFLAGS, &request), 0);
}

/*
 * A real namespace, whose only interface stands for the function's: the
 * function is the folder of all virtual devices, and the folder "net" of the
 * tree has one that no reader of names sees.
 */
static void tour_of_a_namespace(void **state)
{
	_cleanup_fd_ int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), there = -1,
			 sysfs = -1;
	struct bench *b = *state;
	char full[PATH_MAX], target[64];
	struct net_elsewhere n;

	if (unshare(CLONE_NEWNET))
		skip(); /* not root */
	there = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	sysfs = netns_sysfs(there);
	if (sysfs < 0)
		skip();
	unlink(tree_path(&b->t, DEV, full));
	tree_link(&b->t, DEV, "../../../devices/virtual");
	tree_folder(&b->t, "sys/devices/virtual/net/.lo/");
	snprintf(target, sizeof(target), "/proc/%d/fd/%d", getpid(), there);

	/* a thread of a process: down, then up; another process has ended meanwhile */
	tree_folder(&b->t, "proc/102/");
	tree_folder(&b->t, "proc/100/task/100/");
	tree_link(&b->t, "proc/100/task/101/ns/net", target);
	assert_int_equal(netns_search(&b->t.root, &nvme, &n), 0);
	assert_int_equal(n.total, 1);
	assert_int_equal(n.visible, 0);
	assert_true(n.found >= 1);
	assert_null(n.up);
	assert_int_equal(n.error, 0);
	net_elsewhere_free(&n);
	assert_int_equal(setns(there, CLONE_NEWNET), 0);
	put_up("lo");
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	assert_int_equal(netns_search(&b->t.root, &nvme, &n), 0);
	assert_string_equal(n.up, "lo");
	assert_string_equal(n.where, "/proc/100/task/101/ns/net");
	net_elsewhere_free(&n);
	assert_never_free(
		b,
		"its network interface lo is up in another network namespace (/proc/100/task/101/ns/net)");
	assert_string_equal(b->e.hint,
			    "nsenter --net=/proc/100/task/101/ns/net ip link set down dev lo   "
			    "(bind 04:00.0 --force takes it all the same)");
	/* one that is seen here too counts once, and the look goes on */
	tree_folder(&b->t, "sys/devices/virtual/net/lo/");
	tree_folder(&b->t, "sys/devices/virtual/other/net/.lo/");
	assert_int_equal(netns_search(&b->t.root, &nvme, &n), 0);
	assert_int_equal(n.visible, 1);
	assert_int_equal(n.total, 3);
	assert_string_equal(n.up, "lo");
	net_elsewhere_free(&n);
	rmdir(tree_path(&b->t, "sys/devices/virtual/net/lo", full));

	/* one that has a name and no process */
	unlink(tree_path(&b->t, "proc/100/task/101/ns/net", full));
	tree_link(&b->t, "run/netns/a b", target);
	mounts(b, "40 22 0:4 mnt:[4026532288] /run/other rw - nsfs nsfs rw\n"
		  "41 22 0:4 net:[4026532289] /run/netns/a\\040b rw - nsfs nsfs rw\n");
	assert_int_equal(netns_search(&b->t.root, &nvme, &n), 0);
	assert_string_equal(n.up, "lo");
	assert_string_equal(n.where, "/run/netns/a b");
	net_elsewhere_free(&n);

	/* a file that is no namespace */
	unlink(tree_path(&b->t, "run/netns/a b", full));
	tree_text(&b->t, "run/netns/a b", "");
	assert_int_equal(netns_search(&b->t.root, &nvme, &n), 0);
	assert_int_equal(n.found, 0);
	assert_null(n.up);
	net_elsewhere_free(&n);
	rmdir(tree_path(&b->t, "sys/devices/virtual/other/net/.lo", full));
	rmdir(tree_path(&b->t, "sys/devices/virtual/other/net", full));
	assert_true(driver_in_use(&b->t.root, &nvme, &b->e) < 0);
	assert_non_null(strstr(b->e.message, "1 of its network interfaces may be up"));
}

static void boot_display(void **state)
{
	struct bench *b = *state;

	tree_text(&b->t, HOME "/boot_vga", "0\n");
	assert_int_equal(driver_in_use(&b->t.root, &nvme, &b->e), 0);
	tree_text(&b->t, HOME "/boot_vga", "1\n");
	assert_refused(b, CAUSE_BUSY, "display", "--force");
}

/* ---- what is remembered */

static void remembers(void **state)
{
	struct bench *b = *state;
	char name[64];
	struct stat st;
	char full[PATH_MAX];

	assert_int_equal(previous_load(&b->t.root, &nvme, name, sizeof(name)), -ENOENT);
	assert_int_equal(previous_save(&b->t.root, &nvme, "nvme"), 0);
	assert_int_equal(previous_load(&b->t.root, &nvme, name, sizeof(name)), 0);
	assert_string_equal(name, "nvme");
	assert_int_equal(stat(tree_path(&b->t, "run/msictl/former", full), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(tree_path(&b->t, "run/msictl", full), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	assert_int_equal(stat(tree_path(&b->t, FORMER, full), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(previous_save(&b->t.root, &nvme, ""), 0);
	assert_int_equal(previous_load(&b->t.root, &nvme, name, sizeof(name)), 0);
	assert_string_equal(name, "");
	previous_forget(&b->t.root, &nvme);
	assert_int_equal(previous_load(&b->t.root, &nvme, name, sizeof(name)), -ENOENT);
}

static void believes_only_names(void **state)
{
	static const char *const bad[] = {
		"",
		"nvme",
		"../nvme\n",
		"a/b\n",
		"..\n",
		".\n",
		"two words\n",
		"two\nlines\n",
		"esc\033\n",
		"\177\n",
		"a-name-that-is-longer-than-any-driver-of-a-pci-function-could-ever-be-in-linux\n",
	};
	struct bench *b = *state;
	char name[64];

	assert_int_equal(previous_save(&b->t.root, &nvme, "nvme"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		tree_text(&b->t, FORMER, bad[i]);
		assert_int_equal(previous_load(&b->t.root, &nvme, name, sizeof(name)), -EINVAL);
	}
	assert_int_equal(previous_save(&b->t.root, &nvme, "../x"), -EINVAL);
	/* all that can be printed, but blanks */
	assert_int_equal(previous_save(&b->t.root, &nvme, "!~"), 0);
	assert_int_equal(previous_load(&b->t.root, &nvme, name, sizeof(name)), 0);
	assert_string_equal(name, "!~");
}

static void believes_only_its_own(void **state)
{
	struct bench *b = *state;
	char full[PATH_MAX], name[64];

	assert_int_equal(previous_save(&b->t.root, &nvme, "nvme"), 0);
	assert_int_equal(chmod(tree_path(&b->t, FORMER, full), 0666), 0);
	assert_int_equal(previous_load(&b->t.root, &nvme, name, sizeof(name)), -EPERM);
	assert_int_equal(chmod(full, 0600), 0);
	assert_int_equal(chmod(tree_path(&b->t, "run/msictl/former", full), 0777), 0);
	assert_int_equal(previous_load(&b->t.root, &nvme, name, sizeof(name)), -EPERM);
	assert_int_equal(previous_save(&b->t.root, &nvme, "nvme"), -EPERM);
	assert_int_equal(chmod(full, 0700), 0);
	/* a link in its place is not followed, and one under the draft's name is not written through */
	unlink(tree_path(&b->t, FORMER, full));
	tree_text(&b->t, "victim", "nvme\n");
	tree_link(&b->t, FORMER, "../../../victim");
	assert_int_equal(previous_load(&b->t.root, &nvme, name, sizeof(name)), -ELOOP);
	tree_link(&b->t, FORMER ".new", "../../../victim");
	assert_int_equal(previous_save(&b->t.root, &nvme, "e1000e"), 0);
	assert_file(b, "victim", "nvme\n");
	assert_int_equal(previous_load(&b->t.root, &nvme, name, sizeof(name)), 0);
	assert_string_equal(name, "e1000e");
}

/* What lies below a function is not known without its folder: nothing is taken from the system then. */
static void folder_not_found(void **state)
{
	struct bench *b = *state;

	no_proc = true;
	assert_refused(b, CAUSE_FAILED, "the folder of 0000:04:00.0 in /sys cannot be found", "");
	no_proc = false;
	assert_int_equal(b->e.err, ENOENT);
}

/* What cannot be remembered is not bound: nobody would know what to give back. */
static void no_room_to_remember(void **state)
{
	struct bench *b = *state;
	struct rlimit before;

	no_room = true;
	assert_int_equal(previous_save(&b->t.root, &nvme, "nvme"), -ENOSPC);
	no_room = false;
	assert_int_equal(previous_save(&b->t.root, &nvme, "nvme"), 0);
	/* room for a part of the name, and for none of it: what was known stays, and nothing beside it */
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	for (rlim_t room = 0; room < 3; room++) {
		struct rlimit few = { .rlim_cur = room, .rlim_max = before.rlim_max };
		int rc;

		assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
		rc = previous_save(&b->t.root, &nvme, "xhci_hcd");
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
		assert_int_equal(rc, room ? -ENOSPC : -EFBIG);
		assert_file(b, FORMER, "nvme\n");
		assert_false(root_exists(&b->t.root, FORMER ".new"));
	}
}

/* Somebody who may not write to /sys is told as whom to run it. */
static void not_root(void **state)
{
	struct bench *b = *state;
	char path[PATH_MAX];

	if (geteuid())
		skip();
	assert_int_equal(chmod(b->t.dir, 0755), 0);
	assert_int_equal(previous_save(&b->t.root, &nvme, ""), 0);
	is_driven_by(b, "vfio-pci");
	assert_int_equal(seteuid(65534), 0);
	assert_true(unbind_it(b) < 0);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(b->e.cause, CAUSE_PERMISSION);
	assert_non_null(strstr(b->e.message, "driver_override cannot be written"));
	assert_string_equal(b->e.hint, "run it as root");
	/* a file that is in the way is no matter of rights */
	unlink(tree_path(&b->t, HOME "/driver_override", path));
	tree_folder(&b->t, HOME "/driver_override/");
	assert_true(unbind_it(b) < 0);
	assert_non_null(strstr(b->e.message, "driver_override cannot be written"));
	assert_string_equal(b->e.hint, "");
}

/* ---- unbind */

static void unbind_steps(void **state)
{
	struct bench *b = *state;

	is_driven_by(b, "vfio-pci");
	assert_int_equal(previous_save(&b->t.root, &nvme, "nvme"), 0);
	b->trace.dry_run = true;
	assert_int_equal(unbind_it(b), 0);
	assert_string_equal(b->lines,
			    "would: write(/" DEV "/driver_override: \\n)\n"
			    "would: write(/" DEV "/driver/unbind: 0000:04:00.0)\n"
			    "would: write(/sys/bus/pci/drivers/nvme/bind: 0000:04:00.0)\n");
	assert_string_equal(b->c.to, "nvme");
	assert_true(root_exists(&b->t.root, FORMER));
}

/* It had no driver: then it gets none. */
static void unbind_to_none(void **state)
{
	struct bench *b = *state;

	is_driven_by(b, "vfio-pci");
	assert_int_equal(previous_save(&b->t.root, &nvme, ""), 0);
	b->trace.dry_run = true;
	assert_int_equal(unbind_it(b), 0);
	assert_null(strstr(b->lines, "drivers_probe"));
	assert_null(strstr(b->lines, "/bind"));
}

/* What is not remembered, or not to be believed, is left to the kernel to choose. */
static void unbind_unknown_previous(void **state)
{
	struct bench *b = *state;

	is_driven_by(b, "vfio-pci");
	b->trace.dry_run = true;
	assert_int_equal(unbind_it(b), 0);
	assert_non_null(strstr(b->lines, "/sys/bus/pci/drivers_probe: 0000:04:00.0"));
	assert_string_equal(b->c.note, "");

	assert_int_equal(previous_save(&b->t.root, &nvme, "nvme"), 0);
	tree_text(&b->t, FORMER, "../../../x\n");
	assert_int_equal(unbind_it(b), 0);
	assert_non_null(strstr(b->lines, "/sys/bus/pci/drivers_probe: 0000:04:00.0"));
	assert_non_null(strstr(b->c.note, "not to be trusted"));
}

static void unbind_to_a_driver_that_is_gone(void **state)
{
	struct bench *b = *state;

	is_driven_by(b, "vfio-pci");
	assert_int_equal(previous_save(&b->t.root, &nvme, "gone"), 0);
	assert_true(unbind_it(b) < 0);
	assert_file(b, "sys/bus/pci/drivers_probe", "0000:04:00.0");
	/* kept for the next try */
	assert_true(root_exists(&b->t.root, FORMER));
}

static void unbind_what_is_not_bound(void **state)
{
	struct bench *b = *state;

	assert_int_equal(unbind_it(b), 0);
	assert_false(b->c.changed);
	assert_string_equal(b->c.to, "nvme");
	assert_file(b, HOME "/driver_override", "(null)\n");

	tree_text(&b->t, HOME "/driver_override", "vfio-pci\n");
	assert_int_equal(unbind_it(b), 0);
	assert_false(b->c.changed);
	assert_non_null(strstr(b->c.note, "driver_override"));
	/* a write to a plain file leaves what is behind it */
	assert_file(b, HOME "/driver_override", "\nfio-pci\n");
}

static void unbind_while_held(void **state)
{
	struct bench *b = *state;
	char full[PATH_MAX];

	is_driven_by(b, "vfio-pci");
	tree_text(&b->t, "proc/4711/comm", "qemu\033\n");
	/* another file of that name keeps nobody */
	tree_text(&b->t, "file/dev/vfio/9", "");
	tree_link(&b->t, "proc/4711/fd/12", tree_path(&b->t, "file/dev/vfio/9", full));
	assert_true(unbind_it(b) != -EBUSY);
	is_driven_by(b, "vfio-pci");
	tree_text(&b->t, HOME "/driver_override", "(null)\n");
	/* the node has the number of /dev/null here */
	tree_folder(&b->t, "sys/class/vfio/");
	tree_link(&b->t, "sys/devices/virtual/vfio/9/subsystem", "../../../../class/vfio");
	tree_link(&b->t, "sys/dev/char/1:3", "../../devices/virtual/vfio/9");
	tree_link(&b->t, "container/dev/vfio/9", "/dev/null");
	tree_link(&b->t, "proc/4711/fd/13", tree_path(&b->t, "container/dev/vfio/9", full));
	assert_int_equal(unbind_it(b), -EBUSY);
	assert_int_equal(b->e.cause, CAUSE_BUSY);
	assert_non_null(strstr(b->e.message, "pid 4711 (qemu\\x1b)"));
	assert_file(b, HOME "/driver_override", "(null)\n");
}

#define AT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT(dry_run_tells_the_steps),
		AT(failure_is_put_back),
		AT(bound_already),
		AT(node_missing),
		AT(no_groups),
		AT(noiommu_is_told),
		AT(another_member_blocks),
		AT(refusals),
		AT(captured_tree_is_refused),
		AT(no_such_function),
		AT(mounted_partition),
		AT(mounted_and_no_descriptors),
		AT(mounted_elsewhere),
		AT(mounted_through_layers),
		AT(mounted_partition_of_raid),
		AT(layers_of_a_deep_stack),
		AT(layers_in_a_circle),
		AT(mounted_multipath_nvme),
		AT(part_of_a_btrfs),
		AT(mounted_9p),
		AT(mounted_9p_of_long_names),
		AT(swap_space),
		AT(interface_up),
		AT(no_descriptors),
		AT(interface_in_another_namespace),
		AT(interfaces_of_a_namespace),
		AT(sysfs_of_a_namespace),
		AT(tour_of_a_namespace),
		AT(boot_display),
		AT(remembers),
		AT(believes_only_names),
		AT(believes_only_its_own),
		AT(unbind_steps),
		AT(unbind_to_none),
		AT(unbind_unknown_previous),
		AT(no_room_to_remember),
		AT(not_root),
		AT(folder_not_found),
		AT(unbind_to_a_driver_that_is_gone),
		AT(unbind_what_is_not_bound),
		AT(unbind_while_held),
	};

	return cmocka_run_group_tests_name("driver", tests, NULL, NULL);
}
