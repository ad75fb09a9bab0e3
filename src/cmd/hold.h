/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What hold and release have in common: a holder that is asked for something. */
#ifndef MSICTL_CMD_HOLD_H
#define MSICTL_CMD_HOLD_H

#include "hold/client.h"

/** holder_refused() - why it did not do it. @status: as attach_ask(), positive. Always -EIO. */
int holder_refused(const struct question *q, int status, struct error *e);

/** release_held() - by @sock, from attach_find(), its holder's. 0 or -errno. */
int release_held(struct session *s, const char *device, int sock, struct error *e);

#endif
