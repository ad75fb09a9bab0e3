// SPDX-License-Identifier: GPL-2.0-or-later
/* Interrupt Message Store: what the device claims, and why that is no proof. */
#include "platform/evidence.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "host/irq.h"
#include "platform/internal.h"

static void say(struct ims_verdict *v, enum verdict verdict, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void say(struct ims_verdict *v, enum verdict verdict, const char *fmt, ...)
{
	va_list ap;

	v->verdict = verdict;
	va_start(ap, fmt);
	if (vsnprintf(v->reason, sizeof(v->reason), fmt, ap) < 0)
		v->reason[0] = '\0';
	va_end(ap);
}

/*
 * The platform's own word: a driver's IMS domain shows as a chip named after
 * it (pci_create_ims_domain() of Linux 6.2), and only a message that came
 * through counts.
 */
static bool ims_counted(const struct root *r, const struct function *f, struct ims_verdict *v)
{
	struct host_irqs h = { 0 };
	bool found = false;

	if (host_irqs_read(r, &f->addr, HOST_IRQ_BRIEF, &h))
		return false;
	for (size_t i = 0; i < h.n && !found; i++) {
		const struct host_irq *irq = &h.irq[i];
		char chip[80];

		found = strstr(irq->chip, "IMS") && irq->counted && irq->count > 0;
		if (found)
			say(v, VERDICT_YES, "Linux IRQ %u of chip %s has counted %llu interrupts",
			    irq->irq, escape_text(irq->chip, chip, sizeof(chip)),
			    (unsigned long long)irq->count);
	}
	host_irqs_free(&h);
	return found;
}

/* The DVSEC has the bit set: what stands against it. */
static void ims_claimed(const struct root *r, const struct platform *p, const struct siov_dvsec *s,
			struct ims_verdict *v)
{
	char unit[ROOT_NAME_ESCAPED];

	/*
	 * drivers/iommu/intel/irq_remapping.c of Linux 6.2: MSI_FLAG_PCI_IMS is in
	 * dmar_msi_parent_ops alone
	 */
	if (!strcmp(p->arch, "x86_64") && p->remapping == VERDICT_NO) {
		say(v, VERDICT_NO,
		    "the SIOV DVSEC at 0x%x claims IMS, but interrupt remapping is off, and on x86 Linux offered IMS "
		    "only below a remapping domain (6.2 to 6.9, drivers/iommu/intel/irq_remapping.c)",
		    s->pos);
		return;
	}
	say(v, VERDICT_UNKNOWN, "the SIOV DVSEC at 0x%x claims IMS, which is no proof: ", s->pos);
	if (iommu_emulated(r, unit, sizeof(unit)))
		append(v->reason, sizeof(v->reason),
		       "the IOMMU itself is emulated (%s: caching mode), the flag may be too; ",
		       unit);
	else if (p->guest == VERDICT_YES)
		append(v->reason, sizeof(v->reason),
		       "this host is a virtual machine, the flag may be emulated; ");
	/*
	 * in by 0194425af0c8, out by b966b1102871; who patches his kernel may have it all the same
	 */
	if (p->release && (p->release < RELEASE(6u, 2u) || p->release >= RELEASE(6u, 10u)))
		append(v->reason, sizeof(v->reason),
		       "Linux %u.%u has no IMS as released (6.2 to 6.9 had it); ", p->release >> 8,
		       p->release & 0xff);
	append(v->reason, sizeof(v->reason),
	       "the kernel tells user space nothing of IMS, and no IMS interrupt of this function has counted");
}

void platform_ims(const struct root *r, const struct platform *p, const struct function *f,
		  struct ims_verdict *v)
{
	struct siov_dvsec s;

	say(v, VERDICT_UNKNOWN,
	    "no function of this host was named, so there is nothing to look at");
	if (!f || ims_counted(r, f, v))
		return;
	siov_decode(f->config, f->config_len, &s);
	if (!s.readable && f->config_len <= 64)
		say(v, VERDICT_UNKNOWN,
		    "only %zu bytes of config space can be read, the SIOV DVSEC lies behind: run as root",
		    f->config_len);
	else if (!s.readable)
		say(v, VERDICT_UNKNOWN,
		    "no extended config space, so no SIOV DVSEC; without one the platform's word is missing");
	else if (s.cyclic)
		say(v, VERDICT_UNKNOWN, "the list of extended capabilities runs in a circle");
	else if (!s.found)
		say(v, VERDICT_UNKNOWN,
		    "no SIOV DVSEC here; without one the platform's word is missing");
	else if (!s.ims)
		say(v, VERDICT_NO, "the SIOV DVSEC at 0x%x does not claim IMS", s.pos);
	else
		ims_claimed(r, p, &s, v);
}
