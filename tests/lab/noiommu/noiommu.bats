#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A host that does not use its IOMMU: no groups, so no VFIO.

load ../helpers

@test "opening: 6, and what to boot with" {
	[[ ! -e $(sys "$nvme" iommu_group) ]]
	refused 6 '^04:00.0: run: no IOMMU group: the platform.s IOMMU is off or absent$' run "$nvme" -c help
	hinted 'boot with intel_iommu=on'
	fails 6 --json run "$nvme" -c help
	error not-viable 'no IOMMU group'
}

@test "binding: 6, and all is as before" {
	snapshot "$nvme" >"$BATS_TEST_TMPDIR/before"
	refused 6 '^04:00.0: bind: no IOMMU group' bind "$nvme"
	hinted 'boot with intel_iommu=on'
	diff "$BATS_TEST_TMPDIR/before" <(snapshot "$nvme")
	modprobe e1000e
	refused 6 'no IOMMU group' bind "$e1000e"
	assert_equal "$(driver_of "$e1000e")" e1000e
	modprobe -r e1000e
}

@test "what the kernel bound by itself is not opened either" {
	echo vfio-pci >"$(sys "$edu" driver_override)"
	echo "0000:$edu" >/sys/bus/pci/drivers_probe 2>/dev/null || true
	refused 6 'no IOMMU group' run "$edu" -c help
	echo >"$(sys "$edu" driver_override)"
}

@test "looking works: capabilities without a group, and why not more" {
	works -n -o device,group,msi,msi-x list
	assert_line --regexp "^$nvme +- +- +0/65\$"
	assert_line --regexp "^$xhci +- +0/16 +0/16\$"
	works info "$nvme"
	assert_line --regexp '^group +none'
	assert_line --partial 'no IOMMU group'
	works --json probe "$xhci"
	says granted=null
	works probe
	assert_line --partial 'Linux uses no IOMMU'
}
