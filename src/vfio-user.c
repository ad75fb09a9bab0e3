// SPDX-License-Identifier: GPL-2.0-or-later
#include "vfio-user.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/vfio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "util.h"
#include "vu-wire.h"

#define DEFAULT_TIMEOUT_US 5000000u
#define PREFIX		   "vfio-user:"

/* The largest VERSION reply taken; libvfio-user's and QEMU's are below 300 bytes. */
#define MAX_REPLY 65536u

struct vfio_user {
	int sock; /* shut down, not closed, when the peer broke the protocol: the loop hears that */
	pid_t child;
	uint16_t id;
	uint64_t timeout_us;
	const struct trace *trace;
	struct vu_version peer;
	unsigned int chunk; /* descriptors per message */
	size_t transfer;    /* bytes per region access */
	bool broken;
	bool on[NR_IRQ_INDEX];
	uint32_t intx_flags; /* what GET_IRQ_INFO said, by which peers are told apart */
};

static const struct {
	const char *name;
	enum vu_command command;
} names[] = {
	{ "VFIO_USER_VERSION", VU_VERSION },
	{ "VFIO_USER_DEVICE_GET_INFO", VU_DEVICE_GET_INFO },
	{ "VFIO_USER_DEVICE_GET_REGION_INFO", VU_DEVICE_GET_REGION_INFO },
	{ "VFIO_USER_DEVICE_GET_IRQ_INFO", VU_DEVICE_GET_IRQ_INFO },
	{ "VFIO_USER_DEVICE_SET_IRQS", VU_DEVICE_SET_IRQS },
	{ "VFIO_USER_REGION_READ", VU_REGION_READ },
	{ "VFIO_USER_REGION_WRITE", VU_REGION_WRITE },
	{ "VFIO_USER_DEVICE_RESET", VU_DEVICE_RESET },
};

static const char *command_name(enum vu_command command)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].command == command)
			return names[i].name;
	return "VFIO_USER";
}

struct request {
	enum vu_command command;
	const void *payload;
	size_t size;
	const int *fd;
	unsigned int nfds;
	size_t reply_min; /* bytes of payload that the reply must have */
	const char *detail;
};

/* After this nothing can be trusted on the stream. */
static int broken(struct vfio_user *u, int rc)
{
	u->broken = true;
	shutdown(u->sock, SHUT_RDWR);
	return rc == -ECONNRESET || rc == -EPIPE ? -ENOTCONN : rc;
}

/* We offered no DMA: whatever a server asks of us is refused, so that it need not wait. */
static int refuse(struct vfio_user *u, const struct vu_message *m, uint64_t until)
{
	struct vu_header h = { .id = m->header.id,
			       .command = m->header.command,
			       .size = sizeof(h),
			       .flags = VU_REPLY | VU_ERROR,
			       .error = ENOTSUP };

	if (m->header.flags & VU_NO_REPLY)
		return 0;
	return vu_send(u->sock, &h, NULL, 0, NULL, 0, until);
}

static int check_reply(const struct vfio_user *u, const struct request *r, const struct vu_message *m)
{
	if (m->header.id != u->id || m->header.command != r->command)
		return -EPROTO;
	if (!(m->header.flags & VU_ERROR) && m->size < r->reply_min)
		return -EPROTO;
	return 0;
}

static int receive_reply(struct vfio_user *u, const struct request *r, struct vu_message *m, uint64_t until)
{
	for (;;) {
		int rc = vu_receive(u->sock, m, VU_MAX_MESSAGE, until);

		if (rc)
			return rc;
		if ((m->header.flags & VU_TYPE_MASK) == VU_REPLY) {
			rc = check_reply(u, r, m);
			if (rc)
				vu_message_drop(m);
			return rc;
		}
		rc = refuse(u, m, until);
		vu_message_drop(m);
		if (rc)
			return rc;
	}
}

/* An error reply may carry errno 0 (rust-vmm); behind ENOSPC the peer may say how many it grants. */
static int reply_error(const struct vfio_user *u, const struct request *r, const struct vu_message *m)
{
	uint32_t granted;

	if (!(m->header.flags & VU_ERROR))
		return 0;
	if (u->peer.grant && r->command == VU_DEVICE_SET_IRQS && m->header.error == ENOSPC &&
	    m->size >= sizeof(granted)) {
		memcpy(&granted, m->payload, sizeof(granted));
		if (granted > 0 && granted < 2048)
			return (int)granted;
	}
	return m->header.error > 0 && m->header.error < 4096 ? -(int)m->header.error : -EIO;
}

/* One exchange. 0 and the reply in @m (to be dropped by the caller), a positive grant, or -errno. */
static int exchange(struct vfio_user *u, const struct request *r, struct vu_message *m)
{
	struct vu_header h = { .id = ++u->id, .command = r->command, .size = (uint32_t)(sizeof(h) + r->size) };
	uint64_t begin = now_us(), until = begin + u->timeout_us;
	int rc;

	*m = (struct vu_message){ 0 };
	if (u->broken)
		return -ENOTCONN;
	rc = vu_send(u->sock, &h, r->payload, r->size, r->fd, r->nfds, until);
	if (rc == 0)
		rc = receive_reply(u, r, m, until);
	if (rc == 0) {
		rc = reply_error(u, r, m);
		if (rc)
			vu_message_drop(m);
	} else {
		rc = broken(u, rc);
	}
	trace_call(u->trace, command_name(r->command), r->detail ? r->detail : "", rc, now_us() - begin);
	return rc;
}

/* An exchange whose reply has @size bytes that are wanted. */
static int ask(struct vfio_user *u, const struct request *r, void *reply, size_t size)
{
	struct vu_message m;
	int rc = exchange(u, r, &m);

	if (rc)
		return rc;
	if (size)
		memcpy(reply, m.payload, size);
	vu_message_drop(&m);
	return 0;
}

static int agree_version(struct vfio_user *u, struct error *e)
{
	struct vu_version ours = {
		.major = 0, .minor = 0, .max_msg_fds = VU_MAX_FDS, .max_data_xfer = VU_DEFAULT_XFER, .grant = true
	};
	uint8_t payload[512];
	size_t size = vu_version_format(&ours, payload, sizeof(payload));
	struct request r = { .command = VU_VERSION, .payload = payload, .size = size, .reply_min = 4 };
	struct vu_message m;
	int rc = exchange(u, &r, &m);

	if (rc == 0) {
		rc = vu_version_parse(m.payload, m.size, &u->peer);
		vu_message_drop(&m);
	}
	if (rc == -ETIMEDOUT) {
		rc = fail(e, CAUSE_BUSY, ETIMEDOUT,
			  "the server does not answer: it may be serving another client, or hang");
		hint(e, "--timeout T waits longer");
		return rc;
	}
	if (rc == -ENOTCONN)
		return fail(e, CAUSE_NO_DEVICE, ENOTCONN, "the server closed the connection at once");
	if (rc)
		return fail(e, CAUSE_FAILED, rc > 0 ? EPROTO : -rc, "the peer does not agree on a vfio-user version");
	if (u->peer.major != 0)
		return fail(e, CAUSE_FAILED, EPROTO, "the peer speaks vfio-user %u.%u, not 0.x", u->peer.major,
			    u->peer.minor);
	u->chunk = u->peer.max_msg_fds < 1 ? 1 : u->peer.max_msg_fds > VU_MAX_FDS ? VU_MAX_FDS : u->peer.max_msg_fds;
	u->transfer = u->peer.max_data_xfer < VU_DEFAULT_XFER ? (size_t)u->peer.max_data_xfer : VU_DEFAULT_XFER;
	return u->transfer ? 0 : fail(e, CAUSE_FAILED, EPROTO, "the peer takes no data at all (max_data_xfer_size 0)");
}

int vfio_user_start(int sock, pid_t child, const struct open_request *req, void **handle, struct error *e)
{
	struct vfio_user *u = calloc(1, sizeof(*u));
	int rc;

	if (!u) {
		close(sock);
		return fail(e, CAUSE_FAILED, ENOMEM, "no memory");
	}
	u->sock = sock;
	u->child = child;
	u->trace = req->trace;
	u->timeout_us = req->timeout_us ? req->timeout_us : DEFAULT_TIMEOUT_US;
	rc = agree_version(u, e);
	if (rc) {
		vfio_user_close(u);
		return rc;
	}
	*handle = u;
	return 0;
}

static bool claims(const char *spec)
{
	return strncmp(spec, PREFIX, strlen(PREFIX)) == 0;
}

static int explain_connect(const char *path, int err, struct error *e)
{
	static const struct {
		int err;
		enum cause cause;
		const char *why;
	} known[] = {
		{ ENOENT, CAUSE_NO_DEVICE, "there is no such socket" },
		{ ECONNREFUSED, CAUSE_NO_DEVICE, "nobody serves this socket any more" },
		{ ENOTSOCK, CAUSE_NO_DEVICE, "it is no socket" },
		{ EACCES, CAUSE_PERMISSION, "this user may not connect" },
		{ EAGAIN, CAUSE_BUSY, "the server takes no further client" },
		{ EPROTOTYPE, CAUSE_FAILED, "it is no stream socket" },
	};
	char name[128];

	escape_text(path, name, sizeof(name));
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].err == err)
			return fail(e, known[i].cause, err, "%s: %s", name, known[i].why);
	return fail(e, CAUSE_FAILED, err, "%s: cannot connect", name);
}

static int user_open(const struct open_request *req, void **handle, struct error *e)
{
	const char *path = req->spec + strlen(PREFIX);
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	uint64_t us = req->timeout_us ? req->timeout_us : DEFAULT_TIMEOUT_US;
	struct timeval limit = { .tv_sec = (time_t)(us / 1000000), .tv_usec = (suseconds_t)(us % 1000000) };
	_cleanup_fd_ int sock = -1;

	if (!path[0] || strlen(path) >= sizeof(sun.sun_path))
		return fail(e, CAUSE_USAGE, 0, "a socket's path has 1 to %zu bytes", sizeof(sun.sun_path) - 1);
	copy_text(sun.sun_path, sizeof(sun.sun_path), path);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return fail(e, CAUSE_FAILED, errno, "no socket");
	/* A full backlog makes connect() wait; the send timeout bounds that (unix(7)). */
	setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(sock, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		return explain_connect(path, errno, e);
	return vfio_user_start(take_fd(&sock), 0, req, handle, e);
}

void vfio_user_close(void *handle)
{
	struct vfio_user *u = handle;

	close(u->sock);
	if (u->child > 0) {
		/* It has nothing to put back, and a stopped one would never see the end of the stream. */
		kill(u->child, SIGKILL);
		while (waitpid(u->child, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	free(u);
}

int vfio_user_device_info(void *handle, struct device_info *info, struct error *e)
{
	struct vfio_device_info di = { .argsz = 16 };
	struct request r = { .command = VU_DEVICE_GET_INFO, .payload = &di, .size = 16, .reply_min = 16 };
	int rc = ask(handle, &r, &di, 16);

	if (rc)
		return fail(e, rc == -ENOTCONN ? CAUSE_NO_DEVICE : CAUSE_FAILED, -rc, "DEVICE_GET_INFO failed");
	if (!(di.flags & VFIO_DEVICE_FLAGS_PCI))
		return fail(e, CAUSE_FAILED, 0, "the served device is no PCI function");
	*info = (struct device_info){ .regions = di.num_regions,
				      .irqs = di.num_irqs,
				      .reset = di.flags & VFIO_DEVICE_FLAGS_RESET };
	return 0;
}

int vfio_user_irq_info(void *handle, enum irq_index index, struct irq_info *info)
{
	struct vfio_user *u = handle;
	struct vfio_irq_info ii = { .argsz = sizeof(ii), .index = index };
	struct request r = { .command = VU_DEVICE_GET_IRQ_INFO,
			     .payload = &ii,
			     .size = sizeof(ii),
			     .reply_min = sizeof(ii),
			     .detail = irq_index_word(index) };
	int rc = ask(u, &r, &ii, sizeof(ii));

	if (rc)
		return rc;
	if (index == IRQ_INTX)
		u->intx_flags = ii.flags;
	*info = (struct irq_info){ .count = ii.count, .flags = ii.flags };
	return 0;
}

/* One SET_IRQS message; @nfds descriptors, or none. */
static int send_set(struct vfio_user *u, const struct irq_set *s, uint32_t flags, unsigned int start,
		    unsigned int count, const int *fd, unsigned int nfds)
{
	uint8_t payload[sizeof(struct vfio_irq_set) + MAX_VECTORS];
	size_t data = s->data == IRQ_DATA_BOOL ? count : 0;
	struct vfio_irq_set set = { .argsz = (uint32_t)(sizeof(set) + data),
				    .flags = flags,
				    .index = s->index,
				    .start = start,
				    .count = count };
	struct request r = {
		.command = VU_DEVICE_SET_IRQS, .payload = payload, .size = set.argsz, .fd = fd, .nfds = nfds
	};
	char text[192] = "";

	if (data > MAX_VECTORS)
		return -EINVAL;
	memcpy(payload, &set, sizeof(set));
	for (unsigned int i = 0; i < data; i++)
		payload[sizeof(set) + i] = vector_set_has(&s->attach, start + i);
	if (u->trace->on)
		snprintf(text, sizeof(text), "index=%s start=%u count=%u flags=0x%x fds=%u", irq_index_word(s->index),
			 start, count, flags, nfds);
	r.detail = text;
	return ask(u, &r, NULL, 0);
}

/* Runs of vectors with and without an eventfd; a message holds only one kind, and at most u->chunk descriptors. */
static int send_runs(struct vfio_user *u, const struct irq_set *s, uint32_t flags, const int32_t *eventfd)
{
	unsigned int at = 0;

	while (at < s->count) {
		bool valid = eventfd[at] >= 0;
		unsigned int n = 1;
		int rc;

		while (at + n < s->count && (eventfd[at + n] >= 0) == valid && (!valid || n < u->chunk))
			n++;
		rc = send_set(u, s, flags, s->start + at, n, valid ? eventfd + at : NULL, valid ? n : 0);
		if (rc)
			return rc;
		at += n;
	}
	return 0;
}

static unsigned int messages(const struct vfio_user *u, const struct irq_set *s, const int32_t *eventfd)
{
	unsigned int n = 0, run = 0;

	for (unsigned int i = 0; i < s->count; i++) {
		bool same = i > 0 && (eventfd[i] >= 0) == (eventfd[i - 1] >= 0) && (eventfd[i] < 0 || run < u->chunk);

		run = same ? run + 1 : 1;
		n += !same;
	}
	return n;
}

/*
 * A set in several messages is not atomic. On the first enable a message
 * without descriptors asks for all of it, so that the platform hears the count
 * up front and an index that is NORESIZE can be filled; what fails midway is
 * undone as a whole.
 */
static int set_eventfds(struct vfio_user *u, const struct irq_set *s, uint32_t flags, const int32_t *eventfd)
{
	bool first = !u->on[s->index], several = messages(u, s, eventfd) > 1;
	int rc = 0;

	if (first && several)
		rc = send_set(u, s, flags, s->start, s->count, NULL, 0);
	if (rc)
		return rc;
	rc = send_runs(u, s, flags, eventfd);
	if (rc == 0) {
		u->on[s->index] = true;
		return 0;
	}
	if (several && first)
		send_set(u, s, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 0, NULL, 0);
	else if (several)
		send_set(u, s, flags, s->start, s->count, NULL, 0);
	return rc;
}

int vfio_user_set_irqs(void *handle, const struct irq_set *s, const int32_t *eventfd)
{
	static const uint32_t data[] = { VFIO_IRQ_SET_DATA_NONE, VFIO_IRQ_SET_DATA_BOOL, VFIO_IRQ_SET_DATA_EVENTFD };
	static const uint32_t action[] = { VFIO_IRQ_SET_ACTION_TRIGGER, VFIO_IRQ_SET_ACTION_MASK,
					   VFIO_IRQ_SET_ACTION_UNMASK };
	struct vfio_user *u = handle;
	uint32_t flags = data[s->data] | action[s->action];
	int rc;

	if (s->data == IRQ_DATA_EVENTFD)
		return set_eventfds(u, s, flags, eventfd);
	rc = send_set(u, s, flags, s->start, s->count, NULL, 0);
	if (rc == 0 && s->data == IRQ_DATA_NONE && s->count == 0)
		u->on[s->index] = false;
	return rc;
}

int vfio_user_region_info(void *handle, enum region_index region, struct region_info *info)
{
	struct vfio_region_info ri = { .argsz = sizeof(ri), .index = region };
	struct request r = {
		.command = VU_DEVICE_GET_REGION_INFO, .payload = &ri, .size = sizeof(ri), .reply_min = sizeof(ri)
	};
	int rc = ask(handle, &r, &ri, sizeof(ri));

	if (rc)
		return rc;
	*info = (struct region_info){ .size = ri.size,
				      .read = ri.flags & VFIO_REGION_INFO_FLAG_READ,
				      .write = ri.flags & VFIO_REGION_INFO_FLAG_WRITE };
	return 0;
}

struct region_access {
	uint64_t offset;
	uint32_t region, count;
};

/* Reply and request begin alike; a reply for another place or length is a broken peer. */
static int check_access(const struct region_access *asked, const struct vu_message *m, size_t data)
{
	struct region_access got;

	memcpy(&got, m->payload, sizeof(got));
	if (got.offset != asked->offset || got.region != asked->region || got.count != asked->count)
		return -EPROTO;
	return m->size == sizeof(got) + data ? 0 : -EPROTO;
}

static int access_region(struct vfio_user *u, enum vu_command command, struct region_access *a, void *buf)
{
	bool write = command == VU_REGION_WRITE;
	size_t size = sizeof(*a) + (write ? a->count : 0);
	_cleanup_free_ uint8_t *payload = malloc(size);
	struct request r = { .command = command, .payload = payload, .size = size, .reply_min = sizeof(*a) };
	struct vu_message m;
	char text[96] = "";
	int rc;

	if (!payload)
		return -ENOMEM;
	memcpy(payload, a, sizeof(*a));
	if (write)
		memcpy(payload + sizeof(*a), buf, a->count);
	if (u->trace->on)
		snprintf(text, sizeof(text), "region=%u offset=0x%" PRIx64 " size=%u", a->region, a->offset, a->count);
	r.detail = text;
	rc = exchange(u, &r, &m);
	if (rc)
		return rc > 0 ? -EIO : rc;
	rc = check_access(a, &m, write ? 0 : a->count);
	if (rc == 0 && !write)
		memcpy(buf, m.payload + sizeof(*a), a->count);
	vu_message_drop(&m);
	return rc ? broken(u, rc) : 0;
}

static ssize_t access_all(struct vfio_user *u, enum vu_command command, enum region_index region, void *buf, size_t n,
			  uint64_t offset)
{
	size_t done = 0;

	while (done < n) {
		struct region_access a = { .offset = offset + done,
					   .region = region,
					   .count = (uint32_t)(n - done < u->transfer ? n - done : u->transfer) };
		int rc = access_region(u, command, &a, (char *)buf + done);

		if (rc)
			return rc;
		done += a.count;
	}
	return (ssize_t)done;
}

ssize_t vfio_user_region_read(void *handle, enum region_index region, void *buf, size_t n, uint64_t offset)
{
	return access_all(handle, VU_REGION_READ, region, buf, n, offset);
}

ssize_t vfio_user_region_write(void *handle, enum region_index region, const void *buf, size_t n, uint64_t offset)
{
	return access_all(handle, VU_REGION_WRITE, region, (void *)buf, n, offset);
}

int vfio_user_reset(void *handle)
{
	struct request r = { .command = VU_DEVICE_RESET };

	return ask(handle, &r, NULL, 0);
}

int vfio_user_peer_fd(void *handle)
{
	return ((struct vfio_user *)handle)->sock;
}

/* Between exchanges only a request of the server's or the end of the stream can come. */
int vfio_user_peer_ready(void *handle)
{
	struct vfio_user *u = handle;
	uint64_t until = now_us() + u->timeout_us;
	struct vu_message m;
	int rc = u->broken ? -ENOTCONN : vu_receive(u->sock, &m, MAX_REPLY, until);

	if (rc)
		return broken(u, rc);
	rc = (m.header.flags & VU_TYPE_MASK) == VU_COMMAND ? refuse(u, &m, until) : -EPROTO;
	vu_message_drop(&m);
	return rc ? broken(u, rc) : 0;
}

void vfio_user_peer_text(void *handle, char *buf, size_t size)
{
	const struct vfio_user *u = handle;

	snprintf(buf, size, "vfio-user %u.%u, up to %u descriptors per message, %" PRIu64 " bytes per access%s",
		 u->peer.major, u->peer.minor, u->peer.max_msg_fds, u->peer.max_data_xfer,
		 u->peer.grant ? ", tells short grants" : "");
}

/* libvfio-user says 8 descriptors, and EVENTFD alone of every index, INTx included; rust-vmm says 1. */
static bool is_libvfio_user(const struct vfio_user *u)
{
	return u->peer.max_msg_fds == 8 && u->intx_flags == VFIO_IRQ_INFO_EVENTFD;
}

const char *vfio_user_peer_quirk(void *handle, unsigned int i)
{
	static const char *const libvfio_user[] = {
		"looks like libvfio-user: intx, msi and msix share one eventfd array (its issue 388), so only one of "
		"them is used",
		"looks like libvfio-user: releasing part of the vectors may leave eventfds with the peer; they are "
		"closed here",
		"looks like libvfio-user: mask and unmask succeed and do nothing (its issues 806 and 807)",
	};
	static const char *const rust_vmm[] = {
		"takes one descriptor per message, as rust-vmm's server does; its errors mostly carry errno 0, shown "
		"as EIO",
	};
	const struct vfio_user *u = handle;

	if (is_libvfio_user(u))
		return i < ARRAY_SIZE(libvfio_user) ? libvfio_user[i] : NULL;
	if (u->peer.max_msg_fds == 1)
		return i < ARRAY_SIZE(rust_vmm) ? rust_vmm[i] : NULL;
	return NULL;
}

const struct backend vfio_user_backend = {
	.name = "vfio-user",
	.help = "vfio-user:SOCKET, a device that another process serves",
	.claims = claims,
	.open = user_open,
	VFIO_USER_OPERATIONS,
};
