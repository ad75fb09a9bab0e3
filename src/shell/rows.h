/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of the commands that read other commands; main.c lists them. */
#ifndef MSICTL_SHELL_ROWS_H
#define MSICTL_SHELL_ROWS_H

#include "cli/command.h"

/* shell/interactive.c, shell/run.c */
extern const struct command cmd_shell, cmd_run;

#endif
