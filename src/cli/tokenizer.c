// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A line of a script or of the shell -> words. No expansion of any kind: a line means what it says.
 */
#include <errno.h>
#include <string.h>

#include "cli/command.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool ends_command(char c)
{
	return c == ';' || c == '\n';
}

/* Move the text between quotes from *@r to *@w; *@r ends behind the closing quote. */
static int unquote(char **r, char **w)
{
	char quote = *(*r)++;

	while (**r && **r != quote) {
		if (quote == '"' && **r == '\\' && (*r)[1])
			(*r)++;
		*(*w)++ = *(*r)++;
	}
	if (!**r)
		return -EINVAL;
	(*r)++;
	return 0;
}

/*
 * One word from *@r, unquoted in place, terminated. *@r ends at the character after it; *@end is
 * that character.
 */
static int take_word(char **r, char *end, struct error *e)
{
	char *w = *r;

	while (**r && !is_blank(**r) && !ends_command(**r)) {
		if (**r == '\'' || **r == '"') {
			char quote = **r;

			if (unquote(r, &w))
				return fail(e, CAUSE_USAGE, 0, "the quote %c is not closed", quote);
			continue;
		}
		if (**r == '\\') {
			(*r)++;
			if (!**r || **r == '\n')
				return fail(e, CAUSE_USAGE, 0,
					    "the line ends in a backslash that escapes nothing");
		}
		*w++ = *(*r)++;
	}
	/* Terminating may overwrite the separator, so it is kept for the caller. */
	*end = **r;
	*w = '\0';
	return 0;
}

/*
 * Behind what ends a command at @r, or NULL. A comment ends with the line, not at ; as a command
 * would.
 */
static char *behind(char *r, char end)
{
	if (end != '#')
		return end ? r + 1 : NULL;
	r = strchr(r, '\n');
	return r ? r + 1 : NULL;
}

int line_split(char *line, char **word, int max, char **next, struct error *e)
{
	char *r = line, end;
	int n = 0;

	*next = NULL;
	for (;;) {
		while (is_blank(*r))
			r++;
		end = *r;
		if (!end || end == '#' || ends_command(end))
			break;
		if (n == max) {
			fail(e, CAUSE_USAGE, 0, "the line has more than %d words", max);
			return -E2BIG;
		}
		word[n++] = r;
		if (take_word(&r, &end, e))
			return -EINVAL;
		if (!end || ends_command(end))
			break;
		r++;
	}
	*next = behind(r, end);
	return n;
}
