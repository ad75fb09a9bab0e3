/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What driver/bind.c is made of; nobody else includes this. */
#ifndef MSICTL_DRIVER_INTERNAL_H
#define MSICTL_DRIVER_INTERNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "host/pci.h"
#include "root/reader.h"

/*
 * driver/previous.c: which driver a function had, in /run/msictl/former/BDF.
 * The folder is root's alone, and what is read back is still only believed
 * when it can be a driver's name.
 */

/** previous_save() - @driver "" is remembered too: it had none. 0 or -errno. */
int previous_save(const struct root *r, const struct pci_addr *a, const char *driver);

/**
 * previous_load() - 0 and the name ("": none); -ENOENT: nothing is remembered; -EINVAL: no driver's
 * name; -EPERM: not ours.
 */
int previous_load(const struct root *r, const struct pci_addr *a, char *driver, size_t size);
void previous_forget(const struct root *r, const struct pci_addr *a);

/* driver/depends.c: what of the running system lies below a function */

struct dependency {
	const struct root *r;
	char home[PATH_MAX]; /* the function's own folder, without links */
	unsigned int looks;  /* at block devices, for the one at hand */
	/* -errno: something could not be looked at; what root_missed() knows is not in it */
	int error;
};

/** depend_note() - keep @rc as the error when root_unread() says so. Returns @rc. */
int depend_note(struct dependency *b, int rc);

/** depend_begin() - for the function @a. 0 or -errno. */
int depend_begin(struct dependency *b, const struct root *r, const struct pci_addr *a);

/* The functions that follow say no, and the error or root_missed() is set, when they could not look. */

/** depends_on() - whether @path of the root leads to the function's folder or into it. */
bool depends_on(struct dependency *b, const char *path);

/**
 * device_depends() - whether the block device, or anything that it is made of
 * (/sys/dev/block/MAJ:MIN/slaves), does.
 */
bool device_depends(struct dependency *b, unsigned int major, unsigned int minor);

/**
 * node_depends() - the same of a node such as /dev/dm-1; a path that is no block device carries
 * nothing.
 */
bool node_depends(struct dependency *b, const char *node);

/** devices_depend() - the same of any block device that the folder @path links. */
bool devices_depend(struct dependency *b, const char *path);

/**
 * disk_depends() - whether the block device's folder @path is the function's own, an NVMe multipath
 * disk included.
 */
bool disk_depends(struct dependency *b, const char *path);

/* driver/mount.c: a line of /proc/PID/mountinfo, which the texts are borrowed from */

struct mount {
	char *device; /* "MAJ:MIN" */
	char *root;   /* of the mount within its file system; a namespace's name */
	char *point, *type, *source;
};

/**
 * mount_unmangle() - turn "\\040" and the like in @text, a word of mountinfo or /proc/swaps, into
 * bytes, in place.
 */
void mount_unmangle(char *text);

/** mount_parse() - cuts @line up. Returns: false for a line of another form. */
bool mount_parse(char *line, struct mount *m);

/* driver/netns.c: a function's network interfaces, those of other network namespaces included */

struct net_elsewhere {
	unsigned int total;   /* in all namespaces */
	unsigned int visible; /* of them, in /sys */
	/* with a known state, in all namespaces that were looked at; none if all are visible */
	unsigned int found;
	char *up, *where; /* one that is up, and the file of its namespace; NULL: none was found */
	char *home;	  /* the function's folder in sysfs: "devices/pci0000:00/0000:03:00.0" */
	int error;	  /* -errno: why some namespace could not be looked at */
};

/**
 * netns_search() - count the interfaces; when /sys hides some, look for them in the namespaces
 * that processes are in (/proc/PID/task/TID/ns/net) and that are mounted (nsfs)
 * @n: for net_elsewhere_free(), after an error too
 * Returns: 0; -errno: the count is not known.
 */
int netns_search(const struct root *r, const struct pci_addr *a, struct net_elsewhere *n);
void net_elsewhere_free(struct net_elsewhere *n);

/**
 * netns_sysfs() - sysfs as a network namespace sees it, mounted nowhere (fsmount(2), since Linux
 * 5.2)
 * @netns: a descriptor of the namespace, borrowed
 * Returns: a descriptor, which the caller closes; -errno.
 */
int netns_sysfs(int netns);

/**
 * netns_look() - look for interfaces of the function @n->home; ends at the first that is up
 * @sysfs: of netns_sysfs()
 * @where: the namespace's file
 * Returns: 0 or -errno.
 */
int netns_look(struct net_elsewhere *n, int sysfs, const char *where);

/* driver/node.c */

/**
 * node_wait() - until /dev/vfio/N of the group is there
 * Returns: 0, -ETIMEDOUT, -errno.
 */
int node_wait(const struct root *r, int group, bool noiommu, uint64_t timeout_us);

#endif
