// SPDX-License-Identifier: GPL-2.0-or-later
/* What is known of an opened device, without a word to the back end. */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "device/internal.h"

struct vector_set device_armed(const struct device *d, enum irq_index index)
{
	const struct index *ix = &d->irq[index];
	struct vector_set s = { 0 };

	for (unsigned int v = 0; ix->vector && v < ix->info.count; v++)
		if (ix->vector[v] && ix->vector[v]->armed)
			vector_set_add(&s, v);
	return s;
}

struct vector_set device_masked(const struct device *d, enum irq_index index)
{
	const struct index *ix = &d->irq[index];
	struct vector_set s = { 0 };

	for (unsigned int v = 0; ix->vector && v < ix->info.count; v++)
		if (ix->vector[v] && ix->vector[v]->masked != MASK_NOT)
			vector_set_add(&s, v);
	return s;
}

int device_here(const struct device *d, struct error *e)
{
	int rc;

	if (d->handle)
		return 0;
	rc = fail(e, d->gone_cause ? d->gone_cause : CAUSE_NO_DEVICE, ENODEV, "%s",
		  d->gone ? d->gone : "the device is no longer open");
	hint(e, "reopen   once it is back");
	return rc;
}

struct index *device_index(struct device *d, enum irq_index index, struct error *e)
{
	struct index *ix = &d->irq[index];
	const char *word = irq_index_word(index);

	if (device_here(d, e))
		return NULL;
	if (ix->present && ix->info.count > 0)
		return ix;
	if (!ix->present && index == IRQ_ERR && d->ops->err_is_pcie)
		fail(e, CAUSE_FAILED, 0, "the device has no err: it is not PCI Express");
	else
		fail(e, CAUSE_FAILED, 0, "the device has no %s", word);
	return NULL;
}

void device_state(const struct device *d, enum irq_index index, struct irq_state *st)
{
	const struct index *ix = &d->irq[index];

	*st = (struct irq_state){ .index = index,
				  .count = ix->info.count,
				  .flags = ix->info.flags,
				  .enabled = ix->enabled,
				  .allocated = ix->allocated,
				  .armed = device_armed(d, index) };
}

void device_left(struct device *d, const char *what, int err)
{
	append(d->left, sizeof(d->left), "%s%s (%s)", d->left[0] ? ", " : "", what, strerror(err));
}

int device_keeps(const struct device *d, enum irq_index index, struct error *e)
{
	int rc;

	if (index != IRQ_REQ)
		return 0;
	rc = fail(e, CAUSE_FAILED, 0,
		  "req is how the %s asks for the device back; msictl always listens to it",
		  d->ops->keeper);
	hint(e, "quit   lets go of the device");
	return rc;
}
