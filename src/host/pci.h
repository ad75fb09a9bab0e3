/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI addresses, names and filters: libpci's door (host/pci.c is its only includer). */
#ifndef MSICTL_HOST_PCI_H
#define MSICTL_HOST_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct pci_addr {
	uint32_t domain;
	uint8_t bus, dev, fn;
};

/* Room for "ffffffff:ff:1f.7". */
#define PCI_ADDR_LEN 20

/**
 * pci_addr_parse() - "[domain:]bus:dev.fn", domain 0 when left out, or a sysfs path that ends in
 * one
 * Returns: 0 or -EINVAL with the form wanted in @e (CAUSE_USAGE).
 */
int pci_addr_parse(const char *text, struct pci_addr *a, struct error *e);

/** pci_addr_full() - "0000:01:00.0" as in sysfs and JSON. Returns @buf. */
char *pci_addr_full(const struct pci_addr *a, char buf[PCI_ADDR_LEN]);

/** pci_addr_short() - without the domain when it is 0, as tables show it. Returns @buf. */
char *pci_addr_short(const struct pci_addr *a, char buf[PCI_ADDR_LEN]);

int pci_addr_cmp(const struct pci_addr *a, const struct pci_addr *b);

/*
 * The name database; opened on first use and kept, because loading it costs more than all else that
 * list does.
 */
struct pci_names;
struct pci_names *pci_names_open(void); /* NULL: out of memory */
void pci_names_close(struct pci_names *n);

/*
 * Room for pci_name(): two lines of pci.ids, of which libpci reads 1024 bytes each (MAX_LINE in its
 * names-parse.c).
 */
#define PCI_NAME 2048

/** pci_name() - "Vendor Device" from pci.ids, or the ids in hex. Returns @buf. */
char *pci_name(struct pci_names *n, uint16_t vendor, uint16_t device, char *buf, size_t size);

/**
 * pci_name_once() - as pci_name(), for a caller that wants no other: pci.ids is looked through and
 * not loaded, at a tenth of the time and without the memory
 */
char *pci_name_once(uint16_t vendor, uint16_t device, char *buf, size_t size);

/* A filter in lspci's words: -s [[domain]:][bus]:[dev][.fn] and -d vendor:device:class. */
struct pci_match {
	const char *slot, *id; /* NULL: any */
};

/** pci_match_check() - 0, or -EINVAL with libpci's sentence in @e. */
int pci_match_check(const struct pci_match *m, struct error *e);
bool pci_matches(const struct pci_match *m, const struct pci_addr *a, uint16_t vendor,
		 uint16_t device, uint32_t class);

#endif
