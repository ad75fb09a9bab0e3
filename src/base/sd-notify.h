/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Telling a service manager that we are ready (systemd's sd_notify(3)), without its library. */
#ifndef MSICTL_BASE_SD_NOTIFY_H
#define MSICTL_BASE_SD_NOTIFY_H

/**
 * sd_notify_state() - send "READY=1" or the like to $NOTIFY_SOCKET. 0 also when nobody asked;
 * -errno.
 */
int sd_notify_state(const char *state);

#endif
