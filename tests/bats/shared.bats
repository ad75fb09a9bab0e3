#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A server has the file descriptions of our eventfds too. What a server does to
# them never makes msictl wait: here each becomes a blocking one.

load ../tampering

setup() {
	serve_lies msix=8,msi=2
	other=sim:msix=$((16 + RANDOM % 2000))
	lie block block
}

teardown() {
	# who waits for ever does not hear TERM
	# shellcheck disable=SC2086
	kill -KILL ${holder-} ${stuck-} 2>/dev/null || true
	lies_end
}

# soon STATUS WORD... - ends with STATUS, and not because the time is over
soon() {
	run --separate-stderr timeout -k 1 20 "$MSICTL" "${@:2}"
	((status == $1)) || fail "${*:2}: ended with $status, not $1: $output $stderr"
}

@test "blocking eventfds: run arms, counts, disarms and closes" {
	soon 0 --json run "vfio-user:$sock" -c 'enable msix 8; trigger msix all; wait msix all --timeout 5s; mask msix 7 --by eventfd
		resize msix 2; trigger msix 0; wait msix 0 --timeout 5s; counters; disable msix; enable msi 2; trigger msi 1; wait msi 1 --timeout 5s'
	[[ $output == *'"index":"msix","vector":0,"state":"armed",'*'"count":2,'* ]] || fail "$output"
	# vectors that are armed go with the device
	soon 0 run "vfio-user:$sock" -c 'enable msix 8; trigger msix all'
}

@test "counts that pass 64 bits stay at the end, and that is said" {
	lie full
	soon 0 --json run "vfio-user:$sock" -c 'enable msix 2; trigger msix 0; trigger msix 0; trigger msix 0
		wait msix 0 --at-least 4294967295 --timeout 5s; counters; watch --batch --iterations 2 --delay 100ms'
	[[ $output =~ \"vector\":0,[^}]*\"count\":18446744073709551614,[^}]*\"saturated\":true ]] || fail "$output"
	[[ $output =~ \"vector\":1,[^}]*\"count\":18446744073709551614,[^}]*\"saturated\":false ]] || fail "$output"
	assert_equal "$(grep -c '^msix 0: more was signalled than a count of 64 bits holds, it stays at 18446744073709551614$' <<<"$stderr")" 1
}

@test "descriptors that nobody asked for: their closing is not waited for" {
	# REQ's reply, when the device is closed
	lie 'linger 9' 'linger 1'
	soon 1 run "vfio-user:$sock" -c 'enable msix 2; trigger msix 0; counters'
	grep -q 'the peer broke the protocol and was cut off' <<<"$stderr" || fail "$stderr"
	soon 1 run "vfio-user:$sock" -c counters
	grep -q 'broke the protocol' <<<"$stderr" || fail "$stderr"
	lie 'linger 12'
	soon 0 run "vfio-user:$sock" -c 'enable msix 2'
}

@test "what a server refuses at the end is told, and not that everything was put back" {
	lie honest
	"$MSICTL" --json run "vfio-user:$sock" -c 'enable msix 2; trigger msix 0' >/dev/null 2>&1
	measured
	# the last replies: those to the disabling and to the command register
	lie "refuse $((replies - 3)) 16" "refuse $((replies - 3)) 16"
	"$MSICTL" --json run "vfio-user:$sock" -c 'enable msix 2; trigger msix 0; wait msix 1' >"$out" 2>"$err" 3>&- &
	stuck=$!
	until_true grep -q '"command":"trigger"' "$out"
	kill -TERM "$stuck"
	until_true dead "$stuck"
	grep -q 'stopped by Terminated; not everything was put back: msix could not be turned off (' "$err" || fail "$(<"$err")"
	soon 0 run "vfio-user:$sock" -c 'enable msix 2; trigger msix 0'
	grep -q 'warning: not everything was put back: msix could not be turned off (' <<<"$stderr" || fail "$stderr"
}

@test "blocking eventfds: a signal ends run" {
	"$MSICTL" --json run "vfio-user:$sock" -c 'enable msix 8; trigger msix 0; wait msix 0 --timeout 5s; wait msix 1' >"$out" 2>"$err" 3>&- &
	stuck=$!
	until_true grep -q '"command":"wait"' "$out"
	kill -TERM "$stuck"
	until_true dead "$stuck"
	grep -q 'stopped by Terminated' "$err" || fail "$(<"$err")"
}

@test "blocking eventfds: a shell disables, and ends with its input" {
	term_start shell "vfio-user:$sock"
	term_expect '> *$'
	term_line 'enable msix 4; trigger msix 0; disable msix'
	term_arms_and_ends
}

@test "blocking eventfds: a holder of two devices serves both, and TERM ends it" {
	"$MSICTL" hold --foreground "vfio-user:$sock" "$other" >"$out" 2>"$err" 3>&- &
	holder=$!
	until_true grep -q "$other: held" "$out"
	soon 0 enable "vfio-user:$sock" msix 4
	soon 0 resize "vfio-user:$sock" msix 2
	soon 0 enable "$other" msix 2
	soon 0 trigger "$other" msix all
	soon 0 wait "$other" msix all --timeout 5s
	soon 0 disable "vfio-user:$sock" msix
	soon 0 enable "vfio-user:$sock" msix 4
	kill -TERM "$holder"
	until_true dead "$holder"
	wait "$holder"
	holder=
	refused 3 'nobody holds it' release "$other"
}
