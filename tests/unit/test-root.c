// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "tree.h"
#include "base/util.h"

static void reads_files(void **state)
{
	struct tree *t = *state;
	char buf[16];
	uint64_t n;

	tree_text(t, "sys/a/text", "hello\n");
	tree_text(t, "sys/a/lines", "one\ntwo\n");
	tree_text(t, "sys/a/empty", "");
	assert_int_equal(root_text(&t->root, buf, sizeof(buf), "/sys/%s/text", "a"), 5);
	assert_string_equal(buf, "hello");
	assert_int_equal(root_text(&t->root, buf, sizeof(buf), "sys/a/lines"), 7);
	assert_string_equal(buf, "one\ntwo");
	assert_int_equal(root_text(&t->root, buf, 4, "sys/a/text"), 3);
	assert_string_equal(buf, "hel");
	assert_int_equal(root_text(&t->root, buf, sizeof(buf), "sys/a/empty"), 0);
	assert_string_equal(buf, "");
	assert_int_equal(root_read(&t->root, buf, sizeof(buf), "sys/a/text"), 6);
	assert_int_equal(root_text(&t->root, buf, sizeof(buf), "sys/a/none"), -ENOENT);
	assert_string_equal(buf, "");
	assert_int_equal(root_number(&t->root, &n, "sys/a/text"), -EINVAL);
}

static void reads_numbers(void **state)
{
	static const struct {
		const char *text;
		int rc;
		uint64_t n;
	} row[] = {
		{ "0x8086\n", 0, 0x8086 },
		{ "42", 0, 42 },
		{ "18446744073709551615\n", 0, UINT64_MAX },
		{ "-1\n", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "18446744073709551616\n", -ERANGE, 0 },
		{ "1 2\n", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1\n\n", -EINVAL, 0 },
	};
	struct tree *t = *state;

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		uint64_t n = 0;

		tree_text(t, "n", row[i].text);
		assert_int_equal(root_number(&t->root, &n, "n"), row[i].rc);
		assert_int_equal(n, row[i].n);
	}
}

static void follows_links_inside(void **state)
{
	struct tree *t = *state;
	char buf[64];

	tree_text(t, "sys/devices/x/vendor", "0x1\n");
	tree_link(t, "sys/bus/x", "../devices/x");
	tree_link(t, "sys/bus/absolute", "/sys/devices/x");
	tree_link(t, "sys/bus/twice", "absolute/../x");
	tree_link(t, "sys/devices/x/driver", "../../drivers/vfio-pci");
	tree_folder(t, "sys/drivers/vfio-pci");
	tree_link(t, "sys/devices/x/dangling", "../../drivers/nobody");
	tree_link(t, "sys/devices/x/dots", "../..");
	assert_int_equal(root_text(&t->root, buf, sizeof(buf), "sys/bus/x/vendor"), 3);
	assert_int_equal(root_text(&t->root, buf, sizeof(buf), "sys/bus/absolute/vendor"), 3);
	assert_int_equal(root_text(&t->root, buf, sizeof(buf), "sys/bus/twice/./vendor"), 3);
	assert_int_equal(root_link(&t->root, buf, sizeof(buf), "sys/bus/x/driver"), 8);
	assert_string_equal(buf, "vfio-pci");
	assert_int_equal(root_link(&t->root, buf, sizeof(buf), "sys/bus/x/dots"), -EINVAL);
	assert_int_equal(root_link(&t->root, buf, sizeof(buf), "sys/bus/x/vendor"), -EINVAL);
	assert_int_equal(root_link(&t->root, buf, sizeof(buf), "sys/bus/x/none"), -ENOENT);
	assert_int_equal(root_link(&t->root, buf, sizeof(buf), "sys/bus/x/dangling"), -ENOENT);
	assert_string_equal(buf, "");
	assert_true(root_exists(&t->root, "sys/bus/x"));
	assert_true(root_exists(&t->root, "sys/bus/x/driver"));
	assert_false(root_exists(&t->root, "sys/bus/x/dangling"));
}

/* Links that would lead out of the tree stay in it, where nothing is. */
static void never_leaves(void **state)
{
	struct tree *t = *state, out;
	char path[PATH_MAX], buf[64];

	tree_new(&out);
	tree_text(&out, "secret", "escaped");
	tree_link(t, "absolute", tree_path(&out, "secret", path));
	snprintf(path, sizeof(path), "../%s/secret", strrchr(out.dir, '/') + 1);
	tree_link(t, "relative", path);
	tree_link(t, "folder", "../../../../../../../../");
	tree_link(t, "self", "self");
	tree_link(t, "pair", "riap");
	tree_link(t, "riap", "pair");
	assert_true(root_text(&t->root, buf, sizeof(buf), "absolute") < 0);
	assert_true(root_text(&t->root, buf, sizeof(buf), "relative") < 0);
	assert_true(root_text(&t->root, buf, sizeof(buf), "folder%s/secret", out.dir) < 0);
	assert_true(root_link(&t->root, buf, sizeof(buf), "absolute") < 0);
	assert_true(root_link(&t->root, buf, sizeof(buf), "relative") < 0);
	assert_true(root_text(&t->root, buf, sizeof(buf), "../%s/secret",
			      strrchr(out.dir, '/') + 1) < 0);
	assert_int_equal(root_text(&t->root, buf, sizeof(buf), "self"), -ELOOP);
	assert_int_equal(root_text(&t->root, buf, sizeof(buf), "pair"), -ELOOP);
	tree_text(t, "inside", "here");
	assert_int_equal(root_text(&t->root, buf, sizeof(buf), "folder/inside"), 4);
	tree_free(&out);
}

static void never_waits(void **state)
{
	struct tree *t = *state;
	char buf[16];
	FILE *f;

	tree_fifo(t, "fifo");
	tree_folder(t, "folder");
	tree_link(t, "link", "fifo");
	alarm(10); /* a test that hangs is a test that fails */
	assert_int_equal(root_text(&t->root, buf, sizeof(buf), "fifo"), -EINVAL);
	assert_int_equal(root_text(&t->root, buf, sizeof(buf), "link"), -EINVAL);
	assert_int_equal(root_read(&t->root, buf, sizeof(buf), "folder"), -EINVAL);
	f = root_stream(&t->root, "fifo");
	assert_null(f);
	assert_int_equal(errno, EINVAL);
	assert_null(root_opendir(&t->root, "fifo"));
	assert_int_equal(errno, ENOTDIR);
	alarm(0);
}

static void long_paths(void **state)
{
	struct tree *t = *state;
	char name[PATH_MAX], buf[8];

	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(root_text(&t->root, buf, sizeof(buf), "x/%s", name), -ENAMETOOLONG);
	name[300] = '\0';
	assert_int_equal(root_text(&t->root, buf, sizeof(buf), "%s", name), -ENAMETOOLONG);
	for (int i = 0; i < 300; i++)
		name[i] = i % 2 ? '/' : '.';
	tree_text(t, "here", "x");
	assert_int_equal(root_text(&t->root, buf, sizeof(buf), "%s/here", name), 1);
}

static void writes_only_when_live(void **state)
{
	struct tree *t = *state;
	char buf[16];

	tree_text(t, "sys/file", "old");
	assert_false(t->root.live);
	assert_int_equal(root_write(&t->root, "new", "sys/file"), -EROFS);
	assert_true(root_text(&t->root, buf, sizeof(buf), "sys/file") > 0);
	assert_string_equal(buf, "old");
}

static void opens_roots(void **state)
{
	struct root r;
	struct error e;
	char buf[64];

	(void)state;
	assert_int_equal(root_open(&r, NULL, &e), 0);
	assert_true(r.live);
	assert_true(root_text(&r, buf, sizeof(buf), "/proc/self/comm") > 0);
	root_close(&r);
	assert_int_equal(r.fd, -1);
	assert_int_equal(root_open(&r, "/proc/..", &e), 0);
	assert_true(r.live);
	root_close(&r);
	assert_int_equal(root_open(&r, "/nowhere/at/all", &e), -ENOENT);
	assert_int_equal(e.cause, CAUSE_FAILED);
	assert_non_null(strstr(e.message, "/nowhere/at/all"));
	/* a file that is no capture */
	assert_int_equal(root_open(&r, "/proc/self/comm", &e), -EBADMSG);
}

/* From here on this process has no openat2(), as on Linux 5.5 and in old sandboxes. */
static int forget_openat2(void **state)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = ARRAY_SIZE(code), .filter = code };

	(void)state;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		return -1;
	return syscall(SYS_openat2, -1, "", NULL, 0) == -1 && errno == ENOSYS ? 0 : -1;
}

/* All the ways to look at a file that is there. Returns how many of them say @rc. */
static unsigned int looks(const struct root *r, int rc)
{
	uint64_t n;
	char buf[16];
	struct root_dir *dir = root_opendir(r, "sys/a");
	unsigned int said = !dir && errno == -rc;
	FILE *f = root_stream(r, "sys/a/number");

	said += !f && errno == -rc;
	assert_false(dir || f);
	said += root_read(r, buf, sizeof(buf), "sys/a/number") == rc;
	said += root_text(r, buf, sizeof(buf), "sys/a/number") == rc;
	said += root_number(r, &n, "sys/a/number") == rc;
	said += root_link(r, buf, sizeof(buf), "sys/a/link") == rc;
	said += root_openf(r, O_PATH, "sys/a/number") == rc;
	assert_false(root_exists(r, "sys/a/number"));
	return said;
}

static void what_could_not_be_looked_at(void **state)
{
	struct tree *t = *state;
	struct error e = { 0 };
	struct rlimit before;
	unsigned int since;

	tree_text(t, "sys/a/number", "1\n");
	tree_link(t, "sys/a/link", "number");
	/* what is not there, and what is of another kind, was looked at */
	assert_false(root_exists(&t->root, "sys/b"));
	assert_null(root_opendir(&t->root, "sys/b"));
	assert_null(root_opendir(&t->root, "sys/a/number"));
	assert_null(root_stream(&t->root, "sys/a"));
	assert_int_equal(root_misses(&t->root), 0);
	assert_int_equal(root_missed(&t->root, 0), 0);
	before = tree_exhaust(0);
	assert_int_equal(looks(&t->root, -EMFILE), 7);
	tree_plenty(&before);
	/* each of them, and whether it is there */
	assert_int_equal(root_misses(&t->root), 8);
	assert_int_equal(root_missed(&t->root, 0), -EMFILE);
	assert_int_equal(root_missed(&t->root, 7), -EMFILE);
	assert_int_equal(root_missed(&t->root, 8), 0);
	assert_int_equal(root_fail_missed(&t->root, &e), -EMFILE);
	assert_int_equal(e.cause, CAUSE_FAILED);
	assert_string_equal(
		e.message, "cannot read /sys/a/number (nor 7 before it): the answer is incomplete");
	assert_non_null(strstr(e.hint, "ulimit -n"));
	/* that was told */
	assert_int_equal(root_missed(&t->root, 0), 0);
	since = root_misses(&t->root);
	before = tree_exhaust(0);
	assert_false(root_exists(&t->root, "sys/a/number"));
	tree_plenty(&before);
	assert_int_equal(root_missed(&t->root, since), -EMFILE);
	root_forgive(&t->root);
	assert_int_equal(root_missed(&t->root, since), 0);
}

static void what_may_not_be_looked_at(void **state)
{
	struct tree *t = *state;
	struct error e = { 0 };
	char path[PATH_MAX];

	if (geteuid() != 0)
		skip();
	tree_text(t, "sys/a/number", "1\n");
	tree_text(t, "proc/7/fd/x", "1\n");
	tree_text(t, "sys/kernel/debug/x", "1\n");
	assert_int_equal(chmod(tree_path(t, "sys/a", path), 0), 0);
	assert_int_equal(chmod(tree_path(t, "proc/7/fd", path), 0), 0);
	assert_int_equal(chmod(tree_path(t, "sys/kernel/debug", path), 0), 0);
	assert_int_equal(chmod(t->dir, 0755), 0);
	assert_int_equal(seteuid(65534), 0);
	/* of other users' processes, and of debugfs, that is as it should be */
	assert_null(root_opendir(&t->root, "proc/7/fd"));
	assert_int_equal(errno, EACCES);
	assert_false(root_exists(&t->root, "sys/kernel/debug/x"));
	assert_int_equal(root_misses(&t->root), 0);
	assert_false(root_exists(&t->root, "sys/a/number"));
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(root_missed(&t->root, 0), -EACCES);
	assert_int_equal(root_fail_missed(&t->root, &e), -EACCES);
	assert_string_equal(e.message, "cannot read /sys/a/number: the answer is incomplete");
	assert_string_equal(e.hint, "run it as root");
}

/* The kernel's own file of a process' memory, whose first page nobody has. */
static void a_read_that_fails(void **state)
{
	struct error e = { 0 };
	struct root live;
	char buf[16];

	(void)state;
	assert_int_equal(root_open(&live, NULL, &e), 0);
	assert_int_equal(root_read(&live, buf, sizeof(buf), "proc/self/mem"), -EIO);
	assert_int_equal(root_missed(&live, 0), -EIO);
	root_close(&live);
}

static void errnos(void **state)
{
	static const int absent[] = { -ENOENT, -ENOTDIR, -ENODEV, -ENXIO, -ESRCH },
			 exhausted[] = { -EMFILE, -ENFILE, -ENOMEM },
			 unread[] = { -EIO, -EACCES, -EPERM, -ESTALE, -ETIMEDOUT },
			 malformed[] = { -EINVAL, -ELOOP, -EISDIR };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
		assert_true(root_absent(absent[i]) && !root_unread(absent[i]) &&
			    !root_exhausted(absent[i]));
	for (size_t i = 0; i < ARRAY_SIZE(exhausted); i++)
		assert_true(!root_absent(exhausted[i]) && root_unread(exhausted[i]) &&
			    root_exhausted(exhausted[i]));
	for (size_t i = 0; i < ARRAY_SIZE(unread); i++)
		assert_true(!root_absent(unread[i]) && root_unread(unread[i]) &&
			    !root_exhausted(unread[i]));
	for (size_t i = 0; i < ARRAY_SIZE(malformed); i++)
		assert_false(root_absent(malformed[i]) || root_unread(malformed[i]));
	for (int rc = 0; rc < 3; rc++)
		assert_false(root_absent(rc) || root_unread(rc) || root_exhausted(rc));
}

/* From no byte at all to the limit: one read, several, and too much. */
static void text_of_any_length(void **state)
{
	static const size_t len[] = { 0, 1, 4095, 4096, 4097, 8192, 60000, ROOT_TEXT_MAX };
	_cleanup_free_ char *whole = malloc(ROOT_TEXT_MAX + 2);
	struct tree *t = *state;
	char *text;

	assert_non_null(whole);
	for (size_t i = 0; i < ARRAY_SIZE(len); i++) {
		memset(whole, 'a', len[i]);
		whole[len[i]] = '\0';
		tree_text(t, "long", whole);
		assert_int_equal(root_text_dup(&t->root, &text, "long"), len[i]);
		assert_string_equal(text, whole);
		free(text);
	}
	memset(whole, 'a', ROOT_TEXT_MAX + 1);
	whole[ROOT_TEXT_MAX + 1] = '\0';
	tree_text(t, "long", whole);
	assert_int_equal(root_text_dup(&t->root, &text, "long"), -EFBIG);
	assert_null(text);
	assert_false(root_unread(-EFBIG));
	tree_text(t, "line", "a\nb\n");
	assert_int_equal(root_text_dup(&t->root, &text, "line"), 3);
	assert_string_equal(text, "a\nb");
	free(text);
	assert_int_equal(root_text_dup(&t->root, &text, "none"), -ENOENT);
	assert_null(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_files, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(reads_numbers, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(follows_links_inside, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(never_leaves, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(never_waits, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(text_of_any_length, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(long_paths, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(writes_only_when_live, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(what_could_not_be_looked_at, tree_setup,
						tree_teardown),
		cmocka_unit_test_setup_teardown(what_may_not_be_looked_at, tree_setup,
						tree_teardown),
		cmocka_unit_test(a_read_that_fails),
		cmocka_unit_test(errnos),
		cmocka_unit_test(opens_roots),
	};
	int failed = cmocka_run_group_tests_name("root", tests, NULL, NULL);

	return failed +
	       cmocka_run_group_tests_name("root without openat2", tests, forget_openat2, NULL);
}
