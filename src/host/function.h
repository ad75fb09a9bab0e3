/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /sys says of a PCI function. Nothing is opened or changed by asking. */
#ifndef MSICTL_HOST_FUNCTION_H
#define MSICTL_HOST_FUNCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "host/pci.h"
#include "irq/msi-cap.h"
#include "root/reader.h"

struct function {
	struct pci_addr addr;
	uint16_t vendor, device;
	uint32_t class;
	char driver[ROOT_NAME]; /* "" when none */
	int group;		/* IOMMU group number, -1: none */
	bool noiommu;		/* of the group: there is no IOMMU behind it */
	/* "D0", "D3hot", "unknown", "": pci_power_names[] in drivers/pci/pci.c */
	char power_state[16];
	/*
	 * "active", "suspended", "unsupported", ...: runtime_status_show() in
	 * drivers/base/power/sysfs.c
	 */
	char runtime[16];
	bool boot_vga;
	size_t config_len; /* bytes that could be read: 64 without root */
	uint8_t config[4096];
	struct pci_caps caps; /* of config */
};

/** function_read() - 0; -ENODEV: no such function; -errno. A sentence in @e. */
int function_read(const struct root *r, const struct pci_addr *a, struct function *f,
		  struct error *e);

/**
 * function_peek() - the same without extended config space, which costs a real device about a
 * millisecond.
 */
int function_peek(const struct root *r, const struct pci_addr *a, struct function *f,
		  struct error *e);

/**
 * function_scan() - addresses of all functions, sorted; free(*list)
 * Entries that are no PCI address are left out. Returns: the count, or -errno with a sentence.
 */
ssize_t function_scan(const struct root *r, struct pci_addr **list, struct error *e);

/* A member of an IOMMU group. */
struct group_member {
	struct pci_addr addr;
	char driver[ROOT_NAME]; /* "" when none */
	bool bridge; /* PCI class 06xx: its driver does no harm to viability when it is pcieport */
	bool blocks; /* its driver keeps the group from being viable */
};

/** group_members() - of IOMMU group @group; free(*list). Returns the count or -errno. */
ssize_t group_members(const struct root *r, int group, struct group_member **list);

/**
 * driver_is_vfio() - vfio-pci or one of its variants, which carry the word in their name:
 * mlx5_vfio_pci.
 */
bool driver_is_vfio(const char *driver);

/**
 * function_override() - driver_override, "" when none. 0: the caller frees *@driver; -errno: it
 * can't be read.
 */
int function_override(const struct root *r, const struct pci_addr *a, char **driver);

/**
 * function_group() - the IOMMU group of the function that the path or name @path ends in; -1: none.
 */
int function_group(const struct root *r, const char *path);

#endif
