// SPDX-License-Identifier: GPL-2.0-or-later
/* A device by group and container, and the struct device on top of it. */
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "backends.h"
#include "device/handle.h"
#include "vfio-kernel.h"

static struct set_outcome outcome;

static void opens_and_closes(void **state)
{
	void *handle = opened(*state, &quiet);
	struct pci_addr a;

	assert_string_equal(k.log, "/dev/vfio/vfio /dev/vfio/7 STATUS JOIN IOMMU:3 0000:04:00.0");
	/* a program that msictl starts does not get the device */
	assert_int_equal(fcntl(k.device, F_GETFD), FD_CLOEXEC);
	assert_int_equal(vfio_group_backend.ops->address(handle, &a), 0);
	assert_int_equal(a.bus, 4);
	vfio_group_backend.close(handle);
	assert_false(is_open(k.device));
	assert_false(is_open(k.group));
	assert_false(is_open(k.container));
}

static void node_cannot_be_opened(void **state)
{
	k.node_errno = EACCES;
	refused(state, CAUSE_PERMISSION, "cannot open /dev/vfio/7", "chown $USER /dev/vfio/7");
	k.node_errno = ENOENT;
	refused(state, CAUSE_FAILED, "/dev/vfio/7 is not there", "ls -l /dev/vfio");
	k.node_errno = EBUSY;
	refused(state, CAUSE_BUSY, "IOMMU group 7 is open in another process",
		"fuser -v /dev/vfio/7");
	k.node_errno = EMFILE;
	refused(state, CAUSE_FAILED, "cannot open /dev/vfio/7", "");
}

static void group_is_refused(void **state)
{
	const struct tree *t = *state;

	k.api = VFIO_API_VERSION + 1;
	refused(state, CAUSE_FAILED, "VFIO API version 1, not 0", "");
	k.api = VFIO_API_VERSION;
	k.group_errno = EIO;
	refused(state, CAUSE_FAILED, "GROUP_GET_STATUS failed", "");
	k.group_errno = 0;
	k.status = 0;
	refused(state, CAUSE_NOT_VIABLE,
		"IOMMU group 7 is not viable: a member has a driver that is not VFIO's", "");
	linked(t, DEV "0000:04:00.1/driver", "/sys/bus/pci/drivers/e1000e");
	linked(t, "sys/kernel/iommu_groups/7/devices/0000:04:00.1", "/" DEV "0000:04:00.1");
	refused(state, CAUSE_NOT_VIABLE, "IOMMU group 7 is not viable: 04:00.1 has e1000e",
		"msictl bind 04:00.1");
}

/* Each type that the kernel has is tried; one without interrupt remapping is a matter of permission. */
static void iommu_is_chosen(void **state)
{
	k.type = VFIO_TYPE1_IOMMU;
	vfio_group_backend.close(opened(*state, &quiet));
	assert_non_null(strstr(k.log, "JOIN IOMMU:1 0000"));
	k.log[0] = '\0';
	k.type = VFIO_SPAPR_TCE_IOMMU;
	vfio_group_backend.close(opened(*state, &quiet));
	assert_non_null(strstr(k.log, "JOIN IOMMU:2 ENABLE 0000"));
	k.log[0] = '\0';
	k.type = VFIO_TYPE1v2_IOMMU;
	k.set_iommu_errno = EINVAL;
	vfio_group_backend.close(opened(*state, &quiet));
	assert_non_null(strstr(k.log, "JOIN IOMMU:3 IOMMU:1 0000"));
	k.log[0] = '\0';
	k.set_iommu_errno = EPERM;
	refused(state, CAUSE_PERMISSION, "this host has no interrupt remapping",
		"allow_unsafe_interrupts");
	assert_null(strstr(k.log, "IOMMU:1"));
	k.type = VFIO_NOIOMMU_IOMMU;
	refused(state, CAUSE_FAILED, "the container got no IOMMU", "");
}

static void noiommu_is_asked_for(void **state)
{
	const struct tree *t = *state;
	struct open_request req = { .spec = "04:00.0", .root = &t->root, .trace = &quiet };
	struct error e;
	void *handle;

	tree_text(t, "sys/kernel/iommu_groups/7/name", "vfio-noiommu\n");
	refused(state, CAUSE_PERMISSION, "has no IOMMU behind it", "--noiommu");
	assert_string_equal(k.log, "");
	k.type = VFIO_NOIOMMU_IOMMU;
	req.noiommu = true;
	assert_int_equal(vfio_group_backend.open(&req, &handle, &e), 0);
	assert_string_equal(k.log,
			    "/dev/vfio/vfio /dev/vfio/noiommu-7 STATUS JOIN IOMMU:8 0000:04:00.0");
	vfio_group_backend.close(handle);
}

static void wrong_driver(void **state)
{
	const struct tree *t = *state;
	char path[PATH_MAX];

	unlink(tree_path(t, DEV "0000:04:00.0/driver", path));
	refused(state, CAUSE_FAILED, "no driver is bound, vfio-pci is needed",
		"msictl bind 04:00.0");
	linked(t, DEV "0000:04:00.0/driver", "/sys/bus/pci/drivers/nvme");
	refused(state, CAUSE_BUSY, "driven by nvme, not by vfio-pci", "msictl bind 04:00.0");
	unlink(tree_path(t, DEV "0000:04:00.0/iommu_group", path));
	refused(state, CAUSE_BUSY, "driven by nvme", "msictl bind 04:00.0");
	unlink(tree_path(t, DEV "0000:04:00.0/driver", path));
	refused(state, CAUSE_NOT_VIABLE, "no IOMMU group", "intel_iommu=on");
	linked(t, DEV "0000:04:00.0/driver", "/sys/bus/pci/drivers/vfio-pci");
	refused(state, CAUSE_NOT_VIABLE, "no IOMMU group", "intel_iommu=on");
	assert_string_equal(k.log, "");
}

/* Two functions of a group: the group is opened once, and stays while either is open. */
static void siblings_share(void **state)
{
	const struct tree *t = *state;
	void *first = opened(t, &quiet), *second;
	int container = k.container, group = k.group;
	const struct sibling at[] = { { .backend = &vfio_group_backend, .handle = NULL },
				      { .backend = &vfio_group_backend, .handle = first } };
	struct open_request req = {
		.spec = "04:00.1", .root = &t->root, .trace = &quiet, .siblings = { at, 2 }
	};
	struct error e;

	linked(t, DEV "0000:04:00.1/driver", "/sys/bus/pci/drivers/vfio-pci");
	linked(t, DEV "0000:04:00.1/iommu_group", "/sys/kernel/iommu_groups/7");
	k.log[0] = '\0';
	/* its descriptor of the group is a duplicate */
	k.group = fcntl(group, F_DUPFD, 3);
	close(k.group);
	k.group = k.group + 1;
	assert_int_equal(vfio_group_backend.open(&req, &second, &e), 0);
	assert_string_equal(k.log, "0000:04:00.1");
	assert_int_equal(fcntl(k.group, F_GETFD), FD_CLOEXEC);
	vfio_group_backend.close(first);
	assert_false(is_open(container));
	assert_false(is_open(group));
	assert_true(is_open(k.group));
	vfio_group_backend.close(second);
	assert_false(is_open(k.group));
}

/* Without descriptors for the second nothing stays open of it, and the first one stays. */
static void siblings_and_no_descriptors(void **state)
{
	const struct tree *t = *state;
	void *first = opened(t, &quiet), *second = NULL;
	const struct sibling at[] = { { .backend = &vfio_group_backend, .handle = first } };
	struct open_request req = {
		.spec = "04:00.0", .root = &t->root, .trace = &quiet, .siblings = { at, 1 }
	};
	int next = dup(0);
	struct error e;

	close(next);
	for (k.failing_dup = 1; k.failing_dup <= 2; k.failing_dup++) {
		k.dups = 0;
		assert_int_equal(vfio_group_backend.open(&req, &second, &e), -EMFILE);
		assert_non_null(
			strstr(e.message, "the descriptors of IOMMU group 7 can't be shared"));
		assert_int_equal(e.cause, CAUSE_FAILED);
		assert_false(is_open(next));
	}
	assert_true(is_open(k.device));
	vfio_group_backend.close(first);
}

static void tells_of_device(void **state)
{
	void *handle = opened(*state, &quiet);
	struct device_info info;
	struct irq_info irq;
	struct error e;

	assert_int_equal(vfio_device_info(handle, &info, &e), 0);
	assert_int_equal(info.regions, 9);
	assert_int_equal(info.irqs, 5);
	assert_true(info.reset);
	k.device_flags = VFIO_DEVICE_FLAGS_PCI;
	assert_int_equal(vfio_device_info(handle, &info, &e), 0);
	assert_false(info.reset);
	k.device_flags = VFIO_DEVICE_FLAGS_PLATFORM;
	assert_true(vfio_device_info(handle, &info, &e) < 0);
	assert_non_null(strstr(e.message, "no PCI function"));
	assert_int_equal(vfio_irq_info(handle, IRQ_MSIX, &irq), 0);
	assert_int_equal(irq.count, 33);
	assert_int_equal(irq.flags, IRQ_EVENTFD | IRQ_NORESIZE);
	assert_int_equal(vfio_irq_info(handle, IRQ_ERR, &irq), -EINVAL);
	assert_int_equal(vfio_reset(handle), 0);
	assert_non_null(strstr(k.log, "RESET"));
	vfio_group_backend.close(handle);
}

static void sends_sets(void **state)
{
	void *handle = opened(*state, &quiet);
	struct irq_set set = {
		.index = IRQ_MSIX, .data = IRQ_DATA_EVENTFD, .start = 2, .count = 3
	};
	const int32_t eventfd[] = { 40, -1, 42 };

	assert_int_equal(vfio_set_irqs(handle, &set, eventfd, &outcome), 0);
	assert_string_equal(k.set, "index=2 start=2 count=3 flags=0x24: 40 -1 42");
	set.data = IRQ_DATA_BOOL;
	vector_set_add(&set.attach, 2);
	vector_set_add(&set.attach, 4);
	assert_int_equal(vfio_set_irqs(handle, &set, NULL, &outcome), 0);
	assert_string_equal(k.set, "index=2 start=2 count=3 flags=0x22: 1 0 1");
	set = (struct irq_set){
		.index = IRQ_INTX, .data = IRQ_DATA_NONE, .action = IRQ_ACTION_UNMASK, .count = 1
	};
	assert_int_equal(vfio_set_irqs(handle, &set, NULL, &outcome), 0);
	assert_string_equal(k.set, "index=0 start=0 count=1 flags=0x11:");
	k.irq_errno = ENOSPC;
	assert_int_equal(vfio_set_irqs(handle, &set, NULL, &outcome), -ENOSPC);
	vfio_group_backend.close(handle);
}

static void reaches_regions(void **state)
{
	void *handle = opened(*state, &quiet), *map;
	uint32_t word = 0x12345678, back = 0;

	assert_int_equal(vfio_region_write(handle, REGION_CONFIG, &word, 4, 0x10), 4);
	assert_int_equal(pread(k.device, &back, 4, (off_t)(MIB * (REGION_CONFIG + 1) + 0x10)), 4);
	assert_int_equal(back, word);
	back = 0;
	assert_int_equal(vfio_region_read(handle, REGION_CONFIG, &back, 4, 0x10), 4);
	assert_int_equal(back, word);
	/* to the last byte, and not beyond */
	assert_int_equal(vfio_region_write(handle, REGION_BAR0, &word, 4, REGION_SIZE - 4), 4);
	assert_int_equal(vfio_region_write(handle, REGION_BAR0, &word, 4, REGION_SIZE - 3),
			 -ERANGE);
	assert_int_equal(vfio_region_read(handle, REGION_BAR0, &word, 4, REGION_SIZE), -ERANGE);
	assert_int_equal(vfio_region_read(handle, REGION_BAR0, &word, 4, UINT64_MAX - 1), -ERANGE);
	assert_int_equal(vfio_region_map(handle, 2, REGION_SIZE, 4096, &map), -ERANGE);
	assert_int_equal(vfio_region_map(handle, 2, 4096, 4096, &map), 0);
	assert_int_equal(ftruncate(k.device, (off_t)MIB * 16), 0);
	*(uint32_t *)map = word;
	assert_int_equal(munmap(map, 4096), 0);
	back = 0;
	assert_int_equal(vfio_region_read(handle, 2, &back, 4, 4096), 4);
	assert_int_equal(back, word);
	assert_int_equal(vfio_region_map(handle, 2, 1, 4096, &map), -EINVAL);
	vfio_group_backend.close(handle);
}

static void knows_regions(void **state)
{
	void *handle = opened(*state, &quiet);
	struct region_info info;

	assert_int_equal(vfio_region_info(handle, REGION_ROM, &info), 0);
	assert_true(info.read && !info.write && !info.map && !info.msix_mappable);
	assert_int_equal(info.size, REGION_SIZE);
	assert_int_equal(vfio_region_info(handle, 2, &info), 0);
	assert_true(info.read && info.write && info.map && info.msix_mappable);
	/* a chain that goes in a circle, or behind the end, ends */
	k.cap_next = CAP_OFFSET;
	assert_int_equal(vfio_region_info(handle, 2, &info), 0);
	assert_true(info.msix_mappable);
	/* a kernel that wants more than any region takes is not given it */
	k.argsz = 1u << 30;
	assert_int_equal(vfio_region_info(handle, 2, &info), 0);
	assert_false(info.msix_mappable);
	vfio_group_backend.close(handle);
}

static void is_traced(void **state)
{
	void *handle = opened(*state, &loud);
	struct irq_set set = { .index = IRQ_MSIX, .data = IRQ_DATA_NONE };
	struct device_info info;
	struct irq_info irq;
	struct error e;
	uint16_t word = 6;
	static const char *const lines[] = {
		"VFIO_GET_API_VERSION() = 0 (",
		"VFIO_GROUP_GET_STATUS() = 0 {flags=VIABLE} (",
		"VFIO_CHECK_EXTENSION(TYPE1v2) = 1 (",
		"VFIO_SET_IOMMU(TYPE1v2) = 0 (",
		"VFIO_GROUP_GET_DEVICE_FD(0000:04:00.0) = ",
		"VFIO_DEVICE_GET_INFO() = 0 {regions=9 irqs=5 flags=RESET|PCI} (",
		"VFIO_DEVICE_GET_IRQ_INFO(msix) = 0 {count=33 flags=EVENTFD|NORESIZE} (",
		"VFIO_DEVICE_GET_IRQ_INFO(err) = -1 EINVAL (",
		"VFIO_DEVICE_SET_IRQS(index=msix start=0 count=0 DATA_NONE|ACTION_TRIGGER) = 0 (",
		"VFIO_DEVICE_GET_REGION_INFO(config) = 0 {size=0x2000 offset=0x800000 flags=READ|WRITE} (",
		"pwrite(config offset=0x4 size=2 value=0x0006) = 2 (",
		"pread(config offset=0x4 size=2) = 2 {0x0006} (",
		"VFIO_DEVICE_GET_REGION_INFO(bar2) = 0 {",
		"mmap(bar2 offset=0x1000 size=4096) = 0 (",
		"mmap(bar2 offset=0x1 size=4096) = -1 EINVAL (",
		"VFIO_DEVICE_RESET() = 0 (",
	};
	const char *at = k.trace;
	void *map;

	assert_int_equal(vfio_device_info(handle, &info, &e), 0);
	assert_int_equal(vfio_irq_info(handle, IRQ_MSIX, &irq), 0);
	vfio_irq_info(handle, IRQ_ERR, &irq);
	assert_int_equal(vfio_set_irqs(handle, &set, NULL, &outcome), 0);
	assert_int_equal(vfio_region_write(handle, REGION_CONFIG, &word, 2, 4), 2);
	assert_int_equal(vfio_region_read(handle, REGION_CONFIG, &word, 2, 4), 2);
	assert_int_equal(vfio_region_map(handle, 2, 4096, 4096, &map), 0);
	assert_int_equal(munmap(map, 4096), 0);
	assert_int_equal(vfio_region_map(handle, 2, 1, 4096, &map), -EINVAL);
	assert_int_equal(vfio_reset(handle), 0);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const char *found = strstr(at, lines[i]);

		if (!found)
			fail_msg("no \"%s\" in order in:\n%s", lines[i], k.trace);
		at = found ? found : "";
	}
	vfio_group_backend.close(handle);
}

/* ---- a device on top of it */

static unsigned int releases, heard;

static void counted(void *ctx, struct index *ix, struct vector *v, uint64_t n)
{
	(void)ctx, (void)ix, (void)v, (void)n;
	heard++;
}

static void released(void *ctx)
{
	(void)ctx;
	releases++;
}

struct opened {
	struct device *d;
	struct loop *loop;
	struct root root;
	struct error e;
	int rc;
};

static struct opened device(const struct tree *t, const char *spec, bool live)
{
	const struct device_events ev = { .released = released, .counted = counted };
	static struct opened o;
	struct open_request req = {
		.spec = spec, .backends = backends, .root = &o.root, .trace = &quiet
	};

	o = (struct opened){ .root = t->root };
	o.root.live = live;
	releases = 0;
	k.set[0] = '\0';
	assert_int_equal(loop_new(&o.loop), 0);
	o.rc = device_open(&o.d, &req, o.loop, &ev, &o.e);
	return o;
}

static void done(struct opened *o)
{
	device_close(o->d);
	loop_free(o->loop);
	assert_false(is_open(k.device) || is_open(k.group) || is_open(k.container));
}

static void no_device(const struct tree *t, const char *spec, bool live, enum cause cause,
		      const char *message)
{
	struct opened o = device(t, spec, live);

	assert_true(o.rc < 0);
	if (!strstr(o.e.message, message))
		fail_msg("expected \"%s\" in \"%s\"", message, o.e.message);
	assert_int_equal(o.e.cause, cause);
	assert_null(o.d);
	done(&o);
}

static void device_opens(void **state)
{
	struct opened o = device(*state, "04:00.0", true);

	assert_int_equal(o.rc, 0);
	assert_string_equal(o.d->name, "04:00.0");
	assert_true(o.d->has_addr);
	/* it hears from the begin that the kernel wants it back */
	assert_non_null(strstr(k.set, "index=4 start=0 count=1 flags=0x24: "));
	assert_true(o.d->irq[IRQ_REQ].vector[0]->armed);
	assert_int_equal(o.d->irq[IRQ_MSIX].info.count, 33);
	assert_null(device_index(o.d, IRQ_ERR, &o.e));
	assert_string_equal(o.e.message, "the device has no err: it is not PCI Express");
	assert_non_null(device_index(o.d, IRQ_MSI, &o.e));
	done(&o);
	/* at the end it is not heard any more */
	assert_string_equal(k.set, "index=4 start=0 count=0 flags=0x21:");
	assert_int_equal(releases, 0);
}

/* By REQ, or by word of the kernel's events: let go at once. */
static void device_goes_back(void **state)
{
	for (int by_req = 0; by_req < 2; by_req++) {
		struct opened o = device(*state, "04:00.0", true);

		assert_int_equal(o.rc, 0);
		if (by_req) {
			assert_int_equal(eventfd_write(o.d->irq[IRQ_REQ].vector[0]->source.fd, 1),
					 0);
			assert_true(loop_wait(o.loop, 0) >= 0);
		} else {
			device_requested(o.d);
		}
		assert_int_equal(releases, 1);
		assert_false(is_open(k.device) || is_open(k.group));
		assert_true(device_here(o.d, &o.e) < 0);
		assert_string_equal(o.e.message, "the kernel took the device back");
		device_requested(o.d);
		assert_int_equal(releases, 1);
		done(&o);
	}
}

/* Whoever closes the device has nothing more to hear of it. */
static void device_closes_silently(void **state)
{
	struct opened o = device(*state, "04:00.0", true);
	struct vector_set one = { .bits = { 1 } };
	struct change c = { 0 };

	assert_int_equal(o.rc, 0);
	assert_int_equal(device_enable(o.d, IRQ_MSI, &one, (struct change_how){ 0 }, &c, &o.e), 0);
	heard = 0;
	assert_int_equal(eventfd_write(o.d->irq[IRQ_MSI].vector[0]->source.fd, 1), 0);
	assert_true(loop_wait(o.loop, 0) >= 0);
	assert_int_equal(heard, 1);
	assert_int_equal(eventfd_write(o.d->irq[IRQ_MSI].vector[0]->source.fd, 1), 0);
	done(&o);
	assert_int_equal(heard, 1);
}

static void device_without_req(void **state)
{
	struct opened o;

	k.vectors[IRQ_REQ] = 0;
	o = device(*state, "04:00.0", true);
	assert_int_equal(o.rc, 0);
	assert_string_equal(k.set, "");
	assert_null(device_index(o.d, IRQ_REQ, &o.e));
	assert_string_equal(o.e.message, "the device has no req");
	done(&o);
}

static void device_does_not_open(void **state)
{
	const struct tree *t = *state;

	no_device(t, "04:00.0", false, CAUSE_FAILED, "a captured tree has no device to open");
	no_device(t, "nonsense", true, CAUSE_USAGE, "nonsense");
	no_device(t, "04:00.7", true, CAUSE_NO_DEVICE, "");
	k.vectors[IRQ_INTX] = 2;
	no_device(t, "04:00.0", true, CAUSE_FAILED, "it has 2 vectors of intx, PCI allows 1");
	k.vectors[IRQ_INTX] = 1;
	k.vectors[IRQ_MSI] = 33;
	no_device(t, "04:00.0", true, CAUSE_FAILED, "it has 33 vectors of msi, PCI allows 32");
	k.vectors[IRQ_MSI] = 32;
	k.vectors[IRQ_MSIX] = 2049;
	no_device(t, "04:00.0", true, CAUSE_FAILED, "it has 2049 vectors of msix, PCI allows 2048");
	k.vectors[IRQ_MSIX] = 2048;
	k.info_errno = EIO;
	no_device(t, "04:00.0", true, CAUSE_FAILED, "VFIO_DEVICE_GET_IRQ_INFO failed");
	k.info_errno = 0;
	k.irq_errno = EPERM;
	no_device(t, "04:00.0", true, CAUSE_PERMISSION,
		  "cannot listen to the kernel's requests (REQ)");
	k.device_flags = 0;
	no_device(t, "04:00.0", true, CAUSE_FAILED, "the VFIO device is no PCI function");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(opens_and_closes, setup, teardown),
		cmocka_unit_test_setup_teardown(node_cannot_be_opened, setup, teardown),
		cmocka_unit_test_setup_teardown(group_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(iommu_is_chosen, setup, teardown),
		cmocka_unit_test_setup_teardown(noiommu_is_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_driver, setup, teardown),
		cmocka_unit_test_setup_teardown(siblings_share, setup, teardown),
		cmocka_unit_test_setup_teardown(siblings_and_no_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_of_device, setup, teardown),
		cmocka_unit_test_setup_teardown(sends_sets, setup, teardown),
		cmocka_unit_test_setup_teardown(reaches_regions, setup, teardown),
		cmocka_unit_test_setup_teardown(knows_regions, setup, teardown),
		cmocka_unit_test_setup_teardown(is_traced, setup, teardown),
		cmocka_unit_test_setup_teardown(device_opens, setup, teardown),
		cmocka_unit_test_setup_teardown(device_goes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(device_closes_silently, setup, teardown),
		cmocka_unit_test_setup_teardown(device_without_req, setup, teardown),
		cmocka_unit_test_setup_teardown(device_does_not_open, setup, teardown),
	};

	return cmocka_run_group_tests_name("vfio", tests, NULL, NULL);
}
