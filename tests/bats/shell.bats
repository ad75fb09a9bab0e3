#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# shell: a person at a terminal, on a simulated device.

load ../helpers

setup() {
	local line

	mkfifo "$BATS_TEST_TMPDIR/said"
	"$MSICTL" simulate "$BATS_TEST_TMPDIR/sock" msix=8 >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- &
	server=$!
	read -r -t 60 line <"$BATS_TEST_TMPDIR/said"
	[[ $line == listening* ]] || fail "$line"
	device=vfio-user:$BATS_TEST_TMPDIR/sock
	term_start shell "$device"
	# a new line, not one that the terminal has from before
	term_expect 'sock> $|sock>$'
}

teardown() {
	term_stop
	kill "$server" 2>/dev/null || true
}

# enter TEXT - a line
enter() {
	term_type "$1"
	term_key Enter
}

# The line was taken: the cursor is on the next one, and no prompt is there.
running() {
	[[ $(term display-message -p '#{cursor_x}') == 0 ]]
}

@test "prompt, results, errors, help, end of input" {
	enter 'enable msix 4'
	term_expect '^msix: 4 armed of 8, added 0-3'
	term_expect 'sock msix 4>$'
	enter 'resize msix 9'
	term_expect '^msictl: .*: resize: msix has vectors 0-7, 8 is beyond$'
	term_expect '^hint: resize msix 8$'
	enter 'frob'
	term_expect 'there is no command "frob"$'
	enter 'help resize'
	term_expect '^usage: resize INDEX COUNT'
	enter 'run x'
	term_expect 'run is not offered inside run and shell$'
	enter "enable 'msix 5"
	term_expect "the quote ' is not closed"
	enter 'resize msix 2; disable msix'
	term_expect '^msix: off, released 0-1'
	term_expect 'sock>$'
	term_key C-d
	term_ended 0
}

@test "quit ends it, with 0 after failures too" {
	enter 'frob'
	term_expect 'no command'
	enter 'quit; frob'
	term_ended 0
	run -0 grep -c frob <(screen)
	# typed twice, told once
	assert_output 3
}

@test "TAB: commands, indexes, armed vectors, regions, options" {
	term_type 'ena'
	term_key Tab
	term_type 'msix 4'
	term_key Enter
	term_expect 'sock> enable msix 4$'
	term_expect '^msix: 4 armed'
	term_type 'trigger msi'
	term_key Tab Tab
	term_expect '^msi +msix *$'
	term_type 'x '
	term_key Tab Tab
	term_expect '^0 +0-3 +1 +2 +3 +all +armed'
	term_type 'arm'
	term_key Tab
	term_type '--ra'
	term_key Tab
	term_type '5 --cou'
	term_key Tab
	term_type 2
	term_key Enter
	term_expect 'trigger msix armed --rate 5 --count 2$'
	term_expect 'triggered 0-3, 2 times'
	term_type 'trigger msix 0; read con'
	term_key Tab
	term_type '0 l'
	term_key Enter
	term_expect 'trigger msix 0; read config 0 l$'
	term_expect '^0x[0-9a-f]{8}$'
}

@test "history: of this shell, and of the one before" {
	enter 'enable msix 2'
	term_expect '2 armed'
	enter 'trigger msix 0 --count 3'
	term_expect '3 times'
	term_key Up Up Enter
	term_expect '^msix: 2 armed of 8, already 0-1'
	term_key C-d
	term_ended 0
	assert_equal "$(tail -n 1 "$XDG_STATE_HOME/msictl/history")" 'enable msix 2'
	assert_equal "$(stat -c %a "$XDG_STATE_HOME/msictl" "$XDG_STATE_HOME/msictl/history" | paste -sd ' ')" '700 600'

	term_stop
	rm "$BATS_TEST_TMPDIR/status"
	term_start shell "$device"
	term_expect 'sock>$'
	term_key C-r
	term_type 'trig'
	term_expect 'trigger msix 0 --count 3'
	term_key C-c
	term_key C-d
	term_ended 0
}

@test "counts come as lines while a line is typed; the line stays whole" {
	enter 'live off'
	enter 'enable msix 4'
	term_expect 'msix 4>$'
	enter 'trigger msix 0-2 --count 7'
	# the next line is begun while the counts are still to be told
	term_type 'read config'
	term_expect '^[0-9:]{8}  msix 0 \+7 \(7\)  msix 1 \+7 \(7\)  msix 2 \+7 \(7\)$'
	term_expect 'msix 4> read config$'
	term_type ' 0 l'
	term_key Home
	term_key End Enter
	term_expect 'msix 4> read config 0 l$'
	term_expect '^0x[0-9a-f]{8}$'
}

@test "Ctrl-C stops a command, not the shell, and throws a line away" {
	enter 'enable msix 1'
	term_expect 'msix 1>$'
	enter 'trigger msix 0 --count 4000000000'
	until_true running
	term_key C-c
	term_expect 'trigger: stopped by Interrupt \(EINTR\)$'
	term_expect '^\^?C?msix: triggered 0, [0-9]+ times?'
	enter 'wait msix 0 --at-least 4294967295 --timeout 1m'
	until_true running
	term_key C-c
	term_expect 'wait: stopped by Interrupt'
	# what is typed right behind it belongs to the next line
	term_type 'half typed'
	term_key C-c
	term_type 'read config 0 w'
	term_key Enter
	term_expect 'sock msix 1> half typed\^C$'
	term_expect '^0x[0-9a-f]{4}$'
	term_key C-d
	term_ended 0
}

stopped() {
	[[ $(<"/proc/$(term_pid)/stat") == *') T '* ]]
}

@test "Ctrl-C is heard before what was typed behind it, however late" {
	term_type 'half typed'
	term_expect 'half typed$'
	kill -STOP "$(term_pid)"
	until_true stopped
	# what the terminal throws away has told of input already
	term_type x
	term_key C-c
	term_key C-d
	kill -CONT "$(term_pid)"
	term_ended 0
}

@test "SIGTERM ends it and the terminal is as before" {
	enter 'enable msix 4'
	term_expect 'msix 4>$'
	term_type 'half'
	term_expect '> half$'
	kill -TERM "$(term_pid)"
	term_ended 1
	term_expect 'stopped by Terminated; everything was put back'
	# cat is in that terminal now: it echoes what is typed
	term_type 'echoed'
	term_expect 'echoed$'
}

@test "JSON in a shell: objects, one per line" {
	enter 'enable msix 2 --json'
	term_expect '^\{"command":"enable"'
	enter 'read config 0 w'
	term_expect '^0x[0-9a-f]{4}$'
}

@test "a server that dies is told, and can be reopened" {
	enter 'enable msix 2'
	term_expect 'msix 2>$'
	kill -9 "$server"
	term_expect 'process that served the device is gone'
	enter 'trigger msix 0'
	term_expect '^hint: reopen'
	"$MSICTL" simulate "$BATS_TEST_TMPDIR/sock" msix=8 >"$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
	server=$!
	until_true grep -q listening "$BATS_TEST_TMPDIR/log"
	enter 'reopen'
	enter 'enable msix 3'
	term_expect '^msix: 3 armed of 8'
	term_key C-d
	term_ended 0
}

# again WORD... - another msictl in a terminal of its own
again() {
	term_stop
	rm -f "$BATS_TEST_TMPDIR/status"
	term_start "$@"
	term_expect 'sock> $|sock>$'
}

@test "the peer wants the device back: said in one line, the shell ends with 3" {
	enter 'enable msix 2'
	term_expect 'msix 2>$'
	enter 'write bar0 24 l 1'
	term_ended 3
	term_expect '^[0-9:]{8} peer: the device is wanted back; released, the shell ends$'
	! on_screen '^msictl:' || fail "$(screen)"
}

@test "with --keep the shell goes on, and reopen opens the device anew" {
	again shell --keep "$device"
	enter 'enable msix 2; write bar0 24 l 1'
	term_expect 'peer: the device is wanted back; released, reopen when it is back$'
	term_expect '\(gone\)> ?$'
	enter 'enable msix 2'
	term_expect '^hint: reopen'
	enter 'reopen; enable msix 3'
	term_expect '^msix: 3 armed of 8'
	term_key C-d
	term_ended 0
}

@test "run: its peer is gone while info waits for a reader: 3" {
	local pager=$BATS_TEST_TMPDIR/pager infos status=0 pid

	printf -v infos 'info;%.0s' {1..300}
	mkfifo "$pager"
	exec 9<>"$pager"
	"$MSICTL" run sim:msix=64 -c "$infos" >"$pager" 2>"$BATS_TEST_TMPDIR/err" 3>&- 9>&- &
	pid=$!
	# the pipe is full: it sleeps in write(2), and the simulation does not matter to it
	until_true rests "$pid"
	pkill -KILL -P "$pid"
	cat "$pager" >/dev/null 3>&- 9>&- &
	exec 9>&-
	wait "$pid" || status=$?
	assert_equal "$status" 3
}

# rests PID - it has taken no CPU since it was asked last
rests() {
	local stat before=${ticks-}

	read -ra stat <"/proc/$1/stat"
	ticks=${stat[13]}+${stat[14]}
	[[ $ticks == "$before" ]]
}

@test "run: a device that is wanted back is let go, what comes after it fails with 3" {
	fails 3 run sim:msix=8 -c 'enable msix 2; write bar0 24 l 1; counters; enable msix 3'
	assert_line --partial 'msix: 2 armed of 8'
	noted '^the peer wants the device back: released$'
	noted 'counters: the peer took the device back'
	fails 3 run -k sim:msix=8 -c 'write bar0 24 l 1; counters; reopen; enable msix 1'
	assert_line --partial 'msix: 1 armed of 8'
}
