// SPDX-License-Identifier: GPL-2.0-or-later
#include "hold/event-stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "hold/client.h"
#include "hold/lines.h"
#include "hold/wire.h"

struct event_stream {
	struct source source; /* fd -1: ended */
	struct loop *loop;
	struct stream_handler handler;
	struct hold_frame frame;
	size_t head; /* bytes of the frame's head that have come */
	struct hold_reader *reader;
};

static void hang_up(struct event_stream *f)
{
	if (f->source.fd < 0)
		return;
	loop_del(f->loop, &f->source);
	close(f->source.fd);
	f->source.fd = -1;
}

static int take_line(void *ctx, const struct hold_line *l)
{
	const struct stream_handler *h = ctx;
	const struct panel_index state = { .on = l->on,
					   .armed = (unsigned int)l->narmed,
					   .of = (unsigned int)l->vectors };
	const struct panel_count count = {
		.index = l->index, .vector = l->vector, .n = l->more, .total = l->count
	};

	if (l->of == LINE_DEVICE)
		h->anew(h->ctx);
	else if (l->of == LINE_INDEX)
		h->index(h->ctx, l->index, &state);
	else
		h->vector(h->ctx, &count);
	return 0;
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
			rc = hold_reader_take(f->reader, bytes, some);
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
	f->reader = hold_reader_new(take_line, &f->handler);
	rc = f->reader ? ask(sock) : -ENOMEM;
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
	hold_reader_free(f->reader);
	free(f);
}
