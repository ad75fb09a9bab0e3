// SPDX-License-Identifier: GPL-2.0-or-later
/* Each byte of the simulated function's configuration space: what it begins with, and what of it can be written. */
#include "sim-world.h"

#define PM   0x40
#define MSI  0x50
#define EXP  0x70
#define MSIX 0xb0

struct want {
	unsigned int at, width;
	uint32_t value, writable;
};

static void load(uint8_t *to, const struct want *w, size_t n, bool writable)
{
	for (size_t i = 0; i < n; i++)
		for (unsigned int j = 0; j < w[i].width; j++)
			to[w[i].at + j] =
				(uint8_t)((writable ? w[i].writable : w[i].value) >> (8 * j));
}

static void read_all(struct world *w, uint8_t *to)
{
	assert_int_equal(sim_region_read(w->d, REGION_CONFIG, to, 4096, 0), 4096);
}

static void assert_bytes(const char *spec, const char *what, const uint8_t *is, const uint8_t *want)
{
	for (unsigned int i = 0; i < 4096; i++)
		if (is[i] != want[i])
			fail_msg("sim:%s: %s of byte 0x%x is 0x%02x, not 0x%02x", spec, what, i,
				 is[i], want[i]);
}

/* The bits of a byte that are as they were written. Power state and reset bit have rules of their own. */
static uint8_t writable_bits(struct world *w, unsigned int at)
{
	uint8_t before = (uint8_t)cfg(w, at, 1), ones = 0xff, zeros = 0x00;

	if (at == EXP + PCI_EXP_DEVCTL + 1)
		ones = 0x7f;
	assert_int_equal(sim_region_write(w->d, REGION_CONFIG, &zeros, 1, at), 1);
	zeros = (uint8_t)cfg(w, at, 1);
	assert_int_equal(sim_region_write(w->d, REGION_CONFIG, &ones, 1, at), 1);
	ones = (uint8_t)cfg(w, at, 1);
	assert_int_equal(sim_region_write(w->d, REGION_CONFIG, &before, 1, at), 1);
	assert_int_equal(cfg(w, at, 1), before);
	return ones ^ zeros;
}

static void assert_space(const char *spec, const struct want *want, size_t n)
{
	uint8_t is[4096], value[4096] = { 0 }, bits[4096] = { 0 };
	struct world *w = world_new(spec);

	load(value, want, n, false);
	load(bits, want, n, true);
	read_all(w, is);
	assert_bytes(spec, "value", is, value);
	for (unsigned int i = 0; i < 4096; i++)
		is[i] = writable_bits(w, i);
	assert_bytes(spec, "mask", is, bits);
	read_all(w, is);
	assert_bytes(spec, "value afterwards", is, value);
	world_free(w);
}

#define HEADER(command, bar0, bar2, bar2_mask, cap, pin)                                       \
	{ PCI_VENDOR_ID, 2, 0x4d53, 0 }, { PCI_DEVICE_ID, 2, 0x4958, 0 },                      \
		{ PCI_COMMAND, 2, command, 0x0406 }, { PCI_STATUS, 2, 0x0010, 0 },             \
		{ PCI_CLASS_REVISION, 4, 0xff000001, 0 }, { PCI_CACHE_LINE_SIZE, 1, 0, 0xff }, \
		{ PCI_BASE_ADDRESS_0, 4, bar0, 0xfffff000 },                                   \
		{ PCI_BASE_ADDRESS_2, 4, bar2, bar2_mask },                                    \
		{ PCI_SUBSYSTEM_VENDOR_ID, 2, 0x4d53, 0 }, { PCI_SUBSYSTEM_ID, 2, 0x4958, 0 }, \
		{ PCI_CAPABILITY_LIST, 1, cap, 0 },                                            \
	{                                                                                      \
		PCI_INTERRUPT_LINE, 2, (pin) << 8, 0x00ff                                      \
	}

/* Power Management 1.2, and an endpoint of PCI Express 2 that has FLR, at 2.5 GT/s in one lane. */
#define POWER(next)                                 \
	{ PM, 4, 0x00030001 | (next) << 8, 0 },     \
	{                                           \
		PM + PCI_PM_CTRL, 2, 0x0008, 0x0003 \
	}
#define EXPRESS(next)                                                                         \
	{ EXP, 4, 0x00020010 | (next) << 8, 0 }, { EXP + PCI_EXP_DEVCAP, 4, 0x10008000, 0 },  \
		{ EXP + PCI_EXP_DEVCTL, 2, 0, 0x7fff }, { EXP + PCI_EXP_LNKCAP, 4, 0x11, 0 }, \
	{                                                                                     \
		EXP + PCI_EXP_LNKSTA, 2, 0x11, 0                                              \
	}

static void as_vfio_pci_hands_it_over(void **state)
{
	static const struct want space[] = {
		HEADER(2, 0xe0010000, 0xe0000000, 0xffff0000, PM, 1),
		POWER(MSI),
		/* Enable and MME are SET_IRQS' business. */
		{ MSI, 4, 0x01880005 | EXP << 8, 0 },
		{ MSI + PCI_MSI_MASK_64, 4, 0, 0xffff },
		EXPRESS(MSIX),
		{ MSIX, 4, 64u << 16 | 0x11, 0x4000u << 16 },
		{ MSIX + PCI_MSIX_TABLE, 4, 2, 0 },
		{ MSIX + PCI_MSIX_PBA, 4, 0x8002, 0 },
	};

	(void)state;
	assert_space("msix=65", space, ARRAY_SIZE(space));
}

static void the_most_of_both(void **state)
{
	static const struct want space[] = {
		HEADER(2, 0xe0010000, 0xe0000000, 0xffff0000, PM, 0),
		POWER(MSI),
		{ MSI, 4, 0x018a0005 | EXP << 8, 0 },
		{ MSI + PCI_MSI_MASK_64, 4, 0, 0xffffffff },
		EXPRESS(MSIX),
		{ MSIX, 4, 2047u << 16 | 0x11, 0x4000u << 16 },
		{ MSIX + PCI_MSIX_TABLE, 4, 2, 0 },
		{ MSIX + PCI_MSIX_PBA, 4, 0x8002, 0 },
	};

	(void)state;
	assert_space("msix=2048,msi=32,no-intx", space, ARRAY_SIZE(space));
}

static void neither(void **state)
{
	static const struct want space[] = { HEADER(2, 0xe0010000, 0, 0, PM, 1), POWER(EXP),
					     EXPRESS(0) };

	(void)state;
	assert_space("msix=0,msi=0", space, ARRAY_SIZE(space));
}

/* No mask bits, and no register for them. */
static void without_masks(void **state)
{
	static const struct want space[] = {
		HEADER(2, 0xe0010000, 0, 0, PM, 1),
		POWER(MSI),
		{ MSI, 4, 0x00840005 | EXP << 8, 0 },
		EXPRESS(0),
	};

	(void)state;
	assert_space("msix=0,msi=4,nomask", space, ARRAY_SIZE(space));
}

/* As QEMU's server hands a function over: nothing is decoded, and Enable and MME are the client's. */
static void left_to_the_client(void **state)
{
	static const struct want space[] = {
		HEADER(0, 0, 0, 0xffff0000, PM, 1),
		POWER(MSI),
		{ MSI, 4, 0x01880005 | EXP << 8, 0x0071u << 16 },
		{ MSI + PCI_MSI_MASK_64, 4, 0, 0xffff },
		EXPRESS(MSIX),
		{ MSIX, 4, 64u << 16 | 0x11, 0xc000u << 16 },
		{ MSIX + PCI_MSIX_TABLE, 4, 2, 0 },
		{ MSIX + PCI_MSIX_PBA, 4, 0x8002, 0 },
	};

	(void)state;
	assert_space("msix=65,client-enable", space, ARRAY_SIZE(space));
}

/* A write ends where it ends, and the last byte of the space can be its last. */
static void writes_end(void **state)
{
	struct world *w = world_new("");
	uint8_t two[] = { 0x55, 0x66 }, end[4] = { 0 };

	(void)state;
	assert_int_equal(sim_region_write(w->d, REGION_CONFIG, two, 1, PCI_CACHE_LINE_SIZE - 1), 1);
	assert_int_equal(cfg(w, PCI_CACHE_LINE_SIZE, 1), 0);
	assert_int_equal(sim_region_write(w->d, REGION_CONFIG, two, 2, PCI_CACHE_LINE_SIZE - 1), 2);
	assert_int_equal(cfg(w, PCI_CACHE_LINE_SIZE, 1), 0x66);
	assert_int_equal(sim_region_write(w->d, REGION_CONFIG, end, 4, 4092), 4);
	assert_int_equal(sim_region_write(w->d, REGION_CONFIG, end, 1, 4096), -EFAULT);
	assert_int_equal(sim_region_write(w->d, REGION_CONFIG, end, 4, UINT64_MAX - 1), -EFAULT);
	world_free(w);
}

/* What differs from @before, in bytes; the caller names those that may. */
static void assert_same_but(struct world *w, const uint8_t *before, unsigned int at,
			    unsigned int width)
{
	uint8_t now[4096];

	read_all(w, now);
	for (unsigned int i = 0; i < sizeof(now); i++)
		if (now[i] != before[i] && (i < at || i >= at + width))
			fail_msg("byte 0x%x was 0x%02x and is 0x%02x", i, before[i], now[i]);
}

/* Interrupt Status and what masks of the line change, and no byte around them. */
static void line_changes_its_bit_alone(void **state)
{
	struct world *w = world_new("");
	uint8_t before[4096];

	(void)state;
	read_all(w, before);
	put_reg(w, SIM_REG_INTX_RAISE, 1);
	assert_same_but(w, before, PCI_STATUS, 1);
	assert_int_equal(cfg(w, PCI_STATUS, 2), 0x0018);
	put_reg(w, SIM_REG_INTX_ACK, 1);
	assert_same_but(w, before, 0, 0);
	world_free(w);
}

/* MSI-X Enable and MSI's control, address and masks: no byte around them, with all that a message can be. */
static void enabling_changes_the_capability_alone(void **state)
{
	struct world *w = world_new("msix=2048,msi=32");
	uint8_t before[4096];

	(void)state;
	read_all(w, before);
	assert_int_equal(attach(w, IRQ_MSIX, 0, 2), 0);
	assert_same_but(w, before, MSIX + 3, 1);
	assert_int_equal(cfg(w, MSIX + PCI_MSIX_FLAGS, 2), 0x87ff);
	assert_int_equal(sim_reset(w->d), 0);
	assert_same_but(w, before, MSIX + 3, 1);
	assert_int_equal(cfg(w, MSIX + PCI_MSIX_FLAGS, 2), 0x87ff);
	assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 0), 0);
	assert_same_but(w, before, 0, 0);
	assert_int_equal(attach(w, IRQ_MSI, 0, 1), 0);
	assert_int_equal(cfg(w, MSI + PCI_MSI_FLAGS, 2), 0x018b);
	assert_int_equal(cfg(w, MSI + PCI_MSI_ADDRESS_LO, 4), 0xfee00418);
	assert_int_equal(cfg(w, MSI + PCI_MSI_ADDRESS_HI, 4), 0);
	assert_int_equal(cfg(w, MSI + PCI_MSI_MASK_64, 4), 0xfffffffe);
	assert_int_equal(cfg(w, MSI + PCI_MSI_PENDING_64, 4), 0);
	put_cfg(w, PCI_CACHE_LINE_SIZE, 1, 0); /* any write settles the control */
	assert_int_equal(cfg(w, MSI + PCI_MSI_ADDRESS_LO, 4), 0xfee00418);
	assert_int_equal(cfg(w, MSI + PCI_MSI_FLAGS, 2), 0x018b);
	assert_int_equal(set(w, NONE, IRQ_MSI, 0, 0), 0);
	assert_int_equal(cfg(w, MSI + PCI_MSI_FLAGS, 2), 0x018a);
	assert_int_equal(cfg(w, MSI + PCI_MSI_MASK_64, 4), 0);
	assert_int_equal(cfg(w, MSI + PCI_MSI_ADDRESS_LO, 4),
			 0xfee00418); /* as the kernel leaves it */
	assert_same_but(w, before, MSI + PCI_MSI_ADDRESS_LO, 4);
	world_free(w);
}

/* Multiple Message Enable is the power of two that holds the vectors. */
static void mme_follows_the_vectors(void **state)
{
	static const struct {
		unsigned int n, mme;
	} row[] = { { 1, 0 }, { 2, 1 }, { 3, 2 },  { 4, 2 },  { 5, 3 },
		    { 8, 3 }, { 9, 4 }, { 16, 4 }, { 17, 5 }, { 32, 5 } };
	struct world *w = world_new("msi=32");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		assert_int_equal(attach(w, IRQ_MSI, 0, row[i].n), 0);
		assert_int_equal(cfg(w, MSI + PCI_MSI_FLAGS, 2), 0x018b | row[i].mme << 4);
		put_cfg(w, MSI + PCI_MSI_FLAGS, 2, 0x71); /* no more than that */
		assert_int_equal(cfg(w, MSI + PCI_MSI_FLAGS, 2), 0x018b | row[i].mme << 4);
		assert_int_equal(set(w, NONE, IRQ_MSI, 0, 0), 0);
		put_cfg(w, MSI + PCI_MSI_FLAGS, 2, 0x01);
		assert_int_equal(cfg(w, MSI + PCI_MSI_FLAGS, 2), 0x018a);
	}
	world_free(w);
}

/* Device Control keeps what a reset does not reach. */
static void flr_clears_its_bit_alone(void **state)
{
	struct world *w = world_new("");
	uint8_t before[4096];

	(void)state;
	put_cfg(w, EXP + PCI_EXP_DEVCTL, 2, 0x2810);
	read_all(w, before);
	put_cfg(w, EXP + PCI_EXP_DEVCTL, 2, 0xa810);
	assert_same_but(w, before, 0, 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_vfio_pci_hands_it_over),
		cmocka_unit_test(the_most_of_both),
		cmocka_unit_test(neither),
		cmocka_unit_test(without_masks),
		cmocka_unit_test(left_to_the_client),
		cmocka_unit_test(writes_end),
		cmocka_unit_test(line_changes_its_bit_alone),
		cmocka_unit_test(enabling_changes_the_capability_alone),
		cmocka_unit_test(mme_follows_the_vectors),
		cmocka_unit_test(flr_clears_its_bit_alone),
	};

	return cmocka_run_group_tests_name("sim-space", tests, NULL, NULL);
}
