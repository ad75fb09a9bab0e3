/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of a capture, one entry after another: the writing side of msictl-capture(5). */
#ifndef MSICTL_CAPTURE_TEXT_H
#define MSICTL_CAPTURE_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Longer lines of a text are written in hexadecimal. */
#define CAPTURE_TEXT_LINE 16384

/**
 * capture_put_folder() - "/sys/kernel/irq/24": the entries that follow are in it. @path without a
 * slash in front.
 */
void capture_put_folder(FILE *to, const char *path);

/**
 * capture_put_file() - a file with these bytes: as text when they look like it, else in
 * hexadecimal.
 */
void capture_put_file(FILE *to, const char *name, const void *bytes, size_t size);

void capture_put_link(FILE *to, const char *name, const char *target);

/**
 * capture_put_unread() - a file or folder that is there and could not be read. @err: errno,
 * positive.
 */
void capture_put_unread(FILE *to, const char *name, int err);

#endif
