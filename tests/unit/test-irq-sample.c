// SPDX-License-Identifier: GPL-2.0-or-later
/* Samples of several indexes: their order, their growth, and the rates of those that come and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "irq/sample.h"

#include <cmocka.h>

#define SECOND UINT64_C(1000000)

static void add(struct samples *s, enum irq_index index, int number, uint64_t count)
{
	const struct reading r = {
		.index = index, .vector = number, .counted = true, .count = count
	};

	assert_int_equal(samples_add(s, &r), 0);
}

static void is(const struct samples *s, size_t i, enum irq_index index, int number, uint64_t delta)
{
	assert_true(i < s->n);
	assert_int_equal(s->v[i].now.index, index);
	assert_int_equal(s->v[i].now.vector, number);
	assert_int_equal(s->v[i].trend.delta, delta);
}

/* By index, then by vector, in whatever order they are read; the next sample finds each again. */
static void by_index_and_vector(void **state)
{
	struct samples s = { 0 };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		samples_begin(&s, (3ul + 2ul * i) * SECOND);
		add(&s, IRQ_ERR, 0, 5ul * i);
		add(&s, IRQ_MSIX, 3, 4ul * i);
		add(&s, IRQ_INTX, 0, 1ul * i);
		add(&s, IRQ_MSIX, 0, 3ul * i);
		add(&s, IRQ_MSI, 7, 2ul * i);
		samples_end(&s);
		assert_int_equal(s.n, 5);
		is(&s, 0, IRQ_INTX, 0, 1ul * i);
		is(&s, 1, IRQ_MSI, 7, 2ul * i);
		is(&s, 2, IRQ_MSIX, 0, 3ul * i);
		is(&s, 3, IRQ_MSIX, 3, 4ul * i);
		is(&s, 4, IRQ_ERR, 0, 5ul * i);
	}
	assert_int_equal(s.total.delta, 15);
	assert_true(s.total.rate > 7.4 && s.total.rate < 7.6);
	samples_free(&s);
	assert_null(s.v);
	assert_int_equal(s.n, 0);
}

/* Far more than there is room for at first. */
static void as_many_as_there_are(void **state)
{
	struct samples s = { 0 };

	(void)state;
	for (unsigned int i = 1; i <= 2; i++) {
		samples_begin(&s, i * SECOND);
		for (int v = 2047; v >= 0; v--)
			add(&s, IRQ_MSIX, v, (uint64_t)v * i);
		samples_end(&s);
	}
	assert_int_equal(s.n, 2048);
	for (int v = 0; v < 2048; v++)
		is(&s, (size_t)v, IRQ_MSIX, v, (uint64_t)v);
	samples_free(&s);
}

/* One that is new has counted all that it has since the sample before. */
static void one_that_is_new(void **state)
{
	struct samples s = { 0 };

	(void)state;
	samples_begin(&s, 3 * SECOND);
	add(&s, IRQ_MSIX, 0, 0);
	samples_end(&s);
	samples_begin(&s, 5 * SECOND);
	add(&s, IRQ_MSIX, 0, 0);
	add(&s, IRQ_MSIX, 1, 10);
	samples_end(&s);
	is(&s, 1, IRQ_MSIX, 1, 10);
	assert_true(s.v[1].compared);
	assert_true(s.v[1].trend.rate > 4.9 && s.v[1].trend.rate < 5.1);
	assert_int_equal(s.v[1].trend.n, 1);
	/* a single event is no quiet, a history without one is */
	assert_false(trend_quiet(&s.v[1].trend));
	assert_true(trend_quiet(&s.v[0].trend));
	samples_free(&s);
}

/* The time without it is a part of its history. */
static void one_that_is_gone(void **state)
{
	struct samples s = { 0 };

	(void)state;
	for (unsigned int i = 1; i <= 4; i++) {
		samples_begin(&s, i * SECOND);
		add(&s, IRQ_MSIX, 0, 7);
		if (i <= 2)
			add(&s, IRQ_MSIX, 1, 7ul * i);
		samples_end(&s);
	}
	is(&s, 1, IRQ_MSIX, 1, 0);
	assert_false(s.v[1].compared || s.v[1].present);
	assert_int_equal(s.v[1].trend.n, 3);
	assert_true(s.v[1].trend.history[0] > 6.9 && s.v[1].trend.history[0] < 7.1);
	assert_true(s.v[1].trend.history[1] == 0 && s.v[1].trend.history[2] == 0);
	assert_int_equal(s.v[1].trend.last_us, 2 * SECOND);
	samples_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_index_and_vector),
		cmocka_unit_test(as_many_as_there_are),
		cmocka_unit_test(one_that_is_new),
		cmocka_unit_test(one_that_is_gone),
	};

	return cmocka_run_group_tests_name("irq-sample", tests, NULL, NULL);
}
