// SPDX-License-Identifier: GPL-2.0-or-later
/* What the device of a vfio-user peer is, its regions, its reset. */
#include <errno.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "vfio-user/internal.h"
#include "vfio/words.h"

int vfio_user_device_info(void *handle, struct device_info *info, struct error *e)
{
	struct vfio_device_info di = { .argsz = 16 };
	struct peer_request r = { .command = VU_DEVICE_GET_INFO,
				  .payload = &di,
				  .size = 16,
				  .reply_min = 16,
				  .words = vfio_device_words };
	int rc = peer_ask(handle, &r, &di, 16);

	if (rc)
		return vfio_user_explain(handle, rc, "DEVICE_GET_INFO", e);
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
	struct peer_request r = { .command = VU_DEVICE_GET_IRQ_INFO,
				  .payload = &ii,
				  .size = sizeof(ii),
				  .reply_min = sizeof(ii),
				  .detail = irq_index_word(index),
				  .words = vfio_irq_words };
	int rc = peer_ask(u, &r, &ii, sizeof(ii));

	if (rc && rc != -EINVAL && !u->end && !u->unasked)
		u->unanswered |= 1u << index;
	if (rc)
		return rc;
	if (index == IRQ_INTX)
		u->intx_flags = ii.flags;
	*info = (struct irq_info){ .count = ii.count, .flags = ii.flags };
	return 0;
}

int vfio_user_region_info(void *handle, enum region_index region, struct region_info *info)
{
	struct vfio_region_info ri = { .argsz = sizeof(ri), .index = region };
	struct peer_request r = { .command = VU_DEVICE_GET_REGION_INFO,
				  .payload = &ri,
				  .size = sizeof(ri),
				  .reply_min = sizeof(ri),
				  .detail = region_word(region),
				  .words = vfio_region_words };
	int rc = peer_ask(handle, &r, &ri, sizeof(ri));

	if (rc)
		return rc;
	*info = (struct region_info){ .size = ri.size,
				      .read = ri.flags & VFIO_REGION_INFO_FLAG_READ,
				      .write = ri.flags & VFIO_REGION_INFO_FLAG_WRITE };
	return 0;
}

/* Masks and bus mastering are put back in words of this size at most. */
#define REGISTER 8

/* Reply and request begin alike; a reply for another place or length is a broken peer. */
static int check_region_reply(const struct vu_region_access *asked, const struct vu_message *m,
			      size_t data)
{
	struct vu_region_access got;

	memcpy(&got, m->payload, sizeof(got));
	if (got.offset != asked->offset || got.region != asked->region || got.count != asked->count)
		return -EPROTO;
	return m->size == sizeof(got) + data ? 0 : -EPROTO;
}

static int access_region(struct vfio_user *u, enum vu_command command, struct vu_region_access *a,
			 void *buf, bool reg)
{
	bool write = command == VU_REGION_WRITE;
	size_t size = sizeof(*a) + (write ? a->count : 0);
	_cleanup_free_ uint8_t *payload = malloc(size);
	struct peer_request r = { .command = command,
				  .payload = payload,
				  .size = size,
				  .reply_min = sizeof(*a),
				  .puts_back = reg };
	struct vu_message m;
	char text[96] = "";
	int rc;

	if (!payload)
		return -ENOMEM;
	memcpy(payload, a, sizeof(*a));
	if (write)
		memcpy(payload + sizeof(*a), buf, a->count);
	if (u->trace->on)
		region_text(a->region, a->offset, a->count, text, sizeof(text));
	if (u->trace->on && write)
		region_value(buf, a->count, " value=", text, sizeof(text));
	r.detail = text;
	rc = peer_exchange(u, &r, &m);
	if (rc)
		return rc;
	rc = check_region_reply(a, &m, write ? 0 : a->count);
	if (rc == 0 && !write)
		memcpy(buf, m.payload + sizeof(*a), a->count);
	vu_message_drop(&m);
	return rc ? peer_give_up(u, rc) : 0;
}

struct transfer {
	enum vu_command command; /* VU_REGION_READ or VU_REGION_WRITE */
	enum region_index region;
	uint64_t offset;
	char *buf;
	size_t n;
};

/* In as many messages as the peer's max_data_xfer_size makes necessary. */
static ssize_t access_all(struct vfio_user *u, const struct transfer *t)
{
	int rc = 0;

	peer_begin(u);
	for (size_t done = 0; done < t->n && rc == 0;) {
		struct vu_region_access a = {
			.offset = t->offset + done,
			.region = t->region,
			.count = (uint32_t)(t->n - done < u->transfer ? t->n - done : u->transfer)
		};

		rc = access_region(u, t->command, &a, t->buf + done, t->n <= REGISTER);
		done += a.count;
	}
	peer_done(u);
	return rc ? rc : (ssize_t)t->n;
}

ssize_t vfio_user_region_read(void *handle, enum region_index region, void *buf, size_t n,
			      uint64_t offset)
{
	return access_all(handle, &(struct transfer){ VU_REGION_READ, region, offset, buf, n });
}

ssize_t vfio_user_region_write(void *handle, enum region_index region, const void *buf, size_t n,
			       uint64_t offset)
{
	return access_all(handle,
			  &(struct transfer){ VU_REGION_WRITE, region, offset, (void *)buf, n });
}

int vfio_user_reset(void *handle)
{
	struct peer_request r = { .command = VU_DEVICE_RESET };

	return peer_ask(handle, &r, NULL, 0);
}
