/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command is a row. Parsing, help, completion and the manual's synopsis all
 * read the row, so that a word stands in one place: the row itself, in the
 * file of its family; main.c lists the families.
 */
#ifndef MSICTL_CLI_COMMAND_H
#define MSICTL_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/util.h"
#include "irq/index.h"
#include "irq/vector-set.h"
#include "out/printer.h"

struct session;
struct args;

/* What a word on the command line is: its parser, its placeholder, its completion. */
enum arg_type {
	ARG_FLAG,    /* an option without a value */
	ARG_DEVICE,  /* DEVICE */
	ARG_INDEX,   /* INDEX: intx msi msix err req */
	ARG_VECTORS, /* VECTORS: 3, 0-3,7, all, armed */
	ARG_AMOUNT,  /* COUNT|VECTORS|none: a plain number is a count */
	ARG_COUNT,   /* a decimal number */
	ARG_REGION,  /* REGION: bar0-bar5, rom, config, vga */
	ARG_OFFSET,  /* bytes, decimal or 0x */
	ARG_WIDTH,   /* b w l q */
	ARG_VALUE,   /* up to 64 bits, decimal or 0x */
	ARG_PERIOD,  /* 500ms, 2s, plain seconds */
	ARG_RATE,    /* per second, 1 to 1000000 */
	ARG_CHOICE,  /* one of the words in choices */
	ARG_FILE,
	ARG_SPEC, /* SPEC of a simulated function: msix=64,noresize; checked by sim_spec_parse() */
	ARG_TEXT,
	ARG_COMMAND, /* the word of a command */
	ARG_COLUMNS, /* names of columns of the command's table; checked by out_check_columns() */
};

struct param {
	enum arg_type type;
	const char *name;    /* placeholder; NULL: the kind's own */
	const char *choices; /* ARG_CHOICE: "a|b|c" */
	bool optional;
	bool many; /* the last one: takes all that follow */
};

struct command_option {
	const char *word; /* long, without dashes */
	char letter;	  /* short, 0: none */
	enum arg_type type;
	const char *name; /* placeholder; NULL: the kind's own */
	const char *choices;
	const char *help; /* NULL: hidden from help, usage and completion */
};

enum command_flags {
	CMD_OPENS = 1 << 0,	/* works on the opened device */
	CMD_CHANGES = 1 << 1,	/* its effect ends with the process: refused when typed alone */
	CMD_OUTSIDE = 1 << 2,	/* not offered inside run and shell */
	CMD_INSIDE = 1 << 3,	/* only offered inside run and shell */
	CMD_LIVE_HOST = 1 << 4, /* makes no sense on a captured tree */
	CMD_HIDDEN = 1 << 5,	/* not in help and completion */
	CMD_HELD = 1 << 6,	/* as CMD_OPENS: run by the holder of DEVICE when there is one */
};

enum family { /* how help and the manual group them */
	FAMILY_LOOK,
	FAMILY_CHANGE,
	FAMILY_SCRIPT,
	NR_FAMILY,
};

/*
 * Words that a command has to do with: a heading, and each word with what it means, NULL past the
 * last.
 */
struct glossary {
	const char *title; /* NULL: none */
	const char *(*word_at)(unsigned int i, const char **help);
};

struct command {
	const char *word, *summary;
	/*
	 * Paragraphs for help CMD and the manual, a line each; lines that begin with a blank are an
	 * example and stay as they are. May be NULL.
	 */
	const char *help;
	enum family family;
	unsigned int flags;
	unsigned int ends; /* 1 << CAUSE_* that scripts should expect besides those of its kind */
	const struct param *param;
	size_t nparam;
	/* index with designated initialisers; args->option[] runs alike */
	const struct command_option *option;
	size_t noption;
	const struct table *table;   /* what -o chooses from; NULL: none */
	struct glossary glossary[2]; /* for help and the manual */
	/*
	 * Of a CMD_HELD row: whether these words are about the opened device at all; NULL: always.
	 */
	bool (*needs_device)(const struct args *a);
	/* 0 or -errno with @e filled. */
	int (*run)(struct session *s, const struct args *a, struct error *e);
};

/* The tables of a row and their lengths: COMMAND_PARAMS({ .type = ARG_DEVICE }). */
#define COMMAND_PARAMS(...)                             \
	.param = (const struct param[]){ __VA_ARGS__ }, \
	.nparam = ARRAY_SIZE(((const struct param[]){ __VA_ARGS__ }))
#define COMMAND_OPTIONS(...)                                      \
	.option = (const struct command_option[]){ __VA_ARGS__ }, \
	.noption = ARRAY_SIZE(((const struct command_option[]){ __VA_ARGS__ }))

/* One parsed word. */
struct value {
	bool given;
	const char *text; /* as typed; borrowed from argv */
	uint64_t
		number; /* COUNT, OFFSET, VALUE, PERIOD (us), RATE, REGION, WIDTH (bytes), CHOICE (position), AMOUNT
			     with a plain number */
	enum irq_index index;
	enum {
		AMOUNT_COUNT,
		AMOUNT_VECTORS,
		AMOUNT_NONE
	} amount;
	enum vector_word word;
	struct vector_set vectors; /* VECTORS, AMOUNT when listed */
};

#define MAX_PARAMS  6
#define MAX_OPTIONS 12

struct args {
	const struct command *command;
	struct value param[MAX_PARAMS];
	struct value option[MAX_OPTIONS];
	char **rest; /* words of a "many" parameter beyond its first, borrowed */
	size_t nrest;
	/* set by who parsed: the words as typed, those in front of the command too; ended by NULL */
	char *const *typed;
};

/* The list that main.c makes: families of rows. */
struct commands {
	const struct command *const *row;
	size_t n;
};

/* Options that every command takes, in front of it or behind. */
struct globals {
	bool help, version, json, noheadings, trace, dry_run, noiommu;
	/* a holder's caller: what is decided before a session begins is not for it to decide */
	bool held;
	const char *columns, *root, *color;
	uint64_t timeout_us; /* 0: not given */
};

/**
 * globals_parse() - the options in front of the command word
 * @argi: set to the position of the command word, or argc
 * Returns: 0 or -EINVAL (CAUSE_USAGE).
 */
int globals_parse(int argc, char **argv, struct globals *g, int *argi, struct error *e);

/**
 * command_find() - exact word; a near miss is named in @e (CAUSE_USAGE). @inside: as typed in run
 * and shell. NULL with @e.
 */
const struct command *command_find(const struct commands *c, const char *word, bool inside,
				   struct error *e);

/**
 * command_parse() - the words after the command word
 * @argv: argv[0] is the command word; may be reordered
 * @inside: a device is at hand, DEVICE parameters are left out
 * @g: global options found among them are set
 * Returns: 0 or -EINVAL (CAUSE_USAGE, the usage line as hint).
 */
int command_parse(const struct command *cmd, int argc, char **argv, bool inside, struct globals *g,
		  struct args *a, struct error *e);

/** command_for_holder() - whether the holder of DEVICE, when there is one, is to run it. */
bool command_for_holder(const struct args *a);

/**
 * command_usage() - "resize DEVICE INDEX COUNT [--rebuild]"; without DEVICE when @inside. Returns
 * @buf.
 */
char *command_usage(const struct command *cmd, bool inside, char *buf, size_t size);

/** command_help() - print a command's help, or with @cmd NULL the list of all. */
void command_help(const struct commands *c, const struct command *cmd, bool inside, struct out *o);

/**
 * command_man() - print the COMMANDS, OPTIONS and EXIT STATUS sections of msictl(8) in man(7)
 * macros.
 */
void command_man(const struct commands *c, struct out *o);

/* What completion may ask the session: candidates for a kind. */
struct completion_source {
	void (*candidates)(void *ctx, enum arg_type type, const char *prefix,
			   void (*add)(void *to, const char *word, const char *help), void *to);
	void *ctx;
};

/**
 * command_complete() - candidates for the last word of @argv
 * @argv: the words so far, without the program's; the last may be "" and is the one being typed
 * @add: called per candidate; an empty word says that names of files are wanted
 */
void command_complete(const struct commands *c, int argc, char **argv, bool inside,
		      const struct completion_source *src,
		      void (*add)(void *to, const char *word, const char *help), void *to);

/**
 * line_split() - words of a script or shell line: blanks separate, '..' and ".." quote, \ escapes,
 * # begins a comment, ; or the end of the line ends a command
 * @line: changed in place; words point into it
 * @next: set behind the end of the command, or to NULL when no text follows
 * Returns: the number of words, -EINVAL (unbalanced quote), -E2BIG above @max.
 */
int line_split(char *line, char **word, int max, char **next, struct error *e);

#endif
