// SPDX-License-Identifier: GPL-2.0-or-later
/* "sim[:SPEC]": a simulated function of one's own, served by a child over a socketpair. */
#include "sim/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fdlimit.h"
#include "base/loop.h"
#include "base/util.h"
#include "sim/device.h"
#include "sim/server.h"
#include "sim/spec.h"
#include "vfio-user/client.h"

#define WORD "sim"

static bool claims_sim(const char *spec)
{
	size_t n = strlen(WORD);

	return strncmp(spec, WORD, n) == 0 && (spec[n] == '\0' || spec[n] == ':');
}

static const char *spec_of(const char *device)
{
	return device[strlen(WORD)] ? device + strlen(WORD) + 1 : "";
}

/* The child keeps nothing of the parent but the socket, which becomes descriptor 3, and stderr. */
static int keep_only(int sock)
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(sock, 3) != 3)
		return -errno;
	return close_range(4, ~0u, 0) < 0 ? -errno : 0;
}

static void serve_sim(int sock, const struct sim_spec *spec)
{
	struct sim_device *d = NULL;
	struct vu_server *s = NULL;
	struct loop *loop = NULL;
	uint64_t limit;

	/* Ctrl-C at the terminal is for the parent; its end is ours. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "msictl-sim");
	if (keep_only(sock))
		return;
	fdlimit_raise(2 * MAX_VECTORS, &limit);
	if (loop_new(&loop) == 0 && sim_device_new(&d, spec) == 0 &&
	    vu_server_new(&s, d, loop) == 0 && vu_server_serve(s, 3) == 0)
		vu_server_run(s, true);
	vu_server_free(s);
	loop_free(loop);
	sim_device_free(d);
}

static int sim_open(const struct open_request *req, void **handle, struct error *e)
{
	struct sim_spec spec;
	sigset_t none;
	int pair[2], rc;
	pid_t child;

	rc = sim_spec_parse(spec_of(req->spec), &spec, e);
	if (rc)
		return rc;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return fail(e, CAUSE_FAILED, errno, "no socket pair for the simulation");
	child = fork();
	if (child == 0) {
		/* The parent's loop blocks the signals that would end us. */
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		serve_sim(pair[1], &spec);
		_exit(0);
	}
	close(pair[1]);
	if (child < 0) {
		rc = fail(e, CAUSE_FAILED, errno, "no process for the simulation");
		close(pair[0]);
		return rc;
	}
	return vfio_user_start(pair[0], child, req, handle, e);
}

const struct backend sim_backend = {
	.name = WORD,
	.help = "sim[:SPEC], a simulated function: msix=N,msi=N,noresize,host=N,fail-at=N,...",
	.ops = &vfio_user_ops,
	.claims = claims_sim,
	.open = sim_open,
	.close = vfio_user_close,
};
