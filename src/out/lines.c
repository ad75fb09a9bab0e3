// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of text are views of a document, as tables are. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <json-c/json.h>

#include "irq/vector-set.h"
#include "out/internal.h"

static size_t length(node *v)
{
	return json_object_is_type(v, json_type_array) ? json_object_array_length(v) : 0;
}

/* @room: columns of a number, bytes of a set; 0: as usual. */
static void put_member(FILE *f, node *v, int room, bool hex)
{
	char text[VECTOR_SET_ROOM];
	struct vector_set set = { .bits = { 0 } };

	if (hex)
		fprintf(f, "%0*" PRIx64, room, json_object_get_uint64(v));
	else if (!json_object_is_type(v, json_type_array))
		fprintf(f, "%*s", room, v ? json_object_get_string(v) : "-");
	for (size_t i = 0; i < length(v); i++)
		vector_set_add(&set, json_object_get_uint64(json_object_array_get_idx(v, i)));
	if (json_object_is_type(v, json_type_array))
		fputs(vector_set_text(&set, text, room ? (size_t)room : 96), f);
}

/* Where the members are, and the one that the text is about. */
struct scope {
	FILE *f; /* NULL: the text does not apply */
	node *row, *aside, *it;
};

static const char *put_pattern(struct scope s, const char *t);

static const char *put_field(struct scope s, const char *t)
{
	size_t len = strcspn(t, "?!#:~}");
	node *v = len ? doc_member(s.row, t, len) : s.it;
	char *end = NULL;
	long room;

	s.it = len && !v ? doc_member(s.aside, t, len) : v;
	t += len;
	if (*t == '?' || *t == '!') {
		if ((length(s.it) || json_object_get_boolean(s.it)) != (*t == '?'))
			s.f = NULL;
		return put_pattern(s, t + 1) + 1;
	}
	room = *t == ':' ? strtol(t + 1, &end, 10) : 0;
	if (s.f && *t == '#')
		fprintf(s.f, "%zu", length(s.it));
	else if (s.f && *t == '~')
		fputs(json_object_get_uint64(s.it) == 1 ? "" : "s", s.f);
	else if (s.f)
		put_member(s.f, s.it, (int)room, end && *end == 'x');
	return strchr(t, '}') + 1;
}

/* Returns: where the text ends. */
static const char *put_pattern(struct scope s, const char *t)
{
	while (*t && *t != '}') {
		if (*t == '{') {
			t = put_field(s, t + 1);
			continue;
		}
		if (s.f)
			fputc(*t, s.f);
		t++;
	}
	return t;
}

static void print_line(struct out *o, enum line_kind kind, const char *text)
{
	if (!*text)
		return;
	if (kind == LINE_NOTE)
		out_note(o, "%s", text);
	else
		out_text(o, "%s", text);
}

void out_lines(struct out *o, node *row, const struct line *line, size_t n)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	for (size_t i = 0; f && i < n && !ferror(f); i++) {
		put_pattern((struct scope){ f, row, o->aside, NULL }, line[i].text);
		if (line[i].kind == LINE_PART)
			continue;
		fputc('\0', f);
		if (!fflush(f))
			print_line(o, line[i].kind, text);
		rewind(f);
	}
	if (!f || fclose(f) || doc_incomplete(o->doc) || doc_incomplete(o->aside))
		out_lost(o, ENOMEM);
}
