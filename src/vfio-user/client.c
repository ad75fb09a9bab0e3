// SPDX-License-Identifier: GPL-2.0-or-later
/* A vfio-user peer's connection: found, agreed on, closed. */
#include "vfio-user/client.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/util.h"
#include "vfio-user/internal.h"

#define DEFAULT_TIMEOUT_US 5000000u
#define PREFIX		   "vfio-user:"

/* A full backlog lets connect() wait in slices of this: signals are blocked meanwhile. */
#define SLICE_US 100000

/* What a simulation has to close, 2048 eventfds at most, takes a fraction of this. */
#define CHILD_SECONDS 1

static int take_version(struct vfio_user *u, struct error *e)
{
	if (u->peer.major != 0)
		return fail(e, CAUSE_FAILED, EPROTO, "the peer speaks vfio-user %u.%u, not 0.x",
			    u->peer.major, u->peer.minor);
	u->chunk = u->peer.max_msg_fds < VU_MAX_FDS ? u->peer.max_msg_fds : VU_MAX_FDS;
	u->transfer = u->peer.max_data_xfer < VU_DEFAULT_XFER ? (size_t)u->peer.max_data_xfer
							      : VU_DEFAULT_XFER;
	return 0;
}

static int agree_version(struct vfio_user *u, struct error *e)
{
	struct vu_version ours = { .major = 0,
				   .minor = 0,
				   .max_msg_fds = VU_MAX_FDS,
				   .max_data_xfer = VU_DEFAULT_XFER,
				   .grant = true };
	uint8_t payload[512];
	size_t size = vu_version_format(&ours, payload, sizeof(payload));
	struct peer_request r = {
		.command = VU_VERSION, .payload = payload, .size = size, .reply_min = 4
	};
	struct vu_message m;
	int rc = peer_exchange(u, &r, &m);

	if (rc == 0) {
		rc = vu_version_parse(m.payload, m.size, &u->peer);
		vu_message_drop(&m);
		if (rc)
			return fail(e, CAUSE_FAILED, EPROTO,
				    "the peer's capabilities are not understood");
	}
	/* The errno of a refusal may be any of these too. */
	if (u->end == -ETIMEDOUT) {
		rc = fail(e, CAUSE_BUSY, ETIMEDOUT,
			  "the server does not answer: it may be serving another client, or hang");
		hint(e, "--timeout T waits longer");
		return rc;
	}
	if (u->end == -ENOTCONN)
		return fail(e, CAUSE_NO_DEVICE, ENOTCONN,
			    "the server closed the connection at once");
	if (rc)
		return vfio_user_explain(u, rc, "VERSION", e);
	return take_version(u, e);
}

/*
 * It ends by itself, with the stream; a stopped one would never see that, and has nothing to put
 * back.
 */
static void end_child(pid_t child)
{
	const struct timespec limit = { .tv_sec = CHILD_SECONDS };
	sigset_t chld, before;
	pid_t ended;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &before);
	do {
		ended = waitpid(child, NULL, WNOHANG);
	} while (ended == 0 && sigtimedwait(&chld, NULL, &limit) > 0);
	if (ended == 0) {
		kill(child, SIGKILL);
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
}

int vfio_user_start(int sock, pid_t child, const struct open_request *req, void **handle,
		    struct error *e)
{
	struct vfio_user *u = calloc(1, sizeof(*u));
	int rc;

	if (!u) {
		close(sock);
		if (child > 0)
			end_child(child);
		return fail_memory(e);
	}
	u->sock = sock;
	/* Out of turn nothing can be looked at before it is read. */
	setsockopt(sock, SOL_SOCKET, SO_OOBINLINE, &(int){ 1 }, sizeof(int));
	u->child = child;
	u->trace = req->trace;
	u->loop = req->loop;
	u->timeout_us = req->timeout_us ? req->timeout_us : DEFAULT_TIMEOUT_US;
	rc = agree_version(u, e);
	if (rc) {
		vfio_user_close(u);
		return rc;
	}
	*handle = u;
	return 0;
}

static bool claims_socket(const char *spec)
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
		{ ETIMEDOUT, CAUSE_BUSY, "the server takes no further client" },
		{ EINTR, CAUSE_FAILED,
		  "a signal asked to stop while the server took no further client" },
		{ EPROTOTYPE, CAUSE_FAILED, "it is no stream socket" },
	};
	char name[4 * sizeof(((struct sockaddr_un *)0)->sun_path)]; /* \xNN for each byte */
	struct stat st;

	/* connect() says ECONNREFUSED of whatever is no socket. */
	if (err == ECONNREFUSED && stat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		err = ENOTSOCK;
	escape_text(path, name, sizeof(name));
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].err == err)
			return fail(e, known[i].cause, err, "%s: %s", name, known[i].why);
	return fail(e, CAUSE_FAILED, err, "%s: cannot connect", name);
}

/*
 * A connection would be seen by the server, and QEMU's ends with its first one. A datagram socket
 * is refused before the server hears of it: with EPROTOTYPE where a stream socket is open, with
 * ECONNREFUSED where none is (unix(7)).
 */
static int user_find(const struct open_request *req, struct error *e)
{
	const char *path = req->spec + strlen(PREFIX);
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	_cleanup_fd_ int sock = -1;

	if (!path[0] || strlen(path) >= sizeof(sun.sun_path))
		return 0;
	copy_text(sun.sun_path, sizeof(sun.sun_path), path);
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0)
		return fail(e, CAUSE_FAILED, errno, "no socket");
	if (connect(sock, (const struct sockaddr *)&sun, sizeof(sun)) == 0 ||
	    (errno != ENOENT && errno != ECONNREFUSED))
		return 0;
	return explain_connect(path, errno, e);
}

static int reach(int sock, const struct sockaddr_un *to, struct vu_limit *l)
{
	const struct timeval slice = { .tv_usec = SLICE_US };

	setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &slice, sizeof(slice));
	for (;;) {
		int rc;

		if (connect(sock, (const struct sockaddr *)to, sizeof(*to)) == 0)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		rc = vu_over(l);
		if (rc)
			return rc;
	}
}

static int user_open(const struct open_request *req, void **handle, struct error *e)
{
	const char *path = req->spec + strlen(PREFIX);
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct vu_limit limit = { .until = now_us() +
					   (req->timeout_us ? req->timeout_us : DEFAULT_TIMEOUT_US),
				  .loop = req->loop };
	_cleanup_fd_ int sock = -1;
	int rc;

	if (!path[0] || strlen(path) >= sizeof(sun.sun_path))
		return fail(e, CAUSE_USAGE, 0, "a socket's path has 1 to %zu bytes",
			    sizeof(sun.sun_path) - 1);
	copy_text(sun.sun_path, sizeof(sun.sun_path), path);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return fail(e, CAUSE_FAILED, errno, "no socket");
	rc = reach(sock, &sun, &limit);
	if (rc)
		return explain_connect(path, -rc, e);
	return vfio_user_start(take_fd(&sock), 0, req, handle, e);
}

void vfio_user_close(void *handle)
{
	struct vfio_user *u = handle;

	vu_shed_close(u->sock);
	if (u->child > 0)
		end_child(u->child);
	free(u);
}

const struct device_ops vfio_user_ops = {
	.keeper = "peer",
	.grantor = "peer",
	.unarmed_trigger = "the peer has no eventfd to signal",
	.disabled_trigger = "the peer may report success and signal nothing",
	.table_by_region = true,
	.eventfd_shared = true,
	.device_info = vfio_user_device_info,
	.irq_info = vfio_user_irq_info,
	.set_irqs = vfio_user_set_irqs,
	.region_info = vfio_user_region_info,
	.region_read = vfio_user_region_read,
	.region_write = vfio_user_region_write,
	.reset = vfio_user_reset,
	.peer_fd = vfio_user_peer_fd,
	.peer_ready = vfio_user_peer_ready,
	.peer_end = vfio_user_peer_end,
	.explain = vfio_user_explain,
	.peer_text = vfio_user_peer_text,
	.peer_quirk = vfio_user_peer_quirk,
};

const struct backend vfio_user_backend = {
	.name = "vfio-user",
	.help = "vfio-user:SOCKET, a device that another process serves",
	.ops = &vfio_user_ops,
	.claims = claims_socket,
	.find = user_find,
	.open = user_open,
	.close = vfio_user_close,
};
