#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A holder's socket in the words of src/hold/wire.h, which no msictl says like that.

load ../hold

hold_teardown() {
	[[ ! ${stopped-} ]] || kill -CONT "$stopped" 2>/dev/null || true
}

# ask FILE WORD... - the words of a command, in the background; the answer as it comes, frames and all, is in FILE
ask() {
	perl -MSocket -e '$SIG{PIPE} = "IGNORE"; my $to = shift; my $words = join("", map { "$_\0" } "", @ARGV);
		socket(S, AF_UNIX, SOCK_STREAM, 0) and connect(S, pack_sockaddr_un($to)) or die "$!\n";
		syswrite(S, pack("L3", 0x6d736831, 0, length $words) . $words);
		while (sysread(S, my $said, 65536)) { syswrite(STDOUT, $said) }' \
		"$folder/$dev.sock" "${@:2}" >"$1" 3>&- &
	bg+=($!)
}

@test "what a caller runs itself is not run by a holder" {
	local word

	works hold "$dev"
	for word in list shell events quit 'watch --batch --delay 100ms'; do
		# shellcheck disable=SC2086
		ask "$BATS_TEST_TMPDIR/said" $word
		until_true grep -aq "${word%% *} is not" "$BATS_TEST_TMPDIR/said"
		until_true dead "${bg[-1]}"
	done
	works run "$dev" -c 'reopen; reopen; enable msix 2'
	works counters "$dev"
	held
}

# anew N - so many times a feed said that the device is another one
anew() {
	(($(grep -caF '{"device":' "$feed") >= $1))
}

counted() {
	grep -aqE '"msix","vector":'"$1"',"armed":true,"count":'"$2"',' "$feed"
}

@test "a feed says that the device is another one, whatever its address" {
	local feed=$BATS_TEST_TMPDIR/feed n

	works hold "$dev"
	works enable "$dev" msix 4
	works trigger "$dev" msix all
	ask "$feed" __feed
	until_true counted 3 1
	for n in 1 2 3 4 5; do
		works run "$dev" -c 'reopen; reopen'
		until_true anew "$n"
		works run "$dev" -c "enable msix 4; trigger msix all --count $((n + 1))"
		until_true counted 3 $((n + 1))
	done
	works release "$dev"
}

# missed N - so many refreshes in a row lacked the device
missed() {
	(($(tail -n "$1" "$log" | grep -c "\"missing\":\[\"$dev\"\]") == $1))
}

@test "a holder that did not answer for a while: what it counted long ago is not new" {
	works hold "$dev"
	works enable "$dev" msix 2
	works trigger "$dev" msix all --count 100
	in_background --json watch "$dev" -d 100ms --storm 10
	until_true test -s "$log"
	stopped=$(holder)
	kill -STOP "$stopped"
	# by then its vectors are forgotten
	until_true missed 12
	kill -CONT "$stopped"
	until_true eval "tail -n 1 '$log' | jq -e '[.vectors[].delta] == [0, 0]' >/dev/null"
	kill -TERM "$pid"
	ended 0
	output=$(<"$log")
	mapfile -t lines <<<"$output"
	json_lines 'all(.[].vectors[]; (.delta // 0) == 0 and .mark == null)'
	# it is not known to be none, once
	json_lines 'map(.vectors | select(. != [])[0].delta) | map(select(. == null)) | length == 2'
}

@test "counters: a page that is stopped while a holder does not answer is none" {
	works hold "$dev"
	works hold "$dev,noresize"
	stopped=$(holder)
	kill -STOP "$stopped"
	in_background counters --openmetrics "$dev" "$dev,noresize"
	# its question is at the holder; it waits for the answer
	until_true asked "$stopped"
	# it hears TERM itself, and does not just die of it
	until_true grep -Eq '^SigBlk:.*[4567c-f]...$' "/proc/$pid/status"
	kill -TERM "$pid"
	ended 1
	kill -CONT "$stopped"
	assert_equal "$(<"$log")" ''
	grep -q 'stopped by Terminated' "$log.err"
	works release "$dev,noresize"
}

@test "counters: of the page of two devices, that of a holder that does not answer is told as missing" {
	works hold "$dev"
	works hold "$dev,noresize"
	works enable "$dev,noresize" msix 1
	stopped=$(holder)
	kill -STOP "$stopped"
	works --timeout 1s counters --openmetrics "$dev" "$dev,noresize"
	kill -CONT "$stopped"
	noted "^msictl: $dev is not told of: it went, or its holder does not answer$"
	assert_equal "$(wc -l <<<"$stderr")" 1
	assert_line "msictl_interrupts_total{device=\"$dev,noresize\",source=\"eventfd\",index=\"msix\",vector=\"0\"} 0"
	works release "$dev,noresize"
}

# fill - connect to the holder of $dev, which is stopped, until its queue is full; the sockets stay open
fill() {
	# shellcheck disable=SC2016
	perl -MSocket -MFcntl -e 'for (;;) { my $s; socket($s, AF_UNIX, SOCK_STREAM, 0) or die; push @s, $s;
			fcntl($s, F_SETFL, O_NONBLOCK); connect($s, pack_sockaddr_un($ARGV[0])) or last } $| = 1;
			print "full\n"; sleep 100' "$folder/$dev.sock" >"$BATS_TEST_TMPDIR/fill" 3>&- &
	bg+=("$!")
	until_true grep -q full "$BATS_TEST_TMPDIR/fill"
}

@test "a holder whose queue is full has its device still: nobody opens another one in its place" {
	works hold "$dev"
	works enable "$dev" msix 2
	stopped=$(holder)
	kill -STOP "$stopped"
	fill
	in_background counters "$dev"
	counters=$pid
	in_background run "$dev" -c counters
	running=$pid
	in_background watch --batch -n 1 "$dev"
	ended 5 "$counters"
	ended 5 "$running"
	ended 0
	grep -q 'counters: its holder does not answer, and many wait for it' "$BATS_TEST_TMPDIR/log.1.err"
	grep -q 'run: its holder does not answer, and many wait for it' "$BATS_TEST_TMPDIR/log.2.err"
	[[ ! -s $BATS_TEST_TMPDIR/log.1 && ! -s $BATS_TEST_TMPDIR/log.2 ]]
	kill -CONT "$stopped"
}

# says_well - a holder of $dev that says "well" to each command, and tells who connected to say nothing
says_well() {
	mkdir -p -m 700 "$folder"
	# shellcheck disable=SC2016
	perl -MSocket -e '$SIG{PIPE} = "IGNORE"; $| = 1;
		socket(L, AF_UNIX, SOCK_STREAM, 0) and bind(L, pack_sockaddr_un("$ARGV[0].new")) and listen(L, 8) or die;
		# whoever lists holders takes a name away that nobody listens to
		rename("$ARGV[0].new", $ARGV[0]) or die;
		print "ready\n";
		while (accept(S, L)) {
			print "nothing\n" if !sysread(S, my $asked, 65536);
			if ($asked !~ /@/) { (my $words = substr($asked, 12)) =~ tr/\0/ /; print "$words\n" }
			syswrite(S, pack("L2", 1, 5) . "well\n" . pack("L2C", 3, 1, 0)) if $asked !~ /@/;
			close(S);
		}' "$folder/$dev.sock" >"$BATS_TEST_TMPDIR/heard" 3>&- &
	bg+=("$!")
	until_true grep -q ready "$BATS_TEST_TMPDIR/heard"
}

@test "a command of run connects once" {
	says_well
	works run "$dev" -c 'enable msix 1; counters'
	assert_output $'well\nwell'
	kill -KILL "${bg[-1]}"
	until_true dead "${bg[-1]}"
	rm -f "$folder/$dev.sock"
	assert_equal "$(<"$BATS_TEST_TMPDIR/heard")" $'ready\n-c:1 enable msix 1 \n-c:1 counters '
}

@test "a holder gets the words as they were typed, without DEVICE" {
	says_well
	works --timeout 3s --js enable "$dev" --trace msix -- 1
	works --json --trace run "$dev" -c 'counters -o vector'
	kill -KILL "${bg[-1]}"
	until_true dead "${bg[-1]}"
	rm -f "$folder/$dev.sock"
	assert_equal "$(<"$BATS_TEST_TMPDIR/heard")" \
		$'ready\n --timeout 3s --js enable --trace msix -- 1 \n-c:1 counters -o vector '
}

@test "options in front of the command, behind it and of the session reach a holder" {
	works hold "$dev"
	works --timeout 3s --json enable "$dev" msix 2 --dry-run
	json '.dry_run == true'
	works -o vector -n counters "$dev"
	assert_output ''
	works enable "$dev" msix 2
	works -o vector -n counters "$dev"
	assert_output "$(printf '%6s\n' 0 1)"
	works --json --dry-run run "$dev" -c 'disable msix'
	json '.dry_run == true'
	works --color always --root / counters "$dev"
	# a holder's own
	ask "$BATS_TEST_TMPDIR/said" --noiommu --version --timeout nonsense counters
	until_true grep -aq LOOPBACK "$BATS_TEST_TMPDIR/said"
	ask "$BATS_TEST_TMPDIR/said" --json
	until_true grep -aq 'a command is missing' "$BATS_TEST_TMPDIR/said"
	works release "$dev"
}

# asked HOLDER - somebody has connected to it, whom it does not hear
asked() {
	(($(grep -cE "/$dev[.]sock\$" /proc/net/unix) > 1))
}

@test "a DEVICE with a long path has all of it, and of two the ends" {
	local long=$BATS_TEST_TMPDIR/a-folder-with-a-rather-long-name-for-the-sockets-of-one-machine n

	mkdir "$long"
	cd "$long"
	for n in 0 1; do
		mkfifo said
		"$MSICTL" simulate "$long/function.$n" msix=4 >said 2>&1 3>&- &
		bg+=($!)
		read -r -t 60 <said
		rm said
		works hold "vfio-user:$long/function.$n"
		works enable "vfio-user:$long/function.$n" msix 1
	done
	works --json watch "vfio-user:$long/function."{0,1} --iterations 1
	json --arg dev "vfio-user:$long/function." '(.vectors | map(.device)) == [$dev + "0", $dev + "1"] and
		(.vectors | map(.slot | .[-1:])) == ["0", "1"]'
	works counters --openmetrics "vfio-user:$long/function."{0,1}
	grep -Fq "device=\"vfio-user:$long/function.0\"" <<<"$output"
	grep -Fq "device=\"vfio-user:$long/function.1\"" <<<"$output"
	works release "vfio-user:$long/function."{0,1}
}
