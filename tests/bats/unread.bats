#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What could not be looked at is not told as absent: without descriptors, and
# without the permission to read.

load ../helpers

setup() {
	# a capture is one descriptor, and never lacks more
	roots=$(unpacked intel-remap)
}

teardown() {
	[[ ! ${held-} ]] || "$MSICTL" release "$held" >/dev/null 2>&1 || true
}

# seen - $output without the time of day
seen() {
	sed -E 's/^[0-9:]{8} //; s/"time":"[^"]*"//' <<<"$output"
}

# as_ever_or_fails WORD... - with any number of descriptors all is told, or status 1 and why
as_ever_or_fails() {
	local n want failed=0

	run --separate-stderr "$MSICTL" "$@"
	assert_equal "$status" 0
	want=$(seen)
	# below 4 the program's libraries can't be opened
	for ((n = 4; n <= 9; n++)); do
		status=0
		output=$(prlimit --nofile="$n" "$MSICTL" "$@" 2>"$BATS_TEST_TMPDIR/err" 3>&-) || status=$?
		if ((status)); then
			assert_equal "$n: $status" "$n: 1"
			grep -q 'EMFILE' "$BATS_TEST_TMPDIR/err" || fail "$n: no EMFILE: $(<"$BATS_TEST_TMPDIR/err")"
			failed=$n
		else
			assert_equal "$n: $(seen)" "$n: $want"
		fi
	done
	((failed)) || fail "it never ran out of descriptors"
}

@test "list without descriptors" {
	as_ever_or_fails --root "$roots" list
	as_ever_or_fails --root "$roots" --json list
}

@test "counters without descriptors" {
	as_ever_or_fails --root "$roots" counters 03:00.0
	as_ever_or_fails --root "$roots" --json counters 04:00.0
	as_ever_or_fails --root "$roots" counters --openmetrics
}

@test "info without descriptors" {
	as_ever_or_fails --root "$roots" info 04:00.0
}

@test "watch without descriptors" {
	as_ever_or_fails --root "$roots" --json watch --iterations 1
}

@test "probe without descriptors" {
	as_ever_or_fails --root "$roots" probe
	as_ever_or_fails --root "$roots" probe 04:00.0
}

# as_nobody WORD... - msictl of a user who has no rights
as_nobody() {
	cp "$MSICTL" "$BATS_TEST_TMPDIR/msictl"
	chmod 755 "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/msictl"
	run --separate-stderr setpriv --reuid 65534 --regid 65534 --clear-groups "$BATS_TEST_TMPDIR/msictl" "$@"
}

@test "files that may not be read: what is known is told, with the one that was not read" {
	local tree=$BATS_TEST_TMPDIR/tree bdf=0000:03:00.0

	[[ $EUID == 0 ]] || skip "only root can be another user"
	cp -a "$roots" "$tree"
	chmod -R go+rX "$tree"
	for dir in "$BATS_TEST_TMPDIR" "${BATS_TEST_TMPDIR%/*}" "$BATS_RUN_TMPDIR"; do
		chmod go+x "$dir"
	done
	as_nobody --root "$tree" counters 03:00.0
	assert_equal "$status" 0
	chmod 0 "$tree/sys/kernel/irq/35/chip_name"
	as_nobody --root "$tree" --json counters 03:00.0
	assert_equal "$status" 1
	json '.vectors | map(.irq) == [34, 35, 36] and .[1].chip == null and .[0].chip != null'
	json '.error | .errno == "EACCES" and .hint == "run it as root"'
	noted 'cannot read /sys/kernel/irq/35/chip_name: the answer is incomplete [(]EACCES[)]$'
	# no list of its IRQs: nothing can be said of any
	chmod 0 "$tree/sys/bus/pci/devices/$bdf/msi_irqs"
	as_nobody --root "$tree" counters 03:00.0
	assert_equal "$status" 4
	noted "EACCES"
	refute_output
	as_nobody --root "$tree" --json list
	assert_equal "$status" 1
	json '.devices[] | select(.slot == "03:00.0") | .allocated == null and .armed == null and .count == null'
	as_nobody --root "$tree" --json watch 03:00.0 --iterations 1
	assert_equal "$status" 1
	output=${lines[0]} lines=("${lines[0]}")
	json '.vectors == [] and .missing == ["0000:03:00.0"]'
}

@test "a device that is held, without descriptors: it is not told as one that nobody holds" {
	local dev=sim:msix=$((16 + RANDOM % 2000)) n status

	((EUID == 0)) || export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR
	works hold "$dev"
	held=$dev
	as_ever_or_fails counters "$dev"
	as_ever_or_fails run "$dev" -c counters
	for ((n = 4; n <= 9; n++)); do
		status=0
		prlimit --nofile="$n" "$MSICTL" holders >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- || status=$?
		if ((status)); then
			grep -q EMFILE "$BATS_TEST_TMPDIR/err"
		else
			grep -q "^$dev " "$BATS_TEST_TMPDIR/out"
		fi
	done
	works release "$dev"
}
