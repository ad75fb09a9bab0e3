/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vectors that count: those of msictl, and eventfds in an epoll. */
#ifndef BENCH_VECTORS_H
#define BENCH_VECTORS_H

#include "device/handle.h"

/* A DEVICE of the kernel's, and one that another process serves: their eventfds are read in different ways. */
#define VECTORS_KERNEL "0000:00:00.0"
#define VECTORS_PEER   "vfio-user:"

/** vectors_ours() - a device of nothing but eventfds, in @fd; the vectors, sources and callbacks are the real ones. */
void vectors_ours(struct device *d, const char *spec, unsigned int n, int *fd);
void vectors_drop_ours(struct device *d);

/** vectors_bare() - @n eventfds in an epoll, which is returned. */
int vectors_bare(unsigned int n, int *fd);
void vectors_drop_bare(int epoll, const int *fd, unsigned int n);

/** vectors_take() - wait, read what is ready and add it to @count. Returns how many were ready. */
int vectors_take(int epoll, uint64_t *count, int timeout);

#endif
