// SPDX-License-Identifier: GPL-2.0-or-later
#include "hold/event-stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "hold/client.h"
#include "hold/wire.h"
#include "irq/vector-set.h"

#define MAX_LINE 64

struct event_stream {
	struct source source; /* fd -1: ended */
	struct loop *loop;
	struct stream_handler handler;
	struct hold_frame frame;
	size_t head; /* bytes of the frame's head that have come */
	char line[MAX_LINE];
	size_t length;
};

static void hang_up(struct event_stream *f)
{
	if (f->source.fd < 0)
		return;
	loop_del(f->loop, &f->source);
	close(f->source.fd);
	f->source.fd = -1;
}

/* Numbers of a line, none above the limit of its place. */
static int numbers(char **at, const uint64_t *most, uint64_t *value, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *word = strsep(at, " ");

		if (!word || parse_u64(word, 10, most[i], &value[i]))
			return -EPROTO;
	}
	return *at ? -EPROTO : 0;
}

static int take_index(struct event_stream *f, enum irq_index index, char **at)
{
	static const uint64_t most[] = { 1, MAX_VECTORS, MAX_VECTORS };
	uint64_t v[ARRAY_SIZE(most)];
	struct panel_index state;

	if (numbers(at, most, v, ARRAY_SIZE(v)))
		return -EPROTO;
	state = (struct panel_index){ .on = v[0],
				      .armed = (unsigned int)v[1],
				      .of = (unsigned int)v[2] };
	f->handler.index(f->handler.ctx, index, &state);
	return 0;
}

static int take_vector(struct event_stream *f, enum irq_index index, char **at)
{
	static const uint64_t most[] = { MAX_VECTORS - 1, UINT64_MAX, UINT64_MAX };
	uint64_t v[ARRAY_SIZE(most)];
	struct panel_count c;

	if (numbers(at, most, v, ARRAY_SIZE(v)))
		return -EPROTO;
	c = (struct panel_count){
		.index = index, .vector = (unsigned int)v[0], .n = v[1], .total = v[2]
	};
	f->handler.vector(f->handler.ctx, &c);
	return 0;
}

static int take_line(struct event_stream *f)
{
	char *at = f->line;
	const char *what = strsep(&at, " "), *word;
	enum irq_index index;

	if (!strcmp(what, FEED_NEW)) {
		f->handler.anew(f->handler.ctx);
		return 0;
	}
	word = strsep(&at, " ");
	if (!word || irq_index_parse(word, &index))
		return -EPROTO;
	if (!strcmp(what, FEED_INDEX))
		return take_index(f, index, &at);
	return strcmp(what, FEED_VECTOR) ? -EPROTO : take_vector(f, index, &at);
}

static int take_text(struct event_stream *f, const char *text, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++) {
		if (f->length == sizeof(f->line))
			return -EPROTO;
		f->line[f->length++] = text[i] == '\n' ? '\0' : text[i];
		if (text[i] != '\n')
			continue;
		f->length = 0;
		rc = take_line(f);
	}
	return rc;
}

/* Frames may come in any pieces. */
static int take_bytes(struct event_stream *f, const char *bytes, size_t n)
{
	int rc = 0;

	while (n && !rc) {
		size_t some = n < f->frame.size ? n : f->frame.size;

		if (f->head < sizeof(f->frame)) {
			((char *)&f->frame)[f->head++] = *bytes++;
			n--;
			continue;
		}
		if (f->frame.kind == HOLD_STATUS)
			return -ECONNRESET;
		/* What the holder says to people is for who asks for something. */
		if (f->frame.kind == HOLD_DATA)
			rc = take_text(f, bytes, some);
		bytes += some;
		n -= some;
		f->frame.size -= (uint32_t)some;
		if (!f->frame.size)
			f->head = 0;
	}
	return rc;
}

static void on_ready(struct source *s)
{
	struct event_stream *f = s->owner;
	char buf[16384];
	ssize_t n = recv(s->fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && take_bytes(f, buf, (size_t)n) == 0)
		return;
	hang_up(f);
	f->handler.ended(f->handler.ctx);
}

/* The words of the command, the first of which is where errors come from. */
static int ask(int sock)
{
	static const char words[] = "\0" STREAM_WORD;
	const struct hold_request r = { .magic = HOLD_MAGIC, .size = sizeof(words) };
	char buf[sizeof(r) + sizeof(words)];

	memcpy(buf, &r, sizeof(r));
	memcpy(buf + sizeof(r), words, sizeof(words));
	return send(sock, buf, sizeof(buf), MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof(buf) ? 0
											: -EPIPE;
}

int stream_open(struct event_stream **out, struct loop *loop, const char *device,
		const struct stream_handler *h)
{
	struct error ignored;
	struct event_stream *f;
	pid_t pid;
	int rc, sock = attach_find(device, &pid, &ignored);

	if (sock < 0)
		return sock;
	f = calloc(1, sizeof(*f));
	if (!f) {
		close(sock);
		return -ENOMEM;
	}
	*f = (struct event_stream){ .loop = loop, .handler = *h };
	f->source = (struct source){ .fd = sock, .ready = on_ready, .owner = f };
	rc = ask(sock);
	if (!rc)
		rc = loop_add(loop, &f->source);
	if (rc) {
		stream_close(f);
		return rc;
	}
	*out = f;
	return 0;
}

bool stream_ended(const struct event_stream *f)
{
	return f->source.fd < 0;
}

void stream_close(struct event_stream *f)
{
	if (!f)
		return;
	hang_up(f);
	free(f);
}
