// SPDX-License-Identifier: GPL-2.0-or-later
/* Enable, disable, resize, trigger: plan, send, and after a failure repair what is true. */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdio.h>

#include "base/util.h"
#include "device/internal.h"

/* INTx, MSI and MSI-X exclude each other; the kernel would only say EINVAL. */
static int check_others(const struct device *d, enum irq_index index, struct error *e)
{
	if (index > IRQ_MSIX)
		return 0;
	for (unsigned int i = IRQ_INTX; i <= IRQ_MSIX; i++) {
		int rc;

		if (i == index || !d->irq[i].enabled)
			continue;
		rc = fail(e, CAUSE_FAILED, 0,
			  "%s is on, and a function uses one of intx, msi and msix at a time",
			  irq_index_word(i));
		hint(e, "disable %s", irq_index_word(i));
		return rc;
	}
	return 0;
}

static struct vector_set wanted_by(const struct plan *p)
{
	struct vector_set all = { .bits = { 0 } };

	for (size_t i = 0; i < p->n; i++)
		all = vector_set_or(&all, &p->set[i].attach);
	return all;
}

/*
 * INTx apart, where VFIO itself masks: whatever else masks a vector is undone when it is given an
 * eventfd.
 */
static struct vector_set held_back(const struct device *d, enum irq_index index)
{
	struct vector_set held = device_masked(d, index), all = held;
	unsigned int v;

	for_each_vector (v, &all)
		if (d->irq[index].vector[v]->masked == MASK_ACTION)
			vector_set_del(&held, v);
	return held;
}

/* Arm again what the failed call took along, so far as the host still can. */
static void repair(struct device *d, enum irq_index index, const struct vector_set *lost,
		   const struct vector_set *held, struct change *c)
{
	struct irq_state have;
	struct plan p = { 0 };
	struct error ignored;
	struct vector_set armed, want;
	int rc;

	device_state(d, index, &have);
	have.held = *held;
	rc = plan_attach(&have, lost, &p);
	want = wanted_by(&p);
	if (rc == 0)
		rc = device_ready(d, index, &want, c, &ignored);
	for (size_t i = 0; rc == 0 && i < p.n; i++) {
		rc = device_send(d, &p.set[i], c);
		if (rc)
			device_after_failed(d, &p.set[i], c);
	}
	plan_free(&p);
	armed = device_armed(d, index);
	c->repaired = vector_set_and(lost, &armed);
}

static void after_failure(struct device *d, const struct irq_set *failed, struct change_how how,
			  const struct vector_set *held, struct change *c)
{
	enum irq_index index = failed->index;
	struct vector_set armed;

	if (!d->handle)
		return;
	device_after_failed(d, failed, c);
	armed = device_armed(d, index);
	c->dropped = vector_set_minus(&c->live_before, &armed);
	if (!how.no_repair && !vector_set_empty(&c->dropped))
		repair(d, index, &c->dropped, held, c);
}

/*
 * An eventfd that is given anew unmasks its vector in the device, so what was @held did not get
 * one: by that it is held back now, unless the change released it. @again: the state forgot who was
 * held.
 */
static void keep_masked(struct device *d, enum irq_index index, const struct vector_set *held,
			bool again, struct change *c)
{
	struct index *ix = &d->irq[index];
	struct vector_set by_device = vector_set_and(held, &c->live_before);
	/* ERR is on only while it has its eventfd, and is held back by having none. */
	bool on = ix->enabled || index > IRQ_MSIX;
	unsigned int v;

	for_each_vector (v, held) {
		struct vector *vec = ix->vector[v];
		bool kept = vector_set_has(&ix->allocated, v) && (again || vec->masked != MASK_NOT);

		if (vec->armed)
			continue;
		vec->masked = on && kept ? MASK_EVENTFD : MASK_NOT;
		if (vec->masked != MASK_NOT && vector_set_has(&by_device, v))
			vector_set_add(&c->demoted, v);
	}
}

static void account(const struct device *d, enum irq_index index, struct change *c)
{
	struct vector_set now = device_armed(d, index), masked = device_masked(d, index);

	c->added = vector_set_minus(&now, &c->live_before);
	c->removed = vector_set_minus(&c->live_before, &now);
	c->removed = vector_set_minus(&c->removed, &c->demoted);
	c->kept = vector_set_and(&now, &c->live_before);
	c->off = vector_set_minus(&c->dropped, &now);
	c->off = vector_set_minus(&c->off, &masked);
}

/* Down to none, nothing is held back either, though vector 0 stays allocated. */
static void let_go(struct device *d, enum irq_index index, struct change *c)
{
	struct vector_set held = device_masked(d, index);
	unsigned int v;

	for_each_vector (v, &held)
		d->irq[index].vector[v]->masked = MASK_NOT;
	c->demoted = (struct vector_set){ .bits = { 0 } };
	account(d, index, c);
}

static bool any_on(const struct device *d)
{
	return d->irq[IRQ_MSI].enabled || d->irq[IRQ_MSIX].enabled;
}

static int send_all(struct device *d, enum irq_index index, const struct plan *p,
		    struct change_how how, const struct vector_set *held, struct change *c,
		    struct error *e)
{
	for (size_t i = 0; i < p->n; i++) {
		int rc;

		d->irq[index].rebuilding = p->rebuild && i == 0;
		rc = device_send(d, &p->set[i], c);
		d->irq[index].rebuilding = false;
		if (rc) {
			rc = explain_set(d, &p->set[i], rc, c, e);
			after_failure(d, &p->set[i], how, held, c);
			return rc;
		}
		/* Its first call is the disable. */
		c->rebuilt = p->rebuild;
	}
	return 0;
}

/*
 * What makes the device send messages, besides SET_IRQS: bus mastering, and on some peers the
 * capability.
 */
static void message_registers(struct device *d, enum irq_index index,
			      const struct vector_set *attached, struct change *c)
{
	struct vector_set armed = device_armed(d, index);

	if (is_message(index) && d->irq[index].enabled) {
		c->bus_master_on = device_bus_master(d, true) == 1;
		armed = vector_set_and(&armed, attached);
		device_cap_ready(d, index, &armed, c);
		return;
	}
	if (is_message(index))
		device_cap_undo(d, index, c);
	if (!any_on(d))
		c->bus_master_off = device_bus_master(d, false) == 1;
}

static int run_plan(struct device *d, enum irq_index index, const struct plan *p,
		    struct change_how how, struct change *c, struct error *e)
{
	struct vector_set want = wanted_by(p), held = held_back(d, index);
	bool was_on = d->irq[index].enabled && !p->rebuild;
	uint64_t begin;
	int rc;

	c->live_before = device_armed(d, index);
	/*
	 * Eventfds first, and kept over its disable: a rebuild's blind window must not contain
	 * their making.
	 */
	rc = device_ready(d, index, &want, c, e);
	begin = now_us();
	if (rc == 0)
		rc = send_all(d, index, p, how, &held, c, e);
	if (c->rebuilt)
		c->blind_us = now_us() - begin;
	if (c->rebuilt && d->handle && !d->trace->dry_run)
		device_close_idle(&d->irq[index]);
	if (rc == 0)
		rc = device_line_on(d, index, &want, was_on, e);
	if (d->handle) {
		keep_masked(d, index, &held, c->rebuilt || rc, c);
		message_registers(d, index, &want, c);
	}
	account(d, index, c);
	if (index == IRQ_MSIX)
		device_check_entries(d, c);
	return rc;
}

/*
 * What every change begins with: the index is there, awake, no other is on, and what a plan starts
 * from.
 */
static int begin(struct device *d, enum irq_index index, struct change_how how,
		 struct irq_state *have, struct error *e)
{
	int rc;

	if (!device_index(d, index, e))
		return -ENODEV;
	device_state(d, index, have);
	have->held = held_back(d, index);
	rc = check_others(d, index, e);
	return rc || how.force ? rc : device_awake(d, index, e);
}

int device_enable(struct device *d, enum irq_index index, const struct vector_set *want,
		  struct change_how how, struct change *c, struct error *e)
{
	_cleanup_(plan_free) struct plan p = { 0 };
	struct irq_state have;
	int rc = begin(d, index, how, &have, e);

	if (rc == 0)
		rc = plan_enable(&have, want, &p, e);
	return rc ? rc : run_plan(d, index, &p, how, c, e);
}

int device_enable_none(struct device *d, enum irq_index index, unsigned int room,
		       struct change_how how, struct change *c, struct error *e)
{
	_cleanup_(plan_free) struct plan p = { 0 };
	struct irq_state have;
	int rc = begin(d, index, how, &have, e);

	if (rc == 0 && index > IRQ_MSIX)
		rc = fail(e, CAUSE_USAGE, 0,
			  "%s is on only while it has an eventfd, and has nothing to reserve",
			  irq_index_word(index));
	if (rc == 0)
		rc = plan_enable_none(&have, room, &p, e);
	return rc ? rc : run_plan(d, index, &p, how, c, e);
}

int device_disable(struct device *d, enum irq_index index, struct change *c, struct error *e)
{
	_cleanup_(plan_free) struct plan p = { 0 };
	struct irq_state have;
	int rc;

	if (!device_index(d, index, e))
		return -ENODEV;
	rc = device_keeps(d, index, e);
	if (rc)
		return rc;
	device_state(d, index, &have);
	rc = plan_disable(&have, &p, e);
	if (rc == 0)
		rc = run_plan(d, index, &p, (struct change_how){ 0 }, c, e);
	if (rc == 0)
		let_go(d, index, c);
	return rc;
}

int device_resize(struct device *d, enum irq_index index, unsigned int n, struct change_how how,
		  struct change *c, struct error *e)
{
	_cleanup_(plan_free) struct plan p = { 0 };
	struct irq_state have;
	int rc = begin(d, index, how, &have, e);

	if (rc == 0 && n == 0)
		rc = device_keeps(d, index, e);
	if (rc == 0)
		rc = plan_resize(&have, n, how.resize, &p, e);
	if (rc == 0)
		rc = run_plan(d, index, &p, how, c, e);
	if (rc == 0 && n == 0)
		let_go(d, index, c);
	return rc;
}

/* Looks at @which alone: a trigger of one vector costs the same however many there are. */
static struct vector_set not_armed(const struct index *ix, const struct vector_set *which)
{
	struct vector_set idle = { 0 };
	unsigned int v;

	for_each_vector (v, which)
		if (!ix->vector || v >= ix->info.count || !ix->vector[v] || !ix->vector[v]->armed)
			vector_set_add(&idle, v);
	return idle;
}

/*
 * vfio_send_intx_eventfd() in drivers/vfio/pci/vfio_pci_intrs.c: nothing is signalled while INTx
 * Disable is set.
 */
static int check_line(struct device *d, enum irq_index index, struct error *e)
{
	uint8_t raw[2];
	int rc;

	if (index != IRQ_INTX ||
	    d->ops->region_read(d->handle, REGION_CONFIG, raw, sizeof(raw), PCI_COMMAND) !=
		    sizeof(raw) ||
	    !(le16(raw) & PCI_COMMAND_INTX_DISABLE))
		return 0;
	rc = fail(e, CAUSE_FAILED, 0, "INTx Disable is set in the device's command register: %s",
		  d->ops->disabled_trigger);
	hint(e, "write config 0x%x w 0x%x", PCI_COMMAND, le16(raw) & ~PCI_COMMAND_INTX_DISABLE);
	return rc;
}

int device_trigger(struct device *d, enum irq_index index, const struct vector_set *which,
		   struct error *e)
{
	struct irq_set set = { .index = index,
			       .action = IRQ_ACTION_TRIGGER,
			       .data = IRQ_DATA_NONE };
	struct change c = { 0 };
	struct vector_set idle, held;
	char text[VECTOR_SET_ROOM];
	unsigned int start, count, v;
	int rc;

	if (!device_index(d, index, e))
		return -ENODEV;
	idle = not_armed(&d->irq[index], which);
	if (!vector_set_empty(&idle)) {
		held = device_masked(d, index);
		rc = fail(e, CAUSE_FAILED, 0, "%s %s not armed: %s", irq_index_word(index),
			  vector_set_text(&idle, text, sizeof(text)), d->ops->unarmed_trigger);
		held = vector_set_and(&idle, &held);
		if (vector_set_empty(&held))
			hint(e, "enable %s %s", irq_index_word(index),
			     vector_set_operand(&idle, text, sizeof(text)));
		else
			hint(e, "unmask %s %s", irq_index_word(index),
			     vector_set_text(&held, text, sizeof(text)));
		return rc;
	}
	vector_set_next_run(which, 0, &start, &count);
	set.start = start;
	set.count = vector_set_end(which) - start;
	if (count != set.count) {
		set.data = IRQ_DATA_BOOL;
		set.attach = *which;
	}
	if (d->trace->dry_run)
		return device_send(d, &set, &c);
	rc = check_line(d, index, e);
	if (rc)
		return rc;
	for_each_vector (v, which)
		d->irq[index].vector[v]->expected++;
	rc = device_send(d, &set, &c);
	if (rc == 0)
		return 0;
	for_each_vector (v, which)
		if (d->irq[index].vector[v]->expected)
			d->irq[index].vector[v]->expected--;
	return explain_set(d, &set, rc, &c, e);
}
