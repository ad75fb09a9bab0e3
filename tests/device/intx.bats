#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# INTx: a level, masked by the kernel when it fires.

load world

setup() {
	dev_start "$level"
	dev_send 'enable intx 1'
	says armed=[0]
}

@test "it is masked when it fires, and fires again while the line is up" {
	dev_send "$raise"
	counted intx 0 1
	assert_equal "$(state intx 0)" masked
	# still up, still masked
	dev_send "$raise"
	counted intx 0 1
	# nobody has acknowledged it: it comes at once, and is masked again
	dev_send 'unmask intx 0'
	counted intx 0 2
	assert_equal "$(state intx 0)" masked
	dev_send "$acknowledge" 'unmask intx 0'
	says masked=[]
	counted intx 0 2
	assert_equal "$(state intx 0)" armed
	dev_send "$raise"
	counted intx 0 3
	dev_stop
}

@test "masked by the action: held, pending, sent by unmask" {
	dev_send 'mask intx 0'
	says by='"action"' masked=[0]
	dev_send "$raise"
	counted intx 0 0
	dev_send 'mask intx 0'
	says pending=[0]
	dev_send 'unmask intx 0'
	counted intx 0 1
	dev_stop
}

@test "masked by the eventfd: the line waits, whatever else is tried" {
	dev_send 'mask intx 0 --by eventfd'
	says by='"eventfd"' masked=[0]
	dev_send 'mask intx 0'
	says by='"eventfd"' masked=[0]
	dev_send 'mask intx 0 --by action'
	error failed '^intx 0 is masked by eventfd already$'
	dev_send 'unmask intx 0 --by action'
	error failed '^intx 0 is masked by eventfd, not by action$'
	dev_send 'unmask intx 0'
	says by='"eventfd"' masked=[]
	dev_send "$raise"
	counted intx 0 1
	# and what the kernel masked is let go by the action alone
	dev_send 'mask intx 0 --by eventfd'
	error failed '^intx 0 is masked by action already$'
	dev_send "$acknowledge" 'unmask intx 0' "$raise"
	counted intx 0 2
	dev_stop 1
}

@test "a level that came while the eventfd was off comes when it is back" {
	dev_send 'mask intx 0 --by eventfd' "$raise"
	counted intx 0 0
	dev_send 'unmask intx 0'
	counted intx 0 1
	assert_equal "$(state intx 0)" masked
	# down to none, and back, is the same
	dev_send "$acknowledge" 'resize intx 0' 'enable intx 1' "$raise"
	counted intx 0 2
	dev_stop
}

@test "a loopback signals it, masked or not" {
	dev_send 'trigger intx 0'
	counted intx 0 1
	dev_send 'mask intx 0' 'trigger intx 0'
	counted intx 0 2
	dev_stop
}

@test "DisINTx holds it back" {
	dev_send 'write config 0x4 w 0x402' "$raise"
	counted intx 0 0
	dev_send 'write config 0x4 w 0x2'
	counted intx 0 1
	dev_stop
}

@test "a loopback under DisINTx would be none: refused, and the device is not taken for one" {
	dev_send 'write config 0x4 w 0x402' 'trigger intx 0'
	error failed 'INTx Disable is set .* signal nothing$'
	hint '^write config 0x4 w 0x2$'
	dev_send 'write config 0x4 w 0x2' "$raise"
	counted intx 0 1
	assert_equal "$(state intx 0)" masked
	dev_stop 1
}

@test "one of INTx, MSI and MSI-X at a time" {
	dev_send 'enable msi 1'
	error failed 'intx is on, and a function uses one'
	hint '^disable intx$'
	dev_send 'disable intx' 'enable msi 1'
	says armed=[0]
	dev_send 'enable intx 1'
	error failed 'msi is on'
	dev_send 'disable msi' 'enable intx 1' "$raise"
	counted intx 0 1
	dev_stop 1
}

@test "it needs no bus mastering" {
	dev_send 'write config 0x4 w 0x2' "$raise"
	counted intx 0 1
	dev_stop
}
