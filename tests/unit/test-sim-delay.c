// SPDX-License-Identifier: GPL-2.0-or-later
/* What is under way when all changes, and which of several at a time are lost. */
#include "sim-world.h"

static struct world *with_msix(const char *spec)
{
	struct world *w = world_new(spec);

	assert_int_equal(attach(w, IRQ_MSIX, 0, 8), 0);
	master(w, true);
	return w;
}

static void assert_each_fires_once(struct world *w)
{
	for (unsigned int v = 0; v < 8; v++)
		ring(w, v);
	sim_tick(w->d, UINT64_MAX);
	for (unsigned int v = 0; v < 8; v++)
		assert_int_equal(got(w, v), 1);
	assert_true(sim_due(w->d) == UINT64_MAX);
}

/* A reset, a disabled index and a client that goes forget what is under way, of each vector. */
static void forgotten(void **state)
{
	struct world *w = with_msix("msix=8,latency=1s");

	(void)state;
	for (unsigned int how = 0; how < 3; how++) {
		/* not from the beginning of the queue */
		ring(w, how);
		sim_tick(w->d, UINT64_MAX);
		assert_int_equal(got(w, how), 1);
		for (unsigned int v = 1; v < 6; v++)
			ring(w, v);
		if (how == 0) {
			assert_int_equal(sim_reset(w->d), 0);
		} else {
			if (how == 1)
				assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 0), 0);
			else
				sim_device_disconnect(w->d);
			assert_true(sim_due(w->d) == UINT64_MAX);
			assert_int_equal(attach(w, IRQ_MSIX, 0, 8), 0);
			master(w, true);
		}
		assert_true(sim_due(w->d) == UINT64_MAX);
		sim_tick(w->d, UINT64_MAX);
		for (unsigned int v = 0; v < 8; v++)
			assert_int_equal(got(w, v), 0);
		assert_each_fires_once(w);
	}
	world_free(w);
}

/* A doorbell of a vector that is not there leaves no pending bit. */
static void behind_the_last(void **state)
{
	struct world *w = with_msix("msix=8");

	(void)state;
	ring(w, 8);
	ring(w, 9);
	ring(w, MAX_VECTORS);
	for (unsigned int word = 0; word < MAX_VECTORS / 64; word++)
		assert_int_equal(pba(w, word), 0);
	assert_int_equal(get(w, 0, SIM_REG_FIRED_LO, 8), 0);
	world_free(w);
}

/* Without a delay nothing is under way. */
static void at_once(void **state)
{
	struct world *w = with_msix("msix=8");

	(void)state;
	assert_int_equal(fired(w, 3), 1);
	assert_true(sim_due(w->d) == UINT64_MAX);
	sim_tick(w->d, UINT64_MAX);
	assert_int_equal(got(w, 3), 0);
	world_free(w);
}

/* The function's mask holds what is pending, whatever else is written. */
static void function_mask_holds(void **state)
{
	struct world *w = with_msix("msix=8");

	(void)state;
	put_cfg(w, 0xb0 + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_MASKALL);
	ring(w, 1);
	mask_entry(w, 2, true);
	mask_entry(w, 2, false);
	put_cfg(w, PCI_CACHE_LINE_SIZE, 1, 0);
	assert_int_equal(attach(w, IRQ_MSIX, 1, 1), 0);
	assert_int_equal(got(w, 1), 0);
	assert_int_equal(pba(w, 0), 2);
	put_cfg(w, 0xb0 + PCI_MSIX_FLAGS, 2, 0);
	assert_int_equal(got(w, 1), 1);
	world_free(w);
}

/* xorshift64* (Vigna 2016): whether the next one of a chance of 1/@n is lost. */
static bool lost(uint64_t *x, unsigned int n)
{
	*x ^= *x >> 12;
	*x ^= *x << 25;
	*x ^= *x >> 27;
	return (*x * 0x2545f4914f6cdd1dull >> 32) % n == 0;
}

/* Each of several at a time has its own chance. */
static void several_at_a_time(void **state)
{
	struct world *w = with_msix("msix=8,latency=1s,drop=1/1"), *some;
	uint64_t x = 1;
	unsigned int left = 0;

	(void)state;
	for (unsigned int i = 0; i < 5; i++)
		ring(w, 0);
	sim_tick(w->d, UINT64_MAX);
	assert_int_equal(got(w, 0), 0);
	assert_int_equal(get(w, 0, SIM_REG_DROPPED_LO, 8), 5);
	assert_int_equal(get(w, 0, SIM_REG_FIRED_LO, 8), 5);
	world_free(w);
	/* Of this seed splitmix64 would make 0, of which xorshift makes nothing else: it stands for 1. */
	some = with_msix("msix=8,latency=1s,drop=1/3,seed=0x61c8864680b583eb");
	for (unsigned int i = 0; i < 100; i++) {
		ring(some, 0);
		left += !lost(&x, 3);
	}
	sim_tick(some->d, UINT64_MAX);
	assert_int_equal(got(some, 0), left);
	assert_int_equal(get(some, 0, SIM_REG_DROPPED_LO, 8), 100 - left);
	world_free(some);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forgotten),	     cmocka_unit_test(behind_the_last),
		cmocka_unit_test(at_once),	     cmocka_unit_test(function_mask_holds),
		cmocka_unit_test(several_at_a_time),
	};

	return cmocka_run_group_tests_name("sim-delay", tests, NULL, NULL);
}
