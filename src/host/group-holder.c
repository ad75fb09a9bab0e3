// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/group-holder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/util.h"
#include "host/function.h"

/* The descriptors of one process. */
struct scan {
	const struct root *r;
	const char *pid;
	int dir; /* /proc/PID/fd */
	/* -errno: out of descriptors or memory, so that what was not found may be there */
	int error;
};

static int note_error(struct scan *s, int rc)
{
	if (root_exhausted(rc))
		s->error = rc;
	return rc;
}

/*
 * The value of a line "KEY: VALUE" in /proc/PID/fdinfo/N. The kernel alone
 * writes this file, but any number of locks may precede the line.
 * Returns: the value, which the caller frees; NULL when there is none.
 */
static char *fdinfo_value(struct scan *s, const char *fd, const char *key)
{
	_cleanup_file_ FILE *f = root_stream(s->r, "proc/%s/fdinfo/%s", s->pid, fd);
	_cleanup_free_ char *line = NULL;
	size_t room = 0, len = strlen(key);

	if (!f)
		note_error(s, -errno);
	while (f && getline(&line, &room, f) > 0) {
		const char *value = line + len + 1;

		if (strncmp(line, key, len) != 0 || line[len] != ':')
			continue;
		value += strspn(value, " \t");
		return strndup(value, strcspn(value, "\n"));
	}
	return NULL;
}

/*
 * "vfio-device-syspath: /sys/devices/..." of a VFIO device's descriptor
 * (Documentation/filesystems/proc.rst).
 */
static int group_of_fdinfo(struct scan *s, const char *fd)
{
	_cleanup_free_ char *path = fdinfo_value(s, fd, "vfio-device-syspath");

	return path ? function_group(s->r, path) : -1;
}

/*
 * A descriptor made with O_PATH names a file and does not open the file: anybody may have such a
 * one. open(2)
 */
static bool names_only(struct scan *s, const char *fd)
{
	_cleanup_free_ char *text = fdinfo_value(s, fd, "flags");
	uint64_t flags;

	return text && !parse_u64(text, 8, UINT64_MAX, &flags) && flags & O_PATH;
}

/* "12", or "noiommu-12": the folder in /sys/class/vfio, and the node in /dev/vfio. */
static int group_of_word(const char *word)
{
	static const char unsafe[] = "noiommu-";
	uint64_t n;

	if (!strncmp(word, unsafe, strlen(unsafe)))
		word += strlen(unsafe);
	return parse_u64(word, 10, INT_MAX, &n) ? -1 : (int)n;
}

/*
 * The group that a character device belongs to: a group's own node, or that of one device (since
 * Linux 6.6).
 */
static int group_of_number(struct scan *s, unsigned int major, unsigned int minor)
{
	char word[64], class[64], path[64];

	snprintf(path, sizeof(path), "sys/dev/char/%u:%u", major, minor);
	if (note_error(s, root_link(s->r, class, sizeof(class), "%s/subsystem", path)) < 0)
		return -1;
	if (!strcmp(class, "vfio-dev")) {
		if (note_error(s, root_link(s->r, word, sizeof(word), "%s/device", path)) < 0)
			return -1;
		return function_group(s->r, word);
	}
	if (strcmp(class, "vfio") != 0 ||
	    note_error(s, root_link(s->r, word, sizeof(word), "%s", path)) < 0)
		return -1;
	return group_of_word(word);
}

/*
 * Any user can have a file of any name open, in a mount namespace of his own:
 * only the number of the character device tells. AT_STATX_DONT_SYNC: a file
 * system that its user serves (FUSE) is not asked, who might never answer.
 */
static int group_of_node(struct scan *s, const char *fd)
{
	struct statx st;
	int group;

	if (statx(s->dir, fd, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &st) < 0 ||
	    !S_ISCHR(st.stx_mode))
		return -1;
	group = group_of_number(s, st.stx_rdev_major, st.stx_rdev_minor);
	return group >= 0 && names_only(s, fd) ? -1 : group;
}

/* In a captured tree a descriptor is no more than the name of its file. */
static int group_of_name(const struct root *r, const char *target)
{
	static const char cdev[] = "/dev/vfio/devices/", node[] = "/dev/vfio/";
	char bdf[64];

	if (!strncmp(target, cdev, strlen(cdev)))
		return root_link(r, bdf, sizeof(bdf), "sys/class/vfio-dev/%s/device",
				 target + strlen(cdev)) < 0
			       ? -1
			       : function_group(r, bdf);
	return strncmp(target, node, strlen(node)) ? -1 : group_of_word(target + strlen(node));
}

/*
 * What a descriptor of a process is to VFIO: the group it belongs to, -1 when to none.
 * @target: what the link says. A file's begins with a slash, so that no file can pass for
 * an "anon_inode:" (proc(5)). Of files, those in a folder "vfio" alone are looked at,
 * because a stat of any file may wait for a server of NFS that is gone.
 */
static int group_of_fd(struct scan *s, const char *fd, const char *target)
{
	if (!strcmp(target, "anon_inode:[vfio-device]"))
		return group_of_fdinfo(s, fd);
	if (target[0] != '/' || !strstr(target, "/vfio/"))
		return -1;
	return s->r->live ? group_of_node(s, fd) : group_of_name(s->r, target);
}

/*
 * Whether the process runs this program: this very file, or one of that name
 * that only root can have put there (of a package that was upgraded since).
 */
static bool runs_msictl(const struct root *r, const char *pid, const char *comm)
{
	_cleanup_fd_ int fd = -1;
	struct stat other, self;
	char name[32];

	if (!r->live)
		return !strcmp(comm, "msictl");
	fd = root_openf(r, O_PATH, "proc/%s/exe", pid);
	if (fd < 0 || fstat(fd, &other))
		return false;
	if (!stat("/proc/self/exe", &self) && other.st_dev == self.st_dev &&
	    other.st_ino == self.st_ino)
		return true;
	return other.st_uid == 0 && !(other.st_mode & (S_IWGRP | S_IWOTH)) &&
	       root_link(r, name, sizeof(name), "proc/%s/exe", pid) > 0 &&
	       (!strcmp(name, "msictl") || !strcmp(name, "msictl (deleted)"));
}

static void read_holder(const struct root *r, const char *pid, unsigned int number,
			struct group_holder *h)
{
	_cleanup_fd_ int fd = root_openf(r, O_PATH, "proc/%s", pid);
	struct stat st;

	h->pid = (int)number;
	h->uid = fd >= 0 && fstat(fd, &st) == 0 ? st.st_uid : geteuid();
	root_text(r, h->comm, sizeof(h->comm), "proc/%s/comm", pid);
	h->ours = runs_msictl(r, pid, h->comm);
}

/*
 * A holder that was not known before is filled in.
 * Returns: how many; -EACCES: not ours to look at; -errno of root_exhausted().
 */
static int process_holds(const struct root *r, const char *pid, unsigned int number,
			 struct group_use *use, size_t n)
{
	_cleanup_root_dir_ struct root_dir *d = root_opendir(r, "proc/%s/fd", pid);
	struct scan s = { .r = r, .pid = pid };
	struct dirent *entry;
	int found = 0;

	if (!d)
		return errno == EACCES || errno == EPERM ? -EACCES
		       : root_exhausted(-errno)		 ? -errno
							 : 0;
	s.dir = root_dir_fd(d);
	while ((entry = root_next(d))) {
		char target[PATH_MAX];
		int group;

		if (root_dir_target(d, entry->d_name, target, sizeof(target)) <= 0)
			continue;
		group = group_of_fd(&s, entry->d_name, target);
		for (size_t i = 0; group >= 0 && i < n; i++) {
			if (use[i].group != group || use[i].by.pid)
				continue;
			read_holder(r, pid, number, &use[i].by);
			found++;
		}
	}
	return found ? found : s.error;
}

int group_holders(const struct root *r, struct group_use *use, size_t n)
{
	_cleanup_root_dir_ struct root_dir *d = root_opendir(r, "proc");
	unsigned int misses = root_misses(r);
	int unseen = 0, rc = 0;
	struct dirent *entry;
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		use[i].by = (struct group_holder){ 0 };
		left += use[i].group >= 0;
	}
	if (!d)
		return -errno;
	while (left && root_readdir(d, &entry, &rc)) {
		uint64_t pid;
		int found;

		if (parse_u64(entry->d_name, 10, INT_MAX, &pid))
			continue;
		found = process_holds(r, entry->d_name, (unsigned int)pid, use, n);
		/* that nothing can be seen says more than that something cannot */
		if (found < 0 && !root_exhausted(unseen))
			unseen = found;
		left -= found > 0 ? (size_t)found : 0;
	}
	rc = root_missed(r, misses);
	return rc ? rc : unseen;
}

int group_holder(const struct root *r, int group, struct group_holder *h)
{
	struct group_use use = { .group = group };
	int rc = group_holders(r, &use, 1);

	*h = use.by;
	if (h->pid)
		return 0;
	return rc ? rc : -ENOENT;
}

/* A virtual machine is nothing to kill, so no such command is offered. */
int group_refuse(int group, const struct group_holder *h, struct error *e)
{
	char comm[4 * sizeof(h->comm)];
	int rc = fail(e, CAUSE_BUSY, EBUSY, "IOMMU group %d is held by pid %d (%s)", group, h->pid,
		      escape_text(h->comm, comm, sizeof(comm)));

	/* release finds the holders of its own user. */
	if (h->ours && h->uid == geteuid())
		hint(e, "msictl holders   tells what is held; msictl release lets go of it");
	else if (h->ours && geteuid() == 0)
		hint(e,
		     "kill %d   ends msictl of uid %u, and restores the devices; msictl holders lists them",
		     h->pid, h->uid);
	else if (h->ours)
		hint(e, "ps -fp %d   shows the process, which belongs to uid %u", h->pid, h->uid);
	else
		hint(e,
		     "ps -fp %d   tells who that is: end it in its own way, a virtual machine by shutting it down",
		     h->pid);
	return rc;
}
