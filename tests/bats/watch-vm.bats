#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Devices of VMs, whose interrupts may bypass the counters of the host.

load ../watch

# opened_by COMM PID SLOT - a process that holds the group of a function
opened_by() {
	group=$(readlink "$tree/sys/bus/pci/devices/0000:$3/iommu_group")
	mkdir -p "$tree/proc/$2/fd"
	echo "$1" >"$tree/proc/$2/comm"
	ln -s "/dev/vfio/${group##*/}" "$tree/proc/$2/fd/23"
}

# driven_by DRIVER SLOT
driven_by() {
	mkdir -p "$tree/sys/bus/pci/drivers/$1"
	ln -sfn "../../../../bus/pci/drivers/$1" "$tree/sys/bus/pci/devices/0000:$2/driver"
}

# given_to_vm COMM - 04:00.0 belongs to a process
given_to_vm() {
	grow
	opened_by "$1" 4711 04:00.0
}

@test "a VM's device: posted interrupts may bypass the counters, silence means nothing" {
	given_to_vm qemu-system-x86
	works --root "$tree" watch 04:00.0 03:00.0 --iterations 1
	noted '04:00\.0 is held by qemu-system-x86 \(PID 4711\): interrupts posted to a VM bypass the host.s counters'
	assert_equal "$(wc -l <<<"$stderr")" 1
	term_start --root "$tree" watch 04:00.0 -d 100ms
	term_expect '^04:00\.0 is held by qemu-system-x86 \(PID 4711\): interrupts posted'
	term_expect '^12 silent: msix 0-11$'
	term_key q
	term_ended 0
}

@test "devices of VMs among all functions: each has its row and its mark, counted or not" {
	given_to_vm qemu-system-x86
	# a variant driver of VFIO
	driven_by mlx5_vfio_pci 05:00.0
	opened_by cloud-hypervisor 4712 05:00.0
	works --root "$tree" watch -n 1
	assert_line --regexp '^04:00\.0 +vfio-pci +12 +0 +0 .* posted$'
	assert_line --regexp '^05:00\.0 +mlx5_vfio_pci +3 +0 +36 .* posted$'
	refute_line --regexp '^[0-9]+ silent: .*04:00\.0'
	noted '^msictl: 04:00\.0 is held by qemu-system-x86 \(PID 4711\), 05:00\.0 by cloud-hypervisor \(PID 4712\): interrupts posted'
	works --root "$tree" --json watch -n 1
	json '.devices | map(select(.posted_possible) | [.slot, .mark, .held_by.command, .held_by.pid]) ==
		[["04:00.0", "posted", "qemu-system-x86", 4711], ["05:00.0", "posted", "cloud-hypervisor", 4712]]'
	json '.devices | map(select(.posted_possible | not)) | length > 8 and all(.mark == null and .held_by == null)'
	works --root "$tree" --json watch 05:00.0 03:00.0 -n 1
	json '.vectors | all((.slot == "05:00.0") == .posted_possible)'
	works --root "$tree" -n watch 05:00.0 -n 1 -o vector,holder
	assert_line --regexp '^ *0  cloud-hypervisor$'
	# counters and pages say it, too
	works --root "$tree" --json counters 05:00.0
	json '.posted_possible and .held_by == {"pid": 4712, "command": "cloud-hypervisor"}'
	noted '^msictl: 05:00\.0 is held by cloud-hypervisor \(PID 4712\): interrupts posted'
	works --root "$tree" --json counters 03:00.0
	json '.posted_possible == false and .held_by == null'
	assert_equal "$stderr" ''
	works --root "$tree" counters --openmetrics
	assert_line 'msictl_posted_possible{device="0000:04:00.0"} 1'
	assert_line 'msictl_posted_possible{device="0000:03:00.0"} 0'
	noted '04:00\.0 is held by'
}

@test "VMs that start and end while they are watched" {
	grow
	watch_start 04:00.0 03:00.0 -d 100ms
	opened_by qemu-system-x86 4711 04:00.0
	# it arms a vector more: seen at once
	echo msix >"$tree/sys/bus/pci/devices/0000:04:00.0/msi_irqs/99"
	until_true told '.vectors | any(.posted_possible)'
	until_true grep -q '04:00\.0 is held by qemu-system-x86' "$BATS_TEST_TMPDIR/err"
	# nothing of the device itself changes: seen after some time
	rm -r "$tree/proc/4711"
	until_true told '.vectors | all(.posted_possible | not)'
	watch_ended
	assert_equal "$(grep -c 'is held by' "$BATS_TEST_TMPDIR/err")" 1
	json_lines '.[0].vectors | all(.posted_possible == false)'
	json_lines 'all(.[].vectors[] | select(.slot == "03:00.0"); .posted_possible == false)'
}

@test "a vector of a VM that fired once is not marked, nor by a device without one" {
	given_to_vm qemu-system-x86
	counts 42 1,0
	counts 34 1,0
	watch_start 04:00.0 03:00.0 -d 200ms
	until_true told '.vectors | any(.slot == "03:00.0" and .mark == "once")'
	next_refresh
	watch_ended
	json_lines 'all(.[].vectors[] | select(.slot == "04:00.0"); .mark == null)'
}

@test "a device that another msictl drives gets no such sentence" {
	given_to_vm msictl
	works --root "$tree" watch 04:00.0 --iterations 1
	assert_equal "$stderr" ''
}
