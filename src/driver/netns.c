// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Network interfaces of a function in other network namespaces.
 *
 * /sys shows the interfaces of one namespace, that of who mounted /sys. But the
 * folder "net" of a device (get_device_parent() in drivers/base/core.c) is there
 * as long as the device has an interface in any namespace, and its link count is
 * two and one for each of them (fs/kernfs/dir.c kernfs_link_sibling()). So this
 * count tells how many are hidden, and another mount of sysfs shows them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/util.h"
#include "driver/internal.h"

/* Folders below each other; a USB network card behind hubs needs about ten. */
#define MAX_DEPTH 32

/* The next entry. NULL: no more, or *@rc is -errno. */
static struct dirent *sysfs_entry(DIR *dir, int *rc)
{
	struct dirent *entry;

	errno = 0;
	entry = readdir(dir);
	/* a folder that went meanwhile has no more entries */
	if (!entry && errno != ENOENT)
		*rc = -errno;
	return entry;
}

/* ---- how many there are */

/*
 * The folder "net" of a device. On a file system that counts no links an empty one still tells of
 * one interface.
 */
static int count_interfaces(int fd, struct net_elsewhere *n)
{
	_cleanup_dir_ DIR *dir = fdopendir(fd);
	unsigned int visible = 0, total;
	struct dirent *entry;
	struct stat st;
	int rc = 0;

	if (!dir) {
		rc = -errno;
		close(fd);
		return rc;
	}
	if (fstat(dirfd(dir), &st))
		return -errno;
	while ((entry = sysfs_entry(dir, &rc)))
		visible += entry->d_name[0] != '.';
	total = st.st_nlink > 2 ? (unsigned int)st.st_nlink - 2 : 1;
	n->visible += visible;
	n->total += total > visible ? total : visible;
	return rc;
}

/* @fd: a folder of sysfs, owned */
static int count_depends(int fd, int depth, struct net_elsewhere *n)
{
	_cleanup_dir_ DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	if (!dir) {
		rc = -errno;
		close(fd);
		return rc;
	}
	while (rc == 0 && (entry = sysfs_entry(dir, &rc))) {
		int child;

		if (entry->d_name[0] == '.' || entry->d_type != DT_DIR)
			continue;
		child = openat(dirfd(dir), entry->d_name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child < 0)
			rc = errno == ENOENT ? 0 : -errno;
		else if (!strcmp(entry->d_name, "net"))
			rc = count_interfaces(child, n);
		else if (depth)
			rc = count_depends(child, depth - 1, n);
		else
			close(child);
	}
	return rc;
}

/* ---- another namespace's sysfs */

struct visit {
	int netns; /* where to */
	int mount; /* what came of it: a descriptor or -errno */
};

static int mount_sysfs(void)
{
	_cleanup_fd_ int fs = fsopen("sysfs", FSOPEN_CLOEXEC);
	int fd;

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	/* attached to no folder: gone with its descriptor */
	fd = fsmount(fs, FSMOUNT_CLOEXEC,
		     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return fd < 0 ? -errno : fd;
}

static void *visit(void *arg)
{
	struct visit *v = arg;

	v->mount = setns(v->netns, CLONE_NEWNET) < 0 ? -errno : mount_sysfs();
	return NULL;
}

/*
 * A namespace is a thread's own (setns(2)): this thread stays where it is, whatever happens to the
 * other.
 */
int netns_sysfs(int netns)
{
	struct visit v = { .netns = netns };
	sigset_t all, before;
	pthread_t thread;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&thread, NULL, visit, &v);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err)
		return -err;
	pthread_join(thread, NULL);
	return v.mount;
}

/* ---- which of them are up */

static bool is_up(int class, const char *name, bool *known)
{
	_cleanup_fd_ int dir = openat(class, name, O_PATH | O_CLOEXEC), fd = -1;
	char text[32] = "";
	uint64_t flags = 0;
	ssize_t len;

	fd = dir < 0 ? -1 : openat(dir, "flags", O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (len > 0)
		text[strcspn(text, "\n")] = '\0';
	*known = len > 0 && !parse_u64(text, 0, UINT64_MAX, &flags);
	return flags & IFF_UP;
}

/* Links of sysfs are relative: "../../devices/pci0000:00/0000:03:00.0/net/eth0". */
static const char *from_devices(const char *target)
{
	while (!strncmp(target, "../", 3))
		target += 3;
	return target;
}

int netns_look(struct net_elsewhere *n, int sysfs, const char *where)
{
	int fd = openat(sysfs, "class/net", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	size_t home = strlen(n->home);
	struct dirent *entry;
	int rc = dir ? 0 : -errno;

	if (!dir) {
		cleanup_fd(&fd);
		return rc;
	}
	while (!n->up && (entry = sysfs_entry(dir, &rc))) {
		char target[PATH_MAX];
		ssize_t len = readlinkat(fd, entry->d_name, target, sizeof(target) - 1);
		bool up, known;

		if (len <= 0)
			continue;
		target[len] = '\0';
		if (strncmp(from_devices(target), n->home, home) != 0 ||
		    from_devices(target)[home] != '/')
			continue;
		up = is_up(fd, entry->d_name, &known);
		n->found += known;
		if (!up)
			continue;
		n->up = strdup(entry->d_name);
		n->where = strdup(where);
		if (!n->up || !n->where)
			return -ENOMEM;
	}
	return rc;
}

/* ---- all namespaces */

struct seen {
	dev_t dev;
	ino_t ino;
};

struct tour {
	const struct root *r;
	struct net_elsewhere *n;
	struct seen *seen; /* namespaces that were looked at */
	size_t nseen;
};

/* Returns: 1 new, 0 known, -errno */
static int remember_namespace(struct tour *t, const struct stat *st)
{
	struct seen *more;

	for (size_t i = 0; i < t->nseen; i++)
		if (t->seen[i].dev == st->st_dev && t->seen[i].ino == st->st_ino)
			return 0;
	more = reallocarray(t->seen, t->nseen + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	t->seen = more;
	t->seen[t->nseen++] = (struct seen){ st->st_dev, st->st_ino };
	return 1;
}

/* @path: below the root, of a namespace; whoever had it may be gone. */
static int tour_one(struct tour *t, const char *path)
{
	_cleanup_fd_ int netns = root_openf(t->r, O_RDONLY, "%s", path);
	_cleanup_fd_ int sysfs = -1;
	struct statfs fs;
	struct stat st;
	int rc;

	if (netns < 0)
		return root_absent(netns) ? 0 : netns;
	if (fstat(netns, &st) || fstatfs(netns, &fs))
		return -errno;
	if (fs.f_type != NSFS_MAGIC)
		return 0;
	rc = remember_namespace(t, &st);
	if (rc <= 0)
		return rc;
	sysfs = netns_sysfs(netns);
	return sysfs < 0 ? sysfs : netns_look(t->n, sysfs, path);
}

/* One that cannot be looked at does not keep us from the others. */
static void tour_path(struct tour *t, const char *path)
{
	int rc = t->n->up ? 0 : tour_one(t, path);

	if (rc)
		t->n->error = rc;
}

/*
 * Those that ip-netns(8) and container engines keep by a mount: "net:[4026532288]" as the mount's
 * root.
 */
static void tour_mounts(struct tour *t)
{
	_cleanup_file_ FILE *f = root_stream(t->r, "proc/self/mountinfo");
	_cleanup_free_ char *line = NULL;
	size_t room = 0;

	if (!f && root_unread(-errno))
		t->n->error = -errno;
	while (f && getline(&line, &room, f) > 0) {
		struct mount m;

		if (mount_parse(line, &m) && !strcmp(m.type, "nsfs") && !strncmp(m.root, "net:", 4))
			tour_path(t, m.point);
	}
}

static void tour_thread(struct tour *t, const char *pid, const char *tid)
{
	_cleanup_free_ char *path = NULL;
	int n;

	if (!strcmp(pid, tid))
		n = asprintf(&path, "/proc/%s/ns/net", pid);
	else
		n = asprintf(&path, "/proc/%s/task/%s/ns/net", pid, tid);
	if (n >= 0) {
		tour_path(t, path);
	} else {
		path = NULL;
		t->n->error = -ENOMEM;
	}
}

/* A thread may be in another namespace than its process. */
static void tour_threads(struct tour *t, const char *pid)
{
	_cleanup_root_dir_ struct root_dir *dir = root_opendir(t->r, "proc/%s/task", pid);
	struct dirent *entry;

	if (!dir && !root_absent(-errno))
		t->n->error = -errno;
	while (dir && (entry = root_next(dir)))
		if (entry->d_name[0] != '.')
			tour_thread(t, pid, entry->d_name);
}

static void tour_all(struct tour *t)
{
	_cleanup_root_dir_ struct root_dir *dir = NULL;
	struct dirent *entry;

	tour_mounts(t);
	dir = root_opendir(t->r, "proc");
	if (!dir)
		t->n->error = -errno;
	while (dir && !t->n->up && (entry = root_next(dir)))
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
			tour_threads(t, entry->d_name);
}

int netns_search(const struct root *r, const struct pci_addr *a, struct net_elsewhere *n)
{
	struct tour t = { .r = r, .n = n };
	char path[64], bdf[PCI_ADDR_LEN], target[PATH_MAX];
	ssize_t len;
	int fd, rc;

	*n = (struct net_elsewhere){ .total = 0 };
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", pci_addr_full(a, bdf));
	fd = root_openf(r, O_RDONLY | O_DIRECTORY, "%s", path);
	rc = fd < 0 ? fd : count_depends(fd, MAX_DEPTH, n);
	if (rc || n->total <= n->visible)
		return rc;
	len = readlinkat(r->fd, path, target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = '\0';
	n->home = strdup(from_devices(target));
	if (!n->home)
		return -ENOMEM;
	tour_all(&t);
	free(t.seen);
	return 0;
}

void net_elsewhere_free(struct net_elsewhere *n)
{
	free(n->home);
	free(n->up);
	free(n->where);
	*n = (struct net_elsewhere){ .total = 0 };
}
