// SPDX-License-Identifier: GPL-2.0-or-later
#include "irq/count.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Between two readings no CPU counts more: what looks like it is no wrap. */
#define MOST_FRESH (UINT32_MAX / 2)

/* More CPUs than any kernel is built for (CONFIG_NR_CPUS, 8192 on x86): a longer list is none. */
#define MOST_CPUS 65536u

#define WORD_BITS 64u

void irq_counts_free(struct irq_counts *c)
{
	free(c->cpu);
	*c = (struct irq_counts){ 0 };
}

/* Room for @n in an array that grows. */
static int make_room(struct cpu_count **array, size_t *room, size_t n)
{
	size_t wanted = *room ? *room : 4;
	struct cpu_count *more;

	if (n <= *room)
		return 0;
	while (wanted < n)
		wanted *= 2;
	more = reallocarray(*array, wanted, sizeof(*more));
	if (!more)
		return -ENOMEM;
	*array = more;
	*room = wanted;
	return 0;
}

int irq_counts_add(struct irq_counts *c, unsigned int cpu, uint32_t count)
{
	if (!count)
		return 0;
	if (make_room(&c->cpu, &c->room, c->n + 1))
		return -ENOMEM;
	c->cpu[c->n++] = (struct cpu_count){ cpu, count };
	return 0;
}

int irq_counts_parse(struct irq_counts *c, const char *text)
{
	c->source = HOST_IRQ_SYSFS;
	c->column = NULL;
	c->columns = c->n = 0;
	for (const char *p = text;; p++) {
		const char *digits = p;
		uint64_t n = 0;

		for (; *p >= '0' && *p <= '9' && p - digits < 10; p++)
			n = n * 10 + (uint64_t)(*p - '0');
		if (p == digits || n > UINT32_MAX || c->columns == MOST_CPUS)
			return -EBADMSG;
		if (irq_counts_add(c, (unsigned int)c->columns++, (uint32_t)n))
			return -ENOMEM;
		if (*p == '\n')
			return p[1] ? -EBADMSG : 0;
		if (*p != ',')
			return -EBADMSG;
	}
}

uint64_t irq_counts_sum(const struct irq_counts *c)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < c->n; i++)
		sum += c->cpu[i].count;
	return sum;
}

void irq_counter_free(struct irq_counter *c)
{
	free(c->last);
	free(c->known);
	*c = (struct irq_counter){ 0 };
}

static int by_number(const void *a, const void *b)
{
	const unsigned int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool has_column(const struct irq_counts *c, unsigned int cpu)
{
	if (!c->column)
		return cpu < c->columns;
	return c->columns && bsearch(&cpu, c->column, c->columns, sizeof(cpu), by_number);
}

static bool is_known(const struct irq_counter *c, unsigned int cpu)
{
	return cpu / WORD_BITS < c->words && c->known[cpu / WORD_BITS] >> cpu % WORD_BITS & 1;
}

/* The last column is the highest CPU. */
static int room_for_columns(struct irq_counter *c, const struct irq_counts *now)
{
	unsigned int last = now->columns ? (unsigned int)now->columns - 1 : 0;
	uint64_t *more;
	size_t words;

	if (now->column && now->columns)
		last = now->column[now->columns - 1];
	words = last / WORD_BITS + 1;
	if (words <= c->words)
		return 0;
	more = reallocarray(c->known, words, sizeof(*more));
	if (!more)
		return -ENOMEM;
	memset(more + c->words, 0, (words - c->words) * sizeof(*more));
	c->known = more;
	c->words = words;
	return 0;
}

static void know_columns(struct irq_counter *c, const struct irq_counts *now)
{
	for (size_t i = 0; i < now->columns; i++) {
		unsigned int cpu = now->column ? now->column[i] : (unsigned int)i;

		c->known[cpu / WORD_BITS] |= UINT64_C(1) << cpu % WORD_BITS;
	}
}

/* A difference in the making: what comes of each CPU, and whether one of them began anew. */
struct difference {
	uint64_t sum;
	bool anew;
};

static void add_difference(struct difference *d, uint32_t was, uint32_t now)
{
	uint32_t fresh = now - was;

	d->anew |= fresh > MOST_FRESH;
	d->sum += fresh;
}

/* The usual case, in place: the same CPUs counted. False: others did, and nothing was changed. */
static bool same_cpus(struct irq_counter *c, const struct irq_counts *now, struct difference *d)
{
	if (c->n != now->n)
		return false;
	for (size_t i = 0; i < c->n; i++)
		if (c->last[i].cpu != now->cpu[i].cpu)
			return false;
	for (size_t i = 0; i < c->n; i++) {
		add_difference(d, c->last[i].count, now->cpu[i].count);
		c->last[i].count = now->cpu[i].count;
	}
	return true;
}

/* Both are ascending; @into has room for all of both. */
static size_t merge(const struct irq_counter *c, const struct irq_counts *now,
		    struct cpu_count *into, struct difference *d)
{
	size_t i = 0, j = 0, n = 0;

	while (i < c->n || j < now->n) {
		bool was = i < c->n && (j == now->n || c->last[i].cpu <= now->cpu[j].cpu);
		bool is = j < now->n && (i == c->n || now->cpu[j].cpu <= c->last[i].cpu);

		if (was && is) {
			add_difference(d, c->last[i++].count, now->cpu[j].count);
			into[n++] = now->cpu[j++];
		} else if (was) {
			bool there = has_column(now, c->last[i].cpu);

			/* of a CPU that went the last value stays */
			into[n] = c->last[i++];
			if (there)
				add_difference(d, into[n].count, 0);
			into[n].count = there ? 0 : into[n].count;
			n++;
		} else {
			if (is_known(c, now->cpu[j].cpu))
				add_difference(d, 0, now->cpu[j].count);
			into[n++] = now->cpu[j++];
		}
	}
	return n;
}

static int merge_cpus(struct irq_counter *c, const struct irq_counts *now, struct difference *d)
{
	size_t room = c->n + now->n;
	struct cpu_count *into = reallocarray(NULL, room ? room : 1, sizeof(*into));

	if (!into)
		return -ENOMEM;
	c->n = merge(c, now, into, d);
	free(c->last);
	c->last = into;
	c->room = room;
	return 0;
}

/* All that was known is of no use any more. */
static int begin(struct irq_counter *c, const struct irq_counts *now)
{
	if (make_room(&c->last, &c->room, now->n))
		return -ENOMEM;
	if (now->n)
		memcpy(c->last, now->cpu, now->n * sizeof(*c->last));
	c->n = now->n;
	if (c->words)
		memset(c->known, 0, c->words * sizeof(*c->known));
	know_columns(c, now);
	c->source = now->source;
	return 0;
}

static int take_first(struct irq_counter *c, const struct irq_counts *now, uint64_t *fresh)
{
	if (begin(c, now))
		return -ENOMEM;
	c->total = irq_counts_sum(now);
	if (c->anew)
		*fresh = c->total;
	return c->anew;
}

int irq_counter_take(struct irq_counter *c, const struct irq_counts *now, uint64_t *fresh)
{
	struct difference d = { 0 };

	*fresh = 0;
	if (room_for_columns(c, now))
		return -ENOMEM;
	if (c->source == HOST_IRQ_UNSEEN)
		return take_first(c, now, fresh);
	if (c->source != now->source)
		return begin(c, now);
	if (!same_cpus(c, now, &d) && merge_cpus(c, now, &d))
		return -ENOMEM;
	if (d.anew)
		return begin(c, now);
	know_columns(c, now);
	c->total += d.sum;
	*fresh = d.sum;
	return 1;
}

/* NULL: no number of a CPU. */
static const char *take_cpu(const char *p, unsigned int *cpu)
{
	const char *digits = p;

	*cpu = 0;
	for (; *p >= '0' && *p <= '9' && *cpu < MOST_CPUS; p++)
		*cpu = *cpu * 10 + (unsigned int)(*p - '0');
	return p > digits && *cpu < MOST_CPUS ? p : NULL;
}

int cpu_list_missing(const char *list, const struct irq_counts *c)
{
	int missing = 0;

	for (const char *p = list;; p++) {
		unsigned int first, last;

		p = take_cpu(p, &first);
		last = first;
		if (p && *p == '-')
			p = take_cpu(p + 1, &last);
		if (!p || last < first || (*p && *p != ',' && *p != '\n'))
			return -1;
		for (unsigned int cpu = first; cpu <= last; cpu++)
			missing += !has_column(c, cpu);
		if (*p != ',')
			return missing;
	}
}
