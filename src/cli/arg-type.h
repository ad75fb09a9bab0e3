/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of words: what each is called in usage lines, how it is parsed, which words are known
 * beforehand.
 */
#ifndef MSICTL_CLI_ARG_TYPE_H
#define MSICTL_CLI_ARG_TYPE_H

#include "cli/command.h"

/**
 * kind_name() - the placeholder in usage lines: @name when given, else the kind's own; KIND_CHOICE
 * without a name: @choices.
 */
const char *kind_name(enum kind kind, const char *name, const char *choices);

/**
 * kind_parse() - fill @v from @text, which it borrows
 * @label: how the sentence calls the word ("INDEX", "--count")
 * Returns: 0 or -EINVAL (CAUSE_USAGE).
 */
int kind_parse(enum kind kind, const char *choices, const char *label, const char *text,
	       struct value *v, struct error *e);

/** kind_words() - the words that are valid whatever the device. */
void kind_words(enum kind kind, const char *choices,
		void (*add)(void *to, const char *word, const char *help), void *to);

/** kind_is_list() - words of it are joined by commas. */
bool kind_is_list(enum kind kind);

#endif
