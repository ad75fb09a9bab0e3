// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/util.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

int parse_u64(const char *text, int base, uint64_t max, uint64_t *value)
{
	unsigned long long n;
	char *end;

	/* strtoull() itself takes blanks and signs; base 0 would take octal, which nobody means. */
	if (!isalnum((unsigned char)text[0]))
		return -EINVAL;
	if (base == 0)
		base = text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10;
	errno = 0;
	n = strtoull(text, &end, base);
	if (*end || end == text)
		return -EINVAL;
	if (errno == ERANGE || n > max)
		return -ERANGE;
	*value = n;
	return 0;
}

int parse_period(const char *text, uint64_t *us)
{
	static const struct {
		const char *suffix;
		double factor;
	} unit[] = { { "", 1e6 }, { "us", 1 }, { "ms", 1e3 }, { "s", 1e6 }, { "m", 60e6 } };
	double value;
	char *end;

	/* strtod() also takes blanks, signs, hex, inf and nan. */
	if (strspn(text, "0123456789.") == 0 || (text[0] == '0' && (text[1] | 0x20) == 'x'))
		return -EINVAL;
	errno = 0;
	value = strtod(text, &end);
	if (errno || end != text + strspn(text, "0123456789."))
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(unit); i++) {
		if (strcmp(end, unit[i].suffix) != 0)
			continue;
		if (value * unit[i].factor > 86400e6)
			return -ERANGE;
		*us = (uint64_t)(value * unit[i].factor + 0.5);
		return 0;
	}
	return -EINVAL;
}

/*
 * The length of the UTF-8 sequence at @p when it is well formed and shows something, else 0 (RFC
 * 3629, section 4).
 */
static size_t printable(const unsigned char *p)
{
	if (p[0] >= 0x20 && p[0] < 0x7f)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf && (p[1] & 0xc0) == 0x80)
		return p[0] == 0xc2 && p[1] < 0xa0 ? 0 : 2; /* C1 controls */
	if ((p[0] & 0xf0) == 0xe0 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80) {
		if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f))
			return 0;
		/* U+2028..202E, U+2066..2069: line separators and direction overrides. */
		if (p[0] == 0xe2 && ((p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) ||
				     (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)))
			return 0;
		return 3;
	}
	if (p[0] >= 0xf0 && p[0] <= 0xf4 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80 &&
	    (p[3] & 0xc0) == 0x80)
		return (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f) ? 0 : 4;
	return 0;
}

/* What the character at @p becomes: its length in @to. */
static size_t escape_one(const unsigned char *p, size_t n, bool backslash, char to[4])
{
	static const char hex[] = "0123456789abcdef";

	if (n) {
		memcpy(to, p, n);
		if (*p != '\\' || !backslash)
			return n;
		to[1] = '\\';
		return 2;
	}
	to[0] = '\\';
	to[1] = 'x';
	to[2] = hex[*p >> 4];
	to[3] = hex[*p & 15];
	return 4;
}

static char *escape(const char *text, bool backslash, char *buf, size_t size)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t used = 0;

	while (*p) {
		size_t n = printable(p), len;
		char to[4];

		len = escape_one(p, n, backslash, to);
		if (used + len >= size)
			break;
		memcpy(buf + used, to, len);
		used += len;
		p += n ? n : 1;
	}
	buf[used] = '\0';
	return buf;
}

static char *escape_dup(const char *text, bool backslash)
{
	/* Room for the worst case: each byte becomes \xNN. */
	size_t size = strlen(text) * 4 + 1;
	char *buf = malloc(size);

	return buf ? escape(text, backslash, buf, size) : NULL;
}

char *escape_text(const char *text, char *buf, size_t size)
{
	return escape(text, true, buf, size);
}

char *escape_text_dup(const char *text)
{
	return escape_dup(text, true);
}

char *escape_line_dup(const char *text)
{
	return escape_dup(text, false);
}

char *quote_word_dup(const char *word)
{
	/* Each quote becomes four characters. */
	size_t size = strlen(word) * 4 + 3;
	char *buf = malloc(size), *to = buf;

	if (!buf)
		return NULL;
	/* Blanks and what a shell would take apart. */
	if (*word && !strpbrk(word, " \t\n\"'\\;#$`&|<>()*?[]{}~!"))
		return memcpy(buf, word, strlen(word) + 1);
	*to++ = '\'';
	for (; *word; word++) {
		if (*word == '\'')
			to = mempcpy(to, "'\\'", 3);
		*to++ = *word;
	}
	memcpy(to, "'", 2);
	return buf;
}

void copy_text(char *buf, size_t size, const char *text)
{
	size_t n = strnlen(text, size - 1);

	memcpy(buf, text, n);
	buf[n] = '\0';
}

void append(char *buf, size_t size, const char *fmt, ...)
{
	size_t used = strnlen(buf, size);
	va_list ap;

	if (used >= size)
		return;
	va_start(ap, fmt);
	vsnprintf(buf + used, size - used, fmt, ap);
	va_end(ap);
}

void append_flags(char *buf, size_t size, const struct flag_word *word, size_t n, uint32_t flags)
{
	const char *between = "";

	for (size_t i = 0; i < n; i++) {
		if (!(flags & word[i].bits))
			continue;
		append(buf, size, "%s%s", between, word[i].word);
		between = "|";
		flags &= ~word[i].bits;
	}
	if (flags)
		append(buf, size, "%s0x%x", between, flags);
	else if (!between[0])
		append(buf, size, "0");
}

uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}
