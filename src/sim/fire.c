// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From the simulated device to the client's eventfd: doorbell, delay, masks and pending bits,
 * losses.
 */
#include "sim/internal.h"

/* xorshift64*, Marsaglia's generator as Vigna improved it; its state is never 0. */
static uint64_t next_random(struct sim_device *d)
{
	d->random ^= d->random >> 12;
	d->random ^= d->random << 25;
	d->random ^= d->random >> 27;
	return d->random * 0x2545f4914f6cdd1dull >> 32;
}

/* Seeds that are close together begin far apart: one step of splitmix64. */
static uint64_t seed_random(uint64_t seed)
{
	uint64_t z = seed + 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	z ^= z >> 31;
	return z ? z : 1;
}

/* How many of @n arrive. */
static uint64_t survive(struct sim_device *d, uint64_t n)
{
	uint64_t left = n;

	for (uint64_t i = 0; d->spec.drop && i < n; i++)
		left -= next_random(d) % d->spec.drop == 0;
	d->dropped += n - left;
	return left;
}

/*
 * A message is a write to memory: nothing without bus mastering, and nothing when it goes
 * elsewhere.
 */
static void send(struct sim_device *d, unsigned int v, uint64_t n)
{
	if (!sim_bus_master(d) || !sim_in_d0(d))
		return;
	d->fired += n;
	n = survive(d, n);
	if (n && (d->on == IRQ_MSI || sim_entry_reaches(d, v)))
		sim_eventfd_signal(d, &d->vector[v], n);
}

static void fire_msix(struct sim_device *d, unsigned int v, uint64_t n)
{
	if (v >= d->spec.msix)
		return;
	if (sim_entry_masked(d, v) || sim_msix_function_mask(d))
		vector_set_add(&d->pending, v);
	else
		send(d, v, n);
}

static void fire_msi(struct sim_device *d, unsigned int v, uint64_t n)
{
	if (!sim_msi_reaches(d, v))
		return;
	if (sim_msi_masked(d, v))
		sim_msi_set_pending(d, v, true);
	else
		send(d, v, n);
}

/*
 * The device falls back to INTx, which QEMU's server signals by the eventfd of vector 0, whatever
 * that is of.
 */
static void fire_line(struct sim_device *d)
{
	if (!d->asserted && !d->spec.no_intx)
		sim_eventfd_signal(d, &d->vector[0], 1);
	sim_intx_line(d, true);
}

static void fire(struct sim_device *d, unsigned int v, uint64_t n)
{
	if (d->spec.client_enable && sim_enable_clear(d))
		fire_line(d);
	else if (d->on == IRQ_MSIX)
		fire_msix(d, v, n);
	else if (d->on == IRQ_MSI)
		fire_msi(d, v, n);
	else if (d->on == IRQ_INTX && v == 0)
		sim_intx_line(d, true);
}

static void deliver_msix(struct sim_device *d)
{
	unsigned int v;

	if (sim_msix_function_mask(d))
		return;
	for_each_vector (v, &d->pending) {
		if (sim_entry_masked(d, v))
			continue;
		vector_set_del(&d->pending, v);
		send(d, v, 1);
	}
}

static void deliver_msi(struct sim_device *d)
{
	uint32_t bits = sim_msi_deliverable(d);

	for (unsigned int v = 0; v < d->spec.msi; v++)
		if (bits >> v & 1 && sim_msi_reaches(d, v)) {
			sim_msi_set_pending(d, v, false);
			send(d, v, 1);
		}
}

void sim_deliver(struct sim_device *d)
{
	if (d->on == IRQ_MSIX)
		deliver_msix(d);
	else if (d->on == IRQ_MSI)
		deliver_msi(d);
}

void sim_ring(struct sim_device *d, unsigned int v)
{
	if (d->spec.latency_us == 0)
		fire(d, v, 1);
	else if (v < MAX_VECTORS && d->on != NR_IRQ_INDEX)
		sim_delay_push(d, v);
}

void sim_tick(struct sim_device *d, uint64_t now)
{
	unsigned int v;
	uint64_t n;

	while (sim_delay_pop(d, now, &v, &n))
		fire(d, v, n);
}

void sim_fire_reset(struct sim_device *d)
{
	sim_delay_forget(d);
	sim_intx_line(d, false);
	d->pending = (struct vector_set){ .bits = { 0 } };
	d->fired = d->dropped = 0;
	d->random = seed_random(d->spec.seed);
}
