#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Config space and BARs: what is read, what is refused, what low power does.

load world

@test "writes to the MSI and MSI-X capabilities are refused, of a peer warned of" {
	local offset

	dev_start "$firing"
	dev_send 'enable msix 2'
	dev_send "write config $(pm_cap) b 0"
	lacks error
	for offset in $msi_words $msix_words; do
		dev_send "write config $offset w 0"
		if is_sim; then
			lacks error
			dev_says "^warning: 0x[0-9a-f]+ is in the msix? capability: the peer may lose interrupts by this write"
		else
			error failed 'is in the msix? capability'
		fi
	done
	# nothing has reached the device
	assert_equal "$(($((16#$(control "$firing" MSIX))) & 0x8000))" $((0x8000))
	if is_sim; then
		dev_stop
	else
		dev_stop 1
	fi
}

@test "the MSI-X table: writes are refused where the kernel drops them" {
	dev_start "$firing"
	dev_send 'enable msix 2' "write $msix_bar 0xc l 1"
	if is_sim; then
		# no kernel is between: over vfio-user the table is a register like any other
		lacks error
		dev_send 'write bar2 0xc l 0'
		dev_stop
	else
		error failed 'is in the MSI-X table'
		dev_stop 1
	fi
}

@test "what a BAR does not have" {
	dev_start "$firing"
	dev_send "write bar0 $bar0_size l 0"
	error usage "bar0 ends at $bar0_size"
	dev_send 'read bar0 0x2 l'
	error usage 'not aligned to 4 bytes'
	dev_send "read $no_bar 0 l"
	error failed "^the device has no $no_bar\$"
	dev_send 'write config 0x3c b 0x1ff'
	error usage 'does not fit into 1 byte'
	dev_stop 2
}

@test "config space by each width" {
	dev_start "$firing"
	dev_send 'read config 0 l'
	says value=$((firing_id)) width=4
	dev_send 'read config 0 w'
	says value=$((firing_id & 0xffff)) width=2
	dev_send 'read config 3 b'
	says value=$((firing_id >> 24)) width=1
	dev_send 'read config 0 q'
	says width=8
	[[ $output =~ \"value\":([0-9]+) ]]
	assert_equal $((BASH_REMATCH[1] & 0xffffffff)) $((firing_id))
	dev_stop
}

@test "memory decode off and low power: a sentence, and the way out in the hint" {
	local wake

	dev_start "$firing"
	dev_send 'write config 0x4 w 0' 'read bar0 0 l'
	error failed 'memory decode is off'
	dev_send 'write config 0x4 w 0x2' 'read bar0 0 l'
	lacks error
	# D3hot, by the power management capability's control word
	dev_send "write config $(printf '0x%x' $(($(pm_cap) + 4))) w 3" 'enable msix 1'
	error failed 'low-power state'
	hint '^(write config 0x[0-9a-f]+ w 0)$'
	wake=${BASH_REMATCH[1]}
	# that none is granted there says nothing of the host
	dev_send probe
	[[ $output == *'"not_measured":"the device is in D3hot, a low-power state'* ]]
	dev_send "$wake" 'write config 0x4 w 0x6' 'enable msix 1'
	says armed=[0]
	dev_stop 1
}
