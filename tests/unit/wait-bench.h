/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine for tests of wait: a tree that they change between two steps; libnl's nl_recv() is the test's own. */
#ifndef TEST_WAIT_BENCH_H
#define TEST_WAIT_BENCH_H

#include <errno.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/resource.h>

#include "cmd/all.h"
#include "cli/session.h"
#include "tree.h"
#include "base/util.h"

#define DEV "sys/bus/pci/devices/0000:04:00.0"

#define FUNCTION "/devices/pci0000:00/0000:00:04.0/0000:04:00.0"

struct machine {
	struct tree tree;
	struct session s;
	struct args args;
	FILE *data, *notes;
	char *text, *note;
	size_t text_size, note_size;
	struct error e;
	uint64_t due;
};

/* What the kernel will say next: a message, or an error of libnl. */
static struct {
	const char *msg;
	size_t size;
	int error;
} queue[8];
static unsigned int queued, told;
static int wake[2] = { -1, -1 };

int nl_socket_get_fd(const struct nl_sock *sock)
{
	(void)sock;
	return wake[0];
}

int nl_recv(struct nl_sock *sock, struct sockaddr_nl *from, unsigned char **buf,
	    struct ucred **cred)
{
	(void)sock;
	if (told == queued)
		return -NLE_AGAIN;
	if (queue[told].error)
		return queue[told++].error;
	*from = (struct sockaddr_nl){ 0 };
	*cred = calloc(1, sizeof(**cred));
	*buf = malloc(queue[told].size);
	assert_non_null(*buf);
	memcpy(*buf, queue[told].msg, queue[told].size);
	return (int)queue[told++].size;
}

static inline int setup(void **state)
{
	struct machine *m = calloc(1, sizeof(*m));
	const struct out_options opt = { 0 };

	assert_non_null(m);
	tree_new(&m->tree);
	m->s.root = m->tree.root;
	m->s.root.live = true;
	m->data = open_memstream(&m->text, &m->text_size);
	m->notes = open_memstream(&m->note, &m->note_size);
	assert_int_equal(out_new(&m->s.out, &opt), 0);
	out_set_streams(m->s.out, m->data, m->notes);
	assert_int_equal(pipe2(wake, O_NONBLOCK | O_CLOEXEC), 0);
	queued = told = 0;
	*state = m;
	return 0;
}

static inline int teardown(void **state)
{
	struct machine *m = *state;

	session_unstay(&m->s);
	loop_free(m->s.loop);
	out_free(m->s.out);
	fclose(m->data);
	fclose(m->notes);
	free(m->text);
	free(m->note);
	tree_free(&m->tree);
	free(m);
	close(wake[0]);
	close(wake[1]);
	return 0;
}

/* As typed; 0: it waits now. */
static inline int typed(struct machine *m, const char *line)
{
	char *words = strdup(line), *argv[16], *next;
	int n, rc;

	session_unstay(&m->s);
	m->e = (struct error){ 0 };
	assert_non_null(words);
	n = line_split(words, argv, ARRAY_SIZE(argv) - 1, &next, &m->e);
	assert_true(n > 0);
	argv[n] = NULL;
	assert_int_equal(
		command_parse(&cmd_wait, n, argv, m->s.inside, &m->s.globals, &m->args, &m->e), 0);
	rc = cmd_wait.run(&m->s, &m->args, &m->e);
	free(words);
	return rc;
}

/* One look at what has come; its result is in m->text. */
static inline int step(struct machine *m)
{
	assert_true(loop_wait(m->s.loop, 0) >= 0);
	return session_step(&m->s, &m->due, &m->e);
}

static inline void says(struct machine *m, const char *text)
{
	out_end(m->s.out);
	fflush(m->data);
	fflush(m->notes);
	if (!strstr(m->text, text) && !strstr(m->note, text))
		fail_msg("expected \"%s\" in \"%s\" or \"%s\"", text, m->text, m->note);
}

static inline void refused(struct machine *m, enum cause cause, const char *text)
{
	if (!strstr(m->e.message, text))
		fail_msg("expected \"%s\" in \"%s\"", text, m->e.message);
	assert_int_equal(m->e.cause, cause);
	/* that something did not come is no failure of a system call */
	if (cause == CAUSE_EXPECTATION)
		assert_int_equal(m->e.err, 0);
}

static inline void hear(const char *msg, size_t size, int error)
{
	assert_true(queued < ARRAY_SIZE(queue));
	queue[queued].msg = msg;
	queue[queued].size = size;
	queue[queued++].error = error;
	assert_int_equal(write(wake[1], "", 1), 1);
}

#define HEAR(text) hear(text, sizeof(text), 0)

static inline void driver(struct machine *m, const char *name)
{
	char path[PATH_MAX], target[128];

	unlink(tree_path(&m->tree, DEV "/driver", path));
	if (!name)
		return;
	snprintf(target, sizeof(target), "/sys/bus/pci/drivers/%s", name);
	tree_folder(&m->tree, target + 1);
	tree_link(&m->tree, DEV "/driver", target);
}

static inline void function_here(struct machine *m)
{
	tree_text(&m->tree, DEV "/vendor", "0x1b36\n");
}

static inline void function_gone(struct machine *m)
{
	char path[PATH_MAX];

	driver(m, NULL);
	unlink(tree_path(&m->tree, DEV "/vendor", path));
	assert_int_equal(rmdir(tree_path(&m->tree, DEV, path)), 0);
}

/* An MSI-X function of four vectors with IRQs 40 and 41 for the first two. */
static inline void counting_function(struct machine *m)
{
	uint8_t config[256] = { 0x36, 0x1b,	     0x10,	    0x00,	  0x06,
				0x04, [0x06] = 0x10, [0x34] = 0x40, [0x40] = 0x11 };

	config[0x42] = 3; /* table size - 1 */
	tree_bytes(&m->tree, DEV "/config", config, sizeof(config));
	function_here(m);
	for (int irq = 40; irq <= 41; irq++) {
		char path[96], text[64];

		snprintf(path, sizeof(path), DEV "/msi_irqs/%d", irq);
		tree_text(&m->tree, path, "msix\n");
		snprintf(path, sizeof(path), "sys/kernel/irq/%d/actions", irq);
		snprintf(text, sizeof(text), "vfio-msix[%d](0000:04:00.0)\n", irq - 40);
		tree_text(&m->tree, path, text);
		snprintf(path, sizeof(path), "sys/kernel/irq/%d/chip_name", irq);
		tree_text(&m->tree, path, "IR-PCI-MSI\n");
		snprintf(path, sizeof(path), "sys/kernel/irq/%d/hwirq", irq);
		snprintf(text, sizeof(text), "%d\n", irq - 40);
		tree_text(&m->tree, path, text);
	}
}

static inline void counts(struct machine *m, const char *first, const char *second)
{
	tree_text(&m->tree, "sys/kernel/irq/40/per_cpu_count", first);
	tree_text(&m->tree, "sys/kernel/irq/41/per_cpu_count", second);
}

#endif
