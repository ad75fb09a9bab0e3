// SPDX-License-Identifier: GPL-2.0-or-later
/* What a vfio-user peer is, what it is known to get wrong, and why nothing more is had from it. */
#include <errno.h>
#include <inttypes.h>
#include <linux/vfio.h>
#include <stdio.h>

#include "base/loop.h"
#include "base/util.h"
#include "vfio-user/internal.h"

int vfio_user_peer_fd(void *handle)
{
	return ((struct vfio_user *)handle)->sock;
}

static int explain_silence(const struct vfio_user *u, struct error *e)
{
	bool whole = u->timeout_us % 1000000 == 0;

	fail(e, CAUSE_BUSY, ETIMEDOUT,
	     "the peer did not answer within %" PRIu64 " %s and was cut off",
	     u->timeout_us / (whole ? 1000000 : 1000), whole ? "s" : "ms");
	hint(e, "--timeout T waits longer");
	return -ETIMEDOUT;
}

int vfio_user_peer_end(void *handle, struct error *e)
{
	static const struct {
		int err;
		enum cause cause;
		const char *why;
	} known[] = {
		{ EPROTO, CAUSE_FAILED, "the peer broke the protocol and was cut off" },
		{ ENOTCONN, CAUSE_NO_DEVICE, "the process that served the device is gone" },
		{ EINTR, CAUSE_FAILED,
		  "the peer owed an answer when a signal asked to stop, and was cut off" },
	};
	const struct vfio_user *u = handle;

	if (u->end == 0 && u->unasked && loop_stopped(u->loop))
		return fail(e, CAUSE_FAILED, EINTR,
			    "a signal asked to stop, and the peer was asked nothing more");
	if (u->end == 0)
		return 0;
	if (u->end == -ETIMEDOUT)
		return explain_silence(u, e);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].err == -u->end)
			return fail(e, known[i].cause, known[i].err, "%s", known[i].why);
	return fail(e, CAUSE_FAILED, -u->end, "the exchange with the peer failed");
}

/*
 * Whatever the number, it is the peer's refusal and says nothing of this machine: EPERM is no
 * missing right of the user's, EBUSY nobody who holds the device, ENODEV no device that has gone.
 * rust-vmm's errors mostly have no number; what is none of ours would only be shown as a wrong one.
 */
static int refused(const struct vfio_user *u, int rc, const char *what, struct error *e)
{
	if (rc != -EIO || u->refusal == EIO)
		fail(e, CAUSE_FAILED, -rc, "the peer refused %s", what);
	else if (u->refusal == 0)
		fail(e, CAUSE_FAILED, 0, "the peer refused %s without saying why (errno 0)", what);
	else
		fail(e, CAUSE_FAILED, 0, "the peer refused %s with %" PRIu32 ", which is no errno",
		     what, u->refusal);
	return rc;
}

int vfio_user_explain(void *handle, int rc, const char *what, struct error *e)
{
	struct error why;
	int end = vfio_user_peer_end(handle, &why);

	if (end == 0)
		return refused(handle, rc, what, e);
	fail(e, why.cause, why.err, "%s: %s", what, why.message);
	copy_text(e->hint, sizeof(e->hint), why.hint);
	return end;
}

void vfio_user_peer_text(void *handle, char *buf, size_t size)
{
	const struct vfio_user *u = handle;

	snprintf(buf, size,
		 "vfio-user %u.%u, up to %u descriptors per message, %" PRIu64
		 " bytes per access%s",
		 u->peer.major, u->peer.minor, u->peer.max_msg_fds, u->peer.max_data_xfer,
		 u->peer.grant ? ", tells short grants" : "");
}

bool is_libvfio_user(const struct vfio_user *u)
{
	return u->peer.max_msg_fds == 8 && u->intx_flags == VFIO_IRQ_INFO_EVENTFD;
}

static bool is_rust_vmm(const struct vfio_user *u)
{
	return u->peer.max_msg_fds == 1;
}

static bool refuses_req(const struct vfio_user *u)
{
	return u->no_req;
}

static bool refuses_to_tell(const struct vfio_user *u)
{
	return u->unanswered != 0;
}

/*
 * What is known of a kind of peer, and what this one has shown. libvfio-user's eventfd array is its
 * issue 388, MASK and UNMASK without effect are its issues 806 and 807. rust-vmm's server
 * mistakes the data of DATA_BOOL for the next message.
 */
static const struct {
	bool (*of)(const struct vfio_user *u);
	const char *what;
} quirks[] = {
	{ is_libvfio_user,
	  "looks like libvfio-user: intx, msi and msix share one eventfd array: only one is used" },
	{ is_libvfio_user,
	  "looks like libvfio-user: releasing part of the vectors may leave eventfds there" },
	{ is_libvfio_user,
	  "looks like libvfio-user: mask and unmask may do nothing: the mask bits are read back" },
	{ is_rust_vmm,
	  "takes one descriptor per message, as rust-vmm's server: errors mostly carry errno 0" },
	{ is_rust_vmm,
	  "takes one descriptor per message, as rust-vmm's server: DATA_BOOL goes run by run" },
	{ refuses_req,
	  "offers req and refuses to arm it: that it wants the device back can't be heard" },
	{ refuses_to_tell,
	  "answers GET_IRQ_INFO of some indexes with an error: they are taken as not offered" },
};

const char *vfio_user_peer_quirk(void *handle, unsigned int i)
{
	for (size_t row = 0; row < ARRAY_SIZE(quirks); row++)
		if (quirks[row].of(handle) && i-- == 0)
			return quirks[row].what;
	return NULL;
}
