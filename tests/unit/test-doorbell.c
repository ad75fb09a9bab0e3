// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The doorbell of a simulated device, rung through vfio-user by msictl's own
 * client: every interrupt is counted, at the vector that it was fired for.
 * MSICTL_DOORBELLS=10000000 rings longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* cmocka.h makes fail() a macro: our headers come first */
#include "backends.h"
#include "device/handle.h"

#include <cmocka.h>

#define VECTORS	 2048u
#define RINGS	 100000u
#define DOORBELL 4u

static unsigned long rings(void)
{
	const char *text = getenv("MSICTL_DOORBELLS");

	return text ? strtoul(text, NULL, 10) : RINGS;
}

static struct device *open_armed(struct loop *loop)
{
	static const struct trace quiet;
	static const struct root root = { .fd = -1, .path = "/", .live = true };
	const struct open_request req = {
		.spec = "sim:msix=2048", .backends = backends, .root = &root, .trace = &quiet
	};
	struct vector_set all = { 0 };
	struct change c = { 0 };
	struct error e = { 0 };
	struct device *d = NULL;

	assert_int_equal(device_open(&d, &req, loop, NULL, &e), 0);
	vector_set_add_range(&all, 0, VECTORS);
	assert_int_equal(device_enable(d, IRQ_MSIX, &all, (struct change_how){ 0 }, &c, &e), 0);
	assert_true(device_bus_master(d, true) >= 0);
	return d;
}

/* A walk over the vectors that visits each, near and far, now one and now many before they are counted. */
static void ring(struct device *d, unsigned long n, uint64_t *fired)
{
	uint32_t at = 1;

	for (unsigned long i = 0; i < n; i++) {
		struct error e = { 0 };
		unsigned int v;

		at = at * 1664525u + 1013904223u;
		v = at >> 21;
		assert_int_equal(device_write(d, REGION_BAR0, DOORBELL, 4, v, &e), 0);
		fired[v]++;
		if (at % 97 == 0)
			assert_int_equal(device_drain(d), 0);
	}
}

static void test_none_lost(void **state)
{
	static uint64_t fired[VECTORS];
	unsigned long n = rings();
	struct loop *loop = NULL;
	uint64_t sum = 0;
	struct device *d;

	(void)state;
	assert_int_equal(loop_new(&loop), 0);
	d = open_armed(loop);
	ring(d, n, fired);
	assert_int_equal(device_drain(d), 0);
	for (unsigned int v = 0; v < VECTORS; v++) {
		assert_true(fired[v] > 0);
		assert_int_equal(d->irq[IRQ_MSIX].vector[v]->count, fired[v]);
		assert_int_equal(d->irq[IRQ_MSIX].vector[v]->loopback, 0);
		sum += d->irq[IRQ_MSIX].vector[v]->count;
	}
	assert_int_equal(sum, n);
	device_close(d);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_none_lost) };

	return cmocka_run_group_tests_name("doorbell", tests, NULL, NULL);
}
