// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/names.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void names_free(struct names *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->name[i]);
	free(l->name);
}

int names_add(struct names *l, const char *name)
{
	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 64;
		char **more = reallocarray(l->name, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->name = more;
		l->room = room;
	}
	l->name[l->n] = strdup(name);
	return l->name[l->n] ? (l->n++, 0) : -ENOMEM;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void names_sort(struct names *l)
{
	if (l->n)
		qsort(l->name, l->n, sizeof(*l->name), by_bytes);
}

int names_of(const struct root *r, const char *folder, struct names *l)
{
	_cleanup_root_dir_ struct root_dir *dir = root_opendir(r, "%s", folder);
	struct dirent *entry;
	int rc = dir ? 0 : -errno;

	while (!rc && root_readdir(dir, &entry, &rc))
		if (entry->d_name[0] != '.')
			rc = names_add(l, entry->d_name);
	names_sort(l);
	return rc;
}
