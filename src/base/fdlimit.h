/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One eventfd per vector: the soft limit of 1024 descriptors is soon too low. */
#ifndef MSICTL_BASE_FDLIMIT_H
#define MSICTL_BASE_FDLIMIT_H

#include <stdint.h>

/**
 * fdlimit_raise() - make room for @need more descriptors
 * @limit: set to the soft limit in force afterwards
 * Returns: 0 there was room, 1 the limit was raised, -EMFILE: it can't be raised so far.
 */
int fdlimit_raise(unsigned int need, uint64_t *limit);

/**
 * fdlimit_full() - the same once the kernel has said EMFILE: all that the limit allows are in use,
 * gaps or not.
 */
int fdlimit_full(unsigned int need, uint64_t *limit);

#endif
