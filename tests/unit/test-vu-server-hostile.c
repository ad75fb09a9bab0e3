// SPDX-License-Identifier: GPL-2.0-or-later
/* The server of a simulated function, and messages that are wrong. */
#include <linux/vfio.h>

#include "vu-fixture.h"

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
			const struct ask a = { .command = cases[i].command,
					       .payload = zero,
					       .size = n };

			assert_int_equal(ask(&f, &a, NULL, 0), EINVAL);
		}
	assert_int_equal(
		ask(&f, &(struct ask){ .command = VU_DEVICE_RESET, .payload = zero, .size = 1 },
		    NULL, 0),
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
		struct ask a = { .command = cases[i].command,
				 .payload = zero,
				 .size = sizeof(zero) };

		assert_int_equal(ask(&f, &a, NULL, 0), cases[i].err);
		a.size = 1;
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
		assert_int_equal(ask(&f, &(struct ask){ command, 0, &payload, 32, fd, VU_MAX_FDS },
				     NULL, 0),
				 EINVAL);
		assert_int_equal(ask(&f, &(struct ask){ command, 0, NULL, 0, fd, VU_MAX_FDS }, NULL,
				     0),
				 EINVAL);
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
	assert_int_equal(ask(&f, &(struct ask){ .command = VU_DEVICE_RESET, .flags = VU_ERROR },
			     NULL, 0),
			 EINVAL);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stays_in_sync),	  cmocka_unit_test(test_unknown_commands),
		cmocka_unit_test(test_stray_descriptors), cmocka_unit_test(test_no_reply),
		cmocka_unit_test(test_parts_with),	  cmocka_unit_test(test_254_descriptors),
	};

	return cmocka_run_group_tests_name("vu-server-hostile", tests, NULL, NULL);
}
