// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/nearest.h"

#include <string.h>

#define MAX_WORD 24

static unsigned int min(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Edit distance where two swapped neighbours count one (optimal string alignment). */
static unsigned int distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned int d[MAX_WORD + 1][MAX_WORD + 1];

	for (size_t i = 0; i <= na; i++)
		d[i][0] = (unsigned int)i;
	for (size_t j = 0; j <= nb; j++)
		d[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= na; i++) {
		for (size_t j = 1; j <= nb; j++) {
			d[i][j] = min(d[i - 1][j] + 1, d[i][j - 1] + 1);
			d[i][j] = min(d[i][j], d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = min(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[na][nb];
}

void nearest_try(struct nearest *n, const char *word)
{
	size_t typed = strlen(n->typed), len = strlen(word);
	unsigned int d, limit;

	if (!typed || typed > MAX_WORD || len > MAX_WORD)
		return;
	/* A beginning is near however much is missing; else one letter in three may be wrong. */
	d = typed < len && !strncmp(n->typed, word, typed) ? 1
							   : distance(n->typed, typed, word, len);
	limit = (unsigned int)(typed < len ? len : typed) / 3;
	if (d > (limit ? limit : 1) || (n->word && d >= n->distance))
		return;
	n->word = word;
	n->distance = d;
}
