/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the state of an index and a change of it are told, in text and JSON alike. */
#ifndef MSICTL_CLI_REPORT_H
#define MSICTL_CLI_REPORT_H

#include "cli/command.h"
#include "device/handle.h"
#include "out/printer.h"

/**
 * report_change() - what a change did and what is true now; also after a failure. @command is the
 * word.
 */
void report_change(struct out *o, struct device *d, enum irq_index index, const char *command,
		   const struct change *c);

/**
 * report_peer() - of that, what was written into registers that a peer leaves to its client;
 * nothing on other devices.
 */
void report_peer(struct out *o, struct device *d, enum irq_index index, const struct change *c);

#endif
