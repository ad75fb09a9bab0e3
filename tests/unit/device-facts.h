/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What rows of operations say of a kernel, and of a peer. */
#ifndef MSICTL_TESTS_DEVICE_FACTS_H
#define MSICTL_TESTS_DEVICE_FACTS_H

#include "device/backend.h"
#include "device-facts.h"

#define KERNEL_FACTS                                                        \
	.keeper = "kernel", .grantor = "host",                              \
	.unarmed_trigger = "the kernel would return 0 and signal nothing",  \
	.disabled_trigger = "the kernel would return 0 and signal nothing", \
	.kernel_registers = true, .kernel_errno = true, .err_is_pcie = true, .decode_first = true

#define PEER_FACTS                                                            \
	.keeper = "peer", .grantor = "peer",                                  \
	.unarmed_trigger = "the peer has no eventfd to signal",               \
	.disabled_trigger = "the peer may report success and signal nothing", \
	.table_by_region = true, .eventfd_shared = true

#endif
