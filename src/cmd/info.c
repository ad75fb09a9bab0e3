// SPDX-License-Identifier: GPL-2.0-or-later
/* info */
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "cmd/all.h"
#include "cmd/info.h"

#define CONFIG_SIZE 256 /* what every function has, and where both capabilities are */

enum {
	INFO_TABLE,
	INFO_ALL,
	INFO_NO_OPEN
};

static const struct table vector_table = {
	.array = "vectors",
	TABLE_COLUMNS({ "INDEX", "index", CELL_TEXT, "intx, msi, msix, err or req", false },
		      { "VECTOR", "vector", CELL_NUMBER, "the number within the index", false },
		      { "STATE", "state", CELL_TEXT, "none, allocated, armed, masked or unknown",
			false },
		      { "IRQ", "irq", CELL_NUMBER, "the Linux IRQ", false },
		      { "COUNT", "count", CELL_NUMBER,
			"eventfd counts in a session, else interrupts", false },
		      { "CHIP", "chip", CELL_TEXT, "the interrupt chip", false },
		      { "ACTION", "action", CELL_TEXT, "the handler's name", false },
		      { "AFFINITY", "affinity", CELL_TEXT, "CPUs wanted", false },
		      { "EFFECTIVE", "effective", CELL_TEXT, "CPUs in effect", false },
		      { "BY", "masked_by", CELL_TEXT, "what masks it", true },
		      { "MISSING", "cpus_missing", CELL_NUMBER,
			"CPUs whose interrupts are not in COUNT", true },
		      { "HOST", "host", CELL_NUMBER, "interrupts that Linux counted, in a session",
			true },
		      { "SOURCE", "source", CELL_TEXT,
			"what told of the IRQ: sysfs (/sys/kernel/irq) or proc (/proc/interrupts)",
			true }),
};

/* What the table leaves out, a line per index: "vectors of msix 8-64: none". */
static void none_lines(struct info *i, const struct vector_rows *rows)
{
	node *none = doc_object(out_doc(i->s->out), "none");
	char text[256];

	for (unsigned int x = IRQ_INTX; x <= IRQ_MSIX; x++) {
		if (vector_set_empty(&rows->none[x]))
			continue;
		vector_set_text(&rows->none[x], text, sizeof(text));
		doc_text(none, irq_index_word(x), text);
		out_text(i->s->out, "%s vectors %s: none", irq_index_word(x), text);
	}
}

/* Where another text than /sys/kernel/irq had to tell, or none does. */
static void source_lines(struct info *i)
{
	struct out *o = i->s->out;
	unsigned int proc = 0, unseen = 0, irqs;
	char text[256] = "", name[PCI_ADDR_LEN];
	int missing;

	for (size_t n = 0; n < i->host.n; n++) {
		proc += i->host.irq[n].source == HOST_IRQ_PROC;
		unseen += i->host.irq[n].source == HOST_IRQ_UNSEEN;
	}
	if (proc)
		out_note(
			o,
			"%u of %zu Linux IRQs have no folder in /sys/kernel/irq: /proc/interrupts tells of them",
			proc, i->host.n);
	if (unseen)
		out_note(
			o,
			"of %u of %zu Linux IRQs neither /sys/kernel/irq nor /proc/interrupts tells",
			unseen, i->host.n);
	irqs = host_irqs_partial(&i->host, &missing);
	partial_append(text, sizeof(text), pci_addr_short(&i->f.addr, name), irqs, missing);
	if (irqs)
		out_note(o, "%s", text);
}

/* Of 2048 vectors that is a MiB: not needed any more while tables are made. */
static void forget_host(struct info *i)
{
	for (size_t n = 0; n < i->host.n; n++) {
		if (i->host.irq[n].index == IRQ_MSIX && i->host.irq[n].vector >= 0)
			vector_set_add(&i->used, (unsigned int)i->host.irq[n].vector);
	}
	host_irqs_free(&i->host);
}

static int info_vectors(struct info *i, bool all)
{
	struct vector_source src = { .caps = &i->f.caps,
				     .host = &i->host,
				     .device = i->addressed ? i->s->device : i->device };
	node *array = doc_array(out_doc(i->s->out), "vectors");
	struct vector_rows rows;
	int rc = 0;

	if (vector_rows(&src, all, &rows))
		return -ENOMEM;
	for (size_t n = 0; n < rows.n; n++)
		doc_vector_row(array, &src, &rows.row[n]);
	free(rows.row);
	source_lines(i);
	forget_host(i);
	out_text(i->s->out, "%s", "");
	if (rows.n || out_is_json(i->s->out))
		rc = out_table(i->s->out, &vector_table);
	none_lines(i, &rows);
	return rc;
}

/*
 * What another back end than VFIO opens has no PCI address here: only the device itself can tell.
 */
static bool only_opened(const struct session *s, const char *spec)
{
	struct error ignored;
	struct pci_addr a;

	return pci_addr_parse(spec, &a, &ignored) && backend_find(s->backends, spec);
}

static int look_inside(struct info *i, struct error *e)
{
	struct session *s = i->s;
	int rc = device_here(s->device, e);

	if (!rc && device_drain(s->device) == -EINTR)
		rc = session_stopped(s, e);
	/* what was drained may have been its end */
	if (!rc)
		rc = device_here(s->device, e);
	i->device = s->device;
	i->addressed = s->device->has_addr;
	return rc;
}

static int look_opened(struct info *i, const char *spec, bool may_open, struct error *e)
{
	if (!may_open)
		return fail(e, CAUSE_USAGE, 0, "nothing can be told of it with --no-open");
	i->addressed = false;
	info_open(i, spec, true);
	if (i->device)
		return 0;
	*e = i->why;
	return e->err ? -e->err : -EINVAL;
}

/* The host first: opening a function changes what it says. */
static int look_at_host(struct info *i, const struct pci_addr *addr, struct error *e)
{
	int rc = function_peek(&i->s->root, addr, &i->f, e);

	if (rc)
		return rc;
	rc = host_irqs_read(&i->s->root, addr, HOST_IRQ_AFFINITY, &i->host);
	return rc ? fail(e, cause_of_errno(-rc), -rc, "its Linux IRQs can't be read") : 0;
}

/* As it is now, not as it was when the device was opened. */
static int read_config(struct info *i, struct error *e)
{
	struct device *d = i->device;
	ssize_t n = d->ops->region_read(d->handle, REGION_CONFIG, i->f.config, CONFIG_SIZE, 0);

	i->caps_source = d->backend->name;
	i->f.config_len = n > 0 ? (size_t)n : 0;
	caps_decode(i->f.config, i->f.config_len, &i->f.caps);
	return device_lost(d, "REGION_READ of config space", e);
}

static int look(struct info *i, const char *spec, bool may_open, struct error *e)
{
	struct pci_addr addr;
	int rc;

	i->addressed = true;
	if (i->s->device)
		rc = look_inside(i, e);
	else if (only_opened(i->s, spec))
		rc = look_opened(i, spec, may_open, e);
	else
		rc = 0;
	if (!rc && !i->addressed)
		rc = read_config(i, e);
	if (rc || !i->addressed)
		return rc;
	rc = session_address(i->s, i->device ? NULL : spec, &addr, e);
	if (!rc)
		rc = look_at_host(i, &addr, e);
	if (!rc && !i->device)
		info_open(i, spec, may_open);
	i->caps_source = "sysfs";
	i->caps_virtual = !rc && device_fill_caps(i->device, &i->f);
	if (i->caps_virtual)
		i->caps_source = i->device->backend->name;
	return rc;
}

static int tell(struct info *i, const struct args *a)
{
	bool all = a->option[INFO_ALL].given;
	int rc;

	info_function(i);
	info_capabilities(i);
	rc = info_indexes(i);
	if (!rc)
		rc = info_vectors(i, all);
	if (!rc && a->option[INFO_TABLE].given)
		rc = info_table(i, all);
	return rc;
}

static int run_info(struct session *s, const struct args *a, struct error *e)
{
	struct info *i = calloc(1, sizeof(*i));
	int rc;

	if (!i)
		return fail_memory(e);
	i->s = s;
	rc = look(i, a->param[0].text, !a->option[INFO_NO_OPEN].given, e);
	if (!rc && tell(i, a))
		rc = fail_memory(e);
	if (i->opened)
		device_close(i->device);
	host_irqs_free(&i->host);
	free(i);
	return rc;
}

const struct command cmd_info = {
	.word = "info",
	.summary = "show a function's capabilities, indexes and vectors",
	.help = "An idle function on vfio-pci is opened for a moment, so that VFIO can tell of its five indexes; "
		"the kernel resets a function when it is opened. Any other is only looked at. "
		"NORESIZE in an index's flags means that vectors can't be added while some are armed.\n"
		"--table reads the MSI-X table and the pending bits: "
		"through VFIO where the function was opened, else as root through sysfs, and never with memory decode off or below D0.",
	.family = FAMILY_LOOK,
	.flags = CMD_HELD,
	COMMAND_PARAMS({ .type = ARG_DEVICE }),
	COMMAND_OPTIONS([INFO_TABLE] = { "table", 0, ARG_FLAG, NULL, NULL,
					 "the MSI-X table and pending bits too" },
			[INFO_ALL] = { "all", 'a', ARG_FLAG, NULL, NULL,
				       "vectors without a Linux IRQ too" },
			[INFO_NO_OPEN] = { "no-open", 0, ARG_FLAG, NULL, NULL,
					   "do not open an idle function" }),
	.table = &vector_table,
	.run = run_info,
};
