/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device of 16 MSI-X vectors in bytes of memory, where a test says which accesses and which SET_IRQS are refused. */
#ifndef TEST_DEVICE_RIG_H
#define TEST_DEVICE_RIG_H

#include <errno.h>
#include <linux/pci_regs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "device-model.h"
#include "base/util.h"
#include "device-facts.h"

/* Behind error.h: it makes a macro of fail(). */
#include <cmocka.h>

#define RIG_VECTORS 16u
#define RIG_MSI	    0x50u
#define RIG_BITS    0x60u /* the mask bits of it */
#define RIG_MSIX    0xb0u
#define RIG_PM	    0x40u
#define RIG_PBA	    0x200u
#define RIG_SEEN    128u

struct rig_access {
	bool write;
	enum region_index region;
	uint64_t at;
	size_t n;
};

struct rig {
	struct device d;
	struct trace trace;
	char told[2048]; /* by --dry-run */
	uint8_t config[256], bar[0x400];
	uint64_t bar_size;
	int info_rc; /* of region_info() */
	uint64_t map_at;
	size_t map_size;
	int map_rc; /* of region_map(), which tells no address then */
	/* Refused are accesses of refuse.n bytes (0: of any), but for the first @skip of them. Any answer but 0. */
	struct rig_access refuse;
	unsigned int skip;
	ssize_t answer;
	struct rig_access seen[RIG_SEEN];
	unsigned int accesses;
	/* What SET_IRQS number i answers, and what it was. */
	int set_rc[RIG_SEEN];
	struct irq_set set[RIG_SEEN];
	int32_t fd[RIG_VECTORS]; /* the eventfds of the last, where it had some */
	unsigned int sets;
	bool unresponsive_writes; /* accepted, and nothing changes */
	int reset_rc, resets;
	const char *end; /* why the peer is gone; NULL: it is there */
	bool closed;
};

static inline bool rig_refuses(struct rig *r, bool write, enum region_index region, uint64_t at,
			       size_t n)
{
	const struct rig_access *no = &r->refuse;

	assert_true(r->accesses < RIG_SEEN);
	r->seen[r->accesses++] = (struct rig_access){ write, region, at, n };
	if (!r->answer || no->write != write || no->region != region || no->at != at ||
	    (no->n && no->n != n))
		return false;
	if (r->skip) {
		r->skip--;
		return false;
	}
	return true;
}

static inline uint8_t *rig_bytes(struct rig *r, enum region_index region, uint64_t at, size_t n)
{
	if (at + n > (region == REGION_CONFIG ? sizeof(r->config) : sizeof(r->bar)))
		return NULL;
	return (region == REGION_CONFIG ? r->config : r->bar) + at;
}

static inline ssize_t rig_read(void *handle, enum region_index region, void *buf, size_t n,
			       uint64_t at)
{
	struct rig *r = handle;
	const uint8_t *from = rig_bytes(r, region, at, n);

	if (rig_refuses(r, false, region, at, n))
		return r->answer;
	if (!from)
		return -EIO;
	memcpy(buf, from, n);
	return (ssize_t)n;
}

static inline ssize_t rig_write(void *handle, enum region_index region, const void *buf, size_t n,
				uint64_t at)
{
	struct rig *r = handle;
	uint8_t *to = rig_bytes(r, region, at, n);

	if (rig_refuses(r, true, region, at, n))
		return r->answer;
	if (!to)
		return -EIO;
	if (!r->unresponsive_writes)
		memcpy(to, buf, n);
	return (ssize_t)n;
}

static inline int rig_set_irqs(void *handle, const struct irq_set *s, const int32_t *eventfd,
			       struct set_outcome *o)
{
	struct rig *r = handle;

	(void)o;
	assert_int_equal(eventfd != NULL, s->data == IRQ_DATA_EVENTFD);
	assert_true(r->sets < RIG_SEEN);
	r->set[r->sets] = *s;
	for (unsigned int i = 0; eventfd && i < s->count; i++)
		r->fd[s->start + i] = eventfd[i];
	return r->set_rc[r->sets++];
}

static inline int rig_region_info(void *handle, enum region_index region, struct region_info *info)
{
	const struct rig *r = handle;

	*info = (struct region_info){ .size = region == REGION_CONFIG ? sizeof(r->config)
								      : r->bar_size,
				      .read = true,
				      .write = true,
				      .map = true,
				      .msix_mappable = true };
	return r->info_rc;
}

/* What is mapped is a copy of the bytes of now. */
static inline int rig_region_map(void *handle, enum region_index region, uint64_t at, size_t n,
				 void **map)
{
	struct rig *r = handle;

	assert_int_equal(region, r->d.caps.msix.table_bar);
	r->map_at = at;
	r->map_size = n;
	*map = r->map_rc
		       ? MAP_FAILED
		       : mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (*map == MAP_FAILED)
		return r->map_rc;
	memcpy(*map, r->bar, n < sizeof(r->bar) ? n : sizeof(r->bar));
	return 0;
}

static inline int rig_reset(void *handle)
{
	struct rig *r = handle;

	r->resets++;
	return r->reset_rc;
}

static inline int rig_peer_fd(void *handle)
{
	(void)handle;
	return -1;
}

static inline int rig_peer_ready(void *handle)
{
	return ((struct rig *)handle)->end ? -ENOTCONN : 0;
}

static inline int rig_peer_end(void *handle, struct error *e)
{
	const struct rig *r = handle;

	if (!r->end)
		return 0;
	*e = (struct error){ .cause = CAUSE_BUSY, .err = ENOTCONN };
	copy_text(e->message, sizeof(e->message), r->end);
	copy_text(e->hint, sizeof(e->hint), "start the peer again");
	return -ENOTCONN;
}

static inline int rig_peer_explain(void *handle, int rc, const char *what, struct error *e)
{
	(void)handle;
	*e = (struct error){ .cause = CAUSE_FAILED, .err = -rc };
	append(e->message, sizeof(e->message), "the peer refused %s", what);
	return rc;
}

static inline void rig_close(void *handle)
{
	((struct rig *)handle)->closed = true;
}

#define RIG_OPERATIONS                                                                     \
	.set_irqs = rig_set_irqs, .region_info = rig_region_info, .region_read = rig_read, \
	.region_write = rig_write, .reset = rig_reset, .region_map = rig_region_map

static const struct device_ops rig_kernel = { KERNEL_FACTS, RIG_OPERATIONS, .host_irqs = true,
					      .table_by_region = true };
/* Its table is mapped. */
static const struct device_ops rig_mapped = { KERNEL_FACTS, RIG_OPERATIONS };
static const struct device_ops rig_peer = { PEER_FACTS,
					    RIG_OPERATIONS,
					    .peer_fd = rig_peer_fd,
					    .peer_ready = rig_peer_ready,
					    .peer_end = rig_peer_end,
					    .explain = rig_peer_explain };

static const struct backend rig_door = { .name = "rig", .ops = &rig_kernel, .close = rig_close };

static inline void rig_line(void *ctx, const char *text)
{
	struct rig *r = ctx;

	append(r->told, sizeof(r->told), "%s\n", text);
}

static inline void rig_put16(struct rig *r, unsigned int at, uint16_t value)
{
	r->config[at] = (uint8_t)value;
	r->config[at + 1] = (uint8_t)(value >> 8);
}

/* Message Control, Command and the like. */
static inline uint16_t rig_get16(const struct rig *r, unsigned int at)
{
	return le16(r->config + at);
}

/* Vector Control of an entry of the table. */
static inline uint8_t *rig_control(struct rig *r, unsigned int v)
{
	return r->bar + v * MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL;
}

/* Cmocka's: the kernel's device, in D0 with memory decode on, all addresses and masks 0; MSI of 16 vectors. */
static inline int rig_setup(void **state)
{
	static const unsigned int count[NR_IRQ_INDEX] = { 1, RIG_VECTORS, RIG_VECTORS, 1, 1 };
	struct rig *r = calloc(1, sizeof(*r));

	if (!r || loop_new(&r->d.loop))
		return -1;
	r->d.ready = device_vector_ready;
	r->trace = (struct trace){ .line = rig_line, .ctx = r };
	r->bar_size = sizeof(r->bar);
	rig_put16(r, PCI_VENDOR_ID, 0x1234);
	rig_put16(r, PCI_COMMAND, PCI_COMMAND_MEMORY);
	rig_put16(r, PCI_STATUS, PCI_STATUS_CAP_LIST);
	r->config[PCI_CAPABILITY_LIST] = RIG_PM;
	r->config[PCI_BASE_ADDRESS_2 + 3] = 0xe0;
	r->config[RIG_PM] = PCI_CAP_ID_PM;
	r->config[RIG_PM + PCI_CAP_LIST_NEXT] = RIG_MSI;
	r->config[RIG_MSI] = PCI_CAP_ID_MSI;
	r->config[RIG_MSI + PCI_CAP_LIST_NEXT] = RIG_MSIX;
	rig_put16(r, RIG_MSI + PCI_MSI_FLAGS, 4 << 1 | PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT);
	r->config[RIG_MSIX] = PCI_CAP_ID_MSIX;
	rig_put16(r, RIG_MSIX + PCI_MSIX_FLAGS, RIG_VECTORS - 1);
	r->config[RIG_MSIX + PCI_MSIX_TABLE] = 2;
	rig_put16(r, RIG_MSIX + PCI_MSIX_PBA, RIG_PBA | 2);
	caps_decode(r->config, sizeof(r->config), &r->d.caps);
	r->d.backend = &rig_door;
	r->d.ops = &rig_kernel;
	r->d.handle = r;
	r->d.trace = &r->trace;
	r->d.peer = (struct source){ .fd = -1, .ready = device_peer_ready, .owner = &r->d };
	r->d.info.reset = true;
	model_indexes(&r->d, count, IRQ_EVENTFD);
	*state = r;
	return 0;
}

static inline int rig_teardown(void **state)
{
	struct rig *r = *state;

	model_free(&r->d);
	if (r->d.table)
		munmap(r->d.table, r->d.table_map);
	free(r);
	return 0;
}

static inline struct vector_set rig_set(const char *text)
{
	struct vector_set s;
	enum vector_word word;

	assert_int_equal(vector_set_parse(text, &word, &s), 0);
	return s;
}

static inline void rig_is(struct vector_set s, const char *text)
{
	char buf[128];

	assert_string_equal(vector_set_text(&s, buf, sizeof(buf)), text);
}

static inline struct change rig_enable(struct rig *r, enum irq_index index, const char *vectors)
{
	struct vector_set which = rig_set(vectors);
	struct change c = { 0 };
	struct error e;

	if (device_enable(&r->d, index, &which, (struct change_how){ 0 }, &c, &e))
		fail_msg("enable of %s: %s", vectors, e.message);
	return c;
}

static inline struct change rig_disable(struct rig *r, enum irq_index index)
{
	struct change c = { 0 };
	struct error e;

	assert_int_equal(device_disable(&r->d, index, &c, &e), 0);
	return c;
}

/* Begin to refuse; the state of accesses begin anew. */
static inline void rig_refuse(struct rig *r, struct rig_access what, unsigned int skip,
			      ssize_t answer)
{
	r->refuse = what;
	r->skip = skip;
	r->answer = answer;
	r->accesses = 0;
}

static inline void rig_said(const struct error *e, enum cause cause, int err, const char *message)
{
	if (!strstr(e->message, message))
		fail_msg("expected \"%s\" in \"%s\"", message, e->message);
	assert_int_equal(e->cause, cause);
	assert_int_equal(e->err, err);
}

#endif
