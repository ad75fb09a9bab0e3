// SPDX-License-Identifier: GPL-2.0-or-later
/* The books of a device whose back end does as a test says. */
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>
#include <sys/eventfd.h>

#include "device-model.h"
#include "host/function.h"
#include "tree.h"
#include "base/util.h"
#include "device-facts.h"

#undef fail /* cmocka's; the tool has its own */

struct bench {
	struct device d;
	struct trace trace;
	int answer;	    /* of each SET_IRQS */
	unsigned int calls; /* of those that were made */
	struct tree tree;   /* what the host says, of a test that needs it */
	uint8_t config[256], table[8 * MSIX_ENTRY_SIZE];
};

static int fake_set_irqs(void *handle, const struct irq_set *s, const int32_t *eventfd,
			 struct set_outcome *o)
{
	struct bench *b = handle;

	(void)o;
	(void)s;
	(void)eventfd;
	b->calls++;
	return b->answer;
}

static ssize_t fake_region_read(void *handle, enum region_index region, void *buf, size_t n,
				uint64_t offset)
{
	(void)handle;
	(void)region;
	(void)offset;
	memset(buf, 0xff, n);
	return (ssize_t)n;
}

static const struct device_ops fake = { KERNEL_FACTS, .set_irqs = fake_set_irqs,
					.region_read = fake_region_read };

/* As the kernel's: vectors are Linux IRQs of the host, which the tree tells of. */
static const struct device_ops fake_host = { KERNEL_FACTS, .set_irqs = fake_set_irqs,
					     .region_read = fake_region_read, .host_irqs = true };

static ssize_t bench_region_read(void *handle, enum region_index region, void *buf, size_t n,
				 uint64_t offset)
{
	const struct bench *b = handle;

	if (region == REGION_CONFIG)
		memcpy(buf, b->config + offset, n);
	else
		memcpy(buf, b->table + offset, n);
	return (ssize_t)n;
}

static ssize_t bench_region_write(void *handle, enum region_index region, const void *buf, size_t n,
				  uint64_t offset)
{
	struct bench *b = handle;

	if (region != REGION_CONFIG)
		return -EIO;
	memcpy(b->config + offset, buf, n);
	return (ssize_t)n;
}

/* A kernel's device whose registers a test writes. */
static const struct device_ops fake_registers = { KERNEL_FACTS, .set_irqs = fake_set_irqs,
						  .region_read = bench_region_read,
						  .region_write = bench_region_write,
						  .table_by_region = true };

static int setup(void **state)
{
	static const unsigned int count[NR_IRQ_INDEX] = { 1, 8, 8, 1, 1 };
	struct bench *b = calloc(1, sizeof(*b));

	if (!b || loop_new(&b->d.loop))
		return -1;
	b->d.ready = device_vector_ready;
	b->d.ops = &fake;
	b->d.handle = b;
	b->d.trace = &b->trace;
	b->d.peer.fd = -1;
	model_indexes(&b->d, count, IRQ_EVENTFD | IRQ_NORESIZE);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	model_free(&b->d);
	free(b);
	return 0;
}

static struct vector_set first(unsigned int n)
{
	struct vector_set s = { .bits = { 0 } };

	vector_set_add_range(&s, 0, n);
	return s;
}

/* What was refused is not expected: the next that comes is the kernel's or the device's own. */
static void test_refused_trigger(void **state)
{
	struct vector_set one = first(1);
	struct bench *b = *state;
	struct change c = { 0 };
	struct error e;

	assert_int_equal(device_enable(&b->d, IRQ_MSIX, &one, (struct change_how){ 0 }, &c, &e), 0);
	b->answer = -EIO;
	assert_int_equal(device_trigger(&b->d, IRQ_MSIX, &one, &e), -EIO);
	assert_int_equal(b->d.irq[IRQ_MSIX].vector[0]->expected, 0);
	b->answer = 0;
	assert_int_equal(device_trigger(&b->d, IRQ_MSIX, &one, &e), 0);
	assert_int_equal(b->d.irq[IRQ_MSIX].vector[0]->expected, 1);
}

/* A trigger that the device never signalled does not turn a later interrupt into a loopback. */
static void test_nothing_expected_after_disable(void **state)
{
	struct vector_set one = first(1);
	struct bench *b = *state;
	struct change c = { 0 };
	struct vector *v;
	struct error e;

	assert_int_equal(device_enable(&b->d, IRQ_MSIX, &one, (struct change_how){ 0 }, &c, &e), 0);
	assert_int_equal(device_trigger(&b->d, IRQ_MSIX, &one, &e), 0);
	assert_int_equal(device_disable(&b->d, IRQ_MSIX, &c, &e), 0);
	assert_int_equal(device_enable(&b->d, IRQ_MSIX, &one, (struct change_how){ 0 }, &c, &e), 0);
	v = b->d.irq[IRQ_MSIX].vector[0];
	assert_int_equal(eventfd_write(v->source.fd, 1), 0);
	assert_true(loop_wait(b->d.loop, 0) >= 0);
	assert_int_equal(v->count, 1);
	assert_int_equal(v->loopback, 0);
}

/* Config space reads as ones, so INTx Disable is set. */
static void test_disabled_line(void **state)
{
	struct vector_set one = first(1);
	struct bench *b = *state;
	struct change c = { 0 };
	struct error e;

	assert_int_equal(device_enable(&b->d, IRQ_INTX, &one, (struct change_how){ 0 }, &c, &e), 0);
	assert_true(device_trigger(&b->d, IRQ_INTX, &one, &e) < 0);
	assert_non_null(strstr(e.message, "INTx Disable"));
	assert_int_equal(b->d.irq[IRQ_INTX].vector[0]->expected, 0);
}

/* The blind window of a rebuild holds no making of eventfds: they are kept. Those not wanted any more are closed. */
static void test_rebuild_keeps_eventfds(void **state)
{
	const struct change_how how = { .resize = { .rebuild = true, .release = true } };
	struct vector_set four = first(4);
	struct bench *b = *state;
	struct vector **vector;
	struct change c = { 0 };
	struct error e;
	int fd[4];

	assert_int_equal(device_enable(&b->d, IRQ_MSI, &four, how, &c, &e), 0);
	vector = b->d.irq[IRQ_MSI].vector;
	for (unsigned int v = 0; v < 4; v++)
		fd[v] = vector[v]->source.fd;
	c = (struct change){ 0 };
	assert_int_equal(device_resize(&b->d, IRQ_MSI, 6, how, &c, &e), 0);
	assert_true(c.rebuilt);
	assert_true(c.blind_us < 60000000);
	for (unsigned int v = 0; v < 4; v++)
		assert_int_equal(vector[v]->source.fd, fd[v]);
	c = (struct change){ 0 };
	assert_int_equal(device_resize(&b->d, IRQ_MSI, 2, how, &c, &e), 0);
	assert_true(c.rebuilt);
	assert_int_equal(vector[1]->source.fd, fd[1]);
	for (unsigned int v = 2; v < 6; v++)
		assert_int_equal(vector[v]->source.fd, -1);
}

#define DEVICE "sys/bus/pci/devices/0000:04:00.0"

/* Vectors 0-3 of MSI-X are armed, as the host's IRQs 33-36, and the next SET_IRQS fails. IRQ 34 has no folder. */
static void four_on_host(struct bench *b)
{
	struct vector_set four = first(4);
	struct change c = { 0 };
	struct error e;

	tree_new(&b->tree);
	b->d.ops = &fake_host;
	b->d.root = &b->tree.root;
	b->d.has_addr = true;
	b->d.addr = (struct pci_addr){ 0, 4, 0, 0 };
	b->d.irq[IRQ_MSIX].info.flags = IRQ_EVENTFD;
	assert_int_equal(device_enable(&b->d, IRQ_MSIX, &four, (struct change_how){ 0 }, &c, &e),
			 0);
	for (unsigned int v = 0; v < 4; v++) {
		char path[96], action[64];

		snprintf(path, sizeof(path), DEVICE "/msi_irqs/%u", 33 + v);
		tree_text(&b->tree, path, "msix\n");
		if (v == 1)
			continue;
		snprintf(path, sizeof(path), "sys/kernel/irq/%u/actions", 33 + v);
		snprintf(action, sizeof(action), "vfio-msix[%u](0000:04:00.0)\n", v);
		tree_text(&b->tree, path, action);
	}
	b->answer = -ENOMEM;
	b->calls = 0;
}

/* The failed grow was the only call, and vector 1 still has the eventfd that it had. */
static void assert_left_alone(struct bench *b, const struct change *c, int fd)
{
	const struct vector *one = b->d.irq[IRQ_MSIX].vector[1];

	assert_true(one->armed);
	assert_int_equal(one->source.fd, fd);
	assert_true(fcntl(fd, F_GETFD) >= 0);
	assert_true(vector_set_empty(&c->dropped));
	assert_true(vector_set_empty(&c->removed));
	assert_int_equal(b->calls, 1);
}

static struct change failed_grow(struct bench *b, bool no_repair)
{
	struct vector_set eight = first(8);
	struct change c = { 0 };
	struct error e;

	assert_int_equal(device_enable(&b->d, IRQ_MSIX, &eight,
				       (struct change_how){ .no_repair = no_repair }, &c, &e),
			 -ENOMEM);
	return c;
}

/* /proc/interrupts tells of the IRQ whose folder is missing, so nothing was dropped. */
static void test_missing_folder(void **state)
{
	struct bench *b = *state;
	struct change c;
	int fd;

	four_on_host(b);
	tree_text(
		&b->tree, "proc/interrupts",
		"  CPU0\n 34: 0 IR-PCI-MSIX-0000:04:00.0 1-edge      vfio-msix[1](0000:04:00.0)\n");
	fd = b->d.irq[IRQ_MSIX].vector[1]->source.fd;
	c = failed_grow(b, false);
	assert_left_alone(b, &c, fd);
	assert_true(vector_set_empty(&c.unknown));
	b->calls = 0;
	c = failed_grow(b, true);
	assert_left_alone(b, &c, fd);
	tree_free(&b->tree);
}

/* Nothing tells of it: it may be armed still, and an absence takes nothing away. */
static void test_unseen_irq(void **state)
{
	struct bench *b = *state;
	struct change c;
	int fd;

	four_on_host(b);
	fd = b->d.irq[IRQ_MSIX].vector[1]->source.fd;
	c = failed_grow(b, false);
	assert_left_alone(b, &c, fd);
	assert_int_equal(vector_set_count(&c.unknown), 1);
	assert_true(vector_set_has(&c.unknown, 1));
	tree_free(&b->tree);
}

/* What /proc/interrupts does not list either has no handler: that one was dropped, and is armed again. */
static void test_dropped_irq(void **state)
{
	struct bench *b = *state;
	struct change c;

	four_on_host(b);
	tree_text(&b->tree, "proc/interrupts", "  CPU0\n 1: 0 IO-APIC 1-edge      i8042\n");
	c = failed_grow(b, true);
	assert_int_equal(vector_set_count(&c.dropped), 1);
	assert_true(vector_set_has(&c.dropped, 1));
	assert_int_equal(b->d.irq[IRQ_MSIX].vector[1]->source.fd, -1);
	tree_free(&b->tree);
}

/* The host could not be looked at: all that were armed stay so, what the failed call was for has no eventfd. */
static void test_unread_host(void **state)
{
	struct bench *b = *state;
	char path[PATH_MAX];
	struct change c;
	int fd;

	four_on_host(b);
	for (unsigned int v = 0; v < 4; v++) {
		snprintf(path, sizeof(path), "%s/" DEVICE "/msi_irqs/%u", b->tree.dir, 33 + v);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/" DEVICE "/msi_irqs", b->tree.dir);
	rmdir(path);
	tree_link(&b->tree, DEVICE "/msi_irqs", "msi_irqs");
	fd = b->d.irq[IRQ_MSIX].vector[1]->source.fd;
	c = failed_grow(b, false);
	assert_left_alone(b, &c, fd);
	assert_int_equal(c.unread, ELOOP);
	assert_int_equal(vector_set_count(&c.unknown), 4);
	assert_int_equal(b->d.irq[IRQ_MSIX].vector[5]->source.fd, -1);
	tree_free(&b->tree);
}

static const struct device_ops fake_registers_host = { KERNEL_FACTS,
						       .region_read = bench_region_read,
						       .host_irqs = true };

#define PM_POS 0x40

/* A function with memory decode on, in D0, whose MSI-X table lies in bar0. */
static void with_registers(struct bench *b)
{
	b->d.ops = &fake_registers;
	b->d.irq[IRQ_MSIX].info.flags = IRQ_EVENTFD;
	b->d.caps = (struct pci_caps){
		.has_pm = true, .pm_pos = PM_POS, .has_msix = true, .msix = { .count = 8 }
	};
	b->config[PCI_COMMAND] = PCI_COMMAND_MEMORY;
}

static void power_state(struct bench *b, uint8_t state)
{
	b->config[PM_POS + PCI_PM_CTRL] = state;
}

/* The kernel has written the message of @vector into the device. */
static void message(struct bench *b, unsigned int vector)
{
	b->table[vector * MSIX_ENTRY_SIZE + 2] = 0xe0;
}

static struct change armed(struct bench *b, unsigned int n, bool force)
{
	struct vector_set which = first(n);
	struct change c = { 0 };
	struct error e;

	assert_int_equal(device_enable(&b->d, IRQ_MSIX, &which,
				       (struct change_how){ .force = force }, &c, &e),
			 0);
	return c;
}

static void assert_set(const struct vector_set *s, const char *text)
{
	char buf[64];

	assert_string_equal(vector_set_text(s, buf, sizeof(buf)), text);
}

/* The kernel says armed; the entry in the device is empty: that is told at each change until it is not so any more. */
static void test_empty_entries(void **state)
{
	struct bench *b = *state;
	struct change c;

	with_registers(b);
	message(b, 0);
	message(b, 1);
	c = armed(b, 2, false);
	assert_true(vector_set_empty(&c.empty));
	c = armed(b, 4, false);
	assert_set(&c.empty, "2-3");
	message(b, 4);
	message(b, 2);
	c = armed(b, 5, false);
	assert_set(&c.empty, "3");
	assert_true(vector_set_empty(&c.entries_unread));
	/* An address whose low half is 0 is an address. */
	b->table[3 * MSIX_ENTRY_SIZE + 4] = 1;
	c = armed(b, 5, false);
	assert_true(vector_set_empty(&c.empty));
}

/* Below D0 the kernel writes no entry: refused before it is asked, unless forced; then what can't be read is told. */
static void test_low_power(void **state)
{
	struct vector_set four = first(4);
	struct bench *b = *state;
	struct change c = { 0 };
	struct error e;

	with_registers(b);
	power_state(b, 3);
	assert_int_equal(device_enable(&b->d, IRQ_MSIX, &four, (struct change_how){ 0 }, &c, &e),
			 -EIO);
	assert_int_equal(e.cause, CAUSE_FAILED);
	assert_non_null(strstr(e.message, "D3hot"));
	assert_string_equal(e.hint, "write config 0x44 w 0");
	assert_true(device_enable_none(&b->d, IRQ_MSIX, 1, (struct change_how){ 0 }, &c, &e) < 0);
	assert_true(device_resize(&b->d, IRQ_MSI, 4, (struct change_how){ 0 }, &c, &e) < 0);
	assert_int_equal(b->calls, 0);
	c = armed(b, 2, true);
	assert_int_equal(b->calls, 1);
	assert_set(&c.entries_unread, "0-1");
	assert_true(vector_set_empty(&c.empty));
	/* A mask by the eventfd is a change too. */
	assert_true(device_mask(&b->d, IRQ_MSIX, &four, MASK_EVENTFD, true, &e) < 0);
	power_state(b, 0);
	message(b, 2);
	c = armed(b, 3, false);
	assert_set(&c.empty, "0-1");
	assert_true(vector_set_empty(&c.entries_unread));
	/* To disable is the way out, and stays open. */
	power_state(b, 3);
	assert_int_equal(device_disable(&b->d, IRQ_MSIX, &c, &e), 0);
}

/* @err is what the kernel answers, @vendor what the device does. */
static struct error refused(struct bench *b, int err, uint16_t vendor)
{
	struct vector_set two = first(2);
	struct change c = { 0 };
	struct error e = { 0 };

	b->config[PCI_VENDOR_ID] = (uint8_t)vendor;
	b->config[PCI_VENDOR_ID + 1] = (uint8_t)(vendor >> 8);
	b->answer = -err;
	assert_int_equal(device_enable(&b->d, IRQ_MSIX, &two, (struct change_how){ 0 }, &c, &e),
			 -err);
	return e;
}

/* The kernel has ENODEV for failures of its own: the device is gone when it does not answer, and not before. */
static void test_enodev(void **state)
{
	static const int word[] = { ENODEV, EIO, ENXIO, ENOTCONN };
	struct bench *b = *state;
	struct error e;

	with_registers(b);
	for (size_t i = 0; i < ARRAY_SIZE(word); i++) {
		e = refused(b, word[i], 0x8086);
		assert_int_equal(e.cause, CAUSE_FAILED);
		assert_int_equal(e.err, word[i]);
		assert_non_null(strstr(e.message, "registers read well (vendor 0x8086)"));
		assert_true(e.hint[0]);
		e = refused(b, word[i], 0xffff);
		assert_int_equal(e.cause, CAUSE_NO_DEVICE);
		assert_non_null(strstr(e.message, "does not answer any more"));
	}
	assert_int_equal(device_cause(&b->d, ENODEV), CAUSE_NO_DEVICE);
	refused(b, ENOMEM, 0x8086);
	assert_int_equal(device_cause(&b->d, ENODEV), CAUSE_FAILED);
	assert_int_equal(device_cause(&b->d, EBUSY), CAUSE_BUSY);
	/* Its folder in /sys is gone: what is read is nobody's any more. */
	tree_new(&b->tree);
	b->d.root = &b->tree.root;
	b->d.has_addr = true;
	b->d.addr = (struct pci_addr){ 0, 4, 0, 0 };
	assert_int_equal(refused(b, ENODEV, 0x8086).cause, CAUSE_NO_DEVICE);
	tree_folder(&b->tree, DEVICE);
	assert_int_equal(refused(b, ENODEV, 0x8086).cause, CAUSE_FAILED);
	tree_free(&b->tree);
}

/* Others than root see 64 bytes in sysfs: VFIO tells the rest, and of MSI not what it keeps to itself. */
static void test_fill_caps(void **state)
{
	struct bench *b = *state;
	struct function f = { .config_len = 64,
			      .caps = { .problem = CAPS_SHORT_CONFIG, .command = 0x0406 } };

	with_registers(b);
	b->config[PCI_STATUS] = PCI_STATUS_CAP_LIST;
	b->config[PCI_CAPABILITY_LIST] = 0x50;
	b->config[0x50] = PCI_CAP_ID_MSIX;
	b->config[0x52] = 7;
	/* Not of a peer's device, which has no Linux IRQs and no folder in sysfs. */
	assert_false(device_fill_caps(&b->d, &f));
	b->d.ops = &fake_registers_host;
	assert_true(device_fill_caps(&b->d, &f));
	assert_int_equal(f.caps.problem, CAPS_OK);
	assert_true(f.caps.has_msix);
	assert_int_equal(f.caps.msix.count, 8);
	assert_int_equal(f.caps.command, 0x0406);
	/* What sysfs told whole stays as it is; and without a device there is nobody to ask. */
	assert_false(device_fill_caps(&b->d, &f));
	f.caps.problem = CAPS_SHORT_CONFIG;
	assert_false(device_fill_caps(NULL, &f));
	f.config_len = 256;
	assert_false(device_fill_caps(&b->d, &f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refused_trigger, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_expected_after_disable, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_disabled_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rebuild_keeps_eventfds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unseen_irq, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dropped_irq, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unread_host, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(test_low_power, setup, teardown),
		cmocka_unit_test_setup_teardown(test_enodev, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fill_caps, setup, teardown),
	};

	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
