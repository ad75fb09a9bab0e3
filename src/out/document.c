// SPDX-License-Identifier: GPL-2.0-or-later
/* Filling documents. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/util.h"
#include "out/internal.h"

/*
 * A node cannot be reached from its children, so memory that ran out below a
 * node is noted at the node itself; out_end() looks for the mark.
 */
static const char incomplete[] = "incomplete";

void doc_mark(node *n)
{
	if (n)
		json_object_set_userdata(n, (void *)(uintptr_t)incomplete, NULL);
}

bool doc_incomplete(node *n)
{
	if (!n)
		return false;
	if (json_object_get_userdata(n) == incomplete)
		return true;
	if (json_object_is_type(n, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(n); i++)
			if (doc_incomplete(json_object_array_get_idx(n, i)))
				return true;
	} else if (json_object_is_type(n, json_type_object)) {
		struct json_object_iterator it = json_object_iter_begin(n),
					    end = json_object_iter_end(n);

		for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it))
			if (doc_incomplete(json_object_iter_peek_value(&it)))
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
	doc_mark(parent);
	return NULL;
}

static node *push(node *array, node *child)
{
	if (array && child && !json_object_array_add(array, child))
		return child;
	json_object_put(child);
	doc_mark(array);
	return NULL;
}

/* @clean is taken over. */
static node *new_string(char *clean)
{
	node *n = clean ? json_object_new_string(clean) : NULL;

	free(clean);
	return n;
}

static node *new_text(const char *text)
{
	return new_string(escape_text_dup(text));
}

node *doc_object(node *parent, const char *key)
{
	return attach(parent, key, json_object_new_object());
}

node *doc_array(node *parent, const char *key)
{
	return attach(parent, key, json_object_new_array());
}

/*
 * Marks a packed row, see doc_row(): each member's key and JSON text, both ended by a NUL. An object
 * among them begins with the text "{" and ends with a member "}" without a key.
 */
static const char packed[] = "packed";

/* Of objects in objects; rows that go deeper stay nodes. */
#define MAX_DEPTH 4

const char *doc_json(node *n)
{
	const char *json;

	errno = 0;
	json = json_object_to_json_string_ext(n, JSON_LINE);
	return errno == ENOMEM ? NULL : json;
}

/* The next member of a packed row behind @at; NULL behind the last. */
static const char *next_member(node *row, const char *at, const char **key, const char **value)
{
	const char *begin = json_object_get_string(row);

	if (!at)
		at = begin;
	if (at == begin + json_object_get_string_len(row))
		return NULL;
	*key = at;
	*value = at + strlen(at) + 1;
	return *value + strlen(*value) + 1;
}

static int put_packed(node *row, struct printbuf *to, int level, int flags)
{
	const char *at = NULL, *key, *value, *before = "";

	(void)level;
	(void)flags;
	sprintbuf(to, "{");
	while ((at = next_member(row, at, &key, &value))) {
		if (*key)
			sprintbuf(to, "%s\"%s\":%s", before, key, value);
		else
			sprintbuf(to, "}");
		before = strcmp(value, "{") ? "," : "";
	}
	return sprintbuf(to, "}");
}

/* How many bytes went to @f, -1 without memory and of what is too deep. */
static int pack_members(FILE *f, node *object, int depth)
{
	struct json_object_iterator it = json_object_iter_begin(object),
				    end = json_object_iter_end(object);
	int sum = 0;

	if (depth > MAX_DEPTH)
		return -1;
	for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
		const char *key = json_object_iter_peek_name(&it);
		node *value = json_object_iter_peek_value(&it);
		bool inner = json_object_is_type(value, json_type_object);
		const char *json = inner ? "{" : doc_json(value);
		int n = json ? fprintf(f, "%s%c%s%c", key, '\0', json, '\0') : -1,
		    m = n < 0 || !inner ? 0 : pack_members(f, value, depth + 1);

		if (n < 0 || m < 0)
			return -1;
		sum += n + m + (inner ? fprintf(f, "%c}%c", '\0', '\0') : 0);
	}
	return sum;
}

/* NULL: no memory, or too deep. */
static node *pack(node *row)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	int sum = f ? pack_members(f, row, 0) : -1;
	node *n;

	/* Without memory for it a part of the text is missing. */
	if (!f || fclose(f) || sum < 0 || (size_t)sum != size)
		return NULL;
	n = json_object_new_string_len(text, (int)size);
	if (n)
		json_object_set_serializer(n, put_packed, (void *)(uintptr_t)packed, NULL);
	return n;
}

/* A row that can't be packed stays as it is, and one that is packed already. */
static void pack_last(node *array)
{
	size_t n = array ? json_object_array_length(array) : 0;
	node *row = n ? json_object_array_get_idx(array, n - 1) : NULL, *text;

	if (!json_object_is_type(row, json_type_object) || doc_incomplete(row))
		return;
	text = pack(row);
	if (text && json_object_array_put_idx(array, n - 1, text))
		json_object_put(text);
}

node *doc_row(node *array)
{
	pack_last(array);
	return push(array, json_object_new_object());
}

/* json-c notes nothing of memory that ran out while it read a text, but errno. */
static int unpack_member(node *to, const char *key, const char *json)
{
	node *value;

	errno = 0;
	value = json_tokener_parse(json);
	if (errno != ENOMEM && (value || !strcmp(json, "null")) &&
	    !json_object_object_add_ex(to, key, value, JSON_C_OBJECT_ADD_CONSTANT_KEY))
		return 0;
	json_object_put(value);
	return -ENOMEM;
}

static node *unpack(node *row)
{
	node *object[MAX_DEPTH + 1] = { json_object_new_object() };
	const char *at = NULL, *key, *value;
	int depth = 0, rc = object[0] ? 0 : -ENOMEM;

	while (rc == 0 && (at = next_member(row, at, &key, &value))) {
		if (!*key) {
			depth--;
		} else if (strcmp(value, "{") != 0) {
			rc = unpack_member(object[depth], key, value);
		} else {
			object[depth + 1] = attach(object[depth], key, json_object_new_object());
			rc = object[++depth] ? 0 : -ENOMEM;
		}
	}
	if (rc == 0)
		return object[0];
	json_object_put(object[0]);
	return NULL;
}

node *doc_unpack(node *row)
{
	return row && json_object_get_userdata(row) == packed ? unpack(row) : json_object_get(row);
}

void doc_null(node *o, const char *key)
{
	if (o && json_object_object_add_ex(o, key, NULL, JSON_C_OBJECT_ADD_CONSTANT_KEY))
		doc_mark(o);
}

void doc_text(node *o, const char *key, const char *text)
{
	if (text)
		attach(o, key, new_text(text));
	else
		doc_null(o, key);
}

void doc_line(node *o, const char *key, const char *text)
{
	if (text)
		attach(o, key, new_string(escape_line_dup(text)));
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
	doc_mark(o);
}

void doc_word(node *o, const char *key, const char *text)
{
	doc_text(o, key, text && text[0] ? text : NULL);
}

void doc_number(node *o, const char *key, uint64_t n)
{
	attach(o, key, json_object_new_uint64(n));
}

void doc_number_if(node *o, const char *key, bool known, uint64_t n)
{
	if (known)
		doc_number(o, key, n);
	else
		doc_null(o, key);
}

void doc_signed(node *o, const char *key, int64_t n)
{
	attach(o, key, json_object_new_int64(n));
}

/* json-c would show 0.1 with all 17 digits. */
static node *new_real(double n)
{
	char text[32];

	snprintf(text, sizeof(text), "%.2f", n);
	return json_object_new_double_s(n, text);
}

void doc_real(node *o, const char *key, double n)
{
	attach(o, key, new_real(n));
}

void doc_push_real(node *array, double n)
{
	push(array, new_real(n));
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
