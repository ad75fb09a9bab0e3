// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/posted.h"

#include <string.h>

#include "base/util.h"

struct posted posted_judge(const struct group_holder *by, bool denied, bool in_use)
{
	/* this program runs no VM */
	bool other = by->pid ? !by->ours : denied && in_use;

	return (struct posted){ .possible = other, .by = *by };
}

void posted_append(char *buf, size_t size, const char *name, const struct posted *p)
{
	append(buf, size, "%s%s %sby ", buf[0] ? ", " : "", name, buf[0] ? "" : "is held ");
	if (p->by.pid)
		append(buf, size, "%s (PID %d)", p->by.comm, p->by.pid);
	else
		append(buf, size, "a program that can't be looked at");
}

void doc_posted(node *o, const struct posted *p)
{
	node *by;

	doc_bool(o, "posted_possible", p->possible);
	if (!p->by.pid) {
		doc_null(o, "held_by");
		return;
	}
	by = doc_object(o, "held_by");
	doc_number(by, "pid", (uint64_t)p->by.pid);
	doc_text(by, "command", p->by.comm);
}
