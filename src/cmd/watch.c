// SPDX-License-Identifier: GPL-2.0-or-later
/* watch */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cmd/all.h"
#include "cmd/watch.h"

#define DELAY_US     1000000
#define MIN_DELAY_US 100000
#define STORM_RATE   100000

enum {
	WATCH_DELAY,
	WATCH_ITERATIONS,
	WATCH_BATCH,
	WATCH_SORT,
	WATCH_STORM,
	WATCH_METRICS,
};

/* The page is made as for a stream of text, and painted at once. */
static int paint(struct out *o, struct watch *w)
{
	unsigned int lines, columns;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size), *before;
	int rc;

	if (!f)
		return -ENOMEM;
	screen_size(w->screen, &lines, &columns);
	before = out_swap_data(o, f);
	rc = watch_tell(o, w, lines);
	out_end(o);
	out_swap_data(o, before);
	if (fclose(f))
		rc = -ENOMEM;
	if (!rc)
		rc = screen_paint(w->screen, text);
	free(text);
	return rc;
}

static int show(struct session *s, struct watch *w, struct error *e)
{
	int rc;

	if (w->screen) {
		rc = paint(s->out, w);
	} else {
		rc = watch_tell(s->out, w, 0);
		out_end(s->out);
	}
	if (rc)
		return fail_memory(e);
	/* a reader that has gone is noticed here */
	return out_flush(s->out, e);
}

/* On a painted page it has its line. */
static void tell_note(struct session *s, struct watch *w)
{
	if (w->screen || !strcmp(w->note, w->noted))
		return;
	copy_text(w->noted, sizeof(w->noted), w->note);
	if (w->note[0])
		out_note(s->out, "msictl: %s", w->note);
}

static int refresh(struct session *s, struct watch *w, struct error *e)
{
	int rc = watch_look(s, w, e);

	/* What was asked of a holder was given up: there is nothing new to show. */
	if (rc || (s->loop && loop_stopped(s->loop)))
		return rc;
	tell_note(s, w);
	rc = show(s, w, e);
	if (!rc)
		rc = w->metrics ? watch_write_metrics(w, e) : 0;
	if (w->left != UINT64_MAX)
		w->left--;
	return rc;
}

/* 1: the user wants to leave. */
static int obey(struct session *s, struct watch *w, char key, struct error *e)
{
	static const char keys[NR_SORT] = { [SORT_VECTOR] = 'v',
					    [SORT_IRQ] = 'i',
					    [SORT_RATE] = 'r',
					    [SORT_COUNT] = 'c',
					    [SORT_DELTA] = 'd' };
	const char *known = key ? memchr(keys, key, sizeof(keys)) : NULL;

	if (key == 'q')
		return 1;
	if (known) {
		w->sort = (enum sort_key)(known - keys);
		w->sorted = true;
	}
	return known || screen_resized(w->screen) ? show(s, w, e) : 0;
}

static int step(struct session *s, void *state, uint64_t *due, struct error *e)
{
	struct watch *w = state;
	int rc = 0;

	if (s->device) {
		rc = device_here(s->device, e);
		if (rc)
			return rc;
	}
	if (now_us() >= w->due) {
		/*
		 * rates of a shorter time than was asked for would jump: a refresh that was late is
		 * not made up for
		 */
		w->due = now_us() + w->delay_us;
		rc = refresh(s, w, e);
		if (rc || !w->left)
			return rc;
	}
	if (w->screen)
		rc = obey(s, w, screen_key(w->screen), e);
	if (rc)
		return rc < 0 ? rc : 0;
	*due = w->due;
	return 1;
}

static void end(void *state)
{
	struct watch *w = state;

	screen_close(w->screen);
	watch_forget(w);
	free(w->metrics_copy);
	free(w);
}

static int take_file(struct watch *w, const char *file, struct error *e)
{
	if (!strcmp(file, "-")) {
		fail(e, CAUSE_USAGE, 0,
		     "--openmetrics: - is no file, and the page would stand among the refreshes");
		hint(e, "msictl counters --openmetrics   prints the page");
		return -EINVAL;
	}
	/* the words of a line do not outlive it */
	w->metrics = w->metrics_copy = strdup(file);
	return w->metrics ? 0 : fail_memory(e);
}

static int take_options(struct watch *w, const struct args *a, struct error *e)
{
	const struct value *delay = &a->option[WATCH_DELAY],
			   *iterations = &a->option[WATCH_ITERATIONS],
			   *sort = &a->option[WATCH_SORT], *storm = &a->option[WATCH_STORM];

	if (delay->given && delay->number < MIN_DELAY_US)
		return fail(e, CAUSE_USAGE, 0, "--delay: 0.1 s (100ms) is the least");
	if (iterations->given && !iterations->number)
		return fail(e, CAUSE_USAGE, 0, "--iterations: at least 1");
	w->delay_us = delay->given ? delay->number : DELAY_US;
	w->left = iterations->given ? iterations->number : UINT64_MAX;
	w->storm = storm->given ? (double)storm->number : STORM_RATE;
	if (sort->given) {
		w->sort = (enum sort_key)sort->number;
		w->sorted = true;
	}
	return a->option[WATCH_METRICS].given ? take_file(w, a->option[WATCH_METRICS].text, e) : 0;
}

static int open_screen(struct session *s, struct watch *w, struct error *e)
{
	int rc = screen_open(&w->screen, s->out, s->loop);

	return !rc || rc == -ENOTTY
		       ? 0
		       : fail(e, CAUSE_FAILED, -rc, "the terminal can't be painted on");
}

static int run_watch(struct session *s, const struct args *a, struct error *e)
{
	struct watch *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return fail_memory(e);
	rc = take_options(w, a, e);
	if (!rc && !session_loop(s, e))
		rc = -ENOMEM;
	if (!rc)
		rc = watch_choose(s, w, a, e);
	if (!rc && !a->option[WATCH_BATCH].given && !out_is_json(s->out))
		rc = open_screen(s, w, e);
	if (rc) {
		end(w);
		return rc;
	}
	w->due = now_us();
	session_stay(s, step, end, w);
	s->job.open_ended = w->left == UINT64_MAX;
	return 0;
}

const struct command cmd_watch = {
	.word = "watch",
	.summary = "show counts and rates of vectors as they change",
	.help = "Of functions of any driver, a running VM's included; inside run and shell, and of a "
		"DEVICE that is held, its eventfds. "
		"Without DEVICE a line per function that has vectors. VECTORS come last: 3, 0-3,7, all, armed.\n"
		"On a terminal the page is painted in place, the busiest first when not all fit: q ends it, v, i, r, c "
		"and d sort by vector, IRQ, rate, count and delta. Elsewhere, with --batch and with --json it is "
		"printed "
		"again and again; in JSON an object per refresh, with the time. Vectors that never counted are told in "
		"one line.\n"
		"A vector or function that comes or goes leaves the figures of the others alone: they go by index and "
		"vector, or by IRQ number. Interrupts that are posted to a VM bypass the host, which may count none: "
		"of a "
		"device that another program holds through VFIO it is said who that is, its vectors are never marked "
		"once, and among all functions it keeps its row, marked posted.\n"
		"The page of --openmetrics is Prometheus' text format, as the textfile collector of node_exporter "
		"takes "
		"it from a FILE whose name ends in .prom.\n"
		"    msictl watch 01:00.0 0-3 --delay 500ms",
	.family = FAMILY_LOOK,
	COMMAND_PARAMS({ .type = ARG_DEVICE, .optional = true, .many = true },
		       { .type = ARG_VECTORS, .optional = true }),
	COMMAND_OPTIONS(
		[WATCH_DELAY] = { "delay", 'd', ARG_PERIOD, "T", NULL,
				  "time between refreshes: 100ms and more (1s)" },
		[WATCH_ITERATIONS] = { "iterations", 'n', ARG_COUNT, "N", NULL,
				       "end after N refreshes" },
		[WATCH_BATCH] = { "batch", 'b', ARG_FLAG, NULL, NULL, "print again and again" },
		[WATCH_SORT] = { "sort", 0, ARG_CHOICE, "KEY", SORT_WORDS,
				 "vector, irq, rate, count or delta" },
		[WATCH_STORM] = { "storm", 0, ARG_RATE, "HZ", NULL,
				  "mark what is above this rate (100000)" },
		[WATCH_METRICS] = { "openmetrics", 0, ARG_FILE, NULL, NULL,
				    "keep FILE a page of counters in Prometheus' text format" }),
	.table = &watch_table,
	.run = run_watch,
};
