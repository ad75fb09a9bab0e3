# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the suites of servers that lie have in common: an honest one, and
# tests/tampering-proxy in front of it.

# shellcheck source=helpers.bash
source "${BASH_SOURCE[0]%/*}/helpers.bash"

# serve_lies [SPEC] - the honest server, and names for everything
serve_lies() {
	real=$BATS_TEST_TMPDIR/real sock=$BATS_TEST_TMPDIR/peer plans=$BATS_TEST_TMPDIR/plans
	out=$BATS_TEST_TMPDIR/out err=$BATS_TEST_TMPDIR/err
	"$MSICTL" simulate "$real" "${1-msix=4,msi=2}" >/dev/null 2>&1 3>&- &
	pids=("$!")
	until_true test -S "$real"
}

lies_end() {
	term_stop
	kill "${pids[@]}" 2>/dev/null || true
}

teardown() {
	lies_end
}

# lie PLAN... - one of tests/tampering-proxy's plans for each client to come
lie() {
	[[ ! ${pids[1]-} ]] || kill "${pids[1]}" 2>/dev/null || true
	rm -f "$sock" "$sock.log"
	printf '%s\n' "$@" >"$plans"
	"$tests/tampering-proxy" "$sock" "$real" "$plans" 3>&- &
	pids[1]=$!
	until_true test -e "$sock.log"
}

# measured - $replies and $bytes that the client had which has just gone
measured() {
	until_true test -s "$sock.log"
	read -r replies bytes <"$sock.log"
}

# every STRIDE FIRST END - those numbers, or what valgrind gets done
every() {
	seq "$2" $(($1 * (${MSICTL_UNDER_VALGRIND:-0} ? 40 : 1))) $(($3 - 1))
}
