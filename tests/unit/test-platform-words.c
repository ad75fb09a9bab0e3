// SPDX-License-Identifier: GPL-2.0-or-later
/* The whole sentences that a host's files become, each with its source. */
#include <errno.h>

#include "platform/evidence.h"
#include "tree.h"
#include "base/util.h"

/* All evidence of a kind, in its order: "VALUE <SOURCE>", a line each. */
static void assert_evidence(const struct platform *p, const char *what, const char *want)
{
	char text[4096] = "";

	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->evidence[i].what, what))
			append(text, sizeof(text), "%s%s <%s>", text[0] ? "\n" : "",
			       p->evidence[i].value, p->evidence[i].source);
	if (strcmp(text, want) != 0)
		fail_msg("%s is \"%s\", not \"%s\"", what, text, want);
}

/* One kind of evidence, of this function, or of the host alone. */
static void says_of(const struct tree *t, const struct function *f, const char *what,
		    const char *want)
{
	struct platform p;

	assert_int_equal(platform_read(&t->root, f, &p), 0);
	assert_evidence(&p, what, want);
	platform_free(&p);
}

static void says(const struct tree *t, const char *what, const char *want)
{
	says_of(t, NULL, what, want);
}

static void decides(const struct tree *t, enum verdict verdict, const char *why)
{
	struct platform p;

	assert_int_equal(platform_read(&t->root, NULL, &p), 0);
	assert_string_equal(p.multivector_why, why);
	assert_int_equal(p.multivector, verdict);
	platform_free(&p);
}

#define ARCH	"proc/sys/kernel/arch"
#define RELEASE "proc/sys/kernel/osrelease"
#define ONLINE	"sys/devices/system/cpu/online"

static void chip(const struct tree *t, unsigned int irq, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "sys/kernel/irq/%u/chip_name", irq);
	tree_text(t, path, name);
}

/* ---- the machine, its kernel and its CPUs */

static void machine(void **state)
{
	struct tree *t = *state;

	says(t, "architecture",
	     "architecture: not known </proc/sys/kernel/arch, /proc/cpuinfo: no word on it>");
	says(t, "kernel", "");
	tree_text(t, "proc/cpuinfo", "processor\t: 0\nhart\t\t: 0\n");
	says(t, "architecture", "riscv64 </proc/cpuinfo>");
	tree_text(t, ARCH, "z\n");
	says(t, "architecture", "z </proc/sys/kernel/arch>");
	tree_text(t, RELEASE, "7\n");
	says(t, "kernel", "Linux 7 </proc/sys/kernel/osrelease>");
	tree_text(t, RELEASE, "6.12.0-rc1\n");
	says(t, "kernel", "Linux 6.12.0-rc1 </proc/sys/kernel/osrelease>");
}

static void releases(void **state)
{
	static const struct {
		const char *text;
		unsigned int release;
	} row[] = {
		{ "6.12.1\n", 6 << 8 | 12 },
		{ "10.10.10\n", 10 << 8 | 10 },
		{ "19.28\n", 19 << 8 | 28 },
		{ "6.9-rc1\n", 6 << 8 | 9 },
		{ "255.255.1\n", 0xffff },
		{ "256.0.1\n", 0 },
		{ "6.256.1\n", 0 },
		{ "6\n", 0 },
		{ "6.\n", 0 },
		{ "x.1\n", 0 },
		{ ".1\n", 0 },
		{ "6.x\n", 0 },
	};
	struct tree *t = *state;
	struct platform p;

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		tree_text(t, RELEASE, row[i].text);
		assert_int_equal(platform_read(&t->root, NULL, &p), 0);
		assert_int_equal(p.release, row[i].release);
		platform_free(&p);
	}
}

static void cpus(void **state)
{
	static const struct {
		const char *list, *says;
	} row[] = {
		{ "0\n", "1 CPU online </sys/devices/system/cpu/online>" },
		{ "0-1\n", "2 CPUs online </sys/devices/system/cpu/online>" },
		{ "8-11,19\n", "5 CPUs online </sys/devices/system/cpu/online>" },
		{ "1048576\n", "1 CPU online </sys/devices/system/cpu/online>" },
		{ "0-1048576\n", "1048577 CPUs online </sys/devices/system/cpu/online>" },
		{ "1048577\n", "" },
		{ "0-1048577\n", "" },
		{ "5-4\n", "" },
		{ "5-5\n", "1 CPU online </sys/devices/system/cpu/online>" },
		{ "\n", "" },
	};
	struct tree *t = *state;

	says(t, "cpus", "");
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		tree_text(t, ONLINE, row[i].list);
		says(t, "cpus", row[i].says);
	}
}

#define CEILINGS                                                                               \
	"32 MSI vectors per function <PCI Local Bus 3.0, 6.8.1.3: Multiple Message Capable>\n" \
	"2048 MSI-X vectors per function <PCI Local Bus 3.0, 6.8.2.3: Table Size>\n"           \
	"4096 interrupt routes per virtual machine <KVM_MAX_IRQ_ROUTES of linux/kvm_host.h>"

/* Linux IRQs are counted by the folders that have a number. */
static void ceilings(void **state)
{
	struct tree *t = *state;

	tree_text(t, ONLINE, "0\n");
	says(t, "ceiling", CEILINGS);
	tree_text(t, ARCH, "x86_64\n");
	says(t, "ceiling",
	     CEILINGS
	     "\nabout 200 vectors on 1 CPU <arch/x86/include/asm/irq_vectors.h: 256 each, less the "
	     "kernel's own; 0 Linux IRQs now>");
	tree_text(t, ONLINE, "0-2\n");
	for (unsigned int irq = 8; irq <= 12; irq++)
		chip(t, irq, "IO-APIC\n");
	tree_folder(t, "sys/kernel/irq/none/");
	says(t, "ceiling",
	     CEILINGS
	     "\nabout 600 vectors on 3 CPUs <arch/x86/include/asm/irq_vectors.h: 256 each, less the "
	     "kernel's own; 5 Linux IRQs now>");
	tree_text(t, ONLINE, "\n");
	says(t, "ceiling", CEILINGS);
}

static void noresize(void **state)
{
	static const char dynamic[] =
		"MSI-X is likely to be dynamic, MSI is NORESIZE <vfio-pci: MSI-X dynamic on x86 "
		"since Linux 6.5; VFIO's flags decide>";
	static const char fixed[] =
		"MSI-X and MSI are likely to be NORESIZE <vfio-pci: MSI-X dynamic on x86 since "
		"Linux 6.5; VFIO's flags decide>";
	struct tree *t = *state;

	tree_text(t, ARCH, "i686\n");
	says(t, "noresize", "");
	tree_text(t, RELEASE, "6.5.0\n");
	says(t, "noresize", dynamic);
	tree_text(t, RELEASE, "6.4.0\n");
	says(t, "noresize", fixed);
	tree_text(t, ARCH, "unheard-of\n");
	says(t, "noresize", "");
}

static void parameters(void **state)
{
	struct tree *t = *state;

	says(t, "unsafe-interrupts", "");
	says(t, "noiommu", "");
	tree_text(t, "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "N\n");
	tree_text(t, "sys/module/iommufd/parameters/allow_unsafe_interrupts", "Y\n");
	tree_text(t, "sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n");
	says(t, "unsafe-interrupts",
	     "assignment without remapping is not allowed "
	     "</sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts N>\n"
	     "assignment without remapping (iommufd) is allowed "
	     "</sys/module/iommufd/parameters/allow_unsafe_interrupts Y>");
	says(t, "noiommu",
	     "VFIO without an IOMMU is allowed </sys/module/vfio/parameters/enable_unsafe_noiommu_mode Y>");
	tree_text(t, "sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "");
	says(t, "noiommu", "");
}

static void vectors_available(void **state)
{
	struct tree *t = *state;

	says(t, "vectors-available", "");
	tree_text(t, "sys/kernel/debug/irq/domains/VECTOR",
		  "Online: 2\nGlobal available:\t  389\nGlobal reserved: 7\n");
	says(t, "vectors-available",
	     "389 interrupt vectors are free on all CPUs </sys/kernel/debug/irq/domains/VECTOR: Global available>");
	tree_text(t, "sys/kernel/debug/irq/domains/VECTOR", "Global available: 0\n");
	says(t, "vectors-available",
	     "0 interrupt vectors are free on all CPUs </sys/kernel/debug/irq/domains/VECTOR: Global available>");
	tree_text(t, "sys/kernel/debug/irq/domains/VECTOR", "Global available: 2147483648\n");
	says(t, "vectors-available", "");
}

static void command_line(void **state)
{
	static const struct {
		const char *line, *says;
	} row[] = {
		{ "", "booted without a word on MSI, remapping or the IOMMU </proc/cmdline>" },
		{ "quiet root=/dev/sda\n",
		  "booted without a word on MSI, remapping or the IOMMU </proc/cmdline>" },
		{ "pcie=nomsi pci=x,nomsi2 pci=nomsi=\n",
		  "booted without a word on MSI, remapping or the IOMMU </proc/cmdline>" },
		{ "nointremap\n", "booted with nointremap </proc/cmdline>" },
		{ "amd_iommu=off iommu=pt iommu.strict=1 arm-smmu.x=1 vfio-pci.ids=1:2 iommufd.y=1\n",
		  "booted with amd_iommu=off iommu=pt iommu.strict=1 arm-smmu.x=1 vfio-pci.ids=1:2 iommufd.y=1 "
		  "</proc/cmdline>" },
		{ "noapic\tnolapic nox2apic irqchip.gicv3_nolpi=1 kvm.x=1 iommus=1\n",
		  "booted with noapic nolapic nox2apic irqchip.gicv3_nolpi=1 kvm.x=1 </proc/cmdline>" },
	};
	struct tree *t = *state;

	says(t, "command-line", "");
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		tree_text(t, "proc/cmdline", row[i].line);
		says(t, "command-line", row[i].says);
	}
	decides(t, VERDICT_UNKNOWN, "the architecture cannot be read");
	tree_text(t, "proc/cmdline", "pci=nomsi\n");
	decides(t, VERDICT_NO, "MSI was turned off at boot (pci=nomsi)");
}

static void remapping_turned_off(void **state)
{
	static const struct {
		const char *line;
		bool off;
	} row[] = {
		{ "intremap=on\n", false },
		{ "intremap=off\n", true },
		{ "intremap=no_x2apic_optout,off\n", true },
		{ "nointremap\n", true },
		{ "nointremap2\n", false },
		{ "intel_iommu=off\n", false },
		{ "intremap=offer\n", false },
		{ "intremap=off nokvm kvm=1\n", true },
	};
	struct tree *t = *state;
	struct platform p;

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		tree_text(t, "proc/cmdline", row[i].line);
		assert_int_equal(platform_read(&t->root, NULL, &p), 0);
		assert_int_equal(p.remap_off_at_boot, row[i].off);
		platform_free(&p);
	}
}

/* ---- several MSI vectors: who decides */

static void architectures(void **state)
{
	static const char no_rule[] = "no rule is known for this architecture";
	static const char firmware[] =
		"the firmware decides for each function (RTAS ibm,change-msi, or OPAL)";
	static const char off[] =
		"x86 allocates contiguous vectors only with interrupt remapping, which is off";
	static const struct {
		const char *arch, *why;
		enum verdict v;
	} row[] = {
		{ "z\n", no_rule, VERDICT_UNKNOWN },
		{ "ppc64\n", firmware, VERDICT_UNKNOWN },
		{ "ppc64le\n", firmware, VERDICT_UNKNOWN },
		{ "riscv64\n",
		  "the kernels measured refuse more than one MSI vector through the IMSIC",
		  VERDICT_UNKNOWN },
		{ "aarch64\n", "no Linux IRQ names the MSI controller", VERDICT_UNKNOWN },
		{ "x86_64\n", off, VERDICT_NO },
		{ "i686\n", off, VERDICT_NO },
		{ "i586\n", off, VERDICT_NO },
	};
	struct tree *t = *state;

	decides(t, VERDICT_UNKNOWN, "the architecture cannot be read");
	chip(t, 1, "IO-APIC\n");
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		tree_text(t, ARCH, row[i].arch);
		decides(t, row[i].v, row[i].why);
	}
}

static void arm_controllers(void **state)
{
	struct tree *t = *state;

	tree_text(t, ARCH, "aarch64\n");
	chip(t, 1, "GICv3\n");
	says(t, "msi-controller",
	     "MSI controller: not known </sys/kernel/irq/*/chip_name: 0 begin with ITS-, 0 with GICv2m>");
	chip(t, 2, "GICv2m-PCI\n");
	chip(t, 3, "GICv2m-PCI\n");
	says(t, "msi-controller",
	     "MSI go through a GICv2m frame </sys/kernel/irq/*/chip_name: 0 begin with ITS-, 2 with GICv2m>");
	decides(t, VERDICT_UNKNOWN,
		"a GICv2m frame gives contiguous interrupts only while it has enough");
	chip(t, 4, "ITS-PCI-MSI\n");
	says(t, "msi-controller",
	     "MSI go through a GICv3 ITS </sys/kernel/irq/*/chip_name: 1 begin with ITS-, 2 with GICv2m>");
	decides(t, VERDICT_YES, "the ITS gives contiguous event numbers");
	says(t, "remapping", "");
}

static void x86_remapping(void **state)
{
	struct tree *t = *state;

	tree_text(t, ARCH, "x86_64\n");
	says(t, "remapping",
	     "interrupt remapping: not known </sys/kernel/irq/*/chip_name: cannot be read>");
	decides(t, VERDICT_UNKNOWN, "whether interrupt remapping is on cannot be read");
	tree_folder(t, "sys/kernel/irq/1/"); /* it has no chip */
	says(t, "remapping",
	     "interrupt remapping: not known </sys/kernel/irq/*/chip_name: cannot be read>");
	chip(t, 1, "IO-APIC\n");
	says(t, "remapping",
	     "interrupt remapping is off </sys/kernel/irq/*/chip_name: none of 1 begins with IR->");
	chip(t, 2, "vIR-PCI-MSI\n");
	says(t, "remapping",
	     "interrupt remapping is on </sys/kernel/irq/*/chip_name: 1 of 2 begin with IR- or vIR->");
	chip(t, 3, "IR-PCI-MSI\n");
	says(t, "remapping",
	     "interrupt remapping is on </sys/kernel/irq/*/chip_name: 2 of 3 begin with IR- or vIR->");
	decides(t, VERDICT_YES, "interrupt remapping is on, and gives contiguous vectors");
	chip(t, 2, "PCI-MSI\n");
	says(t, "remapping",
	     "interrupt remapping is on </sys/kernel/irq/*/chip_name: 1 of 3 begin with IR->");
	says(t, "msi-controller", "");
	chip(t, 4, "Hyper-V PCIe MSI\n");
	decides(t, VERDICT_UNKNOWN,
		"the hypervisor allocates this machine's MSI and does not say how many");
	chip(t, 4, "xen-pirq-msi\n");
	decides(t, VERDICT_UNKNOWN,
		"the hypervisor allocates this machine's MSI and does not say how many");
}

/* ---- what cannot be read is doubted, and nothing beside it */

/* A capture tells which files could not be read. */
static void read_capture(const struct tree *t, const char *irq, struct platform *p)
{
	char text[1024] = "", path[PATH_MAX];
	struct root r;
	struct error e;

	append(text, sizeof(text),
	       "msictl capture 1\n"
	       "/proc\ncpuinfo = flags\\t: fpu hypervisor\n"
	       "/proc/sys/kernel\narch = x86_64\nosrelease = 6.12.0\n"
	       "/sys/class/dmi/id\nsys_vendor ! EACCES\n"
	       "/sys/kernel/irq/1\nchip_name %s\nend\n",
	       irq);
	tree_text(t, "some.capture", text);
	if (root_open(&r, tree_path(t, "some.capture", path), &e))
		fail_msg("%s", e.message);
	assert_int_equal(platform_read(&r, NULL, p), 0);
	root_close(&r);
}

static void doubts(void **state)
{
	struct tree *t = *state;
	struct platform p;

	read_capture(t, "= IR-IO-APIC", &p);
	assert_evidence(
		&p, "hypervisor",
		"hypervisor: not known </proc/cpuinfo: flag hypervisor is set: not all of it can be read "
		"(EACCES)>");
	assert_evidence(
		&p, "remapping",
		"interrupt remapping is on </sys/kernel/irq/*/chip_name: 1 of 1 begin with IR->");
	assert_evidence(&p, "kernel", "Linux 6.12.0 </proc/sys/kernel/osrelease>");
	assert_int_equal(p.multivector, VERDICT_YES);
	platform_free(&p);
	read_capture(t, "! EIO", &p);
	assert_int_equal(p.remapping, VERDICT_UNKNOWN);
	assert_int_equal(p.multivector, VERDICT_UNKNOWN);
	assert_string_equal(p.multivector_why, "what decides it cannot be read");
	assert_evidence(&p, "kernel", "Linux 6.12.0 </proc/sys/kernel/osrelease>");
	platform_free(&p);
}

static void foreign(void **state)
{
	struct platform p;

	(void)state;
	assert_int_equal(platform_foreign("vfio-user", &p), 0);
	assert_evidence(&p, "backend",
			"the device's vectors are none of this host's <back end vfio-user>");
	assert_string_equal(
		p.multivector_why,
		"the device's vectors are none of this host's, so the host's word does not count");
	assert_int_equal(p.vectors_available, -1);
	platform_free(&p);
	assert_int_equal(p.n, 0);
	platform_free(&p);
}

static void words(void **state)
{
	(void)state;
	assert_string_equal(verdict_word(VERDICT_YES), "yes");
	assert_string_equal(verdict_word((enum verdict)(VERDICT_YES + 1)), "unknown");
}

#define OVER_A_TREE(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OVER_A_TREE(machine),
		OVER_A_TREE(releases),
		OVER_A_TREE(cpus),
		OVER_A_TREE(ceilings),
		OVER_A_TREE(noresize),
		OVER_A_TREE(parameters),
		OVER_A_TREE(vectors_available),
		OVER_A_TREE(command_line),
		OVER_A_TREE(remapping_turned_off),
		OVER_A_TREE(architectures),
		OVER_A_TREE(arm_controllers),
		OVER_A_TREE(x86_remapping),
		OVER_A_TREE(doubts),
		cmocka_unit_test(foreign),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests_name("platform-words", tests, NULL, NULL);
}
