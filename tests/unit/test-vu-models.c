// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The vfio-user back end against models of two servers, with what each is known
 * to get wrong: libvfio-user (one eventfd array for intx, msi and msix, a
 * de-assign that loops from start to count, MASK without an effect) and
 * rust-vmm's crate (16 descriptors at most, errno 0, the data of DATA_BOOL left
 * on the stream).
 */
#include <linux/vfio.h>
#include <pthread.h>

#include "vfio-user/client.h"
#include "vu-peer.h"

static struct set_outcome outcome;

#define VECTORS	 32u
#define RUST_FDS 16u
#define PATIENT	 60000000u

#define TRIGGER VFIO_IRQ_SET_ACTION_TRIGGER
#define NONE	VFIO_IRQ_SET_DATA_NONE
#define BOOL	VFIO_IRQ_SET_DATA_BOOL
#define EVENTFD VFIO_IRQ_SET_DATA_EVENTFD

struct model {
	int sock;
	pthread_t thread;
	bool rust;
	unsigned int fail_at; /* the set of this number, from 1 on, is refused */
	unsigned int sets, most_fds, bools;
	int fd[VECTORS];
};

static const struct trace quiet;

static void drop(struct model *p, unsigned int v)
{
	if (p->fd[v] >= 0)
		close(p->fd[v]);
	p->fd[v] = -1;
}

static void release(struct model *p, const struct vfio_irq_set *set)
{
	/* irqs_disable() of libvfio-user's lib/irq.c */
	unsigned int end = p->rust ? set->start + set->count : set->count;

	for (unsigned int v = set->start; v < end && v < VECTORS; v++)
		drop(p, v);
}

static int attach(struct model *p, const struct vfio_irq_set *set, struct vu_message *m)
{
	if (set->count == 0 || (m->nfds && m->nfds != set->count))
		return EINVAL;
	if (m->nfds == 0)
		release(p, set);
	for (unsigned int i = 0; i < m->nfds; i++) {
		drop(p, set->start + i);
		p->fd[set->start + i] = m->fd[i];
		m->fd[i] = -1;
	}
	return 0;
}

static int fire(struct model *p, const struct vfio_irq_set *set, const uint8_t *wanted)
{
	for (unsigned int i = 0; i < set->count; i++)
		if (p->fd[set->start + i] >= 0 && (!wanted || wanted[i] == 1))
			assert_int_equal(eventfd_write(p->fd[set->start + i], 1), 0);
	return 0;
}

/* Returns an errno. */
static int set_irqs(struct model *p, struct vu_message *m)
{
	struct vfio_irq_set set;

	assert_true(m->size >= sizeof(set));
	memcpy(&set, m->payload, sizeof(set));
	p->most_fds = m->nfds > p->most_fds ? m->nfds : p->most_fds;
	if (++p->sets == p->fail_at)
		return ENOSPC;
	if (set.start >= VECTORS || set.count > VECTORS - set.start)
		return EINVAL;
	if (!(set.flags & TRIGGER))
		return 0;
	if (set.flags & EVENTFD)
		return attach(p, &set, m);
	if (set.flags & BOOL)
		return m->size == sizeof(set) + set.count ? fire(p, &set, m->payload + sizeof(set))
							  : EINVAL;
	if (set.count)
		return fire(p, &set, NULL);
	for (unsigned int v = 0; v < VECTORS; v++)
		drop(p, v);
	return 0;
}

static size_t answer(const struct model *p, const struct vu_message *m, uint8_t *out)
{
	struct vu_version v = { .max_msg_fds = p->rust ? 1 : 8, .max_data_xfer = VU_DEFAULT_XFER };
	struct vfio_irq_info ii = { .argsz = sizeof(ii),
				    .flags = VFIO_IRQ_INFO_EVENTFD,
				    .count = VECTORS };

	if (m->header.command == VU_VERSION)
		return vu_version_format(&v, out, 512);
	if (m->header.command != VU_DEVICE_GET_IRQ_INFO)
		return 0;
	memcpy(out, &ii, sizeof(ii));
	return sizeof(ii);
}

/* Returns false when the connection can't go on. */
static bool serve_one(struct model *p, struct vu_message *m)
{
	uint8_t out[512];
	size_t n = answer(p, m, out);
	struct vu_header h = { .id = m->header.id,
			       .command = m->header.command,
			       .size = (uint32_t)(sizeof(h) + n),
			       .flags = VU_REPLY };
	bool is_set = m->header.command == VU_DEVICE_SET_IRQS, lost = false;
	int err = 0;

	if (p->rust && m->nfds > RUST_FDS)
		return false;
	if (is_set && p->rust && m->size > sizeof(struct vfio_irq_set)) {
		/* What it has not read is the next header then. */
		p->bools++;
		err = ENOTSUP;
		lost = true;
	} else if (is_set) {
		err = set_irqs(p, m);
	}
	if (err)
		h.flags |= VU_ERROR;
	h.error = p->rust ? 0 : (uint32_t)err;
	vu_send(p->sock, &(struct vu_frame){ h, out, n, NULL, 0 }, VU_UNTIL(UINT64_MAX));
	return !lost;
}

static void *serve(void *arg)
{
	struct model *p = arg;
	struct vu_message m;
	bool go_on = true;

	while (go_on && vu_receive(p->sock, &m, VU_MAX_MESSAGE, VU_UNTIL(UINT64_MAX)) == 0) {
		go_on = serve_one(p, &m);
		vu_message_drop(&m);
	}
	shutdown(p->sock, SHUT_RDWR);
	return NULL;
}

/* The back end's handle; intx was asked for, as device_open() does. */
static void *start(struct model *p)
{
	const struct open_request req = { .spec = "vfio-user:x",
					  .trace = &quiet,
					  .timeout_us = PATIENT };
	struct irq_info info;
	struct error e;
	int sock[2];
	void *u;

	for (unsigned int v = 0; v < VECTORS; v++)
		p->fd[v] = -1;
	pair(sock);
	p->sock = sock[0];
	assert_int_equal(pthread_create(&p->thread, NULL, serve, p), 0);
	assert_int_equal(vfio_user_start(sock[1], 0, &req, &u, &e), 0);
	assert_int_equal(vfio_user_irq_info(u, IRQ_INTX, &info), 0);
	return u;
}

static void stop(struct model *p, void *u)
{
	vfio_user_close(u);
	pthread_join(p->thread, NULL);
	for (unsigned int v = 0; v < VECTORS; v++)
		drop(p, v);
	close(p->sock);
}

static struct irq_set arming(unsigned int start, unsigned int count)
{
	struct irq_set s = {
		.index = IRQ_MSIX, .data = IRQ_DATA_EVENTFD, .start = start, .count = count
	};

	vector_set_add_range(&s.attach, start, count);
	return s;
}

static unsigned int held_by(const struct model *p)
{
	unsigned int n = 0;

	for (unsigned int v = 0; v < VECTORS; v++)
		n += p->fd[v] >= 0;
	return n;
}

/* 20 vectors in messages that the server takes, each named and counted, some of them by their own. */
static void test_arm_and_trigger(void **state)
{
	(void)state;
	for (int rust = 0; rust < 2; rust++) {
		struct model p = { .rust = rust };
		void *u = start(&p);
		struct irq_set s = arming(0, 20);
		int fd[20];

		eventfds(fd, 20);
		assert_int_equal(vfio_user_set_irqs(u, &s, fd, &outcome), 0);
		assert_int_equal(held_by(&p), 20);
		assert_int_equal(p.most_fds, rust ? 1 : 8);
		s = (struct irq_set){ .index = IRQ_MSIX, .data = IRQ_DATA_NONE, .count = 20 };
		assert_int_equal(vfio_user_set_irqs(u, &s, NULL, &outcome), 0);
		s = (struct irq_set){
			.index = IRQ_MSIX, .data = IRQ_DATA_BOOL, .start = 2, .count = 5
		};
		vector_set_add(&s.attach, 2);
		vector_set_add(&s.attach, 5);
		vector_set_add(&s.attach, 6);
		assert_int_equal(vfio_user_set_irqs(u, &s, NULL, &outcome), 0);
		for (unsigned int v = 0; v < 20; v++)
			assert_int_equal(counted(fd[v]), v == 2 || v == 5 || v == 6 ? 2 : 1);
		/* The stream is in step. */
		s = (struct irq_set){ .index = IRQ_MSIX, .data = IRQ_DATA_NONE };
		assert_int_equal(vfio_user_set_irqs(u, &s, NULL, &outcome), 0);
		assert_int_equal(held_by(&p), 0);
		assert_int_equal(p.bools, 0);
		stop(&p, u);
		close_all(fd, 20);
	}
}

/*
 * A set that fails midway. At the first enable the index is turned off as a
 * whole, which both do; beside live vectors libvfio-user keeps what it says
 * that it has released, and is not believed.
 */
static void test_undo(void **state)
{
	static const struct {
		bool rust, live;
		unsigned int fail_at, left;
		bool released;
	} cases[] = {
		{ false, false, 3, 0, true },
		{ false, true, 3, 1 + 8, false },
		{ true, false, 10, 0, true },
		{ true, true, 10, 1, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct model p = { .rust = cases[i].rust, .fail_at = cases[i].fail_at };
		void *u = start(&p);
		struct irq_set s = arming(0, 1);
		struct set_outcome o;
		struct error e;
		int fd[10], rc;

		eventfds(fd, 10);
		if (cases[i].live)
			assert_int_equal(vfio_user_set_irqs(u, &s, fd, &outcome), 0);
		s = arming(10, 10);
		rc = vfio_user_set_irqs(u, &s, fd, &outcome);
		assert_int_equal(rc, p.rust ? -EIO : -ENOSPC);
		o = outcome;
		assert_int_equal(o.released, cases[i].released);
		assert_false(vector_set_empty(&o.armed));
		assert_int_equal(vector_set_end(&o.armed), o.start);
		assert_int_equal(held_by(&p), cases[i].left);
		assert_int_equal(o.messages + cases[i].live, p.sets);
		vfio_user_explain(u, rc, "WHAT", &e);
		assert_string_equal(e.message,
				    p.rust ? "the peer refused WHAT without saying why (errno 0)"
					   : "the peer refused WHAT");
		stop(&p, u);
		close_all(fd, 10);
	}
}

/* One array for all: what is asked of intx reaches msix. That only one is used is device/change.c's to see to. */
static void test_shared(void **state)
{
	struct model p = { .rust = false };
	void *u = start(&p);
	struct irq_set s = arming(0, 1);
	int fd[2];

	(void)state;
	eventfds(fd, 2);
	assert_int_equal(vfio_user_set_irqs(u, &s, fd, &outcome), 0);
	s = (struct irq_set){ .index = IRQ_INTX, .data = IRQ_DATA_NONE, .count = 1 };
	assert_int_equal(vfio_user_set_irqs(u, &s, NULL, &outcome), 0);
	assert_int_equal(counted(fd[0]), 1);
	/* MASK is answered and does nothing. */
	s = (struct irq_set){
		.index = IRQ_MSIX, .action = IRQ_ACTION_MASK, .data = IRQ_DATA_NONE, .count = 1
	};
	assert_int_equal(vfio_user_set_irqs(u, &s, NULL, &outcome), 0);
	s.action = IRQ_ACTION_TRIGGER;
	assert_int_equal(vfio_user_set_irqs(u, &s, NULL, &outcome), 0);
	assert_int_equal(counted(fd[0]), 1);
	assert_non_null(strstr(vfio_user_peer_quirk(u, 0), "share one eventfd array"));
	stop(&p, u);
	close_all(fd, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arm_and_trigger),
		cmocka_unit_test(test_undo),
		cmocka_unit_test(test_shared),
	};

	return cmocka_run_group_tests_name("vfio-user models", tests, NULL, NULL);
}
