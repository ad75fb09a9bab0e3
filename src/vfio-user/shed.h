/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors that nobody asked for. To close one is to wait for whoever sent it: a file of FUSE is
 * flushed by its server (close(2)), a socket with SO_LINGER waits for its reader (socket(7)) as
 * soon as its last reference goes. So another process has the last one, and waits in our place.
 */
#ifndef MSICTL_VFIO_USER_SHED_H
#define MSICTL_VFIO_USER_SHED_H

#include <stddef.h>

/* One per connection. */
struct vu_shed {
	unsigned int n; /* processes that were started for it */
};

/**
 * vu_shed_take() - before @bytes of @sock that bring descriptors are read, without room for these
 * Returns: a descriptor to be closed when they were read; -EPROTO: the peer does so again and
 * again; -errno.
 */
int vu_shed_take(struct vu_shed *s, int sock, size_t bytes);

/**
 * vu_shed_keep() - have another process keep a reference of all that @bytes of @sock bring
 * Returns: a descriptor to be closed when they were read; -errno.
 */
int vu_shed_keep(int sock, size_t bytes);

/**
 * vu_shed_close() - shut @sock down and close it, also when what was not read brings descriptors.
 */
void vu_shed_close(int sock);

#endif
