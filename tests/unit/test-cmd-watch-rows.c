// SPDX-License-Identifier: GPL-2.0-or-later
/* The rows of a page of watch, of samples that the test fills in: which there are, what they add up to, their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/watch-page.h"
#include "base/util.h"
#include "watch-model.h"

/* Behind error.h: it makes a macro of fail(). */
#include <cmocka.h>

static void forget(struct page *p)
{
	free(p->row);
	free(p->silent_text);
	*p = (struct page){ .w = p->w };
}

/* The numbers of the rows' vectors, or the names of their devices. */
static const char *order(const struct page *p)
{
	static char text[256];

	text[0] = '\0';
	for (size_t i = 0; i < p->n; i++) {
		if (p->row[i].v)
			append(text, sizeof(text), "%d", p->row[i].v->now.vector);
		else
			append(text, sizeof(text), "%s", p->row[i].d->name);
	}
	return text;
}

/* By each key, whatever the order was before: what is equal stays in the order of vectors. */
static void each_key(struct page *p, const char *const want[NR_SORT])
{
	for (unsigned int before = 0; before < NR_SORT; before++) {
		for (unsigned int key = 0; key < NR_SORT; key++) {
			page_sort(p, before);
			page_sort(p, key);
			if (strcmp(order(p), want[key]) != 0)
				fail_msg("by %u after %u: %s", key, before, order(p));
		}
	}
}

static void sorts_vectors(void **state)
{
	static const char *const want[NR_SORT] = { [SORT_VECTOR] = "01234567",
						   [SORT_IRQ] = "74250163",
						   [SORT_RATE] = "25034671",
						   [SORT_COUNT] = "25103467",
						   [SORT_DELTA] = "12503467" };
	struct sampled v[] = { model_vector(0, 9, 5, 1),	 model_vector(1, 9, 6, 50),
			       model_vector(2, 7, 70, 9),	 model_vector(3, 10, 0, 0),
			       model_vector(4, 6, 0, 0),	 model_vector(5, 8, 70, 3),
			       model_vector(6, 9, NOT_KNOWN, 0), model_vector(7, 1, 0, 0) };
	struct watched d = model_device("a", v, ARRAY_SIZE(v));
	struct watch w = { .device = &d, .n = 1 };
	struct page p = { .w = &w };

	(void)state;
	/* a rate that is not known is behind the slowest */
	v[1].compared = false;
	assert_int_equal(page_gather(&p, false), 0);
	assert_int_equal(p.n, ARRAY_SIZE(v));
	each_key(&p, want);
	forget(&p);
	/* of no rows there is no order */
	page_sort(&p, SORT_RATE);
	assert_int_equal(p.n, 0);
}

/* All of a device: by what all of its vectors have counted. None of them has an IRQ. */
static void sorts_devices(void **state)
{
	static const char *const want[NR_SORT] = { [SORT_VECTOR] = "abcde",
						   [SORT_IRQ] = "abcde",
						   [SORT_RATE] = "bcade",
						   [SORT_COUNT] = "cabde",
						   [SORT_DELTA] = "bcade" };
	struct sampled v[] = { model_vector(0, 0, 4, 0), model_vector(0, 0, 3, 0),
			       model_vector(0, 0, 9, 0), model_vector(0, 0, 0, 0),
			       model_vector(0, 0, NOT_KNOWN, 0) };
	struct watched d[ARRAY_SIZE(v)];
	struct watch w = { .device = d, .n = ARRAY_SIZE(d), .every = true };
	struct page p = { .w = &w };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(d); i++)
		d[i] = model_device((const char *[]){ "a", "b", "c", "d", "e" }[i], &v[i], 1);
	d[1].samples.total = (struct trend){ .delta = 2, .rate = 2 };
	d[2].samples.total = (struct trend){ .delta = 1, .rate = 1 };
	assert_int_equal(page_gather(&p, false), 0);
	each_key(&p, want);
	assert_int_equal(p.delta, 3);
	assert_int_equal(p.vectors, 5);
	forget(&p);
}

/* What is in the last sample is a row; what never counted is told by its number. */
static void gathers_vectors(void **state)
{
	struct sampled v[9], other[2];
	struct watched d[2];
	struct watch w = { .device = d, .n = 1 };
	struct page p = { .w = &w };

	(void)state;
	for (int i = 0; i < 9; i++)
		v[i] = model_vector(i, (unsigned int)i, i < 4 ? 0 : 10, i < 6 ? 0 : 1);
	v[3].now.index = IRQ_INTX;
	v[2].now.counted = false; /* that is not silence */
	v[8].present = false;
	other[0] = model_vector(5, 50, 0, 0);
	other[1] = model_vector(-1, 51, 0, 0);
	d[0] = model_device("a", v, ARRAY_SIZE(v));
	d[1] = model_device("b", other, ARRAY_SIZE(other));
	d[0].samples.total.delta = 7;
	d[1].samples.total.delta = 1;
	assert_int_equal(page_gather(&p, true), 0);
	assert_string_equal(order(&p), "24567");
	assert_string_equal(p.silent_text, "intx 3; msix 0-1");
	assert_int_equal(p.silent, 3);
	assert_int_equal(p.vectors, 8);
	assert_int_equal(p.active, 2);
	assert_int_equal(p.delta, 7);
	assert_true(p.row[1].compared && p.row[1].count == 10 && p.row[1].d == d &&
		    p.row[1].trend == &v[4].trend);
	forget(&p);
	/* in a document each has a row */
	assert_int_equal(page_gather(&p, false), 0);
	assert_string_equal(order(&p), "01234567");
	assert_int_equal(p.silent, 0);
	assert_null(p.silent_text);
	forget(&p);
	/* of several devices each is named; a vector whose number is not known has no name */
	w.n = 2;
	assert_int_equal(page_gather(&p, true), 0);
	assert_string_equal(p.silent_text, "a intx 3; a msix 0-1; b msix 5");
	assert_int_equal(p.silent, 5);
	assert_int_equal(p.delta, 8);
	forget(&p);
	/* who asked for them by number sees them */
	w.vectors.given = true;
	assert_int_equal(page_gather(&p, true), 0);
	assert_int_equal(p.silent, 0);
	assert_int_equal(p.n, 10);
	forget(&p);
}

/* A line per function: one without vectors has none, a silent one is named at the end, unless it is a VM's. */
static void gathers_devices(void **state)
{
	struct sampled v[] = { model_vector(0, 1, 3, 1),	 model_vector(1, 2, 4, 0),
			       model_vector(2, 3, 100, 1),	 model_vector(0, 4, 0, 0),
			       model_vector(0, 5, 0, 0),	 model_vector(0, 6, 2, 0),
			       model_vector(1, 7, NOT_KNOWN, 1), model_vector(0, 8, 0, 0) };
	struct watched d[] = { model_device("a", v, 3),	    model_device("b", v + 3, 1),
			       model_device("c", v + 4, 1), model_device("d", v + 5, 2),
			       model_device("e", NULL, 0),  model_device("f", v + 7, 1) };
	struct watch w = { .device = d, .n = ARRAY_SIZE(d), .every = true };
	struct page p = { .w = &w };
	unsigned int active;
	uint64_t count;

	(void)state;
	v[2].present = false;
	d[2].posted.possible = true;
	d[0].samples.total.delta = 5;
	assert_int_equal(page_gather(&p, true), 0);
	assert_string_equal(order(&p), "acd");
	assert_string_equal(p.silent_text, "b, f");
	assert_int_equal(p.silent, 2);
	assert_int_equal(p.vectors, 7);
	assert_int_equal(p.active, 2);
	assert_int_equal(p.delta, 5);
	assert_int_equal(p.row[0].count, 7);
	assert_int_equal(p.row[2].count, NOT_KNOWN);
	/* of a sum that is not known there is no rate */
	assert_true(p.row[0].compared && !p.row[2].compared);
	assert_true(p.row[0].trend == &d[0].samples.total);
	forget(&p);
	assert_int_equal(page_gather(&p, false), 0);
	assert_string_equal(order(&p), "abcdf");
	forget(&p);
	/* nor of a first sample */
	d[0].samples.taken = 1;
	assert_int_equal(page_gather(&p, true), 0);
	assert_false(p.row[0].compared);
	assert_true(p.row[1].compared);
	forget(&p);
	assert_int_equal(page_vectors(&d[0], &active, &count), 2);
	assert_int_equal(active, 1);
	assert_int_equal(count, 7);
	assert_int_equal(page_vectors(&d[3], &active, &count), 2);
	assert_int_equal(active, 1);
	assert_int_equal(count, NOT_KNOWN);
	assert_int_equal(page_vectors(&d[4], &active, &count), 0);
	assert_int_equal(active, 0);
	assert_int_equal(count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorts_vectors),
		cmocka_unit_test(sorts_devices),
		cmocka_unit_test(gathers_vectors),
		cmocka_unit_test(gathers_devices),
	};

	return cmocka_run_group_tests_name("cmd-watch-rows", tests, NULL, NULL);
}
