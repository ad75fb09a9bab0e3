#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The lab itself: is this the machine that the other files count on?

load helpers

@test "the kernel is the wanted one" {
	assert_equal "$(uname -r)" "$LAB_KERNEL"
	assert_equal "$(nproc)" "$LAB_CPUS"
}

@test "four devices sit at their addresses" {
	assert_equal "$(<"$pci/0000:01:00.0/vendor") $(<"$pci/0000:01:00.0/device")" '0x1033 0x0194'
	assert_equal "$(<"$pci/0000:02:00.0/vendor") $(<"$pci/0000:02:00.0/device")" '0x1234 0x11e8'
	assert_equal "$(<"$pci/0000:03:00.0/vendor") $(<"$pci/0000:03:00.0/device")" '0x8086 0x10d3'
	assert_equal "$(<"$pci/0000:04:00.0/vendor") $(<"$pci/0000:04:00.0/device")" '0x1b36 0x0010'
}

@test "no driver has taken a device by itself" {
	for device in 0{1,2,3,4}:00.0 00:08.{0,2}; do
		[[ ! -e $pci/0000:$device/driver ]] || fail "$device has $(driver_of "$device")"
	done
	assert_equal "$(driver_of 00:08.1)" virtio-pci
}

@test "each device has a group, the three functions of 00:08 share one" {
	for device in 0000:0{1,2,3,4}:00.0; do
		# the device and the root port above it, if the port has no ACS
		[[ -e $pci/$device/iommu_group ]] || fail "$device has no group"
	done
	run ls "$pci/0000:00:08.0/iommu_group/devices"
	assert_output $'0000:00:08.0\n0000:00:08.1\n0000:00:08.2'
}

@test "interrupt remapping is as wanted" {
	remapped=$(grep -l -s '^\(IR-\|DMAR-MSI$\)' /sys/kernel/irq/*/chip_name | xargs -r cat | grep -c ^IR- || true)
	if [[ $LAB_INTREMAP == on ]]; then
		((remapped > 0))
	else
		((remapped == 0))
	fi
}

@test "vfio-pci can be bound by driver_override and unbound" {
	device=0000:$nvme
	group=$(group_of "$nvme")
	echo vfio-pci >"$pci/$device/driver_override"
	echo "$device" >/sys/bus/pci/drivers_probe
	assert_equal "$(driver_of "$nvme")" vfio-pci
	[[ -c /dev/vfio/$group ]]

	echo "$device" >"$pci/$device/driver/unbind"
	echo >"$pci/$device/driver_override"
	[[ ! -e $pci/$device/driver ]]
	[[ ! -e /dev/vfio/$group ]]
}

@test "a native driver can be loaded and unloaded" {
	modprobe e1000e
	assert_equal "$(driver_of 03:00.0)" e1000e
	modprobe -r e1000e
	[[ ! -e $pci/0000:03:00.0/driver ]]
}

@test "the other native drivers are at hand" {
	for module in nvme xhci-pci virtio_rng; do
		modprobe --dry-run "$module"
	done
}

@test "a device can be unplugged and plugged again" {
	unplug_nvme
	plug_nvme
	assert_equal "$(<"$pci/0000:04:00.0/device")" 0x0010
}

@test "a refused request to QEMU says why" {
	run -1 "$qmp" device_del nobody
	assert_output --partial "Device 'nobody' not found"
}
