// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/function.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define DEVICES	  "sys/bus/pci/devices"
#define GROUPS	  "sys/kernel/iommu_groups"
#define CLASS_MAX 0xffffffu

/* All capabilities but the extended ones. */
#define CONFIG_BASIC 256

/* PCI Code and ID Assignment 1.11, section 1.7: base class 06h is a bridge. */
#define BASE_CLASS_BRIDGE 0x06

static uint64_t number_or(const struct root *r, const char *bdf, const char *file, uint64_t max,
			  uint64_t otherwise)
{
	uint64_t n;

	return root_number(r, &n, DEVICES "/%s/%s", bdf, file) || n > max ? otherwise : n;
}

static int read_group(const struct root *r, const char *bdf)
{
	char name[32];
	uint64_t n;

	if (root_link(r, name, sizeof(name), DEVICES "/%s/iommu_group", bdf) < 0)
		return -1;
	return parse_u64(name, 10, INT_MAX, &n) ? -1 : (int)n;
}

/* drivers/vfio/group.c vfio_noiommu_group_alloc() gives the group this name. */
static bool is_noiommu(const struct root *r, int group)
{
	static const char unsafe[] = "vfio-noiommu";
	char name[sizeof(unsafe) + 1];

	return root_text(r, name, sizeof(name), GROUPS "/%d/name", group) > 0 &&
	       !strcmp(name, unsafe);
}

static void read_words(const struct root *r, const char *bdf, struct function *f)
{
	root_link(r, f->driver, sizeof(f->driver), DEVICES "/%s/driver", bdf);
	root_text(r, f->power_state, sizeof(f->power_state), DEVICES "/%s/power_state", bdf);
	root_text(r, f->runtime, sizeof(f->runtime), DEVICES "/%s/power/runtime_status", bdf);
	f->group = read_group(r, bdf);
	f->noiommu = f->group >= 0 && is_noiommu(r, f->group);
}

/* Out of descriptors or memory nothing is known: that is no word about the function. */
static int check_there(const struct root *r, const char *bdf, struct error *e)
{
	int rc = root_look(r, DEVICES "/%s", bdf);

	if (!rc)
		return 0;
	if (root_unread(rc))
		return fail(e, cause_of_errno(-rc), -rc, "PCI function %s cannot be looked at",
			    bdf);
	fail(e, CAUSE_NO_DEVICE, ENODEV, "there is no PCI function %s", bdf);
	hint(e, "msictl list");
	return -ENODEV;
}

static int read_function(const struct root *r, const struct pci_addr *a, size_t config,
			 struct function *f, struct error *e)
{
	unsigned int misses = root_misses(r);
	char bdf[PCI_ADDR_LEN];
	int len, rc;

	*f = (struct function){ .addr = *a, .group = -1 };
	rc = check_there(r, pci_addr_full(a, bdf), e);
	if (rc)
		return rc;
	len = root_read(r, f->config, config, DEVICES "/%s/config", bdf);
	f->config_len = len > 0 ? (size_t)len : 0;
	caps_decode(f->config, f->config_len, &f->caps);
	/* of a virtual function the files know what its configuration space does not */
	f->vendor = (uint16_t)number_or(r, bdf, "vendor", UINT16_MAX, f->caps.vendor);
	f->device = (uint16_t)number_or(r, bdf, "device", UINT16_MAX, f->caps.device);
	f->class = (uint32_t)number_or(r, bdf, "class", CLASS_MAX, 0);
	f->boot_vga = number_or(r, bdf, "boot_vga", 1, 0);
	read_words(r, bdf, f);
	/* nothing of it is known: what is no driver here may be one */
	rc = root_missed(r, misses);
	return root_exhausted(rc)
		       ? fail(e, CAUSE_FAILED, -rc, "PCI function %s cannot be looked at", bdf)
		       : 0;
}

int function_read(const struct root *r, const struct pci_addr *a, struct function *f,
		  struct error *e)
{
	return read_function(r, a, sizeof(f->config), f, e);
}

int function_peek(const struct root *r, const struct pci_addr *a, struct function *f,
		  struct error *e)
{
	return read_function(r, a, CONFIG_BASIC, f, e);
}

/* Only names as sysfs spells them: what parses otherwise would be another path. */
static bool address_of_name(const char *name, struct pci_addr *a)
{
	char full[PCI_ADDR_LEN];
	struct error ignored;

	return !pci_addr_parse(name, a, &ignored) && !strcmp(pci_addr_full(a, full), name);
}

static int by_address(const void *a, const void *b)
{
	return pci_addr_cmp(a, b);
}

static int no_bus(const struct root *r, int rc, struct error *e)
{
	if (root_unread(rc))
		return fail(e, cause_of_errno(-rc), -rc, "/" DEVICES " cannot be looked at");
	rc = fail(e, rc == -ENOENT ? CAUSE_NO_DEVICE : cause_of_errno(-rc), -rc,
		  "there is no PCI bus to look at: /" DEVICES " cannot be opened");
	hint(e, r->live ? "mount -t sysfs sysfs /sys"
			: "--root wants a capture, or a folder that holds a captured sys and proc");
	return rc;
}

ssize_t function_scan(const struct root *r, struct pci_addr **list, struct error *e)
{
	_cleanup_root_dir_ struct root_dir *d = root_opendir(r, DEVICES);
	_cleanup_free_ struct pci_addr *got = NULL;
	size_t n = 0, room = 0;
	struct dirent *entry;
	int rc = 0;

	*list = NULL;
	if (!d)
		return no_bus(r, -errno, e);
	while (root_readdir(d, &entry, &rc)) {
		struct pci_addr a, *more;

		if (!address_of_name(entry->d_name, &a))
			continue;
		if (n == room) {
			room = room ? room * 2 : 64;
			more = reallocarray(got, room, sizeof(*got));
			if (!more)
				return fail_memory(e);
			got = more;
		}
		got[n++] = a;
	}
	if (rc)
		return fail(e, cause_of_errno(-rc), -rc, "/" DEVICES " cannot be read to its end");
	if (n)
		qsort(got, n, sizeof(*got), by_address);
	*list = got;
	got = NULL;
	return (ssize_t)n;
}

bool driver_is_vfio(const char *driver)
{
	return strstr(driver, "vfio") != NULL;
}

/*
 * Since Linux 6.0 a group is viable while no bound driver leaves DMA to the
 * kernel; those that declare driver_managed_dma do no harm: vfio's, pci-stub
 * and pcieport (iommu_device_use_default_domain() in drivers/iommu/iommu.c).
 */
static bool driver_blocks(const char *driver)
{
	return driver[0] && !driver_is_vfio(driver) && strcmp(driver, "pci-stub") != 0 &&
	       strcmp(driver, "pcieport") != 0;
}

static void read_member(const struct root *r, struct group_member *m)
{
	char bdf[PCI_ADDR_LEN];

	pci_addr_full(&m->addr, bdf);
	root_link(r, m->driver, sizeof(m->driver), DEVICES "/%s/driver", bdf);
	m->bridge = number_or(r, bdf, "class", CLASS_MAX, 0) >> 16 == BASE_CLASS_BRIDGE;
	m->blocks = driver_blocks(m->driver);
}

static int by_member(const void *a, const void *b)
{
	const struct group_member *x = a, *y = b;

	return pci_addr_cmp(&x->addr, &y->addr);
}

ssize_t group_members(const struct root *r, int group, struct group_member **list)
{
	_cleanup_root_dir_ struct root_dir *d = root_opendir(r, GROUPS "/%d/devices", group);
	_cleanup_free_ struct group_member *got = NULL;
	unsigned int misses = root_misses(r);
	struct dirent *entry;
	size_t n = 0;
	int rc = 0;

	*list = NULL;
	if (!d)
		return -errno;
	while (root_readdir(d, &entry, &rc)) {
		struct group_member m = { 0 }, *more;

		if (!address_of_name(entry->d_name, &m.addr))
			continue;
		more = reallocarray(got, n + 1, sizeof(*got));
		if (!more)
			return -ENOMEM;
		got = more;
		read_member(r, &m);
		got[n++] = m;
	}
	/* whose driver can't be read may stand in the way */
	rc = root_missed(r, misses);
	if (rc)
		return rc;
	if (n)
		qsort(got, n, sizeof(*got), by_member);
	*list = got;
	got = NULL;
	return (ssize_t)n;
}

int function_override(const struct root *r, const struct pci_addr *a, char **driver)
{
	char bdf[PCI_ADDR_LEN];
	int rc = root_text_dup(r, driver, DEVICES "/%s/driver_override", pci_addr_full(a, bdf));

	if (rc < 0)
		return rc;
	/* driver_override_show() in drivers/pci/pci-sysfs.c prints NULL with %s */
	if (!strcmp(*driver, "(null)"))
		(*driver)[0] = '\0';
	return 0;
}

int function_group(const struct root *r, const char *path)
{
	char bdf[PCI_ADDR_LEN];
	struct error ignored;
	struct pci_addr a;

	return pci_addr_parse(path, &a, &ignored) ? -1 : read_group(r, pci_addr_full(&a, bdf));
}
