#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What makes a vector count: loopback triggers and the device itself.

load world

@test "the device fires each MSI-X vector" {
	local v

	dev_start "$firing"
	dev_send 'enable msix 5'
	fire_ready
	for v in 3 0 4 1 2; do
		fired msix "$v"
		counted msix "$v" 1
	done
	# and none of another
	for v in 0 1 2 3 4; do
		assert_equal "$(count msix "$v")" 1
	done
	dev_stop
}

@test "the device fires MSI" {
	dev_start "$level"
	dev_send 'enable msi 1'
	fired msi 0
	counted msi 0 1
	fired msi 0
	counted msi 0 2
	dev_stop
}

@test "loopback and the device are told apart" {
	dev_start "$firing"
	dev_send 'enable msix 2'
	fire_ready
	dev_send 'trigger msix 0 --count 3'
	says times=3 loopback=true
	fired msix 0
	counted msix 0 4
	dev_send counters
	[[ $output =~ \"vector\":0,[^}]*\"loopback\":3 ]] || fail "$output"
	[[ $output =~ \"vector\":1,[^}]*\"loopback\":0 ]] || fail "$output"
	dev_stop
}

@test "a vector that is not armed is silent, one armed later counts" {
	dev_start "$firing"
	dev_send 'enable msix 2'
	fire_ready
	fired msix 1
	counted msix 1 1
	dev_send 'resize msix 1'
	says armed=[0]
	# the device keeps it pending while nobody listens, and sends it when somebody does
	fired msix 1
	settle
	dev_send 'resize msix 2'
	says armed=[0,1]
	counted msix 1 2
	dev_stop
}

@test "without bus mastering the interrupt is lost, for good" {
	dev_start "$firing"
	dev_send 'enable msix 2'
	fire_ready
	dev_send 'write config 0x4 w 0x2'
	fired msix 0
	settle
	assert_equal "$(count msix 0)" 0
	dev_send 'write config 0x4 w 0x6'
	settle
	assert_equal "$(count msix 0)" 0
	# vector 1, for the device may believe that 0 is still on its way
	fired msix 1
	counted msix 1 1
	dev_stop
}

@test "triggering what is not armed is refused" {
	dev_start "$wide"
	dev_send 'enable msix 0-1,4'
	dev_send 'trigger msix 0-4'
	error failed 'msix 2-3 not armed: the (kernel would return 0 and signal nothing|peer has no eventfd to signal)'
	hint 'enable msix 2-3'
	counted msix 0 0
	dev_send 'trigger msix all'
	says vectors=[0,1,4]
	dev_send 'wait msix all --timeout 5s'
	says vectors=[0,1,4] missing=[]
	# one with holes, in one call
	dev_send 'trigger msix 0,4'
	counted msix 0 2
	counted msix 1 1
	counted msix 4 2
	dev_stop 1
}

@test "err and req can be triggered" {
	dev_start "$wide"
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
	dev_start "$firing"
	dev_send 'enable msix 3' 'reset'
	says command='"reset"'
	assert_equal "$(armed "$firing" msix)" '[0,1,2]'
	dev_send 'trigger msix 0-2' 'wait msix 0-2 --timeout 5s'
	says missing=[]
	dev_stop
}

