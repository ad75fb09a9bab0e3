// SPDX-License-Identifier: GPL-2.0-or-later
/* The server of a simulated function: what a client that behaves learns and reaches. */
#include <linux/vfio.h>

#include "vu-fixture.h"
#include "sim/request.h"

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

/* What wants no answer, or is no command, gets none, whatever the answer before was. */
static void test_no_answer(void **state)
{
	uint8_t *reply = malloc(VU_MAX_MESSAGE);
	struct vu_peer peer = { .greeted = true };
	struct vu_message m = {
		.header = { .id = 7, .command = VU_DEVICE_RESET, .size = sizeof(m.header) }
	};
	struct fixture f;
	size_t size = 99;

	(void)state;
	assert_non_null(reply);
	fixture_new(&f, NULL);
	assert_int_equal(vu_answer(f.d, &peer, &m, reply, &size), 0);
	assert_int_equal(size, sizeof(m.header));
	m.header.flags = VU_NO_REPLY;
	assert_int_equal(vu_answer(f.d, &peer, &m, reply, &size), 0);
	assert_int_equal(size, 0);
	size = 99;
	m.header.flags = VU_REPLY;
	assert_int_equal(vu_answer(f.d, &peer, &m, reply, &size), -EPROTO);
	assert_int_equal(size, 0);
	fixture_free(&f);
	free(reply);
}

/* QEMU refuses a server that offers more than 16; a client that takes more is offered as many. */
static void test_descriptors_per_message(void **state)
{
	static const struct {
		const char *json;
		unsigned int offered;
	} cases[] = {
		{ NULL, 16 },
		{ "{\"capabilities\":{\"max_msg_fds\":1}}", 16 },
		{ "{\"capabilities\":{\"max_msg_fds\":16}}", 16 },
		{ "{\"capabilities\":{\"max_msg_fds\":17}}", 17 },
		{ "{\"capabilities\":{\"max_msg_fds\":253}}", 253 },
		{ "{\"capabilities\":{\"max_msg_fds\":1024}}", 253 },
	};
	struct fixture f;

	(void)state;
	fixture_new(&f, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vu_version v;

		join(&f);
		assert_int_equal(version(&f, cases[i].json, &v), 0);
		assert_int_equal(v.max_msg_fds, cases[i].offered);
		leave(&f);
	}
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
		send_ask(&f, &(struct ask){ .command = VU_VERSION,
					    .payload = cases[i].payload,
					    .size = cases[i].size });
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
		assert_int_equal(
			ask(&f, &(struct ask){ .command = command, .payload = &set, .size = 20 },
			    NULL, 0),
			EINVAL);
		assert_closed(&f);
	}
	fixture_free(&f);
}

static void test_info(void **state)
{
	struct vfio_device_info info = { .argsz = 16 };
	struct fixture f;

	(void)state;
	fixture_new(&f, NULL);
	greet(&f);
	assert_int_equal(
		ask(&f,
		    &(struct ask){ .command = VU_DEVICE_GET_INFO, .payload = &info, .size = 16 },
		    &info, 16),
		0);
	assert_int_equal(info.argsz, 16);
	assert_int_equal(info.flags, VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI);
	assert_int_equal(info.num_regions, 9);
	assert_int_equal(info.num_irqs, 5);
	info.argsz = 15;
	assert_int_equal(
		ask(&f,
		    &(struct ask){ .command = VU_DEVICE_GET_INFO, .payload = &info, .size = 16 },
		    NULL, 0),
		EINVAL);
	/* rust-vmm's client says 32 */
	info.argsz = 32;
	assert_int_equal(
		ask(&f,
		    &(struct ask){ .command = VU_DEVICE_GET_INFO, .payload = &info, .size = 16 },
		    &info, 16),
		0);
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
		const struct ask a = { .command = VU_DEVICE_GET_IRQ_INFO,
				       .payload = &info,
				       .size = 16 };

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
	assert_int_equal(ask(&f,
			     &(struct ask){ .command = VU_REGION_WRITE, .payload = &a, .size = 23 },
			     NULL, 0),
			 EINVAL);
	assert_int_equal(ask(&f,
			     &(struct ask){ .command = VU_REGION_WRITE, .payload = &a, .size = 25 },
			     NULL, 0),
			 EINVAL);
	assert_int_equal(ask(&f,
			     &(struct ask){ .command = VU_REGION_READ, .payload = &a, .size = 24 },
			     NULL, 0),
			 EINVAL);
	a.count = VU_DEFAULT_XFER + 1;
	assert_int_equal(ask(&f,
			     &(struct ask){ .command = VU_REGION_READ, .payload = &a, .size = 16 },
			     NULL, 0),
			 EINVAL);
	a.count = UINT32_MAX;
	assert_int_equal(ask(&f,
			     &(struct ask){ .command = VU_REGION_READ, .payload = &a, .size = 16 },
			     NULL, 0),
			 EINVAL);
	assert_int_equal(ask(&f,
			     &(struct ask){ .command = VU_REGION_WRITE, .payload = &a, .size = 16 },
			     NULL, 0),
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
		assert_int_equal(ask(&f, &(struct ask){ VU_DMA_MAP, 0, &map, 32, fd, n }, NULL, 0),
				 n < 2 ? 0 : EINVAL);
	map.argsz = 31;
	assert_int_equal(ask(&f, &(struct ask){ VU_DMA_MAP, 0, &map, 32, NULL, 0 }, NULL, 0),
			 EINVAL);
	assert_int_equal(ask(&f, &(struct ask){ VU_DMA_UNMAP, 0, &unmap, 24, NULL, 0 }, &out, 24),
			 0);
	assert_memory_equal(&unmap, &out, 24);
	unmap.argsz = 23;
	assert_int_equal(ask(&f, &(struct ask){ VU_DMA_UNMAP, 0, &unmap, 24, NULL, 0 }, NULL, 0),
			 EINVAL);
	unmap.argsz = 24;
	unmap.flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP;
	assert_int_equal(ask(&f, &(struct ask){ VU_DMA_UNMAP, 0, &unmap, 24, NULL, 0 }, NULL, 0),
			 EOPNOTSUPP);
	close_all(fd, 2);
	fixture_free(&f);
	assert_int_equal(open_descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_descriptors_per_message),
		cmocka_unit_test(test_bad_version),
		cmocka_unit_test(test_version_first),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_irq_info),
		cmocka_unit_test(test_regions_access),
		cmocka_unit_test(test_small_transfer),
		cmocka_unit_test(test_dma),
	};

	return cmocka_run_group_tests_name("vu-server", tests, NULL, NULL);
}
