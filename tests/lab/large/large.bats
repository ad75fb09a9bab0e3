#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A device of 2048 vectors on a host with CPUs enough for them.

load ../helpers

setup_file() {
	give "$nvme"
}

teardown() {
	dev_clean
}

# kib FIELD - of the process that holds the device
kib() {
	sed -n "s/^$1:[[:space:]]*\([0-9]*\) kB\$/\1/p" "/proc/$dev_pid/status"
}

# small - it never had 8 MiB; the sanitizers need more for themselves
small() {
	echo "# $(kib VmHWM) KiB at most" >&3
	grep -q libasan "/proc/$dev_pid/maps" || (($(kib VmHWM) < 8192))
}

@test "2048 armed: one SET_IRQS, less than 8 MiB, the descriptor limit raised; SIGKILL leaves nothing" {
	assert_equal "$(ulimit -Sn)" 1024
	dev_start "$nvme"
	dev_send 'enable msix 2048'
	says calls=1 allocated=2048 enabled=true
	assert_equal "$(handlers "$nvme" msix | wc -l)" 2048
	dev_says 'descriptor limit raised to'
	dev_send 'trigger msix all' 'wait msix all --timeout 60s'
	says missing=[]
	small
	dev_send 'info --table'
	assert_equal "$(grep -o '"vector":' <<<"$output" | wc -l)" 4096
	small
	kill -KILL "$dev_pid"
	wait "$dev_pid" || dev_pid=
	nothing_left "$nvme"
}

@test "1024 grow to 2048 by one SET_IRQS, whatever is live; tables in less than 8 MiB" {
	local before

	mkfifo "$BATS_TEST_TMPDIR/in"
	"$MSICTL" --trace run "$nvme" - <"$BATS_TEST_TMPDIR/in" \
		>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	dev_pid=$!
	exec 7>"$BATS_TEST_TMPDIR/in"
	echo 'enable msix 1024' >&7
	until_true grep -q '1024 armed' "$BATS_TEST_TMPDIR/out"
	before=$(handlers "$nvme" msix)
	printf '%s\n' 'resize msix 2048' 'info --table' counters 'resize msix 1' 'read config 0 l' >&7
	until_true grep -qx 0x00101b36 "$BATS_TEST_TMPDIR/out"
	small
	grep -q 'start=1024 count=1024 .* eventfds=1024-2047) = 0 ' "$BATS_TEST_TMPDIR/err"
	assert_equal "$(grep -c 'SET_IRQS(index=msix' "$BATS_TEST_TMPDIR/err")" 3
	# the first of them is as it was
	assert_equal "$(handlers "$nvme" msix)" "$(head -n 1 <<<"$before")"
	assert_equal "$(allocated "$nvme")" 2048
	grep -Eq "^msix +2047 +armed +[0-9]+ +0 " "$BATS_TEST_TMPDIR/out"
	dev_stop
	nothing_left "$nvme"
}
