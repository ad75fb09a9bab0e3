// SPDX-License-Identifier: GPL-2.0-or-later
/* The server of a simulated function, and clients that behave, that don't, and that mean harm. */
#include <linux/vfio.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "vu-fixture.h"

/* --- greeting --- */

static void test_version(void **state)
{
	struct fixture f;
	struct vu_version v;

	(void)state;
	fixture_new(&f, NULL);
	join(&f);
	assert_int_equal(version(&f, JSON, &v), 0);
	assert_int_equal(v.major, 0);
	assert_int_equal(v.minor, 0);
	assert_true(v.has_json);
	assert_int_equal(v.max_msg_fds, 16);
	assert_int_equal(v.max_data_xfer, VU_DEFAULT_XFER);
	assert_false(v.grant);
	/* twice is once too often, and no reason to part */
	assert_int_equal(version(&f, JSON, &v), EINVAL);
	assert_true(vu_server_busy(f.server));
	leave(&f);

	join(&f);
	assert_int_equal(version(&f, NULL, &v), 0);
	assert_true(v.has_json);
	leave(&f);

	join(&f);
	assert_int_equal(version(&f, GRANT, &v), 0);
	assert_true(v.grant);
	leave(&f);
	fixture_free(&f);
}

static void test_bad_version(void **state)
{
	static const struct {
		const char *payload;
		size_t size;
	} cases[] = {
		{ "", 0 },	     { "\0\0\0", 3 },	 { "\1\0\0\0", 4 }, /* major 1 */
		{ "\0\0\0\0{}", 6 }, { "\0\0\0\0{", 6 }, { "\0\0\0\0[]", 7 },
	};
	struct fixture f;

	(void)state;
	fixture_new(&f, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vu_message m;

		join(&f);
		send_ask(&f,
			 &(struct ask){ .command = VU_VERSION, .payload = cases[i].payload, .size = cases[i].size });
		pump(&f);
		assert_int_equal(reply(&f, &m), EINVAL);
		vu_message_drop(&m);
		assert_closed(&f);
	}
	fixture_free(&f);
}

static void test_version_first(void **state)
{
	struct fixture f;

	(void)state;
	fixture_new(&f, NULL);
	for (uint16_t command = 0; command < 20; command++) {
		struct vfio_irq_set set = { .argsz = sizeof(set), .flags = FIRE };

		if (command == VU_VERSION)
			continue;
		join(&f);
		assert_int_equal(ask(&f, &(struct ask){ .command = command, .payload = &set, .size = 20 }, NULL, 0),
				 EINVAL);
		assert_closed(&f);
	}
	fixture_free(&f);
}

/* --- looking --- */

static void test_info(void **state)
{
	struct vfio_device_info info = { .argsz = 16 };
	struct fixture f;

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	assert_int_equal(
		ask(&f, &(struct ask){ .command = VU_DEVICE_GET_INFO, .payload = &info, .size = 16 }, &info, 16), 0);
	assert_int_equal(info.argsz, 16);
	assert_int_equal(info.flags, VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI);
	assert_int_equal(info.num_regions, 9);
	assert_int_equal(info.num_irqs, 5);
	info.argsz = 15;
	assert_int_equal(ask(&f, &(struct ask){ .command = VU_DEVICE_GET_INFO, .payload = &info, .size = 16 }, NULL, 0),
			 EINVAL);
	/* rust-vmm's client says 32 */
	info.argsz = 32;
	assert_int_equal(
		ask(&f, &(struct ask){ .command = VU_DEVICE_GET_INFO, .payload = &info, .size = 16 }, &info, 16), 0);
	assert_int_equal(info.argsz, 16);
	fixture_free(&f);
}

/* A region that is not there has size 0; an error would hang a client of rust-vmm's. */
static void test_regions(void **state)
{
	struct vfio_region_info info;
	struct region_info want;
	struct fixture f;

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	for (uint32_t i = 0; i < 9; i++) {
		info = (struct vfio_region_info){ .argsz = i & 1 ? 32 : 4096, .index = i };
		assert_int_equal(region_info(&f, &info), 0);
		assert_int_equal(sim_region_info(f.d, i, &want), 0);
		assert_int_equal(info.argsz, 32);
		assert_int_equal(info.index, i);
		assert_int_equal(info.cap_offset, 0);
		assert_int_equal(info.size, want.size);
		assert_int_equal(info.flags & VFIO_REGION_INFO_FLAG_MMAP, 0);
		assert_int_equal(info.flags & VFIO_REGION_INFO_FLAG_READ, want.read);
		/* QEMU aborts on a BAR that is no power of two */
		assert_int_equal(info.size & (info.size - 1), 0);
	}
	info = (struct vfio_region_info){ .argsz = 32, .index = 9 };
	assert_int_equal(region_info(&f, &info), EINVAL);
	info = (struct vfio_region_info){ .argsz = 32, .index = UINT32_MAX };
	assert_int_equal(region_info(&f, &info), EINVAL);
	info = (struct vfio_region_info){ .argsz = 31 };
	assert_int_equal(region_info(&f, &info), EINVAL);
	fixture_free(&f);
}

static void test_irq_info(void **state)
{
	static const uint32_t counts[] = { 1, 16, 64, 1, 1 };
	struct fixture f;

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	for (uint32_t i = 0; i < 6; i++) {
		struct vfio_irq_info info = { .argsz = 16, .index = i };
		const struct ask a = { .command = VU_DEVICE_GET_IRQ_INFO, .payload = &info, .size = 16 };

		assert_int_equal(ask(&f, &a, &info, 16), i < 5 ? 0 : EINVAL);
		if (i < 5) {
			assert_int_equal(info.count, counts[i]);
			assert_true(info.flags & VFIO_IRQ_INFO_EVENTFD);
		}
		info.argsz = 12;
		assert_int_equal(ask(&f, &a, NULL, 0), EINVAL);
	}
	fixture_free(&f);
}

/* --- interrupts --- */

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

static int set_bool(struct fixture *f, uint32_t argsz, uint32_t count, const uint8_t *data, size_t n)
{
	struct vfio_irq_set set = { .argsz = argsz,
				    .flags = VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_TRIGGER,
				    .index = 2,
				    .count = count };
	uint8_t payload[64];

	memcpy(payload, &set, sizeof(set));
	memcpy(payload + sizeof(set), data, n);
	return ask(f, &(struct ask){ .command = VU_DEVICE_SET_IRQS, .payload = payload, .size = sizeof(set) + n }, NULL,
		   0);
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
		int err =
			set_irqs(&f, cases[i].flags, cases[i].index, cases[i].start, cases[i].count, fd, cases[i].nfds);

		if (err != EINVAL)
			fail_msg("case %zu: %s", i, strerror(err));
	}
	close_all(fd, 2);
	fixture_free(&f);
	assert_int_equal(open_descriptors(), before);
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
static void test_grant(void **state)
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

/* --- regions, reset, DMA --- */

static void test_regions_access(void **state)
{
	struct {
		uint64_t offset;
		uint32_t region, count;
		uint8_t data[16];
	} a = { .region = 0, .count = 8 };
	uint8_t config[4096];
	uint32_t id = 0;
	struct fixture f;

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	assert_int_equal(read_region(&f, 0, SIM_REG_ID, 4, &id), 0);
	assert_int_equal(id, 0x4d534958);
	assert_int_equal(read_region(&f, 7, 0, 4096, config), 0);
	assert_int_equal(read_region(&f, 9, 0, 4, &id), EINVAL);
	/* as much data as is announced, no less and no more */
	assert_int_equal(ask(&f, &(struct ask){ .command = VU_REGION_WRITE, .payload = &a, .size = 23 }, NULL, 0),
			 EINVAL);
	assert_int_equal(ask(&f, &(struct ask){ .command = VU_REGION_WRITE, .payload = &a, .size = 25 }, NULL, 0),
			 EINVAL);
	assert_int_equal(ask(&f, &(struct ask){ .command = VU_REGION_READ, .payload = &a, .size = 24 }, NULL, 0),
			 EINVAL);
	a.count = VU_DEFAULT_XFER + 1;
	assert_int_equal(ask(&f, &(struct ask){ .command = VU_REGION_READ, .payload = &a, .size = 16 }, NULL, 0),
			 EINVAL);
	a.count = UINT32_MAX;
	assert_int_equal(ask(&f, &(struct ask){ .command = VU_REGION_READ, .payload = &a, .size = 16 }, NULL, 0),
			 EINVAL);
	assert_int_equal(ask(&f, &(struct ask){ .command = VU_REGION_WRITE, .payload = &a, .size = 16 }, NULL, 0),
			 EINVAL);
	fixture_free(&f);
}

/* A client that takes little gets no more. */
static void test_small_transfer(void **state)
{
	struct vu_version v;
	struct fixture f;
	uint8_t data[128];

	(void)state;
	fixture_new(&f, NULL);
	join(&f);
	assert_int_equal(version(&f, "{\"capabilities\":{\"max_data_xfer_size\":64}}", &v), 0);
	assert_int_equal(read_region(&f, 7, 0, 64, data), 0);
	assert_int_equal(read_region(&f, 7, 0, 65, data), EINVAL);
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

static void test_dma(void **state)
{
	struct {
		uint32_t argsz, flags;
		uint64_t offset, addr, size;
	} map = { 32, 3, 0, 0x1000, 0x1000 };
	struct {
		uint32_t argsz, flags;
		uint64_t addr, size;
	} unmap = { 24, 0, 0x7000, 0x1000 }, out;
	unsigned int before = open_descriptors();
	struct fixture f;
	int fd[2];

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	eventfds(fd, 2);
	for (unsigned int n = 0; n <= 2; n++)
		assert_int_equal(ask(&f, &(struct ask){ VU_DMA_MAP, 0, &map, 32, fd, n }, NULL, 0), n < 2 ? 0 : EINVAL);
	map.argsz = 31;
	assert_int_equal(ask(&f, &(struct ask){ VU_DMA_MAP, 0, &map, 32, NULL, 0 }, NULL, 0), EINVAL);
	assert_int_equal(ask(&f, &(struct ask){ VU_DMA_UNMAP, 0, &unmap, 24, NULL, 0 }, &out, 24), 0);
	assert_memory_equal(&unmap, &out, 24);
	unmap.argsz = 23;
	assert_int_equal(ask(&f, &(struct ask){ VU_DMA_UNMAP, 0, &unmap, 24, NULL, 0 }, NULL, 0), EINVAL);
	unmap.argsz = 24;
	unmap.flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP;
	assert_int_equal(ask(&f, &(struct ask){ VU_DMA_UNMAP, 0, &unmap, 24, NULL, 0 }, NULL, 0), EOPNOTSUPP);
	close_all(fd, 2);
	fixture_free(&f);
	assert_int_equal(open_descriptors(), before);
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

/* --- messages that are wrong --- */

/* Whatever a frame says that is whole, the next one is answered. */
static void test_stays_in_sync(void **state)
{
	static const struct {
		uint16_t command;
		size_t full; /* the shortest payload that is taken */
	} cases[] = {
		{ VU_DMA_MAP, 32 },
		{ VU_DMA_UNMAP, 24 },
		{ VU_DEVICE_GET_INFO, 16 },
		{ VU_DEVICE_GET_REGION_INFO, 32 },
		{ VU_DEVICE_GET_IRQ_INFO, 16 },
		{ VU_DEVICE_SET_IRQS, 20 },
		{ VU_REGION_READ, 16 },
		{ VU_REGION_WRITE, 16 },
	};
	uint8_t zero[32] = { 32 };
	struct fixture f;

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (size_t n = 0; n < cases[i].full; n++) {
			const struct ask a = { .command = cases[i].command, .payload = zero, .size = n };

			assert_int_equal(ask(&f, &a, NULL, 0), EINVAL);
		}
	assert_int_equal(ask(&f, &(struct ask){ .command = VU_DEVICE_RESET, .payload = zero, .size = 1 }, NULL, 0),
			 EINVAL);
	assert_int_equal(ask(&f, &(struct ask){ .command = VU_DEVICE_RESET }, NULL, 0), 0);
	fixture_free(&f);
}

static void test_unknown_commands(void **state)
{
	static const struct {
		uint16_t command;
		int err;
	} cases[] = {
		{ 0, EINVAL },		 { VU_DEVICE_GET_REGION_IO_FDS, EOPNOTSUPP },
		{ VU_DMA_READ, EINVAL }, { VU_DMA_WRITE, EINVAL },
		{ 14, EINVAL },		 { 15, EOPNOTSUPP },
		{ 16, EOPNOTSUPP },	 { 17, EOPNOTSUPP },
		{ 18, EOPNOTSUPP },	 { 19, EINVAL },
		{ 255, EINVAL },	 { 65535, EINVAL },
	};
	uint8_t zero[32] = { 0 };
	struct fixture f;

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ask a = { .command = cases[i].command, .payload = zero, .size = sizeof(zero) };

		assert_int_equal(ask(&f, &a, NULL, 0), cases[i].err);
		a.size = 0;
		assert_int_equal(ask(&f, &a, NULL, 0), EINVAL);
	}
	fixture_free(&f);
}

/* Only SET_IRQS and DMA_MAP bring descriptors. */
static void test_stray_descriptors(void **state)
{
	struct vfio_region_info payload = { .argsz = 32 };
	unsigned int before;
	struct fixture f;
	int fd[VU_MAX_FDS];

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	before = open_descriptors();
	eventfds(fd, VU_MAX_FDS);
	for (uint16_t command = 0; command < 20; command++) {
		if (command == VU_DMA_MAP || command == VU_DEVICE_SET_IRQS)
			continue;
		assert_int_equal(ask(&f, &(struct ask){ command, 0, &payload, 32, fd, VU_MAX_FDS }, NULL, 0), EINVAL);
		assert_int_equal(ask(&f, &(struct ask){ command, 0, NULL, 0, fd, VU_MAX_FDS }, NULL, 0), EINVAL);
	}
	close_all(fd, VU_MAX_FDS);
	assert_int_equal(open_descriptors(), before);
	fixture_free(&f);
}

/* No reply, also when it fails; only the last one is answered. */
static void test_no_reply(void **state)
{
	struct vfio_irq_set set = { .argsz = 20, .flags = FIRE, .index = 2, .count = 1 };
	struct fixture f;
	int fd;

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	eventfds(&fd, 1);
	assert_int_equal(set_irqs(&f, ARM, 2, 0, 1, &fd, 1), 0);
	for (int i = 0; i < 10; i++)
		send_ask(&f, &(struct ask){ VU_DEVICE_SET_IRQS, VU_NO_REPLY, &set, 20, NULL, 0 });
	send_ask(&f, &(struct ask){ VU_DEVICE_SET_IRQS, VU_NO_REPLY, &set, 3, NULL, 0 });
	send_ask(&f, &(struct ask){ 99, VU_NO_REPLY, &set, 20, NULL, 0 });
	assert_int_equal(ask(&f, &(struct ask){ .command = VU_DEVICE_RESET }, NULL, 0), 0);
	assert_int_equal(counted(fd), 10);
	close(fd);
	fixture_free(&f);
}

/* Sizes that say nothing of where the next message begins, replies to what was not asked, types that there are not. */
static void test_parts_with(void **state)
{
	static const struct vu_header cases[] = {
		{ .command = VU_DEVICE_RESET, .size = 0 },
		{ .command = VU_DEVICE_RESET, .size = 15 },
		{ .command = VU_DEVICE_GET_INFO, .size = VU_MAX_MESSAGE + 1 },
		{ .command = VU_DEVICE_GET_INFO, .size = UINT32_MAX },
		{ .command = VU_DMA_READ, .size = 16, .flags = VU_REPLY },
		{ .command = VU_DEVICE_RESET, .size = 16, .flags = VU_REPLY | VU_ERROR },
		{ .command = VU_DEVICE_RESET, .size = 16, .flags = 2 },
		{ .command = VU_DEVICE_RESET, .size = 16, .flags = VU_TYPE_MASK },
	};
	struct fixture f;

	(void)state;
	fixture_new(&f, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		greet(&f);
		put(f.sock, &cases[i], sizeof(cases[i]), NULL, 0);
		assert_closed(&f);
	}
	/* a command that carries an error is nonsense in a whole frame */
	greet(&f);
	assert_int_equal(ask(&f, &(struct ask){ .command = VU_DEVICE_RESET, .flags = VU_ERROR }, NULL, 0), EINVAL);
	fixture_free(&f);
}

static void test_254_descriptors(void **state)
{
	struct vfio_irq_set set = { .argsz = 20, .flags = ARM, .index = 2, .count = 254 };
	struct vu_header h = { .command = VU_DEVICE_SET_IRQS, .size = 36 };
	unsigned int before = open_descriptors();
	int fd[VU_MAX_FDS];
	struct fixture f;

	(void)state;
	fixture_new(&f, "msix=2048");
	eventfds(fd, VU_MAX_FDS);
	greet(&f);
	put(f.sock, &h, sizeof(h), fd, VU_MAX_FDS);
	put(f.sock, &set, sizeof(set), fd, 1);
	assert_closed(&f);
	close_all(fd, VU_MAX_FDS);
	fixture_free(&f);
	assert_int_equal(open_descriptors(), before);
}

/* --- how it comes --- */

/* VERSION, GET_INFO, SET_IRQS with two descriptors, a read, RESET: all bytes of a conversation. */
struct conversation {
	uint8_t bytes[512];
	size_t n, fds_at;
	unsigned int replies;
};

static void say(struct conversation *c, uint16_t command, const void *payload, size_t size)
{
	struct vu_header h = { .id = (uint16_t)c->replies++, .command = command, .size = (uint32_t)(sizeof(h) + size) };

	memcpy(c->bytes + c->n, &h, sizeof(h));
	if (size)
		memcpy(c->bytes + c->n + sizeof(h), payload, size);
	c->n += sizeof(h) + size;
	assert_true(c->n <= sizeof(c->bytes));
}

static void converse(struct conversation *c)
{
	uint8_t version[4 + sizeof(JSON)] = { 0 };
	const uint32_t info[4] = { 16 };
	struct vfio_irq_set set = { .argsz = 20, .flags = ARM, .index = 2, .count = 2 };
	struct {
		uint64_t offset;
		uint32_t region, count;
	} a = { 0, 7, 64 };

	memset(c, 0, sizeof(*c));
	memcpy(version + 4, JSON, sizeof(JSON));
	say(c, VU_VERSION, version, sizeof(version));
	say(c, VU_DEVICE_GET_INFO, info, sizeof(info));
	c->fds_at = c->n;
	say(c, VU_DEVICE_SET_IRQS, &set, sizeof(set));
	say(c, VU_REGION_READ, &a, sizeof(a));
	say(c, VU_DEVICE_RESET, NULL, 0);
}

/* Bytes @from to @to, the descriptors with the first byte of their message. */
static void send_part(int sock, const struct conversation *c, size_t from, size_t to, const int *fd)
{
	if (from < c->fds_at && to > c->fds_at) {
		put(sock, c->bytes + from, c->fds_at - from, NULL, 0);
		from = c->fds_at;
	}
	if (from < to)
		put(sock, c->bytes + from, to - from, fd, from == c->fds_at ? 2 : 0);
}

static void hear_all(struct fixture *f, const struct conversation *c)
{
	struct vu_message m;

	for (unsigned int i = 0; i < c->replies; i++) {
		assert_int_equal(vu_receive(f->sock, &m, VU_MAX_MESSAGE, VU_UNTIL(0)), 0);
		assert_int_equal(m.header.id, i);
		assert_int_equal(m.header.flags, VU_REPLY);
		vu_message_drop(&m);
	}
}

static void test_byte_by_byte(void **state)
{
	struct conversation c;
	struct fixture f;
	int fd[2];

	(void)state;
	fixture_new(&f, NULL);
	converse(&c);
	eventfds(fd, 2);
	join(&f);
	for (size_t i = 0; i < c.n; i++) {
		send_part(f.sock, &c, i, i + 1, fd);
		pump(&f);
	}
	hear_all(&f, &c);
	assert_int_equal(set_irqs(&f, FIRE, 2, 0, 2, NULL, 0), 0);
	assert_int_equal(counted(fd[1]), 1);
	close_all(fd, 2);
	fixture_free(&f);
}

/* The client closes after each byte of the conversation: nothing is left, and the next one is served. */
static void test_close_anywhere(void **state)
{
	struct conversation c;
	struct fixture f;
	unsigned int before;
	int fd[2];

	(void)state;
	fixture_new(&f, NULL);
	converse(&c);
	eventfds(fd, 2);
	before = open_descriptors();
	for (size_t i = 0; i <= c.n; i++) {
		join(&f);
		send_part(f.sock, &c, 0, i, fd);
		if (i & 1)
			pump(&f);
		leave(&f);
		assert_int_equal(open_descriptors(), before);
	}
	join(&f);
	send_part(f.sock, &c, 0, c.n, fd);
	pump(&f);
	hear_all(&f, &c);
	close_all(fd, 2);
	fixture_free(&f);
}

/* Requests that were sent before the client said that it will send no more are answered all the same. */
static void test_half_closed(void **state)
{
	struct conversation c;
	struct fixture f;
	int fd[2];

	(void)state;
	fixture_new(&f, NULL);
	converse(&c);
	eventfds(fd, 2);
	join(&f);
	send_part(f.sock, &c, 0, c.n, fd);
	shutdown(f.sock, SHUT_WR);
	pump(&f);
	hear_all(&f, &c);
	assert_closed(&f);
	close_all(fd, 2);
	fixture_free(&f);
}

static void test_pipelined(void **state)
{
	struct fixture f;
	uint16_t first;

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	first = (uint16_t)(f.id + 1);
	for (uint32_t i = 0; i < 50; i++) {
		struct vfio_irq_info info = { .argsz = 16, .index = i % 6 };

		send_ask(&f, &(struct ask){ .command = VU_DEVICE_GET_IRQ_INFO, .payload = &info, .size = 16 });
	}
	pump(&f);
	for (uint32_t i = 0; i < 50; i++) {
		struct vu_message m;

		assert_int_equal(vu_receive(f.sock, &m, VU_MAX_MESSAGE, VU_UNTIL(0)), 0);
		assert_int_equal(m.header.id, (uint16_t)(first + i));
		assert_int_equal(m.header.error, i % 6 == 5 ? EINVAL : 0);
		if (i % 6 != 5)
			assert_int_equal(m.payload[8], i % 6);
		vu_message_drop(&m);
	}
	fixture_free(&f);
}

/* Nobody reads: the server stops reading too, keeps one reply, and goes on when there is room again. */
static void test_client_that_does_not_read(void **state)
{
	struct {
		uint64_t offset;
		uint32_t region, count;
	} a = { 0, 7, 4096 };
	struct vu_header h = { .command = VU_REGION_READ, .size = sizeof(h) + sizeof(a) };
	uint8_t bytes[sizeof(h) + sizeof(a)];
	unsigned int sent = 0, got = 0;
	struct fixture f;

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	for (;; sent++) {
		h.id = (uint16_t)sent;
		memcpy(bytes, &h, sizeof(h));
		memcpy(bytes + sizeof(h), &a, sizeof(a));
		if (send(f.sock, bytes, sizeof(bytes), MSG_DONTWAIT) != sizeof(bytes))
			break;
		pump(&f);
	}
	assert_true(sent > 10 && sent < 100000);
	while (got < sent) {
		struct vu_message m;

		pump(&f);
		assert_int_equal(vu_receive(f.sock, &m, VU_MAX_MESSAGE, VU_UNTIL(0)), 0);
		assert_int_equal(m.header.id, got++);
		assert_int_equal(m.size, 16 + 4096);
		vu_message_drop(&m);
	}
	/* and one that goes while a reply waits for it */
	for (unsigned int i = 0; send(f.sock, bytes, sizeof(bytes), MSG_DONTWAIT) == sizeof(bytes); i++)
		pump(&f);
	leave(&f);
	greet(&f);
	fixture_free(&f);
}

/* --- one after another --- */

static int dial(const struct sockaddr_un *sun)
{
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(sock >= 0);
	assert_int_equal(connect(sock, (const struct sockaddr *)sun, sizeof(*sun)), 0);
	return sock;
}

static void test_listen(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	unsigned int before = open_descriptors();
	struct fixture first, f;
	char dir[] = "/tmp/msictl-unit-XXXXXX";
	struct vu_version v;
	int listener;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/s", dir);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(listener, 4), 0);
	fixture_new(&f, NULL);
	assert_int_equal(vu_server_listen(f.server, listener), 0);
	first = f;
	for (int i = 0; i < 3; i++) {
		struct vu_message m;

		first.sock = dial(&sun);
		assert_int_equal(version(&first, JSON, &v), 0);
		assert_true(vu_server_busy(f.server));
		/* the second waits */
		f.sock = dial(&sun);
		send_ask(&f, &(struct ask){ .command = VU_VERSION, .payload = "\0\0\0\0", .size = 4 });
		pump(&f);
		assert_int_equal(vu_receive(f.sock, &m, VU_MAX_MESSAGE, VU_UNTIL(0)), -ETIMEDOUT);
		/* the first goes, the second is served */
		close(first.sock);
		pump(&f);
		assert_int_equal(reply(&f, &m), 0);
		vu_message_drop(&m);
		leave(&f);
	}
	fixture_free(&f);
	unlink(sun.sun_path);
	rmdir(dir);
	assert_int_equal(open_descriptors(), before);
}

/* What one client armed is gone for the next. */
static void test_disconnect(void **state)
{
	unsigned int before;
	struct fixture f;
	int fd[16];

	(void)state;
	fixture_new(&f, NULL);
	eventfds(fd, 16);
	before = open_descriptors();
	greet(&f);
	assert_int_equal(set_irqs(&f, ARM, 2, 0, 16, fd, 16), 0);
	assert_int_equal(set_irqs(&f, ARM, 3, 0, 1, fd, 1), 0);
	leave(&f);
	assert_int_equal(open_descriptors(), before);
	greet(&f);
	assert_int_equal(set_irqs(&f, FIRE, 2, 0, 1, NULL, 0), EINVAL);
	close_all(fd, 16);
	fixture_free(&f);
}

static void test_busy(void **state)
{
	struct fixture f;
	int sock[2];

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	pair(sock);
	assert_int_equal(vu_server_serve(f.server, sock[1]), -EBUSY);
	assert_int_equal(fcntl(sock[1], F_GETFD), -1);
	close(sock[0]);
	assert_int_equal(ask(&f, &(struct ask){ .command = VU_DEVICE_RESET }, NULL, 0), 0);
	fixture_free(&f);
}

/* --- run --- */

static uint64_t cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec / 1000;
}

struct client {
	int sock;
	uint64_t ended; /* how long it took the server to part, us */
};

/* Half a message, then silence: recv() ends when the server has had enough. A while after it all ends. */
static void *half_message(void *arg)
{
	struct client *c = arg;
	struct vu_header h = { .command = VU_VERSION, .size = 20 };
	uint64_t begin;
	char byte;

	usleep(200000);
	begin = now_us();
	if (send(c->sock, &h, 10, MSG_NOSIGNAL) == 10 && recv(c->sock, &byte, 1, 0) <= 0)
		c->ended = now_us() - begin;
	usleep(400000);
	kill(getpid(), SIGTERM);
	return NULL;
}

/* A message has its time; waiting for it, and for nobody, takes none of the CPU. */
static void test_run_limit(void **state)
{
	struct client c = { 0 };
	struct fixture f;
	pthread_t thread;
	uint64_t cpu = cpu_us();

	(void)state;
	fixture_new(&f, NULL);
	join(&f);
	c.sock = f.sock;
	assert_int_equal(pthread_create(&thread, NULL, half_message, &c), 0);
	assert_int_equal(vu_server_run(f.server, false), -EINTR);
	pthread_join(thread, NULL);
	assert_in_range(c.ended, 4900000, 30 * SECOND);
	assert_true(cpu_us() - cpu < 100000);
	fixture_free(&f);
}

static void test_run_once(void **state)
{
	struct fixture f;

	(void)state;
	fixture_new(&f, NULL);
	/* nobody is there, and nobody can come */
	assert_int_equal(vu_server_run(f.server, true), 0);
	greet(&f);
	close(take_fd(&f.sock));
	assert_int_equal(vu_server_run(f.server, true), 0);
	assert_false(vu_server_busy(f.server));
	fixture_free(&f);
}

static void *terminate(void *arg)
{
	usleep(20000);
	kill(*(pid_t *)arg, SIGTERM);
	return NULL;
}

static void test_run_stopped(void **state)
{
	pid_t self = getpid();
	struct fixture f;
	pthread_t thread;

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	assert_int_equal(pthread_create(&thread, NULL, terminate, &self), 0);
	assert_int_equal(vu_server_run(f.server, false), -EINTR);
	pthread_join(thread, NULL);
	assert_int_equal(loop_stopped(f.loop), SIGTERM);
	fixture_free(&f);
}

struct waiter {
	int sock, fd;
	uint64_t count;
};

/* Wait for the interrupt, then go. */
static void *await(void *arg)
{
	struct waiter *w = arg;
	struct pollfd p = { .fd = w->fd, .events = POLLIN };

	poll(&p, 1, 5000);
	w->count = counted(w->fd);
	shutdown(w->sock, SHUT_RDWR);
	return NULL;
}

/* Interrupts that take their time come while nothing else does. */
static void test_run_latency(void **state)
{
	struct waiter w = { 0 };
	struct fixture f;
	pthread_t thread;

	(void)state;
	fixture_new(&f, "latency=30ms");
	greet(&f);
	eventfds(&w.fd, 1);
	assert_int_equal(set_irqs(&f, ARM, 2, 0, 1, &w.fd, 1), 0);
	assert_int_equal(write_region(&f, 7, 4, 6), 0);
	assert_int_equal(write_region(&f, 0, SIM_REG_DOORBELL, 0), 0);
	assert_int_equal(counted(w.fd), 0);
	w.sock = f.sock;
	assert_int_equal(pthread_create(&thread, NULL, await, &w), 0);
	assert_int_equal(vu_server_run(f.server, true), 0);
	pthread_join(thread, NULL);
	assert_int_equal(w.count, 1);
	close(w.fd);
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_bad_version),
		cmocka_unit_test(test_version_first),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_irq_info),
		cmocka_unit_test(test_arm_and_fire),
		cmocka_unit_test(test_bool),
		cmocka_unit_test(test_many_descriptors),
		cmocka_unit_test(test_bad_set_irqs),
		cmocka_unit_test(test_no_eventfd),
		cmocka_unit_test(test_full_eventfd),
		cmocka_unit_test(test_grant),
		cmocka_unit_test(test_regions_access),
		cmocka_unit_test(test_small_transfer),
		cmocka_unit_test(test_doorbell),
		cmocka_unit_test(test_dma),

		cmocka_unit_test(test_unmask_eventfd),
		cmocka_unit_test(test_stays_in_sync),
		cmocka_unit_test(test_unknown_commands),
		cmocka_unit_test(test_stray_descriptors),
		cmocka_unit_test(test_no_reply),
		cmocka_unit_test(test_parts_with),
		cmocka_unit_test(test_254_descriptors),
		cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_close_anywhere),
		cmocka_unit_test(test_half_closed),
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_client_that_does_not_read),
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_disconnect),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_run_once),
		cmocka_unit_test(test_run_stopped),
		cmocka_unit_test(test_run_latency),
		cmocka_unit_test(test_run_limit),
	};

	return cmocka_run_group_tests_name("vu-server", tests, NULL, NULL);
}
