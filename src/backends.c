// SPDX-License-Identifier: GPL-2.0-or-later
#include "device/backend.h"

#include "base/util.h"
#include "vfio-user/client.h"
#include "vfio/ioctl.h"

static const struct backend *const backends[] = {
	&vfio_user_backend,
	&sim_backend,
	&vfio_group_backend,
};

const struct backend *backend_at(size_t i)
{
	return i < ARRAY_SIZE(backends) ? backends[i] : NULL;
}

const struct backend *backend_find(const char *spec)
{
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++)
		if (backends[i]->claims(spec))
			return backends[i];
	return NULL;
}
