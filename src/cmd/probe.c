// SPDX-License-Identifier: GPL-2.0-or-later
/* probe: does this host give more than one MSI vector, and how many? */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/session.h"
#include "cmd/all.h"
#include "cmd/probe-report.h"

enum {
	PROBE_RESERVE,
	PROBE_CAP,
	PROBE_STATIC,
};

#define DEFAULT_RESERVE 64
#define DEFAULT_CAP	256

struct probe_how {
	unsigned int reserve, cap;
	bool only_static;
};

static int read_how(const struct args *a, struct probe_how *how, struct error *e)
{
	const struct value *reserve = &a->option[PROBE_RESERVE], *cap = &a->option[PROBE_CAP];

	*how = (struct probe_how){ .reserve = DEFAULT_RESERVE,
				   .cap = DEFAULT_CAP,
				   .only_static = a->option[PROBE_STATIC].given };
	if (cap->given && (cap->number < 1 || cap->number > MAX_VECTORS))
		return fail(e, CAUSE_USAGE, 0, "--cap takes 1 to %u", MAX_VECTORS);
	if (reserve->given && reserve->number > 1000000)
		return fail(e, CAUSE_USAGE, 0, "--reserve takes 0 to 1000000");
	if (cap->given)
		how->cap = (unsigned int)cap->number;
	if (reserve->given)
		how->reserve = (unsigned int)reserve->number;
	return 0;
}

/*
 * The function that is meant, if one is; other back ends have DEVICEs that are none of this host's.
 */
static int find_function(struct session *s, const struct value *spec, struct probe_result *p,
			 struct error *e)
{
	struct pci_addr addr;
	int rc;

	if (s->inside) {
		if (!s->device || !s->device->has_addr)
			return 0;
		addr = s->device->addr;
	} else if (!spec->given) {
		return 0;
	} else {
		rc = pci_addr_parse(spec->text, &addr, e);
		if (rc)
			return backend_find(s->backends, spec->text) ? 0 : rc;
	}
	rc = function_read(&s->root, &addr, &p->f, e);
	p->has_function = rc == 0;
	return rc;
}

static void not_measured(struct probe_result *p, const char *why)
{
	copy_text(p->msi.not_measured, sizeof(p->msi.not_measured), why);
	copy_text(p->msix.not_measured, sizeof(p->msix.not_measured), why);
}

/*
 * By configuration space; VFIO shows an opened device's to a user who sees 64 bytes of it in /sys.
 */
static void read_offer(const struct session *s, struct probe_result *p)
{
	const struct pci_caps *caps = s->device		? &s->device->caps
				      : p->has_function ? &p->f.caps
							: NULL;
	const char *problem = caps ? caps_problem_text(caps->problem) : NULL;
	char why[256];

	if (!caps)
		return;
	if (caps->problem == CAPS_SHORT_CONFIG && !p->hint[0])
		copy_text(p->hint, sizeof(p->hint),
			  "run it as root: others see 64 bytes of configuration space");
	p->msi.looked = p->msix.looked = !problem;
	if (caps->has_msi) {
		p->msi.looked = true;
		p->msi.capability = caps->msi.capable;
		p->control = caps->msi.control;
	} else if (problem) {
		snprintf(why, sizeof(why), "its capabilities cannot be read: %s", problem);
		copy_text(p->msi.not_measured, sizeof(p->msi.not_measured), why);
	} else {
		copy_text(p->msi.not_measured, sizeof(p->msi.not_measured),
			  "the function has no MSI");
	}
	if (caps->has_msix) {
		p->msix.looked = true;
		p->msix.capability = caps->msix.count;
	} else {
		snprintf(p->msix.not_measured, sizeof(p->msix.not_measured), "%s",
			 problem ? p->msi.not_measured : "none, the function has no MSI-X");
	}
}

/* Why the device cannot be asked, or 0 and s->device. */
static int reach_device(struct session *s, const struct value *spec, const struct probe_how *how,
			struct probe_result *p, struct error *e)
{
	char bdf[PCI_ADDR_LEN];
	int rc;

	if (how->only_static)
		return fail(e, CAUSE_FAILED, 0, "--static asks the files alone");
	if (!s->root.live)
		return fail(e, CAUSE_FAILED, 0, "a captured tree has no device to ask");
	if (s->inside)
		return s->device ? 0
				 : fail(e, CAUSE_NO_DEVICE, ENODEV,
					"the device is not open any more");
	if (!spec->given) {
		rc = fail(e, CAUSE_FAILED, 0, "no device was named");
		hint(e, "msictl probe DEVICE   asks the kernel, with a function on vfio-pci");
		return rc;
	}
	if (p->has_function && !driver_is_vfio(p->f.driver)) {
		pci_addr_short(&p->f.addr, bdf);
		rc = fail(e, CAUSE_BUSY, 0, "%s%s",
			  p->f.driver[0] ? "driven by " : "no driver is bound", p->f.driver);
		hint(e, "msictl bind %s, then msictl probe %s   measures it", bdf, bdf);
		return rc;
	}
	return session_open(s, spec->text, NULL, e);
}

/* 0 also when the answer is that nothing was measured; why is in @ix. */
static int measure_index(struct session *s, enum irq_index index, const struct probe_how *how,
			 struct probe_result *p, struct probe_index *ix, struct error *e)
{
	struct probe_limits lim;
	struct error why;
	int rc;

	if (!s->device->irq[index].info.count)
		return 0;
	ix->looked = true;
	ix->capability = s->device->irq[index].info.count;
	probe_limits(&p->platform, index, how->reserve, how->cap, &lim);
	copy_text(ix->limit, sizeof(ix->limit), lim.why);
	rc = vector_probe(s->device, index, &lim, &ix->grant, &why);
	if (rc == 0) {
		if (!ix->grant.measured)
			copy_text(ix->not_measured, sizeof(ix->not_measured),
				  "a dry run asks nothing");
		return 0;
	}
	if (why.cause != CAUSE_DISTURB && why.cause != CAUSE_SHORT) {
		*e = why;
		return rc;
	}
	copy_text(ix->not_measured, sizeof(ix->not_measured), why.message);
	copy_text(p->hint, sizeof(p->hint), why.hint);
	return 0;
}

static int measure(struct session *s, const struct value *spec, const struct probe_how *how,
		   struct probe_result *p, struct error *e)
{
	struct error why = { 0 };
	int rc = reach_device(s, spec, how, p, &why);

	if (rc) {
		not_measured(p, why.message);
		copy_text(p->hint, sizeof(p->hint), why.hint);
		read_offer(s, p);
		return 0;
	}
	read_offer(s, p);
	rc = measure_index(s, IRQ_MSI, how, p, &p->msi, e);
	return rc ? rc : measure_index(s, IRQ_MSIX, how, p, &p->msix, e);
}

/* What was granted counts; a device that offers one vector cannot tell, the platform has to. */
static void decide(struct probe_result *p)
{
	const struct grant *g = &p->msi.grant;

	p->multivector = p->platform.multivector;
	if (!g->measured || p->msi.capability <= 1)
		return;
	if (g->granted <= 1 && g->capped)
		return;
	p->measured = true;
	p->multivector = g->granted > 1 ? VERDICT_YES : VERDICT_NO;
}

static void advise(struct probe_result *p)
{
	const struct platform *pl = &p->platform;
	const char *say = NULL;

	if ((p->hint[0] && p->has_function) || p->multivector != VERDICT_NO ||
	    pl->remapping != VERDICT_NO)
		return;
	if (pl->remap_off_at_boot)
		say = "remapping was turned off at boot (/proc/cmdline)";
	else if (pl->remap_capable)
		say = "the IOMMU could remap; why the kernel does not: dmesg | grep -i remap";
	else if (!pl->iommus)
		say = "turn the IOMMU on in the firmware, and boot with intel_iommu=on on Intel";
	else
		say = "this IOMMU does not remap interrupts, or the firmware says so";
	copy_text(p->hint, sizeof(p->hint), say);
}

/* The host's word counts for vectors that the host gives. */
static int read_platform(const struct session *s, const struct value *spec, struct probe_result *p,
			 struct error *e)
{
	const struct backend *be = NULL;
	int rc;

	if (s->inside && s->device)
		be = s->device->backend;
	else if (spec->given)
		be = backend_find(s->backends, spec->text);
	if (be && !be->ops->host_irqs)
		rc = platform_foreign(be->name, &p->platform);
	else
		rc = platform_read(&s->root, p->has_function ? &p->f : NULL, &p->platform);
	return rc ? fail(e, CAUSE_FAILED, -rc, "the evidence cannot be kept") : 0;
}

static int run_probe(struct session *s, const struct args *a, struct error *e)
{
	struct probe_result p = { .multivector = VERDICT_UNKNOWN };
	struct probe_how how;
	int rc;

	rc = read_how(a, &how, e);
	if (rc == 0)
		rc = find_function(s, &a->param[0], &p, e);
	if (rc == 0)
		rc = read_platform(s, &a->param[0], &p, e);
	if (rc)
		return rc;
	rc = measure(s, &a->param[0], &how, &p, e);
	if (rc == 0) {
		platform_ims(&s->root, &p.platform, p.has_function ? &p.f : NULL, &p.ims);
		decide(&p);
		advise(&p);
		probe_document(&p, s->out);
		probe_page(&p, s->out);
	}
	platform_free(&p.platform);
	return rc;
}

const struct command cmd_probe = {
	.word = "probe",
	.summary = "find out how many MSI and MSI-X vectors the host really gives",
	.help = "Without DEVICE the host alone is looked at. "
		"With a DEVICE that is bound to vfio-pci and that nobody holds, the kernel is asked: "
		"each index is enabled with all the vectors that the device offers, and disabled again; "
		"where the kernel refuses, the most that it grants is searched for.\n"
		"\"show a guest\" is the Message Control word that a virtual machine should see: "
		"Multiple Message Capable lowered to what was granted, since VFIO shows the device's own.\n"
		"A verdict that was not measured is the platform's word: "
		"interrupt remapping on x86, the ITS on arm64. "
		"IMS is never believed from the capability flag.",
	.family = FAMILY_LOOK,
	.flags = CMD_HELD,
	COMMAND_PARAMS({ .type = ARG_DEVICE, .optional = true }),
	COMMAND_OPTIONS(
		[PROBE_RESERVE] = { "reserve", 0, ARG_COUNT, "N", NULL,
				    "vectors of the host that have to stay free; 0: go on until the kernel refuses (64)" },
		[PROBE_CAP] = { "cap", 0, ARG_COUNT, "N", NULL,
				"the most vectors that are tried; above, the answer is \"at least N\" (256)" },
		[PROBE_STATIC] = { "static", 0, ARG_FLAG, NULL, NULL,
				   "open nothing: go by what /sys and /proc say" }),
	.run = run_probe,
};
