#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A capture of a machine shows what the machine shows.

load helpers

setup_file() {
	give "$xhci" "$nvme"
	modprobe e1000e
	until_true test -e "$(sys "$e1000e" driver)"
}

# lasting - without what can only be known where the device is, asked of vfio, and
# without the counts of the machine's own file systems, which rise meanwhile
lasting() {
	sed -E 's/"not_measured":"[^"]*"//g; s/"note":"[^"]*"//g; s/"(vfio|open)":\{[^}]*\}//g
		s/("Red Hat, Inc. Virtio filesystem"[^{}]*(\{[^}]*\}[^{}]*)*"count":)[0-9]+/\1/g'
}

# alike WORD... - the same of the machine and of its capture
alike() {
	local live

	works --json "$@"
	live=$(lasting <<<"$output")
	works --root "$BATS_FILE_TMPDIR/lab.capture" --json "$@"
	[[ $(lasting <<<"$output") == "$live" ]] || fail "$*:"$'\n'"$live"$'\n'"$output"
}

@test "list, info, counters and probe of a capture are those of the machine" {
	local device

	works --json capture "$BATS_FILE_TMPDIR/lab.capture"
	says unread=0
	alike list
	alike probe --static
	for device in "$xhci" "$edu" "$e1000e" "$nvme" 00:08.1; do
		alike info --no-open "$device"
		alike counters "$device"
		alike probe --static "$device"
	done
}

@test "the script captures the same as msictl" {
	works capture --script "$BATS_TEST_TMPDIR/capture.sh"
	works capture "$BATS_TEST_TMPDIR/again"
	run -0 bash -c 'sh "$1" | grep -vE "^#|^per_cpu_count|^\| *(count|unhandled|last_unhandled|[0-9A-Z]*:)" >"$1.out"' - "$BATS_TEST_TMPDIR/capture.sh"
	run diff "$BATS_TEST_TMPDIR/capture.sh.out" \
		<(grep -vE '^#|^per_cpu_count|^\| *(count|unhandled|last_unhandled|[0-9A-Z]*:)' "$BATS_TEST_TMPDIR/again")
	assert_output ""
}
