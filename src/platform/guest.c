// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether this host is itself a virtual machine, and what its firmware says of MSI. */
#include "platform/internal.h"

#include <string.h>

#include "base/util.h"

/* Enough for the first processor: the flags stand in its block. */
#define CPUINFO_ROOM 16384

static bool has_word(const char *line, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = strstr(line, word); p; p = strstr(p + 1, word))
		if ((p == line || p[-1] == ' ' || p[-1] == '\t') && (!p[len] || p[len] == ' '))
			return true;
	return false;
}

/*
 * CPUID leaf 1 ECX bit 31, which hypervisors set: arch/x86/include/asm/cpufeatures.h
 * X86_FEATURE_HYPERVISOR.
 */
static enum verdict guest_by_cpu(struct gather *g, struct evidence *ev)
{
	char text[CPUINFO_ROOM], *save = NULL;
	enum verdict v = VERDICT_UNKNOWN;

	if (root_text(g->r, text, sizeof(text), "proc/cpuinfo") < 0)
		return v;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(line, "flags", 5) && g->family == ARCH_X86) {
			v = has_word(line, "hypervisor") ? VERDICT_YES : VERDICT_NO;
			evidence_source(ev, "/proc/cpuinfo: flag hypervisor is %s",
					v == VERDICT_YES ? "set" : "not set");
			break;
		}
		/* arch/powerpc/platforms/pseries/setup.c: pSeries always runs below a hypervisor */
		if (!strncmp(line, "platform", 8) && g->family == ARCH_PPC &&
		    strstr(line, "pSeries")) {
			v = VERDICT_YES;
			evidence_source(ev, "/proc/cpuinfo: platform pSeries");
			break;
		}
	}
	return v;
}

/* *@name: what it is, of which the caller frees @ev->source too. */
static bool guest_by_file(struct gather *g, struct evidence *ev, char **name)
{
	static const struct {
		const char *file, *mark; /* mark NULL: being there is enough */
	} table[] = {
		{ "sys/hypervisor/type", NULL },
		{ "sys/firmware/devicetree/base/hypervisor/compatible", NULL },
		{ "sys/firmware/devicetree/base/compatible", "linux,dummy-virt" },
		{ "sys/class/dmi/id/sys_vendor", "QEMU" },
		{ "sys/class/dmi/id/sys_vendor", "VMware" },
		{ "sys/class/dmi/id/sys_vendor", "Xen" },
		{ "sys/class/dmi/id/sys_vendor", "innotek" },
		{ "sys/class/dmi/id/product_name", "Virtual Machine" },
		{ "sys/class/dmi/id/product_name", "Google Compute Engine" },
		{ "sys/class/dmi/id/product_name", "KVM" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		_cleanup_free_ char *text = NULL;

		if (root_text_dup(g->r, &text, "%s", table[i].file) <= 0)
			continue;
		if (table[i].mark && !strstr(text, table[i].mark))
			continue;
		*name = strdup(text);
		evidence_source(ev, "/%s: %s", table[i].file, text);
		return true;
	}
	return false;
}

/* The product's name adds to what the CPU flag says, and stands for it where there is none. */
void gather_guest(struct gather *g)
{
	struct evidence *ev = evidence_new(g, "hypervisor"), named = { .what = "" };
	_cleanup_free_ char *name = NULL;
	bool found;

	g->p->guest = guest_by_cpu(g, ev);
	found = guest_by_file(g, &named, &name);
	if (found && g->p->guest == VERDICT_UNKNOWN)
		g->p->guest = VERDICT_YES;
	if (found && (!ev->source || g->p->guest == VERDICT_YES)) {
		free(ev->source);
		ev->source = named.source;
		named.source = NULL;
	}
	free(named.source);
	switch (g->p->guest) {
	case VERDICT_YES:
		evidence_value(ev, "this host is a virtual machine%s%s", name ? ": " : "",
			       name ? name : "");
		break;
	case VERDICT_NO:
		evidence_value(ev, "this host is no virtual machine");
		break;
	default:
		evidence_value(ev, "virtual machine: not known");
		evidence_source(ev, "/proc/cpuinfo, /sys/class/dmi/id: no word on it");
	}
}

/* Cells of a device tree are big-endian (Devicetree specification 2.2.4). */
static int read_cell(const struct root *r, const char *path, unsigned int *value)
{
	uint8_t raw[4];
	int n = root_read(r, raw, sizeof(raw), "%s", path);

	if (n != (int)sizeof(raw))
		return -1;
	*value = (unsigned int)raw[0] << 24 | (unsigned int)raw[1] << 16 |
		 (unsigned int)raw[2] << 8 | raw[3];
	return 0;
}

/* What the function's node asks the firmware for (PAPR, "ibm,req#msi"). */
static void gather_requests(struct gather *g)
{
	static const struct {
		const char *file, *words;
	} table[] = {
		{ "ibm,req#msi", "MSI" },
		{ "ibm,req#msi-x", "MSI-X" },
	};
	char addr[PCI_ADDR_LEN], path[128];
	struct evidence *ev;
	unsigned int n;

	if (!g->f)
		return;
	pci_addr_full(&g->f->addr, addr);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/of_node/%s", addr,
			 table[i].file);
		if (read_cell(g->r, path, &n))
			continue;
		ev = evidence_new(g, "rtas-request");
		evidence_value(ev, "the firmware lets the function ask for %u %s vector%s", n,
			       table[i].words, n == 1 ? "" : "s");
		evidence_source(ev, "/%s", path);
	}
}

/* The host bridge is the nearest node above that has the property. */
static void gather_bridge_total(struct gather *g)
{
	char addr[PCI_ADDR_LEN], path[160], up[32] = "";
	struct evidence *ev;
	unsigned int n;

	if (!g->f)
		return;
	pci_addr_full(&g->f->addr, addr);
	for (int depth = 0; depth < 8; depth++) {
		snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/of_node/%sibm,pe-total-#msi",
			 addr, up);
		if (!read_cell(g->r, path, &n)) {
			ev = evidence_new(g, "rtas-total");
			evidence_value(ev, "the host bridge has %u MSI for all its functions", n);
			evidence_source(ev, "/%s", path);
			return;
		}
		append(up, sizeof(up), "../");
	}
}

/* arch/powerpc/platforms/pseries/msi.c: MSI are had by the RTAS call ibm,change-msi. */
void gather_firmware(struct gather *g)
{
	static const char base[] = "sys/firmware/devicetree/base/rtas";
	bool msi, msix;
	struct evidence *ev;

	if (g->family != ARCH_PPC || !root_exists(g->r, "%s", base))
		return;
	msi = root_exists(g->r, "%s/ibm,change-msi", base);
	msix = root_exists(g->r, "%s/ibm,change-msix-capable", base);
	ev = evidence_new(g, "rtas");
	evidence_value(ev, "the firmware gives %s",
		       !msi   ? "no MSI"
		       : msix ? "MSI and MSI-X"
			      : "MSI, not MSI-X");
	evidence_source(ev, "/proc/device-tree/rtas: ibm,change-msi%s, ibm,change-msix-capable%s",
			msi ? "" : " missing", msix ? "" : " missing");
	gather_requests(g);
	gather_bridge_total(g);
}
