// SPDX-License-Identifier: GPL-2.0-or-later
#include "vfio/ioctl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "base/util.h"
#include "vfio/words.h"

_Static_assert((int)IRQ_INTX == VFIO_PCI_INTX_IRQ_INDEX && (int)IRQ_REQ == VFIO_PCI_REQ_IRQ_INDEX,
	       "enum irq_index");
_Static_assert((int)REGION_CONFIG == VFIO_PCI_CONFIG_REGION_INDEX, "enum region_index");
_Static_assert(IRQ_NORESIZE == VFIO_IRQ_INFO_NORESIZE && IRQ_EVENTFD == VFIO_IRQ_INFO_EVENTFD,
	       "IRQ_*");

/* More than any region's capabilities take; the kernel says how much it wants. */
#define MAX_REGION_INFO 65536

int vfio_call(const struct trace *t, int fd, const struct vfio_request *r)
{
	uint64_t begin = now_us(), us;
	char told[160];
	int rc = ioctl(fd, r->number, r->arg);

	us = now_us() - begin;
	if (rc < 0)
		rc = -errno;
	else if (r->answer && t->on)
		r->answer(r->arg, told, sizeof(told));
	trace_answer(t, r->name, r->detail ? r->detail : "", rc, r->answer ? told : NULL, us);
	return rc;
}

int vfio_device_info(void *handle, struct device_info *info, struct error *e)
{
	struct vfio *v = handle;
	struct vfio_device_info di = { .argsz = sizeof(di) };
	int rc = vfio_call(v->trace, v->device,
			   VFIO_REQUEST(VFIO_DEVICE_GET_INFO, .arg = &di,
					.answer = vfio_device_words));

	if (rc < 0)
		return fail(e, cause_of_errno(-rc), -rc, "VFIO_DEVICE_GET_INFO failed");
	if (!(di.flags & VFIO_DEVICE_FLAGS_PCI))
		return fail(e, CAUSE_FAILED, 0, "the VFIO device is no PCI function");
	*info = (struct device_info){ .regions = di.num_regions,
				      .irqs = di.num_irqs,
				      .reset = di.flags & VFIO_DEVICE_FLAGS_RESET };
	return 0;
}

int vfio_irq_info(void *handle, enum irq_index index, struct irq_info *info)
{
	struct vfio *v = handle;
	struct vfio_irq_info ii = { .argsz = sizeof(ii), .index = index };
	int rc = vfio_call(v->trace, v->device,
			   VFIO_REQUEST(VFIO_DEVICE_GET_IRQ_INFO, .arg = &ii,
					.detail = irq_index_word(index), .answer = vfio_irq_words));

	if (rc < 0)
		return rc;
	*info = (struct irq_info){ .count = ii.count, .flags = ii.flags };
	return 0;
}

int vfio_set_irqs(void *handle, const struct irq_set *s, const int32_t *eventfd,
		  struct set_outcome *o)
{
	static const size_t item[] = {
		[IRQ_DATA_NONE] = 0, [IRQ_DATA_BOOL] = 1, [IRQ_DATA_EVENTFD] = sizeof(int32_t)
	};
	struct vfio *v = handle;
	size_t size = sizeof(struct vfio_irq_set) + s->count * item[s->data];
	_cleanup_free_ struct vfio_irq_set *set = calloc(1, size);
	char detail[256];

	(void)o; /* one call is one message */
	if (!set)
		return -ENOMEM;
	set->argsz = (uint32_t)size;
	set->flags = vfio_set_flags(s);
	set->index = s->index;
	set->start = s->start;
	set->count = s->count;
	if (s->data == IRQ_DATA_EVENTFD)
		memcpy(set->data, eventfd, s->count * sizeof(*eventfd));
	for (unsigned int i = 0; s->data == IRQ_DATA_BOOL && i < s->count; i++)
		set->data[i] = vector_set_has(&s->attach, s->start + i);
	return vfio_call(v->trace, v->device,
			 VFIO_REQUEST(VFIO_DEVICE_SET_IRQS, .arg = set,
				      .detail = v->trace->on
							? irq_set_text(s, detail, sizeof(detail))
							: NULL));
}

/* Walk the capability chain that the kernel appended; it is bounded by argsz. */
static bool has_region_cap(const struct vfio_region_info *ri, uint16_t id)
{
	const struct vfio_info_cap_header *cap;
	uint32_t at = ri->flags & VFIO_REGION_INFO_FLAG_CAPS ? ri->cap_offset : 0;

	for (int hops = 0; at >= sizeof(*ri) && at + sizeof(*cap) <= ri->argsz && hops < 64;
	     hops++) {
		cap = (const void *)((const char *)ri + at);
		if (cap->id == id)
			return true;
		at = cap->next;
	}
	return false;
}

static int ask_region_info(struct vfio *v, enum region_index region, struct vfio_region_info **out)
{
	uint32_t size = sizeof(**out);

	for (;;) {
		struct vfio_region_info *ri = calloc(1, size);
		int rc;

		if (!ri)
			return -ENOMEM;
		ri->argsz = size;
		ri->index = region;
		rc = vfio_call(v->trace, v->device,
			       VFIO_REQUEST(VFIO_DEVICE_GET_REGION_INFO, .arg = ri,
					    .detail = region_word(region),
					    .answer = vfio_region_words));
		if (rc == 0 && (ri->argsz <= size || ri->argsz > MAX_REGION_INFO)) {
			ri->argsz = ri->argsz < size ? ri->argsz : size;
			*out = ri;
			return 0;
		}
		size = ri->argsz;
		free(ri);
		if (rc < 0)
			return rc;
	}
}

int vfio_region_info(void *handle, enum region_index region, struct region_info *info)
{
	struct vfio *v = handle;
	_cleanup_free_ struct vfio_region_info *ri = NULL;
	int rc = ask_region_info(v, region, &ri);

	if (rc < 0)
		return rc;
	v->region_offset[region] = ri->offset;
	v->region_size[region] = ri->size;
	*info = (struct region_info){ .size = ri->size,
				      .read = ri->flags & VFIO_REGION_INFO_FLAG_READ,
				      .write = ri->flags & VFIO_REGION_INFO_FLAG_WRITE,
				      .map = ri->flags & VFIO_REGION_INFO_FLAG_MMAP,
				      .msix_mappable = has_region_cap(
					      ri, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE) };
	return 0;
}

/* A region's offset in the device's file is asked for once. */
static int region_at(struct vfio *v, enum region_index region, size_t n, uint64_t offset)
{
	struct region_info info;
	int rc = v->region_size[region] ? 0 : vfio_region_info(v, region, &info);

	if (rc < 0)
		return rc;
	return n > v->region_size[region] || offset > v->region_size[region] - n ? -ERANGE : 0;
}

struct region_call {
	const char *name;
	enum region_index region;
	uint64_t offset;
	size_t n;
	uint64_t begin;
	const void *written, *read; /* its bytes, NULL where it has none */
};

/* Returns @rc. */
static ssize_t trace_region(const struct vfio *v, const struct region_call *c, ssize_t rc)
{
	char detail[96], read[32] = "";

	if (!v->trace->on)
		return rc;
	region_text(c->region, c->offset, c->n, detail, sizeof(detail));
	if (c->written)
		region_value(c->written, c->n, " value=", detail, sizeof(detail));
	if (c->read && rc == (ssize_t)c->n)
		region_value(c->read, c->n, "", read, sizeof(read));
	trace_answer(v->trace, c->name, detail, rc, read[0] ? read : NULL, now_us() - c->begin);
	return rc;
}

ssize_t vfio_region_read(void *handle, enum region_index region, void *buf, size_t n,
			 uint64_t offset)
{
	struct vfio *v = handle;
	struct region_call c = {
		.name = "pread", .region = region, .offset = offset, .n = n, .read = buf
	};
	ssize_t rc = region_at(v, region, n, offset);

	if (rc < 0)
		return rc;
	c.begin = now_us();
	rc = pread(v->device, buf, n, (off_t)(v->region_offset[region] + offset));
	return trace_region(v, &c, rc < 0 ? -errno : rc);
}

ssize_t vfio_region_write(void *handle, enum region_index region, const void *buf, size_t n,
			  uint64_t offset)
{
	struct vfio *v = handle;
	struct region_call c = {
		.name = "pwrite", .region = region, .offset = offset, .n = n, .written = buf
	};
	ssize_t rc = region_at(v, region, n, offset);

	if (rc < 0)
		return rc;
	c.begin = now_us();
	rc = pwrite(v->device, buf, n, (off_t)(v->region_offset[region] + offset));
	return trace_region(v, &c, rc < 0 ? -errno : rc);
}

int vfio_region_map(void *handle, enum region_index region, uint64_t offset, size_t n, void **map)
{
	struct vfio *v = handle;
	struct region_call c = { .name = "mmap", .region = region, .offset = offset, .n = n };
	int rc = region_at(v, region, n, offset);
	void *p;

	if (rc < 0)
		return rc;
	c.begin = now_us();
	p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, v->device,
		 (off_t)(v->region_offset[region] + offset));
	rc = p == MAP_FAILED ? -errno : 0;
	trace_region(v, &c, rc);
	if (rc == 0)
		*map = p;
	return rc;
}

int vfio_reset(void *handle)
{
	struct vfio *v = handle;

	return vfio_call(v->trace, v->device, VFIO_REQUEST(VFIO_DEVICE_RESET, .arg = NULL));
}

int vfio_address(void *handle, struct pci_addr *addr)
{
	*addr = ((struct vfio *)handle)->addr;
	return 0;
}

const struct device_ops vfio_ops = {
	.keeper = "kernel",
	.grantor = "host",
	.unarmed_trigger = "the kernel would return 0 and signal nothing",
	.disabled_trigger = "the kernel would return 0 and signal nothing",
	.host_irqs = true,
	.kernel_registers = true,
	.kernel_errno = true,
	.err_is_pcie = true,
	.decode_first = true,
	.device_info = vfio_device_info,
	.irq_info = vfio_irq_info,
	.set_irqs = vfio_set_irqs,
	.region_info = vfio_region_info,
	.region_read = vfio_region_read,
	.region_write = vfio_region_write,
	.region_map = vfio_region_map,
	.reset = vfio_reset,
	.address = vfio_address,
};
