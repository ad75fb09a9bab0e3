/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A server of a simulated function with a client's end in the test's hand: words to talk to it. */
#ifndef TEST_VU_FIXTURE_H
#define TEST_VU_FIXTURE_H

#include <linux/vfio.h>
#include <stdio.h>

#include "base/loop.h"
#include "sim/device.h"
#include "vu-peer.h"
#include "sim/server.h"

#define ARM   (VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER)
#define FIRE  (VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER)
#define JSON  "{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":1048576}}"
#define GRANT "{\"capabilities\":{\"max_msg_fds\":8,\"msictl_grant\":true}}"

struct fixture {
	struct sim_device *d;
	struct loop *loop;
	struct vu_server *server;
	int sock; /* the client's end */
	uint16_t id;
};

static inline void fixture_new(struct fixture *f, const char *spec)
{
	struct sim_spec s;
	struct error e;

	memset(f, 0, sizeof(*f));
	f->sock = -1;
	assert_int_equal(sim_spec_parse(spec, &s, &e), 0);
	assert_int_equal(sim_device_new(&f->d, &s), 0);
	sim_accept_pieces(f->d);
	assert_int_equal(loop_new(&f->loop), 0);
	assert_int_equal(vu_server_new(&f->server, f->d, f->loop), 0);
}

static inline void fixture_free(struct fixture *f)
{
	cleanup_fd(&f->sock);
	vu_server_free(f->server);
	loop_free(f->loop);
	sim_device_free(f->d);
	/* and nothing closed what is not its own */
	assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
}

static inline void join(struct fixture *f)
{
	int sock[2];

	pair(sock);
	assert_int_equal(vu_server_serve(f->server, sock[1]), 0);
	f->sock = sock[0];
}

/* Let the server do what there is to do. */
static inline void pump(struct fixture *f)
{
	while (loop_wait(f->loop, 0) > 0)
		continue;
}

static inline void leave(struct fixture *f)
{
	close(take_fd(&f->sock));
	pump(f);
	assert_false(vu_server_busy(f->server));
}

struct ask {
	uint16_t command;
	uint32_t flags;
	const void *payload;
	size_t size;
	const int *fd;
	unsigned int nfds;
};

static inline void send_ask(struct fixture *f, const struct ask *a)
{
	struct vu_header h = { .id = ++f->id,
			       .command = a->command,
			       .size = (uint32_t)(sizeof(h) + a->size),
			       .flags = a->flags };

	assert_int_equal(vu_send(f->sock,
				 &(struct vu_frame){ h, a->payload, a->size, a->fd, a->nfds },
				 VU_UNTIL(now_us() + SECOND)),
			 0);
}

/* The reply to the last message; returns the errno in it. */
static inline int reply(struct fixture *f, struct vu_message *m)
{
	assert_int_equal(vu_receive(f->sock, m, VU_MAX_MESSAGE, VU_UNTIL(0)), 0);
	assert_int_equal(m->header.id, f->id);
	assert_int_equal(m->header.flags & ~VU_ERROR, VU_REPLY);
	assert_int_equal(m->nfds, 0);
	if (m->header.flags & VU_ERROR)
		assert_true(m->header.error > 0);
	else
		assert_int_equal(m->header.error, 0);
	return (int)m->header.error;
}

/* One exchange; the reply's payload goes to @out, of which the length must be @n. Returns its errno. */
static inline int ask(struct fixture *f, const struct ask *a, void *out, size_t n)
{
	struct vu_message m;
	int err;

	send_ask(f, a);
	pump(f);
	err = reply(f, &m);
	assert_int_equal(m.header.command, a->command);
	assert_int_equal(m.size, err ? 0 : n);
	if (!err && out)
		memcpy(out, m.payload, n);
	vu_message_drop(&m);
	return err;
}

static inline void assert_closed(struct fixture *f)
{
	struct vu_message m;

	pump(f);
	assert_false(vu_server_busy(f->server));
	assert_int_equal(vu_receive(f->sock, &m, VU_MAX_MESSAGE, VU_UNTIL(0)), -ECONNRESET);
	close(take_fd(&f->sock));
}

static inline int version(struct fixture *f, const char *json, struct vu_version *v)
{
	uint8_t payload[512] = { 0, 0, 1, 0 };
	size_t size = json ? 4 + strlen(json) + 1 : 4;
	struct vu_message m;
	int err;

	*v = (struct vu_version){ 0 };
	if (json)
		memcpy(payload + 4, json, size - 4);
	send_ask(f, &(struct ask){ .command = VU_VERSION, .payload = payload, .size = size });
	pump(f);
	err = reply(f, &m);
	assert_int_equal(m.header.command, VU_VERSION);
	if (!err)
		assert_int_equal(vu_version_parse(m.payload, m.size, v), 0);
	else
		assert_int_equal(m.size, 0);
	vu_message_drop(&m);
	return err;
}

/* A client that has said VERSION. */
static inline void greet(struct fixture *f)
{
	struct vu_version v;

	join(f);
	assert_int_equal(version(f, JSON, &v), 0);
}

static inline int set_irqs(struct fixture *f, uint32_t flags, uint32_t index, uint32_t start,
			   uint32_t count, const int *fd, unsigned int nfds)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set), .flags = flags, .index = index, .start = start, .count = count
	};

	return ask(f,
		   &(struct ask){ .command = VU_DEVICE_SET_IRQS,
				  .payload = &set,
				  .size = sizeof(set),
				  .fd = fd,
				  .nfds = nfds },
		   NULL, 0);
}

static inline int read_region(struct fixture *f, uint32_t region, uint64_t offset, uint32_t count,
			      void *data)
{
	struct {
		uint64_t offset;
		uint32_t region, count;
		uint8_t data[4096];
	} out, a = { .offset = offset, .region = region, .count = count };
	int err = ask(f, &(struct ask){ .command = VU_REGION_READ, .payload = &a, .size = 16 },
		      &out, 16 + count);

	if (err)
		return err;
	assert_memory_equal(&a, &out, 16);
	memcpy(data, out.data, count);
	return 0;
}

static inline int write_region(struct fixture *f, uint32_t region, uint64_t offset, uint32_t value)
{
	struct {
		uint64_t offset;
		uint32_t region, count, value, pad;
	} a = { .offset = offset, .region = region, .count = 4, .value = value };
	uint8_t out[16];
	int err = ask(f, &(struct ask){ .command = VU_REGION_WRITE, .payload = &a, .size = 20 },
		      out, 16);

	if (!err)
		assert_memory_equal(&a, out, 16);
	return err;
}
static inline int region_info(struct fixture *f, struct vfio_region_info *info)
{
	return ask(f,
		   &(struct ask){ .command = VU_DEVICE_GET_REGION_INFO,
				  .payload = info,
				  .size = sizeof(*info) },
		   info, sizeof(*info));
}

#endif
