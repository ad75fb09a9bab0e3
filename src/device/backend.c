// SPDX-License-Identifier: GPL-2.0-or-later
#include "device/backend.h"

const struct backend *backend_find(const char *spec)
{
	for (size_t i = 0; backends[i]; i++)
		if (backends[i]->claims(spec))
			return backends[i];
	return NULL;
}
