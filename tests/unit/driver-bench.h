/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A tree with a function of which a driver, or the system, has something: for the tests of what driver.c is made of. */
#ifndef TEST_DRIVER_BENCH_H
#define TEST_DRIVER_BENCH_H

#include "driver/internal.h"
#include "driver/bind.h"
#include "tree.h"
#include "base/util.h"

#define DEV    "sys/bus/pci/devices/0000:04:00.0"
#define HOME   "sys/devices/pci0000:00/0000:00:04.0/0000:04:00.0"
#define FORMER "run/msictl/former/0000:04:00.0"

static const struct pci_addr nvme = { 0, 4, 0, 0 };

struct bench {
	struct tree t;
	struct trace trace;
	char lines[4096];
	struct driver_change c;
	struct error e;
};

static inline void keep_line(void *ctx, const char *text)
{
	struct bench *b = ctx;

	append(b->lines, sizeof(b->lines), "%s\n", text);
}

static inline void is_driven_by(const struct bench *b, const char *driver)
{
	char full[PATH_MAX], target[128];

	unlink(tree_path(&b->t, HOME "/driver", full));
	snprintf(target, sizeof(target), "../../../../bus/pci/drivers/%s", driver);
	if (driver[0])
		tree_link(&b->t, HOME "/driver", target);
}

static inline void add_driver(const struct bench *b, const char *driver)
{
	static const char *const files[] = { "bind", "unbind" };
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s/%s", driver, files[i]);
		tree_text(&b->t, path, "");
	}
}

/* An nvme disk in IOMMU group 9, vfio-pci loaded, nothing in use. */
static inline int setup(void **state)
{
	static struct bench b;
	struct tree *t = &b.t;

	memset(&b, 0, sizeof(b));
	tree_new(t);
	/* the tree stands for the running system: nothing in it leads out of it but by relative links */
	t->root.live = true;
	b.trace = (struct trace){ .line = keep_line, .ctx = &b };
	tree_text(t, HOME "/class", "0x010802\n");
	tree_text(t, HOME "/vendor", "0x1b36\n");
	tree_text(t, HOME "/device", "0x0010\n");
	tree_text(t, HOME "/driver_override", "(null)\n");
	tree_link(t, DEV, "../../../devices/pci0000:00/0000:00:04.0/0000:04:00.0");
	tree_folder(t, "sys/kernel/iommu_groups/9/devices/");
	tree_link(t, HOME "/iommu_group", "../../../../kernel/iommu_groups/9");
	tree_folder(t, "sys/class/iommu/dmar0/");
	tree_text(t, "sys/bus/pci/drivers_probe", "");
	tree_folder(t, "run/");
	tree_text(t, "dev/vfio/9", "");
	add_driver(&b, "nvme");
	add_driver(&b, "vfio-pci");
	is_driven_by(&b, "nvme");
	*state = &b;
	return 0;
}

static inline int teardown(void **state)
{
	struct bench *b = *state;

	tree_free(&b->t);
	/* and nothing closed what is not its own */
	assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
	return 0;
}

static inline int bind_it(struct bench *b, bool force)
{
	b->lines[0] = '\0';
	return driver_bind(&b->t.root, &nvme, force, 1000, &b->trace, &b->c, &b->e);
}

static inline int unbind_it(struct bench *b)
{
	b->lines[0] = '\0';
	return driver_unbind(&b->t.root, &nvme, &b->trace, &b->c, &b->e);
}

static inline void assert_file(const struct bench *b, const char *path, const char *text)
{
	char buf[256] = "";
	_cleanup_fd_ int fd = root_openf(&b->t.root, O_RDONLY, "%s", path);

	assert_true(fd >= 0);
	assert_true(read(fd, buf, sizeof(buf) - 1) >= 0);
	assert_string_equal(buf, text);
}

static inline void assert_refused(struct bench *b, enum cause cause, const char *message,
				  const char *advice)
{
	assert_true(bind_it(b, false) < 0);
	assert_int_equal(b->e.cause, cause);
	if (!strstr(b->e.message, message) || !strstr(b->e.hint, advice))
		fail_msg("%s / %s", b->e.message, b->e.hint);
	/* before anything was touched */
	assert_file(b, HOME "/driver_override", "(null)\n");
	assert_file(b, "sys/bus/pci/drivers/nvme/unbind", "");
	assert_false(root_exists(&b->t.root, FORMER));
}

static inline void disk(const struct bench *b, const char *number, const char *folder)
{
	char path[128], target[256];

	snprintf(path, sizeof(path), "%s/", folder);
	tree_folder(&b->t, path);
	snprintf(path, sizeof(path), "sys/dev/block/%s", number);
	snprintf(target, sizeof(target), "../../../%s", folder);
	tree_link(&b->t, path, target);
}

static inline void mounts(const struct bench *b, const char *text)
{
	tree_text(&b->t, "proc/self/mountinfo", text);
}

#endif
