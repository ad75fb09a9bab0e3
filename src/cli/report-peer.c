// SPDX-License-Identifier: GPL-2.0-or-later
/* What a change did to registers that a vfio-user peer leaves to its client. */
#include "base/util.h"
#include "cli/vectors.h"
#include "cli/report.h"

static const struct line lines[] = {
	{ LINE_PART,
	  "{enable_written?{word}: the peer left Enable clear in the device: msictl set it}" },
	{ LINE_NOTE,
	  "{enable_written?{unmasked_in_device? and unmasked {}}; disabling puts it back}" },
	{ LINE_PART,
	  "{enable_written!{unmasked_in_device?{word}: the peer left {} masked in the }}" },
	{ LINE_PART, "{enable_written!{unmasked_in_device?device: msictl unmasked them; }}" },
	{ LINE_NOTE, "{enable_written!{unmasked_in_device?disabling puts it back}}" },
	{ LINE_PART,
	  "{enable_clear?warning: {word}: Enable stays clear in the device, although }" },
	{ LINE_PART,
	  "{enable_clear?msictl wrote it: what the device raises may arrive as INTx, and }" },
	{ LINE_NOTE, "{enable_clear?the count of vector 0 may be INTx}" },
	{ LINE_PART, "{still_masked_in_device?warning: {word} {}: still masked in the device, }" },
	{ LINE_NOTE, "{still_masked_in_device?although armed and written}" },
	{ LINE_PART,
	  "{unseen?warning: {word} {armed_now}: whether they are unmasked in the device }" },
	{ LINE_NOTE, "{unseen?can't be seen: {}}" },
	{ LINE_NOTE,
	  "{unseen_hint?hint: {}; unmask {word} {armed_now} --by {bits?bits}{bits!table}}" },
	{ LINE_PART, "{registers_put_back?{word}: Enable and the masks {dry?would be put}}" },
	{ LINE_NOTE, "{registers_put_back?{dry!were put} back in the device}" },
	{ LINE_PART,
	  "{cap_left?warning: {word}: Enable or masks that msictl wrote could not be put }" },
	{ LINE_NOTE, "{cap_left?back in the device}" },
};

static void aside_peer(node *aside, struct device *d, enum irq_index index, const struct change *c)
{
	struct vector_set armed = device_armed(d, index), masked;
	struct error why = { 0 };
	bool unseen = d->handle && c->masks_unseen &&
		      device_masks_read(d, index, &armed, &masked, &why);

	doc_bool(aside, "dry", d->trace->dry_run);
	doc_text(aside, "word", irq_index_word(index));
	doc_bool(aside, "bits", index == IRQ_MSI);
	doc_vectors(aside, "armed_now", &armed);
	doc_bool(aside, "enable_clear", c->enable_clear);
	doc_line(aside, "unseen", unseen ? why.message : NULL);
	doc_line(aside, "unseen_hint", unseen && why.hint[0] ? why.hint : NULL);
	doc_bool(aside, "cap_left", c->cap_left);
}

void report_peer(struct out *o, struct device *d, enum irq_index index, const struct change *c)
{
	node *doc = out_doc(o);

	if (d->ops->kernel_registers || (index != IRQ_MSI && index != IRQ_MSIX))
		return;
	doc_bool(doc, "enable_written", c->enable_written);
	doc_vectors(doc, "unmasked_in_device", &c->unmasked);
	doc_vectors(doc, "still_masked_in_device", &c->still_masked);
	doc_bool(doc, "device_masks_seen", !c->masks_unseen);
	doc_bool(doc, "registers_put_back", c->cap_put_back);
	aside_peer(out_aside(o), d, index, c);
	out_lines(o, doc, lines, ARRAY_SIZE(lines));
}
