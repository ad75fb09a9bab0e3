// SPDX-License-Identifier: GPL-2.0-or-later
/* Binding and unbinding: which functions are refused, what cannot be read or written, what is said, and what stays. */
#include <errno.h>
#include <sys/syscall.h>

#include "driver-bench.h"

/* The path that cannot be opened, and why; "": all can. */
static const char *broken = "";
static int broken_errno;

int openat(int dir, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	errno = broken_errno;
	return strcmp(path, broken) ? (int)syscall(SYS_openat, dir, path, flags, mode) : -1;
}

/* No memory for what a trace would say of a write */
static bool no_memory;

int asprintf(char **text, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (no_memory && !strcmp(fmt, "/%s: %s"))
		return -1;
	va_start(ap, fmt);
	n = vasprintf(text, fmt, ap);
	va_end(ap);
	return n;
}

static int begin(void **state)
{
	no_memory = false;
	broken = "";
	return setup(state);
}

static void breaks(const char *path, int err)
{
	broken = path;
	broken_errno = err;
}

static void fails_with(const struct bench *b, int rc, enum cause cause, const char *message,
		       const char *advice)
{
	assert_true(rc < 0);
	assert_string_equal(b->e.message, message);
	assert_string_equal(b->e.hint, advice);
	assert_int_equal(b->e.cause, cause);
}

static void no_group(const struct bench *b)
{
	char path[PATH_MAX];

	unlink(tree_path(&b->t, HOME "/iommu_group", path));
	rmdir(tree_path(&b->t, "sys/class/iommu/dmar0", path));
}

#define NO_GROUP "no IOMMU group: the platform's IOMMU is off or absent"
#define NO_GROUP_HINT \
	"boot with intel_iommu=on (Intel alone needs it), and the IOMMU on in the firmware"

/* ---- what may be bound */

/* A bridge is one by its class or by its header; what has a class with the same digits elsewhere is none. */
static void bridges(void **state)
{
	static const struct {
		const char *class;
		unsigned char header;
		bool bridge;
	} functions[] = {
		{ "0x010802\n", 0, false },   { "0x0c0330\n", 0, false },
		{ "0x030000\n", 0, false },   { "0x000006\n", 0, false },
		{ "0x060000\n", 0, true },    { "0x068000\n", 0, true },
		{ "0x010802\n", 1, true },    { "0x010802\n", 2, true },
		{ "0x010802\n", 0x81, true }, { "0x010802\n", 0x80, false },
	};
	struct bench *b = *state;
	unsigned char config[64] = { 0x36, 0x1b, 0x10 };

	b->trace.dry_run = true;
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		tree_text(&b->t, HOME "/class", functions[i].class);
		config[14] = functions[i].header;
		tree_bytes(&b->t, HOME "/config", config, sizeof(config));
		if (functions[i].bridge)
			fails_with(b, bind_it(b, true), CAUSE_FAILED,
				   "it is a bridge, and vfio-pci takes no bridges", "");
		else
			assert_int_equal(bind_it(b, true), 0);
		assert_int_equal(b->e.err, 0);
	}
}

/* Without a group it depends on what else the host has; a group of number 0 is one. */
static void groups(void **state)
{
	static const char parameter[] = "sys/module/vfio/parameters/enable_unsafe_noiommu_mode";
	struct bench *b = *state;
	char path[PATH_MAX];

	b->trace.dry_run = true;
	no_group(b);
	fails_with(b, bind_it(b, true), CAUSE_NOT_VIABLE, NO_GROUP, NO_GROUP_HINT);
	tree_text(&b->t, parameter, "N\n");
	fails_with(b, bind_it(b, true), CAUSE_NOT_VIABLE, NO_GROUP, NO_GROUP_HINT);
	tree_text(&b->t, parameter, "");
	fails_with(b, bind_it(b, true), CAUSE_NOT_VIABLE, NO_GROUP, NO_GROUP_HINT);
	tree_text(&b->t, parameter, "Y\n");
	assert_int_equal(bind_it(b, true), 0);
	assert_string_equal(
		b->c.note,
		"there is no IOMMU group: vfio-pci would take it in unsafe noiommu mode, "
		"and taint the kernel");
	unlink(tree_path(&b->t, parameter, path));
	/* not every IOMMU has its group before the driver comes */
	tree_folder(&b->t, "sys/class/iommu/smmu3/");
	assert_int_equal(bind_it(b, true), 0);
	assert_string_equal(b->c.note, "");
	rmdir(tree_path(&b->t, "sys/class/iommu/smmu3", path));
	tree_folder(&b->t, "sys/kernel/iommu_groups/0/devices/");
	tree_link(&b->t, HOME "/iommu_group", "../../../../kernel/iommu_groups/0");
	assert_int_equal(bind_it(b, true), 0);
}

/* What cannot be looked at is no reason to refuse, nor to go on: it is said. */
static void not_looked_at(void **state)
{
	static const struct {
		const char *path;
		int err;
		enum cause cause;
	} files[] = {
		{ "sys/class/iommu", EACCES, CAUSE_PERMISSION },
		{ "sys/bus/pci/drivers/vfio-pci", EIO, CAUSE_FAILED },
		{ "proc/swaps", EACCES, CAUSE_PERMISSION },
	};
	struct bench *b = *state;
	char message[128];

	no_group(b);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		breaks(files[i].path, files[i].err);
		if (i == 2)
			tree_folder(&b->t, "sys/class/iommu/dmar0/");
		assert_int_equal(bind_it(b, false), -files[i].err);
		snprintf(message, sizeof(message), "cannot read /%s", files[i].path);
		assert_non_null(strstr(b->e.message, message));
		assert_file(b, HOME "/driver_override", "(null)\n");
		assert_string_equal(b->lines, "");
	}
}

/* An override that cannot be read could not be put back. */
static void override_cannot_be_read(void **state)
{
	struct bench *b = *state;

	breaks(DEV "/driver_override", EACCES);
	fails_with(b, bind_it(b, true), CAUSE_PERMISSION, "driver_override cannot be read",
		   "run it as root");
	fails_with(b, unbind_it(b), CAUSE_PERMISSION, "driver_override cannot be read",
		   "run it as root");
	breaks(DEV "/driver_override", EIO);
	fails_with(b, bind_it(b, true), CAUSE_FAILED, "driver_override cannot be read", "");
}

/* ---- bind */

static void nothing_is_remembered(void **state)
{
	struct bench *b = *state;
	char path[PATH_MAX];

	rmdir(tree_path(&b->t, "run", path));
	fails_with(b, bind_it(b, false), CAUSE_FAILED,
		   "the former driver cannot be noted in /run/msictl/former", "");
	assert_int_equal(b->e.err, ENOENT);
	assert_file(b, HOME "/driver_override", "(null)\n");
	assert_file(b, "sys/bus/pci/drivers/nvme/unbind", "");
	/* not even looked for in a dry run */
	b->trace.dry_run = true;
	assert_int_equal(bind_it(b, false), 0);
}

/* A kernel without driver_override: nothing is left behind. */
static void override_cannot_be_written(void **state)
{
	struct bench *b = *state;
	char path[PATH_MAX];

	unlink(tree_path(&b->t, HOME "/driver_override", path));
	fails_with(b, bind_it(b, false), CAUSE_FAILED, "driver_override cannot be written", "");
	assert_false(root_exists(&b->t.root, FORMER));
	/* and its driver keeps it */
	assert_file(b, "sys/bus/pci/drivers_probe", "");
	assert_file(b, "sys/bus/pci/drivers/nvme/unbind", "");
	assert_file(b, "sys/bus/pci/drivers/nvme/bind", "");
	/* nor given back */
	is_driven_by(b, "vfio-pci");
	fails_with(b, unbind_it(b), CAUSE_FAILED, "driver_override cannot be written", "");
	assert_file(b, "sys/bus/pci/drivers/vfio-pci/unbind", "");
}

static void no_memory_to_write(void **state)
{
	struct bench *b = *state;

	no_memory = true;
	fails_with(b, bind_it(b, false), CAUSE_FAILED, "driver_override cannot be written", "");
	assert_int_equal(b->e.err, ENOMEM);
	assert_file(b, HOME "/driver_override", "(null)\n");
	is_driven_by(b, "vfio-pci");
	fails_with(b, unbind_it(b), CAUSE_FAILED, "driver_override cannot be written", "");
	assert_int_equal(b->e.err, ENOMEM);
}

/* Each write is traced with its answer, and with the time of the call alone. */
static void writes_are_traced(void **state)
{
	struct bench *b = *state;
	uint64_t before = now_us(), all;
	unsigned int n = 0;

	b->trace.on = true;
	assert_true(bind_it(b, false) < 0);
	all = now_us() - before;
	for (char *at = b->lines; (at = strstr(at, " = 0 (")); n++)
		assert_true(strtoull(at + strlen(" = 0 ("), &at, 10) <= all);
	assert_in_range(n, 4, 10);
}

/* The driver went by itself, and took its files with it: that is no failure. */
static void driver_went_by_itself(void **state)
{
	struct bench *b = *state;
	char path[PATH_MAX];

	unlink(tree_path(&b->t, "sys/bus/pci/drivers/nvme/unbind", path));
	assert_true(bind_it(b, false) < 0);
	assert_file(b, "sys/bus/pci/drivers_probe", "0000:04:00.0");
	tree_text(&b->t, "sys/bus/pci/drivers_probe", "");
	is_driven_by(b, "vfio-pci");
	unlink(tree_path(&b->t, "sys/bus/pci/drivers/vfio-pci/unbind", path));
	assert_true(unbind_it(b) < 0);
	assert_file(b, "sys/bus/pci/drivers_probe", "0000:04:00.0");
}

/* The kernel said nothing, and nothing happened. */
static void nobody_took_it(void **state)
{
	struct bench *b = *state;
	char path[PATH_MAX];

	is_driven_by(b, "");
	fails_with(b, bind_it(b, false), CAUSE_FAILED, "vfio-pci did not take it",
		   "dmesg | grep '0000:04:00.0'");
	assert_int_equal(b->e.err, 0);
	assert_false(root_exists(&b->t.root, FORMER));
	/* without a group vfio-pci takes nothing */
	unlink(tree_path(&b->t, HOME "/iommu_group", path));
	fails_with(b, bind_it(b, false), CAUSE_NOT_VIABLE, NO_GROUP, NO_GROUP_HINT);
	/* and what it has it cannot offer */
	is_driven_by(b, "vfio-pci");
	b->trace.on = true;
	fails_with(b, bind_it(b, false), CAUSE_NOT_VIABLE, NO_GROUP, NO_GROUP_HINT);
	assert_string_equal(b->lines, "");
}

/* ---- unbind */

/* Nothing of vfio-pci's: what was remembered is forgotten, but not in a dry run. */
static void nothing_to_give_back(void **state)
{
	static const char *const drivers[] = { "nvme", "" };
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		is_driven_by(b, drivers[i]);
		assert_int_equal(previous_save(&b->t.root, &nvme, drivers[i]), 0);
		b->trace.dry_run = true;
		assert_int_equal(unbind_it(b), 0);
		assert_true(root_exists(&b->t.root, FORMER));
		b->trace.dry_run = false;
		assert_int_equal(unbind_it(b), 0);
		assert_false(root_exists(&b->t.root, FORMER));
		assert_false(b->c.changed);
		assert_string_equal(b->c.from, drivers[i]);
		assert_string_equal(b->c.to, drivers[i]);
		assert_string_equal(b->c.note, "");
		/* and once more, with nothing remembered */
		assert_int_equal(unbind_it(b), 0);
		assert_false(b->c.changed);
		assert_file(b, HOME "/driver_override", "(null)\n");
		assert_file(b, "sys/bus/pci/drivers_probe", "");
	}
	tree_text(&b->t, HOME "/driver_override", "vfio-pci\n");
	b->trace.dry_run = true;
	assert_int_equal(unbind_it(b), 0);
	assert_string_equal(b->lines, "would: write(/" DEV "/driver_override: \\n)\n");
	assert_string_equal(b->c.note, "driver_override named vfio-pci still, and was cleared");
	assert_file(b, HOME "/driver_override", "vfio-pci\n");
}

/* It has none now, and had one: that one gets it. */
static void had_one(void **state)
{
	struct bench *b = *state;

	is_driven_by(b, "");
	assert_int_equal(previous_save(&b->t.root, &nvme, "nvme"), 0);
	b->trace.dry_run = true;
	assert_int_equal(unbind_it(b), 0);
	assert_true(b->c.changed);
	assert_string_equal(b->c.to, "nvme");
	assert_string_equal(b->lines,
			    "would: write(/" DEV "/driver_override: \\n)\n"
			    "would: write(/sys/bus/pci/drivers/nvme/bind: 0000:04:00.0)\n");
}

/* What somebody else may have written is not used, and that is told. */
static void previous_of_somebody_else(void **state)
{
	struct bench *b = *state;
	char path[PATH_MAX];

	is_driven_by(b, "vfio-pci");
	assert_int_equal(previous_save(&b->t.root, &nvme, "nvme"), 0);
	assert_int_equal(chmod(tree_path(&b->t, FORMER, path), 0666), 0);
	b->trace.dry_run = true;
	assert_int_equal(unbind_it(b), 0);
	assert_string_equal(
		b->c.note,
		"/run/msictl/former/0000:04:00.0 is not to be trusted, and was not used");
	assert_non_null(strstr(b->lines, "drivers_probe"));
}

/* Who holds the group is asked of vfio-pci's functions alone; whoever cannot look does not unbind. */
static void holders_cannot_be_seen(void **state)
{
	struct bench *b = *state;
	char path[PATH_MAX];

	tree_folder(&b->t, "proc/");
	is_driven_by(b, "vfio-pci");
	breaks("proc", EMFILE);
	fails_with(b, unbind_it(b), CAUSE_FAILED,
		   "whether a process holds IOMMU group 9 cannot be seen", "");
	assert_int_equal(b->e.err, EMFILE);
	assert_file(b, HOME "/driver_override", "(null)\n");
	is_driven_by(b, "nvme");
	assert_int_equal(unbind_it(b), 0);
	/* of the first group as of any other */
	is_driven_by(b, "vfio-pci");
	unlink(tree_path(&b->t, HOME "/iommu_group", path));
	tree_folder(&b->t, "sys/kernel/iommu_groups/0/devices/");
	tree_link(&b->t, HOME "/iommu_group", "../../../../kernel/iommu_groups/0");
	assert_true(unbind_it(b) < 0);
	assert_string_equal(b->e.message, "whether a process holds IOMMU group 0 cannot be seen");
}

#define AT(test) cmocka_unit_test_setup_teardown(test, begin, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT(bridges),
		AT(groups),
		AT(not_looked_at),
		AT(override_cannot_be_read),
		AT(nothing_is_remembered),
		AT(override_cannot_be_written),
		AT(no_memory_to_write),
		AT(writes_are_traced),
		AT(driver_went_by_itself),
		AT(nobody_took_it),
		AT(nothing_to_give_back),
		AT(had_one),
		AT(previous_of_somebody_else),
		AT(holders_cannot_be_seen),
	};

	return cmocka_run_group_tests_name("driver-bind", tests, NULL, NULL);
}
