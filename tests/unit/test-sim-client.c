// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * client-enable: Enable, masks and what decodes BARs are the client's, as with QEMU's server (hw/remote/vfio-user-obj.c).
 * Nothing that the kernel does of itself is done.
 */
#include "sim-world.h"

#define MSI_CONTROL  (0x50u + PCI_MSI_FLAGS)
#define MSIX_CONTROL (0xb0u + PCI_MSIX_FLAGS)
#define ACTION(a)    (VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_##a)

static struct world *client_world(const char *spec)
{
	struct world *w = world_new(spec);

	put_cfg(w, PCI_BASE_ADDRESS_0, 4, 0x80000000);
	put_cfg(w, PCI_BASE_ADDRESS_2, 4, 0x90000000);
	master(w, true);
	return w;
}

static void flags(void **state)
{
	static const unsigned int count[] = { 1, 16, 64, 1, 1 };
	struct world *w = world_new("client-enable");
	struct irq_info info;

	(void)state;
	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++) {
		assert_int_equal(sim_irq_info(w->d, i, &info), 0);
		assert_int_equal(info.flags, VFIO_IRQ_INFO_EVENTFD);
		assert_int_equal(info.count, count[i]);
	}
	world_free(w);
}

/* SET_IRQS and a reset leave configuration space and table alone. */
static void kernel_does_nothing(void **state)
{
	struct world *w = client_world("msix=8,msi=8,client-enable");
	uint8_t before[4096], now[4096], table[128], entries[128];

	(void)state;
	for (unsigned int i = 0; i < 8; i++) {
		put(w, 2, i * 16ull, 8, 0x1122334455667788ull + i * 4ull);
		put(w, 2, i * 16ull + 8, 4, i + 1);
		mask_entry(w, i, i % 2);
	}
	put_cfg(w, MSIX_CONTROL, 2, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	put_cfg(w, MSI_CONTROL, 2, PCI_MSI_FLAGS_ENABLE | 3 << 4);
	put_cfg(w, caps(w).msi.mask_pos, 4, 0x5a);
	assert_int_equal(sim_region_read(w->d, REGION_CONFIG, before, sizeof(before), 0),
			 sizeof(before));
	assert_int_equal(sim_region_read(w->d, 2, table, sizeof(table), 0), sizeof(table));
	for (unsigned int index = IRQ_MSI; index <= IRQ_MSIX; index++) {
		assert_int_equal(attach(w, index, 0, 4), 0);
		assert_int_equal(release(w, index, 1, 1), 0);
		assert_int_equal(sim_reset(w->d), 0);
		assert_int_equal(set(w, NONE, index, 0, 0), 0);
		assert_int_equal(sim_reset(w->d), 0);
		assert_int_equal(sim_region_read(w->d, REGION_CONFIG, now, sizeof(now), 0),
				 sizeof(now));
		assert_memory_equal(before, now, sizeof(now));
		assert_int_equal(sim_region_read(w->d, 2, entries, sizeof(entries), 0),
				 sizeof(entries));
		assert_memory_equal(table, entries, sizeof(entries));
	}
	/* The next client finds all as it was at first. */
	sim_device_disconnect(w->d);
	assert_int_equal(cfg(w, MSIX_CONTROL, 2), 7);
	assert_int_equal(cfg(w, PCI_COMMAND, 2), 0);
	put_cfg(w, PCI_BASE_ADDRESS_2, 4, 0x90000000);
	master(w, true);
	for (unsigned int i = 0; i < 8; i++) {
		assert_int_equal(get(w, 2, i * 16ull, 8), 0);
		assert_int_equal(get(w, 2, i * 16ull + 8, 8), UINT64_C(1) << 32);
	}
	world_free(w);
}

/* The server's messages are its own: whatever the entry leads to, the eventfd is signalled. */
static void any_message_arrives(void **state)
{
	struct world *w = client_world("msix=8,client-enable");

	(void)state;
	assert_int_equal(attach(w, IRQ_MSIX, 0, 2), 0);
	put_cfg(w, MSIX_CONTROL, 2, PCI_MSIX_FLAGS_ENABLE);
	put(w, 2, 16, 8, 0x12345678fee01000ull);
	put(w, 2, 16 + 8, 4, 77);
	mask_entry(w, 1, false);
	assert_int_equal(fired(w, 1), 1);
	assert_int_equal(fired(w, 0), 0);
	mask_entry(w, 0, false);
	assert_int_equal(got(w, 0), 1);
	world_free(w);
}

/* The line is no level here: it is not masked by itself. */
static void line_is_not_masked(void **state)
{
	struct world *w = client_world("client-enable");

	(void)state;
	assert_int_equal(attach(w, IRQ_INTX, 0, 1), 0);
	for (unsigned int i = 0; i < 3; i++) {
		put_reg(w, SIM_REG_INTX_RAISE, 1);
		assert_int_equal(got(w, 0), 1);
		put_reg(w, SIM_REG_INTX_ACK, 1);
	}
	/* Masking it succeeds, and does nothing to it or to others. */
	assert_int_equal(set(w, ACTION(MASK), IRQ_INTX, 0, 1), 0);
	put_reg(w, SIM_REG_INTX_RAISE, 1);
	assert_int_equal(got(w, 0), 1);
	assert_int_equal(cfg(w, caps(w).msi.mask_pos, 4), 0);
	assert_int_equal(get(w, 2, 12, 4), 1);
	assert_int_equal(set(w, ACTION(UNMASK), IRQ_INTX, 0, 1), 0);
	assert_int_equal(got(w, 0), 0);
	assert_int_equal(get(w, 2, 12, 4), 1);
	assert_int_equal(set(w, ACTION(MASK), IRQ_ERR, 0, 1), -ENOTTY);
	assert_int_equal(set(w, ACTION(UNMASK), IRQ_REQ, 0, 1), -ENOTTY);
	world_free(w);
}

/* Enable clear: the line instead, on vector 0's eventfd, unless there is no line or no index is on. */
static void line_stands_in(void **state)
{
	struct world *w = client_world("msi=8,client-enable");

	(void)state;
	ring(w, 0);
	assert_int_equal(get(w, 0, SIM_REG_INTX_STATUS, 4), 0);
	assert_int_equal(attach(w, IRQ_MSI, 0, 2), 0);
	ring(w, 1);
	ring(w, 1);
	assert_int_equal(got(w, 0), 1);
	assert_int_equal(got(w, 1), 0);
	assert_int_equal(get(w, 0, SIM_REG_INTX_STATUS, 4), 1);
	put_reg(w, SIM_REG_INTX_ACK, 1);
	ring(w, 1);
	assert_int_equal(got(w, 0), 1);
	put_cfg(w, MSI_CONTROL, 2, PCI_MSI_FLAGS_ENABLE | 1 << 4);
	assert_int_equal(fired(w, 1), 1);
	assert_int_equal(set(w, NONE, IRQ_MSI, 0, 0), 0);
	assert_int_equal(attach(w, IRQ_INTX, 0, 1), 0);
	put_reg(w, SIM_REG_INTX_ACK, 1);
	ring(w, 1);
	assert_int_equal(get(w, 0, SIM_REG_INTX_STATUS, 4), 0);
	world_free(w);
	w = client_world("no-intx,client-enable");
	assert_int_equal(attach(w, IRQ_MSIX, 0, 2), 0);
	ring(w, 1);
	assert_int_equal(got(w, 0), 0);
	assert_int_equal(got(w, 1), 0);
	assert_int_equal(get(w, 0, SIM_REG_INTX_STATUS, 4), 0);
	world_free(w);
}

/* A BAR answers when the client gave it an address, whichever, and turned decoding on. */
static void bars_want_an_address(void **state)
{
	static const uint32_t address[] = { 0x00010000, 0x01000000, 0x80000000, 0xffff0000 };
	uint8_t raw[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(address); i++)
		for (unsigned int bar = 0; bar <= 2; bar += 2) {
			struct world *w = world_new("client-enable");

			put_cfg(w, PCI_BASE_ADDRESS_0 + 4 * bar, 4, address[i]);
			assert_int_equal(sim_region_read(w->d, bar, raw, 4, 0), -EINVAL);
			put_cfg(w, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
			assert_int_equal(sim_region_read(w->d, bar, raw, 4, 0), 4);
			assert_int_equal(sim_region_read(w->d, 2 - bar, raw, 4, 0), -EINVAL);
			put_cfg(w, caps(w).pm_pos + PCI_PM_CTRL, 2, 3);
			assert_int_equal(sim_region_read(w->d, bar, raw, 4, 0), -EINVAL);
			world_free(w);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags),
		cmocka_unit_test(kernel_does_nothing),
		cmocka_unit_test(any_message_arrives),
		cmocka_unit_test(line_is_not_masked),
		cmocka_unit_test(line_stands_in),
		cmocka_unit_test(bars_want_an_address),
	};

	return cmocka_run_group_tests_name("sim-client", tests, NULL, NULL);
}
