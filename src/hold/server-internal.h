/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What holder*.c share. */
#ifndef MSICTL_HOLD_SERVER_INTERNAL_H
#define MSICTL_HOLD_SERVER_INTERNAL_H

#include <time.h>

#include "hold/request.h"
#include "hold/server.h"
#include "runtime/holders.h"

struct bound;

struct held {
	struct holder *holder;
	struct held *next;
	struct session s; /* s.loop, s.root, s.out are the holder's */
	char *spec;
	char name[HOLD_NAME];
	struct source listener; /* fd -1: none */
	/* out of descriptors: asked again then, or when a caller has gone; 0: it is heard */
	uint64_t paused_until;
	bool gone;	     /* the kernel or the peer took it away */
	bool release;	     /* to be let go */
	struct bound *bound; /* what hold --bind changed; NULL: nothing */
	int group;	     /* IOMMU group, -1: none */
	bool keep;	     /* goes on without it when it was taken back */
	time_t since;
};

/* One command of one caller. */
struct client {
	struct client *next;
	struct held *held; /* NULL: it was let go */
	struct request *call;
	struct session s;
	char *device;	  /* DEVICE as it was held: the device may be closed before the client is */
	char *name;	  /* what messages call it */
	const char *what; /* the command's word, once it is known */
	bool releases;	  /* is told when the device was let go */
	bool begun;
	uint64_t due; /* of its job */
};

struct holder {
	struct session *s;
	struct trace quiet; /* what devices tell when no command runs */
	struct held *first;
	struct client *callers;
	unsigned int nclients;
	struct sibling *sibling; /* what is open, for siblings */
	size_t room;
	struct siblings siblings;
	struct bound *let_go; /* have vfio-pci still, for others of their group are open */
	struct error left;    /* the first driver that could not be given back; cause 0: none */
	int dir;
	bool serving; /* it has devices, and clients of them */
	/* A listener of @holder is ready: a client wants to be taken in. */
	void (*ready)(struct source *listener);
	/* A client opens @d anew: what other clients run on the device has to end first. */
	void (*reopening)(const struct held *d);
};

/* hold/server-device.c */

/**
 * held_unlink() - take the socket's name away: clients that come now are told that nobody holds the
 * device. Those that have connected can still be taken in.
 */
void held_unlink(struct held *d);

/**
 * held_release() - put back, give back, close, forget. 0; 1: the driver is given back with the last
 * function of the group; or -errno with @e: it could not be given back.
 */
int held_release(struct held *d, struct error *e);

/* hold/server-bind.c */

/* A function whose driver hold --bind changed. */
struct bound {
	struct bound *next; /* of those that are let go already */
	struct pci_addr addr;
	int group;
};

/**
 * bound_group() - the IOMMU group of a function, -1: none, or one that can't be read: that is said.
 */
int bound_group(const struct held *d);

/**
 * bound_take() - give it to vfio-pci; d->bound when that changed its driver. 0 or -errno with @e.
 */
int bound_take(struct held *d, struct error *e);

/**
 * bound_settle() - give back what was let go, as far as nothing of its group is open. @mine is let
 * go now, NULL: nothing is; owned from now on. 0, or of @mine as held_release().
 */
int bound_settle(struct holder *h, struct bound *mine, struct error *e);

/* hold/server-client.c */

/** client_run() - begin what has come, go on with what stays. */
void client_run(struct client *c);

/** client_end() - say why the command ends, if it has not yet. */
void client_end(struct client *c, int rc, const struct error *e);

/**
 * clients_reopened() - end what runs on the device, which another caller opens anew: its vectors
 * are about to be freed.
 */
void clients_reopened(const struct held *d);

/** client_free() - ends its job. */
void client_free(struct client *c);

#endif
