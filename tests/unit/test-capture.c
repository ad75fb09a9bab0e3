// SPDX-License-Identifier: GPL-2.0-or-later
/* Captures in one file: what is read of them, and what is refused. */
#include <errno.h>

#include "tree.h"

#include "root/capture.h"

#define HEAD CAPTURE_MAGIC "\n"
#define TAIL CAPTURE_END "\n"

static int parse(const char *text, size_t size, struct capture **c, struct error *e)
{
	char *own = malloc(size + 1);

	assert_non_null(own);
	memcpy(own, text, size);
	return capture_parse(own, size, "x", c, e);
}

/* A root that reads a capture of these lines. */
static void open_lines(struct root *r, const char *lines)
{
	_cleanup_free_ char *text = NULL;
	struct error e = { 0 };

	*r = (struct root){ .fd = -1, .path = "x" };
	assert_true(asprintf(&text, HEAD "%s" TAIL, lines) > 0);
	if (parse(text, strlen(text), &r->capture, &e))
		fail_msg("%s", e.message);
}

static void reads_files(void **state)
{
	static const struct {
		const char *path, *text;
		int size;
	} row[] = {
		{ "one", "hello\n", 6 },
		{ "empty_line", "\n", 1 },
		{ "empty", "", 0 },
		{ "no_newline", "hello", 5 },
		{ "lines", "one\n two \n\n\tthree\\c\n", 20 },
		{ "joined", "onetwo", 6 },
		{ "no_lines", "", 0 },
		{ "escapes", "a\x01\\\tb\xff\n", 7 },
		{ "hex", "\x86\x80\0\0\0\x12\0\0", 8 },
		{ "no_bytes", "", 0 },
		{ "equals sign = |", "x = y\n", 6 },
	};
	struct root r;
	char buf[64];

	(void)state;
	open_lines(&r, "# words for people\n/sys/a\n"
		       "one = hello\nempty_line =\nempty = \\c\nno_newline = hello\\c\n"
		       "lines |\n| one\n|  two\\x20\n|\n# in between\n| \\tthree\\\\c\n"
		       "joined |\n| one\\c\n| two\\c\nno_lines |\n"
		       "escapes = a\\x01\\\\\\tb\\xff\n"
		       "hex hex\n| 0: 86 80\n| 005: 12\n| 8\nno_bytes hex\n"
		       "equals\\x20sign\\x20=\\x20| = x = y\n");
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		assert_int_equal(root_read(&r, buf, sizeof(buf), "sys/a/%s", row[i].path),
				 row[i].size);
		assert_memory_equal(buf, row[i].text, row[i].size);
	}
	assert_int_equal(root_read(&r, buf, 3, "sys/a/one"), 3);
	assert_int_equal(root_read(&r, buf, 3, "sys/a"), -EINVAL);
	assert_int_equal(root_read(&r, buf, 3, "sys/a/none"), -ENOENT);
	assert_int_equal(root_read(&r, buf, 3, "sys/a/one/two"), -ENOTDIR);
	assert_int_equal(root_write(&r, "1", "sys/a/one"), -EROFS);
	root_close(&r);
}

static void streams_lines(void **state)
{
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	struct root r;
	FILE *f;

	(void)state;
	open_lines(&r, "/proc\ninterrupts |\n| first\n| second\nempty = \\c\n");
	f = root_stream(&r, "proc/interrupts");
	assert_non_null(f);
	assert_int_equal(getline(&line, &room, f), 6);
	assert_int_equal(getline(&line, &room, f), 7);
	assert_string_equal(line, "second\n");
	assert_int_equal(getline(&line, &room, f), -1);
	fclose(f);
	f = root_stream(&r, "proc/empty");
	assert_non_null(f);
	assert_int_equal(getline(&line, &room, f), -1);
	fclose(f);
	assert_null(root_stream(&r, "proc"));
	assert_int_equal(errno, EINVAL);
	root_close(&r);
}

static void lists_folders(void **state)
{
	struct root_dir *d;
	struct dirent *entry;
	struct root r;
	char buf[16];
	int rc = 0;

	(void)state;
	open_lines(&r, "/sys/b\none = 1\n/sys/c\n/sys/b\ntwo -> one\n");
	d = root_opendir(&r, "/sys//b/");
	assert_non_null(d);
	assert_int_equal(root_dir_fd(d), -1);
	assert_true(root_readdir(d, &entry, &rc));
	assert_string_equal(entry->d_name, "one");
	assert_true(root_readdir(d, &entry, &rc));
	assert_string_equal(entry->d_name, "two");
	assert_false(root_readdir(d, &entry, &rc));
	assert_int_equal(rc, 0);
	assert_int_equal(root_dir_target(d, "two", buf, sizeof(buf)), 3);
	assert_int_equal(root_dir_target(d, "one", buf, sizeof(buf)), -EINVAL);
	root_closedir(d);
	d = root_opendir(&r, "sys/c");
	assert_non_null(d);
	assert_null(root_next(d));
	root_closedir(d);
	assert_null(root_opendir(&r, "sys/b/one"));
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(root_openf(&r, O_RDONLY, "sys/b/one"), -EROFS);
	root_close(&r);
}

/* The same as of a folder, see test-root. */
static void follows_links_inside(void **state)
{
	struct root r;
	char buf[64];

	(void)state;
	open_lines(&r,
		   "/sys/devices/x\nvendor = 0x1\ndriver -> ../../drivers/vfio-pci\n"
		   "dangling -> ../../drivers/nobody\ndots -> ../..\n/sys/bus\nx -> ../devices/x\n"
		   "absolute -> /sys/devices/x\ntwice -> absolute/../x\n/sys/drivers/vfio-pci\n");
	assert_int_equal(root_text(&r, buf, sizeof(buf), "sys/bus/x/vendor"), 3);
	assert_int_equal(root_text(&r, buf, sizeof(buf), "sys/bus/absolute/vendor"), 3);
	assert_int_equal(root_text(&r, buf, sizeof(buf), "sys/bus/twice/./vendor"), 3);
	assert_int_equal(root_text(&r, buf, sizeof(buf), "../../sys/bus/x/vendor"), 3);
	assert_int_equal(root_link(&r, buf, sizeof(buf), "sys/bus/x/driver"), 8);
	assert_string_equal(buf, "vfio-pci");
	assert_int_equal(root_link(&r, buf, sizeof(buf), "sys/bus/x/dots"), -EINVAL);
	assert_int_equal(root_link(&r, buf, sizeof(buf), "sys/bus/x/vendor"), -EINVAL);
	assert_int_equal(root_link(&r, buf, sizeof(buf), "sys/bus/x/none"), -ENOENT);
	assert_int_equal(root_link(&r, buf, sizeof(buf), "sys/bus/x/dangling"), -ENOENT);
	assert_true(root_exists(&r, "sys/bus/x/driver"));
	assert_false(root_exists(&r, "sys/bus/x/dangling"));
	root_close(&r);
}

/* Failing to look is never "none". */
static void unread_is_not_absent(void **state)
{
	struct root r;
	char buf[16];

	(void)state;
	open_lines(&r, "/sys/a\nfile ! EACCES\nfolder ! EIO\n");
	assert_int_equal(root_text(&r, buf, sizeof(buf), "sys/a/file"), -EACCES);
	assert_int_equal(root_text(&r, buf, sizeof(buf), "sys/a/folder/x"), -EIO);
	assert_null(root_opendir(&r, "sys/a/folder"));
	assert_int_equal(errno, EIO);
	assert_true(root_exists(&r, "sys/a/file"));
	root_close(&r);
}

static void long_paths(void **state)
{
	char name[PATH_MAX], buf[8];
	struct root r;

	(void)state;
	open_lines(&r, "/sys\nhere = x\n");
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(root_text(&r, buf, sizeof(buf), "x/%s", name), -ENAMETOOLONG);
	name[300] = '\0';
	assert_int_equal(root_text(&r, buf, sizeof(buf), "%s", name), -ENAMETOOLONG);
	root_close(&r);
}

/* Each is refused with the number of the line. */
static void refuses_damage(void **state)
{
	static const struct {
		const char *lines;
		unsigned int line;
		const char *why;
	} row[] = {
		{ "", 1, "cut off" },
		{ "/sys\na = 1\n", 3, "cut off" },
		{ "/sys\na = 1", 3, "no end" },
		{ "end\n/sys\n", 3, "follows the end" },
		{ "a = 1\n", 2, "before the first folder" },
		{ "/sys/../etc\n", 2, "no name" },
		{ "/sys//etc\n", 2, "no name" },
		{ "/sys/./etc\n", 2, "no name" },
		{ "/\n", 2, "no name" },
		{ "/sys\na\\x2fb = 1\n", 3, "no name" },
		{ "/sys\na\\x00b = 1\n", 3, "no name" },
		{ "/sys\na = 1\n\na = 2\n", 5, "same path is in line 3" },
		{ "/sys/a\n/sys\na = 2\n", 4, "same path is in line 2" },
		{ "/sys\na = 2\n/sys/a\n", 4, "leads through line 3" },
		{ "/sys\na -> ../../etc\n", 3, "out of the root" },
		{ "/sys\na -> /../etc\n", 3, "out of the root" },
		{ "/sys\na ->\n", 3, "no target" },
		{ "/sys\na -> a\nend\n", 3, "circle" },
		{ "/sys\na -> b\nb -> ../sys/a\nend\n", 3, "circle" },
		{ "/sys\na ! NOPE\n", 3, "EACCES" },
		{ "/sys\na !\n", 3, "EACCES" },
		{ "/sys\na\n", 3, "is wanted" },
		{ "/sys\na 1\n", 3, "is wanted" },
		{ "/sys\n = 1\n", 3, "no name" },
		{ "/sys\na = \\q\n", 3, "backslash" },
		{ "/sys\na = \\x1\n", 3, "backslash" },
		{ "/sys\na = \\c1\n", 3, "backslash" },
		{ "/sys\na = \x1b[2J\n", 3, "control character" },
		{ "/sys\na = \r\n", 3, "control character" },
		{ "| lost\n", 2, "belongs to no file" },
		{ "/sys\na | text\n", 3, "nothing may follow" },
		{ "/sys\na |\n/sys\n| lost\n", 5, "belongs to no file" },
		{ "/sys\na hex\n| zz\n", 4, "offset" },
		{ "/sys\na hex\n| 0: 1\n", 4, "two hexadecimal digits" },
		{ "/sys\na hex\n| 0: 001\n", 4, "two hexadecimal digits" },
		{ "/sys\na hex\n| 0: 00 11\n| 1: 22\n", 5, "below" },
		{ "/sys\na hex\n| 00100001\n", 4, "longer than" },
		{ "/sys\na hex\n| ffffffff0: 00\n", 4, "offset" },
	};
	struct error e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		_cleanup_free_ char *text = NULL;
		struct capture *c;
		char want[32];

		assert_true(asprintf(&text, HEAD "%s", row[i].lines) > 0);
		e = (struct error){ 0 };
		assert_int_equal(parse(text, strlen(text), &c, &e), -EBADMSG);
		snprintf(want, sizeof(want), "x, line %u: ", row[i].line);
		if (strncmp(e.message, want, strlen(want)) != 0 || !strstr(e.message, row[i].why))
			fail_msg("%s: %s", row[i].lines, e.message);
		assert_int_equal(e.cause, CAUSE_FAILED);
	}
}

static void refuses_what_is_no_capture(void **state)
{
	static const struct {
		const char *text;
		size_t size;
	} row[] = {
		{ "", 0 },
		{ "\n", 1 },
		{ "\0\0\0\0", 4 },
		{ "msictl capture", 14 },
		{ "msictl capture 2\nend\n", 21 },
		{ "#\n" HEAD TAIL, 23 },
		{ "\x7f"
		  "ELF\n",
		  5 },
	};
	struct capture *c;
	struct error e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		e = (struct error){ 0 };
		assert_int_equal(parse(row[i].text, row[i].size, &c, &e), -EBADMSG);
		assert_non_null(strstr(e.message, "x, line 1: "));
		assert_null(c);
	}
}

/* Every beginning of a capture is refused, and none makes the parser fall over. */
static void refuses_what_is_cut_off(void **state)
{
	static const char text[] = HEAD
		"/sys/a\none = \\x41\ntwo |\n| text\nthree hex\n| 0: 86 80\n| 10\n"
		"four -> one\nfive ! EIO\n" TAIL;
	struct capture *c;
	struct error e;

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++)
		assert_int_equal(parse(text, n, &c, &e), -EBADMSG);
	assert_int_equal(parse(text, sizeof(text) - 1, &c, &e), 0);
	capture_free(c);
}

static void refuses_too_much(void **state)
{
	size_t size = CAPTURE_LINE_MAX + 64;
	_cleanup_free_ char *text = malloc(size);
	struct capture *c;
	struct error e;

	(void)state;
	assert_non_null(text);
	memset(text, 'a', size);
	tree_put(text, HEAD "/sys\n");
	assert_int_equal(parse(text, size, &c, &e), -EBADMSG);
	assert_non_null(strstr(e.message, "line 3: the line is longer than"));
}

/* A root is a capture when it is a file. */
static void opens_a_file(void **state)
{
	struct tree *t = *state;
	char path[PATH_MAX], buf[16];
	struct error e = { 0 };
	struct root r;

	tree_text(t, "host.capture", HEAD "/sys\na = 1\n" TAIL);
	assert_int_equal(root_open(&r, tree_path(t, "host.capture", path), &e), 0);
	assert_false(r.live);
	assert_int_equal(root_text(&r, buf, sizeof(buf), "sys/a"), 1);
	root_close(&r);
	assert_null(r.capture);
	tree_fifo(t, "fifo");
	alarm(10); /* a test that hangs is a test that fails */
	assert_int_equal(root_open(&r, tree_path(t, "fifo", path), &e), -EBADMSG);
	alarm(0);
	assert_int_equal(root_open(&r, "/dev/null", &e), -ENOTDIR);
	root_close(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_files),
		cmocka_unit_test(streams_lines),
		cmocka_unit_test(lists_folders),
		cmocka_unit_test(follows_links_inside),
		cmocka_unit_test(unread_is_not_absent),
		cmocka_unit_test(long_paths),
		cmocka_unit_test(refuses_damage),
		cmocka_unit_test(refuses_what_is_no_capture),
		cmocka_unit_test(refuses_what_is_cut_off),
		cmocka_unit_test(refuses_too_much),
		cmocka_unit_test_setup_teardown(opens_a_file, tree_setup, tree_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
