// SPDX-License-Identifier: GPL-2.0-or-later
/* What a host's files are taken to say, over small trees and over the captured ones. */
#include <errno.h>

#include "platform/evidence.h"
#include "tree.h"
#include "base/util.h"

/* make check and make unit run in the repository. */
#define CAPTURED "tests/root/"

static const struct evidence *find(const struct platform *p, const char *what)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->evidence[i].what, what))
			return &p->evidence[i];
	return NULL;
}

static void assert_says(const struct platform *p, const char *what, const char *value,
			const char *source)
{
	const struct evidence *ev = find(p, what);

	if (!ev) {
		fail_msg("no evidence of %s", what);
		return;
	}
	if (!strstr(ev->value, value))
		fail_msg("%s: \"%s\" lacks \"%s\"", what, ev->value, value);
	if (!strstr(ev->source, source))
		fail_msg("%s: source \"%s\" lacks \"%s\"", what, ev->source, source);
}

static void read_it(const struct tree *t, struct platform *p)
{
	assert_int_equal(platform_read(&t->root, NULL, p), 0);
}

static void x86(const struct tree *t, const char *release)
{
	tree_text(t, "proc/sys/kernel/arch", "x86_64\n");
	tree_text(t, "proc/sys/kernel/osrelease", release);
	tree_text(t, "sys/devices/system/cpu/online", "0-3,8\n");
}

static void chip(const struct tree *t, unsigned int irq, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "sys/kernel/irq/%u/chip_name", irq);
	tree_text(t, path, name);
}

/* Each limit is an evidence of its own; that of the CPUs is told where they are known. */
static void ceilings(void **state)
{
	struct tree *t = *state;
	struct platform p;
	unsigned int n = 0;

	x86(t, "6.12.0\n");
	read_it(t, &p);
	for (size_t i = 0; i < p.n; i++) {
		if (strcmp(p.evidence[i].what, "ceiling") != 0)
			continue;
		n++;
		assert_true(p.evidence[i].value[0] && p.evidence[i].source[0]);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(p.evidence[i].value, p.evidence[k].value);
	}
	assert_int_equal(n, 4);
	assert_string_equal(p.evidence[p.n - 1].what, "ceiling");
	assert_non_null(strstr(p.evidence[p.n - 1].value, "about 1000 vectors on 5 CPUs"));
	platform_free(&p);
}

/* vfio-pci can add MSI-X vectors since Linux 6.5, on x86. */
static void adds_vectors(void **state)
{
	static const struct {
		const char *release, *arch, *says;
	} cases[] = {
		{ "6.5.0\n", "x86_64\n", "MSI-X is likely to be dynamic" },
		{ "6.4.99\n", "x86_64\n", "MSI-X and MSI are likely to be NORESIZE" },
		{ "7.0.0\n", "x86_64\n", "MSI-X is likely to be dynamic" },
		{ "5.10.0\n", "x86_64\n", "MSI-X and MSI are likely to be NORESIZE" },
		{ "6.12.0\n", "aarch64\n", "MSI-X and MSI are likely to be NORESIZE" },
	};
	struct tree *t = *state;
	struct platform p;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		x86(t, cases[i].release);
		tree_text(t, "proc/sys/kernel/arch", cases[i].arch);
		read_it(t, &p);
		assert_says(&p, "noresize", cases[i].says, "");
		platform_free(&p);
	}
}

static void short_name(void **state)
{
	struct tree *t = *state;
	struct platform p;

	tree_text(t, "sys/class/dmi/id/product_name", "KVM\n");
	tree_text(t, "sys/hypervisor/type", "X\n");
	read_it(t, &p);
	assert_int_equal(p.guest, VERDICT_YES);
	assert_says(&p, "hypervisor", "is a virtual machine: X", "/sys/hypervisor/type: X");
	platform_free(&p);
}

static void empty_tree(void **state)
{
	struct tree *t = *state;
	struct platform p;

	read_it(t, &p);
	assert_int_equal(p.multivector, VERDICT_UNKNOWN);
	assert_int_equal(p.remapping, VERDICT_UNKNOWN);
	assert_int_equal(p.guest, VERDICT_UNKNOWN);
	assert_string_equal(p.arch, "");
	assert_int_equal(p.vectors_available, -1);
	assert_says(&p, "iommu", "not known", "");
	for (size_t i = 0; i < p.n; i++) {
		assert_true(p.evidence[i].value[0]);
		assert_true(p.evidence[i].source[0]);
	}
	platform_free(&p);
}

static void remapping_is_state(void **state)
{
	struct tree *t = *state;
	struct platform p;

	x86(t, "6.12.1\n");
	tree_text(t, "sys/class/iommu/dmar0/intel-iommu/ecap", "f00f4e\n");
	tree_text(t, "sys/class/iommu/dmar1/intel-iommu/ecap", "f46\n");
	chip(t, 1, "IO-APIC\n");
	chip(t, 2, "PCI-MSI-0000:01:00.0\n");
	read_it(t, &p);
	assert_int_equal(p.remapping, VERDICT_NO);
	assert_int_equal(p.multivector, VERDICT_NO);
	assert_true(p.remap_capable);
	assert_int_equal(p.iommus, 2);
	assert_int_equal(p.cpus, 5);
	assert_int_equal(p.irqs, 2);
	assert_says(&p, "remapping", "is off", "none of 2");
	assert_says(&p, "remapping-capability", "1 of 2", "ecap");
	platform_free(&p);

	chip(t, 3, "IR-IO-APIC\n");
	read_it(t, &p);
	assert_int_equal(p.remapping, VERDICT_YES);
	assert_int_equal(p.multivector, VERDICT_YES);
	assert_says(&p, "remapping", "is on", "1 of 3");
	platform_free(&p);
}

/* Linux 6.2 below an emulated IOMMU. */
static void virtual_remapping(void **state)
{
	struct tree *t = *state;
	struct platform p;

	x86(t, "6.2.0\n");
	chip(t, 1, "vIR-PCI-MSI-0000:01:00.0\n");
	read_it(t, &p);
	assert_int_equal(p.remapping, VERDICT_YES);
	platform_free(&p);
}

static void no_chip_names(void **state)
{
	struct tree *t = *state;
	struct platform p;

	x86(t, "6.12.1\n");
	tree_text(t, "sys/class/iommu/dmar0/intel-iommu/ecap", "f00f4e\n");
	read_it(t, &p);
	assert_int_equal(p.remapping, VERDICT_UNKNOWN);
	assert_int_equal(p.multivector, VERDICT_UNKNOWN);
	platform_free(&p);
}

static void hypervisor_allocates(void **state)
{
	struct tree *t = *state;
	struct platform p;

	x86(t, "6.12.1\n");
	chip(t, 1, "xen-pirq-msi\n");
	read_it(t, &p);
	assert_int_equal(p.multivector, VERDICT_UNKNOWN);
	platform_free(&p);
}

static void words_of_the_command_line(void **state)
{
	struct tree *t = *state;
	struct platform p;

	x86(t, "6.12.1\n");
	chip(t, 1, "IR-IO-APIC\n");
	tree_text(t, "proc/cmdline",
		  "root=/dev/sda1 intel_iommu=on quiet pci=noaer,nomsi intremap=nosid\n");
	read_it(t, &p);
	assert_int_equal(p.multivector, VERDICT_NO);
	assert_non_null(strstr(p.multivector_why, "nomsi"));
	assert_false(p.remap_off_at_boot);
	assert_says(&p, "command-line", "booted with intel_iommu=on pci=noaer,nomsi intremap=nosid",
		    "/proc/cmdline");
	platform_free(&p);

	/* no option of pci, and not quite its name */
	tree_text(t, "proc/cmdline", "pci=nomsix pci_nomsi=1 intremap=nosid,off xintremap=off\n");
	read_it(t, &p);
	assert_int_equal(p.multivector, VERDICT_YES);
	assert_true(p.remap_off_at_boot);
	assert_says(&p, "command-line", "booted with intremap=nosid,off", "");
	platform_free(&p);
}

#define FEATURES "/sys/class/iommu/ivhd0/amd-iommu/features 29d3"

/* RTAS is PowerPC's firmware, and not there on each of them. */
static void firmware_of_power(void **state)
{
	struct tree *t = *state;
	struct platform p;

	tree_text(t, "sys/firmware/devicetree/base/rtas/ibm,change-msi", "");
	x86(t, "6.12.0\n");
	read_it(t, &p);
	assert_null(find(&p, "rtas"));
	platform_free(&p);
	tree_text(t, "proc/sys/kernel/arch", "ppc64le\n");
	read_it(t, &p);
	assert_says(&p, "rtas", "the firmware gives MSI, not MSI-X",
		    "ibm,change-msix-capable missing");
	platform_free(&p);
}

/* A unit that has a name and nothing to read is no evidence. */
static void amd_without_registers(void **state)
{
	struct tree *t = *state;
	struct platform p;

	x86(t, "6.15.0\n");
	tree_text(t, "sys/class/iommu/ivhd0/amd-iommu/cap", "1f03000f\n");
	read_it(t, &p);
	assert_int_equal(p.iommus, 1);
	assert_null(find(&p, "remapping-capability"));
	assert_null(find(&p, "amd-2k"));
	platform_free(&p);
}

static void amd_2k_bits(void **state)
{
	static const struct {
		const char *release, *features, *says, *source;
	} table[] = {
		{ "6.12.1\n", "29d3:100\n", "at most 512", "/proc/sys/kernel/osrelease 6.12.1" },
		{ "6.15.0\n", "29d3:0\n", "512 interrupts", FEATURES },
		{ "6.15.0\n", "29d3:100\n", "2048", FEATURES },
		{ "7.2.0\n", "29d3:300\n", "512 interrupts", FEATURES },
		{ "6.15.0\n", "29d3\n", "cannot be read", FEATURES },
		{ "6.15.0\n", "29d3:zz\n", "cannot be read", FEATURES },
		{ "nonsense\n", "29d3:100\n", "cannot be read", FEATURES },
	};
	struct tree *t = *state;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct platform p;

		x86(t, table[i].release);
		tree_text(t, "sys/class/iommu/ivhd0/amd-iommu/cap", "1f03000f\n");
		tree_text(t, "sys/class/iommu/ivhd0/amd-iommu/features", table[i].features);
		read_it(t, &p);
		assert_says(&p, "amd-2k", table[i].says, table[i].source);
		assert_false(p.remap_capable);
		platform_free(&p);
	}
}

static void guests(void **state)
{
	struct tree *t = *state;
	struct platform p;

	x86(t, "6.12.1\n");
	tree_text(t, "proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu nohypervisor hypervisors\n\n");
	tree_text(t, "sys/class/dmi/id/sys_vendor", "Dell Inc.\n");
	read_it(t, &p);
	assert_int_equal(p.guest, VERDICT_NO);
	platform_free(&p);

	tree_text(t, "proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu hypervisor lm\n\n");
	read_it(t, &p);
	assert_int_equal(p.guest, VERDICT_YES);
	assert_says(&p, "hypervisor", "is a virtual machine", "flag hypervisor");
	platform_free(&p);

	tree_text(t, "sys/class/dmi/id/product_name", "KVM\n");
	read_it(t, &p);
	assert_says(&p, "hypervisor", "KVM", "product_name");
	platform_free(&p);
}

static void arch_without_a_file(void **state)
{
	static const struct {
		const char *cpuinfo, *arch;
	} table[] = {
		{ "processor\t: 0\nvendor_id\t: GenuineIntel\n", "x86_64" },
		{ "processor\t: 0\nCPU implementer\t: 0x41\n", "aarch64" },
		{ "processor\t: 0\ncpu\t\t: POWER9 (architected)\n", "ppc64le" },
		{ "processor\t: 0\nmodel vendor_id\n", "" },
	};
	struct tree *t = *state;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct platform p;

		tree_text(t, "proc/cpuinfo", table[i].cpuinfo);
		/* and with one that says nothing */
		if (i % 2)
			tree_text(t, "proc/sys/kernel/arch", "");
		read_it(t, &p);
		assert_string_equal(p.arch, table[i].arch);
		platform_free(&p);
	}
}

static void vectors_of_debugfs(void **state)
{
	static const struct {
		const char *text;
		int available;
	} table[] = {
		{ "name:   VECTOR\nOnline bitmaps:        2\nGlobal available:    315\nGlobal reserved:       7\n",
		  315 },
		{ "Global available:\n", -1 },
		{ "Global available: -5\n", -1 },
		{ "Global available: 99999999999999999999\n", -1 },
		{ "Total allocated: 5\n", -1 },
	};
	struct tree *t = *state;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct platform p;

		tree_text(t, "sys/kernel/debug/irq/domains/VECTOR", table[i].text);
		read_it(t, &p);
		assert_int_equal(p.vectors_available, table[i].available);
		platform_free(&p);
	}
}

static void cpu_lists(void **state)
{
	static const struct {
		const char *list;
		unsigned int n;
	} table[] = {
		{ "0\n", 1 },	   { "0-7\n", 8 },	    { "0,2-3,9\n", 4 },
		{ "3-1\n", 0 },	   { "0-4294967295\n", 0 }, { "a-b\n", 0 },
		{ "0-9-10\n", 0 }, { "0-4095\n", 4096 },
	};
	struct tree *t = *state;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct platform p;

		tree_text(t, "sys/devices/system/cpu/online", table[i].list);
		read_it(t, &p);
		assert_int_equal(p.cpus, table[i].n);
		platform_free(&p);
	}
}

/* Nothing from a file reaches a terminal as it is, and nothing runs over. */
static void hostile_text(void **state)
{
	struct tree *t = *state;
	char big[3000];
	struct platform p;

	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	memcpy(big, "vfio.", 5);
	x86(t, "6.12\033[31m\n");
	tree_text(t, "proc/cmdline", big);
	tree_text(t, "sys/class/dmi/id/product_name", "KVM\033]0;x\007\n");
	tree_text(t, "sys/class/iommu/dmar0\033/intel-iommu/ecap", "f00f4e\n");
	tree_text(t, "sys/class/iommu/dmar1/intel-iommu/ecap", "0xf00f4e and more\n");
	tree_fifo(t, "sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
	read_it(t, &p);
	for (size_t i = 0; i < p.n; i++) {
		assert_null(strchr(p.evidence[i].value, '\033'));
		assert_null(strchr(p.evidence[i].source, '\033'));
	}
	assert_null(find(&p, "noiommu"));
	platform_free(&p);
}

/* What decides stands at the end of a long command line, and all that bears on it is told. */
static void long_cmdline(void **state)
{
	struct tree *t = *state;
	char line[9000] = "";
	struct platform p;

	for (unsigned int i = 0; i < 600; i++)
		append(line, sizeof(line), "quiet%u=%u ", i, i);
	for (unsigned int i = 0; i < 20; i++)
		append(line, sizeof(line), "vfio.parameter%u=%u ", i, i);
	append(line, sizeof(line), "intel_iommu=on pci=nomsi\n");
	x86(t, "6.12\n");
	tree_text(t, "proc/cmdline", line);
	read_it(t, &p);
	assert_int_equal(p.multivector, VERDICT_NO);
	assert_says(&p, "command-line", "booted with vfio.parameter0=0 ", "/proc/cmdline");
	assert_says(&p, "command-line", " vfio.parameter19=19 intel_iommu=on pci=nomsi",
		    "/proc/cmdline");
	platform_free(&p);
}

/* ---- the captured machines */

static void captured(void **state)
{
	static const struct {
		const char *tree;
		enum verdict remapping, multivector;
		bool off_at_boot;
		const char *what, *value;
	} table[] = {
		{ "intel-remap", VERDICT_YES, VERDICT_YES, false, "reserved-region", "MSI" },
		{ "intel-remap-6.1", VERDICT_YES, VERDICT_YES, false, "noresize", "MSI-X and MSI" },
		{ "intel-noremap", VERDICT_NO, VERDICT_NO, false, "remapping-capability",
		  "cannot" },
		{ "intel-remap-off-at-boot", VERDICT_NO, VERDICT_NO, true, "remapping-capability",
		  "could" },
		{ "amd-remap", VERDICT_YES, VERDICT_YES, false, "amd-2k", "512" },
		{ "amd-noremap", VERDICT_NO, VERDICT_NO, false, "remapping-capability",
		  "the same" },
		{ "arm64-its", VERDICT_UNKNOWN, VERDICT_YES, false, "msi-controller", "ITS" },
		{ "arm64-gicv2m", VERDICT_UNKNOWN, VERDICT_UNKNOWN, false, "msi-controller",
		  "GICv2m" },
		{ "pseries", VERDICT_UNKNOWN, VERDICT_UNKNOWN, false, "rtas", "MSI and MSI-X" },
		{ "vm-guest", VERDICT_NO, VERDICT_NO, false, "iommu", "no IOMMU" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct pci_addr *list = NULL;
		struct platform p;
		struct function f;
		struct root r;
		struct error e;
		char path[128];
		ssize_t n;

		snprintf(path, sizeof(path), CAPTURED "%s.capture", table[i].tree);
		assert_int_equal(root_open(&r, path, &e), 0);
		n = function_scan(&r, &list, &e);
		assert_true(n > 1);
		assert_int_equal(function_read(&r, &list[n - 1], &f, &e), 0);
		free(list);
		assert_int_equal(platform_read(&r, &f, &p), 0);
		assert_int_equal(p.remapping, table[i].remapping);
		assert_int_equal(p.multivector, table[i].multivector);
		assert_int_equal(p.remap_off_at_boot, table[i].off_at_boot);
		assert_int_equal(p.guest, VERDICT_YES);
		assert_true(p.multivector_why[0]);
		assert_says(&p, table[i].what, table[i].value, "");
		platform_free(&p);
		root_close(&r);
	}
}

/* Without descriptors nothing is off, absent or 0: what is told is what it is with them, or not known. */
static void without_descriptors(void **state)
{
	struct tree *t = *state;
	const struct root r = t->root;
	struct platform all, p;

	/* a folder: of a capture all is in memory */
	x86(t, "6.12.0\n");
	tree_text(t, "sys/class/iommu/dmar0/intel-iommu/ecap", "f00f4e\n");
	tree_text(t, "sys/kernel/iommu_groups/1/type", "DMA\n");
	tree_text(t, "proc/cmdline", "intel_iommu=on\n");
	tree_text(t, "proc/cpuinfo", "processor\t: 0\n");
	chip(t, 24, "IR-PCI-MSI\n");
	assert_int_equal(platform_read(&r, NULL, &all), 0);
	assert_int_equal(all.remapping, VERDICT_YES);
	for (unsigned int spare = 0; spare < 5; spare++) {
		unsigned int misses = root_misses(&r);
		struct rlimit before = tree_exhaust(spare);

		assert_int_equal(platform_read(&r, NULL, &p), 0);
		tree_plenty(&before);
		assert_true(p.remapping == all.remapping || p.remapping == VERDICT_UNKNOWN);
		assert_true(p.multivector == all.multivector || p.multivector == VERDICT_UNKNOWN);
		for (size_t i = 0; root_missed(&r, misses) && i < p.n; i++) {
			assert_null(strstr(p.evidence[i].value, "no IOMMU"));
			assert_null(strstr(p.evidence[i].value, "0 IOMMU"));
			assert_null(strstr(p.evidence[i].value, "is off"));
		}
		platform_free(&p);
	}
	platform_free(&all);
}

static void firmware_of_a_function(void **state)
{
	struct pci_addr xhci = { 2, 0, 0, 0 };
	struct platform p;
	struct function f;
	struct root r;
	struct error e;

	(void)state;
	assert_int_equal(root_open(&r, CAPTURED "pseries.capture", &e), 0);
	assert_int_equal(function_read(&r, &xhci, &f, &e), 0);
	assert_int_equal(platform_read(&r, &f, &p), 0);
	assert_says(&p, "rtas-request", "for 1 MSI vector", "ibm,req#msi");
	assert_says(&p, "rtas-total", "3328", "ibm,pe-total-#msi");
	platform_free(&p);
	root_close(&r);
}

/* A device tree's node, some folders below the one that has the property. */
static void firmware_requests(void **state)
{
	struct function f = { .addr = { 0, 1, 0, 0 }, .group = -1 };
	struct tree *t = *state;
	struct platform p;
	char full[PATH_MAX];

	tree_text(t, "proc/sys/kernel/arch", "ppc64le\n");
	tree_folder(t, "sys/firmware/devicetree/base/rtas/");
	tree_folder(t, "sys/1/2/3/4/5/6/7/8/node/");
	tree_link(t, "sys/bus/pci/devices/0000:01:00.0/of_node",
		  "../../../../1/2/3/4/5/6/7/8/node");
	assert_int_equal(platform_read(&t->root, &f, &p), 0);
	assert_says(&p, "rtas", "no MSI", "ibm,change-msi missing");
	assert_null(find(&p, "rtas-request"));
	assert_null(find(&p, "rtas-total"));
	platform_free(&p);
	/* four bytes, big-endian; any other number of them is none */
	tree_bytes(t, "sys/1/2/3/4/5/6/7/8/node/ibm,req#msi", "\1\2\3", 3);
	tree_bytes(t, "sys/1/2/3/4/5/6/7/8/node/ibm,req#msi-x", "\1\2\3\4", 4);
	/* eight above is too far, seven is not */
	tree_bytes(t, "sys/1/ibm,pe-total-#msi", "\0\0\0\1", 4);
	assert_int_equal(platform_read(&t->root, &f, &p), 0);
	assert_says(&p, "rtas-request", "ask for 16909060 MSI-X vectors", "ibm,req#msi-x");
	assert_null(find(&p, "rtas-total"));
	platform_free(&p);
	unlink(tree_path(t, "sys/1/ibm,pe-total-#msi", full));
	tree_bytes(t, "sys/1/2/ibm,pe-total-#msi", "\0\0\1\0", 4);
	assert_int_equal(platform_read(&t->root, &f, &p), 0);
	assert_says(&p, "rtas-total", "has 256 MSI",
		    "of_node/../../../../../../../ibm,pe-total-#msi");
	platform_free(&p);
}

/* Four units are named, more are counted. */
static void many_units(void **state)
{
	struct tree *t = *state;
	struct platform p;

	x86(t, "6.12.0\n");
	for (int n = 1; n <= 5; n++) {
		char path[64];
		const struct evidence *ev;

		snprintf(path, sizeof(path), "sys/class/iommu/dmar%d/", n);
		tree_folder(t, path);
		read_it(t, &p);
		ev = find(&p, "iommu");
		assert_non_null(ev);
		assert_int_equal(p.iommus, n);
		assert_int_equal(strstr(ev->source, " ...") != NULL, n > 4);
		platform_free(&p);
	}
}

/* An empty file names no hypervisor, and no list of CPUs is longer than Linux can have. */
static void no_word(void **state)
{
	struct tree *t = *state;
	struct platform p;

	x86(t, "6.12.0\n");
	tree_text(t, "sys/hypervisor/type", "");
	tree_text(t, "sys/devices/system/cpu/online", "0-1048577\n");
	read_it(t, &p);
	assert_int_equal(p.guest, VERDICT_UNKNOWN);
	assert_int_equal(p.cpus, 0);
	platform_free(&p);
	tree_text(t, "proc/sys/kernel/arch", "aarch64\n");
	tree_text(t, "sys/devices/system/cpu/online", "0-3\n");
	read_it(t, &p);
	for (size_t i = 0; i < p.n; i++)
		assert_null(strstr(p.evidence[i].value, "vectors on 4 CPUs"));
	platform_free(&p);
}

/* ---- IMS */

#define EXT 0x100

static void put32(uint8_t *at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> (8 * i));
}

/* A PCIe function of 4 KiB with Intel's DVSEC 5 at 0x100. */
static void ims_function(struct function *f, bool ims)
{
	*f = (struct function){ .addr = { 0, 1, 0, 0 },
				.group = -1,
				.config_len = sizeof(f->config) };
	put32(f->config + EXT, 0x00010023);	/* capability 0023h, version 1, no next */
	put32(f->config + EXT + 4, 0x01808086); /* vendor, revision, length 18h */
	put32(f->config + EXT + 8, 5);
	put32(f->config + EXT + 0x14, ims);
}

static void ims_of(const struct tree *t, const struct platform *p, const struct function *f,
		   enum verdict want, const char *says)
{
	struct ims_verdict v;

	platform_ims(&t->root, p, f, &v);
	if (v.verdict != want || !strstr(v.reason, says))
		fail_msg("%s: %s", verdict_word(v.verdict), v.reason);
}

static void ims_needs_more_than_a_flag(void **state)
{
	struct platform p = { .arch = "x86_64", .remapping = VERDICT_YES };
	struct tree *t = *state;
	struct function f;

	ims_of(t, &p, NULL, VERDICT_UNKNOWN, "no function of this host");
	ims_function(&f, true);
	ims_of(t, &p, &f, VERDICT_UNKNOWN, "no proof");
	p.release = 6 << 8 | 12;
	ims_of(t, &p, &f, VERDICT_UNKNOWN, "Linux 6.12 has no IMS as released");
	p.release = 6 << 8 | 1;
	ims_of(t, &p, &f, VERDICT_UNKNOWN, "Linux 6.1 has no IMS as released");
	p.release = 6 << 8 | 8;
	ims_of(t, &p, &f, VERDICT_UNKNOWN, "no proof: the kernel tells user space nothing");
	p.release = 6 << 8 | 9;
	ims_of(t, &p, &f, VERDICT_UNKNOWN, "no proof: the kernel tells user space nothing");
	p.release = 6 << 8 | 10;
	ims_of(t, &p, &f, VERDICT_UNKNOWN, "Linux 6.10 has no IMS as released");
	p.release = 6 << 8 | 2;
	ims_of(t, &p, &f, VERDICT_UNKNOWN, "no proof: the kernel tells user space nothing");
	p.guest = VERDICT_YES;
	/* the register of a unit that is not Intel's says nothing */
	tree_text(t, "sys/class/iommu/ivhd0/intel-iommu/cap", "d2008c22260286\n");
	ims_of(t, &p, &f, VERDICT_UNKNOWN, "virtual machine");
	tree_text(t, "sys/class/iommu/dmar0/intel-iommu/cap", "d2008c22260286\n");
	ims_of(t, &p, &f, VERDICT_UNKNOWN, "caching mode");
	p.remapping = VERDICT_NO;
	ims_of(t, &p, &f, VERDICT_NO, "remapping is off");
	/* IRQs that cannot be looked at are no proof */
	tree_link(t, "sys/bus/pci/devices/0000:00:00.0/msi_irqs", "msi_irqs");
	ims_of(t, &p, &f, VERDICT_NO, "remapping is off");
	p.remapping = VERDICT_YES;
	ims_function(&f, false);
	ims_of(t, &p, &f, VERDICT_NO, "does not claim");
	f.config[EXT + 8] = 6;
	ims_of(t, &p, &f, VERDICT_UNKNOWN, "no SIOV DVSEC here");
	f.config_len = 64;
	ims_of(t, &p, &f, VERDICT_UNKNOWN, "run as root");
	f.config_len = 256;
	ims_of(t, &p, &f, VERDICT_UNKNOWN, "no extended config space");
}

/* Only an interrupt that came is proof, whatever else is said. */
static void ims_counted(void **state)
{
	struct platform p = { .arch = "x86_64", .remapping = VERDICT_YES };
	struct tree *t = *state;
	struct function f;

	ims_function(&f, true);
	tree_text(t, "sys/bus/pci/devices/0000:01:00.0/msi_irqs/40", "msix\n");
	chip(t, 40, "IR-IDXD-IMS-0000:01:00.0\n");
	tree_text(t, "sys/kernel/irq/40/actions", "idxd\n");
	tree_text(t, "sys/kernel/irq/40/hwirq", "0\n");
	tree_text(t, "sys/kernel/irq/40/per_cpu_count", "0,0\n");
	ims_of(t, &p, &f, VERDICT_UNKNOWN, "no IMS interrupt");
	tree_text(t, "sys/kernel/irq/40/per_cpu_count", "0,7\n");
	ims_of(t, &p, &f, VERDICT_YES, "counted 7");
	tree_text(t, "sys/kernel/irq/40/per_cpu_count", "0,1\n");
	ims_of(t, &p, &f, VERDICT_YES, "counted 1");
	/* not the only IRQ */
	tree_text(t, "sys/bus/pci/devices/0000:01:00.0/msi_irqs/39", "msix\n");
	chip(t, 39, "IR-PCI-MSIX-0000:01:00.0\n");
	tree_text(t, "sys/kernel/irq/39/per_cpu_count", "5,5\n");
	ims_of(t, &p, &f, VERDICT_YES,
	       "Linux IRQ 40 of chip IR-IDXD-IMS-0000:01:00.0 has counted 1 ");
	chip(t, 40, "IR-PCI-MSIX-0000:01:00.0\n");
	ims_of(t, &p, &f, VERDICT_UNKNOWN, "no proof");
}

static void foreign_device(void **state)
{
	struct platform p;

	(void)state;
	assert_int_equal(platform_foreign("sim", &p), 0);
	assert_int_equal(p.multivector, VERDICT_UNKNOWN);
	assert_int_equal(p.n, 1);
	assert_says(&p, "backend", "none of this host's", "sim");
	platform_free(&p);
}

static void words(void **state)
{
	(void)state;
	assert_string_equal(verdict_word(VERDICT_YES), "yes");
	assert_string_equal(verdict_word(VERDICT_NO), "no");
	assert_string_equal(verdict_word(VERDICT_UNKNOWN), "unknown");
}

#define OVER_A_TREE(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OVER_A_TREE(empty_tree),
		OVER_A_TREE(ceilings),
		OVER_A_TREE(adds_vectors),
		OVER_A_TREE(short_name),
		OVER_A_TREE(firmware_requests),
		OVER_A_TREE(many_units),
		OVER_A_TREE(no_word),
		OVER_A_TREE(remapping_is_state),
		OVER_A_TREE(virtual_remapping),
		OVER_A_TREE(no_chip_names),
		OVER_A_TREE(hypervisor_allocates),
		OVER_A_TREE(words_of_the_command_line),
		OVER_A_TREE(amd_2k_bits),
		OVER_A_TREE(amd_without_registers),
		OVER_A_TREE(firmware_of_power),
		OVER_A_TREE(guests),
		OVER_A_TREE(arch_without_a_file),
		OVER_A_TREE(vectors_of_debugfs),
		OVER_A_TREE(cpu_lists),
		OVER_A_TREE(long_cmdline),
		OVER_A_TREE(hostile_text),
		cmocka_unit_test(captured),
		OVER_A_TREE(without_descriptors),
		cmocka_unit_test(firmware_of_a_function),
		OVER_A_TREE(ims_needs_more_than_a_flag),
		OVER_A_TREE(ims_counted),
		cmocka_unit_test(foreign_device),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests_name("platform", tests, NULL, NULL);
}
