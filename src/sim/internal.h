/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the sim-*.c files share and nobody else needs. */
#ifndef MSICTL_SIM_INTERNAL_H
#define MSICTL_SIM_INTERNAL_H

#include "irq/msi-cap.h"
#include "irq/set-irqs.h"
#include "irq/vector-set.h"
#include "sim/device.h"

/* linux/pci_regs.h: PCI_CFG_SPACE_EXP_SIZE, a PCI Express function's configuration space. */
#define SIM_CONFIG_SIZE 4096u

#define SIM_REGISTERS_BAR  0u
#define SIM_REGISTERS_SIZE 0x1000u
#define SIM_TABLE_BAR	   2u
#define SIM_TABLE_BAR_SIZE 0x10000u
#define SIM_PBA_OFFSET	   0x8000u

/* An eventfd of the client's; fd -1: none. */
struct sim_eventfd {
	int fd;
};

/* sim_distrust_clients() */
struct sim_aio {
	unsigned long context; /* 0: none */
	int null;
	unsigned int uncollected;
};

/* A doorbell that was rung and has not fired yet. */
struct sim_delayed {
	uint64_t due;
	unsigned int vector;
};

struct sim_device {
	struct sim_spec spec;
	struct sim_aio aio;
	uint8_t config[SIM_CONFIG_SIZE], writable[SIM_CONFIG_SIZE];
	uint8_t table[MAX_VECTORS * MSIX_ENTRY_SIZE];
	struct vector_set pending; /* of MSI-X; those of MSI are in its capability */

	enum irq_index on;	     /* INTx, MSI or MSI-X; NR_IRQ_INDEX: none */
	struct vector_set allocated; /* what the kernel would hold a Linux IRQ for */
	unsigned int nallocated, msi_max;
	bool pieces;				/* sim_accept_pieces() */
	struct sim_eventfd vector[MAX_VECTORS]; /* of MSI or MSI-X */
	struct sim_eventfd intx, unmask, err, req;
	bool asserted;	  /* the INTx line */
	bool intx_masked; /* by the kernel: automatically, by MASK or by the command register */

	/*
	 * Each vector is in there at most once; the delay is the same for all, so the order is that
	 * of time.
	 */
	struct sim_delayed delayed[MAX_VECTORS];
	unsigned int delayed_first, delayed_count;
	uint64_t waiting[MAX_VECTORS]; /* how often a delayed vector is to fire */

	uint64_t fired, dropped, random;
};

/* --- sim/config.c: configuration space --- */

/** sim_config_init() - as vfio-pci hands the function over: memory decode on, bus mastering off. */
void sim_config_init(struct sim_device *d);

/** sim_config_reset() - what a reset and the kernel's restoring after it do. */
void sim_config_reset(struct sim_device *d);

/** sim_config_read() - copy @n bytes of config space. Returns: @n; -EFAULT: past its end. */
ssize_t sim_config_read(const struct sim_device *d, void *buf, size_t n, uint64_t offset);

/* What a write has asked for beyond the bytes of config space. */
struct sim_config_change {
	bool intx_off, intx_on; /* the command register's Interrupt Disable was set, was cleared */
	bool reset;		/* Initiate Function Level Reset was set */
};

/**
 * sim_config_write() - write those bits that a client may write
 * @c: what remains to be done by the device, untouched on an error
 *
 * Returns: @n; -EFAULT: past the end of config space.
 */
ssize_t sim_config_write(struct sim_device *d, const void *buf, size_t n, uint64_t offset,
			 struct sim_config_change *c);

/** sim_bus_master() - Bus Master Enable of the command register: messages are sent. */
bool sim_bus_master(const struct sim_device *d);
/** sim_intx_disabled() - Interrupt Disable of the command register. */
bool sim_intx_disabled(const struct sim_device *d);
/** sim_in_d0() - the power state is D0, not D3hot. */
bool sim_in_d0(const struct sim_device *d);

/** sim_memory_on() - whether BARs answer. */
bool sim_memory_on(const struct sim_device *d);

/** sim_bar_mapped() - memory decode is on and the BAR has an address. */
bool sim_bar_mapped(const struct sim_device *d, unsigned int bar);

/**
 * sim_enable_clear() - the index that is on is MSI or MSI-X, and Enable in its capability is clear.
 */
bool sim_enable_clear(const struct sim_device *d);

/** sim_show_intx() - Interrupt Status of the status register. */
void sim_show_intx(struct sim_device *d);

/** sim_msi_enable() - Enable, MME for @n vectors, an address; all masked when it can be. */
void sim_msi_enable(struct sim_device *d, unsigned int n);
/** sim_msi_disable() - clear Enable and the mask bits, as the kernel's pci_msi_shutdown(). */
void sim_msi_disable(struct sim_device *d);

/** sim_msi_widen() - MME for @n vectors of a capability that is enabled already; masks stay. */
void sim_msi_widen(struct sim_device *d, unsigned int n);

/** sim_msi_reaches() - whether the capability lets vector @v be sent at all. */
bool sim_msi_reaches(const struct sim_device *d, unsigned int v);

/** sim_msi_masked() - the mask bit of vector @v; false without per-vector masking. */
bool sim_msi_masked(const struct sim_device *d, unsigned int v);

/** sim_msi_set_mask() - write the mask bit of vector @v; nothing without per-vector masking. */
void sim_msi_set_mask(struct sim_device *d, unsigned int v, bool mask);

/** sim_msi_set_pending() - write the pending bit of @v; nothing without per-vector masking. */
void sim_msi_set_pending(struct sim_device *d, unsigned int v, bool pending);

/** sim_msi_deliverable() - pending and not masked: one bit per vector. */
uint32_t sim_msi_deliverable(const struct sim_device *d);

/** sim_msix_set_enable() - Enable; either way every entry is cleared. */
void sim_msix_set_enable(struct sim_device *d, bool enable);

/** sim_msix_function_mask() - Function Mask of MSI-X Message Control. */
bool sim_msix_function_mask(const struct sim_device *d);

/* --- sim/table.c: entries of the MSI-X table --- */

/**
 * sim_entry_set() - address and data of table entry @v as the kernel's for it, and Vector Control's
 * mask bit.
 */
void sim_entry_set(struct sim_device *d, unsigned int v, bool mask);

/** sim_entry_clear() - address and data 0, masked: so is a vector without a handler. */
void sim_entry_clear(struct sim_device *d, unsigned int v);

/** sim_entry_mask() - Vector Control's mask bit alone. */
void sim_entry_mask(struct sim_device *d, unsigned int v, bool mask);

/** sim_entry_masked() - Vector Control's mask bit of entry @v, below MAX_VECTORS. */
bool sim_entry_masked(const struct sim_device *d, unsigned int v);

/**
 * sim_entry_reaches() - whether address and data are still those that lead to the vector's handler.
 */
bool sim_entry_reaches(const struct sim_device *d, unsigned int v);

/* --- sim/bar.c: BARs --- */

/**
 * sim_bar_read() - read registers, table or PBA
 *
 * Returns: bytes, fewer than @n at the end of the BAR; -EINVAL: past its end or no such BAR; -EIO:
 * memory decode is off.
 */
ssize_t sim_bar_read(struct sim_device *d, unsigned int bar, uint8_t *buf, size_t n,
		     uint64_t offset);

/** sim_bar_write() - write registers or table, with all effects. Returns: as sim_bar_read(). */
ssize_t sim_bar_write(struct sim_device *d, unsigned int bar, const uint8_t *buf, size_t n,
		      uint64_t offset);

/** sim_bar_size() - 0: the BAR is not there. */
uint64_t sim_bar_size(const struct sim_device *d, unsigned int bar);

/* --- sim/irq.c: SET_IRQS --- */

/* One that passed the kernel's first checks: start + count is within the index. */
struct sim_call {
	enum irq_index index;
	enum irq_data data;
	unsigned int start, count;
	const uint8_t *bools; /* with IRQ_DATA_BOOL */
	int32_t *fd; /* with IRQ_DATA_EVENTFD; NULL: none at all; what is taken becomes -1 */
};

/** sim_wanted() - whether the @i-th of the call is meant; NONE means all. */
static inline bool sim_wanted(const struct sim_call *c, unsigned int i)
{
	return c->data == IRQ_DATA_NONE || (c->data == IRQ_DATA_BOOL && c->bools[i]);
}

/** sim_irq_init() - no descriptor anywhere. */
void sim_irq_init(struct sim_device *d);

/** sim_irq_off() - every index disabled, every descriptor closed. */
void sim_irq_off(struct sim_device *d);

/* --- sim/intx.c --- */

/** sim_intx_trigger() - SET_IRQS with TRIGGER of INTx. 0 or -errno, as vfio-pci gives it. */
int sim_intx_trigger(struct sim_device *d, const struct sim_call *c);

/** sim_intx_mask_action() - SET_IRQS with MASK of INTx. 0; -EINVAL; -ENOTTY: an eventfd. */
int sim_intx_mask_action(struct sim_device *d, const struct sim_call *c);

/**
 * sim_intx_unmask_action() - SET_IRQS with UNMASK of INTx
 *
 * With an eventfd: take it for later, -EBUSY when there is one. Returns: 0 or -errno.
 */
int sim_intx_unmask_action(struct sim_device *d, const struct sim_call *c);

/** sim_intx_disable() - close both eventfds; no index is on then. */
void sim_intx_disable(struct sim_device *d);

/** sim_intx_mask() - as the kernel's vfio_pci_intx_mask(); nothing while INTx is off. */
void sim_intx_mask(struct sim_device *d);

/** sim_intx_unmask() - as vfio_pci_intx_unmask(): a line that is still asserted is sent again. */
void sim_intx_unmask(struct sim_device *d);

/** sim_intx_line() - assert or deassert INTx. */
void sim_intx_line(struct sim_device *d, bool asserted);

/* --- sim/fire.c: from the device to the eventfd --- */

/** sim_ring() - the doorbell of @v: fire now, or after the latency. */
void sim_ring(struct sim_device *d, unsigned int v);

/** sim_deliver() - send what is pending and no longer masked. */
void sim_deliver(struct sim_device *d);

/** sim_fire_reset() - nothing under way, counters 0, the losses to come the same as before. */
void sim_fire_reset(struct sim_device *d);

/* --- sim/delay.c: doorbells under way --- */

/** sim_delay_push() - fire vector @v, below MAX_VECTORS, once more when latency= has passed. */
void sim_delay_push(struct sim_device *d, unsigned int v);

/**
 * sim_delay_pop() - take the first vector that is due at @now, CLOCK_MONOTONIC us, off the queue
 * @v: the vector
 * @n: how many doorbells it had
 *
 * Returns: false when none is due.
 */
bool sim_delay_pop(struct sim_device *d, uint64_t now, unsigned int *v, uint64_t *n);

/** sim_delay_forget() - empty the queue; nothing is fired. */
void sim_delay_forget(struct sim_device *d);

/* --- sim/aio.c --- */

/** sim_aio_init() - no context: the kernel has none to spare (fs.aio-max-nr), or no AIO. */
void sim_aio_init(struct sim_aio *a);

/** sim_aio_drop() - no context any more, as in the beginning. */
void sim_aio_drop(struct sim_aio *a);

/**
 * sim_aio_is_eventfd() - 0; -EBADF: no open descriptor; -EINVAL: not an eventfd; -ENOSYS: that
 * can't be told here.
 */
int sim_aio_is_eventfd(const struct sim_aio *a, int fd);

/**
 * sim_aio_signal() - add @n to the eventfd @fd, without ever blocking. Returns: how many of them
 * were added.
 */
uint64_t sim_aio_signal(struct sim_aio *a, int fd, uint64_t n);

/* --- sim/eventfd.c --- */

/**
 * sim_eventfd_take() - take @fd over, -1 stays behind
 * Returns: 0; -EBADF: no open descriptor; -EINVAL: not an eventfd. What was in @to must be dropped
 * before.
 */
int sim_eventfd_take(const struct sim_device *d, struct sim_eventfd *to, int32_t *fd);

/** sim_eventfd_drop() - close it, when there is one; fd -1 then. */
void sim_eventfd_drop(struct sim_eventfd *e);

/** sim_eventfd_signal() - add @n; a full counter stays full. */
void sim_eventfd_signal(struct sim_device *d, const struct sim_eventfd *e, uint64_t n);

/** sim_eventfd_clear() - read it. Returns: whether there was something; never blocks. */
bool sim_eventfd_clear(const struct sim_eventfd *e);

#endif
