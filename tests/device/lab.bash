# shellcheck shell=bash disable=SC2154,SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The device suite's roles in tests/lab's machines. tests/lab/helpers.bash sees
# past msictl; it has the functions that sim.bash has for the simulation.

wide=$nvme      # MSI-X alone, 65 vectors
multi=$xhci     # MSI 16, MSI-X
firing=$e1000e  # MSI-X 5, fires on request
level=$edu      # INTx, MSI 1, no MSI-X; conventional PCI, so no ERR
granting=$xhci  # MSI 16, of which a host without remapping grants 1

# What $firing is by nature: id, capabilities, the size of bar0, a BAR that it lacks.
firing_id=0x10d38086 bar0_size=0x20000 no_bar=bar4
msi_words='0xd0 0xd2 0xda' msix_words='0xa0 0xa2 0xa8' msix_bar=bar3

setup_file() {
	give "$xhci" "$edu" "$e1000e" "$nvme"
}

# Whether the host grants what is asked for.
short_grants() {
	! remapped
}

pm_cap() {
	echo "0x$(setpci -s "$firing" 34.b)"
}

# fire_ready - $firing is held by now and has its vectors
fire_ready() {
	dev_send "${e1000e_ready[@]}"
}

fire() {
	if [[ $1 == msix ]]; then
		e1000e_fire "$2"
	else
		echo "$edu_fire"
	fi
}

raise=$edu_fire
acknowledge=$edu_ack

# want_back DEVICE - the kernel asks whoever holds it; done when it was let go
want_back() {
	echo "0000:$1" >"$(sys "$1" driver/unbind)"
}

# An interrupt of the device takes its time.
settle() {
	sleep 0.2
}
