// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include "irq/count.h"
#include "base/util.h"

#include <cmocka.h>

#define MANY ((size_t)8192)

/* A CPU of a line of /proc/interrupts, whose column is there. */
struct shown {
	unsigned int cpu;
	uint32_t count;
};

/* One reading of @c. 1: @fresh is known; the total is looked at by who calls. */
static int take(struct irq_counter *c, const struct irq_counts *now, uint64_t expected)
{
	uint64_t fresh = 77;
	int rc = irq_counter_take(c, now, &fresh);

	assert_true(rc >= 0);
	assert_int_equal(fresh, expected);
	return rc;
}

static int sysfs(struct irq_counter *c, const char *text, uint64_t expected)
{
	struct irq_counts now = { 0 };
	int rc;

	assert_int_equal(irq_counts_parse(&now, text), 0);
	rc = take(c, &now, expected);
	irq_counts_free(&now);
	return rc;
}

static int proc(struct irq_counter *c, const struct shown *line, size_t n, uint64_t expected)
{
	struct irq_counts now = { .source = HOST_IRQ_PROC, .columns = n };
	unsigned int column[8];
	int rc;

	assert_true(n <= ARRAY_SIZE(column));
	for (size_t i = 0; i < n; i++) {
		column[i] = line[i].cpu;
		assert_int_equal(irq_counts_add(&now, line[i].cpu, line[i].count), 0);
	}
	now.column = column;
	rc = take(c, &now, expected);
	irq_counts_free(&now);
	return rc;
}

#define LINE(...)                              \
	(const struct shown[]){ __VA_ARGS__ }, \
		sizeof((struct shown[]){ __VA_ARGS__ }) / sizeof(struct shown)

static void parses(void **state)
{
	static const char *const bad[] = {
		"",	 "\n",	   "1,2",  "1,,2\n",	   ",1\n",	    "1,\n", "-1\n",
		"1 2\n", "1\n2\n", "+1\n", "4294967296\n", "00000000001\n", "x\n",  "1;2\n",
	};
	struct irq_counts c = { 0 };

	(void)state;
	assert_int_equal(irq_counts_parse(&c, "1,0,4294967295\n"), 0);
	assert_int_equal(c.source, HOST_IRQ_SYSFS);
	assert_int_equal(c.columns, 3);
	/* a CPU that did not count takes no room */
	assert_int_equal(c.n, 2);
	assert_int_equal(c.cpu[1].cpu, 2);
	assert_int_equal(irq_counts_sum(&c), UINT64_C(4294967296));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(irq_counts_parse(&c, bad[i]), -EBADMSG);
	irq_counts_free(&c);
}

static void differs_per_cpu(void **state)
{
	struct irq_counter c = { 0 };

	(void)state;
	/* the first reading is history */
	assert_false(sysfs(&c, "5000,0,7\n", 0));
	assert_int_equal(c.total, 5007);
	assert_true(sysfs(&c, "5000,0,7\n", 0));
	assert_true(sysfs(&c, "5001,0,9\n", 3));
	/* a CPU that had counted nothing yet */
	assert_true(sysfs(&c, "5001,4,9\n", 4));
	assert_true(sysfs(&c, "5001,5,10\n", 2));
	assert_int_equal(c.total, 5016);
	irq_counter_free(&c);
}

/* 5007 to 7 with CPU 1 gone: nothing came. */
static void a_cpu_goes_offline(void **state)
{
	struct irq_counter c = { 0 };

	(void)state;
	assert_false(proc(&c, LINE({ 0, 7 }, { 1, 5000 }), 0));
	assert_true(proc(&c, LINE({ 0, 7 }), 0));
	assert_int_equal(c.total, 5007);
	assert_true(proc(&c, LINE({ 0, 9 }), 2));
	/* back, with what it had and one more */
	assert_true(proc(&c, LINE({ 0, 9 }, { 1, 5001 }), 1));
	assert_int_equal(c.total, 5010);
	irq_counter_free(&c);
}

static void a_cpu_comes_online(void **state)
{
	struct irq_counter c = { 0 };

	(void)state;
	assert_false(proc(&c, LINE({ 0, 7 }, { 3, 0 }), 0));
	/* 2,000,000 of before we looked are not new, and what another counts meanwhile is */
	assert_true(proc(&c, LINE({ 0, 8 }, { 1, 2000000 }, { 3, 2 }), 3));
	assert_int_equal(c.total, 10);
	assert_true(proc(&c, LINE({ 0, 8 }, { 1, 2000004 }, { 3, 2 }), 4));
	/* seen, without a count: all that it counts from now on is new, although it was away */
	assert_true(proc(&c, LINE({ 0, 8 }, { 1, 2000004 }, { 2, 0 }, { 3, 2 }), 0));
	assert_true(proc(&c, LINE({ 0, 8 }, { 1, 2000004 }, { 3, 2 }), 0));
	assert_true(proc(&c, LINE({ 0, 8 }, { 1, 2000004 }, { 2, 5 }, { 3, 2 }), 5));
	assert_int_equal(c.total, 19);
	irq_counter_free(&c);
}

/* A CPU beyond the first 64, whose bit is in another word. */
static void a_high_cpu(void **state)
{
	struct irq_counter c = { 0 };

	(void)state;
	assert_false(proc(&c, LINE({ 0, 7 }), 0));
	assert_true(proc(&c, LINE({ 0, 7 }, { 8191, 100 }), 0));
	assert_true(proc(&c, LINE({ 0, 7 }, { 128, 50 }, { 8191, 101 }), 1));
	assert_true(proc(&c, LINE({ 0, 7 }, { 128, 51 }, { 8191, 101 }), 1));
	irq_counter_free(&c);
}

static void a_cpu_wraps(void **state)
{
	struct irq_counter c = { 0 };

	(void)state;
	assert_false(sysfs(&c, "4294967290,3000000000\n", 0));
	assert_true(sysfs(&c, "5,3000000000\n", 11));
	assert_int_equal(c.total, UINT64_C(4294967290) + UINT64_C(3000000000) + 11);
	/* exactly to 0, which is no count that is printed apart */
	assert_true(sysfs(&c, "5,4294967295\n", 1294967295));
	assert_true(sysfs(&c, "5,0\n", 1));
	assert_true(sysfs(&c, "5,1\n", 1));
	irq_counter_free(&c);
}

/* Nobody takes two billion between two looks. */
static void a_counter_that_fell(void **state)
{
	struct irq_counter c = { 0 };

	(void)state;
	assert_false(sysfs(&c, "100,200\n", 0));
	assert_false(sysfs(&c, "3,0\n", 0));
	assert_int_equal(c.total, 300);
	assert_true(sysfs(&c, "4,1\n", 2));
	assert_int_equal(c.total, 302);
	irq_counter_free(&c);
}

/* Allocated since it was looked for: all that it has is new. */
static void an_irq_that_is_new(void **state)
{
	struct irq_counter c = { .anew = true };

	(void)state;
	assert_true(sysfs(&c, "40,2\n", 42));
	assert_true(sysfs(&c, "40,2\n", 0));
	assert_int_equal(c.total, 42);
	/* once */
	assert_false(proc(&c, LINE({ 0, 41 }), 0));
	irq_counter_free(&c);
}

/* A page that was cut off, then the other text: one CPU of it was offline. */
static void two_sources(void **state)
{
	struct irq_counter c = { 0 };

	(void)state;
	assert_false(sysfs(&c, "1000000,7\n", 0));
	assert_false(proc(&c, LINE({ 1, 9 }), 0));
	assert_true(proc(&c, LINE({ 1, 10 }), 1));
	assert_false(sysfs(&c, "1000000,10\n", 0));
	assert_true(sysfs(&c, "1000000,12\n", 2));
	assert_int_equal(c.total, 1000010);
	/* what the first source knew is forgotten */
	assert_false(proc(&c, LINE({ 1, 12 }), 0));
	assert_true(proc(&c, LINE({ 0, 1000000 }, { 1, 12 }), 0));
	assert_int_equal(c.total, 1000010);
	irq_counter_free(&c);
}

/* The room is that of CPUs that counted, not of those that there are. */
static void many_cpus(void **state)
{
	struct irq_counter c = { 0 };
	char *text = malloc(MANY * 2 + 1);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < MANY; i++) {
		text[2 * i] = i == 4000 ? '9' : '0';
		text[2 * i + 1] = i == MANY - 1 ? '\n' : ',';
	}
	text[MANY * 2] = '\0';
	assert_false(sysfs(&c, text, 0));
	assert_true(sysfs(&c, text, 0));
	assert_int_equal(c.total, 9);
	assert_true(c.room * sizeof(*c.last) + c.words * sizeof(*c.known) < 2048);
	free(text);
	irq_counter_free(&c);
}

static void missing_cpus(void **state)
{
	static const struct {
		const char *list;
		int missing;
	} t[] = {
		{ "0-3\n", 2 },	     { "0,2\n", 0 },	 { "0,2", 0 },	 { "5", 1 },
		{ "0-2,8-10\n", 4 }, { "", -1 },	 { "\n", -1 },	 { "3-1\n", -1 },
		{ "x\n", -1 },	     { "0-\n", -1 },	 { "0,\n", -1 }, { "0 1", -1 },
		{ "1-2-3", -1 },     { "99999999", -1 },
	};
	static const unsigned int column[] = { 0, 2 };
	const struct irq_counts proc_line = { .source = HOST_IRQ_PROC,
					      .column = column,
					      .columns = 2 };
	const struct irq_counts file = { .source = HOST_IRQ_SYSFS, .columns = 3 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		assert_int_equal(cpu_list_missing(t[i].list, &proc_line), t[i].missing);
	assert_int_equal(cpu_list_missing("0-2\n", &file), 0);
	assert_int_equal(cpu_list_missing("0-3\n", &file), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(differs_per_cpu),
		cmocka_unit_test(a_cpu_goes_offline),
		cmocka_unit_test(a_cpu_comes_online),
		cmocka_unit_test(a_high_cpu),
		cmocka_unit_test(a_cpu_wraps),
		cmocka_unit_test(a_counter_that_fell),
		cmocka_unit_test(an_irq_that_is_new),
		cmocka_unit_test(two_sources),
		cmocka_unit_test(many_cpus),
		cmocka_unit_test(missing_cpus),
	};

	return cmocka_run_group_tests_name("irq-count", tests, NULL, NULL);
}
