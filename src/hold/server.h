/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeping devices open and running the commands of later callers on them. */
#ifndef MSICTL_HOLD_SERVER_H
#define MSICTL_HOLD_SERVER_H

#include "cli/session.h"

struct holder;

/* How a device is held. */
struct holding {
	bool bind; /* give it to vfio-pci first, and back at the end */
	bool keep; /* go on when it was taken back */
};

/** holder_new() - @s is borrowed; its trace tells what the devices do. 0 or -errno with @e. */
int holder_new(struct holder **h, struct session *s, struct error *e);

/**
 * holder_take() - open @n devices and listen for callers of them: all, or none. 0 or -errno with
 * @e.
 */
int holder_take(struct holder *h, const char *const *device, size_t n, const struct holding *how,
		struct error *e);

/** holder_serve() - until a signal asks to stop or nothing is held any more. 0 or -errno. */
int holder_serve(struct holder *h);

/**
 * holder_free() - puts everything back, takes the sockets away. 0, or -errno with @e when, now or
 * before, a driver could not be given back.
 */
int holder_free(struct holder *h, struct error *e);

#endif
