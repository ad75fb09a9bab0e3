#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# watch of devices that are held, and commands of callers at a terminal: what is
# typed there is about the command, never about the holder.

load ../hold

hold_teardown() {
	term_stop
	# who is stopped does not release anything
	[[ ! ${stopped-} ]] || kill -CONT "$stopped" 2>/dev/null || true
}

# stty_of_term - the modes that a screen changes
stty_of_term() {
	stty -a <"$(term display-message -p '#{pane_tty}')" | grep -oE -- '-?(icanon|echo)\b' | sort -u
}

@test "on a terminal: painted in place, keys sort, Ctrl-C ends it with 0 and leaves the terminal as it was" {
	works hold "$dev"
	works enable "$dev" msix 8
	works trigger "$dev" msix 0-2
	term_start watch "$dev" -d 100ms
	term_expect 'q quits'
	term_expect '^5 silent: msix 3-7$'
	works trigger "$dev" msix 5 --count 9
	term_expect '^msix +5 +9 '
	term_key c
	until_true first_row 5
	# nothing runs at the holder in between
	until_true callers 0
	term_key C-c
	term_ended 0
	assert_equal "$(stty_of_term)" $'echo\nicanon'
	! on_screen 'q quits' || fail "$(screen)"
	works trigger "$dev" msix 0
}

first_row() {
	[[ $(screen | sed -n 3p | awk '{ print $2 }') == "$1" ]]
}

@test "an attached shell has the same screen, and then its prompt again" {
	works hold "$dev"
	works enable "$dev" msix 4
	term_start shell "$dev"
	term_expect '>$'
	term_type 'trigger msix 3; watch -d 100ms'
	term_key Enter
	term_expect 'q quits'
	term_expect '^msix +3 +1 '
	term_key C-c
	until_true on_screen '>$'
	term_type 'counters 3'
	term_key Enter
	term_expect '^msix +3  armed'
	term_key C-d
	term_ended 0
	held
}

@test "several: their vectors beside each other; one that is released is told of, the other goes on" {
	works hold "$dev"
	works hold "$dev,noresize"
	works enable "$dev" msix 2
	works enable "$dev,noresize" msix 3
	in_background --json watch "$dev" "$dev,noresize" "$dev" -d 100ms
	until_true test -s "$log"
	works trigger "$dev,noresize" msix 0-2 --count 4
	works release "$dev"
	until_true said "$log" '.missing == [$dev] and (.vectors | map([.device, .count]) |
		. == ([[$dev + ",noresize", 4]] | . + . + .))'
	kill -TERM "$pid"
	ended 0
	# whoever looks at the page reads it, too
	works hold "$dev"
	in_background watch "$dev" "$dev,noresize" -d 100ms --batch
	until_true test -s "$log"
	works release "$dev"
	until_true grep -qx "$dev is held no more" "$log"
	works hold "$dev"
	works enable "$dev" msix 1
	works trigger "$dev" msix 0 --count 7
	until_true grep -Eq "^$dev +msix +0 +7 " "$log"
	kill -TERM "$pid"
	ended 0
	works release "$dev,noresize"
}

@test "reopened by somebody while it is watched: the watch goes on, and counts from 0" {
	works hold "$dev"
	works enable "$dev" msix 2
	works trigger "$dev" msix 1 --count 9
	in_background --json watch "$dev" -d 100ms
	until_true said "$log" 'any(.vectors[]; .vector == 1 and .count == 9)'
	works run "$dev" -c 'reopen; enable msix 4; trigger msix 3 --count 2'
	until_true said "$log" '.vectors | map([.vector, .count]) == [[0, 0], [1, 0], [2, 0], [3, 2]]'
	kill -TERM "$pid"
	ended 0
}

# refreshed N
refreshed() {
	(($(wc -l <"$log") >= $1))
}

# said FILE FILTER - some line of JSON
said() {
	jq -es --arg dev "$dev" "any(.[]; $2)" "$1" >/dev/null
}

@test "released while it is watched alone: 3, nobody holds it" {
	works hold "$dev"
	works enable "$dev" msix 2
	in_background --json watch "$dev" -d 100ms
	until_true test -s "$log"
	works release "$dev"
	ended 3
	tail -n 1 "$log" | jq -e '.error.cause == "no-device"'
}

@test "the simulation is gone, the holder stays: said with what to do" {
	works hold --keep "$dev"
	kill -KILL "$(pgrep -P "$(holder)")"
	until_true closed
	refused 3 'the process that served the device is gone' watch "$dev" --iterations 1
	hinted "msictl run $dev -c reopen"
}

closed() {
	[[ $(msictl --json holders | jq --arg dev "$dev" '.holders[] | select(.device == $dev).open') == false ]]
}

@test "a holder that does not answer: its row says so, the others go on, Ctrl-C is heard" {
	works hold "$dev"
	works hold "$dev,noresize"
	works enable "$dev" msix 2
	works enable "$dev,noresize" msix 2
	term_start watch "$dev" "$dev,noresize" -d 100ms
	term_expect 'q quits'
	stopped=$(holder)
	kill -STOP "$stopped"
	term_expect "^$dev: its holder does not answer$"
	works trigger "$dev,noresize" msix 1 --count 5
	term_expect '^.*noresize +msix +1 +5 '
	kill -CONT "$stopped"
	works trigger "$dev" msix 0 --count 6
	term_expect '^sim:.*8 +msix +0 +6 '
	term_key C-c
	term_ended 0
	works release "$dev,noresize"

	term_stop
	rm "$BATS_TEST_TMPDIR/status"
	term_start watch "$dev" -d 100ms
	term_expect 'q quits'
	kill -STOP "$stopped"
	term_expect "^$dev: its holder does not answer$"
	term_key C-c
	term_ended 0
	kill -CONT "$stopped"
}

# sockets - of the holder of $dev: the one it listens by, and those that connected
sockets() {
	grep -cE "/$dev[.]sock\$" /proc/net/unix
}

@test "a holder that does not answer is asked once, not at each refresh" {
	local before

	works hold "$dev"
	works hold "$dev,noresize"
	works enable "$dev" msix 1
	stopped=$(holder)
	kill -STOP "$stopped"
	in_background --json watch "$dev" "$dev,noresize" -d 100ms
	until_true refreshed 2
	before=$(sockets)
	until_true refreshed 12
	assert_equal "$(sockets)" "$before"
	kill -TERM "$pid"
	ended 0
	jq -es --arg dev "$dev" 'all(.[]; .missing == [$dev])' "$log" >/dev/null || fail "$(tail -n 1 "$log")"
	in_background --json watch "$dev" -d 100ms
	until_true test -s "$log"
	# what a question that waits is answered with
	kill -CONT "$stopped"
	until_true said "$log" '.missing == [] and (.vectors | length == 1)'
	kill -TERM "$pid"
	ended 0
	works release "$dev,noresize"
}

@test "VECTORS, and a page of counters in the watcher's own folder" {
	works hold "$dev"
	works enable "$dev" msix 4
	works trigger "$dev" msix 1-2 --count 3
	works wait "$dev" msix 1-2 --at-least 3
	cd "$BATS_TEST_TMPDIR"
	works --json watch "$dev" 1,3 --iterations 1 --openmetrics page
	json '.vectors | map([.vector, .count]) == [[1, 3], [3, 0]]'
	grep -q 'index="msix",vector="1".* 3$' page
	works run "$dev" -c 'watch 2 --iterations 1'
	assert_line --regexp '^msix +2 +3 '
}

@test "VECTORS that the held device does not have, and a page of several" {
	works hold "$dev"
	works hold "$dev,noresize"
	works enable "$dev" msix 2
	works enable "$dev,noresize" msix 1
	works trigger "$dev,noresize" msix 0 --count 5
	works wait "$dev,noresize" msix 0 --at-least 5
	refused 2 "vectors 0-$((vectors - 1)), $vectors is beyond" watch "$dev" "$vectors" -n 1
	works counters "$dev" "$dev,noresize" --openmetrics
	assert_equal "$stderr" ''
	assert_equal "$(grep -c '^# TYPE' <<<"$output")" 1
	assert_line "msictl_interrupts_total{device=\"$dev\",source=\"eventfd\",index=\"msix\",vector=\"1\"} 0"
	assert_line "msictl_interrupts_total{device=\"$dev,noresize\",source=\"eventfd\",index=\"msix\",vector=\"0\"} 5"
	works release "$dev,noresize"
}

@test "Ctrl-C at a terminal ends the caller's command, the holder goes on" {
	local holder

	works hold "$dev"
	holder=$(holder)
	works enable "$dev" msix 2
	term_start wait "$dev" msix 0 --timeout 90s
	until_true callers 1
	term_key C-c
	term_ended 1
	term_expect 'stopped by Interrupt'
	until_true callers 0
	assert_equal "$(holder)" "$holder"
	works trigger "$dev" msix 0
	works wait "$dev" msix 0
}

@test "the terminal of a caller is closed: its command ends" {
	works hold "$dev"
	works enable "$dev" msix 2
	term_start trigger "$dev" msix 1 --count 1000000 --rate 100
	until_true callers 1
	term_stop
	until_true callers 0
	works trigger "$dev" msix 0
	works wait "$dev" msix 0
}
