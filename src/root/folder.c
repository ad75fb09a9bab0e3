// SPDX-License-Identifier: GPL-2.0-or-later
/* The running system, or a tree that was captured: a folder with sys and proc. */
#include "root/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"

#define FOLLOW_MAX 40 /* MAXSYMLINKS of linux/namei.h */

/*
 * The way that openat2() takes, for kernels before 5.6 and for sandboxes that
 * do not know the call: @done is a path below the root without any link in it,
 * @todo what is still to be looked up.
 */
struct walk {
	char done[PATH_MAX], todo[PATH_MAX];
	unsigned int followed;
	bool keep_last; /* O_NOFOLLOW: a link as the last component is meant itself */
};

static void walk_up(struct walk *w)
{
	char *slash = strrchr(w->done, '/');

	*(slash ? slash : w->done) = '\0';
}

/* Puts a link's target in front of what is left. */
static int walk_follow(struct walk *w, const char *target)
{
	char rest[PATH_MAX];
	int n;

	if (++w->followed > FOLLOW_MAX)
		return -ELOOP;
	if (target[0] == '/')
		w->done[0] = '\0';
	else
		walk_up(w);
	copy_text(rest, sizeof(rest), w->todo);
	n = snprintf(w->todo, sizeof(w->todo), "%s/%s", target, rest);
	return (size_t)n < sizeof(w->todo) ? 0 : -ENAMETOOLONG;
}

static int walk_step(const struct root *r, struct walk *w)
{
	char target[PATH_MAX], *name = w->todo + strspn(w->todo, "/");
	size_t len = strcspn(name, "/"), used = strlen(w->done);
	bool last = !name[len + strspn(name + len, "/")];
	ssize_t n;

	if (!len || (len == 1 && name[0] == '.')) {
		memmove(w->todo, name + len, strlen(name + len) + 1);
		return 0;
	}
	if (len == 2 && !strncmp(name, "..", 2)) {
		walk_up(w);
		memmove(w->todo, name + len, strlen(name + len) + 1);
		return 0;
	}
	if (used + len + 2 > sizeof(w->done))
		return -ENAMETOOLONG;
	append(w->done, sizeof(w->done), "%s%.*s", used ? "/" : "", (int)len, name);
	memmove(w->todo, name + len, strlen(name + len) + 1);
	if (last && w->keep_last)
		return 0;
	n = readlinkat(r->fd, w->done, target, sizeof(target) - 1);
	if (n < 0)
		return errno == EINVAL ? 0 : -errno;
	target[n] = '\0';
	return walk_follow(w, target);
}

static int open_walking(const struct root *r, const char *path, int flags)
{
	struct walk w = { .keep_last = flags & O_NOFOLLOW };
	int fd;

	copy_text(w.todo, sizeof(w.todo), path);
	while (w.todo[0]) {
		int rc = walk_step(r, &w);

		if (rc)
			return rc;
	}
	fd = openat(r->fd, w.done[0] ? w.done : ".", flags | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

static int open_depends(const struct root *r, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)flags,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	int fd;

	if (r->live) {
		fd = openat(r->fd, path, flags);
		return fd < 0 ? -errno : fd;
	}
	fd = (int)syscall(SYS_openat2, r->fd, path, &how, sizeof(how));
	if (fd >= 0)
		return fd;
	/*
	 * EPERM: old sandboxes on a call unknown to them; EAGAIN: a rename elsewhere raced with
	 * "..", openat2(2)
	 */
	if (errno == ENOSYS || errno == EPERM || errno == EAGAIN)
		return open_walking(r, path, flags);
	return -errno;
}

static int open_path(const struct root *r, const char *path, int flags)
{
	/* openat2() refuses O_PATH together with flags that mean nothing there */
	return open_depends(r, path,
			    flags | O_CLOEXEC | ((flags & O_PATH) ? 0 : O_NONBLOCK | O_NOCTTY));
}

static bool is_regular(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode);
}

/*
 * In a captured tree a node of a device or a pipe may lie where a file should: look before opening.
 */
static int open_regular(const struct root *r, const char *path)
{
	_cleanup_fd_ int fd = -1;

	if (!r->live) {
		_cleanup_fd_ int look = open_path(r, path, O_PATH);

		if (look < 0)
			return look;
		if (!is_regular(look))
			return -EINVAL;
	}
	fd = open_path(r, path, O_RDONLY);
	if (fd < 0)
		return fd;
	return is_regular(fd) ? take_fd(&fd) : -EINVAL;
}

/* Files of sysfs say 4096 bytes whatever they hold: read on until there is no more. */
static int read_on(int fd, void *buf, size_t size)
{
	size_t got = 0;

	if (size > INT_MAX)
		size = INT_MAX;
	while (got < size) {
		ssize_t n = read(fd, (char *)buf + got, size - got);

		if (n < 0 && errno == EINTR)
			continue;
		/* the first part of a text is another text */
		if (n < 0)
			return -errno;
		if (!n)
			break;
		got += (size_t)n;
	}
	return (int)got;
}

static int read_path(const struct root *r, const char *path, void *buf, size_t size)
{
	_cleanup_fd_ int fd = open_regular(r, path);

	return fd < 0 ? fd : read_on(fd, buf, size);
}

/* The rest of a text whose first @n bytes are @part. */
static int read_rest(int fd, const char *part, size_t n, char **text)
{
	_cleanup_free_ char *all = NULL;
	size_t room = n;
	int rc = 0;

	do {
		char *more = realloc(all, room * 2 + 1);

		if (!more)
			return -ENOMEM;
		if (!all)
			memcpy(more, part, n);
		all = more;
		room *= 2;
		rc = read_on(fd, all + n, room - n);
		if (rc < 0)
			return rc;
		n += (size_t)rc;
		if (n > ROOT_TEXT_MAX)
			return -EFBIG;
	} while (n == room);
	all[n] = '\0';
	*text = all;
	all = NULL;
	return 0;
}

static int dup_path(const struct root *r, const char *path, char **text)
{
	_cleanup_fd_ int fd = open_regular(r, path);
	char part[4096];
	int n;

	if (fd < 0)
		return fd;
	/* nearly all texts are short */
	n = read_on(fd, part, sizeof(part));
	if (n < 0)
		return n;
	if (n == (int)sizeof(part))
		return read_rest(fd, part, sizeof(part), text);
	part[n] = '\0';
	*text = strdup(part);
	return *text ? 0 : -ENOMEM;
}

static int look_path(const struct root *r, const char *path)
{
	_cleanup_fd_ int fd = open_path(r, path, O_PATH);

	return fd < 0 ? fd : 0;
}

static int stream_path(const struct root *r, const char *path, FILE **f)
{
	_cleanup_fd_ int fd = open_regular(r, path);

	if (fd < 0)
		return fd;
	*f = fdopen(fd, "re");
	if (!*f)
		return -errno;
	take_fd(&fd);
	return 0;
}

static int target_path(const struct root *r, const char *path, char *buf, size_t size)
{
	_cleanup_fd_ int fd = open_path(r, path, O_PATH | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return fd;
	/* with an empty name the link itself is read; ENOENT says that it is none: readlink(2) */
	n = readlinkat(fd, "", buf, size - 1);
	if (n < 0)
		return errno == ENOENT ? -EINVAL : -errno;
	buf[n] = '\0';
	return (int)n;
}

static int opendir_path(const struct root *r, const char *path, struct root_dir *dir)
{
	_cleanup_fd_ int fd = open_path(r, path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd;
	dir->dir = fdopendir(fd);
	if (!dir->dir)
		return -errno;
	take_fd(&fd);
	return 0;
}

static struct dirent *next_in_folder(struct root_dir *dir)
{
	return readdir(dir->dir);
}

static int target_in_folder(const struct root_dir *dir, const char *name, char *buf, size_t size)
{
	ssize_t n = readlinkat(dirfd(dir->dir), name, buf, size - 1);

	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return (int)n;
}

const struct root_ops root_folder_ops = {
	.open = open_path,
	.look = look_path,
	.read = read_path,
	.dup = dup_path,
	.stream = stream_path,
	.target = target_path,
	.opendir = opendir_path,
	.next = next_in_folder,
	.dir_target = target_in_folder,
};
