// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "host/irq.h"
#include "tree.h"
#include "base/util.h"

static const struct pci_addr nvme = { 0, 4, 0, 0 };

static void irq_file(const struct tree *t, unsigned int irq, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "sys/kernel/irq/%u/%s", irq, name);
	tree_text(t, path, text);
}

static void irq(const struct tree *t, unsigned int n, const char *mode, const char *action,
		const char *hwirq, const char *counts)
{
	char path[96];

	if (mode) {
		snprintf(path, sizeof(path), "sys/bus/pci/devices/0000:04:00.0/msi_irqs/%u", n);
		tree_text(t, path, mode);
	}
	irq_file(t, n, "actions", action);
	irq_file(t, n, "chip_name", "IR-PCI-MSI\n");
	irq_file(t, n, "hwirq", hwirq);
	irq_file(t, n, "per_cpu_count", counts);
}

static struct host_irqs get(const struct tree *t, unsigned int want)
{
	struct host_irqs h;

	assert_int_equal(host_irqs_read(&t->root, &nvme, want, &h), 0);
	return h;
}

/* Linux 6.12: hwirq is the index; one vector was released. */
static void per_device_domain(void **state)
{
	struct tree *t = *state;
	struct host_irqs h;
	struct vector_set armed;

	irq(t, 40, "msix\n", "vfio-msix[1](0000:04:00.0)\n", "1\n", "1,20,4294967295\n");
	irq(t, 33, "msix\n", "vfio-msix[0](0000:04:00.0)\n", "0\n", "0,0,0\n");
	irq(t, 35, "msix\n", "\n", "2\n", "5,0,0\n");
	h = get(t, HOST_IRQ_BRIEF);
	armed = host_irqs_armed(&h, IRQ_MSIX);
	assert_int_equal(h.n, 3);
	assert_int_equal(h.irq[0].irq, 33);
	assert_int_equal(h.irq[1].irq, 40);
	assert_int_equal(h.irq[1].vector, 1);
	assert_int_equal(h.irq[1].count, 4294967316);
	assert_true(h.irq[1].counted);
	assert_string_equal(h.irq[1].chip, "IR-PCI-MSI");
	assert_string_equal(h.irq[1].affinity, "");
	assert_int_equal(h.irq[2].vector, 2);
	assert_false(h.irq[2].armed);
	assert_int_equal(vector_set_count(&armed), 2);
	assert_int_equal(host_irqs_find(&h, IRQ_MSIX, 2)->irq, 35);
	assert_null(host_irqs_find(&h, IRQ_MSIX, 3));
	assert_null(host_irqs_find(&h, IRQ_MSI, 0));
	armed = host_irqs_armed(&h, IRQ_MSI);
	assert_true(vector_set_empty(&armed));
	host_irqs_free(&h);
}

/* Linux 6.1 and pSeries: devid << 11 | index; a native driver's handler. */
static void shared_domain(void **state)
{
	struct tree *t = *state;
	struct host_irqs h;

	irq(t, 50, "msi\n", "nvme0q7\n", "2097159\n", "3\n");
	irq(t, 51, "msi\n", "other\n", "4194309\n", "3\n"); /* another function's id */
	irq(t, 52, "msi\n", "vfio-msi[4](0000:04:00.0)\n", "77777777777\n", "3\n");
	irq(t, 53, "msi\n", "vfio-msi[9](0000:05:00.0)\n", "nonsense\n", "3\n");
	h = get(t, HOST_IRQ_BRIEF);
	assert_int_equal(h.n, 4);
	assert_int_equal(host_irqs_find(&h, IRQ_MSI, 7)->irq, 50);
	assert_int_equal(host_irqs_find(&h, IRQ_MSI, 4)->irq, 52);
	assert_int_equal(h.irq[0].irq, 51);
	assert_int_equal(h.irq[0].vector, -1);
	assert_int_equal(h.irq[1].irq, 53);
	assert_int_equal(h.irq[1].vector, -1);
	host_irqs_free(&h);
}

static void hostile_actions(void **state)
{
	static const char *const action[] = {
		"vfio-msix[4096](0000:04:00.0)\n",
		"vfio-msix[99999999999999](0000:04:00.0)\n",
		"vfio-msix[](0000:04:00.0)\n",
		"vfio-msix[-1](0000:04:00.0)\n",
		"vfio-msix[7\n",
		"vfio-msix[7](0000:04:00.0)x\n",
		"vfio-msi[7](0000:04:00.0)\n",
		"vfio-msix[7,vfio-msix[7](0000:04:00.0)\n",
	};
	struct tree *t = *state;

	for (size_t i = 0; i < ARRAY_SIZE(action); i++) {
		struct host_irqs h;

		irq(t, 60, "msix\n", action[i], "12\n", "1\n");
		h = get(t, HOST_IRQ_BRIEF);
		assert_int_equal(h.n, 1);
		assert_int_equal(h.irq[0].vector, 12);
		assert_true(h.irq[0].armed);
		host_irqs_free(&h);
	}
}

static void bad_entries(void **state)
{
	struct tree *t = *state;
	struct host_irqs h;

	irq(t, 70, "msix\n", "x\n", "0\n", "1,2,x\n");
	irq(t, 71, "intx\n", "x\n", "1\n", "1\n");
	irq(t, 72, "", "x\n", "2\n", "1\n");
	tree_text(t, "sys/bus/pci/devices/0000:04:00.0/msi_irqs/-7", "msix\n");
	tree_text(t, "sys/bus/pci/devices/0000:04:00.0/msi_irqs/7x", "msix\n");
	tree_text(t, "sys/bus/pci/devices/0000:04:00.0/msi_irqs/99999999999", "msix\n");
	tree_text(t, "sys/bus/pci/devices/0000:04:00.0/msi_irqs/80",
		  "msix\n"); /* gone from /sys/kernel/irq */
	h = get(t, HOST_IRQ_BRIEF);
	assert_int_equal(h.n, 2);
	assert_int_equal(h.irq[0].irq, 80);
	assert_int_equal(h.irq[0].vector, -1);
	assert_false(h.irq[0].armed || h.irq[0].counted);
	assert_int_equal(h.irq[1].irq, 70);
	assert_false(h.irq[1].counted);
	host_irqs_free(&h);
}

/* A text cut off by the kernel's page must not be taken for the whole sum. */
static void cut_counts(void **state)
{
	struct tree *t = *state;
	struct host_irqs h;

	irq(t, 33, "msix\n", "a,b\n", "0\n", "1,2,3");
	h = get(t, HOST_IRQ_BRIEF);
	assert_false(h.irq[0].counted);
	host_irqs_free(&h);
	tree_text(t, "proc/interrupts",
		  "  CPU0 CPU1\n 33: 100 23 IR-PCI-MSI 0-edge a\n 34: 1 1 x 1-edge b\n");
	h = get(t, HOST_IRQ_BRIEF);
	assert_true(h.irq[0].counted);
	assert_int_equal(h.irq[0].count, 123);
	assert_string_equal(h.irq[0].action, "a,b");
	host_irqs_free(&h);
}

static void without_sysfs_irqs(void **state)
{
	struct tree *t = *state;
	unsigned int n = 9, hits = 9;
	struct host_irqs h;

	tree_text(t, "sys/bus/pci/devices/0000:04:00.0/msi_irqs/33", "msix\n");
	tree_text(t, "sys/bus/pci/devices/0000:04:00.0/msi_irqs/34", "msix\n");
	h = get(t, HOST_IRQ_BRIEF);
	assert_int_equal(h.n, 2);
	assert_false(h.irq[0].counted);
	host_irqs_free(&h);
	assert_int_equal(host_irqs_chips(&t->root, "IR-", &n, &hits), -ENOENT);
	tree_text(t, "proc/interrupts",
		  "  CPU0 CPU1\n"
		  " 33: 100 23 IR-PCI-MSI 2097155-edge      vfio-msix[3](0000:04:00.0)\n"
		  " 34: 1 1 PCI-MSI 2097156-edge\n");
	h = get(t, HOST_IRQ_BRIEF);
	assert_int_equal(host_irqs_find(&h, IRQ_MSIX, 3)->count, 123);
	assert_true(host_irqs_find(&h, IRQ_MSIX, 3)->armed);
	assert_false(host_irqs_find(&h, IRQ_MSIX, 4)->armed);
	host_irqs_free(&h);
	assert_int_equal(host_irqs_chips(&t->root, "IR-", &n, &hits), 0);
	assert_int_equal(n, 2);
	assert_int_equal(hits, 1);
}

/* The kernel goes on without a folder that it could not make; the others are there. */
static void missing_folder(void **state)
{
	struct tree *t = *state;
	struct vector_set armed;
	struct host_irqs h;

	irq(t, 33, "msix\n", "vfio-msix[0](0000:04:00.0)\n", "0\n", "7\n");
	irq(t, 35, "msix\n", "vfio-msix[2](0000:04:00.0)\n", "2\n", "9\n");
	tree_text(t, "sys/bus/pci/devices/0000:04:00.0/msi_irqs/34", "msix\n");
	tree_text(t, "sys/bus/pci/devices/0000:04:00.0/msi_irqs/36", "msix\n");
	h = get(t, HOST_IRQ_BRIEF);
	assert_int_equal(host_irqs_unseen(&h, IRQ_MSIX), 2);
	assert_int_equal(host_irqs_unseen(&h, IRQ_MSI), 0);
	host_irqs_free(&h);
	tree_text(t, "proc/interrupts",
		  "  CPU0 CPU1\n"
		  " 33: 100 23 IR-PCI-MSI 0-edge      vfio-msix[0](0000:04:00.0)\n"
		  " 34: 3 1 IR-PCI-MSI 1-edge      vfio-msix[1](0000:04:00.0)\n");
	h = get(t, HOST_IRQ_BRIEF);
	armed = host_irqs_armed(&h, IRQ_MSIX);
	assert_int_equal(vector_set_count(&armed), 3);
	assert_int_equal(host_irqs_find(&h, IRQ_MSIX, 0)->count, 7);
	assert_int_equal(host_irqs_find(&h, IRQ_MSIX, 0)->source, HOST_IRQ_SYSFS);
	assert_int_equal(host_irqs_find(&h, IRQ_MSIX, 1)->irq, 34);
	assert_int_equal(host_irqs_find(&h, IRQ_MSIX, 1)->count, 4);
	assert_int_equal(host_irqs_find(&h, IRQ_MSIX, 1)->source, HOST_IRQ_PROC);
	assert_string_equal(host_irqs_find(&h, IRQ_MSIX, 1)->action, "vfio-msix[1](0000:04:00.0)");
	/* no line: no handler, and nothing that tells its vector */
	assert_int_equal(h.irq[0].irq, 36);
	assert_int_equal(h.irq[0].source, HOST_IRQ_PROC);
	assert_false(h.irq[0].armed || h.irq[0].counted);
	assert_int_equal(host_irqs_unseen(&h, IRQ_MSIX), 0);
	host_irqs_free(&h);
	/* a line that is there and can't be told is no absence */
	tree_text(t, "proc/interrupts", "  CPU0 CPU1\n 34: 3 x\n");
	h = get(t, HOST_IRQ_BRIEF);
	assert_int_equal(host_irqs_unseen(&h, IRQ_MSIX), 2);
	host_irqs_free(&h);
}

static void affinity(void **state)
{
	struct tree *t = *state;
	struct host_irqs h;

	irq(t, 33, "msix\n", "a\n", "0\n", "1\n");
	tree_text(t, "proc/irq/33/smp_affinity_list", "0-63\n");
	tree_text(t, "proc/irq/33/effective_affinity_list", "5\n");
	h = get(t, HOST_IRQ_AFFINITY);
	assert_string_equal(h.irq[0].affinity, "0-63");
	assert_string_equal(h.irq[0].effective, "5");
	host_irqs_free(&h);
}

/* Every second CPU of 1024: a list of 2.4 KiB. */
static void cpu_list(char text[4096])
{
	text[0] = '\0';
	for (unsigned int cpu = 0; cpu < 1024; cpu += 2)
		append(text, 4096, "%s%u", cpu ? "," : "", cpu);
}

/* Lists of a host of many CPUs and a handler with a long name; from either source. */
static void long_texts(void **state)
{
	struct tree *t = *state;
	char list[4096], action[301], line[512], none[8192];
	struct host_irqs h;

	cpu_list(list);
	memset(action, 'a', 300);
	action[300] = '\0';
	irq(t, 33, "msix\n", action, "0\n", "1\n");
	irq_file(t, 33, "chip_name", action);
	tree_text(t, "proc/irq/33/smp_affinity_list", list);
	tree_text(t, "proc/irq/33/effective_affinity_list", list);
	h = get(t, HOST_IRQ_AFFINITY);
	assert_string_equal(h.irq[0].affinity, list);
	assert_string_equal(h.irq[0].effective, list);
	assert_string_equal(h.irq[0].action, action);
	assert_string_equal(h.irq[0].chip, action);
	host_irqs_free(&h);
	/* longer than what is read at once */
	memset(none, '1', sizeof(none) - 1);
	none[sizeof(none) - 1] = '\0';
	tree_text(t, "proc/irq/33/smp_affinity_list", none);
	h = get(t, HOST_IRQ_AFFINITY);
	assert_string_equal(h.irq[0].affinity, none);
	host_irqs_free(&h);
	snprintf(line, sizeof(line), "  CPU0\n 34: 1 IR-PCI-MSI 1-edge %s\n", action);
	tree_text(t, "sys/bus/pci/devices/0000:04:00.0/msi_irqs/34", "msix\n");
	tree_text(t, "proc/interrupts", line);
	h = get(t, HOST_IRQ_BRIEF);
	assert_string_equal(host_irqs_find(&h, IRQ_MSIX, 1)->action, action);
	assert_string_equal(h.irq[1].affinity, "");
	host_irqs_free(&h);
}

/* Many devices share the line; VFIO's handler is the last of them. */
static void shared_intx(void **state)
{
	struct tree *t = *state;
	char action[1024] = "";
	struct host_irqs h;

	for (unsigned int i = 0; i < 20; i++)
		append(action, sizeof(action), "ehci_hcd:usb%u,", i);
	append(action, sizeof(action), "vfio-intx(0000:04:00.0)");
	tree_text(t, "sys/bus/pci/devices/0000:04:00.0/irq", "22\n");
	irq(t, 22, NULL, action, "22\n", "4\n");
	tree_folder(t, "sys/bus/pci/drivers/vfio-pci");
	tree_link(t, "sys/bus/pci/devices/0000:04:00.0/driver", "../../drivers/vfio-pci");
	h = get(t, HOST_IRQ_BRIEF);
	assert_int_equal(h.n, 1);
	assert_true(h.irq[0].armed);
	assert_string_equal(h.irq[0].action, action);
	host_irqs_free(&h);
}

static void intx(void **state)
{
	struct tree *t = *state;
	struct host_irqs h;

	tree_text(t, "sys/bus/pci/devices/0000:04:00.0/irq", "22\n");
	irq(t, 22, NULL, "ehci_hcd:usb1,vfio-intx(0000:04:00.0)\n", "22\n", "4\n");
	h = get(t, HOST_IRQ_BRIEF);
	assert_int_equal(h.n, 0); /* no driver: the line is others' */
	tree_folder(t, "sys/bus/pci/drivers/vfio-pci");
	tree_link(t, "sys/bus/pci/devices/0000:04:00.0/driver", "../../drivers/vfio-pci");
	h = get(t, HOST_IRQ_BRIEF);
	assert_int_equal(h.n, 1);
	assert_int_equal(h.irq[0].index, IRQ_INTX);
	assert_int_equal(h.irq[0].vector, 0);
	assert_true(h.irq[0].armed);
	assert_int_equal(h.irq[0].count, 4);
	host_irqs_free(&h);
	irq_file(t, 22, "actions", "ehci_hcd:usb1,vfio-intx(0000:05:00.0)\n");
	h = get(t, HOST_IRQ_BRIEF);
	assert_int_equal(h.n, 0);
	/* MSI takes its place */
	irq_file(t, 22, "actions", "vfio-intx(0000:04:00.0)\n");
	irq(t, 33, "msix\n", "a\n", "0\n", "1\n");
	h = get(t, HOST_IRQ_BRIEF);
	assert_int_equal(h.n, 1);
	assert_int_equal(h.irq[0].index, IRQ_MSIX);
	host_irqs_free(&h);
}

static void none(void **state)
{
	struct tree *t = *state;
	struct host_irqs h = get(t, HOST_IRQ_AFFINITY);

	assert_int_equal(h.n, 0);
	assert_null(host_irqs_find(&h, IRQ_MSIX, 0));
	host_irqs_free(&h);
}

static void too_many(void **state)
{
	struct tree *t = *state;
	struct host_irqs h;
	char path[96];

	for (unsigned int i = 0; i < MAX_VECTORS + 10; i++) {
		snprintf(path, sizeof(path), "sys/bus/pci/devices/0000:04:00.0/msi_irqs/%u", i);
		tree_text(t, path, "msix\n");
	}
	h = get(t, HOST_IRQ_BRIEF);
	assert_int_equal(h.n, MAX_VECTORS);
	host_irqs_free(&h);
}

static void chips(void **state)
{
	struct tree *t = *state;
	unsigned int n, hits;

	irq_file(t, 1, "chip_name", "IR-IO-APIC\n");
	irq_file(t, 2, "chip_name", "IO-APIC\n");
	irq_file(t, 3, "chip_name", "\n");
	tree_text(t, "sys/kernel/irq/x/chip_name", "IR-x\n");
	assert_int_equal(host_irqs_chips(&t->root, "IR-", &n, &hits), 0);
	assert_int_equal(n, 2);
	assert_int_equal(hits, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(per_device_domain), TEST(shared_domain), TEST(hostile_actions),
		TEST(bad_entries),	 TEST(cut_counts),    TEST(without_sysfs_irqs),
		TEST(affinity),		 TEST(intx),	      TEST(none),
		TEST(too_many),		 TEST(chips),	      TEST(missing_folder),
		TEST(long_texts),	 TEST(shared_intx),
	};

	return cmocka_run_group_tests_name("host-irq", tests, NULL, NULL);
}
