#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Ways in which holding a device ends: all is put back, nothing is left behind.

load helpers

setup() {
	# a test that failed may have left one without its driver
	give "$e1000e" "$nvme"
}

teardown() {
	term_stop
	dev_clean
	[[ ! ${unbinder-} ]] || kill -KILL "$unbinder" 2>/dev/null || true
}

# A line was taken: the cursor is on the next one, and no prompt is there.
running() {
	[[ $(term display-message -p '#{cursor_x}') == 0 ]]
}

nobodys() {
	! grep -qF "(0000:$1)" /proc/interrupts
}

# at_once START WHAT - the kernel asks for a device once more after ten seconds: who
# heard it the first time is done before
at_once() {
	local ms
	ms=$(ms_since "$1")
	echo "# $2: $ms ms" >&3
	((ms < 10000)) || fail "$2 took $ms ms"
}

@test "end of input: masks, indexes and bus mastering are as they were" {
	local before
	# a first time: what the kernel itself changes has changed then
	works run "$e1000e" -c 'enable msix 1'
	before=$(setpci -s "$e1000e" COMMAND CAP_MSIX+2.w)
	dev_start "$e1000e"
	dev_send 'enable msix 5' 'mask msix 0-2' 'mask msix 3 --by eventfd'
	dev_stop
	nothing_left "$e1000e"
	assert_equal "$(setpci -s "$e1000e" COMMAND CAP_MSIX+2.w)" "$before"
	works --json run "$e1000e" -c 'info --table'
	[[ $output != *'"enabled":true'* ]]
}

@test "SIGTERM, SIGHUP and SIGINT put back what SIGKILL can't" {
	local signal before
	before=$(setpci -s "$e1000e" COMMAND CAP_MSIX+2.w)
	for signal in TERM HUP; do
		dev_start "$e1000e" --trace
		dev_send 'enable msix 5' 'mask msix 1-2'
		kill "-$signal" "$dev_pid"
		dev_says 'stopped by .*; everything was put back|store\(table vector=2'
		dev_ended 1
		nothing_left "$e1000e"
		assert_equal "$(setpci -s "$e1000e" COMMAND CAP_MSIX+2.w)" "$before"
		# unmasked by us, disabled by us: not only by the closing descriptor
		grep -q 'store(table vector=1 control=0x0)' "$dev_dir/err"
		grep -q 'SET_IRQS(index=msix start=0 count=0 DATA_NONE|ACTION_TRIGGER) = 0' "$dev_dir/err"
		grep -q 'pwrite(config offset=0x4 size=2 value=0x' <(sed '1,/store/d' "$dev_dir/err")
	done
	# at a terminal, while a command runs
	term_start run "$e1000e" -c 'enable msix 2; wait msix 1 --timeout 60'
	term_expect '2 armed of 5'
	term_key C-c
	term_ended 1
	term_expect 'stopped by Interrupt'
	nothing_left "$e1000e"
}

@test "SIGKILL leaves nothing behind" {
	dev_start "$nvme"
	dev_send 'enable msix 65' 'enable err 1'
	assert_equal "$(allocated "$nvme")" 65
	kill -KILL "$dev_pid"
	until_true nobodys "$nvme"
	nothing_left "$nvme"
	wait "$dev_pid" || dev_pid=
	works run "$nvme" -c 'enable msix 2; trigger msix 0-1; wait msix 0-1'
}

@test "a second msictl: exit 5, naming the first" {
	local node
	dev_start "$nvme"
	dev_send 'enable msix 4'
	refused 5 "^$nvme: run: IOMMU group $(group_of "$nvme") is held by pid $dev_pid \(msictl\) \(EBUSY\)\$" run "$nvme" -c help
	hinted 'msictl holders .*msictl release'
	fails 5 --json run "$nvme" -c help
	error busy "held by pid $dev_pid"
	# the first is not disturbed
	dev_send 'trigger msix 0-3' 'wait msix 0-3 --timeout 5s'
	says missing=[]
	dev_stop
	# and whoever is no msictl is named, too
	node=/dev/vfio/$(group_of "$nvme")
	sleep 60 9<>"$node" 3>&- &
	unbinder=$!
	until_true test "/proc/$unbinder/fd/9" -ef "$node"
	refused 5 "held by pid $unbinder \(sleep\)" run "$nvme" -c help
	kill "$unbinder"
	wait "$unbinder" || unbinder=
}

@test "wanted back while a script waits for its next line: let go at once" {
	local start
	dev_start "$nvme"
	dev_send 'enable msix 8'
	start=$EPOCHREALTIME
	echo "0000:$nvme" >"$(sys "$nvme" driver/unbind)" &
	unbinder=$!
	wait "$unbinder"
	unbinder=
	at_once "$start" unbinding
	nothing_left "$nvme"
	dev_says 'wants the device back.*released'
	dev_send 'trigger msix 0'
	error no-device 'the kernel took the device back'
	dev_stop 3
	give "$nvme"
}

@test "unplugged while a script waits for a count: it ends with 3 at once" {
	local start status=0
	"$MSICTL" run "$nvme" -c 'enable msix 4; wait msix 0 --timeout 60; disable msix' \
		>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	unbinder=$!
	until_true grep -q '4 armed' "$BATS_TEST_TMPDIR/out"
	"$qmp" device_del nvme0
	start=$EPOCHREALTIME
	wait "$unbinder" || status=$?
	unbinder=
	assert_equal "$status" 3
	at_once "$start" 'from unplugging to the end of the script'
	grep -q 'wants the device back.*released' "$BATS_TEST_TMPDIR/err"
	grep -Eq '^msictl: -c:1: .*wait: the kernel took the device back.*\(ENODEV\)$' "$BATS_TEST_TMPDIR/err"
	plug_nvme
	give "$nvme"
	works run "$nvme" -c 'enable msix 4; trigger msix 3; wait msix 3'
}

@test "unplugged under a shell: it says so and ends at once" {
	local start
	term_start shell "$nvme"
	term_expect "^$nvme>\$"
	term_type 'enable msix 4'
	term_key Enter
	term_expect "^$nvme msix 4>\$"
	term_type 'half ty'
	"$qmp" device_del nvme0
	start=$EPOCHREALTIME
	term_ended 3
	at_once "$start" 'from unplugging to the end of the shell'
	term_expect 'kernel: the device is wanted back.*released'
	plug_nvme
	give "$nvme"
}

@test "an unbind request under a shell is served at once; device gone between two commands" {
	local start
	term_start shell "$e1000e"
	term_expect "^$e1000e>\$"
	term_type 'enable msix 5'
	term_key Enter
	term_expect "msix 5>\$"
	start=$EPOCHREALTIME
	echo "0000:$e1000e" >"$(sys "$e1000e" driver/unbind)"
	at_once "$start" unbinding
	term_ended 3
	nothing_left "$e1000e"
	refused 1 'no driver is bound, vfio-pci is needed' run "$e1000e" -c help
	hinted "msictl bind $e1000e"
	give "$e1000e"
}

# enter TEXT - a line
enter() {
	term_type "$1"
	term_key Enter
}

@test "a shell on a device that fires: TAB, history, Ctrl-C, Ctrl-D" {
	local command
	term_start shell "$e1000e"
	term_expect "^$e1000e>\$"
	term_type 'ena'
	term_key Tab
	term_type 'msix 5'
	term_key Enter
	term_expect '^msix: 5 armed of 5, added 0-4'
	for command in "${e1000e_ready[@]}"; do
		enter "$command"
	done
	# what there is on this device
	term_type 'trigger msix '
	term_key Tab Tab
	term_expect '^0 +0-4 +1 +2 +3 +4 +all +armed'
	term_key C-u
	term_type 'read bar'
	term_key Tab Tab
	term_expect '^bar0 +bar1 +bar2 +bar3 +'
	term_key C-u
	# stopped, and the shell goes on
	enter 'wait msix 3 --timeout 100'
	until_true running
	term_key C-c
	term_expect 'wait: stopped by Interrupt'
	enter "$(e1000e_fire 3)"
	term_key Up Up
	term_type '0'
	term_key Enter
	term_expect '> wait msix 3 --timeout 1000$'
	term_expect '^msix: 3 counted at least 1'
	term_type 'half ty'
	term_key C-c C-d
	term_ended 0
	nothing_left "$e1000e"
	assert_equal "$(tail -n 1 "$XDG_STATE_HOME/msictl/history")" 'wait msix 3 --timeout 1000'
}
