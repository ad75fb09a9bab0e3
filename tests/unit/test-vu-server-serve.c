// SPDX-License-Identifier: GPL-2.0-or-later
/* The server of a simulated function: one client after another, and its own loop. */
#include <linux/vfio.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "vu-fixture.h"

static int dial(const struct sockaddr_un *sun)
{
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(sock >= 0);
	assert_int_equal(connect(sock, (const struct sockaddr *)sun, sizeof(*sun)), 0);
	return sock;
}

static void test_listen(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	unsigned int before = open_descriptors();
	struct fixture first, f;
	char dir[] = "/tmp/msictl-unit-XXXXXX";
	struct vu_version v;
	int listener;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/s", dir);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(listener, 4), 0);
	fixture_new(&f, NULL);
	assert_int_equal(vu_server_listen(f.server, listener), 0);
	first = f;
	for (int i = 0; i < 3; i++) {
		struct vu_message m;

		first.sock = dial(&sun);
		assert_int_equal(version(&first, JSON, &v), 0);
		assert_true(vu_server_busy(f.server));
		/* the second waits */
		f.sock = dial(&sun);
		send_ask(&f,
			 &(struct ask){ .command = VU_VERSION, .payload = "\0\0\0\0", .size = 4 });
		pump(&f);
		assert_int_equal(vu_receive(f.sock, &m, VU_MAX_MESSAGE, VU_UNTIL(0)), -ETIMEDOUT);
		/* the first goes, the second is served */
		close(first.sock);
		pump(&f);
		assert_int_equal(reply(&f, &m), 0);
		vu_message_drop(&m);
		leave(&f);
	}
	fixture_free(&f);
	unlink(sun.sun_path);
	rmdir(dir);
	assert_int_equal(open_descriptors(), before);
}

/* What one client armed is gone for the next. */
static void test_disconnect(void **state)
{
	unsigned int before;
	struct fixture f;
	int fd[16];

	(void)state;
	fixture_new(&f, NULL);
	eventfds(fd, 16);
	before = open_descriptors();
	greet(&f);
	assert_int_equal(set_irqs(&f, ARM, 2, 0, 16, fd, 16), 0);
	assert_int_equal(set_irqs(&f, ARM, 3, 0, 1, fd, 1), 0);
	leave(&f);
	assert_int_equal(open_descriptors(), before);
	greet(&f);
	assert_int_equal(set_irqs(&f, FIRE, 2, 0, 1, NULL, 0), EINVAL);
	close_all(fd, 16);
	fixture_free(&f);
}

static void test_busy(void **state)
{
	struct fixture f;
	int sock[2];

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	pair(sock);
	assert_int_equal(vu_server_serve(f.server, sock[1]), -EBUSY);
	assert_int_equal(fcntl(sock[1], F_GETFD), -1);
	close(sock[0]);
	assert_int_equal(ask(&f, &(struct ask){ .command = VU_DEVICE_RESET }, NULL, 0), 0);
	fixture_free(&f);
}

static uint64_t cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec / 1000;
}

struct client {
	int sock;
	uint64_t ended; /* how long it took the server to part, us */
};

/* Half a message, then silence: recv() ends when the server has had enough. A while after it all ends. */
static void *half_message(void *arg)
{
	struct client *c = arg;
	struct vu_header h = { .command = VU_VERSION, .size = 20 };
	uint64_t begin;
	char byte;

	usleep(200000);
	begin = now_us();
	if (send(c->sock, &h, 10, MSG_NOSIGNAL) == 10 && recv(c->sock, &byte, 1, 0) <= 0)
		c->ended = now_us() - begin;
	usleep(400000);
	kill(getpid(), SIGTERM);
	return NULL;
}

/* A message has its time; waiting for it, and for nobody, takes none of the CPU. */
static void test_run_limit(void **state)
{
	struct client c = { 0 };
	struct fixture f;
	pthread_t thread;
	uint64_t cpu = cpu_us();

	(void)state;
	fixture_new(&f, NULL);
	join(&f);
	c.sock = f.sock;
	assert_int_equal(pthread_create(&thread, NULL, half_message, &c), 0);
	assert_int_equal(vu_server_run(f.server, false), -EINTR);
	pthread_join(thread, NULL);
	assert_in_range(c.ended, 4900000, 30 * SECOND);
	assert_true(cpu_us() - cpu < 100000);
	fixture_free(&f);
}

static void test_run_once(void **state)
{
	struct fixture f;

	(void)state;
	fixture_new(&f, NULL);
	/* nobody is there, and nobody can come */
	assert_int_equal(vu_server_run(f.server, true), 0);
	greet(&f);
	close(take_fd(&f.sock));
	assert_int_equal(vu_server_run(f.server, true), 0);
	assert_false(vu_server_busy(f.server));
	fixture_free(&f);
}

/* A client for which there is no descriptor waits, and is taken in as soon as there is one; nothing spins meanwhile. */
static void test_no_descriptors(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/msictl-unit-XXXXXX";
	struct rlimit before, none;
	struct fixture f;
	int listener, next;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/s", dir);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(listener, 4), 0);
	fixture_new(&f, NULL);
	assert_int_equal(vu_server_listen(f.server, listener), 0);
	f.sock = dial(&sun);
	next = dup(0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ .rlim_cur = (rlim_t)next, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	pump(&f);
	assert_int_equal(loop_wait(f.loop, now_us() + 20000), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_false(vu_server_busy(f.server));
	send_ask(&f, &(struct ask){ .command = VU_VERSION, .payload = "\0\0\0\0", .size = 4 });
	close(take_fd(&f.sock));
	assert_int_equal(vu_server_run(f.server, true), 0);
	fixture_free(&f);
	unlink(sun.sun_path);
	rmdir(dir);
}

static void *terminate(void *arg)
{
	usleep(20000);
	kill(*(pid_t *)arg, SIGTERM);
	return NULL;
}

static void test_run_stopped(void **state)
{
	pid_t self = getpid();
	struct fixture f;
	pthread_t thread;

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	assert_int_equal(pthread_create(&thread, NULL, terminate, &self), 0);
	assert_int_equal(vu_server_run(f.server, false), -EINTR);
	pthread_join(thread, NULL);
	assert_int_equal(loop_stopped(f.loop), SIGTERM);
	fixture_free(&f);
}

struct waiter {
	int sock, fd;
	uint64_t count;
};

/* Wait for the interrupt, then go. */
static void *await(void *arg)
{
	struct waiter *w = arg;
	struct pollfd p = { .fd = w->fd, .events = POLLIN };

	poll(&p, 1, 5000);
	w->count = counted(w->fd);
	shutdown(w->sock, SHUT_RDWR);
	return NULL;
}

/* Interrupts that take their time come while nothing else does. */
static void test_run_latency(void **state)
{
	struct waiter w = { 0 };
	struct fixture f;
	pthread_t thread;

	(void)state;
	fixture_new(&f, "latency=30ms");
	greet(&f);
	eventfds(&w.fd, 1);
	assert_int_equal(set_irqs(&f, ARM, 2, 0, 1, &w.fd, 1), 0);
	assert_int_equal(write_region(&f, 7, 4, 6), 0);
	assert_int_equal(write_region(&f, 0, SIM_REG_DOORBELL, 0), 0);
	assert_int_equal(counted(w.fd), 0);
	w.sock = f.sock;
	assert_int_equal(pthread_create(&thread, NULL, await, &w), 0);
	assert_int_equal(vu_server_run(f.server, true), 0);
	pthread_join(thread, NULL);
	assert_int_equal(w.count, 1);
	close(w.fd);
	fixture_free(&f);
}

/* A write of nothing is answered as any other. */
static void test_write_of_nothing(void **state)
{
	const struct {
		uint64_t offset;
		uint32_t region, count;
	} a = { .offset = 8, .region = REGION_BAR0 };
	struct fixture f;
	uint8_t out[16];

	(void)state;
	fixture_new(&f, "msix=1");
	greet(&f);
	assert_int_equal(
		ask(&f,
		    &(struct ask){ .command = VU_REGION_WRITE, .payload = &a, .size = sizeof(a) },
		    out, 16),
		0);
	assert_memory_equal(out, &a, sizeof(a));
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_disconnect),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_run_limit),
		cmocka_unit_test(test_run_once),
		cmocka_unit_test(test_run_stopped),
		cmocka_unit_test(test_run_latency),
		cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_write_of_nothing),
	};

	return cmocka_run_group_tests_name("vu-server-serve", tests, NULL, NULL);
}
