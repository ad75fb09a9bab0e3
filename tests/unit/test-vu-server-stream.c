// SPDX-License-Identifier: GPL-2.0-or-later
/* The server of a simulated function, and how the bytes of messages come and go. */
#include <linux/vfio.h>

#include "vu-fixture.h"

/* VERSION, GET_INFO, SET_IRQS with two descriptors, a read, RESET: all bytes of a conversation. */
struct conversation {
	uint8_t bytes[512];
	size_t n, fds_at;
	unsigned int replies;
};

static void say(struct conversation *c, uint16_t command, const void *payload, size_t size)
{
	struct vu_header h = { .id = (uint16_t)c->replies++,
			       .command = command,
			       .size = (uint32_t)(sizeof(h) + size) };

	memcpy(c->bytes + c->n, &h, sizeof(h));
	if (size)
		memcpy(c->bytes + c->n + sizeof(h), payload, size);
	c->n += sizeof(h) + size;
	assert_true(c->n <= sizeof(c->bytes));
}

static void converse(struct conversation *c)
{
	uint8_t version[4 + sizeof(JSON)] = { 0 };
	const uint32_t info[4] = { 16 };
	struct vfio_irq_set set = { .argsz = 20, .flags = ARM, .index = 2, .count = 2 };
	struct {
		uint64_t offset;
		uint32_t region, count;
	} a = { 0, 7, 64 };

	memset(c, 0, sizeof(*c));
	memcpy(version + 4, JSON, sizeof(JSON));
	say(c, VU_VERSION, version, sizeof(version));
	say(c, VU_DEVICE_GET_INFO, info, sizeof(info));
	c->fds_at = c->n;
	say(c, VU_DEVICE_SET_IRQS, &set, sizeof(set));
	say(c, VU_REGION_READ, &a, sizeof(a));
	say(c, VU_DEVICE_RESET, NULL, 0);
}

/* Bytes @from to @to, the descriptors with the first byte of their message. */
static void send_part(int sock, const struct conversation *c, size_t from, size_t to, const int *fd)
{
	if (from < c->fds_at && to > c->fds_at) {
		put(sock, c->bytes + from, c->fds_at - from, NULL, 0);
		from = c->fds_at;
	}
	if (from < to)
		put(sock, c->bytes + from, to - from, fd, from == c->fds_at ? 2 : 0);
}

static void hear_all(struct fixture *f, const struct conversation *c)
{
	struct vu_message m;

	for (unsigned int i = 0; i < c->replies; i++) {
		assert_int_equal(vu_receive(f->sock, &m, VU_MAX_MESSAGE, VU_UNTIL(0)), 0);
		assert_int_equal(m.header.id, i);
		assert_int_equal(m.header.flags, VU_REPLY);
		vu_message_drop(&m);
	}
}

static void test_byte_by_byte(void **state)
{
	struct conversation c;
	struct fixture f;
	int fd[2];

	(void)state;
	fixture_new(&f, NULL);
	converse(&c);
	eventfds(fd, 2);
	join(&f);
	for (size_t i = 0; i < c.n; i++) {
		send_part(f.sock, &c, i, i + 1, fd);
		pump(&f);
	}
	hear_all(&f, &c);
	assert_int_equal(set_irqs(&f, FIRE, 2, 0, 2, NULL, 0), 0);
	assert_int_equal(counted(fd[1]), 1);
	close_all(fd, 2);
	fixture_free(&f);
}

/* The client closes after each byte of the conversation: nothing is left, and the next one is served. */
static void test_close_anywhere(void **state)
{
	struct conversation c;
	struct fixture f;
	unsigned int before;
	int fd[2];

	(void)state;
	fixture_new(&f, NULL);
	converse(&c);
	eventfds(fd, 2);
	before = open_descriptors();
	for (size_t i = 0; i <= c.n; i++) {
		join(&f);
		send_part(f.sock, &c, 0, i, fd);
		if (i & 1)
			pump(&f);
		leave(&f);
		assert_int_equal(open_descriptors(), before);
	}
	join(&f);
	send_part(f.sock, &c, 0, c.n, fd);
	pump(&f);
	hear_all(&f, &c);
	close_all(fd, 2);
	fixture_free(&f);
}

/* Requests that were sent before the client said that it will send no more are answered all the same. */
static void test_half_closed(void **state)
{
	struct conversation c;
	struct fixture f;
	int fd[2];

	(void)state;
	fixture_new(&f, NULL);
	converse(&c);
	eventfds(fd, 2);
	join(&f);
	send_part(f.sock, &c, 0, c.n, fd);
	shutdown(f.sock, SHUT_WR);
	pump(&f);
	hear_all(&f, &c);
	assert_closed(&f);
	close_all(fd, 2);
	fixture_free(&f);
}

static void test_pipelined(void **state)
{
	struct fixture f;
	uint16_t first;

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	first = (uint16_t)(f.id + 1);
	for (uint32_t i = 0; i < 50; i++) {
		struct vfio_irq_info info = { .argsz = 16, .index = i % 6 };

		send_ask(&f, &(struct ask){ .command = VU_DEVICE_GET_IRQ_INFO,
					    .payload = &info,
					    .size = 16 });
	}
	pump(&f);
	for (uint32_t i = 0; i < 50; i++) {
		struct vu_message m;

		assert_int_equal(vu_receive(f.sock, &m, VU_MAX_MESSAGE, VU_UNTIL(0)), 0);
		assert_int_equal(m.header.id, (uint16_t)(first + i));
		assert_int_equal(m.header.error, i % 6 == 5 ? EINVAL : 0);
		if (i % 6 != 5)
			assert_int_equal(m.payload[8], i % 6);
		vu_message_drop(&m);
	}
	fixture_free(&f);
}

/* Nobody reads: the server stops reading too, keeps one reply, and goes on when there is room again. */
static void test_client_that_does_not_read(void **state)
{
	struct {
		uint64_t offset;
		uint32_t region, count;
	} a = { 0, 7, 4096 };
	struct vu_header h = { .command = VU_REGION_READ, .size = sizeof(h) + sizeof(a) };
	uint8_t bytes[sizeof(h) + sizeof(a)];
	unsigned int sent = 0, got = 0;
	struct fixture f;

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	for (;; sent++) {
		h.id = (uint16_t)sent;
		memcpy(bytes, &h, sizeof(h));
		memcpy(bytes + sizeof(h), &a, sizeof(a));
		if (send(f.sock, bytes, sizeof(bytes), MSG_DONTWAIT) != sizeof(bytes))
			break;
		pump(&f);
	}
	assert_true(sent > 10 && sent < 100000);
	while (got < sent) {
		struct vu_message m;

		pump(&f);
		assert_int_equal(vu_receive(f.sock, &m, VU_MAX_MESSAGE, VU_UNTIL(0)), 0);
		assert_int_equal(m.header.id, got++);
		assert_int_equal(m.size, 16 + 4096);
		vu_message_drop(&m);
	}
	/* many at a time: what was read ahead waits for room too */
	for (sent = got = 0;; sent++) {
		h.id = (uint16_t)sent;
		memcpy(bytes, &h, sizeof(h));
		if (send(f.sock, bytes, sizeof(bytes), MSG_DONTWAIT) != sizeof(bytes))
			break;
	}
	while (got < sent) {
		struct vu_message m;

		pump(&f);
		assert_int_equal(vu_receive(f.sock, &m, VU_MAX_MESSAGE, VU_UNTIL(0)), 0);
		assert_int_equal(m.header.id, (uint16_t)got++);
		vu_message_drop(&m);
	}
	/* and one that goes while a reply waits for it */
	for (unsigned int i = 0; send(f.sock, bytes, sizeof(bytes), MSG_DONTWAIT) == sizeof(bytes);
	     i++)
		pump(&f);
	leave(&f);
	greet(&f);
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_close_anywhere),
		cmocka_unit_test(test_half_closed),
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_client_that_does_not_read),
	};

	return cmocka_run_group_tests_name("vu-server-stream", tests, NULL, NULL);
}
