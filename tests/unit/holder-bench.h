/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A holder with simulated devices, in the test's own process: what clients ask lies in its sockets before it serves.
 * accept4() and epoll_wait() are the test's own, and fail when it says so.
 */
#ifndef TEST_HOLDER_BENCH_H
#define TEST_HOLDER_BENCH_H

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "backends.h"
#include "cmd/all.h"
#include "hold/server-internal.h"
#include "hold/wire.h"
#include "runtime/holders.h"
#include "tree.h"
#include "base/util.h"

#define NOBODY 65534

#define DEV "sim:msix=8"

static struct {
	int accept[8]; /* errno of the next calls; 0: it is made */
	unsigned int accepts, accepted;
	int epoll; /* errno of the next call */
	pid_t pid; /* of the holder */
	int turns; /* so many calls do not wait, and the last of them fails */
} faults;

int accept4(int sock, struct sockaddr *address, socklen_t *size, int flags)
{
	int (*real)(int, struct sockaddr *, socklen_t *, int) = dlsym(RTLD_NEXT, "accept4");
	int err = faults.accepted < faults.accepts ? faults.accept[faults.accepted++] : 0;

	if (!err)
		return real(sock, address, size, flags);
	errno = err;
	return -1;
}

int epoll_wait(int epoll, struct epoll_event *event, int n, int ms)
{
	/* the simulation's process has a loop too */
	if (getpid() != faults.pid)
		return epoll_pwait(epoll, event, n, ms, NULL);
	if (faults.turns && !--faults.turns)
		faults.epoll = ECANCELED;
	if (!faults.epoll)
		return epoll_pwait(epoll, event, n, faults.turns ? 0 : ms, NULL);
	errno = faults.epoll;
	faults.epoll = 0;
	return -1;
}

static const struct command *const rows[] = { &cmd_enable, &cmd_disable, &cmd_trigger,
					      &cmd_wait,   &cmd_reopen,	 &cmd_info };
static const struct commands commands = { rows, ARRAY_SIZE(rows) };

struct bench {
	struct tree t;
	struct session s;
	struct holder *h;
	FILE *notes;
	char *note;
	size_t note_size;
	struct error e;
};

static inline void tell_line(void *ctx, const char *text)
{
	struct session *s = ctx;

	out_note(s->out, "%s", text);
}

static inline int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	const struct out_options opt = { 0 };

	assert_non_null(b);
	tree_new(&b->t);
	assert_int_equal(chmod(b->t.dir, 0777), 0);
	memset(&faults, 0, sizeof(faults));
	faults.pid = getpid();
	/* a folder of sockets of its own: root's is one for the whole machine */
	setenv("XDG_RUNTIME_DIR", b->t.dir, 1);
	if (geteuid() == 0)
		assert_int_equal(seteuid(NOBODY), 0);
	b->s.commands = &commands;
	b->s.backends = backends;
	b->s.root = b->t.root;
	b->s.root.live = true;
	b->s.trace = (struct trace){ .line = tell_line, .ctx = &b->s };
	b->notes = open_memstream(&b->note, &b->note_size);
	assert_int_equal(out_new(&b->s.out, &opt), 0);
	out_set_streams(b->s.out, b->notes, b->notes);
	assert_int_equal(holder_new(&b->h, &b->s, &b->e), 0);
	*state = b;
	return 0;
}

static inline int teardown(void **state)
{
	struct bench *b = *state;

	loop_free(b->s.loop);
	out_free(b->s.out);
	fclose(b->notes);
	free(b->note);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	tree_free(&b->t);
	free(b);
	return 0;
}

static inline void takes(struct bench *b, const char *device, bool keep)
{
	const struct holding how = { .keep = keep };

	if (holder_take(b->h, &device, 1, &how, &b->e))
		fail_msg("%s", b->e.message);
}

/* A client says "FILE:7" and these words, in one text. */
static inline void says(int sock, uint32_t flags, const char *words)
{
	struct hold_request r = { .magic = HOLD_MAGIC,
				  .flags = flags,
				  .size = (uint32_t)(7 + strlen(words) + 1) };
	char buf[512];

	memcpy(buf, &r, sizeof(r));
	memcpy(buf + sizeof(r), "FILE:7", 7);
	copy_text(buf + sizeof(r) + 7, sizeof(buf) - sizeof(r) - 7, words);
	for (char *at = buf + sizeof(r) + 7; at < buf + sizeof(r) + r.size; at++)
		*at = *at == ' ' ? '\0' : *at;
	assert_int_equal(send(sock, buf, sizeof(r) + r.size, MSG_NOSIGNAL), sizeof(r) + r.size);
}

/* The socket of a client of @device that has said these words; NULL: nothing yet. */
static inline int asks(struct bench *b, const char *device, uint32_t flags, const char *words)
{
	char name[HOLD_NAME];
	pid_t pid;
	int sock = hold_connect(b->h->dir, hold_name(device, name), &pid, &b->e);

	assert_true(sock >= 0);
	if (words)
		says(sock, flags, words);
	return sock;
}

struct answer {
	char data[4096], note[4096];
	size_t size, notes;
	int status; /* -1: none came */
};

/* All that the client gets. NULs of data become spaces. */
static inline struct answer answer_of(int sock)
{
	struct answer a = { .status = -1 };
	struct hold_frame f;

	while (recv(sock, &f, sizeof(f), MSG_WAITALL) == sizeof(f)) {
		char *to = f.kind == HOLD_DATA ? a.data + a.size : a.note + a.notes;
		uint8_t status;

		assert_true(f.size < 2048);
		if (f.kind == HOLD_STATUS) {
			assert_int_equal(recv(sock, &status, 1, MSG_WAITALL), 1);
			a.status = status;
			continue;
		}
		assert_int_equal(recv(sock, to, f.size, MSG_WAITALL), f.size);
		*(f.kind == HOLD_DATA ? &a.size : &a.notes) += f.size;
	}
	for (size_t i = 0; i < a.size; i++)
		a.data[i] = a.data[i] ? a.data[i] : ' ';
	close(sock);
	return a;
}

static inline void answered(int sock, int status, const char *data, const char *note)
{
	struct answer a = answer_of(sock);

	if (a.status != status || !strstr(a.data, data) || !strstr(a.note, note))
		fail_msg("%d, \"%s\", \"%s\" instead of %d, \"%s\", \"%s\"", a.status, a.data,
			 a.note, status, data, note);
}

static inline void serves(struct bench *b, int rc)
{
	assert_int_equal(holder_serve(b->h), rc);
	assert_int_equal(holder_free(b->h, &b->e), 0);
}

/* The holder does what lies there, and goes on later. */
static inline void turns(struct bench *b)
{
	faults.turns = 20;
	assert_int_equal(holder_serve(b->h), -ECANCELED);
	faults.turns = 0;
}

static inline void said(struct bench *b, const char *text)
{
	fflush(b->notes);
	if (!strstr(b->note, text))
		fail_msg("\"%s\" in \"%s\"", text, b->note);
}

#endif
