#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# probe on a host that has fewer vectors than the device offers: one CPU, a
# device of 2048.

load ../helpers

setup_file() {
	give "$nvme"
}

# asks - the questions in $stderr: how many vectors, and the answer
asks() {
	sed -nE 's/.*SET_IRQS\(index=msix start=0 count=([0-9]+) DATA_EVENTFD.*\) = ([^(]+) \(.*/\1 \2/p' <<<"$stderr"
}

@test "the limit of the host is found by search, and given back" {
	local granted

	works --trace --json probe "$nvme" --reserve 0 --cap 2048
	[[ $output =~ \"msix\":\{\"capability\":2048,\"granted\":([0-9]+),\"not_measured\":null,\"capped\":false\} ]]
	granted=${BASH_REMATCH[1]}
	((granted > 100 && granted < 256))
	(($(asks | wc -l) <= 12))
	# granted itself was had, one more was refused
	run -0 asks
	assert_line "$granted 0"
	assert_line "$((granted + 1)) -1 ENOSPC"
	nothing_left "$nvme"
}

@test "the reserve is kept" {
	works --trace --json probe "$nvme"
	says capped=true
	run -0 asks
	assert_equal "${#lines[@]}" 1
	((${lines[0]% *} < 200 - 64))
	nothing_left "$nvme"
}
