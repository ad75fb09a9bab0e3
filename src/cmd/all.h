/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of the commands of this room; main.c lists them. */
#ifndef MSICTL_CMD_ALL_H
#define MSICTL_CMD_ALL_H

#include "cli/command.h"

/* cmd/list.c, cmd/info.c, cmd/counters.c, cmd/probe.c */
extern const struct command cmd_list, cmd_info, cmd_counters, cmd_probe;
/* cmd/capture.c */
extern const struct command cmd_capture;
/* cmd/watch.c, cmd/latency.c */
extern const struct command cmd_watch, cmd_latency;
/* cmd/events.c */
extern const struct command cmd_events;
/* cmd/bind.c */
extern const struct command cmd_bind, cmd_unbind;
/* cmd/change.c */
extern const struct command cmd_enable, cmd_disable, cmd_resize;
/* cmd/mask.c */
extern const struct command cmd_mask, cmd_unmask;
/* cmd/trigger.c, cmd/wait.c */
extern const struct command cmd_trigger, cmd_wait;
/* cmd/region.c */
extern const struct command cmd_read, cmd_write, cmd_reset;
/* cmd/reopen.c */
extern const struct command cmd_reopen;
/* cmd/simulate.c */
extern const struct command cmd_simulate;
/* cmd/hold.c, cmd/holders.c */
extern const struct command cmd_hold, cmd_holders, cmd_release;
/* cmd/live.c, cmd/event-stream.c */
extern const struct command cmd_live, cmd_event_stream;
/* cmd/help.c */
extern const struct command cmd_help, cmd_complete, cmd_quit;

#endif
