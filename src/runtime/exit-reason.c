// SPDX-License-Identifier: GPL-2.0-or-later
/* Why a device is held no more: a line in the folder of sockets. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "runtime/holders.h"

#define MAX_WORD 4096

/* NAME.gone beside NAME.sock, which is what everybody else means by a name. */
static const char *file_name(const char *name, char buf[HOLD_NAME + 8])
{
	const char *end = strrchr(name, '.');

	snprintf(buf, HOLD_NAME + 8, "%.*s.gone", (int)(end ? (size_t)(end - name) : strlen(name)),
		 name);
	return buf;
}

void hold_set_exit_reason(int dir, const char *name, const char *why)
{
	const time_t now = time(NULL);
	char file[HOLD_NAME + 8], at[32] = "";
	struct tm tm;
	_cleanup_fd_ int fd = -1;

	if (localtime_r(&now, &tm))
		strftime(at, sizeof(at), "%Y-%m-%d %H:%M:%S", &tm);
	unlinkat(dir, file_name(name, file), 0);
	fd = openat(dir, file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		dprintf(fd, "let go at %s: %s", at, why);
}

char *hold_exit_reason(int dir, const char *name)
{
	char file[HOLD_NAME + 8], text[MAX_WORD + 1];
	_cleanup_fd_ int fd =
		openat(dir, file_name(name, file), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, MAX_WORD);

	if (n <= 0)
		return NULL;
	text[n] = '\0';
	return escape_text_dup(text);
}

void hold_clear_exit_reason(int dir, const char *name)
{
	char file[HOLD_NAME + 8];

	unlinkat(dir, file_name(name, file), 0);
}
