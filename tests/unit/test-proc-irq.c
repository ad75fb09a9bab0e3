// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "host/proc-interrupts.h"
#include "tree.h"
#include "base/util.h"

static void header(void **state)
{
	static const char *const bad[] = { "",	  "\n",	       "CPU0 nonsense", "CPUx",
					   "CPU", "CPU0 CPU0", "CPU1 CPU0",	"CPU99999" };
	unsigned int *cpu;
	size_t n;

	(void)state;
	assert_int_equal(proc_irq_columns("           CPU0       CPU1       \n", &cpu, &n), 0);
	assert_int_equal(n, 2);
	free(cpu);
	assert_int_equal(proc_irq_columns("CPU3 CPU17 CPU9999", &cpu, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(cpu[0], 3);
	assert_int_equal(cpu[1], 17);
	assert_int_equal(cpu[2], 9999);
	free(cpu);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(proc_irq_columns(bad[i], &cpu, &n), -EINVAL);
		assert_null(cpu);
	}
}

/* A line below "CPU0 CPU1 ...". */
static int parse(const char *line, unsigned int cpus, struct proc_irq *p)
{
	static const unsigned int column[] = { 0, 1 };

	assert_true(cpus <= ARRAY_SIZE(column));
	p->counts.column = column;
	p->counts.columns = cpus;
	return proc_irq_parse(line, p);
}

/* Lines as kernels of several kinds print them. */
static void lines(void **state)
{
	static const struct {
		const char *line;
		unsigned int cpus, irq;
		uint64_t count, hwirq;
		bool has_hwirq;
		const char *chip, *action;
	} row[] = {
		{ " 33:          2          5  IR-PCI-MSI 2097152-edge      vfio-msix[0](0000:04:00.0)\n",
		  2, 33, 7, 2097152, true, "IR-PCI-MSI", "vfio-msix[0](0000:04:00.0)" },
		{ " 33:  0  0  IR-PCI-MSIX-0000:04:00.0   3-edge      vfio-msix[3](0000:04:00.0)\n",
		  2, 33, 0, 3, true, "IR-PCI-MSIX-0000:04:00.0", "vfio-msix[3](0000:04:00.0)" },
		{ " 22:  1  IR-IO-APIC   22-fasteoi   vfio-intx(0000:02:00.0), ehci_hcd:usb1\n", 1,
		  22, 1, 22, true, "IR-IO-APIC", "vfio-intx(0000:02:00.0), ehci_hcd:usb1" },
		{ " 27:  4  ITS-PCI-MSIX-0000:01:00.0   0 Edge      nvme0q0\n", 1, 27, 4, 0, true,
		  "ITS-PCI-MSIX-0000:01:00.0", "nvme0q0" },
		{ "13:  4294967295  GICv3  27 Level     arch_timer", 1, 13, UINT32_MAX, 27, true,
		  "GICv3", "arch_timer" },
		{ "  9:  0  IO-APIC   9-fasteoi   \n", 1, 9, 0, 9, true, "IO-APIC", "" },
		{ "  9:  0  dummy  eth name with blanks  \n", 1, 9, 0, 0, false, "dummy",
		  "eth name with blanks" },
		{ "4000000000:  1  PCI-MSI 5-edge x\n", 1, 4000000000u, 1, 5, true, "PCI-MSI",
		  "x" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct proc_irq p = { 0 };

		assert_int_equal(parse(row[i].line, row[i].cpus, &p), 0);
		assert_int_equal(p.irq, row[i].irq);
		assert_int_equal(irq_counts_sum(&p.counts), row[i].count);
		assert_int_equal(p.has_hwirq, row[i].has_hwirq);
		assert_string_equal(p.chip, row[i].chip);
		assert_string_equal(p.action, row[i].action);
		if (p.has_hwirq)
			assert_int_equal(p.hwirq, row[i].hwirq);
		proc_irq_free(&p);
	}
}

static void other_lines(void **state)
{
	static const char *const bad[] = {
		"NMI:          0          0   Non-maskable interrupts\n",
		"ERR:          0\n",
		"",
		"\n",
		"33",
		"33 :  0  0\n",
		"-3: 0 0\n",
		"99999999999: 0 0 x 1-edge y\n",
		"5: 1\n",
		"5: 1 x\n",
		"5: 1 4294967296\n",
		"5: 1 2x\n",
		"x5: 1 2\n",
		": 1 2\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct proc_irq p = { 0 };

		assert_int_equal(parse(bad[i], 2, &p), -EBADMSG);
		proc_irq_free(&p);
	}
}

static void long_words(void **state)
{
	char line[1024] = "7: 1 ";
	struct proc_irq p = { 0 };

	(void)state;
	memset(line + 5, 'c', 400);
	copy_text(line + 405, 16, " 3-edge ");
	memset(line + 413, 'a', 500);
	assert_int_equal(parse(line, 1, &p), 0);
	assert_int_equal(strlen(p.chip), 400);
	assert_int_equal(strlen(p.action), 500);
	/* the next line has its own */
	assert_int_equal(parse("8: 1 chip 3-edge a", 1, &p), 0);
	assert_string_equal(p.chip, "chip");
	assert_string_equal(p.action, "a");
	proc_irq_free(&p);
}

static void sum(void *ctx, const struct proc_irq *p)
{
	*(uint64_t *)ctx += irq_counts_sum(&p->counts);
}

static void walks(void **state)
{
	const size_t big = 307200;
	char *text = malloc(big);
	uint64_t total = 0;
	struct tree t;

	(void)state;
	tree_new(&t);
	assert_int_equal(proc_irq_walk(&t.root, sum, &total), -ENOENT);
	/* a line longer than the buffer is skipped, the one behind it is not */
	assert_non_null(text);
	memset(text, ' ', big);
	tree_put(text, "   CPU0\n 5: 100 chip 1-edge");
	copy_text(text + big - 32, 32, "x\n 6: 7 chip 1-edge y\nNMI: 9\n");
	tree_text(&t, "proc/interrupts", text);
	assert_int_equal(proc_irq_walk(&t.root, sum, &total), 0);
	assert_int_equal(total, 7);
	tree_text(&t, "proc/interrupts", "garbage\n 5: 1 x\n");
	assert_int_equal(proc_irq_walk(&t.root, sum, &total), -EINVAL);
	tree_bytes(&t, "proc/interrupts", "\0\0\0", 3);
	assert_int_equal(proc_irq_walk(&t.root, sum, &total), -EINVAL);
	free(text);
	tree_free(&t);
}

static bool is_33_or_35(const void *ctx, unsigned int irq)
{
	(void)ctx;
	return irq == 33 || irq == 35;
}

/* Only what is asked for, and nothing behind the last of it. */
static void picks(void **state)
{
	uint64_t total = 0;
	struct tree t;

	(void)state;
	tree_new(&t);
	tree_text(
		&t, "proc/interrupts",
		"      CPU0 CPU1\n 33: 1 2 x 0-edge a\n 34: 10 10 x 1-edge b\n 35: 3 0 x 2-edge c\n 35: 100 0 x d\n");
	assert_int_equal(proc_irq_pick(&t.root, 2, is_33_or_35, sum, &total), 0);
	assert_int_equal(total, 6);
	assert_int_equal(proc_irq_pick(&t.root, 0, is_33_or_35, sum, &total), 0);
	assert_int_equal(total, 6);
	tree_text(&t, "proc/interrupts", " 33: 1\n");
	assert_int_equal(proc_irq_pick(&t.root, 2, is_33_or_35, sum, &total), -EINVAL);
	tree_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header),      cmocka_unit_test(lines),
		cmocka_unit_test(other_lines), cmocka_unit_test(long_words),
		cmocka_unit_test(walks),       cmocka_unit_test(picks),
	};

	return cmocka_run_group_tests_name("proc-irq", tests, NULL, NULL);
}
