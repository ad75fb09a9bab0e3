/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A caller as a holder sees it: a request comes in, frames go out, nothing waits. */
#ifndef MSICTL_HOLD_REQUEST_H
#define MSICTL_HOLD_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/loop.h"
#include "out/printer.h"

/* More words than any command takes. */
#define CALL_WORDS 64

struct call {
	struct source source; /* the socket; fd -1: the caller has gone */
	struct loop *loop;
	struct out *out;    /* what is printed here goes to the caller */
	FILE *data, *notes; /* its two streams */

	char *in; /* the request, as far as it has come */
	size_t got;
	bool whole;
	uint32_t flags;
	const char *where; /* what an error begins with, may be "" */
	char *word[CALL_WORDS + 1];
	int nword;

	char *pile; /* frames on their way: from @sent to @piled */
	size_t sent, piled, room;
	bool finished; /* the last frame is in the pile */
};

/**
 * call_new() - of a connected non-blocking socket, owned from now on, closed on error too. 0 or
 * -errno.
 */
int call_new(struct call **c, int sock, struct loop *loop);

/**
 * call_refuse() - what a caller is told that is not taken in: a sentence, and the exit status.
 * Closes the socket.
 */
void call_refuse(int sock, const char *sentence, int status);

/** call_free() - closes the socket; what is in the pile is lost. */
void call_free(struct call *c);

/** call_here() - whether the caller still listens, as far as the loop has heard. */
bool call_here(const struct call *c);

/**
 * call_hear() - read what has come of the request; hangs up when the client has gone or its request
 * is nonsense.
 */
void call_hear(struct call *c);

/**
 * call_look() - whether it does this very moment: a request may have lain here for longer than its
 * caller lived.
 */
bool call_look(struct call *c);

/** call_over() - it has gone, or has got everything: free it. */
bool call_over(const struct call *c);

/** call_finish() - all that was printed, and then the exit status. */
void call_finish(struct call *c, int status);

#endif
