/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counts and events as they come -> a few lines for people. Pure: the time is
 * passed in. What an update costs grows with the vectors that counted lately,
 * not with those that are armed; while nothing comes nothing is due, so all
 * times shown are those of a clock and do not age.
 */
#ifndef MSICTL_TERM_PANEL_H
#define MSICTL_TERM_PANEL_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "irq/index.h"

/* Of an index: how many vectors have an eventfd, of how many. */
struct panel_index {
	bool on;
	unsigned int armed, of;
};

/* A vector counted @n more, @total in all; 0 more: what it counted before anybody looked. */
struct panel_count {
	enum irq_index index;
	unsigned int vector;
	uint64_t n, total;
};

struct panel;

/** panel_new() - 0 or -ENOMEM. */
int panel_new(struct panel **p);
void panel_free(struct panel *p);

/** panel_forget() - another device: its counts begin anew, the events stay. */
void panel_forget(struct panel *p);

/** panel_set() - what is true of an index now. */
void panel_set(struct panel *p, enum irq_index index, const struct panel_index *state);

/** panel_count() - @now in us of a monotonic clock, @at in seconds of the day's. 0 or -ENOMEM. */
int panel_count(struct panel *p, const struct panel_count *c, uint64_t now, time_t at);

/** panel_event() - something happened: a line. The latest few are kept. */
void panel_event(struct panel *p, time_t at, const char *text);

/** panel_due() - when it has to be drawn again; UINT64_MAX: never, unless something comes. */
uint64_t panel_due(const struct panel *p);

/** panel_rows() - lines that it needs now, @most at the most; 0: there is nothing to tell. */
unsigned int panel_rows(struct panel *p, unsigned int most, unsigned int columns);

/**
 * panel_draw() - exactly @rows lines, each ended by a newline; the last one is a rule, @columns
 * wide
 *
 * Meant for a screen of that many columns; a line may still be too long for it.
 * Returns: allocated text, NULL: no memory.
 */
char *panel_draw(struct panel *p, uint64_t now, unsigned int rows, unsigned int columns);

#endif
