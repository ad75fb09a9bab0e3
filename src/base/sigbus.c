// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/sigbus.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>

/* A signal handler gets no context: this is the one mutable global it can't do without. */
static sigjmp_buf escape;

static void on_sigbus(int sig)
{
	(void)sig;
	siglongjmp(escape, 1);
}

static int guarded(void (*access)(void *what), void *what)
{
	struct sigaction sa = { .sa_handler = on_sigbus }, before;
	volatile int rc = 0;

	sigemptyset(&sa.sa_mask);
	sigaction(SIGBUS, &sa, &before);
	if (sigsetjmp(escape, 1) == 0)
		access(what);
	else
		rc = -EFAULT;
	sigaction(SIGBUS, &before, NULL);
	return rc;
}

struct transfer {
	const volatile uint32_t *from;
	volatile uint32_t *to;
	size_t n, step; /* of from, in dwords */
};

static void copy(void *what)
{
	const struct transfer *t = what;

	for (size_t i = 0; i < t->n; i++)
		t->to[i] = t->from[i * t->step];
}

int mmio_read32(const volatile uint32_t *from, uint32_t *to, size_t n)
{
	return mmio_read32_every(from, 1, to, n);
}

int mmio_read32_every(const volatile uint32_t *from, size_t step, uint32_t *to, size_t n)
{
	struct transfer t = { .from = from, .to = to, .n = n, .step = step };

	return guarded(copy, &t);
}

int mmio_write32(volatile uint32_t *to, uint32_t value)
{
	struct transfer t = { .from = &value, .to = to, .n = 1, .step = 1 };

	return guarded(copy, &t);
}
