// SPDX-License-Identifier: GPL-2.0-or-later
/* The vfio-user back end against a peer that answers by a script, well or badly; the peer is a thread. */
#include <linux/vfio.h>
#include <pthread.h>
#include <stdio.h>

#include "vfio-user.h"
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
	bool grant;
	unsigned int at;
	enum trick trick;
	size_t arg;
	/* What came, VERSION first. */
	struct seen seen[MAX_SEEN];
	unsigned int n;
	uint32_t refused; /* the errno that our own request was answered with */
};

static void note(struct peer *p, const struct vu_message *m)
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
static size_t answer(const struct peer *p, const struct vu_message *m, bool lies, uint8_t *out)
{
	struct vu_version v = { .max_msg_fds = p->max_fds, .max_data_xfer = VU_DEFAULT_XFER, .grant = p->grant };
	struct vfio_device_info di = { .argsz = 16, .flags = VFIO_DEVICE_FLAGS_PCI, .num_regions = 9, .num_irqs = 5 };
	struct vfio_irq_info ii = { .argsz = sizeof(ii), .flags = 1, .count = lies ? UINT32_MAX : VECTORS };
	struct vfio_region_info ri = { .argsz = sizeof(ri), .flags = 3, .size = lies ? UINT64_MAX : 4096 };

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
static void send_raw(struct peer *p, struct vu_header h, const uint8_t *payload, size_t n)
{
	uint8_t all[sizeof(h) + 1024];

	memcpy(all, &h, sizeof(h));
	memcpy(all + sizeof(h), payload, 1024);
	if (n)
		send(p->sock, all, n, MSG_NOSIGNAL);
}

static void ask_first(struct peer *p)
{
	struct vu_header h = { .id = 77, .command = VU_DMA_READ, .size = sizeof(h) + 16 };
	struct vu_message m;

	vu_send(p->sock, &h, "0123456789abcdef", 16, NULL, 0, UINT64_MAX);
	if (vu_receive(p->sock, &m, VU_MAX_MESSAGE, UINT64_MAX) == 0) {
		p->refused = m.header.id == 77 ? m.header.error : 0;
		vu_message_drop(&m);
	}
}

/* Returns false when the peer hangs up. */
static bool reply(struct peer *p, const struct vu_message *m, enum trick trick)
{
	uint8_t out[1024] = { 0 };
	size_t n = answer(p, m, trick == LIES, out);
	struct vu_header h = {
		.id = m->header.id, .command = m->header.command, .size = (uint32_t)(sizeof(h) + n), .flags = VU_REPLY
	};
	uint32_t granted = 5;
	int fd[2] = { 0, 1 };

	if (trick == WRONG_ID)
		h.id++;
	if (trick == WRONG_COMMAND)
		h.command = VU_DEVICE_RESET;
	if (trick == ASKS_FIRST)
		ask_first(p);
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
		vu_send(p->sock, &h, out, n, fd, trick == WITH_FDS ? 2 : 0, UINT64_MAX);
	return true;
}

static void *serve(void *arg)
{
	struct peer *p = arg;
	struct vu_message m;
	bool go_on = true;

	while (go_on && vu_receive(p->sock, &m, VU_MAX_MESSAGE, UINT64_MAX) == 0) {
		enum trick trick = p->n == p->at ? p->trick : GOOD;

		note(p, &m);
		if (trick != SILENT)
			go_on = reply(p, &m, trick);
		vu_message_drop(&m);
		p->n++;
	}
	shutdown(p->sock, SHUT_RDWR);
	return NULL;
}

static const struct trace quiet;

/* 0 and the back end's handle, or what vfio_user_start() said. */
static int start(struct peer *p, void **u, struct error *e)
{
	const struct open_request req = { .spec = "vfio-user:x",
					  .trace = &quiet,
					  .timeout_us = p->trick == SILENT ? QUICK : PATIENT };
	int sock[2];

	pair(sock);
	p->sock = sock[0];
	p->max_fds = p->max_fds ? p->max_fds : 16;
	assert_int_equal(pthread_create(&p->thread, NULL, serve, p), 0);
	*e = (struct error){ 0 };
	return vfio_user_start(sock[1], 0, &req, u, e);
}

static void started(struct peer *p, void **u)
{
	struct error e;

	assert_int_equal(start(p, u, &e), 0);
}

static void stop(struct peer *p, void *u)
{
	if (u)
		vfio_user_close(u);
	pthread_join(p->thread, NULL);
	close(p->sock);
}

static struct irq_set set_of(unsigned int start, unsigned int count)
{
	struct irq_set s = { .index = IRQ_MSIX, .data = IRQ_DATA_EVENTFD, .start = start, .count = count };

	vector_set_add_range(&s.attach, start, count);
	return s;
}

static void assert_seen(const struct peer *p, unsigned int at, uint32_t flags, unsigned int start, unsigned int count,
			unsigned int nfds)
{
	const struct seen *s = &p->seen[at];

	assert_true(at < p->n);
	assert_int_equal(s->command, VU_DEVICE_SET_IRQS);
	assert_int_equal(s->flags, flags);
	assert_int_equal(s->start, start);
	assert_int_equal(s->count, count);
	assert_int_equal(s->nfds, nfds);
}

/* 20 vectors, first enable: one message without descriptors, then chunks that the peer can take. */
static void test_chunks(void **state)
{
	static const unsigned int max[] = { 1, 8, 16, 253 };
	int fd[20];

	(void)state;
	eventfds(fd, ARRAY_SIZE(fd));
	for (size_t i = 0; i < ARRAY_SIZE(max); i++) {
		struct peer p = { .max_fds = max[i], .at = UINT32_MAX };
		struct irq_set s = set_of(0, 20);
		unsigned int at = 1;
		void *u;

		started(&p, &u);
		assert_int_equal(vfio_user_set_irqs(u, &s, fd), 0);
		stop(&p, u);
		if (max[i] < 20)
			assert_seen(&p, at++, ARM, 0, 20, 0);
		for (unsigned int v = 0; v < 20; v += max[i]) {
			unsigned int n = max[i] < 20 - v ? max[i] : 20 - v;

			assert_seen(&p, at++, ARM, v, n, n);
		}
		assert_int_equal(p.n, at);
	}
	close_all(fd, ARRAY_SIZE(fd));
}

/* Runs with and without an eventfd are messages of their own; one that is on hears no count first. */
static void test_runs(void **state)
{
	struct peer p = { .at = UINT32_MAX };
	struct irq_set s = set_of(4, 2);
	int fd[8] = { -1, -1, -1, -1, -1, -1, -1, -1 };
	void *u;

	(void)state;
	eventfds(fd, 2);
	started(&p, &u);
	assert_int_equal(vfio_user_set_irqs(u, &s, fd), 0);
	s = set_of(8, 6);
	fd[3] = fd[0], fd[4] = fd[1], fd[0] = fd[1] = -1;
	assert_int_equal(vfio_user_set_irqs(u, &s, fd), 0);
	stop(&p, u);
	assert_seen(&p, 1, ARM, 4, 2, 2);
	assert_seen(&p, 2, ARM, 8, 3, 0);
	assert_seen(&p, 3, ARM, 11, 2, 2);
	assert_seen(&p, 4, ARM, 13, 1, 0);
	assert_int_equal(p.n, 5);
	close_all(fd + 3, 2);
}

/* The third of four chunks fails: all of the first enable is undone, later only what the call was about. */
static void test_roll_back(void **state)
{
	int fd[20];

	(void)state;
	eventfds(fd, ARRAY_SIZE(fd));
	for (int live = 0; live < 2; live++) {
		struct peer p = { .max_fds = 5, .at = 4, .trick = ERROR_ENOSPC };
		struct irq_set s = set_of(0, 1);
		void *u;

		started(&p, &u);
		if (live)
			assert_int_equal(vfio_user_set_irqs(u, &s, fd), 0);
		s = set_of(2, 20);
		assert_int_equal(vfio_user_set_irqs(u, &s, fd), -ENOSPC);
		stop(&p, u);
		if (live)
			assert_seen(&p, p.n - 1, ARM, 2, 20, 0);
		else
			assert_seen(&p, p.n - 1, FIRE, 0, 0, 0);
		assert_int_equal(p.n, 6);
	}
	close_all(fd, ARRAY_SIZE(fd));
}

/* A number behind ENOSPC counts only from a peer that said so. */
static void test_grant(void **state)
{
	int fd[2];

	(void)state;
	eventfds(fd, ARRAY_SIZE(fd));
	for (int said = 0; said < 2; said++) {
		struct peer p = { .grant = said, .at = 1, .trick = GRANT };
		struct irq_set s = set_of(0, 2);
		void *u;

		started(&p, &u);
		assert_int_equal(vfio_user_set_irqs(u, &s, fd), said ? 5 : -ENOSPC);
		stop(&p, u);
	}
	close_all(fd, ARRAY_SIZE(fd));
}

/* One GET_IRQ_INFO that is answered by @trick; then what a further exchange says. */
static int irq_info_under(enum trick trick, struct irq_info *info, int *again, uint32_t *refused)
{
	struct peer p = { .at = 1, .trick = trick };
	struct irq_info other;
	void *u;
	int rc;

	started(&p, &u);
	rc = vfio_user_irq_info(u, IRQ_MSIX, info);
	*again = vfio_user_irq_info(u, IRQ_MSI, &other);
	stop(&p, u);
	*refused = p.refused;
	return rc;
}

static void test_wrong_replies(void **state)
{
	static const struct {
		enum trick trick;
		int rc, again; /* after what leaves the stream in no known state nothing is asked any more */
	} cases[] = {
		{ GOOD, 0, 0 },
		{ WRONG_ID, -EPROTO, -ENOTCONN },
		{ WRONG_COMMAND, -EPROTO, -ENOTCONN },
		{ SHORT_PAYLOAD, -EPROTO, -ENOTCONN },
		{ OVERSIZED, -EPROTO, -ENOTCONN },
		{ SILENT, -ETIMEDOUT, -ENOTCONN },
		{ ERROR_ZERO, -EIO, 0 },
		{ ERROR_ENOSPC, -ENOSPC, 0 },
		{ GRANT, -ENOSPC, 0 },
		{ WITH_FDS, 0, 0 },
		{ ASKS_FIRST, 0, 0 },
	};
	unsigned int before = open_descriptors();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct irq_info info = { 0 };
		uint64_t begin = now_us();
		uint32_t refused;
		int again, rc = irq_info_under(cases[i].trick, &info, &again, &refused);

		if (rc != cases[i].rc || again != cases[i].again)
			fail_msg("trick %d: %d, then %d", (int)cases[i].trick, rc, again);
		if (rc == 0)
			assert_int_equal(info.count, VECTORS);
		assert_int_equal(refused, cases[i].trick == ASKS_FIRST ? ENOTSUP : 0);
		assert_true(now_us() - begin < PATIENT);
	}
	/* Descriptors that nobody asked for are closed. */
	assert_int_equal(open_descriptors(), before);
}

/* The end of the stream at every byte of a reply. */
static void test_cut(void **state)
{
	unsigned int before = open_descriptors();

	(void)state;
	for (size_t n = 0; n < 64; n++) {
		/* VERSION's reply, then the 32 bytes of GET_IRQ_INFO's */
		struct peer p = { .at = n < 32 ? 0 : 1, .trick = CUT, .arg = n % 32 };
		struct irq_info info;
		struct error e;
		void *u = NULL;
		int rc = start(&p, &u, &e);

		if (p.at == 0) {
			assert_true(rc < 0 && e.message[0]);
			u = NULL;
		} else {
			assert_int_equal(rc, 0);
			rc = vfio_user_irq_info(u, IRQ_MSIX, &info);
			assert_int_equal(rc, -ENOTCONN);
		}
		stop(&p, u);
	}
	assert_int_equal(open_descriptors(), before);
}

/* Large numbers are told as they are; who uses them bounds them. No memory is taken by them here. */
static void test_lies(void **state)
{
	struct peer p = { .at = 1, .trick = LIES };
	struct region_info ri;
	struct irq_info info;
	uint8_t data[4];
	void *u;

	(void)state;
	started(&p, &u);
	assert_int_equal(vfio_user_irq_info(u, IRQ_MSIX, &info), 0);
	assert_int_equal(info.count, UINT32_MAX);
	stop(&p, u);
	p = (struct peer){ .at = 1, .trick = LIES };
	started(&p, &u);
	assert_int_equal(vfio_user_region_info(u, REGION_BAR0, &ri), 0);
	assert_true(ri.size == UINT64_MAX);
	stop(&p, u);
	p = (struct peer){ .at = 1, .trick = LIES };
	started(&p, &u);
	assert_int_equal(vfio_user_region_read(u, REGION_BAR0, data, sizeof(data), 0), -EPROTO);
	assert_int_equal(vfio_user_region_read(u, REGION_BAR0, data, sizeof(data), 0), -ENOTCONN);
	stop(&p, u);
}

static void test_regions(void **state)
{
	struct peer p = { .at = UINT32_MAX };
	uint8_t data[4] = { 0 };
	void *u;

	(void)state;
	started(&p, &u);
	assert_int_equal(vfio_user_region_read(u, REGION_CONFIG, data, sizeof(data), 8), 4);
	assert_int_equal(data[3], 0x5a);
	assert_int_equal(vfio_user_region_write(u, REGION_BAR0, data, sizeof(data), 8), 4);
	stop(&p, u);
}

/* Between exchanges: a request is refused, the end is told. */
static void test_between(void **state)
{
	struct peer p = { .at = UINT32_MAX };
	struct irq_info info;
	int fd;
	void *u;

	(void)state;
	started(&p, &u);
	fd = vfio_user_peer_fd(u);
	assert_true(fd >= 0);
	shutdown(p.sock, SHUT_RDWR);
	assert_int_equal(vfio_user_peer_ready(u), -ENOTCONN);
	assert_int_equal(vfio_user_peer_ready(u), -ENOTCONN);
	assert_int_equal(vfio_user_irq_info(u, IRQ_MSIX, &info), -ENOTCONN);
	stop(&p, u);
}

static void test_version(void **state)
{
	static const enum trick tricks[] = {
		WRONG_ID, WRONG_COMMAND, SHORT_PAYLOAD, OVERSIZED, SILENT, ERROR_ZERO, ERROR_ENOSPC, CUT,
	};
	unsigned int before = open_descriptors();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tricks); i++) {
		struct peer p = { .at = 0, .trick = tricks[i], .arg = 4 };
		struct error e;
		void *u;

		assert_true(start(&p, &u, &e) < 0);
		assert_true(e.message[0] && e.cause != CAUSE_NONE);
		assert_int_equal(e.cause == CAUSE_BUSY, tricks[i] == SILENT);
		stop(&p, NULL);
	}
	assert_int_equal(open_descriptors(), before);
}

static void test_quirks(void **state)
{
	static const struct {
		unsigned int max, quirks;
	} cases[] = { { 16, 0 }, { 8, 3 }, { 1, 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct peer p = { .max_fds = cases[i].max, .at = UINT32_MAX };
		struct irq_info info;
		unsigned int n = 0;
		char text[256];
		void *u;

		started(&p, &u);
		/* EVENTFD alone for INTx, as libvfio-user says */
		assert_int_equal(vfio_user_irq_info(u, IRQ_INTX, &info), 0);
		while (vfio_user_peer_quirk(u, n))
			n++;
		assert_int_equal(n, cases[i].quirks);
		vfio_user_peer_text(u, text, sizeof(text));
		assert_non_null(strstr(text, "vfio-user 0.0"));
		stop(&p, u);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chunks),	cmocka_unit_test(test_runs),	      cmocka_unit_test(test_roll_back),
		cmocka_unit_test(test_grant),	cmocka_unit_test(test_wrong_replies), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_lies),	cmocka_unit_test(test_regions),	      cmocka_unit_test(test_between),
		cmocka_unit_test(test_version), cmocka_unit_test(test_quirks),
	};

	return cmocka_run_group_tests_name("vfio-user", tests, NULL, NULL);
}
