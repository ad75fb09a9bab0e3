// SPDX-License-Identifier: GPL-2.0-or-later
/* An open device: what its eventfds count, and how it is let go. */
#include <sys/eventfd.h>

#include "device-rig.h"

static struct vector *vector(struct rig *r, enum irq_index index, unsigned int v)
{
	return r->d.irq[index].vector[v];
}

static void fires(struct rig *r, enum irq_index index, unsigned int v, uint64_t n)
{
	assert_int_equal(eventfd_write(vector(r, index, v)->source.fd, n), 0);
	assert_true(loop_wait(r->d.loop, 0) >= 0);
}

struct heard {
	unsigned int counted, released;
	uint64_t n;
	const struct vector *v;
};

static void counted(void *ctx, struct index *ix, struct vector *v, uint64_t n)
{
	struct heard *h = ctx;

	assert_ptr_equal(v->index, ix);
	h->counted++;
	h->v = v;
	h->n = n;
}

static void released(void *ctx)
{
	((struct heard *)ctx)->released++;
}

static void counts(void **state)
{
	struct rig *r = *state;
	struct vector_set two = rig_set("2");
	struct heard h = { 0 };
	struct vector *v;
	struct error e;

	r->d.events = (struct device_events){ .counted = counted, .released = released, .ctx = &h };
	rig_enable(r, IRQ_MSIX, "0-2");
	v = vector(r, IRQ_MSIX, 2);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(device_trigger(&r->d, IRQ_MSIX, &two, &e), 0);
	fires(r, IRQ_MSIX, 2, 5);
	assert_int_equal(v->count, 5);
	assert_int_equal(v->loopback, 2);
	assert_int_equal(v->expected, 0);
	assert_int_equal(v->wakeups, 1);
	assert_int_equal(h.counted, 1);
	assert_int_equal(h.n, 5);
	assert_ptr_equal(h.v, v);
	fires(r, IRQ_MSIX, 2, 1);
	assert_int_equal(v->count, 6);
	assert_int_equal(v->loopback, 2);
	assert_int_equal(v->wakeups, 2);
	assert_false(v->saturated);
	assert_int_equal(v->masked, MASK_NOT);
	v->count = COUNT_END - 3;
	fires(r, IRQ_MSIX, 2, 3);
	assert_true(v->count == COUNT_END && !v->saturated);
	fires(r, IRQ_MSIX, 2, 1);
	assert_true(v->count == COUNT_END && v->saturated);
	assert_int_equal(h.released, 0);
}

/* VFIO masks a level interrupt that came; a loopback is no such interrupt. */
static void a_level_interrupt(void **state)
{
	struct vector_set one = rig_set("0");
	struct rig *r = *state;
	struct error e;

	r->d.irq[IRQ_INTX].info.flags |= IRQ_MASKABLE | IRQ_AUTOMASKED;
	rig_enable(r, IRQ_INTX, "0");
	assert_int_equal(device_trigger(&r->d, IRQ_INTX, &one, &e), 0);
	fires(r, IRQ_INTX, 0, 1);
	assert_int_equal(vector(r, IRQ_INTX, 0)->masked, MASK_NOT);
	fires(r, IRQ_INTX, 0, 1);
	assert_int_equal(vector(r, IRQ_INTX, 0)->masked, MASK_ACTION);
}

/* Of a peer's eventfd the count is believed only when there is one. */
static void a_peers_eventfd(void **state)
{
	struct rig *r = *state;
	struct vector *v;

	r->d.ops = &rig_peer;
	rig_enable(r, IRQ_MSIX, "0-1");
	v = vector(r, IRQ_MSIX, 1);
	v->source.ready(&v->source);
	assert_int_equal(v->count, 0);
	assert_int_equal(v->wakeups, 0);
	fires(r, IRQ_MSIX, 1, 4);
	assert_int_equal(v->count, 4);
	/* what was signalled before the release counts */
	assert_int_equal(eventfd_write(v->source.fd, 2), 0);
	rig_disable(r, IRQ_MSIX);
	assert_int_equal(v->count, 6);
	assert_int_equal(vector(r, IRQ_MSIX, 0)->count, 0);
}

/* The wish for the device: let go at once, and nothing is said to the device any more. */
static void requested(void **state)
{
	struct vector_set one = rig_set("0");
	struct rig *r = *state;
	struct heard h = { 0 };
	struct error e;

	r->d.events = (struct device_events){ .counted = counted, .released = released, .ctx = &h };
	rig_enable(r, IRQ_MSIX, "0-1");
	rig_enable(r, IRQ_REQ, "0");
	/* a loopback is nobody's wish */
	assert_int_equal(device_trigger(&r->d, IRQ_REQ, &one, &e), 0);
	fires(r, IRQ_REQ, 0, 1);
	assert_int_equal(device_here(&r->d, &e), 0);
	r->sets = r->accesses = 0;
	fires(r, IRQ_REQ, 0, 1);
	assert_int_equal(h.released, 1);
	assert_int_equal(r->sets + r->accesses, 0);
	assert_true(r->closed && r->d.cut);
	assert_int_equal(device_here(&r->d, &e), -ENODEV);
	rig_said(&e, CAUSE_NO_DEVICE, ENODEV, "the kernel took the device back");
	assert_string_equal(e.hint, "reopen   once it is back");
	assert_int_equal(vector(r, IRQ_MSIX, 1)->source.fd, -1);
	assert_int_equal(vector(r, IRQ_REQ, 0)->source.fd, -1);
	assert_false(r->d.irq[IRQ_MSIX].enabled || r->d.irq[IRQ_REQ].enabled);
	/* once */
	device_requested(&r->d);
	assert_int_equal(h.released, 1);
	r->d.handle = r;
	r->d.ops = &rig_peer;
	device_requested(&r->d);
	assert_int_equal(h.released, 2);
	assert_string_equal(r->d.gone, "the peer took the device back");
}

/* What a drain does not find of a trigger of REQ is not expected later; a dry run forgets nothing. */
static void drains(void **state)
{
	struct vector_set one = rig_set("0");
	struct rig *r = *state;
	struct error e;

	assert_int_equal(device_drain(&r->d), 0);
	rig_enable(r, IRQ_MSIX, "0");
	rig_enable(r, IRQ_REQ, "0");
	assert_int_equal(device_trigger(&r->d, IRQ_REQ, &one, &e), 0);
	r->trace.dry_run = true;
	assert_int_equal(device_dry_begin(&r->d, &e), 0);
	assert_int_equal(eventfd_write(vector(r, IRQ_MSIX, 0)->source.fd, 2), 0);
	assert_int_equal(device_drain(&r->d), 0);
	assert_int_equal(vector(r, IRQ_REQ, 0)->expected, 1);
	assert_int_equal(vector(r, IRQ_MSIX, 0)->count, 0);
	device_dry_end(&r->d);
	r->trace.dry_run = false;
	assert_int_equal(device_drain(&r->d), 0);
	assert_int_equal(vector(r, IRQ_REQ, 0)->expected, 0);
	assert_int_equal(vector(r, IRQ_MSIX, 0)->count, 2);
}

static unsigned int disables(const struct rig *r, enum irq_index index)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < r->sets; i++)
		n += r->set[i].index == index && r->set[i].data == IRQ_DATA_NONE &&
		     r->set[i].count == 0 && r->set[i].action == IRQ_ACTION_TRIGGER;
	return n;
}

/* All that is on goes off, each once, and its eventfds are closed. */
static void shuts(void **state)
{
	static const enum irq_index on[] = { IRQ_INTX, IRQ_MSI, IRQ_MSIX };
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_SIZE(on); i++) {
		rig_enable(r, on[i], "0");
		rig_enable(r, IRQ_ERR, "0");
		rig_enable(r, IRQ_REQ, "0");
		r->sets = 0;
		r->closed = false;
		device_shut(&r->d, "it was given back");
		assert_int_equal(r->sets, 3);
		assert_int_equal(disables(r, on[i]), 1);
		assert_int_equal(disables(r, IRQ_ERR), 1);
		assert_int_equal(disables(r, IRQ_REQ), 1);
		assert_int_equal(vector(r, on[i], 0)->source.fd, -1);
		assert_int_equal(vector(r, IRQ_REQ, 0)->source.fd, -1);
		assert_false(r->d.irq[on[i]].enabled);
		rig_is(r->d.irq[on[i]].allocated, "none");
		assert_false(rig_get16(r, PCI_COMMAND) & PCI_COMMAND_MASTER);
		assert_string_equal(r->d.gone, "it was given back");
		assert_string_equal(r->d.left, "");
		assert_false(r->d.cut);
		assert_true(r->closed);
		/* a second time there is nothing left to do */
		device_undo(&r->d, true);
		assert_int_equal(r->sets, 3);
		r->d.handle = r;
	}
	r->trace.dry_run = true;
	rig_enable(r, IRQ_MSIX, "0");
	r->sets = 0;
	device_shut(&r->d, "it was given back");
	assert_int_equal(r->sets, 0);
}

/* What could not be put back is told, each with the reason; REQ is nobody's change. */
static void leaves(void **state)
{
	char text[128];
	struct rig *r = *state;

	rig_enable(r, IRQ_MSIX, "0");
	rig_enable(r, IRQ_REQ, "0");
	r->set_rc[r->sets] = r->set_rc[r->sets + 1] = -EPERM;
	rig_refuse(r, (struct rig_access){ true, REGION_CONFIG, PCI_COMMAND, 0 }, 0, -EACCES);
	device_undo(&r->d, true);
	snprintf(text, sizeof(text), "msix could not be turned off (%s), bus mastering (%s)",
		 strerror(EPERM), strerror(EACCES));
	assert_string_equal(r->d.left, text);
	assert_true(r->closed);
}

static void leaves_a_capability(struct rig *r, enum irq_index index, unsigned int control,
				const char *what)
{
	char text[128];

	r->d.handle = r;
	r->d.ops = &rig_peer;
	rig_enable(r, index, "0");
	rig_refuse(r, (struct rig_access){ true, REGION_CONFIG, control, 0 }, 0, -EIO);
	r->d.left[0] = '\0';
	device_undo(&r->d, true);
	rig_refuse(r, (struct rig_access){ 0 }, 0, 0);
	snprintf(text, sizeof(text), "Enable or masks of %s (%s)", what, strerror(EIO));
	assert_string_equal(r->d.left, text);
}

static void leaves_capabilities(void **state)
{
	leaves_a_capability(*state, IRQ_MSI, RIG_MSI + PCI_MSI_FLAGS, "msi");
	leaves_a_capability(*state, IRQ_MSIX, RIG_MSIX + PCI_MSIX_FLAGS, "msix");
}

static void heads(void **state)
{
	struct rig *r = *state;
	struct error e;

	assert_ptr_equal(device_index(&r->d, IRQ_MSIX, &e), &r->d.irq[IRQ_MSIX]);
	r->d.irq[IRQ_MSIX].info.count = 0;
	assert_null(device_index(&r->d, IRQ_MSIX, &e));
	assert_string_equal(e.message, "the device has no msix");
	assert_int_equal(e.cause, CAUSE_FAILED);
	assert_int_equal(e.err, 0);
	r->d.irq[IRQ_ERR].info.count = 0;
	assert_null(device_index(&r->d, IRQ_ERR, &e));
	assert_string_equal(e.message, "the device has no err");
	r->d.irq[IRQ_ERR].present = false;
	assert_null(device_index(&r->d, IRQ_ERR, &e));
	assert_string_equal(e.message, "the device has no err: it is not PCI Express");
	assert_int_equal(e.cause, CAUSE_FAILED);
	assert_int_equal(e.err, 0);
	r->d.irq[IRQ_MSI].present = false;
	assert_null(device_index(&r->d, IRQ_MSI, &e));
	assert_string_equal(e.message, "the device has no msi");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(counts, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_level_interrupt, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_peers_eventfd, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(requested, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(drains, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(shuts, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(leaves, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(leaves_capabilities, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(heads, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests_name("device-handle", tests, NULL, NULL);
}
