// SPDX-License-Identifier: GPL-2.0-or-later
/* enable, disable, resize */
#include <errno.h>

#include "base/util.h"
#include "cli/vectors.h"
#include "cli/report.h"
#include "cli/session.h"
#include "cmd/all.h"
#include "device/handle.h"

static int amount_vectors(struct device *d, const struct value *index, const struct value *amount,
			  struct vector_set *want, struct error *e)
{
	struct vector_set none = { .bits = { 0 } };

	if (amount->amount == AMOUNT_VECTORS)
		return resolve_vectors(d, index->index, amount->word, &amount->vectors, want, e);
	*want = none;
	if (amount->number == 0) {
		int rc = fail(e, CAUSE_USAGE, 0, "a count of 0 arms nothing");

		hint(e, "enable %s none   turns %s on with no vector armed", index->text,
		     index->text);
		return rc;
	}
	if (amount->number > MAX_VECTORS)
		return fail(e, CAUSE_USAGE, 0,
			    "%s is more than the %u vectors that a function can have", amount->text,
			    MAX_VECTORS);
	vector_set_add_range(want, 0, (unsigned int)amount->number);
	return 0;
}

#define FORCE_HELP "change msi or msix also while the device is below D0"

#define BELOW_D0                                                                                                     \
	"Below D0 the kernel arms a vector without writing its message into the device: a change of msi or msix is " \
	"refused there unless --force. The MSI-X table entries of the vectors that were armed are read back where "  \
	"they can be, and an empty one is reported as not armed in the device."

enum {
	ENABLE_ROOM,
	ENABLE_NO_REPAIR,
	ENABLE_FORCE
};

static int run_enable(struct session *s, const struct args *a, struct error *e)
{
	const struct value *index = &a->param[1], *amount = &a->param[2],
			   *room = &a->option[ENABLE_ROOM];
	struct change_how how = { .no_repair = a->option[ENABLE_NO_REPAIR].given,
				  .force = a->option[ENABLE_FORCE].given };
	struct change c = { 0 }, reserved = { 0 };
	struct vector_set want;
	int rc = 0;

	if (room->given && (room->number == 0 || room->number > MAX_VECTORS))
		return fail(e, CAUSE_USAGE, 0, "--room takes 1 to %u", MAX_VECTORS);
	if (amount->amount == AMOUNT_NONE) {
		rc = device_enable_none(s->device, index->index,
					room->given ? (unsigned int)room->number : 1, how, &c, e);
	} else {
		rc = amount_vectors(s->device, index, amount, &want, e);
		if (rc)
			return rc;
		if (room->given)
			rc = device_enable_none(s->device, index->index, (unsigned int)room->number,
						how, &reserved, e);
		if (rc == 0)
			rc = device_enable(s->device, index->index, &want, how, &c, e);
		c.calls += reserved.calls;
		c.us += reserved.us;
		c.bus_master_on |= reserved.bus_master_on;
		c.enable_written |= reserved.enable_written;
	}
	if (rc == 0 || c.calls)
		report_change(s->out, s->device, index->index, a->command->word, &c);
	return rc;
}

const struct command cmd_enable = {
	.word = "enable",
	.summary = "arm vectors of an index, or turn it on with none armed",
	.help = "A plain number is a count: vectors 0 to COUNT-1. VECTORS names them: 0-3,7. "
		"Vectors that are armed already stay untouched.\n"
		"\"none\" is the zero-vector enable: "
		"the device has MSI or MSI-X on, with one Linux IRQ allocated and no vector armed; "
		"the Message Control word read from the device proves it.\n"
		"A vfio-user peer may leave Enable and the masks of MSI and MSI-X to its client, as QEMU's server does: "
		"there msictl writes both, and puts both back when the index goes off.\n"
		"Enabling msi or msix turns bus mastering on, without which a device can't send them; "
		"disabling puts it back.\n" BELOW_D0,
	.family = FAMILY_CHANGE,
	.flags = CMD_OPENS | CMD_CHANGES | CMD_LIVE_HOST,
	COMMAND_PARAMS({ .type = ARG_DEVICE }, { .type = ARG_INDEX }, { .type = ARG_AMOUNT }),
	COMMAND_OPTIONS(
		[ENABLE_ROOM] = { "room", 0, ARG_COUNT, "N", NULL,
				  "allocate N vectors first, so that a NORESIZE index can grow to N without a rebuild" },
		[ENABLE_NO_REPAIR] = { "no-repair", 0, ARG_FLAG, NULL, NULL,
				       "leave vectors disarmed that the kernel dropped in a call that failed" },
		[ENABLE_FORCE] = { "force", 0, ARG_FLAG, NULL, NULL, FORCE_HELP }),
	.run = run_enable,
};

static int run_disable(struct session *s, const struct args *a, struct error *e)
{
	enum irq_index index = a->param[1].index;
	struct change c = { 0 };
	int rc = device_disable(s->device, index, &c, e);

	if (rc == 0)
		report_change(s->out, s->device, index, a->command->word, &c);
	return rc;
}

const struct command cmd_disable = {
	.word = "disable",
	.summary = "turn an index off and give its Linux IRQs back",
	.family = FAMILY_CHANGE,
	.flags = CMD_OPENS | CMD_CHANGES | CMD_LIVE_HOST,
	COMMAND_PARAMS({ .type = ARG_DEVICE }, { .type = ARG_INDEX }),
	.run = run_disable,
};

enum {
	RESIZE_REBUILD,
	RESIZE_RELEASE,
	RESIZE_NO_REPAIR,
	RESIZE_FORCE
};

static int run_resize(struct session *s, const struct args *a, struct error *e)
{
	const struct value *index = &a->param[1], *count = &a->param[2];
	struct change_how how = { .resize = { .rebuild = a->option[RESIZE_REBUILD].given,
					      .release = a->option[RESIZE_RELEASE].given },
				  .no_repair = a->option[RESIZE_NO_REPAIR].given,
				  .force = a->option[RESIZE_FORCE].given };
	struct change c = { 0 };
	int rc;

	if (count->number > MAX_VECTORS)
		return fail(e, CAUSE_USAGE, 0,
			    "%s is more than the %u vectors that a function can have", count->text,
			    MAX_VECTORS);
	rc = device_resize(s->device, index->index, (unsigned int)count->number, how, &c, e);
	if (rc == 0 || c.calls)
		report_change(s->out, s->device, index->index, a->command->word, &c);
	return rc;
}

const struct command cmd_resize = {
	.word = "resize",
	.summary = "change how many vectors are armed without disturbing those that stay",
	.help = "Growing an index that VFIO calls dynamic is one SET_IRQS for just the new vectors. "
		"A NORESIZE index can only be disabled and enabled anew, which blinds its live vectors: "
		"refused with exit 9 unless --rebuild.\n"
		"Shrinking takes the eventfds off; "
		"the kernel keeps the Linux IRQs until the index is disabled, --release gives them back by a rebuild.\n"
		"What is masked stays masked. "
		"A rebuild gives such a vector no eventfd, for that would unmask it in the device: "
		"it is masked by the eventfd then, until unmask.\n"
		"After a failure the state is read back from the host, and vectors that the kernel dropped are armed again.\n" BELOW_D0,
	.family = FAMILY_CHANGE,
	.flags = CMD_OPENS | CMD_CHANGES | CMD_LIVE_HOST,
	COMMAND_PARAMS({ .type = ARG_DEVICE }, { .type = ARG_INDEX }, { .type = ARG_COUNT }),
	COMMAND_OPTIONS(
		[RESIZE_REBUILD] = { "rebuild", 0, ARG_FLAG, NULL, NULL,
				     "disable and enable where the index is NORESIZE" },
		[RESIZE_RELEASE] = { "release", 0, ARG_FLAG, NULL, NULL,
				     "give Linux IRQs back that are no longer armed, by a rebuild" },
		[RESIZE_NO_REPAIR] = { "no-repair", 0, ARG_FLAG, NULL, NULL,
				       "leave vectors disarmed that the kernel dropped in a call that failed" },
		[RESIZE_FORCE] = { "force", 0, ARG_FLAG, NULL, NULL, FORCE_HELP }),
	.run = run_resize,
};
