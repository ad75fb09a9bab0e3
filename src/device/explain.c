// SPDX-License-Identifier: GPL-2.0-or-later
/* Why a SET_IRQS failed, by the kernel's word or by a peer's. */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <stdio.h>

#include "base/util.h"
#include "device/internal.h"

static int explain_short(const struct device *d, const struct irq_set *set, unsigned int granted,
			 struct change *c, struct error *e)
{
	unsigned int asked = set->start + set->count;
	const char *word = irq_index_word(set->index);

	c->granted = granted;
	fail(e, CAUSE_SHORT, 0, "the %s grants %u of %u %s vectors, nothing was enabled",
	     d->ops->grantor, granted, asked, word);
	hint(e, "enable %s %u", word, granted);
	return -ENOSPC;
}

static int explain_nospace(struct device *d, const struct irq_set *set, struct error *e)
{
	const char *word = irq_index_word(set->index);
	unsigned int live = vector_set_count(&d->irq[set->index].allocated);

	fail(e, CAUSE_SHORT, ENOSPC, "the %s has no interrupt vectors left for %s %u-%u",
	     d->ops->grantor, word, set->start, set->start + set->count - 1);
	if (!d->ops->host_irqs)
		hint(e, "ask for fewer");
	else if (live)
		hint(e,
		     "ask for fewer; resize %s COUNT --release gives back IRQs that are allocated but not armed",
		     word);
	else
		hint(e, "ask for fewer, or: probe");
	return -ENOSPC;
}

/*
 * drivers/vfio/pci/vfio_pci_intrs.c passes on what the interrupt core returns, ENODEV among others.
 */
static int explain_kernel(struct device *d, const char *what, int rc, struct error *e)
{
	bool gone = rc == -ENODEV || rc == -EIO || rc == -ENOTCONN || rc == -ENXIO;
	uint16_t vendor;

	if (!gone)
		return fail(e, CAUSE_FAILED, -rc, "%s was refused", what);
	if (!device_answers(d, &vendor))
		return fail(e, CAUSE_NO_DEVICE, -rc, "the device does not answer any more");
	fail(e, CAUSE_FAILED, -rc,
	     "%s was refused, although the device is there and its registers read well (vendor 0x%04x): the kernel "
	     "could not set up the interrupts",
	     what, vendor);
	hint(e,
	     "dmesg | tail   shows what the kernel said; the same command may work when it is repeated");
	return rc;
}

static int explain_refusal(struct device *d, const struct irq_set *set, int rc, struct error *e)
{
	struct error why;
	char text[256], what[300] = "SET_IRQS ";

	irq_set_text(set, text, sizeof(text));
	append(what, sizeof(what), "%s", text);
	if (d->ops->explain)
		d->ops->explain(d->handle, rc, what, e);
	else
		explain_kernel(d, what, rc, e);
	if (rc == -EINVAL && (d->ops->decode_first ? device_memory_on(d, &why)
						   : device_awake(d, set->index, &why))) {
		append(e->message, sizeof(e->message), ": %s", why.message);
		copy_text(e->hint, sizeof(e->hint), why.hint);
	}
	return rc;
}

/* A set of several messages: which failed, and what became of those before it. */
static struct irq_set failed_part(const struct irq_set *set, const struct set_outcome *o)
{
	struct irq_set part = *set;
	struct vector_set range = { .bits = { 0 } };

	part.start = o->start;
	part.count = o->count;
	vector_set_add_range(&range, o->start, o->count);
	part.attach = vector_set_and(&set->attach, &range);
	return part;
}

static void append_undone(const struct set_outcome *o, struct error *e)
{
	char text[96];

	if (vector_set_empty(&o->armed))
		return;
	append(e->message, sizeof(e->message), "; %s, armed before it, %s",
	       vector_set_text(&o->armed, text, sizeof(text)),
	       o->released ? "were released again" : "may stay with the peer");
}

/* Of an eventfd that is taken off, of MASK or of a loopback trigger ENOSPC says something else. */
static bool asks_for_vectors(const struct irq_set *set)
{
	return set->action == IRQ_ACTION_TRIGGER && set->data == IRQ_DATA_EVENTFD &&
	       !vector_set_empty(&set->attach);
}

int explain_set(struct device *d, const struct irq_set *set, int rc, struct change *c,
		struct error *e)
{
	struct irq_set part = failed_part(set, &c->outcome);
	int lost;

	if (rc > 0)
		return explain_short(d, set, (unsigned int)rc, c, e);
	lost = device_lost(d, "SET_IRQS", e);
	if (lost)
		return lost;
	if (rc == -ENOSPC && asks_for_vectors(set))
		rc = explain_nospace(d, &part, e);
	else
		rc = explain_refusal(d, &part, rc, e);
	append_undone(&c->outcome, e);
	return rc;
}
