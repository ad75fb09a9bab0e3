#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# shell: which history file and which key bindings are used, and which are not.

load ../helpers

setup() {
	history=$XDG_STATE_HOME/msictl/history
	mkdir -p "$XDG_STATE_HOME/msictl"
}

teardown() {
	term_stop
	! mountpoint -q "$BATS_TEST_TMPDIR/full" || umount "$BATS_TEST_TMPDIR/full"
}

# prompted - the shell has a prompt, and its commands work
prompted() {
	term_start shell sim:msix=8
	term_expect '^sim:msix=8>$'
	term_type 'enable msix 2'
	term_key Enter
	term_expect '^msix: 2 armed of 8'
}

# left - Ctrl-D ends it
left() {
	term_key C-d
	term_ended 0
}

# without_history PATTERN - the shell says so, once, and goes on
without_history() {
	prompted
	term_expect "$1"
	left
	assert_equal "$(screen | grep -c 'history')" 1
}

@test "a FIFO as history file: the shell goes on without history" {
	mkfifo "$history"
	without_history '^msictl: no history: .*/history: it is not a regular file$'
	[[ -p $history ]]
}

@test "a symbolic link as history file is neither read, written nor replaced" {
	echo 'secret' >"$BATS_TEST_TMPDIR/other"
	ln -s "$BATS_TEST_TMPDIR/other" "$history"
	without_history '^msictl: no history: .*/history: it is a symbolic link$'
	assert_equal "$(<"$BATS_TEST_TMPDIR/other")" secret
	[[ -L $history ]]
}

@test "root with the HOME of another user: nothing in it is read, written or made" {
	((EUID == 0)) || skip 'needs root to become another user'
	export HOME=$BATS_TEST_TMPDIR/home XDG_STATE_HOME=
	mkdir -p "$HOME/.local" "$BATS_TEST_TMPDIR/roots/msictl"
	echo 'precious' >"$BATS_TEST_TMPDIR/roots/msictl/history"
	ln -s "$BATS_TEST_TMPDIR/roots" "$HOME/.local/state"
	mkfifo "$HOME/.inputrc"
	chown -Rh 65534:65534 "$HOME"
	prompted
	term_expect "^msictl: no history: $HOME: it belongs to another user$"
	term_expect "^msictl: no key bindings: $HOME: it belongs to another user$"
	left
	assert_equal "$(cat "$BATS_TEST_TMPDIR"/roots/msictl/*)" precious
}

@test "root: a link of another user in root's own folder, a history of another user" {
	((EUID == 0)) || skip 'needs root to become another user'
	mkdir -p "$BATS_TEST_TMPDIR/roots/msictl" "$BATS_TEST_TMPDIR/shared"
	ln -s "$BATS_TEST_TMPDIR/roots" "$BATS_TEST_TMPDIR/shared/link"
	chown -h 65534 "$BATS_TEST_TMPDIR/shared/link"
	XDG_STATE_HOME=$BATS_TEST_TMPDIR/shared/link without_history '/shared/link: it belongs to another user$'
	[[ ! -e $BATS_TEST_TMPDIR/roots/msictl/history ]]
	term_stop
	rm "$BATS_TEST_TMPDIR/status"
	echo 'disable msix' >"$history"
	chown 65534 "$history"
	without_history '/history: it belongs to another user$'
	assert_equal "$(<"$history")" 'disable msix'
}

@test "a FIFO as inputrc does not hold the shell up; a file is read" {
	export INPUTRC=$BATS_TEST_TMPDIR/inputrc
	mkfifo "$INPUTRC"
	prompted
	term_expect '^msictl: no key bindings: .*/inputrc: it is not a regular file$'
	left
	term_stop
	rm "$BATS_TEST_TMPDIR/status" "$INPUTRC"
	echo '"\C-o": "help resize"' >"$INPUTRC"
	prompted
	term_key C-o Enter
	term_expect '^usage: resize INDEX COUNT'
	left
	! on_screen 'key bindings'
}

@test "a folder with a long path keeps its history in that folder" {
	local part

	printf -v part '%0200d' 0
	XDG_STATE_HOME=$BATS_TEST_TMPDIR/$part/$part/$part
	prompted
	left
	assert_equal "$(<"$XDG_STATE_HOME/msictl/history")" 'enable msix 2'
}

@test "a large history: its end is read, a limited number of lines is kept, the file is private" {
	seq -f 'help %.0f' 300000 >"$history"
	prompted
	term_key Up Up
	term_expect '> help 300000$'
	term_key C-c
	left
	assert_equal "$(wc -l <"$history")" 1000
	assert_equal "$(head -n 1 "$history")" 'help 299002'
	assert_equal "$(tail -n 1 "$history")" 'enable msix 2'
	assert_equal "$(stat -c %a "$history")" 600
}

@test "a history that can't be written stays whole" {
	((EUID == 0)) || skip 'needs root to mount'
	mkdir "$BATS_TEST_TMPDIR/full"
	mount -t tmpfs -o size=64k,nr_inodes=64 tmpfs "$BATS_TEST_TMPDIR/full" || skip 'needs to mount'
	XDG_STATE_HOME=$BATS_TEST_TMPDIR/full
	mkdir "$XDG_STATE_HOME/msictl"
	history=$XDG_STATE_HOME/msictl/history
	seq -f 'help %.0f' 100 >"$history"
	cat /dev/zero >"$XDG_STATE_HOME/filler" 2>/dev/null || true
	prompted
	left
	term_expect '^msictl: the history could not be kept: .*/history: No space left on device$'
	assert_equal "$(ls "$XDG_STATE_HOME/msictl")" history
	assert_equal "$(wc -l <"$history")" 100
}
