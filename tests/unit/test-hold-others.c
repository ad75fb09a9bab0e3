// SPDX-License-Identifier: GPL-2.0-or-later
/* Other users' holders, where the kernel does not let everything be looked at. fdopendir() is the test's own. */
#include <dlfcn.h>
#include <errno.h>

#include "runtime/holders.h"
#include "tree.h"
#include "base/util.h"

static unsigned int fails_at,
	opened; /* which folder that is opened is the one that fails, from 1 */
static int failure;

DIR *fdopendir(int fd)
{
	DIR *(*real)(int fd) = dlsym(RTLD_NEXT, "fdopendir");

	if (++opened != fails_at)
		return real(fd);
	errno = failure;
	return NULL;
}

/* A process of uid 65534 that runs msictl and has the socket with this inode; it sees @net. NULL: it sees no sockets.
 */
static void process(const struct tree *t, unsigned int pid, const char *net)
{
	char path[64], full[PATH_MAX];

	snprintf(path, sizeof(path), "proc/%u/comm", pid);
	tree_text(t, path, "msictl\n");
	snprintf(path, sizeof(path), "proc/%u/fd/3", pid);
	tree_link(t, path, "socket:[77]");
	snprintf(path, sizeof(path), "proc/%u/net/unix", pid);
	if (net)
		tree_text(t, path, net);
	snprintf(path, sizeof(path), "proc/%u", pid);
	assert_int_equal(chown(tree_path(t, path, full), 65534, 65534), 0);
}

#define LINE(name) "a: 00000002 00000000 00010000 0001 01 77 " name "\n"

#define HOLDS LINE("/proc/self/fd/5/a.sock")

/* Which failures are somebody else's end, which are a process that can't be looked at, which are ours. */
static void cannot_look(void **state)
{
	static const struct {
		int err, rc;
		unsigned int denied;
	} cases[] = { { ENOENT, 0, 0 }, { ESRCH, 0, 0 },	{ EACCES, 0, 1 },
		      { EPERM, 0, 1 },	{ EMFILE, -EMFILE, 0 }, { ENOMEM, -ENOMEM, 0 },
		      { EIO, -EIO, 0 } };
	struct tree *t = *state;
	struct hold_others o;

	if (geteuid())
		skip();
	process(t, 100, HOLDS);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int rc;

		/* the first folder is proc */
		opened = 0;
		fails_at = 2;
		failure = cases[i].err;
		rc = hold_others(&t->root, &o);
		if (rc != cases[i].rc || o.denied != cases[i].denied || o.n)
			fail_msg("%s: %d, %u denied, %zu", strerror(cases[i].err), rc, o.denied,
				 o.n);
		free(o.list);
		opened = 0;
		fails_at = 1;
		assert_int_equal(hold_others(&t->root, &o), -cases[i].err);
	}
	opened = fails_at = 0;
	assert_int_equal(hold_others(&t->root, &o), 0);
	assert_int_equal(o.n, 1);
	free(o.list);
}

/* A process that goes while it is looked at has none; a file that cannot be read is told. */
static void sees_no_sockets(void **state)
{
	struct tree *t = *state;
	struct hold_others o;
	char path[PATH_MAX];

	if (geteuid())
		skip();
	assert_int_equal(hold_others(&t->root, &o), -ENOENT);
	process(t, 100, NULL);
	process(t, 101, HOLDS);
	assert_int_equal(hold_others(&t->root, &o), 0);
	assert_int_equal(o.n, 1);
	free(o.list);
	/* its network is gone: EINVAL */
	tree_folder(t, "proc/100/net/unix");
	assert_int_equal(hold_others(&t->root, &o), 0);
	assert_int_equal(o.n, 1);
	assert_int_equal(o.denied, 0);
	free(o.list);
	assert_int_equal(rmdir(tree_path(t, "proc/100/net/unix", path)), 0);
	tree_link(t, "proc/100/net/unix", "unix");
	assert_int_equal(hold_others(&t->root, &o), -ELOOP);
	free(o.list);
}

/* Only a name that a holder gives is one. */
static void knows_names(void **state)
{
	struct tree *t = *state;
	struct hold_others o;

	if (geteuid())
		skip();
	process(t, 100,
		LINE("/proc/self/fd/5/.sock") LINE("/proc/self/fd/5/sub/b.sock")
			LINE("/proc/self/fd/5/") LINE("/proc/self/fd/5/b.gone")
				LINE("") "\n" HOLDS LINE("/proc/self/fd/12/c.sock"));
	process(t, 7, LINE("/proc/self/fd/5/c.sock"));
	assert_int_equal(hold_others(&t->root, &o), 0);
	assert_int_equal(o.n, 3);
	assert_string_equal(o.list[0].name, "a.sock");
	assert_string_equal(o.list[1].name, "c.sock");
	assert_int_equal(o.list[1].pid, 7);
	assert_string_equal(o.list[2].name, "c.sock");
	assert_int_equal(o.list[2].pid, 100);
	assert_int_equal(o.list[0].uid, 65534);
	free(o.list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(cannot_look, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(sees_no_sockets, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(knows_names, tree_setup, tree_teardown),
	};

	return cmocka_run_group_tests_name("hold-others", tests, NULL, NULL);
}
