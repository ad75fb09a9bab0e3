#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# simulate: the process around the server. What the device does is elsewhere.

load ../helpers

setup() {
	sock=$BATS_TEST_TMPDIR/sock
}

teardown() {
	local pid

	term_stop
	for pid in "${servers[@]}"; do
		kill -9 "$pid" && wait "$pid"
	done 2>/dev/null
	true
}

servers=()

# serve WORD... - in the background; returns when it has said that it listens.
# Its process is ${servers[-1]}.
serve() {
	local log=$BATS_TEST_TMPDIR/log.${#servers[@]}

	"$MSICTL" "$@" >"$log" 2>&1 3>&- &
	servers+=($!)
	until_true test -s "$log"
	said=$(<"$log")
}

# ended SIGNAL - the last server takes the signal, says 0 and leaves no file
ended() {
	local status=0

	kill "-$1" "${servers[-1]}"
	wait "${servers[-1]}" || status=$?
	assert_equal "$status" 0
	assert_not_exists "$sock"
}

assert_not_exists() {
	[[ ! -e $1 && ! -L $1 ]] || fail "$1 is there"
}

@test 'says in one line where it listens' {
	serve simulate "$sock" msix=8
	[[ $said == "listening on $sock: msix 8, msi 16; open it as vfio-user:$sock" ]] || fail "said: $said"
	works run "vfio-user:$sock" -c 'enable msix 8; trigger msix 0-7; wait msix 0-7'
}

@test 'says it as an object too' {
	serve --json simulate "$sock" msix=8,msi=4
	output=$said lines=("$said")
	json --arg s "$sock" '.socket == $s and .msix == 8 and .msi == 4'
}

@test 'is for its user alone' {
	umask 0
	serve simulate "$sock"
	assert_equal "$(stat -c '%a %F' "$sock")" '600 socket'
}

@test 'removes the socket when it is ended' {
	# Not SIGINT: a background job of a script ignores it.
	for signal in TERM HUP; do
		serve simulate "$sock"
		ended "$signal"
	done
}

@test 'removes the socket at Ctrl-C, with a client too' {
	term_start simulate "$sock"
	term_expect 'listening on'
	term_key C-c
	term_ended 0
	assert_not_exists "$sock"
	term_stop
	serve simulate "$sock"
	mkfifo "$BATS_TEST_TMPDIR/script"
	"$MSICTL" run "vfio-user:$sock" "$BATS_TEST_TMPDIR/script" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	servers=("$!" "${servers[@]}")
	exec 7>"$BATS_TEST_TMPDIR/script"
	echo 'enable msix 2' >&7
	until_true grep -q armed "$BATS_TEST_TMPDIR/out"
	ended TERM
	exec 7>&-
}

@test 'leaves the file that another has put in its place' {
	serve simulate "$sock"
	rm "$sock"
	echo mine >"$sock"
	kill -TERM "${servers[-1]}"
	wait "${servers[-1]}"
	assert_equal "$(<"$sock")" mine
}

@test 'replaces a socket that nobody serves' {
	serve simulate "$sock"
	kill -9 "${servers[-1]}"
	wait "${servers[-1]}" || true
	[[ -S $sock ]]
	serve simulate "$sock"
	works run "vfio-user:$sock" -c 'enable msix 1'
	ended TERM
}

@test 'refuses a socket that is served' {
	serve simulate "$sock"
	refused 5 'served by another process \(EADDRINUSE\)$' simulate "$sock"
	works run "vfio-user:$sock" -c 'enable msix 1'
}

# answered COUNT - so many of the starters have said something or gone
answered() {
	(($(grep -lE 'listening|served|taken|locked' "$BATS_TEST_TMPDIR"/starter.* | wc -l) == $1))
}

@test 'of several that start at once where a stale socket is one listens' {
	local n round

	for round in 1 2 3; do
		serve simulate "$sock"
		kill -KILL "${servers[-1]}"
		wait "${servers[-1]}" || true
		test -S "$sock"
		rm -f "$BATS_TEST_TMPDIR"/starter.*
		for n in $(seq 8); do
			"$MSICTL" simulate "$sock" >"$BATS_TEST_TMPDIR/starter.$n" 2>&1 3>&- &
			servers+=("$!")
		done
		until_true answered 8
		assert_equal "$(grep -l 'listening on' "$BATS_TEST_TMPDIR"/starter.* | wc -l)" 1
		assert_equal "$(grep -lE 'EADDRINUSE' "$BATS_TEST_TMPDIR"/starter.* | wc -l)" 7
		works run "vfio-user:$sock" -c 'enable msix 1'
		kill "${servers[@]: -8}" 2>/dev/null || true
		until_true test ! -e "$sock"
	done
}

@test 'never removes what is no socket' {
	echo precious >"$sock"
	refused 1 'no socket: it is left alone \(EEXIST\)$' simulate "$sock"
	assert_equal "$(<"$sock")" precious
	refused 1 'no socket' simulate "$BATS_TEST_TMPDIR"
}

@test 'refuses paths that no socket can have' {
	refused 2 'has 1 to 107 bytes.*this one has 108' simulate "$(printf '%0108d' 0)"
	refused 1 'No such file or directory \(ENOENT\)$' simulate "$BATS_TEST_TMPDIR/none/sock"
	refused 2 'no word' simulate "$sock" nonsense
	assert_not_exists "$sock"
}

# no_eventfds PID - none of a client is left with it
no_eventfds() {
	! ls -l "/proc/$1/fd" | grep -q eventfd
}

@test 'serves the next client when one was killed' {
	serve simulate "$sock"
	for _ in 1 2 3; do
		mkfifo "$BATS_TEST_TMPDIR/script"
		"$MSICTL" run "vfio-user:$sock" "$BATS_TEST_TMPDIR/script" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
		client=$!
		exec 7>"$BATS_TEST_TMPDIR/script"
		echo 'enable msix 4' >&7
		until_true grep -q armed "$BATS_TEST_TMPDIR/out"
		kill -9 "$client"
		wait "$client" || true
		exec 7>&-
		rm "$BATS_TEST_TMPDIR/script"
	done
	works run "vfio-user:$sock" -c 'enable msix 64; trigger msix 0-63; wait msix 0-63'
	# ours, the loop's, and no eventfd of any of them
	no_eventfds "${servers[-1]}" || fail "$(ls -l "/proc/${servers[-1]}/fd")"
}

@test 'a second client waits for the first' {
	serve simulate "$sock"
	mkfifo "$BATS_TEST_TMPDIR/script"
	"$MSICTL" run "vfio-user:$sock" "$BATS_TEST_TMPDIR/script" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	client=$!
	exec 7>"$BATS_TEST_TMPDIR/script"
	echo 'enable msix 4' >&7
	until_true grep -q armed "$BATS_TEST_TMPDIR/out"
	fails 5 --timeout 300ms run "vfio-user:$sock" -c 'enable msix 1'
	"$MSICTL" run "vfio-user:$sock" -c 'enable msix 2' >"$BATS_TEST_TMPDIR/second" 2>&1 3>&- 7>&- &
	second=$!
	sleep 0.3
	[[ ! -s $BATS_TEST_TMPDIR/second ]] || fail "$(<"$BATS_TEST_TMPDIR/second")"
	exec 7>&-
	wait "$client"
	wait "$second"
	grep -q '2 armed' "$BATS_TEST_TMPDIR/second"
}

# hears PID - its loop is there, by which it hears signals wherever it waits
hears() {
	ls -l "/proc/$1/fd" 2>/dev/null | grep -q signalfd
}

@test 'a signal ends the wait for a server that is silent' {
	local status=0

	serve simulate "$sock"
	kill -STOP "${servers[-1]}"
	"$MSICTL" --timeout 60m info "vfio-user:$sock" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	client=$!
	servers=("$client" "${servers[@]}")
	until_true hears "$client"
	kill -TERM "$client"
	until_true gone "/proc/$client/fd/0"
	wait "$client" || status=$?
	assert_equal "$status" 1
	grep -q 'VERSION: the peer owed an answer when a signal asked to stop, and was cut off (EINTR)$' \
		"$BATS_TEST_TMPDIR/err" || fail "$(<"$BATS_TEST_TMPDIR/err")"
	kill -CONT "${servers[-1]}"
	works run "vfio-user:$sock" -c 'enable msix 1'
}

@test 'a signal ends a command whose server has stopped, and nothing is left there' {
	local status=0

	serve simulate "$sock"
	mkfifo "$BATS_TEST_TMPDIR/script"
	"$MSICTL" --timeout 60m run "vfio-user:$sock" "$BATS_TEST_TMPDIR/script" >"$BATS_TEST_TMPDIR/out" \
		2>"$BATS_TEST_TMPDIR/err" 3>&- &
	client=$!
	servers=("$client" "${servers[@]}")
	exec 7>"$BATS_TEST_TMPDIR/script"
	echo 'enable msix 4' >&7
	until_true grep -q armed "$BATS_TEST_TMPDIR/out"
	kill -STOP "${servers[-1]}"
	echo 'trigger msix 0' >&7
	kill -TERM "$client"
	until_true gone "/proc/$client/fd/0"
	wait "$client" || status=$?
	exec 7>&-
	assert_equal "$status" 1
	grep -q 'stopped by Terminated' "$BATS_TEST_TMPDIR/err" || fail "$(<"$BATS_TEST_TMPDIR/err")"
	kill -CONT "${servers[-1]}"
	works run "vfio-user:$sock" -c 'enable msix 4'
	until_true no_eventfds "${servers[-1]}"
}

@test 'Ctrl-C in a shell ends the command, not the shell' {
	serve simulate "$sock"
	term_start --timeout 60m shell "vfio-user:$sock"
	term_expect '> *$'
	term_type 'enable msix 2'
	term_key Enter
	term_expect 'msix 2> *$'
	kill -STOP "${servers[-1]}"
	term_type 'trigger msix 0'
	term_key Enter
	# the line has been taken: a Ctrl-C would take away what is still on its way
	until_true eval '! on_screen "live off hides this"'
	term_key C-c
	term_expect 'the peer owed an answer when a signal asked to stop, and was cut off; reopen when it is back'
	kill -CONT "${servers[-1]}"
	term_type 'reopen'
	term_key Enter
	term_type 'enable msix 3'
	term_key Enter
	term_expect 'msix 3> *$'
	term_key C-d
	term_ended 0
	term_stop
}

@test 'a full backlog is waited for, and a signal ends that too' {
	local status=0

	serve simulate "$sock"
	kill -STOP "${servers[-1]}"
	# clients that nobody takes, until there is no room for one more
	for n in $(seq 64); do
		"$MSICTL" --timeout 60m info "vfio-user:$sock" >/dev/null 2>"$BATS_TEST_TMPDIR/err.$n" 3>&- &
		servers=("$!" "${servers[@]}")
	done
	fails 5 --timeout 300ms info "vfio-user:$sock"
	kill -TERM "${servers[@]:0:64}"
	for n in $(seq 0 63); do
		until_true gone "/proc/${servers[n]}/fd/0"
	done
}

@test 'what is no socket is said to be none' {
	refused 3 'it is no socket \(ENOTSOCK\)$' info "vfio-user:$BATS_TEST_TMPDIR"
	echo >"$BATS_TEST_TMPDIR/file"
	refused 3 'it is no socket \(ENOTSOCK\)$' info "vfio-user:$BATS_TEST_TMPDIR/file"
	serve simulate "$sock"
	kill -9 "${servers[-1]}"
	wait "${servers[-1]}" || true
	refused 3 'nobody serves this socket any more \(ECONNREFUSED\)$' info "vfio-user:$sock"
	refused 3 'nobody serves this socket any more \(ECONNREFUSED\)$' enable "vfio-user:$sock" msix 4
	refused 3 'it is no socket \(ENOTSOCK\)$' enable "vfio-user:$BATS_TEST_TMPDIR/file" msix 4
	refused 2 '"0" is no time at all$' --timeout 0 info sim
}

@test 'arms 2048 vectors whatever the soft limit of descriptors' {
	not_under_valgrind 'does not let limits be raised'
	ulimit -Sn 256
	serve simulate "$sock" msix=2048
	works run "vfio-user:$sock" -c 'enable msix 2048; trigger msix all; wait msix all; disable msix'
}

# pieces INDEX START,COUNT... - a client that says VERSION, then SET_IRQS with DATA_EVENTFD for each piece of INDEX and
# no descriptors; prints the errno of each answer.
pieces() {
	perl -MSocket -e 'my ($to, $index) = splice @ARGV, 0, 2;
		socket(S, AF_UNIX, SOCK_STREAM, 0) and connect(S, pack_sockaddr_un($to)) or die "$to: $!";
		sub ask { my ($command, $payload) = @_;
			syswrite(S, pack("SSLLL", 1, $command, 16 + length $payload, 0, 0) . $payload);
			sysread(S, my $header, 16) == 16 or die "no answer";
			my (undef, undef, $size, undef, $errno) = unpack "SSLLL", $header;
			sysread(S, my $rest, $size - 16) if $size > 16;
			return $errno; }
		ask(1, "\0\0\0\0{}\0") == 0 or die "VERSION";
		print join(" ", map { ask(8, pack "L5", 20, 0x24, $index, split /,/) } @ARGV), "\n";' "$sock" "$@"
}

@test 'the pieces of one set are accepted where the index says NORESIZE' {
	serve simulate "$sock" msix=64,noresize
	run pieces 2 0,16 16,16 32,16 48,16
	assert_output '0 0 0 0'
	# our own client asks for the whole set first, and is offered room for all of it
	works run "vfio-user:$sock" -c 'enable msix 64; trigger msix 0-63; wait msix all --timeout 5s'
	works run "vfio-user:$sock" -c 'enable msi 16; trigger msi 0-15; wait msi all --timeout 5s'
}

# restless - a client whose eventfd is full, and whose O_NONBLOCK a second process
# of the client sets and clears all the time; says so when 100,000 triggers are done.
restless() {
	perl -MSocket -MFcntl -e 'require "sys/syscall.ph";
		socket(S, AF_UNIX, SOCK_STREAM, 0) and connect(S, pack_sockaddr_un($ARGV[0])) or die "$ARGV[0]: $!";
		sub answer { sysread(S, my $header, 16) == 16 or die "no answer";
			my (undef, undef, $size, undef, $errno) = unpack "SSLLL", $header;
			sysread(S, my $rest, $size - 16) if $size > 16;
			die "errno $errno" if $errno; }
		sub request { my ($command, $payload) = @_;
			return pack("SSLLL", 1, $command, 16 + length $payload, 0, 0) . $payload; }
		my $fd = syscall(&SYS_eventfd2, 0, 04000);
		my $full = pack "Q", 0xfffffffffffffffe;
		syscall(&SYS_write, $fd, $full, 8) == 8 or die "write: $!";
		syswrite(S, request(1, "\0\0\0\0{}\0"));
		answer();
		my $bytes = request(8, pack "L5", 20, 0x24, 2, 0, 1);
		my $control = pack "J i i i x4", 20, SOL_SOCKET, 1, $fd;
		my $iov = pack "P J", $bytes, length $bytes;
		my $msg = pack "J L x4 P J P J i x4", 0, 0, $iov, 1, $control, length $control, 0;
		syscall(&SYS_sendmsg, fileno S, $msg, 0) > 0 or die "sendmsg: $!";
		answer();
		my $parent = $$;
		unless (fork) {
			for (my $flag = 0; getppid == $parent; $flag ^= 04000) { syscall(&SYS_fcntl, $fd, F_SETFL, $flag); }
			exit;
		}
		alarm 10;
		my $trigger = request(8, pack "L5", 20, 0x21, 2, 0, 1);
		substr($trigger, 8, 4) = pack "L", 0x10;
		for (1 .. 100) { my $all = $trigger x 1000;
			$all = substr $all, syswrite(S, $all) while length $all; }
		syswrite(S, request(13, ""));
		answer();
		print "answered\n";' "$sock"
}

@test 'no client can block it, whatever becomes of the flags of an eventfd' {
	serve simulate "$sock" msix=8
	run restless
	assert_output answered
	works run "vfio-user:$sock" -c 'enable msix 1'
}

@test 'what a client sends: the closing of its descriptors is not waited for' {
	local how client out=$BATS_TEST_TMPDIR/out input

	[[ ! ${MSICTL_UNDER_VALGRIND-} ]] || skip 'valgrind knows no clone(2) that shares descriptors alone'
	mkfifo "$BATS_TEST_TMPDIR/input"
	exec {input}<>"$BATS_TEST_TMPDIR/input"
	for how in version read map eventfd cut pieces unread oob full waiting; do
		rm -f "$out"
		serve simulate "$sock" msix=8
		"$tests/clinger" "$sock" "$how" <&"$input" >"$out" 3>&- &
		client=$!
		servers+=("$client" "${servers[-1]}")
		until_true grep -qs left "$out"
		[[ $how == waiting ]] ||
			works run "vfio-user:$sock" -c 'enable msix 2; trigger msix all; wait msix all --timeout 5s'
		kill -TERM "${servers[-1]}"
		until_true dead "${servers[-1]}"
		wait "${servers[-1]}" || fail "$how: the server ended with $?"
		kill "$client"
	done
	exec {input}>&-
}
