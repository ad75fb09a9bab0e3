/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where holders are found: a folder of sockets, one per held device, private
 * to one user. /run/msictl for root, $XDG_RUNTIME_DIR/msictl for others.
 */
#ifndef MSICTL_RUNTIME_HOLDERS_H
#define MSICTL_RUNTIME_HOLDERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "host/pci.h"
#include "root/reader.h"

/*
 * A file name: percent-encoded DEVICE, or a hash of it when that is too long for a socket's
 * address.
 */
#define HOLD_NAME 80

/**
 * hold_device() - DEVICE in words that mean the same in every folder: a vfio-user socket by its
 * full path. Copied; free() it, NULL: no memory.
 */
char *hold_device(const char *device);

/**
 * hold_is_shared() - whether @device is the same for all processes; a simulation is each process's
 * own.
 */
bool hold_is_shared(const char *device);

/**
 * hold_name() - the socket's name for DEVICE; a PCI address is made full first, and so is a path.
 * Returns @buf.
 */
char *hold_name(const char *device, char buf[HOLD_NAME]);

/**
 * hold_dir_open() - the folder, owned by this user and closed to others; made when @create. A
 * descriptor, -ENOENT when there is none, or -errno with @e (a symbolic link, a foreign owner, an
 * open mode).
 */
int hold_dir_open(bool create, struct error *e);

/**
 * hold_connect() - a socket to the holder of @name, whose process is this user's or root's. -ENOENT
 * or -ECONNREFUSED: nobody holds it; -errno with @e.
 */
int hold_connect(int dir, const char *name, pid_t *pid, struct error *e);

/**
 * hold_connect_group() - a socket to the holder of any function of an IOMMU group
 * @r: whose /sys tells the group of a function
 * @pid: set to the holder's process
 *
 * Returns a descriptor, or -ENOENT when no holder of this user answers for the group.
 */
int hold_connect_group(const struct root *r, int group, pid_t *pid);

/**
 * hold_listen() - listen as @name, mode 0600; a socket that nobody serves is replaced, a live one
 * is -EADDRINUSE. For the folder's lock at most @patience_us. A descriptor or -errno with @e.
 */
int hold_listen(int dir, const char *name, uint64_t patience_us, struct error *e);

/**
 * hold_tidy() - take a name away that nobody serves: its holder was killed. Without the folder's
 * lock it stays.
 */
void hold_tidy(int dir, const char *name);

/** hold_is_name() - whether a file of that name can be a holder's socket. */
bool hold_is_name(const char *file);

/**
 * hold_list() - the sockets of the folder, live and stale, in order; free(*list). Their number or
 * -errno.
 */
ssize_t hold_list(int dir, char (**list)[HOLD_NAME]);

/* A device that a process of another user holds, as that process has named its socket. */
struct hold_other {
	pid_t pid;
	uid_t uid;
	char name[HOLD_NAME];
};

struct hold_others {
	struct hold_other *list; /* by name; free() it, also after an error */
	size_t n;
	unsigned int denied; /* processes of msictl that could not be looked at */
};

/**
 * hold_others() - what all other users hold, from /proc: for root, who may look. Nothing is
 * connected to. 0 or -errno.
 */
int hold_others(const struct root *r, struct hold_others *o);

/** hold_name_address() - whether a name of hold_list() is that of a PCI function, and which. */
bool hold_name_address(const char *name, struct pci_addr *a);

/** hold_name_device() - the DEVICE of a name of hold_list(); a hash stays one. Returns @buf. */
char *hold_name_device(const char *name, char buf[HOLD_NAME]);

/**
 * hold_set_exit_reason() - why @name is held no more, for who asks for it; hold_listen() takes it away.
 */
void hold_set_exit_reason(int dir, const char *name, const char *why);

/**
 * hold_exit_reason() - what was left, escaped: "let go at TIME: WHY"; free() it. NULL: nothing was.
 */
char *hold_exit_reason(int dir, const char *name);

/** hold_clear_exit_reason() - it is held again. */
void hold_clear_exit_reason(int dir, const char *name);

/**
 * hold_lock() - the folder's lock, waited for @patience_us at most. 0, -ETIMEDOUT: another process
 * has it; -errno.
 */
int hold_lock(int dir, uint64_t patience_us);

/** hold_unlock() - let others have it. */
void hold_unlock(int dir);

/**
 * hold_locked() - the sentence for hold_lock()'s @rc: who has the lock, when the kernel tells.
 * Returns -errno.
 */
int hold_locked(int dir, int rc, struct error *e);

/** hold_unlink() - take the name away. */
void hold_unlink(int dir, const char *name);

/**
 * hold_peer_allowed() - whether the process at the other end is root's or this user's
 * (SO_PEERCRED).
 */
bool hold_peer_allowed(int sock, pid_t *pid);

#endif
