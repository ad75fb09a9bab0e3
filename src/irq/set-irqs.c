// SPDX-License-Identifier: GPL-2.0-or-later
#include "irq/set-irqs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"

void plan_free(struct plan *p)
{
	free(p->set);
	*p = (struct plan){ 0 };
}

static int add(struct plan *p, struct irq_set set)
{
	struct irq_set *more = reallocarray(p->set, p->n + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	p->set = more;
	p->set[p->n++] = set;
	return 0;
}

/* One call for start..start+count-1: members of @attach get their eventfd, the others -1. */
static int add_eventfds(struct plan *p, enum irq_index index, unsigned int start,
			unsigned int count, const struct vector_set *attach)
{
	struct vector_set range = { 0 };

	vector_set_add_range(&range, start, count);
	return add(p, (struct irq_set){ .index = index,
					.action = IRQ_ACTION_TRIGGER,
					.data = IRQ_DATA_EVENTFD,
					.start = start,
					.count = count,
					.attach = attach ? vector_set_and(attach, &range)
							 : (struct vector_set){ .bits = { 0 } } });
}

static int add_runs(struct plan *p, enum irq_index index, const struct vector_set *which,
		    bool attach)
{
	unsigned int start, count = 0;
	int rc = 0;

	for (start = 0; rc == 0 && vector_set_next_run(which, start + count, &start, &count);)
		rc = add_eventfds(p, index, start, count, attach ? which : NULL);
	return rc;
}

static int add_disable(struct plan *p, enum irq_index index)
{
	return add(p, (struct irq_set){ .index = index,
					.action = IRQ_ACTION_TRIGGER,
					.data = IRQ_DATA_NONE });
}

static int out_of_memory(struct plan *p, struct error *e)
{
	plan_free(p);
	return fail_memory(e);
}

/*
 * The device's own limit, before the kernel's overloaded EINVAL. @doing: the command and its word
 * before the count.
 */
static int check_range(const struct irq_state *have, unsigned int end, const char *doing,
		       const char *before, struct error *e)
{
	const char *word = irq_index_word(have->index);
	int rc;

	if (have->count == 0)
		return fail(e, CAUSE_FAILED, 0, "the device has no %s", word);
	if (end <= have->count)
		return 0;
	rc = fail(e, CAUSE_USAGE, 0, "%s has vectors 0-%u, %u is beyond", word, have->count - 1,
		  end - 1);
	hint(e, "%s %s %s%u", doing, word, before, have->count);
	return rc;
}

/* Vectors that can be armed without touching a live one. */
static bool reachable(const struct irq_state *have, const struct vector_set *fresh)
{
	return !(have->flags & IRQ_NORESIZE) ||
	       vector_set_end(fresh) <= vector_set_end(&have->allocated);
}

static int refuse_growth(const struct irq_state *have, unsigned int end, const char *doing,
			 struct error *e)
{
	const char *word = irq_index_word(have->index);
	unsigned int live = vector_set_count(&have->armed);
	int rc;

	rc = fail(
		e, CAUSE_DISTURB, 0,
		"%s is NORESIZE with %u allocated: %s vector %u needs a disable and enable, which blinds %u live "
		"vector%s",
		word, vector_set_count(&have->allocated), doing, end - 1, live,
		live == 1 ? "" : "s");
	hint(e, "resize %s %u --rebuild", word, end);
	return rc;
}

/*
 * The first call: it allocates start + count Linux IRQs whatever its eventfds
 * (drivers/vfio/pci/vfio_pci_intrs.c, vfio_msi_enable()). On a dynamic index
 * a set that does not begin at 0 is cheaper after a zero-vector enable.
 */
static int plan_first(const struct irq_state *have, const struct vector_set *want, struct plan *p)
{
	struct vector_set attach = vector_set_minus(want, &have->held);
	unsigned int start, count, end = vector_set_end(want);
	int rc;

	vector_set_next_run(want, 0, &start, &count);
	if (start == 0 && count == end)
		return add_eventfds(p, have->index, 0, end, &attach);
	if (have->flags & IRQ_NORESIZE || vector_set_empty(&attach))
		return add_eventfds(p, have->index, 0, end, &attach);
	if (start == 0)
		return add_runs(p, have->index, &attach, true);
	rc = add_eventfds(p, have->index, 0, 1, NULL);
	return rc ? rc : add_runs(p, have->index, &attach, true);
}

int plan_enable(const struct irq_state *have, const struct vector_set *want, struct plan *p,
		struct error *e)
{
	struct vector_set fresh;
	int rc;

	*p = (struct plan){ 0 };
	rc = check_range(have, vector_set_end(want), "enable", "", e);
	if (rc)
		return rc;
	fresh = vector_set_minus(want, &have->armed);
	fresh = vector_set_minus(&fresh, &have->held);
	if (vector_set_empty(&fresh))
		return 0;
	if (!have->enabled)
		rc = plan_first(have, want, p);
	else if (!reachable(have, &fresh))
		return refuse_growth(have, vector_set_end(&fresh), "arming", e);
	else
		rc = add_runs(p, have->index, &fresh, true);
	return rc ? out_of_memory(p, e) : 0;
}

int plan_enable_none(const struct irq_state *have, unsigned int room, struct plan *p,
		     struct error *e)
{
	int rc;

	*p = (struct plan){ 0 };
	rc = check_range(have, room, "enable", "none --room ", e);
	if (rc)
		return rc;
	if (have->enabled && vector_set_end(&have->allocated) >= room)
		return 0;
	if (have->enabled && (have->flags & IRQ_NORESIZE))
		return refuse_growth(have, room, "reserving", e);
	return add_eventfds(p, have->index, room - 1, 1, NULL) ? out_of_memory(p, e) : 0;
}

int plan_disable(const struct irq_state *have, struct plan *p, struct error *e)
{
	*p = (struct plan){ 0 };
	if (!have->enabled)
		return 0;
	return add_disable(p, have->index) ? out_of_memory(p, e) : 0;
}

static int plan_rebuild(const struct irq_state *have, const struct vector_set *want, struct plan *p,
			struct error *e)
{
	int rc;

	p->rebuild = true;
	rc = add_disable(p, have->index);
	if (rc == 0 && !vector_set_empty(want))
		rc = plan_first(have, want, p);
	else if (rc == 0)
		rc = add_eventfds(p, have->index, 0, 1, NULL); /* stays on, with no vector armed */
	return rc ? out_of_memory(p, e) : 0;
}

int plan_resize(const struct irq_state *have, unsigned int n, struct resize_how how, struct plan *p,
		struct error *e)
{
	struct vector_set want = { 0 }, have_now = vector_set_or(&have->armed, &have->held), fresh,
			  excess;
	int rc;

	*p = (struct plan){ 0 };
	vector_set_add_range(&want, 0, n);
	rc = check_range(have, n, "resize", "", e);
	if (rc)
		return rc;
	if (!have->enabled)
		return n ? plan_enable(have, &want, p, e) : plan_enable_none(have, 1, p, e);
	fresh = vector_set_minus(&want, &have_now);
	excess = vector_set_minus(&have_now, &want);
	if (how.release && vector_set_count(&have->allocated) > (n ? n : 1))
		return plan_rebuild(have, &want, p, e);
	if (!vector_set_empty(&fresh) && !reachable(have, &fresh)) {
		if (how.rebuild)
			return plan_rebuild(have, &want, p, e);
		return refuse_growth(have, n, "arming", e);
	}
	rc = add_runs(p, have->index, &excess, false);
	if (rc == 0)
		rc = add_runs(p, have->index, &fresh, true);
	return rc ? out_of_memory(p, e) : 0;
}

int plan_attach(const struct irq_state *have, const struct vector_set *lost, struct plan *p)
{
	struct vector_set attach = vector_set_minus(lost, &have->held),
			  all = vector_set_or(lost, &have->held);

	*p = (struct plan){ 0 };
	if (!have->enabled)
		return plan_first(have, &all, p);
	return add_runs(p, have->index, &attach, true);
}

int plan_release(const struct irq_state *have, const struct vector_set *which, struct plan *p)
{
	*p = (struct plan){ 0 };
	return add_runs(p, have->index, which, false);
}

char *irq_set_text(const struct irq_set *s, char *buf, size_t size)
{
	static const char *const action[] = { [IRQ_ACTION_TRIGGER] = "TRIGGER",
					      [IRQ_ACTION_MASK] = "MASK",
					      [IRQ_ACTION_UNMASK] = "UNMASK" };
	static const char *const data[] = {
		[IRQ_DATA_NONE] = "NONE", [IRQ_DATA_BOOL] = "BOOL", [IRQ_DATA_EVENTFD] = "EVENTFD"
	};
	char which[128];

	snprintf(buf, size, "index=%s start=%u count=%u DATA_%s|ACTION_%s",
		 irq_index_word(s->index), s->start, s->count, data[s->data], action[s->action]);
	if (s->data == IRQ_DATA_NONE)
		return buf;
	vector_set_text(&s->attach, which, sizeof(which));
	append(buf, size, " %s=%s", s->data == IRQ_DATA_BOOL ? "true" : "eventfds", which);
	if (s->data == IRQ_DATA_EVENTFD && vector_set_count(&s->attach) < s->count)
		append(buf, size, " others=-1");
	return buf;
}
