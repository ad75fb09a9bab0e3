// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/filter.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define EXT_BEGIN   256	   /* of extended configuration space */
#define EXT_ID_DSN  0x0003 /* PCI_EXT_CAP_ID_DSN of linux/pci_regs.h */
#define CONFIG_SIZE 4096
#define WHOLE_CPUS  4

size_t filter_config(uint8_t *bytes, size_t size)
{
	bool seen[CONFIG_SIZE] = { false };
	size_t at = EXT_BEGIN;

	while (at >= EXT_BEGIN && at + 12 <= size && at < CONFIG_SIZE && !seen[at]) {
		seen[at] = true;
		if (le16(bytes + at) == EXT_ID_DSN)
			memset(bytes + at + 4, 0, 8);
		at = le16(bytes + at + 2) >> 4 & ~3u;
	}
	return size;
}

/* --- text, line by line --- */

struct lines {
	char *from, *end; /* not read yet */
	char *to;	  /* where the next line that stays is put */
	char *line;
	size_t size; /* with its newline, if it has one */
};

static bool next(struct lines *l)
{
	char *newline;

	if (l->from == l->end)
		return false;
	newline = memchr(l->from, '\n', (size_t)(l->end - l->from));
	l->line = l->from;
	l->size = newline ? (size_t)(newline - l->from) + 1 : (size_t)(l->end - l->from);
	l->from += l->size;
	return true;
}

static void keep_line(struct lines *l)
{
	memmove(l->to, l->line, l->size);
	l->to += l->size;
}

static struct lines lines_of(void *bytes, size_t size)
{
	return (struct lines){ .from = bytes, .end = (char *)bytes + size, .to = bytes };
}

static bool line_begins(const struct lines *l, const char *word)
{
	return l->size >= strlen(word) && !strncmp(l->line, word, strlen(word));
}

size_t filter_modules(uint8_t *bytes, size_t size)
{
	struct lines l = lines_of(bytes, size);

	while (next(&l)) {
		char *at = memmem(l.line, l.size, "0x", 2);

		if (!at)
			continue;
		for (at += 2; at < l.line + l.size && isxdigit((unsigned char)*at); at++)
			*at = '0';
	}
	return size;
}

static const char *past_blanks(const char *at, const char *end, bool tabs)
{
	while (at < end && (*at == ' ' || (tabs && *at == '\t')))
		at++;
	return at;
}

/* "processor	: 3" */
static bool names_cpu(const struct lines *l)
{
	const char *end = l->line + l->size, *at;

	if (!line_begins(l, "processor"))
		return false;
	at = past_blanks(l->line + strlen("processor"), end, true);
	return at < end && *at == ':';
}

/* "Serial" of Arm, "identification =" of s390's CPUs */
static bool has_serial(const struct lines *l)
{
	static const char word[] = "identification";
	const char *end = l->line + l->size, *at;

	if (line_begins(l, "Serial"))
		return true;
	at = memmem(l->line, l->size, word, strlen(word));
	if (!at)
		return false;
	at = past_blanks(at + strlen(word), end, false);
	return at < end && *at == '=';
}

size_t filter_cpuinfo(uint8_t *bytes, size_t size, bool keep)
{
	struct lines l = lines_of(bytes, size);
	unsigned int cpus = 0, at = 0;
	bool inner = false;

	while (next(&l))
		cpus += names_cpu(&l);
	l = lines_of(bytes, size);
	while (next(&l)) {
		bool first = names_cpu(&l);

		if (!keep && has_serial(&l))
			continue;
		if (first)
			inner = ++at > 1;
		/* an empty line parts the CPUs; s390 has none, and is kept as it is */
		if (l.line[0] == '\n')
			inner = false;
		if (cpus <= WHOLE_CPUS || !inner || first)
			keep_line(&l);
	}
	return (size_t)(l.to - (char *)bytes);
}

static bool any_matches(const char *text, const regex_t *word, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!regexec(&word[i], text, 0, NULL, 0))
			return true;
	return false;
}

size_t filter_words(char *bytes, size_t size, const regex_t *word, size_t n)
{
	char *to = bytes, *save = NULL;

	bytes[size] = '\0';
	for (char *w = strtok_r(bytes, " \t\r\n\v\f", &save); w;
	     w = strtok_r(NULL, " \t\r\n\v\f", &save)) {
		size_t len = strlen(w);

		if (!any_matches(w, word, n))
			continue;
		if (to != bytes)
			*to++ = ' ';
		memmove(to, w, len + 1);
		to += len;
	}
	*to++ = '\n';
	return (size_t)(to - bytes);
}

size_t filter_interrupts(char *bytes, size_t size, bool (*keep)(void *ctx, unsigned int irq),
			 void *ctx)
{
	struct lines l = lines_of(bytes, size);

	while (next(&l)) {
		const char *end = l.line + l.size, *at = past_blanks(l.line, end, false);
		unsigned int irq = 0;
		bool number = at < end && isdigit((unsigned char)*at);

		while (at < end && isdigit((unsigned char)*at))
			irq = irq * 10 + (unsigned int)(*at++ - '0');
		if (!number || at == end || *at != ':' || keep(ctx, irq))
			keep_line(&l);
	}
	return (size_t)(l.to - bytes);
}
