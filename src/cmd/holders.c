// SPDX-License-Identifier: GPL-2.0-or-later
/* holders, release */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/session.h"
#include "cmd/all.h"
#include "cmd/hold.h"
#include "hold/client.h"
#include "hold/lines.h"
#include "hold/wire.h"
#include "runtime/holders.h"

static const struct table holder_table = {
	.array = "holders",
	TABLE_COLUMNS({ "DEVICE", "device", CELL_TEXT, "as it was typed, a socket by its full path",
			false },
		      { "PID", "pid", CELL_NUMBER, "the process that holds it", false },
		      { "UID", "uid", CELL_NUMBER, "the user whose process that is", false },
		      { "SINCE", "since", CELL_TEXT, "since when, UTC", false },
		      { "INTX", "intx.armed/intx.vectors", CELL_RATIO, "armed of all", true },
		      { "MSI", "msi.armed/msi.vectors", CELL_RATIO, "armed of all", false },
		      { "MSI-X", "msix.armed/msix.vectors", CELL_RATIO, "armed of all", false },
		      { "OPEN", "open", CELL_FLAG, "no: the device was taken away, see reopen",
			true },
		      { "CALLERS", "callers", CELL_NUMBER, "commands that run there now", false }),
};

static void add_time(node *row, uint64_t seconds)
{
	time_t at = (time_t)seconds;
	char text[32] = "";
	struct tm tm;

	if (gmtime_r(&at, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	doc_word(row, "since", text);
}

static void add_state(node *row, const struct hold_state *st)
{
	add_time(row, st->since);
	for (unsigned int i = 0; i < NR_IRQ_INDEX; i++) {
		node *object;

		if (!st->index[i].there)
			continue;
		object = doc_object(row, irq_index_word(i));
		doc_number(object, "armed", st->index[i].armed);
		doc_number(object, "vectors", st->index[i].vectors);
	}
	doc_bool(row, "open", st->open);
	doc_number(row, "callers", st->callers);
}

/* A holder and what is known of it. */
struct asked {
	struct question q;
	struct error why; /* of one that could not be asked */
};

static void tell_unknown(struct session *s, const char *device, const struct error *why)
{
	_cleanup_free_ char *shown = escape_text_dup(device);

	out_note(s->out, "msictl: %s: %s", shown ? shown : "a device",
		 why->message[0] ? why->message : "its holder does not tell");
}

/* @st: NULL: it is not told. */
static void add_row(node *array, const struct asked *k, const struct hold_state *st, bool asked,
		    const char *device)
{
	node *row = doc_row(array);

	doc_text(row, "device", device);
	if (asked)
		doc_number(row, "pid", (uint64_t)k->q.pid);
	doc_number(row, "uid", geteuid());
	if (st)
		add_state(row, st);
}

/* -EINTR: the user asked to stop. */
static int add_holder(struct session *s, node *array, struct asked *k, const char *name,
		      uint64_t until, struct error *e)
{
	bool asked = k->q.sock >= 0;
	int rc = asked ? attach_answer(s, &k->q, until, &k->why) : -1;
	struct hold_state st = { 0 };
	char device[HOLD_NAME];

	if (rc == 0)
		rc = hold_state_read(k->q.text, k->q.size, &st);

	/* without descriptors none can be asked */
	if ((asked && rc == -EINTR) || (rc && root_exhausted(-k->why.err))) {
		*e = k->why;
		return -e->err;
	}
	hold_name_device(name, device);
	if (rc)
		tell_unknown(s, device, &k->why);
	/* What another user serves there is no holder of ours. */
	if (!asked && k->why.cause == CAUSE_PERMISSION)
		return 0;
	add_row(array, k, rc == 0 ? &st : NULL, asked, st.device ? st.device : device);
	free(st.device);
	return 0;
}

/*
 * All are asked before the first is heard: those that do not answer are waited for once, together.
 */
static void ask_all(int dir, char (*list)[HOLD_NAME], struct asked *k, ssize_t n)
{
	static const char *const word[] = { HOLD_STATE };

	for (ssize_t i = 0; i < n; i++) {
		pid_t pid;
		int sock = hold_connect(dir, list[i], &pid, &k[i].why);

		k[i].q.sock = -1;
		if (sock >= 0)
			attach_put(&k[i].q, sock, word, 1, &k[i].why);
		else if (sock == -ECONNREFUSED)
			hold_tidy(dir, list[i]);
	}
}

static void end_questions(struct asked *k, ssize_t n)
{
	for (ssize_t i = 0; i < n; i++) {
		if (k[i].q.sock >= 0)
			close(k[i].q.sock);
		free(k[i].q.text);
	}
	free(k);
}

static int tell_own(struct session *s, node *array, struct error *e)
{
	_cleanup_free_ char(*list)[HOLD_NAME] = NULL;
	_cleanup_fd_ int dir = hold_dir_open(false, e);
	ssize_t n = dir < 0 ? 0 : hold_list(dir, &list);
	struct asked *k;
	uint64_t until;
	int rc = 0;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	if (n < 0)
		return fail(e, cause_of_errno((int)-n), (int)-n,
			    "the folder of sockets could not be read");
	k = calloc((size_t)n + 1, sizeof(*k));
	if (!k)
		return fail_memory(e);
	ask_all(dir, list, k, n);
	until = now_us() + ATTACH_PATIENCE_US;
	/* Without a sentence there is nobody to be asked any more. */
	for (ssize_t i = 0; rc == 0 && i < n; i++)
		if (k[i].q.sock >= 0 || k[i].why.message[0])
			rc = add_holder(s, array, &k[i], list[i], until, e);
	end_questions(k, n);
	return rc;
}

/* Those of other users are not asked: their processes can make root wait. */
static int tell_others(struct session *s, node *array, struct error *e)
{
	struct hold_others o;
	int rc = hold_others(&s->root, &o);

	for (size_t i = 0; rc == 0 && i < o.n; i++) {
		char device[HOLD_NAME];
		node *row = doc_row(array);

		doc_text(row, "device", hold_name_device(o.list[i].name, device));
		doc_number(row, "pid", (uint64_t)o.list[i].pid);
		doc_number(row, "uid", o.list[i].uid);
	}
	if (rc == 0 && o.denied)
		out_note(
			s->out,
			"msictl: holders of other users may be missing: %u of their processes could not be read",
			o.denied);
	free(o.list);
	return rc ? fail(e, cause_of_errno(-rc), -rc,
			 "msictl could not search for other users' holders")
		  : 0;
}

static int run_holders(struct session *s, const struct args *a, struct error *e)
{
	node *array = doc_array(out_doc(s->out), "holders");
	int rc = tell_own(s, array, e);

	(void)a;
	if (rc == 0 && geteuid() == 0)
		rc = tell_others(s, array, e);
	return rc ? rc : out_table(s->out, &holder_table);
}

const struct command cmd_holders = {
	.word = "holders",
	.summary = "list devices that are held, and by which process",
	.help = "The holders of this user: the sockets are in /run/msictl for root, in $XDG_RUNTIME_DIR/msictl for "
		"others. root sees those of all users; of another user's only DEVICE, PID and UID are shown, because "
		"another user's process is not asked.",
	.family = FAMILY_SCRIPT,
	.flags = CMD_OUTSIDE | CMD_LIVE_HOST,
	.table = &holder_table,
	.run = run_holders,
};

int holder_refused(const struct question *q, int status, struct error *e)
{
	size_t n = q->size ? strlen(q->text) : 0;

	/* A holder that takes no more callers has not heard what this one wants. */
	if (!n)
		fail(e, (enum cause)status, 0,
		     "its holder has all the callers that it can have; try again");
	else
		fail(e, (enum cause)status, 0, "%s", q->text);
	if (n + 1 < q->size && q->text[n + 1])
		hint(e, "%s", q->text + n + 1);
	return -EIO;
}

int release_held(struct session *s, const char *device, int sock, struct error *e)
{
	static const char *const word[] = { HOLD_RELEASE };
	struct question q = { 0 };
	/* To give a driver back takes as long as it takes. */
	int rc = attach_reason(device, attach_ask(s, &q, sock, word, 1, UINT64_MAX, e), e);

	if (rc > 0)
		rc = holder_refused(&q, rc, e);
	else if (rc == 0 && q.size == strlen(HOLD_LATER) && !memcmp(q.text, HOLD_LATER, q.size))
		out_note(
			s->out,
			"msictl: %s: it gets its driver back when the others of its IOMMU group are released",
			device);
	free(q.text);
	return rc;
}

static int release_one(struct session *s, const char *device, node *array, struct error *e)
{
	pid_t pid;
	int rc = attach_find(device, &pid, e);
	node *row;

	if (rc == -ENOENT)
		return attach_nobody(device, e);
	if (rc < 0)
		return rc;
	/* A dry run has found who holds it, and hangs up. */
	if (s->globals.dry_run)
		close(rc);
	else
		rc = release_held(s, device, rc, e);
	if (rc < 0)
		return rc;
	row = doc_row(array);
	doc_text(row, "device", device);
	doc_number(row, "pid", (uint64_t)pid);
	out_text(s->out, "%s: %s by pid %d", device,
		 s->globals.dry_run ? "would be released" : "released", pid);
	return 0;
}

/* All are tried; the first failure is the one that counts. */
static int run_release(struct session *s, const struct args *a, struct error *e)
{
	node *array = doc_array(out_doc(s->out), "released");
	int first = 0;

	if (s->globals.dry_run)
		doc_bool(out_doc(s->out), "dry_run", true);
	for (size_t i = 0; i < 1 + a->nrest; i++) {
		const char *device = i ? a->rest[i - 1] : a->param[0].text;
		struct error one = { 0 };
		int rc = release_one(s, device, array, &one);

		if (!rc)
			continue;
		if (rc == -EINTR) {
			*e = one;
			return rc;
		}
		if (first)
			out_note(s->out, "msictl: %s: release: %s", device, one.message);
		else
			*e = one;
		first = first ? first : rc;
	}
	return first;
}

const struct command cmd_release = {
	.word = "release",
	.summary = "put a held device back and let it go",
	.help = "Vectors, masks, bus mastering and, after hold --bind, the driver are as they were before when this "
		"ends. Exit 3 when nobody holds DEVICE.",
	.family = FAMILY_SCRIPT,
	.flags = CMD_OUTSIDE | CMD_LIVE_HOST,
	COMMAND_PARAMS({ .type = ARG_DEVICE, .many = true }),
	.run = run_release,
};
