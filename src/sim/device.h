/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A simulated PCI function: config space, BARs, interrupt state. It answers as
 * the kernel's vfio-pci does (return values and errnos as measured), masks and
 * keeps pending bits as PCI Local Bus 3.0 section 6.8 says. No sockets here.
 */
#ifndef MSICTL_SIM_DEVICE_H
#define MSICTL_SIM_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "device/backend.h"
#include "sim/spec.h"

/*
 * BAR0, 4 KiB, memory, 32-bit: registers. Little-endian dwords; a write acts on the dwords that it
 * covers whole. BAR2, memory: MSI-X table from 0, PBA from 0x8000; 64 KiB. Not there without MSI-X.
 */
enum sim_register {
	SIM_REG_ID = 0x00,
	SIM_REG_DOORBELL = 0x04,
	SIM_REG_INTX_RAISE = 0x08,
	SIM_REG_INTX_ACK = 0x0c,
	SIM_REG_INTX_STATUS = 0x10,
	SIM_REG_ERR = 0x14,
	SIM_REG_REQ = 0x18,
	SIM_REG_FIRED_LO = 0x20,
	SIM_REG_DROPPED_LO = 0x28,
};

/**
 * sim_register_word_at() - the registers for help: "0x04 doorbell" and what it does; NULL past the
 * last.
 */
const char *sim_register_word_at(unsigned int i, const char **help);

struct sim_device;

/** sim_device_new() - 0 or -ENOMEM. */
int sim_device_new(struct sim_device **d, const struct sim_spec *spec);
void sim_device_free(struct sim_device *d);

/**
 * sim_accept_pieces() - take the eventfds of a NORESIZE index in several calls, as a vfio-user
 * server has to
 *
 * A vfio-user message carries a limited number of descriptors (max_msg_fds), so a client sends one
 * set of eventfds as several SET_IRQS: QEMU start=0 count=16, then start=16 count=16. The kernel
 * takes a set in one call and has no rule for pieces. Ours: a call with DATA_EVENTFD that reaches
 * behind the allocation of a NORESIZE index is a piece of the enabling, provided that none of its
 * vectors is live. The allocation (and MME) becomes what one call for all pieces would have given.
 * A piece that the platform can't grant is answered with the short count and changes nothing; the
 * pieces before it stay armed. Everything else is answered as the kernel does, also a call that
 * reaches behind the allocation and names a live vector.
 */
void sim_accept_pieces(struct sim_device *d);

/**
 * sim_distrust_clients() - signal eventfds so that no client can block this process
 *
 * A client may clear O_NONBLOCK of an eventfd that it shares and fill the counter at any moment.
 * From now on eventfds are signalled by the kernel's AIO, which never waits, where the kernel has
 * AIO. To free the device takes some 30 ms then (io_destroy(2) waits for a grace period), so a
 * client of one's own is spared this.
 */
void sim_distrust_clients(struct sim_device *d);

/**
 * sim_device_disconnect() - the client went: all eventfds closed, the function as sim_device_new()
 * made it.
 */
void sim_device_disconnect(struct sim_device *d);

void sim_device_info(const struct sim_device *d, struct device_info *info);

/** sim_irq_info() - 0 or -EINVAL. */
int sim_irq_info(const struct sim_device *d, unsigned int index, struct irq_info *info);

/* What struct vfio_irq_set and its data say. */
struct sim_set {
	uint32_t flags; /* linux/vfio.h's VFIO_IRQ_SET_*, as they came */
	unsigned int index, start, count;
	const uint8_t *bools; /* DATA_BOOL: count bytes, borrowed; ignored without DATA_BOOL */
	/*
	 * DATA_EVENTFD: count descriptors, -1 for none; NULL: none at all. Each is of its own. The
	 * device owns what it takes and puts -1 there; the rest stays the caller's.
	 */
	int32_t *fd;
};

/**
 * sim_set_irqs() - VFIO_DEVICE_SET_IRQS
 *
 * Returns: 0, a positive short count (this call enabled nothing), or -errno, each as vfio-pci gives
 * it; -EINVAL: @s has descriptors and flags without DATA_EVENTFD.
 */
int sim_set_irqs(struct sim_device *d, const struct sim_set *s);

/** sim_is_eventfd() - whether @fd, which a client has sent, is an open eventfd; a look only. */
bool sim_is_eventfd(const struct sim_device *d, int fd);

/** sim_region_info() - 0 also for a region that is not there (size 0); -EINVAL past the last. */
int sim_region_info(const struct sim_device *d, unsigned int region, struct region_info *info);

/**
 * sim_region_read(), sim_region_write() - as pread/pwrite on vfio-pci's regions
 *
 * Returns: bytes, fewer at the end of a BAR; -EIO: memory decode is off or the function is in
 * D3hot; -EINVAL: no such region, or past its end; -EFAULT: past the end of config space.
 */
ssize_t sim_region_read(struct sim_device *d, unsigned int region, void *buf, size_t n,
			uint64_t offset);
ssize_t sim_region_write(struct sim_device *d, unsigned int region, const void *buf, size_t n,
			 uint64_t offset);

/**
 * sim_reset() - VFIO_DEVICE_RESET: eventfds, command register and BARs stay, masks and what is
 * pending go.
 */
int sim_reset(struct sim_device *d);

/**
 * sim_unmask_fd() - the eventfd by which the client unmasks INTx, -1: none
 *
 * Owned by the device; changes with sim_set_irqs() and sim_device_disconnect(), which may close it:
 * ask before and after.
 */
int sim_unmask_fd(const struct sim_device *d);

/** sim_unmask() - it is readable: take the request and unmask. */
void sim_unmask(struct sim_device *d);

/**
 * sim_due() - when a delayed interrupt (latency=) is to be signalled next, CLOCK_MONOTONIC us;
 * UINT64_MAX: none.
 */
uint64_t sim_due(const struct sim_device *d);

/** sim_tick() - signal what is due at @now. */
void sim_tick(struct sim_device *d, uint64_t now);

#endif
