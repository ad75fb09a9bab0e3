/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The other half of wait. */
#ifndef MSICTL_CMD_WAIT_H
#define MSICTL_CMD_WAIT_H

#include "cli/session.h"

/**
 * wait_event() - stay until an event has come, at most @limit microseconds
 * @device: as typed; NULL: the session's
 * @word: add, remove, bind or unbind
 */
int wait_event(struct session *s, const char *device, const char *word, uint64_t limit,
	       struct error *e);

#endif
