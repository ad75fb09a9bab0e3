#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Trees made to break a reader: tests/root/make-hostile says what is in them.

load ../helpers

setup_file() {
	sh "$tests/root/make-hostile" "$BATS_FILE_TMPDIR/trees"
}

setup() {
	trees=$BATS_FILE_TMPDIR/trees
}

# info TREE FUNCTION - in JSON
info() {
	works --root "$trees/$1" --json info "0000:00:$2"
}

# sound STATUS FILE... - ended by itself and printed nothing that acts on a
# terminal, nothing of the outside, nothing without end
sound() {
	(($1 <= 3)) || fail "ended with $1: $(head -c 2000 "${@:2}")"
	iconv -f UTF-8 -t UTF-16 "${@:2}" >/dev/null || fail "no UTF-8: $(cat -A "${@:2}" | head -n 20)"
	! LC_ALL=C.UTF-8 grep -Pq '[\x00-\x08\x0b-\x1f\x7f-\x9f]' "${@:2}" ||
		fail "control characters: $(cat -A "${@:2}" | head -n 20)"
	! grep -aiqE 'escaped|e5ca|root:x:' "${@:2}" || fail "from the outside: $(grep -aiE 'escaped|e5ca|root:x:' "${@:2}")"
	(($(wc -c <"$2") < 1000000)) || fail 'without end'
}

# try TREE WORD... - in words and in JSON; the limit is for what never ends
try() {
	local status=0

	timeout -k 1 "${patience:-90}" "$MSICTL" --root "$trees/$1" "${@:2}" >"$out" 2>"$err" || status=$?
	sound "$status" "$out" "$err"
	status=0
	timeout -k 1 "${patience:-90}" "$MSICTL" --json --root "$trees/$1" "${@:2}" >"$out" 2>"$err" || status=$?
	sound "$status" "$out" "$err"
	jq -e 'type == "object"' <"$out" >/dev/null || fail "no JSON: $(<"$out")"
	[[ $(wc -l <"$out") == 1 ]]
}

@test "everything of every hostile tree: an end, words, and JSON" {
	local tree bdf
	out=$BATS_TEST_TMPDIR/out err=$BATS_TEST_TMPDIR/err
	[[ ! ${MSICTL_UNDER_VALGRIND-} ]] || patience=120
	for tree in empty cyclic truncated garbage escape huge control fifo; do
		try "$tree" list
		try "$tree" probe
		for bdf in $(find "$trees/$tree/sys/bus/pci/devices" -mindepth 1 -printf '%f\n' 2>/dev/null | grep -E '^[0-9a-f:.]+$'); do
			try "$tree" info "$bdf"
			try "$tree" counters "$bdf"
			try "$tree" probe "$bdf"
		done
	done
}

@test "empty: no bus, no function" {
	refused 3 'there is no PCI bus to look at: /sys/bus/pci/devices cannot be opened \(ENOENT\)' --root "$trees/empty" list
	refused 3 'there is no PCI function 0000:00:01\.0 \(ENODEV\)' --root "$trees/empty" info 00:01.0
	works --root "$trees/empty" --json probe
	json '.multivector == "unknown"'
}

@test "cyclic: the capabilities before the circle are shown, and that it is one" {
	info cyclic 01.0
	json '.capabilities_problem == "the capability list runs in a circle" and
		.capabilities.msi.maximum == 16 and .capabilities.msix.maximum == 65'
	noted '^the capability list runs in a circle$'
	info cyclic 02.0
	json '.capabilities_problem | test("circle")'
	for device in 03.0 04.0; do
		info cyclic "$device"
		json '.capabilities_problem == "a capability pointer leads into the header or to no capability"'
	done
	info cyclic 09.0 # the status register says that there is no list
	json '.capabilities_problem == null and .capabilities.msi == null'
	info cyclic 0a.0 # the first of each kind counts
	json '.capabilities_problem == null and .capabilities.msi.maximum == 16 and .capabilities.msix.maximum == 1'
	info cyclic 0c.0
	json '.capabilities_problem | test("reads all ones: the function is gone or in D3cold")'
	works --root "$trees/cyclic" list
	noted "functions have a capability list that can't be read to its end"
}

@test "truncated: what is there is shown, what is cut is said" {
	for device in 01.0 02.0 03.0 04.0; do
		info truncated "$device"
		json '.capabilities_problem | test("could not be read to the end")'
	done
	info truncated 05.0
	json '(.capabilities.msi.truncated | not) and .capabilities.msix.truncated'
	info truncated 06.0
	json '.capabilities.msix.truncated'
	info truncated 07.0
	json '.capabilities.msi.truncated'
	info truncated 08.0 # ends exactly at the end
	json '.capabilities.msi.truncated | not'
}

@test "garbage: numbers that are none are not taken for numbers" {
	works --root "$trees/garbage" --json list
	json '.devices | all((.count < 1000000) and (.allocated <= 2048))'
	works --root "$trees/garbage" --json probe
	json '.multivector == "unknown"'
}

@test "escape: links lead nowhere" {
	for device in 01.0 02.0 03.0 05.0; do
		info escape "$device"
		json '.driver == null and .group == null and .vectors == [] and .capabilities.msi.maximum == 16'
	done
	info escape 04.0
	json '.id == "0000:0000" and .capabilities.msi == null'
	for device in 06.0 07.0 08.0 09.0; do
		refused 3 'there is no PCI function' --root "$trees/escape" info "00:$device"
	done
}

@test "huge: a table of 2048, ten thousand IRQs, a mebibyte in a file" {
	works --root "$trees/huge" --json list
	json '.devices | length == 1 and .[0].msix.maximum == 2048 and .[0].allocated == 2048'
	json '.devices[0].driver | test("^0{200,255}$")'
	works --root "$trees/huge" --json counters 00:01.0
	json '.vectors | length == 2048'
}

@test "control characters: escaped in words and in JSON alike" {
	works --root "$trees/control" -n -o driver list
	assert_line --index 0 '\x1b[31m\x1b]0;owned\x07\x1b[2J.'
	assert_line --index 1 'a\x0ab: 1.'
	assert_line --index 2 'c\x9b[2Jd.'
	assert_line --index 3 'e\xff\xc0\xaf\xed\xa0\x80f.'
	assert_equal "${#lines[@]}" 8
	works --root "$trees/control" --json list
	json '[.devices[].driver][0:2] == ["\\x1b[31m\\x1b]0;owned\\x07\\x1b[2J.", "a\\x0ab: 1."]'
	info control 01.0
	json '.vectors[0] | .action == "\\x1b[31m\\x1b]0;owned\\x07\\x1b[2J" and .irq == 201'
}

@test "fifo: what is no regular file is not waited for" {
	# who opens a fifo that nobody writes to waits for ever
	msictl() {
		timeout -k 1 90 "$MSICTL" "$@"
	}
	works --root "$trees/fifo" --json list
	info fifo 01.0
	json '.id == "0000:0000" and .driver == null'
	info fifo 03.0
	json '.capabilities.msix.maximum == 8 and .vectors == []'
}
