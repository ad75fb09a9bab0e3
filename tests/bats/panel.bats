#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# live: what a person sees above the prompt, and that nothing below it is ever
# damaged. A terminal is driven and its screen is read. The device rings a
# second after its doorbell; its server is stopped meanwhile, so that a test
# decides what is on the screen when it does.

load ../helpers

setup() {
	local line

	export LC_ALL=C.UTF-8
	mkfifo "$BATS_TEST_TMPDIR/said"
	"$MSICTL" simulate "$BATS_TEST_TMPDIR/sock" msix=64,latency=1s >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- &
	server=$!
	read -r -t 60 line <"$BATS_TEST_TMPDIR/said"
	[[ $line == listening* ]] || fail "$line"
	# a prompt that is short, and always the same
	ln -s "$BATS_TEST_TMPDIR/sock" "$BATS_TEST_TMPDIR/s"
	device=vfio-user:s
}

teardown() {
	term_stop
	[[ $device == vfio-user:s || $device == sim* ]] || msictl release "$device" >/dev/null 2>&1 || true
	kill -CONT "$server" 2>/dev/null || true
	kill "$server" 2>/dev/null || true
}

# start COLUMNS LINES [TERM] - the shell on the device, in a terminal of exactly
# that size; an interactive shell is below it
start() {
	tmux -S "$BATS_TEST_TMPDIR/tmux" -f /dev/null new-session -d -x "$1" -y "$2" -c "$BATS_TEST_TMPDIR" \
		"exec env PS1='below> ' HISTFILE= TERM=${3-screen} bash --norc --noprofile -i" 3>&-
	term set -g status off
	resize "$1" "$2"
	term_expect '^below>$'
	enter "$MSICTL shell $device; echo \"status \$?\""
	term_expect "^$device>\$"
}

resize() {
	term resize-window -x "$1" -y "$2"
	until_true sized "$1x$2"
}

sized() {
	[[ $(term display-message -p '#{pane_width}x#{pane_height}') == "$1" ]]
}

enter() {
	term_type "$1"
	term_key Enter
}

visible() {
	term capture-pane -p | sed 's/ *$//'
}

# row N - a row of the screen, from 1
row() {
	visible | sed -n "$1p"
}

sees() {
	visible | grep -Eq -- "$1"
}

# see PATTERN - a row of the screen, former lines left out
see() {
	until_true sees "$1"
}

# The prompt is in the row of the cursor.
at_prompt() {
	[[ $(row $(($(term display-message -p '#{cursor_y}') + 1))) == vfio-user:s*'>' ]]
}

# panel ROWS - the rows of the panel, its rule is their last; there is one of it
panel() {
	local want="--- live off hides this -*"

	[[ $(row "$1") == $want ]] || fail "no rule in row $1: $(visible)"
	(($(visible | grep -c '^--- live off') == 1)) || fail "not one panel: $(visible)"
	assert_equal "$(margins)" "$1-$(($(term display-message -p '#{pane_height}') - 1))"
}

margins() {
	term display-message -p '#{scroll_region_upper}-#{scroll_region_lower}'
}

no_panel() {
	! sees '^--- live off' || fail "a panel: $(visible)"
	assert_equal "$(margins)" "0-$(($(term display-message -p '#{pane_height}') - 1))"
}

# doorbell VECTOR... - they ring when ring() says so
doorbell() {
	local vector line=

	for vector; do
		line+="write bar0 4 l $vector; "
	done
	enter "$line"
	until_true wrote "${line% }"
	kill -STOP "$server"
}

wrote() {
	[[ $(visible | grep -E '^vfio-user:s.*>' | tail -n 2 | tr -d '\n') == *"$1"*'>' ]]
}

ring() {
	kill -CONT "$server"
}

counts_so_far() {
	see "^msix  4 of 64 armed +$1 counted "
}

ready() {
	start "$@"
	enter 'enable msix 4'
	term_expect '^vfio-user:s msix 4>$'
	see '^msix  4 of 64 armed '
}

@test "80x24: an index, the busiest vectors, the prompt below" {
	start 80 24
	no_panel
	enter 'enable msix 4'
	term_expect '^vfio-user:s msix 4>$'
	see '^--- live off'
	panel 2
	enter 'trigger msix 0-2 --count 7'
	see '^msix 0  7  [0-9]+/s   msix 1  7  [0-9]+/s   msix 2  7  [0-9]+/s$'
	panel 3
	[[ $(row 1) =~ ^'msix  4 of 64 armed               21 counted '+[0-9]+'/s  last at '[0-9]{2}(:[0-9]{2}){2}$ ]] ||
		fail "$(row 1)"
	enter 'enable msix 64; trigger msix 0-63'
	see '^msix  64 of 64 armed +85 counted'
	# a third of the screen, no more
	panel 8
	enter 'disable msix'
	see '^msix  off +85 counted'
	term_key C-d
	term_expect '^status 0$'
	no_panel
}

@test "200x50: more of them side by side" {
	ready 200 50
	enter 'enable msix 64; trigger msix 0-63 --count 12'
	see '^msix  64 of 64 armed +768 counted'
	see '^msix 0   12 .*   msix 9   12 +[0-9]+/s$'
	panel 9
	# the figures of all of them
	assert_equal "$(visible | grep -oE 'msix [0-9]+ +12 +[0-9]+/s' | wc -l)" 64
}

@test "a line over several rows, changed in its middle while vectors count" {
	local x y

	printf -v x 'x%.0s' {1..70}
	printf -v y 'y%.0s' {1..80}
	ready 80 24
	doorbell 0
	term_type "read config 0 w # $x$y"
	see '^y{20,}$'
	ring
	counts_so_far 1
	until_true typed "vfio-user:s msix 4> read config 0 w # $x$y"
	panel 3
	# from its beginning on: the insertion moves all of it
	term_key Home
	term_type '  '
	until_true typed "vfio-user:s msix 4>   read config 0 w # $x$y"
	term_key End
	term_type ' end'
	until_true typed "vfio-user:s msix 4>   read config 0 w # $x$y end"
	term_key Enter
	see '^0x[0-9a-f]{4}$'
	panel 3
}

# typed TEXT - the line in the rows from the last prompt on
typed() {
	[[ $(visible | sed '/^$/d' | tail -n "$(((${#1} + 79) / 80))" | tr -d '\n') == "$1" ]]
}

@test "a line that ends at the right edge, at the bottom of the screen" {
	local x

	ready 80 24
	enter help
	term_expect '^help COMMAND tells more of one'
	until_true at_prompt
	doorbell 0
	printf -v x 'x%.0s' {1..60}
	term_type "$x"
	see "^vfio-user:s msix 4> $x\$"
	ring
	counts_so_far 1
	term_type AB
	see '^AB$'
	sees "^vfio-user:s msix 4> $x\$" || fail "$(visible)"
	term_key BSpace BSpace BSpace
	term_type C
	see "^vfio-user:s msix 4> ${x%x}C\$"
	assert_equal "$(term display-message -p '#{cursor_y}')" 23
	term_key C-u
	panel 3
}

@test "history search while vectors count" {
	ready 80 24
	enter 'read config 4 w'
	see '^0x[0-9a-f]{4}$'
	doorbell 1
	term_key C-r
	term_type 'config'
	see "^\(reverse-i-search\)\`config': read config 4 w\$"
	ring
	# the first count of all: the panel grows
	see '^msix 1  1 '
	panel 3
	assert_equal "$(visible | grep -c reverse-i-search)" 1
	term_type ' 4 w'
	see "^\(reverse-i-search\)\`config 4 w': read config 4 w\$"
	term_key C-e
	until_true searched
	assert_equal "$(visible | grep -c 'write bar0')" 1
	term_key Enter
	until_true answered 2
}

searched() {
	[[ $(visible | sed '/^$/d' | tail -n 1) == 'vfio-user:s msix 4> read config 4 w' ]]
}

# answered N - so many registers were read
answered() {
	(($(visible | grep -Ec '^0x[0-9a-f]{4}$') == $1))
}

@test "completion: the list stays, the line goes on below" {
	ready 80 24
	doorbell 2
	term_type 'trigger msix '
	term_key Tab Tab
	see '^0 +0-3 +1 +2 +3 +all +armed'
	ring
	counts_so_far 1
	sees '^0 +0-3 +1 +2 +3 +all +armed' || fail "$(visible)"
	assert_equal "$(visible | grep -c '^vfio-user:s msix 4> trigger msix$')" 2
	term_type '3'
	term_key Enter
	see 'triggered 3,'
	counts_so_far 2
	panel 3
}

@test "more candidates than the screen has rows" {
	start 80 24
	enter 'enable msix 64'
	term_expect '^vfio-user:s msix 64>$'
	enter 'live off'
	enter 'live on'
	term_type 'read config '
	term_type '0 w; trigger msix '
	term_key Tab Tab
	see '^vfio-user:s msix 64> read config 0 w; trigger msix$'
	see '^(0|1|armed) '
	panel 2
	term_type '63'
	term_key Enter
	see 'triggered 63,'
	panel 3
}

@test "Ctrl-L: the panel, the line, nothing else" {
	ready 80 24
	doorbell 0
	term_type 'read config 0'
	see '> read config 0$'
	term_key C-l
	until_true cleared 3
	ring
	see '^msix 0  1 '
	panel 3
	assert_equal "$(row 4)" 'vfio-user:s msix 4> read config 0'
	term_key Home C-l
	term_type ' '
	see '^vfio-user:s msix 4>  read config 0$'
	panel 3
	assert_equal "$(visible | grep -c .)" 4
}

# cleared N - so many rows are not empty
cleared() {
	(($(visible | grep -c .) == $1))
}

@test "much output: all of it is among the terminal's lines, the panel is not" {
	local former

	ready 80 24
	enter 'trigger msix 0'
	counts_so_far 1
	enter help
	until_true at_prompt
	see '^help COMMAND tells more'
	enter 'read config 0 w'
	see '^0x[0-9a-f]{4}$'
	panel 3
	former=$(term capture-pane -p -S - -E -1 | sed 's/ *$//')
	! grep -E '^--- live|armed +[0-9]+ counted' <<<"$former" || fail "a panel among: $former"
	# and nothing is missing
	assert_equal "$({ echo "$former"; visible | sed 1,3d; } | sed -n '/> help$/,/^help COMMAND/p' | sed 1d | md5sum)" \
		"$("$MSICTL" run sim -c help | sed 's/ *$//' | sed -n '1,/^help COMMAND/p' | md5sum)"
}

@test "another size, larger and smaller, while a line is typed" {
	ready 80 24
	enter 'trigger msix 0'
	counts_so_far 1
	term_type 'read config 0 w'
	see '^vfio-user:s msix 4> read config 0 w$'
	resize 120 40
	until_true settled 3 120
	see '^vfio-user:s msix 4> read config 0 w$'
	panel 3
	resize 60 15
	until_true settled 3 60
	see '^vfio-user:s msix 4> read config 0 w$'
	panel 3
	# what was said before is among the former lines
	on_screen 'msix: triggered 0, 1 time' || fail "$(screen)"
	term_key Enter
	see '^0x[0-9a-f]{4}$'
	panel 3
	# too small for it: lines again, and back
	resize 60 9
	until_true no_rule
	assert_equal "$(margins)" 0-8
	doorbell 2
	ring
	see '^[0-9:]{8}  msix 2 \+1 \(1\)$'
	resize 80 24
	enter ''
	counts_so_far 2
	# panels of former sizes may be among the former lines that are back
	until_true settled 3 80
	assert_equal "$(margins)" 3-23
}

# settled ROW COLUMNS - the panel is drawn for that size
settled() {
	[[ $(row "$1") =~ ^'--- live off hides this '-+$ ]] && ((${#BASH_REMATCH} == $2))
}

no_rule() {
	! sees '^--- live'
}

@test "Ctrl-Z and fg" {
	not_under_valgrind 'does not stop at SIGTSTP'
	ready 80 24
	doorbell 3
	term_type 'read con'
	see '> read con$'
	term_key C-z
	see '^\[1\]\+  Stopped'
	no_panel
	ring
	enter 'echo be""low'
	see '^below$'
	enter fg
	see '^msix 3  1 '
	panel 3
	see '^vfio-user:s msix 4> read con$'
	term_type 'fig 0 w'
	term_key Enter
	see '^0x[0-9a-f]{4}$'
	# of a command, too
	enter 'wait msix 1 --timeout 60'
	until_true running
	term_key C-z
	see '^\[1\]\+  Stopped'
	no_panel
	enter fg
	until_true running
	term_key C-c
	see 'wait: stopped by Interrupt'
	panel 3
}

# The line was taken: the cursor is on the next one, and no prompt is there.
running() {
	[[ $(term display-message -p '#{cursor_x}') == 0 ]]
}

@test "the end: margins and modes of the terminal as before" {
	local tty

	ready 80 24
	enter 'trigger msix 0'
	counts_so_far 1
	enter 'quit'
	see '^status 0$'
	no_panel
	enter 'seq 30'
	see '^30$'
	assert_equal "$(row 1)" 8

	enter "$MSICTL shell $device; echo \"status \$?\""
	see '^vfio-user:s>$'
	enter 'enable msix 4'
	see '^msix  4 of 64'
	term_type half
	see '> half$'
	kill -TERM "$(term_pid)"
	see '^status 1$'
	no_panel
	tty=$(term display-message -p '#{pane_tty}')
	enter 'cat'
	until_true cooked "$tty"
}

cooked() {
	[[ $(stty -a <"$1") == *' icanon '*' echo '* ]]
}

@test "Ctrl-C throws the line away and keeps the panel" {
	ready 80 24
	enter 'trigger msix 0'
	counts_so_far 1
	term_type 'half typed'
	see '> half typed$'
	term_key C-c
	see '^vfio-user:s msix 4> half typed\^C$'
	until_true at_prompt
	panel 3
}

@test "events have a time: err, and the end of the server" {
	ready 80 24
	enter 'enable err 1; trigger err 0'
	see '^err +1 of 1 armed +1 counted'
	see '^[0-9]{2}:[0-9]{2}:[0-9]{2}  err: signalled, 1 in all$'
	panel 4
	kill -KILL "$server"
	see '^[0-9:]{8}  the process that served the device is gone$'
	see '^[0-9:]{8} the process that served the device is gone; reopen'
	enter ''
	see '^vfio-user:s \(gone\)>'
}

@test "reopened: another device, which counts from 0" {
	ready 80 24
	enter 'trigger msix 0 --count 5'
	counts_so_far 5
	enter 'reopen; enable msix 4; trigger msix 1'
	counts_so_far 1
	panel 3
	! sees '^msix 0' || fail "$(visible)"
}

@test "watch takes the screen, and gives it back with the panel" {
	ready 80 24
	enter 'trigger msix 0 --count 5'
	counts_so_far 5
	enter 'watch -d 100ms'
	see 'q quits'
	no_panel
	term_key q
	see '^vfio-user:s msix 4>$'
	panel 3
	enter 'watch --batch --iterations 2 -d 100ms'
	until_true at_prompt
	panel 3
}

@test "what is typed while a command runs is for the prompt" {
	ready 80 24
	enter 'wait msix 1 --timeout 60'
	until_true running
	term_type 'read config'
	# it must not be read before its time: nothing is at work
	until_true asleep
	term_key C-c
	see 'wait: stopped by Interrupt'
}

# proc(5): the letter behind the name. Who looks again and again at what he must
# not read yet does not sleep at fifty looks in a row.
asleep() {
	local i stat

	for ((i = 0; i < 50; i++)); do
		stat=$(<"/proc/$(term_pid)/stat")
		[[ ${stat##*) } == S* ]] || return
	done
}

# waits without a time limit: the third argument behind the number of
# epoll_wait(2) is the number of events, the fourth the limit
rests() {
	local call

	read -ra call <"/proc/$(term_pid)/syscall"
	((${call[3]-0} == 64)) && [[ ${call[4]} =~ ^0x(f{8}){1,2}$ ]]
}

@test "while nothing comes no timer runs" {
	ready 80 24
	enter 'trigger msix 0-3 --count 3'
	counts_so_far 12
	until_true rests
	# which needs that the rates are those of silence
	see '^msix 0  3  0/s '
	doorbell 0
	ring
	counts_so_far 13
	until_true rests
	see '^msix 0  4  0/s '
}

@test "live on, off, and which" {
	ready 80 24
	enter 'live'
	see '^live is on$'
	enter 'live off'
	until_true no_rule
	no_panel
	enter 'live --json'
	see '^\{"live":false\}$'
	enter 'trigger msix 1'
	see '^[0-9:]{8}  msix 1 \+1 \(1\)$'
	enter 'live on'
	counts_so_far 1
	panel 3
	enter 'live of'
	see "live: .*\"of\""
	refused 1 'only the shell on a terminal' run sim -c live
}

@test "a terminal without a cursor that moves" {
	start 80 24 dumb
	enter 'live on'
	term_expect 'TERM is dumb$'
	enter 'enable msix 4; trigger msix 1'
	see '^[0-9:]{8}  msix 1 \+1 \(1\)$'
	no_panel
}

@test "reopened twice: the address of the first is no sign of it" {
	# its structs alone are allocated here, not those of a connection
	device=sim
	start 80 24 dumb
	enter reopen
	enter 'enable msix 4; trigger msix all; reopen; reopen'
	see "^$device>\$"
	enter 'enable msix 2; trigger msix 1'
	see '^[0-9:]{8}  msix 1 \+1 \(1\)$'
	term_key C-d
	see '^status 0$'
}

# hold_it - the device is held, and the shell in the terminal is its holder's caller
hold_it() {
	# the socket's path, for the folder of holders is one for all of a user
	device=vfio-user:$BATS_TEST_TMPDIR/s
	works hold "$device"
	works enable "$device" msix 4
	works trigger "$device" msix 1 --count 5
	tmux -S "$BATS_TEST_TMPDIR/tmux" -f /dev/null new-session -d -x 200 -y 50 \
		"export TERM=screen; $MSICTL shell $device; echo \"status \$?\"; exec cat" 3>&-
	term set -g status off
	resize 200 50
	term_expect '\(held\)>$'
}

@test "a device that is held: what others do to it is seen" {
	local count

	((EUID == 0)) || export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR
	hold_it
	counts_so_far 5
	see '^msix 1  5  0/s$'
	panel 3
	# when that was nobody knows
	[[ $(row 1) != *' last at '* ]] || fail "$(row 1)"
	term_type 'counters 1'
	works trigger "$device" msix 0-2 --count 2
	counts_so_far 11
	see '^msix 0  2  [0-9]+/s   msix 1  7  [0-9]+/s   msix 2  2  [0-9]+/s$'
	[[ $(row 1) == *' last at '* ]] || fail "$(row 1)"
	works disable "$device" msix
	see '^msix  off +11 counted'
	until_true rests
	term_key Enter
	see '^msix +1  .* 7 '
	enter 'reopen; enable msix 2; trigger msix 0'
	see '^msix  2 of 64 armed +1 counted'
	# counted in between, the next one has the address of the last but one
	for count in 2 3 4; do
		enter "reopen; reopen; enable msix 2; trigger msix 0 --count $count"
		see "^msix  2 of 64 armed +$count counted"
	done
	works release "$device"
	see '^[0-9:]{8}  the holder has let the device go$'
	enter 'counters'
	see 'nobody holds it'
	works hold "$device"
	works enable "$device" msix 3
	works trigger "$device" msix 2
	enter ''
	see '^msix  3 of 64 armed +1 counted'
	term_key C-d
	see '^status 0$'
	no_panel
	works release "$device"
}

@test "only a holder feeds" {
	refused 2 'only a holder' run sim -c __feed
}
