/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of this room share while the evidence is gathered. A gather_ function adds what it
 * finds, and nothing when there is nothing to say; memory that ran out is noted in the gather.
 */
#ifndef MSICTL_PLATFORM_INTERNAL_H
#define MSICTL_PLATFORM_INTERNAL_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>

#include "platform/evidence.h"

enum arch_family {
	ARCH_UNKNOWN,
	ARCH_X86,
	ARCH_ARM64,
	ARCH_PPC,
	ARCH_RISCV,
};

struct gather {
	const struct root *r;
	const struct function *f; /* NULL: the host only */
	struct platform *p;
	int rc;		      /* -ENOMEM: a piece of evidence is missing */
	struct evidence lost; /* where such a piece goes */
	enum arch_family family;
	const char *arch_source;
	char kernel[128]; /* 64 bytes at most: __NEW_UTS_LEN of linux/utsname.h */
};

#define RELEASE(major, minor) ((major) << 8 | (minor))

/** evidence_new() - a piece to be filled; never NULL. */
struct evidence *evidence_new(struct gather *g, const char *what);

/* Both escape: file contents and names go in as they are. */
void evidence_value(struct evidence *ev, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void evidence_source(struct evidence *ev, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** evidence_free() - the two texts of a piece, not the piece. */
void evidence_free(struct evidence *ev);

/**
 * verdict_set() - @why, a sentence that is copied, decides: does the platform grant several MSI
 * vectors?
 */
void verdict_set(struct platform *p, enum verdict v, const char *why);

/* platform/machine.c */

/**
 * read_machine() - architecture and its family, into the gather and the platform; the other parts
 * go by them.
 */
void read_machine(struct gather *g);
/** read_release() - the kernel's release, as read_machine(). */
void read_release(struct gather *g);
void gather_machine(struct gather *g);
void gather_cpus(struct gather *g);
/**
 * gather_cmdline() - words of the kernel's command line on MSI, remapping and the IOMMU; pci=nomsi
 * decides.
 */
void gather_cmdline(struct gather *g);
void gather_parameters(struct gather *g);

/* platform/limits.c */
void gather_irqs(struct gather *g);
void gather_available(struct gather *g);
void gather_noresize(struct gather *g);
void gather_ceilings(struct gather *g);

/* platform/iommu.c */

/** chips_begin() - how many Linux IRQs have a chip whose name begins with @prefix. */
unsigned int chips_begin(const struct root *r, const char *prefix);

/** gather_remapping() - x86: the state of interrupt remapping, into the platform too. */
void gather_remapping(struct gather *g);
void gather_iommu(struct gather *g);
void gather_groups(struct gather *g);

/**
 * iommu_emulated() - an Intel IOMMU of the host asks for caching mode, which only emulated ones do;
 * its name in @name.
 */
bool iommu_emulated(const struct root *r, char *name, size_t size);

/* platform/guest.c */
void gather_guest(struct gather *g);
void gather_firmware(struct gather *g);

#endif
