// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What people type: a line -> words -> a command of the real list -> its
 * arguments; then the same words as an argv, and as something to complete.
 * Nothing is run.
 */
#define main msictl_main
int msictl_main(int argc, char **argv);
#include "main.c" // NOLINT(bugprone-suspicious-include): its list of commands is wanted
#undef main

#define MAX_WORDS 64
#define MAX_LINE  8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool truth)
{
	if (!truth)
		abort();
}

static void check_error(const struct error *e, int rc)
{
	expect(rc == 0 || (e->cause == CAUSE_USAGE && e->message[0]));
}

static void parse_command(char **word, int n, bool inside)
{
	struct globals g = { 0 };
	struct error e = { 0 };
	const struct command *cmd = command_find(&commands, word[0], inside, &e);
	struct args a;
	char usage[512];

	if (!cmd) {
		check_error(&e, -EINVAL);
		return;
	}
	check_error(&e, command_parse(cmd, n, word, inside, &g, &a, &e));
	command_usage(cmd, inside, usage, sizeof(usage));
	expect(usage[0]);
}

static void parse_argv(char **word, int n)
{
	struct globals g = { 0 };
	struct error e = { 0 };
	char *argv[MAX_WORDS + 2] = { (char *)"msictl" };
	int at;

	memcpy(argv + 1, word, (size_t)n * sizeof(*word));
	if (globals_parse(n + 1, argv, &g, &at, &e)) {
		check_error(&e, -EINVAL);
		return;
	}
	expect(at >= 1 && at <= n + 1);
	if (at <= n)
		parse_command(argv + at, n + 1 - at, false);
}

static void no_candidates(void *ctx, enum arg_type type, const char *prefix,
			  void (*add)(void *to, const char *word, const char *help), void *to)
{
	(void)ctx, (void)type, (void)prefix, (void)add, (void)to;
}

static void count_candidate(void *to, const char *word, const char *help)
{
	(void)help;
	expect(word != NULL);
	++*(size_t *)to;
}

static void complete(char **word, int n, bool inside)
{
	const struct completion_source src = { no_candidates, NULL };
	size_t found = 0;

	command_complete(&commands, n, word, inside, &src, count_candidate, &found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char line[MAX_LINE], *next = line;
	bool inside;

	if (size < 1 || size > sizeof(line))
		return 0;
	inside = data[0] & 1;
	memcpy(line, data + 1, size - 1);
	line[size - 1] = '\0';
	while (next) {
		char *word[MAX_WORDS], *copy[MAX_WORDS];
		struct error e = { 0 };
		int n = line_split(next, word, MAX_WORDS, &next, &e);

		expect(n >= 0 || (n != 0 && e.cause == CAUSE_USAGE));
		if (n <= 0)
			break;
		/* command_parse() may put words into another order. */
		memcpy(copy, word, sizeof(copy[0]) * (size_t)n);
		complete(copy, n, inside);
		if (!inside)
			parse_argv(word, n);
		else
			parse_command(word, n, true);
	}
	return 0;
}
