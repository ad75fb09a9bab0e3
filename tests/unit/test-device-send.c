// SPDX-License-Identifier: GPL-2.0-or-later
/* What the state say after a SET_IRQS: which vectors have a Linux IRQ, an eventfd, and what a failed call left. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "device-rig.h"
#include "tree.h"

#define BDF "0000:04:00.0"

static const struct device_ops on_host = { KERNEL_FACTS, RIG_OPERATIONS, .table_by_region = true,
					   .host_irqs = true };

/* The folder of the host's IRQs; a test fills it. */
static void with_host(struct rig *r, struct tree *t)
{
	tree_new(t);
	r->d.ops = &on_host;
	r->d.root = &t->root;
	r->d.has_addr = true;
	r->d.addr = (struct pci_addr){ 0, 4, 0, 0 };
	tree_folder(t, "sys/bus/pci/devices/" BDF "/msi_irqs");
	tree_text(t, "proc/interrupts", "  CPU0\n 1: 0 IO-APIC 1-edge      i8042\n");
}

static void host_irq(const struct tree *t, unsigned int irq, const char *mode, const char *action)
{
	char path[128];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/" BDF "/msi_irqs/%u", irq);
	tree_text(t, path, mode);
	snprintf(path, sizeof(path), "sys/kernel/irq/%u/actions", irq);
	tree_text(t, path, action);
}

static struct change fails(struct rig *r, enum irq_index index, const char *vectors)
{
	struct vector_set which = rig_set(vectors);
	struct change c = { 0 };
	struct error e;

	r->set_rc[r->sets] = -ENOMEM;
	assert_int_equal(device_enable(&r->d, index, &which,
				       (struct change_how){ .no_repair = true }, &c, &e),
			 -ENOMEM);
	return c;
}

/* After a failure the host's word counts: what it still has, and nothing else. */
static void what_the_host_has(void **state)
{
	struct rig *r = *state;
	const struct index *ix = &r->d.irq[IRQ_MSIX];
	struct change c;
	struct tree t;

	with_host(r, &t);
	rig_enable(r, IRQ_MSIX, "0-3");
	host_irq(&t, 33, "msix\n", "vfio-msix[0](" BDF ")\n");
	host_irq(&t, 34, "msix\n", "vfio-msix[2](" BDF ")\n");
	c = fails(r, IRQ_MSIX, "0-7");
	assert_true(ix->enabled);
	rig_is(ix->allocated, "0,2");
	rig_is(device_armed(&r->d, IRQ_MSIX), "0,2");
	rig_is(c.dropped, "1,3");
	rig_is(c.unknown, "none");
	assert_int_equal(c.unread, 0);
	assert_int_equal(c.calls, 1);
	tree_free(&t);
}

/* None: the index is off. IRQs of another index do not count. */
static void the_host_has_none(void **state)
{
	struct rig *r = *state;
	const struct index *ix = &r->d.irq[IRQ_MSIX];
	struct tree t;

	with_host(r, &t);
	rig_enable(r, IRQ_MSIX, "0-3");
	host_irq(&t, 33, "msi\n", "vfio-msi[0](" BDF ")\n");
	fails(r, IRQ_MSIX, "0-7");
	assert_false(ix->enabled);
	rig_is(ix->allocated, "none");
	rig_is(device_armed(&r->d, IRQ_MSIX), "none");
	for (unsigned int v = 0; v < 8; v++)
		assert_int_equal(ix->vector[v]->source.fd, -1);
	tree_free(&t);
}

/* An IRQ whose vector nobody tells may be any of those that were allocated. */
static void an_irq_without_a_number(void **state)
{
	struct rig *r = *state;
	const struct index *ix = &r->d.irq[IRQ_MSIX];
	struct tree t;

	with_host(r, &t);
	rig_enable(r, IRQ_MSIX, "0-3");
	host_irq(&t, 33, "msix\n", "vfio-msix[0](" BDF ")\n");
	host_irq(&t, 34, "msix\n", "\n");
	fails(r, IRQ_MSIX, "0-7");
	assert_true(ix->enabled);
	rig_is(ix->allocated, "0-3");
	tree_free(&t);
}

/* Where no host can be asked, what failed has no eventfd, and nothing is called unknown. */
static void nobody_to_ask(void **state)
{
	struct rig *r = *state;
	struct change c;

	r->d.ops = &rig_peer;
	rig_enable(r, IRQ_MSIX, "0-3");
	c = fails(r, IRQ_MSIX, "0-7");
	rig_is(device_armed(&r->d, IRQ_MSIX), "0-3");
	assert_int_equal(r->d.irq[IRQ_MSIX].vector[5]->source.fd, -1);
	rig_is(c.unknown, "none");
	assert_int_equal(c.unread, 0);
	/* a back end of the host's whose device has no address */
	rig_disable(r, IRQ_MSIX);
	r->d.ops = &on_host;
	r->d.has_addr = false;
	rig_enable(r, IRQ_MSIX, "0-3");
	c = fails(r, IRQ_MSIX, "0-7");
	rig_is(device_armed(&r->d, IRQ_MSIX), "0-3");
	assert_int_equal(c.unread, 0);
}

/* The enabling call allocates all up to its last vector, a later one what it arms. */
static void what_is_allocated(void **state)
{
	struct rig *r = *state;
	struct index *ix = &r->d.irq[IRQ_MSIX];
	struct change c = rig_enable(r, IRQ_MSIX, "5");

	assert_int_equal(c.calls, 2);
	rig_is(ix->allocated, "0,5");
	c = rig_enable(r, IRQ_MSIX, "7-8");
	assert_int_equal(c.calls, 1);
	rig_is(ix->allocated, "0,5,7-8");
	rig_disable(r, IRQ_MSIX);
	rig_is(ix->allocated, "none");
	assert_false(ix->enabled);
	ix->info.flags |= IRQ_NORESIZE;
	rig_enable(r, IRQ_MSIX, "5");
	rig_is(ix->allocated, "0-5");
	for (unsigned int v = 0; v < 5; v++)
		assert_int_equal(r->fd[v], -1);
	assert_int_equal(r->fd[5], ix->vector[5]->source.fd);
	assert_true(r->fd[5] >= 0);
}

/* INTx and the messages stay on without an eventfd; ERR does not. */
static void on_without_an_eventfd(void **state)
{
	static const enum irq_index indexes[] = { IRQ_INTX, IRQ_MSI, IRQ_MSIX, IRQ_ERR };
	struct vector_set one = rig_set("0");
	struct rig *r = *state;
	struct error e;

	for (size_t i = 0; i < ARRAY_SIZE(indexes); i++) {
		const struct index *ix = &r->d.irq[indexes[i]];

		rig_enable(r, indexes[i], "0");
		assert_int_equal(device_mask(&r->d, indexes[i], &one, MASK_EVENTFD, true, &e), 0);
		assert_int_equal(ix->enabled, indexes[i] != IRQ_ERR);
		assert_false(ix->vector[0]->armed);
		assert_int_equal(device_mask(&r->d, indexes[i], &one, MASK_NOT, false, &e), 0);
		assert_true(ix->enabled && ix->vector[0]->armed);
		rig_disable(r, indexes[i]);
	}
}

static int slow_set_irqs(void *handle, const struct irq_set *s, const int32_t *eventfd,
			 struct set_outcome *o)
{
	uint64_t begin = now_us();

	while (now_us() == begin)
		;
	return rig_set_irqs(handle, s, eventfd, o);
}

/* Their number and their time. */
static void calls_are_counted(void **state)
{
	static const struct device_ops slow = { KERNEL_FACTS, .set_irqs = slow_set_irqs,
						.region_read = rig_read, .region_write = rig_write,
						.table_by_region = true };
	const struct change_how how = { .resize = { .rebuild = true, .release = true } };
	struct rig *r = *state;
	struct change c;
	struct error e;

	r->d.ops = &slow;
	c = rig_enable(r, IRQ_MSIX, "5,9");
	assert_int_equal(c.calls, 3);
	assert_true(c.us >= 3 && c.us < 600000000);
	assert_int_equal(c.blind_us, 0);
	/* the two calls of a rebuild are the time without vectors */
	c = (struct change){ 0 };
	assert_int_equal(device_resize(&r->d, IRQ_MSIX, 1, how, &c, &e), 0);
	assert_true(c.rebuilt);
	assert_true(c.blind_us >= 2 && c.blind_us < 600000000);
}

/* An eventfd that nobody would hear is none: the vector is not armed, and the descriptor is not lost. */
static void nobody_to_hear(void **state)
{
	struct rig *r = *state;
	struct vector_set two = rig_set("0-1");
	struct change c = { 0 };
	struct loop *l = r->d.loop;
	struct error e;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), epoll = dup(null);

	/* the next loop's epoll gets that number */
	close(epoll);
	assert_int_equal(loop_new(&r->d.loop), 0);
	r->d.ready = device_vector_ready;
	assert_int_equal(dup3(null, epoll, O_CLOEXEC), epoll);
	close(null);
	assert_int_equal(device_enable(&r->d, IRQ_MSIX, &two, (struct change_how){ 0 }, &c, &e),
			 -EINVAL);
	rig_said(&e, CAUSE_FAILED, EINVAL, "no eventfd for vector 0");
	assert_int_equal(r->sets, 0);
	assert_true(r->d.irq[IRQ_MSIX].vector[0]->source.fd < 0);
	assert_false(r->d.irq[IRQ_MSIX].enabled);
	loop_free(r->d.loop);
	r->d.loop = l;
}

static unsigned int open_descriptors(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* In a child, whose limits are its own: @room descriptors are left below @hard more. Exits with 0 when it went well. */
static void limited(struct rig *r, unsigned int room, unsigned int hard,
		    void (*attempt)(struct rig *r))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		const unsigned int open = open_descriptors();
		struct rlimit limit = { open + room, open + room + hard };

		close_range(256, ~0u, 0);
		if (setrlimit(RLIMIT_NOFILE, &limit))
			_exit(2);
		attempt(r);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* valgrind keeps the hard limit to itself */
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		skip();
	assert_int_equal(status, 0);
}

#define NEED(what)                                           \
	do {                                                 \
		if (!(what)) {                               \
			fprintf(stderr, "not: " #what "\n"); \
			_exit(1);                            \
		}                                            \
	} while (0)

static int arms(struct rig *r, const char *vectors, struct change *c, struct error *e)
{
	struct vector_set which = rig_set(vectors);

	*c = (struct change){ 0 };
	return device_enable(&r->d, IRQ_MSIX, &which, (struct change_how){ 0 }, c, e);
}

static void none_is_left(struct rig *r)
{
	struct change c;
	struct error e;

	NEED(arms(r, "0-7", &c, &e) == -EMFILE);
	NEED(strstr(e.message, "8 eventfds are needed, the descriptor limit of "));
	NEED(e.cause == CAUSE_FAILED && e.err == EMFILE);
	NEED(strstr(e.hint, "ulimit -Hn"));
	NEED(arms(r, "0", &c, &e) == -EMFILE);
	NEED(strstr(e.message, "1 eventfd is needed, the descriptor limit of "));
	NEED(r->sets == 0);
}

static void raised(struct rig *r)
{
	struct rlimit before, after;
	struct change c;
	struct error e;

	getrlimit(RLIMIT_NOFILE, &before);
	r->trace.dry_run = true;
	NEED(arms(r, "0-7", &c, &e) == 0);
	NEED(!c.fd_limit_raised);
	getrlimit(RLIMIT_NOFILE, &after);
	NEED(after.rlim_cur == before.rlim_cur);
	r->trace.dry_run = false;
	r->d.irq[IRQ_MSIX].enabled = false;
	for (unsigned int v = 0; v < 8; v++)
		r->d.irq[IRQ_MSIX].vector[v]->armed = false;
	NEED(arms(r, "0-7", &c, &e) == 0);
	NEED(c.fd_limit_raised);
	getrlimit(RLIMIT_NOFILE, &after);
	NEED(after.rlim_cur > before.rlim_cur && c.fd_limit == after.rlim_cur);
}

static void room_enough(struct rig *r)
{
	struct change c;
	struct error e;

	NEED(arms(r, "0-7", &c, &e) == 0);
	NEED(!c.fd_limit_raised);
}

static void descriptors_are_few(void **state)
{
	struct rig *r = *state;

	limited(r, 0, 0, none_is_left);
	limited(r, 4, 512, raised);
	limited(r, 512, 0, room_enough);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_the_host_has, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(the_host_has_none, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(an_irq_without_a_number, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(nobody_to_ask, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(what_is_allocated, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(on_without_an_eventfd, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(calls_are_counted, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(nobody_to_hear, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(descriptors_are_few, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests_name("device-send", tests, NULL, NULL);
}
