/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Evidence about the host: what it says of remapping, MSI and IMS, and where it says so. */
#ifndef MSICTL_PLATFORM_EVIDENCE_H
#define MSICTL_PLATFORM_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "host/function.h"
#include "root/reader.h"

enum verdict {
	VERDICT_UNKNOWN,
	VERDICT_NO,
	VERDICT_YES,
};

/** verdict_word() - "unknown", "no", "yes". */
const char *verdict_word(enum verdict v);

struct evidence {
	const char *what; /* stable word for scripts: "remapping", "iommu", "hypervisor", ... */
	char *value;	  /* in words, owned */
	char *source;	  /* the file, and what in it; owned */
};

struct platform {
	char arch[32];		  /* "x86_64", "aarch64", "ppc64le", ... or "" */
	enum verdict remapping;	  /* interrupt remapping is ON: state, not capability */
	bool remap_capable;	  /* an Intel IOMMU says that it could */
	bool remap_off_at_boot;	  /* the command line turned it off */
	unsigned int iommus;	  /* units that Linux uses */
	enum verdict guest;	  /* this host is itself a virtual machine */
	enum verdict multivector; /* by the platform's word alone, before trying */
	char multivector_why[256];
	unsigned int cpus;	   /* online */
	unsigned int release;	   /* of the kernel: major << 8 | minor, 0 not known */
	unsigned int irqs;	   /* Linux IRQs in /sys/kernel/irq now */
	int vectors_available;	   /* from irq debugfs; -1 not known */
	struct evidence *evidence; /* owned */
	size_t n;
};

/** platform_read() - 0 also when nearly nothing can be read; -ENOMEM. @f may be NULL: host only. */
int platform_read(const struct root *r, const struct function *f, struct platform *p);

/**
 * platform_foreign() - for a device of back end @backend whose vectors are no Linux IRQs of this
 * host. 0 or -ENOMEM.
 */
int platform_foreign(const char *backend, struct platform *p);
void platform_free(struct platform *p);

struct ims_verdict {
	enum verdict verdict;
	char reason[448];
};

/**
 * platform_ims() - never "yes" from a capability flag: only from an IRQ of an IMS chip that has
 * counted.
 */
void platform_ims(const struct root *r, const struct platform *p, const struct function *f,
		  struct ims_verdict *v);

#endif
