// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/irq.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "host/proc-interrupts.h"

/* The low bits of a hwirq are the index; the function's id is above them. */
#define HWIRQ_INDEX_BITS 11

#define NO_HWIRQ UINT64_MAX

static const struct host_irq no_irq = {
	.vector = -1, .chip = "", .action = "", .affinity = "", .effective = ""
};

void host_irqs_free(struct host_irqs *h)
{
	for (size_t i = 0; i < h->ntexts; i++)
		free(h->text[i]);
	free(h->text);
	free(h->irq);
	*h = (struct host_irqs){ 0 };
}

static int by_number(const void *a, const void *b)
{
	const struct host_irq *x = a, *y = b;

	return (x->irq > y->irq) - (x->irq < y->irq);
}

static int by_vector(const void *a, const void *b)
{
	const struct host_irq *x = a, *y = b;

	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	if (x->vector != y->vector)
		return x->vector < y->vector ? -1 : 1;
	return by_number(a, b);
}

static int push(struct host_irqs *h, const struct host_irq *irq)
{
	/* the array's room is the next power of two */
	if (!(h->n & (h->n - 1))) {
		struct host_irq *more = realloc(h->irq, (h->n ? h->n * 2 : 1) * sizeof(*more));

		if (!more)
			return -ENOMEM;
		h->irq = more;
	}
	h->irq[h->n++] = *irq;
	return 0;
}

/* Takes @text, which lives as long as @h; *@to points to it. 0 or -ENOMEM. */
static int keep(struct host_irqs *h, char *text, const char **to)
{
	if (!(h->ntexts & (h->ntexts - 1))) {
		char **more = reallocarray(h->text, h->ntexts ? h->ntexts * 2 : 1, sizeof(*more));

		if (!more) {
			free(text);
			return -ENOMEM;
		}
		h->text = more;
	}
	h->text[h->ntexts++] = text;
	*to = text;
	return 0;
}

/*
 * One file of an IRQ as *@to, which stays as it was when there is nothing in it. Length or -errno.
 */
static int keep_file(const struct root *r, struct host_irqs *h, const char **to, const char *folder,
		     unsigned int irq, const char *name)
{
	char *text;
	int rc = root_text_dup(r, &text, "%s/%u/%s", folder, irq, name), kept;

	if (rc > 0) {
		kept = keep(h, text, to);
		return kept ? kept : rc;
	}
	free(text);
	return rc;
}

static int keep_word(struct host_irqs *h, const char **to, const char *word)
{
	char *text;

	if (!word[0])
		return 0;
	text = strdup(word);
	return text ? keep(h, text, to) : -ENOMEM;
}

static bool irq_number(const char *name, unsigned int *irq)
{
	uint64_t n;

	if (parse_u64(name, 10, UINT_MAX, &n))
		return false;
	*irq = (unsigned int)n;
	return true;
}

/*
 * msi_irqs/N holds "msi" or "msix" (Documentation/ABI/testing/sysfs-bus-pci). 1; 0: another word,
 * or it went meanwhile; -errno.
 */
static int msi_mode(const struct root *r, const char *bdf, struct host_irq *irq)
{
	char mode[16];
	int rc = root_text(r, mode, sizeof(mode), "sys/bus/pci/devices/%s/msi_irqs/%u", bdf,
			   irq->irq);

	if (rc < 0)
		return root_unread(rc) ? rc : 0;
	irq->index = IRQ_MSI;
	return !irq_index_parse(mode, &irq->index) &&
	       (irq->index == IRQ_MSI || irq->index == IRQ_MSIX);
}

static int list_msi(const struct root *r, const char *bdf, struct host_irqs *h)
{
	_cleanup_root_dir_ struct root_dir *d =
		root_opendir(r, "sys/bus/pci/devices/%s/msi_irqs", bdf);
	struct dirent *entry;
	int rc = 0;

	if (!d)
		return root_absent(-errno) ? 0 : -errno;
	/* no function has more: what lies beyond is no list of vectors */
	while (!rc && h->n < MAX_VECTORS && root_readdir(d, &entry, &rc)) {
		struct host_irq irq = no_irq;

		if (!irq_number(entry->d_name, &irq.irq))
			continue;
		rc = msi_mode(r, bdf, &irq);
		if (rc > 0)
			rc = push(h, &irq);
	}
	return rc;
}

/*
 * vfio_msi_set_vector_signal() in drivers/vfio/pci/vfio_pci_intrs.c names the
 * handler "vfio-msix[3](0000:01:00.0)".
 */
static int vector_of_action(const struct host_irq *irq, const char *bdf)
{
	char head[16], tail[PCI_ADDR_LEN + 3], digits[8];
	const char *end;
	uint64_t n;

	snprintf(head, sizeof(head), "vfio-%s[", irq_index_word(irq->index));
	snprintf(tail, sizeof(tail), "](%s)", bdf);
	if (strncmp(irq->action, head, strlen(head)) != 0)
		return -1;
	end = strchr(irq->action, ']');
	if (!end || strcmp(end, tail) != 0 ||
	    (size_t)(end - irq->action) - strlen(head) >= sizeof(digits))
		return -1;
	copy_text(digits, (size_t)(end - irq->action) - strlen(head) + 1,
		  irq->action + strlen(head));
	return parse_u64(digits, 10, MAX_VECTORS - 1, &n) ? -1 : (int)n;
}

/*
 * The index itself under per-device domains, since Linux 6.2; before and with
 * other domains domain << 27 | devid << 11 | index: pci_msi_domain_calc_hwirq()
 * in drivers/pci/msi/irqdomain.c. Anything else is a chip's own numbering.
 */
static int vector_of_hwirq(uint64_t hwirq, const struct pci_addr *a)
{
	uint64_t devid = (uint64_t)a->domain << 16 | (uint64_t)a->bus << 8 | (uint64_t)a->dev << 3 |
			 a->fn;
	uint64_t above = hwirq >> HWIRQ_INDEX_BITS;

	if (above && above != devid)
		return -1;
	return (int)(hwirq & (MAX_VECTORS - 1));
}

static void set_vector(struct host_irq *irq, uint64_t hwirq, const struct pci_addr *a,
		       const char *bdf)
{
	if (irq->index == IRQ_INTX) {
		irq->vector = 0;
		return;
	}
	irq->vector = vector_of_action(irq, bdf);
	if (irq->vector < 0 && hwirq != NO_HWIRQ)
		irq->vector = vector_of_hwirq(hwirq, a);
}

/* One reading of a function. */
struct fill {
	const struct root *r;
	const struct pci_addr *a;
	const char *bdf;
	struct host_irqs *h; /* sorted by number */
	char *page;
	struct irq_counts *counts;
	bool asked; /* how many CPUs /proc/interrupts leaves out */
	int cpus_missing;
	int rc; /* of a callback */
};

int host_irq_counts(const struct root *r, unsigned int irq, char page[HOST_IRQ_PAGE],
		    struct irq_counts *c)
{
	int n = root_read(r, page, HOST_IRQ_PAGE - 1, "sys/kernel/irq/%u/per_cpu_count", irq);

	if (n < 0)
		return n;
	page[n] = '\0';
	return irq_counts_parse(c, page);
}

void host_irq_count(struct host_irq *irq, const struct irq_counts *c, int cpus_missing)
{
	irq->counted = true;
	irq->counted_by = c->source;
	irq->cpus_missing = cpus_missing;
	irq->cpus = (unsigned int)c->n;
	irq->count = irq_counts_sum(c);
}

/*
 * What /sys/kernel/irq/N says (Documentation/ABI/testing/sysfs-kernel-irq). Nothing is changed
 * without the folder, and a count that is not there, or not whole, stays unknown. 0; -errno:
 * nothing can be looked at.
 */
static int fill_from_sysfs(const struct fill *f, struct host_irq *irq)
{
	uint64_t hwirq = NO_HWIRQ;
	int rc = keep_file(f->r, f->h, &irq->action, "sys/kernel/irq", irq->irq, "actions");

	if (rc < 0)
		return root_exhausted(rc) ? rc : 0;
	irq->source = HOST_IRQ_SYSFS;
	irq->armed = irq->action[0];
	rc = keep_file(f->r, f->h, &irq->chip, "sys/kernel/irq", irq->irq, "chip_name");
	if (root_exhausted(rc))
		return rc;
	rc = root_number(f->r, &hwirq, "sys/kernel/irq/%u/hwirq", irq->irq);
	if (root_exhausted(rc))
		return rc;
	set_vector(irq, rc ? NO_HWIRQ : hwirq, f->a, f->bdf);
	rc = host_irq_counts(f->r, irq->irq, f->page, f->counts);
	if (!rc)
		host_irq_count(irq, f->counts, 0);
	return root_exhausted(rc) ? rc : 0;
}

static bool is_ours(const void *ctx, unsigned int number)
{
	const struct fill *f = ctx;
	const struct host_irq key = { .irq = number };

	return bsearch(&key, f->h->irq, f->h->n, sizeof(key), by_number) != NULL;
}

static void fill_from_proc(void *ctx, const struct proc_irq *p)
{
	struct host_irq key = { .irq = p->irq }, *irq;
	struct fill *f = ctx;

	irq = bsearch(&key, f->h->irq, f->h->n, sizeof(key), by_number);
	if (!irq || irq->counted)
		return;
	if (!f->asked)
		f->cpus_missing = proc_irq_missing(f->r, &p->counts);
	f->asked = true;
	host_irq_count(irq, &p->counts, f->cpus_missing);
	if (irq->source != HOST_IRQ_UNSEEN)
		return;
	irq->source = HOST_IRQ_PROC;
	if (!f->rc)
		f->rc = keep_word(f->h, &irq->action, p->action);
	if (!f->rc)
		f->rc = keep_word(f->h, &irq->chip, p->chip);
	irq->armed = irq->action[0];
	set_vector(irq, p->has_hwirq ? p->hwirq : NO_HWIRQ, f->a, f->bdf);
}

static bool all_counted(const struct host_irqs *h)
{
	for (size_t i = 0; i < h->n; i++) {
		if (!h->irq[i].counted)
			return false;
	}
	return true;
}

/* The whole text was read, so an IRQ without a line has no handler. */
static void no_line_no_handler(struct host_irqs *h)
{
	for (size_t i = 0; i < h->n; i++) {
		if (h->irq[i].source == HOST_IRQ_UNSEEN)
			h->irq[i].source = HOST_IRQ_PROC;
	}
}

static int fill_affinity(const struct root *r, struct host_irqs *h, struct host_irq *irq)
{
	int rc = keep_file(r, h, &irq->affinity, "proc/irq", irq->irq, "smp_affinity_list");

	if (rc != -ENOMEM)
		rc = keep_file(r, h, &irq->effective, "proc/irq", irq->irq,
			       "effective_affinity_list");
	return rc == -ENOMEM ? rc : 0;
}

static int fill_sorted(struct fill *f)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < f->h->n; i++)
		rc = fill_from_sysfs(f, &f->h->irq[i]);
	if (rc || all_counted(f->h))
		return rc;
	rc = proc_irq_pick(f->r, f->h->n, is_ours, fill_from_proc, f);
	if (f->rc)
		return f->rc;
	if (rc == 0)
		no_line_no_handler(f->h);
	/* a text that cannot be had leaves these without a count, which is said by "counted" */
	return root_exhausted(rc) ? rc : 0;
}

static int fill(const struct root *r, const struct pci_addr *a, const char *bdf, unsigned int want,
		struct host_irqs *h)
{
	_cleanup_free_ char *page = malloc(HOST_IRQ_PAGE);
	struct irq_counts counts = { 0 };
	struct fill f = { .r = r, .a = a, .bdf = bdf, .h = h, .page = page, .counts = &counts };
	int rc;

	if (!h->n)
		return 0;
	if (!page)
		return -ENOMEM;
	qsort(h->irq, h->n, sizeof(*h->irq), by_number);
	rc = fill_sorted(&f);
	irq_counts_free(&counts);
	for (size_t i = 0; !rc && want & HOST_IRQ_AFFINITY && i < h->n; i++)
		rc = fill_affinity(r, h, &h->irq[i]);
	qsort(h->irq, h->n, sizeof(*h->irq), by_vector);
	return rc;
}

/*
 * The line of a function that uses INTx. Its number stands in "irq" also while
 * nobody uses it, and other functions may share it.
 */
static int add_intx(const struct root *r, const struct pci_addr *a, const char *bdf,
		    unsigned int want, struct host_irqs *h)
{
	struct host_irq irq = no_irq;
	char driver[ROOT_NAME], handler[PCI_ADDR_LEN + 16];
	uint64_t number;
	int rc = root_link(r, driver, sizeof(driver), "sys/bus/pci/devices/%s/driver", bdf);

	if (rc < 0)
		return root_unread(rc) ? rc : 0;
	rc = root_number(r, &number, "sys/bus/pci/devices/%s/irq", bdf);
	if (rc || !number || number > UINT_MAX)
		return root_unread(rc) ? rc : 0;
	irq.irq = (unsigned int)number;
	irq.index = IRQ_INTX;
	rc = push(h, &irq);
	if (!rc)
		rc = fill(r, a, bdf, want, h);
	if (rc)
		return rc;
	snprintf(handler, sizeof(handler), "vfio-intx(%s)", bdf);
	/* Unseen, it may be armed: that is for the reader to judge. */
	if (h->irq[0].source == HOST_IRQ_UNSEEN)
		return 0;
	if (!h->irq[0].armed || (strstr(driver, "vfio") && !strstr(h->irq[0].action, handler)))
		host_irqs_free(h);
	return 0;
}

int host_irqs_read(const struct root *r, const struct pci_addr *a, unsigned int want,
		   struct host_irqs *h)
{
	char bdf[PCI_ADDR_LEN];
	int rc;

	*h = (struct host_irqs){ 0 };
	pci_addr_full(a, bdf);
	rc = list_msi(r, bdf, h);
	if (!rc && !h->n)
		rc = add_intx(r, a, bdf, want, h);
	else if (!rc)
		rc = fill(r, a, bdf, want, h);
	if (rc)
		host_irqs_free(h);
	return rc;
}

const char *host_irq_source_word(enum host_irq_source source)
{
	static const char *const word[] = { [HOST_IRQ_SYSFS] = "sysfs", [HOST_IRQ_PROC] = "proc" };

	return (size_t)source < ARRAY_SIZE(word) ? word[source] : NULL;
}

unsigned int host_irqs_partial(const struct host_irqs *h, int *cpus_missing)
{
	unsigned int n = 0;

	*cpus_missing = 0;
	for (size_t i = 0; i < h->n; i++) {
		const struct host_irq *irq = &h->irq[i];

		if (!irq->counted || !irq->cpus_missing)
			continue;
		n++;
		if (irq->cpus_missing < 0 ||
		    (*cpus_missing >= 0 && irq->cpus_missing > *cpus_missing))
			*cpus_missing = irq->cpus_missing;
	}
	return n;
}

unsigned int host_irqs_unseen(const struct host_irqs *h, enum irq_index index)
{
	unsigned int n = 0;

	for (size_t i = 0; i < h->n; i++)
		n += h->irq[i].index == index && h->irq[i].source == HOST_IRQ_UNSEEN;
	return n;
}

struct vector_set host_irqs_armed(const struct host_irqs *h, enum irq_index index)
{
	struct vector_set set = { 0 };

	for (size_t i = 0; i < h->n; i++) {
		if (h->irq[i].index == index && h->irq[i].armed && h->irq[i].vector >= 0)
			vector_set_add(&set, (unsigned int)h->irq[i].vector);
	}
	return set;
}

const struct host_irq *host_irqs_find(const struct host_irqs *h, enum irq_index index,
				      unsigned int vector)
{
	for (size_t i = 0; i < h->n; i++) {
		if (h->irq[i].index == index && h->irq[i].vector >= 0 &&
		    (unsigned int)h->irq[i].vector == vector)
			return &h->irq[i];
	}
	return NULL;
}

struct chips {
	const char *prefix;
	unsigned int n, hits;
};

static void count_chip(struct chips *c, const char *chip)
{
	if (!chip[0])
		return;
	c->n++;
	c->hits += !strncmp(chip, c->prefix, strlen(c->prefix));
}

static void count_proc_chip(void *ctx, const struct proc_irq *p)
{
	count_chip(ctx, p->chip);
}

static int count_chips(const struct root *r, struct chips *c)
{
	_cleanup_root_dir_ struct root_dir *d = root_opendir(r, "sys/kernel/irq");
	struct dirent *entry;

	int rc = 0;

	if (!d)
		return root_absent(-errno) ? proc_irq_walk(r, count_proc_chip, c) : -errno;
	while (!rc && root_readdir(d, &entry, &rc)) {
		unsigned int irq;
		_cleanup_free_ char *chip = NULL;

		if (!irq_number(entry->d_name, &irq))
			continue;
		rc = root_text_dup(r, &chip, "sys/kernel/irq/%u/chip_name", irq);
		if (rc > 0)
			count_chip(c, chip);
		rc = root_unread(rc) ? rc : 0;
	}
	return rc;
}

int host_irqs_chips(const struct root *r, const char *prefix, unsigned int *n, unsigned int *hits)
{
	struct chips c = { .prefix = prefix };
	int rc = count_chips(r, &c);

	*n = c.n;
	*hits = c.hits;
	return rc;
}
