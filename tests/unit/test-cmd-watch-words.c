// SPDX-License-Identifier: GPL-2.0-or-later
/* What is watched by the words of the command, how often, and on a terminal, whose keys sort the page. */
#include <errno.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>

#include "backends.h"
#include "cmd/all.h"
#include "device-model.h"
#include "tree.h"
#include "base/util.h"
#include "watch-model.h"

#define FUNCTION(slot) "sys/bus/pci/devices/0000:" slot ":00.0"

struct bench {
	struct tree t;
	struct session s;
	struct watch w;
	FILE *data;
	char *text;
	size_t size;
	struct error e;
};

static void counts(const struct bench *b, unsigned int v, const char *count)
{
	char path[96], text[64];

	snprintf(path, sizeof(path), FUNCTION("04") "/msi_irqs/%u", 45 - v);
	tree_text(&b->t, path, "msix\n");
	snprintf(path, sizeof(path), "sys/kernel/irq/%u/actions", 45 - v);
	snprintf(text, sizeof(text), "nvme[%u](0000:04:00.0)\n", v);
	tree_text(&b->t, path, text);
	snprintf(path, sizeof(path), "sys/kernel/irq/%u/chip_name", 45 - v);
	tree_text(&b->t, path, "IR-PCI-MSI\n");
	snprintf(path, sizeof(path), "sys/kernel/irq/%u/hwirq", 45 - v);
	snprintf(text, sizeof(text), "%u\n", v);
	tree_text(&b->t, path, text);
	snprintf(path, sizeof(path), "sys/kernel/irq/%u/per_cpu_count", 45 - v);
	tree_text(&b->t, path, count);
}

/* 03:00.0 has an MSI-X table of two vectors, 04:00.0 one of five that count, of 06:00.0 no more is known. */
static int setup(void **state)
{
	uint8_t config[256] = { 0x36, 0x1b,	     0x10,	    0x00,	  0x06,
				0x04, [0x06] = 0x10, [0x34] = 0x40, [0x40] = 0x11 };
	static const char *const count[] = { "10\n", "50\n", "20\n", "40\n", "30\n" };
	struct bench *b = calloc(1, sizeof(*b));
	const struct out_options opt = { .noheadings = true, .columns = "VECTOR" };

	assert_non_null(b);
	tree_new(&b->t);
	b->s.backends = backends;
	b->s.root = b->t.root;
	b->data = open_memstream(&b->text, &b->size);
	assert_int_equal(out_new(&b->s.out, &opt), 0);
	out_set_streams(b->s.out, b->data, b->data);
	tree_text(&b->t, "sys/devices/system/cpu/online", "0\n");
	tree_text(&b->t, "sys/devices/system/cpu/possible", "0\n");
	tree_folder(&b->t, "proc/");
	config[0x42] = 1;
	tree_bytes(&b->t, FUNCTION("03") "/config", config, sizeof(config));
	config[0x42] = 4;
	tree_bytes(&b->t, FUNCTION("04") "/config", config, sizeof(config));
	tree_text(&b->t, FUNCTION("06") "/vendor", "0x1b36\n");
	for (unsigned int v = 0; v < ARRAY_SIZE(count); v++)
		counts(b, v, count[v]);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	session_unstay(&b->s);
	watch_forget(&b->w);
	loop_free(b->s.loop);
	out_free(b->s.out);
	fclose(b->data);
	free(b->text);
	tree_free(&b->t);
	free(b);
	return 0;
}

static char words[256];

static void parse(struct bench *b, const char *line, struct args *a)
{
	static char *argv[16]; /* what does not fit a parameter stays there */
	char *next;
	int n;

	b->e = (struct error){ 0 };
	copy_text(words, sizeof(words), line);
	n = line_split(words, argv, ARRAY_SIZE(argv) - 1, &next, &b->e);
	assert_true(n > 0);
	argv[n] = NULL;
	assert_int_equal(command_parse(&cmd_watch, n, argv, b->s.device, &b->s.globals, a, &b->e),
			 0);
}

static int chooses(struct bench *b, const char *line)
{
	struct args a;

	watch_forget(&b->w);
	b->w = (struct watch){ 0 };
	parse(b, line, &a);
	return watch_choose(&b->s, &b->w, &a, &b->e);
}

static void refuses(struct bench *b, const char *line, enum cause cause, const char *says,
		    const char *hint)
{
	assert_true(chooses(b, line) < 0);
	if (!strstr(b->e.message, says) || b->e.cause != cause || strcmp(b->e.hint, hint) != 0)
		fail_msg("%s: %d %s (%s)", line, b->e.cause, b->e.message, b->e.hint);
}

/* Words name functions, the last of them may be VECTORS; without a function all are meant. */
static void chooses_functions(void **state)
{
	struct bench *b = *state;

	assert_int_equal(chooses(b, "watch"), 0);
	assert_true(b->w.every && !b->w.n && !b->w.vectors.given);
	assert_int_equal(chooses(b, "watch 04:00.0"), 0);
	assert_true(!b->w.every && b->w.n == 1 && !b->w.vectors.given);
	assert_string_equal(b->w.device[0].full, "0000:04:00.0");
	assert_string_equal(b->w.device[0].name, "04:00.0");
	assert_true(b->w.device[0].addressed && b->w.device[0].here && b->w.device[0].group == -1);
	assert_int_equal(b->w.device[0].host.addr.bus, 4);
	assert_int_equal(chooses(b, "watch 04:00.0 03:00.0 0000:04:00.0"), 0);
	assert_int_equal(b->w.n, 2);
	assert_string_equal(b->w.device[1].name, "03:00.0");
	assert_int_equal(chooses(b, "watch 04:00.0 03:00.0 1,3-4"), 0);
	assert_int_equal(b->w.n, 2);
	assert_true(b->w.vectors.given && b->w.vectors.word == VECTORS_LISTED);
	assert_int_equal(vector_set_count(&b->w.vectors.vectors), 3);
	assert_int_equal(chooses(b, "watch armed"), 0);
	assert_true(b->w.every && !b->w.n && b->w.vectors.given &&
		    b->w.vectors.word == VECTORS_ARMED);
	/* of several devices one that has them is enough; and what is not known is not refused */
	assert_int_equal(chooses(b, "watch 04:00.0 4"), 0);
	assert_int_equal(chooses(b, "watch 03:00.0 04:00.0 4"), 0);
	assert_int_equal(chooses(b, "watch 06:00.0 2000"), 0);
	assert_int_equal(chooses(b, "watch 03:00.0 06:00.0 2000"), 0);
	refuses(b, "watch 04:00.0 5", CAUSE_USAGE, "the device has", "");
	refuses(b, "watch 03:00.0 04:00.0 5", CAUSE_USAGE, "the devices have", "");
	refuses(b, "watch 05:00.0", CAUSE_NO_DEVICE, "there is no PCI function 0000:05:00.0",
		"msictl list");
	refuses(b, "watch 04:00.0 05:00.0", CAUSE_NO_DEVICE,
		"there is no PCI function 0000:05:00.0", "msictl list");
	refuses(b, "watch sim:msix=4", CAUSE_USAGE,
		"only a PCI function of this host is counted by Linux",
		"msictl run sim:msix=4 -c 'enable msix 1; watch'");
}

static int runs(struct bench *b, const char *line)
{
	struct args a;

	session_unstay(&b->s);
	parse(b, line, &a);
	return cmd_watch.run(&b->s, &a, &b->e);
}

/* In a session and at a holder it is the one device that there is. */
static void chooses_own(void **state)
{
	static const unsigned int count[NR_IRQ_INDEX] = {
		[IRQ_MSI] = 4, [IRQ_MSIX] = 8, [IRQ_ERR] = 1
	};
	struct bench *b = *state;
	struct device d = { .spec = "sim:x", .handle = &d };
	struct vector v[] = { { .number = 2, .armed = true, .count = 7, .wakeups = 5 },
			      { .number = 4, .armed = false, .count = 1, .wakeups = 1 } };
	struct vector *slots[8] = { [2] = &v[0], [4] = &v[1] },
		      *err[1] = { &(struct vector){ .armed = true } };

	b->s.attached = "sim:a";
	assert_int_equal(chooses(b, "watch sim:a"), 0);
	assert_string_equal(b->w.device[0].held, "sim:a");
	assert_string_equal(b->w.device[0].name, "sim:a");
	assert_false(b->w.device[0].addressed);
	b->s.attached = "0000:04:00.0";
	assert_int_equal(chooses(b, "watch 04:00.0"), 0);
	assert_string_equal(b->w.device[0].held, "0000:04:00.0");
	assert_string_equal(b->w.device[0].name, "04:00.0");
	assert_true(b->w.device[0].addressed);
	b->s.attached = NULL;
	model_indexes(&d, count, IRQ_EVENTFD);
	d.irq[IRQ_MSIX].vector = slots;
	d.irq[IRQ_ERR].vector = err;
	b->s.device = &d;
	assert_int_equal(chooses(b, "watch"), 0);
	assert_true(b->w.n == 1 && !b->w.every && !b->w.device[0].addressed &&
		    b->w.device[0].own == &d);
	assert_string_equal(b->w.device[0].full, "sim:x");
	/* what was armed or counted has a row; ERR when it counted */
	assert_int_equal(watch_look(&b->s, &b->w, &b->e), 0);
	assert_int_equal(b->w.device[0].samples.n, 2);
	for (int i = 0; i < 2; i++) {
		const struct reading *r = &b->w.device[0].samples.v[i].now;

		assert_true(r->counted && r->index == IRQ_MSIX && r->vector == (i ? 4 : 2));
		assert_true(r->count == v[i].count && r->wakeups == v[i].wakeups);
	}
	assert_int_equal(chooses(b, "watch 7"), 0);
	refuses(b, "watch 8", CAUSE_USAGE, "the device has", "");
	d.has_addr = true;
	d.addr.bus = 4;
	assert_int_equal(chooses(b, "watch"), 0);
	assert_string_equal(b->w.device[0].full, "0000:04:00.0");
	assert_int_equal(runs(b, "watch -n 3 --batch"), 0);
	assert_int_equal(session_step(&b->s, &(uint64_t){ 0 }, &b->e), 1);
	d.handle = NULL;
	d.gone = "it went";
	assert_true(chooses(b, "watch") < 0);
	assert_true(session_step(&b->s, &(uint64_t){ 0 }, &b->e) < 0);
	b->s.device = NULL;
}

/* Options and their limits: what cannot be is refused before anything is looked at. */
static void takes_options(void **state)
{
	struct bench *b = *state;
	uint64_t due, begin;
	char line[256];

	assert_true(runs(b, "watch 04:00.0 --delay 99ms") < 0);
	assert_string_equal(b->e.message, "--delay: 0.1 s (100ms) is the least");
	assert_true(runs(b, "watch 04:00.0 --iterations 0") < 0);
	assert_string_equal(b->e.message, "--iterations: at least 1");
	assert_true(runs(b, "watch 04:00.0 --openmetrics -") < 0);
	assert_int_equal(b->e.cause, CAUSE_USAGE);
	assert_string_equal(b->e.hint, "msictl counters --openmetrics   prints the page");
	assert_null(b->s.job.step);
	begin = now_us();
	assert_int_equal(runs(b, "watch 04:00.0 --delay 100ms"), 0);
	assert_true(b->s.job.open_ended);
	assert_int_equal(session_step(&b->s, &due, &b->e), 1);
	assert_in_range(due, begin + 100000, now_us() + 100000);
	/* before its time nothing is printed anew */
	fflush(b->data);
	rewind(b->data);
	fputs("#", b->data);
	assert_int_equal(session_step(&b->s, &due, &b->e), 1);
	fflush(b->data);
	assert_int_equal(b->size, 1);
	begin = now_us();
	snprintf(line, sizeof(line), "watch 04:00.0 -n 2 --openmetrics %s/page.prom", b->t.dir);
	assert_int_equal(runs(b, line), 0);
	assert_false(b->s.job.open_ended);
	assert_int_equal(session_step(&b->s, &due, &b->e), 1);
	assert_in_range(due, begin + 1000000, now_us() + 1000000);
	assert_true(root_exists(&b->t.root, "page.prom"));
	assert_int_equal(runs(b, "watch 04:00.0 -n 1"), 0);
	assert_int_equal(session_step(&b->s, &due, &b->e), 0);
	assert_null(b->s.job.step);
	/* a page that can't be written ends it */
	assert_int_equal(runs(b, "watch 04:00.0 --openmetrics /nowhere/page.prom"), 0);
	assert_int_equal(session_step(&b->s, &due, &b->e), -ENOENT);
}

/* The last function that goes leaves nothing to watch; one that can't be looked at this time is there, and is told. */
static void functions_go(void **state)
{
	struct bench *b = *state;
	struct rlimit before;
	char command[128];

	assert_int_equal(chooses(b, "watch"), 0);
	assert_int_equal(watch_look(&b->s, &b->w, &b->e), 0);
	assert_int_equal(b->w.n, 3);
	before = tree_exhaust(0);
	assert_int_equal(watch_look(&b->s, &b->w, &b->e), -EMFILE);
	tree_plenty(&before);
	assert_int_equal(b->w.n, 3);
	snprintf(command, sizeof(command), "rm -r '%s/sys/bus/pci/devices/'*", b->t.dir);
	assert_int_equal(chooses(b, "watch 04:00.0"), 0);
	assert_int_equal(watch_look(&b->s, &b->w, &b->e), 0);
	assert_int_equal(b->w.device[0].unread, 0);
	before = tree_exhaust(0);
	assert_int_equal(watch_look(&b->s, &b->w, &b->e), 0);
	tree_plenty(&before);
	assert_int_equal(b->w.device[0].unread, EMFILE);
	assert_true(b->w.device[0].here && b->w.device[0].samples.blind);
	assert_int_equal(watch_look(&b->s, &b->w, &b->e), 0);
	assert_int_equal(b->w.device[0].unread, 0);
	assert_int_equal(chooses(b, "watch"), 0);
	assert_int_equal(watch_look(&b->s, &b->w, &b->e), 0);
	assert_int_equal(system(command), 0);
	assert_int_equal(watch_look(&b->s, &b->w, &b->e), 0);
	assert_int_equal(b->w.n, 0);
}

/* What the terminal has got, without escape sequences, behind the first line. */
static const char *painted(int master)
{
	static char plain[8192];
	char got[16384];
	size_t to = 0, size = 0;
	char *line;
	ssize_t n;

	while ((n = read(master, got + size, sizeof(got) - 1 - size)) > 0)
		size += (size_t)n;
	got[size] = '\0';
	for (const char *p = got; *p; p++) {
		if (*p == '\033') {
			while (*p && !(*p >= 'A' && *p <= 'z' && *p != '['))
				p++;
			continue;
		}
		if (*p != '\r' && *p != ' ')
			plain[to++] = *p;
	}
	plain[to] = '\0';
	line = strchr(plain, '\n');
	return line ? line + 1 : "";
}

static void paints(struct bench *b, int master, const char *want)
{
	const char *got = painted(master);

	if (strcmp(got, want) != 0)
		fail_msg("\"%s\" instead of \"%s\"", got, want);
	(void)b;
}

static int key(struct bench *b, int master, const char *typed)
{
	uint64_t due;

	assert_int_equal(write(master, typed, 1), 1);
	assert_true(loop_wait(b->s.loop, UINT64_MAX) >= 0);
	return session_step(&b->s, &due, &b->e);
}

/* On a terminal of six lines three rows fit, the busiest ones, until a key says in which order they are wanted. */
static void keys_sort(void **state)
{
	struct bench *b = *state;
	struct winsize size = { .ws_row = 6, .ws_col = 80 };
	int master, slave, before = dup(STDIN_FILENO);
	uint64_t due;
	FILE *to;

	assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
	assert_int_equal(fcntl(master, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(master, F_SETFD, FD_CLOEXEC), 0);
	setenv("TERM", "xterm", 1);
	assert_int_equal(dup2(slave, STDIN_FILENO), STDIN_FILENO);
	to = fdopen(slave, "w");
	assert_non_null(to);
	out_set_streams(b->s.out, to, b->data);
	assert_int_equal(runs(b, "watch 04:00.0 --delay 60m"), 0);
	assert_int_equal(session_step(&b->s, &due, &b->e), 1);
	paints(b, master, "1\n3\n4\n2more,2ofthemquiet\n");
	assert_int_equal(key(b, master, "v"), 1);
	paints(b, master, "0\n1\n2\n2more,2ofthemquiet\n");
	assert_int_equal(key(b, master, "i"), 1);
	paints(b, master, "4\n3\n2\n2more,2ofthemquiet\n");
	assert_int_equal(key(b, master, "c"), 1);
	paints(b, master, "1\n3\n4\n2more,2ofthemquiet\n");
	assert_int_equal(key(b, master, "d"), 1);
	paints(b, master, "0\n1\n2\n2more,2ofthemquiet\n");
	assert_int_equal(key(b, master, "r"), 1);
	paints(b, master, "1\n3\n4\n2more,2ofthemquiet\n");
	/* another key does nothing */
	assert_int_equal(key(b, master, "x"), 1);
	paints(b, master, "");
	/* a terminal of another size is painted anew at once */
	size.ws_row = 5;
	assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
	raise(SIGWINCH);
	assert_true(loop_wait(b->s.loop, UINT64_MAX) >= 0);
	assert_int_equal(session_step(&b->s, &due, &b->e), 1);
	paints(b, master, "1\n3\n3more,3ofthemquiet\n");
	assert_int_equal(key(b, master, "q"), 0);
	assert_null(b->s.job.step);
	/* an order that was asked for in words is kept as well */
	painted(master);
	assert_int_equal(runs(b, "watch 04:00.0 --delay 60m --sort vector"), 0);
	assert_int_equal(session_step(&b->s, &due, &b->e), 1);
	paints(b, master, "0\n1\n3more,3ofthemquiet\n");
	session_unstay(&b->s);
	painted(master);
	/* nothing is painted of a batch */
	assert_int_equal(runs(b, "watch 04:00.0 --batch -n 1"), 0);
	assert_int_equal(session_step(&b->s, &due, &b->e), 0);
	paints(b, master, "0\n1\n2\n3\n4\n");
	out_set_streams(b->s.out, b->data, b->data);
	fclose(to);
	close(master);
	assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
	close(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(chooses_functions, setup, teardown),
		cmocka_unit_test_setup_teardown(chooses_own, setup, teardown),
		cmocka_unit_test_setup_teardown(takes_options, setup, teardown),
		cmocka_unit_test_setup_teardown(functions_go, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_sort, setup, teardown),
	};

	return cmocka_run_group_tests_name("cmd-watch-words", tests, NULL, NULL);
}
