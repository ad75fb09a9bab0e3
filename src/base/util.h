/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small helpers without a subject of their own: cleanup, strict numbers, escaping, time. */
#ifndef MSICTL_BASE_UTIL_H
#define MSICTL_BASE_UTIL_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void cleanup_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void cleanup_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define _cleanup_fd_   __attribute__((cleanup(cleanup_fd)))
#define _cleanup_free_ __attribute__((cleanup(cleanup_free)))
#define _cleanup_file_ __attribute__((cleanup(cleanup_file)))
#define _cleanup_dir_  __attribute__((cleanup(cleanup_dir)))
#define _cleanup_(f)   __attribute__((cleanup(f)))

/** take_fd() - hand a descriptor over: returns it and leaves -1 behind. */
static inline int take_fd(int *fd)
{
	int got = *fd;

	*fd = -1;
	return got;
}

/**
 * parse_u64() - a whole string as an unsigned number
 * @base: 0 accepts 0x; signs, spaces and trailing text are refused
 * Returns: 0, -EINVAL, or -ERANGE when above @max.
 */
int parse_u64(const char *text, int base, uint64_t max, uint64_t *value);

/**
 * parse_period() - "500ms", "2s", "1.5s", "1m" or plain seconds
 * Returns: 0 and microseconds in @us, -EINVAL, or -ERANGE above 24 hours.
 */
int parse_period(const char *text, uint64_t *us);

/**
 * escape_text() - copy text from outside so that a terminal and a JSON reader are safe
 *
 * Control characters (C0, DEL, C1) and bytes that are no UTF-8 become \xNN, a
 * backslash becomes two: two names never become the same text.
 * Always terminates; truncates at whole escapes.
 * Returns: @buf.
 */
char *escape_text(const char *text, char *buf, size_t size);

/** escape_text_dup() - the same, allocated; the caller frees it. NULL: no memory. */
char *escape_text_dup(const char *text);

/**
 * escape_line_dup() - of a whole sentence, whose names were escaped when they were put into it: as
 * escape_text_dup(), but a backslash stays one. Nothing is escaped twice. The caller frees it.
 * NULL: no memory.
 */
char *escape_line_dup(const char *text);

/**
 * quote_word_dup() - a word as a POSIX shell and our own lines take it: as it is or in quotes; the
 * caller frees it. NULL: no memory.
 */
char *quote_word_dup(const char *word);

/** copy_text() - bounded copy, always terminated; truncation is not an error. */
void copy_text(char *buf, size_t size, const char *text);

/** append() - printf at the end of a fixed buffer; silently bounded. */
void append(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

struct flag_word {
	uint32_t bits;
	const char *word;
};

/** append_flags() - "READ|WRITE", what has no word in hexadecimal, "0" for none. */
void append_flags(char *buf, size_t size, const struct flag_word *word, size_t n, uint32_t flags);

/* The largest sum of counts; UINT64_MAX stands for a count that is not known. */
#define COUNT_END (UINT64_MAX - 1)

/**
 * add_count() - @n more, up to COUNT_END: a peer may signal 2^64-2 at a time. Returns: whether all
 * of it had room.
 */
static inline bool add_count(uint64_t *sum, uint64_t n)
{
	bool room = *sum <= COUNT_END && n <= COUNT_END - *sum;

	*sum = room ? *sum + n : COUNT_END;
	return room;
}

/** now_us() - CLOCK_MONOTONIC in microseconds. */
uint64_t now_us(void);

/** le16(), le32() - little-endian loads from any alignment. */
static inline uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t le32(const uint8_t *p)
{
	return (uint32_t)le16(p) | (uint32_t)le16(p + 2) << 16;
}

#endif
