// SPDX-License-Identifier: GPL-2.0-or-later
/* capture */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "capture/take.h"
#include "cli/session.h"
#include "cmd/all.h"

enum {
	CAPTURE_DEVICE,
	CAPTURE_VPD,
	CAPTURE_SERIALS,
	CAPTURE_FORCE,
	CAPTURE_SCRIPT,
};

struct capturing {
	struct session *s;
	struct capture_options opt;
	struct pci_addr device;
	struct capture_result result;
	bool script, force;
};

static int put(struct capturing *c, FILE *to, struct error *e)
{
	int rc;

	if (!c->script)
		return capture_take(&c->s->root, &c->opt, to, &c->result, e);
	rc = capture_script(c->opt.version, to);
	return rc ? fail(e, CAUSE_FAILED, -rc, "the script could not be written") : 0;
}

static int to_stdout(struct capturing *c, struct error *e)
{
	_cleanup_fd_ int fd = -1;
	FILE *to;
	int rc;

	if (out_terminal(c->s->out) >= 0) {
		fail(e, CAUSE_USAGE, 0, "a capture is not for a terminal");
		hint(e, "msictl capture%s FILE, or msictl capture%s | less",
		     c->script ? " --script" : "", c->script ? " --script" : "");
		return -EINVAL;
	}
	fd = dup(STDOUT_FILENO);
	to = fd < 0 ? NULL : fdopen(fd, "w");
	if (!to)
		return fail(e, CAUSE_FAILED, errno, "the capture cannot be written to stdout");
	take_fd(&fd);
	rc = put(c, to, e);
	if (fclose(to) && !rc)
		rc = fail(e, CAUSE_FAILED, errno, "the capture could not be written");
	return rc;
}

static int refuse_file(const char *file, int err, struct error *e)
{
	fail(e, err == EACCES ? CAUSE_PERMISSION : CAUSE_FAILED, err, "%s cannot be written", file);
	if (err == EEXIST)
		hint(e, "another name, or --force to write it anew");
	return -err;
}

/*
 * Written beside, so that FILE is there whole or not at all; renamed over another one only by
 * --force.
 */
static int commit(const char *beside, const char *file, bool force)
{
	if (renameat2(AT_FDCWD, beside, AT_FDCWD, file, force ? 0 : RENAME_NOREPLACE) == 0)
		return 0;
	/* a file system that knows no flags */
	if (errno != EINVAL || force || link(beside, file) < 0)
		return -errno;
	unlink(beside);
	return 0;
}

static int write_beside(struct capturing *c, const char *beside, int fd, const char *file,
			struct error *e)
{
	mode_t mask = umask(0);
	FILE *to = fdopen(fd, "w");
	int rc;

	umask(mask);
	if (!to) {
		rc = refuse_file(file, errno, e);
		close(fd);
		return rc;
	}
	fchmod(fd, (c->script ? 0777 : 0666) & ~mask);
	rc = put(c, to, e);
	if (fclose(to) && !rc)
		rc = fail(e, CAUSE_FAILED, errno, "the capture could not be written");
	if (rc)
		return rc;
	rc = commit(beside, file, c->force);
	return rc ? refuse_file(file, -rc, e) : 0;
}

static int to_file(struct capturing *c, const char *file, struct error *e)
{
	_cleanup_free_ char *beside = NULL;
	struct stat st;
	int fd, rc;

	if (!lstat(file, &st) && (!c->force || !S_ISREG(st.st_mode)))
		return refuse_file(file, EEXIST, e);
	if (asprintf(&beside, "%s.XXXXXX", file) < 0)
		return fail_memory(e);
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return refuse_file(file, errno, e);
	rc = write_beside(c, beside, fd, file, e);
	if (rc)
		unlink(beside);
	return rc;
}

static void tell(const struct capturing *c, const char *file)
{
	struct out *o = c->s->out;
	const struct capture_result *r = &c->result;
	node *doc = out_doc(o);

	doc_text(doc, "file", file);
	if (c->script)
		return;
	doc_number(doc, "files", r->files);
	doc_number(doc, "links", r->links);
	doc_number(doc, "unread", r->unread);
	out_note(o, "%u files and %u links in %s", r->files, r->links, file ? file : "the capture");
	if (r->unread)
		out_note(o, "%u could not be read: a line with ! and the error stands for each%s",
			 r->unread, c->s->root.live && geteuid() ? "; root can read more" : "");
	if (r->outside)
		out_note(o, "%u links lead out of the root: left out", r->outside);
}

static int run_capture(struct session *s, const struct args *a, struct error *e)
{
	struct capturing c = {
		.s = s,
		.opt = { .vpd = a->option[CAPTURE_VPD].given,
			 .serials = a->option[CAPTURE_SERIALS].given,
			 .version = MSICTL_VERSION },
		.script = a->option[CAPTURE_SCRIPT].given,
		.force = a->option[CAPTURE_FORCE].given,
	};
	const char *file = a->param[0].given ? a->param[0].text : NULL;
	int rc;

	if (a->option[CAPTURE_DEVICE].given) {
		rc = pci_addr_parse(a->option[CAPTURE_DEVICE].text, &c.device, e);
		if (rc)
			return rc;
		c.opt.device = &c.device;
	}
	if (!file && out_is_json(s->out))
		return fail(e, CAUSE_USAGE, 0,
			    "a capture on stdout leaves no place for JSON: FILE is missing");
	rc = file ? to_file(&c, file, e) : to_stdout(&c, e);
	if (!rc)
		tell(&c, file);
	return rc;
}

const struct command cmd_capture = {
	.word = "capture",
	.summary = "write what msictl reads of this machine into one text file",
	.help = "--root FILE reads it in place of /sys and /proc, on any machine. "
		"Without FILE it goes to stdout. The head of the file says what was left out: "
		"processes, host names, serial numbers, most of the kernel's command line. "
		"It is text, to be read before it is sent, compared, or changed; "
		"msictl-capture(5) has the format. Nothing is opened or changed. "
		"Users other than root get less, and the file says so.\n"
		"With --root DIR or --root FILE a copy is captured instead of this machine.\n"
		"    sudo msictl capture host.capture && msictl --root host.capture list\n"
		"    msictl capture --script >capture.sh; "
		"ssh root@host sh <capture.sh >host.capture",
	.family = FAMILY_LOOK,
	.flags = CMD_OUTSIDE,
	COMMAND_PARAMS({ .type = ARG_FILE, .optional = true }),
	COMMAND_OPTIONS(
		[CAPTURE_DEVICE] = { "device", 0, ARG_DEVICE, NULL, NULL,
				     "only this function, its bridges and its IOMMU group" },
		[CAPTURE_VPD] = { "with-vpd", 0, ARG_FLAG, NULL, NULL,
				  "with vital product data, which has serial numbers" },
		[CAPTURE_SERIALS] = { "with-serials", 0, ARG_FLAG, NULL, NULL,
				      "with Device Serial Numbers and those of CPUs" },
		[CAPTURE_FORCE] = { "force", 'f', ARG_FLAG, NULL, NULL, "write over FILE" },
		[CAPTURE_SCRIPT] = { "script", 0, ARG_FLAG, NULL, NULL,
				     "print a script for POSIX shells that does the same, without --device" }),
	.run = run_capture,
};
