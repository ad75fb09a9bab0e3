// SPDX-License-Identifier: GPL-2.0-or-later
/* What a page of watch shows of a host's counts: which rows, in which order, what does not fit, what is missing. */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>

#include "cmd/watch.h"
#include "cmd/all.h"
#include "tree.h"
#include "base/util.h"

#define NVME "sys/bus/pci/devices/0000:04:00.0"

struct bench {
	struct tree t;
	struct session s;
	struct watch w;
	FILE *data;
	char *text;
	size_t size;
	struct error e;
};

static void file(const struct bench *b, unsigned int irq, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "sys/kernel/irq/%u/%s", irq, name);
	tree_text(&b->t, path, text);
}

/* MSI-X vector @v of 04:00.0 is an IRQ that has counted so often. */
static void counts(const struct bench *b, unsigned int v, unsigned int irq, const char *count)
{
	char path[96], text[64];

	snprintf(path, sizeof(path), NVME "/msi_irqs/%u", irq);
	tree_text(&b->t, path, "msix\n");
	snprintf(text, sizeof(text), "vfio-msix[%u](0000:04:00.0)\n", v);
	file(b, irq, "actions", text);
	file(b, irq, "chip_name", "IR-PCI-MSI\n");
	snprintf(text, sizeof(text), "%u\n", v);
	file(b, irq, "hwirq", text);
	file(b, irq, "per_cpu_count", count);
}

static void driver(const struct bench *b, const char *name)
{
	char path[PATH_MAX], target[128];

	unlink(tree_path(&b->t, NVME "/driver", path));
	snprintf(target, sizeof(target), "/sys/bus/pci/drivers/%s", name);
	tree_folder(&b->t, target + 1);
	tree_link(&b->t, NVME "/driver", target);
}

/* Five vectors, whose IRQs go down as they go up. */
static int setup(void **state)
{
	static const char *const count[] = { "10\n", "50\n", "20\n", "40\n", "30\n" };
	struct bench *b = calloc(1, sizeof(*b));
	const struct out_options opt = { .noheadings = true };

	assert_non_null(b);
	tree_new(&b->t);
	b->s.root = b->t.root;
	b->data = open_memstream(&b->text, &b->size);
	assert_int_equal(out_new(&b->s.out, &opt), 0);
	out_set_streams(b->s.out, b->data, b->data);
	tree_text(&b->t, "sys/devices/system/cpu/online", "0\n");
	tree_text(&b->t, "sys/devices/system/cpu/possible", "0\n");
	tree_text(&b->t, "proc/77/comm", "secret\n");
	tree_folder(&b->t, "proc/77/fd");
	tree_text(&b->t, NVME "/vendor", "0x1b36\n");
	driver(b, "vfio-pci");
	tree_folder(&b->t, "sys/kernel/iommu_groups/9");
	tree_link(&b->t, NVME "/iommu_group", "/sys/kernel/iommu_groups/9");
	for (unsigned int v = 0; v < ARRAY_SIZE(count); v++)
		counts(b, v, 45 - v, count[v]);
	b->w.storm = 1e12;
	assert_int_equal(watch_add(&b->w, &(struct pci_addr){ .bus = 4 }, NULL), 0);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	watch_forget(&b->w);
	out_free(b->s.out);
	fclose(b->data);
	free(b->text);
	tree_free(&b->t);
	free(b);
	return 0;
}

/* As a watch that begins now. */
static void anew(struct bench *b)
{
	watch_forget(&b->w);
	b->w = (struct watch){ .storm = 1e12 };
	assert_int_equal(watch_add(&b->w, &(struct pci_addr){ .bus = 4 }, NULL), 0);
}

static void look(struct bench *b)
{
	assert_int_equal(watch_look(&b->s, &b->w, &b->e), 0);
}

/* The page with these columns, without its first line, in at most so many lines. */
static const char *page(struct bench *b, const char *columns, unsigned int limit)
{
	const struct out_options opt = { .noheadings = true, .columns = columns };
	const char *first;

	fflush(b->data);
	rewind(b->data);
	out_set_options(b->s.out, &opt);
	assert_int_equal(watch_tell(b->s.out, &b->w, limit), 0);
	out_end(b->s.out);
	fflush(b->data);
	b->text[b->size] = '\0';
	first = strchr(b->text, '\n');
	return first ? first + 1 : "";
}

static void shows(struct bench *b, const char *columns, unsigned int limit, const char *want)
{
	const char *got = page(b, columns, limit);
	char plain[1024] = "";

	for (size_t n = 0; *got && n < sizeof(plain) - 1; got++)
		if (*got != ' ' || (n && plain[n - 1] != ' ' && plain[n - 1] != '\n' &&
				    got[1] != ' ' && got[1] != '\n'))
			plain[n++] = *got;
	assert_string_equal(plain, want);
}

static void says(struct bench *b, const char *text)
{
	const char *got = page(b, NULL, 0);

	if (!strstr(got, text))
		fail_msg("expected \"%s\" in \"%s\"", text, got);
}

static void sorts(void **state)
{
	struct bench *b = *state;
	char path[PATH_MAX];

	counts(b, 5, 50, "1\n");
	look(b);
	shows(b, "VECTOR", 0, "0\n1\n2\n3\n4\n5\n");
	b->w.sort = SORT_IRQ;
	shows(b, "VECTOR", 0, "4\n3\n2\n1\n0\n5\n");
	snprintf(path, sizeof(path), "%s/" NVME "/msi_irqs/50", b->t.dir);
	unlink(path);
	counts(b, 2, 43, "10\n");
	anew(b);
	look(b);
	b->w.sort = SORT_COUNT;
	shows(b, "VECTOR,COUNT", 0, "1 50\n3 40\n4 30\n0 10\n2 10\n");
	counts(b, 4, 41, "37\n");
	counts(b, 0, 45, "12\n");
	look(b);
	b->w.sort = SORT_DELTA;
	shows(b, "VECTOR,DELTA", 0, "4 7\n0 2\n1 0\n2 0\n3 0\n");
	/* of the same rate the one that counted more is first */
	b->w.sort = SORT_RATE;
	shows(b, "VECTOR", 0, "4\n0\n1\n3\n2\n");
	b->w.sort = SORT_VECTOR;
	shows(b, "VECTOR", 0, "0\n1\n2\n3\n4\n");
}

/* The first line and the heading take two; the last line tells how many rows are left out. */
static void fits(void **state)
{
	struct bench *b = *state;

	look(b);
	counts(b, 3, 42, "48\n");
	counts(b, 2, 43, "21\n");
	look(b);
	shows(b, "VECTOR", 7, "0\n1\n2\n3\n4\n");
	/* the busiest of all, whatever their order is when all fit */
	shows(b, "VECTOR", 6, "3\n2\n1\n2 more, 2 of them quiet\n");
	shows(b, "VECTOR", 5, "3\n2\n3 more, 3 of them quiet\n");
	shows(b, "VECTOR", 4, "3\n4 more, 3 of them quiet\n");
	shows(b, "VECTOR", 1, "3\n4 more, 3 of them quiet\n");
	/* unless the user chose an order */
	b->w.sorted = true;
	shows(b, "VECTOR", 5, "0\n1\n3 more, 1 of them quiet\n");
}

/* A vector that never counted has no row of its own, unless it was asked for. */
static void folds(void **state)
{
	struct bench *b = *state;
	enum vector_word word;

	counts(b, 1, 44, "0\n");
	counts(b, 2, 43, "0\n");
	counts(b, 4, 41, "0\n");
	look(b);
	shows(b, "VECTOR", 0, "0\n3\n3 silent: msix 1-2,4\n");
	/* that line takes one too */
	shows(b, "VECTOR", 5, "0\n3\n3 silent: msix 1-2,4\n");
	b->w.vectors.given = true;
	assert_int_equal(vector_set_parse("2-3", &word, &b->w.vectors.vectors), 0);
	b->w.vectors.word = VECTORS_LISTED;
	samples_free(&b->w.device[0].samples);
	look(b);
	shows(b, "VECTOR", 0, "2\n3\n");
}

static void armed_only(void **state)
{
	struct bench *b = *state;

	b->w.vectors = (struct value){ .given = true, .word = VECTORS_ARMED };
	file(b, 44, "actions", "\n");
	look(b);
	shows(b, "VECTOR", 0, "0\n2\n3\n4\n");
}

/* Two IRQs that claim one vector are two rows. */
static void one_vector_twice(void **state)
{
	struct bench *b = *state;

	counts(b, 2, 42, "1\n");
	look(b);
	shows(b, "VECTOR,IRQ,COUNT", 0, "- 43 20\n0 45 10\n1 44 50\n2 42 1\n4 41 30\n");
}

/* The same number in two indexes is two vectors. */
static void one_number_twice(void **state)
{
	struct bench *b = *state;

	tree_text(&b->t, NVME "/msi_irqs/39", "msi\n");
	file(b, 39, "actions", "vfio-msi[0](0000:04:00.0)\n");
	file(b, 39, "chip_name", "IR-PCI-MSI\n");
	file(b, 39, "hwirq", "0\n");
	file(b, 39, "per_cpu_count", "7\n");
	look(b);
	shows(b, "INDEX,VECTOR,COUNT", 0,
	      "msi 0 7\nmsix 0 10\nmsix 1 50\nmsix 2 20\nmsix 3 40\nmsix 4 30\n");
}

static void goes(void **state)
{
	struct bench *b = *state;
	char path[PATH_MAX];

	look(b);
	assert_null(strstr(page(b, NULL, 0), "is not there"));
	snprintf(path, sizeof(path), "rm -r '%s/" NVME "'", b->t.dir);
	assert_int_equal(system(path), 0);
	look(b);
	says(b, "04:00.0 is not there\n");
	assert_false(b->w.device[0].here);
}

/* A function of a process that cannot be looked at may be a VM's when one of its vectors is armed. */
static void held_by_whom(void **state)
{
	struct bench *b = *state;
	char path[PATH_MAX];

	if (geteuid())
		skip();
	assert_int_equal(chmod(b->t.dir, 0755), 0);
	assert_int_equal(chmod(tree_path(&b->t, "proc/77/fd", path), 0700), 0);
	assert_int_equal(seteuid(65534), 0);
	look(b);
	assert_int_equal(seteuid(0), 0);
	assert_true(b->w.device[0].posted.possible);
	assert_non_null(strstr(b->w.note, "04:00.0 is held by a program that can't be looked at"));
	/* three are named, the others are counted */
	for (int i = 0; i < 4; i++)
		assert_int_equal(watch_add(&b->w, &(struct pci_addr){ .bus = 4 }, NULL), 0);
	b->w.posted_us = 0;
	assert_int_equal(seteuid(65534), 0);
	look(b);
	assert_int_equal(seteuid(0), 0);
	assert_non_null(strstr(b->w.note, ", 2 more by others"));
	/* one is enough */
	for (unsigned int irq = 41; irq <= 44; irq++)
		file(b, irq, "actions", "\n");
	anew(b);
	assert_int_equal(seteuid(65534), 0);
	look(b);
	assert_int_equal(seteuid(0), 0);
	assert_true(b->w.device[0].posted.possible);
	/* with none armed nobody uses it */
	for (unsigned int irq = 41; irq <= 45; irq++)
		file(b, irq, "actions", "\n");
	anew(b);
	assert_int_equal(seteuid(65534), 0);
	look(b);
	assert_int_equal(seteuid(0), 0);
	assert_false(b->w.device[0].posted.possible);
	assert_string_equal(b->w.note, "");
	/* nor does anybody a function with another driver */
	counts(b, 0, 45, "10\n");
	driver(b, "nvme");
	anew(b);
	assert_int_equal(seteuid(65534), 0);
	look(b);
	assert_int_equal(seteuid(0), 0);
	assert_false(b->w.device[0].posted.possible);
}

/* Of all functions one is a line; they come and go, and the others keep their past. */
static void every_function(void **state)
{
	struct bench *b = *state;
	char gone[128];

	watch_forget(&b->w);
	b->w.every = true;
	tree_text(&b->t, "sys/bus/pci/devices/0000:03:00.0/vendor", "0x1b36\n");
	look(b);
	assert_int_equal(b->w.n, 2);
	shows(b, "DEVICE,VECTORS,COUNT,ACTIVE", 0, "04:00.0 5 150 0\n");
	tree_text(&b->t, "sys/bus/pci/devices/0000:05:00.0/vendor", "0x1b36\n");
	counts(b, 0, 45, "11\n");
	look(b);
	assert_int_equal(b->w.n, 3);
	assert_int_equal(b->w.device[0].host.addr.bus, 3);
	assert_int_equal(b->w.device[2].host.addr.bus, 5);
	shows(b, "DEVICE,VECTORS,COUNT,DELTA,ACTIVE", 0, "04:00.0 5 151 1 1\n");
	snprintf(gone, sizeof(gone), "rm -r '%s/sys/bus/pci/devices/0000:05:00.0'", b->t.dir);
	assert_int_equal(system(gone), 0);
	look(b);
	assert_int_equal(b->w.n, 2);
	assert_int_equal(b->w.device[1].host.addr.bus, 4);
	shows(b, "DEVICE,VECTORS,COUNT,DELTA,ACTIVE", 0, "04:00.0 5 151 0 0\n");
	for (unsigned int irq = 41; irq <= 45; irq++)
		file(b, irq, "per_cpu_count", "0\n");
	watch_forget(&b->w);
	b->w = (struct watch){ .storm = 1e12, .every = true };
	look(b);
	shows(b, "DEVICE", 0, "1 silent: 04:00.0\n");
}

/* All that came in the time between two looks, per second, on the first line. */
static void tells_rate(void **state)
{
	struct bench *b = *state;
	struct samples *s;

	look(b);
	counts(b, 4, 41, "37\n");
	counts(b, 0, 45, "13\n");
	look(b);
	s = &b->w.device[0].samples;
	s->before_us = 1000000000;
	s->at_us = 1004000000;
	page(b, NULL, 0);
	assert_non_null(strstr(b->text, "04:00.0  5 vectors, 2 active  2.5/s\n"));
}

static bool heading(struct bench *b, const char *want)
{
	const struct out_options opt = { 0 };
	char plain[256] = "", *line;

	fflush(b->data);
	rewind(b->data);
	out_set_options(b->s.out, &opt);
	assert_int_equal(watch_tell(b->s.out, &b->w, 0), 0);
	out_end(b->s.out);
	fflush(b->data);
	b->text[b->size] = '\0';
	line = strchr(b->text, '\n') + 1;
	for (size_t n = 0; *line != '\n'; line++)
		if (*line != ' ' || plain[n - 1] != ' ')
			plain[n++] = *line;
	if (strcmp(plain, want) != 0)
		print_error("heading: \"%s\"\n", plain);
	return !strcmp(plain, want);
}

/* Of one function, of several, of all: what is the same in each row has no column. */
static void has_columns(void **state)
{
	struct bench *b = *state;

	look(b);
	assert_true(heading(b, "INDEX VECTOR COUNT DELTA RATE IDLE TREND MARK IRQ CPUS CPU"));
	tree_text(&b->t, "sys/bus/pci/devices/0000:05:00.0/vendor", "0x1b36\n");
	assert_int_equal(watch_add(&b->w, &(struct pci_addr){ .bus = 5 }, NULL), 0);
	look(b);
	assert_true(
		heading(b, "DEVICE INDEX VECTOR COUNT DELTA RATE IDLE TREND MARK IRQ CPUS CPU"));
	watch_forget(&b->w);
	b->w.every = true;
	look(b);
	assert_true(heading(b, "DEVICE DRIVER VECTORS ACTIVE COUNT DELTA RATE IDLE TREND MARK"));
	/* and of the eventfds of a session */
	anew(b);
	look(b);
	b->w.device[0].held = strdup("04:00.0");
	assert_true(heading(b, "INDEX VECTOR COUNT DELTA RATE IDLE TREND MARK COALESCED IRQ CPU"));
}

/* VECTORS that the function cannot have. */
static void has_no_such_vector(void **state)
{
	static const uint8_t plain[256] = { 0x36, 0x1b, 0x10, 0x00 };
	char *none[] = { "watch", "04:00.0", "0", "-n", "1", NULL };
	struct bench *b = *state;
	struct args args;

	tree_bytes(&b->t, NVME "/config", plain, sizeof(plain));
	assert_int_equal(command_parse(&cmd_watch, 5, none, false, &b->s.globals, &args, &b->e), 0);
	assert_true(cmd_watch.run(&b->s, &args, &b->e) < 0);
	assert_string_equal(b->e.message, "the device has no interrupt vectors");
	assert_int_equal(b->e.cause, CAUSE_USAGE);
	loop_free(b->s.loop);
	b->s.loop = NULL;
}

/* What watch prints of two looks, between which vector 4 counted seven times. */
static const char *two_looks(struct bench *b, int argc, char **argv)
{
	struct args args;
	uint64_t due;
	int rc;

	counts(b, 4, 41, "30\n");
	assert_int_equal(command_parse(&cmd_watch, argc, argv, false, &b->s.globals, &args, &b->e),
			 0);
	assert_int_equal(cmd_watch.run(&b->s, &args, &b->e), 0);
	assert_int_equal(session_step(&b->s, &due, &b->e), 1);
	counts(b, 4, 41, "37\n");
	fflush(b->data);
	rewind(b->data);
	do {
		assert_true(loop_wait(b->s.loop, due) >= 0);
		rc = session_step(&b->s, &due, &b->e);
	} while (rc > 0);
	assert_int_equal(rc, 0);
	out_end(b->s.out);
	fflush(b->data);
	b->text[b->size] = '\0';
	loop_free(b->s.loop);
	b->s.loop = NULL;
	return b->text;
}

/* A rate above the limit is a storm; without the option that is a hundred thousand a second. */
static void marks_storms(void **state)
{
	char *plain[] = { "watch", "04:00.0", "-n", "2", "-d", "100ms", NULL };
	char *low[] = { "watch", "04:00.0", "-n", "2", "-d", "100ms", "--storm", "1", NULL };
	char *high[] = { "watch", "04:00.0", "-n", "2", "-d", "100ms", "--storm", "1000", NULL };
	struct bench *b = *state;

	assert_null(strstr(two_looks(b, 6, plain), "storm"));
	assert_non_null(strstr(two_looks(b, 8, low), "storm"));
	assert_null(strstr(two_looks(b, 8, high), "storm"));
}

/* A limit that leaves no descriptor, for the time of @command. */
#define WITHOUT_DESCRIPTORS(command)                                     \
	do {                                                             \
		struct rlimit before_, none_;                            \
		int next_ = dup(0);                                      \
                                                                         \
		close(next_);                                            \
		assert_int_equal(getrlimit(RLIMIT_NOFILE, &before_), 0); \
		none_ = before_;                                         \
		none_.rlim_cur = (rlim_t)next_;                          \
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &none_), 0);   \
		command;                                                 \
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before_), 0); \
	} while (0)

static void nothing_to_watch_with(void **state)
{
	char *argv[] = { "watch", "04:00.0", "-n", "1", NULL };
	struct bench *b = *state;
	struct args args;
	int rc = 0;

	assert_int_equal(command_parse(&cmd_watch, 4, argv, false, &b->s.globals, &args, &b->e), 0);
	WITHOUT_DESCRIPTORS(rc = cmd_watch.run(&b->s, &args, &b->e));
	assert_true(rc < 0);
	assert_int_equal(b->e.err, EMFILE);
	assert_null(b->s.job.step);
	assert_null(b->s.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sorts, setup, teardown),
		cmocka_unit_test_setup_teardown(fits, setup, teardown),
		cmocka_unit_test_setup_teardown(folds, setup, teardown),
		cmocka_unit_test_setup_teardown(armed_only, setup, teardown),
		cmocka_unit_test_setup_teardown(one_vector_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(one_number_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(goes, setup, teardown),
		cmocka_unit_test_setup_teardown(held_by_whom, setup, teardown),
		cmocka_unit_test_setup_teardown(every_function, setup, teardown),
		cmocka_unit_test_setup_teardown(has_columns, setup, teardown),
		cmocka_unit_test_setup_teardown(has_no_such_vector, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_rate, setup, teardown),
		cmocka_unit_test_setup_teardown(marks_storms, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_to_watch_with, setup, teardown),
	};

	return cmocka_run_group_tests_name("cmd-watch", tests, NULL, NULL);
}
