/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens to the session's device while somebody types: as a panel above
 * the prompt, or as lines. The panel is there while the prompt is; it makes
 * way for whatever else is written.
 */
#ifndef MSICTL_SHELL_LIVE_H
#define MSICTL_SHELL_LIVE_H

#include "cli/session.h"

struct live;

/** live_open() - for a shell on the terminal @fd (borrowed). 0 or -errno. */
int live_open(struct live **l, struct session *s, int fd);

/** live_close() - the rows must have been given back. NULL is fine. */
void live_close(struct live *l);

/** live_counted() - as device_events.counted. */
void live_counted(struct live *l, struct index *ix, struct vector *v, uint64_t n);

/** live_lost() - the device is no longer there: nothing is left to tell of its counts. */
void live_lost(struct live *l, const char *why);

/** live_due() - when live_update() is wanted; UINT64_MAX: never, unless something comes. */
uint64_t live_due(const struct live *l);

/**
 * live_update() - tell what is new. True: it needs more rows, live_lift() and live_place() give
 * them.
 */
bool live_update(struct live *l);

/**
 * live_place() - the panel, for the prompt that comes; the cursor is at the beginning of an empty
 * line.
 */
void live_place(struct live *l);

/** live_lift() - the terminal without the panel, the cursor where it was in its text. */
void live_lift(struct live *l);

/** live_shown() - whether the panel takes rows. */
bool live_shown(const struct live *l);

/** live_clear() - an empty screen, but for the panel. */
void live_clear(struct live *l);

/**
 * live_resized() - where the panel is on the terminal is no longer known; the screen is empty now.
 */
void live_resized(struct live *l);

/** live_room() - lines and columns that are left for others. */
void live_room(const struct live *l, int *lines, int *columns);

#endif
