#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A holder that dies while it answers.

load ../hold

@test "in the middle of a result: the error object stands on a line of its own" {
	dev=sim:msix=2048

	works hold "$dev"
	works enable "$dev" msix all
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	"$MSICTL" --json counters "$dev" >"$BATS_TEST_TMPDIR/pipe" 2>/dev/null 3>&- &
	pid=$!
	exec 8<"$BATS_TEST_TMPDIR/pipe"
	# more than fits into the pipe and the sockets is on its way
	head -c 1 <&8 >"$BATS_TEST_TMPDIR/said"
	kill -KILL "$(holder)"
	cat <&8 >>"$BATS_TEST_TMPDIR/said"
	exec 8<&-
	ended 3
	tail -n 1 "$BATS_TEST_TMPDIR/said" | jq -e '.error.message | test("broke off")'
	assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/said")" 2
}
