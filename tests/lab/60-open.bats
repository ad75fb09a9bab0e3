#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What keeps a device from being opened, and limits of the process.

load helpers

setup_file() {
	give "$xhci" "$nvme"
}

teardown() {
	dev_clean
	[[ ! -e $unsafe ]] || remapped || echo Y >"$unsafe"
}

unsafe=/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts

@test "the group is not viable: 6, naming the member and its driver" {
	local group
	group=$(group_of 00:08.0)
	give 00:08.0
	refused 6 "^00:08.0: run: IOMMU group $group is not viable: 00:08\.1 has virtio-pci \(EPERM\)\$" run 00:08.0 -c help
	hinted 'msictl bind 00:08\.1'
	works info 00:08.0
	assert_output --partial "not viable: 00:08.1 has virtio-pci"
	# without a driver a member is harmless
	echo 0000:00:08.1 >"$(sys 00:08.1 driver/unbind)"
	works run 00:08.0 -c 'enable msi 1; trigger msi 0; wait msi 0'
	# a second function of the group is the first holder's
	give 00:08.2
	dev_start 00:08.0
	dev_send 'enable msi 1'
	refused 5 "held by pid $dev_pid" run 00:08.2 -c help
	dev_stop
	take 00:08.0 00:08.2
	echo 0000:00:08.1 >/sys/bus/pci/drivers_probe
}

@test "no driver, another driver, no such function, a bridge" {
	refused 1 'no driver is bound, vfio-pci is needed' run 00:08.0 -c help
	hinted 'msictl bind 00:08\.0'
	refused 5 'driven by virtio-pci, not by vfio-pci' run 00:08.1 -c help
	refused 5 'driven by pcieport, not by vfio-pci' run 00:01.0 -c help
	refused 3 'there is no PCI function 0000:7f:00\.0 \(ENODEV\)' run 7f:00.0 -c help
	refused 3 'there is no PCI function' shell 7f:00.0
	refused 2 'is no PCI address' run nonsense -c help
}

@test "no remapping, and nobody allowed it: EPERM, and the switch" {
	! remapped || skip 'there is remapping'
	echo N >"$unsafe"
	refused 4 '^04:00.0: run: the container got no IOMMU: this host has no interrupt remapping.*\(EPERM\)$' run "$nvme" -c help
	hinted "echo 1 > $unsafe"
	works probe "$nvme"
	assert_output --partial 'assignment without remapping is not allowed'
	works info "$nvme"
	assert_output --partial 'no interrupt remapping'
	echo Y >"$unsafe"
	works run "$nvme" -c help
}

@test "nodes that the kernel has and this /dev has not: named, and the hints make them" {
	local script

	# shellcheck disable=SC2016
	script='mount -t tmpfs none /dev/vfio
		for i in 1 2; do
			"$0" run "$1" -c help 2>&1 >/dev/null | tee /dev/fd/3 |
				sed -n "s/^hint: \(.*\)   (.*/\1/p" >"$2"
			sh -e "$2"
		done 3>&1
		exec "$0" run "$1" -c help'
	run -0 unshare --mount sh -ec "$script" "$MSICTL" "$nvme" "$BATS_TEST_TMPDIR/hint"
	assert_line --partial 'the kernel has the VFIO device vfio (10:196), but /dev/vfio/vfio is not there (ENOENT)'
	assert_line --regexp "the kernel has the VFIO device $(group_of "$nvme") \\([0-9]+:[0-9]+\\), but /dev/vfio/"
	refute_line --partial modprobe
}

@test "descriptors: the limit is raised when it is too low" {
	run --separate-stderr -0 bash -c 'ulimit -Sn 40; "$MSICTL" run "$1" -c "enable msix 65; trigger msix 0-64; wait msix 0-64"' - "$nvme"
	noted '^descriptor limit raised to [0-9]+$'
	assert_line --partial '65 armed of 65'
}

# limited N WORD... - msictl with N descriptors, of which bats has none, and no way to
# more: root may raise the limit, unless it gave that right away
limited() {
	# the inner shell expands its own words
	# shellcheck disable=SC2016
	run --separate-stderr bash -c 'for fd in /proc/$$/fd/*; do
			fd=${fd##*/}
			((fd < 3)) || exec {fd}>&-
		done
		exec setpriv --bounding-set=-sys_resource --inh-caps=-sys_resource -- \
			prlimit --nofile="$0:$0" "$MSICTL" "$@"' "$@"
}

@test "descriptors: what cannot be raised is said, and nothing is armed" {
	limited 40 run "$nvme" -c 'enable msix 65'
	assert_failure 1
	[[ ! $output ]]
	one_sentence '^-c:1: 04:00.0: enable: 65 eventfds are needed, the descriptor limit of 40 can.t be raised so far \(EMFILE\)$'
	hinted 'ulimit -Hn'
	nothing_left "$nvme"
	# what there is room for is had
	limited 40 run "$nvme" -c 'enable msix 8; trigger msix 7; wait msix 7'
	assert_success

	# so few that the device can't be opened: each step says so
	limited 10 run "$nvme" -c help
	assert_failure 1
	one_sentence '^04:00.0: run: 1 eventfd is needed, the descriptor limit of 10 can.t be raised so far \(EMFILE\)$'
	limited 7 run "$nvme" -c help
	assert_failure 1
	one_sentence "^04:00.0: run: cannot open /dev/vfio/.* \(EMFILE\)\$"
	limited 6 run "$nvme" -c help
	assert_failure 1
	one_sentence '\(EMFILE\)$'
}

@test "--trace: each call with its flags in words; one SET_IRQS to grow, whatever is live" {
	dynamic || skip 'MSI-X is NORESIZE before Linux 6.5'
	local line='VFIO_DEVICE_SET_IRQS\(index=msix start=%s count=%s DATA_EVENTFD\|ACTION_TRIGGER eventfds=%s\) = 0 \([0-9]+ us\)'
	works --trace run "$nvme" -c 'enable msix 4; resize msix 8; resize msix 65; resize msix 2'
	noted '^VFIO_GROUP_GET_STATUS\(\) = 0 \{flags=VIABLE\} '
	noted '^VFIO_DEVICE_GET_IRQ_INFO\(msix\) = 0 \{count=65 flags=EVENTFD\} '
	noted '^VFIO_DEVICE_GET_IRQ_INFO\(intx\) = 0 \{count=1 flags=EVENTFD\|MASKABLE\|AUTOMASKED\} '
	noted "^VFIO_GROUP_GET_DEVICE_FD\(0000:$nvme\) = [0-9]+ "
	# shellcheck disable=SC2059
	{
		noted "^$(printf "$line" 0 4 0-3)$"
		noted "^$(printf "$line" 4 4 4-7)$"
		noted "^$(printf "$line" 8 57 8-64)$"
	}
	noted '^VFIO_DEVICE_SET_IRQS\(index=msix start=2 count=63 DATA_EVENTFD\|ACTION_TRIGGER eventfds=none others=-1\) = 0 '
	# those four, and the disable at the end
	assert_equal "$(grep -c 'SET_IRQS(index=msix' <<<"$stderr")" 5
	assert_equal "$(grep -c '^VFIO_SET_IOMMU(TYPE1v2) = 0' <<<"$stderr")" 1
}

@test "--dry-run: the calls that would be made, and none that changes" {
	works --dry-run --trace run "$nvme" -c 'enable msix 4; mask msix 1 --by eventfd; disable msix; reset'
	assert_line 'would: VFIO_DEVICE_SET_IRQS(index=msix start=0 count=4 DATA_EVENTFD|ACTION_TRIGGER eventfds=0-3)'
	assert_line 'would: VFIO_DEVICE_RESET()'
	refute_line --partial 'armed of 65   (1 SET_IRQS, 1'
	run -1 grep -E '^VFIO_DEVICE_(RESET|SET_IRQS\(index=msix)' <<<"$stderr$output"
	run -1 grep -E '^pwrite' <<<"$stderr$output"
	nothing_left "$nvme"
}

@test "the kernel answers each SET_IRQS as the simulation does" {
	local asked=$BATS_TEST_TMPDIR/asked device

	cc -O1 -o "$BATS_TEST_TMPDIR/answers" "$tests/lab/answers.c"
	# MSI-X of 65 vectors, and MSI of 16
	for device in "$nvme" "$xhci"; do
		give "$device"
		run "$BATS_TEST_TMPDIR/answers" "$(group_of "$device")" "0000:$device"
		assert_success
		echo "$output" >>"$asked"
	done
	# each row by one of them
	assert_equal "$(sort -u "$asked" | wc -l)" "$(sed -n 's/.* of //p' "$asked" | sort -u)"
}
