// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "host/irq-watch.h"
#include "tree.h"

static void put(const struct tree *t, unsigned int irq, const char *name, const char *text)
{
	char path[96];

	snprintf(path, sizeof(path), "sys/kernel/irq/%u/%s", irq, name);
	tree_text(t, path, text);
}

static char *msi_path(const struct tree *t, unsigned int irq, char buf[PATH_MAX])
{
	char path[96];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/0000:04:00.0/msi_irqs/%u", irq);
	return tree_path(t, path, buf);
}

static void irq(const struct tree *t, unsigned int n, const char *hwirq, const char *counts)
{
	char path[96];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/0000:04:00.0/msi_irqs/%u", n);
	tree_text(t, path, "msix\n");
	put(t, n, "actions", "nvme0q0\n");
	put(t, n, "chip_name", "PCI-MSI\n");
	put(t, n, "hwirq", hwirq);
	put(t, n, "per_cpu_count", counts);
}

static const struct host_irq *at(const struct host_watch *w, unsigned int number)
{
	for (size_t i = 0; i < w->irqs.n; i++)
		if (w->irqs.irq[i].irq == number)
			return &w->irqs.irq[i];
	return NULL;
}

static uint64_t incarnation(const struct host_watch *w, unsigned int number)
{
	return w->counted[at(w, number) - w->irqs.irq].incarnation;
}

static const struct host_counted *counted(const struct host_watch *w, unsigned int number)
{
	return &w->counted[at(w, number) - w->irqs.irq];
}

/* One more look: what came of IRQ @number since the look before; -1: that is not known. */
static int fresh(const struct tree *t, struct host_watch *w, unsigned int number)
{
	const struct host_counted *c;

	assert_int_equal(host_watch_read(&t->root, w), 0);
	c = counted(w, number);
	return c->compared ? (int)c->fresh : -1;
}

static void counts_again(void **state)
{
	struct host_watch w = { .addr = { 0, 4, 0, 0 } };
	struct tree *t = *state;

	irq(t, 33, "0\n", "1,0,5\n");
	irq(t, 34, "1\n", "0,0,0\n");
	assert_int_equal(host_watch_read(&t->root, &w), 0);
	assert_int_equal(w.irqs.n, 2);
	assert_int_equal(at(&w, 33)->count, 6);
	assert_int_equal(at(&w, 33)->cpus, 2);
	assert_int_equal(at(&w, 34)->cpus, 0);
	put(t, 33, "per_cpu_count", "1,0,2000000005\n");
	/* what is not read each time */
	put(t, 33, "actions", "other\n");
	assert_int_equal(host_watch_read(&t->root, &w), 0);
	assert_int_equal(at(&w, 33)->count, 2000000006);
	assert_string_equal(at(&w, 33)->action, "nvme0q0");
	for (int i = 0; i < 16; i++)
		assert_int_equal(host_watch_read(&t->root, &w), 0);
	assert_string_equal(at(&w, 33)->action, "other");
	host_watch_free(&w);
}

static void comes_and_goes(void **state)
{
	struct host_watch w = { .addr = { 0, 4, 0, 0 } };
	struct tree *t = *state;
	char path[PATH_MAX];
	uint64_t first;

	irq(t, 33, "0\n", "1\n");
	irq(t, 34, "1\n", "2\n");
	assert_int_equal(host_watch_read(&t->root, &w), 0);
	first = incarnation(&w, 33);
	assert_int_equal(host_watch_read(&t->root, &w), 0);
	assert_int_equal(incarnation(&w, 33), first);
	/* another file in its place, another vector */
	assert_int_equal(remove(msi_path(t, 33, path)), 0);
	irq(t, 35, "7\n", "4\n");
	irq(t, 33, "9\n", "1\n");
	assert_int_equal(host_watch_read(&t->root, &w), 0);
	assert_int_equal(w.irqs.n, 3);
	assert_int_equal(at(&w, 33)->vector, 9);
	assert_int_equal(at(&w, 35)->vector, 7);
	remove(msi_path(t, 34, path));
	assert_int_equal(host_watch_read(&t->root, &w), 0);
	assert_int_equal(w.irqs.n, 2);
	assert_null(at(&w, 34));
	host_watch_free(&w);
}

static void changes_are_counted(void **state)
{
	struct host_watch w = { .addr = { 0, 4, 0, 0 } };
	struct tree *t = *state;
	unsigned int changes;
	char path[PATH_MAX];

	irq(t, 33, "0\n", "1\n");
	assert_int_equal(host_watch_read(&t->root, &w), 0);
	changes = w.changes;
	for (int i = 0; i < 20; i++)
		assert_int_equal(host_watch_read(&t->root, &w), 0);
	assert_int_equal(w.changes, changes);
	irq(t, 34, "1\n", "1\n");
	assert_int_equal(host_watch_read(&t->root, &w), 0);
	assert_int_not_equal(w.changes, changes);
	changes = w.changes;
	/* another one instead of the first */
	assert_int_equal(unlink(msi_path(t, 33, path)), 0);
	irq(t, 32, "0\n", "1\n");
	assert_int_equal(host_watch_read(&t->root, &w), 0);
	assert_int_not_equal(w.changes, changes);
	assert_non_null(at(&w, 32));
	assert_null(at(&w, 33));
	changes = w.changes;
	host_watch_free(&w);
	assert_int_not_equal(w.changes, changes);
}

static void nonsense_is_no_count(void **state)
{
	static const char *const wrong[] = {
		"",	"\n",	"1,2",	 "1,,2\n", ",1\n",
		"1,\n", "-1\n", "1 2\n", "1\n2\n", "99999999999999999999\n"
	};
	struct host_watch w = { .addr = { 0, 4, 0, 0 } };
	struct tree *t = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		irq(t, 33, "0\n", wrong[i]);
		assert_int_equal(host_watch_read(&t->root, &w), 0);
		assert_int_equal(w.irqs.n, 1);
		assert_false(w.irqs.irq[0].counted);
	}
	/* the kernel's page was too small */
	tree_text(
		t, "proc/interrupts",
		"      CPU0 CPU1\n 33:  5 6  PCI-MSI 0-edge nvme0q0\n 34: 7 8 PCI-MSI 1-edge x\n");
	assert_int_equal(host_watch_read(&t->root, &w), 0);
	assert_true(w.irqs.irq[0].counted);
	assert_int_equal(w.irqs.irq[0].count, 11);
	host_watch_free(&w);
}

/* As per_cpu_count_show() does it when the counts of all CPUs need more than a page. */
static void cut(const struct tree *t, unsigned int n)
{
	char text[4096];

	for (size_t i = 0; i + 8 < sizeof(text); i += 8)
		tree_put(text + i, "1000000,");
	text[4088] = '\0';
	put(t, n, "per_cpu_count", text);
}

static void cut_off_by_the_page(void **state)
{
	struct host_watch w = { .addr = { 0, 4, 0, 0 } };
	struct tree *t = *state;

	irq(t, 33, "0\n", "1\n");
	irq(t, 34, "1\n", "1\n");
	cut(t, 33);
	cut(t, 34);
	/* the lines of others are none that could be parsed */
	tree_text(t, "proc/interrupts",
		  "      CPU0 CPU1 CPU2\n NMI: 1 1 1 x\n  3: a b c\n 333: 9 9 9 PCI-MSI 0-edge x\n"
		  " 33:  5 0 6  PCI-MSI 0-edge nvme0q0\n 34: 0 1 0 PCI-MSI 1-edge x\n");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(host_watch_read(&t->root, &w), 0);
		assert_true(at(&w, 33)->counted && at(&w, 34)->counted);
		assert_int_equal(at(&w, 33)->count, 11);
		assert_int_equal(at(&w, 34)->count, 1);
		assert_int_equal(at(&w, 33)->cpus, 2);
		assert_int_equal(at(&w, 34)->cpus, 1);
	}
	/* a line that is gone is no count, and its files are looked at again in time */
	tree_text(t, "proc/interrupts",
		  "      CPU0 CPU1 CPU2\n 33:  5 1 6  PCI-MSI 0-edge nvme0q0\n");
	assert_int_equal(host_watch_read(&t->root, &w), 0);
	assert_int_equal(at(&w, 33)->count, 12);
	assert_false(at(&w, 34)->counted);
	put(t, 33, "per_cpu_count", "7,7,7\n");
	put(t, 34, "per_cpu_count", "1\n");
	for (int i = 0; i < 16; i++)
		assert_int_equal(host_watch_read(&t->root, &w), 0);
	/* what another source tells is the beginning of what comes, and nothing that came */
	assert_int_equal(at(&w, 33)->count, 12);
	assert_int_equal(at(&w, 33)->counted_by, HOST_IRQ_SYSFS);
	assert_true(at(&w, 34)->counted);
	put(t, 33, "per_cpu_count", "7,8,7\n");
	assert_int_equal(fresh(t, &w, 33), 1);
	assert_int_equal(at(&w, 33)->count, 13);
	host_watch_free(&w);
}

static void without_sys_kernel_irq(void **state)
{
	struct host_watch w = { .addr = { 0, 4, 0, 0 } };
	struct tree *t = *state;

	tree_text(t, "sys/bus/pci/devices/0000:04:00.0/msi_irqs/33", "msix\n");
	tree_text(t, "proc/interrupts", "      CPU0 CPU1\n 33:  5 6  PCI-MSI 2-edge nvme0q0\n");
	assert_int_equal(host_watch_read(&t->root, &w), 0);
	assert_int_equal(w.irqs.irq[0].count, 11);
	assert_int_equal(w.irqs.irq[0].vector, 2);
	tree_text(t, "proc/interrupts", "      CPU0 CPU1\n 33:  5 9  PCI-MSI 2-edge nvme0q0\n");
	assert_int_equal(host_watch_read(&t->root, &w), 0);
	assert_int_equal(w.irqs.irq[0].count, 14);
	host_watch_free(&w);
}

/* A storm that did not happen: a page that is cut off for a time, while a CPU is offline. */
static void no_difference_of_two_sources(void **state)
{
	struct host_watch w = { .addr = { 0, 4, 0, 0 } };
	struct tree *t = *state;

	irq(t, 33, "0\n", "1000000,7\n");
	irq(t, 34, "1\n", "0,0\n");
	tree_text(t, "proc/interrupts",
		  "      CPU1\n 33:  7  PCI-MSI 0-edge nvme0q0\n 34: 0 PCI-MSI 1-edge x\n");
	assert_int_equal(fresh(t, &w, 33), -1);
	assert_int_equal(fresh(t, &w, 33), 0);
	put(t, 33, "per_cpu_count", "1000000,");
	assert_int_equal(fresh(t, &w, 33), -1);
	assert_int_equal(counted(&w, 33)->fresh, 0);
	/* the other one goes on as it was */
	assert_true(counted(&w, 34)->compared);
	assert_int_equal(at(&w, 34)->counted_by, HOST_IRQ_SYSFS);
	tree_text(
		t, "proc/interrupts",
		"      CPU0  CPU1\n 33:  1000000 9  PCI-MSI 0-edge nvme0q0\n 34: 0 0 PCI-MSI 1-edge x\n");
	assert_int_equal(fresh(t, &w, 33), 2);
	assert_int_equal(at(&w, 33)->count, 1000009);
	put(t, 33, "per_cpu_count", "1000000,9\n");
	for (int i = 0; i < 20; i++)
		assert_true(fresh(t, &w, 33) <= 0);
	assert_int_equal(fresh(t, &w, 33), 0);
	assert_int_equal(at(&w, 33)->count, 1000009);
	host_watch_free(&w);
}

/* An IRQ that was not there the last time has counted all that it has since; the line of INTx was there before. */
static void what_is_new(void **state)
{
	struct host_watch w = { .addr = { 0, 4, 0, 0 } };
	struct tree *t = *state;
	char path[PATH_MAX];

	tree_folder(t, "sys/bus/pci/drivers/native");
	tree_link(t, "sys/bus/pci/devices/0000:04:00.0/driver", "../../drivers/native");
	tree_text(t, "sys/bus/pci/devices/0000:04:00.0/irq", "22\n");
	assert_int_equal(host_watch_read(&t->root, &w), 0);
	put(t, 22, "actions", "ehci_hcd:usb1,native\n");
	put(t, 22, "per_cpu_count", "5000000,0\n");
	assert_int_equal(fresh(t, &w, 22), -1);
	put(t, 22, "per_cpu_count", "5000000,2\n");
	assert_int_equal(fresh(t, &w, 22), 2);
	irq(t, 33, "0\n", "40,2\n");
	assert_int_equal(fresh(t, &w, 33), 42);
	/* freed and allocated again between two looks */
	assert_int_equal(remove(msi_path(t, 33, path)), 0);
	irq(t, 35, "7\n", "4,0\n");
	irq(t, 33, "0\n", "50,0\n");
	assert_int_equal(fresh(t, &w, 33), 50);
	assert_int_equal(at(&w, 33)->count, 50);
	assert_int_equal(counted(&w, 35)->fresh, 4);
	/* without a sign of it but the counts */
	put(t, 33, "per_cpu_count", "3,0\n");
	assert_int_equal(fresh(t, &w, 33), -1);
	put(t, 33, "per_cpu_count", "3,1\n");
	assert_int_equal(fresh(t, &w, 33), 1);
	host_watch_free(&w);
}

/* What could not be read at the beginning, or for a time, is not of this time when it can be again. */
static void after_a_gap(void **state)
{
	struct host_watch w = { .addr = { 0, 4, 0, 0 } };
	struct tree *t = *state;

	irq(t, 33, "0\n", "1000000,");
	assert_int_equal(host_watch_read(&t->root, &w), 0);
	assert_false(at(&w, 33)->counted);
	put(t, 33, "per_cpu_count", "1000000,5\n");
	for (int i = 0; i < 16 && !(w.irqs.n && at(&w, 33)->counted); i++) {
		assert_int_equal(fresh(t, &w, 33), -1);
		assert_int_equal(counted(&w, 33)->fresh, 0);
	}
	assert_true(at(&w, 33)->counted);
	put(t, 33, "per_cpu_count", "1000000,");
	assert_int_equal(fresh(t, &w, 33), -1);
	assert_false(at(&w, 33)->counted);
	put(t, 33, "per_cpu_count", "1000000,12\n");
	for (int i = 0; i < 16 && !at(&w, 33)->counted; i++)
		assert_int_equal(fresh(t, &w, 33), -1);
	/* it is told to who waits for it, and is no rate */
	assert_int_equal(counted(&w, 33)->fresh, 7);
	assert_int_equal(fresh(t, &w, 33), 0);
	host_watch_free(&w);
}

/* A look for which there was no descriptor: what came since the look before it is no rate of this time. */
static void after_a_look_that_failed(void **state)
{
	struct host_watch w = { .addr = { 0, 4, 0, 0 } };
	struct tree *t = *state;
	unsigned int changes;

	irq(t, 33, "0\n", "1000000\n");
	assert_int_equal(fresh(t, &w, 33), -1);
	assert_int_equal(fresh(t, &w, 33), 0);
	changes = w.changes;
	put(t, 33, "per_cpu_count", "1000700\n");
	irq(t, 34, "1\n", "5000\n");
	for (unsigned int spare = 0; spare < 2; spare++) {
		struct rlimit before = tree_exhaust(spare);
		int rc = host_watch_read(&t->root, &w);

		tree_plenty(&before);
		assert_int_equal(rc, -EMFILE);
	}
	assert_int_equal(fresh(t, &w, 33), -1);
	assert_false(counted(&w, 34)->compared);
	/* who waits for them has them all the same */
	assert_int_equal(counted(&w, 33)->fresh, 700);
	assert_int_equal(counted(&w, 34)->fresh, 5000);
	assert_int_equal(fresh(t, &w, 34), 0);
	assert_true(w.changes > changes);
	host_watch_free(&w);
}

static void cpus_that_are_offline(void **state)
{
	struct host_watch w = { .addr = { 0, 4, 0, 0 } };
	struct tree *t = *state;

	tree_text(t, "sys/bus/pci/devices/0000:04:00.0/msi_irqs/33", "msix\n");
	tree_text(t, "sys/devices/system/cpu/possible", "0-7\n");
	tree_text(t, "proc/interrupts", "      CPU0\n 33:  7  PCI-MSI 0-edge nvme0q0\n");
	assert_int_equal(fresh(t, &w, 33), -1);
	assert_int_equal(at(&w, 33)->cpus_missing, 7);
	host_watch_free(&w);
	tree_text(t, "sys/devices/system/cpu/present", "0-2\n");
	assert_int_equal(fresh(t, &w, 33), -1);
	assert_int_equal(at(&w, 33)->cpus_missing, 2);
	/* what it counted before stays out when it is online again */
	tree_text(t, "proc/interrupts",
		  "      CPU0 CPU2\n 33:  8 2000000 PCI-MSI 0-edge nvme0q0\n");
	assert_int_equal(fresh(t, &w, 33), 1);
	assert_int_equal(at(&w, 33)->count, 8);
	for (int i = 0; i < 20; i++)
		assert_int_equal(fresh(t, &w, 33), 0);
	assert_int_equal(at(&w, 33)->cpus_missing, 2);
	host_watch_free(&w);
}

static void no_such_function(void **state)
{
	struct host_watch w = { .addr = { 0, 9, 0, 0 } };
	struct tree *t = *state;

	assert_int_equal(host_watch_read(&t->root, &w), 0);
	assert_int_equal(w.irqs.n, 0);
	host_watch_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(counts_again, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(comes_and_goes, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(changes_are_counted, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(nonsense_is_no_count, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(cut_off_by_the_page, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(without_sys_kernel_irq, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(no_difference_of_two_sources, tree_setup,
						tree_teardown),
		cmocka_unit_test_setup_teardown(what_is_new, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(after_a_gap, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(after_a_look_that_failed, tree_setup,
						tree_teardown),
		cmocka_unit_test_setup_teardown(cpus_that_are_offline, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(no_such_function, tree_setup, tree_teardown),
	};

	return cmocka_run_group_tests_name("host-watch", tests, NULL, NULL);
}
