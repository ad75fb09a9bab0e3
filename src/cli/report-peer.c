// SPDX-License-Identifier: GPL-2.0-or-later
/* What a change did to registers that a vfio-user peer leaves to its client. */
#include "base/util.h"
#include "cli/vectors.h"
#include "cli/report.h"

static void note_ready(struct out *o, const char *word, const struct change *c)
{
	char text[96];
	bool unmasked = !vector_set_empty(&c->unmasked);

	vector_set_text(&c->unmasked, text, sizeof(text));
	if (c->enable_written)
		out_note(
			o,
			"%s: the peer left Enable clear in the device: msictl set it%s%s; disabling puts it back",
			word, unmasked ? " and unmasked " : "", unmasked ? text : "");
	else if (unmasked)
		out_note(
			o,
			"%s: the peer left %s masked in the device: msictl unmasked them; disabling puts it back",
			word, text);
	if (c->enable_clear)
		out_note(
			o,
			"warning: %s: Enable stays clear in the device, although msictl wrote it: what the device "
			"raises "
			"may arrive as INTx, and the count of vector 0 may be INTx",
			word);
	if (!vector_set_empty(&c->still_masked))
		out_note(o,
			 "warning: %s %s: still masked in the device, although armed and written",
			 word, vector_set_text(&c->still_masked, text, sizeof(text)));
}

static void note_unseen(struct out *o, struct device *d, enum irq_index index,
			const struct change *c)
{
	struct vector_set armed = device_armed(d, index), masked;
	const char *word = irq_index_word(index);
	struct error why = { 0 };
	char text[96];

	if (!c->masks_unseen || device_masks_read(d, index, &armed, &masked, &why) == 0)
		return;
	out_note(o, "warning: %s %s: whether they are unmasked in the device can't be seen: %s",
		 word, vector_set_text(&armed, text, sizeof(text)), why.message);
	if (why.hint[0])
		out_note(o, "hint: %s; unmask %s %s --by %s", why.hint, word, text,
			 index == IRQ_MSIX ? "table" : "bits");
}

void report_peer(struct out *o, struct device *d, enum irq_index index, const struct change *c)
{
	const char *word = irq_index_word(index);
	node *doc = out_doc(o);

	if (d->ops->kernel_registers || (index != IRQ_MSI && index != IRQ_MSIX))
		return;
	doc_bool(doc, "enable_written", c->enable_written);
	doc_vectors(doc, "unmasked_in_device", &c->unmasked);
	doc_vectors(doc, "still_masked_in_device", &c->still_masked);
	doc_bool(doc, "device_masks_seen", !c->masks_unseen);
	doc_bool(doc, "registers_put_back", c->cap_put_back);
	note_ready(o, word, c);
	if (d->handle)
		note_unseen(o, d, index, c);
	if (c->cap_put_back)
		out_note(o, "%s: Enable and the masks %s back in the device", word,
			 d->trace->dry_run ? "would be put" : "were put");
	if (c->cap_left)
		out_note(
			o,
			"warning: %s: Enable or masks that msictl wrote could not be put back in the device",
			word);
}
