// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines, errors and the end of a document. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/util.h"
#include "out/internal.h"

int out_new(struct out **o, const struct out_options *opt)
{
	*o = calloc(1, sizeof(**o));
	if (!*o)
		return -ENOMEM;
	(*o)->opt = *opt;
	(*o)->data = stdout;
	(*o)->notes = stderr;
	return 0;
}

void out_free(struct out *o)
{
	if (!o)
		return;
	json_object_put(o->doc);
	json_object_put(o->aside);
	free(o);
}

void out_set_options(struct out *o, const struct out_options *opt)
{
	o->opt = *opt;
}

void out_set_streams(struct out *o, FILE *data, FILE *notes)
{
	o->data = data;
	o->notes = notes;
}

FILE *out_swap_data(struct out *o, FILE *data)
{
	FILE *before = o->data;

	o->data = data;
	return before;
}

int out_terminal(const struct out *o)
{
	int fd = fileno(o->data);

	return fd >= 0 && isatty(fd) ? fd : -1;
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

void out_hide(struct out *o)
{
	if (o->guard.hide)
		o->guard.hide(o->guard.ctx);
}

void out_show(struct out *o)
{
	if (o->guard.show)
		o->guard.show(o->guard.ctx);
}

void out_lost(struct out *o, int err)
{
	if (!o->err)
		o->err = err ? err : EIO;
}

static node *begun(struct out *o, node **doc)
{
	if (!*doc)
		*doc = json_object_new_object();
	if (!*doc)
		out_lost(o, ENOMEM);
	return *doc;
}

node *out_doc(struct out *o)
{
	return begun(o, &o->doc);
}

node *out_aside(struct out *o)
{
	return begun(o, &o->aside);
}

void out_put(struct out *o, FILE *f, const char *text)
{
	if (fputs(text, f) == EOF && f == o->data)
		out_lost(o, errno);
}

static void flush(struct out *o)
{
	if (fflush(o->data))
		out_lost(o, errno);
}

/* Tabs are layout (completion, columns of help); any other control character came from outside. */
static void put_escaped(struct out *o, FILE *f, char *text)
{
	while (text) {
		char *tab = strchr(text, '\t');
		_cleanup_free_ char *clean = NULL;

		if (tab)
			*tab = '\0';
		clean = escape_line_dup(text);
		if (clean)
			out_put(o, f, clean);
		else
			out_lost(o, ENOMEM);
		if (tab)
			out_put(o, f, "\t");
		text = tab ? tab + 1 : NULL;
	}
}

static void __attribute__((format(printf, 4, 0)))
put_line(struct out *o, FILE *f, bool bold, const char *fmt, va_list ap)
{
	_cleanup_free_ char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0) {
		text = NULL;
		out_lost(o, ENOMEM);
		return;
	}
	out_hide(o);
	if (bold)
		out_put(o, f, BOLD);
	put_escaped(o, f, text);
	out_put(o, f, bold ? PLAIN "\n" : "\n");
	out_show(o);
}

void out_text(struct out *o, const char *fmt, ...)
{
	va_list ap;

	if (o->opt.json)
		return;
	va_start(ap, fmt);
	put_line(o, o->data, false, fmt, ap);
	va_end(ap);
}

void out_bold(struct out *o, const char *fmt, ...)
{
	va_list ap;

	if (o->opt.json)
		return;
	va_start(ap, fmt);
	put_line(o, o->data, o->opt.color, fmt, ap);
	va_end(ap);
}

void out_raw(struct out *o, bool note, const char *bytes, size_t n)
{
	FILE *f = note ? o->notes : o->data;

	out_hide(o);
	if ((fwrite(bytes, 1, n, f) != n || fflush(f)) && f == o->data)
		out_lost(o, errno);
	out_show(o);
}

void out_note(struct out *o, const char *fmt, ...)
{
	va_list ap;

	/* What was said before is read before, also when both streams go to one file. */
	flush(o);
	va_start(ap, fmt);
	put_line(o, o->notes, false, fmt, ap);
	va_end(ap);
}

static void put_value(struct out *o, node *value)
{
	const char *text = doc_json(value);

	if (text)
		out_put(o, o->data, text);
	else
		out_lost(o, ENOMEM);
}

/*
 * One object is one line, so that a reader of a stream needs no parser that
 * resumes. Keys are our own literals. Member by member: the text of thousands
 * of rows needs to be in memory once only.
 */
static void put_json(struct out *o, node *doc)
{
	const char *before = "{";

	out_hide(o);
	json_object_object_foreach(doc, key, value)
	{
		out_put(o, o->data, before);
		out_put(o, o->data, "\"");
		out_put(o, o->data, key);
		out_put(o, o->data, "\":");
		put_value(o, value);
		before = ",";
	}
	out_put(o, o->data, *before == '{' ? "{}\n" : "}\n");
	out_show(o);
}

static void drop(struct out *o)
{
	json_object_put(o->doc);
	json_object_put(o->aside);
	o->doc = o->aside = NULL;
}

void out_end(struct out *o)
{
	if (doc_incomplete(o->doc))
		out_lost(o, ENOMEM);
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
	return fail(e, CAUSE_FAILED, o->err, "the output is incomplete: standard output: %s",
		    strerror(o->err));
}

/* What a command found out before it failed stays in the object that tells of the failure. */
static void put_error_doc(struct out *o, const struct error *e)
{
	char number[16];
	node *err;

	if (doc_incomplete(o->doc))
		drop(o);
	err = doc_object(out_doc(o), "error");
	doc_text(err, "cause", cause_word(e->cause));
	doc_text(err, "errno", e->err ? errno_name(e->err, number) : NULL);
	doc_line(err, "message", e->message);
	doc_line(err, "hint", e->hint[0] ? e->hint : NULL);
	out_end(o);
}

void out_error(struct out *o, const char *where, const struct error *e)
{
	char number[16];

	if (o->opt.json && !o->err)
		put_error_doc(o, e);
	drop(o);
	out_note(o, "msictl: %s%s%s%s%s%s", where ? where : "", where ? ": " : "", e->message,
		 e->err ? " (" : "", e->err ? errno_name(e->err, number) : "", e->err ? ")" : "");
	if (e->hint[0])
		out_note(o, "hint: %s", e->hint);
}
