// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/vectors.h"

#include <errno.h>

#include "base/util.h"

void doc_vectors(node *parent, const char *key, const struct vector_set *s)
{
	node *array = doc_array(parent, key);
	unsigned int v;

	for_each_vector (v, s)
		doc_push_number(array, v);
}

int resolve_vectors(struct device *d, enum irq_index index, enum vector_word word,
		    const struct vector_set *listed, struct vector_set *set, struct error *e)
{
	struct index *ix = device_index(d, index, e);
	const char *name = irq_index_word(index);
	int rc;

	if (!ix)
		return -ENODEV;
	*set = *listed;
	if (word == VECTORS_ALL) {
		*set = (struct vector_set){ .bits = { 0 } };
		vector_set_add_range(set, 0, ix->info.count);
	} else if (word == VECTORS_ARMED) {
		*set = device_armed(d, index);
		if (vector_set_empty(set)) {
			rc = fail(e, CAUSE_FAILED, 0, "no %s vector is armed", name);
			hint(e, "enable %s COUNT", name);
			return rc;
		}
	}
	if (vector_set_end(set) <= ix->info.count)
		return 0;
	return fail(e, CAUSE_USAGE, 0, "%s has vectors 0-%u, %u is beyond", name,
		    ix->info.count - 1, vector_set_end(set) - 1);
}

int resolve_armed(struct device *d, enum irq_index index, const struct value *v,
		  struct vector_set *set, struct error *e)
{
	return resolve_vectors(d, index, v->word == VECTORS_ALL ? VECTORS_ARMED : v->word,
			       &v->vectors, set, e);
}
