// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether taking a function from its driver would pull something from under the running system. */
#include "driver.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "function.h"
#include "util.h"

/* Layers of device mapper, RAID and caches above each other. */
#define MAX_LAYERS 8

/* Block devices that one mount is followed to; a tangle of more is taken to lead to the function. */
#define MAX_LOOKS 4096

struct use {
	const struct root *r;
	char bdf[PCI_ADDR_LEN];
	char home[PATH_MAX]; /* the function's own folder, without links */
	unsigned int looks;  /* of the mount at hand */
	struct error *e;
};

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int real_path(const struct root *r, char buf[PATH_MAX], const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int real_path(const struct root *r, char buf[PATH_MAX], const char *fmt, ...)
{
	_cleanup_fd_ int fd = -1;
	char path[PATH_MAX], self[48];
	va_list ap;
	ssize_t n;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= sizeof(path))
		return -ENAMETOOLONG;
	fd = root_openf(r, O_PATH, "%s", path);
	if (fd < 0)
		return fd;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, buf, PATH_MAX - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return 0;
}

/* Whether @path of the root leads to somewhere below the function. */
static bool lies_below(struct use *u, const char *path)
{
	size_t len = strlen(u->home);
	char real[PATH_MAX];

	return !real_path(u->r, real, "%s", path) && !strncmp(real, u->home, len) && (!real[len] || real[len] == '/');
}

/* Any link of the folder @path that begins with @prefix. */
static bool any_below(struct use *u, const char *path, const char *prefix)
{
	_cleanup_(close_dir) DIR *dir = root_opendir(u->r, "%s", path);
	struct dirent *entry;
	char link[PATH_MAX];

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		if (snprintf(link, sizeof(link), "%s/%s", path, entry->d_name) < (int)sizeof(link) &&
		    lies_below(u, link))
			return true;
	}
	return false;
}

/*
 * With native multipath an NVMe disk is a child of its subsystem, which links
 * the controllers: drivers/nvme/host/core.c nvme_init_subsystem().
 */
static bool nvme_below(struct use *u, const char *path)
{
	char real[PATH_MAX], up[PATH_MAX];

	if (real_path(u->r, real, "%s", path) || !strstr(real, "/nvme-subsystem/"))
		return false;
	for (int i = 1; i <= 2; i++) /* of a disk, of a partition */
		if (snprintf(up, sizeof(up), "%s/%s", path, i == 1 ? ".." : "../..") < (int)sizeof(up) &&
		    any_below(u, up, "nvme"))
			return true;
	return false;
}

static bool block_below(struct use *u, const char *path, int layers);

/* What a device mapper, RAID or cache device is made of. */
static bool slaves_below(struct use *u, const char *path, int layers)
{
	_cleanup_(close_dir) DIR *dir = root_opendir(u->r, "%s", path);
	struct dirent *entry;
	char slave[PATH_MAX];

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(slave, sizeof(slave), "%s/%s", path, entry->d_name) < (int)sizeof(slave) &&
		    block_below(u, slave, layers))
			return true;
	}
	return false;
}

/* @path: any path of the root that leads to a block device's folder in sysfs. */
static bool block_below(struct use *u, const char *path, int layers)
{
	char slaves[PATH_MAX];

	if (u->looks++ >= MAX_LOOKS || lies_below(u, path) || nvme_below(u, path))
		return true;
	if (layers <= 0)
		return false;
	if (snprintf(slaves, sizeof(slaves), "%s/slaves", path) < (int)sizeof(slaves) &&
	    slaves_below(u, slaves, layers - 1))
		return true;
	/* a partition's disk has them */
	return root_exists(u->r, "%s/partition", path) &&
	       snprintf(slaves, sizeof(slaves), "%s/../slaves", path) < (int)sizeof(slaves) &&
	       slaves_below(u, slaves, layers - 1);
}

static bool device_below(struct use *u, unsigned int major, unsigned int minor)
{
	char path[64];

	snprintf(path, sizeof(path), "sys/dev/block/%u:%u", major, minor);
	u->looks = 0;
	return block_below(u, path, MAX_LAYERS);
}

/* A node such as /dev/dm-1; a path that is no block device carries nothing. */
static bool node_below(struct use *u, const char *node)
{
	_cleanup_fd_ int fd = root_openf(u->r, O_PATH, "%s", node);
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) && S_ISBLK(st.st_mode) &&
	       device_below(u, major(st.st_rdev), minor(st.st_rdev));
}

/* Blanks in /proc/self/mountinfo and /proc/swaps are written as \040: fs/proc_namespace.c mangle(). */
static void unmangle(char *text)
{
	char *to = text;

	for (const char *p = text; *p; p++) {
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' && p[3] >= '0' &&
		    p[3] <= '7') {
			*to++ = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			p += 3;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
}

static int busy(struct use *u, const char *what, const char *where, const char *remedy)
{
	char clean[512];
	int rc;

	escape_text(where, clean, sizeof(clean));
	rc = fail(u->e, CAUSE_BUSY, EBUSY, "%s%s%s", what, clean[0] ? " " : "", clean);
	hint(u->e, "%s%s%s   (bind %s --force takes it all the same)", remedy, clean[0] ? " " : "", clean, u->bdf);
	return rc;
}

/* virtio's 9p: the source of the mount is the tag of the device (net/9p/trans_virtio.c). */
static bool tag_below(struct use *u, const char *tag)
{
	static const char drivers[] = "sys/bus/virtio/drivers/9pnet_virtio";
	_cleanup_(close_dir) DIR *dir = root_opendir(u->r, "%s", drivers);
	struct dirent *entry;
	char path[PATH_MAX], text[64];

	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "virtio", 6) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", drivers, entry->d_name);
		if (root_text(u->r, text, sizeof(text), "%s/mount_tag", path) > 0 && !strcmp(text, tag) &&
		    lies_below(u, path))
			return true;
	}
	return false;
}

struct mount {
	char *device, *point, *type, *source;
};

/* "36 35 98:0 /root /point options [more...] - type source options": proc(5). */
static bool mount_parse(char *line, struct mount *m)
{
	char *save = NULL, *word = strtok_r(line, " \n", &save);

	*m = (struct mount){ 0 };
	for (int i = 0; word && strcmp(word, "-") != 0; i++, word = strtok_r(NULL, " \n", &save)) {
		if (i == 2)
			m->device = word;
		else if (i == 4)
			m->point = word;
	}
	if (!word || !m->point)
		return false;
	m->type = strtok_r(NULL, " \n", &save);
	m->source = strtok_r(NULL, " \n", &save);
	if (!m->source)
		return false;
	unmangle(m->point);
	unmangle(m->source);
	return true;
}

static bool mount_below(struct use *u, const struct mount *m)
{
	char *colon = strchr(m->device, ':');
	uint64_t major, minor;

	if (!colon)
		return false;
	*colon = '\0';
	if (parse_u64(m->device, 10, UINT_MAX, &major) || parse_u64(colon + 1, 10, UINT_MAX, &minor))
		return false;
	if (major)
		return device_below(u, (unsigned int)major, (unsigned int)minor);
	/* file systems with a number of their own: btrfs, overlays, 9p */
	if (!strcmp(m->type, "9p"))
		return tag_below(u, m->source);
	return m->source[0] == '/' && node_below(u, m->source);
}

static int check_mounts(struct use *u)
{
	_cleanup_file_ FILE *f = root_stream(u->r, "proc/self/mountinfo");
	_cleanup_free_ char *line = NULL;
	size_t room = 0;

	while (f && getline(&line, &room, f) > 0) {
		struct mount m;

		if (mount_parse(line, &m) && mount_below(u, &m))
			return busy(u, "it carries the file system mounted on", m.point, "umount");
	}
	return 0;
}

/* All devices of a mounted btrfs, of which mountinfo names one. */
static int check_btrfs(struct use *u)
{
	_cleanup_(close_dir) DIR *dir = root_opendir(u->r, "sys/fs/btrfs");
	struct dirent *entry;
	char path[PATH_MAX];

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "sys/fs/btrfs/%s/devices", entry->d_name);
		u->looks = 0;
		if (slaves_below(u, path, MAX_LAYERS))
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
		unmangle(line);
		if (line[0] == '/' && node_below(u, line))
			return busy(u, "it carries the swap space", line, "swapoff");
	}
	return 0;
}

static int check_interfaces(struct use *u)
{
	_cleanup_(close_dir) DIR *dir = root_opendir(u->r, "sys/class/net");
	struct dirent *entry;
	char path[PATH_MAX];
	uint64_t flags;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "sys/class/net/%s/device", entry->d_name);
		if (!lies_below(u, path) || root_number(u->r, &flags, "sys/class/net/%s/flags", entry->d_name) ||
		    !(flags & IFF_UP))
			continue;
		return busy(u, "its network interface is up:", entry->d_name, "ip link set down dev");
	}
	return 0;
}

static int check_display(struct use *u, const struct function *f)
{
	return f->boot_vga ? busy(u, "it is the display that the machine booted with", "", "use another display") : 0;
}

int driver_in_use(const struct root *r, const struct pci_addr *a, struct error *e)
{
	static int (*const checks[])(struct use * u) = { check_mounts, check_btrfs, check_swaps, check_interfaces };
	struct use u = { .r = r, .e = e };
	struct function f;
	int rc;

	pci_addr_full(a, u.bdf);
	rc = function_read(r, a, &f, e);
	if (rc)
		return rc;
	rc = real_path(r, u.home, "sys/bus/pci/devices/%s", u.bdf);
	if (rc)
		return fail(e, cause_of_errno(-rc), -rc, "the folder of %s in /sys cannot be found", u.bdf);
	pci_addr_short(a, u.bdf);
	rc = check_display(&u, &f);
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(checks); i++)
		rc = checks[i](&u);
	return rc;
}
