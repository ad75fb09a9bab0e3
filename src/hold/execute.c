// SPDX-License-Identifier: GPL-2.0-or-later
#include "hold/execute.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "hold/client.h"

/* More words than any command takes. */
#define MAX_WORDS 64

int execute_command(struct session *s, const struct args *a, struct error *e)
{
	int rc = 0;

	s->misses = root_misses(&s->root);
	if (s->trace.dry_run && a->command->flags & CMD_CHANGES)
		doc_bool(out_doc(s->out), "dry_run", true);
	if (s->device)
		rc = device_dry_begin(s->device, e);
	if (rc == 0)
		rc = a->command->run(s, a, e);
	if (s->device)
		device_dry_end(s->device);
	/* a command that stays has not looked at all yet */
	return s->job.step ? rc : session_seen(s, rc, e);
}

static int run_row(struct session *s, const struct command *cmd, const struct args *a,
		   struct error *e)
{
	int rc;

	if (s->globals.help) {
		command_help(s->commands, cmd, true, s->out);
		return 0;
	}
	if (cmd->flags & CMD_OPENS && s->device) {
		rc = device_here(s->device, e);
		if (rc)
			return rc;
	}
	return execute_command(s, a, e);
}

static int parse(struct session *s, int n, char **word, const char **what, struct args *args,
		 struct error *e)
{
	const struct command *cmd = command_find(s->commands, word[0], true, e);
	struct globals g = s->globals;
	int rc;

	if (!cmd)
		return -EINVAL;
	*what = cmd->word;
	rc = command_parse(cmd, n, word, true, &g, args, e);
	/* How it is to be told holds for a mistake behind it, too. */
	if (rc)
		s->globals.json = g.json;
	else
		s->globals = g;
	session_apply(s);
	return rc;
}

/*
 * Callers run all else themselves. What stays and looks at the device meanwhile would here see
 * another caller reopen it; only the feed, which no person types, is made for that.
 */
static int check_held(const struct args *a, struct error *e)
{
	if (command_for_holder(a) || a->command->flags & CMD_HIDDEN)
		return 0;
	return fail(e, CAUSE_USAGE, 0, "%s is not for a holder to run", a->command->word);
}

int execute_begin(struct session *s, int n, char **word, const char **what, struct error *e)
{
	struct args args;
	int rc = parse(s, n, word, what, &args, e);

	if (rc == 0)
		rc = check_held(&args, e);
	return rc ? rc : run_row(s, args.command, &args, e);
}

/* -ECANCELED with a cause alone: it failed there, and the holder has said why. */
static int forward(struct session *s, const char *where, const struct args *a, struct error *e)
{
	pid_t pid;
	int rc = attach_find(s->attached, &pid, e);

	if (rc == -ENOENT)
		return attach_nobody(s->attached, e);
	if (rc >= 0)
		rc = attach_reason(s->attached, attach_args(s, rc, where, a, e), e);
	if (rc <= 0)
		return rc;
	*e = (struct error){ .cause = (enum cause)rc };
	return -ECANCELED;
}

static bool is_forwarded(const struct session *s, const struct args *a)
{
	return s->attached && !s->globals.help && command_for_holder(a);
}

static int execute_words(struct session *s, int n, char **word, const char *where,
			 const char **what, struct error *e)
{
	struct args args;
	int rc = parse(s, n, word, what, &args, e);

	if (rc == 0 && is_forwarded(s, &args))
		return forward(s, where, &args, e);
	if (rc == 0)
		rc = run_row(s, args.command, &args, e);
	if (rc == 0)
		rc = session_drive(s, e);
	/* What has arrived meanwhile is counted before the next command looks. */
	if (s->device && s->device->handle)
		device_drain(s->device);
	return rc;
}

int execute_open(struct session *s, const char *device, const struct device_events *ev,
		 struct error *e)
{
	pid_t pid;
	int sock = attach_find(device, &pid, e);

	if (root_exhausted(sock))
		return sock;
	if (sock < 0)
		return session_open(s, device, ev, e);
	close(sock);
	s->attached = device;
	return session_loop(s, e) ? 0 : -e->err;
}

/* In front of a sentence: as much as is known of where it happened. */
static void tell(struct session *s, const char *where, const char *what, const struct error *e)
{
	const char *part[] = { where, s->device ? s->device->name : s->attached, what };
	_cleanup_free_ char *prefix = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(part); i++) {
		_cleanup_free_ char *before = prefix;

		if (!part[i] || asprintf(&prefix, "%s%s%s", before ? before : "",
					 before ? ": " : "", part[i]) < 0)
			prefix = before, before = NULL;
	}
	out_error(s->out, prefix, e);
}

/*
 * A signal that ended one command, or came behind it, ends the line, whatever the command made of
 * it.
 */
static bool stopped(const struct session *s)
{
	return s->loop && loop_stopped(s->loop);
}

int execute_line(struct session *s, char *line, const char *where, bool keep_going,
		 enum cause *status)
{
	struct globals before = s->globals;
	char *word[MAX_WORDS + 1], *next = line;
	int rc = 0;

	while (next && !s->quit && !stopped(s)) {
		struct error e = { 0 };
		const char *what = NULL;
		int n;

		line = next;
		n = line_split(line, word, MAX_WORDS, &next, &e);
		if (n == 0)
			continue;
		rc = n < 0 ? n : execute_words(s, n, word, where, &what, &e);
		if (rc && e.message[0])
			tell(s, where, what, &e);
		out_end(s->out);
		s->globals = before;
		session_apply(s);
		if (rc && *status == CAUSE_NONE)
			*status = e.cause;
		if (n < 0 || (rc && !keep_going))
			return rc;
	}
	return 0;
}
