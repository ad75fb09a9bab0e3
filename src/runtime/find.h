/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who holds a device: a connection to its holder, or the sentence on why there is none. */
#ifndef MSICTL_RUNTIME_FIND_H
#define MSICTL_RUNTIME_FIND_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/**
 * attach_find() - connect to the holder of @device. A socket; -ENOENT: nobody holds it; -errno with
 * @e.
 */
int attach_find(const char *device, pid_t *pid, struct error *e);

/**
 * attach_unsure() - whether @rc of attach_find() leaves open whether the device is held: no file can
 * be looked at, or its holder is there and takes nobody in. The device must not be taken for free.
 */
bool attach_unsure(int rc);

/**
 * attach_exit_reason() - why it is held no more, as this user's last holder of it has left it; free()
 * it. NULL: no reason was left.
 */
char *attach_exit_reason(const char *device);

/**
 * attach_other() - for root, whether another user's holder has @device. 0: none that is seen;
 * -EBUSY with @e.
 */
int attach_other(const char *device, struct error *e);

/**
 * attach_reason() - a holder broke off: the exit reason that it left wins over "broke off"
 * @device: what it held
 * @rc: of attach_args(), attach_put(), attach_answer() or attach_ask(); others than a broken
 * connection pass unchanged
 * Returns: @rc; @e is replaced when a reason was left and nobody holds @device now.
 */
int attach_reason(const char *device, int rc, struct error *e);

/**
 * attach_nobody() - the sentence for attach_find()'s -ENOENT: nobody holds it, or another user
 * does. Always -ENOENT.
 */
int attach_nobody(const char *device, struct error *e);

#endif
