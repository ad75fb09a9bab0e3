#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A holder is found by a file's name: whatever the DEVICE, it is that of one device.

load ../hold

hold_teardown() {
	local socket

	for socket in ${sockets[@]+"${sockets[@]}"}; do
		msictl release "vfio-user:$socket" >/dev/null 2>&1 || true
	done
}

# serve SOCKET SPEC
serve() {
	"$MSICTL" simulate "$1" "$2" >/dev/null 2>&1 3>&- &
	bg+=("$!")
	until_true test -S "$1"
}

# padded N - so many letters
padded() {
	printf "%0$1d" 0
}

@test "DEVICEs of all lengths: held, found, driven, released" {
	local at=$BATS_TEST_TMPDIR/s n

	serve "$at" msix=4
	for n in {1..40} 60; do
		mv "$at" "$BATS_TEST_TMPDIR/$(padded "$n")"
		at=$BATS_TEST_TMPDIR/$(padded "$n")
		sockets=("$at")
		works hold "vfio-user:$at"
		works enable "vfio-user:$at" msix 2
		works --json holders
		json --arg device "vfio-user:$at" 'any(.holders[]; .device == $device)'
		works release "vfio-user:$at"
		refused 3 'nobody holds it' release "vfio-user:$at"
	done
}

@test "two that differ at their ends are two" {
	local one two n

	for n in {15..45..5}; do
		one=$BATS_TEST_TMPDIR/$(padded "$n")a two=$BATS_TEST_TMPDIR/$(padded "$n")b
		sockets=("$one" "$two")
		serve "$one" msix=8
		serve "$two" msix=4
		works hold "vfio-user:$one"
		refused 3 'nobody holds it' release "vfio-user:$two"
		works hold "vfio-user:$two"
		works enable "vfio-user:$one" msix 8
		works --json enable "vfio-user:$two" msix 2
		json '.armed == [0,1] and .count == 4'
		works release "vfio-user:$one" "vfio-user:$two"
	done
}

@test "root sees the holders of other users" {
	local pid

	user_setup
	run -0 user hold "$dev"
	[[ $output =~ pid\ ([0-9]+) ]]
	pid=${BASH_REMATCH[1]}
	works --json holders
	json --arg dev "$dev" --argjson pid "$pid" \
		'[.holders[] | select(.pid == $pid)] == [{device: $dev, pid: $pid, uid: 65534}]'
	works holders
	assert_line --regexp "^$dev +$pid +65534 [- ]+\$"
	works hold "$dev"
	works --json holders
	json --arg dev "$dev" '[.holders[] | select(.device == $dev).uid] | sort == [0, 65534]'
	# who is not root sees his own
	run -0 user --json holders
	json --argjson pid "$pid" '[.holders[].pid] == [$pid]'
	run -0 user release "$dev"
	works --json holders
	json --argjson pid "$pid" '[.holders[] | select(.pid == $pid)] == []'
}

@test "not root: a runtime folder with a long path" {
	local deep=$BATS_TEST_TMPDIR/run

	user_setup
	while ((${#deep} < 700)); do
		deep+=/$(padded 200)
	done
	as 65534 mkdir -p "$deep"
	run as 65534 env XDG_RUNTIME_DIR="$deep" "$BATS_TEST_TMPDIR/msictl" hold "$dev"
	((status == 0)) || fail "$status: $output"
	[[ -e $deep/msictl/$dev.sock ]] || fail "$(ls "$deep/msictl")"
	as 65534 env XDG_RUNTIME_DIR="$deep" "$BATS_TEST_TMPDIR/msictl" release "$dev"
}

@test "another user's holder: root is told who holds the device, not why root's own holder let it go" {
	local pid socket=$BATS_TEST_TMPDIR/run/s

	user_setup
	chmod a+rx "$BATS_TEST_TMPDIR/run"
	as 65534 "$BATS_TEST_TMPDIR/msictl" simulate "$socket" msix=4 >/dev/null 2>&1 3>&- &
	until_true test -S "$socket"
	bg+=("$(pgrep -u 65534 -f "simulate $socket")")
	sockets=("$socket")
	dev=vfio-user:$socket
	works hold "$dev"
	works write "$dev" bar0 24 l 1
	until_true not_held
	refused 3 'nobody holds it; let go at .* took the device back' release "$dev"
	run -0 user hold "$dev"
	[[ $output =~ pid\ ([0-9]+) ]]
	pid=${BASH_REMATCH[1]}
	refused 5 "release: pid $pid, msictl of uid 65534, holds it \(EBUSY\)\$" release "$dev"
	hinted "kill $pid "
	refused 5 "enable: pid $pid, msictl of uid 65534, holds it \(EBUSY\)\$" enable "$dev" msix 2
	# the hint works
	kill "$pid"
	until_true dead "$pid"
	works hold "$dev"
	works release "$dev"
}
