/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A caller as a holder sees it: a request comes in, frames go out, nothing waits. */
#ifndef MSICTL_HOLD_REQUEST_H
#define MSICTL_HOLD_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/loop.h"
#include "hold/wire.h"
#include "out/printer.h"

struct request {
	struct source source; /* the socket; fd -1: the caller has gone */
	struct loop *loop;
	struct out *out;    /* what is printed here goes to the caller */
	FILE *data, *notes; /* its two streams */

	char *in; /* the request, as far as it has come */
	size_t got;
	bool whole;
	uint32_t flags;
	const char *where; /* what an error begins with, may be "" */
	char *word[HOLD_MAX_WORDS + 1];
	int nword;

	char *queue; /* frames on their way: from @sent to @queued */
	size_t sent, queued, room;
	bool finished; /* the last frame is in the queue */
};

/**
 * request_new() - of a connected non-blocking socket, owned from now on, closed on error too. 0 or
 * -errno.
 */
int request_new(struct request **c, int sock, struct loop *loop);

/**
 * request_refuse() - what a caller is told that is not taken in: a sentence, and the exit status.
 * Closes the socket.
 */
void request_refuse(int sock, const char *sentence, int status);

/** request_free() - closes the socket; what is in the queue is lost. */
void request_free(struct request *c);

/** request_here() - whether the caller still listens, as far as the loop has heard. */
bool request_here(const struct request *c);

/**
 * request_hear() - read what has come of the request; hangs up when the client has gone or its request
 * is nonsense.
 */
void request_hear(struct request *c);

/**
 * request_look() - whether it does this very moment: a request may have lain here for longer than its
 * caller lived.
 */
bool request_look(struct request *c);

/** request_over() - it has gone, or has got everything: free it. */
bool request_over(const struct request *c);

/** request_finish() - all that was printed, and then the exit status. */
void request_finish(struct request *c, int status);

#endif
