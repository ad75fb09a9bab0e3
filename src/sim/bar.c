// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * BARs of the simulated function: its registers, and the MSI-X table and PBA (PCI Local Bus 3.0,
 * section 6.8.2).
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "base/util.h"
#include "sim/internal.h"

#define ID 0x4d534958u

static void write_raise(struct sim_device *d, uint32_t value)
{
	if (value & 1)
		sim_intx_line(d, true);
}

static void write_ack(struct sim_device *d, uint32_t value)
{
	if (value & 1)
		sim_intx_line(d, false);
}

static void write_err(struct sim_device *d, uint32_t value)
{
	if (value & 1)
		sim_eventfd_signal(d, &d->err, 1);
}

static void write_req(struct sim_device *d, uint32_t value)
{
	if (value & 1)
		sim_eventfd_signal(d, &d->req, 1);
}

static const struct {
	uint16_t at;
	const char *word, *help;
	void (*write)(struct sim_device *d, uint32_t value); /* NULL: writing does nothing */
} registers[] = {
	{ SIM_REG_ID, "0x00 id", "reads 0x4d534958", NULL },
	{ SIM_REG_DOORBELL, "0x04 doorbell",
	  "write V: the device fires vector V of the index that is on", sim_ring },
	{ SIM_REG_INTX_RAISE, "0x08 raise", "write 1: INTx is asserted", write_raise },
	{ SIM_REG_INTX_ACK, "0x0c ack", "write 1: INTx is deasserted", write_ack },
	{ SIM_REG_INTX_STATUS, "0x10 status", "bit 0: INTx is asserted", NULL },
	{ SIM_REG_ERR, "0x14 err", "write 1: ERR is signalled", write_err },
	{ SIM_REG_REQ, "0x18 req", "write 1: REQ is signalled, as when the device is wanted back",
	  write_req },
	{ SIM_REG_FIRED_LO, "0x20 fired", "interrupts sent since reset, 64 bits (read bar0 0x20 q)",
	  NULL },
	{ SIM_REG_DROPPED_LO, "0x28 dropped",
	  "those of them that drop= lost, 64 bits; never INTx, which is a level", NULL },
};

const char *sim_register_word_at(unsigned int i, const char **help)
{
	if (i >= ARRAY_SIZE(registers))
		return NULL;
	if (help)
		*help = registers[i].help;
	return registers[i].word;
}

static uint32_t register_value(const struct sim_device *d, uint64_t at)
{
	switch (at) {
	case SIM_REG_ID:
		return ID;
	case SIM_REG_INTX_STATUS:
		return d->asserted;
	case SIM_REG_FIRED_LO:
		return (uint32_t)d->fired;
	case SIM_REG_FIRED_LO + 4:
		return (uint32_t)(d->fired >> 32);
	case SIM_REG_DROPPED_LO:
		return (uint32_t)d->dropped;
	case SIM_REG_DROPPED_LO + 4:
		return (uint32_t)(d->dropped >> 32);
	}
	return 0;
}

static void write_register(struct sim_device *d, uint64_t at, uint32_t value)
{
	for (size_t i = 0; i < ARRAY_SIZE(registers); i++)
		if (registers[i].at == at && registers[i].write) {
			registers[i].write(d, value);
			return;
		}
}

static void write_registers(struct sim_device *d, const uint8_t *buf, size_t n, uint64_t offset)
{
	for (uint64_t at = (offset + 3) / 4 * 4; at + 4 <= offset + n; at += 4)
		write_register(d, at, le32(buf + (at - offset)));
}

static size_t table_size(const struct sim_device *d)
{
	return (size_t)d->spec.msix * MSIX_ENTRY_SIZE;
}

static uint8_t table_byte(const struct sim_device *d, uint64_t at)
{
	if (at < table_size(d))
		return d->table[at];
	if (at < SIM_PBA_OFFSET || at >= SIM_PBA_OFFSET + MAX_VECTORS / 8)
		return 0;
	at -= SIM_PBA_OFFSET;
	return (uint8_t)(d->pending.bits[at / 8] >> (at % 8 * 8));
}

/* Vector Control has one bit, an address is a dword's; the PBA is not for writing. */
static void write_table(struct sim_device *d, const uint8_t *buf, size_t n, uint64_t offset)
{
	static const uint8_t writable[MSIX_ENTRY_SIZE] = { 0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
							   0xff, 0xff, 0xff, 0xff, 0xff, 0x01 };

	if (d->spec.nomask)
		return;
	for (size_t i = 0; i < n && offset + i < table_size(d); i++) {
		uint8_t mask = writable[(offset + i) % MSIX_ENTRY_SIZE],
			*to = &d->table[offset + i];

		*to = (uint8_t)((*to & ~mask) | (buf[i] & mask));
	}
	sim_deliver(d);
}

uint64_t sim_bar_size(const struct sim_device *d, unsigned int bar)
{
	if (bar == SIM_REGISTERS_BAR)
		return SIM_REGISTERS_SIZE;
	return bar == SIM_TABLE_BAR && d->spec.msix ? SIM_TABLE_BAR_SIZE : 0;
}

/*
 * linux/vfio.h's regions of a BAR, vfio_pci_bar_rw(): short at the end, EIO while the device does
 * not decode; EINVAL then from QEMU's server, to which a BAR without an address is none either
 * (vfu_object_bar_rw()).
 */
static ssize_t check_bar_access(const struct sim_device *d, unsigned int bar, size_t n,
				uint64_t offset)
{
	uint64_t size = sim_bar_size(d, bar);

	if (offset >= size)
		return -EINVAL;
	if (d->spec.client_enable && !sim_bar_mapped(d, bar))
		return -EINVAL;
	if (!sim_memory_on(d))
		return -EIO;
	return (ssize_t)(n < size - offset ? n : size - offset);
}

ssize_t sim_bar_read(struct sim_device *d, unsigned int bar, uint8_t *buf, size_t n,
		     uint64_t offset)
{
	ssize_t got = check_bar_access(d, bar, n, offset);

	for (ssize_t i = 0; i < got; i++) {
		uint64_t at = offset + (uint64_t)i;

		if (bar == SIM_TABLE_BAR)
			buf[i] = table_byte(d, at);
		else
			buf[i] = (uint8_t)(register_value(d, at & ~UINT64_C(3)) >> (at % 4 * 8));
	}
	return got;
}

ssize_t sim_bar_write(struct sim_device *d, unsigned int bar, const uint8_t *buf, size_t n,
		      uint64_t offset)
{
	ssize_t got = check_bar_access(d, bar, n, offset);

	if (got <= 0)
		return got;
	if (bar == SIM_TABLE_BAR)
		write_table(d, buf, (size_t)got, offset);
	else
		write_registers(d, buf, (size_t)got, offset);
	return got;
}
