# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What tests/bats/hold*.bats have in common: a device of their own, and who holds it.

# shellcheck source=helpers.bash
source "${BASH_SOURCE[0]%/*}/helpers.bash"

# The folder of sockets is one for all of a user's processes: a device that no
# other test has.
setup() {
	vectors=$((16 + RANDOM % 2000))
	dev=sim:msix=$vectors,msi=8
	bg=()
	if ((EUID)); then
		export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR
		folder=$XDG_RUNTIME_DIR/msictl
	else
		folder=/run/msictl
	fi
}

# For files that start more.
hold_teardown() {
	:
}

teardown() {
	local pid

	hold_teardown
	for pid in "${bg[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	# a test that failed may have left the holder stopped, which hears nobody
	timeout -k 1 20 "$MSICTL" release "$dev" "$dev,noresize" >/dev/null 2>&1 || true
	# the last words of those that lost it
	rm -f "$folder/$dev.gone" "$folder/$dev,noresize.gone"
}

# in_background WORD... - msictl; $! of it is $pid, its words are in $log and $log.err
in_background() {
	log=$BATS_TEST_TMPDIR/log.${#bg[@]}
	"$MSICTL" "$@" >"$log" 2>"$log.err" 3>&- &
	pid=$!
	bg+=("$pid")
}

# ended STATUS [PID] - the last one in the background, or that one
ended() {
	local status=0

	wait "${2-$pid}" || status=$?
	assert_equal "$status" "$1"
}

# holder - the process that holds $dev
holder() {
	msictl --json holders | jq --arg dev "$dev" '.holders[] | select(.device == $dev).pid'
}

held() {
	[[ $(holder) ]]
}

not_held() {
	[[ ! $(holder) ]]
}

# callers N - so many commands run at the holder of $dev
callers() {
	[[ $(msictl --json holders | jq --arg dev "$dev" '.holders[] | select(.device == $dev).callers') == "$1" ]]
}

# descriptors PID
descriptors() {
	local fds=("/proc/$1/fd"/*)

	echo "${#fds[@]}"
}

# ---- somebody who is not root

# as UID WORD... - a command of somebody who is not root, with a folder of his own
as() {
	setpriv --reuid "$1" --regid "$1" --clear-groups env XDG_RUNTIME_DIR="$BATS_TEST_TMPDIR/run" "${@:2}"
}

# user WORD... - msictl of that user
user() {
	as 65534 "$BATS_TEST_TMPDIR/msictl" "$@"
}

user_setup() {
	((EUID == 0)) || skip 'needs root to become another user'
	not_under_valgrind 'writes into the folder of root'
	chmod a+x "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/.." "$BATS_RUN_TMPDIR"
	mkdir -m 700 "$BATS_TEST_TMPDIR/run"
	chown 65534:65534 "$BATS_TEST_TMPDIR/run"
	cp "$MSICTL" "$BATS_TEST_TMPDIR/msictl"
	chmod 755 "$BATS_TEST_TMPDIR/msictl"
}
