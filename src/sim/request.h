/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a vfio-user message asks of a simulated function, and the answer. Bytes in, bytes out; no
 * socket here.
 */
#ifndef MSICTL_SIM_REQUEST_H
#define MSICTL_SIM_REQUEST_H

#include "sim/device.h"
#include "vfio-user/wire.h"

/* What is known of a client. Begin with { 0 }. */
struct vu_peer {
	bool greeted; /* VERSION was exchanged */
	bool grant;   /* understands an ENOSPC that carries a number */
	uint64_t max_xfer;
};

/**
 * vu_answer() - carry out @m on @d
 * @m: descriptors that the device takes over are removed; the caller drops the rest
 * @reply: VU_MAX_MESSAGE bytes
 * @size: bytes of @reply to send, 0: none
 * Returns: 0; -EPROTO: the client cannot be talked to, close when the reply is out.
 */
int vu_answer(struct sim_device *d, struct vu_peer *peer, struct vu_message *m, uint8_t *reply,
	      size_t *size);

#endif
