#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Servers that lie, hang or go: between msictl and an honest one stands
# tests/tampering-proxy.  Whatever it says, msictl ends in its time and says one thing.

load ../tampering

setup() {
	serve_lies
	lie honest
	look 0
	cp "$out" "$BATS_TEST_TMPDIR/honest"
	measured
	wait "${pids[1]}"
}

# look STATUS... - info ends with one of these, and not because its time is over
look() {
	status=0
	timeout -k 1 60 "$MSICTL" --timeout "${patience:-60s}" info "vfio-user:$sock" >"$out" 2>"$err" || status=$?
	[[ " $* " == *" $status "* ]] || fail "$plan: ended with $status: $(head -c 500 "$err")"
}

# Either it says in one sentence what is wrong and tells nothing, or it was not
# lied to in a way that can be told.
sound() {
	if ((status)); then
		[[ ! -s $out ]] || fail "$plan: $status, and $(head -c 500 "$out")"
		stderr=$(<"$err")
		one_sentence "vfio-user:$sock: info: ."
	else
		(($(wc -c <"$out") < 100000)) || fail "$plan: without end"
		[[ -s $out ]] || fail "$plan: 0, and nothing was told"
	fi
}

# all STATUS... - each of the plans
all() {
	local list

	mapfile -t list
	lie "${list[@]}"
	for plan in "${list[@]}"; do
		look "$@"
		sound
		[[ ! ${then-} ]] || "$then"
	done
}

same_or_said() {
	((status)) || cmp -s "$out" "$BATS_TEST_TMPDIR/honest" || fail "$plan: 0, and not the honest words"
}

@test "a server that goes at any byte" {
	local then=same_or_said

	all 0 3 < <(every 1 0 "$bytes" | sed 's/^/cut /')
}

@test "a server that goes silent" {
	local patience=200ms then=same_or_said

	all 5 < <(every 1 1 "$replies" | sed 's/^/hang /')
	# the last is what puts everything back, which is nobody's news any more
	all 0 < <(echo "hang $replies")
}

@test "a server that never comes to the end of a word" {
	local patience=200ms

	all 5 < <(printf 'trickle %s\n' 1 2 4)
}

@test "a server that answers something else" {
	lies() {
		local reply value

		for reply in $(every 1 1 $((replies + 1))); do
			for value in 0 99 65535; do
				printf '%s\n' "half $reply 0 $value" "half $reply 2 $value"
			done
			for value in 1 17 1048577 4294967295; do
				echo "longer $reply $value"
			done
			echo "twice $reply"
		done
	}
	# what is too long is taken for a part of the next reply, and the last reply of all is not waited for
	all 0 1 3 < <(lies | grep -v 'longer.*4294967295')
}

@test "a server that fails without a number, or with a strange one" {
	lies() {
		local reply errno

		for reply in $(every 1 1 $((replies + 1))); do
			for errno in 0 5 22 28 4096 4294967295; do
				echo "fail $reply $errno"
			done
		done
	}
	all 0 1 7 < <(lies)
}

@test "a server that lies about sizes and counts" {
	lies() {
		local reply at value

		for reply in $(seq 1 "$replies"); do
			for at in $(every 4 4 48); do
				for value in 0 17 4294967295; do
					echo "word $reply $at $value"
				done
			done
		done
	}
	# what is not there yet may be waited for
	patience=300ms
	all 0 1 3 5 < <(lies)
}

@test "flags in words are those of their own index" {
	local list seen=

	# the flags of an index become EVENTFD alone, whichever reply tells of one
	mapfile -t list < <(seq -f 'word %g 20 1' "$replies")
	lie "${list[@]}"
	for plan in "${list[@]}"; do
		look 0 1 3
		seen+=$(grep -E '^(intx|msix?|err|req) ' "$out" | tr -s ' ' || true)$'\n'
	done
	[[ $seen == *$'\nintx 1 EVENTFD nothing is said of masking it when it fires\n'* ]] || fail "$seen"
	[[ $seen == *$'\nmsix 4 EVENTFD grows while vectors are armed\n'* ]] || fail "$seen"
	[[ $(grep 'wanted back' <<<"$seen" | sort -u) == 'req 1 '* ]] || fail "$seen"
}
