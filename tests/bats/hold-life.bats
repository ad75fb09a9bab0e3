#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Holders with many callers, killed, ended and started anew; whose sockets are believed.

load ../hold

hold_teardown() {
	# who is stopped does not release anything
	[[ ! ${stopped-} ]] || kill -CONT "$stopped" 2>/dev/null || true
}

# stop_holder - it holds $dev, and does nothing until it is continued
stop_holder() {
	stopped=$(holder)
	kill -STOP "$stopped"
}

@test "50 callers at once" {
	local i pids=()

	works hold "$dev"
	works enable "$dev" msix 4
	for ((i = 0; i < 50; i++)); do
		in_background wait "$dev" msix 0 --at-least 50 --timeout 100s
		pids+=("$pid")
	done
	until_true callers 50
	works trigger "$dev" msix 0 --count 50
	for pid in "${pids[@]}"; do
		ended 0
	done
	works --json counters "$dev"
	json '.vectors[0].count == 50'
	until_true callers 0
}

@test "descriptors are given back with each caller" {
	local holder before round

	works hold "$dev"
	holder=$(holder)
	before=$(descriptors "$holder")
	# not i, which run changes
	for round in {1..8}; do
		works enable "$dev" msix 4
		works disable "$dev" msix
		fails 2 enable "$dev" msix 4000
		fails 1 run "$dev" -k -c 'reopen; mask intx 0'
	done
	until_true callers 0
	assert_equal "$(descriptors "$holder")" "$before"
}

# logged PATTERN - a line of its stderr
logged() {
	grep -Eq -- "$1" "$log.err"
}

@test "reopen ends what other callers have running there, each with a sentence" {
	local pids=() pid log

	works hold "$dev"
	works enable "$dev" msix 2
	in_background latency "$dev" msix 0 --times 5000000
	pids+=("$pid")
	in_background wait "$dev" msix 1 --timeout 100s
	pids+=("$pid")
	in_background trigger "$dev" msix 0 --count 4000000000 --rate 10
	pids+=("$pid")
	until_true callers 3
	# twice: what was freed is allocated anew
	works run "$dev" -c 'reopen; reopen; enable msix 2'
	for log in "$BATS_TEST_TMPDIR"/log.[0-2]; do
		ended 3 "${pids[${log##*.}]}"
		logged "^msictl: sim:.*: (latency|wait|trigger): another caller's reopen closed the device"
		[[ $(wc -l <"$log.err") == 2 ]] || fail "$(<"$log.err")"
	done
	works wait "$dev" msix 0-1 --at-least 0
	works latency "$dev" msix 1 --times 10
}

@test "reopen finds a device with fewer vectors than others wait for" {
	local socket=$BATS_TEST_TMPDIR/s

	dev=vfio-user:$socket
	in_background simulate "$socket" msix=64
	until_true grep -q listening "$log.err" "$log"
	works hold "$dev"
	works enable "$dev" msix 64
	in_background wait "$dev" msix 40-63 --timeout 100s
	until_true callers 1
	mv "$socket" "$socket.old"
	in_background simulate "$socket" msix=4
	until_true grep -q listening "$log.err" "$log"
	works run "$dev" -c 'reopen; enable msix 4'
	ended 3 "${bg[1]}"
	grep -q 'reopen closed the device' "$BATS_TEST_TMPDIR/log.1.err"
	works trigger "$dev" msix 3
	works wait "$dev" msix 3
}

# HOLD_CYCLES=1000 takes a minute or two.
@test "hold and release, again and again" {
	local round holder sim

	for ((round = 0; round < ${HOLD_CYCLES:-15}; round++)); do
		works hold "$dev"
		holder=${output##* }
		sim=$(pgrep -P "$holder")
		works enable "$dev" msix 2
		works release "$dev"
		[[ ! -e $folder/$dev.sock ]]
		until_true dead "$holder"
		until_true dead "$sim"
	done
}

# asks PID - it has sent its words and waits for an answer
asks() {
	[[ $(awk '{ print $3 }' "/proc/$1/stat") == S ]] && ls -l "/proc/$1/fd" | grep -q eventpoll
}

@test "who gave up waiting finds later that nothing was done" {
	works hold "$dev"
	works enable "$dev" msix 2
	stop_holder
	in_background enable "$dev" msix 5
	until_true asks "$pid"
	kill -KILL "$pid"
	ended 137
	in_background release "$dev"
	until_true asks "$pid"
	kill -KILL "$pid"
	ended 137
	kill -CONT "$stopped"
	until_true callers 0
	works --json counters "$dev"
	json '.vectors | length == 2'
}

@test "two releases at once: one is done, the other told why not" {
	local first status=0 other=0

	works hold "$dev" "$dev,noresize"
	stop_holder
	in_background release "$dev"
	first=$pid
	in_background release "$dev"
	until_true asks "$first"
	until_true asks "$pid"
	kill -CONT "$stopped"
	wait "$first" || status=$?
	wait "$pid" || other=$?
	assert_equal "$((status + other))" 3
	log=$BATS_TEST_TMPDIR/log.$((status ? 0 : 1))
	logged 'release: (the holder was asked to release the device|nobody holds it)'
	[[ $(wc -l <"$log.err") == 1 ]] || fail "$(<"$log.err")"
	works enable "$dev,noresize" msix 2
	works release "$dev,noresize"
}

@test "a holder that does not answer is told of as what it is, and waited for only as long as one likes" {
	works hold "$dev" "$dev,noresize"
	stop_holder
	works --json holders
	json --arg dev "$dev" --argjson pid "$stopped" '[.holders[] | select(.pid == $pid).device] |
		sort == [$dev, $dev + ",noresize"]'
	noted "$dev: its holder, pid $stopped, does not answer; it has the device still"
	in_background release "$dev"
	until_true asks "$pid"
	kill -TERM "$pid"
	ended 1
	logged 'release: stopped by Terminated'
	in_background holders
	until_true asks "$pid"
	kill -TERM "$pid"
	ended 1
	logged 'holders: stopped by Terminated'
	kill -CONT "$stopped"
	works enable "$dev" msix 2
	works release "$dev,noresize"
}

@test "more callers than a holder takes in are told so" {
	works hold "$dev"
	perl -MSocket -e 'for (1 .. 512) { my $s; socket($s, AF_UNIX, SOCK_STREAM, 0) and
			connect($s, pack_sockaddr_un($ARGV[0])) or die $!; push @s, $s } sleep 100' "$folder/$dev.sock" 3>&- &
	bg+=("$!")
	until_true told_too_many
	noted 'has all the callers that it can have'
	refused 5 'release: its holder has all the callers that it can have; try again$' release "$dev"
	kill -KILL "${bg[@]}"
	until_true callers 0
}

# polled PID - how many descriptors its loop looks at
polled() {
	grep -c '^tfd:' "/proc/$1/fdinfo/$(epoll_of "$1")"
}

# epoll_of PID - the first of its descriptors that is one
epoll_of() {
	local fd

	for fd in "/proc/$1/fd"/*; do
		[[ $(readlink "$fd") != *eventpoll* ]] || break
	done
	echo "${fd##*/}"
}

# deaf PID N - its loop looks at less than N: the socket is not among them
deaf() {
	(($(polled "$1") < $2))
}

@test "out of descriptors with no caller there: callers are heard when there are some again" {
	local holder free=0 limit all

	not_under_valgrind 'has descriptors of its own'
	works hold "$dev"
	holder=$(holder)
	until_true callers 0
	while [[ -e /proc/$holder/fd/$free ]]; do
		free=$((free + 1))
	done
	all=$(polled "$holder")
	limit=$(prlimit --pid "$holder" --nofile --output SOFT --noheadings)
	prlimit --pid "$holder" --nofile="$free:"
	in_background counters "$dev"
	until_true deaf "$holder" "$all"
	prlimit --pid "$holder" --nofile="${limit// /}:"
	until_true dead "$pid"
	ended 0
	works release "$dev"
}

told_too_many() {
	run --separate-stderr msictl enable "$dev" msix 2
	((status == 5))
}

@test "the holder is killed: nobody holds it, and the next hold works" {
	local holder

	works hold "$dev"
	holder=$(holder)
	works enable "$dev" msix 2
	kill -KILL "$holder"
	until_true dead "$holder"
	[[ -S $folder/$dev.sock ]]
	refused 3 'nobody holds it' release "$dev"
	refused 2 'its effect would end' enable "$dev" msix 2
	not_held
	# who lists holders tidies up behind them
	[[ ! -e $folder/$dev.sock ]]
	works hold "$dev"
	works enable "$dev" msix 2
}

@test "the holder is killed in the middle of a command" {
	works hold "$dev"
	works enable "$dev" msix 2
	in_background wait "$dev" msix 0 --timeout 60s
	until_true callers 1
	kill -KILL "$(holder)"
	ended 3
	grep -q 'the holder broke off' "$log.err"
}

@test "the simulation is killed: the holder ends" {
	works hold "$dev"
	works enable "$dev" msix 2
	in_background wait "$dev" msix 0 --timeout 60s
	until_true callers 1
	kill -KILL "$(pgrep -P "$(holder)")"
	ended 3
	grep -q 'gone' "$log.err"
	until_true not_held
}

closed() {
	[[ $(msictl --json holders | jq --arg dev "$dev" '.holders[] | select(.device == $dev).open') == false ]]
}

@test "the simulation is killed: with --keep the holder stays, reopen opens anew" {
	works hold --keep "$dev"
	kill -KILL "$(pgrep -P "$(holder)")"
	until_true closed
	refused 3 'gone' enable "$dev" msix 1
	hinted reopen
	works run "$dev" -c 'reopen; enable msix 3'
	works trigger "$dev" msix 2
}

@test "--foreground: ready is told to the service manager, SIGTERM puts back" {
	local notify=$BATS_TEST_TMPDIR/notify

	perl -MSocket -e 'socket(S, AF_UNIX, SOCK_DGRAM, 0) and bind(S, pack_sockaddr_un(shift)) or die;
		recv(S, $m, 100, 0); print $m' "$notify" >"$BATS_TEST_TMPDIR/ready" 3>&- &
	bg+=("$!")
	until_true test -S "$notify"
	NOTIFY_SOCKET=$notify in_background hold --foreground "$dev"
	until_true grep -qs '^READY=1$' "$BATS_TEST_TMPDIR/ready"
	works enable "$dev" msix 2
	kill -TERM "$pid"
	ended 0
	[[ ! -e $folder/$dev.sock ]]
}

@test "--foreground: says what it holds, and callers are told of its end" {
	local holder

	in_background hold --foreground "$dev"
	holder=$pid
	until_true grep -qs 'held by pid' "$log"
	works enable "$dev" msix 1
	in_background wait "$dev" msix 0 --timeout 60s
	until_true callers 1
	kill -TERM "$holder"
	ended 3
	grep -q 'the holder was stopped by Terminated' "$log.err"
	wait "$holder"
}

@test "a holder leaves terminal and pipes alone" {
	local holder

	# the simulation's process may not keep them either
	run --separate-stderr -0 timeout 20 bash -c '"$1" hold "$2" |& cat' - "$MSICTL" "$dev"
	holder=$(holder)
	assert_equal "$(readlink "/proc/$holder/fd/1")" /dev/null
	assert_equal "$(readlink "/proc/$holder/fd/2")" /dev/null
	# a session of its own
	assert_equal "$(awk '{ print $6 }' "/proc/$holder/stat")" "$holder"
}

@test "not root: a folder of one's own, closed to others" {
	user_setup
	run -0 user hold "$dev"
	run -0 user enable "$dev" msix 2
	assert_equal "$(stat -c '%a %u' "$BATS_TEST_TMPDIR/run/msictl")" '700 65534'
	assert_equal "$(stat -c '%a %F' "$BATS_TEST_TMPDIR/run/msictl/$dev.sock")" '600 socket'
	# root's own folder is another
	refused 3 'nobody holds it' release "$dev"
	run -0 user release "$dev"
	run -1 as 65534 env -u XDG_RUNTIME_DIR "$BATS_TEST_TMPDIR/msictl" hold "$dev"
	assert_output --partial 'XDG_RUNTIME_DIR'
}

@test "not root: a link, a stranger's folder, an open mode" {
	user_setup
	ln -s "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/run/msictl"
	run -1 user hold "$dev"
	assert_output --partial 'is no folder of our own'
	rm "$BATS_TEST_TMPDIR/run/msictl"

	mkdir -m 777 "$BATS_TEST_TMPDIR/run/msictl"
	run -4 user hold "$dev"
	assert_output --partial 'belongs to uid 0'

	chown 65534 "$BATS_TEST_TMPDIR/run/msictl"
	run -0 user hold "$dev"
	assert_equal "$(stat -c %a "$BATS_TEST_TMPDIR/run/msictl")" 700
	run -0 user release "$dev"
}

@test "not root: a socket that somebody else serves is not believed" {
	user_setup
	run -0 user hold "$dev"
	run -0 user release "$dev"
	mkdir -m 777 "$BATS_TEST_TMPDIR/open"
	as 65533 perl -MSocket -e 'umask 0; socket(S, AF_UNIX, SOCK_STREAM, 0) and
		bind(S, pack_sockaddr_un(shift)) and listen(S, 5) or die; sleep 100' "$BATS_TEST_TMPDIR/open/s" 3>&- &
	bg+=("$!")
	until_true test -S "$BATS_TEST_TMPDIR/open/s"
	mv "$BATS_TEST_TMPDIR/open/s" "$BATS_TEST_TMPDIR/run/msictl/$dev.sock"
	run -4 user enable "$dev" msix 2
	assert_output --partial 'served by somebody else'
}

@test "help and completion know the words" {
	works hold --help
	assert_line --partial 'hold DEVICE...'
	works release --help
	works holders --help
	works __complete -- hold --f
	assert_line --partial foreground
}

# told - its command has told something
told() {
	[[ $(wc -l <"$log") -ge 2 ]]
}

@test "2048 vectors triggered without end: the holder hears others, and the end of who triggers" {
	local trigger

	dev=sim:msix=2048
	works hold "$dev"
	works enable "$dev" msix 2048
	in_background trigger "$dev" msix 0-2047 --count 4000000000
	trigger=$pid
	until_true callers 1
	works --json counters "$dev" 2047
	in_background --json watch "$dev" 5 -d 100ms
	until_true told
	kill -TERM "$pid"
	ended 0
	kill -0 "$trigger"
	kill -KILL "$trigger"
	until_true callers 0
	in_background trigger "$dev" msix 0-2047 --count 4000000000
	until_true callers 1
	# released, and the command told why it ended
	works release "$dev"
	ended 3
}
