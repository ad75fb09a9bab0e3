#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Against a server that leaves MSI and MSI-X Enable, the masks and what maps the
# BARs to its client, as QEMU's x-vfio-user-server does.

# helpers.bash and run set dev_dir, dev_pid and stderr.
# shellcheck disable=SC2154

load ../helpers

teardown() {
	dev_clean
}

# What a guest's firmware does; the doorbell is in BAR0, the MSI-X table in BAR2.
map_bars=('write config 0x10 l 0x80000000' 'write config 0x18 l 0x90000000' 'write config 4 w 2')

# device [SPEC] - one whose BARs answer
device() {
	dev_start "sim:client-enable${1+,$1}"
	dev_send "${map_bars[@]}"
}

# ring VECTOR...
ring() {
	local v

	for v; do
		dev_send "write bar0 4 l $v"
		lacks error
	done
}

# counts N... - of vectors 0, 1, ... of the index that is on
counts() {
	dev_send counters
	assert_equal "$(jq -r '[.vectors[].count] | join(" ")' <<<"$output")" "$*"
}

# reads WIDTH VALUE WHERE - a register of the device
reads() {
	dev_send "read $3 $1"
	says value="$2"
}

@test "MSI-X: Enable and the masks are written after SET_IRQS, and put back by disable" {
	device
	dev_send 'enable msix 4'
	says enable_written=true unmasked_in_device='[0,1,2,3]' still_masked_in_device='[]' device_masks_seen=true \
		control_enabled=true armed_without_enable=false
	dev_says '^msix: the peer left Enable clear in the device: msictl set it and unmasked 0-3; disabling puts it back$'
	reads w $((0x803f)) 'config 0xb2'
	ring 3 1 3
	counts 0 1 0 2
	dev_send 'resize msix 6'
	says enable_written=false unmasked_in_device='[4,5]'
	ring 5
	counts 0 1 0 2 0 1
	dev_send 'disable msix'
	says registers_put_back=true control_enabled=false
	dev_says '^msix: Enable and the masks were put back in the device$'
	reads w $((0x3f)) 'config 0xb2'
	reads l 1 'bar2 12'
	reads l 1 'bar2 0x5c'
	dev_stop
}

@test "MSI-X: a mask that was set before by the user is not undone by arming another vector" {
	device
	dev_send 'enable msix 2' 'mask msix 1' 'resize msix 4'
	says unmasked_in_device='[2,3]'
	ring 1 3
	counts 0 0 0 1
	dev_send 'unmask msix 1'
	counts 0 1 0 1
	dev_stop
}

@test "MSI: Enable, MME for the vectors and the mask bits" {
	device msi=8
	# masked as after power-on of a function that begins so
	dev_send 'write config 0x60 l 0xff'
	dev_send 'enable msi 3'
	says enable_written=true unmasked_in_device='[0,1,2]'
	# Multiple Message Capable 8, Enable 4
	reads w $((0x1a7)) 'config 0x52'
	reads l $((0xf8)) 'config 0x60'
	ring 2 2
	counts 0 0 2
	dev_send 'disable msi'
	says registers_put_back=true
	reads w $((0x186)) 'config 0x52'
	reads l $((0xff)) 'config 0x60'
	dev_stop
}

@test "the zero-vector enable sets Enable too" {
	device
	dev_send 'enable msix none'
	says enable_written=true control_enabled=true
	dev_send 'disable msix' 'enable msix 2 --room 4'
	says enable_written=true unmasked_in_device='[0,1]'
	dev_stop
}

@test "a table that can't be read: UNMASK by SET_IRQS, and it is said that nothing was seen" {
	dev_start sim:client-enable
	dev_send 'enable msix 4'
	says enable_written=true unmasked_in_device='[]' device_masks_seen=false
	dev_says "^warning: msix 0-3: whether they are unmasked in the device can't be seen: memory decode is off"
	dev_says '^hint: write config 0x4 w 0x6; unmask msix 0-3 --by table$'
	dev_send "${map_bars[@]}" 'write config 4 w 6'
	ring 0 3
	counts 1 0 0 1
	dev_send 'unmask msix 0-3 --by table'
	lacks error
	dev_send 'disable msix'
	says registers_put_back=true
	reads l 1 'bar2 0x3c'
	dev_stop
}

@test "the end of a session, and TERM, put the registers back" {
	local what='REGION_WRITE\(config offset=0xb2 size=2 value=0x003f\)'

	works --trace run sim:client-enable -c 'write config 0x18 l 0x90000000; write config 4 w 2; enable msix 2'
	noted "$what"
	noted 'REGION_WRITE\(bar2 offset=0x1c size=4 value=0x00000001\)'
	dev_start sim:client-enable --trace
	dev_send "${map_bars[@]}" 'enable msix 2'
	! grep -Eq "$what" "$dev_dir/err" || fail "put back too early"
	kill -TERM "$dev_pid"
	dev_ended 1
	grep -Eq "$what" "$dev_dir/err" || fail "$(<"$dev_dir/err")"
	grep -Eq 'REGION_WRITE\(bar2 offset=0x1c size=4 value=0x00000001\)' "$dev_dir/err" || fail "$(<"$dev_dir/err")"
}

@test "a dry run of enable writes nothing, one of disable names what would be put back" {
	works --dry-run run sim:client-enable -c 'enable msix 2'
	! grep -q 'Enable\|would: pwrite(config offset=0xb2' <<<"$output$stderr" || fail "$output$stderr"
	works run sim:client-enable -c 'enable msix 2; disable msix --dry-run; enable msix 2'
	grep -q 'would: pwrite(config offset=0xb2 size=2 value=0x003f)' <<<"$output$stderr" || fail "$output$stderr"
	noted '^msix: Enable and the masks would be put back in the device$'
	assert_line --partial 'already 0-1'
}

@test "on a peer that sets Enable itself nothing is written" {
	works --trace --json run sim:msix=8 -c 'enable msix 4'
	says enable_written=false unmasked_in_device='[]'
	! grep -Eq 'REGION_WRITE\((config offset=0xb2|bar2)' <<<"$stderr" || fail "$stderr"
}

@test "MASK and UNMASK by action are tried, and believed when the device reads so" {
	device
	dev_send 'enable msix 4' 'mask msix 0-3 --by action'
	says masked='[0,1,2,3]' masked_in_device='[0,1,2,3]'
	ring 2
	counts 0 0 0 0
	# this server unmasks from 2 to below 1, that is: nothing
	dev_send 'unmask msix 2'
	error failed '^the peer accepted UNMASK, but msix 2 still reads masked in the device$'
	hint '^unmask msix 2 --by table$'
	dev_send 'unmask msix 2 --by table'
	says masked='[0,1,3]'
	counts 0 0 1 0
	dev_send 'unmask msix 0-1'
	says masked='[3]'
	dev_send 'mask msix 1 --by action'
	error failed '^the peer accepted MASK, but msix 1 still reads unmasked in the device$'
	hint '^mask msix 1 --by table$'
	dev_send counters
	assert_equal "$(jq -r '[.vectors[].state] | join(" ")' <<<"$output")" 'armed armed armed masked'
	dev_stop 1
}

@test "mask --by eventfd: what becomes of an edge is said as the device shows it" {
	device
	dev_send 'enable msix 2' 'mask msix 1 --by eventfd'
	says masked_in_device='[]' masked='[1]'
	dev_send 'unmask msix 1'
	ring 1
	counts 0 1
	dev_stop
	works run sim:client-enable -c 'write config 0x18 l 0x90000000; write config 4 w 2; enable msix 2; mask msix 1 --by eventfd'
	assert_line --partial 'not all of them read masked in the device, so an edge meanwhile may be lost'
}

@test "a BAR that does not answer: why, and the command that changes it" {
	refused 1 'memory decode is off \(Command 0x0000\), so BARs do not answer \(EINVAL\)$' read sim:client-enable bar0 0 l
	hinted '^write config 0x4 w 0x2$|write config 0x4 w 0x2'
	fails 1 run sim:client-enable -c 'write config 4 w 2; read bar0 0 l'
	noted 'read: bar0 has no address \(config 0x10 reads 0x0\), so it does not answer \(EINVAL\)$'
	noted '^hint: write config 0x10 l 0x80000000 '
	works run sim:client-enable -c 'write config 4 w 2; write config 0x10 l 0x80000000; read bar0 0 l'
}

@test "a write into the capability: carried out, with a warning" {
	device
	dev_send 'enable msix 2' 'write config 0xb2 w 0xc03f'
	lacks error
	dev_says '^warning: 0xb2 is in the msix capability: the peer may lose interrupts by this write, and msictl does not put it back$'
	ring 1
	counts 0 0
	dev_send 'write config 0xb2 w 0x803f'
	counts 0 1
	dev_stop
}

@test "what is said of a peer does not speak of the kernel or of Linux IRQs" {
	fails 1 run sim -k -c 'enable msix 32; resize msix 2; trigger msix 3; disable msix; enable intx 1; write config 4 w 0x402; trigger intx 0; disable req'
	! grep -E 'kernel|[0-9] IRQs|host' <<<"$stderr$output" || fail "$stderr"
	noted 'msix 3 not armed: the peer has no eventfd to signal$'
	noted "INTx Disable is set in the device's command register: the peer may report success and signal nothing$"
	noted 'req is how the peer asks for the device back'
}

@test "what MASK did is not said to hold where the table can't be read" {
	works run sim:client-enable -c 'enable msix 2; mask msix 0 --by action'
	assert_line --regexp "^msix: masked 0 by action \(the peer accepted it; whether it holds can't be seen\)"
}
