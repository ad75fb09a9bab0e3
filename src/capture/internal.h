/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of capture/take.h have in common; nobody else includes this. */
#ifndef MSICTL_CAPTURE_INTERNAL_H
#define MSICTL_CAPTURE_INTERNAL_H

#include "capture/take.h"

/* src/capture/rules, terminated. */
extern const char capture_rules[];

/** capture_put_head() - the first lines of a capture of @r: its format, and what is left out. */
void capture_put_head(FILE *to, const struct root *r, const struct capture_options *opt);

#endif
