// SPDX-License-Identifier: GPL-2.0-or-later
/* Holding vectors back by what the device and VFIO offer. */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "device/internal.h"

static const char *const way_words[NR_MASK_WAY] = {
	[MASK_NOT] = "none",  [MASK_ACTION] = "action",	  [MASK_TABLE] = "table",
	[MASK_BITS] = "bits", [MASK_EVENTFD] = "eventfd",
};

const char *mask_way_word(enum mask_way way)
{
	return (size_t)way < ARRAY_SIZE(way_words) ? way_words[way] : "?";
}

static int mask_table(struct device *d, unsigned int vector, bool mask, struct error *e)
{
	uint32_t was = 0, now;
	uint64_t begin;
	char text[64];
	int rc = device_table_reach(d, e);

	if (rc == 0)
		rc = device_table_check(d, vector, e);
	if (rc)
		return rc;
	if (device_entry_read(d, vector, 3, &was, 1))
		return device_table_fault(d, e);
	device_cap_touch(d, IRQ_MSIX, vector, was & PCI_MSIX_ENTRY_CTRL_MASKBIT);
	now = mask ? was | PCI_MSIX_ENTRY_CTRL_MASKBIT
		   : was & ~(uint32_t)PCI_MSIX_ENTRY_CTRL_MASKBIT;
	snprintf(text, sizeof(text), "table vector=%u control=0x%x", vector, now);
	if (trace_would(d->trace, "store", text))
		return 0;
	begin = now_us();
	if (device_entry_control(d, vector, now) || device_entry_read(d, vector, 3, &was, 1))
		return device_table_fault(d, e);
	if (d->table)
		trace_call(d->trace, "store", text, 0, now_us() - begin);
	if (was == now)
		return 0;
	return fail(e, CAUSE_FAILED, EIO,
		    "msix %u: vector control reads 0x%x after 0x%x was written", vector, was, now);
}

static int mask_bits(struct device *d, unsigned int vector, bool mask, struct error *e)
{
	const struct msi_cap *m = &d->caps.msi;
	uint32_t bit = 1u << vector, bits;
	uint8_t raw[4];
	ssize_t n;

	if (!d->caps.has_msi || !m->maskable)
		return fail(e, CAUSE_FAILED, EOPNOTSUPP,
			    "the MSI capability has no per-vector mask bits");
	if (vector >= m->capable)
		return fail(e, CAUSE_USAGE, 0, "the MSI capability has %u mask bits", m->capable);
	n = d->ops->region_read(d->handle, REGION_CONFIG, raw, sizeof(raw), m->mask_pos);
	if (n != sizeof(raw))
		return device_region_failed(d, n, "the MSI mask bits can't be read", e);
	device_cap_touch(d, IRQ_MSI, vector, le32(raw) & bit);
	bits = mask ? le32(raw) | bit : le32(raw) & ~bit;
	for (unsigned int i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)(bits >> (8 * i));
	if (device_would_write(d, REGION_CONFIG, m->mask_pos, raw, sizeof(raw)))
		return 0;
	n = d->ops->region_write(d->handle, REGION_CONFIG, raw, sizeof(raw), m->mask_pos);
	if (n != sizeof(raw))
		return device_region_failed(d, n, "the MSI mask bits can't be written", e);
	n = d->ops->region_read(d->handle, REGION_CONFIG, raw, sizeof(raw), m->mask_pos);
	if (n != sizeof(raw))
		return device_region_failed(d, n, "the MSI mask bits can't be read", e);
	if ((le32(raw) & bit) == (bits & bit))
		return 0;
	return fail(e, CAUSE_FAILED, EIO, "msi %u: the mask bits read 0x%x after 0x%x was written",
		    vector, le32(raw), bits);
}

static const char *action_word(bool mask)
{
	return mask ? "MASK" : "UNMASK";
}

static int act(struct device *d, enum irq_index index, unsigned int start, unsigned int count,
	       bool mask, struct error *e)
{
	struct irq_set set = { .index = index,
			       .action = mask ? IRQ_ACTION_MASK : IRQ_ACTION_UNMASK,
			       .data = IRQ_DATA_NONE,
			       .start = start,
			       .count = count };
	const char *word = irq_index_word(index);
	struct change c = { 0 };
	int rc = device_send(d, &set, &c);

	if (rc != -ENOTTY)
		return rc ? explain_set(d, &set, rc, &c, e) : 0;
	fail(e, CAUSE_FAILED, ENOTTY, "the %s has no %s for %s", d->ops->keeper, action_word(mask),
	     word);
	hint(e, "%s %s %u --by %s", mask ? "mask" : "unmask", word, start,
	     index == IRQ_MSIX ? "table" : "eventfd");
	return rc;
}

static int mask_action(struct device *d, enum irq_index index, unsigned int vector, bool mask,
		       struct error *e)
{
	return act(d, index, vector, 1, mask, e);
}

/* Whether MASK and UNMASK of @index act on the device: the kernel has them for INTx alone. */
static bool by_peer(const struct device *d, enum irq_index index)
{
	return !d->ops->kernel_registers && is_message(index);
}

static int act_on_runs(struct device *d, enum irq_index index, const struct vector_set *which,
		       bool mask, struct error *e)
{
	unsigned int start = 0, count = 0;
	int rc = 0;

	while (rc == 0 && vector_set_next_run(which, start + count, &start, &count))
		rc = act(d, index, start, count, mask, e);
	return rc;
}

/*
 * The action on MSI or MSI-X of a peer: the kernel has none for them. libvfio-user answers with
 * success and does nothing; QEMU's server masks only from start to below count. So the mask bits of
 * the device are read back, and what they deny is taken back and not believed.
 */
static int act_and_look(struct device *d, enum irq_index index, const struct vector_set *which,
			bool mask, struct error *e)
{
	const char *word = irq_index_word(index), *verb = mask ? "mask" : "unmask";
	struct vector_set masked, wrong;
	struct error ignored;
	char text[96];
	int rc = act_on_runs(d, index, which, mask, e);

	if (rc || d->trace->dry_run || device_masks_read(d, index, which, &masked, &ignored))
		return rc;
	wrong = mask ? vector_set_minus(which, &masked) : masked;
	if (vector_set_empty(&wrong))
		return 0;
	act_on_runs(d, index, which, !mask, &ignored);
	vector_set_text(&wrong, text, sizeof(text));
	rc = fail(e, CAUSE_FAILED, 0,
		  "the peer accepted %s, but %s %s still %s %smasked in the device",
		  action_word(mask), word, text, vector_set_count(&wrong) == 1 ? "reads" : "read",
		  mask ? "un" : "");
	hint(e, "%s %s %s --by %s", verb, word, text, index == IRQ_MSIX ? "table" : "bits");
	return rc;
}

/*
 * VFIO's handler of a level interrupt stays while the eventfd is off, and what came meanwhile left
 * the line masked (measured): a new eventfd alone would never hear it.
 */
int device_line_on(struct device *d, enum irq_index index, const struct vector_set *attached,
		   bool was_on, struct error *e)
{
	const uint32_t needed = IRQ_AUTOMASKED | IRQ_MASKABLE;

	if (!was_on || vector_set_empty(attached) || (d->irq[index].info.flags & needed) != needed)
		return 0;
	return mask_action(d, index, 0, false, e);
}

static int mask_eventfd(struct device *d, enum irq_index index, unsigned int vector, bool mask,
			struct error *e)
{
	struct vector_set one = { .bits = { 0 } };
	struct irq_set set = {
		.index = index, .data = IRQ_DATA_EVENTFD, .start = vector, .count = 1
	};
	struct change c = { 0 };
	int rc = device_awake(d, index, e);

	if (rc)
		return rc;
	vector_set_add(&one, vector);
	if (!mask) {
		set.attach = one;
		rc = device_ready(d, index, &one, &c, e);
		if (rc)
			return rc;
	}
	rc = device_send(d, &set, &c);
	if (rc)
		return explain_set(d, &set, rc, &c, e);
	if (!mask && is_message(index))
		device_cap_ready(d, index, &one, &c);
	return mask ? 0 : device_line_on(d, index, &one, true, e);
}

enum mask_way device_mask_way(struct device *d, enum irq_index index)
{
	struct error ignored;

	if (d->irq[index].info.flags & IRQ_MASKABLE)
		return MASK_ACTION;
	if (index == IRQ_MSIX && device_table_reach(d, &ignored) == 0)
		return MASK_TABLE;
	if (index == IRQ_MSI && d->caps.has_msi && d->caps.msi.maskable)
		return MASK_BITS;
	return MASK_EVENTFD;
}

static int check_way(enum irq_index index, enum mask_way way, struct error *e)
{
	static const struct {
		enum mask_way way;
		enum irq_index index;
	} only[] = { { MASK_TABLE, IRQ_MSIX }, { MASK_BITS, IRQ_MSI } };

	for (size_t i = 0; i < ARRAY_SIZE(only); i++)
		if (only[i].way == way && only[i].index != index)
			return fail(e, CAUSE_USAGE, 0, "--by %s is for %s, not for %s",
				    mask_way_word(way), irq_index_word(only[i].index),
				    irq_index_word(index));
	return 0;
}

static int mask_one(struct device *d, enum irq_index index, unsigned int vector, enum mask_way way,
		    bool mask, struct error *e)
{
	struct vector *v = d->irq[index].vector[vector];
	int rc = 0;

	if (way == MASK_ACTION)
		rc = mask_action(d, index, vector, mask, e);
	else if (way == MASK_TABLE)
		rc = mask_table(d, vector, mask, e);
	else if (way == MASK_BITS)
		rc = mask_bits(d, vector, mask, e);
	else if (way == MASK_EVENTFD)
		rc = mask_eventfd(d, index, vector, mask, e);
	if (rc == 0)
		v->masked = mask ? way : MASK_NOT;
	return rc;
}

static int mask_by_peer(struct device *d, enum irq_index index, const struct vector_set *which,
			bool mask, struct error *e)
{
	unsigned int v;
	int rc = vector_set_empty(which) ? 0 : act_and_look(d, index, which, mask, e);

	for_each_vector (v, which)
		if (rc == 0)
			d->irq[index].vector[v]->masked = mask ? MASK_ACTION : MASK_NOT;
	return rc;
}

/* Only vectors that are armed, or that were when the eventfd was taken off, can be held back. */
static int check_maskable(struct device *d, enum irq_index index, const struct vector_set *which,
			  struct error *e)
{
	struct vector_set armed = device_armed(d, index), held = device_masked(d, index), other;
	char text[VECTOR_SET_ROOM];
	int rc;

	other = vector_set_minus(which, &armed);
	other = vector_set_minus(&other, &held);
	if (vector_set_empty(&other))
		return 0;
	rc = fail(e, CAUSE_FAILED, 0, "%s %s not armed", irq_index_word(index),
		  vector_set_text(&other, text, sizeof(text)));
	hint(e, "enable %s %s", irq_index_word(index),
	     vector_set_operand(&other, text, sizeof(text)));
	return rc;
}

/* Held back by two means, a vector would come back with the second and stay away for the first. */
static int check_held(struct device *d, enum irq_index index, const struct vector_set *which,
		      enum mask_way way, bool mask, struct error *e)
{
	const char *word = irq_index_word(index);
	unsigned int v;

	for_each_vector (v, which) {
		enum mask_way held = d->irq[index].vector[v]->masked;
		int rc;

		if (way == MASK_NOT || held == MASK_NOT || held == way)
			continue;
		/* What a peer's MASK does is done to the mask bits, if it does anything. */
		if (!mask && held == MASK_ACTION && by_peer(d, index) && way != MASK_EVENTFD)
			continue;
		rc = fail(e, CAUSE_FAILED, 0, "%s %u is masked by %s%s%s", word, v,
			  mask_way_word(held), mask ? " already" : ", not by ",
			  mask ? "" : mask_way_word(way));
		hint(e, "unmask %s %u", word, v);
		return rc;
	}
	return 0;
}

/* MASK_NOT: nothing is to be done. */
static enum mask_way means(struct device *d, enum irq_index index, enum mask_way held,
			   enum mask_way way, bool mask)
{
	if (held != MASK_NOT && (mask || way == MASK_NOT))
		return mask ? MASK_NOT : held;
	if (way != MASK_NOT)
		return way;
	way = device_mask_way(d, index);
	/* It has its eventfd; a new one could lose what comes meanwhile. */
	return !mask && way == MASK_EVENTFD ? MASK_NOT : way;
}

int device_mask(struct device *d, enum irq_index index, const struct vector_set *which,
		enum mask_way way, bool mask, struct error *e)
{
	struct vector_set acted = { .bits = { 0 } };
	unsigned int vector;
	int rc;

	if (!device_index(d, index, e))
		return -ENODEV;
	rc = device_keeps(d, index, e);
	if (rc == 0)
		rc = check_way(index, way, e);
	if (rc == 0)
		rc = check_maskable(d, index, which, e);
	if (rc == 0)
		rc = check_held(d, index, which, way, mask, e);
	if (rc)
		return rc;
	for_each_vector (vector, which) {
		enum mask_way use =
			means(d, index, d->irq[index].vector[vector]->masked, way, mask);

		if (use == MASK_ACTION && by_peer(d, index))
			vector_set_add(&acted, vector);
		else if (use != MASK_NOT)
			rc = mask_one(d, index, vector, use, mask, e);
		if (rc)
			return rc;
	}
	return mask_by_peer(d, index, &acted, mask, e);
}

void device_unmask_all(struct device *d)
{
	struct error e;

	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++) {
		struct vector_set held = device_masked(d, i);
		bool left = false;
		unsigned int v;

		for_each_vector (v, &held) {
			enum mask_way way = d->irq[i].vector[v]->masked;

			/*
			 * A detached eventfd goes with the descriptor, the kernel's MASK as well.
			 */
			if (way == MASK_EVENTFD || (way == MASK_ACTION && !by_peer(d, i)))
				continue;
			if (mask_one(d, i, v, way, false, &e))
				left = true;
		}
		if (left)
			device_left(d, "masks", e.err ? e.err : EIO);
	}
}
