// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "out/metrics.h"
#include "tree.h"

#define HEAD                                                                                                         \
	"# HELP msictl_interrupts_total Interrupts of a vector that Linux counted (source host), or signals of its " \
	"eventfd.\n"                                                                                                 \
	"# TYPE msictl_interrupts_total counter\n"

static void labels(void **state)
{
	struct reading r = { .index = IRQ_MSIX,
			     .vector = 3,
			     .has_irq = true,
			     .irq = 33,
			     .counted = true,
			     .count = 12 };
	struct metrics m;

	(void)state;
	assert_int_equal(metrics_begin(&m), 0);
	metrics_add(&m, "0000:01:00.0", METRICS_HOST, &r);
	r.vector = -1;
	metrics_add(&m, "0000:01:00.0", METRICS_HOST, &r);
	r.counted = false;
	metrics_add(&m, "0000:01:00.0", METRICS_HOST, &r);
	r = (struct reading){ .index = IRQ_REQ, .counted = true, .count = UINT64_MAX };
	metrics_add(&m, "vfio-user:/a\"b\\c\nd", METRICS_EVENTFD, &r);
	metrics_add_posted(&m, "0000:01:00.0", true);
	metrics_add_posted(&m, "0000:02:00.0", false);
	assert_int_equal(metrics_end(&m), 0);
	assert_string_equal(
		m.text, HEAD
		"msictl_interrupts_total{device=\"0000:01:00.0\",source=\"host\",index=\"msix\",vector=\"3\","
		"irq=\"33\"} 12\n"
		"msictl_interrupts_total{device=\"0000:01:00.0\",source=\"host\",index=\"msix\",irq=\"33\"} 12\n"
		"msictl_interrupts_total{device=\"vfio-user:/a\\\"b\\\\\\\\c\\\\x0ad\",source=\"eventfd\","
		"index=\"req\",vector=\"0\"} 18446744073709551615\n"
		"# HELP msictl_posted_possible 1: held by another program, whose interrupts may be posted to a VM "
		"past the host's counters.\n"
		"# TYPE msictl_posted_possible gauge\n"
		"msictl_posted_possible{device=\"0000:01:00.0\"} 1\n"
		"msictl_posted_possible{device=\"0000:02:00.0\"} 0\n");
	assert_int_equal(m.size, strlen(m.text));
	metrics_free(&m);
}

/* Two names that differ are two series. */
static void names_stay_apart(void **state)
{
	struct reading r = { .index = IRQ_MSIX, .counted = true };
	const char *first, *second;
	struct metrics m;

	(void)state;
	assert_int_equal(metrics_begin(&m), 0);
	metrics_add(&m, "vfio-user:/a\n", METRICS_EVENTFD, &r);
	metrics_add(&m, "vfio-user:/a\\x0a", METRICS_EVENTFD, &r);
	assert_int_equal(metrics_end(&m), 0);
	first = strchr(strstr(m.text, "counter\n"), '\n') + 1;
	second = strchr(first, '\n') + 1;
	assert_int_equal(strncmp(second, "msictl_interrupts_total{", 24), 0);
	assert_true(strcspn(first, "\n") != strcspn(second, "\n") ||
		    strncmp(first, second, strcspn(first, "\n")) != 0);
	metrics_free(&m);
}

static void replaces_at_once(void **state)
{
	const struct tree *t = *state;
	char path[PATH_MAX], text[512];
	struct metrics m;
	struct error e;
	FILE *before;

	tree_text(t, "page", "before");
	tree_path(t, "page", path);
	before = fopen(path, "r");
	assert_non_null(before);
	metrics_begin(&m);
	assert_int_equal(metrics_end(&m), 0);
	assert_int_equal(metrics_write(&m, path, &e), 0);
	metrics_free(&m);
	/* the former file is another one */
	assert_non_null(fgets(text, sizeof(text), before));
	assert_string_equal(text, "before");
	fclose(before);
	assert_true(root_text(&t->root, text, sizeof(text), "page") > 0);
	assert_memory_equal(text, HEAD, 20);
}

static void refuses(void **state)
{
	const struct tree *t = *state;
	char path[PATH_MAX];
	struct metrics m;
	struct error e;

	metrics_begin(&m);
	assert_int_equal(metrics_end(&m), 0);
	tree_folder(t, "folder");
	assert_true(metrics_write(&m, tree_path(t, "folder", path), &e) < 0);
	tree_link(t, "link", "/dev/null");
	assert_true(metrics_write(&m, tree_path(t, "link", path), &e) < 0);
	snprintf(path, sizeof(path), "%s/none/page", t->dir);
	assert_int_equal(metrics_write(&m, path, &e), -ENOENT);
	metrics_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels),
		cmocka_unit_test(names_stay_apart),
		cmocka_unit_test_setup_teardown(replaces_at_once, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(refuses, tree_setup, tree_teardown),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
