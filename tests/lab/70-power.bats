#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Vectors that are armed for the kernel and not in the device: below D0, or with
# Enable clear. The nvme device keeps its state there (NoSoftRst+),
# so the kernel has no cause to restore its MSI-X table on the way back.

load helpers

setup_file() {
	give "$nvme" "$e1000e"
}

teardown() {
	dev_clean
}

# asleep - into D3hot, by the power management capability's control word; the way back is in $wake
asleep() {
	dev_send "$(pm_write "$1" 3)"
	wake=$(pm_write "$1" 0)
}

# pm_write DEVICE STATE - "0000:04:00.0 (cap 01 @60) @64 = 000b" says where it is
pm_write() {
	local at
	at=$(setpci -v -s "$1" CAP_PM+4.w) || fail "$1 has no power management"
	at=${at##*@}
	printf 'write config 0x%s w %u\n' "${at%% *}" "$2"
}

@test "below D0 a change of MSI or MSI-X is refused, and its way out works" {
	local device index

	for device in "$nvme msix" "$e1000e msi"; do
		read -r device index <<<"$device"
		dev_start "$device"
		asleep "$device"
		dev_send "enable $index 1"
		error failed "^the device is in D3hot, a low-power state, where no $index vector is armed in it"
		hint "^$wake\$"
		nothing_left "$device"
		dev_send "$wake" "enable $index 1"
		says armed=[0]
		dev_send "disable $index"
		dev_stop 1
	done
}

@test "MSI-X grown in D3hot: the entries that stay empty are told, and the remedy arms them" {
	dynamic || skip 'MSI-X is NORESIZE before Linux 6.10'
	dev_start "$nvme"
	dev_send 'enable msix 2'
	says armed=[0,1]
	asleep "$nvme"
	dev_send 'resize msix 4'
	error failed 'low-power state'
	dev_send 'mask msix 1 --by eventfd'
	error failed 'low-power state'
	assert_equal "$(armed "$nvme" msix)" '[0,1]'
	# forced: the kernel says that they are armed
	dev_send 'resize msix 4 --force'
	says armed=[0,1,2,3] entries_unread=[2,3]
	dev_says "^warning: msix 2-3: .* can't be read back, and may be empty: the device is in a low-power state"
	dev_says "^hint: disable msix; $wake; enable msix 0-3\$"
	# awake, and grown again: still not armed in the device
	dev_send "$wake" 'resize msix 5'
	says armed=[0,1,2,3,4] added=[4] not_armed_in_device=[2,3] entries_unread=[]
	dev_says "^warning: msix 2-3: the kernel says armed, but the entries in the device's MSI-X table are empty"
	dev_says '^hint: disable msix; enable msix 0-4$'
	dev_send 'info --table'
	[[ $output =~ \"vector\":2,\"address\":0,\"data\":0, ]] || fail "an address in $output"
	dev_send 'disable msix' 'enable msix 0-4'
	says armed=[0,1,2,3,4] not_armed_in_device=[] entries_unread=[]
	dev_send 'info --table'
	[[ ! $output =~ \"vector\":2,\"address\":0, ]] || fail "no address in $output"
	dev_stop 1
}

@test "armed while Enable is clear in the device: a warning" {
	local control

	dev_start "$nvme"
	dev_send 'enable msix 2'
	says control_enabled=true
	control=$(control "$nvme" MSIX)
	setpci -s "$nvme" "CAP_MSIX+2.w=$(printf '%04x' $((0x$control & 0x7fff)))"
	dev_send 'enable msix 0-1'
	says armed=[0,1] calls=0 control_enabled=false
	dev_says '^warning: msix 0-1: armed, but Message Control in the device reads 0x0040, with the enable bit clear'
	says armed_without_enable=true control_source='"sysfs"'
	setpci -s "$nvme" "CAP_MSIX+2.w=$control"
	dev_send 'disable msix'
	says control_enabled=false armed_without_enable=false
	dev_stop
}
