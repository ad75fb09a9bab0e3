#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Held devices that the kernel wants back (REQ; the simulated device has a
# register for it), and what those who come later are told.

load ../hold

# wanted_back - the device asks for it
wanted_back() {
	works write "$dev" bar0 24 l 1
}

waits() {
	in_background wait "$dev" msix 0 --timeout 90s
	until_true callers 1
}

@test "wanted back: let go, the holder ends, and who comes later is told" {
	local holder

	works hold "$dev"
	holder=$(holder)
	works enable "$dev" msix 2
	waits
	wanted_back
	ended 3
	grep -q 'the peer took the device back' "$log.err"
	grep -q "^hint: msictl hold $dev   once it is back" "$log.err"
	until_true dead "$holder"
	[[ ! -e $folder/$dev.sock && -e $folder/$dev.gone ]]
	refused 2 'its effect would end with this process; it was held, and let go at .*: the peer took the device back' \
		enable "$dev" msix 2
	refused 3 'nobody holds it; let go at 20[0-9-]+ [0-9:]+: the peer took the device back' release "$dev"
	# that is over when it is held again
	works hold "$dev"
	works release "$dev"
	refused 3 'nobody holds it$' release "$dev"
	[[ ! -e $folder/$dev.gone ]]
}

@test "wanted back, --keep: the holder goes on, and says how the device comes back" {
	works hold --keep "$dev"
	works enable "$dev" msix 2
	waits
	wanted_back
	ended 3
	grep -q "^hint: msictl run $dev -c reopen   once it is back" "$log.err"
	held
	refused 3 'the peer took the device back' enable "$dev" msix 1
	hinted "msictl run $dev -c reopen"
	works run "$dev" -c 'reopen; enable msix 3'
	works trigger "$dev" msix 2
	works release "$dev"
	refused 3 'nobody holds it$' release "$dev"
}

@test "wanted back, --foreground: said in one line, and it ends" {
	local holder

	in_background hold --foreground "$dev"
	holder=$pid
	until_true grep -qs 'held by pid' "$log"
	wanted_back
	ended 0
	assert_equal "$(<"$log.err")" "msictl: $dev: the peer wants the device back: released"
	dead "$holder"
}

@test "one of two is wanted back: the other stays" {
	works hold "$dev" "$dev,noresize"
	works enable "$dev,noresize" msix 2
	wanted_back
	until_true not_held
	works trigger "$dev,noresize" msix 1
	works release "$dev,noresize"
}

# waits_there PID - it has connected to a holder and waits for the answer.  Its own socket tells: of the
# connections in the holder's queue a client has two, the first of which it has closed again.
waits_there() {
	awk 'NR == FNR { own[$1]; next } $6 == "03" && ($7 in own) { found = 1 } END { exit !found }' \
		<(find "/proc/$1/fd" ! -name '[012]' -lname 'socket:*' -printf '%l\n' 2>/dev/null | tr -dc '0-9\n') /proc/net/unix
}

# ask_for_it - what wanted_back does, in the background: when this returns, the whole request is in the holder's queue
ask_for_it() {
	local said=$BATS_TEST_TMPDIR/said

	perl -MSocket -e '$SIG{PIPE} = "IGNORE"; my $to = shift; my $words = join("", map { "$_\0" } "", @ARGV);
		socket(S, AF_UNIX, SOCK_STREAM, 0) and connect(S, pack_sockaddr_un($to)) or die "$!\n";
		syswrite(S, pack("L3", 0x6d736831, 0, length $words) . $words) or die "$!\n";
		$| = 1; print "said\n"; local $/; <S>' "$folder/$dev.sock" write -- bar0 24 l 1 >"$said" 3>&- &
	bg+=("$!")
	until_true test -s "$said"
}

@test "wanted back while clients wait in the queue: each is told the reason, watch too" {
	local client holder watchers

	in_background hold --foreground "$dev"
	holder=$pid
	until_true grep -qs 'held by pid' "$log"
	works enable "$dev" msix 2
	for client in {1..3}; do
		in_background --json watch "$dev" -d 100ms
		until_true test -s "$log"
	done
	watchers=("${bg[@]:1:3}")
	kill -STOP "${watchers[@]}" "$holder"
	# the device asks for itself as soon as the holder hears this client, and the others are behind it
	ask_for_it
	for client in {5..9}; do
		in_background counters "$dev"
		until_true waits_there "$pid"
	done
	kill -CONT "${watchers[@]}"
	for client in "${watchers[@]}"; do
		until_true waits_there "$client"
	done
	kill -CONT "$holder"
	for client in {1..3} {5..9}; do
		ended 3 "${bg[client]}"
		output=$(<"$BATS_TEST_TMPDIR/log.$client")$(<"$BATS_TEST_TMPDIR/log.$client.err")
		grep -Eq 'the peer took the device back' <<<"$output" || fail "$client: $output"
		! grep -q 'broke off' <<<"$output" || fail "$client: $output"
	done
	ended 0 "$holder"
}
