// SPDX-License-Identifier: GPL-2.0-or-later
/* Registers that a peer leaves to its client: reads and writes at their edges, and BARs that cannot answer. */
#include "device-rig.h"

#define BAR2	    ((enum region_index)2)
#define CONTROL	    (RIG_MSIX + PCI_MSIX_FLAGS)
#define MSI_CONTROL (RIG_MSI + PCI_MSI_FLAGS)

static int peer_setup(void **state)
{
	int rc = rig_setup(state);
	struct rig *r = *state;

	r->d.ops = &rig_peer;
	rig_put16(r, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	return rc;
}

static void set_masks(struct rig *r, const char *vectors)
{
	struct vector_set which = rig_set(vectors);

	for (unsigned int v = 0; v < RIG_VECTORS; v++)
		*rig_control(r, v) = vector_set_has(&which, v);
}

static int read_masks(struct rig *r, enum irq_index index, const char *vectors,
		      struct vector_set *masked, struct error *e)
{
	struct vector_set which = rig_set(vectors);

	*e = (struct error){ 0 };
	return device_masks_read(&r->d, index, &which, masked, e);
}

/* The bits of those that are asked for, in one access or out of a mapping. */
static void masks_are_read(void **state)
{
	struct rig *r = *state;
	struct vector_set masked;
	struct error e;

	set_masks(r, "0,2,5,9");
	r->accesses = 0;
	assert_int_equal(read_masks(r, IRQ_MSIX, "1-6", &masked, &e), 0);
	rig_is(masked, "2,5");
	assert_int_equal(r->accesses, 2);
	assert_int_equal(r->seen[1].at, MSIX_ENTRY_SIZE);
	assert_int_equal(r->seen[1].n, 6 * MSIX_ENTRY_SIZE);
	assert_int_equal(read_masks(r, IRQ_MSIX, "2,9,15", &masked, &e), 0);
	rig_is(masked, "2,9");
	r->config[RIG_BITS + 1] = 0x22;
	assert_int_equal(read_masks(r, IRQ_MSI, "8-9,14", &masked, &e), 0);
	rig_is(masked, "9");
	r->d.ops = &rig_mapped;
	r->bar_size = 0x10000;
	assert_int_equal(read_masks(r, IRQ_MSIX, "1-6,9", &masked, &e), 0);
	rig_is(masked, "2,5,9");
}

static void masks_are_not_read(void **state)
{
	struct rig *r = *state;
	struct vector_set masked, none = { .bits = { 0 } };
	struct error e = { 0 };

	assert_int_equal(device_masks_read(&r->d, IRQ_MSIX, &none, &masked, &e), 0);
	assert_int_equal(read_masks(r, IRQ_INTX, "0", &masked, &e), -EOPNOTSUPP);
	rig_said(&e, CAUSE_FAILED, EOPNOTSUPP, "intx has no mask bits in the device");
	rig_refuse(r, (struct rig_access){ false, BAR2, MSIX_ENTRY_SIZE, 0 }, 0, -EINVAL);
	assert_int_equal(read_masks(r, IRQ_MSIX, "1-2", &masked, &e), -EIO);
	rig_said(&e, CAUSE_FAILED, EIO, "the peer refuses access to the MSI-X table in its BAR");
	rig_is(masked, "none");
	rig_refuse(r, (struct rig_access){ false, REGION_CONFIG, RIG_BITS, 0 }, 0, -EFAULT);
	assert_int_equal(read_masks(r, IRQ_MSI, "1", &masked, &e), -EFAULT);
	rig_said(&e, CAUSE_FAILED, EFAULT, "the MSI mask bits can't be read");
	rig_refuse(r, (struct rig_access){ 0 }, 0, 0);
	r->d.caps.msix.count = 15;
	assert_int_equal(read_masks(r, IRQ_MSIX, "14", &masked, &e), 0);
	assert_int_equal(read_masks(r, IRQ_MSIX, "14-15", &masked, &e), -EINVAL);
	rig_said(&e, CAUSE_USAGE, 0, "the MSI-X table has 15 entries");
	r->d.caps.msi.maskable = false;
	assert_int_equal(read_masks(r, IRQ_MSI, "0", &masked, &e), -EOPNOTSUPP);
	rig_said(&e, CAUSE_FAILED, EOPNOTSUPP, "the MSI capability has no mask bits");
}

/* Bit 0 of Vector Control alone is written, on and off, whatever else stands there. */
static void the_rest_of_vector_control(void **state)
{
	struct rig *r = *state;

	set_masks(r, "0-15");
	for (unsigned int v = 0; v < 4; v++)
		memcpy(rig_control(r, v), (uint8_t[]){ 0x81, (uint8_t)(0x10 + v), 0x20, 0x30 }, 4);
	rig_enable(r, IRQ_MSIX, "1-3");
	for (unsigned int v = 1; v < 4; v++)
		assert_memory_equal(rig_control(r, v),
				    ((uint8_t[]){ 0x80, (uint8_t)(0x10 + v), 0x20, 0x30 }), 4);
	assert_int_equal(*rig_control(r, 0), 0x81);
	assert_true(rig_disable(r, IRQ_MSIX).cap_put_back);
	for (unsigned int v = 0; v < 4; v++)
		assert_memory_equal(rig_control(r, v),
				    ((uint8_t[]){ 0x81, (uint8_t)(0x10 + v), 0x20, 0x30 }), 4);
}

/* All four bytes of the MSI mask bits; the bits of others stay. */
static void the_rest_of_the_mask_bits(void **state)
{
	struct rig *r = *state;

	memcpy(r->config + RIG_BITS, "\xff\xff\x5a\xa5", 4);
	rig_enable(r, IRQ_MSI, "2-9");
	assert_memory_equal(r->config + RIG_BITS, "\x03\xfc\x5a\xa5", 4);
	assert_true(rig_disable(r, IRQ_MSI).cap_put_back);
	assert_memory_equal(r->config + RIG_BITS, "\xff\xff\x5a\xa5", 4);
}

/* Multiple Message Enable: enough for the vectors, no more than the device can, and less again when it was off. */
static void multiple_message_enable(void **state)
{
	static const struct {
		unsigned int capable, was;
		const char *vectors;
		unsigned int becomes;
	} rows[] = {
		{ 4, 0, "0", 0 },    { 4, 0, "0-1", 1 },  { 4, 0, "0-2", 2 },
		{ 4, 0, "0-8", 4 },  { 4, 0, "0-15", 4 }, { 3, 0, "0-15", 3 },
		{ 0, 0, "0-15", 0 }, { 4, 3, "0-1", 1 },  { 4, 4, "0", 0 },
	};
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const uint16_t other = PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT |
				       (uint16_t)(rows[i].capable << 1);
		const uint16_t before = other | (uint16_t)(rows[i].was << 4);

		rig_put16(r, MSI_CONTROL, before);
		rig_enable(r, IRQ_MSI, rows[i].vectors);
		assert_int_equal(rig_get16(r, MSI_CONTROL),
				 other | rows[i].becomes << 4 | PCI_MSI_FLAGS_ENABLE);
		rig_disable(r, IRQ_MSI);
		assert_int_equal(rig_get16(r, MSI_CONTROL), before);
	}
}

/* A device with one of the two capabilities, and one without either that has the index all the same. */
static void one_capability(void **state)
{
	struct rig *r = *state;

	r->d.caps.has_msi = false;
	assert_true(rig_enable(r, IRQ_MSIX, "0").enable_written);
	rig_disable(r, IRQ_MSIX);
	r->accesses = 0;
	assert_false(rig_enable(r, IRQ_MSI, "0").enable_written);
	rig_disable(r, IRQ_MSI);
	for (unsigned int i = 0; i < r->accesses; i++)
		assert_false(r->seen[i].write);
	r->d.caps.has_msi = true;
	r->d.caps.has_msix = false;
	assert_true(rig_enable(r, IRQ_MSI, "0").enable_written);
	rig_disable(r, IRQ_MSI);
	assert_false(rig_enable(r, IRQ_MSIX, "0").enable_written);
}

/* What was remembered of one enable is forgotten with its disable. */
static void each_time_anew(void **state)
{
	struct rig *r = *state;

	set_masks(r, "0-15");
	rig_enable(r, IRQ_MSIX, "0-1");
	rig_disable(r, IRQ_MSIX);
	rig_put16(r, CONTROL, PCI_MSIX_FLAGS_MASKALL | 15);
	set_masks(r, "1-15");
	rig_enable(r, IRQ_MSIX, "0-1");
	assert_int_equal(rig_get16(r, CONTROL), PCI_MSIX_FLAGS_ENABLE | 15);
	rig_disable(r, IRQ_MSIX);
	assert_int_equal(rig_get16(r, CONTROL), PCI_MSIX_FLAGS_MASKALL | 15);
	assert_int_equal(*rig_control(r, 0), 0);
	assert_int_equal(*rig_control(r, 1), 1);
}

static int enabling_set_irqs(void *handle, const struct irq_set *s, const int32_t *eventfd,
			     struct set_outcome *o)
{
	struct rig *r = handle;

	rig_put16(r, CONTROL, (s->count ? PCI_MSIX_FLAGS_ENABLE : 0) | 15);
	return rig_set_irqs(handle, s, eventfd, o);
}

/* A peer whose SET_IRQS sets Enable keeps its masks too. */
static void a_peer_that_enables(void **state)
{
	static const struct device_ops enables = { PEER_FACTS, .set_irqs = enabling_set_irqs,
						   .region_read = rig_read,
						   .region_write = rig_write,
						   .peer_fd = rig_peer_fd };
	struct rig *r = *state;
	struct change c;

	r->d.ops = &enables;
	set_masks(r, "0-15");
	c = rig_enable(r, IRQ_MSIX, "0-1");
	assert_false(c.enable_written || c.enable_clear || c.masks_unseen);
	c = rig_disable(r, IRQ_MSIX);
	assert_false(c.cap_put_back || c.cap_left);
	for (unsigned int i = 0; i < r->accesses; i++)
		assert_false(r->seen[i].write);
}

/* A dry run tells of no write to the capability, and what it looked at is not put back later. */
static void dry(void **state)
{
	struct vector_set one = rig_set("0");
	struct rig *r = *state;
	struct error e;

	r->trace.dry_run = true;
	assert_int_equal(device_dry_begin(&r->d, &e), 0);
	rig_enable(r, IRQ_MSIX, "0-1");
	assert_null(strstr(r->told, "pwrite(config"));
	device_dry_end(&r->d);
	r->trace.dry_run = false;
	rig_enable(r, IRQ_MSIX, "0-1");
	r->trace.dry_run = true;
	assert_int_equal(device_dry_begin(&r->d, &e), 0);
	assert_int_equal(device_mask(&r->d, IRQ_MSIX, &one, MASK_TABLE, true, &e), 0);
	device_dry_end(&r->d);
	r->trace.dry_run = false;
	*rig_control(r, 0) = 1; /* by somebody else */
	assert_true(rig_disable(r, IRQ_MSIX).cap_put_back);
	assert_int_equal(*rig_control(r, 0), 1);
}

/* Why a peer's BAR does not answer: what its guest's firmware or driver has not done yet. */
static void put_bar(struct rig *r, unsigned int bar, uint32_t low, uint32_t high)
{
	uint8_t *at = r->config + PCI_BASE_ADDRESS_0 + 4ul * bar;

	for (unsigned int i = 0; i < 4; i++) {
		at[i] = (uint8_t)(low >> (8 * i));
		if (bar < 5)
			at[4 + i] = (uint8_t)(high >> (8 * i));
	}
}

static void unmapped(struct rig *r, unsigned int bar, const char *message, const char *hint)
{
	struct error e = { 0 };
	int rc = device_bar_mapped(&r->d, (enum region_index)bar, &e);

	assert_int_equal(rc, message ? -EIO : 0);
	assert_string_equal(e.message, message ? message : "");
	assert_string_equal(e.hint, message ? hint : "");
}

static void bars_without_an_address(void **state)
{
	struct rig *r = *state;

	memset(r->config + PCI_BASE_ADDRESS_0, 0, 24);
	unmapped(r, 0, "bar0 has no address (config 0x10 reads 0x0), so it does not answer",
		 "write config 0x10 l 0x80000000   or another address");
	unmapped(r, 3, "bar3 has no address (config 0x1c reads 0x0), so it does not answer",
		 "write config 0x1c l 0xb0000000   or another address");
	put_bar(r, 1, 1, 0);
	rig_put16(r, PCI_COMMAND, PCI_COMMAND_IO);
	unmapped(r, 1, "bar1 has no address (config 0x14 reads 0x1), so it does not answer",
		 "write config 0x14 l 0x2000   or another address");
	put_bar(r, 1, 0xc001, 0);
	unmapped(r, 1, NULL, NULL);
	rig_put16(r, PCI_COMMAND, PCI_COMMAND_MEMORY);
	unmapped(r, 1, "I/O decode is off (Command 0x0002), so bar1 does not answer",
		 "write config 0x4 w 0x3");
	rig_put16(r, PCI_COMMAND, PCI_COMMAND_IO);
	put_bar(r, 2, 0xfe000000, 0);
	unmapped(r, 2, "memory decode is off (Command 0x0001), so BARs do not answer",
		 "write config 0x4 w 0x3");
	rig_put16(r, PCI_COMMAND, PCI_COMMAND_MEMORY);
	unmapped(r, 2, NULL, NULL);
	/* The dword above is an address in a 64-bit BAR alone. */
	put_bar(r, 2, 0, 1);
	unmapped(r, 2, "bar2 has no address (config 0x18 reads 0x0), so it does not answer",
		 "write config 0x18 l 0xa0000000   or another address");
	put_bar(r, 2, PCI_BASE_ADDRESS_MEM_TYPE_64, 1);
	unmapped(r, 2, NULL, NULL);
	put_bar(r, 2, PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH, 0);
	unmapped(r, 2, "bar2 has no address (config 0x18 reads 0xc), so it does not answer",
		 "write config 0x18 l 0xa0000000   or another address");
	/* The last has no dword above. */
	put_bar(r, 5, 0xfe000000, 0);
	rig_refuse(r, (struct rig_access){ false, REGION_CONFIG, PCI_BASE_ADDRESS_5, 8 }, 0, -EIO);
	unmapped(r, 5, NULL, NULL);
	put_bar(r, 5, 0, 0);
	unmapped(r, 5, "bar5 has no address (config 0x24 reads 0x0), so it does not answer",
		 "write config 0x24 l 0xd0000000   or another address");
	/* What can't be read says nothing. */
	rig_refuse(r, (struct rig_access){ false, REGION_CONFIG, PCI_BASE_ADDRESS_5, 4 }, 0, 2);
	unmapped(r, 5, NULL, NULL);
	rig_refuse(r, (struct rig_access){ false, REGION_CONFIG, PCI_COMMAND, 2 }, 0, -EIO);
	unmapped(r, 5, NULL, NULL);
}

/* Bus mastering comes back after a reset when it was on before, and when that could be read. */
static void bus_mastering_after_a_reset(void **state)
{
	struct rig *r = *state;
	struct change c = { 0 };
	struct error e;

	rig_enable(r, IRQ_MSIX, "0");
	assert_int_equal(device_reset(&r->d, &c, &e), 0);
	assert_false(c.bus_master_on);
	rig_refuse(r, (struct rig_access){ false, REGION_CONFIG, PCI_COMMAND, 2 }, 0, -EIO);
	r->accesses = 0;
	assert_int_equal(device_reset(&r->d, &c, &e), 0);
	for (unsigned int i = 1; i < r->accesses; i++)
		assert_int_not_equal(r->seen[i].at, PCI_COMMAND);
	r->reset_rc = -ETIMEDOUT;
	assert_int_equal(device_reset(&r->d, &c, &e), -ETIMEDOUT);
	assert_string_equal(e.message, "the peer refused DEVICE_RESET");
	r->d.handle = NULL;
	assert_int_equal(device_reset(&r->d, &c, &e), -ENODEV);
	r->d.handle = r;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(masks_are_read, peer_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(masks_are_not_read, peer_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(the_rest_of_vector_control, peer_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(the_rest_of_the_mask_bits, peer_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(multiple_message_enable, peer_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(one_capability, peer_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(each_time_anew, peer_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_peer_that_enables, peer_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(dry, peer_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(bars_without_an_address, peer_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(bus_mastering_after_a_reset, peer_setup,
						rig_teardown),
	};

	return cmocka_run_group_tests_name("device-capability", tests, NULL, NULL);
}
