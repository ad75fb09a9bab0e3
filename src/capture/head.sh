#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# capture.sh [--with-vpd] [--with-serials] [DIR] >FILE
#
# Write what msictl reads of this machine's /sys and /proc, or of a copy of them below DIR, as one text file:
# msictl --root FILE list reads it in their place. The format is in msictl-capture(5), what is left out in the head of
# FILE. Printed by msictl capture --script; it runs with busybox alone, and reads only.

set -u
LC_ALL=C
export LC_ALL

