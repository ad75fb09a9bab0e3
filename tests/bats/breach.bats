#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Commands on a server that breaks off while they change something: what it did
# is told as it was, each way with an exit status of its own.

load ../tampering

# A holder outlives its test.
teardown() {
	msictl release "vfio-user:$sock" >/dev/null 2>&1 || true
	lies_end
}

script='enable msix 2; resize msix 4; mask msix 1; unmask msix 1; trigger msix 0,2; wait msix 0 --timeout 5s
	read bar0 0 l; write bar0 4 l 3; mask msi 0; reset; disable msix; counters'
commands=${script//[$'\n\t']/;}

setup() {
	serve_lies msix=64,msi=2
}

# use STATUS - all commands, as far as they go
use() {
	status=0
	timeout -k 1 60 "$MSICTL" --timeout "${patience:-60s}" run -k "vfio-user:$sock" -c "$commands" >"$out" 2>"$err" ||
		status=$?
	[[ " $* " == *" $status "* ]] || fail "$plan: ended with $status: $(<"$err")"
}

# all STATUS PATTERN - each of the plans ends so; the first sentence matches PATTERN
all() {
	local list

	mapfile -t list
	lie "${list[@]}"
	for plan in "${list[@]}"; do
		use "$1"
		grep -m1 '^msictl: ' "$err" | grep -Eq -- "$2" || fail "$plan: expected /$2/ first in: $(<"$err")"
	done
}

# the number of replies that such a run has; the last one puts everything back
honest() {
	lie honest
	plan=honest
	commands=${commands/mask msi 0;/}
	use 0
	measured
}

@test "a server that goes silent: 5" {
	honest
	patience=150ms
	all 5 'did not answer within 150 ms and was cut off|the server does not answer' \
		< <(every 1 1 "$replies" | sed 's/^/hang /')
}

@test "a server that asks instead of answering: fast, 1; slowly, 5" {
	honest
	all 1 'the peer broke the protocol and was cut off \(E(PROTO|NODEV)\)$' \
		< <(every 3 1 "$replies" | sed 's/^/flood /')
	patience=150ms
	all 5 'did not answer within 150 ms and was cut off|the server does not answer' \
		< <(every 9 1 "$replies" | sed 's/^/drip /')
}

@test "a server that answers something else: 1" {
	honest
	all 1 'the peer broke the protocol and was cut off \(E(PROTO|NODEV)\)$' \
		< <(every 1 1 "$replies" | sed 's/.*/half & 0 65535/')
}

@test "a server that goes: 3" {
	honest
	all 3 'the process that served the device is gone \(E(NOTCONN|NODEV)\)$|closed the connection at once' \
		< <(every 11 0 "$((bytes - 16))" | sed 's/^/cut /')
}

@test "an error reply is a refusal, and what comes after it is asked for" {
	local plan=

	commands='enable msix 4; reset' patience=5s
	# VERSION, GET_INFO, GET_IRQ_INFO of five, the config space, REQ, the power state; then the set
	lie 'fail 11 0' 'fail 11 5' 'fail 11 4096' 'fail 11 28' 'fail 11 22'
	use 1
	grep -q 'enable: the peer refused SET_IRQS index=msix .* without saying why (errno 0)$' "$err" || fail "$(<"$err")"
	grep -q '^reset' "$out"
	use 1
	grep -q 'enable: the peer refused SET_IRQS index=msix .* (EIO)$' "$err" || fail "$(<"$err")"
	grep -q '^reset' "$out"
	use 1
	grep -q 'enable: the peer refused SET_IRQS .* with 4096, which is no errno$' "$err" || fail "$(<"$err")"
	use 7
	grep -q 'enable: the peer has no interrupt vectors left for msix 0-3 (ENOSPC)$' "$err" || fail "$(<"$err")"
	use 1
	grep -q 'enable: the peer refused SET_IRQS .* (EINVAL)$' "$err" || fail "$(<"$err")"
}

# refused_at LIE REPLY... - each reply in turn is an error, with errnos that have a status of their own elsewhere: 1, or
# 0 where nothing depends on it; ENOSPC is 7 when vectors were asked for
refused_at() {
	local errnos=(1 4 6 13 16 19 28 71 107 110) list=() reply i=0

	for reply in "${@:2}"; do
		list+=("$1 $reply ${errnos[i++ % 10]}")
	done
	lie "${list[@]}"
	failed=0
	for plan in "${list[@]}"; do
		use 0 1 "$([[ $plan != *' 28' ]] || echo 7)"
		((status == 0)) || failed=$((failed + 1))
	done
}

@test "a refusal is 1, whatever the errno" {
	commands='read bar0 0 l; write bar0 4 l 3; reset; enable intx 1; mask intx 0 --by action; unmask intx 0; disable intx
		enable msix 2; trigger msix 0; mask msix 0; unmask msix 0; resize msix 4; disable msix'
	honest
	# shellcheck disable=SC2046
	refused_at fail $(every 2 1 "$((replies + 1))")
	((failed > replies / 5)) || fail "only $failed of $replies refusals failed"
	# shellcheck disable=SC2046
	refused_at refuse $(every 9 1 "$replies")
	# VERSION and GET_INFO, each with all of them
	refused_at fail 1 1 1 1 1 1 1 1 1 1 2 2 2 2 2 2 2 2 2 2
	((failed == 20)) || fail "only $failed of 20"
}

@test "a refusal shows its errno, and ENOSPC is about vectors only when they were asked for" {
	# the enabling, and the mask
	lie 'fail 10 1' 'fail 11 28'
	commands='enable intx 1; mask intx 0 --by action'
	use 1
	grep -q 'enable: the peer refused SET_IRQS index=intx .* (EPERM)$' "$err" || fail "$(<"$err")"
	use 1
	grep -q 'mask: the peer refused SET_IRQS index=intx .* (ENOSPC)$' "$err" || fail "$(<"$err")"
}

@test "a server that refuses REQ, or to tell of an index, can be used" {
	lie 'fail 9 0' 'fail 6 0' 'fail 9 0'
	works info "vfio-user:$sock"
	assert_line --partial 'offers req and refuses to arm it'
	works info "vfio-user:$sock"
	assert_line --partial 'taken as not offered'
	assert_line --regexp '^err +- +- +not offered'
	works run "vfio-user:$sock" -c 'enable msix 4; trigger msix all; wait msix all --timeout 5s'
}

@test "a chunked arm that fails: its messages are counted, its part and the rest are named" {
	# a message has 253 descriptors at most
	fails 7 --json --trace run sim:msix=600,fail-at=520 -c 'enable msix 8; resize msix 600'
	assert_equal "$(jq -s '[.[] | select(.calls).calls] | add' <<<"$output")" \
		"$(grep -v 'start=0 count=0 ' <<<"$stderr" | grep -c 'SET_IRQS(index=msix')"
	noted 'resize: the peer has no interrupt vectors left for msix 514-599; 8-513, armed before it, were released again \(ENOSPC\)$'
	kill "${pids[0]}"
	wait "${pids[0]}" || true
	serve_lies msix=600
	# what is refused to the second chunk is refused to the undoing too
	lie 'refuse 18 5' 'json {"capabilities":{"max_msg_fds":1}}'
	fails 1 --json run "vfio-user:$sock" -c 'enable msix 8; resize msix 600'
	noted 'resize: the peer refused SET_IRQS index=msix start=261 count=253 .*; 8-260, armed before it, may stay with the peer \(EIO\)$'
	assert_equal "$(jq -s 'last.calls' <<<"$output")" 3
	works --json run "vfio-user:$sock" -c 'enable msix 4'
	json '.calls == 5'
}

@test "rust-vmm: vectors are named run by run, without DATA_BOOL" {
	lie 'json {"capabilities":{"max_msg_fds":1}}' 'json {"capabilities":{"max_msg_fds":1}}'
	works --trace run "vfio-user:$sock" -c 'enable msix 4; trigger msix 0,2-3; wait msix 0,2-3 --timeout 5s'
	noted 'SET_IRQS\(index=msix start=0 count=1 DATA_NONE\|ACTION_TRIGGER\)'
	noted 'SET_IRQS\(index=msix start=2 count=2 DATA_NONE\|ACTION_TRIGGER\)'
	! grep -q DATA_BOOL <<<"$stderr" || fail "$stderr"
	works info "vfio-user:$sock"
	assert_line --regexp '^beware +takes one descriptor .*DATA_BOOL'
}

@test "MASK is asked of a peer that does not say MASKABLE too, and not said to hold" {
	# what GET_IRQ_INFO says of intx, as libvfio-user does
	lie 'word 3 20 1' 'word 3 20 1'
	works --trace run "vfio-user:$sock" -c 'enable intx 1; mask intx 0 --by action'
	assert_line --partial "masked 0 by action (the peer accepted it; whether it holds can't be seen)"
	noted 'SET_IRQS\(index=intx .*ACTION_MASK'
	works run "vfio-user:$sock" -c 'enable intx 1; mask intx 0'
	assert_line --partial 'masked 0 by eventfd'
}

@test "a shell says that the peer was cut off, goes on, and reopens" {
	lie 'hang 10' honest
	term_start --timeout 300ms shell "vfio-user:$sock"
	term_expect '> *$'
	term_line 'enable msix 2'
	term_expect 'the peer did not answer within 300 ms and was cut off; reopen when it is back'
	term_expect 'enable: SET_IRQS: the peer did not answer within 300 ms'
	term_line reopen
	term_arms_and_ends
}

@test "a holder tells its caller why, and goes on" {
	lie 'hang 10' honest
	works --timeout 300ms hold --keep "vfio-user:$sock"
	fails 5 enable "vfio-user:$sock" msix 2
	noted 'the peer did not answer within 300 ms and was cut off'
	fails 5 counters "vfio-user:$sock"
	works run "vfio-user:$sock" -c 'reopen; enable msix 2'
	works release "vfio-user:$sock"
}
