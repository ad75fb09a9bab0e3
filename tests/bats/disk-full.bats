#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A file system without room left: ENOSPC from a file is no lack of interrupt vectors.

load ../helpers

# on_full_disk COMMAND... - in a mount namespace of its own, where $full is a file
# system that takes no further file
on_full_disk() {
	local unshare=(unshare --mount) prepare

	((EUID == 0)) || unshare+=(--map-root-user)
	"${unshare[@]}" true 2>/dev/null || skip 'this system lets nobody mount in a namespace'
	full=$BATS_TEST_TMPDIR/full
	mkdir "$full"
	# the folder itself is the one inode
	# shellcheck disable=SC2016
	prepare='mount -t tmpfs -o size=4k,nr_inodes=1 full "$0" && exec "$@"'
	run --separate-stderr "${unshare[@]}" sh -c "$prepare" "$full" "$@"
}

@test "watch --openmetrics: 1, and the file is named" {
	on_full_disk "$MSICTL" --root "$tests/root/intel-remap.capture" watch 03:00.0 --iterations 1 \
		--openmetrics "$BATS_TEST_TMPDIR/full/page"
	assert_equal "$status" 1
	noted "no file can be made beside $full/page \(ENOSPC\)$"
}

@test "hold: 1, the folder of the sockets is named" {
	# the folder of root, which everybody is in such a namespace, is below /run
	# shellcheck disable=SC2016
	on_full_disk sh -c 'mount --bind "$0" /run && exec "$@"' "$BATS_TEST_TMPDIR/full" \
		"$MSICTL" --json hold sim:msix=19
	assert_equal "$status" 1
	error failed "/msictl can't be made"
	says errno='"ENOSPC"'
}

@test "the result of a command: 1" {
	# shellcheck disable=SC2016
	run --separate-stderr sh -c '"$0" --root "$1" list >/dev/full' "$MSICTL" "$tests/root/intel-remap.capture"
	assert_equal "$status" 1
	noted ENOSPC
}
