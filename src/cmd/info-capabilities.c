// SPDX-License-Identifier: GPL-2.0-or-later
/* info: the function and its two capabilities. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cmd/info.h"
#include "host/pci.h"

/* PCI Local Bus 3.0, section 6.2.2. */
#define COMMAND_MEMORY	   0x0002
#define COMMAND_BUS_MASTER 0x0004

#define CONFIG_FOR_ALL 64 /* what the kernel shows to others than root */

static void identity(struct info *i, node *doc)
{
	struct function *f = &i->f;
	char bdf[PCI_ADDR_LEN], name[PCI_NAME];

	if (!i->addressed) {
		doc_text(doc, "device", i->device->spec);
		out_bold(i->s->out, "%s", i->device->spec);
		return;
	}
	pci_name_once(f->vendor, f->device, name, sizeof(name));
	doc_text(doc, "device", pci_addr_full(&f->addr, bdf));
	doc_text(doc, "slot", pci_addr_short(&f->addr, bdf));
	doc_text(doc, "name", name);
	doc_textf(doc, "id", "%04x:%04x", f->vendor, f->device);
	doc_textf(doc, "class", "%06x", f->class);
	out_bold(i->s->out, "%s  %s [%04x:%04x]", bdf, name, f->vendor, f->device);
}

/*
 * The other members: they decide whether the group is viable. @text: what is said of them, NULL: no
 * memory.
 */
static void group_lines(struct info *i, node *members, FILE *text)
{
	_cleanup_free_ struct group_member *m = NULL;
	ssize_t n = i->f.group < 0 ? 0 : group_members(&i->s->root, i->f.group, &m);
	char bdf[PCI_ADDR_LEN], driver[ROOT_NAME_ESCAPED];
	const char *between = "; also";

	for (ssize_t k = 0; k < n; k++) {
		node *row = doc_row(members);

		doc_text(row, "device", pci_addr_full(&m[k].addr, bdf));
		doc_word(row, "driver", m[k].driver);
		doc_bool(row, "bridge", m[k].bridge);
		doc_bool(row, "blocks", m[k].blocks);
		if (!text || !pci_addr_cmp(&m[k].addr, &i->f.addr))
			continue;
		fprintf(text, "%s %s %s%s", between, pci_addr_short(&m[k].addr, bdf),
			m[k].driver[0] ? escape_text(m[k].driver, driver, sizeof(driver))
				       : "no driver",
			m[k].blocks ? " (not viable with it)" : "");
		between = ",";
	}
}

static void group(struct info *i, node *doc)
{
	_cleanup_free_ char *line = NULL, *name = NULL;
	size_t size;
	FILE *text = open_memstream(&line, &size);

	if (i->f.group >= 0)
		root_text_dup(&i->s->root, &name, "sys/kernel/iommu_groups/%d/name", i->f.group);
	doc_word(doc, "group_name", name);
	group_lines(i, doc_array(doc, "members"), text);
	if (text)
		fclose(text);
	if (i->f.group < 0)
		out_text(i->s->out, "group    none: no IOMMU, or not before a driver is bound");
	else
		out_text(i->s->out, "group    %d%s%s%s", i->f.group, name && name[0] ? " " : "",
			 name ? name : "", line ? line : "");
}

static void driver(struct info *i, node *doc)
{
	struct function *f = &i->f;
	_cleanup_free_ char *override = NULL;
	bool pinned;

	doc_word(doc, "driver", f->driver);
	function_override(&i->s->root, &f->addr, &override);
	pinned = override && override[0] && strcmp(override, f->driver) != 0;
	doc_word(doc, "driver_override", override);
	out_text(i->s->out, "driver   %s%s%s", f->driver[0] ? f->driver : "none",
		 pinned ? ", driver_override " : "", pinned ? override : "");
	doc_number_if(doc, "group", f->group >= 0, (uint64_t)f->group);
}

/*
 * Of a device that another process serves: who that is, what it gets wrong, and what of a function
 * is not there.
 */
static void peer(struct info *i, node *doc)
{
	const struct device_ops *ops = i->device->ops;
	node *quirks = doc_array(doc, "quirks");
	char text[256] = "";
	const char *quirk;

	if (ops->peer_text)
		ops->peer_text(i->device->handle, text, sizeof(text));
	doc_word(doc, "peer", text);
	out_text(i->s->out, "peer     %s", text[0] ? text : "unknown");
	for (unsigned int n = 0; ops->peer_quirk && (quirk = ops->peer_quirk(i->device->handle, n));
	     n++) {
		doc_push_text(quirks, quirk);
		out_text(i->s->out, "beware   %s", quirk);
	}
	out_text(i->s->out,
		 "host     none of this function: no driver, IOMMU group, Linux IRQ or affinity; "
		 "vectors are eventfds");
}

static const char *on_off(bool on)
{
	return on ? "on" : "off";
}

static void power(struct info *i, node *doc)
{
	const struct function *f = &i->f;
	bool memory = f->caps.command & COMMAND_MEMORY,
	     master = f->caps.command & COMMAND_BUS_MASTER;
	bool known = f->config_len >= CONFIG_FOR_ALL && f->caps.problem != CAPS_ALL_ONES;
	bool message = f->caps.msi.enabled || f->caps.msix.enabled;

	doc_word(doc, "power_state", f->power_state);
	doc_word(doc, "runtime_status", f->runtime);
	if (!known) {
		doc_null(doc, "memory_decode");
		doc_null(doc, "bus_master");
		out_text(i->s->out, "power    %s", f->power_state[0] ? f->power_state : "unknown");
		return;
	}
	doc_number(doc, "command", f->caps.command);
	doc_bool(doc, "memory_decode", memory);
	doc_bool(doc, "bus_master", master);
	out_text(i->s->out, "power    %s%s, memory decode %s, bus mastering %s%s",
		 f->power_state[0] ? f->power_state : "unknown",
		 !strcmp(f->runtime, "suspended") ? " (runtime suspended)" : "", on_off(memory),
		 on_off(master), message && !master ? ": no message gets out" : "");
}

void info_function(struct info *i)
{
	node *doc = out_doc(i->s->out);

	identity(i, doc);
	if (i->addressed) {
		driver(i, doc);
		group(i, doc);
	} else {
		peer(i, doc);
	}
	power(i, doc);
}

/* What VFIO keeps to itself is null: it is not the device's. */
static void doc_msi(node *o, const struct msi_cap *m, bool virtual)
{
	doc_number(o, "offset", m->pos);
	doc_number(o, "control", m->control);
	if (virtual)
		doc_null(o, "enabled");
	else
		doc_bool(o, "enabled", m->enabled);
	doc_number(o, "maximum", m->capable);
	/* MME may keep what an earlier enable wrote */
	doc_number_if(o, "granted", !virtual, m->enabled ? m->allocated : 0);
	doc_bool(o, "address64", m->is64);
	doc_bool(o, "maskable", m->maskable);
	doc_number(o, "reserved", m->reserved);
	doc_bool(o, "truncated", m->truncated);
	if (m->truncated)
		return;
	doc_number_if(o, "address", !virtual, m->address);
	doc_number_if(o, "data", !virtual, m->data);
	if (!m->maskable)
		return;
	doc_number(o, "mask", m->mask);
	doc_number(o, "pending", m->pending);
}

/* Of the reserved encodings of MMC and MME only the number. */
static const struct line msi_lines[] = {
	{ LINE_PART,
	  "msi      {told!not told by VFIO whether on}{told?{enabled?on}{enabled!off}}" },
	{ LINE_PART, ", control 0x{control:4x} at 0x{offset:2x}" },
	{ LINE_PART, ", {maximum?{} offered (MMC={mmc})}{maximum!MMC={mmc} is a reserved value}" },
	{ LINE_PART, "{enabled?, {granted?{} enabled (MME={mme})}}" },
	{ LINE_PART, "{enabled?{granted!, MME={mme} is a reserved value}}" },
	{ LINE_PART,
	  "{told?{enabled!, none enabled (MME={mme})}}, {address64?64}{address64!32} bit, " },
	{ LINE_PART, "{maskable?maskable}{maskable!no per-vector mask}" },
	{ LINE_PART,
	  "{reserved?, reserved bits 0x{:4x} set}{truncated?, cut off by the end of config space}" },
	{ LINE_PART, "{enabled?{truncated!, address 0x{address:1x} data 0x{data:4x}}}" },
	{ LINE_TEXT, "{truncated!{maskable?, mask 0x{mask:8x} pending 0x{pending:8x}}}" },
};

static const struct line msix_lines[] = {
	{ LINE_PART,
	  "msix     {enabled?on}{enabled!off}, control 0x{control:4x} at 0x{offset:2x}, " },
	{ LINE_PART, "{maximum} offered{function_mask?, function mask set}" },
	{ LINE_PART,
	  "{reserved?, reserved bits 0x{:4x} set}{truncated?, cut off by the end of config space}" },
	{ LINE_PART, "{truncated!, table bar{table.bar}+0x{table.offset:1x}, }" },
	{ LINE_TEXT, "{truncated!PBA bar{pba.bar}+0x{pba.offset:1x}}" },
};

static void doc_place(node *parent, const char *key, unsigned int bar, uint32_t offset)
{
	node *o = doc_object(parent, key);

	doc_number(o, "bar", bar);
	doc_number(o, "offset", offset);
}

static void doc_msix(node *o, const struct msix_cap *m)
{
	doc_number(o, "offset", m->pos);
	doc_number(o, "control", m->control);
	doc_bool(o, "enabled", m->enabled);
	doc_bool(o, "function_mask", m->function_mask);
	doc_number(o, "maximum", m->count);
	doc_number(o, "reserved", m->reserved);
	doc_bool(o, "truncated", m->truncated);
	if (m->truncated)
		return;
	doc_place(o, "table", m->table_bar, m->table_offset);
	doc_place(o, "pba", m->pba_bar, m->pba_offset);
}

/* A capability that is not seen is absent only when the list could be walked to its end. */
static void no_capability(struct info *i, node *capabilities, const char *word)
{
	const struct function *f = &i->f;
	const char *why = caps_problem_text(f->caps.problem);
	bool denied = f->caps.problem == CAPS_SHORT_CONFIG && f->config_len == CONFIG_FOR_ALL;

	doc_null(capabilities, word);
	out_text(i->s->out, "%-8s %s", word, denied ? "<access denied>" : why ? "unknown" : "none");
}

void info_capabilities(struct info *i)
{
	const struct pci_caps *c = &i->f.caps;
	node *doc = out_doc(i->s->out), *capabilities = doc_object(doc, "capabilities"),
	     *aside = out_aside(i->s->out), *msi, *msix;
	const char *why = caps_problem_text(c->problem);
	char bdf[PCI_ADDR_LEN];

	if (c->has_msi) {
		msi = doc_object(capabilities, "msi");
		doc_msi(msi, &c->msi, i->caps_virtual);
		doc_bool(aside, "told", !i->caps_virtual);
		doc_number(aside, "mmc", c->msi.control >> 1 & 7);
		doc_number(aside, "mme", c->msi.control >> 4 & 7);
		out_lines(i->s->out, msi, msi_lines, ARRAY_SIZE(msi_lines));
	} else {
		no_capability(i, capabilities, "msi");
	}
	if (c->has_msix) {
		msix = doc_object(capabilities, "msix");
		doc_msix(msix, &c->msix);
		out_lines(i->s->out, msix, msix_lines, ARRAY_SIZE(msix_lines));
	} else {
		no_capability(i, capabilities, "msix");
	}
	doc_text(doc, "capabilities_source", i->caps_source);
	doc_text(doc, "capabilities_problem", why);
	if (i->caps_virtual)
		out_text(
			i->s->out,
			"config   the capabilities are told by VFIO: /sys shows others than root %u bytes",
			CONFIG_FOR_ALL);
	if (!why)
		return;
	out_note(i->s->out, "%s", why);
	if (i->addressed && c->problem == CAPS_SHORT_CONFIG && i->f.config_len == CONFIG_FOR_ALL)
		out_note(i->s->out, "hint: sudo msictl info %s   (others than root see %u bytes)",
			 pci_addr_short(&i->f.addr, bdf), CONFIG_FOR_ALL);
}
