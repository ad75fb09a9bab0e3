// SPDX-License-Identifier: GPL-2.0-or-later
#include "device/backend.h"

const struct backend *backend_find(const struct backend *const *list, const char *spec)
{
	while (*list && !(*list)->claims(spec))
		list++;
	return *list;
}
