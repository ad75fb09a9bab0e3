/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counts that are looked at again and again -> what happened in between.
 * Pure. A vector is known by its index and number, or by its Linux IRQ where
 * the host does not tell the number; never by its place in a list.
 */
#ifndef MSICTL_IRQ_SAMPLE_H
#define MSICTL_IRQ_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "irq/index.h"

#define TREND_LENGTH 8

struct trend {
	uint64_t delta;	  /* since the sample before */
	double rate;	  /* per second, of the same time */
	uint64_t last_us; /* time of the last sample that saw something new; 0: none did */
	double history[TREND_LENGTH]; /* rates, oldest first */
	unsigned int n;
};

/** trend_quiet() - nothing came in all of the history. */
bool trend_quiet(const struct trend *t);

/* Who counted, which decides what came since the sample before. */
enum count_from {
	COUNT_EVENTFD, /* we, from 0 each time that the vector is made: the difference of two counts */
	COUNT_HOST,    /* Linux, CPU by CPU: who read that says what came (irq/count.h) */
};

/* What a look at one vector found. */
struct reading {
	enum irq_index index;
	int vector; /* -1: not known, then @irq is the key */
	bool has_irq;
	unsigned int irq;
	bool counted; /* @count could be read */
	bool hidden;  /* it is not asked for now, but may be later */
	enum count_from from;
	bool compared;	/* COUNT_HOST: @fresh is what came since the sample before */
	uint64_t fresh; /* COUNT_HOST */
	uint64_t count, wakeups;
};

struct sampled {
	struct reading now;
	bool present;	       /* in the last sample, and not hidden */
	bool seen;	       /* in the last sample */
	bool compared;	       /* trend.delta and trend.rate are known */
	unsigned int absent;   /* samples without it */
	uint64_t since_us;     /* time of the first sample with it */
	uint64_t wakeup_delta; /* like trend.delta */
	struct trend trend;
};

struct samples {
	struct sampled *v; /* sorted by index, vector, irq */
	size_t n, sorted, room;
	uint64_t at_us, before_us;
	unsigned int taken;
	bool blind, was_blind; /* the last sample, and the one before, could not be taken */
	struct trend total;    /* of all that are present */
};

void samples_free(struct samples *s);

/**
 * samples_begin() - a sample is taken at @now; samples_add() each vector once, then samples_end().
 */
void samples_begin(struct samples *s, uint64_t now);

/** samples_add() - 0 or -ENOMEM. */
int samples_add(struct samples *s, const struct reading *r);

/** samples_blind() - nobody could be asked this time: that nothing was added says nothing. */
void samples_blind(struct samples *s);
void samples_end(struct samples *s);

enum mark {
	MARK_NONE,
	MARK_STORM, /* more than a given rate */
	MARK_ONCE,  /* one event since it was allocated, and none for a while */
};

/** sampled_mark() - what is odd about a vector. @storm per second. */
enum mark sampled_mark(const struct samples *s, const struct sampled *v, double storm);

/** mark_word() - "storm", "once", NULL for none. */
const char *mark_word(enum mark mark);

#endif
