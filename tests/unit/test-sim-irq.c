// SPDX-License-Identifier: GPL-2.0-or-later
/* SET_IRQS in the corners: bools, no descriptors at all, pieces, and what is the client's with client-enable. */
#include "sim-world.h"

#define INTX_MASK   (MASK | VFIO_IRQ_SET_DATA_NONE)
#define INTX_UNMASK (UNMASK | VFIO_IRQ_SET_DATA_NONE)

/* The bool of a single vector is the first one; what lies behind it is not looked at. */
static const uint8_t yes[] = { 1, 0 }, no[] = { 0, 1 };

static void bools_of_err_and_req(void **state)
{
	struct world *w = world_new("");

	(void)state;
	for (unsigned int index = IRQ_ERR; index <= IRQ_REQ; index++) {
		assert_int_equal(set_fd(w, EVENTFD, index, 0, fd_of(w, 0)), 0);
		assert_int_equal(set_bools(w, BOOL, index, 0, 1, no), 0);
		assert_int_equal(got(w, 0), 0);
		assert_int_equal(set_bools(w, BOOL, index, 0, 1, yes), 0);
		assert_int_equal(got(w, 0), 1);
		assert_int_equal(set_bools(w, BOOL, index, 0, 1, NULL), -EINVAL);
		assert_int_equal(set_bools(w, BOOL, index, 0, 0, yes), -EINVAL);
		/* Eventfds without any are the end of it. */
		assert_int_equal(release(w, index, 0, 1), 0);
		assert_int_equal(set(w, NONE, index, 0, 1), -EINVAL);
		assert_int_equal(set_bools(w, BOOL, index, 0, 1, yes), 0);
		assert_int_equal(got(w, 0), 0);
	}
	world_free(w);
}

static void bools_of_intx(void **state)
{
	struct world *w = world_new("");

	(void)state;
	assert_int_equal(attach(w, IRQ_INTX, 0, 1), 0);
	assert_int_equal(set_bools(w, BOOL, IRQ_INTX, 0, 1, no), 0);
	assert_int_equal(got(w, 0), 0);
	assert_int_equal(set_bools(w, BOOL, IRQ_INTX, 0, 1, yes), 0);
	assert_int_equal(got(w, 0), 1);
	assert_int_equal(set_bools(w, MASK | 2, IRQ_INTX, 0, 1, no), 0);
	put_reg(w, SIM_REG_INTX_RAISE, 1);
	assert_int_equal(got(w, 0), 1);
	assert_int_equal(set_bools(w, UNMASK | 2, IRQ_INTX, 0, 1, no), 0);
	assert_int_equal(got(w, 0), 0);
	assert_int_equal(set_bools(w, UNMASK | 2, IRQ_INTX, 0, 1, yes), 0);
	assert_int_equal(got(w, 0), 1);
	put_reg(w, SIM_REG_INTX_ACK, 1);
	assert_int_equal(set_bools(w, UNMASK | 2, IRQ_INTX, 0, 1, yes), 0);
	assert_int_equal(set_bools(w, MASK | 2, IRQ_INTX, 0, 1, yes), 0);
	put_reg(w, SIM_REG_INTX_RAISE, 1);
	assert_int_equal(got(w, 0), 0);
	world_free(w);
}

/* The eventfd that unmasks goes when none is given; descriptors of other calls are no eventfds at all. */
static void no_descriptors(void **state)
{
	struct world *w = world_new("");
	int32_t none[] = { -1, -1 };

	(void)state;
	assert_int_equal(attach(w, IRQ_INTX, 0, 1), 0);
	assert_int_equal(set_fd(w, UNMASK | 4, IRQ_INTX, 0, fd_of(w, 1)), 0);
	assert_int_equal(set(w, UNMASK | 4, IRQ_INTX, 0, 1), 0);
	assert_int_equal(sim_unmask_fd(w->d), -1);
	assert_int_equal(
		sim_set_irqs(w->d, &(struct sim_set){ .flags = NONE, IRQ_INTX, 0, 1, .fd = none }),
		-EINVAL);
	assert_int_equal(
		sim_set_irqs(w->d, &(struct sim_set){ .flags = BOOL, IRQ_INTX, 0, 1, .fd = none }),
		-EINVAL);
	assert_int_equal(
		sim_set_irqs(w->d,
			     &(struct sim_set){ .flags = EVENTFD | 1, IRQ_INTX, 0, 1, .fd = none }),
		-EINVAL);
	assert_int_equal(got(w, 0), 0);
	world_free(w);
}

static void not_an_eventfd(void **state)
{
	(void)state;
	for (int aio = 0; aio <= 1; aio++) {
		struct world *w = world_new("");
		int pipes[2], closed, fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

		if (aio) {
			sim_distrust_clients(w->d);
			sim_distrust_clients(w->d); /* twice is once */
		}
		assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
		closed = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		close(closed);
		assert_true(sim_is_eventfd(w->d, fd));
		assert_false(sim_is_eventfd(w->d, pipes[0]));
		assert_false(sim_is_eventfd(w->d, pipes[1]));
		assert_false(sim_is_eventfd(w->d, closed));
		assert_int_equal(set_fd(w, EVENTFD, IRQ_ERR, 0, pipes[0]), -EINVAL);
		assert_int_equal(set_fd(w, EVENTFD, IRQ_ERR, 0, pipes[1]), -EINVAL);
		assert_int_equal(set_fd(w, EVENTFD, IRQ_ERR, 0, closed), -EBADF);
		assert_int_equal(taken(fd), 0); /* a look leaves nothing behind */
		close(fd);
		world_free(w);
	}
}

/* A client's eventfd that blocks, and more interrupts at a time than it has room for. */
static void blocking_eventfds_add_up(void **state)
{
	const uint64_t nearly = UINT64_MAX - 1 - 5;

	(void)state;
	for (int aio = 0; aio <= 1; aio++) {
		struct world *w = world_new("latency=1s");
		int fd = eventfd(0, EFD_CLOEXEC);

		if (aio)
			sim_distrust_clients(w->d);
		master(w, true);
		assert_int_equal(set_fd(w, EVENTFD, IRQ_MSIX, 0, fcntl(fd, F_DUPFD_CLOEXEC, 3)), 0);
		for (unsigned int i = 0; i < 200; i++)
			ring(w, 0);
		alarm(20);
		sim_tick(w->d, UINT64_MAX);
		assert_int_equal(taken(fd), 200);
		assert_int_equal(write(fd, &nearly, sizeof(nearly)), sizeof(nearly));
		for (unsigned int i = 0; i < 200; i++)
			ring(w, 0);
		sim_tick(w->d, UINT64_MAX);
		alarm(0);
		assert_true(taken(fd) >= UINT64_MAX - 1);
		close(fd);
		world_free(w);
	}
}

/* ---- one set in several calls */

static void pieces(void **state)
{
	static const unsigned int index[] = { IRQ_MSI, IRQ_MSIX };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(index); i++) {
		struct world *w = world_new("msix=32,msi=32,noresize,host=24");

		sim_accept_pieces(w->d);
		master(w, true);
		for (unsigned int v = 0; v < 24; v += 8)
			assert_int_equal(attach(w, index[i], v, 8), 0);
		for (unsigned int v = 0; v < 24; v++)
			assert_int_equal(fired(w, v), 1);
		if (index[i] == IRQ_MSI) {
			assert_int_equal(cfg(w, caps(w).msi.pos + 2u, 2) >> 4 & 7, 5);
			assert_int_equal(cfg(w, caps(w).msi.pos + 4u, 4), 0xfee00418);
		}
		/* No more than the host has: a number, and nothing changes. */
		assert_int_equal(attach(w, index[i], 24, 8), 24);
		assert_int_equal(fired(w, 23), 1);
		assert_int_equal(set(w, NONE, index[i], 0, 0), 0);
		/* A live vector in it, the last one: no piece but a growth. */
		assert_int_equal(attach(w, index[i], 0, 4), 0);
		assert_int_equal(attach(w, index[i], 3, 4), -EINVAL);
		assert_int_equal(set(w, NONE, index[i], 0, 0), 0);
		assert_int_equal(attach(w, index[i], 0, 4), 0);
		assert_int_equal(release(w, index[i], 3, 1), 0);
		assert_int_equal(attach(w, index[i], 3, 4),
				 0); /* of the last one the eventfd is gone */
		assert_int_equal(fired(w, 6), 1);
		world_free(w);
	}
}

/* ---- the line */

static void line(void **state)
{
	struct world *w = world_new("latency=1s");

	(void)state;
	assert_int_equal(attach(w, IRQ_INTX, 0, 1), 0);
	ring(w, 0);
	assert_true(sim_due(w->d) != UINT64_MAX);
	assert_int_equal(set(w, NONE, IRQ_INTX, 0, 0), 0);
	assert_true(sim_due(w->d) == UINT64_MAX);
	for (unsigned int i = 1; i <= 2; i++) {
		put_reg(w, SIM_REG_INTX_RAISE, 1);
		put_reg(w, SIM_REG_INTX_RAISE, 1);
		put_reg(w, SIM_REG_INTX_ACK, 1);
		put_reg(w, SIM_REG_INTX_ACK, 1);
		assert_int_equal(get(w, 0, SIM_REG_FIRED_LO, 8), i);
	}
	world_free(w);
	w = world_new("no-intx");
	put_reg(w, SIM_REG_INTX_RAISE, 1);
	assert_int_equal(get(w, 0, SIM_REG_INTX_STATUS, 4), 0);
	assert_int_equal(get(w, 0, SIM_REG_FIRED_LO, 8), 0);
	world_free(w);
	/* Vector 0 is the line; there is no other, and none of an index that is off. */
	w = world_new("");
	ring(w, 0);
	assert_int_equal(get(w, 0, SIM_REG_INTX_STATUS, 4), 0);
	assert_int_equal(attach(w, IRQ_INTX, 0, 1), 0);
	ring(w, 1);
	assert_int_equal(get(w, 0, SIM_REG_INTX_STATUS, 4), 0);
	world_free(w);
}

/* A write beside the command register leaves the mask of the line as it is. */
static void config_writes_leave_the_line(void **state)
{
	struct world *w = world_new("");

	(void)state;
	assert_int_equal(attach(w, IRQ_INTX, 0, 1), 0);
	put_cfg(w, PCI_INTERRUPT_LINE, 1, 9);
	put_reg(w, SIM_REG_INTX_RAISE, 1);
	assert_int_equal(got(w, 0), 1);
	put_cfg(w, PCI_INTERRUPT_LINE, 1, 9);
	master(w, true);
	assert_int_equal(got(w, 0), 0);
	put_cfg(w, PCI_COMMAND, 2, 0x402);
	put_cfg(w, PCI_COMMAND, 2, 0x402);
	assert_int_equal(got(w, 0), 0);
	put_cfg(w, PCI_COMMAND, 2, 0x002);
	assert_int_equal(got(w, 0), 1);
	world_free(w);
}

/* ---- MSI with all its vectors, and without masks */

static void msi_of_32(void **state)
{
	struct world *w = world_new("msi=32");
	unsigned int mask = caps(w).msi.mask_pos;

	(void)state;
	master(w, true);
	assert_int_equal(attach(w, IRQ_MSI, 0, 32), 0);
	assert_int_equal(cfg(w, mask, 4), 0);
	put_cfg(w, mask, 4, 0x80000001);
	assert_int_equal(fired(w, 31), 0);
	assert_int_equal(fired(w, 30), 1);
	assert_int_equal(fired(w, 0), 0);
	assert_int_equal(cfg(w, mask + 4, 4), 0x80000001);
	put_cfg(w, PCI_CACHE_LINE_SIZE, 1, 0); /* any write delivers, of what is not masked */
	assert_int_equal(got(w, 31) + got(w, 0), 0);
	put_cfg(w, mask, 4, 1);
	assert_int_equal(got(w, 31), 1);
	assert_int_equal(cfg(w, mask + 4, 4), 1);
	assert_int_equal(set(w, NONE, IRQ_MSI, 0, 0), 0);
	assert_int_equal(cfg(w, mask + 4, 4), 1); /* what is pending is the device's */
	assert_int_equal(attach(w, IRQ_MSI, 0, 32), 0);
	assert_int_equal(got(w, 0), 1);
	put_cfg(w, mask, 4, 0xffffffff);
	for (unsigned int v = 0; v < 32; v++)
		ring(w, v);
	assert_int_equal(release(w, IRQ_MSI, 0, 1), 0);
	assert_int_equal(release(w, IRQ_MSI, 31, 1), 0);
	assert_int_equal(sim_reset(w->d), 0);
	assert_int_equal(cfg(w, mask, 4), 0x80000001);
	assert_int_equal(cfg(w, mask + 4, 4), 0);
	assert_int_equal(set(w, NONE, IRQ_MSI, 0, 0), 0);
	put_cfg(w, mask, 4, 0xffffffff);
	assert_int_equal(sim_reset(w->d), 0);
	assert_int_equal(cfg(w, mask, 4), 0);
	world_free(w);
}

static void nothing_is_pending_without_masks(void **state)
{
	struct world *w = world_new("msi=4,nomask");

	(void)state;
	master(w, true);
	assert_int_equal(attach(w, IRQ_MSI, 0, 4), 0);
	master(w, true); /* any write delivers what waits */
	assert_int_equal(sim_reset(w->d), 0);
	for (unsigned int v = 0; v < 4; v++)
		assert_int_equal(got(w, v), 0);
	assert_int_equal(get(w, 0, SIM_REG_FIRED_LO, 8), 0);
	world_free(w);
}

/* The next client finds MME as the first one did. */
static void disconnect_forgets_mme(void **state)
{
	struct world *w = world_new("msi=16");
	unsigned int control = caps(w).msi.pos + 2u;

	(void)state;
	assert_int_equal(attach(w, IRQ_MSI, 0, 8), 0);
	sim_device_disconnect(w->d);
	put_cfg(w, control, 2, 0x70);
	assert_int_equal(cfg(w, control, 2), 0x0188);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bools_of_err_and_req),
		cmocka_unit_test(bools_of_intx),
		cmocka_unit_test(no_descriptors),
		cmocka_unit_test(not_an_eventfd),
		cmocka_unit_test(blocking_eventfds_add_up),
		cmocka_unit_test(pieces),
		cmocka_unit_test(line),
		cmocka_unit_test(config_writes_leave_the_line),
		cmocka_unit_test(msi_of_32),
		cmocka_unit_test(nothing_is_pending_without_masks),
		cmocka_unit_test(disconnect_forgets_mme),
	};

	return cmocka_run_group_tests_name("sim-irq", tests, NULL, NULL);
}
