// SPDX-License-Identifier: GPL-2.0-or-later
/* SET_IRQS and what the device sends. The errnos are those measured on Linux 6.12's vfio-pci. */
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/timerfd.h>

#include "base/fdlimit.h"
#include "sim-world.h"

static void starts_as_vfio_pci_hands_it_over(void **state)
{
	struct world *w = world_new("msix=65,msi=16");
	static const uint32_t flags[] = { 7, 9, 1, 9, 9 };
	static const unsigned int count[] = { 1, 16, 65, 1, 1 };
	struct device_info info;
	struct irq_info irq;

	(void)state;
	sim_device_info(w->d, &info);
	assert_int_equal(info.regions, 9);
	assert_int_equal(info.irqs, 5);
	assert_true(info.reset);
	for (unsigned int i = 0; i < 5; i++) {
		assert_int_equal(sim_irq_info(w->d, i, &irq), 0);
		assert_int_equal(irq.flags, flags[i]);
		assert_int_equal(irq.count, count[i]);
	}
	assert_int_equal(sim_irq_info(w->d, 5, &irq), -EINVAL);
	assert_int_equal(sim_irq_info(w->d, UINT32_MAX, &irq), -EINVAL);
	world_free(w);
	w = world_new("msix=0,msi=0,no-intx");
	assert_int_equal(sim_irq_info(w->d, IRQ_MSIX, &irq), 0);
	assert_int_equal(irq.flags, 9);
	assert_int_equal(irq.count, 0);
	assert_int_equal(attach(w, IRQ_MSIX, 0, 1), -EINVAL);
	assert_int_equal(attach(w, IRQ_MSI, 0, 1), -EINVAL);
	assert_int_equal(attach(w, IRQ_INTX, 0, 1), -EINVAL);
	world_free(w);
}

static void says(const char *spec, bool fixed)
{
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		const struct answer *a = &answers[i];
		int on = fixed ? a->fixed : a->on;
		struct world *w = world_new(spec);
		int rc = set(w, a->flags, a->index, a->start, a->count);

		if (rc != a->off)
			fail_msg("row %zu, disabled: %d instead of %d", i, rc, a->off);
		assert_int_equal(attach(w, IRQ_MSIX, 0, 4), 0);
		rc = set(w, a->flags, a->index, a->start, a->count);
		if (rc != on)
			fail_msg("row %zu, enabled: %d instead of %d", i, rc, on);
		world_free(w);
	}
}

static void says_what_the_kernel_says(void **state)
{
	(void)state;
	says("msix=65,msi=16", false);
	says("msix=65,msi=16,noresize", true);
}

static void takes_eventfds_only(void **state)
{
	struct world *w = world_new("");
	int file = open("/dev/null", O_RDWR | O_CLOEXEC), pipes[2], closed;

	(void)state;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	closed = fcntl(pipes[0], F_DUPFD_CLOEXEC, 3);
	close(closed);
	assert_int_equal(set_fd(w, EVENTFD, IRQ_MSIX, 0, file), -EINVAL);
	assert_int_equal(fcntl(file, F_GETFD), -1); /* taken over all the same */
	assert_int_equal(set_fd(w, EVENTFD, IRQ_MSIX, 0, pipes[1]), -EINVAL);
	assert_int_equal(set_fd(w, EVENTFD, IRQ_MSIX, 0, closed), -EBADF);
	assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 1), -EINVAL); /* nothing was enabled */
	assert_int_equal(set_fd(w, EVENTFD, IRQ_MSIX, 0, -2), 0);
	assert_int_equal(set_fd(w, EVENTFD, IRQ_ERR, 0, closed), -EBADF);
	assert_int_equal(set_fd(w, EVENTFD, IRQ_ERR, 0, -2),
			 -EINVAL); /* measured: unlike the others */
	assert_int_equal(set_fd(w, EVENTFD, IRQ_ERR, 0, -1), 0);
	close(pipes[0]);
	world_free(w);
}

static void keeps_no_descriptor(void **state)
{
	struct world *w = world_new("msix=64,msi=16,fail-at=40");
	unsigned int before;

	(void)state;
	for (unsigned int v = 0; v < 66; v++)
		close(fd_of(w, v));
	before = open_fds();
	assert_int_equal(attach(w, IRQ_MSIX, 0, 64), -ENOSPC);
	assert_int_equal(attach(w, 7, 0, 4), -EINVAL);
	assert_int_equal(attach(w, IRQ_MSIX, 62, 4), -EINVAL);
	assert_int_equal(open_fds(), before);
	assert_int_equal(attach(w, IRQ_MSIX, 0, 8), 0);
	assert_int_equal(open_fds(), before + 8);
	assert_int_equal(attach(w, IRQ_MSIX, 4, 8), 0);
	assert_int_equal(open_fds(), before + 12);
	assert_int_equal(attach(w, IRQ_MSI, 0, 4), -EINVAL);
	assert_int_equal(set_fd(w, EVENTFD, IRQ_REQ, 0, fd_of(w, 0)), 0);
	assert_int_equal(set_fd(w, EVENTFD, IRQ_REQ, 0, fd_of(w, 1)), 0);
	assert_int_equal(open_fds(), before + 13);
	sim_device_disconnect(w->d);
	assert_int_equal(open_fds(), before);
	assert_int_equal(attach(w, IRQ_INTX, 0, 1), 0);
	assert_int_equal(set_fd(w, UNMASK | 4, IRQ_INTX, 0, fd_of(w, 1)), 0);
	assert_int_equal(set_fd(w, UNMASK | 4, IRQ_INTX, 0, fd_of(w, 2)), -EBUSY);
	assert_int_equal(open_fds(), before + 2);
	assert_int_equal(set(w, NONE, IRQ_INTX, 0, 0), 0);
	assert_int_equal(open_fds(), before);
	world_free(w);
}

/* Which of 0..n-1 a loopback reaches. */
static void assert_reached(struct world *w, unsigned int index, unsigned int n,
			   const char *expected)
{
	char text[MAX_VECTORS * 5];
	struct vector_set reached = { .bits = { 0 } };

	assert_int_equal(set(w, NONE, index, 0, n), 0);
	for (unsigned int v = 0; v < MAX_VECTORS; v++) {
		uint64_t count = got(w, v);

		assert_true(count <= 1);
		if (count)
			vector_set_add(&reached, v);
	}
	assert_string_equal(vector_set_text(&reached, text, sizeof(text)), expected);
}

static void grows_and_shrinks(void **state)
{
	struct world *w = world_new("msix=65");

	(void)state;
	assert_int_equal(attach(w, IRQ_MSIX, 0, 4), 0);
	assert_int_equal(attach(w, IRQ_MSIX, 4, 4), 0);
	assert_reached(w, IRQ_MSIX, 65, "0-7");
	assert_int_equal(release(w, IRQ_MSIX, 4, 4), 0);
	assert_reached(w, IRQ_MSIX, 65, "0-3");
	assert_int_equal(attach(w, IRQ_MSIX, 60, 1), 0);
	assert_reached(w, IRQ_MSIX, 65, "0-3,60");
	assert_int_equal(attach(w, IRQ_MSIX, 0, 2), 0); /* a smaller count does not shrink */
	assert_reached(w, IRQ_MSIX, 65, "0-3,60");
	assert_int_equal(attach_bad(w, IRQ_MSIX, 0, 3, 1, -1), 0);
	assert_reached(w, IRQ_MSIX, 65, "0,2-3,60");
	assert_int_equal(set(w, NONE, IRQ_MSIX, 2, 0), 0);
	assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 65), -EINVAL);
	assert_int_equal(attach(w, IRQ_MSI, 0, 16), 0);
	assert_reached(w, IRQ_MSI, 16, "0-15");
	world_free(w);
}

static void bools_choose(void **state)
{
	struct world *w = world_new("");
	const uint8_t some[] = { 1, 0, 2, 255 };

	(void)state;
	assert_int_equal(attach(w, IRQ_MSIX, 0, 8), 0);
	assert_int_equal(set_bools(w, BOOL, IRQ_MSIX, 2, 4, some), 0);
	for (unsigned int v = 0; v < 8; v++)
		assert_int_equal(got(w, v), v == 2 || v == 4 || v == 5);
	world_free(w);
}

static void failure_takes_the_block_from_its_start(void **state)
{
	struct world *w = world_new("msix=65");

	(void)state;
	assert_int_equal(attach_bad(w, IRQ_MSIX, 0, 6, 3, 9999), -EBADF);
	assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 1), -EINVAL); /* first enable: all is off */
	assert_int_equal(attach(w, IRQ_MSIX, 0, 6), 0);
	assert_int_equal(attach_bad(w, IRQ_MSIX, 0, 6, 3, 9999), -EBADF);
	assert_reached(w, IRQ_MSIX, 65, "4-5");
	assert_int_equal(attach(w, IRQ_MSIX, 0, 2), 0);
	assert_int_equal(attach_bad(w, IRQ_MSIX, 1, 4, 2, 9999), -EBADF);
	assert_reached(w, IRQ_MSIX, 65, "0,4-5");
	world_free(w);
}

static void exhaustion_rolls_back(void **state)
{
	struct world *w = world_new("msix=2048,fail-at=176");

	(void)state;
	assert_int_equal(attach(w, IRQ_MSIX, 0, 177), -ENOSPC);
	assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 1), -EINVAL);
	assert_int_equal(release(w, IRQ_MSIX, 239, 1), 0); /* allocating alone does not find out */
	assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 0), 0);
	assert_int_equal(attach(w, IRQ_MSIX, 0, 176), 0);
	assert_int_equal(attach(w, IRQ_MSIX, 176, 16), -ENOSPC);
	assert_reached(w, IRQ_MSIX, 2048, "0-175");
	assert_int_equal(attach(w, IRQ_MSIX, 100, 400), -ENOSPC);
	assert_reached(w, IRQ_MSIX, 2048, "0-99");
	assert_int_equal(attach(w, IRQ_MSIX, 0, 400), -ENOSPC);
	assert_reached(w, IRQ_MSIX, 2048, "none"); /* still enabled */
	assert_int_equal(attach(w, IRQ_MSIX, 0, 4), 0);
	assert_reached(w, IRQ_MSIX, 2048, "0-3");
	world_free(w);
}

static void short_grant_is_a_number(void **state)
{
	struct world *w = world_new("msix=64,msi=16,host=6");

	(void)state;
	for (unsigned int index = IRQ_MSI; index <= IRQ_MSIX; index++) {
		assert_int_equal(attach(w, index, 0, 16), 6);
		assert_int_equal(release(w, index, 0, 7), 6);
		assert_int_equal(attach(w, index, 6, 1),
				 6); /* the enabling call allocates start + count */
		assert_int_equal(set(w, NONE, index, 0, 1), -EINVAL);
		assert_int_equal(caps(w).msix.enabled || caps(w).msi.enabled, 0);
		assert_int_equal(attach(w, index, 0, 6), 0);
		assert_int_equal(set(w, NONE, index, 0, 0), 0);
	}
	assert_int_equal(attach(w, IRQ_MSIX, 0, 3), 0);
	assert_int_equal(attach(w, IRQ_MSIX, 20, 2), 0);
	assert_int_equal(attach(w, IRQ_MSIX, 10, 4), -ENOSPC); /* one is left: 10 is had, 11 not */
	assert_reached(w, IRQ_MSIX, 64, "0-2,20-21");
	assert_int_equal(attach(w, IRQ_MSIX, 10, 1), 0); /* 10 stayed allocated */
	assert_int_equal(attach(w, IRQ_MSIX, 11, 1), -ENOSPC);
	assert_int_equal(attach(w, IRQ_MSIX, 2, 3), -ENOSPC);
	assert_reached(w, IRQ_MSIX, 64, "0-1,10,20-21");
	world_free(w);
}

static void msi_loses_all_when_it_should_grow(void **state)
{
	struct world *w = world_new("msi=16");

	(void)state;
	assert_int_equal(attach(w, IRQ_MSI, 0, 5), 0);
	assert_reached(w, IRQ_MSI, 16, "0-4");
	assert_int_equal(attach(w, IRQ_MSI, 5, 1), -EINVAL);
	assert_reached(w, IRQ_MSI, 16, "0-4");
	assert_int_equal(attach(w, IRQ_MSI, 0, 16), -EINVAL);
	assert_reached(w, IRQ_MSI, 16, "none");
	assert_true(caps(w).msi.enabled);
	assert_int_equal(attach(w, IRQ_MSI, 2, 3), 0);
	assert_reached(w, IRQ_MSI, 16, "2-4");
	world_free(w);
}

static void noresize_refuses_as_6_1(void **state)
{
	struct world *w = world_new("msix=64,noresize");
	struct irq_info irq;

	(void)state;
	assert_int_equal(sim_irq_info(w->d, IRQ_MSIX, &irq), 0);
	assert_int_equal(irq.flags, 9);
	assert_int_equal(attach(w, IRQ_MSIX, 0, 4), 0);
	assert_int_equal(attach(w, IRQ_MSIX, 4, 4), -EINVAL);
	assert_int_equal(attach(w, IRQ_MSIX, 0, 8), -EINVAL);
	assert_int_equal(release(w, IRQ_MSIX, 4, 1), -EINVAL);
	assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 5), -EINVAL);
	assert_reached(w, IRQ_MSIX, 4, "0-3");
	assert_int_equal(release(w, IRQ_MSIX, 1, 1), 0);
	assert_reached(w, IRQ_MSIX, 4, "0,2-3");
	world_free(w);
}

static void room_left_is_attached_later(void **state)
{
	static const char *const spec[] = { "msix=64,noresize", "msix=64" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(spec); i++) {
		struct world *w = world_new(spec[i]);

		assert_int_equal(release(w, IRQ_MSIX, 0, 16),
				 0); /* as a range without descriptors comes */
		assert_true(caps(w).msix.enabled);
		for (unsigned int v = 0; v < 16; v += 4)
			assert_int_equal(attach(w, IRQ_MSIX, v, 4), 0);
		assert_reached(w, IRQ_MSIX, 16, "0-15");
		assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 0), 0);
		assert_int_equal(release(w, IRQ_MSI, 15, 1), 0);
		assert_int_equal(attach(w, IRQ_MSI, 9, 2), 0);
		assert_reached(w, IRQ_MSI, 16, "9-10");
		world_free(w);
	}
}

static void one_index_at_a_time(void **state)
{
	struct world *w = world_new("");

	(void)state;
	for (unsigned int on = IRQ_INTX; on <= IRQ_MSIX; on++) {
		assert_int_equal(attach(w, on, 0, 1), 0);
		for (unsigned int other = IRQ_INTX; other <= IRQ_MSIX; other++) {
			if (other == on)
				continue;
			assert_int_equal(attach(w, other, 0, 1), -EINVAL);
			assert_int_equal(set(w, NONE, other, 0, 1), -EINVAL);
			assert_int_equal(set(w, NONE, other, 0, 0), -EINVAL);
		}
		assert_int_equal(set_fd(w, EVENTFD, IRQ_ERR, 0, fd_of(w, 1)), 0);
		assert_int_equal(set_fd(w, EVENTFD, IRQ_REQ, 0, fd_of(w, 2)), 0);
		assert_int_equal(set(w, NONE, on, 0, 1), 0);
		assert_int_equal(got(w, 0), 1);
		assert_int_equal(set(w, NONE, on, 0, 0), 0);
	}
	world_free(w);
}

static void err_and_req(void **state)
{
	static const unsigned int reg[] = { [IRQ_ERR] = SIM_REG_ERR, [IRQ_REQ] = SIM_REG_REQ };
	struct world *w = world_new("");
	const uint8_t yes = 1, no = 0;

	(void)state;
	for (unsigned int index = IRQ_ERR; index <= IRQ_REQ; index++) {
		put_reg(w, reg[index], 1); /* nobody listens */
		assert_int_equal(set_bools(w, BOOL, index, 0, 1, &yes), 0);
		assert_int_equal(set_fd(w, EVENTFD, index, 0, fd_of(w, index)), 0);
		assert_int_equal(set(w, NONE, index, 0, 1), 0);
		assert_int_equal(set_bools(w, BOOL, index, 0, 1, &yes), 0);
		assert_int_equal(set_bools(w, BOOL, index, 0, 1, &no), 0);
		assert_int_equal(got(w, index), 2);
		put_reg(w, reg[index], 1);
		put_reg(w, reg[index], 0);
		assert_int_equal(got(w, index), 1);
		assert_int_equal(set(w, NONE, index, 0, 0), 0);
		put_reg(w, reg[index], 1);
		assert_int_equal(got(w, index), 0);
		assert_int_equal(set(w, NONE, index, 0, 0), -EINVAL);
	}
	world_free(w);
}

static void full_counter_does_not_block(void **state)
{
	struct world *w = world_new("");
	const uint64_t full = UINT64_MAX - 1;
	int fd = eventfd(0, EFD_CLOEXEC); /* a client's that blocks */

	(void)state;
	assert_int_equal(set_fd(w, EVENTFD, IRQ_MSIX, 0, fcntl(fd, F_DUPFD_CLOEXEC, 3)), 0);
	assert_int_equal(write(fd, &full, sizeof(full)), sizeof(full));
	alarm(20);
	assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 1), 0);
	alarm(0);
	assert_true(taken(fd) >= full);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 1), 0);
	assert_int_equal(taken(fd), 1);
	close(fd);
	world_free(w);
}

/* The flags are the file description's, so the client's too: what he set at first he may clear later. */
static void cleared_nonblock_does_not_block(void **state)
{
	struct world *w = world_new("");
	const uint64_t full = UINT64_MAX - 1;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	(void)state;
	assert_int_equal(set_fd(w, EVENTFD, IRQ_MSIX, 0, fcntl(fd, F_DUPFD_CLOEXEC, 3)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK), 0);
	assert_int_equal(write(fd, &full, sizeof(full)), sizeof(full));
	alarm(20);
	assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 1), 0);
	alarm(0);
	assert_true(taken(fd) >= full);
	close(fd);
	world_free(w);
}

/* What has no room whole fills the counter, as eventfd_signal() does. */
static void nearly_full_counter_is_filled(void **state)
{
	static const int flags[] = { EFD_NONBLOCK, 0 };
	const uint64_t full = UINT64_MAX - 1;

	(void)state;
	for (unsigned int room = 0; room < 12; room++)
		for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
			struct world *w = world_new("latency=1s");
			int fd = eventfd(0, EFD_CLOEXEC | flags[i]);

			master(w, true);
			assert_int_equal(
				set_fd(w, EVENTFD, IRQ_MSIX, 0, fcntl(fd, F_DUPFD_CLOEXEC, 3)), 0);
			assert_int_equal(eventfd_write(fd, full - room), 0);
			for (unsigned int k = 0; k < 10; k++)
				ring(w, 0);
			alarm(20);
			sim_tick(w->d, UINT64_MAX);
			alarm(0);
			assert_int_equal(taken(fd), room < 10 ? full : full - room + 10);
			close(fd);
			world_free(w);
		}
}

static void *change_flags(void *arg)
{
	const int *fd = arg;

	for (bool block = true; fcntl(*fd, F_GETFD) >= 0; block = !block)
		fcntl(*fd, F_SETFL, block ? 0 : O_NONBLOCK);
	return NULL;
}

/* A look at the flag tells nothing of the moment after it. The counter is full, so a write that may block does. */
static void changing_nonblock_does_not_block(void **state)
{
	struct world *w = world_new("");
	const uint64_t full = UINT64_MAX - 1;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), shared = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	pthread_t client;

	(void)state;
	sim_distrust_clients(w->d);
	assert_int_equal(write(fd, &full, sizeof(full)), sizeof(full));
	assert_int_equal(set_fd(w, EVENTFD, IRQ_MSIX, 0, fcntl(fd, F_DUPFD_CLOEXEC, 3)), 0);
	assert_int_equal(pthread_create(&client, NULL, change_flags, &shared), 0);
	alarm(20);
	for (unsigned int i = 0; i < 200000; i++)
		assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 1), 0);
	alarm(0);
	close(shared);
	pthread_join(client, NULL);
	assert_true(taken(fd) >= full);
	close(fd);
	world_free(w);
}

/* Both ways of telling an eventfd, and both ways of signalling one. */
static void takes_eventfds_alone(void **state)
{
	(void)state;
	for (int aio = 0; aio <= 1; aio++) {
		struct world *w = world_new("");
		int none[] = { eventfd(0, EFD_CLOEXEC),
			       timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC),
			       epoll_create1(EPOLL_CLOEXEC), open("/dev/null", O_RDWR | O_CLOEXEC),
			       memfd_create("file", MFD_CLOEXEC) };

		if (aio)
			sim_distrust_clients(w->d);
		close(none[0]);
		assert_int_equal(set_fd(w, EVENTFD, IRQ_MSIX, 0, none[0]), -EBADF);
		for (size_t i = 1; i < ARRAY_SIZE(none); i++)
			assert_int_equal(set_fd(w, EVENTFD, IRQ_MSIX, 0, none[i]), -EINVAL);
		assert_int_equal(attach(w, IRQ_MSIX, 0, 64), 0);
		/* more than the requests that the kernel takes at once */
		for (unsigned int i = 0; i < 5; i++)
			assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 64), 0);
		for (unsigned int v = 0; v < 64; v++)
			assert_int_equal(got(w, v), 5);
		world_free(w);
	}
}

static void every_one_of_2048(void **state)
{
	struct world *w = world_new("msix=2048");

	(void)state;
	assert_int_equal(attach(w, IRQ_MSIX, 0, 1024), 0);
	assert_int_equal(attach(w, IRQ_MSIX, 1024, 1024), 0);
	assert_reached(w, IRQ_MSIX, 2048, "0-2047");
	master(w, true);
	for (unsigned int v = 0; v < 2048; v++)
		assert_int_equal(fired(w, v), 1);
	assert_int_equal(get(w, 0, SIM_REG_FIRED_LO, 8), 2048);
	assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 0), 0);
	world_free(w);
}

static void forgets_a_client(void **state)
{
	struct world *w = world_new("");
	uint8_t fresh[4096], now[4096];

	(void)state;
	assert_int_equal(sim_region_read(w->d, REGION_CONFIG, fresh, sizeof(fresh), 0),
			 sizeof(fresh));
	master(w, true);
	assert_int_equal(attach(w, IRQ_MSIX, 0, 4), 0);
	mask_entry(w, 1, true);
	ring(w, 1);
	put_reg(w, SIM_REG_INTX_RAISE, 1);
	put_cfg(w, PCI_INTERRUPT_LINE, 1, 9);
	sim_device_disconnect(w->d);
	assert_int_equal(sim_region_read(w->d, REGION_CONFIG, now, sizeof(now), 0), sizeof(now));
	assert_memory_equal(fresh, now, sizeof(now));
	assert_int_equal(pba(w, 0), 0);
	assert_int_equal(set(w, NONE, IRQ_MSIX, 0, 1), -EINVAL);
	assert_int_equal(attach(w, IRQ_MSI, 0, 4), 0);
	assert_int_equal(got(w, 1), 0);
	world_free(w);
	sim_device_free(NULL);
}

/* Both ends of 2048 eventfds. */
static int make_room(void **state)
{
	uint64_t limit;

	(void)state;
	return fdlimit_raise(2 * MAX_VECTORS + 64, &limit) < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_as_vfio_pci_hands_it_over),
		cmocka_unit_test(says_what_the_kernel_says),
		cmocka_unit_test(takes_eventfds_only),
		cmocka_unit_test(keeps_no_descriptor),
		cmocka_unit_test(grows_and_shrinks),
		cmocka_unit_test(bools_choose),
		cmocka_unit_test(failure_takes_the_block_from_its_start),
		cmocka_unit_test(exhaustion_rolls_back),
		cmocka_unit_test(short_grant_is_a_number),
		cmocka_unit_test(msi_loses_all_when_it_should_grow),
		cmocka_unit_test(noresize_refuses_as_6_1),
		cmocka_unit_test(room_left_is_attached_later),
		cmocka_unit_test(one_index_at_a_time),
		cmocka_unit_test(err_and_req),
		cmocka_unit_test(full_counter_does_not_block),
		cmocka_unit_test(cleared_nonblock_does_not_block),
		cmocka_unit_test(nearly_full_counter_is_filled),
		cmocka_unit_test(changing_nonblock_does_not_block),
		cmocka_unit_test(takes_eventfds_alone),
		cmocka_unit_test(every_one_of_2048),
		cmocka_unit_test(forgets_a_client),
	};

	return cmocka_run_group_tests_name("sim-device", tests, make_room, NULL);
}
