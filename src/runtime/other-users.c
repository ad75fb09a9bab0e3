// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Holders of other users, whose folders have other owners. They are found by what the kernel tells
 * of their sockets: nothing of theirs is opened or connected to, because a user's files and
 * processes can make root wait.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "runtime/holders.h"

/*
 * Flags and Type in /proc/net/unix: __SO_ACCEPTCON of include/uapi/linux/net.h, unix_seq_show() in
 * net/unix/af_unix.c.
 */
#define LISTENS 0x10000u

struct sockets {
	uint64_t *inode;
	size_t n;
};

/*
 * What a process has open as "socket:[INODE]". 0, -EACCES: not ours to look at, -ENOMEM; a process
 * that ends has none.
 */
static int read_sockets(const struct root *r, const char *pid, struct sockets *s)
{
	_cleanup_root_dir_ struct root_dir *d = root_opendir(r, "proc/%s/fd", pid);
	const struct dirent *entry;

	if (!d && errno != ENOENT && errno != ESRCH)
		return errno == EPERM ? -EACCES : -errno;
	while (d && (entry = root_next(d))) {
		char target[64];
		uint64_t inode, *more;

		if (root_dir_target(d, entry->d_name, target, sizeof(target)) < 0 ||
		    sscanf(target, "socket:[%" SCNu64 "]", &inode) != 1)
			continue;
		more = reallocarray(s->inode, s->n + 1, sizeof(*more));
		if (!more)
			return -ENOMEM;
		s->inode = more;
		s->inode[s->n++] = inode;
	}
	return 0;
}

static bool has_socket(const struct sockets *s, uint64_t inode)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->inode[i] == inode)
			return true;
	return false;
}

/*
 * The name of a holder's listening socket in a line of /proc/net/unix, when @s has it: see
 * address() in runtime/holders.c.
 */
static const char *name_in_line(char *line, const struct sockets *s)
{
	unsigned int flags, type;
	uint64_t inode;
	int at = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%*s %*x %*x %x %x %*x %" SCNu64 " /proc/self/fd/%*d/%n", &flags, &type,
		   &inode, &at) != 3 ||
	    !at || !(flags & LISTENS) || type != SOCK_STREAM || !has_socket(s, inode))
		return NULL;
	return hold_is_name(line + at) && !strchr(line + at, '/') ? line + at : NULL;
}

static int add(struct hold_others *o, pid_t pid, uid_t uid, const char *name)
{
	struct hold_other *more = reallocarray(o->list, o->n + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	o->list = more;
	o->list[o->n] = (struct hold_other){ .pid = pid, .uid = uid };
	copy_text(o->list[o->n++].name, HOLD_NAME, name);
	return 0;
}

/* Of the process's own network namespace. */
static int read_process(const struct root *r, const char *pid, struct hold_other *who,
			struct hold_others *o)
{
	struct sockets s = { 0 };
	_cleanup_file_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	const char *name;
	int rc = read_sockets(r, pid, &s);

	if (rc == 0 && s.n) {
		f = root_stream(r, "proc/%s/net/unix", pid);
		rc = f || errno == ENOENT || errno == ESRCH || errno == EINVAL ? 0 : -errno;
	}
	while (f && rc == 0 && getline(&line, &room, f) >= 0) {
		name = name_in_line(line, &s);
		rc = name ? add(o, who->pid, who->uid, name) : 0;
	}
	free(s.inode);
	return rc;
}

/* A process that runs msictl for another user: 1; 0; -errno of root_exhausted(). */
static int is_candidate(const struct root *r, const struct root_dir *proc, const char *entry,
			struct hold_other *who)
{
	struct stat st;
	uint64_t pid;
	char comm[32];
	int rc;

	if (parse_u64(entry, 10, INT_MAX, &pid) || fstatat(root_dir_fd(proc), entry, &st, 0) < 0 ||
	    st.st_uid == geteuid())
		return 0;
	*who = (struct hold_other){ .pid = (pid_t)pid, .uid = st.st_uid };
	rc = root_text(r, comm, sizeof(comm), "proc/%s/comm", entry);
	return root_exhausted(rc) ? rc : rc > 0 && !strcmp(comm, "msictl");
}

static int compare(const void *a, const void *b)
{
	const struct hold_other *x = a, *y = b;
	int by_name = strcmp(x->name, y->name);

	return by_name ? by_name : (x->pid > y->pid) - (x->pid < y->pid);
}

int hold_others(const struct root *r, struct hold_others *o)
{
	_cleanup_root_dir_ struct root_dir *d = root_opendir(r, "proc");
	const struct dirent *entry;
	struct hold_other who;

	*o = (struct hold_others){ 0 };
	if (!d)
		return -errno;
	while ((entry = root_next(d))) {
		int rc = is_candidate(r, d, entry->d_name, &who);

		if (rc > 0)
			rc = read_process(r, entry->d_name, &who, o);
		if (rc == -EACCES)
			o->denied++;
		else if (rc < 0)
			return rc;
	}
	if (o->n)
		qsort(o->list, o->n, sizeof(*o->list), compare);
	return 0;
}
