// SPDX-License-Identifier: GPL-2.0-or-later
/* What watch makes of a holder's answers. The holder is a child of the test that says what it is told to say. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "hold/wire.h"
#include "runtime/holders.h"
#include "tree.h"
#include "base/util.h"
#include "watch-model.h"

#define NOBODY 65534

struct bench {
	struct tree t;
	struct session s;
	struct watch w;
	pid_t child;
	struct error e;
};

static int setup(void **state)
{
	const struct out_options opt = { 0 };
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	tree_new(&b->t);
	assert_int_equal(chmod(b->t.dir, 0777), 0);
	setenv("XDG_RUNTIME_DIR", b->t.dir, 1);
	if (geteuid() == 0)
		assert_int_equal(seteuid(NOBODY), 0);
	b->s.root = b->t.root;
	assert_int_equal(out_new(&b->s.out, &opt), 0);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	if (b->child)
		kill(b->child, SIGKILL);
	while (b->child && waitpid(b->child, NULL, 0) < 0)
		;
	watch_forget(&b->w);
	loop_free(b->s.loop);
	out_free(b->s.out);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	tree_free(&b->t);
	free(b);
	return 0;
}

#define INDEX(index, vectors) \
	"{\"index\":\"" index "\",\"on\":false,\"armed\":0,\"vectors\":" vectors "}\n"
#define VECTOR(index, vector, armed, count, wakeups)                                          \
	"{\"index\":\"" index "\",\"vector\":" vector ",\"armed\":" armed ",\"count\":" count \
	",\"wakeups\":" wakeups ",\"more\":0}\n"

/* A holder of @device that answers each question with these bytes, whose words end in spaces, and a status. */
static void holds(struct bench *b, const char *device, const char *data, uint8_t status)
{
	char name[HOLD_NAME];
	int dir = hold_dir_open(true, &b->e), sock;

	assert_true(dir >= 0);
	sock = hold_listen(dir, hold_name(device, name), 1000000, &b->e);
	assert_true(sock >= 0);
	b->child = fork();
	assert_true(b->child >= 0);
	if (b->child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		assert_int_equal(fcntl(sock, F_SETFL, 0), 0);
		for (;;) {
			struct hold_frame f = { .kind = HOLD_DATA, .size = (uint32_t)strlen(data) };
			int client = accept(sock, NULL, NULL);
			char buf[2048];

			if (recv(client, buf, sizeof(buf), 0) <= 0)
				_exit(1);
			for (uint32_t i = 0; i < f.size; i++)
				buf[i] = (char)(data[i] == ' '	 ? '\0'
						: data[i] == '_' ? ' '
								 : data[i]);
			send(client, &f, sizeof(f), MSG_NOSIGNAL);
			send(client, buf, f.size, MSG_NOSIGNAL);
			f = (struct hold_frame){ .kind = HOLD_STATUS, .size = 1 };
			send(client, &f, sizeof(f), MSG_NOSIGNAL);
			send(client, &status, 1, MSG_NOSIGNAL);
			close(client);
		}
	}
	close(sock);
	close(dir);
}

static void watches(struct bench *b, const char *device)
{
	assert_int_equal(watch_add(&b->w, NULL, device), 0);
	b->w.device[b->w.n - 1].held = strdup(device);
}

static void counted(const struct bench *b, size_t i, enum irq_index index, int vector,
		    uint64_t count, uint64_t wakeups)
{
	const struct reading *r = &b->w.device[0].samples.v[i].now;

	assert_true(i < b->w.device[0].samples.n);
	if (r->index != index || r->vector != vector || r->count != count ||
	    r->wakeups != wakeups || !r->counted)
		fail_msg("reading %zu: %d.%d %lu %lu", i, (int)r->index, r->vector, r->count,
			 r->wakeups);
}

static void takes_counts(void **state)
{
	struct bench *b = *state;

	holds(b, "sim:a",
	      VECTOR("msix", "3", "true", "5", "4") VECTOR("msix", "2047", "true",
							   "18446744073709551614", "2")
		      VECTOR("intx", "0", "false", "9", "9") VECTOR("msi", "1", "true", "0", "0")
			      VECTOR("err", "0", "true", "0", "0")
				      VECTOR("req", "0", "true", "2", "1")
					      VECTOR("msix", "4", "false", "0", "0"),
	      0);
	watches(b, "sim:a");
	assert_int_equal(watch_look(&b->s, &b->w, &b->e), 0);
	assert_int_equal(b->w.device[0].samples.n, 5);
	counted(b, 0, IRQ_INTX, 0, 9, 9);
	counted(b, 1, IRQ_MSI, 1, 0, 0);
	counted(b, 2, IRQ_MSIX, 3, 5, 4);
	counted(b, 3, IRQ_MSIX, 2047, UINT64_MAX - 1, 2);
	counted(b, 4, IRQ_REQ, 0, 2, 1);
	assert_true(b->w.device[0].here);
	assert_false(b->w.device[0].unresponsive);
	/* those that are not armed are not shown when the armed ones were asked for, nor are others */
	b->w.vectors = (struct value){ .given = true, .word = VECTORS_ARMED };
	assert_int_equal(watch_look(&b->s, &b->w, &b->e), 0);
	assert_false(b->w.device[0].samples.v[0].present);
	assert_true(b->w.device[0].samples.v[2].present);
	b->w.vectors.word = VECTORS_LISTED;
	vector_set_add(&b->w.vectors.vectors, 3);
	assert_int_equal(watch_look(&b->s, &b->w, &b->e), 0);
	assert_true(b->w.device[0].samples.v[2].present);
	assert_false(b->w.device[0].samples.v[3].present);
	assert_int_equal(watch_is_held("sim:a", &b->e), 1);
	assert_int_equal(watch_is_held("sim:b", &b->e), 0);
}

/* What its holder refuses is told with that reason; of several devices one is missing then. */
static void is_refused(void **state)
{
	struct bench *b = *state;

	holds(b, "sim:a", "the_device_went msictl_hold_sim:a ", CAUSE_NO_DEVICE);
	watches(b, "sim:a");
	assert_true(watch_look(&b->s, &b->w, &b->e) < 0);
	assert_int_equal(b->e.cause, CAUSE_NO_DEVICE);
	assert_non_null(strstr(b->e.message, "the device went"));
	assert_string_equal(b->e.hint, "msictl hold sim:a");
	assert_false(b->w.device[0].here);
	assert_true(b->w.device[0].samples.blind);
	/* and one that nobody holds */
	watches(b, "sim:b");
	assert_int_equal(watch_look(&b->s, &b->w, &b->e), 0);
	assert_false(b->w.device[0].here || b->w.device[1].here);
	assert_false(b->w.device[0].unresponsive || b->w.device[1].unresponsive);
	assert_true(b->w.device[0].samples.blind);
	assert_false(b->w.device[1].samples.blind);
	watch_forget(&b->w);
	watches(b, "sim:b");
	assert_int_equal(watch_look(&b->s, &b->w, &b->e), -ENOENT);
	assert_string_equal(b->e.message, "nobody holds it");
}

/* A status of its own, without a cause, is a failure too. */
static void has_failed(void **state)
{
	struct bench *b = *state;

	holds(b, "sim:a", "no_memory ", CAUSE_FAILED);
	watches(b, "sim:a");
	assert_true(watch_look(&b->s, &b->w, &b->e) < 0);
	assert_int_equal(b->e.cause, CAUSE_FAILED);
	assert_non_null(strstr(b->e.message, "no memory"));
}

/* Without descriptors nobody can be asked, which is not to be held by nobody. */
static void cannot_ask(void **state)
{
	struct bench *b = *state;
	struct rlimit before;
	int rc;

	holds(b, "sim:a", VECTOR("msix", "3", "true", "5", "4"), 0);
	watches(b, "sim:a");
	assert_int_equal(watch_look(&b->s, &b->w, &b->e), 0);
	for (unsigned int spare = 0; spare < 2; spare++) {
		before = tree_exhaust(spare);
		rc = watch_look(&b->s, &b->w, &b->e);
		assert_int_equal(watch_is_held("sim:a", &b->e), -EMFILE);
		tree_plenty(&before);
		assert_int_equal(rc, -EMFILE);
	}
	assert_int_equal(watch_look(&b->s, &b->w, &b->e), 0);
	assert_true(b->w.device[0].here);
}

/* The most vectors of one index that it has: INTx, MSI and MSI-X alone. */
static void has_vectors(void **state)
{
	static const struct {
		const char *says;
		unsigned int most;
		uint8_t status;
	} cases[] = {
		{ "{\"device\":\"sim:a\",\"since\":1,\"callers\":0,\"open\":true}\n" INDEX(
			  "intx", "1") INDEX("msi", "16") INDEX("msix", "8") INDEX("err", "1"),
		  16, 0 },
		{ INDEX("intx", "1") INDEX("msi", "4") INDEX("msix", "64"), 64, 0 },
		{ INDEX("intx", "1"), 1, 0 },
		{ INDEX("err", "9") INDEX("req", "9"), UINT_MAX, 0 },
		{ INDEX("msix", "8") "{", UINT_MAX, 0 },
		{ INDEX("msix", "8"), UINT_MAX, 1 },
	};
	struct bench *b = *state;

	watches(b, "sim:a");
	assert_int_equal(watch_held_most(&b->s, &b->w.device[0]), UINT_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		holds(b, "sim:a", cases[i].says, cases[i].status);
		assert_int_equal(watch_held_most(&b->s, &b->w.device[0]), cases[i].most);
		kill(b->child, SIGKILL);
		assert_int_equal(waitpid(b->child, NULL, 0), b->child);
		b->child = 0;
	}
}

/* A holder that is silent is asked once, and hears that nobody watches any more. */
static void is_forgotten(void **state)
{
	struct bench *b = *state;
	char name[HOLD_NAME], buf[512];
	int dir = hold_dir_open(true, &b->e), sock, client;

	sock = hold_listen(dir, hold_name("sim:a", name), 1000000, &b->e);
	assert_true(sock >= 0);
	watches(b, "sim:a");
	/* it was so the last time: it is not waited for */
	b->w.device[0].unresponsive = true;
	for (int i = 0; i < 2; i++)
		assert_int_equal(watch_ask_held(&b->s, &b->w, &b->e), 0);
	client = accept4(sock, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(client >= 0);
	assert_int_equal(accept4(sock, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), -1);
	assert_true(recv(client, buf, sizeof(buf), 0) > 0);
	assert_int_equal(recv(client, buf, sizeof(buf), 0), -1);
	watch_forget(&b->w);
	assert_int_equal(recv(client, buf, sizeof(buf), 0), 0);
	close(client);
	close(sock);
	close(dir);
}

/* VECTORS that its holder's device does not have are refused. */
static void knows_vectors(void **state)
{
	struct bench *b = *state;
	struct args a = { 0 };

	holds(b, "sim:a", INDEX("msix", "8"), 0);
	b->s.attached = "sim:a";
	a.param[1] = (struct value){ .given = true, .word = VECTORS_LISTED };
	vector_set_add(&a.param[1].vectors, 7);
	assert_int_equal(watch_choose(&b->s, &b->w, &a, &b->e), 0);
	watch_forget(&b->w);
	vector_set_add(&a.param[1].vectors, 8);
	assert_true(watch_choose(&b->s, &b->w, &a, &b->e) < 0);
	assert_int_equal(b->e.cause, CAUSE_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(takes_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(has_failed, setup, teardown),
		cmocka_unit_test_setup_teardown(is_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(knows_vectors, setup, teardown),
		cmocka_unit_test_setup_teardown(cannot_ask, setup, teardown),
		cmocka_unit_test_setup_teardown(has_vectors, setup, teardown),
	};

	return cmocka_run_group_tests_name("cmd-watch-held", tests, NULL, NULL);
}
