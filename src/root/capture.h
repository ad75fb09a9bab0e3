/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A capture: what msictl reads of /sys and /proc, as one text file. Its format is
 * msictl-capture(5). A capture is parsed whole into memory; what was parsed does not change.
 */
#ifndef MSICTL_ROOT_CAPTURE_H
#define MSICTL_ROOT_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* The first line of every capture; the number is that of the format. */
#define CAPTURE_MAGIC "msictl capture 1"
#define CAPTURE_END   "end"

/* Bounds of a reader; a writer keeps to them. */
#define CAPTURE_LINE_MAX (1u << 20) /* bytes of a line */
#define CAPTURE_MAX	 (1u << 28) /* bytes of a capture */
#define CAPTURE_HEX_MAX	 (1u << 20) /* bytes of a file that is written in hexadecimal */
#define CAPTURE_HEX_ALL	 (1u << 26) /* bytes of all such files together */
#define CAPTURE_ENTRIES	 (1u << 21)
#define CAPTURE_DEPTH	 64 /* folders in each other */

enum capture_kind {
	CAPTURE_FOLDER,
	CAPTURE_FILE,
	CAPTURE_LINK,
	CAPTURE_UNREAD, /* it was there, and could not be looked at */
};

struct capture_node {
	const struct capture_node *parent; /* of the root: itself */
	const struct capture_node *next;   /* in the same folder */
	/* CAPTURE_FOLDER: the first, in the order of the capture */
	const struct capture_node *child;
	const char *name;
	enum capture_kind kind;
	int err;	   /* CAPTURE_UNREAD: errno, positive */
	const char *bytes; /* CAPTURE_FILE, not terminated; CAPTURE_LINK: the target, terminated */
	size_t size;
	size_t line; /* where the capture names it; of a folder, where first */
};

struct capture;

/**
 * capture_parse() - a capture from its text
 * @text: allocated by malloc(3), with a byte of room behind @size; taken over, also on failure
 * @name: of the file, for messages; borrowed
 * Returns: 0; -ENOMEM; -EBADMSG when it is no capture or a damaged one: @e has the line.
 */
int capture_parse(char *text, size_t size, const char *name, struct capture **c, struct error *e);

/**
 * capture_load() - the same of a file that is open for reading: a regular file or a pipe. 0 or
 * -errno with @e.
 */
int capture_load(int fd, const char *name, struct capture **c, struct error *e);

void capture_free(struct capture *c);

/**
 * capture_find() - what is at a path
 * @path: below the root of the capture; links are followed inside of it, ".." of the root is the
 * root
 * @follow: whether a link as the last component is followed, too
 * @node: borrowed
 * Returns: 0, -ENOENT, -ENOTDIR, -ELOOP, -ENAMETOOLONG, or the errno of a folder that could not be
 * looked at.
 */
int capture_find(const struct capture *c, const char *path, bool follow,
		 const struct capture_node **node);

/**
 * capture_target_inside() - whether the link target @target, seen from a folder @depth below the
 * root, never leads above the root.
 */
bool capture_target_inside(int depth, const char *target);

#endif
