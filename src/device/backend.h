/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ways to a device's interrupts. The first back end that claims a DEVICE opens it. */
#ifndef MSICTL_DEVICE_BACKEND_H
#define MSICTL_DEVICE_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/trace.h"
#include "host/pci.h"
#include "irq/region.h"
#include "irq/set-irqs.h"
#include "root/reader.h"

struct device_info {
	unsigned int regions, irqs;
	bool reset; /* VFIO_DEVICE_FLAGS_RESET */
};

struct irq_info {
	unsigned int count;
	uint32_t flags; /* IRQ_* of irq/index.h */
};

struct region_info {
	uint64_t size;
	bool read, write, map;
	bool msix_mappable; /* the area of the MSI-X table may be mapped too */
};

/* What one set_irqs() took. */
struct set_outcome {
	unsigned int messages;	   /* sent, those to undo it included */
	unsigned int start, count; /* of the message that failed */
	struct vector_set armed;   /* by the messages before that */
	bool released;		   /* and let go again, so far as the peer can be believed */
};

struct backend;
struct loop;

/*
 * A device that this process has open already: functions of one IOMMU group share what is opened
 * once.
 */
struct sibling {
	const struct backend *backend;
	void *handle;
};

struct siblings {
	const struct sibling *at; /* borrowed during open() */
	size_t n;
};

struct open_request {
	const char *spec;
	const struct backend *const *backends; /* that may claim it, NULL behind the last */
	const struct root *root;
	const struct trace *trace; /* borrowed for the life of the handle */
	bool noiommu;		   /* the user named the unsafe mode */
	struct loop *loop;	   /* where a signal that asks to stop is heard; NULL: nowhere */
	uint64_t timeout_us; /* how long a peer may take to answer; 0: the back end's own limit */
	struct siblings siblings;
};

/*
 * What can be done with an opened device, and what is known of whoever answers. @handle is that of
 * open(). Operations return 0, or -errno; a pointer that may be NULL says so.
 */
struct device_ops {
	const char *keeper;  /* who answers, and asks for the device back: "kernel" or "peer" */
	const char *grantor; /* who grants vectors: "host" or "peer" */
	/* What a loopback trigger of a vector without eventfd, and of disabled INTx, comes to. */
	const char *unarmed_trigger, *disabled_trigger;
	bool host_irqs;	      /* vectors are Linux IRQs of this host: they can be read back */
	bool table_by_region; /* the MSI-X table is read and written as any other part of its BAR */
	/*
	 * The kernel writes the MSI and MSI-X capabilities and the table, and restores them after a
	 * reset. Else they may be left to us, as to a guest's driver.
	 */
	bool kernel_registers;
	bool kernel_errno;   /* an errno is this kernel's; a peer's is a number that it answers */
	bool err_is_pcie;    /* an absent ERR means that the function is not PCI Express */
	bool decode_first;   /* no BAR answers while memory decode is off; else: who knows */
	bool eventfd_shared; /* with a process that may make it block at any time */

	int (*device_info)(void *handle, struct device_info *info, struct error *e);
	/* -EINVAL: the device has no such index (ERR on a function that is not PCIe). */
	int (*irq_info)(void *handle, enum irq_index index, struct irq_info *info);
	/*
	 * @eventfd has s->count entries, -1 for none; NULL without DATA_EVENTFD. @o says already
	 * that @s is one message, which failed as a whole; who sends several corrects it.
	 * Returns 0, -errno, or a positive number: so many vectors could be had, nothing is
	 * enabled.
	 */
	int (*set_irqs)(void *handle, const struct irq_set *s, const int32_t *eventfd,
			struct set_outcome *o);
	int (*region_info)(void *handle, enum region_index region, struct region_info *info);
	/* @n bytes at @offset of @region: the number of bytes, or -errno. */
	ssize_t (*region_read)(void *handle, enum region_index region, void *buf, size_t n,
			       uint64_t offset);
	ssize_t (*region_write)(void *handle, enum region_index region, const void *buf, size_t n,
				uint64_t offset);
	/* mmap of @n bytes at page-aligned @offset, read and write; munmap() it. NULL: none. */
	int (*region_map)(void *handle, enum region_index region, uint64_t offset, size_t n,
			  void **map);
	int (*reset)(void *handle);
	/* The PCI address on this host; NULL: it has none here. */
	int (*address)(void *handle, struct pci_addr *addr);
	/*
	 * A peer that can go away: its descriptor for the loop, and what to do when it is readable
	 * (-errno: it is gone). NULL: the device is there as long as its handle.
	 */
	int (*peer_fd)(void *handle);
	int (*peer_ready)(void *handle);
	/* Why nothing more is had from it: -errno and a sentence; 0: it is there. May be NULL. */
	int (*peer_end)(void *handle, struct error *e);
	/*
	 * A sentence on why an operation returned @rc, below 0; @what, in words, was asked for.
	 * NULL: @rc is all that is known. Returns -errno.
	 */
	int (*explain)(void *handle, int rc, const char *what, struct error *e);
	/*
	 * What the peer is, and the i-th thing that it is known to get wrong, NULL past the last.
	 * Both may be NULL.
	 */
	void (*peer_text)(void *handle, char *buf, size_t size);
	const char *(*peer_quirk)(void *handle, unsigned int i);
};

/* The door to a device: how it is named, found, opened and closed. A row of src/backends.c. */
struct backend {
	const char *name, *help;
	const struct device_ops *ops; /* of the handles that open() makes */

	bool (*claims)(const char *spec);
	/*
	 * Whether there is a device of that name at all, which is not opened: 0, or -errno and a
	 * sentence. NULL: always.
	 */
	int (*find)(const struct open_request *req, struct error *e);
	/* 0 or -errno and a sentence. @handle is owned by the back end until close(). */
	int (*open)(const struct open_request *req, void **handle, struct error *e);
	void (*close)(void *handle);
};

/**
 * backend_find() - the first back end of a list that claims a DEVICE
 * @list: NULL behind the last; src/backends.c has all of them
 * @spec: the DEVICE as it was typed
 *
 * Returns: a row of @list; NULL when none claims @spec.
 */
const struct backend *backend_find(const struct backend *const *list, const char *spec);

#endif
