/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a holder tells of a device: JSON, an object per line. The answer to HOLD_STATE is a device
 * and its indexes, that to HOLD_COUNTS its vectors; the command STREAM_WORD tells both as far as
 * they are not 0, and goes on with what changes. A device there is another one, which counts anew.
 *
 *	{"device":"01:00.0","since":1700000000,"callers":1,"open":true}
 *	{"index":"msix","on":true,"armed":4,"vectors":64}
 *	{"index":"msix","vector":3,"armed":true,"count":21,"wakeups":9,"more":7}
 */
#ifndef MSICTL_HOLD_LINES_H
#define MSICTL_HOLD_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/handle.h"

struct hold_line {
	enum hold_line_of {
		LINE_DEVICE,
		LINE_INDEX,
		LINE_VECTOR,
	} of;
	const char *device;
	uint64_t since; /* seconds since 1970 */
	uint64_t callers;
	bool open;
	enum irq_index index;
	bool on;		  /* of an index: it is enabled, and counted for people */
	uint64_t narmed, vectors; /* of an index: how many are armed, how many there are */
	unsigned int vector;
	bool armed; /* of a vector */
	uint64_t count, wakeups;
	uint64_t more; /* so many since the line before; 0: the first */
};

/** hold_line_index() - of a device's index; hold_line_vector() of its vector @v, with 0 more. */
struct hold_line hold_line_index(const struct device *d, enum irq_index index);
struct hold_line hold_line_vector(const struct index *ix, unsigned int v);

/** hold_line_text() - the line without its end; free() it. NULL: no memory. */
char *hold_line_text(const struct hold_line *l);

/* Lines as they come in pieces; of somebody who may send anything. */
struct hold_reader;

/** hold_reader_new() - @take gets each line, valid for the call; -errno of it ends reading. */
struct hold_reader *hold_reader_new(int (*take)(void *ctx, const struct hold_line *l), void *ctx);
void hold_reader_free(struct hold_reader *r);

/**
 * hold_reader_take() - the next @n bytes. 0, -EPROTO: that is no line of a holder, or has no end;
 * -errno.
 */
int hold_reader_take(struct hold_reader *r, const char *text, size_t n);

/** hold_lines_read() - a whole answer. As hold_reader_take(), -EPROTO for a line that is cut. */
int hold_lines_read(const char *text, size_t n, int (*take)(void *ctx, const struct hold_line *l),
		    void *ctx);

/* The answer to HOLD_STATE. */
struct hold_state {
	char *device; /* NULL: it is not told; free() it */
	uint64_t since, callers;
	bool open;
	struct {
		bool there;
		uint64_t armed, vectors;
	} index[NR_IRQ_INDEX];
};

/** hold_state_read() - as hold_lines_read(); free(st->device) in any case. */
int hold_state_read(const char *text, size_t n, struct hold_state *st);

#endif
