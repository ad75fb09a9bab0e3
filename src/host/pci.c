// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/pci.h"

#include <ctype.h>
#include <errno.h>
#include <malloc.h>
#include <pci/pci.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"

/* Hex digits, at least one, worth no more than @max; *text is moved behind them. */
static bool take_hex(const char **text, uint64_t max, uint32_t *value)
{
	const char *p = *text;
	uint64_t n = 0;

	for (; isxdigit((unsigned char)*p); p++) {
		int low = tolower((unsigned char)*p);

		n = n * 16 + (uint64_t)(low <= '9' ? low - '0' : low - 'a' + 10);
		if (n > max)
			return false;
	}
	if (p == *text)
		return false;
	*text = p;
	*value = (uint32_t)n;
	return true;
}

static bool parse_bdf(const char *p, struct pci_addr *a)
{
	uint32_t domain = 0, bus, dev, fn;
	const char *colon = strchr(p, ':');

	if (colon && strchr(colon + 1, ':')) {
		if (!take_hex(&p, UINT32_MAX, &domain) || *p++ != ':')
			return false;
	}
	if (!take_hex(&p, 0xff, &bus) || *p++ != ':')
		return false;
	if (!take_hex(&p, 0x1f, &dev) || *p++ != '.')
		return false;
	if (!take_hex(&p, 7, &fn) || *p)
		return false;
	*a = (struct pci_addr){
		.domain = domain, .bus = (uint8_t)bus, .dev = (uint8_t)dev, .fn = (uint8_t)fn
	};
	return true;
}

int pci_addr_parse(const char *text, struct pci_addr *a, struct error *e)
{
	size_t len = strlen(text);
	char last[64], shown[128];
	const char *name;

	while (len && text[len - 1] == '/')
		len--;
	name = memrchr(text, '/', len);
	name = name ? name + 1 : text;
	len -= (size_t)(name - text);
	if (len < sizeof(last)) {
		copy_text(last, len + 1, name);
		if (parse_bdf(last, a))
			return 0;
	}
	fail(e, CAUSE_USAGE, 0,
	     "'%s' is no PCI address: [domain:]bus:dev.fn in hexadecimal is wanted, such as 01:00.0",
	     escape_text(text, shown, sizeof(shown)));
	hint(e, "msictl list");
	return -EINVAL;
}

char *pci_addr_full(const struct pci_addr *a, char buf[PCI_ADDR_LEN])
{
	snprintf(buf, PCI_ADDR_LEN, "%04x:%02x:%02x.%x", a->domain, a->bus, a->dev & 0x1fu,
		 a->fn & 7u);
	return buf;
}

char *pci_addr_short(const struct pci_addr *a, char buf[PCI_ADDR_LEN])
{
	if (a->domain)
		return pci_addr_full(a, buf);
	snprintf(buf, PCI_ADDR_LEN, "%02x:%02x.%x", a->bus, a->dev & 0x1fu, a->fn & 7u);
	return buf;
}

static uint64_t addr_key(const struct pci_addr *a)
{
	return (uint64_t)a->domain << 16 | (uint64_t)a->bus << 8 | (uint64_t)a->dev << 3 | a->fn;
}

int pci_addr_cmp(const struct pci_addr *a, const struct pci_addr *b)
{
	uint64_t x = addr_key(a), y = addr_key(b);

	return (x > y) - (x < y);
}

struct pci_names {
	struct pci_access *access;
	bool broken; /* the list could not be used: ids in hex from now on */
};

/*
 * libpci tells of a malformed pci.ids through error(), which gets no context and
 * must not return; the default one ends the process. So the way out is the one
 * mutable object of this file, set for the length of one call.
 */
static _Thread_local jmp_buf *way_out;

static void names_error(char *msg, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void names_error(char *msg, ...)
{
	(void)msg;
	longjmp(*way_out, 1);
}

static void names_quiet(char *msg, ...) __attribute__((format(printf, 1, 2)));
static void names_quiet(char *msg, ...)
{
	(void)msg;
}

/*
 * pci_init() would look for a way to the hardware and call error() on a host
 * without PCI; the names need neither. Neither do they need libpci's udev hwdb
 * and its DNS cache in the home folder.
 */
struct pci_names *pci_names_open(void)
{
	struct pci_names *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->access = pci_alloc();
	n->access->error = names_error;
	n->access->warning = names_quiet;
	n->access->debug = names_quiet;
	n->access->id_lookup_mode = PCI_LOOKUP_NO_HWDB;
	return n;
}

void pci_names_close(struct pci_names *n)
{
	if (!n)
		return;
	pci_cleanup(n->access);
	free(n);
	/* the list is some MiB in small pieces, which the allocator would keep */
	malloc_trim(0);
}

static bool lookup(struct pci_names *n, uint16_t vendor, uint16_t device, char *buf, size_t size)
{
	const int what = PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE;
	char *volatile name = NULL;
	jmp_buf here;

	if (setjmp(here) == 0) {
		way_out = &here;
		name = pci_lookup_name(n->access, buf, (int)size, what, vendor, device);
	} else {
		n->broken = true;
	}
	way_out = NULL;
	return name == buf;
}

char *pci_name(struct pci_names *n, uint16_t vendor, uint16_t device, char *buf, size_t size)
{
	if (n && !n->broken && size <= INT32_MAX && lookup(n, vendor, device, buf, size))
		return buf;
	snprintf(buf, size, "Device %04x:%04x", vendor, device);
	return buf;
}

/*
 * "8086  Intel Corporation": the name behind @id at the beginning of @line, NULL when it is
 * another's.
 */
static const char *name_of(char *line, unsigned int id)
{
	char digits[8];

	snprintf(digits, sizeof(digits), "%04x  ", id);
	if (strncasecmp(line, digits, 6) != 0)
		return NULL;
	line[strcspn(line, "\r\n")] = '\0';
	return line + 6;
}

/*
 * A vendor begins at the margin, its devices below it are indented by one tab,
 * their subsystems by two; the classes come last (pci.ids(5)).
 */
static void scan_ids(FILE *f, uint16_t vendor, uint16_t device, char *buf, size_t size)
{
	bool found = false;
	char line[1024]; /* MAX_LINE of libpci's names-parse.c */

	while (fgets(line, sizeof(line), f)) {
		const char *name;

		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (!found) {
			name = line[0] == '\t' ? NULL : name_of(line, vendor);
			found = name;
			if (name)
				snprintf(buf, size, "%s", name);
			continue;
		}
		if (line[0] != '\t')
			break;
		name = name_of(line + 1, device);
		if (name) {
			append(buf, size, " %s", name);
			return;
		}
	}
	if (found)
		append(buf, size, " Device %04x", device);
	else
		snprintf(buf, size, "Device %04x:%04x", vendor, device);
}

/* The list where libpci would look for it, unless only a compressed one is there. */
static FILE *open_ids(void)
{
	struct pci_access *access = pci_alloc();
	_cleanup_free_ char *path = strdup(access->id_file_name);
	size_t len;

	pci_cleanup(access);
	if (!path)
		return NULL;
	len = strlen(path);
	if (len > 3 && !strcmp(path + len - 3, ".gz"))
		path[len - 3] = '\0';
	return fopen(path, "re");
}

char *pci_name_once(uint16_t vendor, uint16_t device, char *buf, size_t size)
{
	_cleanup_file_ FILE *f = open_ids();
	struct pci_names *n;

	if (f) {
		scan_ids(f, vendor, device, buf, size);
		return buf;
	}
	n = pci_names_open();
	pci_name(n, vendor, device, buf, size);
	pci_names_close(n);
	return buf;
}

/*
 * NULL, or libpci's sentence on what is wrong with the filter. The parsers write into their text.
 */
static const char *match_parse(const struct pci_match *m, struct pci_filter *f)
{
	char slot[64], id[64];
	const char *why = NULL;

	pci_filter_init(NULL, f);
	if ((m->slot && strlen(m->slot) >= sizeof(slot)) || (m->id && strlen(m->id) >= sizeof(id)))
		return "Too long";
	if (m->slot) {
		copy_text(slot, sizeof(slot), m->slot);
		why = pci_filter_parse_slot(f, slot);
	}
	if (!why && m->id) {
		copy_text(id, sizeof(id), m->id);
		why = pci_filter_parse_id(f, id);
	}
	return why;
}

int pci_match_check(const struct pci_match *m, struct error *e)
{
	struct pci_match slot = { .slot = m->slot }, id = { .id = m->id };
	struct pci_filter f;
	const char *why = match_parse(&slot, &f), *opt = "-s", *text = m->slot;
	char shown[128];

	if (!why) {
		why = match_parse(&id, &f);
		opt = "-d";
		text = m->id;
	}
	if (!why)
		return 0;
	fail(e, CAUSE_USAGE, 0, "%s '%s': %s", opt, escape_text(text, shown, sizeof(shown)), why);
	hint(e,
	     "-s [[domain]:][bus]:[dev][.fn], such as -s 01: or -s .0; -d [vendor]:[device][:class], such as -d 8086:");
	return -EINVAL;
}

bool pci_matches(const struct pci_match *m, const struct pci_addr *a, uint16_t vendor,
		 uint16_t device, uint32_t class)
{
	struct pci_dev dev = {
		.domain = (int)a->domain,
		.domain_16 = a->domain > 0xffff ? 0xffff : (u16)a->domain,
		.bus = a->bus,
		.dev = a->dev,
		.func = a->fn,
		/* all is known: the filter must not go and look at hardware */
		.known_fields = ~0u,
		.vendor_id = vendor,
		.device_id = device,
		.device_class = (u16)(class >> 8),
		.prog_if = (u8) class,
	};
	struct pci_filter f;

	return !match_parse(m, &f) && pci_filter_match(&f, &dev);
}
