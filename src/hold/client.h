/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The caller's side of a holder. */
#ifndef MSICTL_HOLD_CLIENT_H
#define MSICTL_HOLD_CLIENT_H

#include <stdint.h>
#include <sys/types.h>

#include "cli/session.h"

/* In which a holder that is well answers a question. */
#define ATTACH_PATIENCE_US 5000000

/**
 * attach_find() - connect to the holder of @device. A socket; -ENOENT: nobody holds it; -errno with
 * @e.
 */
int attach_find(const char *device, pid_t *pid, struct error *e);

/**
 * attach_exit_reason() - why it is held no more, as this user's last holder of it has left it; free()
 * it. NULL: no reason was left.
 */
char *attach_exit_reason(const char *device);

/**
 * attach_other() - for root, whether another user's holder has @device. 0: none that is seen;
 * -EBUSY with @e.
 */
int attach_other(const char *device, struct error *e);

/**
 * attach_reason() - a holder broke off: the exit reason that it left wins over "broke off"
 * @device: what it held
 * @rc: of attach_args(), attach_put(), attach_answer() or attach_ask(); others than a broken
 * connection pass unchanged
 * Returns: @rc; @e is replaced when a reason was left and nobody holds @device now.
 */
int attach_reason(const char *device, int rc, struct error *e);

/**
 * attach_nobody() - the sentence for attach_find()'s -ENOENT: nobody holds it, or another user
 * does. Always -ENOENT.
 */
int attach_nobody(const char *device, struct error *e);

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
