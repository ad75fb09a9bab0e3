// SPDX-License-Identifier: GPL-2.0-or-later
/* Configuration space and BARs of the simulated function as a program sees them. */
#include "sim-world.h"

static void capabilities_decode(void **state)
{
	struct world *w = world_new("msix=65,msi=16");
	struct pci_caps c = caps(w);

	(void)state;
	assert_int_equal(c.problem, CAPS_OK);
	assert_true(c.has_msi && c.has_msix && c.has_pcie && c.has_pm);
	assert_int_equal(c.vendor, 0x4d53);
	assert_int_equal(c.device, 0x4958);
	assert_int_equal(c.int_pin, 1);
	assert_int_equal(c.command, PCI_COMMAND_MEMORY); /* bus mastering is off */
	assert_int_equal(c.header_type, 0);
	assert_int_equal(c.msi.capable, 16);
	assert_true(c.msi.is64 && c.msi.maskable);
	assert_false(c.msi.enabled || c.msix.enabled);
	assert_int_equal(c.msix.count, 65);
	assert_int_equal(c.msix.table_bar, 2);
	assert_int_equal(c.msix.table_offset, 0);
	assert_int_equal(c.msix.pba_bar, 2);
	assert_int_equal(c.msix.pba_offset, PBA_OFFSET);
	assert_int_equal(c.msi.reserved | c.msix.reserved, 0);
	assert_int_equal(cfg(w, PCI_CLASS_REVISION, 4) >> 8, 0xff0000);
	assert_int_equal(cfg(w, c.pcie_pos + PCI_EXP_FLAGS, 2) & PCI_EXP_FLAGS_TYPE,
			 PCI_EXP_TYPE_ENDPOINT << 4);
	assert_int_equal(cfg(w, PCI_CFG_SPACE_SIZE, 4), 0);
	world_free(w);
}

static void capabilities_follow_the_spec(void **state)
{
	static const struct {
		const char *spec;
		bool msi, msix;
		unsigned int capable, count, pin;
	} row[] = {
		{ "msix=0,msi=0,no-intx", false, false, 0, 0, 0 },
		{ "msix=0,msi=1", true, false, 1, 0, 1 },
		{ "msix=1,msi=32", true, true, 32, 1, 1 },
		{ "msix=2048,msi=0", false, true, 0, 2048, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct world *w = world_new(row[i].spec);
		struct pci_caps c = caps(w);

		assert_int_equal(c.problem, CAPS_OK);
		assert_true(c.has_pm && c.has_pcie);
		assert_int_equal(c.has_msi, row[i].msi);
		assert_int_equal(c.has_msix, row[i].msix);
		assert_int_equal(c.msi.capable, row[i].capable);
		assert_int_equal(c.msix.count, row[i].count);
		assert_int_equal(c.int_pin, row[i].pin);
		world_free(w);
	}
}

static void regions(void **state)
{
	static const uint64_t size[NR_REGION] = {
		[0] = 0x1000, [2] = 0x10000, [REGION_CONFIG] = 4096
	};
	struct world *w = world_new("");
	struct region_info info;

	(void)state;
	for (unsigned int i = 0; i < NR_REGION; i++) {
		assert_int_equal(sim_region_info(w->d, i, &info), 0);
		assert_int_equal(info.size, size[i]);
		assert_int_equal(info.read && info.write, size[i] != 0);
		assert_false(info.map);
	}
	assert_int_equal(sim_region_info(w->d, NR_REGION, &info), -EINVAL);
	world_free(w);
	w = world_new("msix=0");
	assert_int_equal(sim_region_info(w->d, 2, &info), 0);
	assert_int_equal(info.size, 0);
	assert_int_equal(cfg(w, PCI_BASE_ADDRESS_2, 4), 0);
	put_cfg(w, PCI_BASE_ADDRESS_2, 4, UINT32_MAX);
	assert_int_equal(cfg(w, PCI_BASE_ADDRESS_2, 4), 0);
	world_free(w);
}

static void bars_tell_their_size(void **state)
{
	struct world *w = world_new("");

	(void)state;
	for (unsigned int i = 0; i < 6; i++) {
		uint32_t before = cfg(w, PCI_BASE_ADDRESS_0 + 4 * i, 4);
		struct region_info info;

		assert_int_equal(sim_region_info(w->d, i, &info), 0);
		put_cfg(w, PCI_BASE_ADDRESS_0 + 4 * i, 4, UINT32_MAX);
		assert_int_equal(cfg(w, PCI_BASE_ADDRESS_0 + 4 * i, 4), (uint32_t)-info.size);
		put_cfg(w, PCI_BASE_ADDRESS_0 + 4 * i, 4, before);
		assert_int_equal(cfg(w, PCI_BASE_ADDRESS_0 + 4 * i, 4), before);
	}
	put_cfg(w, PCI_ROM_ADDRESS, 4, UINT32_MAX);
	assert_int_equal(cfg(w, PCI_ROM_ADDRESS, 4), 0);
	world_free(w);
}

/* After power-on nothing is masked, enabled or pending. */
static void begins_open(void **state)
{
	struct world *w = world_new("msi=32");
	struct pci_caps c = caps(w);

	(void)state;
	assert_false(c.msi.enabled || c.msix.enabled || c.msix.function_mask);
	assert_int_equal(cfg(w, c.msi.mask_pos, 4), 0);
	assert_int_equal(cfg(w, c.msi.mask_pos + 4u, 4), 0);
	assert_int_equal(pba(w, 0), 0);
	world_free(w);
}

static void read_only_stays(void **state)
{
	struct world *w = world_new("");
	struct pci_caps c = caps(w);
	const unsigned int at[] = {
		PCI_VENDOR_ID,	     PCI_DEVICE_ID,	PCI_STATUS,	PCI_CLASS_REVISION,
		PCI_CAPABILITY_LIST, PCI_SUBSYSTEM_ID,	c.pcie_pos,	c.pm_pos,
		c.msi.pos,	     c.msix.pos,	c.msi.pos + 4u, c.msix.pos + 4u,
		c.msix.pos + 8u,     PCI_CFG_SPACE_SIZE
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		uint32_t before = cfg(w, at[i], 2);

		put_cfg(w, at[i], 2, ~before & 0xffff);
		assert_int_equal(cfg(w, at[i], 2), before);
	}
	put_cfg(w, PCI_INTERRUPT_LINE, 2, 0xffff);
	assert_int_equal(cfg(w, PCI_INTERRUPT_LINE, 2), 0x01ff);
	put_cfg(w, PCI_COMMAND, 2, 0xffff);
	assert_int_equal(cfg(w, PCI_COMMAND, 2), 0x0406);
	world_free(w);
}

/* Every byte written alone or all at once: the same space, whatever the alignment. */
static void any_width_is_the_same(void **state)
{
	struct world *a = world_new(""), *b = world_new("");
	uint8_t ones[256], from_a[256], from_b[256];

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	/* not the power state and the reset bit */
	ones[caps(a).pm_pos + PCI_PM_CTRL] = 0;
	ones[caps(a).pcie_pos + PCI_EXP_DEVCTL + 1] = 0x7f;
	assert_int_equal(sim_region_write(a->d, REGION_CONFIG, ones, sizeof(ones), 0),
			 sizeof(ones));
	for (unsigned int i = 0; i < sizeof(ones); i++)
		put_cfg(b, i, 1, ones[i]);
	assert_int_equal(sim_region_read(a->d, REGION_CONFIG, from_a, sizeof(from_a), 0),
			 sizeof(from_a));
	for (unsigned int i = 0; i + 3 <= sizeof(from_b); i += 3)
		assert_int_equal(sim_region_read(b->d, REGION_CONFIG, from_b + i, 3, i), 3);
	from_b[255] = (uint8_t)cfg(b, 255, 1);
	assert_memory_equal(from_a, from_b, sizeof(from_a));
	world_free(a);
	world_free(b);
}

static void ends_are_the_kernels(void **state)
{
	struct world *w = world_new("");
	uint8_t buf[8192];

	(void)state;
	memset(buf, 0, sizeof(buf));
	assert_int_equal(sim_region_read(w->d, REGION_CONFIG, buf, 4096, 0), 4096);
	assert_int_equal(sim_region_read(w->d, REGION_CONFIG, buf, 4, 4094), -EFAULT);
	assert_int_equal(sim_region_read(w->d, REGION_CONFIG, buf, 1, 4096), -EFAULT);
	assert_int_equal(sim_region_read(w->d, REGION_CONFIG, buf, 0, 4096), 0);
	assert_int_equal(sim_region_write(w->d, REGION_CONFIG, buf, 2, 4095), -EFAULT);
	assert_int_equal(sim_region_read(w->d, REGION_CONFIG, buf, 4, UINT64_MAX - 1), -EFAULT);
	assert_int_equal(sim_region_read(w->d, 0, buf, 4, 0xffe), 2);
	assert_int_equal(sim_region_write(w->d, 0, buf, 8, 0xffc), 4);
	assert_int_equal(sim_region_read(w->d, 0, buf, 4, 0x1000), -EINVAL);
	assert_int_equal(sim_region_write(w->d, 0, buf, 4, UINT64_MAX - 1), -EINVAL);
	assert_int_equal(sim_region_read(w->d, 2, buf, 4, 0xfffe), 2);
	assert_int_equal(sim_region_read(w->d, 1, buf, 4, 0), -EINVAL);
	assert_int_equal(sim_region_write(w->d, REGION_ROM, buf, 4, 0), -EINVAL);
	assert_int_equal(sim_region_read(w->d, REGION_VGA, buf, 4, 0), -EINVAL);
	assert_int_equal(sim_region_read(w->d, NR_REGION, buf, 4, 0), -EINVAL);
	assert_int_equal(sim_region_write(w->d, UINT32_MAX, buf, 0, 0), -EINVAL);
	world_free(w);
}

static void no_decode_no_bar(void **state)
{
	struct world *w = world_new("");
	uint8_t buf[4] = { 0 };

	(void)state;
	put_cfg(w, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	assert_int_equal(sim_region_read(w->d, 0, buf, 4, 0), -EIO);
	assert_int_equal(sim_region_write(w->d, 2, buf, 4, 0), -EIO);
	assert_int_equal(attach(w, IRQ_MSIX, 0, 2), 0); /* SET_IRQS turns it on for itself */
	put_cfg(w, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(get(w, 0, SIM_REG_ID, 4), 0x4d534958);
	world_free(w);
}

static void d3hot_sleeps(void **state)
{
	struct world *w = world_new("");
	unsigned int pm = caps(w).pm_pos + PCI_PM_CTRL;
	uint8_t buf[4];

	(void)state;
	put_cfg(w, pm, 2, 3);
	assert_int_equal(cfg(w, pm, 1) & 3, 3);
	assert_int_equal(attach(w, IRQ_MSIX, 0, 2), -EINVAL);
	assert_int_equal(release(w, IRQ_MSI, 0, 1), -EINVAL);
	assert_int_equal(sim_region_read(w->d, 0, buf, 4, 0), -EIO);
	put_cfg(w, pm, 2, 1); /* D1 is not there */
	assert_int_equal(cfg(w, pm, 1) & 3, 3);
	assert_int_equal(attach(w, IRQ_INTX, 0, 1), 0);
	assert_int_equal(set(w, NONE, IRQ_INTX, 0, 0), 0);
	put_cfg(w, pm, 2, 0);
	assert_int_equal(attach(w, IRQ_MSIX, 0, 2), 0);
	put_cfg(w, pm, 2, 3);
	assert_int_equal(release(w, IRQ_MSIX, 0, 1),
			 0); /* measured: what is enabled can be changed */
	assert_int_equal(attach(w, IRQ_MSIX, 0, 1), 0);
	assert_int_equal(sim_reset(w->d), 0);
	assert_int_equal(cfg(w, pm, 1) & 3, 0);
	world_free(w);
}

static void function_level_reset(void **state)
{
	struct world *w = world_new("");
	unsigned int control = caps(w).pcie_pos + PCI_EXP_DEVCTL;

	(void)state;
	assert_true(cfg(w, control - 4, 4) & PCI_EXP_DEVCAP_FLR);
	put_reg(w, SIM_REG_INTX_RAISE, 1);
	put_cfg(w, control, 2, 0x2810);
	assert_int_equal(get(w, 0, SIM_REG_INTX_STATUS, 4), 1);
	put_cfg(w, control + 1, 1, 0x80);
	assert_int_equal(get(w, 0, SIM_REG_INTX_STATUS, 4), 0);
	assert_int_equal(cfg(w, control, 2) & PCI_EXP_DEVCTL_BCR_FLR, 0);
	world_free(w);
}

static void registers_want_whole_dwords(void **state)
{
	struct world *w = world_new("");
	uint8_t both[16] = { 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0 };

	(void)state;
	master(w, true);
	assert_int_equal(attach(w, IRQ_MSIX, 0, 2), 0);
	put(w, 0, SIM_REG_DOORBELL, 1, 1);
	put(w, 0, SIM_REG_DOORBELL + 1, 4, 0);
	put(w, 0, SIM_REG_DOORBELL - 1, 4, 0);
	put(w, 0, SIM_REG_DOORBELL + 2, 2, 0);
	assert_int_equal(got(w, 0) + got(w, 1), 0);
	assert_int_equal(sim_region_write(w->d, 0, both, 16, 0),
			 16); /* doorbell 1 and INTx in one */
	assert_int_equal(got(w, 1), 1);
	assert_int_equal(get(w, 0, SIM_REG_INTX_STATUS, 1), 1);
	assert_int_equal(get(w, 0, 2, 8), 0x4d53);
	assert_int_equal(get(w, 0, SIM_REG_FIRED_LO, 8), 2);
	put_reg(w, SIM_REG_FIRED_LO, 77);
	assert_int_equal(get(w, 0, SIM_REG_FIRED_LO, 8), 2);
	put_reg(w, 0xffc, 1);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capabilities_decode),
		cmocka_unit_test(capabilities_follow_the_spec),
		cmocka_unit_test(regions),
		cmocka_unit_test(bars_tell_their_size),
		cmocka_unit_test(begins_open),
		cmocka_unit_test(read_only_stays),
		cmocka_unit_test(any_width_is_the_same),
		cmocka_unit_test(ends_are_the_kernels),
		cmocka_unit_test(no_decode_no_bar),
		cmocka_unit_test(d3hot_sleeps),
		cmocka_unit_test(function_level_reset),
		cmocka_unit_test(registers_want_whole_dwords),
	};

	return cmocka_run_group_tests_name("sim-config", tests, NULL, NULL);
}
