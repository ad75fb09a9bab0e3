// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/find.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "root/reader.h"
#include "runtime/holders.h"

int attach_find(const char *device, pid_t *pid, struct error *e)
{
	char name[HOLD_NAME];
	_cleanup_fd_ int dir = hold_dir_open(false, e);
	int sock;

	if (dir < 0)
		return dir;
	sock = hold_connect(dir, hold_name(device, name), pid, e);
	return sock == -ECONNREFUSED ? -ENOENT : sock;
}

bool attach_unsure(int rc)
{
	return rc == -ETIMEDOUT || root_exhausted(rc);
}

char *attach_exit_reason(const char *device)
{
	char name[HOLD_NAME];
	struct error ignored;
	_cleanup_fd_ int dir = hold_dir_open(false, &ignored);

	return dir < 0 ? NULL : hold_exit_reason(dir, hold_name(device, name));
}

/*
 * The sockets of all other users are read. What could not be read is not told: the caller's
 * sentence is about its own holders.
 */
static bool find_other(const char *device, struct hold_other *who)
{
	struct hold_others o = { 0 };
	struct root r;
	struct error ignored;
	char name[HOLD_NAME];
	bool found = false;

	if (root_open(&r, NULL, &ignored))
		return false;
	hold_others(&r, &o);
	hold_name(device, name);
	for (size_t i = 0; !found && i < o.n; i++) {
		found = !strcmp(o.list[i].name, name);
		*who = o.list[i];
	}
	free(o.list);
	root_close(&r);
	return found;
}

int attach_other(const char *device, struct error *e)
{
	struct hold_other who;

	if (geteuid() != 0 || !hold_is_shared(device) || !find_other(device, &who))
		return 0;
	fail(e, CAUSE_BUSY, EBUSY, "pid %d, msictl of uid %u, holds it", who.pid, who.uid);
	hint(e,
	     "kill %d   ends msictl of uid %u, and restores the device; msictl holders lists its devices",
	     who.pid, who.uid);
	return -EBUSY;
}

int attach_nobody(const char *device, struct error *e)
{
	_cleanup_free_ char *word = NULL;

	/* The reason that was left is older than another user's holder. */
	if (attach_other(device, e))
		return -ENOENT;
	word = attach_exit_reason(device);
	fail(e, CAUSE_NO_DEVICE, 0, "nobody holds it%s%s", word ? "; " : "", word ? word : "");
	hint(e, "msictl hold %s", device);
	return -ENOENT;
}

int attach_reason(const char *device, int rc, struct error *e)
{
	_cleanup_free_ char *word = NULL;
	struct error ignored;
	pid_t pid;
	int sock;

	if (rc != -ECONNRESET && rc != -EPIPE)
		return rc;
	sock = attach_find(device, &pid, &ignored);
	if (sock >= 0)
		close(sock);
	word = sock == -ENOENT ? attach_exit_reason(device) : NULL;
	if (word)
		attach_nobody(device, e);
	return rc;
}
