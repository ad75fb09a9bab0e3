// SPDX-License-Identifier: GPL-2.0-or-later
/* IOMMUs, groups, firmware and hypervisors: the whole sentences that their files become. */
#include <errno.h>

#include "platform/evidence.h"
#include "tree.h"
#include "base/util.h"

#define ARCH "proc/sys/kernel/arch"

/* All evidence of a kind, in its order: "VALUE <SOURCE>", a line each. */
static void says_of(const struct tree *t, const struct function *f, const char *what,
		    const char *want)
{
	struct platform p;
	char text[4096] = "";

	assert_int_equal(platform_read(&t->root, f, &p), 0);
	for (size_t i = 0; i < p.n; i++)
		if (!strcmp(p.evidence[i].what, what))
			append(text, sizeof(text), "%s%s <%s>", text[0] ? "\n" : "",
			       p.evidence[i].value, p.evidence[i].source);
	platform_free(&p);
	if (strcmp(text, want) != 0)
		fail_msg("%s is \"%s\", not \"%s\"", what, text, want);
}

static void says(const struct tree *t, const char *what, const char *want)
{
	says_of(t, NULL, what, want);
}

static void unit(const struct tree *t, const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "sys/class/iommu/%s/", name);
	tree_folder(t, path);
}

/* ---- IOMMUs */

static void kinds(void **state)
{
	static const struct {
		const char *unit, *says;
	} row[] = {
		{ "dmar0", "Intel VT-d" },
		{ "ivhd0", "AMD-Vi" },
		{ "smmu3.0x1", "Arm SMMUv3" },
		{ "smmu.0x1", "Arm SMMUv2" },
		{ "riscv-iommu.1", "RISC-V IOMMU" },
		{ "iommu-phb0000", "PowerNV or pSeries host bridge" },
		{ "s390-iommu.1", "s390" },
		{ "another", "IOMMU" },
	};
	struct tree *t = *state;
	char want[1024] = "";
	struct platform p;

	says(t, "iommu", "IOMMU: not known </sys/class/iommu: cannot be read>");
	tree_folder(t, "sys/class/net/");
	says(t, "iommu", "Linux uses no IOMMU </sys/class/iommu: none in it>");
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		unit(t, row[i].unit);
		append(want, sizeof(want), "%s%s, 1 unit </sys/class/iommu: %s>",
		       want[0] ? "\n" : "", row[i].says, row[i].unit);
		says(t, "iommu", want);
		assert_int_equal(platform_read(&t->root, NULL, &p), 0);
		assert_int_equal(p.iommus, i + 1);
		platform_free(&p);
	}
}

/* Four are named, the first ones by name, whatever the order in which the folder has them. */
static void first_units(void **state)
{
	static const char *const order[] = { "012345", "543210", "305142",
					     "415203", "250413", "324051" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		bool there[6] = { false };
		struct tree t;

		tree_new(&t);
		for (unsigned int n = 0; n < 6; n++) {
			char want[256], names[64] = "", name[] = "dmar?";
			unsigned int shown = 0;

			name[4] = order[i][n];
			unit(&t, name);
			there[name[4] - '0'] = true;
			for (unsigned int k = 0; k < 6; k++)
				if (there[k] && shown++ < 4)
					append(names, sizeof(names), " dmar%u", k);
			snprintf(want, sizeof(want),
				 "Intel VT-d, %u unit%s </sys/class/iommu:%s%s>", n + 1,
				 n ? "s" : "", names, n > 3 ? " ..." : "");
			says(&t, "iommu", want);
		}
		tree_free(&t);
	}
}

static void vtd(void **state)
{
	struct tree *t = *state;

	says(t, "remapping-capability", "");
	tree_text(t, "sys/class/iommu/dmar0/intel-iommu/ecap", "f46\n");
	says(t, "remapping-capability",
	     "the IOMMU cannot remap interrupts </sys/class/iommu/dmar0/intel-iommu/ecap f46, bit 3 clear>");
	tree_text(t, "sys/class/iommu/dmar0/intel-iommu/ecap", "f0000000000f48\n");
	/* Not Intel's, and one that has nothing to read. */
	tree_text(t, "sys/class/iommu/smmu3.1/intel-iommu/ecap", "f46\n");
	unit(t, "dmar1");
	says(t, "remapping-capability",
	     "the IOMMU could remap interrupts </sys/class/iommu/dmar0/intel-iommu/ecap f0000000000f48, bit 3 set>");
	tree_text(t, "sys/class/iommu/dmar1/intel-iommu/ecap", "f0000000000f48\n");
	tree_text(t, "sys/class/iommu/dmar2/intel-iommu/ecap", "nonsense\n");
	tree_text(t, "sys/class/iommu/dmar4/intel-iommu/ecap", "");
	unlink(tree_path(t, "sys/class/iommu/dmar0/intel-iommu/ecap", (char[PATH_MAX]){ 0 }));
	tree_text(t, "sys/class/iommu/dmar3/intel-iommu/ecap", "f0000000000f48\n");
	{
		struct platform p;

		assert_int_equal(platform_read(&t->root, NULL, &p), 0);
		for (size_t i = 0; i < p.n; i++)
			if (!strcmp(p.evidence[i].what, "remapping-capability")) {
				assert_string_equal(p.evidence[i].value,
						    "2 of 2 IOMMUs could remap interrupts");
				assert_non_null(
					strstr(p.evidence[i].source,
					       "/intel-iommu/ecap f0000000000f48, bit 3 set"));
			}
		assert_true(p.remap_capable);
		platform_free(&p);
	}
}

#define CAP	 "sys/class/iommu/ivhd0/amd-iommu/cap"
#define FEATURES "sys/class/iommu/ivhd0/amd-iommu/features"

/* The kernel has one set of features for all units: it is told once. */
static void amd(void **state)
{
	struct tree *t = *state;

	tree_text(t, "proc/sys/kernel/osrelease", "6.15.0\n");
	tree_text(t, CAP, "1f03000f\n");
	tree_text(t, FEATURES, "29d3:500\n");
	tree_text(t, "sys/class/iommu/ivhd1/amd-iommu/cap", "1f03000f\n");
	tree_text(t, "sys/class/iommu/ivhd1/amd-iommu/features", "29d3:500\n");
	tree_text(t, "sys/class/iommu/dmar9/amd-iommu/cap", "1f03000f\n");
	tree_text(t, "sys/class/iommu/dmar9/amd-iommu/features", "29d3:500\n");
	unlink(tree_path(t, "sys/class/iommu/ivhd1/amd-iommu/cap", (char[PATH_MAX]){ 0 }));
	says(t, "remapping-capability",
	     "AMD-Vi shows the same with remapping on and off </sys/class/iommu/ivhd0/amd-iommu: cap 1f03000f, "
	     "features 29d3:500>");
	says(t, "amd-2k",
	     "2048 interrupts per function: NumIntRemapSup is 1 </" FEATURES " 29d3:500>");
	tree_text(t, FEATURES, "29d3:fe\n");
	says(t, "amd-2k",
	     "512 interrupts per function: NumIntRemapSup is 0 </" FEATURES " 29d3:fe>");
	tree_text(t, FEATURES, "29d3:2ff\n");
	says(t, "amd-2k",
	     "512 interrupts per function: NumIntRemapSup is 2 </" FEATURES " 29d3:2ff>");
	tree_text(t, FEATURES, "29d3\n");
	says(t, "amd-2k",
	     "512 or 2048 interrupts per function: NumIntRemapSup cannot be read here </" FEATURES
	     " 29d3>");
	tree_text(t, "proc/sys/kernel/osrelease", "6.14.9\n");
	says(t, "amd-2k",
	     "at most 512 interrupts per function: this kernel is older than 6.15 </proc/sys/kernel/osrelease 6.14.9>");
	tree_text(t, "sys/class/iommu/ivhd1/amd-iommu/cap", "1f03000f\n");
	says(t, "amd-2k",
	     "at most 512 interrupts per function: this kernel is older than 6.15 </proc/sys/kernel/osrelease 6.14.9>");
}

static void groups(void **state)
{
	struct function f = { .addr = { 0, 1, 0, 0 }, .group = -1 };
	struct tree *t = *state;

	says(t, "groups", "0 IOMMU groups </sys/kernel/iommu_groups>");
	tree_text(t, "sys/kernel/iommu_groups/0/reserved_regions",
		  "0x0000000000000000 0x0000000000ffffff direct\n"
		  "0x00000000fee00000 0x00000000feefffff msi\n"
		  "x msi\n msi\n"
		  "0x00000000fef00000 0x00000000feffffff msix\n");
	says(t, "groups", "1 IOMMU group </sys/kernel/iommu_groups>");
	tree_folder(t, "sys/kernel/iommu_groups/19/");
	tree_folder(t, "sys/kernel/iommu_groups/none/");
	says(t, "groups", "2 IOMMU groups </sys/kernel/iommu_groups>");
	says(t, "reserved-region", "");
	says_of(t, &f, "reserved-region", "");
	f.group = 19;
	says_of(t, &f, "reserved-region", "");
	f.group = 0;
	says_of(t, &f, "reserved-region",
		"the group keeps an address range for MSI </sys/kernel/iommu_groups/0/reserved_regions: "
		"0x00000000fee00000 0x00000000feefffff msi>\n"
		"the group keeps an address range for MSI </sys/kernel/iommu_groups/0/reserved_regions: x msi>");
}

/* ---- hypervisors */

#define NOT_KNOWN "virtual machine: not known </proc/cpuinfo, /sys/class/dmi/id: no word on it>"
#define SET	  "this host is a virtual machine </proc/cpuinfo: flag hypervisor is set>"
#define NOT_SET	  "this host is no virtual machine </proc/cpuinfo: flag hypervisor is not set>"

static void guest_by_cpu(void **state)
{
	static const struct {
		const char *arch, *cpuinfo, *says;
	} row[] = {
		{ "x86_64\n", "processor\t: 0\nflags\t\t: fpu hypervisor\n", SET },
		{ "x86_64\n", "flags\t\t:\thypervisor lm\n", SET },
		{ "x86_64\n", "flags\t\t: xhypervisor hypervisor\n", SET },
		{ "x86_64\n", "flags\t\t: hypervisorx\n", NOT_SET },
		{ "x86_64\n", "flags\t\t: fpu\nbugs\t: hypervisor\n", NOT_SET },
		{ "x86_64\n", "flagged: hypervisor\nvmx flags\t: hypervisor\nflags\t\t: fpu\n",
		  NOT_SET },
		/* Of several processors the first. */
		{ "x86_64\n", "flags\t\t: hypervisor\n\nflags\t\t: fpu\n", SET },
		{ "x86_64\n", "processor\t: 0\n", NOT_KNOWN },
		{ "x86_64\n", "platform\t: pSeries\n", NOT_KNOWN },
		{ "aarch64\n", "flags\t\t: hypervisor\n", NOT_KNOWN },
		{ "ppc64le\n", "flags\t\t: hypervisor\nplatform\t: PowerNV\n", NOT_KNOWN },
		{ "ppc64le\n", "machine\t\t: pSeries\n", NOT_KNOWN },
		{ "ppc64le\n", "processor\t: 0\nplatform\t: pSeries\n",
		  "this host is a virtual machine </proc/cpuinfo: platform pSeries>" },
	};
	struct tree *t = *state;

	says(t, "hypervisor", NOT_KNOWN);
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		tree_text(t, ARCH, row[i].arch);
		tree_text(t, "proc/cpuinfo", row[i].cpuinfo);
		says(t, "hypervisor", row[i].says);
	}
}

static void guest_by_file(void **state)
{
	static const struct {
		const char *file, *text;
		bool guest;
	} row[] = {
		{ "sys/hypervisor/type", "xen", true },
		{ "sys/firmware/devicetree/base/hypervisor/compatible", "linux,kvm", true },
		{ "sys/firmware/devicetree/base/compatible", "linux,dummy-virt", true },
		{ "sys/firmware/devicetree/base/compatible", "vendor,board", false },
		{ "sys/class/dmi/id/sys_vendor", "QEMU", true },
		{ "sys/class/dmi/id/sys_vendor", "VMware, Inc.", true },
		{ "sys/class/dmi/id/sys_vendor", "Xen", true },
		{ "sys/class/dmi/id/sys_vendor", "innotek GmbH", true },
		{ "sys/class/dmi/id/sys_vendor", "KVM", false },
		{ "sys/class/dmi/id/product_name", "Virtual Machine", true },
		{ "sys/class/dmi/id/product_name", "Google Compute Engine", true },
		{ "sys/class/dmi/id/product_name", "KVM", true },
		{ "sys/class/dmi/id/product_name", "QEMU", false },
		{ "sys/hypervisor/type", "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		char want[256];
		struct tree t;

		tree_new(&t);
		tree_text(&t, row[i].file, row[i].text);
		snprintf(want, sizeof(want), "this host is a virtual machine: %s </%s: %s>",
			 row[i].text, row[i].file, row[i].text);
		says(&t, "hypervisor", row[i].guest ? want : NOT_KNOWN);
		/* The CPU's own word counts more, and the name adds to it. */
		tree_text(&t, ARCH, "x86_64\n");
		tree_text(&t, "proc/cpuinfo", "flags\t\t: fpu hypervisor\n");
		says(&t, "hypervisor", row[i].guest ? want : SET);
		tree_text(&t, "proc/cpuinfo", "flags\t\t: fpu\n");
		snprintf(want, sizeof(want), "%s", NOT_SET);
		says(&t, "hypervisor", want);
		tree_free(&t);
	}
}

/* ---- firmware of Power */

#define RTAS "sys/firmware/devicetree/base/rtas"

static void firmware(void **state)
{
	struct tree *t = *state;

	tree_text(t, ARCH, "ppc64le\n");
	says(t, "rtas", "");
	tree_folder(t, RTAS "/");
	says(t, "rtas",
	     "the firmware gives no MSI </proc/device-tree/rtas: ibm,change-msi missing, ibm,change-msix-capable "
	     "missing>");
	tree_text(t, RTAS "/ibm,change-msi", "");
	says(t, "rtas",
	     "the firmware gives MSI, not MSI-X </proc/device-tree/rtas: ibm,change-msi, ibm,change-msix-capable "
	     "missing>");
	tree_text(t, RTAS "/ibm,change-msix-capable", "");
	says(t, "rtas",
	     "the firmware gives MSI and MSI-X </proc/device-tree/rtas: ibm,change-msi, ibm,change-msix-capable>");
}

#define NODE "sys/bus/pci/devices/0000:01:00.0/of_node"

static void requests(void **state)
{
	struct function f = { .addr = { 0, 1, 0, 0 }, .group = -1 };
	struct tree *t = *state;

	tree_text(t, ARCH, "ppc64le\n");
	tree_folder(t, RTAS "/");
	tree_bytes(t, NODE "/ibm,req#msi", "\0\0\0\1", 4);
	tree_bytes(t, NODE "/ibm,req#msi-x", "\0\0\0\2", 4);
	tree_bytes(t, NODE "/ibm,pe-total-#msi", "\0\0\4\0", 4);
	tree_bytes(t, "sys/bus/pci/devices/0000:01:00.0/ibm,pe-total-#msi", "\0\0\0\5", 4);
	says(t, "rtas-request", "");
	says(t, "rtas-total", "");
	says_of(t, &f, "rtas-request",
		"the firmware lets the function ask for 1 MSI vector </" NODE "/ibm,req#msi>\n"
		"the firmware lets the function ask for 2 MSI-X vectors </" NODE "/ibm,req#msi-x>");
	/* The nearest one, and it alone. */
	says_of(t, &f, "rtas-total",
		"the host bridge has 1024 MSI for all its functions </" NODE "/ibm,pe-total-#msi>");
	unlink(tree_path(t, NODE "/ibm,pe-total-#msi", (char[PATH_MAX]){ 0 }));
	says_of(t, &f, "rtas-total",
		"the host bridge has 5 MSI for all its functions </" NODE "/../ibm,pe-total-#msi>");
	tree_text(t, ARCH, "x86_64\n");
	says_of(t, &f, "rtas-request", "");
}

/* ---- IMS */

#define EXT 0x100

static void put32(uint8_t *at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> (8 * i));
}

/* A PCIe function of 4 KiB with Intel's DVSEC 5. */
static struct function with_dvsec(bool ims)
{
	struct function f = { .addr = { 0, 1, 0, 0 }, .group = -1, .config_len = sizeof(f.config) };

	put32(f.config + EXT, 0x00010023);
	put32(f.config + EXT + 4, 0x01808086);
	put32(f.config + EXT + 8, 5);
	put32(f.config + EXT + 0x14, ims);
	return f;
}

static void ims_is(const struct tree *t, const struct platform *p, const struct function *f,
		   enum verdict want, const char *says)
{
	struct ims_verdict v;

	platform_ims(&t->root, p, f, &v);
	assert_string_equal(v.reason, says);
	assert_int_equal(v.verdict, want);
}

#define CLAIMS "the SIOV DVSEC at 0x100 claims IMS, which is no proof: "
#define SILENT \
	"the kernel tells user space nothing of IMS, and no IMS interrupt of this function has counted"

static void ims_claimed(void **state)
{
	struct platform x86 = { .arch = "x86_64", .remapping = VERDICT_NO }, arm = x86;
	struct function claims = with_dvsec(true);
	struct tree *t = *state;

	ims_is(t, &x86, &claims, VERDICT_NO,
	       "the SIOV DVSEC at 0x100 claims IMS, but interrupt remapping is off, and on x86 Linux offered IMS only "
	       "below a remapping domain (6.2 to 6.9, drivers/iommu/intel/irq_remapping.c)");
	copy_text(arm.arch, sizeof(arm.arch), "aarch64");
	ims_is(t, &arm, &claims, VERDICT_UNKNOWN, CLAIMS SILENT);
	x86.remapping = VERDICT_UNKNOWN;
	ims_is(t, &x86, &claims, VERDICT_UNKNOWN, CLAIMS SILENT);
	x86.guest = VERDICT_NO;
	ims_is(t, &x86, &claims, VERDICT_UNKNOWN, CLAIMS SILENT);
	x86.guest = VERDICT_YES;
	ims_is(t, &x86, &claims, VERDICT_UNKNOWN,
	       CLAIMS "this host is a virtual machine, the flag may be emulated; " SILENT);
	x86.release = 7 << 8 | 1;
	/* Bit 7 of the register is caching mode, of whichever unit. */
	tree_text(t, "sys/class/iommu/dmar0/intel-iommu/cap", "ffffffffffffff7f\n");
	tree_text(t, "sys/class/iommu/dmar1/intel-iommu/cap", "ffffffffffffff7f\n");
	ims_is(t, &x86, &claims, VERDICT_UNKNOWN,
	       CLAIMS
	       "this host is a virtual machine, the flag may be emulated; Linux 7.1 has no IMS as released (6.2 to "
	       "6.9 had it); " SILENT);
	for (int unit = '0'; unit <= '1'; unit++) {
		char path[] = "sys/class/iommu/dmar?/intel-iommu/cap", want[512];

		path[20] = unit;
		tree_text(t, path, "80\n");
		snprintf(
			want, sizeof(want),
			CLAIMS
			"the IOMMU itself is emulated (dmar%c: caching mode), the flag may be too; Linux 7.1 "
			"has no IMS as released (6.2 to 6.9 had it); " SILENT,
			unit);
		ims_is(t, &x86, &claims, VERDICT_UNKNOWN, want);
		tree_text(t, path, "7f\n");
	}
}

static void ims_not_claimed(void **state)
{
	struct platform p = { .arch = "x86_64", .remapping = VERDICT_YES };
	struct function f = with_dvsec(false);
	struct tree *t = *state;

	ims_is(t, &p, NULL, VERDICT_UNKNOWN,
	       "no function of this host was named, so there is nothing to look at");
	ims_is(t, &p, &f, VERDICT_NO, "the SIOV DVSEC at 0x100 does not claim IMS");
	put32(f.config + EXT, 0x10010023); /* the next one is itself */
	put32(f.config + EXT + 8, 6);
	ims_is(t, &p, &f, VERDICT_UNKNOWN, "the list of extended capabilities runs in a circle");
	put32(f.config + EXT, 0x00010023);
	ims_is(t, &p, &f, VERDICT_UNKNOWN,
	       "no SIOV DVSEC here; without one the platform's word is missing");
	f.config_len = 256;
	ims_is(t, &p, &f, VERDICT_UNKNOWN,
	       "no extended config space, so no SIOV DVSEC; without one the platform's word is missing");
	f.config_len = 64;
	ims_is(t, &p, &f, VERDICT_UNKNOWN,
	       "only 64 bytes of config space can be read, the SIOV DVSEC lies behind: run as root");
	f.config_len = 0;
	ims_is(t, &p, &f, VERDICT_UNKNOWN,
	       "only 0 bytes of config space can be read, the SIOV DVSEC lies behind: run as root");
}

#define OVER_A_TREE(test) cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OVER_A_TREE(kinds),
		cmocka_unit_test(first_units),
		OVER_A_TREE(vtd),
		OVER_A_TREE(amd),
		OVER_A_TREE(groups),
		OVER_A_TREE(guest_by_cpu),
		cmocka_unit_test(guest_by_file),
		OVER_A_TREE(firmware),
		OVER_A_TREE(requests),
		OVER_A_TREE(ims_claimed),
		OVER_A_TREE(ims_not_claimed),
	};

	return cmocka_run_group_tests_name("platform-units", tests, NULL, NULL);
}
