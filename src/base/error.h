/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What went wrong, why, and what to type next.
 *
 * Functions return 0 or -errno; one that knows more than errno takes a
 * struct error last and fills it. Only main.c turns a cause into an exit.
 */
#ifndef MSICTL_BASE_ERROR_H
#define MSICTL_BASE_ERROR_H

#include <stdbool.h>
#include <stdint.h>

/* The documented exit statuses; the values are the interface of scripts. */
enum cause {
	CAUSE_NONE = 0,
	CAUSE_FAILED = 1,
	CAUSE_USAGE = 2,
	CAUSE_NO_DEVICE = 3,
	CAUSE_PERMISSION = 4,
	CAUSE_BUSY = 5,
	CAUSE_NOT_VIABLE = 6,
	CAUSE_SHORT = 7,
	CAUSE_EXPECTATION = 8,
	CAUSE_DISTURB = 9,
};

/* Room for a sentence with a path of PATH_MAX in it, or a few with a socket's path each. */
#define ERROR_TEXT 8192

struct error {
	enum cause cause;
	int err;		  /* errno, positive; 0: none applies */
	char message[ERROR_TEXT]; /* what failed and why, without prefix or newline */
	char hint[ERROR_TEXT];	  /* the next command to type; may be empty */
};

/**
 * fail() - fill an error
 * @err: errno as a positive number, 0 when no system call is behind it
 * Returns: -err, or -EINVAL when @err is 0, so that callers can return it.
 */
int fail(struct error *e, enum cause cause, int err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/** fail_memory() - memory ran out (CAUSE_FAILED). Returns: -ENOMEM. */
int fail_memory(struct error *e);

/**
 * hint() - say what to type next; replaces an earlier hint. One that has no room is left out: a
 * part of a command is another command.
 */
void hint(struct error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** cause_word() - the stable word of a cause, used in JSON and the man page. Never NULL. */
const char *cause_word(enum cause cause);

/** cause_help() - one line on what the exit status means. NULL past the last. */
const char *cause_help(enum cause cause);

/**
 * cause_of_errno() - the cause that an errno from open(2), read(2) or write(2) stands for
 * @err: positive. ENOSPC is a full file system here, so CAUSE_FAILED: ENOSPC means
 * too few vectors from VFIO_DEVICE_SET_IRQS alone, and explain_set() says CAUSE_SHORT there.
 */
enum cause cause_of_errno(int err);

/** errno_name() - "ENOSPC" for 28; "E999" style for unknown numbers, in a static table or @buf. */
const char *errno_name(int err, char buf[16]);

#endif
