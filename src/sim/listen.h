/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The socket file of a server: made for its user alone, never in the way of another's. */
#ifndef MSICTL_SIM_LISTEN_H
#define MSICTL_SIM_LISTEN_H

#include <sys/stat.h>

#include "base/error.h"

struct vu_listener {
	int fd;		  /* listening; the caller hands it on or closes it */
	const char *path; /* borrowed */
	struct stat st;	  /* of the file as it was made */
};

/**
 * vu_listen() - bind and listen at @path, mode 0600
 *
 * A socket that nobody serves any more is replaced. One that is served is
 * CAUSE_BUSY, and what is no socket is left alone. The folder is locked
 * (flock(2)) meanwhile, so that of several at once one listens; while a
 * stranger keeps that lock, nothing is replaced: CAUSE_BUSY.
 */
int vu_listen(struct vu_listener *l, const char *path, struct error *e);

/**
 * vu_unlisten() - remove the file unless another has taken its place. The listening socket must
 * still be open: it keeps the inode's number from being given to another.
 */
void vu_unlisten(const struct vu_listener *l);

#endif
