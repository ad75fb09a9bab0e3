// SPDX-License-Identifier: GPL-2.0-or-later
/* Pieces of evidence: a value, and the file that says so. */
#include "platform/internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"

const char *verdict_word(enum verdict v)
{
	static const char *const words[] = {
		[VERDICT_UNKNOWN] = "unknown",
		[VERDICT_NO] = "no",
		[VERDICT_YES] = "yes",
	};

	return (size_t)v < ARRAY_SIZE(words) ? words[v] : words[VERDICT_UNKNOWN];
}

void evidence_free(struct evidence *ev)
{
	free(ev->value);
	free(ev->source);
}

struct evidence *evidence_new(struct gather *g, const char *what)
{
	struct evidence *more = reallocarray(g->p->evidence, g->p->n + 1, sizeof(*more)), *ev;

	if (!more) {
		g->rc = -ENOMEM;
		ev = &g->lost;
		evidence_free(ev);
	} else {
		g->p->evidence = more;
		ev = &more[g->p->n++];
	}
	*ev = (struct evidence){ .what = what };
	return ev;
}

static void escape_format(char **to, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/* Without memory *@to is NULL, which whole() finds at the end. */
static void escape_format(char **to, const char *fmt, va_list ap)
{
	_cleanup_free_ char *text = NULL;
	va_list again;
	int n;

	free(*to);
	*to = NULL;
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	text = n < 0 ? NULL : malloc((size_t)n + 1);
	if (!text)
		return;
	vsnprintf(text, (size_t)n + 1, fmt, ap);
	*to = escape_text_dup(text);
}

void evidence_value(struct evidence *ev, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	escape_format(&ev->value, fmt, ap);
	va_end(ap);
}

void evidence_source(struct evidence *ev, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	escape_format(&ev->source, fmt, ap);
	va_end(ap);
}

void verdict_set(struct platform *p, enum verdict v, const char *why)
{
	p->multivector = v;
	copy_text(p->multivector_why, sizeof(p->multivector_why), why);
}
