#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# events and wait --event, as far as they go without a device that changes:
# tests/lab/events.bats has those.

load ../helpers

# Of no machine: nothing will be said of it.
nobody=fffe:ff:1f.7

@test "events: words that are wrong" {
	refused 2 'is no PCI address' events 01:00
	refused 2 'is no PCI address' events 01:00.0 nonsense
	refused 2 'at least 1 event' events -n 0
	refused 2 '--count:' events -n -1
	refused 2 '--timeout:' events --timeout soon
	refused 2 'no columns' events -o TIME
}

@test "events: not of a captured tree" {
	refused 2 'captured tree' events --root "$tests/root/intel-remap.capture"
	refused 2 'captured tree' wait "$nobody" --event bind --root "$tests/root/intel-remap.capture"
}

@test "events: time is over, 0 without an expectation" {
	works events "$nobody" --timeout 100ms
	assert_equal "$output" ''
	noted '^msictl: listening'
}

@test "events: time is over, 8 when more were expected" {
	fails 8 events "$nobody" -n 2 --timeout 0.1
	assert_equal "$output" ''
	noted '^msictl: .*: 0 of 2 events came within 0.1 s$'

	fails 8 --json events "$nobody" -n 2 --timeout 0.1
	json '.error.cause == "expectation"'
}

@test "events: its own --timeout, not that of a vfio-user peer" {
	local start=$EPOCHREALTIME

	works --timeout 60s events "$nobody" --timeout 50ms
	(($(ms_since "$start") < 20000))
}

# interrupted SIGNAL WORD... - ends with what msictl ends with
interrupted() {
	rm -f "$BATS_TEST_TMPDIR/err"
	"$MSICTL" "${@:2}" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	until_true grep -qs listening "$BATS_TEST_TMPDIR/err"
	kill "-$1" $!
	wait $!
}

@test "events: to be stopped is its end, or a failure when events were expected" {
	# a shell's background process ignores SIGINT, so it is SIGTERM's turn
	run -0 interrupted TERM events "$nobody"
	run -1 interrupted TERM events "$nobody" -n 1
	grep -q 'stopped by Terminated (EINTR)' "$BATS_TEST_TMPDIR/err"
}

@test "events: Ctrl-C at a terminal ends it with 0" {
	term_start events "$nobody"
	term_expect 'listening to the kernel'
	term_key C-c
	term_ended 0
	term_stop
}

@test "wait: one of the two forms" {
	refused 2 'what to wait for is missing' wait "$nobody"
	refused 2 'VECTORS is missing' wait "$nobody" msix
	refused 2 'one at a time' wait "$nobody" msix 0 --event bind
	refused 2 'one at a time' wait "$nobody" --event bind --at-least 2
	hinted 'wait DEVICE'
	refused 2 'none of bind\|unbind\|add\|remove' wait "$nobody" --event change
	refused 2 'no PCI function of this host: it has no driver and no kernel events' wait sim --event bind
	refused 2 'no PCI function of this host: it has no driver and no kernel events' events sim
	refused 2 'no PCI function of this host: it has no driver and no kernel events' bind vfio-user:/x
	refused 2 'no PCI function of this host: it has no driver and no kernel events' hold --bind sim
}

@test "wait --event: 8 when it does not come, and how it is" {
	local start=$EPOCHREALTIME

	fails 8 wait "$nobody" --event add --timeout 200ms
	assert_equal "$output" ''
	assert_equal "$stderr" "msictl: listening to the kernel's events"$'\n'"msictl: $nobody: wait:\
 no add event of fffe:ff:1f.7 came within 0.2 s; it is not there"
	(($(ms_since "$start") >= 200))
	fails 8 --json wait "$nobody" --event unbind --timeout 0
	json '.error.cause == "expectation"'
}

@test "help and completion know the words" {
	works events --help
	assert_line --partial 'events [DEVICE...]'
	works wait --help
	assert_line --partial '--event'
	works __complete -- wait 01:00.0 --event ''
	assert_line --partial unbind
}
