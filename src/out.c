// SPDX-License-Identifier: GPL-2.0-or-later
/* Documents, tables and lines. The only includer of json-c and of libsmartcols. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <json-c/json.h>
#include <libsmartcols/libsmartcols.h>

#include "out.h"
#include "util.h"

#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

#define MAX_COLUMNS 48

struct out {
	struct out_options opt;
	struct out_guard guard;
	node *doc;
	int err; /* errno of the first result that was lost */
};

int out_new(struct out **o, const struct out_options *opt)
{
	*o = calloc(1, sizeof(**o));
	if (!*o)
		return -ENOMEM;
	(*o)->opt = *opt;
	return 0;
}

void out_free(struct out *o)
{
	if (!o)
		return;
	json_object_put(o->doc);
	free(o);
}

void out_set_options(struct out *o, const struct out_options *opt)
{
	o->opt = *opt;
}

bool out_is_json(const struct out *o)
{
	return o->opt.json;
}

bool out_color(const struct out *o)
{
	return o->opt.color;
}

void out_set_guard(struct out *o, const struct out_guard *g)
{
	o->guard = g ? *g : (struct out_guard){ 0 };
}

static void hide(struct out *o)
{
	if (o->guard.hide)
		o->guard.hide(o->guard.ctx);
}

static void show(struct out *o)
{
	if (o->guard.show)
		o->guard.show(o->guard.ctx);
}

/* --- lines --- */

static void lost(struct out *o, int err)
{
	if (!o->err)
		o->err = err ? err : EIO;
}

static void put(struct out *o, FILE *f, const char *text)
{
	if (fputs(text, f) == EOF && f == stdout)
		lost(o, errno);
}

static void flush(struct out *o)
{
	if (fflush(stdout))
		lost(o, errno);
}

/* Room for the worst case: each byte becomes \xNN. */
static char *escaped(const char *text)
{
	size_t size = strlen(text) * 4 + 1;
	char *buf = malloc(size);

	return buf ? escape_text(text, buf, size) : NULL;
}

/* Tabs are layout (completion, columns of help); any other control character came from outside. */
static void put_escaped(struct out *o, FILE *f, char *text)
{
	while (text) {
		char *tab = strchr(text, '\t');
		_cleanup_free_ char *clean = NULL;

		if (tab)
			*tab = '\0';
		clean = escaped(text);
		if (clean)
			put(o, f, clean);
		else
			lost(o, ENOMEM);
		if (tab)
			put(o, f, "\t");
		text = tab ? tab + 1 : NULL;
	}
}

static void __attribute__((format(printf, 4, 0)))
put_line(struct out *o, FILE *f, bool bold, const char *fmt, va_list ap)
{
	_cleanup_free_ char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0) {
		text = NULL;
		lost(o, ENOMEM);
		return;
	}
	hide(o);
	if (bold)
		put(o, f, BOLD);
	put_escaped(o, f, text);
	put(o, f, bold ? PLAIN "\n" : "\n");
	show(o);
}

void out_text(struct out *o, const char *fmt, ...)
{
	va_list ap;

	if (o->opt.json)
		return;
	va_start(ap, fmt);
	put_line(o, stdout, false, fmt, ap);
	va_end(ap);
}

void out_bold(struct out *o, const char *fmt, ...)
{
	va_list ap;

	if (o->opt.json)
		return;
	va_start(ap, fmt);
	put_line(o, stdout, o->opt.color, fmt, ap);
	va_end(ap);
}

void out_note(struct out *o, const char *fmt, ...)
{
	va_list ap;

	/* What was said before is read before, also when both streams go to one file. */
	flush(o);
	va_start(ap, fmt);
	put_line(o, stderr, false, fmt, ap);
	va_end(ap);
}

/* --- documents --- */

/*
 * A node cannot be reached from its children, so memory that ran out below a
 * node is noted at the node itself; out_end() looks for the mark.
 */
static const char incomplete[] = "incomplete";

static void mark(node *n)
{
	if (n)
		json_object_set_userdata(n, (void *)(uintptr_t)incomplete, NULL);
}

static bool is_incomplete(node *n)
{
	if (!n)
		return false;
	if (json_object_get_userdata(n) == incomplete)
		return true;
	if (json_object_is_type(n, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(n); i++)
			if (is_incomplete(json_object_array_get_idx(n, i)))
				return true;
	} else if (json_object_is_type(n, json_type_object)) {
		struct json_object_iterator it = json_object_iter_begin(n), end = json_object_iter_end(n);

		for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it))
			if (is_incomplete(json_object_iter_peek_value(&it)))
				return true;
	}
	return false;
}

/* @child is taken over, whatever comes of it. */
static node *attach(node *parent, const char *key, node *child)
{
	if (!parent) {
		json_object_put(child);
		return NULL;
	}
	if (child && !json_object_object_add_ex(parent, key, child, JSON_C_OBJECT_ADD_CONSTANT_KEY))
		return child;
	json_object_put(child);
	mark(parent);
	return NULL;
}

static node *push(node *array, node *child)
{
	if (array && child && !json_object_array_add(array, child))
		return child;
	json_object_put(child);
	mark(array);
	return NULL;
}

static node *new_text(const char *text)
{
	_cleanup_free_ char *clean = escaped(text);

	return clean ? json_object_new_string(clean) : NULL;
}

node *out_doc(struct out *o)
{
	if (!o->doc)
		o->doc = json_object_new_object();
	if (!o->doc)
		lost(o, ENOMEM);
	return o->doc;
}

node *doc_object(node *parent, const char *key)
{
	return attach(parent, key, json_object_new_object());
}

node *doc_array(node *parent, const char *key)
{
	return attach(parent, key, json_object_new_array());
}

node *doc_row(node *array)
{
	return push(array, json_object_new_object());
}

void doc_null(node *o, const char *key)
{
	if (o && json_object_object_add_ex(o, key, NULL, JSON_C_OBJECT_ADD_CONSTANT_KEY))
		mark(o);
}

void doc_text(node *o, const char *key, const char *text)
{
	if (text)
		attach(o, key, new_text(text));
	else
		doc_null(o, key);
}

void doc_textf(node *o, const char *key, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n >= 0) {
		doc_text(o, key, text);
		return;
	}
	text = NULL;
	mark(o);
}

void doc_number(node *o, const char *key, uint64_t n)
{
	attach(o, key, json_object_new_uint64(n));
}

void doc_signed(node *o, const char *key, int64_t n)
{
	attach(o, key, json_object_new_int64(n));
}

void doc_bool(node *o, const char *key, bool b)
{
	attach(o, key, json_object_new_boolean(b));
}

void doc_push_text(node *array, const char *text)
{
	push(array, new_text(text));
}

void doc_push_number(node *array, uint64_t n)
{
	push(array, json_object_new_uint64(n));
}

/* One object is one line, so that a reader of a stream needs no parser that resumes. */
static void put_json(struct out *o, node *doc)
{
	const char *text = json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (!text) {
		lost(o, ENOMEM);
		return;
	}
	hide(o);
	put(o, stdout, text);
	put(o, stdout, "\n");
	show(o);
}

static void drop(struct out *o)
{
	json_object_put(o->doc);
	o->doc = NULL;
}

void out_end(struct out *o)
{
	if (is_incomplete(o->doc))
		lost(o, ENOMEM);
	else if (o->doc && o->opt.json)
		put_json(o, o->doc);
	drop(o);
	flush(o);
}

int out_flush(struct out *o, struct error *e)
{
	flush(o);
	if (!o->err)
		return 0;
	if (o->err == ENOMEM)
		return fail(e, CAUSE_FAILED, ENOMEM, "the output is incomplete: memory ran out");
	return fail(e, CAUSE_FAILED, o->err, "the output is incomplete: standard output: %s", strerror(o->err));
}

/* --- errors --- */

/* What a command found out before it failed stays in the object that tells of the failure. */
static void put_error_doc(struct out *o, const struct error *e)
{
	char number[16];
	node *err;

	if (is_incomplete(o->doc))
		drop(o);
	err = doc_object(out_doc(o), "error");
	doc_text(err, "cause", cause_word(e->cause));
	doc_text(err, "errno", e->err ? errno_name(e->err, number) : NULL);
	doc_text(err, "message", e->message);
	doc_text(err, "hint", e->hint[0] ? e->hint : NULL);
	out_end(o);
}

void out_error(struct out *o, const char *where, const struct error *e)
{
	char number[16];

	if (o->opt.json && !o->err)
		put_error_doc(o, e);
	drop(o);
	out_note(o, "msictl: %s%s%s%s%s%s", where ? where : "", where ? ": " : "", e->message, e->err ? " (" : "",
		 e->err ? errno_name(e->err, number) : "", e->err ? ")" : "");
	if (e->hint[0])
		out_note(o, "hint: %s", e->hint);
}

/* --- tables --- */

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

/* Returns NULL when all of @columns was understood, else the name that is none, *len bytes of it. */
static const char *choose_all(const struct table *t, const char *columns, struct choice *c, size_t *len)
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

/* "msi.enabled" in @row; NULL: missing or null. */
static node *at_path(node *row, const char *path, size_t len)
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

	return text && *text ? strdup(text) : strdup("-");
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
	char *text = NULL;
	size_t size;
	FILE *f;

	if (!n)
		return strdup("-");
	f = open_memstream(&text, &size);
	if (!f)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const char *item = json_object_get_string(json_object_array_get_idx(v, i));

		fprintf(f, "%s%s", i ? "," : "", item ? item : "-");
	}
	if (!fclose(f))
		return text;
	free(text);
	return NULL;
}

static char *show_ratio(node *row, const char *key)
{
	size_t len = strcspn(key, "/");
	node *part = at_path(row, key, len),
	     *whole = key[len] ? at_path(row, key + len + 1, strlen(key + len + 1)) : NULL;
	char *text;

	if (!part)
		return strdup("-");
	if (!whole)
		return show_text(part);
	return asprintf(&text, "%" PRIu64 "/%" PRIu64, json_object_get_uint64(part), json_object_get_uint64(whole)) < 0
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
};

static char *show_cell(node *row, const struct column *c)
{
	const struct look *look = &looks[c->cell];
	node *v;

	if (!look->show)
		return show_ratio(row, c->key);
	v = at_path(row, c->key, strlen(c->key));
	return v ? look->show(v) : strdup("-");
}

static int fill_row(struct libscols_table *tb, node *row, const struct choice *c)
{
	struct libscols_line *line = scols_table_new_line(tb, NULL);

	if (!line)
		return -ENOMEM;
	for (size_t i = 0; i < c->n; i++) {
		_cleanup_free_ char *text = show_cell(row, c->column[i]);

		if (!text || scols_line_set_data(line, i, text))
			return -ENOMEM;
	}
	return 0;
}

static int fill_table(struct out *o, struct libscols_table *tb, node *rows, const struct choice *c)
{
	/* Texts are clean since they entered the document; libsmartcols would escape our escapes. */
	scols_table_enable_noencoding(tb, 1);
	/* Names hold single blanks. */
	if (scols_table_set_column_separator(tb, "  "))
		return -ENOMEM;
	scols_table_enable_noheadings(tb, o->opt.noheadings);
	scols_table_enable_colors(tb, o->opt.color);
	for (size_t i = 0; i < c->n; i++) {
		struct libscols_column *column =
			scols_table_new_column(tb, c->column[i]->name, 0, looks[c->column[i]->cell].flags);

		if (!column)
			return -ENOMEM;
		if (o->opt.color)
			scols_cell_set_color(scols_column_get_header(column), BOLD);
	}
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		int rc = fill_row(tb, json_object_array_get_idx(rows, i), c);

		if (rc)
			return rc;
	}
	return 0;
}

static void print_table(struct out *o, node *rows, const struct choice *c)
{
	struct libscols_table *tb = scols_new_table();

	if (!tb || fill_table(o, tb, rows, c)) {
		lost(o, ENOMEM);
	} else {
		hide(o);
		/* The library writes by stdio and does not pass an error on. */
		errno = 0;
		if (scols_print_table(tb) || ferror(stdout))
			lost(o, errno);
		show(o);
	}
	scols_unref_table(tb);
}

/* Whether a chosen column shows something of @key, a member of the rows. */
static bool shows(const struct choice *c, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < c->n; i++)
		if (strcspn(c->column[i]->key, "./") == len && !strncmp(c->column[i]->key, key, len))
			return true;
	return false;
}

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
			mark(left);
		}
	}
	return left;
}

/* Members stay whole: -o chooses what is said, never how it is nested. */
static void reduce_rows(node *rows, const struct choice *c)
{
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		node *row = json_object_array_get_idx(rows, i);
		node *left = json_object_is_type(row, json_type_object) ? reduced(row, c) : NULL;

		if (left && json_object_array_put_idx(rows, i, left)) {
			json_object_put(left);
			mark(rows);
		}
	}
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
	if (!o->opt.json)
		print_table(o, rows, &c);
	else if (columns && *columns != '+')
		reduce_rows(rows, &c);
	return 0;
}
