# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the suites in tests/bats and tests/lab have in common.

bats_require_minimum_version 1.5.0

# What bats_load_library would do, but the libraries' load.bash start dirname(1)
# for each of their files: a second per test in the lab.
for tests in "${BATS_LIB_PATH:-/usr/lib/bats}"/bats-{support,assert}/src/*.bash; do
	# shellcheck source=/dev/null
	source "$tests"
done

tests=${BASH_SOURCE[0]%/*}
[[ $tests == /* ]] || tests=$PWD/$tests
: "${MSICTL:=$tests/../build/msictl}"
export MSICTL

# tests/check sets them.  A file, because not every test starts msictl() to start
# it.  What valgrind found is in $VALGRIND_LOGS/PID, the simulation's too.
if [[ ${MSICTL_UNDER_VALGRIND-} && ${BATS_RUN_TMPDIR-} ]]; then
	if [[ ! -e $BATS_RUN_TMPDIR/msictl ]]; then
		printf '#!/bin/sh\nexec valgrind -q --leak-check=full --error-exitcode=99 --log-file=%q \\\n' \
			"${VALGRIND_LOGS:-$BATS_RUN_TMPDIR}/%p" >"$BATS_RUN_TMPDIR/msictl"
		printf '\t--errors-for-leak-kinds=definite,indirect,possible %q "$@"\n' "$MSICTL" >>"$BATS_RUN_TMPDIR/msictl"
		chmod +x "$BATS_RUN_TMPDIR/msictl"
	fi
	MSICTL=$BATS_RUN_TMPDIR/msictl
fi

# What the caller's terminal and home say must not decide a test.
unset NO_COLOR
export TERM=dumb XDG_STATE_HOME=${BATS_TEST_TMPDIR:-/tmp}/state

msictl() {
	"$MSICTL" "$@"
}

# not_under_valgrind WHY - skips a test of what it does not let through
not_under_valgrind() {
	[[ ! ${MSICTL_UNDER_VALGRIND-} ]] || skip "valgrind $1"
}

# works WORD... - msictl ends with 0; its words are in $output, $stderr and $lines
works() {
	fails 0 "$@"
}

# fails CODE WORD...
fails() {
	run --separate-stderr msictl "${@:2}"
	# run sets them
	# shellcheck disable=SC2154
	((status == $1)) || fail "${*:2}: ended with $status, not $1; it said:"$'\n'"$output"$'\n'"$stderr"
}

# refused CODE PATTERN WORD... - it ends with CODE, without a result, and one
# sentence says why: it matches the extended regular expression PATTERN.
refused() {
	fails "$1" "${@:3}"
	[[ ! $output ]] || fail "a result on stdout: $output"
	one_sentence "$2"
	# who is not permitted something ends with 4, or 6 when it is the group
	[[ $1 == [46] || ${stderr%%$'\n'*} != *'(EPERM)' || $2 == *EPERM* ]] || fail "not permitted, with $1: $stderr"
}

# One sentence in $stderr, and at most a hint below it.
one_sentence() {
	# run --separate-stderr sets it
	# shellcheck disable=SC2154
	local lines
	mapfile -t lines <<<"$stderr"
	[[ ${lines[0]} == 'msictl: '* ]] || fail "no sentence: $stderr"
	[[ ${#lines[@]} == 1 || (${#lines[@]} == 2 && ${lines[1]} == 'hint: '?*) ]] ||
		fail "more than a sentence and a hint: $stderr"
	[[ ${lines[0]#msictl: } =~ $1 ]] || fail "expected /$1/, got: ${lines[0]}"
	printf '%s' "${lines[0]}" | LC_ALL=C.UTF-8 grep -qv '[[:cntrl:]]' ||
		fail "control characters in: ${lines[0]}"
}

# hinted PATTERN - the hint in $stderr
hinted() {
	grep -Eq -- "^hint: .*($1)" <<<"$stderr" || fail "expected a hint /$1/, got: $stderr"
}

# noted PATTERN - a line of $stderr
noted() {
	grep -Eq -- "$1" <<<"$stderr" || fail "expected /$1/ on stderr, got: $stderr"
}

# says KEY=VALUE... - $output, an object as msictl prints it, has these somewhere;
# VALUE is JSON without blanks.  jq(1) takes half a second in the lab.
says() {
	local pair

	for pair; do
		[[ $output == *"\"${pair%%=*}\":${pair#*=}"[],}]* ]] || fail "expected $pair in $output"
	done
}

# lacks KEY - $output has it nowhere
lacks() {
	[[ $output != *"\"$1\":"* ]] || fail "expected no $1 in $output"
}

# upto N - the JSON array [0,1,...,N-1]
upto() {
	local list

	printf -v list ',%s' $(seq 0 $(($1 - 1)))
	echo "[${list:1}]"
}

# error CAUSE PATTERN - the error in $output, an object as msictl prints it
error() {
	says "cause=\"$1\""
	[[ $output =~ \"message\":\"(([^\"\\]|\\.)*)\" && ${BASH_REMATCH[1]} =~ $2 ]] ||
		fail "expected /$2/ in the message of $output"
}

# hint PATTERN - the hint in it
hint() {
	[[ $output =~ \"hint\":\"(([^\"\\]|\\.)*)\" && ${BASH_REMATCH[1]} =~ $1 ]] ||
		fail "expected /$1/ in the hint of $output"
}

# json FILTER - $output is one JSON object on one line, of which FILTER is true
json() {
	((${#lines[@]} == 1)) || fail "not one line: $output"
	jq -e "$@" <<<"$output" >/dev/null || fail "not true: ${*: -1} of $output"
}

# json_lines FILTER - the same of the array of all objects, one per line
json_lines() {
	[[ $(jq -c . <<<"$output" | wc -l) == "${#lines[@]}" ]] || fail "not an object per line: $output"
	jq -es "$@" <<<"$output" >/dev/null || fail "not true: ${*: -1} of $output"
}

# until_true COMMAND... - for what the kernel, or a terminal, does in its own time.
# The limit is for what never comes: an emulated machine on a busy host is slow.
until_true() {
	local limit=$((SECONDS + 90))

	while ! "$@"; do
		((SECONDS < limit)) || fail "never came true: $*"
		sleep 0.05
	done
}

gone() {
	[[ ! -e $1 ]]
}

# seconds_since START - START is an $EPOCHREALTIME; whole milliseconds are enough
ms_since() {
	local now=$EPOCHREALTIME

	echo $((${now/./} / 1000 - ${1/./} / 1000))
}

# ---- captured machines

# unpacked TREE - the folder of tests/root/TREE.capture's files, made once for all tests of a file
unpacked() {
	local folder=$BATS_FILE_TMPDIR/unpacked/$1

	if [[ ! -e $folder ]]; then
		mkdir -p "${folder%/*}"
		"$tests/root/unpack" "$tests/root/$1.capture" "$folder.$BASHPID"
		# another test may have been faster
		mv -T "$folder.$BASHPID" "$folder" 2>/dev/null || rm -r "$folder.$BASHPID"
	fi
	echo "$folder"
}

# captured TREE DIR - the same as the new folder DIR, which may be changed
captured() {
	cp -a "$(unpacked "$1")" "$2"
}

# ---- a device that is held

# dev_start DEVICE [OPTION...] - hold it in a process that runs what dev_send says
dev_start() {
	dev_dir=$(mktemp -d "$BATS_TEST_TMPDIR/dev.XXX")
	mkfifo "$dev_dir/in" "$dev_dir/out"
	"$MSICTL" --json "${@:2}" run "$1" -k - <"$dev_dir/in" >"$dev_dir/out" 2>"$dev_dir/err" 3>&- &
	dev_pid=$!
	exec 7>"$dev_dir/in" 8<"$dev_dir/out"
}

# dev_send COMMAND... - one after another; the answer to the last is $output
dev_send() {
	local command

	for command in "$@"; do
		printf '%s\n' "$command" >&7
		read -r -t 30 -u 8 output || fail "no answer to: $command; $(<"$dev_dir/err")"
	done
	# for json()
	# shellcheck disable=SC2034
	lines=("$output")
}

# dev_says PATTERN - a note on its stderr
dev_says() {
	until_true grep -Eq -- "$1" "$dev_dir/err"
}

# dev_stop [STATUS] - the end of its input, after which it puts everything back
dev_stop() {
	local status=0

	exec 7>&-
	dev_ended "${1-0}"
}

# dev_ended STATUS - it has ended, or is about to
dev_ended() {
	local status=0

	wait "$dev_pid" || status=$?
	exec 7>&- 8<&-
	dev_pid=
	assert_equal "$status" "$1"
}

# For teardown.
dev_clean() {
	[[ ! ${dev_pid-} ]] || kill -KILL "$dev_pid" 2>/dev/null || true
	exec 7>&- 8<&-
}

# ---- a terminal

# term_start WORD... - msictl in a terminal of its own, 100 columns wide; its
# exit status is left in $BATS_TEST_TMPDIR/status
term_start() {
	local line

	printf -v line '%q ' "$MSICTL" "$@"
	tmux -S "$BATS_TEST_TMPDIR/tmux" -f /dev/null new-session -d -x 100 -y 40 \
		"export TERM=screen XDG_STATE_HOME=$XDG_STATE_HOME; $line; echo \$? >$BATS_TEST_TMPDIR/status; exec cat" 3>&-
}

term() {
	tmux -S "$BATS_TEST_TMPDIR/tmux" "$@" 3>&-
}

# term_pid - the process that runs below the terminal's first
term_pid() {
	pgrep -P "$(term display-message -p '#{pane_pid}')"
}

# term_type TEXT... - as typed; term_key NAME... - Enter, Tab, C-c
term_type() {
	term send-keys -l -- "$*"
}

term_key() {
	term send-keys "$@"
}

# term_line TEXT - a line and Enter
term_line() {
	term_type "$*"
	term_key Enter
}

# term_arms_and_ends - the shell still arms vectors, and ends with its input
term_arms_and_ends() {
	term_line 'enable msix 2'
	term_expect 'msix 2> *$'
	term_key C-d
	term_ended 0
}

screen() {
	term capture-pane -p -J -S - | sed 's/ *$//'
}

on_screen() {
	screen | grep -Eq -- "$1"
}

# term_expect PATTERN - a line of the screen, in at most 10 s
term_expect() {
	local tries

	for ((tries = 0; tries < 200; tries++)); do
		! on_screen "$1" || return 0
		sleep 0.05
	done
	fail "/$1/ did not come; the screen: $(screen)"
}

# term_ended STATUS
term_ended() {
	until_true test -s "$BATS_TEST_TMPDIR/status"
	assert_equal "$(<"$BATS_TEST_TMPDIR/status")" "$1"
}

# dead PID - a child that nobody waits for stays as a zombie where process 1 does not reap
dead() {
	[[ ! -e /proc/$1/stat || $(cat "/proc/$1/stat" 2>/dev/null) =~ ^$|\)\ Z ]]
}

# Its server is gone when this returns: the next one has the same socket.
term_stop() {
	local server

	[[ -e $BATS_TEST_TMPDIR/tmux ]] || return 0
	server=$(term display-message -p '#{pid}' 2>/dev/null) || return 0
	term kill-server 2>/dev/null || true
	until_true dead "$server"
}
