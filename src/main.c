// SPDX-License-Identifier: GPL-2.0-or-later
/* The list of commands, the session they run in, and the exit status. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/execute.h"
#include "cli/session.h"
#include "cmd/all.h"
#include "backends.h"
#include "hold/client.h"
#include "shell/rows.h"

#ifndef MSICTL_LIBRARIES
#define MSICTL_LIBRARIES "as linked"
#endif

/* Room for DEVICE and the command's word; only the words of our own rows are at the end. */

static const struct command *const rows[] = {
	&cmd_list,     &cmd_info,	  &cmd_counters, &cmd_probe,	&cmd_capture, &cmd_bind,
	&cmd_unbind,   &cmd_enable,	  &cmd_disable,	 &cmd_resize,	&cmd_mask,    &cmd_unmask,
	&cmd_read,     &cmd_write,	  &cmd_reset,	 &cmd_reopen,	&cmd_trigger, &cmd_wait,
	&cmd_watch,    &cmd_latency,	  &cmd_events,	 &cmd_hold,	&cmd_holders, &cmd_release,
	&cmd_shell,    &cmd_run,	  &cmd_live,	 &cmd_simulate, &cmd_help,    &cmd_quit,
	&cmd_complete, &cmd_event_stream,
};

static const struct commands commands = { rows, ARRAY_SIZE(rows) };

/*
 * A descriptor that is missing at start would be given to the next open(),
 * and our text would be written into a device. Reading is what stdout's stand-in
 * allows, so that results that nobody gets are noticed.
 */
static int fill_stdio(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", fd == STDERR_FILENO ? O_RDWR : O_RDONLY) != fd)
			return -EBADF;
	}
	return 0;
}

/* What --trace says is a note; what --dry-run says is the result. */
static void trace_line(void *ctx, const char *text)
{
	struct session *s = ctx;

	if (s->trace.dry_run && !out_is_json(s->out))
		out_text(s->out, "%s", text);
	else
		out_note(s->out, "%s", text);
}

static void print_version(struct out *o)
{
	node *doc = out_doc(o), *list = doc_array(doc, "backends");

	doc_text(doc, "version", MSICTL_VERSION);
	doc_text(doc, "libraries", MSICTL_LIBRARIES);
	out_text(o, "msictl %s", MSICTL_VERSION);
	for (size_t i = 0; backends[i]; i++) {
		const struct backend *b = backends[i];
		node *row = doc_row(list);

		doc_text(row, "name", b->name);
		doc_text(row, "help", b->help);
		out_text(o, "back end %s: %s", b->name, b->help);
	}
	out_text(o, "libraries %s", MSICTL_LIBRARIES);
}

static void put_word(FILE *to, const char *word)
{
	_cleanup_free_ char *quoted = quote_word_dup(word);

	fprintf(to, " %s", quoted ? quoted : word);
}

static void put_typed(FILE *to, const struct args *a)
{
	const struct command *cmd = a->command;

	fputs(cmd->word, to);
	for (size_t i = 0; i < cmd->nparam; i++)
		if (a->param[i].given && cmd->param[i].type != ARG_DEVICE)
			put_word(to, a->param[i].text);
	for (size_t i = 0; i < a->nrest; i++)
		put_word(to, a->rest[i]);
	for (size_t i = 0; i < cmd->noption; i++) {
		if (!a->option[i].given)
			continue;
		fprintf(to, " --%s", cmd->option[i].word);
		if (cmd->option[i].type != ARG_FLAG)
			put_word(to, a->option[i].text);
	}
}

/*
 * The command as it would be typed inside of a session, without DEVICE, as one word of a shell;
 * NULL: no memory.
 */
static char *typed(const struct args *a)
{
	_cleanup_free_ char *line = NULL;
	char *word;
	size_t size;
	FILE *to = open_memstream(&line, &size);

	if (!to)
		return NULL;
	put_typed(to, a);
	if (fclose(to) || !line)
		return NULL;
	if (strpbrk(line, "\"\\$`!"))
		return quote_word_dup(line);
	return asprintf(&word, "\"%s\"", line) < 0 ? NULL : word;
}

static const char *device_word(const struct args *a)
{
	for (size_t i = 0; i < a->command->nparam; i++)
		if (a->command->param[i].type == ARG_DEVICE && a->param[i].given)
			return a->param[i].text;
	return NULL;
}

/* Each of a list of devices has a holder of its own; what has no colon is VECTORS. */
static bool names_several(const struct args *a)
{
	for (size_t i = 0; i < a->nrest; i++)
		if (strchr(a->rest[i], ':'))
			return true;
	return false;
}

/* Not for a list of devices. */
static bool may_attach(const struct session *s, const struct args *a)
{
	const struct command *cmd = a->command;

	if (!s->root.live || !command_for_holder(a) || !device_word(a))
		return false;
	return cmd->nparam && !cmd->param[cmd->nparam - 1].many && !names_several(a);
}

/* 1: nobody holds it; otherwise the command ran there. */
static int run_held(struct session *s, const struct args *a, struct error *e)
{
	pid_t pid;
	int rc = attach_find(device_word(a), &pid, e);

	/* Who only looks needs no holder, but to know whether there is one. */
	if (attach_unsure(rc))
		return rc;
	if (rc == -ENOENT || (rc < 0 && !(a->command->flags & CMD_CHANGES))) {
		*e = (struct error){ 0 };
		return 1;
	}
	if (rc >= 0)
		rc = attach_reason(device_word(a), attach_args(s, rc, NULL, a, e), e);
	session_close(s);
	if (rc <= 0)
		return rc;
	*e = (struct error){ .cause = (enum cause)rc };
	return -ECANCELED;
}

/* What is not there can't be changed in a session either. */
static int check_there(const struct session *s, const char *device, struct error *e)
{
	const struct backend *be = backend_find(s->backends, device);
	const struct open_request req = { .spec = device, .root = &s->root };

	return be && be->find ? be->find(&req, e) : 0;
}

static int refuse_alone(const struct session *s, const struct args *a, struct error *e)
{
	_cleanup_free_ char *device = quote_word_dup(device_word(a)), *line = typed(a);
	_cleanup_free_ char *word = attach_exit_reason(device_word(a));
	int rc = check_there(s, device_word(a), e);

	if (rc && word)
		append(e->message, sizeof(e->message), "; it was held, and %s", word);
	if (!rc)
		rc = attach_other(device_word(a), e);
	if (rc)
		return rc;
	fail(e, CAUSE_USAGE, 0, "its effect would end with this process%s%s",
	     word ? "; it was held, and " : "", word ? word : "");
	if (device && line)
		hint(e, "msictl run %s -c %s, msictl shell %s, or msictl hold %s first", device,
		     line, device, device);
	return -EINVAL;
}

static int check(const struct session *s, const struct args *a, struct error *e)
{
	const struct command *cmd = a->command;

	if (!s->root.live && cmd->flags & (CMD_LIVE_HOST | CMD_OPENS))
		return fail(e, CAUSE_USAGE, 0,
			    "it works on the running system only; --root %s is a captured tree",
			    s->globals.root);
	if (cmd->flags & CMD_CHANGES && !s->globals.dry_run && device_word(a))
		return refuse_alone(s, a, e);
	return 0;
}

static int run_command(struct session *s, const struct args *a, struct error *e)
{
	int rc = may_attach(s, a) ? run_held(s, a, e) : 1;

	if (rc <= 0)
		return rc;
	rc = check(s, a, e);
	if (!rc && a->command->flags & CMD_OPENS && device_word(a))
		rc = session_open(s, device_word(a), NULL, e);
	if (!rc)
		rc = execute_command(s, a, e);
	if (!rc)
		rc = session_drive(s, e);
	session_close(s);
	if (!rc)
		out_end(s->out);
	return rc;
}

static int no_command(struct error *e)
{
	fail(e, CAUSE_USAGE, 0, "a command is missing");
	hint(e, "usage: msictl [OPTION...] COMMAND [WORD...]; msictl help lists the commands");
	return -EINVAL;
}

/* --help and --version need neither a root nor a command that is complete. */
static bool answer_at_once(struct session *s, const struct command *cmd)
{
	if (s->globals.help)
		command_help(s->commands, cmd, false, s->out);
	else if (s->globals.version)
		print_version(s->out);
	else
		return false;
	out_end(s->out);
	return true;
}

/* "DEVICE: COMMAND" as far as it is known. */
static void set_where(char **where, const char *device, const char *command)
{
	char *text;

	if (asprintf(&text, "%s%s%s", device ? device : "", device ? ": " : "", command) < 0)
		return;
	free(*where);
	*where = text;
}

/* As they were typed, for parsing moves them. NULL: no memory. */
static char **copy_words(int argc, char **argv)
{
	char **word = calloc((size_t)argc + 1, sizeof(*word));

	if (word && argc > 0)
		memcpy(word, argv + 1, (size_t)argc * sizeof(*word));
	return word;
}

/* @where: for messages, NULL or freed by the caller. */
static int dispatch(struct session *s, int argc, char **argv, char **where, struct error *e)
{
	_cleanup_free_ char **typed = copy_words(argc, argv);
	const struct command *cmd;
	struct args a;
	int at, rc;

	if (!typed)
		return fail_memory(e);
	rc = globals_parse(argc, argv, &s->globals, &at, e);
	session_apply(s);
	if (rc)
		return rc;
	if (at == argc)
		return answer_at_once(s, NULL) ? 0 : no_command(e);
	cmd = command_find(s->commands, argv[at], false, e);
	if (!cmd)
		return -EINVAL;
	set_where(where, NULL, cmd->word);
	rc = command_parse(cmd, argc - at, argv + at, false, &s->globals, &a, e);
	session_apply(s);
	a.typed = typed;
	if (rc)
		return rc;
	if (answer_at_once(s, cmd))
		return 0;
	if (device_word(&a))
		set_where(where, device_word(&a), cmd->word);
	rc = root_open(&s->root, s->globals.root, e);
	if (rc)
		return rc;
	rc = run_command(s, &a, e);
	root_close(&s->root);
	return rc;
}

int main(int argc, char **argv)
{
	struct session s = { .commands = &commands, .backends = backends };
	struct error e = { 0 };
	struct out_options opt = { 0 };
	_cleanup_free_ char *where = NULL;
	int rc, status = 0;

	if (fill_stdio() || out_new(&s.out, &opt))
		return CAUSE_FAILED;
	/* Widths of letters only: numbers, messages and sorting are the same everywhere. */
	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	s.trace.line = trace_line;
	s.trace.ctx = &s;

	rc = dispatch(&s, argc, argv, &where, &e);
	/* A script's failures were told line by line; only the status is left. */
	if (rc == -ECANCELED && !e.message[0]) {
		status = (int)e.cause;
	} else if (rc) {
		/* A cause without a sentence: the script's failures were told at their lines. */
		if (!e.message[0] && !e.cause)
			fail(&e, CAUSE_FAILED, -rc, "%s", strerror(-rc));
		if (e.message[0])
			out_error(s.out, where, &e);
		status = e.cause ? (int)e.cause : CAUSE_FAILED;
	}
	if (out_flush(s.out, &e)) {
		out_error(s.out, NULL, &e);
		status = status ? status : CAUSE_FAILED;
	}
	out_free(s.out);
	return status;
}
