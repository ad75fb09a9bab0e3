// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/arg-type.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "device/backend.h"
#include "irq/index.h"
#include "sim/spec.h"

/* How much of a wrong word a sentence repeats. */
#define QUOTED 64

#define MAX_RATE 1000000u

struct known_word {
	const char *word, *help;
	uint64_t number;
};

static const struct known_word regions[] = {
	{ "bar0", "base address register 0", REGION_BAR0 },
	{ "bar1", "base address register 1", REGION_BAR0 + 1 },
	{ "bar2", "base address register 2", REGION_BAR0 + 2 },
	{ "bar3", "base address register 3", REGION_BAR0 + 3 },
	{ "bar4", "base address register 4", REGION_BAR0 + 4 },
	{ "bar5", "base address register 5", REGION_BAR5 },
	{ "rom", "expansion ROM", REGION_ROM },
	{ "config", "configuration space", REGION_CONFIG },
	{ "vga", "VGA window", REGION_VGA },
	{ NULL, NULL, 0 },
};

/* setpci(8)'s letters, and q. */
static const struct known_word widths[] = {
	{ "b", "1 byte", 1 },  { "w", "2 bytes", 2 }, { "l", "4 bytes", 4 },
	{ "q", "8 bytes", 8 }, { NULL, NULL, 0 },
};

static const struct known_word vector_words[] = {
	{ "all", "every vector, or every armed one where only those will do", 0 },
	{ "armed", "vectors with an eventfd", 0 },
	{ NULL, NULL, 0 },
};

static const struct known_word amount_words[] = {
	{ "none", "the index on, no vector armed", 0 },
	{ "all", "every vector that the device offers", 0 },
	{ NULL, NULL, 0 },
};

/* Besides the functions of this host. */
static const struct known_word device_words[] = {
	{ "sim", "a simulated function, sim:SPEC", 0 },
	{ NULL, NULL, 0 },
};

static int parse_known(const struct known_word *w, const char *text, struct value *v)
{
	for (; w->word; w++) {
		if (strcmp(w->word, text) != 0)
			continue;
		v->number = w->number;
		return 0;
	}
	return -EINVAL;
}

static int parse_text(const char *choices, const char *text, struct value *v)
{
	(void)choices;
	(void)v;
	return *text ? 0 : -EINVAL;
}

static int parse_any(const char *choices, const char *text, struct value *v)
{
	(void)choices;
	(void)text;
	(void)v;
	return 0;
}

static int parse_index(const char *choices, const char *text, struct value *v)
{
	(void)choices;
	return irq_index_parse(text, &v->index);
}

static int parse_vectors(const char *choices, const char *text, struct value *v)
{
	(void)choices;
	return vector_set_parse(text, &v->word, &v->vectors);
}

/* A plain number counts vectors; to name vector 3 alone in an amount, one writes 3-3. */
static int parse_amount(const char *choices, const char *text, struct value *v)
{
	int rc;

	if (!strcmp(text, "none")) {
		v->amount = AMOUNT_NONE;
		return 0;
	}
	rc = parse_u64(text, 10, MAX_VECTORS, &v->number);
	if (rc != -EINVAL) {
		v->amount = AMOUNT_COUNT;
		return rc;
	}
	v->amount = AMOUNT_VECTORS;
	return parse_vectors(choices, text, v);
}

static int parse_count(const char *choices, const char *text, struct value *v)
{
	(void)choices;
	return parse_u64(text, 10, UINT32_MAX, &v->number);
}

static int parse_region(const char *choices, const char *text, struct value *v)
{
	(void)choices;
	return parse_known(regions, text, v);
}

static int parse_width(const char *choices, const char *text, struct value *v)
{
	(void)choices;
	return parse_known(widths, text, v);
}

static int parse_number(const char *choices, const char *text, struct value *v)
{
	(void)choices;
	return parse_u64(text, 0, UINT64_MAX, &v->number);
}

static int parse_time(const char *choices, const char *text, struct value *v)
{
	(void)choices;
	return parse_period(text, &v->number);
}

static int parse_rate(const char *choices, const char *text, struct value *v)
{
	int rc = parse_u64(text, 10, MAX_RATE, &v->number);

	(void)choices;
	return !rc && !v->number ? -ERANGE : rc;
}

static int parse_choice(const char *choices, const char *text, struct value *v)
{
	size_t len = strlen(text);

	v->number = 0;
	for (const char *c = choices; c; v->number++) {
		size_t n = strcspn(c, "|");

		if (n == len && !strncmp(c, text, n))
			return 0;
		c = c[n] ? c + n + 1 : NULL;
	}
	return -EINVAL;
}

static const struct arg_type_row {
	const char *name;
	int (*parse)(const char *choices, const char *text, struct value *v);
	const char *wanted; /* completes "... is no NAME: " */
	const char *range;  /* completes it for -ERANGE */
	const struct known_word *known;
} kinds[] = {
	[ARG_FLAG] = { "", parse_any, "", NULL, NULL },
	[ARG_DEVICE] = { "DEVICE", parse_text, "a PCI address such as 01:00.0 is wanted", NULL,
			 device_words },
	[ARG_INDEX] = { "INDEX", parse_index, "intx, msi, msix, err or req is wanted", NULL, NULL },
	[ARG_VECTORS] = { "VECTORS", parse_vectors,
			  "numbers and ranges such as 0-3,7, or all, or armed are wanted",
			  "vectors are 0 to 2047 and a range runs upwards", vector_words },
	[ARG_AMOUNT] = { "COUNT|VECTORS|none", parse_amount,
			 "a count, vectors such as 0-3,7, or all, or none is wanted",
			 "a function has 2048 vectors at most, numbered 0 to 2047, and a range runs upwards",
			 amount_words },
	[ARG_COUNT] = { "COUNT", parse_count, "a decimal number is wanted",
			"it is above 4294967295", NULL },
	[ARG_REGION] = { "REGION", parse_region, "bar0 to bar5, rom, config or vga is wanted", NULL,
			 regions },
	[ARG_OFFSET] = { "OFFSET", parse_number, "bytes are wanted, decimal or 0x...",
			 "it has more than 64 bits", NULL },
	[ARG_WIDTH] = { "b|w|l|q", parse_width, "b, w, l or q (1, 2, 4 or 8 bytes) is wanted", NULL,
			widths },
	[ARG_VALUE] = { "VALUE", parse_number, "a number is wanted, decimal or 0x...",
			"it has more than 64 bits", NULL },
	[ARG_PERIOD] = { "TIME", parse_time, "500ms, 2s, 1m or plain seconds are wanted",
			 "it is above 24 hours", NULL },
	[ARG_RATE] = { "HZ", parse_rate, "a decimal number per second is wanted",
		       "a rate is 1 to 1000000 per second", NULL },
	[ARG_CHOICE] = { NULL, parse_choice, NULL, NULL, NULL },
	[ARG_FILE] = { "FILE", parse_text, "a file name is wanted", NULL, NULL },
	[ARG_SPEC] = { "SPEC", parse_any, "", NULL, NULL },
	[ARG_TEXT] = { "TEXT", parse_any, "", NULL, NULL },
	[ARG_COMMAND] = { "COMMAND", parse_any, "", NULL, NULL },
	[ARG_COLUMNS] = { "LIST", parse_any, "", NULL, NULL },
};

const char *arg_type_name(enum arg_type type, const char *name, const char *choices)
{
	if (name)
		return name;
	return kinds[type].name ? kinds[type].name : choices;
}

int arg_type_parse(enum arg_type type, const char *choices, const char *label, const char *text,
		   struct value *v, struct error *e)
{
	const struct arg_type_row *k = &kinds[type];
	int rc = k->parse(choices, text, v);

	if (!rc) {
		v->given = true;
		v->text = text;
		return 0;
	}
	if (rc == -ERANGE && k->range)
		return fail(e, CAUSE_USAGE, 0, "%s: \"%.*s\" is out of range: %s", label, QUOTED,
			    text, k->range);
	if (k->wanted)
		return fail(e, CAUSE_USAGE, 0, "%s: \"%.*s\" is not understood: %s", label, QUOTED,
			    text, k->wanted);
	return fail(e, CAUSE_USAGE, 0, "%s: \"%.*s\" is none of %s", label, QUOTED, text, choices);
}

static void add_choices(const char *choices,
			void (*add)(void *to, const char *word, const char *help), void *to)
{
	for (const char *c = choices; c;) {
		size_t n = strcspn(c, "|");
		char word[32];

		copy_text(word, n < sizeof(word) ? n + 1 : sizeof(word), c);
		add(to, word, NULL);
		c = c[n] ? c + n + 1 : NULL;
	}
}

/* "msix=N" is offered as "msix=": what comes behind is the user's. */
static void add_spec(void (*add)(void *to, const char *word, const char *help), void *to)
{
	const char *whole, *help;

	for (unsigned int i = 0; (whole = sim_spec_word_at(i, &help)); i++) {
		size_t n = strcspn(whole, "=");
		char word[32];

		n += whole[n] == '=';
		copy_text(word, n < sizeof(word) ? n + 1 : sizeof(word), whole);
		add(to, word, help);
	}
}

void arg_type_words(enum arg_type type, const char *choices,
		    void (*add)(void *to, const char *word, const char *help), void *to)
{
	for (const struct known_word *w = kinds[type].known; w && w->word; w++)
		add(to, w->word, w->help);
	if (type == ARG_INDEX)
		for (int i = 0; i < NR_IRQ_INDEX; i++)
			add(to, irq_index_word((enum irq_index)i), NULL);
	if (type == ARG_CHOICE)
		add_choices(choices, add, to);
	if (type == ARG_SPEC)
		add_spec(add, to);
}

bool arg_type_is_list(enum arg_type type)
{
	return type == ARG_VECTORS || type == ARG_AMOUNT || type == ARG_COLUMNS || type == ARG_SPEC;
}
