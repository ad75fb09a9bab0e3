// SPDX-License-Identifier: GPL-2.0-or-later
#include "hold/lines.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "hold/wire.h"
#include "irq/vector-set.h"

/* An object that holds no other, and its members. */
#define MAX_DEPTH 2

struct hold_line hold_line_index(const struct device *d, enum irq_index index)
{
	const struct vector_set armed = device_armed(d, index);

	return (struct hold_line){ .of = LINE_INDEX,
				   .index = index,
				   /* REQ is always listened to, and ends the holding. */
				   .on = d->irq[index].enabled && index != IRQ_REQ,
				   .narmed = vector_set_count(&armed),
				   .vectors = d->irq[index].info.count };
}

struct hold_line hold_line_vector(const struct index *ix, unsigned int v)
{
	const struct vector *vector = ix->vector[v];

	return (struct hold_line){ .of = LINE_VECTOR,
				   .index = ix->index,
				   .vector = v,
				   .armed = vector && vector->armed,
				   .count = vector ? vector->count : 0,
				   .wakeups = vector ? vector->wakeups : 0 };
}

static const char *word_of(bool b)
{
	return b ? "true" : "false";
}

static char *line_of_device(const struct hold_line *l)
{
	struct json_object *name = json_object_new_string(l->device);
	const char *quoted =
		name ? json_object_to_json_string_ext(name, JSON_C_TO_STRING_NOSLASHESCAPE) : NULL;
	char *text;

	if (!quoted ||
	    asprintf(&text,
		     "{\"device\":%s,\"since\":%" PRIu64 ",\"callers\":%" PRIu64 ",\"open\":%s}",
		     quoted, l->since, l->callers, word_of(l->open)) < 0)
		text = NULL;
	json_object_put(name);
	return text;
}

char *hold_line_text(const struct hold_line *l)
{
	const char *index = irq_index_word(l->index);
	char *text;
	int n;

	if (l->of == LINE_DEVICE)
		return line_of_device(l);
	if (l->of == LINE_INDEX)
		n = asprintf(&text,
			     "{\"index\":\"%s\",\"on\":%s,\"armed\":%" PRIu64
			     ",\"vectors\":%" PRIu64 "}",
			     index, word_of(l->on), l->narmed, l->vectors);
	else
		n = asprintf(&text,
			     "{\"index\":\"%s\",\"vector\":%u,\"armed\":%s,\"count\":%" PRIu64
			     ",\"wakeups\":%" PRIu64 ",\"more\":%" PRIu64 "}",
			     index, l->vector, word_of(l->armed), l->count, l->wakeups, l->more);
	return n < 0 ? NULL : text;
}

struct hold_reader {
	struct json_tokener *tokener;
	int (*take)(void *ctx, const struct hold_line *l);
	void *ctx;
	char *part; /* of a line that has no end yet */
	size_t length;
};

struct hold_reader *hold_reader_new(int (*take)(void *ctx, const struct hold_line *l), void *ctx)
{
	struct hold_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	*r = (struct hold_reader){ .tokener = json_tokener_new_ex(MAX_DEPTH),
				   .take = take,
				   .ctx = ctx };
	if (!r->tokener) {
		free(r);
		return NULL;
	}
	json_tokener_set_flags(r->tokener, JSON_TOKENER_STRICT);
	return r;
}

void hold_reader_free(struct hold_reader *r)
{
	if (!r)
		return;
	json_tokener_free(r->tokener);
	free(r->part);
	free(r);
}

static struct json_object *member(struct json_object *o, const char *key, enum json_type type)
{
	struct json_object *value;

	return json_object_object_get_ex(o, key, &value) && json_object_is_type(value, type) ? value
											     : NULL;
}

static bool get_number(struct json_object *o, const char *key, uint64_t most, uint64_t *n)
{
	struct json_object *value = member(o, key, json_type_int);

	if (!value || json_object_get_int64(value) < 0)
		return false;
	*n = json_object_get_uint64(value);
	return *n <= most;
}

static bool get_flag(struct json_object *o, const char *key, bool *b)
{
	struct json_object *value = member(o, key, json_type_boolean);

	*b = json_object_get_boolean(value);
	return value;
}

static bool read_device(struct json_object *o, struct hold_line *l)
{
	l->of = LINE_DEVICE;
	l->device = json_object_get_string(member(o, "device", json_type_string));
	return l->device && get_number(o, "since", INT64_MAX, &l->since) &&
	       get_number(o, "callers", INT64_MAX, &l->callers) && get_flag(o, "open", &l->open);
}

static bool read_vector(struct json_object *o, struct hold_line *l)
{
	uint64_t vector;

	l->of = LINE_VECTOR;
	if (!get_number(o, "vector", MAX_VECTORS - 1, &vector))
		return false;
	l->vector = (unsigned int)vector;
	return get_flag(o, "armed", &l->armed) && get_number(o, "count", UINT64_MAX, &l->count) &&
	       get_number(o, "wakeups", UINT64_MAX, &l->wakeups) &&
	       get_number(o, "more", UINT64_MAX, &l->more);
}

static bool read_index(struct json_object *o, struct hold_line *l)
{
	l->of = LINE_INDEX;
	return get_flag(o, "on", &l->on) && get_number(o, "armed", MAX_VECTORS, &l->narmed) &&
	       get_number(o, "vectors", MAX_VECTORS, &l->vectors);
}

static bool read_line(struct json_object *o, struct hold_line *l)
{
	const char *index;

	if (!json_object_is_type(o, json_type_object))
		return false;
	if (json_object_object_get_ex(o, "device", NULL))
		return read_device(o, l);
	index = json_object_get_string(member(o, "index", json_type_string));
	if (!index || irq_index_parse(index, &l->index))
		return false;
	return json_object_object_get_ex(o, "vector", NULL) ? read_vector(o, l) : read_index(o, l);
}

static int take_whole(struct hold_reader *r, const char *text, size_t n)
{
	struct json_object *o = json_tokener_parse_ex(r->tokener, text, (int)n);
	struct hold_line l = { 0 };
	int rc = -EPROTO;

	if (o && json_tokener_get_parse_end(r->tokener) == n && read_line(o, &l))
		rc = r->take(r->ctx, &l);
	json_object_put(o);
	json_tokener_reset(r->tokener);
	return rc;
}

static int keep_part(struct hold_reader *r, const char *text, size_t n)
{
	char *more;

	if (r->length + n > HOLD_MAX_LINE)
		return -EPROTO;
	more = realloc(r->part, r->length + n);
	if (!more)
		return -ENOMEM;
	memcpy(more + r->length, text, n);
	r->part = more;
	r->length += n;
	return 0;
}

int hold_reader_take(struct hold_reader *r, const char *text, size_t n)
{
	int rc = 0;

	while (n && !rc) {
		const char *end = memchr(text, '\n', n);
		size_t some = end ? (size_t)(end - text) : n;
		bool whole = end && !r->length && some <= HOLD_MAX_LINE;

		if (whole)
			rc = take_whole(r, text, some);
		else if (some)
			rc = keep_part(r, text, some);
		if (!rc && end && !whole) {
			rc = take_whole(r, r->part, r->length);
			r->length = 0;
		}
		some += end != NULL;
		text += some;
		n -= some;
	}
	return rc;
}

int hold_lines_read(const char *text, size_t n, int (*take)(void *ctx, const struct hold_line *l),
		    void *ctx)
{
	struct hold_reader *r = hold_reader_new(take, ctx);
	int rc = r ? hold_reader_take(r, text, n) : -ENOMEM;

	if (!rc && r->length)
		rc = -EPROTO;
	hold_reader_free(r);
	return rc;
}

static int take_state(void *ctx, const struct hold_line *l)
{
	struct hold_state *st = ctx;

	if (l->of == LINE_INDEX) {
		st->index[l->index].there = true;
		st->index[l->index].armed = l->narmed;
		st->index[l->index].vectors = l->vectors;
	}
	if (l->of != LINE_DEVICE)
		return 0;
	free(st->device);
	st->device = strdup(l->device);
	st->since = l->since;
	st->callers = l->callers;
	st->open = l->open;
	return st->device ? 0 : -ENOMEM;
}

int hold_state_read(const char *text, size_t n, struct hold_state *st)
{
	*st = (struct hold_state){ 0 };
	return hold_lines_read(text, n, take_state, st);
}
