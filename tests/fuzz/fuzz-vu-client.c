// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A server that may answer anything. Input: a byte that picks what is tried;
 * for the back end then answers, each a byte of command (bit 7: an error, with
 * the next byte as errno), a byte of length and the payload; they get the
 * numbers that the back end expects.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/util.h"
#include "vfio-user/client.h"
#include "vfio-user/wire.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int32_t eventfds[4];

static void expect(bool truth)
{
	if (!truth)
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	for (size_t i = 0; i < ARRAY_SIZE(eventfds); i++)
		eventfds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return 0;
}

/* Whatever is on the stream: messages until it ends or is none. */
static void receive(const uint8_t *data, size_t size)
{
	struct vu_message m;
	int sock[2];

	expect(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock));
	expect(send(sock[0], data, size, MSG_DONTWAIT) == (ssize_t)size);
	close(sock[0]);
	while (!vu_receive(sock[1], &m, VU_MAX_MESSAGE, VU_UNTIL(UINT64_MAX))) {
		struct vu_version v;

		expect(m.size + sizeof(m.header) == m.header.size && !m.payload == !m.size);
		vu_version_parse(m.payload, m.size, &v);
		vu_message_drop(&m);
	}
	close(sock[1]);
}

static void parse_version(const uint8_t *data, size_t size)
{
	struct vu_version v, again;
	uint8_t buf[256];
	size_t n;

	if (vu_version_parse(data, size, &v))
		return;
	expect(v.max_msg_fds && v.max_data_xfer);
	n = vu_version_format(&v, buf, sizeof(buf));
	expect(n <= sizeof(buf) && !vu_version_parse(buf, n, &again));
	expect(again.max_data_xfer == v.max_data_xfer && again.max_msg_fds == v.max_msg_fds && again.grant == v.grant);
}

static void answer(int sock, const uint8_t *data, size_t size)
{
	uint16_t id = 1;

	for (size_t at = 0; at + 2 <= size; id++) {
		bool error = data[at] & 0x80;
		size_t n = data[at + 1] < size - at - 2 ? data[at + 1] : size - at - 2;
		struct vu_header h = { .id = id,
				       .command = data[at] & 0x1f,
				       .size = (uint32_t)(sizeof(h) + n),
				       .flags = (data[at] & 0x60) == 0x20 ? VU_COMMAND : VU_REPLY };

		if (error) {
			h.flags |= VU_ERROR;
			h.error = n ? data[at + 2] : 0;
		}
		/* Descriptors that nobody asked for. */
		vu_send(sock, &(struct vu_frame){ h, data + at + 2, n, eventfds, (data[at] & 0x60) == 0x40 ? 2 : 0 },
			VU_UNTIL(0));
		at += 2 + n;
	}
	shutdown(sock, SHUT_WR);
}

static void set_all(void *u)
{
	struct irq_set s = { .index = IRQ_MSIX, .data = IRQ_DATA_EVENTFD, .count = 4 };
	struct set_outcome o = { 0 };
	struct error e = { 0 };
	int rc;

	vector_set_add_range(&s.attach, 0, 4);
	rc = vfio_user_set_irqs(u, &s, eventfds, &o);
	expect(o.start + o.count <= 4 && vector_set_end(&o.armed) <= 4);
	if (rc < 0)
		vfio_user_explain(u, rc, "SET_IRQS", &e);
	expect(rc >= 0 || e.message[0]);
	s.data = IRQ_DATA_BOOL;
	vfio_user_set_irqs(u, &s, NULL, &o);
	s = (struct irq_set){ .index = IRQ_MSIX, .data = IRQ_DATA_NONE };
	vfio_user_set_irqs(u, &s, NULL, &o);
}

static void use(void *u)
{
	struct device_info info;
	struct region_info ri;
	struct irq_info ii;
	struct error e;
	char text[256];
	uint8_t data[64] = { 0 };

	vfio_user_device_info(u, &info, &e);
	for (int i = 0; i < NR_IRQ_INDEX; i++)
		vfio_user_irq_info(u, (enum irq_index)i, &ii);
	for (int i = 0; i < NR_REGION; i++)
		vfio_user_region_info(u, (enum region_index)i, &ri);
	expect(vfio_user_region_read(u, REGION_CONFIG, data, sizeof(data), 0) <= (ssize_t)sizeof(data));
	expect(vfio_user_region_write(u, REGION_BAR0, data, 4, 0) <= 4);
	set_all(u);
	vfio_user_reset(u);
	vfio_user_peer_text(u, text, sizeof(text));
	for (unsigned int i = 0; vfio_user_peer_quirk(u, i); i++)
		continue;
	vfio_user_peer_ready(u);
	if (vfio_user_peer_end(u, &e))
		expect(e.message[0]);
}

static void back_end(const uint8_t *data, size_t size)
{
	static const struct trace quiet;
	const struct open_request req = { .spec = "vfio-user:x", .trace = &quiet, .timeout_us = 100000 };
	struct error e = { 0 };
	void *u;
	int sock[2];

	expect(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock));
	answer(sock[0], data, size);
	if (!vfio_user_start(sock[1], 0, &req, &u, &e)) {
		use(u);
		vfio_user_close(u);
	} else {
		expect(e.message[0]);
	}
	close(sock[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int lowest = dup(0), again;

	close(lowest);
	if (size < 1)
		return 0;
	if (data[0] < 2)
		receive(data + 1, size - 1);
	else if (data[0] == 2)
		parse_version(data + 1, size - 1);
	else
		back_end(data + 1, size - 1);
	again = dup(0);
	close(again);
	expect(lowest == again);
	return 0;
}
