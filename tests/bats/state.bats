#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is said of vectors when something did not go as planned: never more than was seen.

load ../tampering

setup() {
	serve_lies msix=64,msi=16
}

# The replies to what opening asks: VERSION, GET_INFO, five GET_IRQ_INFO, config space,
# REQ's eventfd; the next is the first command's.
first=10

@test "more vectors than PCI has of an index: 1, nothing is armed" {
	lie 'word 4 28 64' 'word 3 28 2' 'word 7 28 2'
	refused 1 'says that it has 64 vectors of msi, PCI allows 32 \(EPROTO\)$' info "vfio-user:$sock"
	refused 1 '2 vectors of intx, PCI allows 1 ' info "vfio-user:$sock"
	refused 1 '2 vectors of req, PCI allows 1 ' info "vfio-user:$sock"
}

@test "an MSI-X capability that says less than is armed: nothing is written beyond its table" {
	# Table Size of the capability at 0xb0, in the first answer and in the one after enabling
	lie 'half 8 210 3' 'half 8 210 3'
	fails 2 run "vfio-user:$sock" -c 'enable msix 64; mask msix 40 --by table'
	noted 'mask: the MSI-X table has 4 entries$'
	# bar 7: there is no table
	lie 'word 8 212 7'
	works run "vfio-user:$sock" -c 'enable msix 4; mask msix 2'
	assert_line --partial 'masked 2 by eventfd'
}

@test "probe of a server that goes silent: 5, as everywhere" {
	lie "hang $first" "hang $((first + 1))" "hang $((first + 2))"
	for _ in 1 2 3; do
		fails 5 --timeout 300ms probe "vfio-user:$sock"
		noted 'did not answer within 300 ms'
	done
}

# few LIMIT WORD... - by somebody who may have LIMIT descriptors and no more
few() {
	local -a drop=()

	((EUID)) || drop=(setpriv --bounding-set=-sys_resource)
	run --separate-stderr "${drop[@]}" bash -c 'ulimit -n "$1"; shift; exec "$MSICTL" "$@"' - "$@"
}

@test "descriptors are asked for once: 200 vectors under a limit of 300" {
	not_under_valgrind 'does not let limits be raised'
	few 300 run sim -c 'enable msix 64; resize msix 16; resize msix 64; trigger msix all; wait msix all'
	((status == 0)) || fail "$stderr"
	few 300 run sim:msix=256 -c 'enable msix 200; trigger msix all; wait msix all'
	((status == 0)) || fail "$stderr"
	few 300 run sim:msix=512 -c 'enable msix 400'
	assert_equal "$status" 1
	noted '400 eventfds are needed, the descriptor limit of 300 can.t be raised so far \(EMFILE\)$'
}

@test "descriptors with a gap between them: the limit is raised all the same" {
	not_under_valgrind 'does not let limits be raised'
	# a holder has room for 1024 callers and some
	ulimit -Sn 256
	works hold sim:msix=901 sim:msix=501
	works enable sim:msix=901 msix 500
	works enable sim:msix=501 msix 500
	works disable sim:msix=901 msix
	works enable sim:msix=901 msix 901
	works release sim:msix=901 sim:msix=501
}
