/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vfio-user client: a device served by another process over a socket. */
#ifndef MSICTL_VFIO_USER_CLIENT_H
#define MSICTL_VFIO_USER_CLIENT_H

#include <sys/types.h>

#include "device/backend.h"

extern const struct backend vfio_user_backend;

/**
 * vfio_user_start() - make a handle of a connected socket, VERSION exchanged
 * @sock: owned from now on, closed on error too
 * @child: a process to be ended and reaped by close(), 0: none
 */
int vfio_user_start(int sock, pid_t child, const struct open_request *req, void **handle,
		    struct error *e);

/* The operations of both rows. */
extern const struct device_ops vfio_user_ops;

void vfio_user_close(void *handle);
int vfio_user_device_info(void *handle, struct device_info *info, struct error *e);
int vfio_user_irq_info(void *handle, enum irq_index index, struct irq_info *info);
int vfio_user_set_irqs(void *handle, const struct irq_set *s, const int32_t *eventfd,
		       struct set_outcome *o);
int vfio_user_region_info(void *handle, enum region_index region, struct region_info *info);
ssize_t vfio_user_region_read(void *handle, enum region_index region, void *buf, size_t n,
			      uint64_t offset);
ssize_t vfio_user_region_write(void *handle, enum region_index region, const void *buf, size_t n,
			       uint64_t offset);
int vfio_user_reset(void *handle);
int vfio_user_peer_fd(void *handle);
int vfio_user_peer_ready(void *handle);
int vfio_user_peer_end(void *handle, struct error *e);
int vfio_user_explain(void *handle, int rc, const char *what, struct error *e);
void vfio_user_peer_text(void *handle, char *buf, size_t size);
const char *vfio_user_peer_quirk(void *handle, unsigned int i);

#endif
