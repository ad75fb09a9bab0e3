/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes of PCI configuration space and of an MSI-X table <-> what they say.
 * Pure: no file, no device. PCI Local Bus 3.0 section 6.8, PCIe 6.0 section 7.7.
 */
#ifndef MSICTL_IRQ_MSI_CAP_H
#define MSICTL_IRQ_MSI_CAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MSIX_ENTRY_SIZE 16u

struct msi_cap {
	uint8_t pos;	  /* offset of the capability, bytes */
	uint16_t control; /* Message Control as read */
	bool enabled;	  /* MSI Enable */
	/* 1 << Multiple Message Capable; 0 when the field is reserved (6, 7) */
	unsigned int capable;
	unsigned int allocated; /* 1 << Multiple Message Enable; 0 when reserved */
	bool is64, maskable;
	uint16_t reserved; /* reserved bits that are set in Message Control */
	uint64_t address;
	uint32_t data;
	uint8_t mask_pos;	/* offset of the Mask Bits register; 0: not maskable */
	uint32_t mask, pending; /* valid when maskable */
	bool truncated;		/* config ended inside the capability */
};

struct msix_cap {
	uint8_t pos;
	uint16_t control;
	bool enabled, function_mask;
	unsigned int count; /* Table Size + 1 */
	uint8_t table_bar, pba_bar;
	uint32_t table_offset, pba_offset; /* bytes into the BAR */
	uint16_t reserved;		   /* reserved bits set in Message Control */
	bool truncated;
};

/* Why a capability list could not be walked to its end. */
enum caps_problem {
	CAPS_OK,
	CAPS_SHORT_CONFIG, /* fewer than 64 bytes, or unprivileged 64 bytes with a list beyond */
	CAPS_CYCLIC,	   /* a pointer was seen twice */
	CAPS_BAD_POINTER,  /* a pointer into the header */
	CAPS_ALL_ONES,	   /* config reads 0xff: the function is gone or in D3cold */
};

struct pci_caps {
	enum caps_problem problem;
	bool has_msi, has_msix, has_pcie, has_pm;
	uint8_t pm_pos, pcie_pos;
	struct msi_cap msi;
	struct msix_cap msix;
	uint16_t command, status, vendor, device;
	uint8_t int_pin;     /* 0: no INTx, 1-4: INTA-INTD */
	uint8_t header_type; /* without the multifunction bit */
};

/** caps_decode() - walk the first 256 bytes; never reads past @len. */
void caps_decode(const uint8_t *cfg, size_t len, struct pci_caps *caps);

/** caps_problem_text() - a sentence, NULL for CAPS_OK. */
const char *caps_problem_text(enum caps_problem p);

/**
 * msi_guest_control() - Message Control with MMC lowered to @granted (rounded down to a power of
 * two, at least 1) and Enable/MME clear.
 */
uint16_t msi_guest_control(uint16_t control, unsigned int granted);

struct msix_entry {
	uint64_t address;
	uint32_t data,
		control; /* vector control: bit 0 masks, the rest is reserved or steering tags */
};

void msix_entry_decode(const uint8_t raw[MSIX_ENTRY_SIZE], struct msix_entry *e);

/* Intel Scalable IOV (Intel SIOV specification 1.0, "DVSEC": vendor 0x8086, id 5). */
struct siov_dvsec {
	bool readable; /* extended config space was there to look at */
	bool found;
	uint16_t pos;
	uint32_t capabilities; /* dword at 0x14 of the DVSEC */
	bool ims;	       /* bit 0 of it: says IMS, which proves nothing */
	bool cyclic;
};

void siov_decode(const uint8_t *cfg, size_t len, struct siov_dvsec *s);

#endif
