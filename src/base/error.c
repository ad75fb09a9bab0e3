// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

static const struct {
	const char *word, *help;
} causes[] = {
	[CAUSE_NONE] = { "none", "done" },
	[CAUSE_FAILED] = { "failed", "failed" },
	[CAUSE_USAGE] = { "usage", "usage: a word, option or value is wrong" },
	[CAUSE_NO_DEVICE] = { "no-device", "no such device, or it went away" },
	[CAUSE_PERMISSION] = { "permission", "permission denied" },
	[CAUSE_BUSY] = { "busy",
			 "busy: somebody else holds the device, or a peer does not answer in time" },
	[CAUSE_NOT_VIABLE] = { "not-viable", "the IOMMU group is not viable, or there is none" },
	[CAUSE_SHORT] = { "short", "the host gave fewer vectors than asked for" },
	[CAUSE_EXPECTATION] = { "expectation", "an expectation was not met (wait, events)" },
	[CAUSE_DISTURB] = { "disturb", "refused because it would disturb live vectors" },
};

int fail(struct error *e, enum cause cause, int err, const char *fmt, ...)
{
	va_list ap;

	e->cause = cause;
	e->err = err;
	e->hint[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(e->message, sizeof(e->message), fmt, ap);
	va_end(ap);
	return err ? -err : -EINVAL;
}

int fail_memory(struct error *e)
{
	return fail(e, CAUSE_FAILED, ENOMEM, "out of memory");
}

void hint(struct error *e, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(e->hint, sizeof(e->hint), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(e->hint))
		e->hint[0] = '\0';
}

const char *cause_word(enum cause cause)
{
	return (size_t)cause < ARRAY_SIZE(causes) ? causes[cause].word : "failed";
}

const char *cause_help(enum cause cause)
{
	return (size_t)cause < ARRAY_SIZE(causes) ? causes[cause].help : NULL;
}

enum cause cause_of_errno(int err)
{
	static const struct {
		int err;
		enum cause cause;
	} map[] = {
		{ EACCES, CAUSE_PERMISSION }, { EPERM, CAUSE_PERMISSION },
		{ EBUSY, CAUSE_BUSY },	      { ENODEV, CAUSE_NO_DEVICE },
		{ ENXIO, CAUSE_NO_DEVICE },   { ENOTCONN, CAUSE_NO_DEVICE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (map[i].err == err)
			return map[i].cause;
	return CAUSE_FAILED;
}

const char *errno_name(int err, char buf[16])
{
	const char *name = strerrorname_np(err);

	if (name)
		return name;
	snprintf(buf, 16, "E%d", err);
	return buf;
}
