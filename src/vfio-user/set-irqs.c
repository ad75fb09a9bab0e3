// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SET_IRQS over vfio-user: one set in as many messages as the peer needs, and undone when one of
 * them fails.
 */
#include <errno.h>
#include <linux/vfio.h>
#include <string.h>

#include "base/util.h"
#include "vfio-user/internal.h"
#include "vfio/words.h"

/* Vectors let go, unmasked, or the index turned off. */
static bool puts_back(const struct irq_set *s, unsigned int nfds)
{
	if (s->action == IRQ_ACTION_UNMASK || s->data == IRQ_DATA_EVENTFD)
		return nfds == 0;
	return s->data == IRQ_DATA_NONE && s->count == 0;
}

/* @s in one SET_IRQS message; @nfds descriptors, or none. */
static int send_set(struct vfio_user *u, const struct irq_set *s, const int *fd, unsigned int nfds)
{
	uint8_t payload[sizeof(struct vfio_irq_set) + MAX_VECTORS];
	size_t data = s->data == IRQ_DATA_BOOL ? s->count : 0;
	struct vfio_irq_set set = { .argsz = (uint32_t)(sizeof(set) + data),
				    .flags = vfio_set_flags(s),
				    .index = s->index,
				    .start = s->start,
				    .count = s->count };
	struct peer_request r = { .command = VU_DEVICE_SET_IRQS,
				  .payload = payload,
				  .size = set.argsz,
				  .fd = fd,
				  .nfds = nfds,
				  .puts_back = puts_back(s, nfds) };
	char text[256] = "";

	if (data > MAX_VECTORS)
		return -EINVAL;
	memcpy(payload, &set, sizeof(set));
	for (unsigned int i = 0; i < data; i++)
		payload[sizeof(set) + i] = vector_set_has(&s->attach, s->start + i);
	if (u->trace->on)
		r.detail = irq_set_text(s, text, sizeof(text));
	u->outcome.messages++;
	return peer_ask(u, &r, NULL, 0);
}

/* @count vectors of @s from @start on, with an eventfd for each of them or for none. */
static struct irq_set part_of(const struct irq_set *s, unsigned int start, unsigned int count,
			      bool valid)
{
	struct irq_set part = { .index = s->index,
				.action = s->action,
				.data = s->data,
				.start = start,
				.count = count };

	if (valid)
		vector_set_add_range(&part.attach, start, count);
	return part;
}

/*
 * Runs of vectors with and without an eventfd; a message holds only one kind, and at most u->chunk
 * descriptors.
 */
static int send_runs(struct vfio_user *u, const struct irq_set *s, const int32_t *eventfd)
{
	unsigned int at = 0;

	while (at < s->count) {
		bool valid = eventfd[at] >= 0;
		struct irq_set part;
		unsigned int n = 1;
		int rc;

		while (at + n < s->count && (eventfd[at + n] >= 0) == valid &&
		       (!valid || n < u->chunk))
			n++;
		part = part_of(s, s->start + at, n, valid);
		rc = send_set(u, &part, valid ? eventfd + at : NULL, valid ? n : 0);
		if (rc) {
			u->outcome.start = part.start;
			u->outcome.count = n;
			return rc;
		}
		u->outcome.armed = vector_set_or(&u->outcome.armed, &part.attach);
		at += n;
	}
	return 0;
}

static unsigned int messages(const struct vfio_user *u, const struct irq_set *s,
			     const int32_t *eventfd)
{
	unsigned int n = 0, run = 0;

	for (unsigned int i = 0; i < s->count; i++) {
		bool same = i > 0 && (eventfd[i] >= 0) == (eventfd[i - 1] >= 0) &&
			    (eventfd[i] < 0 || run < u->chunk);

		run = same ? run + 1 : 1;
		n += !same;
	}
	return n;
}

/*
 * Where vectors were live before only those of this set are let go. libvfio-user
 * loops from start to count there, instead of to start + count, so what it says
 * about that tells nothing.
 */
static void undo_set(struct vfio_user *u, const struct irq_set *s, bool first)
{
	const struct irq_set off = { .index = s->index,
				     .action = IRQ_ACTION_TRIGGER,
				     .data = IRQ_DATA_NONE };
	struct irq_set none = part_of(s, s->start, s->count, false);
	int rc = send_set(u, first ? &off : &none, NULL, 0);

	u->outcome.released = rc == 0 && (first || !is_libvfio_user(u));
}

/*
 * A set in several messages is not atomic. On the first enable a message
 * without descriptors asks for all of it, so that the platform hears the count
 * up front and an index that is NORESIZE can be filled; what fails midway is
 * undone as a whole.
 */
static int send_eventfds(struct vfio_user *u, const struct irq_set *s, const int32_t *eventfd)
{
	bool first = !u->on[s->index], several = messages(u, s, eventfd) > 1;
	struct irq_set none = part_of(s, s->start, s->count, false);
	int rc = 0;

	if (first && several)
		rc = send_set(u, &none, NULL, 0);
	if (rc)
		return rc;
	rc = send_runs(u, s, eventfd);
	if (rc == 0)
		u->on[s->index] = true;
	else if (several && !u->end)
		undo_set(u, s, first);
	return rc;
}

/*
 * One by one, or run by run: rust-vmm answers BOOL with an error and takes its bytes for the next
 * message.
 */
static int set_without_bools(struct vfio_user *u, const struct irq_set *s)
{
	struct irq_set run = {
		.index = s->index, .action = s->action, .data = IRQ_DATA_NONE, .start = s->start
	};
	int rc = 0;

	while (rc == 0 &&
	       vector_set_next_run(&s->attach, run.start + run.count, &run.start, &run.count))
		rc = send_set(u, &run, NULL, 0);
	return rc;
}

int vfio_user_set_irqs(void *handle, const struct irq_set *s, const int32_t *eventfd,
		       struct set_outcome *o)
{
	struct vfio_user *u = handle;
	int rc;

	u->outcome = (struct set_outcome){ .start = s->start, .count = s->count };
	peer_begin(u);
	if (s->data == IRQ_DATA_EVENTFD)
		rc = send_eventfds(u, s, eventfd);
	else if (s->data == IRQ_DATA_BOOL && u->chunk == 1)
		rc = set_without_bools(u, s);
	else
		rc = send_set(u, s, NULL, 0);
	peer_done(u);
	if (rc == 0 && s->data == IRQ_DATA_NONE && s->count == 0)
		u->on[s->index] = false;
	if (s->index == IRQ_REQ && s->data == IRQ_DATA_EVENTFD)
		u->no_req = rc != 0;
	*o = u->outcome;
	return rc;
}
