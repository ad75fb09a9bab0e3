// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The commands of vfio-user (QEMU's docs/interop/vfio-user.rst) for a
 * simulated function. Payloads are the structs of linux/vfio.h, at any
 * alignment. A frame that is whole but says nonsense gets EINVAL and the
 * connection goes on, as libvfio-user does.
 *
 * One thing is our own: a platform that grants only some MSI vectors makes
 * vfio-pci return a positive number, which vfio-user cannot carry. The reply is
 * an error ENOSPC; to a client that sent the capability "msictl_grant": true the
 * number granted follows the header as a u32. Nobody else is sent a payload
 * with an error.
 */
#include "sim/request.h"

#include <errno.h>
#include <linux/vfio.h>
#include <string.h>

#include "base/util.h"

/*
 * Offered to every client, because QEMU refuses a server that offers more; VU_MAX_FDS are taken all
 * the same.
 */
#define LEAST_MAX_FDS 16u

struct sim_request {
	struct sim_device *d;
	struct vu_peer *peer;
	struct vu_message *m;
	uint8_t *reply; /* payload of the reply */
	size_t size;	/* of it */
};

struct dma_unmap {
	uint32_t argsz, flags;
	uint64_t addr, size;
};

struct dma_map {
	uint32_t argsz, flags;
	uint64_t offset, addr, size;
};

static void put_reply(struct sim_request *r, const void *data, size_t n)
{
	memcpy(r->reply + r->size, data, n);
	r->size += n;
}

/*
 * A client that can receive more than that in one message can send as many, and need not be told
 * less.
 */
static unsigned int offered_fds(unsigned int theirs)
{
	if (theirs > VU_MAX_FDS)
		return VU_MAX_FDS;
	return theirs > LEAST_MAX_FDS ? theirs : LEAST_MAX_FDS;
}

static int greet(struct sim_request *r)
{
	struct vu_version v;

	if (r->peer->greeted)
		return -EINVAL;
	if (vu_version_parse(r->m->payload, r->m->size, &v) || v.major != 0)
		return -EINVAL;
	*r->peer =
		(struct vu_peer){ .greeted = true, .grant = v.grant, .max_xfer = v.max_data_xfer };
	/* Minor 0, the one that every peer knows; JSON always, for some peers depend on it. */
	v = (struct vu_version){ .max_msg_fds = offered_fds(v.max_msg_fds),
				 .max_data_xfer = VU_DEFAULT_XFER,
				 .grant = v.grant };
	r->size = vu_version_format(&v, r->reply, VU_MAX_MESSAGE - sizeof(struct vu_header));
	return 0;
}

static int answer_info(struct sim_request *r)
{
	struct vfio_device_info info = { 0 };
	struct device_info di;
	const size_t n = offsetof(struct vfio_device_info, cap_offset);

	memcpy(&info, r->m->payload, n);
	if (info.argsz < n)
		return -EINVAL;
	sim_device_info(r->d, &di);
	info = (struct vfio_device_info){
		.argsz = (uint32_t)n,
		.flags = VFIO_DEVICE_FLAGS_PCI | (di.reset ? VFIO_DEVICE_FLAGS_RESET : 0),
		.num_regions = di.regions,
		.num_irqs = di.irqs,
	};
	put_reply(r, &info, n);
	return 0;
}

/* No capabilities and no descriptor: everything goes through messages, so that none is missed. */
static int answer_region_info(struct sim_request *r)
{
	struct vfio_region_info info;
	struct region_info ri = { 0 };
	int rc;

	memcpy(&info, r->m->payload, sizeof(info));
	if (info.argsz < sizeof(info))
		return -EINVAL;
	rc = sim_region_info(r->d, info.index, &ri);
	if (rc)
		return rc;
	info = (struct vfio_region_info){
		.argsz = sizeof(info),
		.flags = (ri.read ? VFIO_REGION_INFO_FLAG_READ : 0) |
			 (ri.write ? VFIO_REGION_INFO_FLAG_WRITE : 0),
		.index = info.index,
		.size = ri.size,
	};
	put_reply(r, &info, sizeof(info));
	return 0;
}

static int answer_irq_info(struct sim_request *r)
{
	struct vfio_irq_info info;
	struct irq_info ii = { 0 };
	int rc;

	memcpy(&info, r->m->payload, sizeof(info));
	if (info.argsz < sizeof(info))
		return -EINVAL;
	rc = sim_irq_info(r->d, info.index, &ii);
	if (rc)
		return rc;
	info.argsz = sizeof(info);
	info.flags = ii.flags;
	info.count = ii.count;
	put_reply(r, &info, sizeof(info));
	return 0;
}

static int answer_set_irqs(struct sim_request *r)
{
	struct vfio_irq_set set;
	size_t data = r->m->size - sizeof(set);
	struct sim_set s;

	memcpy(&set, r->m->payload, sizeof(set));
	if (set.argsz < sizeof(set))
		return -EINVAL;
	s = (struct sim_set){ .flags = set.flags, set.index, set.start, set.count };
	switch (set.flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case VFIO_IRQ_SET_DATA_EVENTFD:
		/* All descriptors or none: a message cannot leave out single ones. */
		if (r->m->nfds && r->m->nfds != set.count)
			return -EINVAL;
		s.fd = r->m->nfds ? r->m->fd : NULL;
		return sim_set_irqs(r->d, &s);
	case VFIO_IRQ_SET_DATA_BOOL:
		if (r->m->nfds || set.count > data || set.count > set.argsz - sizeof(set))
			return -EINVAL;
		s.bools = r->m->payload + sizeof(set);
		return sim_set_irqs(r->d, &s);
	case VFIO_IRQ_SET_DATA_NONE:
		return r->m->nfds ? -EINVAL : sim_set_irqs(r->d, &s);
	}
	return -EINVAL;
}

static int region_read(struct sim_request *r)
{
	struct vu_region_access a;
	ssize_t n;

	memcpy(&a, r->m->payload, sizeof(a));
	if (r->m->size != sizeof(a) || a.count > VU_DEFAULT_XFER || a.count > r->peer->max_xfer)
		return -EINVAL;
	n = sim_region_read(r->d, a.region, r->reply + sizeof(a), a.count, a.offset);
	if (n < 0)
		return (int)n;
	a.count = (uint32_t)n;
	put_reply(r, &a, sizeof(a));
	r->size += (size_t)n;
	return 0;
}

static int region_write(struct sim_request *r)
{
	struct vu_region_access a;
	ssize_t n;

	memcpy(&a, r->m->payload, sizeof(a));
	if (r->m->size - sizeof(a) != a.count || a.count > VU_DEFAULT_XFER)
		return -EINVAL;
	n = sim_region_write(r->d, a.region, r->m->payload + sizeof(a), a.count, a.offset);
	if (n < 0)
		return (int)n;
	a.count = (uint32_t)n;
	put_reply(r, &a, sizeof(a));
	return 0;
}

static int reset(struct sim_request *r)
{
	return r->m->size ? -EINVAL : sim_reset(r->d);
}

/* The simulated function does no DMA: a map is taken note of by nobody. */
static int dma_map(struct sim_request *r)
{
	struct dma_map map;

	memcpy(&map, r->m->payload, sizeof(map));
	return map.argsz < sizeof(map) || r->m->nfds > 1 ? -EINVAL : 0;
}

/* A client's first unmaps may be of what was never mapped (QEMU's are), so each succeeds. */
static int dma_unmap(struct sim_request *r)
{
	struct dma_unmap unmap;

	memcpy(&unmap, r->m->payload, sizeof(unmap));
	if (unmap.argsz < sizeof(unmap))
		return -EINVAL;
	if (unmap.flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP)
		return -EOPNOTSUPP;
	put_reply(r, &unmap, sizeof(unmap));
	return 0;
}

/*
 * Known, and not offered: REGION_WRITE_MULTI, DEVICE_FEATURE and migration data beside the I/O
 * descriptors.
 */
static int unsupported(struct sim_request *r)
{
	(void)r;
	return -EOPNOTSUPP;
}

static const struct handler {
	int (*run)(struct sim_request *r);
	size_t min; /* bytes of payload */
	bool fds;   /* descriptors may come with it */
} handlers[] = {
	[VU_VERSION] = { greet, 0, false },
	[VU_DMA_MAP] = { dma_map, sizeof(struct dma_map), true },
	[VU_DMA_UNMAP] = { dma_unmap, sizeof(struct dma_unmap), false },
	[VU_DEVICE_GET_INFO] = { answer_info, offsetof(struct vfio_device_info, cap_offset),
				 false },
	[VU_DEVICE_GET_REGION_INFO] = { answer_region_info, sizeof(struct vfio_region_info),
					false },
	[VU_DEVICE_GET_REGION_IO_FDS] = { unsupported, 1, false },
	[VU_DEVICE_GET_IRQ_INFO] = { answer_irq_info, sizeof(struct vfio_irq_info), false },
	[VU_DEVICE_SET_IRQS] = { answer_set_irqs, sizeof(struct vfio_irq_set), true },
	[VU_REGION_READ] = { region_read, sizeof(struct vu_region_access), false },
	[VU_REGION_WRITE] = { region_write, sizeof(struct vu_region_access), false },
	[VU_DEVICE_RESET] = { reset, 0, false },
	[15] = { unsupported, 1, false },
	[16] = { unsupported, 1, false },
	[17] = { unsupported, 1, false },
	[18] = { unsupported, 1, false },
};

/* 0, -errno, or the positive number that SET_IRQS granted. */
static int run_handler(struct sim_request *r)
{
	const struct vu_header *h = &r->m->header;
	const struct handler *handler = h->command < ARRAY_SIZE(handlers) ? &handlers[h->command]
									  : NULL;

	if (!handler || !handler->run || h->flags & VU_ERROR)
		return -EINVAL;
	if (r->m->size < handler->min || (r->m->nfds && !handler->fds))
		return -EINVAL;
	return handler->run(r);
}

/* @rc as run_handler() has it. An error has a number, never 0, and no payload but ours. */
static void finish(struct sim_request *r, int rc, struct vu_header *h)
{
	uint32_t granted = rc > 0 ? (uint32_t)rc : 0;

	*h = (struct vu_header){ .id = r->m->header.id,
				 .command = r->m->header.command,
				 .flags = VU_REPLY };
	if (rc) {
		r->size = 0;
		h->flags |= VU_ERROR;
		h->error = rc > 0 ? ENOSPC : (uint32_t)-rc;
	}
	if (granted && r->peer->grant)
		put_reply(r, &granted, sizeof(granted));
	h->size = (uint32_t)(sizeof(*h) + r->size);
}

int vu_answer(struct sim_device *d, struct vu_peer *peer, struct vu_message *m, uint8_t *reply,
	      size_t *size)
{
	struct sim_request r = {
		.d = d, .peer = peer, .m = m, .reply = reply + sizeof(struct vu_header)
	};
	struct vu_header h;
	int rc;

	*size = 0;
	/* We send no commands, so nothing that is none can be answered, least of all a reply. */
	if ((m->header.flags & VU_TYPE_MASK) != VU_COMMAND)
		return -EPROTO;
	/*
	 * A client that does not begin with VERSION, or with one that we can't read, gets no second
	 * word.
	 */
	rc = !peer->greeted && m->header.command != VU_VERSION ? -EINVAL : run_handler(&r);
	finish(&r, rc, &h);
	memcpy(reply, &h, sizeof(h));
	if (!(m->header.flags & VU_NO_REPLY))
		*size = h.size;
	return peer->greeted ? 0 : -EPROTO;
}
