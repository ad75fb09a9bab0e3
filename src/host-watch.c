// SPDX-License-Identifier: GPL-2.0-or-later
#include "host-watch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "proc-irq.h"
#include "util.h"

/* A page of sysfs, the largest there is: what does not fit is cut off by the kernel (per_cpu_count_show()). */
#define PAGE 65536u

/* Handlers and affinity change without a trace in msi_irqs/: they are read again after so many counts. */
#define DETAILS_EVERY 16

/*
 * An IRQ that was freed and allocated again may have its number again, but its
 * file in msi_irqs/ is another one.
 */
struct listed {
	unsigned int irq;
	uint64_t ino;
};

static int by_irq(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	return (x->irq > y->irq) - (x->irq < y->irq);
}

void host_watch_free(struct host_watch *w)
{
	host_irqs_free(&w->irqs);
	free(w->incarnation);
	free(w->cpus);
	free(w->listed);
	free(w->page);
	*w = (struct host_watch){ .addr = w->addr, .changes = w->changes + 1 };
}

static int push(struct listed **list, size_t *n, unsigned int irq, uint64_t ino)
{
	/* the array's room is the next power of two */
	if (!(*n & (*n - 1))) {
		struct listed *more = reallocarray(*list, *n ? *n * 2 : 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		*list = more;
	}
	(*list)[(*n)++] = (struct listed){ irq, ino };
	return 0;
}

static int list(const struct root *r, const struct pci_addr *a, struct listed **found, size_t *n)
{
	char bdf[PCI_ADDR_LEN];
	DIR *d = root_opendir(r, "sys/bus/pci/devices/%s/msi_irqs", pci_addr_full(a, bdf));
	struct dirent *entry;
	int rc = 0;

	*found = NULL;
	*n = 0;
	if (!d)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	while (!rc && *n < MAX_VECTORS && (entry = readdir(d))) {
		uint64_t irq;

		if (!parse_u64(entry->d_name, 10, UINT_MAX, &irq))
			rc = push(found, n, (unsigned int)irq, entry->d_ino);
	}
	closedir(d);
	if (*n)
		qsort(*found, *n, sizeof(**found), by_irq);
	return rc;
}

static bool same(const struct host_watch *w, const struct listed *list, size_t n)
{
	if (n != w->nlisted)
		return false;
	for (size_t i = 0; i < n; i++)
		if (list[i].irq != w->listed[i].irq || list[i].ino != w->listed[i].ino)
			return false;
	return true;
}

static uint64_t incarnation_of(const struct host_watch *w, unsigned int irq)
{
	const struct listed key = { .irq = irq },
			    *found = w->nlisted ? bsearch(&key, w->listed, w->nlisted, sizeof(key), by_irq) : NULL;

	return found && found->ino ? found->ino : irq;
}

/* Everything anew. */
static int read_details(const struct root *r, struct host_watch *w)
{
	int rc;

	host_irqs_free(&w->irqs);
	free(w->incarnation);
	free(w->cpus);
	w->incarnation = NULL;
	w->cpus = NULL;
	rc = host_irqs_read(r, &w->addr, HOST_IRQ_AFFINITY, &w->irqs);
	if (rc || !w->irqs.n)
		return rc;
	w->incarnation = calloc(w->irqs.n, sizeof(*w->incarnation));
	w->cpus = calloc(w->irqs.n, sizeof(*w->cpus));
	if (!w->incarnation || !w->cpus)
		return -ENOMEM;
	for (size_t i = 0; i < w->irqs.n; i++)
		w->incarnation[i] = incarnation_of(w, w->irqs.irq[i].irq);
	return 0;
}

/* "1,20,0\n", strictly: numbers, single commas, and the newline that says that it is whole. */
static bool sum_counts(const char *p, uint64_t *sum, unsigned int *cpus)
{
	*sum = *cpus = 0;
	for (;; p++) {
		const char *digits = p;
		uint64_t n = 0;

		for (; *p >= '0' && *p <= '9' && p - digits < 19; p++)
			n = n * 10 + (uint64_t)(*p - '0');
		if (p == digits)
			return false;
		*sum += n;
		*cpus += n != 0;
		if (*p == '\n')
			return !p[1];
		if (*p != ',')
			return false;
	}
}

static bool read_count(const struct root *r, struct host_watch *w, size_t i)
{
	struct host_irq *irq = &w->irqs.irq[i];
	int n = root_read(r, w->page, PAGE, "sys/kernel/irq/%u/per_cpu_count", irq->irq);

	w->page[n > 0 ? n : 0] = '\0';
	return sum_counts(w->page, &irq->count, &w->cpus[i]);
}

static bool is_ours(const void *ctx, unsigned int irq)
{
	const struct host_watch *w = ctx;
	const struct listed key = { .irq = irq };

	if (w->nlisted)
		return bsearch(&key, w->listed, w->nlisted, sizeof(key), by_irq) != NULL;
	return w->irqs.n && w->irqs.irq[0].irq == irq;
}

static void count_from_proc(void *ctx, const struct proc_irq *p)
{
	struct host_watch *w = ctx;

	for (size_t i = 0; i < w->irqs.n; i++) {
		struct host_irq *irq = &w->irqs.irq[i];

		if (irq->irq != p->irq || irq->counted)
			continue;
		irq->count = p->count;
		irq->counted = true;
		w->cpus[i] = p->cpus;
	}
}

/* false: not all of them, for there are no such files before Linux 4.9, and of many CPUs the text does not fit into the
 * page. */
static bool read_files(const struct root *r, struct host_watch *w)
{
	bool all = true;

	for (size_t i = 0; i < w->irqs.n; i++) {
		w->irqs.irq[i].counted = read_count(r, w, i);
		all = all && w->irqs.irq[i].counted;
	}
	return all;
}

/* A text that was too long gets no shorter: until the details are read again the one file that has all is enough. */
static int read_counts(const struct root *r, struct host_watch *w)
{
	if (!w->page)
		w->page = malloc(PAGE + 1);
	if (!w->page)
		return -ENOMEM;
	for (size_t i = 0; w->from_proc && i < w->irqs.n; i++)
		w->irqs.irq[i].counted = false;
	if (w->from_proc || !read_files(r, w))
		w->from_proc = !proc_irq_pick(r, w->irqs.n, is_ours, count_from_proc, w);
	return 0;
}

int host_watch_read(const struct root *r, struct host_watch *w)
{
	struct listed *found;
	size_t n;
	int rc = list(r, &w->addr, &found, &n);
	bool listed = !rc && same(w, found, n), known = listed && n && w->irqs.n == n && ++w->age < DETAILS_EVERY;

	if (rc) {
		free(found);
		return rc;
	}
	w->changes += !listed;
	free(w->listed);
	w->listed = found;
	w->nlisted = n;
	if (!known) {
		w->age = 0;
		w->from_proc = false;
		rc = read_details(r, w);
	}
	return rc ? rc : read_counts(r, w);
}
