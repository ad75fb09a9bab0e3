// SPDX-License-Identifier: GPL-2.0-or-later
/* counters */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/arg-type.h"
#include "cli/session.h"
#include "cmd/all.h"
#include "cmd/vectors.h"
#include "cmd/watch.h"
#include "host/function.h"
#include "host/posted.h"

enum {
	COUNTERS_METRICS
};

#define COLUMNS(host_is_extra)                                                                        \
	(const struct column[])                                                                       \
	{                                                                                             \
		{ "INDEX", "index", CELL_TEXT, "intx, msi, msix, err or req", false },                \
			{ "VECTOR", "vector", CELL_NUMBER, "the number within the index", false },    \
			{ "STATE", "state", CELL_TEXT,                                                \
			  "none, allocated, armed, masked or unknown", false },                       \
			{ "IRQ", "irq", CELL_NUMBER, "the Linux IRQ", false },                        \
			{ "COUNT", "count", CELL_NUMBER,                                              \
			  "eventfd counts in a session, else interrupts", false },                    \
			{ "HOST", "host", CELL_NUMBER,                                                \
			  "interrupts that Linux counted, in a session", host_is_extra },             \
			{ "LOOPBACK", "loopback", CELL_NUMBER,                                        \
			  "how many of COUNT were triggered here", host_is_extra },                   \
			{ "CHIP", "chip", CELL_TEXT, "the interrupt chip", true },                    \
			{ "ACTION", "action", CELL_TEXT, "the handler's name", true },                \
			{ "AFFINITY", "affinity", CELL_TEXT, "CPUs wanted", true },                   \
			{ "EFFECTIVE", "effective", CELL_TEXT, "CPUs in effect", true },              \
			{ "BY", "masked_by", CELL_TEXT, "what masks it", true },                      \
			{ "MISSING", "cpus_missing", CELL_NUMBER,                                     \
			  "CPUs whose interrupts are not in the count", true },                       \
			{ "SOURCE", "source", CELL_TEXT,                                              \
			  "what told of the IRQ: sysfs (/sys/kernel/irq) or proc (/proc/interrupts)", \
			  true },                                                                     \
	}

static const struct table outside_table = { .array = "vectors", .column = COLUMNS(true), .n = 14 };
static const struct table inside_table = { .array = "vectors", .column = COLUMNS(false), .n = 14 };

/* Whose counters, and what is known of it. */
struct counted {
	struct function f;
	struct host_irqs host;
	struct vector_source src;
};

static int drain(struct session *s, struct error *e)
{
	int rc = device_here(s->device, e);

	if (!rc && device_drain(s->device) == -EINTR)
		rc = session_stopped(s, e);
	return rc;
}

static int look_inside(struct session *s, struct counted *c, struct error *e)
{
	int rc = drain(s, e);

	c->f.caps = s->device->caps;
	return rc;
}

static int no_host_counts(const char *spec, struct error *e)
{
	_cleanup_free_ char *word = quote_word_dup(spec);
	int rc = fail(e, CAUSE_USAGE, 0, "only a PCI function of this host is counted by Linux");

	hint(e, "msictl run %s -c 'enable msix 1; counters'", word ? word : spec);
	return rc;
}

static int look(struct session *s, const char *spec, struct counted *c, struct error *e)
{
	struct pci_addr addr;
	int rc = s->device ? look_inside(s, c, e) : 0;

	c->src =
		(struct vector_source){ .caps = &c->f.caps, .host = &c->host, .device = s->device };
	if (rc || (s->device && !s->device->has_addr))
		return rc;
	rc = session_address(s, s->device ? NULL : spec, &addr, e);
	if (rc)
		return backend_find(s->backends, spec) ? no_host_counts(spec, e) : rc;
	rc = function_peek(&s->root, &addr, &c->f, e);
	if (rc)
		return rc;
	device_fill_caps(s->device, &c->f);
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

/* Of vectors listed by number also those without an IRQ are told, in the index that is in use. */
static bool belongs(const struct vector_row *row, unsigned int in_use)
{
	return row->host || row->own || row->committed || in_use >> row->index & 1;
}

static unsigned int indexes_in_use(const struct vector_rows *rows)
{
	unsigned int in_use = 0;

	for (size_t i = 0; i < rows->n; i++)
		in_use |= (rows->row[i].host || rows->row[i].committed ? 1u : 0)
			  << rows->row[i].index;
	return in_use;
}

/* A sum that has come to its end would pass for a vector that is quiet. */
static void tell_saturated(struct out *o, const struct vector_rows *rows)
{
	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++) {
		struct vector_set full = { .bits = { 0 } };
		char text[VECTOR_SET_ROOM];

		for (size_t k = 0; k < rows->n; k++)
			if (rows->row[k].index == i && rows->row[k].own &&
			    rows->row[k].own->saturated)
				vector_set_add(&full, rows->row[k].own->number);
		if (!vector_set_empty(&full))
			out_note(
				o,
				"%s %s: more was signalled than a count of 64 bits holds, it stays at %" PRIu64,
				irq_index_word(i), vector_set_text(&full, text, sizeof(text)),
				COUNT_END);
	}
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
		return fail_memory(e);
	in_use = indexes_in_use(&rows);
	for (size_t i = 0; i < rows.n; i++) {
		const struct vector_row *row = &rows.row[i];

		if (!wanted(v, row) || !belongs(row, in_use))
			continue;
		doc_vector_row(array, src, row);
		shown++;
	}
	tell_saturated(s->out, &rows);
	free(rows.row);
	/* of 2048 vectors that is a MiB: not needed any more while the table is made */
	host_irqs_free(&c->host);
	if (!shown)
		out_note(s->out, s->device && !s->device->ops->host_irqs
					 ? "none of its vectors is armed"
					 : "no Linux IRQ: none of its vectors is in use");
	return out_table(s->out, s->device ? &inside_table : &outside_table) ? fail_memory(e) : 0;
}

static int usage_hint(struct error *e)
{
	char text[256];

	hint(e, "usage: msictl %s", command_usage(&cmd_counters, false, text, sizeof(text)));
	return -EINVAL;
}

/* Several DEVICEs, or none, are for a page alone. */
static int take_words(const struct session *s, const struct args *a, struct value *v,
		      struct error *e)
{
	*v = a->param[1];
	if (s->device)
		return 0;
	if (!a->param[0].given)
		fail(e, CAUSE_USAGE, 0,
		     "DEVICE is missing, which only --openmetrics can do without");
	else if (a->nrest > 1)
		fail(e, CAUSE_USAGE, 0, "one word too many: \"%s\"", a->rest[1]);
	else if (!a->nrest || !arg_type_parse(ARG_VECTORS, NULL, "VECTORS", a->rest[0], v, e))
		return 0;
	return usage_hint(e);
}

static int tell_metrics(struct session *s, const struct args *a, struct error *e)
{
	int rc = 0;

	if (out_is_json(s->out))
		return fail(e, CAUSE_USAGE, 0,
			    "--openmetrics is a format of its own, --json is another");
	if (s->device)
		rc = drain(s, e);
	return rc ? rc : watch_print_metrics(s, a, e);
}

/* What Linux counts of a VM's device may be less than what came. */
static void tell_posted(struct session *s, const struct counted *c)
{
	struct group_use use = { .group = c->f.group };
	char text[256] = "", name[PCI_ADDR_LEN];
	struct posted p = { 0 };
	bool in_use = false;
	int rc;

	for (size_t i = 0; i < c->host.n; i++)
		in_use = in_use || c->host.irq[i].armed;
	if (driver_is_vfio(c->f.driver) && c->f.group >= 0) {
		rc = group_holders(&s->root, &use, 1);
		p = posted_judge(&use.by, rc < 0, in_use);
	}
	doc_posted(out_doc(s->out), &p);
	if (!p.possible)
		return;
	posted_append(text, sizeof(text), pci_addr_short(&c->f.addr, name), &p);
	out_note(s->out, "msictl: %s: " POSTED_MEANS, text);
}

/* What Linux counts on CPUs that are offline is not in /proc/interrupts. */
static void tell_partial(struct session *s, const struct counted *c)
{
	char text[256] = "", name[PCI_ADDR_LEN];
	unsigned int irqs;
	int missing;

	irqs = host_irqs_partial(&c->host, &missing);
	partial_append(text, sizeof(text), pci_addr_short(&c->f.addr, name), irqs, missing);
	if (irqs)
		out_note(s->out, "msictl: %s", text);
}

static int tell_all(struct session *s, const struct value *v, struct counted *c, struct error *e)
{
	bool addressed = !s->device || s->device->has_addr;
	char bdf[PCI_ADDR_LEN];

	doc_text(out_doc(s->out), "device",
		 addressed ? pci_addr_full(&c->f.addr, bdf) : s->device->spec);
	if (!s->device)
		tell_posted(s, c);
	tell_partial(s, c);
	return tell(s, v, c, e);
}

static int run_counters(struct session *s, const struct args *a, struct error *e)
{
	_cleanup_free_ struct counted *c = NULL;
	struct value v;
	int rc;

	if (a->option[COUNTERS_METRICS].given)
		return tell_metrics(s, a, e);
	rc = take_words(s, a, &v, e);
	if (rc)
		return rc;
	c = calloc(1, sizeof(*c));
	if (!c)
		return fail_memory(e);
	rc = look(s, a->param[0].text, c, e);
	if (!rc)
		rc = vectors_within(&v, vectors_most(&c->src), "the device has", e);
	if (!rc)
		rc = tell_all(s, &v, c, e);
	host_irqs_free(&c->host);
	return rc;
}

const struct command cmd_counters = {
	.word = "counters",
	.summary = "show the count of each vector now",
	.help = "Of a device of any driver, a running VM's included. COUNT is Linux' own counter of the IRQ, summed "
		"over "
		"all CPUs, since the IRQ was allocated; where only /proc/interrupts tells, CPUs that are offline are "
		"left out, "
		"which is said. In a session COUNT is what the eventfds counted and HOST what "
		"Linux counted: loopback triggers, INTx signals repeated by an unmask, ERR and REQ are in the first "
		"only. A count that a peer drove to the end of 64 bits stays there, which is said. Interrupts that are "
		"posted to a VM bypass the host, which may count none: of a device that "
		"another "
		"program holds through VFIO it is said who that is.\n"
		"With --openmetrics it may be several DEVICEs, or all functions that have vectors; a label says "
		"whether "
		"Linux counted or the eventfds of a device that is held.\n"
		"    msictl counters --openmetrics >/var/lib/prometheus/node-exporter/msictl.prom",
	.family = FAMILY_LOOK,
	.flags = CMD_HELD,
	COMMAND_PARAMS({ .type = ARG_DEVICE, .optional = true, .many = true },
		       { .type = ARG_VECTORS, .optional = true }),
	COMMAND_OPTIONS([COUNTERS_METRICS] = { "openmetrics", 0, ARG_FLAG, NULL, NULL,
					       "print a page in Prometheus' text format" }),
	.table = &outside_table,
	.run = run_counters,
};
