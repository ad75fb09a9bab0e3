#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Where results go, how they look, and what happens when they cannot go there.

load ../helpers

tree=$tests/root/intel-remap.capture

teardown() {
	term_stop
}

@test "columns: chosen, added, without headings; their order is the user's" {
	works --root "$tree" -o COUNT,device list
	assert_line --index 0 --regexp '^COUNT +DEVICE$'
	assert_line --index 8 --regexp '^ +0 +01:00\.0$'
	works --root "$tree" -n -o +ID list
	assert_line --index 7 --regexp '^01:00\.0 .* 1033:0194$'
	refute_line --partial DEVICE
	works list --root "$tree" --noheadings --output irqs,armed
	assert_line --index 7 --regexp '^ +4 +4$'
	refused 2 '--output: "NOPE" is no column' --root "$tree" -o DEVICE,NOPE list
	hinted 'the columns are DEVICE,NAME,DRIVER'
	refused 2 '--output' --root "$tree" -o '' list
	refused 2 '--output: .* has no columns' -o DEVICE help
}

@test "JSON: chosen columns, numbers as numbers, one object on one line" {
	works --root "$tree" --json -o count,driver list
	json '.devices | length == 13 and all(keys == ["count","driver"]) and .[9] == {"count":34,"driver":"e1000e"}'
	works --root "$tree" -J info 04:00.0
	json '.vectors[0] | (.irq | type == "number") and (.count | type == "number") and (.vector | type == "number")'
	works --json --version
	json '.version | type == "string"'
	json '.backends | map(.name) | index("vfio") != null'
	works --json help
	json '.commands | map(.command) | index("list") != null and index("probe") != null'
}

@test "notes go to stderr, results to stdout" {
	works --root "$tree" counters 02:00.0
	assert_equal "$output" ''
	noted 'no Linux IRQ'
	works --root "$tree" list
	assert_equal "$stderr" ''
}

@test "a full disk is a failure" {
	for words in list 'info 04:00.0' 'counters 04:00.0' probe '--json list' --version help 'help --man' '__complete -- l'; do
		# shellcheck disable=SC2086
		run -1 bash -c '"$MSICTL" --root "$1" '"$words"' 2>&1 >/dev/full' - "$tree"
		assert_output --regexp '^msictl: .*\(ENOSPC\)'
	done
}

@test "a reader that went away is a failure, not a signal" {
	run -1 bash -c 'exec 5> >(exec true); wait $!; "$MSICTL" --root "$1" list 2>&1 >&5' - "$tree"
	assert_output --regexp '^msictl: .*\(EPIPE\)$'
}

@test "closed descriptors: nothing is written into what is opened later" {
	not_under_valgrind 'takes closed descriptors for itself'
	run -1 bash -c '"$MSICTL" --root "$1" list >&- 2>"$2/err"' - "$tree" "$BATS_TEST_TMPDIR"
	grep -q '^msictl: .*EBADF' "$BATS_TEST_TMPDIR/err"
	run -0 bash -c '"$MSICTL" --root "$1" -n -o device list 2>&- <&-' - "$tree"
	assert_line 01:00.0
	run -3 bash -c '"$MSICTL" --root "$1" info 7f:00.0 2>&- >&- <&-' - "$tree"
}

# what - the words of an emphasised line, if any
emphasised() {
	grep -q $'\e\\[1m' <<<"$output"
}

@test "colour: on a terminal only, unless NO_COLOR or --color say otherwise" {
	works --root "$tree" info 04:00.0
	run -1 emphasised
	works --root "$tree" --color always probe
	emphasised
	works --root "$tree" --color never probe
	run -1 emphasised
	NO_COLOR=1 works --root "$tree" --color always probe
	emphasised

	term_start --root "$tree" probe
	term_ended 0
	term capture-pane -p -e -S - >"$BATS_TEST_TMPDIR/screen"
	grep -q $'\e\\[1m' "$BATS_TEST_TMPDIR/screen"
}

@test "colour: NO_COLOR on a terminal" {
	NO_COLOR=1 term_start --root "$tree" probe
	term_ended 0
	run -1 grep $'\e\\[1m' <(term capture-pane -p -e -S -)
}

@test "--version and --help everywhere, and help for every command" {
	works --version
	assert_line --index 0 --regexp '^msictl [0-9.]+$'
	works help
	local word words
	words=$(msictl --json help | jq -r '.commands[].command')
	for word in $words; do
		works help "$word"
		assert_line --index 0 --regexp "^usage: msictl $word"
		assert_line --regexp '^  0  done$'
		local text=$output
		works "$word" --help
		assert_equal "$output" "$text"
	done
	# 80 columns are enough for all of it
	works help --man
	assert_output --partial '.SH COMMANDS'
}

@test "a broken locale changes nothing" {
	LC_ALL=tr_TR.UTF-8 works --root "$tree" --json probe
	local turkish=$output
	LC_ALL=C works --root "$tree" --json probe
	assert_equal "$output" "$turkish"
}

# A program that never ends takes no SIGTERM either.
@test "a locale without the letters of a name: their bytes are shown, and the table ends" {
	local locale words names=$BATS_TEST_TMPDIR/names.capture

	sed $'s/nvme/nvm\xc3\xa4/; s/e1000e/e\xff/' "$tree" >"$names"
	for locale in C xx_NONE; do
		for words in "list -o driver" "info 05:00.0" "watch --batch --iterations 1"; do
			# shellcheck disable=SC2086
			LC_ALL=$locale run --separate-stderr timeout -s KILL 60 "$MSICTL" --root "$names" $words
			assert_equal "$status" 0
			assert_output --partial 'nvm\xc3\xa4'
		done
	done
	LC_ALL=C.UTF-8 works --root "$names" -o driver list
	assert_line 'nvmä'
	assert_line 'e\xff'
}
