// SPDX-License-Identifier: GPL-2.0-or-later
/* The shell's typing: completion, history, and keys that know of the panel. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>
#include <readline/tilde.h>

#include "base/util.h"
#include "shell/internal.h"

#define HISTORY_LINES 1000

/* What readline reads when the user has no bindings: SYS_INPUTRC of its rlconf.h. */
#define SYSTEM_KEYS "/etc/inputrc"

/* readline's callbacks get no context: this pointer is set while a shell runs. */
static struct shell *active;

struct shell *typing(void)
{
	return active;
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
static void candidates(void *ctx, enum arg_type type, const char *prefix,
		       void (*add)(void *to, const char *word, const char *help), void *to)
{
	struct shell *sh = ctx;

	(void)prefix;
	if (type != ARG_VECTORS || !sh->s->device)
		return;
	for (unsigned int i = IRQ_INTX; i <= IRQ_MSIX; i++) {
		struct vector_set armed = device_armed(sh->s->device, i);
		char text[VECTOR_SET_ROOM];
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

/* The shell goes on without. */
static void tell_unused(const struct shell *sh, const char *what, const char *why)
{
	_cleanup_free_ char *clean = escape_text_dup(why ? why : "out of memory");

	out_note(sh->s->out, "msictl: %s: %s", what, clean ? clean : "out of memory");
}

static void history_open(struct shell *sh)
{
	_cleanup_free_ char *why = NULL;

	stifle_history(HISTORY_LINES);
	sh->history = history_load(add_history, &why) == 0;
	if (!sh->history)
		tell_unused(sh, "no history", why);
}

static void history_keep(struct shell *sh)
{
	HIST_ENTRY *const *list = history_list();
	size_t n = list ? (size_t)history_length : 0;
	_cleanup_free_ const char **line = calloc(n + 1, sizeof(*line));
	_cleanup_free_ char *why = NULL;
	int rc;

	for (size_t i = 0; line && i < n; i++)
		line[i] = list[i]->line;
	rc = line ? history_save(line, n, &why) : -ENOMEM;
	if (rc)
		tell_unused(sh, "the history could not be kept", why);
}

void type_end(struct shell *sh)
{
	if (sh->history)
		history_keep(sh);
	clear_history();
	active = NULL;
}

/*
 * The file that readline reads at its start, as an absolute path; NULL: none is named. free() it.
 */
static char *keys_path(void)
{
	const char *named = getenv("INPUTRC");
	char *path = tilde_expand(named && *named ? named : "~/.inputrc"), *folder, *full;

	if (!path || path[0] == '/')
		return path;
	folder = get_current_dir_name();
	if (!folder || asprintf(&full, "%s/%s", folder, path) < 0)
		full = NULL;
	free(folder);
	free(path);
	return full;
}

/* readline opens that file whatever it is, and would wait at a FIFO. */
static void initialize(struct shell *sh)
{
	_cleanup_free_ char *path = keys_path(), *why = NULL, *before = NULL;
	const char *named = getenv("INPUTRC");
	int rc = path ? keys_usable(path, &why) : -ENOENT;

	if (!rc || rc == -ENOENT) {
		rl_initialize();
		return;
	}
	tell_unused(sh, "no key bindings", why);
	before = named ? strdup(named) : NULL;
	setenv("INPUTRC", SYSTEM_KEYS, 1);
	rl_initialize();
	if (before)
		setenv("INPUTRC", before, 1);
	else
		unsetenv("INPUTRC");
}

/*
 * The list goes where all output goes, so that the terminal remembers it.
 * However long it is, nobody is asked: the loop has to hear the device.
 */
static void show_matches(char **match, int n, int longest)
{
	shell_step_aside(active);
	rl_display_match_list(match, n, longest);
	shell_step_back(active);
}

/* readline's own would wipe the panel out. */
static int clear_screen(int count, int key)
{
	if (!live_shown(active->live))
		return rl_clear_screen(count, key);
	fflush(rl_outstream);
	live_clear(active->live);
	return rl_forced_update_display();
}

/* Whatever keys the user's inputrc has for it. */
static void take_clear_screen(rl_command_func_t *from)
{
	char **keys = rl_invoking_keyseqs(from);

	for (size_t i = 0; keys && keys[i]; i++) {
		rl_bind_keyseq(keys[i], clear_screen);
		free(keys[i]);
	}
	free(keys);
}

void type_begin(struct shell *sh)
{
	active = sh;
	rl_readline_name = "msictl";
	/* The loop hears them. */
	rl_catch_signals = rl_catch_sigwinch = 0;
	/* LINES is that of the terminal. */
	rl_change_environment = 0;
	rl_attempted_completion_function = complete;
	rl_completion_display_matches_hook = show_matches;
	rl_completer_quote_characters = "\"'";
	rl_basic_word_break_characters = " \t\n;";
	rl_completer_word_break_characters = " \t\n;";
	using_history();
	history_open(sh);
	initialize(sh);
	take_clear_screen(rl_clear_screen);
	take_clear_screen(rl_clear_display);
}
