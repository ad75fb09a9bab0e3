/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows at the top of a terminal that stay while other text is written and
 * scrolls below them. The cursor is never moved out of that text, so whoever
 * writes there need not know. Nothing is lost when the rows come: what stood
 * there goes down, or into the terminal's memory of former lines.
 */
#ifndef MSICTL_TERM_BANNER_H
#define MSICTL_TERM_BANNER_H

#include <stdbool.h>

struct banner {
	int terminal;	    /* borrowed */
	unsigned int rows;  /* that are taken, 0: none */
	unsigned int lines; /* of the terminal, when they were taken */
	unsigned int columns;
};

/** banner_can() - whether the terminal, by its name in TERM, knows how. */
bool banner_can(const char *term);

/** banner_measure() - ask for the terminal's size. */
void banner_measure(struct banner *b);

/**
 * banner_put() - take @rows rows and show @text there, a line each; the cursor must be at the
 * beginning of a line that nothing is below of. 0 or -errno.
 */
int banner_put(struct banner *b, unsigned int rows, const char *text);

/**
 * banner_paint() - other text, in one write. 0, -EAGAIN when the terminal takes nothing now
 * (Ctrl-S), -errno.
 */
int banner_paint(struct banner *b, const char *text);

/** banner_lift() - give the rows back: what is below moves up, the cursor with it. 0 or -errno. */
int banner_lift(struct banner *b);

/** banner_clear() - an empty screen below the rows, and the cursor there. 0 or -errno. */
int banner_clear(struct banner *b);

/**
 * banner_lost() - the terminal's size changed, and where the rows are now is not known: all that is
 * above the cursor becomes former lines, the screen is empty, without rows. 0 or -errno.
 */
int banner_lost(struct banner *b);

#endif
