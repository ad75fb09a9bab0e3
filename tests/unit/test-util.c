// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#undef fail /* cmocka's; the tool has its own */

#include "base/error.h"
#include "base/util.h"

static void test_parse_u64(void **ctx)
{
	static const struct {
		const char *text;
		int base, rc;
		uint64_t max, value;
	} t[] = {
		{ "0", 10, 0, 10, 0 },
		{ "10", 10, 0, 10, 10 },
		{ "11", 10, -ERANGE, 10, 0 },
		{ "0x1f", 0, 0, 100, 31 },
		{ "010", 0, 0, 100, 10 },
		{ "0xffffffffffffffff", 0, 0, UINT64_MAX, UINT64_MAX },
		{ "0x10000000000000000", 0, -ERANGE, UINT64_MAX, 0 },
		{ "", 10, -EINVAL, 10, 0 },
		{ " 1", 10, -EINVAL, 10, 0 },
		{ "-1", 10, -EINVAL, UINT64_MAX, 0 },
		{ "+1", 10, -EINVAL, 10, 0 },
		{ "1x", 10, -EINVAL, 10, 0 },
		{ "1 ", 10, -EINVAL, 10, 0 },
		{ "0x", 0, -EINVAL, 10, 0 },
		{ "x", 0, -EINVAL, 10, 0 },
	};

	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		uint64_t value = 12345;

		assert_int_equal(parse_u64(t[i].text, t[i].base, t[i].max, &value), t[i].rc);
		assert_true(value == (t[i].rc ? 12345 : t[i].value));
	}
}

static void test_parse_period(void **ctx)
{
	static const struct {
		const char *text;
		int rc;
		uint64_t us;
	} t[] = {
		{ "1", 0, 1000000 },
		{ "1.5s", 0, 1500000 },
		{ "500ms", 0, 500000 },
		{ "250us", 0, 250 },
		{ "2m", 0, 120000000 },
		{ "0", 0, 0 },
		{ "", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ "-1s", -EINVAL, 0 },
		{ "1h", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "nan", -EINVAL, 0 },
		{ "inf", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 },
		{ "1 s", -EINVAL, 0 },
		{ ".", -EINVAL, 0 },
		{ "86401", -ERANGE, 0 },
		{ "1..2", -EINVAL, 0 },
		{ "99999999999999999999999999999999", -ERANGE, 0 },
	};

	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		uint64_t us = 7;

		assert_int_equal(parse_period(t[i].text, &us), t[i].rc);
		assert_true(us == (t[i].rc ? 7 : t[i].us));
	}
}

static void test_escape(void **ctx)
{
	static const struct {
		const char *text, *safe;
	} t[] = {
		{ "vfio-msix[0]", "vfio-msix[0]" },
		{ "a\x1b[31mb", "a\\x1b[31mb" },
		{ "line\nnext\t", "line\\x0anext\\x09" },
		{ "\x7f\x9b", "\\x7f\\x9b" },
		{ "a\\x1bb", "a\\\\x1bb" }, /* no escape of ours */
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xc2\x9b", "\\xc2\\x9b" },			/* CSI as UTF-8 */
		{ "\xe2\x80\xae", "\\xe2\\x80\\xae" },		/* right-to-left override */
		{ "\xc0\xaf", "\\xc0\\xaf" },			/* overlong */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },		/* surrogate */
		{ "\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80" }, /* above U+10FFFF */
		{ "\xe2\x82", "\\xe2\\x82" },			/* cut short */
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
	};
	char buf[64];

	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		assert_string_equal(escape_text(t[i].text, buf, sizeof(buf)), t[i].safe);
	/* Never half an escape. */
	assert_string_equal(escape_text("ab\x1b", buf, 6), "ab");
	assert_string_equal(escape_text("ab\x1b", buf, 7), "ab\\x1b");
	assert_string_equal(escape_text("a\\", buf, 3), "a");
	assert_string_equal(escape_text("x", buf, 1), "");
}

/* What a reader of our pages and documents does to have the name again. */
static void unescape(const char *text, char *name)
{
	for (; *text; text++) {
		unsigned int byte;

		if (*text != '\\') {
			*name++ = *text;
		} else if (text[1] == '\\') {
			*name++ = *++text;
		} else {
			assert_int_equal(sscanf(text, "\\x%2x", &byte), 1);
			*name++ = (char)byte;
			text += 3;
		}
	}
	*name = '\0';
}

/* No two names become the same text: any text of up to four of these letters comes back. */
static void test_escape_is_one_to_one(void **ctx)
{
	static const char letters[] = "\\x1b\x1b\n\xc3\xbc\x9b";
	const unsigned int n = sizeof(letters) - 1;

	(void)ctx;
	for (unsigned int i = 0; i < n * n * n * n; i++) {
		char name[8] = { letters[i % n], letters[i / n % n], letters[i / n / n % n],
				 letters[i / n / n / n] };
		char text[32], back[32];

		unescape(escape_text(name, text, sizeof(text)), back);
		assert_string_equal(back, name);
	}
}

/* A sentence holds names that are escaped already. */
static void test_escape_of_a_sentence(void **ctx)
{
	char *line = escape_line_dup("/tmp/a\\x1b is\x1b gone");

	(void)ctx;
	assert_string_equal(line, "/tmp/a\\x1b is\\x1b gone");
	free(line);
}

static void test_flags(void **ctx)
{
	static const struct flag_word words[] = { { 1, "READ" }, { 4, "MMAP" } };
	static const struct {
		uint32_t flags;
		const char *text;
	} row[] = { { 0, "f=0" },
		    { 1, "f=READ" },
		    { 5, "f=READ|MMAP" },
		    { 7, "f=READ|MMAP|0x2" },
		    { 8, "f=0x8" } };

	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		char buf[32] = "f=";

		append_flags(buf, sizeof(buf), words, ARRAY_SIZE(words), row[i].flags);
		assert_string_equal(buf, row[i].text);
	}
}

static void test_append(void **ctx)
{
	char buf[8] = "ab";

	(void)ctx;
	append(buf, sizeof(buf), "%d", 12);
	assert_string_equal(buf, "ab12");
	append(buf, sizeof(buf), "%s", "345678");
	assert_string_equal(buf, "ab12345");
	append(buf, sizeof(buf), "9");
	assert_string_equal(buf, "ab12345");
}

static void test_causes(void **ctx)
{
	char buf[16];

	(void)ctx;
	for (int c = CAUSE_NONE; c <= CAUSE_DISTURB; c++) {
		assert_non_null(cause_help((enum cause)c));
		for (int d = CAUSE_NONE; d < c; d++)
			assert_string_not_equal(cause_word((enum cause)c),
						cause_word((enum cause)d));
	}
	assert_null(cause_help((enum cause)(CAUSE_DISTURB + 1)));
	assert_int_equal(cause_of_errno(EACCES), CAUSE_PERMISSION);
	assert_int_equal(cause_of_errno(EBUSY), CAUSE_BUSY);
	assert_int_equal(cause_of_errno(ENODEV), CAUSE_NO_DEVICE);
	assert_int_equal(cause_of_errno(EINVAL), CAUSE_FAILED);
	/* a full file system is no lack of vectors */
	assert_int_equal(cause_of_errno(ENOSPC), CAUSE_FAILED);
	assert_string_equal(errno_name(ENOSPC, buf), "ENOSPC");
	assert_string_equal(errno_name(4000, buf), "E4000");
}

static void test_add_count(void **ctx)
{
	uint64_t sum = 0;

	(void)ctx;
	assert_true(add_count(&sum, 5));
	assert_true(add_count(&sum, COUNT_END - 5));
	assert_true(sum == COUNT_END);
	assert_true(add_count(&sum, 0));
	assert_false(add_count(&sum, 1));
	assert_false(add_count(&sum, COUNT_END));
	assert_true(sum == COUNT_END);
	/* "not known" is no sum */
	sum = 0;
	assert_false(add_count(&sum, UINT64_MAX));
	assert_true(sum == COUNT_END);
}

static void test_quote_word(void **ctx)
{
	static const char *const cases[][2] = {
		{ "sim:msix=4,msi=2", "sim:msix=4,msi=2" },
		{ "", "''" },
		{ "a b", "'a b'" },
		{ "it's", "'it'\\''s'" },
		{ "'", "''\\'''" },
		{ "a;b$c\"d\\", "'a;b$c\"d\\'" },
	};

	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *got = quote_word_dup(cases[i][0]);

		assert_string_equal(got, cases[i][1]);
	}
}

/* Half of a hint is another command. */
static void test_whole_hints(void **ctx)
{
	_cleanup_free_ char *most = calloc(1, ERROR_TEXT + 1);
	struct error e = { 0 };

	(void)ctx;
	memset(most, 'x', ERROR_TEXT - 1);
	hint(&e, "%s", most);
	assert_string_equal(e.hint, most);
	most[ERROR_TEXT - 1] = 'y';
	hint(&e, "%s", most);
	assert_string_equal(e.hint, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_u64),
		cmocka_unit_test(test_parse_period),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_escape_is_one_to_one),
		cmocka_unit_test(test_escape_of_a_sentence),
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_add_count),
		cmocka_unit_test(test_quote_word),
		cmocka_unit_test(test_whole_hints),
	};

	return cmocka_run_group_tests_name("util", tests, NULL, NULL);
}
