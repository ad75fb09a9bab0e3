#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Names of any legal length and with any bytes: whole in errors and hints, safe
# on a terminal. A socket's path has at most 107 bytes (unix(7)).

load ../helpers

setup() {
	pids=() held=()
}

teardown() {
	term_stop
	((${#held[@]} == 0)) || msictl release "${held[@]}" >/dev/null 2>&1 || true
	kill "${pids[@]}" 2>/dev/null || true
}

# serve NAME - a function at the socket NAME in this test's folder; $sock is its path
serve() {
	sock=$BATS_TEST_TMPDIR/$1
	"$MSICTL" simulate "$sock" msix=4,msi=2 >/dev/null 2>&1 3>&- &
	pids+=("$!")
	until_true test -S "$sock"
}

# longest - the name in this test's folder that makes a path of 107 bytes
longest() {
	printf "%0$((107 - ${#BATS_TEST_TMPDIR} - 1))d" 0
}

# typed - the first command of the hint is typed into a shell, msictl being the one under test
typed() {
	local line=${stderr##*hint: }

	line=${line%%, msictl*}
	line=${line%%   *}
	line=${line//$'\n'/ }
	run --separate-stderr bash -c "msictl() { \"\$MSICTL\" \"\$@\"; }; $line"
	((status == 0)) || fail "the hint failed with $status: $line: $output $stderr"
}

@test "a path of 107 bytes: hints name a socket that exists" {
	serve "$(longest)"
	assert_equal "${#sock}" 107
	fails 2 enable "vfio-user:$sock" msix 0-3
	one_sentence "^vfio-user:$sock: enable: its effect"
	hinted "msictl run vfio-user:$sock -c \"enable msix 0-3\", msictl shell vfio-user:$sock, or msictl hold vfio-user:$sock first$"
	typed
	fails 2 run "vfio-user:$sock"
	hinted "msictl run vfio-user:$sock -c 'enable msix 4; counters'$"
	typed
	fails 3 release "vfio-user:$sock"
	hinted "msictl hold vfio-user:$sock$"
	held=("vfio-user:$sock")
	typed
	fails 5 hold "vfio-user:$sock"
	hinted "msictl release vfio-user:$sock$"
	typed
}

@test "a path of 107 bytes: errors and watch name the whole of it" {
	serve "$(longest)"
	fails 1 run -k "vfio-user:$sock" -c 'mask msix 0; watch --batch --iterations 1'
	one_sentence "^-c:1: vfio-user:$sock: mask: "
	[[ $output == *"  vfio-user:$sock  "* ]] || fail "$output"
	fails 3 run "vfio-user:${sock%?}1" -c counters
	one_sentence "^vfio-user:${sock%?}1: run: ${sock%?}1: there is no such socket"
}

@test "paths of 107 bytes: watch names each of several devices" {
	local name devices=() device n

	name=$(longest)
	for n in 1 2 3; do
		serve "${name%?}$n"
		devices+=("vfio-user:$sock")
	done
	held=("${devices[@]}")
	works hold "${devices[@]}"
	for device in "${devices[@]}"; do
		works enable "$device" msix 2
	done
	fails 0 watch "${devices[@]}" --batch --iterations 1
	assert_line "6 silent: ${devices[0]} msix 0-1; ${devices[1]} msix 0-1; ${devices[2]} msix 0-1"
	works release "${devices[@]}"
}

@test "a script in a deep folder: its whole path is in front of the error" {
	local deep=$BATS_TEST_TMPDIR

	while ((${#deep} < 700)); do
		deep+=/$(printf '%0200d' 0)
	done
	mkdir -p "$deep"
	echo 'mask msix 0' >"$deep/script"
	refused 1 "^$deep/script:1: sim: mask: " run sim "$deep/script"
}

@test "names with blanks and quotes: hints hold when typed" {
	local name

	for name in 'a b' "it's" 'a;b$c"d' '*'; do
		serve "$name"
		fails 2 enable "vfio-user:$sock" msix 4
		typed
		fails 2 run "vfio-user:$sock"
		typed
	done
}

@test "a hint names every vector, however many ranges they are" {
	local odd

	odd=$(seq -s , 1 2 2047)
	fails 1 run sim:msix=2048 -c "trigger msix $odd"
	one_sentence "msix $odd not armed: "
	hinted "enable msix $odd$"
	fails 1 run sim:msix=2048 -c "enable msix 2; mask msix $odd"
	hinted "enable msix 3,.*,2047$"
}

@test "control characters in a name: each is shown, the name is whole" {
	local name

	# 107 bytes, of which most take four to show
	name=$(longest)
	name=${name//0/$'\001'}
	fails 3 run "vfio-user:$BATS_TEST_TMPDIR/$name" -c counters
	assert_equal "$(grep -o '\\x01' <<<"$stderr" | wc -l)" "$((2 * ${#name}))"
	refused 1 "no/(\\\\x01){$((${#name} - 3))}: " simulate "$BATS_TEST_TMPDIR/no/${name:3}"
}

@test "control characters in a name: the prompt shows them, the terminal does not obey" {
	local raw=$BATS_TEST_TMPDIR/raw

	serve $'s\e]2;forged\a\e[8m\302\233'
	term_start shell "vfio-user:$sock"
	term pipe-pane -o "cat >$raw"
	term_expect '\\x1b\]2;forged\\x07\\x1b\[8m\\xc2\\x9b> *$'
	term_type 'enable msix 2'
	term_key Enter
	term_expect 'forged.* msix 2> *$'
	assert_equal "$(term display-message -p '#{pane_title}' | grep -c forged)" 0
	term_key C-d
	term_ended 0
	! grep -q $'\e]2;forged' "$raw" || fail "$(cat -v "$raw")"
}

@test "a long name in the prompt: its end, and a mark that there is more" {
	serve "$(longest)"
	term_start shell "vfio-user:$sock"
	term_expect "^\.\.\.${sock: -40}> *$"
	term_key C-d
	term_ended 0
}
