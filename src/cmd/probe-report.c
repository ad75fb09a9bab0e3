// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/probe-report.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

/* PCI Local Bus 3.0, 6.8.1.3: bits 3:1 of Message Control. */
#define MMC(control) (((control) >> 1) & 7u)

static unsigned int power_depends(unsigned int n)
{
	unsigned int power = 1;

	while (power <= n / 2)
		power *= 2;
	return power;
}

bool probe_guest(const struct probe_result *p, unsigned int *vectors, uint16_t *control)
{
	const struct probe_index *msi = &p->msi;
	unsigned int n;

	if (!msi->capability)
		return false;
	if (msi->grant.measured)
		n = msi->grant.granted;
	else if (p->platform.multivector == VERDICT_YES)
		n = msi->capability;
	else if (p->platform.multivector == VERDICT_NO)
		n = 1;
	else
		return false;
	/* a host that grants none leaves a guest nothing to be shown */
	if (n == 0)
		return false;
	*vectors = power_depends(n);
	*control = msi_guest_control(p->control, n);
	return true;
}

/* ---- the document */

static void doc_index(node *o, const struct probe_index *ix)
{
	doc_number_if(o, "capability", ix->looked, ix->capability);
	doc_number_if(o, "granted", ix->grant.measured, ix->grant.granted);
	doc_line(o, "not_measured", ix->grant.measured ? NULL : ix->not_measured);
}

static void doc_guest(node *o, const struct probe_result *p)
{
	unsigned int vectors;
	uint16_t control;

	if (probe_guest(p, &vectors, &control)) {
		doc_number(o, "vectors", vectors);
		doc_number(o, "control", control);
	} else {
		doc_null(o, "vectors");
		doc_null(o, "control");
	}
}

static void doc_evidence(node *doc, const struct platform *p)
{
	node *list = doc_array(doc, "evidence");

	for (size_t i = 0; i < p->n; i++) {
		node *row = doc_row(list);

		doc_text(row, "what", p->evidence[i].what);
		doc_line(row, "value", p->evidence[i].value);
		doc_line(row, "source", p->evidence[i].source);
	}
}

void probe_document(const struct probe_result *p, struct out *o)
{
	node *doc = out_doc(o), *msi, *msix, *ims;

	doc_text(doc, "multivector", verdict_word(p->multivector));
	doc_text(doc, "basis", p->measured ? "measured" : "platform");
	msi = doc_object(doc, "msi");
	doc_index(msi, &p->msi);
	doc_bool(msi, "capped", p->msi.grant.capped);
	doc_bool(msi, "powers_of_two_only", p->msi.grant.powers);
	doc_guest(doc_object(msi, "guest_visible"), p);
	msix = doc_object(doc, "msix");
	doc_index(msix, &p->msix);
	doc_bool(msix, "capped", p->msix.grant.capped);
	ims = doc_object(doc, "ims");
	doc_text(ims, "verdict", verdict_word(p->ims.verdict));
	doc_line(ims, "reason", p->ims.reason);
	doc_evidence(doc, &p->platform);
}

/* ---- the page */

static void page_verdict(const struct probe_result *p, struct out *o)
{
	const struct grant *g = &p->msi.grant;

	if (!p->measured) {
		out_bold(o, "Multivector MSI: %s by the platform's word",
			 p->multivector == VERDICT_YES	? "YES"
			 : p->multivector == VERDICT_NO ? "NO"
							: "unknown");
		out_text(o, "  %s", p->platform.multivector_why);
	} else if (p->multivector == VERDICT_YES) {
		out_bold(o, "Multivector MSI: YES, %s%u of %u vectors",
			 g->capped ? "at least " : "", g->granted, p->msi.capability);
	} else {
		out_bold(o, "Multivector MSI: NO, %s",
			 g->granted ? "one vector only" : "not even one vector");
	}
}

/* The kernel's answer in words. */
static char *answer_text(const struct probe_index *ix, char *buf, size_t size)
{
	const char *powers = ix->grant.powers ? "; powers of two alone were asked for" : "";
	const struct grant *g = &ix->grant;
	char name[16];

	if (g->answer == 0)
		snprintf(buf, size, "asked %u%s%s%s, all were granted and given back", g->asked,
			 g->capped ? " (" : "", g->capped ? ix->limit : "", g->capped ? ")" : "");
	else if (g->answer > 0)
		snprintf(buf, size, "asked %u, the answer was %d; nothing was left enabled%s",
			 g->asked, g->answer, powers);
	else
		snprintf(buf, size,
			 "asked %u, the answer was %s; found by %u questions, all given back%s",
			 g->asked, errno_name(-g->answer, name), g->asks, powers);
	return buf;
}

static void page_msi(const struct probe_result *p, struct out *o)
{
	const struct probe_index *msi = &p->msi;
	/* A device that is no function of this host, and has a capability, is a peer's. */
	const char *who = p->has_function ? "host" : "peer";
	unsigned int vectors;
	uint16_t control;
	char text[320];

	if (!msi->capability) {
		out_text(o, "  device offers  %3s   %s", "-", msi->not_measured);
		return;
	}
	out_text(o, "  device offers  %3u   Message Control 0x%04x, MMC=%u", msi->capability,
		 p->control, MMC(p->control));
	if (msi->grant.measured)
		out_text(o, "  %s grants    %3u   %s", who, msi->grant.granted,
			 answer_text(msi, text, sizeof(text)));
	else
		out_text(o, "  %s grants    %3s   not measured: %s", who, "-", msi->not_measured);
	if (probe_guest(p, &vectors, &control))
		out_text(o, "  show a guest   %3u   Message Control 0x%04x, MMC=%u%s", vectors,
			 control, MMC(control),
			 msi->grant.measured ? "" : "  (by the platform's word)");
	else
		out_text(o, "  show a guest   %3s   %s", "-",
			 msi->grant.measured ? "no MSI capability at all"
					     : "not known before it is measured");
}

static void page_msix(const struct probe_result *p, struct out *o)
{
	const struct probe_index *x = &p->msix;
	char text[320];

	if (!x->capability)
		out_text(o, "MSI-X: %s", x->not_measured);
	else if (!x->grant.measured)
		out_text(o, "MSI-X: %u offered, not measured: %s", x->capability, x->not_measured);
	else if (x->grant.answer == 0 && !x->grant.capped)
		out_text(o, "MSI-X: %u of %u granted", x->grant.granted, x->capability);
	else if (x->grant.answer == 0)
		out_text(o, "MSI-X: at least %u of %u granted   %s", x->grant.granted,
			 x->capability, x->limit);
	else
		out_text(o, "MSI-X: %s%u of %u granted   %s", x->grant.capped ? "at least " : "",
			 x->grant.granted, x->capability, answer_text(x, text, sizeof(text)));
}

/* Evidence that is a ceiling, or all that is none, in two columns. */
static void page_evidence(const struct platform *p, bool ceilings, const char *title, struct out *o)
{
	bool any = false;
	int width = 0;

	for (size_t i = 0; i < p->n; i++) {
		int len = (int)strlen(p->evidence[i].value);

		if (!strcmp(p->evidence[i].what, "ceiling") != ceilings)
			continue;
		any = true;
		if (len > width && len <= 56)
			width = len;
	}
	if (!any)
		return;
	out_text(o, "%s", "");
	out_text(o, "%s", title);
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->evidence[i].what, "ceiling") == ceilings)
			out_text(o, "  %-*s  %s", width, p->evidence[i].value,
				 p->evidence[i].source);
}

static void page_title(const struct probe_result *p, struct out *o)
{
	char bdf[PCI_ADDR_LEN], name[PCI_NAME], clean[4 * PCI_NAME];

	if (!p->has_function)
		return;
	pci_name_once(p->f.vendor, p->f.device, name, sizeof(name));
	out_text(o, "%s  %s", pci_addr_short(&p->f.addr, bdf),
		 escape_text(name, clean, sizeof(clean)));
	out_text(o, "%s", "");
}

void probe_page(const struct probe_result *p, struct out *o)
{
	if (out_is_json(o))
		return;
	page_title(p, o);
	page_verdict(p, o);
	if (p->msi.looked || p->has_function) {
		page_msi(p, o);
		page_msix(p, o);
		out_text(o, "IMS: %s   %s", verdict_word(p->ims.verdict), p->ims.reason);
	}
	page_evidence(&p->platform, false, "Because", o);
	page_evidence(&p->platform, true, "Ceilings", o);
	if (p->hint[0])
		out_note(o, "hint: %s", p->hint);
}
