// SPDX-License-Identifier: GPL-2.0-or-later
/* What wait tells as a document, when it looks again, and what it makes of what it cannot look at. */
#include "device-model.h"
#include "wait-bench.h"

/* What was seen is in the document: of lost events there is no number. */
static void results_as_objects(void **state)
{
	struct machine *m = *state;
	const struct out_options json = { .json = true };

	out_set_options(m->s.out, &json);
	function_here(m);
	assert_int_equal(typed(m, "wait 04:00.0 --event bind"), 0);
	HEAR("bind@" FUNCTION "\0ACTION=bind\0DEVPATH=" FUNCTION
	     "\0SUBSYSTEM=pci\0DRIVER=vfio-pci\0"
	     "PCI_SLOT_NAME=0000:04:00.0\0SEQNUM=814");
	/* what comes behind it is another event */
	HEAR("bind@" FUNCTION "\0ACTION=bind\0DEVPATH=" FUNCTION "\0SUBSYSTEM=pci\0DRIVER=nvme\0"
	     "PCI_SLOT_NAME=0000:04:00.0\0SEQNUM=815");
	assert_int_equal(step(m), 0);
	says(m, "\"event\":\"bind\",\"driver\":\"vfio-pci\",\"seqnum\":814,\"us\":");
	queued = told = 0;
	assert_int_equal(typed(m, "wait 04:00.0 --event bind"), 0);
	driver(m, "nvme");
	hear(NULL, 0, -NLE_NOMEM);
	assert_int_equal(step(m), 0);
	says(m, "\"event\":\"bind\",\"driver\":\"nvme\",\"seqnum\":null,\"us\":");
	counting_function(m);
	counts(m, "1,1\n", "1,1\n");
	assert_int_equal(typed(m, "wait 04:00.0 msix 0-1 --at-least 2 --timeout 0"), 0);
	counts(m, "3,1\n", "2,1\n");
	assert_true(step(m) < 0);
	refused(m, CAUSE_EXPECTATION, "msix 1 did not count 2 within 0 s");
	says(m,
	     "{\"command\":\"wait\",\"index\":\"msix\",\"vectors\":[0,1],\"missing\":[1],\"at_least\":2,\"us\":");
	/* nothing is waited for */
	assert_int_equal(typed(m, "wait 04:00.0 msix 0 --at-least 0 --timeout 0"), 0);
	assert_int_equal(step(m), 0);
	says(m, "\"vectors\":[0],\"missing\":[],\"at_least\":0,\"us\":");
}

/* It looks again soon, and at the end of the time; ten seconds unless another time was given. */
static void looks_in_time(void **state)
{
	struct machine *m = *state;
	uint64_t begin = now_us();

	counting_function(m);
	counts(m, "1\n", "1\n");
	assert_int_equal(typed(m, "wait 04:00.0 msix 0"), 0);
	assert_int_equal(step(m), 1);
	assert_in_range(m->due, begin + 50000, now_us() + 50000);
	begin = now_us();
	assert_int_equal(typed(m, "wait 04:00.0 msix 0 --timeout 49ms"), 0);
	if (step(m) == 1)
		assert_in_range(m->due, begin + 49000, now_us() + 49000);
	begin = now_us();
	assert_int_equal(typed(m, "wait 04:00.0 --event add"), 0);
	assert_int_equal(step(m), 1);
	assert_in_range(m->due, begin + 10000000, now_us() + 10000000);
}

/* Vectors of the other index are others, though they have the same number; so is an IRQ without a number. */
static void other_vectors(void **state)
{
	struct machine *m = *state;

	counting_function(m);
	counts(m, "1\n", "1\n");
	tree_text(&m->tree, DEV "/msi_irqs/42", "msi\n");
	tree_text(&m->tree, "sys/kernel/irq/42/actions", "vfio-msi[1](0000:04:00.0)\n");
	tree_text(&m->tree, "sys/kernel/irq/42/chip_name", "IR-PCI-MSI\n");
	tree_text(&m->tree, "sys/kernel/irq/42/hwirq", "1\n");
	tree_text(&m->tree, "sys/kernel/irq/42/per_cpu_count", "1\n");
	assert_int_equal(typed(m, "wait 04:00.0 msix 1 --timeout 60m"), 0);
	tree_text(&m->tree, "sys/kernel/irq/42/per_cpu_count", "9\n");
	assert_int_equal(step(m), 1);
	counts(m, "9\n", "1\n");
	assert_int_equal(step(m), 1);
	counts(m, "9\n", "2\n");
	assert_int_equal(step(m), 0);
}

/* Capabilities that lead nowhere say nothing of what the function has: it is waited for. */
static void odd_function(void **state)
{
	struct machine *m = *state;
	uint8_t config[256] = { 0x36, 0x1b,	     0x10,	    0x00,	   0x06,
				0x04, [0x06] = 0x10, [0x34] = 0x40, [0x40] = 0x09, 0x40 };

	counting_function(m);
	counts(m, "1\n", "1\n");
	tree_bytes(&m->tree, DEV "/config", config, sizeof(config));
	assert_int_equal(typed(m, "wait 04:00.0 msix 9"), 0);
	assert_int_equal(step(m), 1);
}

/* What could not be looked at is told, wherever it was: nothing is taken to be absent. */
static void cannot_look(void **state)
{
	static const char *const lines[] = { "wait 04:00.0 msix 0", "wait 04:00.0 --event add" };
	struct machine *m = *state;
	struct rlimit before;

	counting_function(m);
	counts(m, "1\n", "1\n");
	/* the loop is there */
	assert_int_equal(typed(m, lines[0]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		for (unsigned int spare = 0; spare < 4; spare++) {
			int rc;

			m->s.misses = root_misses(&m->s.root);
			before = tree_exhaust(spare);
			rc = typed(m, lines[i]);
			tree_plenty(&before);
			if (!rc)
				continue;
			assert_int_equal(rc, -EMFILE);
			assert_int_equal(m->e.err, EMFILE);
			assert_null(m->s.job.step);
		}
	}
	assert_int_equal(typed(m, lines[0]), 0);
	before = tree_exhaust(0);
	assert_int_equal(session_step(&m->s, &m->due, &m->e), -EMFILE);
	tree_plenty(&before);
	refused(m, CAUSE_FAILED, "the host's IRQs can't be read");
	/* the time is up, and how it is now is not known */
	assert_int_equal(typed(m, "wait 04:00.0 --event remove --timeout 0"), 0);
	before = tree_exhaust(0);
	assert_true(session_step(&m->s, &m->due, &m->e) < 0);
	tree_plenty(&before);
	refused(m, CAUSE_EXPECTATION, "; how it is cannot be read");
	/* nor is it when events were lost */
	assert_int_equal(typed(m, "wait 04:00.0 --event remove"), 0);
	hear(NULL, 0, -NLE_NOMEM);
	assert_true(loop_wait(m->s.loop, 0) >= 0);
	before = tree_exhaust(0);
	assert_int_equal(session_step(&m->s, &m->due, &m->e), -EMFILE);
	tree_plenty(&before);
	assert_int_equal(m->e.err, EMFILE);
}

/* In a session the eventfds of its device count: of those that are armed, or those that were named. */
static void own_vectors(void **state)
{
	static const unsigned int count[NR_IRQ_INDEX] = { [IRQ_MSIX] = 8 };
	const struct out_options json = { .json = true };
	struct machine *m = *state;
	struct device d = { .spec = "sim:x", .handle = &d };
	struct vector v[] = { { .number = 1, .armed = true },
			      { .number = 2, .armed = true, .count = 5 } };
	struct vector *slots[8] = { [1] = &v[0], [2] = &v[1] };

	model_indexes(&d, count, IRQ_EVENTFD);
	d.irq[IRQ_MSIX].vector = slots;
	m->s.device = &d;
	m->s.inside = true;
	assert_int_equal(typed(m, "wait msix armed --at-least 2 --timeout 60m"), 0);
	assert_int_equal(step(m), 1);
	/* an eventfd wakes: nobody has to look again before the end */
	assert_true(m->due > now_us() + 3000000000);
	v[0].count = 1;
	assert_int_equal(step(m), 1);
	v[0].count = 2;
	assert_int_equal(step(m), 0);
	says(m, "msix: 1-2 counted at least 2");
	assert_true(typed(m, "wait msix 8") < 0);
	assert_int_equal(m->e.cause, CAUSE_USAGE);
	/* a dry run has counted nothing, and waits for nothing */
	out_set_options(m->s.out, &json);
	m->s.trace.dry_run = true;
	assert_int_equal(typed(m, "wait msix 1-2 --at-least 100"), 0);
	assert_null(m->s.job.step);
	says(m, "{\"dry_run\":true,\"command\":\"wait\",\"index\":\"msix\",\"vectors\":[1,2]}");
	says(m, "a dry run waits for nothing");
	m->s.trace.dry_run = false;
	/* a device that has gone ends it */
	assert_int_equal(typed(m, "wait msix 1 --at-least 100"), 0);
	d.handle = NULL;
	d.gone = "it went";
	assert_true(step(m) < 0);
	m->s.device = NULL;
}

/* One thing is waited for at a time, and has to be named. */
static void wrong_words(void **state)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
		{ "wait 04:00.0 msix --event add", "are waited for one at a time" },
		{ "wait 04:00.0 msix 0 --event add", "are waited for one at a time" },
		{ "wait 04:00.0 --at-least 1 --event add", "are waited for one at a time" },
		{ "wait 04:00.0 msix", "VECTORS is missing" },
		{ "wait 04:00.0", "what to wait for is missing: INDEX VECTORS, or --event" },
	};
	struct machine *m = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(typed(m, cases[i].line) < 0);
		refused(m, CAUSE_USAGE, cases[i].says);
		assert_non_null(strstr(m->e.hint, "usage: msictl wait "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(results_as_objects, setup, teardown),
		cmocka_unit_test_setup_teardown(looks_in_time, setup, teardown),
		cmocka_unit_test_setup_teardown(other_vectors, setup, teardown),
		cmocka_unit_test_setup_teardown(odd_function, setup, teardown),
		cmocka_unit_test_setup_teardown(cannot_look, setup, teardown),
		cmocka_unit_test_setup_teardown(own_vectors, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_words, setup, teardown),
	};

	return cmocka_run_group_tests_name("cmd-wait-told", tests, NULL, NULL);
}
