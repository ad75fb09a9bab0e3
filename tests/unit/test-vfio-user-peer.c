// SPDX-License-Identifier: GPL-2.0-or-later
/* The vfio-user back end: what ends the wait for a peer, what is told of that, and what peers are known for. */
#include <signal.h>

#include "base/loop.h"
#include "vfio-user/internal.h"
#include "vu-script.h"

static struct set_outcome outcome;

/* A signal ends the wait for a silent peer, and not the exchange with one that answers. */
static void test_signal(void **state)
{
	static const enum trick tricks[] = { GOOD, SILENT, DRIP };
	static const int rc[] = { 0, -EINTR, -EINTR };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tricks); i++) {
		struct peer p = { .at = 1, .trick = tricks[i] };
		uint64_t begin = now_us();
		struct irq_info info;
		struct loop *loop;
		struct error e;
		void *u;

		assert_int_equal(loop_new(&loop), 0);
		p.loop = loop;
		started(&p, &u);
		raise(SIGTERM);
		assert_int_equal(vfio_user_irq_info(u, IRQ_MSIX, &info), rc[i]);
		assert_int_equal(vfio_user_peer_end(u, &e), rc[i]);
		/* Heard by the loop or not yet, it is the same; a peer that answers is asked on. */
		assert_int_equal(loop_wait(loop, 0), -EINTR);
		assert_int_equal(vfio_user_irq_info(u, IRQ_MSI, &info), rc[i] ? -ENOTCONN : 0);
		assert_true(now_us() - begin < PATIENT);
		stop(&p, u);
		loop_free(loop);
	}
}

/* Between exchanges too nobody has to be refused for ever. */
static void test_flood_between(void **state)
{
	struct peer p = { .at = UINT32_MAX };
	const struct vu_header h = {
		.id = 7, .command = VU_DMA_READ, .size = sizeof(h), .flags = VU_NO_REPLY
	};
	struct error e;
	unsigned int n = 0;
	void *u;

	(void)state;
	started(&p, &u);
	for (int i = 0; i < 200; i++)
		assert_int_equal(send(p.sock, &h, sizeof(h), MSG_NOSIGNAL), sizeof(h));
	while (vfio_user_peer_ready(u) == 0)
		n++;
	assert_in_range(n, 1, 199);
	assert_int_equal(vfio_user_peer_end(u, &e), -EPROTO);
	stop(&p, u);
}

/* Each way of losing a peer has a cause of its own, and a refusal is none of them. */
static void test_explained(void **state)
{
	static const struct {
		enum trick trick;
		enum cause cause;
		const char *says;
	} cases[] = {
		{ SILENT, CAUSE_BUSY,
		  "WHAT: the peer did not answer within 150 ms and was cut off" },
		{ WRONG_ID, CAUSE_FAILED, "WHAT: the peer broke the protocol and was cut off" },
		{ FLOOD, CAUSE_FAILED, "WHAT: the peer broke the protocol and was cut off" },
		{ CUT, CAUSE_NO_DEVICE, "WHAT: the process that served the device is gone" },
		{ ERROR_ZERO, CAUSE_FAILED, "the peer refused WHAT without saying why (errno 0)" },
		{ ERROR_ENOSPC, CAUSE_FAILED, "the peer refused WHAT" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct peer p = { .at = 1, .trick = cases[i].trick };
		struct irq_info info;
		struct error e;
		void *u;
		int rc;

		started(&p, &u);
		rc = vfio_user_irq_info(u, IRQ_MSIX, &info);
		assert_true(rc < 0);
		assert_true(vfio_user_explain(u, rc, "WHAT", &e) < 0);
		assert_string_equal(e.message, cases[i].says);
		assert_int_equal(e.cause, cases[i].cause);
		assert_int_equal(vfio_user_peer_end(u, &e) == 0,
				 strstr(cases[i].says, "refused") != NULL);
		stop(&p, u);
	}
}

/* The time limit as a user gave it. */
static void test_limit_told(void **state)
{
	static const struct {
		uint64_t us;
		const char *says;
	} cases[] = { { 1000, "within 1 ms " },	  { 999000, "within 999 ms " },
		      { 1000000, "within 1 s " }, { 1500000, "within 1500 ms " },
		      { 5000000, "within 5 s " }, { 3600000000, "within 3600 s " } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vfio_user u = { .end = -ETIMEDOUT, .timeout_us = cases[i].us };
		struct error e;

		assert_int_equal(vfio_user_peer_end(&u, &e), -ETIMEDOUT);
		if (!strstr(e.message, cases[i].says))
			fail_msg("expected \"%s\" in \"%s\"", cases[i].says, e.message);
	}
}

static void has_quirk(void *u, const char *word)
{
	const char *quirk;

	for (unsigned int n = 0; (quirk = vfio_user_peer_quirk(u, n)); n++)
		if (strstr(quirk, word))
			return;
	fail_msg("no quirk about \"%s\"", word);
}

static void test_quirks(void **state)
{
	static const struct {
		unsigned int max, quirks;
		const char *words[3];
	} cases[] = { { 16, 0, { NULL } },
		      { 8,
			3,
			{ "share one eventfd array", "releasing part",
			  "mask and unmask may do nothing" } },
		      { 1, 2, { "errno 0", "DATA_BOOL", NULL } } };

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
		for (size_t w = 0; w < ARRAY_SIZE(cases[i].words) && cases[i].words[w]; w++)
			has_quirk(u, cases[i].words[w]);
		vfio_user_peer_text(u, text, sizeof(text));
		assert_non_null(strstr(text, "vfio-user 0.0"));
		stop(&p, u);
	}
}

/* What this very peer refuses is told too. */
static void test_shown_quirks(void **state)
{
	struct peer p = { .at = 1, .trick = ERROR_ZERO };
	struct irq_set req = { .index = IRQ_REQ, .data = IRQ_DATA_EVENTFD, .count = 1 };
	struct irq_info info;
	void *u;
	int fd;

	(void)state;
	eventfds(&fd, 1);
	started(&p, &u);
	assert_int_equal(vfio_user_set_irqs(u, &req, &fd, &outcome), -EIO);
	has_quirk(u, "refuses to arm it");
	assert_null(vfio_user_peer_quirk(u, 1));
	assert_int_equal(vfio_user_set_irqs(u, &req, &fd, &outcome), 0);
	assert_null(vfio_user_peer_quirk(u, 0));
	stop(&p, u);
	p = (struct peer){ .at = 1, .trick = ERROR_ZERO };
	started(&p, &u);
	assert_int_equal(vfio_user_irq_info(u, IRQ_ERR, &info), -EIO);
	has_quirk(u, "taken as not offered");
	stop(&p, u);
	close_all(&fd, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signal),	  cmocka_unit_test(test_flood_between),
		cmocka_unit_test(test_explained), cmocka_unit_test(test_limit_told),
		cmocka_unit_test(test_quirks),	  cmocka_unit_test(test_shown_quirks),
	};

	return cmocka_run_group_tests_name("vfio-user peers", tests, NULL, NULL);
}
