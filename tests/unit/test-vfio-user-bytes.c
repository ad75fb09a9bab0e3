// SPDX-License-Identifier: GPL-2.0-or-later
/* The vfio-user back end, byte by byte: what is asked, which replies are long enough, what errors are told as. */
#include <malloc.h>
#include <signal.h>

#include "vu-canned.h"

static struct set_outcome outcome;

#define BAR1 ((enum region_index)1)
#define BAR2 ((enum region_index)2)

static const struct vfio_device_info device = { .argsz = 16,
						.flags = VFIO_DEVICE_FLAGS_PCI |
							 VFIO_DEVICE_FLAGS_RESET,
						.num_regions = 9,
						.num_irqs = 5 };

/* How each operation goes with a reply of @n bytes. */
static int ask_device(struct canned *c, const void *reply, size_t n)
{
	struct device_info info;
	struct error e;

	will_say(c, VU_DEVICE_GET_INFO, reply, n);
	return vfio_user_device_info(c->u, &info, &e);
}

static int ask_irq(struct canned *c, const void *reply, size_t n)
{
	struct irq_info info;

	will_say(c, VU_DEVICE_GET_IRQ_INFO, reply, n);
	return vfio_user_irq_info(c->u, IRQ_MSIX, &info);
}

static int ask_region(struct canned *c, const void *reply, size_t n)
{
	struct region_info info;

	will_say(c, VU_DEVICE_GET_REGION_INFO, reply, n);
	return vfio_user_region_info(c->u, BAR2, &info);
}

/* What region accesses begin with. */
struct place {
	uint64_t offset;
	uint32_t region, count;
	uint8_t data[16];
};

static int ask_read(struct canned *c, const void *reply, size_t n)
{
	uint8_t data[4];

	will_say(c, VU_REGION_READ, reply, n);
	return (int)vfio_user_region_read(c->u, BAR2, data, sizeof(data), 8);
}

static int ask_write(struct canned *c, const void *reply, size_t n)
{
	will_say(c, VU_REGION_WRITE, reply, n);
	return (int)vfio_user_region_write(c->u, BAR2, "abcd", 4, 8);
}

static int ask_reset(struct canned *c, const void *reply, size_t n)
{
	will_say(c, VU_DEVICE_RESET, reply, n);
	return vfio_user_reset(c->u);
}

/* Too short is no reply, too long is none where the length is known; the peer is not asked again. */
static void lengths(void **state)
{
	static const struct place at = { .offset = 8, .region = BAR2, .count = 4 };
	static const struct vfio_irq_info irq = { .argsz = 16, .index = 2, .count = 7 };
	static const struct vfio_region_info region = { .argsz = 32, .index = 2, .size = 4096 };
	static const struct {
		int (*ask)(struct canned *c, const void *reply, size_t n);
		const void *reply;
		size_t least; /* of bytes */
		bool just;    /* and no more */
		int rc;
	} cases[] = {
		{ ask_device, &device, 16, false, 0 }, { ask_irq, &irq, 16, false, 0 },
		{ ask_region, &region, 32, false, 0 }, { ask_read, &at, 20, true, 4 },
		{ ask_write, &at, 16, true, 4 },       { ask_reset, &at, 0, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (size_t n = cases[i].least ? cases[i].least - 1 : 0; n <= cases[i].least + 1;
		     n++) {
			bool good = n == cases[i].least || (n > cases[i].least && !cases[i].just);
			struct canned c = { 0 };
			uint8_t reply[64] = { 0 };
			struct error e;
			int rc;

			memcpy(reply, cases[i].reply, 16);
			canned_start(&c, 16, NULL, false);
			rc = cases[i].ask(&c, reply, n);
			if (rc != (good ? cases[i].rc : -EPROTO))
				fail_msg("case %zu: %zu bytes: %d", i, n, rc);
			assert_int_equal(vfio_user_peer_end(c.u, &e), good ? 0 : -EPROTO);
			canned_end(&c);
		}
}

/* A reply of another place or length is none. */
static void other_places(void **state)
{
	static const struct place cases[] = {
		{ .offset = 9, .region = BAR2, .count = 4 },
		{ .offset = 8 | 1ull << 40, .region = BAR2, .count = 4 },
		{ .offset = 8, .region = BAR1, .count = 4 },
		{ .offset = 8, .region = BAR2, .count = 3 },
		{ .offset = 8, .region = BAR2, .count = 5 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct canned c = { 0 };

		canned_start(&c, 16, NULL, false);
		assert_int_equal(ask_read(&c, &cases[i], 20), -EPROTO);
		canned_end(&c);
		canned_start(&c, 16, NULL, false);
		assert_int_equal(ask_write(&c, &cases[i], 16), -EPROTO);
		canned_end(&c);
	}
}

/* What is asked, and not a byte more. */
static void requests(void **state)
{
	struct canned c = { 0 };
	struct place at = { .offset = 8, .region = BAR2, .count = 4, .data = "abcd" };
	const struct vfio_device_info info = { .argsz = 16 };
	const struct vfio_irq_info irq = { .argsz = 16, .index = VFIO_PCI_MSIX_IRQ_INDEX };
	const struct vfio_region_info region = { .argsz = 32, .index = VFIO_PCI_BAR2_REGION_INDEX };
	const struct vfio_irq_set none = {
		.argsz = 20, .flags = 0x21, .index = 2, .start = 3, .count = 1
	};
	const struct irq_set fire = {
		.index = IRQ_MSIX, .data = IRQ_DATA_NONE, .start = 3, .count = 1
	};
	const uint8_t reply[32] = { 16, 0, 0, 0, 2 };

	(void)state;
	canned_start(&c, 16, NULL, false);
	ask_device(&c, reply, 16);
	was_asked_just(&c, VU_DEVICE_GET_INFO, &info, 16);
	ask_irq(&c, reply, 16);
	was_asked_just(&c, VU_DEVICE_GET_IRQ_INFO, &irq, 16);
	ask_region(&c, reply, 32);
	was_asked_just(&c, VU_DEVICE_GET_REGION_INFO, &region, 32);
	assert_int_equal(ask_read(&c, &at, 20), 4);
	was_asked_just(&c, VU_REGION_READ, &at, 16);
	assert_int_equal(ask_write(&c, &at, 16), 4);
	was_asked_just(&c, VU_REGION_WRITE, &at, 20);
	ask_reset(&c, NULL, 0);
	was_asked_just(&c, VU_DEVICE_RESET, NULL, 0);
	will_say(&c, VU_DEVICE_SET_IRQS, NULL, 0);
	assert_int_equal(vfio_user_set_irqs(c.u, &fire, NULL, &outcome), 0);
	was_asked_just(&c, VU_DEVICE_SET_IRQS, &none, 20);
	was_asked_nothing(&c);
	canned_end(&c);
}

/* Numbers come in whole. */
static void answers(void **state)
{
	const struct vfio_device_info di = {
		.argsz = 16, .flags = 2, .num_regions = 0x01020304, .num_irqs = 0x05060708
	};
	const struct vfio_irq_info ii = {
		.argsz = 16, .flags = 0x11121314, .index = 2, .count = 0x21222324
	};
	const struct vfio_region_info ri = { .argsz = 32, .index = 2, .size = 0x3132333435363738 };
	struct canned c = { 0 };
	struct device_info info;
	struct region_info region;
	struct irq_info irq;
	struct error e;

	(void)state;
	canned_start(&c, 16, NULL, false);
	will_say(&c, VU_DEVICE_GET_INFO, &di, 16);
	assert_int_equal(vfio_user_device_info(c.u, &info, &e), 0);
	assert_int_equal(info.regions, di.num_regions);
	assert_int_equal(info.irqs, di.num_irqs);
	will_say(&c, VU_DEVICE_GET_IRQ_INFO, &ii, 16);
	assert_int_equal(vfio_user_irq_info(c.u, IRQ_MSIX, &irq), 0);
	assert_int_equal(irq.count, ii.count);
	assert_int_equal(irq.flags, ii.flags);
	will_say(&c, VU_DEVICE_GET_REGION_INFO, &ri, 32);
	assert_int_equal(vfio_user_region_info(c.u, BAR2, &region), 0);
	assert_true(region.size == ri.size);
	canned_end(&c);
}

/* As many vectors by DATA_BOOL as MSI-X has: a byte for each. */
static void all_vectors(void **state)
{
	struct irq_set s = { .index = IRQ_MSIX, .data = IRQ_DATA_BOOL, .start = 0, .count = 2048 };
	struct canned c = { 0 };
	struct vu_message m;

	(void)state;
	vector_set_add(&s.attach, 0);
	vector_set_add(&s.attach, 7);
	vector_set_add(&s.attach, 2047);
	canned_start(&c, 16, NULL, false);
	will_say(&c, VU_DEVICE_SET_IRQS, NULL, 0);
	assert_int_equal(vfio_user_set_irqs(c.u, &s, NULL, &outcome), 0);
	was_asked(&c, VU_DEVICE_SET_IRQS, &m);
	assert_int_equal(m.size, 20 + 2048);
	for (unsigned int i = 0; i < 2048; i++)
		assert_int_equal(m.payload[20 + i], i == 0 || i == 7 || i == 2047);
	vu_message_drop(&m);
	canned_end(&c);
}

/* What one message can carry goes in one; vectors without an eventfd are another, and the whole is said before. */
static void one_message_or_several(void **state)
{
	struct irq_set s = { .index = IRQ_MSIX, .data = IRQ_DATA_EVENTFD, .start = 0, .count = 4 };
	static const struct {
		unsigned int chunk;
		bool off[4];
		unsigned int messages, first;
	} cases[] = {
		{ 4, { false }, 1, 4 },
		{ 3, { false }, 3, 4 },
		{ 4, { false, true }, 4, 4 },
		{ 4, { false, true, true, true }, 3, 4 },
		{ 4, { true, false, false, false }, 3, 4 },
		{ 2, { true, true, true, true }, 1, 4 },
		{ 2, { true, true, true, false }, 3, 4 },
	};
	int fd[4];

	(void)state;
	eventfds(fd, 4);
	vector_set_add_range(&s.attach, 0, 4);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct canned c = { 0 };
		struct set_outcome o;
		int given[4];

		canned_start(&c, cases[i].chunk, NULL, false);
		for (unsigned int k = 0; k < 4; k++)
			given[k] = cases[i].off[k] ? -1 : fd[k];
		for (unsigned int k = 0; k < cases[i].messages; k++)
			will_say(&c, VU_DEVICE_SET_IRQS, NULL, 0);
		assert_int_equal(vfio_user_set_irqs(c.u, &s, given, &outcome), 0);
		o = outcome;
		assert_int_equal(o.messages, cases[i].messages);
		for (unsigned int k = 0; k < cases[i].messages; k++) {
			struct vfio_irq_set set;
			struct vu_message m;

			was_asked(&c, VU_DEVICE_SET_IRQS, &m);
			memcpy(&set, m.payload, sizeof(set));
			if (k == 0 && cases[i].messages > 1)
				assert_true(set.count == 4 && set.start == 0 && m.nfds == 0);
			vu_message_drop(&m);
		}
		was_asked_nothing(&c);
		canned_end(&c);
	}
	close_all(fd, 4);
}

/* An error's number as it is told: errnos are 1 to 4095. */
static void numbers(void **state)
{
	static const struct {
		uint32_t number;
		int rc;
		const char *says;
	} cases[] = {
		{ 1, -1, "the peer refused WHAT" },
		{ EIO, -EIO, "the peer refused WHAT" },
		{ 4095, -4095, "the peer refused WHAT" },
		{ 4096, -EIO, "the peer refused WHAT with 4096, which is no errno" },
		{ UINT32_MAX, -EIO, "the peer refused WHAT with 4294967295, which is no errno" },
	};
	struct canned c = { 0 };

	(void)state;
	canned_start(&c, 16, NULL, false);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error e;
		int rc;

		c.number = cases[i].number;
		rc = ask_reset(&c, NULL, 0);
		assert_int_equal(rc, cases[i].rc);
		assert_int_equal(vfio_user_explain(c.u, rc, "WHAT", &e), rc);
		assert_string_equal(e.message, cases[i].says);
		assert_int_equal(e.cause, CAUSE_FAILED);
		assert_int_equal(e.err, strstr(cases[i].says, "no errno") ? 0 : -rc);
	}
	canned_end(&c);
}

/* A number behind ENOSPC is believed when it is 1 or more, and less than what was asked for. */
static void grants(void **state)
{
	static const struct {
		uint32_t granted;
		size_t size;
		uint32_t number;
		int rc;
	} cases[] = {
		{ 1, 4, ENOSPC, 1 },	   { 7, 4, ENOSPC, 7 },	      { 0, 4, ENOSPC, -ENOSPC },
		{ 8, 4, ENOSPC, -ENOSPC }, { 3, 3, ENOSPC, -ENOSPC }, { 3, 5, ENOSPC, 3 },
		{ 3, 4, EINVAL, -EINVAL },
	};
	const struct irq_set s = {
		.index = IRQ_MSIX, .data = IRQ_DATA_NONE, .start = 4, .count = 4
	};
	struct canned c = { 0 };

	(void)state;
	canned_start(&c, 16, NULL, false);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t payload[8] = { (uint8_t)cases[i].granted };

		c.number = cases[i].number;
		will_say(&c, VU_DEVICE_SET_IRQS, payload, cases[i].size);
		assert_int_equal(vfio_user_set_irqs(c.u, &s, NULL, &outcome), cases[i].rc);
	}
	/* behind any other request it is none */
	c.number = ENOSPC;
	assert_int_equal(ask_reset(&c, "\3\0\0", 4), -ENOSPC);
	canned_end(&c);
}

/* What the peer asks unasked: 64 times, whole, and read to the end; then it has to answer first. */
static void asks_unasked(void **state)
{
	struct vu_header h = {
		.id = 3, .command = VU_DMA_READ, .size = sizeof(h) + 1000, .flags = VU_NO_REPLY
	};
	static const uint8_t payload[1000];
	struct canned c = { 0 };
	struct vu_message m;
	struct error e;

	(void)state;
	canned_start(&c, 16, NULL, false);
	for (int round = 0; round < 2; round++) {
		size_t before = 0;

		for (int i = 0; i < 64; i++) {
			assert_int_equal(send(c.sock, &h, sizeof(h), 0), sizeof(h));
			assert_int_equal(send(c.sock, payload, sizeof(payload), 0),
					 sizeof(payload));
			assert_int_equal(vfio_user_peer_ready(c.u), 0);
			/* the C library keeps the memory of one for the next */
			before = i ? before : mallinfo2().uordblks;
		}
		assert_int_equal(mallinfo2().uordblks, before);
		assert_int_equal(ask_reset(&c, NULL, 0), 0);
		was_asked(&c, VU_DEVICE_RESET, &m);
		vu_message_drop(&m);
	}
	/* one that wants an answer gets one */
	h.flags = 0;
	h.size = sizeof(h);
	assert_int_equal(send(c.sock, &h, sizeof(h), 0), sizeof(h));
	assert_int_equal(vfio_user_peer_ready(c.u), 0);
	assert_int_equal(vu_receive(c.sock, &m, VU_MAX_MESSAGE, VU_UNTIL(0)), 0);
	assert_int_equal(m.header.id, 3);
	assert_int_equal(m.header.command, VU_DMA_READ);
	assert_int_equal(m.header.flags, VU_REPLY | VU_ERROR);
	assert_int_equal(m.header.error, ENOTSUP);
	assert_int_equal(m.size, 0);
	vu_message_drop(&m);
	assert_int_equal(vfio_user_peer_end(c.u, &e), 0);
	/* a reply that nobody waits for is a breach */
	will_say(&c, VU_DEVICE_RESET, NULL, 0);
	assert_int_equal(vfio_user_peer_ready(c.u), -EPROTO);
	assert_int_equal(vfio_user_peer_end(c.u, &e), -EPROTO);
	canned_end(&c);
}

/* A message that comes unasked and does not end is waited for as long as an answer, and a second at most. */
static void unasked_and_unfinished(void **state)
{
	static const uint64_t limits[] = { 20000, 60000000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct canned c = { .limit = limits[i] };
		uint64_t begin;

		canned_start(&c, 16, NULL, false);
		assert_int_equal(send(c.sock, "12345", 5, 0), 5);
		begin = now_us();
		assert_int_equal(vfio_user_peer_ready(c.u), -ETIMEDOUT);
		assert_in_range(now_us() - begin, i ? SECOND : 20000, i ? 30 * SECOND : SECOND);
		canned_end(&c);
	}
}

/* A byte out of band is a byte of the reply, in its turn. */
static void out_of_band(void **state)
{
	struct vu_header h = {
		.id = 2, .command = VU_DEVICE_RESET, .size = sizeof(h), .flags = VU_REPLY
	};
	struct canned c = { 0 };

	(void)state;
	canned_start(&c, 16, NULL, false);
	assert_int_equal(send(c.sock, &h, 7, 0), 7);
	if (send(c.sock, (uint8_t *)&h + 7, 1, MSG_OOB) != 1) {
		canned_end(&c);
		skip(); /* a kernel without CONFIG_AF_UNIX_OOB */
	}
	assert_int_equal(send(c.sock, (uint8_t *)&h + 8, 8, 0), 8);
	assert_int_equal(vfio_user_reset(c.u), 0);
	canned_end(&c);
}

/* After a signal what puts back is asked, as long as one answer may take; a register has 8 bytes at most. */
static void after_a_signal(void **state)
{
	struct place at = { .offset = 8, .region = BAR2 };
	struct canned c = { 0 };
	struct loop *loop;
	uint8_t data[16];
	int rc = 0;

	(void)state;
	assert_int_equal(loop_new(&loop), 0);
	canned_start(&c, 16, loop, false);
	raise(SIGTERM);
	assert_int_equal(ask_reset(&c, NULL, 0), 0);
	ahead_us += 499000;
	ahead_us += 2000;
	assert_int_equal(vfio_user_reset(c.u), -EINTR);
	c.id++; /* which a request has that is not sent */
	for (at.count = 7; at.count <= 9; at.count++) {
		if (at.count <= 8)
			will_say(&c, VU_REGION_READ, &at, 16 + at.count);
		assert_int_equal(vfio_user_region_read(c.u, BAR2, data, at.count, 8),
				 at.count <= 8 ? (int)at.count : -EINTR);
	}
	c.id++;
	at.count = 4;
	for (int i = 0; i < 5 && rc == 0; i++) {
		ahead_us += 10 * SECOND;
		rc = ask_read(&c, &at, 20) == 4 ? 0 : -1;
	}
	assert_int_equal(rc, 0);
	ahead_us += 10 * SECOND;
	/* nothing has come by then, and nothing is waited for */
	assert_int_equal(vfio_user_region_read(c.u, BAR2, data, 4, 8), -EINTR);
	canned_end(&c);
	loop_clear(loop);
	loop_free(loop);
}

/* What is traced of an exchange. */
static void traced(void **state)
{
	static const char *const lines[] = {
		"VFIO_USER_VERSION() = 0 (",
		"VFIO_USER_DEVICE_GET_INFO() = 0 {regions=9 irqs=5 flags=RESET|PCI} (",
		"VFIO_USER_DEVICE_GET_IRQ_INFO(msix) = 0 {count=7 flags=EVENTFD} (",
		"VFIO_USER_DEVICE_GET_REGION_INFO(bar2) = 0 {size=0x1000 offset=0x0 flags=READ} (",
		"VFIO_USER_REGION_READ(bar2 offset=0x8 size=4) = 0 {0x64636261} (",
		"VFIO_USER_REGION_WRITE(bar2 offset=0x8 size=4 value=0x64636261) = 0 (",
		"VFIO_USER_DEVICE_SET_IRQS(index=msix start=3 count=1 DATA_NONE|ACTION_TRIGGER) = 0 (",
		"VFIO_USER_DEVICE_GET_IRQ_INFO(msix) = -1 ENOSPC (",
		"VFIO_USER_REGION_READ(bar2 offset=0x8 size=4) = -1 ENOSPC (",
		"VFIO_USER_DEVICE_RESET() = 0 (",
	};
	const struct irq_set fire = {
		.index = IRQ_MSIX, .data = IRQ_DATA_NONE, .start = 3, .count = 1
	};
	const struct vfio_irq_info irq = { .argsz = 16, .index = 2, .flags = 1, .count = 7 };
	const struct vfio_region_info region = {
		.argsz = 32, .index = 2, .size = 4096, .flags = 1
	};
	const struct place at = { .offset = 8, .region = BAR2, .count = 4, .data = "abcd" };
	struct canned c = { 0 };
	char *line = canned_trace;

	(void)state;
	canned_start(&c, 16, NULL, true);
	ask_device(&c, &device, 16);
	ask_irq(&c, &irq, 16);
	ask_region(&c, &region, 32);
	ask_read(&c, &at, 20);
	ask_write(&c, &at, 16);
	will_say(&c, VU_DEVICE_SET_IRQS, NULL, 0);
	vfio_user_set_irqs(c.u, &fire, NULL, &outcome);
	c.number = ENOSPC;
	ask_irq(&c, &irq, 16);
	c.number = ENOSPC;
	ask_read(&c, &at, 20);
	ask_reset(&c, NULL, 0);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		unsigned long us = 60000000;

		if (strncmp(line, lines[i], strlen(lines[i])) != 0 ||
		    sscanf(line + strlen(lines[i]), "%lu us)\n", &us) != 1 || us >= 60000000)
			fail_msg("expected \"%s\" in:\n%s", lines[i], line);
		line = strchr(line, '\n') + 1;
	}
	assert_string_equal(line, "");
	canned_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths),	cmocka_unit_test(other_places),
		cmocka_unit_test(requests),	cmocka_unit_test(answers),
		cmocka_unit_test(all_vectors),	cmocka_unit_test(one_message_or_several),
		cmocka_unit_test(numbers),	cmocka_unit_test(grants),
		cmocka_unit_test(asks_unasked), cmocka_unit_test(unasked_and_unfinished),
		cmocka_unit_test(out_of_band),	cmocka_unit_test(after_a_signal),
		cmocka_unit_test(traced),
	};

	return cmocka_run_group_tests_name("vfio-user-bytes", tests, NULL, NULL);
}
