// SPDX-License-Identifier: GPL-2.0-or-later
/* Pending bits, a peer that is lost, and the state of a dry run. */
#include "device-rig.h"

#define BAR2 ((enum region_index)2)

static int pends(struct rig *r, enum irq_index index, struct error *e)
{
	struct vector_set pending;

	*e = (struct error){ 0 };
	return device_pending(&r->d, index, &pending, e);
}

/* Of the pending bit array whole qwords are read, as many as the vectors take. */
static void whole_qwords(void **state)
{
	static const struct {
		unsigned int vectors;
		size_t bytes;
	} sizes[] = { { 1, 8 },	   { 63, 8 },	{ 64, 8 },    { 65, 16 },
		      { 128, 16 }, { 129, 24 }, { 2048, 256 } };
	struct rig *r = *state;
	struct error e;

	r->d.ops = &rig_peer;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		r->d.caps.msix.count = sizes[i].vectors;
		r->accesses = 0;
		assert_int_equal(pends(r, IRQ_MSIX, &e), 0);
		assert_int_equal(r->accesses, 1);
		assert_int_equal(r->seen[0].region, 2);
		assert_int_equal(r->seen[0].at, RIG_PBA);
		assert_int_equal(r->seen[0].n, sizes[i].bytes);
	}
	/* in the last BAR as well */
	r->d.caps.msix.pba_bar = 5;
	assert_int_equal(pends(r, IRQ_MSIX, &e), 0);
}

static void not_to_be_read(void **state)
{
	static const struct rig_access pba = { false, BAR2, RIG_PBA, 0 };
	struct rig *r = *state;
	struct error e;

	rig_refuse(r, pba, 0, 4);
	assert_int_equal(pends(r, IRQ_MSIX, &e), -EIO);
	rig_said(&e, CAUSE_FAILED, EIO, "the pending bit array in bar2 can't be read");
	rig_refuse(r, pba, 0, -EFAULT);
	assert_int_equal(pends(r, IRQ_MSIX, &e), -EFAULT);
	rig_said(&e, CAUSE_FAILED, EFAULT, "the pending bit array in bar2 can't be read");
	r->d.ops = &rig_peer;
	assert_int_equal(pends(r, IRQ_MSIX, &e), -EFAULT);
	rig_said(&e, CAUSE_FAILED, EFAULT, "the pending bit array in bar2 can't be read");
	rig_put16(r, PCI_COMMAND, 0);
	assert_int_equal(pends(r, IRQ_MSIX, &e), -EIO);
	rig_said(&e, CAUSE_FAILED, EIO, "memory decode is off (Command 0x0000)");
	/* a BAR that answers without memory decode is the peer's own matter */
	rig_refuse(r, pba, 0, 0);
	assert_int_equal(pends(r, IRQ_MSIX, &e), 0);
	rig_refuse(r, pba, 0, -EFAULT);
	r->end = "the peer went";
	assert_int_equal(pends(r, IRQ_MSIX, &e), -EIO);
	rig_said(&e, CAUSE_BUSY, ENOTCONN, "region access: the peer went");
	r->d.handle = NULL;
	r->d.gone = "the peer took the device back";
	assert_int_equal(pends(r, IRQ_MSIX, &e), -ENODEV);
	rig_said(&e, CAUSE_NO_DEVICE, ENODEV, "the peer took the device back");
}

/* What a peer said before it went is not spoken over while it is there, and its hint comes along. */
static void a_lost_peer(void **state)
{
	struct rig *r = *state;
	struct error e = { .cause = CAUSE_USAGE, .message = "as before", .hint = "this" };

	r->d.ops = &rig_peer;
	assert_int_equal(device_lost(&r->d, "SET_IRQS", &e), 0);
	rig_said(&e, CAUSE_USAGE, 0, "as before");
	r->end = "the peer went";
	assert_int_equal(device_lost(&r->d, "SET_IRQS", &e), -ENOTCONN);
	assert_string_equal(e.message, "SET_IRQS: the peer went");
	assert_string_equal(e.hint, "start the peer again");
	assert_int_equal(e.cause, CAUSE_BUSY);
	assert_int_equal(e.err, ENOTCONN);
	/* Nobody is listened to at the kernel's, and nobody is lost there. */
	r->d.ops = &rig_kernel;
	assert_int_equal(device_lost(&r->d, "SET_IRQS", &e), 0);
	assert_int_equal(device_peer_listen(&r->d, &e), 0);
	assert_int_equal(r->d.peer.fd, -1);
}

static void heard(void *ctx)
{
	++*(unsigned int *)ctx;
}

/* A peer that has gone is told nothing more: neither masks nor bus mastering are put back there. */
static void nothing_to_who_has_gone(void **state)
{
	struct vector_set one = rig_set("1");
	struct rig *r = *state;
	unsigned int told = 0;
	struct error e;

	r->d.ops = &rig_peer;
	rig_enable(r, IRQ_MSIX, "0-1");
	assert_int_equal(device_mask(&r->d, IRQ_MSIX, &one, MASK_TABLE, true, &e), 0);
	r->d.events = (struct device_events){ .lost = heard, .ctx = &told };
	r->sets = r->accesses = 0;
	device_peer_ready(&r->d.peer);
	assert_int_equal(told, 0);
	r->end = "the peer went";
	device_peer_ready(&r->d.peer);
	assert_int_equal(told, 1);
	assert_int_equal(r->sets + r->accesses, 0);
	assert_true(r->closed && r->d.cut);
	assert_int_equal(device_here(&r->d, &e), -ENODEV);
	rig_said(&e, CAUSE_BUSY, ENODEV, "the peer went");
	assert_string_equal(r->d.left, "");
	r->d.handle = r;
}

static void who_keeps_req(void **state)
{
	struct rig *r = *state;
	struct change c = { 0 };
	struct error e;

	rig_enable(r, IRQ_REQ, "0");
	assert_int_equal(device_disable(&r->d, IRQ_REQ, &c, &e), -EINVAL);
	rig_said(&e, CAUSE_FAILED, 0,
		 "req is how the kernel asks for the device back; msictl always listens to it");
	assert_string_equal(e.hint, "quit   lets go of the device");
	r->d.ops = &rig_peer;
	assert_int_equal(device_disable(&r->d, IRQ_REQ, &c, &e), -EINVAL);
	rig_said(&e, CAUSE_FAILED, 0, "req is how the peer asks for the device back");
	assert_true(r->d.irq[IRQ_REQ].enabled);
}

/* The masks come back too, that of vector 0 and that of the last; what was unmasked is unmasked again. */
static void masks_after_a_dry_run(void **state)
{
	struct rig *r = *state;
	struct vector_set ends = rig_set("0,15"), one = rig_set("1"), held;
	struct error e;

	rig_enable(r, IRQ_MSIX, "0-15");
	assert_int_equal(device_mask(&r->d, IRQ_MSIX, &ends, MASK_TABLE, true, &e), 0);
	r->trace.dry_run = true;
	assert_int_equal(device_dry_begin(&r->d, &e), 0);
	assert_int_equal(device_mask(&r->d, IRQ_MSIX, &ends, MASK_NOT, false, &e), 0);
	assert_int_equal(device_mask(&r->d, IRQ_MSIX, &one, MASK_NOT, true, &e), 0);
	held = device_masked(&r->d, IRQ_MSIX);
	rig_is(held, "1");
	/* A second command of the same dry run goes on with the first one's books. */
	assert_int_equal(device_dry_begin(&r->d, &e), 0);
	device_dry_end(&r->d);
	r->trace.dry_run = false;
	held = device_masked(&r->d, IRQ_MSIX);
	rig_is(held, "0,15");
	assert_true(rig_get16(r, PCI_COMMAND) & PCI_COMMAND_MASTER);
}

/* A device that was opened by a dry run has no other books: the dry changes stay in them. */
static void opened_dry(void **state)
{
	struct rig *r = *state;
	struct error e;

	r->trace.dry_run = r->d.dry = true;
	assert_int_equal(device_dry_begin(&r->d, &e), 0);
	rig_enable(r, IRQ_MSIX, "0-3");
	device_dry_end(&r->d);
	assert_true(r->d.irq[IRQ_MSIX].enabled);
	rig_is(device_armed(&r->d, IRQ_MSIX), "0-3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whole_qwords, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(not_to_be_read, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_lost_peer, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(nothing_to_who_has_gone, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(who_keeps_req, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(masks_after_a_dry_run, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(opened_dry, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests_name("device-pending", tests, NULL, NULL);
}
