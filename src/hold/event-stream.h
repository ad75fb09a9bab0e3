/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts of a device that is held, as they come. */
#ifndef MSICTL_HOLD_EVENT_STREAM_H
#define MSICTL_HOLD_EVENT_STREAM_H

#include "cli/session.h"
#include "term/panel.h"

/* No call may close the feed. */
struct stream_handler {
	void (*anew)(void *ctx);
	void (*index)(void *ctx, enum irq_index index, const struct panel_index *state);
	void (*vector)(void *ctx, const struct panel_count *c);
	void (*ended)(void *ctx); /* by the holder */
	void *ctx;
};

struct event_stream;

/**
 * stream_open() - from the holder of @device, by @loop (borrowed). 0, -ENOENT: nobody holds it,
 * -errno.
 */
int stream_open(struct event_stream **f, struct loop *loop, const char *device,
		const struct stream_handler *h);

/** stream_ended() - the holder has ended it. */
bool stream_ended(const struct event_stream *f);

/** stream_close() - NULL is fine. */
void stream_close(struct event_stream *f);

#endif
