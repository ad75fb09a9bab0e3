/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-user messages on a socket: framing, descriptors, time limits. Used by
 * the back end and by the server alike (QEMU's docs/interop/vfio-user.rst).
 */
#ifndef MSICTL_VFIO_USER_WIRE_H
#define MSICTL_VFIO_USER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vu_command {
	VU_VERSION = 1,
	VU_DMA_MAP,
	VU_DMA_UNMAP,
	VU_DEVICE_GET_INFO,
	VU_DEVICE_GET_REGION_INFO,
	VU_DEVICE_GET_REGION_IO_FDS,
	VU_DEVICE_GET_IRQ_INFO,
	VU_DEVICE_SET_IRQS,
	VU_REGION_READ,
	VU_REGION_WRITE,
	VU_DMA_READ,
	VU_DMA_WRITE,
	VU_DEVICE_RESET,
};

#define VU_TYPE_MASK 0x0fu
#define VU_COMMAND   0u
#define VU_REPLY     1u
#define VU_NO_REPLY  0x10u
#define VU_ERROR     0x20u

struct loop;
struct vu_shed;
struct vu_leave;

/*
 * How long a peer is waited for. A signal that asks to stop shortens that: it
 * does not end it, so that no peer is cut off that answers.
 */
struct vu_limit {
	uint64_t until;	   /* CLOCK_MONOTONIC us, UINT64_MAX for ever; moved by a signal */
	struct loop *loop; /* who hears the signals; NULL: nobody */
	bool stopping;	   /* there was one */
};

/* A limit of time alone, for one call. */
#define VU_UNTIL(us) (&(struct vu_limit){ .until = (us) })

struct vu_header {
	uint16_t id, command;
	uint32_t size; /* with this header */
	uint32_t flags, error;
};

_Static_assert(sizeof(struct vu_header) == 16, "vfio-user header");

/*
 * Offset, region and count lead the data of REGION_READ and REGION_WRITE, and come back in the
 * reply.
 */
struct vu_region_access {
	uint64_t offset;
	uint32_t region, count;
};

/* SCM_MAX_FD: sendmsg(2) of more descriptors fails with EINVAL. */
#define VU_MAX_FDS 253

/* What a side takes when it has not said otherwise (specification, "Version"). */
#define VU_DEFAULT_XFER 1048576u

/* Larger than any message that fits the transfer size: header, region access, data. */
#define VU_MAX_MESSAGE (VU_DEFAULT_XFER + 64u)

/* A received message; vu_message_drop() it. */
struct vu_message {
	struct vu_header header;
	uint8_t *payload; /* header.size - 16 bytes, NULL when there is none */
	size_t size;	  /* of the payload */
	int fd[VU_MAX_FDS];
	unsigned int nfds;
};

/**
 * vu_message_drop() - close descriptors that were not taken (set to -1), free the payload; @m is
 * empty then.
 */
void vu_message_drop(struct vu_message *m);

/**
 * vu_message_leave() - the same for a message of a client whose descriptors may be anything: see
 * vfio-user/leave.h.
 */
void vu_message_leave(struct vu_message *m, struct vu_leave *leave);

/* What a reader that reads ahead takes at once: many small messages. */
#define VU_AHEAD 2048u

/*
 * Messages that come piece by piece. Begin with { .max = N }, and with VU_AHEAD
 * bytes at .ahead when all that comes on the socket is for this reader.
 */
struct vu_reader {
	size_t max; /* the largest message taken, bytes with the header */
	size_t got; /* bytes so far; above 0: the peer is in the middle of a message */
	struct vu_message m;
	uint8_t *ahead;		/* borrowed; NULL: never read behind the end of a message */
	size_t at, end;		/* of it: what was read and not taken yet */
	struct vu_shed *shed;	/* borrowed; NULL: descriptors are taken */
	struct vu_leave *leave; /* borrowed; NULL: those that are too many are closed */
};

/**
 * vu_read() - take what is there of one message, without waiting
 * @sock: -1: only what was read ahead
 *
 * One that reads ahead leaves no message in the socket that it knows of: ask it
 * again with @sock -1 until it says 0 before you wait for the socket.
 *
 * Returns: 1 and the message in @m, dropped by the caller; 0: more has to come;
 * errors as vu_receive(), after which only vu_reader_drop() makes sense.
 */
int vu_read(int sock, struct vu_reader *r, struct vu_message *m);

/** vu_reader_drop() - forget what came; @r can begin anew. */
void vu_reader_drop(struct vu_reader *r);

/** vu_over() - whether the time of @l is over. 0, -ETIMEDOUT, -EINTR: by a signal. */
int vu_over(struct vu_limit *l);

/* A message to be sent; what the pointers point to is borrowed. */
struct vu_frame {
	struct vu_header header; /* sent as it stands, .size included */
	const void *payload;	 /* NULL: none */
	size_t size;		 /* of the payload, bytes */
	const int *fd;		 /* NULL: none */
	unsigned int nfds;	 /* 0 to VU_MAX_FDS */
};

/**
 * vu_send() - header, payload and descriptors in one sendmsg(), the rest of a short write after it
 * @sock: a stream socket; its O_NONBLOCK does not matter
 * @l: how long to wait for room in the socket
 *
 * Returns: 0; -EINVAL: more than VU_MAX_FDS descriptors; -ETIMEDOUT; -EINTR; -EPIPE: the peer is
 * gone; -errno. After an error the stream is of no use any more.
 */
int vu_send(int sock, const struct vu_frame *f, struct vu_limit *l);

/**
 * vu_receive() - one whole message
 * @max: the largest message taken, bytes with the header
 * Returns: 0; -ECONNRESET: the peer is gone; -EPROTO: no message of the protocol
 * (size too small or above @max, too many descriptors); -ETIMEDOUT; -EINTR; -errno.
 * After an error @m is empty and the stream is of no use any more.
 */
int vu_receive(int sock, struct vu_message *m, size_t max, struct vu_limit *l);

/**
 * vu_receive_bare() - as vu_receive(), of a peer that has no descriptors to send: what it sends all
 * the same is never ours, and no closing of it holds us up. The socket has SO_OOBINLINE.
 */
int vu_receive_bare(int sock, struct vu_message *m, size_t max, struct vu_limit *l,
		    struct vu_shed *shed);

/* VERSION's capabilities, both directions. */
struct vu_version {
	uint16_t major, minor;
	unsigned int max_msg_fds; /* 1 when not said, never 0 */
	uint64_t max_data_xfer;	  /* VU_DEFAULT_XFER when not said, never 0 */
	/* "msictl_grant": an ENOSPC reply to SET_IRQS carries the number granted as a u32 */
	bool grant;
	bool has_json;
};

/** vu_version_parse() - the payload of a VERSION message. 0 or -EPROTO. */
int vu_version_parse(const uint8_t *payload, size_t size, struct vu_version *v);

/**
 * vu_version_format() - a payload with JSON, NUL-terminated; @buf of at least 256 bytes. Returns
 * its size.
 */
size_t vu_version_format(const struct vu_version *v, uint8_t *buf, size_t size);

#endif
