/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is told of each ioctl: --trace and --dry-run. */
#ifndef MSICTL_BASE_TRACE_H
#define MSICTL_BASE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

struct trace {
	bool on;      /* tell of each call made */
	bool dry_run; /* tell of each change instead of making it */
	void (*line)(void *ctx, const char *text);
	void *ctx;
};

/** trace_call() - "NAME(detail) = rc (us)" when on; rc is the return value or -errno. */
void trace_call(const struct trace *t, const char *name, const char *detail, int64_t rc,
		uint64_t us);

/** trace_answer() - the same with what the call told: "NAME(detail) = rc {answer} (us)". */
void trace_answer(const struct trace *t, const char *name, const char *detail, int64_t rc,
		  const char *answer, uint64_t us);

/** trace_would() - "would: NAME(detail)" and true in a dry run; false: make the call. */
bool trace_would(const struct trace *t, const char *name, const char *detail);

#endif
