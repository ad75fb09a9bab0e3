// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wait on the host: what counts of an IRQ, and which event of the kernel is the one. The machine is a tree that the
 * test changes between two steps; libnl's nl_recv() is the test's own.
 */
#include "wait-bench.h"

static void event_comes(void **state)
{
	struct machine *m = *state;

	function_here(m);
	assert_int_equal(typed(m, "wait 04:00.0 --event bind"), 0);
	says(m, "msictl: listening to the kernel's events");
	assert_int_equal(step(m), 1);
	HEAR("bind@" FUNCTION "\0ACTION=bind\0DEVPATH=" FUNCTION
	     "\0SUBSYSTEM=pci\0DRIVER=vfio-pci\0"
	     "PCI_SLOT_NAME=0000:04:00.0\0SEQNUM=814");
	assert_int_equal(step(m), 0);
	says(m, "04:00.0: bind vfio-pci after 0.0");
}

static void event_as_object(void **state)
{
	struct machine *m = *state;
	const struct out_options json = { .json = true };

	out_set_options(m->s.out, &json);
	assert_int_equal(typed(m, "wait 04:00.0 --event add"), 0);
	HEAR("add@" FUNCTION "\0ACTION=add\0DEVPATH=" FUNCTION
	     "\0SUBSYSTEM=pci\0PCI_SLOT_NAME=0000:04:00.0\0SEQNUM=77");
	assert_int_equal(step(m), 0);
	says(m,
	     "\"command\":\"wait\",\"device\":\"0000:04:00.0\",\"event\":\"add\",\"driver\":null,\"seqnum\":77,"
	     "\"us\":");
}

/* Another action, another function, the function's child, and what a user made the kernel say. */
static void other_events(void **state)
{
	struct machine *m = *state;

	assert_int_equal(typed(m, "wait 04:00.0 --event remove"), 0);
	HEAR("unbind@" FUNCTION "\0ACTION=unbind\0DEVPATH=" FUNCTION "\0SUBSYSTEM=pci\0"
	     "PCI_SLOT_NAME=0000:04:00.0\0SEQNUM=1");
	HEAR("remove@/devices/pci0000:00/0000:04:00.1\0ACTION=remove\0DEVPATH=/devices/pci0000:00/0000:04:00.1\0"
	     "SUBSYSTEM=pci\0PCI_SLOT_NAME=0000:04:00.1\0SEQNUM=2");
	HEAR("remove@" FUNCTION "/vfio-dev/vfio0\0ACTION=remove\0DEVPATH=" FUNCTION
	     "/vfio-dev/vfio0\0"
	     "SUBSYSTEM=vfio-dev\0SEQNUM=3");
	HEAR("remove@" FUNCTION "\0ACTION=remove\0DEVPATH=" FUNCTION
	     "\0SUBSYSTEM=pci\0PCI_SLOT_NAME=0000:04:00.0\0"
	     "SYNTH_UUID=0\0SEQNUM=4");
	HEAR("remove@/devices/virtual/vfio/11\0ACTION=remove\0DEVPATH=/devices/virtual/vfio/11\0SUBSYSTEM=vfio\0"
	     "SEQNUM=5");
	assert_int_equal(step(m), 1);
	HEAR("remove@" FUNCTION "\0ACTION=remove\0DEVPATH=" FUNCTION
	     "\0SUBSYSTEM=pci\0PCI_SLOT_NAME=0000:04:00.0\0"
	     "SEQNUM=6");
	assert_int_equal(step(m), 0);
	says(m, "04:00.0: remove after ");
}

/* Events were lost: two looks at /sys prove it, or do not. */
static void events_lost(void **state)
{
	static const struct {
		const char *event;
		const char *before, *between,
			*now; /* the driver; "" none, NULL: the function is not there */
	} cases[] = {
		{ "add", NULL, NULL, "" },	    { "remove", "", "", NULL },
		{ "bind", "", "", "vfio-pci" },	    { "unbind", "nvme", "nvme", "" },
		{ "bind", "nvme", "nvme", "ahci" }, { "unbind", "nvme", "nvme", "ahci" },
		{ "bind", NULL, "", "vfio-pci" },
	};
	struct machine *m = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *look[] = { cases[i].before, cases[i].between, cases[i].now };
		char line[64];

		for (size_t n = 0; n < ARRAY_SIZE(look); n++) {
			function_here(m);
			driver(m, look[n] && look[n][0] ? look[n] : NULL);
			if (!look[n])
				function_gone(m);
			if (n == 0) {
				snprintf(line, sizeof(line), "wait 04:00.0 --event %s",
					 cases[i].event);
				assert_int_equal(typed(m, line), 0);
				continue;
			}
			hear(NULL, 0, -NLE_NOMEM);
			if (step(m) != (n == 1))
				fail_msg("%s at look %zu of case %zu", cases[i].event, n, i);
			queued = told = 0;
		}
		says(m, "/sys is looked at instead");
		snprintf(line, sizeof(line), "04:00.0: %s%s%s after", cases[i].event,
			 look[2] && look[2][0] ? " " : "", look[2] ? look[2] : "");
		says(m, line);
	}
}

/* How it is now is part of why it was waited for in vain. */
static void event_does_not_come(void **state)
{
	struct machine *m = *state;

	assert_int_equal(typed(m, "wait 04:00.0 --event bind --timeout 1ms"), 0);
	usleep(1000);
	assert_true(step(m) < 0);
	refused(m, CAUSE_EXPECTATION,
		"no bind event of 0000:04:00.0 came within 0.001 s; it is not there");
	function_here(m);
	assert_int_equal(typed(m, "wait 04:00.0 --event bind --timeout 0"), 0);
	assert_true(step(m) < 0);
	refused(m, CAUSE_EXPECTATION, "within 0 s; it is there without a driver");
	driver(m, "nvme");
	assert_int_equal(typed(m, "wait 04:00.0 --event unbind --timeout 0"), 0);
	assert_true(step(m) < 0);
	refused(m, CAUSE_EXPECTATION,
		"no unbind event of 0000:04:00.0 came within 0 s; its driver is nvme");
	assert_int_equal(typed(m, "wait 04:00.0 --event add --timeout 60m"), 0);
	assert_int_equal(step(m), 1);
	assert_in_range(m->due - now_us(), 3000000000, 3600000000);
}

/* Only what comes from now on counts, and each vector has to count. */
static void host_counts(void **state)
{
	struct machine *m = *state;

	counting_function(m);
	counts(m, "100,5\n", "7,0\n");
	assert_int_equal(typed(m, "wait 04:00.0 msix 0-1 --at-least 3"), 0);
	assert_int_equal(step(m), 1);
	/* it looks again soon: nobody tells when a foreign IRQ counts */
	assert_true(m->due < now_us() + 1000000);
	counts(m, "102,6\n", "9,0\n");
	assert_int_equal(step(m), 1);
	counts(m, "102,6\n", "9,1\n");
	assert_int_equal(step(m), 0);
	says(m, "msix: 0-1 counted at least 3");
}

static void host_counts_of_armed(void **state)
{
	struct machine *m = *state;

	counting_function(m);
	counts(m, "1,1\n", "1,1\n");
	assert_int_equal(typed(m, "wait 04:00.0 msix armed"), 0);
	counts(m, "2,1\n", "1,2\n");
	assert_int_equal(step(m), 0);
	says(m, "msix: 0-1 counted at least 1");
	/* a vector without an IRQ counts nothing */
	assert_int_equal(typed(m, "wait 04:00.0 msix 0,3 --timeout 0"), 0);
	counts(m, "9,9\n", "9,9\n");
	assert_true(step(m) < 0);
	refused(m, CAUSE_EXPECTATION, "msix 3 did not count 1 within 0 s");
}

static void host_refusals(void **state)
{
	static const struct {
		const char *line;
		enum cause cause;
		const char *says, *hint;
	} cases[] = {
		{ "wait 04:00.0 err 0", CAUSE_USAGE, "Linux has no IRQ for err",
		  "msictl run 04:00.0 -c 'enable err 1; wait err 0'   counts its eventfd" },
		{ "wait 04:00.0 req 0", CAUSE_USAGE, "Linux has no IRQ for req",
		  "msictl run 04:00.0 -c 'enable req 1; wait req 0'   counts its eventfd" },
		{ "wait 04:00.0 msi 0", CAUSE_FAILED, "the device has no msi", "" },
		{ "wait 04:00.0 msix 4", CAUSE_USAGE, "msix has vectors 0-3, 4 is beyond", "" },
		{ "wait 04:00.0 msix 0-9", CAUSE_USAGE, "msix has vectors 0-3, 9 is beyond", "" },
		{ "wait 05:00.0 msix 0", CAUSE_NO_DEVICE, "no such PCI function", "" },
	};
	struct machine *m = *state;
	char path[PATH_MAX];

	counting_function(m);
	counts(m, "1\n", "1\n");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(typed(m, cases[i].line) < 0);
		refused(m, cases[i].cause, cases[i].says);
		if (!strstr(m->e.hint, cases[i].hint))
			fail_msg("expected \"%s\" in \"%s\"", cases[i].hint, m->e.hint);
		if (cases[i].cause != CAUSE_NO_DEVICE)
			assert_int_equal(m->e.err, 0);
	}
	/* the last one is there */
	assert_int_equal(typed(m, "wait 04:00.0 msix 3"), 0);
	for (int irq = 40; irq <= 41; irq++) {
		snprintf(path, sizeof(path), DEV "/msi_irqs/%d", irq);
		tree_text(&m->tree, path, "");
		snprintf(path, sizeof(path), "sys/kernel/irq/%d/actions", irq);
		tree_text(&m->tree, path, "\n");
	}
	assert_true(typed(m, "wait 04:00.0 msix armed") < 0);
	refused(m, CAUSE_FAILED, "no msix vector is armed");
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

static void nothing_to_wait_with(void **state)
{
	struct machine *m = *state;
	int rc = 0;

	counting_function(m);
	counts(m, "1\n", "1\n");
	WITHOUT_DESCRIPTORS(rc = typed(m, "wait 04:00.0 msix 0"));
	assert_true(rc < 0);
	assert_int_equal(m->e.err, EMFILE);
	WITHOUT_DESCRIPTORS(rc = typed(m, "wait 04:00.0 --event add"));
	assert_true(rc < 0);
	assert_int_equal(m->e.err, EMFILE);
	assert_null(m->s.job.step);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(event_comes, setup, teardown),
		cmocka_unit_test_setup_teardown(event_as_object, setup, teardown),
		cmocka_unit_test_setup_teardown(other_events, setup, teardown),
		cmocka_unit_test_setup_teardown(events_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(event_does_not_come, setup, teardown),
		cmocka_unit_test_setup_teardown(host_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(host_counts_of_armed, setup, teardown),
		cmocka_unit_test_setup_teardown(host_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_to_wait_with, setup, teardown),
	};

	return cmocka_run_group_tests_name("cmd-wait", tests, NULL, NULL);
}
