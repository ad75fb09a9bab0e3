// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/proc-interrupts.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"

/* 8192 CPUs with 11 characters each are 88 KiB; a longer line is skipped. */
#define LINE_SIZE 262144ul

/* More than any kernel is built for. */
#define MOST_CPUS 65536u

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

static char *copy_word(char *to, struct word w)
{
	memcpy(to, w.at, w.len);
	to[w.len] = '\0';
	return to + w.len + 1;
}

static int keep_words(struct proc_irq *p, struct word chip, struct word action)
{
	size_t need = chip.len + action.len + 2;
	char *more = p->room < need ? realloc(p->words, need) : p->words;

	if (!more)
		return -ENOMEM;
	if (p->room < need)
		p->room = need;
	p->words = more;
	p->chip = more;
	p->action = copy_word(more, chip);
	copy_word(more + chip.len + 1, action);
	return 0;
}

void proc_irq_free(struct proc_irq *p)
{
	irq_counts_free(&p->counts);
	free(p->words);
	p->chip = p->action = p->words = NULL;
	p->room = 0;
}

/* "CPU17" */
static bool is_cpu(struct word w, unsigned int *cpu)
{
	uint64_t n;

	if (w.len < 4 || strncmp(w.at, "CPU", 3) != 0)
		return false;
	w.at += 3;
	w.len -= 3;
	if (!is_number(w, &n) || n >= MOST_CPUS)
		return false;
	*cpu = (unsigned int)n;
	return true;
}

int proc_irq_columns(const char *header, unsigned int **cpu, size_t *n)
{
	/* the shortest word is "CPU0 " */
	unsigned int *column = reallocarray(NULL, strlen(header) / 5 + 1, sizeof(*column));

	*cpu = NULL;
	*n = 0;
	if (!column)
		return -ENOMEM;
	for (;;) {
		struct word w = next_word(&header);

		if (!w.len && *n) {
			*cpu = column;
			return 0;
		}
		/* show_interrupts() goes through cpu_online_mask */
		if (!is_cpu(w, &column[*n]) || (*n && column[*n] <= column[*n - 1])) {
			free(column);
			*n = 0;
			return -EINVAL;
		}
		++*n;
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
	return (w.len == 5 && !strncasecmp(w.at, "level", 5)) ||
	       (w.len == 4 && !strncasecmp(w.at, "edge", 4));
}

/*
 * Behind the counts: chip, hwirq with or without the flow handler's name, a
 * column "Level" or "Edge" on some architectures, then the handlers' names up
 * to the end of the line. A line without hwirq begins its handlers after two
 * blanks.
 */
static int parse_tail(const char *p, struct proc_irq *out)
{
	struct word chip = next_word(&p), w;
	const char *mark = p;
	size_t len;

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
	return keep_words(out, chip, (struct word){ p, len });
}

/* An unsigned int, as show_interrupts() prints it: most of the time goes here. */
static bool take_count(const char **text, uint64_t *n)
{
	const char *p = *text + strspn(*text, " \t"), *digits = p;

	for (*n = 0; *p >= '0' && *p <= '9' && p - digits < 10; p++)
		*n = *n * 10 + (uint64_t)(*p - '0');
	*text = p;
	return p > digits && *n <= UINT32_MAX && (!*p || strchr(" \t\n", *p));
}

static int parse_counts(const char **line, struct irq_counts *c)
{
	c->source = HOST_IRQ_PROC;
	c->n = 0;
	for (size_t i = 0; i < c->columns; i++) {
		uint64_t n;

		if (!take_count(line, &n))
			return -EBADMSG;
		if (irq_counts_add(c, c->column[i], (uint32_t)n))
			return -ENOMEM;
	}
	return 0;
}

int proc_irq_parse(const char *line, struct proc_irq *p)
{
	const char *colon = strchr(line, ':');
	struct word w = next_word(&line);
	uint64_t n;
	int rc;

	if (!colon || w.at + w.len != colon + 1)
		return -EBADMSG;
	w.len--;
	if (!is_number(w, &n) || n > UINT_MAX)
		return -EBADMSG;
	p->irq = (unsigned int)n;
	p->hwirq = 0;
	rc = parse_counts(&line, &p->counts);
	return rc ? rc : parse_tail(line, p);
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

static int walk_lines(FILE *f, char *line, struct walk *k, struct proc_irq *p)
{
	int rc = 0;

	while (k->left && fgets(line, LINE_SIZE, f)) {
		bool whole = whole_line(f, line);
		int bad;

		if (!is_wanted(k, line))
			continue;
		bad = whole ? proc_irq_parse(line, p) : -EBADMSG;
		if (bad == -ENOMEM)
			return bad;
		/* A line that was asked for is there, and can't be told. */
		if (bad && k->wanted)
			rc = bad;
		if (bad)
			continue;
		k->left--;
		k->each(k->ctx, p);
	}
	return ferror(f) ? -EIO : rc;
}

static int walk(FILE *f, char *line, struct walk *k)
{
	struct proc_irq p = { 0 };
	unsigned int *column;
	int rc;

	errno = 0;
	if (!fgets(line, LINE_SIZE, f) || !whole_line(f, line))
		return ferror(f) && errno ? -errno : -EINVAL;
	rc = proc_irq_columns(line, &column, &p.counts.columns);
	if (rc)
		return rc;
	p.counts.column = column;
	rc = walk_lines(f, line, k, &p);
	proc_irq_free(&p);
	free(column);
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

int proc_irq_walk(const struct root *r, void (*each)(void *ctx, const struct proc_irq *p),
		  void *ctx)
{
	return open_and_walk(r, &(struct walk){ .left = SIZE_MAX, .each = each, .ctx = ctx });
}

int proc_irq_pick(const struct root *r, size_t n, bool (*wanted)(const void *ctx, unsigned int irq),
		  void (*each)(void *ctx, const struct proc_irq *p), void *ctx)
{
	return open_and_walk(
		r, &(struct walk){ .left = n, .wanted = wanted, .each = each, .ctx = ctx });
}

int proc_irq_missing(const struct root *r, const struct irq_counts *c)
{
	static const char *const file[] = { "present", "possible" };

	for (size_t i = 0; i < ARRAY_SIZE(file); i++) {
		char text[4096];

		if (root_text(r, text, sizeof(text), "sys/devices/system/cpu/%s", file[i]) > 0)
			return cpu_list_missing(text, c);
	}
	return -1;
}
