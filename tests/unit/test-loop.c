// SPDX-License-Identifier: GPL-2.0-or-later
/* The loop: all that are ready have their turn in one call, and none for ever. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/util.h"

/* Last: it has a macro fail() of its own. */
#include <cmocka.h>

/* Several times what the kernel tells at once. */
#define MANY 300

struct bell {
	struct source source;
	unsigned int heard;
	bool quiet; /* reading it makes it so */
};

struct world {
	struct loop *loop;
	struct bell bell[MANY];
};

static void on_bell(struct source *s)
{
	struct bell *b = s->owner;
	uint64_t n;

	b->heard++;
	if (b->quiet)
		assert_int_equal(read(s->fd, &n, sizeof(n)), sizeof(n));
}

static int set_up(void **state)
{
	static struct world w;

	assert_int_equal(loop_new(&w.loop), 0);
	for (unsigned int i = 0; i < MANY; i++) {
		struct bell *b = &w.bell[i];

		*b = (struct bell){ .source = { .fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK),
						.ready = on_bell } };
		b->source.owner = b;
		assert_int_equal(loop_add(w.loop, &b->source), 0);
	}
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	for (unsigned int i = 0; i < MANY; i++) {
		loop_del(w->loop, &w->bell[i].source);
		close(w->bell[i].source.fd);
	}
	loop_free(w->loop);
	return 0;
}

static void all_that_are_ready_in_one_call(void **state)
{
	struct world *w = *state;

	for (unsigned int i = 0; i < MANY; i++)
		w->bell[i].quiet = true;
	assert_int_equal(loop_wait(w->loop, 0), MANY);
	for (unsigned int i = 0; i < MANY; i++)
		assert_int_equal(w->bell[i].heard, 1);
	assert_int_equal(loop_wait(w->loop, 0), 0);
}

static void those_that_are_ready_for_ever_keep_nobody(void **state)
{
	struct world *w = *state;

	w->bell[MANY - 1].quiet = true;
	/* It comes back, ... */
	assert_true(loop_wait(w->loop, 0) >= MANY);
	/* ... and everybody was heard. */
	for (unsigned int i = 0; i < MANY; i++)
		assert_true(w->bell[i].heard > 0);
	assert_int_equal(w->bell[MANY - 1].heard, 1);
}

static void a_signal_behind_them_is_heard(void **state)
{
	struct world *w = *state;

	raise(SIGTERM);
	assert_int_equal(loop_wait(w->loop, 0), -EINTR);
	assert_int_equal(loop_stopped(w->loop), SIGTERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_that_are_ready_in_one_call, set_up, tear_down),
		cmocka_unit_test_setup_teardown(those_that_are_ready_for_ever_keep_nobody, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_signal_behind_them_is_heard, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
