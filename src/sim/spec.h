/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPEC of a simulated function: "msix=64,msi=16,noresize". Pure. */
#ifndef MSICTL_SIM_SPEC_H
#define MSICTL_SIM_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct sim_spec {
	unsigned int msix; /* 0..2048 vectors in the table; 0: no capability */
	unsigned int msi;  /* 0, or a power of two up to 32 */
	bool noresize;	   /* MSI-X says NORESIZE, as vfio-pci before Linux 6.5 */
	/* the platform grants so many: positive short count when enabling; 0: no limit */
	unsigned int host;
	unsigned int fail_at; /* ENOSPC from this vector on; UINT32_MAX: never */
	bool nomask;	      /* MSI without per-vector mask bits, MSI-X table not writable */
	bool no_intx;
	/* the capabilities' Enable, the masks and what decodes BARs are left to the client */
	bool client_enable;
	uint64_t latency_us; /* between a doorbell and the signal */
	unsigned int drop;   /* every drop-th device interrupt is lost, by chance 1/N; 0: none */
	uint64_t seed;	     /* of that chance */
};

/**
 * sim_spec_parse() - @text NULL or "" gives the default msix=64,msi=16; its words change that. 0 or
 * -EINVAL with a sentence (CAUSE_USAGE).
 */
int sim_spec_parse(const char *text, struct sim_spec *spec, struct error *e);

/**
 * sim_spec_word_at() - the words of SPEC for help and completion: "msix=N" and what it means; NULL
 * past the last.
 */
const char *sim_spec_word_at(unsigned int i, const char **help);

#endif
