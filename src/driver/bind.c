// SPDX-License-Identifier: GPL-2.0-or-later
#include "driver/bind.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "driver/internal.h"
#include "host/function.h"
#include "host/group-holder.h"
#include "host/group-node.h"

#define VFIO_DRIVER "vfio-pci"
#define DEVICES	    "sys/bus/pci/devices"
#define DRIVERS	    "sys/bus/pci/drivers"

/* PCI Code and ID Assignment 1.11, section 1.7: base class 06h is a bridge. */
#define BASE_CLASS_BRIDGE 0x06

struct job {
	const struct root *r;
	const struct pci_addr *a;
	const struct trace *t;
	char bdf[PCI_ADDR_LEN], name[PCI_ADDR_LEN]; /* full, short */
	struct function f;			    /* as it was at first */
	char *override;				    /* the same, owned */
	struct driver_change *c;
};

static int not_permitted(int rc, const char *what, struct error *e)
{
	rc = fail(e, cause_of_errno(-rc), -rc, "%s", what);
	if (rc == -EACCES || rc == -EPERM)
		hint(e, "run it as root");
	return rc;
}

static int job_begin(struct job *j, const struct root *r, const struct pci_addr *a,
		     const struct trace *t, struct driver_change *c, struct error *e)
{
	int rc;

	*j = (struct job){ .r = r, .a = a, .t = t, .c = c };
	*c = (struct driver_change){ 0 };
	pci_addr_full(a, j->bdf);
	pci_addr_short(a, j->name);
	if (!r->live)
		return fail(e, CAUSE_FAILED, EROFS, "a captured tree has no driver to change");
	rc = function_read(r, a, &j->f, e);
	if (rc)
		return rc;
	/*
	 * it could not be put back; where there is no such file, the first write to it is refused
	 */
	rc = function_override(r, a, &j->override);
	return root_unread(rc) ? not_permitted(rc, "driver_override cannot be read", e) : 0;
}

static void job_end(struct job *j)
{
	free(j->override);
}

/* What driver_override names, "" when nothing. */
static const char * override(const struct job *j)
{
	return j->override ? j->override : "";
}

static const char *driver_word(const char *driver)
{
	return driver[0] ? driver : "no driver";
}

/* One write to sysfs: told in a dry run, traced otherwise. */
static int store(const struct job *j, const char *path, const char *text)
{
	_cleanup_free_ char *detail = NULL;
	uint64_t begin;
	int rc;

	if (asprintf(&detail, "/%s: %s", path, text[0] == '\n' ? "\\n" : text) < 0) {
		detail = NULL;
		return -ENOMEM;
	}
	if (trace_would(j->t, "write", detail))
		return 0;
	begin = now_us();
	rc = root_write(j->r, text, "%s", path);
	trace_call(j->t, "write", detail, rc, now_us() - begin);
	return rc;
}

/*
 * Documentation/ABI/testing/sysfs-bus-pci: a newline alone clears it, an empty write does not reach
 * the kernel.
 */
static int store_override(const struct job *j, const char *driver)
{
	char path[96];

	snprintf(path, sizeof(path), DEVICES "/%s/driver_override", j->bdf);
	return store(j, path, driver[0] ? driver : "\n");
}

static int store_unbind(const struct job *j)
{
	char path[96];

	snprintf(path, sizeof(path), DEVICES "/%s/driver/unbind", j->bdf);
	return store(j, path, j->bdf);
}

static int store_probe(const struct job *j)
{
	return store(j, "sys/bus/pci/drivers_probe", j->bdf);
}

/* To one driver by name; where it is not loaded, to whichever wants the function. */
static int store_bind(const struct job *j, const char *driver)
{
	char path[sizeof(DRIVERS "//bind") + NAME_MAX];

	if (!driver[0] || !root_exists(j->r, DRIVERS "/%s/bind", driver))
		return store_probe(j);
	snprintf(path, sizeof(path), DRIVERS "/%s/bind", driver);
	return store(j, path, j->bdf);
}

/* The driver that the function has now, "" for none. 0; -errno: that can't be looked at. */
static int driver_now(const struct job *j, char *buf, size_t size)
{
	int rc = root_link(j->r, buf, size, DEVICES "/%s/driver", j->bdf);

	if (rc < 0)
		buf[0] = '\0';
	return root_unread(rc) ? rc : 0;
}

/* ---- may it be bound? */

static bool any_iommu(const struct root *r)
{
	_cleanup_root_dir_ struct root_dir *dir = root_opendir(r, "sys/class/iommu");
	struct dirent *entry;
	bool any = false;

	while (dir && !any && (entry = root_next(dir)))
		any = entry->d_name[0] != '.';
	return any;
}

static bool noiommu_allowed(const struct root *r)
{
	char text[8];

	return root_text(r, text, sizeof(text),
			 "sys/module/vfio/parameters/enable_unsafe_noiommu_mode") > 0 &&
	       text[0] == 'Y';
}

static int judge_bind(const struct job *j, bool force, struct error *e)
{
	int rc;

	/* vfio_pci_probe() answers EINVAL to anything but a normal header */
	if (j->f.class >> 16 == BASE_CLASS_BRIDGE || j->f.caps.header_type == 1 ||
	    j->f.caps.header_type == 2)
		return fail(e, CAUSE_FAILED, 0,
			    "it is a bridge, and " VFIO_DRIVER " takes no bridges");
	if (!root_exists(j->r, DRIVERS "/" VFIO_DRIVER)) {
		rc = fail(e, CAUSE_FAILED, ENOENT, "the driver " VFIO_DRIVER " is not loaded");
		hint(e, "modprobe " VFIO_DRIVER);
		return rc;
	}
	if (!groups_offered(j->r))
		return groups_refuse(j->r, NULL, e);
	/*
	 * from a device tree the group comes only with a driver, so its absence tells nothing where
	 * an IOMMU is
	 */
	if (j->f.group < 0 && !any_iommu(j->r) && !noiommu_allowed(j->r))
		return group_missing(e);
	return force ? 0 : driver_in_use(j->r, j->a, e);
}

/*
 * A refusal for what is not there, when something could not be looked at, is no refusal but a
 * failure to look.
 */
static int check_bind(const struct job *j, bool force, struct error *e)
{
	unsigned int misses = root_misses(j->r);
	int rc = judge_bind(j, force, e);

	return root_missed(j->r, misses) ? root_fail_missed(j->r, e) : rc;
}

/* ---- to vfio-pci */

static int remember(const struct job *j, struct error *e)
{
	char detail[64 + ROOT_NAME];
	int rc;

	snprintf(detail, sizeof(detail), "/run/msictl/former/%s: %s", j->bdf, j->f.driver);
	if (trace_would(j->t, "write", detail))
		return 0;
	rc = previous_save(j->r, j->a, j->f.driver);
	return rc ? not_permitted(rc, "the former driver cannot be noted in /run/msictl/former", e)
		  : 0;
}

/* As it was, as far as that goes; called after a failure whose sentence is written already. */
static void put_back(const struct job *j)
{
	char now[ROOT_NAME];

	store_override(j, override(j));
	driver_now(j, now, sizeof(now));
	if (now[0] && strcmp(now, j->f.driver) != 0)
		store_unbind(j);
	if (j->f.driver[0] && strcmp(now, j->f.driver) != 0)
		store_bind(j, j->f.driver);
	if (!j->t->dry_run)
		previous_forget(j->r, j->a);
}

static int explain_probe(const struct job *j, int probed, struct error *e)
{
	struct function now;
	int rc = function_read(j->r, j->a, &now, e);

	if (rc)
		return rc;
	if (now.group < 0)
		return group_missing(e);
	if (now.driver[0]) {
		rc = fail(e, CAUSE_BUSY, EBUSY, "%s took it before " VFIO_DRIVER " could",
			  now.driver);
		hint(e, "msictl bind %s", j->name);
		return rc;
	}
	rc = fail(e, CAUSE_FAILED, probed < 0 ? -probed : 0, VFIO_DRIVER " did not take it");
	hint(e, "dmesg | grep '%s'", j->bdf);
	return rc;
}

static int take(const struct job *j, struct error *e)
{
	char now[ROOT_NAME];
	int rc = store_override(j, VFIO_DRIVER);

	if (rc)
		return not_permitted(rc, "driver_override cannot be written", e);
	if (j->f.driver[0]) {
		rc = store_unbind(j);
		if (rc && rc != -ENODEV && rc != -ENOENT)
			return not_permitted(rc, "its driver does not let go of it", e);
	}
	rc = store_probe(j);
	if (j->t->dry_run)
		return 0;
	if (driver_now(j, now, sizeof(now)))
		return root_fail_missed(j->r, e);
	return strcmp(now, VFIO_DRIVER) ? explain_probe(j, rc, e) : 0;
}

static int wait_for_node(const struct job *j, uint64_t timeout_us, struct error *e)
{
	struct function now;
	char node[GROUP_NODE];
	bool noiommu;
	int rc;

	if (j->t->dry_run)
		return 0;
	rc = function_read(j->r, j->a, &now, e);
	if (rc)
		return rc;
	if (now.group < 0)
		return group_missing(e);
	/*
	 * the kernel has made what it makes when the driver took the function: nothing to wait for
	 */
	if (!groups_offered(j->r))
		return groups_refuse(j->r, j->a, e);
	noiommu = now.noiommu;
	rc = node_wait(j->r, now.group, noiommu, timeout_us);
	if (rc == -ETIMEDOUT)
		return node_refuse(j->r, j->a, group_node(now.group, noiommu, node), ETIMEDOUT, e);
	if (rc)
		return fail(e, CAUSE_FAILED, -rc, "/dev/vfio/%s cannot be waited for",
			    group_node(now.group, noiommu, node));
	return 0;
}

/* drivers/vfio/group.c vfio_noiommu_group_alloc(): the kernel is tainted (TAINT_USER). */
static void note_unsafe(const struct job *j, const struct function *now)
{
	/* Documentation/admin-guide/tainted-kernels.rst */
	const uint64_t taint_user = 1 << 6;
	uint64_t tainted;

	if (!now->noiommu)
		return;
	snprintf(
		j->c->note, sizeof(j->c->note),
		"unsafe noiommu mode: no IOMMU keeps the device from the host's memory; commands that open the device "
		"need --noiommu");
	if (!root_number(j->r, &tainted, "proc/sys/kernel/tainted") && tainted & taint_user)
		append(j->c->note, sizeof(j->c->note),
		       "; the kernel is tainted (U) until the next boot");
}

/* Other functions of the group can still stand in the way: better said now than by open. */
static void note_members(const struct job *j, int group)
{
	_cleanup_free_ struct group_member *m = NULL;
	char name[PCI_ADDR_LEN], driver[ROOT_NAME_ESCAPED];
	ssize_t n = group_members(j->r, group, &m);

	for (ssize_t i = 0; i < n; i++) {
		if (!m[i].blocks || !pci_addr_cmp(&m[i].addr, j->a))
			continue;
		snprintf(j->c->note, sizeof(j->c->note),
			 "group %d is not viable yet: %s has %s; msictl bind %s frees it for VFIO",
			 group, pci_addr_short(&m[i].addr, name),
			 escape_text(m[i].driver, driver, sizeof(driver)), name);
		return;
	}
}

static void note_group(const struct job *j)
{
	struct function now;
	struct error ignored;

	if (function_read(j->r, j->a, &now, &ignored))
		return;
	if (now.group >= 0) {
		note_unsafe(j, &now); /* a group of one: no other member to tell of */
		note_members(j, now.group);
	} else if (j->t->dry_run && j->c->changed && !any_iommu(j->r) && noiommu_allowed(j->r)) {
		snprintf(j->c->note, sizeof(j->c->note),
			 "there is no IOMMU group: " VFIO_DRIVER
			 " would take it in unsafe noiommu mode, and taint the "
			 "kernel");
	}
}

int driver_bind(const struct root *r, const struct pci_addr *a, bool force, uint64_t timeout_us,
		const struct trace *t, struct driver_change *c, struct error *e)
{
	_cleanup_(job_end) struct job j;
	int rc = job_begin(&j, r, a, t, c, e);

	if (rc)
		return rc;
	copy_text(c->from, sizeof(c->from), j.f.driver);
	copy_text(c->to, sizeof(c->to), VFIO_DRIVER);
	c->changed = strcmp(j.f.driver, VFIO_DRIVER) != 0;
	if (c->changed) {
		rc = check_bind(&j, force, e);
		if (rc == 0)
			rc = remember(&j, e);
		if (rc)
			return rc;
		rc = take(&j, e);
	}
	if (rc == 0)
		rc = wait_for_node(&j, timeout_us, e);
	if (rc) {
		if (c->changed)
			put_back(&j);
		return rc;
	}
	note_group(&j);
	return 0;
}

/* ---- and back */

/*
 * Writing to unbind would block, beyond reach of a signal, until the holder closes the device
 * (measured).
 */
static int check_held(const struct job *j, struct error *e)
{
	struct group_holder h = { 0 };
	int rc;

	if (j->f.group < 0 || strcmp(j->f.driver, VFIO_DRIVER) != 0)
		return 0;
	rc = group_holder(j->r, j->f.group, &h);
	if (rc == 0)
		return group_refuse(j->f.group, &h, e);
	if (root_exhausted(rc))
		return fail(e, CAUSE_FAILED, -rc,
			    "whether a process holds IOMMU group %d cannot be seen", j->f.group);
	return 0;
}

/* Nothing is vfio-pci's here; what a bind left behind is cleared all the same. */
static int already_back(const struct job *j, struct error *e)
{
	int rc;

	copy_text(j->c->to, sizeof(j->c->to), j->f.driver);
	if (!j->t->dry_run)
		previous_forget(j->r, j->a);
	if (strcmp(override(j), VFIO_DRIVER) != 0)
		return 0;
	rc = store_override(j, "");
	if (rc)
		return not_permitted(rc, "driver_override cannot be written", e);
	snprintf(j->c->note, sizeof(j->c->note),
		 "driver_override named " VFIO_DRIVER " still, and was cleared");
	return 0;
}

static int explain_return(const struct job *j, const char *former, struct error *e)
{
	const char *now = j->c->to;
	int rc;

	if (!strcmp(now, VFIO_DRIVER)) {
		rc = fail(e, CAUSE_FAILED, 0, VFIO_DRIVER " took it again by its ids");
		hint(e, "cat /sys/module/vfio_pci/parameters/ids; cat /proc/cmdline");
		return rc;
	}
	rc = fail(e, CAUSE_FAILED, 0,
		  "it was taken from " VFIO_DRIVER ", but %s did not take it back: it has %s",
		  former, driver_word(now));
	hint(e, "load %s if it is a module, then: msictl unbind %s", former, j->name);
	return rc;
}

/* @known: what it had is remembered, "" meaning none. */
static int give_back(const struct job *j, bool known, const char *former, struct error *e)
{
	int rc = store_override(j, "");

	if (rc)
		return not_permitted(rc, "driver_override cannot be written", e);
	if (j->f.driver[0]) {
		rc = store_unbind(j);
		if (rc && rc != -ENODEV && rc != -ENOENT)
			return not_permitted(rc, VFIO_DRIVER " does not let go of it", e);
	}
	/*
	 * judged by the link it leaves, not by its return value: drivers_probe has several for
	 * "nobody wants it"
	 */
	if (!known || former[0])
		store_bind(j, former);
	if (j->t->dry_run) {
		copy_text(j->c->to, sizeof(j->c->to), former);
		return 0;
	}
	if (driver_now(j, j->c->to, sizeof(j->c->to)))
		return root_fail_missed(j->r, e);
	if (known ? strcmp(j->c->to, former) != 0 : !strcmp(j->c->to, VFIO_DRIVER))
		return explain_return(j, former, e);
	previous_forget(j->r, j->a);
	return 0;
}

int driver_unbind(const struct root *r, const struct pci_addr *a, const struct trace *t,
		  struct driver_change *c, struct error *e)
{
	_cleanup_(job_end) struct job j;
	char former[ROOT_NAME] = "";
	bool known;
	int rc = job_begin(&j, r, a, t, c, e);

	if (rc)
		return rc;
	copy_text(c->from, sizeof(c->from), j.f.driver);
	rc = previous_load(r, a, former, sizeof(former));
	known = rc == 0;
	if (rc == -EINVAL || rc == -EPERM)
		snprintf(c->note, sizeof(c->note),
			 "/run/msictl/former/%s is not to be trusted, and was not used", j.bdf);
	else if (root_unread(rc))
		return not_permitted(
			rc, "the driver that it had cannot be read from /run/msictl/former", e);
	/* another driver's, or nobody's and nothing to give it to */
	if (strcmp(j.f.driver, VFIO_DRIVER) != 0 && (j.f.driver[0] || !known || !former[0]))
		return already_back(&j, e);
	rc = check_held(&j, e);
	if (rc)
		return rc;
	c->changed = true;
	return give_back(&j, known, former, e);
}
