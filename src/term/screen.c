// SPDX-License-Identifier: GPL-2.0-or-later
#include "term/screen.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "base/util.h"

/*
 * xterm's control sequences, which every terminal of today takes: alternate page, cursor, erasing.
 */
#define OTHER_PAGE "\033[?1049h\033[?25l"
#define FIRST_PAGE "\033[?25h\033[?1049l"
#define HOME	   "\033[H"
#define ERASE_LINE "\033[K"
#define ERASE_REST "\033[J"
#define PLAIN	   "\033[m"

struct screen {
	struct out *out;
	struct loop *loop;
	int terminal;	       /* borrowed */
	struct source keys;    /* fd -1: nobody types */
	struct source signals; /* SIGWINCH, SIGTSTP, SIGCONT */
	struct termios before, during;
	sigset_t mask_before;
	bool masked, raw, resized;
	bool away; /* stopped, or gone on in the background: the terminal is another's */
	char key;
};

static void on_key(struct source *src)
{
	struct screen *s = src->owner;
	char typed[16];
	ssize_t n = read(src->fd, typed, sizeof(typed));

	if (n > 0) {
		s->key = typed[0];
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		/* hung up: it would be readable for ever */
		loop_del(s->loop, src);
		close(src->fd);
		src->fd = -1;
	}
}

/*
 * Keys come one by one, unseen. Ctrl-C and Ctrl-Z remain signals, which are
 * heard; Ctrl-\ would leave the terminal on its other page. The modes to be put
 * back are those of now: in the background they are those of the shell's prompt.
 */
static void take_keys(struct screen *s)
{
	struct termios *t = &s->during;

	if (s->keys.fd < 0 || tcgetattr(STDIN_FILENO, &s->before))
		return;
	*t = s->before;
	t->c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	t->c_cc[VMIN] = 1;
	t->c_cc[VTIME] = 0;
	t->c_cc[VQUIT] = _POSIX_VDISABLE;
	s->raw = !tcsetattr(STDIN_FILENO, TCSADRAIN, t);
}

static void enter(struct screen *s)
{
	out_raw(s->out, false, OTHER_PAGE, strlen(OTHER_PAGE));
	if (s->away)
		take_keys(s);
	else if (s->raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &s->during);
	if (s->away && s->keys.fd >= 0)
		loop_add(s->loop, &s->keys);
	s->away = false;
}

/* What is typed now is for another: who reads it in the background is stopped. */
static void go_away(struct screen *s)
{
	if (!s->away && s->keys.fd >= 0)
		loop_del(s->loop, &s->keys);
	s->away = true;
}

static void leave(struct screen *s, int how)
{
	if (s->away)
		return;
	out_raw(s->out, false, FIRST_PAGE, strlen(FIRST_PAGE));
	if (s->raw)
		tcsetattr(STDIN_FILENO, how, &s->before);
}

/* A terminal that is not ours to ask is nobody else's either. */
static bool in_background(const struct screen *s)
{
	pid_t group = tcgetpgrp(s->terminal);

	return group >= 0 && group != getpgrp();
}

/* fg was typed, or bg; whoever had the terminal meanwhile left it in his own modes. */
static void come_back(struct screen *s)
{
	if (in_background(s)) {
		go_away(s);
		return;
	}
	enter(s);
	s->resized = true;
}

/* Ctrl-Z: the terminal as it was, then what SIGTSTP does of itself. */
static void stop(struct screen *s)
{
	sigset_t set;

	leave(s, TCSADRAIN);
	go_away(s);
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* where there is no shell to say fg it has not stopped at all */
	come_back(s);
}

static void on_signal(struct source *src)
{
	struct screen *s = src->owner;
	struct signalfd_siginfo si;

	while (read(src->fd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGTSTP)
			stop(s);
		else if (si.ssi_signo == SIGCONT)
			come_back(s);
		else
			s->resized = true;
	}
}

static int hear_signals(struct screen *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGCONT);
	if (sigprocmask(SIG_BLOCK, &set, &s->mask_before))
		return -errno;
	s->masked = true;
	s->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals.fd < 0 ? -errno : loop_add(s->loop, &s->signals);
}

/* another descriptor, for the shell listens to this one already */
static int hear_keys(struct screen *s)
{
	if (!isatty(STDIN_FILENO))
		return 0;
	s->keys.fd = dup(STDIN_FILENO);
	return s->keys.fd < 0 ? -errno : 0;
}

int screen_open(struct screen **out, struct out *o, struct loop *loop)
{
	const char *term = getenv("TERM");
	int rc, terminal = out_terminal(o);
	struct screen *s;

	if (terminal < 0 || !term || !*term || !strcmp(term, "dumb"))
		return -ENOTTY;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	*s = (struct screen){ .out = o, .loop = loop, .terminal = terminal };
	s->keys = (struct source){ .fd = -1, .ready = on_key, .owner = s };
	s->signals = (struct source){ .fd = -1, .ready = on_signal, .owner = s };
	/*
	 * begun in the background (&) it has the terminal when fg is typed; to set it before would
	 * stop us
	 */
	s->away = true;
	rc = hear_signals(s);
	if (!rc)
		rc = hear_keys(s);
	if (rc) {
		screen_close(s);
		return rc;
	}
	come_back(s);
	*out = s;
	return 0;
}

void screen_close(struct screen *s)
{
	if (!s)
		return;
	/* what was typed and not read is not for the shell */
	leave(s, TCSAFLUSH);
	go_away(s);
	if (s->keys.fd >= 0)
		close(s->keys.fd);
	if (s->signals.fd >= 0) {
		loop_del(s->loop, &s->signals);
		close(s->signals.fd);
	}
	if (s->masked)
		sigprocmask(SIG_SETMASK, &s->mask_before, NULL);
	free(s);
}

void screen_size(const struct screen *s, unsigned int *lines, unsigned int *columns)
{
	struct winsize w = { 0 };

	ioctl(s->terminal, TIOCGWINSZ, &w);
	*lines = w.ws_row ? w.ws_row : 24;
	*columns = w.ws_col ? w.ws_col : 80;
}

bool screen_resized(const struct screen *s)
{
	return s->resized;
}

char screen_key(struct screen *s)
{
	char key = s->key;

	s->key = 0;
	return key;
}

/* Bytes of what is shown next in @p, @columns wide; an escape sequence of ours is 0 wide. */
static size_t glyph(const char *p, size_t n, unsigned int *columns)
{
	mbstate_t state = { 0 };
	wchar_t c;
	size_t len;
	int width;

	*columns = 0;
	if (*p == '\033') {
		for (len = 1; len < n && p[len] != 'm'; len++)
			;
		return len < n ? len + 1 : n;
	}
	len = mbrtowc(&c, p, n, &state);
	if (len == 0 || len > n)
		len = 1;
	else if ((width = wcwidth(c)) >= 0)
		*columns = (unsigned int)width;
	return len;
}

void screen_put_line(FILE *f, const char *p, size_t n, unsigned int columns)
{
	unsigned int used = 0, width;
	size_t at = 0;

	while (at < n) {
		size_t len = glyph(p + at, n - at, &width);

		if (used + width > columns)
			break;
		fwrite(p + at, 1, len, f);
		used += width;
		at += len;
	}
	if (at < n)
		fputs(PLAIN, f);
	/* at the right edge it would erase the last letter */
	if (used < columns)
		fputs(ERASE_LINE, f);
}

int screen_paint(struct screen *s, const char *text)
{
	unsigned int lines, columns, i;
	char *page = NULL;
	size_t size;
	FILE *f;
	int bad;

	s->resized = false;
	if (s->away) {
		if (in_background(s))
			return 0;
		/* fg of what runs in the background is told by no signal */
		enter(s);
	}
	f = open_memstream(&page, &size);
	if (!f)
		return -ENOMEM;
	screen_size(s, &lines, &columns);
	fputs(HOME, f);
	for (i = 0; i < lines && *text; i++) {
		size_t n = strcspn(text, "\n");

		fputs(i ? "\n" : "", f);
		screen_put_line(f, text, n, columns);
		text += n + (text[n] == '\n');
	}
	/* behind the last line it would scroll */
	if (i < lines)
		fputs("\n" ERASE_REST, f);
	bad = fclose(f);
	if (!bad)
		out_raw(s->out, false, page, size);
	free(page);
	return bad ? -ENOMEM : 0;
}
