#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# demo: what a newcomer sees.

load ../helpers

demo=$tests/../demo/start

teardown() {
	term_stop
}

@test "without a terminal the tour runs as a script" {
	run --separate-stderr -0 "$demo" "$MSICTL" </dev/null
	assert_line --partial '$ msictl run sim:msix=64,msi=16 demo/tour'
	assert_line --partial 'msix: 8 armed of 64, added 4-7, untouched 0-3'
	assert_line --partial 'msix: pending 2'
	# its own and the loopback's, and the one that was pending
	assert_line --regexp '^msix +2 +armed +- +3 '
	assert_line --partial 'msix: off'
	# a screen or so, nothing wider than a terminal but lines of explanation
	((${#lines[@]} < 50)) || fail "${#lines[@]} lines"
}

# Times differ, and nothing else.
without_times() {
	sed -E 's/[0-9]+ us\)/N us)/'
}

@test "the README shows what is printed" {
	local shown printed

	shown=$(sed -n '/^    \$ cat demo.tour$/,/^[^ ]/s/^    //p; /^The doorbell/q' "$tests/../README.md" | grep . | without_times)
	printed=$("$demo" "$MSICTL" </dev/null 2>&1 | grep . | without_times)
	[[ $shown ]]
	assert_equal "$shown" "$printed"
}

@test "at a terminal it opens a shell below the tour, on one screen" {
	local line

	printf -v line '%q %q; echo $? >%q; exec cat' "$demo" "$MSICTL" "$BATS_TEST_TMPDIR/status"
	tmux -S "$BATS_TEST_TMPDIR/tmux" -f /dev/null new-session -d -x 80 -y 24 \
		"export TERM=screen XDG_STATE_HOME=$XDG_STATE_HOME; $line" 3>&-
	term_expect '^sim:msix=64,msi=16> *$'
	on_screen '^# A simulated PCI function'
	term_type 'enable msix 4'
	term_key Enter
	term_expect 'msix 4> *$'
	term_type quit
	term_key Enter
	term_ended 0
}

# tools NAME... - a PATH of these alone
tools() {
	local name

	mkdir -p "$BATS_TEST_TMPDIR/bin"
	for name in bash sed paste "$@"; do
		ln -sf "$(command -v "$name" || echo /bin/true)" "$BATS_TEST_TMPDIR/bin/$name"
	done
}

@test "what builds it may come from anywhere; where it is missing, what to type" {
	tools cc make pkg-config
	run -0 env PATH="$BATS_TEST_TMPDIR/bin" "$BASH" "$tests/deps" build
	assert_output ''
	rm "$BATS_TEST_TMPDIR/bin/pkg-config"
	run -1 env PATH="$BATS_TEST_TMPDIR/bin" "$BASH" "$tests/deps" build
	assert_output --regexp '^tests/deps: not a Debian machine; needed are: gcc .*libpci-dev'
	tools dnf
	run -1 env PATH="$BATS_TEST_TMPDIR/bin" "$BASH" "$tests/deps" build
	assert_output --regexp '^tests/deps: something to build with is missing; type: dnf install gcc .*pciutils-devel'
}
