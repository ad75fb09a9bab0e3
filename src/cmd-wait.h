/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The other half of wait. */
#ifndef MSICTL_CMD_WAIT_H
#define MSICTL_CMD_WAIT_H

#include "session.h"

/** wait_event() - until the event that @word names has come for the device, at most @limit microseconds. */
int wait_event(struct session *s, const struct args *a, const struct value *word, uint64_t limit, struct error *e);

#endif
