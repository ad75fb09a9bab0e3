// SPDX-License-Identifier: GPL-2.0-or-later
/* Plans that are refused, with the command that works, and those at the edge of a refusal. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

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

static struct irq_state state(const char *armed, const char *allocated, uint32_t flags)
{
	struct irq_state st = { .index = IRQ_MSIX, .count = 64, .flags = flags, .enabled = true };

	st.armed = set_of(armed);
	st.allocated = set_of(allocated);
	return st;
}

/* A plan and an error of before, which a function that fills them has to replace. */
struct before {
	struct plan p;
	struct error e;
};

static struct before used(void)
{
	struct before b;

	memset(&b, 0x5a, sizeof(b));
	b.e.hint[0] = '\0';
	return b;
}

static void refused(int rc, struct before *b, enum cause cause, const char *message,
		    const char *hint)
{
	assert_int_equal(rc, -EINVAL);
	assert_string_equal(b->e.message, message);
	assert_string_equal(b->e.hint, hint);
	assert_int_equal(b->e.cause, cause);
	assert_int_equal(b->e.err, 0);
	assert_int_equal(b->p.n, 0);
	plan_free(&b->p);
}

/* @text: the only call of the plan; NULL: none is needed. */
static void planned(int rc, struct before *b, const char *text)
{
	char buf[256];

	assert_int_equal(rc, 0);
	assert_int_equal(b->p.n, text ? 1 : 0);
	assert_false(b->p.rebuild);
	if (text)
		assert_string_equal(irq_set_text(&b->p.set[0], buf, sizeof(buf)), text);
	plan_free(&b->p);
	assert_int_equal(b->p.n, 0);
	assert_null(b->p.set);
}

static void no_such_index(void **ctx)
{
	struct irq_state none = { .index = IRQ_MSI };
	struct vector_set one = set_of("0");
	struct before b = used();

	(void)ctx;
	refused(plan_enable(&none, &one, &b.p, &b.e), &b, CAUSE_FAILED, "the device has no msi",
		"");
	b = used();
	refused(plan_enable_none(&none, 1, &b.p, &b.e), &b, CAUSE_FAILED, "the device has no msi",
		"");
	b = used();
	refused(plan_resize(&none, 1, (struct resize_how){ 0 }, &b.p, &b.e), &b, CAUSE_FAILED,
		"the device has no msi", "");
}

static void beyond_the_end(void **ctx)
{
	struct irq_state off = { .index = IRQ_MSIX, .count = 64 };
	struct vector_set last = set_of("63"), beyond = set_of("63-64");
	struct before b = used();

	(void)ctx;
	refused(plan_enable(&off, &beyond, &b.p, &b.e), &b, CAUSE_USAGE,
		"msix has vectors 0-63, 64 is beyond", "enable msix 64");
	b = used();
	refused(plan_enable_none(&off, 70, &b.p, &b.e), &b, CAUSE_USAGE,
		"msix has vectors 0-63, 69 is beyond", "enable msix none --room 64");
	b = used();
	refused(plan_resize(&off, 65, (struct resize_how){ 0 }, &b.p, &b.e), &b, CAUSE_USAGE,
		"msix has vectors 0-63, 64 is beyond", "resize msix 64");
	off.flags = IRQ_NORESIZE;
	b = used();
	planned(plan_enable(&off, &last, &b.p, &b.e), &b,
		"index=msix start=0 count=64 DATA_EVENTFD|ACTION_TRIGGER eventfds=63 others=-1");
	b = used();
	planned(plan_enable_none(&off, 64, &b.p, &b.e), &b,
		"index=msix start=63 count=1 DATA_EVENTFD|ACTION_TRIGGER eventfds=none others=-1");
	b = used();
	planned(plan_resize(&off, 64, (struct resize_how){ 0 }, &b.p, &b.e), &b,
		"index=msix start=0 count=64 DATA_EVENTFD|ACTION_TRIGGER eventfds=0-63");
}

/* NORESIZE: how many go blind, and the command for those who want it all the same. */
static void no_room(void **ctx)
{
	struct irq_state one = state("0", "0-3", IRQ_NORESIZE),
			 two = state("0-1", "0-3", IRQ_NORESIZE), none = one;
	struct vector_set far = set_of("0,5"), near = set_of("3");
	struct before b = used();

	(void)ctx;
	none.armed = (struct vector_set){ .bits = { 0 } };
	refused(plan_enable(&one, &far, &b.p, &b.e), &b, CAUSE_DISTURB,
		"msix is NORESIZE with 4 allocated: arming vector 5 needs a disable and enable, which blinds 1 live "
		"vector",
		"resize msix 6 --rebuild");
	b = used();
	refused(plan_enable(&two, &far, &b.p, &b.e), &b, CAUSE_DISTURB,
		"msix is NORESIZE with 4 allocated: arming vector 5 needs a disable and enable, which blinds 2 live "
		"vectors",
		"resize msix 6 --rebuild");
	b = used();
	refused(plan_resize(&two, 7, (struct resize_how){ 0 }, &b.p, &b.e), &b, CAUSE_DISTURB,
		"msix is NORESIZE with 4 allocated: arming vector 6 needs a disable and enable, which blinds 2 live "
		"vectors",
		"resize msix 7 --rebuild");
	b = used();
	refused(plan_enable_none(&none, 5, &b.p, &b.e), &b, CAUSE_DISTURB,
		"msix is NORESIZE with 4 allocated: reserving vector 4 needs a disable and enable, which blinds 0 "
		"live vectors",
		"resize msix 5 --rebuild");
	b = used();
	planned(plan_enable(&one, &near, &b.p, &b.e), &b,
		"index=msix start=3 count=1 DATA_EVENTFD|ACTION_TRIGGER eventfds=3");
	b = used();
	planned(plan_enable_none(&one, 4, &b.p, &b.e), &b, NULL);
}

/* Where vectors can be added, room is reserved by the last one alone. */
static void room(void **ctx)
{
	struct irq_state on = state("0", "0-3", 0);
	struct before b = used();

	(void)ctx;
	planned(plan_enable_none(&on, 3, &b.p, &b.e), &b, NULL);
	b = used();
	planned(plan_enable_none(&on, 4, &b.p, &b.e), &b, NULL);
	b = used();
	planned(plan_enable_none(&on, 5, &b.p, &b.e), &b,
		"index=msix start=4 count=1 DATA_EVENTFD|ACTION_TRIGGER eventfds=none others=-1");
}

static void resize_of_what_is_off(void **ctx)
{
	struct irq_state off = { .index = IRQ_MSIX, .count = 64, .flags = IRQ_NORESIZE };
	struct before b = used();

	(void)ctx;
	planned(plan_resize(&off, 0, (struct resize_how){ 0 }, &b.p, &b.e), &b,
		"index=msix start=0 count=1 DATA_EVENTFD|ACTION_TRIGGER eventfds=none others=-1");
	b = used();
	planned(plan_resize(&off, 3, (struct resize_how){ .rebuild = true, .release = true }, &b.p,
			    &b.e),
		&b, "index=msix start=0 count=3 DATA_EVENTFD|ACTION_TRIGGER eventfds=0-2");
	b = used();
	planned(plan_disable(&off, &b.p, &b.e), &b, NULL);
}

/* An index that is on has one IRQ at least: down to that, there is nothing to release. */
static void release_down_to_one(void **ctx)
{
	struct irq_state one = state("0", "0", 0), two = state("0", "0-1", 0);
	struct before b = used();

	(void)ctx;
	planned(plan_resize(&one, 0, (struct resize_how){ .release = true }, &b.p, &b.e), &b,
		"index=msix start=0 count=1 DATA_EVENTFD|ACTION_TRIGGER eventfds=none others=-1");
	b = used();
	assert_int_equal(plan_resize(&two, 0, (struct resize_how){ .release = true }, &b.p, &b.e),
			 0);
	assert_true(b.p.rebuild);
	assert_int_equal(b.p.n, 2);
	plan_free(&b.p);
	b = used();
	assert_int_equal(plan_resize(&two, 1, (struct resize_how){ .release = true }, &b.p, &b.e),
			 0);
	assert_true(b.p.rebuild);
	plan_free(&b.p);
	b = used();
	planned(plan_resize(&two, 2, (struct resize_how){ .release = true }, &b.p, &b.e), &b,
		"index=msix start=1 count=1 DATA_EVENTFD|ACTION_TRIGGER eventfds=1");
}

/* One vector is taken out, its neighbours stay, and one beyond the end is none. */
static void one_is_taken_out(void **ctx)
{
	static const unsigned int some[] = {
		0, 1, 62, 63, 64, 65, 127, 128, MAX_VECTORS - 1, MAX_VECTORS
	};

	(void)ctx;
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		struct vector_set s = { .bits = { 0 } };

		vector_set_add_range(&s, 0, MAX_VECTORS);
		vector_set_del(&s, some[i]);
		for (unsigned int v = 0; v < MAX_VECTORS; v++)
			assert_int_equal(vector_set_has(&s, v), v != some[i]);
	}
}

/* From wherever one looks, a single vector is the next, and behind it there is none. */
static void the_next(void **ctx)
{
	static const unsigned int some[] = {
		0, 1, 62, 63, 64, 65, 127, 128, 1000, MAX_VECTORS - 1
	};

	(void)ctx;
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		struct vector_set s = { .bits = { 0 } };

		vector_set_add(&s, some[i]);
		for (unsigned int from = 0; from <= MAX_VECTORS; from++)
			assert_int_equal(vector_set_next(&s, from),
					 from <= some[i] ? some[i] : MAX_VECTORS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_such_index),
		cmocka_unit_test(beyond_the_end),
		cmocka_unit_test(no_room),
		cmocka_unit_test(room),
		cmocka_unit_test(resize_of_what_is_off),
		cmocka_unit_test(release_down_to_one),
		cmocka_unit_test(one_is_taken_out),
		cmocka_unit_test(the_next),
	};

	return cmocka_run_group_tests_name("set-irqs", tests, NULL, NULL);
}
