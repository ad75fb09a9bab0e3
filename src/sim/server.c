// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Clients of a simulated function, one after another. Nothing here waits for
 * a client: messages are read as they come, and while a reply waits for room in
 * the socket nothing more is read, so a client holds up only itself and
 * memory is bounded by one message in, one out and VU_AHEAD bytes.
 */
#include "sim/server.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "base/util.h"
#include "sim/request.h"
#include "vfio-user/leave.h"

/* A message that was begun has to be whole by then. Between messages a client may rest for ever. */
#define MESSAGE_LIMIT_US 5000000u

/* When accept() fails for want of memory or descriptors, look again after. */
#define ACCEPT_PAUSE_US 100000u

struct vu_server {
	struct sim_device *d;
	struct loop *loop;
	struct source listener; /* in the loop while nobody is served */
	uint64_t accept_at;	/* it is left out until then; 0: it is not */
	struct source in;	/* the client's socket; -1: none */
	/*
	 * base/loop.h hears of input only: an epoll that waits for room in the socket is readable
	 * when there is.
	 */
	struct source room;
	/* the eventfd by which the client unmasks INTx, the device's own; -1: none */
	struct source unmask;
	/* Delayed interrupts (latency=): the loop's own time limit counts milliseconds. */
	struct source timer;
	uint64_t timer_at; /* what it is set to, CLOCK_MONOTONIC us; UINT64_MAX: nothing */
	bool served, closing;
	struct vu_peer peer;
	struct vu_reader reader;
	struct vu_leave leave;	 /* vu_server_distrust() */
	uint8_t ahead[VU_AHEAD]; /* of it */
	uint64_t deadline;	 /* of a message that was begun; 0: none */
	uint8_t *reply;		 /* VU_MAX_MESSAGE */
	size_t size, sent;
};

static void listen_again(struct vu_server *s);

bool vu_server_busy(const struct vu_server *s)
{
	return s->in.fd >= 0;
}

/* --- the eventfd that unmasks INTx --- */

static void on_unmask(struct source *src)
{
	struct vu_server *s = src->owner;

	sim_unmask(s->d);
}

/* The device may close or replace it whenever it is given eventfds: not to be in the loop then. */
static void ignore_unmask(struct vu_server *s)
{
	if (s->unmask.fd >= 0)
		loop_del(s->loop, &s->unmask);
	s->unmask.fd = -1;
}

static int hear_unmask(struct vu_server *s)
{
	int rc;

	s->unmask.fd = sim_unmask_fd(s->d);
	rc = s->unmask.fd >= 0 ? loop_add(s->loop, &s->unmask) : 0;
	if (rc)
		s->unmask.fd = -1;
	return rc;
}

/* --- delayed interrupts --- */

static void on_timer(struct source *src)
{
	struct vu_server *s = src->owner;
	uint64_t expired;

	if (read(src->fd, &expired, sizeof(expired)) == sizeof(expired))
		s->timer_at = UINT64_MAX;
	sim_tick(s->d, now_us());
}

static void set_timer(struct vu_server *s)
{
	uint64_t due = sim_due(s->d);
	struct itimerspec at = { 0 };

	if (due == s->timer_at)
		return;
	s->timer_at = due;
	if (due != UINT64_MAX) {
		at.it_value.tv_sec = (time_t)(due / 1000000);
		at.it_value.tv_nsec = (long)(due % 1000000 * 1000);
	}
	/* All zero disarms it, which nothing that is due will be: it is a time since boot. */
	timerfd_settime(s->timer.fd, TFD_TIMER_ABSTIME, &at, NULL);
}

/* The client goes, and the device forgets it: eventfds closed, function reset. */
static void drop_client(struct vu_server *s)
{
	if (!vu_server_busy(s))
		return;
	if (s->room.fd >= 0) {
		loop_del(s->loop, &s->room);
		close(take_fd(&s->room.fd));
	} else {
		loop_del(s->loop, &s->in);
	}
	vu_reader_drop(&s->reader);
	vu_leave_socket(&s->leave, take_fd(&s->in.fd));
	s->deadline = 0;
	ignore_unmask(s);
	sim_device_disconnect(s->d);
	if (s->leave.kept)
		vu_leave_now(&s->leave);
	listen_again(s);
}

/* --- replies --- */

static int wait_to_reply(struct vu_server *s)
{
	struct epoll_event ev = { .events = EPOLLOUT };
	int rc;

	s->room.fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->room.fd < 0)
		return -errno;
	if (epoll_ctl(s->room.fd, EPOLL_CTL_ADD, s->in.fd, &ev) < 0)
		rc = -errno;
	else
		rc = loop_add(s->loop, &s->room);
	if (rc) {
		close(take_fd(&s->room.fd));
		return rc;
	}
	loop_del(s->loop, &s->in);
	return 0;
}

/* 1: all is out; 0: there is no room now; -errno. */
static int send_reply(struct vu_server *s)
{
	while (s->sent < s->size) {
		ssize_t n = send(s->in.fd, s->reply + s->sent, s->size - s->sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n >= 0)
			s->sent += (size_t)n;
		else if (errno == EAGAIN)
			return 0;
		else if (errno != EINTR)
			return -errno;
	}
	s->sent = 0;
	return 1;
}

/* --- messages --- */

static int answer_message(struct vu_server *s, struct vu_message *m)
{
	bool eventfds = m->header.command == VU_DEVICE_SET_IRQS;
	int rc;

	if (eventfds)
		ignore_unmask(s);
	rc = vu_answer(s->d, &s->peer, m, s->reply, &s->size);
	s->closing = rc < 0;
	return eventfds ? hear_unmask(s) : 0;
}

static int handle(struct vu_server *s, struct vu_message *m)
{
	int rc = answer_message(s, m);

	vu_message_leave(m, &s->leave);
	if (rc < 0)
		return rc;
	rc = send_reply(s);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return wait_to_reply(s);
	return s->closing ? -EPROTO : 0;
}

/* All that are there with @sock; -1: all that were read ahead. */
static void read_messages(struct vu_server *s, int sock)
{
	struct vu_message m;
	int rc;

	while ((rc = vu_read(sock, &s->reader, &m)) > 0) {
		s->deadline = 0;
		rc = handle(s, &m);
		if (rc < 0 || s->room.fd >= 0)
			break;
		sock = -1;
	}
	if (rc == 0 && s->room.fd < 0 && s->reader.got && !s->deadline)
		s->deadline = now_us() + MESSAGE_LIMIT_US;
	if (rc < 0)
		drop_client(s);
}

/* One look at the socket per wake: timers and signals get their turn, however fast a client is. */
static void on_client_input(struct source *src)
{
	read_messages(src->owner, src->fd);
}

static void on_room(struct source *src)
{
	struct vu_server *s = src->owner;
	int rc = send_reply(s);

	if (rc == 0)
		return;
	if (rc < 0 || s->closing || loop_add(s->loop, &s->in)) {
		drop_client(s);
		return;
	}
	loop_del(s->loop, &s->room);
	close(take_fd(&s->room.fd));
	/* The socket says nothing of what was read ahead. */
	read_messages(s, -1);
}

int vu_server_serve(struct vu_server *s, int sock)
{
	int rc = vu_server_busy(s) ? -EBUSY : 0;

	if (rc == 0) {
		s->in.fd = sock;
		rc = loop_add(s->loop, &s->in);
	}
	if (rc) {
		if (rc != -EBUSY)
			s->in.fd = -1;
		vu_leave_socket(&s->leave, sock);
		return rc;
	}
	/* A byte out of band would go beside the stream, and what is on it with it. */
	setsockopt(sock, SOL_SOCKET, SO_OOBINLINE, &(int){ 1 }, sizeof(int));
	s->served = true;
	s->peer = (struct vu_peer){ 0 };
	s->reader.max = VU_MAX_MESSAGE;
	s->reader.ahead = s->ahead;
	s->reader.leave = &s->leave;
	s->sent = 0;
	return 0;
}

/* --- clients --- */

static void pause_listening(struct vu_server *s)
{
	loop_del(s->loop, &s->listener);
	s->accept_at = now_us() + ACCEPT_PAUSE_US;
}

static void listen_again(struct vu_server *s)
{
	s->accept_at = 0;
	if (s->listener.fd >= 0 && !vu_server_busy(s) && loop_add(s->loop, &s->listener))
		s->accept_at = now_us() + ACCEPT_PAUSE_US;
}

static void on_client(struct source *src)
{
	struct vu_server *s = src->owner;
	int sock = accept4(src->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (sock < 0) {
		/*
		 * A client that gave up meanwhile is no reason to pause; a lasting error would
		 * spin.
		 */
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			pause_listening(s);
		return;
	}
	loop_del(s->loop, src);
	if (vu_server_serve(s, sock))
		listen_again(s);
}

int vu_server_listen(struct vu_server *s, int listener)
{
	int rc;

	s->listener.fd = listener;
	rc = vu_server_busy(s) ? 0 : loop_add(s->loop, &s->listener);
	if (rc)
		close(take_fd(&s->listener.fd));
	return rc;
}

/* --- life --- */

static bool is_eventfd(const void *owner, int fd)
{
	return sim_is_eventfd(owner, fd);
}

static int begin_server(struct vu_server *s)
{
	s->listener = (struct source){ .fd = -1, .ready = on_client, .owner = s };
	s->in = (struct source){ .fd = -1, .ready = on_client_input, .owner = s };
	s->room = (struct source){ .fd = -1, .ready = on_room, .owner = s };
	/*
	 * By edges: a semaphore of the client's (EFD_SEMAPHORE) may be readable 2^64-2 times, and
	 * would be for ever.
	 */
	s->unmask = (struct source){
		.fd = -1, .events = EPOLLIN | EPOLLET, .ready = on_unmask, .owner = s
	};
	s->timer = (struct source){ .fd = -1, .ready = on_timer, .owner = s };
	s->timer_at = UINT64_MAX;
	s->leave = (struct vu_leave){
		.gate = -1, .open_gate = -1, .harmless = is_eventfd, .owner = s->d
	};
	s->reply = malloc(VU_MAX_MESSAGE);
	if (!s->reply)
		return -ENOMEM;
	s->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return s->timer.fd < 0 ? -errno : loop_add(s->loop, &s->timer);
}

int vu_server_new(struct vu_server **out, struct sim_device *d, struct loop *loop)
{
	struct vu_server *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return -ENOMEM;
	s->d = d;
	s->loop = loop;
	rc = begin_server(s);
	if (rc) {
		vu_server_free(s);
		return rc;
	}
	*out = s;
	return 0;
}

static void forget_source(struct vu_server *s, struct source *src)
{
	if (src->fd < 0)
		return;
	loop_del(s->loop, src);
	close(take_fd(&src->fd));
}

int vu_server_distrust(struct vu_server *s)
{
	return vu_leave_init(&s->leave);
}

/* Clients that were never served go too, and what they have sent. */
static void turn_away(struct vu_server *s)
{
	int sock;

	if (s->leave.gate < 0 || s->listener.fd < 0)
		return;
	shutdown(s->listener.fd, SHUT_RDWR);
	while ((sock = accept4(s->listener.fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		vu_leave_socket(&s->leave, sock);
	if (s->leave.kept)
		vu_leave_now(&s->leave);
}

void vu_server_free(struct vu_server *s)
{
	if (!s)
		return;
	drop_client(s);
	turn_away(s);
	forget_source(s, &s->listener);
	forget_source(s, &s->timer);
	vu_leave_drop(&s->leave);
	free(s->reply);
	free(s);
}

/* When the loop has to be left though nothing came. */
static uint64_t server_due(const struct vu_server *s)
{
	uint64_t due = UINT64_MAX;

	if (s->deadline)
		due = s->deadline;
	if (s->accept_at && s->accept_at < due)
		due = s->accept_at;
	return due;
}

static void do_due(struct vu_server *s)
{
	uint64_t now;

	if (server_due(s) == UINT64_MAX)
		return;
	now = now_us();
	if (s->deadline && s->deadline <= now)
		drop_client(s);
	if (s->accept_at && s->accept_at <= now)
		listen_again(s);
}

int vu_server_run(struct vu_server *s, bool once)
{
	for (;;) {
		int rc;

		if (once && !vu_server_busy(s) && (s->served || s->listener.fd < 0))
			return 0;
		set_timer(s);
		rc = loop_wait(s->loop, server_due(s));
		if (rc < 0)
			return rc;
		do_due(s);
	}
}
