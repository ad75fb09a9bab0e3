/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors of a client that the server must not close. close(2) waits for whoever sent the
 * descriptor: a file of FUSE or NFS is flushed at each close, a socket with SO_LINGER waits for its
 * reader at the last one (socket(7)). So they stay open until the client has gone. Then another
 * process takes the descriptor table over and closes it, and ours goes on with a copy that ends
 * below them.
 */
#ifndef MSICTL_VFIO_USER_LEAVE_H
#define MSICTL_VFIO_USER_LEAVE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What one client may send: the memory of a guest, mostly (DMA_MAP). One that sends more is cut
 * off.
 */
#define VU_MAX_KEPT 16384u

/* One per server. */
struct vu_leave {
	int gate, open_gate; /* a pipe; -1: there is none, and descriptors are closed as usual */
	unsigned int limit;  /* of descriptors, RLIMIT_NOFILE */
	unsigned int top;    /* the highest descriptor that a client has sent */
	unsigned int kept;   /* descriptors that were not closed */
	bool (*harmless)(const void *owner,
			 int fd); /* whether the closing of @fd waits for nobody */
	const void *owner;
};

/**
 * vu_leave_init() - from now on a new descriptor has a number behind all that are open now
 * @l: harmless and owner are the caller's
 * Returns: 0; -EMFILE: the limit of descriptors is too low, or too many were inherited; -errno.
 * Then gate is -1.
 */
int vu_leave_init(struct vu_leave *l);

/** vu_leave_drop() - close what @l has of its own. */
void vu_leave_drop(struct vu_leave *l);

/** vu_leave_close() - close @fd, or keep it open when its closing may wait. @l: NULL: close it. */
void vu_leave_close(struct vu_leave *l, int fd);

/**
 * vu_leave_socket() - shut the client's socket down and close it; what was not read may bring
 * descriptors.
 */
void vu_leave_socket(struct vu_leave *l, int sock);

/**
 * vu_leave_room() - before a message is read: whether the table has room for all descriptors that
 * it can bring
 *
 * Descriptors without room are closed by the kernel in our place, so another process has references
 * of its own then.
 * @begun: descriptors that came with the same message before
 * Returns: -1: there is room; a descriptor to be closed when the @bytes of @sock were read; -EPROTO
 * (never -1): the client has filled the table.
 */
int vu_leave_room(const struct vu_leave *l, int sock, size_t bytes, unsigned int begun);

/** vu_leave_seen() - @fd has come. */
void vu_leave_seen(struct vu_leave *l, int fd);

/** vu_leave_now() - no client is connected: leave everything that one may have sent. */
void vu_leave_now(struct vu_leave *l);

#endif
