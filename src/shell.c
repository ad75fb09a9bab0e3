// SPDX-License-Identifier: GPL-2.0-or-later
/* shell: a person, a prompt, and an opened device. The only includer of readline. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "cmd.h"
#include "execute.h"
#include "run.h"
#include "util.h"

#define HISTORY_LINES 1000

/* Counts are told at most this often while a line is typed. */
#define TELL_EVERY_US 250000
#define TELL_VECTORS  8

struct shell {
	struct session *s;
	struct source input;
	char *line; /* typed, not yet run */
	bool eof;
	bool ready;    /* the prompt is up */
	uint64_t tell; /* when to tell of counts, 0: nothing new */
	char history[512];
	struct {
		struct index *ix;
		unsigned int vector;
		uint64_t n;
	} fresh[TELL_VECTORS];
	unsigned int nfresh;
	uint64_t more; /* counts of vectors beyond those */
};

/* readline's callbacks get no context: this pointer is set while a shell runs. */
static struct shell *active;

static void on_line(char *line)
{
	active->line = line;
	active->eof = !line;
	active->ready = false;
	/* The terminal goes back to its own mode while the command runs. */
	rl_callback_handler_remove();
}

static void prompt(struct shell *sh)
{
	const struct device *d = sh->s->device;
	char text[96];

	if (d)
		snprintf(text, sizeof(text), "%s%s", d->name, d->handle ? "" : " (gone)");
	else
		snprintf(text, sizeof(text), "%.64s (held)", sh->s->attached);
	for (unsigned int i = IRQ_INTX; d && i <= IRQ_MSIX; i++) {
		struct vector_set armed = device_armed(d, i);

		if (d->irq[i].enabled)
			append(text, sizeof(text), " %s %u", irq_index_word(i), vector_set_count(&armed));
	}
	append(text, sizeof(text), "> ");
	rl_callback_handler_install(text, on_line);
	sh->ready = true;
}

static void on_input(struct source *src)
{
	(void)src;
	/* What was typed behind a Ctrl-C belongs to the next line; the input is still there then. */
	if (active->ready && !loop_stopped(active->s->loop))
		rl_callback_read_char();
}

static void hide_line(void *ctx)
{
	struct shell *sh = ctx;

	if (!sh->ready)
		return;
	rl_clear_visible_line();
	fflush(rl_outstream);
}

static void show_line(void *ctx)
{
	struct shell *sh = ctx;

	if (sh->ready)
		rl_forced_update_display();
}

static void on_counted(void *ctx, struct index *ix, struct vector *v, uint64_t n)
{
	struct shell *sh = ctx;

	if (!sh->tell)
		sh->tell = now_us() + TELL_EVERY_US;
	for (unsigned int i = 0; i < sh->nfresh; i++) {
		if (sh->fresh[i].ix != ix || sh->fresh[i].vector != v->number)
			continue;
		sh->fresh[i].n += n;
		return;
	}
	if (sh->nfresh == TELL_VECTORS) {
		sh->more += n;
		return;
	}
	sh->fresh[sh->nfresh].ix = ix;
	sh->fresh[sh->nfresh].vector = v->number;
	sh->fresh[sh->nfresh++].n = n;
}

static void clock_text(char *buf, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(buf, size, "%H:%M:%S", &tm);
}

static void tell_counts(struct shell *sh)
{
	char line[512];

	clock_text(line, sizeof(line));
	for (unsigned int i = 0; i < sh->nfresh; i++) {
		const struct index *ix = sh->fresh[i].ix;

		append(line, sizeof(line), "  %s %u +%" PRIu64 " (%" PRIu64 ")", irq_index_word(ix->index),
		       sh->fresh[i].vector, sh->fresh[i].n, ix->vector[sh->fresh[i].vector]->count);
	}
	if (sh->more)
		append(line, sizeof(line), "  others +%" PRIu64, sh->more);
	sh->tell = sh->nfresh = sh->more = 0;
	out_note(sh->s->out, "%s", line);
}

static void on_released(void *ctx)
{
	struct shell *sh = ctx;
	char at[16];

	clock_text(at, sizeof(at));
	sh->s->released = true;
	out_note(sh->s->out, "%s kernel: the device is wanted back; released, the shell ends", at);
}

static void on_lost(void *ctx)
{
	struct shell *sh = ctx;
	char at[16];

	clock_text(at, sizeof(at));
	sh->tell = sh->nfresh = sh->more = 0;
	out_note(sh->s->out, "%s the process that served the device is gone; reopen when it is back", at);
}

static void add_match(void *to, const char *word, const char *help)
{
	char ***list = to;
	size_t n = 0;

	(void)help;
	while (*list && (*list)[n])
		n++;
	*list = reallocarray(*list, n + 2, sizeof(char *));
	if (!*list)
		return;
	(*list)[n] = strdup(word);
	(*list)[n + 1] = NULL;
}

/* Live vectors, which only the opened device knows. */
static void candidates(void *ctx, enum kind kind, const char *prefix,
		       void (*add)(void *to, const char *word, const char *help), void *to)
{
	struct shell *sh = ctx;

	(void)prefix;
	if (kind != KIND_VECTORS || !sh->s->device)
		return;
	for (unsigned int i = IRQ_INTX; i <= IRQ_MSIX; i++) {
		struct vector_set armed = device_armed(sh->s->device, i);
		char text[128];
		unsigned int v;

		if (vector_set_empty(&armed))
			continue;
		add(to, vector_set_text(&armed, text, sizeof(text)), "armed");
		for_each_vector (v, &armed) {
			snprintf(text, sizeof(text), "%u", v);
			add(to, text, irq_index_word(i));
		}
	}
}

/* readline wants the matches' longest common beginning in front of them. */
static char **with_common_prefix(char **match)
{
	size_t n = 0, len = strlen(match[0]);
	char **all;

	for (; match[n]; n++)
		for (size_t i = 0; i < len; i++)
			if (match[n][i] != match[0][i])
				len = i;
	all = calloc(n + 2, sizeof(char *));
	if (!all)
		return NULL;
	all[0] = strndup(match[0], len);
	memcpy(all + 1, match, n * sizeof(char *));
	return all;
}

static char **complete(const char *text, int start, int end)
{
	struct completion_source src = { .candidates = candidates, .ctx = active };
	_cleanup_free_ char *before = strndup(rl_line_buffer, (size_t)start);
	char *word[MAX_PARAMS + MAX_OPTIONS + 4], *next, *from = before;
	char **match = NULL, **all;
	struct error ignored;
	int n = 0;

	(void)end;
	rl_attempted_completion_over = 1;
	/* Only the command being typed counts, not those in front of a ; */
	for (next = from; next;) {
		n = line_split(next, word, (int)ARRAY_SIZE(word) - 2, &next, &ignored);
		if (n < 0)
			return NULL;
	}
	word[n] = (char *)text;
	word[n + 1] = NULL;
	command_complete(active->s->commands, n + 1, word, true, &src, add_match, &match);
	if (!match || !match[0])
		return NULL;
	all = with_common_prefix(match);
	free(match);
	return all;
}

/* $XDG_STATE_HOME/msictl/history, private to its owner. */
static void history_open(struct shell *sh)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char dir[400];

	if (state && state[0] == '/')
		snprintf(dir, sizeof(dir), "%s", state);
	else if (home && home[0] == '/')
		snprintf(dir, sizeof(dir), "%s/.local/state", home);
	else
		return;
	append(dir, sizeof(dir), "/msictl");
	for (char *slash = dir + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(dir, 0700);
		*slash = '/';
	}
	mkdir(dir, 0700);
	snprintf(sh->history, sizeof(sh->history), "%s/history", dir);
	read_history(sh->history);
	stifle_history(HISTORY_LINES);
}

static void history_close(struct shell *sh)
{
	mode_t before = umask(077);

	if (sh->history[0] && write_history(sh->history) != 0)
		out_note(sh->s->out, "the history could not be written to %s", sh->history);
	umask(before);
	clear_history();
}

static void run_line(struct shell *sh)
{
	_cleanup_free_ char *line = sh->line;
	enum cause status = CAUSE_NONE;

	sh->line = NULL;
	if (line[strspn(line, " \t")])
		add_history(line);
	/* A failure was told; a person goes on. */
	execute_line(sh->s, line, NULL, false, &status);
	loop_clear(sh->s->loop);
}

/* Ctrl-C at the prompt throws the line away, as everywhere. */
static void on_interrupt(struct shell *sh)
{
	if (sh->ready) {
		/* Removing the handler moves the cursor: the mark comes first. */
		rl_point = rl_end;
		rl_redisplay();
		fputs("^C", rl_outstream);
		rl_callback_sigcleanup();
		rl_callback_handler_remove();
		sh->ready = false;
		fputs("\n", rl_outstream);
		fflush(rl_outstream);
	}
	loop_clear(sh->s->loop);
}

static int step(struct shell *sh)
{
	int rc;

	if (!sh->ready)
		prompt(sh);
	rc = loop_wait(sh->s->loop, sh->tell ? sh->tell : UINT64_MAX);
	if (sh->s->released)
		return 0;
	if (rc == -EINTR && loop_stopped(sh->s->loop) == SIGINT)
		on_interrupt(sh);
	else if (rc < 0)
		return rc;
	if (sh->tell && now_us() >= sh->tell)
		tell_counts(sh);
	if (sh->line)
		run_line(sh);
	return 0;
}

static int interact(struct shell *sh, struct error *e)
{
	struct session *s = sh->s;
	int rc = loop_add(s->loop, &sh->input);

	if (rc)
		return fail(e, CAUSE_FAILED, -rc, "the terminal can't be listened to");
	while (rc == 0 && !sh->eof && !s->quit && !s->released)
		rc = step(sh);
	loop_del(s->loop, &sh->input);
	if (sh->ready)
		rl_callback_handler_remove();
	sh->ready = false;
	if (sh->eof)
		out_note(s->out, "%s", "");
	if (rc == -EINTR)
		return fail(e, CAUSE_FAILED, EINTR, "stopped by %s%s", strsignal(loop_stopped(s->loop)),
			    s->attached ? "" : "; everything was put back");
	return rc ? fail(e, CAUSE_FAILED, -rc, "waiting for events failed") : 0;
}

static void readline_set_up(void)
{
	rl_readline_name = "msictl";
	rl_catch_signals = 0; /* the loop hears them */
	rl_attempted_completion_function = complete;
	rl_completer_quote_characters = "\"'";
	rl_basic_word_break_characters = " \t\n;";
	rl_completer_word_break_characters = " \t\n;";
	using_history();
}

static int run_shell(struct session *s, const struct args *a, struct error *e)
{
	struct shell sh = { .s = s, .input = { .fd = 0, .ready = on_input } };
	const struct device_events ev = { .counted = on_counted, .released = on_released, .lost = on_lost, .ctx = &sh };
	const struct out_guard guard = { .hide = hide_line, .show = show_line, .ctx = &sh };
	int rc;

	/* No prompt and no question without a terminal: then it is a script. */
	if (!isatty(0) || !isatty(1))
		return run_stream(s, a->param[0].text, "-", false, e);
	rc = execute_open(s, a->param[0].text, &ev, e);
	if (rc)
		return rc;
	active = &sh;
	s->inside = s->interactive = true;
	readline_set_up();
	history_open(&sh);
	out_set_guard(s->out, &guard);
	out_note(s->out, "%s; help lists commands, end of input or quit %s", a->param[0].text,
		 s->attached ? "leaves it to its holder" : "puts everything back");
	rc = interact(&sh, e);
	out_set_guard(s->out, NULL);
	history_close(&sh);
	s->inside = s->interactive = false;
	session_close(s);
	s->attached = NULL;
	active = NULL;
	return rc;
}

const struct command cmd_shell = {
	.word = "shell",
	.summary = "drive one opened device from a prompt",
	.help = "The same commands as on the command line, without DEVICE, with history and TAB completion. Counts and "
		"events are "
		"shown while a line is typed. Ctrl-C stops the command, not the shell. When it ends, by end of input, "
		"quit or a "
		"signal, everything is put back; a request of the kernel to have the device back ends it at once.\n"
		"Without a terminal it reads a script from standard input, like run DEVICE -.",
	.family = FAMILY_SCRIPT,
	.flags = CMD_OUTSIDE | CMD_LIVE_HOST,
	.param = (const struct param[]){ { .kind = KIND_DEVICE } },
	.nparam = 1,
	.run = run_shell,
};
