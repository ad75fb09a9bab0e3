// SPDX-License-Identifier: GPL-2.0-or-later
/* A tree that is said to be live: its "resource0" is a file, mapped like a BAR. */
#include <errno.h>

#include "host/bar.h"
#include "tree.h"
#include "base/util.h"

#define DEV "sys/bus/pci/devices/0000:04:00.0/"

static const char resources[] = "0x00000000fe000000 0x00000000fe001fff 0x0000000000140204\n"
				"0x000000000000c000 0x000000000000c01f 0x0000000000040101\n"
				"0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
				"0x00000000fe100000 0x00000000fe10ffff 0x0000000000040200\n";

static const struct function awake = {
	.addr = { 0, 4, 0, 0 },
	.power_state = "D0",
	.runtime = "active",
	.caps = { .command = 0x0006 },
};

static int setup(void **state)
{
	static struct tree t;

	tree_new(&t);
	t.root.live = true;
	tree_text(&t, DEV "resource", resources);
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	tree_free(*state);
	return 0;
}

static void parses(void **state)
{
	struct bar b;

	(void)state;
	assert_int_equal(bar_parse(resources, 0, &b), 0);
	assert_int_equal(b.size, 0x2000);
	assert_true(b.memory && !b.io);
	assert_int_equal(bar_parse(resources, 1, &b), 0);
	assert_int_equal(b.size, 0x20);
	assert_true(b.io && !b.memory);
	assert_int_equal(bar_parse(resources, 2, &b), 0);
	assert_int_equal(b.size, 0);
	assert_int_equal(bar_parse(resources, 5, &b), -EINVAL);
	assert_int_equal(bar_parse("", 0, &b), -EINVAL);
	assert_int_equal(bar_parse("0x1 0x2", 0, &b), -EINVAL);
	assert_int_equal(bar_parse("0x1 0x2 nonsense", 0, &b), -EINVAL);
	assert_int_equal(bar_parse("0x00000000000000000000000000000001 0x2 0x200", 0, &b), -EINVAL);
	assert_int_equal(bar_parse("0x5 0x2 0x200", 0, &b), 0); /* runs down: nothing is there */
	assert_int_equal(b.size, 0);
}

static void reads(void **state)
{
	struct tree *t = *state;
	uint8_t bar[0x2000], got[32];
	struct error e;

	for (size_t i = 0; i < sizeof(bar); i++)
		bar[i] = (uint8_t)(i * 7);
	tree_bytes(t, DEV "resource0", bar, sizeof(bar));
	assert_int_equal(bar_read(&t->root, &awake, 0, 0x1010, got, sizeof(got), &e), 0);
	assert_memory_equal(got, bar + 0x1010, sizeof(got));
	/* over a page's edge, and up to the last byte */
	assert_int_equal(bar_read(&t->root, &awake, 0, 0xff0, got, sizeof(got), &e), 0);
	assert_memory_equal(got, bar + 0xff0, sizeof(got));
	assert_int_equal(bar_read(&t->root, &awake, 0, 0x1fe0, got, sizeof(got), &e), 0);
	assert_memory_equal(got, bar + 0x1fe0, sizeof(got));
}

static void no_answer(void **state)
{
	struct tree *t = *state;
	uint8_t bar[0x1000], got[32];
	struct error e;

	memset(bar, 0xff, sizeof(bar));
	tree_bytes(t, DEV "resource0", bar, sizeof(bar));
	assert_int_equal(bar_read(&t->root, &awake, 0, 0, got, sizeof(got), &e), -ENXIO);
	assert_non_null(strstr(e.message, "does not answer"));
	/* the BAR goes on behind the end of the file: the access faults like one of a device that vanished */
	assert_int_equal(bar_read(&t->root, &awake, 0, 0x1000, got, sizeof(got), &e), -EFAULT);
	assert_int_equal(e.cause, CAUSE_NO_DEVICE);
	assert_non_null(strstr(e.message, "SIGBUS"));
}

static void refused(const struct root *r, const struct function *f, unsigned int bar,
		    uint64_t offset, size_t len, const char *words)
{
	static uint8_t buf[0x4000];
	struct error e = { 0 };

	assert_true(bar_read(r, f, bar, offset, buf, len, &e) < 0);
	assert_int_not_equal(e.cause, CAUSE_NONE);
	if (!strstr(e.message, words))
		fail_msg("\"%s\" does not say \"%s\"", e.message, words);
}

static void refuses_places(void **state)
{
	struct tree *t = *state;

	refused(&t->root, &awake, 0, 0x1ff8, 16, "outside BAR 0");
	refused(&t->root, &awake, 0, 0, 0x2004, "outside BAR 0");
	refused(&t->root, &awake, 0, 0xfffffff8, 16, "outside BAR 0");
	refused(&t->root, &awake, 0, UINT64_MAX - 3, 16, "outside BAR 0");
	refused(&t->root, &awake, 0, 2, 4, "not aligned");
	refused(&t->root, &awake, 1, 0, 16, "I/O BAR");
	refused(&t->root, &awake, 2, 0, 16, "not implemented");
	refused(&t->root, &awake, 5, 0, 16, "does not tell");
	refused(&t->root, &awake, 7, 0, 16, "reserved");
	refused(&t->root, &awake, 3, 0, 16, "cannot be mapped"); /* no such file */
}

static void refuses_states(void **state)
{
	struct tree *t = *state;
	struct function f = awake;

	f.caps.command = 0x0004;
	refused(&t->root, &f, 0, 0, 16, "memory decode is off");
	f = awake;
	copy_text(f.power_state, sizeof(f.power_state), "D3hot");
	refused(&t->root, &f, 0, 0, 16, "D3hot");
	f = awake;
	copy_text(f.runtime, sizeof(f.runtime), "suspended");
	refused(&t->root, &f, 0, 0, 16, "runtime suspend");
	f = awake;
	f.caps.problem = CAPS_ALL_ONES;
	refused(&t->root, &f, 0, 0, 16, "does not answer");
	t->root.live = false;
	refused(&t->root, &awake, 0, 0, 16, "captured tree");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses), TEST(reads),		TEST(no_answer),
		TEST(refuses_places),	  TEST(refuses_states),
	};

	return cmocka_run_group_tests_name("bar", tests, NULL, NULL);
}
