// SPDX-License-Identifier: GPL-2.0-or-later
#include "irq/msi-cap.h"

#include <string.h>

#include "base/util.h"

/* linux/pci_regs.h; PCI Local Bus 3.0, sections 6.1, 6.7 and 6.8. */
#define CFG_VENDOR	0x00
#define CFG_DEVICE	0x02
#define CFG_COMMAND	0x04
#define CFG_STATUS	0x06
#define CFG_HEADER_TYPE 0x0e
#define CFG_CARDBUS_CAP 0x14
#define CFG_CAP_POINTER 0x34
#define CFG_INT_PIN	0x3d
#define CFG_HEADER_SIZE 64u
#define CFG_SIZE	256u
#define CFG_FULL_SIZE	4096u

#define STATUS_CAP_LIST	    0x0010
#define HEADER_TYPE_MASK    0x7f
#define HEADER_TYPE_CARDBUS 2

#define CAP_ID_PM   0x01
#define CAP_ID_MSI  0x05
#define CAP_ID_PCIE 0x10
#define CAP_ID_MSIX 0x11
#define CAP_ID_NONE 0xff /* what a read of nothing gives */

#define MSI_ENABLE   0x0001
#define MSI_MMC	     0x000e
#define MSI_MME	     0x0070
#define MSI_64BIT    0x0080
#define MSI_MASKABLE 0x0100
#define MSI_EXT_DATA \
	0x0400 /* Extended Message Data Enable, PCIe 6.0 section 7.7.1.2; bit 9 is its capability */
#define MSI_RESERVED 0xf800

#define MSIX_SIZE	   0x07ff
#define MSIX_RESERVED	   0x3800
#define MSIX_FUNCTION_MASK 0x4000
#define MSIX_ENABLE	   0x8000
#define MSIX_BIR	   0x7u
#define MSIX_CAP_SIZE	   12u

/* The encoding of MMC and MME: a power of two up to 32, 6 and 7 are reserved. */
static unsigned int msi_vectors(unsigned int field)
{
	return field > 5 ? 0 : 1u << field;
}

static void msi_decode(const uint8_t *cfg, size_t len, uint8_t pos, struct msi_cap *m)
{
	const uint8_t *p = cfg + pos;
	size_t room = len - pos, data;

	*m = (struct msi_cap){ .pos = pos, .truncated = true };
	if (room < 4)
		return;
	m->control = le16(p + 2);
	m->enabled = m->control & MSI_ENABLE;
	m->capable = msi_vectors((m->control & MSI_MMC) >> 1);
	m->allocated = msi_vectors((m->control & MSI_MME) >> 4);
	m->is64 = m->control & MSI_64BIT;
	m->maskable = m->control & MSI_MASKABLE;
	m->reserved = m->control & MSI_RESERVED;
	data = m->is64 ? 12 : 8;
	/*
	 * Message Data is two bytes, four with extended data; the mask registers begin at the next
	 * dword
	 */
	if (room < data + (m->maskable ? 12 : m->control & MSI_EXT_DATA ? 4 : 2))
		return;
	m->truncated = false;
	m->address = le32(p + 4) | (m->is64 ? (uint64_t)le32(p + 8) << 32 : 0);
	m->data = m->control & MSI_EXT_DATA ? le32(p + data) : le16(p + data);
	if (!m->maskable)
		return;
	m->mask_pos = (uint8_t)(pos + data + 4);
	m->mask = le32(p + data + 4);
	m->pending = le32(p + data + 8);
}

static void msix_decode(const uint8_t *cfg, size_t len, uint8_t pos, struct msix_cap *m)
{
	const uint8_t *p = cfg + pos;
	size_t room = len - pos;

	*m = (struct msix_cap){ .pos = pos, .truncated = room < MSIX_CAP_SIZE };
	if (room < 4)
		return;
	m->control = le16(p + 2);
	m->enabled = m->control & MSIX_ENABLE;
	m->function_mask = m->control & MSIX_FUNCTION_MASK;
	m->count = (m->control & MSIX_SIZE) + 1u;
	m->reserved = m->control & MSIX_RESERVED;
	if (m->truncated)
		return;
	m->table_bar = (uint8_t)(le32(p + 4) & MSIX_BIR);
	m->table_offset = le32(p + 4) & ~MSIX_BIR;
	m->pba_bar = (uint8_t)(le32(p + 8) & MSIX_BIR);
	m->pba_offset = le32(p + 8) & ~MSIX_BIR;
}

/* The first capability of a kind counts, as pci_find_capability() has it. */
static void cap_decode(const uint8_t *cfg, size_t len, uint8_t pos, struct pci_caps *c)
{
	switch (cfg[pos]) {
	case CAP_ID_PM:
		if (!c->has_pm)
			c->pm_pos = pos;
		c->has_pm = true;
		break;
	case CAP_ID_MSI:
		if (!c->has_msi)
			msi_decode(cfg, len, pos, &c->msi);
		c->has_msi = true;
		break;
	case CAP_ID_PCIE:
		if (!c->has_pcie)
			c->pcie_pos = pos;
		c->has_pcie = true;
		break;
	case CAP_ID_MSIX:
		if (!c->has_msix)
			msix_decode(cfg, len, pos, &c->msix);
		c->has_msix = true;
		break;
	}
}

/* One bit per dword: each may be visited once. */
struct visited {
	uint64_t bits[CFG_FULL_SIZE / 4 / 64];
};

static bool visit(struct visited *v, unsigned int pos)
{
	uint64_t bit = 1ull << (pos / 4 % 64), *word = &v->bits[pos / 4 / 64];
	bool again = *word & bit;

	*word |= bit;
	return !again;
}

static enum caps_problem walk(const uint8_t *cfg, size_t len, struct pci_caps *caps)
{
	bool cardbus = caps->header_type == HEADER_TYPE_CARDBUS;
	uint8_t pos = cfg[cardbus ? CFG_CARDBUS_CAP : CFG_CAP_POINTER] & ~3;
	struct visited seen = { 0 };

	while (pos) {
		if (pos < CFG_HEADER_SIZE)
			return CAPS_BAD_POINTER;
		if (pos + 2u > len)
			return CAPS_SHORT_CONFIG;
		if (!visit(&seen, pos))
			return CAPS_CYCLIC;
		if (cfg[pos] == CAP_ID_NONE)
			return CAPS_BAD_POINTER;
		cap_decode(cfg, len, pos, caps);
		pos = cfg[pos + 1] & ~3;
	}
	return CAPS_OK;
}

static bool all_ones(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != 0xff)
			return false;
	}
	return true;
}

void caps_decode(const uint8_t *cfg, size_t len, struct pci_caps *caps)
{
	*caps = (struct pci_caps){ .problem = CAPS_SHORT_CONFIG };
	if (len < CFG_HEADER_SIZE)
		return;
	/*
	 * A virtual function's vendor and device alone read as ones (SR-IOV 1.1, section 3.4.1.1).
	 */
	if (all_ones(cfg, CFG_HEADER_SIZE)) {
		caps->problem = CAPS_ALL_ONES;
		return;
	}
	caps->vendor = le16(cfg + CFG_VENDOR);
	caps->device = le16(cfg + CFG_DEVICE);
	caps->command = le16(cfg + CFG_COMMAND);
	caps->status = le16(cfg + CFG_STATUS);
	caps->header_type = cfg[CFG_HEADER_TYPE] & HEADER_TYPE_MASK;
	caps->int_pin = cfg[CFG_INT_PIN];
	caps->problem = CAPS_OK;
	if (caps->status & STATUS_CAP_LIST)
		caps->problem = walk(cfg, len < CFG_SIZE ? len : CFG_SIZE, caps);
}

const char *caps_problem_text(enum caps_problem p)
{
	static const char *const text[] = {
		[CAPS_SHORT_CONFIG] =
			"configuration space could not be read to the end of the capability list",
		[CAPS_CYCLIC] = "the capability list runs in a circle",
		[CAPS_BAD_POINTER] =
			"a capability pointer leads into the header or to no capability",
		[CAPS_ALL_ONES] =
			"configuration space reads all ones: the function is gone or in D3cold",
	};

	return (size_t)p < ARRAY_SIZE(text) ? text[p] : NULL;
}

uint16_t msi_guest_control(uint16_t control, unsigned int granted)
{
	unsigned int capable = (control & MSI_MMC) >> 1, field = 0;

	while (field < 5 && field < capable && 2u << field <= granted)
		field++;
	return (uint16_t)((control & ~(MSI_MMC | MSI_MME | MSI_ENABLE)) | field << 1);
}

void msix_entry_decode(const uint8_t raw[MSIX_ENTRY_SIZE], struct msix_entry *e)
{
	e->address = le32(raw) | (uint64_t)le32(raw + 4) << 32;
	e->data = le32(raw + 8);
	e->control = le32(raw + 12);
}

/* PCIe 6.0, sections 7.6.3 (header of an extended capability) and 7.9.6 (DVSEC). */
#define EXT_START     0x100u
#define EXT_ID_DVSEC  0x0023
#define DVSEC_HEADER1 0x04
#define DVSEC_HEADER2 0x08
#define INTEL_VENDOR  0x8086
#define INTEL_SIOV_ID 5
#define SIOV_CAPS     0x14u
#define SIOV_IMS      0x1u

static bool siov_here(const uint8_t *cfg, size_t len, unsigned int pos, struct siov_dvsec *s)
{
	const uint8_t *p = cfg + pos;

	if (le16(p) != EXT_ID_DVSEC || len - pos < SIOV_CAPS + 4)
		return false;
	if (le16(p + DVSEC_HEADER1) != INTEL_VENDOR || le16(p + DVSEC_HEADER2) != INTEL_SIOV_ID)
		return false;
	/* DVSEC Length, bits 31:20 of the first header: the register has to be part of it */
	if (le32(p + DVSEC_HEADER1) >> 20 < SIOV_CAPS + 4)
		return false;
	s->found = true;
	s->pos = (uint16_t)pos;
	s->capabilities = le32(p + SIOV_CAPS);
	s->ims = s->capabilities & SIOV_IMS;
	return true;
}

void siov_decode(const uint8_t *cfg, size_t len, struct siov_dvsec *s)
{
	unsigned int pos = EXT_START;
	struct visited seen = { 0 };

	*s = (struct siov_dvsec){ .readable = len >= EXT_START + 4 };
	if (len > CFG_FULL_SIZE)
		len = CFG_FULL_SIZE;
	while (pos >= EXT_START && pos + 4 <= len) {
		uint32_t header = le32(cfg + pos);

		if (!header || header == UINT32_MAX)
			return;
		if (!visit(&seen, pos)) {
			s->cyclic = true;
			return;
		}
		if (siov_here(cfg, len, pos, s))
			return;
		pos = header >> 20 & ~3u;
	}
}
