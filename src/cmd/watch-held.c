// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The counts of a device that a holder has open: it is asked at each refresh, and all else is the
 * watcher's own.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/util.h"
#include "cmd/hold.h"
#include "cmd/watch.h"
#include "hold/client.h"
#include "hold/lines.h"
#include "hold/wire.h"

/* Others have rows as well. */
#define PATIENCE_US 1000000

struct take {
	const struct watch *w;
	struct watched *d;
};

static int take_reading(void *ctx, const struct hold_line *l)
{
	const struct take *to = ctx;
	struct reading r = { .counted = true,
			     .index = l->index,
			     .vector = (int)l->vector,
			     .count = l->count,
			     .wakeups = l->wakeups };

	if (l->of != LINE_VECTOR || !watch_takes(&to->w->vectors, &r, l->armed))
		return 0;
	return samples_add(&to->d->samples, &r) ? -ENOMEM : 0;
}

/*
 * A question on its way. Of a holder that does not answer it stays there: a new one at each refresh
 * would queue up.
 */
struct watch_asked {
	struct question q;
	struct source source;
	struct loop *loop;
	bool open, ready;
	int rc; /* it could not be put, for that reason */
	struct error why;
};

static void on_ready(struct source *src)
{
	struct watch_asked *k = src->owner;

	/* it would be readable again and again until the next refresh */
	loop_del(k->loop, src);
	k->ready = true;
}

static void stop_hearing(struct watch_asked *k)
{
	if (k->open && !k->ready)
		loop_del(k->loop, &k->source);
	k->open = false;
}

void watch_held_forget(struct watched *d)
{
	struct watch_asked *k = d->asked_holder;

	if (!k)
		return;
	if (k->open)
		close(k->q.sock);
	stop_hearing(k);
	free(k);
	d->asked_holder = NULL;
}

static int put(struct session *s, const struct watched *d, struct watch_asked *k)
{
	static const char *const word[] = { HOLD_COUNTS };
	pid_t pid;
	int sock = attach_find(d->held, &pid, &k->why), rc;

	if (sock == -ENOENT)
		return attach_nobody(d->held, &k->why);
	if (sock < 0)
		return sock;
	rc = attach_reason(d->held, attach_put(&k->q, sock, word, 1, &k->why), &k->why);
	if (rc)
		return rc;
	k->loop = s->loop;
	k->source = (struct source){ .fd = k->q.sock, .ready = on_ready, .owner = k };
	k->ready = false;
	rc = loop_add(k->loop, &k->source);
	k->open = !rc;
	if (rc)
		close(k->q.sock);
	return rc ? fail(&k->why, CAUSE_FAILED, -rc, "its holder's answer can't be heard") : 0;
}

/* Who was silent the last time is not waited for. */
static bool all_answered(const struct watch *w)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct watch_asked *k = w->device[i].asked_holder;

		if (k && k->open && !k->ready && !w->device[i].unresponsive)
			return false;
	}
	return true;
}

static int put_to(struct session *s, struct watched *d, struct error *e)
{
	if (!d->asked_holder)
		d->asked_holder = calloc(1, sizeof(*d->asked_holder));
	if (!d->asked_holder)
		return fail_memory(e);
	if (!session_loop(s, e))
		return -ENOMEM;
	if (!d->asked_holder->open)
		d->asked_holder->rc = put(s, d, d->asked_holder);
	return 0;
}

int watch_ask_held(struct session *s, struct watch *w, struct error *e)
{
	uint64_t until = now_us() + PATIENCE_US;
	int rc = 0;

	for (size_t i = 0; i < w->n; i++) {
		rc = w->device[i].held ? put_to(s, &w->device[i], e) : 0;
		if (rc)
			return rc;
	}
	while (rc >= 0 && !all_answered(w) && now_us() < until)
		rc = loop_wait(s->loop, until);
	/* a wish to stop is heard outside */
	return rc < 0 && rc != -EINTR ? fail(e, CAUSE_FAILED, -rc, "holders can't be waited for")
				      : 0;
}

static int hear(struct session *s, const struct watched *d, struct watch_asked *k, struct error *e)
{
	int rc = k->rc;

	*e = k->why;
	if (rc)
		return rc;
	if (!k->ready)
		return -ETIMEDOUT;
	rc = attach_reason(d->held, attach_answer(s, &k->q, now_us() + PATIENCE_US, e), e);
	stop_hearing(k);
	return rc <= 0 ? rc : holder_refused(&k->q, rc, e);
}

unsigned int watch_held_most(struct session *s, const struct watched *d)
{
	static const char *const word[] = { HOLD_STATE };
	struct hold_state st = { 0 };
	uint64_t most = 0;
	struct question q = { 0 };
	struct error ignored;
	pid_t pid;
	int sock = attach_find(d->held, &pid, &ignored);

	if (sock >= 0 && attach_ask(s, &q, sock, word, 1, now_us() + PATIENCE_US, &ignored) == 0 &&
	    hold_state_read(q.text, q.size, &st) == 0)
		for (unsigned int i = IRQ_INTX; i <= IRQ_MSIX; i++)
			most = st.index[i].vectors > most ? st.index[i].vectors : most;
	free(st.device);
	free(q.text);
	return most ? (unsigned int)most : UINT_MAX;
}

int watch_look_held(struct session *s, struct watch *w, struct watched *d, struct error *e)
{
	struct watch_asked *k = d->asked_holder;
	struct take to = { w, d };
	int rc = hear(s, d, k, e);

	if (rc == 0)
		rc = hold_lines_read(k->q.text, k->q.size, take_reading, &to);
	if (rc == -EPROTO)
		fail(e, CAUSE_FAILED, EPROTO, "its holder, pid %d, cannot be understood", k->q.pid);
	d->here = !rc;
	d->unresponsive = rc == -ETIMEDOUT;
	/* where nobody holds it there is nothing to count */
	if (rc && rc != -ENOENT)
		samples_blind(&d->samples);
	if (rc == -ENOMEM)
		rc = fail_memory(e);
	/*
	 * One of several, and one that may answer again: the watching goes on; a wish to stop is
	 * heard outside.
	 */
	else if (d->unresponsive || rc == -EINTR || w->n > 1)
		rc = 0;
	free(k->q.text);
	k->q.text = NULL;
	return rc;
}

int watch_is_held(const char *device, struct error *e)
{
	pid_t pid;
	int sock = attach_find(device, &pid, e);

	if (sock >= 0)
		close(sock);
	/* Each look tells that it does not answer. */
	if (sock >= 0 || sock == -ETIMEDOUT)
		return 1;
	return attach_unsure(sock) ? sock : 0;
}
