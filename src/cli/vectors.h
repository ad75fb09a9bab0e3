/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of vectors as a user types them and as documents show them. */
#ifndef MSICTL_CLI_VECTORS_H
#define MSICTL_CLI_VECTORS_H

#include "cli/command.h"
#include "device/handle.h"
#include "out/printer.h"

/** doc_vectors() - a set as an array of numbers. */
void doc_vectors(node *parent, const char *key, const struct vector_set *s);

/**
 * resolve_vectors() - VECTORS as typed -> a set within the index; "all" is what the device offers.
 * 0 or -errno with a sentence.
 */
int resolve_vectors(struct device *d, enum irq_index index, enum vector_word word,
		    const struct vector_set *listed, struct vector_set *set, struct error *e);

/** resolve_armed() - for a command that acts on armed vectors: "all" is all that are armed. */
int resolve_armed(struct device *d, enum irq_index index, const struct value *v,
		  struct vector_set *set, struct error *e);

#endif
