// SPDX-License-Identifier: GPL-2.0-or-later
#include "backends.h"
#include "device/internal.h"
#include "vectors.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench.h"

#define BATCH 64

void vectors_ours(struct device *d, const char *spec, unsigned int n, int *fd)
{
	static const struct trace quiet;
	struct index *ix = &d->irq[IRQ_MSIX];
	struct vector_set which = { 0 };
	struct change c = { 0 };
	struct error e;

	d->trace = &quiet;
	d->backend = backend_find(backends, spec);
	must(d->backend != NULL, spec);
	d->ops = d->backend->ops;
	d->ready = device_vector_ready;
	must(!loop_new(&d->loop), "loop");
	*ix = (struct index){ .device = d, .index = IRQ_MSIX, .present = true, .info.count = n };
	vector_set_add_range(&which, 0, n);
	must(!device_ready(d, IRQ_MSIX, &which, &c, &e), "eventfds");
	for (unsigned int i = 0; i < n; i++) {
		ix->vector[i]->armed = true;
		fd[i] = ix->vector[i]->source.fd;
	}
}

void vectors_drop_ours(struct device *d)
{
	struct index *ix = &d->irq[IRQ_MSIX];

	for (unsigned int i = 0; i < ix->info.count; i++) {
		close(ix->vector[i]->source.fd);
		free(ix->vector[i]);
	}
	free(ix->vector);
	loop_free(d->loop);
}

int vectors_take(int epoll, uint64_t *count, int timeout)
{
	struct epoll_event ev[BATCH];
	int n = epoll_wait(epoll, ev, BATCH, timeout);

	for (int i = 0; i < n; i++) {
		uint64_t got;
		unsigned int at = ev[i].data.u32;

		if (read((int)(ev[i].data.u64 >> 32), &got, sizeof(got)) == sizeof(got))
			count[at] += got;
	}
	return n;
}

int vectors_bare(unsigned int n, int *fd)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	for (unsigned int i = 0; i < n; i++) {
		struct epoll_event ev = { .events = EPOLLIN };

		fd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		ev.data.u64 = (uint64_t)fd[i] << 32 | i;
		must(fd[i] >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, fd[i], &ev), "eventfd");
	}
	return epoll;
}

void vectors_drop_bare(int epoll, const int *fd, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		close(fd[i]);
	close(epoll);
}
