// SPDX-License-Identifier: GPL-2.0-or-later
#include "irq/vector-set.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

#define WORDS (MAX_VECTORS / 64)

void vector_set_add(struct vector_set *s, unsigned int v)
{
	if (v < MAX_VECTORS)
		s->bits[v / 64] |= 1ull << (v % 64);
}

void vector_set_add_range(struct vector_set *s, unsigned int start, unsigned int count)
{
	for (unsigned int v = start; count && v < MAX_VECTORS; v++, count--)
		vector_set_add(s, v);
}

void vector_set_del(struct vector_set *s, unsigned int v)
{
	if (v < MAX_VECTORS)
		s->bits[v / 64] &= ~(1ull << (v % 64));
}

bool vector_set_has(const struct vector_set *s, unsigned int v)
{
	return v < MAX_VECTORS && s->bits[v / 64] >> (v % 64) & 1;
}

bool vector_set_empty(const struct vector_set *s)
{
	return vector_set_next(s, 0) == MAX_VECTORS;
}

unsigned int vector_set_count(const struct vector_set *s)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < WORDS; i++)
		n += (unsigned int)__builtin_popcountll(s->bits[i]);
	return n;
}

unsigned int vector_set_end(const struct vector_set *s)
{
	for (unsigned int i = WORDS; i-- > 0;) {
		if (s->bits[i])
			return (i + 1) * 64 - (unsigned int)__builtin_clzll(s->bits[i]);
	}
	return 0;
}

struct vector_set vector_set_minus(const struct vector_set *a, const struct vector_set *b)
{
	struct vector_set out;

	for (unsigned int i = 0; i < WORDS; i++)
		out.bits[i] = a->bits[i] & ~b->bits[i];
	return out;
}

struct vector_set vector_set_and(const struct vector_set *a, const struct vector_set *b)
{
	struct vector_set out;

	for (unsigned int i = 0; i < WORDS; i++)
		out.bits[i] = a->bits[i] & b->bits[i];
	return out;
}

struct vector_set vector_set_or(const struct vector_set *a, const struct vector_set *b)
{
	struct vector_set out;

	for (unsigned int i = 0; i < WORDS; i++)
		out.bits[i] = a->bits[i] | b->bits[i];
	return out;
}

unsigned int vector_set_next(const struct vector_set *s, unsigned int from)
{
	uint64_t left;

	if (from >= MAX_VECTORS)
		return MAX_VECTORS;
	left = s->bits[from / 64] >> (from % 64);
	if (left)
		return from + (unsigned int)__builtin_ctzll(left);
	for (unsigned int i = from / 64 + 1; i < WORDS; i++) {
		if (s->bits[i])
			return i * 64 + (unsigned int)__builtin_ctzll(s->bits[i]);
	}
	return MAX_VECTORS;
}

bool vector_set_next_run(const struct vector_set *s, unsigned int from, unsigned int *start,
			 unsigned int *count)
{
	unsigned int v = vector_set_next(s, from);

	if (v == MAX_VECTORS)
		return false;
	*start = v;
	while (vector_set_has(s, v))
		v++;
	*count = v - *start;
	return true;
}

/* Digits only; *text is moved behind them. */
static int parse_vector(const char **text, unsigned int *v)
{
	const char *p = *text;
	unsigned int n = 0;
	bool beyond = false;

	if (!isdigit((unsigned char)*p))
		return -EINVAL;
	for (; isdigit((unsigned char)*p); p++) {
		n = n * 10 + (unsigned int)(*p - '0');
		if (n >= MAX_VECTORS) {
			beyond = true;
			n = MAX_VECTORS;
		}
	}
	*text = p;
	*v = n;
	return beyond ? -ERANGE : 0;
}

/* "3" or "0-3"; what follows is the caller's. */
static int parse_range(const char **text, struct vector_set *s)
{
	unsigned int first = 0, last = 0;
	int rc, rc_last = 0;

	rc = parse_vector(text, &first);
	if (rc == -EINVAL)
		return rc;
	last = first;
	if (**text == '-') {
		(*text)++;
		rc_last = parse_vector(text, &last);
		if (rc_last == -EINVAL)
			return rc_last;
	}
	if (rc || rc_last || last < first)
		return -ERANGE;
	vector_set_add_range(s, first, last - first + 1);
	return 0;
}

int vector_set_parse(const char *text, enum vector_word *word, struct vector_set *s)
{
	bool beyond = false;

	memset(s, 0, sizeof(*s));
	*word = !strcmp(text, "all")	 ? VECTORS_ALL
		: !strcmp(text, "armed") ? VECTORS_ARMED
					 : VECTORS_LISTED;
	if (*word != VECTORS_LISTED)
		return 0;
	for (;; text++) {
		int rc = parse_range(&text, s);

		if (rc == -EINVAL)
			return rc;
		beyond |= rc == -ERANGE;
		if (!*text)
			return beyond ? -ERANGE : 0;
		if (*text != ',')
			return -EINVAL;
	}
}

#define CUT ",..."

char *vector_set_text(const struct vector_set *s, char *buf, size_t size)
{
	unsigned int start, count = 0, from = 0;
	size_t used = 0;

	if (!size)
		return buf;
	copy_text(buf, size, vector_set_empty(s) ? "none" : "");
	for (; vector_set_next_run(s, from, &start, &count); from = start + count) {
		char run[16];
		int n;

		if (count == 1)
			n = snprintf(run, sizeof(run), "%s%u", used ? "," : "", start);
		else
			n = snprintf(run, sizeof(run), "%s%u-%u", used ? "," : "", start,
				     start + count - 1);
		/* leave room to say that there is more, unless nothing follows */
		if (used + (size_t)n +
			    (vector_set_next(s, start + count) < MAX_VECTORS ? strlen(CUT) : 0) >=
		    size) {
			copy_text(buf + used, size - used, &CUT[used ? 0 : 1]);
			break;
		}
		copy_text(buf + used, size - used, run);
		used += (size_t)n;
	}
	return buf;
}

char *vector_set_operand(const struct vector_set *s, char *buf, size_t size)
{
	unsigned int only = vector_set_next(s, 0);

	if (vector_set_count(s) != 1)
		return vector_set_text(s, buf, size);
	snprintf(buf, size, "%u-%u", only, only);
	return buf;
}
