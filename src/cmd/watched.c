// SPDX-License-Identifier: GPL-2.0-or-later
/* The functions and devices that watch looks at. */
#include "cmd/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int name(struct watched *d, const char *text)
{
	char bdf[PCI_ADDR_LEN];

	d->full = strdup(text);
	d->name = strdup(d->addressed ? pci_addr_short(&d->host.addr, bdf) : text);
	return d->full && d->name ? 0 : -ENOMEM;
}

int watch_add(struct watch *w, const struct pci_addr *a, const char *text)
{
	struct watched *more = reallocarray(w->device, w->n + 1, sizeof(*more)), *d;
	char bdf[PCI_ADDR_LEN];

	if (!more)
		return -ENOMEM;
	w->device = more;
	d = &w->device[w->n++];
	*d = (struct watched){ .here = true, .group = -1 };
	d->addressed = a;
	if (a)
		d->host.addr = *a;
	return name(d, a ? pci_addr_full(a, bdf) : text);
}

/* Those that are armed are others at each look: the past of the rest is kept for when they are. */
bool watch_selects(const struct value *v, struct reading *r, bool armed)
{
	if (!v->given || v->word == VECTORS_ALL)
		return true;
	r->hidden = v->word == VECTORS_ARMED && !armed;
	return v->word == VECTORS_ARMED ||
	       (r->vector >= 0 && vector_set_has(&v->vectors, (unsigned int)r->vector));
}

bool watched_ours(const struct watched *d)
{
	return d->own || d->held;
}

/* ERR and REQ are worth a row when something came. */
bool watch_takes(const struct value *v, struct reading *r, bool armed)
{
	if (!r->count && (!armed || r->index >= IRQ_ERR))
		return false;
	return watch_selects(v, r, armed);
}
