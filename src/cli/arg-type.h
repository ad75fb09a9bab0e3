/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of words: what each is called in usage lines, how it is parsed, which words are known
 * beforehand.
 */
#ifndef MSICTL_CLI_ARG_TYPE_H
#define MSICTL_CLI_ARG_TYPE_H

#include "cli/command.h"

/**
 * arg_type_name() - the placeholder in usage lines: @name when given, else the kind's own; ARG_CHOICE
 * without a name: @choices.
 */
const char *arg_type_name(enum arg_type type, const char *name, const char *choices);

/**
 * arg_type_parse() - fill @v from @text, which it borrows
 * @label: how the sentence calls the word ("INDEX", "--count")
 * Returns: 0 or -EINVAL (CAUSE_USAGE).
 */
int arg_type_parse(enum arg_type type, const char *choices, const char *label, const char *text,
		   struct value *v, struct error *e);

/** arg_type_words() - the words that are valid whatever the device. */
void arg_type_words(enum arg_type type, const char *choices,
		    void (*add)(void *to, const char *word, const char *help), void *to);

/** arg_type_is_list() - words of it are joined by commas. */
bool arg_type_is_list(enum arg_type type);

#endif
