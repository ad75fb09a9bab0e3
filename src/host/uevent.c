// SPDX-License-Identifier: GPL-2.0-or-later
/* The socket that the events come by. The only includer of libnl. */
#include "host/uevent.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "base/util.h"

/* lib/kobject_uevent.c, UEVENT_KERNEL: the group "kernel"; 2 is udev's own. */
#define GROUP_KERNEL 1

/*
 * include/linux/kobject.h: the variables take UEVENT_BUFFER_SIZE = 2048 bytes
 * at most, and the path in front of them stands among them too.
 */
#define MAX_MESSAGE 8192

/*
 * Making 256 virtual functions sends some thousand events at once; memory is taken only while they
 * wait.
 */
#define RECEIVE_BUFFER (2 << 20)

/* A storm must not keep the loop from hearing Ctrl-C. */
#define BATCH 256

struct uevents {
	struct nl_sock *sock;
	struct loop *loop;
	struct source source; /* fd -1 until it is in the loop */
	struct uevent_handler handler;
	bool overrun; /* to be told when the queue is empty */
	uint64_t disbelieved;
};

/*
 * Root can send to the group (nl_pid is its own then), and can ask the kernel
 * to pass a message of its own on (uevent_net_rcv_skb() in lib/kobject_uevent.c:
 * nl_pid is 0 and the credentials stay the sender's). What the kernel says
 * itself has neither; no process can claim pid 0 (scm_check_creds()).
 */
static bool from_kernel(const struct sockaddr_nl *from, const struct ucred *cred)
{
	return from->nl_pid == 0 && cred && cred->pid == 0;
}

static void take(struct uevents *u, const struct sockaddr_nl *from, const struct ucred *cred,
		 const char *msg, size_t len)
{
	struct uevent ev;

	if (!from_kernel(from, cred) || uevent_parse(msg, len, &ev)) {
		u->disbelieved++;
		return;
	}
	if (uevent_of_interest(&ev))
		u->handler.event(u->handler.ctx, &ev);
}

/* Returns false when there is nothing more to read. */
static bool receive(struct uevents *u)
{
	_cleanup_free_ unsigned char *msg = NULL;
	_cleanup_free_ struct ucred *cred = NULL;
	struct sockaddr_nl from = { 0 };
	int n = nl_recv(u->sock, &from, &msg, &cred);

	if (n == -NLE_AGAIN)
		return false;
	if (n > 0)
		take(u, &from, cred, (const char *)msg, (size_t)n);
	else if (n == -NLE_MSG_TRUNC || n == 0)
		u->disbelieved++; /* the kernel's messages are shorter than that, and never empty */
	else
		u->overrun =
			true; /* ENOBUFS; nor does any other error say that nothing is missing */
	return true;
}

/*
 * ENOBUFS comes ahead of the messages that are still queued, and from then on
 * the kernel drops everything until the queue is empty (netlink_overrun() and
 * netlink_rcv_wake() in net/netlink/af_netlink.c): the gap is at the end.
 */
static void on_ready(struct source *s)
{
	struct uevents *u = s->owner;

	for (int i = 0; i < BATCH; i++)
		if (!receive(u)) {
			if (u->overrun && u->handler.overrun)
				u->handler.overrun(u->handler.ctx);
			u->overrun = false;
			return;
		}
}

/*
 * Beyond net.core.rmem_max if we may; what the kernel does not give costs events in a storm, which
 * is told.
 */
static void enlarge(struct nl_sock *sock)
{
	int size = RECEIVE_BUFFER;

	if (setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		nl_socket_set_buffer_size(sock, size, 0);
}

/* libnl's numbers are its own; those of the system calls behind them are still in errno. */
static int set_up(struct uevents *u)
{
	errno = 0;
	nl_join_groups(u->sock, GROUP_KERNEL);
	if (nl_connect(u->sock, NETLINK_KOBJECT_UEVENT) < 0 ||
	    nl_socket_set_passcred(u->sock, 1) < 0 || nl_socket_set_nonblocking(u->sock) < 0 ||
	    nl_socket_set_msg_buf_size(u->sock, MAX_MESSAGE) < 0)
		return errno ? -errno : -EIO;
	enlarge(u->sock);
	u->source.fd = nl_socket_get_fd(u->sock);
	return 0;
}

int uevents_open(struct uevents **out, struct loop *loop, const struct uevent_handler *h)
{
	struct uevents *u = calloc(1, sizeof(*u));
	int rc;

	if (!u)
		return -ENOMEM;
	u->loop = loop;
	u->handler = *h;
	u->source = (struct source){ .fd = -1, .ready = on_ready, .owner = u };
	u->sock = nl_socket_alloc();
	rc = u->sock ? set_up(u) : -ENOMEM;
	if (!rc) {
		rc = loop_add(loop, &u->source);
		if (rc)
			u->source.fd = -1;
	}
	if (rc) {
		uevents_close(u);
		return rc;
	}
	*out = u;
	return 0;
}

void uevents_close(struct uevents *u)
{
	if (!u)
		return;
	if (u->source.fd >= 0)
		loop_del(u->loop, &u->source);
	nl_socket_free(u->sock);
	free(u);
}

uint64_t uevents_disbelieved(const struct uevents *u)
{
	return u->disbelieved;
}
