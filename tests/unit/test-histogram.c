// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/histogram.h"

#include <cmocka.h>

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct histogram));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void empty(void **state)
{
	assert_int_equal(histogram_at(*state, 0.5), 0);
	assert_int_equal(histogram_between(*state, 0, UINT64_MAX), 0);
}

static void one_value_is_exact(void **state)
{
	static const uint64_t value[] = {
		0, 1, 63, 64, 65, 127, 128, 1000003, UINT64_C(1) << 40, UINT64_MAX
	};

	for (size_t i = 0; i < sizeof(value) / sizeof(value[0]); i++) {
		struct histogram *h = *state;

		*h = (struct histogram){ 0 };
		histogram_add(h, value[i]);
		assert_int_equal(h->min, value[i]);
		assert_int_equal(histogram_at(h, 0), value[i]);
		assert_int_equal(histogram_at(h, 0.5), value[i]);
		assert_int_equal(histogram_at(h, 1), value[i]);
	}
}

/* The sum over disjoint ranges is all, and percentiles are within a 64th. */
static void many_values(void **state)
{
	static const double part[] = { 0.01, 0.5, 0.9, 0.99, 0.999 };
	struct histogram *h = *state;

	for (uint64_t i = 1; i <= 100000; i++)
		histogram_add(h, i * 10);
	assert_int_equal(h->n, 100000);
	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		double want = part[i] * 1e6, got = (double)histogram_at(h, part[i]);

		assert_true(got >= want && got <= want * (1 + 1.0 / 64) + 10);
	}
	assert_int_equal(histogram_at(h, 1), 1000000);
	assert_int_equal(histogram_between(h, 0, 1024), 102);
	assert_int_equal(histogram_between(h, 1024, 2048), 204 - 102);
	assert_int_equal(histogram_between(h, 0, 1u << 20), 100000);
}

static void buckets_do_not_overlap(void **state)
{
	struct histogram *h = *state;

	for (unsigned int shift = 0; shift < 64; shift++)
		histogram_add(h, UINT64_C(1) << shift);
	for (unsigned int shift = 0; shift < 63; shift++)
		assert_int_equal(
			histogram_between(h, UINT64_C(1) << shift, UINT64_C(1) << (shift + 1)), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(empty, setup, teardown),
		cmocka_unit_test_setup_teardown(one_value_is_exact, setup, teardown),
		cmocka_unit_test_setup_teardown(many_values, setup, teardown),
		cmocka_unit_test_setup_teardown(buckets_do_not_overlap, setup, teardown),
	};

	return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
