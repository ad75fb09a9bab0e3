#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is said to a holder's socket: by strangers, in nonsense, and in the words
# that msictl has for its own (src/hold/wire.h).

load ../hold

# say BYTES [WAIT] - to the holder's socket, as printf(1) writes them; WAIT: until it has hung up
say() {
	printf "$1" | perl -MSocket -e '$SIG{PIPE} = "IGNORE"; socket(S, AF_UNIX, SOCK_STREAM, 0) and
		connect(S, pack_sockaddr_un(shift)) or die; local $/; syswrite(S, <STDIN>); @ARGV and <S>' \
		"$folder/$dev.sock" "${@:2}"
}

@test "nonsense on the socket does not disturb it" {
	works hold "$dev"
	say 'GET / HTTP/1.0\r\n\r\n'
	say '1hsm\0\0\0\0\377\377\377\377'
	say '1hsm\0\0\0\0\0\0\0\0'
	say '1hsm\0\0\0\0\1\0\0\0'
	say '1hsm\0\0\0\0\1\0\0\0\0'
	say '1hsm\0\0\0\0\3\0\0\0\0ab'
	say '1hsm\0\0\0\0\7\0\0\0\0@take\0' wait
	say '1hsm\0\0\0\0\6\0\0\0\0quit\0' wait
	works enable "$dev" msix 2
	until_true callers 0
}

# ask SOCKET WORD... - the words of a command; the answer, frames and all
ask() {
	perl -MSocket -e '$SIG{PIPE} = "IGNORE"; my $to = shift; my $words = join("", map { "$_\0" } "", @ARGV);
		socket(S, AF_UNIX, SOCK_STREAM, 0) and connect(S, pack_sockaddr_un($to)) or die "$!\n"; local $/;
		syswrite(S, pack("L3", 0x6d736831, 0, length $words) . $words); print <S>' "$@"
}

# half_said BYTES - somebody is connected who says no more than that; his end of it is in $said when the holder is gone
half_said() {
	local before

	before=$(descriptors "$holder")
	said=$BATS_TEST_TMPDIR/said
	printf "$1" | perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0) and connect(S, pack_sockaddr_un(shift)) or die;
		local $/; $| = 1; my $b = <STDIN>; !length $b or syswrite(S, $b) or die; print "connected\n"; print <S>' \
		"$folder/$dev.sock" >"$said" 3>&- &
	bg+=("$!")
	until_true grep -aq connected "$said"
	# it is taken in
	until_true eval '(($(descriptors "$holder") > before))'
}

@test "a holder ends in order when a caller has not said what he wants" {
	local half holder

	for half in '' '1hsm\0\0\0\0\7\0\0\0\0@ta'; do
		in_background hold --foreground "$dev"
		holder=$pid
		until_true grep -qs 'held by pid' "$log"
		half_said "$half"
		kill -TERM "$holder"
		ended 0 "$holder"
		until_true grep -aq 'the holder was stopped by Terminated' "$said"
		[[ ! -e $folder/$dev.sock ]]

		in_background hold --foreground "$dev"
		holder=$pid
		until_true grep -qs 'held by pid' "$log"
		half_said "$half"
		works release "$dev"
		ended 0 "$holder"
		until_true grep -aq 'the device was let go meanwhile' "$said"

		in_background hold --foreground "$dev"
		holder=$pid
		until_true grep -qs 'held by pid' "$log"
		half_said "$half"
		works write "$dev" bar0 24 l 1
		ended 0 "$holder"
		until_true dead "${bg[-1]}"
		grep -aq 'the peer took the device back' "$said"
		refused 3 'nobody holds it; let go at .*: the peer took the device back' release "$dev"
	done
}

@test "take and release, again and again: the holder that stays leaks nothing" {
	local holder before round

	works hold "$dev"
	holder=$(holder)
	before=$(descriptors "$holder")
	for round in {1..20}; do
		ask "$folder/$dev.sock" @take "$dev,noresize" >/dev/null
		works enable "$dev,noresize" msix 4
		works release "$dev,noresize"
	done
	until_true callers 0
	assert_equal "$(holder)" "$holder"
	assert_equal "$(descriptors "$holder")" "$before"
	# of the simulations the one that is held is left
	assert_equal "$(pgrep -c -P "$holder")" 1
}

@test "a device that is taken is kept as it was asked for" {
	local other=$dev,noresize

	works hold "$dev"
	ask "$folder/$dev.sock" @take "$other" keep >/dev/null
	works write "$other" bar0 24 l 1
	until_true closed "$other"
	works run "$other" -c 'reopen; enable msix 3'
	works write "$dev" bar0 24 l 1
	until_true not_held
	works trigger "$other" msix 2
	works release "$other"
}

# read_late PID WORD... - asks the holder PID, stops it when there is more than the socket takes, and then reads: the
# last frame has to be the exit status
read_late() {
	perl -MSocket -e '$SIG{PIPE} = "IGNORE"; my ($to, $pid) = splice @ARGV, 0, 2;
		my $words = join("", map { "$_\0" } "", @ARGV);
		socket(S, AF_UNIX, SOCK_STREAM, 0) and connect(S, pack_sockaddr_un($to)) or die "$!\n";
		syswrite(S, pack("L3", 0x6d736831, 0, length $words) . $words);
		my ($last, $now, $said) = (-1, 0);
		# what lies in the socket (FIONREAD) grows no more
		while (!$now || $now != $last) {
			$last = $now; select(undef, undef, undef, 0.1); my $n = pack("L", 0);
			ioctl(S, 0x541B, $n) or die; $now = unpack("L", $n);
		}
		kill "TERM", $pid;
		# it listens to nobody any more
		select(undef, undef, undef, 0.001) while -e $to;
		local $/; $said = <S>;
		print STDERR length $said, " bytes, $now lay there\n";
		exit(length $said > $now && substr($said, -9) eq pack("L2C", 3, 1, 0) ? 0 : 1)' "$folder/$dev.sock" "$@"
}

@test "what a command has said is read to its end, also when the holder is asked to end" {
	local holder

	dev=sim:msix=2048
	in_background hold --foreground "$dev"
	holder=$pid
	until_true grep -qs 'held by pid' "$log"
	works enable "$dev" msix 2048
	run -0 read_late "$holder" counters --json
	ended 0 "$holder"
}

# say_all HOLDER - stops it, connects once for each line of stdin, the words of a command, and lets it go on: what each
# was answered is one line, in the order in which they came
say_all() {
	perl -MSocket -e '$SIG{PIPE} = "IGNORE"; our ($to, $pid) = @ARGV; my @line = <STDIN>; my (@sock, $s);
		END { kill "CONT", $pid } kill "STOP", $pid;
		for (@line) { my $words = join("", map { "$_\0" } "", split);
			undef $s; socket($s, AF_UNIX, SOCK_STREAM, 0) and connect($s, pack_sockaddr_un($to)) or die "$!\n";
			syswrite($s, pack("L3", 0x6d736831, 0, length $words) . $words) or die "$!\n"; push @sock, $s; }
		kill "CONT", $pid; local $/;
		for (@sock) { my $said = <$_>; print unpack("C", substr($said, -1)), $said =~ /msictl: .*/g, "\n" }' \
		"$folder/$dev.sock" "$1"
}

@test "commands run in the order in which their callers have come" {
	works hold "$dev"
	run -0 say_all "$(holder)" <<-'END'
		enable msix 2
		trigger msix 1
		disable msix
		enable msix 4
		trigger msix 3
		disable msix
		enable msix 6
		trigger msix 5
		enable msix 8
		trigger msix 7
	END
	assert_output "$(printf '0\n%.0s' {1..10})"
	works release "$dev"
}

# closed DEVICE - it is held, and was taken away
closed() {
	[[ $(msictl --json holders | jq --arg dev "$1" '.holders[] | select(.device == $dev).open') == false ]]
}

@test "not root: a holder does not hear a stranger" {
	local socket=$BATS_TEST_TMPDIR/run/msictl/$dev.sock

	user_setup
	run -0 user hold "$dev"
	# not even when the folder lets him in
	chmod 711 "$BATS_TEST_TMPDIR/run" "$BATS_TEST_TMPDIR/run/msictl"
	chmod 666 "$socket"
	heard_by() {
		as "$1" perl -MSocket -e '$SIG{PIPE} = "IGNORE"; socket(S, AF_UNIX, SOCK_STREAM, 0) and
			connect(S, pack_sockaddr_un(shift)) or die "$!\n"; local $/;
			syswrite(S, pack("L3", 0x6d736831, 0, 8) . "\0\@state\0"); print unpack("H*", <S> // "")' "$socket"
	}
	run -0 heard_by 65533
	assert_output ''
	for uid in 65534 0; do
		run -0 heard_by "$uid"
		assert_output --partial "$(printf '"device":"%s"' "$dev" | od -An -v -tx1 | tr -d ' \n')"
	done
	chmod 700 "$BATS_TEST_TMPDIR/run/msictl"
	run -0 user release "$dev"
}

# answer_to BYTES - the holder's answer to a request in these bytes, to its end
answer_to() {
	printf "$1" | perl -MSocket -e '$SIG{PIPE} = "IGNORE"; socket(S, AF_UNIX, SOCK_STREAM, 0) and
		connect(S, pack_sockaddr_un(shift)) or die; local $/; syswrite(S, <STDIN>); print <S> // ""' "$folder/$dev.sock"
}

@test "a request whose last word has no end is not run" {
	works hold "$dev"
	answer_to '1hsm\0\0\0\0\7\0\0\0\0@state' >"$BATS_TEST_TMPDIR/cut"
	[[ ! -s $BATS_TEST_TMPDIR/cut ]]
	answer_to '1hsm\0\0\0\0\10\0\0\0\0@state\0' >"$BATS_TEST_TMPDIR/whole"
	grep -aq "\"device\":\"$dev\"" "$BATS_TEST_TMPDIR/whole"
	works release "$dev"
}
