// SPDX-License-Identifier: GPL-2.0-or-later
/* read, write, reset */
#include <inttypes.h>

#include "base/util.h"
#include "cli/report.h"
#include "cli/session.h"
#include "cmd/all.h"
#include "device/handle.h"

static void tell(struct session *s, const struct args *a, uint64_t value)
{
	node *doc = out_doc(s->out);

	doc_text(doc, "command", a->command->word);
	doc_text(doc, "region", a->param[1].text);
	doc_number(doc, "offset", a->param[2].number);
	doc_number(doc, "width", a->param[3].number);
	doc_number(doc, "value", value);
}

static int run_read(struct session *s, const struct args *a, struct error *e)
{
	unsigned int width = (unsigned int)a->param[3].number;
	uint64_t value = 0;
	int rc = device_read(s->device, (enum region_index)a->param[1].number, a->param[2].number,
			     width, &value, e);

	if (rc)
		return rc;
	tell(s, a, value);
	out_text(s->out, "0x%0*" PRIx64, (int)width * 2, value);
	return 0;
}

const struct command cmd_read = {
	.word = "read",
	.summary = "read a register of a BAR or of config space",
	.help = "b, w, l and q are 1, 2, 4 and 8 bytes. Reading some device registers changes the device.",
	.family = FAMILY_CHANGE,
	.flags = CMD_OPENS | CMD_LIVE_HOST,
	COMMAND_PARAMS({ .type = ARG_DEVICE }, { .type = ARG_REGION }, { .type = ARG_OFFSET },
		       { .type = ARG_WIDTH }),
	.run = run_read,
};

/* Only on a peer does such a write come so far. */
static void warn_of_cap(struct session *s, const struct args *a)
{
	const char *cap = device_cap_at(s->device, (enum region_index)a->param[1].number,
					a->param[2].number, (unsigned int)a->param[3].number);

	if (cap)
		out_note(
			s->out,
			"warning: 0x%" PRIx64 " is in the %s capability: "
			"the peer may lose interrupts by this write, and msictl does not put it back",
			a->param[2].number, cap);
}

static int run_write(struct session *s, const struct args *a, struct error *e)
{
	uint64_t value = a->param[4].number;
	int rc = device_write(s->device, (enum region_index)a->param[1].number, a->param[2].number,
			      (unsigned int)a->param[3].number, value, e);

	if (rc)
		return rc;
	tell(s, a, value);
	warn_of_cap(s, a);
	device_drain(s->device);
	return 0;
}

const struct command cmd_write = {
	.word = "write",
	.summary = "write a register, so that the device itself fires",
	.help = "Writes into the MSI and MSI-X capabilities of a device of this host are refused: "
		"the platform owns them, and a write there loses interrupts without an error. "
		"On a vfio-user peer nobody else may write them: "
		"there they are carried out with a warning.",
	.family = FAMILY_CHANGE,
	.flags = CMD_OPENS | CMD_CHANGES | CMD_LIVE_HOST,
	COMMAND_PARAMS({ .type = ARG_DEVICE }, { .type = ARG_REGION }, { .type = ARG_OFFSET },
		       { .type = ARG_WIDTH }, { .type = ARG_VALUE }),
	.run = run_write,
};

static int run_reset(struct session *s, const struct args *a, struct error *e)
{
	struct change c = { 0 };
	int rc = device_reset(s->device, &c, e);

	if (rc)
		return rc;
	doc_text(out_doc(s->out), "command", a->command->word);
	out_text(
		s->out, "%s",
		s->trace.dry_run
			? "would be reset; armed vectors would stay armed, masks that the device holds would go"
			: "reset; armed vectors stay armed, masks that the device held are gone");
	for (unsigned int i = IRQ_MSI; i <= IRQ_MSIX; i++)
		if (s->device->irq[i].enabled)
			report_peer(s->out, s->device, i, &c);
	if (c.bus_master_on)
		out_note(s->out, "bus mastering was off after the reset and is turned on again");
	return 0;
}

const struct command cmd_reset = {
	.word = "reset",
	.summary = "reset the function (VFIO_DEVICE_RESET)",
	.family = FAMILY_CHANGE,
	.flags = CMD_OPENS | CMD_CHANGES | CMD_LIVE_HOST,
	COMMAND_PARAMS({ .type = ARG_DEVICE }),
	.run = run_reset,
};
