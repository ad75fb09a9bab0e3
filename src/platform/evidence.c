// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/internal.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

const char *verdict_word(enum verdict v)
{
	static const char *const words[] = {
		[VERDICT_UNKNOWN] = "unknown",
		[VERDICT_NO] = "no",
		[VERDICT_YES] = "yes",
	};

	return (size_t)v < ARRAY_SIZE(words) ? words[v] : words[VERDICT_UNKNOWN];
}

static void evidence_free(struct evidence *ev)
{
	free(ev->value);
	free(ev->source);
}

struct evidence *evidence_new(struct gather *g, const char *what)
{
	struct evidence *more = reallocarray(g->p->evidence, g->p->n + 1, sizeof(*more)), *ev;

	if (!more) {
		g->rc = -ENOMEM;
		ev = &g->lost;
		evidence_free(ev);
	} else {
		g->p->evidence = more;
		ev = &more[g->p->n++];
	}
	*ev = (struct evidence){ .what = what };
	return ev;
}

static void escape_format(char **to, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/* Without memory *@to is NULL, which whole() finds at the end. */
static void escape_format(char **to, const char *fmt, va_list ap)
{
	_cleanup_free_ char *text = NULL;
	va_list again;
	int n;

	free(*to);
	*to = NULL;
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	text = n < 0 ? NULL : malloc((size_t)n + 1);
	if (!text)
		return;
	vsnprintf(text, (size_t)n + 1, fmt, ap);
	*to = escape_text_dup(text);
}

void evidence_value(struct evidence *ev, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	escape_format(&ev->value, fmt, ap);
	va_end(ap);
}

void evidence_source(struct evidence *ev, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	escape_format(&ev->source, fmt, ap);
	va_end(ap);
}

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
static void read_machine(struct gather *g)
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

static void read_release(struct gather *g)
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

static void gather_machine(struct gather *g)
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

static void gather_cpus(struct gather *g)
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

static void decide(struct platform *p, enum verdict v, const char *why)
{
	p->multivector = v;
	copy_text(p->multivector_why, sizeof(p->multivector_why), why);
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
			decide(g->p, VERDICT_NO, "MSI was turned off at boot (pci=nomsi)");
		g->p->remap_off_at_boot |=
			!strcmp(word, "nointremap") ||
			(!strncmp(word, "intremap=", 9) && lists_option(word, "off"));
		fprintf(f, "%s%s", between, word);
		between = " ";
	}
}

static void gather_cmdline(struct gather *g)
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

static void gather_irqs(struct gather *g)
{
	_cleanup_root_dir_ struct root_dir *dir = root_opendir(g->r, "sys/kernel/irq");
	struct dirent *entry;

	while (dir && (entry = root_next(dir)))
		g->p->irqs += !!isdigit((unsigned char)entry->d_name[0]);
}

/*
 * irq_matrix_debug_show() of kernel/irq/matrix.c; the file is there with
 * CONFIG_GENERIC_IRQ_DEBUGFS, for root.
 */
static void gather_available(struct gather *g)
{
	static const char file[] = "sys/kernel/debug/irq/domains/VECTOR";
	static const char key[] = "Global available:";
	char text[8192], *at;
	struct evidence *ev;
	uint64_t n;

	if (root_text(g->r, text, sizeof(text), "%s", file) < 0)
		return;
	at = strstr(text, key);
	if (!at)
		return;
	at += strlen(key);
	at += strspn(at, " \t");
	at[strspn(at, "0123456789")] = '\0';
	if (parse_u64(at, 10, INT_MAX, &n))
		return;
	g->p->vectors_available = (int)n;
	ev = evidence_new(g, "vectors-available");
	evidence_value(ev, "%u interrupt vectors are free on all CPUs", (unsigned int)n);
	evidence_source(ev, "/%s: Global available", file);
}

static void gather_parameters(struct gather *g)
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

/*
 * vfio_pci_core.c clears NORESIZE where pci_msix_can_alloc_dyn(): Linux 6.5 and later, on x86;
 * never for MSI.
 */
static void gather_noresize(struct gather *g)
{
	struct evidence *ev;
	bool dynamic = g->family == ARCH_X86 && g->p->release >= RELEASE(6u, 5u);

	if (g->family == ARCH_UNKNOWN || !g->p->release)
		return;
	ev = evidence_new(g, "noresize");
	if (dynamic)
		evidence_value(ev, "MSI-X is likely to be dynamic, MSI is NORESIZE");
	else
		evidence_value(ev, "MSI-X and MSI are likely to be NORESIZE");
	evidence_source(ev, "vfio-pci: MSI-X dynamic on x86 since Linux 6.5; VFIO's flags decide");
}

static void gather_ceilings(struct gather *g)
{
	static const struct {
		const char *value, *source;
	} always[] = {
		{ "32 MSI vectors per function",
		  "PCI Local Bus 3.0, 6.8.1.3: Multiple Message Capable" },
		{ "2048 MSI-X vectors per function", "PCI Local Bus 3.0, 6.8.2.3: Table Size" },
		{ "4096 interrupt routes per virtual machine",
		  "KVM_MAX_IRQ_ROUTES of linux/kvm_host.h" },
	};
	struct evidence *ev;

	for (size_t i = 0; i < ARRAY_SIZE(always); i++) {
		ev = evidence_new(g, "ceiling");
		evidence_value(ev, "%s", always[i].value);
		evidence_source(ev, "%s", always[i].source);
	}
	if (g->family != ARCH_X86 || !g->p->cpus)
		return;
	ev = evidence_new(g, "ceiling");
	evidence_value(ev, "about %u vectors on %u CPU%s", g->p->cpus * 200, g->p->cpus,
		       g->p->cpus == 1 ? "" : "s");
	evidence_source(
		ev,
		"arch/x86/include/asm/irq_vectors.h: 256 each, less the kernel's own; %u Linux IRQs now",
		g->p->irqs);
}

/* Which interrupt controller takes the MSI, by the chips of the Linux IRQs there are. */
static void gather_controller(struct gather *g, unsigned int its, unsigned int v2m)
{
	struct evidence *ev = evidence_new(g, "msi-controller");

	if (its)
		evidence_value(ev, "MSI go through a GICv3 ITS");
	else if (v2m)
		evidence_value(ev, "MSI go through a GICv2m frame");
	else
		evidence_value(ev, "MSI controller: not known");
	evidence_source(ev, "/sys/kernel/irq/*/chip_name: %u begin with ITS-, %u with GICv2m", its,
			v2m);
}

/*
 * arch/x86/kernel/apic/msi.c: only the domains of interrupt remapping have
 * MSI_FLAG_MULTI_PCI_MSI, because a bare x86 message names one vector of one
 * CPU. Xen and Hyper-V allocate by their own calls (arch/x86/pci/xen.c,
 * drivers/pci/controller/pci-hyperv.c).
 */
static void decide_x86(struct gather *g)
{
	gather_remapping(g);
	if (chips_begin(g->r, "xen-") || chips_begin(g->r, "Hyper-V"))
		decide(g->p, VERDICT_UNKNOWN,
		       "the hypervisor allocates this machine's MSI and does not say how many");
	else if (g->p->remapping == VERDICT_YES)
		decide(g->p, VERDICT_YES,
		       "interrupt remapping is on, and gives contiguous vectors");
	else if (g->p->remapping == VERDICT_NO)
		decide(g->p, VERDICT_NO,
		       "x86 allocates contiguous vectors only with interrupt remapping, which is off");
	else
		decide(g->p, VERDICT_UNKNOWN, "whether interrupt remapping is on cannot be read");
}

static void decide_arm64(struct gather *g)
{
	unsigned int its = chips_begin(g->r, "ITS-"), v2m = chips_begin(g->r, "GICv2m");

	gather_controller(g, its, v2m);
	if (its)
		decide(g->p, VERDICT_YES, "the ITS gives contiguous event numbers");
	else if (v2m)
		decide(g->p, VERDICT_UNKNOWN,
		       "a GICv2m frame gives contiguous interrupts only while it has enough");
	else
		decide(g->p, VERDICT_UNKNOWN, "no Linux IRQ names the MSI controller");
}

static void decide_multivector(struct gather *g)
{
	static const char *const why[] = {
		[ARCH_UNKNOWN] = "no rule is known for this architecture",
		[ARCH_PPC] =
			"the firmware decides for each function (RTAS ibm,change-msi, or OPAL)",
		[ARCH_RISCV] =
			"the kernels measured refuse more than one MSI vector through the IMSIC",
	};

	if (g->family == ARCH_ARM64)
		decide_arm64(g);
	else if (g->family == ARCH_X86)
		decide_x86(g);
	else
		decide(g->p, VERDICT_UNKNOWN,
		       g->p->arch[0] ? why[g->family] : "the architecture cannot be read");
}

/*
 * What one part found out from files of which not all could be read: what looked absent may be
 * there.
 */
static void doubt(struct gather *g, size_t first, int rc)
{
	char number[16];

	for (size_t i = first; i < g->p->n; i++) {
		struct evidence *ev = &g->p->evidence[i];
		const char *source = ev->source ? ev->source : "";
		char *doubted;

		evidence_value(ev, "%s: not known", ev->what);
		if (asprintf(&doubted, "%s%snot all of it can be read (%s)", source,
			     source[0] ? ": " : "", errno_name(-rc, number)) < 0)
			doubted = NULL;
		free(ev->source);
		ev->source = doubted;
	}
}

/* Each piece has both texts, unless there was no memory. */
static bool whole(const struct platform *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (!p->evidence[i].value || !p->evidence[i].source)
			return false;
	return true;
}

/* 0 or -ENOMEM. */
static int gathered(struct gather *g)
{
	evidence_free(&g->lost);
	if (!g->rc && !whole(g->p))
		g->rc = -ENOMEM;
	if (g->rc)
		platform_free(g->p);
	return g->rc;
}

/* As doubt(), of the verdict. */
static void decide_with_doubt(struct gather *g)
{
	unsigned int misses = root_misses(g->r);

	decide_multivector(g);
	if (!root_missed(g->r, misses))
		return;
	g->p->remapping = VERDICT_UNKNOWN;
	decide(g->p, VERDICT_UNKNOWN, "what decides it cannot be read");
}

int platform_read(const struct root *r, const struct function *f, struct platform *p)
{
	/* What decides most is told first; the first two are read by the others. */
	static void (*const parts[])(struct gather * g) = {
		read_machine,	   read_release,    decide_with_doubt, gather_iommu,
		gather_cmdline,	   gather_guest,    gather_firmware,   gather_groups,
		gather_parameters, gather_machine,  gather_cpus,       gather_irqs,
		gather_available,  gather_noresize, gather_ceilings,
	};
	_cleanup_free_ struct gather *g = calloc(1, sizeof(*g));

	*p = (struct platform){ .vectors_available = -1 };
	if (!g)
		return -ENOMEM;
	g->r = r;
	g->f = f;
	g->p = p;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		unsigned int misses = root_misses(r);
		size_t first = p->n;

		parts[i](g);
		if (root_missed(r, misses))
			doubt(g, first, root_missed(r, misses));
	}
	return gathered(g);
}

int platform_foreign(const char *backend, struct platform *p)
{
	struct gather g = { .p = p };
	struct evidence *ev;

	*p = (struct platform){ .vectors_available = -1 };
	decide(p, VERDICT_UNKNOWN,
	       "the device's vectors are none of this host's, so the host's word does not count");
	ev = evidence_new(&g, "backend");
	evidence_value(ev, "the device's vectors are none of this host's");
	evidence_source(ev, "back end %s", backend);
	return gathered(&g);
}

void platform_free(struct platform *p)
{
	for (size_t i = 0; i < p->n; i++)
		evidence_free(&p->evidence[i]);
	free(p->evidence);
	p->evidence = NULL;
	p->n = 0;
}
