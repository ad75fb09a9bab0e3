// SPDX-License-Identifier: GPL-2.0-or-later
/* Framing of vfio-user: whatever comes, and however it is cut. */
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>

#include "vu-peer.h"

#define SIZE 100u

static const struct vu_header header = { .id = 7,
					 .command = VU_DEVICE_GET_INFO,
					 .size = sizeof(struct vu_header) + SIZE,
					 .flags = VU_COMMAND };

/* A whole message as bytes: header, then 0, 1, 2... */
static void whole(uint8_t bytes[sizeof(header) + SIZE])
{
	memcpy(bytes, &header, sizeof(header));
	for (unsigned int i = 0; i < SIZE; i++)
		bytes[sizeof(header) + i] = (uint8_t)i;
}

static void assert_whole(const struct vu_message *m)
{
	assert_memory_equal(&m->header, &header, sizeof(header));
	assert_int_equal(m->size, SIZE);
	for (unsigned int i = 0; i < SIZE; i++)
		assert_int_equal(m->payload[i], i);
}

/* A message that fails leaves nothing behind. */
static void assert_fails(int sock, size_t max, uint64_t until, int rc)
{
	struct vu_message m;

	memset(&m, 0xff, sizeof(m));
	assert_int_equal(vu_receive(sock, &m, max, VU_UNTIL(until)), rc);
	assert_null(m.payload);
	assert_int_equal(m.nfds, 0);
	vu_message_drop(&m);
}

static void test_exchange(void **state)
{
	uint8_t bytes[sizeof(header) + SIZE];
	unsigned int before = open_descriptors();
	int sock[2], fd[VU_MAX_FDS];
	struct vu_message m;

	(void)state;
	whole(bytes);
	pair(sock);
	eventfds(fd, VU_MAX_FDS);
	for (unsigned int n = 0; n <= VU_MAX_FDS; n += n < 3 ? 1 : 50) {
		assert_int_equal(
			vu_send(sock[0],
				&(struct vu_frame){ header, bytes + sizeof(header), SIZE, fd, n },
				VU_UNTIL(now_us() + SECOND)),
			0);
		assert_int_equal(
			vu_receive(sock[1], &m, VU_MAX_MESSAGE, VU_UNTIL(now_us() + SECOND)), 0);
		assert_whole(&m);
		assert_int_equal(m.nfds, n);
		for (unsigned int i = 0; i < n; i++) {
			assert_int_equal(eventfd_write(m.fd[i], i + 1), 0);
			assert_int_equal(counted(fd[i]), i + 1);
		}
		vu_message_drop(&m);
		vu_message_drop(&m);
	}
	close_all(fd, VU_MAX_FDS);
	close_all(sock, 2);
	assert_int_equal(open_descriptors(), before);
}

static void test_header_only(void **state)
{
	struct vu_header h = { .id = 1, .command = VU_DEVICE_RESET, .size = sizeof(h) };
	struct vu_message m;
	int sock[2];

	(void)state;
	pair(sock);
	assert_int_equal(vu_send(sock[0], &(struct vu_frame){ h, NULL, 0, NULL, 0 },
				 VU_UNTIL(UINT64_MAX)),
			 0);
	assert_int_equal(vu_receive(sock[1], &m, sizeof(h), VU_UNTIL(UINT64_MAX)), 0);
	assert_memory_equal(&m.header, &h, sizeof(h));
	assert_null(m.payload);
	assert_int_equal(m.size, 0);
	vu_message_drop(&m);
	close_all(sock, 2);
}

/* Who takes a descriptor out of a message keeps it. */
static void test_taken(void **state)
{
	int sock[2], fd, got;
	struct vu_message m;
	struct vu_header h = { .size = sizeof(h) };

	(void)state;
	pair(sock);
	eventfds(&fd, 1);
	assert_int_equal(vu_send(sock[0], &(struct vu_frame){ h, NULL, 0, &fd, 1 },
				 VU_UNTIL(UINT64_MAX)),
			 0);
	assert_int_equal(vu_receive(sock[1], &m, VU_MAX_MESSAGE, VU_UNTIL(UINT64_MAX)), 0);
	assert_int_equal(m.nfds, 1);
	got = take_fd(&m.fd[0]);
	vu_message_drop(&m);
	assert_int_equal(eventfd_write(got, 1), 0);
	assert_int_equal(counted(fd), 1);
	close(got);
	close(fd);
	close_all(sock, 2);
}

/* The peer goes after any number of bytes, with descriptors on the first of them. */
static void test_cut(void **state)
{
	uint8_t bytes[sizeof(header) + SIZE];
	unsigned int before = open_descriptors();
	int fd[3];

	(void)state;
	whole(bytes);
	eventfds(fd, 3);
	for (size_t n = 0; n < sizeof(bytes); n++) {
		int sock[2];

		pair(sock);
		if (n)
			put(sock[0], bytes, n, fd, 3);
		close(sock[0]);
		assert_fails(sock[1], VU_MAX_MESSAGE, now_us() + SECOND, -ECONNRESET);
		close(sock[1]);
	}
	close_all(fd, 3);
	assert_int_equal(open_descriptors(), before);
}

/* In two pieces anywhere, and a next message right behind: nothing of one gets into the other. */
static void test_pieces(void **state)
{
	uint8_t bytes[sizeof(header) + SIZE];
	int fd[2];

	(void)state;
	whole(bytes);
	eventfds(fd, 2);
	for (size_t n = 1; n < sizeof(bytes); n++) {
		struct vu_message m;
		int sock[2];

		pair(sock);
		put(sock[0], bytes, n, fd, 1);
		put(sock[0], bytes + n, sizeof(bytes) - n, NULL, 0);
		put(sock[0], bytes, sizeof(bytes), fd, 2);
		assert_int_equal(
			vu_receive(sock[1], &m, VU_MAX_MESSAGE, VU_UNTIL(now_us() + SECOND)), 0);
		assert_whole(&m);
		assert_int_equal(m.nfds, 1);
		vu_message_drop(&m);
		assert_int_equal(
			vu_receive(sock[1], &m, VU_MAX_MESSAGE, VU_UNTIL(now_us() + SECOND)), 0);
		assert_whole(&m);
		assert_int_equal(m.nfds, 2);
		vu_message_drop(&m);
		close_all(sock, 2);
	}
	close_all(fd, 2);
}

/* A reader that never waits takes a message one byte at a time. */
static void test_reader(void **state)
{
	uint8_t bytes[sizeof(header) + SIZE];
	struct vu_reader r = { .max = VU_MAX_MESSAGE };
	struct vu_message m;
	int sock[2], fd;

	(void)state;
	whole(bytes);
	pair(sock);
	eventfds(&fd, 1);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < sizeof(bytes); i++) {
			assert_int_equal(vu_read(sock[1], &r, &m), 0);
			assert_int_equal(r.got, i);
			put(sock[0], bytes + i, 1, &fd, i == 20);
			assert_int_equal(vu_read(sock[1], &r, &m), i + 1 == sizeof(bytes));
		}
		assert_whole(&m);
		assert_int_equal(m.nfds, 1);
		vu_message_drop(&m);
	}
	close(fd);
	close_all(sock, 2);
}

/* Small messages are read several at once; descriptors go to the message that they were sent on all the same. */
static void test_reading_ahead(void **state)
{
	uint8_t bytes[3 * (sizeof(header) + SIZE)], ahead[VU_AHEAD];
	struct vu_reader r = { .max = VU_MAX_MESSAGE, .ahead = ahead };
	const size_t one = sizeof(header) + SIZE;
	const unsigned int fds[] = { 0, 0, 2, 0, 0, 1 };
	struct vu_message m;
	int sock[2], fd[2];

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		whole(bytes + i * one);
	pair(sock);
	eventfds(fd, 2);
	/* two messages and the beginning of a third one, whose end brings none */
	put(sock[0], bytes, 2 * one + 5, NULL, 0);
	assert_int_equal(vu_read(sock[1], &r, &m), 1);
	assert_whole(&m);
	vu_message_drop(&m);
	assert_int_equal(recv(sock[1], bytes, 1, MSG_PEEK | MSG_DONTWAIT), -1);
	assert_int_equal(vu_read(-1, &r, &m), 1);
	assert_whole(&m);
	vu_message_drop(&m);
	assert_int_equal(vu_read(-1, &r, &m), 0);
	assert_int_equal(r.got, 5);
	put(sock[0], bytes + 5, one - 5, NULL, 0);
	/* without descriptors, with two on the first of three, with one on a single one */
	put(sock[0], bytes, one, NULL, 0);
	put(sock[0], bytes, 3 * one, fd, 2);
	put(sock[0], bytes, one, fd, 1);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (vu_read(-1, &r, &m) == 0)
			assert_int_equal(vu_read(sock[1], &r, &m), 1);
		assert_whole(&m);
		assert_int_equal(m.nfds, fds[i]);
		vu_message_drop(&m);
	}
	assert_int_equal(vu_read(sock[1], &r, &m), 0);
	close(sock[0]);
	assert_int_equal(vu_read(sock[1], &r, &m), -ECONNRESET);
	vu_reader_drop(&r);
	close(sock[1]);
	close_all(fd, 2);
}

static void test_sizes(void **state)
{
	static const struct {
		uint32_t size;
		size_t max;
		int rc;
	} cases[] = {
		{ 0, VU_MAX_MESSAGE, -EPROTO },
		{ 15, VU_MAX_MESSAGE, -EPROTO },
		{ 17, 16, -EPROTO },
		{ VU_MAX_MESSAGE + 1, VU_MAX_MESSAGE, -EPROTO },
		{ UINT32_MAX, VU_MAX_MESSAGE, -EPROTO },
		{ 0x80000000u, VU_MAX_MESSAGE, -EPROTO },
		/* announced, and never sent */
		{ VU_MAX_MESSAGE, VU_MAX_MESSAGE, -ETIMEDOUT },
		{ 17, 17, -ETIMEDOUT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vu_header h = { .size = cases[i].size };
		int sock[2];

		pair(sock);
		put(sock[0], &h, sizeof(h), NULL, 0);
		assert_fails(sock[1], cases[i].max, now_us() + 2000, cases[i].rc);
		close_all(sock, 2);
	}
}

/* 253 fit into one segment; the 254th comes on the next one of the same message. */
static void test_too_many_descriptors(void **state)
{
	uint8_t bytes[sizeof(header) + SIZE];
	unsigned int before = open_descriptors();
	int sock[2], fd[VU_MAX_FDS], more[VU_MAX_FDS + 1] = { 0 };

	(void)state;
	whole(bytes);
	pair(sock);
	eventfds(fd, VU_MAX_FDS);
	put(sock[0], bytes, 3, fd, VU_MAX_FDS);
	put(sock[0], bytes + 3, sizeof(bytes) - 3, fd, 1);
	assert_fails(sock[1], VU_MAX_MESSAGE, now_us() + SECOND, -EPROTO);
	close_all(sock, 2);

	pair(sock);
	assert_int_equal(vu_send(sock[0],
				 &(struct vu_frame){ header, bytes, SIZE, more, VU_MAX_FDS + 1 },
				 VU_UNTIL(UINT64_MAX)),
			 -EINVAL);
	close_all(sock, 2);
	close_all(fd, VU_MAX_FDS);
	assert_int_equal(open_descriptors(), before);
}

/* What the kernel enforces; valgrind keeps the limit to itself. */
static uint64_t limit_in_force(void)
{
	FILE *f = fopen("/proc/self/limits", "re");
	unsigned long long n = 0;
	char line[256];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, "Max open files", 14) == 0)
			n = strtoull(line + 14, NULL, 10);
	fclose(f);
	return n;
}

/* The kernel hands over what fits under our limit and cuts the rest: that is no message. */
static void test_descriptor_limit(void **state)
{
	unsigned int before = open_descriptors();
	struct vu_header h = { .size = sizeof(h) };
	struct rlimit rl, low;
	struct vu_message m;
	int sock[2], fd[8], rc;
	uint64_t in_force;

	(void)state;
	pair(sock);
	eventfds(fd, 8);
	put(sock[0], &h, sizeof(h), fd, 8);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &rl), 0);
	low = rl;
	low.rlim_cur = (rlim_t)fd[7] + 4;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	in_force = limit_in_force();
	rc = vu_receive(sock[1], &m, VU_MAX_MESSAGE, VU_UNTIL(now_us() + SECOND));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &rl), 0);
	vu_message_drop(&m);
	close_all(fd, 8);
	close_all(sock, 2);
	if (in_force != low.rlim_cur)
		skip();
	assert_int_equal(rc, -EPROTO);
	assert_int_equal(open_descriptors(), before);
}

static void test_closed_on_exec(void **state)
{
	struct vu_header h = { .size = sizeof(h) };
	struct vu_message m;
	int sock[2], fd;

	(void)state;
	pair(sock);
	eventfds(&fd, 1);
	put(sock[0], &h, sizeof(h), &fd, 1);
	assert_int_equal(vu_receive(sock[1], &m, VU_MAX_MESSAGE, VU_UNTIL(UINT64_MAX)), 0);
	assert_int_equal(fcntl(m.fd[0], F_GETFD), FD_CLOEXEC);
	vu_message_drop(&m);
	close(fd);
	close_all(sock, 2);
}

static void test_time(void **state)
{
	uint8_t bytes[sizeof(header) + SIZE];
	uint64_t begin = now_us(), took;
	int sock[2];

	(void)state;
	whole(bytes);
	pair(sock);
	assert_fails(sock[1], VU_MAX_MESSAGE, begin + 50000, -ETIMEDOUT);
	took = now_us() - begin;
	assert_in_range(took, 50000, 20ull * SECOND);
	/* what is there already needs no time */
	put(sock[0], bytes, sizeof(bytes), NULL, 0);
	{
		struct vu_message m;

		assert_int_equal(vu_receive(sock[1], &m, VU_MAX_MESSAGE, VU_UNTIL(0)), 0);
		vu_message_drop(&m);
	}
	put(sock[0], bytes, 20, NULL, 0);
	assert_fails(sock[1], VU_MAX_MESSAGE, now_us() + 1000, -ETIMEDOUT);
	close_all(sock, 2);
}

struct trickle {
	int sock;
	unsigned int n;
};

/* A byte each 5 ms: always something new, never done in time. */
static void *trickle(void *arg)
{
	struct trickle *t = arg;
	uint8_t bytes[sizeof(header) + SIZE];

	whole(bytes);
	for (unsigned int i = 0; i < sizeof(bytes); i++) {
		if (send(t->sock, bytes + i, 1, MSG_NOSIGNAL) < 0)
			break;
		t->n++;
		usleep(5000);
	}
	return NULL;
}

static void test_trickle(void **state)
{
	struct trickle t = { 0 };
	pthread_t thread;
	int sock[2];

	(void)state;
	pair(sock);
	t.sock = sock[0];
	assert_int_equal(pthread_create(&thread, NULL, trickle, &t), 0);
	assert_fails(sock[1], VU_MAX_MESSAGE, now_us() + 100000, -ETIMEDOUT);
	close(sock[1]);
	pthread_join(thread, NULL);
	assert_true(t.n < sizeof(header) + SIZE);
	close(sock[0]);
}

/* Nobody reads: a megabyte does not fit into the socket. */
static void test_send_time(void **state)
{
	static const uint8_t data[VU_DEFAULT_XFER];
	struct vu_header h = { .size = sizeof(h) + VU_DEFAULT_XFER };
	int sock[2];

	(void)state;
	pair(sock);
	assert_int_equal(vu_send(sock[0], &(struct vu_frame){ h, data, VU_DEFAULT_XFER, NULL, 0 },
				 VU_UNTIL(now_us() + 20000)),
			 -ETIMEDOUT);
	close(sock[1]);
	assert_int_equal(vu_send(sock[0], &(struct vu_frame){ h, data, 8, NULL, 0 },
				 VU_UNTIL(UINT64_MAX)),
			 -EPIPE);
	close(sock[0]);
}

struct large {
	int sock, rc;
	struct vu_message m;
};

static void *receive_large(void *arg)
{
	struct large *l = arg;

	l->rc = vu_receive(l->sock, &l->m, VU_MAX_MESSAGE, VU_UNTIL(now_us() + 20ull * SECOND));
	return NULL;
}

/* Written in many pieces; the descriptors go once. */
static void test_large(void **state)
{
	static uint8_t data[VU_DEFAULT_XFER];
	struct vu_header h = { .size = sizeof(h) + VU_DEFAULT_XFER };
	struct large l = { 0 };
	pthread_t thread;
	int sock[2], fd[5];

	(void)state;
	for (unsigned int i = 0; i < VU_DEFAULT_XFER; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	pair(sock);
	eventfds(fd, 5);
	l.sock = sock[1];
	assert_int_equal(pthread_create(&thread, NULL, receive_large, &l), 0);
	assert_int_equal(vu_send(sock[0], &(struct vu_frame){ h, data, VU_DEFAULT_XFER, fd, 5 },
				 VU_UNTIL(now_us() + 20ull * SECOND)),
			 0);
	pthread_join(thread, NULL);
	assert_int_equal(l.rc, 0);
	assert_int_equal(l.m.nfds, 5);
	assert_memory_equal(l.m.payload, data, VU_DEFAULT_XFER);
	vu_message_drop(&l.m);
	close_all(fd, 5);
	close_all(sock, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchange),
		cmocka_unit_test(test_header_only),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_reader),
		cmocka_unit_test(test_reading_ahead),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_too_many_descriptors),
		cmocka_unit_test(test_descriptor_limit),
		cmocka_unit_test(test_closed_on_exec),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_trickle),
		cmocka_unit_test(test_send_time),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests_name("vu-wire", tests, NULL, NULL);
}
