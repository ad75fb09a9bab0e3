/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only printer. A command fills a document; a table is a view of one of
 * its arrays, so text and JSON cannot disagree. Results go to stdout, notes
 * and errors to stderr. Text from outside is escaped on its way in.
 */
#ifndef MSICTL_OUT_PRINTER_H
#define MSICTL_OUT_PRINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/util.h"

/* A JSON object or array; a node is owned by the document it was added to. */
struct json_object;
typedef struct json_object node;

/* How a column shows the value that its key names. null and missing are "-". */
enum cell {
	CELL_TEXT,
	CELL_NUMBER,
	CELL_HEX,   /* a number shown as 0x.. */
	CELL_RATIO, /* key "a.x/a.y": two numbers as x/y, "-" when the first is missing */
	CELL_LIST,  /* an array joined by "," */
	CELL_FLAG,  /* true shown as "yes", false as "no" */
	CELL_TIME,  /* microseconds shown as "350ms", "3.2s", "5m" */
	CELL_TREND, /* an array of numbers drawn as small bars, the largest is full */
};

struct column {
	const char *name; /* heading, and the word for -o (any case) */
	const char *key;  /* dotted path into a row */
	enum cell cell;
	const char *help;
	bool extra; /* shown only when asked for by -o */
};

struct table {
	const char *array; /* the key of the rows in the document */
	const struct column *column;
	size_t n;
};

/* The columns of a table, and how many they are. */
#define TABLE_COLUMNS(...)                                \
	.column = (const struct column[]){ __VA_ARGS__ }, \
	.n = ARRAY_SIZE(((const struct column[]){ __VA_ARGS__ }))

struct out;

struct out_options {
	bool json, noheadings;
	bool color;	     /* already decided: tty, NO_COLOR, --color */
	const char *columns; /* -o: "A,B" or "+A,B"; NULL */
};

/** out_new() - 0 or -ENOMEM. Options are copied, columns borrowed. */
int out_new(struct out **o, const struct out_options *opt);
void out_free(struct out *o);
void out_set_options(struct out *o, const struct out_options *opt);
/** out_set_streams() - where results and notes go instead of stdout and stderr; borrowed. */
void out_set_streams(struct out *o, FILE *data, FILE *notes);
/** out_swap_data() - where results go from now on; returns where they went. Both borrowed. */
FILE *out_swap_data(struct out *o, FILE *data);
/** out_terminal() - the descriptor results go to when that is a terminal, else -1. */
int out_terminal(const struct out *o);
bool out_is_json(const struct out *o);
bool out_color(const struct out *o);

/**
 * out_check_columns() - whether -o names columns of @t. -EINVAL with those there are in the hint
 * (CAUSE_USAGE).
 */
int out_check_columns(const struct table *t, const char *columns, struct error *e);

/* The shell's half-typed line steps aside while something is printed. */
struct out_guard {
	void (*hide)(void *ctx);
	void (*show)(void *ctx);
	void *ctx;
};
void out_set_guard(struct out *o, const struct out_guard *g);

/** out_doc() - the current document (an object), begun when there is none. */
node *out_doc(struct out *o);

/**
 * out_table() - text mode: print the rows of out_doc()[t->array] as a table; JSON mode: reduce them
 * to -o when given
 *
 * The rows are complete then: in text mode they are gone from the document, in JSON mode they are
 * text. A table that lacks a column named by -o is shown as it is: -o is about another one of the
 * command's tables.
 */
int out_table(struct out *o, const struct table *t);

/** out_aside() - as out_doc(), of members that lines need and JSON leaves out; gone with it. */
node *out_aside(struct out *o);

enum line_kind {
	LINE_TEXT, /* a line of result, as out_text() */
	LINE_NOTE, /* as out_note() */
	LINE_PART, /* the begin of the next one */
};

struct line {
	enum line_kind kind;
	const char *text;
};

/**
 * out_lines() - lines whose fields name members of @row, an object of out_doc(), or of out_aside()
 *
 * {a.b} is the value; an array of vectors is "0-3,7", cut at 96 bytes. {a:8}: in 8 columns, or the
 * array cut at 8 bytes. {a:4x}: four hexadecimal digits. {a#}: how many are in the array. {a~}: "s"
 * unless the number is 1. {a?TEXT}: TEXT when the member is there and neither 0, false nor empty;
 * {a!TEXT}: TEXT otherwise. TEXT may have fields; {} in it is the member itself. A line without a
 * letter is left out.
 */
void out_lines(struct out *o, node *row, const struct line *line, size_t n);

/**
 * out_text() - a line of result for people; nothing in JSON mode. Tabs pass, other control
 * characters are escaped.
 */
void out_text(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** out_bold() - like out_text(), emphasised on a terminal. */
void out_bold(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** out_note() - a line on stderr, in both modes. */
void out_note(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * out_error() - "msictl: WHERE: message (ERRNO)" and the hint on stderr
 *
 * In JSON mode also "error":{...} on stdout, as a member of the document that the command had
 * begun, which ends there; so a failure is one object too, and may say what is true now.
 * @where NULL or "FILE:7" or "01:00.0: resize".
 */
void out_error(struct out *o, const char *where, const struct error *e);

/**
 * out_raw() - bytes that another process of ours formatted already, to stdout or stderr; flushed.
 */
void out_raw(struct out *o, bool note, const char *bytes, size_t n);

/**
 * out_end() - JSON mode: print the document on one line. Both: write all out to stdout, begin anew.
 */
void out_end(struct out *o);

/**
 * out_flush() - write all out and tell whether every result so far arrived
 * Returns: 0, or the -errno of the first write to stdout that failed (or -ENOMEM), with a sentence.
 */
int out_flush(struct out *o, struct error *e);

/*
 * Filling documents. Keys are literals and are borrowed. NULL nodes are ignored: memory ran out,
 * out_end() says so.
 */
node *doc_object(node *parent, const char *key); /* @parent an object */
node *doc_array(node *parent, const char *key);

/**
 * doc_row() - append an object to @array
 *
 * A row is complete when the next row begins: the earlier row is kept as its JSON text, and its
 * nodes are freed. A row of 15 members takes 3.3 KiB as nodes of json-c and 0.4 KiB as text, and
 * thousands of rows are usual. So pointers to the earlier row, and to nodes inside it, are invalid
 * from then on.
 */
node *doc_row(node *array);
void doc_text(node *o, const char *key, const char *text); /* NULL: null; a name: escape_text() */
void doc_line(node *o, const char *key,
	      const char *text); /* NULL: null; a sentence: escape_line_dup() */
void doc_textf(node *o, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void doc_word(node *o, const char *key, const char *text); /* "" is null, too */
void doc_number(node *o, const char *key, uint64_t n);
void doc_number_if(node *o, const char *key, bool known,
		   uint64_t n); /* null when it is not known */
void doc_signed(node *o, const char *key, int64_t n);
void doc_real(node *o, const char *key, double n); /* two digits behind the point */
void doc_bool(node *o, const char *key, bool b);
void doc_null(node *o, const char *key);
void doc_push_text(node *array, const char *text);
void doc_push_number(node *array, uint64_t n);
void doc_push_real(node *array, double n);

#endif
