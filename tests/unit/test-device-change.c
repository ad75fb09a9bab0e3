// SPDX-License-Identifier: GPL-2.0-or-later
/* Changes that fail in the middle, that are refused at once, and what a mask has to do with them. */
#include <fcntl.h>

#include "device-rig.h"

static const struct change_how rebuild = { .resize = { .rebuild = true, .release = true } };

static int resize(struct rig *r, enum irq_index index, unsigned int n, struct change_how how,
		  struct change *c, struct error *e)
{
	*c = (struct change){ 0 };
	*e = (struct error){ 0 };
	return device_resize(&r->d, index, n, how, c, e);
}

static void masked(struct rig *r, const char *vectors, enum mask_way way)
{
	struct vector_set which = rig_set(vectors);
	struct error e;

	if (device_mask(&r->d, IRQ_MSIX, &which, way, true, &e))
		fail_msg("mask of %s: %s", vectors, e.message);
}

/* The disable works and the enable does not: all are lost, and armed again with eventfds that are open. */
static void a_rebuild_that_fails(void **state)
{
	struct rig *r = *state;
	const struct index *ix = &r->d.irq[IRQ_MSIX];
	struct change c;
	struct error e;

	r->d.irq[IRQ_MSIX].info.flags |= IRQ_NORESIZE;
	rig_enable(r, IRQ_MSIX, "0-3");
	r->sets = 0;
	r->set_rc[1] = -ENOMEM;
	assert_int_equal(resize(r, IRQ_MSIX, 6, rebuild, &c, &e), -ENOMEM);
	assert_int_equal(r->sets, 3);
	assert_int_equal(c.calls, 3);
	rig_is(c.dropped, "0-3");
	rig_is(c.repaired, "0-3");
	rig_is(c.off, "none");
	rig_is(c.kept, "0-3");
	rig_is(ix->allocated, "0-3");
	for (unsigned int v = 0; v < 4; v++) {
		assert_int_equal(r->fd[v], ix->vector[v]->source.fd);
		assert_true(fcntl(r->fd[v], F_GETFD) >= 0);
	}
	assert_int_equal(ix->vector[5]->source.fd, -1);
}

/* The repair fails too: nothing is said to be armed, and no eventfd stays. */
static void a_repair_that_fails(void **state)
{
	struct rig *r = *state;
	const struct index *ix = &r->d.irq[IRQ_MSIX];
	struct change c;
	struct error e;

	r->d.irq[IRQ_MSIX].info.flags |= IRQ_NORESIZE;
	rig_enable(r, IRQ_MSIX, "0-3");
	r->sets = 0;
	r->set_rc[1] = r->set_rc[2] = -ENOMEM;
	assert_int_equal(resize(r, IRQ_MSIX, 6, rebuild, &c, &e), -ENOMEM);
	assert_int_equal(r->sets, 3);
	rig_is(c.repaired, "none");
	rig_is(c.off, "0-3");
	rig_is(c.removed, "0-3");
	assert_false(ix->enabled);
	for (unsigned int v = 0; v < 6; v++)
		assert_int_equal(ix->vector[v]->source.fd, -1);
}

static void no_repair_was_wanted(void **state)
{
	struct change_how how = rebuild;
	struct rig *r = *state;
	struct change c;
	struct error e;

	how.no_repair = true;
	r->d.irq[IRQ_MSIX].info.flags |= IRQ_NORESIZE;
	rig_enable(r, IRQ_MSIX, "0-3");
	r->sets = 0;
	r->set_rc[1] = -ENOMEM;
	assert_int_equal(resize(r, IRQ_MSIX, 6, how, &c, &e), -ENOMEM);
	assert_int_equal(r->sets, 2);
	rig_is(c.off, "0-3");
}

/* Nothing was lost, so nothing is repaired. */
static void nothing_to_repair(void **state)
{
	struct vector_set more = rig_set("4-5");
	struct rig *r = *state;
	struct change c = { 0 };
	struct error e;

	rig_enable(r, IRQ_MSIX, "0-3");
	r->sets = 0;
	r->set_rc[0] = -ENOMEM;
	assert_int_equal(device_enable(&r->d, IRQ_MSIX, &more, (struct change_how){ 0 }, &c, &e),
			 -ENOMEM);
	assert_int_equal(r->sets, 1);
	rig_is(c.kept, "0-3");
	rig_is(c.dropped, "none");
	rig_is(c.added, "none");
}

/* A mask survives what does not arm its vector: first as it was, behind a rebuild by having no eventfd. */
static void masks_over_changes(void **state)
{
	struct rig *r = *state;
	struct vector **vector;
	struct change c;
	struct error e;

	rig_enable(r, IRQ_MSIX, "0-3");
	vector = r->d.irq[IRQ_MSIX].vector;
	masked(r, "1", MASK_TABLE);
	masked(r, "3", MASK_EVENTFD);
	assert_int_equal(resize(r, IRQ_MSIX, 6, (struct change_how){ 0 }, &c, &e), 0);
	assert_int_equal(vector[1]->masked, MASK_TABLE);
	assert_int_equal(vector[3]->masked, MASK_EVENTFD);
	rig_is(c.added, "4-5");
	rig_is(c.demoted, "none");
	assert_int_equal(resize(r, IRQ_MSIX, 5, rebuild, &c, &e), 0);
	assert_true(c.rebuilt);
	assert_int_equal(vector[1]->masked, MASK_EVENTFD);
	assert_int_equal(vector[3]->masked, MASK_EVENTFD);
	rig_is(c.demoted, "1");
	rig_is(c.removed, "5");
	assert_int_equal(vector[1]->source.fd, -1);
	assert_int_equal(vector[5]->source.fd, -1);
	rig_is(device_masked(&r->d, IRQ_MSIX), "1,3");
	/* those beyond a release are masked no more */
	masked(r, "4", MASK_ACTION);
	assert_int_equal(resize(r, IRQ_MSIX, 2, rebuild, &c, &e), 0);
	rig_is(device_masked(&r->d, IRQ_MSIX), "1");
	rig_is(r->d.irq[IRQ_MSIX].allocated, "0-1");
}

/* Vector 0 that was masked by the table gives its eventfd back with a rebuild. */
static void the_first_is_masked(void **state)
{
	struct rig *r = *state;
	struct change c;
	struct error e;

	rig_enable(r, IRQ_MSIX, "0-3");
	masked(r, "0", MASK_TABLE);
	assert_int_equal(resize(r, IRQ_MSIX, 2, rebuild, &c, &e), 0);
	assert_int_equal(r->d.irq[IRQ_MSIX].vector[0]->source.fd, -1);
	rig_is(c.demoted, "0");
}

/* Down to none: no vector is held back any more, and none is said to wait for its eventfd. */
static void down_to_none(void **state)
{
	struct rig *r = *state;
	struct change c;
	struct error e;

	rig_enable(r, IRQ_MSIX, "0-3");
	masked(r, "1", MASK_TABLE);
	assert_int_equal(resize(r, IRQ_MSIX, 0, (struct change_how){ 0 }, &c, &e), 0);
	rig_is(device_masked(&r->d, IRQ_MSIX), "none");
	rig_is(c.demoted, "none");
	rig_is(c.removed, "0-3");
	assert_true(r->d.irq[IRQ_MSIX].enabled);
	/* by a rebuild as well, where vector 0 stays allocated */
	rig_enable(r, IRQ_MSIX, "0-3");
	masked(r, "0", MASK_TABLE);
	assert_int_equal(resize(r, IRQ_MSIX, 0, rebuild, &c, &e), 0);
	assert_true(c.rebuilt);
	rig_is(device_masked(&r->d, IRQ_MSIX), "none");
	rig_is(c.demoted, "none");
	rig_is(c.removed, "0-3");
	rig_enable(r, IRQ_REQ, "0");
	assert_int_equal(resize(r, IRQ_REQ, 0, (struct change_how){ 0 }, &c, &e), -EINVAL);
	rig_said(&e, CAUSE_FAILED, 0, "msictl always listens to it");
}

/* A change that failed lets nothing go, and another size than 0 neither. */
static void not_down_to_none(void **state)
{
	struct rig *r = *state;
	struct change c = { 0 };
	struct error e;

	rig_enable(r, IRQ_MSIX, "0-3");
	masked(r, "0", MASK_TABLE);
	assert_int_equal(resize(r, IRQ_MSIX, 1, (struct change_how){ 0 }, &c, &e), 0);
	rig_is(device_masked(&r->d, IRQ_MSIX), "0");
	rig_is(device_armed(&r->d, IRQ_MSIX), "0");
	assert_int_equal(device_enable_none(&r->d, IRQ_MSIX, 3, (struct change_how){ 0 }, &c, &e),
			 0);
	rig_is(r->d.irq[IRQ_MSIX].allocated, "0-3");
	r->set_rc[r->sets] = -EPERM;
	assert_int_equal(device_disable(&r->d, IRQ_MSIX, &c, &e), -EPERM);
	rig_is(device_masked(&r->d, IRQ_MSIX), "0");
	/* MSI-X can be on with room alone. */
	rig_disable(r, IRQ_MSIX);
	assert_int_equal(device_enable_none(&r->d, IRQ_MSIX, 3, (struct change_how){ 0 }, &c, &e),
			 0);
	assert_true(r->d.irq[IRQ_MSIX].enabled);
}

/* A masked vector that a failed rebuild took along is masked, and not off. */
static void masked_and_lost(void **state)
{
	struct rig *r = *state;
	struct change c;
	struct error e;

	r->d.irq[IRQ_MSIX].info.flags |= IRQ_NORESIZE;
	rig_enable(r, IRQ_MSIX, "0-3");
	masked(r, "1", MASK_TABLE);
	r->set_rc[r->sets + 1] = -ENOMEM;
	assert_int_equal(resize(r, IRQ_MSIX, 6, rebuild, &c, &e), -ENOMEM);
	rig_is(c.dropped, "0-3");
	rig_is(c.repaired, "0,2-3");
	rig_is(device_masked(&r->d, IRQ_MSIX), "1");
	rig_is(c.off, "none");
}

/* INTx that was on and lost its eventfd may be masked in VFIO by now: the new one is followed by UNMASK. */
static void a_line_that_was_on(void **state)
{
	struct rig *r = *state;
	struct change c;
	struct error e;
	char text[160];

	r->d.irq[IRQ_INTX].info.flags |= IRQ_MASKABLE | IRQ_AUTOMASKED;
	rig_enable(r, IRQ_INTX, "0");
	assert_int_equal(r->sets, 1);
	assert_int_equal(resize(r, IRQ_INTX, 0, (struct change_how){ 0 }, &c, &e), 0);
	r->sets = 0;
	rig_enable(r, IRQ_INTX, "0");
	assert_int_equal(r->sets, 2);
	assert_string_equal(irq_set_text(&r->set[1], text, sizeof(text)),
			    "index=intx start=0 count=1 DATA_NONE|ACTION_UNMASK");
	rig_disable(r, IRQ_INTX);
	r->sets = 0;
	rig_enable(r, IRQ_INTX, "0");
	assert_int_equal(r->sets, 1);
}

/* A dry rebuild closes no eventfd: the real vectors go on. */
static void a_dry_rebuild(void **state)
{
	struct rig *r = *state;
	struct vector **vector;
	struct change c;
	struct error e;
	int fd[4];

	rig_enable(r, IRQ_MSIX, "0-3");
	vector = r->d.irq[IRQ_MSIX].vector;
	for (unsigned int v = 0; v < 4; v++)
		fd[v] = vector[v]->source.fd;
	r->sets = 0;
	r->trace.dry_run = true;
	assert_int_equal(device_dry_begin(&r->d, &e), 0);
	assert_int_equal(resize(r, IRQ_MSIX, 2, rebuild, &c, &e), 0);
	assert_true(c.rebuilt);
	assert_int_equal(c.calls, 2);
	rig_is(device_armed(&r->d, IRQ_MSIX), "0-1");
	device_dry_end(&r->d);
	r->trace.dry_run = false;
	assert_int_equal(r->sets, 0);
	for (unsigned int v = 0; v < 4; v++)
		assert_int_equal(vector[v]->source.fd, fd[v]);
	rig_is(device_armed(&r->d, IRQ_MSIX), "0-3");
}

static void refused_at_once(void **state)
{
	struct vector_set one = rig_set("0");
	struct rig *r = *state;
	struct change c = { 0 };
	struct error e = { 0 };

	assert_int_equal(device_enable_none(&r->d, IRQ_ERR, 1, (struct change_how){ 0 }, &c, &e),
			 -EINVAL);
	rig_said(&e, CAUSE_USAGE, 0,
		 "err is on only while it has an eventfd, and has nothing to reserve");
	rig_enable(r, IRQ_MSIX, "0");
	r->sets = 0;
	assert_int_equal(device_enable(&r->d, IRQ_MSI, &one, (struct change_how){ 0 }, &c, &e),
			 -EINVAL);
	rig_said(&e, CAUSE_FAILED, 0,
		 "msix is on, and a function uses one of intx, msi and msix at a time");
	assert_string_equal(e.hint, "disable msix");
	assert_int_equal(device_enable(&r->d, IRQ_INTX, &one, (struct change_how){ 0 }, &c, &e),
			 -EINVAL);
	assert_int_equal(device_enable_none(&r->d, IRQ_MSI, 1, (struct change_how){ 0 }, &c, &e),
			 -EINVAL);
	assert_int_equal(resize(r, IRQ_MSI, 1, (struct change_how){ 0 }, &c, &e), -EINVAL);
	assert_int_equal(r->sets, 0);
	/* ERR goes with any of them */
	rig_enable(r, IRQ_ERR, "0");
	r->d.irq[IRQ_MSI].info.count = 0;
	assert_int_equal(device_enable(&r->d, IRQ_MSI, &one, (struct change_how){ 0 }, &c, &e),
			 -ENODEV);
	rig_said(&e, CAUSE_FAILED, 0, "the device has no msi");
	r->d.irq[IRQ_ERR].present = false;
	assert_int_equal(device_disable(&r->d, IRQ_ERR, &c, &e), -ENODEV);
	rig_said(&e, CAUSE_FAILED, 0, "the device has no err: it is not PCI Express");
	r->d.ops = &rig_peer;
	assert_int_equal(device_disable(&r->d, IRQ_ERR, &c, &e), -ENODEV);
	assert_string_equal(e.message, "the device has no err");
}

static int triggers(struct rig *r, const char *vectors, struct error *e)
{
	struct vector_set which = rig_set(vectors);

	*e = (struct error){ 0 };
	r->sets = 0;
	return device_trigger(&r->d, IRQ_MSIX, &which, e);
}

/* The kernel would answer 0 and signal nothing; the hint is the command that helps. */
static void a_trigger_of_nothing(void **state)
{
	struct rig *r = *state;
	struct error e;

	assert_int_equal(triggers(r, "2", &e), -EINVAL);
	rig_said(&e, CAUSE_FAILED, 0,
		 "msix 2 not armed: the kernel would return 0 and signal nothing");
	assert_string_equal(e.hint, "enable msix 2-2");
	rig_enable(r, IRQ_MSIX, "0-3");
	masked(r, "1", MASK_EVENTFD);
	assert_int_equal(triggers(r, "0-1,5", &e), -EINVAL);
	rig_said(&e, CAUSE_FAILED, 0, "msix 1,5 not armed");
	assert_string_equal(e.hint, "unmask msix 1");
	assert_int_equal(triggers(r, "5", &e), -EINVAL);
	assert_string_equal(e.hint, "enable msix 5-5");
	assert_int_equal(r->sets, 0);
	r->d.ops = &rig_peer;
	assert_int_equal(triggers(r, "5", &e), -EINVAL);
	rig_said(&e, CAUSE_FAILED, 0, "msix 5 not armed: the peer has no eventfd to signal");
	r->d.handle = NULL;
	assert_int_equal(triggers(r, "0", &e), -ENODEV);
	r->d.handle = r;
}

/* A run is one range, any other choice one call with booleans. */
static void what_a_trigger_sends(void **state)
{
	struct rig *r = *state;
	struct error e;
	char text[160];

	rig_enable(r, IRQ_MSIX, "0-7");
	assert_int_equal(triggers(r, "2-4", &e), 0);
	assert_int_equal(r->sets, 1);
	assert_string_equal(irq_set_text(&r->set[0], text, sizeof(text)),
			    "index=msix start=2 count=3 DATA_NONE|ACTION_TRIGGER");
	assert_int_equal(triggers(r, "2,4-5", &e), 0);
	assert_int_equal(r->sets, 1);
	assert_string_equal(irq_set_text(&r->set[0], text, sizeof(text)),
			    "index=msix start=2 count=4 DATA_BOOL|ACTION_TRIGGER true=2,4-5");
	for (unsigned int v = 0; v < 8; v++)
		assert_int_equal(r->d.irq[IRQ_MSIX].vector[v]->expected,
				 v == 2 || v == 4 ? 2 : v == 3 || v == 5);
	/* of a dry one nothing is expected */
	r->trace.dry_run = true;
	assert_int_equal(triggers(r, "2", &e), 0);
	assert_int_equal(r->sets, 0);
	assert_int_equal(r->d.irq[IRQ_MSIX].vector[2]->expected, 2);
	assert_non_null(strstr(r->told, "would: VFIO_DEVICE_SET_IRQS(index=msix start=2 count=1 "));
}

/* INTx Disable: neither the kernel nor a peer signals then. */
static void a_line_that_is_off(void **state)
{
	struct vector_set one = rig_set("0");
	struct rig *r = *state;
	struct error e;

	rig_enable(r, IRQ_INTX, "0");
	rig_put16(r, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE | PCI_COMMAND_MEMORY);
	assert_int_equal(device_trigger(&r->d, IRQ_INTX, &one, &e), -EINVAL);
	rig_said(&e, CAUSE_FAILED, 0,
		 "INTx Disable is set in the device's command register: the kernel would return 0");
	assert_string_equal(e.hint, "write config 0x4 w 0x2");
	r->d.ops = &rig_peer;
	assert_int_equal(device_trigger(&r->d, IRQ_INTX, &one, &e), -EINVAL);
	rig_said(&e, CAUSE_FAILED, 0, "the peer may report success and signal nothing");
	/* where the register can't be read, the call is made */
	rig_refuse(r, (struct rig_access){ false, REGION_CONFIG, PCI_COMMAND, 2 }, 0, -EIO);
	assert_int_equal(device_trigger(&r->d, IRQ_INTX, &one, &e), 0);
	rig_refuse(r, (struct rig_access){ 0 }, 0, 0);
	rig_disable(r, IRQ_INTX);
	rig_enable(r, IRQ_MSIX, "0");
	assert_int_equal(device_trigger(&r->d, IRQ_MSIX, &one, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_rebuild_that_fails, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_repair_that_fails, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(no_repair_was_wanted, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(nothing_to_repair, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(masks_over_changes, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(the_first_is_masked, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(down_to_none, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(not_down_to_none, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(masked_and_lost, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_line_that_was_on, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_dry_rebuild, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(refused_at_once, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_trigger_of_nothing, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(what_a_trigger_sends, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(a_line_that_is_off, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests_name("device-change", tests, NULL, NULL);
}
