// SPDX-License-Identifier: GPL-2.0-or-later
#include "proc-irq.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "util.h"

/* 8192 CPUs with 11 characters each are 88 KiB; a longer line is skipped. */
#define LINE_SIZE 262144ul

struct word {
	const char *at;
	size_t len;
};

static struct word next_word(const char **text)
{
	struct word w;

	*text += strspn(*text, " \t");
	w.at = *text;
	w.len = strcspn(*text, " \t\n");
	*text += w.len;
	return w;
}

static bool is_number(struct word w, uint64_t *n)
{
	char digits[24];

	if (!w.len || w.len >= sizeof(digits))
		return false;
	memcpy(digits, w.at, w.len);
	digits[w.len] = '\0';
	return !parse_u64(digits, 10, UINT64_MAX, n);
}

static void copy_word(char *buf, size_t size, struct word w)
{
	size_t n = w.len < size ? w.len : size - 1;

	memcpy(buf, w.at, n);
	buf[n] = '\0';
}

unsigned int proc_irq_cpus(const char *header)
{
	unsigned int n = 0;

	for (;;) {
		struct word w = next_word(&header);

		if (!w.len)
			return n;
		if (w.len < 4 || strncmp(w.at, "CPU", 3) != 0 || !isdigit((unsigned char)w.at[3]))
			return 0;
		n++;
	}
}

/* "2097152-edge" on x86, "27" elsewhere: show_interrupts() in kernel/irq/proc.c. */
static bool is_hwirq(struct word w, uint64_t *hwirq)
{
	const char *dash = memchr(w.at, '-', w.len);

	if (dash)
		w.len = (size_t)(dash - w.at);
	return is_number(w, hwirq);
}

static bool is_level(struct word w)
{
	return (w.len == 5 && !strncasecmp(w.at, "level", 5)) || (w.len == 4 && !strncasecmp(w.at, "edge", 4));
}

/*
 * Behind the counts: chip, hwirq with or without the flow handler's name, a
 * column "Level" or "Edge" on some architectures, then the handlers' names up
 * to the end of the line. A line without hwirq begins its handlers after two
 * blanks.
 */
static void parse_tail(const char *p, struct proc_irq *out)
{
	struct word chip = next_word(&p), w;
	const char *mark = p;
	size_t len;

	copy_word(out->chip, sizeof(out->chip), chip);
	w = next_word(&p);
	out->has_hwirq = is_hwirq(w, &out->hwirq);
	if (!out->has_hwirq)
		p = mark;
	mark = p;
	w = next_word(&p);
	if (!is_level(w))
		p = mark;
	p += strspn(p, " \t");
	len = strcspn(p, "\n");
	while (len && isspace((unsigned char)p[len - 1]))
		len--;
	copy_word(out->action, sizeof(out->action), (struct word){ p, len });
}

bool proc_irq_parse(const char *line, unsigned int cpus, struct proc_irq *p)
{
	const char *colon = strchr(line, ':');
	struct word w = next_word(&line);
	uint64_t n;

	*p = (struct proc_irq){ 0 };
	if (!colon || w.at + w.len != colon + 1)
		return false;
	w.len--;
	if (!is_number(w, &n) || n > UINT_MAX)
		return false;
	p->irq = (unsigned int)n;
	for (unsigned int i = 0; i < cpus; i++) {
		if (!is_number(next_word(&line), &n))
			return false;
		p->count += n;
		p->cpus += n != 0;
	}
	parse_tail(line, p);
	return true;
}

/* false: the line was longer than the buffer and has been skipped, or the file is at its end. */
static bool whole_line(FILE *f, char *line)
{
	size_t len = strlen(line);
	int c;

	if (len + 1 < LINE_SIZE || line[len - 1] == '\n')
		return true;
	do {
		c = getc(f);
	} while (c != EOF && c != '\n');
	return false;
}

/* What is asked for. */
struct walk {
	size_t left;					   /* so many lines more */
	bool (*wanted)(const void *ctx, unsigned int irq); /* NULL: all */
	void (*each)(void *ctx, const struct proc_irq *p);
	void *ctx;
};

/* By the number in front of the colon alone; what has none is no IRQ of ours. */
static bool is_wanted(const struct walk *k, const char *line)
{
	unsigned int irq = 0;
	const char *p = line + strspn(line, " ");

	if (!k->wanted)
		return true;
	for (; isdigit((unsigned char)*p) && irq < UINT_MAX / 10; p++)
		irq = irq * 10 + (unsigned int)(*p - '0');
	return *p == ':' && k->wanted(k->ctx, irq);
}

static int walk(FILE *f, char *line, struct walk *k)
{
	unsigned int cpus;
	struct proc_irq p;
	int rc = 0;

	if (!fgets(line, LINE_SIZE, f) || !whole_line(f, line))
		return -EINVAL;
	cpus = proc_irq_cpus(line);
	if (!cpus)
		return -EINVAL;
	while (k->left && fgets(line, LINE_SIZE, f)) {
		bool whole = whole_line(f, line);

		if (!is_wanted(k, line))
			continue;
		if (!whole || !proc_irq_parse(line, cpus, &p)) {
			/* A line that was asked for is there, and can't be told. */
			rc = k->wanted ? -EBADMSG : rc;
			continue;
		}
		k->left--;
		k->each(k->ctx, &p);
	}
	return rc;
}

static int open_and_walk(const struct root *r, struct walk *k)
{
	_cleanup_file_ FILE *f = root_stream(r, "proc/interrupts");
	char *line;
	int rc;

	if (!f)
		return -errno;
	line = malloc(LINE_SIZE);
	if (!line)
		return -ENOMEM;
	rc = walk(f, line, k);
	free(line);
	return rc;
}

int proc_irq_walk(const struct root *r, void (*each)(void *ctx, const struct proc_irq *p), void *ctx)
{
	return open_and_walk(r, &(struct walk){ .left = SIZE_MAX, .each = each, .ctx = ctx });
}

int proc_irq_pick(const struct root *r, size_t n, bool (*wanted)(const void *ctx, unsigned int irq),
		  void (*each)(void *ctx, const struct proc_irq *p), void *ctx)
{
	return open_and_walk(r, &(struct walk){ .left = n, .wanted = wanted, .each = each, .ctx = ctx });
}
