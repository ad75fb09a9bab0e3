// SPDX-License-Identifier: GPL-2.0-or-later
/* The files of a capture, which root/capture.c parsed. */
#include "root/internal.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/util.h"

static int captured(const struct root *r, const char *path, bool follow,
		    const struct capture_node **n)
{
	int rc = capture_find(r->capture, path, follow, n);

	return rc || (*n)->kind != CAPTURE_UNREAD ? rc : -(*n)->err;
}

static int captured_file(const struct root *r, const char *path, const struct capture_node **n)
{
	int rc = captured(r, path, true, n);

	return rc || (*n)->kind == CAPTURE_FILE ? rc : -EINVAL;
}

static int capture_open(const struct root *r, const char *path, int flags)
{
	(void)r;
	(void)path;
	(void)flags;
	return -EROFS;
}

/* What could not be read is there. */
static int capture_look(const struct root *r, const char *path)
{
	const struct capture_node *n;

	return capture_find(r->capture, path, true, &n);
}

static int capture_bytes(const struct root *r, const char *path, void *buf, size_t size)
{
	const struct capture_node *n;
	int rc = captured_file(r, path, &n);

	if (rc)
		return rc;
	if (size > INT_MAX)
		size = INT_MAX;
	if (size > n->size)
		size = n->size;
	memcpy(buf, n->bytes, size);
	return (int)size;
}

static int capture_dup(const struct root *r, const char *path, char **text)
{
	const struct capture_node *n;
	int rc = captured_file(r, path, &n);

	if (rc)
		return rc;
	if (n->size > ROOT_TEXT_MAX)
		return -EFBIG;
	*text = strndup(n->bytes, n->size);
	return *text ? 0 : -ENOMEM;
}

static int capture_stream(const struct root *r, const char *path, FILE **f)
{
	const struct capture_node *n;
	int rc = captured_file(r, path, &n);

	if (rc)
		return rc;
	/*
	 * it is only read; fmemopen(3) has no way to say that, and refuses 0 bytes in old libraries
	 */
	*f = n->size ? fmemopen((void *)(uintptr_t)n->bytes, n->size, "re")
		     : fopen("/dev/null", "re");
	return *f ? 0 : -errno;
}

static int capture_target(const struct root *r, const char *path, char *buf, size_t size)
{
	const struct capture_node *n;
	int rc = captured(r, path, false, &n);

	if (rc)
		return rc;
	if (n->kind != CAPTURE_LINK)
		return -EINVAL;
	copy_text(buf, size, n->bytes);
	return (int)strlen(buf);
}

static int capture_opendir(const struct root *r, const char *path, struct root_dir *dir)
{
	const struct capture_node *n;
	int rc = captured(r, path, true, &n);

	if (rc)
		return rc;
	if (n->kind != CAPTURE_FOLDER)
		return -ENOTDIR;
	dir->folder = n;
	dir->next = n->child;
	return 0;
}

static struct dirent *capture_next(struct root_dir *dir)
{
	if (!dir->next)
		return NULL;
	copy_text(dir->entry.d_name, sizeof(dir->entry.d_name), dir->next->name);
	dir->next = dir->next->next;
	return &dir->entry;
}

static int capture_dir_target(const struct root_dir *dir, const char *name, char *buf, size_t size)
{
	for (const struct capture_node *c = dir->folder->child; c; c = c->next)
		if (!strcmp(c->name, name) && c->kind == CAPTURE_LINK) {
			copy_text(buf, size, c->bytes);
			return (int)strlen(buf);
		}
	return -EINVAL;
}

const struct root_ops root_capture_ops = {
	.open = capture_open,
	.look = capture_look,
	.read = capture_bytes,
	.dup = capture_dup,
	.stream = capture_stream,
	.target = capture_target,
	.opendir = capture_opendir,
	.next = capture_next,
	.dir_target = capture_dir_target,
};
