/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MSICTL_BACKENDS_H
#define MSICTL_BACKENDS_H

#include "device/backend.h"

/* All back ends in the order in which they are asked, NULL behind the last; main() hands it down. */
extern const struct backend *const backends[];

#endif
