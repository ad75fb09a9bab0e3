/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a device's interrupts may reach a VM "without the host's
 * involvement" (posted interrupts, IRQ_BYPASS_MANAGER in virt/lib/Kconfig):
 * then Linux' counters say less than what came, and silence says nothing.
 */
#ifndef MSICTL_HOST_POSTED_H
#define MSICTL_HOST_POSTED_H

#include <stdbool.h>

#include "host/group-holder.h"
#include "out/printer.h"

#define POSTED_MEANS "interrupts posted to a VM bypass the host's counters"

struct posted {
	bool possible;
	struct group_holder by; /* pid 0: nobody, or it can't be looked at */
};

/**
 * posted_judge() - of a function with a driver of VFIO, by who holds its group
 * @by: as group_holders() told
 * @denied: some processes could not be looked at
 * @in_use: a Linux IRQ of the function has a handler, so somebody does hold it
 */
struct posted posted_judge(const struct group_holder *by, bool denied, bool in_use);

/**
 * posted_append() - "04:00.0 is held by qemu (PID 7)", behind others ", 05:00.0 by qemu (PID 8)".
 */
void posted_append(char *buf, size_t size, const char *name, const struct posted *p);

/** doc_posted() - "posted_possible", and "held_by" with pid and command or null. */
void doc_posted(node *o, const struct posted *p);

#endif
