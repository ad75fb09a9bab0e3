#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The shell's panel on a real function: what the kernel says of it, and counts
# of interrupts that the device sends itself.

load helpers

setup() {
	give "$e1000e"
	term_start shell "$e1000e"
	term_expect "^$e1000e>\$"
}

teardown() {
	term_stop
}

# enter TEXT - a line
enter() {
	term_type "$1"
	term_key Enter
}

@test "the kernel's events stand above the prompt with their time, the line stays whole" {
	term_type 'read config'
	term_expect '> read config$'
	# the kernel says so because it was asked to; nothing happens to the function
	echo change >"$(sys "$e1000e" uevent)"
	term_expect '^[0-9]{2}:[0-9]{2}:[0-9]{2}  kernel: change pci, driver vfio-pci \(asked for by user space\)$'
	term_expect "^$e1000e> read config\$"
	term_type ' 0 w'
	term_key Enter
	term_expect '^0x8086$'
	# those of others are not told
	echo change >"$(sys "$nvme" uevent)"
	enter 'live off'
	enter 'read config 2 w'
	term_expect '^0x10d3$'
	! on_screen 'kernel: .*nvme' || fail "$(screen)"
	echo change >"$(sys "$e1000e" uevent)"
	term_expect '^[0-9]{2}:[0-9]{2}:[0-9]{2} kernel: change pci, driver vfio-pci'
	term_key C-d
	term_ended 0
}

@test "interrupts of the device are counted above the prompt" {
	local command

	enter 'enable msix 5'
	term_expect 'msix 5>$'
	for command in "${e1000e_ready[@]}"; do
		enter "$command"
	done
	enter "$(e1000e_fire 3)"
	term_expect '^msix +5 of 5 armed +1 counted .* last at [0-9:]{8}$'
	term_expect '^msix 3  1  [01]/s$'
}
