// SPDX-License-Identifier: GPL-2.0-or-later
/* mask, unmask */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "cli/vectors.h"
#include "cli/report.h"
#include "cli/session.h"
#include "cmd/all.h"
#include "device/handle.h"

enum {
	MASK_BY
};

/* The order of choices in the rows below. */
static const enum mask_way ways[] = { MASK_ACTION, MASK_TABLE, MASK_BITS, MASK_EVENTFD };

static const char *const way_help[NR_MASK_WAY] = {
	[MASK_ACTION] = "VFIO's own action",
	[MASK_TABLE] = "vector control in the MSI-X table; pending bits are kept by the device",
	[MASK_BITS] = "the MSI capability's mask bits; pending bits are kept by the device",
};

/* Without a handler the kernel masks the vector in the device, where that can be done. */
static const char *const eventfd_help[NR_IRQ_INDEX] = {
	[IRQ_INTX] =
		"the eventfd is taken off; a level that is still up then fires when it is back",
	[IRQ_MSI] =
		"the eventfd is taken off; edges meanwhile are lost, the capability has no mask bits",
	[IRQ_MSIX] = "the eventfd is taken off; an edge meanwhile stays pending in the device",
	[IRQ_ERR] = "the eventfd is taken off; errors meanwhile are not signalled",
};

/* The kernel's, whose ways were measured. */
static const char *kernel_help(const struct device *d, enum irq_index index, enum mask_way way)
{
	if (way != MASK_EVENTFD)
		return way_help[way];
	if (index == IRQ_MSI && d->caps.has_msi && d->caps.msi.maskable)
		index = IRQ_MSIX;
	return eventfd_help[index];
}

/* What became of the vectors that a command named, so far as a peer's device shows it. */
enum seen {
	SEEN_NOT,  /* the mask bits can't be read, or there are none */
	SEEN_NONE, /* not all of them read masked */
	SEEN_ALL,
	NR_SEEN,
	SEEN_BACK = NR_SEEN, /* no matter: the eventfd is there again */
};

/*
 * A peer may do with an edge, a level or a MASK what it likes: no more is said than its device
 * shows.
 */
static const char *const peer_help[NR_MASK_WAY][NR_SEEN] = {
	[MASK_ACTION] = { "the peer accepted it; whether it holds can't be seen",
			  "the mask bits of the device say so",
			  "the mask bits of the device say so" },
	[MASK_TABLE] = { "vector control in the MSI-X table, read back" },
	[MASK_BITS] = { "the MSI capability's mask bits, read back" },
	[MASK_EVENTFD] = { "the eventfd is taken off; whether an edge meanwhile is kept can't be seen",
			   "the eventfd is taken off; "
			   "not all of them read masked in the device, so an edge meanwhile may be lost",
			   "the eventfd is taken off; "
			   "they read masked in the device, so an edge meanwhile stays pending in the device" },
};

static const char *help_of(const struct device *d, enum irq_index index, enum mask_way way,
			   enum seen seen)
{
	if (way == MASK_EVENTFD && seen == SEEN_BACK)
		return "the eventfd is given again";
	if (d->ops->kernel_registers)
		return kernel_help(d, index, way);
	if (way == MASK_EVENTFD && index == IRQ_ERR)
		return eventfd_help[index];
	if (way == MASK_EVENTFD && index == IRQ_INTX)
		return "the eventfd is taken off; "
		       "whether a level that is still up fires when it is back is up to the peer";
	return peer_help[way][seen] ?: peer_help[way][SEEN_NOT];
}

/*
 * Which of @which read masked in a peer's device, as the document tells: null where that can't be
 * seen.
 */
static enum seen look(struct session *s, enum irq_index index, const struct vector_set *which)
{
	struct device *d = s->device;
	struct vector_set masked, open;
	struct error why;

	if (d->ops->kernel_registers || (index != IRQ_MSI && index != IRQ_MSIX))
		return SEEN_NOT;
	if (s->trace.dry_run || device_masks_read(d, index, which, &masked, &why)) {
		doc_null(out_doc(s->out), "masked_in_device");
		return SEEN_NOT;
	}
	doc_vectors(out_doc(s->out), "masked_in_device", &masked);
	open = vector_set_minus(which, &masked);
	return vector_set_empty(&open) ? SEEN_ALL : SEEN_NONE;
}

static enum mask_way chosen(struct device *d, enum irq_index index, const struct value *by,
			    bool mask, const struct vector_set *which)
{
	struct vector_set held = device_masked(d, index), free = vector_set_minus(which, &held);
	unsigned int v;

	if (by->given)
		return ways[by->number];
	if (mask && !vector_set_empty(&free))
		return device_mask_way(d, index);
	held = vector_set_and(&held, which);
	for_each_vector (v, &held)
		return d->irq[index].vector[v]->masked;
	return device_mask_way(d, index);
}

/* What is masked by its eventfd is not armed, and meant by "all". */
static int resolve(struct device *d, enum irq_index index, const struct value *v,
		   struct vector_set *which, struct error *e)
{
	struct vector_set armed = device_armed(d, index), held = device_masked(d, index);

	if (v->word != VECTORS_ALL || vector_set_empty(&held))
		return resolve_armed(d, index, v, which, e);
	*which = vector_set_or(&armed, &held);
	return 0;
}

static int run_mask(struct session *s, const struct args *a, struct error *e)
{
	bool mask = a->command == &cmd_mask;
	enum irq_index index = a->param[1].index;
	struct vector_set which, pending = { .bits = { 0 } };
	char text[128], held[128];
	enum mask_way way;
	enum seen seen;
	node *doc;
	int rc;

	rc = resolve(s->device, index, &a->param[2], &which, e);
	if (rc)
		return rc;
	way = chosen(s->device, index, &a->option[MASK_BY], mask, &which);
	rc = device_mask(s->device, index, &which, a->option[MASK_BY].given ? way : MASK_NOT, mask,
			 e);
	if (rc)
		return rc;
	device_drain(s->device);
	doc = out_doc(s->out);
	doc_text(doc, "command", a->command->word);
	doc_text(doc, "index", irq_index_word(index));
	doc_vectors(doc, "vectors", &which);
	doc_text(doc, "by", mask_way_word(way));
	seen = look(s, index, &which);
	if (!mask && way == MASK_EVENTFD)
		seen = SEEN_BACK;
	which = device_masked(s->device, index);
	doc_vectors(doc, "masked", &which);
	out_text(s->out, "%s: %s%sed %s by %s (%s); masked %s: %s", irq_index_word(index),
		 s->trace.dry_run ? "would be " : "", a->command->word, a->param[2].text,
		 mask_way_word(way), help_of(s->device, index, way, seen),
		 s->trace.dry_run ? "then" : "now", vector_set_text(&which, held, sizeof(held)));
	if (mask && device_pending(s->device, index, &pending, &(struct error){ 0 }) == 0) {
		doc_vectors(doc, "pending", &pending);
		if (!vector_set_empty(&pending))
			out_text(s->out, "%s: pending %s", irq_index_word(index),
				 vector_set_text(&pending, text, sizeof(text)));
	}
	return 0;
}

#define MASK_WORDS                                                                              \
	COMMAND_PARAMS({ .type = ARG_DEVICE }, { .type = ARG_INDEX }, { .type = ARG_VECTORS }), \
		COMMAND_OPTIONS(                                                                \
			[MASK_BY] = {                                                           \
				"by", 0, ARG_CHOICE, "WAY", "action|table|bits|eventfd",        \
				"the means, instead of the best that index and device offer" })

const struct command cmd_mask = {
	.word = "mask",
	.summary = "hold vectors back",
	.help = "intx is masked by VFIO's action, msix by vector control in the device's table (mapped), msi by the capability's mask bits where it has them, anything by taking the eventfd off. "
		"The means chosen is printed; --by picks one.\n"
		"A loopback trigger signals a masked vector all the same: "
		"the kernel signals the eventfd, not the device.",
	.family = FAMILY_CHANGE,
	.flags = CMD_OPENS | CMD_CHANGES | CMD_LIVE_HOST,
	MASK_WORDS,
	.run = run_mask,
};

const struct command cmd_unmask = {
	.word = "unmask",
	.summary = "let masked vectors go, by the means they were masked with",
	.family = FAMILY_CHANGE,
	.flags = CMD_OPENS | CMD_CHANGES | CMD_LIVE_HOST,
	MASK_WORDS,
	.run = run_mask,
};
