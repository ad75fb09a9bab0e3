# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The device suite is written once and runs in several worlds:
#
#   sim            a simulated function, as Linux 6.12 drives one
#   sim-noresize   the same with MSI-X that can't grow, as before Linux 6.10
#   lab            real vfio-pci devices in tests/lab's machines, Linux 6.12 and 6.1
#
# MSICTL_WORLD chooses; the lab says so itself. Each world says here which DEVICE
# has a role, how that is made to fire, and how to see, past msictl, what is so.
# Where a world differs by nature, the test asks is_sim and says why.

if [[ ${LAB_KERNEL-} ]]; then
	world=lab
	# shellcheck source=../lab/helpers.bash
	source "${BASH_SOURCE[0]%/*}/../lab/helpers.bash"
	# shellcheck source=lab.bash
	source "${BASH_SOURCE[0]%/*}/lab.bash"
else
	world=${MSICTL_WORLD:-sim}
	# shellcheck source=../helpers.bash
	source "${BASH_SOURCE[0]%/*}/../helpers.bash"
	# shellcheck source=sim.bash
	source "${BASH_SOURCE[0]%/*}/sim.bash"
fi

is_sim() {
	[[ $world == sim* ]]
}

teardown() {
	dev_clean
}

# noresize - an index with 16 or more vectors that can't grow, of $device, in $index
noresize() {
	index=msix device=$wide
	! dynamic || { device=$multi index=msi; }
	remapped || [[ $index == msix ]] || skip 'one MSI vector only without remapping'
}

# agree DEVICE INDEX - what was said is what the world says
agree() {
	local said=$output count

	says armed="$(armed "$1" "$2")"
	count=$(allocated "$1")
	output=$said
	[[ ! $count ]] || says allocated="$count"
}

# fired INDEX VECTORS - the device is made to fire each, from $firing when INDEX is msix
# shellcheck disable=SC2154
fired() {
	local v

	for v in $2; do
		dev_send "$(fire "$1" "$v")"
		lacks error
	done
}

# count INDEX VECTOR - what counters says of it
count() {
	dev_send counters
	[[ $output =~ \"index\":\"$1\",\"vector\":$2,[^}]*\"count\":([0-9]+) ]] || fail "no $1 $2 in $output"
	echo "${BASH_REMATCH[1]}"
}

# state INDEX VECTOR - and in which state it is
state() {
	dev_send counters
	[[ $output =~ \"index\":\"$1\",\"vector\":$2,\"state\":\"([a-z]+)\" ]] || fail "no $1 $2 in $output"
	echo "${BASH_REMATCH[1]}"
}

# counted INDEX VECTOR N - it comes to N, and no further
counted() {
	(($3 == 0)) || {
		dev_send "wait $1 $2 --at-least $3 --timeout 5s"
		says missing=[]
	}
	settle
	assert_equal "$(count "$1" "$2")" "$3"
}
