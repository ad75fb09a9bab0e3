// SPDX-License-Identifier: GPL-2.0-or-later
/* The folder of holders' sockets: names, who is there, who has gone. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "runtime/holders.h"
#include "tree.h"
#include "base/util.h"

#define PATIENCE 1000000

static int folder(const struct tree *t)
{
	int dir = open(t->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(dir >= 0);
	return dir;
}

static void names(void **state)
{
	static const struct {
		const char *device, *name;
	} cases[] = {
		{ "01:00.0", "0000:01:00.0.sock" },
		{ "0000:01:00.0", "0000:01:00.0.sock" },
		{ "10000:01:00.0", "10000:01:00.0.sock" },
		{ "sim:msix=64,noresize", "sim:msix=64,noresize.sock" },
		{ "vfio-user:/a b/c%d", "vfio-user:%2fa%20b%2fc%25d.sock" },
	};
	char buf[HOLD_NAME], back[HOLD_NAME];
	struct pci_addr a;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(hold_name(cases[i].device, buf), cases[i].name);
	assert_string_equal(hold_name_device("vfio-user:%2fa%20b%2fc%25d.sock", back),
			    "vfio-user:/a b/c%d");
	assert_string_equal(hold_name_device("odd%2.sock", back), "odd%2");
	assert_string_equal(hold_name_device("odd%zz%00.sock", back), "odd%zz%00");
	assert_true(hold_name_address("0000:01:00.1.sock", &a));
	assert_int_equal(a.fn, 1);
	assert_false(hold_name_address("sim.sock", &a));
}

/* The longest name that fits, and one that does not: each device has a name of its own. */
static void long_names(void **state)
{
	char device[200], a[HOLD_NAME], b[HOLD_NAME], back[HOLD_NAME];

	(void)state;
	memset(device, 'x', sizeof(device));
	for (size_t n = 60; n < 120; n++) {
		device[n - 1] = 'y';
		device[n] = '\0';
		hold_name(device, a);
		device[n - 1] = 'z';
		hold_name(device, b);
		device[n - 1] = device[n] = 'x';
		assert_string_not_equal(a, b);
		assert_true(hold_is_name(a));
		if (n == 73)
			assert_int_equal(strlen(hold_name_device(a, back)), 73);
		if (n >= 74)
			assert_int_equal(strlen(hold_name_device(a, back)), 16);
	}
	/* a file of that name would be hidden */
	assert_string_not_equal(hold_name(".hidden", a), ".hidden.sock");
	assert_true(a[0] != '.');
}

static void listens(void **state)
{
	struct tree *t = *state;
	int dir = folder(t), sock, other;
	struct error e = { 0 };
	struct stat st;
	pid_t pid = 0;

	assert_int_equal(hold_connect(dir, "a.sock", &pid, &e), -ENOENT);
	sock = hold_listen(dir, "a.sock", PATIENCE, &e);
	assert_true(sock >= 0);
	assert_int_equal(fstatat(dir, "a.sock", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	other = hold_connect(dir, "a.sock", &pid, &e);
	assert_true(other >= 0);
	assert_int_equal(pid, getpid());
	close(other);
	assert_int_equal(hold_listen(dir, "a.sock", PATIENCE, &e), -EADDRINUSE);
	assert_int_equal(e.cause, CAUSE_BUSY);
	assert_non_null(strstr(e.message, "it is held already, by pid "));
	/* a name of a living holder is not taken away */
	hold_tidy(dir, "a.sock");
	other = hold_connect(dir, "a.sock", &pid, &e);
	assert_true(other >= 0);
	close(other);
	close(sock);
	assert_int_equal(hold_connect(dir, "a.sock", &pid, &e), -ECONNREFUSED);
	/* one that was killed leaves its name, for the next */
	sock = hold_listen(dir, "a.sock", PATIENCE, &e);
	assert_true(sock >= 0);
	close(sock);
	hold_tidy(dir, "a.sock");
	assert_int_equal(hold_connect(dir, "a.sock", &pid, &e), -ENOENT);
	close(dir);
}

/* What is no socket is nobody's, and stays. */
static void in_the_way(void **state)
{
	struct tree *t = *state;
	int dir = folder(t);
	struct error e = { 0 };
	pid_t pid;

	tree_text(t, "a.sock", "mine\n");
	assert_true(hold_listen(dir, "a.sock", PATIENCE, &e) < 0);
	assert_true(e.message[0]);
	hold_unlink(dir, "a.sock");
	hold_tidy(dir, "a.sock");
	assert_true(root_exists(&t->root, "a.sock"));
	assert_true(hold_connect(dir, "a.sock", &pid, &e) < 0);
	close(dir);
}

static void lists(void **state)
{
	struct tree *t = *state;
	int dir = folder(t);
	char(*list)[HOLD_NAME] = NULL;
	char name[100];

	assert_int_equal(hold_list(dir, &list), 0);
	free(list);
	tree_text(t, "b.sock", "");
	tree_text(t, "a.sock", "");
	tree_text(t, "a.gone", "");
	tree_text(t, ".sock", "");
	tree_text(t, "a.sock.x", "");
	memset(name, 'n', sizeof(name));
	memcpy(name + HOLD_NAME - 6, ".sock", 6);
	tree_text(t, name, "");
	memcpy(name + HOLD_NAME - 5, ".sock", 6);
	tree_text(t, name, "");
	assert_int_equal(hold_list(dir, &list), 3);
	assert_string_equal(list[0], "a.sock");
	assert_string_equal(list[1], "b.sock");
	assert_int_equal(strlen(list[2]), HOLD_NAME - 1);
	free(list);
	close(dir);
	assert_true(hold_list(-1, &list) < 0);
}

static void words(void **state)
{
	struct tree *t = *state;
	int dir = folder(t), sock;
	char *word, at[16];
	struct error e;

	assert_null(hold_exit_reason(dir, "a.sock"));
	hold_set_exit_reason(dir, "a.sock", "first");
	hold_set_exit_reason(dir, "a.sock", "it went\n");
	hold_set_exit_reason(dir, "b.sock", "other");
	word = hold_exit_reason(dir, "a.sock");
	assert_non_null(word);
	assert_int_equal(sscanf(word, "let go at 2%15s", at), 1);
	assert_non_null(strstr(word, ": it went\\x0a"));
	assert_null(strstr(word, "first"));
	free(word);
	sock = hold_listen(dir, "a.sock", PATIENCE, &e);
	assert_true(sock >= 0);
	assert_null(hold_exit_reason(dir, "a.sock"));
	word = hold_exit_reason(dir, "b.sock");
	assert_non_null(strstr(word, "other"));
	free(word);
	hold_clear_exit_reason(dir, "b.sock");
	assert_null(hold_exit_reason(dir, "b.sock"));
	close(sock);
	close(dir);
}

/* A path means the same in every folder, also when its socket is gone. */
static void devices(void **state)
{
	struct tree *t = *state;
	char here[PATH_MAX], want[PATH_MAX], *got;
	static const char *const same[] = { "01:00.0", "sim:msix=8",
					    "vfio-user:", "vfio-user:/nowhere/there/s" };

	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(chdir(t->dir), 0);
	got = hold_device("vfio-user:s");
	snprintf(want, sizeof(want), "vfio-user:%s/s", t->dir);
	assert_string_equal(got, want);
	free(got);
	tree_text(t, "sub/s", "");
	got = hold_device("vfio-user:sub/../sub/s");
	snprintf(want, sizeof(want), "vfio-user:%s/sub/s", t->dir);
	assert_string_equal(got, want);
	free(got);
	got = hold_device("vfio-user:sub/gone");
	snprintf(want, sizeof(want), "vfio-user:%s/sub/gone", t->dir);
	assert_string_equal(got, want);
	free(got);
	got = hold_device("vfio-user:/gone-from-root");
	assert_string_equal(got, "vfio-user:/gone-from-root");
	free(got);
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		got = hold_device(same[i]);
		assert_string_equal(got, same[i]);
		free(got);
	}
	assert_int_equal(chdir(here), 0);
}

/* Of a user who is not root: the folder in XDG_RUNTIME_DIR, which is closed to all others. */
static void folder_of_a_user(void **state)
{
	struct tree *t = *state;
	struct error e = { 0 };
	char path[PATH_MAX];
	struct stat st;
	int dir;

	if (geteuid())
		skip();
	assert_int_equal(chmod(t->dir, 0777), 0);
	assert_int_equal(seteuid(65534), 0);
	unsetenv("XDG_RUNTIME_DIR");
	assert_true(hold_dir_open(true, &e) < 0);
	assert_non_null(strstr(e.message, "XDG_RUNTIME_DIR names no folder"));
	assert_string_equal(e.hint, "export XDG_RUNTIME_DIR=/run/user/65534");
	assert_int_equal(hold_dir_open(false, &e), -ENOENT);
	setenv("XDG_RUNTIME_DIR", "relative", 1);
	assert_true(hold_dir_open(true, &e) < 0);
	setenv("XDG_RUNTIME_DIR", t->dir, 1);
	assert_int_equal(hold_dir_open(false, &e), -ENOENT);
	dir = hold_dir_open(true, &e);
	assert_true(dir >= 0);
	close(dir);
	snprintf(path, sizeof(path), "%s/msictl", t->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(st.st_uid, 65534);
	/* open to others: closed again */
	assert_int_equal(chmod(path, 0755), 0);
	dir = hold_dir_open(false, &e);
	assert_true(dir >= 0);
	close(dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(seteuid(0), 0);
	/* another user's, or a link to somewhere else */
	assert_int_equal(chown(path, 0, 0), 0);
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(seteuid(65534), 0);
	assert_true(hold_dir_open(false, &e) < 0);
	assert_int_equal(e.cause, CAUSE_PERMISSION);
	assert_non_null(strstr(e.message, "belongs to uid 0"));
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink("/tmp", path), 0);
	assert_int_equal(seteuid(65534), 0);
	assert_true(hold_dir_open(true, &e) < 0);
	assert_non_null(strstr(e.message, "is no folder of our own"));
	assert_int_equal(seteuid(0), 0);
}

/* Who keeps the folder's lock is told, and else how to find out. */
static void locked(void **state)
{
	struct tree *t = *state;
	int dir = folder(t), other = folder(t);
	struct error e = { 0 };
	char want[64];

	assert_int_equal(hold_lock(other, 0), 0);
	assert_int_equal(hold_lock(dir, 0), -ETIMEDOUT);
	assert_int_equal(hold_lock(dir, 20000), -ETIMEDOUT);
	assert_int_equal(hold_listen(dir, "a.sock", 0, &e), -ETIMEDOUT);
	assert_int_equal(e.cause, CAUSE_BUSY);
	snprintf(want, sizeof(want), "pid %d (", getpid());
	if (!strstr(e.message, want) || !strstr(e.message, "has locked the folder of sockets"))
		fail_msg("%s", e.message);
	hold_unlock(other);
	assert_int_equal(hold_lock(dir, 0), 0);
	hold_unlock(dir);
	assert_int_equal(hold_lock(-1, 0), -EBADF);
	/* nobody's lock: the kernel does not tell */
	assert_int_equal(hold_locked(dir, -ETIMEDOUT, &e), -ETIMEDOUT);
	assert_int_equal(e.cause, CAUSE_BUSY);
	assert_string_equal(e.message, "another process has locked the folder of sockets");
	assert_string_equal(e.hint, "lslocks   lists locks and the processes that have them");
	assert_int_equal(hold_locked(dir, -EIO, &e), -EIO);
	assert_int_equal(e.cause, CAUSE_FAILED);
	close(dir);
	close(other);
}

#define UNIX_HEAD "Num RefCount Protocol Flags Type St Inode Path\n"

/* A process of uid 65534 that runs msictl and has sockets with these inodes. */
static void other(const struct tree *t, unsigned int pid, const char *comm,
		  const char *const sockets[])
{
	char path[64], full[PATH_MAX];

	snprintf(path, sizeof(path), "proc/%u/comm", pid);
	tree_text(t, path, comm);
	for (unsigned int i = 0; sockets[i]; i++) {
		snprintf(path, sizeof(path), "proc/%u/fd/%u", pid, i + 3);
		tree_link(t, path, sockets[i]);
	}
	snprintf(path, sizeof(path), "proc/%u/net/unix", pid);
	tree_text(t, path,
		  UNIX_HEAD
		  "a: 00000002 00000000 00010000 0001 01 77 /proc/self/fd/5/sim:msix=8.sock\n"
		  "b: 00000003 00000000 00000000 0001 03 78 /proc/self/fd/5/accepted.sock\n"
		  "c: 00000002 00000000 00010000 0001 01 79 /run/other.sock\n"
		  "d: 00000002 00000000 00010000 0002 01 80 /proc/self/fd/5/datagram.sock\n"
		  "e: 00000002 00000000 00010000 0001 01 81 /proc/self/fd/5/not-its-own.sock\n"
		  "f: 00000002 00000000 00010000 0001 01 82 /proc/self/fd/6/0000:01:00.0.sock\n");
	snprintf(path, sizeof(path), "proc/%u", pid);
	assert_int_equal(chown(tree_path(t, path, full), 65534, 65534), 0);
}

/* Root is told what other users hold: listening sockets that are their own, by the names that holders give them. */
static void held_by_others(void **state)
{
	static const char *const some[] = { "socket:[77]", "socket:[78]", "socket:[79]",
					    "socket:[80]", "socket:[82]", "/dev/null",
					    NULL };
	static const char *const one[] = { "socket:[82]", NULL }, *const none[] = { "pipe:[77]",
										    NULL };
	struct tree *t = *state;
	struct hold_others o;
	char path[PATH_MAX];
	bool blind = false;

	if (geteuid())
		skip();
	other(t, 100, "msictl\n", some);
	other(t, 99, "msictl\n", one);
	other(t, 101, "msictl\n", none);
	other(t, 102, "other\n", some);
	other(t, 103, "msictl\n", some);
	assert_int_equal(chown(tree_path(t, "proc/103", path), 0, 0), 0);
	tree_text(t, "proc/version", "Linux\n");
	assert_int_equal(hold_others(&t->root, &o), 0);
	assert_int_equal(o.n, 3);
	assert_string_equal(o.list[0].name, "0000:01:00.0.sock");
	assert_int_equal(o.list[0].pid, 99);
	assert_string_equal(o.list[1].name, "0000:01:00.0.sock");
	assert_int_equal(o.list[1].pid, 100);
	assert_string_equal(o.list[2].name, "sim:msix=8.sock");
	assert_int_equal(o.list[2].pid, 100);
	assert_int_equal(o.list[2].uid, 65534);
	assert_int_equal(o.denied, 0);
	free(o.list);
	/* what could not be looked at is no absence */
	for (unsigned int spare = 0; spare < 8; spare++) {
		struct rlimit before = tree_exhaust(spare);
		int rc = hold_others(&t->root, &o);

		tree_plenty(&before);
		blind = blind || rc == -EMFILE;
		assert_true(rc == -EMFILE || (rc == 0 && o.n == 3));
		free(o.list);
	}
	assert_true(blind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(long_names),
		cmocka_unit_test_setup_teardown(listens, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(in_the_way, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(lists, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(words, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(devices, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(folder_of_a_user, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(locked, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(held_by_others, tree_setup, tree_teardown),
	};

	return cmocka_run_group_tests_name("hold-dir", tests, NULL, NULL);
}
