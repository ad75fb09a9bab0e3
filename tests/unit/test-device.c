// SPDX-License-Identifier: GPL-2.0-or-later
/* The books of a device whose back end does as a test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#undef fail /* cmocka's; the tool has its own */
#include <errno.h>
#include <string.h>

#include "device-internal.h"
#include "util.h"

struct bench {
	struct device d;
	struct trace trace;
	int answer; /* of each SET_IRQS */
};

static int fake_set_irqs(void *handle, const struct irq_set *s, const int32_t *eventfd)
{
	(void)s;
	(void)eventfd;
	return ((struct bench *)handle)->answer;
}

static ssize_t fake_region_read(void *handle, enum region_index region, void *buf, size_t n, uint64_t offset)
{
	(void)handle;
	(void)region;
	(void)offset;
	memset(buf, 0xff, n);
	return (ssize_t)n;
}

static const struct backend fake = { .name = "fake", .set_irqs = fake_set_irqs, .region_read = fake_region_read };

static int setup(void **state)
{
	static const unsigned int count[NR_IRQ_INDEX] = { 1, 8, 8, 1, 1 };
	struct bench *b = calloc(1, sizeof(*b));

	if (!b || loop_new(&b->d.loop))
		return -1;
	b->d.backend = &fake;
	b->d.handle = b;
	b->d.trace = &b->trace;
	b->d.peer.fd = -1;
	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++)
		b->d.irq[i] = (struct index){ .device = &b->d,
					      .index = i,
					      .present = true,
					      .info = { .count = count[i], .flags = IRQ_EVENTFD | IRQ_NORESIZE } };
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++) {
		struct index *ix = &b->d.irq[i];

		for (unsigned int v = 0; ix->vector && v < ix->info.count; v++) {
			if (!ix->vector[v])
				continue;
			vector_disarm(ix->vector[v]);
			free(ix->vector[v]);
		}
		free(ix->vector);
	}
	loop_free(b->d.loop);
	free(b);
	return 0;
}

static struct vector_set first(unsigned int n)
{
	struct vector_set s = { .bits = { 0 } };

	vector_set_add_range(&s, 0, n);
	return s;
}

/* What was refused is not expected: the next that comes is the kernel's or the device's own. */
static void test_refused_trigger(void **state)
{
	struct vector_set one = first(1);
	struct bench *b = *state;
	struct change c = { 0 };
	struct error e;

	assert_int_equal(device_enable(&b->d, IRQ_MSIX, &one, (struct change_how){ 0 }, &c, &e), 0);
	b->answer = -EIO;
	assert_int_equal(device_trigger(&b->d, IRQ_MSIX, &one, &e), -EIO);
	assert_int_equal(b->d.irq[IRQ_MSIX].vector[0]->expected, 0);
	b->answer = 0;
	assert_int_equal(device_trigger(&b->d, IRQ_MSIX, &one, &e), 0);
	assert_int_equal(b->d.irq[IRQ_MSIX].vector[0]->expected, 1);
}

/* Config space reads as ones, so INTx Disable is set. */
static void test_disabled_line(void **state)
{
	struct vector_set one = first(1);
	struct bench *b = *state;
	struct change c = { 0 };
	struct error e;

	assert_int_equal(device_enable(&b->d, IRQ_INTX, &one, (struct change_how){ 0 }, &c, &e), 0);
	assert_true(device_trigger(&b->d, IRQ_INTX, &one, &e) < 0);
	assert_non_null(strstr(e.message, "INTx Disable"));
	assert_int_equal(b->d.irq[IRQ_INTX].vector[0]->expected, 0);
}

/* The blind window of a rebuild holds no making of eventfds: they are kept. Those not wanted any more are closed. */
static void test_rebuild_keeps_eventfds(void **state)
{
	const struct change_how how = { .resize = { .rebuild = true, .release = true } };
	struct vector_set four = first(4);
	struct bench *b = *state;
	struct vector **vector;
	struct change c = { 0 };
	struct error e;
	int fd[4];

	assert_int_equal(device_enable(&b->d, IRQ_MSI, &four, how, &c, &e), 0);
	vector = b->d.irq[IRQ_MSI].vector;
	for (unsigned int v = 0; v < 4; v++)
		fd[v] = vector[v]->source.fd;
	c = (struct change){ 0 };
	assert_int_equal(device_resize(&b->d, IRQ_MSI, 6, how, &c, &e), 0);
	assert_true(c.rebuilt);
	for (unsigned int v = 0; v < 4; v++)
		assert_int_equal(vector[v]->source.fd, fd[v]);
	c = (struct change){ 0 };
	assert_int_equal(device_resize(&b->d, IRQ_MSI, 2, how, &c, &e), 0);
	assert_true(c.rebuilt);
	assert_int_equal(vector[1]->source.fd, fd[1]);
	for (unsigned int v = 2; v < 6; v++)
		assert_int_equal(vector[v]->source.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refused_trigger, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disabled_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rebuild_keeps_eventfds, setup, teardown),
	};

	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
