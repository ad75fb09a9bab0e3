#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# list, info, counters: what they show of real devices, and that looking changes
# nothing.

load helpers

setup_file() {
	give "$xhci" "$edu" "$e1000e" "$nvme"
}

teardown() {
	dev_clean
}

# index WORD COUNT FLAGS - in $output, an info
index() {
	[[ $output == *"{\"index\":\"$1\",\"count\":$2,\"flags\":[$3]"* ]] || fail "no $1 $2 $3 in $output"
}

# Where nobody may go to root's files.
as_nobody() {
	cp "$MSICTL" /tmp/msictl-for-nobody
	chmod 755 /tmp/msictl-for-nobody
	setpriv --reuid 65534 --regid 65534 --clear-groups /tmp/msictl-for-nobody "$@"
}

@test "info of all four devices: capabilities, indexes, flags in words" {
	local msix='"EVENTFD"'
	dynamic || msix='"EVENTFD","NORESIZE"'

	works --json info "$xhci"
	says id='"1033:0194"' driver='"vfio-pci"' group="$(group_of "$xhci")" memory_decode=true
	says offset=112 maximum=16 address64=true maskable=false control=$((0x88))
	index intx 1 '"EVENTFD","MASKABLE","AUTOMASKED"'
	index msi 16 '"EVENTFD","NORESIZE"'
	index msix 16 "$msix"
	index err 1 '"EVENTFD","NORESIZE"'
	index req 1 '"EVENTFD","NORESIZE"'
	noted 'is opened for a moment, which resets it'

	works --json info "$edu"
	says id='"1234:11e8"' msix=null
	index msi 1 '"EVENTFD","NORESIZE"'
	[[ $output == *'"index":"msix","count":0,'*'"note":"the device has none"'* ]]
	[[ $output == *'"index":"err","count":null,'*'"note":"not PCIe"'* ]]

	works --json info "$e1000e"
	says id='"8086:10d3"' table='{"bar":3,"offset":0}' pba='{"bar":3,"offset":8192}'
	index msi 1 '"EVENTFD","NORESIZE"'
	index msix 5 "$msix"

	works --json info "$nvme"
	says id='"1b36:0010"' msi=null table='{"bar":0,"offset":8192}'
	index msix 65 "$msix"
	index msi 0 '"EVENTFD","NORESIZE"'
}

@test "wait on a device that somebody else drives: vectors that it lacks are refused at once" {
	refused 2 '^.*wait: msix has vectors 0-64, 65 is beyond$' wait "$nvme" msix 65
	refused 1 'wait: the device has no msi$' wait "$nvme" msi 0
	refused 2 'wait: Linux has no IRQ for err, so it counts none$' wait "$nvme" err 0
	hinted "msictl run $nvme -c 'enable err 1; wait err 0'"
	refused 8 'msix 64 did not count 1 within' wait "$nvme" msix 64 --timeout 1ms
}

@test "info of a device that is held: not disturbed, the holder is named" {
	local msix
	dev_start "$nvme"
	dev_send 'enable msix 0-3,6'
	works info "$nvme"
	assert_line --regexp "held by pid $dev_pid \(msictl\) \(EBUSY\)"
	assert_line --regexp '^power +D0, memory decode on, bus mastering on$'
	assert_line --regexp '^msix +on, control 0x8040'
	handlers "$nvme" msix | while read -r vector irq; do
		assert_line --regexp "^msix +$vector +armed +$irq +0 .*vfio-msix\[$vector\]\(0000:$nvme\)"
	done
	works --json list
	[[ $output == *"\"device\":\"0000:$nvme\","*'"msix":{"enabled":'*',"maximum":65},"allocated":'"$(allocated "$nvme"),\"armed\":5,"* ]]
	# and it works on
	dev_send 'trigger msix 0-3,6' 'wait msix 0-3,6 --timeout 5s'
	says missing=[]
	# eventfds that were only signalled count for nobody but their holder
	works --json counters "$nvme" 6
	says vector=6 state='"armed"' count=0
	dev_stop
}

@test "info inside a session: the counts of the eventfds" {
	dev_start "$e1000e"
	dev_send 'enable msix 3' 'trigger msix 0,2 --count 2' counters
	[[ $output == *'"index":"msix","vector":0,"state":"armed",'*'"count":2'* ]]
	dev_send info
	says driver='"vfio-pci"' bus_master=true
	index msi 1 '"EVENTFD","NORESIZE"'
	dev_stop
}

@test "info --table: the entries, and what is pending" {
	dev_start "$e1000e"
	dev_send 'enable msix 2' 'info --table'
	[[ $output =~ \"vector\":0,[^}]*\"address\":4276[0-9]+ ]] || fail "no address of a local APIC in $output"
	dev_send 'mask msix 1' 'info --table'
	[[ $output =~ \"vector\":1,[^}]*\"masked\":true ]] || fail "vector 1 is not masked in $output"
	# memory decode off: a sentence in place of the table, and no signal
	dev_send 'write config 0x4 w 0' 'info --table'
	[[ $output == *'memory decode is off'* || $output == *'memory decode'* ]]
	dev_send 'read config 0 l'
	says value=$((0x10d38086))
	dev_stop
}

# counted - "IRQ COUNT ACTION" of the network card, by the kernel
counted() {
	awk '$NF ~ /^eth/ {
		for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i
		print $1 + 0, n + 0, $NF
		n = 0
	}' /proc/interrupts
}

@test "a native driver: the counts are those of /proc/interrupts" {
	local name
	modprobe -r e1000e
	take "$e1000e"
	modprobe e1000e
	name=$(ls "$(sys "$e1000e" net)")
	ip link set "$name" up
	until_true grep -q "$name" /proc/interrupts
	works --json counters "$e1000e"
	[[ $(grep -o '"vector":' <<<"$output" | wc -l) == "$(allocated "$e1000e")" ]]
	# it counts meanwhile
	counted >"$BATS_TEST_TMPDIR/before"
	works -n -o irq,count,action counters "$e1000e"
	counted >"$BATS_TEST_TMPDIR/after"
	paste "$BATS_TEST_TMPDIR/before" - "$BATS_TEST_TMPDIR/after" <<<"$output" >"$BATS_TEST_TMPDIR/all"
	awk '!($1 == $4 && $4 == $7 && $2 <= $5 && $5 <= $8 && $3 == $6) { exit 1 } END { exit NR != 3 }' \
		"$BATS_TEST_TMPDIR/all" || fail "$(<"$BATS_TEST_TMPDIR/all")"
	works -n -o device,driver,irqs,armed,count list --slot "$e1000e"
	assert_output --regexp "^$e1000e +e1000e +$(allocated "$e1000e") +[1-9]+ +[0-9]+\$"
	works info "$e1000e"
	assert_line --partial 'driven by e1000e, not by vfio-pci'
	assert_line --partial "hint: msictl bind $e1000e"
	# what another driver owns is looked at, not driven
	refused 5 'driven by e1000e, not by vfio-pci' run "$e1000e" -c help
	ip link set "$name" down
	modprobe -r e1000e
	give "$e1000e"
}

@test "looking changes nothing" {
	local devices=("$xhci" "$edu" "$nvme" 00:08.0 00:08.1) asleep
	# the first to open it finds bus mastering as the firmware left it, the kernel clears it
	works info "$nvme"
	snapshot "${devices[@]}" >"$BATS_TEST_TMPDIR/before"
	# an earlier test's device falls asleep when nobody has it open
	until_true grep -q suspended "$(sys "$nvme" power/runtime_status)"
	asleep=$(power "$nvme")
	works list
	works info --no-open --table --all "$nvme"
	works counters "$nvme"
	works probe --static "$nvme"
	works --dry-run bind 00:08.1
	assert_equal "$(power "$nvme")" "$asleep"

	for device in "$edu" "$nvme" 00:08.0 00:08.1; do
		works info "$device" --table --all
	done
	works probe "$xhci"
	works --dry-run run "$nvme" -c 'enable msix 8; resize msix 4; mask msix 0; write config 4 w 6; reset; disable msix'
	diff "$BATS_TEST_TMPDIR/before" <(snapshot "${devices[@]}")
}

@test "not root: what can be seen, and what would show the rest" {
	dev_start "$nvme"
	dev_send 'enable msix 2'
	run --separate-stderr -0 as_nobody list
	assert_line --regexp "^$nvme .* vfio-pci +$(group_of "$nvme") +- +- +2 +2 +0\$"
	noted '<access denied>'
	hinted 'sudo msictl list'
	run --separate-stderr -0 as_nobody info "$nvme"
	assert_line --regexp '^msix +<access denied>$'
	assert_line --regexp "cannot open /dev/vfio/$(group_of "$nvme") \(EACCES\)"
	assert_line --regexp '^msix +1 +armed +[0-9]+ +0'
	run --separate-stderr -0 as_nobody counters "$nvme"
	assert_line --regexp '^msix +1 +armed'
	dev_stop
	run --separate-stderr -4 as_nobody run "$nvme" -c help
	one_sentence "run: cannot open /dev/vfio/$(group_of "$nvme") \(EACCES\)"
	hinted 'run as root, or: chown'
}

@test "not root, with the group: VFIO tells the capabilities that /sys shows root alone" {
	local device

	for device in "$nvme" "$xhci"; do
		chown 65534 "/dev/vfio/$(group_of "$device")"
	done
	run --separate-stderr -0 as_nobody --json info --table "$nvme"
	says capabilities_source='"vfio"' capabilities_problem=null msi=null maximum=65 \
		table='{"bar":0,"offset":8192}'
	lacks table_reason
	refute_output --partial 'access denied'
	run --separate-stderr -0 as_nobody info "$nvme"
	assert_line --regexp '^msix +off, control 0x0040 at 0x40, 65 offered'
	assert_line --regexp '^config +the capabilities are told by VFIO: /sys shows others than root 64 bytes$'
	[[ $stderr != *'access denied'* && $stderr != *sudo* ]]
	# MSI-X by its real control word; of MSI VFIO tells what is offered, and not whether it is on
	run --separate-stderr -0 as_nobody --json run "$nvme" -c 'enable msix 2'
	says control_source='"vfio"' control_enabled=true armed=[0,1]
	run --separate-stderr -0 as_nobody --json run "$xhci" -c 'enable msi 1; info'
	says capabilities_source='"vfio"' enabled=null granted=null maximum=16
	lacks control_enabled
	for device in "$nvme" "$xhci"; do
		chown 0 "/dev/vfio/$(group_of "$device")"
	done
	works --json info "$nvme"
	says capabilities_source='"sysfs"'
}
