/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of root/reader.h have in common; nobody else includes this. */
#ifndef MSICTL_ROOT_INTERNAL_H
#define MSICTL_ROOT_INTERNAL_H

#include <dirent.h>
#include <stddef.h>
#include <stdio.h>

#include "root/capture.h"
#include "root/reader.h"

struct root_misses {
	unsigned int n, told;
	int err;    /* of the last, positive */
	char *path; /* of the last; NULL: no memory for it */
};

/*
 * What the two kinds of roots have in common: a path below the root, without a
 * slash in front. 0 or more, or -errno.
 */
struct root_ops {
	int (*open)(const struct root *r, const char *path, int flags);
	int (*look)(const struct root *r, const char *path);
	int (*read)(const struct root *r, const char *path, void *buf, size_t size);
	/* -EFBIG above ROOT_TEXT_MAX */
	int (*dup)(const struct root *r, const char *path, char **text);
	int (*stream)(const struct root *r, const char *path, FILE **f);
	/* what a link says */
	int (*target)(const struct root *r, const char *path, char *buf, size_t size);
	int (*opendir)(const struct root *r, const char *path, struct root_dir *dir);
	/* NULL: no more, errno 0, or an error */
	struct dirent *(*next)(struct root_dir *dir);
	/* what a link in the folder says */
	int (*dir_target)(const struct root_dir *dir, const char *name, char *buf, size_t size);
};

/* root/folder.c, root/captured.c */
extern const struct root_ops root_folder_ops, root_capture_ops;

struct root_dir {
	const struct root *r;
	DIR *dir; /* NULL: of a capture */
	const struct capture_node *folder, *next;
	struct dirent entry; /* of a capture */
};

/** root_note() - keep @rc, what looking at @path came to, for root_missed(). Returns: @rc. */
int root_note(const struct root *r, const char *path, int rc);

#endif
