#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# hold, holders, release on real devices: each command a process of its own,
# and all the ways in which a device that is held goes.

load ../hold
load helpers

setup() {
	dev=$nvme folder=/run/msictl
	bg=()
}

hold_teardown() {
	local pid

	for pid in "${bg[@]}" $(msictl --json holders | jq '.holders[].pid'); do
		kill -KILL "$pid" 2>/dev/null || true
	done
	until_true nobody_holds
}

nobody_holds() {
	[[ $(msictl --json holders) == '{"holders":[]}' ]]
}

# let_go START - the kernel asks for a device once more after ten seconds: who heard
# it the first time is done before
let_go() {
	local ms

	ms=$(ms_since "$1")
	echo "# let go after $ms ms" >&3
	((ms < 10000)) || fail "it took $ms ms"
}

# unbind DEVICE - returns when the holder has let go
unbind() {
	local start=$EPOCHREALTIME

	echo "0000:$1" >"$(sys "$1" driver/unbind)" 3>&- &
	bg+=("$!")
	wait "$!"
	let_go "$start"
}

@test "a script: hold, enable, resize, trigger, wait, release, each a process" {
	give "$nvme"
	works hold "$nvme"
	assert_output --regexp "^$nvme: held by pid [0-9]+$"
	works enable "$nvme" msix 4
	assert_equal "$(armed "$nvme" msix)" '[0,1,2,3]'
	if dynamic; then
		works resize "$nvme" msix 8
		assert_line --partial 'added 4-7, untouched 0-3'
	else
		fails 9 resize "$nvme" msix 8
		assert_equal "$(armed "$nvme" msix)" '[0,1,2,3]'
		works resize --rebuild "$nvme" msix 8
	fi
	assert_equal "$(armed "$nvme" msix)" "$(upto 8)"
	works trigger "$nvme" msix 0-7
	works wait "$nvme" msix all --at-least 1 --timeout 1s
	fails 8 wait "$nvme" msix 7 --at-least 2 --timeout 50ms
	works --json info "$nvme"
	json --argjson want "$(upto 8)" '[.vectors[] | select(.state == "armed").vector] == $want'
	refused 5 "is held already, by pid $(holder)" hold "0000:$nvme"
	works release "$nvme"
	nothing_left "$nvme"
	nobody_holds
	refused 3 'nobody holds it' release "$nvme"
}

@test "masks and bus mastering are put back by release, interrupts are the device's own" {
	local before

	give "$e1000e"
	works run "$e1000e" -c 'enable msix 1'
	before=$(setpci -s "$e1000e" COMMAND CAP_MSIX+2.w)
	works hold "$e1000e"
	works enable "$e1000e" msix 5
	works run "$e1000e" -c "$(printf '%s;' "${e1000e_ready[@]}")"
	works mask "$e1000e" msix 2
	works run "$e1000e" -c "$(e1000e_fire 1); $(e1000e_fire 2); wait msix 1"
	works --json counters "$e1000e"
	json '[.vectors[] | select(.index == "msix").count] == [0, 1, 0, 0, 0]'
	assert_equal "$(interrupts "$e1000e" msix 1)" 1
	works unmask "$e1000e" msix 2
	works wait "$e1000e" msix 2
	works release "$e1000e"
	nothing_left "$e1000e"
	assert_equal "$(setpci -s "$e1000e" COMMAND CAP_MSIX+2.w)" "$before"
}

# counted FILE VECTOR N - what a watch has printed says so
counted() {
	tail -n 1 "$1" | jq -e --argjson v "$2" --argjson n "$3" \
		'any(.vectors[]; .vector == $v and .count == $n)' >/dev/null
}

@test "two watchers and one that changes" {
	local first second fire

	give "$e1000e"
	works hold "$e1000e"
	works enable "$e1000e" msix 3
	in_background --json watch "$e1000e" -d 100ms
	first=$log
	in_background --json watch "$e1000e" -d 150ms
	second=$log
	fire=$(printf '%s;' "${e1000e_ready[@]}")
	for vector in 0 1 2 1; do
		fire+="$(e1000e_fire "$vector"); wait msix $vector;"
	done
	works run "$e1000e" -c "$fire wait msix 1 --at-least 2"
	until_true counted "$first" 1 2
	until_true counted "$second" 1 2
	works disable "$e1000e" msix
	works enable "$e1000e" msix 5
	works trigger "$e1000e" msix 4 --count 3
	works wait "$e1000e" msix 4 --at-least 3
	until_true counted "$first" 4 3
	until_true counted "$second" 4 3
	kill -TERM "${bg[@]}"
	ended 0 "${bg[0]}"
	ended 0 "${bg[1]}"
	works wait "$e1000e" msix 4 --at-least 3
	works release "$e1000e"
}

@test "unplugged while it is held, watched and waited for: all end, the next hold works" {
	local start holder

	give "$nvme"
	works hold "$nvme"
	holder=$(holder)
	works enable "$nvme" msix 4
	in_background --json watch "$nvme" -d 100ms
	until_true test -s "$log"
	in_background wait "$nvme" msix 0 --timeout 100s
	until_true callers 1
	start=$EPOCHREALTIME
	"$qmp" device_del nvme0
	ended 3 "${bg[1]}"
	let_go "$start"
	grep -q 'the kernel took the device back' "$log.err"
	one_line "$log.err"
	ended 3 "${bg[0]}"
	grep -q 'the kernel took the device back' "$BATS_TEST_TMPDIR/log.0"
	until_true dead "$holder"
	nobody_holds
	until_true gone "$pci/0000:$nvme"
	plug_nvme
	give "$nvme"
	works hold "$nvme"
	works enable "$nvme" msix 4
	works release "$nvme"
}

# one_line FILE - a sentence, and at most a hint
one_line() {
	assert_equal "$(grep -vc '^hint: ' "$1")" 1
}

@test "to be unbound while it is held: let go at once, in one line; events are seen" {
	give "$nvme"
	in_background hold --foreground "$nvme"
	until_true grep -qs 'held by pid' "$log"
	works enable "$nvme" msix 2
	in_background wait "$nvme" --event unbind --timeout 60s
	until_true grep -qs listening "$log.err"
	in_background --json events "$nvme" -n 1 --timeout 60s
	until_true grep -qs listening "$log.err"
	unbind "$nvme"
	ended 0 "${bg[0]}"
	one_line "$BATS_TEST_TMPDIR/log.0.err"
	grep -q "^msictl: $nvme: the kernel wants the device back: released$" "$BATS_TEST_TMPDIR/log.0.err"
	ended 0 "${bg[1]}"
	ended 0 "${bg[2]}"
	nothing_left "$nvme"
	nobody_holds
}

@test "--keep: the holder stays without the device, reopen has it again" {
	local holder

	give "$nvme"
	works hold --keep "$nvme"
	holder=$(holder)
	works enable "$nvme" msix 2
	unbind "$nvme"
	nothing_left "$nvme"
	works --json holders
	says pid="$holder" open=false
	refused 3 'the kernel took the device back' enable "$nvme" msix 2
	hinted reopen
	give "$nvme"
	works run "$nvme" -c 'reopen; enable msix 3'
	assert_equal "$(armed "$nvme" msix)" '[0,1,2]'
	works release "$nvme"
	nothing_left "$nvme"
	until_true dead "$holder"
}

nobodys() {
	! grep -qF "(0000:$1)" /proc/interrupts
}

@test "the holder is killed: the host is clean, the next hold works" {
	local holder

	give "$nvme"
	works hold "$nvme"
	holder=$(holder)
	works enable "$nvme" msix 65
	kill -KILL "$holder"
	until_true nobodys "$nvme"
	nothing_left "$nvme"
	nobody_holds
	works hold "$nvme"
	works enable "$nvme" msix 2
	works release "$nvme"
}

@test "functions of one group share a holder, and leave it one by one" {
	local holder

	take 00:08.1
	give 00:08.0 00:08.2
	works hold 00:08.0
	holder=$(dev=00:08.0 holder)
	# a command that opens the other function itself is told how that function joins
	refused 5 "is held by pid $holder \(msictl\)" run 00:08.2 -c help
	hinted 'msictl hold 00:08\.2 '
	works hold 00:08.2
	assert_output "00:08.2: held by pid $holder"
	works enable 00:08.0 msi 1
	works enable 00:08.2 msi 1
	works release 00:08.0
	nothing_left 00:08.0
	works trigger 00:08.2 msi 0
	works wait 00:08.2 msi 0 --timeout 5s
	works hold 00:08.0
	assert_output "00:08.0: held by pid $holder"
	# each by the group's descriptor of the one that is open, never of its own that was
	works run 00:08.0 -c 'reopen; enable msi 1'
	works trigger 00:08.2 msi 0
	works wait 00:08.2 msi 0 --at-least 2 --timeout 5s
	works run 00:08.2 -c 'reopen; enable msi 1'
	works trigger 00:08.0 msi 0
	works wait 00:08.0 msi 0 --timeout 5s
	works release 00:08.0
	works run 00:08.2 -c 'reopen; enable msi 1; trigger msi 0; wait msi 0 --timeout 5s'
	works hold 00:08.0
	works release 00:08.0 00:08.2
	nothing_left 00:08.2
	until_true dead "$holder"
	take 00:08.0 00:08.2
	echo 0000:00:08.1 >/sys/bus/pci/drivers_probe
}

# none_has_vfio DEVICE... - nor is anything remembered of what it had
none_has_vfio() {
	local device

	for device; do
		[[ $(driver_of "$device") != vfio-pci && ! -e /run/msictl/former/0000:$device ]] || return 1
	done
}

@test "--bind of several functions of one group: each gets its driver back when the last is let go" {
	local holder

	take 00:08.0 00:08.1 00:08.2
	works hold --bind 00:08.0 00:08.2
	works release 00:08.0 00:08.2
	none_has_vfio 00:08.0 00:08.2

	# one by one, and one of them by another command
	works hold --bind 00:08.0
	holder=$(dev=00:08.0 holder)
	works hold --bind 00:08.2
	assert_output "00:08.2: held by pid $holder"
	works release 00:08.2
	noted 'gets its driver back when the others of its IOMMU group are released'
	assert_equal "$(driver_of 00:08.2)" vfio-pci
	works enable 00:08.0 msi 1
	works release 00:08.0
	none_has_vfio 00:08.0 00:08.2

	# back again before its driver was
	works hold --bind 00:08.0 00:08.2
	works release 00:08.0
	works hold --bind 00:08.0
	works release 00:08.2
	works enable 00:08.0 msi 1
	works release 00:08.0
	none_has_vfio 00:08.0 00:08.2

	works hold --bind 00:08.0 00:08.2
	holder=$(dev=00:08.0 holder)
	kill -TERM "$holder"
	until_true dead "$holder"
	none_has_vfio 00:08.0 00:08.2
	echo 0000:00:08.1 >/sys/bus/pci/drivers_probe
}

has_driver() {
	[[ $(driver_of "$1") == "$2" ]]
}

@test "--bind of a group whose functions have drivers: all are bound before the first is opened" {
	take 00:08.0 00:08.1 00:08.2
	echo 0000:00:08.1 >/sys/bus/pci/drivers_probe
	until_true has_driver 00:08.1 virtio-pci
	works hold --bind 00:08.0 00:08.1
	assert_equal "$(driver_of 00:08.1)" vfio-pci
	works enable 00:08.0 msi 1
	works enable 00:08.1 msix 1
	works release 00:08.0 00:08.1
	none_has_vfio 00:08.0 00:08.1
	until_true has_driver 00:08.1 virtio-pci

	# all or none: there is no fffe:ff:1f.7
	fails 3 hold --bind 00:08.0 00:08.1 fffe:ff:1f.7
	nobody_holds
	none_has_vfio 00:08.0 00:08.1
	until_true has_driver 00:08.1 virtio-pci
}

@test "hold of several fails: what the group's holder took for it is let go again" {
	local holder

	take 00:08.0 00:08.1 00:08.2
	works hold --bind 00:08.0
	holder=$(dev=00:08.0 holder)
	fails 3 hold --bind 00:08.2 fffe:ff:1f.7
	refused 3 'nobody holds it' release 00:08.2
	assert_equal "$(dev=00:08.0 holder)" "$holder"
	works enable 00:08.0 msi 1
	works release 00:08.0
	none_has_vfio 00:08.0 00:08.2
	echo 0000:00:08.1 >/sys/bus/pci/drivers_probe
}

@test "--bind: a driver that is not there any more is told, by release and by the status of --foreground" {
	take "$nvme"
	modprobe nvme
	until_true has_driver "$nvme" nvme
	works hold --bind "$nvme"
	modprobe -r nvme
	refused 1 'release: it is let go, but its driver could not be given back: .*nvme did not take it back' \
		release "$nvme"
	hinted "msictl unbind $nvme"
	nobody_holds
	modprobe nvme
	works unbind "$nvme"
	until_true has_driver "$nvme" nvme

	in_background hold --foreground --bind "$nvme"
	until_true grep -qs 'held by pid' "$log"
	modprobe -r nvme
	kill -TERM "$pid"
	ended 1
	grep -q 'its driver could not be given back' "$log.err"
	modprobe nvme
	works unbind "$nvme"
	take "$nvme"
	modprobe -r nvme
}

@test "--bind --keep: who has it since the kernel took it keeps it when the holder ends" {
	local holder

	take "$nvme"
	modprobe nvme
	until_true has_driver "$nvme" nvme
	works hold --bind --keep "$nvme"
	holder=$(holder)
	unbind "$nvme"
	give "$nvme"
	works release "$nvme"
	until_true dead "$holder"
	assert_equal "$(driver_of "$nvme")" vfio-pci
	works unbind "$nvme"
	take "$nvme"
	modprobe -r nvme
}

@test "--bind: the driver it had is given back by release, and by SIGTERM" {
	local words

	take "$nvme"
	modprobe nvme
	until_true has_driver "$nvme" nvme
	works hold --bind "$nvme"
	assert_equal "$(driver_of "$nvme")" vfio-pci
	works enable "$nvme" msix 4
	works release "$nvme"
	assert_equal "$(driver_of "$nvme")" nvme

	# as the unit has it
	read -ra words < <(sed -n 's/^ExecStart=[^ ]* //p' "$tests/../systemd/msictl-hold@.service.in")
	in_background "${words[@]/\%i/$nvme}"
	until_true grep -qs 'held by pid' "$log"
	works enable "$nvme" msix 4
	kill -TERM "$pid"
	ended 0
	assert_equal "$(driver_of "$nvme")" nvme
	take "$nvme"
	modprobe -r nvme
}
