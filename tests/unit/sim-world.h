/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A simulated function on the table: short words to drive it and to count what arrives. */
#ifndef TEST_SIM_WORLD_H
#define TEST_SIM_WORLD_H

#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* cmocka.h makes fail() a macro: our headers come first */
#include "../set-irqs.h"
#include "irq/msi-cap.h"
#include "sim/device.h"
#include "base/util.h"

#include <cmocka.h>

#define PBA_OFFSET 0x8000u

/* The client's end of each vector's eventfd; the device gets duplicates. */
struct world {
	struct sim_device *d;
	int fd[MAX_VECTORS];
};

static inline struct world *world_new(const char *text)
{
	struct world *w = calloc(1, sizeof(*w));
	struct sim_spec spec;
	struct error e;

	assert_non_null(w);
	assert_int_equal(sim_spec_parse(text, &spec, &e), 0);
	assert_int_equal(sim_device_new(&w->d, &spec), 0);
	for (size_t i = 0; i < ARRAY_SIZE(w->fd); i++)
		w->fd[i] = -1;
	return w;
}

static inline void world_free(struct world *w)
{
	for (size_t i = 0; i < ARRAY_SIZE(w->fd); i++)
		cleanup_fd(&w->fd[i]);
	sim_device_free(w->d);
	free(w);
}

static inline int set(struct world *w, uint32_t flags, unsigned int index, unsigned int start,
		      unsigned int count)
{
	return sim_set_irqs(w->d, &(struct sim_set){ .flags = flags, index, start, count });
}

static inline int set_bools(struct world *w, uint32_t flags, unsigned int index, unsigned int start,
			    unsigned int count, const uint8_t *bools)
{
	return sim_set_irqs(
		w->d, &(struct sim_set){ .flags = flags, index, start, count, .bools = bools });
}

/* What the device does not take over is closed. */
static inline int set_fds(struct world *w, uint32_t flags, unsigned int index, unsigned int start,
			  unsigned int count, int32_t *fd)
{
	int rc = sim_set_irqs(w->d,
			      &(struct sim_set){ .flags = flags, index, start, count, .fd = fd });

	for (unsigned int i = 0; i < count; i++)
		cleanup_fd(&fd[i]);
	return rc;
}

static inline int set_fd(struct world *w, uint32_t flags, unsigned int index, unsigned int start,
			 int fd)
{
	int32_t one = fd;

	return set_fds(w, flags, index, start, 1, &one);
}

/* A duplicate of vector @v's eventfd, which is made when it is not there. */
static inline int fd_of(struct world *w, unsigned int v)
{
	int fd;

	if (w->fd[v] < 0)
		w->fd[v] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	fd = fcntl(w->fd[v], F_DUPFD_CLOEXEC, 3);
	assert_true(fd >= 0);
	return fd;
}

/* Attach start..start+count-1; @bad at @bad_at stands in for an eventfd. */
static inline int attach_bad(struct world *w, unsigned int index, unsigned int start,
			     unsigned int count, unsigned int bad_at, int bad)
{
	int32_t fd[MAX_VECTORS];

	for (unsigned int i = 0; i < count; i++)
		fd[i] = start + i == bad_at ? bad : fd_of(w, start + i);
	return set_fds(w, EVENTFD, index, start, count, fd);
}

static inline int attach(struct world *w, unsigned int index, unsigned int start,
			 unsigned int count)
{
	return attach_bad(w, index, start, count, UINT32_MAX, -1);
}

static inline int release(struct world *w, unsigned int index, unsigned int start,
			  unsigned int count)
{
	return set(w, EVENTFD, index, start, count);
}

static inline uint64_t taken(int fd)
{
	uint64_t n = 0;

	return fd >= 0 && read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

/* How often vector @v was signalled since it was asked last. */
static inline uint64_t got(struct world *w, unsigned int v)
{
	return taken(w->fd[v]);
}

static inline uint64_t get(struct world *w, unsigned int region, uint64_t at, size_t width)
{
	uint8_t raw[8] = { 0 };
	uint64_t value = 0;

	assert_int_equal(sim_region_read(w->d, region, raw, width, at), width);
	for (size_t i = 0; i < width; i++)
		value |= (uint64_t)raw[i] << (8 * i);
	return value;
}

static inline void put(struct world *w, unsigned int region, uint64_t at, size_t width,
		       uint64_t value)
{
	uint8_t raw[8];

	for (size_t i = 0; i < width; i++)
		raw[i] = (uint8_t)(value >> (8 * i));
	assert_int_equal(sim_region_write(w->d, region, raw, width, at), width);
}

static inline uint32_t cfg(struct world *w, unsigned int at, size_t width)
{
	return (uint32_t)get(w, REGION_CONFIG, at, width);
}

static inline void put_cfg(struct world *w, unsigned int at, size_t width, uint32_t value)
{
	put(w, REGION_CONFIG, at, width, value);
}

static inline void put_reg(struct world *w, unsigned int at, uint32_t value)
{
	put(w, 0, at, 4, value);
}

static inline void master(struct world *w, bool on)
{
	put_cfg(w, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | (on ? PCI_COMMAND_MASTER : 0));
}

static inline void ring(struct world *w, unsigned int v)
{
	put_reg(w, SIM_REG_DOORBELL, v);
}

/* The device fires @v: how many signals are there then? */
static inline uint64_t fired(struct world *w, unsigned int v)
{
	ring(w, v);
	return got(w, v);
}

static inline struct pci_caps caps(struct world *w)
{
	uint8_t raw[256];
	struct pci_caps c;

	assert_int_equal(sim_region_read(w->d, REGION_CONFIG, raw, sizeof(raw), 0), sizeof(raw));
	caps_decode(raw, sizeof(raw), &c);
	return c;
}

static inline struct msix_entry entry(struct world *w, unsigned int v)
{
	uint8_t raw[MSIX_ENTRY_SIZE];
	struct msix_entry e;

	assert_int_equal(sim_region_read(w->d, 2, raw, sizeof(raw), (uint64_t)v * MSIX_ENTRY_SIZE),
			 sizeof(raw));
	msix_entry_decode(raw, &e);
	return e;
}

static inline void mask_entry(struct world *w, unsigned int v, bool mask)
{
	put(w, 2, v * MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL, 4, mask);
}

static inline uint64_t pba(struct world *w, unsigned int word)
{
	return get(w, 2, PBA_OFFSET + word * 8, 8);
}

static inline unsigned int open_fds(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 8192; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

#endif
