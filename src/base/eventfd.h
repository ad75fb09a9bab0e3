/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading an eventfd whose file description another process has too. That process can clear
 * O_NONBLOCK on the description or empty the counter at any time, so neither the flag nor an
 * earlier poll() makes a read() safe.
 */
#ifndef MSICTL_BASE_EVENTFD_H
#define MSICTL_BASE_EVENTFD_H

#include <stdint.h>

/**
 * eventfd_take() - read the counter and set it to 0, never waiting
 * @fd: an eventfd, blocking or not; not one of EFD_SEMAPHORE
 * @n: the counter before, at least 1, when there was something
 *
 * Linux 5.8 lets preadv2(2) of an eventfd have RWF_NOWAIT. Older kernels answer EOPNOTSUPP: poll(2)
 * comes first there, and a peer that empties a blocking counter just after it can still hold the
 * caller up.
 * Returns: 1; 0: nothing was there; -errno.
 */
int eventfd_take(int fd, uint64_t *n);

#endif
