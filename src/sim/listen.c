// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/util.h"

/* Clients that wait while one is served. A connect() beyond these waits too (unix(7)). */
#define BACKLOG 16

/*
 * One of ours has the folder's lock for an instant. Whoever may open the folder can have it for
 * ever.
 */
#define LOCK_TRIES    50
#define LOCK_PAUSE_US 10000

static enum cause cause_of(int err)
{
	return err == EACCES || err == EPERM ? CAUSE_PERMISSION : CAUSE_FAILED;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/*
 * Remove what was found stale, unless it has changed since. A file system may
 * have given the inode's number to another server's socket: its time tells.
 */
static int remove_stale(const char *path, const struct stat *was)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!same_file(&st, was) || st.st_ctim.tv_sec != was->st_ctim.tv_sec ||
	    st.st_ctim.tv_nsec != was->st_ctim.tv_nsec)
		return -EADDRINUSE;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

/*
 * With the umask in force while the file comes into being there is no moment in which others may
 * connect.
 */
static int bind_owner_only(int fd, const struct sockaddr_un *sun)
{
	mode_t before = umask(0177);
	int rc = bind(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 ? -errno : 0;

	umask(before);
	return rc;
}

/* 0: somebody listens there; -ECONNREFUSED: nobody does; otherwise -errno, see is_served(). */
static int try_connect(const struct sockaddr_un *sun)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	return connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 ? -errno : 0;
}

/*
 * EAGAIN: as many wait already as may wait. EPROTOTYPE: a datagram socket. All others tell nothing
 * of a server.
 */
static bool is_served(int rc)
{
	return rc == 0 || rc == -EAGAIN || rc == -EPROTOTYPE;
}

static int open_socket_folder(const char *path)
{
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char *slash;

	copy_text(folder, sizeof(folder), path);
	slash = strrchr(folder, '/');
	if (!slash)
		copy_text(folder, sizeof(folder), ".");
	else
		slash[slash == folder] = '\0';
	return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/*
 * Between bind(2) and listen(2) a connection is refused, as at a socket that was left behind. Who
 * has the folder's lock may take one for that: no other of us is in between. A folder that we may
 * not open, or whose file system has no locks, is done without: *@lock stays -1. False: another
 * process keeps the lock, and nothing can be told.
 */
static bool lock_folder(const char *path, int *lock)
{
	_cleanup_fd_ int fd = open_socket_folder(path);

	if (fd < 0)
		return true;
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			*lock = take_fd(&fd);
			return true;
		}
		if (errno != EWOULDBLOCK && errno != EINTR)
			return true;
		usleep(LOCK_PAUSE_US);
	}
	return false;
}

static int explain_locked(const char *name, struct error *e)
{
	int rc = fail(
		e, CAUSE_BUSY, EADDRINUSE,
		"%s is there, and its folder is locked: msictl cannot tell whether it is stale",
		name);

	hint(e, "name a path that is free, or end that process: lslocks tells which");
	return rc;
}

/* Something is at the path already: clear it away when it is a socket that was left behind. */
static int replace_stale(const struct sockaddr_un *sun, const char *name, bool alone,
			 struct error *e)
{
	struct stat st;
	int rc;

	if (lstat(sun->sun_path, &st) < 0)
		return errno == ENOENT
			       ? 0
			       : fail(e, cause_of(errno), errno, "%s: cannot be looked at", name);
	if (!S_ISSOCK(st.st_mode)) {
		rc = fail(e, CAUSE_FAILED, EEXIST, "%s is there and is no socket: it is left alone",
			  name);
		hint(e, "name a path that is free");
		return rc;
	}
	rc = try_connect(sun);
	if (rc == -EACCES)
		return fail(e, CAUSE_PERMISSION, EACCES, "%s is another user's socket", name);
	if (rc == -ECONNREFUSED && !alone)
		return explain_locked(name, e);
	if (rc == -ECONNREFUSED)
		rc = remove_stale(sun->sun_path, &st);
	else if (is_served(rc))
		rc = -EADDRINUSE;
	else if (rc != -ENOENT)
		return fail(e, cause_of(-rc), -rc,
			    "%s is there, and msictl cannot find out whether it is served", name);
	if (rc == -EADDRINUSE) {
		rc = fail(e, CAUSE_BUSY, EADDRINUSE, "%s is served by another process", name);
		hint(e, "ss -xlp tells which; name another path, or end that process");
		return rc;
	}
	return rc && rc != -ENOENT
		       ? fail(e, cause_of(-rc), -rc, "%s: the stale socket cannot be removed", name)
		       : 0;
}

static int bind_path(int fd, const struct sockaddr_un *sun, const char *name, bool alone,
		     struct error *e)
{
	int rc = bind_owner_only(fd, sun);

	if (rc == -EADDRINUSE) {
		rc = replace_stale(sun, name, alone, e);
		if (rc)
			return rc;
		rc = bind_owner_only(fd, sun);
	}
	if (rc == -EADDRINUSE)
		return fail(e, CAUSE_BUSY, EADDRINUSE, "%s was taken by another process just now",
			    name);
	return rc ? fail(e, cause_of(-rc), -rc, "%s: the socket cannot be made: %s", name,
			 strerror(-rc))
		  : 0;
}

/* From the look at what is there until it listens and is remembered: the folder is ours. */
static int listen_in_folder(struct vu_listener *l, int fd, const struct sockaddr_un *sun,
			    const char *name, struct error *e)
{
	_cleanup_fd_ int lock = -1;
	bool alone = lock_folder(sun->sun_path, &lock);
	int rc = bind_path(fd, sun, name, alone, e);

	if (rc)
		return rc;
	if (lstat(sun->sun_path, &l->st) < 0)
		return fail(e, CAUSE_FAILED, errno, "%s: the socket has gone: %s", name,
			    strerror(errno));
	if (listen(fd, BACKLOG) == 0)
		return 0;
	rc = fail(e, CAUSE_FAILED, errno, "%s: cannot listen: %s", name, strerror(errno));
	vu_unlisten(l);
	return rc;
}

int vu_listen(struct vu_listener *l, const char *path, struct error *e)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	_cleanup_fd_ int fd = -1;
	/* \xNN for each byte; what is longer is no socket's path */
	char name[4 * sizeof(sun.sun_path)];
	int rc;

	escape_text(path, name, sizeof(name));
	if (!path[0] || strlen(path) >= sizeof(sun.sun_path)) {
		rc = fail(e, CAUSE_USAGE, ENAMETOOLONG,
			  "a socket's path has 1 to %zu bytes (unix(7)), this one has %zu",
			  sizeof(sun.sun_path) - 1, strlen(path));
		hint(e, "change to its folder and name it from there, or use a shorter path");
		return rc;
	}
	copy_text(sun.sun_path, sizeof(sun.sun_path), path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(e, CAUSE_FAILED, errno, "no socket: %s", strerror(errno));
	*l = (struct vu_listener){ .fd = -1, .path = path };
	rc = listen_in_folder(l, fd, &sun, name, e);
	if (rc == 0)
		l->fd = take_fd(&fd);
	return rc;
}

void vu_unlisten(const struct vu_listener *l)
{
	struct stat st;

	if (!lstat(l->path, &st) && same_file(&st, &l->st))
		unlink(l->path);
}
