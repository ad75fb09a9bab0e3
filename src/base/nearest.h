/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which known word a mistyped one was meant to be. */
#ifndef MSICTL_BASE_NEAREST_H
#define MSICTL_BASE_NEAREST_H

struct nearest {
	const char *typed;
	const char *word; /* the best so far; NULL: nothing is near */
	unsigned int distance;
};

/** nearest_try() - keep @word when it is nearer than what was tried before; borrowed. */
void nearest_try(struct nearest *n, const char *word);

#endif
