// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Binding and unbinding with a kernel behind /sys: this test's write(2) does to a tree what the kernel does to sysfs
 * (drivers/base/bus.c, drivers/pci/pci-driver.c), or fails as it may.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "driver/internal.h"
#include "driver/bind.h"
#include "tree.h"
#include "base/util.h"

#define DEV	"sys/bus/pci/devices/0000:04:00.0"
#define HOME	"sys/devices/pci0000:00/0000:04:00.0"
#define DRIVERS "sys/bus/pci/drivers"

static const struct pci_addr nvme = { 0, 4, 0, 0 };

struct kernel {
	struct tree t;
	struct trace trace;
	struct driver_change c;
	struct error e;
	const char *refuses; /* the driver that does not take it */
	const char *ids;     /* the driver that takes what is probed without an override; "" none */
	const char *quicker; /* takes it instead of that one; NULL: none does */
	int unbind_errno;
};

static struct kernel *k;

static void driven_by(const char *driver)
{
	char full[PATH_MAX], target[128];

	unlink(tree_path(&k->t, HOME "/driver", full));
	snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
	if (driver[0])
		tree_link(&k->t, HOME "/driver", target);
}

static void override(char buf[64])
{
	ssize_t n = root_text(&k->t.root, buf, 64, HOME "/driver_override");

	if (n < 0 || !strcmp(buf, "(null)"))
		buf[0] = '\0';
}

static int binds(const char *driver)
{
	if (!strcmp(driver, k->refuses)) {
		if (k->quicker)
			driven_by(k->quicker);
		return ENODEV;
	}
	driven_by(driver);
	return 0;
}

static int probes(void)
{
	char wanted[64];

	override(wanted);
	return binds(wanted[0] ? wanted : k->ids);
}

/* What a store to the sysfs file @path does. 0 or its errno. */
static int stores(int fd, const char *path)
{
	const char *in = strstr(path, "/drivers/"), *end = strrchr(path, '/');
	char driver[64];

	if (strstr(path, "/driver_override"))
		return ftruncate(fd, 0) ? errno : 0;
	if (strstr(path, "/drivers_probe"))
		return probes();
	if (!in || sscanf(in, "/drivers/%63[^/]", driver) != 1)
		return 0;
	if (!strcmp(end, "/bind"))
		return binds(driver);
	if (strcmp(end, "/unbind") != 0)
		return 0;
	if (!k->unbind_errno)
		driven_by("");
	return k->unbind_errno;
}

ssize_t write(int fd, const void *buf, size_t n)
{
	char self[48], path[PATH_MAX];
	ssize_t len;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	len = k ? readlink(self, path, sizeof(path) - 1) : -1;
	if (len > 0) {
		path[len] = '\0';
		errno = strstr(path, "/sys/") ? stores(fd, path) : 0;
		if (errno)
			return -1;
	}
	return syscall(SYS_write, fd, buf, n);
}

static void add_driver(const char *driver)
{
	static const char *const files[] = { "bind", "unbind" };
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), DRIVERS "/%s/%s", driver, files[i]);
		tree_text(&k->t, path, "");
	}
}

static void told(void *ctx, const char *text)
{
	(void)ctx, (void)text;
}

/* An nvme disk in IOMMU group 9, with its driver. */
static int setup(void **state)
{
	struct tree *t;

	(void)state;
	k = calloc(1, sizeof(*k));
	assert_non_null(k);
	k->refuses = "-";
	k->ids = "nvme";
	k->trace.line = told;
	t = &k->t;
	tree_new(t);
	t->root.live = true;
	tree_text(t, HOME "/class", "0x010802\n");
	tree_text(t, HOME "/vendor", "0x1b36\n");
	tree_text(t, HOME "/driver_override", "(null)\n");
	tree_link(t, DEV, "../../../devices/pci0000:00/0000:04:00.0");
	tree_folder(t, "sys/kernel/iommu_groups/9/devices/");
	tree_link(t, HOME "/iommu_group", "../../../kernel/iommu_groups/9");
	tree_folder(t, "sys/class/iommu/dmar0/");
	tree_folder(t, "sys/class/vfio/");
	tree_text(t, "sys/bus/pci/drivers_probe", "");
	tree_folder(t, "run/");
	tree_text(t, "proc/1/comm", "init\n");
	tree_text(t, "dev/vfio/9", "");
	tree_text(t, "dev/vfio/vfio", "");
	add_driver("nvme");
	add_driver("ahci");
	add_driver("vfio-pci");
	driven_by("nvme");
	return 0;
}

static int teardown(void **state)
{
	struct kernel *was = k;

	(void)state;
	k = NULL;
	tree_free(&was->t);
	free(was);
	return 0;
}

static int bind_it(void)
{
	k->e = (struct error){ 0 };
	return driver_bind(&k->t.root, &nvme, false, 1000, &k->trace, &k->c, &k->e);
}

static int unbind_it(void)
{
	k->e = (struct error){ 0 };
	return driver_unbind(&k->t.root, &nvme, &k->trace, &k->c, &k->e);
}

/* The driver that it has, what driver_override says, and what is remembered (NULL: nothing). */
static void has(const char *driver, const char *wanted, const char *former)
{
	char now[64] = "", over[64], had[64];

	if (root_link(&k->t.root, now, sizeof(now), DEV "/driver") < 0)
		now[0] = '\0';
	assert_string_equal(now, driver);
	override(over);
	assert_string_equal(over, wanted);
	if (!former) {
		assert_int_equal(previous_load(&k->t.root, &nvme, had, sizeof(had)), -ENOENT);
		return;
	}
	assert_int_equal(previous_load(&k->t.root, &nvme, had, sizeof(had)), 0);
	assert_string_equal(had, former);
}

static void fails(int rc, enum cause cause, const char *message, const char *hinted)
{
	assert_true(rc < 0);
	if (!strstr(k->e.message, message) || !strstr(k->e.hint, hinted))
		fail_msg("expected \"%s\" and \"%s\", got \"%s\" and \"%s\"", message, hinted,
			 k->e.message, k->e.hint);
	assert_int_equal(k->e.cause, cause);
}

static void goes_and_comes_back(void **state)
{
	(void)state;
	if (bind_it())
		fail_msg("%s", k->e.message);
	has("vfio-pci", "vfio-pci", "nvme");
	assert_true(k->c.changed);
	assert_string_equal(k->c.from, "nvme");
	assert_string_equal(k->c.to, "vfio-pci");
	assert_string_equal(k->c.note, "");
	/* once more: nothing to do */
	assert_int_equal(bind_it(), 0);
	assert_false(k->c.changed);
	assert_int_equal(unbind_it(), 0);
	has("nvme", "", NULL);
	assert_true(k->c.changed);
	assert_string_equal(k->c.from, "vfio-pci");
	assert_string_equal(k->c.to, "nvme");
	assert_int_equal(unbind_it(), 0);
	assert_false(k->c.changed);
	has("nvme", "", NULL);
}

/* The driver that it had gets it back, and not one that wants it by its ids. */
static void had_another(void **state)
{
	(void)state;
	driven_by("ahci");
	assert_int_equal(bind_it(), 0);
	has("vfio-pci", "vfio-pci", "ahci");
	assert_int_equal(unbind_it(), 0);
	has("ahci", "", NULL);
	/* however short its name is */
	add_driver("x");
	driven_by("x");
	assert_int_equal(bind_it(), 0);
	assert_int_equal(unbind_it(), 0);
	has("x", "", NULL);
}

static void had_none(void **state)
{
	(void)state;
	driven_by("");
	assert_int_equal(bind_it(), 0);
	has("vfio-pci", "vfio-pci", "");
	assert_int_equal(unbind_it(), 0);
	has("", "", NULL);
	assert_string_equal(k->c.to, "");
}

/* What it had is not known: the kernel chooses. */
static void had_unknown(void **state)
{
	(void)state;
	driven_by("vfio-pci");
	assert_int_equal(unbind_it(), 0);
	has("nvme", "", NULL);
	/* and none is an answer */
	driven_by("vfio-pci");
	k->ids = "";
	assert_int_equal(unbind_it(), 0);
	assert_string_equal(k->c.to, "");
	/* by its ids vfio-pci takes it again */
	driven_by("vfio-pci");
	k->ids = "vfio-pci";
	fails(unbind_it(), CAUSE_FAILED, "vfio-pci took it again by its ids",
	      "vfio_pci/parameters/ids");
}

/* A bind that fails leaves all as it was. */
static void vfio_refuses(void **state)
{
	(void)state;
	k->refuses = "vfio-pci";
	fails(bind_it(), CAUSE_FAILED, "vfio-pci did not take it", "dmesg | grep '0000:04:00.0'");
	assert_int_equal(k->e.err, ENODEV);
	has("nvme", "", NULL);
	/* an override that was there before stays */
	tree_text(&k->t, HOME "/driver_override", "ahci\n");
	fails(bind_it(), CAUSE_FAILED, "vfio-pci did not take it", "");
	has("nvme", "ahci", NULL);
}

static void driver_stays(void **state)
{
	(void)state;
	k->unbind_errno = EPERM;
	fails(bind_it(), CAUSE_PERMISSION, "its driver does not let go of it", "run it as root");
	has("nvme", "", NULL);
	k->unbind_errno = 0;
	assert_int_equal(bind_it(), 0);
	k->unbind_errno = EIO;
	fails(unbind_it(), CAUSE_FAILED, "vfio-pci does not let go of it", "");
	has("vfio-pci", "", "nvme");
	/* a second try finds all that it needs */
	k->unbind_errno = 0;
	assert_int_equal(unbind_it(), 0);
	has("nvme", "", NULL);
}

/* The driver went on its own while it was told to: the kernel knows no device to unbind. */
static void driver_is_gone_already(void **state)
{
	static const int gone[] = { ENODEV, ENOENT };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++) {
		k->unbind_errno = gone[i];
		assert_int_equal(bind_it(), 0);
		has("vfio-pci", "vfio-pci", "nvme");
		assert_int_equal(unbind_it(), 0);
		has("nvme", "", NULL);
	}
}

static void previous_refuses(void **state)
{
	(void)state;
	assert_int_equal(bind_it(), 0);
	k->refuses = "nvme";
	fails(unbind_it(), CAUSE_FAILED, "but nvme did not take it back: it has no driver",
	      "msictl unbind 04:00.0");
	/* remembered until it has it back */
	has("", "", "nvme");
	fails(unbind_it(), CAUSE_FAILED, "but nvme did not take it back",
	      "load nvme if it is a module");
	k->refuses = "-";
	assert_int_equal(unbind_it(), 0);
	has("nvme", "", NULL);
}

/* Without its node it could not be opened: it gets its driver back. */
static void no_node(void **state)
{
	char path[PATH_MAX];

	(void)state;
	unlink(tree_path(&k->t, "dev/vfio/9", path));
	assert_true(bind_it() < 0);
	assert_true(k->e.message[0]);
	has("nvme", "", NULL);
}

static void had_none_and_is_refused(void **state)
{
	(void)state;
	driven_by("");
	k->refuses = "vfio-pci";
	fails(bind_it(), CAUSE_FAILED, "vfio-pci did not take it", "dmesg");
	has("", "", NULL);
}

/* Whoever was quicker does not keep it. */
static void taken_meanwhile(void **state)
{
	(void)state;
	k->refuses = "vfio-pci";
	k->quicker = "ahci";
	fails(bind_it(), CAUSE_BUSY, "ahci took it before vfio-pci could", "msictl bind 04:00.0");
	has("nvme", "", NULL);
}

/* A member of the group that keeps it from being viable is named, in the first group too. */
static void group_is_not_viable(void **state)
{
	char path[PATH_MAX];

	(void)state;
	unlink(tree_path(&k->t, HOME "/iommu_group", path));
	tree_folder(&k->t, "sys/kernel/iommu_groups/0/devices/");
	tree_link(&k->t, HOME "/iommu_group", "../../../kernel/iommu_groups/0");
	tree_text(&k->t, "dev/vfio/0", "");
	tree_text(&k->t, "sys/devices/pci0000:00/0000:04:00.1/class", "0x020000\n");
	tree_link(&k->t, "sys/devices/pci0000:00/0000:04:00.1/driver",
		  "../../../bus/pci/drivers/ahci");
	tree_link(&k->t, "sys/bus/pci/devices/0000:04:00.1",
		  "../../../devices/pci0000:00/0000:04:00.1");
	tree_link(&k->t, "sys/kernel/iommu_groups/0/devices/0000:04:00.1",
		  "../../../../devices/pci0000:00/0000:04:00.1");
	if (bind_it())
		fail_msg("%s", k->e.message);
	assert_string_equal(
		k->c.note,
		"group 0 is not viable yet: 04:00.1 has ahci; msictl bind 04:00.1 frees it for "
		"VFIO");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(goes_and_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(had_another, setup, teardown),
		cmocka_unit_test_setup_teardown(had_none, setup, teardown),
		cmocka_unit_test_setup_teardown(had_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(vfio_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(driver_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(driver_is_gone_already, setup, teardown),
		cmocka_unit_test_setup_teardown(previous_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(no_node, setup, teardown),
		cmocka_unit_test_setup_teardown(had_none_and_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(taken_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(group_is_not_viable, setup, teardown),
	};

	return cmocka_run_group_tests_name("driver-kernel", tests, NULL, NULL);
}
