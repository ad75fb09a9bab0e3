// SPDX-License-Identifier: GPL-2.0-or-later
/* The vfio-user back end: how an end is told, and what is left of a process that served. */
#include <signal.h>
#include <sys/wait.h>

#include "no-memory.h"
#include "vu-canned.h"

/* Whatever ended it: the errno, a cause, a sentence, and what can be done. */
static void ends(void **state)
{
	static const struct {
		int err;
		enum cause cause;
		const char *message, *hint;
	} cases[] = {
		{ ETIMEDOUT, CAUSE_BUSY, "the peer did not answer within 7 s and was cut off",
		  "--timeout T waits longer" },
		{ EPROTO, CAUSE_FAILED, "the peer broke the protocol and was cut off", "" },
		{ ENOTCONN, CAUSE_NO_DEVICE, "the process that served the device is gone", "" },
		{ EINTR, CAUSE_FAILED,
		  "the peer owed an answer when a signal asked to stop, and was cut off", "" },
		{ EIO, CAUSE_FAILED, "the exchange with the peer failed", "" },
		{ EMFILE, CAUSE_FAILED, "the exchange with the peer failed", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vfio_user u = { .end = -cases[i].err, .timeout_us = 7000000 };
		struct error e = { 0 };
		char said[256];

		assert_int_equal(vfio_user_peer_end(&u, &e), -cases[i].err);
		assert_int_equal(e.err, cases[i].err);
		assert_int_equal(e.cause, cases[i].cause);
		assert_string_equal(e.message, cases[i].message);
		assert_string_equal(e.hint, cases[i].hint);
		e = (struct error){ 0 };
		/* the end is what is told, whatever the refusal */
		assert_int_equal(vfio_user_explain(&u, -ENOSPC, "WHAT", &e), -cases[i].err);
		snprintf(said, sizeof(said), "WHAT: %s", cases[i].message);
		assert_string_equal(e.message, said);
		assert_string_equal(e.hint, cases[i].hint);
		assert_int_equal(e.err, cases[i].err);
		assert_int_equal(e.cause, cases[i].cause);
	}
}

/* Once given up, the first reason stays; a peer that hears no more has gone. */
static void first_reason(void **state)
{
	static const struct {
		int rc, end;
	} cases[] = { { -EPROTO, -EPROTO },
		      { -ECONNRESET, -ENOTCONN },
		      { -EPIPE, -ENOTCONN },
		      { -EIO, -EIO } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vfio_user u = { 0 };
		char byte;
		int sock[2];

		pair(sock);
		u.sock = sock[1];
		assert_int_equal(peer_give_up(&u, cases[i].rc), cases[i].end);
		assert_int_equal(u.end, cases[i].end);
		assert_int_equal(recv(sock[0], &byte, 1, MSG_DONTWAIT), 0);
		assert_int_equal(send(sock[0], "x", 1, MSG_NOSIGNAL), -1);
		assert_int_equal(peer_give_up(&u, -EBADMSG), -EBADMSG);
		assert_int_equal(u.end, cases[i].end);
		/* it is shut down, and stays open for the loop to hear that */
		assert_true(fcntl(sock[1], F_GETFD) >= 0);
		close_all(sock, 2);
	}
}

static bool chld_blocked(void)
{
	sigset_t now;

	sigprocmask(SIG_SETMASK, NULL, &now);
	return sigismember(&now, SIGCHLD);
}

static pid_t child_that(bool stays)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		/* SIGCHLD and the like end nobody */
		for (int i = 0; stays && i < 3000; i++)
			usleep(10000);
		_exit(0);
	}
	return child;
}

/* A process that does not end is ended; one that ends is waited for. Either is reaped, and signals are as before. */
static void child_ends(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct vfio_user *u = malloc(sizeof(*u));
		bool blocked = i == 1;
		pid_t child = child_that(i == 2);
		sigset_t chld, before;
		int sock[2];

		sigemptyset(&chld);
		sigaddset(&chld, SIGCHLD);
		sigprocmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &chld, &before);
		pair(sock);
		*u = (struct vfio_user){ .sock = sock[1], .child = child };
		vfio_user_close(u);
		assert_int_equal(chld_blocked(), blocked);
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
		assert_int_equal(errno, ECHILD);
		close(sock[0]);
		sigprocmask(SIG_SETMASK, &before, NULL);
	}
}

/* Of what is not ours nothing is waited for. */
static void no_child(void **state)
{
	struct vfio_user *u = malloc(sizeof(*u));
	pid_t other = child_that(false);
	int sock[2];

	(void)state;
	pair(sock);
	*u = (struct vfio_user){ .sock = sock[1] };
	vfio_user_close(u);
	assert_int_equal(waitpid(other, NULL, 0), other);
	close(sock[0]);
}

/* Without memory for a handle the socket is closed, and the child reaped. */
static void without_memory(void **state)
{
	static const struct trace quiet;
	const struct open_request req = { .spec = "vfio-user:x",
					  .trace = &quiet,
					  .timeout_us = SECOND };

	(void)state;
	if (!memory_can_fail())
		skip();
	for (int with_child = 0; with_child <= 1; with_child++) {
		pid_t child = child_that(false), other = with_child ? 0 : child;
		void *handle = NULL;
		struct error e = { 0 };
		int sock[2];
		char byte;

		pair(sock);
		no_memory = 1;
		assert_int_equal(vfio_user_start(sock[1], with_child ? child : 0, &req, &handle,
						 &e),
				 -ENOMEM);
		assert_int_equal(no_memory, 0);
		assert_string_equal(e.message, "out of memory");
		assert_int_equal(e.cause, CAUSE_FAILED);
		assert_null(handle);
		assert_int_equal(recv(sock[0], &byte, 1, MSG_DONTWAIT), 0);
		close(sock[0]);
		assert_int_equal(waitpid(-1, NULL, 0), other ? other : -1);
	}
}

/* What the peer offers, bounded by what is used; and how VERSION fails. */
static void versions(void **state)
{
	static const struct {
		const char *json;
		uint16_t major;
		int rc;
		enum cause cause;
		const char *says;
		unsigned int chunk;
		size_t transfer;
	} cases[] = {
		{ "{}", 0, 0, CAUSE_NONE, "", 1, VU_DEFAULT_XFER },
		{ "{\"capabilities\":{\"max_msg_fds\":252}}", 0, 0, CAUSE_NONE, "", 252,
		  VU_DEFAULT_XFER },
		{ "{\"capabilities\":{\"max_msg_fds\":253}}", 0, 0, CAUSE_NONE, "", 253,
		  VU_DEFAULT_XFER },
		{ "{\"capabilities\":{\"max_msg_fds\":254}}", 0, 0, CAUSE_NONE, "", 253,
		  VU_DEFAULT_XFER },
		{ "{\"capabilities\":{\"max_data_xfer_size\":4096}}", 0, 0, CAUSE_NONE, "", 1,
		  4096 },
		{ "{\"capabilities\":{\"max_data_xfer_size\":1048577}}", 0, 0, CAUSE_NONE, "", 1,
		  VU_DEFAULT_XFER },
		{ "{}", 1, -EPROTO, CAUSE_FAILED, "the peer speaks vfio-user 1.0, not 0.x", 0, 0 },
		{ "{", 0, -EPROTO, CAUSE_FAILED, "the peer's capabilities are not understood", 0,
		  0 },
	};
	static const struct trace quiet;
	const struct open_request req = { .spec = "vfio-user:x",
					  .trace = &quiet,
					  .timeout_us = 60ull * SECOND };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct canned c = { 0 };
		struct vfio_user *u = NULL;
		struct error e = { 0 };
		uint8_t payload[128];
		int sock[2];

		pair(sock);
		c.sock = sock[0];
		memcpy(payload, &cases[i].major, 2);
		memset(payload + 2, 0, 2);
		copy_text((char *)payload + 4, sizeof(payload) - 4, cases[i].json);
		will_say(&c, VU_VERSION, payload, 4 + strlen(cases[i].json) + 1);
		assert_int_equal(vfio_user_start(sock[1], 0, &req, (void **)&u, &e), cases[i].rc);
		assert_int_equal(e.cause, cases[i].cause);
		assert_string_equal(e.message, cases[i].says);
		assert_int_equal(u == NULL, cases[i].rc != 0);
		if (u) {
			assert_int_equal(u->chunk, cases[i].chunk);
			assert_int_equal(u->transfer, cases[i].transfer);
			vfio_user_close(u);
		}
		close(sock[0]);
	}
}

/* What a peer that refuses to tell of an index is known for; that there is none is no refusal. */
static void indexes_untold(void **state)
{
	static const struct {
		uint32_t number;
		bool quirk;
	} cases[] = { { EINVAL, false }, { EIO, true }, { ENOSPC, true }, { EPERM, true } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct canned c = { 0 };
		struct irq_info info;

		canned_start(&c, 16, NULL, false);
		c.number = cases[i].number;
		will_say(&c, VU_DEVICE_GET_IRQ_INFO, NULL, 0);
		assert_true(vfio_user_irq_info(c.u, IRQ_INTX, &info) < 0);
		assert_int_equal(vfio_user_peer_quirk(c.u, 0) != NULL, cases[i].quirk);
		canned_end(&c);
	}
}

/* libvfio-user is known by what it says of INTx, and of no other index. */
static void known_by_intx(void **state)
{
	static const struct {
		enum irq_index index;
		uint32_t flags;
		unsigned int fds;
		bool known;
	} cases[] = {
		{ IRQ_INTX, 1, 8, true },  { IRQ_MSIX, 1, 8, false }, { IRQ_INTX, 7, 8, false },
		{ IRQ_INTX, 1, 9, false }, { IRQ_INTX, 1, 7, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct vfio_irq_info irq = {
			.argsz = 16, .index = cases[i].index, .flags = cases[i].flags, .count = 1
		};
		struct canned c = { 0 };
		struct irq_info info;

		canned_start(&c, cases[i].fds, NULL, false);
		will_say(&c, VU_DEVICE_GET_IRQ_INFO, &irq, 16);
		assert_int_equal(vfio_user_irq_info(c.u, cases[i].index, &info), 0);
		assert_int_equal(info.count, 1);
		assert_int_equal(info.flags, cases[i].flags);
		assert_int_equal(is_libvfio_user(c.u), cases[i].known);
		canned_end(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends),		  cmocka_unit_test(first_reason),
		cmocka_unit_test(child_ends),	  cmocka_unit_test(no_child),
		cmocka_unit_test(without_memory), cmocka_unit_test(versions),
		cmocka_unit_test(indexes_untold), cmocka_unit_test(known_by_intx),
	};

	return cmocka_run_group_tests_name("vfio-user-end", tests, NULL, NULL);
}
