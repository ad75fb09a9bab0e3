// SPDX-License-Identifier: GPL-2.0-or-later
/* Notes on a change, as they arrive on stderr. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "device-model.h"
#include "cli/report.h"
#include "base/util.h"
#include "device-facts.h"

/* Behind base/error.h: it makes a macro of fail(). */
#include <cmocka.h>

static const struct device_ops fake = { KERNEL_FACTS };

/* Returns what report_change() notes about the device @spec; the caller frees the text. */
static char *notes_of(const char *spec, const struct change *c)
{
	static const unsigned int count[NR_IRQ_INDEX] = { 1, 8, 8, 1, 1 };
	struct device d = { .ops = &fake, .trace = &(struct trace){ 0 }, .peer = { .fd = -1 } };
	char *text = NULL, *data = NULL, *word = strdup(spec);
	size_t size, data_size;
	FILE *notes = open_memstream(&text, &size), *lines = open_memstream(&data, &data_size);
	struct out *o;

	assert_true(notes && lines && word);
	d.spec = d.name = word;
	assert_int_equal(loop_new(&d.loop), 0);
	d.ready = device_vector_ready;
	model_indexes(&d, count, IRQ_EVENTFD);
	assert_int_equal(out_new(&o, &(struct out_options){ 0 }), 0);
	out_set_streams(o, lines, notes);
	report_change(o, &d, IRQ_MSIX, "enable", c);
	out_free(o);
	fclose(notes);
	fclose(lines);
	model_free(&d);
	free(data);
	free(word);
	return text;
}

/* The hint is a command line that works as it stands. */
static void unknown_vectors_name_the_device(void **state)
{
	struct change c = { 0 };
	char *text;

	(void)state;
	vector_set_add_range(&c.unknown, 2, 3);
	text = notes_of("04:00.0", &c);
	assert_non_null(strstr(text, "2-4 are taken to be armed as before"));
	assert_non_null(
		strstr(text, "hint: msictl info 04:00.0   shows what the host tells now\n"));
	free(text);
	/* the reason is told, and a name is quoted as a shell wants it */
	c.unread = EMFILE;
	text = notes_of("vfio-user:/tmp/a b", &c);
	assert_non_null(strstr(text, "can't be read (EMFILE): 2-4 are taken"));
	assert_non_null(strstr(text, "hint: msictl info 'vfio-user:/tmp/a b'   shows"));
	free(text);
	text = notes_of("04:00.0", &(struct change){ 0 });
	assert_null(strstr(text, "hint"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(unknown_vectors_name_the_device) };

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
