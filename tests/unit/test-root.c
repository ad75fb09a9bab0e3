// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "tree.h"
#include "util.h"

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
		{ "0x8086\n", 0, 0x8086 }, { "42", 0, 42 },	 { "18446744073709551615\n", 0, UINT64_MAX },
		{ "-1\n", -EINVAL, 0 },	   { "", -EINVAL, 0 },	 { "18446744073709551616\n", -ERANGE, 0 },
		{ "1 2\n", -EINVAL, 0 },   { " 1", -EINVAL, 0 }, { "1\n\n", -EINVAL, 0 },
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
	assert_true(root_text(&t->root, buf, sizeof(buf), "../%s/secret", strrchr(out.dir, '/') + 1) < 0);
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
	assert_int_equal(root_open(&r, "/proc/self/comm", &e), -ENOTDIR);
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
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		return -1;
	return syscall(SYS_openat2, -1, "", NULL, 0) == -1 && errno == ENOSYS ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_files, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(reads_numbers, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(follows_links_inside, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(never_leaves, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(never_waits, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(long_paths, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(writes_only_when_live, tree_setup, tree_teardown),
		cmocka_unit_test(opens_roots),
	};
	int failed = cmocka_run_group_tests_name("root", tests, NULL, NULL);

	return failed + cmocka_run_group_tests_name("root without openat2", tests, forget_openat2, NULL);
}
