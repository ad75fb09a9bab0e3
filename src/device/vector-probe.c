// SPDX-License-Identifier: GPL-2.0-or-later
#include "device/vector-probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/fdlimit.h"
#include "base/util.h"

/*
 * A search over 2048 takes eleven questions after the first; a try of a shortage takes 40 to 140 ms
 * (measured).
 */
#define MAX_ASKS 12

/*
 * x86 has 256 vectors per CPU, of which the kernel keeps about 56:
 * arch/x86/include/asm/irq_vectors.h.
 */
#define X86_VECTORS_PER_CPU 200

struct probe {
	struct device *d;
	enum irq_index index;
	const struct probe_limits *lim;
	struct grant *g;
	int32_t *fd;
	unsigned int nfd;
	unsigned int low, high; /* granted; refused or never asked */
};

void probe_limits(const struct platform *p, enum irq_index index, unsigned int reserve,
		  unsigned int cap, struct probe_limits *lim)
{
	bool x86 = !strcmp(p->arch, "x86_64");
	unsigned int total = 0, used = 0;

	*lim = (struct probe_limits){ .most = cap < MAX_VECTORS ? cap : MAX_VECTORS };
	/*
	 * arm64, Linux 6.12: an MSI enable of no power of two spoils what the
	 * function is granted later, across rebinds (measured with the ITS).
	 */
	lim->powers = index == IRQ_MSI && !strcmp(p->arch, "aarch64");
	snprintf(lim->why, sizeof(lim->why), "--cap %u", cap);
	/* who reserves nothing wants to see the host's own limit */
	if (!x86 || !reserve)
		return;
	if (p->vectors_available >= 0) {
		total = (unsigned int)p->vectors_available;
	} else if (p->cpus) {
		total = p->cpus * X86_VECTORS_PER_CPU;
		used = p->irqs;
	} else {
		return;
	}
	used += reserve;
	total = total > used ? total - used : 0;
	if (total >= lim->most)
		return;
	lim->most = total;
	snprintf(lim->why, sizeof(lim->why), "%s%u vectors can be spared with --reserve %u",
		 p->vectors_available >= 0 ? "" : "about ", total, reserve);
}

static void close_eventfds(struct probe *p)
{
	for (unsigned int i = 0; i < p->nfd; i++)
		close(p->fd[i]);
	free(p->fd);
}

/* Real ones: with -1 x86 only reserves, and takes the vector when a handler comes (measured). */
static int open_eventfds(struct probe *p, unsigned int n, struct error *e)
{
	uint64_t limit;
	int rc = fdlimit_raise(n, &limit);

	if (rc < 0) {
		rc = fail(
			e, CAUSE_FAILED, -rc,
			"asking for %u vectors takes as many eventfds, and the descriptor limit is %llu",
			n, (unsigned long long)limit);
		hint(e, "probe --cap %llu", (unsigned long long)limit / 2);
		return rc;
	}
	p->fd = calloc(n, sizeof(*p->fd));
	if (!p->fd)
		return fail(e, CAUSE_FAILED, ENOMEM, "no memory for %u eventfds", n);
	for (; p->nfd < n; p->nfd++) {
		p->fd[p->nfd] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (p->fd[p->nfd] < 0)
			return fail(e, CAUSE_FAILED, errno, "no eventfd for vector %u", p->nfd);
	}
	return 0;
}

static int ask(struct probe *p, unsigned int n)
{
	struct irq_set set = { .index = p->index,
			       .action = IRQ_ACTION_TRIGGER,
			       .data = IRQ_DATA_EVENTFD,
			       .count = n };
	struct set_outcome ignored;
	uint64_t begin = now_us();
	char text[256];
	int rc;

	vector_set_add_range(&set.attach, 0, n);
	if (trace_would(p->d->trace, "VFIO_DEVICE_SET_IRQS",
			irq_set_text(&set, text, sizeof(text))))
		return 0;
	rc = p->d->ops->set_irqs(p->d->handle, &set, p->fd, &ignored);
	p->g->us += now_us() - begin;
	p->g->asks++;
	return rc;
}

static int disable(struct probe *p)
{
	struct irq_set off = { .index = p->index,
			       .action = IRQ_ACTION_TRIGGER,
			       .data = IRQ_DATA_NONE };
	struct set_outcome ignored;
	uint64_t begin = now_us();
	char text[256];
	int rc;

	if (trace_would(p->d->trace, "VFIO_DEVICE_SET_IRQS",
			irq_set_text(&off, text, sizeof(text))))
		return 0;
	rc = p->d->ops->set_irqs(p->d->handle, &off, NULL, &ignored);
	p->g->us += now_us() - begin;
	return rc;
}

/*
 * The host's word: no Linux IRQ may be left. *@n is 0 also of a peer, which has none here. 0 or
 * -errno with @e.
 */
static int left_behind(const struct probe *p, unsigned int *n, struct error *e)
{
	struct host_irqs h = { 0 };
	int rc;

	*n = 0;
	if (!p->d->ops->host_irqs || !p->d->has_addr || p->d->trace->dry_run)
		return 0;
	rc = host_irqs_read(p->d->root, &p->d->addr, HOST_IRQ_BRIEF, &h);
	for (size_t i = 0; rc == 0 && i < h.n; i++)
		*n += h.irq[i].index == p->index;
	host_irqs_free(&h);
	if (rc == 0)
		return 0;
	rc = fail(e, CAUSE_FAILED, -rc,
		  "whether %s left Linux IRQs behind can't be told: its IRQs can't be read",
		  irq_index_word(p->index));
	hint(e, "ls /sys/bus/pci/devices/*/msi_irqs");
	return rc;
}

static int give_back(struct probe *p, struct error *e)
{
	const char *word = irq_index_word(p->index);
	int rc = disable(p);
	unsigned int left;

	if (rc && device_lost(p->d, "SET_IRQS", e))
		return -e->err;
	if (rc)
		return fail(e, device_cause(p->d, -rc), rc < 0 ? -rc : 0,
			    "%s was granted, but could not be disabled again", word);
	rc = left_behind(p, &left, e);
	if (rc || !left)
		return rc;
	rc = fail(e, CAUSE_FAILED, 0, "%s was disabled, but %u of its Linux IRQs are still there",
		  word, left);
	hint(e, "ls /sys/bus/pci/devices/*/msi_irqs");
	return rc;
}

/* Errors that say "fewer, perhaps"; the others would be the same for one vector. */
static bool shortage(int rc)
{
	static const int words[] = { -ENOSPC, -ENOMEM, -EINVAL, -EBUSY, -EAGAIN, -E2BIG, -ERANGE };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (rc == words[i])
			return true;
	return false;
}

static unsigned int shape(const struct probe *p, unsigned int n)
{
	unsigned int power = 1;

	if (!p->lim->powers || n == 0)
		return n;
	while (power <= n / 2)
		power *= 2;
	return power;
}

/* The next question between what is known; 0: none is left. */
static unsigned int next_question(const struct probe *p)
{
	unsigned int n = shape(p, p->low + (p->high - p->low) / 2);

	return n > p->low ? n : 0;
}

/*
 * Narrows low and high by the answer to @n; *said is the count that the
 * kernel named, worth to be asked next.
 */
static int learn(struct probe *p, unsigned int n, int rc, unsigned int *said, struct error *e)
{
	*said = 0;
	if (rc == 0) {
		p->low = n;
		return give_back(p, e);
	}
	if (rc < 0 && device_lost(p->d, "SET_IRQS", e))
		return -e->err;
	if (rc < 0 && !shortage(rc))
		return fail(e, device_cause(p->d, -rc), -rc, "asking for %u %s vectors failed", n,
			    irq_index_word(p->index));
	p->high = n;
	if (rc > 0 && (unsigned int)rc < n && shape(p, (unsigned int)rc) > p->low)
		*said = shape(p, (unsigned int)rc);
	return 0;
}

static int search(struct probe *p, struct error *e)
{
	unsigned int n = p->g->asked, said, hinted = 0;
	int rc, answer;

	while (n && p->g->asks < MAX_ASKS) {
		answer = ask(p, n);
		if (p->g->asks == 1)
			p->g->answer = answer;
		rc = learn(p, n, answer, &said, e);
		if (rc)
			return rc;
		/* what the kernel named and then granted is the most that it has */
		if (answer == 0 && n == hinted)
			return 0;
		hinted = said;
		n = said ? said : next_question(p);
	}
	p->g->capped = n != 0;
	return 0;
}

static int check_idle(const struct device *d, enum irq_index index, struct error *e)
{
	int rc;

	for (unsigned int i = IRQ_INTX; i <= IRQ_MSIX; i++) {
		if (!d->irq[i].enabled)
			continue;
		rc = fail(e, CAUSE_DISTURB, EBUSY,
			  "%s is enabled, and measuring %s would tear its vectors down",
			  irq_index_word(i), irq_index_word(index));
		hint(e, "disable %s", irq_index_word(i));
		return rc;
	}
	return 0;
}

/* Below D0 the kernel grants none (EINVAL), which says nothing of the host: nothing is measured. */
static int check_awake(struct device *d, enum irq_index index, struct error *e)
{
	int rc = device_awake(d, index, e);

	if (rc)
		e->cause = CAUSE_SHORT;
	return rc;
}

/* One vector was refused: a shortage is an answer, anything else is not. */
static int check_none(const struct probe *p, struct error *e)
{
	if (p->low || p->g->answer > 0 || p->g->answer == -ENOSPC || p->g->answer == -ENOMEM)
		return 0;
	return fail(e, CAUSE_SHORT, -p->g->answer, "not even one %s vector is granted",
		    irq_index_word(p->index));
}

/* A refused question should leave nothing; where it did, it is given back all the same. */
static int settle(struct probe *p, struct error *e)
{
	unsigned int left;
	int rc = left_behind(p, &left, e);

	return rc || !left ? rc : give_back(p, e);
}

static int probe_open(struct probe *p, struct error *e)
{
	int rc = open_eventfds(p, p->g->asked, e);

	if (rc)
		return rc;
	if (p->d->trace->dry_run) {
		ask(p, p->g->asked);
		return disable(p);
	}
	rc = search(p, e);
	if (rc == 0)
		rc = settle(p, e);
	if (rc == 0)
		rc = check_none(p, e);
	if (rc)
		return rc;
	p->g->measured = true;
	p->g->granted = p->low;
	p->g->capped |= p->low == p->g->asked && p->g->asked < p->g->capability;
	p->g->powers = p->lim->powers && p->high - p->low > 1;
	p->g->capped |= p->g->powers;
	return 0;
}

int vector_probe(struct device *d, enum irq_index index, const struct probe_limits *lim,
		 struct grant *g, struct error *e)
{
	struct probe p = { .d = d, .index = index, .lim = lim, .g = g };
	const struct index *ix;
	int rc;

	*g = (struct grant){ .capability = d->irq[index].info.count };
	ix = device_index(d, index, e);
	if (!ix)
		return -ENODEV;
	rc = check_idle(d, index, e);
	if (!rc)
		rc = check_awake(d, index, e);
	if (rc)
		return rc;
	g->asked = shape(&p, g->capability < lim->most ? g->capability : lim->most);
	if (!g->asked)
		return fail(e, CAUSE_SHORT, ENOSPC, "nothing was tried: %s", lim->why);
	p.high = g->asked + 1;
	rc = probe_open(&p, e);
	close_eventfds(&p);
	return rc;
}
