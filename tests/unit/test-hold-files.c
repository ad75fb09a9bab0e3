// SPDX-License-Identifier: GPL-2.0-or-later
/* What lies in the folder of holders' sockets: whose it is, its modes, links, and what a failing system call makes of
 * it. connect() is the test's own. */
#include <dlfcn.h>
#include <errno.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "runtime/holders.h"
#include "tree.h"
#include "base/util.h"

#define PATIENCE 1000000

static int refusal; /* errno of connect() */

int connect(int sock, const struct sockaddr *address, socklen_t size)
{
	int (*real)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");

	if (!refusal)
		return real(sock, address, size);
	errno = refusal;
	return -1;
}

static int folder(const struct tree *t)
{
	int dir = open(t->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(dir >= 0);
	return dir;
}

/* The name of a device is the same in each version of the tool: holders outlive updates. */
static void names_stay(void **state)
{
	char buf[HOLD_NAME], device[128] = "vfio-user:/";

	(void)state;
	assert_string_equal(hold_name(".hidden", buf), "28280da0cdcb6865.sock");
	memset(device + strlen(device), 'x', 90);
	assert_string_equal(hold_name(device, buf), "fb4c73edc8f54010.sock");
	assert_string_equal(hold_name_device("x%41.sock", buf), "xA");
	assert_string_equal(hold_name_device("%41x.sock", buf), "Ax");
	assert_string_equal(hold_name_device("x%4.sock", buf), "x%4");
	assert_true(hold_is_shared("vfio-user:/run/x"));
	assert_true(hold_is_shared("01:00.0"));
	assert_false(hold_is_shared("vfio-use"));
	assert_false(hold_is_shared("sim:msix=8"));
}

/* Which failures mean that nobody holds it, and what is told of the others. */
static void cannot_connect(void **state)
{
	static const struct {
		int err, rc;
		enum cause cause;
		const char *says;
	} cases[] = {
		{ ENOENT, -ENOENT, CAUSE_NONE, "" },
		{ ECONNREFUSED, -ECONNREFUSED, CAUSE_NONE, "" },
		{ EAGAIN, -ETIMEDOUT, CAUSE_BUSY,
		  "its holder does not answer, and many wait for it" },
		{ EACCES, -EACCES, CAUSE_PERMISSION,
		  "the holder's socket a.sock can't be reached" },
		{ EIO, -EIO, CAUSE_FAILED, "the holder's socket a.sock can't be reached" },
	};
	struct tree *t = *state;
	int dir = folder(t);
	pid_t pid;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error e = { 0 };

		refusal = cases[i].err;
		assert_int_equal(hold_connect(dir, "a.sock", &pid, &e), cases[i].rc);
		assert_int_equal(e.cause, cases[i].cause);
		assert_string_equal(e.message, cases[i].says);
	}
	refusal = 0;
	close(dir);
}

/* A socket of another user in a folder of our own is not believed. */
static void served_by_others(void **state)
{
	struct tree *t = *state;
	int dir, sock;
	struct error e = { 0 };
	struct rlimit before;
	pid_t pid;

	assert_false(hold_peer_allowed(-1, &pid));
	if (geteuid())
		skip();
	dir = folder(t);
	assert_int_equal(fchown(dir, 1234, 1234), 0);
	assert_int_equal(seteuid(1234), 0);
	sock = hold_listen(dir, "a.sock", PATIENCE, &e);
	assert_int_equal(seteuid(0), 0);
	assert_true(sock >= 0);
	assert_int_equal(hold_connect(dir, "a.sock", &pid, &e), -EPERM);
	assert_int_equal(e.cause, CAUSE_PERMISSION);
	assert_string_equal(e.message, "the socket a.sock is served by somebody else");
	/* nor taken away */
	assert_int_equal(hold_listen(dir, "a.sock", PATIENCE, &e), -EADDRINUSE);
	assert_string_equal(e.message, "a.sock is in the way");
	assert_int_equal(e.cause, CAUSE_FAILED);
	hold_tidy(dir, "a.sock");
	assert_true(root_exists(&t->root, "a.sock"));
	close(sock);
	/* root's are believed by everybody */
	hold_unlink(dir, "a.sock");
	sock = hold_listen(dir, "a.sock", PATIENCE, &e);
	assert_int_equal(chmod(t->dir, 0777), 0);
	assert_int_equal(fchownat(dir, "a.sock", 1234, 1234, 0), 0);
	assert_int_equal(seteuid(1234), 0);
	close(hold_connect(dir, "a.sock", &pid, &e));
	assert_int_equal(pid, getpid());
	assert_int_equal(seteuid(0), 0);
	before = tree_exhaust(0);
	assert_int_equal(hold_connect(dir, "a.sock", &pid, &e), -EMFILE);
	tree_plenty(&before);
	close(sock);
	close(dir);
}

/* What listens is not inherited and does not wait, and the process's own mode for new files stays. */
static void listens_well(void **state)
{
	struct tree *t = *state;
	int dir = folder(t), other = folder(t), sock, second;
	mode_t before = umask(027);
	struct error e = { 0 };
	struct rlimit limit;
	char path[PATH_MAX];

	sock = hold_listen(dir, "a.sock", PATIENCE, &e);
	assert_true(sock >= 0);
	assert_int_equal(umask(before), 027);
	assert_true(fcntl(sock, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(sock, F_GETFL) & O_NONBLOCK);
	/* the folder is free for the next */
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	/* and while another process has its lock nothing is taken away */
	close(sock);
	hold_tidy(dir, "a.sock");
	assert_true(root_exists(&t->root, "a.sock"));
	assert_int_equal(flock(other, LOCK_UN), 0);
	hold_tidy(dir, "a.sock");
	assert_false(root_exists(&t->root, "a.sock"));
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(flock(other, LOCK_UN), 0);
	/* a name that is a link to a socket is no socket */
	sock = hold_listen(dir, "a.sock", PATIENCE, &e);
	tree_link(t, "b.sock", "a.sock");
	hold_unlink(dir, "b.sock");
	assert_int_equal(readlink(tree_path(t, "b.sock", path), path, sizeof(path)), 6);
	limit = tree_exhaust(0);
	second = hold_listen(dir, "c.sock", PATIENCE, &e);
	tree_plenty(&limit);
	assert_int_equal(second, -EMFILE);
	assert_string_equal(e.message, "no socket");
	close(sock);
	/* a folder that is gone takes no name */
	tree_folder(t, "gone");
	sock = open(tree_path(t, "gone", path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(hold_listen(sock, "a.sock", PATIENCE, &e), -ENOENT);
	assert_string_equal(e.message, "the socket a.sock can't be made");
	close(sock);
	close(dir);
	close(other);
}

/* The reason that is left is a file of our own: links are neither followed nor written through. */
static void words_are_files(void **state)
{
	struct tree *t = *state;
	int dir = folder(t);
	char name[HOLD_NAME], other[HOLD_NAME], long_one[5000], text[16] = "", *word;
	struct stat st;

	tree_text(t, "elsewhere", "untouched");
	tree_link(t, "a.gone", "elsewhere");
	assert_null(hold_exit_reason(dir, "a.sock"));
	hold_set_exit_reason(dir, "a.sock", "it went");
	assert_int_equal(root_text(&t->root, text, sizeof(text), "elsewhere"), 9);
	assert_string_equal(text, "untouched");
	assert_int_equal(fstatat(dir, "a.gone", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	/* who reads it is not made to wait, and one without words is none */
	tree_fifo(t, "b.gone");
	assert_null(hold_exit_reason(dir, "b.sock"));
	tree_text(t, "c.gone", "");
	assert_null(hold_exit_reason(dir, "c.sock"));
	hold_set_exit_reason(dir, "plain", "why");
	assert_true(root_exists(&t->root, "plain.gone"));
	/* the longest names differ at their ends */
	memset(name, 'n', sizeof(name));
	memcpy(name + HOLD_NAME - 6, ".sock", 6);
	memcpy(other, name, sizeof(name));
	other[HOLD_NAME - 7] = 'm';
	hold_set_exit_reason(dir, name, "first");
	hold_set_exit_reason(dir, other, "second");
	word = hold_exit_reason(dir, name);
	assert_non_null(strstr(word, ": first"));
	free(word);
	/* a long one is told as far as it goes, and one of a letter is one */
	memset(long_one, 'x', sizeof(long_one));
	tree_bytes(t, "d.gone", long_one, sizeof(long_one));
	word = hold_exit_reason(dir, "d.sock");
	assert_int_equal(strlen(word), 4096);
	free(word);
	tree_text(t, "e.gone", "y");
	word = hold_exit_reason(dir, "e.sock");
	assert_string_equal(word, "y");
	free(word);
	close(dir);
}

/* The folder is made, closed to others, or the reason is told why not. */
static void folder_fails(void **state)
{
	struct tree *t = *state;
	struct error e = { 0 };
	struct rlimit before;
	char path[PATH_MAX];
	struct stat st;
	int dir;

	if (geteuid())
		skip();
	assert_int_equal(chmod(t->dir, 0777), 0);
	assert_int_equal(seteuid(65534), 0);
	setenv("XDG_RUNTIME_DIR", tree_path(t, "none/", path), 1);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(seteuid(65534), 0);
	assert_int_equal(hold_dir_open(true, &e), -ENOENT);
	assert_non_null(strstr(e.message, "none//msictl can't be made"));
	setenv("XDG_RUNTIME_DIR", t->dir, 1);
	dir = hold_dir_open(true, &e);
	assert_true(dir >= 0);
	assert_true(fcntl(dir, F_GETFD) & FD_CLOEXEC);
	close(dir);
	/* any right of others is one too many */
	for (unsigned int bit = 1; bit <= 040; bit <<= 1) {
		assert_int_equal(chmod(tree_path(t, "msictl", path), 0700 | bit), 0);
		dir = hold_dir_open(true, &e);
		assert_true(dir >= 0);
		close(dir);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0700);
	}
	before = tree_exhaust(0);
	dir = hold_dir_open(false, &e);
	tree_plenty(&before);
	assert_int_equal(dir, -EMFILE);
	assert_non_null(strstr(e.message, "/msictl, where holders are found, cannot be looked at"));
	assert_int_equal(e.cause, CAUSE_FAILED);
	assert_int_equal(seteuid(0), 0);
	unsetenv("XDG_RUNTIME_DIR");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_stay),
		cmocka_unit_test_setup_teardown(cannot_connect, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(served_by_others, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(listens_well, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(words_are_files, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(folder_fails, tree_setup, tree_teardown),
	};

	return cmocka_run_group_tests_name("hold-files", tests, NULL, NULL);
}
