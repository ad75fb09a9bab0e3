// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/report.h"
#include "cli/vectors.h"

#include <stdlib.h>

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

/* Whether it is over, and was made at all. */
static bool blind_known(const struct device *d, const struct change *c)
{
	return vector_set_empty(&c->off) && !d->trace->dry_run;
}

static const struct line change_lines[] = {
	{ LINE_PART, "{index}: {dry?would be }{enabled?{armed#} armed of {count}}{enabled!off}" },
	{ LINE_PART, "{not_armed_in_device?, not armed in the device {}}" },
	{ LINE_PART, "{added?, added {}}{removed?, released {}}" },
	{ LINE_PART,
	  "{rebuilt!{kept?, {calls?untouched}{calls!already} {kept}}}{masked?, masked {}}" },
	{ LINE_PART, "{dropped?, dropped by the {keeper} {dropped}}" },
	{ LINE_PART, "{repaired?, armed again {}}{unknown?, state unknown {}}" },
	{ LINE_TEXT, "   ({calls} SET_IRQS, {dry?not made}{dry!{us} us})" },
	{ LINE_PART, "{rebuilt?{index}: {dry?would be rebuilt, which blinds what is live: }}" },
	{ LINE_PART,
	  "{rebuilt?{dry!{off?the rebuild failed, off until armed again: {}; live before: }}}" },
	{ LINE_PART, "{blind?{dropped?the rebuild failed and was repaired}{dropped!rebuilt}}" },
	{ LINE_PART, "{blind?, blind for {blind_us} us; live before: }" },
	{ LINE_TEXT, "{rebuilt?{live_before}}" },
	{ LINE_PART,
	  "{control_source?{armed_without_enable!{index}: Message Control in the device }}" },
	{ LINE_PART, "{control_source?{armed_without_enable!0x{control:4x}, enable bit }}" },
	{ LINE_TEXT,
	  "{control_source?{armed_without_enable!{control_enabled?set}{control_enabled!clear}}}" },
	{ LINE_PART,
	  "{armed_without_enable?warning: {index} {armed}: armed, but Message Control }" },
	{ LINE_PART,
	  "{armed_without_enable?in the device reads 0x{control:4x}, with the enable bit clear: }" },
	{ LINE_NOTE, "{armed_without_enable?the device sends no {index}}" },
};

static const struct line notes[] = {
	{ LINE_PART,
	  "{stays?{index}: {allocated} IRQs {dry?would }stay allocated until disable; }" },
	{ LINE_NOTE, "{stays?resize --release gives them back}" },
	{ LINE_PART, "{unknown?{index}: {unread?the host's Linux IRQs can't be read ({})}}" },
	{ LINE_PART, "{unknown?{unread!neither /sys/kernel/irq nor /proc/interrupts tells of }}" },
	{ LINE_PART, "{unknown?{unread!all Linux IRQs of the device}}" },
	/* An absence is no word of the host: what is taken for armed on that ground is told. */
	{ LINE_NOTE, "{unknown?: {} are taken to be armed as before}" },
	{ LINE_NOTE, "{unknown?hint: msictl info {spec}   shows what the host tells now}" },
	/* What the kernel answered and what stands in the device's table are two things. */
	{ LINE_PART, "{empty?warning: msix {}: the kernel says armed, but the entries }" },
	{ LINE_NOTE,
	  "{empty?in the device's MSI-X table are empty, so the device can't send them}" },
	{ LINE_PART,
	  "{unread_because?warning: msix {entries_unread}: the entries in the device's MSI-X }" },
	{ LINE_NOTE, "{unread_because?table can't be read back, and may be empty: {}}" },
	/* The commands that arm in the device what stands empty there. */
	{ LINE_NOTE, "{rearm?hint: disable msix; {asleep?{}; }enable msix {rearm}}" },
	{ LINE_PART,
	  "{demoted?{index}: {dry?would be }masked by the eventfd now, for arming anew }" },
	{ LINE_NOTE, "{demoted?could have let them fire: {}}" },
	{ LINE_PART, "{bus_master_turned_on?bus mastering {dry?would be }turned on; }" },
	{ LINE_NOTE, "{bus_master_turned_on?disabling puts it back}" },
	{ LINE_NOTE, "{bus_master_turned_off?bus mastering {dry?would be }turned off again}" },
	{ LINE_NOTE, "{fd_limit?descriptor limit raised to {}}" },
};

static void aside_change(node *aside, const struct device *d, const struct change *c)
{
	_cleanup_free_ char *spec = quote_word_dup(d->spec);
	char number[16];

	doc_bool(aside, "dry", d->trace->dry_run);
	doc_text(aside, "keeper", d->ops->keeper);
	doc_vectors(aside, "kept", &c->kept);
	doc_vectors(aside, "off", &c->off);
	doc_bool(aside, "blind", c->rebuilt && blind_known(d, c));
	doc_line(aside, "unread", c->unread ? errno_name(c->unread, number) : NULL);
	doc_line(aside, "spec", spec ? spec : d->spec);
	doc_vectors(aside, "demoted", &c->demoted);
	doc_number_if(aside, "fd_limit", c->fd_limit_raised, c->fd_limit);
}

/* A table that can never be read is told by JSON alone. */
static void aside_entries(node *aside, struct device *d, const struct change *c)
{
	struct vector_set armed = device_armed(d, IRQ_MSIX);
	struct error why, asleep;
	char text[VECTOR_SET_ROOM];
	bool unread = !vector_set_empty(&c->entries_unread) && device_memory_on(d, &why);

	doc_vectors(aside, "empty", &c->empty);
	doc_line(aside, "unread_because", unread ? why.message : NULL);
	if (!unread && vector_set_empty(&c->empty))
		return;
	doc_text(aside, "rearm", vector_set_operand(&armed, text, sizeof(text)));
	doc_line(aside, "asleep", device_awake(d, IRQ_MSIX, &asleep) ? asleep.hint : NULL);
}

/* A peer has no Linux IRQs: what it keeps of a vector without an eventfd is not to be seen. */
static bool irqs_stay(const struct device *d, enum irq_index index, const struct change *c)
{
	struct vector_set armed = device_armed(d, index), masked = device_masked(d, index);
	struct vector_set live = vector_set_or(&armed, &masked);

	return d->ops->host_irqs && d->irq[index].enabled && !vector_set_empty(&c->removed) &&
	       vector_set_count(&d->irq[index].allocated) > vector_set_count(&live);
}

/* A device whose Enable is clear sends nothing, whatever is armed. */
static void doc_control(node *doc, const struct device *d, enum irq_index index, bool armed)
{
	const char *source;
	uint16_t control;
	bool enabled;

	if (!real_control(d, index, &control, &enabled, &source))
		return;
	doc_number(doc, "control", control);
	doc_bool(doc, "control_enabled", enabled);
	doc_text(doc, "control_source", source);
	doc_bool(doc, "armed_without_enable", !enabled && armed);
}

void report_change(struct out *o, struct device *d, enum irq_index index, const char *command,
		   const struct change *c)
{
	struct vector_set armed = device_armed(d, index), masked = device_masked(d, index);
	node *doc = out_doc(o), *aside = out_aside(o);
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
	doc_control(doc, d, index, !vector_set_empty(&armed));
	aside_change(aside, d, c);
	out_lines(o, doc, change_lines, ARRAY_SIZE(change_lines));
	report_peer(o, d, index, c);
	doc_bool(aside, "stays", irqs_stay(d, index, c));
	if (index == IRQ_MSIX && d->handle)
		aside_entries(aside, d, c);
	out_lines(o, doc, notes, ARRAY_SIZE(notes));
}
