#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# More vectors asked for than one CPU has: what is reported afterwards is what
# the host says, and what was live stays live or is armed again.

load ../helpers

setup_file() {
	give "$nvme"
}

teardown() {
	dev_clean
}

# agree - what was said is what the host says
agree() {
	says armed="$(armed "$nvme" msix)" allocated="$(allocated "$nvme")"
}

# shown - and so do info and counters of any process
shown() {
	local list

	works --json info "$nvme"
	list=$(grep -o '"vector":[0-9]*,"state":"armed"' <<<"$output" | tr -dc '0-9\n')
	assert_equal "[${list//$'\n'/,}]" "$(armed "$nvme" msix)"
	assert_equal "$(grep -o '"vector":[0-9]*,"state":"' <<<"$output" | wc -l)" "$(allocated "$nvme")"
}

@test "all 2048 at once: 7, nothing is enabled" {
	dev_start "$nvme"
	dev_send 'enable msix 2048'
	error short '^the host has no interrupt vectors left for msix 0-2047$'
	hint 'ask for fewer'
	says enabled=false added=[] dropped=[]
	agree
	nothing_left "$nvme"
	assert_equal "$(control "$nvme" MSIX)" 07ff
	dev_send 'enable msix 100'
	agree
	dev_stop 7

	fails 7 run "$nvme" -c 'enable msix 2048'
	noted '^msictl: -c:1: 04:00.0: enable: .*\(ENOSPC\)$'
	hinted 'probe'
	assert_output --partial 'msix: off'
}

@test "a growth that is too much: the live ones stay, with their IRQs and counts" {
	local before
	dev_start "$nvme"
	dev_send 'enable msix 100' 'trigger msix all'
	before=$(handlers "$nvme" msix)
	dev_send 'resize msix 400'
	error short '^the host has no interrupt vectors left for msix 100-399$'
	hint 'resize msix COUNT --release'
	says armed="$(upto 100)" added=[] dropped=[] repaired=[]
	agree
	assert_equal "$(handlers "$nvme" msix)" "$before"
	(($(allocated "$nvme") > 100))
	shown
	dev_send 'trigger msix 0-99' 'wait msix 0-99 --at-least 2 --timeout 10s'
	says missing=[]

	# what the failed growth left allocated is given back
	dev_send 'resize msix 100 --release'
	says rebuilt=true armed="$(upto 100)" allocated=100
	agree
	dev_send 'resize msix 150'
	agree
	dev_stop 7
	nothing_left "$nvme"
}

@test "vectors apart from each other: none of the live ones is touched" {
	local before
	dev_start "$nvme"
	dev_send 'enable msix 0-3,1000,1001'
	says armed=[0,1,2,3,1000,1001]
	agree
	before=$(handlers "$nvme" msix)
	dev_send 'enable msix 0-1500'
	error short 'no interrupt vectors left for msix 4-999'
	says dropped=[] armed=[0,1,2,3,1000,1001]
	agree
	assert_equal "$(handlers "$nvme" msix)" "$before"
	dev_send 'trigger msix armed' 'wait msix armed --timeout 10s'
	says missing=[]
	dev_stop 7
}

# crowd - 20 are armed of more IRQs than the host can arm: each growth that failed
# left what it had allocated
crowd() {
	dev_send 'enable msix 20' 'enable msix 20-400' 'enable msix 1000-1400'
	error short 'no interrupt vectors left for msix 1000-1400'
	says armed="$(upto 20)"
	agree
	(($(allocated "$nvme") > 220)) || fail "only $(allocated "$nvme") are allocated"
}

@test "a rebuild that the host can't give: what was live is armed again, and said" {
	dev_start "$nvme"
	crowd
	dev_send 'trigger msix 0-19' 'resize msix 220 --release'
	error short 'no interrupt vectors left for msix 0-219'
	says rebuilt=true dropped="$(upto 20)" repaired="$(upto 20)" armed="$(upto 20)"
	agree
	shown
	# the counts go on from where they were
	dev_send 'trigger msix 0-19' 'wait msix 0-19 --at-least 2 --timeout 10s'
	says missing=[]
	dev_stop 7
	nothing_left "$nvme"
}

@test "--no-repair leaves them, and says so" {
	dev_start "$nvme"
	crowd
	dev_send 'resize msix 220 --release --no-repair'
	error short 'no interrupt vectors left'
	says dropped="$(upto 20)" repaired=[] armed=[] enabled=false
	agree
	nothing_left "$nvme"
	dev_send 'enable msix 5'
	says armed=[0,1,2,3,4]
	agree
	dev_stop 7
}

@test "descriptors for all of them: the limit is raised before the host refuses" {
	run --separate-stderr -7 bash -c 'ulimit -Sn 64; "$MSICTL" run "$1" -c "enable msix 2048"' - "$nvme"
	noted '^msictl: .*enable: the host has no interrupt vectors left'
	nothing_left "$nvme"
}

@test "a vector whose IRQ has no folder in /sys/kernel/irq: told, and left alone by a grow that fails" {
	local irq folder eventfds words

	dev_start "$nvme"
	dev_send 'enable msix 4'
	irq=$(handlers "$nvme" msix | sed -n 's/^1 //p')
	folder=/sys/kernel/irq/$irq
	# as the kernel leaves it behind when it could not make the folder: nothing to read
	mount -t tmpfs none "$folder"
	eventfds=$(find "/proc/$dev_pid/fd" -lname '*eventfd*' | wc -l)
	# another process sees all of them, and is told by what
	works --json info "$nvme"
	[[ $output =~ \"vector\":1,\"state\":\"armed\",\"irq\":$irq,[^}]*\"source\":\"proc\" ]] || fail "no vector 1 in $output"
	works --json list
	[[ $output =~ \"slot\":\"$nvme\",[^]]*\"allocated\":4,\"armed\":4,[^}]*\"source\":\"sysfs,proc\" ]] || fail "not 4 in $output"
	# repaired or not, nothing was dropped: no further SET_IRQS, and each keeps its eventfd
	for words in '' --no-repair; do
		dev_send "enable msix 0-1500 $words"
		error short 'no interrupt vectors left for msix 4-1500'
		says calls=1 armed=[0,1,2,3] dropped=[] repaired=[] unknown=[]
		assert_equal "$(find "/proc/$dev_pid/fd" -lname '*eventfd*' | wc -l)" "$eventfds"
	done
	dev_send 'trigger msix 1' 'wait msix 1 --timeout 20s'
	says missing=[]
	umount "$folder"
	assert_equal "$(armed "$nvme" msix)" '[0,1,2,3]'
	dev_stop 7
}
