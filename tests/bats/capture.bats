#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Captures: a machine's interrupts in one text file.

source "${BATS_TEST_DIRNAME}/../helpers.bash"

file=${BATS_FILE_TMPDIR-}/host.capture

# lines LINE... - a capture of these lines in $file
lines() {
	printf '%s\n' 'msictl capture 1' "$@" >"$file"
}

# damaged LINE WHY - list refuses $file with the number of the line
damaged() {
	refused 1 "host\.capture, line $1: .*$2" --root "$file" list
}

@test "a capture is read in place of /sys and /proc, from a file and from a pipe" {
	lines /sys/bus/pci/devices '0000:01:00.0 -> ../../../devices/pci0000:00/0000:01:00.0' \
		/sys/devices/pci0000:00/0000:01:00.0 'vendor = 0x1b36' 'device = 0x0010' 'class = 0x010802' \
		'config hex' '| 000: 36 1b 10 00' '| 006: 10' '| 034: 40' '| 040: 05 00 86' '| 100' end
	works --root "$file" --json list
	json '.devices | length == 1 and .[0].id == "1b36:0010" and .[0].msi.maximum == 8'
	run bash -c '"$MSICTL" --root <(cat "$1") --json list' - "$file"
	assert_success
	json '.devices | length == 1'
}

@test "hostile captures end with a sentence, the number of the line and exit 1" {
	lines /sys/kernel/../../etc 'shadow = root' end
	damaged 2 'no name of a file'
	lines /sys 'mem -> ../../../dev/mem' end
	damaged 3 'leads out of the root'
	lines /sys 'a -> b/c' 'b -> a' end
	damaged '[34]' 'in a circle'
	lines /sys/kernel 'name = 1' /sys/kernel 'name = 2' end
	damaged 5 'the same path is in line 3'
	lines /sys 'name = 1'
	damaged 3 'cut off'
	lines /sys 'config hex' '| 0000: 86 80' '| ffffffff' end
	damaged 5 'longer than 1048576 bytes'
	lines /sys $'name = \033]0;owned\007' end
	damaged 3 'control character \(0x1b\)'
	lines /sys 'config = text' '/sys/config' 'below = 1' end
	damaged 4 'leads through line 3, which is no folder'
	lines /sys end 'rm -rf /'
	damaged 4 'follows the end'
	lines /sys 'name ! EVERYTHING' end
	damaged 3 'name of an error'
	run bash -c '"$MSICTL" --root <(printf "msictl capture 1\n/sys\n"; exec head -c 1G /dev/zero | tr "\0" a) list 2>&1'
	assert_failure 1
	assert_output --partial "line 3: the line is longer than 1048576 bytes"
}
