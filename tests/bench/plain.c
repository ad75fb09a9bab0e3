// SPDX-License-Identifier: GPL-2.0-or-later
/* A vfio-user client as plain as can be, and a server as plain as can be. */
#include <errno.h>
#include <linux/aio_abi.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench.h"
#include "plain.h"
#include "vfio-user/wire.h"

static pid_t run(char *const *argv)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		must(freopen("/dev/null", "w", stdout) != NULL, "/dev/null");
		execv(argv[0], argv);
		_exit(127);
	}
	must(pid > 0, "fork");
	return pid;
}

pid_t plain_simulate(const char *msictl, const char *path)
{
	return run((char *[]){ (char *)(uintptr_t)msictl, "simulate", (char *)(uintptr_t)path,
			       "msix=2048", NULL });
}

pid_t plain_program(const char *program, const char *path)
{
	return run((char *[]){ (char *)(uintptr_t)program, (char *)(uintptr_t)path, NULL });
}

/* --- the bare server --- */

/* Where a payload begins: REGION_READ and REGION_WRITE. */
struct access {
	uint64_t offset;
	uint32_t region, count;
	uint32_t value;
};

union payload {
	struct vfio_irq_set set;
	struct access access;
	char bytes[4096];
};

union control {
	struct cmsghdr align;
	char room[CMSG_SPACE(VU_MAX_FDS * sizeof(int))];
};

/*
 * The cheapest exact answer: the kernel's AIO looks at the eventfd first, then at flags that no read has. fstat() is
 * cheaper and takes a timerfd for an eventfd, /proc/self/fd is several times as dear.
 */
static int is_eventfd(int fd)
{
	static aio_context_t aio;
	struct iocb r = { .aio_lio_opcode = IOCB_CMD_PREAD,
			  .aio_fildes = (uint32_t)fd,
			  .aio_flags = IOCB_FLAG_RESFD,
			  .aio_resfd = (uint32_t)fd,
			  .aio_rw_flags = (int)0x80000000u },
		    *list[] = { &r };

	if (!aio)
		must(!syscall(SYS_io_setup, 1, &aio), "io_setup");
	return syscall(SYS_io_submit, aio, 1l, list) < 0 && errno == EOPNOTSUPP;
}

static void bare_set_irqs(int *vector, const struct vfio_irq_set *set, const int *fd,
			  unsigned int nfds)
{
	for (unsigned int i = 0; i < set->count && set->start + i < PLAIN_VECTORS; i++) {
		int *to = &vector[set->start + i];

		if (!(set->flags & VFIO_IRQ_SET_DATA_EVENTFD)) {
			must(write(*to, &(uint64_t){ 1 }, 8) == 8, "eventfd");
			continue;
		}
		if (*to >= 0)
			close(*to);
		*to = -1;
		if (nfds > i && is_eventfd(fd[i]))
			*to = fd[i];
	}
}

static size_t bare_carry_out(int *vector, const struct vu_header *h, union payload *p,
			     const int *fd, unsigned int nfds)
{
	static const char version[] = "\0\0\0\0{\"capabilities\":{\"max_msg_fds\":253}}";
	struct access *a = &p->access;

	switch (h->command) {
	case VU_VERSION:
		memcpy(p->bytes, version, sizeof(version));
		return sizeof(version);
	case VU_DEVICE_SET_IRQS:
		bare_set_irqs(vector, &p->set, fd, nfds);
		return 0;
	case VU_REGION_READ:
		a->value = 0;
		return 16 + a->count;
	case VU_REGION_WRITE:
		if (a->region == 0 && a->offset == PLAIN_DOORBELL && a->value < PLAIN_VECTORS &&
		    vector[a->value] >= 0)
			must(write(vector[a->value], &(uint64_t){ 1 }, 8) == 8, "eventfd");
		return 16;
	}
	return 0;
}

static unsigned int descriptors_of(struct msghdr *msg, int *fd)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	size_t n = c ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;

	if (c)
		memcpy(fd, CMSG_DATA(c), n * sizeof(int));
	return (unsigned int)n;
}

/* One message. Returns whether there may be more. */
static int bare_serve_one(int sock, int *vector)
{
	union payload p;
	union control c;
	struct vu_header h;
	struct iovec iov[2] = { { &h, sizeof(h) }, { &p, 0 } };
	struct msghdr msg = { .msg_iov = iov,
			      .msg_iovlen = 1,
			      .msg_control = c.room,
			      .msg_controllen = sizeof(c.room) };
	int fd[VU_MAX_FDS];
	unsigned int nfds;

	if (recvmsg(sock, &msg, MSG_WAITALL | MSG_CMSG_CLOEXEC) != sizeof(h))
		return 0;
	nfds = descriptors_of(&msg, fd);
	must(h.size >= sizeof(h) && h.size - sizeof(h) <= sizeof(p), "size of request");
	if (h.size > sizeof(h) && recv(sock, &p, h.size - sizeof(h), MSG_WAITALL) <= 0)
		return 0;
	iov[1].iov_len = bare_carry_out(vector, &h, &p, fd, nfds);
	if (h.flags & VU_NO_REPLY)
		return 1;
	h.flags = VU_REPLY;
	h.size = (uint32_t)(sizeof(h) + iov[1].iov_len);
	msg = (struct msghdr){ .msg_iov = iov, .msg_iovlen = 2 };
	return sendmsg(sock, &msg, MSG_NOSIGNAL) == (ssize_t)h.size;
}

static void bare_serve(int listener)
{
	static int vector[PLAIN_VECTORS];

	for (;;) {
		int sock = accept(listener, NULL, NULL);

		must(sock >= 0, "accept");
		memset(vector, -1, sizeof(vector));
		while (bare_serve_one(sock, vector))
			;
		for (unsigned int i = 0; i < PLAIN_VECTORS; i++)
			if (vector[i] >= 0)
				close(vector[i]);
		close(sock);
	}
}

pid_t plain_bare(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	must(!bind(listener, (struct sockaddr *)&a, sizeof(a)) && !listen(listener, 1), path);
	pid = fork();
	if (pid == 0)
		bare_serve(listener);
	must(pid > 0, "fork");
	close(listener);
	return pid;
}

/* --- the client --- */

int plain_dial(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	for (int tries = 0; connect(sock, (struct sockaddr *)&a, sizeof(a)); tries++) {
		must(tries < 500, "connect");
		usleep(10000);
	}
	return sock;
}

void plain_ask(int sock, uint16_t command, const void *payload, size_t size, const int *fd,
	       unsigned int nfds)
{
	static uint16_t id;
	struct vu_header h = { .id = id++,
			       .command = command,
			       .size = (uint32_t)(sizeof(h) + size) };
	struct iovec iov[2] = { { &h, sizeof(h) }, { (void *)(uintptr_t)payload, size } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(VU_MAX_FDS * sizeof(int))];
	} c;
	char reply[4096];

	if (nfds) {
		struct cmsghdr *cmsg;

		msg.msg_control = c.room;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		*cmsg = (struct cmsghdr){ .cmsg_len = CMSG_LEN(nfds * sizeof(int)),
					  .cmsg_level = SOL_SOCKET,
					  .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(cmsg), fd, nfds * sizeof(int));
	}
	must(sendmsg(sock, &msg, 0) == (ssize_t)h.size, "sendmsg");
	must(recv(sock, &h, sizeof(h), MSG_WAITALL) == sizeof(h) && !(h.flags & VU_ERROR), "reply");
	must(h.size <= sizeof(h) + sizeof(reply), "size of reply");
	if (h.size > sizeof(h))
		must(recv(sock, reply, h.size - sizeof(h), MSG_WAITALL) ==
			     (ssize_t)(h.size - sizeof(h)),
		     "payload");
}

void plain_greet(int sock)
{
	static const char version[] = "\0\0\0\0{\"capabilities\":{\"max_msg_fds\":253}}";

	plain_ask(sock, VU_VERSION, version, sizeof(version), NULL, 0);
}

void plain_set_irqs(int sock, uint32_t flags, unsigned int start, unsigned int count, const int *fd,
		    unsigned int nfds)
{
	const struct vfio_irq_set set = { .argsz = sizeof(set),
					  .flags = flags,
					  .index = VFIO_PCI_MSIX_IRQ_INDEX,
					  .start = start,
					  .count = count };

	plain_ask(sock, VU_DEVICE_SET_IRQS, &set, sizeof(set), fd, nfds);
}

void plain_write(int sock, uint32_t region, uint64_t offset, uint32_t value, int post)
{
	struct {
		struct vu_header h;
		struct access a;
	} m = { { .command = VU_REGION_WRITE, .size = 16 + 20, .flags = VU_NO_REPLY },
		{ .offset = offset, .region = region, .count = 4, .value = value } };

	if (post)
		must(send(sock, &m, m.h.size, 0) == (ssize_t)m.h.size, "send");
	else
		plain_ask(sock, VU_REGION_WRITE, &m.a, 20, NULL, 0);
}

void plain_read(int sock, uint32_t region, uint64_t offset)
{
	const struct access a = { .offset = offset, .region = region, .count = 4 };

	plain_ask(sock, VU_REGION_READ, &a, 16, NULL, 0);
}
