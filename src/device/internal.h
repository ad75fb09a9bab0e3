/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the device-*.c files share and nobody else needs. */
#ifndef MSICTL_DEVICE_INTERNAL_H
#define MSICTL_DEVICE_INTERNAL_H

#include "device/handle.h"

/** is_message() - MSI and MSI-X are messages, the others are not. */
static inline bool is_message(enum irq_index index)
{
	return index == IRQ_MSI || index == IRQ_MSIX;
}

/** vector_get() - the struct of a vector below info.count, made on first use. NULL: no memory. */
struct vector *vector_get(struct index *ix, unsigned int number);

/**
 * vector_take() - empty the eventfd into the counts of the vector
 * @n: how many interrupts it had; @own: of them, how many a loopback trigger of ours had announced
 *
 * Returns false when the eventfd had none.
 */
bool vector_take(struct vector *v, uint64_t *n, uint64_t *own);

/** vector_disarm() - count what is left in the eventfd, then close it. */
void vector_disarm(struct vector *v);

/* device/handle.c */

/**
 * device_vector_ready() - the callback of a vector's eventfd: count, tell, and close the device
 * when REQ was signalled
 */
void device_vector_ready(struct source *s);

/**
 * device_peer_listen() - hear on the loop when the process that serves the device goes. 0 or
 * -errno.
 */
int device_peer_listen(struct device *d, struct error *e);

/** device_peer_ready() - the callback of that: a peer that has gone takes the device along. */
void device_peer_ready(struct source *s);

/* device/undo.c */

/**
 * device_undo() - close the back end and count what is left in the eventfds
 * @polite: put masks, indexes and bus mastering back first; false when the device is gone or wanted
 * back
 */
void device_undo(struct device *d, bool polite);

/** device_left() - remember in device.left that @what was refused with @err, positive. */
void device_left(struct device *d, const char *what, int err);

/** device_close_idle() - after a rebuild: the eventfds of those that were not armed again. */
void device_close_idle(struct index *ix);

/**
 * device_line_on() - INTx that @was_on when eventfds were @attached: UNMASK what came meanwhile. 0
 * or -errno.
 */
int device_line_on(struct device *d, enum irq_index index, const struct vector_set *attached,
		   bool was_on, struct error *e);

/**
 * device_would_write() - in a dry run, tell of the write of @n little-endian bytes; false: make it.
 */
bool device_would_write(const struct device *d, enum region_index region, uint64_t offset,
			const void *raw, size_t n);

/**
 * device_region_failed() - @n bytes or -errno came of a region access: the peer is lost, or
 * @sentence.
 */
int device_region_failed(struct device *d, ssize_t n, const char *sentence, struct error *e);

/** explain_set() - a sentence on why the last device_send(), of @set, returned @rc
 * @c: as device_send() left it
 * Returns: a negative errno. */
int explain_set(struct device *d, const struct irq_set *set, int rc, struct change *c,
		struct error *e);

/**
 * device_commit_failed() - what a failed @set did where the host can't be asked: its vectors lost
 * their eventfds, but with @keep_armed those that were armed before it.
 */
void device_commit_failed(struct device *d, const struct irq_set *set, bool keep_armed);

/** device_config16() - read a little-endian word of config space. 0 or -errno. */
int device_config16(struct device *d, unsigned int pos, uint16_t *value);

/** device_config16_put() - write one; in a dry run the line of it. 0 or -errno. */
int device_config16_put(struct device *d, unsigned int pos, uint16_t value);

/**
 * device_bar_mapped() - whether @bar of a peer can answer, of what a guest's firmware and driver do
 * before they use it
 * Returns: 0, also when this can't be found out; or -EIO and the sentence, whose hint does it.
 */
int device_bar_mapped(struct device *d, enum region_index bar, struct error *e);

/* device/capability.c: Message Control and masks of a peer that leaves them to its client */

/**
 * device_cap_ready() - @index is on and @attached got eventfds: where the peer left it undone, set
 * Enable and unmask
 *
 * What was written is remembered in index.wrote and told in @c. Nothing is done on a device of this
 * host, in a dry run, and on a peer whose Enable is set by SET_IRQS.
 */
void device_cap_ready(struct device *d, enum irq_index index, const struct vector_set *attached,
		      struct change *c);

/** device_cap_undo() - put back what index.wrote remembers; @c may be NULL. */
void device_cap_undo(struct device *d, enum irq_index index, struct change *c);

/**
 * device_cap_touch() - the mask bit of @vector is about to be written, and reads @masked: remember
 * that, if it is ours.
 */
void device_cap_touch(struct device *d, enum irq_index index, unsigned int vector, bool masked);

/* device/table.c: the MSI-X table */

/**
 * device_table_reach() - map the table, or see that the BAR answers. 0, or -errno and a sentence.
 */
int device_table_reach(struct device *d, struct error *e);

/**
 * device_table_check() - whether the table has an entry for @vector
 *
 * GET_IRQ_INFO and the capability may name two numbers: a peer is free to.
 * Returns: 0, or -EINVAL and a sentence.
 */
int device_table_check(const struct device *d, unsigned int vector, struct error *e);

/**
 * device_entry_read() - @n dwords of entry @vector, from dword @first on, into @to
 *
 * After device_table_reach() alone. Returns: 0; -EFAULT or -EIO: the table does not answer.
 */
int device_entry_read(struct device *d, unsigned int vector, unsigned int first, uint32_t *to,
		      size_t n);

/**
 * device_entry_control() - write Vector Control of entry @vector; returns as device_entry_read().
 */
int device_entry_control(struct device *d, unsigned int vector, uint32_t value);

/** device_table_fault() - an access to the table failed: -errno and the sentence why. */
int device_table_fault(struct device *d, struct error *e);

/**
 * device_table_addresses() - the low dword of Message Address of @n entries, of a table that is
 * reached. 0 or -errno.
 */
int device_table_addresses(struct device *d, unsigned int start, uint32_t *low, size_t n);

/**
 * device_check_entries() - read back the MSI-X table entries of what a change armed
 *
 * The kernel writes no entry while the function is below D0 (__pci_write_msi_msg() in
 * drivers/pci/msi/msi.c), and answers 0: c->empty gets the vectors whose entries are empty,
 * c->entries_unread those whose entries can't be read. Both are looked at again after each later
 * change.
 */
void device_check_entries(struct device *d, struct change *c);

/**
 * device_keeps() - REQ is neither turned off nor held back: a sentence for it, 0 for the others.
 */
int device_keeps(const struct device *d, enum irq_index index, struct error *e);

#endif
