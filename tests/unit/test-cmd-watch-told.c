// SPDX-License-Identifier: GPL-2.0-or-later
/* What watch tells beside its rows: the page of counters, and whose devices may bypass the host. */
#include <errno.h>

#include "cmd/vectors.h"
#include "tree.h"
#include "base/util.h"
#include "watch-model.h"

struct bench {
	struct tree t;
	struct session s;
	struct sampled v[4];
	struct host_irq irq[2];
	struct watched d[5];
	struct watch w;
	struct error e;
};

static int setup(void **state)
{
	static const char *const name[] = { "a", "b", "c", "d", "e" };
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	tree_new(&b->t);
	b->s.root = b->t.root;
	tree_folder(&b->t, "proc/");
	for (unsigned int i = 0; i < ARRAY_SIZE(b->d); i++) {
		b->d[i] = model_device(name[i], NULL, 0);
		b->d[i].group = (int)i;
		copy_text(b->d[i].driver, sizeof(b->d[i].driver), "vfio-pci");
	}
	for (unsigned int i = 0; i < 2; i++)
		b->irq[i] = (struct host_irq){ .irq = 40 + i,
					       .index = IRQ_MSIX,
					       .vector = (int)i,
					       .armed = true,
					       .counted = true,
					       .counted_by = HOST_IRQ_PROC,
					       .cpus_missing = 3 };
	b->w = (struct watch){ .device = b->d, .n = 1, .storm = 1e9 };
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	tree_free(&b->t);
	free(b);
	return 0;
}

#define TOTAL "msictl_interrupts_total"

/* Vectors of this sample with the IRQs that they have now; behind them all, whose counters may be bypassed or short. */
static void writes_metrics(void **state)
{
	static const struct device own;
	struct bench *b = *state;
	char path[PATH_MAX], text[4096], held[] = "sim";

	b->v[0] = model_vector(0, 99, 500, 1);
	b->v[1] = model_vector(1, 41, 7, 1);
	b->v[2] = model_vector(5, 45, 9, 1);
	b->v[2].now.has_irq = false;
	b->v[3] = b->v[2];
	b->v[0].now.has_irq = false;
	b->d[0].samples = (struct samples){ .v = b->v, .n = 3 };
	b->d[0].host.irqs = (struct host_irqs){ .irq = b->irq, .n = 2 };
	b->d[0].posted.possible = true;
	b->d[2].own = &own;
	b->d[2].samples = (struct samples){ .v = b->v + 3, .n = 1 };
	b->d[2].host.irqs = b->d[0].host.irqs;
	b->d[3].held = held;
	b->d[3].samples = b->d[2].samples;
	b->d[4].samples = (struct samples){ .v = b->v + 2, .n = 1 };
	b->w.n = 5;
	b->w.metrics = tree_path(&b->t, "page.prom", path);
	assert_int_equal(watch_write_metrics(&b->w, &b->e), 0);
	assert_true(root_text(&b->t.root, text, sizeof(text), "page.prom") > 0);
	assert_string_equal(
		strstr(text, TOTAL "{"), TOTAL
		"{device=\"a\",source=\"host\",index=\"msix\",vector=\"0\",irq=\"40\"} 500\n" TOTAL
		"{device=\"a\",source=\"host\",index=\"msix\",vector=\"1\",irq=\"41\"} 7\n" TOTAL
		"{device=\"a\",source=\"host\",index=\"msix\",vector=\"5\"} 9\n" TOTAL
		"{device=\"c\",source=\"eventfd\",index=\"msix\",vector=\"5\"} 9\n" TOTAL
		"{device=\"d\",source=\"eventfd\",index=\"msix\",vector=\"5\"} 9\n" TOTAL
		"{device=\"e\",source=\"host\",index=\"msix\",vector=\"5\"} 9\n"
		"# HELP msictl_posted_possible 1: held by another program, whose interrupts may be posted to "
		"a VM past the host's counters.\n"
		"# TYPE msictl_posted_possible gauge\n"
		"msictl_posted_possible{device=\"a\"} 1\n"
		"msictl_posted_possible{device=\"e\"} 0\n"
		"# HELP msictl_cpus_missing CPUs that have no column in /proc/interrupts, so that the counters "
		"of the device leave out what they counted before.\n"
		"# TYPE msictl_cpus_missing gauge\n"
		"msictl_cpus_missing{device=\"a\"} 3");
	/* one that is not in this sample has no line */
	b->v[1].present = false;
	assert_int_equal(watch_write_metrics(&b->w, &b->e), 0);
	root_text(&b->t.root, text, sizeof(text), "page.prom");
	assert_null(strstr(text, "vector=\"1\""));
	b->w.metrics = "/nowhere/at/all.prom";
	assert_int_equal(watch_write_metrics(&b->w, &b->e), -ENOENT);
	assert_non_null(strstr(b->e.message, "/nowhere/at/all.prom"));
}

static void held_by(struct watched *d, int pid)
{
	d->posted = (struct posted){ .possible = true, .by = { .pid = pid, .comm = "qemu" } };
}

/* A look that finds the processes as they were: what was known stays. */
static const char *note(struct bench *b, uint64_t now)
{
	assert_int_equal(watch_look_posted(&b->s, &b->w, now, &b->e), 0);
	return b->w.note;
}

#define NOW 100000000

/* As if all were asked just now. */
static void asked(struct bench *b)
{
	b->w.posted_us = NOW;
	for (size_t i = 0; i < b->w.n; i++)
		b->d[i].asked = true;
}

/* Three are named, the others counted; and that counters leave CPUs out is said of one. */
static void notes(void **state)
{
	static const char *const want[] = {
		"",
		"a is held by qemu (PID 1): " POSTED_MEANS,
		"a is held by qemu (PID 1), b by qemu (PID 2): " POSTED_MEANS,
		"a is held by qemu (PID 1), b by qemu (PID 2), c by qemu (PID 3): " POSTED_MEANS,
		"a is held by qemu (PID 1), b by qemu (PID 2), c by qemu (PID 3), 1 more by others: " POSTED_MEANS,
		"a is held by qemu (PID 1), b by qemu (PID 2), c by qemu (PID 3), 2 more by others: " POSTED_MEANS,
	};
	static const struct device own;
	struct bench *b = *state;
	char partial[256];

	b->w.n = 5;
	asked(b);
	for (int i = 0; i < 6; i++) {
		if (i)
			held_by(&b->d[i - 1], i);
		assert_string_equal(note(b, NOW), want[i]);
	}
	for (int i = 0; i < 5; i++)
		b->d[i].posted.possible = i == 1;
	for (int i = 2; i < 5; i++)
		b->d[i].host.irqs = (struct host_irqs){ .irq = b->irq, .n = 2 };
	snprintf(partial, sizeof(partial), "; c: the counts of 2 Linux IRQs");
	assert_non_null(strstr(note(b, NOW), partial));
	assert_null(strstr(b->w.note, "; d:"));
	b->w.n = 1;
	b->d[0].host.irqs = b->d[2].host.irqs;
	assert_non_null(strstr(note(b, NOW), "a: the counts of 2 Linux IRQs"));
	b->d[0].host.irqs.n = 0;
	b->w.n = 5;
	/* not of eventfds */
	b->d[2].own = &own;
	b->d[2].asked = false;
	assert_non_null(strstr(note(b, NOW), "; d: the counts of 2 Linux IRQs"));
}

/* Who holds them is looked for after five seconds, and at once when something was done to such a device. */
static void asks_again(void **state)
{
	struct bench *b = *state;
	struct watched *d = &b->d[1];

	b->w.n = 3;
	for (int why = 0; why < 9; why++) {
		uint64_t now = NOW + HOST_EVERY_US - 1;
		bool again = why != 0 && why != 7;

		for (int i = 0; i < 3; i++) {
			b->d[i].here = true;
			b->d[i].group = i;
			b->d[i].host.changes = b->d[i].asked_at = 0;
			copy_text(b->d[i].driver, sizeof(b->d[i].driver), "vfio-pci");
		}
		asked(b);
		held_by(d, 7);
		if (why == 1)
			now++;
		else if (why == 2)
			d->here = false;
		else if (why == 3)
			d->group = -1;
		else if (why == 4)
			copy_text(d->driver, sizeof(d->driver), "nvme");
		else if (why == 5)
			d->host.changes = 1;
		else if (why == 6)
			d->asked = false;
		else if (why == 7)
			d->host.changes = d->asked_at = 4;
		else if (why == 8)
			b->w.posted_us = 0;
		note(b, now);
		if (d->posted.possible == again)
			fail_msg("case %d", why);
		assert_int_equal(b->w.posted_us, again ? now : NOW);
		/* and not once more without a reason */
		held_by(d, 7);
		note(b, now);
		assert_true(d->posted.possible);
	}
	/* of all functions only those are asked for that have a row */
	b->w.every = true;
	asked(b);
	held_by(d, 7);
	note(b, NOW);
	assert_false(d->posted.possible || d->asked);
	d->host.irqs = (struct host_irqs){ .irq = b->irq, .n = 2 };
	note(b, NOW);
	assert_true(d->asked);
}

/* Each is asked for by the group that it is in; of who is not asked for nothing is told. */
static void finds_holders(void **state)
{
	struct bench *b = *state;

	b->w.n = 3;
	b->d[0].group = 9;
	b->d[2].group = 10;
	copy_text(b->d[1].driver, sizeof(b->d[1].driver), "nvme");
	tree_link(&b->t, "proc/77/fd/3", "/dev/vfio/9");
	tree_text(&b->t, "proc/77/comm", "qemu\n");
	tree_link(&b->t, "proc/78/fd/3", "/dev/vfio/1");
	tree_text(&b->t, "proc/78/comm", "qemu\n");
	assert_string_equal(note(b, NOW), "a is held by qemu (PID 77): " POSTED_MEANS);
	assert_true(b->d[0].asked && !b->d[1].asked && b->d[2].asked);
	assert_int_equal(b->d[0].posted.by.pid, 77);
	assert_int_equal(b->d[2].posted.by.pid, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(writes_metrics, setup, teardown),
		cmocka_unit_test_setup_teardown(notes, setup, teardown),
		cmocka_unit_test_setup_teardown(asks_again, setup, teardown),
		cmocka_unit_test_setup_teardown(finds_holders, setup, teardown),
	};

	return cmocka_run_group_tests_name("cmd-watch-told", tests, NULL, NULL);
}
