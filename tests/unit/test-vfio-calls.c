// SPDX-License-Identifier: GPL-2.0-or-later
/* What becomes of each call of the kernel's VFIO that fails, and of answers at their limits. */
#include "no-memory.h"
#include "vfio-kernel.h"

static struct set_outcome outcome;

static void nodes_are_missing(void **state)
{
	k.container_errno = ENOENT;
	refused(state, CAUSE_FAILED, "there is no /dev/vfio/vfio", "grep VFIO_CONTAINER=");
	assert_string_equal(k.log, "/dev/vfio/vfio");
	k.container_errno = EACCES;
	refused(state, CAUSE_PERMISSION, "cannot open /dev/vfio/vfio",
		"chown $USER /dev/vfio/vfio");
	k.container_errno = EBUSY;
	refused(state, CAUSE_BUSY, "cannot open /dev/vfio/vfio", "");
}

/* Each step that is refused ends the way, with the kernel's errno and a cause. */
static void steps_are_refused(void **state)
{
	static const struct {
		int err;
		enum cause cause;
	} cases[] = { { EPERM, CAUSE_PERMISSION },
		      { EACCES, CAUSE_PERMISSION },
		      { EBUSY, CAUSE_BUSY },
		      { EIO, CAUSE_FAILED } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error e;
		void *handle;

		k.join_errno = cases[i].err;
		refused(state, cases[i].cause, "the group could not join a container", "");
		assert_int_equal(open_it(*state, &quiet, &handle, &e), -cases[i].err);
		assert_int_equal(e.err, cases[i].err);
		k.join_errno = 0;
		k.group_errno = cases[i].err;
		refused(state, cases[i].cause, "VFIO_GROUP_GET_STATUS failed", "");
		assert_int_equal(open_it(*state, &quiet, &handle, &e), -cases[i].err);
		assert_int_equal(e.err, cases[i].err);
		k.group_errno = 0;
		k.give_errno = cases[i].err;
		refused(state, cases[i].cause, "VFIO gives no descriptor for 0000:04:00.0", "");
		assert_int_equal(open_it(*state, &quiet, &handle, &e), -cases[i].err);
		assert_int_equal(e.err, cases[i].err);
		k.give_errno = 0;
	}
}

/* An IOMMU that can't be enabled is none; the other types that the kernel has are tried. */
static void enabling_fails(void **state)
{
	struct error e;
	void *handle;

	k.type = VFIO_SPAPR_TCE_IOMMU;
	k.enable_errno = EINVAL;
	refused(state, CAUSE_FAILED, "the container got no IOMMU", "");
	assert_int_equal(open_it(*state, &quiet, &handle, &e), -EINVAL);
	assert_int_equal(e.err, EINVAL);
	assert_string_equal(e.message, "the container got no IOMMU");
	k.enable_errno = EPERM;
	refused(state, CAUSE_PERMISSION, "no interrupt remapping", "allow_unsafe_interrupts");
	/* a kernel that has none of the types */
	k.type = 0;
	assert_int_equal(open_it(*state, &quiet, &handle, &e), -ENODEV);
	assert_string_equal(e.message, "the container got no IOMMU");
	assert_int_equal(e.cause, CAUSE_FAILED);
}

/* Each type, and what SPAPR needs beyond it: of the second version nothing. */
static void types(void **state)
{
	static const struct {
		unsigned long type;
		const char *log;
	} cases[] = {
		{ VFIO_SPAPR_TCE_v2_IOMMU, "JOIN IOMMU:7 0000" },
		{ VFIO_SPAPR_TCE_IOMMU, "JOIN IOMMU:2 ENABLE 0000" },
		{ VFIO_TYPE1v2_IOMMU, "JOIN IOMMU:3 0000" },
		{ VFIO_TYPE1_IOMMU, "JOIN IOMMU:1 0000" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		k.type = cases[i].type;
		k.log[0] = '\0';
		vfio_group_backend.close(opened(*state, &quiet));
		assert_non_null(strstr(k.log, cases[i].log));
	}
}

/* Who has the group is told, and when it is msictl's own holder, how to have it hold this function too. */
static void somebody_has_the_group(void **state)
{
	const struct tree *t = *state;
	struct error e;
	void *handle;

	k.node_errno = EBUSY;
	tree_link(t, "proc/4242/fd/9", "/dev/vfio/7");
	tree_text(t, "proc/4242/comm", "qemu-system-x86\n");
	refused(state, CAUSE_BUSY, "IOMMU group 7 is held by pid 4242 (qemu-system-x86)", "");
	assert_int_equal(open_it(t, &quiet, &handle, &e), -EBUSY);
	assert_null(strstr(e.hint, "lets pid"));
	/* no holder of ours answers: nothing is said of holding this function */
	tree_text(t, "proc/4242/comm", "msictl\n");
	refused(state, CAUSE_BUSY, "IOMMU group 7 is held by pid 4242 (msictl)", "");
	assert_int_equal(open_it(t, &quiet, &handle, &e), -EBUSY);
	assert_null(strstr(e.hint, "lets pid"));
}

/* All members that stand in the way are named; the hint is about the first one. */
static void group_of_many(void **state)
{
	static const char *const drivers[] = { NULL, "e1000e", "vfio-pci", "nvme" };
	const struct tree *t = *state;
	char path[128], target[64];
	struct error e;
	void *handle;

	k.status = VFIO_GROUP_FLAGS_CONTAINER_SET;
	for (unsigned int i = 1; i < ARRAY_SIZE(drivers); i++) {
		snprintf(path, sizeof(path), DEV "0000:04:00.%u/vendor", i);
		tree_text(t, path, "0x1b36\n");
		snprintf(path, sizeof(path), DEV "0000:04:00.%u/class", i);
		tree_text(t, path, "0x020000\n");
		snprintf(path, sizeof(path), DEV "0000:04:00.%u/driver", i);
		snprintf(target, sizeof(target), "/sys/bus/pci/drivers/%s", drivers[i]);
		linked(t, path, target);
		snprintf(path, sizeof(path), "sys/kernel/iommu_groups/7/devices/0000:04:00.%u", i);
		snprintf(target, sizeof(target), "/" DEV "0000:04:00.%u", i);
		linked(t, path, target);
	}
	assert_int_equal(open_it(t, &quiet, &handle, &e), -EPERM);
	assert_int_equal(e.cause, CAUSE_NOT_VIABLE);
	assert_int_equal(e.err, EPERM);
	assert_string_equal(e.message,
			    "IOMMU group 7 is not viable: 04:00.1 has e1000e, 04:00.3 has nvme");
	assert_string_equal(
		e.hint,
		"msictl bind 04:00.1   (every member must be on vfio-pci or without a driver)");
}

/* Only an open function of the same group is one to share with. */
static void no_siblings(void **state)
{
	static const struct backend another = { .name = "another" };
	const struct tree *t = *state;
	void *first = opened(t, &quiet), *second;
	const struct sibling at[] = { { .backend = &another, .handle = first },
				      { .backend = &vfio_group_backend, .handle = first } };
	struct open_request req = {
		.spec = "04:00.1", .root = &t->root, .trace = &quiet, .siblings = { at, 2 }
	};
	const int fds[] = { k.container, k.group, k.device };
	struct error e;

	linked(t, DEV "0000:04:00.1/driver", "/sys/bus/pci/drivers/vfio-pci");
	linked(t, DEV "0000:04:00.1/iommu_group", "/sys/kernel/iommu_groups/8");
	k.log[0] = '\0';
	assert_int_equal(vfio_group_backend.open(&req, &second, &e), 0);
	assert_string_equal(k.log, "/dev/vfio/vfio /dev/vfio/8 STATUS JOIN IOMMU:3 0000:04:00.1");
	vfio_group_backend.close(second);
	/* of the same group, and opened by another back end */
	req.spec = "04:00.0";
	req.siblings.n = 1;
	k.log[0] = '\0';
	assert_int_equal(vfio_group_backend.open(&req, &second, &e), 0);
	assert_string_equal(k.log, "/dev/vfio/vfio /dev/vfio/7 STATUS JOIN IOMMU:3 0000:04:00.0");
	vfio_group_backend.close(second);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		assert_true(is_open(fds[i]));
	vfio_group_backend.close(first);
}

static void finds(void **state)
{
	const struct tree *t = *state;
	static const struct {
		const char *spec;
		bool claimed;
		enum cause cause; /* CAUSE_NONE: it is there */
	} cases[] = {
		{ "04:00.0", true, CAUSE_NONE },	{ "0000:04:00.1", true, CAUSE_NONE },
		{ "04:00.7", true, CAUSE_NO_DEVICE },	{ "0001:04:00.0", true, CAUSE_NO_DEVICE },
		{ "04:00.8", false, CAUSE_USAGE },	{ "sim", false, CAUSE_USAGE },
		{ "vfio-user:/x", false, CAUSE_USAGE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct open_request req = { .spec = cases[i].spec,
						  .root = &t->root,
						  .trace = &quiet };
		struct error e = { 0 };
		int rc = vfio_group_backend.find(&req, &e);

		assert_int_equal(vfio_group_backend.claims(cases[i].spec), cases[i].claimed);
		assert_int_equal(rc < 0, cases[i].cause != CAUSE_NONE);
		assert_int_equal(e.cause, cases[i].cause);
	}
	/* found without opening anything */
	assert_string_equal(k.log, "");
}

static void device_says_no(void **state)
{
	void *handle = opened(*state, &quiet), *map = NULL;
	struct device_info di;
	struct region_info ri;
	struct irq_info ii;
	struct error e;
	uint32_t word = 0;

	k.device_errno = EPERM;
	assert_int_equal(vfio_device_info(handle, &di, &e), -EPERM);
	assert_string_equal(e.message, "VFIO_DEVICE_GET_INFO failed");
	assert_int_equal(e.cause, CAUSE_PERMISSION);
	assert_int_equal(e.err, EPERM);
	k.region_errno = EIO;
	assert_int_equal(vfio_region_info(handle, REGION_BAR0, &ri), -EIO);
	assert_int_equal(vfio_region_read(handle, REGION_BAR0, &word, 4, 0), -EIO);
	assert_int_equal(vfio_region_write(handle, REGION_BAR0, &word, 4, 0), -EIO);
	assert_int_equal(vfio_region_map(handle, REGION_BAR0, 0, 4096, &map), -EIO);
	assert_null(map);
	k.region_errno = 0;
	k.info_errno = EIO;
	assert_int_equal(vfio_irq_info(handle, IRQ_MSIX, &ii), -EIO);
	vfio_group_backend.close(handle);
}

/* What pread(2) and pwrite(2) say: an errno, or that there was nothing; an errno of before is none of theirs. */
static void accesses_fail(void **state)
{
	void *handle = opened(*state, &quiet);
	uint32_t word = 0;
	int end[2];

	errno = EIO;
	assert_int_equal(vfio_region_read(handle, REGION_BAR0, &word, 4, 0), 0);
	errno = EIO;
	assert_int_equal(vfio_region_write(handle, REGION_BAR0, &word, 0, 0), 0);
	/* one byte is one */
	assert_int_equal(vfio_region_write(handle, REGION_BAR0, &word, 1, 0), 1);
	errno = EIO;
	assert_int_equal(vfio_region_read(handle, REGION_BAR0, &word, 1, 0), 1);
	assert_int_equal(pipe2(end, O_CLOEXEC), 0);
	assert_int_equal(dup3(end[0], k.device, O_CLOEXEC), k.device);
	assert_int_equal(vfio_region_read(handle, REGION_BAR0, &word, 4, 0), -ESPIPE);
	assert_int_equal(vfio_region_write(handle, REGION_BAR0, &word, 4, 0), -ESPIPE);
	close(end[0]);
	close(end[1]);
	vfio_group_backend.close(handle);
}

/* The whole of a region, and not a byte more. */
static void limits_of_a_region(void **state)
{
	void *handle = opened(*state, &quiet);
	static uint8_t all[REGION_SIZE + 1];

	assert_int_equal(vfio_region_write(handle, REGION_BAR0, all, REGION_SIZE, 0), REGION_SIZE);
	assert_int_equal(vfio_region_read(handle, REGION_BAR0, all, REGION_SIZE, 0), REGION_SIZE);
	assert_int_equal(vfio_region_read(handle, REGION_BAR0, all, REGION_SIZE + 1, 0), -ERANGE);
	assert_int_equal(vfio_region_read(handle, REGION_BAR0, all, REGION_SIZE, 1), -ERANGE);
	assert_int_equal(vfio_region_read(handle, REGION_BAR0, all, 1, REGION_SIZE - 1), 1);
	assert_int_equal(vfio_region_read(handle, REGION_BAR0, all, 0, REGION_SIZE), 0);
	vfio_group_backend.close(handle);
}

static bool mappable(void *handle)
{
	struct region_info info;

	assert_int_equal(vfio_region_info(handle, 2, &info), 0);
	assert_int_equal(info.size, REGION_SIZE);
	return info.msix_mappable;
}

/* A chain of capabilities is followed, as far as the answer goes and as long as a chain can be. */
static void capabilities(void **state)
{
	void *handle = opened(*state, &quiet);

	for (k.cap_hops = 0; k.cap_hops < 64; k.cap_hops++)
		assert_true(mappable(handle));
	assert_false(mappable(handle));
	k.cap_hops = 0;
	/* right behind the struct, within it, and named by nobody */
	k.cap_at = sizeof(struct vfio_region_info);
	assert_true(mappable(handle));
	k.cap_at = CAP_OFFSET;
	k.no_caps = true;
	assert_false(mappable(handle));
	k.no_caps = false;
	/* the largest answer that is taken, and one byte more */
	k.argsz = 65536;
	assert_true(mappable(handle));
	k.argsz = 65537;
	assert_false(mappable(handle));
	/* one that is said to be far behind it is not looked for there */
	k.argsz = 1u << 30;
	k.cap_lies = true;
	assert_false(mappable(handle));
	k.cap_lies = false;
	/* one that is cut says nothing, whatever its first half is */
	k.cap_half = true;
	k.argsz = CAP_OFFSET + sizeof(struct vfio_info_cap_header) / 2;
	assert_false(mappable(handle));
	k.cap_half = false;
	/* an answer that ends within the capability, and one that ends with it */
	k.argsz = CAP_OFFSET + sizeof(struct vfio_info_cap_header);
	assert_true(mappable(handle));
	k.cap_next = 0;
	k.cap_hops = 1;
	k.argsz = CAP_OFFSET + 2 * sizeof(struct vfio_info_cap_header);
	assert_true(mappable(handle));
	vfio_group_backend.close(handle);
}

/* Without memory nothing is asked of the device, and nothing stays open. */
static void without_memory(void **state)
{
	const struct irq_set set = {
		.index = IRQ_INTX, .data = IRQ_DATA_NONE, .action = IRQ_ACTION_UNMASK, .count = 1
	};
	struct region_info ri;
	uint32_t word = 0;
	struct error e;
	void *handle;

	if (!memory_can_fail())
		skip();
	for (unsigned int call = 1; call <= 2; call++) {
		no_memory = call;
		assert_int_equal(open_it(*state, &quiet, &handle, &e), -ENOMEM);
		assert_string_equal(e.message, "out of memory");
		assert_int_equal(e.cause, CAUSE_FAILED);
		assert_null(handle);
		assert_string_equal(k.log, "");
	}
	no_memory = 0;
	handle = opened(*state, &quiet);
	no_memory = 1;
	assert_int_equal(vfio_set_irqs(handle, &set, NULL, &outcome), -ENOMEM);
	assert_string_equal(k.set, "");
	no_memory = 1;
	assert_int_equal(vfio_region_info(handle, REGION_BAR0, &ri), -ENOMEM);
	no_memory = 1;
	assert_int_equal(vfio_region_read(handle, REGION_BAR0, &word, 4, 0), -ENOMEM);
	/* a larger answer has no room */
	no_memory = 2;
	assert_int_equal(vfio_region_info(handle, 2, &ri), -ENOMEM);
	no_memory = 0;
	vfio_group_backend.close(handle);
}

/* Each line of a trace ends with the time that the call took. */
static void tells_the_time(void **state)
{
	void *handle = opened(*state, &loud), *map;
	struct device_info info;
	uint32_t word = 0;
	unsigned int lines = 0;
	struct error e;

	assert_int_equal(vfio_device_info(handle, &info, &e), 0);
	assert_int_equal(vfio_region_write(handle, REGION_CONFIG, &word, 4, 8), 4);
	assert_int_equal(vfio_region_read(handle, REGION_CONFIG, &word, 4, 8), 4);
	assert_int_equal(vfio_region_map(handle, 2, 4096, 4096, &map), 0);
	for (char *line = k.trace, *end; (end = strchr(line, '\n')); line = end + 1, lines++) {
		unsigned long us;
		char *time;

		*end = '\0';
		time = strrchr(line, '(');
		if (!time || sscanf(time, "(%lu us)", &us) != 1 || us >= 60000000)
			fail_msg("no time in \"%s\"", line);
	}
	assert_true(lines >= 10);
	vfio_group_backend.close(handle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nodes_are_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(steps_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(enabling_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(types, setup, teardown),
		cmocka_unit_test_setup_teardown(somebody_has_the_group, setup, teardown),
		cmocka_unit_test_setup_teardown(group_of_many, setup, teardown),
		cmocka_unit_test_setup_teardown(no_siblings, setup, teardown),
		cmocka_unit_test_setup_teardown(finds, setup, teardown),
		cmocka_unit_test_setup_teardown(device_says_no, setup, teardown),
		cmocka_unit_test_setup_teardown(accesses_fail, setup, teardown),
		cmocka_unit_test_setup_teardown(limits_of_a_region, setup, teardown),
		cmocka_unit_test_setup_teardown(capabilities, setup, teardown),
		cmocka_unit_test_setup_teardown(without_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_the_time, setup, teardown),
	};

	return cmocka_run_group_tests_name("vfio-calls", tests, NULL, NULL);
}
