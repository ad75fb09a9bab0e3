// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/bar.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/sigbus.h"
#include "base/util.h"

#define LAST_BAR 5

/*
 * IORESOURCE_* of linux/ioport.h, the third column of "resource" (Documentation/PCI/sysfs-pci.rst).
 */
#define RESOURCE_IO	0x00000100u
#define RESOURCE_MEMORY 0x00000200u

#define COMMAND_MEMORY 0x0002 /* PCI Local Bus 3.0, section 6.2.2 */

static bool take_number(const char **text, uint64_t *n)
{
	size_t len = strcspn(*text, " \n");
	char word[24];

	if (len >= sizeof(word))
		return false;
	copy_text(word, len + 1, *text);
	*text += len;
	*text += **text == ' ';
	return !parse_u64(word, 0, UINT64_MAX, n);
}

int bar_parse(const char *text, unsigned int number, struct bar *b)
{
	uint64_t start, end, flags;

	*b = (struct bar){ 0 };
	while (number--) {
		text = strchr(text, '\n');
		if (!text)
			return -EINVAL;
		text++;
	}
	if (!take_number(&text, &start) || !take_number(&text, &end) || !take_number(&text, &flags))
		return -EINVAL;
	/* an empty BAR is all zeros; of one that got no address the size still stands there */
	if (end < start || (!end && !flags))
		return 0;
	b->size = end - start + 1;
	b->memory = flags & RESOURCE_MEMORY;
	b->io = flags & RESOURCE_IO;
	return 0;
}

/* Whether memory reads can be answered at all; otherwise they would hang on a timeout or fault. */
static int check_power(const struct function *f, struct error *e)
{
	char bdf[PCI_ADDR_LEN];
	bool awake = !f->power_state[0] || !strcmp(f->power_state, "D0") ||
		     !strcmp(f->power_state, "unknown");

	pci_addr_full(&f->addr, bdf);
	if (f->caps.problem == CAPS_ALL_ONES)
		return fail(e, CAUSE_NO_DEVICE, ENXIO,
			    "the device does not answer: its config space reads all ones");
	if (!awake || !strcmp(f->runtime, "suspended")) {
		fail(e, CAUSE_FAILED, 0, "the function is in %s, where its BARs do not answer",
		     awake ? "runtime suspend" : f->power_state);
		hint(e, "echo on > /sys/bus/pci/devices/%s/power/control", bdf);
		return -EINVAL;
	}
	if (f->caps.command & COMMAND_MEMORY)
		return 0;
	fail(e, CAUSE_FAILED, 0, "memory decode is off (Command 0x%04x), so its BARs do not answer",
	     f->caps.command);
	hint(e, "a driver turns it on: setpci -s %s COMMAND shows it", bdf);
	return -EINVAL;
}

static int check_bar(const struct root *r, const char *bdf, unsigned int number, uint64_t offset,
		     size_t len, struct error *e)
{
	char text[4096];
	struct bar b;

	if (number > LAST_BAR)
		return fail(e, CAUSE_FAILED, 0,
			    "BAR %u does not exist: the capability's BAR indicator is reserved",
			    number);
	if (root_text(r, text, sizeof(text), "sys/bus/pci/devices/%s/resource", bdf) < 0 ||
	    bar_parse(text, number, &b))
		return fail(e, CAUSE_FAILED, 0,
			    "/sys/bus/pci/devices/%s/resource does not tell of BAR %u", bdf,
			    number);
	if (b.io)
		return fail(e, CAUSE_FAILED, 0,
			    "BAR %u is an I/O BAR: no MSI-X structure can lie in it", number);
	if (!b.memory || !b.size)
		return fail(e, CAUSE_FAILED, 0, "BAR %u is not implemented or has no address",
			    number);
	if (offset > b.size || len > b.size - offset)
		return fail(e, CAUSE_FAILED, 0,
			    "0x%zx bytes at 0x%" PRIx64 " lie outside BAR %u, which has 0x%" PRIx64,
			    len, offset, number, b.size);
	return 0;
}

static int fail_map(const char *bdf, unsigned int number, int err, struct error *e)
{
	fail(e, cause_of_errno(err), err, "/sys/bus/pci/devices/%s/resource%u cannot be mapped",
	     bdf, number);
	/* iomem_is_exclusive() in kernel/resource.c; lockdown refuses with EPERM */
	if (err == ENOENT)
		hint(e,
		     "a kernel without HAVE_PCI_MMAP maps no BAR; msictl bind %s, then info opens it",
		     bdf);
	else if (err == EINVAL)
		hint(e,
		     "a kernel with CONFIG_IO_STRICT_DEVMEM keeps a driver's BAR to itself: boot with "
		     "iomem=relaxed");
	else if (err == EPERM || err == EACCES)
		hint(e,
		     "run as root; kernel lockdown (cat /sys/kernel/security/lockdown) forbids it even to root");
	return -err;
}

static bool all_ones(const void *buf, size_t len)
{
	const uint8_t *p = buf;

	for (size_t i = 0; i < len; i++) {
		if (p[i] != 0xff)
			return false;
	}
	return len > 0;
}

static int read_mapped(int fd, const char *bdf, unsigned int number, uint64_t offset, void *buf,
		       size_t len, struct error *e)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), skip = (size_t)(offset % page);
	void *map = mmap(NULL, skip + len, PROT_READ, MAP_SHARED, fd, (off_t)(offset - skip));
	int rc;

	if (map == MAP_FAILED)
		return fail_map(bdf, number, errno, e);
	rc = mmio_read32((const volatile uint32_t *)((const char *)map + skip), buf, len / 4);
	munmap(map, skip + len);
	if (rc)
		return fail(e, CAUSE_NO_DEVICE, EFAULT, "the device stopped answering (SIGBUS)");
	if (all_ones(buf, len))
		return fail(e, CAUSE_NO_DEVICE, ENXIO,
			    "the device does not answer: BAR %u reads all ones", number);
	return 0;
}

int bar_read(const struct root *r, const struct function *f, unsigned int number, uint64_t offset,
	     void *buf, size_t len, struct error *e)
{
	_cleanup_fd_ int fd = -1;
	char bdf[PCI_ADDR_LEN];
	int rc;

	pci_addr_full(&f->addr, bdf);
	if (!r->live) {
		fail(e, CAUSE_FAILED, 0, "a captured tree has no BARs to read");
		hint(e, "leave out --root on the machine itself");
		return -EINVAL;
	}
	if (offset % 4 || len % 4)
		return fail(e, CAUSE_FAILED, 0, "0x%" PRIx64 " is not aligned to 4 bytes", offset);
	rc = check_power(f, e);
	if (!rc)
		rc = check_bar(r, bdf, number, offset, len, e);
	if (rc)
		return rc;
	fd = root_openf(r, O_RDONLY, "sys/bus/pci/devices/%s/resource%u", bdf, number);
	return fd < 0 ? fail_map(bdf, number, -fd, e)
		      : read_mapped(fd, bdf, number, offset, buf, len, e);
}
