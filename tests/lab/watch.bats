#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# watch of functions that their own drivers have: the kernel's figures, and
# vectors that come and go meanwhile.

load helpers

setup() {
	take "$e1000e"
	modprobe e1000e
	echo "0000:$e1000e" >/sys/bus/pci/drivers_probe 2>/dev/null || true
	until_true test -e "$(sys "$e1000e" net)"
	link=$(ls "$(sys "$e1000e" net)")
}

teardown() {
	[[ ! ${watch_pid-} ]] || kill -KILL "$watch_pid" 2>/dev/null || true
	dev_clean
	modprobe -r e1000e
	take "$e1000e" "$nvme"
}

refreshed() {
	(($(wc -l <"$BATS_TEST_TMPDIR/watch") >= $1))
}

next_refresh() {
	until_true refreshed $(($(wc -l <"$BATS_TEST_TMPDIR/watch") + 2))
}

watch_start() {
	"$MSICTL" --json watch "$@" >"$BATS_TEST_TMPDIR/watch" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	watch_pid=$!
	until_true refreshed 1
}

watch_ended() {
	local status=0

	kill -TERM "$watch_pid"
	wait "$watch_pid" || status=$?
	watch_pid=
	assert_equal "$status" 0
	output=$(<"$BATS_TEST_TMPDIR/watch")
	mapfile -t lines <<<"$output"
}

missing() {
	tail -n 1 "$BATS_TEST_TMPDIR/watch" | grep -qF "\"missing\":[\"0000:$e1000e\"]"
}

has_vectors() {
	tail -n 1 "$BATS_TEST_TMPDIR/watch" | grep -q '"vector":0,.*"missing":\[\]'
}

# kernel_counts - of the function's IRQs, a line each, by /proc/interrupts
kernel_counts() {
	local irq

	for irq in "$(sys "$e1000e" msi_irqs)"/*; do
		awk -v irq="${irq##*/}:" '$1 == irq { for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i } END { print n + 0 }' \
			/proc/interrupts
	done
}

# settled - there were interrupts, and none came during two refreshes
settled() {
	counts=$(kernel_counts)
	next_refresh
	[[ $counts =~ [1-9] && $(kernel_counts) == "$counts" ]]
}

@test "the counts are those of /proc/interrupts, before and after interrupts" {
	watch_start "$e1000e" -d 200ms
	# the link's coming up is told by interrupts
	ip link set "$link" up
	until_true settled
	watch_ended
	json_lines --argjson want "[${counts//$'\n'/,}]" '.[-1].vectors | sort_by(.irq) | map(.count) == $want'
	json_lines '[.[].vectors[].delta // 0] | add > 0'
}

@test "vectors that go and come while they are watched, and the whole function" {
	watch_start "$e1000e" -d 100ms
	echo "0000:$e1000e" >"$(sys "$e1000e" driver/unbind)"
	next_refresh
	echo "0000:$e1000e" >/sys/bus/pci/drivers/e1000e/bind
	next_refresh
	"$qmp" device_del e1000e0
	until_true missing
	"$qmp" device_add e1000e e1000e0 rp3 romfile=
	until_true test -e "$(sys "$e1000e" driver)"
	until_true has_vectors
	watch_ended
	json_lines '(.[0].vectors | length > 0) and any(.[]; .vectors == [] and .missing == [])'
	json_lines '[.[].vectors[].delta // 0] | all(. < 100000)'
}

# told TEXT - in the last refresh
told() {
	tail -n 1 "$BATS_TEST_TMPDIR/watch" | grep -qF "$1"
}

@test "a program that is no msictl drives a function: who it is, as soon as it does and as long" {
	give "$nvme"
	cp "$MSICTL" "$BATS_TEST_TMPDIR/qemu-system-x86"
	watch_start "$nvme" "$e1000e" -d 200ms
	MSICTL=$BATS_TEST_TMPDIR/qemu-system-x86 dev_start "$nvme"
	dev_send 'enable msix 3'
	until_true told '"posted_possible":true,"held_by":{"pid":'
	until_true grep -Eq "^msictl: $nvme is held by qemu-system-x86 \(PID [0-9]+\): interrupts posted" "$BATS_TEST_TMPDIR/err"
	works watch -n 1
	assert_line --regexp "^$nvme +vfio-pci +3 .* posted$"
	works counters "$nvme"
	noted "$nvme is held by qemu-system-x86"
	works counters --openmetrics
	assert_line "msictl_posted_possible{device=\"0000:$nvme\"} 1"
	assert_line "msictl_posted_possible{device=\"0000:$e1000e\"} 0"
	dev_stop
	next_refresh
	works counters "$nvme"
	[[ $stderr != *'is held by'* ]] || fail "$stderr"
	watch_ended
	json_lines '.[-1].vectors | all(.device == "0000:03:00.0" and .posted_possible == false)'
}
