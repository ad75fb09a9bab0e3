// SPDX-License-Identifier: GPL-2.0-or-later
#include "hold/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "hold/wire.h"
#include "runtime/holders.h"

/* Until a holder that lives has read a request: it does so as the request comes. */
#define SEND_LIMIT_US 2000000u

/* What came back, and from where. */
struct answer {
	struct source source;
	struct loop *loop;
	uint64_t until;
	bool ready;
	bool within_line; /* what came last of the results had no end of line */
	struct out *out;  /* to our own streams, */
	FILE *text;	  /* or into a text */
};

static void on_ready(struct source *s)
{
	struct answer *a = s->owner;

	a->ready = true;
}

static int wait_ready(struct answer *a)
{
	a->ready = false;
	for (;;) {
		int rc = loop_wait(a->loop, a->until);

		if (rc < 0)
			return rc;
		if (a->ready)
			return 0;
		if (now_us() >= a->until)
			return -ETIMEDOUT;
	}
}

static int read_all(struct answer *a, void *buf, size_t size)
{
	size_t done = 0;

	while (done < size) {
		int rc = wait_ready(a);
		ssize_t n;

		if (rc)
			return rc;
		n = recv(a->source.fd, (char *)buf + done, size - done, MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return n == 0 ? -ECONNRESET : -errno;
		done += (size_t)n;
	}
	return 0;
}

/* 0: there is room, or it is worth another try; -ETIMEDOUT; -EINTR: a signal asked to stop. */
static int wait_for_room(int sock, struct loop *loop, uint64_t until)
{
	struct pollfd p[2] = { { .fd = sock, .events = POLLOUT },
			       { .fd = loop ? loop_signals(loop) : -1, .events = POLLIN } };
	uint64_t now = now_us();

	if (now >= until)
		return -ETIMEDOUT;
	if (poll(p, ARRAY_SIZE(p), (int)((until - now + 999) / 1000)) < 0 && errno != EINTR)
		return -errno;
	return p[1].revents && loop_hear(loop) ? -EINTR : 0;
}

/* @loop: who hears the signals; NULL: nobody. */
static int send_all(int sock, struct loop *loop, const char *buf, size_t size)
{
	uint64_t until = now_us() + SEND_LIMIT_US;

	while (size > 0) {
		ssize_t n = send(sock, buf, size, MSG_NOSIGNAL | MSG_DONTWAIT);
		int rc;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			rc = wait_for_room(sock, loop, until);
			if (rc)
				return rc;
			continue;
		}
		if (n < 0)
			return -errno;
		buf += n;
		size -= (size_t)n;
	}
	return 0;
}

static int send_request(int sock, struct loop *loop, uint32_t flags, const char *const *word,
			size_t n)
{
	struct hold_request r = { .magic = HOLD_MAGIC, .flags = flags };
	_cleanup_free_ char *buf = malloc(sizeof(r) + HOLD_MAX_REQUEST);

	if (!buf)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(word[i]) + 1;

		if (r.size + len > HOLD_MAX_REQUEST)
			return -E2BIG;
		memcpy(buf + sizeof(r) + r.size, word[i], len);
		r.size += (uint32_t)len;
	}
	memcpy(buf, &r, sizeof(r));
	return send_all(sock, loop, buf, sizeof(r) + r.size);
}

/* -EPIPE: our own reader has gone. */
static int pass_on(struct answer *a, const struct hold_frame *f)
{
	struct error ignored;
	char buf[16384];
	uint32_t left = f->size;

	while (left > 0) {
		size_t n = left < sizeof(buf) ? left : sizeof(buf);
		int rc = read_all(a, buf, n);

		if (rc)
			return rc;
		if (a->text && f->kind == HOLD_DATA)
			fwrite(buf, 1, n, a->text);
		else if (a->out)
			out_raw(a->out, f->kind == HOLD_NOTE, buf, n);
		if (f->kind == HOLD_DATA)
			a->within_line = buf[n - 1] != '\n';
		left -= (uint32_t)n;
	}
	return a->out && out_flush(a->out, &ignored) ? -EPIPE : 0;
}

static int read_frames(struct answer *a)
{
	struct hold_frame f;
	uint8_t status;
	int rc;

	for (;;) {
		rc = read_all(a, &f, sizeof(f));
		if (rc)
			return rc;
		if (f.kind == HOLD_STATUS && f.size == sizeof(status)) {
			rc = read_all(a, &status, sizeof(status));
			return rc ? rc : status;
		}
		if (f.kind != HOLD_DATA && f.kind != HOLD_NOTE)
			return -EPROTO;
		rc = pass_on(a, &f);
		if (rc)
			/* That results were lost is told by whoever ends the program. */
			return rc == -EPIPE ? 0 : rc;
	}
}

static int broke_off(int rc, pid_t pid, struct error *e)
{
	if (rc == -E2BIG)
		return fail(e, CAUSE_USAGE, E2BIG, "the command is too long for a holder");
	if (rc == -ETIMEDOUT) {
		fail(e, CAUSE_BUSY, ETIMEDOUT,
		     "its holder, pid %d, does not answer; it has the device still", pid);
		hint(e, "ps -o pid,stat,wchan:32,args -p %d   what it is at", pid);
		return rc;
	}
	if (root_exhausted(rc))
		return fail(e, CAUSE_FAILED, -rc, "its holder, pid %d, cannot be heard", pid);
	fail(e, CAUSE_NO_DEVICE, -rc,
	     "the holder broke off; what it held is released when it is gone");
	hint(e, "msictl holders");
	return rc;
}

/*
 * What is there to be read is told also when the holder has hung up: why it takes no more callers.
 */
static int send_words(int sock, struct loop *loop, uint32_t flags, const char *const *word,
		      size_t n)
{
	int rc = send_request(sock, loop, flags, word, n);

	return rc == -EPIPE || rc == -ECONNRESET ? 0 : rc;
}

/* To the end of the answer. Closes the socket. */
static int hear_out(struct answer *a)
{
	int rc = loop_add(a->loop, &a->source);

	if (rc == 0)
		rc = read_frames(a);
	loop_del(a->loop, &a->source);
	close(a->source.fd);
	return rc;
}

static uint32_t flags_of(const struct session *s)
{
	const struct globals *g = &s->globals;

	return (out_color(s->out) ? HOLD_COLOR : 0) | (g->json ? HOLD_JSON : 0) |
	       (g->noheadings ? HOLD_NOHEADINGS : 0) | (g->trace ? HOLD_TRACE : 0) |
	       (g->dry_run ? HOLD_DRY_RUN : 0);
}

static bool is_device(const struct args *a, const char *word)
{
	for (size_t i = 0; i < a->command->nparam; i++)
		if (a->command->param[i].type == ARG_DEVICE && a->param[i].text == word)
			return true;
	return false;
}

/* The whole command, the first word is where errors come from. */
static int put_args(struct session *s, int sock, const char *where, const struct args *a)
{
	const char *word[1 + HOLD_MAX_WORDS] = { where ? where : "" };
	size_t n = 1;

	for (char *const *typed = a->typed; *typed; typed++) {
		if (is_device(a, *typed))
			continue;
		if (n == ARRAY_SIZE(word))
			return -E2BIG;
		word[n++] = *typed;
	}
	return send_words(sock, s->loop, flags_of(s), word, n);
}

int attach_args(struct session *s, int sock, const char *where, const struct args *a,
		struct error *e)
{
	struct answer answer = { .source = { .fd = sock, .ready = on_ready },
				 .until = UINT64_MAX,
				 .out = s->out };
	pid_t pid = 0;
	int rc;

	hold_peer_allowed(sock, &pid);
	answer.source.owner = &answer;
	answer.loop = session_loop(s, e);
	if (!answer.loop) {
		close(sock);
		return -e->err;
	}
	rc = put_args(s, sock, where, a);
	if (rc) {
		close(sock);
		return rc == -EINTR ? session_stopped(s, e) : broke_off(rc, pid, e);
	}
	rc = hear_out(&answer);
	/* What was cut off stands on a line of its own, an error object on the next. */
	if (rc < 0 && answer.within_line)
		out_raw(s->out, false, "\n", 1);
	if (rc == -EINTR)
		return session_stopped(s, e);
	return rc < 0 ? broke_off(rc, pid, e) : rc;
}

int attach_put(struct question *q, int sock, const char *const *word, size_t n, struct error *e)
{
	const char *all[1 + HOLD_MAX_WORDS] = { "" };
	int rc = n < ARRAY_SIZE(all) ? 0 : -E2BIG;

	*q = (struct question){ .sock = sock };
	hold_peer_allowed(sock, &q->pid);
	for (size_t i = 0; !rc && i < n; i++)
		all[1 + i] = word[i];
	if (!rc)
		rc = send_words(sock, NULL, 0, all, 1 + n);
	if (!rc)
		return 0;
	close(sock);
	q->sock = -1;
	return broke_off(rc, q->pid, e);
}

int attach_answer(struct session *s, struct question *q, uint64_t until, struct error *e)
{
	struct answer answer = { .source = { .fd = q->sock, .ready = on_ready }, .until = until };
	int rc;

	answer.source.owner = &answer;
	answer.loop = session_loop(s, e);
	answer.text = answer.loop ? open_memstream(&q->text, &q->size) : NULL;
	q->sock = -1;
	if (!answer.text) {
		close(answer.source.fd);
		return answer.loop ? fail_memory(e) : -e->err;
	}
	rc = hear_out(&answer);
	fclose(answer.text);
	if (rc == -EINTR)
		return session_stopped(s, e);
	return rc < 0 ? broke_off(rc, q->pid, e) : rc;
}

int attach_ask(struct session *s, struct question *q, int sock, const char *const *word, size_t n,
	       uint64_t until, struct error *e)
{
	int rc = attach_put(q, sock, word, n, e);

	return rc ? rc : attach_answer(s, q, until, e);
}
