/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The caller's side of a holder. */
#ifndef MSICTL_ATTACH_H
#define MSICTL_ATTACH_H

#include <stdbool.h>
#include <sys/types.h>

#include "session.h"

/** attach_find() - connect to the holder of @device. A socket; -ENOENT: nobody holds it; -errno with @e. */
int attach_find(const char *device, pid_t *pid, struct error *e);

/** attach_nobody() - the sentence for attach_find()'s -ENOENT. Always -ENOENT. */
int attach_nobody(const char *device, struct error *e);

/**
 * attach_args() - let the holder run a parsed command with the session's globals, print what it says
 * @sock: from attach_find(), closed at the end
 * @where: what an error begins with: "FILE:7"; NULL
 * Returns: the exit status; -EINTR when the user asked to stop, -errno when the holder broke off, both with @e.
 */
int attach_args(struct session *s, int sock, const char *where, const struct args *a, struct error *e);

/**
 * attach_ask() - let the holder run a command and take what it prints on stdout instead of showing it
 * @sock: closed at the end
 * @word: @n words, the command's first, DEVICE left out
 * @text: free() it; terminated, of @size bytes
 * Returns: the exit status, or -errno with @e.
 */
int attach_ask(int sock, const char *const *word, size_t n, char **text, size_t *size, struct error *e);

/** attach_read() - the same by DEVICE. Status or -errno, -ENOENT when nobody holds it. */
int attach_read(const char *device, const char *const *word, size_t n, char **text, struct error *e);

#endif
