// SPDX-License-Identifier: GPL-2.0-or-later
/* info: VFIO's five indexes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cmd/info.h"
#include "host/group-holder.h"

static const struct table index_table = {
	.array = "irqs",
	TABLE_COLUMNS({ "VFIO", "index", CELL_TEXT, "intx, msi, msix, err or req", false },
		      { "COUNT", "count", CELL_NUMBER, "vectors that VFIO offers", false },
		      { "FLAGS", "flags", CELL_LIST, "VFIO_IRQ_INFO_*", false },
		      { "MEANS", "note", CELL_TEXT, "the flags in words", false }),
};

static void holder(struct info *i, const struct error *why)
{
	node *doc = out_doc(i->s->out), *o;
	struct group_holder h = { 0 };

	if (why->cause != CAUSE_BUSY || i->f.group < 0)
		return;
	group_holder(&i->s->root, i->f.group, &h);
	if (h.pid <= 0)
		return;
	o = doc_object(doc, "holder");
	doc_number(o, "pid", (uint64_t)h.pid);
	doc_text(o, "command", h.comm);
}

/* A refusal is an answer: info goes on with what can be seen from outside. */
void info_open(struct info *i, const char *spec, bool allowed)
{
	struct open_request req = { .spec = spec,
				    .backends = i->s->backends,
				    .root = &i->s->root,
				    .trace = &i->s->trace,
				    .noiommu = i->s->globals.noiommu,
				    .timeout_us = i->s->globals.timeout_us };
	struct loop *loop;

	if (!allowed) {
		fail(&i->why, CAUSE_NONE, 0, "--no-open was given");
		return;
	}
	loop = session_loop(i->s, &i->why);
	if (!loop)
		return;
	i->opened = device_open(&i->device, &req, loop, NULL, &i->why) == 0;
	if (!i->opened)
		i->device = NULL;
	else if (i->addressed)
		out_note(i->s->out,
			 "%s was idle on vfio-pci and is opened for a moment, which resets it",
			 i->device->name);
}

/* Indexes of one vector. */
static const char *const single[NR_IRQ_INDEX] = {
	[IRQ_INTX] = "nothing is said of masking it when it fires",
	[IRQ_ERR] = "signals PCIe errors",
	[IRQ_REQ] = "signals that the device is wanted back",
};

/* What the flags come to for somebody who wants vectors. */
static const char *meaning(enum irq_index index, const struct index *ix)
{
	if (!ix->present)
		return index == IRQ_ERR && ix->device->ops->err_is_pcie ? "not PCIe"
									: "not offered";
	if (!ix->info.count)
		return "the device has none";
	if (ix->info.flags & IRQ_AUTOMASKED)
		return "level: masked when it fires, until unmask";
	if (index == IRQ_MSI || index == IRQ_MSIX)
		return ix->info.flags & IRQ_NORESIZE ? "can't grow while vectors are armed"
						     : "grows while vectors are armed";
	return single[index];
}

static void doc_flags(node *row, uint32_t flags)
{
	node *array = doc_array(row, "flags");

	for (unsigned int bit = 0; bit < 32; bit++) {
		const char *word = irq_flag_word(bit);
		char unknown[16];

		if (!(flags >> bit & 1))
			continue;
		snprintf(unknown, sizeof(unknown), "BIT%u", bit);
		doc_push_text(array, word ? word : unknown);
	}
}

static void doc_index(node *array, const struct index *ix, enum irq_index index)
{
	node *row = doc_row(array);

	doc_text(row, "index", irq_index_word(index));
	doc_number_if(row, "count", ix->present, ix->info.count);
	doc_flags(row, ix->info.flags);
	doc_text(row, "note", meaning(index, ix));
}

int info_indexes(struct info *i)
{
	node *doc = out_doc(i->s->out), *array = doc_array(doc, "irqs");

	if (!i->device) {
		info_because(i, "vfio     not asked for its indexes", "irqs_reason", "irqs_hint",
			     &i->why);
		holder(i, &i->why);
		return 0;
	}
	for (unsigned int x = 0; x < NR_IRQ_INDEX; x++)
		doc_index(array, &i->device->irq[x], x);
	out_text(i->s->out, "%s", "");
	return out_table(i->s->out, &index_table);
}
