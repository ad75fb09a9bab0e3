// SPDX-License-Identifier: GPL-2.0-or-later
/* What a holder answers its clients, and which of them it takes in. */
#include "holder-bench.h"

/* Each command has its own answer, in the order in which they came. */
static void runs_commands(void **state)
{
	struct bench *b = *state;
	int sock[10], n = 0;

	takes(b, DEV, false);
	sock[n++] = asks(b, DEV, 0, "@state");
	sock[n++] = asks(b, DEV, 0, "enable msix 0-2");
	sock[n++] = asks(b, DEV, 0, "trigger msix 1");
	sock[n++] = asks(b, DEV, 0, "wait msix 1");
	sock[n++] = asks(b, DEV, 0, "wait msix 5");
	sock[n++] = asks(b, DEV, 0, "@counts");
	sock[n++] = asks(b, DEV, 0, "@state");
	sock[n++] = asks(b, DEV, 0, "nonsense");
	sock[n++] = asks(b, DEV, 0, "@take");
	sock[n++] = asks(b, DEV, 0, "@release");
	serves(b, 0);
	answered(sock[0], 0, "{\"device\":\"" DEV "\",\"since\":", "");
	answered(sock[1], 0, "msix", "");
	answered(sock[2], 0, "", "");
	answered(sock[3], 0, "msix: 1 counted at least 1", "");
	answered(sock[4], 3, "",
		 "msictl: FILE:7: " DEV
		 ": wait: the holder was asked to release the device (ENODEV)\n");
	answered(
		sock[5], 0,
		"{\"index\":\"msix\",\"vector\":0,\"armed\":true,\"count\":0,\"wakeups\":0,\"more\":0}\n"
		"{\"index\":\"msix\",\"vector\":1,\"armed\":true,\"count\":1,\"wakeups\":1,\"more\":0}\n"
		"{\"index\":\"msix\",\"vector\":2,\"armed\":true,\"count\":0,\"wakeups\":0,\"more\":0}\n",
		"");
	answered(sock[6], 0, "{\"index\":\"msix\",\"on\":true,\"armed\":3,\"vectors\":8}\n", "");
	answered(sock[7], 2, "", "FILE:7: " DEV ": ");
	answered(sock[8], 2, "DEVICE is missing", "");
	answered(sock[9], 0, "", "");
}

/* A command that is never over ends with what ended it; who only looks does not count among those that run. */
static void tells_state(void **state)
{
	struct bench *b = *state;
	int sock[4];

	takes(b, DEV, false);
	sock[0] = asks(b, DEV, 0, "enable msix 2");
	sock[1] = asks(b, DEV, 0, "wait msix 0 --timeout 60m");
	turns(b);
	sock[2] = asks(b, DEV, 0, "@state");
	turns(b);
	answered(sock[0], 0, "", "");
	answered(sock[2], 0, ",\"callers\":1,\"open\":true}\n", "");
	sock[3] = asks(b, DEV, 0, "@release");
	serves(b, 0);
	answered(sock[1], 3, "", ": wait: the holder was asked to release the device");
	answered(sock[3], 0, "", "");
}

/* Emphasis is for a caller at a terminal, whatever the holder's own output is. */
static void colors(void **state)
{
	struct bench *b = *state;
	int sock[3];

	takes(b, DEV, false);
	sock[0] = asks(b, DEV, 0, "info");
	sock[1] = asks(b, DEV, HOLD_COLOR, "info");
	sock[2] = asks(b, DEV, 0, "@release");
	serves(b, 0);
	for (int i = 0; i < 2; i++) {
		struct answer a = answer_of(sock[i]);

		if (a.status)
			fail_msg("%s %s", a.data, a.note);
		assert_int_equal(strchr(a.data, '\033') != NULL, i);
	}
	answered(sock[2], 0, "", "");
}

/* Counts, and how many wake-ups they took; of ERR and REQ as well. */
static void tells_counts(void **state)
{
	struct bench *b = *state;
	struct vector *v;
	int sock;

	takes(b, DEV, false);
	sock = asks(b, DEV, 0, "enable msix 2");
	turns(b);
	answered(sock, 0, "", "");
	v = b->h->first->s.device->irq[IRQ_MSIX].vector[1];
	v->count = 5;
	v->wakeups = 3;
	sock = asks(b, DEV, 0, "@counts");
	turns(b);
	answered(
		sock, 0,
		"{\"index\":\"msix\",\"vector\":0,\"armed\":true,\"count\":0,\"wakeups\":0,\"more\":0}\n"
		"{\"index\":\"msix\",\"vector\":1,\"armed\":true,\"count\":5,\"wakeups\":3,\"more\":0}\n",
		"");
	b->h->first->release = true;
	serves(b, 0);
}

/* What a caller wants to be told of the device is told to that caller alone. */
static void traces(void **state)
{
	struct bench *b = *state;
	struct answer a;
	int sock[2];

	takes(b, DEV, false);
	sock[0] = asks(b, DEV, 0, "enable msix 2 --trace");
	sock[1] = asks(b, DEV, 0, "disable msix");
	turns(b);
	b->h->first->release = true;
	serves(b, 0);
	answered(sock[0], 0, "", "SET_IRQS");
	a = answer_of(sock[1]);
	assert_int_equal(a.status, 0);
	assert_null(strstr(a.note, "SET_IRQS"));
	fflush(b->notes);
	assert_true(!b->note || !strstr(b->note, "SET_IRQS"));
}

/* A command's time is up when it was to be, though nothing else comes. */
static void ends_in_time(void **state)
{
	struct bench *b = *state;
	int status;
	pid_t child;

	takes(b, DEV, false);
	child = fork();
	if (child == 0) {
		int enabled = answer_of(asks(b, DEV, 0, "enable msix 2")).status;
		int waited = answer_of(asks(b, DEV, 0, "wait msix 0 --timeout 20ms")).status;

		answer_of(asks(b, DEV, 0, "@release"));
		_exit(enabled == 0 && waited == CAUSE_EXPECTATION);
	}
	serves(b, 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 1 << 8);
}

/* Who has gone before his turn, or said nonsense, has changed nothing. */
static void goes_before(void **state)
{
	struct bench *b = *state;
	int sock[4];

	takes(b, DEV, false);
	close(asks(b, DEV, 0, "enable msix 2"));
	sock[0] = asks(b, DEV, 0, "@state");
	sock[1] = asks(b, DEV, 0, NULL);
	assert_int_equal(send(sock[1], "nonsense of 18 bytes", 20, MSG_NOSIGNAL), 20);
	sock[2] = asks(b, DEV, 0, "@release");
	serves(b, 0);
	answered(sock[0], 0, "{\"index\":\"msix\",\"on\":false,\"armed\":0,\"vectors\":8}\n", "");
	answered(sock[1], -1, "", "");
	answered(sock[2], 0, "", "");
}

/* Without a descriptor or memory for a caller the socket would be ready for ever: it rests. */
static void rests_without_descriptors(void **state)
{
	static const struct {
		int err;
		bool rests;
	} cases[] = { { EMFILE, true },	 { ENFILE, true },  { ENOMEM, true },
		      { ENOBUFS, true }, { EAGAIN, false }, { ECONNABORTED, false },
		      { EINTR, false } };
	struct bench *b = *state;
	struct held *d;
	uint64_t due;
	int sock[2];

	takes(b, DEV, false);
	d = b->h->first;
	sock[0] = asks(b, DEV, 0, "@state");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t before = now_us();

		faults.accepts = 1;
		faults.accepted = 0;
		faults.accept[0] = cases[i].err;
		b->h->ready(&d->listener);
		assert_null(b->h->callers);
		if (!cases[i].rests) {
			assert_int_equal(d->paused_until, 0);
			continue;
		}
		assert_in_range(d->paused_until, before + 500000, now_us() + 2000000);
		assert_int_equal(loop_wait(b->s.loop, 0), 0);
		due = d->paused_until;
		assert_int_equal(loop_add(b->s.loop, &d->listener), 0);
		d->paused_until = 0;
		assert_true(due > before);
	}
	/* and is heard again when its time is there, or a caller has gone */
	faults.accepted = 0;
	faults.accept[0] = EMFILE;
	b->h->ready(&d->listener);
	d->paused_until = now_us() + 1000;
	sock[1] = asks(b, DEV, 0, "@release");
	serves(b, 0);
	answered(sock[0], 0, "{\"device\":\"" DEV "\"", "");
	answered(sock[1], 0, "", "");
}

/* Who opens the device anew ends what others have running there. */
static void reopens(void **state)
{
	struct bench *b = *state;
	int sock[5];

	takes(b, DEV, false);
	takes(b, "sim:msix=4", false);
	sock[0] = asks(b, DEV, 0, "enable msix 2");
	sock[1] = asks(b, DEV, 0, "wait msix 0 --timeout 60m");
	turns(b);
	sock[2] = asks(b, DEV, 0, "reopen");
	turns(b);
	sock[3] = asks(b, DEV, 0, "@state");
	turns(b);
	sock[4] = asks(b, DEV, 0, "@release");
	close(asks(b, "sim:msix=4", 0, "@release"));
	b->h->first->next->release = true;
	serves(b, 0);
	answered(sock[0], 0, "", "");
	answered(sock[1], 3, "",
		 "another caller's reopen closed the device, and nothing is armed any more\n"
		 "hint: msictl run " DEV " -c '...'   its vectors have to be enabled again first");
	answered(sock[2], 0, "", "");
	answered(sock[3], 0, ",\"callers\":0,\"open\":true}\n", "");
	answered(sock[4], 0, "", "");
}

/* Without a folder for its sockets, or a descriptor, there is no holder. */
static void has_no_folder(void **state)
{
	struct bench *b = *state;
	struct holder *h = NULL;
	struct rlimit before;
	struct session s = { 0 };

	setenv("XDG_RUNTIME_DIR", "relative", 1);
	if (geteuid())
		assert_true(holder_new(&h, &b->s, &b->e) < 0 && b->e.message[0]);
	setenv("XDG_RUNTIME_DIR", b->t.dir, 1);
	before = tree_exhaust(0);
	assert_int_equal(holder_new(&h, &s, &b->e), -EMFILE);
	assert_int_equal(b->e.err, EMFILE);
	assert_int_equal(holder_new(&h, &b->s, &b->e), -EMFILE);
	tree_plenty(&before);
	assert_null(h);
	assert_int_equal(holder_free(b->h, &b->e), 0);
}

/* One caller more than a holder takes in is told so, and to try again. */
static void has_all_clients(void **state)
{
	struct bench *b = *state;
	int sock[2];

	takes(b, DEV, false);
	sock[0] = asks(b, DEV, 0, "@state");
	sock[1] = asks(b, DEV, 0, "@state");
	b->h->nclients = 511;
	b->h->ready(&b->h->first->listener);
	assert_int_equal(b->h->nclients, 512);
	/* of which the device's process inherits nothing, and for which nobody waits */
	assert_true(fcntl(b->h->callers->call->source.fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(b->h->callers->call->source.fd, F_GETFL) & O_NONBLOCK);
	b->h->ready(&b->h->first->listener);
	assert_int_equal(b->h->nclients, 512);
	b->h->first->release = true;
	serves(b, 0);
	answered(sock[0], 3, "the holder was asked to release the device", "");
	answered(sock[1], 5, "",
		 "msictl: the holder has all the callers that it can have; try again\n");
}

/* A second device, and one that cannot be had: what was held before stays. */
static void takes_more(void **state)
{
	static const char *const two[] = { "sim:msix=4", "sim:nonsense" };
	const struct holding how = { 0 };
	struct bench *b = *state;
	int sock[4];

	takes(b, DEV, false);
	assert_true(holder_take(b->h, two, 2, &how, &b->e) < 0);
	assert_true(b->h->first && !b->h->first->next);
	assert_false(root_exists(&b->t.root, "msictl/sim:msix=4.sock"));
	assert_true(holder_take(b->h, (const char *const[]){ DEV }, 1, &how, &b->e) < 0);
	assert_int_equal(b->e.cause, CAUSE_BUSY);
	/* what went well on the way back has no word */
	assert_null(strstr(b->e.message, "given back"));
	/* the name is that of who held it first */
	assert_true(root_exists(&b->t.root, "msictl/" DEV ".sock"));
	sock[0] = asks(b, DEV, 0, "@take sim:msix=4 keep");
	sock[1] = asks(b, DEV, 0, "@take sim:nonsense");
	turns(b);
	sock[2] = asks(b, DEV, 0, "@release");
	assert_true(b->h->first->next->keep && !b->h->first->keep);
	sock[3] = asks(b, "sim:msix=4", 0, "@release");
	serves(b, 0);
	answered(sock[0], 0, "", "");
	answered(sock[1], 2, "nonsense", "");
	answered(sock[2], 0, "", "");
	answered(sock[3], 0, "", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(runs_commands, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_state, setup, teardown),
		cmocka_unit_test_setup_teardown(colors, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(traces, setup, teardown),
		cmocka_unit_test_setup_teardown(ends_in_time, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_before, setup, teardown),
		cmocka_unit_test_setup_teardown(rests_without_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(reopens, setup, teardown),
		cmocka_unit_test_setup_teardown(has_no_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(has_all_clients, setup, teardown),
		cmocka_unit_test_setup_teardown(takes_more, setup, teardown),
	};

	return cmocka_run_group_tests_name("holder", tests, NULL, NULL);
}
