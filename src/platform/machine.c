// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The machine and how it was booted: architecture, kernel, CPUs, command line, parameters of
 * modules.
 */
#include "platform/internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/*
 * How a line of /proc/cpuinfo gives an architecture away; /proc/sys/kernel/arch is there since
 * Linux 6.1 only.
 */
static const struct {
	const char *begin, *arch;
} cpuinfo_marks[] = {
	{ "vendor_id", "x86_64" },
	{ "CPU implementer", "aarch64" },
	{ "cpu\t\t: POWER", "ppc64le" },
	{ "hart\t\t:", "riscv64" },
};

static const char *arch_by_cpuinfo(const struct root *r)
{
	char text[2048];

	if (root_text(r, text, sizeof(text), "proc/cpuinfo") < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(cpuinfo_marks); i++) {
		const char *at = strstr(text, cpuinfo_marks[i].begin);

		if (at && (at == text || at[-1] == '\n'))
			return cpuinfo_marks[i].arch;
	}
	return NULL;
}

static enum arch_family arch_family(const char *arch)
{
	static const struct {
		const char *arch;
		enum arch_family family;
	} table[] = {
		{ "x86_64", ARCH_X86 },	   { "i686", ARCH_X86 },  { "i586", ARCH_X86 },
		{ "aarch64", ARCH_ARM64 }, { "ppc64", ARCH_PPC }, { "ppc64le", ARCH_PPC },
		{ "riscv64", ARCH_RISCV },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(arch, table[i].arch))
			return table[i].family;
	return ARCH_UNKNOWN;
}

/*
 * Others go by the architecture and the release; told are both at the end, for they decide little.
 */
void read_machine(struct gather *g)
{
	char text[32];
	const char *guess;

	if (root_text(g->r, text, sizeof(text), "proc/sys/kernel/arch") > 0) {
		copy_text(g->p->arch, sizeof(g->p->arch), text);
		g->arch_source = "/proc/sys/kernel/arch";
	} else {
		guess = arch_by_cpuinfo(g->r);
		copy_text(g->p->arch, sizeof(g->p->arch), guess ? guess : "");
		g->arch_source = guess ? "/proc/cpuinfo"
				       : "/proc/sys/kernel/arch, /proc/cpuinfo: no word on it";
	}
	g->family = arch_family(g->p->arch);
}

void read_release(struct gather *g)
{
	uint64_t major, minor;
	char text[sizeof(g->kernel)], *dot;

	if (root_text(g->r, g->kernel, sizeof(g->kernel), "proc/sys/kernel/osrelease") <= 0)
		return;
	copy_text(text, sizeof(text), g->kernel);
	dot = strchr(text, '.');
	if (!dot)
		return;
	*dot++ = '\0';
	dot[strspn(dot, "0123456789")] = '\0';
	if (!parse_u64(text, 10, 255, &major) && !parse_u64(dot, 10, 255, &minor))
		g->p->release = RELEASE((unsigned int)major, (unsigned int)minor);
}

void gather_machine(struct gather *g)
{
	struct evidence *ev = evidence_new(g, "architecture");

	evidence_value(ev, "%s", g->p->arch[0] ? g->p->arch : "architecture: not known");
	evidence_source(ev, "%s", g->arch_source);
	if (!g->kernel[0])
		return;
	ev = evidence_new(g, "kernel");
	evidence_value(ev, "Linux %s", g->kernel);
	evidence_source(ev, "/proc/sys/kernel/osrelease");
}

/* "0-3,8": how many. 0 when it is no such list. */
static unsigned int count_list(char *list)
{
	char *save = NULL;
	uint64_t n = 0;

	for (char *part = strtok_r(list, ",", &save); part; part = strtok_r(NULL, ",", &save)) {
		char *dash = strchr(part, '-');
		uint64_t low, high;

		if (dash)
			*dash++ = '\0';
		if (parse_u64(part, 10, 1u << 20, &low) ||
		    parse_u64(dash ? dash : part, 10, 1u << 20, &high) || high < low)
			return 0;
		n += high - low + 1;
	}
	return n < UINT_MAX ? (unsigned int)n : 0;
}

void gather_cpus(struct gather *g)
{
	struct evidence *ev;
	char text[4096];

	if (root_text(g->r, text, sizeof(text), "sys/devices/system/cpu/online") <= 0)
		return;
	g->p->cpus = count_list(text);
	if (!g->p->cpus)
		return;
	ev = evidence_new(g, "cpus");
	evidence_value(ev, "%u CPU%s online", g->p->cpus, g->p->cpus == 1 ? "" : "s");
	evidence_source(ev, "/sys/devices/system/cpu/online");
}

/* "pci=noaer,nomsi": whether @option is among the words behind the =. */
static bool lists_option(const char *word, const char *option)
{
	size_t len = strlen(option);
	const char *p = strchr(word, '=');

	while (p) {
		p++;
		if (!strncmp(p, option, len) && (!p[len] || p[len] == ','))
			return true;
		p = strchr(p, ',');
	}
	return false;
}

/* Documentation/admin-guide/kernel-parameters.txt: what bears on MSI and remapping. */
static bool word_matters(const char *word)
{
	static const char *const begins[] = {
		"intremap=", "intel_iommu=", "amd_iommu=",    "iommu=",	    "iommu.",
		"arm-smmu",  "vfio",	     "iommufd",	      "nointremap", "noapic",
		"nolapic",   "nox2apic",     "irqchip.gicv3", "kvm"
	};

	for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
		if (!strncmp(word, begins[i], strlen(begins[i])))
			return true;
	return !strncmp(word, "pci=", 4) && lists_option(word, "nomsi");
}

/* Cuts @cmdline up. What it has to say goes to @f. */
static void read_cmdline(struct gather *g, char *cmdline, FILE *f)
{
	const char *between = "";
	char *save = NULL;

	for (char *word = strtok_r(cmdline, " \t\n", &save); word;
	     word = strtok_r(NULL, " \t\n", &save)) {
		if (!word_matters(word))
			continue;
		if (!strncmp(word, "pci=", 4))
			verdict_set(g->p, VERDICT_NO, "MSI was turned off at boot (pci=nomsi)");
		g->p->remap_off_at_boot |=
			!strcmp(word, "nointremap") ||
			(!strncmp(word, "intremap=", 9) && lists_option(word, "off"));
		fprintf(f, "%s%s", between, word);
		between = " ";
	}
}

void gather_cmdline(struct gather *g)
{
	_cleanup_free_ char *cmdline = NULL, *words = NULL;
	struct evidence *ev;
	size_t size;
	FILE *f;

	/*
	 * its length is the architecture's and, with a bootconfig, the initrd's: saved_command_line
	 * of init/main.c
	 */
	if (root_text_dup(g->r, &cmdline, "proc/cmdline") < 0)
		return;
	f = open_memstream(&words, &size);
	if (f) {
		read_cmdline(g, cmdline, f);
		fclose(f);
	}
	if (!words) {
		g->rc = -ENOMEM;
		return;
	}
	ev = evidence_new(g, "command-line");
	if (words[0])
		evidence_value(ev, "booted with %s", words);
	else
		evidence_value(ev, "booted without a word on MSI, remapping or the IOMMU");
	evidence_source(ev, "/proc/cmdline");
}

void gather_parameters(struct gather *g)
{
	static const struct {
		const char *what, *module, *parameter, *words;
	} table[] = {
		{ "unsafe-interrupts", "vfio_iommu_type1", "allow_unsafe_interrupts",
		  "assignment without remapping" },
		{ "unsafe-interrupts", "iommufd", "allow_unsafe_interrupts",
		  "assignment without remapping (iommufd)" },
		{ "noiommu", "vfio", "enable_unsafe_noiommu_mode", "VFIO without an IOMMU" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct evidence *ev;
		char text[8];

		if (root_text(g->r, text, sizeof(text), "sys/module/%s/parameters/%s",
			      table[i].module, table[i].parameter) <= 0)
			continue;
		ev = evidence_new(g, table[i].what);
		evidence_value(ev, "%s is %s", table[i].words,
			       text[0] == 'Y' ? "allowed" : "not allowed");
		evidence_source(ev, "/sys/module/%s/parameters/%s %s", table[i].module,
				table[i].parameter, text);
	}
}
