// SPDX-License-Identifier: GPL-2.0-or-later
/* A client's request at a holder, byte by byte, and the frames that the client gets. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hold/request.h"
#include "hold/wire.h"
#include "base/util.h"

/* Behind base/error.h: it makes a macro of fail(). */
#include <cmocka.h>

#define PIECE 60000u

struct bench {
	struct loop *loop;
	struct request *c;
	int client;
};

static void connected(struct bench *b)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
			 0);
	b->client = pair[1];
	assert_int_equal(request_new(&b->c, pair[0], b->loop), 0);
}

static void gone(struct bench *b)
{
	request_free(b->c);
	close(b->client);
}

static int setup(void **state)
{
	static struct bench b;

	assert_int_equal(loop_new(&b.loop), 0);
	connected(&b);
	*state = &b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	gone(b);
	loop_free(b->loop);
	return 0;
}

static void hears(struct bench *b)
{
	assert_true(loop_wait(b->loop, 0) >= 0);
}

static void sends(struct bench *b, const void *bytes, size_t n)
{
	assert_int_equal(send(b->client, bytes, n, MSG_NOSIGNAL), n);
	hears(b);
}

/* @n bytes of words, and what the header says of them. */
static size_t request(char *buf, uint32_t magic, uint32_t size, const char *words, size_t n)
{
	const struct hold_request r = { .magic = magic, .flags = HOLD_COLOR, .size = size };

	memcpy(buf, &r, sizeof(r));
	memcpy(buf + sizeof(r), words, n);
	return sizeof(r) + n;
}

static void is_whole(void **state)
{
	static const char words[] = "FILE:7\0resize\0msix\0"
				    "8";
	struct bench *b = *state;
	char buf[128];
	size_t n = request(buf, HOLD_MAGIC, sizeof(words), words, sizeof(words));

	/* it may come in any pieces */
	for (size_t i = 0; i < n; i++) {
		assert_false(b->c->whole);
		assert_true(request_here(b->c));
		sends(b, buf + i, 1);
	}
	assert_true(b->c->whole);
	/* it is read once */
	request_hear(b->c);
	assert_true(request_here(b->c));
	assert_int_equal(b->c->flags, HOLD_COLOR);
	assert_string_equal(b->c->where, "FILE:7");
	assert_int_equal(b->c->nword, 3);
	assert_string_equal(b->c->word[0], "resize");
	assert_string_equal(b->c->word[2], "8");
	assert_true(request_look(b->c));
	assert_false(request_over(b->c));
	/* what comes behind it is nonsense */
	sends(b, "x", 1);
	assert_false(request_here(b->c));
	assert_true(request_over(b->c));
}

/* A client that sends nonsense is hung up on. */
static void is_nonsense(void **state)
{
	static const struct {
		uint32_t magic, size;
		const char *words;
		size_t n;
	} bad[] = {
		{ HOLD_MAGIC, 6, "\0list!", 6 },    /* its last word has no end */
		{ HOLD_MAGIC, 1, "", 1 },	    /* no word */
		{ HOLD_MAGIC, 0, "", 0 },	    /* nothing at all */
		{ HOLD_MAGIC + 1, 6, "\0list", 6 }, /* something else */
		{ HOLD_MAGIC, HOLD_MAX_REQUEST + 1, "", 1 },
	};
	struct bench *b = *state;
	char buf[128];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		sends(b, buf, request(buf, bad[i].magic, bad[i].size, bad[i].words, bad[i].n));
		if (request_here(b->c) || b->c->whole || request_look(b->c))
			fail_msg("request %zu was taken", i);
		/* the client sees its end at once */
		assert_true(recv(b->client, &(char){ 0 }, 1, 0) == 0 || errno == ECONNRESET);
		gone(b);
		connected(b);
	}
}

/* As many words as a command may have, in as many bytes as a request may have; and one more. */
static void is_large(void **state)
{
	struct bench *b = *state;
	char *buf = malloc(sizeof(struct hold_request) + HOLD_MAX_REQUEST),
	     *words = malloc(HOLD_MAX_REQUEST);
	size_t n;

	assert_true(buf && words);
	memset(words, 'w', HOLD_MAX_REQUEST);
	for (size_t i = 0; i < HOLD_MAX_WORDS; i++)
		words[i * 2] = '\0';
	words[HOLD_MAX_REQUEST - 1] = '\0';
	n = request(buf, HOLD_MAGIC, HOLD_MAX_REQUEST, words, HOLD_MAX_REQUEST);
	sends(b, buf, n);
	assert_true(b->c->whole);
	assert_int_equal(b->c->nword, HOLD_MAX_WORDS);
	assert_string_equal(b->c->word[0], "w");
	gone(b);
	connected(b);
	words[2ul * HOLD_MAX_WORDS] = '\0';
	sends(b, buf, request(buf, HOLD_MAGIC, HOLD_MAX_REQUEST, words, HOLD_MAX_REQUEST));
	assert_false(request_here(b->c));
	free(buf);
	free(words);
}

/* A client that goes before its request is whole, or behind it. */
static void goes(void **state)
{
	struct bench *b = *state;
	char buf[64];
	size_t n = request(buf, HOLD_MAGIC, 6, "\0list", 6);

	sends(b, buf, n - 1);
	assert_int_equal(shutdown(b->client, SHUT_WR), 0);
	hears(b);
	assert_false(request_here(b->c));
	gone(b);
	connected(b);
	sends(b, buf, n);
	assert_true(request_look(b->c));
	assert_int_equal(shutdown(b->client, SHUT_WR), 0);
	/* seen at once, before the loop hears of it */
	assert_false(request_look(b->c));
	assert_false(request_here(b->c));
}

static void frame(int fd, uint32_t kind, const void *bytes, uint32_t n)
{
	struct hold_frame f = { 0 };
	char buf[128];

	assert_int_equal(read(fd, &f, sizeof(f)), sizeof(f));
	assert_int_equal(f.kind, kind);
	assert_int_equal(f.size, n);
	assert_int_equal(read(fd, buf, n), n);
	assert_memory_equal(buf, bytes, n);
}

static void answers(void **state)
{
	struct bench *b = *state;

	fputs("a line\n", b->c->notes);
	fputs("data", b->c->data);
	fflush(b->c->data);
	request_finish(b->c, 7);
	assert_true(request_here(b->c) && request_over(b->c));
	frame(b->client, HOLD_NOTE, "a line\n", 7);
	frame(b->client, HOLD_DATA, "data", 4);
	frame(b->client, HOLD_STATUS, "\7", 1);
}

/* What was printed as lines, as an object, and as half a line is all there before the status. */
static void answers_all(void **state)
{
	const struct out_options json = { .json = true };
	struct bench *b = *state;

	/* a call that was interrupted long ago is not begun anew */
	errno = EINTR;
	out_note(b->c->out, "note");
	frame(b->client, HOLD_NOTE, "note\n", 5);
	out_set_options(b->c->out, &json);
	doc_number(out_doc(b->c->out), "n", 7);
	fputs("half", b->c->notes);
	assert_int_equal(recv(b->client, &(char){ 0 }, 1, 0), -1);
	request_finish(b->c, 255);
	frame(b->client, HOLD_DATA, "{\"n\":7}\n", 8);
	frame(b->client, HOLD_NOTE, "half", 4);
	frame(b->client, HOLD_STATUS, "\377", 1);
	assert_int_equal(recv(b->client, &(char){ 0 }, 1, 0), -1);
}

/* Whoever prints is told whether the caller is there. */
static void tells_who_prints(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 2; i++) {
		FILE *to = i ? b->c->notes : b->c->data;

		fputs("line\n", to);
		assert_int_equal(fflush(to), 0);
		assert_false(ferror(to));
	}
	sends(b, "not a request at all", 20);
	assert_false(request_here(b->c));
	for (int i = 0; i < 2; i++) {
		FILE *to = i ? b->c->notes : b->c->data;

		/* a byte that nobody took is no part of an answer either */
		fputc('x', to);
		assert_true(fflush(to) == EOF || ferror(to));
	}
}

/* A client that closes its socket: the holder gets no signal for what it says then, and sees it by itself. */
static void goes_unheard(void **state)
{
	static const char words[] = "\0list";
	struct bench *b = *state;
	char buf[64];
	size_t n = request(buf, HOLD_MAGIC, sizeof(words), words, sizeof(words));

	close(b->client);
	b->client = -1;
	request_finish(b->c, 0);
	assert_false(request_here(b->c));
	assert_true(request_over(b->c));
	gone(b);
	/* what it did not read makes of its end a broken connection */
	for (int whole = 0; whole < 2; whole++) {
		connected(b);
		if (whole)
			sends(b, buf, n);
		out_note(b->c->out, "note");
		close(b->client);
		b->client = -1;
		if (whole)
			assert_false(request_look(b->c));
		else
			hears(b);
		assert_false(request_here(b->c));
		gone(b);
	}
	connected(b);
}

/* Nothing of who was hung up on wakes the holder, or stays open. */
static void leaves_nothing(void **state)
{
	struct bench *b = *state;
	int other;

	other = dup(b->c->source.fd);
	sends(b, "not a request at all", 20);
	assert_false(request_here(b->c));
	assert_int_equal(send(b->client, "x", 1, MSG_NOSIGNAL), 1);
	assert_int_equal(loop_wait(b->loop, 0), 0);
	close(other);
	gone(b);
	connected(b);
	request_free(b->c);
	assert_int_equal(recv(b->client, &(char){ 0 }, 1, 0), 0);
	close(b->client);
	/* what the loop cannot wait for is no caller */
	other = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_int_equal(request_new(&b->c, other, b->loop), -EPERM);
	assert_int_equal(fcntl(other, F_GETFD), -1);
	connected(b);
}

/* What may wait for a client that does not read is HOLD_MAX_QUEUE bytes; the next byte is too much. */
static void queues_up(void **state)
{
	struct bench *b = *state;
	char *piece = calloc(1, HOLD_MAX_QUEUE);

	assert_non_null(piece);
	for (size_t over = 0; over < 2; over++) {
		size_t room;

		setvbuf(b->c->data, NULL, _IONBF, 0);
		/* nothing is sent any more */
		while (b->c->sent == b->c->queued)
			assert_int_equal(fwrite(piece, 1, PIECE, b->c->data), PIECE);
		fwrite(piece, 1, PIECE, b->c->data);
		room = HOLD_MAX_QUEUE - (b->c->queued - b->c->sent) - sizeof(struct hold_frame);
		fwrite(piece, 1, room + over, b->c->data);
		assert_int_equal(request_here(b->c), !over);
		gone(b);
		connected(b);
	}
	free(piece);
}

static void refuses(void **state)
{
	struct bench *b = *state;
	int pair[2];

	(void)b;
	/* one that has gone already */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
			 0);
	close(pair[1]);
	request_refuse(pair[0], "msictl: no\n", 5);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
			 0);
	request_refuse(pair[0], "msictl: no\n", 5);
	frame(pair[1], HOLD_NOTE, "msictl: no\n", 11);
	frame(pair[1], HOLD_STATUS, "\5", 1);
	assert_int_equal(read(pair[1], &(char){ 0 }, 1), 0);
	close(pair[1]);
}

/* @n pieces, each of one letter. */
static void pours(struct bench *b, unsigned int n)
{
	char piece[PIECE];

	for (unsigned int i = 0; i < n; i++) {
		memset(piece, 'a' + (int)(i % 26), sizeof(piece));
		fwrite(piece, 1, sizeof(piece), b->c->data);
		fflush(b->c->data);
	}
}

/* All that the client gets until nothing more comes. */
static size_t drains(struct bench *b, char *buf, size_t room)
{
	size_t got = 0;

	for (int quiet = 0; quiet < 3;) {
		ssize_t n = read(b->client, buf + got, room - got);

		hears(b);
		quiet = n > 0 ? 0 : quiet + 1;
		got += n > 0 ? (size_t)n : 0;
	}
	return got;
}

/* What a client does not read at once waits for it, in order; too much of that, and it is given up. */
static void reads_late(void **state)
{
	struct bench *b = *state;
	const size_t room = 110ul * PIECE;
	char *buf = malloc(room);
	size_t got, data = 0, at;
	struct hold_frame f = { 0 };

	assert_non_null(buf);
	pours(b, 100);
	assert_true(request_here(b->c));
	request_finish(b->c, 3);
	assert_false(request_over(b->c));
	got = drains(b, buf, room);
	for (at = 0; at + sizeof(f) <= got; at += f.size) {
		memcpy(&f, buf + at, sizeof(f));
		at += sizeof(f);
		for (size_t i = 0; f.kind == HOLD_DATA && i < f.size; i++, data++)
			assert_int_equal(buf[at + i], 'a' + (int)(data / PIECE % 26));
	}
	assert_int_equal(data, 100 * PIECE);
	assert_int_equal(at, got);
	assert_int_equal(f.kind, HOLD_STATUS);
	assert_int_equal(buf[got - 1], 3);
	assert_true(request_over(b->c));
	free(buf);
	gone(b);
	connected(b);
	pours(b, HOLD_MAX_QUEUE / PIECE + 20);
	assert_false(request_here(b->c));
	assert_true(request_over(b->c));
}

/* A client for which the loop cannot wait is not left hanging. */
static void cannot_wait(void **state)
{
	struct bench *b = *state;

	loop_del(b->loop, &b->c->source);
	pours(b, 100);
	assert_false(request_here(b->c));
	assert_true(request_over(b->c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(is_nonsense, setup, teardown),
		cmocka_unit_test_setup_teardown(is_large, setup, teardown),
		cmocka_unit_test_setup_teardown(goes, setup, teardown),
		cmocka_unit_test_setup_teardown(answers, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_all, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_who_prints, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_unheard, setup, teardown),
		cmocka_unit_test_setup_teardown(leaves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(queues_up, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_late, setup, teardown),
		cmocka_unit_test_setup_teardown(cannot_wait, setup, teardown),
	};

	return cmocka_run_group_tests_name("hold-call", tests, NULL, NULL);
}
