// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/report.h"
#include "cli/vectors.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/util.h"
#include "host/function.h"

/*
 * As config space has them now, not as VFIO virtualises them; what a peer serves it does not
 * virtualise. *source: what told.
 */
static bool real_caps(const struct device *d, struct pci_caps *caps, const char **source)
{
	_cleanup_free_ struct function *f = NULL;
	struct error ignored;
	uint8_t raw[256];
	ssize_t n;

	if (!d->has_addr) {
		n = d->ops->region_read(d->handle, REGION_CONFIG, raw, sizeof(raw), 0);
		caps_decode(raw, n > 0 ? (size_t)n : 0, caps);
		*source = d->backend->name;
		return n > 0;
	}
	if (!d->root->live)
		return false;
	f = calloc(1, sizeof(*f));
	if (!f || function_read(d->root, &d->addr, f, &ignored))
		return false;
	*source = "sysfs";
	if (device_fill_caps(d, f)) {
		*source = d->backend->name;
		/* MSI's Enable is virtual there; MSI-X's is the device's. */
		f->caps.has_msi = false;
	}
	*caps = f->caps;
	return true;
}

/* The device's own word: Message Control. */
static bool real_control(const struct device *d, enum irq_index index, uint16_t *control,
			 bool *enabled, const char **source)
{
	struct pci_caps caps;

	if (!d->handle || d->trace->dry_run || (index != IRQ_MSI && index != IRQ_MSIX) ||
	    !real_caps(d, &caps, source))
		return false;
	if (index == IRQ_MSI && caps.has_msi) {
		*control = caps.msi.control;
		*enabled = caps.msi.enabled;
		return true;
	}
	*control = caps.msix.control;
	*enabled = caps.msix.enabled;
	return index == IRQ_MSIX && caps.has_msix;
}

static void add_set(char *line, size_t size, const char *what, const struct vector_set *s)
{
	char text[96];

	if (!vector_set_empty(s))
		append(line, size, ", %s %s", what, vector_set_text(s, text, sizeof(text)));
}

/* Before what is said of a dry run. */
static const char *would(const struct device *d)
{
	return d->trace->dry_run ? "would be " : "";
}

/* Whether it is over, and was made at all. */
static bool blind_known(const struct device *d, const struct change *c)
{
	return vector_set_empty(&c->off) && !d->trace->dry_run;
}

static void text_rebuild(struct out *o, const struct device *d, enum irq_index index,
			 const struct change *c)
{
	const char *word = irq_index_word(index);
	char live[96], off[96];

	vector_set_text(&c->live_before, live, sizeof(live));
	vector_set_text(&c->off, off, sizeof(off));
	if (d->trace->dry_run)
		out_text(o, "%s: would be rebuilt, which blinds what is live: %s", word, live);
	else if (!blind_known(d, c))
		out_text(o, "%s: the rebuild failed, off until armed again: %s; live before: %s",
			 word, off, live);
	else
		out_text(o, "%s: %s, blind for %" PRIu64 " us; live before: %s", word,
			 vector_set_empty(&c->dropped) ? "rebuilt"
						       : "the rebuild failed and was repaired",
			 c->blind_us, live);
}

static void text_change(struct out *o, const struct device *d, enum irq_index index,
			const struct change *c)
{
	const struct index *ix = &d->irq[index];
	struct vector_set armed = device_armed(d, index), masked = device_masked(d, index);
	char line[512], dropped[32];

	if (!ix->enabled)
		snprintf(line, sizeof(line), "%s: %soff", irq_index_word(index), would(d));
	else
		snprintf(line, sizeof(line), "%s: %s%u armed of %u", irq_index_word(index),
			 would(d), vector_set_count(&armed), ix->info.count);
	add_set(line, sizeof(line), "not armed in the device", &c->empty);
	add_set(line, sizeof(line), "added", &c->added);
	add_set(line, sizeof(line), "released", &c->removed);
	if (!c->rebuilt)
		add_set(line, sizeof(line), c->calls ? "untouched" : "already", &c->kept);
	add_set(line, sizeof(line), "masked", &masked);
	snprintf(dropped, sizeof(dropped), "dropped by the %s", d->ops->keeper);
	add_set(line, sizeof(line), dropped, &c->dropped);
	add_set(line, sizeof(line), "armed again", &c->repaired);
	add_set(line, sizeof(line), "state unknown", &c->unknown);
	if (d->trace->dry_run)
		out_text(o, "%s   (%u SET_IRQS, not made)", line, c->calls);
	else
		out_text(o, "%s   (%u SET_IRQS, %" PRIu64 " us)", line, c->calls, c->us);
	if (c->rebuilt)
		text_rebuild(o, d, index, c);
}

/* An absence is no word of the host: what is taken for armed on that ground is told. */
static void note_unknown(struct out *o, const struct device *d, enum irq_index index,
			 const struct change *c)
{
	_cleanup_free_ char *device = quote_word_dup(d->spec);
	const char *word = irq_index_word(index);
	char text[96], number[16];

	if (vector_set_empty(&c->unknown))
		return;
	vector_set_text(&c->unknown, text, sizeof(text));
	if (c->unread)
		out_note(
			o,
			"%s: the host's Linux IRQs can't be read (%s): %s are taken to be armed as before",
			word, errno_name(c->unread, number), text);
	else
		out_note(
			o,
			"%s: neither /sys/kernel/irq nor /proc/interrupts tells of all Linux IRQs of the device: %s "
			"are taken to be armed as before",
			word, text);
	out_note(o, "hint: msictl info %s   shows what the host tells now",
		 device ? device : d->spec);
}

/* The commands that arm in the device what stands empty there. */
static void hint_rearm(struct out *o, struct device *d)
{
	struct vector_set armed = device_armed(d, IRQ_MSIX);
	struct error asleep;
	char text[VECTOR_SET_ROOM];

	vector_set_operand(&armed, text, sizeof(text));
	if (device_awake(d, IRQ_MSIX, &asleep))
		out_note(o, "hint: disable msix; %s; enable msix %s", asleep.hint, text);
	else
		out_note(o, "hint: disable msix; enable msix %s", text);
}

/* What the kernel answered and what stands in the device's table are two things. */
static void note_entries(struct out *o, struct device *d, const struct change *c)
{
	struct error why;
	char text[96];

	if (!vector_set_empty(&c->empty))
		out_note(
			o,
			"warning: msix %s: the kernel says armed, but the entries in the device's MSI-X table are "
			"empty, so the device can't send them",
			vector_set_text(&c->empty, text, sizeof(text)));
	/* A table that can never be read is told by JSON alone. */
	if (!vector_set_empty(&c->entries_unread) && device_memory_on(d, &why))
		out_note(
			o,
			"warning: msix %s: the entries in the device's MSI-X table can't be read back, and may be "
			"empty: %s",
			vector_set_text(&c->entries_unread, text, sizeof(text)), why.message);
	else if (vector_set_empty(&c->empty))
		return;
	hint_rearm(o, d);
}

static void notes(struct out *o, struct device *d, enum irq_index index, const struct change *c)
{
	unsigned int allocated = vector_set_count(&d->irq[index].allocated);
	struct vector_set armed = device_armed(d, index), masked = device_masked(d, index);
	char text[96];
	unsigned int live;

	armed = vector_set_or(&armed, &masked);
	live = vector_set_count(&armed);
	/*
	 * A peer has no Linux IRQs: what it keeps of a vector without an eventfd is not to be seen.
	 */
	if (d->ops->host_irqs && d->irq[index].enabled && allocated > live &&
	    !vector_set_empty(&c->removed))
		out_note(
			o,
			"%s: %u IRQs %sstay allocated until disable; resize --release gives them back",
			irq_index_word(index), allocated, d->trace->dry_run ? "would " : "");
	note_unknown(o, d, index, c);
	if (index == IRQ_MSIX && d->handle)
		note_entries(o, d, c);
	if (!vector_set_empty(&c->demoted))
		out_note(
			o,
			"%s: %smasked by the eventfd now, for arming anew could have let them fire: %s",
			irq_index_word(index), would(d),
			vector_set_text(&c->demoted, text, sizeof(text)));
	if (c->bus_master_on)
		out_note(o, "bus mastering %sturned on; disabling puts it back", would(d));
	if (c->bus_master_off)
		out_note(o, "bus mastering %sturned off again", would(d));
	if (c->fd_limit_raised)
		out_note(o, "descriptor limit raised to %" PRIu64, c->fd_limit);
}

/* A device whose Enable is clear sends nothing, whatever is armed. */
static void report_control(struct out *o, const struct device *d, enum irq_index index,
			   const struct vector_set *armed)
{
	const char *word = irq_index_word(index), *source;
	node *doc = out_doc(o);
	uint16_t control;
	char text[96];
	bool enabled;

	if (!real_control(d, index, &control, &enabled, &source))
		return;
	doc_number(doc, "control", control);
	doc_bool(doc, "control_enabled", enabled);
	doc_text(doc, "control_source", source);
	doc_bool(doc, "armed_without_enable", !enabled && !vector_set_empty(armed));
	if (enabled || vector_set_empty(armed))
		out_text(o, "%s: Message Control in the device 0x%04x, enable bit %s", word,
			 control, enabled ? "set" : "clear");
	else
		out_note(
			o,
			"warning: %s %s: armed, but Message Control in the device reads 0x%04x, with the enable bit "
			"clear: the device sends no %s",
			word, vector_set_text(armed, text, sizeof(text)), control, word);
}

void report_change(struct out *o, struct device *d, enum irq_index index, const char *command,
		   const struct change *c)
{
	struct vector_set armed = device_armed(d, index), masked = device_masked(d, index);
	node *doc = out_doc(o);
	char bdf[PCI_ADDR_LEN];

	doc_text(doc, "command", command);
	doc_text(doc, "device", d->has_addr ? pci_addr_full(&d->addr, bdf) : d->spec);
	doc_text(doc, "index", irq_index_word(index));
	doc_number(doc, "count", d->irq[index].info.count);
	doc_bool(doc, "enabled", d->irq[index].enabled);
	doc_number(doc, "allocated", vector_set_count(&d->irq[index].allocated));
	doc_vectors(doc, "armed", &armed);
	doc_vectors(doc, "masked", &masked);
	doc_vectors(doc, "added", &c->added);
	doc_vectors(doc, "removed", &c->removed);
	doc_vectors(doc, "dropped", &c->dropped);
	doc_vectors(doc, "repaired", &c->repaired);
	doc_vectors(doc, "unknown", &c->unknown);
	doc_vectors(doc, "not_armed_in_device", &c->empty);
	doc_vectors(doc, "entries_unread", &c->entries_unread);
	doc_number(doc, "calls", c->calls);
	doc_number(doc, "us", c->us);
	doc_bool(doc, "rebuilt", c->rebuilt);
	if (c->rebuilt) {
		doc_number_if(doc, "blind_us", blind_known(d, c), c->blind_us);
		doc_vectors(doc, "live_before", &c->live_before);
	}
	doc_bool(doc, "bus_master_turned_on", c->bus_master_on);
	doc_bool(doc, "bus_master_turned_off", c->bus_master_off);
	text_change(o, d, index, c);
	report_control(o, d, index, &armed);
	report_peer(o, d, index, c);
	notes(o, d, index, c);
}
