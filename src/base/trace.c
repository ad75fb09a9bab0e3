// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

void trace_answer(const struct trace *t, const char *name, const char *detail, int64_t rc,
		  const char *answer, uint64_t us)
{
	char text[1024], num[16];

	if (!t->on)
		return;
	if (rc < 0)
		snprintf(text, sizeof(text), "%s(%s) = -1 %s (%" PRIu64 " us)", name, detail,
			 errno_name((int)-rc, num), us);
	else
		snprintf(text, sizeof(text), "%s(%s) = %" PRId64 "%s%s%s (%" PRIu64 " us)", name,
			 detail, rc, answer ? " {" : "", answer ? answer : "", answer ? "}" : "",
			 us);
	t->line(t->ctx, text);
}

void trace_call(const struct trace *t, const char *name, const char *detail, int64_t rc,
		uint64_t us)
{
	trace_answer(t, name, detail, rc, NULL, us);
}

bool trace_would(const struct trace *t, const char *name, const char *detail)
{
	char text[1024];

	if (!t->dry_run)
		return false;
	snprintf(text, sizeof(text), "would: %s(%s)", name, detail);
	t->line(t->ctx, text);
	return true;
}
