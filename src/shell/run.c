// SPDX-License-Identifier: GPL-2.0-or-later
/* run: a script's lines on one opened device. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/script-reader.h"
#include "shell/line.h"
#include "shell/rows.h"
#include "shell/run.h"

enum {
	RUN_COMMANDS,
	RUN_KEEP_GOING
};

struct script {
	const char *name;
	struct lines lines;
	bool keep_going;
	bool at_hand; /* the lines are here already */
	enum cause status;
};

static void on_released(void *ctx)
{
	struct session *s = ctx;

	s->released = true;
	out_note(s->out, "the %s wants the device back: released", s->device->ops->keeper);
}

static void on_lost(void *ctx)
{
	struct session *s = ctx;

	out_note(s->out, "%s", s->device->gone);
}

static int stopped(struct session *s, struct error *e)
{
	return fail(e, CAUSE_FAILED, EINTR, "stopped by %s%s", strsignal(loop_stopped(s->loop)),
		    session_undone(s));
}

static int refuse_line(struct session *s, struct script *sc, const char *where, int err,
		       const char *why)
{
	struct error e;
	int rc = fail(&e, err ? CAUSE_FAILED : CAUSE_USAGE, err, "%s", why);

	out_error(s->out, where, &e);
	sc->status = sc->status ? sc->status : e.cause;
	return rc;
}

static int run_line(struct session *s, struct script *sc, const char *where, char *line, size_t len)
{
	int rc;

	if (memchr(line, '\0', len))
		return refuse_line(s, sc, where, 0, "the line holds a NUL byte, this is no script");
	rc = line_run(s, line, where, sc->keep_going, &sc->status);
	if (loop_stopped(s->loop))
		return -EINTR;
	return sc->keep_going ? 0 : rc;
}

/* In front of an error: which script, and where in it. NULL when there is no memory for that. */
static char *place(const char *name, unsigned int line)
{
	_cleanup_free_ char *clean = escape_text_dup(name);
	char *where;

	return clean && asprintf(&where, "%s:%u", clean, line) >= 0 ? where : NULL;
}

static void run_lines(struct session *s, struct script *sc)
{
	int rc = 0;

	for (unsigned int nr = 1; rc == 0 && !s->quit; nr++) {
		_cleanup_free_ char *where = place(sc->name, nr);
		size_t len;
		char *line;

		rc = lines_next(&sc->lines, s->loop, &line, &len);
		if (rc == 0)
			return;
		if (rc > 0)
			rc = run_line(s, sc, where, line, len);
		else if (rc == -E2BIG)
			refuse_line(s, sc, where, 0, "the line has no end, this is no script");
		else if (rc != -EINTR)
			refuse_line(s, sc, where, -rc, "the script can't be read on");
	}
}

/* Failures of single commands were told where they happened; what is left is the status. */
static int outcome(struct session *s, const struct script *sc, struct error *e)
{
	if (s->loop && loop_stopped(s->loop))
		return stopped(s, e);
	if (sc->status == CAUSE_NONE)
		return 0;
	*e = (struct error){ .cause = sc->status };
	return -ECANCELED;
}

static int run_script(struct session *s, const char *device, struct script *sc, struct error *e)
{
	const struct device_events ev = { .released = on_released, .lost = on_lost, .ctx = s };
	int rc = line_open(s, device, &ev, e);

	if (rc)
		return rc;
	if (!sc->at_hand)
		line_hang_up(s);
	s->inside = true;
	run_lines(s, sc);
	s->inside = false;
	rc = outcome(s, sc, e);
	line_close(s);
	return rc;
}

int run_stream(struct session *s, const char *device, const char *name, bool keep_going,
	       struct error *e)
{
	struct script sc = { .name = name, .keep_going = keep_going };
	/* A script that can't be read must not reset a device: it comes first. */
	int rc = lines_of_file(&sc.lines, name, e);

	if (rc == 0)
		rc = run_script(s, device, &sc, e);
	lines_close(&sc.lines);
	return rc;
}

static int run_text(struct session *s, const char *device, const char *text, bool keep_going,
		    struct error *e)
{
	struct script sc = { .name = "-c", .keep_going = keep_going, .at_hand = true };
	int rc = lines_of_text(&sc.lines, text, e);

	if (rc == 0)
		rc = run_script(s, device, &sc, e);
	lines_close(&sc.lines);
	return rc;
}

static int run_run(struct session *s, const struct args *a, struct error *e)
{
	const struct value *commands = &a->option[RUN_COMMANDS], *file = &a->param[1];
	bool keep_going = a->option[RUN_KEEP_GOING].given;
	int rc;

	if (commands->given == file->given) {
		_cleanup_free_ char *device = quote_word_dup(a->param[0].text);

		rc = fail(e, CAUSE_USAGE, 0,
			  "what to run: a FILE, - for standard input, or -c 'COMMANDS'");
		hint(e, "msictl run %s -c 'enable msix 4; counters'",
		     device ? device : a->param[0].text);
		return rc;
	}
	if (file->given)
		return run_stream(s, a->param[0].text, file->text, keep_going, e);
	return run_text(s, a->param[0].text, commands->text, keep_going, e);
}

const struct command cmd_run = {
	.word = "run",
	.summary = "run commands on one opened device",
	.help = "The same commands as on the command line, without DEVICE; one per line or separated by ;, # begins a "
		"comment. "
		"Stops at the first failure, whose exit status it takes; errors name the line. When it ends, "
		"everything is put "
		"back.",
	.family = FAMILY_SCRIPT,
	.flags = CMD_OUTSIDE | CMD_LIVE_HOST,
	COMMAND_PARAMS({ .type = ARG_DEVICE },
		       { .type = ARG_FILE, .name = "FILE|-", .optional = true }),
	COMMAND_OPTIONS(
		[RUN_COMMANDS] = { "commands", 'c', ARG_TEXT, "COMMANDS", NULL,
				   "run these instead of a file" },
		[RUN_KEEP_GOING] = { "keep-going", 'k', ARG_FLAG, NULL, NULL,
				     "go on after a failure; the first one gives the exit status" }),
	.run = run_run,
};
