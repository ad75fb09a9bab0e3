// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Eventfds that another process shares, signalled as the kernel signals them.
 * A write() to an eventfd blocks while its counter is full and O_NONBLOCK is
 * clear, the client can arrange both at any moment, and no flag of a write
 * helps (RWF_NOWAIT is for reads of an eventfd). A request of the kernel's AIO
 * with IOCB_FLAG_RESFD calls eventfd_ctx_fdget() when it is submitted and
 * eventfd_signal() when it is complete (fs/aio.c), the two functions that
 * vfio-pci uses: the first tells an eventfd from other descriptors, the second
 * never waits and leaves a full counter full. The request itself is a read of
 * /dev/null, which is complete at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"
#include "sim/internal.h"

/* Requests whose results were not collected yet; also the most of one io_submit(). */
#define REQUESTS 64u

/*
 * linux/fs.h: no RWF_ flag. The kernel looks at the flags behind the eventfd and answers
 * EOPNOTSUPP.
 */
#define NO_RWF 0x80000000u

static struct iocb request(int file, int eventfd)
{
	return (struct iocb){
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_fildes = (uint32_t)file,
		.aio_flags = IOCB_FLAG_RESFD,
		.aio_resfd = (uint32_t)eventfd,
	};
}

int sim_aio_is_eventfd(const struct sim_aio *a, int fd)
{
	struct iocb r = request(fd, fd), *list[] = { &r };

	if (!a->context)
		return -ENOSYS;
	r.aio_rw_flags = NO_RWF;
	if (syscall(SYS_io_submit, a->context, 1l, list) >= 0)
		return -ENOSYS;
	if (errno == EOPNOTSUPP)
		return 0;
	return errno == EBADF || errno == EINVAL ? -errno : -ENOSYS;
}

static void collect_events(struct sim_aio *a)
{
	struct io_event done[REQUESTS];

	syscall(SYS_io_getevents, a->context, 0l, (long)REQUESTS, done, NULL);
	a->uncollected = 0;
}

uint64_t sim_aio_signal(struct sim_aio *a, int fd, uint64_t n)
{
	struct iocb r = request(a->null, fd), *list[REQUESTS];
	uint64_t sent = 0;

	for (unsigned int i = 0; i < REQUESTS && i < n; i++)
		list[i] = &r;
	while (a->context && sent < n) {
		unsigned int some = n - sent < REQUESTS ? (unsigned int)(n - sent) : REQUESTS;
		long rc;

		if (a->uncollected + some > REQUESTS)
			collect_events(a);
		rc = syscall(SYS_io_submit, a->context, (long)some, list);
		if (rc <= 0)
			break;
		a->uncollected += (unsigned int)rc;
		sent += (uint64_t)rc;
	}
	return sent;
}

/* A sandbox may answer something of its own: believe what was seen to work. */
static bool works(struct sim_aio *a)
{
	_cleanup_fd_ int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	uint64_t n = 0;

	if (fd < 0 || sim_aio_is_eventfd(a, fd) || sim_aio_is_eventfd(a, a->null) != -EINVAL)
		return false;
	return sim_aio_signal(a, fd, 2) == 2 && read(fd, &n, sizeof(n)) == sizeof(n) && n == 2;
}

void sim_aio_init(struct sim_aio *a)
{
	aio_context_t context = 0;

	*a = (struct sim_aio){ .null = open("/dev/null", O_RDONLY | O_CLOEXEC) };
	if (a->null < 0 || syscall(SYS_io_setup, REQUESTS, &context) < 0)
		return;
	a->context = context;
	if (!works(a))
		sim_aio_drop(a);
}

void sim_aio_drop(struct sim_aio *a)
{
	if (a->context)
		syscall(SYS_io_destroy, a->context);
	a->context = 0;
	cleanup_fd(&a->null);
}
