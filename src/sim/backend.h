/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A DEVICE "sim:SPEC": a simulated function that a child process serves over vfio-user. */
#ifndef MSICTL_SIM_BACKEND_H
#define MSICTL_SIM_BACKEND_H

#include "device/backend.h"

extern const struct backend sim_backend;

#endif
