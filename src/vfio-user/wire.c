// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Framing of vfio-user on a stream socket. A stream may cut anywhere, so a
 * message is put together from what comes; descriptors arrive with the first
 * byte of the segment that they were sent on (unix(7), SCM_RIGHTS).
 */
#include "vfio-user/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/loop.h"
#include "base/util.h"
#include "vfio-user/leave.h"
#include "vfio-user/shed.h"

#define HEADER sizeof(struct vu_header)

/* A header and what most replies have behind it: a look and a read are enough for them. */
#define BARE_AHEAD 512

#define GRACE_US 500000u

/* Aligned as cmsghdr wants it. */
union control {
	struct cmsghdr align;
	char room[CMSG_SPACE(VU_MAX_FDS * sizeof(int))];
};

void vu_message_leave(struct vu_message *m, struct vu_leave *leave)
{
	for (unsigned int i = 0; i < m->nfds; i++)
		if (m->fd[i] >= 0)
			vu_leave_close(leave, take_fd(&m->fd[i]));
	free(m->payload);
	m->payload = NULL;
	m->size = 0;
	m->nfds = 0;
}

void vu_message_drop(struct vu_message *m)
{
	vu_message_leave(m, NULL);
}

void vu_reader_drop(struct vu_reader *r)
{
	vu_message_leave(&r->m, r->leave);
	r->got = r->at = r->end = 0;
}

/* What a peer that answers at all needs, after a signal that asks to stop. */
static void shorten(struct vu_limit *l)
{
	uint64_t soon = now_us() + GRACE_US;

	l->stopping = true;
	if (soon < l->until)
		l->until = soon;
}

int vu_over(struct vu_limit *l)
{
	if (!l->stopping && l->loop && loop_hear(l->loop))
		shorten(l);
	if (now_us() < l->until)
		return 0;
	return l->stopping ? -EINTR : -ETIMEDOUT;
}

/* Round up: waking early would spin. */
static int poll_timeout(uint64_t now, uint64_t until)
{
	if (until == UINT64_MAX)
		return -1;
	return until - now > 1000000000 ? 1000000 : (int)((until - now + 999) / 1000);
}

/*
 * 0 when @sock is ready for @events, -ETIMEDOUT, -EINTR. When it is over a ready socket is late all
 * the same.
 */
static int wait_for(int sock, short events, struct vu_limit *l)
{
	struct pollfd p[2] = { { .fd = sock, .events = events }, { .fd = -1, .events = POLLIN } };

	if (!l->stopping && l->loop && loop_stopped(l->loop))
		shorten(l);
	for (;;) {
		uint64_t now = now_us();
		int n;

		if (now >= l->until)
			return l->stopping ? -EINTR : -ETIMEDOUT;
		p[1].fd = l->loop && !l->stopping ? loop_signals(l->loop) : -1;
		n = poll(p, ARRAY_SIZE(p), poll_timeout(now, l->until));
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && p[0].revents)
			return 0;
		if (n > 0 && loop_hear(l->loop))
			shorten(l);
	}
}

/* --- sending --- */

static void put_fds(struct msghdr *msg, union control *c, const int *fd, unsigned int nfds)
{
	struct cmsghdr *cmsg;

	memset(c, 0, sizeof(*c));
	msg->msg_control = c->room;
	msg->msg_controllen = CMSG_SPACE(nfds * sizeof(int));
	cmsg = CMSG_FIRSTHDR(msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(nfds * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fd, nfds * sizeof(int));
}

/* Take @n sent bytes off the front of the two pieces. */
static void advance(struct iovec iov[2], size_t n)
{
	for (int i = 0; i < 2; i++) {
		size_t here = n < iov[i].iov_len ? n : iov[i].iov_len;

		if (!here) /* there may be no second piece at all */
			continue;
		iov[i].iov_base = (char *)iov[i].iov_base + here;
		iov[i].iov_len -= here;
		n -= here;
	}
}

int vu_send(int sock, const struct vu_frame *f, struct vu_limit *l)
{
	struct vu_header header = f->header;
	struct iovec iov[2] = { { &header, HEADER }, { (void *)(uintptr_t)f->payload, f->size } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = f->size ? 2 : 1 };
	union control c;

	if (f->nfds > VU_MAX_FDS)
		return -EINVAL;
	if (f->fd && f->nfds)
		put_fds(&msg, &c, f->fd, f->nfds);
	while (iov[0].iov_len || iov[1].iov_len) {
		ssize_t n = sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		int rc;

		if (n >= 0) {
			/* The descriptors went with the first piece. */
			msg.msg_control = NULL;
			msg.msg_controllen = 0;
			advance(iov, (size_t)n);
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		rc = wait_for(sock, POLLOUT, l);
		if (rc)
			return rc;
	}
	return 0;
}

/* --- receiving --- */

/* Descriptors are ours as soon as recvmsg() returns: each ends in the message, closed or left. */
static int take_fds(struct vu_reader *r, struct msghdr *msg)
{
	struct vu_message *m = &r->m;
	int rc = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			vu_leave_seen(r->leave, fd);
			if (m->nfds < VU_MAX_FDS) {
				m->fd[m->nfds++] = fd;
				continue;
			}
			vu_leave_close(r->leave, fd);
			rc = -EPROTO;
		}
	}
	/*
	 * More than there is room for, or our own limit of descriptors: some are lost, so nothing
	 * can be made of it.
	 */
	return msg->msg_flags & MSG_CTRUNC ? -EPROTO : rc;
}

/* Returns the bytes taken, 0: none are there now, -ECONNRESET at the end, -errno. */
static ssize_t receive_some(int sock, struct msghdr *msg, int flags)
{
	ssize_t got;

	do {
		got = recvmsg(sock, msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | flags);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	return got ? got : -ECONNRESET;
}

/* One recvmsg(). As receive_some(), and -EPROTO. */
static ssize_t take_with_fds(int sock, struct vu_reader *r, void *buf, size_t n)
{
	_cleanup_fd_ int keeper = vu_leave_room(r->leave, sock, n, r->m.nfds);
	union control c;
	struct iovec iov = { buf, n };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = c.room,
			      .msg_controllen = sizeof(c.room) };
	ssize_t got;
	int rc;

	if (keeper < -1)
		return keeper;
	got = receive_some(sock, &msg, 0);
	rc = got > 0 ? take_fds(r, &msg) : 0;
	return rc ? rc : got;
}

/* How much of the @got bytes at @p is the message that they begin with. */
static size_t first_of(const uint8_t *p, size_t got)
{
	struct vu_header h;

	if (got < HEADER)
		return got;
	memcpy(&h, p, sizeof(h));
	return h.size >= HEADER && h.size < got ? h.size : got;
}

/*
 * Several messages at once, as long as none brings descriptors, which do not tell
 * whose they are: a look without room for them says MSG_CTRUNC when there are
 * some, and shows how long the first message is. Results as take_with_fds().
 */
static ssize_t read_ahead(int sock, struct vu_reader *r)
{
	struct iovec iov = { r->ahead, VU_AHEAD };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t got = receive_some(sock, &msg, MSG_PEEK);

	if (got <= 0)
		return got;
	if (msg.msg_flags & MSG_CTRUNC)
		got = (ssize_t)first_of(r->ahead, (size_t)got);
	return take_with_fds(sock, r, r->ahead, (size_t)got);
}

/*
 * At most @n bytes of one message, without the descriptors that they bring. The
 * look says what comes; the read takes no more than that. Results as take_with_fds().
 */
static ssize_t take_bare(int sock, struct vu_reader *r, uint8_t *to, size_t n)
{
	struct iovec iov = { to, n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t got = receive_some(sock, &msg, MSG_PEEK);
	_cleanup_fd_ int keeper = -1;

	if (got <= 0)
		return got;
	if (msg.msg_flags & MSG_CTRUNC) {
		keeper = vu_shed_take(r->shed, sock, (size_t)got);
		if (keeper < 0)
			return keeper;
	}
	iov.iov_len = r->got == 0 ? first_of(to, (size_t)got) : (size_t)got;
	msg = (struct msghdr){ .msg_iov = &iov, .msg_iovlen = 1 };
	return receive_some(sock, &msg, 0);
}

/*
 * Up to @n bytes of the message: of what was read ahead, else of the socket (-1: none). As
 * take_with_fds().
 */
static ssize_t take_next(int sock, struct vu_reader *r, uint8_t *to, size_t n)
{
	bool empty = r->at == r->end;
	ssize_t got;

	if (empty && sock < 0)
		return 0;
	if (empty && r->ahead && r->got == 0) {
		got = r->shed ? take_bare(sock, r, r->ahead, BARE_AHEAD) : read_ahead(sock, r);
		if (got <= 0)
			return got;
		r->at = 0;
		r->end = (size_t)got;
	} else if (empty && r->shed) {
		return take_bare(sock, r, to, n);
	} else if (empty) {
		return take_with_fds(sock, r, to, n);
	}
	if (n > r->end - r->at)
		n = r->end - r->at;
	memcpy(to, r->ahead + r->at, n);
	r->at += n;
	return (ssize_t)n;
}

/* The header is whole: is it one, and room for what it announces. */
static int begin_payload(struct vu_reader *r)
{
	struct vu_message *m = &r->m;

	if (m->header.size < HEADER || m->header.size > r->max)
		return -EPROTO;
	m->size = m->header.size - HEADER;
	if (!m->size)
		return 0;
	m->payload = malloc(m->size);
	return m->payload ? 0 : -ENOMEM;
}

/* Without the room for descriptors that it does not use. */
static void hand_over(struct vu_reader *r, struct vu_message *m)
{
	m->header = r->m.header;
	m->payload = r->m.payload;
	m->size = r->m.size;
	m->nfds = r->m.nfds;
	memcpy(m->fd, r->m.fd, m->nfds * sizeof(m->fd[0]));
	r->got = 0;
	r->m.payload = NULL;
	r->m.size = 0;
	r->m.nfds = 0;
}

int vu_read(int sock, struct vu_reader *r, struct vu_message *m)
{
	/*
	 * Unless it reads ahead it never asks for more than this message: what lies behind it is
	 * somebody else's.
	 */
	while (r->got < HEADER + r->m.size) {
		bool head = r->got < HEADER;
		uint8_t *at = head ? (uint8_t *)&r->m.header + r->got
				   : r->m.payload + (r->got - HEADER);
		ssize_t n = take_next(sock, r, at, (head ? HEADER : HEADER + r->m.size) - r->got);
		int rc;

		if (n <= 0)
			return (int)n;
		r->got += (size_t)n;
		rc = head && r->got == HEADER ? begin_payload(r) : 0;
		if (rc)
			return rc;
	}
	hand_over(r, m);
	return 1;
}

/* One message with @r, which is at its beginning. */
static int receive_by(struct vu_reader *r, int sock, struct vu_message *m, struct vu_limit *l)
{
	int rc;

	/*
	 * Nothing is there yet when a question has just been sent: a first look would be for
	 * nothing.
	 */
	do {
		int waited = wait_for(sock, POLLIN, l);

		/* Late, what is there already is taken all the same. */
		rc = waited == 0 || waited == -ETIMEDOUT || waited == -EINTR ? vu_read(sock, r, m)
									     : waited;
		if (rc == 0)
			rc = waited;
	} while (rc == 0);
	if (rc > 0)
		return 0;
	vu_reader_drop(r);
	*m = r->m;
	return rc;
}

int vu_receive(int sock, struct vu_message *m, size_t max, struct vu_limit *l)
{
	struct vu_reader r = { .max = max };

	return receive_by(&r, sock, m, l);
}

int vu_receive_bare(int sock, struct vu_message *m, size_t max, struct vu_limit *l,
		    struct vu_shed *shed)
{
	uint8_t ahead[BARE_AHEAD];
	struct vu_reader r = { .max = max, .ahead = ahead, .shed = shed };

	return receive_by(&r, sock, m, l);
}
