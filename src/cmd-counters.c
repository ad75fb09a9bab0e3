// SPDX-License-Identifier: GPL-2.0-or-later
/* counters */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "cmd-vectors.h"
#include "function.h"
#include "metrics.h"
#include "session.h"
#include "util.h"

enum {
	COUNTERS_METRICS
};

#define COLUMNS(host_is_extra)                                                                                         \
	(const struct column[])                                                                                        \
	{                                                                                                              \
		{ "INDEX", "index", CELL_TEXT, "intx, msi, msix, err or req", false },                                 \
			{ "VECTOR", "vector", CELL_NUMBER, "the number within the index", false },                     \
			{ "STATE", "state", CELL_TEXT, "none, allocated, armed or masked", false },                    \
			{ "IRQ", "irq", CELL_NUMBER, "the Linux IRQ", false },                                         \
			{ "COUNT", "count", CELL_NUMBER, "eventfd counts in a session, else interrupts", false },      \
			{ "HOST", "host", CELL_NUMBER, "interrupts that Linux counted, in a session", host_is_extra }, \
			{ "LOOPBACK", "loopback", CELL_NUMBER, "how many of COUNT were triggered here",                \
			  host_is_extra },                                                                             \
			{ "CHIP", "chip", CELL_TEXT, "the interrupt chip", true },                                     \
			{ "ACTION", "action", CELL_TEXT, "the handler's name", true },                                 \
			{ "AFFINITY", "affinity", CELL_TEXT, "CPUs wanted", true },                                    \
			{ "EFFECTIVE", "effective", CELL_TEXT, "CPUs in effect", true },                               \
			{ "BY", "masked_by", CELL_TEXT, "what masks it", true },                                       \
	}

static const struct table outside_table = { .array = "vectors", .column = COLUMNS(true), .n = 12 };
static const struct table inside_table = { .array = "vectors", .column = COLUMNS(false), .n = 12 };

/* Whose counters, and what is known of it. */
struct counted {
	struct function f;
	struct host_irqs host;
	struct vector_source src;
};

static int look_inside(struct session *s, struct counted *c, struct error *e)
{
	int rc = device_here(s->device, e);

	if (!rc && device_drain(s->device) == -EINTR)
		rc = session_stopped(s, e);
	c->f.caps = s->device->caps;
	return rc;
}

static int no_host_counts(const char *spec, struct error *e)
{
	int rc = fail(e, CAUSE_USAGE, 0, "only a PCI function of this host is counted by Linux");

	hint(e, "msictl run %s -c 'enable msix 1; counters'", spec);
	return rc;
}

static int look(struct session *s, const char *spec, struct counted *c, struct error *e)
{
	struct pci_addr addr;
	int rc = s->device ? look_inside(s, c, e) : 0;

	c->src = (struct vector_source){ .caps = &c->f.caps, .host = &c->host, .device = s->device };
	if (rc || (s->device && !s->device->has_addr))
		return rc;
	rc = session_address(s, s->device ? NULL : spec, &addr, e);
	if (rc)
		return backend_find(spec) ? no_host_counts(spec, e) : rc;
	rc = function_peek(&s->root, &addr, &c->f, e);
	if (rc)
		return rc;
	rc = host_irqs_read(&s->root, &addr, HOST_IRQ_AFFINITY, &c->host);
	return rc ? fail(e, cause_of_errno(-rc), -rc, "its Linux IRQs can't be read") : 0;
}

static bool wanted(const struct value *v, const struct vector_row *row)
{
	if (!v->given || v->word == VECTORS_ALL)
		return true;
	if (v->word == VECTORS_ARMED)
		return strcmp(row->state, "armed") == 0 || strcmp(row->state, "masked") == 0;
	return row->vector >= 0 && vector_set_has(&v->vectors, (unsigned int)row->vector);
}

/* A vector that the device does not have in any index is a mistake worth telling. */
static int check_range(const struct vector_source *src, const struct value *v, struct error *e)
{
	unsigned int most = 0, end = vector_set_end(&v->vectors);

	if (!v->given || v->word != VECTORS_LISTED || src->caps->problem != CAPS_OK)
		return 0;
	for (unsigned int i = IRQ_INTX; i <= IRQ_MSIX; i++) {
		unsigned int n = vector_capacity(src, i);

		most = n > most ? n : most;
	}
	if (end <= most)
		return 0;
	if (!most)
		return fail(e, CAUSE_USAGE, 0, "the device has no interrupt vectors");
	return fail(e, CAUSE_USAGE, 0, "the device has vectors 0-%u, %u is beyond", most - 1, end - 1);
}

/* Of vectors listed by number also those without an IRQ are told, in the index that is in use. */
static bool belongs(const struct vector_row *row, unsigned int in_use)
{
	return row->host || row->own || row->booked || in_use >> row->index & 1;
}

static unsigned int indexes_in_use(const struct vector_rows *rows)
{
	unsigned int in_use = 0;

	for (size_t i = 0; i < rows->n; i++)
		in_use |= (rows->row[i].host || rows->row[i].booked ? 1u : 0) << rows->row[i].index;
	return in_use;
}

static int tell(struct session *s, const struct value *v, struct counted *c, struct error *e)
{
	const struct vector_source *src = &c->src;
	bool by_number = v->given && v->word == VECTORS_LISTED;
	node *array = doc_array(out_doc(s->out), "vectors");
	struct vector_rows rows;
	unsigned int in_use;
	size_t shown = 0;

	if (vector_rows(src, by_number, &rows))
		return fail(e, CAUSE_FAILED, ENOMEM, "out of memory");
	in_use = indexes_in_use(&rows);
	for (size_t i = 0; i < rows.n; i++) {
		const struct vector_row *row = &rows.row[i];

		if (!wanted(v, row) || !belongs(row, in_use))
			continue;
		doc_vector_row(array, src, row);
		shown++;
	}
	free(rows.row);
	/* of 2048 vectors that is a MiB: not needed any more while the table is made */
	host_irqs_free(&c->host);
	if (!shown)
		out_note(s->out, s->device && !s->device->backend->host_irqs
					 ? "none of its vectors is armed"
					 : "no Linux IRQ: none of its vectors is in use");
	return out_table(s->out, s->device ? &inside_table : &outside_table)
		       ? fail(e, CAUSE_FAILED, ENOMEM, "out of memory")
		       : 0;
}

static void add_metrics(struct metrics *m, const char *device, const struct vector_source *src,
			const struct vector_row *row)
{
	struct reading r = { .index = row->index, .vector = row->vector };

	r.has_irq = row->host;
	r.irq = row->host ? row->host->irq : 0;
	r.counted = src->device ? row->own != NULL : row->host && row->host->counted;
	if (r.counted)
		r.count = src->device ? row->own->count : row->host->count;
	metrics_add(m, device, &r);
}

static int tell_metrics(struct session *s, const struct value *v, const struct counted *c, const char *device,
			struct error *e)
{
	struct vector_rows rows;
	struct metrics m;
	int rc = vector_rows(&c->src, false, &rows);

	if (!rc)
		rc = metrics_begin(&m);
	if (rc)
		return fail(e, CAUSE_FAILED, ENOMEM, "out of memory");
	for (size_t i = 0; i < rows.n; i++)
		if (wanted(v, &rows.row[i]))
			add_metrics(&m, device, &c->src, &rows.row[i]);
	free(rows.row);
	rc = metrics_end(&m);
	if (!rc)
		out_raw(s->out, false, m.text, m.size);
	metrics_free(&m);
	return rc ? fail(e, CAUSE_FAILED, ENOMEM, "out of memory") : 0;
}

static int run_counters(struct session *s, const struct args *a, struct error *e)
{
	_cleanup_free_ struct counted *c = NULL;
	char bdf[PCI_ADDR_LEN];
	int rc;

	if (a->option[COUNTERS_METRICS].given && out_is_json(s->out))
		return fail(e, CAUSE_USAGE, 0, "--openmetrics is a format of its own, --json is another");
	c = calloc(1, sizeof(*c));
	if (!c)
		return fail(e, CAUSE_FAILED, ENOMEM, "out of memory");
	rc = look(s, a->param[0].text, c, e);
	if (!rc)
		rc = check_range(&c->src, &a->param[1], e);
	if (!rc) {
		bool addressed = !s->device || s->device->has_addr;
		const char *device = addressed ? pci_addr_full(&c->f.addr, bdf) : s->device->spec;

		doc_text(out_doc(s->out), "device", device);
		rc = a->option[COUNTERS_METRICS].given ? tell_metrics(s, &a->param[1], c, device, e)
						       : tell(s, &a->param[1], c, e);
	}
	host_irqs_free(&c->host);
	return rc;
}

const struct command cmd_counters = {
	.word = "counters",
	.summary = "show the count of each vector now",
	.help = "Of a device of any driver, a running VM's included. COUNT is Linux' own counter of the IRQ, summed "
		"over "
		"all CPUs, since the IRQ was allocated. In a session COUNT is what the eventfds counted and HOST what "
		"Linux counted: loopback triggers, INTx signals repeated by an unmask, ERR and REQ are in the first "
		"only. While a VM gets posted interrupts, the host may count nothing.",
	.family = FAMILY_LOOK,
	.flags = CMD_HELD,
	.param = (const struct param[]){ { .kind = KIND_DEVICE }, { .kind = KIND_VECTORS, .optional = true } },
	.nparam = 2,
	.option =
		(const struct option[]){
			[COUNTERS_METRICS] = { "openmetrics", 0, KIND_FLAG, NULL, NULL,
					       "print a page in Prometheus' text format" },
		},
	.noption = 1,
	.table = &outside_table,
	.run = run_counters,
};
