// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/util.h"
#include "irq/vector-set.h"

static const char *text_of(const struct vector_set *s)
{
	static char buf[8192];

	return vector_set_text(s, buf, sizeof(buf));
}

static void parses_what_users_write(void **state)
{
	static const struct {
		const char *in, *out;
	} good[] = {
		{ "3", "3" },	      { "0-3,7", "0-3,7" }, { "7,0-3", "0-3,7" },
		{ "5-5", "5" },	      { "2047", "2047" },   { "0-2047", "0-2047" },
		{ "63,64", "63-64" }, { "1,1,1", "1" },	    { "007", "7" },
	};
	struct vector_set s;
	enum vector_word w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(vector_set_parse(good[i].in, &w, &s), 0);
		assert_int_equal(w, VECTORS_LISTED);
		assert_string_equal(text_of(&s), good[i].out);
	}
}

static void words_stand_alone(void **state)
{
	struct vector_set s;
	enum vector_word w;

	(void)state;
	assert_int_equal(vector_set_parse("all", &w, &s), 0);
	assert_int_equal(w, VECTORS_ALL);
	assert_true(vector_set_empty(&s));
	assert_int_equal(vector_set_parse("armed", &w, &s), 0);
	assert_int_equal(w, VECTORS_ARMED);
	assert_int_equal(vector_set_parse("all,3", &w, &s), -EINVAL);
	assert_int_equal(vector_set_parse("ALL", &w, &s), -EINVAL);
}

static void refuses_nonsense(void **state)
{
	static const char *const form[] = {
		"",   ",",  "3,", ",3",	 "-3",	"3-", "0--3", "0-3-5",
		" 3", "3 ", "+3", "0x3", "1.5", "x",  "3;4",  "\xc3\xa4"
	};
	static const char *const range[] = {
		"5-3", "2048", "0-99999", "0-2048", "4294967296", "18446744073709551616",
		"99999999999999999999999-1",
		/* a good part after a bad one does not make the list good */
		"5000,3", "5-3,7", "0-2048,1"
	};
	struct vector_set s;
	enum vector_word w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(form); i++)
		assert_int_equal(vector_set_parse(form[i], &w, &s), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(range); i++)
		assert_int_equal(vector_set_parse(range[i], &w, &s), -ERANGE);
	/* malformed counts for more than out of range */
	assert_int_equal(vector_set_parse("9999,x", &w, &s), -EINVAL);
}

static void walks_members_and_runs(void **state)
{
	struct vector_set s = { 0 };
	unsigned int v, seen[8] = { 0 }, n = 0, start, count;

	(void)state;
	vector_set_add_range(&s, 62, 4);
	vector_set_add(&s, 0);
	vector_set_add(&s, 2047);
	vector_set_add(&s, 2048); /* outside: no effect */
	vector_set_add_range(&s, 2047, 100);
	for_each_vector (v, &s)
		seen[n++] = v;
	assert_int_equal(n, 6);
	assert_int_equal(seen[0], 0);
	assert_int_equal(seen[1], 62);
	assert_int_equal(seen[4], 65);
	assert_int_equal(seen[5], 2047);
	assert_true(vector_set_next_run(&s, 1, &start, &count));
	assert_int_equal(start, 62);
	assert_int_equal(count, 4);
	assert_true(vector_set_next_run(&s, 64, &start, &count));
	assert_int_equal(start, 64);
	assert_int_equal(count, 2);
	assert_true(vector_set_next_run(&s, 66, &start, &count));
	assert_int_equal(start, 2047);
	assert_int_equal(count, 1);
	assert_false(vector_set_next_run(&s, 2048, &start, &count));
}

/* A number beyond the last vector touches nothing beside the set. */
static void stays_inside(void **state)
{
	struct {
		uint64_t before;
		struct vector_set s;
		uint64_t behind;
	} x = { 0 };

	(void)state;
	vector_set_add(&x.s, MAX_VECTORS);
	vector_set_add(&x.s, UINT32_MAX);
	vector_set_add_range(&x.s, MAX_VECTORS - 1, 3);
	assert_true(!x.before && !x.behind);
	x.behind = UINT64_MAX;
	vector_set_del(&x.s, MAX_VECTORS);
	assert_true(x.behind == UINT64_MAX);
	assert_false(vector_set_has(&x.s, MAX_VECTORS));
	assert_true(vector_set_has(&x.s, MAX_VECTORS - 1));
	assert_int_equal(vector_set_end(&x.s), MAX_VECTORS);
	assert_int_equal(vector_set_next(&x.s, MAX_VECTORS), MAX_VECTORS);
}

static void counts_and_ends(void **state)
{
	struct vector_set s = { 0 };

	(void)state;
	assert_true(vector_set_empty(&s));
	assert_int_equal(vector_set_end(&s), 0);
	vector_set_add(&s, 64);
	assert_int_equal(vector_set_end(&s), 65);
	assert_int_equal(vector_set_count(&s), 1);
	assert_true(vector_set_has(&s, 64));
	assert_false(vector_set_has(&s, 63));
	assert_false(vector_set_has(&s, 4000));
	vector_set_del(&s, 64);
	vector_set_del(&s, 5000);
	assert_true(vector_set_empty(&s));
	vector_set_add_range(&s, 0, MAX_VECTORS);
	assert_int_equal(vector_set_count(&s), MAX_VECTORS);
	assert_int_equal(vector_set_end(&s), MAX_VECTORS);
	vector_set_add_range(&s, UINT32_MAX - 1, 4); /* does not wrap round */
	assert_int_equal(vector_set_count(&s), MAX_VECTORS);
}

static void subtracts_and_intersects(void **state)
{
	struct vector_set a, b, got;
	enum vector_word w;

	(void)state;
	assert_int_equal(vector_set_parse("0-9,100", &w, &a), 0);
	assert_int_equal(vector_set_parse("5-120", &w, &b), 0);
	got = vector_set_minus(&a, &b);
	assert_string_equal(text_of(&got), "0-4");
	got = vector_set_and(&a, &b);
	assert_string_equal(text_of(&got), "5-9,100");
}

static void text_is_bounded(void **state)
{
	struct vector_set s = { 0 };
	char buf[8], one[1] = { 'x' };

	(void)state;
	assert_string_equal(vector_set_text(&s, buf, sizeof(buf)), "none");
	vector_set_add(&s, 5);
	assert_string_equal(vector_set_operand(&s, buf, sizeof(buf)), "5-5");
	vector_set_add(&s, 7);
	assert_string_equal(vector_set_operand(&s, buf, sizeof(buf)), "5,7");
	s = (struct vector_set){ 0 };
	for (unsigned int v = 0; v < MAX_VECTORS; v += 2)
		vector_set_add(&s, v);
	assert_string_equal(vector_set_text(&s, buf, sizeof(buf)), "0,2,...");
	assert_string_equal(vector_set_text(&s, one, sizeof(one)), "");
	s = (struct vector_set){ 0 };
	vector_set_add(&s, 100);
	vector_set_add(&s, 200);
	assert_string_equal(vector_set_text(&s, buf, sizeof(buf)), "100,200");
	vector_set_add(&s, 300);
	assert_null(strstr(vector_set_text(&s, buf, sizeof(buf)), "300"));
	assert_string_equal(buf, "100,...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_what_users_write),
		cmocka_unit_test(words_stand_alone),
		cmocka_unit_test(refuses_nonsense),
		cmocka_unit_test(walks_members_and_runs),
		cmocka_unit_test(counts_and_ends),
		cmocka_unit_test(stays_inside),
		cmocka_unit_test(subtracts_and_intersects),
		cmocka_unit_test(text_is_bounded),
	};

	return cmocka_run_group_tests_name("vector-set", tests, NULL, NULL);
}
