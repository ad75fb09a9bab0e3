/* SPDX-License-Identifier: GPL-2.0-or-later */
/* calloc(3) as it is without memory. */
#ifndef TEST_NO_MEMORY_H
#define TEST_NO_MEMORY_H

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The call from now on that fails; 0: none. The compiler knows that calloc() reads no variable. */
static volatile unsigned int no_memory;

void *calloc(size_t n, size_t size)
{
	bool fails = no_memory && --no_memory == 0;
	void *p = fails ? NULL : malloc(n * size);

	if (fails)
		errno = ENOMEM;
	/* or the compiler makes one calloc() of malloc() and memset() */
	__asm__("" : "+r"(p));
	return p ? memset(p, 0, n * size) : NULL;
}

/* Whether this calloc() is the one that is called: valgrind has its own. */
static inline bool memory_can_fail(void)
{
	void *volatile p;

	no_memory = 1;
	p = calloc(1, 1);
	free(p);
	no_memory = 0;
	return !p;
}

#endif
