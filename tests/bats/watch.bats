#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# watch, latency and pages of counters: on captured machines, where nothing
# changes unless the test changes it, and on a simulated device.

load ../watch

@test "a captured machine: the counts of counters, nothing changes" {
	local bdf=0000:03:00.0 want

	works --root "$roots/intel-remap.capture" --json counters "$bdf"
	want=$(jq -c '.vectors | map([.index, .vector, .irq, .count])' <<<"$output")
	works --root "$roots/intel-remap.capture" --json watch "$bdf" --iterations 3 --delay 100ms
	((${#lines[@]} == 3)) || fail "${#lines[@]} lines"
	json_lines --argjson want "$want" 'all(.[]; (.vectors | map([.index, .vector, .irq, .count])) == $want)'
	json_lines '.[0].interval_us == null and (.[0].vectors | all(.delta == null and .rate == null))'
	json_lines '.[1:] | all(.interval_us >= 90000 and (.vectors | all(.delta == 0 and .rate == 0)))'
	json_lines 'all(.[]; .time | test("^20..-..-..T..:..:..[.]...Z$"))'
}

@test "-n is a number of refreshes, and of round trips" {
	works --root "$roots/intel-remap.capture" --json watch 03:00.0 -n 2 -d 100ms
	((${#lines[@]} == 2)) || fail "${#lines[@]} lines"
	json_lines 'all(.[]; .vectors | length == 3)'
	works --root "$roots/intel-remap.capture" -n watch 03:00.0 -n 1 -o vector
	assert_equal "$(tail -n 3 <<<"$output" | tr -d ' ')" $'0\n1\n2'
	refute_line --partial VECTOR
	works --json run sim:msix=4 -c 'enable msix 2; latency msix 1 -n 20'
	output=${lines[-1]}
	lines=("$output")
	json '.times == 20 and (.histogram | map(.count) | add == 20)'
}

@test "every function: a line each, sums of its vectors" {
	works --root "$roots/intel-remap.capture" --json watch --iterations 1
	json '.devices | length > 4 and all(.vectors >= 1 and .active == 0)'
	json '.devices | map(select(.device == "0000:03:00.0"))[0] | .driver == "e1000e" and .vectors == 3 and .count == 34'
	works --root "$roots/intel-remap.capture" watch --iterations 1
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
	counts 36 1,5
	next_refresh
	# the same number again, counting from 0
	counts 35 0,2
	echo msix >"$irqs/35"
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
	works --root "$roots/intel-remap.capture" --json watch 03:00.0 0,2 --iterations 1
	json '.vectors | map(.vector) == [0, 2]'
	works --root "$roots/intel-remap.capture" --json watch 03:00.0 --iterations 1 --sort count
	json '.vectors | map(.count) | . == (sort | reverse)'
	works --root "$roots/intel-remap.capture" watch 04:00.0 8-9 --iterations 1
	assert_line --regexp '^msix +8 '
	works --root "$roots/intel-remap.capture" watch 04:00.0 --iterations 1
	assert_line '12 silent: msix 0-11'
}

@test "-o chooses among the columns of all views" {
	works --root "$roots/intel-remap.capture" watch 03:00.0 --iterations 1 -o vector,action
	assert_line --regexp '^ *0  eth0-rx-0'
	refused 2 'is no column' --root "$roots/intel-remap.capture" watch -o nonsense
}

@test "VECTORS that no device has are refused, and looked for in each of several" {
	refused 2 'the device has vectors 0-64, 99 is beyond' --root "$roots/intel-remap.capture" watch 04:00.0 99 -n 1
	refused 2 'the devices have vectors 0-64, 99 is beyond' --root "$roots/intel-remap.capture" watch 03:00.0 04:00.0 99 -n 1
	works --root "$roots/intel-remap.capture" --json watch 03:00.0 04:00.0 2,11 -n 1
	json '.vectors | map([.slot, .vector]) == [["03:00.0", 2], ["04:00.0", 2], ["04:00.0", 11]]'
	refused 2 'the device has vectors 0-15, 16 is beyond' run sim:msix=16,msi=4 -c 'watch 8-16 -n 1'
}

@test "a function that is named twice is watched once" {
	works --root "$roots/intel-remap.capture" --json watch 03:00.0 0000:03:00.0 -n 1
	json '.vectors | map([.device, .vector]) | length > 0 and length == (unique | length)'
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
	works --root "$roots/intel-remap.capture" --json watch 03:00.0 05:00.0 --iterations 1 --openmetrics "$page"
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
	works --root "$roots/intel-remap.capture" counters 03:00.0 --openmetrics
	assert_equal "$stderr" ''
	assert_equal "$(grep '"0000:03' "$page")" "$(grep '"0000:03' <<<"$output")"
	refused 2 '[-] is no file' --root "$roots/intel-remap.capture" watch 03:00.0 -n 1 --openmetrics -
	hinted 'msictl counters --openmetrics'
	fails 2 --root "$roots/intel-remap.capture" --json counters 03:00.0 --openmetrics
	error usage 'a format of its own'
}

@test "counters: a page of all functions, of several, of chosen vectors" {
	works --root "$roots/intel-remap.capture" --json watch -n 1 --openmetrics "$BATS_TEST_TMPDIR/page"
	works --root "$roots/intel-remap.capture" counters --openmetrics
	assert_equal "$output" "$(<"$BATS_TEST_TMPDIR/page")"
	assert_line 'msictl_interrupts_total{device="0000:03:00.0",source="host",index="msix",vector="0",irq="34"} 21'
	assert_equal "$(grep -c '^# TYPE msictl_interrupts_total' <<<"$output")" 1
	works --root "$roots/intel-remap.capture" counters 05:00.0 03:00.0 1-2 --openmetrics
	assert_equal "$(sed -n 's/^msictl_interrupts.*device="\([^"]*\)".*vector="\([^"]*\)".*/\1 \2/p' <<<"$output")" \
		$'0000:05:00.0 1\n0000:05:00.0 2\n0000:03:00.0 1\n0000:03:00.0 2'
	refused 3 'no PCI function' --root "$roots/intel-remap.capture" counters 05:00.0 7f:1f.7 --openmetrics
	refused 2 'DEVICE is missing' --root "$roots/intel-remap.capture" counters
	refused 2 'one word too many: "05:00.0"' --root "$roots/intel-remap.capture" counters 03:00.0 1 05:00.0
	refused 2 'VECTORS: "5-2"' --root "$roots/intel-remap.capture" counters 03:00.0 5-2
}

@test "a page of a session says that eventfds counted" {
	works run sim:msix=4 -c 'enable msix 2; trigger msix 1 --count 3; wait msix 1 --at-least 3; counters --openmetrics'
	assert_line 'msictl_interrupts_total{device="sim:msix=4",source="eventfd",index="msix",vector="1"} 3'
	refute_line --partial posted
}

@test "a page that can't be written" {
	fails 1 --root "$roots/intel-remap.capture" watch 03:00.0 --iterations 1 --openmetrics "$BATS_TEST_TMPDIR/none/page"
	noted 'no file can be made'
	mkdir "$BATS_TEST_TMPDIR/folder"
	fails 1 --root "$roots/intel-remap.capture" watch 03:00.0 --iterations 1 --openmetrics "$BATS_TEST_TMPDIR/folder"
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
