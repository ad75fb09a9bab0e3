// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * QEMU 10.1 and later (-device vfio-user-pci) as a client: its messages in their
 * order, as they were seen on a socket, since that QEMU cannot run everywhere.
 */
#include "vu-fixture.h"

#define VERSION                                                                                          \
	"{\"capabilities\": {\"pgsizes\": 4096, \"max_msg_fds\": 16, \"max_dma_maps\": 65535, "          \
	"\"max_data_xfer_size\": 1048576, \"migration\": {\"pgsize\": 4096, \"max_bitmap_size\": 256}, " \
	"\"write_multiple\": true}}"

#define VECTORS 256

/* The guest's memory: one range with a descriptor behind it, one without. */
static void map_memory(struct fixture *f, int fd)
{
	struct {
		uint32_t argsz, flags;
		uint64_t offset, addr, size;
	} map = { 32, 3, 0, 0, 0x80000000 };

	assert_int_equal(ask(f, &(struct ask){ VU_DMA_MAP, 0, &map, 32, &fd, 1 }, NULL, 0), 0);
	map.addr = 0x100000000;
	assert_int_equal(ask(f, &(struct ask){ VU_DMA_MAP, 0, &map, 32, NULL, 0 }, NULL, 0), 0);
}

/* Many of a guest's unmaps are of ranges that were never mapped. */
static void unmap(struct fixture *f, uint64_t addr)
{
	const struct {
		uint32_t argsz, flags;
		uint64_t addr, size;
	} range = { 24, 0, addr, 0x1000 };
	uint8_t out[24];

	assert_int_equal(ask(f, &(struct ask){ VU_DMA_UNMAP, 0, &range, 24, NULL, 0 }, out, 24), 0);
}

static uint32_t vectors_of(struct fixture *f, uint32_t index)
{
	struct vfio_irq_info info = { .argsz = 16, .index = index };
	const struct ask a = { .command = VU_DEVICE_GET_IRQ_INFO, .payload = &info, .size = 16 };

	assert_int_equal(ask(f, &a, &info, 16), 0);
	/* with NORESIZE it would arm all anew for each vector more */
	assert_true(index != VFIO_PCI_MSIX_IRQ_INDEX || !(info.flags & VFIO_IRQ_INFO_NORESIZE));
	return info.count;
}

static void look(struct fixture *f)
{
	struct vfio_device_info info = { .argsz = 16 };
	struct vfio_region_info region;
	uint8_t config[4096];

	assert_int_equal(
		ask(f, &(struct ask){ .command = VU_DEVICE_GET_INFO, .payload = &info, .size = 16 },
		    &info, 16),
		0);
	for (uint32_t i = 0; i <= 7; i++) {
		if (i == 6) /* the ROM is asked for through its BAR */
			continue;
		region = (struct vfio_region_info){ .argsz = 32, .index = i };
		assert_int_equal(region_info(f, &region), 0);
	}
	assert_true(region.size == 256 || region.size == 4096);
	assert_int_equal(vectors_of(f, VFIO_PCI_ERR_IRQ_INDEX), 1);
	assert_int_equal(read_region(f, 7, 0, (uint32_t)region.size, config), 0);
	assert_int_equal(write_region(f, 7, 0x30, 0xfffff800), 0);
	assert_int_equal(read_region(f, 7, 0x30, 4, config), 0);
	assert_int_equal(vectors_of(f, VFIO_PCI_MSIX_IRQ_INDEX), VECTORS);
}

/* INTx before and behind a reset, and ERR. */
static void start(struct fixture *f, const int *fd)
{
	assert_int_equal(set_irqs(f, ARM, 0, 0, 1, fd, 1), 0);
	assert_int_equal(set_irqs(f, ARM, 3, 0, 1, fd + 1, 1), 0);
	assert_int_equal(set_irqs(f, FIRE, 0, 0, 0, NULL, 0), 0);
	assert_int_equal(ask(f, &(struct ask){ .command = VU_DEVICE_RESET }, NULL, 0), 0);
	assert_int_equal(set_irqs(f, ARM, 0, 0, 1, fd, 1), 0);
	for (uint64_t bar = 0x10; bar < 0x28; bar += 4)
		assert_int_equal(write_region(f, 7, bar, 0xfe000000), 0);
	assert_int_equal(write_region(f, 7, 4, 6), 0);
}

/* The guest's driver turns MSI-X on with nothing in it, then takes vector after vector. */
static void take_vectors(struct fixture *f, const int *fd)
{
	assert_int_equal(set_irqs(f, FIRE, 0, 0, 0, NULL, 0), 0);
	assert_int_equal(set_irqs(f, ARM, 2, 0, 1, NULL, 0), 0);
	for (unsigned int v = 0; v < VECTORS; v++) {
		assert_int_equal(set_irqs(f, ARM, 2, v, 1, fd + v, 1), 0);
		unmap(f, UINT64_C(0x200000000) + UINT64_C(0x1000) * v);
	}
}

static void a_guest_takes_256_vectors(void **state)
{
	unsigned int before = open_descriptors();
	int intx[2], fd[VECTORS];
	struct vu_version v;
	struct fixture f;

	(void)state;
	fixture_new(&f, "msix=256,msi=16");
	join(&f);
	eventfds(intx, 2);
	eventfds(fd, VECTORS);
	assert_int_equal(version(&f, VERSION, &v), 0);
	/* more it would not believe */
	assert_true(v.max_msg_fds <= 16);
	map_memory(&f, intx[0]);
	look(&f);
	start(&f, intx);
	take_vectors(&f, fd);
	for (unsigned int i = 0; i < VECTORS; i++)
		assert_int_equal(write_region(&f, 0, SIM_REG_DOORBELL, i), 0);
	for (unsigned int i = 0; i < VECTORS; i++)
		assert_int_equal(counted(fd[i]), 1);
	/* the guest goes down */
	assert_int_equal(set_irqs(&f, FIRE, 2, 0, 0, NULL, 0), 0);
	unmap(&f, 0);
	close_all(intx, 2);
	close_all(fd, VECTORS);
	fixture_free(&f);
	assert_int_equal(open_descriptors(), before);
}

/* All eventfds at once, 16 in a message, and no message before them that asks for all. */
static void a_guest_takes_32_vectors_of_msi(void **state)
{
	struct vu_version v;
	struct fixture f;
	int fd[32];

	(void)state;
	fixture_new(&f, "msix=0,msi=32");
	join(&f);
	eventfds(fd, 32);
	assert_int_equal(version(&f, VERSION, &v), 0);
	assert_int_equal(write_region(&f, 7, 4, 6), 0);
	for (unsigned int at = 0; at < 32; at += v.max_msg_fds)
		assert_int_equal(set_irqs(&f, ARM, 1, at, v.max_msg_fds, fd + at, v.max_msg_fds),
				 0);
	for (unsigned int i = 0; i < 32; i++)
		assert_int_equal(write_region(&f, 0, SIM_REG_DOORBELL, i), 0);
	for (unsigned int i = 0; i < 32; i++)
		assert_int_equal(counted(fd[i]), 1);
	close_all(fd, 32);
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_takes_256_vectors),
		cmocka_unit_test(a_guest_takes_32_vectors_of_msi),
	};

	return cmocka_run_group_tests_name("vu-qemu", tests, NULL, NULL);
}
