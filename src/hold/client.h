/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The caller's side of a holder. */
#ifndef MSICTL_HOLD_CLIENT_H
#define MSICTL_HOLD_CLIENT_H

#include <stdint.h>
#include <sys/types.h>

#include "cli/session.h"
#include "runtime/find.h"

/* In which a holder that is well answers a question. */
#define ATTACH_PATIENCE_US 5000000

/**
 * attach_args() - let the holder run a parsed command with the session's globals, print what it
 * says
 * @sock: from attach_find(), closed at the end
 * @where: what an error begins with: "FILE:7"; NULL
 * Returns: the exit status; -EINTR when the user asked to stop, -errno when the holder broke off,
 * both with @e.
 */
int attach_args(struct session *s, int sock, const char *where, const struct args *a,
		struct error *e);

/* What a holder answers to one of its own words, on its way. */
struct question {
	int sock;   /* -1: none */
	pid_t pid;  /* who is asked */
	char *text; /* the answer, terminated, of @size bytes; free() it */
	size_t size;
};

/**
 * attach_put() - put a question to a holder
 * @sock: from attach_find(), owned from now on, closed on error too
 * @word: @n words, HOLD_STATE or another
 * Returns: 0 or -errno with @e. Several may be put before the first answer is waited for.
 */
int attach_put(struct question *q, int sock, const char *const *word, size_t n, struct error *e);

/**
 * attach_answer() - wait for the answer
 * @until: as loop_wait(); an answer that is there is taken at any time
 * Returns: the exit status; -EINTR: the user asked to stop, -ETIMEDOUT: the holder is there and
 * says nothing, -errno: it broke off; all with @e. The question is over in any case.
 */
int attach_answer(struct session *s, struct question *q, uint64_t until, struct error *e);

/** attach_ask() - both. */
int attach_ask(struct session *s, struct question *q, int sock, const char *const *word, size_t n,
	       uint64_t until, struct error *e);

#endif
