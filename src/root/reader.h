/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every file in /sys and /proc is reached through a root, so that --root DIR
 * reads a captured tree and --root FILE a capture in one text file. Links cannot
 * lead out of it (openat2 RESOLVE_IN_ROOT), and what is no regular file is never
 * waited for.
 */
#ifndef MSICTL_ROOT_READER_H
#define MSICTL_ROOT_READER_H

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

struct capture;
struct root_misses;

struct root {
	int fd;			 /* O_PATH directory, owned; -1 of a capture */
	struct capture *capture; /* owned; NULL: a folder is read */
	const char *path;	 /* as the user wrote it; "/" for the running system */
	bool live;		 /* the running system: devices may be opened */
	/* what could not be looked at, owned; a copy of the root shares it */
	struct root_misses *misses;
};

/**
 * root_open() - @path NULL means "/"; a folder, or a capture (a regular file or a pipe). -errno
 * with a sentence in @e.
 */
int root_open(struct root *r, const char *path, struct error *e);
void root_close(struct root *r);

/*
 * A file that could not be looked at may be there. Each function below returns
 * that, and notes it: who draws a conclusion from what is absent asks whether
 * something was missed meanwhile. Not noted is the lack of permission to look
 * into another user's process or into debugfs, which is no failure.
 */

/** root_misses() - how many looks have failed so far: where root_missed() begins. */
unsigned int root_misses(const struct root *r);

/**
 * root_missed() - 0: all could be looked at since @since; else -errno of the last that could not.
 */
int root_missed(const struct root *r, unsigned int since);

/**
 * root_fail_missed() - the sentence on it: which file, why, and what helps. Always -errno; what was
 * missed so far is told with that, and root_missed() says no more of it.
 */
int root_fail_missed(const struct root *r, struct error *e);

/** root_forgive() - what was missed so far needs no word any more: another failure was told. */
void root_forgive(const struct root *r);

/**
 * root_openf() - open a path below the root, O_NONBLOCK|O_CLOEXEC added. Returns fd or -errno;
 * -EROFS for a capture, which has no files of its own: root_look() asks what is there.
 */
int root_openf(const struct root *r, int flags, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * root_absent() - whether @rc, of one of these functions, says that the file or what is behind it
 * is not there.
 */
bool root_absent(int rc);

/**
 * root_unread() - whether @rc says that the file could not be looked at, be it there or not: no
 * descriptor, no memory, no permission, a broken disk. A file of another kind than was wanted tells
 * nothing, which is neither.
 */
bool root_unread(int rc);

/**
 * root_exhausted() - whether @rc says that no file can be looked at: out of descriptors or memory.
 */
bool root_exhausted(int rc);

/** root_look() - whether a path can be looked up: 0 or -errno. Links are followed. */
int root_look(const struct root *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* An open folder. */
struct root_dir;

/** root_opendir() - NULL with errno set when there is none. The caller closes it. */
struct root_dir *root_opendir(const struct root *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void root_closedir(struct root_dir *dir);

static inline void cleanup_root_dir(struct root_dir **dir)
{
	root_closedir(*dir);
}

#define _cleanup_root_dir_ __attribute__((cleanup(cleanup_root_dir)))

/**
 * root_readdir() - the next entry of a folder, of which the name alone is set. False: no more, or
 * *@rc is -errno, which is noted.
 */
bool root_readdir(struct root_dir *dir, struct dirent **entry, int *rc);

/** root_next() - the same; NULL: no more, or root_missed() tells why not. */
struct dirent *root_next(struct root_dir *dir);

/** root_dir_fd() - the descriptor of a folder, owned by it; -1 of a capture's. */
int root_dir_fd(const struct root_dir *dir);

/** root_dir_target() - the text of a link in a folder, terminated. Returns length or -errno. */
int root_dir_target(const struct root_dir *dir, const char *name, char *buf, size_t size);

/**
 * root_stream() - a regular file to be read line by line; NULL with errno set. The caller closes
 * it.
 */
FILE *root_stream(const struct root *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * root_read() - up to @size bytes of a regular file
 * Returns: bytes read or -errno (-EINVAL: no regular file).
 */
int root_read(const struct root *r, void *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/**
 * root_text() - like root_read(), terminated, the last newline cut off. Returns length or -errno.
 */
int root_text(const struct root *r, char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * The longest text that root_text_dup() takes: a captured tree may hold files of any size. An
 * attribute of sysfs has a page at most, the largest page of Linux has 64 KiB, and a CPU list of
 * all 8192 CPUs of CONFIG_NR_CPUS 40 KiB.
 */
#define ROOT_TEXT_MAX 65536u

/**
 * root_text_dup() - like root_text(), however long the text is
 * @text: the caller frees *@text; NULL after a failure
 * Returns: length or -errno (-EFBIG: longer than ROOT_TEXT_MAX; -ENOMEM).
 */
int root_text_dup(const struct root *r, char **text, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Room for what root_link() returns: a name in a folder has at most NAME_MAX bytes
 * (linux/limits.h), and one that is longer cannot be looked up: path_resolution(7), ENAMETOOLONG.
 * Names of drivers are such: /sys/bus/pci/drivers/NAME.
 */
#define ROOT_NAME (NAME_MAX + 1)

/* The same after escape_text(): each byte may become \xNN. */
#define ROOT_NAME_ESCAPED (4 * NAME_MAX + 1)

/** root_number() - a file that holds one number (decimal or 0x). 0 or -errno. */
int root_number(const struct root *r, uint64_t *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * root_link() - the last component of a symbolic link's target, as for .../driver. In a captured
 * tree the target must be there too. Returns length or -errno.
 */
int root_link(const struct root *r, char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/**
 * root_target() - the whole target of a symbolic link, as it says it. Returns length or -errno
 * (-EINVAL: no link).
 */
int root_target(const struct root *r, char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/** root_exists() - whether the path can be looked up. */
bool root_exists(const struct root *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * root_write() - write a short text to a file of the running system; refused (-EROFS) for a
 * captured tree. 0 or -errno.
 */
int root_write(const struct root *r, const char *text, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
