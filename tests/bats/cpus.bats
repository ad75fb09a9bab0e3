#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Counts of CPUs that come and go, of texts that are cut off, and of counters
# that wrap: what did not happen is not counted. On a captured machine.

load ../watch

# interrupts CPU=COUNT... - /proc/interrupts of IRQ 34 alone, with these columns
interrupts() {
	local header='      ' line=' 34: ' column

	for column; do
		header+="  CPU${column%=*}"
		line+="  ${column#*=}"
	done
	printf '%s\n%s  IR-PCI-MSIX-0000:03:00.0   0-edge      eth0-rx-0\n' "$header" "$line" >"$tree/proc/interrupts.new"
	mv "$tree/proc/interrupts.new" "$tree/proc/interrupts"
}

# cut IRQ TEXT - as the kernel does when the counts need more than a page
cut() {
	printf '%s' "$2" >"$tree/sys/kernel/irq/$1/per_cpu_count.new"
	mv "$tree/sys/kernel/irq/$1/per_cpu_count.new" "$tree/sys/kernel/irq/$1/per_cpu_count"
}

needs_mounts() {
	unshare --mount true 2>/dev/null || skip "no mount namespace can be made here"
}

# running WORD... - msictl, for which the captured machine is the running one: wait works there alone
running() {
	unshare --mount sh -c 'mount --bind "$0/sys" /sys && mount --bind "$0/proc" /proc && exec "$@"' \
		"$tree" "$MSICTL" "$@"
}

# counts_nothing AT_LEAST THIS THAT - a wait for vector 0 ends with 8, while THIS and THAT take turns. It looks every
# 50 ms, and finds now the one, now the other.
counts_nothing() {
	local status=0 pid

	running wait 03:00.0 msix 0 --at-least "$1" --timeout 500ms >"$BATS_TEST_TMPDIR/wait" 2>&1 3>&- &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		$2
		$3
	done
	wait "$pid" || status=$?
	assert_equal "$status $(<"$BATS_TEST_TMPDIR/wait")" \
		"8 msictl: 03:00.0: wait: msix 0 did not count $1 within 0.5 s"
}

online() {
	interrupts 0=7 1=5000
}

offline() {
	interrupts 0=7
}

@test "wait: a CPU that goes and comes counts nothing" {
	needs_mounts
	grow
	rm -r "$tree/sys/kernel/irq"
	online
	counts_nothing 5 offline online
}

before_the_wrap() {
	counts 34 4294967290,3000000000
}

behind_the_wrap() {
	counts 34 3,3000000000
}

@test "wait: a counter of 32 bits that wraps counted what it counted" {
	needs_mounts
	grow
	before_the_wrap
	# 9 each time that it is behind
	counts_nothing 1000 behind_the_wrap before_the_wrap
}

cut_off() {
	cut 34 5000,
}

whole() {
	counts 34 5000,0
}

@test "wait: a count that can't be read for a time is no count of all that was before" {
	needs_mounts
	grow
	rm "$tree/proc/interrupts"
	cut_off
	counts_nothing 5 whole cut_off
}

@test "wait: what comes meanwhile is counted, whatever CPUs do" {
	needs_mounts
	grow
	rm -r "$tree/sys/kernel/irq"
	online
	running wait 03:00.0 msix 0 --at-least 5 >"$BATS_TEST_TMPDIR/wait" 3>&- &
	for ((n = 8; ; n++)); do
		kill -0 $! 2>/dev/null || break
		interrupts 0=$n
		interrupts 0=$n 1=5000
	done
	wait $!
	assert_equal "$(<"$BATS_TEST_TMPDIR/wait")" 'msix: 0 counted at least 5'
}

@test "watch: a text that is cut off is no storm, nor is it when it is whole again" {
	grow
	counts 34 1000000,7
	interrupts 1=7
	watch_start 03:00.0 -d 100ms --storm 100
	cut 34 1000000,
	next_refresh
	interrupts 0=1000000 1=7
	next_refresh
	interrupts 1=7
	next_refresh
	told '.vectors[0] | .count_source == "proc" and .count == 1000007'
	counts 34 1000000,7
	# it is looked at again at times
	until_true told '.vectors[0].count_source == "sysfs"'
	next_refresh
	watch_ended
	json_lines 'all(.[].vectors[]; .mark == null and (.delta // 0) == 0)'
	json_lines 'all(.[].vectors[0]; .count == 1000007)'
}

@test "watch: a CPU that comes online with its history is no storm, and a page of counters does not leap" {
	local page=$BATS_TEST_TMPDIR/page

	grow
	rm -r "$tree/sys/kernel/irq"
	interrupts 0=7
	watch_start 03:00.0 0 -d 100ms --storm 100 --openmetrics "$page"
	interrupts 0=8 1=2000000
	next_refresh
	interrupts 0=8 1=2000003
	next_refresh
	interrupts 0=8
	next_refresh
	watch_ended
	json_lines '[.[].vectors[].delta // 0] | add == 4'
	json_lines 'all(.[].vectors[]; .mark == null and .cpus_missing == 1)'
	json_lines '.[-1].vectors[0].count == 11'
	grep -q '^msictl_interrupts_total{.*vector="0".*} 11$' "$page"
	grep -q '^msictl_cpus_missing{device="0000:03:00.0"} 1$' "$page"
	grep -q '1 Linux IRQ are those of /proc/interrupts, which has no column for 1 CPU$' "$BATS_TEST_TMPDIR/err"
}

@test "counters, list, info: counts that leave CPUs out say so" {
	grow
	rm -r "$tree/sys/kernel/irq"
	interrupts 1=7
	works --root "$tree" --json counters 03:00.0
	json '.vectors | map(select(.vector == 0))[0] | .count == 7 and .count_source == "proc" and .cpus_missing == 1'
	noted '^msictl: 03:00[.]0: the counts of 1 Linux IRQ are those of /proc/interrupts, which has no column for 1 CPU$'
	works --root "$tree" -o vector,count,missing counters 03:00.0 0
	assert_line --regexp '^ *0 +7 +1$'
	works --root "$tree" info 03:00.0
	noted 'no column for 1 CPU$'
	works --root "$tree" counters 03:00.0 --openmetrics
	assert_line 'msictl_cpus_missing{device="0000:03:00.0"} 1'
	noted 'no column for 1 CPU$'
	works --root "$tree" --json list
	noted 'has no column for 1 CPU$'
	rm "$tree"/sys/devices/system/cpu/{present,possible}
	works --root "$tree" --json counters 03:00.0 0
	json '.vectors[0] | .count == 7 and .cpus_missing == null'
	noted 'no column for an unknown number of CPUs$'
	# none is missing
	cp "$(unpacked intel-remap)/sys/devices/system/cpu/present" "$tree/sys/devices/system/cpu"
	interrupts 0=1 1=7
	works --root "$tree" --json counters 03:00.0 0
	json '.vectors[0] | .count == 8 and .cpus_missing == 0'
	refute [ "$stderr" ]
}
