// SPDX-License-Identifier: GPL-2.0-or-later
/* What of the running system keeps a function from being taken: how mounts, swap spaces, disks and interfaces are
 * read. */
#include <dlfcn.h>
#include <errno.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "driver-bench.h"

#define DISK HOME "/nvme/nvme0/nvme0n1"
#define MINE "../../../../devices/pci0000:00/0000:00:04.0/0000:04:00.0" /* from sys/A/B/C */

/* What open(2) with O_EXCL says of a disk; 0: what the kernel says. How often it was asked. */
static int exclusive_errno;
static unsigned int asked;

static bool refuses(uint64_t flags)
{
	if (!(flags & O_EXCL) || flags & O_CREAT)
		return false;
	asked++;
	errno = exclusive_errno;
	return exclusive_errno;
}

long syscall(long nr, ...)
{
	long (*real)(long nr, ...) = dlsym(RTLD_NEXT, "syscall");
	long arg[6];
	va_list ap;

	va_start(ap, nr);
	for (size_t i = 0; i < ARRAY_SIZE(arg); i++)
		arg[i] = va_arg(ap, long);
	va_end(ap);
	if (nr == SYS_openat2 && refuses(((const struct open_how *)arg[2])->flags))
		return -1;
	return real(nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}

int openat(int dir, const char *path, int flags, ...)
{
	long (*real)(long nr, ...) = dlsym(RTLD_NEXT, "syscall");
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return refuses((uint64_t)flags) ? -1 : (int)real(SYS_openat, dir, path, flags, mode);
}

/* The @failing-th readdir(3) says EIO; 0: none does. */
static unsigned int calls, failing;

struct dirent *readdir(DIR *dir)
{
	struct dirent *(*real)(DIR * dir) = dlsym(RTLD_NEXT, "readdir64");

	if (++calls == failing) {
		errno = EIO;
		return NULL;
	}
	return real(dir);
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

static void carries(struct bench *b, const char *message, const char *hinted)
{
	char full[PATH_MAX];

	assert_int_equal(in_use(b), -EBUSY);
	assert_int_equal(b->e.cause, CAUSE_BUSY);
	assert_string_equal(b->e.message, message);
	snprintf(full, sizeof(full), "%s   (bind 04:00.0 --force takes it all the same)", hinted);
	assert_string_equal(b->e.hint, full);
}

/* ---- mounts */

/* Three digits behind a backslash are a byte, and nothing else is. */
static void words_of_mountinfo(void **state)
{
	static const struct {
		const char *written, *shown;
	} points[] = {
		{ "/a\\040b", "/a b" },	     { "/a\\054b", "/a,b" },   { "/\\101\\132", "/AZ" },
		{ "/\\176\\060", "/~0" },    { "/\\377", "/\\xff" },   { "/\\077", "/?" },
		{ "/\\400", "/\\\\400" },    { "/\\080", "/\\\\080" }, { "/\\008", "/\\\\008" },
		{ "/\\/00", "/\\\\/00" },    { "/\\0/0", "/\\\\0/0" }, { "/\\00/", "/\\\\00/" },
		{ "/\\", "/\\\\" },	     { "/\\0", "/\\\\0" },     { "/\\04", "/\\\\04" },
		{ "/\\134040", "/\\\\040" }, { "/x\\0401", "/x 1" },   { "/x101", "/x101" },
	};
	struct bench *b = *state;
	char line[256], message[256], hinted[256];

	disk(b, "259:10", DISK);
	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
		snprintf(line, sizeof(line), "23 22 259:10 / %s rw - xfs /dev/nvme0n1 rw\n",
			 points[i].written);
		mounts(b, line);
		snprintf(message, sizeof(message), "it carries the file system mounted on %s",
			 points[i].shown);
		snprintf(hinted, sizeof(hinted), "umount %s", points[i].shown);
		carries(b, message, hinted);
	}
}

/* A line that is none of proc(5) tells nothing. */
static void lines_of_mountinfo(void **state)
{
	static const char *const none[] = {
		"",
		"\n",
		"-\n",
		"23 22 259:10 / - xfs /dev/nvme0n1 rw\n",
		"23 22 259:10 - xfs /dev/nvme0n1 rw\n",
		"23 22 259:10 / /home rw\n",
		"23 22 259:10 / /home rw -\n",
		"23 22 259:10 / /home rw - xfs\n",
		"23 22 25910 / /home rw - xfs /dev/nvme0n1\n",
		"23 22 259: / /home rw - xfs /dev/nvme0n1\n",
		"23 22 :10 / /home rw - xfs /dev/nvme0n1\n",
		"23 22 0x103:10 / /home rw - xfs /dev/nvme0n1\n",
		"23 22 259:0xa / /home rw - xfs /dev/nvme0n1\n",
		"23 22 4294967555:10 / /home rw - xfs /dev/nvme0n1\n",
		"23 22 259:4294967306 / /home rw - xfs /dev/nvme0n1\n",
		"23 22 10:259 / /home rw - xfs /dev/nvme0n1\n",
		"22 259:10 / /home rw - xfs /dev/nvme0n1\n",
	};
	struct bench *b = *state;

	disk(b, "259:10", DISK);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		mounts(b, none[i]);
		is_free(b);
	}
	/* as many members of a mount's peer groups as there are, or none; options may be left out behind the source */
	mounts(b, "23 22 259:10 / /home rw - xfs /dev/nvme0n1\n");
	carries(b, "it carries the file system mounted on /home", "umount /home");
	mounts(b, "23 22 259:10 / /home rw shared:1 master:2 unbindable - xfs none rw\n");
	carries(b, "it carries the file system mounted on /home", "umount /home");
}

/* Some file systems have a number of their own: the source says what they are on. */
static void source_of_a_mount(void **state)
{
	struct bench *b = *state;
	char full[PATH_MAX];

	disk(b, "259:10", DISK);
	if (mknod(tree_path(&b->t, "dev/nvme 0", full), S_IFBLK | 0600, makedev(259, 10)))
		skip();
	mounts(b, "23 22 0:30 / /home rw - btrfs /dev/nvme\\0400 rw\n");
	carries(b, "it carries the file system mounted on /home", "umount /home");
	/* a name is no path */
	mounts(b, "23 22 0:30 / /home rw - tmpfs dev/nvme\\0400 rw\n");
	is_free(b);
	/* one with a number of a disk is not asked for its source */
	mounts(b, "23 22 8:1 / /home rw - ext4 /dev/nvme\\0400 rw\n");
	is_free(b);
}

static void tagged(const struct bench *b, const char *driver, const char *name, const char *tag)
{
	char path[128], target[128];

	snprintf(path, sizeof(path), "sys/bus/virtio/drivers/%s/%s", driver, name);
	snprintf(target, sizeof(target),
		 "../../../../devices/pci0000:00/0000:00:04.0/0000:04:00.0/%s", name);
	tree_link(&b->t, path, target);
	snprintf(path, sizeof(path), HOME "/%s/", name);
	tree_folder(&b->t, path);
	if (!tag)
		return;
	append(path, sizeof(path), "mount_tag");
	tree_text(&b->t, path, tag);
}

/* Each kind of mount has its driver, whose devices say their tags. */
static void tag_of_a_mount(void **state)
{
	static const struct {
		const char *type, *driver;
	} kinds[] = { { "9p", "9pnet_virtio" }, { "virtiofs", "virtiofs" } };
	struct bench *b = *state;
	char line[128], full[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		snprintf(line, sizeof(line), "23 22 0:30 / /share rw - %s share rw\n",
			 kinds[i].type);
		mounts(b, line);
		is_free(b);
		tagged(b, kinds[!i].driver, "virtio1", "share\n");
		is_free(b);
		tagged(b, kinds[i].driver, "virtio2", "o\n");
		is_free(b);
		/* what is no virtio device has no tag */
		tagged(b, kinds[i].driver, "module", NULL);
		is_free(b);
		tagged(b, kinds[i].driver, "virtio3", "share\n");
		carries(b, "it carries the file system mounted on /share", "umount /share");
		/* a driver that does not show the tag, or has none: it may be that one */
		tree_text(&b->t, HOME "/virtio3/mount_tag", "");
		carries(b, "it carries the file system mounted on /share", "umount /share");
		unlink(tree_path(&b->t, HOME "/virtio3/mount_tag", full));
		carries(b, "it carries the file system mounted on /share", "umount /share");
		teardown(state);
		setup(state);
	}
	/* another function's */
	tree_folder(&b->t, "sys/devices/pci0000:00/0000:00:05.0/virtio9/");
	tree_link(&b->t, "sys/bus/virtio/drivers/virtiofs/virtio9",
		  "../../../../devices/pci0000:00/0000:00:05.0/virtio9");
	mounts(b, line);
	is_free(b);
}

static void btrfs_by_name(void **state)
{
	struct bench *b = *state;
	char full[PATH_MAX];

	tree_folder(&b->t, DISK "/");
	/* the folder itself is no file system */
	tree_link(&b->t, "sys/fs/btrfs/devices/nvme0n1",
		  "../../../devices/pci0000:00/0000:00:04.0/0000:04:00.0/nvme/nvme0/nvme0n1");
	is_free(b);
	unlink(tree_path(&b->t, "sys/fs/btrfs/devices/nvme0n1", full));
	tree_link(&b->t, "sys/fs/btrfs/0f0f/devices/nvme0n1", MINE "/nvme/nvme0/nvme0n1");
	tree_link(&b->t, "sys/fs/btrfs/0e0e/devices/sda", "../../../../devices/sda");
	carries(b, "it carries a part of the mounted btrfs 0f0f", "umount it first: btrfs 0f0f");
}

/* ---- swap spaces */

static void lines_of_swaps(void **state)
{
	static const char *const used[] = {
		"/dev/swap\tpartition 100 0 -2\n",
		"/dev/swap partition 100 0 -2\n",
		"/dev/swap\n",
		"/dev/swap",
		"Filename Type\n/gone\t\tfile\n/dev/s\\167ap file\n",
	};
	static const char *const none[] = {
		"",
		"\n",
		"dev/swap partition 100 0 -2\n",
		" /dev/swap partition\n",
		"/dev/swap2\n",
		"/dev\n",
	};
	struct bench *b = *state;
	char full[PATH_MAX];

	disk(b, "259:10", DISK);
	if (mknod(tree_path(&b->t, "dev/swap", full), S_IFBLK | 0600, makedev(259, 10)))
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(used); i++) {
		tree_text(&b->t, "proc/swaps", used[i]);
		carries(b, "it carries the swap space /dev/swap", "swapoff /dev/swap");
	}
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		tree_text(&b->t, "proc/swaps", none[i]);
		is_free(b);
	}
}

/* ---- disks that something has for itself */

/* A disk of the function, and its node. */
static void claimable(const struct bench *b, const char *name, const char *node, mode_t kind)
{
	char path[PATH_MAX], target[PATH_MAX];

	snprintf(path, sizeof(path), HOME "/block/%s/", name);
	tree_folder(&b->t, path);
	snprintf(path, sizeof(path), "sys/class/block/%s", name);
	snprintf(target, sizeof(target),
		 "../../devices/pci0000:00/0000:00:04.0/0000:04:00.0/block/%s", name);
	tree_link(&b->t, path, target);
	/* no driver has this number: nothing is opened */
	if (mknod(tree_path(&b->t, node, path), kind | 0600, makedev(259, 0xfffff)))
		skip();
}

static void disk_is_claimed(void **state)
{
	struct bench *b = *state;

	claimable(b, "nvme0n1", "dev/nvme0n1", S_IFBLK);
	asked = 0;
	is_free(b);
	assert_int_equal(asked, 1);
	exclusive_errno = EBUSY;
	carries(b, "a pool, an array or a process has claimed its disk /dev/nvme0n1",
		"see zpool status, /proc/mdstat, fuser -v /dev/nvme0n1");
	/* the disk's own answers */
	exclusive_errno = ENOMEDIUM;
	is_free(b);
	exclusive_errno = EIO;
	is_free(b);
	exclusive_errno = 0;
}

/* Who may not open a disk does not know that nobody has claimed the disk. */
static void disk_cannot_be_opened(void **state)
{
	static const int err[] = { EACCES, EPERM, EMFILE, ENOMEM };
	struct bench *b = *state;

	claimable(b, "nvme0n1", "dev/nvme0n1", S_IFBLK);
	for (size_t i = 0; i < ARRAY_SIZE(err); i++) {
		exclusive_errno = err[i];
		assert_int_equal(in_use(b), -err[i]);
		assert_string_equal(b->e.message,
				    "whether the system uses the function cannot be seen");
		assert_string_equal(b->e.hint, "run it as root, and see ulimit -n   "
					       "(bind 04:00.0 --force takes it all the same)");
		assert_int_equal(b->e.cause, i < 2 ? CAUSE_PERMISSION : CAUSE_FAILED);
	}
	exclusive_errno = 0;
}

/* A slash of a node's name is an exclamation mark in sysfs. */
static void node_in_folders(void **state)
{
	struct bench *b = *state;

	claimable(b, "cciss!c0!d0", "dev/cciss/c0/d0", S_IFBLK);
	exclusive_errno = EBUSY;
	carries(b, "a pool, an array or a process has claimed its disk /dev/cciss/c0/d0",
		"see zpool status, /proc/mdstat, fuser -v /dev/cciss/c0/d0");
	exclusive_errno = 0;
}

/* Only disks of the function are asked, by nodes that are disks: not partitions, files, nor what has no node. */
static void disks_that_are_not_asked(void **state)
{
	struct bench *b = *state;

	exclusive_errno = EBUSY;
	asked = 0;
	claimable(b, "p1", "dev/p1", S_IFBLK);
	tree_text(&b->t, HOME "/block/p1/partition", "1\n");
	claimable(b, "file", "dev/file", S_IFREG);
	claimable(b, "char", "dev/char", S_IFCHR);
	claimable(b, "nodeless", "dev/elsewhere", S_IFBLK);
	tree_folder(&b->t, "sys/devices/virtual/block/dm-0/");
	tree_link(&b->t, "sys/class/block/dm-0", "../../devices/virtual/block/dm-0");
	mknod(tree_path(&b->t, "dev/dm-0", (char[PATH_MAX]){ 0 }), S_IFBLK | 0600,
	      makedev(259, 0xfffff));
	is_free(b);
	assert_int_equal(asked, 0);
	exclusive_errno = 0;
}

/* A disk with more than one path is the function's too. */
static void multipath_disk_is_claimed(void **state)
{
	struct bench *b = *state;
	char full[PATH_MAX];

	tree_folder(&b->t, HOME "/nvme/nvme0/");
	tree_folder(&b->t, "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/");
	tree_link(&b->t, "sys/class/block/nvme0n1",
		  "../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1");
	tree_link(&b->t, "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0",
		  "../../../pci0000:00/0000:00:04.0/0000:04:00.0/nvme/nvme0");
	if (mknod(tree_path(&b->t, "dev/nvme0n1", full), S_IFBLK | 0600, makedev(259, 0xfffff)))
		skip();
	is_free(b);
	exclusive_errno = EBUSY;
	carries(b, "a pool, an array or a process has claimed its disk /dev/nvme0n1",
		"see zpool status, /proc/mdstat, fuser -v /dev/nvme0n1");
	exclusive_errno = 0;
}

/* ---- interfaces */

static void interface(const struct bench *b, const char *name, const char *flags)
{
	char path[128], target[128];

	snprintf(path, sizeof(path), HOME "/net/%s/flags", name);
	if (flags)
		tree_text(&b->t, path, flags);
	snprintf(path, sizeof(path), HOME "/net/%s/device", name);
	tree_link(&b->t, path, "../..");
	snprintf(path, sizeof(path), "sys/class/net/%s", name);
	snprintf(target, sizeof(target),
		 "../../devices/pci0000:00/0000:00:04.0/0000:04:00.0/net/%s", name);
	tree_link(&b->t, path, target);
}

/* Only an interface of the function counts, and only one that is up. */
static void interfaces(void **state)
{
	struct bench *b = *state;
	char path[64];

	interface(b, "eth0", "0x1002\n");
	interface(b, "eth1", "none\n");
	interface(b, "eth2", NULL);
	for (int i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "sys/class/net/veth%d/flags", i);
		tree_text(&b->t, path, "0x1003\n");
	}
	is_free(b);
	interface(b, "eth3", "0x1\n");
	carries(b, "its network interface is up: eth3", "ip link set down dev eth3");
}

/* An interface, a disk, a slave or a tag that was not seen may be the one that the system uses. */
static void folders_that_cannot_be_listed(void **state)
{
	struct bench *b = *state;

	tagged(b, "virtiofs", "virtio1", "o\n");
	mounts(b, "23 22 0:30 / /share rw - virtiofs share rw\n23 22 254:0 / / rw - xfs / rw\n");
	disk(b, "254:0", "sys/devices/virtual/block/dm-0");
	tree_folder(&b->t, "sys/devices/virtual/block/dm-0/slaves/");
	tree_folder(&b->t, "sys/fs/btrfs/0f0f/devices/");
	tree_folder(&b->t, "sys/class/block/");
	tree_folder(&b->t, HOME "/net/");
	interface(b, "eth0", "0x1002\n");
	calls = 0;
	is_free(b);
	assert_true(calls > 10);
	for (unsigned int n = calls; n; n--) {
		failing = n;
		calls = 0;
		if (in_use(b) != -EIO)
			fail_msg("readdir %u of %u: %s", n, calls, b->e.message);
	}
	failing = 0;
}

/* The first screen of the machine is told before anything else. */
static void display(void **state)
{
	struct bench *b = *state;

	tree_text(&b->t, HOME "/boot_vga", "1\n");
	interface(b, "eth3", "0x1\n");
	carries(b, "it is the display that the machine booted with", "use another display");
}

#define AT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT(words_of_mountinfo),
		AT(lines_of_mountinfo),
		AT(source_of_a_mount),
		AT(tag_of_a_mount),
		AT(btrfs_by_name),
		AT(lines_of_swaps),
		AT(disk_is_claimed),
		AT(disk_cannot_be_opened),
		AT(node_in_folders),
		AT(disks_that_are_not_asked),
		AT(multipath_disk_is_claimed),
		AT(interfaces),
		AT(folders_that_cannot_be_listed),
		AT(display),
	};

	return cmocka_run_group_tests_name("driver-in-use", tests, NULL, NULL);
}
