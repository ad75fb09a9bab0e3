// SPDX-License-Identifier: GPL-2.0-or-later
/* The list of back ends. A DEVICE is opened by the first that claims the word. */
#include "backends.h"

#include "sim/backend.h"
#include "vfio-user/client.h"
#include "vfio/ioctl.h"

const struct backend *const backends[] = {
	&vfio_user_backend,
	&sim_backend,
	&vfio_group_backend,
	NULL,
};
