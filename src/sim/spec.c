// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/spec.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/util.h"
#include "irq/vector-set.h"

/* PCI Local Bus 3.0, section 6.8.1.3: Multiple Message Capable encodes 1, 2, 4, 8, 16 or 32. */
#define MAX_MSI 32u

/* One word of SPEC: how it is written, what of struct sim_spec it sets and by which rule. */
struct word {
	const char *word, *help;
	size_t offset;
	enum {
		FLAG,
		NUMBER, /* unsigned int */
		WIDE,	/* uint64_t */
		CHANCE, /* "1/N" */
		PERIOD
	} form;
	uint64_t min, max; /* of a number */
	bool power_of_two; /* or 0 */
};

#define AT(field) offsetof(struct sim_spec, field)

static const struct word words[] = {
	{ "msix=N", "vectors in the MSI-X table, 0 to 2048; 0: no MSI-X", AT(msix), NUMBER,
	  .max = MAX_VECTORS },
	{ "msi=N", "MSI vectors, 0 or a power of two up to 32; 0: no MSI", AT(msi), NUMBER,
	  .max = MAX_MSI, .power_of_two = true },
	{ "noresize", "MSI-X can't grow while it is on, as before Linux 6.5", AT(noresize),
	  .form = FLAG },
	{ "host=N", "the platform grants N vectors; asking for more is answered with N", AT(host),
	  NUMBER, .min = 1, .max = MAX_VECTORS },
	{ "fail-at=N", "attaching vector N or one above it fails with ENOSPC", AT(fail_at), NUMBER,
	  .max = MAX_VECTORS },
	{ "nomask", "MSI without mask bits, an MSI-X table that can't be written", AT(nomask),
	  .form = FLAG },
	{ "no-intx", "no interrupt pin", AT(no_intx), .form = FLAG },
	{ "client-enable",
	  "Enable, masks, BAR addresses and memory decode are the client's, as with QEMU's server",
	  AT(client_enable), .form = FLAG },
	{ "latency=PERIOD", "from the doorbell to the signal, such as 500us or 20ms",
	  AT(latency_us), .form = PERIOD },
	{ "drop=1/N", "one of N device interrupts is lost, by chance", AT(drop), CHANCE, .min = 1,
	  .max = UINT32_MAX },
	{ "seed=N", "of that chance: the same seed loses the same ones", AT(seed), WIDE,
	  .max = UINT64_MAX },
};

/* "msix" of "msix=N". */
static size_t name_length(const char *word)
{
	return strcspn(word, "=");
}

static const struct word *find_word(const char *text)
{
	size_t n = name_length(text);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (name_length(words[i].word) == n && strncmp(words[i].word, text, n) == 0)
			return &words[i];
	return NULL;
}

static int bad(struct error *e, const char *text, const char *why)
{
	_cleanup_free_ char *safe = escape_text_dup(text);
	char all[256] = ""; /* of our own words */

	if (!safe)
		return fail_memory(e);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		append(all, sizeof(all), " %s", words[i].word);
	fail(e, CAUSE_USAGE, 0, "simulation: '%s' %s", safe, why);
	hint(e, "sim:msix=64,msi=16; the words are%s", all);
	return -EINVAL;
}

static int out_of_range(struct error *e, const struct word *w, const char *text)
{
	_cleanup_free_ char *safe = NULL;

	if (w->form == PERIOD)
		return bad(e, text, "is not a period up to a day, such as 500us, 20ms or 1s");
	safe = escape_text_dup(text);
	if (!safe)
		return fail_memory(e);
	fail(e, CAUSE_USAGE, 0, "simulation: '%s' is not %s: N is %s%llu to %llu", safe, w->word,
	     w->power_of_two ? "0 or a power of two, " : "", (unsigned long long)w->min,
	     (unsigned long long)w->max);
	hint(e, "%s: %s", w->word, w->help);
	return -EINVAL;
}

static void store_value(const struct word *w, struct sim_spec *spec, uint64_t value)
{
	char *at = (char *)spec + w->offset;

	if (w->form == FLAG)
		*(bool *)at = true;
	else if (w->form == NUMBER || w->form == CHANCE)
		*(unsigned int *)at = (unsigned int)value;
	else
		*(uint64_t *)at = value;
}

static int parse_value(const struct word *w, const char *value, uint64_t *n)
{
	int rc;

	if (w->form == PERIOD)
		return parse_period(value, n);
	if (w->form == CHANCE) {
		if (strncmp(value, "1/", 2) != 0)
			return -EINVAL;
		value += 2;
	}
	rc = parse_u64(value, w->form == WIDE ? 0 : 10, w->max, n);
	if (rc == 0 && (*n < w->min || (w->power_of_two && (*n & (*n - 1)))))
		rc = -ERANGE;
	return rc;
}

static int parse_word(const char *text, struct sim_spec *spec, uint32_t *seen, struct error *e)
{
	const struct word *w = find_word(text);
	const char *equals = strchr(text, '=');
	uint64_t value = 0;

	if (!w)
		return bad(e, text, "is no word of a simulation");
	if ((w->form == FLAG) != !equals)
		return bad(e, text, equals ? "takes no value" : "needs a value");
	if (*seen & 1u << (w - words))
		return bad(e, text, "is said twice");
	*seen |= 1u << (w - words);
	if (equals && parse_value(w, equals + 1, &value))
		return out_of_range(e, w, text);
	store_value(w, spec, value);
	return 0;
}

static int parse_words(const char *text, struct sim_spec *spec, struct error *e)
{
	uint32_t seen = 0;

	while (*text) {
		size_t n = strcspn(text, ",");
		_cleanup_free_ char *word = strndup(text, n);
		int rc;

		if (!word)
			return fail_memory(e);
		rc = parse_word(word, spec, &seen, e);
		if (rc)
			return rc;
		text += n;
		/* a comma promises one more word */
		if (*text && !*++text)
			return bad(e, ",", "ends the list, a word is missing");
	}
	return 0;
}

int sim_spec_parse(const char *text, struct sim_spec *spec, struct error *e)
{
	*spec = (struct sim_spec){ .msix = 64, .msi = 16, .fail_at = UINT32_MAX, .seed = 1 };
	return text ? parse_words(text, spec, e) : 0;
}

const char *sim_spec_word_at(unsigned int i, const char **help)
{
	if (i >= ARRAY_SIZE(words))
		return NULL;
	if (help)
		*help = words[i].help;
	return words[i].word;
}
