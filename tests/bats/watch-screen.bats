#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# watch on a terminal: what is painted, and how the terminal is left.

load ../watch

# big_term COLUMNS LINES WORD...
big_term() {
	term_start "${@:3}"
	term resize-window -x "$1" -y "$2"
}

@test "a screen of 80x24: the busiest first, no line is broken, q restores" {
	big_term 80 24 run sim:msix=64 -c \
		'enable msix 64; trigger msix 0-39; trigger msix 50 --count 9; watch -d 200ms --iterations 100'
	term_expect 'q quits'
	term_key c
	term_expect '^msix +50 .* 9 '
	(($(screen | wc -l) <= 24)) || fail "$(screen)"
	on_screen '^[0-9]+ more, [0-9]+ of them quiet$'
	on_screen '^23 silent: msix 40-49,51-63$'
	assert_equal "$(screen | sed -n 3p | awk '{ print $2 }')" 50
	term_key q
	term_ended 0
	! on_screen 'q quits' || fail "$(screen)"
	on_screen '^msix: triggered 50, 9 times'
}

@test "a screen of 200x50: all columns, and a smaller one while it runs" {
	big_term 200 50 --root "$roots/intel-remap.capture" watch 03:00.0 05:00.0 -d 200ms
	term_expect '^DEVICE .*TREND +MARK +IRQ +CPUS +CPU$'
	term_expect '^05:00\.0 +msix +2 .* 33 +1 +[01]$'
	term resize-window -x 60 -y 6
	term_expect '^[0-9]+ more, '
	(($(term capture-pane -p | grep -c .) <= 6)) || fail "$(screen)"
	term_key C-c
	term_ended 0
}

@test "a terminal that grows: all rows have their place again" {
	big_term 60 6 --root "$roots/intel-remap.capture" watch 03:00.0 05:00.0 -d 60s
	term_expect '^[0-9]+ more, '
	term resize-window -x 130 -y 30
	term_expect '^DEVICE .*TREND +MARK +IRQ +CPUS +CPU$'
	on_screen '^05:00\.0 +msix +2 ' || fail "$(screen)"
	! on_screen '^[0-9]+ more, ' || fail "$(screen)"
	term_key q
	term_ended 0
}

# modes_of_term - those that a screen changes
modes_of_term() {
	stty -a <"$(term display-message -p '#{pane_tty}')" | grep -oE -- '-?(icanon|echo)\b' | sort -u
}

modes_are() {
	[[ $(modes_of_term) == "$1" ]]
}

@test "Ctrl-Z gives the terminal back, fg paints anew; so does a stop that nobody announced" {
	not_under_valgrind 'does not stop at SIGTSTP'
	tmux -S "$BATS_TEST_TMPDIR/tmux" -f /dev/null new-session -d -x 100 -y 40 \
		"TERM=screen PS1='shell> ' exec bash --norc --noprofile -i" 3>&-
	term_expect '^shell>'
	# nothing is painted of its own accord
	term_type "$MSICTL --root $roots/intel-remap.capture watch 03:00.0 -d 60s; echo ended with \$?"
	term_key Enter
	term_expect 'q quits'
	assert_equal "$(modes_of_term)" $'-echo\n-icanon'
	term_key C-z
	term_expect 'Stopped'
	! on_screen 'q quits' || fail "$(screen)"
	term_type 'stty sane; echo in between'
	term_key Enter
	term_expect '^in between$'
	term_type fg
	term_key Enter
	term_expect 'q quits'
	assert_equal "$(modes_of_term)" $'-echo\n-icanon'
	# SIGSTOP can't be heard, SIGCONT can
	kill -STOP "$(term_pid)"
	term_expect 'Stopped'
	term_type clear
	term_key Enter
	term_expect '^shell>'
	term_type fg
	term_key Enter
	term_expect 'q quits'
	until_true modes_are $'-echo\n-icanon'
	term_key q
	term_expect '^ended with'
}

@test "continued in the background nothing is painted on the shell's terminal" {
	not_under_valgrind 'does not stop at SIGTSTP'
	grow
	tmux -S "$BATS_TEST_TMPDIR/tmux" -f /dev/null new-session -d -x 100 -y 40 \
		"TERM=screen PS1='shell> ' exec bash --norc --noprofile -i" 3>&-
	term_expect '^shell>'
	term_type "$MSICTL --root $tree watch 03:00.0 -d 100ms --openmetrics $BATS_TEST_TMPDIR/page"
	term_key Enter
	term_expect 'q quits'
	term_key C-z
	term_expect 'Stopped'
	term_type bg
	term_key Enter
	counts 34 31,0
	until_true grep -q 'irq="34"} 31$' "$BATS_TEST_TMPDIR/page"
	! on_screen 'q quits' || fail "$(screen)"
	term_type fg
	term_key Enter
	term_expect 'q quits'
	term_key q
	until_true on_screen '^shell>$'
	term_type 'echo ended with $?'
	term_key Enter
	term_expect '^ended with 0$'
}

@test "begun in the background: nothing on the shell's terminal, until fg; SIGTERM ends it" {
	not_under_valgrind 'does not stop at SIGTSTP'
	grow
	tmux -S "$BATS_TEST_TMPDIR/tmux" -f /dev/null new-session -d -x 100 -y 40 \
		"TERM=screen PS1='shell> ' exec bash --norc --noprofile -i" 3>&-
	term_expect '^shell>'
	term_type "$MSICTL --root $tree watch 03:00.0 -d 100ms --openmetrics $BATS_TEST_TMPDIR/page &"
	term_key Enter
	# it looks, and does not stop
	until_true grep -qs 'irq="34"' "$BATS_TEST_TMPDIR/page"
	counts 34 31,0
	until_true grep -q 'irq="34"} 31$' "$BATS_TEST_TMPDIR/page"
	! on_screen 'q quits' || fail "$(screen)"
	assert_equal "$(term display-message -p '#{alternate_on} #{cursor_flag}')" '0 1'
	term_type 'kill %1; wait %1; echo ended with $?'
	term_key Enter
	term_expect '^ended with 0$'
	term_type "$MSICTL --root $tree watch 03:00.0 -d 100ms --openmetrics $BATS_TEST_TMPDIR/page2 &"
	term_key Enter
	until_true grep -qs 'irq="34"' "$BATS_TEST_TMPDIR/page2"
	term_type fg
	term_key Enter
	term_expect 'q quits'
	term_key q
	until_true on_screen '^shell>$'
	# not those that the shell has at its prompt, where watch began
	term_type 'echo left with $? $(stty -a | grep -Eow -- "-?(icanon|echo)")'
	term_key Enter
	term_expect '^left with 0 icanon echo$'
}

@test "80 columns, several devices, large numbers: what comes and its mark are not cut off" {
	grow
	counts 34 1,0
	counts 31 4000000000,0
	big_term 80 24 --root "$tree" watch 03:00.0 05:00.0 -d 3s --storm 1000
	term_expect '^05:00\.0 +msix +0 +4000000000 '
	counts 31 4000300000,0
	term_expect '^05:00\.0 +msix +0 +4000300000 .* [^ ]+ +storm( |$)'
	term_expect '^DEVICE .* TREND +MARK'
	# until it has been silent for long enough
	term_expect '^03:00\.0 +msix +0 +1 .* once( |$)'
	term_key q
	term_ended 0
}

@test "SIGTERM leaves the terminal as it was" {
	local modes tty

	term_start --root "$roots/intel-remap.capture" watch 03:00.0 -d 200ms
	term_expect 'q quits'
	tty=$(term display-message -p '#{pane_tty}')
	modes=$(stty -a <"$tty" | grep -oE -- '-?(icanon|echo)\b' | sort -u)
	assert_equal "$modes" $'-echo\n-icanon'
	kill -TERM "$(term_pid)"
	term_ended 0
	modes=$(stty -a <"$tty" | grep -oE -- '-?(icanon|echo)\b' | sort -u)
	assert_equal "$modes" $'echo\nicanon'
	! on_screen 'q quits' || fail "$(screen)"
}

@test "no screen for a terminal that can't be painted on, nor with --batch" {
	term_start --root "$roots/intel-remap.capture" watch 03:00.0 --batch --iterations 2 -d 100ms
	term_ended 0
	on_screen '^[0-9:]+  03:00\.0  3 vectors, 0 active  0\.0/s$'
}

@test "in the shell, and the prompt again" {
	term_start shell sim:msix=8
	term_expect '8>$'
	term_type 'enable msix 4; trigger msix 0; watch -d 100ms'
	term_key Enter
	term_expect 'q quits'
	term_expect '^3 silent: msix 1-3$'
	term_key q
	term_expect 'msix 4>$'
	term_type 'counters 0'
	term_key Enter
	term_expect '^msix +0  armed'
}
