// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "irq/sample.h"

#include <cmocka.h>

#define SECOND UINT64_C(1000000)

/* So many samples without it, and it was never there. */
#define FORGOTTEN (TREND_LENGTH + 2)

static struct reading vector(int number, uint64_t count)
{
	return (struct reading){ .index = IRQ_MSIX,
				 .vector = number,
				 .has_irq = true,
				 .irq = 30u + (unsigned int)number,
				 .counted = true,
				 .count = count };
}

/* @count of vectors 0...; UINT64_MAX: not there. */
static void take(struct samples *s, uint64_t now, const uint64_t *count, int n)
{
	samples_begin(s, now);
	for (int i = 0; i < n; i++) {
		struct reading r = vector(i, count[i]);

		if (count[i] != UINT64_MAX)
			assert_int_equal(samples_add(s, &r), 0);
	}
	samples_end(s);
}

static const struct sampled *at(const struct samples *s, int number)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].now.vector == number)
			return &s->v[i];
	return NULL;
}

static void first_sample_compares_nothing(void **state)
{
	struct samples s = { 0 };

	(void)state;
	take(&s, SECOND, (const uint64_t[]){ 7, 0 }, 2);
	assert_int_equal(s.n, 2);
	assert_false(at(&s, 0)->compared);
	assert_int_equal(at(&s, 0)->trend.n, 0);
	assert_int_equal(at(&s, 0)->trend.last_us, 0);
	assert_int_equal(s.total.n, 0);
	samples_free(&s);
}

/* Two vectors that a peer drives do not add up to a quiet device. */
static void sums_do_not_wrap(void **state)
{
	struct samples s = { 0 };

	(void)state;
	take(&s, 1 * SECOND, (const uint64_t[]){ 0, 0 }, 2);
	take(&s, 2 * SECOND, (const uint64_t[]){ UINT64_MAX - 1, 2 }, 2);
	assert_true(s.total.delta == UINT64_MAX - 1);
	samples_free(&s);
}

static void deltas_and_rates(void **state)
{
	struct samples s = { 0 };

	(void)state;
	take(&s, 1 * SECOND, (const uint64_t[]){ 7, 0 }, 2);
	take(&s, 3 * SECOND, (const uint64_t[]){ 17, 0 }, 2);
	assert_true(at(&s, 0)->compared);
	assert_int_equal(at(&s, 0)->trend.delta, 10);
	assert_true(at(&s, 0)->trend.rate > 4.99 && at(&s, 0)->trend.rate < 5.01);
	assert_int_equal(at(&s, 0)->trend.last_us, 3 * SECOND);
	assert_int_equal(at(&s, 1)->trend.delta, 0);
	assert_int_equal(at(&s, 1)->trend.last_us, 0);
	assert_int_equal(s.total.delta, 10);
	take(&s, 4 * SECOND, (const uint64_t[]){ 17, 1 }, 2);
	assert_int_equal(at(&s, 0)->trend.delta, 0);
	assert_int_equal(at(&s, 0)->trend.last_us, 3 * SECOND);
	assert_int_equal(s.total.delta, 1);
	samples_free(&s);
}

static void others_are_not_disturbed(void **state)
{
	struct samples s = { 0 };

	(void)state;
	take(&s, 1 * SECOND, (const uint64_t[]){ 5, 50, UINT64_MAX, 500 }, 4);
	take(&s, 2 * SECOND, (const uint64_t[]){ UINT64_MAX, 51, 3, 502 }, 4);
	assert_false(at(&s, 0)->present);
	assert_false(at(&s, 0)->compared);
	assert_int_equal(at(&s, 1)->trend.delta, 1);
	/* it is new: all that it counted came in between */
	assert_int_equal(at(&s, 2)->trend.delta, 3);
	assert_int_equal(at(&s, 3)->trend.delta, 2);
	assert_int_equal(s.total.delta, 6);
	take(&s, 3 * SECOND, (const uint64_t[]){ 6, 52, UINT64_MAX, 503 }, 4);
	/* an eventfd again, of which nothing was left: all of it is new */
	assert_int_equal(at(&s, 0)->trend.delta, 6);
	assert_int_equal(at(&s, 1)->trend.delta, 1);
	assert_int_equal(at(&s, 3)->trend.delta, 1);
	samples_free(&s);
}

static void a_count_that_was_not_to_be_read(void **state)
{
	struct samples s = { 0 };
	struct reading r = vector(0, 10);

	(void)state;
	for (unsigned int second = 1; second <= 5; second++) {
		r.counted = second != 2 && second != 3;
		r.count = UINT64_C(10) * second;
		samples_begin(&s, second * SECOND);
		samples_add(&s, &r);
		samples_end(&s);
		/* not known is not 0, neither without it nor when it is back */
		assert_int_equal(at(&s, 0)->compared, second == 5);
	}
	assert_int_equal(at(&s, 0)->trend.delta, 10);
	assert_true(at(&s, 0)->trend.rate > 9.99 && at(&s, 0)->trend.rate < 10.01);
	samples_free(&s);
}

static void an_eventfd_counts_anew(void **state)
{
	struct samples s = { 0 };
	struct reading r = vector(0, 100);

	(void)state;
	take(&s, 1 * SECOND, (const uint64_t[]){ 100 }, 1);
	samples_begin(&s, 2 * SECOND);
	r.irq = 99;
	r.count = 104;
	samples_add(&s, &r);
	samples_end(&s);
	assert_int_equal(at(&s, 0)->trend.delta, 4);
	assert_int_equal(s.n, 1);
	/* an eventfd that is made anew counts from 0 */
	samples_begin(&s, 3 * SECOND);
	r.count = 2;
	samples_add(&s, &r);
	samples_end(&s);
	assert_int_equal(at(&s, 0)->trend.delta, 2);
	samples_free(&s);
}

/* One reading of vector 0 as a sample. */
static const struct sampled *read_at(struct samples *s, unsigned int second,
				     const struct reading *r)
{
	samples_begin(s, second * SECOND);
	if (r)
		assert_int_equal(samples_add(s, r), 0);
	samples_end(s);
	return at(s, 0);
}

/* Of what the host counts its reader says what came; the counts themselves say nothing. */
static void the_host_is_compared_by_its_reader(void **state)
{
	struct reading r = vector(0, 5000000);
	const struct sampled *v;
	struct samples s = { 0 };

	(void)state;
	r.from = COUNT_HOST;
	v = read_at(&s, 1, &r);
	assert_false(v->compared);
	r.count = 9000000;
	v = read_at(&s, 2, &r);
	assert_false(v->compared);
	assert_int_equal(v->trend.delta, 0);
	assert_int_equal(sampled_mark(&s, v, 1000), MARK_NONE);
	r.compared = true;
	r.fresh = 7;
	r.count = 3;
	v = read_at(&s, 3, &r);
	assert_true(v->compared);
	assert_int_equal(v->trend.delta, 7);
	assert_int_equal(s.total.delta, 7);
	/* a vector that is new here */
	r.vector = 1;
	read_at(&s, 4, &r);
	assert_true(at(&s, 1)->compared);
	assert_int_equal(at(&s, 1)->trend.delta, 7);
	/* without a count nothing is known, and behind a look that failed nothing is of this time */
	r.counted = false;
	read_at(&s, 5, &r);
	assert_false(at(&s, 1)->compared);
	r.counted = true;
	samples_begin(&s, 6 * SECOND);
	samples_blind(&s);
	samples_end(&s);
	read_at(&s, 7, &r);
	assert_false(at(&s, 1)->compared);
	assert_int_equal(s.total.delta, 0);
	samples_free(&s);
}

/* A holder does not answer for @silent samples. */
static void silence(unsigned int silent)
{
	struct reading r = vector(0, 1000000);
	const struct sampled *v;
	struct samples s = { 0 };
	unsigned int second = 1;

	read_at(&s, second++, &r);
	while (silent--) {
		samples_begin(&s, second++ * SECOND);
		samples_blind(&s);
		samples_end(&s);
	}
	r.count += 500000;
	v = read_at(&s, second++, &r);
	assert_true(v->present);
	assert_false(v->compared);
	assert_int_equal(v->trend.delta, 0);
	assert_int_equal(sampled_mark(&s, v, 1000), MARK_NONE);
	r.count += 2;
	v = read_at(&s, second++, &r);
	assert_true(v->compared);
	assert_int_equal(v->trend.delta, 2);
	samples_free(&s);
}

static void one_that_did_not_answer(void **state)
{
	(void)state;
	silence(1);
	/* forgotten meanwhile, but not new */
	silence(FORGOTTEN);
}

static void one_that_was_not_asked_for(void **state)
{
	struct reading r = vector(0, 1000000);
	const struct sampled *v;
	struct samples s = { 0 };

	(void)state;
	r.hidden = true;
	for (unsigned int second = 1; second <= FORGOTTEN; second++) {
		r.count += 1000000;
		assert_false(read_at(&s, second, &r)->present);
		assert_int_equal(s.total.delta, 0);
	}
	r.hidden = false;
	r.count += 3;
	v = read_at(&s, FORGOTTEN + 1, &r);
	assert_true(v->present);
	assert_int_equal(v->trend.delta, 3);
	assert_int_equal(s.total.delta, 3);
	samples_free(&s);
}

static void unknown_vectors_go_by_irq(void **state)
{
	struct samples s = { 0 };
	struct reading a = vector(0, 10), b = vector(0, 20);

	(void)state;
	a.vector = b.vector = -1;
	a.irq = 40;
	b.irq = 41;
	samples_begin(&s, SECOND);
	samples_add(&s, &a);
	samples_add(&s, &b);
	samples_end(&s);
	samples_begin(&s, 2 * SECOND);
	a.count++;
	b.count += 2;
	samples_add(&s, &b);
	samples_add(&s, &a);
	samples_end(&s);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.v[0].now.irq, 40);
	assert_int_equal(s.v[0].trend.delta, 1);
	assert_int_equal(s.v[1].trend.delta, 2);
	samples_free(&s);
}

static void unreadable_count_is_no_restart(void **state)
{
	struct samples s = { 0 };
	struct reading r = vector(0, 0);

	(void)state;
	take(&s, 1 * SECOND, (const uint64_t[]){ 100 }, 1);
	samples_begin(&s, 2 * SECOND);
	r.counted = false;
	samples_add(&s, &r);
	samples_end(&s);
	assert_false(at(&s, 0)->compared);
	assert_int_equal(at(&s, 0)->trend.delta, 0);
	take(&s, 3 * SECOND, (const uint64_t[]){ 101 }, 1);
	assert_true(at(&s, 0)->trend.delta <= 1);
	samples_free(&s);
}

static void gone_ones_are_forgotten(void **state)
{
	struct samples s = { 0 };

	(void)state;
	take(&s, SECOND, (const uint64_t[]){ 1, 1 }, 2);
	for (unsigned int i = 2; i <= 1 + TREND_LENGTH; i++) {
		take(&s, i * SECOND, (const uint64_t[]){ UINT64_MAX, 1 }, 2);
		assert_int_equal(s.n, 2);
	}
	take(&s, 20 * SECOND, (const uint64_t[]){ UINT64_MAX, 1 }, 2);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.v[0].now.vector, 1);
	samples_free(&s);
}

static void history_is_a_ring(void **state)
{
	struct samples s = { 0 };
	uint64_t count = 0;

	(void)state;
	for (unsigned int i = 1; i <= TREND_LENGTH + 4; i++) {
		count += i;
		take(&s, i * SECOND, &count, 1);
	}
	assert_int_equal(at(&s, 0)->trend.n, TREND_LENGTH);
	for (unsigned int i = 0; i < TREND_LENGTH; i++)
		assert_int_equal((int)(at(&s, 0)->trend.history[i] + 0.5), 5 + i);
	assert_false(trend_quiet(&at(&s, 0)->trend));
	for (unsigned int i = 0; i < TREND_LENGTH; i++)
		take(&s, (100 + i) * SECOND, &count, 1);
	assert_true(trend_quiet(&at(&s, 0)->trend));
	samples_free(&s);
}

static void marks(void **state)
{
	struct samples s = { 0 };

	(void)state;
	take(&s, 1 * SECOND, (const uint64_t[]){ 0, 1, 0, 0 }, 4);
	take(&s, 2 * SECOND, (const uint64_t[]){ 1001, 1, 1, 1000 }, 4);
	assert_int_equal(sampled_mark(&s, at(&s, 0), 1000), MARK_STORM);
	assert_int_equal(sampled_mark(&s, at(&s, 3), 1000), MARK_NONE);
	assert_int_equal(sampled_mark(&s, at(&s, 1), 1000), MARK_NONE);
	take(&s, 6 * SECOND, (const uint64_t[]){ 1001, 1, 1, 1000 }, 4);
	assert_int_equal(sampled_mark(&s, at(&s, 0), 1000), MARK_NONE);
	assert_int_equal(sampled_mark(&s, at(&s, 1), 1000), MARK_ONCE);
	/* its only event is 4 s old */
	assert_int_equal(sampled_mark(&s, at(&s, 2), 1000), MARK_NONE);
	take(&s, 7 * SECOND, (const uint64_t[]){ 1001, 2, 1, 1000 }, 4);
	assert_int_equal(sampled_mark(&s, at(&s, 1), 1000), MARK_NONE);
	assert_int_equal(sampled_mark(&s, at(&s, 2), 1000), MARK_ONCE);
	assert_string_equal(mark_word(MARK_ONCE), "once");
	assert_null(mark_word(MARK_NONE));
	samples_free(&s);
}

static void coalesced(void **state)
{
	struct samples s = { 0 };
	struct reading r = vector(0, 10);

	(void)state;
	r.wakeups = 4;
	samples_begin(&s, SECOND);
	samples_add(&s, &r);
	samples_end(&s);
	r.count = 30;
	r.wakeups = 6;
	samples_begin(&s, 2 * SECOND);
	samples_add(&s, &r);
	samples_end(&s);
	assert_int_equal(at(&s, 0)->trend.delta, 20);
	assert_int_equal(at(&s, 0)->wakeup_delta, 2);
	samples_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_sample_compares_nothing),
		cmocka_unit_test(deltas_and_rates),
		cmocka_unit_test(sums_do_not_wrap),
		cmocka_unit_test(others_are_not_disturbed),
		cmocka_unit_test(a_count_that_was_not_to_be_read),
		cmocka_unit_test(an_eventfd_counts_anew),
		cmocka_unit_test(the_host_is_compared_by_its_reader),
		cmocka_unit_test(one_that_did_not_answer),
		cmocka_unit_test(one_that_was_not_asked_for),
		cmocka_unit_test(unknown_vectors_go_by_irq),
		cmocka_unit_test(unreadable_count_is_no_restart),
		cmocka_unit_test(gone_ones_are_forgotten),
		cmocka_unit_test(history_is_a_ring),
		cmocka_unit_test(marks),
		cmocka_unit_test(coalesced),
	};

	return cmocka_run_group_tests_name("sample", tests, NULL, NULL);
}
