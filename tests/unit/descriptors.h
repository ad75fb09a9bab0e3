/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In every unit test, by the Makefile: the program ends with the descriptors that it began with. One that stays open
 * is lost to a holder that runs for weeks; one of 0 to 2 that is closed gives its number to the next file.
 */
#ifndef TEST_DESCRIPTORS_H
#define TEST_DESCRIPTORS_H

#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Enough for what a test could lose; the C library and valgrind may keep others above. */
#define DESCRIPTORS 1024

static struct {
	pid_t pid;
	bool open[DESCRIPTORS];
} descriptors_before;

/* Children of a test end by exit() too, with what they inherited. */
static void descriptors_end(void)
{
	bool kept = true;

	if (getpid() != descriptors_before.pid)
		return;
	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		bool now = fcntl(fd, F_GETFD) >= 0;

		if (now == descriptors_before.open[fd])
			continue;
		kept = false;
		fprintf(stderr, "descriptor %d %s at the end\n", fd,
			now ? "is still open" : "is no more open");
	}
	if (!kept)
		_exit(1);
}

__attribute__((constructor)) static void descriptors_begin(void)
{
	/* memory that was not written is no zero by luck */
	mallopt(M_PERTURB, 0x5a);
	descriptors_before.pid = getpid();
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		descriptors_before.open[fd] = fcntl(fd, F_GETFD) >= 0;
	atexit(descriptors_end);
}

#endif
