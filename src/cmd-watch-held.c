// SPDX-License-Identifier: GPL-2.0-or-later
/* The counts of a device that a holder has open: it is asked at each refresh, and all else is the watcher's own. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach.h"
#include "cmd-watch.h"
#include "hold-wire.h"
#include "util.h"

/* INDEX.VECTOR=ARMED COUNT WAKEUPS, strictly. */
static bool parse_vector(const char *text, struct reading *r, bool *armed)
{
	const char *dot = strchr(text, '.');
	unsigned int vector, on;
	int end = 0;

	for (unsigned int i = 0; dot && i < NR_IRQ_INDEX; i++) {
		const char *word = irq_index_word(i);

		if ((size_t)(dot - text) != strlen(word) || strncmp(text, word, strlen(word)) != 0)
			continue;
		if (sscanf(dot, ".%4u=%1u %" SCNu64 " %" SCNu64 "%n", &vector, &on, &r->count, &r->wakeups, &end) < 4 ||
		    dot[end] || vector >= MAX_VECTORS)
			return false;
		r->index = i;
		r->vector = (int)vector;
		*armed = on;
		return true;
	}
	return false;
}

static int take_answer(struct watch *w, struct watched *d, const char *text, size_t size)
{
	for (const char *at = text; at < text + size; at += strlen(at) + 1) {
		struct reading r = { .counted = true };
		bool armed;

		if (!parse_vector(at, &r, &armed) || !watch_shows(&w->vectors, &r, armed))
			continue;
		if (samples_add(&d->samples, &r))
			return -ENOMEM;
	}
	return 0;
}

static int ask(const struct watched *d, char **text, size_t *size, struct error *e)
{
	static const char *const word[] = { HOLD_COUNTS };
	pid_t pid;
	int sock = attach_find(d->held, &pid, e);
	int rc;

	if (sock == -ENOENT)
		return attach_nobody(d->held, e);
	if (sock < 0)
		return sock;
	rc = attach_ask(sock, word, 1, text, size, e);
	if (rc <= 0)
		return rc;
	fail(e, (enum cause)rc, 0, "its holder, pid %d, has no device to tell of", pid);
	hint(e, "msictl run %s -c reopen", d->held);
	return -ENODEV;
}

/* "msix=ARMED/ALL" among KEY=VALUE, each ended by a NUL. */
static unsigned int most_of(const char *text, size_t size)
{
	unsigned int most = 0;

	for (const char *at = text; at < text + size; at += strlen(at) + 1) {
		for (unsigned int i = IRQ_INTX; i <= IRQ_MSIX; i++) {
			size_t len = strlen(irq_index_word(i));
			unsigned int n;

			if (strncmp(at, irq_index_word(i), len) == 0 && sscanf(at + len, "=%*4u/%4u", &n) == 1)
				most = n > most ? n : most;
		}
	}
	return most ? most : UINT_MAX;
}

unsigned int watch_held_most(const struct watched *d)
{
	static const char *const word[] = { HOLD_STATE };
	_cleanup_free_ char *text = NULL;
	unsigned int most = UINT_MAX;
	struct error ignored;
	size_t size;
	pid_t pid;
	int sock = attach_find(d->held, &pid, &ignored);

	if (sock >= 0 && attach_ask(sock, word, 1, &text, &size, &ignored) == 0)
		most = most_of(text, size);
	return most;
}

int watch_look_held(struct watch *w, struct watched *d, struct error *e)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	int rc = ask(d, &text, &size, e);

	d->here = !rc;
	if (rc)
		/* one of several: the others go on */
		return w->n > 1 ? 0 : rc;
	rc = take_answer(w, d, text, size);
	return rc ? fail(e, CAUSE_FAILED, ENOMEM, "out of memory") : 0;
}

bool watch_is_held(const char *device)
{
	struct error ignored;
	pid_t pid;
	int sock = attach_find(device, &pid, &ignored);

	if (sock >= 0)
		close(sock);
	return sock >= 0;
}
