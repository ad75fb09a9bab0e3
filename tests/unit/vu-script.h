/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A vfio-user peer that answers by a script, well or badly, in a thread; and a client of it. */
#ifndef TEST_VU_SCRIPT_H
#define TEST_VU_SCRIPT_H

#include <linux/vfio.h>
#include <pthread.h>
#include <stdio.h>

#include "vfio-user/internal.h"
#include "vu-peer.h"

#define MAX_SEEN 300u
#define VECTORS	 32u
/* How long the client waits: for a peer that is silent on purpose, and for one on a busy machine. */
#define QUICK	150000u
#define PATIENT 60000000u

#define ARM  (VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER)
#define FIRE (VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER)

/* How the peer answers the message number @at, and any other: well. */
enum trick {
	GOOD,
	WRONG_ID,
	WRONG_COMMAND,
	ERROR_ZERO,
	ERROR_ENOSPC,
	GRANT,
	SILENT,
	CUT, /* @arg bytes of the reply, then the end */
	SHORT_PAYLOAD,
	OVERSIZED,
	WITH_FDS,
	ASKS_FIRST, /* a DMA_READ before the reply */
	LIES,	    /* counts and sizes of 4 billion */
	FLOOD,	    /* requests that want no reply, without end */
	DRIP,	    /* the same, one at a time and slowly */
};

struct seen {
	uint16_t command;
	uint32_t flags;
	unsigned int start, count, nfds;
};

struct peer {
	int sock;
	pthread_t thread;
	unsigned int max_fds;
	size_t max_xfer;
	useconds_t pause; /* before each reply but VERSION's */
	bool grant, no_pci;
	unsigned int at;
	enum trick trick;
	size_t arg;
	struct loop *loop;
	/* What came, VERSION first. */
	struct seen seen[MAX_SEEN];
	unsigned int n;
	uint32_t refused; /* the errno that our own request was answered with */
};

static inline void note(struct peer *p, const struct vu_message *m)
{
	struct vfio_irq_set set = { 0 };
	struct seen *s = &p->seen[p->n];

	if (p->n >= MAX_SEEN)
		return;
	s->command = m->header.command;
	s->nfds = m->nfds;
	if (m->header.command == VU_DEVICE_SET_IRQS && m->size >= sizeof(set)) {
		memcpy(&set, m->payload, sizeof(set));
		s->flags = set.flags;
		s->start = set.start;
		s->count = set.count;
	}
}

/* A reply as a device with VECTORS of MSI-X gives it; returns its size. */
static inline size_t answer(const struct peer *p, const struct vu_message *m, bool lies,
			    uint8_t *out)
{
	struct vu_version v = { .max_msg_fds = p->max_fds,
				.max_data_xfer = p->max_xfer ? p->max_xfer : VU_DEFAULT_XFER,
				.grant = p->grant };
	struct vfio_device_info di = {
		.argsz = 16, .flags = VFIO_DEVICE_FLAGS_PCI, .num_regions = 9, .num_irqs = 5
	};
	struct vfio_irq_info ii = { .argsz = sizeof(ii),
				    .flags = 1,
				    .count = lies ? UINT32_MAX : VECTORS };
	struct vfio_region_info ri = { .argsz = sizeof(ri),
				       .flags = 3,
				       .size = lies ? UINT64_MAX : 4096 },
				asked;

	if (p->no_pci)
		di.flags = VFIO_DEVICE_FLAGS_PLATFORM;
	switch (m->header.command) {
	case VU_VERSION:
		return vu_version_format(&v, out, 512);
	case VU_DEVICE_GET_INFO:
		memcpy(out, &di, 16);
		return 16;
	case VU_DEVICE_GET_IRQ_INFO:
		memcpy(out, &ii, sizeof(ii));
		return sizeof(ii);
	case VU_DEVICE_GET_REGION_INFO:
		memcpy(&asked, m->payload, sizeof(asked));
		if (asked.index == VFIO_PCI_ROM_REGION_INDEX)
			ri.flags = VFIO_REGION_INFO_FLAG_READ;
		memcpy(out, &ri, sizeof(ri));
		return sizeof(ri);
	case VU_REGION_READ:
		memcpy(out, m->payload, 16);
		memset(out + 16, 0x5a, 64);
		if (lies)
			memset(out + 12, 0xff, 4);
		return 16 + out[12] % 64u;
	case VU_REGION_WRITE:
		memcpy(out, m->payload, 16);
		return 16;
	}
	return 0;
}

/* Bytes that no sender of the protocol would send. */
static inline void send_raw(struct peer *p, struct vu_header h, const uint8_t *payload, size_t n)
{
	uint8_t all[sizeof(h) + 1024];

	memcpy(all, &h, sizeof(h));
	memcpy(all + sizeof(h), payload, 1024);
	if (n)
		send(p->sock, all, n, MSG_NOSIGNAL);
}

static inline void ask_first(struct peer *p)
{
	struct vu_header h = { .id = 77, .command = VU_DMA_READ, .size = sizeof(h) + 16 };
	struct vu_message m;

	vu_send(p->sock, &(struct vu_frame){ h, "0123456789abcdef", 16, NULL, 0 },
		VU_UNTIL(UINT64_MAX));
	if (vu_receive(p->sock, &m, VU_MAX_MESSAGE, VU_UNTIL(UINT64_MAX)) == 0) {
		p->refused = m.header.id == 77 ? m.header.error : 0;
		vu_message_drop(&m);
	}
}

/* Until the client has enough. */
static inline void flood(struct peer *p, useconds_t pause)
{
	const struct vu_header h = {
		.id = 7, .command = VU_DMA_READ, .size = sizeof(h), .flags = VU_NO_REPLY
	};

	while (send(p->sock, &h, sizeof(h), MSG_NOSIGNAL) == sizeof(h))
		usleep(pause);
}

/* Returns false when the peer hangs up. */
static inline bool reply(struct peer *p, const struct vu_message *m, enum trick trick)
{
	uint8_t out[1024] = { 0 };
	size_t n = answer(p, m, trick == LIES, out);
	struct vu_header h = { .id = m->header.id,
			       .command = m->header.command,
			       .size = (uint32_t)(sizeof(h) + n),
			       .flags = VU_REPLY };
	uint32_t granted = 5;
	int fd[2] = { 0, 1 };

	if (trick == WRONG_ID)
		h.id++;
	if (trick == WRONG_COMMAND)
		h.command = VU_DEVICE_RESET;
	if (trick == ASKS_FIRST)
		ask_first(p);
	if (trick == FLOOD || trick == DRIP)
		flood(p, trick == DRIP ? 10000 : 0);
	if (trick == ERROR_ZERO || trick == ERROR_ENOSPC || trick == GRANT) {
		h.flags |= VU_ERROR;
		h.error = trick == ERROR_ZERO ? 0 : ENOSPC;
		n = trick == GRANT ? sizeof(granted) : 0;
		memcpy(out, &granted, sizeof(granted));
		h.size = (uint32_t)(sizeof(h) + n);
	}
	if (trick == SHORT_PAYLOAD)
		n = 1, h.size = sizeof(h) + 1;
	if (trick == OVERSIZED)
		h.size = UINT32_MAX;
	if (trick == CUT) {
		send_raw(p, h, out, p->arg < h.size ? p->arg : h.size - 1);
		return false;
	}
	if (trick == OVERSIZED)
		send_raw(p, h, out, sizeof(h));
	else
		vu_send(p->sock, &(struct vu_frame){ h, out, n, fd, trick == WITH_FDS ? 2 : 0 },
			VU_UNTIL(UINT64_MAX));
	return true;
}

static inline void *serve(void *arg)
{
	struct peer *p = arg;
	struct vu_message m;
	bool go_on = true;

	while (go_on && vu_receive(p->sock, &m, VU_MAX_MESSAGE, VU_UNTIL(UINT64_MAX)) == 0) {
		enum trick trick = p->n == p->at ? p->trick : GOOD;

		note(p, &m);
		if (p->n)
			usleep(p->pause);
		if (trick != SILENT)
			go_on = reply(p, &m, trick);
		vu_message_drop(&m);
		p->n++;
	}
	shutdown(p->sock, SHUT_RDWR);
	return NULL;
}

static const struct trace quiet;

/* Whether the client waits in vain, and should not do so for long. */
static inline bool waits_in_vain(const struct peer *p)
{
	return (p->trick == SILENT || p->trick == DRIP || p->pause) && !p->loop;
}

/*
 * 0 and the back end's handle, or what vfio_user_start() said. A peer that answers VERSION well has all the time for
 * the answer: on a busy machine its thread may not run for a while.
 */
static inline int start(struct peer *p, void **u, struct error *e)
{
	const bool quick = waits_in_vain(p);
	const struct open_request req = { .spec = "vfio-user:x",
					  .trace = &quiet,
					  .loop = p->loop,
					  .timeout_us = quick && p->at == 0 ? QUICK : PATIENT };
	int sock[2], rc;

	pair(sock);
	p->sock = sock[0];
	p->max_fds = p->max_fds ? p->max_fds : 16;
	assert_int_equal(pthread_create(&p->thread, NULL, serve, p), 0);
	*e = (struct error){ 0 };
	rc = vfio_user_start(sock[1], 0, &req, u, e);
	if (rc == 0 && quick)
		((struct vfio_user *)*u)->timeout_us = QUICK;
	return rc;
}

static inline void started(struct peer *p, void **u)
{
	struct error e;

	assert_int_equal(start(p, u, &e), 0);
}

static inline void stop(struct peer *p, void *u)
{
	if (u)
		vfio_user_close(u);
	pthread_join(p->thread, NULL);
	close(p->sock);
}

static inline struct irq_set set_of(unsigned int start, unsigned int count)
{
	struct irq_set s = {
		.index = IRQ_MSIX, .data = IRQ_DATA_EVENTFD, .start = start, .count = count
	};

	vector_set_add_range(&s.attach, start, count);
	return s;
}

#endif
