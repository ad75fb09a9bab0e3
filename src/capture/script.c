// SPDX-License-Identifier: GPL-2.0-or-later
/* The rules, and the script that takes a capture where msictl is not installed. */
#include "capture/internal.h"

#include <errno.h>

/*
 * src/capture/rules and the two halves of the script, as they are in the source, each terminated.
 */
extern const char capture_rules[], capture_script_head[], capture_script_tail[];

__asm__(".pushsection .rodata\n"
	".globl capture_rules\n.hidden capture_rules\n"
	"capture_rules: .incbin \"src/capture/rules\"\n.byte 0\n"
	"capture_script_head: .incbin \"src/capture/head.sh\"\n.byte 0\n"
	"capture_script_tail: .incbin \"src/capture/tail.sh\"\n.byte 0\n"
	".popsection\n");

int capture_script(const char *version, FILE *to)
{
	fputs(capture_script_head, to);
	fprintf(to, "version='%s'\nrules() {\n\tcat <<'END_OF_RULES'\n", version);
	fputs(capture_rules, to);
	fputs("END_OF_RULES\n}\n", to);
	fputs(capture_script_tail, to);
	return fflush(to) || ferror(to) ? -errno : 0;
}
