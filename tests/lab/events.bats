#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# events, wait --event, and a held device that the kernel wants back.

load helpers

setup_file() {
	take "$nvme"
	cc -O1 -o "$BATS_FILE_TMPDIR/forge" "$BATS_TEST_DIRNAME/forge.c"
	cc -O1 -shared -fPIC -o "$BATS_FILE_TMPDIR/deaf.so" "$BATS_TEST_DIRNAME/deaf.c"
}

teardown() {
	dev_clean
	[[ ! ${events_pid-} ]] || kill -KILL "$events_pid" 2>/dev/null || true
	[[ ! ${unbind_pid-} ]] || kill -KILL "$unbind_pid" 2>/dev/null || true
}

teardown_file() {
	take "$nvme"
}

# events_start WORD... - msictl --json events in the background, as ${as[@]}; it listens
# when this returns
events_start() {
	"${as[@]}" "$MSICTL" --json events "$@" >"$BATS_TEST_TMPDIR/events" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	events_pid=$!
	until_true grep -qs listening "$BATS_TEST_TMPDIR/err"
}

# Who may not have more room for events than net.core.rmem_max.
narrow=(setpriv --bounding-set=-net_admin)

# storm - more than there is room for then, behind a listener that has stopped
storm() {
	local i

	kill -STOP "$events_pid"
	for ((i = 0; i < 700; i++)); do
		echo change
	done >"$(sys "$xhci" uevent)"
}

# events_ended STATUS - what came is $output
events_ended() {
	local status=0

	wait "$events_pid" || status=$?
	events_pid=
	assert_equal "$status" "$1"
	output=$(<"$BATS_TEST_TMPDIR/events")
	mapfile -t lines <<<"$output"
}

# wait_start WORD... - msictl wait in the background; it listens when this returns
wait_start() {
	"$MSICTL" wait "$@" >"$BATS_TEST_TMPDIR/events" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	events_pid=$!
	until_true grep -qs listening "$BATS_TEST_TMPDIR/err"
}

# devpath DEVICE - as events call it
devpath() {
	local path

	path=$(realpath "$(sys "$1")")
	echo "${path#/sys}"
}

# A write to unbind returns when the holder has let go, which is soon.
unbind_held() {
	local start=$EPOCHREALTIME

	echo "0000:$nvme" >"$(sys "$nvme" driver/unbind)" 3>&- &
	unbind_pid=$!
	until_true unbind_returned
	(($(ms_since "$start") < 5000)) || fail "it took $(ms_since "$start") ms"
}

unbind_returned() {
	! kill -0 "$unbind_pid" 2>/dev/null
}

@test "bind and unbind are seen, in their order, with the driver" {
	local group

	group=$(group_of "$nvme")
	events_start "$nvme" -n 6 --timeout 60s
	give "$nvme"
	take "$nvme"
	events_ended 0
	json_lines 'map("\(.action) \(.subsystem)") == ["add vfio", "add vfio-dev", "bind pci",
		"remove vfio-dev", "remove vfio", "unbind pci"]'
	json_lines --arg device "0000:$nvme" --arg path "$(devpath "$nvme")" '.[2] |
		.device == $device and .driver == "vfio-pci" and .devpath == $path'
	json_lines --arg device "0000:$nvme" '.[5] | .device == $device and .driver == null'
	json_lines --arg device "0000:$nvme" '.[1].device == $device and .[3].device == $device'
	json_lines --argjson group "$group" '.[0].group == $group and .[0].device == null'
	json_lines 'map(.seqnum) | . == sort and unique == . and (map(type) | unique == ["number"])'
	json_lines 'all(.[]; (.time | test("^20..-..-..T..:..:..[.]...Z$")) and (.synthetic | not))'
	json_lines --arg now "$(date -u +%FT%T.999Z)" --arg before "$(date -u -d '2 minutes ago' +%FT%TZ)" \
		'all(.[]; .time <= $now and .time > $before)'
}

@test "a line for people" {
	"$MSICTL" events -n 1 --timeout 60s "$nvme" >"$BATS_TEST_TMPDIR/events" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	until_true grep -qs listening "$BATS_TEST_TMPDIR/err"
	echo change >"$(sys "$nvme" uevent)"
	wait $!
	run -0 cat "$BATS_TEST_TMPDIR/events"
	assert_output --regexp '^[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]{3}  change   pci       04:00.0     -  \(asked for by user space\)$'
}

@test "of other devices nothing is said" {
	events_start "$xhci" -n 1 --timeout 2s
	give "$nvme"
	take "$nvme"
	events_ended 8
	assert_equal "$(jq -c .error.cause <<<"$output")" '"expectation"'
}

@test "without a DEVICE all are told of" {
	events_start -n 2 --timeout 60s
	echo change >"$(sys "$nvme" uevent)"
	echo change >"$(sys "$xhci" uevent)"
	events_ended 0
	json_lines --arg a "0000:$nvme" --arg b "0000:$xhci" 'map(.device) == [$a, $b]'
}

@test "unplugged and plugged" {
	events_start "$nvme" -n 2 --timeout 100s
	"$qmp" device_del nvme0
	until_true gone "$(sys "$nvme")"
	plug_nvme
	events_ended 0
	json_lines --arg device "0000:$nvme" \
		'map("\(.action) \(.subsystem) \(.device)") == ["remove pci \($device)", "add pci \($device)"]'
}

@test "what another process sends to the group is not believed" {
	events_start "$nvme" -n 1 --timeout 3s
	"$BATS_FILE_TMPDIR/forge" group unbind "$(devpath "$nvme")" pci
	until_true grep -q 'not from the kernel' "$BATS_TEST_TMPDIR/err"
	events_ended 8
}

@test "what another process has the kernel pass on is not believed" {
	events_start "$nvme" -n 1 --timeout 3s
	"$BATS_FILE_TMPDIR/forge" kernel unbind "$(devpath "$nvme")" pci
	until_true grep -q 'not from the kernel' "$BATS_TEST_TMPDIR/err"
	events_ended 8
}

@test "wait --event unbind: it comes" {
	give "$nvme"
	wait_start "$nvme" --event unbind --timeout 60s
	take "$nvme"
	events_ended 0
	assert_output --regexp '^04:00\.0: unbind after [0-9.]+ s$'
}

@test "wait --event unbind: it does not come, or was before" {
	take "$nvme"
	fails 8 wait "$nvme" --event unbind --timeout 500ms
	noted 'no unbind event of 0000:04:00.0 came within 0.5 s; it is there without a driver'
	give "$nvme"
	fails 8 wait "$nvme" --event bind --timeout 500ms
	noted 'no bind event .*; its driver is vfio-pci'
	take "$nvme"
}

@test "wait --event bind names the driver, add and remove are the function's" {
	local bind

	"$MSICTL" --json wait "$nvme" --event bind --timeout 60s >"$BATS_TEST_TMPDIR/bind" \
		2>"$BATS_TEST_TMPDIR/bind.err" 3>&- &
	bind=$!
	until_true grep -qs listening "$BATS_TEST_TMPDIR/bind.err"
	wait_start "$nvme" --event add --timeout 3s
	# the group and the vfio-dev child are added then, the function is not
	give "$nvme"
	wait "$bind"
	events_ended 8
	run -0 cat "$BATS_TEST_TMPDIR/bind"
	json --arg device "0000:$nvme" '.command == "wait" and .event == "bind" and .device == $device and
		.driver == "vfio-pci" and (.seqnum | type) == "number" and .us > 0'
	take "$nvme"
}

@test "wait --event remove is not satisfied by what user space asks the kernel to say" {
	wait_start "$nvme" --event remove --timeout 2s
	echo remove >"$(sys "$nvme" uevent)"
	events_ended 8
}

@test "wait --event remove, then add" {
	wait_start "$nvme" --event remove --timeout 60s
	"$qmp" device_del nvme0
	events_ended 0
	wait_start "$nvme" --event add --timeout 60s
	plug_nvme
	events_ended 0
}

@test "a storm: what was lost is told, and how things are" {
	local as=("${narrow[@]}")
	give "$nvme"
	events_start "$nvme"
	storm
	take "$nvme"
	kill -CONT "$events_pid"
	until_true grep -q state "$BATS_TEST_TMPDIR/events"
	kill -TERM "$events_pid"
	events_ended 0
	json_lines --arg device "0000:$nvme" 'map(.action) == ["overrun", "state"] and
		.[1].device == $device and .[1].present and .[1].driver == null'
	grep -q 'some were lost' "$BATS_TEST_TMPDIR/err"
}

@test "a storm, all devices: the functions that VFIO has are told as they are" {
	local as=("${narrow[@]}")
	give "$nvme"
	events_start
	storm
	kill -CONT "$events_pid"
	until_true grep -q state "$BATS_TEST_TMPDIR/events"
	kill -TERM "$events_pid"
	events_ended 0
	jq -es --arg device "0000:$nvme" 'map(select(.action == "state")) | any(.[]; .device == $device) and
		all(.[]; .present and (.driver | test("vfio")))' <<<"$output"
	take "$nvme"
}

@test "the same storm, by root: nothing is lost" {
	events_start "$xhci" -n 700
	storm
	kill -CONT "$events_pid"
	events_ended 0
	json_lines 'length == 700 and all(.[]; .action == "change")'
}

@test "a held device is let go at once when it is to be unbound" {
	give "$nvme"
	dev_start "$nvme"
	dev_send 'enable msix 4'
	printf 'wait msix 0 --timeout 60s\n' >&7
	unbind_held
	dev_says 'wants the device back'
	nothing_left "$nvme"
	dev_stop 3
}

@test "the vfio-dev event alone is enough" {
	[[ $LAB_KERNEL != 6.1.* ]] || skip 'Linux 6.1 sends it only when the device was let go'
	give "$nvme"
	LD_PRELOAD=$BATS_FILE_TMPDIR/deaf.so ASAN_OPTIONS=verify_asan_link_order=0 dev_start "$nvme"
	dev_send 'enable msix 1'
	json '.enabled'
	printf 'wait msix 0 --timeout 60s\n' >&7
	unbind_held
	dev_says 'wants the device back'
	dev_stop 3
}

@test "a held device is not let go for an event that is no such wish" {
	local path
	give "$nvme"
	dev_start "$nvme"
	dev_send 'enable msix 1'
	path=$(echo "$(sys "$nvme")"/vfio-dev/vfio*)
	"$BATS_FILE_TMPDIR/forge" group remove "$(devpath "$nvme")/vfio-dev/${path##*/}" vfio-dev
	"$BATS_FILE_TMPDIR/forge" kernel remove "$(devpath "$nvme")/vfio-dev/${path##*/}" vfio-dev
	echo remove >"$path/uevent"
	dev_send 'wait msix 0 --timeout 500ms' 'trigger msix 0' 'wait msix 0 --timeout 5s'
	json '.missing == []'
	run ! grep -q 'wants the device back' "$dev_dir/err"
	dev_stop 8
	take "$nvme"
}
