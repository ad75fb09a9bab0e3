// SPDX-License-Identifier: GPL-2.0-or-later
/* Functions that hold --bind gave to vfio-pci, and their way back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "driver/bind.h"
#include "hold/server-internal.h"
#include "host/bind-state.h"

/* Until the group's node is there: udev may be busy, but not for long. */
#define NODE_TIMEOUT_US 5000000

int bound_group(const struct held *d)
{
	struct pci_addr addr;
	struct bind_state p;
	struct error ignored;
	int rc;

	if (session_address(d->holder->s, d->spec, &addr, &ignored))
		return -1;
	rc = bind_state_read(&d->holder->s->root, &addr, &p);
	if (rc == 0)
		return p.group;
	out_note(
		d->holder->s->out,
		"warning: %s: its IOMMU group can't be read (%s): whether another held function shares the group is "
		"not known",
		d->spec, strerror(-rc));
	return -1;
}

int bound_take(struct held *d, struct error *e)
{
	struct session *s = d->holder->s;
	struct driver_change c = { 0 };
	struct pci_addr addr;
	int rc = session_address(s, d->spec, &addr, e);

	if (rc)
		return rc;
	d->bound = calloc(1, sizeof(*d->bound));
	if (!d->bound)
		return fail_memory(e);
	rc = driver_bind(&s->root, &addr, false, NODE_TIMEOUT_US, &s->trace, &c, e);
	if (rc == 0 && c.changed) {
		*d->bound = (struct bound){ .addr = addr, .group = bound_group(d) };
	} else {
		free(d->bound);
		d->bound = NULL;
	}
	if (rc == 0 && c.note[0])
		out_note(s->out, "%s", c.note);
	return rc;
}

/*
 * The kernel lets a driver go only when nobody has the group open, and of several functions the
 * holder has it.
 */
static bool in_use(const struct holder *h, int group)
{
	for (const struct held *d = h->first; d && group >= 0; d = d->next)
		if (d->group == group && d->s.device && d->s.device->handle)
			return true;
	return false;
}

/*
 * Who asked for something is told that; of a holder in the background only the log has the reason.
 */
static void say_left(struct holder *h, const struct bound *b, const struct error *e)
{
	char bdf[PCI_ADDR_LEN], where[PCI_ADDR_LEN + 16];

	pci_addr_short(&b->addr, bdf);
	snprintf(where, sizeof(where), "%s: release", bdf);
	out_error(h->s->out, where, e);
	openlog("msictl", LOG_PID, LOG_DAEMON);
	syslog(LOG_WARNING, "%s: its driver could not be given back: %s", bdf, e->message);
	closelog();
	if (h->left.cause)
		return;
	fail(&h->left, e->cause ? e->cause : CAUSE_FAILED, EIO,
	     "%s: its driver could not be given back", bdf);
	hint(&h->left, "msictl unbind %s", bdf);
}

static int give_back(struct holder *h, const struct bound *b, struct error *e)
{
	struct driver_change c;
	int rc = driver_unbind(&h->s->root, &b->addr, &h->s->trace, &c, e);

	if (rc)
		say_left(h, b, e);
	return rc;
}

int bound_settle(struct holder *h, struct bound *mine, struct error *e)
{
	struct bound **at = &h->let_go;
	struct error ignored;
	int rc = 0;

	if (mine) {
		mine->next = h->let_go;
		h->let_go = mine;
		rc = 1;
	}
	while (*at) {
		struct bound *b = *at;

		if (in_use(h, b->group)) {
			at = &b->next;
			continue;
		}
		*at = b->next;
		if (b == mine)
			rc = give_back(h, b, e);
		else
			give_back(h, b, &ignored);
		free(b);
	}
	return rc;
}
