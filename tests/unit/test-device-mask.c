// SPDX-License-Identifier: GPL-2.0-or-later
/* Vectors held back: what goes to the kernel, to a peer or to the device for it, and what is left at the end. */
#include "device-rig.h"

static int mask(struct rig *r, enum irq_index index, const char *vectors, enum mask_way way,
		bool on, struct error *e)
{
	struct vector_set which = rig_set(vectors);

	*e = (struct error){ 0 };
	return device_mask(&r->d, index, &which, way, on, e);
}

static void works(struct rig *r, enum irq_index index, const char *vectors, enum mask_way way,
		  bool on)
{
	struct error e;

	if (mask(r, index, vectors, way, on, &e))
		fail_msg("%s of %s: %s", on ? "mask" : "unmask", vectors, e.message);
}

/* SET_IRQS number @i, in words. */
static void sent(const struct rig *r, unsigned int i, const char *text)
{
	char buf[256];

	assert_true(i < r->sets);
	assert_string_equal(irq_set_text(&r->set[i], buf, sizeof(buf)), text);
}

/* Its own entry is read and written, the other bits of Vector Control stay. */
static void by_table(void **state)
{
	struct rig *r = *state;

	rig_enable(r, IRQ_MSIX, "0-9");
	rig_control(r, 9)[1] = 0xab;
	rig_control(r, 3)[1] = 0xcd;
	works(r, IRQ_MSIX, "9", MASK_TABLE, true);
	assert_memory_equal(rig_control(r, 9), "\x01\xab\x00\x00", 4);
	works(r, IRQ_MSIX, "9", MASK_TABLE, false);
	assert_memory_equal(rig_control(r, 9), "\x00\xab\x00\x00", 4);
	rig_control(r, 9)[2] = 0x12;
	rig_control(r, 9)[3] = 0x34;
	works(r, IRQ_MSIX, "9", MASK_TABLE, true);
	assert_memory_equal(rig_control(r, 9), "\x01\xab\x12\x34", 4);
	assert_int_equal(rig_control(r, 3)[0], 0);
}

/* An entry that is not there, or is not read: what is not known is not written. */
static void by_table_that_fails(void **state)
{
	const uint64_t entry = 9ull * MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL;
	struct rig *r = *state;
	struct error e;

	rig_enable(r, IRQ_MSIX, "0-9");
	rig_refuse(r, (struct rig_access){ false, (enum region_index)2, entry, 4 }, 0, -EIO);
	assert_int_equal(mask(r, IRQ_MSIX, "9", MASK_TABLE, true, &e), -EFAULT);
	/* read back after the write */
	rig_refuse(r, (struct rig_access){ false, (enum region_index)2, entry, 4 }, 1, -EIO);
	assert_int_equal(mask(r, IRQ_MSIX, "9", MASK_TABLE, true, &e), -EFAULT);
	rig_refuse(r, (struct rig_access){ 0 }, 0, 0);
	r->d.caps.msix.count = 9;
	assert_int_equal(mask(r, IRQ_MSIX, "9", MASK_TABLE, true, &e), -EINVAL);
	rig_said(&e, CAUSE_USAGE, 0, "the MSI-X table has 9 entries");
	rig_is(device_masked(&r->d, IRQ_MSIX), "none");
	works(r, IRQ_MSIX, "8", MASK_TABLE, true);
}

/* Read back: a device that keeps nothing is told. */
static void by_bits_that_stay(void **state)
{
	static const struct rig_access read = { false, REGION_CONFIG, RIG_BITS, 4 };
	struct rig *r = *state;
	struct error e;

	rig_enable(r, IRQ_MSI, "0-9");
	r->unresponsive_writes = true;
	assert_int_equal(mask(r, IRQ_MSI, "9", MASK_BITS, true, &e), -EIO);
	rig_said(&e, CAUSE_FAILED, EIO, "msi 9: the mask bits read 0x0 after 0x200 was written");
	r->unresponsive_writes = false;
	rig_refuse(r, read, 1, -EFAULT);
	assert_int_equal(mask(r, IRQ_MSI, "9", MASK_BITS, true, &e), -EFAULT);
	rig_said(&e, CAUSE_FAILED, EFAULT, "the MSI mask bits can't be read");
	rig_refuse(r, read, 1, 2);
	assert_int_equal(mask(r, IRQ_MSI, "9", MASK_BITS, true, &e), -EIO);
	rig_refuse(r, (struct rig_access){ 0 }, 0, 0);
	rig_is(device_masked(&r->d, IRQ_MSI), "none");
	works(r, IRQ_MSI, "9", MASK_BITS, true);
	assert_memory_equal(r->config + RIG_BITS, "\x00\x02\x00\x00", 4);
	/* another bit that changed meanwhile is none of this vector's */
	r->config[RIG_BITS] = 0x80;
	works(r, IRQ_MSI, "9", MASK_BITS, false);
	assert_memory_equal(r->config + RIG_BITS, "\x80\x00\x00\x00", 4);
}

/* The kernel's MASK is believed: one call for each vector. */
static void by_the_kernels_action(void **state)
{
	struct rig *r = *state;
	struct error e;

	rig_enable(r, IRQ_MSIX, "0-3");
	r->sets = 0;
	works(r, IRQ_MSIX, "1-2", MASK_ACTION, true);
	assert_int_equal(r->sets, 2);
	sent(r, 0, "index=msix start=1 count=1 DATA_NONE|ACTION_MASK");
	sent(r, 1, "index=msix start=2 count=1 DATA_NONE|ACTION_MASK");
	rig_is(device_masked(&r->d, IRQ_MSIX), "1-2");
	assert_int_equal(mask(r, IRQ_MSIX, "1", MASK_TABLE, false, &e), -EINVAL);
	rig_said(&e, CAUSE_FAILED, 0, "msix 1 is masked by action, not by table");
	works(r, IRQ_MSIX, "1", MASK_NOT, false);
	sent(r, 2, "index=msix start=1 count=1 DATA_NONE|ACTION_UNMASK");
	/* without the action, the hint is the way that there is */
	rig_disable(r, IRQ_MSIX);
	rig_enable(r, IRQ_INTX, "0");
	r->set_rc[r->sets] = -ENOTTY;
	assert_int_equal(mask(r, IRQ_INTX, "0", MASK_ACTION, true, &e), -ENOTTY);
	rig_said(&e, CAUSE_FAILED, ENOTTY, "the kernel has no MASK for intx");
	assert_string_equal(e.hint, "mask intx 0 --by eventfd");
}

/* A peer's MASK is looked at in the device, and taken back where it did nothing. */
static void by_a_peers_action(void **state)
{
	struct rig *r = *state;
	struct error e;

	r->d.ops = &rig_peer;
	rig_enable(r, IRQ_MSIX, "0-4");
	*rig_control(r, 1) = 1;
	r->sets = 0;
	assert_int_equal(mask(r, IRQ_MSIX, "1,3", MASK_ACTION, true, &e), -EINVAL);
	rig_said(&e, CAUSE_FAILED, 0,
		 "the peer accepted MASK, but msix 3 still reads unmasked in the device");
	assert_string_equal(e.hint, "mask msix 3 --by table");
	assert_int_equal(r->sets, 4);
	sent(r, 0, "index=msix start=1 count=1 DATA_NONE|ACTION_MASK");
	sent(r, 1, "index=msix start=3 count=1 DATA_NONE|ACTION_MASK");
	sent(r, 2, "index=msix start=1 count=1 DATA_NONE|ACTION_UNMASK");
	sent(r, 3, "index=msix start=3 count=1 DATA_NONE|ACTION_UNMASK");
	rig_is(device_masked(&r->d, IRQ_MSIX), "none");
	/* what can't be looked at is believed */
	rig_refuse(r, (struct rig_access){ false, (enum region_index)2, 0, 0 }, 0, -EIO);
	works(r, IRQ_MSIX, "1,3", MASK_ACTION, true);
	rig_is(device_masked(&r->d, IRQ_MSIX), "1,3");
	rig_refuse(r, (struct rig_access){ 0 }, 0, 0);
	/* The second of two fails, so none is said to be masked. */
	r->set_rc[r->sets + 1] = -EPERM;
	assert_int_equal(mask(r, IRQ_MSIX, "0,2", MASK_ACTION, true, &e), -EPERM);
	rig_is(device_masked(&r->d, IRQ_MSIX), "1,3");
	/* INTx has no mask bits: there its action is believed */
	rig_disable(r, IRQ_MSIX);
	rig_enable(r, IRQ_INTX, "0");
	works(r, IRQ_INTX, "0", MASK_ACTION, true);
	rig_is(device_masked(&r->d, IRQ_INTX), "0");
}

/* Taken off and given again: the eventfd of that vector alone. */
static void by_eventfd(void **state)
{
	struct rig *r = *state;
	int fd;

	rig_enable(r, IRQ_MSIX, "0-3");
	r->sets = 0;
	works(r, IRQ_MSIX, "2", MASK_EVENTFD, true);
	sent(r, 0,
	     "index=msix start=2 count=1 DATA_EVENTFD|ACTION_TRIGGER eventfds=none others=-1");
	rig_is(device_armed(&r->d, IRQ_MSIX), "0-1,3");
	works(r, IRQ_MSIX, "2", MASK_NOT, false);
	sent(r, 1, "index=msix start=2 count=1 DATA_EVENTFD|ACTION_TRIGGER eventfds=2");
	rig_is(device_armed(&r->d, IRQ_MSIX), "0-3");
	assert_int_equal(r->sets, 2);
	/* One that is not held back keeps the eventfd that it has: a new one could lose what comes meanwhile. */
	r->d.caps.msix.truncated = true;
	fd = r->d.irq[IRQ_MSIX].vector[1]->source.fd;
	works(r, IRQ_MSIX, "1", MASK_NOT, false);
	assert_int_equal(r->sets, 2);
	assert_int_equal(r->d.irq[IRQ_MSIX].vector[1]->source.fd, fd);
	works(r, IRQ_MSIX, "1", MASK_NOT, true);
	assert_int_equal(r->sets, 3);
	assert_int_equal(r->d.irq[IRQ_MSIX].vector[1]->masked, MASK_EVENTFD);
}

/* What came meanwhile left a level interrupt masked in VFIO: it is unmasked with its new eventfd. */
static void a_line_by_eventfd(void **state)
{
	static const uint32_t flags[] = { 0, IRQ_MASKABLE, IRQ_AUTOMASKED,
					  IRQ_MASKABLE | IRQ_AUTOMASKED };
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		r->d.irq[IRQ_INTX].info.flags = IRQ_EVENTFD | flags[i];
		rig_enable(r, IRQ_INTX, "0");
		r->sets = 0;
		works(r, IRQ_INTX, "0", MASK_EVENTFD, true);
		works(r, IRQ_INTX, "0", MASK_EVENTFD, false);
		sent(r, 1, "index=intx start=0 count=1 DATA_EVENTFD|ACTION_TRIGGER eventfds=0");
		assert_int_equal(r->sets, i == 3 ? 3 : 2);
		if (i == 3)
			sent(r, 2, "index=intx start=0 count=1 DATA_NONE|ACTION_UNMASK");
		rig_disable(r, IRQ_INTX);
	}
}

/* The best way that there is, for each index. */
static void the_way(void **state)
{
	struct rig *r = *state;

	assert_int_equal(device_mask_way(&r->d, IRQ_MSIX), MASK_TABLE);
	assert_int_equal(device_mask_way(&r->d, IRQ_MSI), MASK_BITS);
	assert_int_equal(device_mask_way(&r->d, IRQ_INTX), MASK_EVENTFD);
	assert_int_equal(device_mask_way(&r->d, IRQ_ERR), MASK_EVENTFD);
	r->d.irq[IRQ_INTX].info.flags |= IRQ_MASKABLE;
	assert_int_equal(device_mask_way(&r->d, IRQ_INTX), MASK_ACTION);
	r->d.caps.has_msi = false;
	assert_int_equal(device_mask_way(&r->d, IRQ_MSI), MASK_EVENTFD);
	assert_string_equal(mask_way_word(MASK_NOT), "none");
	assert_string_equal(mask_way_word(MASK_EVENTFD), "eventfd");
	assert_string_equal(mask_way_word(NR_MASK_WAY), "?");
}

static void not_at_all(void **state)
{
	struct rig *r = *state;
	struct error e;

	rig_enable(r, IRQ_MSIX, "0");
	rig_enable(r, IRQ_REQ, "0");
	assert_int_equal(mask(r, IRQ_REQ, "0", MASK_EVENTFD, true, &e), -EINVAL);
	rig_said(&e, CAUSE_FAILED, 0, "req is how the kernel asks for the device back");
	r->d.irq[IRQ_MSI].present = false;
	assert_int_equal(mask(r, IRQ_MSI, "0", MASK_NOT, true, &e), -ENODEV);
	rig_said(&e, CAUSE_FAILED, 0, "the device has no msi");
	r->d.handle = NULL;
	assert_int_equal(mask(r, IRQ_MSIX, "0", MASK_NOT, true, &e), -ENODEV);
	rig_said(&e, CAUSE_NO_DEVICE, ENODEV, "the device is no longer open");
	r->d.handle = r;
}

/* At the end masks of the device are put back, and a peer's; those by eventfd and the kernel's go by themselves. */
static void at_the_end(void **state)
{
	struct rig *r = *state;

	rig_enable(r, IRQ_MSIX, "0-5");
	works(r, IRQ_MSIX, "0", MASK_EVENTFD, true);
	works(r, IRQ_MSIX, "1", MASK_ACTION, true);
	works(r, IRQ_MSIX, "2,5", MASK_TABLE, true);
	r->sets = 0;
	device_unmask_all(&r->d);
	assert_int_equal(r->sets, 0);
	assert_int_equal(*rig_control(r, 2) + *rig_control(r, 5), 0);
	assert_string_equal(r->d.left, "");
	rig_disable(r, IRQ_MSIX);
	r->d.ops = &rig_peer;
	rig_enable(r, IRQ_MSIX, "0-5");
	*rig_control(r, 1) = 1;
	works(r, IRQ_MSIX, "1", MASK_ACTION, true);
	r->sets = 0;
	device_unmask_all(&r->d);
	assert_int_equal(r->sets, 1);
	sent(r, 0, "index=msix start=1 count=1 DATA_NONE|ACTION_UNMASK");
}

/* A mask that stays is told, once for its index. */
static void left_at_the_end(void **state)
{
	struct rig *r = *state;
	char text[64];

	rig_enable(r, IRQ_MSIX, "0-5");
	works(r, IRQ_MSIX, "2-3", MASK_TABLE, true);
	r->unresponsive_writes = true;
	device_unmask_all(&r->d);
	snprintf(text, sizeof(text), "masks (%s)", strerror(EIO));
	assert_string_equal(r->d.left, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_table, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(by_table_that_fails, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(by_bits_that_stay, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(by_the_kernels_action, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(by_a_peers_action, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(by_eventfd, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_line_by_eventfd, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(the_way, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(not_at_all, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(at_the_end, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(left_at_the_end, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests_name("device-mask", tests, NULL, NULL);
}
