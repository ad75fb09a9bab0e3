/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which process has an IOMMU group or a VFIO device open, by the descriptors that /proc lists. */
#ifndef MSICTL_HOST_GROUP_HOLDER_H
#define MSICTL_HOST_GROUP_HOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "root/reader.h"

/* Who has /dev/vfio/N or a VFIO device open. */
struct group_holder {
	int pid; /* 0: nobody found (or not allowed to look) */
	uid_t uid;
	char comm[64]; /* the longest that proc_task_name() of fs/proc/array.c writes, and a NUL */
	/* the process runs msictl, by its executable file: any process may choose its comm */
	bool ours;
};

/**
 * group_holder() - scan /proc/PID/fd for the group's node; not by polling, once. 0, -ENOENT none,
 * or why some could not be looked at: as group_holders().
 */
int group_holder(const struct root *r, int group, struct group_holder *h);

/**
 * group_refuse() - "IOMMU group 8 is held by pid 12 (qemu)", with what to do about it. Always
 * -EBUSY.
 */
int group_refuse(int group, const struct group_holder *h, struct error *e);

struct group_use {
	int group;		/* -1: none, which nobody holds */
	struct group_holder by; /* told; pid 0: nobody found */
};

/**
 * group_holders() - the same of many groups in one walk
 * Returns: 0; -EACCES: processes of other users could not be looked at; another
 * -errno: out of descriptors or memory. What was found until then is told in any case.
 */
int group_holders(const struct root *r, struct group_use *use, size_t n);

#endif
