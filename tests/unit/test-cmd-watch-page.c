// SPDX-License-Identifier: GPL-2.0-or-later
/* A page of watch, of samples that the test fills in: the document and the lines around the table. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "watch-model.h"

/* Behind error.h: it makes a macro of fail(). */
#include <cmocka.h>

struct bench {
	struct sampled v[3];
	struct host_irq irq[2];
	struct watched d[3];
	struct watch w;
	struct out *out;
	FILE *data;
	char *text;
	size_t size;
};

/* 04:00.0 with two IRQs, of which one is on no list; 05:00.0 without vectors; 06:00.0 with one that is not known. */
static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	const struct out_options opt = { .noheadings = true };

	assert_non_null(b);
	b->v[0] = model_vector(0, 40, 500, 20);
	b->v[0].trend = (struct trend){
		.delta = 20, .rate = 10, .last_us = 6000000, .history = { 5, 10 }, .n = 2
	};
	b->v[1] = model_vector(1, 41, 1, 0);
	b->v[1].now.has_irq = false;
	b->v[1].compared = false;
	b->v[2] = model_vector(-1, 50, NOT_KNOWN, 0);
	b->irq[0] = (struct host_irq){ .irq = 40,
				       .index = IRQ_MSIX,
				       .vector = 0,
				       .armed = true,
				       .counted = true,
				       .counted_by = HOST_IRQ_PROC,
				       .cpus_missing = 3,
				       .cpus = 2,
				       .count = 500,
				       .chip = "PCI-MSI",
				       .action = "nvme0q0",
				       .affinity = "0-3",
				       .effective = "2" };
	b->irq[1] = b->irq[0];
	b->irq[1].irq = 49;
	b->irq[1].vector = 7;
	b->d[0] = model_device("0000:04:00.0", b->v, 2);
	b->d[1] = model_device("0000:05:00.0", NULL, 0);
	b->d[2] = model_device("0000:06:00.0", b->v + 2, 1);
	for (unsigned int i = 0; i < ARRAY_SIZE(b->d); i++) {
		b->d[i].samples.before_us = 5000000;
		b->d[i].samples.at_us = 7000000;
	}
	b->d[0].name = b->d[0].full + 5;
	b->d[0].host.irqs = (struct host_irqs){ .irq = b->irq, .n = 2 };
	copy_text(b->d[0].driver, sizeof(b->d[0].driver), "nvme");
	b->d[0].samples.total = b->v[0].trend;
	b->w = (struct watch){ .device = b->d, .n = 1, .storm = 1e9 };
	b->data = open_memstream(&b->text, &b->size);
	assert_int_equal(out_new(&b->out, &opt), 0);
	out_set_streams(b->out, b->data, b->data);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	out_free(b->out);
	fclose(b->data);
	free(b->text);
	free(b);
	return 0;
}

static const char *page(struct bench *b, const struct out_options *opt, unsigned int limit)
{
	fflush(b->data);
	rewind(b->data);
	out_set_options(b->out, opt);
	assert_int_equal(watch_tell(b->out, &b->w, limit), 0);
	out_end(b->out);
	fflush(b->data);
	b->text[b->size] = '\0';
	return b->text;
}

/* What stands behind the time, of a document. */
static void tells(struct bench *b, const char *want)
{
	const struct out_options json = { .json = true };
	const char *got = strstr(page(b, &json, 0), ",\"interval_us\"");

	assert_non_null(got);
	assert_string_equal(got, want);
}

static void has(struct bench *b, const struct out_options *opt, unsigned int limit,
		const char *want)
{
	const char *got = page(b, opt, limit);

	if (!strstr(got, want))
		fail_msg("\"%s\" is not in \"%s\"", want, got);
}

#define ROW_0                                                                                                  \
	"{\"device\":\"0000:04:00.0\",\"slot\":\"04:00.0\",\"index\":\"msix\",\"vector\":0,\"count\":500,"     \
	"\"irq\":40,\"cpus\":2,\"count_source\":\"proc\",\"cpus_missing\":3,\"affinity\":\"0-3\","             \
	"\"effective\":\"2\",\"action\":\"nvme0q0\",\"mark\":null,\"posted_possible\":false,\"held_by\":null," \
	"\"delta\":20,\"rate\":10.00,\"idle_us\":1000000,\"history\":[5.00,10.00]}"
#define ROW_1                                                                                              \
	"{\"device\":\"0000:04:00.0\",\"slot\":\"04:00.0\",\"index\":\"msix\",\"vector\":1,\"count\":1,"   \
	"\"irq\":null,\"cpus\":null,\"count_source\":null,\"cpus_missing\":null,\"affinity\":null,"        \
	"\"effective\":null,\"action\":null,\"mark\":\"once\",\"posted_possible\":false,\"held_by\":null," \
	"\"delta\":null,\"rate\":null,\"idle_us\":null,\"history\":[]}"
#define ROW_2                                                                                           \
	"{\"device\":\"0000:06:00.0\",\"slot\":\"0000:06:00.0\",\"index\":\"msix\",\"vector\":null,"    \
	"\"count\":null,\"irq\":null,\"cpus\":null,\"count_source\":null,\"cpus_missing\":null,"        \
	"\"affinity\":null,\"effective\":null,\"action\":null,\"mark\":null,\"posted_possible\":false," \
	"\"held_by\":null,\"delta\":0,\"rate\":0.00,\"idle_us\":null,\"history\":[]}"

/* What is not known is null, and the rest is as it was counted. */
static void vectors(void **state)
{
	struct bench *b = *state;

	b->d[1].here = false;
	b->d[2].unread = EIO;
	tells(b, ",\"interval_us\":2000000,\"vectors\":[" ROW_0 "," ROW_1 "],\"missing\":[]}\n");
	b->w.n = 3;
	b->d[0].samples.taken = 1;
	tells(b, ",\"interval_us\":null,\"vectors\":[" ROW_0 "," ROW_1 "," ROW_2
		 "],\"missing\":[\"0000:05:00.0\",\"0000:06:00.0\"]}\n");
}

static void functions(void **state)
{
	struct bench *b = *state;

	b->w.n = 3;
	b->w.every = true;
	b->d[2].posted = (struct posted){ .possible = true, .by = { .pid = 7, .comm = "qemu" } };
	tells(b,
	      ",\"interval_us\":2000000,\"devices\":[{\"device\":\"0000:04:00.0\",\"slot\":\"04:00.0\",\"driver\":"
	      "\"nvme\",\"vectors\":2,\"active\":1,\"count\":501,\"cpus_missing\":3,\"mark\":null,"
	      "\"posted_possible\":false,\"held_by\":null,\"delta\":20,\"rate\":10.00,\"idle_us\":1000000,"
	      "\"history\":[5.00,10.00]},{\"device\":\"0000:06:00.0\",\"slot\":\"0000:06:00.0\",\"driver\":null,"
	      "\"vectors\":1,\"active\":0,\"count\":null,\"cpus_missing\":null,\"mark\":\"posted\","
	      "\"posted_possible\":true,\"held_by\":{\"pid\":7,\"command\":\"qemu\"},\"delta\":null,\"rate\":null,"
	      "\"idle_us\":null,\"history\":[]}],\"missing\":[]}\n");
	/* all CPUs were read, or nobody knows how many were not */
	b->irq[0].cpus_missing = b->irq[1].cpus_missing = -1;
	has(b, &(struct out_options){ .json = true }, 0, "\"count\":501,\"cpus_missing\":null,");
	b->irq[0].cpus_missing = b->irq[1].cpus_missing = 0;
	has(b, &(struct out_options){ .json = true }, 0, "\"count\":501,\"cpus_missing\":0,");
	/* no function at all */
	b->w.n = 0;
	tells(b, ",\"interval_us\":null,\"devices\":[],\"missing\":[]}\n");
	has(b, &(struct out_options){ 0 }, 0, "  all functions  0 vectors, 0 active\n");
}

/* Of eventfds it is told how many signals shared a wake-up; whoever has them is no VM, and is not missing. */
static void eventfds(void **state)
{
	static const struct device own;
	const struct out_options json = { .json = true };
	struct bench *b = *state;

	b->d[0].own = &own;
	b->d[0].here = false;
	b->v[0].now.wakeups = 480;
	b->v[1].now.wakeups = 2;
	b->irq[0].counted = false;
	has(b, &json, 0,
	    "\"count\":500,\"wakeups\":480,\"coalesced\":20,\"irq\":40,\"cpus\":null,");
	has(b, &json, 0, "\"count\":1,\"wakeups\":2,\"coalesced\":0,\"irq\":null");
	has(b, &json, 0, "\"mark\":null,\"delta\":20,");
	has(b, &json, 0, "\"missing\":[]");
}

/* A vector of a VM that counted once is not marked: its interrupts may bypass the host. A storm is one. */
static void marks(void **state)
{
	const struct out_options opt = { .noheadings = true, .columns = "VECTOR,MARK" };
	struct bench *b = *state;

	has(b, &opt, 0, "0  -\n     1  once\n");
	b->d[0].posted.possible = true;
	b->w.storm = 9.5;
	has(b, &opt, 0, "0  storm\n     1  -\n");
}

/* The time of the refresh is that of the machine; where nothing was compared there is no rate. */
static void heads(void **state)
{
	const struct out_options json = { .json = true }, text = { 0 };
	struct bench *b = *state;
	time_t before = time(NULL), at;
	unsigned int ms, end;
	char clock[16], want[16];
	struct tm tm = { 0 };
	const char *got = page(b, &json, 0);

	assert_int_equal(sscanf(got, "{\"time\":\"%d-%d-%dT%2d:%2d:%2d.%3uZ\"%n", &tm.tm_year,
				&tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &ms,
				(int *)&end),
			 7);
	assert_int_equal(end, strlen("{\"time\":\"2026-01-01T00:00:00.000Z\""));
	tm.tm_year -= 1900;
	tm.tm_mon--;
	at = timegm(&tm);
	assert_true(at >= before && at <= time(NULL));
	b->v[2] = model_vector(-1, 50, 0, 0);
	b->d[2].samples.total.delta = 3;
	got = page(b, &text, 0);
	copy_text(clock, 9, got);
	strftime(want, sizeof(want), "%H:%M:%S", localtime_r(&at, &tm));
	assert_true(strcmp(clock, want) >= 0 || !strncmp(clock, "00", 2));
	has(b, &text, 0, "  04:00.0  2 vectors, 1 active  10.0/s\n");
	assert_null(strstr(b->text, "q quits"));
	assert_null(strstr(b->text, "silent"));
	b->w.n = 3;
	b->w.screen = (struct screen *)b;
	has(b, &text, 0, "  04:00.0, ...  3 vectors, 1 active  11.5/s  q quits, sort: v i r c d\n");
	/* it has no number that could be told */
	has(b, &text, 0, "\n1 silent: vectors not known\n");
	b->w.every = true;
	has(b, &text, 0, "  all functions  3 vectors, 1 active  11.5/s  q quits");
	b->d[0].samples.taken = 1;
	has(b, &text, 0, "  all functions  3 vectors, 1 active  q quits");
}

/* What is not told of, and why; a note has its line where the page is painted. */
static void notes(void **state)
{
	const struct out_options text = { 0 };
	struct bench *b = *state;
	char held[] = "sim";

	b->w.n = 3;
	copy_text(b->w.note, sizeof(b->w.note), "a note");
	b->d[1].here = false;
	b->d[2].unread = EIO;
	has(b, &text, 0, "\n0000:05:00.0 is not there\n0000:06:00.0 cannot be looked at\n");
	assert_null(strstr(b->text, "a note"));
	b->w.screen = (struct screen *)b;
	has(b, &text, 0, " cannot be looked at\na note\n");
	b->w.screen = NULL;
	/* of a held one the host's side is not what counts */
	b->d[1].held = b->d[2].held = held;
	page(b, &text, 0);
	assert_null(strstr(b->text, "06:00.0 cannot"));
	has(b, &text, 0, "\n0000:05:00.0 is held no more\n");
	b->d[1].unresponsive = true;
	has(b, &text, 0, "\n0000:05:00.0: its holder does not answer\n");
}

/* So many lines are left for rows as the head, the heading, and what is told below do not take. */
static void fits(void **state)
{
	const struct out_options opt = { .noheadings = true, .columns = "VECTOR" };
	struct bench *b = *state;

	b->v[1].trend.n = 1;
	b->v[1].trend.history[0] = 1;
	b->v[2] = model_vector(2, 50, 7, 0);
	b->d[0].samples.n = 3;
	/* whoever is not looked at takes no line */
	b->d[1].here = b->d[2].here = false;
	assert_null(strstr(page(b, &opt, 0), "more"));
	assert_null(strstr(page(b, &opt, 5), "more"));
	has(b, &opt, 4, "\n     0\n2 more, 1 of them quiet\n");
	/* one row is shown on the smallest of screens */
	has(b, &opt, 1, "\n     0\n2 more, 1 of them quiet\n");
	copy_text(b->w.note, sizeof(b->w.note), "a note");
	has(b, &opt, 5, "\n     0\n2 more, 1 of them quiet\n");
	assert_null(strstr(page(b, &opt, 6), "more"));
	b->w.n = 2;
	b->d[1].here = false;
	has(b, &opt, 6, "\n     0\n2 more, 1 of them quiet\n");
	assert_null(strstr(page(b, &opt, 7), "more"));
	/* a vector that is silent has no row, but a line */
	b->d[1].here = true;
	b->d[1].samples.v = &(struct sampled){ .now = { .counted = true }, .present = true };
	b->d[1].samples.n = 1;
	has(b, &opt, 6, "\n     0\n2 more, 1 of them quiet\n");
	assert_null(strstr(page(b, &opt, 7), "more"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(vectors, setup, teardown),
		cmocka_unit_test_setup_teardown(functions, setup, teardown),
		cmocka_unit_test_setup_teardown(eventfds, setup, teardown),
		cmocka_unit_test_setup_teardown(marks, setup, teardown),
		cmocka_unit_test_setup_teardown(heads, setup, teardown),
		cmocka_unit_test_setup_teardown(notes, setup, teardown),
		cmocka_unit_test_setup_teardown(fits, setup, teardown),
	};

	return cmocka_run_group_tests_name("cmd-watch-page", tests, NULL, NULL);
}
