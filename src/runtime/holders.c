// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/holders.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/util.h"
#include "host/function.h"
#include "root/reader.h"

#define SUFFIX ".sock"

#define CONNECT_SECONDS 2

/* A DEVICE that is a path; of src/vfio-user/client.c. */
#define PATH_PREFIX "vfio-user:"

/* FNV-1a, 64 bits: names that are too long for a socket address. */
static uint64_t hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3u;
	return h;
}

/* NULL: the folder is gone, too. */
static char *full_by_folder(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	_cleanup_free_ char *folder = slash ? strndup(path, (size_t)(name - path)) : strdup(".");
	_cleanup_free_ char *dir = folder ? realpath(folder, NULL) : NULL;
	char *full;

	if (!dir)
		return NULL;
	return asprintf(&full, "%s/%s", strcmp(dir, "/") != 0 ? dir : "", name) < 0 ? NULL : full;
}

/* A socket that is gone has a folder still. */
static char *full_path(const char *path)
{
	char *full = realpath(path, NULL);

	return full ? full : full_by_folder(path);
}

char *hold_device(const char *device)
{
	size_t n = strlen(PATH_PREFIX);
	_cleanup_free_ char *path = NULL;
	char *full;

	if (strncmp(device, PATH_PREFIX, n) != 0 || !device[n])
		return strdup(device);
	path = full_path(device + n);
	if (!path)
		return strdup(device);
	return asprintf(&full, PATH_PREFIX "%s", path) < 0 ? NULL : full;
}

bool hold_is_shared(const char *device)
{
	struct error ignored;
	struct pci_addr a;

	return strncmp(device, PATH_PREFIX, strlen(PATH_PREFIX)) == 0 ||
	       pci_addr_parse(device, &a, &ignored) == 0;
}

char *hold_name(const char *device, char buf[HOLD_NAME])
{
	char bdf[PCI_ADDR_LEN];
	struct pci_addr a;
	struct error ignored;
	_cleanup_free_ char *full = hold_device(device);
	const char *p = full ? full : device;

	if (pci_addr_parse(device, &a, &ignored) == 0)
		p = pci_addr_full(&a, bdf);
	buf[0] = '\0';
	for (const char *c = p; *c; c++)
		append(buf, HOLD_NAME,
		       isalnum((unsigned char)*c) || strchr(":.-_=,", *c) ? "%c" : "%%%02x",
		       (unsigned char)*c);
	if (buf[0] == '.' || strlen(buf) + strlen(SUFFIX) + 1 >= HOLD_NAME)
		snprintf(buf, HOLD_NAME, "%016" PRIx64, hash(p));
	append(buf, HOLD_NAME, SUFFIX);
	return buf;
}

/* @path: free() it. 0 or -errno with @e. */
static int dir_path(char **path, struct error *e)
{
	const char *run = geteuid() == 0 ? "/run" : getenv("XDG_RUNTIME_DIR");
	int rc;

	*path = NULL;
	if (run && run[0] == '/') {
		if (asprintf(path, "%s/msictl", run) >= 0)
			return 0;
		*path = NULL;
		return fail_memory(e);
	}
	rc = fail(e, CAUSE_FAILED, 0, "XDG_RUNTIME_DIR names no folder for a holder's sockets");
	hint(e, "export XDG_RUNTIME_DIR=/run/user/%u", geteuid());
	return rc;
}

/* The folder decides who gets in: it must be ours, and closed to all others. */
static int check_dir(int fd, const char *path, struct error *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail(e, CAUSE_FAILED, errno, "%s can't be looked at", path);
	if (st.st_uid != geteuid())
		return fail(e, CAUSE_PERMISSION, EPERM, "%s belongs to uid %u", path, st.st_uid);
	if ((st.st_mode & 077) && fchmod(fd, 0700) < 0)
		return fail(e, CAUSE_PERMISSION, errno, "%s is open to others", path);
	return 0;
}

int hold_dir_open(bool create, struct error *e)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	_cleanup_fd_ int fd = -1;
	int rc = dir_path(&path, e);

	if (!path)
		return create || rc == -ENOMEM ? rc : -ENOENT;
	text = escape_text_dup(path);
	if (!text)
		return fail_memory(e);
	if (create && mkdir(path, 0700) < 0 && errno != EEXIST)
		return fail(e, cause_of_errno(errno), errno, "%s can't be made", text);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 && root_exhausted(-errno))
		return fail(e, CAUSE_FAILED, errno,
			    "%s, where holders are found, cannot be looked at", text);
	if (fd < 0)
		return fail(e, cause_of_errno(errno), errno, "%s is no folder of our own", text);
	rc = check_dir(fd, text, e);
	return rc ? rc : take_fd(&fd);
}

/* Through /proc/self/fd the address stays short and in the folder that was checked. */
static struct sockaddr_un address(int dir, const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	_Static_assert(sizeof("/proc/self/fd/2147483647/") + HOLD_NAME <= sizeof(sun.sun_path),
		       "no name is cut");
	snprintf(sun.sun_path, sizeof(sun.sun_path), "/proc/self/fd/%d/%.*s", dir, HOLD_NAME - 1,
		 name);
	return sun;
}

bool hold_peer_allowed(int sock, pid_t *pid)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
		return false;
	*pid = cred.pid;
	return cred.uid == 0 || cred.uid == geteuid();
}

int hold_connect(int dir, const char *name, pid_t *pid, struct error *e)
{
	struct sockaddr_un sun = address(dir, name);
	/* A holder that takes nobody in has a queue that is full at last. */
	const struct timeval limit = { .tv_sec = CONNECT_SECONDS };
	_cleanup_fd_ int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (sock < 0)
		return fail(e, CAUSE_FAILED, errno, "no socket");
	setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(sock, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		if (errno == ENOENT || errno == ECONNREFUSED)
			return -errno;
		if (errno == EAGAIN)
			return fail(e, CAUSE_BUSY, ETIMEDOUT,
				    "its holder does not answer, and many wait for it");
		return fail(e, cause_of_errno(errno), errno,
			    "the holder's socket %s can't be reached", name);
	}
	if (!hold_peer_allowed(sock, pid))
		return fail(e, CAUSE_PERMISSION, EPERM, "the socket %s is served by somebody else",
			    name);
	return take_fd(&sock);
}

static int bind_private(int sock, int dir, const char *name)
{
	struct sockaddr_un sun = address(dir, name);
	mode_t before = umask(0177);
	int rc = bind(sock, (struct sockaddr *)&sun, sizeof(sun)) < 0 ? -errno : 0;

	umask(before);
	return rc;
}

static int listen_locked(int dir, const char *name, struct error *e)
{
	_cleanup_fd_ int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	_cleanup_fd_ int other = -1;
	struct error ignored;
	pid_t pid = 0;
	int rc;

	if (sock < 0)
		return fail(e, CAUSE_FAILED, errno, "no socket");
	rc = bind_private(sock, dir, name);
	if (rc == -EADDRINUSE) {
		other = hold_connect(dir, name, &pid, &ignored);
		if (other >= 0)
			return fail(e, CAUSE_BUSY, EADDRINUSE, "it is held already, by pid %d",
				    pid);
		if (other != -ECONNREFUSED)
			return fail(e, CAUSE_FAILED, EADDRINUSE, "%s is in the way", name);
		/* Left behind by a holder that was killed. */
		hold_unlink(dir, name);
		rc = bind_private(sock, dir, name);
	}
	if (rc)
		return fail(e, cause_of_errno(-rc), -rc, "the socket %s can't be made", name);
	if (listen(sock, 128) < 0)
		return fail(e, CAUSE_FAILED, errno, "the socket %s can't be listened on", name);
	hold_clear_exit_reason(dir, name);
	return take_fd(&sock);
}

void hold_tidy(int dir, const char *name)
{
	struct error ignored;
	pid_t pid;
	int sock;

	if (hold_lock(dir, 0))
		return;
	sock = hold_connect(dir, name, &pid, &ignored);
	if (sock == -ECONNREFUSED)
		hold_unlink(dir, name);
	else
		cleanup_fd(&sock);
	hold_unlock(dir);
}

/* Whoever has the lock may take a name for stale: nobody is between bind(2) and listen(2). */
int hold_listen(int dir, const char *name, uint64_t patience_us, struct error *e)
{
	int rc = hold_lock(dir, patience_us);

	if (rc)
		return hold_locked(dir, rc, e);
	rc = listen_locked(dir, name, e);
	hold_unlock(dir);
	return rc;
}

bool hold_is_name(const char *file)
{
	size_t n = strlen(file), end = strlen(SUFFIX);

	return n > end && n < HOLD_NAME && !strcmp(file + n - end, SUFFIX);
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int collect(DIR *d, char (**list)[HOLD_NAME], size_t *n)
{
	const struct dirent *file;

	/* readdir(3) tells an error by errno alone. */
	for (errno = 0; (file = readdir(d)); errno = 0) {
		char(*more)[HOLD_NAME];

		if (!hold_is_name(file->d_name))
			continue;
		more = reallocarray(*list, *n + 1, HOLD_NAME);
		if (!more)
			return -ENOMEM;
		*list = more;
		copy_text(more[(*n)++], HOLD_NAME, file->d_name);
	}
	return -errno;
}

ssize_t hold_list(int dir, char (**list)[HOLD_NAME])
{
	int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *d = again < 0 ? NULL : fdopendir(again);
	size_t n = 0;
	int rc = d ? 0 : -errno;

	*list = NULL;
	if (!d)
		cleanup_fd(&again);
	else
		rc = collect(d, list, &n);
	if (rc) {
		free(*list);
		*list = NULL;
		return rc;
	}
	if (*list)
		qsort(*list, n, HOLD_NAME, compare);
	return (ssize_t)n;
}

char *hold_name_device(const char *name, char buf[HOLD_NAME])
{
	size_t n = 0, end = strlen(name) - strlen(SUFFIX);
	unsigned int byte;

	for (size_t i = 0; i < end; i++) {
		if (name[i] == '%' && i + 2 < end && sscanf(name + i, "%%%2x", &byte) == 1 &&
		    byte) {
			buf[n++] = (char)byte;
			i += 2;
		} else {
			buf[n++] = name[i];
		}
	}
	buf[n] = '\0';
	return buf;
}

bool hold_name_address(const char *name, struct pci_addr *a)
{
	struct error ignored;
	char text[HOLD_NAME];

	return pci_addr_parse(hold_name_device(name, text), a, &ignored) == 0;
}

void hold_unlink(int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(st.st_mode))
		unlinkat(dir, name, 0);
}

int hold_connect_group(const struct root *r, int group, pid_t *pid)
{
	_cleanup_free_ char(*list)[HOLD_NAME] = NULL;
	struct error ignored;
	_cleanup_fd_ int dir = hold_dir_open(false, &ignored);
	ssize_t n = dir < 0 ? 0 : hold_list(dir, &list);

	for (ssize_t i = 0; list && i < n; i++) {
		char bdf[PCI_ADDR_LEN];
		struct pci_addr a;
		int sock;

		if (!hold_name_address(list[i], &a) ||
		    function_group(r, pci_addr_full(&a, bdf)) != group)
			continue;
		sock = hold_connect(dir, list[i], pid, &ignored);
		if (sock >= 0)
			return sock;
	}
	return -ENOENT;
}
