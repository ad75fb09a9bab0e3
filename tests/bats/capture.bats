#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Captures: a machine's interrupts in one text file.

source "${BATS_TEST_DIRNAME}/../helpers.bash"

file=${BATS_TEST_TMPDIR-}/host.capture

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

# content FILE - a capture without the words for people
content() {
	grep -v '^#' "$1"
}

# odd TREE - what no machine of tests/root has: serial numbers, secrets, texts of all kinds
odd() {
	local dev=$1/sys/devices/pci0000:00/0000:00:1c.0 i

	mkdir -p "$1"/sys/bus/pci/devices "$dev/msi_irqs" "$1"/proc/{irq/7,sys/kernel} "$1"/sys/class/dmi/id "$1"/sys/kernel/irq/7
	ln -sfn ../../../devices/pci0000:00/0000:00:1c.0 "$1/sys/bus/pci/devices/0000:00:1c.0"
	echo 0x8086 >"$dev/vendor"
	echo 0x1533 >"$dev/device"
	echo 0x020000 >"$dev/class"
	echo msi >"$dev/msi_irqs/7"
	{
		printf '\x86\x80\x33\x15'
		head -c 252 /dev/zero
		# a Device Serial Number at 0x100, another capability at 0x140
		printf '\x03\x00\x01\x14\xa1\xa2\xa3\xa4\xa5\xa6\xa7\xa8'
		head -c 52 /dev/zero
		printf '\x01\x00\x02\x00\xb1\xb2'
		head -c 3770 /dev/zero
	} >"$dev/config"
	printf 'SN1234\x00\x01\x02' >"$dev/vpd"
	ln -s ../../../../../../etc "$dev/driver"
	echo 'root=UUID=1234 pci=nomsi password=secret intel_iommu=on,sm_on vfio-pci.ids=8086:1533' >"$1/proc/cmdline"
	for i in 0 1 2 3 4 5; do
		printf 'processor\t: %d\nmodel name\t: some\nSerial\t\t: 0123abcd\n\n' "$i"
	done >"$1/proc/cpuinfo"
	printf 'vfio 1 2 - Live 0xffffffffc0123456\nnvme 3 0 - Live 0x0000000000000000 (E)\n' >"$1/proc/modules"
	echo secrethost >"$1/proc/sys/kernel/hostname"
	printf 'a b \n\n\tc\\c\n\033[2J \nlast ' >"$1/sys/kernel/irq/7/actions"
	: >"$1/sys/kernel/irq/7/chip_name"
	printf '\n' >"$1/sys/kernel/irq/7/name"
	printf 'no newline' >"$1/sys/kernel/irq/7/type"
	printf '  leading\n' >"$1/sys/kernel/irq/7/hwirq"
	printf 'J\xc3\xb6rg \x01\x02\x03\n' >"$1/sys/class/dmi/id/sys_vendor"
	mkdir "$1/sys/class/dmi/id/product_name"
	printf '           CPU0\n  7:          3  chip  7-edge  eth0\n  8:          4  chip 8-edge eth1\nNMI:          0  x\n' \
		>"$1/proc/interrupts"
}

@test "capture: what was captured is read as it was, and captured again it is the same" {
	local tree

	for tree in intel-remap pseries; do
		works --root "$(unpacked "$tree")" capture "$BATS_TEST_TMPDIR/$tree"
		content "$BATS_TEST_TMPDIR/$tree" | cmp - <(content "$tests/root/$tree.capture")
		works --root "$BATS_TEST_TMPDIR/$tree" capture "$BATS_TEST_TMPDIR/again"
		cmp "$BATS_TEST_TMPDIR/$tree" "$BATS_TEST_TMPDIR/again"
		rm "$BATS_TEST_TMPDIR/again"
	done
}

@test "capture: texts, bytes, blanks and control characters come back as they were" {
	odd "$BATS_TEST_TMPDIR/odd"
	works --root "$BATS_TEST_TMPDIR/odd" capture "$file"
	noted '^1 could not be read: a line with ! and the error stands for each$'
	noted '^1 links lead out of the root: left out$'
	"$tests/root/unpack" "$file" "$BATS_TEST_TMPDIR/back"
	diff -r "$BATS_TEST_TMPDIR/odd/sys/kernel/irq/7" "$BATS_TEST_TMPDIR/back/sys/kernel/irq/7"
	cmp "$BATS_TEST_TMPDIR/odd/sys/class/dmi/id/sys_vendor" "$BATS_TEST_TMPDIR/back/sys/class/dmi/id/sys_vendor"
	cmp "$BATS_TEST_TMPDIR/odd/proc/interrupts" "$BATS_TEST_TMPDIR/back/proc/interrupts"
	# safe to paste: no control characters, no blank at the end of a line
	run grep -nP '[^\x20-\x7e]|[ ]$' "$file"
	assert_failure 1
}

@test "capture: serial numbers, host names and foreign words of the command line are left out" {
	odd "$BATS_TEST_TMPDIR/odd"
	works --root "$BATS_TEST_TMPDIR/odd" capture "$file"
	run grep -nE 'secret|UUID|0123abcd|SN1234|c0123456|a1 a2' "$file"
	assert_failure 1
	grep -qx 'cmdline = pci=nomsi intel_iommu=on,sm_on vfio-pci.ids=8086:1533' "$file"
	grep -qx '| 100: 03 00 01 14 00 00 00 00 00 00 00 00 00 00 00 00' "$file"
	grep -qx '| 140: 01 00 02 00 b1 b2 00 00 00 00 00 00 00 00 00 00' "$file"
	assert_equal "$(grep -c '^| processor' "$file")" 6
	assert_equal "$(grep -c '^| model name' "$file")" 1
	grep -q '^# .*Left out: .*host names' "$file"
	works --root "$BATS_TEST_TMPDIR/odd" capture --force --with-serials --with-vpd "$file"
	grep -qx '| 100: 03 00 01 14 a1 a2 a3 a4 a5 a6 a7 a8 00 00 00 00' "$file"
	grep -qx '| 000: 53 4e 31 32 33 34 00 01 02' "$file"
	grep -q '^| Serial' "$file"
	grep -q '^# .*kept, as was asked' "$file"
}

@test "capture --device: a function, its bridges, its group and its IRQs alone" {
	works --root "$tests/root/intel-remap.capture" capture --device 03:00.0 "$file"
	works --root "$file" --json info 03:00.0
	local captured=$output
	works --root "$tests/root/intel-remap.capture" --json info 03:00.0
	assert_equal "$output" "$captured"
	run -0 sed -n 's|^/sys/devices/.*/\([0-9a-f:.]*\)$|\1|p' "$file"
	# e1000e and the root port above it
	assert_equal "$(sort -u <<<"$output" | tr '\n' ' ')" '0000:00:03.0 0000:03:00.0 '
	refute grep -q nvme0q "$file"
	refused 3 'no PCI function' --root "$tests/root/intel-remap.capture" capture --device 7f:1f.7 "$file.none"
	gone "$file.none"
}

@test "capture: FILE is there whole or not at all, and not written over" {
	echo precious >"$file"
	refused 1 'cannot be written \(EEXIST\)' --root "$tests/root/vm-guest.capture" capture "$file"
	hinted -- '--force'
	assert_equal "$(<"$file")" precious
	ln -s "$file" "$file.link"
	refused 1 'EEXIST' --root "$tests/root/vm-guest.capture" capture --force "$file.link"
	works --root "$tests/root/vm-guest.capture" --json capture --force "$file"
	json '.files > 400 and .unread == 0'
	works --root "$file" list
	refused 1 'cannot be written \(ENOENT\)' --root "$file" capture "$BATS_TEST_TMPDIR/none/x"
	run -1 bash -c '"$MSICTL" --root "$1" capture 2>&1 >/dev/full' - "$file"
	assert_output --partial 'the capture could not be written (ENOSPC)'
	fails 2 --root "$file" --json capture
	error usage 'FILE is missing'
	run find "$BATS_TEST_TMPDIR" -name 'host.capture.??????'
	refute_output
	term_start --root "$file" capture
	term_expect 'a capture is not for a terminal'
	term_ended 2
	term_stop
}

@test "capture: who is not root gets less, and the capture says so" {
	local tree=$BATS_TEST_TMPDIR/odd

	((EUID == 0)) || skip 'this is not root'
	odd "$tree"
	chmod -R go+rX "$BATS_TEST_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_RUN_TMPDIR"
	chmod 0 "$tree/proc/interrupts"
	chmod go-r "$tree/sys/devices/pci0000:00/0000:00:1c.0/msi_irqs"
	run -0 --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups "$MSICTL" --root "$tree" capture
	assert_line 'interrupts ! EACCES'
	assert_line 'msi_irqs ! EACCES'
	# the same by the script
	"$MSICTL" capture --script >"$BATS_TEST_TMPDIR/capture.sh"
	chmod go+r "$BATS_TEST_TMPDIR/capture.sh"
	run -0 diff <(grep -v '^#' <<<"$output") <(setpriv --reuid 65534 --regid 65534 --clear-groups \
		sh "$BATS_TEST_TMPDIR/capture.sh" "$tree" | grep -v '^#')
}

@test "capture --script: byte for byte the same, by any shell" {
	local shell tree

	works capture --script "$BATS_TEST_TMPDIR/capture.sh"
	[[ -x $BATS_TEST_TMPDIR/capture.sh ]]
	odd "$BATS_TEST_TMPDIR/odd"
	mkdir "$BATS_TEST_TMPDIR/bin"
	for shell in awk od cat readlink find sort date id sh; do
		ln -s "$(command -v busybox)" "$BATS_TEST_TMPDIR/bin/$shell"
	done
	for tree in "$BATS_TEST_TMPDIR/odd" "$(unpacked pseries)"; do
		"$MSICTL" --root "$tree" capture 2>/dev/null | grep -v '^#' >"$BATS_TEST_TMPDIR/want"
		sh "$BATS_TEST_TMPDIR/capture.sh" "$tree" | content - | cmp - "$BATS_TEST_TMPDIR/want"
		env -i PATH="$BATS_TEST_TMPDIR/bin" sh "$BATS_TEST_TMPDIR/capture.sh" "$tree" | content - |
			cmp - "$BATS_TEST_TMPDIR/want"
	done
	"$MSICTL" --root "$BATS_TEST_TMPDIR/odd" capture --with-vpd --with-serials 2>/dev/null | content - >"$BATS_TEST_TMPDIR/want"
	sh "$BATS_TEST_TMPDIR/capture.sh" --with-vpd --with-serials "$BATS_TEST_TMPDIR/odd" | content - |
		cmp - "$BATS_TEST_TMPDIR/want"
}
