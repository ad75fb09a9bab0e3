// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/posted.h"
#include "tree.h"

static void who_holds_decides(void **state)
{
	static const struct {
		struct group_holder by;
		bool denied, in_use, possible;
	} row[] = {
		{ { .pid = 0 }, false, false, false },
		{ { .pid = 0 }, false, true, false },
		{ { .pid = 12, .comm = "qemu-system-x86" }, false, false, true },
		{ { .pid = 12, .comm = "qemu-system-x86" }, true, true, true },
		{ { .pid = 12, .comm = "msictl", .ours = true }, false, true, false },
		{ { .pid = 12, .comm = "msictl", .ours = true }, true, true, false },
		/* msictl by its name only */
		{ { .pid = 12, .comm = "msictl" }, false, true, true },
		/* not ours to look at: what has a handler has somebody */
		{ { .pid = 0 }, true, true, true },
		{ { .pid = 0 }, true, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct posted p = posted_judge(&row[i].by, row[i].denied, row[i].in_use);

		assert_int_equal(p.possible, row[i].possible);
		assert_int_equal(p.by.pid, row[i].by.pid);
	}
}

static void a_sentence_of_many(void **state)
{
	const struct posted qemu = { true, { .pid = 7, .comm = "qemu" } },
			    unknown = { .possible = true };
	char text[256] = "";

	(void)state;
	posted_append(text, sizeof(text), "04:00.0", &qemu);
	posted_append(text, sizeof(text), "05:00.0", &unknown);
	assert_string_equal(
		text,
		"04:00.0 is held by qemu (PID 7), 05:00.0 by a program that can't be looked at");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_holds_decides),
		cmocka_unit_test(a_sentence_of_many),
	};

	return cmocka_run_group_tests_name("posted", tests, NULL, NULL);
}
