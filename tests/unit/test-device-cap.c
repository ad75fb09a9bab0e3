// SPDX-License-Identifier: GPL-2.0-or-later
/* Message Control and masks: of a peer that leaves them to its client, of one that holds on to them, of the kernel. */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "device/internal.h"
#include "base/util.h"
#include "device-facts.h"

#undef fail /* cmocka's; the tool has its own */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define VECTORS	  8u
#define CAP	  0xb0u
#define CONTROL	  (CAP + PCI_MSIX_FLAGS)
#define MSI_CAP	  0x50u
#define TABLE_BAR 2
#define MAX_SEEN  64u

/* A write, or a SET_IRQS other than TRIGGER, in the order of their coming. */
struct seen {
	enum {
		CONFIG,
		TABLE,
		ACTION
	} what;
	uint32_t at, value;
};

struct model {
	struct device d;
	struct trace trace;
	uint8_t config[256], table[VECTORS * MSIX_ENTRY_SIZE];
	bool no_enable;		 /* Enable can't be written */
	bool no_masks;		 /* nor Vector Control */
	bool action_works;	 /* MASK and UNMASK change Vector Control */
	bool action_absent;	 /* or are answered ENOTTY */
	bool no_table;		 /* the BAR does not answer */
	bool unresponsive, deaf; /* the MSI mask bits can't be read, or written */
	bool keeps;		 /* a reset leaves these registers alone */
	struct seen seen[MAX_SEEN];
	unsigned int n;
};

static void note(struct model *m, int what, uint32_t at, uint32_t value)
{
	assert_true(m->n < MAX_SEEN);
	m->seen[m->n++] = (struct seen){ what, at, value };
}

static void set_mask(struct model *m, unsigned int v, bool mask)
{
	m->table[v * MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL] = mask;
}

static bool is_masked(const struct model *m, unsigned int v)
{
	return m->table[v * MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL] & 1;
}

static int model_set_irqs(void *handle, const struct irq_set *s, const int32_t *eventfd,
			  struct set_outcome *o)
{
	struct model *m = handle;

	(void)o;
	(void)eventfd;
	if (s->action == IRQ_ACTION_TRIGGER)
		return 0;
	if (m->action_absent)
		return -ENOTTY;
	note(m, ACTION, s->start, s->count);
	for (unsigned int v = s->start; m->action_works && v < s->start + s->count; v++)
		set_mask(m, v, s->action == IRQ_ACTION_MASK);
	return 0;
}

static ssize_t model_read(void *handle, enum region_index region, void *buf, size_t n,
			  uint64_t offset)
{
	struct model *m = handle;

	if (region != REGION_CONFIG && m->no_table)
		return -EINVAL;
	if (m->unresponsive && offset == MSI_CAP + PCI_MSI_MASK_64)
		return -EIO;
	assert_true(offset + n <= (region == REGION_CONFIG ? sizeof(m->config) : sizeof(m->table)));
	memcpy(buf, (region == REGION_CONFIG ? m->config : m->table) + offset, n);
	return (ssize_t)n;
}

static ssize_t model_write(void *handle, enum region_index region, const void *buf, size_t n,
			   uint64_t offset)
{
	struct model *m = handle;
	uint32_t value = 0;

	memcpy(&value, buf, n);
	note(m, region == REGION_CONFIG ? CONFIG : TABLE, (uint32_t)offset, value);
	if (m->deaf && offset == MSI_CAP + PCI_MSI_MASK_64)
		return -EIO;
	if (region == REGION_CONFIG && m->no_enable && offset == CONTROL)
		return (ssize_t)n;
	if (region != REGION_CONFIG && m->no_masks)
		return (ssize_t)n;
	memcpy((region == REGION_CONFIG ? m->config : m->table) + offset, buf, n);
	return (ssize_t)n;
}

static int model_region_info(void *handle, enum region_index region, struct region_info *info)
{
	(void)handle;
	*info = (struct region_info){ .size = region == REGION_CONFIG ? 256 : 4096,
				      .read = true,
				      .write = true };
	return 0;
}

static int model_reset(void *handle)
{
	struct model *m = handle;

	if (m->keeps)
		return 0;
	memset(m->config + PCI_COMMAND, 0, 2);
	m->config[CONTROL + 1] = 0;
	for (unsigned int v = 0; v < VECTORS; v++)
		m->table[v * MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL] = 1;
	return 0;
}

static int model_peer_fd(void *handle)
{
	(void)handle;
	return -1;
}

static void model_close(void *handle)
{
	(void)handle;
}

static const struct device_ops peer = { PEER_FACTS,
					.set_irqs = model_set_irqs,
					.region_info = model_region_info,
					.region_read = model_read,
					.region_write = model_write,
					.peer_fd = model_peer_fd,
					.reset = model_reset };

static const struct backend door = { .name = "model", .close = model_close };

static const struct device_ops kernel = { KERNEL_FACTS,
					  .set_irqs = model_set_irqs,
					  .region_info = model_region_info,
					  .region_read = model_read,
					  .region_write = model_write,
					  .table_by_region = true };

static void unheard(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

static void put16(struct model *m, unsigned int at, uint16_t value)
{
	m->config[at] = (uint8_t)value;
	m->config[at + 1] = (uint8_t)(value >> 8);
}

static uint16_t control(const struct model *m)
{
	return le16(m->config + CONTROL);
}

static void put_caps(struct model *m)
{
	put16(m, PCI_STATUS, PCI_STATUS_CAP_LIST);
	put16(m, PCI_VENDOR_ID, 0x1234);
	put16(m, PCI_COMMAND, PCI_COMMAND_MASTER);
	m->config[PCI_CAPABILITY_LIST] = MSI_CAP;
	m->config[MSI_CAP] = PCI_CAP_ID_MSI;
	m->config[MSI_CAP + PCI_CAP_LIST_NEXT] = CAP;
	/* 8 vectors can be had, 64 bit, with masks */
	put16(m, MSI_CAP + PCI_MSI_FLAGS, 3 << 1 | PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT);
	m->config[CAP] = PCI_CAP_ID_MSIX;
	put16(m, CONTROL, VECTORS - 1);
	m->config[CAP + PCI_MSIX_TABLE] = TABLE_BAR;
	for (unsigned int v = 0; v < VECTORS; v++)
		set_mask(m, v, true);
	caps_decode(m->config, sizeof(m->config), &m->d.caps);
}

static int setup(void **state)
{
	struct model *m = calloc(1, sizeof(*m));

	if (!m || loop_new(&m->d.loop))
		return -1;
	m->d.ready = device_vector_ready;
	m->d.backend = &door;
	m->d.ops = &peer;
	m->d.handle = m;
	m->d.trace = &m->trace;
	m->trace.line = unheard;
	m->d.peer.fd = -1;
	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++)
		m->d.irq[i] = (struct index){
			.device = &m->d,
			.index = i,
			.present = true,
			.info = { .count = i == IRQ_MSI || i == IRQ_MSIX ? VECTORS : 1,
				  .flags = IRQ_EVENTFD }
		};
	put_caps(m);
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	struct model *m = *state;

	device_undo(&m->d, false);
	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++) {
		for (unsigned int v = 0; m->d.irq[i].vector && v < m->d.irq[i].info.count; v++)
			free(m->d.irq[i].vector[v]);
		free(m->d.irq[i].vector);
	}
	loop_free(m->d.loop);
	free(m);
	return 0;
}

static struct change enable(struct model *m, enum irq_index index, unsigned int start,
			    unsigned int count)
{
	struct vector_set set = { .bits = { 0 } };
	struct change c = { 0 };
	struct error e;

	vector_set_add_range(&set, start, count);
	assert_int_equal(device_enable(&m->d, index, &set, (struct change_how){ 0 }, &c, &e), 0);
	return c;
}

static struct change disable(struct model *m, enum irq_index index)
{
	struct change c = { 0 };
	struct error e;

	assert_int_equal(device_disable(&m->d, index, &c, &e), 0);
	return c;
}

static void was(const struct model *m, unsigned int i, int what, uint32_t at, uint32_t value)
{
	assert_true(i < m->n);
	assert_int_equal(m->seen[i].what, what);
	assert_int_equal(m->seen[i].at, at);
	assert_int_equal(m->seen[i].value, value);
}

/* msix_capability_init(): no vector fires before all that are wanted are unmasked. */
static void msix_as_a_driver_does(void **state)
{
	struct model *m = *state;
	struct change c = enable(m, IRQ_MSIX, 0, 2);

	assert_true(c.enable_written);
	assert_false(c.enable_clear || c.masks_unseen);
	assert_int_equal(c.unmasked.bits[0], 3);
	assert_true(vector_set_empty(&c.still_masked));
	assert_int_equal(m->n, 4);
	was(m, 0, CONFIG, CONTROL, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL | 7);
	was(m, 1, TABLE, 12, 0);
	was(m, 2, TABLE, 28, 0);
	was(m, 3, CONFIG, CONTROL, PCI_MSIX_FLAGS_ENABLE | 7);
	/* More vectors: their masks alone. */
	c = enable(m, IRQ_MSIX, 0, 3);
	assert_false(c.enable_written);
	assert_int_equal(c.unmasked.bits[0], 4);
	assert_int_equal(m->n, 5);
	c = disable(m, IRQ_MSIX);
	assert_true(c.cap_put_back);
	assert_int_equal(control(m), 7);
	assert_true(is_masked(m, 0) && is_masked(m, 1) && is_masked(m, 2));
}

/* Enable without Multiple Message Enable is one vector. */
static void msi_with_its_vectors(void **state)
{
	struct model *m = *state;
	const uint16_t before = le16(m->config + MSI_CAP + PCI_MSI_FLAGS);
	struct change c;

	memset(m->config + MSI_CAP + PCI_MSI_MASK_64, 0xff, 4);
	c = enable(m, IRQ_MSI, 0, 3);
	assert_true(c.enable_written);
	assert_int_equal(c.unmasked.bits[0], 7);
	assert_int_equal(le16(m->config + MSI_CAP + PCI_MSI_FLAGS),
			 before | PCI_MSI_FLAGS_ENABLE | 2 << 4);
	assert_int_equal(le32(m->config + MSI_CAP + PCI_MSI_MASK_64), 0xfffffff8);
	c = enable(m, IRQ_MSI, 0, 4);
	assert_int_equal(le16(m->config + MSI_CAP + PCI_MSI_FLAGS),
			 before | PCI_MSI_FLAGS_ENABLE | 2 << 4);
	assert_int_equal(c.unmasked.bits[0], 8);
	c = enable(m, IRQ_MSI, 0, 8);
	assert_int_equal(le16(m->config + MSI_CAP + PCI_MSI_FLAGS),
			 before | PCI_MSI_FLAGS_ENABLE | 3 << 4);
	assert_int_equal(c.unmasked.bits[0], 0xf0);
	c = disable(m, IRQ_MSI);
	assert_true(c.cap_put_back);
	assert_int_equal(le16(m->config + MSI_CAP + PCI_MSI_FLAGS), before);
	assert_int_equal(le32(m->config + MSI_CAP + PCI_MSI_MASK_64), UINT32_MAX);
}

static void enable_that_stays_clear(void **state)
{
	struct model *m = *state;
	struct change c;

	m->no_enable = true;
	c = enable(m, IRQ_MSIX, 0, 2);
	assert_true(c.enable_clear);
	assert_false(c.enable_written);
}

/* A mask bit that can't be written is the peer's, and so is its UNMASK. */
static void masks_by_action(void **state)
{
	struct model *m = *state;
	struct change c;

	m->no_masks = m->action_works = true;
	c = enable(m, IRQ_MSIX, 1, 2);
	assert_int_equal(c.unmasked.bits[0], 6);
	assert_true(vector_set_empty(&c.still_masked));
	/* from 0 on: QEMU's server takes the count for the end */
	was(m, 3, ACTION, 0, 3);
	c = disable(m, IRQ_MSIX);
	assert_true(is_masked(m, 1) && is_masked(m, 2));
	assert_true(c.cap_put_back);
}

/* The action reaches from 0 on, so it is not sent over a vector that is to stay masked. */
static void no_action_over_what_is_masked(void **state)
{
	struct model *m = *state;
	struct vector_set one = { .bits = { 1 } };
	struct change c;
	struct error e;

	m->no_masks = m->action_works = true;
	enable(m, IRQ_MSIX, 0, 1);
	assert_int_equal(device_mask(&m->d, IRQ_MSIX, &one, MASK_ACTION, true, &e), 0);
	c = enable(m, IRQ_MSIX, 0, 2);
	assert_int_equal(c.still_masked.bits[0], 2);
	assert_true(is_masked(m, 0));
}

static void masks_that_stay(void **state)
{
	struct model *m = *state;
	struct change c;

	m->no_masks = true;
	c = enable(m, IRQ_MSIX, 0, 2);
	assert_true(vector_set_empty(&c.unmasked));
	assert_int_equal(c.still_masked.bits[0], 3);
	assert_false(c.masks_unseen);
}

/* Masks that cannot be put back are told as left. */
static void msi_masks_that_are_left(void **state)
{
	struct model *m = *state;
	struct change c;

	memset(m->config + MSI_CAP + PCI_MSI_MASK_64, 0xff, 4);
	enable(m, IRQ_MSI, 0, 3);
	m->unresponsive = true;
	c = disable(m, IRQ_MSI);
	assert_true(c.cap_left && !c.cap_put_back);
	m->unresponsive = false;
	memset(m->config + MSI_CAP + PCI_MSI_MASK_64, 0xff, 4);
	enable(m, IRQ_MSI, 0, 3);
	m->deaf = true;
	c = disable(m, IRQ_MSI);
	assert_true(c.cap_left && !c.cap_put_back);
}

/* The same of an MSI-X table that does not answer any more. */
static void msix_masks_that_are_left(void **state)
{
	struct model *m = *state;
	struct change c;

	enable(m, IRQ_MSIX, 0, 2);
	m->no_table = true;
	c = disable(m, IRQ_MSIX);
	assert_true(c.cap_left && !c.cap_put_back);
}

static void masks_not_to_be_seen(void **state)
{
	struct model *m = *state;
	struct change c;

	m->no_table = m->action_works = true;
	c = enable(m, IRQ_MSIX, 0, 2);
	assert_true(c.enable_written && c.masks_unseen);
	assert_true(vector_set_empty(&c.unmasked));
	assert_false(is_masked(m, 1));
	c = disable(m, IRQ_MSIX);
	assert_true(c.cap_put_back);
	assert_true(is_masked(m, 0) && is_masked(m, 1));
}

/* A client that was killed left Enable set; the vectors of this one are masked all the same. */
static void enabled_by_a_former_client(void **state)
{
	struct model *m = *state;
	struct change c;

	put16(m, CONTROL, PCI_MSIX_FLAGS_ENABLE | 7);
	caps_decode(m->config, sizeof(m->config), &m->d.caps);
	c = enable(m, IRQ_MSIX, 0, 2);
	assert_false(c.enable_written || c.enable_clear);
	assert_int_equal(c.unmasked.bits[0], 3);
	disable(m, IRQ_MSIX);
	assert_true(is_masked(m, 0) && is_masked(m, 1));
	assert_int_equal(control(m), PCI_MSIX_FLAGS_ENABLE | 7);
}

static void msi_enabled_by_a_former_client(void **state)
{
	struct model *m = *state;
	const uint16_t left = le16(m->config + MSI_CAP + PCI_MSI_FLAGS) | PCI_MSI_FLAGS_ENABLE |
			      3 << 4;

	put16(m, MSI_CAP + PCI_MSI_FLAGS, left);
	caps_decode(m->config, sizeof(m->config), &m->d.caps);
	enable(m, IRQ_MSI, 0, 2);
	/* Not taken from vectors while they are on. */
	assert_int_equal(le16(m->config + MSI_CAP + PCI_MSI_FLAGS), left);
}

static void msi_without_masks(void **state)
{
	struct model *m = *state;
	struct change c;

	put16(m, MSI_CAP + PCI_MSI_FLAGS, 3 << 1 | PCI_MSI_FLAGS_64BIT);
	caps_decode(m->config, sizeof(m->config), &m->d.caps);
	c = enable(m, IRQ_MSI, 0, 1);
	assert_true(c.enable_written);
	assert_false(c.masks_unseen);
	assert_int_equal(m->n, 1);
	was(m, 0, CONFIG, MSI_CAP + PCI_MSI_FLAGS,
	    3 << 1 | PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_ENABLE);
}

/* Function Mask that was set goes while the index is on; what is not ours to write stays as it has become. */
static void a_function_mask_before(void **state)
{
	struct model *m = *state;

	put16(m, CONTROL, PCI_MSIX_FLAGS_MASKALL | 7);
	enable(m, IRQ_MSIX, 0, VECTORS);
	assert_int_equal(control(m), PCI_MSIX_FLAGS_ENABLE | 7);
	put16(m, CONTROL, PCI_MSIX_FLAGS_ENABLE | 0x0800 | 7);
	disable(m, IRQ_MSIX);
	assert_int_equal(control(m), PCI_MSIX_FLAGS_MASKALL | 0x0800 | 7);
}

/* Whatever a user masks and unmasks meanwhile: an entry that was unmasked at first is so at the end. */
static void an_entry_that_was_open(void **state)
{
	struct model *m = *state;
	struct vector_set one = { .bits = { 1 } };
	struct error e;

	set_mask(m, 0, false);
	enable(m, IRQ_MSIX, 0, 2);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(device_mask(&m->d, IRQ_MSIX, &one, MASK_TABLE, true, &e), 0);
		assert_int_equal(device_mask(&m->d, IRQ_MSIX, &one, MASK_TABLE, false, &e), 0);
	}
	assert_int_equal(device_mask(&m->d, IRQ_MSIX, &one, MASK_TABLE, true, &e), 0);
	disable(m, IRQ_MSIX);
	assert_false(is_masked(m, 0));
	assert_true(is_masked(m, 1));
}

static void a_dry_run_writes_nothing(void **state)
{
	struct model *m = *state;
	struct error e;

	enable(m, IRQ_MSIX, 0, 2);
	m->n = 0;
	m->trace.dry_run = true;
	assert_int_equal(device_dry_begin(&m->d, &e), 0);
	assert_true(disable(m, IRQ_MSIX).cap_put_back);
	device_dry_end(&m->d);
	m->trace.dry_run = false;
	assert_int_equal(m->n, 0);
	assert_false(is_masked(m, 0));
	assert_true(disable(m, IRQ_MSIX).cap_put_back);
	assert_true(is_masked(m, 0));
	assert_int_equal(control(m), 7);
}

static void the_end_puts_back(void **state)
{
	struct model *m = *state;

	enable(m, IRQ_MSIX, 0, 2);
	assert_true(control(m) & PCI_MSIX_FLAGS_ENABLE);
	device_undo(&m->d, true);
	assert_int_equal(control(m), 7);
	assert_true(is_masked(m, 0) && is_masked(m, 1));
}

/* On a device of this host these registers are the kernel's. */
static void never_of_the_kernel(void **state)
{
	struct model *m = *state;
	struct vector_set one = { .bits = { 1 } };
	struct change c;
	struct error e;

	m->d.ops = &kernel;
	put16(m, PCI_COMMAND, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
	c = enable(m, IRQ_MSIX, 0, 2);
	assert_false(c.enable_written || c.enable_clear);
	assert_int_equal(m->n, 0);
	assert_int_equal(device_write(&m->d, REGION_CONFIG, CONTROL, 2, 0, &e), -EINVAL);
	m->action_absent = true;
	assert_int_equal(device_mask(&m->d, IRQ_MSIX, &one, MASK_ACTION, true, &e), -ENOTTY);
	disable(m, IRQ_MSIX);
	assert_int_equal(m->n, 0);
}

/* Accepted, and the device shows otherwise: it is not masked, and what was sent is taken back. */
static void an_action_is_looked_at(void **state)
{
	struct model *m = *state;
	struct vector_set both = { .bits = { 3 } }, masked;
	struct error e = { 0 };

	enable(m, IRQ_MSIX, 0, 4);
	m->n = 0;
	assert_true(device_mask(&m->d, IRQ_MSIX, &both, MASK_ACTION, true, &e) < 0);
	assert_string_equal(
		e.message,
		"the peer accepted MASK, but msix 0-1 still read unmasked in the device");
	assert_string_equal(e.hint, "mask msix 0-1 --by table");
	masked = device_masked(&m->d, IRQ_MSIX);
	assert_true(vector_set_empty(&masked));
	assert_int_equal(m->n, 2);
	m->action_works = true;
	assert_int_equal(device_mask(&m->d, IRQ_MSIX, &both, MASK_ACTION, true, &e), 0);
	masked = device_masked(&m->d, IRQ_MSIX);
	assert_int_equal(masked.bits[0], 3);
	/* The bits can be cleared by the table as well, when UNMASK does nothing. */
	m->action_works = false;
	assert_true(device_mask(&m->d, IRQ_MSIX, &both, MASK_NOT, false, &e) < 0);
	assert_string_equal(e.hint, "unmask msix 0-1 --by table");
	assert_int_equal(device_mask(&m->d, IRQ_MSIX, &both, MASK_TABLE, false, &e), 0);
	masked = device_masked(&m->d, IRQ_MSIX);
	assert_true(vector_set_empty(&masked));
	assert_false(is_masked(m, 0) || is_masked(m, 1));
}

/* As after power-on: what the armed vectors need is set again, a mask of the user's is gone. */
static void a_reset_that_clears(void **state)
{
	struct model *m = *state;
	struct vector_set one = { .bits = { 1 } }, masked;
	struct change c = { 0 };
	struct error e;

	enable(m, IRQ_MSIX, 0, 2);
	assert_int_equal(device_mask(&m->d, IRQ_MSIX, &one, MASK_TABLE, true, &e), 0);
	m->d.info.reset = true;
	assert_int_equal(device_reset(&m->d, &c, &e), 0);
	assert_true(c.enable_written && c.bus_master_on);
	assert_int_equal(c.unmasked.bits[0], 3);
	assert_int_equal(control(m), PCI_MSIX_FLAGS_ENABLE | 7);
	assert_int_equal(le16(m->config + PCI_COMMAND), PCI_COMMAND_MASTER);
	masked = device_masked(&m->d, IRQ_MSIX);
	assert_true(vector_set_empty(&masked));
	c = disable(m, IRQ_MSIX);
	assert_int_equal(control(m), 7);
	assert_true(is_masked(m, 0) && is_masked(m, 1));
}

/* A reset that leaves the masks alone would leave vectors dead that are no longer said to be masked. */
static void a_reset_that_keeps_masks(void **state)
{
	struct model *m = *state;
	struct vector_set one = { .bits = { 1 } };
	struct change c = { 0 };
	struct error e;

	m->keeps = true;
	enable(m, IRQ_MSIX, 0, 2);
	assert_int_equal(device_mask(&m->d, IRQ_MSIX, &one, MASK_TABLE, true, &e), 0);
	m->d.info.reset = true;
	assert_int_equal(device_reset(&m->d, &c, &e), 0);
	assert_false(c.enable_written || c.bus_master_on);
	assert_int_equal(c.unmasked.bits[0], 1);
	assert_false(is_masked(m, 0));
}

static void a_peer_without_the_action(void **state)
{
	struct model *m = *state;
	struct vector_set one = { .bits = { 1 } };
	struct error e;

	enable(m, IRQ_MSIX, 0, 2);
	m->action_absent = true;
	assert_int_equal(device_mask(&m->d, IRQ_MSIX, &one, MASK_ACTION, true, &e), -ENOTTY);
	assert_string_equal(e.message, "the peer has no MASK for msix");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(msix_as_a_driver_does, setup, teardown),
		cmocka_unit_test_setup_teardown(msi_with_its_vectors, setup, teardown),
		cmocka_unit_test_setup_teardown(enable_that_stays_clear, setup, teardown),
		cmocka_unit_test_setup_teardown(masks_by_action, setup, teardown),
		cmocka_unit_test_setup_teardown(no_action_over_what_is_masked, setup, teardown),
		cmocka_unit_test_setup_teardown(masks_that_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(msi_masks_that_are_left, setup, teardown),
		cmocka_unit_test_setup_teardown(msix_masks_that_are_left, setup, teardown),
		cmocka_unit_test_setup_teardown(masks_not_to_be_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(enabled_by_a_former_client, setup, teardown),
		cmocka_unit_test_setup_teardown(msi_enabled_by_a_former_client, setup, teardown),
		cmocka_unit_test_setup_teardown(msi_without_masks, setup, teardown),
		cmocka_unit_test_setup_teardown(a_function_mask_before, setup, teardown),
		cmocka_unit_test_setup_teardown(an_entry_that_was_open, setup, teardown),
		cmocka_unit_test_setup_teardown(a_dry_run_writes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(the_end_puts_back, setup, teardown),
		cmocka_unit_test_setup_teardown(never_of_the_kernel, setup, teardown),
		cmocka_unit_test_setup_teardown(an_action_is_looked_at, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reset_that_clears, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reset_that_keeps_masks, setup, teardown),
		cmocka_unit_test_setup_teardown(a_peer_without_the_action, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
