// SPDX-License-Identifier: GPL-2.0-or-later
/* Documents, tables and lines, as they arrive on stdout and stderr. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "out/printer.h"
#include "base/util.h"

/* Behind base/error.h: it makes a macro of fail(). */
#include <cmocka.h>

static const struct column columns[] = {
	{ "DEVICE", "device", CELL_TEXT, "address", false },
	{ "MSI", "msi.enabled/msi.maximum", CELL_RATIO, "enabled of maximum", false },
	{ "COUNT", "count", CELL_NUMBER, "counted", false },
	{ "CONTROL", "control", CELL_HEX, "register", true },
	{ "FLAGS", "flags", CELL_LIST, "words", true },
	{ "LIVE", "live", CELL_FLAG, "whether", true },
};

static const struct table table = { "rows", columns, ARRAY_SIZE(columns) };

/* One stream into a file in memory while a test prints. */
struct capture {
	int fd, saved, file;
	char text[4096];
};

static void capture_begin(struct capture *c, int fd)
{
	fflush(NULL);
	c->fd = fd;
	c->saved = dup(fd);
	c->file = memfd_create("capture", 0);
	assert_true(c->saved >= 0 && c->file >= 0);
	assert_int_equal(dup2(c->file, fd), fd);
}

static const char *capture_end(struct capture *c)
{
	ssize_t n;

	fflush(NULL);
	dup2(c->saved, c->fd);
	n = pread(c->file, c->text, sizeof(c->text) - 1, 0);
	close(c->saved);
	close(c->file);
	c->text[n > 0 ? n : 0] = '\0';
	return c->text;
}

static struct out *new_out(bool json, const char *list, bool noheadings)
{
	struct out_options opt = { .json = json, .columns = list, .noheadings = noheadings };
	struct out *o;

	assert_int_equal(out_new(&o, &opt), 0);
	return o;
}

static void fill_rows(struct out *o)
{
	node *rows = doc_array(out_doc(o), "rows"), *row = doc_row(rows), *n;

	doc_text(row, "device", "01:00.0");
	n = doc_object(row, "msi");
	doc_number(n, "enabled", 0);
	doc_number(n, "maximum", 16);
	doc_number(row, "count", UINT64_MAX);
	doc_number(row, "control", 0x88);
	n = doc_array(row, "flags");
	doc_push_text(n, "EVENTFD");
	doc_push_number(n, 3);
	doc_bool(row, "live", true);
	row = doc_row(rows);
	doc_text(row, "device", NULL);
	doc_signed(row, "count", -1);
	doc_bool(row, "live", false);
	doc_array(row, "flags");
}

/* What comes out on stdout of the table with these options. */
static const char *printed(struct capture *c, bool json, const char *list, bool noheadings)
{
	struct out *o = new_out(json, list, noheadings);

	capture_begin(c, STDOUT_FILENO);
	fill_rows(o);
	assert_int_equal(out_table(o, &table), 0);
	out_end(o);
	capture_end(c);
	out_free(o);
	return c->text;
}

static void test_table(void **state)
{
	struct capture c;

	(void)state;
	assert_string_equal(printed(&c, false, NULL, false),
			    "DEVICE    MSI                 COUNT\n"
			    "01:00.0  0/16  18446744073709551615\n"
			    "-           -                    -1\n");
	assert_string_equal(printed(&c, false, "live,Flags,CONTROL", true),
			    "yes   EVENTFD,3     0x88\n"
			    "no    -                -\n");
	assert_string_equal(printed(&c, false, "+LIVE,device", true),
			    "01:00.0  0/16  18446744073709551615  yes\n"
			    "-           -                    -1  no\n");
}

/* A table of another array than the one that -o is about stays whole. */
static void test_table_other_columns(void **state)
{
	struct capture c;

	(void)state;
	assert_non_null(strstr(printed(&c, false, "VECTOR,STATE", false),
			       "DEVICE    MSI                 COUNT\n"));
	assert_non_null(strstr(printed(&c, true, "VECTOR", false), "\"maximum\":16"));
}

static void test_json(void **state)
{
	struct capture c;

	(void)state;
	assert_string_equal(
		printed(&c, true, NULL, true),
		"{\"rows\":[{\"device\":\"01:00.0\",\"msi\":{\"enabled\":0,\"maximum\":16},"
		"\"count\":18446744073709551615,\"control\":136,\"flags\":[\"EVENTFD\",3],\"live\":true},"
		"{\"device\":null,\"count\":-1,\"live\":false,\"flags\":[]}]}\n");
	assert_string_equal(
		printed(&c, true, "msi,DEVICE", false),
		"{\"rows\":[{\"device\":\"01:00.0\",\"msi\":{\"enabled\":0,\"maximum\":16}},"
		"{\"device\":null}]}\n");
	assert_non_null(strstr(printed(&c, true, "+LIVE", false), "\"control\":136"));
}

/* As many members as a row of "info" has. */
static void fill_vector_row(node *rows, unsigned int n)
{
	static const char *const words[] = { "index",	 "state",     "chip",  "action",
					     "affinity", "effective", "source" };
	node *row = doc_row(rows);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		doc_text(row, words[i], "a word");
	doc_number(row, "vector", n);
	doc_number(row, "count", UINT64_MAX - n);
	doc_signed(row, "irq", -1);
	doc_null(row, "cpus_missing");
	doc_real(row, "rate", 0.1);
	doc_text(row, "name", "\"/\\\n");
	doc_bool(row, "saturated", false);
	doc_number(doc_object(row, "msi"), "enabled", n);
}

/* A row grew from 1 KiB to 2 KiB when it got its 12th member: 2048 vectors took 4 MiB of them. */
static void test_rows_are_small(void **state)
{
	enum {
		ROWS = 256,
		MOST = 640
	};
	struct out *o = new_out(false, NULL, false);
	node *rows = doc_array(out_doc(o), "rows");
	size_t before = mallinfo2().uordblks, used;

	(void)state;
	for (unsigned int n = 0; n < ROWS; n++)
		fill_vector_row(rows, n);
	/* 0 under a sanitizer and valgrind, which bring their own malloc() */
	used = mallinfo2().uordblks - before;
	print_message("%zu bytes per row\n", used / ROWS);
	assert_true(used < (size_t)ROWS * MOST);
	out_free(o);
}

static const struct column vector_columns[] = {
	{ "V", "vector", CELL_NUMBER, "", false },
	{ "COUNT", "count", CELL_NUMBER, "", false },
	{ "IRQ", "irq", CELL_NUMBER, "", false },
	{ "RATE", "rate", CELL_NUMBER, "", false },
	{ "NONE", "cpus_missing", CELL_NUMBER, "", false },
	{ "NAME", "name", CELL_TEXT, "", false },
	{ "FLAG", "saturated", CELL_FLAG, "", false },
	{ "MSI", "msi.enabled/count", CELL_RATIO, "", false },
};

static const struct table vector_table = { "rows", vector_columns, ARRAY_SIZE(vector_columns) };

/* Two rows of the same content, of which the first is a text already and the second an object still. */
static const char *two_rows(struct capture *c, bool json, const char *list)
{
	struct out *o = new_out(json, list, true);
	node *rows = doc_array(out_doc(o), "rows");

	capture_begin(c, STDOUT_FILENO);
	fill_vector_row(rows, 7);
	fill_vector_row(rows, 7);
	assert_int_equal(out_table(o, &vector_table), 0);
	out_end(o);
	capture_end(c);
	out_free(o);
	return c->text;
}

static void test_rows_are_alike(void **state)
{
	static const char *const lists[] = { NULL, "COUNT,name,RATE,msi" };
	struct capture c;

	(void)state;
	assert_string_equal(
		two_rows(&c, false, NULL),
		"7  18446744073709551608   -1  0.10     -  \"/\\\\\\x0a  no    7/18446744073709551608\n"
		"7  18446744073709551608   -1  0.10     -  \"/\\\\\\x0a  no    7/18446744073709551608\n");
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const char *text = two_rows(&c, true, lists[i]), *first = strchr(text, '['),
			   *second;

		second = strstr(text, "},{");
		assert_non_null(strstr(text, "\"count\":18446744073709551608,"));
		assert_non_null(strstr(text, "\"rate\":0.10,"));
		assert_true(first && second);
		assert_memory_equal(first + 1, second + 2, (size_t)(second - first));
		assert_string_equal(second + 2 + (second - first), "]}\n");
	}
}

static void test_json_empty_table(void **state)
{
	struct out *o = new_out(true, NULL, false);
	struct capture c;

	(void)state;
	capture_begin(&c, STDOUT_FILENO);
	out_table(o, &table);
	out_text(o, "not for a parser");
	out_bold(o, "nor this");
	out_end(o);
	out_end(o);
	assert_string_equal(capture_end(&c), "{\"rows\":[]}\n");
	out_free(o);
}

static void test_check_columns(void **state)
{
	static const char *const bad[] = { "",	      "+",	     "DEVICES", "DEVICE,",
					   ",DEVICE", "DEVICE,,MSI", "DEV",	"DEVICE MSI" };
	struct error e = { 0 };

	(void)state;
	assert_int_equal(out_check_columns(&table, "device,MSI", &e), 0);
	assert_int_equal(out_check_columns(&table, "+live", &e), 0);
	assert_int_equal(out_check_columns(&table, NULL, &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		e = (struct error){ 0 };
		assert_int_equal(out_check_columns(&table, bad[i], &e), -EINVAL);
		assert_int_equal(e.cause, CAUSE_USAGE);
		assert_non_null(strstr(e.hint, "DEVICE,MSI,COUNT,CONTROL,FLAGS,LIVE"));
	}
}

/* Nothing from outside reaches a terminal as a control character, whatever way it takes. */
static void test_escapes(void **state)
{
	struct out *o = new_out(false, "DEVICE", true);
	struct error e = { .cause = CAUSE_FAILED,
			   .message = "bad \033[2J name \\x41",
			   .hint = "try\n this" };
	struct capture c;

	(void)state;
	capture_begin(&c, STDOUT_FILENO);
	doc_textf(doc_row(doc_array(out_doc(o), "rows")), "device", "%s",
		  "a\033[31m\r\n\x7f\xffz\\x41");
	out_table(o, &table);
	out_text(o, "%s\ttab", "evil\033]0;x\007");
	out_end(o);
	assert_string_equal(capture_end(&c),
			    "a\\x1b[31m\\x0d\\x0a\\x7f\\xffz\\\\x41\nevil\\x1b]0;x\\x07\ttab\n");
	capture_begin(&c, STDERR_FILENO);
	out_error(o, "\033c", &e);
	assert_string_equal(capture_end(&c),
			    "msictl: \\x1bc: bad \\x1b[2J name \\x41\nhint: try\\x0a this\n");
	out_free(o);
}

static void test_bold(void **state)
{
	struct out_options opt = { .color = true };
	struct out *o = new_out(false, NULL, false);
	struct capture c;

	(void)state;
	capture_begin(&c, STDOUT_FILENO);
	out_bold(o, "plain");
	out_set_options(o, &opt);
	out_bold(o, "strong");
	fill_rows(o);
	out_table(o, &table);
	out_end(o);
	capture_end(&c);
	assert_int_equal(strncmp(c.text, "plain\n\033[1mstrong\033[0m\n\033[1mDEVICE", 29), 0);
	assert_true(out_color(o));
	out_free(o);
}

static void test_error_text(void **state)
{
	struct out *o = new_out(false, NULL, false);
	struct error e = { .cause = CAUSE_BUSY, .err = EBUSY, .message = "taken" };
	struct capture c;

	(void)state;
	capture_begin(&c, STDERR_FILENO);
	out_error(o, "01:00.0: resize", &e);
	out_error(o, NULL, &e);
	out_note(o, "%s", "a note");
	assert_string_equal(capture_end(&c), "msictl: 01:00.0: resize: taken (EBUSY)\n"
					     "msictl: taken (EBUSY)\n"
					     "a note\n");
	out_free(o);
}

static void test_error_json(void **state)
{
	struct out *o = new_out(true, NULL, false);
	struct error e = {
		.cause = CAUSE_NO_DEVICE, .err = ENODEV, .message = "gone", .hint = "msictl list"
	};
	struct capture c, err;

	(void)state;
	capture_begin(&c, STDOUT_FILENO);
	capture_begin(&err, STDERR_FILENO);
	out_error(o, NULL, &e);
	doc_number(out_doc(o), "armed", 4);
	e = (struct error){ .cause = CAUSE_USAGE, .message = "wrong" };
	out_error(o, NULL, &e);
	out_end(o);
	capture_end(&err);
	assert_string_equal(
		capture_end(&c),
		"{\"error\":{\"cause\":\"no-device\",\"errno\":\"ENODEV\",\"message\":\"gone\","
		"\"hint\":\"msictl list\"}}\n"
		"{\"armed\":4,\"error\":{\"cause\":\"usage\",\"errno\":null,\"message\":\"wrong\","
		"\"hint\":null}}\n");
	assert_string_equal(err.text, "msictl: gone (ENODEV)\nhint: msictl list\nmsictl: wrong\n");
	out_free(o);
}

/* A node that could not be had is ignored by all that would fill it. */
static void test_null_nodes(void **state)
{
	struct out *o = new_out(true, NULL, false);
	struct error e = { 0 };

	(void)state;
	assert_null(doc_object(NULL, "x"));
	assert_null(doc_array(NULL, "x"));
	assert_null(doc_row(NULL));
	doc_text(NULL, "x", "y");
	doc_text(NULL, "x", NULL);
	doc_textf(NULL, "x", "%d", 1);
	doc_number(NULL, "x", 1);
	doc_signed(NULL, "x", 1);
	doc_bool(NULL, "x", true);
	doc_null(NULL, "x");
	doc_push_text(NULL, "x");
	doc_push_number(NULL, 1);
	assert_int_equal(out_flush(o, &e), 0);
	out_free(o);
}

/* A result that did not arrive is a failure, and stays one. */
static void test_full_disk(void **state)
{
	struct out *o = new_out(false, NULL, false);
	int full = open("/dev/full", O_WRONLY), saved = dup(STDOUT_FILENO);
	struct error e = { 0 };

	(void)state;
	assert_true(full >= 0);
	fflush(stdout);
	dup2(full, STDOUT_FILENO);
	out_text(o, "lost");
	out_end(o);
	dup2(saved, STDOUT_FILENO);
	close(full);
	close(saved);
	clearerr(stdout);
	assert_int_equal(out_flush(o, &e), -ENOSPC);
	assert_int_equal(e.cause, CAUSE_FAILED);
	assert_non_null(strstr(e.message, "standard output"));
	out_free(o);
}

struct guard {
	int hidden, shown;
};

static void count_hide(void *ctx)
{
	((struct guard *)ctx)->hidden++;
}

static void count_show(void *ctx)
{
	struct guard *g = ctx;

	g->shown++;
	assert_int_equal(g->shown, g->hidden);
}

/* The half-typed line steps aside for each print and is always put back. */
static void test_guard(void **state)
{
	struct out *o = new_out(false, NULL, false);
	struct guard g = { 0 };
	struct out_guard guard = { count_hide, count_show, &g };
	struct error e = { .cause = CAUSE_FAILED, .message = "m", .hint = "h" };
	struct capture c, err;

	(void)state;
	capture_begin(&c, STDOUT_FILENO);
	capture_begin(&err, STDERR_FILENO);
	out_set_guard(o, &guard);
	fill_rows(o);
	out_table(o, &table);
	out_text(o, "t");
	out_note(o, "n");
	out_error(o, NULL, &e);
	assert_int_equal(g.shown, g.hidden);
	assert_int_equal(g.hidden, 5);
	out_set_guard(o, NULL);
	out_text(o, "unguarded");
	assert_int_equal(g.hidden, 5);
	capture_end(&err);
	capture_end(&c);
	out_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),	       cmocka_unit_test(test_table_other_columns),
		cmocka_unit_test(test_json),	       cmocka_unit_test(test_json_empty_table),
		cmocka_unit_test(test_rows_are_small), cmocka_unit_test(test_rows_are_alike),
		cmocka_unit_test(test_check_columns),  cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_bold),	       cmocka_unit_test(test_error_text),
		cmocka_unit_test(test_error_json),     cmocka_unit_test(test_null_nodes),
		cmocka_unit_test(test_full_disk),      cmocka_unit_test(test_guard),
	};

	return cmocka_run_group_tests_name("out", tests, NULL, NULL);
}
