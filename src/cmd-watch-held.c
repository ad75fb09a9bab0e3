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

/* Others have rows as well. */
#define PATIENCE_US 1000000

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

static int ask(struct session *s, const struct watched *d, struct question *q, struct error *e)
{
	static const char *const word[] = { HOLD_COUNTS };
	pid_t pid;
	int sock = attach_find(d->held, &pid, e);
	int rc;

	if (sock == -ENOENT)
		return attach_nobody(d->held, e);
	if (sock < 0)
		return sock;
	rc = attach_ask(s, q, sock, word, 1, now_us() + PATIENCE_US, e);
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

unsigned int watch_held_most(struct session *s, const struct watched *d)
{
	static const char *const word[] = { HOLD_STATE };
	unsigned int most = UINT_MAX;
	struct question q = { 0 };
	struct error ignored;
	pid_t pid;
	int sock = attach_find(d->held, &pid, &ignored);

	if (sock >= 0 && attach_ask(s, &q, sock, word, 1, now_us() + PATIENCE_US, &ignored) == 0)
		most = most_of(q.text, q.size);
	free(q.text);
	return most;
}

int watch_look_held(struct session *s, struct watch *w, struct watched *d, struct error *e)
{
	struct question q = { 0 };
	int rc = ask(s, d, &q, e);

	d->here = !rc;
	d->mute = rc == -ETIMEDOUT;
	if (rc == 0 && take_answer(w, d, q.text, q.size))
		rc = fail(e, CAUSE_FAILED, ENOMEM, "out of memory");
	/* One of several, and one that may answer again: the watching goes on; a wish to stop is heard outside. */
	else if (d->mute || rc == -EINTR || w->n > 1)
		rc = 0;
	free(q.text);
	return rc;
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
