// SPDX-License-Identifier: GPL-2.0-or-later
/* A line of /proc/PID/mountinfo. */
#include "driver/internal.h"

#include <string.h>

/*
 * Blanks in /proc/self/mountinfo and /proc/swaps are written as \040: fs/proc_namespace.c mangle().
 */
void mount_unmangle(char *text)
{
	char *to = text;

	for (const char *p = text; *p; p++) {
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
		    p[3] >= '0' && p[3] <= '7') {
			*to++ = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			p += 3;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
}

/* "36 35 98:0 /root /point options [more...] - type source options": proc(5). */
bool mount_parse(char *line, struct mount *m)
{
	char *save = NULL, *word = strtok_r(line, " \n", &save);

	*m = (struct mount){ 0 };
	for (int i = 0; word && strcmp(word, "-") != 0; i++, word = strtok_r(NULL, " \n", &save)) {
		if (i == 2)
			m->device = word;
		else if (i == 3)
			m->root = word;
		else if (i == 4)
			m->point = word;
	}
	if (!word || !m->point)
		return false;
	m->type = strtok_r(NULL, " \n", &save);
	m->source = strtok_r(NULL, " \n", &save);
	if (!m->source)
		return false;
	mount_unmangle(m->point);
	mount_unmangle(m->source);
	return true;
}
