// SPDX-License-Identifier: GPL-2.0-or-later
#include "attach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "globals.h"
#include "hold-dir.h"
#include "hold-wire.h"
#include "util.h"

#define MAX_WORDS 64

/* A question is answered at once by a holder that is well. */
#define ASK_SECONDS 10

int attach_find(const char *device, pid_t *pid, struct error *e)
{
	char name[HOLD_NAME];
	_cleanup_fd_ int dir = hold_dir_open(false, e);
	int sock;

	if (dir < 0)
		return dir;
	sock = hold_connect(dir, hold_name(device, name), pid, e);
	return sock == -ECONNREFUSED ? -ENOENT : sock;
}

int attach_nobody(const char *device, struct error *e)
{
	fail(e, CAUSE_NO_DEVICE, 0, "nobody holds it");
	hint(e, "msictl hold %s", device);
	return -ENOENT;
}

/* What came back, and from where; @loop NULL: the socket's own time limit ends a wait. */
struct answer {
	struct source source;
	struct loop *loop;
	bool ready;
	struct out *out; /* to our own streams, */
	FILE *text;	 /* or into a text */
};

static void on_ready(struct source *s)
{
	struct answer *a = s->owner;

	a->ready = true;
}

static int wait_ready(struct answer *a)
{
	int rc = 0;

	if (!a->loop)
		return 0;
	a->ready = false;
	while (rc >= 0 && !a->ready)
		rc = loop_wait(a->loop, UINT64_MAX);
	return rc < 0 ? rc : 0;
}

static int read_all(struct answer *a, void *buf, size_t size)
{
	size_t done = 0;

	while (done < size) {
		int rc = wait_ready(a);
		ssize_t n;

		if (rc)
			return rc;
		n = recv(a->source.fd, (char *)buf + done, size - done, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? -ECONNRESET : errno == EAGAIN ? -ETIMEDOUT : -errno;
		done += (size_t)n;
	}
	return 0;
}

static int send_all(int sock, const char *buf, size_t size)
{
	while (size > 0) {
		ssize_t n = send(sock, buf, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buf += n;
		size -= (size_t)n;
	}
	return 0;
}

static int send_request(int sock, uint32_t flags, const char *const *word, size_t n)
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
	return send_all(sock, buf, sizeof(r) + r.size);
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

static int broke_off(int rc, struct error *e)
{
	if (rc == -E2BIG)
		return fail(e, CAUSE_USAGE, E2BIG, "the command is too long for a holder");
	fail(e, CAUSE_NO_DEVICE, -rc, "the holder broke off; the kernel puts back what it held when it is gone");
	hint(e, "msictl holders");
	return rc;
}

/* Words, the first is where errors come from. Closes the socket. */
static int exchange(struct answer *a, uint32_t flags, const char *const *word, size_t n)
{
	int rc = send_request(a->source.fd, flags, word, n);

	if (rc == 0 && a->loop)
		rc = loop_add(a->loop, &a->source);
	if (rc == 0)
		rc = read_frames(a);
	if (a->loop)
		loop_del(a->loop, &a->source);
	close(a->source.fd);
	return rc;
}

/* Options as words of their own, in @pool: --word or --word=value. */
struct words {
	const char *word[MAX_WORDS];
	size_t n;
	char pool[HOLD_MAX_REQUEST];
	size_t used;
	bool full;
};

static void add(struct words *w, const char *text)
{
	if (w->n < MAX_WORDS)
		w->word[w->n++] = text;
	else
		w->full = true;
}

static void add_option(struct words *w, const struct option *o, const char *value)
{
	char *at = w->pool + w->used;
	size_t room = sizeof(w->pool) - w->used;
	int n = snprintf(at, room, "--%s%s%s", o->word, value ? "=" : "", value ? value : "");

	if (n < 0 || (size_t)n >= room) {
		w->full = true;
		return;
	}
	w->used += (size_t)n + 1;
	add(w, at);
}

static void add_globals(struct words *w, const struct globals *g)
{
	for (size_t i = 0; global_at(i); i++)
		if (global_in_session(i) && global_given(g, i))
			add_option(w, global_at(i), global_text(g, i));
}

static void add_args(struct words *w, const struct args *a)
{
	const struct command *cmd = a->command;

	for (size_t i = 0; i < cmd->noption; i++)
		if (a->option[i].given)
			add_option(w, &cmd->option[i], cmd->option[i].kind == KIND_FLAG ? NULL : a->option[i].text);
	/* What follows may look like an option and is none. */
	add(w, "--");
	for (size_t i = 0; i < cmd->nparam; i++)
		if (a->param[i].given && cmd->param[i].kind != KIND_DEVICE)
			add(w, a->param[i].text);
	for (size_t i = 0; i < a->nrest; i++)
		add(w, a->rest[i]);
}

int attach_args(struct session *s, int sock, const char *where, const struct args *a, struct error *e)
{
	_cleanup_free_ struct words *w = calloc(1, sizeof(*w));
	struct answer answer = { .source = { .fd = sock, .ready = on_ready }, .out = s->out };
	int rc;

	answer.source.owner = &answer;
	answer.loop = session_loop(s, e);
	if (!w || !answer.loop) {
		close(sock);
		return fail(e, CAUSE_FAILED, ENOMEM, "no memory");
	}
	add(w, where ? where : "");
	add(w, a->command->word);
	add_globals(w, &s->globals);
	add_args(w, a);
	if (w->full) {
		close(sock);
		return broke_off(-E2BIG, e);
	}
	rc = exchange(&answer, out_color(s->out) ? HOLD_COLOR : 0, w->word, w->n);
	if (rc == -EINTR)
		return session_stopped(s, e);
	return rc < 0 ? broke_off(rc, e) : rc;
}

int attach_ask(int sock, const char *const *word, size_t n, char **text, size_t *size, struct error *e)
{
	const struct timeval limit = { .tv_sec = ASK_SECONDS };
	struct answer answer = { .source = { .fd = sock } };
	const char *all[MAX_WORDS] = { "" };
	int rc;

	*text = NULL;
	answer.text = open_memstream(text, size);
	if (!answer.text || n >= MAX_WORDS) {
		close(sock);
		cleanup_file(&answer.text);
		return fail(e, CAUSE_FAILED, ENOMEM, "no memory");
	}
	for (size_t i = 0; i < n; i++)
		all[1 + i] = word[i];
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	rc = exchange(&answer, 0, all, 1 + n);
	fclose(answer.text);
	return rc < 0 ? broke_off(rc, e) : rc;
}

int attach_read(const char *device, const char *const *word, size_t n, char **text, struct error *e)
{
	size_t size;
	pid_t pid;
	int sock = attach_find(device, &pid, e);

	return sock < 0 ? sock : attach_ask(sock, word, n, text, &size, e);
}
