# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What tests/bats/watch*.bats have in common: captured machines, where nothing
# changes unless the test changes it.

# shellcheck source=helpers.bash
source "${BASH_SOURCE[0]%/*}/helpers.bash"

roots=$tests/root

setup() {
	tree=$BATS_TEST_TMPDIR/tree
}

teardown() {
	term_stop
	[[ ! ${watch_pid-} ]] || kill -KILL "$watch_pid" 2>/dev/null || true
}

# grow - $tree: a copy of intel-remap that may be changed
grow() {
	captured intel-remap "$tree"
}

# counts IRQ TEXT
counts() {
	printf '%s\n' "$2" >"$tree/sys/kernel/irq/$1/per_cpu_count.new"
	mv "$tree/sys/kernel/irq/$1/per_cpu_count.new" "$tree/sys/kernel/irq/$1/per_cpu_count"
}

# watch_start WORD... - msictl --json watch in the background, its first refresh is out
watch_start() {
	"$MSICTL" --root "$tree" --json watch "$@" >"$BATS_TEST_TMPDIR/watch" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	watch_pid=$!
	until_true refreshed 1
}

refreshed() {
	(($(wc -l <"$BATS_TEST_TMPDIR/watch") >= $1))
}

# next_refresh - a refresh that began after this call
next_refresh() {
	until_true refreshed $(($(wc -l <"$BATS_TEST_TMPDIR/watch") + 2))
}

watch_ended() {
	local status=0

	kill -TERM "$watch_pid" 2>/dev/null || true
	wait "$watch_pid" || status=$?
	watch_pid=
	assert_equal "$status" 0
	output=$(<"$BATS_TEST_TMPDIR/watch")
	mapfile -t lines <<<"$output"
}

# told FILTER - the last refresh of watch_start
told() {
	tail -n 1 "$BATS_TEST_TMPDIR/watch" | jq -e "$1" >/dev/null
}
