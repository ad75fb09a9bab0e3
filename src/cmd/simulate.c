// SPDX-License-Identifier: GPL-2.0-or-later
/* simulate: a function without hardware, served over vfio-user. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/fdlimit.h"
#include "base/util.h"
#include "cli/session.h"
#include "cmd/all.h"
#include "sim/device.h"
#include "sim/listen.h"
#include "sim/server.h"
#include "vfio-user/leave.h"
#include "vfio-user/wire.h"

/*
 * An eventfd for each vector of the three indexes, those of a message in flight, and our own few.
 */
#define DESCRIPTORS (MAX_VECTORS + VU_MAX_FDS + 64u)

static void announce(struct out *o, const char *path, const struct sim_spec *spec)
{
	node *doc = out_doc(o);

	doc_text(doc, "socket", path);
	doc_number(doc, "msix", spec->msix);
	doc_number(doc, "msi", spec->msi);
	out_text(o, "listening on %s: msix %u, msi %u; open it as vfio-user:%s", path, spec->msix,
		 spec->msi, path);
	/* Whoever started us waits for this line. */
	out_end(o);
}

static void want_descriptors(struct out *o)
{
	uint64_t limit = 0;

	if (fdlimit_raise(DESCRIPTORS + VU_MAX_KEPT, &limit) < 0 &&
	    fdlimit_raise(DESCRIPTORS, &limit) < 0)
		out_note(o,
			 "msictl: only %" PRIu64
			 " descriptors are allowed (ulimit -Hn): arming many vectors will fail",
			 limit);
}

static void distrust(struct out *o, struct vu_server *server)
{
	int rc = vu_server_distrust(server);

	if (rc)
		out_note(o,
			 "warning: descriptors of clients can't be kept apart (%s): "
			 "a client that sends one whose closing waits holds this server up",
			 strerror(-rc));
}

/* Takes @l over. */
static int serve(struct session *s, struct sim_device *d, struct vu_listener *l,
		 const struct sim_spec *spec, struct error *e)
{
	struct vu_server *server;
	int rc = vu_server_new(&server, d, s->loop);

	if (rc) {
		vu_unlisten(l);
		close(l->fd);
		return fail(e, CAUSE_FAILED, -rc, "the server: %s", strerror(-rc));
	}
	rc = vu_server_listen(server, l->fd);
	if (!rc) {
		distrust(s->out, server);
		announce(s->out, l->path, spec);
		rc = vu_server_run(server, false);
	}
	vu_unlisten(l);
	vu_server_free(server);
	/* A signal is how a server is ended. */
	return rc && rc != -EINTR ? fail(e, CAUSE_FAILED, -rc, "serving ended: %s", strerror(-rc))
				  : 0;
}

static int run_simulate(struct session *s, const struct args *a, struct error *e)
{
	struct vu_listener l;
	struct sim_device *d;
	struct sim_spec spec;
	int rc = sim_spec_parse(a->param[1].text, &spec, e);

	if (rc)
		return rc;
	/* Signals are heard from here on, so that the socket's file is not left behind. */
	if (!session_loop(s, e))
		return -e->err;
	rc = sim_device_new(&d, &spec);
	if (rc)
		return fail(e, CAUSE_FAILED, -rc, "the simulated function: %s", strerror(-rc));
	sim_accept_pieces(d);
	sim_distrust_clients(d);
	want_descriptors(s->out);
	rc = vu_listen(&l, a->param[0].text, e);
	if (!rc)
		rc = serve(s, d, &l, &spec, e);
	sim_device_free(d);
	return rc;
}

const struct command cmd_simulate = {
	.word = "simulate",
	.summary = "serve a simulated function over vfio-user",
	.help = "Makes the socket for its user alone (mode 0600), replaces one that nobody serves any more, and refuses one that is served (exit 5). "
		"Prints a line when it listens; "
		"SIGTERM, SIGINT and SIGHUP remove the socket and end it. "
		"Clients are served one after another: "
		"the next one's connection waits until the former has gone.\n"
		"A client may send the eventfds of MSI, or of a noresize MSI-X, in several messages: "
		"a message that names no live vector may reach behind what was enabled so far.\n"
		"A descriptor of a client that is no eventfd is never closed by this process, for its closing may wait: "
		"it stays open until the client has gone, and a process msictl-shed closes it.\n"
		"SPEC is a list such as msix=64,msi=16,noresize, the same as behind DEVICE sim: "
		"takes.\n"
		"    msictl simulate /run/dev.sock msix=256 &\n"
		"    msictl shell vfio-user:/run/dev.sock\n"
		"    qemu-system-x86_64 ... -device '{\"driver\": \"vfio-user-pci\", \"socket\": "
		"{\"type\": \"unix\", \"path\": \"/run/dev.sock\"}}'",
	.family = FAMILY_SCRIPT,
	.flags = CMD_OUTSIDE,
	.ends = 1u << CAUSE_BUSY,
	COMMAND_PARAMS({ .type = ARG_FILE, .name = "SOCKET" },
		       { .type = ARG_SPEC, .optional = true }),
	.glossary = { { "Words of SPEC, joined by commas", sim_spec_word_at },
		      { "Registers of the device, 32 bits each: write bar0 OFFSET l VALUE",
			sim_register_word_at } },
	.run = run_simulate,
};
