/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel tells of devices that come, go and change drivers. Only its
 * own word is believed, and only that of pci, vfio and vfio-dev is passed on.
 */
#ifndef MSICTL_HOST_UEVENT_H
#define MSICTL_HOST_UEVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "host/pci.h"

/* The texts are borrowed from the message and may hold any byte but NUL. */
struct uevent {
	const char *action; /* add, remove, bind, unbind, change, ... */
	const char *subsystem, *devpath;
	const char *driver; /* NULL: the event names none, as unbind does */
	uint64_t seqnum;
	bool synthetic; /* user space asked for it by the device's file uevent: nothing happened */
	bool has_addr;	/* a PCI function, or its vfio-dev child */
	struct pci_addr addr;
	int group; /* of subsystem vfio: the IOMMU group, -1 otherwise */
};

/**
 * uevent_parse() - a message of the group "kernel": "ACTION@DEVPATH", then KEY=VALUE, each ended by
 * a NUL
 * @u: borrows from @msg
 * Returns: 0 or -EINVAL.
 */
int uevent_parse(const char *msg, size_t len, struct uevent *u);

/** uevent_of_interest() - of subsystem pci, vfio or vfio-dev. */
bool uevent_of_interest(const struct uevent *u);

/* Must not close the subscription that calls them. */
struct uevent_handler {
	void (*event)(void *ctx, const struct uevent *u);
	/* Events were lost after those that were passed on so far; /sys says what is true now. */
	void (*overrun)(void *ctx);
	void *ctx;
};

struct uevents;

/** uevents_open() - subscribe; events come by @loop (borrowed) from now on. 0 or -errno. */
int uevents_open(struct uevents **u, struct loop *loop, const struct uevent_handler *h);

/** uevents_close() - NULL is fine. */
void uevents_close(struct uevents *u);

/**
 * uevents_disbelieved() - messages so far that did not come from the kernel, or were none of its
 * form.
 */
uint64_t uevents_disbelieved(const struct uevents *u);

#endif
