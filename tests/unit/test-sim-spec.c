// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* cmocka.h makes fail() a macro: our headers come first */
#include "sim/spec.h"
#include "base/util.h"

#include <cmocka.h>

#define EVERY_WORD                                                                                               \
	"sim:msix=64,msi=16; the words are msix=N msi=N noresize host=N fail-at=N nomask no-intx client-enable " \
	"latency=PERIOD drop=1/N seed=N"

static struct sim_spec parsed(const char *text)
{
	struct sim_spec s;
	struct error e = { .cause = CAUSE_NONE };

	memset(&s, 0xa5, sizeof(s));
	assert_int_equal(sim_spec_parse(text, &s, &e), 0);
	assert_int_equal(e.cause, CAUSE_NONE);
	return s;
}

static void nothing_said_is_the_default(void **state)
{
	static const char *const none[] = { NULL, "" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		struct sim_spec s = parsed(none[i]);

		assert_int_equal(s.msix, 64);
		assert_int_equal(s.msi, 16);
		assert_int_equal(s.host, 0);
		assert_int_equal(s.fail_at, UINT32_MAX);
		assert_int_equal(s.latency_us, 0);
		assert_int_equal(s.drop, 0);
		assert_int_equal(s.seed, 1);
		assert_false(s.noresize || s.nomask || s.no_intx || s.client_enable);
	}
}

static void every_word_sets_its_own(void **state)
{
	struct sim_spec s = parsed(
		"msix=2048,msi=32,noresize,host=7,fail-at=176,nomask,no-intx,client-enable,latency=20ms,drop=1/10,"
		"seed=0xffffffffffffffff");

	(void)state;
	assert_int_equal(s.msix, 2048);
	assert_int_equal(s.msi, 32);
	assert_true(s.noresize && s.nomask && s.no_intx && s.client_enable);
	assert_int_equal(s.host, 7);
	assert_int_equal(s.fail_at, 176);
	assert_int_equal(s.latency_us, 20000);
	assert_int_equal(s.drop, 10);
	assert_true(s.seed == UINT64_MAX);
}

static void words_change_the_default_one_by_one(void **state)
{
	struct sim_spec s = parsed("msix=0");

	(void)state;
	assert_int_equal(s.msix, 0);
	assert_int_equal(s.msi, 16);
	s = parsed("no-intx,msi=0");
	assert_int_equal(s.msix, 64);
	assert_int_equal(s.msi, 0);
	assert_true(s.no_intx);
	assert_false(s.noresize);
	assert_int_equal(parsed("fail-at=0").fail_at, 0);
}

static void refuses_with_a_sentence(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "msix=2049", "0 to 2048" },
		{ "msix=-1", "0 to 2048" },
		{ "msix=0x10", "0 to 2048" },
		{ "msix=", "0 to 2048" },
		{ "msix", "needs a value" },
		{ "msix=4=4", "0 to 2048" },
		{ "msi=3", "power of two" },
		{ "msi=33", "power of two" },
		{ "msi=64", "0 to 32" },
		{ "noresize=1", "takes no value" },
		{ "noresize=", "takes no value" },
		{ "host=0", "1 to 2048" },
		{ "drop=10", "drop=1/N" },
		{ "drop=1:5", "drop=1/N" },
		{ "drop=1/0", "drop=1/N" },
		{ "drop=2/3", "drop=1/N" },
		{ "drop=1/", "drop=1/N" },
		{ "drop=1/4294967296", "drop=1/N" },
		{ "seed=18446744073709551616", "seed=N" },
		{ "latency=fast", "not a period" },
		{ "latency=2d", "not a period" },
		{ "latency=86401s", "not a period" },
		{ "msix=4,msix=4", "said twice" },
		{ "noresize,nomask,noresize", "said twice" },
		{ ",", "no word" },
		{ "msix=4,", "missing" },
		{ ",msix=4", "no word" },
		{ "msix=4,,msi=2", "no word" },
		{ "MSIX=4", "no word" },
		{ "msix =4", "no word" },
		{ "msi x", "no word" },
		{ "norezise", "no word" },
		{ "noresizee", "no word" },
		{ "=4", "no word" },
		{ "msix=4;msi=2", "0 to 2048" },
		{ "\x1b[31m", "'\\x1b[31m'" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
		  "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab' is no word" },
		{ "msix=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
		  "aaaab' is not" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error e = { .cause = CAUSE_NONE };
		struct sim_spec s;

		if (sim_spec_parse(bad[i].text, &s, &e) != -EINVAL || e.cause != CAUSE_USAGE ||
		    !strstr(e.message, bad[i].says) || !e.hint[0])
			fail_msg("%s: cause %u, '%s', hint '%s'", bad[i].text, e.cause, e.message,
				 e.hint);
	}
}

/* The whole of what is said: a number's bounds, and what to type instead. */
static void says_what_to_type(void **state)
{
	static const struct {
		const char *text, *message, *hint;
	} row[] = {
		{ "msix=2049", "simulation: 'msix=2049' is not msix=N: N is 0 to 2048",
		  "msix=N: vectors in the MSI-X table, 0 to 2048; 0: no MSI-X" },
		{ "msi=64", "simulation: 'msi=64' is not msi=N: N is 0 or a power of two, 0 to 32",
		  "msi=N: MSI vectors, 0 or a power of two up to 32; 0: no MSI" },
		{ "host=0", "simulation: 'host=0' is not host=N: N is 1 to 2048",
		  "host=N: the platform grants N vectors; asking for more is answered with N" },
		{ "fail-at=2049", "simulation: 'fail-at=2049' is not fail-at=N: N is 0 to 2048",
		  "fail-at=N: attaching vector N or one above it fails with ENOSPC" },
		{ "drop=1/0", "simulation: 'drop=1/0' is not drop=1/N: N is 1 to 4294967295",
		  "drop=1/N: one of N device interrupts is lost, by chance" },
		{ "seed=x", "simulation: 'seed=x' is not seed=N: N is 0 to 18446744073709551615",
		  "seed=N: of that chance: the same seed loses the same ones" },
		{ "nonsense", "simulation: 'nonsense' is no word of a simulation", EVERY_WORD },
		{ "latency=2d",
		  "simulation: 'latency=2d' is not a period up to a day, such as 500us, 20ms or 1s",
		  EVERY_WORD },
		{ "msix=4,", "simulation: ',' ends the list, a word is missing", EVERY_WORD },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct error e = { .cause = CAUSE_NONE };
		struct sim_spec s;

		assert_int_equal(sim_spec_parse(row[i].text, &s, &e), -EINVAL);
		assert_int_equal(e.cause, CAUSE_USAGE);
		assert_int_equal(e.err, 0);
		assert_string_equal(e.message, row[i].message);
		assert_string_equal(e.hint, row[i].hint);
	}
}

/* Neighbours in the list of words are told apart, in each order. */
static void words_come_in_any_order(void **state)
{
	static const char *const word[] = { "msix=8",	  "msi=4",    "noresize", "host=3",
					    "fail-at=5",  "nomask",   "no-intx",  "client-enable",
					    "latency=1s", "drop=1/1", "seed=0" };
	char text[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(word); i++)
		for (size_t j = 0; j < ARRAY_SIZE(word); j++) {
			struct error e;
			struct sim_spec s;

			snprintf(text, sizeof(text), "%s,%s", word[i], word[j]);
			assert_int_equal(sim_spec_parse(text, &s, &e), i == j ? -EINVAL : 0);
			if (i == j)
				assert_non_null(strstr(e.message, "is said twice"));
		}
	assert_int_equal(parsed("msi=1").msi, 1);
	assert_int_equal(parsed("msi=0").msi, 0);
	assert_int_equal(parsed("seed=0").seed, 0);
	assert_int_equal(parsed("drop=1/4294967295").drop, UINT32_MAX);
	assert_int_equal(parsed("fail-at=2048,host=2048").host, 2048);
}

static void words_are_told(void **state)
{
	const char *word, *help;
	unsigned int n = 0;
	bool msix = false;

	(void)state;
	for (; (word = sim_spec_word_at(n, &help)); n++) {
		assert_non_null(help);
		assert_true(help[0]);
		msix = msix || strcmp(word, "msix=N") == 0;
		/* a flag is a whole SPEC */
		if (!strchr(word, '='))
			parsed(word);
	}
	assert_int_equal(n, 11);
	assert_true(msix);
	assert_null(sim_spec_word_at(UINT32_MAX, NULL));
	assert_non_null(sim_spec_word_at(0, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_said_is_the_default),
		cmocka_unit_test(every_word_sets_its_own),
		cmocka_unit_test(words_change_the_default_one_by_one),
		cmocka_unit_test(refuses_with_a_sentence),
		cmocka_unit_test(says_what_to_type),
		cmocka_unit_test(words_come_in_any_order),
		cmocka_unit_test(words_are_told),
	};

	return cmocka_run_group_tests_name("sim-spec", tests, NULL, NULL);
}
