/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A vfio-user peer whose replies are written before the client asks: no thread, and each byte is the test's. */
#ifndef TEST_VU_CANNED_H
#define TEST_VU_CANNED_H

#include <linux/vfio.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/loop.h"
#include "vfio-user/internal.h"

#include "vu-peer.h"

struct canned {
	int sock;	 /* the peer's end */
	uint16_t id;	 /* of the client's last request */
	uint64_t limit;	 /* of time, us */
	uint32_t number; /* of the next error reply */
	struct vfio_user *u;
};

static char canned_trace[4096];

static inline void canned_line(void *ctx, const char *text)
{
	(void)ctx;
	append(canned_trace, sizeof(canned_trace), "%s\n", text);
}

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

/* The reply to the next request. */
static inline void will_say(struct canned *c, uint16_t command, const void *payload, size_t n)
{
	struct vu_header h = { .id = ++c->id,
			       .command = command,
			       .size = (uint32_t)(sizeof(h) + n),
			       .flags = VU_REPLY | (c->number ? VU_ERROR : 0),
			       .error = c->number };

	assert_int_equal(send(c->sock, &h, sizeof(h), MSG_NOSIGNAL), sizeof(h));
	if (n)
		assert_int_equal(send(c->sock, payload, n, MSG_NOSIGNAL), (ssize_t)n);
	c->number = 0;
}

/* The next request that the client has sent; dropped by the caller. */
static inline void was_asked(const struct canned *c, uint16_t command, struct vu_message *m)
{
	assert_int_equal(vu_receive(c->sock, m, VU_MAX_MESSAGE, VU_UNTIL(0)), 0);
	assert_int_equal(m->header.command, command);
	assert_int_equal(m->header.flags, VU_COMMAND);
	assert_int_equal(m->header.error, 0);
}

/* And it is just these bytes. */
static inline void was_asked_just(const struct canned *c, uint16_t command, const void *payload,
				  size_t n)
{
	struct vu_message m;

	was_asked(c, command, &m);
	assert_int_equal(m.size, n);
	if (n)
		assert_memory_equal(m.payload, payload, n);
	vu_message_drop(&m);
}

static inline void was_asked_nothing(const struct canned *c)
{
	char byte;

	assert_int_equal(recv(c->sock, &byte, 1, MSG_DONTWAIT | MSG_PEEK), -1);
	assert_int_equal(errno, EAGAIN);
}

/* A client of a peer that takes @fds descriptors per message, whose request VERSION has been read. */
static inline void canned_start(struct canned *c, unsigned int fds, struct loop *loop, bool loud)
{
	static const struct trace quiet, all = { .on = true, .line = canned_line };
	const struct open_request req = { .spec = "vfio-user:x",
					  .trace = loud ? &all : &quiet,
					  .loop = loop,
					  .timeout_us = c->limit ? c->limit : 60000000 };
	struct vu_version v = { .max_msg_fds = fds,
				.max_data_xfer = VU_DEFAULT_XFER,
				.grant = true };
	uint8_t payload[512];
	struct vu_message m;
	struct error e;
	int sock[2];

	pair(sock);
	c->sock = sock[0];
	c->id = 0;
	will_say(c, VU_VERSION, payload, vu_version_format(&v, payload, sizeof(payload)));
	assert_int_equal(vfio_user_start(sock[1], 0, &req, (void **)&c->u, &e), 0);
	was_asked(c, VU_VERSION, &m);
	vu_message_drop(&m);
}

static inline void canned_end(struct canned *c)
{
	vfio_user_close(c->u);
	close(c->sock);
}

#endif
