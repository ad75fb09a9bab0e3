// SPDX-License-Identifier: GPL-2.0-or-later
/* A table is a view of an array of rows. The only includer of libsmartcols. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <json-c/json.h>
#include <libsmartcols/libsmartcols.h>

#include "base/util.h"
#include "out/internal.h"

#define MAX_COLUMNS 48

struct choice {
	const struct column *column[MAX_COLUMNS];
	size_t n;
};

static void choose(struct choice *c, const struct column *column)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->column[i] == column)
			return;
	if (c->n < MAX_COLUMNS)
		c->column[c->n++] = column;
}

static const struct column *find_column(const struct table *t, const char *name, size_t len)
{
	for (size_t i = 0; i < t->n; i++)
		if (strlen(t->column[i].name) == len && !strncasecmp(t->column[i].name, name, len))
			return &t->column[i];
	return NULL;
}

/*
 * Returns NULL when all of @columns was understood, else the name that is none, *len bytes of it.
 */
static const char *choose_all(const struct table *t, const char *columns, struct choice *c,
			      size_t *len)
{
	const char *name = columns;

	c->n = 0;
	if (!name || *name == '+')
		for (size_t i = 0; i < t->n; i++)
			if (!t->column[i].extra)
				choose(c, &t->column[i]);
	if (!name)
		return NULL;
	name += *name == '+';
	for (;;) {
		const struct column *column;

		*len = strcspn(name, ",");
		column = find_column(t, name, *len);
		if (!column)
			return name;
		choose(c, column);
		if (!name[*len])
			return NULL;
		name += *len + 1;
	}
}

int out_check_columns(const struct table *t, const char *columns, struct error *e)
{
	char all[sizeof(e->hint) - 32] = "";
	struct choice c;
	size_t len = 0;
	const char *bad = choose_all(t, columns, &c, &len);

	if (!bad)
		return 0;
	for (size_t i = 0; i < t->n; i++)
		append(all, sizeof(all), "%s%s", i ? "," : "", t->column[i].name);
	fail(e, CAUSE_USAGE, 0, "--output: \"%.*s\" is no column", (int)(len < 64 ? len : 64), bad);
	hint(e, "the columns are %s", all);
	return -EINVAL;
}

node *doc_member(node *row, const char *path, size_t len)
{
	while (row && len) {
		size_t n = strcspn(path, ".");
		char key[32];

		if (n > len)
			n = len;
		if (n >= sizeof(key) || !json_object_is_type(row, json_type_object))
			return NULL;
		copy_text(key, n + 1, path);
		row = json_object_object_get(row, key);
		path += n;
		len -= n;
		if (len) {
			path++;
			len--;
		}
	}
	return row;
}

static char *show_text(node *v)
{
	const char *text = json_object_get_string(v);

	/*
	 * A number becomes a text in memory of its own, which may not be had: that is no missing
	 * value.
	 */
	if (!text)
		return NULL;
	return strdup(*text ? text : "-");
}

static char *show_hex(node *v)
{
	char *text;

	if (!json_object_is_type(v, json_type_int))
		return show_text(v);
	return asprintf(&text, "0x%" PRIx64, json_object_get_uint64(v)) < 0 ? NULL : text;
}

static char *show_flag(node *v)
{
	if (!json_object_is_type(v, json_type_boolean))
		return show_text(v);
	return strdup(json_object_get_boolean(v) ? "yes" : "no");
}

static char *show_list(node *v)
{
	size_t n = json_object_is_type(v, json_type_array) ? json_object_array_length(v) : 0;
	bool whole = true;
	char *text = NULL;
	size_t size;
	FILE *f;

	if (!n)
		return strdup("-");
	f = open_memstream(&text, &size);
	if (!f)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		node *item = json_object_array_get_idx(v, i);
		const char *word = item ? json_object_get_string(item) : "-";

		whole = whole && word;
		fprintf(f, "%s%s", i ? "," : "", word ? word : "");
	}
	if (!fclose(f) && whole)
		return text;
	free(text);
	return NULL;
}

static char *show_time(node *v)
{
	double us = json_object_get_double(v);
	char *text;
	int n;

	if (us < 1e6)
		n = asprintf(&text, "%.0fms", us / 1e3);
	else if (us < 120e6)
		n = asprintf(&text, "%.1fs", us / 1e6);
	else
		n = asprintf(&text, "%.0fm", us / 60e6);
	return n < 0 ? NULL : text;
}

/* What a terminal without these letters gets instead has as many steps. */
static const char *const bars[] = { " ",      "\u2581", "\u2582", "\u2583",
				    "\u2584", "\u2585", "\u2586", "\u2587" };
static const char *const plain_bars[] = { " ", ".", ":", "-", "=", "+", "*", "#" };

/* Whether the locale has the letters that the texts are written in. */
static bool is_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

static char *show_trend(node *v)
{
	size_t n = json_object_is_type(v, json_type_array) ? json_object_array_length(v) : 0;
	const char *const *bar = is_utf8() ? bars : plain_bars;
	char text[128] = "";
	double most = 0;

	for (size_t i = 0; i < n; i++) {
		double value = json_object_get_double(json_object_array_get_idx(v, i));

		most = value > most ? value : most;
	}
	for (size_t i = 0; i < n; i++) {
		double value = json_object_get_double(json_object_array_get_idx(v, i));
		/* whatever is not nothing is seen */
		int step = value > 0 ? 1 + (int)(value / most * 6) : 0;

		append(text, sizeof(text), "%s", bar[step < 7 ? step : 7]);
	}
	return strdup(text);
}

static char *show_ratio(node *row, const char *key)
{
	size_t len = strcspn(key, "/");
	node *part = doc_member(row, key, len),
	     *whole = key[len] ? doc_member(row, key + len + 1, strlen(key + len + 1)) : NULL;
	char *text;

	if (!part)
		return strdup("-");
	if (!whole)
		return show_text(part);
	return asprintf(&text, "%" PRIu64 "/%" PRIu64, json_object_get_uint64(part),
			json_object_get_uint64(whole)) < 0
		       ? NULL
		       : text;
}

static const struct look {
	char *(*show)(node *v); /* NULL: it wants two values */
	int flags;
} looks[] = {
	[CELL_TEXT] = { show_text, 0 },
	[CELL_NUMBER] = { show_text, SCOLS_FL_RIGHT },
	[CELL_HEX] = { show_hex, SCOLS_FL_RIGHT },
	[CELL_RATIO] = { NULL, SCOLS_FL_RIGHT },
	[CELL_LIST] = { show_list, 0 },
	[CELL_FLAG] = { show_flag, 0 },
	[CELL_TIME] = { show_time, SCOLS_FL_RIGHT },
	[CELL_TREND] = { show_trend, 0 },
};

static char *show_cell(node *row, const struct column *c)
{
	const struct look *look = &looks[c->cell];
	node *v;

	if (!look->show)
		return show_ratio(row, c->key);
	v = doc_member(row, c->key, strlen(c->key));
	return v ? look->show(v) : strdup("-");
}

/*
 * Without UTF-8 in the locale, libsmartcols never ends at a letter beyond ASCII, whose width it
 * looks for: as in escape_text(), each of its bytes is written as \xNN. @text is freed.
 */
static char *in_ascii(char *text)
{
	char *ascii = malloc(strlen(text) * strlen("\\xNN") + 1), *to = ascii;

	for (const char *p = text; ascii && *p; p++)
		to += snprintf(to, sizeof("\\xNN"), *p & 0x80 ? "\\x%02x" : "%c",
			       (unsigned char)*p);
	if (ascii)
		*to = '\0';
	free(text);
	return ascii;
}

static int fill_cell(struct libscols_line *line, size_t i, char *text)
{
	int rc;

	if (text && !is_utf8())
		text = in_ascii(text);
	/* The library copies it: what it took over instead, an analyser could not follow. */
	rc = text && !scols_line_set_data(line, i, text) ? 0 : -ENOMEM;
	free(text);
	return rc;
}

static int fill_row(struct libscols_table *tb, node *row, const struct choice *c)
{
	struct libscols_line *line = scols_table_new_line(tb, NULL);

	if (!line)
		return -ENOMEM;
	for (size_t i = 0; i < c->n; i++) {
		if (fill_cell(line, i, show_cell(row, c->column[i])))
			return -ENOMEM;
	}
	return 0;
}

/* A row is let go when it is a line: thousands of them twice would be megabytes. */
static int fill_rows(struct libscols_table *tb, node *rows, const struct choice *c)
{
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		node *row = doc_unpack(json_object_array_get_idx(rows, i));
		int rc = !row || doc_incomplete(row) || fill_row(tb, row, c) ? -ENOMEM : 0;

		json_object_put(row);
		if (rc || json_object_array_put_idx(rows, i, NULL))
			return -ENOMEM;
	}
	return 0;
}

static int fill_table(struct out *o, struct libscols_table *tb, node *rows, const struct choice *c)
{
	/*
	 * Texts are clean since they entered the document; libsmartcols would escape our escapes.
	 */
	scols_table_enable_noencoding(tb, 1);
	scols_table_set_stream(tb, o->data);
	/* Names hold single blanks. */
	if (scols_table_set_column_separator(tb, "  "))
		return -ENOMEM;
	scols_table_enable_noheadings(tb, o->opt.noheadings);
	scols_table_enable_colors(tb, o->opt.color);
	for (size_t i = 0; i < c->n; i++) {
		struct libscols_column *column = scols_table_new_column(
			tb, c->column[i]->name, 0, looks[c->column[i]->cell].flags);

		if (!column)
			return -ENOMEM;
		if (o->opt.color)
			scols_cell_set_color(scols_column_get_header(column), BOLD);
	}
	return fill_rows(tb, rows, c);
}

static void print_table(struct out *o, node *rows, const struct choice *c)
{
	struct libscols_table *tb = scols_new_table();

	if (!tb || fill_table(o, tb, rows, c)) {
		out_lost(o, ENOMEM);
	} else {
		out_hide(o);
		/* The library writes by stdio and does not pass an error on. */
		errno = 0;
		if (scols_print_table(tb) || ferror(o->data))
			out_lost(o, errno);
		out_show(o);
	}
	scols_unref_table(tb);
}

/* Whether a chosen column shows something of @key, a member of the rows. */
static bool shows(const struct choice *c, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < c->n; i++)
		if (strcspn(c->column[i]->key, "./") == len &&
		    !strncmp(c->column[i]->key, key, len))
			return true;
	return false;
}

/* Members stay whole: -o chooses what is said, never how it is nested. */
static node *reduced(node *row, const struct choice *c)
{
	node *left = json_object_new_object();

	if (!left)
		return NULL;
	json_object_object_foreach(row, key, value)
	{
		if (!shows(c, key))
			continue;
		if (json_object_object_add(left, key, json_object_get(value))) {
			json_object_put(value);
			doc_mark(left);
		}
	}
	return left;
}

/* @c: the columns that are wanted; NULL: the row is written as it is. */
static int write_row(FILE *f, node *row, const struct choice *c)
{
	node *whole = c ? doc_unpack(row) : json_object_get(row),
	     *left = c && whole ? reduced(whole, c) : NULL;
	node *shown = c ? left : whole;
	const char *text = shown && !doc_incomplete(shown) ? doc_json(shown) : NULL;
	int rc = text && fputs(text, f) != EOF ? 0 : -ENOMEM;

	json_object_put(left);
	json_object_put(whole);
	return rc;
}

static int write_rows(FILE *f, node *rows, const struct choice *c)
{
	fputs("[", f);
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		if (i)
			fputs(",", f);
		if (write_row(f, json_object_array_get_idx(rows, i), c) ||
		    json_object_array_put_idx(rows, i, NULL))
			return -ENOMEM;
	}
	return fputs("]", f) == EOF ? -ENOMEM : 0;
}

/* Rows are complete now. */
static void pack_rows(node *rows, const struct choice *c)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	int rc = f && !doc_incomplete(rows) ? write_rows(f, rows, c) : -ENOMEM;

	if (f && fclose(f))
		rc = -ENOMEM;
	if (rc == 0) {
		json_object_set_serializer(rows, json_object_userdata_to_json_string, text,
					   json_object_free_userdata);
		return;
	}
	free(text);
	doc_mark(rows);
}

int out_table(struct out *o, const struct table *t)
{
	const char *columns = o->opt.columns;
	node *doc = out_doc(o);
	struct choice c;
	size_t len;
	node *rows;

	if (!doc)
		return -ENOMEM;
	/* An empty answer has its array too. */
	rows = json_object_object_get(doc, t->array);
	if (!rows)
		rows = doc_array(doc, t->array);
	if (!rows)
		return -ENOMEM;
	if (choose_all(t, columns, &c, &len)) {
		columns = NULL;
		choose_all(t, NULL, &c, &len);
	}
	if (!o->opt.json) {
		print_table(o, rows, &c);
		return 0;
	}
	pack_rows(rows, columns && *columns != '+' ? &c : NULL);
	return 0;
}
