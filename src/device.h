/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One opened function: its indexes, their vectors, and the changes that can
 * be made to them. Never prints, never sees argv. What was changed is undone
 * by device_close().
 */
#ifndef MSICTL_DEVICE_H
#define MSICTL_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend.h"
#include "error.h"
#include "host-irq.h"
#include "irq-set.h"
#include "loop.h"
#include "msi-cap.h"

/* How a vector is held back. */
enum mask_way {
	MASK_NOT,
	MASK_ACTION,  /* VFIO's MASK (INTx) */
	MASK_TABLE,   /* MSI-X vector control by mmap */
	MASK_BITS,    /* MSI mask bits in config space */
	MASK_EVENTFD, /* the eventfd was taken off */
	NR_MASK_WAY,
};

/** mask_way_word() - "action", "table", "bits", "eventfd". */
const char *mask_way_word(enum mask_way way);

struct device;

struct vector {
	struct source source; /* the eventfd, counted by the loop */
	unsigned int number;
	bool armed;
	enum mask_way masked;
	uint64_t count;	  /* sum of eventfd reads since it was armed first */
	uint64_t wakeups; /* reads; fewer than count when signals coalesced */
};

struct index {
	struct device *device;
	enum irq_index index;
	bool present; /* the back end answers for it */
	struct irq_info info;
	bool enabled;
	unsigned int allocated;
	struct vector **vector; /* info.count pointers, NULL until armed first */
};

struct device_events {
	/* A vector counted @n more. */
	void (*counted)(void *ctx, struct index *ix, struct vector *v, uint64_t n);
	/* The kernel wants the device back (REQ); it has been let go already. */
	void (*released)(void *ctx);
	void *ctx;
};

struct device {
	char *spec;    /* as written */
	char name[32]; /* short address, or the spec's tail */
	const struct backend *backend;
	void *handle; /* NULL once it was let go */
	bool has_addr;
	struct pci_addr addr;
	const struct root *root;
	const struct trace *trace;
	struct loop *loop;
	struct device_events events;
	struct device_info info;
	struct index irq[NR_IRQ_INDEX];
	struct pci_caps caps; /* as the back end's config region shows them */
	bool bus_master_on;   /* turned on by us, to be put back */
	void *table;	      /* MSI-X table pages, NULL until needed */
	size_t table_map, table_skip;
};

/* What a change did; all that a report needs. */
struct change {
	unsigned int calls; /* SET_IRQS made */
	uint64_t us;	    /* their time */
	bool rebuilt;
	uint64_t blind_us; /* a rebuild: from the disable to the last enable */
	struct vector_set live_before, added, removed, kept;
	struct vector_set dropped; /* by the kernel, in a call that failed */
	struct vector_set repaired;
	bool bus_master_on, bus_master_off;
	unsigned int granted; /* a short grant: how many the host would give */
	bool fd_limit_raised;
	uint64_t fd_limit;
};

/** device_open() - find the back end, open, ask for the indexes, listen to REQ. Owner: the caller. */
int device_open(struct device **d, const struct open_request *req, struct loop *loop, const struct device_events *ev,
		struct error *e);

/** device_close() - undo masks and bus mastering, disable what is on, close. NULL is fine. */
void device_close(struct device *d);

/** device_state() - what a plan starts from. */
void device_state(const struct device *d, enum irq_index index, struct irq_state *st);

/** device_index() - the index when the device offers it, else NULL and a sentence (CAUSE_FAILED). */
struct index *device_index(struct device *d, enum irq_index index, struct error *e);

int device_enable(struct device *d, enum irq_index index, const struct vector_set *want, bool repair, struct change *c,
		  struct error *e);
int device_enable_none(struct device *d, enum irq_index index, unsigned int room, struct change *c, struct error *e);
int device_disable(struct device *d, enum irq_index index, struct change *c, struct error *e);
int device_resize(struct device *d, enum irq_index index, unsigned int n, struct resize_how how, bool repair,
		  struct change *c, struct error *e);

/** device_read_back() - make the books equal to what the host says; @lost gets armed vectors without a handler. 0,
 * -EOPNOTSUPP or -errno. */
int device_read_back(struct device *d, enum irq_index index, struct vector_set *lost);

/** device_mask_way() - the means that would be used for @index, MASK_NOT and why in @e. */
enum mask_way device_mask_way(struct device *d, enum irq_index index, struct error *e);
int device_mask(struct device *d, enum irq_index index, const struct vector_set *which, enum mask_way way, bool mask,
		struct error *e);

/** device_pending() - the pending bits of @index's vectors (PBA, or MSI Pending Bits). -EOPNOTSUPP: the device shows
 * none. */
int device_pending(struct device *d, enum irq_index index, struct vector_set *pending, struct error *e);

/** device_trigger() - loopback: the kernel signals the eventfds itself. */
int device_trigger(struct device *d, enum irq_index index, const struct vector_set *which, struct error *e);

/** device_read(), device_write() - @width 1, 2, 4 or 8 bytes; a write into the MSI or MSI-X capability is refused. */
int device_read(struct device *d, enum region_index region, uint64_t offset, unsigned int width, uint64_t *value,
		struct error *e);
int device_write(struct device *d, enum region_index region, uint64_t offset, unsigned int width, uint64_t value,
		 struct error *e);
int device_reset(struct device *d, struct error *e);

/** device_armed() - vectors of @index with an eventfd. */
struct vector_set device_armed(const struct device *d, enum irq_index index);

/** device_probe_msi/msix are in grant.h: they try and give everything back. */

#endif
