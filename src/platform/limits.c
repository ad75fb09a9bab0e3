// SPDX-License-Identifier: GPL-2.0-or-later
/* How many vectors this host can have. */
#include "platform/internal.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "base/util.h"

void gather_irqs(struct gather *g)
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
void gather_available(struct gather *g)
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

/*
 * vfio_pci_core.c clears NORESIZE where pci_msix_can_alloc_dyn(): Linux 6.5 and later, on x86;
 * never for MSI.
 */
void gather_noresize(struct gather *g)
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

void gather_ceilings(struct gather *g)
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
