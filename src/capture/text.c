// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "root/capture.h"

#define ROW 16 /* bytes of a line in hexadecimal */

static bool is_plain(uint8_t byte)
{
	return byte >= ' ' && byte < 0x7f;
}

static void put_byte(FILE *to, uint8_t byte)
{
	if (byte == '\\')
		fputs("\\\\", to);
	else if (byte == '\t')
		fputs("\\t", to);
	else if (is_plain(byte))
		fputc(byte, to);
	else
		fprintf(to, "\\x%02x", byte);
}

static void put_name(FILE *to, const char *name)
{
	for (const char *p = name; *p; p++) {
		/* a blank ends a name; a line that begins with these is no entry */
		if (*p == ' ' || (p == name && (*p == '#' || *p == '|')))
			fprintf(to, "\\x%02x", (unsigned int)*p);
		else
			put_byte(to, (uint8_t)*p);
	}
}

/* A blank in front of a text, and none behind a line: some mailers cut it off. */
static void put_text(FILE *to, const uint8_t *text, size_t size, bool cut)
{
	if (size || cut)
		fputc(' ', to);
	for (size_t i = 0; i < size; i++) {
		if (i == size - 1 && text[i] == ' ')
			fputs("\\x20", to);
		else
			put_byte(to, text[i]);
	}
	fputs(cut ? "\\c\n" : "\n", to);
}

/* Names, numbers, lists: mostly letters, and no line without an end. */
static bool looks_like_text(const uint8_t *bytes, size_t size)
{
	size_t strange = 0, line = 0;

	for (size_t i = 0; i < size; i++) {
		line = bytes[i] == '\n' ? 0 : line + 1;
		if (line > CAPTURE_TEXT_LINE)
			return false;
		strange += !is_plain(bytes[i]) && bytes[i] != '\t' && bytes[i] != '\n';
	}
	return strange * 4 <= size;
}

static void put_lines(FILE *to, const uint8_t *bytes, size_t size)
{
	while (size) {
		const uint8_t *end = memchr(bytes, '\n', size);
		size_t n = end ? (size_t)(end - bytes) : size;

		fputc('|', to);
		put_text(to, bytes, n, !end);
		n += !!end;
		bytes += n;
		size -= n;
	}
}

static void put_hex(FILE *to, const uint8_t *bytes, size_t size)
{
	static const uint8_t zeros[ROW];

	for (size_t at = 0; at < size; at += ROW) {
		size_t n = size - at < ROW ? size - at : ROW;

		if (!memcmp(bytes + at, zeros, n))
			continue;
		fprintf(to, "| %03zx:", at);
		for (size_t i = 0; i < n; i++)
			fprintf(to, " %02x", bytes[at + i]);
		fputc('\n', to);
	}
	fprintf(to, "| %03zx\n", size);
}

void capture_put_folder(FILE *to, const char *path)
{
	fputc('/', to);
	put_name(to, path);
	fputc('\n', to);
}

void capture_put_file(FILE *to, const char *name, const void *bytes, size_t size)
{
	const uint8_t *end = size ? memchr(bytes, '\n', size) : NULL;
	bool text = looks_like_text(bytes, size);

	put_name(to, name);
	if (!text && size > CAPTURE_HEX_MAX) {
		fputs(" ! EFBIG\n", to);
	} else if (!text) {
		fputs(" hex\n", to);
		put_hex(to, bytes, size);
	} else if (!end || end == (const uint8_t *)bytes + size - 1) {
		fputs(" =", to);
		put_text(to, bytes, size - !!end, !end);
	} else {
		fputs(" |\n", to);
		put_lines(to, bytes, size);
	}
}

void capture_put_link(FILE *to, const char *name, const char *target)
{
	put_name(to, name);
	fputs(" -> ", to);
	for (const char *p = target; *p; p++)
		put_byte(to, (uint8_t)*p);
	fputc('\n', to);
}

void capture_put_unread(FILE *to, const char *name, int err)
{
	char word[16];

	put_name(to, name);
	fprintf(to, " ! %s\n", errno_name(err, word));
}
