// SPDX-License-Identifier: GPL-2.0-or-later
/* A feed against a holder that says anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hold/event-stream.h"
#include "runtime/holders.h"
#include "hold/wire.h"
#include "base/util.h"

#include <cmocka.h>

/* A holder that is none, and what a feed made of its words. */
struct world {
	struct loop *loop;
	struct event_stream *feed;
	int dir, listener, sock;
	char name[HOLD_NAME];
	char heard[512];
};

static void on_new(void *ctx)
{
	struct world *w = ctx;

	append(w->heard, sizeof(w->heard), "new;");
}

static void on_index(void *ctx, enum irq_index index, const struct panel_index *state)
{
	struct world *w = ctx;

	append(w->heard, sizeof(w->heard), "%s %d %u/%u;", irq_index_word(index), state->on,
	       state->armed, state->of);
}

static void on_vector(void *ctx, const struct panel_count *c)
{
	struct world *w = ctx;

	append(w->heard, sizeof(w->heard), "%s %u +%u %u;", irq_index_word(c->index), c->vector,
	       (unsigned int)c->n, (unsigned int)c->total);
}

static void on_end(void *ctx)
{
	struct world *w = ctx;

	append(w->heard, sizeof(w->heard), "end;");
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct stream_handler h = {
		.anew = on_new, .index = on_index, .vector = on_vector, .ended = on_end, .ctx = w
	};
	struct error e;
	char device[64];

	*state = w;
	snprintf(device, sizeof(device), "vfio-user:/nowhere/%d", (int)getpid());
	hold_name(device, w->name);
	w->dir = hold_dir_open(true, &e);
	w->listener = hold_listen(w->dir, w->name, 0, &e);
	if (w->listener < 0 || loop_new(&w->loop) || stream_open(&w->feed, w->loop, device, &h))
		return -1;
	w->sock = accept(w->listener, NULL, NULL);
	return w->sock < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	stream_close(w->feed);
	loop_free(w->loop);
	hold_unlink(w->dir, w->name);
	cleanup_fd(&w->sock);
	close(w->listener);
	close(w->dir);
	free(w);
	return 0;
}

static size_t frame(char *buf, enum hold_frame_kind kind, const char *text)
{
	const struct hold_frame f = { .kind = kind, .size = (uint32_t)strlen(text) };

	memcpy(buf, &f, sizeof(f));
	memcpy(buf + sizeof(f), text, f.size);
	return sizeof(f) + f.size;
}

static void say(struct world *w, enum hold_frame_kind kind, const char *text)
{
	char buf[512];
	size_t n = frame(buf, kind, text);

	assert_int_equal(send(w->sock, buf, n, MSG_NOSIGNAL), n);
	assert_true(loop_wait(w->loop, 0) >= 0);
}

static void makes(void **state, const char *text, const char *want)
{
	struct world *w = *state;

	w->heard[0] = '\0';
	say(w, HOLD_DATA, text);
	assert_string_equal(w->heard, want);
}

static void it_asks(void **state)
{
	struct world *w = *state;
	struct hold_request r;
	char words[64];

	assert_int_equal(recv(w->sock, &r, sizeof(r), 0), sizeof(r));
	assert_int_equal(r.magic, HOLD_MAGIC);
	assert_in_range(r.size, 1, sizeof(words));
	assert_int_equal(recv(w->sock, words, sizeof(words), 0), r.size);
	assert_memory_equal(words, "\0" STREAM_WORD, sizeof(STREAM_WORD) + 1);
	assert_int_equal(r.size, sizeof(STREAM_WORD) + 1);
}

#define INDEX(index, on, armed, vectors) \
	"{\"index\":\"" index "\",\"on\":" on ",\"armed\":" armed ",\"vectors\":" vectors "}"
#define VECTOR(index, vector, more, count)                                               \
	"{\"index\":\"" index "\",\"vector\":" vector ",\"armed\":true,\"count\":" count \
	",\"wakeups\":1,\"more\":" more "}"
#define NEW "{\"device\":\"sim\",\"since\":1,\"callers\":0,\"open\":true}\n"

static void lines(void **state)
{
	makes(state, INDEX("msix", "true", "4", "64") "\n" VECTOR("msix", "2047", "7", "21") "\n",
	      "msix 1 4/64;msix 2047 +7 21;");
	makes(state, NEW VECTOR("err", "0", "0", "1") "\n", "new;err 0 +0 1;");
	makes(state, "", "");
	makes(state, "{\"index\":\"m", "");
	makes(state, "si\",\"vector\":3,\"armed\":true,\"count\":2,\"wakeups\":1,\"more\":1}", "");
	makes(state, "\n", "msi 3 +1 2;");
	/* what a later holder says besides */
	makes(state, "{\"index\":\"msi\",\"on\":false,\"armed\":0,\"vectors\":8,\"frob\":1}\n",
	      "msi 0 0/8;");
	makes(state, VECTOR("msix", "1", "1", "18446744073709551615") "\n",
	      "msix 1 +1 4294967295;");
	assert_false(stream_ended(((struct world *)*state)->feed));
}

static void pieces(void **state)
{
	struct world *w = *state;
	char buf[512];
	size_t n = frame(buf, HOLD_DATA, INDEX("msi", "false", "0", "16") "\n");

	n += frame(buf + n, HOLD_NOTE, VECTOR("msix", "1", "1", "1") "\n");
	n += frame(buf + n, HOLD_DATA, NEW);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(send(w->sock, buf + i, 1, MSG_NOSIGNAL), 1);
		assert_true(loop_wait(w->loop, 0) >= 0);
	}
	assert_string_equal(w->heard, "msi 0 0/16;new;");
}

static void nonsense(void **state)
{
	static const char *const text[] = {
		"\n",
		"{}\n",
		"[]\n",
		"7\n",
		"null\n",
		"vector msix 1 1 1\n",
		"{\"index\":\"msix\"}\n",
		"{\"index\":\"msix\",\"vector\":1}\n",
		"{\"index\":7,\"on\":true,\"armed\":1,\"vectors\":1}\n",
		"{\"device\":7,\"since\":1,\"callers\":0,\"open\":true}\n",
		"{\"device\":\"sim\",\"since\":-1,\"callers\":0,\"open\":true}\n",
		"{\"device\":\"sim\",\"since\":1,\"callers\":0,\"open\":1}\n",
		"{\"device\":{\"sim\":{}},\"since\":1,\"callers\":0,\"open\":true}\n",
		"{\"index\":\"msix\",\"on\":true,\"armed\":1,\"vectors\":1\n",
		INDEX("msix", "true", "1", "1") "x\n",
		INDEX("msix", "true", "1", "1") INDEX("msix", "true", "1", "1") "\n",
		"x" INDEX("msix", "true", "1", "1") "\n",
		INDEX("frob", "true", "1", "1") "\n",
		INDEX("msix", "2", "1", "1") "\n",
		INDEX("msix", "true", "2049", "1") "\n",
		INDEX("msix", "true", "1", "2049") "\n",
		VECTOR("frob", "1", "1", "1") "\n",
		VECTOR("msix", "2048", "1", "1") "\n",
		VECTOR("msix", "-1", "1", "1") "\n",
		VECTOR("msix", "1", "-1", "1") "\n",
		VECTOR("msix", "1", "1", "\"1\"") "\n",
		VECTOR("msix", "1.5", "1", "1") "\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(text); i++) {
		makes(state, text[i], "end;");
		assert_true(stream_ended(((struct world *)*state)->feed));
		tear_down(state);
		assert_int_equal(set_up(state), 0);
	}
}

/* A line without an end is not kept for ever. */
static void endless(void **state)
{
	struct world *w = *state;
	char text[400];

	memset(text, ' ', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (size_t n = 0; n + sizeof(text) - 1 <= HOLD_MAX_LINE; n += sizeof(text) - 1)
		makes(state, text, "");
	makes(state, text, "end;");
	assert_true(stream_ended(w->feed));
}

static void a_status_ends_it(void **state)
{
	struct world *w = *state;

	say(w, HOLD_STATUS, "\3");
	assert_string_equal(w->heard, "end;");
	assert_true(stream_ended(w->feed));
}

static void a_holder_that_dies_ends_it(void **state)
{
	struct world *w = *state;

	close(take_fd(&w->sock));
	assert_true(loop_wait(w->loop, 0) >= 0);
	assert_string_equal(w->heard, "end;");
	/* and is not heard again */
	assert_int_equal(loop_wait(w->loop, 0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_asks),
		TEST(lines),
		TEST(pieces),
		TEST(nonsense),
		TEST(endless),
		TEST(a_status_ends_it),
		TEST(a_holder_that_dies_ends_it),
	};
	char folder[] = "/tmp/test-feed.XXXXXX", sockets[64];
	int failed;

	/* Where holders of others than root are. */
	if (!mkdtemp(folder))
		return 1;
	setenv("XDG_RUNTIME_DIR", folder, 1);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(sockets, sizeof(sockets), "%s/msictl", folder);
	rmdir(sockets);
	rmdir(folder);
	return failed;
}
