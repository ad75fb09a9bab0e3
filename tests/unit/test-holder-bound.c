// SPDX-License-Identifier: GPL-2.0-or-later
/* Which drivers a holder gives back, and when: what would be written to /sys is told, and nothing is written. */
#include <errno.h>

#include "backends.h"
#include "hold/server-internal.h"
#include "tree.h"
#include "base/util.h"

#define HOME(fn) "sys/devices/pci0000:00/0000:04:00." fn

struct bench {
	struct tree t;
	struct session s;
	struct holder h;
	struct held held[2]; /* 04:00.0 and 04:00.1, of group 9 */
	struct device open[2];
	FILE *notes;
	char *note;
	size_t note_size;
	char lines[4096];
	struct error e;
};

static void keep_line(void *ctx, const char *text)
{
	struct bench *b = ctx;

	append(b->lines, sizeof(b->lines), "%s\n", text);
}

static void function(const struct tree *t, const char *fn)
{
	char path[128], target[128];

	snprintf(path, sizeof(path), HOME("%s") "/vendor", fn);
	tree_text(t, path, "0x1b36\n");
	snprintf(path, sizeof(path), HOME("%s") "/driver_override", fn);
	tree_text(t, path, "(null)\n");
	snprintf(path, sizeof(path), HOME("%s") "/driver", fn);
	tree_link(t, path, "../../../bus/pci/drivers/vfio-pci");
	snprintf(path, sizeof(path), HOME("%s") "/iommu_group", fn);
	tree_link(t, path, "../../../kernel/iommu_groups/9");
	snprintf(path, sizeof(path), "sys/bus/pci/devices/0000:04:00.%s", fn);
	snprintf(target, sizeof(target), "../../../devices/pci0000:00/0000:04:00.%s", fn);
	tree_link(t, path, target);
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	const struct out_options opt = { 0 };

	assert_non_null(b);
	tree_new(&b->t);
	tree_folder(&b->t, "sys/kernel/iommu_groups/9/devices/");
	tree_text(&b->t, "sys/bus/pci/drivers/vfio-pci/unbind", "");
	tree_text(&b->t, "sys/bus/pci/drivers_probe", "");
	tree_folder(&b->t, "run/");
	function(&b->t, "0");
	function(&b->t, "1");
	b->s.backends = backends;
	b->s.root = b->t.root;
	b->s.root.live = true;
	b->s.trace = (struct trace){ .line = keep_line, .ctx = b, .dry_run = true };
	b->notes = open_memstream(&b->note, &b->note_size);
	assert_int_equal(out_new(&b->s.out, &opt), 0);
	out_set_streams(b->s.out, b->notes, b->notes);
	b->h = (struct holder){ .s = &b->s, .first = &b->held[0] };
	for (unsigned int i = 0; i < 2; i++) {
		b->open[i].handle = b;
		b->held[i] = (struct held){ .holder = &b->h,
					    .group = 9,
					    .s = { .device = &b->open[i] },
					    .spec = i ? "04:00.1" : "04:00.0",
					    .next = i ? NULL : &b->held[1] };
	}
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	out_free(b->s.out);
	fclose(b->notes);
	free(b->note);
	tree_free(&b->t);
	free(b);
	return 0;
}

static struct bound *bound(unsigned int fn, int group)
{
	struct bound *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	*b = (struct bound){ .addr = { .bus = 4, .fn = (uint8_t)fn }, .group = group };
	return b;
}

static int settle(struct bench *b, struct bound *mine)
{
	b->lines[0] = '\0';
	b->e = (struct error){ 0 };
	return bound_settle(&b->h, mine, &b->e);
}

static bool unbinds(const struct bench *b, const char *bdf)
{
	char line[128];

	snprintf(line, sizeof(line), "would: write(/sys/bus/pci/devices/%s/driver/unbind: %s)", bdf,
		 bdf);
	return strstr(b->lines, line);
}

/* The kernel takes a driver away only when nobody has the group open: the last one gives back both. */
static void waits_for_its_group(void **state)
{
	struct bench *b = *state;

	b->open[0].handle = NULL;
	assert_int_equal(settle(b, bound(0, 9)), 1);
	assert_string_equal(b->lines, "");
	/* another group does not wait for it */
	assert_int_equal(settle(b, bound(0, 8)), 0);
	assert_true(unbinds(b, "0000:04:00.0"));
	assert_int_equal(settle(b, NULL), 0);
	assert_string_equal(b->lines, "");
	b->held[1].s.device = NULL;
	assert_int_equal(settle(b, bound(1, 9)), 0);
	assert_true(unbinds(b, "0000:04:00.0") && unbinds(b, "0000:04:00.1"));
	assert_null(b->h.let_go);
	assert_int_equal(b->h.left.cause, CAUSE_NONE);
}

/* The first group is a group as any other. */
static void waits_for_the_first_group(void **state)
{
	struct bench *b = *state;

	b->held[0].group = b->held[1].group = 0;
	assert_int_equal(settle(b, bound(0, 0)), 1);
	assert_string_equal(b->lines, "");
	b->open[0].handle = b->open[1].handle = NULL;
	assert_int_equal(settle(b, NULL), 0);
	assert_true(unbinds(b, "0000:04:00.0"));
}

/* Without a group there is nobody to wait for. */
static void waits_for_nobody(void **state)
{
	struct bench *b = *state;

	b->held[0].group = b->held[1].group = -1;
	assert_int_equal(settle(b, bound(1, -1)), 0);
	assert_true(unbinds(b, "0000:04:00.1"));
}

/* A driver that could not be given back is told to who asked, and is what the holder ends with. */
static void cannot_give_back(void **state)
{
	struct bench *b = *state;

	assert_true(settle(b, bound(7, 8)) < 0);
	assert_true(b->e.message[0]);
	fflush(b->notes);
	assert_non_null(strstr(b->note, "msictl: 04:00.7: release: "));
	assert_int_equal(b->h.left.cause, b->e.cause);
	assert_string_equal(b->h.left.message, "04:00.7: its driver could not be given back");
	assert_string_equal(b->h.left.hint, "msictl unbind 04:00.7");
	/* the first one is remembered; another's failure is not that of who is let go now */
	b->h.let_go = bound(6, 8);
	assert_int_equal(settle(b, bound(0, 8)), 0);
	assert_true(unbinds(b, "0000:04:00.0"));
	fflush(b->notes);
	assert_non_null(strstr(b->note, "04:00.6: release: "));
	assert_string_equal(b->h.left.hint, "msictl unbind 04:00.7");
	assert_null(b->h.let_go);
}

static void group_unseen(void **state)
{
	struct bench *b = *state;
	struct rlimit before;

	assert_int_equal(bound_group(&b->held[1]), 9);
	fflush(b->notes);
	assert_int_equal(b->note_size, 0);
	/* what can't be read is no absence, and is said */
	before = tree_exhaust(0);
	assert_int_equal(bound_group(&b->held[1]), -1);
	tree_plenty(&before);
	fflush(b->notes);
	assert_non_null(strstr(b->note, "its IOMMU group can't be read"));
}

static void takes(void **state)
{
	struct bench *b = *state;
	char path[PATH_MAX];
	struct rlimit before = tree_exhaust(0);
	int group = bound_group(&b->held[0]);

	tree_plenty(&before);
	/* what cannot be read is no group's number */
	assert_int_equal(group, -1);

	assert_int_equal(bound_group(&b->held[0]), 9);
	b->held[0].spec = "sim:msix=8";
	assert_int_equal(bound_group(&b->held[0]), -1);
	assert_true(bound_take(&b->held[0], &b->e) < 0);
	assert_null(b->held[0].bound);
	/* it is on vfio-pci already: nothing to give back; what stands in its way is told */
	function(&b->t, "2");
	unlink(tree_path(&b->t, HOME("2") "/driver", path));
	tree_folder(&b->t, "sys/bus/pci/drivers/nvme");
	tree_link(&b->t, HOME("2") "/driver", "../../../bus/pci/drivers/nvme");
	tree_link(&b->t, "sys/kernel/iommu_groups/9/devices/0000:04:00.2",
		  "../../../../devices/pci0000:00/0000:04:00.2");
	assert_int_equal(bound_take(&b->held[1], &b->e), 0);
	assert_null(b->held[1].bound);
	fflush(b->notes);
	assert_non_null(strstr(b->note, "group 9 is not viable yet: 04:00.2 has nvme"));
	/* one that gets it has something to give back */
	b->held[0].spec = "04:00.2";
	b->lines[0] = '\0';
	assert_int_equal(bound_take(&b->held[0], &b->e), 0);
	assert_non_null(strstr(b->lines, "would: write("));
	assert_non_null(b->held[0].bound);
	assert_int_equal(b->held[0].bound->group, 9);
	assert_int_equal(b->held[0].bound->addr.fn, 2);
	free(b->held[0].bound);
	b->held[0].bound = NULL;
	b->held[0].spec = "04:00.5";
	assert_true(bound_take(&b->held[0], &b->e) < 0);
	assert_null(b->held[0].bound);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(waits_for_its_group, setup, teardown),
		cmocka_unit_test_setup_teardown(waits_for_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(waits_for_the_first_group, setup, teardown),
		cmocka_unit_test_setup_teardown(cannot_give_back, setup, teardown),
		cmocka_unit_test_setup_teardown(group_unseen, setup, teardown),
		cmocka_unit_test_setup_teardown(takes, setup, teardown),
	};

	return cmocka_run_group_tests_name("holder-bound", tests, NULL, NULL);
}
