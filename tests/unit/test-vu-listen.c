// SPDX-License-Identifier: GPL-2.0-or-later
/* The socket file of a server: who may connect, what it replaces, what it leaves alone. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "base/util.h"
#include "sim/listen.h"

/* Behind base/error.h: it makes a macro of fail(). */
#include <cmocka.h>

/* How lstat(2) fails at the @failing-th look from now on; 0: it does not. */
static int failing, failing_errno;

int lstat(const char *path, struct stat *st)
{
	if (failing && --failing == 0) {
		errno = failing_errno;
		return -1;
	}
	return fstatat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}

/* How flock(2) fails; 0: it does not. */
static int flock_errno;

int flock(int fd, int operation)
{
	if (flock_errno) {
		errno = flock_errno;
		return -1;
	}
	return (int)syscall(SYS_flock, fd, operation);
}

struct place {
	char dir[32], path[64];
};

static int place_new(void **state)
{
	static struct place p;

	copy_text(p.dir, sizeof(p.dir), "/tmp/msictl-unit-XXXXXX");
	if (!mkdtemp(p.dir))
		return -1;
	snprintf(p.path, sizeof(p.path), "%s/s", p.dir);
	*state = &p;
	return 0;
}

static int place_free(void **state)
{
	struct place *p = *state;

	unlink(p->path);
	return rmdir(p->dir);
}

static int connects(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	copy_text(sun.sun_path, sizeof(sun.sun_path), path);
	return connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 ? -errno : 0;
}

static void test_private(void **state)
{
	const struct place *p = *state;
	mode_t before = umask(0);
	struct vu_listener l;
	struct error e;
	struct stat st = { 0 };

	assert_int_equal(vu_listen(&l, p->path, &e), 0);
	assert_int_equal(umask(before), 0); /* it is as it was */
	assert_int_equal(lstat(p->path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(connects(p->path), 0);
	vu_unlisten(&l);
	close(l.fd);
	assert_int_equal(connects(p->path), -ENOENT);
}

static void test_stale(void **state)
{
	const struct place *p = *state;
	struct vu_listener l;
	struct error e;

	assert_int_equal(vu_listen(&l, p->path, &e), 0);
	close(l.fd); /* and the file stays, as after kill -9 */
	assert_int_equal(connects(p->path), -ECONNREFUSED);
	assert_int_equal(vu_listen(&l, p->path, &e), 0);
	assert_int_equal(connects(p->path), 0);
	vu_unlisten(&l);
	close(l.fd);
}

/* A file system without locks does without. */
static void test_no_locks(void **state)
{
	const struct place *p = *state;
	struct vu_listener l;
	struct error e;

	assert_int_equal(vu_listen(&l, p->path, &e), 0);
	close(l.fd);
	flock_errno = ENOLCK;
	assert_int_equal(vu_listen(&l, p->path, &e), 0);
	flock_errno = 0;
	assert_int_equal(connects(p->path), 0);
	vu_unlisten(&l);
	close(l.fd);
}

static void test_live(void **state)
{
	const struct place *p = *state;
	struct vu_listener l, other;
	struct error e = { 0 };

	assert_int_equal(vu_listen(&l, p->path, &e), 0);
	assert_int_equal(vu_listen(&other, p->path, &e), -EADDRINUSE);
	assert_int_equal(e.cause, CAUSE_BUSY);
	assert_true(e.message[0] && e.hint[0]);
	assert_int_equal(connects(p->path), 0);
	/* with as many waiting as may wait it is served all the same */
	for (int i = 0; i < 40; i++) {
		assert_int_equal(vu_listen(&other, p->path, &e), -EADDRINUSE);
		assert_int_equal(e.cause, CAUSE_BUSY);
	}
	vu_unlisten(&l);
	close(l.fd);
}

/* Who cannot look does not say that somebody serves it. */
static void test_no_descriptors(void **state)
{
	const struct place *p = *state;
	struct rlimit before, few;
	struct vu_listener l, other;
	struct error e = { 0 };
	int next, rc;

	assert_int_equal(vu_listen(&l, p->path, &e), 0);
	close(l.fd);
	next = dup(0);
	assert_true(next >= 0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	/* the server's socket and the folder, and none to connect with */
	few.rlim_cur = (rlim_t)next + 2;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	rc = vu_listen(&other, p->path, &e);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(rc, -EMFILE);
	assert_int_equal(e.cause, CAUSE_FAILED);
	assert_non_null(strstr(e.message, "cannot find out whether it is served"));
	assert_int_equal(connects(p->path), -ECONNREFUSED);
}

/* What was left behind goes away, or cannot be looked at, between two looks. */
static void test_looks(void **state)
{
	static const struct {
		int look, err;
		enum cause cause;
		const char *says;
	} cases[] = {
		{ 1, EIO, CAUSE_FAILED, "cannot be looked at" },
		{ 1, EPERM, CAUSE_PERMISSION, "cannot be looked at" },
		{ 2, EIO, CAUSE_FAILED, "the stale socket cannot be removed" },
		{ 2, EACCES, CAUSE_PERMISSION, "the stale socket cannot be removed" },
	};
	const struct place *p = *state;
	struct vu_listener l;
	struct error e = { 0 };

	assert_int_equal(vu_listen(&l, p->path, &e), 0);
	close(l.fd);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		failing = cases[i].look;
		failing_errno = cases[i].err;
		assert_int_equal(vu_listen(&l, p->path, &e), -cases[i].err);
		failing = 0;
		assert_int_equal(e.cause, cases[i].cause);
		assert_non_null(strstr(e.message, cases[i].says));
		assert_int_equal(connects(p->path), -ECONNREFUSED);
	}
	/* gone already: but the name is not free, as the test has it */
	for (int look = 1; look <= 2; look++) {
		failing = look;
		failing_errno = ENOENT;
		assert_int_equal(vu_listen(&l, p->path, &e), -EADDRINUSE);
		failing = 0;
		assert_non_null(strstr(e.message, "was taken by another process just now"));
	}
	assert_int_equal(vu_listen(&l, p->path, &e), 0);
	/* its name cannot be remembered, so it is not served */
	vu_unlisten(&l);
	close(l.fd);
	failing = 1;
	failing_errno = EIO;
	assert_int_equal(vu_listen(&l, p->path, &e), -EIO);
	failing = 0;
	assert_non_null(strstr(e.message, "the socket has gone"));
}

/* A datagram socket is alive, though no client of ours can connect. */
static void test_other_socket(void **state)
{
	const struct place *p = *state;
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct vu_listener l;
	struct error e;

	copy_text(sun.sun_path, sizeof(sun.sun_path), p->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(vu_listen(&l, p->path, &e), -EADDRINUSE);
	assert_int_equal(e.cause, CAUSE_BUSY);
	assert_int_equal(access(p->path, F_OK), 0);
}

static void test_no_socket(void **state)
{
	const struct place *p = *state;
	struct vu_listener l;
	struct error e;
	struct stat st;
	FILE *f = fopen(p->path, "we");

	assert_non_null(f);
	fputs("precious", f);
	fclose(f);
	assert_int_equal(vu_listen(&l, p->path, &e), -EEXIST);
	assert_int_equal(e.cause, CAUSE_FAILED);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_size, 8);
	unlink(p->path);

	/* a link is not followed, wherever it points */
	assert_int_equal(symlink("nowhere", p->path), 0);
	assert_int_equal(vu_listen(&l, p->path, &e), -EEXIST);
	assert_int_equal(lstat(p->path, &st), 0);
	unlink(p->path);

	assert_int_equal(vu_listen(&l, p->dir, &e), -EEXIST);
	assert_int_equal(access(p->dir, F_OK), 0);
}

/* Whether a socket is served that another user may not connect to, cannot be told. */
static void test_other_user(void **state)
{
	const struct place *p = *state;
	struct vu_listener l, other;
	struct error e = { 0 };
	int rc;

	if (geteuid())
		skip();
	assert_int_equal(vu_listen(&l, p->path, &e), 0);
	assert_int_equal(chmod(p->dir, 0777), 0);
	assert_int_equal(seteuid(65534), 0);
	rc = vu_listen(&other, p->path, &e);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(rc, -EACCES);
	assert_int_equal(e.cause, CAUSE_PERMISSION);
	assert_non_null(strstr(e.message, "is another user's socket"));
	assert_int_equal(connects(p->path), 0);
	vu_unlisten(&l);
	close(l.fd);
}

static void test_bad_path(void **state)
{
	char path[200], where[100];
	struct vu_listener l;
	struct error e;

	const struct place *p = *state;

	assert_int_equal(vu_listen(&l, "", &e), -ENAMETOOLONG);
	assert_int_equal(e.cause, CAUSE_USAGE);
	assert_string_equal(e.message,
			    "a socket's path has 1 to 107 bytes (unix(7)), this one has 0");
	memset(path, 'x', sizeof(path));
	path[108] = '\0';
	e = (struct error){ 0 };
	assert_int_equal(vu_listen(&l, path, &e), -ENAMETOOLONG);
	assert_int_equal(e.cause, CAUSE_USAGE);
	assert_non_null(strstr(e.message, "this one has 108"));
	assert_non_null(strstr(e.hint, "change to its folder"));
	snprintf(where, sizeof(where), "%s/none/s", p->dir);
	assert_int_equal(vu_listen(&l, where, &e), -ENOENT);
	assert_int_equal(e.cause, CAUSE_FAILED);

	/* a pipe is no folder, and nobody waits for its writer */
	snprintf(where, sizeof(where), "%s/pipe", p->dir);
	assert_int_equal(mkfifo(where, 0600), 0);
	snprintf(path, sizeof(path), "%s/s", where);
	assert_int_equal(vu_listen(&l, path, &e), -ENOTDIR);
	assert_int_equal(unlink(where), 0);

	/* the longest there is */
	snprintf(path, sizeof(path), "%s/", p->dir);
	memset(path + strlen(path), 'y', 107 - strlen(path));
	path[107] = '\0';
	assert_int_equal(vu_listen(&l, path, &e), 0);
	vu_unlisten(&l);
	close(l.fd);
	assert_int_equal(access(path, F_OK), -1);
}

/* Only what is ours is removed, whatever its mode has become. */
static void test_unlisten(void **state)
{
	const struct place *p = *state;
	struct vu_listener l, other;
	struct error e;

	assert_int_equal(vu_listen(&l, p->path, &e), 0);
	assert_int_equal(unlink(p->path), 0);
	assert_int_equal(vu_listen(&other, p->path, &e), 0);
	vu_unlisten(&l);
	close(l.fd);
	assert_int_equal(connects(p->path), 0);
	assert_int_equal(chmod(p->path, 0666), 0);
	vu_unlisten(&other);
	vu_unlisten(&other);
	close(other.fd);
	assert_int_equal(access(p->path, F_OK), -1);
}

/* Another of us between bind(2) and listen(2): the folder's lock is had, and the socket refuses connections. */
struct starter {
	int lock, fd;
};

static void starter_begin(struct starter *s, const struct place *p)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	*s = (struct starter){ .lock = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	assert_int_equal(flock(s->lock, LOCK_EX | LOCK_NB), 0);
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	copy_text(sun.sun_path, sizeof(sun.sun_path), p->path);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(connects(p->path), -ECONNREFUSED);
}

/* Who may open a folder may lock it for ever: it is not waited for, and what can't be told stale stays. */
static void test_locked(void **state)
{
	const struct place *p = *state;
	struct vu_listener l;
	struct error e = { 0 };
	struct starter s;

	starter_begin(&s, p);
	assert_int_equal(vu_listen(&l, p->path, &e), -EADDRINUSE);
	assert_true(l.fd < 0);
	assert_int_equal(e.cause, CAUSE_BUSY);
	assert_non_null(strstr(e.message, "locked"));
	assert_true(e.hint[0]);
	assert_int_equal(access(p->path, F_OK), 0);
	assert_int_equal(listen(s.fd, 1), 0);
	assert_int_equal(vu_listen(&l, p->path, &e), -EADDRINUSE);
	assert_non_null(strstr(e.message, "served"));
	/* a free path needs nobody's leave */
	unlink(p->path);
	assert_int_equal(vu_listen(&l, p->path, &e), 0);
	assert_int_equal(connects(p->path), 0);
	vu_unlisten(&l);
	close(l.fd);
	close(s.lock);
	close(s.fd);
}

struct brief {
	int lock;
};

static void *unlock_soon(void *arg)
{
	struct brief *b = arg;

	usleep(100000);
	flock(b->lock, LOCK_UN);
	return NULL;
}

/* Who has the lock for an instant is waited for, and what is stale is replaced then. */
static void test_locked_for_an_instant(void **state)
{
	const struct place *p = *state;
	struct vu_listener l;
	struct error e = { 0 };
	struct starter s;
	pthread_t thread;
	struct brief b;

	starter_begin(&s, p);
	b.lock = s.lock;
	assert_int_equal(pthread_create(&thread, NULL, unlock_soon, &b), 0);
	assert_int_equal(vu_listen(&l, p->path, &e), 0);
	pthread_join(thread, NULL);
	assert_int_equal(connects(p->path), 0);
	vu_unlisten(&l);
	close(l.fd);
	close(s.lock);
	close(s.fd);
}

/* The lock ends with the start: a server keeps nobody from the folder. */
static void test_lock_ends(void **state)
{
	const struct place *p = *state;
	_cleanup_fd_ int lock = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct vu_listener l;
	struct error e;

	assert_int_equal(vu_listen(&l, p->path, &e), 0);
	assert_int_equal(flock(lock, LOCK_EX | LOCK_NB), 0);
	vu_unlisten(&l);
	close(l.fd);
}

/* A name without a folder is locked where it is: in the current one. */
static void test_current_folder(void **state)
{
	const struct place *p = *state;
	_cleanup_fd_ int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct vu_listener l;
	struct starter s;
	struct error e;

	starter_begin(&s, p);
	assert_int_equal(chdir(p->dir), 0);
	assert_int_equal(vu_listen(&l, "s", &e), -EADDRINUSE);
	close(s.lock);
	close(s.fd);
	assert_int_equal(vu_listen(&l, "s", &e), 0);
	vu_unlisten(&l);
	close(l.fd);
	assert_int_equal(fchdir(before), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_private, place_new, place_free),
		cmocka_unit_test_setup_teardown(test_stale, place_new, place_free),
		cmocka_unit_test_setup_teardown(test_no_locks, place_new, place_free),
		cmocka_unit_test_setup_teardown(test_live, place_new, place_free),
		cmocka_unit_test_setup_teardown(test_looks, place_new, place_free),
		cmocka_unit_test_setup_teardown(test_no_descriptors, place_new, place_free),
		cmocka_unit_test_setup_teardown(test_other_socket, place_new, place_free),
		cmocka_unit_test_setup_teardown(test_no_socket, place_new, place_free),
		cmocka_unit_test_setup_teardown(test_other_user, place_new, place_free),
		cmocka_unit_test_setup_teardown(test_bad_path, place_new, place_free),
		cmocka_unit_test_setup_teardown(test_unlisten, place_new, place_free),
		cmocka_unit_test_setup_teardown(test_locked, place_new, place_free),
		cmocka_unit_test_setup_teardown(test_locked_for_an_instant, place_new, place_free),
		cmocka_unit_test_setup_teardown(test_lock_ends, place_new, place_free),
		cmocka_unit_test_setup_teardown(test_current_folder, place_new, place_free),
	};

	return cmocka_run_group_tests_name("vu-listen", tests, NULL, NULL);
}
