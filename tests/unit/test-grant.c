// SPDX-License-Identifier: GPL-2.0-or-later
/* The search for what a host grants, over a back end that grants what a test says. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "device/vector-probe.h"
#include "tree.h"
#include "base/util.h"
#include "device-facts.h"

/* Last: it has a macro fail() of its own. */
#include <cmocka.h>

struct host {
	/* how the host answers */
	unsigned int most; /* vectors that it has */
	int refusal;	   /* -errno above most; 0: the positive count instead */
	unsigned int says; /* instead of most, when it names a count */
	bool deaf;	   /* a disable does not work */
	int always;	   /* -errno to whatever is asked */
	bool there;	   /* config space answers */
	/* what it saw */
	unsigned int enabled, enables, disables, largest, odd;
	bool bad_fd, depends_one, overlapping;
};

static bool is_eventfd(int fd)
{
	char path[64], target[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return strstr(target, "eventfd") != NULL;
}

static int disable(struct host *h)
{
	h->disables++;
	if (!h->enabled)
		return -EINVAL;
	if (h->deaf)
		return -EIO;
	h->enabled = 0;
	return 0;
}

static int fake_set_irqs(void *handle, const struct irq_set *s, const int32_t *eventfd,
			 struct set_outcome *o)
{
	struct host *h = handle;

	(void)o;
	assert_int_equal(s->action, IRQ_ACTION_TRIGGER);
	assert_int_equal(s->start, 0);
	if (s->data == IRQ_DATA_NONE) {
		assert_int_equal(s->count, 0);
		return disable(h);
	}
	assert_int_equal(s->data, IRQ_DATA_EVENTFD);
	assert_int_equal(vector_set_count(&s->attach), s->count);
	h->enables++;
	h->overlapping |= h->enabled > 0;
	h->depends_one |= s->count < 1;
	h->largest = s->count > h->largest ? s->count : h->largest;
	h->odd += (s->count & (s->count - 1)) != 0;
	for (unsigned int i = 0; i < s->count; i++)
		h->bad_fd |= !is_eventfd(eventfd[i]);
	if (h->always)
		return h->always;
	if (s->count > h->most)
		return h->refusal ? h->refusal : (int)(h->says ? h->says : h->most);
	h->enabled = s->count;
	return 0;
}

/* Config space: a vendor, or the ones that nobody answers with. */
static ssize_t fake_region_read(void *handle, enum region_index region, void *buf, size_t n,
				uint64_t offset)
{
	const struct host *h = handle;

	(void)offset;
	assert_int_equal(region, REGION_CONFIG);
	memset(buf, h->there ? 0x86 : 0xff, n);
	return (ssize_t)n;
}

static const struct device_ops fake = { KERNEL_FACTS, .set_irqs = fake_set_irqs,
					.region_read = fake_region_read };

static void no_line(void *ctx, const char *text)
{
	(void)text;
	(*(unsigned int *)ctx)++;
}

struct bench {
	struct host host;
	struct device d;
	struct trace trace;
	struct probe_limits lim;
	struct grant g;
	struct error e;
	unsigned int lines;
};

static struct bench *bench_new(unsigned int offered, unsigned int most, int refusal)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->host = (struct host){ .most = most, .refusal = refusal };
	b->trace = (struct trace){ .line = no_line, .ctx = &b->lines };
	b->d.ops = &fake;
	b->d.handle = &b->host;
	b->d.trace = &b->trace;
	for (unsigned int i = IRQ_MSI; i <= IRQ_MSIX; i++) {
		b->d.irq[i].index = i;
		b->d.irq[i].present = true;
		b->d.irq[i].info.count = offered;
	}
	b->lim.most = MAX_VECTORS;
	return b;
}

static unsigned int open_fds(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 4096; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* What holds of every probe, however it goes. */
static int probe(struct bench *b, enum irq_index index)
{
	unsigned int before = open_fds();
	int rc = vector_probe(&b->d, index, &b->lim, &b->g, &b->e);

	assert_int_equal(open_fds(), before);
	assert_false(b->host.bad_fd);
	assert_false(b->host.depends_one);
	assert_false(b->host.overlapping);
	assert_true(b->host.enables <= 12);
	assert_int_equal(b->g.asks, b->host.enables);
	assert_false(b->d.irq[index].enabled);
	return rc;
}

static void grants_all(void **state)
{
	struct bench *b = bench_new(16, 2048, -ENOSPC);

	(void)state;
	assert_int_equal(probe(b, IRQ_MSI), 0);
	assert_true(b->g.measured);
	assert_int_equal(b->g.granted, 16);
	assert_int_equal(b->g.capability, 16);
	assert_int_equal(b->g.answer, 0);
	assert_false(b->g.capped);
	assert_int_equal(b->host.enables, 1);
	assert_int_equal(b->host.disables, 1);
	assert_int_equal(b->host.enabled, 0);
	free(b);
}

/* Without remapping: 16 -> +1, and 1 is had. */
static void short_count_is_confirmed(void **state)
{
	struct bench *b = bench_new(16, 1, 0);

	(void)state;
	assert_int_equal(probe(b, IRQ_MSI), 0);
	assert_int_equal(b->g.granted, 1);
	assert_int_equal(b->g.asked, 16);
	assert_int_equal(b->g.answer, 1);
	assert_false(b->g.capped);
	assert_int_equal(b->host.enables, 2);
	assert_int_equal(b->host.enabled, 0);
	free(b);
}

/* A count that the kernel names and then refuses itself: the search goes on below it. */
static void short_count_that_lies(void **state)
{
	struct bench *b = bench_new(65, 20, 0);

	(void)state;
	b->host.says = 60;
	assert_int_equal(probe(b, IRQ_MSIX), 0);
	assert_int_equal(b->g.answer, 60);
	assert_int_equal(b->g.granted, 20);
	assert_int_equal(b->host.enabled, 0);
	free(b);
}

static void nospace_is_searched(void **state)
{
	static const unsigned int most[] = { 1,	  2,	3,    64,   127,  128, 129,
					     186, 1000, 1023, 1024, 2046, 2047 };

	(void)state;
	for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
		struct bench *b = bench_new(2048, most[i], -ENOSPC);

		assert_int_equal(probe(b, IRQ_MSIX), 0);
		assert_int_equal(b->g.granted, most[i]);
		assert_int_equal(b->g.answer, -ENOSPC);
		assert_false(b->g.capped);
		assert_int_equal(b->host.enabled, 0);
		free(b);
	}
}

static void nomem_is_searched(void **state)
{
	struct bench *b = bench_new(65, 33, -ENOMEM);

	(void)state;
	assert_int_equal(probe(b, IRQ_MSIX), 0);
	assert_int_equal(b->g.granted, 33);
	free(b);
}

static void cap_says_at_least(void **state)
{
	struct bench *b = bench_new(2048, 2048, -ENOSPC);

	(void)state;
	b->lim.most = 256;
	assert_int_equal(probe(b, IRQ_MSIX), 0);
	assert_int_equal(b->g.granted, 256);
	assert_true(b->g.capped);
	assert_int_equal(b->host.largest, 256);
	free(b);
}

/* Below the cap the answer is exact. */
static void cap_above_the_host(void **state)
{
	struct bench *b = bench_new(2048, 100, -ENOSPC);

	(void)state;
	b->lim.most = 256;
	assert_int_equal(probe(b, IRQ_MSIX), 0);
	assert_int_equal(b->g.granted, 100);
	assert_false(b->g.capped);
	free(b);
}

static void nothing_granted_is_an_answer(void **state)
{
	struct bench *b = bench_new(16, 0, -ENOSPC);

	(void)state;
	assert_int_equal(probe(b, IRQ_MSI), 0);
	assert_true(b->g.measured);
	assert_int_equal(b->g.granted, 0);
	assert_int_equal(b->host.disables, 0);
	free(b);
}

/* EINVAL down to one vector says nothing of vectors (the function sleeps, say). */
static void refusal_is_an_error(void **state)
{
	struct bench *b = bench_new(16, 0, -EINVAL);

	(void)state;
	assert_int_equal(probe(b, IRQ_MSI), -EINVAL);
	assert_false(b->g.measured);
	assert_int_equal(b->e.cause, CAUSE_SHORT);
	assert_non_null(strstr(b->e.message, "msi"));
	free(b);
}

static void device_gone(void **state)
{
	struct bench *b = bench_new(16, 0, 0);

	(void)state;
	b->host.always = -ENODEV;
	assert_int_equal(probe(b, IRQ_MSI), -ENODEV);
	assert_int_equal(b->e.cause, CAUSE_NO_DEVICE);
	assert_int_equal(b->host.enables, 1);
	free(b);
	/* The kernel has that word for failures of its own, too. */
	b = bench_new(16, 0, 0);
	b->host.always = -ENODEV;
	b->host.there = true;
	assert_int_equal(probe(b, IRQ_MSI), -ENODEV);
	assert_int_equal(b->e.cause, CAUSE_FAILED);
	free(b);
}

static void disable_fails(void **state)
{
	struct bench *b = bench_new(16, 16, 0);

	(void)state;
	b->host.deaf = true;
	assert_int_equal(probe(b, IRQ_MSI), -EIO);
	assert_false(b->g.measured);
	free(b);
}

/* Linux IRQs that can't be looked at are not told to be none. */
static void leftovers_unseen(void **state)
{
	static const struct device_ops on_host = { KERNEL_FACTS, .set_irqs = fake_set_irqs,
						   .region_read = fake_region_read,
						   .host_irqs = true };
	struct bench *b = bench_new(16, 16, 0);
	struct tree t;

	(void)state;
	tree_new(&t);
	tree_link(&t, "sys/bus/pci/devices/0000:00:01.0/msi_irqs", "msi_irqs");
	b->d.ops = &on_host;
	b->d.root = &t.root;
	b->d.has_addr = true;
	b->d.addr = (struct pci_addr){ .dev = 1 };
	assert_true(vector_probe(&b->d, IRQ_MSIX, &b->lim, &b->g, &b->e) < 0);
	assert_non_null(strstr(b->e.message, "its IRQs can't be read"));
	assert_int_equal(b->host.enabled, 0);
	tree_free(&t);
	free(b);
}

static void powers_of_two(void **state)
{
	static const unsigned int most[] = { 1, 2, 3, 5, 8, 15, 16, 31 };

	(void)state;
	for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
		struct bench *b = bench_new(32, most[i], i % 2 ? 0 : -ENOSPC);
		unsigned int power = 1;

		while (power * 2 <= most[i])
			power *= 2;
		b->lim.powers = true;
		assert_int_equal(probe(b, IRQ_MSI), 0);
		assert_int_equal(b->g.granted, power);
		assert_int_equal(b->host.odd, 0);
		/* between this power and the next nobody asked */
		assert_int_equal(b->g.powers, power > 1);
		assert_int_equal(b->g.capped, power > 1);
		free(b);
	}
}

static void enabled_index_is_left_alone(void **state)
{
	struct bench *b = bench_new(16, 16, 0);

	(void)state;
	b->d.irq[IRQ_INTX].enabled = true;
	assert_int_equal(probe(b, IRQ_MSI), -EBUSY);
	assert_int_equal(b->e.cause, CAUSE_DISTURB);
	assert_non_null(strstr(b->e.message, "intx"));
	assert_int_equal(b->host.enables + b->host.disables, 0);
	free(b);
}

static void nothing_to_spare(void **state)
{
	struct bench *b = bench_new(16, 16, 0);

	(void)state;
	b->lim.most = 0;
	assert_int_equal(probe(b, IRQ_MSI), -ENOSPC);
	assert_int_equal(b->host.enables, 0);
	free(b);
}

static void index_not_offered(void **state)
{
	struct bench *b = bench_new(0, 16, 0);

	(void)state;
	assert_int_equal(probe(b, IRQ_MSI), -ENODEV);
	assert_int_equal(b->host.enables, 0);
	free(b);
}

static void dry_run_asks_nothing(void **state)
{
	struct bench *b = bench_new(16, 16, 0);

	(void)state;
	b->trace.dry_run = true;
	assert_int_equal(probe(b, IRQ_MSI), 0);
	assert_false(b->g.measured);
	assert_int_equal(b->host.enables + b->host.disables, 0);
	assert_int_equal(b->lines, 2);
	free(b);
}

static void limits_from_debugfs(void **state)
{
	struct platform p = { .arch = "x86_64", .cpus = 2, .irqs = 50, .vectors_available = 100 };
	struct probe_limits lim;

	(void)state;
	probe_limits(&p, IRQ_MSIX, 64, 256, &lim);
	assert_int_equal(lim.most, 36);
	assert_non_null(strstr(lim.why, "--reserve 64"));
	probe_limits(&p, IRQ_MSIX, 100, 256, &lim);
	assert_int_equal(lim.most, 0);
	probe_limits(&p, IRQ_MSIX, 101, 256, &lim);
	assert_int_equal(lim.most, 0);
	probe_limits(&p, IRQ_MSIX, 0, 256, &lim);
	assert_int_equal(lim.most, 256);
	probe_limits(&p, IRQ_MSIX, 64, 8, &lim);
	assert_int_equal(lim.most, 8);
	assert_non_null(strstr(lim.why, "--cap 8"));
}

static void limits_by_estimate(void **state)
{
	struct platform p = { .arch = "x86_64", .cpus = 1, .irqs = 50, .vectors_available = -1 };
	struct probe_limits lim;

	(void)state;
	probe_limits(&p, IRQ_MSIX, 64, 256, &lim);
	assert_int_equal(lim.most, 200 - 50 - 64);
	p.cpus = 0;
	probe_limits(&p, IRQ_MSIX, 64, 256, &lim);
	assert_int_equal(lim.most, 256);
	probe_limits(&p, IRQ_MSIX, 64, 1u << 31, &lim);
	assert_int_equal(lim.most, MAX_VECTORS);
}

static void limits_elsewhere(void **state)
{
	/* "": another process serves the device, whatever this host is */
	static const char *const exact[] = { "x86_64", "riscv64", "" };
	struct platform p = { .arch = "aarch64", .cpus = 1, .irqs = 5000, .vectors_available = -1 };
	struct probe_limits lim;

	(void)state;
	probe_limits(&p, IRQ_MSI, 64, 256, &lim);
	assert_int_equal(lim.most, 256);
	assert_true(lim.powers);
	probe_limits(&p, IRQ_MSIX, 64, 256, &lim);
	assert_false(lim.powers);
	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++) {
		copy_text(p.arch, sizeof(p.arch), exact[i]);
		probe_limits(&p, IRQ_MSI, 64, 256, &lim);
		assert_false(lim.powers);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grants_all),
		cmocka_unit_test(short_count_is_confirmed),
		cmocka_unit_test(short_count_that_lies),
		cmocka_unit_test(nospace_is_searched),
		cmocka_unit_test(nomem_is_searched),
		cmocka_unit_test(cap_says_at_least),
		cmocka_unit_test(cap_above_the_host),
		cmocka_unit_test(nothing_granted_is_an_answer),
		cmocka_unit_test(refusal_is_an_error),
		cmocka_unit_test(device_gone),
		cmocka_unit_test(disable_fails),
		cmocka_unit_test(leftovers_unseen),
		cmocka_unit_test(powers_of_two),
		cmocka_unit_test(enabled_index_is_left_alone),
		cmocka_unit_test(nothing_to_spare),
		cmocka_unit_test(index_not_offered),
		cmocka_unit_test(dry_run_asks_nothing),
		cmocka_unit_test(limits_from_debugfs),
		cmocka_unit_test(limits_by_estimate),
		cmocka_unit_test(limits_elsewhere),
	};

	return cmocka_run_group_tests_name("grant", tests, NULL, NULL);
}
