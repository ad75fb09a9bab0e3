// SPDX-License-Identifier: GPL-2.0-or-later
/* What an opened device's registers are asked and told: masks, pending bits, config space, BARs, bus mastering. */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device-model.h"
#include "base/util.h"
#include "device-facts.h"

/* Behind base/error.h: it makes a macro of fail(). */
#include <cmocka.h>

#define BAR_SIZE 0x4000u
#define TABLE	 0x1040u /* not at the begin of a page */
#define PBA	 0x2008u
#define VECTORS	 65u
#define MSI_POS	 0x50u
#define MSIX_POS 0xb0u
#define MASK_POS 0x60u
#define PM_POS	 0x40u

struct hw {
	struct device d;
	struct trace trace;
	char told[512];
	uint8_t config[256];
	int bar; /* a file that is BAR2 */
	struct region_info info;
	int info_errno, map_errno, maps;
	uint64_t map_offset;
	size_t map_size;
	ssize_t read_rc, write_rc; /* of a region access; 0: it works */
	bool no_bytes, drop;	   /* it moves nothing; writes are dropped */
	int set_rc, resets, reset_rc;
};

static int set_irqs(void *handle, const struct irq_set *s, const int32_t *eventfd,
		    struct set_outcome *o)
{
	(void)o;
	(void)s;
	(void)eventfd;
	return ((struct hw *)handle)->set_rc;
}

static int region_info(void *handle, enum region_index region, struct region_info *info)
{
	const struct hw *h = handle;

	if (h->info_errno)
		return -h->info_errno;
	*info = (struct region_info){ .read = true, .write = true };
	if (region == REGION_CONFIG)
		info->size = sizeof(h->config);
	else if (region == 2)
		*info = h->info;
	return 0;
}

static ssize_t region_read(void *handle, enum region_index region, void *buf, size_t n,
			   uint64_t offset)
{
	struct hw *h = handle;

	if (h->read_rc || h->no_bytes)
		return h->read_rc;
	if (region != REGION_CONFIG)
		return pread(h->bar, buf, n, (off_t)offset);
	memcpy(buf, h->config + offset, n);
	return (ssize_t)n;
}

static ssize_t region_write(void *handle, enum region_index region, const void *buf, size_t n,
			    uint64_t offset)
{
	struct hw *h = handle;

	if (h->write_rc || h->no_bytes)
		return h->write_rc;
	if (h->drop)
		return (ssize_t)n;
	if (region != REGION_CONFIG && offset >= BAR_SIZE)
		return -EIO;
	if (region != REGION_CONFIG)
		return pwrite(h->bar, buf, n, (off_t)offset);
	memcpy(h->config + offset, buf, n);
	return (ssize_t)n;
}

static int region_map(void *handle, enum region_index region, uint64_t offset, size_t n, void **map)
{
	struct hw *h = handle;

	assert_int_equal(region, 2);
	if (h->map_errno)
		return -h->map_errno;
	h->maps++;
	h->map_offset = offset;
	h->map_size = n;
	*map = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, h->bar, (off_t)offset);
	return *map == MAP_FAILED ? -errno : 0;
}

static int reset(void *handle)
{
	struct hw *h = handle;

	h->resets++;
	return h->reset_rc;
}

#define OPERATIONS                                                                    \
	.set_irqs = set_irqs, .region_info = region_info, .region_read = region_read, \
	.region_write = region_write

/* As vfio-pci does it, and as a peer that has its table in a region. */
static const struct device_ops kernel = { KERNEL_FACTS, OPERATIONS, .region_map = region_map,
					  .reset = reset };
static const struct device_ops by_region = { KERNEL_FACTS, OPERATIONS, .table_by_region = true };

static int peer_fd(void *handle)
{
	(void)handle;
	return -1;
}

/* Another process serves it. */
static const struct device_ops served = { PEER_FACTS, OPERATIONS, .peer_fd = peer_fd };

static void traced(void *ctx, const char *text)
{
	struct hw *h = ctx;

	append(h->told, sizeof(h->told), "%s\n", text);
}

static int setup(void **state)
{
	static const unsigned int count[NR_IRQ_INDEX] = { 1, 8, VECTORS, 1, 1 };
	struct hw *h = calloc(1, sizeof(*h));

	if (!h || loop_new(&h->d.loop))
		return -1;
	h->d.ready = device_vector_ready;
	h->bar = memfd_create("bar", MFD_CLOEXEC);
	assert_int_equal(ftruncate(h->bar, BAR_SIZE), 0);
	h->info = (struct region_info){
		.size = BAR_SIZE, .read = true, .write = true, .map = true, .msix_mappable = true
	};
	h->trace = (struct trace){ .line = traced, .ctx = h };
	h->config[PCI_COMMAND] = PCI_COMMAND_MEMORY;
	h->d.ops = &kernel;
	h->d.handle = h;
	h->d.trace = &h->trace;
	h->d.peer.fd = -1;
	h->d.info.reset = true;
	h->d.caps = (struct pci_caps){
		.has_pm = true,
		.pm_pos = PM_POS,
		.has_msi = true,
		.msi = { .pos = MSI_POS,
			 .is64 = true,
			 .maskable = true,
			 .mask_pos = MASK_POS,
			 .capable = 8 },
		.has_msix = true,
		.msix = { .pos = MSIX_POS,
			  .count = VECTORS,
			  .table_bar = 2,
			  .table_offset = TABLE,
			  .pba_bar = 2,
			  .pba_offset = PBA },
	};
	model_indexes(&h->d, count, IRQ_EVENTFD);
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	struct hw *h = *state;

	model_free(&h->d);
	if (h->d.table)
		munmap(h->d.table, h->d.table_map);
	close(h->bar);
	free(h);
	return 0;
}

static struct vector_set set_of(const char *text)
{
	struct vector_set s;
	enum vector_word word;

	assert_int_equal(vector_set_parse(text, &word, &s), 0);
	return s;
}

static struct change enable(struct hw *h, enum irq_index index, const char *vectors)
{
	struct vector_set which = set_of(vectors);
	struct change c = { 0 };
	struct error e;

	assert_int_equal(device_enable(&h->d, index, &which, (struct change_how){ 0 }, &c, &e), 0);
	return c;
}

static int mask(struct hw *h, enum irq_index index, const char *vectors, enum mask_way way, bool on,
		struct error *e)
{
	struct vector_set which = set_of(vectors);

	*e = (struct error){ 0 };
	return device_mask(&h->d, index, &which, way, on, e);
}

static void works(struct hw *h, enum irq_index index, const char *vectors, enum mask_way way,
		  bool on)
{
	struct error e;

	if (mask(h, index, vectors, way, on, &e))
		fail_msg("%s of %s: %s", on ? "mask" : "unmask", vectors, e.message);
}

static void said(const struct error *e, enum cause cause, int err, const char *message)
{
	if (!strstr(e->message, message))
		fail_msg("expected \"%s\" in \"%s\"", message, e->message);
	assert_int_equal(e->cause, cause);
	assert_int_equal(e->err, err);
}

static uint32_t bar(const struct hw *h, uint64_t at)
{
	uint32_t value = 0;

	assert_int_equal(pread(h->bar, &value, sizeof(value), (off_t)at), sizeof(value));
	return value;
}

static void put_bar(const struct hw *h, uint64_t at, uint64_t value)
{
	assert_int_equal(pwrite(h->bar, &value, sizeof(value), (off_t)at), sizeof(value));
}

static uint32_t control(const struct hw *h, unsigned int vector)
{
	return bar(h, TABLE + vector * 16ull + 12);
}

/* The bit of that vector alone, the other bits of its control word as they were; mapped once. */
static void masks_by_table(void **state)
{
	struct hw *h = *state;
	struct vector_set held;

	enable(h, IRQ_MSIX, "0-64");
	put_bar(h, TABLE + 3 * 16 + 12, 0xab00);
	h->trace.on = true;
	works(h, IRQ_MSIX, "1,3,64", MASK_NOT, true);
	assert_int_equal(control(h, 0), 0);
	assert_int_equal(control(h, 1), 1);
	assert_int_equal(control(h, 2), 0);
	assert_int_equal(control(h, 3), 0xab01);
	assert_int_equal(control(h, 64), 1);
	assert_int_equal(h->maps, 1);
	assert_int_equal(h->map_offset, 0x1000);
	assert_int_equal(h->map_size, 0x1000);
	assert_non_null(strstr(h->told, "store(table vector=3 control=0xab01) = 0"));
	held = device_masked(&h->d, IRQ_MSIX);
	assert_int_equal(vector_set_count(&held), 3);
	works(h, IRQ_MSIX, "3", MASK_NOT, false);
	assert_int_equal(control(h, 3), 0xab00);
	assert_int_equal(control(h, 1), 1);
	/* what is left is put back at the end */
	device_unmask_all(&h->d);
	assert_int_equal(control(h, 1), 0);
	assert_int_equal(control(h, 64), 0);
}

static void reads_table(void **state)
{
	struct hw *h = *state;
	struct msix_entry entry;
	uint32_t words[2] = { 0, 0x5a5a5a5a };
	struct error e;

	put_bar(h, TABLE + 64 * 16, 0x1fee00000ull);
	put_bar(h, TABLE + 64 * 16 + 8, 0x100000041ull);
	assert_int_equal(device_table_read(&h->d, 64, &entry, &e), 0);
	assert_true(entry.address == 0x1fee00000ull);
	assert_int_equal(entry.data, 0x41);
	assert_int_equal(entry.control, 1);
	assert_true(device_table_read(&h->d, 65, &entry, &e) < 0);
	said(&e, CAUSE_USAGE, 0, "the MSI-X table has 65 entries");
	h->d.ops = &by_region;
	assert_int_equal(device_entry_read(&h->d, 64, 3, words, 1), 0);
	assert_int_equal(words[0], 1);
	assert_int_equal(words[1], 0x5a5a5a5a);
	entry = (struct msix_entry){ 0 };
	assert_int_equal(device_table_read(&h->d, 64, &entry, &e), 0);
	assert_true(entry.address == 0x1fee00000ull);
	assert_int_equal(entry.control, 1);
}

/* By table is refused with the reason, and the best way that is left is the eventfd. */
static void no_table(struct hw *h, int err, const char *why)
{
	struct error e;

	assert_true(mask(h, IRQ_MSIX, "0", MASK_TABLE, true, &e) < 0);
	said(&e, CAUSE_FAILED, err, why);
	assert_int_equal(device_mask_way(&h->d, IRQ_MSIX), MASK_EVENTFD);
}

static void table_out_of_reach(void **state)
{
	struct hw *h = *state;

	h->info.map = false;
	enable(h, IRQ_MSIX, "0");
	no_table(h, EOPNOTSUPP, "the kernel does not let the MSI-X table in bar2 be mapped");
	h->info.map = true;
	h->info.msix_mappable = false;
	no_table(h, EOPNOTSUPP, "the kernel does not let the MSI-X table in bar2 be mapped");
	h->info.msix_mappable = true;
	h->info.size = 0x1fff;
	no_table(h, ERANGE, "the MSI-X table at 0x1040 runs over the end of bar2");
	h->info.size = 0x2000;
	h->map_errno = EINVAL;
	no_table(h, EINVAL, "the MSI-X table can't be mapped");
	h->map_errno = 0;
	h->info_errno = EINVAL;
	no_table(h, EINVAL, "bar2, which holds the MSI-X table, can't be asked for");
	h->info_errno = 0;
	h->d.caps.msix.truncated = true;
	no_table(h, 0, "the device has no MSI-X table that can be reached");
	h->d.caps.msix.truncated = false;
	h->d.caps.msix.table_bar = 6;
	no_table(h, 0, "the device has no MSI-X table that can be reached");
	h->d.caps.msix.table_bar = 2;
	h->d.caps.has_msix = false;
	no_table(h, 0, "the device has no MSI-X table that can be reached");
	h->d.caps.has_msix = true;
	assert_int_equal(h->maps, 0);
	assert_int_equal(device_mask_way(&h->d, IRQ_MSIX), MASK_TABLE);
}

static void table_sleeps(void **state)
{
	struct hw *h = *state;
	struct error e;

	enable(h, IRQ_MSIX, "0");
	h->config[PCI_COMMAND] = 0x04;
	assert_true(mask(h, IRQ_MSIX, "0", MASK_TABLE, true, &e) < 0);
	said(&e, CAUSE_FAILED, EIO, "memory decode is off (Command 0x0004)");
	assert_string_equal(e.hint, "write config 0x4 w 0x6");
	h->config[PCI_COMMAND] = 0x06;
	h->config[PM_POS + PCI_PM_CTRL] = 3;
	assert_true(mask(h, IRQ_MSIX, "0", MASK_TABLE, true, &e) < 0);
	said(&e, CAUSE_FAILED, EIO, "the device is in a low-power state (not D0)");
	assert_string_equal(e.hint, "write config 0x44 w 0");
	h->config[PM_POS + PCI_PM_CTRL] = h->config[PM_POS + PCI_PM_CTRL + 1] = 0xff;
	assert_true(mask(h, IRQ_MSIX, "0", MASK_TABLE, true, &e) < 0);
	said(&e, CAUSE_FAILED, EIO, "the device is in D3cold or gone");
}

static void table_keeps_nothing(void **state)
{
	struct hw *h = *state;
	struct error e;

	enable(h, IRQ_MSIX, "0-1");
	h->d.ops = &by_region;
	works(h, IRQ_MSIX, "1", MASK_TABLE, true);
	assert_int_equal(control(h, 1), 1);
	assert_int_equal(control(h, 0), 0);
	h->drop = true;
	assert_true(mask(h, IRQ_MSIX, "0", MASK_TABLE, true, &e) < 0);
	said(&e, CAUSE_FAILED, EIO, "msix 0: vector control reads 0x0 after 0x1 was written");
	/* a write that fails is told as that */
	h->drop = false;
	h->write_rc = -EIO;
	assert_true(mask(h, IRQ_MSIX, "0", MASK_TABLE, true, &e) < 0);
	assert_non_null(strstr(e.message, "the MSI-X table in the device's BAR does not answer"));
}

static void dry_masks(void **state)
{
	struct hw *h = *state;

	enable(h, IRQ_MSIX, "0-3");
	h->trace.dry_run = true;
	works(h, IRQ_MSIX, "2", MASK_TABLE, true);
	assert_int_equal(control(h, 2), 0);
	assert_string_equal(h->told, "would: store(table vector=2 control=0x1)\n");
	h->trace.dry_run = false;
	h->d.irq[IRQ_MSIX].enabled = false;
	enable(h, IRQ_MSI, "0-7");
	h->trace.dry_run = true;
	h->told[0] = '\0';
	works(h, IRQ_MSI, "5", MASK_BITS, true);
	assert_int_equal(h->config[MASK_POS], 0);
	assert_string_equal(h->told, "would: pwrite(config offset=0x60 size=4 value=0x00000020)\n");
}

/* The bit of that vector alone; capable says how many bits there are. */
static void masks_by_bits(void **state)
{
	struct hw *h = *state;
	struct error e;

	enable(h, IRQ_MSI, "0-7");
	h->config[MASK_POS + 2] = 0x55;
	works(h, IRQ_MSI, "0,7", MASK_NOT, true);
	assert_memory_equal(h->config + MASK_POS, "\x81\x00\x55\x00", 4);
	works(h, IRQ_MSI, "7", MASK_NOT, false);
	assert_memory_equal(h->config + MASK_POS, "\x01\x00\x55\x00", 4);
	h->write_rc = -EIO;
	assert_true(mask(h, IRQ_MSI, "1", MASK_BITS, true, &e) < 0);
	said(&e, CAUSE_FAILED, EIO, "the MSI mask bits can't be written");
	h->read_rc = -EFAULT;
	assert_true(mask(h, IRQ_MSI, "1", MASK_BITS, true, &e) < 0);
	said(&e, CAUSE_FAILED, EFAULT, "the MSI mask bits can't be read");
	h->read_rc = 2;
	assert_true(mask(h, IRQ_MSI, "1", MASK_BITS, true, &e) < 0);
	said(&e, CAUSE_FAILED, EIO, "the MSI mask bits can't be read");
	h->read_rc = h->write_rc = 0;
	h->d.caps.msi.capable = 4;
	assert_true(mask(h, IRQ_MSI, "4", MASK_BITS, true, &e) < 0);
	said(&e, CAUSE_USAGE, 0, "the MSI capability has 4 mask bits");
	works(h, IRQ_MSI, "3", MASK_BITS, true);
	h->d.caps.msi.maskable = false;
	assert_true(mask(h, IRQ_MSI, "2", MASK_BITS, true, &e) < 0);
	said(&e, CAUSE_FAILED, EOPNOTSUPP, "the MSI capability has no per-vector mask bits");
	assert_int_equal(device_mask_way(&h->d, IRQ_MSI), MASK_EVENTFD);
}

static void refuses_masks(void **state)
{
	struct hw *h = *state;
	struct error e;

	enable(h, IRQ_MSIX, "0-3");
	assert_true(mask(h, IRQ_MSIX, "2-5", MASK_NOT, true, &e) < 0);
	said(&e, CAUSE_FAILED, 0, "msix 4-5 not armed");
	assert_string_equal(e.hint, "enable msix 4-5");
	assert_true(mask(h, IRQ_MSIX, "3-4", MASK_NOT, true, &e) < 0);
	assert_string_equal(e.hint, "enable msix 4-4");
	assert_true(mask(h, IRQ_MSIX, "0", MASK_BITS, true, &e) < 0);
	said(&e, CAUSE_USAGE, 0, "--by bits is for msi, not for msix");
	assert_true(mask(h, IRQ_MSI, "0", MASK_TABLE, true, &e) < 0);
	said(&e, CAUSE_USAGE, 0, "--by table is for msix, not for msi");
	works(h, IRQ_MSIX, "1", MASK_EVENTFD, true);
	assert_true(mask(h, IRQ_MSIX, "1", MASK_TABLE, true, &e) < 0);
	said(&e, CAUSE_FAILED, 0, "msix 1 is masked by eventfd already");
	assert_string_equal(e.hint, "unmask msix 1");
	assert_true(mask(h, IRQ_MSIX, "1", MASK_TABLE, false, &e) < 0);
	said(&e, CAUSE_FAILED, 0, "msix 1 is masked by eventfd, not by table");
	/* a second mask leaves it as it is */
	works(h, IRQ_MSIX, "1", MASK_NOT, true);
	assert_int_equal(h->d.irq[IRQ_MSIX].vector[1]->masked, MASK_EVENTFD);
	h->set_rc = -ENOTTY;
	assert_true(mask(h, IRQ_MSIX, "2", MASK_ACTION, true, &e) < 0);
	said(&e, CAUSE_FAILED, ENOTTY, "the kernel has no MASK for msix");
	assert_string_equal(e.hint, "mask msix 2 --by table");
}

static void pends(struct hw *h, enum irq_index index, const char *text)
{
	struct vector_set pending;
	struct error e;
	char buf[64];

	assert_int_equal(device_pending(&h->d, index, &pending, &e), 0);
	assert_string_equal(vector_set_text(&pending, buf, sizeof(buf)), text);
}

static void does_not_tell(struct hw *h, enum irq_index index, int err, const char *why)
{
	struct vector_set pending;
	struct error e;

	assert_true(device_pending(&h->d, index, &pending, &e) < 0);
	said(&e, CAUSE_FAILED, err, why);
	assert_true(vector_set_empty(&pending));
}

static void tells_pending(void **state)
{
	struct hw *h = *state;

	put_bar(h, PBA, 1ull << 63 | 1ull << 40 | 1);
	put_bar(h, PBA + 8, 3);
	/* 65 vectors: the 66th bit is nobody's */
	pends(h, IRQ_MSIX, "0,40,63-64");
	h->config[MASK_POS + 4] = 0x81;
	pends(h, IRQ_MSI, "0,7");
	pends(h, IRQ_INTX, "none");
	h->config[PCI_STATUS] = PCI_STATUS_INTERRUPT;
	pends(h, IRQ_INTX, "0");
	h->config[PCI_STATUS] = (uint8_t)~PCI_STATUS_INTERRUPT;
	pends(h, IRQ_INTX, "none");
	does_not_tell(h, IRQ_ERR, EOPNOTSUPP, "err has no pending bits");
	does_not_tell(h, IRQ_REQ, EOPNOTSUPP, "req has no pending bits");
	h->d.caps.msi.maskable = false;
	does_not_tell(h, IRQ_MSI, EOPNOTSUPP, "the MSI capability has no pending bits");
	h->d.caps.msix.pba_bar = 6;
	does_not_tell(h, IRQ_MSIX, 0, "the device has no pending bit array that can be reached");
	h->d.caps.msix.pba_bar = 2;
	h->d.caps.msix.pba_offset = BAR_SIZE - 8;
	does_not_tell(h, IRQ_MSIX, EIO, "the pending bit array in bar2 can't be read");
	h->d.caps.msix.truncated = true;
	does_not_tell(h, IRQ_MSIX, 0, "the device has no pending bit array that can be reached");
	h->d.caps.msi.maskable = true;
	h->no_bytes = true;
	does_not_tell(h, IRQ_MSI, EIO, "the MSI pending bits can't be read");
	does_not_tell(h, IRQ_INTX, EIO, "the PCI status register can't be read");
	h->no_bytes = false;
	h->read_rc = -EFAULT;
	does_not_tell(h, IRQ_MSI, EFAULT, "the MSI pending bits can't be read");
	does_not_tell(h, IRQ_INTX, EFAULT, "the PCI status register can't be read");
	does_not_tell(h, IRQ_MSIX, EFAULT, "the device's config space can't be read");
}

static uint64_t reads(struct hw *h, enum region_index region, uint64_t at, unsigned int width)
{
	uint64_t value = 0;
	struct error e;

	if (device_read(&h->d, region, at, width, &value, &e))
		fail_msg("read of %u at 0x%x: %s", width, (unsigned int)at, e.message);
	return value;
}

static void reads_and_writes(void **state)
{
	struct hw *h = *state;
	struct error e;

	put_bar(h, 0x10, 0x8877665544332211ull);
	assert_true(reads(h, 2, 0x10, 8) == 0x8877665544332211ull);
	assert_true(reads(h, 2, 0x14, 4) == 0x88776655);
	assert_true(reads(h, 2, 0x12, 2) == 0x4433);
	assert_true(reads(h, 2, 0x13, 1) == 0x44);
	assert_int_equal(device_write(&h->d, 2, 0x14, 2, 0xbeef, &e), 0);
	assert_true(reads(h, 2, 0x10, 8) == 0x8877beef44332211ull);
	assert_int_equal(device_write(&h->d, 2, BAR_SIZE - 8, 8, UINT64_MAX - 1, &e), 0);
	assert_true(reads(h, 2, BAR_SIZE - 8, 8) == UINT64_MAX - 1);
	assert_int_equal(device_write(&h->d, 2, 0x20, 1, 0xff, &e), 0);
	assert_int_equal(device_write(&h->d, 2, 0x20, 1, 0x100, &e), -EINVAL);
	said(&e, CAUSE_USAGE, 0, "0x100 does not fit into 1 byte");
	assert_string_equal(e.message, "0x100 does not fit into 1 byte");
	assert_int_equal(device_write(&h->d, 2, 0x20, 4, 0x100000000, &e), -EINVAL);
	said(&e, CAUSE_USAGE, 0, "0x100000000 does not fit into 4 bytes");
	assert_true(reads(h, 2, 0x20, 4) == 0xff);
}

static void no_access(struct hw *h, enum region_index region, uint64_t at, unsigned int width,
		      enum cause cause, int err, const char *why)
{
	uint64_t value;
	struct error e;

	assert_true(device_read(&h->d, region, at, width, &value, &e) < 0);
	said(&e, cause, err, why);
	assert_true(device_write(&h->d, region, at, width, 0, &e) < 0);
	said(&e, cause, err, why);
}

static void refuses_access(void **state)
{
	struct hw *h = *state;

	no_access(h, 0, 0, 4, CAUSE_FAILED, 0, "the device has no bar0");
	no_access(h, 2, BAR_SIZE, 1, CAUSE_USAGE, 0, "bar2 ends at 0x4000, 0x4000 is beyond");
	no_access(h, 2, BAR_SIZE - 4, 8, CAUSE_USAGE, 0, "bar2 ends at 0x4000, 0x3ffc is beyond");
	no_access(h, 2, UINT64_MAX - 3, 4, CAUSE_USAGE, 0, "is beyond");
	no_access(h, 2, 0x12, 4, CAUSE_USAGE, 0, "0x12 is not aligned to 4 bytes");
	h->info_errno = EINVAL;
	no_access(h, 2, 0, 4, CAUSE_FAILED, 0, "the device has no bar2");
	h->info_errno = EIO;
	no_access(h, 2, 0, 4, CAUSE_FAILED, EIO, "VFIO_DEVICE_GET_REGION_INFO of bar2 failed");
	h->info_errno = 0;
	h->no_bytes = true;
	no_access(h, REGION_CONFIG, 0x10, 4, CAUSE_FAILED, EIO, "config 0x10 can't be accessed");
	h->no_bytes = false;
	h->read_rc = h->write_rc = -EPERM;
	no_access(h, 2, 0x10, 4, CAUSE_PERMISSION, EPERM, "bar2 0x10 can't be accessed");
	h->read_rc = h->write_rc = 0;
	h->info.size = 2ull * BAR_SIZE;
	no_access(h, 2, BAR_SIZE, 4, CAUSE_FAILED, EIO, "bar2 0x4000 can't be accessed");
	h->config[PCI_COMMAND] = 0;
	no_access(h, 2, BAR_SIZE, 4, CAUSE_FAILED, EIO, "memory decode is off");
}

static void forbids(struct hw *h, uint64_t at, const char *which)
{
	char why[64], said_hint[96];
	struct error e;
	int rc = device_write(&h->d, REGION_CONFIG, at, 1, 0, &e);

	if (!which) {
		if (rc)
			fail_msg("0x%x: %s", (unsigned int)at, e.message);
		return;
	}
	assert_true(rc < 0);
	snprintf(why, sizeof(why), "0x%x is in the %s capability", (unsigned int)at, which);
	said(&e, CAUSE_FAILED, 0, why);
	snprintf(said_hint, sizeof(said_hint), "enable %s COUNT, disable %s, or mask %s VECTORS",
		 which, which, which);
	assert_string_equal(e.hint, said_hint);
}

/* PCI Local Bus 3.0, figures 6-9 and 6-10: MSI takes 10, 14, 20 or 24 bytes, MSI-X 12. */
static void guards_capabilities(void **state)
{
	static const struct {
		bool is64, maskable;
		unsigned int size;
	} forms[] = {
		{ false, false, 10 }, { true, false, 14 }, { false, true, 20 }, { true, true, 24 }
	};
	struct hw *h = *state;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		h->d.caps.msi.is64 = forms[i].is64;
		h->d.caps.msi.maskable = forms[i].maskable;
		forbids(h, MSI_POS - 1, NULL);
		forbids(h, MSI_POS, "msi");
		forbids(h, MSI_POS + forms[i].size - 1, "msi");
		forbids(h, MSI_POS + forms[i].size, NULL);
	}
	forbids(h, MSIX_POS - 1, NULL);
	forbids(h, MSIX_POS, "msix");
	forbids(h, MSIX_POS + 11, "msix");
	forbids(h, MSIX_POS + 12, NULL);
	h->d.caps.has_msi = h->d.caps.has_msix = false;
	forbids(h, MSI_POS, NULL);
	forbids(h, MSIX_POS, NULL);
}

static void guards_table(void **state)
{
	const uint64_t end = TABLE + (uint64_t)VECTORS * 16;
	struct hw *h = *state;
	struct error e;

	assert_int_equal(device_write(&h->d, 2, TABLE - 4, 4, 0, &e), 0);
	assert_int_equal(device_write(&h->d, 2, end, 4, 0, &e), 0);
	assert_true(device_write(&h->d, 2, TABLE, 4, 0, &e) < 0);
	said(&e, CAUSE_FAILED, 0,
	     "bar2 0x1040 is in the MSI-X table, where the kernel drops writes");
	assert_string_equal(e.hint, "mask msix VECTORS --by table");
	assert_true(device_write(&h->d, 2, end - 4, 4, 0, &e) < 0);
	h->d.ops = &served;
	assert_int_equal(device_write(&h->d, 2, TABLE, 4, 7, &e), 0);
	assert_int_equal(bar(h, TABLE), 7);
	h->d.ops = &kernel;
	h->d.caps.has_msix = false;
	assert_int_equal(device_write(&h->d, 2, TABLE, 4, 0, &e), 0);
}

/* A reset clears masks that the device keeps, not those that are made by taking the eventfd off. */
static void resets(void **state)
{
	struct hw *h = *state;
	struct change c = { 0 };
	struct error e;

	enable(h, IRQ_MSIX, "0-2");
	works(h, IRQ_MSIX, "0", MASK_TABLE, true);
	works(h, IRQ_MSIX, "1", MASK_EVENTFD, true);
	h->trace.dry_run = true;
	assert_int_equal(device_reset(&h->d, &c, &e), 0);
	assert_string_equal(h->told, "would: VFIO_DEVICE_RESET()\n");
	assert_int_equal(h->resets, 0);
	h->trace.dry_run = false;
	h->d.irq[IRQ_MSIX].vector[0]->masked = MASK_TABLE;
	h->reset_rc = -EBUSY;
	assert_true(device_reset(&h->d, &c, &e) < 0);
	said(&e, CAUSE_BUSY, EBUSY, "VFIO_DEVICE_RESET failed");
	assert_int_equal(h->d.irq[IRQ_MSIX].vector[0]->masked, MASK_TABLE);
	h->reset_rc = 0;
	assert_int_equal(device_reset(&h->d, &c, &e), 0);
	assert_int_equal(h->resets, 2);
	assert_int_equal(h->d.irq[IRQ_MSIX].vector[0]->masked, MASK_NOT);
	assert_int_equal(h->d.irq[IRQ_MSIX].vector[1]->masked, MASK_EVENTFD);
	h->d.info.reset = false;
	assert_true(device_reset(&h->d, &c, &e) < 0);
	said(&e, CAUSE_FAILED, 0, "the device offers no reset");
	assert_int_equal(h->resets, 2);
}

static bool mastering(const struct hw *h)
{
	return h->config[PCI_COMMAND] & PCI_COMMAND_MASTER;
}

/* On while messages are to be sent, and put back with the last that sends them; ERR and REQ send none. */
static void bus_mastering(void **state)
{
	struct hw *h = *state;
	struct change c;
	struct error e;

	c = enable(h, IRQ_ERR, "0");
	assert_false(mastering(h) || c.bus_master_on);
	c = enable(h, IRQ_MSIX, "0-1");
	assert_true(mastering(h) && c.bus_master_on);
	assert_int_equal(h->config[PCI_COMMAND], PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	c = (struct change){ 0 };
	assert_int_equal(device_disable(&h->d, IRQ_ERR, &c, &e), 0);
	assert_true(mastering(h) && !c.bus_master_off);
	c = enable(h, IRQ_ERR, "0");
	assert_true(mastering(h));
	c = enable(h, IRQ_MSIX, "2");
	assert_true(mastering(h) && !c.bus_master_on);
	assert_int_equal(device_disable(&h->d, IRQ_MSIX, &c, &e), 0);
	assert_true(!mastering(h) && c.bus_master_off);
	assert_int_equal(h->config[PCI_COMMAND], PCI_COMMAND_MEMORY);
	/* somebody had turned it on: not ours to turn off */
	h->config[PCI_COMMAND] |= PCI_COMMAND_MASTER;
	c = enable(h, IRQ_MSI, "0");
	assert_false(c.bus_master_on);
	assert_int_equal(device_disable(&h->d, IRQ_MSI, &c, &e), 0);
	assert_true(mastering(h));
	/* turned off by somebody meanwhile, and on again: that is his */
	h->config[PCI_COMMAND] = PCI_COMMAND_MEMORY;
	c = enable(h, IRQ_MSI, "0");
	h->config[PCI_COMMAND] = PCI_COMMAND_MEMORY;
	assert_int_equal(device_bus_master(&h->d, false), 0);
	h->config[PCI_COMMAND] |= PCI_COMMAND_MASTER;
	assert_int_equal(device_bus_master(&h->d, false), 0);
	assert_true(mastering(h));
	h->config[PCI_COMMAND] = PCI_COMMAND_MEMORY;
	h->write_rc = -EACCES;
	assert_int_equal(device_bus_master(&h->d, true), -EACCES);
	h->write_rc = 1;
	assert_int_equal(device_bus_master(&h->d, true), -EIO);
	h->read_rc = -EFAULT;
	assert_int_equal(device_bus_master(&h->d, true), -EFAULT);
}

static void closed(void *handle)
{
	(void)handle;
}

/* Behind a dry run all is as before: what is on, allocated, armed, masked, and bus mastering. */
static void rehearses(void **state)
{
	struct hw *h = *state;
	const struct index *ix = &h->d.irq[IRQ_MSIX];
	struct vector_set six = set_of("0-5");
	struct change c = { 0 };
	struct error e;

	h->d.irq[IRQ_MSIX].info.flags |= IRQ_NORESIZE;
	enable(h, IRQ_MSIX, "0-3");
	works(h, IRQ_MSIX, "1", MASK_TABLE, true);
	h->trace.dry_run = true;
	assert_int_equal(device_dry_begin(&h->d, &e), 0);
	assert_int_equal(device_disable(&h->d, IRQ_MSIX, &c, &e), 0);
	assert_false(ix->enabled || ix->vector[0]->armed);
	assert_int_equal(device_enable(&h->d, IRQ_MSIX, &six, (struct change_how){ 0 }, &c, &e), 0);
	assert_int_equal(vector_set_count(&ix->allocated), 6);
	device_dry_end(&h->d);
	h->trace.dry_run = false;
	assert_true(ix->enabled);
	assert_int_equal(vector_set_count(&ix->allocated), 4);
	for (unsigned int v = 0; v < 6; v++)
		assert_int_equal(ix->vector[v] && ix->vector[v]->armed, v < 4);
	assert_int_equal(ix->vector[1]->masked, MASK_TABLE);
	assert_int_equal(ix->vector[2]->masked, MASK_NOT);
	assert_true(h->d.bus_master_on && mastering(h));
	/* without a dry run nothing is remembered, and nothing put back */
	assert_int_equal(device_dry_begin(&h->d, &e), 0);
	works(h, IRQ_MSIX, "2", MASK_TABLE, true);
	device_dry_end(&h->d);
	assert_int_equal(ix->vector[2]->masked, MASK_TABLE);
}

/* Of each index. */
static void dry_runs_any(void **state)
{
	static const enum irq_index any[] = { IRQ_INTX, IRQ_MSI, IRQ_MSIX, IRQ_ERR };
	struct hw *h = *state;
	struct change c = { 0 };
	struct error e;

	for (size_t i = 0; i < ARRAY_SIZE(any); i++) {
		enable(h, any[i], "0");
		h->trace.dry_run = true;
		assert_int_equal(device_dry_begin(&h->d, &e), 0);
		assert_int_equal(device_disable(&h->d, any[i], &c, &e), 0);
		assert_false(h->d.irq[any[i]].enabled);
		device_dry_end(&h->d);
		h->trace.dry_run = false;
		assert_true(h->d.irq[any[i]].enabled && h->d.irq[any[i]].vector[0]->armed);
		assert_int_equal(device_disable(&h->d, any[i], &c, &e), 0);
	}
}

static int pipe_end;
static bool peer_went;

static int pipe_of(void *handle)
{
	(void)handle;
	return pipe_end;
}

static int peer_reads(void *handle)
{
	char byte;

	(void)handle;
	return read(pipe_end, &byte, 1) == 1 ? 0 : -ENOTCONN;
}

static int peer_end(void *handle, struct error *e)
{
	(void)handle;
	return peer_went ? (fail)(e, CAUSE_BUSY, ENOTCONN, "the peer went") : 0;
}

static void lost(void *ctx)
{
	++*(int *)ctx;
}

static const struct backend door = { .name = "door", .close = closed };

/* A peer that says something is there; one that goes is told once, and why. */
static void loses_its_peer(void **state)
{
	static const struct device_ops peer = { PEER_FACTS, OPERATIONS, .peer_fd = pipe_of,
						.peer_ready = peer_reads, .peer_end = peer_end };
	struct hw *h = *state;
	struct vector_set pending;
	struct error e = { 0 };
	int ends[2], told = 0;
	uint64_t value;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pipe_end = ends[0];
	peer_went = false;
	h->d.backend = &door;
	h->d.ops = &peer;
	h->d.events = (struct device_events){ .lost = lost, .ctx = &told };
	h->d.peer = (struct source){ .fd = -1, .ready = device_peer_ready, .owner = &h->d };
	assert_int_equal(device_peer_listen(&h->d, &e), 0);
	enable(h, IRQ_MSIX, "0");
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_true(loop_wait(h->d.loop, 0) >= 0);
	assert_int_equal(told, 0);
	assert_int_equal(device_here(&h->d, &e), 0);
	/* while it is there, a failed access is no loss */
	h->read_rc = -EPERM;
	assert_true(device_pending(&h->d, IRQ_INTX, &pending, &e) < 0);
	said(&e, CAUSE_FAILED, EPERM, "the PCI status register can't be read");
	peer_went = true;
	assert_true(device_pending(&h->d, IRQ_INTX, &pending, &e) < 0);
	said(&e, CAUSE_BUSY, ENOTCONN, "region access: the peer went");
	h->info_errno = EIO;
	assert_true(device_read(&h->d, 2, 0, 4, &value, &e) < 0);
	said(&e, CAUSE_BUSY, ENOTCONN, "GET_REGION_INFO: the peer went");
	h->info_errno = 0;
	close(ends[1]);
	assert_true(loop_wait(h->d.loop, 0) >= 0);
	assert_int_equal(told, 1);
	assert_true(device_here(&h->d, &e) < 0);
	said(&e, CAUSE_BUSY, ENODEV, "the peer went");
	assert_false(h->d.irq[IRQ_MSIX].enabled);
	assert_int_equal(loop_wait(h->d.loop, 0), 0);
	/* it cannot be heard */
	h->d.handle = h;
	close(ends[0]);
	assert_true(device_peer_listen(&h->d, &e) < 0);
	said(&e, CAUSE_FAILED, EBADF, "the peer can't be listened to");
	assert_int_equal(h->d.peer.fd, -1);
}

/* The end puts back what was turned on: masks, bus mastering. */
static void ends(void **state)
{
	struct hw *h = *state;

	h->d.backend = &door;
	h->d.ops = &by_region;
	enable(h, IRQ_MSIX, "0-1");
	works(h, IRQ_MSIX, "1", MASK_TABLE, true);
	device_undo(&h->d, true);
	assert_false(mastering(h));
	assert_int_equal(control(h, 1), 0);
	assert_null(h->d.handle);
	assert_false(h->d.irq[IRQ_MSIX].enabled);
	/* taken away by the kernel: nothing is said to the device any more */
	h->d.handle = h;
	enable(h, IRQ_MSIX, "0-1");
	works(h, IRQ_MSIX, "1", MASK_TABLE, true);
	device_undo(&h->d, false);
	assert_true(mastering(h));
	assert_int_equal(control(h, 1), 1);
	h->d.handle = h;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(masks_by_table, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_table, setup, teardown),
		cmocka_unit_test_setup_teardown(table_out_of_reach, setup, teardown),
		cmocka_unit_test_setup_teardown(table_sleeps, setup, teardown),
		cmocka_unit_test_setup_teardown(table_keeps_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(dry_masks, setup, teardown),
		cmocka_unit_test_setup_teardown(masks_by_bits, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_masks, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_pending, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_and_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_access, setup, teardown),
		cmocka_unit_test_setup_teardown(guards_capabilities, setup, teardown),
		cmocka_unit_test_setup_teardown(guards_table, setup, teardown),
		cmocka_unit_test_setup_teardown(resets, setup, teardown),
		cmocka_unit_test_setup_teardown(bus_mastering, setup, teardown),
		cmocka_unit_test_setup_teardown(ends, setup, teardown),
		cmocka_unit_test_setup_teardown(rehearses, setup, teardown),
		cmocka_unit_test_setup_teardown(dry_runs_any, setup, teardown),
		cmocka_unit_test_setup_teardown(loses_its_peer, setup, teardown),
	};

	return cmocka_run_group_tests_name("device-registers", tests, NULL, NULL);
}
