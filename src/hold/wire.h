/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a caller and a holder say to each other: one request, the words of a
 * command, then frames of what it prints and at last its exit status. The
 * caller's going ends the command.
 */
#ifndef MSICTL_HOLD_WIRE_H
#define MSICTL_HOLD_WIRE_H

#include <stdint.h>

#define HOLD_MAGIC 0x6d736831u /* "msh1" */

/* More than any command line of ours. */
#define HOLD_MAX_REQUEST 65536u

/* More words than any command takes, and the options in front of it. */
#define HOLD_MAX_WORDS 128

/* What a caller that does not read may queue up before it is given up. */
#define HOLD_MAX_QUEUE (8u << 20)

/*
 * Behind it @size bytes of words, each ended by a NUL. The first is what an error begins with:
 * "FILE:7", or nothing. The others are the words of a command line as they were typed, without the
 * program and DEVICE.
 */
struct hold_request {
	uint32_t magic;
	uint32_t flags; /* HOLD_COLOR | ... */
	uint32_t size;
};

enum hold_frame_kind {
	HOLD_DATA = 1, /* for stdout */
	HOLD_NOTE,     /* for stderr */
	HOLD_STATUS,   /* the exit status, one byte; the last frame */
};

struct hold_frame {
	uint32_t kind;
	uint32_t size; /* of the bytes behind it */
};

/* The caller's terminal can emphasise; and what holds for each line of the caller's session. */
#define HOLD_COLOR	1u
#define HOLD_JSON	2u
#define HOLD_NOHEADINGS 4u
#define HOLD_TRACE	8u
#define HOLD_DRY_RUN	16u

/*
 * What only holders understand, where a command's word would be. When it fails, why: a sentence and
 * a hint, each ended by a NUL.
 */
#define HOLD_STATE "@state" /* tell of the device, in lines of src/hold/lines.h */
#define HOLD_TAKE \
	"@take" /* DEVICE [bind] [keep]: hold this one too, it is of the same IOMMU group */
#define HOLD_COUNTS "@counts" /* tell what its vectors counted, in such lines */
#define HOLD_RELEASE \
	"@release" /* put everything back, let it go; HOLD_LATER when the driver has to wait */

#define HOLD_LATER "later" /* it is given back with the last function of its IOMMU group */

/* Not a word of its own but a hidden command: it goes on until the caller hangs up. */
#define STREAM_WORD "__feed" /* tell of the device and its counts, then of what changes */

/* More than a line of src/hold/lines.h, which may have a path in it. */
#define HOLD_MAX_LINE 32768u

#define HOLD_WORD_BIND "bind"
#define HOLD_WORD_KEEP "keep"

#endif
