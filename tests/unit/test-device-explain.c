// SPDX-License-Identifier: GPL-2.0-or-later
/* What is said of a SET_IRQS that failed, and which exit status it has. */
#include "device-rig.h"

static int refused(struct rig *r, enum irq_index index, const char *vectors, int rc,
		   struct change *c, struct error *e)
{
	struct vector_set which = rig_set(vectors);

	r->set_rc[r->sets] = rc;
	*c = (struct change){ 0 };
	*e = (struct error){ 0 };
	return device_enable(&r->d, index, &which, (struct change_how){ .no_repair = true }, c, e);
}

/* VFIO answers a number: so many could be had, and none is enabled. */
static void a_short_grant(void **state)
{
	struct rig *r = *state;
	struct change c;
	struct error e;

	assert_int_equal(refused(r, IRQ_MSIX, "0-9", 3, &c, &e), -ENOSPC);
	rig_said(&e, CAUSE_SHORT, 0, "the host grants 3 of 10 msix vectors, nothing was enabled");
	assert_string_equal(e.hint, "enable msix 3");
	assert_int_equal(c.granted, 3);
	rig_enable(r, IRQ_MSIX, "0-3");
	r->d.ops = &rig_peer;
	assert_int_equal(refused(r, IRQ_MSIX, "5-6", 1, &c, &e), -ENOSPC);
	rig_said(&e, CAUSE_SHORT, 0, "the peer grants 1 of 7 msix vectors, nothing was enabled");
	assert_string_equal(e.hint, "enable msix 1");
	assert_int_equal(c.granted, 1);
}

static void none_left(void **state)
{
	struct rig *r = *state;
	struct change c;
	struct error e;

	assert_int_equal(refused(r, IRQ_MSIX, "0-9", -ENOSPC, &c, &e), -ENOSPC);
	rig_said(&e, CAUSE_SHORT, ENOSPC, "the host has no interrupt vectors left for msix 0-9");
	assert_string_equal(e.hint, "ask for fewer, or: probe");
	rig_enable(r, IRQ_MSIX, "0-3");
	assert_int_equal(refused(r, IRQ_MSIX, "6-9", -ENOSPC, &c, &e), -ENOSPC);
	rig_said(&e, CAUSE_SHORT, ENOSPC, "the host has no interrupt vectors left for msix 6-9");
	assert_string_equal(
		e.hint,
		"ask for fewer; resize msix COUNT --release gives back IRQs that are allocated but "
		"not armed");
	r->d.ops = &rig_peer;
	assert_int_equal(refused(r, IRQ_MSIX, "6", -ENOSPC, &c, &e), -ENOSPC);
	rig_said(&e, CAUSE_SHORT, ENOSPC, "the peer has no interrupt vectors left for msix 6-6");
	assert_string_equal(e.hint, "ask for fewer");
}

/* Of a call that asks for no vector ENOSPC is one refusal among others. */
static void enospc_of_something_else(void **state)
{
	struct vector_set one = rig_set("1");
	struct rig *r = *state;
	struct change c = { 0 };
	struct error e;

	rig_enable(r, IRQ_MSIX, "0-3");
	r->set_rc[r->sets] = -ENOSPC;
	assert_int_equal(device_mask(&r->d, IRQ_MSIX, &one, MASK_ACTION, true, &e), -ENOSPC);
	rig_said(&e, CAUSE_FAILED, ENOSPC,
		 "SET_IRQS index=msix start=1 count=1 DATA_NONE|ACTION_MASK was refused");
	r->set_rc[r->sets] = -ENOSPC;
	assert_int_equal(device_mask(&r->d, IRQ_MSIX, &one, MASK_EVENTFD, true, &e), -ENOSPC);
	rig_said(&e, CAUSE_FAILED, ENOSPC, "eventfds=none others=-1 was refused");
	r->set_rc[r->sets] = -ENOSPC;
	assert_int_equal(device_trigger(&r->d, IRQ_MSIX, &one, &e), -ENOSPC);
	rig_said(&e, CAUSE_FAILED, ENOSPC,
		 "index=msix start=1 count=1 DATA_NONE|ACTION_TRIGGER was refused");
	/* one of several, by their booleans */
	one = rig_set("1,3");
	r->set_rc[r->sets] = -ENOSPC;
	assert_int_equal(device_trigger(&r->d, IRQ_MSIX, &one, &e), -ENOSPC);
	rig_said(&e, CAUSE_FAILED, ENOSPC, "DATA_BOOL|ACTION_TRIGGER true=1,3 was refused");
	r->set_rc[r->sets] = -ENOSPC;
	assert_int_equal(device_disable(&r->d, IRQ_MSIX, &c, &e), -ENOSPC);
	rig_said(&e, CAUSE_FAILED, ENOSPC,
		 "index=msix start=0 count=0 DATA_NONE|ACTION_TRIGGER was refused");
}

/* EINVAL stands for anything: what the device's registers say of it is added, with what helps. */
static void einval(void **state)
{
	struct rig *r = *state;
	struct change c;
	struct error e;

	assert_int_equal(refused(r, IRQ_MSIX, "0", -EINVAL, &c, &e), -EINVAL);
	assert_string_equal(
		e.message,
		"SET_IRQS index=msix start=0 count=1 DATA_EVENTFD|ACTION_TRIGGER eventfds=0 "
		"was refused");
	assert_string_equal(e.hint, "");
	rig_put16(r, PCI_COMMAND, 0);
	assert_int_equal(refused(r, IRQ_MSIX, "0", -EPERM, &c, &e), -EPERM);
	assert_null(strstr(e.message, "memory decode"));
	assert_int_equal(refused(r, IRQ_MSIX, "0", -EINVAL, &c, &e), -EINVAL);
	rig_said(&e, CAUSE_FAILED, EINVAL, " was refused: memory decode is off (Command 0x0000)");
	assert_string_equal(e.hint, "write config 0x4 w 0x2");
	/* Memory decode is no matter of a peer's SET_IRQS; the power state is. */
	r->d.ops = &rig_peer;
	assert_int_equal(refused(r, IRQ_MSIX, "0", -EINVAL, &c, &e), -EINVAL);
	assert_string_equal(e.message, "the peer refused SET_IRQS index=msix start=0 count=1 "
				       "DATA_EVENTFD|ACTION_TRIGGER eventfds=0");
}

/* A device in D1 is asked when the user insists. */
static void einval_below_d0(void **state)
{
	const struct change_how force = { .force = true, .no_repair = true };
	struct vector_set one = rig_set("0");
	struct rig *r = *state;
	struct change c = { 0 };
	struct error e;

	r->d.ops = &rig_peer;
	r->config[RIG_PM + PCI_PM_CTRL] = 1;
	r->set_rc[0] = -EINVAL;
	assert_int_equal(device_enable(&r->d, IRQ_MSIX, &one, force, &c, &e), -EINVAL);
	rig_said(&e, CAUSE_FAILED, EINVAL, "eventfds=0: the device is in D1, a low-power state");
	assert_string_equal(e.hint, "write config 0x44 w 0");
	r->end = "the peer went";
	r->set_rc[1] = -EINVAL;
	assert_int_equal(device_enable(&r->d, IRQ_MSIX, &one, force, &c, &e), -ENOTCONN);
	rig_said(&e, CAUSE_BUSY, ENOTCONN, "SET_IRQS: the peer went");
}

/* A set of three messages, of which the second failed. */
static bool gave_back;

static int in_parts(void *handle, const struct irq_set *s, const int32_t *eventfd,
		    struct set_outcome *o)
{
	int rc = rig_set_irqs(handle, s, eventfd, o);

	o->messages = 2;
	if (!rc)
		return 0;
	o->start = 4;
	o->count = 3;
	o->armed = (struct vector_set){ .bits = { 0xf } };
	o->released = gave_back;
	return rc;
}

static void one_message_of_several(void **state)
{
	static const struct device_ops parts = { PEER_FACTS,
						 .set_irqs = in_parts,
						 .region_read = rig_read,
						 .region_write = rig_write,
						 .peer_fd = rig_peer_fd,
						 .peer_end = rig_peer_end,
						 .explain = rig_peer_explain };
	struct rig *r = *state;
	struct change c;
	struct error e;

	r->d.ops = &parts;
	assert_int_equal(refused(r, IRQ_MSIX, "0-5,7-9", -ENOSPC, &c, &e), -ENOSPC);
	assert_int_equal(c.calls, 2);
	assert_string_equal(
		e.message,
		"the peer has no interrupt vectors left for msix 4-6; 0-3, armed before it, may "
		"stay with the peer");
	gave_back = true;
	assert_int_equal(refused(r, IRQ_MSIX, "0-5,7-9", -EPERM, &c, &e), -EPERM);
	assert_string_equal(
		e.message,
		"the peer refused SET_IRQS index=msix start=4 count=3 "
		"DATA_EVENTFD|ACTION_TRIGGER eventfds=4-5 others=-1; 0-3, armed before it, were "
		"released again");
	c = rig_enable(r, IRQ_MSIX, "0-9");
	assert_int_equal(c.calls, 2);
}

/* A peer's errno says nothing of a lost device: it answered. */
static void causes(void **state)
{
	struct rig *r = *state;

	assert_int_equal(device_cause(&r->d, ENODEV), CAUSE_FAILED);
	assert_int_equal(device_cause(&r->d, EBUSY), CAUSE_BUSY);
	rig_put16(r, PCI_VENDOR_ID, 0xffff);
	assert_int_equal(device_cause(&r->d, ENODEV), CAUSE_NO_DEVICE);
	r->d.ops = &rig_peer;
	assert_int_equal(device_cause(&r->d, ENODEV), CAUSE_FAILED);
	assert_int_equal(device_cause(&r->d, EBUSY), CAUSE_FAILED);
	assert_int_equal(device_cause(&r->d, EACCES), CAUSE_FAILED);
}

/* The answer of 16 bits: no device has all ones, and half an answer is none. */
static void who_answers(void **state)
{
	struct rig *r = *state;
	uint16_t vendor = 0;

	assert_true(device_answers(&r->d, &vendor));
	assert_int_equal(vendor, 0x1234);
	rig_put16(r, PCI_VENDOR_ID, 0xff);
	assert_true(device_answers(&r->d, &vendor));
	rig_put16(r, PCI_VENDOR_ID, 0xffff);
	assert_false(device_answers(&r->d, &vendor));
	rig_put16(r, PCI_VENDOR_ID, 0x1234);
	rig_refuse(r, (struct rig_access){ false, REGION_CONFIG, PCI_VENDOR_ID, 2 }, 0, 1);
	assert_false(device_answers(&r->d, &vendor));
	rig_refuse(r, (struct rig_access){ 0 }, 0, 0);
	r->d.handle = NULL;
	assert_false(device_answers(&r->d, &vendor));
	assert_int_equal(r->accesses, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_short_grant, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(none_left, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(enospc_of_something_else, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(einval, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(einval_below_d0, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(one_message_of_several, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(causes, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(who_answers, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests_name("device-explain", tests, NULL, NULL);
}
