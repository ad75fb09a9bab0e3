/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page on the terminal that is painted again and again, and the keys typed
 * meanwhile. Ctrl-Z gives the terminal back until the program is continued.
 */
#ifndef MSICTL_TERM_SCREEN_H
#define MSICTL_TERM_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/loop.h"
#include "out/printer.h"

struct screen;

/**
 * screen_open() - the other page of the terminal that @o (borrowed) writes to. 0, -ENOTTY when that
 * is none or can't be painted on, -errno.
 */
int screen_open(struct screen **s, struct out *o, struct loop *loop);

/** screen_close() - the terminal as it was. NULL is fine. */
void screen_close(struct screen *s);

/** screen_size() - of the terminal now. */
void screen_size(const struct screen *s, unsigned int *lines, unsigned int *columns);

/** screen_resized() - whether it changed since the last painting, or what was painted is gone. */
bool screen_resized(const struct screen *s);

/** screen_key() - a key typed since the last call, 0: none. */
char screen_key(struct screen *s);

/**
 * screen_paint() - lines of text, cut to the terminal's size; nothing while in the background. 0 or
 * -ENOMEM.
 */
int screen_paint(struct screen *s, const char *text);

/**
 * screen_put_line() - @n bytes of text cut to @columns, and what stood behind it erased; the cursor
 * stays in the line.
 */
void screen_put_line(FILE *f, const char *text, size_t n, unsigned int columns);

#endif
