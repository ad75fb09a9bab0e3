#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# watch, latency and pages of counters: on captured machines, where nothing
# changes unless the test changes it, and on a simulated device.

load ../helpers

roots=$tests/root

setup() {
	tree=$BATS_TEST_TMPDIR/tree
}

teardown() {
	term_stop
	[[ ! ${watch_pid-} ]] || kill -KILL "$watch_pid" 2>/dev/null || true
}

# grow TREE - a copy of intel-remap that may be changed
grow() {
	cp -a "$roots/intel-remap" "$tree"
}

# counts IRQ TEXT
counts() {
	printf '%s\n' "$2" >"$tree/sys/kernel/irq/$1/per_cpu_count.new"
	mv "$tree/sys/kernel/irq/$1/per_cpu_count.new" "$tree/sys/kernel/irq/$1/per_cpu_count"
}

# watch_start WORD... - msictl --json watch in the background, its first refresh is out
watch_start() {
	"$MSICTL" --root "$tree" --json watch "$@" >"$BATS_TEST_TMPDIR/watch" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	watch_pid=$!
	until_true refreshed 1
}

refreshed() {
	(($(wc -l <"$BATS_TEST_TMPDIR/watch") >= $1))
}

# next_refresh - a refresh that began after this call
next_refresh() {
	until_true refreshed $(($(wc -l <"$BATS_TEST_TMPDIR/watch") + 2))
}

watch_ended() {
	local status=0

	kill -TERM "$watch_pid" 2>/dev/null || true
	wait "$watch_pid" || status=$?
	watch_pid=
	assert_equal "$status" 0
	output=$(<"$BATS_TEST_TMPDIR/watch")
	mapfile -t lines <<<"$output"
}

@test "a captured machine: the counts of counters, nothing changes" {
	local bdf=0000:03:00.0 want

	works --root "$roots/intel-remap" --json counters "$bdf"
	want=$(jq -c '.vectors | map([.index, .vector, .irq, .count])' <<<"$output")
	works --root "$roots/intel-remap" --json watch "$bdf" --iterations 3 --delay 100ms
	((${#lines[@]} == 3)) || fail "${#lines[@]} lines"
	json_lines --argjson want "$want" 'all(.[]; (.vectors | map([.index, .vector, .irq, .count])) == $want)'
	json_lines '.[0].interval_us == null and (.[0].vectors | all(.delta == null and .rate == null))'
	json_lines '.[1:] | all(.interval_us >= 90000 and (.vectors | all(.delta == 0 and .rate == 0)))'
	json_lines 'all(.[]; .time | test("^20..-..-..T..:..:..[.]...Z$"))'
}

@test "-n is a number of refreshes, and of round trips" {
	works --root "$roots/intel-remap" --json watch 03:00.0 -n 2 -d 100ms
	((${#lines[@]} == 2)) || fail "${#lines[@]} lines"
	json_lines 'all(.[]; .vectors | length == 3)'
	works --root "$roots/intel-remap" -n watch 03:00.0 -n 1 -o vector
	assert_equal "$(tail -n 3 <<<"$output" | tr -d ' ')" $'0\n1\n2'
	refute_line --partial VECTOR
	works --json run sim:msix=4 -c 'enable msix 2; latency msix 1 -n 20'
	output=${lines[-1]}
	lines=("$output")
	json '.times == 20 and (.histogram | map(.count) | add == 20)'
}

@test "every function: a line each, sums of its vectors" {
	works --root "$roots/intel-remap" --json watch --iterations 1
	json '.devices | length > 4 and all(.vectors >= 1 and .active == 0)'
	json '.devices | map(select(.device == "0000:03:00.0"))[0] | .driver == "e1000e" and .vectors == 3 and .count == 34'
	works --root "$roots/intel-remap" watch --iterations 1
	assert_line --regexp '^03:00\.0 +e1000e +3 +0 +34 '
	assert_line --regexp '^[0-9]+ silent: .*04:00\.0'
}

@test "vectors that count, that come, that go, and IRQs allocated anew" {
	local irqs

	grow
	irqs=$tree/sys/bus/pci/devices/0000:03:00.0/msi_irqs
	watch_start 03:00.0 -d 100ms
	counts 34 31,0
	next_refresh
	# IRQ 35 goes; its neighbours go on
	mv "$irqs/35" "$tree/35"
	counts 36 0,6
	next_refresh
	# the same number again, counting from 0
	echo msix >"$irqs/35"
	counts 35 0,2
	next_refresh
	watch_ended
	json_lines '[.[].vectors[] | select(.vector == 0) | .delta // 0] | add == 10'
	json_lines '[.[].vectors[] | select(.vector == 1) | .delta // 0] | add == 2'
	json_lines '[.[].vectors[] | select(.vector == 2) | .delta // 0] | add == 5'
	json_lines 'any(.[]; .vectors | length == 2) and (.[-1].vectors | length == 3)'
	json_lines '[.[].vectors[] | select(.vector == 0 and .delta == 10)][0] | .rate > 20 and .idle_us == 0'
}

@test "a function that goes is told of, another goes on" {
	grow
	watch_start 03:00.0 05:00.0 -d 100ms
	rm "$tree/sys/bus/pci/devices/0000:03:00.0"
	counts 31 0,112
	next_refresh
	watch_ended
	json_lines '.[0].missing == [] and .[-1].missing == ["0000:03:00.0"]'
	json_lines '.[-1].vectors | all(.device == "0000:05:00.0")'
	json_lines '[.[].vectors[] | select(.device == "0000:05:00.0") | .delta // 0] | add == 100'
}

@test "a storm is marked" {
	grow
	watch_start 03:00.0 -d 100ms --storm 100
	counts 34 100000,0
	next_refresh
	watch_ended
	json_lines '[.[].vectors[] | select(.mark == "storm") | .vector] == [0]'
}

@test "VECTORS and --sort" {
	works --root "$roots/intel-remap" --json watch 03:00.0 0,2 --iterations 1
	json '.vectors | map(.vector) == [0, 2]'
	works --root "$roots/intel-remap" --json watch 03:00.0 --iterations 1 --sort count
	json '.vectors | map(.count) | . == (sort | reverse)'
	works --root "$roots/intel-remap" watch 04:00.0 8-9 --iterations 1
	assert_line --regexp '^msix +8 '
	works --root "$roots/intel-remap" watch 04:00.0 --iterations 1
	assert_line '12 silent: msix 0-11'
}

@test "-o chooses among the columns of all views" {
	works --root "$roots/intel-remap" watch 03:00.0 --iterations 1 -o vector,action
	assert_line --regexp '^ *0  eth0-rx-0'
	refused 2 'is no column' --root "$roots/intel-remap" watch -o nonsense
}

@test "VECTORS that no device has are refused, and looked for in each of several" {
	refused 2 'the device has vectors 0-64, 99 is beyond' --root "$roots/intel-remap" watch 04:00.0 99 -n 1
	refused 2 'the devices have vectors 0-64, 99 is beyond' --root "$roots/intel-remap" watch 03:00.0 04:00.0 99 -n 1
	works --root "$roots/intel-remap" --json watch 03:00.0 04:00.0 2,11 -n 1
	json '.vectors | map([.slot, .vector]) == [["03:00.0", 2], ["04:00.0", 2], ["04:00.0", 11]]'
	refused 2 'the device has vectors 0-15, 16 is beyond' run sim:msix=16,msi=4 -c 'watch 8-16 -n 1'
}

@test "words that are wrong" {
	refused 2 '0\.1 s .* is the least' watch -d 0.09
	refused 2 'iterations: at least 1' watch --iterations 0
	refused 2 'only a PCI function' watch sim
	hinted 'msictl run sim'
	refused 3 'no PCI function 0000:7f:1f\.7' watch 7f:1f.7
	refused 2 'sort' watch --sort nonsense
}

@test "a page of counters: each line parsed, replaced at once" {
	local page=$BATS_TEST_TMPDIR/msictl.prom

	echo before >"$page"
	exec 9<"$page"
	works --root "$roots/intel-remap" --json watch 03:00.0 05:00.0 --iterations 1 --openmetrics "$page"
	# who had it open still reads the former one
	assert_equal "$(cat <&9)" before
	exec 9<&-
	assert_equal "$(stat -c %a "$page")" 644
	assert_equal "$(find "$BATS_TEST_TMPDIR" -name '.msictl*' | wc -l)" 0
	assert_equal "$(grep -c '^# TYPE msictl_interrupts_total counter$' "$page")" 1
	assert_equal "$(grep -vcE '^(#.*|msictl_interrupts_total\{device="[0-9a-f:.]+",source="host",index="(intx|msix?)",vector="[0-9]+",irq="[0-9]+"\} [0-9]+|msictl_posted_possible\{device="[0-9a-f:.]+"\} 0)$' "$page")" 0
	assert_equal "$(grep -c '^msictl_interrupts' "$page")" 6
	assert_equal "$(grep -c '^msictl_posted' "$page")" 2
	grep -qF 'msictl_interrupts_total{device="0000:03:00.0",source="host",index="msix",vector="0",irq="34"} 21' "$page"
	works --root "$roots/intel-remap" counters 03:00.0 --openmetrics
	assert_equal "$(grep '"0000:03' "$page")" "$(grep '"0000:03' <<<"$output")"
	refused 2 '[-] is no file' --root "$roots/intel-remap" watch 03:00.0 -n 1 --openmetrics -
	hinted 'msictl counters --openmetrics'
	fails 2 --root "$roots/intel-remap" --json counters 03:00.0 --openmetrics
	error usage 'a format of its own'
}

@test "counters: a page of all functions, of several, of chosen vectors" {
	works --root "$roots/intel-remap" --json watch -n 1 --openmetrics "$BATS_TEST_TMPDIR/page"
	works --root "$roots/intel-remap" counters --openmetrics
	assert_equal "$output" "$(<"$BATS_TEST_TMPDIR/page")"
	assert_line 'msictl_interrupts_total{device="0000:03:00.0",source="host",index="msix",vector="0",irq="34"} 21'
	assert_equal "$(grep -c '^# TYPE msictl_interrupts_total' <<<"$output")" 1
	works --root "$roots/intel-remap" counters 05:00.0 03:00.0 1-2 --openmetrics
	assert_equal "$(sed -n 's/^msictl_interrupts.*device="\([^"]*\)".*vector="\([^"]*\)".*/\1 \2/p' <<<"$output")" \
		$'0000:05:00.0 1\n0000:05:00.0 2\n0000:03:00.0 1\n0000:03:00.0 2'
	refused 3 'no PCI function' --root "$roots/intel-remap" counters 05:00.0 7f:1f.7 --openmetrics
	refused 2 'DEVICE is missing' --root "$roots/intel-remap" counters
	refused 2 'one word too many: "05:00.0"' --root "$roots/intel-remap" counters 03:00.0 1 05:00.0
	refused 2 'VECTORS: "5-2"' --root "$roots/intel-remap" counters 03:00.0 5-2
}

@test "a page of a session says that eventfds counted" {
	works run sim:msix=4 -c 'enable msix 2; trigger msix 1 --count 3; wait msix 1 --at-least 3; counters --openmetrics'
	assert_line 'msictl_interrupts_total{device="sim:msix=4",source="eventfd",index="msix",vector="1"} 3'
	refute_line --partial posted
}

@test "a page that can't be written" {
	fails 1 --root "$roots/intel-remap" watch 03:00.0 --iterations 1 --openmetrics "$BATS_TEST_TMPDIR/none/page"
	noted 'no file can be made'
	mkdir "$BATS_TEST_TMPDIR/folder"
	fails 1 --root "$roots/intel-remap" watch 03:00.0 --iterations 1 --openmetrics "$BATS_TEST_TMPDIR/folder"
	noted 'no regular file'
}

@test "in a session: eventfds, wake-ups that carried more than one" {
	works --json run sim:msix=16 -c 'enable msix 4; trigger msix 0-2 --count 100; watch --iterations 2 -d 100ms'
	output=$(tail -n 2 <<<"$output")
	mapfile -t lines <<<"$output"
	json_lines '.[1].vectors | map([.vector, .count, .delta]) == [[0, 100, 0], [1, 100, 0], [2, 100, 0], [3, 0, 0]]'
	json_lines '.[1].vectors | all(.wakeups + .coalesced == .count)'
	works run sim:msix=16 -c 'enable msix 8; trigger msix 0; watch --iterations 1'
	assert_line --regexp '^msix +0 '
	assert_line '7 silent: msix 1-7'
}

@test "latency: quantiles in order, all round trips drawn" {
	works --json run sim:msix=4 -c 'enable msix 2; latency msix 1 --times 500'
	output=${lines[-1]}
	lines=("$output")
	json '.times == 500 and .loopback and .vector == 1'
	json '.min_ns > 0 and .min_ns <= .p50_ns and .p50_ns <= .p90_ns and .p90_ns <= .p99_ns and
		.p99_ns <= .p99_9_ns and .p99_9_ns <= .max_ns'
	json '.histogram | map(.count) | add == 500'
	works run sim:msix=4 -c 'enable msix 2; latency msix 1 --times 50'
	assert_line --regexp '^msix 1: 50 round trips'
	assert_line --regexp ' us +[0-9]+  #'
	fails 1 run sim:msix=4 -c 'enable msix 2; latency msix 3'
	noted 'msix 3 is not armed'
	fails 2 run sim:msix=4 -c 'enable msix 2; latency msix 0-1'
}

# big_term COLUMNS LINES WORD...
big_term() {
	term_start "${@:3}"
	term resize-window -x "$1" -y "$2"
}

@test "a screen of 80x24: the busiest first, no line is broken, q restores" {
	big_term 80 24 run sim:msix=64 -c \
		'enable msix 64; trigger msix 0-39; trigger msix 50 --count 9; watch -d 200ms --iterations 100'
	term_expect 'q quits'
	term_key c
	term_expect '^msix +50 .* 9 '
	(($(screen | wc -l) <= 24)) || fail "$(screen)"
	on_screen '^[0-9]+ more, [0-9]+ of them quiet$'
	on_screen '^23 silent: msix 40-49,51-63$'
	assert_equal "$(screen | sed -n 3p | awk '{ print $2 }')" 50
	term_key q
	term_ended 0
	! on_screen 'q quits' || fail "$(screen)"
	on_screen '^msix: triggered 50, 9 times'
}

@test "a screen of 200x50: all columns, and a smaller one while it runs" {
	big_term 200 50 --root "$roots/intel-remap" watch 03:00.0 05:00.0 -d 200ms
	term_expect '^DEVICE .*TREND +MARK +IRQ +CPUS +CPU$'
	term_expect '^05:00\.0 +msix +2 .* 33 +1 +[01]$'
	term resize-window -x 60 -y 6
	term_expect '^[0-9]+ more, '
	(($(term capture-pane -p | grep -c .) <= 6)) || fail "$(screen)"
	term_key C-c
	term_ended 0
}

@test "a terminal that grows: all rows have their place again" {
	big_term 60 6 --root "$roots/intel-remap" watch 03:00.0 05:00.0 -d 60s
	term_expect '^[0-9]+ more, '
	term resize-window -x 130 -y 30
	term_expect '^DEVICE .*TREND +MARK +IRQ +CPUS +CPU$'
	on_screen '^05:00\.0 +msix +2 ' || fail "$(screen)"
	! on_screen '^[0-9]+ more, ' || fail "$(screen)"
	term_key q
	term_ended 0
}

# modes_of_term - those that a screen changes
modes_of_term() {
	stty -a <"$(term display-message -p '#{pane_tty}')" | grep -oE -- '-?(icanon|echo)\b' | sort -u
}

modes_are() {
	[[ $(modes_of_term) == "$1" ]]
}

# watcher - the process on the terminal
watcher() {
	local tty

	tty=$(term display-message -p '#{pane_tty}')
	pgrep -n -t "${tty#/dev/}" -f ' watch 03:00.0 '
}

@test "Ctrl-Z gives the terminal back, fg paints anew; so does a stop that nobody announced" {
	tmux -S "$BATS_TEST_TMPDIR/tmux" -f /dev/null new-session -d -x 100 -y 40 \
		"TERM=screen PS1='shell> ' exec bash --norc --noprofile -i" 3>&-
	term_expect '^shell>'
	# nothing is painted of its own accord
	term_type "$MSICTL --root $roots/intel-remap watch 03:00.0 -d 60s; echo ended with \$?"
	term_key Enter
	term_expect 'q quits'
	assert_equal "$(modes_of_term)" $'-echo\n-icanon'
	term_key C-z
	term_expect 'Stopped'
	! on_screen 'q quits' || fail "$(screen)"
	term_type 'stty sane; echo in between'
	term_key Enter
	term_expect '^in between$'
	term_type fg
	term_key Enter
	term_expect 'q quits'
	assert_equal "$(modes_of_term)" $'-echo\n-icanon'
	# SIGSTOP can't be heard, SIGCONT can
	kill -STOP "$(watcher)"
	term_expect 'Stopped'
	term_type clear
	term_key Enter
	term_expect '^shell>'
	term_type fg
	term_key Enter
	term_expect 'q quits'
	until_true modes_are $'-echo\n-icanon'
	term_key q
	term_expect '^ended with'
}

@test "continued in the background nothing is painted on the shell's terminal" {
	grow
	tmux -S "$BATS_TEST_TMPDIR/tmux" -f /dev/null new-session -d -x 100 -y 40 \
		"TERM=screen PS1='shell> ' exec bash --norc --noprofile -i" 3>&-
	term_expect '^shell>'
	term_type "$MSICTL --root $tree watch 03:00.0 -d 100ms --openmetrics $BATS_TEST_TMPDIR/page"
	term_key Enter
	term_expect 'q quits'
	term_key C-z
	term_expect 'Stopped'
	term_type bg
	term_key Enter
	counts 34 31,0
	until_true grep -q 'irq="34"} 31$' "$BATS_TEST_TMPDIR/page"
	! on_screen 'q quits' || fail "$(screen)"
	term_type fg
	term_key Enter
	term_expect 'q quits'
	term_key q
	until_true on_screen '^shell>$'
	term_type 'echo ended with $?'
	term_key Enter
	term_expect '^ended with 0$'
}

@test "80 columns, several devices, large numbers: what comes and its mark are not cut off" {
	grow
	counts 34 1,0
	counts 31 4000000000,0
	big_term 80 24 --root "$tree" watch 03:00.0 05:00.0 -d 3s --storm 1000
	term_expect '^05:00\.0 +msix +0 +4000000000 '
	counts 31 4000300000,0
	term_expect '^05:00\.0 +msix +0 +4000300000 .* [^ ]+ +storm( |$)'
	term_expect '^DEVICE .* TREND +MARK'
	# until it has been silent for long enough
	term_expect '^03:00\.0 +msix +0 +1 .* once( |$)'
	term_key q
	term_ended 0
}

# opened_by COMM PID SLOT - a process that holds the group of a function
opened_by() {
	group=$(readlink "$tree/sys/bus/pci/devices/0000:$3/iommu_group")
	mkdir -p "$tree/proc/$2/fd"
	echo "$1" >"$tree/proc/$2/comm"
	ln -s "/dev/vfio/${group##*/}" "$tree/proc/$2/fd/23"
}

# driven_by DRIVER SLOT
driven_by() {
	mkdir -p "$tree/sys/bus/pci/drivers/$1"
	ln -sfn "../../../../bus/pci/drivers/$1" "$tree/sys/bus/pci/devices/0000:$2/driver"
}

# given_to_vm COMM - 04:00.0 belongs to a process
given_to_vm() {
	grow
	opened_by "$1" 4711 04:00.0
}

@test "a VM's device: posted interrupts may bypass the counters, silence means nothing" {
	given_to_vm qemu-system-x86
	works --root "$tree" watch 04:00.0 03:00.0 --iterations 1
	noted '04:00\.0 is held by qemu-system-x86 \(PID 4711\): interrupts posted to a VM bypass the host.s counters'
	assert_equal "$(wc -l <<<"$stderr")" 1
	term_start --root "$tree" watch 04:00.0 -d 100ms
	term_expect '^04:00\.0 is held by qemu-system-x86 \(PID 4711\): interrupts posted'
	term_expect '^12 silent: msix 0-11$'
	term_key q
	term_ended 0
}

@test "devices of VMs among all functions: each has its row and its mark, counted or not" {
	given_to_vm qemu-system-x86
	# a variant driver of VFIO
	driven_by mlx5_vfio_pci 05:00.0
	opened_by cloud-hypervisor 4712 05:00.0
	works --root "$tree" watch -n 1
	assert_line --regexp '^04:00\.0 +vfio-pci +12 +0 +0 .* posted$'
	assert_line --regexp '^05:00\.0 +mlx5_vfio_pci +3 +0 +36 .* posted$'
	refute_line --regexp '^[0-9]+ silent: .*04:00\.0'
	noted '^msictl: 04:00\.0 is held by qemu-system-x86 \(PID 4711\), 05:00\.0 by cloud-hypervisor \(PID 4712\): interrupts posted'
	works --root "$tree" --json watch -n 1
	json '.devices | map(select(.posted_possible) | [.slot, .mark, .held_by.command, .held_by.pid]) ==
		[["04:00.0", "posted", "qemu-system-x86", 4711], ["05:00.0", "posted", "cloud-hypervisor", 4712]]'
	json '.devices | map(select(.posted_possible | not)) | length > 8 and all(.mark == null and .held_by == null)'
	works --root "$tree" --json watch 05:00.0 03:00.0 -n 1
	json '.vectors | all((.slot == "05:00.0") == .posted_possible)'
	works --root "$tree" -n watch 05:00.0 -n 1 -o vector,holder
	assert_line --regexp '^ *0  cloud-hypervisor$'
	# counters and pages say it, too
	works --root "$tree" --json counters 05:00.0
	json '.posted_possible and .held_by == {"pid": 4712, "command": "cloud-hypervisor"}'
	noted '^msictl: 05:00\.0 is held by cloud-hypervisor \(PID 4712\): interrupts posted'
	works --root "$tree" --json counters 03:00.0
	json '.posted_possible == false and .held_by == null'
	assert_equal "$stderr" ''
	works --root "$tree" counters --openmetrics
	assert_line 'msictl_posted_possible{device="0000:04:00.0"} 1'
	assert_line 'msictl_posted_possible{device="0000:03:00.0"} 0'
	noted '04:00\.0 is held by'
}

@test "VMs that start and end while they are watched" {
	grow
	watch_start 04:00.0 03:00.0 -d 100ms
	opened_by qemu-system-x86 4711 04:00.0
	# it arms a vector more: seen at once
	echo msix >"$tree/sys/bus/pci/devices/0000:04:00.0/msi_irqs/99"
	until_true told '.vectors | any(.posted_possible)'
	until_true grep -q '04:00\.0 is held by qemu-system-x86' "$BATS_TEST_TMPDIR/err"
	# nothing of the device itself changes: seen after some time
	rm -r "$tree/proc/4711"
	until_true told '.vectors | all(.posted_possible | not)'
	watch_ended
	assert_equal "$(grep -c 'is held by' "$BATS_TEST_TMPDIR/err")" 1
	json_lines '.[0].vectors | all(.posted_possible == false)'
	json_lines 'all(.[].vectors[] | select(.slot == "03:00.0"); .posted_possible == false)'
}

# told FILTER - the last refresh of watch_start
told() {
	tail -n 1 "$BATS_TEST_TMPDIR/watch" | jq -e "$1" >/dev/null
}

@test "a vector of a VM that fired once is not marked, nor by a device without one" {
	given_to_vm qemu-system-x86
	counts 42 1,0
	counts 34 1,0
	watch_start 04:00.0 03:00.0 -d 200ms
	until_true told '.vectors | any(.slot == "03:00.0" and .mark == "once")'
	next_refresh
	watch_ended
	json_lines 'all(.[].vectors[] | select(.slot == "04:00.0"); .mark == null)'
}

@test "a device that another msictl drives gets no such sentence" {
	given_to_vm msictl
	works --root "$tree" watch 04:00.0 --iterations 1
	assert_equal "$stderr" ''
}

@test "SIGTERM leaves the terminal as it was" {
	local modes tty

	term_start --root "$roots/intel-remap" watch 03:00.0 -d 200ms
	term_expect 'q quits'
	tty=$(term display-message -p '#{pane_tty}')
	modes=$(stty -a <"$tty" | grep -oE -- '-?(icanon|echo)\b' | sort -u)
	assert_equal "$modes" $'-echo\n-icanon'
	kill -TERM "$(pgrep -n -t "${tty#/dev/}" -f ' watch 03:00.0 ')"
	term_ended 0
	modes=$(stty -a <"$tty" | grep -oE -- '-?(icanon|echo)\b' | sort -u)
	assert_equal "$modes" $'echo\nicanon'
	! on_screen 'q quits' || fail "$(screen)"
}

@test "no screen for a terminal that can't be painted on, nor with --batch" {
	term_start --root "$roots/intel-remap" watch 03:00.0 --batch --iterations 2 -d 100ms
	term_ended 0
	on_screen '^[0-9:]+  03:00\.0  3 vectors, 0 active  0\.0/s$'
}

@test "in the shell, and the prompt again" {
	term_start shell sim:msix=8
	term_expect '8>$'
	term_type 'enable msix 4; trigger msix 0; watch -d 100ms'
	term_key Enter
	term_expect 'q quits'
	term_expect '^3 silent: msix 1-3$'
	term_key q
	term_expect 'msix 4>$'
	term_type 'counters 0'
	term_key Enter
	term_expect '^msix +0  armed'
}
