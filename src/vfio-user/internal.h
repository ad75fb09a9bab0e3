/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the vfio-user*.c files share and nobody else needs. */
#ifndef MSICTL_VFIO_USER_INTERNAL_H
#define MSICTL_VFIO_USER_INTERNAL_H

#include "vfio-user/client.h"
#include "vfio-user/shed.h"
#include "vfio-user/wire.h"

struct vfio_user {
	int sock; /* shut down, not closed, when it is given up: the loop hears that */
	pid_t child;
	uint16_t id;
	uint64_t timeout_us;
	const struct trace *trace;
	struct loop *loop; /* where signals that ask to stop are heard; NULL: nowhere */
	uint64_t until;	   /* of an operation of several messages; 0: none is under way */
	/* when the peer was first to be asked something after such a signal; 0: there is none */
	uint64_t stop;
	bool unasked; /* something was not asked any more since then */
	struct vu_version peer;
	unsigned int chunk;   /* descriptors per message */
	size_t transfer;      /* bytes per region access */
	int end;	      /* why the connection was given up, -errno; 0: it stands */
	uint32_t refusal;     /* the number in the last error reply */
	unsigned int foreign; /* requests of the peer's own since its last reply */
	bool on[NR_IRQ_INDEX];
	bool no_req;	     /* refused to arm REQ */
	uint32_t unanswered; /* bits of indexes that it refused to tell of */
	uint32_t intx_flags; /* what GET_IRQ_INFO said, by which peers are told apart */
	struct set_outcome outcome;
	struct vu_shed shed; /* descriptors that nobody asked for */
};

struct peer_request {
	enum vu_command command;
	const void *payload;
	size_t size;
	const int *fd;
	unsigned int nfds;
	bool puts_back;	  /* asked after a signal too, as long as the time limit lets us */
	size_t reply_min; /* bytes of payload that the reply must have */
	const char *
		/* what is asked, and the reply put into words: for the trace, NULL for none */
		detail;
	void (*words)(const void *reply, char *buf, size_t size);
};

/**
 * peer_exchange() - one request and its reply in @m, dropped by the caller. 0, a positive grant, or
 * -errno.
 */
int peer_exchange(struct vfio_user *u, const struct peer_request *r, struct vu_message *m);

/**
 * peer_begin(), peer_done() - around an operation of several messages: one time limit for all of
 * them.
 */
void peer_begin(struct vfio_user *u);
void peer_done(struct vfio_user *u);

/** peer_ask() - an exchange whose reply has @size bytes that are wanted. */
int peer_ask(struct vfio_user *u, const struct peer_request *r, void *reply, size_t size);

/**
 * peer_give_up() - nothing can be trusted on the stream any more. Returns @rc, -ENOTCONN when the
 * peer has gone.
 */
int peer_give_up(struct vfio_user *u, int rc);

/** is_libvfio_user() - known by 8 descriptors, and EVENTFD alone of every index, INTx included. */
bool is_libvfio_user(const struct vfio_user *u);

#endif
