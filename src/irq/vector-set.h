/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A set of vector numbers of one index, and the words a user writes for it. Pure. */
#ifndef MSICTL_IRQ_VECTOR_SET_H
#define MSICTL_IRQ_VECTOR_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* PCI Local Bus 3.0, 6.8.2.3: MSI-X Table Size is 11 bits, encoded as N-1. */
#define MAX_VECTORS 2048u

struct vector_set {
	uint64_t bits[MAX_VECTORS / 64];
};

/* What was written: numbers, or a word that only a device can resolve. */
enum vector_word {
	VECTORS_LISTED,
	VECTORS_ALL,
	VECTORS_ARMED,
};

void vector_set_add(struct vector_set *s, unsigned int v);
void vector_set_add_range(struct vector_set *s, unsigned int start, unsigned int count);
void vector_set_del(struct vector_set *s, unsigned int v);
bool vector_set_has(const struct vector_set *s, unsigned int v);
bool vector_set_empty(const struct vector_set *s);
unsigned int vector_set_count(const struct vector_set *s);

/** vector_set_end() - one above the highest member; 0 when empty. */
unsigned int vector_set_end(const struct vector_set *s);

/** vector_set_minus() - members of @a that are not in @b. */
struct vector_set vector_set_minus(const struct vector_set *a, const struct vector_set *b);
struct vector_set vector_set_and(const struct vector_set *a, const struct vector_set *b);
struct vector_set vector_set_or(const struct vector_set *a, const struct vector_set *b);

/**
 * vector_set_next_run() - walk contiguous runs
 * @from: where to look on; start with 0, then pass *start + *count
 * Returns: false when there are no more.
 */
bool vector_set_next_run(const struct vector_set *s, unsigned int from, unsigned int *start,
			 unsigned int *count);

/** for_each_vector() - walk members in rising order. */
unsigned int vector_set_next(const struct vector_set *s, unsigned int from); /* MAX_VECTORS: none */
#define for_each_vector(v, s) \
	for ((v) = vector_set_next((s), 0); (v) < MAX_VECTORS; (v) = vector_set_next((s), (v) + 1))

/**
 * vector_set_parse() - "3", "0-3,7", "all", "armed"
 * Returns: 0; -EINVAL: not of that form, or empty; -ERANGE: a number of 2048 or more, or a range
 * that runs down.
 */
int vector_set_parse(const char *text, enum vector_word *word, struct vector_set *s);

/* Room for any set in words: every second vector takes most, 4565 bytes. */
#define VECTOR_SET_ROOM 4608

/** vector_set_text() - "0-3,7", or "none"; bounded, ends in ",..." when cut. Returns @buf. */
char *vector_set_text(const struct vector_set *s, char *buf, size_t size);

/**
 * vector_set_operand() - as vector_set_text(), for a command that takes a lone number for a count:
 * one vector is "5-5"
 */
char *vector_set_operand(const struct vector_set *s, char *buf, size_t size);

#endif
