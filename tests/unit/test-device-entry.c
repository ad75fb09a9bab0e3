// SPDX-License-Identifier: GPL-2.0-or-later
/* Entries of the MSI-X table: those that a change looks at, and what is said when the table does not answer. */
#include "device-rig.h"
#include "tree.h"

#define BAR2 ((enum region_index)2)

/* The kernel has written the message of each vector. */
static void messages(struct rig *r, const char *vectors)
{
	struct vector_set which = rig_set(vectors);
	unsigned int v;

	for_each_vector (v, &which)
		r->bar[v * MSIX_ENTRY_SIZE + 2] = 0xe0;
}

/* A run whose entries cannot be read is unknown as a whole; the other run is looked at. */
static void a_run_that_is_not_read(void **state)
{
	struct rig *r = *state;
	struct change c;

	messages(r, "7");
	rig_refuse(r, (struct rig_access){ false, BAR2, 2ull * MSIX_ENTRY_SIZE, 0 }, 0, -EIO);
	c = rig_enable(r, IRQ_MSIX, "1-3,7-8");
	rig_is(c.entries_unread, "1-3");
	rig_is(c.empty, "8");
	/* It is looked at again with the next change, whatever that is for. */
	rig_refuse(r, (struct rig_access){ 0 }, 0, 0);
	messages(r, "1-2");
	c = rig_enable(r, IRQ_MSIX, "10");
	rig_is(c.entries_unread, "none");
	rig_is(c.empty, "3,8,10");
}

/* The low half of the address is 0 and the rest cannot be read: that is not called empty. */
static void an_entry_half_read(void **state)
{
	struct rig *r = *state;
	struct change c;

	rig_refuse(r, (struct rig_access){ false, BAR2, 5ull * MSIX_ENTRY_SIZE, MSIX_ENTRY_SIZE },
		   0, -EIO);
	c = rig_enable(r, IRQ_MSIX, "4-6");
	rig_is(c.entries_unread, "5");
	rig_is(c.empty, "4,6");
}

/* Data alone, or the high half of the address, is a message too. */
static void any_part_is_a_message(void **state)
{
	struct rig *r = *state;
	struct change c;

	r->bar[4] = 1;
	r->bar[MSIX_ENTRY_SIZE + 8] = 0x20;
	r->bar[2 * MSIX_ENTRY_SIZE + 12] = 1;
	c = rig_enable(r, IRQ_MSIX, "0-2");
	rig_is(c.empty, "2");
	rig_is(c.entries_unread, "none");
}

/* VFIO may count more vectors than the table has entries. */
static void beyond_the_table(void **state)
{
	struct rig *r = *state;
	struct msix_entry entry;
	struct change c;
	struct error e;

	r->d.caps.msix.count = 8;
	c = rig_enable(r, IRQ_MSIX, "6-9,12-13");
	rig_is(c.empty, "6-7");
	rig_is(c.entries_unread, "none");
	assert_int_equal(device_table_read(&r->d, 7, &entry, &e), 0);
	assert_int_equal(device_table_read(&r->d, 8, &entry, &e), -EINVAL);
	rig_said(&e, CAUSE_USAGE, 0, "the MSI-X table has 8 entries");
}

/* One that is not armed any more is nobody's concern. */
static void no_longer_armed(void **state)
{
	struct rig *r = *state;
	struct change c = rig_enable(r, IRQ_MSIX, "0-3");
	struct error e;

	rig_is(c.empty, "0-3");
	c = (struct change){ 0 };
	assert_int_equal(device_resize(&r->d, IRQ_MSIX, 2, (struct change_how){ 0 }, &c, &e), 0);
	rig_is(c.empty, "0-1");
}

/* A change looks at what it armed; a rebuild armed all. */
static void a_rebuild_looks_at_all(void **state)
{
	const struct change_how how = { .resize = { .rebuild = true } };
	struct rig *r = *state;
	struct change c = { 0 };
	struct error e;

	r->d.irq[IRQ_MSIX].info.flags |= IRQ_NORESIZE;
	messages(r, "0-5");
	c = rig_enable(r, IRQ_MSIX, "0-3");
	rig_is(c.empty, "none");
	r->bar[MSIX_ENTRY_SIZE + 2] = 0;
	c = rig_enable(r, IRQ_MSIX, "0-3");
	rig_is(c.empty, "none");
	c = (struct change){ 0 };
	assert_int_equal(device_resize(&r->d, IRQ_MSIX, 6, how, &c, &e), 0);
	assert_true(c.rebuilt);
	rig_is(c.empty, "1");
}

#define HOST_DEVICE "sys/bus/pci/devices/0000:04:00.0"

static const struct device_ops on_host = { KERNEL_FACTS, RIG_OPERATIONS, .table_by_region = true,
					   .host_irqs = true };

/* So does a repair of what it armed again: the host has no IRQ any more of vector 1. */
static void a_repair_is_looked_at(void **state)
{
	struct vector_set eight = rig_set("0-7");
	struct rig *r = *state;
	struct change c = { 0 };
	struct tree tree;
	struct error e;

	tree_new(&tree);
	messages(r, "0-7");
	rig_enable(r, IRQ_MSIX, "0-1");
	r->bar[MSIX_ENTRY_SIZE + 2] = 0;
	r->d.ops = &on_host;
	r->d.root = &tree.root;
	r->d.has_addr = true;
	r->d.addr = (struct pci_addr){ 0, 4, 0, 0 };
	tree_text(&tree, HOST_DEVICE "/msi_irqs/33", "msix\n");
	tree_text(&tree, "sys/kernel/irq/33/actions", "vfio-msix[0](0000:04:00.0)\n");
	tree_text(&tree, "proc/interrupts", "  CPU0\n 1: 0 IO-APIC 1-edge      i8042\n");
	r->set_rc[r->sets] = -ENOMEM;
	assert_int_equal(device_enable(&r->d, IRQ_MSIX, &eight, (struct change_how){ 0 }, &c, &e),
			 -ENOMEM);
	rig_is(c.dropped, "1");
	rig_is(c.repaired, "1");
	rig_is(c.empty, "1");
	rig_is(c.off, "none");
	tree_free(&tree);
}

/* A dry run arms nothing, and a peer keeps its table in its own way. */
static void not_looked_at(void **state)
{
	struct rig *r = *state;
	struct change c;

	r->d.ops = &rig_peer;
	c = rig_enable(r, IRQ_MSIX, "0-1");
	rig_is(c.empty, "none");
	rig_disable(r, IRQ_MSIX);
	r->d.ops = &rig_kernel;
	r->trace.dry_run = true;
	c = rig_enable(r, IRQ_MSIX, "0-1");
	rig_is(c.empty, "none");
	rig_is(c.entries_unread, "none");
}

/* Whether the table of a peer answers is seen by the first dword of it. */
static void a_table_of_a_peer(void **state)
{
	struct rig *r = *state;
	struct msix_entry entry;
	struct error e;

	r->d.ops = &rig_peer;
	assert_int_equal(device_table_reach(&r->d, &e), 0);
	assert_int_equal(r->accesses, 1);
	assert_int_equal(r->seen[0].at, 0);
	assert_int_equal(r->seen[0].n, 4);
	rig_refuse(r, (struct rig_access){ false, BAR2, 0, 0 }, 0, -EINVAL);
	assert_int_equal(device_table_read(&r->d, 1, &entry, &e), -EIO);
	rig_said(&e, CAUSE_FAILED, EIO, "the peer refuses access to the MSI-X table in its BAR");
	rig_put16(r, PCI_COMMAND, 0);
	assert_int_equal(device_table_read(&r->d, 1, &entry, &e), -EIO);
	rig_said(&e, CAUSE_FAILED, EIO, "memory decode is off (Command 0x0000)");
	r->end = "the peer went";
	assert_int_equal(device_table_read(&r->d, 1, &entry, &e), -ENOTCONN);
	rig_said(&e, CAUSE_BUSY, ENOTCONN, "access to the MSI-X table: the peer went");
	assert_string_equal(e.hint, "start the peer again");
	/* the last BAR can hold it */
	r->end = NULL;
	rig_refuse(r, (struct rig_access){ 0 }, 0, 0);
	r->d.caps.msix.table_bar = 5;
	assert_int_equal(device_table_reach(&r->d, &e), 0);
	assert_int_equal(r->seen[0].region, 5);
}

/* Of the kernel's: whether the device is there decides the exit status. */
static void a_table_that_does_not_answer(void **state)
{
	struct rig *r = *state;
	struct msix_entry entry;
	struct error e;

	rig_refuse(r, (struct rig_access){ false, BAR2, 0, 0 }, 0, -EIO);
	assert_int_equal(device_table_read(&r->d, 0, &entry, &e), -EFAULT);
	rig_said(&e, CAUSE_FAILED, EFAULT, "the MSI-X table in the device's BAR does not answer");
	rig_put16(r, PCI_VENDOR_ID, 0xffff);
	assert_int_equal(device_table_read(&r->d, 0, &entry, &e), -EFAULT);
	rig_said(&e, CAUSE_NO_DEVICE, EFAULT,
		 "the MSI-X table in the device's BAR does not answer");
	/* decode was turned off between the look and the access */
	assert_int_equal(device_table_fault(&r->d, &e), -EFAULT);
	rig_put16(r, PCI_COMMAND, 0);
	assert_int_equal(device_table_fault(&r->d, &e), -EIO);
	rig_said(&e, CAUSE_FAILED, EIO, "memory decode is off (Command 0x0000)");
	assert_int_equal(device_table_read(&r->d, 0, &entry, &e), -EIO);
	/* let go meanwhile */
	r->d.handle = NULL;
	assert_int_equal(device_table_read(&r->d, 0, &entry, &e), -ENODEV);
	rig_said(&e, CAUSE_NO_DEVICE, ENODEV, "the device is no longer open");
	assert_string_equal(e.hint, "reopen   once it is back");
}

/* All pages that hold an entry, and no other. */
static void the_pages_of_a_table(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const struct {
		size_t at, entries, from, size;
	} tables[] = {
		{ 0, 1, 0, page },
		{ 0, page / 16, 0, page },
		{ 16, page / 16, 0, 2 * page },
		{ page, page / 16, page, page },
		{ page + 16, page / 16 - 1, page, page },
		{ 2 * page - 16, 2, page, 2 * page },
	};
	struct rig *r = *state;
	struct error e;

	r->d.ops = &rig_mapped;
	r->bar_size = 4 * page;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		r->d.caps.msix.table_offset = (uint32_t)tables[i].at;
		r->d.caps.msix.count = (unsigned int)tables[i].entries;
		assert_int_equal(device_table_reach(&r->d, &e), 0);
		assert_int_equal(r->map_at, tables[i].from);
		assert_int_equal(r->map_size, tables[i].size);
		munmap(r->d.table, r->d.table_map);
		r->d.table = NULL;
	}
}

/* The entries of a mapped table are looked at as well; the mapping ends with the device. */
static void a_table_that_is_mapped(void **state)
{
	struct rig *r = *state;
	struct change c;
	struct error e;
	unsigned char page;
	void *table;

	r->d.ops = &rig_mapped;
	r->bar_size = 0x10000;
	messages(r, "0-3,5-15");
	/* neither the data of an entry nor what lies behind the table is an address */
	r->bar[3 * MSIX_ENTRY_SIZE + 8] = 0x41;
	memset(r->bar + (size_t)RIG_VECTORS * MSIX_ENTRY_SIZE, 0xe0, RIG_PBA);
	c = rig_enable(r, IRQ_MSIX, "2-6");
	rig_is(c.empty, "4");
	rig_is(c.entries_unread, "none");
	table = r->d.table;
	device_undo(&r->d, true);
	assert_null(r->d.table);
	assert_int_equal(mincore(table, 1, &page), -1);
	assert_int_equal(errno, ENOMEM);
	/* A mapping that failed is not taken for one by the next look. */
	r->d.handle = r;
	r->map_rc = -EAGAIN;
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(device_table_reach(&r->d, &e), -EAGAIN);
		rig_said(&e, CAUSE_FAILED, EAGAIN, "the MSI-X table can't be mapped");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_run_that_is_not_read, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(an_entry_half_read, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(any_part_is_a_message, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(beyond_the_table, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(no_longer_armed, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_rebuild_looks_at_all, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_repair_is_looked_at, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(not_looked_at, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_table_of_a_peer, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_table_that_does_not_answer, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(the_pages_of_a_table, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_table_that_is_mapped, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests_name("device-entry", tests, NULL, NULL);
}
