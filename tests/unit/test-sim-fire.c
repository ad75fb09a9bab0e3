// SPDX-License-Identifier: GPL-2.0-or-later
/* Interrupts that the simulated device raises: masks, pending bits, INTx, delay and loss. */
#include "sim-world.h"

static struct world *with_msix(const char *spec, unsigned int n)
{
	struct world *w = world_new(spec);

	assert_int_equal(attach(w, IRQ_MSIX, 0, n), 0);
	master(w, true);
	return w;
}

static void a_doorbell_is_a_signal(void **state)
{
	struct world *w = with_msix("msix=8,msi=4", 4);

	(void)state;
	for (unsigned int v = 0; v < 4; v++)
		assert_int_equal(fired(w, v), 1);
	ring(w, 5); /* nobody there */
	ring(w, 8);
	ring(w, UINT32_MAX);
	assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 0), 0);
	assert_int_equal(fired(w, 0), 0);
	assert_int_equal(attach(w, IRQ_MSI, 0, 3), 0);
	for (unsigned int v = 0; v < 3; v++)
		assert_int_equal(fired(w, v), 1);
	ring(w, 3);
	ring(w, 4);
	ring(w, 32);
	world_free(w);
}

static void no_bus_master_no_message(void **state)
{
	struct world *w = with_msix("", 2);

	(void)state;
	master(w, false);
	assert_int_equal(fired(w, 0), 0);
	master(w, true);
	assert_int_equal(got(w, 0), 0); /* an edge is gone */
	assert_int_equal(pba(w, 0), 0);
	assert_int_equal(fired(w, 0), 1);
	mask_entry(w, 0, true);
	ring(w, 0);
	master(w, false);
	mask_entry(w, 0, false); /* measured: sent into the void */
	master(w, true);
	assert_int_equal(got(w, 0), 0);
	master(w, false);
	mask_entry(w, 0, true);
	ring(w, 0);
	assert_int_equal(pba(w, 0), 1); /* measured: pending all the same */
	master(w, true);
	mask_entry(w, 0, false);
	assert_int_equal(got(w, 0), 1);
	world_free(w);
}

static void masked_entry_waits(void **state)
{
	struct world *w = with_msix("msix=128", 128);

	(void)state;
	mask_entry(w, 3, true);
	mask_entry(w, 64, true);
	assert_int_equal(fired(w, 3), 0);
	assert_int_equal(fired(w, 3), 0);
	assert_int_equal(fired(w, 64), 0);
	assert_int_equal(fired(w, 4), 1);
	assert_int_equal(pba(w, 0), 1 << 3);
	assert_int_equal(pba(w, 1), 1);
	assert_int_equal(get(w, 2, PBA_OFFSET + 8, 1), 1);
	assert_int_equal(set(w, NONE, IRQ_MSIX, 3, 1), 0); /* loopback goes around the device */
	assert_int_equal(got(w, 3), 1);
	mask_entry(w, 3, false);
	assert_int_equal(got(w, 3), 1); /* at once, and one */
	assert_int_equal(pba(w, 0), 0);
	assert_int_equal(pba(w, 1), 1);
	assert_int_equal(fired(w, 3), 1);
	put(w, 2, PBA_OFFSET + 8, 8, 0); /* read-only */
	assert_int_equal(pba(w, 1), 1);
	world_free(w);
}

static void released_vector_waits(void **state)
{
	struct world *w = with_msix("msix=8", 8);

	(void)state;
	assert_int_equal(entry(w, 5).control, 0);
	assert_true(entry(w, 5).address >> 20 == 0xfee);
	assert_int_equal(release(w, IRQ_MSIX, 0, 5), 0);
	assert_int_equal(entry(w, 0).control, 1);
	assert_int_equal(entry(w, 0).address, 0);
	assert_int_equal(entry(w, 0).data, 0);
	for (unsigned int v = 0; v < 5; v++)
		assert_int_equal(fired(w, v), 0);
	assert_int_equal(pba(w, 0), 0x1f);
	assert_int_equal(attach(w, IRQ_MSIX, 0, 5), 0);
	for (unsigned int v = 0; v < 5; v++)
		assert_int_equal(got(w, v), 1);
	assert_int_equal(pba(w, 0), 0);
	ring(w, 1);
	assert_int_equal(attach(w, IRQ_MSIX, 1, 1), 0); /* another eventfd on a live vector */
	assert_int_equal(got(w, 1), 1);
	world_free(w);
}

static void attach_clears_the_users_mask(void **state)
{
	struct world *w = with_msix("msix=8", 8);

	(void)state;
	mask_entry(w, 2, true);
	ring(w, 2);
	assert_int_equal(attach(w, IRQ_MSIX, 2, 1), 0);
	assert_int_equal(got(w, 2), 1);
	assert_int_equal(entry(w, 2).control, 0);
	put(w, 2, 2 * MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_DATA, 4, 0xdead);
	assert_int_equal(fired(w, 2), 0); /* goes elsewhere */
	assert_int_equal(attach(w, IRQ_MSIX, 2, 1), 0);
	assert_int_equal(fired(w, 2), 1);
	mask_entry(w, 2, true);
	ring(w, 2);
	assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 0), 0);
	assert_int_equal(entry(w, 2).control, 1);
	assert_int_equal(pba(w, 0), 4); /* measured: kept by the device... */
	assert_int_equal(attach(w, IRQ_MSIX, 0, 3), 0);
	assert_int_equal(got(w, 2), 1); /* ...and delivered */
	world_free(w);
}

static void table_says_what_is_allocated(void **state)
{
	struct world *w = world_new("msix=8");

	(void)state;
	assert_int_equal(entry(w, 7).control, 1);
	assert_int_equal(release(w, IRQ_MSIX, 2, 1), 0);
	for (unsigned int v = 0; v < 3; v++) {
		assert_int_equal(entry(w, v).control, 1);
		assert_true(entry(w, v).address != 0);
	}
	assert_true(entry(w, 0).address != entry(w, 1).address);
	assert_int_equal(entry(w, 3).control, 1);
	assert_int_equal(entry(w, 3).address, 0);
	world_free(w);
}

static void table_takes_any_width(void **state)
{
	struct world *w = with_msix("msix=4", 4);

	(void)state;
	put(w, 2, 16u + PCI_MSIX_ENTRY_VECTOR_CTRL, 1, 0xff);
	assert_int_equal(entry(w, 1).control, 1);      /* one bit is there */
	put(w, 2, 16 + PCI_MSIX_ENTRY_DATA + 2, 8, 0); /* across data and control */
	assert_int_equal(entry(w, 1).control, 0);
	put(w, 2, 16, 2, 0xffff);
	assert_int_equal(entry(w, 1).address & 0xffff, 0xfffc);
	put(w, 2, 4ull * 16, 4, UINT32_MAX); /* behind the table */
	assert_int_equal(get(w, 2, 4ull * 16, 4), 0);
	world_free(w);
}

static void function_mask_holds_all(void **state)
{
	struct world *w = with_msix("msix=4", 4);
	unsigned int control = caps(w).msix.pos + 2u;

	(void)state;
	assert_int_equal(cfg(w, control, 2), 0x8003);
	put_cfg(w, control, 2, 0xc003);
	assert_int_equal(cfg(w, control, 2), 0xc003);
	mask_entry(w, 2, true);
	for (unsigned int v = 0; v < 4; v++)
		assert_int_equal(fired(w, v), 0);
	assert_int_equal(pba(w, 0), 0xf);
	put_cfg(w, control + 1, 1, 0x00); /* Enable is not ours to clear */
	assert_int_equal(cfg(w, control, 2), 0x8003);
	for (unsigned int v = 0; v < 4; v++)
		assert_int_equal(got(w, v), v != 2);
	assert_int_equal(pba(w, 0), 4);
	world_free(w);
}

static void msi_masks_by_bits(void **state)
{
	struct world *w = world_new("msi=16");
	unsigned int mask = caps(w).msi.mask_pos;

	(void)state;
	assert_int_equal(mask, caps(w).msi.pos + 0x10);
	master(w, true);
	assert_int_equal(attach(w, IRQ_MSI, 0, 8), 0);
	assert_int_equal(cfg(w, mask, 4), 0xff00); /* attaching unmasks */
	put_cfg(w, mask, 4, 0xff06);
	assert_int_equal(fired(w, 0), 1);
	assert_int_equal(fired(w, 1), 0);
	assert_int_equal(fired(w, 2), 0);
	assert_int_equal(caps(w).msi.pending, 6);
	put_cfg(w, mask + 4, 4, 0); /* pending is read-only */
	assert_int_equal(caps(w).msi.pending, 6);
	put_cfg(w, mask, 1, 0x04);
	assert_int_equal(got(w, 1), 1);
	assert_int_equal(got(w, 2), 0);
	assert_int_equal(caps(w).msi.pending, 4);
	assert_int_equal(release(w, IRQ_MSI, 5, 1), 0);
	assert_int_equal(cfg(w, mask, 4), 0xff24);
	ring(w, 5);
	assert_int_equal(attach(w, IRQ_MSI, 5, 1), 0);
	assert_int_equal(got(w, 5), 1);
	put_cfg(w, mask, 4, UINT32_MAX);
	assert_int_equal(cfg(w, mask, 4), 0xffff);
	assert_int_equal(set(w, NONE, IRQ_MSI, 0, 0), 0);
	assert_int_equal(cfg(w, mask, 4), 0);
	world_free(w);
}

static void msi_control_reaches_the_device(void **state)
{
	struct world *w = world_new("msi=16,nomask");
	unsigned int control = caps(w).msi.pos + 2u;

	(void)state;
	assert_int_equal(cfg(w, control, 2), 0x0088);
	put_cfg(w, control, 2, 0x0089);
	assert_int_equal(cfg(w, control, 2), 0x0088); /* enabling is for SET_IRQS */
	master(w, true);
	assert_int_equal(attach(w, IRQ_MSI, 0, 5), 0);
	assert_int_equal(cfg(w, control, 2), 0x00b9); /* 5 vectors need MME of 8 */
	put_cfg(w, control, 2, 0x00f9);
	assert_int_equal(cfg(w, control, 2), 0x00b9);
	put_cfg(w, control, 2, 0x0099);
	assert_int_equal(fired(w, 1), 1);
	assert_int_equal(fired(w, 2), 0);
	put_cfg(w, control, 2, 0x00b8);
	assert_int_equal(fired(w, 0), 0);
	assert_int_equal(set(w, NONE, IRQ_MSI, 0, 1), 0);
	assert_int_equal(got(w, 0), 1);
	put_cfg(w, control, 1, 0xb9);
	assert_int_equal(fired(w, 0), 1);
	assert_int_equal(set(w, NONE, IRQ_MSI, 0, 0), 0);
	assert_int_equal(cfg(w, control, 2), 0x00b8); /* MME stays */
	assert_int_equal(release(w, IRQ_MSI, 0, 1), 0);
	assert_int_equal(cfg(w, control, 2), 0x0089);
	assert_true(caps(w).msi.address >> 20 == 0xfee);
	world_free(w);
}

static void nomask_has_no_masks(void **state)
{
	struct world *w = with_msix("msix=4,msi=4,nomask", 4);

	(void)state;
	assert_false(caps(w).msi.maskable);
	assert_int_equal(caps(w).msi.mask_pos, 0);
	mask_entry(w, 1, true);
	assert_int_equal(entry(w, 1).control, 0);
	assert_int_equal(fired(w, 1), 1);
	assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 0), 0);
	assert_int_equal(attach(w, IRQ_MSI, 0, 4), 0);
	put_cfg(w, caps(w).msi.pos + 0x10u, 4, UINT32_MAX);
	assert_int_equal(fired(w, 1), 1);
	assert_int_equal(release(w, IRQ_MSI, 1, 1), 0);
	ring(w, 1);
	assert_int_equal(attach(w, IRQ_MSI, 1, 1), 0);
	assert_int_equal(got(w, 1), 0); /* lost: nothing keeps it */
	world_free(w);
}

static uint32_t intx_pending(struct world *w)
{
	assert_int_equal(get(w, 0, SIM_REG_INTX_STATUS, 4), cfg(w, PCI_STATUS, 2) >> 3 & 1);
	return cfg(w, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT;
}

static void intx_masks_itself(void **state)
{
	struct world *w = world_new("");

	(void)state;
	assert_int_equal(attach(w, IRQ_INTX, 0, 1), 0);
	put_reg(w, SIM_REG_INTX_RAISE, 1); /* bus mastering is not needed */
	put_reg(w, SIM_REG_INTX_RAISE, 1);
	assert_int_equal(got(w, 0), 1);
	assert_true(intx_pending(w));
	assert_int_equal(set(w, UNMASK | 1, IRQ_INTX, 0, 1),
			 0); /* not acknowledged: again at once */
	assert_int_equal(got(w, 0), 1);
	put_reg(w, SIM_REG_INTX_ACK, 1);
	assert_false(intx_pending(w));
	put_reg(w, SIM_REG_INTX_RAISE, 1);
	assert_int_equal(got(w, 0), 0); /* it is masked still */
	put_reg(w, SIM_REG_INTX_ACK, 1);
	assert_int_equal(set(w, UNMASK | 1, IRQ_INTX, 0, 1), 0);
	assert_int_equal(got(w, 0), 0);
	ring(w, 0); /* the doorbell is the line here */
	assert_int_equal(got(w, 0), 1);
	world_free(w);
}

static void intx_mask_action(void **state)
{
	struct world *w = world_new("");
	const uint8_t yes = 1, no = 0;

	(void)state;
	assert_int_equal(attach(w, IRQ_INTX, 0, 1), 0);
	assert_int_equal(set(w, MASK | 4, IRQ_INTX, 0, 1), -ENOTTY);
	assert_int_equal(set(w, MASK | 4, IRQ_INTX, 0, 0), -EINVAL);
	assert_int_equal(set_bools(w, MASK | 2, IRQ_INTX, 0, 1, &no), 0);
	put_reg(w, SIM_REG_INTX_RAISE, 1);
	assert_int_equal(got(w, 0), 1);
	put_reg(w, SIM_REG_INTX_ACK, 1);
	assert_int_equal(set_bools(w, UNMASK | 2, IRQ_INTX, 0, 1, &yes), 0);
	assert_int_equal(set_bools(w, MASK | 2, IRQ_INTX, 0, 1, &yes), 0);
	put_reg(w, SIM_REG_INTX_RAISE, 1);
	assert_int_equal(got(w, 0), 0);
	assert_int_equal(set(w, NONE, IRQ_INTX, 0, 1), 0); /* the loopback is not masked */
	assert_int_equal(got(w, 0), 1);
	assert_int_equal(set_bools(w, UNMASK | 2, IRQ_INTX, 0, 1, &no), 0);
	assert_int_equal(got(w, 0), 0);
	assert_int_equal(set(w, UNMASK | 1, IRQ_INTX, 0, 1), 0);
	assert_int_equal(got(w, 0), 1);
	world_free(w);
}

static void intx_disable_bit(void **state)
{
	struct world *w = world_new("");

	(void)state;
	assert_int_equal(attach(w, IRQ_INTX, 0, 1), 0);
	put_cfg(w, PCI_COMMAND, 2, 0x402);
	assert_int_equal(cfg(w, PCI_COMMAND, 2), 0x402);
	put_reg(w, SIM_REG_INTX_RAISE, 1);
	assert_int_equal(got(w, 0), 0);
	assert_true(intx_pending(w));
	assert_int_equal(set(w, UNMASK | 1, IRQ_INTX, 0, 1), 0);
	assert_int_equal(set(w, NONE, IRQ_INTX, 0, 1), 0); /* measured: 0 and no signal */
	assert_int_equal(got(w, 0), 0);
	put_cfg(w, PCI_COMMAND + 1, 1, 0);
	assert_int_equal(got(w, 0), 1);
	assert_int_equal(set(w, NONE, IRQ_INTX, 0, 0), 0);
	put_cfg(w, PCI_COMMAND, 2, 0x402);
	assert_int_equal(attach(w, IRQ_INTX, 0, 1), 0); /* still asserted, held from the start */
	assert_int_equal(got(w, 0), 0);
	put_cfg(w, PCI_COMMAND, 2, 0x002);
	assert_int_equal(got(w, 0), 1);
	world_free(w);
}

static void intx_without_eventfd_is_on(void **state)
{
	struct world *w = world_new("");

	(void)state;
	assert_int_equal(release(w, IRQ_INTX, 0, 1), 0);
	assert_int_equal(attach(w, IRQ_MSI, 0, 1), -EINVAL);
	put_reg(w, SIM_REG_INTX_RAISE, 1);
	assert_int_equal(attach(w, IRQ_INTX, 0, 1), 0);
	assert_int_equal(got(w, 0), 0);
	assert_int_equal(set(w, UNMASK | 1, IRQ_INTX, 0, 1), 0);
	assert_int_equal(got(w, 0), 1);
	assert_int_equal(release(w, IRQ_INTX, 0, 1), 0);
	assert_int_equal(set(w, NONE, IRQ_INTX, 0, 1), 0);
	assert_int_equal(got(w, 0), 0);
	assert_int_equal(set(w, NONE, IRQ_INTX, 0, 0), 0);
	assert_int_equal(attach(w, IRQ_INTX, 0, 1), 0); /* the line is still up */
	assert_int_equal(got(w, 0), 1);
	world_free(w);
}

static void intx_unmask_eventfd(void **state)
{
	struct world *w = world_new("");
	const uint64_t one = 1;

	(void)state;
	assert_int_equal(sim_unmask_fd(w->d), -1);
	sim_unmask(w->d);
	assert_int_equal(set_fd(w, UNMASK | 4, IRQ_INTX, 0, fd_of(w, 1)), -EINVAL);
	assert_int_equal(attach(w, IRQ_INTX, 0, 1), 0);
	assert_int_equal(set_fd(w, UNMASK | 4, IRQ_INTX, 0, fd_of(w, 1)), 0);
	assert_true(sim_unmask_fd(w->d) >= 0);
	assert_int_equal(set_fd(w, UNMASK | 4, IRQ_INTX, 0, fd_of(w, 2)), -EBUSY);
	assert_int_equal(set_fd(w, UNMASK | 4, IRQ_INTX, 0, 9999), -EBADF);
	put_reg(w, SIM_REG_INTX_RAISE, 1);
	assert_int_equal(got(w, 0), 1);
	sim_unmask(w->d); /* nothing written: nothing done */
	assert_int_equal(got(w, 0), 0);
	assert_int_equal(write(w->fd[1], &one, sizeof(one)), sizeof(one));
	sim_unmask(w->d);
	assert_int_equal(got(w, 0), 1);
	assert_int_equal(got(w, 1), 0); /* it was taken */
	assert_int_equal(set_fd(w, UNMASK | 4, IRQ_INTX, 0, -1), 0);
	assert_int_equal(sim_unmask_fd(w->d), -1);
	assert_int_equal(set_fd(w, UNMASK | 4, IRQ_INTX, 0, fd_of(w, 2)), 0);
	assert_int_equal(set(w, NONE, IRQ_INTX, 0, 0), 0);
	assert_int_equal(sim_unmask_fd(w->d), -1);
	world_free(w);
}

static void blocking_unmask_eventfd_is_not_waited_for(void **state)
{
	struct world *w = world_new("");

	(void)state;
	assert_int_equal(attach(w, IRQ_INTX, 0, 1), 0);
	assert_int_equal(set_fd(w, UNMASK | 4, IRQ_INTX, 0, eventfd(0, EFD_CLOEXEC)), 0);
	alarm(20);
	sim_unmask(w->d);
	alarm(0);
	world_free(w);
}

static void reset_restores_what_the_kernel_gave(void **state)
{
	struct world *w = with_msix("msix=8", 4);
	unsigned int control = caps(w).msix.pos + 2u;

	(void)state;
	assert_int_equal(release(w, IRQ_MSIX, 3, 1), 0);
	mask_entry(w, 0, true);
	ring(w, 0);
	ring(w, 1);
	put_cfg(w, control, 2, 0xc000);
	put_reg(w, SIM_REG_INTX_RAISE, 1);
	put(w, 2, 2u * 16 + PCI_MSIX_ENTRY_DATA, 4, 0xdead);
	assert_int_equal(sim_reset(w->d), 0);
	assert_int_equal(cfg(w, control, 2), 0x8007);
	assert_int_equal(cfg(w, PCI_COMMAND, 2), PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	assert_false(intx_pending(w));
	assert_int_equal(pba(w, 0), 0);
	assert_int_equal(got(w, 0), 0);
	assert_int_equal(entry(w, 0).control, 0);
	assert_int_equal(entry(w, 3).control, 1);
	assert_int_equal(get(w, 0, SIM_REG_FIRED_LO, 8), 0);
	got(w, 1);
	for (unsigned int v = 0; v < 3; v++)
		assert_int_equal(fired(w, v), 1);
	assert_int_equal(fired(w, 3), 0);
	world_free(w);
}

static void reset_restores_entries_without_handler(void **state)
{
	struct world *w = with_msix("msix=8", 1);
	uint64_t address;

	(void)state;
	assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 0), 0);
	assert_int_equal(release(w, IRQ_MSIX, 0, 2), 0); /* allocated: a message, masked */
	address = entry(w, 1).address;
	mask_entry(w, 1, false);
	put(w, 2, 7ull * 16, 4, 0x1000);
	mask_entry(w, 7, false);
	assert_int_equal(sim_reset(w->d), 0);
	assert_int_equal(entry(w, 1).control, 1);
	assert_true(address && entry(w, 1).address == address);
	assert_int_equal(entry(w, 7).control, 1);
	assert_int_equal(entry(w, 7).address, 0);
	world_free(w);
}

static void reset_restores_msi(void **state)
{
	struct world *w = world_new("msi=8");
	unsigned int mask = caps(w).msi.mask_pos;

	(void)state;
	master(w, true);
	assert_int_equal(attach(w, IRQ_MSI, 0, 4), 0);
	assert_int_equal(release(w, IRQ_MSI, 3, 1), 0);
	put_cfg(w, mask, 1, 0xff);
	ring(w, 1);
	assert_int_equal(caps(w).msi.pending, 2);
	assert_int_equal(sim_reset(w->d), 0);
	assert_int_equal(caps(w).msi.pending, 0);
	assert_int_equal(cfg(w, mask, 4), 0xf8);
	assert_int_equal(got(w, 1), 0);
	assert_int_equal(fired(w, 1), 1);
	assert_int_equal(set(w, NONE, IRQ_MSI, 0, 0), 0);
	put_cfg(w, mask, 1, 0xff);
	assert_int_equal(sim_reset(w->d), 0);
	assert_int_equal(cfg(w, mask, 4), 0);
	world_free(w);
}

static void delayed_interrupts_wait(void **state)
{
	struct world *w = with_msix("msix=8,latency=500ms", 8);
	uint64_t begin = now_us(), due;

	(void)state;
	assert_true(sim_due(w->d) == UINT64_MAX);
	ring(w, 3);
	due = sim_due(w->d);
	assert_true(due >= begin + 500000 && due <= now_us() + 500000);
	ring(w, 1);
	ring(w, 3); /* travels along */
	ring(w, UINT32_MAX);
	sim_tick(w->d, due - 1);
	assert_int_equal(got(w, 3), 0);
	assert_true(sim_due(w->d) == due);
	sim_tick(w->d, due);
	assert_int_equal(got(w, 3), 2);
	sim_tick(w->d, UINT64_MAX);
	assert_int_equal(got(w, 1), 1);
	assert_true(sim_due(w->d) == UINT64_MAX);
	ring(w, 2);
	assert_int_equal(sim_reset(w->d), 0);
	ring(w, 4);
	assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 0), 0);
	assert_true(sim_due(w->d) == UINT64_MAX);
	ring(w, 4); /* nothing is on */
	assert_true(sim_due(w->d) == UINT64_MAX);
	assert_int_equal(attach(w, IRQ_MSIX, 0, 8), 0);
	ring(w, 2);
	mask_entry(w, 2, true);
	sim_tick(w->d, UINT64_MAX);
	assert_int_equal(got(w, 2), 0); /* masked when it fires */
	assert_int_equal(pba(w, 0), 4);
	world_free(w);
}

/* All that one vector waited for arrive, be they more than the kernel takes in one request. */
static void delayed_interrupts_of_one_vector_add_up(void **state)
{
	(void)state;
	for (int aio = 0; aio <= 1; aio++) {
		struct world *w = with_msix("latency=1s", 1);

		if (aio)
			sim_distrust_clients(w->d);
		for (unsigned int i = 0; i < 200; i++)
			ring(w, 0);
		sim_tick(w->d, UINT64_MAX);
		assert_int_equal(got(w, 0), 200);
		world_free(w);
	}
}

static void delayed_interrupts_fill_the_queue(void **state)
{
	struct world *w = world_new("msix=2048,latency=1s");

	(void)state;
	master(w, true);
	assert_int_equal(attach(w, IRQ_MSIX, 0, 1), 0);
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int v = 0; v < 2048; v++)
			ring(w, (v + round * 700) % 2048);
		ring(w, 0);
		sim_tick(w->d, UINT64_MAX);
		assert_int_equal(got(w, 0), 2);
		assert_true(sim_due(w->d) == UINT64_MAX);
	}
	world_free(w);
}

/* Bit i: the i-th doorbell arrived. */
static uint64_t arrivals(struct world *w)
{
	uint64_t bits = 0;

	for (unsigned int i = 0; i < 64; i++)
		bits |= fired(w, 0) << i;
	return bits;
}

static void losses_come_back_with_their_seed(void **state)
{
	struct world *a = with_msix("msix=1,drop=1/4,seed=7", 1),
		     *b = with_msix("msix=1,drop=1/4,seed=7", 1);
	struct world *c = with_msix("msix=1,drop=1/4,seed=8", 1);
	uint64_t lost, first = arrivals(a);

	(void)state;
	lost = get(a, 0, SIM_REG_DROPPED_LO, 8);
	assert_int_equal(lost, 64 - (unsigned int)__builtin_popcountll(first));
	assert_true(lost > 4 && lost < 32);
	assert_int_equal(get(a, 0, SIM_REG_FIRED_LO, 8), 64);
	assert_true(first == arrivals(b));
	assert_true(first != arrivals(c));
	assert_true(first != arrivals(a));
	sim_reset(a->d);
	assert_true(first == arrivals(a));
	assert_int_equal(set(a, NONE, IRQ_MSIX, 0, 1), 0); /* never a loopback */
	assert_int_equal(got(a, 0), 1);
	world_free(a);
	world_free(b);
	world_free(c);
}

/*
 * Which ones a seed loses is the same in each version of the tool: splitmix64 of the seed (Steele, Lea, Flood 2014)
 * begins xorshift64* (Vigna 2016), and an interrupt whose upper half is a multiple of N is lost.
 */
static void losses_are_those_of_the_seed(void **state)
{
	struct world *w = with_msix("msix=1,drop=1/3,seed=12345", 1);
	uint64_t x = 12345 + 0x9e3779b97f4a7c15ull, want = 0;

	(void)state;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	x ^= x >> 31;
	for (unsigned int i = 0; i < 64; i++) {
		x ^= x >> 12;
		x ^= x << 25;
		x ^= x >> 27;
		want |= (uint64_t)((x * 0x2545f4914f6cdd1dull >> 32) % 3 != 0) << i;
	}
	assert_true(arrivals(w) == want);
	world_free(w);
}

static void drop_one_in_one_loses_all(void **state)
{
	struct world *w = with_msix("msix=1,drop=1/1", 1);

	(void)state;
	assert_int_equal(arrivals(w), 0);
	assert_int_equal(get(w, 0, SIM_REG_DROPPED_LO, 4), 64);
	assert_int_equal(get(w, 0, SIM_REG_DROPPED_LO + 4, 4), 0);
	assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 0), 0);
	assert_int_equal(attach(w, IRQ_INTX, 0, 1), 0);
	put_reg(w, SIM_REG_INTX_RAISE, 1);
	assert_int_equal(got(w, 0), 1); /* a level is not lost */
	world_free(w);
}

/* As QEMU's server has it (hw/remote/vfio-user-obj.c): what a guest's driver would write is the client's. */
static struct world *left_to_client(const char *spec)
{
	struct world *w = world_new(spec);

	put(w, REGION_CONFIG, PCI_BASE_ADDRESS_0, 4, 0x80000000);
	put(w, REGION_CONFIG, PCI_BASE_ADDRESS_2, 4, 0x90000000);
	put(w, REGION_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	return w;
}

static void client_enables_msix(void **state)
{
	struct world *w = left_to_client("msix=8,msi=0,client-enable");
	uint32_t control;

	(void)state;
	assert_int_equal(attach(w, IRQ_MSIX, 0, 4), 0);
	control = (uint32_t)get(w, REGION_CONFIG, 0xb0 + PCI_MSIX_FLAGS, 2);
	assert_false(control & PCI_MSIX_FLAGS_ENABLE);
	assert_int_equal(get(w, 2, 3 * 16 + 12, 4), 1);
	ring(w, 3); /* Enable clear: INTx, on the eventfd of vector 0, once until the line falls */
	ring(w, 2);
	assert_int_equal(got(w, 0), 1);
	assert_int_equal(got(w, 3), 0);
	put(w, REGION_CONFIG, 0xb0 + PCI_MSIX_FLAGS, 2, control | PCI_MSIX_FLAGS_ENABLE);
	assert_int_equal(fired(w, 3), 0); /* its entry is masked */
	assert_int_equal(pba(w, 0), 1 << 3);
	mask_entry(w, 3, false);
	assert_int_equal(got(w, 3), 1);
	assert_int_equal(fired(w, 3), 1);
	assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 0), 0);
	assert_true(get(w, REGION_CONFIG, 0xb0 + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_ENABLE);
	assert_int_equal(get(w, 2, 3 * 16 + 12, 4), 0);
	world_free(w);
}

/* Of a range, what lies from its start to below its count. */
static void client_unmasks_by_action(void **state)
{
	struct world *w = left_to_client("msix=8,msi=0,client-enable");

	(void)state;
	assert_int_equal(attach(w, IRQ_MSIX, 0, 8), 0);
	put(w, REGION_CONFIG, 0xb0 + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE | 7);
	assert_int_equal(
		set(w, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK, IRQ_MSIX, 2, 4), 0);
	for (unsigned int v = 0; v < 8; v++)
		assert_int_equal(fired(w, v), v == 2 || v == 3);
	assert_int_equal(set(w, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK, IRQ_MSIX, 3, 1),
			 0);
	assert_int_equal(fired(w, 3), 1);
	assert_int_equal(set(w, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK, IRQ_MSIX, 0, 4),
			 0);
	assert_int_equal(fired(w, 3), 0);
	world_free(w);
}

static void client_enables_msi(void **state)
{
	struct world *w = left_to_client("msix=0,msi=8,client-enable");

	(void)state;
	assert_int_equal(attach(w, IRQ_MSI, 0, 3), 0);
	assert_int_equal(fired(w, 2), 0);
	assert_int_equal(got(w, 0), 1);
	put(w, REGION_CONFIG, 0x50 + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE | 2 << 4);
	assert_int_equal(fired(w, 2), 1);
	assert_int_equal(sim_reset(w->d), 0);
	assert_int_equal(fired(w, 2), 1);
	world_free(w);
}

static void client_masks_msi_by_action(void **state)
{
	struct world *w = left_to_client("msix=0,msi=8,client-enable");

	(void)state;
	assert_int_equal(attach(w, IRQ_MSI, 0, 3), 0);
	put(w, REGION_CONFIG, 0x50 + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE | 2 << 4);
	assert_int_equal(set(w, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK, IRQ_MSI, 1, 2),
			 0);
	assert_int_equal(fired(w, 0), 1);
	assert_int_equal(fired(w, 1), 0);
	assert_int_equal(fired(w, 2), 1);
	assert_int_equal(set(w, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK, IRQ_MSI, 1, 2),
			 0);
	assert_int_equal(got(w, 1), 1);
	world_free(w);
}

/* A pending bit for each vector, at any width; what lies around them in the BAR is 0. */
static void pending_bits(void **state)
{
	struct world *w = with_msix("msix=64", 64);

	(void)state;
	mask_entry(w, 9, true);
	mask_entry(w, 40, true);
	ring(w, 9);
	ring(w, 40);
	assert_true(pba(w, 0) == (1u << 9 | UINT64_C(1) << 40));
	assert_int_equal(get(w, 2, PBA_OFFSET + 1, 1), 2);
	assert_int_equal(get(w, 2, PBA_OFFSET + 4, 4), 1 << 8);
	assert_int_equal(get(w, 2, PBA_OFFSET - 8, 8), 0);
	assert_int_equal(get(w, 2, PBA_OFFSET + MAX_VECTORS / 8, 8), 0);
	assert_int_equal(get(w, 2, UINT64_C(64) * 16, 8), 0);
	world_free(w);
}

/* Whoever wrote to the table before: enabling masks it (Linux 6.12, msix_capability_init(), msix_mask_all()). */
static void enabling_masks_the_table(void **state)
{
	struct world *w = world_new("msix=8");

	(void)state;
	master(w, true);
	put(w, 2, UINT64_C(7) * 16, 4, 0xfee00000);
	mask_entry(w, 7, false);
	assert_int_equal(get(w, 2, 7 * 16 + 12, 4), 0);
	assert_int_equal(attach(w, IRQ_MSIX, 0, 2), 0);
	assert_int_equal(get(w, 2, 7 * 16 + 12, 4), 1);
	assert_int_equal(get(w, 2, 1 * 16 + 12, 4), 0);
	world_free(w);
}

static void client_maps_bars(void **state)
{
	struct world *w = world_new("client-enable");
	uint8_t raw[4];

	(void)state;
	assert_int_equal(sim_region_read(w->d, 0, raw, 4, 0), -EINVAL);
	put(w, REGION_CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(sim_region_read(w->d, 0, raw, 4, 0), -EINVAL);
	put(w, REGION_CONFIG, PCI_BASE_ADDRESS_0, 4, 0x80000000);
	assert_int_equal(sim_region_read(w->d, 0, raw, 4, 0), 4);
	assert_int_equal(sim_region_read(w->d, 2, raw, 4, 0), -EINVAL);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(client_enables_msix),
		cmocka_unit_test(client_unmasks_by_action),
		cmocka_unit_test(client_enables_msi),
		cmocka_unit_test(client_masks_msi_by_action),
		cmocka_unit_test(pending_bits),
		cmocka_unit_test(enabling_masks_the_table),
		cmocka_unit_test(client_maps_bars),
		cmocka_unit_test(a_doorbell_is_a_signal),
		cmocka_unit_test(no_bus_master_no_message),
		cmocka_unit_test(masked_entry_waits),
		cmocka_unit_test(released_vector_waits),
		cmocka_unit_test(attach_clears_the_users_mask),
		cmocka_unit_test(table_says_what_is_allocated),
		cmocka_unit_test(table_takes_any_width),
		cmocka_unit_test(function_mask_holds_all),
		cmocka_unit_test(msi_masks_by_bits),
		cmocka_unit_test(msi_control_reaches_the_device),
		cmocka_unit_test(nomask_has_no_masks),
		cmocka_unit_test(intx_masks_itself),
		cmocka_unit_test(intx_mask_action),
		cmocka_unit_test(intx_disable_bit),
		cmocka_unit_test(intx_without_eventfd_is_on),
		cmocka_unit_test(intx_unmask_eventfd),
		cmocka_unit_test(blocking_unmask_eventfd_is_not_waited_for),
		cmocka_unit_test(reset_restores_what_the_kernel_gave),
		cmocka_unit_test(reset_restores_entries_without_handler),
		cmocka_unit_test(reset_restores_msi),
		cmocka_unit_test(delayed_interrupts_wait),
		cmocka_unit_test(delayed_interrupts_of_one_vector_add_up),
		cmocka_unit_test(delayed_interrupts_fill_the_queue),
		cmocka_unit_test(losses_come_back_with_their_seed),
		cmocka_unit_test(losses_are_those_of_the_seed),
		cmocka_unit_test(drop_one_in_one_loses_all),
	};

	return cmocka_run_group_tests_name("sim-fire", tests, NULL, NULL);
}
