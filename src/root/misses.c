// SPDX-License-Identifier: GPL-2.0-or-later
/* What could not be looked at, and what an error says of a file. */
#include "root/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

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
int root_note(const struct root *r, const char *path, int rc)
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
