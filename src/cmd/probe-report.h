/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What probe found, and how it is told: as a document and as a page. */
#ifndef MSICTL_CMD_PROBE_REPORT_H
#define MSICTL_CMD_PROBE_REPORT_H

#include <stdbool.h>

#include "device/vector-probe.h"
#include "host/function.h"
#include "out/printer.h"
#include "platform/evidence.h"

/* MSI or MSI-X of the function. */
struct probe_index {
	bool looked;		       /* a function was named, and its capability could be read */
	unsigned int capability;       /* vectors that the device offers, 0: none */
	struct grant grant;	       /* grant.measured: the host's answer */
	char not_measured[ERROR_TEXT]; /* why there is none */
	char limit[160];	       /* what kept the probe from asking for more */
};

struct probe_result {
	struct platform platform;
	struct function f;
	bool has_function;
	struct probe_index msi, msix;
	uint16_t control; /* MSI Message Control as the device has it */
	struct ims_verdict ims;
	enum verdict multivector;
	bool measured; /* multivector is, otherwise it is the platform's word */
	char hint[ERROR_TEXT];
};

/** probe_guest() - the vectors to show a guest and their Message Control; false: not known. */
bool probe_guest(const struct probe_result *p, unsigned int *vectors, uint16_t *control);

/** probe_document() - fill out_doc(). */
void probe_document(const struct probe_result *p, struct out *o);

/** probe_page() - the same for people. */
void probe_page(const struct probe_result *p, struct out *o);

#endif
