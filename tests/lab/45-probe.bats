#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# probe: what the kernel really grants, on machines with and without remapping.

load helpers

setup_file() {
	give "$xhci" "$edu" "$e1000e" "$nvme"
}

teardown() {
	dev_clean
}

@test "xhci: yes and 16 with remapping, no and 1 without" {
	works --json probe "$xhci"
	says basis='"measured"'
	if remapped; then
		says multivector='"yes"' msi='{"capability":16,"granted":16,"not_measured":null,"capped":false,"powers_of_two_only":false,"guest_visible":{"vectors":16,"control":136}}'
	else
		says multivector='"no"' msi='{"capability":16,"granted":1,"not_measured":null,"capped":false,"powers_of_two_only":false,"guest_visible":{"vectors":1,"control":128}}'
	fi
	says msix='{"capability":16,"granted":16,"not_measured":null,"capped":false}'
	nothing_left "$xhci"
}

@test "for people" {
	works probe "$xhci"
	if remapped; then
		assert_line 'Multivector MSI: YES, 16 of 16 vectors'
		assert_line --regexp '^  show a guest +16 +Message Control 0x0088, MMC=4$'
		assert_line --regexp '^  interrupt remapping is on  +/sys/kernel/irq/\*/chip_name: [0-9]+ of [0-9]+ begin with IR-$'
	else
		assert_line 'Multivector MSI: NO, one vector only'
		assert_line --regexp '^  host grants +1 +asked 16, the answer was 1; nothing was left enabled$'
		assert_line --regexp '^  show a guest +1 +Message Control 0x0080, MMC=0$'
		noted '^hint: '
	fi
	assert_line 'MSI-X: 16 of 16 granted'
}

@test "a device of one MSI vector, and one of none: the platform's word" {
	local word=no

	! remapped || word=yes
	works --json probe "$e1000e"
	says multivector="\"$word\"" basis='"platform"' granted=1 granted=5
	works --json probe "$nvme"
	says multivector="\"$word\"" basis='"platform"' capability=0 'not_measured="the function has no MSI"' granted=65
	nothing_left "$nvme"
}

@test "the cap: at least so many" {
	works --json probe "$nvme" --cap 8
	says msix='{"capability":65,"granted":8,"not_measured":null,"capped":true}'
	works probe "$nvme" --cap 8
	assert_line --regexp '^MSI-X: at least 8 of 65 granted +--cap 8$'
	works --json probe "$nvme" --reserve 100000
	says granted=null
	assert_regex "$output" 'nothing was tried: about 0 vectors can be spared with --reserve 100000'
}

@test "each question is one SET_IRQS, and each grant is given back" {
	works --trace probe "$e1000e"
	run -0 grep -c 'SET_IRQS(index=msi.* count=1 .*) = 0 ' <<<"$stderr"
	assert_output 1
	run -0 grep -c 'SET_IRQS(index=msix start=0 count=5 .*) = 0 ' <<<"$stderr"
	assert_output 1
	run -0 grep -c 'SET_IRQS(index=msix\? start=0 count=0 DATA_NONE|ACTION_TRIGGER) = 0 ' <<<"$stderr"
	assert_output 2
}

@test "what keeps it from asking is said" {
	works --json probe "$xhci" --static
	says granted=null basis='"platform"'
	assert_regex "$output" '"not_measured":"--static'
	works --json --dry-run probe "$xhci"
	assert_regex "$output" '"not_measured":"a dry run'

	works --json probe 00:08.1
	assert_regex "$output" '"not_measured":"driven by virtio-pci"'
	assert_equal "$(driver_of 00:08.1)" virtio-pci
	works probe 00:08.1
	noted '^hint: msictl bind 00:08\.1'
}

@test "a device that somebody holds is not measured, nor disturbed" {
	local before

	dev_start "$nvme"
	dev_send 'enable msix 4'
	before=$(handlers "$nvme" msix)
	works --json probe "$nvme"
	assert_regex "$output" "\"not_measured\":\"IOMMU group [0-9]+ is held by pid $dev_pid "
	assert_equal "$(handlers "$nvme" msix)" "$before"
	dev_stop
}

@test "inside a session: when nothing is enabled" {
	dev_start "$xhci"
	dev_send probe
	says basis='"measured"'
	dev_send 'enable msix 2' probe
	says granted=null
	assert_regex "$output" '"not_measured":"msix is enabled'
	assert_equal "$(armed "$xhci" msix)" '[0,1]'
	dev_send 'disable msix' probe
	says basis='"measured"'
	dev_stop
	nothing_left "$xhci"
}

@test "the host alone" {
	works --json probe
	says basis='"platform"' capability=null granted=null
	if remapped; then
		says multivector='"yes"' 'value="interrupt remapping is on"'
	else
		says multivector='"no"' 'value="interrupt remapping is off"'
	fi
}

@test "not root: what can be seen, and how to see more" {
	run --separate-stderr -0 setpriv --reuid 65534 --regid 65534 --clear-groups "$MSICTL" probe "$xhci"
	assert_line --partial 'not measured' || assert_line --partial 'cannot be read'
	noted '^hint: '
}
