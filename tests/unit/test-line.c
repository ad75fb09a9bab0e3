// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of scripts and of the shell. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cli/command.h"
#include "base/util.h"

/* Behind base/error.h: it makes a macro of fail(). */
#include <cmocka.h>

#define MAX 8

/* The words of all commands of @text: [a][b]|[c]; an error is shown as its errno's sign. */
static void split(const char *text, char *shown, size_t size)
{
	char line[256], *word[MAX], *next = line;

	copy_text(line, sizeof(line), text);
	shown[0] = '\0';
	while (next) {
		struct error e = { 0 };
		int n = line_split(next, word, MAX, &next, &e);

		if (n < 0) {
			assert_int_equal(e.cause, CAUSE_USAGE);
			assert_true(e.message[0]);
			append(shown, size, "%s",
			       n == -EINVAL  ? "EINVAL"
			       : n == -E2BIG ? "E2BIG"
					     : "?");
			return;
		}
		for (int i = 0; i < n; i++)
			append(shown, size, "[%s]", word[i]);
		if (next)
			append(shown, size, "|");
	}
}

static void test_words(void **state)
{
	static const struct {
		const char *line, *words;
	} cases[] = {
		{ "", "" },
		{ " \t ", "" },
		{ "a", "[a]" },
		{ "  enable\tmsix  4 \r\n", "[enable][msix][4]|" },
		{ "a;b", "[a]|[b]" },
		{ "a ; b;", "[a]|[b]|" },
		{ ";;a", "||[a]" },
		{ "a b;c d", "[a][b]|[c][d]" },
		{ "a\nb", "[a]|[b]" },
		{ "# all of it ; and this", "" },
		{ "a # rest", "[a]" },
		{ "a # rest\nb", "[a]|[b]" },
		{ "a#b", "[a#b]" },
		{ "a;#b", "[a]|" },
		{ "'a b'", "[a b]" },
		{ "'a;b' c", "[a;b][c]" },
		{ "'#' \"#\" \\#", "[#][#][#]" },
		{ "''", "[]" },
		{ "a '' b", "[a][][b]" },
		{ "''; \"\"", "[]|[]" },
		{ "x'y z'w", "[xy zw]" },
		{ "\"it's\"", "[it's]" },
		{ "'say \"so\"'", "[say \"so\"]" },
		{ "\"a \\\" b\"", "[a \" b]" },
		{ "\"a \\\\\"", "[a \\]" },
		{ "'a \\'", "[a \\]" },
		{ "a\\ b", "[a b]" },
		{ "a\\;b", "[a;b]" },
		{ "a\\'b", "[a'b]" },
		{ "$(x) `y` *", "[$(x)][`y`][*]" },
		{ "'open", "EINVAL" },
		{ "\"open\\\"", "EINVAL" },
		{ "a; 'open", "[a]|EINVAL" },
		{ "a\\", "EINVAL" },
		{ "a\\\n", "EINVAL" },
		{ "1 2 3 4 5 6 7 8", "[1][2][3][4][5][6][7][8]" },
		{ "1 2 3 4 5 6 7 8 9", "E2BIG" },
		{ "1 2 3 4 5 6 7 8 # 9", "[1][2][3][4][5][6][7][8]" },
		{ "1 2 3 4 5 6 7 8;9", "[1][2][3][4][5][6][7][8]|[9]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char shown[256];

		split(cases[i].line, shown, sizeof(shown));
		assert_string_equal(shown, cases[i].words);
	}
}

static void test_quote_named(void **state)
{
	char line[] = "write config 'x", *word[MAX], *next;
	struct error e = { 0 };

	(void)state;
	assert_int_equal(line_split(line, word, MAX, &next, &e), -EINVAL);
	assert_non_null(strstr(e.message, "quote '"));
}

/* Words lie inside the line, terminated, whatever stood behind them. */
static void test_in_place(void **state)
{
	char line[] = "ab;cd", *word[MAX], *next;
	struct error e = { 0 };

	(void)state;
	assert_int_equal(line_split(line, word, MAX, &next, &e), 1);
	assert_ptr_equal(word[0], line);
	assert_ptr_equal(next, line + 3);
	assert_int_equal(line_split(next, word, MAX, &next, &e), 1);
	assert_ptr_equal(word[0], line + 3);
	assert_null(next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_quote_named),
		cmocka_unit_test(test_in_place),
	};

	return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
