// SPDX-License-Identifier: GPL-2.0-or-later
/* The server of a simulated function: eventfds armed, fired and taken away over the socket. */
#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "vu-fixture.h"

static void test_arm_and_fire(void **state)
{
	struct fixture f;
	int fd[64];

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	eventfds(fd, 64);
	assert_int_equal(set_irqs(&f, ARM, 2, 0, 16, fd, 16), 0);
	assert_int_equal(set_irqs(&f, ARM, 2, 16, 48, fd + 16, 48), 0);
	assert_int_equal(set_irqs(&f, FIRE, 2, 8, 16, NULL, 0), 0);
	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(counted(fd[i]), i >= 8 && i < 24);
	/* no descriptors: off with the eventfds of 10 and 11 */
	assert_int_equal(set_irqs(&f, ARM, 2, 10, 2, NULL, 0), 0);
	assert_int_equal(set_irqs(&f, FIRE, 2, 0, 64, NULL, 0), 0);
	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(counted(fd[i]), i != 10 && i != 11);
	assert_int_equal(set_irqs(&f, FIRE, 2, 0, 0, NULL, 0), 0);
	assert_int_equal(set_irqs(&f, FIRE, 2, 0, 1, NULL, 0), EINVAL);
	close_all(fd, 64);
	fixture_free(&f);
}

static int set_bool(struct fixture *f, uint32_t argsz, uint32_t count, const uint8_t *data,
		    size_t n)
{
	struct vfio_irq_set set = { .argsz = argsz,
				    .flags = VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_TRIGGER,
				    .index = 2,
				    .count = count };
	uint8_t payload[64];

	memcpy(payload, &set, sizeof(set));
	memcpy(payload + sizeof(set), data, n);
	return ask(f,
		   &(struct ask){ .command = VU_DEVICE_SET_IRQS,
				  .payload = payload,
				  .size = sizeof(set) + n },
		   NULL, 0);
}

static void test_bool(void **state)
{
	static const uint8_t data[8] = { 1, 0, 0, 1, 2, 0, 0, 0 };
	struct fixture f;
	int fd[8];

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	eventfds(fd, 8);
	assert_int_equal(set_irqs(&f, ARM, 2, 0, 8, fd, 8), 0);
	assert_int_equal(set_bool(&f, 28, 8, data, 8), 0);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(counted(fd[i]), data[i] != 0);
	/* a byte is missing; argsz denies one; there are far too few */
	assert_int_equal(set_bool(&f, 28, 8, data, 7), EINVAL);
	assert_int_equal(set_bool(&f, 27, 8, data, 8), EINVAL);
	assert_int_equal(set_bool(&f, 28, UINT32_MAX, data, 8), EINVAL);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(counted(fd[i]), 0);
	close_all(fd, 8);
	fixture_free(&f);
}

/* 16 are offered, 253 are taken. */
static void test_many_descriptors(void **state)
{
	unsigned int before = open_descriptors();
	int fd[VU_MAX_FDS];
	struct fixture f;

	(void)state;
	fixture_new(&f, "msix=2048");
	greet(&f);
	eventfds(fd, VU_MAX_FDS);
	assert_int_equal(set_irqs(&f, ARM, 2, 0, VU_MAX_FDS, fd, VU_MAX_FDS), 0);
	assert_int_equal(set_irqs(&f, ARM, 2, VU_MAX_FDS, VU_MAX_FDS, fd, VU_MAX_FDS), 0);
	assert_int_equal(set_irqs(&f, FIRE, 2, 0, 2 * VU_MAX_FDS, NULL, 0), 0);
	for (unsigned int i = 0; i < VU_MAX_FDS; i++)
		assert_int_equal(counted(fd[i]), 2);
	close_all(fd, VU_MAX_FDS);
	fixture_free(&f);
	assert_int_equal(open_descriptors(), before);
}

static void test_bad_set_irqs(void **state)
{
	static const struct {
		uint32_t flags, index, start, count;
		unsigned int nfds;
	} cases[] = {
		{ ARM, 2, 0, 2, 1 },
		{ ARM, 2, 0, 1, 2 },
		{ ARM, 2, 0, 0, 1 },
		{ ARM, 2, 64, 1, 1 },
		{ ARM, 2, 63, 2, 2 },
		{ ARM, 2, UINT32_MAX, 2, 2 },
		{ ARM, 5, 0, 1, 1 },
		{ ARM, UINT32_MAX, 0, 1, 1 },
		{ ARM, 2, 0, UINT32_MAX, 0 },
		{ ARM, 2, 0, 2049, 0 },
		{ FIRE, 2, 0, 1, 1 },
		{ FIRE | VFIO_IRQ_SET_DATA_EVENTFD, 2, 0, 1, 1 },
		{ VFIO_IRQ_SET_ACTION_TRIGGER, 2, 0, 1, 1 },
		{ ARM | 0x40, 2, 0, 1, 1 },
		{ VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_TRIGGER, 2, 0, 0, 1 },
	};
	unsigned int before = open_descriptors();
	struct fixture f;
	int fd[2];

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	eventfds(fd, 2);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int err = set_irqs(&f, cases[i].flags, cases[i].index, cases[i].start,
				   cases[i].count, fd, cases[i].nfds);

		if (err != EINVAL)
			fail_msg("case %zu: %s", i, strerror(err));
	}
	close_all(fd, 2);
	fixture_free(&f);
	assert_int_equal(open_descriptors(), before);
}

/* A set that says that it is shorter than itself is none; one that says more is one. */
static void test_argsz(void **state)
{
	struct vfio_irq_set set = { .flags = FIRE, .index = 2, .count = 1 };
	const struct ask a = { .command = VU_DEVICE_SET_IRQS,
			       .payload = &set,
			       .size = sizeof(set) };
	struct fixture f;
	int fd;

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	eventfds(&fd, 1);
	assert_int_equal(set_irqs(&f, ARM, 2, 0, 1, &fd, 1), 0);
	for (set.argsz = 0; set.argsz <= sizeof(set) + 4; set.argsz++) {
		assert_int_equal(ask(&f, &a, NULL, 0), set.argsz < sizeof(set) ? EINVAL : 0);
		assert_int_equal(counted(fd), set.argsz >= sizeof(set));
	}
	close(fd);
	fixture_free(&f);
}

/* The eventfds of @n vectors in pieces of @piece, from 0 on: nothing is said of the whole before. */
static int arm_in_pieces(struct fixture *f, uint32_t index, const int *fd, unsigned int n,
			 unsigned int piece)
{
	for (unsigned int at = 0; at < n; at += piece) {
		unsigned int count = n - at < piece ? n - at : piece;
		int err = set_irqs(f, ARM, index, at, count, fd + at, count);

		if (err)
			return err;
	}
	return 0;
}

static void each_counts_once(struct fixture *f, const int *fd, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(write_region(f, 0, SIM_REG_DOORBELL, i), 0);
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(counted(fd[i]), 1);
}

/* What one message can't carry comes in several, also where the index says NORESIZE. */
static void test_pieces(void **state)
{
	static const struct {
		const char *spec;
		uint32_t index;
		unsigned int n, piece;
	} cases[] = {
		{ "msix=64,msi=32", VFIO_PCI_MSI_IRQ_INDEX, 32, 16 },
		{ "msix=64,msi=32", VFIO_PCI_MSI_IRQ_INDEX, 32, 1 },
		{ "msix=64,msi=16", VFIO_PCI_MSI_IRQ_INDEX, 16, 1 },
		{ "msix=64,msi=32,nomask", VFIO_PCI_MSI_IRQ_INDEX, 32, 5 },
		{ "msix=64,noresize", VFIO_PCI_MSIX_IRQ_INDEX, 64, 16 },
		{ "msix=64,noresize", VFIO_PCI_MSIX_IRQ_INDEX, 64, 1 },
		{ "msix=64,noresize", VFIO_PCI_MSIX_IRQ_INDEX, 64, 7 },
		{ "msix=64", VFIO_PCI_MSIX_IRQ_INDEX, 64, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;
		int fd[64];

		fixture_new(&f, cases[i].spec);
		greet(&f);
		eventfds(fd, 64);
		assert_int_equal(write_region(&f, 7, 4, 6), 0);
		if (arm_in_pieces(&f, cases[i].index, fd, cases[i].n, cases[i].piece))
			fail_msg("%s, %u by %u", cases[i].spec, cases[i].n, cases[i].piece);
		each_counts_once(&f, fd, cases[i].n);
		/* and once more, as after a driver's reload */
		assert_int_equal(set_irqs(&f, FIRE, cases[i].index, 0, 0, NULL, 0), 0);
		assert_int_equal(arm_in_pieces(&f, cases[i].index, fd, cases[i].n, cases[i].piece),
				 0);
		each_counts_once(&f, fd, cases[i].n);
		close_all(fd, 64);
		fixture_free(&f);
	}
}

/* QEMU sends a message of its own for a run of vectors that have no eventfd. */
static void test_pieces_with_gaps(void **state)
{
	struct fixture f;
	int fd[48];

	(void)state;
	fixture_new(&f, "msix=64,noresize");
	greet(&f);
	eventfds(fd, 48);
	assert_int_equal(set_irqs(&f, ARM, 2, 0, 16, fd, 16), 0);
	assert_int_equal(set_irqs(&f, ARM, 2, 16, 8, NULL, 0), 0);
	assert_int_equal(set_irqs(&f, ARM, 2, 24, 24, fd + 24, 24), 0);
	assert_int_equal(set_irqs(&f, FIRE, 2, 0, 48, NULL, 0), 0);
	for (unsigned int i = 0; i < 48; i++)
		assert_int_equal(counted(fd[i]), i < 16 || i >= 24);
	close_all(fd, 48);
	fixture_free(&f);
}

/* MME is what one message for all pieces would have set: 1, 2, 4, 8 ... are enabled. */
static void test_pieces_and_mme(void **state)
{
	struct fixture f;
	uint8_t at = 0, id[2] = { 0 };
	uint16_t flags = 0;
	int fd[32];

	(void)state;
	fixture_new(&f, "msix=0,msi=32");
	greet(&f);
	eventfds(fd, 32);
	assert_int_equal(read_region(&f, 7, 0x34, 1, &at), 0);
	for (;;) {
		assert_int_equal(read_region(&f, 7, at, 2, id), 0);
		if (id[0] == PCI_CAP_ID_MSI)
			break;
		assert_true(id[1] > at);
		at = id[1];
	}
	assert_int_equal(set_irqs(&f, ARM, 1, 0, 4, fd, 4), 0);
	assert_int_equal(read_region(&f, 7, at + 2u, 2, &flags), 0);
	assert_int_equal(flags >> 4 & 7, 2);
	assert_int_equal(set_irqs(&f, ARM, 1, 4, 16, fd + 4, 16), 0);
	assert_int_equal(read_region(&f, 7, at + 2u, 2, &flags), 0);
	assert_int_equal(flags >> 4 & 7, 5);
	assert_int_equal(flags & 1, 1);
	close_all(fd, 32);
	fixture_free(&f);
}

/* What names a live vector and reaches behind the allocation is growth, which NORESIZE excludes. */
static void test_growth_is_no_piece(void **state)
{
	static const struct {
		const char *spec;
		uint32_t index;
	} cases[] = { { "msix=64,msi=32", 1 }, { "msix=64,noresize", 2 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;
		int fd[32];

		fixture_new(&f, cases[i].spec);
		greet(&f);
		eventfds(fd, 32);
		assert_int_equal(set_irqs(&f, ARM, cases[i].index, 0, 8, fd, 8), 0);
		assert_int_equal(set_irqs(&f, ARM, cases[i].index, 7, 9, fd + 7, 9), EINVAL);
		/* new eventfds within the allocation are the kernel's business, which takes them */
		assert_int_equal(set_irqs(&f, ARM, cases[i].index, 0, 8, fd + 16, 8), 0);
		assert_int_equal(set_irqs(&f, FIRE, cases[i].index, 0, 8, NULL, 0), 0);
		for (unsigned int v = 0; v < 32; v++)
			assert_int_equal(counted(fd[v]), v >= 16 && v < 24);
		close_all(fd, 32);
		fixture_free(&f);
	}
}

/* The first piece behind what the host has is answered with the short count; those before it stay. */
static void test_pieces_of_a_short_host(void **state)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set), .flags = ARM, .index = 1, .start = 16, .count = 16
	};
	struct vu_message m;
	struct vu_version v;
	struct fixture f;
	uint32_t granted;
	int fd[32];

	(void)state;
	fixture_new(&f, "msi=32,host=20");
	join(&f);
	assert_int_equal(version(&f, GRANT, &v), 0);
	eventfds(fd, 32);
	assert_int_equal(set_irqs(&f, ARM, 1, 0, 16, fd, 16), 0);
	send_ask(&f, &(struct ask){ VU_DEVICE_SET_IRQS, 0, &set, sizeof(set), fd + 16, 16 });
	pump(&f);
	assert_int_equal(reply(&f, &m), ENOSPC);
	assert_int_equal(m.size, sizeof(granted));
	memcpy(&granted, m.payload, sizeof(granted));
	assert_int_equal(granted, 20);
	vu_message_drop(&m);
	assert_int_equal(set_irqs(&f, FIRE, 1, 0, 32, NULL, 0), 0);
	for (unsigned int i = 0; i < 32; i++)
		assert_int_equal(counted(fd[i]), i < 16);
	assert_int_equal(set_irqs(&f, ARM, 1, 16, 4, fd + 16, 4), 0);
	assert_int_equal(set_irqs(&f, FIRE, 1, 0, 20, NULL, 0), 0);
	for (unsigned int i = 0; i < 32; i++)
		assert_int_equal(counted(fd[i]), i < 20);
	close_all(fd, 32);
	fixture_free(&f);
}

/* Written into, a pipe would block and a file would be changed. */
static void test_no_eventfd(void **state)
{
	struct fixture f;
	int fd[2];

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(set_irqs(&f, ARM, 2, 0, 2, fd, 2), EINVAL);
	close_all(fd, 2);
	fixture_free(&f);
}

/* A full counter: the server goes on, whether the client made it to block or not. */
static void test_full_eventfd(void **state)
{
	struct fixture f;
	int fd[2];

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	fd[0] = eventfd(0, EFD_CLOEXEC);
	fd[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (int i = 0; i < 2; i++)
		assert_int_equal(eventfd_write(fd[i], UINT64_MAX - 1), 0);
	assert_int_equal(set_irqs(&f, ARM, 2, 0, 2, fd, 2), 0);
	assert_int_equal(set_irqs(&f, FIRE, 2, 0, 2, NULL, 0), 0);
	assert_int_equal(counted(fd[1]), UINT64_MAX - 1);
	close_all(fd, 2);
	fixture_free(&f);
}

/* vfio-user has no positive number: ENOSPC for all, the number too for who can read it. */
static void test_vector_probe(void **state)
{
	struct vfio_irq_set set = { .argsz = sizeof(set), .flags = ARM, .index = 1, .count = 16 };
	struct fixture f;
	int fd[16];

	(void)state;
	fixture_new(&f, "msi=16,host=4");
	eventfds(fd, 16);
	for (int grant = 0; grant < 2; grant++) {
		struct vu_version v;
		struct vu_message m;
		uint32_t n = 0;

		join(&f);
		assert_int_equal(version(&f, grant ? GRANT : JSON, &v), 0);
		send_ask(&f, &(struct ask){ VU_DEVICE_SET_IRQS, 0, &set, sizeof(set), fd, 16 });
		pump(&f);
		assert_int_equal(reply(&f, &m), ENOSPC);
		assert_int_equal(m.size, grant ? 4 : 0);
		if (grant)
			memcpy(&n, m.payload, 4);
		assert_int_equal(n, grant ? 4 : 0);
		vu_message_drop(&m);
		assert_int_equal(set_irqs(&f, ARM, 1, 0, 4, fd, 4), 0);
		leave(&f);
	}
	close_all(fd, 16);
	fixture_free(&f);
}

static void test_doorbell(void **state)
{
	struct fixture f;
	int fd[4];

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	eventfds(fd, 4);
	assert_int_equal(set_irqs(&f, ARM, 2, 0, 4, fd, 4), 0);
	assert_int_equal(write_region(&f, 7, 4, 6), 0); /* memory and bus mastering on */
	assert_int_equal(write_region(&f, 0, SIM_REG_DOORBELL, 2), 0);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(counted(fd[i]), i == 2);
	assert_int_equal(ask(&f, &(struct ask){ .command = VU_DEVICE_RESET }, NULL, 0), 0);
	assert_int_equal(set_irqs(&f, FIRE, 2, 0, 4, NULL, 0), 0);
	assert_int_equal(counted(fd[0]), 1);
	close_all(fd, 4);
	fixture_free(&f);
}

/* A client may leave the unmasking of INTx to an eventfd of its own. */
static void test_unmask_eventfd(void **state)
{
	const uint32_t unmask = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK;
	unsigned int before = open_descriptors();
	struct fixture f;
	int fd[2];

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	eventfds(fd, 2);
	assert_int_equal(set_irqs(&f, ARM, 0, 0, 1, fd, 1), 0);
	assert_int_equal(set_irqs(&f, unmask, 0, 0, 1, fd + 1, 1), 0);
	assert_int_equal(write_region(&f, 0, SIM_REG_INTX_RAISE, 1), 0);
	assert_int_equal(counted(fd[0]), 1);
	pump(&f);
	assert_int_equal(counted(fd[0]), 0);
	for (int i = 0; i < 3; i++) { /* still asserted: each unmask signals again */
		assert_int_equal(eventfd_write(fd[1], 1), 0);
		pump(&f);
		assert_int_equal(counted(fd[0]), 1);
	}
	assert_int_equal(set_irqs(&f, unmask, 0, 0, 1, NULL, 0), 0);
	assert_int_equal(eventfd_write(fd[1], 1), 0);
	pump(&f);
	assert_int_equal(counted(fd[0]), 0);
	assert_int_equal(set_irqs(&f, unmask, 0, 0, 1, fd + 1, 1), 0);
	leave(&f);
	eventfd_write(fd[1], 1);
	pump(&f);
	close_all(fd, 2);
	fixture_free(&f);
	assert_int_equal(open_descriptors(), before);
}

/* A semaphore counts down by one at each read: it is heard, and does not keep the server busy. */
static void test_unmask_semaphore(void **state)
{
	const uint32_t unmask = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK;
	struct fixture f;
	int fd[2];

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	eventfds(fd, 1);
	fd[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
	assert_int_equal(eventfd_write(fd[1], UINT64_MAX - 10), 0);
	assert_int_equal(set_irqs(&f, ARM, 0, 0, 1, fd, 1), 0);
	assert_int_equal(write_region(&f, 0, SIM_REG_INTX_RAISE, 1), 0);
	assert_int_equal(counted(fd[0]), 1);
	alarm(20);
	assert_int_equal(set_irqs(&f, unmask, 0, 0, 1, fd + 1, 1), 0);
	assert_int_equal(loop_wait(f.loop, 0), 0);
	assert_int_equal(counted(fd[0]), 1); /* what was in it already */
	assert_int_equal(eventfd_write(fd[1], 1), 0);
	pump(&f);
	alarm(0);
	assert_int_equal(counted(fd[0]), 1);
	close_all(fd, 2);
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arm_and_fire),
		cmocka_unit_test(test_bool),
		cmocka_unit_test(test_many_descriptors),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_pieces_with_gaps),
		cmocka_unit_test(test_pieces_and_mme),
		cmocka_unit_test(test_growth_is_no_piece),
		cmocka_unit_test(test_pieces_of_a_short_host),
		cmocka_unit_test(test_argsz),
		cmocka_unit_test(test_bad_set_irqs),
		cmocka_unit_test(test_no_eventfd),
		cmocka_unit_test(test_full_eventfd),
		cmocka_unit_test(test_vector_probe),
		cmocka_unit_test(test_doorbell),
		cmocka_unit_test(test_unmask_eventfd),
		cmocka_unit_test(test_unmask_semaphore),
	};

	return cmocka_run_group_tests_name("vu-server-irqs", tests, NULL, NULL);
}
