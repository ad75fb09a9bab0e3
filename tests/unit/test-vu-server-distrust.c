// SPDX-License-Identifier: GPL-2.0-or-later
/* The server of a simulated function that distrusts its clients: another process closes what they have sent. */
#include <sys/un.h>

#include "descriptors.h"
#include "vu-fixture.h"

#include "vu-apart.h"

static struct fixture f;
static bool before[DESCRIPTORS];
static int lives; /* the read end of a pipe, whose write end a client sends */

static int setup(void **state)
{
	(void)state;
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		before[fd] = is_open(fd);
	memset(&play, 0, sizeof(play));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	play.holds = false;
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		if (!before[fd])
			close(fd);
	alarm(0);
	return 0;
}

/* Returns the write end. The test's own ends lie below a client's descriptors, and so do the client's sockets. */
static int begin(int client[2])
{
	int end[2];

	if (under_valgrind())
		skip();
	alarm(60);
	make_pipe(end);
	lives = end[0];
	pair(client);
	fixture_new(&f, "msix=8");
	return end[1];
}

/* Close @fd. Its number stays taken, as in a server, whose own descriptors stay: a client's would get it. */
static void fill(int fd)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_equal(dup3(null, fd, O_CLOEXEC), fd);
	close(null);
}

/* A connection that comes now has a number behind all others. */
static int come(int sock)
{
	int fd = fcntl(sock, F_DUPFD_CLOEXEC, FIRST);

	fill(sock);
	assert_true(fd >= FIRST);
	return fd;
}

static void serve(const int client[2])
{
	struct vu_version v;

	assert_int_equal(vu_server_distrust(f.server), 0);
	play.holds = true;
	assert_int_equal(vu_server_serve(f.server, come(client[1])), 0);
	f.sock = client[0];
	assert_int_equal(version(&f, JSON, &v), 0);
}

static int map(int fd)
{
	const struct {
		uint32_t argsz, flags;
		uint64_t offset, addr, size;
	} m = { 32, 3, 0, 0x1000, 0x1000 };

	return ask(&f, &(struct ask){ VU_DMA_MAP, 0, &m, sizeof(m), &fd, 1 }, NULL, 0);
}

static void end_process(void)
{
	assert_int_equal(kill(play.last, SIGKILL), 0);
	assert_int_equal(waitpid(play.last, NULL, __WCLONE), play.last);
}

/* The memory of a guest, sent with DMA_MAP: with the client's end another process has the last reference. */
static void leaves_with_the_client(void **state)
{
	int client[2], end = begin(client);

	(void)state;
	serve(client);
	assert_int_equal(map(end), 0);
	fill(end);
	assert_false(let_go(lives, 0));
	assert_int_equal(play.clones, 0);
	fill(take_fd(&f.sock));
	pump(&f);
	assert_int_equal(play.clones, 1);
	assert_false(vu_server_busy(f.server));
	for (int fd = FIRST; fd < 2 * FIRST; fd++)
		assert_false(is_open(fd));
	assert_false(let_go(lives, 0));
	end_process();
	assert_true(let_go(lives, 10000));
	fixture_free(&f);
	assert_int_equal(play.clones, 1);
}

/* Of eventfds the closing waits for nobody: no process is made for them, also when the device does not take them. */
static void eventfds_are_closed(void **state)
{
	int client[2], end = begin(client), fd[2], next;

	(void)state;
	close(end);
	eventfds(fd, 2);
	serve(client);
	next = dup(0);
	close(next);
	assert_int_equal(set_irqs(&f, ARM, 2, 0, 3, fd, 2), EINVAL);
	assert_int_equal(set_irqs(&f, FIRE, 2, 0, 1, fd, 1), EINVAL);
	for (int i = next; i < next + 8; i++)
		assert_false(is_open(i));
	assert_int_equal(set_irqs(&f, ARM, 2, 0, 2, fd, 2), 0);
	assert_int_equal(write_region(&f, 7, 4, 6), 0);
	assert_int_equal(set_irqs(&f, FIRE, 2, 0, 2, NULL, 0), 0);
	assert_int_equal(counted(fd[1]), 1);
	fill(take_fd(&f.sock));
	pump(&f);
	assert_int_equal(play.clones, 0);
	for (int i = FIRST; i < 2 * FIRST; i++)
		assert_false(is_open(i));
	close_all(fd, 2);
	fixture_free(&f);
}

/* What a client has sent and nobody has read goes the same way, when the client is not served any more. */
static void leaves_what_was_not_read(void **state)
{
	int client[2], end = begin(client);

	(void)state;
	serve(client);
	put(f.sock, "x", 1, &end, 1);
	fill(end);
	fixture_free(&f);
	assert_int_equal(play.clones, 1);
	assert_false(let_go(lives, 0));
	end_process();
	assert_true(let_go(lives, 10000));
}

/* And so does what clients have sent that wait at the end. They hear that nobody serves them. */
static void turns_away(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int client[2], end, listener, waiting[2];
	char dir[] = "/tmp/msictl-unit-XXXXXX", byte;

	(void)state;
	end = begin(client);
	assert_non_null(mkdtemp(dir));
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/s", dir);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(listener, 4), 0);
	for (int i = 0; i < 2; i++) {
		waiting[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(waiting[i], (struct sockaddr *)&sun, sizeof(sun)), 0);
	}
	serve(client);
	assert_int_equal(vu_server_listen(f.server, listener), 0);
	put(waiting[1], "x", 1, &end, 1);
	fill(end);
	fill(take_fd(&f.sock));
	fixture_free(&f);
	assert_int_equal(play.clones, 1);
	assert_int_equal(recv(waiting[0], &byte, 1, MSG_DONTWAIT), 0);
	assert_true(recv(waiting[1], &byte, 1, MSG_DONTWAIT) <= 0 && errno != EAGAIN);
	assert_false(let_go(lives, 0));
	end_process();
	assert_true(let_go(lives, 10000));
	unlink(sun.sun_path);
	rmdir(dir);
}

/* Clients that have sent nothing need no process. */
static void turns_away_empty_handed(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/msictl-unit-XXXXXX", byte;
	int client[2], listener, waiting, end = begin(client);

	(void)state;
	close(end);
	assert_non_null(mkdtemp(dir));
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/s", dir);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(listener, 4), 0);
	waiting = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(waiting, (struct sockaddr *)&sun, sizeof(sun)), 0);
	serve(client);
	assert_int_equal(vu_server_listen(f.server, listener), 0);
	fixture_free(&f);
	assert_int_equal(play.clones, 0);
	assert_int_equal(recv(waiting, &byte, 1, MSG_DONTWAIT), 0);
	unlink(sun.sun_path);
	rmdir(dir);
}

/* A client that is turned away because another one is served, with what it has sent. */
static void busy(void **state)
{
	int client[2], other[2], end = begin(client);

	(void)state;
	pair(other);
	serve(client);
	put(other[0], "x", 1, &end, 1);
	fill(end);
	assert_int_equal(vu_server_serve(f.server, come(other[1])), -EBUSY);
	assert_true(vu_server_busy(f.server));
	assert_int_equal(send(other[0], "x", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(ask(&f, &(struct ask){ .command = VU_DEVICE_RESET }, NULL, 0), 0);
	assert_int_equal(play.clones, 0);
	fill(take_fd(&f.sock));
	fixture_free(&f);
	assert_int_equal(play.clones, 1);
	assert_false(let_go(lives, 0));
	end_process();
	assert_true(let_go(lives, 10000));
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(leaves_with_the_client, setup, teardown),
		cmocka_unit_test_setup_teardown(eventfds_are_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(leaves_what_was_not_read, setup, teardown),
		cmocka_unit_test_setup_teardown(turns_away, setup, teardown),
		cmocka_unit_test_setup_teardown(turns_away_empty_handed, setup, teardown),
		cmocka_unit_test_setup_teardown(busy, setup, teardown),
	};

	return cmocka_run_group_tests_name("vu-server-distrust", tests, NULL, NULL);
}

int main(void)
{
	return run_apart(run);
}
