// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A device that another process serves: hearing when that goes, and saying why nothing more is had
 * from it.
 */
#include <errno.h>

#include "base/util.h"
#include "device/internal.h"

int device_lost(struct device *d, const char *what, struct error *e)
{
	struct error why;
	int rc = d->handle && d->ops->peer_end ? d->ops->peer_end(d->handle, &why) : 0;

	if (rc == 0)
		return 0;
	fail(e, why.cause, why.err, "%s: %s", what, why.message);
	copy_text(e->hint, sizeof(e->hint), why.hint);
	return rc;
}

int device_region_failed(struct device *d, ssize_t n, const char *sentence, struct error *e)
{
	int rc = device_lost(d, "region access", e);

	return rc ? rc : fail(e, CAUSE_FAILED, n < 0 ? (int)-n : EIO, "%s", sentence);
}
