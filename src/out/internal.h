/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the out*.c files share and nobody else needs. */
#ifndef MSICTL_OUT_INTERNAL_H
#define MSICTL_OUT_INTERNAL_H

#include <stdio.h>

#include "out/printer.h"

#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

#define JSON_LINE (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

struct out {
	struct out_options opt;
	struct out_guard guard;
	FILE *data, *notes; /* borrowed */
	node *doc, *aside;
	int err; /* errno of the first result that was lost */
};

/** out_lost() - remember that a result did not get out; @err 0: EIO. */
void out_lost(struct out *o, int err);

/** out_put() - raw text to one of the two streams. */
void out_put(struct out *o, FILE *f, const char *text);

/** out_hide(), out_show() - the half-typed line steps aside and comes back. */
void out_hide(struct out *o);
void out_show(struct out *o);

/**
 * doc_mark() - remember at a node that memory ran out while it was filled; doc_incomplete() looks
 * for the mark below @n.
 */
void doc_mark(node *n);
bool doc_incomplete(node *n);

/** doc_member() - "msi.enabled" in @row, @len bytes of it. NULL: missing or null. */
node *doc_member(node *row, const char *path, size_t len);

/**
 * doc_json() - the JSON text of @n, which lasts as long as @n
 *
 * json-c leaves a piece of the text out when memory for the piece runs out, and returns the rest as
 * if nothing had happened; errno alone tells.
 * Returns: NULL: memory ran out.
 */
const char *doc_json(node *n);

/**
 * doc_unpack() - a row of an array as an object again, whether doc_row() made a text of it or not
 * Returns: an object that the caller puts; NULL: @row is NULL, or memory ran out.
 */
node *doc_unpack(node *row);

#endif
