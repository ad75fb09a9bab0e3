// SPDX-License-Identifier: GPL-2.0-or-later
/* One request, one reply: in time, the right one, and whatever else the peer says meanwhile. */
#include <errno.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/loop.h"
#include "base/util.h"
#include "vfio-user/internal.h"

/* A server whose client offers no DMA has nothing to ask for. */
#define MAX_FOREIGN 64

/* How long the rest of a message may take that came unasked. */
#define REST_US 1000000u

/*
 * After a signal that asks to stop: what a command at a peer that answers at once needs to come to
 * its end.
 */
#define HURRY_US 500000u

/* Names in traces. */
static const char *const names[] = {
	[VU_VERSION] = "VFIO_USER_VERSION",
	[VU_DEVICE_GET_INFO] = "VFIO_USER_DEVICE_GET_INFO",
	[VU_DEVICE_GET_REGION_INFO] = "VFIO_USER_DEVICE_GET_REGION_INFO",
	[VU_DEVICE_GET_IRQ_INFO] = "VFIO_USER_DEVICE_GET_IRQ_INFO",
	[VU_DEVICE_SET_IRQS] = "VFIO_USER_DEVICE_SET_IRQS",
	[VU_REGION_READ] = "VFIO_USER_REGION_READ",
	[VU_REGION_WRITE] = "VFIO_USER_REGION_WRITE",
	[VU_DEVICE_RESET] = "VFIO_USER_DEVICE_RESET",
};

int peer_give_up(struct vfio_user *u, int rc)
{
	if (rc == -ECONNRESET || rc == -EPIPE)
		rc = -ENOTCONN;
	if (!u->end)
		u->end = rc;
	shutdown(u->sock, SHUT_RDWR);
	return rc;
}

/*
 * We offered no DMA: whatever a server asks of us is refused, so that it need
 * not wait. Nor do we: who asks without end and does not read is no server.
 */
static int refuse_request(struct vfio_user *u, const struct vu_message *m)
{
	struct vu_frame f = { .header = { .id = m->header.id,
					  .command = m->header.command,
					  .size = sizeof(f.header),
					  .flags = VU_REPLY | VU_ERROR,
					  .error = ENOTSUP } };

	if (++u->foreign > MAX_FOREIGN)
		return -EPROTO;
	if (m->header.flags & VU_NO_REPLY)
		return 0;
	return vu_send(u->sock, &f, VU_UNTIL(0));
}

static int check_reply(const struct vfio_user *u, const struct peer_request *r,
		       const struct vu_message *m)
{
	if (m->header.id != u->id || m->header.command != r->command)
		return -EPROTO;
	if (!(m->header.flags & VU_ERROR) && m->size < r->reply_min)
		return -EPROTO;
	return 0;
}

static int receive_reply(struct vfio_user *u, const struct peer_request *r, struct vu_message *m,
			 struct vu_limit *l)
{
	int rc;

	do {
		rc = vu_receive_bare(u->sock, m, VU_MAX_MESSAGE, l, &u->shed);
		if (rc)
			return rc;
		if ((m->header.flags & VU_TYPE_MASK) == VU_REPLY) {
			rc = check_reply(u, r, m);
			if (rc)
				vu_message_drop(m);
			return rc;
		}
		rc = refuse_request(u, m);
		vu_message_drop(m);
	} while (rc == 0 && (rc = vu_over(l)) == 0);
	return rc;
}

/* What is granted is less than what was asked for; any other number tells nothing. */
static bool believable(uint32_t granted, const struct peer_request *r)
{
	struct vfio_irq_set set;

	memcpy(&set, r->payload, sizeof(set));
	return granted > 0 && granted < set.start + set.count;
}

/*
 * An error reply may carry errno 0 (rust-vmm); behind ENOSPC the peer may say how many it grants.
 */
static int reply_error(struct vfio_user *u, const struct peer_request *r,
		       const struct vu_message *m)
{
	uint32_t granted;

	if (!(m->header.flags & VU_ERROR))
		return 0;
	u->refusal = m->header.error;
	if (u->peer.grant && r->command == VU_DEVICE_SET_IRQS && m->header.error == ENOSPC &&
	    m->size >= sizeof(granted)) {
		memcpy(&granted, m->payload, sizeof(granted));
		if (believable(granted, r))
			return (int)granted;
	}
	return m->header.error > 0 && m->header.error < 4096 ? -(int)m->header.error : -EIO;
}

static void trace_exchange(const struct vfio_user *u, const struct peer_request *r,
			   const struct vu_message *m, int rc, uint64_t us)
{
	char told[160] = "";

	if (!u->trace->on)
		return;
	if (rc == 0 && r->words)
		r->words(m->payload, told, sizeof(told));
	if (rc == 0 && r->command == VU_REGION_READ)
		region_value((const char *)m->payload + r->reply_min, m->size - r->reply_min, "",
			     told, sizeof(told));
	trace_answer(u->trace, names[r->command], r->detail ? r->detail : "", rc,
		     told[0] ? told : NULL, us);
}

void peer_begin(struct vfio_user *u)
{
	u->until = now_us() + u->timeout_us;
}

void peer_done(struct vfio_user *u)
{
	u->until = 0;
}

/*
 * Each message has its grace after a signal (vu_limit), and a command may have
 * thousands. So soon after the signal the peer is asked only what putting back
 * is made of, and the connection is kept for that.
 */
static int check_stop(struct vfio_user *u, const struct peer_request *r, uint64_t now)
{
	if (!u->loop || !loop_hear(u->loop)) {
		u->stop = 0;
		u->unasked = false;
		return 0;
	}
	if (!u->stop)
		u->stop = now;
	if (r->puts_back || now - u->stop < HURRY_US)
		return 0;
	u->unasked = true;
	return -EINTR;
}

/* Of this message, of the operation that it is a part of, and of all that comes after a signal. */
static uint64_t time_limit(const struct vfio_user *u, uint64_t now)
{
	uint64_t until = now + u->timeout_us;

	if (u->until && u->until < until)
		until = u->until;
	if (u->stop && u->stop + u->timeout_us < until)
		until = u->stop + u->timeout_us;
	return until;
}

int peer_exchange(struct vfio_user *u, const struct peer_request *r, struct vu_message *m)
{
	struct vu_frame f = { .header = { .id = ++u->id,
					  .command = r->command,
					  .size = (uint32_t)(sizeof(f.header) + r->size) },
			      .payload = r->payload,
			      .size = r->size,
			      .fd = r->fd,
			      .nfds = r->nfds };
	uint64_t begin = now_us();
	struct vu_limit limit = { .loop = u->loop };
	int rc;

	*m = (struct vu_message){ 0 };
	if (u->end)
		return -ENOTCONN;
	rc = check_stop(u, r, begin);
	if (rc)
		return rc;
	limit.until = time_limit(u, begin);
	rc = vu_send(u->sock, &f, &limit);
	if (rc == 0)
		rc = receive_reply(u, r, m, &limit);
	if (rc == 0) {
		u->foreign = 0;
		rc = reply_error(u, r, m);
	} else {
		rc = peer_give_up(u, rc);
	}
	trace_exchange(u, r, m, rc, now_us() - begin);
	if (rc)
		vu_message_drop(m);
	return rc;
}

int peer_ask(struct vfio_user *u, const struct peer_request *r, void *reply, size_t size)
{
	struct vu_message m;
	int rc = peer_exchange(u, r, &m);

	if (rc)
		return rc;
	if (size)
		memcpy(reply, m.payload, size);
	vu_message_drop(&m);
	return 0;
}

/* Between exchanges only a request of the server's or the end of the stream can come. */
int vfio_user_peer_ready(void *handle)
{
	struct vfio_user *u = handle;
	struct vu_limit limit = { .until = now_us() +
					   (u->timeout_us < REST_US ? u->timeout_us : REST_US),
				  .loop = u->loop };
	struct vu_message m;
	int rc = u->end ? -ENOTCONN
			: vu_receive_bare(u->sock, &m, VU_MAX_MESSAGE, &limit, &u->shed);

	if (rc)
		return peer_give_up(u, rc);
	rc = (m.header.flags & VU_TYPE_MASK) == VU_COMMAND ? refuse_request(u, &m) : -EPROTO;
	vu_message_drop(&m);
	return rc ? peer_give_up(u, rc) : 0;
}
