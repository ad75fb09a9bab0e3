/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is taken out of a file before a capture has it. */
#ifndef MSICTL_CAPTURE_FILTER_H
#define MSICTL_CAPTURE_FILTER_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Each works in place, writes no more than was there, and returns the number of
 * bytes left.
 */

/**
 * filter_config() - the 8 bytes of every Device Serial Number capability (PCI Express Base 4.0,
 * 7.9.3) become zeros.
 */
size_t filter_config(uint8_t *bytes, size_t size);

/**
 * filter_modules() - the address in each line of /proc/modules becomes zeros, as users other than
 * root see it. A line keeps its length on kernels of 64 bits; shorter addresses keep theirs.
 */
size_t filter_modules(uint8_t *bytes, size_t size);

/**
 * filter_cpuinfo() - up to 4 CPUs whole; of more the first, and a line of each other. Serial
 * numbers go unless @keep.
 */
size_t filter_cpuinfo(uint8_t *bytes, size_t size, bool keep);

/**
 * filter_words() - the words that one of the @n expressions matches, one blank between them, and a
 * newline. @room: of @bytes, more than @size.
 */
size_t filter_words(char *bytes, size_t size, const regex_t *word, size_t n);

/**
 * filter_interrupts() - lines of /proc/interrupts without a number, and those of which @keep says
 * so.
 */
size_t filter_interrupts(char *bytes, size_t size, bool (*keep)(void *ctx, unsigned int irq),
			 void *ctx);

#endif
