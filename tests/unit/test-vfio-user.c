// SPDX-License-Identifier: GPL-2.0-or-later
/* The vfio-user back end's exchanges against a peer that answers by a script, well or badly. */
#include <malloc.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/loop.h"
#include "sim/backend.h"
#include "vu-script.h"

static struct set_outcome outcome;

static void assert_seen(const struct peer *p, unsigned int at, uint32_t flags, unsigned int start,
			unsigned int count, unsigned int nfds)
{
	const struct seen *s = &p->seen[at];

	assert_true(at < p->n);
	assert_int_equal(s->command, VU_DEVICE_SET_IRQS);
	assert_int_equal(s->flags, flags);
	assert_int_equal(s->start, start);
	assert_int_equal(s->count, count);
	assert_int_equal(s->nfds, nfds);
}

/* 20 vectors, first enable: one message without descriptors, then chunks that the peer can take. */
static void test_chunks(void **state)
{
	static const unsigned int max[] = { 1, 8, 16, 253 };
	int fd[20];

	(void)state;
	eventfds(fd, ARRAY_SIZE(fd));
	for (size_t i = 0; i < ARRAY_SIZE(max); i++) {
		struct peer p = { .max_fds = max[i], .at = UINT32_MAX };
		struct irq_set s = set_of(0, 20);
		unsigned int at = 1;
		void *u;

		started(&p, &u);
		assert_int_equal(vfio_user_set_irqs(u, &s, fd, &outcome), 0);
		stop(&p, u);
		if (max[i] < 20)
			assert_seen(&p, at++, ARM, 0, 20, 0);
		for (unsigned int v = 0; v < 20; v += max[i]) {
			unsigned int n = max[i] < 20 - v ? max[i] : 20 - v;

			assert_seen(&p, at++, ARM, v, n, n);
		}
		assert_int_equal(p.n, at);
	}
	close_all(fd, ARRAY_SIZE(fd));
}

/* Runs with and without an eventfd are messages of their own; one that is on hears no count first. */
static void test_runs(void **state)
{
	struct peer p = { .at = UINT32_MAX };
	struct irq_set s = set_of(4, 2);
	int fd[8] = { -1, -1, -1, -1, -1, -1, -1, -1 };
	void *u;

	(void)state;
	eventfds(fd, 2);
	started(&p, &u);
	assert_int_equal(vfio_user_set_irqs(u, &s, fd, &outcome), 0);
	s = set_of(8, 6);
	fd[3] = fd[0], fd[4] = fd[1], fd[0] = fd[1] = -1;
	assert_int_equal(vfio_user_set_irqs(u, &s, fd, &outcome), 0);
	stop(&p, u);
	assert_seen(&p, 1, ARM, 4, 2, 2);
	assert_seen(&p, 2, ARM, 8, 3, 0);
	assert_seen(&p, 3, ARM, 11, 2, 2);
	assert_seen(&p, 4, ARM, 13, 1, 0);
	assert_int_equal(p.n, 5);
	close_all(fd + 3, 2);
}

/* Disabled and enabled again, the peer hears the count first once more. */
static void test_enabled_anew(void **state)
{
	struct peer p = { .max_fds = 8, .at = UINT32_MAX };
	const struct irq_set off = { .index = IRQ_MSIX, .data = IRQ_DATA_NONE };
	struct irq_set s = set_of(0, 10);
	int fd[10];
	void *u;

	(void)state;
	eventfds(fd, ARRAY_SIZE(fd));
	started(&p, &u);
	assert_int_equal(vfio_user_set_irqs(u, &s, fd, &outcome), 0);
	assert_int_equal(vfio_user_set_irqs(u, &off, NULL, &outcome), 0);
	assert_int_equal(vfio_user_set_irqs(u, &s, fd, &outcome), 0);
	stop(&p, u);
	assert_seen(&p, 1, ARM, 0, 10, 0);
	assert_seen(&p, 3, ARM, 8, 2, 2);
	assert_seen(&p, 5, ARM, 0, 10, 0);
	assert_seen(&p, 6, ARM, 0, 8, 8);
	assert_seen(&p, 7, ARM, 8, 2, 2);
	assert_int_equal(p.n, 8);
	close_all(fd, ARRAY_SIZE(fd));
}

/* Of vectors that are named one by one, one that is refused is a failure of all. */
static void test_named_one_by_one(void **state)
{
	(void)state;
	for (unsigned int at = 1; at <= 4; at++) {
		struct peer p = { .max_fds = 1, .at = at, .trick = ERROR_ENOSPC };
		struct irq_set s = {
			.index = IRQ_MSIX, .data = IRQ_DATA_BOOL, .start = 0, .count = 6
		};
		void *u;

		vector_set_add(&s.attach, 0);
		vector_set_add(&s.attach, 2);
		vector_set_add(&s.attach, 5);
		started(&p, &u);
		assert_int_equal(vfio_user_set_irqs(u, &s, NULL, &outcome) < 0, at <= 3);
		stop(&p, u);
		assert_int_equal(p.n, at <= 3 ? at + 1 : 4);
	}
}

/* A path that no socket can have is refused before anything is tried. */
static void test_paths(void **state)
{
	char spec[160] = "vfio-user:";
	const struct open_request req = { .spec = spec, .trace = &quiet, .timeout_us = QUICK };
	const size_t prefix = strlen(spec);
	struct error e;
	void *u;

	(void)state;
	for (size_t n = 0; n <= 110; n++) {
		memset(spec + prefix, 'p', n);
		spec[prefix + n] = '\0';
		e = (struct error){ 0 };
		assert_true(vfio_user_backend.open(&req, &u, &e) < 0);
		assert_int_equal(e.cause == CAUSE_USAGE, n == 0 || n > 107);
		if (e.cause == CAUSE_USAGE)
			assert_string_equal(e.message, "a socket's path has 1 to 107 bytes");
	}
}

/* A server that takes nobody in for now is waited for, as long as the user allows. */
static void test_queue(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/msictl-unit-XXXXXX", spec[160];
	struct open_request req = { .spec = spec, .trace = &quiet, .timeout_us = 300000 };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), full = 0, first[8];
	struct error e = { 0 };
	uint64_t begin;
	void *u;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/s", dir);
	snprintf(spec, sizeof(spec), "vfio-user:%s", sun.sun_path);
	assert_int_equal(bind(listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(listener, 0), 0);
	while (full < 8) {
		first[full] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (connect(first[full++], (struct sockaddr *)&sun, sizeof(sun)) < 0)
			break;
	}
	begin = now_us();
	assert_true(vfio_user_backend.open(&req, &u, &e) < 0);
	assert_true(now_us() - begin >= 300000);
	assert_int_equal(e.cause, CAUSE_BUSY);
	close_all(first, (size_t)full);
	close(listener);
	unlink(sun.sun_path);
	rmdir(dir);
}

static void listens(const char *path, int fd)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	copy_text(sun.sun_path, sizeof(sun.sun_path), path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 0), 0);
}

static void assert_refused(const char *spec, enum cause cause, const char *says)
{
	const struct open_request req = { .spec = spec, .trace = &quiet, .timeout_us = QUICK };
	struct error e = { 0 };
	void *u;

	assert_true(vfio_user_backend.open(&req, &u, &e) < 0);
	assert_int_equal(e.cause, cause);
	if (!strstr(e.message, says))
		fail_msg("\"%s\" lacks \"%s\"", e.message, says);
}

/* What is at a path without a server. find() says so too, and no server hears of it. */
static void test_no_server(void **state)
{
	char dir[] = "/tmp/msictl-unit-XXXXXX", spec[64];
	const struct open_request req = { .spec = spec, .trace = &quiet, .timeout_us = QUICK };
	const char *path = spec + strlen("vfio-user:");
	int fd;
	struct error e;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(spec, sizeof(spec), "vfio-user:%s/s", dir);
	assert_true(vfio_user_backend.claims(spec));
	assert_true(vfio_user_backend.find(&req, &e) < 0);
	assert_int_equal(e.cause, CAUSE_NO_DEVICE);
	assert_refused(spec, CAUSE_NO_DEVICE, "there is no such socket");
	/* a file */
	assert_int_equal(mknod(path, S_IFREG | 0600, 0), 0);
	assert_int_equal(vfio_user_backend.find(&req, &e), -ENOTSOCK);
	assert_refused(spec, CAUSE_NO_DEVICE, "it is no socket");
	assert_int_equal(unlink(path), 0);
	/* a server that was killed */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	listens(path, fd);
	assert_int_equal(vfio_user_backend.find(&req, &e), 0);
	assert_int_equal(accept4(fd, NULL, NULL, SOCK_NONBLOCK), -1);
	close(fd);
	assert_int_equal(vfio_user_backend.find(&req, &e), -ECONNREFUSED);
	assert_int_equal(e.cause, CAUSE_NO_DEVICE);
	assert_refused(spec, CAUSE_NO_DEVICE, "nobody serves this socket any more");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* The process that serves a simulation has ended, and is reaped, when its device is closed. */
static void test_simulation_ends(void **state)
{
	const struct open_request req = { .spec = "sim:msix=1",
					  .trace = &quiet,
					  .timeout_us = PATIENT };
	struct error e;
	void *u;

	(void)state;
	assert_int_equal(sim_backend.open(&req, &u, &e), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), 0);
	vfio_user_close(u);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* Exchanges keep no memory. */
static void test_memory(void **state)
{
	size_t before = 0;

	(void)state;
	for (unsigned int i = 0; i < 40; i++) {
		struct peer p = { .at = 9, .trick = ERROR_ENOSPC };
		uint8_t data[60];
		struct irq_info info;
		void *u;

		/* what the C library keeps for the next call is there by then */
		if (i == 20)
			before = mallinfo2().uordblks;
		started(&p, &u);
		for (int k = 0; k < 4; k++) {
			assert_int_equal(
				vfio_user_region_read(u, REGION_CONFIG, data, sizeof(data), 0), 60);
			assert_int_equal(vfio_user_irq_info(u, IRQ_MSIX, &info), 0);
		}
		assert_int_equal(vfio_user_region_read(u, REGION_CONFIG, data, sizeof(data), 0),
				 -ENOSPC);
		stop(&p, u);
	}
	assert_int_equal(mallinfo2().uordblks, before);
}

/* The third of four chunks fails: all of the first enable is undone, later only what the call was about. */
static void test_roll_back(void **state)
{
	int fd[20];

	(void)state;
	eventfds(fd, ARRAY_SIZE(fd));
	for (int live = 0; live < 2; live++) {
		struct peer p = { .max_fds = 5, .at = 4, .trick = ERROR_ENOSPC };
		struct vector_set before = { 0 };
		struct irq_set s = set_of(0, 1);
		struct set_outcome o;
		void *u;

		started(&p, &u);
		if (live)
			assert_int_equal(vfio_user_set_irqs(u, &s, fd, &outcome), 0);
		s = set_of(2, 20);
		assert_int_equal(vfio_user_set_irqs(u, &s, fd, &outcome), -ENOSPC);
		o = outcome;
		stop(&p, u);
		if (live)
			assert_seen(&p, p.n - 1, ARM, 2, 20, 0);
		else
			assert_seen(&p, p.n - 1, FIRE, 0, 0, 0);
		assert_int_equal(p.n, 6);
		/* What is told of it: all messages, which failed, which were before that, and that they are undone. */
		assert_int_equal(o.messages, live ? 4 : 5);
		vector_set_add_range(&before, 2, 10);
		assert_int_equal(o.start, 12);
		assert_int_equal(o.count, 5);
		assert_memory_equal(&o.armed, &before, sizeof(before));
		assert_true(o.released);
	}
	close_all(fd, ARRAY_SIZE(fd));
}

/* A number behind ENOSPC counts only from a peer that said so, and when it is less than what was asked for. */
static void test_vector_probe(void **state)
{
	static const struct {
		bool said;
		unsigned int start, count;
		int rc;
	} cases[] = {
		{ true, 0, 6, 5 },	 { false, 0, 6, -ENOSPC }, { true, 0, 5, -ENOSPC },
		{ true, 0, 4, -ENOSPC }, { true, 3, 2, -ENOSPC },  { true, 3, 3, 5 },
	};
	int fd[6];

	(void)state;
	eventfds(fd, ARRAY_SIZE(fd));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct peer p = { .grant = cases[i].said, .at = 1, .trick = GRANT };
		struct irq_set s = set_of(cases[i].start, cases[i].count);
		void *u;

		started(&p, &u);
		assert_int_equal(vfio_user_set_irqs(u, &s, fd, &outcome), cases[i].rc);
		stop(&p, u);
	}
	close_all(fd, ARRAY_SIZE(fd));
}

/* One GET_IRQ_INFO that is answered by @trick; then what a further exchange says. */
static int irq_info_under(enum trick trick, struct irq_info *info, int *again, uint32_t *refused)
{
	struct peer p = { .at = 1, .trick = trick };
	struct irq_info other;
	void *u;
	int rc;

	started(&p, &u);
	rc = vfio_user_irq_info(u, IRQ_MSIX, info);
	*again = vfio_user_irq_info(u, IRQ_MSI, &other);
	stop(&p, u);
	*refused = p.refused;
	return rc;
}

static void test_wrong_replies(void **state)
{
	static const struct {
		enum trick trick;
		int rc, again; /* after what leaves the stream in no known state nothing is asked any more */
	} cases[] = {
		{ GOOD, 0, 0 },
		{ WRONG_ID, -EPROTO, -ENOTCONN },
		{ WRONG_COMMAND, -EPROTO, -ENOTCONN },
		{ SHORT_PAYLOAD, -EPROTO, -ENOTCONN },
		{ OVERSIZED, -EPROTO, -ENOTCONN },
		{ SILENT, -ETIMEDOUT, -ENOTCONN },
		{ FLOOD, -EPROTO, -ENOTCONN },
		{ DRIP, -ETIMEDOUT, -ENOTCONN },
		{ ERROR_ZERO, -EIO, 0 },
		{ ERROR_ENOSPC, -ENOSPC, 0 },
		{ GRANT, -ENOSPC, 0 },
		{ WITH_FDS, 0, 0 },
		{ ASKS_FIRST, 0, 0 },
	};
	unsigned int before = open_descriptors();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct irq_info info = { 0 };
		uint64_t begin = now_us();
		uint32_t refused;
		int again, rc = irq_info_under(cases[i].trick, &info, &again, &refused);

		if (rc != cases[i].rc || again != cases[i].again)
			fail_msg("trick %d: %d, then %d", (int)cases[i].trick, rc, again);
		if (rc == 0)
			assert_int_equal(info.count, VECTORS);
		assert_int_equal(refused, cases[i].trick == ASKS_FIRST ? ENOTSUP : 0);
		assert_true(now_us() - begin < PATIENT);
	}
	/* Descriptors that nobody asked for are closed. */
	assert_int_equal(open_descriptors(), before);
}

/* The end of the stream at every byte of a reply. */
static void test_cut(void **state)
{
	unsigned int before = open_descriptors();

	(void)state;
	for (size_t n = 0; n < 64; n++) {
		/* VERSION's reply, then the 32 bytes of GET_IRQ_INFO's */
		struct peer p = { .at = n < 32 ? 0 : 1, .trick = CUT, .arg = n % 32 };
		struct irq_info info;
		struct error e;
		void *u = NULL;
		int rc = start(&p, &u, &e);

		if (p.at == 0) {
			assert_true(rc < 0 && e.message[0]);
			u = NULL;
		} else {
			assert_int_equal(rc, 0);
			rc = vfio_user_irq_info(u, IRQ_MSIX, &info);
			assert_int_equal(rc, -ENOTCONN);
		}
		stop(&p, u);
	}
	assert_int_equal(open_descriptors(), before);
}

/* Large numbers are told as they are; who uses them bounds them. No memory is taken by them here. */
static void test_lies(void **state)
{
	struct peer p = { .at = 1, .trick = LIES };
	struct region_info ri;
	struct irq_info info;
	uint8_t data[4];
	void *u;

	(void)state;
	started(&p, &u);
	assert_int_equal(vfio_user_irq_info(u, IRQ_MSIX, &info), 0);
	assert_int_equal(info.count, UINT32_MAX);
	stop(&p, u);
	p = (struct peer){ .at = 1, .trick = LIES };
	started(&p, &u);
	assert_int_equal(vfio_user_region_info(u, REGION_BAR0, &ri), 0);
	assert_true(ri.size == UINT64_MAX);
	stop(&p, u);
	p = (struct peer){ .at = 1, .trick = LIES };
	started(&p, &u);
	memset(data, 0x11, sizeof(data));
	assert_int_equal(vfio_user_region_read(u, REGION_BAR0, data, sizeof(data), 0), -EPROTO);
	for (size_t i = 0; i < sizeof(data); i++)
		assert_int_equal(data[i], 0x11);
	assert_int_equal(vfio_user_region_read(u, REGION_BAR0, data, sizeof(data), 0), -ENOTCONN);
	stop(&p, u);
}

static void test_regions(void **state)
{
	struct peer p = { .at = UINT32_MAX };
	uint8_t data[4] = { 0 }, large[300] = { 0 };
	void *u;

	(void)state;
	started(&p, &u);
	assert_int_equal(vfio_user_region_read(u, REGION_CONFIG, data, sizeof(data), 8), 4);
	assert_int_equal(data[3], 0x5a);
	assert_int_equal(vfio_user_region_write(u, REGION_BAR0, data, sizeof(data), 8), 4);
	stop(&p, u);
	/* in pieces that the peer can take, the last one shorter */
	p = (struct peer){ .at = UINT32_MAX, .max_xfer = 40 };
	started(&p, &u);
	assert_int_equal(vfio_user_region_read(u, REGION_CONFIG, large, 60, 8), 60);
	for (size_t i = 0; i < sizeof(large); i++)
		assert_int_equal(large[i], i < 60 ? 0x5a : 0);
	stop(&p, u);
	assert_int_equal(p.n, 3);
}

static void test_device(void **state)
{
	struct peer p = { .at = UINT32_MAX };
	struct device_info info;
	struct region_info ri;
	struct error e;
	void *u;

	(void)state;
	started(&p, &u);
	assert_int_equal(vfio_user_device_info(u, &info, &e), 0);
	assert_int_equal(info.regions, 9);
	assert_int_equal(info.irqs, 5);
	assert_false(info.reset);
	assert_int_equal(vfio_user_region_info(u, REGION_BAR0, &ri), 0);
	assert_true(ri.read && ri.write && ri.size == 4096);
	assert_int_equal(vfio_user_region_info(u, REGION_ROM, &ri), 0);
	assert_true(ri.read && !ri.write);
	stop(&p, u);
	p = (struct peer){ .at = UINT32_MAX, .no_pci = true };
	started(&p, &u);
	assert_true(vfio_user_device_info(u, &info, &e) < 0);
	assert_string_equal(e.message, "the served device is no PCI function");
	stop(&p, u);
	p = (struct peer){ .at = 1, .trick = ERROR_ENOSPC };
	started(&p, &u);
	assert_int_equal(vfio_user_device_info(u, &info, &e), -ENOSPC);
	assert_string_equal(e.message, "the peer refused DEVICE_GET_INFO");
	stop(&p, u);
}

/* Between exchanges: a request is refused, the end is told. */
static void test_between(void **state)
{
	struct peer p = { .at = UINT32_MAX };
	struct irq_info info;
	int fd;
	void *u;

	(void)state;
	started(&p, &u);
	fd = vfio_user_peer_fd(u);
	assert_true(fd >= 0);
	shutdown(p.sock, SHUT_RDWR);
	assert_int_equal(vfio_user_peer_ready(u), -ENOTCONN);
	assert_int_equal(vfio_user_peer_ready(u), -ENOTCONN);
	assert_int_equal(vfio_user_irq_info(u, IRQ_MSIX, &info), -ENOTCONN);
	stop(&p, u);
}

static void test_version(void **state)
{
	static const enum trick tricks[] = {
		WRONG_ID, WRONG_COMMAND, SHORT_PAYLOAD, OVERSIZED,
		SILENT,	  ERROR_ZERO,	 ERROR_ENOSPC,	CUT,
	};
	unsigned int before = open_descriptors();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tricks); i++) {
		struct peer p = { .at = 0, .trick = tricks[i], .arg = 4 };
		struct error e;
		void *u;

		assert_true(start(&p, &u, &e) < 0);
		assert_true(e.message[0] && e.cause != CAUSE_NONE);
		assert_int_equal(e.cause == CAUSE_BUSY, tricks[i] == SILENT);
		assert_string_equal(e.hint, tricks[i] == SILENT ? "--timeout T waits longer" : "");
		stop(&p, NULL);
	}
	assert_int_equal(open_descriptors(), before);
}

/* Each reply in time, and all of them together not: the limit is the operation's. */
static void test_late_chunks(void **state)
{
	struct peer p = { .at = UINT32_MAX, .max_xfer = 1, .pause = QUICK / 3 };
	struct irq_set s = set_of(0, 20);
	uint8_t data[60];
	struct error e;
	int fd[20];
	void *u;

	(void)state;
	eventfds(fd, ARRAY_SIZE(fd));
	started(&p, &u);
	assert_int_equal(vfio_user_region_read(u, REGION_CONFIG, data, sizeof(data), 0),
			 -ETIMEDOUT);
	assert_int_equal(vfio_user_peer_end(u, &e), -ETIMEDOUT);
	stop(&p, u);
	p = (struct peer){ .at = UINT32_MAX, .max_fds = 1, .pause = QUICK / 3 };
	started(&p, &u);
	assert_int_equal(vfio_user_set_irqs(u, &s, fd, &outcome), -ETIMEDOUT);
	assert_true(p.n < 20);
	stop(&p, u);
	close_all(fd, ARRAY_SIZE(fd));
}

/* A signal that asks to stop, and the moment after which nothing new is asked any more. */
static void stop_asking(void *u)
{
	struct irq_info info;
	int rc;

	raise(SIGINT);
	do {
		rc = vfio_user_irq_info(u, IRQ_MSIX, &info);
	} while (rc == 0);
	assert_int_equal(rc, -EINTR);
}

static struct loop *loop_hearing(void)
{
	struct loop *l;

	signal(SIGINT, SIG_DFL); /* it may be ignored, as in the background */
	assert_int_equal(loop_new(&l), 0);
	alarm(60);
	return l;
}

/* Afterwards the connection stands, and what puts back goes over it as before. */
static void test_stop(void **state)
{
	const struct irq_set off = { .index = IRQ_MSIX,
				     .action = IRQ_ACTION_TRIGGER,
				     .data = IRQ_DATA_NONE };
	const struct irq_set unmask = {
		.index = IRQ_MSIX, .action = IRQ_ACTION_UNMASK, .data = IRQ_DATA_NONE, .count = 1
	};
	const struct irq_set fire = {
		.index = IRQ_MSIX, .action = IRQ_ACTION_TRIGGER, .data = IRQ_DATA_NONE, .count = 1
	};
	struct peer p = { .at = UINT32_MAX, .loop = loop_hearing() };
	struct irq_set s = set_of(0, 2);
	int fd[2], none[2] = { -1, -1 };
	struct irq_info info;
	uint8_t data[64];
	struct error e;
	void *u;

	(void)state;
	eventfds(fd, ARRAY_SIZE(fd));
	started(&p, &u);
	assert_int_equal(vfio_user_set_irqs(u, &s, fd, &outcome), 0);
	stop_asking(u);
	assert_int_equal(vfio_user_peer_end(u, &e), -EINTR);
	assert_int_equal(vfio_user_set_irqs(u, &s, fd, &outcome), -EINTR);
	assert_int_equal(vfio_user_set_irqs(u, &fire, NULL, &outcome), -EINTR);
	assert_int_equal(vfio_user_region_read(u, REGION_CONFIG, data, 60, 0), -EINTR);
	assert_int_equal(vfio_user_reset(u), -EINTR);
	assert_int_equal(vfio_user_region_read(u, REGION_CONFIG, data, 2, 4), 2);
	assert_int_equal(vfio_user_region_write(u, REGION_CONFIG, data, 2, 4), 2);
	assert_int_equal(vfio_user_set_irqs(u, &unmask, NULL, &outcome), 0);
	assert_int_equal(vfio_user_set_irqs(u, &s, none, &outcome), 0);
	assert_int_equal(vfio_user_set_irqs(u, &off, NULL, &outcome), 0);
	/* the shell goes on */
	loop_clear(p.loop);
	assert_int_equal(vfio_user_peer_end(u, &e), 0);
	assert_int_equal(vfio_user_irq_info(u, IRQ_MSIX, &info), 0);
	stop(&p, u);
	alarm(0);
	loop_free(p.loop);
	close_all(fd, ARRAY_SIZE(fd));
}

/* Within a set of many messages, too: what came before is undone. */
static void test_stop_within_set(void **state)
{
	struct peer p = { .at = UINT32_MAX, .max_fds = 1, .pause = 50000, .loop = loop_hearing() };
	struct irq_set s = set_of(0, VECTORS);
	int fd[VECTORS];
	void *u;

	(void)state;
	eventfds(fd, ARRAY_SIZE(fd));
	started(&p, &u);
	raise(SIGINT);
	assert_int_equal(vfio_user_set_irqs(u, &s, fd, &outcome), -EINTR);
	stop(&p, u);
	assert_true(p.n < VECTORS);
	assert_seen(&p, p.n - 1, FIRE, 0, 0, 0);
	alarm(0);
	loop_free(p.loop);
	close_all(fd, ARRAY_SIZE(fd));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_enabled_anew),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_named_one_by_one),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_no_server),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_simulation_ends),
		cmocka_unit_test(test_roll_back),
		cmocka_unit_test(test_vector_probe),
		cmocka_unit_test(test_wrong_replies),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_device),
		cmocka_unit_test(test_between),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_late_chunks),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_stop_within_set),
	};

	return cmocka_run_group_tests_name("vfio-user", tests, NULL, NULL);
}
