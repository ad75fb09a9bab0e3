// SPDX-License-Identifier: GPL-2.0-or-later
/* shell: a person, a prompt, and an opened device. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "base/util.h"
#include "shell/line.h"
#include "shell/internal.h"
#include "shell/rows.h"
#include "shell/run.h"

enum {
	SHELL_KEEP
};

/* Bytes of a device's name in the prompt; of a longer one the end. */
#define PROMPT_NAME 40

/* A window that is dragged tells its size again and again. */
#define SETTLE_US 100000

/*
 * At the prompt there is a line to put away before the process stops; a command is stopped as any
 * other program.
 */
static void hear_terminal(struct shell *sh)
{
	sigprocmask(SIG_BLOCK, &sh->terminal_signals, NULL);
	loop_add(sh->s->loop, &sh->signals);
}

static void leave_prompt(struct shell *sh)
{
	sh->ready = false;
	sh->resized = 0;
	/* The terminal goes back to its own mode. */
	rl_callback_handler_remove();
	shell_step_aside(sh);
	loop_del(sh->s->loop, &sh->signals);
	sigprocmask(SIG_UNBLOCK, &sh->terminal_signals, NULL);
}

static void on_line(char *line)
{
	struct shell *sh = typing();

	sh->line = line;
	sh->eof = !line;
	leave_prompt(sh);
}

/*
 * The start of what is shown of @clean, escaped, in so many bytes: where paths differ, and a whole
 * character.
 */
static const char *tail_of(const char *clean, size_t room)
{
	size_t len = strlen(clean);
	const char *at = clean + (len > room ? len - room : 0);

	/* escape_text() leaves no backslash but those of \xNN. */
	for (int back = 1; back <= 3 && at - clean >= back; back++)
		if (at[-back] == '\\')
			return at + 4 - back;
	while ((*at & 0xc0) == 0x80)
		at++;
	return at;
}

/*
 * Who serves the device chose its name: readline would send its control characters to the terminal.
 */
static char *prompt_text(const struct session *s)
{
	const struct device *d = s->device;
	_cleanup_free_ char *clean = escape_text_dup(d ? d->name : s->attached);
	const char *name = clean ? tail_of(clean, PROMPT_NAME) : "msictl",
		   *state = d ? " (gone)" : " (held)";
	char armed[64] = "", *text;

	for (unsigned int i = IRQ_INTX; d && i <= IRQ_MSIX; i++) {
		struct vector_set set = device_armed(d, i);

		if (d->irq[i].enabled)
			append(armed, sizeof(armed), " %s %u", irq_index_word(i),
			       vector_set_count(&set));
	}
	if (asprintf(&text, "%s%s%s%s> ", clean && name != clean ? "..." : "", name,
		     d && d->handle ? "" : state, armed) < 0)
		return NULL;
	return text;
}

static void prompt(struct shell *sh)
{
	_cleanup_free_ char *text = prompt_text(sh->s);

	hear_terminal(sh);
	shell_place(sh);
	rl_callback_handler_install(text ? text : "> ", on_line);
	sh->ready = true;
}

static void on_input(struct source *src)
{
	struct shell *sh = src->owner;

	/*
	 * What was typed behind a Ctrl-C belongs to the next line; the input is still there then.
	 */
	if (sh->ready && !loop_hear(sh->s->loop))
		rl_callback_read_char();
}

static void hide_line(void *ctx)
{
	struct shell *sh = ctx;

	if (!sh->ready)
		return;
	rl_clear_visible_line();
	shell_step_aside(sh);
}

static void show_line(void *ctx)
{
	struct shell *sh = ctx;

	if (sh->ready)
		shell_step_back(sh);
}

/* The terminal's own mode for whoever has it meanwhile, then the line as it was. */
static void stop_here(struct shell *sh)
{
	sigset_t stop;

	hide_line(sh);
	fflush(rl_outstream);
	(*rl_deprep_term_function)();
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	/* Here nothing runs until somebody says fg. */
	sigprocmask(SIG_BLOCK, &stop, NULL);
	(*rl_prep_term_function)(1);
	show_line(sh);
}

static void on_signal(struct source *src)
{
	struct shell *sh = src->owner;
	struct signalfd_siginfo si;
	bool stop = false;

	while (read(src->fd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGTSTP)
			stop = true;
		else
			sh->resized = now_us() + SETTLE_US;
	}
	if (stop && sh->ready)
		stop_here(sh);
}

/* Where the terminal has put its lines is its own business. */
static void begin_anew(struct shell *sh)
{
	sh->resized = 0;
	fflush(rl_outstream);
	if (!live_shown(sh->live)) {
		rl_resize_terminal();
		hide_line(sh);
		show_line(sh);
		return;
	}
	live_resized(sh->live);
	shell_step_back(sh);
}

static void on_counted(void *ctx, struct index *ix, struct vector *v, uint64_t n)
{
	live_counted(((struct shell *)ctx)->live, ix, v, n);
}

static void clock_text(char *buf, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(buf, size, "%H:%M:%S", &tm);
}

static void on_released(void *ctx)
{
	struct shell *sh = ctx;
	const char *keeper = sh->s->device->ops->keeper;
	char at[16], why[64];

	clock_text(at, sizeof(at));
	sh->s->released = !sh->keep;
	snprintf(why, sizeof(why), "%s: the device is wanted back; released", keeper);
	if (sh->keep)
		live_lost(sh->live, why);
	out_note(sh->s->out, "%s %s: the device is wanted back; released, %s", at, keeper,
		 sh->keep ? "reopen when it is back" : "the shell ends");
}

static void on_lost(void *ctx)
{
	struct shell *sh = ctx;
	char at[16];

	clock_text(at, sizeof(at));
	live_lost(sh->live, "the process that served the device is gone");
	out_note(sh->s->out, "%s %s; reopen when it is back", at, sh->s->device->gone);
}

static void run_line(struct shell *sh)
{
	_cleanup_free_ char *line = sh->line;
	enum cause status = CAUSE_NONE;

	sh->line = NULL;
	if (line[strspn(line, " \t")])
		add_history(line);
	/* What is typed meanwhile waits; a failure was told, a person goes on. */
	loop_del(sh->s->loop, &sh->input);
	line_run(sh->s, line, NULL, false, &status);
	loop_add(sh->s->loop, &sh->input);
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
		leave_prompt(sh);
		fputs("\n", rl_outstream);
		fflush(rl_outstream);
	}
	loop_clear(sh->s->loop);
}

static uint64_t next_turn(const struct shell *sh)
{
	return sh->resized ? sh->resized : live_due(sh->live);
}

static void update(struct shell *sh)
{
	if (sh->resized) {
		if (now_us() >= sh->resized)
			begin_anew(sh);
		return;
	}
	fflush(rl_outstream);
	if (!live_update(sh->live))
		return;
	hide_line(sh);
	show_line(sh);
}

static int step(struct shell *sh)
{
	int rc;

	if (!sh->ready)
		prompt(sh);
	rc = loop_wait(sh->s->loop, next_turn(sh));
	if (sh->s->released)
		return 0;
	if (rc == -EINTR && loop_stopped(sh->s->loop) == SIGINT)
		on_interrupt(sh);
	else if (rc < 0)
		return rc;
	if (sh->ready)
		update(sh);
	if (sh->line)
		run_line(sh);
	return 0;
}

static int listen_to_terminal(struct shell *sh)
{
	sigemptyset(&sh->terminal_signals);
	sigaddset(&sh->terminal_signals, SIGWINCH);
	sigaddset(&sh->terminal_signals, SIGTSTP);
	sh->signals.fd = signalfd(-1, &sh->terminal_signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return sh->signals.fd < 0 ? -errno : loop_add(sh->s->loop, &sh->input);
}

static int interact(struct shell *sh, struct error *e)
{
	struct session *s = sh->s;
	int rc = listen_to_terminal(sh);

	if (rc)
		return fail(e, CAUSE_FAILED, -rc, "the terminal can't be listened to");
	while (rc == 0 && !sh->eof && !s->quit && !s->released)
		rc = step(sh);
	if (sh->ready)
		leave_prompt(sh);
	loop_del(s->loop, &sh->input);
	if (sh->eof)
		out_note(s->out, "%s", "");
	if (rc == -EINTR)
		return fail(e, CAUSE_FAILED, EINTR, "stopped by %s%s",
			    strsignal(loop_stopped(s->loop)), session_undone(s));
	return rc ? fail(e, CAUSE_FAILED, -rc, "waiting for events failed") : 0;
}

static int serve(struct shell *sh, const char *device, struct error *e)
{
	const struct out_guard guard = { .hide = hide_line, .show = show_line, .ctx = sh };
	struct session *s = sh->s;
	int rc = live_open(&sh->live, s, STDOUT_FILENO);

	if (rc)
		return fail_memory(e);
	type_begin(sh);
	out_set_guard(s->out, &guard);
	out_note(s->out, "%s; help lists commands, end of input or quit %s", device,
		 s->attached ? "leaves it to its holder" : "puts everything back");
	rc = interact(sh, e);
	out_set_guard(s->out, NULL);
	type_end(sh);
	return rc;
}

static int run_shell(struct session *s, const struct args *a, struct error *e)
{
	struct shell sh = { .s = s,
			    .keep = a->option[SHELL_KEEP].given,
			    .input = { .fd = STDIN_FILENO, .ready = on_input, .owner = &sh },
			    .signals = { .fd = -1, .ready = on_signal, .owner = &sh } };
	const struct device_events ev = {
		.counted = on_counted, .released = on_released, .lost = on_lost, .ctx = &sh
	};
	int rc;

	/* No prompt and no question without a terminal: then it is a script. */
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return run_stream(s, a->param[0].text, "-", false, e);
	rc = line_open(s, a->param[0].text, &ev, e);
	if (rc)
		return rc;
	line_hang_up(s);
	s->inside = s->interactive = true;
	rc = serve(&sh, a->param[0].text, e);
	/* It was said when it happened; a script has to know, too. */
	if (!rc && s->released) {
		*e = (struct error){ .cause = CAUSE_NO_DEVICE };
		rc = -ECANCELED;
	}
	s->inside = s->interactive = false;
	live_close(sh.live);
	cleanup_fd(&sh.signals.fd);
	line_close(s);
	return rc;
}

const struct command cmd_shell = {
	.word = "shell",
	.summary = "drive one opened device from a prompt",
	.help = "The same commands as on the command line, without DEVICE, with history and TAB completion. Counts and "
		"events are shown above the prompt while a line is typed (live). Ctrl-C stops the command, not the "
		"shell. When it ends, by end of input, quit or a signal, everything is put back. A request of the "
		"kernel to have the device back is met at once, and ends it with exit 3; with --keep it goes on "
		"without the device until reopen.\n"
		"Without a terminal it reads a script from standard input, like run DEVICE -.",
	.family = FAMILY_SCRIPT,
	.flags = CMD_OUTSIDE | CMD_LIVE_HOST,
	COMMAND_PARAMS({ .type = ARG_DEVICE }),
	COMMAND_OPTIONS(
		[SHELL_KEEP] = { "keep", 0, ARG_FLAG, NULL, NULL,
				 "go on when the device was taken back: reopen opens it anew" }),
	.run = run_shell,
};
