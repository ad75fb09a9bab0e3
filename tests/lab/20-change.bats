#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# enable, disable, resize: what msictl says is what the host says.

load helpers

setup_file() {
	give "$xhci" "$edu" "$e1000e" "$nvme"
}

teardown() {
	dev_clean
}

# agree DEVICE INDEX - what was said is what the host says
agree() {
	says armed="$(armed "$1" "$2")" allocated="$(allocated "$1")"
}

@test "enable none: MSI-X is on in the device, nothing is armed" {
	dev_start "$nvme"
	dev_send 'enable msix none'
	says enabled=true armed=[] allocated=1 control_enabled=true control=$((0x8040))
	assert_equal "$(control "$nvme" MSIX)" 8040
	assert_equal "$(handlers "$nvme" msix)" ''
	assert_equal "$(allocated "$nvme")" 1

	dev_send 'disable msix'
	says enabled=false control_enabled=false
	assert_equal "$(control "$nvme" MSIX)" 0040
	dev_stop
}

@test "enable none: MSI too" {
	dev_start "$xhci"
	dev_send 'enable msi none'
	says enabled=true armed=[] control_enabled=true
	assert_equal "$(($((16#$(control "$xhci" MSI))) & 0x71))" 1
	assert_equal "$(handlers "$xhci" msi)" ''
	assert_equal "$(allocated "$xhci")" 1
	dev_stop
	assert_equal "$(($((16#$(control "$xhci" MSI))) & 1))" 0
	nothing_left "$xhci"
}

@test "grow 4 to 8 to 65: live vectors keep their IRQs and counts" {
	dynamic || skip 'MSI-X is NORESIZE before Linux 6.10'
	local before
	dev_start "$nvme"
	dev_send 'enable msix 4'
	before=$(handlers "$nvme" msix)
	assert_equal "$(wc -l <<<"$before")" 4
	dev_send 'trigger msix 0-3 --count 3' 'resize msix 8'
	says calls=1 added=[4,5,6,7] removed=[] rebuilt=false
	agree "$nvme" msix
	assert_equal "$(handlers "$nvme" msix | head -n 4)" "$before"
	dev_send 'resize msix 65'
	says calls=1 armed="$(upto 65)"
	agree "$nvme" msix
	assert_equal "$(handlers "$nvme" msix | head -n 4)" "$before"

	# three from before, one now: none was lost, none counted twice
	dev_send 'trigger msix 0-64' 'wait msix 0-3 --at-least 4 --timeout 5s'
	says missing=[]
	dev_send 'wait msix 0-3 --at-least 5 --timeout 0'
	says missing=[0,1,2,3]
	error expectation '^msix 0-3 did not count 5 within 0 s$'
	dev_stop 8
	nothing_left "$nvme"
}

@test "grow on a NORESIZE index: refused, nothing is disturbed" {
	local device=$nvme index=msix before
	! dynamic || { device=$xhci index=msi; }
	remapped || [[ $index == msix ]] || skip 'one MSI vector only without remapping'
	dev_start "$device"
	dev_send "enable $index 4"
	before=$(handlers "$device" "$index")
	assert_equal "$(wc -l <<<"$before")" 4
	dev_send "resize $index 8"
	error disturb 'is NORESIZE with 4 allocated'
	hint "resize $index 8 --rebuild"
	lacks armed
	assert_equal "$(handlers "$device" "$index")" "$before"
	dev_send "enable $index 5-6"
	error disturb 'arming vector 6 needs a disable and enable, which blinds 4 live vectors'
	assert_equal "$(handlers "$device" "$index")" "$before"

	dev_send "resize $index 8 --rebuild"
	says rebuilt=true live_before=[0,1,2,3] armed="$(upto 8)"
	[[ $output =~ \"blind_us\":[1-9] ]]
	agree "$device" "$index"
	dev_send "trigger $index 0-7" "wait $index 0-7 --timeout 5s"
	says missing=[]
	dev_stop 9
}

@test "grow on a NORESIZE index: exit 9 and one sentence" {
	local device=$nvme index=msix
	! dynamic || { device=$xhci index=msi; }
	remapped || [[ $index == msix ]] || skip 'one MSI vector only without remapping'
	fails 9 run "$device" -c "enable $index 2; resize $index 3; disable $index"
	noted "^msictl: -c:1: $device: resize: $index is NORESIZE with 2 allocated"
	hinted "resize $index 3 --rebuild"
	refute_output --partial 'off'
}

@test "room: a NORESIZE index grows into what was allocated" {
	remapped || skip 'one MSI vector only without remapping'
	local before
	dev_start "$xhci"
	dev_send 'enable msi 2 --room 16'
	says armed=[0,1] allocated=16
	before=$(handlers "$xhci" msi)
	dev_send 'resize msi 6'
	says calls=1 armed="$(upto 6)" allocated=16 rebuilt=false
	agree "$xhci" msi
	assert_equal "$(handlers "$xhci" msi | head -n 2)" "$before"
	dev_stop
}

@test "shrink keeps IRQs allocated, --release gives them back" {
	dynamic || skip 'MSI-X is NORESIZE before Linux 6.10'
	local before
	dev_start "$nvme"
	dev_send 'enable msix 8'
	before=$(handlers "$nvme" msix | head -n 4)
	dev_send 'resize msix 4'
	says calls=1 removed=[4,5,6,7] armed=[0,1,2,3] allocated=8
	agree "$nvme" msix
	dev_says '8 IRQs stay allocated until disable'
	assert_equal "$(handlers "$nvme" msix)" "$before"

	# and again the same vectors: their IRQs were kept for them
	dev_send 'resize msix 6'
	says calls=1 allocated=8
	dev_send 'resize msix 4' 'resize msix 4 --release'
	says rebuilt=true armed=[0,1,2,3] allocated=4
	agree "$nvme" msix
	dev_send 'resize msix 0'
	says enabled=true armed=[] control_enabled=true
	agree "$nvme" msix
	dev_stop
}

@test "shrink on a NORESIZE index releases the tail" {
	local device=$nvme index=msix
	! dynamic || { device=$xhci index=msi; }
	remapped || [[ $index == msix ]] || skip 'one MSI vector only without remapping'
	dev_start "$device"
	dev_send "enable $index 4"
	dev_send "resize $index 2"
	says armed=[0,1] removed=[2,3] allocated=4 rebuilt=false
	agree "$device" "$index"
	dev_send "resize $index 4"
	says armed=[0,1,2,3] calls=1
	agree "$device" "$index"
	dev_send "resize $index 2 --release"
	says rebuilt=true armed=[0,1] allocated=2
	agree "$device" "$index"
	dev_stop
}

@test "enabling what is armed already changes nothing" {
	local before
	dev_start "$nvme"
	dev_send 'enable msix 0-3,7'
	says armed=[0,1,2,3,7]
	agree "$nvme" msix
	before=$(handlers "$nvme" msix)
	dev_send 'enable msix 0-3'
	says calls=0 armed=[0,1,2,3,7]
	if dynamic; then
		# one call per run of new vectors, none touches a live one
		dev_send 'enable msix 0-9'
		says calls=2 added=[4,5,6,8,9] armed="$(upto 10)"
	else
		dev_send 'enable msix 4-6'
		says calls=1 added=[4,5,6]
	fi
	agree "$nvme" msix
	[[ $(handlers "$nvme" msix) == *"$(grep '^7 ' <<<"$before")"* ]]
	dev_stop
}

@test "a short grant: exit 7, the number, nothing enabled" {
	! remapped || skip 'all 16 vectors are granted with remapping'
	refused 7 '^-c:1: 01:00.0: enable: the host grants 1 of 16 msi vectors, nothing was enabled' \
		run "$xhci" -c 'enable msi 16'
	hinted 'enable msi 1'
	works run "$xhci" -c 'enable msi 1; trigger msi 0; wait msi 0'
	assert_line --partial 'msi: 1 armed of 16'
}

@test "all 16 MSI vectors are granted with remapping" {
	remapped || skip 'without it there is one'
	dev_start "$xhci"
	dev_send 'enable msi 16'
	says armed="$(upto 16)" allocated=16
	agree "$xhci" msi
	dev_send 'trigger msix 0'
	error failed 'msix 0 not armed'
	dev_send 'enable msix 2'
	error failed 'msi is on, and a function uses one'
	dev_send 'trigger msi 0,3,15' 'wait msi 0,3,15 --timeout 5s'
	says missing=[]
	dev_send 'wait msi 1 --timeout 0'
	says missing=[1]
	dev_stop 1
}

@test "bus mastering is turned on, said, and put back" {
	local before
	dev_start "$nvme"
	before=$(command_word "$nvme")
	assert_equal "$((16#$before & 4))" 0
	dev_send 'enable msix 2'
	says bus_master_turned_on=true
	dev_says 'bus mastering turned on'
	assert_equal "$((16#$(command_word "$nvme") & 4))" 4
	dev_send 'disable msix'
	assert_equal "$(command_word "$nvme")" "$before"
	dev_says 'bus mastering turned off again'
	dev_stop
}

@test "indexes that a device lacks, counts beyond its own" {
	dev_start "$edu"
	dev_send 'enable msix 1'
	error failed '^the device has no msix$'
	dev_send 'enable err 1'
	error failed 'no err: it is not PCI Express'
	dev_send 'enable msi 2'
	error usage 'msi has vectors 0-0, 1 is beyond'
	dev_send 'enable intx 2'
	error usage 'intx has vectors 0-0, 1 is beyond'
	dev_send 'trigger msi 0'
	error failed 'msi 0 not armed'
	dev_send 'mask msi 0'
	error failed 'msi 0 not armed'
	dev_send 'disable msi'
	says calls=0
	lacks error
	dev_stop 1
	nothing_left "$edu"
}

@test "err and req can be triggered" {
	dev_start "$nvme"
	dev_send 'enable msix 2' 'enable err 1' 'trigger err 0' 'wait err 0 --timeout 5s'
	says missing=[]
	dev_send 'trigger req 0'
	says times=1
	dev_send 'disable req'
	error failed 'msictl always listens to it'
	# a loopback of req is not the kernel asking: the device is still here
	dev_send 'trigger msix 0-1' 'wait msix 0-1 --timeout 5s'
	says missing=[]
	dev_stop 1
}

@test "reset leaves vectors armed" {
	dev_start "$e1000e"
	dev_send 'enable msix 3' 'reset'
	says command='"reset"'
	assert_equal "$(armed "$e1000e" msix)" '[0,1,2]'
	dev_send 'trigger msix 0-2' 'wait msix 0-2 --timeout 5s'
	says missing=[]
	dev_stop
}

@test "writes to the MSI and MSI-X capabilities and the table are refused" {
	dev_start "$e1000e"
	dev_send 'enable msix 2'
	dev_send "write config 0x$(setpci -s "$e1000e" 34.b) b 0" # the power management capability
	lacks error
	for offset in 0xa0 0xa2 0xa8 0xd0 0xd2 0xda; do
		dev_send "write config $offset w 0"
		error failed 'is in the msix? capability'
	done
	dev_send 'write bar3 0 l 0'
	error failed 'is in the MSI-X table'
	dev_send 'write bar0 0x20000 l 0'
	error usage 'bar0 ends at 0x20000'
	dev_send 'read bar0 0x2 l'
	error usage 'not aligned to 4 bytes'
	dev_send 'read bar4 0 l'
	error failed '^the device has no bar4$'
	dev_send 'write config 0x3c b 0x1ff'
	error usage 'does not fit into 1 byte'
	dev_send 'read config 0 l'
	says value=$((0x10d38086)) width=4
	dev_stop 1
}

@test "memory decode off and low power: a sentence, and the way out in the hint" {
	dev_start "$e1000e"
	dev_send 'write config 0x4 w 0' 'read bar0 0 l'
	error failed 'memory decode is off'
	dev_send 'write config 0x4 w 0x2' 'read bar0 0 l'
	lacks error
	# D3hot, by the power management capability's control word
	dev_send "write config $(printf '0x%x' $((16#$(setpci -s "$e1000e" 34.b) + 4))) w 3" 'enable msix 1'
	error failed 'low-power state'
	hint '^(write config 0x[0-9a-f]+ w 0)$'
	dev_send "${BASH_REMATCH[1]}" 'write config 0x4 w 0x6' 'enable msix 1'
	says armed=[0]
	dev_stop 1
}
