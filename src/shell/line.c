// SPDX-License-Identifier: GPL-2.0-or-later
#include "shell/line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/execute.h"
#include "hold/client.h"

/* More words than any command takes. */
#define MAX_WORDS 64

/* -ECANCELED with a cause alone: it failed there, and the holder has said why. */
static int forward(struct session *s, int sock, const char *where, const struct args *a,
		   struct error *e)
{
	pid_t pid;
	int rc = sock >= 0 ? sock : attach_find(s->attached, &pid, e);

	if (rc == -ENOENT)
		return attach_nobody(s->attached, e);
	if (rc >= 0)
		rc = attach_reason(s->attached, attach_args(s, rc, where, a, e), e);
	if (rc <= 0)
		return rc;
	*e = (struct error){ .cause = (enum cause)rc };
	return -ECANCELED;
}

/* -1: none, or it is taken already. */
static int connection(struct session *s)
{
	int sock = s->attached_sock ? s->attached_sock : -1;

	s->attached_sock = 0;
	return sock;
}

static bool is_forwarded(const struct session *s, const struct args *a)
{
	return s->attached && !s->globals.help && command_for_holder(a);
}

static int execute_words(struct session *s, int n, char **word, const char *where,
			 const char **what, struct error *e)
{
	_cleanup_fd_ int sock = connection(s);
	char *typed[MAX_WORDS + 1] = { NULL };
	struct args args;
	int rc;

	memcpy(typed, word, (size_t)n * sizeof(*typed));
	rc = execute_parse(s, n, word, what, &args, e);

	args.typed = typed;
	if (rc == 0 && is_forwarded(s, &args))
		return forward(s, take_fd(&sock), where, &args, e);
	if (rc == 0)
		rc = execute_row(s, &args, e);
	if (rc == 0)
		rc = session_drive(s, e);
	/* What has arrived meanwhile is counted before the next command looks. */
	if (s->device && s->device->handle)
		device_drain(s->device);
	return rc;
}

int line_open(struct session *s, const char *device, const struct device_events *ev,
	      struct error *e)
{
	pid_t pid;
	int sock = attach_find(device, &pid, e);

	if (attach_unsure(sock))
		return sock;
	if (sock < 0)
		return session_open(s, device, ev, e);
	s->attached = device;
	s->attached_sock = sock;
	if (session_loop(s, e))
		return 0;
	line_close(s);
	return -e->err;
}

void line_hang_up(struct session *s)
{
	_cleanup_fd_ __attribute__((unused)) int sock = connection(s);
}

void line_close(struct session *s)
{
	line_hang_up(s);
	session_close(s);
	s->attached = NULL;
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

int line_run(struct session *s, char *line, const char *where, bool keep_going, enum cause *status)
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
