// SPDX-License-Identifier: GPL-2.0-or-later
/* IOMMUs: which there are, what they could do, and whether interrupt remapping is on. */
#include "platform/internal.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "base/util.h"
#include "host/irq.h"

/* Intel VT-d specification, 11.4.2 Capability Register and 11.4.3 Extended Capability Register. */
#define VTD_CAP_CACHING_MODE (1ull << 7)
#define VTD_ECAP_REMAPPING   (1ull << 3)

/*
 * AMD IOMMU specification, Extended Feature 2 Register; FEATURE_NUM_INT_REMAP_SUP of
 * drivers/iommu/amd.
 */
#define AMD_NUM_INT_REMAP(efr2) (((efr2) >> 8) & 3)

/* IOMMU units that are named. */
#define SHOWN_UNITS 4

/* Names that drivers give to iommu_device_sysfs_add(). */
static const struct iommu_kind {
	const char *prefix, *words;
} kinds[] = {
	{ "dmar", "Intel VT-d" },	   { "ivhd", "AMD-Vi" },
	{ "smmu3.", "Arm SMMUv3" },	   { "smmu.", "Arm SMMUv2" },
	{ "riscv-iommu", "RISC-V IOMMU" }, { "iommu-phb", "PowerNV or pSeries host bridge" },
	{ "s390-iommu", "s390" },	   { "", "IOMMU" },
};

static bool begins(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static const struct iommu_kind *iommu_kind(const char *name)
{
	const struct iommu_kind *k = kinds;

	while (!begins(name, k->prefix))
		k++;
	return k;
}

/* The first ones by name: the folder has no order that another machine's would have. */
static void keep_first(char first[SHOWN_UNITS][ROOT_NAME], unsigned int n, const char *name)
{
	unsigned int at = n < SHOWN_UNITS ? n : SHOWN_UNITS,
		     last = n < SHOWN_UNITS ? n : SHOWN_UNITS - 1;

	while (at > 0 && strcmp(name, first[at - 1]) < 0)
		at--;
	if (at == SHOWN_UNITS)
		return;
	memmove(first[at + 1], first[at], (last - at) * sizeof(first[0]));
	copy_text(first[at], sizeof(first[0]), name);
}

static void gather_kind(struct gather *g, const struct iommu_kind *k)
{
	_cleanup_root_dir_ struct root_dir *dir = root_opendir(g->r, "sys/class/iommu");
	char first[SHOWN_UNITS][ROOT_NAME], names[SHOWN_UNITS * (ROOT_NAME + 1)] = "";
	struct evidence *ev;
	unsigned int n = 0;
	struct dirent *entry;

	while (dir && (entry = root_next(dir)))
		if (entry->d_name[0] != '.' && iommu_kind(entry->d_name) == k)
			keep_first(first, n++, entry->d_name);
	if (!n)
		return;
	for (unsigned int i = 0; i < n && i < SHOWN_UNITS; i++)
		append(names, sizeof(names), " %s", first[i]);
	g->p->iommus += n;
	ev = evidence_new(g, "iommu");
	evidence_value(ev, "%s, %u unit%s", k->words, n, n == 1 ? "" : "s");
	evidence_source(ev, "/sys/class/iommu:%s%s", names, n > SHOWN_UNITS ? " ..." : "");
}

/* A register that the kernel prints in hex without 0x. */
static int read_register(const struct root *r, const char *unit, const char *file, uint64_t *value)
{
	char text[40];
	int rc = root_text(r, text, sizeof(text), "sys/class/iommu/%s/%s", unit, file);

	return rc < 0 ? rc : parse_u64(text, 16, UINT64_MAX, value);
}

/*
 * What VT-d units could do. That is no word on whether they do it: intremap=off leaves the bit set.
 */
static void gather_vtd(struct gather *g)
{
	_cleanup_root_dir_ struct root_dir *dir = root_opendir(g->r, "sys/class/iommu");
	unsigned int n = 0, capable = 0;
	char first[ROOT_NAME] = "";
	uint64_t ecap, first_ecap = 0;
	struct evidence *ev;
	struct dirent *entry;

	while (dir && (entry = root_next(dir))) {
		if (!begins(entry->d_name, "dmar") ||
		    read_register(g->r, entry->d_name, "intel-iommu/ecap", &ecap))
			continue;
		if (!n++) {
			copy_text(first, sizeof(first), entry->d_name);
			first_ecap = ecap;
		}
		capable += !!(ecap & VTD_ECAP_REMAPPING);
	}
	if (!n)
		return;
	g->p->remap_capable = capable > 0;
	ev = evidence_new(g, "remapping-capability");
	if (n == 1)
		evidence_value(ev, "the IOMMU %s remap interrupts", capable ? "could" : "cannot");
	else
		evidence_value(ev, "%u of %u IOMMUs could remap interrupts", capable, n);
	evidence_source(ev, "/sys/class/iommu/%s/intel-iommu/ecap %llx, bit 3 %s", first,
			(unsigned long long)first_ecap,
			first_ecap & VTD_ECAP_REMAPPING ? "set" : "clear");
}

/*
 * "EFR:EFR2" since Linux 6.7, "EFR2:EFR" before, EFR alone before 5.19
 * (amd_iommu_show_features()). Linux makes use of NumIntRemapSup since 6.15
 * (commit 19e5cc156cbc), so the older orders need not be told apart.
 */
static void gather_amd_2k(struct gather *g, const char *unit, char *features)
{
	struct evidence *ev = evidence_new(g, "amd-2k");
	char *second = strchr(features, ':');
	uint64_t efr2 = 0;

	evidence_source(ev, "/sys/class/iommu/%s/amd-iommu/features %s", unit, features);
	if (g->p->release && g->p->release < RELEASE(6u, 15u)) {
		evidence_value(
			ev, "at most 512 interrupts per function: this kernel is older than 6.15");
		evidence_source(ev, "/proc/sys/kernel/osrelease %s", g->kernel);
		return;
	}
	if (!g->p->release || !second || parse_u64(second + 1, 16, UINT64_MAX, &efr2)) {
		evidence_value(
			ev,
			"512 or 2048 interrupts per function: NumIntRemapSup cannot be read here");
		return;
	}
	evidence_value(ev, "%u interrupts per function: NumIntRemapSup is %u",
		       AMD_NUM_INT_REMAP(efr2) == 1 ? 2048 : 512,
		       (unsigned int)AMD_NUM_INT_REMAP(efr2));
}

static void gather_amd(struct gather *g)
{
	_cleanup_root_dir_ struct root_dir *dir = root_opendir(g->r, "sys/class/iommu");
	char cap[40], features[80];
	struct evidence *ev;
	struct dirent *entry;

	while (dir && (entry = root_next(dir))) {
		if (!begins(entry->d_name, "ivhd"))
			continue;
		if (root_text(g->r, cap, sizeof(cap), "sys/class/iommu/%s/amd-iommu/cap",
			      entry->d_name) < 0 ||
		    root_text(g->r, features, sizeof(features),
			      "sys/class/iommu/%s/amd-iommu/features", entry->d_name) < 0)
			continue;
		ev = evidence_new(g, "remapping-capability");
		evidence_value(ev, "AMD-Vi shows the same with remapping on and off");
		evidence_source(ev, "/sys/class/iommu/%s/amd-iommu: cap %s, features %s",
				entry->d_name, cap, features);
		gather_amd_2k(g, entry->d_name, features);
		return; /* the kernel keeps one set of features for all units */
	}
}

void gather_iommu(struct gather *g)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		gather_kind(g, &kinds[i]);
	if (!g->p->iommus) {
		struct evidence *ev = evidence_new(g, "iommu");
		bool readable = root_exists(g->r, "sys/class");

		evidence_value(ev, "%s", readable ? "Linux uses no IOMMU" : "IOMMU: not known");
		evidence_source(ev, "/sys/class/iommu: %s",
				readable ? "none in it" : "cannot be read");
	}
	gather_vtd(g);
	gather_amd(g);
}

bool iommu_emulated(const struct root *r, char *name, size_t size)
{
	_cleanup_root_dir_ struct root_dir *dir = root_opendir(r, "sys/class/iommu");
	struct dirent *entry;
	uint64_t cap;

	while (dir && (entry = root_next(dir))) {
		if (!begins(entry->d_name, "dmar") ||
		    read_register(r, entry->d_name, "intel-iommu/cap", &cap))
			continue;
		if (cap & VTD_CAP_CACHING_MODE) {
			escape_text(entry->d_name, name, size);
			return true;
		}
	}
	return false;
}

unsigned int chips_begin(const struct root *r, const char *prefix)
{
	unsigned int n, hits;

	return host_irqs_chips(r, prefix, &n, &hits) ? 0 : hits;
}

/*
 * The state, not the capability: under remapping the kernel puts a prefix to
 * the chip's name (msi_parent_ops.prefix, and IR-IO-APIC, which is there
 * without any MSI). Linux 6.2 and some after it write "vIR-" below an emulated
 * IOMMU (virt_dmar_msi_parent_ops).
 */
void gather_remapping(struct gather *g)
{
	unsigned int n = 0, hits = 0, emulated;
	struct evidence *ev;
	int rc;

	rc = host_irqs_chips(g->r, "IR-", &n, &hits);
	emulated = rc ? 0 : chips_begin(g->r, "vIR-");
	ev = evidence_new(g, "remapping");
	if (rc || !n) {
		evidence_value(ev, "interrupt remapping: not known");
		evidence_source(ev, "/sys/kernel/irq/*/chip_name: cannot be read");
		return;
	}
	hits += emulated;
	g->p->remapping = hits ? VERDICT_YES : VERDICT_NO;
	evidence_value(ev, "interrupt remapping is %s", hits ? "on" : "off");
	if (hits)
		evidence_source(ev, "/sys/kernel/irq/*/chip_name: %u of %u begin with %s", hits, n,
				emulated ? "IR- or vIR-" : "IR-");
	else
		evidence_source(ev, "/sys/kernel/irq/*/chip_name: none of %u begins with IR-", n);
}

/* The lines "START END TYPE" of the group's reserved_regions that are of type msi. */
static void gather_reserved(struct gather *g)
{
	_cleanup_free_ char *text = NULL;
	char *save = NULL;

	if (!g->f || g->f->group < 0)
		return;
	if (root_text_dup(g->r, &text, "sys/kernel/iommu_groups/%d/reserved_regions", g->f->group) <
	    0)
		return;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		size_t len = strlen(line);
		struct evidence *ev;

		if (len < 5 || strcmp(line + len - 4, " msi") != 0)
			continue;
		ev = evidence_new(g, "reserved-region");
		evidence_value(ev, "the group keeps an address range for MSI");
		evidence_source(ev, "/sys/kernel/iommu_groups/%d/reserved_regions: %.*s",
				g->f->group, (int)len, line);
	}
}

void gather_groups(struct gather *g)
{
	_cleanup_root_dir_ struct root_dir *dir = root_opendir(g->r, "sys/kernel/iommu_groups");
	struct dirent *entry;
	struct evidence *ev;
	unsigned int n = 0;

	while (dir && (entry = root_next(dir)))
		n += !!isdigit((unsigned char)entry->d_name[0]);
	ev = evidence_new(g, "groups");
	evidence_value(ev, "%u IOMMU group%s", n, n == 1 ? "" : "s");
	evidence_source(ev, "/sys/kernel/iommu_groups");
	gather_reserved(g);
}
