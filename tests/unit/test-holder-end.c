// SPDX-License-Identifier: GPL-2.0-or-later
/* How a holder lets a device go, and what is told to those who use it then. */
#include "holder-bench.h"

/* A signal ends the holder in order, and everybody is told which. */
static void is_stopped(void **state)
{
	struct bench *b = *state;
	int sock[3];

	takes(b, DEV, false);
	sock[0] = asks(b, DEV, 0, "@state");
	sock[1] = asks(b, DEV, 0, "wait msix 0 --timeout 60m");
	/* says nothing yet */
	sock[2] = asks(b, DEV, 0, NULL);
	raise(SIGTERM);
	serves(b, 0);
	answered(sock[0], 3, "the holder was stopped by Terminated", "");
	answered(sock[1], 3, "", "the holder was stopped by Terminated");
	answered(sock[2], 3, "", "msictl: " DEV ": the holder was stopped by Terminated");
	/* its name has gone with it */
	assert_false(root_exists(&b->t.root, "msictl/" DEV ".sock"));
}

/* A loop that can't wait ends it with that error. */
static void cannot_wait(void **state)
{
	struct bench *b = *state;
	int sock;

	takes(b, DEV, false);
	sock = asks(b, DEV, 0, "@state");
	faults.epoll = EBADF;
	assert_int_equal(holder_serve(b->h), -EBADF);
	faults.epoll = 0;
	assert_int_equal(holder_free(b->h, &b->e), 0);
	answered(sock, 3, "the holder was stopped by a failure", "");
}

/* Those that wait in the queue when the device goes are taken in, whatever befalls one of them. */
static void takes_in_last(void **state)
{
	struct bench *b = *state;
	int sock[3];

	takes(b, DEV, false);
	for (int i = 0; i < 3; i++)
		sock[i] = asks(b, DEV, 0, i ? "@state" : "enable msix 2");
	b->h->first->release = true;
	faults.accepts = 3;
	faults.accept[0] = EINTR;
	faults.accept[1] = ECONNABORTED;
	serves(b, 0);
	for (int i = 0; i < 3; i++)
		answered(sock[i], 3, i ? "the holder was asked to release the device" : "",
			 i ? "" : "the holder was asked to release the device");
}

/* The simulation's process ends, and this is known before anything else comes. */
static void dies(void)
{
	FILE *f = fopen("/proc/thread-self/children", "re");
	siginfo_t info;
	int child;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &child), 1);
	fclose(f);
	kill(child, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
}

/* A device that has gone is held no more, and the reason stays for those who come later. */
static void loses_device(void **state)
{
	struct bench *b = *state;
	char *word;
	int sock;

	takes(b, DEV, false);
	sock = asks(b, DEV, 0, "wait msix 0 --timeout 60m");
	dies();
	assert_int_equal(holder_serve(b->h), 0);
	word = hold_exit_reason(b->h->dir, DEV ".sock");
	assert_non_null(word);
	assert_non_null(strstr(word, "let go at 2"));
	free(word);
	assert_int_equal(holder_free(b->h, &b->e), 0);
	answered(sock, 3, "", "msictl hold " DEV "   once it is back");
	said(b, DEV ": ");
}

/* With --keep it stays: it can be opened anew, or let go. */
static void keeps_device(void **state)
{
	struct bench *b = *state;
	int sock[3];

	takes(b, DEV, true);
	sock[0] = asks(b, DEV, 0, "wait msix 0 --timeout 60m");
	dies();
	while (!b->h->first->gone)
		assert_true(loop_wait(b->s.loop, UINT64_MAX) >= 0);
	sock[2] = asks(b, DEV, 0, "@counts");
	turns(b);
	sock[1] = asks(b, DEV, 0, "@release");
	serves(b, 0);
	answered(sock[0], 3, "", "msictl run " DEV " -c reopen   once it is back");
	answered(sock[2], 3, "msictl run " DEV " -c reopen   once it is back", "");
	answered(sock[1], 0, "", "");
}

/* Who says what he wants when the device has been let go is told so, by a holder that has others. */
static void speaks_too_late(void **state)
{
	struct bench *b = *state;
	int sock[2];

	takes(b, DEV, false);
	takes(b, "sim:msix=4", false);
	sock[0] = asks(b, DEV, 0, NULL);
	turns(b);
	b->h->first->release = true;
	turns(b);
	says(sock[0], 0, "enable msix 2");
	turns(b);
	answered(sock[0], 3, "", "nobody holds it");
	sock[1] = asks(b, "sim:msix=4", 0, "@release");
	serves(b, 0);
	answered(sock[1], 0, "", "");
}

static struct bound *bound(void)
{
	struct bound *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	*b = (struct bound){ .addr = { .bus = 4 }, .group = 9 };
	return b;
}

/* A driver is given back with the last function of its group; that this failed is told at the end. */
static void gives_back_later(void **state)
{
	struct bench *b = *state;
	struct held *d;
	int sock[2];

	takes(b, DEV, false);
	takes(b, "sim:msix=4", false);
	d = b->h->first;
	d->bound = bound();
	d->group = d->next->group = 9;
	sock[0] = asks(b, DEV, 0, "@release");
	d->release = true;
	sock[1] = asks(b, "sim:msix=4", 0, "@release");
	assert_int_equal(holder_serve(b->h), 0);
	assert_int_equal(holder_free(b->h, &b->e), -EIO);
	assert_string_equal(b->e.message, "04:00.0: its driver could not be given back");
	answered(sock[0], 3, "the holder was asked to release the device", "");
	answered(sock[1], 0, "", "");
}

static void tells_who_releases(void **state)
{
	struct bench *b = *state;
	struct answer a;
	int sock[3];

	takes(b, DEV, false);
	takes(b, "sim:msix=4", false);
	b->h->first->bound = bound();
	b->h->first->group = b->h->first->next->group = 9;
	sock[0] = asks(b, DEV, 0, "@release");
	turns(b);
	answered(sock[0], 0, HOLD_LATER, "");
	b->h->first->bound = bound();
	sock[1] = asks(b, "sim:msix=4", 0, "@release");
	assert_int_equal(holder_serve(b->h), 0);
	assert_int_equal(holder_free(b->h, &b->e), -EIO);
	a = answer_of(sock[1]);
	assert_true(a.status > 0);
	assert_non_null(strstr(a.data, "it is let go, but its driver could not be given back: "));
	assert_non_null(strstr(a.data, " msictl unbind sim:msix=4 "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(cannot_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(takes_in_last, setup, teardown),
		cmocka_unit_test_setup_teardown(loses_device, setup, teardown),
		cmocka_unit_test_setup_teardown(keeps_device, setup, teardown),
		cmocka_unit_test_setup_teardown(speaks_too_late, setup, teardown),
		cmocka_unit_test_setup_teardown(gives_back_later, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_who_releases, setup, teardown),
	};

	return cmocka_run_group_tests_name("holder-end", tests, NULL, NULL);
}
