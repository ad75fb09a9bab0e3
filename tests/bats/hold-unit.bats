#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The unit template: what systemd reads in it, and that msictl knows its words.
# tests/lab/hold.bats runs them on a real device.

load ../hold

template=$tests/../systemd/msictl-hold@.service.in

# as_installed - as make install writes it
as_installed() {
	ln -s "$MSICTL" "$BATS_TEST_TMPDIR/msictl"
	sed -e "s|@BINDIR@|$BATS_TEST_TMPDIR|" "$template" >"$BATS_TEST_TMPDIR/msictl-hold@.service"
}

@test "systemd finds nothing wrong with it" {
	[[ $(type -P systemd-analyze) ]] || skip 'no systemd-analyze here'
	as_installed
	run -0 systemd-analyze verify --man=no "$BATS_TEST_TMPDIR/msictl-hold@.service"
	assert_output ''
	# and it does find something
	echo 'Type=nonsense' >>"$BATS_TEST_TMPDIR/msictl-hold@.service"
	sed -i 's|/msictl hold|/none hold|' "$BATS_TEST_TMPDIR/msictl-hold@.service"
	run -1 systemd-analyze verify --man=no "$BATS_TEST_TMPDIR/msictl-hold@.service"
}

@test "what it starts: words that msictl knows; it waits for readiness" {
	local words

	as_installed
	grep -qx 'Type=notify' "$BATS_TEST_TMPDIR/msictl-hold@.service"
	read -ra words < <(sed -n 's/^ExecStart=//p' "$BATS_TEST_TMPDIR/msictl-hold@.service")
	run --separate-stderr -3 "${words[@]/\%i/fffe:ff:1f.7}"
	one_sentence '^fffe:ff:1f.7: hold: there is no PCI function'
}

@test "make install puts it where systemd looks, with the path of the tool" {
	run -0 make -s -n -C "$tests/.." install DESTDIR=/stage PREFIX=/usr B="${MSICTL%/*}"
	assert_line --partial '/stage/usr/lib/systemd/system/msictl-hold@.service'
	assert_line --partial 's|@BINDIR@|/usr/bin|'
}
