// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A client that may send anything to `simulate`. Input: a byte that picks the
 * function and whether VERSION was said, then pieces: a byte with the number
 * of descriptors (0-3) and whether the server runs first, a byte of length,
 * and so many bytes of the stream.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/loop.h"
#include "sim/device.h"
#include "base/util.h"
#include "sim/server.h"
#include "vfio-user/wire.h"

#define NR_FDS 3

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct loop *loop;
	int fd[NR_FDS]; /* two eventfds, and a pipe's end, which is none */
} shared;

static const char *const specs[] = { "", "msix=2048,msi=32,noresize", "msix=4,host=2,fail-at=3,nomask",
				     "msix=8,msi=4,latency=1ms,drop=1/3,no-intx" };

static void expect(bool truth)
{
	if (!truth)
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	sigset_t all;
	int pipes[2];

	(void)argc, (void)argv;
	expect(!loop_new(&shared.loop));
	/* A fuzzer is ended by signals, as it likes. */
	sigemptyset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	shared.fd[0] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	shared.fd[1] = eventfd(0, EFD_CLOEXEC);
	expect(!pipe2(pipes, O_CLOEXEC));
	shared.fd[2] = pipes[1];
	return 0;
}

/* Replies are messages of the protocol, and an error has a number. */
static void hear(int sock, struct vu_reader *r)
{
	struct vu_message m;

	while (vu_read(sock, r, &m) > 0) {
		expect((m.header.flags & VU_TYPE_MASK) == VU_REPLY && m.nfds == 0);
		if (m.header.flags & VU_ERROR)
			expect(m.header.error && (m.size == 0 || (m.header.error == ENOSPC && m.size == 4)));
		else
			expect(!m.header.error);
		vu_message_drop(&m);
	}
}

static void pump(struct sim_device *d, int sock, struct vu_reader *r)
{
	/*
	 * Each turn takes one message, so many turns mean that the loop spins. One
	 * eventfd for INTx and for its unmasking does that, as it does in a kernel.
	 */
	for (int turns = 0; loop_wait(shared.loop, 0) > 0; turns++) {
		hear(sock, r);
		if (turns < 300)
			continue;
		expect(sim_unmask_fd(d) >= 0);
		break;
	}
	sim_tick(d, UINT64_MAX - 1);
	hear(sock, r);
}

static void piece(int sock, const uint8_t *data, size_t n, unsigned int nfds)
{
	struct vu_header h = { 0 };

	/* vu_send() puts a header in front, which is the stream's own when there is enough of it. */
	if (n < sizeof(h)) {
		if (send(sock, data, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			return;
	} else {
		memcpy(&h, data, sizeof(h));
		vu_send(sock, &(struct vu_frame){ h, data + sizeof(h), n - sizeof(h), shared.fd, nfds }, VU_UNTIL(0));
	}
}

static void greet(int sock)
{
	struct vu_version v = { .max_msg_fds = 16, .max_data_xfer = VU_DEFAULT_XFER, .grant = true };
	struct vu_header h = { .command = VU_VERSION };
	uint8_t payload[256];
	size_t size = vu_version_format(&v, payload, sizeof(payload));

	h.size = (uint32_t)(sizeof(h) + size);
	expect(!vu_send(sock, &(struct vu_frame){ h, payload, size, NULL, 0 }, VU_UNTIL(0)));
}

static void talk(struct sim_device *d, int sock, const uint8_t *data, size_t size)
{
	struct vu_reader r = { .max = VU_MAX_MESSAGE };

	if (data[0] & 0x80)
		greet(sock);
	for (size_t at = 1; at + 2 <= size;) {
		uint8_t how = data[at];
		size_t n = data[at + 1] < size - at - 2 ? data[at + 1] : size - at - 2;

		piece(sock, data + at + 2, n, how & 3);
		if (how & 4)
			pump(d, sock, &r);
		at += 2 + n;
	}
	pump(d, sock, &r);
	vu_reader_drop(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vu_server *server;
	struct sim_device *d;
	struct sim_spec spec;
	struct error e;
	int sock[2], lowest, again;

	if (size < 1)
		return 0;
	lowest = dup(0);
	close(lowest);
	expect(!sim_spec_parse(specs[data[0] % ARRAY_SIZE(specs)], &spec, &e));
	expect(!sim_device_new(&d, &spec));
	sim_accept_pieces(d);
	expect(!vu_server_new(&server, d, shared.loop));
	expect(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock));
	expect(!vu_server_serve(server, sock[1]));
	talk(d, sock[0], data, size);
	close(sock[0]);
	while (loop_wait(shared.loop, 0) > 0)
		continue;
	expect(!vu_server_busy(server));
	vu_server_free(server);
	sim_device_free(d);
	/* No descriptor stays behind. */
	again = dup(0);
	close(again);
	expect(lowest == again);
	return 0;
}
