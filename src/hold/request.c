// SPDX-License-Identifier: GPL-2.0-or-later
#include "hold/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/util.h"
#include "hold/wire.h"

/* From here on nothing is said or heard; the holder's loop frees it. */
static void hang_up(struct request *c)
{
	if (c->source.fd < 0)
		return;
	loop_del(c->loop, &c->source);
	close(c->source.fd);
	c->source.fd = -1;
}

bool request_here(const struct request *c)
{
	return c->source.fd >= 0;
}

bool request_over(const struct request *c)
{
	return !request_here(c) || (c->finished && c->sent == c->queued);
}

/* What can be sent without waiting; the loop tells when there is room again. */
static void send_queue(struct request *c)
{
	uint32_t want = EPOLLIN;

	while (c->sent < c->queued) {
		ssize_t n = send(c->source.fd, c->queue + c->sent, c->queued - c->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			hang_up(c);
			return;
		}
		if (n < 0)
			break;
		c->sent += (size_t)n;
	}
	if (c->sent == c->queued)
		c->sent = c->queued = 0;
	else
		want |= EPOLLOUT;
	if (want == c->source.events)
		return;
	c->source.events = want;
	if (loop_mod(c->loop, &c->source))
		hang_up(c);
}

static bool make_room(struct request *c, size_t more)
{
	size_t need, room;
	char *queue;

	if (c->sent) {
		c->queued -= c->sent;
		memmove(c->queue, c->queue + c->sent, c->queued);
		c->sent = 0;
	}
	need = c->queued + more;
	if (need > HOLD_MAX_QUEUE)
		return false;
	if (need <= c->room)
		return true;
	room = need < 4096 ? 4096 : need * 2;
	queue = realloc(c->queue, room);
	if (!queue)
		return false;
	c->queue = queue;
	c->room = room;
	return true;
}

static bool add_frame(struct request *c, enum hold_frame_kind kind, const void *bytes, size_t n)
{
	struct hold_frame f = { .kind = kind, .size = (uint32_t)n };

	if (!request_here(c))
		return false;
	if (n > HOLD_MAX_QUEUE || !make_room(c, sizeof(f) + n)) {
		/* Who does not read must not fill our memory. */
		hang_up(c);
		return false;
	}
	memcpy(c->queue + c->queued, &f, sizeof(f));
	memcpy(c->queue + c->queued + sizeof(f), bytes, n);
	c->queued += sizeof(f) + n;
	send_queue(c);
	return true;
}

/* fopencookie(3): 0 is an error; a negative value must not be returned. */
static ssize_t write_data(void *cookie, const char *buf, size_t n)
{
	return add_frame(cookie, HOLD_DATA, buf, n) ? (ssize_t)n : 0;
}

static ssize_t write_note(void *cookie, const char *buf, size_t n)
{
	return add_frame(cookie, HOLD_NOTE, buf, n) ? (ssize_t)n : 0;
}

void request_finish(struct request *c, int status)
{
	uint8_t byte = (uint8_t)status;

	out_end(c->out);
	fflush(c->notes);
	add_frame(c, HOLD_STATUS, &byte, sizeof(byte));
	c->finished = true;
}

/* The words of a request that is whole. */
static bool split(struct request *c)
{
	const struct hold_request *r = (const void *)c->in;
	char *at = c->in + sizeof(*r), *end = at + r->size;

	if (!r->size || end[-1] != '\0')
		return false;
	c->flags = r->flags;
	c->where = at;
	for (at += strlen(at) + 1; at < end; at += strlen(at) + 1) {
		if (c->nword == HOLD_MAX_WORDS)
			return false;
		c->word[c->nword++] = at;
	}
	return c->nword > 0;
}

/* 1: the request is whole; 0: more has to come; -errno: it never will. */
static int read_request(struct request *c)
{
	const struct hold_request *r = (const void *)c->in;
	size_t want = sizeof(*r);

	for (;;) {
		ssize_t n;

		if (c->got >= sizeof(*r)) {
			if (r->magic != HOLD_MAGIC || !r->size || r->size > HOLD_MAX_REQUEST)
				return -EPROTO;
			want = sizeof(*r) + r->size;
		}
		if (c->got == want)
			return split(c) ? 1 : -EPROTO;
		n = recv(c->source.fd, c->in + c->got, want - c->got, MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (n == 0)
			return -ECONNRESET;
		c->got += (size_t)n;
	}
}

/* A request is all that a caller says: what comes behind it is its end, or nonsense. */
bool request_look(struct request *c)
{
	char more;

	if (!request_here(c))
		return false;
	if (recv(c->source.fd, &more, 1, MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	hang_up(c);
	return false;
}

void request_hear(struct request *c)
{
	int rc;

	if (!request_here(c) || c->whole)
		return;
	rc = read_request(c);
	c->whole = rc > 0;
	if (rc < 0 && rc != -EINTR)
		hang_up(c);
}

static void on_call(struct source *s)
{
	struct request *c = s->owner;

	send_queue(c);
	if (!request_here(c))
		return;
	if (c->whole)
		request_look(c);
	else
		request_hear(c);
}

static int open_streams(struct request *c)
{
	const cookie_io_functions_t data = { .write = write_data }, notes = { .write = write_note };
	struct out_options opt = { 0 };

	c->data = fopencookie(c, "w", data);
	c->notes = fopencookie(c, "w", notes);
	if (!c->data || !c->notes || out_new(&c->out, &opt))
		return -ENOMEM;
	setvbuf(c->notes, NULL, _IOLBF, BUFSIZ);
	out_set_streams(c->out, c->data, c->notes);
	return 0;
}

int request_new(struct request **out, int sock, struct loop *loop)
{
	struct request *c = calloc(1, sizeof(*c));
	int rc;

	if (!c) {
		close(sock);
		return -ENOMEM;
	}
	c->loop = loop;
	c->source = (struct source){ .fd = sock, .events = EPOLLIN, .ready = on_call, .owner = c };
	c->in = malloc(sizeof(struct hold_request) + HOLD_MAX_REQUEST);
	rc = c->in ? open_streams(c) : -ENOMEM;
	if (rc == 0)
		rc = loop_add(loop, &c->source);
	if (rc) {
		request_free(c);
		return rc;
	}
	*out = c;
	return 0;
}

void request_refuse(int sock, const char *sentence, int status)
{
	const struct hold_frame note = { .kind = HOLD_NOTE, .size = (uint32_t)strlen(sentence) },
				end = { .kind = HOLD_STATUS, .size = 1 };
	const uint8_t byte = (uint8_t)status;
	struct iovec part[] = { { .iov_base = (void *)&note, .iov_len = sizeof(note) },
				{ .iov_base = (void *)sentence, .iov_len = note.size },
				{ .iov_base = (void *)&end, .iov_len = sizeof(end) },
				{ .iov_base = (void *)&byte, .iov_len = sizeof(byte) } };
	const struct msghdr all = { .msg_iov = part, .msg_iovlen = ARRAY_SIZE(part) };

	/* There is room for it in a new socket. */
	sendmsg(sock, &all, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(sock);
}

void request_free(struct request *c)
{
	hang_up(c);
	out_free(c->out);
	cleanup_file(&c->data);
	cleanup_file(&c->notes);
	free(c->in);
	free(c->queue);
	free(c);
}
