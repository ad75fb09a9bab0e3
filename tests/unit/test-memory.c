// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each allocation fails once: what was asked for is then refused with a word on memory, or it is there as a whole.
 * malloc(3) and its like are the test's own; under ASan they are ASan's, and there is nothing to test.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/all.h"
#include "device-model.h"
#include "hold/request.h"
#include "hold/wire.h"
#include "runtime/holders.h"
#include "out/metrics.h"
#include "platform/evidence.h"
#include "irq/sample.h"
#include "cli/session.h"
#include "sim/device.h"
#include "sim/spec.h"
#include "base/util.h"
#include "sim/server.h"
#include "device-facts.h"

/* Behind base/error.h: it makes a macro of fail(). */
#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__
#define HAVE_OWN_MALLOC false
#else
#define HAVE_OWN_MALLOC true
#endif

/* Allocations until the one that fails; -1: none does. */
static long left = -1;

#if HAVE_OWN_MALLOC
/* glibc's, under the names that it has for who replaces them. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static bool fails(void)
{
	if (left < 0 || left-- > 0)
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t n)
{
	return fails() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return fails() ? NULL : __libc_realloc(p, n);
}
#endif

static unsigned int descriptors(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/*
 * @attempt is made with the first allocation that fails, with the second, until one is made without a failure. It
 * returns 0 or -errno, and puts everything back. A descriptor that stays open is a leak.
 */
static void each_fails(int (*attempt)(void))
{
	unsigned int open = descriptors();

	if (!HAVE_OWN_MALLOC)
		skip();
	assert_int_equal(attempt(), 0);
	for (long n = 0;; n++) {
		bool failed;
		int rc;

		assert_true(n < 1000);
		left = n;
		rc = attempt();
		failed = left < 0;
		left = -1;
		assert_int_equal(descriptors(), open);
		if (!failed) {
			assert_int_equal(rc, 0);
			return;
		}
		if (rc != -ENOMEM)
			fail_msg("allocation %ld failed, and the answer was %d", n, rc);
	}
}

/* Without memory while the test itself looks. */
#define WITH_MEMORY(text)          \
	do {                       \
		long keep_ = left; \
		left = -1;         \
		text;              \
		left = keep_;      \
	} while (0)

static struct vector_set vectors(const char *text)
{
	struct vector_set s;
	enum vector_word word;

	vector_set_parse(text, &word, &s);
	return s;
}

/* 0: the plan is there, of @n calls. */
static int judge(int rc, struct plan *p, size_t n, const struct error *e)
{
	if (rc)
		WITH_MEMORY(assert_non_null(strstr(e->message, "out of memory")));
	else
		WITH_MEMORY(assert_int_equal(p->n, n));
	plan_free(p);
	return rc;
}

static int plans(void)
{
	struct irq_state off = { .index = IRQ_MSIX, .count = 64 }, on = off;
	struct resize_how rebuild = { .rebuild = true, .release = true };
	struct vector_set sparse = vectors("5,9-10,20");
	struct error e = { 0 };
	struct plan p;
	int rc;

	on.enabled = true;
	on.armed = on.allocated = vectors("0-3,8");
	rc = judge(plan_enable(&off, &sparse, &p, &e), &p, 4, &e);
	if (rc == 0)
		rc = judge(plan_enable(&on, &sparse, &p, &e), &p, 3, &e);
	if (rc == 0)
		rc = judge(plan_enable_none(&off, 4, &p, &e), &p, 1, &e);
	if (rc == 0)
		rc = judge(plan_disable(&on, &p, &e), &p, 1, &e);
	if (rc == 0)
		rc = judge(plan_resize(&on, 12, (struct resize_how){ 0 }, &p, &e), &p, 2, &e);
	if (rc == 0)
		rc = judge(plan_resize(&on, 2, (struct resize_how){ 0 }, &p, &e), &p, 2, &e);
	if (rc == 0)
		rc = judge(plan_resize(&on, 2, rebuild, &p, &e), &p, 2, &e);
	if (rc == 0)
		rc = judge(plan_resize(&on, 0, rebuild, &p, &e), &p, 2, &e);
	return rc;
}

/* A repair has no sentence of its own. */
static int repairs(void)
{
	struct irq_state off = { .index = IRQ_MSIX, .count = 64 }, on = off;
	struct vector_set lost = vectors("1,3");
	struct plan p;
	int rc;

	on.enabled = true;
	rc = plan_attach(&on, &lost, &p);
	plan_free(&p);
	if (rc == 0) {
		rc = plan_attach(&off, &lost, &p);
		plan_free(&p);
	}
	if (rc == 0) {
		rc = plan_release(&on, &lost, &p);
		plan_free(&p);
	}
	return rc;
}

static unsigned int sets;

static int set_irqs(void *handle, const struct irq_set *s, const int32_t *eventfd,
		    struct set_outcome *o)
{
	(void)o;
	(void)handle;
	for (unsigned int i = 0; s->data == IRQ_DATA_EVENTFD && i < s->count; i++)
		if (vector_set_has(&s->attach, s->start + i))
			assert_true(fcntl(eventfd[i], F_GETFD) >= 0);
	sets++;
	return 0;
}

static ssize_t no_access(void *handle, enum region_index region, void *buf, size_t n,
			 uint64_t offset)
{
	(void)handle, (void)region, (void)buf, (void)n, (void)offset;
	return -EIO;
}

/* Nothing is sent of a change that cannot be made as a whole. */
static int enables(void)
{
	static const struct device_ops ops = { KERNEL_FACTS, .set_irqs = set_irqs,
					       .region_read = no_access };
	struct vector_set three = vectors("0-2");
	struct trace quiet = { 0 };
	struct device d = { .ops = &ops, .handle = &d, .trace = &quiet, .peer = { .fd = -1 } };
	struct change c = { 0 };
	struct error e = { 0 };
	int rc;

	WITH_MEMORY(assert_int_equal(loop_new(&d.loop), 0));
	d.ready = device_vector_ready;
	d.irq[IRQ_MSIX] = (struct index){
		.device = &d, .index = IRQ_MSIX, .present = true, .info = { .count = 8 }
	};
	sets = 0;
	rc = device_enable(&d, IRQ_MSIX, &three, (struct change_how){ 0 }, &c, &e);
	WITH_MEMORY({
		struct vector_set armed = device_armed(&d, IRQ_MSIX);

		assert_int_equal(vector_set_count(&armed), rc ? 0 : 3);
		assert_int_equal(sets, rc ? 0 : 1);
		if (rc)
			assert_true(e.err == ENOMEM || strstr(e.message, "memory"));
	});
	WITH_MEMORY(model_free(&d));
	return rc;
}

static int dry_runs(void)
{
	struct trace dry = { .dry_run = true };
	struct device d = { .trace = &dry, .peer = { .fd = -1 } };
	struct error e = { 0 };
	int rc = device_dry_begin(&d, &e);

	if (rc)
		WITH_MEMORY(assert_true(e.cause == CAUSE_FAILED && e.err == ENOMEM));
	device_dry_end(&d);
	return rc;
}

static int samples(void)
{
	struct samples s = { 0 };
	int rc = 0;

	samples_begin(&s, 1000000);
	for (int v = 0; rc == 0 && v < 20; v++)
		rc = samples_add(&s, &(struct reading){ .vector = v, .counted = true });
	samples_end(&s);
	WITH_MEMORY(assert_true(rc || s.n == 20));
	samples_free(&s);
	return rc;
}

static int simulations(void)
{
	struct sim_device *d = NULL;
	struct sim_spec spec;
	struct error e;
	int rc;

	WITH_MEMORY(assert_int_equal(sim_spec_parse("msix=8", &spec, &e), 0));
	rc = sim_device_new(&d, &spec);
	if (rc == 0)
		sim_device_free(d);
	return rc;
}

/* A word that is right, one that is none, and a number that is too large. */
static int simulation_words(void)
{
	static const char *const text[] = { "msix=8,noresize", "nonsense", "msix=2049" };

	for (size_t i = 0; i < ARRAY_SIZE(text); i++) {
		struct sim_spec spec;
		struct error e = { 0 };
		int rc = sim_spec_parse(text[i], &spec, &e);

		WITH_MEMORY(assert_true(rc == 0 || e.message[0]));
		if (rc == -ENOMEM)
			return rc;
		WITH_MEMORY(assert_int_equal(rc, i == 0 ? 0 : -EINVAL));
	}
	return 0;
}

static int servers(void)
{
	struct vu_server *s = NULL;
	struct sim_device *d;
	struct sim_spec spec;
	struct loop *loop;
	struct error e;
	int rc;

	WITH_MEMORY({
		assert_int_equal(sim_spec_parse("msix=8", &spec, &e), 0);
		assert_int_equal(sim_device_new(&d, &spec), 0);
		assert_int_equal(loop_new(&loop), 0);
	});
	rc = vu_server_new(&s, d, loop);
	if (rc == 0)
		vu_server_free(s);
	loop_free(loop);
	sim_device_free(d);
	return rc;
}

static int calls(void)
{
	struct request *c = NULL;
	struct loop *loop;
	int rc, pair[2];

	WITH_MEMORY(assert_int_equal(loop_new(&loop), 0));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
			 0);
	rc = request_new(&c, pair[0], loop);
	if (rc == 0) {
		setvbuf(c->data, NULL, _IONBF, 0);
		/* an answer that has no room is none: the client is hung up on */
		if (fputc('x', c->data) == EOF)
			rc = request_here(c) ? -EIO : -ENOMEM;
		request_free(c);
	}
	close(pair[1]);
	loop_free(loop);
	return rc;
}

/* Names of sockets: all of them, or none. */
static int names(void)
{
	char folder[] = "/tmp/msictl-unit-XXXXXX", name[] = "a.sock";
	char(*list)[HOLD_NAME] = NULL;
	int dir = -1, rc;

	WITH_MEMORY({
		assert_non_null(mkdtemp(folder));
		dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		for (; name[0] <= 'c'; name[0]++)
			close(openat(dir, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	});
	rc = (int)hold_list(dir, &list);
	WITH_MEMORY({
		assert_true(rc < 0 ? !list : rc == 3 && !strcmp(list[2], "c.sock"));
		free(list);
		for (name[0] = 'a'; name[0] <= 'c'; name[0]++)
			unlinkat(dir, name, 0);
		close(dir);
		rmdir(folder);
	});
	return rc < 0 ? rc : 0;
}

static int platforms(void)
{
	struct platform p = { 0 };
	struct root root;
	struct error e;
	int rc;

	/* Of an empty tree: what cannot be read is not known, and that is an answer. */
	WITH_MEMORY(assert_int_equal(root_open(&root, "tests/unit", &e), 0));
	rc = platform_read(&root, NULL, &p);
	if (rc == 0)
		platform_free(&p);
	root_close(&root);
	return rc;
}

static int foreign_platforms(void)
{
	struct platform p = { 0 };
	int rc = platform_foreign("vfio-user", &p);

	if (rc == 0)
		platform_free(&p);
	return rc;
}

/* The words of a command on a captured tree, and what it prints behind its first line, which has the time. */
static int command(const struct command *cmd, int argc, char **argv, char **text)
{
	struct session s = { 0 };
	struct error e = { 0 };
	struct args args;
	size_t size;
	FILE *f = NULL;
	int rc = 0;

	WITH_MEMORY({
		const struct out_options opt = { 0 };

		f = open_memstream(text, &size);
		setvbuf(f, NULL, _IOFBF, 65536);
		assert_int_equal(root_open(&s.root, "tests/root/intel-remap.capture", &e), 0);
		assert_int_equal(out_new(&s.out, &opt), 0);
		out_set_streams(s.out, f, f);
		assert_int_equal(command_parse(cmd, argc, argv, false, &s.globals, &args, &e), 0);
	});
	rc = cmd->run(&s, &args, &e);
	if (rc == 0)
		rc = session_drive(&s, &e);
	out_end(s.out);
	if (rc == 0)
		rc = out_flush(s.out, &e);
	WITH_MEMORY({
		assert_true(rc == 0 || e.message[0]);
		session_unstay(&s);
		session_close(&s);
		out_free(s.out);
		root_close(&s.root);
		fclose(f);
	});
	return rc;
}

/* What was printed without memory is what is printed with it, or the command failed and said so. */
static void prints_all(const struct command *cmd, int argc, char *const *words)
{
	char *argv[8], *want = NULL, *text = NULL;
	unsigned int open = descriptors();

	if (!HAVE_OWN_MALLOC)
		skip();
	memcpy(argv, words, (size_t)argc * sizeof(*argv));
	assert_int_equal(command(cmd, argc, argv, &want), 0);
	for (long n = 0;; n++) {
		bool failed;
		int rc;

		assert_true(n < 20000);
		memcpy(argv, words, (size_t)argc * sizeof(*argv));
		left = n;
		rc = command(cmd, argc, argv, &text);
		failed = left < 0;
		left = -1;
		assert_int_equal(descriptors(), open);
		if (rc == 0 && strcmp(strchr(text, '\n'), strchr(want, '\n')) != 0)
			fail_msg("allocation %ld failed, and the page is another:\n%s", n, text);
		free(text);
		if (!failed)
			break;
	}
	free(want);
}

static void no_memory_pages(void **s)
{
	static char *const one[] = { "watch", "03:00.0", "-n", "1" };
	static char *const all[] = { "watch", "--iterations", "1", "--sort", "rate" };
	static char *const counters[] = { "counters", "03:00.0" };

	(void)s;
	prints_all(&cmd_watch, ARRAY_SIZE(one), one);
	prints_all(&cmd_watch, ARRAY_SIZE(all), all);
	prints_all(&cmd_counters, ARRAY_SIZE(counters), counters);
}

#define ATTEMPT(what)                          \
	static void no_memory_##what(void **s) \
	{                                      \
		(void)s;                       \
		each_fails(what);              \
	}

ATTEMPT(plans)
ATTEMPT(repairs)
ATTEMPT(enables)
ATTEMPT(dry_runs)
ATTEMPT(samples)
ATTEMPT(simulations)
ATTEMPT(simulation_words)
ATTEMPT(servers)
ATTEMPT(calls)
ATTEMPT(names)
ATTEMPT(platforms)
ATTEMPT(foreign_platforms)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_memory_plans),
		cmocka_unit_test(no_memory_repairs),
		cmocka_unit_test(no_memory_enables),
		cmocka_unit_test(no_memory_samples),
		cmocka_unit_test(no_memory_dry_runs),
		cmocka_unit_test(no_memory_simulations),
		cmocka_unit_test(no_memory_simulation_words),
		cmocka_unit_test(no_memory_servers),
		cmocka_unit_test(no_memory_calls),
		cmocka_unit_test(no_memory_names),
		cmocka_unit_test(no_memory_platforms),
		cmocka_unit_test(no_memory_pages),
		cmocka_unit_test(no_memory_foreign_platforms),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
