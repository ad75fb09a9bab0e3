// SPDX-License-Identifier: GPL-2.0-or-later
#include "root/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"
#include "root/capture.h"

struct root_misses {
	unsigned int n, told;
	int err;    /* of the last, positive */
	char *path; /* of the last; NULL: no memory for it */
};

#define FOLLOW_MAX 40 /* MAXSYMLINKS of linux/namei.h */

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

static bool is_one_of(int rc, const int *err, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rc == -err[i])
			return true;
	return false;
}

bool root_absent(int rc)
{
	/* ENODEV, ENXIO: the device of an open file went; ESRCH: the process of /proc/PID did */
	static const int err[] = { ENOENT, ENOTDIR, ENODEV, ENXIO, ESRCH };

	return is_one_of(rc, err, ARRAY_SIZE(err));
}

bool root_exhausted(int rc)
{
	static const int err[] = { EMFILE, ENFILE, ENOMEM };

	return is_one_of(rc, err, ARRAY_SIZE(err));
}

bool root_unread(int rc)
{
	/* a pipe, a folder or a circle of links where a file should be, a text that is no number */
	static const int malformed[] = { EINVAL, ERANGE,       EISDIR,	ELOOP,
					 EXDEV,	 ENAMETOOLONG, EBADMSG, EFBIG };

	return rc < 0 && !root_absent(rc) && !is_one_of(rc, malformed, ARRAY_SIZE(malformed));
}

/*
 * Not for every user: a process of another one's (ptrace_may_access() in fs/proc), and debugfs,
 * which is root's.
 */
static bool is_private(const char *path, int rc)
{
	static const char process[] = "proc/", debug[] = "sys/kernel/debug";

	if (rc != -EACCES && rc != -EPERM)
		return false;
	if (!strncmp(path, debug, strlen(debug)))
		return true;
	return !strncmp(path, process, strlen(process)) && path[strlen(process)] >= '0' &&
	       path[strlen(process)] <= '9';
}

/* Returns @rc, what looking at @path came to. */
static int note(const struct root *r, const char *path, int rc)
{
	if (!r->misses || !root_unread(rc) || is_private(path, rc))
		return rc;
	r->misses->n++;
	r->misses->err = -rc;
	free(r->misses->path);
	r->misses->path = strdup(path);
	return rc;
}

unsigned int root_misses(const struct root *r)
{
	return r->misses ? r->misses->n : 0;
}

int root_missed(const struct root *r, unsigned int since)
{
	if (!r->misses || r->misses->n <= since || r->misses->n <= r->misses->told)
		return 0;
	return -r->misses->err;
}

int root_fail_missed(const struct root *r, struct error *e)
{
	const struct root_misses *m = r->misses;
	unsigned int n = m->n - m->told;
	char more[64] = "";
	int rc;

	if (n > 1)
		snprintf(more, sizeof(more), " (nor %u before it)", n - 1);
	rc = fail(e, CAUSE_FAILED, m->err, "cannot read /%s%s: the answer is incomplete",
		  m->path ? m->path : "sys or /proc", more);
	if (m->err == EMFILE)
		hint(e, "ulimit -n 1024   (more descriptors for this process)");
	else if (m->err == ENFILE)
		hint(e, "sysctl fs.file-max   (all descriptors of the host are taken)");
	else if (m->err == EACCES || m->err == EPERM)
		hint(e, "run it as root");
	root_forgive(r);
	return rc;
}

void root_forgive(const struct root *r)
{
	if (r->misses)
		r->misses->told = r->misses->n;
}

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

/*
 * What the two kinds of roots have in common: a path below the root, without a
 * slash in front. 0 or more, or -errno.
 */
struct root_ops {
	int (*open)(const struct root *r, const char *path, int flags);
	int (*look)(const struct root *r, const char *path);
	int (*read)(const struct root *r, const char *path, void *buf, size_t size);
	int (*dup)(const struct root *r, const char *path,
		   char **text); /* -EFBIG above ROOT_TEXT_MAX */
	int (*stream)(const struct root *r, const char *path, FILE **f);
	int (*target)(const struct root *r, const char *path, char *buf,
		      size_t size); /* what a link says */
	int (*opendir)(const struct root *r, const char *path, struct root_dir *dir);
};

static const struct root_ops *ops_of(const struct root *r);

struct root_dir {
	const struct root *r;
	DIR *dir; /* NULL: of a capture */
	const struct capture_node *folder, *next;
	struct dirent entry; /* of a capture */
};

/* --- a folder --- */

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

static const struct root_ops folder_ops = {
	.open = open_path,
	.look = look_path,
	.read = read_path,
	.dup = dup_path,
	.stream = stream_path,
	.target = target_path,
	.opendir = opendir_path,
};

/* --- a capture --- */

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

static const struct root_ops capture_ops = {
	.open = capture_open,
	.look = capture_look,
	.read = capture_bytes,
	.dup = capture_dup,
	.stream = capture_stream,
	.target = capture_target,
	.opendir = capture_opendir,
};

/* --- either --- */

static const struct root_ops *ops_of(const struct root *r)
{
	return r->capture ? &capture_ops : &folder_ops;
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
	return flags & O_PATH || root_exhausted(rc) ? note(r, path, rc) : rc;
}

int root_look(const struct root *r, const char *fmt, ...)
{
	char path[PATH_MAX];
	int rc;

	FORMAT_PATH(path, fmt, rc);
	return rc ? rc : note(r, path, ops_of(r)->look(r, path));
}

struct root_dir *root_opendir(const struct root *r, const char *fmt, ...)
{
	struct root_dir got = { .r = r }, *dir;
	char path[PATH_MAX];
	int rc;

	FORMAT_PATH(path, fmt, rc);
	if (!rc)
		rc = note(r, path, ops_of(r)->opendir(r, path, &got));
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
	note(r, path, -ENOMEM);
	errno = ENOMEM;
	return dir;
}

void root_closedir(struct root_dir *dir)
{
	if (dir && dir->dir)
		closedir(dir->dir);
	free(dir);
}

static struct dirent *next_entry(struct root_dir *dir)
{
	if (dir->dir)
		return readdir(dir->dir);
	if (!dir->next)
		return NULL;
	copy_text(dir->entry.d_name, sizeof(dir->entry.d_name), dir->next->name);
	dir->next = dir->next->next;
	return &dir->entry;
}

bool root_readdir(struct root_dir *dir, struct dirent **entry, int *rc)
{
	errno = 0;
	*entry = next_entry(dir);
	/* a folder that went meanwhile has no more entries */
	if (!*entry && !root_absent(-errno))
		*rc = note(dir->r, "sys or /proc", -errno);
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
	ssize_t n;

	if (!dir->dir) {
		for (const struct capture_node *c = dir->folder->child; c; c = c->next)
			if (!strcmp(c->name, name) && c->kind == CAPTURE_LINK) {
				copy_text(buf, size, c->bytes);
				return (int)strlen(buf);
			}
		return -EINVAL;
	}
	n = readlinkat(dirfd(dir->dir), name, buf, size - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return (int)n;
}

FILE *root_stream(const struct root *r, const char *fmt, ...)
{
	char path[PATH_MAX];
	FILE *f = NULL;
	int rc;

	FORMAT_PATH(path, fmt, rc);
	if (!rc)
		rc = note(r, path, ops_of(r)->stream(r, path, &f));
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
	n = note(r, path, ops_of(r)->read(r, path, buf, size - 1));
	if (n < 0)
		return n;
	buf[n] = '\0';
	if (n && buf[n - 1] == '\n')
		buf[n - 1] = '\0';
	return (int)strlen(buf);
}

static int text_dup(const struct root *r, const char *path, char **text)
{
	int rc = note(r, path, ops_of(r)->dup(r, path, text));
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
	return rc ? rc : note(r, path, ops_of(r)->read(r, path, buf, size));
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
	int rc = note(r, path, ops_of(r)->target(r, path, target, sizeof(target)));

	if (rc < 0)
		return rc;
	/* a captured link that leads out of the tree, or nowhere, tells nothing */
	if (!r->live && note(r, path, ops_of(r)->look(r, path)))
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
	return rc ? rc : note(r, path, ops_of(r)->target(r, path, buf, size));
}

bool root_exists(const struct root *r, const char *fmt, ...)
{
	char path[PATH_MAX];
	int rc;

	FORMAT_PATH(path, fmt, rc);
	return !rc && !note(r, path, ops_of(r)->look(r, path));
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
	fd = open_path(r, path, O_WRONLY);
	if (fd < 0)
		return fd;
	/* a store to sysfs is one write(2); half of it would be another text */
	n = write(fd, text, len);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}
