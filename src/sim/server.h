/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Serving a simulated function over vfio-user to one client after another. */
#ifndef MSICTL_SIM_SERVER_H
#define MSICTL_SIM_SERVER_H

#include "base/loop.h"
#include "sim/device.h"

struct vu_server;

/** vu_server_new() - serve @d (borrowed) by @loop (borrowed). 0 or -errno. */
int vu_server_new(struct vu_server **s, struct sim_device *d, struct loop *loop);

/** vu_server_free() - drops the client, closes the listener; the socket file is its maker's. */
void vu_server_free(struct vu_server *s);

/**
 * vu_server_distrust() - have no client hold this process up, whatever descriptors it sends
 *
 * Only eventfds are closed by this process. From now on it goes through its clients with all
 * descriptors from 64 on, so the caller has none of its own there. After the listener was given,
 * before the first client.
 *
 * Returns: 0; -EMFILE: fewer than 64 descriptors are allowed, or too many were inherited; -errno.
 */
int vu_server_distrust(struct vu_server *s);

/** vu_server_listen() - take clients from a listening socket (owned from now on), one at a time. */
int vu_server_listen(struct vu_server *s, int listener);

/** vu_server_serve() - serve a connected socket (owned from now on). */
int vu_server_serve(struct vu_server *s, int sock);

/** vu_server_busy() - whether a client is connected. */
bool vu_server_busy(const struct vu_server *s);

/**
 * vu_server_run() - until the loop is asked to stop, or with @once until the client has gone. 0 or
 * -EINTR.
 */
int vu_server_run(struct vu_server *s, bool once);

#endif
