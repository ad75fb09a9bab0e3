// SPDX-License-Identifier: GPL-2.0-or-later
/* BARs of the simulated function, byte by byte: registers, MSI-X table and PBA, before and after what changes them. */
#include "sim-world.h"
#include "sim/internal.h"

/* The message of vector @v: remappable format, a handle per vector. */
static uint64_t address_of(unsigned int v)
{
	return 0xfee00018u | (0x100 + v) << 5;
}

static void assert_entry(struct world *w, unsigned int v, uint64_t address, uint32_t control)
{
	assert_int_equal(get(w, 2, v * 16ull, 8), address);
	assert_int_equal(get(w, 2, v * 16ull + 8, 4), 0);
	assert_int_equal(get(w, 2, v * 16ull + 12, 4), control);
}

static void assert_entry_control(struct world *w, unsigned int v, uint32_t control)
{
	assert_int_equal(get(w, 2, v * 16ull + 12, 4), control);
}

static void entries_are_whole(void **state)
{
	struct world *w = world_new("msix=8");

	(void)state;
	master(w, true);
	for (unsigned int v = 0; v < 8; v++)
		assert_entry(w, v, 0, 1);
	assert_int_equal(attach(w, IRQ_MSIX, 0, 4), 0);
	for (unsigned int v = 0; v < 8; v++)
		assert_entry(w, v, v < 4 ? address_of(v) : 0, v >= 4);
	/* The one before it once more: its neighbour is not touched. */
	assert_int_equal(attach(w, IRQ_MSIX, 1, 1), 0);
	assert_entry(w, 1, address_of(1), 0);
	assert_entry(w, 2, address_of(2), 0);
	assert_int_equal(fired(w, 2), 1);
	for (unsigned int at = 0; at < 12; at += 4)
		put(w, 2, 16 + at, 4, 0xffffffff);
	assert_int_equal(release(w, IRQ_MSIX, 1, 1), 0);
	assert_entry(w, 1, 0, 1);
	put(w, 2, 16 + 4, 8, UINT64_MAX);
	assert_int_equal(attach(w, IRQ_MSIX, 1, 1), 0);
	assert_entry(w, 1, address_of(1), 0);
	world_free(w);
}

/* A message that leads elsewhere by any of its words. */
static void each_word_leads_elsewhere(void **state)
{
	struct world *w = world_new("msix=8");

	(void)state;
	master(w, true);
	for (unsigned int at = 0; at < 12; at += 4) {
		assert_int_equal(attach(w, IRQ_MSIX, 0, 2), 0);
		assert_int_equal(fired(w, 1), 1);
		put(w, 2, 16 + at, 4, 0x40);
		assert_int_equal(fired(w, 1), 0);
		assert_int_equal(fired(w, 0), 1);
	}
	world_free(w);
}

static void all_bits_of_an_entry(void **state)
{
	static const uint8_t all[16] = { 0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					 0xff, 0xff, 0xff, 0xff, 0xff, 0x01 };
	uint8_t ones[16], zeros[16] = { 0 }, now[16];
	struct world *w = world_new("msix=8");

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	for (unsigned int v = 0; v < 8; v++) {
		assert_int_equal(sim_region_write(w->d, 2, ones, 16, v * 16ull), 16);
		assert_int_equal(sim_region_read(w->d, 2, now, 16, v * 16ull), 16);
		assert_memory_equal(now, all, 16);
		assert_int_equal(sim_region_write(w->d, 2, zeros, 16, v * 16ull), 16);
		assert_int_equal(sim_region_read(w->d, 2, now, 16, v * 16ull), 16);
		assert_memory_equal(now, zeros, 16);
		/* Four bytes are four bytes, and one is one. */
		assert_int_equal(sim_region_write(w->d, 2, ones, 4, v * 16ull + 8), 4);
		assert_entry_control(w, v, 0);
		assert_int_equal(sim_region_write(w->d, 2, ones, 1, v * 16ull + 12), 1);
		assert_entry_control(w, v, 1);
	}
	world_free(w);
}

/* ---- the largest table, behind which the PBA begins at once */

static void pending_lies_behind_the_table(void **state)
{
	struct world *w = world_new("msix=2048,msi=0");
	uint8_t ones[8];

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	master(w, true);
	assert_int_equal(attach(w, IRQ_MSIX, 0, 2), 0);
	ring(w, 2047);
	ring(w, 5);
	assert_int_equal(pba(w, 0), 1 << 5);
	assert_true(pba(w, 31) == UINT64_C(1) << 63);
	assert_int_equal(sim_region_write(w->d, 2, ones, 8, PBA_OFFSET), 8);
	assert_int_equal(sim_region_write(w->d, 2, ones, 8, PBA_OFFSET - 4), 8);
	assert_int_equal(pba(w, 0), 1 << 5);
	/* What the device has pending it keeps while MSI-X goes off and on. */
	assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 0), 0);
	assert_int_equal(pba(w, 0), 1 << 5);
	assert_int_equal(pba(w, 1), 0);
	assert_int_equal(attach(w, IRQ_MSIX, 0, 2), 0);
	assert_int_equal(pba(w, 0), 1 << 5);
	assert_int_equal(pba(w, 1), 0);
	assert_int_equal(sim_reset(w->d), 0);
	for (unsigned int word = 0; word < 32; word++)
		assert_int_equal(pba(w, word), 0);
	assert_entry(w, 0, address_of(0), 0);
	assert_entry(w, 2047, 0, 1);
	world_free(w);
}

/* ---- registers */

/* Bit 0 of what is written counts, no other. */
static void registers_take_bit_0(void **state)
{
	static const struct {
		uint32_t value;
		bool acts;
	} row[] = { { 0, false }, { 1, true }, { 2, false }, { 3, true }, { 0xfffffffe, false } };
	struct world *w = world_new("");

	(void)state;
	assert_int_equal(set_fd(w, EVENTFD, IRQ_ERR, 0, fd_of(w, 1)), 0);
	assert_int_equal(set_fd(w, EVENTFD, IRQ_REQ, 0, fd_of(w, 2)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		put_reg(w, SIM_REG_ERR, row[i].value);
		assert_int_equal(got(w, 1), row[i].acts);
		put_reg(w, SIM_REG_REQ, row[i].value);
		assert_int_equal(got(w, 2), row[i].acts);
		put_reg(w, SIM_REG_INTX_RAISE, row[i].value);
		assert_int_equal(get(w, 0, SIM_REG_INTX_STATUS, 4), row[i].acts);
		put_reg(w, SIM_REG_INTX_RAISE, 1);
		put_reg(w, SIM_REG_INTX_ACK, row[i].value);
		assert_int_equal(get(w, 0, SIM_REG_INTX_STATUS, 4), !row[i].acts);
		put_reg(w, SIM_REG_INTX_ACK, 1);
	}
	world_free(w);
}

/* A part of a register is no write to it, whatever lies beside it in memory. */
static void parts_do_nothing(void **state)
{
	static const uint8_t near[] = { 1, 0, 0, 0, 0, 0, 0, 0, 0 },
			     ones[] = { 1, 0, 0, 0, 1, 0, 0, 0 };
	struct world *w = world_new("");

	(void)state;
	master(w, true);
	assert_int_equal(attach(w, IRQ_MSIX, 0, 2), 0);
	assert_int_equal(sim_region_write(w->d, 0, near + 1, 4, SIM_REG_DOORBELL + 1), 4);
	assert_int_equal(sim_region_write(w->d, 0, near + 1, 4, SIM_REG_DOORBELL - 1), 4);
	for (unsigned int n = 1; n < 4; n++)
		assert_int_equal(sim_region_write(w->d, 0, ones, n, SIM_REG_DOORBELL), n);
	assert_int_equal(got(w, 0) + got(w, 1), 0);
	assert_int_equal(sim_region_write(w->d, 0, ones, 4, SIM_REG_DOORBELL), 4);
	assert_int_equal(got(w, 1), 1);
	assert_int_equal(get(w, 0, SIM_REG_INTX_STATUS, 4), 0);
	assert_int_equal(sim_region_write(w->d, 0, ones, 8, SIM_REG_DOORBELL), 8);
	assert_int_equal(got(w, 1), 1);
	assert_int_equal(get(w, 0, SIM_REG_INTX_STATUS, 4), 1);
	world_free(w);
}

/* Some hours at a million interrupts a second: the counters have 64 bits. */
static void counters_are_wide(void **state)
{
	struct world *w = world_new("msix=1,drop=1/1");

	(void)state;
	master(w, true);
	assert_int_equal(attach(w, IRQ_MSIX, 0, 1), 0);
	w->d->fired = 0x1234567ffffffffull;
	w->d->dropped = 0x89abcdefffffffffull;
	ring(w, 0);
	assert_true(get(w, 0, SIM_REG_FIRED_LO, 8) == 0x123456800000000ull);
	assert_true(get(w, 0, SIM_REG_DROPPED_LO, 8) == 0x89abcdf000000000ull);
	assert_int_equal(get(w, 0, SIM_REG_REQ, 4), 0);
	assert_int_equal(get(w, 0, SIM_REG_REQ + 4, 4), 0);
	assert_int_equal(get(w, 0, SIM_REG_DROPPED_LO + 8, 4), 0);
	world_free(w);
}

static void registers_are_told(void **state)
{
	static const char *const word[] = { "0x00 id",	"0x04 doorbell", "0x08 raise",
					    "0x0c ack", "0x10 status",	 "0x14 err",
					    "0x18 req", "0x20 fired",	 "0x28 dropped" };
	const char *help;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(word); i++) {
		help = NULL;
		assert_string_equal(sim_register_word_at(i, &help), word[i]);
		assert_string_equal(sim_register_word_at(i, NULL), word[i]);
		assert_true(help && help[0]);
	}
	assert_null(sim_register_word_at(ARRAY_SIZE(word), &help));
}

/* ---- a reset puts back what was given, and nothing else */

static void reset_gives_nothing_new(void **state)
{
	struct world *w = world_new("msix=8,msi=8");

	(void)state;
	master(w, true);
	/* A message that is right for an entry that nobody has. */
	put(w, 2, 7 * 16ul, 4, address_of(7));
	assert_int_equal(sim_reset(w->d), 0);
	assert_entry(w, 7, 0, 1);
	/* One that is allocated, and leads elsewhere. */
	assert_int_equal(release(w, IRQ_MSIX, 0, 2), 0);
	assert_entry(w, 1, address_of(1), 1);
	put(w, 2, 16 + 8, 4, 7);
	assert_int_equal(sim_reset(w->d), 0);
	assert_entry(w, 0, address_of(0), 1);
	assert_entry(w, 1, 0, 1);
	assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 0), 0);
	assert_entry(w, 0, 0, 1);
	/* Vectors of MSI are none of the table's. */
	assert_int_equal(attach(w, IRQ_MSI, 1, 3), 0);
	assert_int_equal(sim_reset(w->d), 0);
	for (unsigned int v = 0; v < 8; v++)
		assert_entry(w, v, 0, 1);
	assert_int_equal(cfg(w, caps(w).msi.mask_pos, 4), 0xf1);
	world_free(w);
}

static void ends_of_a_bar(void **state)
{
	struct world *w = world_new("");
	uint8_t buf[16] = { 0 };

	(void)state;
	assert_int_equal(sim_region_read(w->d, 0, buf, 8, 0xff8), 8);
	assert_int_equal(sim_region_read(w->d, 0, buf, 8, 0xff9), 7);
	assert_int_equal(sim_region_read(w->d, 0, buf, 0, 0x1000), 0);
	assert_int_equal(sim_region_write(w->d, 0, buf, 0, 0x1000), 0);
	assert_int_equal(sim_region_write(w->d, 2, buf, 16, 0xffff), 1);
	assert_int_equal(sim_region_read(w->d, NR_REGION, buf, 0, 0), -EINVAL);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_whole),
		cmocka_unit_test(each_word_leads_elsewhere),
		cmocka_unit_test(all_bits_of_an_entry),
		cmocka_unit_test(pending_lies_behind_the_table),
		cmocka_unit_test(registers_take_bit_0),
		cmocka_unit_test(parts_do_nothing),
		cmocka_unit_test(counters_are_wide),
		cmocka_unit_test(registers_are_told),
		cmocka_unit_test(reset_gives_nothing_new),
		cmocka_unit_test(ends_of_a_bar),
	};

	return cmocka_run_group_tests_name("sim-bar", tests, NULL, NULL);
}
