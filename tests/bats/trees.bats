#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# list, info, counters and probe on captured machines. What they should say is
# taken from the trees by other means.

load ../helpers

roots=$tests/root

# trees - all captured machines
trees() {
	printf '%s\n' "$roots"/*.capture | while read -r file; do basename "$file" .capture; done
}

# functions TREE - all addresses in it
functions() {
	ls "$(unpacked "$1")/sys/bus/pci/devices"
}

# counted TREE BDF - "IRQ COUNT" of its IRQs in msi_irqs, by /sys/kernel/irq
counted() {
	local irq root

	root=$(unpacked "$1")
	for irq in "$root/sys/bus/pci/devices/$2/msi_irqs"/*; do
		[[ -e $irq ]] || continue
		echo "${irq##*/} $(($(tr , + <"$root/sys/kernel/irq/${irq##*/}/per_cpu_count")))"
	done | sort -n
}

@test "list: one row per function with MSI or MSI-X, all known by their own files" {
	local tree bdf n
	for tree in $(trees); do
		works --root "$roots/$tree.capture" --json list
		json '.devices | length > 0 and all(
			(.device | test("^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f][.][0-7]$")) and
			(.name | type == "string") and (.driver | type == "string" or . == null) and
			(.group | type == "number" or . == null) and (.msi != null or .msix != null) and
			([.msi, .msix] | map(select(. != null)) | all(.enabled <= .maximum and .maximum >= 1)) and
			.armed <= .allocated and (.count | type == "number"))'
		json '[.devices[].device] | . == sort and . == unique'
		for bdf in $(jq -r '.devices[].device' <<<"$output"); do
			n=$(ls "$(unpacked "$tree")/sys/bus/pci/devices/$bdf/msi_irqs" 2>/dev/null | wc -l)
			json --arg bdf "$bdf" --argjson n "$n" --argjson sum "$(counted "$tree" "$bdf" | awk '{ n += $2 } END { print n + 0 }')" \
				'.devices[] | select(.device == $bdf) | $n == 0 or (.allocated == $n and .count == $sum)'
		done
	done
}

@test "counters: equal to the tree's own, keyed by IRQ" {
	local tree bdf
	for tree in intel-remap intel-remap-6.1 intel-noremap amd-remap arm64-its pseries vm-guest; do
		for bdf in $(functions "$tree"); do
			works --root "$roots/$tree.capture" --json counters "$bdf"
			json --arg host "$(counted "$tree" "$bdf")" '
				[.vectors[] | select(.index != "intx") | [.irq, .count]] | sort | map(join(" ")) | join("\n") == $host'
		done
	done
}

@test "counters without /sys/kernel/irq: those of /proc/interrupts" {
	captured intel-remap "$BATS_TEST_TMPDIR/tree"
	rm -r "$BATS_TEST_TMPDIR/tree/sys/kernel/irq"
	works --root "$BATS_TEST_TMPDIR/tree" --json counters 03:00.0
	# the three differ from those of /sys/kernel/irq: they were captured later
	json '[.vectors[] | [.irq, .count, .action]] == [[34,26,"eth0-rx-0"],[35,12,"eth0-tx-0"],[36,1,"eth0"]]'
}

@test "an IRQ without its folder in /sys/kernel/irq is told from /proc/interrupts, which is said" {
	local tree=$BATS_TEST_TMPDIR/tree

	captured intel-remap "$tree"
	rm -r "$tree/sys/kernel/irq/43"
	grep -q '^ *43: .*vfio-msix\[1\](0000:04:00.0)' "$tree/proc/interrupts"
	works --root "$tree" --json info 04:00.0
	json '[.vectors[] | select(.state == "armed") | [.vector, .irq, .source]] ==
		[range(8) | [., . + 42, (if . == 1 then "proc" else "sysfs" end)]]'
	noted '^1 of 12 Linux IRQs have no folder in /sys/kernel/irq: /proc/interrupts tells of them$'
	works --root "$tree" --json list
	json '.devices[] | select(.slot == "04:00.0") | .allocated == 12 and .armed == 8 and .source == "sysfs,proc"'
	works --root "$tree" -o vector,state,source counters 04:00.0 1-2
	assert_line --regexp '^ *1 +armed +proc$'
	assert_line --regexp '^ *2 +armed +sysfs$'
	# nothing tells of it: that is no "none"
	rm "$tree/proc/interrupts"
	works --root "$tree" --json info 04:00.0
	json '[.vectors[] | select(.irq == 43) | [.vector, .state, .source]] == [[null, "unknown", null]]'
	noted '^of 1 of 12 Linux IRQs neither /sys/kernel/irq nor /proc/interrupts tells$'
	works --root "$tree" --json list
	json '.devices[] | select(.slot == "04:00.0") | .allocated == 12 and .armed == null and .source == "sysfs"'
}

@test "a count that is not known is none: list, watch of all functions" {
	local tree=$BATS_TEST_TMPDIR/tree

	captured intel-remap "$tree"
	# of one of its three
	rm "$tree/sys/kernel/irq/35/per_cpu_count" "$tree/proc/interrupts"
	works --root "$tree" --json list
	json '[.devices[] | .count == null] == [.devices[] | .slot == "03:00.0"]'
	works --root "$tree" --json watch --iterations 2 --delay 100ms
	json_lines '.[1].devices | length > 1 and all((.count == null) == (.slot == "03:00.0") and
		(.delta == null) == (.slot == "03:00.0") and (.rate == null) == (.slot == "03:00.0"))'
	# of all of them
	rm "$tree"/sys/kernel/irq/*/per_cpu_count
	works --root "$tree" list
	assert_line --regexp '^03:00[.]0 .* -$'
	works --root "$tree" watch --iterations 1
	assert_line --regexp '^03:00[.]0 .* - '
	refute_output --partial silent
}

@test "counters of chosen vectors, with and without headings" {
	works --root "$roots/intel-remap.capture" counters 03:00.0 1-2
	assert_equal "${#lines[@]}" 3
	assert_line --index 0 --regexp '^INDEX +VECTOR +STATE +IRQ +COUNT$'
	assert_line --index 2 --regexp '^msix +2 +armed +36 +1$'
	works --root "$roots/intel-remap.capture" -n -o vector,count counters 03:00.0 0,2
	assert_equal "$(tr -s ' ' <<<"$output" | sed 's/^ //')" $'0 21\n2 1'
}

@test "info: the same devices on all machines, capabilities decoded" {
	local tree
	for tree in intel-remap intel-remap-6.1 intel-remap-off-at-boot intel-noremap arm64-its arm64-gicv2m; do
		works --root "$roots/$tree.capture" --json info 01:00.0
		json '.device == "0000:01:00.0" and .id == "1033:0194" and .capabilities.msi.maximum == 16 and
			.capabilities.msi.address64 and (.capabilities.msi.maskable | not) and
			.capabilities.msix.maximum == 16 and .capabilities.msix.table == {"bar":0,"offset":12288}'
		works --root "$roots/$tree.capture" --json info 02:00.0
		json '.capabilities.msix == null and .capabilities.msi.maximum == 1'
		works --root "$roots/$tree.capture" --json info 03:00.0
		json '.driver == "e1000e" and .capabilities.msix == (.capabilities.msix + {
			"maximum":5,"table":{"bar":3,"offset":0},"pba":{"bar":3,"offset":8192},"reserved":0})
			and [.vectors[].state] == ["armed","armed","armed"]'
		works --root "$roots/$tree.capture" --json info 04:00.0
		json '.capabilities.msi == null and .capabilities.msix.maximum == 65 and
			.capabilities.msix.table == {"bar":0,"offset":8192}'
	done
}

@test "info: vectors by state, in the chip names of two kernels" {
	works --root "$roots/intel-remap.capture" --json info 04:00.0
	json '[.vectors[] | select(.state == "armed") | [.vector, .irq]] == [range(8) | [., . + 42]]'
	json '[.vectors[] | select(.state == "allocated") | .vector] == [8,9,10,11] and .none.msix == "12-64"'
	json '.vectors[0] | .action == "vfio-msix[0](0000:04:00.0)" and .chip == "IR-PCI-MSIX-0000:04:00.0" and
		.affinity == "0-1" and .effective == "1"'
	works --root "$roots/intel-remap-6.1.capture" --json info 04:00.0
	json '[.vectors[] | [.vector, .state]] == [range(8) | [., "armed"]] and .vectors[0].chip == "IR-PCI-MSI"'
	works --root "$roots/intel-remap.capture" --json info 06:00.0
	json '.vectors | map(select(.index == "intx")) | length == 1 and .[0].state == "armed"'
	works --root "$roots/pseries.capture" --json info 0002:00:00.0
	json '[.vectors[] | select(.index == "msi") | .vector] == [0] and .capabilities.msi.maximum == 16'
}

@test "info in words: states, power, bus mastering, why it was not opened" {
	works --root "$roots/intel-remap.capture" info 04:00.0
	assert_line --index 0 '04:00.0  Red Hat, Inc. QEMU NVM Express Controller [1b36:0010]'
	assert_line --regexp '^driver +vfio-pci$'
	assert_line --regexp '^power +D0, memory decode on, bus mastering off'
	assert_line --regexp '^msix +on, control 0x8040 at 0x40, 65 offered, table bar0\+0x2000, PBA bar0\+0x3000$'
	assert_line --partial 'a captured tree has no device to open'
	assert_line --regexp '^msix +11 +allocated +53 +0 '
	assert_line 'msix vectors 12-64: none'
}

@test "a simulated or served device is none of a captured tree" {
	refused 1 'a captured tree has no device to open' --root "$roots/intel-remap.capture" info sim
	refused 1 'a captured tree has no device to open' --root "$roots/intel-remap.capture" info vfio-user:/nobody
	works --root "$roots/intel-remap.capture" probe sim
	assert_line --partial 'unknown'
}

# verdict TREE YES|NO|UNKNOWN WHAT VALUE - probe's word, and a piece of evidence
verdict() {
	works --root "$roots/$1.capture" --json probe
	json --arg verdict "$2" --arg what "$3" --arg value "$4" '
		.multivector == $verdict and (.evidence | any(.what == $what and (.value | test($value)))) and
		(.evidence | all((.what | test("^[a-z0-9-]+$")) and (.value | length > 0) and (.source | length > 0)))'
}

@test "probe: state of the host, not its capability, decides" {
	verdict intel-remap yes remapping 'is on$'
	verdict intel-remap-6.1 yes remapping 'is on$'
	verdict intel-noremap no remapping-capability 'cannot remap'
	verdict intel-remap-off-at-boot no remapping-capability 'could remap'
	verdict intel-remap-off-at-boot no command-line 'intremap=off'
	verdict amd-remap yes remapping 'is on$'
	verdict amd-noremap no remapping 'is off$'
	verdict amd-noremap no remapping-capability 'shows the same with remapping on and off'
	verdict arm64-its yes msi-controller ITS
	verdict arm64-gicv2m unknown msi-controller GICv2m
	verdict pseries unknown rtas MSI
	verdict vm-guest no iommu 'no IOMMU'
}

@test "probe DEVICE: what to show a guest" {
	works --root "$roots/intel-remap.capture" --json probe 01:00.0
	json '.msi == {"capability":16,"granted":null,"not_measured":.msi.not_measured,"capped":false,"powers_of_two_only":false,"guest_visible":{"vectors":16,"control":136}}'
	json '.msix.capability == 16 and .ims.verdict == "unknown" and (.ims.reason | length > 0)'
	works --root "$roots/intel-noremap.capture" --json probe 01:00.0
	json '.multivector == "no" and .msi.guest_visible == {"vectors":1,"control":128}'
	works --root "$roots/intel-remap.capture" probe 01:00.0
	assert_line --regexp '^Multivector MSI: YES'
	assert_line --regexp 'show a guest +16 +Message Control 0x0088'
	assert_line --partial '/sys/kernel/irq/*/chip_name: 49 of 51 begin with IR-'
	works --root "$roots/intel-remap-off-at-boot.capture" probe
	assert_line --regexp '^Multivector MSI: NO'
}

@test "filters in lspci's words" {
	works --root "$roots/intel-remap.capture" -n -o device list --slot 04:
	assert_equal "$output" 04:00.0
	works --root "$roots/intel-remap.capture" -n -o device list --id 1b36:0010
	assert_equal "$output" $'04:00.0\n05:00.0'
	works --root "$roots/intel-remap.capture" -n list --slot 7f:
	assert_equal "$output" ''
	refused 2 "list: -s 'xyz': Invalid" --root "$roots/intel-remap.capture" list --slot xyz
	refused 2 "list: -d 'xyz': " --root "$roots/intel-remap.capture" list --id xyz
}

@test "looking leaves a tree as it was" {
	captured intel-remap "$BATS_TEST_TMPDIR/tree"
	local before
	before=$(cd "$BATS_TEST_TMPDIR/tree" && find . -type f -exec cksum {} + | sort)
	for words in list 'info 04:00.0 --table --all' 'counters 03:00.0' 'probe 01:00.0' '--dry-run probe 01:00.0'; do
		# shellcheck disable=SC2086
		works --root "$BATS_TEST_TMPDIR/tree" $words
	done
	assert_equal "$(cd "$BATS_TEST_TMPDIR/tree" && find . -type f -exec cksum {} + | sort)" "$before"
}

# words LENGTH LETTER - one word
words() {
	printf "%*s" "$1" "" | tr ' ' "$2"
}

@test "names, lists of CPUs and the command line are told whole" {
	local tree=$BATS_TEST_TMPDIR/tree driver override action cpus

	captured intel-remap "$tree"
	driver=$(words 200 d) override=$(words 300 o) action=$(words 400 a)
	cpus=$(seq -s, 0 2 1022)
	mkdir "$tree/sys/bus/pci/drivers/$driver"
	ln -sfn "../../../../bus/pci/drivers/$driver" "$tree/sys/bus/pci/devices/0000:03:00.0/driver"
	echo "$override" >"$tree/sys/bus/pci/devices/0000:03:00.0/driver_override"
	echo "$action" >"$tree/sys/kernel/irq/34/actions"
	echo "$cpus" >"$tree/proc/irq/34/smp_affinity_list"
	echo "$cpus" >"$tree/proc/irq/34/effective_affinity_list"
	echo "$(words 5000 q) vfio.first=1 vfio.$(words 300 v)=2 pci=nomsi" >"$tree/proc/cmdline"
	works --root "$tree" --json info 03:00.0
	json --arg d "$driver" --arg o "$override" '.driver == $d and .driver_override == $o'
	json --arg a "$action" --arg c "$cpus" '.vectors[] | select(.irq == 34) |
		.action == $a and .affinity == $c and .effective == $c'
	works --root "$tree" info 03:00.0
	assert_line --partial "driver   $driver, driver_override $override"
	works --root "$tree" --json counters 03:00.0
	json --arg a "$action" --arg c "$cpus" '.vectors[] | select(.irq == 34) |
		.action == $a and .affinity == $c and .effective == $c'
	works --root "$tree" --json list
	json --arg d "$driver" '.devices[] | select(.slot == "03:00.0") | .driver == $d'
	works --root "$tree" --json probe
	json '.evidence[] | select(.what == "command-line") |
		.value | startswith("booted with vfio.first=1 vfio.v") and endswith("=2 pci=nomsi")'
}

@test "a device's long name in pci.ids is told whole" {
	local tree=$BATS_TEST_TMPDIR/tree ids=/usr/share/misc/pci.ids name

	# the longest of the list, which has more than 127 bytes
	name=$(awk -F'  ' '/^15b3/ { vendor = $2; on = 1; next } /^[^\t#]/ { on = 0 }
		on && /^\t6340 / { print vendor " " $2; exit }' "$ids" 2>/dev/null) || true
	((${#name} > 127)) || skip "no such name in $ids"
	captured intel-remap "$tree"
	echo 0x15b3 >"$tree/sys/bus/pci/devices/0000:03:00.0/vendor"
	echo 0x6340 >"$tree/sys/bus/pci/devices/0000:03:00.0/device"
	works --root "$tree" --json list
	json --arg name "$name" '.devices[] | select(.slot == "03:00.0") | .name == $name'
	works --root "$tree" --json info 03:00.0
	json --arg name "$name" '.name == $name'
	works --root "$tree" probe 03:00.0
	assert_line --partial "$name"
}
