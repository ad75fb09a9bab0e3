// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files of the person at the prompt. HOME and XDG_STATE_HOME may name another user's folder (su,
 * sudo), and the device is open: nothing here waits, and nothing that another user can change is
 * followed, read or written.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "shell/internal.h"

/* Of the file's end, when it is larger: an hour of typing is some kilobytes. */
#define HISTORY_BYTES (1u << 20)

#define HISTORY_FILE "history"

/*
 * The owner of a folder can exchange what is in it, so each one on the way counts, and so does a
 * symbolic link.
 */
static const char *distrust(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "it belongs to another user";
	if (S_ISDIR(st->st_mode) && (st->st_mode & S_IWOTH) && !(st->st_mode & S_ISVTX))
		return "every user can write to it";
	return NULL;
}

/*
 * The folder @name of the folder @dir, O_PATH; -errno, with *@reason when it is there and must not
 * be used.
 */
static int enter(int dir, const char *name, const char **reason)
{
	int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
	_cleanup_fd_ int fd = -1;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	*reason = distrust(&st);
	if (*reason)
		return -EPERM;
	fd = openat(dir, name, S_ISLNK(st.st_mode) ? flags : flags | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	*reason = distrust(&st);
	return *reason ? -EPERM : take_fd(&fd);
}

static int refuse(char **why, const char *path, int length, const char *reason, int rc)
{
	if (asprintf(why, "%.*s: %s", length, path, reason ? reason : strerror(-rc)) < 0)
		*why = NULL;
	return rc;
}

/*
 * The folder of the file @path, which is absolute; missing folders are made when @create. O_PATH,
 * or -errno with @why.
 */
static int open_folder(const char *path, bool create, char **why)
{
	int dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *copy = strdup(path);
	char *at = copy, *word;

	if (dir < 0 || !copy) {
		cleanup_fd(&dir);
		return refuse(why, path, (int)strlen(path), NULL, copy ? -errno : -ENOMEM);
	}
	while ((word = strsep(&at, "/")) && at) {
		const char *reason = NULL;
		int next;

		if (!word[0])
			continue;
		if (create)
			mkdirat(dir, word, 0700);
		next = enter(dir, word, &reason);
		close(dir);
		if (next < 0)
			return refuse(why, path, (int)(at - 1 - copy), reason, next);
		dir = next;
	}
	return dir;
}

/* Why the file is not to be used, NULL: a regular one of this user's own. */
static const char *unusable(const struct stat *st)
{
	if (S_ISLNK(st->st_mode))
		return "it is a symbolic link";
	if (!S_ISREG(st->st_mode))
		return "it is not a regular file";
	return st->st_uid != geteuid() ? "it belongs to another user" : NULL;
}

/* $XDG_STATE_HOME/msictl/history; NULL: no folder is named. free() it. */
static char *history_path(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *path = NULL;
	int n = -1;

	if (state && state[0] == '/')
		n = asprintf(&path, "%s/msictl/" HISTORY_FILE, state);
	else if (home && home[0] == '/')
		n = asprintf(&path, "%s/.local/state/msictl/" HISTORY_FILE, home);
	return n < 0 ? NULL : path;
}

/* The end of the file, terminated; free() it. NULL with errno set. */
static char *read_end(int fd, off_t size)
{
	off_t from = size > (off_t)HISTORY_BYTES ? size - (off_t)HISTORY_BYTES : 0;
	size_t room = (size_t)(size - from), done = 0;
	char *text = malloc(room + 1);

	while (text && done < room) {
		ssize_t n = pread(fd, text + done, room - done, from + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			free(text);
			return NULL;
		}
		if (n == 0)
			break;
		done += (size_t)n;
	}
	if (text)
		text[done] = '\0';
	/* The first line has lost its beginning. */
	if (text && from)
		memmove(text, text + strcspn(text, "\n"), done - strcspn(text, "\n") + 1);
	return text;
}

static int load(int dir, const char *path, void (*add)(const char *line), char **why)
{
	_cleanup_fd_ int fd =
		openat(dir, HISTORY_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int length = (int)strlen(path);
	_cleanup_free_ char *text = NULL;
	const char *reason;
	struct stat st;
	char *line, *at;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return refuse(why, path, length, errno == ELOOP ? "it is a symbolic link" : NULL,
			      -errno);
	reason = fstat(fd, &st) < 0 ? strerror(errno) : unusable(&st);
	if (reason)
		return refuse(why, path, length, reason, -EPERM);
	at = text = read_end(fd, st.st_size);
	if (!text)
		return refuse(why, path, length, NULL, -errno);
	while ((line = strsep(&at, "\n")))
		if (line[0])
			add(line);
	return 0;
}

int history_load(void (*add)(const char *line), char **why)
{
	_cleanup_free_ char *path = history_path();
	_cleanup_fd_ int dir = path ? open_folder(path, false, why) : -ENOENT;

	if (dir == -ENOENT) {
		free(*why);
		*why = NULL;
		return 0;
	}
	return dir < 0 ? dir : load(dir, path, add, why);
}

/* Of @n lines the last ones, as many as are read again. */
static int write_lines(int fd, const char *const *line, size_t n)
{
	FILE *f = fdopen(fd, "w");
	size_t first = n, bytes = 0;
	bool lost;

	if (!f) {
		close(fd);
		return -errno;
	}
	while (first && bytes + strlen(line[first - 1]) < HISTORY_BYTES)
		bytes += strlen(line[--first]) + 1;
	for (; first < n; first++)
		fprintf(f, "%s\n", line[first]);
	lost = ferror(f);
	if (fclose(f) == 0 && !lost)
		return 0;
	return errno ? -errno : -EIO;
}

/*
 * Beside the old file, and in its place when it is whole: of two shells that end the last one wins.
 */
static int replace(int dir, const char *const *line, size_t n)
{
	_cleanup_free_ char *draft = NULL;
	int fd, rc;

	if (asprintf(&draft, HISTORY_FILE ".%d", getpid()) < 0) {
		draft = NULL;
		return -ENOMEM;
	}
	/* Of a process that was killed. */
	unlinkat(dir, draft, 0);
	fd = openat(dir, draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	rc = write_lines(fd, line, n);
	if (rc == 0 && renameat(dir, draft, dir, HISTORY_FILE) < 0)
		rc = -errno;
	if (rc)
		unlinkat(dir, draft, 0);
	return rc;
}

int history_save(const char *const *line, size_t n, char **why)
{
	_cleanup_free_ char *path = history_path();
	_cleanup_fd_ int dir = path ? open_folder(path, true, why) : -ENOENT;
	const char *reason = NULL;
	struct stat st;
	int rc;

	if (!path)
		return 0;
	if (dir < 0)
		return dir;
	if (fstatat(dir, HISTORY_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0)
		reason = unusable(&st);
	rc = reason ? -EPERM : replace(dir, line, n);
	return rc ? refuse(why, path, (int)strlen(path), reason, rc) : 0;
}

int keys_usable(const char *path, char **why)
{
	int dir = open_folder(path, false, why);
	const char *name = strrchr(path, '/') + 1, *reason = NULL;
	_cleanup_fd_ int fd = -1;
	struct stat st;
	int rc;

	if (dir < 0)
		return dir;
	rc = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
	reason = rc ? NULL : distrust(&st);
	/* Not through a link of another user. */
	if (!rc && !reason)
		fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (!rc && !reason && (fd < 0 || fstat(fd, &st) < 0))
		rc = -errno;
	close(dir);
	if (!rc && !reason)
		reason = S_ISREG(st.st_mode) ? distrust(&st) : "it is not a regular file";
	return rc || reason ? refuse(why, path, (int)strlen(path), reason, rc ? rc : -EPERM) : 0;
}
