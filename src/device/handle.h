/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One opened function: its indexes, their vectors, and the changes that can
 * be made to them. Never prints, never sees argv. What was changed is undone
 * by device_close().
 */
#ifndef MSICTL_DEVICE_HANDLE_H
#define MSICTL_DEVICE_HANDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/loop.h"
#include "device/backend.h"
#include "host/irq.h"
#include "irq/msi-cap.h"
#include "irq/set-irqs.h"

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
struct function;
struct index;

struct vector {
	struct source source; /* the eventfd, counted by the loop; fd -1 while it has none */
	struct index *index;
	unsigned int number;
	bool armed;
	bool shared; /* the eventfd: with a peer, which may make it block at any time */
	enum mask_way masked;
	uint64_t count;	   /* sum of eventfd reads since it was armed first */
	bool saturated;	   /* there were more: count stays at COUNT_END */
	uint64_t wakeups;  /* reads; fewer than count when signals coalesced */
	uint64_t loopback; /* how many of count we triggered ourselves */
	uint64_t expected; /* loopback triggers that were not read back yet */
};

/*
 * What msictl wrote into the MSI or MSI-X registers of a peer that leaves them to its client, as to
 * a guest's driver. Put back when the index goes off.
 */
struct cap_writes {
	bool control;	 /* Message Control was written */
	uint16_t before; /* and read so before */
	struct vector_set touched,
		/* vectors whose mask bit was written; those of them that were masked before */
		masked;
	unsigned int acted; /* UNMASK was sent for 0 to below this, without a mask bit to be seen */
};

struct index {
	struct device *device;
	enum irq_index index;
	bool present; /* the back end answers for it */
	struct irq_info info;
	bool enabled;
	bool rebuilding; /* its disable is on the way, eventfds are kept for the enable behind it */
	struct vector_set allocated; /* have a Linux IRQ while the index is on */
	/* MSI-X, of a kernel: armed, and the entry in the device is empty or not read yet */
	struct vector_set doubtful;
	struct vector **vector; /* info.count pointers, NULL until armed first */
	struct cap_writes wrote;
};

struct device_events {
	/* A vector counted @n more. */
	void (*counted)(void *ctx, struct index *ix, struct vector *v, uint64_t n);
	/* The kernel, or the peer, wants the device back (REQ); it has been let go already. */
	void (*released)(void *ctx);
	/* The peer that served it is gone or was cut off, device.gone says why. */
	void (*lost)(void *ctx);
	void *ctx;
};

struct device {
	char *spec; /* as written */
	char *name; /* short address, or the spec */
	const struct backend *backend;
	const struct device_ops *ops; /* backend->ops */
	void *handle;		      /* NULL once it was let go */
	const char *gone;	      /* why handle is NULL, a sentence */
	bool cut;		      /* it was gone before anything could be put back */
	char left
		/* what could not be put back when it was let go, and why; "": nothing is known */
		[ERROR_TEXT];
	enum cause gone_cause; /* CAUSE_NONE: it is no device any more */
	char why[ERROR_TEXT];  /* as its peer's back end has it */
	struct source peer;    /* a back end's connection; fd -1: none */
	bool has_addr;
	struct pci_addr addr;
	const struct root *root;
	/* now_us(): tells one opening from the next, which may have the same address */
	uint64_t opened;
	const struct trace *trace;
	struct loop *loop;
	/* A vector's eventfd is readable: its source's callback. */
	void (*ready)(struct source *s);
	struct device_events events;
	struct device_info info;
	struct index irq[NR_IRQ_INDEX];
	struct pci_caps caps; /* as the back end's config region shows them */
	bool bus_master_on;   /* turned on by us, to be put back */
	bool dry;	      /* opened by a dry run: nothing is ever changed */
	struct books *real;   /* of device_dry_begin(), NULL: the state are true */
	void *table;	      /* MSI-X table pages, NULL until needed */
	size_t table_map, table_skip;
};

/* What a change did; all that a report needs. */
struct change {
	unsigned int calls;	    /* SET_IRQS made: each message of those that take several */
	uint64_t us;		    /* their time */
	struct set_outcome outcome; /* of the last of them */
	bool rebuilt;
	/* a rebuild: from the disable to the last enable, that of a repair included */
	uint64_t blind_us;
	struct vector_set live_before, added, removed, kept;
	struct vector_set dropped; /* by the kernel, in a call that failed */
	struct vector_set repaired;
	/* after a failure the host could not tell of these, which were armed before it */
	struct vector_set unknown;
	int unread; /* errno: why the host's state could not be read back then; 0: it was */
	struct vector_set empty, entries_unread; /* armed, see device_check_entries() */
	struct vector_set off;			 /* dropped, and neither armed again nor masked */
	struct vector_set demoted; /* masked by the device before, by having no eventfd now */
	bool bus_master_on, bus_master_off;
	/* On a peer that leaves Enable and the masks to its client. */
	bool enable_written; /* Enable was clear and is set now, by us */
	bool enable_clear;   /* it stays clear: what the device raises may arrive as INTx */
	struct vector_set unmasked, still_masked; /* of what was attached, as read back */
	bool masks_unseen;			  /* the mask bits can't be read */
	bool cap_put_back, cap_left;		  /* what was written: put back; could not be */
	unsigned int granted;			  /* a short grant: how many the host would give */
	bool fd_limit_raised;
	uint64_t fd_limit;
};

/* device/handle.c: its life, its events, what it is */

/**
 * device_open() - find the back end, open, ask for the indexes, listen to REQ
 * @d: gets the device; device_close() it
 * @req: spec is copied; root and trace are borrowed for the life of the device
 * @loop: borrowed for the life of the device
 * @ev: copied; NULL: nobody is told
 *
 * Returns 0, or -errno and a sentence.
 */
int device_open(struct device **d, const struct open_request *req, struct loop *loop,
		const struct device_events *ev, struct error *e);

/** device_close() - undo masks and bus mastering, disable what is on, close. NULL is fine. */
void device_close(struct device *d);

/** device_shut() - as device_close(), but the struct and its counters stay. */
void device_shut(struct device *d, const char *why);

/**
 * device_requested() - the kernel wants it back, as REQ says it: let go at once, events.released
 * is called.
 */
void device_requested(struct device *d);

/**
 * device_lost() - 0 while the peer that serves it is there; else -errno and why @what, in words,
 * failed by that.
 */
int device_lost(struct device *d, const char *what, struct error *e);

/**
 * device_answers() - whether the device can still be reached: its folder is in /sys, and config
 * space does not read as ones
 * @vendor: its vendor ID, when it answers
 */
bool device_answers(struct device *d, uint16_t *vendor);

/**
 * device_cause() - the cause for @err of a call on the device. ENODEV and its like mean that the
 * device is gone only when it does not answer either: the kernel has them for failures of its own.
 * A peer's errno is always CAUSE_FAILED.
 */
enum cause device_cause(struct device *d, int err);

/** device_here() - whether it is still open; else -ENODEV and a sentence. */
int device_here(const struct device *d, struct error *e);

/**
 * device_index() - the index when the device offers it, else NULL and a sentence (CAUSE_FAILED).
 */
struct index *device_index(struct device *d, enum irq_index index, struct error *e);

/** device_state() - what a plan starts from. */
void device_state(const struct device *d, enum irq_index index, struct irq_state *st);

/** device_armed() - vectors of @index that the kernel holds an eventfd for. */
struct vector_set device_armed(const struct device *d, enum irq_index index);

/** device_masked() - vectors of @index that are held back by us. */
struct vector_set device_masked(const struct device *d, enum irq_index index);

/** device_drain() - count what has arrived without waiting. 0 or -errno; -EINTR: asked to stop. */
int device_drain(struct device *d);

/* device/send.c: a plan to the back end, the state after it */

/**
 * device_send() - one SET_IRQS, or its line in a dry run; the state follow. 0, a positive short
 * grant, or -errno.
 */
int device_send(struct device *d, const struct irq_set *set, struct change *c);

/**
 * device_read_back() - make the state equal to what the host says of its Linux IRQs
 * @unknown: gets armed vectors that may be those of an IRQ that the host tells nothing of; they
 * stay armed in the state
 *
 * Returns: 0; -EOPNOTSUPP: the device has no Linux IRQs here; -errno: the host could not be looked
 * at, and the state are as before.
 */
int device_read_back(struct device *d, enum irq_index index, struct vector_set *unknown);

/**
 * device_after_failed() - make the state true after the back end refused @set
 *
 * By what the host says; where the device has no Linux IRQs here, the vectors of @set lost their
 * eventfds. A look that fails takes no eventfd from a vector that was armed: c->unread and
 * c->unknown say so.
 */
void device_after_failed(struct device *d, const struct irq_set *set, struct change *c);

/**
 * device_ready() - vector structs and eventfds for @which, the descriptor limit raised if need be.
 */
int device_ready(struct device *d, enum irq_index index, const struct vector_set *which,
		 struct change *c, struct error *e);

/* device/dry-run.c: a dry run among changes that are real */

/** device_dry_begin() - remember what is true, before a dry run of one command. 0 or -ENOMEM. */
int device_dry_begin(struct device *d, struct error *e);

/** device_dry_end() - the state are true again. */
void device_dry_end(struct device *d);

/* device/change.c: enable, disable, resize, trigger. After a failure the state equal the host's. */

struct change_how {
	struct resize_how resize;
	bool no_repair; /* leave vectors that the kernel dropped as they are */
	bool force;	/* below D0 too, where nothing is armed in the device */
};

/*
 * For all four: @c, zeroed by the caller, gets what was done, also after a failure. In a dry run
 * the state changes and nothing is sent. Returns 0, or -errno and a sentence: -ENODEV the device is
 * gone or has no such index; -EIO the function is below D0 and not how.force; -ENOSPC too few
 * vectors (CAUSE_SHORT); -EINVAL another index is on, the vectors are beyond the index, or live
 * vectors would be disturbed (CAUSE_DISTURB); else what VFIO_DEVICE_SET_IRQS said (linux/vfio.h).
 */

/**
 * device_enable() - arm the vectors of @want besides those that are armed
 *
 * Masked vectors stay masked. The first enable of MSI or MSI-X turns bus mastering on. What the
 * kernel dropped in a call that failed is armed again, unless how.no_repair.
 */
int device_enable(struct device *d, enum irq_index index, const struct vector_set *want,
		  struct change_how how, struct change *c, struct error *e);
/**
 * device_enable_none() - turn the index on with no vector armed (the zero-vector enable)
 * @index: INTx, MSI or MSI-X; ERR and REQ are on only while they have an eventfd
 * @room: vectors that are to have a Linux IRQ, from 0 on; 1 or more
 */
int device_enable_none(struct device *d, enum irq_index index, unsigned int room,
		       struct change_how how, struct change *c, struct error *e);
/**
 * device_disable() - turn the index off; nothing is masked after it. REQ is refused.
 *
 * What msictl turned on for it goes off too: bus mastering with the last of MSI and MSI-X, Enable
 * and masks of a peer that leaves them to its client.
 */
int device_disable(struct device *d, enum irq_index index, struct change *c, struct error *e);
/**
 * device_resize() - vectors 0 to @n-1 are armed or masked after it, and no others
 * @n: 0 leaves the index on with no vector armed or masked
 * @how: resize.rebuild allows to disable and enable where the index is NORESIZE; resize.release
 * gives Linux IRQs back by doing so
 */
int device_resize(struct device *d, enum irq_index index, unsigned int n, struct change_how how,
		  struct change *c, struct error *e);

/**
 * device_trigger() - loopback: whoever holds the eventfds of @which signals them, once each
 *
 * Returns 0, or -errno and a sentence: -EINVAL a vector of @which is not armed, or INTx Disable is
 * set in the command register, where nothing would be signalled; -ENODEV the device is gone.
 */
int device_trigger(struct device *d, enum irq_index index, const struct vector_set *which,
		   struct error *e);

/* device/mask.c: holding vectors back, the MSI-X table */

/** device_mask_way() - the means that would be used for @index. */
enum mask_way device_mask_way(struct device *d, enum irq_index index);

/**
 * device_mask() - hold @which back, or let them go
 * @way: MASK_NOT: the best there is; what is held back already stays as it is, and is let go by
 * what it was held by. Another @way than that is refused.
 */
int device_mask(struct device *d, enum irq_index index, const struct vector_set *which,
		enum mask_way way, bool mask, struct error *e);

/**
 * device_unmask_all() - put back whatever is masked by us; errors are of no use to anybody then.
 */
void device_unmask_all(struct device *d);

/**
 * device_masks_read() - which of @which read as masked in the device: Vector Control (MSI-X), Mask
 * Bits (MSI)
 * Returns: 0, or -errno and the sentence why this can't be seen.
 */
int device_masks_read(struct device *d, enum irq_index index, const struct vector_set *which,
		      struct vector_set *masked, struct error *e);

/**
 * device_table_read() - entry @vector of the MSI-X table (device/table.c). 0, or -errno and a
 * sentence.
 */
int device_table_read(struct device *d, unsigned int vector, struct msix_entry *entry,
		      struct error *e);

/* device/pending.c */

/** device_pending() - the pending bits of @index's vectors (PBA, MSI Pending Bits, PCI status). */
int device_pending(struct device *d, enum irq_index index, struct vector_set *pending,
		   struct error *e);

/* device/region.c: BARs, config space, bus mastering, reset */

/**
 * device_read(), device_write() - @width 1, 2, 4 or 8 bytes
 *
 * On a device of this host a write into the MSI or MSI-X capability, or into the MSI-X table, is
 * refused.
 */
int device_read(struct device *d, enum region_index region, uint64_t offset, unsigned int width,
		uint64_t *value, struct error *e);
int device_write(struct device *d, enum region_index region, uint64_t offset, unsigned int width,
		 uint64_t value, struct error *e);
/**
 * device_reset() - @c gets what was set again in a peer's device, whose registers nobody restores.
 */
int device_reset(struct device *d, struct change *c, struct error *e);

/** device_cap_at() - "msi" or "msix" when these bytes are in that capability, else NULL. */
const char *device_cap_at(const struct device *d, enum region_index region, uint64_t offset,
			  unsigned int width);

/**
 * device_bus_master() - @on: turn it on unless it is; off: put back what we turned on. 1 changed, 0
 * not, -errno.
 */
int device_bus_master(struct device *d, bool on);

/**
 * device_fill_caps() - the capabilities of @f by VFIO's config region, where /sys shows the header
 * alone
 *
 * Others than root get 64 bytes of config space from sysfs: pci_read_config() in
 * drivers/pci/pci-sysfs.c. VFIO shows whoever opened the device all of it, but keeps Enable,
 * Multiple Message Enable, address and data of MSI to itself (vfio_msi_config_write() in
 * drivers/vfio/pci/vfio_pci_config.c): those four are not the device's.
 * Returns: whether @f has them from there now; false without a change also when sysfs told all.
 */
bool device_fill_caps(const struct device *d, struct function *f);

/**
 * device_awake() - a change of MSI or MSI-X reaches the device: it is in D0; else -EIO and a
 * sentence.
 */
int device_awake(struct device *d, enum irq_index index, struct error *e);

/**
 * device_memory_on() - memory decode on and the function in D0, so that BARs answer; else -EIO and
 * a sentence.
 */
int device_memory_on(struct device *d, struct error *e);

#endif
