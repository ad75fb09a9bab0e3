// SPDX-License-Identifier: GPL-2.0-or-later
/* hold */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sd-notify.h"
#include "base/util.h"
#include "cli/session.h"
#include "cmd/all.h"
#include "cmd/hold.h"
#include "hold/client.h"
#include "hold/server.h"
#include "hold/wire.h"
#include "host/group-holder.h"
#include "host/bind-state.h"
#include "runtime/holders.h"

enum {
	HOLD_FOREGROUND,
	HOLD_BIND,
	HOLD_KEEP
};

struct wanted {
	char *device;
	pid_t taken; /* by a holder that has its IOMMU group already; 0: no */
};

struct hold {
	struct session *s;
	struct wanted *want;
	size_t n;
	bool foreground;
	struct holding how;
	int ready;   /* the pipe to the process that was typed, -1: none */
	FILE *notes; /* its stderr, until it goes on */
};

static int held_already(const char *device, pid_t pid, struct error *e)
{
	_cleanup_free_ char *word = quote_word_dup(device);

	fail(e, CAUSE_BUSY, EADDRINUSE, "%s is held already, by pid %d", device, pid);
	hint(e, "msictl release %s", word ? word : device);
	return -EADDRINUSE;
}

static int check_free(const struct hold *h, struct error *e)
{
	for (size_t i = 0; i < h->n; i++) {
		char name[HOLD_NAME], other[HOLD_NAME];
		pid_t pid;
		int sock;

		hold_name(h->want[i].device, name);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(name, hold_name(h->want[k].device, other)))
				return fail(e, CAUSE_USAGE, 0, "%s is named twice",
					    h->want[i].device);
		sock = attach_find(h->want[i].device, &pid, e);
		if (sock >= 0) {
			close(sock);
			return held_already(h->want[i].device, pid, e);
		}
		if (sock != -ENOENT)
			return sock;
	}
	return 0;
}

/* 0 with the group, -1 when it has none; -errno. */
static int group_of(const struct session *s, const struct pci_addr *a, int *group, struct error *e)
{
	struct bind_state p;
	int rc = bind_state_read(&s->root, a, &p);

	*group = p.group;
	return rc ? root_fail_missed(&s->root, e) : 0;
}

/* The holder holds it as it would be held by us. */
static int ask_to_take(struct hold *h, const struct wanted *w, int sock, struct error *e)
{
	const char *word[4] = { HOLD_TAKE, w->device };
	struct question q = { 0 };
	struct error why = { 0 };
	size_t n = 2;
	int rc;

	if (h->how.bind)
		word[n++] = HOLD_WORD_BIND;
	if (h->how.keep)
		word[n++] = HOLD_WORD_KEEP;
	/* The old driver's goodbye and a reset take as long as they take. */
	rc = attach_ask(h->s, &q, sock, word, n, UINT64_MAX, e);
	if (rc > 0) {
		holder_refused(&q, rc, &why);
		rc = fail(e, why.cause, EIO,
			  "the holder of its IOMMU group, pid %d, could not take %s: %s", q.pid,
			  w->device, why.message);
		hint(e, "%s", why.hint);
	}
	free(q.text);
	return rc;
}

/* A group can be opened by one process only: whoever has it holds this function too. */
static int ask_group_holder(struct hold *h, struct wanted *w, struct error *e)
{
	struct error ignored;
	struct pci_addr a;
	pid_t pid;
	int group, rc;

	if (pci_addr_parse(w->device, &a, &ignored))
		return 0;
	rc = group_of(h->s, &a, &group, e);
	if (rc)
		return rc;
	rc = group < 0 ? -ENOENT : hold_connect_group(&h->s->root, group, &pid);
	if (rc < 0)
		return 0;
	rc = ask_to_take(h, w, rc, e);
	if (rc == 0)
		w->taken = pid;
	return rc;
}

static int take_all(const struct hold *h, struct holder *holder, struct error *e)
{
	_cleanup_free_ const char **device = calloc(h->n, sizeof(*device));
	size_t n = 0;

	if (!device)
		return fail_memory(e);
	for (size_t i = 0; i < h->n; i++)
		if (!h->want[i].taken)
			device[n++] = h->want[i].device;
	return holder_take(holder, device, n, &h->how, e);
}

/* All or nothing: those that other holders have taken for us are let go again. */
static void give_up(struct hold *h)
{
	for (size_t i = 0; i < h->n; i++) {
		const struct wanted *w = &h->want[i];
		struct error e;
		pid_t pid;
		int rc = w->taken ? attach_find(w->device, &pid, &e) : -ENOENT;

		if (rc >= 0)
			rc = release_held(h->s, w->device, rc, &e);
		if (rc < 0 && rc != -ENOENT)
			out_note(h->s->out, "msictl: %s: pid %d holds it still: %s", w->device,
				 w->taken, e.message);
	}
}

static FILE *copy_of_stderr(void)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (f)
		setvbuf(f, NULL, _IOLBF, BUFSIZ);
	else if (fd >= 0)
		close(fd);
	return f;
}

/*
 * A simulation is a process that keeps our stderr: as long as the device is held
 * it would be a pipe of the caller's script. Ours goes elsewhere until he goes on.
 */
static int move_stderr(struct hold *h, struct error *e)
{
	_cleanup_fd_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	h->notes = null < 0 ? NULL : copy_of_stderr();
	if (!h->notes || dup2(null, STDERR_FILENO) < 0)
		return fail(e, CAUSE_FAILED, errno, "stderr can't be moved");
	out_set_streams(h->s->out, stdout, h->notes);
	return 0;
}

/* From here on there is no terminal: who typed the command goes on. */
static int leave_terminal(struct hold *h, struct error *e)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int rc = 0;

	if (null < 0)
		return fail(e, CAUSE_FAILED, errno, "/dev/null can't be opened");
	/* Nobody waits any more: he has been killed. */
	if (write(h->ready, "", 1) != 1)
		rc = fail(e, CAUSE_FAILED, errno, "stopped while the devices were opened");
	for (int fd = 0; rc == 0 && fd <= 2; fd++)
		if (dup2(null, fd) < 0)
			rc = fail(e, CAUSE_FAILED, errno,
				  "/dev/null can't take the terminal's place");
	close(null);
	close(h->ready);
	out_set_streams(h->s->out, stdout, stderr);
	cleanup_file(&h->notes);
	h->s->trace.on = false;
	return rc;
}

static void report(const struct hold *h, pid_t self)
{
	node *array = doc_array(out_doc(h->s->out), "devices");

	for (size_t i = 0; i < h->n; i++) {
		const struct wanted *w = &h->want[i];
		node *row = doc_row(array);

		doc_text(row, "device", w->device);
		doc_number(row, "pid", (uint64_t)(w->taken ? w->taken : self));
		out_text(h->s->out, "%s: held by pid %d", w->device, w->taken ? w->taken : self);
	}
	out_end(h->s->out);
}

static int serve(struct hold *h, struct error *e)
{
	struct holder *holder;
	struct error left;
	int rc = holder_new(&holder, h->s, e), back;

	if (rc)
		return rc;
	rc = take_all(h, holder, e);
	if (rc == 0 && h->ready >= 0)
		rc = leave_terminal(h, e);
	else if (rc == 0)
		report(h, getpid());
	if (rc == 0 && h->foreground)
		sd_notify_state("READY=1");
	if (rc == 0)
		rc = holder_serve(holder);
	back = holder_free(holder, &left);
	if (rc < 0 && !e->message[0])
		fail(e, CAUSE_FAILED, -rc, "waiting for callers failed");
	if (rc == 0 && back)
		*e = left;
	return rc ? rc : back;
}

/* A pipe of the caller's script must not stay open for as long as the device is held. */
static void close_inherited(int root, int pipe)
{
	int low = root < pipe ? root : pipe, high = root < pipe ? pipe : root;

	if (low > 3)
		close_range(3, (unsigned int)low - 1, 0);
	if (high > low + 1)
		close_range((unsigned int)low + 1, (unsigned int)high - 1, 0);
	close_range((unsigned int)high + 1, ~0u, 0);
}

/* 0: it holds; otherwise it has said why not, or died. */
static int wait_for_child(pid_t child, int pipe, struct error *e)
{
	int status;
	ssize_t n;
	char byte;

	do
		n = read(pipe, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return 0;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return fail(e, CAUSE_FAILED, errno, "the holder can't be waited for");
	if (!WIFEXITED(status) || !WEXITSTATUS(status))
		return fail(e, CAUSE_FAILED, 0, "the holder ended before it held anything");
	*e = (struct error){ .cause = (enum cause)WEXITSTATUS(status) };
	return -ECANCELED;
}

static int serve_in_background(struct hold *h, struct error *e)
{
	int pipe[2], rc;
	pid_t child;

	if (pipe2(pipe, O_CLOEXEC) < 0)
		return fail(e, CAUSE_FAILED, errno, "no pipe to the holder");
	child = fork();
	if (child == 0) {
		setsid();
		/*
		 * What was named is named in full; a folder must not stay busy for as long as the
		 * device is held.
		 */
		if (chdir("/") < 0)
			return fail(e, CAUSE_FAILED, errno, "the folder / can't be gone to");
		h->ready = pipe[1];
		close_inherited(h->s->root.fd, pipe[1]);
		rc = move_stderr(h, e);
		return rc ? rc : serve(h, e);
	}
	close(pipe[1]);
	rc = child < 0 ? fail(e, CAUSE_FAILED, errno, "no process to hold it")
		       : wait_for_child(child, pipe[0], e);
	close(pipe[0]);
	if (rc == 0)
		report(h, child);
	return rc;
}

static int hold(struct hold *h, struct error *e)
{
	size_t mine = h->n;
	int rc = check_free(h, e);

	for (size_t i = 0; rc == 0 && !h->foreground && i < h->n; i++) {
		rc = ask_group_holder(h, &h->want[i], e);
		mine -= h->want[i].taken != 0;
	}
	if (rc == 0 && !mine) {
		report(h, 0);
		return 0;
	}
	/*
	 * The loop is that of the questions, and may have heard that we shall stop; a holder has
	 * one of its own.
	 */
	session_close(h->s);
	if (rc == 0)
		rc = h->foreground ? serve(h, e) : serve_in_background(h, e);
	/* ready: we are the holder. */
	if (rc && h->ready < 0)
		give_up(h);
	return rc;
}

static int run_hold(struct session *s, const struct args *a, struct error *e)
{
	struct wanted *want = calloc(1 + a->nrest, sizeof(*want));
	struct hold h = { .s = s,
			  .want = want,
			  .n = 1 + a->nrest,
			  .foreground = a->option[HOLD_FOREGROUND].given,
			  .how = { .bind = a->option[HOLD_BIND].given,
				   .keep = a->option[HOLD_KEEP].given },
			  .ready = -1 };

	int rc = want ? 0 : -ENOMEM;

	for (size_t i = 0; !rc && i < h.n; i++) {
		want[i].device = hold_device(i ? a->rest[i - 1] : a->param[0].text);
		rc = want[i].device ? 0 : -ENOMEM;
	}
	if (rc)
		fail_memory(e);
	else if (s->globals.dry_run)
		rc = fail(e, CAUSE_USAGE, 0,
			  "--dry-run: to hold a device changes none of its vectors");
	else
		rc = hold(&h, e);
	for (size_t i = 0; want && i < h.n; i++)
		free(want[i].device);
	free(want);
	return rc;
}

const struct command cmd_hold = {
	.word = "hold",
	.summary = "keep devices open for the commands that follow",
	.help = "A process in the background opens each DEVICE and runs later commands on it, so that each can be "
		"typed alone, has an exit status of its own, and finds what the one before it left. Functions of one "
		"IOMMU group share a holder. run, shell, info, counters, watch, probe and wait find the holder of "
		"their DEVICE by themselves; several may be at it at once, and a caller that is stopped or killed ends "
		"his command only.\n"
		"release, SIGTERM, SIGINT and SIGHUP put everything back: vectors, masks, bus mastering, and with "
		"--bind the driver. When the kernel wants a device back it is let go at once, which the system's log "
		"and the next command for it tell, and the holder ends with its last device.\n"
		"    msictl hold 01:00.0\n"
		"    msictl enable 01:00.0 msix 4\n"
		"    msictl trigger 01:00.0 msix 0-3\n"
		"    msictl wait 01:00.0 msix all --at-least 1 --timeout 1s\n"
		"    msictl release 01:00.0",
	.family = FAMILY_SCRIPT,
	.flags = CMD_OUTSIDE | CMD_LIVE_HOST,
	COMMAND_PARAMS({ .type = ARG_DEVICE, .many = true }),
	COMMAND_OPTIONS(
		[HOLD_FOREGROUND] = { "foreground", 0, ARG_FLAG, NULL, NULL,
				      "stay, for a service manager; readiness is told to $NOTIFY_SOCKET" },
		[HOLD_BIND] = { "bind", 0, ARG_FLAG, NULL, NULL,
				"give it to vfio-pci first, and back to its driver at the end" },
		[HOLD_KEEP] = { "keep", 0, ARG_FLAG, NULL, NULL,
				"go on when a device was taken back: reopen opens it anew" }),
	.run = run_hold,
};
