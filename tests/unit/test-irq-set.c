// SPDX-License-Identifier: GPL-2.0-or-later
/* Plans are values: what would be sent is compared, nothing is sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#undef fail /* cmocka's; the tool has its own */

#include "irq/set-irqs.h"

static struct vector_set set_of(const char *text)
{
	struct vector_set s = { .bits = { 0 } };
	enum vector_word word;

	assert_int_equal(vector_set_parse(text, &word, &s), 0);
	return s;
}

/* An index of 64 vectors, the first @armed of them armed, @allocated of them allocated. */
static struct irq_state state(unsigned int armed, unsigned int allocated, uint32_t flags)
{
	struct irq_state st = {
		.index = IRQ_MSIX, .count = 64, .flags = flags, .enabled = allocated > 0
	};

	vector_set_add_range(&st.armed, 0, armed);
	vector_set_add_range(&st.allocated, 0, allocated);
	return st;
}

static void assert_plan(const struct plan *p, size_t n, const char *const text[])
{
	char buf[256];

	assert_int_equal(p->n, n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(irq_set_text(&p->set[i], buf, sizeof(buf)), text[i]);
}

#define ASSERT_PLAN(p, ...)                                                      \
	assert_plan(p, sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *), \
		    (const char *[]){ __VA_ARGS__ })

static void test_first_enable_is_one_call(void **ctx)
{
	struct irq_state have = state(0, 0, IRQ_EVENTFD);
	struct vector_set want = set_of("0-3");
	struct error e;
	struct plan p;

	(void)ctx;
	assert_int_equal(plan_enable(&have, &want, &p, &e), 0);
	ASSERT_PLAN(&p, "index=msix start=0 count=4 DATA_EVENTFD|ACTION_TRIGGER eventfds=0-3");
	plan_free(&p);
}

static void test_sparse_first_enable(void **ctx)
{
	struct irq_state dynamic = state(0, 0, IRQ_EVENTFD),
			 fixed = state(0, 0, IRQ_EVENTFD | IRQ_NORESIZE);
	struct vector_set want = set_of("5,9");
	struct error e;
	struct plan p;

	(void)ctx;
	/* Where vectors can be added, two IRQs besides the first are enough. */
	assert_int_equal(plan_enable(&dynamic, &want, &p, &e), 0);
	ASSERT_PLAN(
		&p,
		"index=msix start=0 count=1 DATA_EVENTFD|ACTION_TRIGGER eventfds=none others=-1",
		"index=msix start=5 count=1 DATA_EVENTFD|ACTION_TRIGGER eventfds=5",
		"index=msix start=9 count=1 DATA_EVENTFD|ACTION_TRIGGER eventfds=9");
	plan_free(&p);
	/* Where not, all up to the last must be allocated by the one call there is. */
	assert_int_equal(plan_enable(&fixed, &want, &p, &e), 0);
	ASSERT_PLAN(
		&p,
		"index=msix start=0 count=10 DATA_EVENTFD|ACTION_TRIGGER eventfds=5,9 others=-1");
	plan_free(&p);
}

/* A list that begins at 0 and has gaps: the vectors of the gaps get no eventfd. */
static void test_first_enable_with_gaps(void **ctx)
{
	struct irq_state dynamic = state(0, 0, IRQ_EVENTFD),
			 fixed = state(0, 0, IRQ_EVENTFD | IRQ_NORESIZE);
	struct vector_set want = set_of("0-1,5");
	struct error e;
	struct plan p;

	(void)ctx;
	assert_int_equal(plan_enable(&dynamic, &want, &p, &e), 0);
	ASSERT_PLAN(&p, "index=msix start=0 count=2 DATA_EVENTFD|ACTION_TRIGGER eventfds=0-1",
		    "index=msix start=5 count=1 DATA_EVENTFD|ACTION_TRIGGER eventfds=5");
	plan_free(&p);
	assert_int_equal(plan_enable(&fixed, &want, &p, &e), 0);
	ASSERT_PLAN(
		&p,
		"index=msix start=0 count=6 DATA_EVENTFD|ACTION_TRIGGER eventfds=0-1,5 others=-1");
	plan_free(&p);
}

static void test_enable_adds_only_what_is_new(void **ctx)
{
	struct irq_state have = state(4, 4, IRQ_EVENTFD);
	struct vector_set want = set_of("2-5"), armed = set_of("0-3");
	struct error e;
	struct plan p;

	(void)ctx;
	assert_int_equal(plan_enable(&have, &want, &p, &e), 0);
	ASSERT_PLAN(&p, "index=msix start=4 count=2 DATA_EVENTFD|ACTION_TRIGGER eventfds=4-5");
	plan_free(&p);
	assert_int_equal(plan_enable(&have, &armed, &p, &e), 0);
	assert_int_equal(p.n, 0);
	plan_free(&p);
}

static void test_beyond_the_device(void **ctx)
{
	struct irq_state have = state(0, 0, IRQ_EVENTFD), none = { .index = IRQ_MSI };
	struct vector_set want = set_of("0-64");
	struct error e;
	struct plan p;

	(void)ctx;
	assert_true(plan_enable(&have, &want, &p, &e) < 0);
	assert_int_equal(e.cause, CAUSE_USAGE);
	assert_true(plan_enable(&none, &want, &p, &e) < 0);
	assert_int_equal(e.cause, CAUSE_FAILED);
	assert_true(plan_resize(&have, 65, (struct resize_how){ 0 }, &p, &e) < 0);
	assert_int_equal(e.cause, CAUSE_USAGE);
}

static void test_enable_none(void **ctx)
{
	struct irq_state off = state(0, 0, IRQ_EVENTFD),
			 on = state(2, 4, IRQ_EVENTFD | IRQ_NORESIZE);
	struct error e;
	struct plan p;

	(void)ctx;
	assert_int_equal(plan_enable_none(&off, 1, &p, &e), 0);
	ASSERT_PLAN(
		&p,
		"index=msix start=0 count=1 DATA_EVENTFD|ACTION_TRIGGER eventfds=none others=-1");
	plan_free(&p);
	/* Room for 16: the call for the last one allocates all before it. */
	assert_int_equal(plan_enable_none(&off, 16, &p, &e), 0);
	ASSERT_PLAN(
		&p,
		"index=msix start=15 count=1 DATA_EVENTFD|ACTION_TRIGGER eventfds=none others=-1");
	plan_free(&p);
	/* On already: nothing to do, and no live vector is released by it. */
	assert_int_equal(plan_enable_none(&on, 1, &p, &e), 0);
	assert_int_equal(p.n, 0);
	plan_free(&p);
	assert_true(plan_enable_none(&on, 8, &p, &e) < 0);
	assert_int_equal(e.cause, CAUSE_DISTURB);
}

static void test_grow_is_one_set_for_the_new(void **ctx)
{
	struct irq_state have = state(8, 8, IRQ_EVENTFD);
	struct error e;
	struct plan p;

	(void)ctx;
	assert_int_equal(plan_resize(&have, 64, (struct resize_how){ 0 }, &p, &e), 0);
	ASSERT_PLAN(&p, "index=msix start=8 count=56 DATA_EVENTFD|ACTION_TRIGGER eventfds=8-63");
	assert_false(p.rebuild);
	plan_free(&p);
}

static void test_grow_around_live_vectors(void **ctx)
{
	struct irq_state have = state(2, 2, IRQ_EVENTFD);
	struct error e;
	struct plan p;

	(void)ctx;
	vector_set_add(&have.armed, 5);
	vector_set_add(&have.allocated, 5);
	assert_int_equal(plan_resize(&have, 8, (struct resize_how){ 0 }, &p, &e), 0);
	ASSERT_PLAN(&p, "index=msix start=2 count=3 DATA_EVENTFD|ACTION_TRIGGER eventfds=2-4",
		    "index=msix start=6 count=2 DATA_EVENTFD|ACTION_TRIGGER eventfds=6-7");
	plan_free(&p);
}

static void test_noresize_is_refused_or_rebuilt(void **ctx)
{
	struct irq_state have = state(4, 4, IRQ_EVENTFD | IRQ_NORESIZE);
	struct error e;
	struct plan p;

	(void)ctx;
	assert_true(plan_resize(&have, 8, (struct resize_how){ 0 }, &p, &e) < 0);
	assert_int_equal(e.cause, CAUSE_DISTURB);
	assert_non_null(e.hint);
	assert_int_equal(plan_resize(&have, 8, (struct resize_how){ .rebuild = true }, &p, &e), 0);
	ASSERT_PLAN(&p, "index=msix start=0 count=0 DATA_NONE|ACTION_TRIGGER",
		    "index=msix start=0 count=8 DATA_EVENTFD|ACTION_TRIGGER eventfds=0-7");
	assert_true(p.rebuild);
	plan_free(&p);
}

static void test_noresize_grows_within_its_room(void **ctx)
{
	struct irq_state have = state(4, 16, IRQ_EVENTFD | IRQ_NORESIZE);
	struct error e;
	struct plan p;

	(void)ctx;
	assert_int_equal(plan_resize(&have, 16, (struct resize_how){ 0 }, &p, &e), 0);
	ASSERT_PLAN(&p, "index=msix start=4 count=12 DATA_EVENTFD|ACTION_TRIGGER eventfds=4-15");
	assert_false(p.rebuild);
	plan_free(&p);
}

static void test_shrink_takes_the_tail_off(void **ctx)
{
	struct irq_state have = state(8, 8, IRQ_EVENTFD | IRQ_NORESIZE);
	struct error e;
	struct plan p;

	(void)ctx;
	assert_int_equal(plan_resize(&have, 3, (struct resize_how){ 0 }, &p, &e), 0);
	ASSERT_PLAN(
		&p,
		"index=msix start=3 count=5 DATA_EVENTFD|ACTION_TRIGGER eventfds=none others=-1");
	plan_free(&p);
}

static void test_release_gives_irqs_back(void **ctx)
{
	struct irq_state have = state(3, 8, IRQ_EVENTFD), tight = state(3, 3, IRQ_EVENTFD);
	struct resize_how release = { .release = true };
	struct error e;
	struct plan p;

	(void)ctx;
	assert_int_equal(plan_resize(&have, 3, release, &p, &e), 0);
	ASSERT_PLAN(&p, "index=msix start=0 count=0 DATA_NONE|ACTION_TRIGGER",
		    "index=msix start=0 count=3 DATA_EVENTFD|ACTION_TRIGGER eventfds=0-2");
	plan_free(&p);
	/* Down to none armed it stays on, by a zero-vector enable. */
	assert_int_equal(plan_resize(&have, 0, release, &p, &e), 0);
	ASSERT_PLAN(
		&p, "index=msix start=0 count=0 DATA_NONE|ACTION_TRIGGER",
		"index=msix start=0 count=1 DATA_EVENTFD|ACTION_TRIGGER eventfds=none others=-1");
	plan_free(&p);
	/* Nothing to give back: live vectors are not blinded for it. */
	assert_int_equal(plan_resize(&tight, 3, release, &p, &e), 0);
	assert_int_equal(p.n, 0);
	plan_free(&p);
}

static void test_disable(void **ctx)
{
	struct irq_state on = state(3, 8, IRQ_EVENTFD), off = state(0, 0, IRQ_EVENTFD);
	struct error e;
	struct plan p;

	(void)ctx;
	assert_int_equal(plan_disable(&on, &p, &e), 0);
	ASSERT_PLAN(&p, "index=msix start=0 count=0 DATA_NONE|ACTION_TRIGGER");
	plan_free(&p);
	/* The kernel would say EINVAL to a second disable. */
	assert_int_equal(plan_disable(&off, &p, &e), 0);
	assert_int_equal(p.n, 0);
}

static void test_repair_runs(void **ctx)
{
	struct irq_state have = state(0, 8, IRQ_EVENTFD);
	struct vector_set lost = set_of("1-2,6");
	struct plan p;

	(void)ctx;
	assert_int_equal(plan_attach(&have, &lost, &p), 0);
	ASSERT_PLAN(&p, "index=msix start=1 count=2 DATA_EVENTFD|ACTION_TRIGGER eventfds=1-2",
		    "index=msix start=6 count=1 DATA_EVENTFD|ACTION_TRIGGER eventfds=6");
	plan_free(&p);
	assert_int_equal(plan_release(&have, &lost, &p), 0);
	ASSERT_PLAN(
		&p,
		"index=msix start=1 count=2 DATA_EVENTFD|ACTION_TRIGGER eventfds=none others=-1",
		"index=msix start=6 count=1 DATA_EVENTFD|ACTION_TRIGGER eventfds=none others=-1");
	plan_free(&p);
}

static void test_masked_get_no_eventfd(void **ctx)
{
	struct irq_state have = state(4, 4, IRQ_EVENTFD | IRQ_NORESIZE),
			 off = state(0, 0, IRQ_EVENTFD);
	struct vector_set lost = set_of("0,2"), all = set_of("0-9");
	struct resize_how rebuild = { .rebuild = true };
	struct error e;
	struct plan p;

	(void)ctx;
	vector_set_add(&have.held, 1); /* has its eventfd, the device masks it */
	vector_set_del(&have.armed, 3);
	vector_set_add(&have.held, 3); /* has none */
	/* a growth touches neither, one beyond the new end is released */
	have.flags = IRQ_EVENTFD;
	assert_int_equal(plan_resize(&have, 8, (struct resize_how){ 0 }, &p, &e), 0);
	ASSERT_PLAN(&p, "index=msix start=4 count=4 DATA_EVENTFD|ACTION_TRIGGER eventfds=4-7");
	plan_free(&p);
	assert_int_equal(plan_enable(&have, &all, &p, &e), 0);
	ASSERT_PLAN(&p, "index=msix start=4 count=6 DATA_EVENTFD|ACTION_TRIGGER eventfds=4-9");
	plan_free(&p);
	assert_int_equal(plan_resize(&have, 2, (struct resize_how){ 0 }, &p, &e), 0);
	ASSERT_PLAN(
		&p,
		"index=msix start=2 count=2 DATA_EVENTFD|ACTION_TRIGGER eventfds=none others=-1");
	plan_free(&p);
	/* a rebuild allocates both, down to the last */
	have.flags |= IRQ_NORESIZE;
	assert_int_equal(plan_resize(&have, 8, rebuild, &p, &e), 0);
	ASSERT_PLAN(
		&p, "index=msix start=0 count=0 DATA_NONE|ACTION_TRIGGER",
		"index=msix start=0 count=8 DATA_EVENTFD|ACTION_TRIGGER eventfds=0,2,4-7 others=-1");
	plan_free(&p);
	have.allocated = all;
	assert_int_equal(plan_resize(&have, 4, (struct resize_how){ .release = true }, &p, &e), 0);
	ASSERT_PLAN(
		&p, "index=msix start=0 count=0 DATA_NONE|ACTION_TRIGGER",
		"index=msix start=0 count=4 DATA_EVENTFD|ACTION_TRIGGER eventfds=0,2 others=-1");
	plan_free(&p);
	/* so does a repair of an index that went off */
	off.held = have.held;
	assert_int_equal(plan_attach(&off, &lost, &p), 0);
	ASSERT_PLAN(
		&p,
		"index=msix start=0 count=4 DATA_EVENTFD|ACTION_TRIGGER eventfds=0,2 others=-1");
	plan_free(&p);
	lost = off.held;
	assert_int_equal(plan_attach(&off, &lost, &p), 0);
	ASSERT_PLAN(
		&p,
		"index=msix start=0 count=4 DATA_EVENTFD|ACTION_TRIGGER eventfds=none others=-1");
	plan_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_enable_is_one_call),
		cmocka_unit_test(test_masked_get_no_eventfd),
		cmocka_unit_test(test_sparse_first_enable),
		cmocka_unit_test(test_first_enable_with_gaps),
		cmocka_unit_test(test_enable_adds_only_what_is_new),
		cmocka_unit_test(test_beyond_the_device),
		cmocka_unit_test(test_enable_none),
		cmocka_unit_test(test_grow_is_one_set_for_the_new),
		cmocka_unit_test(test_grow_around_live_vectors),
		cmocka_unit_test(test_noresize_is_refused_or_rebuilt),
		cmocka_unit_test(test_noresize_grows_within_its_room),
		cmocka_unit_test(test_shrink_takes_the_tail_off),
		cmocka_unit_test(test_release_gives_irqs_back),
		cmocka_unit_test(test_disable),
		cmocka_unit_test(test_repair_runs),
	};

	return cmocka_run_group_tests_name("irq-set", tests, NULL, NULL);
}
