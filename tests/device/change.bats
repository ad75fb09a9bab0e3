#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# enable, disable, resize: what msictl says is what the host, or the device, says.

load world

@test "enable none: MSI-X is on in the device, nothing is armed" {
	dev_start "$wide"
	dev_send 'enable msix none'
	says enabled=true armed=[] allocated=1 control_enabled=true control=$((0x8040))
	assert_equal "$(control "$wide" MSIX)" 8040
	assert_equal "$(handlers "$wide" msix)" ''
	agree "$wide" msix

	dev_send 'disable msix'
	says enabled=false control_enabled=false
	assert_equal "$(control "$wide" MSIX)" 0040
	dev_stop
}

@test "enable none: MSI too" {
	dev_start "$multi"
	dev_send 'enable msi none'
	says enabled=true armed=[] control_enabled=true
	assert_equal "$(($((16#$(control "$multi" MSI))) & 0x71))" 1
	assert_equal "$(handlers "$multi" msi)" ''
	agree "$multi" msi
	dev_send 'disable msi'
	assert_equal "$(($((16#$(control "$multi" MSI))) & 1))" 0
	dev_stop
	nothing_left "$multi"
}

@test "grow 4 to 8 to 65: live vectors keep their IRQs and counts" {
	dynamic || skip 'MSI-X is NORESIZE before Linux 6.5'
	local before
	dev_start "$wide"
	dev_send 'enable msix 4'
	before=$(handlers "$wide" msix)
	assert_equal "$(wc -l <<<"$before")" 4
	dev_send 'trigger msix 0-3 --count 3' 'resize msix 8'
	says calls=1 added=[4,5,6,7] removed=[] rebuilt=false
	agree "$wide" msix
	assert_equal "$(handlers "$wide" msix | head -n 4)" "$before"
	dev_send 'resize msix 65'
	says calls=1 armed="$(upto 65)"
	agree "$wide" msix
	assert_equal "$(handlers "$wide" msix | head -n 4)" "$before"

	# three from before, one now: none was lost, none counted twice
	dev_send 'trigger msix 0-64' 'wait msix 0-3 --at-least 4 --timeout 5s'
	says missing=[]
	dev_send 'wait msix 0-3 --at-least 5 --timeout 0'
	says missing=[0,1,2,3]
	error expectation '^msix 0-3 did not count 5 within 0 s$'
	dev_stop 8
	nothing_left "$wide"
}

@test "grow on a NORESIZE index: refused, nothing is disturbed" {
	local device index before
	noresize
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
	local device index
	noresize
	fails 9 run "$device" -c "enable $index 2; resize $index 3; disable $index"
	noted "^msictl: -c:1: $device: resize: $index is NORESIZE with 2 allocated"
	hinted "resize $index 3 --rebuild"
	refute_output --partial 'off'
}

@test "room: a NORESIZE index grows into what was allocated" {
	remapped || skip 'one MSI vector only without remapping'
	local before
	dev_start "$multi"
	dev_send 'enable msi 2 --room 16'
	says armed=[0,1] allocated=16
	before=$(handlers "$multi" msi)
	dev_send 'resize msi 6'
	says calls=1 armed="$(upto 6)" allocated=16 rebuilt=false
	agree "$multi" msi
	assert_equal "$(handlers "$multi" msi | head -n 2)" "$before"
	dev_stop
}

@test "shrink keeps IRQs allocated, --release gives them back" {
	dynamic || skip 'MSI-X is NORESIZE before Linux 6.5'
	local before
	dev_start "$wide"
	dev_send 'enable msix 8'
	before=$(handlers "$wide" msix | head -n 4)
	dev_send 'resize msix 4'
	says calls=1 removed=[4,5,6,7] armed=[0,1,2,3] allocated=8
	agree "$wide" msix
	# a peer has no Linux IRQs to keep
	is_sim || dev_says '8 IRQs stay allocated until disable'
	assert_equal "$(handlers "$wide" msix)" "$before"

	# and again the same vectors: their IRQs were kept for them
	dev_send 'resize msix 6'
	says calls=1 allocated=8
	dev_send 'resize msix 4' 'resize msix 4 --release'
	says rebuilt=true armed=[0,1,2,3] allocated=4
	agree "$wide" msix
	dev_send 'resize msix 0'
	says enabled=true armed=[] control_enabled=true
	agree "$wide" msix
	dev_stop
}

@test "shrink on a NORESIZE index releases the tail" {
	local device index
	noresize
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
	dev_start "$wide"
	dev_send 'enable msix 0-3,7'
	says armed=[0,1,2,3,7]
	agree "$wide" msix
	before=$(handlers "$wide" msix)
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
	agree "$wide" msix
	[[ $(handlers "$wide" msix) == *"$(grep '^7 ' <<<"$before")"* ]]
	dev_stop
}

@test "a growth beside holes: one call for the new vectors, none for the others" {
	dynamic || skip 'MSI-X is NORESIZE before Linux 6.5'
	local before
	dev_start "$wide" --trace
	dev_send 'enable msix 0-1,9'
	before=$(handlers "$wide" msix)
	dev_send 'enable msix 3-5'
	says calls=1 added=[3,4,5] armed=[0,1,3,4,5,9]
	dev_says 'SET_IRQS\(index=msix start=3 count=3 .*\) = 0'
	agree "$wide" msix
	dev_send 'enable msix 0-5,9'
	says calls=1 added=[2]
	dev_says 'SET_IRQS\(index=msix start=2 count=1 .*\) = 0'
	assert_equal "$(grep -E '^(0|1|9) ' <<<"$(handlers "$wide" msix)")" "$before"
	dev_stop
}

@test "a short grant: exit 7, the number, nothing enabled" {
	short_grants || skip 'all 16 vectors are granted with remapping'
	fails 7 run "$granting" -c 'enable msi 16'
	noted "^msictl: -c:1: $granting: enable: the (host|peer) grants 1 of 16 msi vectors, nothing was enabled"
	refute_output --partial armed
	hinted 'enable msi 1'
	works run "$granting" -c 'enable msi 1; trigger msi 0; wait msi 0'
	assert_line --partial 'msi: 1 armed of 16'
}

@test "all 16 MSI vectors are granted with remapping" {
	remapped || skip 'without it there is one'
	dev_start "$multi"
	dev_send 'enable msi 16'
	says armed="$(upto 16)" allocated=16
	agree "$multi" msi
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
	dev_start "$wide"
	before=$(command_word "$wide")
	assert_equal "$((16#$before & 4))" 0
	dev_send 'enable msix 2'
	says bus_master_turned_on=true
	dev_says 'bus mastering turned on'
	assert_equal "$((16#$(command_word "$wide") & 4))" 4
	dev_send 'disable msix'
	assert_equal "$(command_word "$wide")" "$before"
	dev_says 'bus mastering turned off again'
	dev_stop
}

@test "bus mastering is put back after more changes than one" {
	local before
	dev_start "$multi"
	before=$(command_word "$multi")
	dev_send 'enable msix 2 --room 4' 'resize msix 4'
	says bus_master_turned_on=false
	dev_send 'enable msix 0-3' 'resize msix 3'
	assert_equal "$((16#$(command_word "$multi") & 4))" 4
	dev_send 'disable msix'
	says bus_master_turned_off=true
	dev_says 'bus mastering turned off again'
	assert_equal "$(command_word "$multi")" "$before"
	dev_send 'enable msi none' 'enable msi 1' 'enable msi 1'
	assert_equal "$((16#$(command_word "$multi") & 4))" 4
	dev_send 'disable msi'
	assert_equal "$(command_word "$multi")" "$before"

	# what somebody turned on is his
	dev_send "write config 0x4 w $((16#$before | 4))" 'enable msix 2' 'resize msix 1' 'disable msix'
	says bus_master_turned_off=false
	assert_equal "$((16#$(command_word "$multi") & 4))" 4
	dev_stop
}

@test "req is listened to whatever is typed" {
	local line
	dev_start "$wide"
	for line in 'disable req' 'resize req 0' 'resize req 0 --release' 'mask req 0' 'mask req 0 --by eventfd' \
		'mask req 0 --by action' 'unmask req 0'; do
		dev_send "$line"
		error failed '^req is how the (kernel|peer) asks for the device back; msictl always listens to it$'
		hint '^quit '
	done
	dev_send 'resize req 1'
	says enabled=true armed=[0] calls=0
	# it still comes to us
	want_back "$wide"
	dev_send counters
	error no-device 'took the device back'
	dev_stop 1
	is_sim || give "$wide"
}

@test "indexes that a device lacks, counts beyond its own" {
	dev_start "$level"
	dev_send 'enable msix 1'
	error failed '^the device has no msix$'
	# the simulated function is always PCI Express
	is_sim || {
		dev_send 'enable err 1'
		error failed 'no err: it is not PCI Express'
	}
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
	nothing_left "$level"
}
