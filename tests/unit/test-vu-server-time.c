// SPDX-License-Identifier: GPL-2.0-or-later
/* The server of a simulated function: how long a message may take, what waits for room, bytes out of band. */
#include <linux/vfio.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

#include "vu-fixture.h"

/* How far the test's clock is ahead. */
static uint64_t ahead_us;

int clock_gettime(clockid_t id, struct timespec *ts)
{
	uint64_t ns;

	if (syscall(SYS_clock_gettime, id, ts) < 0)
		return -1;
	if (id == CLOCK_MONOTONIC) {
		ns = (uint64_t)ts->tv_nsec + ahead_us * 1000;
		ts->tv_sec += (time_t)(ns / 1000000000);
		ts->tv_nsec = (long)(ns % 1000000000);
	}
	return 0;
}

/* No more files can be waited for. */
static bool watches_spent;

int epoll_ctl(int epoll, int op, int fd, struct epoll_event *ev)
{
	if (watches_spent && op == EPOLL_CTL_ADD) {
		errno = ENOSPC;
		return -1;
	}
	return (int)syscall(SYS_epoll_ctl, epoll, op, fd, ev);
}

/* A client that rests, sends the rest of its bytes, hears a reply and goes. */
struct rested {
	int sock;
	const uint8_t *bytes;
	size_t n;
	int rc;
	struct vu_message m;
};

static void *speak(void *arg)
{
	struct rested *r = arg;

	usleep(30000);
	if (r->n)
		send(r->sock, r->bytes, r->n, MSG_NOSIGNAL);
	r->rc = vu_receive(r->sock, &r->m, VU_MAX_MESSAGE, VU_UNTIL(UINT64_MAX));
	vu_message_drop(&r->m);
	shutdown(r->sock, SHUT_RDWR);
	return NULL;
}

/* Run the server, for as long as the client is there. Returns what the client heard. */
static int run_with(struct fixture *f, const void *bytes, size_t n)
{
	struct rested r = { .sock = f->sock, .bytes = bytes, .n = n };
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, speak, &r), 0);
	assert_int_equal(vu_server_run(f->server, true), 0);
	pthread_join(thread, NULL);
	close(take_fd(&f->sock));
	return r.rc;
}

static const struct vu_header reset = { .id = 9,
					.command = VU_DEVICE_RESET,
					.size = sizeof(reset) };

static void send_part(const struct fixture *f, size_t from, size_t to)
{
	assert_int_equal(send(f->sock, (const uint8_t *)&reset + from, to - from, 0),
			 (ssize_t)(to - from));
}

/* Between messages a client may rest, also after one that came in two pieces. */
static void rests(void **state)
{
	struct fixture f;
	struct vu_message m;

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	send_part(&f, 0, 7);
	pump(&f);
	send_part(&f, 7, sizeof(reset));
	pump(&f);
	assert_int_equal(vu_receive(f.sock, &m, VU_MAX_MESSAGE, VU_UNTIL(0)), 0);
	vu_message_drop(&m);
	ahead_us += 3600ull * SECOND;
	assert_int_equal(run_with(&f, &reset, sizeof(reset)), 0);
	fixture_free(&f);
}

/* Within a message it may not, and a further byte gives no more time. */
static void dawdles(void **state)
{
	struct fixture f;
	uint64_t begin;

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	send_part(&f, 0, 7);
	pump(&f);
	begin = now_us();
	ahead_us += 4900000;
	send_part(&f, 7, 8);
	pump(&f);
	assert_true(vu_server_busy(f.server));
	ahead_us += 100000;
	assert_int_equal(vu_server_run(f.server, true), 0);
	assert_true(now_us() - begin < 9 * SECOND);
	assert_closed(&f);
	/* what the next client begins has its own time */
	greet(&f);
	ahead_us += 4900000;
	send_part(&f, 0, 7);
	pump(&f);
	assert_int_equal(run_with(&f, (const uint8_t *)&reset + 7, sizeof(reset) - 7), 0);
	fixture_free(&f);
}

/* A client with little room for replies. */
static void join_small(struct fixture *f)
{
	int sock[2], small = 4096;
	struct vu_version v;

	pair(sock);
	assert_int_equal(setsockopt(sock[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	assert_int_equal(vu_server_serve(f->server, sock[1]), 0);
	f->sock = sock[0];
	assert_int_equal(version(f, JSON, &v), 0);
}

/* @n reads of the whole configuration space, and the first 7 bytes of a reset. */
static void ask_much(const struct fixture *f, uint16_t n)
{
	struct {
		struct vu_header h;
		uint64_t offset;
		uint32_t region, count;
	} a = { { .command = VU_REGION_READ, .size = sizeof(a) }, 0, 7, 4096 };

	for (a.h.id = 0; a.h.id < n; a.h.id++)
		assert_int_equal(send(f->sock, &a, sizeof(a), 0), sizeof(a));
	send_part(f, 0, 7);
}

/* The reply number @i to that, as whole as the device has it, in as many turns as it takes. */
static void hear_much(struct fixture *f, uint16_t i)
{
	struct vu_reader r = { .max = VU_MAX_MESSAGE };
	uint8_t config[4096];
	struct vu_message m;
	int rc;

	while ((rc = vu_read(f->sock, &r, &m)) == 0)
		pump(f);
	assert_int_equal(rc, 1);
	assert_int_equal(m.header.id, i);
	assert_int_equal(m.header.error, 0);
	assert_int_equal(m.size, 16 + sizeof(config));
	assert_int_equal(sim_region_read(f->d, 7, config, sizeof(config), 0), sizeof(config));
	assert_memory_equal(m.payload + 16, config, sizeof(config));
	vu_message_drop(&m);
}

/* While its replies have no room nothing more is read, and what was begun has no time to keep. */
static void waits_for_room(void **state)
{
	struct fixture f;

	(void)state;
	fixture_new(&f, NULL);
	join_small(&f);
	ask_much(&f, 20);
	pump(&f);
	ahead_us += 60ull * SECOND;
	for (uint16_t i = 0; i < 10; i++)
		hear_much(&f, i);
	ahead_us += 60ull * SECOND;
	for (uint16_t i = 10; i < 20; i++)
		hear_much(&f, i);
	pump(&f);
	ahead_us += 4 * SECOND;
	assert_int_equal(run_with(&f, (const uint8_t *)&reset + 7, sizeof(reset) - 7), 0);
	fixture_free(&f);
}

/* A client that goes amid a reply leaves nothing of that to the next one. */
static void goes_amid_a_reply(void **state)
{
	struct fixture f;

	(void)state;
	fixture_new(&f, NULL);
	for (int i = 0; i < 3; i++) {
		join_small(&f);
		ask_much(&f, 20);
		pump(&f);
		leave(&f);
	}
	greet(&f);
	assert_int_equal(ask(&f, &(struct ask){ .command = VU_DEVICE_RESET }, NULL, 0), 0);
	fixture_free(&f);
}

/* Without a descriptor to wait for room with, a client can only be let go. */
static void no_descriptor_to_wait_with(void **state)
{
	struct rlimit before, none;
	struct fixture f;
	int next;

	(void)state;
	fixture_new(&f, NULL);
	join_small(&f);
	ask_much(&f, 20);
	next = dup(0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ .rlim_cur = (rlim_t)next, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	pump(&f);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_false(vu_server_busy(f.server));
	close(take_fd(&f.sock));
	greet(&f);
	fixture_free(&f);
}

/* A last word has to get through before the client is let go. */
static void exit_reason_waits(void **state)
{
	const struct vu_header bad = { .command = VU_VERSION, .size = sizeof(bad) };
	struct vu_message m;
	struct fixture f;
	int sock[2], small = 4096;
	unsigned int n = 0;

	(void)state;
	fixture_new(&f, NULL);
	pair(sock);
	assert_int_equal(setsockopt(sock[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	/* the room is taken already */
	while (send(sock[1], &bad, sizeof(bad), MSG_DONTWAIT) == sizeof(bad))
		n++;
	assert_int_equal(vu_server_serve(f.server, sock[1]), 0);
	f.sock = sock[0];
	assert_int_equal(send(f.sock, &bad, sizeof(bad), 0), sizeof(bad));
	pump(&f);
	assert_true(vu_server_busy(f.server));
	for (; n; n--) {
		assert_int_equal(vu_receive(f.sock, &m, VU_MAX_MESSAGE, VU_UNTIL(0)), 0);
		vu_message_drop(&m);
		pump(&f);
	}
	assert_int_equal(vu_receive(f.sock, &m, VU_MAX_MESSAGE, VU_UNTIL(0)), 0);
	assert_int_equal(m.header.error, EINVAL);
	vu_message_drop(&m);
	assert_closed(&f);
	fixture_free(&f);
}

/* A byte out of band is a byte of the message, in its turn. */
static void out_of_band(void **state)
{
	struct fixture f;
	struct vu_message m;

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	send_part(&f, 0, 7);
	if (send(f.sock, (const uint8_t *)&reset + 7, 1, MSG_OOB) != 1) {
		fixture_free(&f);
		skip(); /* a kernel without CONFIG_AF_UNIX_OOB */
	}
	send_part(&f, 8, sizeof(reset));
	pump(&f);
	assert_int_equal(vu_receive(f.sock, &m, VU_MAX_MESSAGE, VU_UNTIL(0)), 0);
	assert_int_equal(m.header.id, reset.id);
	assert_int_equal(m.header.error, 0);
	vu_message_drop(&m);
	fixture_free(&f);
}

/* However fast a client is, one turn takes no more of what it has sent than is read at once. */
static void one_look_per_turn(void **state)
{
	const struct vfio_irq_set set = {
		.argsz = sizeof(set), .flags = FIRE, .index = VFIO_PCI_MSIX_IRQ_INDEX, .count = 1
	};
	const unsigned int most = VU_AHEAD / (sizeof(struct vu_header) + sizeof(set)), n = 3 * most;
	unsigned int got = 0;
	struct fixture f;
	int fd;

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	eventfds(&fd, 1);
	assert_int_equal(set_irqs(&f, ARM, VFIO_PCI_MSIX_IRQ_INDEX, 0, 1, &fd, 1), 0);
	for (unsigned int i = 0; i < n; i++)
		send_ask(&f, &(struct ask){ VU_DEVICE_SET_IRQS, VU_NO_REPLY, &set, sizeof(set),
					    NULL, 0 });
	while (got < n) {
		unsigned int now;

		assert_true(loop_wait(f.loop, 0) > 0);
		now = (unsigned int)counted(fd);
		assert_in_range(now, 1, most + 1);
		got += now;
	}
	close(fd);
	fixture_free(&f);
}

/* The eventfd by which a client unmasks INTx can't be heard: the client is let go, and is not left waiting. */
static void unmasking_is_not_heard(void **state)
{
	const struct vfio_irq_set set = { .argsz = sizeof(set),
					  .flags = VFIO_IRQ_SET_DATA_EVENTFD |
						   VFIO_IRQ_SET_ACTION_UNMASK,
					  .count = 1 };
	struct fixture f;
	int fd[2];

	(void)state;
	fixture_new(&f, NULL);
	eventfds(fd, 2);
	for (int spent = 0; spent <= 1; spent++) {
		greet(&f);
		assert_int_equal(set_irqs(&f, ARM, 0, 0, 1, &fd[0], 1), 0);
		send_ask(&f, &(struct ask){ VU_DEVICE_SET_IRQS, 0, &set, sizeof(set), &fd[1], 1 });
		watches_spent = spent;
		pump(&f);
		watches_spent = false;
		assert_int_equal(vu_server_busy(f.server), !spent);
		close(take_fd(&f.sock));
		pump(&f);
	}
	greet(&f);
	close_all(fd, 2);
	fixture_free(&f);
}

/* A client that can't be waited for is let go; the server looks again for the next one a while later. */
static void listens_again(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(sun.sun_family);
	struct fixture f;
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), first;
	char byte;

	(void)state;
	/* a name that the kernel chooses, unix(7) */
	assert_int_equal(bind(listener, (struct sockaddr *)&sun, len), 0);
	len = sizeof(sun);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&sun, &len), 0);
	assert_int_equal(listen(listener, 4), 0);
	fixture_new(&f, NULL);
	assert_int_equal(vu_server_listen(f.server, listener), 0);
	first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	f.sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(first, (struct sockaddr *)&sun, len), 0);
	watches_spent = true;
	pump(&f);
	watches_spent = false;
	assert_false(vu_server_busy(f.server));
	assert_int_equal(recv(first, &byte, 1, MSG_DONTWAIT), 0);
	assert_int_equal(connect(f.sock, (struct sockaddr *)&sun, len), 0);
	ahead_us += SECOND;
	assert_int_equal(run_with(&f, &reset, sizeof(reset)), 0);
	close(first);
	fixture_free(&f);
}

/* What can't be waited for is no client and no listener, and is closed. */
static void no_socket(void **state)
{
	unsigned int before;
	struct fixture f;
	int fd;

	(void)state;
	fixture_new(&f, NULL);
	before = open_descriptors();
	fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
	assert_int_equal(vu_server_serve(f.server, fd), -EPERM);
	assert_false(vu_server_busy(f.server));
	fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
	assert_int_equal(vu_server_listen(f.server, fd), -EPERM);
	assert_int_equal(open_descriptors(), before);
	/* nobody was served, and nobody can come */
	assert_int_equal(vu_server_run(f.server, true), 0);
	greet(&f);
	assert_int_equal(ask(&f, &(struct ask){ .command = VU_DEVICE_RESET }, NULL, 0), 0);
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rests),
		cmocka_unit_test(dawdles),
		cmocka_unit_test(waits_for_room),
		cmocka_unit_test(goes_amid_a_reply),
		cmocka_unit_test(no_descriptor_to_wait_with),
		cmocka_unit_test(exit_reason_waits),
		cmocka_unit_test(out_of_band),
		cmocka_unit_test(one_look_per_turn),
		cmocka_unit_test(unmasking_is_not_heard),
		cmocka_unit_test(listens_again),
		cmocka_unit_test(no_socket),
	};

	return cmocka_run_group_tests_name("vu-server-time", tests, NULL, NULL);
}
