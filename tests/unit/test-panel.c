// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "term/panel.h"

#include <cmocka.h>

#define SECOND UINT64_C(1000000)
#define START  (1000 * SECOND)
/* 12:00:00 of a day, UTC */
#define NOON 1700049600

static int set_up(void **state)
{
	setenv("TZ", "UTC", 1);
	return panel_new((struct panel **)state);
}

static int tear_down(void **state)
{
	panel_free(*state);
	return 0;
}

static void armed(struct panel *p, unsigned int n, unsigned int of)
{
	const struct panel_index on = { .on = true, .armed = n, .of = of };

	panel_set(p, IRQ_MSIX, &on);
}

static void counted(struct panel *p, unsigned int vector, uint64_t n, uint64_t total, uint64_t now)
{
	const struct panel_count c = {
		.index = IRQ_MSIX, .vector = vector, .n = n, .total = total
	};

	assert_int_equal(panel_count(p, &c, now, NOON + (time_t)((now - START) / SECOND)), 0);
}

/* What is drawn equals @want. */
static void shows(struct panel *p, uint64_t now, unsigned int rows, unsigned int columns,
		  const char *want)
{
	char *text = panel_draw(p, now, rows, columns);

	assert_non_null(text);
	assert_string_equal(text, want);
	free(text);
}

/* Whether a drawing has @text somewhere. */
static bool has(struct panel *p, uint64_t now, unsigned int rows, const char *text)
{
	char *all = panel_draw(p, now, rows, 80);
	bool found = all && strstr(all, text);

	free(all);
	return found;
}

#define RULE40 "--- live off hides this ----------------\n"

static void nothing_to_tell(void **state)
{
	assert_int_equal(panel_rows(*state, 8, 80), 0);
	shows(*state, START, 0, 80, "");
	assert_true(panel_due(*state) == UINT64_MAX);
}

static void an_index_alone(void **state)
{
	armed(*state, 4, 64);
	assert_int_equal(panel_rows(*state, 8, 40), 2);
	shows(*state, START, 2, 40,
	      "msix  4 of 64 armed                0 counted         0/s\n" RULE40);
}

static void counts_and_rates(void **state)
{
	armed(*state, 4, 64);
	counted(*state, 3, 30, 30, START);
	counted(*state, 1, 5, 5, START + SECOND / 2);
	assert_int_equal(panel_rows(*state, 8, 40), 3);
	shows(*state, START + SECOND / 2, 3, 40,
	      "msix  4 of 64 armed               35 counted         0/s  last at 12:00:00\n"
	      "msix 1   5  0/s   msix 3  30  0/s\n" RULE40);
	/* A second is over, or more than one: the rate is that of the time that was. */
	shows(*state, START + 2 * SECOND, 3, 40,
	      "msix  4 of 64 armed               35 counted        18/s  last at 12:00:00\n"
	      "msix 1   5   3/s   msix 3  30  15/s\n" RULE40);
}

/* Nothing is due in the end, and what is on the screen then is true for good. */
static void quiet(void **state)
{
	uint64_t now = START;
	unsigned int drawn = 0;

	armed(*state, 1, 8);
	counted(*state, 0, 7, 7, now);
	for (; panel_due(*state) != UINT64_MAX; drawn++) {
		if (now < panel_due(*state))
			now = panel_due(*state);
		free(panel_draw(*state, now, 3, 80));
		assert_in_range(drawn, 0, 8);
	}
	assert_in_range(now - START, SECOND, 3 * SECOND);
	assert_true(has(*state, now + 3600 * SECOND, 3,
			"7 counted         0/s  last at 12:00:00\nmsix 0  7  0/s\n"));
	assert_true(panel_due(*state) == UINT64_MAX);
}

static void ten_a_second(void **state)
{
	uint64_t now = START, end = START + 5 * SECOND;
	unsigned int drawn = 0;

	for (uint64_t n = 1; now < end; n++, now += 1000) {
		counted(*state, 0, 1, n, now);
		if (now < panel_due(*state))
			continue;
		free(panel_draw(*state, now, 3, 80));
		drawn++;
	}
	assert_in_range(drawn, 40, 51);
}

static void first_at_once(void **state)
{
	free(panel_draw(*state, START, 3, 80));
	counted(*state, 0, 1, 1, START + SECOND);
	assert_true(panel_due(*state) <= START + SECOND);
}

/* The busiest of many, in the order of their numbers; they are still there when all is quiet. */
static void busiest(void **state)
{
	for (unsigned int v = 0; v < 2048; v++)
		counted(*state, v, v % 512 == 7 ? 1000 + v : 1, 5000, START);
	assert_int_equal(panel_rows(*state, 3, 80), 3);
	shows(*state, START + SECOND, 3, 40,
	      "msix  off                   10240000 counted      9144/s  last at 12:00:00\n"
	      "msix 1543  5000  2543/s\n" RULE40);
	free(panel_draw(*state, START + 2 * SECOND, 3, 40));
	assert_true(has(*state, START + 3 * SECOND, 3, "msix 1543  5000  0/s"));
	/* Then one that counts at all is busier. */
	counted(*state, 3, 1, 5001, START + 4 * SECOND);
	shows(*state, START + 4 * SECOND, 3, 30,
	      "msix  off                   10240001 counted         0/s  last at 12:00:04\n"
	      "msix 3  5001  0/s\n"
	      "--- live off hides this ------\n");
}

static void as_many_rows_as_fit(void **state)
{
	armed(*state, 2048, 2048);
	for (unsigned int v = 0; v < 2048; v++)
		counted(*state, v, 1, 1, START);
	for (unsigned int most = 2; most <= 16; most++) {
		unsigned int rows = panel_rows(*state, most, 80), lines = 0;
		char *text = panel_draw(*state, START, rows, 80);

		assert_int_equal(rows, most);
		for (const char *at = text; *at; at += strcspn(at, "\n") + 1, lines++)
			assert_in_range(strcspn(at, "\n"), 1, 80);
		assert_int_equal(lines, rows);
		free(text);
	}
	assert_int_equal(panel_rows(*state, 1, 80), 0);
}

static void events(void **state)
{
	panel_event(*state, NOON, "one");
	assert_int_equal(panel_rows(*state, 8, 40), 2);
	shows(*state, START, 2, 40, "12:00:00  one\n" RULE40);
	panel_event(*state, NOON + 1, "two \033[2J\n");
	panel_event(*state, NOON + 2, "three");
	panel_event(*state, NOON + 3, "four");
	assert_int_equal(panel_rows(*state, 8, 40), 4);
	shows(*state, START, 5, 40,
	      "12:00:01  two \\x1b[2J\\x0a\n12:00:02  three\n12:00:03  four\n\n" RULE40);
	/* The latest, when there is room for one. */
	shows(*state, START, 2, 40, "12:00:03  four\n" RULE40);
}

static void each_type_has_a_row(void **state)
{
	armed(*state, 4, 8);
	panel_event(*state, NOON, "one");
	panel_event(*state, NOON, "two");
	counted(*state, 0, 1, 1, START);
	assert_int_equal(panel_rows(*state, 4, 80), 4);
	assert_true(has(*state, START, 4, "12:00:00  two\n"));
	assert_true(has(*state, START, 4, "\nmsix 0  1  0/s\n"));
	assert_false(has(*state, START, 4, "one"));
}

static void an_index_of_one_vector(void **state)
{
	const struct panel_count c = { .index = IRQ_ERR, .vector = 0, .n = 2, .total = 2 };

	assert_int_equal(panel_count(*state, &c, START, NOON), 0);
	assert_int_equal(panel_rows(*state, 8, 40), 2);
	shows(*state, START + SECOND, 2, 40,
	      "err   off                          2 counted         2/s  last at 12:00:00\n" RULE40);
	assert_true(panel_due(*state) != UINT64_MAX);
}

/* Counts from before anybody looked are no rate, and nobody knows their time. */
static void what_was_counted_before(void **state)
{
	armed(*state, 4, 8);
	counted(*state, 2, 0, 40, START);
	shows(*state, START + SECOND, 3, 40,
	      "msix  4 of 8 armed                40 counted         0/s\nmsix 2  40  0/s\n" RULE40);
	counted(*state, 2, 2, 42, START + SECOND);
	assert_true(has(*state, START + SECOND, 3,
			"42 counted         0/s  last at 12:00:01\nmsix 2  42  0/s\n"));
}

static void another_device(void **state)
{
	armed(*state, 4, 8);
	counted(*state, 0, 9, 9, START);
	panel_event(*state, NOON, "one");
	panel_forget(*state);
	assert_int_equal(panel_rows(*state, 8, 40), 2);
	shows(*state, START, 2, 40, "12:00:00  one\n" RULE40);
	counted(*state, 0, 1, 1, START + SECOND);
	assert_true(has(*state, START + SECOND, 4, "msix 0  1  0/s"));
}

static void a_vector_that_is_none(void **state)
{
	const struct panel_count c = { .index = IRQ_MSIX, .vector = 2048, .n = 1, .total = 1 };

	assert_int_not_equal(panel_count(*state, &c, START, NOON), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_to_tell),
		TEST(an_index_alone),
		TEST(counts_and_rates),
		TEST(quiet),
		TEST(ten_a_second),
		TEST(first_at_once),
		TEST(busiest),
		TEST(as_many_rows_as_fit),
		TEST(events),
		TEST(each_type_has_a_row),
		TEST(another_device),
		TEST(what_was_counted_before),
		TEST(a_vector_that_is_none),
		TEST(an_index_of_one_vector),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
