// SPDX-License-Identifier: GPL-2.0-or-later
/* bind, unbind */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/session.h"
#include "cmd/all.h"
#include "driver/bind.h"
#include "host/function.h"

/* Until the group's node is there: udev may be busy, but not for long. */
#define NODE_TIMEOUT_US 5000000

static const char *driver_word(const char *driver)
{
	return driver[0] ? driver : "no driver";
}

static void report_document(const struct driver_change *c, bool dry, const char *bdf, int group,
			    struct out *o)
{
	node *doc = out_doc(o);

	doc_text(doc, "device", bdf);
	doc_word(doc, "from", c->from);
	doc_word(doc, "driver", c->to);
	doc_bool(doc, "changed", c->changed);
	doc_number_if(doc, "group", group >= 0, (uint64_t)group);
	doc_line(doc, "note", c->note[0] ? c->note : NULL);
	if (dry)
		doc_bool(doc, "dry_run", true);
}

static void report(const struct session *s, const struct pci_addr *a, const struct driver_change *c)
{
	char full[PCI_ADDR_LEN], name[PCI_ADDR_LEN], from[ROOT_NAME_ESCAPED], to[ROOT_NAME_ESCAPED],
		group[48] = "";
	struct function f = { .group = -1 };
	struct error ignored;

	function_read(&s->root, a, &f, &ignored);
	pci_addr_full(a, full);
	pci_addr_short(a, name);
	escape_text(driver_word(c->from), from, sizeof(from));
	escape_text(driver_word(c->to), to, sizeof(to));
	if (f.group >= 0)
		snprintf(group, sizeof(group), ", IOMMU group %d", f.group);
	report_document(c, s->trace.dry_run, full, f.group, s->out);
	if (s->trace.dry_run)
		out_note(s->out, "nothing was changed, this was a dry run");
	else if (c->changed)
		out_text(s->out, "%s: %s, was %s%s", name, to, from, group);
	else
		out_text(s->out, "%s: %s already%s", name, to, group);
	if (c->note[0])
		out_note(s->out, "%s", c->note);
}

enum {
	BIND_FORCE,
};

static int run_bind(struct session *s, const struct args *a, struct error *e)
{
	struct driver_change c;
	struct pci_addr addr;
	int rc = session_address(s, a->param[0].text, &addr, e);

	if (rc == 0)
		rc = driver_bind(&s->root, &addr, a->option[BIND_FORCE].given, NODE_TIMEOUT_US,
				 &s->trace, &c, e);
	if (rc == 0)
		report(s, &addr, &c);
	return rc;
}

const struct command cmd_bind = {
	.word = "bind",
	.summary = "hand a function to vfio-pci",
	.help = "driver_override is set, the function is taken from its driver and vfio-pci probes it; "
		"new_id is never written. "
		"What driver it had is remembered in /run/msictl/former for unbind.\n"
		"A function that carries a mounted file system or swap space, a disk that a pool, an array or a process has for itself, a network interface that is up, or the boot display is refused (exit 5); "
		"a bridge always is. "
		"An interface that was given to a container is found in its network namespace; "
		"when the namespace cannot be looked at, the function is refused too.\n"
		"Without an IOMMU, and with VFIO's unsafe noiommu mode allowed, a note tells the price of that mode.",
	.family = FAMILY_CHANGE,
	.flags = CMD_OUTSIDE | CMD_LIVE_HOST,
	COMMAND_PARAMS({ .type = ARG_DEVICE }),
	COMMAND_OPTIONS([BIND_FORCE] = { "force", 0, ARG_FLAG, NULL, NULL,
					 "take it even from a running system's hands" }),
	.run = run_bind,
};

static int run_unbind(struct session *s, const struct args *a, struct error *e)
{
	struct driver_change c;
	struct pci_addr addr;
	int rc = session_address(s, a->param[0].text, &addr, e);

	if (rc == 0)
		rc = driver_unbind(&s->root, &addr, &s->trace, &c, e);
	if (rc == 0)
		report(s, &addr, &c);
	return rc;
}

const struct command cmd_unbind = {
	.word = "unbind",
	.summary = "take a function from vfio-pci and give it back to the driver it had",
	.help = "driver_override is cleared. "
		"A function that vfio-pci does not have is left to its driver. "
		"While somebody holds the IOMMU group it is refused (exit 5), because the kernel would wait for him.",
	.family = FAMILY_CHANGE,
	.flags = CMD_OUTSIDE | CMD_LIVE_HOST,
	COMMAND_PARAMS({ .type = ARG_DEVICE }),
	.run = run_unbind,
};
