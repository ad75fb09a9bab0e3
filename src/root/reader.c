// SPDX-License-Identifier: GPL-2.0-or-later
#include "root/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

static int refuse_root(const char *path, int err, struct error *e)
{
	fail(e, err == EACCES ? CAUSE_PERMISSION : CAUSE_FAILED, err, "cannot open %s as a root",
	     path);
	hint(e,
	     "name a capture, or the folder that holds the captured sys and proc: --root FILE or --root DIR");
	return -err;
}

/*
 * A pipe has no data before its writer opened it, and no end either: from here on it is waited for.
 */
static int open_capture(struct root *r, struct error *e)
{
	_cleanup_fd_ int fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return refuse_root(r->path, errno, e);
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
		return refuse_root(r->path, ENOTDIR, e);
	if (fcntl(fd, F_SETFL, O_RDONLY))
		return refuse_root(r->path, errno, e);
	return capture_load(fd, r->path, &r->capture, e);
}

int root_open(struct root *r, const char *path, struct error *e)
{
	struct stat here, slash;

	*r = (struct root){ .fd = -1, .path = path ? path : "/" };
	r->misses = calloc(1, sizeof(*r->misses));
	if (!r->misses)
		return fail_memory(e);
	r->fd = open(r->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->fd < 0) {
		int rc = errno == ENOTDIR ? open_capture(r, e) : refuse_root(r->path, errno, e);

		if (rc)
			root_close(r);
		return rc;
	}
	/* --root / is the running system, however it is spelt */
	r->live = !path || (!fstat(r->fd, &here) && !stat("/", &slash) &&
			    here.st_dev == slash.st_dev && here.st_ino == slash.st_ino);
	return 0;
}

void root_close(struct root *r)
{
	cleanup_fd(&r->fd);
	r->fd = -1;
	capture_free(r->capture);
	r->capture = NULL;
	if (r->misses)
		free(r->misses->path);
	free(r->misses);
	r->misses = NULL;
}

/* A path relative to the root; "/sys" and "sys" are the same. */
__attribute__((format(printf, 2, 0))) static int path_format(char path[PATH_MAX], const char *fmt,
							     va_list ap)
{
	int n = vsnprintf(path, PATH_MAX, fmt, ap);
	size_t lead;

	if (n < 0 || n >= PATH_MAX)
		return -ENAMETOOLONG;
	lead = strspn(path, "/");
	memmove(path, path + lead, strlen(path + lead) + 1);
	if (!path[0])
		copy_text(path, PATH_MAX, ".");
	return 0;
}

static const struct root_ops *ops_of(const struct root *r)
{
	return r->capture ? &root_capture_ops : &root_folder_ops;
}

#define FORMAT_PATH(path, fmt, rc)                      \
	do {                                            \
		va_list ap_;                            \
                                                        \
		va_start(ap_, fmt);                     \
		(rc) = path_format((path), (fmt), ap_); \
		va_end(ap_);                            \
	} while (0)

int root_openf(const struct root *r, int flags, const char *fmt, ...)
{
	char path[PATH_MAX];
	int rc;

	FORMAT_PATH(path, fmt, rc);
	if (rc)
		return rc;
	rc = ops_of(r)->open(r, path, flags);
	/* who opens it to read it tells himself why that is refused */
	return flags & O_PATH || root_exhausted(rc) ? root_note(r, path, rc) : rc;
}

int root_look(const struct root *r, const char *fmt, ...)
{
	char path[PATH_MAX];
	int rc;

	FORMAT_PATH(path, fmt, rc);
	return rc ? rc : root_note(r, path, ops_of(r)->look(r, path));
}

struct root_dir *root_opendir(const struct root *r, const char *fmt, ...)
{
	struct root_dir got = { .r = r }, *dir;
	char path[PATH_MAX];
	int rc;

	FORMAT_PATH(path, fmt, rc);
	if (!rc)
		rc = root_note(r, path, ops_of(r)->opendir(r, path, &got));
	if (rc) {
		errno = -rc;
		return NULL;
	}
	dir = malloc(sizeof(*dir));
	if (dir) {
		*dir = got;
		return dir;
	}
	if (got.dir)
		closedir(got.dir);
	root_note(r, path, -ENOMEM);
	errno = ENOMEM;
	return dir;
}

void root_closedir(struct root_dir *dir)
{
	if (dir && dir->dir)
		closedir(dir->dir);
	free(dir);
}

bool root_readdir(struct root_dir *dir, struct dirent **entry, int *rc)
{
	errno = 0;
	*entry = ops_of(dir->r)->next(dir);
	/* a folder that went meanwhile has no more entries */
	if (!*entry && !root_absent(-errno))
		*rc = root_note(dir->r, "sys or /proc", -errno);
	return *entry;
}

struct dirent *root_next(struct root_dir *dir)
{
	struct dirent *entry;
	int rc;

	root_readdir(dir, &entry, &rc);
	return entry;
}

int root_dir_fd(const struct root_dir *dir)
{
	return dir->dir ? dirfd(dir->dir) : -1;
}

int root_dir_target(const struct root_dir *dir, const char *name, char *buf, size_t size)
{
	return ops_of(dir->r)->dir_target(dir, name, buf, size);
}

FILE *root_stream(const struct root *r, const char *fmt, ...)
{
	char path[PATH_MAX];
	FILE *f = NULL;
	int rc;

	FORMAT_PATH(path, fmt, rc);
	if (!rc)
		rc = root_note(r, path, ops_of(r)->stream(r, path, &f));
	if (!rc)
		return f;
	errno = -rc;
	return NULL;
}

static int text_path(const struct root *r, const char *path, char *buf, size_t size)
{
	int n;

	if (!size)
		return -EINVAL;
	buf[0] = '\0';
	n = root_note(r, path, ops_of(r)->read(r, path, buf, size - 1));
	if (n < 0)
		return n;
	buf[n] = '\0';
	if (n && buf[n - 1] == '\n')
		buf[n - 1] = '\0';
	return (int)strlen(buf);
}

static int text_dup(const struct root *r, const char *path, char **text)
{
	int rc = root_note(r, path, ops_of(r)->dup(r, path, text));
	size_t n;

	if (rc)
		return rc;
	n = strlen(*text);
	if (n && (*text)[n - 1] == '\n')
		(*text)[--n] = '\0';
	return (int)n;
}

int root_text_dup(const struct root *r, char **text, const char *fmt, ...)
{
	char path[PATH_MAX];
	int rc;

	*text = NULL;
	FORMAT_PATH(path, fmt, rc);
	return rc ? rc : text_dup(r, path, text);
}

int root_read(const struct root *r, void *buf, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];
	int rc;

	FORMAT_PATH(path, fmt, rc);
	return rc ? rc : root_note(r, path, ops_of(r)->read(r, path, buf, size));
}

int root_text(const struct root *r, char *buf, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];
	int rc;

	FORMAT_PATH(path, fmt, rc);
	if (!rc)
		return text_path(r, path, buf, size);
	if (size)
		buf[0] = '\0';
	return rc;
}

int root_number(const struct root *r, uint64_t *value, const char *fmt, ...)
{
	char path[PATH_MAX], text[64];
	int rc;

	FORMAT_PATH(path, fmt, rc);
	if (!rc)
		rc = text_path(r, path, text, sizeof(text));
	return rc < 0 ? rc : parse_u64(text, 0, UINT64_MAX, value);
}

static int link_path(const struct root *r, const char *path, char *buf, size_t size)
{
	char target[PATH_MAX], *slash;
	int rc = root_note(r, path, ops_of(r)->target(r, path, target, sizeof(target)));

	if (rc < 0)
		return rc;
	/* a captured link that leads out of the tree, or nowhere, tells nothing */
	if (!r->live && root_note(r, path, ops_of(r)->look(r, path)))
		return -ENOENT;
	slash = strrchr(target, '/');
	copy_text(buf, size, slash ? slash + 1 : target);
	if (!buf[0] || !strcmp(buf, ".") || !strcmp(buf, "..")) {
		buf[0] = '\0';
		return -EINVAL;
	}
	return (int)strlen(buf);
}

int root_link(const struct root *r, char *buf, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];
	int rc;

	if (!size)
		return -EINVAL;
	buf[0] = '\0';
	FORMAT_PATH(path, fmt, rc);
	return rc ? rc : link_path(r, path, buf, size);
}

int root_target(const struct root *r, char *buf, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];
	int rc;

	if (!size)
		return -EINVAL;
	buf[0] = '\0';
	FORMAT_PATH(path, fmt, rc);
	return rc ? rc : root_note(r, path, ops_of(r)->target(r, path, buf, size));
}

bool root_exists(const struct root *r, const char *fmt, ...)
{
	char path[PATH_MAX];
	int rc;

	FORMAT_PATH(path, fmt, rc);
	return !rc && !root_note(r, path, ops_of(r)->look(r, path));
}

int root_write(const struct root *r, const char *text, const char *fmt, ...)
{
	_cleanup_fd_ int fd = -1;
	char path[PATH_MAX];
	size_t len = strlen(text);
	ssize_t n;
	int rc;

	if (!r->live)
		return -EROFS;
	FORMAT_PATH(path, fmt, rc);
	if (rc)
		return rc;
	fd = ops_of(r)->open(r, path, O_WRONLY);
	if (fd < 0)
		return fd;
	/* a store to sysfs is one write(2); half of it would be another text */
	n = write(fd, text, len);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}
