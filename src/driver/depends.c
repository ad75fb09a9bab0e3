// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether something that the system uses lies below a function: block devices, however many layers
 * are above it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/util.h"
#include "driver/internal.h"

/*
 * Layers of device mapper, RAID and caches above each other; a deeper stack is taken to lead to the
 * function.
 */
#define MAX_LAYERS 32

/* Block devices that one is followed to; a tangle of more is taken to lead to the function. */
#define MAX_LOOKS 4096

/* Bytes of a path to a block device; behind a longer one there is no room for "/../slaves/" and a name. */
#define MAX_PATH (PATH_MAX - NAME_MAX - 16)

static int real_path(const struct root *r, char buf[PATH_MAX], const char *path)
{
	_cleanup_fd_ int fd = root_openf(r, O_PATH, "%s", path);
	char self[48];
	ssize_t n;

	if (fd < 0)
		return fd;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, buf, PATH_MAX - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return 0;
}

int depend_note(struct dependency *b, int rc)
{
	if (root_unread(rc))
		b->error = rc;
	return rc;
}

bool depends_on(struct dependency *b, const char *path)
{
	size_t len = strlen(b->home);
	char real[PATH_MAX];

	return !depend_note(b, real_path(b->r, real, path)) && !strncmp(real, b->home, len) &&
	       (!real[len] || real[len] == '/');
}

/* Any link of the folder @path that begins with @prefix. */
static bool any_depends(struct dependency *b, const char *path, const char *prefix)
{
	_cleanup_root_dir_ struct root_dir *dir = root_opendir(b->r, "%s", path);
	struct dirent *entry;
	char link[PATH_MAX];

	while (dir && (entry = root_next(dir))) {
		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		snprintf(link, sizeof(link), "%s/%s", path, entry->d_name);
		if (depends_on(b, link))
			return true;
	}
	return false;
}

/*
 * With native multipath an NVMe disk is a child of its subsystem, which links
 * the controllers: drivers/nvme/host/core.c nvme_init_subsystem().
 */
static bool nvme_depends(struct dependency *b, const char *path)
{
	char real[PATH_MAX], up[PATH_MAX];

	if (depend_note(b, real_path(b->r, real, path)) || !strstr(real, "/nvme-subsystem/"))
		return false;
	/* of a disk, of a partition */
	snprintf(up, sizeof(up), "%s/..", path);
	if (any_depends(b, up, "nvme"))
		return true;
	snprintf(up, sizeof(up), "%s/../..", path);
	return any_depends(b, up, "nvme");
}

static bool block_depends(struct dependency *b, const char *path, int layers);

/* What a device mapper, RAID or cache device is made of. */
static bool slaves_depend(struct dependency *b, const char *path, int layers)
{
	_cleanup_root_dir_ struct root_dir *dir = root_opendir(b->r, "%s", path);
	struct dirent *entry;
	char slave[PATH_MAX];

	while (dir && (entry = root_next(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(slave, sizeof(slave), "%s/%s", path, entry->d_name);
		if (block_depends(b, slave, layers))
			return true;
	}
	return false;
}

/* @path: any path of the root that leads to a block device's folder in sysfs. */
static bool block_depends(struct dependency *b, const char *path, int layers)
{
	char slaves[PATH_MAX];

	/* A link that cannot be followed any further is no sign of a free function. */
	if (b->looks++ >= MAX_LOOKS || layers <= 0 || strlen(path) > MAX_PATH)
		return true;
	if (depends_on(b, path) || nvme_depends(b, path))
		return true;
	snprintf(slaves, sizeof(slaves), "%s/slaves", path);
	if (slaves_depend(b, slaves, layers - 1))
		return true;
	/* a partition's disk has them */
	if (!root_exists(b->r, "%s/partition", path))
		return false;
	snprintf(slaves, sizeof(slaves), "%s/../slaves", path);
	return slaves_depend(b, slaves, layers - 1);
}

bool device_depends(struct dependency *b, unsigned int major, unsigned int minor)
{
	char path[64];

	snprintf(path, sizeof(path), "sys/dev/block/%u:%u", major, minor);
	b->looks = 0;
	return block_depends(b, path, MAX_LAYERS);
}

/* A node such as /dev/dm-1; a path that is no block device carries nothing. */
bool node_depends(struct dependency *b, const char *node)
{
	_cleanup_fd_ int fd = root_openf(b->r, O_PATH, "%s", node);
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) && S_ISBLK(st.st_mode) &&
	       device_depends(b, major(st.st_rdev), minor(st.st_rdev));
}

int depend_begin(struct dependency *b, const struct root *r, const struct pci_addr *a)
{
	char bdf[PCI_ADDR_LEN], path[64];

	*b = (struct dependency){ .r = r };
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", pci_addr_full(a, bdf));
	return real_path(r, b->home, path);
}

bool devices_depend(struct dependency *b, const char *path)
{
	b->looks = 0;
	return slaves_depend(b, path, MAX_LAYERS);
}

bool disk_depends(struct dependency *b, const char *path)
{
	return depends_on(b, path) || nvme_depends(b, path);
}
