// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/global-options.h"

#include "base/util.h"
#include "cli/arg-type.h"

#define AT(member) offsetof(struct globals, member)

static const struct global {
	struct command_option option;
	/* where in struct globals: a bool for a flag, microseconds for a period, else the text */
	size_t at;
	bool outside; /* decided before a session begins */
} rows[] = {
	{ .at = AT(help), .option = { .word = "help", .letter = 'h', .help = "show help" } },
	{ .at = AT(version),
	  .outside = true,
	  .option = { .word = "version",
		      .help = "show the version, the back ends and the libraries" } },
	{ .at = AT(json),
	  .option = { .word = "json", .letter = 'J', .help = "print JSON, one object per line" } },
	{ .at = AT(columns),
	  .option = { .word = "output",
		      .letter = 'o',
		      .type = ARG_COLUMNS,
		      .help = "show these columns; +LIST adds to the usual ones" } },
	{ .at = AT(noheadings),
	  .option = { .word = "noheadings",
		      .letter = 'n',
		      .help = "print no headings; "
			      "in front of events, latency and watch, behind which -n is a number" } },
	{ .at = AT(color),
	  .outside = true,
	  .option = { .word = "color",
		      .type = ARG_CHOICE,
		      .name = "WHEN",
		      .choices = "auto|always|never",
		      .help = "emphasise: auto (on a terminal, unless NO_COLOR is set), always or never" } },
	{ .at = AT(root),
	  .outside = true,
	  .option = { .word = "root",
		      .type = ARG_FILE,
		      .name = "FILE",
		      .help = "read a capture in place of /sys and /proc, or a folder with copies of both" } },
	{ .at = AT(trace),
	  .option = { .word = "trace",
		      .help = "print each ioctl made, flags in words, and what it returned" } },
	{ .at = AT(dry_run),
	  .option = { .word = "dry-run",
		      .help = "print each change that would be made, make none; "
			      "a device is opened all the same, which resets it" } },
	{ .at = AT(noiommu),
	  .outside = true,
	  .option = { .word = "noiommu", .help = "allow VFIO's unsafe mode without an IOMMU" } },
	{ .at = AT(timeout_us),
	  .outside = true,
	  .option = { .word = "timeout",
		      .type = ARG_PERIOD,
		      .name = "T",
		      .help = "how long a vfio-user peer may take to answer, and hold waits for a folder that is locked: "
			      "500ms, 2s (5s)" } },
};

_Static_assert(ARRAY_SIZE(rows) <= MAX_GLOBALS, "MAX_GLOBALS");

const struct command_option *global_at(size_t i)
{
	return i < ARRAY_SIZE(rows) ? &rows[i].option : NULL;
}

bool global_given(const struct globals *g, size_t i)
{
	const void *at = (const char *)g + rows[i].at;

	if (rows[i].option.type == ARG_FLAG)
		return *(const bool *)at;
	if (rows[i].option.type == ARG_PERIOD)
		return *(const uint64_t *)at != 0;
	return *(const char *const *)at != NULL;
}

const char *global_text(const struct globals *g, size_t i)
{
	enum arg_type type = rows[i].option.type;

	return type == ARG_FLAG || type == ARG_PERIOD
		       ? NULL
		       : *(const char *const *)((const char *)g + rows[i].at);
}

bool global_in_session(size_t i)
{
	return !rows[i].outside;
}

int global_set(struct globals *g, size_t i, const char *text, struct error *e)
{
	const struct global *row = &rows[i];
	struct value v = { 0 };
	char label[32] = "--";
	int rc;

	append(label, sizeof(label), "%s", row->option.word);
	rc = arg_type_parse(row->option.type, row->option.choices, label, text, &v, e);
	if (rc)
		return rc;
	/* 0 is how one that was not given looks. */
	if (row->option.type == ARG_PERIOD && v.number == 0)
		return fail(e, CAUSE_USAGE, 0, "%s: \"%s\" is no time at all", label, text);
	if (row->option.type == ARG_FLAG)
		*(bool *)((char *)g + row->at) = true;
	else if (row->option.type == ARG_PERIOD)
		*(uint64_t *)((char *)g + row->at) = v.number;
	else
		*(const char **)((char *)g + row->at) = text;
	return 0;
}
