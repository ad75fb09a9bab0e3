// SPDX-License-Identifier: GPL-2.0-or-later
/* list */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "cli/session.h"
#include "cmd/all.h"
#include "host/function.h"
#include "host/irq.h"

/*
 * Without root the kernel shows this much of config space: pci_read_config() in
 * drivers/pci/pci-sysfs.c.
 */
#define CONFIG_FOR_ALL 64

enum {
	LIST_SLOT,
	LIST_ID
};

static const struct table list_table = {
	.array = "devices",
	TABLE_COLUMNS({ "DEVICE", "slot", CELL_TEXT, "bus:dev.fn, with the domain unless it is 0",
			false },
		      { "NAME", "name", CELL_TEXT, "vendor and device from pci.ids", false },
		      { "DRIVER", "driver", CELL_TEXT, "the bound driver", false },
		      { "GROUP", "group", CELL_NUMBER, "the IOMMU group", false },
		      { "MSI", "msi.enabled/msi.maximum", CELL_RATIO,
			"MSI vectors enabled / offered", false },
		      { "MSI-X", "msix.enabled/msix.maximum", CELL_RATIO,
			"MSI-X vectors enabled / offered", false },
		      { "IRQS", "allocated", CELL_NUMBER, "Linux IRQs allocated", false },
		      { "ARMED", "armed", CELL_NUMBER, "Linux IRQs that have a handler", false },
		      { "COUNT", "count", CELL_NUMBER,
			"interrupts of those IRQs since they were allocated", false },
		      { "SOURCE", "source", CELL_TEXT,
			"what told of the IRQs: sysfs, proc (/proc/interrupts) or sysfs,proc",
			true },
		      { "MISSING", "cpus_missing", CELL_NUMBER,
			"CPUs whose interrupts are not in COUNT", true },
		      { "ADDRESS", "device", CELL_TEXT, "the full address", true },
		      { "ID", "id", CELL_TEXT, "vendor:device", true }),
};

/* -1: not known. */
static int irqs_of(const struct host_irqs *h, enum irq_index index)
{
	int n = h ? 0 : -1;

	for (size_t i = 0; h && i < h->n; i++)
		n += h->irq[i].index == index;
	return n;
}

/* Not there: null. There, or not to be told: an object, in the second case of nulls. */
static void doc_capability(node *row, const char *key, const struct function *f, bool has, bool on,
			   int irqs, unsigned int maximum)
{
	node *o;

	if (!has && f->caps.problem == CAPS_OK) {
		doc_null(row, key);
		return;
	}
	o = doc_object(row, key);
	if (!has) {
		doc_null(o, "enabled");
		doc_null(o, "maximum");
		return;
	}
	doc_number_if(o, "enabled", !on || irqs >= 0, on ? (uint64_t)irqs : 0);
	doc_number(o, "maximum", maximum);
}

static void doc_source(node *row, const unsigned int by[])
{
	const char *first = by[HOST_IRQ_SYSFS] ? host_irq_source_word(HOST_IRQ_SYSFS) : NULL;
	const char *second = by[HOST_IRQ_PROC] ? host_irq_source_word(HOST_IRQ_PROC) : NULL;

	if (first && second)
		doc_textf(row, "source", "%s,%s", first, second);
	else
		doc_word(row, "source", first ? first : second);
}

/* @h: NULL when it could not be read. */
static void doc_counts(node *row, const struct host_irqs *h)
{
	static const char *const counts[] = { "allocated", "armed", "count", "cpus_missing",
					      "source" };
	unsigned int armed = 0, by[HOST_IRQ_PROC + 1] = { 0 };
	uint64_t count = 0;
	bool counted = true;
	int missing;

	if (!h) {
		for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
			doc_null(row, counts[i]);
		return;
	}
	for (size_t i = 0; i < h->n; i++) {
		by[h->irq[i].source]++;
		armed += h->irq[i].armed;
		counted = counted && h->irq[i].counted;
		count += h->irq[i].count;
	}
	doc_number(row, "allocated", h->n);
	doc_number_if(row, "armed", !by[HOST_IRQ_UNSEEN], armed);
	/* a sum of some is none of all */
	doc_number_if(row, "count", counted, count);
	host_irqs_partial(h, &missing);
	doc_number_if(row, "cpus_missing", counted && missing >= 0, (uint64_t)missing);
	doc_source(row, by);
}

static void doc_function(node *rows, const struct function *f, const struct host_irqs *h,
			 struct pci_names *names)
{
	node *row = doc_row(rows);
	char bdf[PCI_ADDR_LEN], name[PCI_NAME];
	const struct pci_caps *c = &f->caps;

	doc_text(row, "device", pci_addr_full(&f->addr, bdf));
	doc_text(row, "slot", pci_addr_short(&f->addr, bdf));
	doc_textf(row, "id", "%04x:%04x", f->vendor, f->device);
	doc_text(row, "name", pci_name(names, f->vendor, f->device, name, sizeof(name)));
	doc_word(row, "driver", f->driver);
	doc_number_if(row, "group", f->group >= 0, (uint64_t)f->group);
	doc_capability(row, "msi", f, c->has_msi, c->msi.enabled, irqs_of(h, IRQ_MSI),
		       c->msi.capable);
	doc_capability(row, "msix", f, c->has_msix, c->msix.enabled, irqs_of(h, IRQ_MSIX),
		       c->msix.count);
	doc_counts(row, h);
}

struct listing {
	struct session *s;
	struct pci_match match;
	struct pci_names *names;
	node *rows;
	unsigned int denied, broken;
	unsigned int partial; /* functions whose counts leave CPUs out */
	int cpus_missing;     /* of the last of them */
	char broken_one[PCI_ADDR_LEN];
};

/* A function that vanishes meanwhile is no failure of the list. */
static int list_one(struct listing *l, const struct pci_addr *a)
{
	struct host_irqs h;
	struct function f;
	struct error ignored;
	int rc, missing;

	if (function_peek(&l->s->root, a, &f, &ignored))
		return 0;
	if (!pci_matches(&l->match, a, f.vendor, f.device, f.class))
		return 0;
	/* what cannot be told may be there */
	if (!f.caps.has_msi && !f.caps.has_msix && f.caps.problem == CAPS_OK)
		return 0;
	rc = host_irqs_read(&l->s->root, a, HOST_IRQ_BRIEF, &h);
	if (rc == -ENOMEM)
		return rc;
	/* that it could not be read fails the command in the end; the others are told */
	doc_function(l->rows, &f, rc ? NULL : &h, l->names);
	if (host_irqs_partial(&h, &missing)) {
		l->partial++;
		l->cpus_missing = missing;
	}
	host_irqs_free(&h);
	if (f.caps.problem == CAPS_SHORT_CONFIG && f.config_len == CONFIG_FOR_ALL) {
		l->denied++;
	} else if (f.caps.problem != CAPS_OK) {
		l->broken++;
		pci_addr_short(a, l->broken_one);
	}
	return 0;
}

/* All functions have the same CPUs. */
static void partial_note(const struct listing *l)
{
	char number[32] = "an unknown number of";

	if (!l->partial)
		return;
	if (l->cpus_missing > 0)
		snprintf(number, sizeof(number), "%d", l->cpus_missing);
	out_note(
		l->s->out,
		"COUNT of %u function%s is that of /proc/interrupts, which has no column for %s CPU%s",
		l->partial, l->partial == 1 ? "" : "s", number, l->cpus_missing == 1 ? "" : "s");
}

static void notes(const struct listing *l)
{
	struct out *o = l->s->out;

	if (l->denied) {
		out_note(
			o,
			"MSI and MSI-X of %u functions: <access denied>, config space ends at byte %u",
			l->denied, CONFIG_FOR_ALL);
		out_note(o, "hint: sudo msictl list   (only root is shown the capabilities)");
	}
	if (l->broken) {
		out_note(o, "%u functions have a capability list that can't be read to its end",
			 l->broken);
		out_note(o, "hint: msictl info %s", l->broken_one);
	}
	partial_note(l);
}

static int run_list(struct session *s, const struct args *a, struct error *e)
{
	struct listing l = { .s = s };
	struct pci_addr *list;
	ssize_t n;
	int rc;

	l.match.slot = a->option[LIST_SLOT].given ? a->option[LIST_SLOT].text : NULL;
	l.match.id = a->option[LIST_ID].given ? a->option[LIST_ID].text : NULL;
	rc = pci_match_check(&l.match, e);
	if (rc)
		return rc;
	n = function_scan(&s->root, &list, e);
	if (n < 0)
		return (int)n;
	l.rows = doc_array(out_doc(s->out), "devices");
	l.names = pci_names_open();
	for (ssize_t i = 0; !rc && i < n; i++)
		rc = list_one(&l, &list[i]);
	pci_names_close(l.names);
	free(list);
	if (rc)
		return fail_memory(e);
	rc = out_table(s->out, &list_table);
	notes(&l);
	return rc ? fail_memory(e) : 0;
}

const struct command cmd_list = {
	.word = "list",
	.summary = "show the PCI functions that have MSI or MSI-X",
	.help = "A line per function. "
		"MSI and MSI-X are the Linux IRQs in use over the vectors that the device offers: "
		"0 of them while the capability is off, - when there is no such capability or when it can't be read. "
		"IRQS counts the Linux IRQs allocated, ARMED those with a handler, COUNT their interrupts on all CPUs. "
		"Nothing is opened or changed.",
	.family = FAMILY_LOOK,
	.flags = 0,
	COMMAND_OPTIONS(
		[LIST_SLOT] = { "slot", 's', ARG_TEXT, "FILTER", NULL,
				"only functions at [[domain:]bus:][dev][.fn], as lspci -s" },
		[LIST_ID] = { "id", 'd', ARG_TEXT, "FILTER", NULL,
			      "only functions of [vendor]:[device][:class], as lspci -d" }),
	.table = &list_table,
	.run = run_list,
};
