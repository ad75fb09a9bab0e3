/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /sys says of a PCI function. Nothing is opened or changed by asking. */
#ifndef MSICTL_FUNCTION_H
#define MSICTL_FUNCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"
#include "msi-cap.h"
#include "pci.h"
#include "root.h"

struct function {
	struct pci_addr addr;
	uint16_t vendor, device;
	uint32_t class;
	char driver[64];      /* "" when none */
	char override[64];    /* driver_override, "" when none */
	int group;	      /* IOMMU group number, -1: none */
	char group_name[64];  /* "vfio-noiommu", mostly "" */
	char power_state[16]; /* "D0", "D3hot", "unknown", "" */
	char runtime[16];     /* power/runtime_status */
	bool boot_vga;
	size_t config_len; /* bytes that could be read: 64 without root */
	uint8_t config[4096];
	struct pci_caps caps; /* of config */
};

/** function_read() - 0; -ENODEV: no such function; -errno. A sentence in @e. */
int function_read(const struct root *r, const struct pci_addr *a, struct function *f, struct error *e);

/** function_peek() - the same without extended config space, which costs a real device about a millisecond. */
int function_peek(const struct root *r, const struct pci_addr *a, struct function *f, struct error *e);

/**
 * function_scan() - addresses of all functions, sorted; free(*list)
 * Entries that are no PCI address are left out. Returns: the count, or -errno with a sentence.
 */
ssize_t function_scan(const struct root *r, struct pci_addr **list, struct error *e);

/* A member of an IOMMU group. */
struct group_member {
	struct pci_addr addr;
	char driver[64]; /* "" when none */
	bool bridge;	 /* PCI class 06xx: its driver does no harm to viability when it is pcieport */
	bool blocks;	 /* its driver keeps the group from being viable */
};

/** group_members() - of IOMMU group @group; free(*list). Returns the count or -errno. */
ssize_t group_members(const struct root *r, int group, struct group_member **list);

/* Who has /dev/vfio/N or a VFIO device open. */
struct holder {
	int pid; /* 0: nobody found (or not allowed to look) */
	char comm[64];
};

/** group_holder() - scan /proc/PID/fd for the group's node; not by polling, once. 0, -ENOENT none, -EACCES some could
 * not be looked at. */
int group_holder(const struct root *r, int group, struct holder *h);

/** group_refuse() - "IOMMU group 8 is held by pid 12 (qemu)", with what to do about it. Always -EBUSY. */
int group_refuse(int group, const struct holder *h, struct error *e);

/** driver_is_vfio() - vfio-pci or one of its variants, which carry the word in their name: mlx5_vfio_pci. */
bool driver_is_vfio(const char *driver);

struct group_use {
	int group;	  /* -1: none, which nobody holds */
	struct holder by; /* told; pid 0: nobody found */
};

/** group_holders() - the same of many groups in one walk. 0, -EACCES: some processes could not be looked at, -errno. */
int group_holders(const struct root *r, struct group_use *use, size_t n);

#endif
