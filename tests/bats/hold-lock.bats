#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A folder of sockets that another process has locked.

load ../hold

setup() {
	dev=sim:msix=8
	bg=()
	user_setup
	folder=$BATS_TEST_TMPDIR/run/msictl
	as 65534 mkdir -m 700 "$folder"
}

hold_teardown() {
	[[ ! -e $folder ]] || user release "$dev" >/dev/null 2>&1 || true
}

# locked - by a process whose number is $locker, until it is killed
locked() {
	local said=$BATS_TEST_TMPDIR/locker

	as 65534 perl -MFcntl=:flock -e 'open(D, "<", shift) and flock(D, LOCK_EX) or die; $| = 1; print "$$\n"; sleep' \
		"$folder" >"$said" 3>&- &
	until_true test -s "$said"
	locker=$(<"$said")
	bg+=("$locker")
}

@test "hold says who has locked the folder, and ends with 5" {
	locked
	run -5 user --timeout 50ms hold "$dev"
	assert_line --regexp "^msictl: $dev: hold: pid $locker \(perl\) has locked the folder of sockets \(ETIMEDOUT\)\$"
	assert_line --regexp "^hint: ps -o pid,stat,args -p $locker "
	run -5 user --timeout 50ms hold --foreground "$dev"
	run -0 user holders
	kill -KILL "$locker"
	run -0 user hold "$dev"
}

@test "hold waits until the folder is unlocked" {
	locked
	user --timeout 80s hold "$dev" >"$BATS_TEST_TMPDIR/hold" 2>&1 3>&- &
	pid=$!
	until_true grep -Eq -- "-> FLOCK .*:$(stat -c %i "$folder") " /proc/locks
	kill -KILL "$locker"
	ended 0
	grep -q 'held by pid' "$BATS_TEST_TMPDIR/hold"
}

@test "a socket whose holder was killed, in a locked folder: holders lists none and does not wait" {
	run -0 user hold "$dev"
	[[ $output =~ pid\ ([0-9]+) ]]
	kill -KILL "${BASH_REMATCH[1]}"
	until_true dead "${BASH_REMATCH[1]}"
	[[ -S $folder/$dev.sock ]]
	locked
	run -0 timeout 60 "$BASH" -c "$(declare -f as user); BATS_TEST_TMPDIR=$BATS_TEST_TMPDIR user --json holders"
	assert_output '{"holders":[]}'
	kill -KILL "$locker"
	run -0 user hold "$dev"
}
