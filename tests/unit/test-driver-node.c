// SPDX-License-Identifier: GPL-2.0-or-later
/* Waiting for the node of a group, which udev makes, or moves into its folder, some time after the driver came. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sys/inotify.h>
#include <sys/syscall.h>

#include "driver-bench.h"

/* The time limit of the last poll(2), which a signal interrupts; 0: nobody asks. */
static int limit_ms;

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	const struct timespec limit = { .tv_sec = timeout / 1000,
					.tv_nsec = timeout % 1000 * 1000000L };

	if (limit_ms) {
		limit_ms = timeout;
		errno = EINTR;
		return -1;
	}
	return ppoll(fds, n, timeout < 0 ? NULL : &limit, NULL);
}

/* What inotify_add_watch(2) answers; 0: what the kernel does. */
static int watch_errno;

int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	errno = watch_errno;
	return watch_errno ? -1 : (int)syscall(SYS_inotify_add_watch, fd, path, mask);
}

/* Whoever cannot wait for a node does not say that the node is there. */
static void node_without_descriptors(void **state)
{
	struct bench *b = *state;
	struct rlimit before = tree_exhaust(0);
	int rc = node_wait(&b->t.root, 9, false, 1000);

	tree_plenty(&before);
	assert_int_equal(rc, -EMFILE);
	assert_int_equal(node_wait(&b->t.root, 9, false, 1000), 0);
	assert_int_equal(node_wait(&b->t.root, 9, true, 1000), -ETIMEDOUT);
}

static void *make_node(void *arg)
{
	struct bench *b = arg;

	usleep(50000);
	tree_text(&b->t, "dev/vfio/noiommu-3", "");
	return NULL;
}

static void node_appears(void **state)
{
	struct bench *b = *state;
	pthread_t thread;
	uint64_t begin = now_us();

	assert_int_equal(node_wait(&b->t.root, 9, false, 0), 0);
	assert_int_equal(node_wait(&b->t.root, 3, true, 20000), -ETIMEDOUT);
	assert_true(now_us() - begin >= 20000);
	assert_int_equal(pthread_create(&thread, NULL, make_node, b), 0);
	assert_int_equal(node_wait(&b->t.root, 3, true, 20000000), 0);
	pthread_join(thread, NULL);
	assert_true(now_us() - begin < 10000000);
}

/* The wait ends with its time limit, or when a signal comes. */
static void node_wait_has_an_end(void **state)
{
	struct bench *b = *state;

	limit_ms = 1;
	assert_int_equal(node_wait(&b->t.root, 3, true, 5000000), -EINTR);
	assert_in_range(limit_ms, 4000, 5000);
	assert_int_equal(node_wait(&b->t.root, 3, true, UINT64_C(4000000000000)), -EINTR);
	assert_int_equal(limit_ms, INT_MAX);
	/* about as many milliseconds as an int has room for, in microseconds */
	assert_int_equal(node_wait(&b->t.root, 3, true, (INT_MAX + UINT64_C(60000)) * 1000),
			 -EINTR);
	assert_int_equal(limit_ms, INT_MAX);
	assert_int_equal(node_wait(&b->t.root, 3, true, (INT_MAX - UINT64_C(1000000)) * 1000),
			 -EINTR);
	assert_in_range(limit_ms, INT_MAX - 1010000, INT_MAX - 999999);
	limit_ms = 0;
}

/* The folder comes later than the wait. */
static void node_folder_appears(void **state)
{
	struct bench *b = *state;
	char full[PATH_MAX];
	pthread_t thread;

	unlink(tree_path(&b->t, "dev/vfio/9", full));
	rmdir(tree_path(&b->t, "dev/vfio", full));
	assert_int_equal(pthread_create(&thread, NULL, make_node, b), 0);
	assert_int_equal(node_wait(&b->t.root, 3, true, 20000000), 0);
	pthread_join(thread, NULL);
}

static void *move_node(void *arg)
{
	struct bench *b = arg;
	char from[PATH_MAX], to[PATH_MAX];

	tree_text(&b->t, "dev/draft", "");
	usleep(50000);
	rename(tree_path(&b->t, "dev/draft", from), tree_path(&b->t, "dev/vfio/3", to));
	return NULL;
}

/* Made elsewhere, and moved to its place when it is complete. */
static void node_is_moved_there(void **state)
{
	struct bench *b = *state;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, move_node, b), 0);
	assert_int_equal(node_wait(&b->t.root, 3, false, 20000000), 0);
	pthread_join(thread, NULL);
}

/* Who may have no more watches cannot wait, and says so. */
static void node_cannot_be_watched(void **state)
{
	struct bench *b = *state;
	char full[PATH_MAX];

	watch_errno = ENOSPC;
	assert_int_equal(node_wait(&b->t.root, 3, true, 20000000), -ENOSPC);
	is_driven_by(b, "vfio-pci");
	unlink(tree_path(&b->t, "dev/vfio/9", full));
	assert_true(bind_it(b, false) < 0);
	watch_errno = 0;
	assert_int_equal(b->e.cause, CAUSE_FAILED);
	assert_int_equal(b->e.err, ENOSPC);
	assert_non_null(strstr(b->e.message, "/dev/vfio/9 cannot be waited for"));
}

/* No node can come into what is no folder. */
static void node_has_no_folder(void **state)
{
	struct bench *b = *state;
	char full[PATH_MAX];

	unlink(tree_path(&b->t, "dev/vfio/9", full));
	rmdir(tree_path(&b->t, "dev/vfio", full));
	tree_text(&b->t, "dev/vfio", "");
	assert_int_equal(node_wait(&b->t.root, 9, false, 20000000), -ENOTDIR);
	unlink(full);
	rmdir(tree_path(&b->t, "dev", full));
	assert_int_equal(node_wait(&b->t.root, 9, false, 20000000), -ENOENT);
}

#define AT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT(node_without_descriptors), AT(node_appears),	       AT(node_wait_has_an_end),
		AT(node_folder_appears),      AT(node_is_moved_there), AT(node_cannot_be_watched),
		AT(node_has_no_folder),
	};

	return cmocka_run_group_tests_name("driver-node", tests, NULL, NULL);
}
