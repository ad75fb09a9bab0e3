/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Both ends of vfio-user, as plain as can be: no time limits, no recovery. */
#ifndef BENCH_PLAIN_H
#define BENCH_PLAIN_H

#include <stdint.h>
#include <sys/types.h>

/* What the servers below have: MSI-X vectors, and registers of msictl simulate. */
#define PLAIN_VECTORS  2048u
#define PLAIN_DOORBELL 4u

/** plain_simulate() - a child that is msictl simulate. Returns its process. */
pid_t plain_simulate(const char *msictl, const char *path);

/** plain_program() - a child that is PROGRAM SOCKET. */
pid_t plain_program(const char *program, const char *path);

/**
 * plain_bare() - a child that serves one client after another with blocking reads and writes
 *
 * It tells eventfds from other descriptors as exactly as vfio-pci does.
 */
pid_t plain_bare(const char *path);

/** plain_dial() - waits for the server. Returns the socket. */
int plain_dial(const char *path);

/** plain_ask() - one message and its answer. */
void plain_ask(int sock, uint16_t command, const void *payload, size_t size, const int *fd,
	       unsigned int nfds);
void plain_greet(int sock);
void plain_set_irqs(int sock, uint32_t flags, unsigned int start, unsigned int count, const int *fd,
		    unsigned int nfds);

/** plain_write() - 32 bits; @post: without waiting for an answer. */
void plain_write(int sock, uint32_t region, uint64_t offset, uint32_t value, int post);

/** plain_read() - 32 bits, which come when all that was posted is done. */
void plain_read(int sock, uint32_t region, uint64_t offset);

#endif
