// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A function's interfaces in network namespaces that are made up: a file of the tree stands for a namespace, and says
 * which folder of the tree is its sysfs. test-driver.c has a real one.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "driver-bench.h"

#define NET HOME "/net"

static struct bench *bench;
static char visited[64];	/* the sysfs of the namespace that was entered last */
static unsigned int entered;	/* how many were */
static const char *broken = ""; /* the call that fails, or the file that cannot be opened */
static int broken_errno;

static bool breaks(const char *what)
{
	errno = broken_errno;
	return !strcmp(what, broken);
}

int setns(int fd, int type)
{
	sigset_t now;

	assert_int_equal(type, CLONE_NEWNET);
	/* this thread takes no signal that is meant for another */
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &now), 0);
	assert_true(sigismember(&now, SIGTERM) && sigismember(&now, SIGINT));
	memset(visited, 0, sizeof(visited));
	assert_true(pread(fd, visited, sizeof(visited) - 1, 0) > 0);
	entered++;
	return breaks("setns") || breaks(visited) ? -1 : 0;
}

int fsopen(const char *name, unsigned int flags)
{
	assert_string_equal(name, "sysfs");
	assert_int_equal(flags, FSOPEN_CLOEXEC);
	return breaks("fsopen") ? -1 : dup(STDIN_FILENO);
}

int fsconfig(int fd, unsigned int command, const char *key, const void *value, int aux)
{
	assert_true(fd > STDERR_FILENO && command == FSCONFIG_CMD_CREATE && !key && !value && !aux);
	return breaks("fsconfig") ? -1 : 0;
}

int fsmount(int fd, unsigned int flags, unsigned int attributes)
{
	assert_true(fd > STDERR_FILENO);
	assert_int_equal(flags, FSMOUNT_CLOEXEC);
	assert_int_equal(attributes, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					     MOUNT_ATTR_NOEXEC);
	return breaks("fsmount") ? -1
				 : root_openf(&bench->t.root, O_PATH | O_DIRECTORY, "%s", visited);
}

int fstatfs(int fd, struct statfs *fs)
{
	char text[8] = "";

	if (breaks("fstatfs"))
		return -1;
	assert_true(pread(fd, text, sizeof(text) - 1, 0) >= 0);
	*fs = (struct statfs){ .f_type = strncmp(text, "ns/", 3) ? TMPFS_MAGIC : NSFS_MAGIC };
	return 0;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *arg)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
		dlsym(RTLD_NEXT, "pthread_create");

	return breaks("pthread_create") ? EAGAIN : real(thread, attr, start, arg);
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
	if (nr == SYS_openat2) {
		const char *path = (const char *)arg[1];

		if (breaks(path + (path[0] == '/')))
			return -1;
	}
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
	return breaks(path) ? -1 : (int)real(SYS_openat, dir, path, flags, mode);
}

static int begin(void **state)
{
	int rc = setup(state);

	bench = *state;
	broken = "";
	entered = 0;
	tree_folder(&bench->t, "proc/");
	return rc;
}

/* Names that no reader sees, each a folder: as many interfaces that are elsewhere. */
static void hide(const struct bench *b, int n)
{
	char path[128];

	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), NET "/.%d/", i);
		tree_folder(&b->t, path);
	}
}

/* In the namespace "ns/@ns" the function has an interface. */
static void interface(const struct bench *b, const char *ns, const char *name, const char *flags)
{
	char path[PATH_MAX], target[PATH_MAX];

	snprintf(path, sizeof(path), "ns/%s/class/net/%s", ns, name);
	snprintf(target, sizeof(target),
		 "../../devices/pci0000:00/0000:00:04.0/0000:04:00.0/net/%s", name);
	tree_link(&b->t, path, target);
	snprintf(path, sizeof(path),
		 "ns/%s/devices/pci0000:00/0000:00:04.0/0000:04:00.0/net/%s/flags", ns, name);
	tree_text(&b->t, path, flags);
}

/* The thread @task ("PID" or "PID/task/TID") is in "ns/@ns". */
static void lives(const struct bench *b, const char *task, const char *ns)
{
	char path[128], text[64];
	int pid, tid;

	if (sscanf(task, "%d/task/%d", &pid, &tid) == 1) {
		snprintf(path, sizeof(path), "proc/%s/task/%s/", task, task);
		tree_folder(&b->t, path);
	}
	snprintf(path, sizeof(path), "proc/%s/ns/net", task);
	snprintf(text, sizeof(text), "ns/%s", ns);
	tree_text(&b->t, path, text);
}

static void is_up(struct bench *b, const char *name, const char *where)
{
	struct net_elsewhere n;

	assert_int_equal(netns_search(&b->t.root, &nvme, &n), 0);
	assert_non_null(n.up);
	assert_string_equal(n.up, name);
	assert_string_equal(n.where, where);
	net_elsewhere_free(&n);
	assert_null(n.up);
}

/* None is up, as far as is known. */
static void finds(struct bench *b, unsigned int total, unsigned int found, int error)
{
	struct net_elsewhere n;

	assert_int_equal(netns_search(&b->t.root, &nvme, &n), 0);
	assert_null(n.up);
	assert_int_equal(n.total, total);
	assert_int_equal(n.found, found);
	assert_int_equal(n.error, error);
	net_elsewhere_free(&n);
}

static void says(struct bench *b, const char *message, const char *hinted)
{
	b->e = (struct error){ 0 };
	assert_int_equal(driver_in_use(&b->t.root, &nvme, &b->e), -EBUSY);
	assert_string_equal(b->e.message, message);
	assert_string_equal(b->e.hint, hinted);
}

/* ---- how many there are */

static void counts(void **state)
{
	struct bench *b = *state;
	struct net_elsewhere n;

	finds(b, 0, 0, 0);
	/* the folder alone tells of one; what is a link, or has a dot, leads to no other */
	tree_folder(&b->t, NET "/");
	tree_folder(&b->t, "sys/other/net/");
	tree_link(&b->t, HOME "/another", "../../../../other");
	tree_folder(&b->t, HOME "/.hidden/net/");
	finds(b, 1, 0, 0);
	hide(b, 1);
	finds(b, 1, 0, 0);
	hide(b, 2);
	finds(b, 2, 0, 0);
	hide(b, 5);
	finds(b, 5, 0, 0);
	/* one that is seen, a folder or not, is none of the others */
	tree_folder(&b->t, NET "/eth0/");
	assert_int_equal(netns_search(&b->t.root, &nvme, &n), 0);
	assert_int_equal(n.visible, 1);
	assert_int_equal(n.total, 6);
	net_elsewhere_free(&n);
	for (char name[] = NET "/filea"; name[sizeof(name) - 2] < 'h'; name[sizeof(name) - 2]++)
		tree_text(&b->t, name, "");
	tree_folder(&b->t, HOME "/usb1/net/eth1/");
	assert_int_equal(netns_search(&b->t.root, &nvme, &n), 0);
	assert_int_equal(n.visible, 9);
	assert_int_equal(n.total, 9);
	/* all are seen: no namespace was asked, and where the function is does not matter */
	assert_null(n.home);
	net_elsewhere_free(&n);
}

/* 32 folders below each other are looked through. */
static void deep_folders(void **state)
{
	struct bench *b = *state;
	char path[PATH_MAX] = HOME;

	for (int i = 1; i <= 33; i++)
		append(path, sizeof(path), "/d");
	append(path, sizeof(path), "/net/");
	tree_folder(&b->t, path);
	finds(b, 0, 0, 0);
	memcpy(path + strlen(path) - strlen("/d/net/"), "/net/", sizeof("/net/"));
	tree_folder(&b->t, path);
	finds(b, 1, 0, 0);
}

/* A folder may go while it is looked at; one that cannot be opened is not an empty one. */
static void folders_that_do_not_open(void **state)
{
	struct bench *b = *state;
	struct net_elsewhere n;

	tree_folder(&b->t, HOME "/a/net/");
	tree_folder(&b->t, HOME "/gone/net/");
	tree_folder(&b->t, HOME "/z/net/");
	finds(b, 3, 0, 0);
	broken = "gone";
	broken_errno = ENOENT;
	finds(b, 2, 0, 0);
	broken_errno = EACCES;
	assert_int_equal(netns_search(&b->t.root, &nvme, &n), -EACCES);
	net_elsewhere_free(&n);
	assert_int_equal(driver_in_use(&b->t.root, &nvme, &b->e), -EACCES);
	assert_string_equal(b->e.message, "its network interfaces cannot be counted");
	assert_int_equal(b->e.cause, CAUSE_PERMISSION);
}

/* A function without a link has no place in another sysfs. */
static void function_is_no_link(void **state)
{
	struct bench *b = *state;
	struct net_elsewhere n;
	char path[PATH_MAX];

	unlink(tree_path(&b->t, DEV, path));
	tree_folder(&b->t, DEV "/net/");
	assert_int_equal(netns_search(&b->t.root, &nvme, &n), -EINVAL);
	net_elsewhere_free(&n);
}

/* ---- another namespace's sysfs */

static void mounts_that_fail(void **state)
{
	static const struct {
		const char *call;
		int err;
	} calls[] = { { "setns", EPERM },
		      { "fsopen", ENODEV },
		      { "fsconfig", EPERM },
		      { "fsmount", ENOMEM } };
	struct bench *b = *state;
	sigset_t mine, now;
	int fd, ns;

	sigemptyset(&mine);
	sigaddset(&mine, SIGUSR2);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, &mine, NULL), 0);
	lives(b, "100", "a");
	tree_folder(&b->t, "ns/a/");
	ns = root_openf(&b->t.root, O_RDONLY, "proc/100/ns/net");
	assert_true(ns >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		broken = calls[i].call;
		broken_errno = calls[i].err;
		assert_int_equal(netns_sysfs(ns), -calls[i].err);
	}
	broken = "pthread_create";
	assert_int_equal(netns_sysfs(ns), -EAGAIN);
	broken = "";
	fd = netns_sysfs(ns);
	assert_true(fd > STDERR_FILENO);
	close(fd);
	close(ns);
	/* signals come as before */
	assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &mine, &now), 0);
	assert_true(sigismember(&now, SIGUSR2));
	assert_false(sigismember(&now, SIGTERM));
}

/* ---- which are up */

static void states(void **state)
{
	static const struct {
		const char *flags;
		bool up, known;
	} cases[] = {
		{ "0x1002\n", false, true },   { "0x1003\n", true, true },
		{ "0x1003", true, true },      { "0x1\n", true, true },
		{ "0x0\n", false, true },      { "4099\n", true, true },
		{ "", false, false },	       { "\n", false, false },
		{ "up\n", false, false },      { "1\n2\n", true, true },
		{ "0x1003 \n", false, false }, { "0x00000000000000000000000001003", true, true },
	};
	struct bench *b = *state;

	hide(b, 1);
	lives(b, "7", "a");
	interface(b, "a", "eth0", "");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		tree_text(&b->t, "ns/a/devices/pci0000:00/0000:00:04.0/0000:04:00.0/net/eth0/flags",
			  cases[i].flags);
		if (cases[i].up)
			is_up(b, "eth0", "/proc/7/ns/net");
		else
			finds(b, 1, cases[i].known, 0);
	}
}

/* A namespace without network interfaces in its sysfs cannot be looked at. */
static void sysfs_without_interfaces(void **state)
{
	struct bench *b = *state;

	hide(b, 1);
	lives(b, "100", "a");
	tree_folder(&b->t, "ns/a/");
	finds(b, 1, 0, -ENOENT);
	says(b,
	     "1 of its network interfaces may be up in a network namespace that cannot be looked at: ENOENT",
	     "lsns -t net   (bind 04:00.0 --force takes it all the same)");
}

/* ---- all namespaces */

static void two_namespaces(void **state)
{
	struct bench *b = *state;
	char from[PATH_MAX], to[PATH_MAX];

	hide(b, 3);
	lives(b, "100", "a");
	lives(b, "999", "b");
	interface(b, "a", "eth0", "0x1002\n");
	interface(b, "b", "eth1", "0x1002\n");
	finds(b, 3, 2, 0);
	assert_int_equal(entered, 2);
	says(b,
	     "1 of its network interfaces may be up in a network namespace that was not found: no process is "
	     "in it",
	     "lsns -t net   (bind 04:00.0 --force takes it all the same)");
	interface(b, "b", "eth2", "0x1002\n");
	finds(b, 3, 3, 0);
	assert_int_equal(driver_in_use(&b->t.root, &nvme, &b->e), 0);
	/* a second process of a namespace, and one that ends */
	tree_folder(&b->t, "proc/200/task/200/");
	tree_folder(&b->t, "proc/200/ns/");
	assert_int_equal(link(tree_path(&b->t, "proc/100/ns/net", from),
			      tree_path(&b->t, "proc/200/ns/net", to)),
			 0);
	tree_folder(&b->t, "proc/300/task/300/");
	tree_folder(&b->t, "proc/400/");
	entered = 0;
	finds(b, 3, 3, 0);
	assert_int_equal(entered, 2);
	/* up: the namespace is told, whichever is asked first */
	tree_text(&b->t, "ns/b/devices/pci0000:00/0000:00:04.0/0000:04:00.0/net/eth1/flags",
		  "0x1003\n");
	is_up(b, "eth1", "/proc/999/ns/net");
	says(b, "its network interface eth1 is up in another network namespace (/proc/999/ns/net)",
	     "nsenter --net=/proc/999/ns/net ip link set down dev eth1   (bind 04:00.0 --force takes it all "
	     "the same)");
}

/* A namespace that cannot be looked at keeps nobody from the others, and is no empty one. */
static void one_is_closed(void **state)
{
	static const struct {
		const char *what;
		int err;
	} closed[] = {
		{ "ns/a", EPERM },
		{ "proc/100/ns/net", EACCES },
		{ "proc/100/task", EMFILE },
		{ "proc/self/mountinfo", EACCES },
	};
	struct bench *b = *state;
	char message[128], why[16];

	hide(b, 2);
	lives(b, "100", "a");
	lives(b, "200", "b");
	mounts(b, "");
	interface(b, "a", "eth0", "0x1002\n");
	interface(b, "b", "eth1", "0x1002\n");
	for (size_t i = 0; i < ARRAY_SIZE(closed); i++) {
		broken = closed[i].what;
		broken_errno = closed[i].err;
		finds(b, 2, i < 3 ? 1 : 2, -closed[i].err);
		if (i == 0) {
			snprintf(
				message, sizeof(message),
				"1 of its network interfaces may be up in a network namespace that cannot be "
				"looked at: %s",
				errno_name(closed[i].err, why));
			says(b, message,
			     "lsns -t net   (bind 04:00.0 --force takes it all the same)");
		}
	}
	broken = "fstatfs";
	broken_errno = EIO;
	finds(b, 2, 0, -EIO);
	broken = "proc";
	broken_errno = EACCES;
	finds(b, 2, 0, -EACCES);
	/* the others are looked at all the same */
	tree_text(&b->t, "ns/b/devices/pci0000:00/0000:00:04.0/0000:04:00.0/net/eth1/flags",
		  "0x1003\n");
	broken = "ns/a";
	is_up(b, "eth1", "/proc/200/ns/net");
}

/* Threads have namespaces of their own; what is no thread, and no process, has none. */
static void threads(void **state)
{
	struct bench *b = *state;

	hide(b, 1);
	interface(b, "a", "eth0", "0x1003\n");
	interface(b, "b", "eth0", "0x1002\n");
	lives(b, "100", "b");
	lives(b, "100/task", "a");
	lives(b, "self", "a");
	tree_folder(&b->t, "proc/self/task/self/");
	lives(b, ":1", "a");
	tree_folder(&b->t, "proc/:1/task/:1/");
	/* a file that is none: it was a namespace before */
	lives(b, "300", "a");
	tree_text(&b->t, "proc/300/ns/net", "no namespace");
	finds(b, 1, 1, 0);
	lives(b, "100/task/107", "a");
	is_up(b, "eth0", "/proc/100/task/107/ns/net");
}

/* Namespaces that are kept by a mount: of those alone that have interfaces. */
static void kept_by_a_mount(void **state)
{
	struct bench *b = *state;

	hide(b, 1);
	interface(b, "a", "eth0", "0x1003\n");
	tree_text(&b->t, "run/netns/a", "ns/a");
	mounts(b, "40 22 0:4 mnt:[4026532288] /run/netns/a rw - nsfs nsfs rw\n"
		  "41 22 0:4 net:[4026532289] /run/netns/a rw - tmpfs nsfs rw\n"
		  "nonsense\n");
	finds(b, 1, 0, 0);
	mounts(b, "nonsense\n41 22 0:4 net:[4026532289] /run/netns/a rw - nsfs nsfs rw\n");
	is_up(b, "eth0", "/run/netns/a");
	/* found: no process is asked any more */
	interface(b, "b", "eth1", "0x1003\n");
	lives(b, "100", "b");
	entered = 0;
	is_up(b, "eth0", "/run/netns/a");
	assert_int_equal(entered, 1);
}

/* Whoever has a namespace has chosen the name: one that a shell would not take as it is is not in a command. */
static void names_in_commands(void **state)
{
	static const char *const plain[] = { "eth0", "A_z.9Z", "wlp3s0", ".eth" };
	static const char *const odd[] = { "a-b", "a b", "a;b", "$x", "a`b" };
	struct bench *b = *state;
	char path[PATH_MAX];

	hide(b, 1);
	lives(b, "100", "a");
	for (size_t i = 0; i < ARRAY_SIZE(plain) + ARRAY_SIZE(odd); i++) {
		bool takes = i < ARRAY_SIZE(plain);
		const char *name = takes ? plain[i] : odd[i - ARRAY_SIZE(plain)];

		interface(b, "a", name, "0x1003\n");
		assert_int_equal(driver_in_use(&b->t.root, &nvme, &b->e), -EBUSY);
		assert_non_null(strstr(b->e.message, name));
		if (takes)
			snprintf(
				path, sizeof(path),
				"nsenter --net=/proc/100/ns/net ip link set down dev %s   (bind 04:00.0 "
				"--force takes it all the same)",
				name);
		else
			snprintf(
				path, sizeof(path),
				"nsenter --net=/proc/100/ns/net ip link   (bind 04:00.0 --force takes it all "
				"the same)");
		assert_string_equal(b->e.hint, path);
		snprintf(path, sizeof(path), "%s/ns/a/class/net/%s", b->t.dir, name);
		assert_int_equal(unlink(path), 0);
	}
}

#define AT(test) cmocka_unit_test_setup_teardown(test, begin, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT(counts),
		AT(deep_folders),
		AT(folders_that_do_not_open),
		AT(function_is_no_link),
		AT(mounts_that_fail),
		AT(states),
		AT(sysfs_without_interfaces),
		AT(two_namespaces),
		AT(one_is_closed),
		AT(threads),
		AT(kept_by_a_mount),
		AT(names_in_commands),
	};

	return cmocka_run_group_tests_name("driver-netns", tests, NULL, NULL);
}
