// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether taking a function from its driver would pull something from under the running system. */
#include "driver/bind.h"
#include "driver/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/util.h"
#include "host/function.h"

struct use {
	const struct root *r;
	const struct pci_addr *a;
	struct dependency below;
	char bdf[PCI_ADDR_LEN];
	struct error *e;
};

static int busy(struct use *u, const char *what, const char *where, const char *remedy)
{
	_cleanup_free_ char *clean = escape_text_dup(where);
	int rc;

	if (!clean)
		return fail_memory(u->e);
	rc = fail(u->e, CAUSE_BUSY, EBUSY, "%s%s%s", what, clean[0] ? " " : "", clean);
	hint(u->e, "%s%s%s   (bind %s --force takes it all the same)", remedy, clean[0] ? " " : "",
	     clean, u->bdf);
	return rc;
}

/*
 * The source of such a mount is a tag of the virtio device; one that does not tell its tag may be
 * it.
 */
static bool tag_depends(struct use *u, const char *driver, const char *tag)
{
	_cleanup_root_dir_ struct root_dir *dir =
		root_opendir(u->r, "sys/bus/virtio/drivers/%s", driver);
	struct dirent *entry;
	char path[PATH_MAX];

	while (dir && (entry = root_next(dir))) {
		_cleanup_free_ char *text = NULL;

		if (strncmp(entry->d_name, "virtio", 6) != 0)
			continue;
		snprintf(path, sizeof(path), "sys/bus/virtio/drivers/%s/%s", driver, entry->d_name);
		if ((root_text_dup(u->r, &text, "%s/mount_tag", path) <= 0 || !strcmp(text, tag)) &&
		    depends_on(&u->below, path))
			return true;
	}
	return false;
}

static bool mount_depends(struct use *u, const struct mount *m)
{
	/* net/9p/trans_virtio.c, fs/fuse/virtio_fs.c */
	static const struct {
		const char *type, *driver;
	} tagged[] = { { "9p", "9pnet_virtio" }, { "virtiofs", "virtiofs" } };
	char *colon = strchr(m->device, ':');
	uint64_t major, minor;

	if (!colon)
		return false;
	*colon = '\0';
	if (parse_u64(m->device, 10, UINT_MAX, &major) ||
	    parse_u64(colon + 1, 10, UINT_MAX, &minor))
		return false;
	if (major)
		return device_depends(&u->below, (unsigned int)major, (unsigned int)minor);
	/* file systems with a number of their own: btrfs, overlays, 9p, virtiofs */
	for (size_t i = 0; i < ARRAY_SIZE(tagged); i++)
		if (!strcmp(m->type, tagged[i].type))
			return tag_depends(u, tagged[i].driver, m->source);
	return m->source[0] == '/' && node_depends(&u->below, m->source);
}

static int check_mounts(struct use *u)
{
	_cleanup_file_ FILE *f = root_stream(u->r, "proc/self/mountinfo");
	_cleanup_free_ char *line = NULL;
	size_t room = 0;

	while (f && getline(&line, &room, f) > 0) {
		struct mount m;

		if (mount_parse(line, &m) && mount_depends(u, &m))
			return busy(u, "it carries the file system mounted on", m.point, "umount");
	}
	return 0;
}

/* All devices of a mounted btrfs, of which mountinfo names one. */
static int check_btrfs(struct use *u)
{
	_cleanup_root_dir_ struct root_dir *dir = root_opendir(u->r, "sys/fs/btrfs");
	struct dirent *entry;
	char path[PATH_MAX];

	while (dir && (entry = root_next(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "sys/fs/btrfs/%s/devices", entry->d_name);
		if (devices_depend(&u->below, path))
			return busy(u, "it carries a part of the mounted btrfs", entry->d_name,
				    "umount it first: btrfs");
	}
	return 0;
}

static int check_swaps(struct use *u)
{
	_cleanup_file_ FILE *f = root_stream(u->r, "proc/swaps");
	_cleanup_free_ char *line = NULL;
	size_t room = 0;

	while (f && getline(&line, &room, f) > 0) {
		line[strcspn(line, " \t\n")] = '\0';
		mount_unmangle(line);
		if (line[0] == '/' && node_depends(&u->below, line))
			return busy(u, "it carries the swap space", line, "swapoff");
	}
	return 0;
}

/* "sda", "cciss!c0d0": a slash of the node's name is written so in sysfs. */
static void node_name(char *node, size_t size, const char *word)
{
	snprintf(node, size, "/dev/%s", word);
	for (char *p = node; (p = strchr(p, '!'));)
		*p = '/';
}

/*
 * A disk that the kernel or a process has for itself can't be opened with
 * O_EXCL: open(2), block/bdev.c bd_may_claim(). A partition that is claimed
 * counts for its disk. A ZFS pool has no other mark outside its own tools.
 */
static bool claimed(struct use *u, const char *node)
{
	_cleanup_fd_ int fd = root_openf(u->r, O_PATH, "%s", node);
	_cleanup_fd_ int own = -1;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || !S_ISBLK(st.st_mode))
		return false;
	own = root_openf(u->r, O_RDONLY | O_EXCL, "%s", node);
	/* others, such as ENOMEDIUM, are the disk's answer */
	if (own == -EACCES || own == -EPERM)
		depend_note(&u->below, own);
	return own == -EBUSY;
}

static int check_claims(struct use *u)
{
	_cleanup_root_dir_ struct root_dir *dir = root_opendir(u->r, "sys/class/block");
	char path[PATH_MAX], node[sizeof("/dev/") + NAME_MAX];
	struct dirent *entry;

	while (dir && (entry = root_next(dir))) {
		if (entry->d_name[0] == '.' ||
		    root_exists(u->r, "sys/class/block/%s/partition", entry->d_name))
			continue;
		snprintf(path, sizeof(path), "sys/class/block/%s", entry->d_name);
		node_name(node, sizeof(node), entry->d_name);
		if (disk_depends(&u->below, path) && claimed(u, node))
			return busy(u, "a pool, an array or a process has claimed its disk", node,
				    "see zpool status, /proc/mdstat, fuser -v");
	}
	return 0;
}

static int check_interfaces(struct use *u)
{
	_cleanup_root_dir_ struct root_dir *dir = root_opendir(u->r, "sys/class/net");
	struct dirent *entry;
	char path[PATH_MAX];
	uint64_t flags;

	while (dir && (entry = root_next(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "sys/class/net/%s/device", entry->d_name);
		if (!depends_on(&u->below, path) ||
		    root_number(u->r, &flags, "sys/class/net/%s/flags", entry->d_name) ||
		    !(flags & IFF_UP))
			continue;
		return busy(u, "its network interface is up:", entry->d_name,
			    "ip link set down dev");
	}
	return 0;
}

/* A name that a shell takes as it is: whoever has the namespace has chosen the name. */
static bool is_plain(const char *name)
{
	return name[strspn(name,
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._")] ==
	       '\0';
}

static int up_elsewhere(struct use *u, const struct net_elsewhere *n)
{
	_cleanup_free_ char *name = escape_text_dup(n->up), *where = escape_text_dup(n->where);
	int rc;

	if (!name || !where)
		return fail_memory(u->e);
	rc = fail(u->e, CAUSE_BUSY, EBUSY,
		  "its network interface %s is up in another network namespace (%s)", name, where);
	if (is_plain(n->up))
		hint(u->e,
		     "nsenter --net=%s ip link set down dev %s   (bind %s --force takes it all the same)",
		     where, name, u->bdf);
	else
		hint(u->e, "nsenter --net=%s ip link   (bind %s --force takes it all the same)",
		     where, u->bdf);
	return rc;
}

/* Given to a container, an interface is in another network namespace, which /sys does not show. */
static int check_elsewhere(struct use *u)
{
	_cleanup_(net_elsewhere_free) struct net_elsewhere n;
	int rc = netns_search(u->r, u->a, &n);
	char why[16];

	if (rc)
		return fail(u->e, cause_of_errno(-rc), -rc,
			    "its network interfaces cannot be counted");
	if (n.up)
		return up_elsewhere(u, &n);
	if (n.total <= n.visible || n.found >= n.total)
		return 0;
	rc = fail(u->e, CAUSE_BUSY, EBUSY,
		  "%u of its network interfaces may be up in a network namespace that %s%s",
		  n.total - n.found,
		  n.error ? "cannot be looked at: " : "was not found: no process is in it",
		  n.error ? errno_name(-n.error, why) : "");
	hint(u->e, "lsns -t net   (bind %s --force takes it all the same)", u->bdf);
	return rc;
}

static int check_display(struct use *u, const struct function *f)
{
	return f->boot_vga ? busy(u, "it is the display that the machine booted with", "",
				  "use another display")
			   : 0;
}

int driver_in_use(const struct root *r, const struct pci_addr *a, struct error *e)
{
	static int (*const checks[])(struct use * u) = { check_mounts,	   check_btrfs,
							 check_swaps,	   check_claims,
							 check_interfaces, check_elsewhere };
	struct use u = { .r = r, .a = a, .e = e };
	unsigned int misses = root_misses(r);
	struct function f;
	int rc;

	pci_addr_full(a, u.bdf);
	rc = function_read(r, a, &f, e);
	if (rc)
		return rc;
	rc = depend_begin(&u.below, r, a);
	if (rc)
		return fail(e, cause_of_errno(-rc), -rc, "the folder of %s in /sys cannot be found",
			    u.bdf);
	pci_addr_short(a, u.bdf);
	rc = check_display(&u, &f);
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(checks); i++)
		rc = checks[i](&u);
	if (!u.below.error)
		u.below.error = root_missed(r, misses);
	if (rc || !u.below.error)
		return rc;
	rc = fail(e, cause_of_errno(-u.below.error), -u.below.error,
		  "whether the system uses the function cannot be seen");
	hint(e, "run it as root, and see ulimit -n   (bind %s --force takes it all the same)",
	     u.bdf);
	return rc;
}
