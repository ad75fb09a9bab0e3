// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether this platform grants more than one MSI vector: the evidence in order, and what follows of
 * it.
 */
#include "platform/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"

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
		verdict_set(
			g->p, VERDICT_UNKNOWN,
			"the hypervisor allocates this machine's MSI and does not say how many");
	else if (g->p->remapping == VERDICT_YES)
		verdict_set(g->p, VERDICT_YES,
			    "interrupt remapping is on, and gives contiguous vectors");
	else if (g->p->remapping == VERDICT_NO)
		verdict_set(
			g->p, VERDICT_NO,
			"x86 allocates contiguous vectors only with interrupt remapping, which is off");
	else
		verdict_set(g->p, VERDICT_UNKNOWN,
			    "whether interrupt remapping is on cannot be read");
}

static void decide_arm64(struct gather *g)
{
	unsigned int its = chips_begin(g->r, "ITS-"), v2m = chips_begin(g->r, "GICv2m");

	gather_controller(g, its, v2m);
	if (its)
		verdict_set(g->p, VERDICT_YES, "the ITS gives contiguous event numbers");
	else if (v2m)
		verdict_set(g->p, VERDICT_UNKNOWN,
			    "a GICv2m frame gives contiguous interrupts only while it has enough");
	else
		verdict_set(g->p, VERDICT_UNKNOWN, "no Linux IRQ names the MSI controller");
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
		verdict_set(g->p, VERDICT_UNKNOWN,
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
	verdict_set(g->p, VERDICT_UNKNOWN, "what decides it cannot be read");
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
	verdict_set(
		p, VERDICT_UNKNOWN,
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
