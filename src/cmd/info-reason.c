// SPDX-License-Identifier: GPL-2.0-or-later
/* Why a part of info is missing. */
#include "base/util.h"
#include "cmd/info.h"

void info_because(struct info *i, const char *what, const char *key, const char *hint_key,
		  const struct error *why)
{
	struct out *o = i->s->out;
	node *doc = out_doc(o);
	char number[16];

	doc_line(doc, key, why->message);
	doc_line(doc, hint_key, why->hint[0] ? why->hint : NULL);
	out_text(o, "%s: %s%s%s%s", what, why->message, why->err ? " (" : "",
		 why->err ? errno_name(why->err, number) : "", why->err ? ")" : "");
	if (why->hint[0])
		out_text(o, "         hint: %s", why->hint);
}
