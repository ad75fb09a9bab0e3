/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that a command may touch. Passed, never global. */
#ifndef MSICTL_CLI_SESSION_H
#define MSICTL_CLI_SESSION_H

#include <stdbool.h>

#include "base/loop.h"
#include "base/trace.h"
#include "cli/command.h"
#include "device/handle.h"
#include "host/uevent.h"
#include "out/printer.h"
#include "root/reader.h"

struct uevents;
struct held;

/*
 * A command that stays. Its run() leaves a step behind; whoever started it
 * calls that whenever something came or its time is there: the command line
 * and the shell in a loop of their own, a holder for many callers in turn.
 */
struct job {
	/* 1: go on, be called at @due at the latest; 0: done; -errno with @e. */
	int (*step)(struct session *s, void *state, uint64_t *due, struct error *e);
	void (*end)(void *state); /* NULL: free() */
	void *state;
	/* asked to stop, step() is called once more to say what was reached; set as open_ended */
	bool exit_reason;
	/* it has no end of its own: to be asked to stop is no failure; set behind session_stay() */
	bool open_ended;
};

/* How the shell tells what happens while somebody types. */
enum live_way {
	LIVE_NONE, /* there is no shell on a terminal */
	LIVE_OFF,  /* as lines */
	LIVE_ON,   /* as a panel above the prompt */
};

struct session {
	const struct commands *commands;
	const struct backend *const *backends; /* that may claim a DEVICE, NULL behind the last */
	struct root root;
	struct out *out;
	struct loop *loop;     /* NULL until something has to wait: session_loop() */
	struct device *device; /* opened by run or shell; NULL outside */
	struct uevents *
		/* heard while a device with a PCI address is open; NULL when they can't be */
		uevents;
	bool inside;	  /* a command of run or shell */
	bool interactive; /* the shell: a person at a terminal */
	enum live_way live;
	bool released;		     /* the kernel, or the peer, took the device back */
	bool quit;		     /* the shell was asked to end */
	struct device_events events; /* what was asked for at session_open() */
	struct job job;		     /* step NULL: none */
	struct trace trace;
	unsigned int misses; /* root_misses() when the command began */
	struct session *
		/* of a holder's caller: the session that its device lives in; NULL: this one */
		owner;
	struct trace *
		/* in a holder: what the device tells, for the time of a command; NULL: trace */
		device_trace;
	const struct siblings *siblings; /* in a holder: what it has open; NULL: nothing */
	struct held *held; /* in a holder: as what it has the device; NULL elsewhere */
	/* In a holder: the device was shut, and is opened anew behind this. 0 or -errno. */
	int (*reopening)(struct held *d, struct error *e);
	const char *
		/* run and shell on a DEVICE that is held: its commands go to the holder */
		attached;
	int attached_sock; /* a connection to the holder, for the first command; 0: none */
	struct globals globals;
	char undone[ERROR_TEXT]; /* session_undone() */
};

/** session_loop() - the loop, made on first use. NULL with @e. */
struct loop *session_loop(struct session *s, struct error *e);

/**
 * session_uevents() - subscribe to the kernel's events by the session's loop; *@u is the caller's.
 */
int session_uevents(struct session *s, const struct uevent_handler *h, struct uevents **u,
		    struct error *e);

/** session_stopped() - a sentence on the signal that ended a wait. Always -EINTR. */
int session_stopped(const struct session *s, struct error *e);

/** session_stay() - leave a step behind; @state is owned from now on. Returns 0. */
int session_stay(struct session *s,
		 int (*step)(struct session *s, void *state, uint64_t *due, struct error *e),
		 void (*end)(void *state), void *state);

/**
 * session_step() - one step of the job, which is ended unless it goes on. As struct job's step; 0
 * without a job.
 */
int session_step(struct session *s, uint64_t *due, struct error *e);

/**
 * session_seen() - a command that is done, with 0, fails when it could not look at something in
 * /sys or /proc, for what it took to be absent may be there. Returns @rc or -errno.
 */
int session_seen(struct session *s, int rc, struct error *e);

/** session_unstay() - end the job, whatever it has reached. */
void session_unstay(struct session *s);

/**
 * session_drive() - step the job to its end. 0, -EINTR with a sentence when a signal asked to stop,
 * -errno.
 */
int session_drive(struct session *s, struct error *e);

/**
 * session_address() - the PCI address in @text, or with NULL that of the opened or attached device.
 * 0 or -errno.
 */
int session_address(const struct session *s, const char *text, struct pci_addr *a, struct error *e);

/** session_apply() - make output and trace what s->globals say. */
void session_apply(struct session *s);

/**
 * session_open() - open @spec into s->device with the session's root, trace and loop; @ev NULL:
 * nothing is listened to but the kernel's wish to have the device back. 0 or -errno.
 */
int session_open(struct session *s, const char *spec, const struct device_events *ev,
		 struct error *e);

/**
 * session_reopen() - close the device if it is still open, and open the same again. 0 or -errno;
 * then s->device stays closed.
 */
int session_reopen(struct session *s, struct error *e);

/** session_close() - close the device and the loop, when there are any. */
void session_close(struct session *s);

/**
 * session_undone() - let the device go, and tell of it
 * Returns: what was seen of that, behind a sentence: "; everything was put back", or what could not
 * be; "": the device stays with its holder, or was gone before. Until session_close().
 */
const char *session_undone(struct session *s);

#endif
