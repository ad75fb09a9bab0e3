// SPDX-License-Identifier: GPL-2.0-or-later
/* Finding, parsing and completing by rows; the rows here are the test's own. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/backend.h"
#include "cli/command.h"
#include "cli/help-text.h"
#include "base/util.h"

/* Behind base/error.h: it makes a macro of fail(). */
#include <cmocka.h>

enum {
	GROW_FORCE,
	GROW_BY,
	GROW_COUNT,
	GROW_SECRET,
	GROW_TRACE
};

static const struct column columns[] = {
	{ .name = "DEVICE", .key = "device" },
	{ .name = "DRIVER", .key = "driver" },
	{ .name = "COUNT", .key = "count" },
};

static const struct table table = { "rows", columns, ARRAY_SIZE(columns) };

static const struct command grow = {
	.word = "grow",
	.summary = "grow it",
	.help = "One paragraph.\n  grow  as it  stands\n"
		"Another that is so long that it has to be filled into more than one line of a terminal that is "
		"narrow.\n"
		".dot and \\ at the front",
	.flags = CMD_OPENS | CMD_CHANGES,
	.family = FAMILY_CHANGE,
	.param = (const struct param[]){ { .type = ARG_DEVICE },
					 { .type = ARG_INDEX },
					 { .type = ARG_AMOUNT },
					 { .type = ARG_PERIOD, .optional = true } },
	.nparam = 4,
	.option =
		(const struct command_option[]){
			[GROW_FORCE] = { "force", 'f', ARG_FLAG, NULL, NULL, "force it" },
			[GROW_BY] = { "by", 0, ARG_CHOICE, NULL, "action|table|bits", "means" },
			[GROW_COUNT] = { "count", 'c', ARG_COUNT, "N", NULL, "times" },
			[GROW_SECRET] = { "secret", 0, ARG_FLAG, NULL, NULL, NULL },
			[GROW_TRACE] = { "trace", 0, ARG_COUNT, NULL, NULL, "own" } },
	.noption = 5,
	.table = &table,
};

static const struct command poke = {
	.word = "poke",
	.summary = "poke it",
	.param = (const struct param[]){ { .type = ARG_REGION },
					 { .type = ARG_OFFSET },
					 { .type = ARG_WIDTH },
					 { .type = ARG_VALUE },
					 { .type = ARG_RATE } },
	.nparam = 5,
};

static const struct command echo = {
	.word = "echo",
	.summary = "all words",
	.param = (const struct param[]){ { .type = ARG_TEXT, .name = "WORD", .many = true } },
	.nparam = 1,
};

static const struct command outside = { .word = "shell",
					.summary = "outside",
					.flags = CMD_OUTSIDE };
static const struct command inside = { .word = "quit", .summary = "inside", .flags = CMD_INSIDE };
static const struct command hidden = { .word = "__hidden",
				       .summary = "hidden",
				       .flags = CMD_HIDDEN };
static const struct command help = {
	.word = "help",
	.summary = "help",
	.param = (const struct param[]){ { .type = ARG_COMMAND, .optional = true },
					 { .type = ARG_FILE, .optional = true } },
	.nparam = 2,
};

static const struct command *const rows[] = {
	&grow, &poke, &echo, &outside, &inside, &hidden, &help
};
static const struct commands commands = { rows, ARRAY_SIZE(rows) };

/* Words of one line, split at blanks; "_" is the empty word. */
static int words_of(const char *line, char *buf, size_t size, char **word)
{
	int n = 0;

	copy_text(buf, size, line);
	for (char *at = strtok(buf, " "); at; at = strtok(NULL, " ")) {
		word[n++] = at;
		if (!strcmp(at, "_"))
			at[0] = '\0';
	}
	word[n] = NULL;
	return n;
}

struct parsed {
	char buf[256], *word[32];
	struct globals g;
	struct args a;
	struct error e;
};

static int parse(struct parsed *p, const struct command *cmd, bool in, const char *line)
{
	int n;

	memset(p, 0, sizeof(*p));
	n = words_of(line, p->buf, sizeof(p->buf), p->word);
	return command_parse(cmd, n, p->word, in, &p->g, &p->a, &p->e);
}

static void test_find(void **state)
{
	struct error e = { 0 };

	(void)state;
	assert_ptr_equal(command_find(&commands, "grow", false, &e), &grow);
	assert_ptr_equal(command_find(&commands, "quit", true, &e), &inside);
	assert_ptr_equal(command_find(&commands, "__hidden", false, &e), &hidden);
	assert_null(command_find(&commands, "quit", false, &e));
	assert_int_equal(e.cause, CAUSE_USAGE);
	assert_non_null(strstr(e.message, "only offered inside"));
	assert_null(command_find(&commands, "shell", true, &e));
	assert_non_null(strstr(e.hint, "msictl shell"));
}

static void test_find_near(void **state)
{
	static const struct {
		const char *typed, *meant;
	} cases[] = {
		{ "gorw", "grow" }, { "gro", "grow" },	 { "grwo", "grow" }, { "growl", "grow" },
		{ "p", "poke" },    { "zzz", NULL },	 { "frok", NULL },   { "quti", NULL },
		{ "", NULL },	    { "__hiden", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error e = { 0 };
		char meant[64] = "";

		assert_null(command_find(&commands, cases[i].typed, false, &e));
		append(meant, sizeof(meant), "did you mean %s?",
		       cases[i].meant ? cases[i].meant : "");
		if (cases[i].meant)
			assert_non_null(strstr(e.hint, meant));
		else
			assert_null(strstr(e.hint, "did you mean"));
	}
}

static void test_words(void **state)
{
	struct parsed p;

	(void)state;
	assert_int_equal(parse(&p, &grow, false, "grow 01:00.0 msix 4 1.5s"), 0);
	assert_string_equal(p.a.param[0].text, "01:00.0");
	assert_int_equal(p.a.param[1].index, IRQ_MSIX);
	assert_int_equal(p.a.param[2].amount, AMOUNT_COUNT);
	assert_int_equal(p.a.param[2].number, 4);
	assert_int_equal(p.a.param[3].number, 1500000);
	assert_ptr_equal(p.a.command, &grow);
	assert_int_equal(parse(&p, &grow, false, "grow d msi 1-2,5"), 0);
	assert_false(p.a.param[3].given);
	assert_int_equal(p.a.param[2].amount, AMOUNT_VECTORS);
	assert_int_equal(p.a.param[2].word, VECTORS_LISTED);
	assert_int_equal(vector_set_count(&p.a.param[2].vectors), 3);
	assert_int_equal(parse(&p, &grow, false, "grow d msi all"), 0);
	assert_int_equal(p.a.param[2].word, VECTORS_ALL);
	assert_int_equal(parse(&p, &grow, false, "grow d msi none"), 0);
	assert_int_equal(p.a.param[2].amount, AMOUNT_NONE);
	assert_int_equal(parse(&p, &poke, false, "poke bar5 0x10 q 0xffffffffffffffff 1000000"), 0);
	assert_int_equal(p.a.param[0].number, REGION_BAR5);
	assert_int_equal(p.a.param[1].number, 16);
	assert_int_equal(p.a.param[2].number, 8);
	assert_true(p.a.param[3].number == UINT64_MAX);
	assert_int_equal(parse(&p, &poke, false, "poke config 010 b 1 1"), 0);
	assert_int_equal(p.a.param[0].number, REGION_CONFIG);
	assert_int_equal(p.a.param[1].number, 10);
}

/* Each line is refused, as usage, and the sentence names what is wrong. */
static void test_refused(void **state)
{
	static const struct {
		const struct command *cmd;
		const char *line, *names;
	} cases[] = {
		{ &grow, "grow", "DEVICE is missing" },
		{ &grow, "grow d", "INDEX is missing" },
		{ &grow, "grow d msi", "COUNT|VECTORS|none is missing" },
		{ &grow, "grow d msi 1 1s more", "one word too many: \"more\"" },
		{ &grow, "grow _ msi 1", "DEVICE" },
		{ &grow, "grow d MSI 1", "\"MSI\"" },
		{ &grow, "grow d msi 5-3", "out of range" },
		{ &grow, "grow d msi 0-99999", "out of range" },
		{ &grow, "grow d msi 2049", "out of range" },
		{ &grow, "grow d msi 1,", "not understood" },
		{ &grow, "grow d msi _", "not understood" },
		{ &grow, "grow d msi +1", "not understood" },
		{ &grow, "grow d msi 0x4", "not understood" },
		{ &grow, "grow d msi 1 25h", "TIME" },
		{ &grow, "grow d msi 1 25000m", "24 hours" },
		{ &grow, "grow d msi 1 --count", "--count needs a value: N" },
		{ &grow, "grow d msi 1 -c", "--count needs a value: N" },
		{ &grow, "grow d msi 1 --count=", "--count: \"\"" },
		{ &grow, "grow d msi 1 --count -1", "--count: \"-1\"" },
		{ &grow, "grow d msi 1 --count 4294967296", "out of range" },
		{ &grow, "grow d msi 1 --force=yes", "--force takes no value" },
		{ &grow, "grow d msi 1 --by tables", "none of action|table|bits" },
		{ &grow, "grow d msi 1 --by tab", "none of action|table|bits" },
		{ &grow, "grow d msi 1 --nonsense", "no option --nonsense" },
		{ &grow, "grow d msi 1 -fx", "no option -x" },
		{ &grow, "grow d msi 1 --color sometimes", "--color" },
		{ &grow, "grow d msi 1 -o FOO", "\"FOO\" is no column" },
		{ &poke, "poke bar5 0 b 0 1 -o DEVICE", "this command has no columns" },
		{ &poke, "poke bar6 0 b 0 1", "REGION" },
		{ &poke, "poke bar0 0 d 0 1", "b|w|l|q" },
		{ &poke, "poke bar0 0x10000000000000000 b 0 1", "64 bits" },
		{ &poke, "poke bar0 1x b 0 1", "OFFSET" },
		{ &poke, "poke bar0 0 b 0 0", "1 to 1000000" },
		{ &poke, "poke bar0 0 b 0 1000001", "1 to 1000000" },
		{ &echo, "echo", "WORD is missing" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct parsed p;

		assert_int_equal(parse(&p, cases[i].cmd, false, cases[i].line), -EINVAL);
		assert_int_equal(p.e.cause, CAUSE_USAGE);
		assert_int_equal(p.e.err, 0);
		assert_non_null(strstr(p.e.message, cases[i].names));
		assert_true(strstr(p.e.hint, "usage: msictl ") || strstr(p.e.message, "column"));
	}
}

static void test_near_option(void **state)
{
	struct parsed p;

	(void)state;
	assert_int_equal(parse(&p, &grow, false, "grow d msi 1 --froce"), -EINVAL);
	assert_non_null(strstr(p.e.hint, "did you mean --force?"));
	assert_int_equal(parse(&p, &grow, false, "grow d msi 1 --jsno=1"), -EINVAL);
	assert_non_null(strstr(p.e.hint, "did you mean --json?"));
	assert_int_equal(parse(&p, &grow, false, "grow d msi 1 --secert"), -EINVAL);
	assert_null(strstr(p.e.hint, "secret"));
}

/* Options stand anywhere, whatever POSIXLY_CORRECT says, until --. */
static void test_options(void **state)
{
	static const char *const lines[] = {
		"grow --force d -J msi --by table 4 -c7",
		"grow d msi 4 -fJ --by=table -c 7",
		"grow -Jf --by table -c7 d msi 4",
		"grow --json --force --count=7 --by=table -- d msi 4",
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(lines); i++) {
		struct parsed p;

		if (i == ARRAY_SIZE(lines))
			setenv("POSIXLY_CORRECT", "1", 1);
		assert_int_equal(parse(&p, &grow, false, lines[i % ARRAY_SIZE(lines)]), 0);
		assert_true(p.g.json);
		assert_true(p.a.option[GROW_FORCE].given);
		assert_int_equal(p.a.option[GROW_BY].number, 1);
		assert_int_equal(p.a.option[GROW_COUNT].number, 7);
		assert_false(p.a.option[GROW_SECRET].given);
		assert_string_equal(p.a.param[0].text, "d");
		assert_int_equal(p.a.param[2].number, 4);
	}
	unsetenv("POSIXLY_CORRECT");
}

/* A command's own option wins over the global one of that name, behind the command's word. */
static void test_own_wins(void **state)
{
	struct parsed p;

	(void)state;
	assert_int_equal(parse(&p, &grow, false, "grow d msi 4 --trace 9"), 0);
	assert_int_equal(p.a.option[GROW_TRACE].number, 9);
	assert_false(p.g.trace);
}

static void test_many(void **state)
{
	struct parsed p;

	(void)state;
	assert_int_equal(parse(&p, &echo, false, "echo a -J b --trace c -- -J --"), 0);
	assert_string_equal(p.a.param[0].text, "a");
	assert_int_equal(p.a.nrest, 4);
	assert_string_equal(p.a.rest[0], "b");
	assert_string_equal(p.a.rest[1], "c");
	assert_string_equal(p.a.rest[2], "-J");
	assert_string_equal(p.a.rest[3], "--");
	assert_true(p.g.json && p.g.trace);
}

static void test_inside(void **state)
{
	struct parsed p;

	(void)state;
	assert_int_equal(parse(&p, &grow, true, "grow msix 4 --dry-run"), 0);
	assert_false(p.a.param[0].given);
	assert_int_equal(p.a.param[1].index, IRQ_MSIX);
	assert_true(p.g.dry_run);
	assert_int_equal(parse(&p, &grow, true, "grow 01:00.0 msix 4"), -EINVAL);
	assert_non_null(strstr(p.e.hint, "usage: grow INDEX"));
	assert_int_equal(parse(&p, &grow, true, "grow msix 4 --root /"), -EINVAL);
	assert_null(p.g.root);
	assert_int_equal(parse(&p, &grow, true, "grow msix 4 --noiommu"), -EINVAL);
	assert_false(p.g.noiommu);
}

/* How a mistake is to be told is known even when it stands behind the mistake. */
static void test_json_behind_mistake(void **state)
{
	struct parsed p;

	(void)state;
	assert_int_equal(parse(&p, &grow, false, "grow --nonsense --more d msi x --json"), -EINVAL);
	assert_true(p.g.json);
	assert_non_null(strstr(p.e.message, "--nonsense"));
}

static void test_help_needs_no_words(void **state)
{
	struct parsed p;

	(void)state;
	assert_int_equal(parse(&p, &grow, false, "grow --help"), 0);
	assert_true(p.g.help);
	assert_int_equal(parse(&p, &grow, false, "grow d -h nonsense"), 0);
	assert_true(p.g.help);
}

static void test_globals(void **state)
{
	char buf[128], *word[16];
	struct globals g = { 0 };
	struct error e = { 0 };
	int at = 0, n;

	(void)state;
	n = words_of("msictl -nJ --root /x -oA,B --color never grow --help", buf, sizeof(buf),
		     word);
	assert_int_equal(globals_parse(n, word, &g, &at, &e), 0);
	assert_string_equal(word[at], "grow");
	assert_true(g.noheadings && g.json && !g.help && !g.trace && !g.dry_run);
	assert_string_equal(g.root, "/x");
	assert_string_equal(g.columns, "A,B");
	assert_string_equal(g.color, "never");
	n = words_of("msictl --version", buf, sizeof(buf), word);
	assert_int_equal(globals_parse(n, word, &g, &at, &e), 0);
	assert_int_equal(at, n);
	assert_true(g.version);
	n = words_of("msictl -- grow", buf, sizeof(buf), word);
	assert_int_equal(globals_parse(n, word, &g, &at, &e), 0);
	assert_string_equal(word[at], "grow");
	n = words_of("msictl --force grow", buf, sizeof(buf), word);
	assert_int_equal(globals_parse(n, word, &g, &at, &e), -EINVAL);
	assert_int_equal(e.cause, CAUSE_USAGE);
	n = words_of("msictl --root", buf, sizeof(buf), word);
	assert_int_equal(globals_parse(n, word, &g, &at, &e), -EINVAL);
	assert_non_null(strstr(e.message, "--root needs a value: FILE"));
}

static void test_usage(void **state)
{
	char buf[256], tiny[8];

	(void)state;
	assert_string_equal(
		command_usage(&grow, false, buf, sizeof(buf)),
		"grow DEVICE INDEX COUNT|VECTORS|none [TIME] [--force] [--by action|table|bits] [--count "
		"N] [--trace COUNT]");
	assert_string_equal(
		command_usage(&grow, true, buf, sizeof(buf)),
		"grow INDEX COUNT|VECTORS|none [TIME] [--force] [--by action|table|bits] [--count N] [--trace COUNT]");
	assert_string_equal(command_usage(&echo, true, buf, sizeof(buf)), "echo WORD...");
	assert_string_equal(command_usage(&grow, true, tiny, sizeof(tiny)), "grow IN");
}

static void collect(void *to, const char *word, const char *text)
{
	(void)text;
	append(to, 512, "%s ", *word ? word : "(file)");
}

static void live(void *ctx, enum arg_type type, const char *prefix,
		 void (*add)(void *to, const char *word, const char *help), void *to)
{
	(void)prefix;
	if (type == ARG_DEVICE) {
		add(to, "01:00.0", ctx);
		add(to, "02:00.0", ctx);
	} else if (type == ARG_AMOUNT) {
		add(to, "12", ctx);
	}
}

static void test_complete(void **state)
{
	static const struct {
		bool in;
		const char *line, *words;
	} cases[] = {
		{ false, "_", "grow poke echo shell help " },
		{ true, "_", "grow poke echo quit help " },
		{ false, "g", "grow " },
		{ false, "grow _", "sim 01:00.0 02:00.0 " },
		{ false, "grow s", "sim " },
		{ false, "grow sim:no", "sim:noresize sim:nomask sim:no-intx " },
		{ false, "grow sim:msix=8,d", "sim:msix=8,drop= " },
		{ false, "grow 02", "02:00.0 " },
		{ false, "grow /dev/x", "(file) " },
		{ false, "grow d m", "msi msix " },
		{ true, "grow m", "msi msix " },
		{ true, "grow -J --by table m", "msi msix " },
		{ true, "grow --by=table m", "msi msix " },
		{ true, "grow msi _", "none all 12 " },
		{ true, "grow msi 0-3,1", "0-3,12 " },
		{ false, "grow d msi 1 1s _", "" },
		{ false, "grow --f", "--force " },
		{ false, "grow --se", "" },
		{ false, "grow --tr", "--trace " },
		{ false, "poke --tr", "--trace " },
		{ false, "grow d -c 3 --co", "--count --color " },
		{ true, "grow --co", "--count " },
		{ false, "grow --by _", "action table bits " },
		{ false, "grow --by t", "table " },
		{ false, "grow --by=t", "--by=table " },
		{ false, "grow --force=t", "" },
		{ false, "grow -c _", "" },
		{ false, "grow -fJo _", "DEVICE DRIVER COUNT " },
		{ false, "grow -o d", "DEVICE DRIVER " },
		{ false, "grow -o +d", "+DEVICE +DRIVER " },
		{ false, "grow -o DEVICE,", "DEVICE,DRIVER DEVICE,COUNT " },
		{ false, "grow --output=device,d", "--output=device,DRIVER " },
		{ false, "poke -o _", "" },
		{ false, "--root _", "(file) " },
		{ false, "--root --json g", "grow " },
		{ false, "--color a", "auto always " },
		{ false, "--js", "--json " },
		{ false, "nonsense _", "" },
		{ false, "help gr", "grow " },
		{ false, "help grow _", "(file) " },
		{ false, "grow -- -", "" },
		{ false, "poke bar5 0 _", "b w l q " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char buf[256], *word[16], found[512] = "", text[] = "";
		struct completion_source src = { .candidates = live, .ctx = text };
		int n = words_of(cases[i].line, buf, sizeof(buf), word);

		command_complete(&commands, n, word, cases[i].in, &src, collect, found);
		assert_string_equal(found, cases[i].words);
	}
}

/* What a user typed may be as long as he likes. */
static void test_complete_long(void **state)
{
	char comma[2048], *word[] = { comma };
	char found[512] = "";

	(void)state;
	memset(comma, 'x', sizeof(comma) - 1);
	comma[sizeof(comma) - 1] = '\0';
	command_complete(&commands, 1, word, false, NULL, collect, found);
	assert_string_equal(found, "");
	command_complete(&commands, 0, word, false, NULL, collect, found);
	assert_string_equal(found, "");
}

static void test_paragraphs(void **state)
{
	const char *at = "one\n  two\n  three\nfour\n", *line;
	struct paragraph p;
	size_t n;

	(void)state;
	assert_true(next_paragraph(&at, &p));
	assert_false(p.example);
	assert_memory_equal(p.text, "one", 3);
	assert_int_equal(p.n, 3);
	assert_true(next_paragraph(&at, &p));
	assert_true(p.example);
	assert_true(next_line(&p, &line, &n));
	assert_int_equal(n, 5);
	assert_memory_equal(line, "  two", n);
	assert_true(next_line(&p, &line, &n));
	assert_memory_equal(line, "  three", n);
	assert_false(next_line(&p, &line, &n));
	assert_true(next_paragraph(&at, &p));
	assert_int_equal(p.n, 4);
	assert_false(next_paragraph(&at, &p));
}

enum what {
	HELP,
	HELP_GROW,
	MAN
};

/* What help prints; free() it. */
static char *told(enum what what, bool json, bool in)
{
	struct out_options opt = { .json = json };
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	struct out *o;

	assert_non_null(f);
	assert_int_equal(out_new(&o, &opt), 0);
	out_set_streams(o, f, stderr);
	if (what == MAN)
		command_man(&commands, o);
	else
		command_help(&commands, what == HELP ? NULL : &grow, in, o);
	out_end(o);
	out_free(o);
	fclose(f);
	return text;
}

static void test_help_lists(void **state)
{
	char *text = told(HELP, false, false);

	(void)state;
	assert_non_null(strstr(text, "\nChange\n  grow        grow it\n"));
	assert_non_null(strstr(text, "\n  shell "));
	assert_non_null(strstr(text, "--root FILE"));
	assert_null(strstr(text, "quit"));
	assert_null(strstr(text, "__hidden"));
	free(text);
	text = told(HELP, false, true);
	assert_non_null(strstr(text, "\n  quit "));
	assert_null(strstr(text, "\n  shell "));
	assert_null(strstr(text, "--root"));
	free(text);
	/* All families are in one array. */
	text = told(HELP, true, false);
	assert_non_null(strstr(text, "{\"command\":\"grow\","));
	assert_non_null(strstr(text, "{\"command\":\"poke\","));
	assert_null(strstr(text, "__hidden"));
	free(text);
}

static void test_help_one(void **state)
{
	char *text = told(HELP_GROW, false, false);

	(void)state;
	assert_int_equal(strncmp(text, "usage: msictl grow DEVICE INDEX ", 32), 0);
	assert_non_null(strstr(text, "\n  -c, --count N            times\n"));
	assert_non_null(strstr(text, "\n  DEVICE  "));
	assert_non_null(strstr(
		text, "\n\nOne paragraph.\n\n  grow  as it  stands\n\nAnother that is so long"));
	assert_null(strstr(text, "secret"));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(!strncmp(line, "usage:", 6) || strlen(line) <= 79);
	free(text);
}

static void test_man(void **state)
{
	char *text = told(MAN, false, false);

	(void)state;
	assert_non_null(strstr(text, "\n.SH EXIT STATUS\n"));
	assert_non_null(strstr(text, "\n\\fBgrow\\fP DEVICE INDEX "));
	assert_non_null(strstr(text, "\n.nf\n  grow  as it  stands\n.fi\n"));
	/* An option is copied from the page as it is typed. */
	assert_non_null(strstr(text, "\\fB\\-c\\fP, \\fB\\-\\-count\\fP \\fIN\\fP\ntimes\n"));
	assert_non_null(strstr(text, "\\-\\-dry\\-run\\fP"));
	assert_non_null(strstr(text, "quit"));
	assert_null(strstr(text, "hidden"));
	assert_null(strstr(text, "secret"));
	/* Nothing of a row begins a request by accident. */
	assert_non_null(strstr(text, "\n\\&.dot and \\e at the front\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_find_near),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_near_option),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_own_wins),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_inside),
		cmocka_unit_test(test_json_behind_mistake),
		cmocka_unit_test(test_help_needs_no_words),
		cmocka_unit_test(test_globals),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_complete_long),
		cmocka_unit_test(test_paragraphs),
		cmocka_unit_test(test_help_lists),
		cmocka_unit_test(test_help_one),
		cmocka_unit_test(test_man),
	};

	return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
